#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The manual page, the completion and the reference of keys are up to date. Needs no kernel.

'manual.py TOOL --update' writes them anew.
"""

import os
import re
import sys

from tooltest import Tap, run

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
FILES = {"--man": "docs/man/iommuscope.8", "--completion": "tools/completion/iommuscope.bash",
         "--keys": "docs/use/json.md"}
TOOL = sys.argv[1]


def written(option):
    return run(TOOL, "help", option).stdout


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def files(tap):
    for option, path in FILES.items():
        tap.ok(written(option) == read(path) != "", path + " is up to date",
               "run tests/tool/manual.py TOOL --update")


# the first words of options' texts
VERBS = set("add check create describe do end export keep label read record repeat report select serve "
            "show split stop switch track write".split())


def not_verbs(text):
    """The first words of the options' texts that are no verbs, in a help text."""
    options = re.findall(r"^  (?:-\w, |    )--(?:\S+)(?: {2,}|\n {20,})?(\S*)", text, re.M)
    return [word for word in options if word not in VERBS]


def help_texts(tap):
    tap.equal(not_verbs("      --x=N    the size\n  -y, --y=NAME[,NAME]...   only y\n      --z    show z\n"),
              ["the", "only"], "an option's text that starts with no verb would be found")
    overview = run(TOOL, "help").stdout
    commands = [line.split()[0] for line in overview.splitlines() if line.startswith("  ")]
    tap.ok({"lat", "ops", "stuck", "help"} <= set(commands), "help lists the commands", overview)
    for command in commands:
        reported = run(TOOL, "help", command)
        asked = run(TOOL, command, "--help")
        tap.ok(reported.returncode == asked.returncode == 0 and reported.stdout == asked.stdout
               and reported.stdout.startswith("Usage: iommuscope " + command)
               and max(map(len, reported.stdout.splitlines())) <= 80 and not asked.stderr,
               "help %s and %s --help print the same, in 80 columns" % (command, command),
               reported.stdout, asked.stdout, asked.stderr)
        tap.equal(not_verbs(reported.stdout), [], "and the texts of its options start with verbs")
    tap.equal(run(TOOL, "help", "dance").returncode, 2, "help for an unknown command is refused")
    tap.equal((run(TOOL).returncode, run(TOOL).stdout), (2, ""), "no command is refused")
    for word, wanted in (("dotcor", "is it 'doctor'?"), ("opss", "is it 'ops'?"), ("stu", "is it 'stuck'?"),
                        
                         ("zzz", "try 'iommuscope help'"), ("--jsn", "no such option")):
        result = run(TOOL, word)
        tap.ok(result.returncode == 2 and wanted in result.stderr and not result.stdout
               and result.stderr.count("\n") == 1, "an unknown command is refused: " + word,
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
    tap.equal(completed("ops", "--by"), [], "an option of another command is not")
    tap.equal(completed("lat", "--by", "dev"), ["device"], "a value is completed")
    tap.equal(completed("ops", "-o", "hwpt"), ["hwpt_alloc"], "an operation is completed")
    tap.equal(completed("help", "sT"), [], "an unknown word stays")


def rows(title):
    """The rows of a table of the reference, by its title."""
    part = written("--keys").split("\n## %s\n" % title)[1].split("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|\n").split(" | ")]
            for line in part.splitlines() if line.startswith("| `") or line.startswith("| ")][1:]


# The ending of a key, by the meaning of its value
ENDS = {"bytes": "bytes", "nanoseconds": "_ns", "nanoseconds, may be negative": "_ns",
        "time: nanoseconds since 1970": "time_ns", "time: RFC 3339": "time",
        "nanoseconds of `CLOCK_MONOTONIC`": "_monotonic_ns"}


