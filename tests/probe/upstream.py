#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The tool on the kernel's own iommufd, against a client whose every call is known.

upstream.py BDF [TEST]...: a device for the client, and the tests to run.
"""

import collections
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "tool"))
from tooltest import Tap, run, tool  # noqa: E402

DEVICE = sys.argv[1]
PAGE = 4096
BASE = 1 << 32
MEMORY = ("map", "unmap", "copy")

Call = collections.namedtuple("Call", "name iova length error")


def truth(output):
    """The calls that upstream-load reports: (pid, [Call...])."""
    lines = [line.split() for line in output.splitlines()]
    pids = [int(line[1]) for line in lines if line[0] == "pid"]
    return pids[0], [Call(name, int(iova), int(length), None if error == "0" else error)
                     for name, iova, length, error in (line for line in lines if line[0] != "pid")]


def shown(objects):
    """The same as the tool shows it, without what the end of the client's process causes."""
    calls = [Call(o["operation"], o.get("iova") or 0, o.get("length_bytes") or 0, o["error"])
             for o in objects if o.get("subsystem") == "iommufd"]
    while calls and calls[-1].name in ("detach", "unbind"):
        calls.pop()
    return calls


def wanted_of(calls):
    calls = list(calls)
    while calls and calls[-1].name == "detach":
        calls.pop()
    return calls


def observed(command, *work):
    """The tool's result, its objects, and what the client printed."""
    with tempfile.NamedTemporaryFile("r") as output:
        client = ["sh", "-c", 'exec upstream-load "$@" >%s' % output.name, "upstream-load", DEVICE, *work]
        result = tool(*command, "--json", "--", *client, timeout=120)
        return result, [json.loads(line) for line in result.stdout.splitlines()], output.read()


def every_call(tap):
    result, objects, output = observed(("ops",), "pairs", "200")
    pid, calls = truth(output)
    tap.equal((result.returncode, result.stderr), (0, ""), "ops reports no error")
    tap.equal(shown(objects), wanted_of(calls), "ops shows each of %d calls, in order" % len(calls))
    tap.equal(objects[-1], {"lost": 0}, "nothing was lost")
    mine = [o for o in objects[:-1] if o["subsystem"] == "iommufd"]
    tap.equal(({o["source"] for o in mine}, {o["pid"] for o in mine}, len({o["ctx"] for o in mine})),
              ({"upstream"}, {pid}, 1), "all of it comes from upstream, from that process and one context")
    maps = [o for o in mine if o["operation"] == "map"]
    unmaps = [o for o in mine if o["operation"] == "unmap"]
    tap.ok(all(o["account_ns"] > 0 and o["pin_ns"] > 0 and o["map_ns"] > 0 and o["pages"] == 1 for o in maps),
           "each map counts, pins and maps a page", maps[0])
    tap.ok(all(o["unmap_ns"] > 0 and o["unpin_ns"] > 0 and o["pages"] == 1 for o in unmaps),
           "each unmap unmaps and unpins it", unmaps[0])
    tap.ok(all(sum(o[p] or 0 for p in o if p.endswith("_ns") and p not in
                   ("dur_ns", "time_ns", "start_monotonic_ns")) <= o["dur_ns"] for o in mine),
           "no operation's phases take longer than the operation")
    attach = [o for o in mine if o["operation"] == "attach"][0]
    group = os.path.basename(os.readlink("/sys/bus/pci/devices/%s/iommu_group" % DEVICE))
    tap.equal((attach["device"], attach["group"], attach["devices"], attach["iommu_driver"]),
              (DEVICE, int(group), 1, "intel_iommu"), "the device is named, with its group and IOMMU driver")


