#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope state against configurations that are built call by call."""

import ctypes
import json
import os
import re
import subprocess
import time

from iommushell import Shell
from tooltest import Observer, Tap, patience, setting, tool

MIB = 1 << 20


def read(*arguments):
    result = tool("state", "--json", *arguments)
    if result.returncode or result.stderr:
        raise RuntimeError("%d: %s" % (result.returncode, result.stderr))
    return json.loads(result.stdout)


def ours(records, shell):
    """The records of a shell's contexts, by object id."""
    return [r for r in records if r["ctx"] in shell.ctxs]


class Built(Shell):
    """A shell that knows the numbers of its contexts."""

    def __init__(self, *prefix):
        super().__init__(*prefix)
        self.ctxs = {}

    def open_ctx(self):
        file = self.open()
        self.ctxs[fdinfo(self.pid, file)["iommufd-ctx"]] = file
        return file

    def ctx_of(self, file):
        return next(ctx for ctx, f in self.ctxs.items() if f == file)


def fdinfo(pid, fd):
    """The lines of fdinfo, numbers as numbers and KiB as bytes."""
    lines = {}
    with open("/proc/%d/fdinfo/%d" % (pid, fd)) as file:
        for line in file:
            name, value = line.split(":", 1)
            words = value.split()
            if words and words[0].isdigit():
                lines[name] = int(words[0]) << (10 if words[1:] == ["KiB"] else 0)
            else:
                lines[name] = value.strip()
    return lines


def pick(record, *keys):
    return {key: record[key] for key in keys}


def subset(tap, record, wanted, name):
    tap.equal(pick(record, *wanted), wanted, name)


