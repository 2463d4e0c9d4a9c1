# SPDX-License-Identifier: GPL-2.0-only
"""The other kernels of the distribution, and the sets of modules.

kernels_test.py BUILD [chroot]

With "chroot": only those whose modules are built in a system of another release.
"""

import os
import shutil
import subprocess
import sys

from points import Lab, contains, equal, run_all

SKIP = 77
lab = Lab(os.path.abspath(sys.argv[1]))

# What a guest reports of itself, one line each
LOOK = """
uname -r
cat /proc/modules | cut -d' ' -f1 | tr '\\n' ' '; echo
modinfo -n vfio_pci
ls -d /dev/iommu /dev/vfio/vfio 2>/dev/null | tr '\\n' ' '; echo
ls /sys/kernel/tracing/events | grep -c -x -e iommufd -e vfio
bind-device 0000:00:01.0
head -c 2 /sys/kernel/btf/vfio | od -An -tx1
"""


def look(kernel, modules):
    """The lines of LOOK in a machine with an edu device."""
    done = lab("run", "--kernel", kernel, "--modules", modules, "--device", "edu", "--", "sh", "-c", LOOK)
    equal((done.stderr.decode(), done.returncode), ("", 0))
    release, loaded, file, nodes, events, node, btf = done.stdout.decode().splitlines()
    equal(release.startswith(kernel + "."), True)
    equal(btf.split(), ["9f", "eb"])
    return loaded.split(), file, nodes.split(), int(events), node.rpartition(": ")[2]


def stock(kernel):
    def test():
        loaded, file, nodes, events, node = look(kernel, "stock")
        contains(loaded, "vfio_iommu_type1")
        contains(file, "/kernel/drivers/vfio/pci/vfio-pci.ko")
        equal((nodes, events), (["/dev/vfio/vfio"], 0))
        equal(node.startswith("/dev/vfio/"), True)
    test.__doc__ = f"{kernel}, stock: type1 and vfio-pci are the kernel's own, and a device can be opened"
    return test


def upstream(kernel):
    def test():
        loaded, file, nodes, events, node = look(kernel, "upstream")
        contains(loaded, "iommufd")
        contains(file, "/updates/vfio-pci.ko")
        contains(nodes, "/dev/iommu")
        equal(events, 0)
        equal(node, "/dev/vfio/devices/vfio0")
    test.__doc__ = f"{kernel}, upstream: /dev/iommu is the kernel source's own, and a device has a node"
    return test


def ours():
    """6.12, ours: the modules of the build, with their events"""
    loaded, file, nodes, events, node = look("6.12", "ours")
    contains(loaded, "iommufd")
    contains(file, "/updates/")
    equal((nodes, events, node), (["/dev/iommu", "/dev/vfio/vfio"], 2, "/dev/vfio/devices/vfio0"))


def refused():
    """our modules are refused on kernels that they are not built for"""
    for kernel in ("6.1", "7.3"):
        done = lab("run", "--kernel", kernel, "--modules", "ours", "--", "true")
        equal(done.returncode, 2)
        contains(done.stderr.decode(), f"our modules are not for Linux {kernel}")
    done = lab("run", "--kernel", "6.1", "--modules", "upstream", "--", "true")
    equal(done.returncode, 2)
    contains(done.stderr.decode(), "iommufd is not built for Linux 6.1")


def have(*arguments):
    """Fetch or build what a machine needs; the test first checks whether there is a network."""
    done = subprocess.run(lab.command("prepare", *arguments), stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        print("\n".join("# " + line for line in done.stdout.splitlines()))
        print(f"{' '.join(arguments)} cannot be had")
        sys.exit(SKIP)


if "chroot" in sys.argv:
    if os.getuid() or not shutil.which("debootstrap"):
        print("must run as root, with debootstrap")
        sys.exit(SKIP)
    have("--kernel", "7.3", "--modules", "upstream")
    run_all([upstream("7.3")])
for series in ("6.1", "7.3"):
    have("--kernel", series)
have("--modules", "stock")
have("--modules", "upstream")
run_all([stock("6.1"), stock("6.12"), stock("7.3"), upstream("6.12"), ours, refused])
