#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The programs are attached and detached as often as the first argument says, while operations go on.

The tool itself is started as often as the second one says. What would be left of each time is looked
for in what the kernel counts: BPF objects, who uses the modules, and its memory, where even a page
each would add up.
"""

import json
import os
import signal
import subprocess
import sys
import time

from tooltest import Observer, Tap, run, tool, wait_for

ROUNDS, STARTS = int(sys.argv[1]), int(sys.argv[2])
COMMANDS = (("lat", "--json"), ("ops", "--json", "--errors"), ("stuck", "--json", "--longer", "1ms"),
            ("lat", "--json", "--by", "process"))
MODULES = ("iommufd", "vfio", "vfio_pci", "iommufd_mock")


def users():
    """How many BPF objects there are, and how often each module is in use."""
    found = {kind: len(json.loads(run("bpftool", "-j", kind, "show").stdout or "[]"))
             for kind in ("prog", "map", "link")}
    for module in MODULES:
        path = "/sys/module/%s/refcnt" % module
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                found[module] = int(file.read())
    return found


def users_are(wanted):
    """The kernel frees them a moment after the last user has gone."""
    wait_for(lambda: users() == wanted)
    return users()


def kernel_memory():
    """Bytes that the kernel has for itself, caches left out."""
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3")
    # what waits for a grace period is freed meanwhile
    time.sleep(1)
    with open("/proc/meminfo", encoding="ascii") as file:
        lines = dict(line.split(":") for line in file)
    return {name: int(lines[name].split()[0]) * 1024
            for name in ("SUnreclaim", "Percpu", "VmallocUsed", "KernelStack", "PageTables")}


def start(number):
    """Start and end the tool once. Return what was wrong."""
    command, *arguments = COMMANDS[number % len(COMMANDS)]
    if command != "stuck":
        arguments += ["--duration", "20ms"]
    result = tool(command, *arguments, timeout=120)
    if result.returncode or result.stderr or not (result.stdout or command == "ops"):
        return [(number, command, result.returncode, result.stderr)]
    return []


def comes_and_goes(tap):
    # In bursts: where processors are emulated in turn, each of the many times that one waits for another to
    # see patched code takes as long as that one has work.
    load = subprocess.Popen(["sh", "-c", "while map-load -m 100 4096; do sleep 0.1; done"],
                            stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        # all that is taken only once is taken now
        run("attach-load", "6", "2", timeout=200)
        idle, memory = users(), kernel_memory()
        # the smallest thing that could be left is a page; a start leaves at least one of each program
        allowed = 2048 * ROUNDS + (4 << 20)
        with Observer("lat", "--json"):
            seen = users()
        tap.ok(all(seen[kind] > idle[kind] for kind in ("prog", "map", "link", "iommufd")),
               "what one leaves behind would be counted", idle, seen)
        tap.equal(users_are(idle), idle, "it ends with all it had")

        begin = time.monotonic()
        result = run("attach-load", str(ROUNDS), str(max(ROUNDS // 250, 2)), timeout=3000)
        tap.equal((result.returncode, result.stdout, result.stderr), (0, "%d\n" % ROUNDS, ""),
                  "attached and detached %d times under load" % ROUNDS)
        attached = time.monotonic()
        wrong = sum((start(number) for number in range(STARTS)), [])
        print("# %d times attached in %.0f s, %d times started in %.0f s"
              % (ROUNDS, attached - begin, STARTS, time.monotonic() - attached))
        tap.equal(wrong, [], "the tool is started and ended under load")
        tap.equal(users_are(idle), idle, "no program, map or link is left, nor a module in use")
        # what waits for a grace period still is nothing that was left
        wait_for(lambda: sum(kernel_memory().values()) - sum(memory.values()) < allowed)
        after = kernel_memory()
        grown = {name: after[name] - memory[name] for name in memory}
        print("# grown by %s" % ", ".join("%s %d KiB" % (name, n // 1024)
                                          for name, n in grown.items()))
        tap.ok(sum(grown.values()) < allowed,
               "the kernel's memory has not grown with it", memory, after)
        tap.ok(load.poll() is None, "the load went on all the time")
    finally:
        os.killpg(load.pid, signal.SIGKILL)
        load.wait()
    with Observer("lat", "--json", "-o", "map") as observer:
        run("map-load", "10", "4096")
    tap.equal(observer.objects()[0]["operations"][0]["count"], 10, "counting is right after that")


Tap().run(comes_and_goes)
