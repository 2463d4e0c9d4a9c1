# SPDX-License-Identifier: GPL-2.0-only
"""Checks of scripts, and of what every file must have."""

import os

import rules
from files import Files
from points import must_have, run, sample

# Files that cannot hold a comment, or are another's text as it is
NO_LICENCE = ("LICENSE", "MAINTAINERS", ".json", ".format", "/reasons", "/operations", "/phases", ".differences",
              ".png", ".svg", ".golden", ".txt", ".dot",
              "packaging/debian/copyright", "packaging/debian/changelog.in")


def spdx(points, options):
    files = Files(options.source)
    lacking = []
    seen = 0
    for name in files.all:
        if name.endswith(NO_LICENCE) or os.path.getsize(files.path(name)) == 0:
            continue
        seen += 1
        with open(files.path(name), "rb") as f:
            head = f.read(400)
        if b"SPDX-License-Identifier: GPL-2.0-only" not in head:
            lacking.append(f"{name}: no SPDX-License-Identifier: GPL-2.0-only in its first lines")
    points.point(f"each of {seen} files names its licence", lacking)


def shellcheck(points, options):
    if not must_have("shellcheck", points, "shell scripts"):
        return
    files = Files(options.source)
    command = ["shellcheck", "--format=gcc", "--external-sources", "-e", ",".join(sorted(rules.SHELLCHECK))]
    _, text = run([*command, sample(options, "fault.sh", "#!/bin/sh\nrm -rf $1\n")])
    points.found("shellcheck", text, "SC2086")
    names = [f for f in files.scripts("(?:ba|da)?sh", ".sh", ".bash") if not f.endswith(".py")]
    status, text = run([*command, *names], cwd=options.source)
    points.point(f"shellcheck has nothing to say of {len(names)} scripts",
                 text.splitlines() or (["shellcheck failed"] if status else []))


def pyflakes(points, options):
    if not must_have("pyflakes3", points, "Python scripts"):
        return
    files = Files(options.source)
    _, text = run(["pyflakes3", sample(options, "fault.py", "import os\n")])
    points.found("pyflakes", text, "imported but unused")
    names = files.scripts("python3", ".py")
    status, text = run(["pyflakes3", *names], cwd=options.source)
    points.point(f"pyflakes has nothing to say of {len(names)} scripts",
                 text.splitlines() or (["pyflakes failed"] if status else []))
