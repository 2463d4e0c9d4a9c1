# SPDX-License-Identifier: GPL-2.0-only
"""Warnings as errors under all compilers of the distribution.

The build uses one of them. Here the others compile each file with the build's commands, both user
space and BPF.
"""

import json
import os
import re
import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor

from points import jobs, run, sample, scratch

GCC = (12, 13, 14)
CLANG = (14, 15, 16, 17, 18, 19)

FAULT = "int f(int *p);\nint f(int *p)\n{\n\tint unused;\n\treturn *p;\n}\n"


def compile_commands(options):
    """Arguments of the compiler and its folder, once for each file."""
    with open(os.path.join(options.build, "compile_commands.json")) as f:
        entries = {entry["file"]: entry for entry in json.load(f)}
    for name, entry in sorted(entries.items()):
        words = shlex.split(entry["command"])[1:]
        del words[words.index("-o"):words.index("-o") + 2]
        yield name, words, entry["directory"]


def programs(options):
    folder = os.path.join(options.source, "bpf")
    return sorted(os.path.relpath(os.path.join(path, f), folder) for path, _, files in os.walk(folder)
                  for f in files if f.endswith(".bpf.c"))


def judge(points, options, what, commands):
    """@commands: of (file, command, folder)"""
    def one(command):
        return run(command[1], cwd=command[2])

    complaints = []
    with ThreadPoolExecutor(jobs()) as pool:
        for (name, _, _), (status, text) in zip(commands, pool.map(one, commands)):
            if status:
                lines = [line for line in text.splitlines() if re.search(r": (fatal )?(error|warning): ", line)]
                complaints += lines or [f"{name}: exit status {status}: {text[-300:]}"]
    points.point(f"{what} compiles {len(commands)} files without a warning",
                 [line.replace(options.source + os.sep, "") for line in complaints])


def user_space(points, options, compiler):
    # gcc only does flow analysis when it optimises; clang finds everything while it parses
    mode = [] if compiler.startswith("gcc") else ["-fsyntax-only"]
    out = scratch(options, compiler)
    # flags of the build's own compiler that another compiler may not know
    judge(points, options, f"{compiler}, user space:",
          [(name, [compiler, *words, *mode, "-o", os.path.join(out, f"{number}.o")], folder)
           for number, (name, words, folder) in enumerate(compile_commands(options))])
    shutil.rmtree(out)


def bpf(points, options, compiler):
    out = scratch(options, compiler + "-bpf")
    include = [f"-I{root}" for root in (options.source, options.build)]
    judge(points, options, f"{compiler}, BPF:", [
        (name, [compiler, "-target", "bpf", "-mcpu=v3", "-g", "-O2", "-std=gnu11", "-Wall", "-Wextra",
                "-Werror", "-Wno-missing-declarations", "-D__TARGET_ARCH_x86", *include, "-c",
                os.path.join(options.source, "bpf", name), "-o", os.path.join(out, os.path.basename(name) + ".o")], out)
        for name in programs(options)])
    shutil.rmtree(out)


def is_default(name, version):
    """The build's own gcc: it has compiled all of this with -Werror."""
    _, text = run([name, "-dumpversion"])
    return name == "gcc" and text.strip().split(".")[0] == str(version)


def compilers(points, options):
    fault = sample(options, "unused.c", FAULT)
    for name, versions in (("gcc", GCC), ("clang", CLANG)):
        there = [f"{name}-{version}" for version in versions if shutil.which(f"{name}-{version}")
                 and not is_default(name, version)]
        for compiler in there:
            _, text = run([compiler, "-Wall", "-Werror", "-fsyntax-only", fault])
            points.found(compiler, text, "unused-variable")
            user_space(points, options, compiler)
            if name == "clang":
                bpf(points, options, compiler)
