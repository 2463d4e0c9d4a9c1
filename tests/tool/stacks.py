#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope lat --stacks: does it show the slowest operations, and their callers?"""

import glob
import json
import os
import signal
import subprocess

from tooltest import TOOL, Observer, Tap, in_terminal, patience, run, tool, wait_for


def slowest(report, operation):
    return [o for o in report["slowest"]
            if (o["subsystem"], o["operation"]) == ("iommufd", operation)]


def frames(call, space):
    return [f for f in call["frames"] if f["space"] == space]


def exact(tap):
    # another instance records every operation
    with Observer("ops", "--json", "-o", "map,unmap") as ops:
        with Observer("lat", "--json", "--stacks=4", "-o", "map,unmap") as lat:
            run("map-load", "3000", "16384", "7")
    (report,) = lat.objects()
    records = [o for o in ops.objects() if "dur_ns" in o]
    for name in "map", "unmap":
        calls = slowest(report, name)
        longest = sorted((o["dur_ns"] for o in records if o["operation"] == name), reverse=True)
        tap.equal([o["dur_ns"] for o in calls], longest[:4],
                  "of thousands of %ss the slowest are shown, the slowest first" % name)
        reported = {o["start_monotonic_ns"]: o for o in records}
        wrong = [o for o in calls if any(o[key] != value
                                         for key, value in reported[o["start_monotonic_ns"]].items()
                                         if key not in ("time", "time_ns"))]
        tap.ok(not wrong, "with all that ops shows of each", *wrong)
    tap.equal(report["slowest_lost"], 0, "none was lost")


class Running:
    """lat with an interval, whose reports are read as they come."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([TOOL, "lat", "--json", *arguments], text=True,
                                        stdout=subprocess.PIPE)
        # its first report shows that it runs
        self.report()

    def report(self):
        return json.loads(self.process.stdout.readline())

    def until_reported(self, *operations):
        """Reports up to the one that completes these operations, as if they were one report."""
        reported = []
        for _ in range(int(patience(100))):
            reported += self.report()["slowest"]
            if set(operations) <= {o["operation"] for o in reported}:
                return {"slowest": reported}
        raise RuntimeError("no report has %s" % " or ".join(operations))

    def end(self):
        """The report of the whole run, and those before it."""
        self.process.send_signal(signal.SIGINT)
        reports = [json.loads(line) for line in self.process.stdout]
        self.process.wait(patience(60))
        return reports[-1], reports[:-1]


def judge_names(tap, report, when):
    for name in "map", "unmap":
        call = slowest(report, name)[0]
        user, kernel = frames(call, "user"), frames(call, "kernel")
        tap.equal((call["process"], call["process_ended"]), ("map-load", False),
                  "%s: the process of the slowest %s is shown" % (when, name))
        # the compiler may have appended something to the name
        symbols = [f["symbol"].partition(".")[0] for f in user
                   if f["symbol"] and os.path.basename(f["module"]) == "map-load"]
        tap.ok(name + "_area" in symbols and symbols[-1] == "main",
               "and the function that called it, called by main", *user)
        tap.ok(user[0]["symbol"] and "ioctl" in user[0]["symbol"] and "libc" in user[0]["module"],
               "through the C library", user[0])
        symbols = [f["symbol"] for f in kernel]
        modules = [f["module"] for f in kernel]
        tap.ok("__x64_sys_ioctl" in symbols and modules[0] == "iommufd"
               and modules[symbols.index("__x64_sys_ioctl")] == "kernel",
               "the kernel's part leads from the ioctl to our module", *kernel)
        tap.ok(not any(s and s.startswith(("bpf_", "__bpf", "__traceiter")) for s in symbols),
               "without frames of the observation itself", *symbols)
        tap.ok(all(f["address"].startswith("0x") and f["offset_bytes"] > 0 for f in user + kernel
                   if f["symbol"]), "every name has an address and an offset")


def names(tap):
    lat = Running("--stacks", "-i", "0.2", "-o", "map,unmap")
    with subprocess.Popen(["map-load", "-w", "5", "65536"], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL) as load:
        report = lat.until_reported("map", "unmap")
        judge_names(tap, report, "while it lives")
        load.stdin.close()
    total, _ = lat.end()
    judge_names(tap, total, "after its end")
    tap.equal((len(slowest(total, "map")), len(slowest(total, "unmap"))), (5, 4),
              "five of each are shown, or as many as there are")


def rounds(tap):
    lat = Running("--stacks=1", "-i", "0.2", "-o", "map")
    reported = []
    attach = ["-m"] if os.path.isdir("/sys/module/iommufd_mock") else []
    for length in "67108864", "4096":
        # the second one is much faster: an interval that showed the slowest of all would hide it
        run("map-load", *attach, "1", length)
        reported += lat.until_reported("map")["slowest"]
    total, _ = lat.end()
    tap.equal([o["length_bytes"] for o in reported], [67108864, 4096],
              "each interval has its own slowest operation")
    tap.equal([o["start_monotonic_ns"] for o in total["slowest"]],
              [max(reported, key=lambda o: o["dur_ns"])["start_monotonic_ns"]],
              "and the whole run shows the slowest of them")


def wait_for_state(pid, wanted):
    def state():
        with open("/proc/%d/stat" % pid, encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0]

    if not wait_for(lambda: state() == wanted):
        raise RuntimeError("process %d is %s, not %s" % (pid, state(), wanted))


def observe_late(*arguments):
    """lat, which cannot look up the workload's symbols before the workload has ended."""
    with Observer("lat", "--stacks", "-o", "map", *arguments) as observer:
        observer.process.send_signal(signal.SIGSTOP)
        wait_for_state(observer.process.pid, "T")
        run("map-load", "2", "65536")
        observer.process.send_signal(signal.SIGCONT)
    return observer


