# SPDX-License-Identifier: GPL-2.0-only
"""A machine that stays up between commands, for tests that share a boot.

`start` leaves a keeper process behind: it is QEMU's parent. It ends QEMU on SIGTERM, when its
owner ends (the process named with --owner: `dev test`, so that nothing outlives an interrupted
run), or when the machine has been up for longer than its limit. The directory of the machine
holds state.json: the options, the keeper, the socket, and how far the kernel log has been judged,
so that every test answers for the lines that it caused. If a machine died, the next command
starts it again. Its state after the boot is saved (lab-state), so every test also answers for
what it leaves behind.
"""

import contextlib
import json
import os
import select
import signal
import sys
import time

from . import LabError, agent, kernels, klog, pace, qemu

# all limits are in seconds of an idle machine
LIMIT = 2 * 3600
START_TIMEOUT = 60
STOP_TIMEOUT = 60
KILL_TIMEOUT = 20
STATE_TIMEOUT = 60
# how long the kernel may take to free objects without users
REST = 3
# in the guest, beside the layers of its root, where no test can reach it
STATE_FILE = "/proc/1/fd/9/../state"


def state_path(directory):
    return os.path.join(directory, "state.json")


def load(directory):
    try:
        with open(state_path(directory)) as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def save(directory, state):
    tmp = state_path(directory) + ".new"
    with open(tmp, "w") as f:
        json.dump(state, f)
    os.replace(tmp, state_path(directory))


def set_in_test(directory, value):
    """Note that a test has started, or that the machine's state after it was found unchanged."""
    state = load(directory)
    if state:
        save(directory, dict(state, in_test=value))


def alive(state):
    """Is the keeper of this state still the process that we started?"""
    if not state or not state.get("keeper"):
        return False
    return start_time(state["keeper"]) == state["keeper_start"]


def start_time(pid):
    """The start time of a process, which together with its number identifies it; None when gone."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def wait_gone(state, seconds):
    limit = pace.Deadline(seconds)
    while alive(state):
        if limit.passed():
            return False
        time.sleep(0.02)
    return True


def start(paths, options, directory, argv, owner):
    """Boot a machine that stays; returns its state once the agent answers."""
    old = load(directory)
    if alive(old):
        stop(directory)
    os.makedirs(directory, exist_ok=True)
    for name in ("error", "state.json"):
        try:
            os.unlink(os.path.join(directory, name))
        except FileNotFoundError:
            pass
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        # a second fork, so that the keeper is not a child of the test that started it
        if os.fork():
            os._exit(0)
        keep(paths, options, directory, argv, owner)
    os.waitpid(child, 0)
    limit = pace.Deadline(START_TIMEOUT)
    while True:
        state = load(directory)
        if state:
            break
        error = os.path.join(directory, "error")
        if os.path.exists(error):
            with open(error) as f:
                raise LabError(f.read().strip())
        if limit.passed():
            raise LabError("the machine's keeper did not start")
        time.sleep(0.02)
    try:
        with contextlib.closing(agent.Wire(state["socket"])) as wire:
            wire.greet(pace.Deadline(qemu.BOOT_TIMEOUT * kernels.slowness(options)))
            said = bytearray()
            session = agent.Session(wire, pace.Deadline(STATE_TIMEOUT * kernels.slowness(options)), captured=said)
            if session.run(["lab-state", "save", STATE_FILE], environment(paths), "/", False):
                kill(directory)
                raise LabError("the machine's state cannot be saved: " + said.decode(errors="replace"))
    except (agent.Gone, agent.TimedOut) as e:
        why, lines = died(directory)
        kill(directory)
        raise LabError("\n".join([why, *lines])) from e
    return state


def keep(paths, options, directory, argv, owner):
    """The keeper's life. Never returns."""
    status = 1
    machine = None
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.chdir("/")
        machine = qemu.Machine(paths, options, directory)
        wake_r, wake_w = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_w)
        for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(s, lambda *_: None)
        machine.start()
        poller = select.poll()
        poller.register(wake_r, select.POLLIN)
        owner_fd = os.pidfd_open(owner) if owner else -1
        if owner_fd >= 0:
            poller.register(owner_fd, select.POLLIN)
        save(directory, {
            "keeper": os.getpid(), "keeper_start": start_time(os.getpid()),
            "socket": machine.socket("agent"), "monitor": machine.socket("qmp"), "argv": argv,
            "owner": owner, "judged": 0, "in_test": False, "slowness": kernels.slowness(options),
        })
        limit = pace.Deadline(LIMIT * kernels.slowness(options))
        while machine.process.poll() is None and not limit.passed():
            # an event ends the wait; checking the limit once a minute is enough
            events = dict(poller.poll(60 * 1000))
            if owner_fd in events:
                break
            if wake_r in events and signal.SIGCHLD not in os.read(wake_r, 64):
                break
        status = 0
    except LabError as e:
        write_error(directory, str(e))
    except BaseException as e:  # pylint: disable=broad-except
        write_error(directory, repr(e))
    finally:
        if machine is not None and machine.process is not None:
            why = machine.why_gone() if machine.process.poll() is not None else None
            machine.kill()
            if why:
                write_error(directory, "\n".join([why[0], *why[1]]))
        os._exit(status)


