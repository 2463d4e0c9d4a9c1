#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope record and report, against what ops saw in the same run."""

import atexit
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from tooltest import Observer, Tap, patience, run, tool, wait_for

FOLDER = tempfile.mkdtemp(prefix="record-")
atexit.register(shutil.rmtree, FOLDER)
TRACE = os.path.join(FOLDER, "a.trace")
# for the test that opens the timeline in a browser
OUT = "/out/record"


def without_time(objects):
    """Each command reads the wall clock itself, so times differ between them."""
    return [{key: value for key, value in o.items() if key not in ("time", "time_ns")} for o in objects]


def objects(*arguments):
    result = tool("report", "--json", *arguments)
    return [json.loads(line) for line in result.stdout.splitlines()]


def same_as_ops(tap):
    with Observer("ops", "--json") as ops, Observer("record", "--no-replacements", "-o", TRACE) as record:
        load = run("map-load", "-m", "60", "0x20000", "6")
        run("ioas-load", "30")
    tap.equal((load.returncode, record.status, record.stderr), (0, 0, ""), "record ends well")
    tap.ok("none lost" in record.stdout and "events in" in record.stdout, "and sums up",
           record.stdout)
    saw = ops.objects()
    shown = objects(TRACE)
    tap.ok(len(saw) > 150, "ops saw the workload", len(saw))
    tap.equal(without_time(shown), without_time(saw), "report --json shows the same as ops")
    lines = tool("report", TRACE).stdout.splitlines()[1:]
    tap.equal(len(lines), len(saw) - 1, "the text has a line for each")
    failures = [o["message"] for o in saw if o.get("error")]
    tap.ok(failures and sum(failures[0] in line for line in lines) == failures.count(failures[0]),
           "with the failures in words", failures[:1])


def begins(tap):
    shown = objects("--begins", TRACE)
    ends = [o for o in shown if "dur_ns" in o]
    starts = [o for o in shown if o.get("event") == "begin"]

    def reported(some):
        return sorted((o["tid"], o["operation"], o["start_monotonic_ns"]) for o in some)
    announced = {o["operation"] for o in starts}
    tap.ok({"map", "unmap", "attach"} <= announced, "start events are recorded", announced)
    tap.equal(reported(starts), reported(o for o in ends if o["operation"] in announced and
                                 o.get("reason") != "bad_object_id"),
              "each has its end, with the same start; a call without an object has no start event")
    result = tool("record", "--no-begins", "--no-replacements", "-o", os.path.join(FOLDER, "ends"), "--",
                  "map-load", "20", "4096")
    info = json.loads(tool("report", "--info", "--json", os.path.join(FOLDER, "ends")).stdout)
    tap.equal((result.returncode, info["begins"], info["operations"]), (0, 0, 43),
              "--no-begins records none")


def filters(tap):
    everything = [o for o in objects(TRACE) if "dur_ns" in o]
    pid = everything[0]["pid"]
    device = [o["device"] for o in everything if o.get("device")][0]
    for name, arguments, keep in (
            ("-p", ("-p", str(pid)), lambda o: o["pid"] == pid),
            ("--errors", ("--errors",), lambda o: o["ret"] < 0),
            ("-o", ("-o", "map,attach"), lambda o: o["operation"] in ("map", "attach")),
            ("--slower", ("--slower", "50us"), lambda o: o["dur_ns"] >= 50000),
            ("-d", ("-d", device), lambda o: o.get("device") == device),
            ("-n", ("-n", "5"), lambda o: o in everything[:5])):
        got = [o for o in objects(*arguments, TRACE) if "dur_ns" in o]
        wanted = [o for o in everything if keep(o)]
        tap.ok(wanted and got == wanted, "report %s" % name, len(got), len(wanted))
    rows = list(csv.DictReader(io.StringIO(tool("report", "--csv", TRACE).stdout)))
    tap.equal([(int(r["start_monotonic_ns"]), r["operation"], int(r["ret"]), int(r["dur_ns"]), r["process"])
               for r in rows],
              [(o["start_monotonic_ns"], o["operation"], o["ret"], o["dur_ns"], o["process"])
               for o in everything], "report --csv has the same rows")


def nested(events):
    """Slices of a track that overlap without nesting: there must be none."""
    crossing = 0
    tracks = {}
    for event in events:
        if event["ph"] == "X":
            tracks.setdefault((event["pid"], event["tid"]), []).append(event)
    for slices in tracks.values():
        stack = []
        # microseconds with three decimals: convert back to nanoseconds
        for e in sorted(slices, key=lambda e: (round(e["ts"] * 1000), -round(e["dur"] * 1000))):
            start, end = round(e["ts"] * 1000), round((e["ts"] + e["dur"]) * 1000)
            while stack and stack[-1] <= start:
                stack.pop()
            if stack and stack[-1] < end:
                crossing += 1
            stack.append(end)
    return crossing