def configuration(tap):
    """Two contexts: groups of two, shared, copied and read-only maps, HWPTs, an access."""
    with setting("/proc/sys/vm/nr_hugepages", "8"), Built() as one, Built() as two:
        f, g = one.open_ctx(), two.open_ctx()
        a, b = one.ioas(f), one.ioas(f)
        first, second, alone, idle = (one.device(f, group) for group in (7, 7, 0, 0))
        auto = one.attach(f, first[0], a)
        tap.equal(one.attach(f, second[0], a), auto, "a group of two shares an HWPT")
        one.map(f, a, "small", 64 << 10)
        one.map(f, a, "thp", 8 * MIB)
        tlb = one.map(f, a, "hugetlb", 4 * MIB)
        one.map(f, a, "shared", MIB)
        one.map(f, a, "readonly", 8192)
        copied = one.copy(f, b, a, tlb, 4 * MIB)
        small = one.map(f, b, "small", 16384)
        kept = one.hwpt(f, alone[1], b)
        one.attach(f, alone[0], kept)
        access = one.access(f, b)
        one.access_pin(f, access, small, 8192)
        two.rlimit_mode(g, 1)
        c, d = two.ioas(g), two.ioas(g)
        two.map(g, c, "untouched", 3 * 4096, 0x100000)

        state = read()
        ctx_one, ctx_two = one.ctx_of(f), two.ctx_of(g)
        contexts = {r["ctx"]: r for r in state["contexts"]}
        pinned = (64 << 10) + 8 * MIB + 4 * MIB + MIB + 8192 + 16384
        subset(tap, contexts[ctx_one],
               {"pid": one.pid, "process": "iommu-shell", "process_gone": False, "uid": 0,
                "rlimit_mode": "user", "no_iommu": False, "vfio_ioas": None,
                "pinned_bytes": pinned}, "the context: who holds it, what is pinned, each page once")
        tap.ok(contexts[ctx_one]["user_locked_bytes"] < pinned,
               "with CAP_IPC_LOCK it does not count for the user",
               contexts[ctx_one])
        subset(tap, contexts[ctx_two], {"pid": two.pid, "rlimit_mode": "process",
                                        "pinned_bytes": 0}, "the other context")

        devices = {r["device_id"]: r for r in ours(state["devices"], one)}
        tap.equal(sorted(devices), sorted(d[1] for d in (first, second, alone, idle)),
                  "every bound device is shown once")
        for device, hwpt, ioas, peers in ((first, auto, a, 2), (second, auto, a, 2),
                                          (alone, kept, b, 1), (idle, None, None, 0)):
            subset(tap, devices[device[1]],
                   {"ctx": ctx_one, "device": "iommufd-mock.%d" % device[2], "group": device[3],
                    "iommu_driver": "iommufd_mock", "attached": hwpt is not None, "hwpt": hwpt,
                    "ioas": ioas, "group_devices_attached": peers, "replacements": 0,
                    "last_replacement_time_ns": None, "last_replacement_dur_ns": None},
                   "device %d as it was attached" % device[2])

        hwpts = {r["hwpt"]: r for r in ours(state["hwpts"], one)}
        tap.equal(sorted(hwpts), sorted([auto, kept]), "the HWPTs")
        subset(tap, hwpts[auto], {"ioas": a, "domain_type": "unmanaged", "automatic": True, "devices": 2,
                                  "page_sizes_bytes": [4096, 2 * MIB, 1 << 30],
                                  "aperture_first": 0, "aperture_last": (1 << 48) - 1},
               "one that an attach made")
        subset(tap, hwpts[kept], {"ioas": b, "automatic": False, "devices": 1},
               "one that was allocated")

        ioases = {r["ioas"]: r for r in ours(state["ioases"], one)}
        subset(tap, ioases[a], {"hwpts": 1, "accesses": 0, "areas": 5,
                                "mapped_bytes": pinned - 16384, "pinned_bytes": pinned - 16384,
                                "usable_bytes": 1 << 48, "aperture_last": (1 << 48) - 1},
               "an IOAS with areas of all kinds of memory")
        huge = ioases[a]["huge_bytes"]
        tap.ok(4 * MIB <= huge <= 12 * MIB and 2 <= ioases[a]["huge_extents"]
               <= ioases[a]["extents"] <= 16 + 6 + 256 + 2,
               "its extents are counted, those of hugetlb as huge", ioases[a])
        subset(tap, ioases[b], {"hwpts": 1, "accesses": 1, "areas": 2,
                                "mapped_bytes": 4 * MIB + 16384,
                                "pinned_bytes": 4 * MIB + 16384, "huge_bytes": 4 * MIB},
               "an IOAS with a copy, which counts again")
        subset(tap, {r["ioas"]: r for r in ours(state["ioases"], two)}[c],
               {"hwpts": 0, "areas": 1, "mapped_bytes": 12288, "pinned_bytes": 0, "extents": 0},
               "an IOAS without HWPT pins nothing")
        tap.equal([pick(r, "ioas", "pins", "pinned_bytes") for r in ours(state["accesses"], one)],
                  [{"ioas": b, "pins": True, "pinned_bytes": 8192}], "the access and its pins")

        areas(tap, one, ctx_one, a, b, tlb, copied)
        agree(tap, state, one, f)
        agree(tap, state, two, g)
        replacement(tap, one, f, first, second, b)
        text(tap, ctx_one)
        one.unmap(f, a, 0, (1 << 64) - 1)
        one.destroy(f, idle[0])
        two.destroy(g, d)
        after = read("--ctx", str(ctx_one))
        subset(tap, {r["ioas"]: r for r in after["ioases"]}[a],
               {"areas": 0, "mapped_bytes": 0, "pinned_bytes": 0, "extents": 0, "huge_extents": 0,
                "huge_bytes": 0, "largest_hole_bytes": (1 << 64) - 1}, "all is zero once it is unmapped")
        tap.ok(idle[1] not in [r["device_id"] for r in after["devices"]]
               and [r["ctx"] for r in after["contexts"]] == [ctx_one],
               "a device that was unbound is no longer shown, and --ctx shows one context", after["devices"])


