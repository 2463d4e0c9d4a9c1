#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""state and capacity of the kernel's own iommufd, whose every object is known.

The machine is that of containers.py.
"""

import os
import resource
import select
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "tool"))
from tooltest import Observer, Tap, tool  # noqa: E402

from container import Memory, bind_device, group_of  # noqa: E402
from context import Context  # noqa: E402
from containers import ALONE, OTHER, PAGE, functions, helper, largest_hole, of_process, only, read, subset, \
    usable_ranges  # noqa: E402

MIB = 1 << 20
# a process that RLIMIT_MEMLOCK limits
LIMITED = ("setpriv", "--bounding-set=-all,+sys_admin,+dac_override", "--inh-caps=-all", "--")


def known(tap):
    """Two address spaces, an allocated HWPT, a group of two of which one is attached, a copy."""
    pair = functions()
    memory = Memory(8 * MIB)
    made = Context()
    first, second = made.ioas(), made.ioas()
    alone, other = made.bind(ALONE), made.bind(OTHER)
    twins = [made.bind(name) for name in pair]
    auto = made.attach(alone[0], first)
    tap.equal(made.attach(twins[0][0], first), auto, "two groups share a HWPT")
    kept = made.hwpt(other[1], second)
    made.attach(other[0], kept)
    areas = {number * 4 * MIB: MIB for number in range(40)}
    areas[1 << 32] = 8 * MIB
    for iova, length in areas.items():
        made.map(first, iova, memory, 0, length)
    made.unmap(first, 4 * MIB, MIB)
    del areas[4 * MIB]
    made.map(first, (1 << 32) + 16 * MIB, memory, 5 * PAGE, PAGE, flags=4)
    areas[(1 << 32) + 16 * MIB] = PAGE
    made.copy(second, first, 8 * MIB, MIB)
    mapped = sum(areas.values())

    state = read()
    ctx = of_process(state, os.getpid())
    subset(tap, only(state["contexts"], ctx),
           {"source": "upstream", "process": "python3", "process_gone": False, "uid": 0,
            "rlimit_mode": "user", "vfio_ioas": None, "about": False, "opened_time_ns": None,
            "pinned_bytes": mapped}, "the context: copied memory is pinned once")
    spaces = {s["ioas"]: s for s in state["ioases"] if s["ctx"] == ctx}
    tap.equal(sorted(spaces), [first, second], "its address spaces")
    subset(tap, spaces[first],
           {"source": "upstream", "hwpts": 1, "accesses": 0, "areas": len(areas),
            "areas_left": None, "mapped_bytes": mapped, "pinned_bytes": mapped, "extents": None,
            "huge_bytes": None, "about": False, "iova_alignment_bytes": PAGE},
           "one with many areas")
    subset(tap, spaces[second], {"hwpts": 1, "areas": 1, "mapped_bytes": MIB, "pinned_bytes": MIB},
           "one with a copy")
    ranges = usable_ranges([ALONE, pair[0]], spaces[first]["aperture_last"])
    subset(tap, spaces[first],
           {"usable_ranges": len(ranges), "usable_bytes": sum(e + 1 - b for b, e in ranges),
            "largest_hole_bytes": largest_hole(ranges, areas)}, "its usable ranges and largest hole")
    hwpts = {h["hwpt"]: h for h in state["hwpts"] if h["ctx"] == ctx}
    subset(tap, hwpts[auto], {"source": "upstream", "ioas": first, "automatic": True, "devices": 2,
                              "domain_type": "unmanaged", "iommu_driver": "intel_iommu"},
           "the HWPT that an attach made")
    subset(tap, hwpts[kept], {"ioas": second, "automatic": False, "devices": 1},
           "the one that was allocated")
    devices = {d["device"]: d for d in state["devices"]}
    for name, bound, hwpt, ioas in ((ALONE, alone, auto, first), (OTHER, other, kept, second),
                                    (pair[0], twins[0], auto, first),
                                    (pair[1], twins[1], None, None)):
        subset(tap, devices[name],
               {"ctx": ctx, "source": "upstream", "device_id": bound[1], "driver": "vfio-pci",
                "group": group_of(name), "iommu_driver": "intel_iommu", "hwpt": hwpt,
                "ioas": ioas, "attached": hwpt is not None, "group_devices_attached": 1},
               "device " + name)
    listed = read("--areas", "%d:%d" % (ctx, first))["areas"]
    tap.equal([(a["iova"], a["length_bytes"], a["writeable"], a["pid"]) for a in listed],
              [(iova, length, iova != (1 << 32) + 16 * MIB, os.getpid())
               for iova, length in sorted(areas.items())], "--areas lists the mapped areas, in order")
    tap.equal((listed[0]["user_va"], listed[-1]["user_va"]),
              (memory.address, memory.address + 5 * PAGE), "with the memory behind it")
    text = tool("state").stdout
    tap.ok("the kernel's iommufd" in text and ALONE in text, "state names its owner", text)

    made.detach(alone[0])
    state = read()
    subset(tap, {d["device"]: d for d in state["devices"]}[ALONE],
           {"attached": False, "hwpt": None, "ioas": None}, "a device that is detached")
    made.close()
    tap.equal(read()["contexts"], [], "a closed context is no longer shown")


def limited(tap):
    with helper("hold", ALONE, str(3 * MIB), str(4 * MIB), prefix=LIMITED, script=__file__) as process:
        document = read(command="capacity")
        record, = [p for p in document["processes"] if p["pid"] == process.pid]
        subset(tap, record, {"rlimit_mode": "user", "pinned_bytes": 3 * MIB, "locked_bytes": 3 * MIB,
                             "limit_bytes": 4 * MIB, "left_bytes": MIB},
               "the pinned memory and the limit, by user")
        tap.equal(document["users"], [{"uid": 0, "pinned_bytes": 3 * MIB,
                                       "user_locked_bytes": 3 * MIB}], "and the user's sum")


def many(tap):
    """Many areas and objects; the figure is for people to read."""
    memory = Memory(PAGE)
    made = Context()
    spaces = [made.ioas() for _ in range(300)]
    for number in range(20000):
        made.map(spaces[0], number * 2 * PAGE, memory)
    with Observer("state", "--watch", "-i", "0.01", "-n", "6", "--json") as watch:
        watch.ends()
    looks = watch.objects()
    tap.equal([(len(look["ioases"]), look["ioases"][0]["areas"], look["ioases"][0]["mapped_bytes"],
                look["ioases"][0]["pinned_bytes"], look["ioases"][0]["about"]) for look in looks],
              [(300, 20000, 20000 * PAGE, 0, False)] * 6, "20,000 areas, 300 address spaces")
    times = [b["time_ns"] - a["time_ns"] for a, b in zip(looks, looks[1:])]
    print("# a look at 20,000 areas: %.1f ms" % (min(times) / 1e6))
    found = read("--areas", str(spaces[0]))["areas"]
    tap.equal([a["iova"] for a in found], list(range(0, 20000 * 2 * PAGE, 2 * PAGE)), "all are listed")
    made.close()


def churn(tap):
    """2,000 areas that move around all the time: sums are exact or marked as inexact."""
    with helper("churn", ALONE, "2000", script=__file__):
        with Observer("state", "--watch", "-i", "0.01", "-n", "100", "--json", timeout=200) as watch:
            watch.ends()
    spaces = [look["ioases"][0] for look in watch.objects()]
    wrong = [s for s in spaces if not s["about"] and (s["areas"] not in (1999, 2000)
                                                      or s["mapped_bytes"] != s["areas"] * PAGE)]
    tap.ok(len(spaces) == 100 and not wrong, "unmarked sums are exact", wrong[:3])
    print("# %d of %d looks are about" % (sum(s["about"] for s in spaces), len(spaces)))


def hold(device, length, limit):
    """Run by helper(): map this much."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))
    made = Context()
    ioas = made.ioas()
    made.attach(made.bind(device)[0], ioas)
    made.map(ioas, 0, Memory(length))
    print("ready", flush=True)
    sys.stdin.read()


def churn_areas(device, number):
    """Run by helper(): this many areas, all moved around until the input ends."""
    made, memory = Context(), Memory(PAGE)
    ioas = made.ioas()
    made.attach(made.bind(device)[0], ioas)
    for i in range(number):
        made.map(ioas, i * 2 * PAGE, memory)
    print("ready", flush=True)
    i = 0
    while not select.select([0], [], [], 0)[0]:
        made.unmap(ioas, i * 2 * PAGE, PAGE)
        made.map(ioas, i * 2 * PAGE, memory)
        i = (i + 797) % number


if __name__ == "__main__":
    if sys.argv[1:2] == ["hold"]:
        hold(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    elif sys.argv[1:2] == ["churn"]:
        churn_areas(sys.argv[2], int(sys.argv[3]))
    else:
        for slot in (ALONE, OTHER, *functions()):
            bind_device(slot)
        Tap().run(known, limited, many, churn)
