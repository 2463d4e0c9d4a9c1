#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope export: what it serves is correct, documented, and in Prometheus's formats."""

import contextlib
import http.client
import os
import re
import subprocess
import time

from exporter import PORT, get, load, sample, samples
from iommufd import IOVA, Space, memlock
from iommushell import Shell
from tooltest import Observer, Tap, patience, run, setting, wait_for

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"


def documented():
    """{metric: (type, labels)} of docs/use/metrics.md."""
    metrics = {}
    with open(os.path.join(ROOT, "docs", "use", "metrics.md"), encoding="utf-8") as file:
        for line in file:
            row = re.fullmatch(r"\| `(\w+)` \| (\w+) \| (.*?) ?\| (.+) \|", line.strip())
            if row:
                metrics[row[1]] = (row[2], set(re.findall(r"`(\w+)`", row[3])))
    return metrics


def counts(tap):
    with Observer("export") as observer:
        status, headers, _ = get("/-/healthy")
        tap.equal(status, 200, "it is healthy")
        early = samples(get("/metrics")[2])
        truth = load("200", "0x10000", "10")
        status, headers, text = get("/metrics")
        tap.equal((status, headers["Content-Type"]),
                  (200, "text/plain; version=0.0.4; charset=utf-8"), "it serves metrics")
        _, headers, modern = get("/metrics", Accept=OPENMETRICS)
    tap.equal((observer.status, observer.stderr), (0, ""), "a signal ends it without an error")
    tap.equal(observer.stdout.splitlines(),
              ["serving http://127.0.0.1:9947/metrics",
               "capabilities kept: CAP_BPF CAP_PERFMON"],
              "it reports where it serves, and with which capabilities")
    # what dashboards/prometheus asks for
    tap.equal(([sample(early, "iommufd_failures_total", operation=operation, reason="memlock_limit")
                for operation in ("map", "copy", "attach", "replace", "hwpt_alloc", "access_pin")],
               [sample(early, "iommufd_operation_phase_duration_seconds_" + part, operation="map", phase="pin")
                for part in ("count", "sum")],
               {sample(early, "iommufd_lost_events_total", source=source)
                for source in ("failures", "replacements", "running")}),
              ([0] * 6, [0] * 2, {0}), "what alerts look at is 0 from the start")
    reported = samples(text)
    for operation in "map", "unmap":
        count, errors, _ = truth[operation]
        tap.equal([sample(reported, "iommufd_operations_total", operation=operation, result=result)
                   for result in ("success", "error")], [count - errors, errors],
                  "operations of %s are the workload's" % operation)
        name = "iommufd_operation_duration_seconds"
        tap.equal((sample(reported, name + "_count", operation=operation),
                   sample(reported, name + "_bucket", operation=operation, le="+Inf")),
                  (count, count), "so are those in its histogram")
        bounds = sorted((float(dict(labels)["le"]), value)
                        for labels, value in reported[name + "_bucket"].items()
                        if dict(labels)["operation"] == operation)
        tap.ok(len(bounds) == 27 and [value for _, value in bounds]
               == sorted(value for _, value in bounds), "whose buckets rise", bounds)

    tap.equal(sample(reported, "iommufd_failures_total", operation="map", reason="bad_object_id"),
              truth["map"][1], "failures have their reason")
    tap.equal(sample(reported, "iommufd_operation_bytes_total", operation="map"), truth["map"][2],
              "bytes mapped are the workload's")

    checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                             capture_output=True)
    tap.equal((checked.returncode, checked.stdout + checked.stderr), (0, ""),
              "promtool finds no fault")
    tap.ok(headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
           and modern.endswith("\n# EOF\n"), "OpenMetrics for clients that ask for it", headers)

    wrong = []
    docs = documented()
    for name, kind in re.findall(r"# TYPE (\w+) (\w+)", text):
        if name not in docs:
            wrong.append("not documented: " + name)
            continue
        wanted, labels = docs[name]
        if kind != {"info": "gauge"}.get(wanted, wanted):
            wrong.append("%s is a %s" % (name, kind))
        reported_labels = {label for suffix in ("", "_bucket") for key in reported.get(name + suffix, ())
                       for label, _ in key} - {"le"}
        if not reported_labels <= labels:
            wrong.append("%s has labels %s" % (name, reported_labels))
    wrong += ["not served: " + name for name in docs if "# TYPE %s " % name not in text]
    tap.ok(docs and not wrong, "every metric is documented, and each documented one is served",
           *wrong)


