#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""state and capacity without our modules: VFIO's containers, whose every area is known.

The machine has a device in a group of its own (00:03.0), another one (00:04.0), and one with two
functions in one group (behind 00:05.0).
"""

import contextlib
import json
import os
import resource
import select
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "tool"))
from tooltest import Observer, Tap, run, setting, tool, wait_for  # noqa: E402

from container import Container, Memory, bind_device, group_of  # noqa: E402

MIB = 1 << 20
PAGE = 4096
LIMIT = 65535
ALONE, OTHER = "0000:00:03.0", "0000:00:04.0"
# a process that RLIMIT_MEMLOCK limits
LIMITED = ("setpriv", "--bounding-set=-all,+sys_admin,+dac_override", "--inh-caps=-all", "--")


def functions():
    """The two functions of one device."""
    folder = "/sys/bus/pci/devices/0000:00:05.0"
    return sorted(name for name in os.listdir(folder) if name.count(":") == 2)


def read(*arguments, command="state"):
    result = tool(command, "--json", *arguments)
    if result.returncode or result.stderr:
        raise RuntimeError("%d: %s" % (result.returncode, result.stderr))
    return json.loads(result.stdout)


def subset(tap, record, wanted, name):
    tap.equal({key: record[key] for key in wanted}, wanted, name)


def of_process(state, pid):
    """The number of the only context of a process."""
    ctx, = [c["ctx"] for c in state["contexts"] if c["pid"] == pid]
    return ctx


def only(records, ctx):
    record, = [r for r in records if r["ctx"] == ctx]
    return record


def usable_ranges(devices, last):
    """The addresses that reserved regions leave."""
    reserved = set()
    for device in devices:
        with open("/sys/kernel/iommu_groups/%d/reserved_regions" % group_of(device)) as file:
            for line in file:
                words = line.split()
                if words[2] != "direct-relaxable":
                    reserved.add((int(words[0], 16), int(words[1], 16)))
    ranges, at = [], 0
    for begin, end in sorted(reserved):
        if begin > last:
            break
        if begin > at:
            ranges.append((at, begin - 1))
        at = max(at, end + 1)
    if at <= last:
        ranges.append((at, last))
    return ranges


def largest_hole(ranges, areas):
    largest = 0
    for begin, end in ranges:
        at = begin
        for iova, length in sorted(areas.items()):
            if begin <= iova <= end:
                largest = max(largest, iova - at)
                at = iova + length
        largest = max(largest, end + 1 - at)
    return largest


@contextlib.contextmanager
def container(*devices):
    made = Container(*devices)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def helper(*arguments, prefix=(), script=__file__):
    """This script as another process, once it has reported that it is ready; it ends with the
    with-block.
    """
    command = [*prefix, sys.executable, os.path.abspath(script), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        if line != "ready\n":
            raise RuntimeError("%s said %r" % (" ".join(command), line))
        try:
            yield process
        finally:
            process.stdin.close()


def known(tap):
    """Two groups in one container; sizes and locations of areas that vary."""
    pair = functions()
    memory = Memory(8 * MIB)
    with container(ALONE, *pair) as made:
        for number in range(40):
            made.map(number * 4 * MIB, memory, 0, MIB)
        made.map(1 << 32, memory, 0, 8 * MIB)
        made.map((1 << 32) + 16 * MIB, memory, 0, PAGE, prot=1)
        made.unmap(4 * MIB, MIB)
        state = read()
        ctx = of_process(state, os.getpid())
        mapped = made.mapped()
        subset(tap, only(state["contexts"], ctx),
               {"source": "type1", "process": "python3", "process_gone": False, "uid": 0,
                "rlimit_mode": "process", "no_iommu": False, "pinned_bytes": mapped, "about": False,
                "opened_time_ns": None, "user_locked_bytes": None}, "a container is a context")
        space = only(state["ioases"], ctx)
        subset(tap, space,
               {"source": "type1", "ioas": 1, "hwpts": 1, "areas": len(made.areas),
                "areas_left": LIMIT - len(made.areas), "mapped_bytes": mapped,
                "pinned_bytes": mapped, "about": False, "extents": None, "huge_bytes": None,
                "alloc_hole_bytes": None, "page_table_at_least_bytes": None,
                "iova_alignment_bytes": PAGE},
               "its address space: known values are exact, unknown ones are null")
        ranges = usable_ranges([ALONE, *pair], space["aperture_last"])
        subset(tap, space,
               {"usable_ranges": len(ranges), "aperture_first": ranges[0][0],
                "usable_bytes": sum(end + 1 - begin for begin, end in ranges),
                "largest_hole_bytes": largest_hole(ranges, made.areas)},
               "its usable ranges and its largest hole")
        hwpt = only(state["hwpts"], ctx)
        subset(tap, hwpt, {"hwpt": 1, "ioas": 1, "domain_type": "unmanaged", "devices": 3,
                           "iommu_driver": "intel_iommu"}, "its domain, which two groups share")
        tap.ok(hwpt["page_sizes_bytes"][0] == PAGE, "with the sizes of its pages", hwpt)
        devices = {d["device"]: d for d in state["devices"]}
        tap.equal(sorted(devices), sorted([ALONE, *pair]), "all devices of its groups")
        for name in devices:
            subset(tap, devices[name],
                   {"ctx": ctx, "source": "type1", "driver": "vfio-pci", "group": group_of(name),
                    "iommu": "dmar0", "iommu_driver": "intel_iommu", "attached": True, "hwpt": 1,
                    "ioas": 1, "mediated": False, "replacements": None,
                    "group_devices_attached": 1 if name == ALONE else 2}, "device " + name)
        areas(tap, made, ctx, memory)
        filters(tap, ctx, pair)
        capacity(tap, made, ctx)
        text(tap, ctx)
    tap.equal([d for d in read()["contexts"] if d["pid"] == os.getpid()], [],
              "a closed container is no longer shown")


def areas(tap, made, ctx, memory):
    found = read("--areas", "%d:1" % ctx)["areas"]
    tap.equal([(a["iova"], a["length_bytes"]) for a in found], sorted(made.areas.items()),
              "--areas lists the mapped areas, in order")
    tap.equal({a["user_va"] for a in found}, {memory.address}, "with the memory behind it")
    tap.equal([(a["readable"], a["writeable"]) for a in found[-2:]], [(True, True), (True, False)],
              "and the access of devices")
    tap.ok(all(a["pid"] == os.getpid() and a["pinned"] and a["extents"] is None for a in found),
           "extents are unknown", found[:2])


def filters(tap, ctx, pair):
    tap.equal([d["device"] for d in read("-d", pair[1])["devices"]], [pair[1]], "-d")
    tap.equal(len(read("-p", str(os.getpid()))["devices"]), 3, "-p")
    tap.equal(read("-p", "1")["devices"], [], "-p of another process")
    tap.equal(len(read("--ctx", str(ctx))["devices"]), 3, "--ctx")


def capacity(tap, made, ctx):
    document = read(command="capacity")
    process, = [p for p in document["processes"] if p["pid"] == os.getpid()]
    subset(tap, process, {"rlimit_mode": "process", "pinned_bytes": made.mapped(),
                          "locked_bytes": made.mapped(), "limit": "cap_ipc_lock"},
           "capacity: the process's pinned memory")
    tap.equal([u["user_locked_bytes"] for u in document["users"]], [None],
              "nothing counts for the user")
    result = tool("capacity", "--fit", "1M", "--json")
    room = only(json.loads(result.stdout)["ioases"], ctx)
    tap.equal((result.returncode, room["fit"]["fits"]), (0, True), "a map fits")


def text(tap, ctx):
    lines = tool("state").stdout.splitlines()
    row = next(line for line in lines if line.startswith(ALONE))
    tap.ok(str(ctx) in row.split() and "python3" in row, "state has a line for the device", row)
    tap.ok("VFIO type1" in "\n".join(lines), "and names its owner", lines)
    tree = tool("state", "--tree").stdout
    tap.ok(tree.startswith("ctx %d  python3 [%d]" % (ctx, os.getpid())) and ALONE in tree,
           "--tree", tree)


def exported(tap):
    """The exporter, which drops most privileges before it looks, and top."""
    memory = Memory(PAGE)
    with container(ALONE) as made:
        for number in range(7):
            made.map(number * 2 * PAGE, memory)
        with Observer("export"):
            for number in range(7, 10):
                made.map(number * 2 * PAGE, memory)
            with urllib.request.urlopen("http://127.0.0.1:9947/metrics") as answer:
                lines = answer.read().decode().splitlines()
        found = {line.split("{")[0]: line.split("}")[-1].split()[0] for line in lines if "ioas=" in line}
        tap.equal((found["iommufd_ioas_areas"], found["iommufd_ioas_pinned_bytes"]),
                  ("10", str(10 * PAGE)), "export: areas and pinned memory")
        samples = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        names = [name for name, _ in samples]
        tap.equal([name for name in names if names.count(name) > 1], [], "no sample appears twice")
        counted = dict(samples)
        tap.equal([counted['iommufd_operations_total{operation="map",source="type1",result="success"}'],
                   counted['iommufd_operation_bytes_total{operation="map",source="type1"}']],
                  ["3", str(3 * PAGE)], "operations count as iommufd's do, with their source")
        tap.ok("iommufd_ioas_extents" not in found, "and unknown values have no sample", found)
        tap.ok([line for line in lines if line.startswith("iommufd_device_info{")
                and ALONE in line and 'source="type1"' in line], "the device, and its owner")
        shown = run("script", "-qc", "TERM=xterm iommuscope top -n 2", "/dev/null").stdout
        tap.ok("1 device" in shown and "40 KiB mapped" in shown, "top counts it", shown)


def limited(tap):
    """A process that has used most of its limit."""
    with helper("hold", OTHER, str(3 * MIB), str(4 * MIB), prefix=LIMITED) as process:
        document = read(command="capacity")
        record, = [p for p in document["processes"] if p["pid"] == process.pid]
        subset(tap, record,
               {"pinned_bytes": 3 * MIB, "locked_bytes": 3 * MIB, "limit": "bytes",
                "limit_bytes": 4 * MIB, "left_bytes": MIB, "rlimit_mode": "process"},
               "the pinned memory and the limit")
        result = tool("capacity", "--fit", "2M", "-p", str(process.pid), "--json")
        room, = json.loads(result.stdout)["ioases"]
        tap.equal((result.returncode, room["fit"]["fits"], room["fit"]["reason"]), (1, False, "memlock_limit"),
                  "the size that does not fit, and the reason")


def entry_limit(tap):
    """The limit of areas, which a container reads when it is opened."""
    parameter = "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit"
    memory = Memory(PAGE)
    with setting(parameter, "3"), container(ALONE) as made:
        for number in range(3):
            made.map(number * PAGE, memory)
        space = only(read()["ioases"], of_process(read(), os.getpid()))
        subset(tap, space, {"areas": 3, "areas_left": 0, "about": False}, "no area is left")
        result = tool("capacity", "--fit", "4K", "--json")
        room, = json.loads(result.stdout)["ioases"]
        tap.equal((room["fit"]["fits"], room["fit"]["reason"]), (False, "dma_entry_limit"), "which --fit says")
    with container(ALONE) as made, setting(parameter, "100"):
        for number in range(5):
            made.map(number * PAGE, memory)
        space = only(read()["ioases"], of_process(read(), os.getpid()))
        subset(tap, space, {"areas": 5, "areas_left": LIMIT - 5, "about": False},
               "a later change of the limit does not make it inexact")


def shared(tap):
    """A container that two processes have, and one whose own file is closed."""
    memory = Memory(MIB)
    with container(ALONE) as made:
        made.map(0, memory)
        child = os.fork()
        if not child:
            time.sleep(1000)
            os._exit(0)
        state = read()
        tap.equal([c["pid"] for c in state["contexts"]], [os.getpid()],
                  "it belongs to the process that maps, and is shown once")
        os.kill(child, 9)
        os.waitpid(child, 0)
        made.open_device(ALONE)
        os.close(made.file)
        made.file = None
        subset(tap, only(read()["ioases"], state["contexts"][0]["ctx"]), {"areas": 1},
               "its groups keep it alive")
        os.close(made.groups.popitem()[1])
        subset(tap, only(read()["ioases"], state["contexts"][0]["ctx"]), {"areas": 1},
               "and so do its devices")


def many(tap):
    """Nearly the maximum number of areas; the figure is for people to read."""
    memory = Memory(PAGE)
    with container(ALONE) as made:
        for number in range(65000):
            made.map(number * 2 * PAGE, memory)
        with Observer("state", "--watch", "-i", "0.01", "-n", "6", "--json", "-d", ALONE) as watch:
            watch.ends()
        looks = watch.objects()
        tap.equal([(look["ioases"][0]["areas"], look["ioases"][0]["mapped_bytes"],
                    look["ioases"][0]["about"]) for look in looks],
                  [(65000, 65000 * PAGE, False)] * 6, "65,000 areas")
        times = [b["time_ns"] - a["time_ns"] for a, b in zip(looks, looks[1:])]
        print("# a look at 65,000 areas: %.1f ms" % (min(times) / 1e6))
        found = read("--areas", "1", "-d", ALONE)["areas"]
        tap.equal([a["iova"] for a in found], list(range(0, 65000 * 2 * PAGE, 2 * PAGE)),
                  "all are listed")


def churn(tap):
    """10,000 areas, one of which is always changing: the count is exact or marked as inexact."""
    with helper("churn", ALONE, "10000") as process:
        with Observer("state", "--watch", "-i", "0.01", "-n", "200", "--json", "-d", ALONE,
                      timeout=200) as watch:
            watch.ends()
        spaces = [look["ioases"][0] for look in watch.objects()]
        wrong = [s for s in spaces if s["areas"] not in (9999, 10000)]
        tap.ok(len(spaces) == 200 and not wrong, "the number of areas is exact in each report", wrong[:3])
        # an area that is being mapped is present but still empty
        wrong = [s for s in spaces if not s["about"]
                 and s["areas"] - s["mapped_bytes"] // PAGE not in (0, 1)]
        tap.equal(wrong, [], "unmarked sums are exact")
        tap.ok(all(s["areas_exact"] for s in spaces if s["about"]), "and the number of areas of marked ones is exact")
        print("# %d of %d looks are about" % (sum(s["about"] for s in spaces), len(spaces)))
        listed = read("--areas", "1", "-p", str(process.pid))["areas"]
        ordered = [a["iova"] for a in listed]
        tap.ok(ordered == sorted(set(ordered)) and len(ordered) <= 10000,
               "--areas ascends, and lists none twice")


def hostile(tap):
    """A process name with control sequences for a terminal."""
    with open("/proc/self/comm", "w") as file:
        file.write("\33[31m\n\"x")
    try:
        with container(ALONE):
            tap.equal([c["process"] for c in read()["contexts"]], ["?[31m?\"x"],
                      "a name is cleaned")
            shown = tool("state", "--tree").stdout + tool("state").stdout
            tap.ok("\33" not in shown and "[31m\n" not in shown, "text has no control sequences", shown)
    finally:
        with open("/proc/self/comm", "w") as file:
            file.write("python3")


def held(tap):
    """A group that a process has open but does not use: no other process can have it."""
    def holders():
        return {d["device"]: d["holders"] for d in read()["unused_devices"]}

    tap.equal(holders()[OTHER], [], "a device that no process has")
    file = os.open("/dev/vfio/%d" % group_of(OTHER), os.O_RDWR)
    try:
        tap.equal(holders()[OTHER], [{"pid": os.getpid(), "process": "python3"}], "the process that holds it")
        tap.equal(holders()[ALONE], [], "and no other device")
        shown = tool("state", "-d", OTHER).stdout
        tap.ok("held by python3 [%d], which has the node of its group open" % os.getpid() in shown,
               "state says it", shown)
    finally:
        os.close(file)


def privilege(tap):
    result = run("setpriv", "--reuid=65534", "--clear-groups", "iommuscope", "state")
    tap.equal((result.returncode, result.stdout, result.stderr),
              (1, "", "iommuscope: no privilege: run it as root, or with CAP_BPF and CAP_PERFMON\n"),
              "without privilege it reports that in one line")


def unloaded(tap):
    """The module is unloaded and loaded while the tool looks."""
    def last():
        return json.loads(watch.so_far()[-1]) if watch.so_far() else None

    def modules(*words):
        subprocess.run(["modprobe", *words], check=True)

    with Observer("state", "--watch", "-i", "0.1", "--json", timeout=200) as watch:
        tap.ok(wait_for(last), "it looks")
        modules("-r", "vfio_pci", "vfio_iommu_type1")
        before = len(watch.so_far())
        tap.ok(wait_for(lambda: len(watch.so_far()) > before + 1), "it continues without the module")
        tap.equal(last()["contexts"], [], "and sees nothing")
        result = tool("state")
        tap.equal((result.returncode, result.stderr.count("\n"), "modprobe" in result.stderr),
                  (1, 1, True), "one that starts now reports what is missing")
        modules("vfio-pci")
        bind_device(ALONE)
        with container(ALONE) as made:
            made.map(0, Memory(PAGE))
            tap.ok(wait_for(lambda: last()["contexts"]), "and sees new containers")
            tap.equal(last()["ioases"][0]["areas"], 1, "as it is")
    tap.equal(watch.stderr, "", "without a word")


def hold(device, length, limit):
    """Run by helper(): map this much."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))
    made = Container(device)
    made.map(0, Memory(length))
    print("ready", flush=True)
    sys.stdin.read()


def churn_areas(device, number):
    """Run by helper(): this many areas, all moved around until the input ends."""
    made, memory = Container(device), Memory(PAGE)
    for i in range(number):
        made.map(i * 2 * PAGE, memory)
    print("ready", flush=True)
    i = 0
    while not select.select([0], [], [], 0)[0]:
        # removed here, added there: the tree rotates
        made.change(i * 2 * PAGE, memory)
        i = (i + 7919) % number


if __name__ == "__main__":
    if sys.argv[1:2] == ["hold"]:
        hold(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    elif sys.argv[1:2] == ["churn"]:
        churn_areas(sys.argv[2], int(sys.argv[3]))
    else:
        bind_device(ALONE)
        bind_device(OTHER)
        for function in functions():
            bind_device(function)
        Tap().run(known, exported, limited, entry_limit, shared, many, churn, hostile, held, privilege, unloaded)
