# SPDX-License-Identifier: GPL-2.0-only
"""A process that runs the commands of a test on /dev/iommu; iommu-shell.c has the commands."""

import os
import subprocess

from tooltest import patience


class Shell:
    """iommu-shell as an object: shell.map(file, ioas, "small", 4096) returns the numbers of the
    answer.
    """

    def __init__(self, *prefix):
        self.process = subprocess.Popen([*prefix, "iommu-shell"], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(patience(60))

    def send(self, command, *arguments):
        self.process.stdin.write(" ".join([command, *(str(a) for a in arguments)]) + "\n")
        self.process.stdin.flush()

    def answer(self):
        words = self.process.stdout.readline().split()
        if not words:
            raise RuntimeError("iommu-shell has ended")
        if words[0] != "ok":
            raise OSError(int(words[1]), os.strerror(int(words[1])))
        numbers = [int(w) for w in words[1:]]
        return numbers[0] if len(numbers) == 1 else numbers

    def __getattr__(self, command):
        def call(*arguments):
            self.send(command, *arguments)
            return self.answer()
        return call
