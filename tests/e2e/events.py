#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The host's side of events_test.c: triggers the events that its tests wait for.

Usage: events.py [TEST]...

The guest is the machine of LAB_EXEC and LAB_MONITOR. Its device "faulty" reports errors.
"pulled", behind "port3", is hot-unplugged and added again; so is "torn", behind "port5", without
an announcement.
"""

import json
import os
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
EXEC = shlex.split(os.environ["LAB_EXEC"])
MONITOR = shlex.split(os.environ["LAB_MONITOR"])
# a device that was hot-unplugged has to come back unchanged
PULLED = ("pulled", "0x80860x10d3", ["driver=e1000e", "romfile=", "id=pulled", "bus=port3"])
TORN = ("torn", "0x12340x11e8", ["driver=edu", "dma_mask=0xffffffff", "id=torn", "bus=port5"])


def monitor(*words):
    return json.loads(subprocess.run([*MONITOR, *words], stdout=subprocess.PIPE, check=True).stdout)


def guest(*command):
    return [*EXEC, "--", *command]


def error(kind="POISON_TLP"):
    said = monitor("human-monitor-command", f"command-line=pcie_aer_inject_error faulty {kind}")
    if not said.startswith("OK"):
        print("#", said.strip(), flush=True)


def pull():
    monitor("device_del", "id=pulled")


def push(name, kind, description):
    """Add a device again once the machine has released it, and wait until the guest has it."""
    here = ("ls -d /sys/bus/pci/devices/*/ | while read -r d; do "
            f"[ $(cat $d/vendor)$(cat $d/device) = {kind} ] && echo; done | wc -l")
    script = (f"for i in $(seq 600); do [ $({here}) -ge $1 ] && exit; sleep 0.1; done; exit 1")
    before = int(subprocess.run(guest("sh", "-c", here), stdout=subprocess.PIPE, check=True).stdout)
    while any(item["name"] == name for item in monitor("qom-list", "path=/machine/peripheral")):
        pass
    monitor("device_add", *description)
    subprocess.run(guest("sh", "-c", script, "sh", str(before + 1)), check=True)


def run(test, happen):
    """Run one test in the guest, and trigger its event when it waits. Returns whether it passed and
    got that far.
    """
    passed = happened = False
    with subprocess.Popen(guest(os.path.join(HERE, "as-found"), "e2e-test", "-t", "300", test),
                          stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("# waiting"):
                if happen:
                    happen()
                happened = True
            elif line.startswith("#"):
                print(line, end="", flush=True)
            elif line.startswith(("ok", "not ok")):
                passed = line.startswith("ok") and "# SKIP" not in line
    return passed and process.returncode == 0, happened


def main():
    points = [("an error is reported to the user", "events.error", error, None),
              ("an error is fatal", "events.fatal_error", lambda: error("DLP"), None),
              ("a device is hot-unplugged", "events.pulled", pull, PULLED),
              ("a device that its user keeps is hot-unplugged", "events.pulled_from_one_who_stays", pull, PULLED),
              ("a device is removed by surprise while it does DMA", "events.torn_out", None, TORN),
              ("a device dies and comes back", "events.dead", None, None)]
    points = [point for point in points if point[1] in sys.argv[1:] or not sys.argv[1:]]
    print(f"1..{len(points)}", flush=True)
    bad = False
    for number, (name, test, happen, gone) in enumerate(points, 1):
        passed, happened = run(test, happen)
        if gone and happened:
            push(*gone)
        bad |= not passed
        print(f"{'ok' if passed else 'not ok'} {number} - {name}", flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(main())
