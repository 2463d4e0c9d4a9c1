# SPDX-License-Identifier: GPL-2.0-only
"""The initramfs of a machine: busybox, the modules of the boot, its configuration.

An archive is written for every boot, in milliseconds, so no cache can be stale. Modules come from
the kernel's own tree, compressed or not, in the order of their dependencies; modules that are
built into the kernel are skipped.
"""

import gzip
import lzma
import os
import shlex
import struct
import subprocess

from . import LabError

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def decompress(path):
    if path.endswith(".xz"):
        with lzma.open(path) as f:
            return f.read()
    if path.endswith(".gz"):
        with gzip.open(path) as f:
            return f.read()
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout
    with open(path, "rb") as f:
        return f.read()


def module_name(path):
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


def modinfo(image):
    """The .modinfo section of a module as a dictionary of lists."""
    shoff, = struct.unpack_from("<Q", image, 0x28)
    entsize, count, names = struct.unpack_from("<HHH", image, 0x3A)
    sections = [struct.unpack_from("<IIQQQQ", image, shoff + i * entsize) for i in range(count)]
    strings = sections[names][4]
    info = {}
    for name, _, _, _, offset, size in sections:
        at = strings + name
        if image[at:image.index(b"\0", at)] != b".modinfo":
            continue
        for entry in image[offset:offset + size].split(b"\0"):
            key, eq, value = entry.decode(errors="replace").partition("=")
            if eq:
                info.setdefault(key, []).append(value)
    return info


class ModuleTree:
    """The modules of one kernel: /lib/modules/VERSION, at any path."""

    def __init__(self, path):
        self.path = path
        self.by_name = {}
        self.builtin = set()
        try:
            with open(os.path.join(path, "modules.dep")) as f:
                for line in f:
                    file, _, deps = line.partition(":")
                    self.by_name[module_name(file)] = (file, deps.split())
            with open(os.path.join(path, "modules.builtin")) as f:
                self.builtin = {module_name(line.strip()) for line in f}
        except OSError as e:
            raise LabError(f"{e.filename}: {e.strerror}: run './dev setup'") from e

    def closure(self, name, order):
        """Append the files of module @name and of its dependencies to @order."""
        name = name.replace("-", "_")
        if name in self.builtin:
            return
        if name not in self.by_name:
            raise LabError(f"no module {name} in {self.path}")
        file, deps = self.by_name[name]
        for dep in reversed(deps):
            if dep not in order:
                order.append(dep)
        if file not in order:
            order.append(file)


def own_modules(directory, tree, release):
    """Our modules in load order.

    Returns a list whose entries are paths of our modules and, for the
    kernel's modules that ours need, paths within @tree.
    """
    images = {}
    if not os.path.isdir(directory):
        raise LabError(f"{directory} is missing: run './dev build'")
    for file in sorted(os.listdir(directory)):
        if file.endswith(".ko"):
            path = os.path.join(directory, file)
            info = modinfo(decompress(path))
            vermagic = info.get("vermagic", [""])[0].split(" ")[0]
            if release and vermagic != release:
                raise LabError(f"{path} is for kernel {vermagic}, not {release}")
            depends = [d for d in info.get("depends", [""])[0].split(",") if d]
            images[module_name(file)] = (path, depends)
    order = []
    state = {}

    def visit(name):
        if state.get(name) == "done":
            return
        if state.get(name) == "open":
            raise LabError(f"modules depend on each other: {name}")
        state[name] = "open"
        path, depends = images[name]
        for dep in depends:
            dep = dep.replace("-", "_")
            if dep in images:
                visit(dep)
            elif tree is not None:
                tree.closure(dep, order)
        order.append(path)
        state[name] = "done"

    for name in images:
        visit(name)
    return order


class Cpio:
    """A newc archive, written in memory."""

    def __init__(self):
        self.parts = []
        self.inode = 0
        self.dirs = set()

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        self.inode += 1
        name = name.encode() + b"\0"
        head = "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x" % (
            self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(name), 0)
        part = head.encode() + name
        part += b"\0" * (-len(part) % 4)
        self.parts += [part, data, b"\0" * (-len(data) % 4)]

    def directory(self, path):
        if path and path not in self.dirs:
            self.directory(os.path.dirname(path))
            self.dirs.add(path)
            self._entry(path, 0o040755)

    def file(self, path, data, mode=0o644):
        self.directory(os.path.dirname(path))
        self._entry(path, 0o100000 | mode, data)

    def device(self, path, mode, major, minor):
        self.directory(os.path.dirname(path))
        self._entry(path, mode, rdev=(major, minor))

    def write(self, path):
        self._entry("TRAILER!!!", 0)
        with open(path, "wb") as f:
            f.writelines(self.parts)


def build(path, tree, boot_modules, modules, settings):
    """Write the initramfs to @path.

    @tree: the ModuleTree, or None for a kernel with everything built in
    @boot_modules: names of the modules that the root file system needs, in order
    @modules: what own_modules() returned
    @settings: variables for init.sh
    """
    cpio = Cpio()
    for d in ("proc", "sys", "dev"):
        cpio.directory(d)
    cpio.device("dev/console", 0o020600, 5, 1)
    busybox = next((p for p in ("/bin/busybox", "/usr/bin/busybox") if os.path.exists(p)), None)
    if busybox is None:
        raise LabError("busybox is missing: run './dev setup'")
    cpio.file("bin/busybox", decompress(busybox), 0o755)
    with open(os.path.join(HERE, "init.sh"), "rb") as f:
        cpio.file("init", f.read(), 0o755)

    order = []
    if tree is not None:
        for name in boot_modules:
            tree.closure(name, order)
    lists = [[], []]
    for i, files in enumerate((order, modules)):
        for file in files:
            if file.startswith("/"):
                lists[i].append(file)
                continue
            if i == 1 and file in order:
                continue
            short = module_name(file) + ".ko"
            cpio.file("modules/" + short, decompress(os.path.join(tree.path, file)))
            lists[i].append(short)
    settings = dict(settings, LAB_BOOT_MODULES=" ".join(lists[0]), LAB_MODULES=" ".join(lists[1]))
    conf = "".join(f"{k}={shlex.quote(v)}\n" for k, v in settings.items())
    cpio.file("lab.conf", conf.encode())
    cpio.write(path)
