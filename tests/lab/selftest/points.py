# SPDX-License-Identifier: GPL-2.0-only
"""TAP for the lab's own tests: a test is a function, a point is one test."""

import os
import subprocess
import sys
import time
import traceback

LAB = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Skip(Exception):
    """The test cannot run here; its text is the reason."""


def run_all(tests):
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        name = (test.__doc__ or test.__name__).strip().splitlines()[0]
        try:
            test()
            print(f"ok {number} - {name}", flush=True)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print(f"not ok {number} - {name}", flush=True)
    sys.exit(1 if failed else 0)


def equal(got, want):
    if got != want:
        raise AssertionError(f"got {got!r}, want {want!r}")


def contains(text, what):
    if what not in text:
        raise AssertionError(f"no {what!r} in {text!r}")


class Lab:
    """The lab of a build folder, as a program.

    A mark in the environment, which every process of a machine inherits, distinguishes our
    machines from other machines of the same folder.
    """

    def __init__(self, build):
        self.build = build
        self.mark = f"IOMMUSCOPE_SELFTEST={os.getpid()}"
        os.environ.update([self.mark.split("=")])

    def command(self, *arguments):
        return [os.path.join(LAB, "vm"), "--build", self.build, *arguments]

    def __call__(self, *arguments, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        if "input" in more:
            del more["stdin"]
        return subprocess.run(self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False, **more)

    def start(self, *arguments):
        return subprocess.Popen(self.command(*arguments), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def wait_gone(self):
        """Wait until our QEMUs have ended. The test's own limit stops the wait if they do not."""
        while self.guests():
            time.sleep(0.1)

    def guests(self):
        """Process ids of our QEMUs."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/comm") as f:
                    name = f.read()
                with open(f"/proc/{pid}/environ", "rb") as f:
                    variables = f.read().split(b"\0")
            except OSError:
                continue
            if name.startswith("qemu-system") and self.mark.encode() in variables:
                found.append(int(pid))
        return found
