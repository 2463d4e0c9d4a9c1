# SPDX-License-Identifier: GPL-2.0-only
"""The host's end of the connection to the guest agent (agent.c has the other end).

Frames, host to guest:
    R  run a command: flags, rows, columns, grace, argc, envc (u32 each), then working
       directory, arguments, environment, each ended by a zero byte. Grace is for how many
       directory, arguments, environment, each ended by a zero byte. Grace: for how many
    milliseconds processes that it leaves may continue before they are reported; 0: never
    S  signal for it (u32)
    W  its terminal's size: rows, columns (u32 each)
    P  power off
and guest to host:
    H  the greeting, sent back
    O  its standard output        E  its standard error
    C  so many bytes of input were taken (u32)
    L  it left processes, which are killed now: their command lines, one per line
    X  it ended: wait status (u32)
    F  it could not be started: errno (u32)
"""

import errno
import fcntl
import os
import selectors
import signal
import socket
import struct
import sys
import termios
import time
import tty

from . import LabError, pace

MAGIC = bytes(0xA7 ^ (i * 29 & 0xFF) for i in range(16))
WINDOW = 65536
CHUNK = 32768
RUN_TTY = 1


class Gone(Exception):
    """The guest, or QEMU, has ended."""


class TimedOut(Exception):
    pass


def frame(kind, data=b""):
    return struct.pack("<B3xI", ord(kind), len(data)) + data


class Wire:
    """The connection: bytes in, frames out."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        try:
            self.sock.connect(path)
        except OSError as e:
            raise Gone(f"cannot reach the machine: {e.strerror}") from e
        self.sock.setblocking(False)
        self.inbox = b""
        self.outbox = b""

    def send(self, kind, data=b""):
        self.outbox += frame(kind, data)
        self.flush()

    def flush(self):
        while self.outbox:
            try:
                sent = self.sock.send(self.outbox)
            except BlockingIOError:
                return
            except OSError as e:
                raise Gone("the connection broke") from e
            self.outbox = self.outbox[sent:]

    def receive(self):
        """Take the bytes that have arrived."""
        try:
            data = self.sock.recv(262144)
        except BlockingIOError:
            return
        except OSError as e:
            raise Gone("the connection broke") from e
        if not data:
            raise Gone("the machine ended")
        self.inbox += data

    def frames(self):
        while len(self.inbox) >= 8:
            kind, size = struct.unpack_from("<B3xI", self.inbox)
            if len(self.inbox) < 8 + size:
                return
            data = self.inbox[8:8 + size]
            self.inbox = self.inbox[8 + size:]
            yield chr(kind), data

    def greet(self, limit):
        """Wait until the agent answers; drop what it had to send to another client.

        @limit: for how long, a pace.Deadline

        The greeting is repeated, since it can be lost between a host that disconnects and us.
        """
        greeting = MAGIC + os.urandom(16)
        answer = frame("H", greeting)
        with selectors.DefaultSelector() as sel:
            sel.register(self.sock, selectors.EVENT_READ)
            repeat = None
            while answer not in self.inbox:
                if limit.passed():
                    raise TimedOut
                if repeat is None or repeat.passed():
                    self.outbox += greeting
                    self.flush()
                    repeat = pace.Deadline(2)
                if sel.select(min(limit.left(), repeat.left())):
                    self.receive()
        self.inbox = self.inbox[self.inbox.index(answer) + len(answer):]

    def close(self):
        self.sock.close()


def exit_status(wait_status):
    """A shell's view of how a command ended."""
    if os.WIFSIGNALED(wait_status):
        return 128 + os.WTERMSIG(wait_status)
    return os.WEXITSTATUS(wait_status)


class Terminal:
    """Our terminal in raw mode while a command in the guest has it."""

    def __init__(self, fd):
        self.fd = fd

    def __enter__(self):
        self.saved = termios.tcgetattr(self.fd)
        tty.setraw(self.fd)
        return self

    def __exit__(self, *exc):
        termios.tcsetattr(self.fd, termios.TCSADRAIN, self.saved)

    def size(self):
        rows, cols, _, _ = struct.unpack("HHHH", fcntl.ioctl(self.fd, termios.TIOCGWINSZ, b"\0" * 8))
        return rows or 24, cols or 80