def keys(tap):
    """One key, one meaning, one unit."""
    described = rows("Keys")
    tap.ok(len(described) > 200 and all(len(row) == 4 for row in described), "the reference has all keys",
           len(described))
    kinds, meanings = {}, {}
    for key, value, meaning, _ in described:
        kinds.setdefault(key, []).append(value)
        meanings.setdefault(meaning, set()).add(key)
    # a count and the list that it counts share one key
    several = {key: sorted(found) for key, found in kinds.items()
               if sorted(value for value in found if value != "list") not in ([], ["number"], found)}
    tap.equal(several, {}, "a key means the same everywhere")
    tap.equal({meaning: found for meaning, found in meanings.items() if len(found) > 1}, {},
              "no two keys mean the same")
    tap.equal([row[:2] for row in described if not row[0].strip("`").endswith(ENDS.get(row[1], ""))
               or (row[0].endswith(("_bytes`", "time_ns`")) and row[1] not in ENDS and row[1] != "list")], [],
              "a key ends in its unit, and never in another")
    tap.equal([row[0] for row in described if not re.fullmatch("`[a-z][a-z0-9_]*`", row[0])], [],
              "keys are snake_case")
    tap.equal([row[0] for row in described if len(row[0].strip("`")) > 28], [], "and fit the buffers that they are built in")
    tap.equal([row[0] for row in described if not row[2]], [], "each has its meaning")


def written_keys(tap):
    """Only the descriptions write keys."""
    known = {row[0].strip("`") for row in rows("Keys")}
    foreign = {"ph", "name", "pid", "tid", "ts", "dur", "cat", "cname", "s", "args", "unfinished",
               "displayTimeUnit", "otherData", "traceEvents"}
    wild = []
    for folder, _, names in os.walk(os.path.join(ROOT, "tools")):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), ROOT)
            if not name.endswith(".c") or path in ("tools/text/json.c", "tools/text/fields.c"):
                continue
            for key in re.findall(r'\bjson_\w+\([^;"]*?,\s*"([^"]*)"', read(path)):
                # the format of a timeline is not ours; the keys of ours in it have their usual
                # names
                if path != "tools/trace/timeline.c" or key not in known | foreign:
                    wild.append((path, key))
    tap.equal(wild, [], "every written key is described")


def described_keys(tap):
    """A table that no command names in its .records would be missing in the reference."""
    known = {row[0].strip("`") for row in rows("Keys")}
    unknown, found = [], 0
    for folder, _, names in os.walk(os.path.join(ROOT, "tools")):
        for name in names:
            # a list of functions, not of fields
            if not name.endswith(".c") or name == "hooks_table.c":
                continue
            text = read(os.path.relpath(os.path.join(folder, name), ROOT))
            described = re.findall(r'\b[A-Z][A-Z_]*\((?:struct \w+, )?[A-Z]\w*, "([a-z]\w*)"', text)
            found += len(described)
            unknown += [(name, key) for key in described if key not in known]
    tap.ok(found > 200, "keys of tables are found", found)
    tap.equal(unknown, [], "the reference has the keys of every table: see .records of the commands")


def trace_fields(tap):
    """The page of the trace file has the fields of an operation, with the numbers of the code."""
    page = read("docs/inside/trace-file.md").split("## Entries of EVNT")[1].split("\n## ")[0]
    listed = dict(re.findall(r"\| (\d+) \| `(\w+)`", page))
    code = dict(re.findall(r"\bFIELD\((\d+), (\w+)\)",
                           read("tools/trace/coding.h").split("TRACE_FIELDS(FIELD)")[1].split("\n\n")[0]))
    named = {number: name.lower() for name, number in
             re.findall(r"TRACE_FIELD_(RET|DEVICE) = (\d+),", read("tools/trace/coding.h"))}
    tap.ok(len(code) > 20, "the code has fields", code)
    # the driver of the IOMMU is the node of a device of vfio
    differ = set(listed.items()) ^ {**code, **named}.items()
    tap.equal(sorted(item for item in differ if item[1] != "iommu_driver"), [],
              "docs/inside/trace-file.md lists the fields of an operation")
    sources = re.search(r"`source`: ([^|]*)", page)[1]
    values = read("bpf/lists.h").split("enum scope_source {")[1].split("SCOPE_NR_SOURCES")[0]
    tap.equal(re.findall(r"\b(\d) ", sources),
              [str(number) for number in range(values.count("SCOPE_SOURCE_"))], "and every source")


if sys.argv[2:] == ["--update"]:
    for option, path in FILES.items():
        with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
            file.write(written(option))
else:
    Tap().run(files, help_texts, completion, keys, written_keys, described_keys, trace_fields)
