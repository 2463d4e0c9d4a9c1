#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope lat against workloads whose every call is known."""

import csv
import json
import math
import os
import subprocess
import time

from iommufd import IOVA, Space
from tooltest import TOOL, Observer, Tap, has_mock, in_terminal, patience, run, tool, wait_for


def load(*arguments):
    """Run map-load: {operation: (count, errors, bytes)}."""
    lines = run("map-load", *arguments).stdout.splitlines()
    return {fields[0]: tuple(map(int, fields[1:])) for fields in map(str.split, lines)}


def by_operation(report, label=None):
    """The operations of a report by name, of one label or of all."""
    return {o["operation"]: o for o in report["operations"]
            if o["subsystem"] == "iommufd" and (label is None or o["label"] == label)}


def counted(operation):
    return operation["count"], operation["errors"], operation["bytes"]


def counts(tap):
    with Observer("lat", "--json") as observer:
        truth = load("500", "65536", "10")
    tap.equal((observer.status, observer.stderr), (0, ""), "a signal ends lat without an error")
    (report,) = observer.objects()
    reported = by_operation(report)
    for name in "map", "unmap":
        tap.equal(counted(reported[name]), truth[name],
                  "count, errors and bytes of %s are the workload's" % name)
    tap.equal(reported["ioas_alloc"]["count"], 1, "so is the count of ioas_alloc")
    tap.equal(report["overflowed"], 0, "no operation overflowed")
    consistent = all(
        sum(count for _, count in part["buckets"]) == part["count"]
        and part["p50_ns"] <= part["p90_ns"] <= part["p99_ns"] <= part["p99_9_ns"] <= part["max_ns"]
        for operation in report["operations"] for part in [operation, *operation["phases"]])
    tap.ok(consistent, "buckets add up to counts, percentiles rise")


def percentiles(tap):
    # two instances at once, one of which records every operation
    with Observer("ops", "--json", "-o", "map,unmap") as ops:
        with Observer("lat", "--json", "-o", "map,unmap") as lat:
            load("1000", "16384", "7")
    (report,) = lat.objects()
    reported = by_operation(report)
    records = [o for o in ops.objects() if "dur_ns" in o]
    tap.equal(ops.objects()[-1], {"lost": 0}, "the full record is complete")
    tap.equal(sorted(reported), ["map", "unmap"], "-o shows only the requested operations")
    for name in "map", "unmap":
        mine = [o for o in records if o["operation"] == name]
        times = sorted(o["dur_ns"] for o in mine)
        operation = reported[name]
        tap.equal((operation["count"], operation["sum_ns"], operation["max_ns"]),
                  (len(times), sum(times), times[-1]), "%s: count, sum and maximum are exact" % name)
        wrong = []
        for key, percent in (("p50_ns", 50), ("p90_ns", 90), ("p99_ns", 99), ("p99_9_ns", 99.9)):
            exact = times[max(math.ceil(percent / 100 * len(times)), 1) - 1]
            if abs(operation[key] - exact) > 0.07 * exact + 1:
                wrong.append("%s %d, exactly %d" % (key, operation[key], exact))
        tap.ok(not wrong, "%s: percentiles are within 7 %%" % name, *wrong)
        phases = {p["phase"]: p["sum_ns"] for p in operation["phases"]}
        exact = {phase: sum(o[phase + "_ns"] for o in mine) for phase in
                 ("wait", "account", "pin", "map", "unmap", "sync", "unpin")}
        tap.equal(phases, {phase: ns for phase, ns in exact.items() if ns},
                  "%s: the time of each phase is exact" % name)
        tap.equal(operation["other_ns"], sum(times) - sum(exact.values()),
                  "%s: the rest is 'other'" % name)


def subtree(tap):
    """--cgroup selects a cgroup and all below it, not what is beside or above it."""
    root = "/sys/fs/cgroup/lat-test"
    groups = {"": 1, "/guest": 2, "/guest/vcpus": 4, "/guest/vcpus/0": 8, "/guest2": 16}
    for name in groups:
        os.mkdir(root + name)
    try:
        for selected, count in (("/guest", 2 + 4 + 8), ("/guest/vcpus/0", 8), ("/guest2", 16), ("", 31)):
            with Observer("lat", "--cgroup", root + selected, "--json", "-o", "map") as observer:
                load("32", "4096")
                for name, maps in groups.items():
                    run("sh", "-c", 'echo 0 >"$0"; exec map-load "$1" 4096', root + name + "/cgroup.procs", str(maps))
            (report,) = observer.objects()
            tap.equal([o["count"] for o in report["operations"]], [count],
                      "--cgroup lat-test%s counts what runs in it and below" % selected)
    finally:
        for name in reversed(groups):
            wait_for(lambda folder=root + name: not open(folder + "/cgroup.procs", encoding="ascii").read())
            os.rmdir(root + name)


