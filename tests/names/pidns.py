#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope in a PID namespace of its own: pids are those of the namespace, and a process outside
of it is never shown as another one.

The test runs itself in the namespace. There it asks for workloads outside through two pipes.
"""

import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tool"))

# pylint: disable=wrong-import-position
from exporter import get, samples
from iommushell import Shell
from tooltest import Observer, Tap, ends_with_process, has_mock, patience, tool

MIB = 1 << 20
NAMESPACE = ("unshare", "--pid", "--fork", "--mount-proc")
NOTE = "iommuscope: this is not the host's PID namespace: "
REMEDY = "hostPID: true"


class Outside:
    """The part of this test in the host's PID namespace."""

    def __init__(self, asks, answers):
        self.asks = os.fdopen(asks, "w")
        self.answers = os.fdopen(answers)
        # of a shell that runs all the time
        self.shell = int(self.answers.readline())

    def run(self, *command):
        """Run a workload; returns its pid on the host."""
        print(*command, file=self.asks, flush=True)
        return int(self.answers.readline())


def inside(*command):
    """Run a workload in this namespace; returns its pid."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        process.wait(patience(60))
        return process.pid


OUTSIDE = None


def with_memory(shell):
    """Let a shell pin 1 MiB. Without the mock IOMMU it only maps."""
    file = shell.open()
    ioas = shell.ioas(file)
    if has_mock():
        shell.attach(file, shell.device(file, 0)[0], ioas)
    shell.map(file, ioas, "small", MIB)
    return file, ioas


def maps(objects):
    return [(o["process"], o["pid"], o["tid"]) for o in objects if o.get("operation") == "map"]


def operations(tap):
    with Observer("ops", "--json") as ops, Observer("ops") as text, \
            Observer("lat", "--by", "process", "--json") as lat:
        pid = inside("map-load", "3", "0x1000")
        host = OUTSIDE.run("map-load", "2", "0x1000")
    tap.equal((ops.status, text.status, lat.status, ops.stderr + text.stderr + lat.stderr),
              (0, 0, 0, ""), "ops and lat report no error")
    tap.equal(maps(ops.objects()), [("map-load", pid, pid)] * 3 + [("map-load", None, None)] * 2,
              "ops shows pids of the namespace, and null outside of it")
    shown = [line for line in text.stdout.splitlines() if " map " in line]
    tap.ok([sum("map-load [%s]" % name in line for line in shown)
            for name in (pid, "host %d" % host)] == [3, 2],
           "as text, a process outside is shown by its pid on the host", text.stdout)
    tap.equal({o["label"]: o["count"] for o in json.loads(lat.stdout)["operations"]
               if o["operation"] == "map"},
              {"map-load [%d]" % pid: 3, "map-load [host %d]" % host: 2},
              "lat --by process distinguishes them")


def one_process(tap):
    with Shell() as shell, Observer("ops", "--json", "-p", str(shell.pid)) as ops, \
            Observer("lat", "--json", "-p", str(shell.pid)) as lat:
        with_memory(shell)
        inside("map-load", "2", "0x1000")
        OUTSIDE.run("map-load", "2", "0x1000")
    tap.equal(maps(ops.objects()), [("iommu-shell", shell.pid, shell.pid)],
              "ops -p: only this process, by its pid in the namespace")
    tap.equal([o["count"] for o in json.loads(lat.stdout)["operations"] if o["operation"] == "map"],
              [1], "lat -p: only its operations count")
    ends_with_process(tap, "ops")
    result = tool("ops", "-p", str(OUTSIDE.shell))
    tap.equal((result.returncode, result.stderr),
              (1, "iommuscope: no such process in this PID namespace: %d\n" % OUTSIDE.shell),
              "a pid of the host is refused")
    result = tool("ops", "--json", "--", "map-load", "2", "0x1000")
    seen = maps(json.loads(line) for line in result.stdout.splitlines() if line.startswith("{"))
    tap.equal((result.returncode, len(seen), {name for name, _, _ in seen}), (0, 2, {"map-load"}),
              "a command behind -- is observed")


def trace(tap):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.trace")
        with Observer("record", "-o", path) as record:
            pid = inside("map-load", "1", "0x1000")
            OUTSIDE.run("map-load", "1", "0x1000")
        result = tool("report", "--json", path)
    tap.equal((record.status, maps(json.loads(line) for line in result.stdout.splitlines())),
              (0, [("map-load", pid, pid), ("map-load", None, None)]),
              "record keeps both, and report shows them")


def contexts(tap):
    with Shell() as shell:
        with_memory(shell)
        state = tool("state", "--json")
        tap.equal({(c["process"], c["pid"], c["process_gone"])
                   for c in json.loads(state.stdout)["contexts"]},
                  {("iommu-shell", shell.pid, False), ("iommu-shell", None, False)},
                  "state: the same for contexts")
        tap.ok(state.stderr.startswith(NOTE) and state.stderr.count("\n") == 1
               and REMEDY in state.stderr, "and one sentence says what is missing", state.stderr)
        tree = tool("state", "--tree").stdout
        tap.ok("iommu-shell [%d]" % shell.pid in tree
               and "iommu-shell [host %d]" % OUTSIDE.shell in tree and "ended" not in tree,
               "state as text: a living process has not ended", tree)
        document = json.loads(tool("capacity", "--json").stdout)
        limits = {p["pid"]: p["limit"] for p in document["processes"]}
        tap.equal((set(limits), limits[shell.pid] is None, limits[None]),
                  ({shell.pid, None}, False, None), "capacity: limits only inside")
        text = tool("capacity").stdout
        tap.ok("ended" not in text and "(not known)" in text,
               "capacity as text: no process has ended", text)
        mine = json.loads(tool("capacity", "--json", "-p", str(shell.pid)).stdout)
        tap.equal([p["pid"] for p in mine["processes"]], [shell.pid], "capacity -p: one process")
        if has_mock():
            fit = tool("capacity", "--fit", "4096")
            tap.ok(fit.returncode == 1 and "outside of this PID namespace" in fit.stdout,
                   "capacity --fit promises nothing outside", fit.stdout)
        with Observer("export", "--processes") as export:
            _, _, metrics = get("/metrics")
        shown = [dict(labels)["pid"] for labels in samples(metrics)["iommufd_context_info"]]
        tap.equal(sorted(shown), sorted([str(shell.pid), "host %d" % OUTSIDE.shell]),
                  "export: the label pid")
        tap.ok(export.stderr.startswith(NOTE) and export.stderr.count("\n") == 1,
               "export says once what is missing", export.stderr)


def stuck(tap):
    with subprocess.Popen(["stuck-load"], stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.PIPE) as process:
        words = process.stdout.readline().split()
        pid, tid = int(words[1]), int(words[3])
        result = tool("stuck", "--json", "--longer", "300ms", "-p", str(pid))
        found = json.loads(result.stdout)["stuck"]
        tap.equal([(o["process"], o["pid"], o["tid"], bool(o["stack"])) for o in found],
                  [("stuck-mapper", pid, tid, True)], "stuck: process, thread and stack")
        tap.ok(result.stderr.startswith(NOTE), "with the sentence", result.stderr)
        process.stdin.close()
        process.stdout.read()


def doctor(tap):
    findings = json.loads(tool("doctor", "--json").stdout)["findings"]
    tap.equal([(f["status"], REMEDY in f["remedy"]) for f in findings if f["check"] == "processes"],
              [("warning", True)], "doctor finds it, with the remedy")


def other_proc(tap):
    result = subprocess.run(["unshare", "--pid", "--fork", "iommuscope", "ops", "-n", "1"],
                            capture_output=True, text=True, timeout=patience(60))
    tap.ok(result.returncode == 1 and result.stdout == "" and result.stderr.count("\n") == 1
           and "/proc is not that of this PID namespace" in result.stderr,
           "with the /proc of another namespace it refuses", result.stderr)


def in_namespace(asks, answers):
    global OUTSIDE
    OUTSIDE = Outside(int(asks), int(answers))
    points = [operations, one_process, trace, contexts, stuck, doctor, other_proc]
    Tap().run(*(points if has_mock() else [p for p in points if p is not stuck]))


def contained():
    """Run a workload in a namespace; returns its pid on the host."""
    with subprocess.Popen([*NAMESPACE, "map-load", "-w", "1", "0x1000"], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        path = "/proc/%d/task/%d/children" % (process.pid, process.pid)
        with open(path, encoding="ascii") as file:
            child = int(file.read())
        process.stdin.close()
        process.stdout.read()
    return child


def main():
    if len(sys.argv) > 1:
        in_namespace(*sys.argv[1:])
    with Observer("ops", "--json") as ops:
        child = contained()
    seen = {pid for _, pid, _ in maps(ops.objects())}
    if seen != {child}:
        print("Bail out! on the host a process of a namespace has the pid %d, not %s" % (child, seen))
        sys.exit(1)
    asks, its_asks = os.pipe()
    its_answers, answers = os.pipe()
    with Shell() as shell:
        with_memory(shell)
        with subprocess.Popen([*NAMESPACE, sys.executable, "-B", os.path.realpath(__file__),
                               str(its_asks), str(its_answers)],
                              pass_fds=(its_asks, its_answers)) as inner:
            os.close(its_asks)
            os.close(its_answers)
            with os.fdopen(asks) as lines, os.fdopen(answers, "w") as back:
                print(shell.pid, file=back, flush=True)
                for line in lines:
                    print(inside(*line.split()), file=back, flush=True)
        sys.exit(inner.returncode)


if __name__ == "__main__":
    main()
