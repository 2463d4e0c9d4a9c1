#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""The check of commit messages, the hook that runs it, and the existing commits."""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(SOURCE, "tests", "lab", "selftest"))

# pylint: disable=wrong-import-position
from points import Skip, contains, equal, run_all

# The last commit before messages were checked
LAST_WITHOUT = "6852336b"
SIGNED = "Signed-off-by: A Writer <writer@example.org>"
GOOD = f"lab: measure how busy the machine is\n\nLimits grow with it.\n\n{SIGNED}\n"
BAD = {
    "subsystem: imperative": [f"Fix a bug\n\nWhy.\n\n{SIGNED}\n", f"lab: Fix a bug\n\nWhy.\n\n{SIGNED}\n",
                              f"Lab: fix a bug\n\nWhy.\n\n{SIGNED}\n", f"\n\n{SIGNED}\n"],
    "more than 72": [f"lab: {'x' * 68}\n\nWhy.\n\n{SIGNED}\n"],
    "full stop": [f"lab: fix a bug.\n\nWhy.\n\n{SIGNED}\n"],
    "no imperative": [f"lab: {verb} a bug\n\nWhy.\n\n{SIGNED}\n" for verb in ("fixed", "adds", "removing", "uses")]
                    + [f"docs: changes\n\nWhy.\n\n{SIGNED}\n"],
    "not empty": [f"lab: fix a bug\nWhy.\n\n{SIGNED}\n"],
    "no body": [f"lab: fix a bug\n\n{SIGNED}\n", f"lab: fix a bug\n\nReviewed-by: B <b@example.org>\n{SIGNED}\n",
                f"lab: fix a bug\n\n# a comment\n{SIGNED}\n",
                f"lab: fix a bug\n\n{SIGNED}\n# ------------------------ >8 ------------------------\nWhy.\n"],
    "no Signed-off-by": ["lab: fix a bug\n\nWhy.\n", "lab: fix a bug\n\nWhy.\n\nSigned-off-by: me\n"],
}
FINE = [GOOD, f"# a comment\n{GOOD}# another\n", GOOD.replace("lab:", "kernel/vfio, docs:"), f"fixup! {GOOD}",
        GOOD.replace("measure", "add"), f"lab: {'x' * 67}\n\nWhy.\n\n{SIGNED}\n", "Merge branch 'x'\n",
        "Revert \"lab: fix a bug\"\n\nThis reverts commit 1.\n"]


def git(folder, *arguments, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env.update(GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a@example.org", GIT_COMMITTER_NAME="A",
               GIT_COMMITTER_EMAIL="a@example.org", GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null")
    return subprocess.run(["git", "-C", folder, *arguments], env=env, stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def check(message):
    with tempfile.NamedTemporaryFile("w", suffix=".message") as f:
        f.write(message)
        f.flush()
        done = subprocess.run([os.path.join(HERE, "check-message"), f.name], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stderr


def good():
    """good messages pass"""
    for message in FINE:
        equal(check(message), (0, ""))


def bad():
    """each fault is named"""
    for words, messages in BAD.items():
        for message in messages:
            status, said = check(message)
            equal(status, 1)
            contains(said, words)


class Repository:
    """A scratch repository with the check in its tree, and a worktree beside it."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.main = os.path.join(self.folder.name, "main")
        self.other = os.path.join(self.folder.name, "other")
        self.hook = os.path.join(self.main, ".git", "hooks", "commit-msg")
        git(self.folder.name, "init", "-q", self.main)
        os.makedirs(os.path.join(self.main, "tests", "history"))
        with open(os.path.join(HERE, "check-message")) as source, \
                open(os.path.join(self.main, "tests", "history", "check-message"), "w") as copy:
            copy.write(source.read())
        os.chmod(copy.name, 0o755)
        git(self.main, "add", ".")
        git(self.main, "commit", "-q", "-m", "start")
        git(self.main, "worktree", "add", "-q", self.other)
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def install(self, folder):
        done = subprocess.run([os.path.join(HERE, "install-hook"), folder], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
        equal(done.returncode, 0)
        return done.stderr

    def commit(self, folder, message):
        return git(folder, "commit", "-q", "--allow-empty", "-m", message)


def installs():
    """the hook checks commits of the checkout and of its worktrees, whichever it was installed from
    """
    for at in "main", "other":
        with Repository() as r:
            equal(r.install(getattr(r, at)), "")
            # a second time changes nothing
            equal(r.install(getattr(r, at)), "")
            for folder in r.main, r.other:
                done = r.commit(folder, "Fix a bug")
                equal(done.returncode, 1)
                contains(done.stderr, "no Signed-off-by")
                equal(r.commit(folder, GOOD).returncode, 0)


def before_the_check():
    """a tree that has no check yet takes any message"""
    with Repository() as r:
        r.install(r.main)
        os.unlink(os.path.join(r.main, "tests", "history", "check-message"))
        equal(r.commit(r.main, "Fix a bug").returncode, 0)


def spares():
    """an existing hook, and hooks elsewhere, are left alone"""
    with Repository() as r:
        os.makedirs(os.path.dirname(r.hook), exist_ok=True)
        with open(r.hook, "w") as f:
            f.write("#!/bin/sh\nexit 0\n")
        contains(r.install(r.main), "there is a commit-msg hook already")
        with open(r.hook) as f:
            equal(f.read(), "#!/bin/sh\nexit 0\n")
    with Repository() as r:
        elsewhere = os.path.join(r.folder.name, "hooks")
        git(r.main, "config", "core.hooksPath", elsewhere)
        contains(r.install(r.main), "outside of this repository")
        equal(os.path.exists(elsewhere), False)
    with tempfile.TemporaryDirectory() as folder:
        # a tree without git has nothing to check
        equal(Repository.install(None, folder), "")
        equal(os.listdir(folder), [])


def commits():
    """the existing commits pass"""
    log = git(SOURCE, "log", "--no-merges", "--format=%H", f"{LAST_WITHOUT}..HEAD")
    if log.returncode:
        # no checkout, or one without that much of its history
        raise Skip("no history here")
    wrong = {}
    for commit in log.stdout.split():
        message = git(SOURCE, "log", "-1", "--format=%B", commit).stdout
        status, said = check(message)
        if status:
            wrong[message.splitlines()[0]] = said
    equal(wrong, {})


run_all([good, bad, installs, before_the_check, spares, commits])
