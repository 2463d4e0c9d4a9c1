# SPDX-License-Identifier: GPL-2.0-only
"""A clock that slows down with the machine, for limits that a busy machine must not reach.

`now()` counts seconds of an idle machine: while work takes three times as long as on an idle
machine, the clock advances by a third of a second per second. The factor is measured
continuously, from two values: how many tasks want a processor (or a disk) per processor, and how
long a fixed piece of work takes on a processor once it runs. The first is the share that a task
gets. The second is the speed of the processor, which neighbours on the same hardware reduce.

A limit inside a test is set when the test starts, and cannot follow the load. `patience()` is its
factor: the measured one, with a margin for load that comes later.
"""

import os
import threading
import time

# CPU time of work() on the idle machine that all limits were chosen on
WORK_SECONDS = 0.001
SAMPLE_SECONDS = 0.25
WORK_EVERY = 8
# the weight of a new sample in the average
WEIGHT = 0.1
MARGIN = 3


def work():
    """A fixed piece of work; returns the CPU time that it took."""
    before = time.thread_time()
    total = 0
    for i in range(30000):
        total += i & 7
    return time.thread_time() - before


def parse_waiting(stat):
    """Tasks that run, or wait for a processor or a disk, in the text of /proc/stat."""
    count = 0
    for line in stat.splitlines():
        if line.startswith(("procs_running ", "procs_blocked ")):
            count += int(line.split()[1])
    return count


def contention(waiting, processors):
    """The factor by which a task's share is below one processor. One of @waiting is the caller.
    """
    return max(1.0, (waiting - 1) / processors)


def load_average():
    return os.getloadavg()[0]


class Clock:
    """The clock, and the thread that sets its speed."""

    def __init__(self):
        self.lock = threading.Lock()
        self.processors = len(os.sched_getaffinity(0))
        self.slowness = max(1.0, min(work() for _ in range(3)) / WORK_SECONDS)
        # a first sample covers only its own moment; the load average covers the last minute
        self.speed = self.average = max(self.sample(), load_average() / self.processors)
        self.machine = 0.0
        self.last = time.monotonic()
        thread = threading.Thread(target=self.run, daemon=True)
        thread.start()

    def sample(self):
        with open("/proc/stat") as f:
            waiting = parse_waiting(f.read())
        return contention(waiting, self.processors) * self.slowness

    def run(self):
        count = 0
        while True:
            time.sleep(SAMPLE_SECONDS)
            count += 1
            if count % WORK_EVERY == 0:
                self.slowness = max(1.0, min(work(), work()) / WORK_SECONDS)
            self.advance(self.sample())

    def advance(self, speed):
        with self.lock:
            now = time.monotonic()
            # the sample is valid for the time up to it
            self.machine += (now - self.last) / speed
            self.last = now
            self.speed = speed
            self.average += WEIGHT * (speed - self.average)

    def now(self):
        with self.lock:
            return self.machine + (time.monotonic() - self.last) / self.speed


clock = None


def forget():
    """A child has no thread to set the clock."""
    global clock  # pylint: disable=global-statement
    clock = None


os.register_at_fork(after_in_child=forget)


def the_clock():
    global clock  # pylint: disable=global-statement
    if clock is None:
        clock = Clock()
    return clock


def now():
    """Seconds of an idle machine since an arbitrary point in this process."""
    return the_clock().now()


def factor():
    """How many times longer work takes now than on an idle machine."""
    return max(the_clock().average, load_average() / the_clock().processors, 1.0)


def patience():
    """The factor for a limit that is set now and stays in force for a while."""
    return MARGIN * factor()


class Deadline:
    """A limit in seconds of an idle machine."""

    # a thread that waits for something else looks at the clock again after this time
    TICK = 1.0

    def __init__(self, seconds):
        self.seconds = seconds
        self.end = now() + seconds
        self.started = time.monotonic()

    def left(self):
        """How long to wait before the next look; 0 when the limit is reached."""
        left = self.end - now()
        return max(0.0, min(left, self.TICK))

    def passed(self):
        return self.left() <= 0

    def explain(self):
        """What the limit was, for a message."""
        real = time.monotonic() - self.started
        return f"{self.seconds:g} s" if real < 1.5 * self.seconds else (
            f"{self.seconds:g} s of an idle machine, {real:.0f} s here")


class Load:
    """The load of the machine while something else runs."""

    def __init__(self):
        self.begin = load_average()
        self.started = time.monotonic()
        self.machine = now()

    def end(self):
        real = time.monotonic() - self.started
        machine = now() - self.machine
        return {"begin": round(self.begin, 1), "end": round(load_average(), 1),
                "factor": round(real / machine, 1) if machine > 0 else 1.0,
                "processors": the_clock().processors}