def areas(tap, shell, ctx, a, b, tlb, copied):
    result = tool("state", "--areas", "%d:%d" % (ctx, a), "--json")
    found = {r["iova"]: r for r in json.loads(result.stdout)["areas"]}
    tap.equal(sorted(r["length_bytes"] for r in found.values()),
              sorted([64 << 10, 8 * MIB, 4 * MIB, MIB, 8192]), "--areas lists the mapped areas")
    subset(tap, found[tlb], {"pid": shell.pid, "length_bytes": 4 * MIB, "readable": True,
                             "writeable": True, "pinned": True, "changing": False,
                             "memory": "hugetlb", "page_bytes": 2 * MIB, "huge_bytes": 4 * MIB,
                             "accesses": 0}, "an area of hugetlb")
    kinds = {r["length_bytes"]: (r["memory"], r["writeable"]) for r in found.values()}
    tap.equal((kinds[64 << 10], kinds[MIB], kinds[8192][1]),
              (("anonymous", True), ("shared", True), False),
              "the kinds of memory, and a read-only area")
    result = tool("state", "--areas", str(b), "--ctx", str(ctx), "--json")
    found = {r["iova"]: r for r in json.loads(result.stdout)["areas"]}
    tap.equal((found[copied]["length_bytes"],
               sorted(r["accesses"] for r in found.values())), (4 * MIB, [0, 1]),
              "the copy, and the pin of an access, of the IOAS named by --ctx")


def agree(tap, state, shell, file):
    """fdinfo of a context, compared with the iterators."""
    ctx = shell.ctx_of(file)
    lines = fdinfo(shell.pid, file)

    def total(key):
        return sum(r[key] for r in state["ioases"] if r["ctx"] == ctx)

    wanted = {"iommufd-ctx": ctx}
    for name in ("devices", "hwpts", "ioases", "accesses"):
        wanted["iommufd-" + name] = len([r for r in state[name] if r["ctx"] == ctx])
    for name, key in (("areas", "areas"), ("mapped", "mapped_bytes"), ("extents", "extents"),
                      ("huge-extents", "huge_extents"), ("huge", "huge_bytes")):
        wanted["iommufd-" + name] = total(key)
    context = next(r for r in state["contexts"] if r["ctx"] == ctx)
    wanted["iommufd-pinned"] = context["pinned_bytes"]
    wanted["iommufd-rlimit-mode"] = context["rlimit_mode"]
    tap.equal({key: lines.get(key) for key in wanted}, wanted,
              "fdinfo of context %d agrees" % ctx)


def replacement(tap, shell, file, first, second, ioas):
    before = time.time_ns()
    hwpt = shell.replace(file, first[0], ioas)
    state = read()
    records = {r["device_id"]: r for r in ours(state["devices"], shell)}
    for device in (first, second):
        record = records[device[1]]
        subset(tap, record, {"hwpt": hwpt, "ioas": ioas, "replacements": 1},
               "a replacement moves device %d of the group" % device[2])
        tap.ok(before < record["last_replacement_time_ns"] < state["time_ns"] < time.time_ns()
               and 0 < record["last_replacement_dur_ns"] < state["time_ns"] - before,
               "with its time and duration", record)


def text(tap, ctx):
    outputs = [tool("state").stdout, tool("state", "--tree").stdout,
               tool("state", "--brief").stdout, tool("state", "--areas", "%d:1" % ctx).stdout]
    tap.ok(all(len(o.splitlines()) > 3 and max(map(len, o.splitlines())) <= 100
               and "\033" not in o for o in outputs),
           "for people, without colour in a pipe", *outputs)
    tap.ok(all(word in outputs[0] for word in ("iommufd-mock.", "iommu-shell", "replaced 1 time",
                                               "automatic unmanaged HWPT", "not attached")),
           "the table names the essentials", outputs[0])
    tap.ok("ctx %d  iommu-shell" % ctx in outputs[1] and "└─ " in outputs[1], "the tree is drawn",
           outputs[1])


def process_ends(tap):
    """A context outlives the process that set it up, if another process has the file."""
    holder = Built()
    file = holder.open_ctx()
    ioas = holder.ioas(file)
    holder.map(file, ioas, "small", 4096)
    ctx = holder.ctx_of(file)
    # a duplicate of the file, in this process
    pidfd = os.pidfd_open(holder.pid)
    mine = pidfd_getfd(pidfd, file)
    holder.process.kill()
    holder.process.wait()
    subset(tap, read("--ctx", str(ctx))["contexts"][0],
           {"ctx": ctx, "pid": holder.pid, "process": "iommu-shell", "process_gone": True},
           "a process that has ended is still named")
    tap.ok("ended" in tool("state", "--tree").stdout, "and marked as ended")
    os.close(mine)
    tap.ok(ctx not in [r["ctx"] for r in read()["contexts"]],
           "the context ends with its last file")


