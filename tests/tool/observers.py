#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Starting and ending observers: under load, two at once, with the modules, without rights."""

import json
import os
import shutil
import signal
import subprocess
import tempfile

from exporter import get, samples
from tooltest import (TOOL, Observer, Tap, ends_with_process, ends_with_reader, patience, run, tool,
                      wait_for)

KNOBS = "/sys/kernel/debug/iommufd-mock/"
WAITS = "nothing to observe yet: waiting for vfio_iommu_type1 or iommufd (modprobe vfio-pci)"
ENDED = "the process iommuscope-open has ended: restart iommuscope to observe modules that are loaded later"
MODULES = ("iommufd_mock", "vfio_pci", "vfio_pci_core", "vfio", "iommufd")


def knob(name, value):
    with open(KNOBS + name, "w", encoding="ascii") as file:
        file.write(str(value))


def phases(tap):
    """The IOMMU takes a set time for each call, so the times of the phases are known."""
    if not os.path.isdir(KNOBS):
        tap.skip("phase times", "no mock IOMMU")
        return
    # far apart from each other, and far above the duration of the calls themselves
    wanted = {"map": 300000, "unmap": 600000, "sync": 900000}
    count = 40
    try:
        for name, ns in wanted.items():
            knob(name + "_ns", ns)
        with Observer("lat", "--json", "-o", "map,unmap") as observer:
            run("map-load", "-m", str(count), "4096")
    finally:
        for name in wanted:
            knob(name + "_ns", 0)
    (report,) = observer.objects()
    reported = {phase["phase"]: (phase, operation) for operation in report["operations"]
            for phase in operation["phases"]}
    for name, ns in wanted.items():
        phase, operation = reported[name]
        # On a loaded machine some calls take longer. The clock of phases and that of the mock can
        # differ, and a bucket is a sixteenth wide.
        least = phase["buckets"][0][0]
        tap.ok(phase["count"] == count and least >= ns * 0.8,
               "phase %s: no call is shorter than the IOMMU takes" % name, phase)
        tap.ok(least <= ns * 2, "phase %s: the shortest is close to the set time" % name, phase)
        tap.ok(phase["sum_ns"] <= operation["sum_ns"], "phase %s: not longer than the operation" % name)


def two_at_once(tap):
    with Observer("lat", "--json", "-o", "map") as first:
        run("map-load", "10", "4096")
        with Observer("lat", "--json", "-o", "map") as second:
            run("map-load", "20", "4096")
        run("map-load", "30", "4096")
    tap.equal([o.objects()[0]["operations"][0]["count"] for o in (first, second)], [60, 20],
              "two instances do not count for each other")


def bpf_names():
    """{(kind, id): name} of all that bpftool shows."""
    return {(kind, item["id"]): item.get("name", "") for kind in ("prog", "map")
            for item in json.loads(run("bpftool", "-j", kind, "show").stdout or "[]")}


def names(tap):
    """On a host with other BPF programs, ours can be recognized."""
    before = bpf_names()
    with Observer("export"), Observer("ops", "--json"):
        ours = {key: name for key, name in bpf_names().items() if key not in before}
    kinds = [sum(kind == wanted for kind, _ in ours) for wanted in ("prog", "map")]
    tap.ok(min(kinds) > 20, "bpftool shows programs and maps", kinds)
    tap.equal([name for name in ours.values() if not name.startswith("ios_")], [],
              "and all carry the prefix ios_")


def endings(tap):
    ends_with_process(tap, "lat")
    ends_with_reader(tap, "lat -i 0.1")
    for words, *arguments in (("no such device: 0000:77:00.0", "-d", "0000:77:00.0"),
                              ("no such process: 4194303", "-p", "4194303"),
                              ("no such cgroup", "--cgroup", "/no/such")):
        for command in "lat", "ops":
            result = tool(command, *arguments)
            tap.ok(result.returncode == 1 and words in result.stderr
                   and result.stderr.count("\n") == 1, "%s: refused: %s" % (command, arguments[1]),
                   result.returncode, result.stderr)
    with tempfile.NamedTemporaryFile(prefix="iommuscope-", delete=False) as copy:
        shutil.copyfile(shutil.which(TOOL), copy.name)
    os.chmod(copy.name, 0o755)
    for command in "lat", "stuck":
        result = run(copy.name, command, user="nobody", cwd="/")
        tap.ok(result.returncode == 1 and "no privilege: run it as root" in result.stderr
               and result.stderr.count("\n") == 1, "%s: refused without privilege" % command,
               result.returncode, result.stderr)
    os.unlink(copy.name)


def in_use(tap, name, result):
    tap.ok(result.returncode and "in use" in result.stderr, name, result.stderr)


