# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of the tool share: TAP, and the tool running beside a workload."""

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

TOOL = "iommuscope"

# The factor for limits on this machine, as measured by the lab (tests/lab/labvm/pace.py)
PATIENCE = float(os.environ.get("IOMMUSCOPE_PATIENCE", "3"))


def patience(seconds):
    """The limit of a wait that takes at most @seconds on an idle machine."""
    return seconds * PATIENCE


def wait_for(condition, seconds=60, pause=0.05):
    """Poll until @condition returns something true; returns its last value."""
    end = time.monotonic() + patience(seconds)
    while True:
        found = condition()
        if found or time.monotonic() > end:
            return found
        time.sleep(pause)


class Tap:
    """Points of one test file, as TAP."""

    def __init__(self):
        self.points = 0
        self.failed = 0

    def ok(self, condition, name, *details):
        self.points += 1
        if not condition:
            self.failed += 1
        print("%s %d - %s" % ("ok" if condition else "not ok", self.points, name))
        if not condition:
            for detail in details:
                for line in str(detail).splitlines() or [""]:
                    print("# " + line)
        sys.stdout.flush()
        return condition

    def equal(self, got, wanted, name):
        return self.ok(got == wanted, name, "got    %r" % (got,), "wanted %r" % (wanted,))

    def skip(self, name, reason):
        self.points += 1
        print("ok %d - %s # SKIP %s" % (self.points, name, reason), flush=True)

    def run(self, *tests):
        """Run functions that make points; an exception is a failed point."""
        for test in tests:
            try:
                test(self)
            except Exception:
                self.ok(False, test.__name__ + " runs to its end", traceback.format_exc())
        print("1..%d" % self.points, flush=True)
        sys.exit(1 if self.failed else 0)


# The notice that the tool must print at its start here. It is stripped, so that tests see only
# the rest; a missing notice is an error.
NOTICE = ""


def besides_notice(said):
    return said[len(NOTICE):] if said.startswith(NOTICE) else "did not say %r: %s" % (NOTICE, said)


class Observer:
    """The tool in the background, observing from the moment the with-block is entered."""

    def __init__(self, *arguments, timeout=60):
        self.arguments = arguments
        self.timeout = patience(timeout)
        self.stdout = self.stderr = ""
        self.status = None

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        ready = os.path.join(self.folder.name, "ready")
        command = [TOOL, self.arguments[0], "--ready-file", ready, *self.arguments[1:]]
        # files, not pipes: nothing reads them while the workload runs
        self.files = [tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")]
        self.process = subprocess.Popen(command, stdout=self.files[0], stderr=self.files[1])
        wait_for(lambda: os.path.exists(ready) or self.process.poll() is not None,
                 self.timeout / PATIENCE)
        if self.process.poll() is not None:
            self.collect()
            raise RuntimeError("%s ended with %d: %s" % (" ".join(command), self.status,
                                                         self.stderr))
        if not os.path.exists(ready):
            self.process.kill()
            raise RuntimeError("%s is not ready in time" % " ".join(command))
        return self

    def so_far(self):
        """The lines printed so far. Does not move the file's offset."""
        descriptor = self.files[0].fileno()
        text = os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode()
        return text[:text.rfind("\n") + 1].splitlines()

    def ends(self):
        """Wait for it to end by itself."""
        self.process.wait(self.timeout)

    def collect(self):
        self.status = self.process.wait(self.timeout)
        for file in self.files:
            file.seek(0)
        self.stdout, self.stderr = (file.read() for file in self.files)
        self.stderr = besides_notice(self.stderr)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.collect()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.folder.cleanup()

    def objects(self):
        """The JSON objects that were printed, one per line."""
        return [json.loads(line) for line in self.stdout.splitlines()]


def run(*command, timeout=60, **options):
    """Run a command until it ends."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=patience(timeout), **options)


def tool(*arguments, **options):
    """Run the tool until it ends."""
    result = run(TOOL, *arguments, **options)
    result.stderr = besides_notice(result.stderr)
    return result


def ends_with_process(tap, command):
    """A point: an observer of one process ends with that process, which lives until it is seen."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        with Observer(command, "-p", str(process.pid)) as observer:
            process.stdin.close()
            process.wait()
            observer.ends()
    tap.equal((observer.status, observer.stderr),
              (1, "iommuscope: process %d has ended\n" % process.pid),
              command + ": a process that ends ends the run")


def ends_with_reader(tap, words):
    """A point: a command whose reader ends also ends, without a report."""
    with subprocess.Popen("iommuscope %s | head -n 1" % words, shell=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        try:
            out, err = process.communicate(timeout=patience(30))
            tap.equal((out.count(b"\n"), err), (1, b""),
                      words + ": the end of its reader ends it quietly")
        except subprocess.TimeoutExpired:
            process.kill()
            tap.ok(False, words + ": the end of its reader ends it quietly")


def has_mock():
    """Is the mock IOMMU available, so that memory is pinned and mapped?"""
    return os.path.isdir("/sys/module/iommufd_mock")


@contextlib.contextmanager
def setting(path, value):
    """A setting of the kernel within the with-block; it is restored afterwards."""
    def write(words):
        with open(path, "w", encoding="ascii") as file:
            file.write(words)

    with open(path, encoding="ascii") as file:
        words = file.read().split()
    # if there are several words, the current one is in brackets
    before = next((w.strip("[]") for w in words if w.startswith("[")), words[0])
    write(value)
    try:
        yield
    finally:
        write(before)


def in_terminal(columns, *command, timeout=60):
    """The lines that a command writes to a terminal of @columns columns, without colours."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=its)
    os.close(its)
    written = b""
    try:
        while True:
            written += os.read(ours, 65536)
    except OSError:
        # the last descriptor that could write is closed
        os.close(ours)
    process.wait(patience(timeout))
    return re.sub(r"\033\[[0-9;]*m|\r", "", written.decode()).splitlines()
