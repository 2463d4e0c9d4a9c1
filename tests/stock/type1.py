#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The tool on a stock kernel: VFIO's type1 container, against a client whose every call is known.

type1.py BDF [TEST]...: a device for the client, and the tests to run.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "tool"))
from exporter import get, sample, samples  # noqa: E402
from tooltest import Observer, Tap, patience, run, tool, wait_for  # noqa: E402

DEVICE = sys.argv[1]
BIND = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e", "bind-device")
USER = os.path.join(os.path.dirname(os.path.realpath(__file__)), "device_user.py")
PAGE = 4096
# takes a second or more if it has to be faulted in
LONG = 1536 << 20
NAMESPACE = ("unshare", "--pid", "--fork", "--mount-proc")
# operations that are compared one by one
MEMORY = ("map", "unmap")

Call = collections.namedtuple("Call", "name iova length pages error")


def truth(output):
    """The calls that type1-load reports: (pid, [Call...])."""
    lines = [line.split() for line in output.splitlines()]
    pids = [int(line[1]) for line in lines if line[0] == "pid"]
    calls = [Call(name, int(iova), int(length), int(pages), None if error == "0" else error)
             for name, iova, length, pages, error in (line for line in lines if line[0] in MEMORY)]
    return pids[0] if pids else 0, calls


def shown(objects):
    """The same as the tool shows it."""
    return [Call(o["operation"], o["iova"], o["length_bytes"], 0 if o["error"] else o["pages"], o["error"])
            for o in objects if o.get("operation") in MEMORY]


def client(output, *work):
    """The command of the client. It writes to a file, separate from the tool's own output."""
    return ["sh", "-c", 'exec type1-load "$@" >%s' % output, "type1-load", DEVICE, *work]


def of_type1(text):
    """The objects of the tool's output, except those of vfio, which devices.py compares."""
    return [o for o in map(json.loads, text.splitlines()) if o.get("subsystem") != "vfio"]


def observed(command, *work):
    """The tool's result, its objects, and what the client printed."""
    with tempfile.NamedTemporaryFile("r") as output:
        result = tool(*command, "--json", "--", *client(output.name, *work), timeout=60)
        return result, of_type1(result.stdout), output.read()


def every_call(tap):
    result, objects, output = observed(("ops",), "pairs", "200")
    pid, calls = truth(output)
    tap.equal((result.returncode, result.stderr), (0, ""), "ops reports no error")
    tap.equal(len(calls), 400, "the client makes 400 calls")
    tap.equal(shown(objects), calls, "ops shows each call: its range, its pages, in order")
    tap.equal(objects[-1], {"lost": 0}, "nothing was lost")
    mine = objects[:-1]
    tap.equal({(o["subsystem"], o["source"]) for o in mine}, {("type1", "type1")},
              "all of them have the source type1")
    tap.equal(({o["pid"] for o in mine}, {o["process"] for o in mine}), ({pid}, {"type1-load"}),
              "and belong to that process")
    tap.equal(len({o["ctx"] for o in mine}), 1, "one container has one number")
    counts = collections.Counter(o["operation"] for o in mine)
    tap.equal([counts[name] for name in ("open", "attach", "detach", "close")], [1, 1, 1, 1],
              "the container's life is shown")
    attach = [o for o in mine if o["operation"] == "attach"][0]
    group = os.path.basename(os.readlink("/sys/bus/pci/devices/%s/iommu_group" % DEVICE))
    tap.equal((attach["device"], attach["group"], attach["devices"]), (DEVICE, int(group), 1),
              "the group that is attached is named by its device")
    tap.ok(attach["switch_ns"] > 0, "the attach of the IOMMU driver takes time", attach)
    maps = [o for o in mine if o["operation"] == "map"]
    tap.ok(all(o["pin_ns"] > 0 and o["map_ns"] > 0 and not o["unpin_ns"] for o in maps),
           "each map pins and maps", maps[0])
    unmaps = [o for o in mine if o["operation"] == "unmap"]
    tap.ok(all(o["unmap_ns"] > 0 and o["sync_ns"] > 0 and o["unpin_ns"] > 0 for o in unmaps),
           "each unmap unmaps, invalidates and unpins", unmaps[0])
    tap.ok(all(sum(o[p] for p in o if p.endswith("_ns") and p not in
                   ("dur_ns", "time_ns", "start_monotonic_ns")) <= o["dur_ns"] for o in mine),
           "no operation's phases take longer than the operation")
    tap.equal(({o["extents"] for o in maps}, {o["extents"] for o in unmaps}), ({None}, {1}),
              "extents are unknown, since they cannot be seen; the areas of an unmap are known")