def write_error(directory, text):
    tmp = os.path.join(directory, "error.new")
    with open(tmp, "w") as f:
        f.write(text + "\n")
    os.replace(tmp, os.path.join(directory, "error"))


def died(directory):
    """Why a machine has ended (one line, more lines)."""
    wait_gone(load(directory), KILL_TIMEOUT)
    try:
        with open(os.path.join(directory, "error")) as f:
            lines = f.read().splitlines()
        return lines[0], lines[1:]
    except (OSError, IndexError):
        return "the guest does not answer", []


def kill(directory):
    state = load(directory)
    if alive(state):
        os.kill(state["keeper"], signal.SIGTERM)
        if not wait_gone(state, KILL_TIMEOUT):
            os.kill(state["keeper"], signal.SIGKILL)


def environment(paths):
    return agent.command_environment(qemu.guest_path(paths))


class NoState(Exception):
    """The machine does not report its state; the text says what it did instead."""


def findings(status, said):
    """The findings in lab-state's output: on a slow machine it also prints where it is, with its
    stack.
    """
    if status == 0:
        return []
    return [line for line in said.splitlines() if not line.startswith(("lab-state: ", "[<0>]"))]


def left_behind(paths, directory):
    """What differs from the state after the boot, one line each."""
    said = bytearray()
    session = None
    try:
        state = load(directory)
        with contextlib.closing(agent.Wire(state["socket"])) as wire:
            wire.greet(pace.Deadline(STATE_TIMEOUT))
            session = agent.Session(wire, pace.Deadline((STATE_TIMEOUT + REST) * state["slowness"]), captured=said)
            rest = REST * pace.factor() * state["slowness"]
            status = session.run(["lab-state", "check", STATE_FILE, f"{rest:.0f}"],
                                 environment(paths), "/", False)
    except agent.Gone as e:
        raise NoState(str(e)) from e
    except agent.TimedOut as e:
        what = "its check does not end" if session else "the agent does not answer"
        raise NoState(f"{what}: {said.decode(errors='replace')}") from e
    if status not in (0, 1):
        raise NoState(f"its check ended with status {status}: {said.decode(errors='replace')}")
    return findings(status, said.decode(errors="replace"))


def judge(directory):
    """Trouble in the kernel log since the last check."""
    state = load(directory)
    if not state:
        return []
    try:
        with open(os.path.join(directory, "dmesg.log"), "rb") as f:
            f.seek(state["judged"])
            text = f.read()
    except OSError:
        return []
    state["judged"] += len(text)
    save(directory, state)
    return klog.trouble(text.decode(errors="replace"))


def stop(directory):
    """Power a machine off; returns trouble that no test has answered for yet."""
    state = load(directory)
    if alive(state):
        try:
            with contextlib.closing(agent.Wire(state["socket"])) as wire:
                wire.greet(pace.Deadline(STOP_TIMEOUT))
                wire.send("P")
                wait_gone(state, STOP_TIMEOUT)
        except (agent.Gone, agent.TimedOut):
            pass
        kill(directory)
    lines = judge(directory)
    try:
        os.unlink(state_path(directory))
    except FileNotFoundError:
        pass
    return lines


def stop_all(paths):
    """End every machine of this build that still runs."""
    count = 0
    if os.path.isdir(paths.vms):
        for name in os.listdir(paths.vms):
            directory = os.path.join(paths.vms, name)
            if alive(load(directory)):
                kill(directory)
                count += 1
    return count
