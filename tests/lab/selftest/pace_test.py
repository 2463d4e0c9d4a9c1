# SPDX-License-Identifier: GPL-2.0-only
"""The clock that limits count on: it slows down with the machine."""

import os
import subprocess
import sys
import time

from points import LAB, equal, run_all

sys.path.insert(0, LAB)

# pylint: disable=wrong-import-position
from labvm import pace

STAT = """cpu  34361 0 10725 38214 544 0 121 124 0 0
ctxt 5
processes 21801
procs_running 7
procs_blocked 2
"""


def share():
    """tasks that wait for a processor or a disk make the share of each smaller"""
    equal(pace.parse_waiting(STAT), 9)
    equal(pace.contention(9, 2), 4.0)
    # the caller is one of them
    equal([pace.contention(n, 2) for n in (0, 1, 2, 3)], [1.0, 1.0, 1.0, 1.0])


def average():
    """the machine's time advances at the measured speed"""
    clock = pace.Clock()
    begin, real = clock.machine, clock.last
    clock.advance(4.0)
    # the thread may have advanced it in between: it runs at least at the speed that was set
    equal(0 <= clock.machine - begin <= time.monotonic() - real, True)


def slows_down():
    """under load it is slower than the wall clock"""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4 * os.cpu_count())]
    try:
        # once all of them run
        while pace.the_clock().sample() < 2:
            time.sleep(0.1)
        machine, real = pace.now(), time.monotonic()
        while time.monotonic() < real + 3:
            time.sleep(0.1)
        passed = (pace.now() - machine) / (time.monotonic() - real)
        print(f"# {passed:.2f} of a second in each")
        equal(0 < passed < 0.7, True)
        equal(pace.patience() > pace.MARGIN, True)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def limits():
    """a limit is reached, and says how long it was"""
    limit = pace.Deadline(0.5)
    equal(limit.passed(), False)
    started = time.monotonic()
    while not limit.passed():
        time.sleep(limit.left())
    equal(time.monotonic() - started >= 0.49, True)
    equal(limit.explain().startswith("0.5 s"), True)


def forks():
    """a child has a clock of its own"""
    pace.now()
    child = os.fork()
    if child == 0:
        before = pace.now()
        time.sleep(0.1)
        os._exit(0 if before < pace.now() else 1)
    equal(os.waitpid(child, 0)[1], 0)


run_all([share, average, slows_down, limits, forks])
