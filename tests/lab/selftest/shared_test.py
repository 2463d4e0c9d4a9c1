# SPDX-License-Identifier: GPL-2.0-only
"""A machine that several tests share."""

import os
import shutil
import signal
import subprocess
import sys
import time

from points import Lab, contains, equal, run_all

lab = Lab(os.path.abspath(sys.argv[1]))
NAME = f"selftest-{os.getpid()}"


def execute(*command, timeout=60):
    return lab("exec", NAME, "--timeout", str(timeout), "--", *command)


def shares():
    """commands share a boot"""
    equal(lab("start", NAME, "--no-modules").returncode, 0)
    equal(len(lab.guests()), 1)
    first = execute("cat", "/proc/sys/kernel/random/boot_id")
    equal(first.returncode, 0)
    equal(execute("cat", "/proc/sys/kernel/random/boot_id").stdout, first.stdout)


def leftovers():
    """nothing that a command left running survives it"""
    execute("sh", "-c", "setsid sleep 4321 & setsid sh -c 'sleep 4321; true' & sleep 0.2")
    equal(execute("busybox", "pgrep", "-x", "sleep").stdout, b"")


def killed_client():
    """the command of a client that was killed is ended, and the next one is served"""
    running = lab.start("exec", NAME, "--", "sh", "-c", "echo up; sleep 1234")
    equal(running.stdout.readline(), b"up\n")
    running.kill()
    running.wait()
    done = execute("sh", "-c", "busybox pgrep -x sleep; exit 3")
    equal((done.stdout, done.returncode), (b"", 3))


def slow():
    """a command that takes too long is killed, not the machine"""
    before = execute("cat", "/proc/sys/kernel/random/boot_id").stdout
    done = execute("sleep", "1000", timeout=3)
    equal(done.returncode, 124)
    equal(execute("cat", "/proc/sys/kernel/random/boot_id").stdout, before)


def guilty():
    """a warning in the kernel log fails the command that caused it, and only that"""
    done = execute("sh", "-c", "(sleep 100 & exec sleep 100) & echo f >/proc/sysrq-trigger; sleep 2; true")
    equal(done.returncode in (123, 137), True)
    contains(done.stderr, b"Out of memory")
    equal(execute("true").returncode, 0)


def panicked():
    """a machine that panicked is started again for the next command"""
    done = execute("sh", "-c", "echo c >/proc/sysrq-trigger")
    equal(done.returncode, 125)
    contains(done.stderr, b"the guest panicked")
    equal(execute("sh", "-c", "echo again").stdout, b"again\n")


def stops():
    """it stops, and nothing is left"""
    equal(lab("stop", NAME).returncode, 0)
    equal(lab.guests(), [])
    equal(execute("true").returncode, 125)


def owner():
    """a machine does not outlive its owner"""
    keeper = subprocess.Popen(["sleep", "1000"])
    env = dict(os.environ, IOMMUSCOPE_LAB_OWNER=str(keeper.pid))
    equal(lab("start", NAME, "--no-modules", env=env).returncode, 0)
    equal(len(lab.guests()), 1)
    keeper.send_signal(signal.SIGKILL)
    keeper.wait()
    deadline = time.monotonic() + 10
    while lab.guests() and time.monotonic() < deadline:
        time.sleep(0.1)
    equal(lab.guests(), [])


try:
    run_all([shares, leftovers, killed_client, slow, guilty, panicked, stops, owner])
finally:
    lab("stop", NAME)
    shutil.rmtree(os.path.join(lab.build, "vm", NAME), ignore_errors=True)
