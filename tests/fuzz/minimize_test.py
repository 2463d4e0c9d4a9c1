#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The minimiser: it keeps the calls that a failure needs, and writes exactly these calls."""

import importlib.machinery
import importlib.util
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tool"))
sys.dont_write_bytecode = True

from tooltest import Tap, run  # noqa: E402


def minimizer():
    path = os.path.join(HERE, "minimize")
    loader = importlib.machinery.SourceFileLoader("minimize", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("minimize", loader))
    loader.exec_module(module)
    return module


def shrinks(tap):
    shrink = minimizer().shrink
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print("# SEED=%d" % seed)
    chance = random.Random(seed)
    for size, number in (1, 1), (2, 1), (87, 1), (87, 3), (200, 7), (64, 64):
        wanted = sorted(chance.sample(range(size), number))
        tries = []

        def fails(calls):
            tries.append(calls)
            return set(wanted) <= set(calls)

        tap.equal(shrink(list(range(size)), fails), wanted,
                  "%d of %d calls are found" % (number, size))
        tap.ok(len(tries) <= 2 * size + 16 * number, "with few tries", len(tries))


def writes(tap):
    """Every round as a program that compiles, with as many calls as were kept."""
    with open(os.path.join(HERE, "prelude.h"), encoding="utf-8") as file:
        prelude = file.read()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, 9):
            size = int(run("iommufd-fuzz", "-r", str(seed), "-l").stdout)
            kept = ",".join(map(str, range(0, size, 2)))
            text = run("iommufd-fuzz", "-r", str(seed), "-e", "-k", kept).stdout
            compiled = subprocess.run(
                ["cc", "-Wall", "-Werror", "-Wno-unused-function", "-D_GNU_SOURCE", "-pthread",
                 "-xc", "-", "-o", os.path.join(folder, "round")],
                input=prelude + text, text=True, capture_output=True)
            tap.equal((compiled.returncode, compiled.stderr), (0, ""),
                      "half of round %d compiles" % seed)
            calls = text.split("int main(void)")[0].count("\n\t/* ")
            tap.equal(calls, (size + 1) // 2, "and has %d calls" % ((size + 1) // 2))


if __name__ == "__main__":
    Tap().run(shrinks, writes)