def ended(tap):
    observer = observe_late("--json")
    calls = slowest(observer.objects()[0], "map")
    tap.equal([(o["process"], o["process_ended"]) for o in calls], [("map-load", True)] * 2,
              "it reports that the process has ended")
    unnamed = [(f["symbol"], f["module"]) for o in calls for f in frames(o, "user")]
    tap.ok(unnamed and set(unnamed) == {(None, None)}, "its frames are addresses", *unnamed)
    tap.ok(all("__x64_sys_ioctl" in [f["symbol"] for f in frames(o, "kernel")] for o in calls),
           "and those of the kernel still have names")
    text = observe_late().stdout
    tap.ok("which has ended: its symbols are not known" in text, "the table reports it as well", text)


def table(tap):
    lines = in_terminal(80, TOOL, "lat", "--stacks", "-o", "map,unmap", "--", "sh", "-c",
                        "map-load 20 65536 >/dev/null")
    tap.ok(any(line.startswith("OPERATION") for line in lines) and "slowest map" in lines
           and "slowest unmap" in lines and max(map(len, lines)) <= 80,
           "the table and the stacks below it fit 80 columns", *lines)
    heads = [line for line in lines if " map of 64 KiB at 0x10000000, ioas " in line]
    tap.equal(len(heads), 5, "five are shown")
    kernel = [line for line in lines if line.startswith("      __x64_sys_ioctl+0x")]
    tap.ok(2 <= len(kernel) < 10, "operations with equal stacks share one", *lines)

    text = tool("lat", "--duration", "1ms", "--stacks").stdout
    tap.ok("no operations" in text and "slowest" not in text, "without operations, no stacks are shown",
           text)


def off(tap):
    with Observer("lat", "--json") as observer:
        run("map-load", "5", "65536")
    (report,) = observer.objects()
    tap.ok(report["operations"] and not {"slowest", "slowest_lost"} & set(report),
           "without --stacks no stacks are shown", *report)


def bad_input(tap):
    for words, *arguments in (
            ("not a number of stacks: 1 to 20", "--stacks=0"),
            ("not a number of stacks: 1 to 20", "--stacks=21"),
            ("not a number of stacks: 1 to 20", "--stacks=all"),
            ("use --json", "--stacks", "--csv")):
        result = tool("lat", *arguments)
        tap.ok(result.returncode == 2 and words in result.stderr and not result.stdout,
               "refused: " + " ".join(arguments), result.returncode, result.stderr)


def no_library(tap):
    libraries = {os.path.realpath(path) for path in glob.glob("/usr/lib/*/libbcc*.so.0")}
    tap.ok(libraries, "libbcc is installed")
    hide = "".join("mount --bind /dev/null %s && " % path for path in libraries)
    result = run("unshare", "--mount", "sh", "-c", hide + "exec iommuscope lat --stacks")
    tap.equal((result.returncode, result.stdout, result.stderr),
              (1, "", "iommuscope: --stacks needs libbcc: apt install libbpfcc\n"),
              "without libbcc one line names the remedy")


Tap().run(exact, names, rounds, ended, table, off, bad_input, no_library)
