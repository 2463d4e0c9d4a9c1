# SPDX-License-Identifier: GPL-2.0-only
"""The script `dev` and the download of the lab's kernel, when something fails."""

import os
import signal
import subprocess
import tempfile

from points import LAB, contains, equal, run_all

DEV = os.path.join(os.path.dirname(os.path.dirname(LAB)), "dev")

# Stand-ins for the package tools: an archive with one kernel, whose download always fails.
APT_CACHE = """#!/bin/sh
case $* in
*linux-headers-6.12-amd64*) echo "Depends: linux-headers-6.12.1+fake-amd64 (= 1)" ;;
*linux-headers-6.12.1+fake-amd64*)
    echo "Version: 1"
    echo "Depends: linux-headers-6.12.1+fake-common (= 1), linux-kbuild-6.12.1+fake" ;;
esac
"""
CUT_OFF = """#!/bin/sh
echo half >linux-image-6.12.1+fake-amd64_1_amd64.deb.partial
exit 100
"""
GARBAGE = """#!/bin/sh
echo this is no package >linux-image.deb
"""
HANGS = """#!/bin/sh
touch "$MARK"
exec sleep 6000
"""
FULL = """#!/bin/sh
echo "Filesystem 1024-blocks Used Available Capacity Mounted"
echo "/dev/x 100 100 1000 100% /"
"""


class Fetch:
    """fetch-kernel with stand-ins for the package tools."""

    def __init__(self, **programs):
        self.folder = tempfile.TemporaryDirectory()
        self.build = os.path.join(self.folder.name, "build")
        self.mark = os.path.join(self.folder.name, "mark")
        tools = os.path.join(self.folder.name, "bin")
        os.mkdir(tools)
        programs.setdefault("apt_cache", APT_CACHE)
        for name, text in programs.items():
            path = os.path.join(tools, name.replace("_", "-"))
            with open(path, "w") as f:
                f.write(text)
            os.chmod(path, 0o755)
        self.env = dict(os.environ, PATH=tools + ":" + os.environ["PATH"], MARK=self.mark)

    def start(self):
        return subprocess.Popen([os.path.join(LAB, "fetch-kernel"), self.build], env=self.env, text=True,
                                start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def fails(self, reason):
        running = self.start()
        _, err = running.communicate()
        equal(running.returncode, 1)
        contains(err.splitlines()[-1], "fetch-kernel: ")
        contains(err, reason)
        self.clean()

    def clean(self):
        """Nothing is left behind, except the lock."""
        left = os.listdir(os.path.join(self.build, "kernel"))
        equal([name for name in left if name != ".lock"], [])


def usage():
    """an unknown verb or argument is one line and the usage, exit status 2"""
    for arguments in ([], ["frobnicate"], ["build", "all"], ["clean", "--everything"], ["setup", "now"]):
        done = subprocess.run([DEV, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        equal(done.returncode, 2)
        equal(done.stdout, "")
        lines = done.stderr.splitlines()
        contains(lines[0], "dev: ")
        contains(lines[1], "usage: ./dev")
    done = subprocess.run([DEV, "help"], stdout=subprocess.PIPE, text=True, check=False)
    equal(done.returncode, 0)
    contains(done.stdout, "usage: ./dev")


def no_lists():
    """package lists without the kernel are reported"""
    Fetch(apt_cache="#!/bin/sh\n").fails("no 6.12 kernel in the package lists")


def cut_off():
    """an interrupted download leaves nothing behind"""
    Fetch(apt_get=CUT_OFF).fails("the download failed")


def garbage():
    """neither does a download that gives garbage"""
    Fetch(apt_get=GARBAGE).fails("cannot unpack linux-image.deb")


def full():
    """a full disk is reported before the download"""
    Fetch(df=FULL, apt_get=CUT_OFF).fails("needs 1 GiB of disk space")


def half_unpacked():
    """a half unpacked package of an earlier call is not taken for a kernel"""
    fetch = Fetch(apt_get=CUT_OFF)
    os.makedirs(os.path.join(fetch.build, "kernel", ".new", "root"))
    os.makedirs(os.path.join(fetch.build, "kernel", "6.12.1+fake-amd64", "headers"))
    os.symlink("6.12.1+fake-amd64", os.path.join(fetch.build, "kernel", "current"))
    running = fetch.start()
    _, err = running.communicate()
    equal(running.returncode, 1)
    contains(err, "the download failed")
    equal(os.path.exists(os.path.join(fetch.build, "kernel", ".new")), False)


def interrupted():
    """an interrupt leaves nothing behind"""
    fetch = Fetch(apt_get=HANGS)
    running = fetch.start()
    while not os.path.exists(fetch.mark):
        equal(running.poll(), None)
    # as from a terminal: the whole process group gets it
    os.killpg(running.pid, signal.SIGINT)
    running.communicate()
    equal(running.returncode != 0, True)
    fetch.clean()


run_all([usage, no_lists, cut_off, garbage, full, half_unpacked, interrupted])
