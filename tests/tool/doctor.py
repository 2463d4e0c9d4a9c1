#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope doctor in machines that each lack one thing.

The first argument names the machine: devices (VT-d, our modules, and the devices of the
end-to-end tests), nomodules, noiommu, unsafe (without interrupt remapping; the second argument
names its IOMMU), stock or upstream (an edu device, and the kernel's own VFIO or iommufd).
"""

import json
import os
import sys

from tooltest import TOOL, Tap, run, setting, tool

ALONE, FIRST, SECOND, PORT = "0000:00:05.0", "0000:01:00.0", "0000:01:00.1", "0000:00:06.0"
USER = ("setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "--bounding-set", "-all",
        "--inh-caps", "-all")


class Findings:
    """What doctor found, run with @arguments after the command @before."""

    def __init__(self, *arguments, before=()):
        self.result = run(*before, TOOL, "doctor", "--json", *arguments)
        self.document = json.loads(self.result.stdout)

    def of(self, check):
        return [f for f in self.document["findings"] if f["check"] == check]

    def missing(self):
        return {f["check"] for f in self.document["findings"] if f["status"] == "missing"}

    def status(self, check):
        return [f["status"] for f in self.of(check)]

    def says(self, check, *words):
        return any(all(word in "%s %s" % (f["text"], f["remedy"]) for word in words)
                   for f in self.of(check))


def lacks(tap, found, wanted, name):
    """Only @wanted is missing, each with a remedy, and the exit status and the counts agree."""
    document = found.document
    counts = {status: len([f for f in document["findings"] if f["status"] == status])
              for status in ("ok", "warning", "missing")}
    remedied = all(f["remedy"] for f in document["findings"] if f["status"] != "ok")
    tap.ok(found.missing() == wanted and remedied and not found.result.stderr
           and found.result.returncode == (1 if wanted else 0)
           and document["ready"] == (not wanted)
           and counts == {status: document[status] for status in counts},
           name, "wanted %r" % wanted, found.result.returncode, found.result.stdout,
           found.result.stderr)


def ready(tap):
    found = Findings()
    lacks(tap, found, set(), "a machine that lacks nothing is ready")
    tap.ok(found.says("modules", "iommufd vfio vfio_pci", "ours"), "our modules are recognized",
           found.of("modules"))
    tap.ok(found.says("iommu", "Intel VT-d (dmar0)"), "the IOMMU is named", found.of("iommu"))
    text = tool("doctor")
    tap.ok(text.returncode == 0 and text.stdout.splitlines()[-1].startswith("Ready")
           and max(map(len, text.stdout.splitlines())) <= 80
           and len(text.stdout.splitlines()) > 10 and "\033" not in text.stdout,
           "for people it fits 80 columns, without colour in a pipe", text.stdout)


def bind(driver, *devices):
    result = run("bind-device", "-d", driver, *devices)
    if result.returncode:
        raise RuntimeError(result.stderr)


def groups(tap):
    tap.equal(run("modprobe", "e1000e").returncode, 0, "the host's driver is loaded")
    bind("vfio-pci", FIRST)
    bind("e1000e", SECOND)
    try:
        found = Findings()
        lacks(tap, found, {"groups"}, "a group that is not viable is reported")
        tap.ok(found.says("groups", FIRST, SECOND, "e1000e", "driverctl set-override " + SECOND),
               "with the device and the driver that block it", found.of("groups"))
        found = Findings("-d", FIRST)
        lacks(tap, found, {"device_group"}, "and so is the device itself")
        tap.ok(found.says("device_group", SECOND, "e1000e"), "with the same text",
               found.of("device_group"))
        found = Findings("-d", SECOND)
        lacks(tap, found, {"device_driver"}, "the other one has the wrong driver")
        tap.ok(found.says("device_group", FIRST, "vfio-pci"), "and a harmless neighbour",
               found.of("device_group"))

        bind("vfio-pci", SECOND)
        found = Findings()
        lacks(tap, found, set(), "with the whole group bound to VFIO nothing is missing")
        tap.ok(found.says("groups", "2 devices with VFIO"), "and both are counted",
               found.of("groups"))
        nodes = [f["text"].split()[0] for f in found.of("nodes")]
        tap.ok(sorted(nodes) == sorted(
            ["/dev/iommu"] + ["/dev/vfio/devices/" + name
                              for name in os.listdir("/dev/vfio/devices")]),
            "each node is checked", nodes)
    finally:
        bind("", FIRST, SECOND)


def device(tap):
    bind("vfio-pci", ALONE)
    try:
        found = Findings("-d", ALONE[5:])
        lacks(tap, found, set(), "a device alone in its group, with the right driver, is ready")
        tap.equal(found.document["device"], ALONE, "its PCI domain may be omitted")
        tap.ok(found.says("device_group", "alone") and found.says("device_reset", "can be reset")
               and found.says("device_node", "/dev/vfio/devices/"), "as each check reports",
               found.result.stdout)
    finally:
        bind("e1000e", ALONE)
    name = os.listdir("/sys/bus/pci/devices/%s/net" % ALONE)[0]
    run("busybox", "ip", "link", "set", name, "up")
    found = Findings("-d", ALONE)
    lacks(tap, found, {"device_driver"}, "a device that the host uses has the wrong driver")
    with open("/sys/class/net/%s/operstate" % name, encoding="ascii") as file:
        up = file.read().strip() == "up"
    tap.ok(found.says("device_use", name) == up, "and counts as in use while its network is up",
           up, found.of("device_use"))
    run("busybox", "ip", "link", "set", name, "down")
    bind("", ALONE)
    found = Findings("-d", PORT)
    tap.ok("device" in found.missing() and found.says("device", "bridge")
           and not found.of("device_driver"), "a bridge cannot be passed through", found.result.stdout)
    wrong = tool("doctor", "-d", "0000:7f:00.0")
    tap.equal((wrong.returncode, wrong.stdout, wrong.stderr),
              (1, "", "iommuscope: no such device: 0000:7f:00.0 (see /sys/bus/pci/devices)\n"),
              "a device that does not exist is reported in one line")
    wrong = tool("doctor", "3")
    tap.ok(wrong.returncode == 2 and not wrong.stdout, "an argument is refused", wrong.stderr)


def user(tap):
    bind("vfio-pci", ALONE)
    try:
        found = Findings(before=USER)
    finally:
        bind("", ALONE)
    lacks(tap, found, {"privilege"}, "for an ordinary user only the privilege is missing")
    tap.equal(set(found.status("nodes")), {"warning"}, "a user that cannot open the nodes gets a warning")
    tap.ok(found.says("memlock", "only") and found.status("memlock") == ["warning"],
           "and so does a user that can lock little", found.of("memlock"))
    found = Findings(before=("prlimit", "--memlock=unlimited", *USER))
    tap.equal(found.status("memlock"), ["ok"], "but not a user that can lock all memory")
    found = Findings(before=("setpriv", "--bounding-set", "-sys_admin", "--inh-caps",
                             "-sys_admin"))
    lacks(tap, found, {"privilege"}, "without CAP_SYS_ADMIN types cannot be read")


def with_mounts(script):
    """A command that runs after @script, in mounts of its own."""
    return ("unshare", "--mount", "sh", "-ec", script + '; exec "$@"', "sh")


def hidden(tap):
    cover = "mount -t tmpfs none %s"
    found = Findings(before=with_mounts(cover % "/sys/kernel/btf"))
    lacks(tap, found, {"btf"}, "without BTF only BTF is missing")
    found = Findings(before=with_mounts(cover % "/run" + "; cp /sys/kernel/btf/vmlinux /run; " +
                                        cover % "/sys/kernel/btf" +
                                        "; cp /run/vmlinux /sys/kernel/btf"))
    lacks(tap, found, {"btf"}, "the same holds for a module's BTF")
    tap.ok(found.says("btf", "iommufd", "pahole"), "with the way to get it", found.of("btf"))
    found = Findings(before=with_mounts(cover % "/dev"))
    lacks(tap, found, {"nodes"}, "without /dev/iommu only the node is missing")
    found = Findings(before=with_mounts(cover % "/lib/modules"))
    tap.ok(found.result.returncode == 0 and found.status("options") == ["warning"],
           "options that cannot be read are a warning", found.result.stdout)


def settings(tap):
    def without_transparent_ones(reserved):
        with setting("/proc/sys/vm/nr_hugepages", reserved), \
                setting("/sys/kernel/mm/transparent_hugepage/enabled", "never"):
            return Findings()

    found = without_transparent_ones("0")
    tap.equal((found.status("hugepages"), found.result.returncode), (["warning"], 0),
              "no huge pages are a warning")
    found = without_transparent_ones("2")
    tap.ok(found.status("hugepages") == ["ok"] and found.says("hugepages", "4.0 MiB reserved"),
           "reserved ones are enough", found.of("hugepages"))
    with setting("/proc/sys/kernel/kptr_restrict", "2"):
        found = Findings()
    tap.equal((found.status("bpf"), found.result.returncode), (["warning"], 0),
              "so are hidden addresses")


def nomodules(tap):
    found = Findings()
    lacks(tap, found, {"modules", "sources"}, "without our modules only the modules are missing")
    tap.ok(found.says("sources", "nothing to observe", "modprobe vfio_pci"), "so there is nothing to observe",
           found.of("sources"))
    tap.ok(found.says("modules", "iommufd vfio vfio_pci are not loaded",
                      "modprobe -a iommufd vfio vfio_pci"), "with the command that loads them",
           found.of("modules"))
    found = Findings(before=with_mounts("mount -t tmpfs none /lib/modules"))
    tap.ok(found.says("modules", "no iommufd", "iommuscope-dkms"), "or with the package that has them",
           found.of("modules"))
    found = Findings(before=USER)
    lacks(tap, found, {"modules", "sources", "privilege"}, "an ordinary user sees the same")


def noiommu(tap):
    found = Findings()
    lacks(tap, found, {"iommu"}, "without an IOMMU only the IOMMU is missing")
    tap.ok(found.says("iommu", "the firmware describes none"), "with the reason", found.of("iommu"))
    found = Findings("-d", "00:1f.2")
    tap.ok("device_iommu" in found.missing(), "the same holds for a device", found.result.stdout)


def unsafe(tap):
    parameter = "/sys/module/iommufd/parameters/allow_unsafe_interrupts"
    with setting(parameter, "N"):
        found = Findings()
        lacks(tap, found, {"interrupts"}, "without interrupt remapping only that is missing")
        tap.ok(found.says("interrupts", parameter), "with the workaround", found.of("interrupts"))
    with setting(parameter, "Y"):
        lacks(tap, Findings(), set(), "once allowed, it is only a warning")
    tap.ok(found.says("iommu", sys.argv[2]), "the IOMMU is named", found.of("iommu"))


EDU = "0000:00:01.0"


def machine_with(tap, source, words, node):
    """A machine with one source that is not ours: nothing is missing, for root and for a user."""
    bind("vfio-pci", EDU)
    try:
        found = Findings()
        lacks(tap, found, set(), "our modules are not needed")
        tap.ok(found.says("sources", source + ": ", "operations map, unmap", *words)
               and found.says("sources", "vfio: ", "operations open", "phases ")
               and len(found.of("sources")) == 2, "it reports what can be seen, and misses nothing",
               found.of("sources"))
        tap.ok(found.says("modules", "the kernel's own"), "the modules are recognized as the kernel's",
               found.of("modules"))
        tap.ok(any(f["text"].startswith(node(EDU)) for f in found.of("nodes")), "the node is checked",
               node(EDU), found.of("nodes"))
        lacks(tap, Findings(before=USER), {"privilege"}, "for an ordinary user only the privilege is missing")
        found = Findings("-d", EDU)
        tap.ok(not found.missing() and found.says("device_node", node(EDU)), "the device can be passed through",
               found.result.stdout)
    finally:
        bind("", EDU)


def group_node(device):
    return "/dev/vfio/" + os.path.basename(os.readlink("/sys/bus/pci/devices/%s/iommu_group" % device))


def device_node(device):
    return "/dev/vfio/devices/" + os.listdir("/sys/bus/pci/devices/%s/vfio-dev" % device)[0]


def stock(tap):
    machine_with(tap, "type1", ("phases wait, account, pin, map, unmap, unpin",), group_node)
    # only the iommufd of 6.12 can be ours
    found = Findings()
    ours = os.uname().release.startswith("6.12.")
    tap.ok(found.says("modules", "no iommufd") and found.says("modules", "iommuscope-dkms") == ours
           and found.says("modules", "not for this kernel") != ours,
           "our modules are suggested only where they exist", found.of("modules"))


def upstream(tap):
    machine_with(tap, "upstream", ("replace", "phases wait, account, pin, map, unmap, unpin, check, alloc, fill, "
                                   "switch, drop"), device_node)


MACHINES = {
    "stock": (stock,),
    "upstream": (upstream,),
    "devices": (ready, groups, device, user, hidden, settings),
    "nomodules": (nomodules,),
    "noiommu": (noiommu,),
    "unsafe": (unsafe,),
}
Tap().run(*MACHINES[sys.argv[1]])
