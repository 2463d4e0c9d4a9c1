#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope ops against workloads whose every call is known."""

import json
import os
import shutil
import signal
import subprocess
import tempfile

from tooltest import TOOL, Observer, Tap, ends_with_process, ends_with_reader, has_mock, run, tool, wait_for


def truth(output):
    """The calls that ioas-load made: (pid, [(operation, id, error)...])."""
    lines = output.splitlines()
    calls = [tuple(line.split()) for line in lines[1:]]
    return int(lines[0].split()[1]), [(name, int(number), None if error == "0" else error)
                                      for name, number, error in calls]


def reported(objects, pid):
    """The same as the tool shows it, without open and close."""
    return [(o["operation"], o["object_id"], o["error"]) for o in objects
            if o.get("pid") == pid and o["operation"] not in ("open", "close")]


def every_call(tap):
    with Observer("ops", "--json") as observer:
        load = run("ioas-load", "100")
    tap.equal(load.returncode, 0, "the workload runs")
    tap.equal(observer.status, 0, "a signal ends ops without an error")
    tap.equal(observer.stderr, "", "ops reports no error")
    pid, calls = truth(load.stdout)
    objects = observer.objects()
    tap.equal(len(calls), 200, "the workload makes 200 calls")
    tap.equal(reported(objects, pid), calls, "ops shows each call with its id and error, in order")
    tap.equal(objects[-1], {"lost": 0}, "nothing was lost")
    mine = [o for o in objects if o.get("pid") == pid]
    tap.equal({o["ctx"] for o in mine if o["operation"] != "open"}, {mine[0]["ctx"]},
              "all calls are of one context")
    tap.equal({o["process"] for o in mine}, {"ioas-load"}, "and of one process")

    wrong = [o for o in mine if o["ret"] < 0]
    tap.equal([(o["ret"], o["error"], o["reason"], o["reason_a"]) for o in wrong],
              [(-2, "ENOENT", "bad_object_id", wrong[0]["object_id"] if wrong else None)],
              "the one failed call has its errno, its reason and the requested id")
    tap.equal({o["object_type"] for o in mine if o["operation"] == "ioas_alloc"}, {"ioas"},
              "an IOAS is made by ioas_alloc")
    times = [o["start_monotonic_ns"] for o in mine]
    tap.equal(times, sorted(times), "the calls are in chronological order")
    tap.ok(all(0 < o["dur_ns"] < 10**10 for o in mine), "each took some time")


def errors_only(tap):
    with Observer("ops", "--errors") as observer:
        load = run("ioas-load", "10")
    pid, calls = truth(load.stdout)
    wrong = [number for name, number, error in calls if error]
    lines = observer.stdout.splitlines()[1:]
    tap.equal(len(lines), 1, "--errors shows the one failure and nothing else")
    tap.ok("ENOENT: destroy of object %d failed: no object has this id in this context" % wrong[0]
           in lines[0], "in words", *lines)
    tap.ok("ioas-load [%d])" % pid in lines[0], "with its process", *lines)


def filters(tap):
    result = tool("ops", "--json", "-o", "destroy", "-n", "3", "--", "ioas-load", "20")
    lines = [line for line in result.stdout.splitlines() if line.startswith("{")]
    tap.equal(len([line for line in lines if '"operation":"destroy"' in line]), 3,
              "-o and -n show 3 calls of the requested operation")
    tap.equal(len(lines), 4, "and the number of lost calls at the end")

    with Observer("ops", "--json", "--slower", "1h") as observer:
        run("ioas-load", "10")
    tap.equal(observer.objects(), [{"lost": 0}], "--slower hides faster operations")

    with Observer("ops", "--json", "-p", str(os.getpid())) as observer:
        run("ioas-load", "10")
    tap.equal(observer.objects(), [{"lost": 0}], "-p hides other processes")

    with Observer("ops", "--json", "-d", "0000:00:00.0") as observer:
        run("ioas-load", "10")
    tap.equal(observer.objects(), [{"lost": 0}], "-d hides operations without a device")


