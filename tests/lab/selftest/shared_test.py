# SPDX-License-Identifier: GPL-2.0-only
"""A machine that several tests share."""

import os
import shutil
import signal
import subprocess
import sys
import time

from points import LAB, Lab, contains, equal, run_all

sys.path.insert(0, LAB)

# pylint: disable=wrong-import-position
from labvm import agent, keeper, pace

lab = Lab(os.path.abspath(sys.argv[1]))
# the OOM killer takes a while to act, and may choose the shell itself
UNTIL_KILLED = "until dmesg | grep -q 'Out of memory: Killed'; do sleep 0.1; done"
NAME = f"selftest-{os.getpid()}"


def execute(*command, timeout=60, check=False):
    return lab("exec", NAME, "--timeout", str(timeout), *["--check"] * check, "--", *command)


def test(script):
    """Run a script as a test, which fails if it leaves anything behind."""
    return execute("sh", "-c", script, check=True)


def boot():
    return execute("cat", "/proc/sys/kernel/random/boot_id").stdout


def left(done):
    """What a test left behind, as reported."""
    return [line[15:] for line in done.stdout.decode().splitlines() if line.startswith("# left behind: ")]


def shares():
    """commands share a boot"""
    equal(lab("start", NAME, "--no-modules").returncode, 0)
    equal(len(lab.guests()), 1)
    equal(execute("true").returncode, 0)
    equal(boot(), boot())


def leftovers():
    """nothing that a command left running survives it"""
    # each has started once it has opened the pipe
    start = "mkfifo /run/up; setsid sleep 4321 >/run/up & setsid sh -c 'sleep 4321; true' >/run/up & exec 9</run/up"
    execute("sh", "-c", start + "; rm /run/up")
    equal(execute("busybox", "pgrep", "-x", "sleep").stdout, b"")


def reconnects():
    """a command continues while its host is briefly disconnected"""
    # a new host can look like that to the guest, if the end of the previous one is reported late
    state = keeper.load(os.path.join(lab.build, "vm", NAME))
    wire = agent.Wire(state["socket"])
    wire.greet(pace.Deadline(60))
    try:
        agent.Session(wire, pace.Deadline(0.2), captured=bytearray()).run(
            ["sh", "-c", "sleep 1; echo done; exit 7"], {"PATH": os.environ["PATH"]}, "/", False)
    except agent.TimedOut:
        wire.close()
    time.sleep(0.1)
    wire = agent.Wire(state["socket"])
    said = bytearray()
    status = agent.Session(wire, pace.Deadline(60), captured=said).loop(os.pipe()[0])
    wire.close()
    equal((status, said), (7, b"done\n"))


def clean():
    """a test that leaves nothing behind keeps the machine running"""
    before = boot()
    equal(test("touch /tmp/x; rm /tmp/x; mkdir /dev/shm/x; rmdir /dev/shm/x").returncode, 0)
    # a process that is about to end does not count as left behind
    equal(test("sleep 0.3 & exit 0").returncode, 0)
    equal(boot(), before)


def leaves_process():
    """a process that a test leaves behind fails it, by name, and is killed"""
    before = boot()
    done = test("setsid sleep 4321 & exit 0")
    equal((left(done), done.returncode), (["process sleep 4321: still running"], 122))
    equal(test("! busybox pgrep -x sleep").returncode, 0)
    equal(boot(), before)


def leaves_anything():
    """anything else that a test leaves behind fails it, by name, and the next one has a new machine
    """
    for script, words in (("touch /tmp/left", "file /tmp/left: file of mode 0644"),
                          ("rm /etc/passwd", "file /etc/passwd: deleted"),
                          ("echo 1 >/proc/sys/vm/nr_hugepages",
                           "nr_hugepages of hugepages-2048kB: '1', was '0'")):
        before = boot()
        done = test(script)
        equal(done.returncode, 122)
        contains("\n".join(left(done)), words)
        equal(boot() != before, True)
        equal(test("test -e /etc/passwd && ! test -e /tmp/left").returncode, 0)


