#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope capacity: which process pins how much against which limit, and whether --fit is right.
"""

import errno
import json
import subprocess
import tempfile

from iommushell import Shell
from tooltest import Tap, tool

MIB = 1 << 20
PAGE = 4096
# a process that RLIMIT_MEMLOCK limits
LIMITED = ("setpriv", "--bounding-set=-all,+sys_admin", "--inh-caps=-all", "--")
# and that may choose accounting by process
CHOOSER = ("setpriv", "--bounding-set=-all,+sys_resource,+sys_admin", "--inh-caps=-all", "--")


def capacity(*arguments):
    result = tool("capacity", "--json", *arguments)
    if result.stderr:
        raise RuntimeError("%d: %s" % (result.returncode, result.stderr))
    return json.loads(result.stdout)


def subset(tap, record, wanted, name):
    tap.equal({key: record[key] for key in wanted}, wanted, name)


def limits(tap):
    with Shell(*LIMITED) as bounded, Shell(*CHOOSER) as alone, Shell() as free:
        bounded.memlock(8 * MIB)
        alone.memlock(2 * MIB)
        f, g, h = bounded.open(), alone.open(), free.open()
        alone.rlimit_mode(g, 1)
        for shell, file, length in ((bounded, f, 3 * MIB), (alone, g, MIB), (free, h, 2 * MIB)):
            ioas = shell.ioas(file)
            shell.attach(file, shell.device(file, 0)[0], ioas)
            shell.map(file, ioas, "small", length)
        document = capacity()
        processes = {p["pid"]: p for p in document["processes"]}
        # memory of a process with CAP_IPC_LOCK does not count for the user
        by_user = 3 * MIB
        subset(tap, processes[bounded.pid],
               {"process": "iommu-shell", "uid": 0, "rlimit_mode": "user", "pinned_bytes": 3 * MIB,
                "locked_bytes": by_user, "limit": "bytes", "limit_bytes": 8 * MIB,
                "left_bytes": 8 * MIB - by_user}, "by user: the memory of all processes counts")
        subset(tap, processes[alone.pid],
               {"rlimit_mode": "process", "pinned_bytes": MIB, "locked_bytes": MIB,
                "limit_bytes": 2 * MIB, "left_bytes": MIB}, "by process: only its own memory counts")
        subset(tap, processes[free.pid],
               {"pinned_bytes": 2 * MIB, "locked_bytes": by_user, "limit": "cap_ipc_lock",
                "limit_bytes": None, "left_bytes": None}, "CAP_IPC_LOCK lifts the limit")
        tap.equal(document["users"],
                  [{"uid": 0, "pinned_bytes": 6 * MIB, "user_locked_bytes": by_user}],
                  "the sum of the user")
        tap.equal([c["pinned_bytes"] for c in document["cgroups"]], [6 * MIB],
                  "and of the cgroup")
        tap.ok(document["host_memory"]["pinned_bytes"] == 6 * MIB
               and document["host_memory"]["host_pinned_bytes"] >= 6 * MIB
               and document["host_memory"]["memory_bytes"] > document["host_memory"]["available_bytes"] > 0
               and document["host_memory"]["iommu_page_table_bytes"] > 0, "the totals of the host",
               document["host_memory"])
        mine = capacity("-p", str(alone.pid))
        tap.equal(([p["pid"] for p in mine["processes"]], len(mine["ioases"])), ([alone.pid], 1),
                  "-p shows one process")
        text = tool("capacity")
        tap.ok(text.returncode == 0 and "\033" not in text.stdout
               and max(map(len, text.stdout.splitlines())) <= 80
               and all(word in text.stdout for word in ("CAP_IPC_LOCK", "8.0 MiB", "process",
                                                        "root", "Host: 6.0 MiB pinned")),
               "for people, in 80 columns and without colour in a pipe", text.stdout)


def promise(tap, shell, file, ioas, kind, sizes, stop, name):
    """The map succeeds for exactly the sizes for which --fit promises it."""
    kept = []
    for size in sizes:
        reported = tool("capacity", "--json", "--fit", str(size), "-p", str(shell.pid))
        fit = next(i for i in json.loads(reported.stdout)["ioases"] if i["ioas"] == ioas)["fit"]
        try:
            iova = shell.map(file, ioas, kind, size)
            shell.unmap(file, ioas, iova, size)
            fits = True
        except OSError as error:
            fits = False
            if error.errno not in (errno.ENOMEM, errno.ENOSPC, errno.EINVAL):
                raise
        kept.append((size, fit["fits"] == fits, fit["reason"] == (None if fits else stop)))
    tap.ok(all(fine and named for _, fine, named in kept), name, kept)
    tap.equal(sum(fine for _, fine, _ in kept), len(sizes), name + ": every one of them")


def around(size):
    return size - PAGE, size, size + PAGE, 2 * size


def forecasts(tap):
    with Shell(*LIMITED) as shell:
        shell.memlock(4 * MIB + 100)
        file = shell.open()
        ioas, empty = shell.ioas(file), shell.ioas(file)
        device = shell.device(file, 0)
        shell.attach(file, device[0], ioas)
        shell.map(file, ioas, "small", MIB)
        promise(tap, shell, file, ioas, "small", around(3 * MIB), "memlock_limit",
                "RLIMIT_MEMLOCK by user")
        promise(tap, shell, file, empty, "untouched", around(64 * MIB), None,
                "an IOAS without HWPT pins nothing")
        shell.allow(file, ioas, 16 * MIB, 18 * MIB - 1)
        promise(tap, shell, file, ioas, "small", around(2 * MIB), "iova_not_allowed",
                "allowed ranges")
    with Shell(*CHOOSER) as shell:
        shell.memlock(2 * MIB)
        file = shell.open()
        shell.rlimit_mode(file, 1)
        ioas = shell.ioas(file)
        shell.attach(file, shell.device(file, 0)[0], ioas)
        promise(tap, shell, file, ioas, "small", around(2 * MIB), "memlock_limit",
                "RLIMIT_MEMLOCK by process")
        promise(tap, shell, file, ioas, "small", (4096, 4097, 6000), "iova_misaligned",
                "lengths that are not whole pages")


def fragmentation(tap):
    with Shell() as shell:
        file = shell.open()
        ioas = shell.ioas(file)
        shell.attach(file, shell.device(file, 0)[0], ioas)
        shell.maps(file, ioas, 64, 64 << 10)
        shell.allow(file, ioas, 16 * MIB, 24 * MIB - 1)
        record = capacity()["ioases"][0]
        used = 64 * (64 << 10)
        free = (1 << 48) - used
        hole = (1 << 48) - 16 * MIB - (2 * used - (64 << 10))
        subset(tap, record, {"areas": 64, "usable_bytes": 1 << 48, "mapped_bytes": used,
                             "free_bytes": free, "largest_hole_bytes": hole,
                             "alloc_hole_bytes": 64 << 10},
               "free space, the largest hole, and what the kernel would find")
        tap.ok(abs(record["fragmentation"] - (1 - hole / free)) < 1e-9, "fragmentation",
               record["fragmentation"])
        promise(tap, shell, file, ioas, "small", around(64 << 10), "iova_not_allowed",
                "holes between areas")
        tables = record["page_table_at_least_bytes"]
        tap.ok(4 * PAGE <= tables <= 64 * PAGE, "page tables are there", tables)


def apart(tap):
    """Counters that are read one after the other can be inconsistent."""
    with open("/proc/vmstat", encoding="ascii") as file:
        lines = file.read().splitlines()
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as fake:
        for line in lines:
            name = line.split()[0]
            count = {"nr_foll_pin_acquired": 1000, "nr_foll_pin_released": 1003}.get(name)
            print(line if count is None else "%s %d" % (name, count), file=fake, flush=True)
        with Shell() as shell:
            file = shell.open()
            shell.ioas(file)
            subprocess.run(["mount", "--bind", fake.name, "/proc/vmstat"], check=True)
            try:
                text, document = tool("capacity").stdout, capacity()
            finally:
                subprocess.run(["umount", "/proc/vmstat"], check=True)
    tap.ok("EiB" not in text[text.find("Host:"):] and document["host_memory"]["host_pinned_bytes"] == 0,
           "more pages released than acquired counts as 0, not 16 EiB", text, document["host_memory"])


def bad_input(tap):
    for size in ("much", "0", "-1G", "1.5", "64Q", "99999999E"):
        result = tool("capacity", "--fit", size)
        tap.ok(result.returncode == 2 and "is not a size" in result.stderr
               or size == "-1G" and result.returncode == 2, "a size of %s is refused" % size,
               result.returncode, result.stderr)
    result = tool("capacity", "--fit", "1G")
    tap.equal((result.returncode, result.stdout, result.stderr.splitlines()),
              (1, "", ["iommuscope: there is no IOAS to map into: first start the program that "
                       "maps"]), "there is no IOAS to map into")
    result = tool("capacity", "--ctx", "99999")
    tap.ok(result.returncode == 1 and "no such context: 99999" in result.stderr,
           "a context that does not exist", result.stderr)
    result = tool("capacity")
    tap.ok(result.returncode == 0 and result.stdout.startswith("no iommufd or container is open\n"),
           "it reports that nothing is open", result.stdout)
    with Shell() as shell:
        file = shell.open()
        shell.ioas(file)
        result = tool("capacity", "--fit", "1G")
        tap.ok(result.returncode == 0 and "fits; nothing is pinned until" in result.stdout,
               "it reports an IOAS that pins nothing", result.stdout)


if __name__ == "__main__":
    Tap().run(limits, forecasts, fragmentation, apart, bad_input)
