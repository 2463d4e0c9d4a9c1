# SPDX-License-Identifier: GPL-2.0-only
"""Checks of the sources: sparse through kbuild, and the kernel's checkpatch and kernel-doc."""

import os
import re
import subprocess

import rules
from files import Files
from points import jobs, must_have, run, sample, scratch

TAG = "extern void *user_memory(void);\nint f(void);\nint f(void)\n{\n" \
    "\tvoid __attribute__((noderef, address_space(1))) *p = user_memory();\n\n\treturn p != 0;\n}\n"
DOC = "/**\n * struct s - a sample\n * @a: a member\n */\nstruct s {\n\tint a;\n\tint b;\n};\n"
STYLE = "// SPDX-License-Identifier: GPL-2.0-only\nint f(int *a) {\n\treturn *a;\n}\n"


def sparse(points, options):
    """kbuild runs it on each file before it compiles it, with the kernel's flags."""
    if not must_have("sparse", points, "sparse"):
        return
    _, text = run(["sparse", sample(options, "tag.c", TAG)])
    points.found("sparse", text, "different address spaces")

    mirror = scratch(options, "sparse")
    for folder in ("kernel", "tracepoints"):
        subprocess.run(["rm", "-rf", os.path.join(mirror, folder)], check=True)
        subprocess.run(["cp", "-R", os.path.join(options.source, folder), mirror], check=True)
    sources = [f for f in Files(options.source).c("kernel") if f.endswith(".c")]
    status, text = run(["make", "-C", options.kdir, f"M={mirror}/kernel", f"-j{jobs()}", "-k", "C=2",
                        "CF=-D__CHECK_ENDIAN__", "IOMMUSCOPE_TESTING=y", "VFIO_GROUP=y", "modules"])
    checked = len(re.findall(r"^\s+CHECK\s", text, re.M))
    complaints = [line.replace(mirror + os.sep, "") for line in text.splitlines()
                  if line.startswith(mirror) and re.search(r": (warning|error): ", line)]
    complaints = [line for line in complaints
                  if not any(line.startswith(f) and words in line for f, words in rules.SPARSE)]
    if checked < len(sources):
        complaints.append(f"only {checked} of {len(sources)} files were checked (make: {status})")
        complaints += text.splitlines()[-10:]
    points.point(f"sparse finds no fault in {len(sources)} files", complaints)


def find_checkpatch(options):
    """checkpatch comes from the kernel's sources, since no package that can be installed has it.

    The kernel's self test is built from the same sources: if that was built, they are unpacked
    already.
    """
    script = os.path.join(options.build, "selftest", "src", "scripts", "checkpatch.pl")
    if os.path.exists(script):
        return script, None
    folder = scratch(options, "checkpatch")
    script = os.path.join(folder, "scripts", "checkpatch.pl")
    if os.path.exists(script):
        return script, None
    package = os.path.join(options.source, "tests", "lab", "kernel-source")
    done = subprocess.run([package, options.kdir, os.path.join(options.build, "source")],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return None, "the package with the kernel's sources is not available"
    deb = done.stdout.strip()
    unpack = ("dpkg-deb --fsys-tarfile \"$1\" | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |"
              " xz -dc -T0 | tar -x -C \"$2\" --strip-components=1 --wildcards '*/scripts/checkpatch.pl'"
              " '*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch'")
    status, text = run(["sh", "-c", unpack, "unpack", deb, folder])
    if not os.path.exists(script):
        return None, f"cannot unpack {deb} ({status}): {text[-200:]}"
    return script, None


def checkpatch(points, options):
    script, trouble = find_checkpatch(options)
    if not script:
        points.point("checkpatch is there", [trouble])
        return
    files = Files(options.source)
    command = ["perl", script, "--no-tree", "--no-summary", "--terse", "--show-types", "--strict"]
    _, text = run([*command, "-f", sample(options, "style.c", STYLE)])
    points.found("checkpatch", text, "OPEN_BRACE")
    events = [f for f in files.c("tracepoints")]
    modules = files.c("kernel")
    user = files.c("tools", "bpf")
    tests = files.c("tests")
    # user space has long names in its calls: lines may exceed clang-format's 100 a little
    for what, names, off, columns in (
            ("the modules", modules, rules.CHECKPATCH, 100),
            ("the tracepoints", events, rules.CHECKPATCH | rules.CHECKPATCH_EVENTS, 100),
            ("the tool", user, rules.CHECKPATCH | rules.CHECKPATCH_USER, 110),
            ("the tests", tests, rules.CHECKPATCH | rules.CHECKPATCH_USER | rules.CHECKPATCH_TESTS, 110)):
        # it leaves a file where it looks for a repository
        status, text = run([*command, f"--max-line-length={columns}", "--ignore", ",".join(sorted(off)),
                            "-f", *map(files.path, names)], cwd=os.path.dirname(script))
        complaints = [line.replace(options.source + os.sep, "") for line in text.splitlines()
                      if re.search(r": (ERROR|WARNING|CHECK):", line)]
        if status and not complaints:
            complaints = [f"checkpatch ended with {status}"] + text.splitlines()[-5:]
        points.point(f"checkpatch finds no fault in {what}, {len(names)} files", complaints)


def kerneldoc(points, options):
    """What a kernel-doc comment leaves out, or describes although it is gone."""
    command = ["perl", os.path.join(options.kdir, "scripts", "kernel-doc"), "-none", "-Wall"]
    _, text = run([*command, sample(options, "doc.c", DOC)])
    points.found("kernel-doc", text, "'b' not described in 's'")
    files = Files(options.source)
    names = files.c("kernel", "tracepoints", "tools", "bpf")
    status, text = run([*command, *map(files.path, names)])
    complaints = [line.replace(options.source + os.sep, "") for line in text.splitlines()
                  if re.search(r": (warning|error): ", line)]
    if status and not complaints:
        complaints = [f"kernel-doc ended with {status}"] + text.splitlines()[-5:]
    points.point(f"kernel-doc describes all parameters and members in {len(names)} files", complaints)
