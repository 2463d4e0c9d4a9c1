#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The timeline of the test `tool.record`, opened by a browser: it parses, and its slices nest.

usage: timeline_browser.py FILE [SCREENSHOT]
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from tooltest import Tap, patience

HERE = os.path.dirname(os.path.abspath(__file__))


def browse(page, folder, *options):
    return subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--hide-scrollbars", "--user-data-dir=" + folder, "--timeout=%d" % patience(30000),
         *options, "file://" + page],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=patience(100), check=False)


def main(tap):
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    events = json.loads(text)["traceEvents"]
    with open(os.path.join(HERE, "timeline-page.html"), encoding="utf-8") as file:
        page = file.read().replace("@TRACE@", text)
    folder = tempfile.mkdtemp(prefix="timeline-")
    path = os.path.join(folder, "page.html")
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)
    if len(sys.argv) > 2:
        browse(path, os.path.join(folder, "profile"), "--window-size=1190,420",
               "--screenshot=" + sys.argv[2])
    result = browse(path, os.path.join(folder, "profile"), "--dump-dom")
    shutil.rmtree(folder, ignore_errors=True)
    found = re.search(r'<pre id="result">(.*?)</pre>', result.stdout, re.S)
    if not tap.ok(found and found.group(1), "the browser parses the timeline",
                  result.stderr[-2000:]):
        return
    seen = json.loads(html.unescape(found.group(1)))
    slices = [e for e in events if e["ph"] == "X"]
    tap.equal((seen["slices"], seen["phases"]),
              (len(slices), len([e for e in slices if e["cat"] == "phase"])),
              "it has all slices, and all phases")
    tap.equal(seen["crossing"], 0, "slices nest")
    tap.equal(seen["tracks"], len({(e["pid"], e["tid"]) for e in slices}), "on all tracks")
    tap.ok(seen["windows"] > 0 and seen["faults"] > 0,
           "windows without translation and faults are there", seen)


if not shutil.which("chromium"):
    print("no chromium: apt-get install chromium")
    sys.exit(77)
Tap().run(main)
