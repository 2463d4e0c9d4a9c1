#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every function that a BPF program of the tool is attached to is in the table of hooks.

programs.py FOLDER: FOLDER has the objects of the programs.
"""

import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "tool"))
from tooltest import Tap  # noqa: E402

SECTION = re.compile(r"\] \??(?:fentry|fexit|kprobe|kretprobe)/(\S+)")


def table():
    """The newest names of all hooks."""
    lines = subprocess.run(["hooks-find", "list"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {line.split()[6].split(",")[0] for line in lines.splitlines()}


def probed(path):
    text = subprocess.run(["readelf", "-SW", path], stdout=subprocess.PIPE, text=True, check=True).stdout
    return set(SECTION.findall(text))


def programs(tap):
    known, seen = table(), set()
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.bpf.o"))):
        functions = probed(path)
        seen |= functions
        tap.equal(sorted(functions - known), [], os.path.basename(path) + " probes what the table has")
    tap.ok("__iommu_device_set_domain" in seen, "functions are found in the objects", sorted(seen))


Tap().run(programs)
