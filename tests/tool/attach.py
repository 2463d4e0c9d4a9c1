#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The programs are attached and detached as often as the first argument says, while operations
continue.

The tool itself is started as often as the second argument says. A leak in each round would add
up, even one page: the test looks for it in the kernel's counters of BPF objects, users of the
modules, and memory.
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
    """What is in use once it is what is wanted: the kernel frees it shortly after its last user."""
    seen = {}
    wait_for(lambda: seen.update(users()) or seen == wanted)
    return seen


class Load:
    """Operations all the time. They use modules, so those are only counted while it is stopped."""

    def __enter__(self):
        # In bursts: if processors are emulated in turn, each wait for another processor to see
        # patched code lasts as long as that processor has work.
        self.process = subprocess.Popen(
            ["sh", "-c", "while map-load -m 100 4096; do sleep 0.1; done"],
            stdout=subprocess.DEVNULL, start_new_session=True)
        return self

    def runs(self):
        return self.process.poll() is None

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def kernel_memory():
    """Bytes that the kernel uses for itself, without caches."""
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3")
    # objects that wait for a grace period are freed in this time
    time.sleep(1)
    with open("/proc/meminfo", encoding="ascii") as file:
        lines = dict(line.split(":") for line in file)
    return {name: int(lines[name].split()[0]) * 1024
            for name in ("SUnreclaim", "Percpu", "VmallocUsed", "KernelStack", "PageTables")}


def start(number):
    """Start and end the tool once. Return what went wrong."""
    command, *arguments = COMMANDS[number % len(COMMANDS)]
    if command != "stuck":
        arguments += ["--duration", "20ms"]
    result = tool(command, *arguments, timeout=120)
    if result.returncode or result.stderr or not (result.stdout or command == "ops"):
        return [(number, command, result.returncode, result.stderr)]
    return []


def idle_users():
    """The users that stay while nothing runs: what ran before has closed its devices."""
    last = ("vfio_pci", "iommufd_mock")
    wait_for(lambda: not any(users().get(module) for module in last))
    return users()


def comes_and_goes(tap):
    idle = idle_users()
    with Observer("lat", "--json"):
        seen = users()
    tap.ok(all(seen[kind] > idle[kind] for kind in ("prog", "map", "link", "iommufd")),
           "a leak of one round would be counted", idle, seen)
    tap.equal(users_are(idle), idle, "at its end it releases everything")

    with Load() as load:
        # take now what is only taken once
        run("attach-load", "6", "2", timeout=200)
        memory = kernel_memory()
        # the smallest leak is a page; a start leaks at least one of each program
        allowed = 2048 * ROUNDS + (4 << 20)
        begin = time.monotonic()
        result = run("attach-load", str(ROUNDS), str(max(ROUNDS // 250, 2)), timeout=3000)
        tap.equal((result.returncode, result.stdout, result.stderr), (0, "%d\n" % ROUNDS, ""),
                  "attached and detached %d times under load" % ROUNDS)
        attached = time.monotonic()
        wrong = sum((start(number) for number in range(STARTS)), [])
        print("# %d times attached in %.0f s, %d times started in %.0f s"
              % (ROUNDS, attached - begin, STARTS, time.monotonic() - attached))
        tap.equal(wrong, [], "the tool is started and ended under load")
        # objects that still wait for a grace period are no leak
        wait_for(lambda: sum(kernel_memory().values()) - sum(memory.values()) < allowed)
        after = kernel_memory()
        grown = {name: after[name] - memory[name] for name in memory}
        print("# grown by %s" % ", ".join("%s %d KiB" % (name, n // 1024)
                                          for name, n in grown.items()))
        tap.ok(sum(grown.values()) < allowed,
               "the kernel's memory has not grown", memory, after)
        tap.ok(load.runs(), "the load ran all the time")
    tap.equal(users_are(idle), idle, "no program, map or link is left, and no module is in use")
    with Observer("lat", "--json", "-o", "map") as observer:
        run("map-load", "10", "4096")
    tap.equal(observer.objects()[0]["operations"][0]["count"], 10, "it counts correctly afterwards")


Tap().run(comes_and_goes)
