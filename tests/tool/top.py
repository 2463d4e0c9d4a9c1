#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope top in a terminal, which tmux is: its keys, its screen, and what it leaves behind."""

import os
import re
import signal
import subprocess
import tempfile
import time

from tooltest import TOOL, Tap, patience, run, tool, wait_for

MAPS, EVERY, LENGTH = 400, 4, 65536


class Terminal:
    """A terminal with a program in it."""

    def __init__(self, *arguments, columns=80, lines=24, before="", term="tmux-256color"):
        self.folder = tempfile.TemporaryDirectory()
        self.socket = os.path.join(self.folder.name, "socket")
        script = ("stty -g >%(folder)s/before; echo what was there before; %(before)s "
                  "sh -c 'echo $$ >%(folder)s/pid; exec \"$@\"' sh %(command)s; "
                  "echo \"status $?.\"; stty -g >%(folder)s/after; sleep 1000") % {
                      "folder": self.folder.name, "before": before,
                      "command": " ".join((TOOL, "top") + arguments)}
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(lines),
                  "-e", "TERM=" + term, "-e", "LANG=C.UTF-8", script, check=True)

    def tmux(self, *arguments, check=False):
        result = run("tmux", "-S", self.socket, "-f", "/dev/null", *arguments)
        if check and result.returncode:
            raise RuntimeError("tmux: " + result.stderr)
        return result.stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")
        self.folder.cleanup()

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options).splitlines()

    def wait(self, condition):
        """The screen once @condition holds for it; the last one if it never does."""
        screens = []
        wait_for(lambda: screens.append(self.screen()) or condition("\n".join(screens[-1])), pause=0.1)
        return screens[-1]

    def shows(self, tap, pattern, name, absent=None):
        """A point: @pattern appears on the screen, and @absent is not on it then."""
        def condition(text):
            return re.search(pattern, text, re.M) and not (absent and re.search(absent, text, re.M))
        screen = self.wait(condition)
        tap.ok(condition("\n".join(screen)), name, "wanted %s, not %s" % (pattern, absent), *screen)
        return screen

    def keys(self, *keys):
        self.tmux("send-keys", *keys, check=True)

    def resize(self, columns, lines):
        self.tmux("resize-window", "-x", str(columns), "-y", str(lines), check=True)

    def file(self, name):
        with open(os.path.join(self.folder.name, name), encoding="ascii") as file:
            return file.read()

    def kill(self, number):
        os.kill(int(self.file("pid")), number)

    def as_found(self, tap, status, name):
        """A point: the program has ended, and the terminal is as it found it."""
        pattern = r"what was there before\n(.*\n)*status %s\." % status
        text = "\n".join(self.wait(lambda text: re.search(pattern, text)))
        wait_for(lambda: os.path.exists(os.path.join(self.folder.name, "after")) and self.file("after"))
        flags = self.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} "
                          "#{keypad_cursor_flag}").strip()
        tap.ok(re.search(pattern, text) and self.file("before") == self.file("after")
               and flags == "0 1 0" and "op/s" not in text, name, text, flags,
               self.file("before"), self.file("after"))