def pidfd_getfd(pidfd, fd):
    result = ctypes.CDLL(None, use_errno=True).syscall(438, pidfd, fd, 0)
    if result < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return result


def churn(tap):
    """Read continuously while threads make every kind of call; afterwards all sums must agree."""
    with Built() as shell:
        begin = time.monotonic()
        shell.send("churn")
        with Observer("state", "--watch", "-i", "0.01", "--json") as observer:
            end = time.monotonic() + patience(60)
            rounds = 0
            # at least this many of each, and long enough for threads to collide
            while time.monotonic() < end and (
                    time.monotonic() < begin + 5 or rounds < 10 or len(observer.so_far()) < 50):
                rounds += 1
                tool("state", "--areas", "1", "--json")
                for fd in os.listdir("/proc/%d/fdinfo" % shell.pid):
                    try:
                        fdinfo(shell.pid, int(fd))
                    except OSError:
                        pass
        shell.send("enough")
        calls = shell.answer()
        states = observer.objects()
        tap.ok(observer.status == 0 and len(states) > 10 and calls > 1000
               and sum(len(s["ioases"]) for s in states) > 20,
               "state was read while it changed", len(states), calls, observer.stderr)
        torn = []
        for state in states:
            torn += [r for r in state["ioases"]
                     if r["pinned_bytes"] > r["mapped_bytes"] + r["areas"] * 4096
                     or r["huge_bytes"] > r["pinned_bytes"] or r["huge_extents"] > r["extents"]
                     or bool(r["extents"]) != bool(r["pinned_bytes"])
                     or not r["busy"]
                     and r["mapped_bytes"] + r["largest_hole_bytes"] > r["usable_bytes"]]
            torn += [r for r in state["devices"] if r["attached"] != bool(r["hwpt"] and r["ioas"])
                     or bool(r["replacements"]) != bool(r["last_replacement_time_ns"])
                     or not r["device"].startswith("iommufd-mock.")]
        tap.equal(torn[:3], [], "no record is torn")

        file = shell.open_ctx()
        ioas = shell.ioas(file)
        device = shell.device(file, 0)
        shell.attach(file, device[0], ioas)
        shell.maps(file, ioas, 50, 8192)
        state = read()
        tap.equal(([r["ctx"] for r in state["contexts"]], len(state["devices"])),
                  ([shell.ctx_of(file)], 1), "the churn has left nothing behind")
        listed = json.loads(tool("state", "--areas", str(ioas), "--json").stdout)["areas"]
        record = state["ioases"][0]
        tap.equal((record["areas"], record["mapped_bytes"], record["pinned_bytes"],
                   record["extents"], record["huge_bytes"], state["contexts"][0]["pinned_bytes"]),
                  (len(listed), sum(r["length_bytes"] for r in listed), 50 * 8192,
                   sum(r["extents"] for r in listed), sum(r["huge_bytes"] for r in listed),
                   50 * 8192), "the sums are those of the areas")


def busy(tap):
    """A call that holds the lock of its IOAS for seconds: reading the state does not wait for it.
    """
    with Built() as shell:
        file = shell.open_ctx()
        ioas = shell.ioas(file)
        at = min(shell.map(file, ioas, "small", 4096) for _ in range(8))
        record, areas, text = {"busy": False}, [], ""
        # while its areas become ready, one per second; on a very busy machine look once more
        with setting("/sys/kernel/debug/iommufd-mock/ready_pause_us", "1000000"):
            for tries in range(5):
                shell.send("copy", file, ioas, ioas, at, 8 * 4096)
                while fdinfo(shell.pid, file)["iommufd-areas"] < 8 * (tries + 2):
                    time.sleep(0.01)
                record = read()["ioases"][0]
                areas = json.loads(tool("state", "--areas", str(ioas), "--json").stdout)["areas"]
                text = tool("capacity").stdout
                shell.answer()
                if record["busy"] and areas and areas[-1]["busy"] and " busy " in text:
                    break
        tap.ok(record["busy"] and record["largest_hole_bytes"] is None
               and record["usable_bytes"] is None and record["areas"] >= 8, "it reports that it is busy",
               record)
        tap.equal([a["length_bytes"] for a in areas if a["busy"]], [0], "and so do its areas")
        tap.ok(" busy " in text, "and so does capacity", text)
        tap.equal(read()["ioases"][0]["busy"], False, "and it is not busy afterwards")


