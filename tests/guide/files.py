#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The files that the documents name exist, and the tables of files match the files' comments.

A table of files is between <!-- files: PATTERN --> and <!-- end of files -->: a row for each
file, with the first sentence of its first comment. 'files.py --update' writes the tables; without
arguments it is a test.
"""

import glob
import os
import re
import sys

from pages import ROOT, pages
from tooltest import Tap

TABLE = re.compile(r"(<!-- files: (\S+) -->\n)(.*?)(<!-- end of files -->)", re.S)
NAMED = re.compile(r"`((?:[\w*.-]+/)*[\w.-]+\.(?:bpf\.c|bpf\.h|c|h|py|sh))`")


def sentence(text):
    """The first sentence of a file's first comment after the licence; None if it has none."""
    match = re.match(r"(?://|/\*) SPDX[^\n]*\n/\*\n(.*?)\*/", text, re.S)
    if not match:
        return None
    words = re.sub(r"^ \* ?", "", match[1], flags=re.M).split("\n\n")[0].split()
    return re.split(r"(?<=\.) ", " ".join(words))[0].rstrip(".").replace("|", "\\|")


def table(pattern):
    rows = []
    for path in sorted(glob.glob(os.path.join(ROOT, pattern))):
        with open(path, encoding="utf-8") as file:
            rows.append((os.path.basename(path), sentence(file.read())))
    return "| file | |\n|---|---|\n" + "".join("| `%s` | %s |\n" % row for row in rows), rows


def written(text):
    return TABLE.sub(lambda match: match[1] + "\n" + table(match[2])[0] + "\n" + match[4], text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def sentences(tap):
    tap.equal(sentence("// SPDX-License\n/*\n * What it\n * is. More.\n *\n * And more.\n */\n"), "What it is",
              "the first sentence of a comment is found")


def tables(tap):
    count = 0
    for path in pages():
        text = read(path)
        for match in TABLE.finditer(text):
            rows = table(match[2])[1]
            count += 1
            tap.ok(rows and all(words for _, words in rows), "%s has files, each with a comment" % match[2],
                   [name for name, words in rows if not words])
        if TABLE.search(text):
            tap.ok(written(text) == text, os.path.relpath(path, ROOT) + " has up-to-date tables",
                   "'tests/guide/files.py --update' writes them")
    tap.ok(count, "there are tables of files")


def names(tap):
    there = set()
    for here, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if not f.startswith((".", "build")) and f != "node_modules"]
        there.update(os.path.relpath(os.path.join(here, f), ROOT) for f in files)

    def missing(name):
        # a name without a folder may be anywhere; with a pattern in it, it is not a name
        return "*" not in name and not any(path == name or path.endswith("/" + name) for path in there)

    tap.ok(missing("kernel/none.c") and not missing("ctx.c") and not missing("kernel/iommufd/ctx.c"),
           "a file that does not exist would be found")
    for path in pages():
        wrong = sorted({name for name in NAMED.findall(read(path)) if missing(name)} - NOT_OURS)
        tap.equal(wrong, [], os.path.relpath(path, ROOT) + " names files that exist")


# the kernel's own, and a name for any file
NOT_OURS = {"linux/iommufd.h", "linux/vfio.h", "include/linux/vfio.h", "include/linux/vfio_pci_core.h",
            "tools/commands/NAME.c"}

if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        for page in pages():
            new = written(read(page))
            if new != read(page):
                with open(page, "w", encoding="utf-8") as output:
                    output.write(new)
    else:
        Tap().run(sentences, tables, names)
