# SPDX-License-Identifier: GPL-2.0-only
"""Which lines of lab-state name something that a test left behind."""

import sys

from points import LAB, equal, run_all

sys.path.insert(0, LAB)

# pylint: disable=wrong-import-position
from labvm import keeper

LEFT = "module vfio_pci: gone, was 0 users"
SLOW = """lab-state: still reading /sys/kernel/tracing/events/vfio/vfio_attach_start/filter
[<0>] event_filter_read+0x52/0xe0
[<0>] vfs_read+0xb0/0x3a0
"""


def slow():
    """where it is on a slow machine is not a finding"""
    equal(keeper.findings(0, SLOW), [])
    equal(keeper.findings(1, SLOW + LEFT + "\n" + SLOW), [LEFT])


def found():
    """what it reports is"""
    equal(keeper.findings(1, LEFT + "\n"), [LEFT])


run_all([slow, found])