def dimensions(tap):
    with Observer("lat", "--by", "process", "--json") as observer:
        first = load("20", "4096")
        run("ioas-load", "5")
    (report,) = observer.objects()
    labels = {o["label"].split(" ")[0] for o in report["operations"]}
    tap.equal(labels, {"map-load", "ioas-load"}, "--by process names processes that have ended")
    label = next(o["label"] for o in report["operations"] if o["label"].startswith("map-load"))
    tap.equal(counted(by_operation(report, label)["map"]), first["map"], "and counts them separately")

    with Observer("lat", "--by", "ioas", "--json", "-o", "map") as observer:
        load("20", "4096")
        load("30", "4096")
    (report,) = observer.objects()
    tap.equal(sorted((o["label"].split(" ")[0], o["count"]) for o in report["operations"]),
              [("ctx", 20), ("ctx", 30)], "--by ioas distinguishes address spaces")

    with Observer("lat", "--by", "cgroup", "--json", "-o", "map") as observer:
        load("20", "4096")
    (report,) = observer.objects()
    tap.equal([(o["label"][0], o["count"]) for o in report["operations"]], [("/", 20)],
              "--by cgroup shows a path")

    subtree(tap)

    with Observer("lat", "--by", "device", "--json", "-o", "map") as observer:
        load("20", "4096")
    (report,) = observer.objects()
    tap.equal([(o["label"].endswith("no device"), o["count"]) for o in report["operations"]],
              [(True, 20)], "--by device marks an IOAS without a device")


def devices(tap):
    if not has_mock():
        tap.skip("operations of devices", "no mock IOMMU")
        return
    with Observer("lat", "--by", "device", "--json") as observer:
        truth = load("-m", "100", "65536")
    (report,) = observer.objects()
    device = "iommufd-mock.%d" % truth["device"][0]
    reported = by_operation(report, device)
    tap.ok({"map", "unmap", "bind", "attach", "detach", "unbind"} <= set(reported),
           "--by device shows all operations on it", sorted(reported))
    tap.equal([counted(reported[name]) for name in ("map", "unmap")], [truth["map"], truth["unmap"]],
              "maps into its IOAS count for it")
    tap.equal(reported["map"]["pages"], 100 * 16, "with the pinned pages")
    phases = {p["phase"] for p in reported["map"]["phases"]}
    tap.ok({"pin", "map"} <= phases, "map pins and maps", phases)
    phases = {p["phase"] for p in reported["unmap"]["phases"]}
    tap.ok({"unmap", "sync", "unpin"} <= phases, "unmap unmaps, flushes and unpins", phases)


def attached_before(tap):
    if not has_mock():
        tap.skip("a device that is attached already", "no mock IOMMU")
        return
    process = subprocess.Popen(["map-load", "-m", "100000000", "4096"], stdout=subprocess.PIPE,
                               text=True)
    try:
        # printed before the first map, so the device is attached
        device = "iommufd-mock.%d" % int(process.stdout.readline().split()[1])
        reports = [json.loads(tool("lat", "--json", "--duration", "%dms" % patience(100), "-o", "map",
                                   *arguments).stdout)
                   for arguments in (["--by", "device"], ["-d", device], ["-d", "0000:00:00.0"])]
    finally:
        process.kill()
        process.wait()
    by, filtered, other = (report["operations"] for report in reports)
    tap.equal([o["label"] for o in by], [device],
              "--by device knows a device that is attached already")
    tap.ok(filtered and filtered[0]["count"] > 0, "and so does -d", filtered)
    tap.equal(other, [], "and shows nothing for another device")


def overflow(tap):
    with Observer("lat", "--by", "process", "--limit", "1", "--json", "-o", "map") as observer:
        truths = [load("10", "4096", "5") for _ in range(8)]
    (report,) = observer.objects()
    others = [o for o in report["operations"] if o["label"] == "(others)"]
    tap.ok(len(others) == 1 and others[0]["count"] == report["overflowed"] > 0,
           "labels beyond the limit are counted among the others", report["operations"])
    tap.equal(tuple(sum(o[key] for o in report["operations"])
                    for key in ("count", "errors", "bytes")),
              tuple(sum(truth["map"][i] for truth in truths) for i in range(3)),
              "and the totals are complete")