def attached_before(tap):
    """A filter by device needs to know what was attached before the tool started."""
    if not has_mock():
        tap.skip("a device that is attached already", "no mock IOMMU")
        return
    process = subprocess.Popen(["map-load", "-m", "100000000", "4096"], stdout=subprocess.PIPE,
                               text=True)
    try:
        # it prints the device before the first map, so the device is attached
        device = "iommufd-mock.%d" % int(process.stdout.readline().split()[1])
        shown = tool("ops", "--json", "-o", "map", "-n", "3", "--duration", "60", "-d", device).stdout
        other = tool("ops", "--json", "--duration", "300ms", "-d", "0000:00:00.0").stdout
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "trace")
            tool("record", "-d", device, "-n", "3", "--duration", "60", "-o", trace)
            recorded = tool("report", "--json", "-o", "map", trace).stdout
    finally:
        process.kill()
        process.wait()
    tap.equal([json.loads(line)["operation"] for line in shown.splitlines()[:-1]], ["map"] * 3,
              "-d knows a device that is attached already")
    tap.equal(other, '{"lost":0}\n', "and shows nothing for another device")
    tap.ok('"operation":"map"' in recorded, "record -d knows it as well", recorded)


def command(tap):
    result = tool("ops", "--", "ioas-load", "2")
    tap.equal(result.returncode, 0, "ops -- COMMAND ends with its command, without an error")
    tap.equal(result.stdout.count("ioas_alloc  "), 2, "all of the command's calls are shown")
    result = tool("ops", "--", "sh", "-c", "exit 3")
    tap.equal((result.returncode, result.stderr),
              (1, "iommuscope: sh ended with status 3\n"), "a command's failure is reported")
    result = tool("ops", "--", "/no/such/command")
    tap.equal((result.returncode, result.stderr),
              (1, "iommuscope: cannot run /no/such/command: No such file or directory\n"),
              "a command that does not exist is reported")
    result = tool("ops", "--duration", "300ms", "--json")
    tap.equal((result.returncode, result.stdout), (0, '{"lost":0}\n'), "--duration ends a run")


def commands_own_end(tap):
    """The end of the observation does not end the command, which is the user's."""
    with tempfile.TemporaryDirectory() as folder:
        done = os.path.join(folder, "done")
        work = "ioas-load 3; sleep 0.7; echo >%s" % done

        def went_on(result, name):
            tap.ok(result.returncode == 0 and os.path.exists(done), name, result.returncode, result.stderr)
            if os.path.exists(done):
                os.unlink(done)

        went_on(tool("ops", "--duration", "100ms", "--", "sh", "-c", work), "the command continues after --duration")
        went_on(tool("ops", "-n", "1", "--", "sh", "-c", work), "and after -n")
        went_on(tool("lat", "-n", "1", "-i", "100ms", "--", "sh", "-c", work), "the same holds for lat")
        # the shell's status is that of head
        went_on(run("sh", "-c", 'iommuscope ops -- sh -c "$1" | head -n 1', "sh", work), "and when the reader ends")
        with Observer("ops", "--", "sh", "-c", "trap 'echo >%s; exit' TERM; echo >%s.up; "
                      "while :; do sleep 0.1; done" % (done, done)) as ops:
            wait_for(lambda: os.path.exists(done + ".up"))
            ops.process.send_signal(signal.SIGTERM)
            ops.ends()
        tap.ok(ops.status == 0 and os.path.exists(done), "a signal is passed on to it", ops.status, ops.stderr)
    result = tool("ops", "--kill", "--duration", "100ms", "--", "sleep", "100000")
    tap.equal((result.returncode, result.stderr), (0, ""), "--kill ends it with the run")
    result = tool("ops", "--duration", "100ms", "--", "sh", "-c", "sleep 3; exit 5")
    tap.ok(result.returncode == 1 and "waiting for it to end" in result.stderr and "status 5" in result.stderr,
           "a long wait is explained, and its end is reported", result.stderr)


