# SPDX-License-Identifier: GPL-2.0-only
"""Which machine to start: options shared by every command of the lab."""

import argparse
import os

from . import LabError, kernels

IOMMUS = {
    # name: (devices, kernel arguments)
    "intel": (["intel-iommu,intremap=on{extra}"], ["intel_iommu=on"]),
    # with interrupt remapping, the timer check of the emulated machine panics
    "amd": (["amd-iommu,intremap=off{extra}"], ["intremap=off", "noapic"]),
    "virtio": (["virtio-iommu-pci,addr=1e{extra}"], []),
    "none": ([], []),
}


def memory(text):
    """Parse a size such as 512M or 4G; returns MiB."""
    units = {"M": 1, "G": 1024}
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "M")
    if not number.isdigit() or unit not in units or int(number) * units[unit] < 256:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size of at least 256M")
    return int(number) * units[unit]


def positive(text):
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    return int(text)


def port_pair(text):
    host, _, guest = text.partition(":")
    if not host.isdigit() or not guest.isdigit() or not all(0 < int(p) < 65536 for p in (host, guest)):
        raise argparse.ArgumentTypeError(f"'{text}' is not HOSTPORT:GUESTPORT")
    return int(host), int(guest)


def iommu(text):
    name, comma, extra = text.partition(",")
    if name not in IOMMUS:
        raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(IOMMUS)}")
    return name, comma + extra


def add_machine_options(parser):
    add = parser.add_argument
    add("--mem", type=memory, default=2048, metavar="SIZE", help="set the memory, e.g. 4G [default: 2G]")
    add("--cpus", type=positive, default=2, metavar="N", help="set the number of processors [default: 2]")
    add("--iommu", type=iommu, default=("intel", ""), metavar="KIND",
        help="select intel, amd, virtio or none [default: intel]; pass ',property=value' on")
    add("--device", action="append", default=[], metavar="ARG", help="add a device, as QEMU's -device")
    add("--drive", action="append", default=[], metavar="ARG", help="add a drive, as QEMU's -drive")
    add("--netdev", action="append", default=[], metavar="ARG", help="add a network, as QEMU's -netdev")
    add("--global", dest="globals", action="append", default=[], metavar="ARG",
        help="set a property of a device of the machine's own, as QEMU's -global")
    add("--append", action="append", default=[], metavar="STR", help="add kernel arguments")
    add("--kernel", metavar="KERNEL", help=f"boot a kernel: {', '.join(kernels.NAMES)}, or a file "
                                           f"[default: {kernels.OWN}]")
    add("--debug-kernel", dest="kernel", nargs="?", choices=kernels.DEBUG, const=kernels.DEFAULT_DEBUG,
        metavar="KIND", help="boot a kernel with self checks: kasan or kcsan [default: kasan]")
    add("--modules", metavar="SET", help="load modules: ours, stock (the kernel's VFIO), upstream (iommufd and "
                                         "VFIO of the kernel's source), or a folder [default: ours where they build]")
    add("--qemu", choices=kernels.QEMUS, metavar="RELEASE",
        help="use the QEMU of Debian 13, for devices that the system's own lacks (13)")
    add("--hostfwd", action="append", type=port_pair, default=[], metavar="HOST:GUEST",
        help="forward a TCP port of the host's loopback to the guest")
    add("--icount", action="store_true",
        help="let the clock count instructions, a nanosecond each (emulation only)")
    add("--no-modules", action="store_true", help="do not load our modules")
    add("--allow-kernel-warnings", action="store_true",
        help="do not fail because of warnings in the guest's kernel log")


class Paths:
    """Where the build folder has what the lab needs."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.out = self.join("out")
        self.vms = self.join("vm")
        self.bin = self.join("bin")
        self.test_bin = self.join("tests", "bin")
        self.agent = self.join("tests", "bin", "lab-agent")
        self.modules = self.join("lib", "modules-lab")
        self.kernel = self.join("kernel", "current")

    def join(self, *parts):
        return os.path.join(self.build, *parts)

    def require(self):
        if not os.path.exists(self.agent):
            raise LabError(f"{self.agent} is missing: run './dev build'")
