#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The events are an ABI: the kernel's formats, the frozen formats and the catalogue agree.

Without arguments it is a test, which runs where the modules are loaded. After adding fields,
events, operations, phases or reasons, 'abi.py --update [FOLDER]' writes the frozen files anew,
below FOLDER if the tree is read-only; the catalogue is written by hand.
"""

import os
import re
import sys

from tooltest import Tap

EVENTS = "/sys/kernel/tracing/events"
SUBSYSTEMS = ("iommufd", "vfio")
ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "tracepoints")
ABI = os.path.join(ROOT, "abi")

# field:u32 ctx;	offset:8;	size:4;	signed:0;
FIELD = re.compile(r"field:(.+?)(\w+)(\[\d*\])?;\s*offset:(\d+);\s*size:(\d+);\s*signed:(\d);")
REASON = re.compile(r'\{\s*(\d+)\s*,\s*"(\w+)"\s*\}')


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def frozen(text):
    """The part of a format that is frozen: its fields. Ids and the print format may change."""
    return "".join(line + "\n" for line in text.splitlines()
                   if line.startswith(("name:", "\tfield:")) and " common_" not in line)


def fields(text):
    """Name -> type, in order."""
    found = {}
    for kind, name, array, *_ in FIELD.findall(text):
        if not name.startswith("common_"):
            found[name] = "string" if "__data_loc char" in kind else kind.strip() + array
    return found


def kernel_formats():
    return {event: read(os.path.join(EVENTS, subsystem, event, "format"))
            for subsystem in SUBSYSTEMS for event in sorted(os.listdir(os.path.join(EVENTS, subsystem)))
            if os.path.isdir(os.path.join(EVENTS, subsystem, event))}


def kernel_reasons(formats, subsystem):
    """Number -> name, as the kernel prints them."""
    text = formats[subsystem + "_bind"]
    return {int(number): name for number, name in REASON.findall(text)}


def header_operations(subsystem):
    """Number -> name, of all lists of the header, from which the kernel's enum is made."""
    header = read(os.path.join(ROOT, subsystem + "_op.h"))
    found = re.findall(r"^\tOPERATION\((\w+),\s*(\d+)\)", header, re.M)
    numbers = {int(number): name for name, number in found}
    if len(numbers) != len(found):
        raise ValueError("two operations of %s have the same number" % subsystem)
    return numbers


def header_phases(subsystem):
    """Number -> name: a phase's number is its index in the list."""
    header = read(os.path.join(ROOT, subsystem + "_op.h"))
    return dict(enumerate(re.findall(r"^\tPHASE\((\w+),", header, re.M)))


def numbers_text(numbers):
    return "".join("%d %s\n" % item for item in sorted(numbers.items()))


def kernel_numbers(formats, subsystem):
    """What is frozen of a subsystem besides the formats: file -> its text."""
    return {"reasons": numbers_text(kernel_reasons(formats, subsystem)),
            "operations": numbers_text(header_operations(subsystem)),
            "phases": numbers_text(header_phases(subsystem))}


def abi_formats():
    return {name[:-len(".format")]: read(os.path.join(ABI, subsystem, name))
            for subsystem in SUBSYSTEMS for name in sorted(os.listdir(os.path.join(ABI, subsystem)))
            if name.endswith(".format")}


def header_reasons(subsystem):
    """Name -> (text, first number, second number), in order, as the header has them."""
    header = read(os.path.join(ROOT, subsystem + "_reasons.h")).replace("\\\n", " ")
    found = re.findall(r'REASON\((\w+),\s*"([^"]*)",\s*"([^"]*)",\s*((?:"[^"]*"\s*)+)\)', header)
    return {name: ("".join(re.findall(r'"([^"]*)"', text)), a, b) for name, a, b, text in found}


def classes(header):
    """Name -> what each class of a header declares, assigns and prints."""
    pattern = (r"DECLARE_EVENT_CLASS\((\w+),.*?\n\tTP_STRUCT__entry\((.*?)\n\t\),"
               r"\n\tTP_fast_assign\((.*?)\n\t\),\n\tTP_printk\((.*?)\n?\);")
    found = {}
    for name, entry, assign, printed in re.findall(pattern, header, re.S):
        text, arguments = re.fullmatch(r'"([^"]*)",(.*)', printed, re.S).groups()
        found[name] = {
            "declared": set(re.findall(r"__(?:field|array)\([^,]+,\s*(\w+)", entry)
                            + re.findall(r"__string\((\w+),", entry)),
            "assigned": set(re.findall(r"__entry->(\w+) =|__assign_str\((\w+)\)", assign)),
            "printed": set(re.findall(r"(\w+)=(?:0x)?%", text)),
            "arguments": set(re.findall(r"__entry->(\w+)|__get_str\((\w+)\)", arguments)),
        }
        for what in "assigned", "arguments":
            found[name][what] = {a or b for a, b in found[name][what]}
    return found


