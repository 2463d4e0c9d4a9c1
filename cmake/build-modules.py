#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Build the kernel modules out of tree.

kbuild writes beside the sources, so it works on a mirror of kernel/ and tracepoints/. Only
changed files are copied, removed files are removed there too, and the products of kbuild stay, so
that it builds no more than it must. All modules are collected in one folder.
"""

import argparse
import filecmp
import os
import re
import shutil
import subprocess
import sys

FOLDERS = ("kernel", "tracepoints")
PRODUCTS = (".o", ".ko", ".mod", ".cmd", ".mod.c", ".d", ".symvers", ".order", ".a")


def sources(root):
    """Paths, relative to @root, of all files that are not products of kbuild."""
    for folder in FOLDERS:
        for here, dirs, files in os.walk(os.path.join(root, folder)):
            dirs[:] = sorted(d for d in dirs if not d.startswith("."))
            for name in files:
                if not name.startswith(".") and not name.endswith(PRODUCTS):
                    yield os.path.relpath(os.path.join(here, name), root)


def mirror(source, target):
    wanted = set(sources(source))
    for path in sorted(wanted):
        src, dst = os.path.join(source, path), os.path.join(target, path)
        if os.path.exists(dst) and filecmp.cmp(src, dst, shallow=False):
            continue
        os.makedirs(os.path.dirname(dst), exist_ok=True)
        shutil.copyfile(src, dst)
    keep = wanted | placeholders(target, wanted)
    for path in list(sources(target)):
        if path not in keep:
            remove(target, path)


def placeholders(target, wanted):
    """A folder that the top Kbuild names but that has no Kbuild (yet) is skipped."""
    made = set()
    with open(os.path.join(target, "kernel", "Kbuild")) as f:
        names = re.findall(r"^\s*obj-\S+\s*\+?=\s*(\S+)/\s*$", f.read(), re.M)
    for name in names:
        path = os.path.join("kernel", name, "Kbuild")
        if path in wanted or os.path.join("kernel", name, "Makefile") in wanted:
            continue
        made.add(path)
        if not os.path.exists(os.path.join(target, path)):
            os.makedirs(os.path.join(target, "kernel", name), exist_ok=True)
            open(os.path.join(target, path), "w").close()
    return made


def remove(target, path):
    """Remove a source that is gone, and its products of kbuild."""
    here, name = os.path.split(os.path.join(target, path))
    stem = name.rsplit(".", 1)[0]
    for other in os.listdir(here):
        if other == name or other.startswith((stem + ".o", "." + stem + ".o")):
            os.unlink(os.path.join(here, other))
    while not os.listdir(here):
        os.rmdir(here)
        here = os.path.dirname(here)


def run_kbuild(options):
    command = ["make", "-C", options.kdir, f"M={os.path.join(options.mirror, 'kernel')}",
               f"-j{os.cpu_count()}", "KCFLAGS=-Werror", *options.variables, "modules"]
    # kbuild must not see what ninja or make set above us
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "CFLAGS")}
    log = os.path.join(options.mirror, "kbuild.log")
    done = subprocess.run(command, env=env, text=True, check=False, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with open(log, "w") as f:
        f.write(done.stdout)
    # paths of the mirror would lead an editor to the wrong file
    text = done.stdout.replace(options.mirror + os.sep, options.source + os.sep)
    warnings = [line for line in text.splitlines() if line.startswith("WARNING:")]
    if done.returncode or warnings:
        lines = [line for line in text.splitlines()
                 if not re.match(r"\s+(CC|LD|AR|BTF|MODPOST|AS|GEN)\b", line)]
        print("\n".join(lines[-200:]), file=sys.stderr)
        if warnings and not done.returncode:
            print("error: warnings are errors", file=sys.stderr)
        sys.exit(1)


def collect(options):
    """Copy new files to the common folder; returns true if something in it changed."""
    changed = False
    os.makedirs(options.collect, exist_ok=True)
    with open(os.path.join(options.mirror, "kernel", "modules.order")) as f:
        built = [line.strip() for line in f]
    names = set()
    for path in built:
        # an object's path, absolute or relative to the mirror, by kernel version
        path = re.sub(r"\.o$", ".ko", path)
        if not os.path.isabs(path):
            path = os.path.join(options.mirror, "kernel", path)
        name = os.path.basename(path)
        names.add(name)
        to = os.path.join(options.collect, name)
        if os.path.exists(to) and filecmp.cmp(path, to, shallow=False):
            continue
        # a running guest may read the old file: leave its inode alone
        shutil.copyfile(path, to + ".new")
        os.replace(to + ".new", to)
        changed = True
    for name in os.listdir(options.collect):
        if name not in names:
            os.unlink(os.path.join(options.collect, name))
            changed = True
    return changed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("source", "mirror", "collect", "kdir", "files", "stamp"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("variables", nargs="*")
    options = parser.parse_args()
    os.makedirs(options.mirror, exist_ok=True)
    mirror(options.source, options.mirror)
    run_kbuild(options)
    # the same modules as before: ninja need not build what depends on them
    if collect(options) or not os.path.exists(options.stamp):
        with open(options.stamp, "w") as f:
            f.write("\n".join(sorted(os.listdir(options.collect))) + "\n")


if __name__ == "__main__":
    main()