def allocated():
    """IOASes that the exporter has counted."""
    counts = samples(get("/metrics")[2]).get("iommufd_operations_total", {})
    return counts.get((("operation", "ioas_alloc"), ("result", "success")))


def later(tap):
    """Modules that are loaded one by one while commands run."""
    with Observer("export") as exporter:
        tap.equal(allocated(), None, "the exporter runs without a module")
        run("modprobe", "iommufd")
        tap.ok(wait_for(lambda: allocated() == 0), "it finds iommufd when that is loaded", allocated())
        run("ioas-load", "3")
        tap.ok(wait_for(lambda: allocated() == 3), "and counts its operations", allocated())
        with Observer("lat", "--json") as lat, Observer("ops", "--json") as ops:
            lines = len(exporter.so_far())
            run("modprobe", "-a", "vfio-pci", "iommufd-mock")
            tap.ok(wait_for(lambda: len(exporter.so_far()) > lines), "it finds vfio when that is loaded")
            run("ioas-load", "2")
            tap.ok(wait_for(lambda: allocated() == 5), "counters go on", allocated())
        tap.equal(({o["operation"]: o["count"] for o in lat.objects()[0]["operations"]}.get("ioas_alloc"),
                   sum(o.get("operation") == "ioas_alloc" for o in ops.objects())), (2, 2),
                  "nothing is counted twice by other commands either")
        # a driver goes, and what must be read again cannot be
        run("pkill", "-9", "iommuscope-open")
        run("rmmod", "vfio_pci")
        tap.ok(wait_for(lambda: samples(get("/metrics")[2])["iommufd_exporter_load_failures_total"][()] == 1),
               "it counts that it cannot observe what is loaded later")
        run("ioas-load", "2")
        tap.ok(wait_for(lambda: allocated() == 7), "and goes on with the rest", allocated())
    tap.equal((exporter.status, exporter.stderr), (0, "iommuscope: %s\niommuscope: %s\n" % (WAITS, ENDED)),
              "it reports once what it waits for, and once that its second process has ended")


def unloading(tap):
    try:
        # all of them in turn: drivers can be unloaded, observed modules cannot
        with Observer("lat", "--json") as observer:
            in_use(tap, "modules that are observed cannot be unloaded", run("rmmod", *MODULES))
            tap.ok(not os.path.isdir("/sys/module/vfio_pci"), "but a driver can")
            run("ioas-load", "3")
        tap.equal((observer.status, observer.stderr), (0, ""), "and the observer is not disturbed")
        tap.equal({o["operation"]: o["count"] for o in observer.objects()[0]["operations"]}
                  .get("ioas_alloc"), 3, "and counts on")
        # without vfio, only the command itself holds iommufd
        run("rmmod", "vfio")
        for command, *arguments in (("lat", "--by", "process"), ("ops",), ("stuck", "-i", "0.1"),
                                    ("record", "-o", "/run/unloading.trace"), ("replace",), ("export",)):
            with Observer(command, *arguments) as observer:
                in_use(tap, "%s: iommufd cannot be unloaded" % command, run("rmmod", "iommufd"))
            tap.equal((observer.status, observer.stderr), (0, ""), "%s: and it ends without an error" % command)
        os.unlink("/run/unloading.trace")
        watch = subprocess.Popen([TOOL, "state", "--watch", "--json", "-i", "0.1"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watch.stdout.readline()
        in_use(tap, "state --watch: iommufd cannot be unloaded", run("rmmod", "iommufd"))
        watch.send_signal(signal.SIGINT)
        tap.equal((watch.communicate(timeout=patience(30))[1], watch.returncode), ("", 0),
                  "state --watch: and it ends without an error")
        # the kernel frees programs shortly after their last user has gone
        results = []
        wait_for(lambda: results.append(run("rmmod", "iommufd")) or not results[-1].returncode)
        result = results[-1]
        tap.equal((result.returncode, result.stderr), (0, ""), "afterwards it can")
        nothing = "nothing here to observe: load vfio_iommu_type1 or iommufd (modprobe vfio-pci)"
        for command in "lat", "ops", "stuck", "state":
            result = tool(command)
            wanted = nothing
            if command == "state":
                wanted = "nothing to show: neither VFIO's type1 (modprobe vfio-pci) nor an iommufd is loaded"
            tap.equal((result.returncode, result.stdout, result.stderr),
                      (1, "", "iommuscope: %s\n" % wanted), "%s: without a module it reports that" % command)
        later(tap)
    finally:
        run("modprobe", "-a", "vfio-pci", "iommufd-mock")


Tap().run(phases, two_at_once, names, endings, unloading)
