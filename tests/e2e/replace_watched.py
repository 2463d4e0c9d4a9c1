#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope replace while real (emulated) devices do DMA: what each IOMMU driver does to it.

On VT-d and AMD the driver removes the old translation before it puts the new one in force; on
virtio-iommu it does not. The observations of the NVMe driver must agree with that.
"""

import fcntl
import json
import os
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "tool"))
from tooltest import Tap, run, tool  # noqa: E402

VFIO_DEVICE_BIND_IOMMUFD = ord(";") << 8 | 118
UNCHANGED = "unchanged"


def watched(tap, *command):
    """The tool's objects and the notes of the test that it ran."""
    result = tool("replace", "--json", "--", "sh", "-c", 'exec "$@" >&2', "sh", *command,
                  timeout=200)
    tap.equal(result.returncode, 0, "%s runs under the tool" % command[-1])
    lines = [line for line in result.stdout.splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines], result.stderr


def reads_go_on(tap):
    objects, notes = watched(tap, "e2e-test", "replace.reads_go_on")
    found = re.search(r"# (\w+): (\d+) replacements .* of these (\d+) failed, (\d+) lost", notes)
    if not tap.ok(found, "the workload reports what it has seen", notes):
        return
    kind, count, errors = found[1], int(found[2]), int(found[3]) + int(found[4])
    totals = objects.pop()
    tap.equal((totals["lost"], len(objects)), (0, count), "each replacement is shown, none is lost")
    tap.equal({o["ret"] for o in objects}, {0}, "all of them succeeded")
    switched = [o for o in objects if o["verdict"] != UNCHANGED]
    tap.ok(len(switched) > count / 2, "most of them switched to another HWPT", len(switched))
    tap.equal({(o["verdict"] == UNCHANGED) == (o["hwpt"] == o["old_hwpt"]) for o in objects},
              {True}, "the others had the HWPT already")
    device = totals["devices"][0]
    tap.equal([d["count"] for d in totals["devices"] + totals["iommu_drivers"]], [count, count],
              "totals are of one device and one IOMMU driver")

    verdicts = {o["verdict"] for o in switched}
    # an unknown value is null, not 0
    faults = sum(o["faults_in_window"] or 0 for o in objects)
    unknown = {o["faults_unknown"] for o in switched} - {None}
    tap.ok(all((o["faults_in_window"] is None) == (o["faults_unknown"] is not None) and
               (o["faults_unknown"] is None or not o["faults"]) for o in objects),
           "a number of faults is shown only if it is known")
    print("# %s: %d of %d switched, window p50 %d ns; %d reads failed, %d faults in windows"
          % (kind, len(switched), count, device["window"]["p50_ns"], errors, faults))
    if kind == "virtio":
        tap.equal(verdicts, {"hitless"}, "virtio-iommu is hitless")
        tap.equal((sum(o["windows"] for o in objects), errors, faults), (0, 0, 0),
                  "no window, no read failed, no fault")
    else:
        tap.equal(verdicts, {"blocked"}, "%s takes the translation away each time" % kind)
        tap.equal(sum(o["windows"] for o in objects), len(switched),
                  "there are as many windows as switches")
        tap.ok(all(0 < o["window_ns"] <= o["switch_ns"] for o in switched),
               "each window lies within the switch")
    if kind == "intel":
        # one read may cause several faults, and one may be reported after the next replacement
        # has started
        tap.equal(unknown, set(), "the fault registers of VT-d report all")
        seen = faults + device["faults_after"] + totals["stray_faults"]
        tap.ok(seen >= errors or device["faults_at_least"],
               "reads that failed are matched by faults", errors, seen, totals)
        tap.ok(all(f["fault_reason"] in (1, 2) for o in objects for f in o["faults"] if f["in_window"]),
               "whose reason is the missing translation",
               [f for o in objects for f in o["faults"]])
    elif kind == "amd":
        # the emulated AMD IOMMU reports no faults of a blocked device, whatever fails
        tap.equal((unknown, faults), ({"none_reported"}, 0),
                  "faults that AMD's event log does not report are shown as unknown")
        tap.equal([(d["faults_in_window"], d["faults_none_reported"])
                   for d in totals["devices"] + totals["iommu_drivers"]], [(None, len(switched))] * 2,
                  "in the totals too")
        tap.ok(all(o["verdict_text"].endswith(", no fault reported") for o in switched),
               "and in the text", switched[0]["verdict_text"])
        return
    if kind == "virtio":
        tap.ok(unknown <= {"none_reported"}, "silence of the kernel log proves nothing", unknown)


