# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's monitor of a machine: its protocol (QMP) is a JSON line each way, with events
between.
"""

import json
import socket

from . import LabError, pace

# seconds of an idle machine
TIMEOUT = 60


class Monitor:
    """@path: the socket. QEMU serves one client at a time; the next one waits for it."""

    def __init__(self, path):
        self.limit = pace.Deadline(TIMEOUT)
        self.sock = socket.socket(socket.AF_UNIX)
        try:
            self.sock.settimeout(self.limit.left())
            self.sock.connect(path)
        except OSError as e:
            self.sock.close()
            raise LabError(f"no monitor: {e.strerror or e}") from e
        self.lines = self.sock.makefile("rb")
        self._read()
        self.ask("qmp_capabilities", {})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.sock.close()

    def _read(self):
        while True:
            self.sock.settimeout(max(self.limit.left(), 0.1))
            try:
                line = self.lines.readline()
            except OSError as e:
                raise LabError(f"the monitor does not answer within {self.limit.explain()}") from e
            if not line:
                raise LabError("the monitor has ended")
            message = json.loads(line)
            if "event" not in message:
                return message

    def ask(self, command, arguments):
        """Run a command; returns what it returns."""
        self.limit = pace.Deadline(TIMEOUT)
        request = {"execute": command, "arguments": arguments}
        try:
            self.sock.sendall(json.dumps(request).encode() + b"\n")
        except OSError as e:
            raise LabError(f"the monitor has ended: {e.strerror or e}") from e
        answer = self._read()
        if "error" in answer:
            raise LabError(f"{command}: {answer['error']['desc']}", 1)
        return answer["return"]


def parse(words):
    """Arguments as KEY=VALUE: a value that is not JSON is a string."""
    arguments = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise LabError(f"not KEY=VALUE: {word}", 2)
        try:
            arguments[key] = json.loads(value)
        except ValueError:
            arguments[key] = value
    return arguments