def tables(tap):
    _, objects, output = observed(("ops",), "tables")
    _, calls = truth(output)
    tap.equal(shown(objects), wanted_of(calls), "tables and moves between them are shown in order")
    by_name = collections.defaultdict(list)
    for o in objects:
        # vfio has operations of the same names
        if o.get("subsystem") == "iommufd":
            by_name[o["operation"]].append(o)
    first, other = [o["object_id"] for o in by_name["ioas_alloc"]]
    hwpt, = by_name["hwpt_alloc"]
    to_hwpt, to_other, back = by_name["replace"]
    tap.equal((hwpt["ioas"], hwpt["device"], hwpt["fill_ns"] > 0, hwpt["alloc_ns"] > 0),
              (first, DEVICE, True, True), "a table belongs to its IOAS and device, and is allocated and filled")
    tap.equal((by_name["copy"][0]["src_ioas"], by_name["copy"][0]["ioas"]), (first, other),
              "a copy goes from one IOAS to another")
    auto = by_name["attach"][0]["hwpt"]
    tap.equal([(o["old_ioas"], o["ioas"]) for o in (to_hwpt, to_other, back)],
              [(first, first), (first, other), (other, first)], "a replacement goes from IOAS to IOAS")
    tap.equal((to_hwpt["old_hwpt"], to_hwpt["hwpt"], to_other["old_hwpt"]),
              (auto, hwpt["hwpt"], hwpt["hwpt"]), "and from table to table")
    tap.ok(all(o["switch_ns"] > 0 and o["check_ns"] > 0 for o in (to_other, back)), "it checks and switches",
           to_other)
    tap.ok(to_other["fill_ns"] > 0 and to_other["alloc_ns"] > 0, "and fills a table that does not exist yet",
           to_other)
    detach = by_name["detach"][0]
    tap.equal((detach["old_hwpt"] not in (0, None), detach["drop_ns"] > 0), (True, True),
              "a detach drops the table that it leaves")


def compat(tap):
    _, objects, output = observed(("ops",), "compat")
    _, calls = truth(output)
    tap.equal(shown(objects), wanted_of(calls), "calls of the type1 interface are shown as maps and unmaps")
    mine = [o for o in objects if o.get("operation") in ("map", "unmap")]
    tap.equal([(o["source"], o["pages"]) for o in mine], [("upstream", 16)] * 2, "with their pages")
    tap.equal({o["ioas"] for o in mine[:1]}, {o["object_id"] for o in objects if o.get("operation") == "ioas_alloc"},
              "and the IOAS that is set for them")


def numbers(tap):
    for work in (("pairs", "2000"), ("bytes", str(32 << 20)), ("tables",)):
        _, objects, output = observed(("lat",), *work)
        _, calls = truth(output)
        wanted = {}
        for name in {call.name for call in calls} - {"detach"}:
            mine = [call for call in calls if call.name == name]
            wanted[name] = (len(mine), 0, sum(call.length for call in mine))
        got = {row["operation"]: (row["count"], row["errors"], row["bytes"] or 0)
               for row in objects[-1]["operations"] if row["operation"] in wanted}
        tap.equal(got, wanted, "%s: lat's counts and bytes are the client's" % " ".join(work))
        tap.equal({row["source"] for row in objects[-1]["operations"] if row["subsystem"] == "iommufd"},
                  {"upstream"}, "with their source")


def reasons(tap):
    _, objects, output = observed(("ops", "--errors"), "errors")
    _, calls = truth(output)
    wrong = [call for call in calls if call.error]
    failures = [o for o in objects if o.get("subsystem") == "iommufd"]
    tap.equal([(o["operation"], o["error"]) for o in failures], [(c.name, c.error) for c in wrong],
              "each failure is shown")
    # the address of the missing memory: the map of it reports that
    at = [o["reason_a"] for o in failures if o["reason"] == "gup_fault"]
    found = [(o["reason"], o["reason_a"], o["reason_b"]) for o in failures if o["error"] != "EBUSY"]
    tap.equal(found, [
        ("iova_overlap", BASE, BASE + 4 * PAGE - 1),
        ("unmap_splits_area", BASE, BASE + 4 * PAGE - 1),
        ("iova_reserved", 0xfee00000, 0xfeefffff),
        ("iova_misaligned", BASE + 16 * PAGE + 1, PAGE),
        ("zero_length", 0, 0),
        ("unknown_flags", 7 | 1 << 7, 7),
        ("bad_object_id", 4711, 0),
        ("iova_not_mapped", BASE + 1024 * PAGE, BASE + 1025 * PAGE - 1),
        ("gup_fault", at[0] if at else None, 14),
        ("bad_object_id", 4711, 0),
        ("bad_object_id", 4711, 0),
        ("bad_object_id", 4711, 0),
    ], "each with its reason and its numbers")
    tap.equal([o["reason"] for o in failures if (o["operation"], o["error"]) == ("destroy", "EBUSY")],
              ["object_busy"], "an object in use is busy")


