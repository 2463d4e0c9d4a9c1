# SPDX-License-Identifier: GPL-2.0-only
"""What the TAP runner makes of good and bad output."""

import json
import os
import re
import subprocess
import tempfile

from points import LAB, contains, equal, run_all

TAP = os.path.join(LAB, "tap")
GOOD = "1..3\nok 1 - a\nok 2 - b # SKIP no device\nok 3 - c\n"


def judge(output, status=0, *options, raw=None):
    """Run a test that prints @output; returns (passed, failed, skipped), exit status, output."""
    with tempfile.TemporaryDirectory() as results:
        command = raw or ["sh", "-c", f'printf %s "$1"; exit {status}', "sh", output]
        done = subprocess.run([TAP, "run", "--name", "t", "--results", results, *options, "--", *command],
                              stdout=subprocess.PIPE, text=True, check=False)
        with open(os.path.join(results, "t.json")) as f:
            r = json.load(f)
        return (r["passed"], r["failed"], r["skipped"]), done.returncode, done.stdout


def counts():
    """points are counted, the output passes through"""
    numbers, status, out = judge(GOOD)
    equal((numbers, status), ((2, 0, 1), 0))
    contains(out, GOOD)
    contains(out, "# skipped: b: no device")


def fails():
    """a failed point fails the test and is named"""
    numbers, status, out = judge("TAP version 13\n1..2\nok 1 - a\nnot ok 2 - broken thing\n", 1)
    equal((numbers, status), ((1, 1, 0), 1))
    contains(out, "# failed: broken thing")


def ends_early():
    """ending before the plan is complete is a failure, whatever the exit status"""
    equal(judge("1..3\nok 1\n")[:2], ((1, 1, 0), 1))
    equal(judge("ok 1\n")[:2], ((1, 1, 0), 1))
    numbers, status, out = judge("", raw=["sh", "-c", "echo 1..2; echo ok 1; kill -SEGV $$"])
    equal((numbers, status), ((1, 1, 0), 1))
    contains(out, "SIGSEGV")


def bails():
    """a bail out is a failure"""
    equal(judge("1..2\nok 1\nBail out! no kernel\n")[:2], ((1, 1, 0), 1))


def status_counts():
    """a bad exit status after good points is a failure"""
    equal(judge(GOOD, 123)[:2], ((2, 1, 1), 1))


def plain():
    """a program without TAP is one point"""
    equal(judge("hello\n")[:2], ((1, 0, 0), 0))
    equal(judge("hello\n", 5)[:2], ((0, 1, 0), 1))
    numbers, status, out = judge("hello\nno such device\n", 77)
    equal((numbers, status), ((0, 0, 1), 77))
    contains(out, "# skipped: no such device")


def all_skipped():
    """an empty plan is a skip"""
    equal(judge("1..0 # SKIP no IOMMU\n")[:2], ((0, 0, 1), 77))


def expected():
    """a TODO point does not fail, a nested point does not count"""
    equal(judge("1..2\n    not ok 1 - inner\nnot ok 1 - later # TODO not yet\nok 2\n")[:2], ((2, 0, 0), 0))


def too_slow():
    """a test that does not end is killed and fails"""
    numbers, status, out = judge("", 0, "--timeout", "1",
                                 raw=["sh", "-c", "echo 1..1; echo ok 1; exec sleep 100"])
    equal((numbers, status), ((1, 1, 0), 1))
    contains(out, "killed after 1 s")


def left_behind():
    """each thing that a test left in its machine is a failure, and replaces that of the exit status
    """
    text = GOOD + "# left behind: file /tmp/x: file\\n# left behind: module m: gone\\n"
    numbers, status, out = judge(text.replace("\\n", "\n"), 122)
    equal((numbers, status), ((2, 2, 1), 1))
    contains(out, "# failed: left behind: file /tmp/x: file\n# failed: left behind: module m: gone\n")
    equal(judge("# left behind: file /tmp/x: file\n", 5)[:2], ((0, 2, 0), 1))
    # and without a line that names it
    equal(judge(GOOD, 122)[:2], ((2, 1, 1), 1))


def load():
    """a test that fails reports the load that there was"""
    _, _, out = judge("not ok 1\n1..1\n", 1)
    equal(bool(re.search(r"^# load average [\d.]+ at its start, [\d.]+ at its end, on \d+ processors: "
                         r"work took [\d.]+ times as long as on an idle machine$", out, re.M)), True)


def sums():
    """the sum counts tests that ctest could not run, or had to kill"""
    with tempfile.TemporaryDirectory() as results:
        for name, data in {
            "good": {"state": "done", "passed": 5, "failed": 0, "skipped": 1, "failures": []},
            "bad": {"state": "done", "passed": 1, "failed": 2, "skipped": 0, "failures": ["a", "b"],
                    "load": {"begin": 9.5, "end": 3, "processors": 2, "factor": 4.7}},
            "killed": {"state": "running"},
        }.items():
            with open(os.path.join(results, name + ".json"), "w") as f:
                json.dump(data, f)
        report = os.path.join(results, "report.xml")
        with open(report, "w") as f:
            f.write('<testsuite><testcase name="good" status="run"/><testcase name="bad" status="fail"/><testcase name="killed" status="fail"/>'
                    '<testcase name="absent" status="notrun"/></testsuite>')
        done = subprocess.run([TAP, "sum", "--results", results, "--report", report],
                              stdout=subprocess.PIPE, text=True, check=False)
        equal(done.stdout.splitlines(), [
            "failed: bad: a",
            "failed: bad: b (load average 9.5 at its start, 3 at its end, on 2 processors: "
            "work took 4.7 times as long as on an idle machine)",
            "failed: killed: did not end", "failed: absent: not run", "6 passed, 4 failed, 1 skipped"])
        equal(done.returncode, 1)


run_all([counts, fails, ends_early, bails, status_counts, plain, all_skipped, expected, too_slow, left_behind, load,
         sums])
