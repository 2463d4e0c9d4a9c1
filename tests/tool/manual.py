#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The manual page and the completion are those that the tool writes.  Needs no kernel.

'manual.py TOOL --update' writes them anew.
"""

import os
import sys

from tooltest import Tap, run

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
FILES = {"--man": "docs/man/iommuscope.8", "--completion": "tools/completion/iommuscope.bash"}
TOOL = sys.argv[1]


def written(option):
    return run(TOOL, "help", option).stdout


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def files(tap):
    for option, path in FILES.items():
        tap.ok(written(option) == read(path) != "", path + " is what the tool writes",
               "run tests/tool/manual.py TOOL --update")


def help_texts(tap):
    overview = run(TOOL, "help").stdout
    commands = [line.split()[0] for line in overview.splitlines() if line.startswith("  ")]
    tap.ok({"lat", "ops", "stuck", "help"} <= set(commands), "help lists the commands", overview)
    for command in commands:
        told = run(TOOL, "help", command)
        asked = run(TOOL, command, "--help")
        tap.ok(told.returncode == asked.returncode == 0 and told.stdout == asked.stdout
               and told.stdout.startswith("Usage: iommuscope " + command)
               and max(map(len, told.stdout.splitlines())) <= 80 and not asked.stderr,
               "help %s and %s --help say the same, in 80 columns" % (command, command),
               told.stdout, asked.stdout, asked.stderr)
    tap.equal(run(TOOL, "help", "dance").returncode, 2, "help of no command is refused")
    tap.equal((run(TOOL).returncode, run(TOOL).stdout), (2, ""), "no command is refused")
    for word, wanted in (("dotcor", "is it 'doctor'?"), ("opss", "is it 'ops'?"), ("stu", "is it 'stuck'?"),
                        
                         ("zzz", "try 'iommuscope help'"), ("--jsn", "no such option")):
        result = run(TOOL, word)
        tap.ok(result.returncode == 2 and wanted in result.stderr and not result.stdout
               and result.stderr.count("\n") == 1, "what is no command is refused: " + word,
               result.stderr)
    version = run(TOOL, "--version")
    tap.ok(version.returncode == 0 and version.stdout.startswith("iommuscope 0."),
           "--version", version.stdout)


def completion(tap):
    def completed(*words):
        script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _iommuscope; '
                  'echo "${COMPREPLY[@]}"')
        path = os.path.join(ROOT, FILES["--completion"])
        return run("bash", "-c", script, path, "iommuscope", *words).stdout.split()

    tap.equal(completed("stu"), ["stuck"], "a command is completed")
    tap.equal(completed("lat", "--b"), ["--by"], "an option of the command is completed")
    tap.equal(completed("ops", "--by"), [], "one of another command is not")
    tap.equal(completed("lat", "--by", "dev"), ["device"], "a value is completed")
    tap.equal(completed("ops", "-o", "hwpt"), ["hwpt_alloc"], "an operation is completed")
    tap.equal(completed("help", "sT"), [], "what is nothing stays")


if sys.argv[2:] == ["--update"]:
    for option, path in FILES.items():
        with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
            file.write(written(option))
else:
    Tap().run(files, help_texts, completion)
