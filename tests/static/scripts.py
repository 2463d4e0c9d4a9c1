# SPDX-License-Identifier: GPL-2.0-only
"""Checks of scripts, and of what every file must have."""

import os
import re

import rules
from files import Files
from points import must_have, run, sample

# Files that cannot hold a comment, or that are verbatim texts of others
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


# A limit in seconds or milliseconds that does not adapt to load, by the ending of its file
FIXED_LIMITS = {
    ".py": re.compile(r"monotonic\(\) \+ \d|settimeout\(\d|\.(wait|communicate)\((timeout=)?\d|"
                      r"(subprocess\.\w+|urlopen|create_connection|HTTPConnection)\(.*\btimeout=\d"),
    ".mjs": re.compile(r"Date\.now\(\) \+ \d|\btimeout: \d|setDefaultTimeout\(\d"),
    ".c": re.compile(r"\balarm\([1-9]|\bpoll\(.*, [1-9]\d{2,}\)|now_ms\(\) \+ \d|vfio_wait_event\(\w+, [1-9]\d{2,}\)"),
    ".sh": re.compile(r"(?<![-\w])timeout (-\w+ \w+ )*\d"),
}
LIMIT_FAULTS = {
    ".py": "server.wait(20)\nend = time.monotonic() + 5\nurlopen(url, timeout=20)\n",
    ".mjs": "await page.waitForSelector('p', { timeout: 30000 });\n",
    ".c": "alarm(60);\npoll(&p, 1, 5000);\n",
    ".sh": "timeout -k 5 60 true\n",
}


def fixed_limits(text, ending):
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)
            if FIXED_LIMITS[ending].search(line)]


def limits(points, options):
    """A busy machine reaches any limit that is fixed: docs/inside/lab.md, "Limits and load"."""
    lines = sum(text.count("\n") for text in LIMIT_FAULTS.values())
    seen = sum(len(fixed_limits(text, ending)) for ending, text in LIMIT_FAULTS.items())
    points.point("the faults of samples are found", [] if seen == lines else [f"{seen} of {lines} are found"])
    files = Files(options.source)
    scripts = set(files.scripts("(?:ba|da)?sh", ".sh"))
    # benchmarks measure time
    names = [f for f in files.all if f.startswith("tests/") and not f.startswith(("tests/bench/", "tests/static/"))]
    complaints = []
    for name in names:
        ending = ".sh" if name in scripts else os.path.splitext(name)[1]
        if ending not in FIXED_LIMITS:
            continue
        with open(files.path(name), encoding="utf-8") as f:
            complaints += [f"{name}:{number}: {line}" for number, line in fixed_limits(f.read(), ending)]
    points.point(f"no limit is fixed in {len(names)} files of the tests", complaints)


def shellcheck(points, options):
    if not must_have("shellcheck", points, "shell scripts"):
        return
    files = Files(options.source)
    command = ["shellcheck", "--format=gcc", "--external-sources", "-e", ",".join(sorted(rules.SHELLCHECK))]
    _, text = run([*command, sample(options, "fault.sh", "#!/bin/sh\nrm -rf $1\n")])
    points.found("shellcheck", text, "SC2086")
    names = [f for f in files.scripts("(?:ba|da)?sh", ".sh", ".bash") if not f.endswith(".py")]
    status, text = run([*command, *names], cwd=options.source)
    points.point(f"shellcheck finds no fault in {len(names)} scripts",
                 text.splitlines() or (["shellcheck failed"] if status else []))


def pyflakes(points, options):
    if not must_have("pyflakes3", points, "Python scripts"):
        return
    files = Files(options.source)
    _, text = run(["pyflakes3", sample(options, "fault.py", "import os\n")])
    points.found("pyflakes", text, "imported but unused")
    names = files.scripts("python3", ".py")
    status, text = run(["pyflakes3", *names], cwd=options.source)
    points.point(f"pyflakes finds no fault in {len(names)} scripts",
                 text.splitlines() or (["pyflakes failed"] if status else []))
