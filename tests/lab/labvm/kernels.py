# SPDX-License-Identifier: GPL-2.0-only
"""The kernels, sets of modules and QEMUs that the lab knows by name, and where it gets them.

A kernel is a folder in the layout of fetch-kernel: vmlinuz, release, version, modules, and
headers if something is built for it. The sets of modules are: ours; the distribution's own of
that kernel (stock); and the iommufd and VFIO of that kernel's source, which the distribution does
not build (upstream). What is missing is fetched or built when a machine first needs it.
"""

import fcntl
import os
import subprocess
import sys

from . import LabError, initrd

LAB = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(os.path.dirname(LAB))


def read_slowness():
    """By how much each debug kernel is slower than the distribution's."""
    with open(os.path.join(LAB, "kernel", "slowness")) as f:
        lines = [line.split() for line in f if not line.startswith("#")]
    return {name: int(times) for name, times in lines}


OWN = "6.12"
OTHERS = ("6.1", "7.3")
# its modules need a newer compiler and C library than the oldest system that the lab supports
CHROOT = "7.3"
DEBUG = read_slowness()
DEFAULT_DEBUG = "kasan"
NAMES = (OWN, *OTHERS, *DEBUG)
SETS = ("ours", "stock", "upstream")
QEMUS = ("13",)

STOCK = ("vfio", "vfio_iommu_type1", "vfio_pci")
TESTING = ("IOMMUSCOPE_TESTING=y", "VFIO_GROUP=y")


def slowness(options):
    """The factor for time limits."""
    return DEBUG.get(options.kernel, 1)


def finds_leaks(options):
    return options.kernel == "kasan" and not options.allow_kernel_warnings


def module_set(options):
    """The set of modules of a machine: one of SETS, or a folder."""
    return options.modules or ("stock" if options.kernel in OTHERS else "ours")


class Kernel:
    """The kernel and the modules that the options of a machine select."""

    def __init__(self, paths, options):
        self.paths = paths
        self.name = options.kernel or OWN
        self.set = module_set(options)
        self.loads = not options.no_modules
        self.qemu_release = options.qemu
        if self.name in OTHERS and self.set == "ours":
            raise LabError(f"our modules are not for Linux {self.name}: --modules stock", 2)
        if self.set == "upstream" and self.name not in (OWN, CHROOT):
            raise LabError(f"iommufd is not built for Linux {self.name}", 2)

    @property
    def qemu(self):
        """The program."""
        if not self.qemu_release:
            return "qemu-system-x86_64"
        return self.paths.join("qemu", self.qemu_release, "qemu-system-x86_64")

    def is_file(self):
        return self.name not in NAMES

    @property
    def folder(self):
        if self.name == OWN:
            return self.paths.kernel
        return self.paths.join("kernel", *(["debug"] if self.name in DEBUG else []), self.name)

    @property
    def image(self):
        return self.name if self.is_file() else os.path.join(self.folder, "vmlinuz")

    @property
    def modules(self):
        """The folder of the modules to load, None for those of the kernel."""
        if self.set == "ours":
            return self.paths.join("lib", f"modules-{self.name}") if self.name in DEBUG else self.paths.modules
        if self.set == "stock":
            return None
        if self.set == "upstream":
            return os.path.join(self.upstream, "lib")
        return os.path.abspath(self.set)

    @property
    def upstream(self):
        return self.paths.join("upstream" if self.name == OWN else f"upstream-{self.name}")

    @property
    def tree_base(self):
        """The path of lib/modules/RELEASE for the guest: it decides which modules modprobe finds.
        """
        if self.set in ("stock", "upstream"):
            return self.paths.join("lib", self.set)
        return self.paths.build

    def load_order(self, tree, release):
        """The modules to load, as own_modules() returns them."""
        if not self.loads:
            return []
        if self.set != "stock":
            return initrd.own_modules(self.modules, tree, release)
        order = []
        for name in STOCK:
            tree.closure(name, order)
        return order

    def prepare(self):
        """Provide all of it."""
        if self.qemu_release:
            call([os.path.join(LAB, "fetch-qemu"), self.paths.build, self.qemu_release])
        # the build makes these
        if self.is_file() or self.name == OWN and self.set not in ("stock", "upstream"):
            return
        os.makedirs(self.paths.vms, exist_ok=True)
        with open(self.paths.join("vm", ".kernels.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.name in DEBUG:
                call([os.path.join(LAB, "debug-kernel"), self.paths.build, self.name])
            elif self.name in OTHERS:
                call([os.path.join(LAB, "fetch-stock"), self.paths.build, self.name])
            if self.set == "ours" and (self.loads or not os.path.isdir(self.modules)):
                self.build_ours()
            elif self.set == "upstream" and self.name == CHROOT:
                call([os.path.join(LAB, "upstream-chroot"), self.paths.build, self.name])
            elif self.set == "upstream":
                call([os.path.join(LAB, "build-upstream"), os.path.join(self.folder, "headers"),
                      self.paths.join("source"), self.upstream])
            self.make_tree()

    def build_ours(self):
        call([sys.executable, "-B", os.path.join(ROOT, "cmake", "build-modules.py"), "--source", ROOT,
              "--mirror", self.paths.join(f"modules-{self.name}"), "--collect", self.modules,
              "--kdir", os.path.join(self.folder, "headers"), "--files", self.name,
              "--stamp", self.paths.join(f"modules-{self.name}.stamp"), *TESTING])

    def make_tree(self):
        """Build the index for modprobe, again whenever a module in it has changed."""
        with open(os.path.join(self.folder, "release")) as f:
            tree = os.path.join(self.tree_base, "lib", "modules", f.read().strip())
        index = changed(os.path.join(tree, "modules.dep"))
        newest = changed(os.path.join(self.folder, "version"))
        if self.modules:
            newest = max([newest, *(changed(os.path.join(self.modules, f)) for f in os.listdir(self.modules))])
        if index <= newest:
            os.makedirs(os.path.dirname(tree), exist_ok=True)
            call([os.path.join(LAB, "module-tree"), self.folder, self.modules or "-", tree])


def changed(path):
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return 0


def call(command):
    """Its output is for people: standard output belongs to the guest's command."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    if done.returncode:
        raise LabError(f"{os.path.basename(command[0])} failed")
