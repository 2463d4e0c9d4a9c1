#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A member that is added to a record (docs/inside/extending.md) holds no bytes of the stack.

'grow.py copy SOURCE TARGET' copies the modules' sources, adds a member to each record and a field
to each class of its events, and checks that a member outside the story does not compile. 'grow.py
BIND-DEVICE BDF' is a test, which runs where the modules built from the copy are loaded: every
event shows the field as zero.
"""

import os
import re
import shutil
import subprocess
import sys

from iommushell import Shell
from tooltest import Tap

TRACING = "/sys/kernel/tracing"
FIELD = "grown"
HEADERS = ("iommufd", "vfio")


def edit(path, *changes):
    """Replace each (pattern, text), everywhere it occurs, at least once."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text, flags=re.M)
        if not count:
            raise ValueError("%s has no %r" % (path, pattern))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def copy(source, target):
    shutil.rmtree(target, ignore_errors=True)
    for folder in ("kernel", "tracepoints"):
        shutil.copytree(os.path.join(source, folder), os.path.join(target, folder))
    for name in HEADERS:
        # at the end of the story, of the class of events, and of its assignments and print format
        edit(os.path.join(target, "tracepoints", name + "_op.h"),
             (r"^\t\);\n\};\n(?=\nstatic_assert)", "\t\tu64 %s;\n\t);\n};\n" % FIELD))
        edit(os.path.join(target, "tracepoints", name + ".h"),
             (r"(TP_PROTO\(const struct \w+_op \*op\),\n\tTP_ARGS\(op\),\n\tTP_STRUCT__entry\((?:.|\n)+?)"
              r"\n\t\),\n\tTP_fast_assign\(((?:.|\n)+?)\n\t\),\n\tTP_printk\(\"([^\"]+)\",((?:.|\n)+?)\)\n\);",
              r"\1\n\t\t__field(u64, %s)\n\t),\n\tTP_fast_assign(\2\n\t\t__entry->%s = op->%s;\n\t),"
              r'\n\tTP_printk("\3 %s=%%llu",\4, __entry->%s)\n);' % (FIELD, FIELD, FIELD, FIELD, FIELD)))


def compiles(source, name, member):
    """Does the header compile on a host, with @member after the record's story?"""
    with open(os.path.join(source, "tracepoints", name + "_op.h"), encoding="utf-8") as file:
        text = file.read()
    text, count = re.subn(r"^\t\);\n\};\n(?=\nstatic_assert)", "\t);\n%s};\n" % member, text, flags=re.M)
    if count != 1:
        raise ValueError("the end of struct %s_op is not found" % name)
    here = os.path.join(source, "tests", "core")
    command = ["cc", "-fsyntax-only", "-xc", "-I", os.path.join(source, "tracepoints"), "-"]
    # it provides what the header includes
    text = '#include "%s/kernel_shim.h"\n' % here + re.sub(r'#include "op_record.h"', "", text)
    with open(os.path.join(source, "tracepoints", "op_record.h"), encoding="utf-8") as file:
        record = re.sub(r"#include <.+>", "", file.read())
    at = text.index("\n") + 1
    return subprocess.run(command, input=text[:at] + record + text[at:], text=True,
                          capture_output=True, check=False)


def story_is_whole(tap, source):
    for name in HEADERS:
        done = compiles(source, name, "")
        tap.ok(done.returncode == 0, "%s_op.h compiles" % name, done.stderr)
        done = compiles(source, name, "\tu64 beside;\n")
        tap.ok(done.returncode and "static assertion failed" in done.stderr,
               "a member of struct %s_op after its story does not" % name, done.stderr)


def write(path, text):
    with open(os.path.join(TRACING, path), "w", encoding="utf-8") as file:
        file.write(text)


def values(trace):
    """Event -> the values of the field that it showed."""
    found = {}
    for event, value in re.findall(r": (iommufd_\w+|vfio_\w+): .*\b%s=(\d+)" % FIELD, trace):
        found.setdefault(event, []).append(int(value))
    return found


def shown(act, *subsystems):
    """The values of the field in the events of @act, by event."""
    write("trace", "")
    for subsystem in subsystems:
        write("events/%s/enable" % subsystem, "1")
    try:
        act()
    finally:
        for subsystem in subsystems:
            write("events/%s/enable" % subsystem, "0")
    with open(os.path.join(TRACING, "trace"), encoding="utf-8") as file:
        found = values(file.read())
    write("trace", "")
    return found


def are_zero(tap, found, wanted):
    for event, least in wanted.items():
        numbers = found.get(event, [])
        tap.ok(len(numbers) >= least and not any(numbers),
               "%s shows 0, %d times or more" % (event, least), numbers)


def a_value_is_found(tap):
    tap.equal(values(" x: iommufd_map: ctx=1 %s=7\n" % FIELD), {"iommufd_map": [7]},
              "a value that is not zero would be found")


def memory_operations(tap):
    def act():
        with Shell() as shell:
            file = shell.open()
            ioas = shell.ioas(file)
            for _ in range(50):
                shell.unmap(file, ioas, shell.map(file, ioas, "small", 16384), 16384)

    are_zero(tap, shown(act, "iommufd"),
             {"iommufd_map": 50, "iommufd_unmap": 50, "iommufd_map_start": 50,
              "iommufd_open": 1, "iommufd_ioas_alloc": 1, "iommufd_close": 1})


def device_operations(tap, bind, bdf):
    def act():
        # it prints "BDF: NODE"
        said = subprocess.run([bind, bdf], stdout=subprocess.PIPE, text=True, check=True).stdout
        os.close(os.open(said.split()[-1], os.O_RDWR))
        subprocess.run([bind, "-d", "", bdf], stdout=subprocess.DEVNULL, check=True)

    are_zero(tap, shown(act, "vfio"),
             {"vfio_register": 1, "vfio_open": 1, "vfio_close": 1, "vfio_close_start": 1,
              "vfio_unregister": 1})


if __name__ == "__main__":
    if sys.argv[1:2] == ["copy"]:
        copy(*sys.argv[2:])
        Tap().run(lambda tap: story_is_whole(tap, sys.argv[2]))
    else:
        Tap().run(a_value_is_found, memory_operations,
                  lambda tap: device_operations(tap, *sys.argv[1:]))
