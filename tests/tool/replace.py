#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope replace against mock devices, whose own counters are the truth."""

import collections
import json

from tooltest import Observer, Tap, run, tool

COUNT = 1000
# under emulation a window of this length is long compared with the cost of measuring it
LONG_US = 3000


class Load:
    """The output of replace-load: outcomes, and the mock's counters by device."""

    def __init__(self, output):
        lines = [line.split() for line in output.splitlines()]
        self.replaced, self.failed = int(lines[0][1]), int(lines[0][3])
        self.devices = {line[0]: dict(zip(line[1::2], map(int, line[2::2]))) for line in lines[1:]}


def watched(tap, name, *arguments):
    """Objects by device, the totals, and the output of the workload."""
    with Observer("replace", "--json", timeout=100) as observer:
        load = run("replace-load", *map(str, arguments), timeout=100)
    tap.equal((load.returncode, observer.status, observer.stderr), (0, 0, ""), name + ": it runs")
    objects = observer.objects()
    totals = objects.pop()
    tap.equal(totals["lost"], 0, name + ": nothing is lost")
    devices = collections.defaultdict(list)
    # a replacement that moves no device is shown at once, before those that wait for late faults
    for o in sorted(objects, key=lambda o: o["number"]):
        devices[o["device"]].append(o)
    return devices, totals, Load(load.stdout)


def verdicts(objects):
    return dict(collections.Counter(o["verdict"] for o in objects))


def total(objects, key):
    """An unknown value is null."""
    return sum(o[key] or 0 for o in objects)


def hitless(tap):
    devices, totals, load = watched(tap, "hitless", COUNT)
    (name, objects), = devices.items()
    truth = load.devices[name]
    tap.equal(verdicts(objects), {"hitless": COUNT, "unchanged": 1, "refused": 1},
              "hitless: all replacements, the one without a change, and the refused one")
    tap.equal((total(objects, "windows"), total(objects, "faults_in_window"), truth["gap_faults"]),
              (0, 0, 0), "hitless: no window and no fault, as the mock says")
    switched = objects[:COUNT]
    tap.ok(all(a["hwpt"] == b["old_hwpt"] for a, b in zip(switched, switched[1:])) and
           all(o["hwpt"] != o["old_hwpt"] for o in switched), "hitless: each starts from the HWPT of the previous one")
    tap.equal({(o["process"], o["named"], o["iommu_driver"], o["devices"]) for o in switched},
              {("replace-load", True, "iommufd_mock", 1)}, "hitless: which process did it, and on which device")
    tap.ok(all(0 < o["switch_ns"] <= o["dur_ns"] and o["fill_ns"] == 0 for o in switched),
           "hitless: there is nothing to fill")
    refused = objects[-1]
    tap.equal((refused["error"], refused["reason"], refused["moves"]),
              ("ENOENT", "bad_object_id", 0), "hitless: the refused one has its reason")
    tap.equal((refused["faults_in_window"], refused["faults_unknown"]), (None, "not_moved"),
              "hitless: and has no number of faults")
    tap.equal({(o["faults_unknown"], o["faults_in_window"]) for o in switched},
              {(None, 0)}, "hitless: the others are known to have none")
    tap.equal([t["verdicts"]["hitless"] for t in totals["devices"] + totals["iommu_drivers"]],
              [COUNT, COUNT], "hitless: the totals agree")


def gap(tap, count, us):
    name = "gap of %d us" % us
    devices, totals, load = watched(tap, name, count, 1, us)
    (device, objects), = devices.items()
    truth = load.devices[device]
    tap.equal(verdicts(objects), {"blocked": count, "unchanged": 1, "refused": 1},
              name + ": each replacement has a window")
    tap.equal(total(objects, "windows"), truth["gaps"], name + ": as many windows as the mock counts")
    windows = sum(o["window_ns"] or 0 for o in objects)
    print("# %s: windows %d ns in sum, the mock says %d; %d faults, the mock says %d"
          % (name, windows, truth["gap_ns"], total(objects, "faults_in_window"),
             truth["gap_faults"]))
    tap.ok(windows >= truth["gap_ns"], name + ": none shorter than the mock's", windows, truth)
    if us >= LONG_US:
        tap.ok(windows <= 1.2 * truth["gap_ns"], name + ": none longer by a fifth", windows, truth)
        tap.ok(max(o["window_ns"] or 0 for o in objects) >= us * 1000, name + ": the longest has the set length")
        tap.ok(truth["gap_faults"] > 0, name + ": there were faults", truth)
    tap.equal(total(objects, "faults_in_window"), truth["gap_faults"],
              name + ": the faults in the windows equal the mock's count")
    tap.equal(total(objects, "faults_after"), truth["faults"] - truth["gap_faults"],
              name + ": and none besides")
    window = totals["devices"][0]["window"]
    tap.equal(window["max_ns"], max(o["window_ns"] or 0 for o in objects), name + ": the totals agree")