def watch(tap):
    with Built() as shell:
        file = shell.open_ctx()
        ioas = shell.ioas(file)
        device = shell.device(file, 0)
        shell.attach(file, device[0], ioas)
        result = tool("state", "--watch", "-n", "3", "-i", "0.05", "--json")
        documents = [json.loads(line) for line in result.stdout.splitlines()]
        tap.ok(len(documents) == 3 and documents[0]["time_ns"] < documents[2]["time_ns"],
               "--watch --json: one object per line", result.stdout)
        read_end, write_end = os.pipe()
        observer = subprocess.Popen(["iommuscope", "state", "--watch", "-i", "0.1", "--brief"],
                                    stdout=write_end, text=True)
        os.close(write_end)
        output = ""
        with os.fdopen(read_end) as pipe:
            def until(pattern):
                nonlocal output
                for line in pipe:
                    output += line
                    if re.search(pattern, line):
                        return True
                return False
            seen = [until(r"^  iommufd-mock.*0 B")]
            shell.map(file, ioas, "small", 4096)
            seen.append(until(r"^\* iommufd-mock.*4.0 KiB"))
            seen.append(until(r"^  iommufd-mock.*4.0 KiB"))
            other = shell.device(file, 0)
            seen.append(until(r"^\+ iommufd-mock.%d " % other[2]))
            shell.destroy(file, other[0])
            seen.append(until(r"^- iommufd-mock.%d " % other[2]))
            observer.send_signal(2)
            for line in pipe:
                output += line
        tap.equal((seen, observer.wait(patience(20))), ([True] * 5, 0),
                  "--watch marks what was changed, added and removed, and ends without an error")
        tap.ok("\033" not in output, "without control sequences in a pipe", output[-300:])


def bad_input(tap):
    def refused(status, *arguments):
        result = tool("state", *arguments)
        lines = result.stderr.splitlines()
        return (result.returncode == status and lines and lines[0].startswith("iommuscope")
                and (status == 2 or len(lines) == 1) and not result.stdout)

    tap.ok(refused(1, "--ctx", "99999"), "a context that does not exist")
    tap.ok(refused(1, "--areas", "99999"), "an IOAS that does not exist")
    tap.ok(refused(1, "--areas", "99999:1"), "an IOAS of a context that does not exist")
    tap.ok(refused(1, "-d", "0000:77:00.0"), "a device that does not exist")
    tap.ok(refused(2, "--areas", "zero"), "an IOAS that is not a number")
    tap.ok(refused(2, "--areas", "0"), "an impossible IOAS")
    tap.ok(refused(2, "--tree", "--areas", "1"), "two views at once")
    with Built() as shell:
        shell.ioas(shell.open_ctx())
        shell.ioas(shell.open_ctx())
        result = tool("state", "--areas", "1")
        tap.ok(result.returncode == 1 and "several contexts have an IOAS 1: give" in result.stderr,
               "an IOAS that several contexts have", result.stderr)
        ctx = min(shell.ctxs)
        result = tool("state", "--areas", "%d:1" % ctx)
        tap.equal((result.returncode, result.stdout),
                  (0, "nothing is mapped in ioas 1 of ctx %d\n" % ctx), "an IOAS that is empty")
    tap.equal(tool("state").stdout.splitlines()[:1], ["no device is bound to an iommufd or in a container"],
              "it reports that there is no device")


if __name__ == "__main__":
    Tap().run(configuration, process_ends, churn, busy, watch, bad_input)