def rows(text):
    """The rows of a table: lists of cells, without the heads."""
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")]
             for line in text.splitlines() if line.startswith("|")]
    return [row for row in cells if row[0].startswith("`") or row[0].isdigit()]


def agree(tap, name, has, wanted, advice):
    """Two lists are equal. Otherwise only their difference is shown."""
    has, wanted = list(has), list(wanted)
    lacks = [item for item in wanted if item not in has]
    extra = [item for item in has if item not in wanted]
    tap.ok(has == wanted, name, *["it lacks %s" % (item,) for item in lacks],
           *["it has %s in addition" % (item,) for item in extra],
           *[] if lacks or extra else ["their order differs"], advice)


UPDATE = "abi.py --update writes it: docs/inside/extending.md"
WRITE = "it is written by hand: tracepoints/README.md"


class Catalogue:
    """tracepoints/README.md: a section '## SUBSYSTEM: ...' for each class of events, with a table
    of events and one of fields, and a section '## Reasons of SUBSYSTEM'."""

    def __init__(self):
        self.events = {}
        self.reasons = {}
        for section in re.split(r"^## ", read(os.path.join(ROOT, "README.md")), flags=re.M)[1:]:
            title = section.splitlines()[0]
            match = re.match(r"Reasons of (\w+)", title)
            if match:
                self.reasons[match[1]] = rows(section)
            elif title.split(":")[0] in SUBSYSTEMS:
                self.add_class(section)

    def add_class(self, section):
        parts = section.split("### Fields")
        fields_of_class = {row[0].strip("`"): row[1] for row in rows(parts[1])}
        for row in rows(parts[0]):
            self.events[row[0].strip("`")] = (row[1], fields_of_class)


def formats_are_frozen(tap):
    kernel, abi = kernel_formats(), abi_formats()
    agree(tap, "the frozen formats are those of the kernel's events", sorted(abi), sorted(kernel), UPDATE)
    for event in sorted(set(kernel) & set(abi)):
        now, then = frozen(kernel[event]), frozen(abi[event])
        if now != then and now.startswith(then):
            tap.ok(False, event + " is unchanged", "it has new fields at its end", UPDATE)
        else:
            tap.ok(now == then, event + " is unchanged", "was:", then, "is:", now)


def numbers_are_frozen(tap):
    formats = kernel_formats()
    for subsystem in SUBSYSTEMS:
        for name, now in kernel_numbers(formats, subsystem).items():
            then = read(os.path.join(ABI, subsystem, name))
            what = "the numbers of %s's %s are unchanged" % (subsystem, name)
            if now != then and set(then.splitlines()) < set(now.splitlines()):
                new = sorted(set(now.splitlines()) - set(then.splitlines()))
                tap.ok(False, what, "there are new ones", *new, UPDATE)
            else:
                tap.ok(then and now == then, what, "were:", then, "are:", now)


def operations_have_events(tap):
    formats = kernel_formats()
    for subsystem in SUBSYSTEMS:
        numbers = header_operations(subsystem)
        tap.equal(sorted(numbers), list(range(len(numbers))),
                  "the numbers of %s's operations have no gap" % subsystem)
        tap.equal(sorted(name for name in numbers.values()
                         if "%s_%s" % (subsystem, name) not in formats), [],
                  "each operation of %s has an event" % subsystem)


def sources(*folders):
    """The text of all C files in folders of the tree."""
    return "".join(read(os.path.join(here, name)) for folder in folders
                   for here, _, names in os.walk(os.path.join(ROOT, "..", folder))
                   for name in sorted(names) if name.endswith((".c", ".h")))


# Reasons that a test cannot provoke at will, or that no code gives any more.
UNPROVOKED = {
    "iommufd": {"none", "no_memory", "interrupted",
                # only with a device that a host's driver uses, or an IOMMU without isolation
                "group_not_viable", "msi_not_isolated"},
    "vfio": {"none", "no_memory", "interrupted", "not_attached", "not_cache_coherent",
             # faults of the hardware or of the PCI core, and races
             "device_gone", "driver_unloading", "reset_failed", "device_locked", "irq_setup_failed",
             "runtime_pm",
             # the lab's devices can all be reset
             "no_reset",
             # page faults return no errno
             "insert_failed", "memory_disabled"},
}
# No code gives these any more; their numbers stay.
UNUSED = {"iommufd": {"none"}, "vfio": {"none", "not_attached"}}