def state(tap):
    with Observer("export", "--processes"):
        empty = samples(get("/metrics")[2])
        with Space() as space, memlock(1 << 20):
            space.map(IOVA, 3 << 20)
            space.map(IOVA + (8 << 20), 1 << 20)
            reported = samples(get("/metrics")[2])
            (labels,) = reported["iommufd_context_info"]
            ctx = dict(labels)
            wanted = {"ctx": ctx["ctx"], "ioas": str(space.ioas)}
            tap.equal({name: sample(reported, "iommufd_ioas_" + name, **wanted)
                       for name in ("areas", "mapped_bytes", "pinned_bytes")},
                      {"areas": 2, "mapped_bytes": 4 << 20, "pinned_bytes": 0},
                      "areas and bytes of an IOAS are those mapped")
            free = sample(reported, "iommufd_ioas_iova_free_bytes", **wanted)
            hole = sample(reported, "iommufd_ioas_iova_largest_hole_bytes", **wanted)
            tap.equal((free > 4 << 20, 0 < hole < free), (True, True), "so is the free space")
            with open("/proc/self/comm", encoding="utf-8") as file:
                tap.equal((ctx["pid"], ctx["uid"], ctx["process"]),
                          (str(os.getpid()), "0", file.read().strip()),
                          "the context names its process")
            tap.equal((reported["iommufd_mapped_bytes"][()], reported["iommufd_contexts"][()]),
                      (4 << 20, 1), "sums are over all")
            (limit,) = reported["iommufd_memlock_limit_bytes"].values()
            tap.equal(limit, float("inf"), "a process with CAP_IPC_LOCK has no limit")
        gone = samples(get("/metrics")[2])
    tap.equal((empty["iommufd_contexts"][()], gone["iommufd_contexts"][()],
               "iommufd_ioas_areas" in gone), (0, 0, False), "closed objects are no longer served")


def replacements(tap):
    if not os.path.isdir("/sys/module/iommufd_mock"):
        tap.skip("replacements", "no mock IOMMU")
        return
    with Observer("export"):
        with Shell() as shell:
            file = shell.open()
            space = shell.ioas(file)
            stdev, _, index, *_ = shell.device(file, 88)
            shell.attach(file, stdev, space)
            bound = samples(get("/metrics")[2])
            name = "iommufd-mock.%d" % index
            counters = [value for metric in ("iommufd_replacements_total", "iommufd_replacement_faults_total",
                                             "iommufd_replacements_faults_unknown_total")
                        for key, value in bound.get(metric, {}).items() if ("device", name) in key]
            tap.equal(counters, [0] * 11, "a bound device has its counters before its first replacement")
            shell.replace(file, stdev, shell.ioas(file))
            verdicts = {}

            def counted():
                text = get("/metrics")[2]
                replaced = samples(text)["iommufd_replacements_total"]
                verdicts.update((key, value) for key, value in replaced.items() if ("device", name) in key)
                return sum(verdicts.values()) == 1 and len(verdicts) == text.count(
                    'iommufd_replacements_total{device="%s"' % name)

            wait_for(counted)
            tap.equal((sum(verdicts.values()), len(verdicts)), (1, 7), "and each of them once after it")
        lines = [line.split() for line in run("replace-load", "20", "1").stdout.splitlines()]
        replaced, device = int(lines[0][1]), lines[1][0]

        def hitless():
            reported = samples(get("/metrics")[2])
            return sum(value for labels, value in reported.get("iommufd_replacements_total", {}).items()
                       if ("verdict", "hitless") in labels)

        # a replacement is counted a second after its end
        wait_for(lambda: hitless() >= replaced)
        reported = samples(get("/metrics")[2])
    tap.equal((sample(reported, "iommufd_replacements_total", device=device, verdict="hitless"),
               sample(reported, "iommufd_replacement_faults_total", device=device, when="window"),
               sample(reported, "iommufd_replacement_window_seconds_sum",
                      iommu_driver="iommufd_mock")),
              (replaced, 0, 0), "replacements of a device have their verdict")
    tap.equal([sample(reported, "iommufd_replacements_faults_unknown_total", device=device, why=why)
               for why in ("none_reported", "not_watched")], [0, 0], "and their faults are known")
    tap.equal(sample(reported, "iommufd_lost_events_total", source="replacements"), 0,
              "and none is lost")


