# SPDX-License-Identifier: GPL-2.0-only
"""Dependencies among object files: no circle, no arrow that runs up, no symbol without a user.

An object uses another when it needs a symbol that the other defines; nm shows both. Objects belong
to groups (a module, a folder of the tool), and groups stand in layers, top layer first. A group may
use groups of lower layers only, so two groups in one layer do not use each other.
"""

import os
import re
import subprocess

from files import Files
from points import sample

# symbols that the compiler and kbuild generate; those that TRACE_EVENT_FN() names in a header;
# and a function that must stay global, because programs attach to it
KEPT = re.compile(r"^(main$|init_module$|cleanup_module$|__pfx_|__cfi_|__mod_|__tracepoint_|"
                  r"__traceiter_|__probestub_|__SC[KT]__|__bpf_trace_|__BTF_ID__|__asan_|__odr_asan|"
                  r"(iommufd|vfio)_event_(en|dis)abled$|mock_dma_fault$)")


class Object:
    def __init__(self, path, group):
        self.path, self.group = path, group
        self.name = os.path.join(group, re.sub(r"(\.c)?\.o$", ".c", os.path.basename(path)))
        self.defines, self.weak, self.needs, self.public = set(), set(), set(), set()
        text = subprocess.run(["nm", path], stdout=subprocess.PIPE, text=True, check=True).stdout
        for line in text.splitlines():
            kind, symbol = line.split()[-2:]
            if kind == "U":
                self.needs.add(symbol)
            elif kind in "WV":
                self.weak.add(symbol)
            elif kind.isupper():
                self.defines.add(symbol)
            # EXPORT_SYMBOL() and lists of kfuncs leave a local symbol
            mark = re.match(r"__export_symbol_(.+)|__BTF_ID__func__(.+?)__\d+$", symbol)
            if mark:
                self.public.add(mark.group(1) or mark.group(2))


class Arrows:
    """@layers: lists of (group, paths of its objects), the top layer first."""

    def __init__(self, layers):
        self.layer = {group: depth for depth, layer in enumerate(layers) for group, _ in layer}
        self.objects = [Object(path, group) for layer in layers for group, paths in layer
                        for path in sorted(paths)]
        owners = {}
        for item in self.objects:
            for symbol in item.defines | item.weak:
                owners.setdefault(symbol, []).append(item)
        # object -> object it uses -> the symbols
        self.uses = {item: {} for item in self.objects}
        for item in self.objects:
            for symbol in item.needs:
                found = owners.get(symbol, [])
                near = [owner for owner in found if owner.group == item.group]
                for owner in near or found:
                    if owner is not item:
                        self.uses[item].setdefault(owner, []).append(symbol)

    @staticmethod
    def _words(user, used, symbols):
        some = ", ".join(sorted(symbols)[:4]) + (", ..." if len(symbols) > 4 else "")
        return f"{user.name} uses {used.name}: {some}"

    def upward(self):
        """Arrows to a group that is not in a lower layer."""
        return sorted(self._words(user, used, symbols) for user, targets in self.uses.items()
                      for used, symbols in targets.items()
                      if user.group != used.group and self.layer[user.group] >= self.layer[used.group])

    def _reach(self, start, arrows):
        seen, todo = set(), [start]
        while todo:
            for other in arrows[todo.pop()]:
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return seen

    def circles(self):
        """Sets of objects each of which needs, directly or not, all others of the set."""
        reach = {item: self._reach(item, self.uses) for item in self.objects}
        complaints, done = [], set()
        for item in self.objects:
            if item in done or item not in reach[item]:
                continue
            circle = [other for other in self.objects if other in reach[item] and item in reach[other]]
            done.update(circle)
            complaints.append("a circle of " + ", ".join(other.name for other in circle))
            complaints += ["  " + self._words(user, used, symbols) for user in circle
                           for used, symbols in self.uses[user].items() if used in circle]
        return complaints

    def unused(self, others=()):
        """Symbols that could be static, or removed. @others: symbols that other objects need."""
        needed = set(others).union(*(item.needs for item in self.objects))
        return sorted(f"{item.name}: no other file uses {symbol}" for item in self.objects
                      for symbol in item.defines - needed - item.public if not KEPT.match(symbol))


def compile_sample(options, compiler, name, text):
    path = sample(options, name + ".c", text)
    subprocess.run([compiler, "-c", "-o", path[:-2] + ".o", path], check=True)
    return path[:-2] + ".o"


