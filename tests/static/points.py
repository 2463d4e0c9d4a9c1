# SPDX-License-Identifier: GPL-2.0-only
"""TAP points, the files of the tree, and running a checker."""

import os
import re
import subprocess
import sys


class Points:
    def __init__(self):
        self.count = self.failed = 0

    def point(self, name, complaints):
        """@complaints: lines; the point passes if there are none."""
        self.count += 1
        for line in complaints:
            print("# " + line)
        self.failed += bool(complaints)
        print(f"{'not ok' if complaints else 'ok'} {self.count} - {name}", flush=True)

    def found(self, name, text, pattern):
        """A checker that is given a fault must name it."""
        missing = [] if re.search(pattern, text) else [f"no {pattern!r} in:", *text.splitlines()]
        self.point(f"{name} finds the fault of a sample", missing)

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}", flush=True)

    def finish(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def run(command, **more):
    """Exit status and all output of @command."""
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=env, check=False,
                          stderr=subprocess.STDOUT, text=True, errors="replace", **more)
    return done.returncode, done.stdout


def scratch(options, name):
    """A folder of the build for @name's products."""
    path = os.path.join(options.build, "static", name)
    os.makedirs(path, exist_ok=True)
    return path


def sample(options, name, text):
    """Write a file with a fault, outside the tree."""
    path = os.path.join(scratch(options, "samples"), name)
    with open(path, "w") as f:
        f.write(text)
    return path


def jobs(count=None):
    return min(count or 99, len(os.sched_getaffinity(0)))


def must_have(program, points, name):
    """Is @program installed? If the distribution lacks it, the check is skipped."""
    for folder in os.environ["PATH"].split(":") + ["/usr/sbin", "/sbin"]:
        if os.access(os.path.join(folder, program), os.X_OK):
            return True
    points.skip(name, f"{program} is not installed")
    return False


sys.dont_write_bytecode = True
