#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Write a vmlinux.h with the types of the kernel and of several modules.

bpftool dumps the kernel's types and those of one module at a time. A dump is a sequence of
definitions, each after those that it needs. So definitions of modules that the kernel's dump
lacks are appended to it; the first module that defines a name wins, and the file's closing lines
go last.
"""

import argparse
import os
import re
import subprocess
import sys

NAMED = re.compile(r"^(?:typedef .*?\b(\w+)(?:\[[^]]*\])*;|(struct|union|enum) (\w+)( \{|;))")
FUNCTION_TYPE = re.compile(r"^typedef .*\(\*\s*(\w+)\)\(|^typedef [^(]*\b(\w+)\(")


def dump(bpftool, file, base=None):
    command = [bpftool, "btf", "dump", "file", file]
    if base:
        command += ["-B", base]
    done = subprocess.run(command + ["format", "c"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"vmlinux-h: {file}: {done.stderr.strip()}")
    return done.stdout


def split(text):
    """Head, definitions, tail of a dump."""
    lines = text.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("#pragma clang attribute push"))
    head = next(i for i in range(head, len(lines)) if lines[i].startswith("#endif")) + 1
    tail = len(lines)
    while not lines[tail - 1] or lines[tail - 1].startswith("#"):
        tail -= 1
    definitions, current = [], []
    for line in lines[head:tail]:
        current.append(line)
        # a definition ends with a line outside its braces
        if line.endswith(";") and not line.startswith(("\t", " ")):
            definitions.append("\n".join(current).strip())
            current = []
    return lines[:head], definitions, lines[tail:]


def key(definition):
    """The part that must be unique: the name in its name space, or all of a nameless definition."""
    last = definition.splitlines()[-1]
    m = FUNCTION_TYPE.match(definition)
    if m:
        return "typedef", m.group(1) or m.group(2)
    m = NAMED.match(definition)
    if m and m.group(1):
        return "typedef", m.group(1)
    if m:
        kind = "declaration" if m.group(4) == ";" else "definition"
        return kind, m.group(2), m.group(3)
    if definition.startswith("typedef"):
        # a typedef of something nameless: the name comes after the brace
        return "typedef", re.sub(r".*?(\w+)(\[[^]]*\])*;$", r"\1", last)
    return "text", definition


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("bpftool", "base", "output"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--modules", help="take modules from this folder, if any", default="")
    options = parser.parse_args()

    head, definitions, tail = split(dump(options.bpftool, options.base))
    seen = {key(d) for d in definitions}
    modules = []
    if os.path.isdir(options.modules):
        modules = sorted(m for m in os.listdir(options.modules) if m.endswith(".ko"))
    for module in modules:
        _, more, _ = split(dump(options.bpftool, os.path.join(options.modules, module), options.base))
        for definition in more:
            k = key(definition)
            if k in seen or k[0] == "declaration" and ("definition", *k[1:]) in seen:
                continue
            seen.add(k)
            definitions.append(definition)

    text = "\n".join(head) + "\n\n" + "\n\n".join(definitions) + "\n\n" + "\n".join(tail) + "\n"
    try:
        with open(options.output) as f:
            if f.read() == text:
                return
    except OSError:
        pass
    with open(options.output + ".new", "w") as f:
        f.write(text)
    os.replace(options.output + ".new", options.output)


if __name__ == "__main__":
    main()
