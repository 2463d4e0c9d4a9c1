#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Settings of a host that keep BPF programs from working: each command names them.

settings.py own | settings.py stock BDF | settings.py lockdown: with our modules; with a device for
a client of type1; lock the kernel down, which lasts until the machine is booted again.
"""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "tool"))
from exporter import get  # noqa: E402
from exporter import samples as parse  # noqa: E402
from tooltest import Observer, Tap, run, setting, tool, wait_for  # noqa: E402

FTRACE = "/proc/sys/kernel/ftrace_enabled"
JIT = "/proc/sys/net/core/bpf_jit_enable"
LOCKDOWN = "/sys/kernel/security/lockdown"
PORT = 9961
BIND = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e", "bind-device")
OWN = sys.argv[1] == "own"
LOAD = ["map-load", "-m", "4", "0x100000"] if OWN else ["type1-load", *sys.argv[2:], "pairs", "4"]
OBSERVING = (("lat", "--duration", "1"), ("ops", "--duration", "1"), ("stuck", "-n", "1"),
             ("record", "--duration", "1", "-o", "/tmp/settings.trace"))
OFF = "ftrace is off: functions of the kernel cannot be observed (sysctl kernel.ftrace_enabled=1)"
NO_STATE = "the BPF JIT compiler is off: state cannot be read (sysctl net.core.bpf_jit_enable=1)"
LOCKED = "the kernel is locked down (confidentiality): BPF cannot read it " \
         "(boot with lockdown=integrity, or without lockdown=)"


def said(result):
    """The lines on stderr, without the tool's name."""
    return [line.replace("iommuscope: ", "", 1) for line in result.stderr.splitlines()]


def maps(result):
    """How many maps lat counted."""
    return sum(o["count"] for o in map(json.loads, result.stdout.splitlines())
               for o in o.get("operations", [o]) if o.get("operation") == "map")


def samples(name):
    """The samples of a metric that the exporter shows now."""
    return parse(get("/metrics", port=PORT)[2]).get(name, {})


def mapped():
    """How many maps the exporter has counted."""
    return sum(v for k, v in samples("iommufd_operations_total").items() if ("operation", "map") in k)


def exporter():
    return Observer("export", "--listen", "127.0.0.1:%d" % PORT)


def counted():
    result = tool("lat", "--json", "--", "sh", "-c", '"$@" >/dev/null', "load", *LOAD)
    return result, maps(result) if not result.returncode else None


def finding(text):
    """How doctor rates what a command reports."""
    document = json.loads(tool("doctor", "--json").stdout)
    setting_of, remedy = text.rstrip(")").split(" (sysctl ")
    return [f["status"] for f in document["findings"]
            if f["text"] == setting_of and f["remedy"] == "sysctl " + remedy]


def without_ftrace(tap):
    with setting(FTRACE, "0"):
        tap.equal(finding(OFF), ["missing"], "doctor reports that ftrace is off, and the remedy")
        result, count = counted()
        if OWN:
            tap.equal((result.returncode, said(result), count), (0, [], 4),
                      "with our modules lat needs no ftrace")
            result = tool("replace", "--", "replace-load", "1", "1", "100")
            tap.ok(said(result) == [OFF] and "unknown (window not observed)" in result.stdout,
                   "replace shows replacements, and why their windows are unknown", result)
        else:
            tap.equal((result.returncode, said(result)), (1, [OFF]),
                      "without it lat does not run for nothing")
            results = [tool(*command) for command in OBSERVING]
            tap.equal([(r.returncode, said(r)) for r in results], [(1, [OFF])] * len(OBSERVING),
                      "neither do ops, stuck and record")
        result = tool("state", "--json")
        tap.equal((result.returncode, said(result)), (0, []), "state needs no ftrace")
    result, count = counted()
    tap.equal((result.returncode, said(result), count), (0, [], 4), "and all is counted when it is on")


