#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The tool on a stock kernel: calls of the kernel's own vfio, against a user that logs each.

devices.py DEVICE [TEST]...: a device for the user, and which tests.
"""

import fcntl
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "tool"))
from tooltest import Observer, Tap, run, tool, wait_for  # noqa: E402

from container import Container, bind_device, group_of  # noqa: E402
from device_user import REQ_IRQ, VFIO_DEVICE_SET_IRQS, irqs  # noqa: E402

DEVICE = sys.argv[1]
USER = os.path.join(os.path.dirname(os.path.realpath(__file__)), "device_user.py")
# the keys of ops --json by those of the user's log
KEYS = {"device": "device", "group": "group", "value": "value", "index": "index", "offset": "region_offset_bytes"}


def used(*command):
    """The tool's result while a user runs, its objects, and the user's log."""
    with tempfile.NamedTemporaryFile("r") as log:
        result = tool(*command, "--", "python3", USER, log.name, DEVICE, timeout=120)
        return result, [json.loads(line) for line in log]


def of_vfio(text):
    return [o for o in (json.loads(line) for line in text.splitlines()) if o.get("subsystem") == "vfio"]


def every_call(tap):
    result, calls = used("ops", "--json")
    shown = of_vfio(result.stdout)
    tap.equal((result.returncode, result.stderr), (0, ""), "ops finds no fault")
    tap.ok(len(calls) >= 18, "the user makes its calls", calls)
    tap.equal([(o["operation"], o["error"]) for o in shown], [(c["operation"], c["error"]) for c in calls],
              "ops shows each call, in order, and how it ended")
    tap.equal({o["source"] for o in shown}, {"vfio"}, "all of it is said to come from vfio")
    for key, json_key in KEYS.items():
        tap.equal([o.get(json_key) for o, c in zip(shown, calls) if key in c], [c[key] for c in calls if key in c],
                  "with the %s that the user meant" % key)
    absent = [o for o, c in zip(shown, calls) if c["operation"] == "open" and c["error"]]
    tap.equal([o.get("device") for o in absent], [None], "a name that the user made up is no device's")
    reasons = {(o["operation"], o["error"]): o["reason"] for o in shown if o["error"]}
    tap.equal(reasons["open", "ENODEV"], "no_such_device", "a device that is not there is said to be absent")
    tap.equal(reasons["bar_fault", "EFAULT"], "memory_disabled", "a fault while memory is off says so")
    tap.equal({reason for (name, _), reason in reasons.items() if name in ("ioctl", "set_irqs")},
              {"driver_refused"}, "what the driver refused is said to be refused by it")
    opened, = [o for o in shown if o["operation"] == "open" and not o["error"]]
    tap.ok(opened["driver_ns"] > opened["dur_ns"] / 4, "the driver's part of an open is shown", opened)


def counted(tap):
    result, calls = used("lat", "--json")
    document = json.loads(result.stdout)
    counts = {}
    for call in calls:
        count, errors = counts.get(call["operation"], (0, 0))
        counts[call["operation"]] = (count + 1, errors + bool(call["error"]))
    tap.equal({o["operation"]: (o["count"], o["errors"]) for o in document["operations"]
               if o["subsystem"] == "vfio"}, counts, "lat counts each call and each failure")


def labels(tap):
    """By device there is the device, and what belongs to none; no name that the user made up."""
    result, _ = used("lat", "--json", "--by", "device")
    named = {o["label"] for o in json.loads(result.stdout)["operations"] if o["subsystem"] == "vfio"}
    tap.equal((DEVICE in named, [label for label in named if "0000:ff" in label]), (True, []),
              "lat makes no label of a name that the user made up")


def in_words(tap):
    result, _ = used("ops", "--errors")
    for words in ("interrupts 3 to 7 of index 99", "memory space is switched off", "has no device of this name"):
        tap.ok(words in result.stdout, "ops --errors says: " + words, result.stdout)


def filtered(tap):
    result, calls = used("ops", "--json", "-d", DEVICE)
    tap.equal([o["operation"] for o in of_vfio(result.stdout)],
              [c["operation"] for c in calls if "device" in c], "a filter by device leaves that device's")


def registered(tap):
    with Observer("ops", "--json", "-o", "vfio_register,vfio_unregister") as observer:
        subprocess.run(["sh", "-c", "echo %s >/sys/bus/pci/drivers/vfio-pci/unbind" % DEVICE], check=True)
        bind_device(DEVICE)
    objects = observer.objects()
    tap.equal([(o["operation"], o["device"], o["group"]) for o in objects if "operation" in o],
              [("unregister", DEVICE, group_of(DEVICE)), ("register", DEVICE, group_of(DEVICE))],
              "a driver that leaves a device and one that takes it are shown")


def waits_in(pid, function):
    with open("/proc/%d/stack" % pid, encoding="ascii") as stack:
        return function in stack.read()


def under_way(tap):
    """An unbind waits for the user of the device."""
    container = Container(DEVICE)
    file = container.open_device(DEVICE)
    # the kernel asks its user to let go, and would log a warning if it could not
    fcntl.ioctl(file, VFIO_DEVICE_SET_IRQS, irqs(REQ_IRQ, 0, 1, os.eventfd(0)))
    with Observer("stuck", "--json", "--longer", "50ms", "-i", "0.1", "--no-stack") as observer:
        with subprocess.Popen(["sh", "-c", "echo %s >/sys/bus/pci/drivers/vfio-pci/unbind" % DEVICE]) as process:
            try:
                tap.ok(wait_for(lambda: waits_in(process.pid, "vfio_unregister_group_dev")),
                       "an unbind waits for the user")
                run("sleep", "1")
            finally:
                container.close()
            process.wait()
    found = [o for document in observer.objects() for o in document["stuck"]]
    bind_device(DEVICE)
    tap.ok(("unregister", "vfio", DEVICE) in
           {(o["operation"], o["source"], o.get("device")) for o in found}, "stuck shows what waits", found)


if __name__ == "__main__":
    bind_device(DEVICE)
    subprocess.run(["modprobe", "vfio_iommu_type1"], check=True)
    tests = (every_call, counted, labels, in_words, filtered, registered, under_way)
    wanted = sys.argv[2:]
    Tap().run(*(test for test in tests if not wanted or test.__name__ in wanted))