def shapes(tap):
    for work in (("pairs", "5", str(1 << 20)), ("areas", "3000"), ("threads", "4", "300")):
        _, objects, output = observed(("ops",), *work)
        _, calls = truth(output)
        name = " ".join(work)
        tap.equal((sorted(shown(objects)), objects[-1]["lost"]), (sorted(calls), 0),
                  "%s: each of %d calls is shown" % (name, len(calls)))


def numbers(tap):
    for work in (("pairs", "2000"), ("areas", "1000"), ("threads", "4", "500")):
        _, objects, output = observed(("lat",), *work)
        _, calls = truth(output)
        wanted = {}
        for name in MEMORY:
            mine = [call for call in calls if call.name == name]
            wanted[name] = (len(mine), 0, sum(c.length for c in mine), sum(c.pages for c in mine))
        got = {row["operation"]: (row["count"], row["errors"], row["bytes"], row["pages"])
               for row in objects[-1]["operations"] if row["operation"] in MEMORY}
        tap.equal(got, wanted, "%s: lat's counts, bytes and pages are the client's" % " ".join(work))
        tap.equal({row["source"] for row in objects[-1]["operations"] if row["subsystem"] == "type1"},
                  {"type1"}, "with their source")
        tap.equal((objects[-1]["missed"], objects[-1]["unseen_phases"]), (0, "account (type1)"),
                  "nothing was missed, and what cannot be seen is reported")
        pins = [phase["count"] for row in objects[-1]["operations"] if row["operation"] == "map"
                for phase in row["phases"] if phase["phase"] == "pin"]
        tap.equal(pins, [wanted["map"][0]], "and each map has a pin phase")


def operations_only(tap):
    _, objects, output = observed(("lat", "--no-phases"), "pairs", "500")
    rows = {row["operation"]: row for row in objects[-1]["operations"]}
    tap.equal([(rows[name]["count"], rows[name]["bytes"], rows[name]["phases"]) for name in MEMORY],
              [(500, 500 * PAGE, [])] * 2, "without phases, operations are still counted")


def reasons(tap):
    _, objects, output = observed(("ops", "--errors"), "errors")
    _, calls = truth(output)
    wrong = [call for call in calls if call.error]
    tap.equal([c.error for c in shown(objects)], [c.error for c in wrong], "each failure is shown")
    base, memory = 1 << 32, [o["user_va"] for o in objects if o.get("reason") == "iova_overlap"]
    found = [(o["reason"], o["reason_a"], o["reason_b"]) for o in objects[:-1]]
    at = memory[0] if memory else 0
    tap.equal(found, [
        ("iova_overlap", base, base + 4 * PAGE - 1),
        ("unmap_splits_area", base, base + 4 * PAGE - 1),
        ("iova_reserved", 0xfee00000, 0xfeefffff),
        ("iova_misaligned", at + 1, PAGE),
        ("zero_length", 0, 0),
        ("overflow", 2**64 - PAGE, 2 * PAGE),
        ("unknown_flags", 1 << 7, 7),
        ("bad_value", 0, 0),
        ("gup_fault", at + 8 * PAGE, 14),
        ("bad_user_pointer", 0, 24),
    ], "each with its reason and its numbers")


