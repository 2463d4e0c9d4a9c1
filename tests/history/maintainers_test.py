#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""MAINTAINERS: its format, its patterns, and that every file has a maintainer."""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(SOURCE, "tests", *path) for path in (("lab", "selftest"), ("static",))]

# pylint: disable=wrong-import-position
from files import Files
from points import equal, run_all

ENTRY = re.compile(r"([MSFX]):\t(\S.*)$")
VALUES = {"M": re.compile(r"[^<>]+ <[^ <>]+@[^ <>]+>$"), "S": re.compile(r"(Maintained|Odd Fixes|Orphan)$"),
          "F": re.compile(r"\S+$"), "X": re.compile(r"\S+$")}


def parse(text):
    """The sections as {name: {letter: [values]}}, and the faults of the format, one line each."""
    sections, wrong, name = {}, [], None
    # the text before the first section is an explanation
    body = re.search(r"^[A-Z][A-Z ,]+\nM:\t", text, re.M)
    if not body:
        return {}, ["no section"]
    for line in text[body.start():].splitlines():
        entry = ENTRY.match(line)
        if not line:
            name = None
        elif name is None:
            name = line
            if line != line.upper() or line in sections:
                wrong.append(f"no name of a section: {line}")
            sections[name] = {letter: [] for letter in VALUES}
        elif not entry or not VALUES[entry.group(1)].match(entry.group(2)):
            wrong.append(f"{name}: no entry: {line}")
        else:
            sections[name][entry.group(1)].append(entry.group(2))
    for name, section in sections.items():
        wrong += [f"{name}: no {letter}:" for letter in "MSF" if not section[letter]]
        wrong += [f"{name}: {letter}: is not sorted" for letter in "FX" if section[letter] != sorted(section[letter])]
    return sections, wrong


def matches(pattern, file):
    """Does a pattern of F: or X: cover a file?"""
    words = "".join("[^/]*" if c == "*" else re.escape(c) for c in pattern)
    return re.match(words + ("" if pattern.endswith("/") else "$"), file) is not None


def covers(section, file):
    return any(matches(p, file) for p in section["F"]) and not any(matches(p, file) for p in section["X"])


def the_sections():
    with open(os.path.join(SOURCE, "MAINTAINERS")) as f:
        return parse(f.read())


def the_files():
    return Files(SOURCE).all


def finds_faults():
    """faults of a sample are found"""
    good = "Words\n\nA PART\nM:\tA B <a@b.c>\nS:\tMaintained\nF:\ta/\nF:\tb/*.c\n"
    sections, wrong = parse(good)
    equal((list(sections), wrong), (["A PART"], []))
    section = sections["A PART"]
    equal([covers(section, f) for f in ("a/x", "a/x/y", "b/x.c", "b/x.h", "b/x/y.c", "c")],
          [True, True, True, False, False, False])
    equal(covers(dict(section, X=["a/x/"]), "a/x/y"), False)
    for fault in (good.replace("M:\tA B <a@b.c>", "M:\tA B"), good.replace("S:\tMaintained\n", ""),
                  good.replace("F:\ta/", "F: a/"), good.replace("F:\ta/\nF:\tb/*.c\n", "F:\tb/\nF:\ta/\n"),
                  good + "\na part\nM:\tA B <a@b.c>\nS:\tOrphan\nF:\tc\n", "Words\n"):
        equal(len(parse(fault)[1]) > 0, True)


def is_well_formed():
    """the format is right"""
    equal(the_sections()[1], [])


def patterns_match():
    """each pattern matches a file"""
    files = the_files()
    unused = [f"{name}: {pattern}" for name, section in the_sections()[0].items()
              for pattern in section["F"] + section["X"] if not any(matches(pattern, f) for f in files)]
    equal(unused, [])


def files_are_covered():
    """each file has a section"""
    sections = the_sections()[0].values()
    equal([f for f in the_files() if not any(covers(s, f) for s in sections)], [])


run_all([finds_faults, is_well_formed, patterns_match, files_are_covered])
