# SPDX-License-Identifier: GPL-2.0-only
"""One command in one machine: its streams, its end, and what the lab reports of a failing one."""

import os
import random
import signal
import sys

from points import Lab, contains, equal, run_all

lab = Lab(os.path.abspath(sys.argv[1]))
PLAIN = ("run", "--no-modules")


def streams():
    """streams and exit status pass cleanly, in the directory of the caller"""
    done = lab(*PLAIN, "--", "sh", "-c", "pwd; cat; echo to stderr >&2; exit 7", input=b"in\n", cwd="/usr")
    equal(done.stdout, b"/usr\nin\n")
    equal(done.stderr, b"to stderr\n")
    equal(done.returncode, 7)


def binary():
    """megabytes of arbitrary bytes pass unchanged in both directions"""
    data = random.Random(1).randbytes(3 << 20)
    done = lab(*PLAIN, "--", "cat", input=data)
    equal(done.stdout == data, True)
    equal(done.returncode, 0)


def file_systems():
    """the host's files are there and protected, /out is kept"""
    probe = f"/tmp/iommuscope-lab-{os.getpid()}"
    kept = os.path.join(lab.build, "out", f"lab-{os.getpid()}")
    script = f"""
    set -e
    echo guest >{probe}; cat {probe}
    echo kept >/out/{os.path.basename(kept)}
    for d in /sys/kernel/tracing /sys/kernel/debug /sys/fs/bpf /sys/fs/cgroup /dev/shm /dev/pts /run; do
        grep -q " $d " /proc/mounts || echo "$d is no mount"
    done
    hostname
    test -e /lib/modules/$(uname -r)/modules.dep.bin
    test -e /lib/modules/$(uname -r)/build/Makefile
    """
    try:
        done = lab(*PLAIN, "--", "sh", "-c", script)
        equal((done.stdout, done.stderr, done.returncode), (b"guest\nlab\n", b"", 0))
        equal(os.path.exists(probe), False)
        with open(kept) as f:
            equal(f.read(), "kept\n")
    finally:
        if os.path.exists(kept):
            os.unlink(kept)


def bad_commands():
    """a command that is missing or killed ends as in a shell"""
    equal(lab(*PLAIN, "--", "no-such-command").returncode, 127)
    equal(lab(*PLAIN, "--", "sh", "-c", "kill -9 $$").returncode, 137)


def panic():
    """a panic is reported"""
    done = lab(*PLAIN, "--timeout", "120", "--", "sh", "-c", "echo c >/proc/sysrq-trigger")
    equal(done.returncode, 125)
    contains(done.stderr, b"vm: the guest panicked\n")
    contains(done.stderr, b"sysrq triggered crash")


def hang():
    """a command that does not end is killed with its machine"""
    done = lab(*PLAIN, "--timeout", "12", "--", "sleep", "1000")
    equal(done.returncode, 124)
    contains(done.stderr, b"did not finish within 12 s")
    equal(lab.guests(), [])


def interrupt():
    """an interrupt reaches the command, and no machine stays"""
    running = lab.start(*PLAIN, "--", "sh", "-c", "trap 'echo caught; exit 5' INT; echo up; while :; do sleep 0.1; done")
    equal(running.stdout.readline(), b"up\n")
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate()
    equal(out, b"caught\n")
    equal(running.returncode, 5)
    equal(lab.guests(), [])


def runner_killed():
    """the machine of a runner that is killed ends with it"""
    running = lab.start(*PLAIN, "--", "sh", "-c", "echo up; sleep 1000")
    equal(running.stdout.readline(), b"up\n")
    equal(len(lab.guests()), 1)
    running.kill()
    running.wait()
    lab.wait_gone()


def kernel_trouble():
    """trouble in the kernel log fails the run, unless that is allowed"""
    # the OOM killer takes a while to act
    script = ("sleep 100 & echo f >/proc/sysrq-trigger;"
              "until dmesg | grep -q 'Out of memory: Killed'; do sleep 0.1; done")
    done = lab(*PLAIN, "--", "sh", "-c", script)
    # the OOM killer may choose the shell itself; the run fails either way
    equal(done.returncode in (123, 137), True)
    contains(done.stderr, b"Out of memory: Killed process")
    done = lab(*PLAIN, "--allow-kernel-warnings", "--", "sh", "-c", f"({script}); true")
    equal(done.returncode in (0, 137), True)


def bad_options():
    """bad options are one line and the usage"""
    for arguments in (["--iommu", "arm"], ["--mem", "lots"], ["--hostfwd", "80"], ["--cpus", "0"], ["--frobnicate"]):
        done = lab("run", *arguments, "--", "true")
        equal(done.returncode, 2)
        lines = done.stderr.decode().splitlines()
        equal(lines[0].startswith("vm: "), True)
        contains(lines[1], "usage:")


def bad_start():
    """a machine that cannot start says why in one line"""
    done = lab(*PLAIN, "--device", "no-such-device", "--", "true")
    equal(done.returncode, 125)
    contains(done.stderr, b"no-such-device")
    equal(len(done.stderr.splitlines()), 1)
    done = lab(*PLAIN, "--kernel", "/etc/passwd", "--", "true")
    equal(done.returncode, 125)
    contains(done.stderr, b"is not a Linux kernel image")


run_all([streams, binary, file_systems, bad_commands, panic, hang, interrupt, runner_killed,
         kernel_trouble, bad_options, bad_start])