def switched(tap):
    """ftrace is switched off and on while a command runs."""
    if OWN:
        tap.skip("ftrace is switched while lat runs", "our modules need no functions")
        return
    with exporter() as observer:
        def shows(functions, source):
            return samples("iommufd_exporter_functions_observed") == {(): functions} and \
                samples("iommufd_exporter_source_observed").get((("source", "type1"),)) == source

        tap.ok(wait_for(lambda: shows(1, 1)), "the exporter observes functions")
        with setting(FTRACE, "0"):
            tap.ok(wait_for(lambda: shows(0, 0)), "ftrace is switched off: its metrics show that")
        tap.ok(wait_for(lambda: shows(1, 1)), "and when it is on again")
        run("sh", "-c", '"$@" >/dev/null', "load", *LOAD)
        tap.ok(wait_for(lambda: mapped() == 4), "then all is counted", mapped())
    tap.ok(observer.stderr.count(OFF) == 1 and observer.stderr.count("ftrace is on again") == 1,
           "it reports each change once", observer.stderr)


def late_ftrace(tap):
    """ftrace is off when the exporter starts."""
    if OWN:
        tap.skip("ftrace is switched on later", "our modules need no functions")
        return
    with setting(FTRACE, "0"):
        with exporter():
            tap.equal(samples("iommufd_exporter_functions_observed"), {(): 0},
                      "the exporter starts without ftrace")
            run("sysctl", "-qw", "kernel.ftrace_enabled=1")
            tap.ok(wait_for(lambda: samples("iommufd_exporter_functions_observed") == {(): 1}),
                   "and observes functions once it is on")
            run("sh", "-c", '"$@" >/dev/null', "load", *LOAD)
            tap.ok(wait_for(lambda: mapped() == 4), "then all is counted", mapped())


def without_jit(tap):
    with setting(JIT, "0"):
        tap.equal(finding(NO_STATE), ["missing"], "doctor reports that the JIT is off, and the remedy")
        results = [tool(*command) for command in (("state",), ("capacity",), ("state", "--json"))]
        tap.equal([(r.returncode, said(r)) for r in results], [(1, [NO_STATE])] * 3,
                  "state and capacity report that, and no number of an error")
        result, count = counted()
        tap.equal((result.returncode, said(result), count), (0, [], 4), "lat needs no JIT")
        with exporter() as observer:
            tap.ok(wait_for(lambda: samples("iommufd_exporter_state_observed") == {(): 0}),
                   "the exporter goes on without state, and shows that")
            run("sysctl", "-qw", "net.core.bpf_jit_enable=1")
            tap.ok(wait_for(lambda: samples("iommufd_exporter_state_observed") == {(): 1}),
                   "it reads state when the JIT is on again")
        tap.equal(observer.stderr.count(NO_STATE), 1, "it reports that once")


def locked_down(tap):
    run("mount", "-t", "securityfs", "securityfs", "/sys/kernel/security")
    try:
        with open(LOCKDOWN, "w", encoding="ascii") as file:
            file.write("confidentiality\n")
    except OSError as error:
        tap.skip("a kernel that is locked down", str(error))
        return
    commands = OBSERVING + (("state",), ("capacity",), ("replace", "--duration", "1"),
                            ("export", "--listen", "127.0.0.1:%d" % PORT))
    results = [tool(*command) for command in commands]
    tap.equal([(r.returncode, said(r)) for r in results], [(1, [LOCKED])] * len(commands),
              "every command reports that the kernel is locked down")
    found = json.loads(tool("doctor", "--json").stdout)["findings"]
    tap.equal([f["status"] for f in found if "(confidentiality)" in f["text"]], ["missing"],
              "doctor reports it, too")


if __name__ == "__main__":
    if sys.argv[1] == "stock":
        subprocess.run([BIND, sys.argv[2]], check=True, stdout=subprocess.DEVNULL)
    if sys.argv[1] == "lockdown":
        Tap().run(locked_down)
    else:
        Tap().run(without_ftrace, switched, late_ftrace, without_jit)