def memory_limit(tap):
    allowed, wanted = 1 << 20, 4 << 20
    _, objects, _ = observed(("ops", "--errors"), "memlock", str(allowed), str(wanted))
    failures = [o for o in objects if "operation" in o]
    tap.equal([(o["operation"], o["error"], o["reason"], o["reason_a"], o["reason_b"], o["length_bytes"],
                o["uid"]) for o in failures],
              [("map", "ENOMEM", "memlock_limit", allowed // 4, allowed, wanted, 1000)],
              "the limit on locked memory is named, with the allowed, used and requested amounts")
    text = tool("ops", "--errors", "--", "type1-load", DEVICE, "memlock", str(allowed), str(wanted)).stdout
    tap.ok("RLIMIT_MEMLOCK: 1.0 MiB allowed, 0.2 MiB in use, 4 MiB wanted" in text, "and as text", text)


def entry_limit(tap):
    result, objects, output = observed(("ops", "--errors"), "full")
    areas = [int(line.split()[1]) for line in output.splitlines() if line.startswith("areas")]
    failures = [(o["error"], o["reason"], o["reason_a"]) for o in objects if "operation" in o]
    tap.equal((result.returncode, failures), (0, [("ENOSPC", "dma_entry_limit", areas[0])]),
              "a full container is reported as full, with its number of areas")


def waiting(tap):
    _, objects, _ = observed(("ops", "-o", "map"), "waiting", str(LONG))
    maps = sorted((o for o in objects if o.get("operation") == "map"), key=lambda o: o["iova"])
    tap.equal([o["process"] for o in maps], ["long-mapper", "waiting-mapper"], "both maps are shown")
    first, second = maps
    tap.ok(first["pin_ns"] > first["dur_ns"] / 2 and not first["wait_ns"],
           "the first spent its time pinning", first)
    tap.ok(second["wait_ns"] > second["dur_ns"] / 2, "the second spent it waiting for the lock", second)


def is_mapping(pid):
    """Is a client in its long map? The thread sets its name just before."""
    names = []
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/comm" % (pid, task), encoding="ascii") as file:
            names.append(file.read().strip())
    return "waiting-mapper" in names


def under_way(tap):
    with subprocess.Popen(["type1-load", DEVICE, "waiting", str(LONG)], stdout=subprocess.DEVNULL) as process:
        tap.ok(wait_for(lambda: is_mapping(process.pid)), "a client maps, and another thread waits for it")
        result = tool("stuck", "--json", "--longer", "50ms", "--no-stack", timeout=60)
    found = [(o["process"], o["operation"], o["source"], o["iova"], o["length_bytes"], o["dur_at_least"])
             for o in json.loads(result.stdout)["stuck"]]
    tap.ok(("long-mapper", "map", "type1", 1 << 32, LONG, True) in found,
           "a map that started before the tool is found", found)
    with Observer("stuck", "--json", "--longer", "50ms", "-i", "0.1", "--no-stack") as observer:
        run("type1-load", DEVICE, "waiting", str(LONG))
    found = {o["process"]: o for document in observer.objects() for o in document["stuck"]
             if o["operation"] == "map"}
    tap.equal({name: (o["phase"], o["source"], o["dur_at_least"]) for name, o in found.items()},
              {"long-mapper": ("pin", "type1", False), "waiting-mapper": ("wait", "type1", False)},
              "one of two concurrent maps pins, and the other waits for it")


def recording(tap):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace")
        with tempfile.NamedTemporaryFile("r") as output:
            tool("record", "-o", path, "--", *client(output.name, "pairs", "50"), timeout=60)
            _, calls = truth(output.read())
        report = of_type1(tool("report", "--json", path).stdout)
    tap.equal(shown(report), calls, "record and report show each call as well")
    tap.equal({o["source"] for o in report if "source" in o}, {"type1"}, "with its source")


def maps_seen_in_namespace(*command):
    """The processes whose maps `ops` shows in a PID namespace, and the output of the client."""
    with tempfile.TemporaryDirectory() as folder:
        ready, output = os.path.join(folder, "ready"), os.path.join(folder, "output")
        work = ["--", *client(output, *command)] if command else ["-n", "2"]
        with subprocess.Popen([*NAMESPACE, "iommuscope", "ops", "--json", "--operation", "map", "--ready-file", ready,
                               *work], stdout=subprocess.PIPE, text=True) as ops:
            if not command and wait_for(lambda: os.path.exists(ready)):
                run("type1-load", DEVICE, "pairs", "2")
            objects = of_type1(ops.communicate(timeout=patience(60))[0])
        with open(output if command else os.devnull, encoding="ascii") as file:
            return [(o["process"], o["pid"], o["tid"]) for o in objects if "operation" in o], file.read()


def in_namespace(tap):
    seen, output = maps_seen_in_namespace("pairs", "2")
    pid, _ = truth(output)
    tap.equal(seen, [("type1-load", pid, pid)] * 2, "in a PID namespace, ops shows that namespace's pids")
    tap.equal(maps_seen_in_namespace()[0], [("type1-load", None, None)] * 2, "and null for a process outside")
    state = run(*NAMESPACE, "iommuscope", "state")
    tap.ok(state.returncode == 0 and state.stderr.count("\n") == 1 and "hostPID: true" in state.stderr,
           "state says once what is missing", state.stderr)


def counted():
    """Maps and unmaps that the exporter counts."""
    found = samples(get("/metrics")[2]).get("iommufd_operations_total", {})
    return [found.get((("operation", operation), ("result", "success"), ("source", "type1")))
            for operation in ("map", "unmap")]


def busy(tap):
    """Above a rate the exporter observes operations only, says so, and still counts each."""
    calls, observed_phases = 0, None
    with Observer("export", "--phases-limit", "100") as observer:
        before = sample(samples(get("/metrics")[2]), "iommufd_exporter_phases_observed")
        for _ in range(20):
            run("type1-load", DEVICE, "pairs", "2000")
            calls += 2000
            found = samples(get("/metrics")[2])
            observed_phases = sample(found, "iommufd_exporter_phases_observed")
            if not observed_phases:
                break
        run("type1-load", DEVICE, "pairs", "200")
        calls += 200
        # a scrape may be answered from the one before
        wait_for(lambda: counted() == [calls, calls])
        counts = counted()
    tap.equal((before, observed_phases), (1, 0), "phases are observed until there are too many operations")
    tap.equal(counts, [calls, calls], "operations are counted exactly all the time")
    tap.equal(observer.stderr, "iommuscope: more than 100 operations a second: their phases are not observed any more\n",
              "and the exporter says what it does not observe any more")


def sources():
    """Sources that the exporter observes."""
    found = samples(get("/metrics")[2])["iommufd_exporter_source_observed"]
    return sorted(labels["source"] for labels, value in ((dict(key), value) for key, value in found.items()) if value)


def load_modules():
    subprocess.run(["modprobe", "-a", "vfio-pci", "vfio_iommu_type1"], check=True)
    subprocess.run([BIND, DEVICE], check=True, stdout=subprocess.DEVNULL)


def counts_exactly(tap, number, so_far, name):
    """Make this many calls; all so far must be counted."""
    run("type1-load", DEVICE, "pairs", str(number))
    wanted = [so_far + number] * 2
    wait_for(lambda: counted() == wanted)
    tap.equal(counted(), wanted, name)


def of_devices():
    """Operations of vfio that the exporter counts."""
    counts = collections.Counter()
    for labels, value in samples(get("/metrics")[2]).get("vfio_operations_total", {}).items():
        counts[dict(labels)["operation"]] += value
    return +counts


def device_counts_exactly(tap, name):
    """Use the device; all calls must be counted, also those that the driver alone sees."""
    before = of_devices()
    with tempfile.NamedTemporaryFile("r") as log:
        run("python3", USER, log.name, DEVICE, timeout=120)
        calls = collections.Counter(json.loads(line)["operation"] for line in log)
    wait_for(lambda: of_devices() == before + calls)
    tap.ok(calls["bar_fault"], "the device is used", calls)
    tap.equal(of_devices() - before, calls, name)


def later(tap):
    """The modules come after the tool, as on a host whose guests start long after it has booted."""
    run("modprobe", "-r", "vfio_pci", "vfio_iommu_type1")
    if os.path.isdir("/sys/module/vfio"):
        raise RuntimeError("vfio is still loaded")
    with Observer("export") as exporter:
        tap.equal((sources(), counted()), ([], [None, None]), "without a module the exporter runs")
        load_modules()
        tap.ok(wait_for(lambda: sources() == ["type1", "vfio"]), "it finds modules that are loaded later", sources())
        counts_exactly(tap, 50, 0, "and counts their operations exactly")
        device_counts_exactly(tap, "and those of their devices")
        with open("/proc/%d/status" % exporter.process.pid, encoding="ascii") as status:
            kept = [line.split()[1] for line in status if line.startswith("CapEff")]
        tap.equal(kept, ["000000c000000000"], "it has given up the capability to read the BTF of modules")
        result = run("modprobe", "-r", "vfio_iommu_type1")
        tap.ok(result.returncode and os.path.isdir("/sys/module/vfio_iommu_type1"),
               "a module that is observed cannot be unloaded", result.stderr)
        for turn in 1, 2:
            lines = len(exporter.so_far())
            run("modprobe", "-r", "vfio_pci")
            tap.ok(not os.path.isdir("/sys/module/vfio_pci_core"), "a driver can be unloaded")
            load_modules()
            tap.ok(wait_for(lambda seen=lines: len(exporter.so_far()) > seen), "when it is loaded again, that is seen")
            counts_exactly(tap, 10, 40 + turn * 10, "and no counter goes back")
            device_counts_exactly(tap, "what the driver sees is counted again")
        value = sample(samples(get("/metrics")[2]), "iommufd_exporter_load_failures_total")
    tap.equal((value, exporter.stderr),
              (0, "iommuscope: nothing to observe yet: waiting for vfio_iommu_type1 or iommufd (modprobe vfio-pci)\n"),
              "it has reported what it waits for, and nothing else")


if __name__ == "__main__":
    subprocess.run([BIND, DEVICE], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["modprobe", "vfio_iommu_type1"], check=True)
    tests = (every_call, shapes, numbers, operations_only, reasons, memory_limit, entry_limit, waiting, under_way, recording,
             in_namespace, busy, later)
    wanted = sys.argv[2:]
    Tap().run(*(test for test in tests if not wanted or test.__name__ in wanted))
