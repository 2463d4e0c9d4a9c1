#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The documents' links, commands and captures.

'pages.py check' covers what needs no machine: links and their anchors, the version, verbs of
./dev, commands and options of the tool, and that each block of commands declares how it is
tested. 'pages.py run' runs those blocks in a guest. A block of commands is one fenced as sh, with
one of these before it:

    <!-- test: guest -->             it is run, and must succeed
    <!-- test: guest: WORDS -->      and print WORDS
    <!-- test: none: WHY -->         it cannot be run here

The device 0000:02:00.0 that the documents pass through is the guest's NVMe controller.
"""

import glob
import os
import re
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "tool"))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from tooltest import Tap, run

EXAMPLE_DEVICE = "0000:02:00.0"
PATTERNS = ["*.md", "docs/*.md", "docs/*/*.md", "*/README.md", "*/*/README.md"]
MARK = re.compile(r"<!-- test: (guest|none)(?:: ([^\n]*?))? -->\s*$")


def pages():
    found = set()
    for pattern in PATTERNS:
        found.update(glob.glob(os.path.join(ROOT, pattern)))
    return sorted(p for p in found if "/build" not in p[len(ROOT):] and "node_modules" not in p)


class Page:
    """A document: its text, its fenced blocks, its headings."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.relpath(path, ROOT)
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.blocks = []
        for match in re.finditer(r"^```(\w*)\n(.*?)^```$", self.text, re.M | re.S):
            mark = MARK.search(self.text[:match.start()])
            self.blocks.append((match[1], match[2], mark))
        self.prose = re.sub(r"^```.*?^```$", "", self.text, flags=re.M | re.S)

    def anchors(self):
        """The anchors of the headings, as code hosting sites generate them."""
        found = set()
        for heading in re.findall(r"^#+ (.*)$", self.prose, re.M):
            plain = re.sub(r"[^\w\- ]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading)).lower()
            found.add(plain.replace(" ", "-"))
        return found

    def links(self):
        text = re.sub(r"`[^`]*`", "", self.prose)
        return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"\b(?:src|srcset)=\"([^\"]+)\"", text)

    def commands(self):
        """Command lines anywhere in the page: in blocks, indented, after prompts or in code."""
        lines = [line for _, body, _ in self.blocks
                 for line in body.replace("\\\n", " ").splitlines()]
        lines += re.findall(r"^    (.*)$", self.prose, re.M)
        lines += re.findall(r"`([^`\n]+)`", self.prose)
        return [re.sub(r"^\s*[$#] ", "", line).strip() for line in lines]


def links(tap):
    known = {page.path: page for page in map(Page, pages())}
    for page in known.values():
        wrong = []
        for link in page.links():
            if re.match(r"[a-z]+:", link):
                continue
            file, _, anchor = link.partition("#")
            path = os.path.realpath(os.path.join(os.path.dirname(page.path), file)) if file \
                else page.path
            if not os.path.exists(path):
                wrong.append(link + ": there is no such file")
            elif anchor and path in known and anchor not in known[path].anchors():
                wrong.append(link + ": there is no such heading")
        tap.ok(not wrong, page.name + ": its links resolve", *wrong)


def marks(tap):
    for page in map(Page, pages()):
        wrong = [body for language, body, mark in page.blocks
                 if language == "sh" and (not mark or mark[1] == "none" and not mark[2])]
        tap.ok(not wrong, page.name + ": its commands declare how they are tested", *wrong)


def version(tap):
    """The version stands in CMakeLists.txt alone, and the changelog has it."""
    with open(os.path.join(ROOT, "CMakeLists.txt"), encoding="utf-8") as file:
        now = re.search(r"^project\(\w+ VERSION ([0-9.]+)", file.read(), re.M)[1]
    known = {page.name: page for page in map(Page, pages())}
    headings = re.findall(r"^## \[(\d[^]]*)\]", known["CHANGELOG.md"].text, re.M)
    tap.equal(headings[:1], [now], "the newest version of the changelog is the project's")
    tap.equal([name for name, page in known.items() if name != "CHANGELOG.md" and now in page.text], [],
              "no other page repeats the version")


def verbs(tap):
    usage = run(os.path.join(ROOT, "dev"), "help").stdout
    known = set(re.findall(r"^  ([a-z]+)", usage, re.M))
    for page in map(Page, pages()):
        named = {match[1] for line in page.commands()
                 for match in [re.match(r"(?:sudo )?\./dev ([a-z]\S*)", line)] if match}
        tap.ok(named <= known, page.name + ": it names existing verbs of ./dev",
               *(named - known))


def options(tap):
    """Commands of the tool and their long options, wherever they are shown."""
    overview = run("iommuscope", "help").stdout
    commands = set(re.findall(r"^  ([a-z]+)", overview, re.M))
    helps = {}
    for page in map(Page, pages()):
        wrong = []
        for line in page.commands():
            match = re.match(r"(?:sudo )?iommuscope ([a-z]+)(?= |$)(.*)", line)
            if not match:
                continue
            name, rest = match[1], match[2].split(" -- ")[0]
            rest = re.split(r"[|;>]", rest)[0]
            if name not in commands:
                wrong.append("%s: there is no such command" % line)
                continue
            if name not in helps:
                helps[name] = run("iommuscope", name, "--help").stdout
            for option in re.findall(r"(?<!\S)(--[a-z][a-z-]+)", rest):
                if not re.search(re.escape(option) + r"\b", helps[name] + "--man --completion"):
                    wrong.append("%s: there is no %s" % (line, option))
        tap.ok(not wrong, page.name + ": it names existing commands and options", *wrong)


def nvme():
    """The guest's NVMe controller."""
    for path in glob.glob("/sys/bus/pci/devices/*/class"):
        with open(path, encoding="ascii") as file:
            if file.read().startswith("0x0108"):
                return path.split("/")[-2]
    return None


def blocks(tap):
    device = nvme()
    if not tap.ok(device, "the guest has an NVMe controller"):
        return
    # the pages' examples write to it; the guest's own shows what others write on the host
    run("mount", "-t", "tmpfs", "tmpfs", "/tmp")
    try:
        run_blocks(tap, device)
    finally:
        run("umount", "/tmp")


def run_blocks(tap, device):
    for page in map(Page, pages()):
        number = 0
        for language, body, mark in page.blocks:
            if language != "sh" or not mark or mark[1] != "guest":
                continue
            number += 1
            script = "set -e\n" + body.replace(EXAMPLE_DEVICE, device)
            try:
                result = run("sh", "-c", script, timeout=100, cwd=ROOT)
                status, output = result.returncode, result.stdout + result.stderr
            except subprocess.TimeoutExpired as late:
                status, output = "none, it did not end", str(late.stdout)
            tap.ok(status == 0 and (not mark[2] or mark[2] in output),
                   "%s: block %d works" % (page.name, number), script,
                   "status %s, wanted %s" % (status, mark[2] or "0"), output[-2000:])


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        Tap().run(links, marks, version, verbs, options)
    elif sys.argv[1:] == ["run"]:
        Tap().run(blocks)
    print(__doc__, file=sys.stderr)
    sys.exit(2)