def timeline(tap):
    text = tool("report", "--trace-event", TRACE).stdout
    events = json.loads(text)["traceEvents"]
    everything = [o for o in objects(TRACE) if "dur_ns" in o]
    slices = [e for e in events if e["ph"] == "X" and e["cat"] != "phase"]
    on_devices = [o for o in everything if o.get("device")]
    tap.equal(len(slices), len(everything) + len(on_devices),
              "a slice for each operation on its thread and on its device")
    phases = [e for e in events if e["ph"] == "X" and e["cat"] == "phase"]
    tap.ok({"pin", "map", "unmap"} <= {e["name"] for e in phases}, "with their phases")
    tap.equal(nested(events), 0, "slices nest")
    names = {e["args"]["name"] for e in events if e["ph"] == "M"}
    tap.ok({"map-load", "ioas-load", "device " + on_devices[0]["device"]} <= names,
           "tracks are by process and device", names)


def replacements(tap):
    """What replacements did to DMA, compared with `replace` in the same run."""
    path = os.path.join(FOLDER, "replaced.trace")
    with Observer("replace", "--json") as replace, Observer("record", "-o", path) as record:
        load = run("replace-load", "12", "2", "3000")
    tap.equal((load.returncode, record.status, record.stderr), (0, 0, ""), "record ends well")

    def reported(some):
        return sorted((o["start_monotonic_ns"], o["device"], o["verdict"], o["old_hwpt"], o["hwpt"],
                       o["windows"], o["dur_ns"], o["process"]) for o in some if "verdict" in o)
    shown = objects(path)
    saw = reported(replace.objects())
    tap.ok(len(saw) >= 24, "there were replacements", len(saw))
    tap.equal(reported(shown), saw, "the report shows the same replacements as replace")
    blocked = [o for o in shown if o.get("verdict") == "blocked"]
    tap.ok(len(blocked) == 24 and all(o["window_ns"] > 3000000 for o in blocked),
           "with their windows", len(blocked))
    tap.ok(sum(o["faults_in_window"] for o in blocked) > 0, "and faults")
    lines = tool("report", path).stdout.splitlines()
    tap.equal(len([line for line in lines if ": blocked " in line]), 24, "in words")
    rows = list(csv.DictReader(io.StringIO(tool("report", "--csv", path).stdout)))
    tap.equal([(int(r["start_monotonic_ns"]), r["device"], r["verdict"], int(r["dur_ns"]), int(r["switch_ns"]),
                r["window_ns"], r["faults_in_window"]) for r in rows if r["event"] == "replacement"],
              [(o["start_monotonic_ns"], o["device"], o["verdict"], o["dur_ns"], o["switch_ns"],
                *("" if o[key] is None else str(o[key]) for key in ("window_ns", "faults_in_window")))
               for o in shown if "verdict" in o], "--csv has a row for each")
    tap.equal({r["verdict"] + r["window_ns"] for r in rows if r["event"] != "replacement"}, {""},
              "and operations leave these columns empty")
    text = tool("report", "--trace-event", path).stdout
    events = json.loads(text)["traceEvents"]
    windows = [e for e in events if e.get("cat") == "window"]
    tap.equal(len(windows), 24, "the timeline has the windows")
    tap.ok([e for e in events if e.get("cat") == "fault"], "and the faults")
    tap.equal(nested(events), 0, "and slices nest")
    if os.path.isdir("/out"):
        os.makedirs(OUT, exist_ok=True)
        with open(os.path.join(OUT, "timeline.json"), "w", encoding="utf-8") as file:
            file.write(text)


def broken(tap):
    """The part that was written before a crash can be read."""
    with open(TRACE, "rb") as file:
        whole = file.read()
    everything = without_time(objects(TRACE))
    path = os.path.join(FOLDER, "broken.trace")

    def refused(content, words, name, exact=True):
        with open(path, "wb") as file:
            file.write(content)
        result = tool("report", "--json", path)
        shown = without_time(json.loads(line) for line in result.stdout.splitlines())
        shown = [o for o in shown if "dur_ns" in o and o.get("event") != "unfinished"]
        tap.ok(result.returncode == 1 and words in result.stderr and
               result.stderr.count("\n") == 1 and
               (not exact or shown == everything[:len(shown)]), name, result.stderr, shown[:1])
        return len(shown)

    cut = [refused(whole[:size], "it is cut off at byte %d" % size, "cut off at byte %d" % size)
           for size in (5, 16, 20, 300, len(whole) // 3, len(whole) // 2, len(whole) - 60,
                        len(whole) - 1)]
    tap.ok(cut == sorted(cut) and cut[-1] == len(everything) - 1 and 0 < cut[5] < cut[-1],
           "a longer part shows more, and everything if only the end is missing", cut)
    refused(b"", "it is empty", "an empty file")
    refused(os.urandom(5000), "it is not a trace of iommuscope", "garbage")
    refused(whole[:8] + b"\x07" + whole[9:], "it is of format 7, and this iommuscope reads format 1",
            "a newer format")
    middle = len(whole) // 2
    refused(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1:], "it is damaged",
            "a broken byte", exact=False)
    result = tool("report", "/no/such.trace")
    tap.equal((result.returncode, result.stderr),
              (1, "iommuscope: cannot read /no/such.trace: No such file or directory\n"),
              "a file that does not exist")
    result = tool("report", FOLDER)
    tap.ok(result.returncode == 1 and "it cannot be read at byte 0" in result.stderr, "a folder",
           result.stderr)


