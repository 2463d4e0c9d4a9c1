#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The BCC scripts beside a workload whose calls are known."""

import importlib.util
import os
import re
import signal
import subprocess

from tooltest import Tap, patience, run

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
SCRIPTS = os.path.join(ROOT, "tools", "bcc")


class Script:
    """A script in the background, from its first line, which it prints once it observes."""

    def __init__(self, name, *arguments):
        self.command = [os.path.join(SCRIPTS, name), *arguments]

    def __enter__(self):
        # BCC's compiler warns about the kernel's headers; the warnings do not matter
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL)
        self.head = self.process.stdout.readline()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.output = self.process.stdout.read()
        self.status = self.process.wait(patience(60))


def missing():
    if not importlib.util.find_spec("bcc"):
        return "python3-bpfcc is not installed"
    if not os.path.isdir("/lib/modules/%s/build" % os.uname().release):
        return "the kernel's headers are not there"
    return None


def snoop(tap):
    # 10 maps, of which 2 fail, and 8 unmaps
    with Script("iommufd-snoop", "-n", "18") as script:
        load = run("map-load", "10", "65536", "5")
        script.process.wait(patience(60))
    tap.equal(load.stdout.split()[:3], ["map", "10", "2"], "the workload runs")
    lines = script.output.splitlines()
    maps = [line for line in lines
            if re.search(r"^map-load +\d+ +map +\d+ +0x10000000 +65536 ", line)]
    tap.ok(len(maps) == 10, "snoop shows every map", script.output)
    tap.equal(len([line for line in lines if "ENOENT, reason 8 (" in line]), 2,
              "and the error of those that failed")
    with Script("iommufd-snoop", "-x", "-n", "2") as script:
        run("map-load", "10", "65536", "5")
        script.process.wait(patience(60))
    tap.equal([line.split()[-5:-3] for line in script.output.splitlines()],
              [["ENOENT,", "reason"]] * 2, "snoop -x shows nothing else")


def lat(tap):
    with Script("iommufd-lat", "unmap") as script:
        run("map-load", "50", "65536")
    counts = [int(count) for count in re.findall(r"-> \d+ +: (\d+)", script.output)]
    tap.equal(sum(counts), 50, "lat counts every unmap")
    with Script("iommufd-lat", "map", "--phase", "pin") as script:
        run("map-load", "50", "65536")
    tap.ok("pin_ns of map" in script.head and "distribution" in script.output,
           "lat takes a phase", script.head, script.output)


reason = missing()
if reason:
    print("1..0 # SKIP " + reason)
else:
    Tap().run(snoop, lat)