def leaves_and_fails():
    """a test that fails and leaves something behind has its own exit status"""
    done = test("touch /tmp/left; exit 5")
    equal((len(left(done)), done.returncode), (1, 5))


def beside():
    """the same holds for a test on the host beside a machine"""
    def run(script):
        return lab("beside", NAME, "--timeout", "60", "--", "sh", "-c", script)

    before = boot()
    done = run("$LAB_EXEC -- touch /tmp/left && $LAB_EXEC -- test -e /tmp/left && $LAB_EXEC -- rm /tmp/left")
    equal((left(done), done.returncode, boot()), ([], 0, before))
    done = run("$LAB_EXEC -- touch /tmp/left")
    equal((len(left(done)), done.returncode), (1, 122))
    equal(run("$LAB_EXEC -- test -e /tmp/left").returncode, 1)


def monitor():
    """a test on the host beside a machine reaches QEMU's monitor"""
    def run(script):
        return lab("beside", NAME, "--timeout", "60", "--", "sh", "-c", script)

    done = run("$LAB_MONITOR stop && $LAB_MONITOR query-status && $LAB_MONITOR cont && $LAB_EXEC -- echo on")
    lines = done.stdout.decode().splitlines()
    equal((len(lines), done.returncode), (4, 0))
    contains(lines[1], '"status": "paused"')
    equal(lines[3], "on")
    done = run("$LAB_MONITOR human-monitor-command command-line='info version'")
    contains(done.stdout, b'"')
    equal(done.returncode, 0)
    for words, status, complaint in (("device_del id=nothing", 1, b"'nothing' not found"),
                                     ("no-such-command", 1, b"not been found"),
                                     ("device_del nothing", 2, b"not KEY=VALUE: nothing")):
        done = run("$LAB_MONITOR " + words)
        equal(done.returncode, status)
        contains(done.stderr, complaint)


def spoils():
    """a test that may leave anything behind has its machine booted anew, without a report"""
    before = boot()
    done = lab("exec", NAME, "--timeout", "60", "--spoils", "--", "touch", "/tmp/left")
    equal((left(done), done.returncode), ([], 0))
    equal(test("! test -e /tmp/left").returncode, 0)
    equal(boot() != before, True)


def killed_test():
    """after a test whose runner was killed, the machine is booted anew"""
    before = boot()
    running = lab.start("exec", NAME, "--check", "--", "sh", "-c", "touch /tmp/left; echo up; sleep 1234")
    equal(running.stdout.readline(), b"up\n")
    running.kill()
    running.wait()
    equal(test("! test -e /tmp/left").returncode, 0)
    equal(boot() != before, True)


def killed_client():
    """the command of a client that was killed ends, and the next command is served"""
    running = lab.start("exec", NAME, "--", "sh", "-c", "echo up; sleep 1234")
    equal(running.stdout.readline(), b"up\n")
    running.kill()
    running.wait()
    done = execute("sh", "-c", "busybox pgrep -x sleep; exit 3")
    equal((done.stdout, done.returncode), (b"", 3))


def slow():
    """a command that takes too long is killed, not the machine"""
    before = boot()
    done = execute("sleep", "1000", timeout=3)
    equal(done.returncode, 124)
    equal(boot(), before)


def guilty():
    """a warning in the kernel log fails the command that caused it, and only that"""
    done = execute("sh", "-c", "(sleep 100 & exec sleep 100) & echo f >/proc/sysrq-trigger; " + UNTIL_KILLED)
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
    lab.wait_gone()


try:
    run_all([shares, leftovers, reconnects, clean, leaves_process, leaves_anything, leaves_and_fails, beside, monitor,
             spoils, killed_test, killed_client, slow, guilty, panicked, stops, owner])
finally:
    lab("stop", NAME)
    shutil.rmtree(os.path.join(lab.build, "vm", NAME), ignore_errors=True)
