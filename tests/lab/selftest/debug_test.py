# SPDX-License-Identifier: GPL-2.0-only
"""A debug kernel reports faults of every kind that it checks for, and the lab sees each report.

debug_test.py BUILD kasan|kcsan
"""

import os
import re
import shutil
import subprocess
import sys

from points import LAB, Lab, contains, equal, run_all

sys.path.insert(0, LAB)

# pylint: disable=wrong-import-position
from labvm import klog

BUILD = os.path.abspath(sys.argv[1])
KIND = sys.argv[2]
HERE = os.path.dirname(os.path.abspath(__file__))

# What the kernel reports of each fault. After its first report lockdep switches itself off.
EVERY = {
    "sleep_in_atomic": "BUG: sleeping function called from invalid context",
    "shift_overflow": "UBSAN: shift-out-of-bounds in ",
    "array_index": "UBSAN: array-index-out-of-bounds in ",
    "list_corruption": "list_del corruption",
    "refcount_underflow": "refcount_t: underflow; use-after-free",
}
REPORTS = {
    "kasan": {
        "rcu_misuse": "WARNING: suspicious RCU usage",
        "lock_inversion": "WARNING: possible circular locking dependency detected",
        **EVERY,
        "object_lifetime": "ODEBUG: free active ",
        "use_after_free": "BUG: KASAN: slab-use-after-free in use_after_free",
        "out_of_bounds": "BUG: KASAN: slab-out-of-bounds in out_of_bounds",
        "double_free": "BUG: KASAN: double-free in double_free",
        "leak": "unreferenced object 0x",
        "allocate": "failed allocation: True and success: True",
        "vm_bug": "kernel BUG at ",
    },
    "kcsan": {
        "data_race": "BUG: KCSAN: data-race in ",
        **EVERY,
        "vm_bug": "kernel BUG at ",
    },
}[KIND]
# written by a program, and no trouble: a failure that was requested
NO_TROUBLE = ("allocate",)

lab = Lab(BUILD)
said = {}


def build_module():
    """the module with the faults is built"""
    folder = os.path.join(BUILD, f"faults-{KIND}")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(os.path.join(LAB, "faults"), folder)
    kernel = os.path.join(BUILD, "kernel", "debug", KIND, "headers")
    done = subprocess.run(["make", "-C", kernel, f"M={folder}", "modules"], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    equal(done.returncode == 0 or done.stdout, True)


def make_faults():
    """all faults are made in one machine"""
    module = os.path.join(BUILD, f"faults-{KIND}", "lab_faults.ko")
    done = lab("run", "--debug-kernel", KIND, "--no-modules", "--append", "kasan_multi_shot",
               "--allow-kernel-warnings", "--",
               "python3", "-B", os.path.join(HERE, "debug_guest.py"), module, *REPORTS)
    parts = re.split(r"^== (\w+)\n", done.stdout.decode(errors="replace"), flags=re.M)
    said.update(zip(parts[1::2], parts[2::2]))
    equal(list(said), list(REPORTS))


def reported(name):
    def test():
        text = said.get(name, "")
        contains(text, REPORTS[name])
        equal(bool(klog.trouble(text)), name not in NO_TROUBLE)
    test.__doc__ = f"{name} is reported, and the lab takes it for trouble"
    return test


run_all([build_module, make_faults, *map(reported, REPORTS)])
