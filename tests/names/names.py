#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Names that are made to fool a terminal, a file or a scrape reach none of them."""

import ctypes
import os
import signal
import sys
import time
import unicodedata
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tool"))

# pylint: disable=wrong-import-position
from iommufd import IOVA, Space
from tooltest import Observer, Tap, patience, tool, wait_for

PR_SET_NAME = 15
# names that a process may give itself, 15 bytes: window title, colour, clear, broken UTF-8,
# quotes and lines, a cut character, reversed text, zero width, C1, DEL, a tag, a noncharacter;
# the last one must stay unchanged
NAMES = [b"\x1b]0;PWN\x07\x1b[31mX", b"\x1b[2J\x1b[Hok", b"\xffname\xfe", b'a"b\\c\nd,e', b"12345678901234\xc3",
         b"\xe2\x80\xaegpj.exe", b"a\xe2\x80\x8bb\xef\xbb\xbf", b"\xc2\x9b31mX", b"del\x7f", b"\xf3\xa0\x81\x81tag",
         b"\xef\xbf\xbeno", b"\r\x00", "größe ü".encode()]
PORT = 9955


def hidden(text):
    """The forbidden characters of a text."""
    return {c for c in text if c != "\n" and (unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))}


def clean(tap, output, name):
    """The output of a command, as bytes, is harmless."""
    try:
        text = output.decode()
    except UnicodeDecodeError as error:
        tap.ok(False, name + ": is UTF-8", error)
        return
    tap.equal(sorted(hidden(text)), [], name + ": has no hidden character")


class Impostor:
    """A process with a name of its choice, whose maps succeed and fail until it is killed."""

    def __init__(self, name):
        ready, started = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            status = 1
            try:
                ctypes.CDLL(None).prctl(PR_SET_NAME, name, 0, 0, 0)
                self.live(started)
                status = 0
            finally:
                os._exit(status)
        os.close(started)
        os.read(ready, 1)
        os.close(ready)

    @staticmethod
    def live(started):
        with Space() as space:
            space.map(IOVA, 4096)
            os.write(started, b"1")
            while True:
                try:
                    space.map(IOVA, 4096)
                except OSError:
                    time.sleep(0.05)

    def go(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def raw(*arguments):
    """The tool, with its output as bytes."""
    result = tool(*arguments, encoding="latin-1")
    return result.stdout.encode("latin-1") + result.stderr.encode("latin-1")


def commands(tap):
    trace = "/tmp/names.trace"
    for arguments in (("ops", "--errors", "--duration", "1"), ("lat", "--by", "process", "--duration", "1"),
                      ("lat", "--by", "process", "--csv", "--duration", "1"), ("state",), ("state", "--tree"),
                      ("capacity",), ("stuck", "--longer", "1"), ("doctor",), ("record", "-o", trace, "--duration", "1"),
                      ("report", trace), ("report", "--csv", trace), ("report", "--json", trace)):
        clean(tap, raw(*arguments), " ".join(arguments))
    os.unlink(trace)
    shown = raw("lat", "--by", "process", "--duration", "1").decode()
    for name in ("?]0;PWN??[31mX", "?name?", 'a"b\\c?d,e', "12345678901234?", "größe ü"):
        tap.ok(name + " [" in shown, "%s is shown" % name, shown)


def scrape(tap):
    with Observer("export", "--listen", "127.0.0.1:%d" % PORT, "--by", "process", "--processes"):
        time.sleep(1)
        for path in ("/metrics", "/live.json"):
            with urllib.request.urlopen("http://127.0.0.1:%d%s" % (PORT, path), timeout=patience(20)) as reply:
                clean(tap, reply.read(), path)


def with_impostors(tap):
    impostors = [Impostor(name) for name in NAMES]
    try:
        commands(tap)
        scrape(tap)
    finally:
        for impostor in impostors:
            impostor.go()


def cgroups(tap):
    """Different cgroups stay different, whatever their names."""
    root = b"/sys/fs/cgroup/"
    names = [b"evil\x1b[31m", b"evil\\x1b[31m", b"a\xe2\x80\xaeb", b"tab\tx", b"machine-qemu\\x2d1"]
    wanted = {"/evil\\x1b[31m", "/evil\\x5cx1b[31m", "/a\\xe2\\x80\\xaeb", "/tab\\x09x", "/machine-qemu\\x2d1"}
    try:
        for name in names:
            os.mkdir(root + name)
        with Observer("lat", "--by", "cgroup", "--json") as lat, Observer("lat", "--by", "cgroup") as text:
            for name in names:
                pid = os.fork()
                if not pid:
                    with open(root + name + b"/cgroup.procs", "w", encoding="ascii") as file:
                        file.write("0")
                    with Space() as space:
                        space.map(IOVA, 4096)
                    os._exit(0)
                os.waitpid(pid, 0)
        labels = {operation["label"] for operation in lat.objects()[-1]["operations"]}
        tap.ok(wanted <= labels, "each cgroup has a label of its own", labels)
        clean(tap, text.stdout.encode(), "lat --by cgroup")
    finally:
        for name in names:
            wait_for(lambda path=root + name: not os.path.isdir(path) or not os.rmdir(path))


Tap().run(with_impostors, cgroups)