def losses(tap):
    with Observer("ops", "--json", timeout=120) as observer:
        observer.process.send_signal(signal.SIGSTOP)
        load = run("map-load", "40000", "4096")
        observer.process.send_signal(signal.SIGCONT)
    objects = observer.objects()
    truth = sum(int(line.split()[1]) for line in load.stdout.splitlines())
    reported = len([o for o in objects if o.get("operation") in ("map", "unmap")])
    lost = objects[-1]["lost"]
    # open and ioas_alloc fit into the buffer; close is small and may still fit
    closed = any(o.get("operation") == "close" for o in objects)
    tap.ok(0 < reported < truth and reported + lost + closed == truth + 1,
           "operations that come too fast for the reader are counted as lost", reported, lost, closed, truth)

    with Observer("ops", "--errors") as observer:
        observer.process.send_signal(signal.SIGSTOP)
        load = run("map-load", "40000", "4096", "1")
        observer.process.send_signal(signal.SIGCONT)
    tap.ok("operations were lost: they came too fast" in observer.stderr,
           "and reported at the end", observer.stderr)


def endings(tap):
    ends_with_process(tap, "ops")
    ends_with_reader(tap, "ops")

    with Observer("ops") as observer:
        observer.process.send_signal(signal.SIGTERM)
        observer.ends()
    tap.equal(observer.status, 0, "SIGTERM ends it as Ctrl-C does")


def bad_input(tap):
    def refused(status, words, *arguments, **options):
        result = tool(*arguments, **options)
        lines = result.stderr.splitlines()
        tap.ok(result.returncode == status and lines and words in lines[0] and
               result.stdout == "" and len(lines) <= 2, " ".join(("refused:",) + arguments),
               result.returncode, result.stdout, result.stderr)

    refused(2, "no such command", "dance")
    refused(2, "unexpected argument: true (put a command to run after --)", "ops", "true")
    refused(2, "--kill needs a command", "ops", "--kill")
    refused(2, "unrecognized option", "ops", "--dance")
    refused(2, "not a process id", "ops", "-p", "-1")
    refused(2, "not a process id", "ops", "-p", "qemu")
    refused(2, "not a count", "ops", "-n", "0")
    refused(2, "not a duration", "ops", "--duration", "soon")
    refused(2, "too short", "ops", "--duration", "0")
    refused(2, "not a time", "ops", "--slower", "1 parsec")
    refused(2, "no such operation", "ops", "-o", "map,dance")
    refused(1, "no such process: 4194303", "ops", "-p", "4194303")
    refused(1, "no such device: 0000:77:00.0", "ops", "-d", "0000:77:00.0")
    refused(1, "no such device: ../x", "ops", "-d", "../x")
    refused(1, "no such cgroup", "ops", "--cgroup", "/no/such")
    refused(1, "cannot create /no/such/file", "ops", "--json", "--ready-file", "/no/such/file")
    # the build folder may be accessible only to its owner
    with tempfile.NamedTemporaryFile(prefix="iommuscope-", delete=False) as copy:
        shutil.copyfile(shutil.which(TOOL), copy.name)
    os.chmod(copy.name, 0o755)
    result = run(copy.name, "ops", user="nobody", cwd="/")
    os.unlink(copy.name)
    tap.ok(result.returncode == 1 and result.stdout == "" and
           "no privilege: run it as root" in result.stderr, "refused: ops without privilege",
           result.returncode, result.stdout, result.stderr)
    result = tool("ops", "--duration", "100ms", stdin=subprocess.DEVNULL, preexec_fn=full)
    tap.equal((result.returncode, result.stderr),
              (1, "iommuscope: cannot write the output: No space left on device\n"),
              "a full disk is reported")


def full():
    """In the child: standard output is a full disk."""
    fd = os.open("/dev/full", os.O_WRONLY)
    os.dup2(fd, 1)


if __name__ == "__main__":
    Tap().run(every_call, errors_only, filters, attached_before, command, commands_own_end, losses, endings, bad_input)