def crash(tap):
    """The file of a recorder that was killed can be read, and shows what was in flight."""
    path = os.path.join(FOLDER, "killed.trace")
    with Observer("record", "--no-replacements", "-o", path) as observer:
        load = subprocess.Popen(["stuck-load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True)
        load.stdout.readline()
        wait_for(lambda: any(o.get("operation") == "map" for o in objects("--begins", path)))
        observer.process.send_signal(signal.SIGKILL)
        observer.ends()
    load.communicate("")
    shown = objects(path)
    result = tool("report", path)
    under_way = [o for o in shown if o.get("event") == "unfinished"]
    tap.ok(len([o for o in shown if "dur_ns" in o]) > 0 and result.returncode == 1 and
           "the recording did not end properly" in result.stderr,
           "what was recorded before the kill can be read", result.stderr)
    tap.ok([o for o in under_way if o["operation"] == "map" and o["pid"] == load.pid],
           "an operation that did not end is shown", shown[-3:])
    tap.ok("does not end within the trace" in result.stdout, "in words", result.stdout)


def losses(tap):
    path = os.path.join(FOLDER, "lost.trace")
    with Observer("record", "--no-replacements", "-o", path, "--buffer", "1", timeout=120) as observer:
        observer.process.send_signal(signal.SIGSTOP)
        run("map-load", "10000", "4096")
        observer.process.send_signal(signal.SIGCONT)
    info = json.loads(tool("report", "--info", "--json", path).stdout)
    # open, ioas_alloc, map and unmap with their start events, close
    tap.equal(info["operations"] + info["begins"] + info["lost"], 40003,
              "lost events are counted, and nothing else is missing")
    tap.ok(info["lost"] > 0 and "%d more were lost" % info["lost"] in observer.stdout,
           "and reported at the end", observer.stdout)
    tap.ok("%d events were lost here" % info["lost"] in tool("report", path).stdout,
           "and their position is shown")


def fast(tap):
    path = os.path.join(FOLDER, "fast.trace")
    result = tool("record", "--no-replacements", "-o", path, "--", "map-load", "20000", "4096", timeout=120)
    info = json.loads(tool("report", "--info", "--json", path).stdout)
    tap.equal((result.returncode, info["operations"], info["begins"], info["lost"]),
              (0, 40003, 40000, 0), "a workload at full speed loses nothing")
    size = os.path.getsize(path)
    tap.ok(size < 40 * 80003, "in less than 40 bytes an event", size)


def files(tap):
    path = os.path.join(FOLDER, "twice.trace")
    for count in ("3", "4"):
        tool("record", "--no-replacements", "-o", path, "--", "ioas-load", count)
    tap.equal([len(objects(p)) for p in (path + ".old", path)], [2 * 3 + 3, 2 * 4 + 3],
              "the previous recording is kept")
    result = subprocess.run("iommuscope record --no-replacements -n 4 -o - -- ioas-load 9 2>/dev/null |"
                            " iommuscope report --info -", shell=True, text=True,
                            stdout=subprocess.PIPE, check=False, timeout=patience(60))
    tap.ok("\n4 operations and 0 start events in" in result.stdout, "a pipe works, and -n ends the recording",
           result.stdout)
    result = tool("record", "--no-replacements", "-o", "/no/such/file", "--", "true")
    tap.equal((result.returncode, result.stderr),
              (1, "iommuscope: cannot write /no/such/file: No such file or directory\n"),
              "a file that cannot be created")
    result = tool("record", "--no-replacements", "-o", "/dev/full", "--", "ioas-load", "5")
    tap.equal((result.returncode, result.stderr.splitlines()[-1]),
              (1, "iommuscope: cannot write /dev/full: No space left on device"), "a full disk")
    result = tool("record", "--buffer", "3")
    tap.ok(result.returncode == 2 and "not a power of two" in result.stderr, "a wrong buffer",
           result.stderr)


def span(tap):
    """The span of a recording has no time in which programs are attached."""
    ready = os.path.join(FOLDER, "ready")
    os.mkfifo(ready)
    with subprocess.Popen(["iommuscope", "record", "-o", TRACE, "--ready-file", ready],
                          stdout=subprocess.PIPE, text=True) as record:
        # it is not ready before this pipe is opened for reading
        with open("/proc/%d/wchan" % record.pid, encoding="ascii") as waits:
            wait_for(lambda: waits.seek(0) or waits.read() == "wait_for_partner")
        start = time.monotonic()
        time.sleep(2)
        with open(ready, encoding="ascii"):
            time.sleep(1)
        record.send_signal(signal.SIGINT)
        text = record.communicate(timeout=patience(60))[0]
    most = time.monotonic() - start - 2
    found = re.search(r"events in ([0-9.]+) s, ", text)
    # two digits are printed
    tap.ok(found and 0.9 <= float(found.group(1)) <= most * 1.06, "the time of recording is reported",
           most, text)


if __name__ == "__main__":
    Tap().run(same_as_ops, begins, filters, timeline, replacements, broken, crash, losses, fast, files, span)
