#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope stuck against an operation that only ends when the test lets it."""

import json
import subprocess
import time

from tooltest import Observer, Tap, patience, tool, wait_for


class Stuck:
    """stuck-load, from the moment its operation waits."""

    def __enter__(self):
        self.process = subprocess.Popen(["stuck-load"], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE)
        words = self.process.stdout.readline().split()
        self.pid, self.tid, self.ioas = int(words[1]), int(words[3]), int(words[5])
        return self

    def release(self):
        self.process.stdin.close()
        self.result = self.process.stdout.read()
        self.process.wait(patience(20))

    def __exit__(self, *_):
        if not self.process.stdin.closed:
            self.release()


def check(tap, operation, stuck, name):
    tap.equal([operation[key] for key in
               ("operation", "process", "pid", "tid", "ioas", "iova", "length_bytes")],
              ["map", "stuck-mapper", stuck.pid, stuck.tid, stuck.ioas, 16 << 20, 64 * 4096],
              name + ": process and object")
    tap.ok(any("handle_userfault" in line for line in operation["stack"]),
           name + ": its stack shows what it waits for", operation["stack"])
    tap.equal(operation["on_cpu"], False, name + ": it does not run")


def began_before(tap):
    with Stuck() as stuck:
        time.sleep(0.5)
        result = tool("stuck", "--json", "--longer", "500ms")
        tap.equal((result.returncode, result.stderr), (0, ""), "stuck reports no error")
        operations = json.loads(result.stdout)["stuck"]
        if tap.equal(len(operations), 1, "an operation that began before is found"):
            check(tap, operations[0], stuck, "started before")
            tap.equal((operations[0]["dur_at_least"], operations[0]["phase"]), (True, None),
                      "started before: its start and phase are unknown")
        text = tool("stuck", "--longer", "300ms").stdout
        tap.ok("map of 256 KiB at 0x1000000, ioas %d, by stuck-mapper [%d, thread %d]"
               % (stuck.ioas, stuck.pid, stuck.tid) in text and "more than" in text,
               "started before: as text", text)
        stuck.release()
        tap.equal(stuck.result, "map 0\n", "the operation ends without an error, once it may")


def began_while_observed(tap):
    with Observer("stuck", "--json", "--longer", "400ms", "-i", "0.2") as observer:
        def reported():
            return [json.loads(line)["stuck"] for line in observer.so_far()]

        with Stuck() as stuck:
            wait_for(lambda: sum(map(bool, reported())) > 3)
            stuck.release()
        wait_for(lambda: reported() and not reported()[-1])
    reports = [o["stuck"] for o in observer.objects()]
    found = [operations[0] for operations in reports if operations]
    if not tap.ok(len(found) > 1, "an operation that starts meanwhile is found", reports):
        return
    # not the last report: the operation may end while that one is made
    check(tap, found[0], stuck, "started meanwhile")
    tap.equal((found[0]["dur_at_least"], found[-1]["phase"]), (False, "pin"),
              "started meanwhile: its start and phase are known")
    tap.ok(400e6 <= found[0]["dur_ns"] < found[-1]["dur_ns"]
           and found[-1]["phase_dur_ns"] <= found[-1]["dur_ns"],
           "started meanwhile: its time increases", found[0]["dur_ns"], found[-1]["dur_ns"])
    tap.equal(reports[-1], [], "it is no longer shown once it has ended")


def busy_is_not_stuck(tap):
    load = subprocess.Popen(["map-load", "4000000", "4096"], stdout=subprocess.DEVNULL)
    # longer than a guest can be stopped in the middle of a call
    result = tool("stuck", "--json", "--longer", "%dms" % patience(150))
    tap.equal(load.poll(), None, "a load continues")
    load.kill()
    load.wait()
    tap.equal(json.loads(result.stdout)["stuck"], [],
              "a process that repeats the same ioctl is not stuck")
    result = tool("stuck", "--longer", "200ms")
    tap.equal(result.stdout, "no operation has been in flight for 200 ms or longer\n",
              "it reports that there is none")


def filters(tap):
    with Stuck() as stuck:
        other = tool("stuck", "--json", "--longer", "200ms", "-p", "1")
        tap.equal(json.loads(other.stdout)["stuck"], [], "-p hides other processes")
        mine = tool("stuck", "--json", "--longer", "200ms", "-p", str(stuck.pid), "--no-stack")
        tap.equal([(o["pid"], o["stack"]) for o in json.loads(mine.stdout)["stuck"]],
                  [(stuck.pid, [])], "-p shows the requested one, --no-stack omits the stack")
    result = tool("stuck", "--longer", "now")
    tap.equal((result.returncode, "is not a time" in result.stderr), (2, True),
              "an invalid time is refused")


if __name__ == "__main__":
    Tap().run(began_before, began_while_observed, busy_is_not_stuck, filters)
