#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Bundle the page and write it as C, to be linked into the tool.

If it cannot be bundled, because npm or a network is missing, the C file contains the reason and
the build continues: an exporter without the page is still useful.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys

ASSETS = (
    ("/", "index.html", "text/html; charset=utf-8"),
    ("/page.js", "page.js", "text/javascript; charset=utf-8"),
    ("/page.css", "page.css", "text/css; charset=utf-8"),
    ("/icon.svg", "icon.svg", "image/svg+xml"),
)

# The lock file pins packages; their install scripts must not run.
NPM_CI = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error",
          "--fetch-retries=1", "--fetch-timeout=30000")


class Missing(Exception):
    """Why there is no page."""


def run(command, folder):
    try:
        result = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        raise Missing(f"{command[0]} did not start: {error.strerror}") from error
    if result.returncode:
        lines = [line for line in result.stdout.splitlines() if line.strip()]
        for line in lines[-20:]:
            print("    " + line, file=sys.stderr)
        raise Missing(f"{' '.join(command[:2])} failed")


def install(source, build):
    """Install the packages of the lock file in build/node_modules, unless they are there."""
    with open(os.path.join(source, "package-lock.json"), "rb") as file:
        wanted = hashlib.sha256(file.read()).hexdigest()
    stamp = os.path.join(build, "node_modules", ".lock")
    try:
        with open(stamp) as file:
            if file.read() == wanted:
                return
    except OSError:
        pass
    for program in "node", "npm":
        if not shutil.which(program):
            raise Missing(f"{program} is not installed")
    for name in "package.json", "package-lock.json":
        shutil.copy(os.path.join(source, name), build)
    run(NPM_CI, build)
    with open(stamp, "w") as file:
        file.write(wanted)


def c_bytes(data):
    lines = []
    for at in range(0, len(data), 20):
        lines.append("\t" + ",".join(str(byte) for byte in data[at:at + 20]) + ",")
    return "\n".join(lines)


def c_source(assets, why):
    out = ['#include "export/page_assets.h"', ""]
    for i, (_, _, data) in enumerate(assets):
        out += [f"static const unsigned char asset_{i}[] = {{", c_bytes(data), "};", ""]
    out.append("const struct page_asset page_assets[] = {")
    for i, (path, kind, data) in enumerate(assets):
        tag = hashlib.sha256(data).hexdigest()[:16]
        out.append(f'\t{{ "{path}", "{kind}", "\\"{tag}\\"", asset_{i}, sizeof(asset_{i}) }},')
    out += ["\t{ 0 },", "};", ""]
    why = f'"{why}"' if why else "NULL"
    out += [f"const char *const page_missing = {why};", ""]
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", required=True, help="take the page from this folder")
    parser.add_argument("--build", required=True, help="write packages and bundle to this folder")
    parser.add_argument("--output", help="write this C file; without it only packages are installed")
    args = parser.parse_args()
    os.makedirs(args.build, exist_ok=True)
    assets, why = [], None
    try:
        install(args.source, args.build)
        if not args.output:
            return
        bundle = os.path.join(args.build, "bundle")
        run(("node", os.path.join(args.source, "build.mjs"), args.source,
             os.path.join(args.build, "node_modules"), bundle), args.build)
        for path, name, kind in ASSETS:
            with open(os.path.join(bundle, name), "rb") as file:
                assets.append((path, kind, file.read()))
    except Missing as missing:
        why = str(missing)
        what = "the page is left out" if args.output else f"left out {os.path.basename(args.build)}"
        print(f"{what}: {why}; remove {args.build} to try again", file=sys.stderr)
    if args.output:
        with open(args.output, "w") as file:
            file.write(c_source(assets, why))


if __name__ == "__main__":
    main()
