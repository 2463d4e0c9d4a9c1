#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the tool finds to probe on this kernel, compared with what the kernel itself shows.

hooks.py own|stock|upstream: which modules are loaded.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "tool"))
from tooltest import Tap  # noqa: E402

TRACEABLE = "/sys/kernel/tracing/available_filter_functions"
SOURCES = ("own", "upstream", "type1", "vfio")
# phases of each source; waits are seen by the events of contended locks
PHASES = {
    "upstream": ("account", "pin", "map", "unmap", "unpin", "check", "alloc", "fill", "switch", "drop"),
    "type1": ("account", "pin", "map", "unmap", "unpin"),
    "vfio": ("driver", "reset"),
}


def traceable():
    """Function -> the module that it is in."""
    functions = {}
    with open(TRACEABLE, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            functions[words[0]] = words[1].strip("[]") if len(words) > 1 else "vmlinux"
    return functions


def types(module):
    """The functions of a BTF, each with the names of its parameters."""
    base = [] if module == "vmlinux" else ["-B", "/sys/kernel/btf/vmlinux"]
    text = subprocess.run(["bpftool", *base, "btf", "dump", "file", "/sys/kernel/btf/" + module],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    functions, prototypes, current = {}, {}, None
    for line in text.splitlines():
        parameter = re.match(r"\t'(.*)' type_id", line)
        if parameter and current is not None:
            current.append(parameter.group(1))
            continue
        current = None
        words = line.split()
        if len(words) > 1 and words[1] == "FUNC_PROTO":
            current = prototypes[words[0].strip("[]")] = []
        elif len(words) > 1 and words[1] == "FUNC":
            functions[words[2].strip("'")] = words[3].partition("=")[2]
    return {name: prototypes.get(kind, []) for name, kind in functions.items()}


class Hook:
    def __init__(self, line):
        sources, self.kind, self.way, self.symbol, self.module, names, self.shows = line.split(" ", 6)
        self.sources = [name for bit, name in enumerate(SOURCES) if int(sources) >> bit & 1]
        self.names = names.split(",")


class Found:
    """What hooks-find prints."""

    def __init__(self):
        lines = subprocess.run(["hooks-find"], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.sources, self.hooks, self.arguments, self.members = {}, [], {}, {}
        self.unseen = set()
        for line in lines.splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "hook":
                self.hooks.append(Hook(rest))
            elif kind == "source":
                name, state = rest.split()
                self.sources[name] = state
            elif kind == "argument":
                function, parameter, index = rest.split()
                self.arguments[function, parameter] = int(index)
            elif kind == "unseen":
                self.unseen.add(tuple(rest.split(" ", 2)))
            else:
                structure, member, there = rest.split()
                self.members[structure, member] = there == "yes"

    def seen(self, source, kind):
        return {hook.shows for hook in self.hooks
                if source in hook.sources and hook.kind == kind and hook.way != "none"}

    def all(self, source, kind):
        return {hook.shows for hook in self.hooks if source in hook.sources and hook.kind == kind}


def release():
    return tuple(int(word) for word in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())


def sources(tap, found):
    wanted = {"own": {"own"}, "stock": {"type1", "vfio"}, "upstream": {"upstream", "vfio"}}[sys.argv[1]]
    here = {name for name, state in found.sources.items() if state == "here"}
    tap.equal(here, wanted, "the sources of this machine are known")
    for source in sorted(here):
        unseen = {(source, kind, shows) for kind in ("operation", "phase", "detail")
                  for shows in found.all(source, kind) - found.seen(source, kind)}
        tap.equal({words for words in found.unseen if words[0] == source}, unseen, "what cannot be seen of it is reported")
    for source in sorted(here & set(PHASES)):
        tap.equal(sorted(found.all(source, "operation") - found.seen(source, "operation")), [],
                  "each operation of %s has a function here" % source)
        tap.equal(sorted(set(PHASES[source]) - found.seen(source, "phase")), [],
                  "and each of its phases")


def places(tap, found):
    """Where a hook is reported, there is a function that can be traced."""
    functions = traceable()
    folder = "/sys/kernel/btf"
    with_types = {}
    for module in ("virtio_iommu", "iommufd_mock", "iommufd", "vfio", "vfio_pci_core", "vfio_iommu_type1",
                   "vmlinux"):
        if os.path.exists(os.path.join(folder, module)):
            with_types.update(types(module))
    for hook in found.hooks:
        # where nothing calls it, it can be an empty function that cannot be traced
        if not hook.sources:
            continue
        usable = [name for name in hook.names if name in functions and name in with_types]
        if hook.way == "function":
            right = hook.symbol in usable[:1] and functions[hook.symbol] == hook.module
        elif hook.way == "symbol":
            right = (not usable and functions.get(hook.symbol) == hook.module
                     and hook.symbol.partition(".")[0] in hook.names)
        else:
            right = not usable
        if not right:
            tap.ok(False, "%s is where it is reported to be" % hook.names[0], hook.way, hook.symbol, hook.module,
                   usable)
    tap.ok(len(found.hooks) > 50, "the locations of %d hooks are compared" % len(found.hooks))
    for (function, parameter), index in found.arguments.items():
        names = with_types.get(function, [])
        wanted = names.index(parameter) if parameter in names else 255
        # of a function that exists, since otherwise the program would not be loaded
        if function in with_types:
            tap.equal((index, wanted != 255), (wanted, True),
                      "%s of %s is parameter %d" % (parameter, function, wanted))
    if release() >= (6, 12):
        tap.ok(("__iommu_device_set_domain", "dev") in found.arguments
               and len(with_types["__iommu_device_set_domain"]) == (5 if release() >= (7, 3) else 4),
               "the core's function has the parameters of this kernel",
               with_types["__iommu_device_set_domain"])


def members(tap, found):
    type1 = found.sources["type1"] == "here"
    iommufd = "here" in (found.sources["own"], found.sources["upstream"])
    tap.equal((found.members["vfio_iommu", "dma_list"], found.members["iommufd_ctx", "objects"],
               found.members["vfio_dma", "no_such_member"], found.members["page", "lru"]),
              (type1, iommufd, False, True), "members are found in the modules that are loaded")


def test(tap):
    found = Found()
    sources(tap, found)
    places(tap, found)
    members(tap, found)


Tap().run(test)
