# SPDX-License-Identifier: GPL-2.0-only
"""The kinds of machine: IOMMUs, devices, memory, modules, ports."""

import os
import random
import socket
import sys
import time

from points import Lab, contains, equal, run_all

lab = Lab(os.path.abspath(sys.argv[1]))


def guest(*options, script):
    done = lab("run", *options, "--", "sh", "-c", script)
    equal(done.stderr.decode(), "")
    equal(done.returncode, 0)
    return done.stdout.decode().split()


def intel():
    """intel: VT-d translates, and options, devices and arguments arrive"""
    words = guest("--no-modules", "--mem", "1G", "--cpus", "1", "--device", "edu", "--append", "lab.mark=1",
                  script="ls /sys/class/iommu; nproc; cat /sys/bus/pci/devices/0000:00:01.0/vendor;"
                         "grep -o lab.mark=1 /proc/cmdline; awk '/MemTotal/ { print ($2 < 1048576) }' /proc/meminfo")
    equal(words, ["dmar0", "1", "0x1234", "lab.mark=1", "1"])


def amd():
    """amd: the AMD IOMMU is there"""
    contains(guest("--no-modules", "--iommu", "amd", script="ls /sys/class/iommu"), "ivhd0")


def virtio():
    """virtio: the virtio IOMMU is there, and serves devices"""
    words = guest("--no-modules", "--iommu", "virtio",
                  script="ls /sys/class/iommu; ls -d /sys/kernel/iommu_groups/*")
    equal(words[0], "0000:00:1e.0")
    contains(words, "/sys/kernel/iommu_groups/0")


def none():
    """none: no IOMMU"""
    equal(guest("--no-modules", "--iommu", "none", script="ls /sys/class/iommu"), [])


def modules():
    """our modules are loaded, in an order that works; modprobe finds ours first"""
    folder = os.path.join(lab.build, "lib", "modules-lab")
    ours = sorted(f[:-3].replace("-", "_") for f in os.listdir(folder) if f.endswith(".ko"))
    loaded = guest(script="cut -d' ' -f1 /proc/modules")
    equal([m for m in ours if m not in loaded], [])
    if ours:
        contains(guest("--no-modules", script=f"modinfo -n {ours[0]}")[0], "/updates/")


def forwarding():
    """a port of the guest can be reached"""
    port = random.Random(os.getpid()).randrange(20000, 30000)
    running = lab.start("run", "--no-modules", "--hostfwd", f"{port}:80", "--",
                        "busybox", "nc", "-l", "-p", "80", "-e", "busybox", "hostname")
    answer = b""
    # before the guest listens, the connection is accepted and closed
    while not answer and running.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port)) as s:
                answer = s.recv(64)
        except OSError:
            pass
        time.sleep(0.2)
    running.communicate()
    equal(answer, b"lab\n")
    equal(running.returncode, 0)


run_all([intel, amd, virtio, none, modules, forwarding])