def fault_after(tap):
    objects, notes = watched(tap, "e2e-test", "replace.fault_after")
    found = re.search(r"# (\S+) writes to (0x\w+)", notes)
    kind = "intel" if os.path.isdir("/sys/class/iommu/dmar0") else "virtio" \
        if os.path.isdir("/sys/module/virtio_iommu") else "amd"
    if not tap.ok(found, "the workload writes to an unmapped address", notes):
        return
    mine = [o for o in objects if o.get("device") == found[1]]
    tap.equal(len(mine), 1, "its one replacement is shown")
    faults = [f for o in mine for f in o["faults"]]
    if kind == "amd":
        tap.equal(faults, [], "the emulated AMD IOMMU reports none")
        return
    tap.ok(faults and mine[0]["faults_after"] >= 1 and mine[0]["faults_in_window"] == 0,
           "the fault counts for it, as one after the window", mine)
    tap.equal({f["iova"] & ~0xfff for f in faults}, {int(found[2], 0)}, "with its address")
    if kind == "intel":
        tap.equal({f["direction"] for f in faults}, {"write"}, "and that it was a write")


def unused(tap):
    """An HWPT without an attached device: with virtio-iommu there is none, and none is created."""
    objects, notes = watched(tap, "e2e-test", "replace.unused_hwpt")
    found = re.search(r"# (\S+): (\w+)", notes)
    made = re.search(r"# replaced by an HWPT to be made: (-?\d+)", notes)
    if not tap.ok(found and made, "the workload reports what it has done", notes):
        return
    mine = [o for o in objects if o.get("device") == found[1]]
    if found[2] == "virtio":
        wanted = ["refused"]
        tap.equal([(o["error"], o["reason"], o["moves"], o["window_ns"]) for o in mine],
                  [("EADDRINUSE", "domain_incompatible", 0, None)],
                  "a replacement creates no HWPT of virtio-iommu: the device saw nothing")
    else:
        wanted = ["blocked"] * 4
        tap.equal(int(made[1]), 0, "a replacement creates an HWPT")
    tap.equal([o["verdict"] for o in mine], wanted, "each has its verdict")
    tap.ok(all(0 < o["window_ns"] <= o["switch_ns"] for o in mine if o["verdict"] == "blocked"),
           "and the blocked ones have a window", [o["window_ns"] for o in mine])


def node_of(device):
    return "/dev/vfio/devices/" + os.listdir("/sys/bus/pci/devices/%s/vfio-dev" % device)[0]


def nvme():
    for device in sorted(os.listdir("/sys/bus/pci/devices")):
        with open("/sys/bus/pci/devices/%s/class" % device) as file:
            if file.read().startswith("0x0108"):
                return device
    return None


def drill(tap):
    device = nvme()
    virtio = os.path.isdir("/sys/module/virtio_iommu")
    run("bind-device", device)
    result = tool("replace", "--drill", device, "--json")
    if virtio:
        tap.ok(result.returncode == 1 and "only when a device is attached" in result.stderr,
               "a drill that is not possible reports why", result.stderr)
    else:
        answer = json.loads(result.stdout)
        total = answer["devices"][0]
        tap.equal((answer["all_hitless"], answer["count"], total["verdicts"]["blocked"],
                   total["window"]["count"]), (False, 100, 100, 100),
                  "a drill of 100 switches shows that this IOMMU is not hitless")
        text = tool("replace", "--drill", device, "-n", "10").stdout
        tap.ok("switched 10 times" in text and "not hitless" in text, "and in words", text)

    node, iommufd = os.open(node_of(device), os.O_RDWR), os.open("/dev/iommu", os.O_RDWR)
    fcntl.ioctl(node, VFIO_DEVICE_BIND_IOMMUFD, struct.pack("IIiI", 16, 0, iommufd, 0))
    result = tool("replace", "--drill", device)
    os.close(node)
    os.close(iommufd)
    tap.ok(result.returncode == 1 and device in result.stderr and "is in use" in result.stderr,
           "a drill refuses a device in use", result.stdout, result.stderr)
    run("bind-device", "-d", "", device)
    result = tool("replace", "--drill", device)
    tap.ok(result.returncode == 1 and (device + " is in use: its driver is" in result.stderr or
                                       "has no device node" in result.stderr),
           "and one that VFIO does not have", result.stdout, result.stderr)
    run("bind-device", device)


Tap().run(reads_go_on, fault_after, unused, drill)