def memory_limit(tap):
    allowed, wanted = 1 << 20, 4 << 20
    _, objects, _ = observed(("ops", "--errors"), "memlock", str(allowed), str(wanted))
    tap.equal([(o["operation"], o["error"], o["reason"], o["reason_a"], o["reason_b"], o["uid"])
               for o in objects if o.get("subsystem") == "iommufd"],
              [("map", "ENOMEM", "memlock_limit", allowed // 4, allowed, 1000)],
              "the limit on locked memory is named, with the amount in use")


def waiting(tap):
    _, objects, output = observed(("ops",), "waiting", str(64 << 20))
    _, calls = truth(output)
    names = collections.Counter(call.name for call in calls)
    mine = collections.Counter(o["operation"] for o in objects if o.get("subsystem") == "iommufd")
    tap.equal([mine[name] for name in ("map", "unmap")], [names[name] for name in ("map", "unmap")],
              "two threads in one context: each call is shown")


def replacements(tap):
    _, objects, output = observed(("replace",), "tables")
    _, calls = truth(output)
    totals = objects.pop()
    tap.equal((len(objects), totals["lost"]), (sum(call.name == "replace" for call in calls), 0),
              "replace shows each replacement")
    tap.equal({(o["device"], o["ret"], o["moves"], o["windows"], o["verdict"], o["faults_in_window"])
               for o in objects}, {(DEVICE, 0, 1, 1, "blocked", 0)},
              "VT-d removes the translation each time, and nothing faults")
    tap.ok(all(0 < o["window_ns"] <= o["switch_ns"] <= o["dur_ns"] for o in objects),
           "each window lies within the switch", objects)
    tap.equal([a["hwpt"] == b["old_hwpt"] for a, b in zip(objects, objects[1:])], [True, True],
              "each starts from the HWPT of the previous one")
    _, objects, _ = observed(("replace",), "errors")
    tap.equal([(o["verdict"], o["error"], o["reason"], o["moves"]) for o in objects[:-1]],
              [("refused", "ENOENT", "bad_object_id", 0)], "a refused replacement moves nothing")


def waits(tap):
    waiting = []
    # the scheduler decides which thread comes first
    for _ in range(10):
        _, objects, output = observed(("replace",), "switching", "100")
        _, calls = truth(output)
        if len(objects) - 1 != sum(call.name == "replace" for call in calls):
            tap.ok(False, "each replacement is shown", len(objects))
        waiting = [w for o in objects[:-1] for w in o["waiting"]]
        if waiting:
            break
    tap.ok(waiting and all(w["operation"] in ("map", "unmap") and w["wait_ns"] > 0 for w in waiting),
           "operations of another thread that wait for a replacement are shown with it", waiting)


TESTS = (replacements, waits, every_call, tables, compat, numbers, reasons, memory_limit, waiting)
BIND = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "e2e", "bind-device")
if run(BIND, DEVICE).returncode:
    sys.exit("no device")
try:
    Tap().run(*(test for test in TESTS if not sys.argv[2:] or test.__name__ in sys.argv[2:]))
finally:
    run(BIND, "-d", "", DEVICE)