def lists_are_used(tap):
    """The kernel uses each line of a list, and a test provokes each reason."""
    kernel, tests = sources("kernel"), sources("tests/conformance", "tests/e2e")
    starts = set(re.findall(r"\biommufd_op_start\([^,]+, (\w+)\)", kernel))
    header = read(os.path.join(ROOT, "iommufd_op.h"))
    tap.equal(sorted(set(re.findall(r"^\tSTART\((\w+)\)", header, re.M)) - starts), [],
              "the kernel starts each operation of iommufd that has a start event: iommufd_op_start()")
    ioctls = re.findall(r"\bIOCTL\(IOMMUFD_CMD_(\w+),\s*\w+,\s*\w+,\s*(?!unknown_ioctl)\w+,", kernel)
    decoded = re.findall(r"\bcase IOMMU_(\w+):", sources("tools/describe"))
    tap.ok(ioctls and set(ioctls) <= set(decoded),
           "stuck knows each ioctl of iommufd: tools/describe/ioctl_args.c",
           *sorted(set(ioctls) - set(decoded)))
    for subsystem in SUBSYSTEMS:
        prefix = subsystem.upper()
        used = set(re.findall(prefix + r"_OPERATION_(\w+)", kernel))
        # the table of ioctls: number, structure, last member, operation, function
        used |= set(re.findall(r"\bIOCTL\(\w+,\s*\w+,\s*\w+,\s*(\w+),", kernel))
        tap.equal(sorted(set(header_operations(subsystem).values()) - used), [],
                  "the kernel has each operation of %s: %s_op_begin()" % (subsystem, subsystem))
        reasons = set(header_reasons(subsystem))
        used = set(re.findall(prefix + r"_REASON_(\w+)", kernel))
        tap.equal(sorted(reasons - used - UNUSED[subsystem]), [],
                  "the kernel gives each reason of %s: %s_op_fail()" % (subsystem, subsystem))
        provoked = set(re.findall(r'FAILS\(\w+,\s*"(\w+)"', tests))
        provoked |= set(re.findall(r'events_failure\([^;]*"(\w+)"\)', tests))
        tap.equal(sorted(reasons - provoked - UNPROVOKED[subsystem]), [],
                  "a test provokes each reason of %s: FAILS()" % subsystem)


def classes_are_complete(tap):
    """A field without an assignment has the ring buffer's former contents."""
    for subsystem in SUBSYSTEMS:
        header = read(os.path.join(ROOT, subsystem + ".h"))
        found = classes(header)
        tap.equal(len(found), header.count("DECLARE_EVENT_CLASS("), "the classes of %s are found" % subsystem)
        for name, part in found.items():
            tap.equal({what: sorted(part[what] ^ part["declared"]) for what in part}, dict.fromkeys(part, []),
                      "%s assigns and prints each of its fields" % name)


def catalogue_is_complete(tap):
    kernel, catalogue = kernel_formats(), Catalogue()
    agree(tap, "the catalogue has every event, once", sorted(catalogue.events), sorted(kernel), WRITE)
    for event in sorted(set(kernel) & set(catalogue.events)):
        listed = catalogue.events[event][1]
        agree(tap, "the catalogue has the fields of " + event, listed.items(), fields(kernel[event]).items(),
              WRITE)
    tap.equal([event for event, (fires, _) in catalogue.events.items() if not fires], [],
              "the catalogue says when each fires")
    for subsystem in SUBSYSTEMS:
        wanted = [[str(i), "`%s`" % name, text, a if a != "0" else "", b if b != "0" else ""]
                  for i, (name, (text, a, b)) in enumerate(header_reasons(subsystem).items())]
        agree(tap, "the catalogue has the reasons of " + subsystem, catalogue.reasons.get(subsystem, ()),
              wanted, WRITE)


def update(root=ABI):
    formats = kernel_formats()
    for subsystem in SUBSYSTEMS:
        folder = os.path.join(root, subsystem)
        os.makedirs(folder, exist_ok=True)
        for event, text in formats.items():
            if event.startswith(subsystem + "_"):
                with open(os.path.join(folder, event + ".format"), "w", encoding="utf-8") as file:
                    file.write(frozen(text))
        for name, text in kernel_numbers(formats, subsystem).items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--update"]:
        update(*sys.argv[2:])
    else:
        Tap().run(formats_are_frozen, numbers_are_frozen, operations_have_events,
                  lists_are_used, classes_are_complete, catalogue_is_complete)
