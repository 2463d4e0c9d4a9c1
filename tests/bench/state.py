#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The cost of reading state: the time of one read, and its effect on maps.

1,000 mock devices in 100 contexts with 100,000 areas: a read takes less than 100 ms. With state
--watch -i 0.1 running, the median pair of a map and an unmap of 4 KiB takes at most 5 % more.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tool"))
from iommushell import Shell  # noqa: E402
from tooltest import Tap  # noqa: E402

LOOKS = 15
ROUNDS = 9
PAIRS = 4000


def copy_tool():
    """Keep the tool and its libraries in memory: the lab's file system is slow."""
    folder = "/dev/shm/tool"
    os.makedirs(folder, exist_ok=True)
    tool = shutil.which("iommuscope")
    libraries = subprocess.run(["ldd", tool], stdout=subprocess.PIPE, text=True, check=True).stdout
    for path in [tool] + [word for word in libraries.split() if word.startswith("/")]:
        shutil.copy(path, folder)
    os.environ["LD_LIBRARY_PATH"] = folder
    return os.path.join(folder, "iommuscope")


def look(tool, *arguments):
    start = time.monotonic()
    with open("/dev/shm/state.json", "w") as file:
        subprocess.run([tool, *arguments], stdout=file, check=True)
    return 1e3 * (time.monotonic() - start)


def spread(values):
    return "median %.1f, %.1f to %.1f" % (statistics.median(values), min(values), max(values))


def one_look(tap):
    with Shell() as shell:
        for _ in range(100):
            file = shell.open()
            ioas = shell.ioas(file)
            for _ in range(10):
                shell.attach(file, shell.device(file, 0)[0], ioas)
            shell.maps(file, ioas, 1000, 4096)
        tool = copy_tool()
        starts = [look(tool, "--version") for _ in range(LOOKS)]
        times = [look(tool, "state", "--json") for _ in range(LOOKS)]
        with open("/dev/shm/state.json") as file:
            state = json.load(file)
        tap.equal((len(state["devices"]), len(state["contexts"]),
                   sum(i["areas"] for i in state["ioases"])), (1000, 100, 100000),
                  "a look sees all")
        print("# state --json: %s ms; the start of any command: %s ms" % (spread(times),
                                                                        spread(starts)))
        tap.ok(statistics.median(times) < 100, "a look takes less than 100 ms", spread(times))


def pair(tap):
    def pairs():
        with Shell() as shell:
            file = shell.open()
            ioas = shell.ioas(file)
            shell.attach(file, shell.device(file, 0)[0], ioas)
            return shell.pairs(file, ioas, PAIRS) / 1e3

    alone, watched = [], []
    pairs()
    for _ in range(ROUNDS):
        alone.append(pairs())
        with subprocess.Popen(["iommuscope", "state", "--watch", "-i", "0.1"],
                              stdout=subprocess.DEVNULL) as observer:
            time.sleep(0.5)
            watched.append(pairs())
            observer.terminate()
    ratio = statistics.median(w / a for w, a in zip(watched, alone))
    print("# a pair alone: %s us; watched: %s us; %.3f times" % (spread(alone), spread(watched),
                                                               ratio))
    tap.ok(ratio <= 1.05, "being watched costs at most 5 % of a pair", ratio)


if __name__ == "__main__":
    Tap().run(one_look, pair)
