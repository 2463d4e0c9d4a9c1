# SPDX-License-Identifier: GPL-2.0-only
"""The claims of SECURITY.md, checked against the tests that it names for them.

Each row of its tables with the head "what holds | tests" has a claim. A test is one of ctest's.
With a dot and a name after it, it is one point of that test: a TEST() or BOTH() of a suite that
the test's command names, or a function of the script in that command.
"""

import glob
import json
import os
import re

from points import run

HEAD = "| what holds | tests |"
# names of ioctls, sysctls and the like are in the claim column, never in the column of tests
NAME = re.compile(r"`([^`]*)`")


def rows(text):
    """(line, claim, names of tests) of each row of the tables of claims."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line == HEAD:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|-"):
            claim, names = line.strip("|").rsplit("|", 1)
            yield number, claim.strip(), NAME.findall(names)


class Tests:
    """@commands: the command of each test of ctest, by its name."""

    def __init__(self, source, commands):
        self.source = source
        self.commands = commands

    def has(self, name):
        if name in self.commands:
            return True
        test, _, point = name.rpartition(".")
        return test in self.commands and self.has_point(test, point)

    def has_point(self, test, point):
        words = self.commands[test]
        for script in words:
            if script.startswith(self.source) and os.path.isfile(script):
                with open(script, encoding="utf-8") as f:
                    if re.search(rf"^\s*def {point}\(", f.read(), re.MULTILINE):
                        return True
        for path in glob.glob(os.path.join(self.source, "tests", test.split(".")[0], "*.c")):
            with open(path, encoding="utf-8") as f:
                suites = re.findall(rf"^(?:TEST|BOTH)\((\w+), {point}\)", f.read(), re.MULTILINE)
            if any(suite in words or f"{suite}.{point}" in words for suite in suites):
                return True
        return False


def complaints(text, tests):
    found = []
    for number, claim, names in rows(text):
        if not names:
            found.append(f"SECURITY.md:{number}: no test for: {claim}")
        found += [f"SECURITY.md:{number}: no test {name}" for name in names if not tests.has(name)]
    return found


def claims(points, options):
    # include the tests of the long run
    status, text = run(["ctest", "--show-only=json-v1", "-C", "long", "--test-dir", options.build])
    if status:
        points.point("ctest lists its tests", text.splitlines())
        return
    commands = {test["name"]: test.get("command", []) for test in json.loads(text[text.index("{"):])["tests"]}
    tests = Tests(options.source, commands)
    fault = "\n".join([HEAD, "|---|---|", "| One. | |", "| Two. | `e2e.nowhere` |",
                       "| Three. | `e2e.misuse.nowhere` |", "| Four. | `e2e.misuse.pairs_on_one_bus` |",
                       "| Five. | `tool.export_http.nowhere` |"])
    seen = complaints(fault, tests)
    points.point("a claim without a test, and tests that do not exist, are found in a sample",
                 [] if len(seen) == 5 else ["five faults give:", *seen])
    with open(os.path.join(options.source, "SECURITY.md"), encoding="utf-8") as f:
        text = f.read()
    count = len(list(rows(text)))
    points.point(f"each of {count} claims of SECURITY.md has tests, which exist",
                 complaints(text, tests) if count else [f"no table starts with {HEAD}"])
