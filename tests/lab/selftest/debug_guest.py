# SPDX-License-Identifier: GPL-2.0-only
"""In a guest: trigger faults, one after the other, and print what the kernel reports of each.

debug_guest.py MODULE NAME...: load MODULE (lab_faults.ko) and write each NAME to it. The output
for each is a line "== NAME" and the records of the kernel log since the previous one.
"""

import errno
import os
import subprocess
import sys

CONTROL = "/sys/kernel/debug/lab_faults"
# failure points on the path to the module's own one
MOST_POINTS = 20


def write(path, text):
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def disarm(task):
    """Allow no further failure. The call that does this can fail itself."""
    try:
        os.write(task, b"0")
    except OSError:
        os.write(task, b"0")


def fail_nth(point):
    """Fail the allocation @point of the fault's own system call; returns its errno, 0 for none."""
    task = os.open("/proc/thread-self/fail-nth", os.O_RDWR)
    control = os.open(CONTROL, os.O_WRONLY)
    number = 0
    try:
        os.write(task, str(point).encode())
        os.write(control, b"allocate")
    except OSError as e:
        number = e.errno
    finally:
        disarm(task)
        os.close(task)
        os.close(control)
    return number


def make(name):
    if name == "allocate":
        write("/sys/kernel/debug/failslab/ignore-gfp-wait", "N")
        found = [fail_nth(point) for point in range(1, MOST_POINTS)]
        print("failed allocation:", errno.ENOMEM in found, "and success:", 0 in found)
        return
    # a fault may kill the process that triggers it
    subprocess.run([sys.executable, "-c", "import sys; open(sys.argv[1], 'w').write(sys.argv[2])", CONTROL, name],
                   stderr=subprocess.DEVNULL, check=False)
    if name == "leak":
        subprocess.run([os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "kmemleak")],
                       check=False)


def main():
    subprocess.run(["insmod", sys.argv[1]], check=True)
    for name in sys.argv[2:]:
        print("== " + name, flush=True)
        subprocess.run(["dmesg", "-C"], check=True)
        make(name)
        sys.stdout.flush()
        subprocess.run(["dmesg", "-r"], check=True)


main()
