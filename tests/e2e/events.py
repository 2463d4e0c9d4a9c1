#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The tests of events_test.c, with what they wait for: the host's side.

Usage: events.py

The guest is the machine of LAB_EXEC and LAB_MONITOR. Its device "faulty" reports errors; "pulled", behind
"port3", is pulled out and comes back.
"""

import json
import os
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
EXEC = shlex.split(os.environ["LAB_EXEC"])
MONITOR = shlex.split(os.environ["LAB_MONITOR"])
# a device that was pulled out has to come back as it was
PULLED = ["driver=e1000e", "romfile=", "id=pulled", "bus=port3"]


def monitor(*words):
    return json.loads(subprocess.run([*MONITOR, *words], stdout=subprocess.PIPE, check=True).stdout)


def guest(*command):
    return [*EXEC, "--", *command]


def error():
    said = monitor("human-monitor-command", "command-line=pcie_aer_inject_error faulty POISON_TLP")
    if not said.startswith("OK"):
        print("#", said.strip(), flush=True)


def pull():
    monitor("device_del", "id=pulled")


def push():
    """Put the device back once the machine has let go of it, and wait until the guest has it."""
    here = ("ls -d /sys/bus/pci/devices/*/ | while read -r d; do "
            "[ $(cat $d/vendor)$(cat $d/device) = 0x80860x10d3 ] && echo; done | wc -l")
    script = (f"for i in $(seq 600); do [ $({here}) -ge $1 ] && exit; sleep 0.1; done; exit 1")
    before = int(subprocess.run(guest("sh", "-c", here), stdout=subprocess.PIPE, check=True).stdout)
    while any(item["name"] == "pulled" for item in monitor("qom-list", "path=/machine/peripheral")):
        pass
    monitor("device_add", *PULLED)
    subprocess.run(guest("sh", "-c", script, "sh", str(before + 1)), check=True)


def run(test, happen):
    """Run one test in the guest, and have it happen as it waits. Returns whether it passed, and came so far."""
    passed = happened = False
    with subprocess.Popen(guest(os.path.join(HERE, "as-found"), "e2e-test", "-t", "300", test),
                          stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("# waiting"):
                happen()
                happened = True
            elif line.startswith("#"):
                print(line, end="", flush=True)
            elif line.startswith(("ok", "not ok")):
                passed = line.startswith("ok") and "# SKIP" not in line
    return passed and process.returncode == 0, happened


def main():
    points = [("an error is reported to the user", "events.error", error, None),
              ("a device is pulled out", "events.pulled", pull, push),
              ("a device is pulled out that its user keeps", "events.pulled_from_one_who_stays", pull, push)]
    print(f"1..{len(points)}", flush=True)
    bad = False
    for number, (name, test, happen, after) in enumerate(points, 1):
        passed, happened = run(test, happen)
        if after and happened:
            after()
        bad |= not passed
        print(f"{'ok' if passed else 'not ok'} {number} - {name}", flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(main())