def many_processes(tap):
    """More short processes than labels: each gets one, and the totals are exact."""
    count = 24
    with Observer("lat", "--by", "process", "--limit", "8", "--json", "-o", "map") as observer:
        for _ in range(count):
            load("5", "4096")
            time.sleep(0.3)
    (report,) = observer.objects()
    labels = {o["label"] for o in report["operations"]}
    tap.ok(len(labels) > 8, "processes that have ended make room for others", labels, report["overflowed"])
    tap.equal(sum(o["count"] for o in report["operations"]), 5 * count, "and no operation is missing")


def made_up(tap):
    """A failed call makes no label of an id that its caller made up."""
    with Observer("lat", "--by", "ioas", "--limit", "8", "--json", "-o", "map") as observer:
        with Space() as space:
            for ioas in range(100000, 100300):
                try:
                    space.map_into(ioas, IOVA, 4096)
                except FileNotFoundError:
                    pass
            space.map(IOVA, 4096)
    (report,) = observer.objects()
    found = {o["label"]: (o["count"], o["errors"]) for o in report["operations"]}
    (label,) = [name for name in found if name.endswith(" ioas %d" % space.ioas)] or ["none"]
    tap.equal((found, report["overflowed"]), ({"(no ioas)": (300, 300), label: (1, 0)}, 0),
              "300 calls with ids of no object count as (no ioas)")


def reports(tap):
    result = tool("lat", "-i", "0.2", "-n", "3", "--json")
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    tap.equal([o["report"] for o in objects], ["interval"] * 3 + ["total"],
              "-i and -n give reports, and one for the whole run")
    spans = [o["span_ns"] for o in objects]
    tap.ok(0 < min(spans) and sum(spans[:3]) >= 580000000 and spans[3] >= sum(spans[:3]),
           "of the requested length", *spans)

    with Observer("lat", "-i", "0.3", "--json", "-o", "map,unmap") as observer:
        truth = load("3000", "16384")
    objects = observer.objects()
    intervals, total = objects[:-1], by_operation(objects[-1])
    summed = sum(o["count"] for i in intervals for o in i["operations"] if o["operation"] == "map")
    tap.equal(counted(total["map"]), truth["map"], "the last report covers the whole run")
    tap.ok(summed <= total["map"]["count"], "intervals do not count twice", summed)

    with Observer("lat", "--csv") as observer:
        truth = load("50", "4096")
    rows = list(csv.DictReader(observer.stdout.splitlines()))
    row = next(r for r in rows if r["operation"] == "map" and not r["phase"])
    tap.equal((int(row["count"]), int(row["errors"]), int(row["bytes"])), truth["map"],
              "--csv has the same numbers")

    with Observer("lat", "--hist", "-o", "map") as observer:
        load("50", "4096")
    tap.ok("OPERATION" in observer.stdout and "####" in observer.stdout
           and max(map(len, observer.stdout.splitlines())) <= 120,
           "the table shows the histograms", observer.stdout)


def narrow(tap):
    lines = in_terminal(40, TOOL, "lat", "-o", "map,unmap", "--", "sh", "-c",
                        "map-load -m 50 65536 >/dev/null")
    rows = [line.split() for line in lines if line.startswith("map ")]
    tap.ok(any(line.startswith("OPERATION ") for line in lines) and max(map(len, lines)) <= 40
           and len(rows) == 1 and rows[0][:2] == ["map", "50"],
           "a narrow terminal omits what does not fit", *lines)


def widths(tap):
    for width in 80, 90, 120:
        lines = in_terminal(width, TOOL, "lat", "--by", "device", "--", "sh", "-c",
                            "map-load %s 50 4096 >/dev/null" % ("-m" if has_mock() else ""))
        tap.ok(any("MAX" in line for line in lines) and max(map(len, lines)) <= width,
               "the table fits a terminal of %d columns" % width, *lines)


def bad_input(tap):
    for words, *arguments in (
            ("is not one of device", "--by", "moon"), ("is not a limit", "--limit", "0"),
            ("is too short", "-i", "0"), ("is not an interval", "-i", "-1"),
            ("exclude each other", "--json", "--csv"), ("no such operation", "-o", "x")):
        result = tool("lat", *arguments)
        tap.ok(result.returncode == 2 and words in result.stderr, "refused: " + " ".join(arguments),
               result.returncode, result.stderr)


if __name__ == "__main__":
    Tap().run(counts, percentiles, dimensions, devices, attached_before, overflow, many_processes, made_up, reports,
              narrow, widths, bad_input)