def show(points, options, compiler="cc"):
    """Points that show that a planted fault of each kind is found, and that a correct tree passes.
    """
    def build(name, text):
        return compile_sample(options, compiler, "arrows_" + name, text)

    top = build("top", "int low(void);\nint top(void);\nint top(void) { return low(); }\n")
    low = build("low", "int low(void);\nint low(void) { return 0; }\n")
    start = build("start", "int top(void);\nint main(void) { return top(); }\n")
    ring = build("ring", "int top(void);\nextern int (*const ring)(void);\nint (*const ring)(void) = top;\n")
    back = build("back", "extern int (*const ring)(void);\nint low(void);\nint low(void) { return ring(); }\n")
    lone = build("lone", "int lone(void);\nint lone(void) { return 0; }\n")

    good = Arrows([[("a", [start])], [("b", [top])], [("c", [low])]])
    points.point("arrows: a tree that runs down passes",
                 good.upward() + good.circles() + good.unused())
    text = "\n".join(Arrows([[("a", [top, ring, back])]]).circles())
    points.found("arrows: circles", text, r"a circle of a/arrows_back.c, a/arrows_ring.c, a/arrows_top.c")
    text = "\n".join(Arrows([[("a", [low])], [("b", [start, top])]]).upward())
    points.found("arrows: an arrow up", text, r"^b/arrows_top.c uses a/arrows_low.c: low$")
    text = "\n".join(Arrows([[("a", [top]), ("b", [low])]]).upward())
    points.found("arrows: an arrow to a neighbour", text, r"^a/arrows_top.c uses b/arrows_low.c: low$")
    text = "\n".join(Arrows([[("a", [start, top, low, lone])]]).unused())
    points.found("arrows: a symbol without a user", text, r"^a/arrows_lone.c: no other file uses lone$")


def check(points, what, layers, others=()):
    """Points for the objects of @layers. @others: symbols that other objects need."""
    arrows = Arrows(layers)
    count = len(arrows.objects)
    points.point(f"{what}: {count} objects are there", [] if count else ["none is"])
    points.point(f"{what}: no circle", arrows.circles())
    points.point(f"{what}: every arrow runs down", arrows.upward())
    points.point(f"{what}: every global symbol has a user elsewhere", arrows.unused(others))


def module_objects(folder):
    """The objects of the modules that kbuild made in @folder, from its lists of them."""
    paths = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".mod"):
            with open(os.path.join(folder, name)) as f:
                # starting at the module's folder: the build folder may have been moved
                paths += [os.path.join(folder, line.rpartition(f"/{os.path.basename(folder)}/")[2])
                          for line in f.read().split()]
    return paths


# mock is on top with vfio-pci: neither uses the other
MODULES = [["mock", "vfio-pci"], ["vfio"], ["iommufd"]]


def modules(points, options):
    """The objects of kernel/, as built."""
    show(points, options)
    root = os.path.join(options.build, "modules", "kernel")
    check(points, "the modules", [[(name, module_objects(os.path.join(root, name))) for name in layer
                                   if os.path.isdir(os.path.join(root, name))] for layer in MODULES])


# folders of the tool; those of one layer do not use each other
TOOL = [["main"], ["commands"], ["export", "trace", "doctor", "top"], ["describe"], ["observe"], ["probe"],
        ["machine"], ["text"]]


def objects_below(folder, ending):
    """Paths of object files, by the name of their source without its ending."""
    return {os.path.relpath(os.path.join(here, name), folder)[:-len(ending)]: os.path.join(here, name)
            for here, _, names in os.walk(folder) for name in names if name.endswith(ending)}


def upward_includes(name, text):
    """Includes of a file of the tool that name a folder which is not below its own."""
    depth = {group: number for number, layer in enumerate(TOOL) for group in layer}
    here = re.sub(r"^tools/(main\.c|[^/]*).*", r"\1", name).removesuffix(".c")
    complaints = []
    for header in re.findall(r'^#include "([^"]+)"', text, re.M):
        there = header.split("/")[0]
        if there in depth and there != here and depth[here] >= depth[there]:
            complaints.append(f"{name} includes {header}, which is not below it")
        if header.endswith(".skel.h") and here != "observe":
            complaints.append(f"{name} includes {header}: only observe/ knows skeletons")
    return complaints


def tool(points, options):
    """The objects of tools/, and what their sources include."""
    text = "\n".join(upward_includes("tools/text/json.c", '#include "describe/names.h"\n#include "text/json.h"\n'))
    points.found("arrows: an include of a file above", text,
                 r"^tools/text/json.c includes describe/names.h, which is not below it$")
    files = Files(options.source)
    # the build folder keeps objects of files that were removed
    built = {name: path for name, path in
             objects_below(os.path.join(options.build, "CMakeFiles", "iommuscope.dir", "tools"), ".c.o").items()
             if f"tools/{name}.c" in files.all}
    tests = objects_below(os.path.join(options.build, "tests"), ".o").values()
    needed = subprocess.run(["nm", "--undefined-only", "--just-symbols", *tests], stdout=subprocess.PIPE, text=True,
                            check=True).stdout.split() if tests else ()
    check(points, "the tool", [[(group, [path for name, path in built.items() if name.split("/")[0] == group])
                                for group in layer] for layer in TOOL], needed)
    missing = [name for name in files.c("tools") if name.endswith(".c") and name[6:-2] not in built]
    points.point("the tool: each source has an object in a known folder", missing +
                 [name for name in built if not any(name.split("/")[0] in layer for layer in TOOL)])
    complaints = []
    for name in files.c("tools"):
        with open(files.path(name), encoding="utf-8") as f:
            complaints += upward_includes(name, f.read())
    points.point("the tool: every include runs down", complaints)