class Load:
    """Calls of which a quarter fails, then a device with one area until the block ends."""

    def __enter__(self):
        self.process = subprocess.Popen(
            ("map-load", "-m", "-w", str(MAPS + 1), str(LENGTH), str(EVERY)), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.device = "iommufd-mock." + self.process.stdout.readline().split()[1]
        self.process.stdout.readline()
        self.process.stdout.readline()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(patience(40))
        self.process.stdout.close()


def title(screen, word):
    return next((line for line in screen if word in line), "")


def panels(tap):
    with Terminal("-i", "0.3") as terminal:
        terminal.shows(tap, r"^iommuscope top .*every 300 ms", "it starts")
        terminal.shows(tap, r"no device is bound to a context", "it reports that there is no device")
        with Load() as load:
            device = re.escape(load.device)
            pattern = r"^%s +map-load \[%d\] +1 +\d+ +1 +64 KiB +64 KiB +0 %% +0$" % (
                device, load.process.pid)
            screen = terminal.shows(tap, pattern, "a device with its mapped memory")
            tap.ok(len(screen) == 24 and max(map(len, screen)) <= 80
                   and [line.split()[0].rstrip("v") for line in screen if re.match("[A-Z]+", line)
                        and "v" in line][:3] == ["OPERATION", "DEVICE", "TIME"],
                   "three panels fit 80x24", *screen)
            terminal.shows(tap, r"1 ctx, 1 device, 64 KiB mapped, 64 KiB pinned", "and their sums")
            screen = terminal.shows(tap, r"^\S+ +\S+ \S+ +%d ENOENT: map of 64 KiB at 0x10000000, "
                                    r"ioas \d+ failed:" % (MAPS / EVERY),
                                    "equal failures share one line, in words")
            tap.ok("(uid 0, map-load [%d])" % load.process.pid in " ".join(
                " ".join(screen).split()), "and continue in the lines below", *screen)
            terminal.keys("t")
            screen = terminal.shows(tap, r"^map +\S+ +%d " % (MAPS / EVERY),
                                    "totals count every failure")
            tap.ok(", since " in screen[0], "and show since when", screen[0])
            terminal.resize(120, 40)
            screen = terminal.shows(tap, r"^map .* %d$" % (MAPS + 1),
                                    "a wide screen has more columns: all maps are counted")
            tap.ok(re.search(r"^unmap .* %d$" % (MAPS - MAPS / EVERY), "\n".join(screen), re.M)
                   and "IN ALL" in "\n".join(screen) and "GROUP" in title(screen, "DEVICE")
                   and screen[39].startswith("q quit"), "and all unmaps, and all lines are used",
                   *screen)
            terminal.resize(50, 10)
            screen = terminal.shows(tap, r"^too small: 50x10, needs 60x12$",
                                    "a screen that is too small is reported")
            terminal.resize(80, 24)
            terminal.shows(tap, r"^q quit", "and comes back", absent="too small")
        terminal.shows(tap, r"0 ctxs, 0 devices, 0 B mapped", "closed objects disappear",
                       absent=re.escape(load.device))
        terminal.keys("q")
        terminal.as_found(tap, 0, "q ends it, and the terminal is as it was")


def keys(tap):
    with Terminal("-i", "0.3") as terminal:
        terminal.wait(lambda text: "q quit" in text)
        with Load():
            terminal.shows(tap, r"ENOENT: map", "the load is seen")
        terminal.keys("1", "z")
        terminal.shows(tap, r"^unmap ", "z gives one panel the whole screen", absent="DEVICE")
        terminal.keys("/")
        terminal.shows(tap, r"filter: _$", "a filter is asked for")
        terminal.keys("u", "n", "m", "a", "x", "BSpace", "p", "Enter")
        terminal.shows(tap, r"^unmap ", "and hides what it does not match", absent="^(map|open) ")
        terminal.keys("Escape")
        terminal.shows(tap, r"^open ", "until it is cleared", absent="filter:")
        terminal.keys("s")
        terminal.shows(tap, r"vFAILED", "s sorts by the next column")
        terminal.keys("t")
        screen = terminal.shows(tap, r"^map ", "with totals")
        tap.ok(screen[3].startswith("map "), "the operation with the most failures is first", *screen)
        terminal.keys("r")
        screen = terminal.shows(tap, r"\^FAILED", "r reverses the order")
        tap.ok(not screen[3].startswith("map "), "and then it is not", *screen)
        terminal.keys("r", "h")
        terminal.shows(tap, r"any key goes back", "h explains the keys")
        terminal.keys("x")
        terminal.shows(tap, r"vFAILED", "and goes away", absent="any key")
        terminal.keys("Space")
        terminal.shows(tap, r"PAUSED", "Space pauses")
        before = terminal.screen()[2:]
        run("ioas-load", "100")
        time.sleep(1)
        tap.equal(terminal.screen()[2:], before, "then nothing changes")
        terminal.keys("Space")
        terminal.shows(tap, r"^ioas_alloc ", "and then the new operations appear",
                       absent="PAUSED")
        terminal.keys("+")
        terminal.shows(tap, r"every 150 ms", "+ looks more often")
        terminal.keys("-", "-")
        terminal.shows(tap, r"every 600 ms", "- less often")
        terminal.keys("z", "Tab", "Tab", "Tab", "2", "Down", "Up", "NPage", "PPage", "Home", "C-l")
        terminal.shows(tap, r"^DEVICE", "the other keys do no harm")
        terminal.keys("C-c")
        terminal.as_found(tap, 0, "Ctrl-C also ends it")


def endings(tap):
    for number, status in ((signal.SIGTERM, 0), (signal.SIGSEGV, 139), (signal.SIGABRT, 134),
                           (signal.SIGQUIT, 131)):
        with Terminal() as terminal:
            terminal.wait(lambda text: "q quit" in text)
            terminal.kill(number)
            terminal.as_found(tap, status, "the terminal is as it was after %s" % number.name)
    # a shell with job control continues when a job stops
    with Terminal(before="set -m;") as terminal:
        terminal.wait(lambda text: "q quit" in text)
        terminal.kill(signal.SIGTSTP)
        terminal.as_found(tap, 148, "and while it is stopped")
    with Terminal("-n", "2", "-i", "0.1") as terminal:
        terminal.as_found(tap, 0, "-n ends it")
    with Terminal() as terminal:
        terminal.wait(lambda text: "q quit" in text)
        pid = int(terminal.file("pid"))
        terminal.tmux("kill-server")
        wait_for(lambda: not os.path.exists("/proc/%d" % pid))
        tap.ok(not os.path.exists("/proc/%d" % pid), "it ends with its terminal")


def colours(tap):
    sequences = r"\033\[[0-9;]*\b(3[0-7]|4[0-7])m"
    for before, wanted in (("", True), ("NO_COLOR=1", False)):
        with Terminal(before=before) as terminal:
            terminal.wait(lambda text: "q quit" in text)
            screen = "\n".join(terminal.screen("-e"))
            tap.equal(bool(re.search(sequences, screen)), wanted,
                      "coloured" if wanted else "not coloured with NO_COLOR")


def bad_terminals(tap):
    result = tool("top")
    tap.equal((result.returncode, result.stdout, result.stderr),
              (1, "", "iommuscope: top needs a terminal; for a pipe or a file use lat, state or "
               "ops\n"), "without a terminal it reports that in one line")
    for words, options in (
            (r"iommuscope: this terminal is too small: 50x10, top\sneeds at least 60x12",
             {"columns": 50, "lines": 10}),
            (r"iommuscope: this terminal cannot move its cursor \(TERM=dumb\)",
             {"before": "TERM=dumb"}),
            (r"iommuscope: this terminal is not known \(TERM=moon\)", {"before": "TERM=moon"})):
        with Terminal(**options) as terminal:
            terminal.wait(lambda text: "status 1." in text)
            text = " ".join(terminal.screen())
            tap.ok(re.search(words.replace(r"\s", r"\s+"), text) and "status 1." in text,
                   "so it does: " + words, text)
    for words, *arguments in (("is too short", "-i", "0"), ("unexpected argument", "x"),
                              ("unrecognized option", "--json")):
        result = tool("top", *arguments)
        tap.ok(result.returncode == 2 and words in result.stderr and not result.stdout,
               "refused: " + " ".join(arguments), result.stderr)


Tap().run(panels, keys, endings, colours, bad_terminals)