def running(tap):
    with Observer("export", "--stuck-after", "100ms"):
        with subprocess.Popen(["stuck-load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as load_process:
            load_process.stdout.readline()
            time.sleep(0.3)
            reported = samples(get("/metrics")[2])
            load_process.stdin.close()
        after = samples(get("/metrics")[2])
    names = "iommufd_running_operations", "iommufd_stuck_operations"
    tap.equal([sample(reported, name, operation="map") for name in names], [1, 1],
              "an operation that does not end is stuck")
    tap.ok(reported["iommufd_longest_running_operation_seconds"][()] > 0.1, "and has an age")
    tap.equal([sample(after, name, operation="map") for name in names], [0, 0],
              "until it has ended")


def labels(tap):
    with Observer("export", "--by", "process", "--limit", "2", "--max-objects", "1"):
        truths = [load("10", "4096") for _ in range(6)]
        with Space(), Space():
            reported = samples(get("/metrics")[2])
    found = {dict(key)["process"]: value for key, value in reported["iommufd_operations_total"].items()
             if dict(key)["operation"] == "map" and dict(key)["result"] == "success"}
    tap.ok(2 <= len(found) <= 5 and any(name.startswith("map-load [") for name in found)
           and "(others)" in found, "--by distinguishes processes, as many as --limit allows", found)
    tap.equal(sum(found.values()), sum(truth["map"][0] for truth in truths), "and misses none")
    tap.equal((len(reported["iommufd_context_info"]), reported["iommufd_contexts"][()],
               sample(reported, "iommufd_exporter_left_out", what="contexts")), (1, 2, 1),
              "--max-objects bounds the objects")


def maps_by(label):
    """{value of the label: successful maps} of a scrape."""
    reported = samples(get("/metrics")[2])
    return {dict(key)[label]: value for key, value in reported.get("iommufd_operations_total", {}).items()
            if dict(key)["operation"] == "map" and dict(key)["result"] == "success"}


def maps_once(label, condition):
    """What maps_by() shows once it meets a condition: a busy exporter repeats its last answer."""
    seen = []
    wait_for(lambda: seen.append(maps_by(label)) or condition(seen[-1]))
    return seen[-1]


def churn(tap):
    """Short processes come and go; the one that stays has its label."""
    with Observer("export", "--by", "process", "--limit", "4"):
        truth = sum(load("10", "4096")["map"][0] for _ in range(3))
        found = maps_by("process")
        tap.ok(len(found) == 3 and sum(found.values()) == truth, "a process that has ended is shown once more", found)
        tap.equal(maps_once("process", lambda maps: len(maps) == 1), {"(others)": truth},
                  "and then its counts are among the others")
        with subprocess.Popen(["map-load", "-w", "30", "4096"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as stays:
            stays.stdout.readline()
            truth += 30
            for _ in range(12):
                truth += load("10", "4096")["map"][0]
                found = maps_once("process", lambda maps: sum(maps.values()) == truth)
            tap.equal(sum(found.values()), truth, "no operation of %d processes is missing" % 16)
            tap.equal(found.get("map-load [%d]" % stays.pid), 30, "a process that stays has its label after many others")
            stays.stdin.close()
        reported = samples(get("/metrics")[2])
        tap.equal(reported["iommufd_exporter_unlabelled_operations_total"][()], 0, "each had a label while it lived")
        tap.equal(maps_once("process", lambda maps: len(maps) == 1), {"(others)": truth}, "until it has ended as well")


def memory_of_labels():
    """Bytes of the BPF maps and of the process, and the number of labels of maps."""
    reported = samples(get("/metrics")[2])
    labels = {dict(key)["process"] for key in reported.get("iommufd_operations_total", ())
              if dict(key)["operation"] == "map"}
    bpf, resident = (reported["iommufd_exporter_%s_memory_bytes" % of][()] for of in ("bpf", "resident"))
    return bpf, resident, len(labels)


def label_memory(tap):
    """A label has entries for at most four groups of CPUs, and all labels fit into the unit."""
    count, most = 12, 64
    cpus = os.sysconf("SC_NPROCESSORS_CONF")
    label_bytes = (200 << 10) * min(cpus, 4) / 4
    with open(os.path.join(ROOT, "packaging", "systemd", "iommuscope-export.service"), encoding="ascii") as file:
        unit = int(re.search(r"^MemoryMax=(\d+)M$", file.read(), re.M)[1]) << 20
    # otherwise BPF memory is measured once a minute
    with setting("/proc/sys/kernel/bpf_stats_enabled", "1"), \
            Observer("export", "--by", "process"), contextlib.ExitStack() as stack:
        before = memory_of_labels()[0]
        for _ in range(count):
            work = stack.enter_context(subprocess.Popen(["map-load", "-w", "50", "4096"], stdin=subprocess.PIPE,
                                                        stdout=subprocess.PIPE))
            stack.callback(work.stdin.close)
            work.stdout.readline()
        seen = []
        wait_for(lambda: seen.append(memory_of_labels()) or seen[-1][2] == count)
        after, resident, found = seen[-1]
    tap.equal(found, count, "%d processes have labels" % count)
    tap.ok(before > 1 << 20 and 0 < after - before <= count * label_bytes,
           "a process that maps takes at most 200 KB in the kernel, 50 for each of four groups of CPUs", before, after)
    print("# %d CPUs: %d bytes without labels, %d for each" % (cpus, before, (after - before) / count))
    tap.ok(before + resident + 2 * most * (200 << 10) <= unit, "all labels fit into the unit's memory",
           before, resident, unit)


def spaces_come_and_go(tap):
    """Address spaces give their labels back, too."""
    with Observer("export", "--by", "ioas", "--limit", "8") as observer:
        for number in range(30):
            with Space() as space:
                space.map(IOVA, 4096)
            maps_once("ioas", lambda maps: sum(maps.values()) == number + 1)
        # between two scrapes, it makes room by itself
        with contextlib.ExitStack() as stack:
            for _ in range(6):
                stack.enter_context(Space()).map(IOVA, 4096)
            time.sleep(2.5)
        with Space() as space:
            space.map(IOVA, 4096)
            maps = maps_once("ioas", lambda maps: sum(maps.values()) == 37 and len(maps) == 2)
    tap.equal(sorted(maps.values()), [1, 36], "--by ioas folds 36 address spaces that are gone")
    tap.ok("(others)" in maps and any(name.endswith(" ioas %d" % space.ioas) for name in maps),
           "and shows the one that is there", maps)
    tap.equal(observer.stderr, "", "without a complaint")


def methods(tap):
    with Observer("export", "--listen", "[::1]:9947", "--listen", "127.0.0.1:9948"):
        _, headers, text = get("/metrics", port=9948)
        status, _, _ = get("/metrics", "HEAD", port=9948)
        tap.equal(status, 200, "HEAD is served")
        for method in "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW":
            status, headers, _ = get("/metrics", method, port=9948)
            tap.equal((status, headers["Allow"]), (405, "GET, HEAD"), method + " is not")
        tap.equal(get("/nothing", port=9948)[0], 404, "an unknown path is not found")
        connection = http.client.HTTPConnection("::1", PORT, timeout=patience(30))
        answers = []
        for _ in range(3):
            connection.request("GET", "/-/healthy")
            response = connection.getresponse()
            answers.append((response.status, response.read() != b"", response.will_close))
        tap.equal(answers, [(200, True, False)] * 3, "it serves IPv6, and many requests on one connection")


def monotone(tap):
    """No counter steps back while operations succeed and fail."""
    before, backwards, scrapes = {}, [], 0
    with Observer("export"), subprocess.Popen(["map-load", "20000", "4096", "20000"],
                                              stdout=subprocess.DEVNULL) as work:
        while work.poll() is None:
            now = {(name, labels): value for name, values in samples(get("/metrics")[2]).items()
                   if name.endswith("_total") and name.startswith("iommufd_") for labels, value in values.items()}
            backwards += [(key, before[key], value) for key, value in now.items() if value < before.get(key, 0)]
            before, scrapes = now, scrapes + 1
    tap.ok(scrapes > 3 and not backwards, "in %d scrapes under load no counter steps back" % scrapes, backwards[:5])


Tap().run(counts, monotone, state, replacements, running, labels, churn, spaces_come_and_go,
          label_memory, methods)
