#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope state on real (emulated) devices: in use, free, and in a group that cannot be used."""

import fcntl
import glob
import json
import os
import struct
import time

from iommushell import Shell
from state import fdinfo, pidfd_getfd, subset
from tooltest import Tap, run, tool

ALONE, FIRST, SECOND = "0000:00:05.0", "0000:01:00.0", "0000:01:00.1"
VFIO_DEVICE_BIND_IOMMUFD, VFIO_DEVICE_ATTACH_IOMMUFD_PT = 0x3b76, 0x3b77


def bind(driver, *devices):
    result = run("bind-device", "-d", driver, *devices)
    if result.returncode:
        raise RuntimeError(result.stderr)


def state(*arguments):
    result = tool("state", "--json", *arguments)
    if result.returncode or result.stderr:
        raise RuntimeError(result.stderr)
    return json.loads(result.stdout)


def free_devices(tap):
    tap.equal(run("modprobe", "e1000e").returncode, 0, "the host's driver is loaded")
    bind("vfio-pci", FIRST)
    bind("e1000e", SECOND)
    document = state()
    unused = {d["device"]: d for d in document["unused_devices"]}
    group = int(os.path.basename(os.readlink("/sys/bus/pci/devices/%s/iommu_group" % FIRST)))
    subset(tap, unused[FIRST], {"driver": "vfio-pci", "group": group, "viable": False},
           "a device that VFIO has and no process uses")
    tap.equal(document["groups_not_viable"],
              [{"group": group, "blockers": [{"device": SECOND, "driver": "e1000e"}]}],
              "its group is not viable, and the blocking device is named")
    text = tool("state", "-d", FIRST)
    tap.ok(text.returncode == 0 and all(word in text.stdout for word in
                                        (FIRST, "cannot be used", SECOND, "e1000e")),
           "and in words", text.stdout, text.stderr)
    bind("vfio-pci", SECOND)
    document = state()
    tap.equal((sorted((d["device"], d["viable"]) for d in document["unused_devices"]),
               document["groups_not_viable"]), ([(FIRST, True), (SECOND, True)], []),
              "with the whole group bound to VFIO it can be used")
    bind("", FIRST, SECOND)
    tap.equal(state()["unused_devices"], [], "devices without a driver are not shown")


def used_device(tap):
    bind("vfio-pci", ALONE)
    node = "/dev/vfio/devices/" + os.path.basename(
        glob.glob("/sys/bus/pci/devices/%s/vfio-dev/*" % ALONE)[0])
    with Shell() as shell:
        file = shell.open()
        ioas, other = shell.ioas(file), shell.ioas(file)
        mine = pidfd_getfd(os.pidfd_open(shell.pid), file)
        device = os.open(node, os.O_RDWR)
        before = fdinfo(os.getpid(), device)
        tap.ok(before["vfio-state"] == "opened" and "iommufd-ctx" not in before,
               "fdinfo of a node that is only open", before)
        fcntl.ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, bytearray(struct.pack("IIiI", 16, 0, mine, 0)))
        for pt in (ioas, other):
            fcntl.ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT,
                        bytearray(struct.pack("III", 12, 0, pt)))
        shell.map(file, other, "thp", 4 << 20)
        document = state()
        record = document["devices"][0]
        subset(tap, record, {"device": ALONE, "driver": "vfio-pci", "iommu_driver": "intel_iommu",
                             "attached": True, "ioas": other, "replacements": 1,
                             "group_devices_attached": 1}, "a device in use, with its IOMMU")
        tap.ok(record["iommu"].startswith("dmar"), "which is named", record["iommu"])
        tap.equal(document["unused_devices"], [], "it is not free")
        context = document["contexts"][0]
        tap.equal((context["ctx"], context["pid"]), (record["ctx"], os.getpid()),
                  "the context belongs to the last process that set it up, not to the one that opened it")
        lines = fdinfo(os.getpid(), device)
        tap.equal({key: lines[key] for key in
                   ("vfio-device", "vfio-state", "vfio-device-id", "vfio-iommu-group",
                    "iommufd-ctx", "iommufd-hwpt", "iommufd-ioas", "iommufd-iommu-driver",
                    "iommufd-replacements",
                    "iommufd-last-replacement-took")},
                  {"vfio-device": ALONE, "vfio-state": "attached",
                   "vfio-device-id": record["device_id"], "vfio-iommu-group": record["group"],
                   "iommufd-ctx": record["ctx"], "iommufd-hwpt": record["hwpt"],
                   "iommufd-ioas": other, "iommufd-iommu-driver": "intel_iommu",
                   "iommufd-replacements": 1,
                   "iommufd-last-replacement-took": record["last_replacement_dur_ns"]},
                  "fdinfo of its node agrees")
        ago = time.monotonic_ns() - lines["iommufd-last-replacement"]
        tap.ok(abs(time.time_ns() - record["last_replacement_time_ns"] - ago) < 1e9,
               "and so does its last replacement, by another clock", ago, record)
        if os.path.exists("/usr/share/misc/pci.ids"):
            tap.ok(len(record["name"]) > 3, "pci.ids names it", record)
        else:
            tap.skip("pci.ids names it", "pci.ids is not installed")
        for arguments in ((), ("--tree",), ("--areas", str(other))):
            text = tool("state", *arguments)
            tap.ok(text.returncode == 0 and max(map(len, text.stdout.splitlines())) <= 100,
                   " ".join(("state", *arguments)), text.stdout)
        os.close(device)
        tap.equal(([d["device"] for d in state()["unused_devices"]], state()["devices"]),
                  ([ALONE], []), "closed, it is free again")
        os.close(mine)
    bind("", ALONE)


if __name__ == "__main__":
    Tap().run(free_devices, used_device)
