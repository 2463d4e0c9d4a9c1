# SPDX-License-Identifier: GPL-2.0-only
"""How big the parts of the tree may be: functions, files, folders."""

import collections
import os
import re

from files import Files

MOST_FILES = 30
MOST_LINES = 700
MOST_LINES_OF_FUNCTION = 80
# folders with sources; frozen formats do not count
FOLDERS = ("bpf", "cmake", "dashboards", "kernel", "tests", "tools")


def functions(text):
    """(line, lines, head) of each function of a file in the kernel's style."""
    lines = text.split("\n")
    begin = None
    for number, line in enumerate(lines, 1):
        if line == "{" and begin is None:
            begin = number
        elif line.startswith("}") and begin is not None:
            head = begin - 1
            while head and lines[head - 1] and not re.match(r"[}#/]| \*", lines[head - 1]):
                head -= 1
            yield head + 1, number - begin + 1, lines[head]
            begin = None


def long_functions(name, text):
    return [f"{name}:{line}: {count} lines: {head}" for line, count, head in functions(text)
            if count > MOST_LINES_OF_FUNCTION]


def long_file(name, text):
    count = text.count("\n")
    return [f"{name}: {count} lines"] if count > MOST_LINES else []


def full_folders(names):
    counts = collections.Counter(os.path.dirname(name) for name in names)
    return [f"{folder}: {count} files" for folder, count in sorted(counts.items()) if count > MOST_FILES]


def sizes(points, options):
    files = Files(options.source)
    body = "\tf();\n" * MOST_LINES_OF_FUNCTION
    points.found("the search for long functions",
                 "\n".join(long_functions("x.c", "static int f(void)\n{\n" + body + "}\n")),
                 "x.c:1: 82 lines: static int f")
    points.found("the search for long files", "\n".join(long_file("x.c", "\n" * 701)), "701 lines")
    points.found("the search for full folders",
                 "\n".join(full_folders([f"a/b/{i}.c" for i in range(31)])), "a/b: 31 files")

    sources = files.c("kernel", "tracepoints", "bpf", "tools", "tests")
    texts = {}
    for name in sources:
        with open(files.path(name), encoding="utf-8") as f:
            texts[name] = f.read()
    points.point(f"no function of {len(texts)} C files is longer than {MOST_LINES_OF_FUNCTION} lines",
                 [line for name, text in texts.items() for line in long_functions(name, text)])
    points.point(f"no file is longer than {MOST_LINES} lines",
                 [line for name, text in texts.items() for line in long_file(name, text)])
    points.point(f"no folder of sources has more than {MOST_FILES} files",
                 full_folders([f for f in files.all if f.split("/")[0] in FOLDERS]))
