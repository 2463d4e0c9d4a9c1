#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""lat, ops, stuck and record show the same with modules that have no BTF.

The modules are loaded again with their BTF removed, and the tests of the commands run with them;
then again with only the BTF of vfio removed.
"""

import json
import os
import tempfile

import lat
import ops
import record
import stuck
import tooltest
from tooltest import Observer, Tap, run, tool

DRIVERS = ("iommufd_mock", "vfio_pci", "vfio_pci_core")
MODULES = (*DRIVERS, "vfio", "iommufd")
DEVICE = "0000:00:1f.2"
FALLS_BACK = "iommuscope: %s no BTF: falling back to raw tracepoints%s\n"
LESS = "; devices that are already attached, and what replacements do, are not known"


def must(*command):
    result = run(*command)
    if result.returncode:
        raise RuntimeError("%s: %s" % (" ".join(command), result.stderr))
    return result


def load_without(modules):
    """Load our modules again, @modules with their BTF removed."""
    paths = {name: must("modinfo", "-n", name).stdout.strip() for name in MODULES}
    must("rmmod", *MODULES)
    with tempfile.TemporaryDirectory() as folder:
        for name in reversed(MODULES):
            path = paths[name]
            if name in modules:
                path = os.path.join(folder, name + ".ko")
                must("objcopy", "--remove-section=.BTF", "--remove-section=.BTF.ext", paths[name], path)
            must("insmod", path)


def keys(value, path=""):
    """Paths of all keys of a JSON value, without the indices of arrays."""
    if isinstance(value, dict):
        return set().union(*({path + "." + key} | keys(inner, path + "." + key)
                             for key, inner in value.items()))
    if isinstance(value, list):
        return set().union(*(keys(inner, path + "[]") for inner in value), set())
    return set()


def fields():
    """The fields of lat and ops for operations of every class, and how often each operation
    occurred.
    """
    with Observer("ops", "--json") as every, Observer("lat", "--json") as counted:
        must("map-load", "-m", "20", "65536")
        must("ioas-load", "3")
        must("bind-device", DEVICE)
        must("bind-device", "-d", "", DEVICE)
    (report,) = counted.objects()
    reported = {}
    for operation in every.objects()[:-1]:
        reported.setdefault(operation["operation"], set()).update(keys(operation))
    return keys(report), reported, {(o["subsystem"], o["operation"]): o["count"]
                                for o in report["operations"]}


def refused(tap):
    for command in "state", "replace", "top", "export", "capacity":
        result = tool(command)
        words = "needs a terminal" if command == "top" and "terminal" in result.stderr else \
            "module iommufd has no BTF: build it on a machine with pahole and vmlinux"
        tap.ok(result.returncode == 1 and words in result.stderr
               and result.stderr.count("\n") == 1, "%s reports in one line what is missing" % command,
               result.returncode, result.stderr)
    result = tool("doctor")
    tap.ok(result.returncode == 1 and "module iommufd has no BTF" in result.stdout
           and "lat, ops, stuck and record" in " ".join(result.stdout.split()),
           "doctor reports what works without BTF", result.stdout)


def holds(tap):
    """Raw tracepoints hold the modules as well."""
    with Observer("lat", "--json") as observer:
        result = run("rmmod", *DRIVERS, "vfio")
        tap.ok(result.returncode and "in use" in result.stderr, "vfio cannot be unloaded while it is observed",
               result.stderr)
        result = run("rmmod", "iommufd")
        tap.ok(result.returncode and "in use" in result.stderr, "neither can iommufd",
               result.stderr)
        run("ioas-load", "3")
    tap.equal(observer.status, 0, "and the observer is not disturbed")
    tap.equal({o["operation"]: o["count"] for o in observer.objects()[0]["operations"]}
              .get("ioas_alloc"), 3, "and counts on")
    run("modprobe", "-a", "vfio-pci", "iommufd-mock")


def with_and_without(tap):
    before = fields()
    load_without(MODULES)
    try:
        # before the tests strip the notice from the output: it is the right one, in one line
        result = tool("ops", "--duration", "10ms")
        wanted = FALLS_BACK % ("iommufd and vfio have", LESS)
        tap.equal((result.returncode, result.stderr), (0, wanted), "it reports the fallback")
        tooltest.NOTICE = wanted
        after = fields()
        tap.equal(after[2], before[2], "lat counts the same as with BTF")
        tap.equal(after[0], before[0], "with the same fields")
        tap.equal(after[1], before[1], "ops shows each operation with the same fields")
        for test in (lat.counts, lat.percentiles, lat.dimensions, lat.devices, ops.every_call,
                     ops.filters, record.same_as_ops, stuck.began_while_observed):
            test(tap)
        tooltest.NOTICE = ""
        refused(tap)
        holds(tap)
    finally:
        tooltest.NOTICE = ""
        load_without(())


def one_of_two(tap):
    load_without(("vfio",))
    try:
        result = tool("state", "--json")
        tap.equal((result.returncode, result.stderr), (0, ""), "without vfio's BTF, state still works")
        json.loads(result.stdout)
        tooltest.NOTICE = FALLS_BACK % ("vfio has", "")
        with Observer("lat", "--json") as observer:
            truth = lat.load("-m", "20", "4096")
            must("bind-device", DEVICE)
            must("bind-device", "-d", "", DEVICE)
        operations = {o["operation"]: o for o in observer.objects()[0]["operations"]}
        tap.equal(lat.counted(operations["map"]), truth["map"], "lat counts iommufd's operations")
        tap.equal([operations[name]["count"] for name in ("register", "unregister")], [1, 1],
                  "and vfio's")
        for command in "replace", "export":
            with Observer(command) as observer:
                pass
            tap.equal((observer.status, observer.stderr), (0, ""), "%s works" % command)
    finally:
        tooltest.NOTICE = ""
        load_without(())


if __name__ == "__main__":
    Tap().run(with_and_without, one_of_two)
