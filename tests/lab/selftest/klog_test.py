# SPDX-License-Identifier: GPL-2.0-only
"""Which lines of a kernel log are trouble."""

import sys

from points import LAB, equal, run_all

sys.path.insert(0, LAB)

# pylint: disable=wrong-import-position
from labvm import klog

BAD = [
    "WARNING: CPU: 1 PID: 7 at kernel/x.c:12 f+0x1/0x2",
    "BUG: kernel NULL pointer dereference, address: 0000000000000000",
    "BUG: sleeping function called from invalid context at mm/slab.h:1",
    "Oops: Oops: 0000 [#1] PREEMPT SMP NOPTI",
    "refcount_t: underflow; use-after-free.",
    "general protection fault, probably for non-canonical address",
    "WARNING: possible circular locking dependency detected",
    "INFO: task worker:12 blocked for more than 120 seconds.",
    "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
    "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:1]",
    "BUG: KASAN: slab-use-after-free in f+0x1/0x2",
    "UBSAN: array-index-out-of-bounds in a.c:1:2",
    "BUG: Bad page state in process x  pfn:1",
    "list_add corruption. next->prev should be prev",
    "kmemleak: 3 new suspected memory leaks: unreferenced object",
    "DMA-API: e1000e 0000:00:05.0: device driver frees DMA memory with different size",
]
GOOD = [
    "iommufd: loading out-of-tree module taints kernel.",
    "iommufd: module verification failed: signature and/or required key missing - tainting kernel",
    "RAS: Correctable Errors collector initialized.",
    "ACPI: _OSC: platform does not support [PCIeHotplug]",
    "x86/mm: Checked W+X mappings: passed, no W+X pages found.",
    "debug: kernel symbols Oopsla",
    "DMA-API: preallocated 65536 debug entries",
    "DMA-API: debugging enabled by kernel config",
]


def record(text, priority=4):
    return f"<{priority}>[    1.000000] {text}\n"


def bad():
    """trouble is found, alone and among other lines"""
    for text in BAD:
        log = record(GOOD[0]) + record(text) + record(GOOD[1])
        equal(klog.trouble(log)[:1], [f"[    1.000000] {text}"])


def good():
    """what is ordinary passes"""
    for text in GOOD:
        equal(klog.trouble(record(text)), [])


def programs():
    """what a program wrote into the log does not count"""
    for text in BAD:
        equal(klog.trouble(record(text, 12)), [])


def fatal():
    """after an oops the machine is not used again, after a warning it is"""
    equal(klog.is_fatal(klog.trouble(record(BAD[1]))), True)
    equal(klog.is_fatal(klog.trouble(record(BAD[3]))), True)
    equal(klog.is_fatal(klog.trouble(record(BAD[0]))), False)


run_all([bad, good, programs, fatal])
