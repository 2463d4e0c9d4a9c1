#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The files, folders and functions that documents and comments name exist, and the tables of files
match the files' comments.

A table of files is between <!-- files: PATTERN --> and <!-- end of files -->: a row for each
file, with the first sentence of its first comment. 'files.py --update' writes the tables; without
arguments it is a test.
"""

import fnmatch
import glob
import os
import re
import sys

from pages import ROOT, pages
from tooltest import Tap

TABLE = re.compile(r"(<!-- files: (\S+) -->\n)(.*?)(<!-- end of files -->)", re.S)
# `ctx.c`, `memory/pin.c`, `*_fields.c`
NAMED = re.compile(r"`((?:[\w*.-]+/)*[\w*.-]+\.(?:bpf\.c|bpf\.h|c|h|py|sh|mjs))`")
# the same in a comment, without the signs
BARE = re.compile(r"(?<![\w/<.*%-])((?:[\w-]+/)*[\w-]+\.(?:bpf\.c|bpf\.h|c|h|py|sh|mjs|md))\b")
# tests/lab/vm, bpf/sources/, tools/export/*metrics.c
FOLDERS = ("bpf", "cmake", "dashboards", "docs", "kernel", "packaging", "tests", "tools", "tracepoints")
PATH = re.compile(r"(?<![\w/.$}\"-])((?:%s)/[\w.*/+-]*[\w*])" % "|".join(FOLDERS))
FUNCTION = re.compile(r"\b([a-z]\w*|__\w+)\(\)")
COMMENT = {
    (".c", ".h", ".mjs", ".js"): re.compile(r"//[^\n]*|/\*.*?\*/", re.S),
    (".py",): re.compile(r"#[^\n]*|\"\"\".*?\"\"\"", re.S),
    (".cmake", ".txt", ".sh", ""): re.compile(r"(?m)^\s*#[^\n]*"),
}


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


def comments_of(path, text):
    for ends, pattern in COMMENT.items():
        if os.path.splitext(path)[1] in ends:
            return pattern.findall(text)
    return []


class Tree:
    """What there is: the paths of files and folders, and the words of the sources."""

    def __init__(self):
        self.files = set()
        self.folders = set()
        self.words = set()
        for here, folders, files in os.walk(ROOT):
            folders[:] = [f for f in folders if not f.startswith((".", "build")) and f != "node_modules"]
            self.folders.update(os.path.relpath(os.path.join(here, f), ROOT) for f in folders)
            self.files.update(os.path.relpath(os.path.join(here, f), ROOT) for f in files)
        for path in self.sources():
            self.words.update(re.findall(r"\w+", read(os.path.join(ROOT, path))))

    def sources(self):
        """Files that may define or call a function, and that have comments."""
        return sorted(path for path in self.files if path.split("/")[0] in FOLDERS + ("CMakeLists.txt", "dev")
                      and any(os.path.splitext(path)[1] in ends for ends in COMMENT))

    def has(self, name):
        """A file or folder of this path, or of a path that ends so; * fits anything."""
        if "*" in name:
            return any(fnmatch.fnmatch("/" + path, "*/" + name) for path in self.files)
        return name in self.folders or any(path == name or path.endswith("/" + name) for path in self.files)

    def lacks(self, names):
        return sorted({name for name in names if not self.has(name)} - NOT_OURS)

    def lacks_functions(self, names):
        return sorted({name for name in names if "NAME" not in name} - self.words)


def names(tap):
    tree = Tree()
    tap.equal(tree.lacks(["kernel/none.c", "tests/none/", "tools/none/*.c", "ctx.c", "kernel/iommufd/ctx.c",
                          "tests/lab", "tools/export/*metrics.c"]),
              ["kernel/none.c", "tests/none/", "tools/none/*.c"],
              "a file or folder that does not exist would be found")
    tap.equal(tree.lacks_functions(["operation_" + "whence", "operation_why"]), ["operation_" + "whence"],
              "so would a function")
    for path in pages():
        text, page = read(path), os.path.relpath(path, ROOT)
        # the changelog has names of the past
        functions = FUNCTION.findall(text) if page != "CHANGELOG.md" else ()
        tap.equal((tree.lacks(NAMED.findall(text) + PATH.findall(text)), tree.lacks_functions(functions)),
                  ([], []), page + " names files and functions that exist")
    wrong = {}
    for path in tree.sources():
        text = read(os.path.join(ROOT, path))
        comments = "\n".join(comments_of(path, text))
        missing = [name for name in tree.lacks(BARE.findall(comments) + PATH.findall(comments))
                   if not name.startswith(KERNELS)]
        if missing and not path.startswith(TALKS_OF_OTHERS):
            wrong[path] = missing
    tap.equal(wrong, {}, "comments name files that exist")


# the kernel's own, a name for any file, and generated ones
NOT_OURS = {"linux/iommufd.h", "linux/vfio.h", "include/linux/vfio.h", "include/linux/vfio_pci_core.h",
            "tools/testing/selftests/iommu", "tools/commands/NAME.c", "vmlinux.h", "bpf/vmlinux.h", "kernel.h"}
# comments may name headers and sources of the kernel and of libraries
KERNELS = ("linux/", "include/", "lib/", "pci_regs.h", "bcc/", "docs/specs/edu.txt")
# these describe names that are made in the build folder
TALKS_OF_OTHERS = ("cmake/", "tests/guide/", "tests/lab/kernel/", "tests/lab/selftest/")

if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        for page in pages():
            new = written(read(page))
            if new != read(page):
                with open(page, "w", encoding="utf-8") as output:
                    output.write(new)
    else:
        Tap().run(sentences, tables, names)
