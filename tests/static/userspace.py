# SPDX-License-Identifier: GPL-2.0-only
"""Analysers of user space."""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

import rules
from files import Files
from points import jobs, must_have, run, sample

LEAK = """#include <stdlib.h>
int main(int argc, char **argv)
{
	char *p = malloc(argc);
	int *q = NULL;

	(void)argv;
	if (!p)
		return *q;
	return 0;
}
"""


def cppcheck(points, options):
    if not must_have("cppcheck", points, "cppcheck"):
        return
    files = Files(options.source)
    command = ["cppcheck", "--quiet", "--std=c11", f"-j{jobs()}", "--inline-suppr", "--template=gcc",
               "--enable=warning,performance,portability",
               *(f"--suppress={rule}" for rule in sorted(rules.CPPCHECK)),
               # the macros of libraries' headers, which it does not read
               "-D_GNU_SOURCE", *(f"-D{name}(TYPE,NAME,...)=struct TYPE NAME = {{ __VA_ARGS__ }}"
                 for name in ("LIBBPF_OPTS", "DECLARE_LIBBPF_OPTS")),
               "-Dbpf_object__for_each_map(MAP,OBJECT)=while ((MAP = bpf_object__next_map(OBJECT, MAP)))"]
    _, text = run([*command, sample(options, "leak.c", LEAK)])
    points.found("cppcheck", text, "memleak|Memory leak")
    # tests/core compiles kernel code against a shim that only a preprocessor understands, and
    # sections of BPF programs are macros of libbpf's headers
    names = [f for f in files.c("tools", "tests") if f.endswith(".c") and
             not f.endswith(".bpf.c") and not f.startswith("tests/core")]
    folders = ("tools", ".", "tracepoints", "tests")
    status, text = run([*command, "--error-exitcode=1", *(f"-I{f}" for f in folders), *names],
                       cwd=options.source)
    points.point(f"cppcheck finds no fault in {len(names)} files",
                 text.splitlines() if status else [])


SAME = """#include <stdlib.h>
int main(int argc, char **argv)
{
	(void)argv;
	if (argc == argc)
		return 1;
	return 0;
}
"""


def clang_tidy(points, options):
    """Patterns of mistakes."""
    tidy(points, options, rules.CLANG_TIDY_ON, SAME, "misc-redundant-expression")


def clang_analyzer(points, options):
    """All paths through each function: more than a second per file, so not in the quick run."""
    tidy(points, options, rules.CLANG_TIDY_SLOW, LEAK, r"clang-analyzer-core\.NullDereference")


def tidy(points, options, on, fault, found):
    """Check the programs that users run."""
    if not must_have("clang-tidy", points, "clang-tidy"):
        return
    with open(os.path.join(options.build, "compile_commands.json")) as f:
        known = {entry["file"] for entry in json.load(f)}
    tools = os.path.join(options.source, "tools") + os.sep
    names = sorted(f for f in known if f.startswith(tools) and os.path.exists(f))
    checks = ",".join(["-*", *on, *(f"-{rule}" for rule in rules.CLANG_TIDY_OFF)])
    # generated headers are not checked
    command = ["clang-tidy", "--quiet", f"--checks={checks}",
               f"--header-filter=^{re.escape(options.source)}/(tools|bpf|tracepoints)/.*"]
    _, text = run([*command, sample(options, "tidy.c", fault), "--"])
    points.found("clang-tidy", text, found)

    def one(name):
        return run([*command, "-p", options.build, name])

    complaints = []
    with ThreadPoolExecutor(jobs()) as pool:
        for name, (status, text) in zip(names, pool.map(one, names)):
            lines = [line.replace(options.source + os.sep, "") for line in text.splitlines()
                     if re.search(r": (warning|error): ", line) and ".skel.h:" not in line]
            complaints += lines
            if status and not lines:
                complaints.append(f"{name}: clang-tidy ended with {status}: {text[-300:]}")
    points.point(f"clang-tidy finds no fault in {len(names)} files", sorted(set(complaints)))