def short_gap(tap):
    gap(tap, COUNT, 50)


def long_gap(tap):
    gap(tap, 150, LONG_US)


def failing(tap):
    devices, totals, load = watched(tap, "failing", COUNT, 3, 100, 2)
    names = list(load.devices)
    first, second = devices[names[0]], devices[names[1]]
    truth = load.devices[names[0]]
    tap.equal((load.replaced, load.failed), (0, COUNT), "failing: the IOMMU refuses each time")
    tap.equal(verdicts(first), {"rolled_back": COUNT, "unchanged": 1, "refused": 1},
              "failing: the first device is rolled back")
    tap.equal(verdicts(second), {"rolled_back": COUNT}, "failing: so is the second device, which failed")
    tap.equal(devices[names[2]], [], "failing: the third device is not touched")
    tap.equal({(o["windows"], o["moves"]) for o in first[:COUNT]}, {(2, 2)},
              "failing: the first device moves and moves back: two windows")
    tap.equal({(o["windows"], o["window_ns"], o["named"]) for o in second}, {(0, 0, False)},
              "failing: the second device never loses its translation")
    tap.equal((total(first, "windows"), total(first, "faults_in_window")),
              (truth["gaps"], truth["gap_faults"]), "failing: windows and faults equal the mock's")
    tap.equal({(o["error"], o["reason"]) for o in first[:COUNT]}, {("EIO", "domain_switch_failed")},
              "failing: why")
    tap.equal([t["count"] for t in totals["devices"]], [COUNT + 2, COUNT],
              "failing: the totals have both devices")


def waiting(tap):
    devices, _, load = watched(tap, "waiting", "-w", 20)
    (_, objects), = devices.items()
    tap.equal((len(objects), load.replaced), (20, 20), "waiting: each replacement is shown")
    # 16 maps of half a millisecond each, by a clock that is inaccurate under emulation; without a
    # fill it would take microseconds
    tap.ok(all(o["fill_ns"] > 2 * 500000 for o in objects), "waiting: each fills a new HWPT",
           [o["fill_ns"] for o in objects])
    waits = [w for o in objects for w in o["waiting"]]
    tap.ok(waits and {w["process"] for w in waits} == {"mapper"} and
           {w["operation"] for w in waits} <= {"map", "unmap"}, "waiting: the mapper waited for some",
           waits)
    tap.ok(all(o["waited_longest_ns"] <= o["waited_ns"] <= o["dur_ns"] * o["waited"]
               for o in objects), "waiting: not longer than the replacement took", objects)


def words(tap):
    text = tool("replace", "--", "replace-load", "3", "1", str(LONG_US)).stdout
    lines = [line for line in text.splitlines() if "[" in line and "→" in line]
    tap.equal(len([line for line in lines if "blocked " in line and " fault" in line]), 3,
              "each has a line, with window and faults")
    tap.ok("no object has this id" in text, "and the reason of the refused one", text)
    tap.ok("IOMMU DRIVER" in text and "iommufd_mock" in text, "and the totals", text)
    text = tool("replace", "--timeline", "--", "replace-load", "3", "1", str(LONG_US)).stdout
    tap.equal(text.count(": no translation\n"), 1, "--timeline shows one replacement")
    text = tool("replace", "--timeline", "-n", "3", "--", "replace-load", "3", "1", str(LONG_US)).stdout
    tap.ok("switch" in text and "░" in text and "fault: read of 0x" in text,
           "with its phases, its window and its faults", text)
    text = tool("replace", "--faults", "--", "replace-load", "3").stdout
    tap.ok("hitless" not in text and text.count("iommufd-mock.") == 2, "--faults hides replacements without faults", text)
    result = tool("replace", "--duration", "200ms")
    tap.equal((result.returncode, result.stdout.splitlines()[1:]), (0, ["no replacement was seen"]),
              "it reports that it saw none")
    objects = [json.loads(line) for line in
               tool("replace", "--json", "-p", "1", "--duration", "300ms").stdout.splitlines()]
    tap.equal([o["lost"] for o in objects], [0], "-p hides other processes")


def bad_input(tap):
    def refused(status, said, *arguments):
        result = tool("replace", *arguments)
        tap.ok(result.returncode == status and said in result.stderr and result.stdout == "",
               "refused: replace " + " ".join(arguments), result.stdout, result.stderr)

    refused(2, "exclude each other", "--timeline", "--drill", "0000:00:00.0")
    refused(1, "no such device", "--drill", "0000:77:00.0")
    refused(1, "no such device", "--watch-device", "nothing")
    refused(1, "has no device node", "--drill", "0000:00:00.0")


Tap().run(hitless, short_gap, long_gap, failing, waiting, words, bad_input)
