#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every command of docs/use/one-liners.md, run beside a workload whose calls are known."""

import os
import re
import shlex
import shutil
import tempfile

from tooltest import Tap, run

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
PAGE = os.path.join(ROOT, "docs", "use", "one-liners.md")

# 40 maps of 64 KiB with a mock device, every fourth of them wrong
LOAD = "map-load -m 40 65536 4"
MAPPED = 30 * 65536

# What each command of the page must print, in the order of the page.
EXPECTED = [
    r"map-load \d+: ret -2 reason \d+ \(\d+, 0\)",
    r"@us:[^@]*\|@",
    r"@ns\[pin\]: [1-9]\d*",
    r"@bytes\[map-load, \d+\]: %d\b" % MAPPED,
    r"@pages:[^@]*\|@",
    # bpftrace does not find the name everywhere, as the page explains
    r"group \d+ [\w.-]*: hwpt 0 to \d+, ioas \d+, \d+ us in the driver",
    r"iommufd:iommufd_map\b",
    r"\b40\s+iommufd:iommufd_map\b",
    r"iommufd_map:.*dur_ns=\d{7}",
    r"iommufd_map:.*ret=-2 reason=bad_object_id",
]


def commands():
    """The indented blocks of the page, one script each."""
    with open(PAGE, encoding="utf-8") as file:
        blocks = re.findall(r"(?:^    .*\n)+", file.read(), re.M)
    return ["\n".join(line[4:] for line in block.splitlines()) for block in blocks]


def script(command):
    """The command as a script that ends by itself."""
    if command.startswith("bpftrace"):
        return "%s -c %s" % (command, shlex.quote(LOAD))
    if "trace-cmd" in command:
        # one operation must be slow: even huge pages of this size take milliseconds
        return command.replace("COMMAND", "map-load -m 2 0x20000000")
    if "trace_pipe" in command:
        return command.replace("cat trace_pipe", LOAD + " >/dev/null; cat trace; "
                               "echo 0 >events/iommufd/iommufd_map/enable; "
                               "echo 0 >events/iommufd/iommufd_map/filter; echo >trace")
    return command.replace("sleep 10", LOAD).replace("COMMAND", LOAD)


def every_command(tap):
    found = commands()
    tap.equal(len(found), len(EXPECTED), "the page has exactly the commands that are tested here")
    for command, expected in zip(found, EXPECTED):
        program = command.split()[0]
        name = command.splitlines()[0][:60].replace("#", " ")
        if not shutil.which(program) and program != "cd":
            tap.skip(name, program + " is not installed")
            continue
        with tempfile.TemporaryDirectory() as folder:
            result = run("sh", "-c", script(command), cwd=folder, timeout=120)
        output = result.stdout + result.stderr
        tap.ok(result.returncode == 0 and re.search(expected, output), name,
               "status %d, wanted %s" % (result.returncode, expected), output[-3000:])


Tap().run(every_command)
