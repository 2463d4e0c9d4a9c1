# SPDX-License-Identifier: GPL-2.0-only
"""Find in the guest's kernel log what no run may cause."""

import re

# What the kernel prints about a fault of its own.
TROUBLE = re.compile(
    r"WARNING: |BUG: |BUG kmalloc|\bOops\b|Kernel panic|general protection|refcount_t: |"
    r"UBSAN: |KASAN: |KCSAN: |KFENCE: |kernel BUG at|unable to handle|"
    r"INFO: (possible|task .* blocked|inconsistent|trying to register)|"
    r"possible (circular|recursive) locking|suspicious RCU usage|held lock freed|"
    r"rcu: INFO: rcu_\w+ (self-)?detected|soft lockup|hard LOCKUP|scheduling while atomic|"
    r"sleeping function called|bad page|Bad page|list_(add|del) corruption|"
    r"page allocation failure|Out of memory: Killed|slab .* objects remaining|"
    r"kernel log records lost|unreferenced object|DMAR: ERROR|DMA-API: (?!preallocated|debugging enabled)")

# After one of these the kernel cannot run another test.
FATAL = re.compile(r"\bOops\b|Kernel panic|kernel BUG at|general protection|unable to handle|lockup|LOCKUP|BUG: ")

LINE = re.compile(r"^<(\d+)>(.*)$")
CONTEXT = 40


def kernel_lines(text):
    """The lines that the kernel itself wrote (a program can write to /dev/kmsg)."""
    for line in text.splitlines():
        m = LINE.match(line)
        if m is None:
            yield line
        elif int(m.group(1)) >> 3 == 0:
            yield m.group(2)


def trouble(text):
    """Lines that report trouble, each first one with the lines that follow it."""
    lines = list(kernel_lines(text))
    for i, line in enumerate(lines):
        if TROUBLE.search(line):
            return lines[i:i + CONTEXT]
    return []


def is_fatal(lines):
    return any(FATAL.search(line) for line in lines)


def panicked(console):
    """Lines of a panic or oops on the serial console, if there is one."""
    lines = console.splitlines()
    for i, line in enumerate(lines):
        if "Kernel panic" in line or "---[ end Kernel panic" in line:
            first = max(0, i - 1)
            return [l.rstrip() for l in lines[first:first + CONTEXT]]
    return []