class Session:
    """One command in the guest, joined to our own streams, or to a buffer.

    @limit: for how long it may run, a pace.Deadline or None
    @grace: for how many seconds processes that it leaves may continue; those that then still run
        are in @left.
        None: they are killed without a word
    @captured: a bytearray that gets its output, instead of our stream; it has no input then
    """

    FORWARD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

    def __init__(self, wire, limit, grace=None, captured=None):
        self.wire = wire
        self.limit = limit
        self.grace = grace
        self.captured = captured
        self.left = []
        self.credit = WINDOW
        self.stdin_open = captured is None
        self.caught = []
        self.terminal = None

    def run(self, argv, env, cwd, use_tty):
        rows, cols = 24, 80
        if use_tty:
            self.terminal = Terminal(sys.stdin.fileno())
            rows, cols = self.terminal.size()
        envs = [f"{k}={v}" for k, v in env.items()]
        grace = int(self.grace * 1000) if self.grace else 0
        head = struct.pack("<6I", RUN_TTY if use_tty else 0, rows, cols, grace, len(argv), len(envs))
        body = b"".join(os.fsencode(s) + b"\0" for s in [cwd, *argv, *envs])
        if len(head) + len(body) > 1 << 20:
            raise LabError("command line too long")
        wakeup_r, wakeup_w = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        old_wakeup = signal.set_wakeup_fd(wakeup_w, warn_on_full_buffer=False)
        signals = self.FORWARD + ((signal.SIGWINCH,) if use_tty else ())
        saved = {s: signal.signal(s, lambda n, _: self.caught.append(n)) for s in signals}
        try:
            self.wire.send("R", head + body)
            if self.terminal:
                with self.terminal:
                    return self.loop(wakeup_r)
            return self.loop(wakeup_r)
        finally:
            for s, handler in saved.items():
                signal.signal(s, handler)
            signal.set_wakeup_fd(old_wakeup)
            os.close(wakeup_r)
            os.close(wakeup_w)

    def pass_signals(self):
        while self.caught:
            number = self.caught.pop(0)
            if number == signal.SIGWINCH and self.terminal:
                self.wire.send("W", struct.pack("<2I", *self.terminal.size()))
            else:
                self.wire.send("S", struct.pack("<I", number))

    def read_stdin(self, sel):
        data = os.read(0, min(CHUNK, self.credit))
        self.wire.send("I", data)
        self.credit -= len(data)
        if not data:
            self.stdin_open = False
            sel.unregister(0)

    def loop(self, wakeup):
        with selectors.DefaultSelector() as sel:
            sel.register(self.wire.sock, selectors.EVENT_READ)
            sel.register(wakeup, selectors.EVENT_READ)
            pollable = self.stdin_open
            try:
                if self.stdin_open:
                    sel.register(0, selectors.EVENT_READ)
                else:
                    self.wire.send("I")
            except (PermissionError, ValueError):
                # a plain file (or nothing): always ready
                pollable = False
                try:
                    os.fstat(0)
                except OSError:
                    self.stdin_open = False
                    self.wire.send("I")
            while True:
                if pollable and self.stdin_open:
                    # do not poll our input while the command has no credit
                    if self.credit and 0 not in sel.get_map():
                        sel.register(0, selectors.EVENT_READ)
                    elif not self.credit and 0 in sel.get_map():
                        sel.unregister(0)
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.wire.outbox else 0)
                sel.modify(self.wire.sock, events)
                timeout = None
                if self.limit is not None:
                    timeout = self.limit.left()
                    if timeout <= 0:
                        raise TimedOut
                file_ready = not pollable and self.stdin_open and self.credit and not self.wire.outbox
                ready = {key.fd for key, _ in sel.select(0 if file_ready else timeout)}
                if wakeup in ready:
                    os.read(wakeup, 512)
                self.pass_signals()
                if self.wire.outbox:
                    self.wire.flush()
                if self.wire.sock.fileno() in ready:
                    self.wire.receive()
                    for kind, data in self.wire.frames():
                        status = self.handle(kind, data)
                        if status is not None:
                            return status
                if file_ready and pollable is False:
                    data = os.read(0, min(CHUNK, self.credit))
                    self.wire.send("I", data)
                    self.credit -= len(data)
                    self.stdin_open = bool(data)
                elif 0 in ready and 0 in sel.get_map():
                    self.read_stdin(sel)

    def handle(self, kind, data):
        if kind in "OE" and self.captured is not None:
            self.captured += data
        elif kind in "OE":
            write_all(1 if kind == "O" else 2, data)
        elif kind == "C":
            self.credit += struct.unpack("<I", data)[0]
        elif kind == "L":
            self.left += data.decode(errors="replace").splitlines()
        elif kind == "X":
            return exit_status(struct.unpack("<I", data)[0])
        elif kind == "F":
            number = struct.unpack("<I", data)[0]
            raise LabError(f"the guest could not start the command: {os.strerror(number)}")
        return None


def write_all(fd, data):
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view):]
        except BlockingIOError:
            time.sleep(0.01)
        except OSError as e:
            if e.errno == errno.EPIPE:
                # our reader has ended; the command ends too, as it would on this machine
                raise BrokenPipeError from e
            raise


def command_environment(guest_path, extra=()):
    env = {
        "PATH": guest_path,
        "HOME": "/run/home",
        "LANG": "C.UTF-8",
        "TERM": os.environ.get("TERM", "dumb"),
        # a script leaves no files beside itself
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for key, value in os.environ.items():
        if key.startswith("IOMMUSCOPE_") or key in ("NO_COLOR", "COLUMNS", "LINES"):
            env[key] = value
    env.update(extra)
    return env
