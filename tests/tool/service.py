#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The exporter's units, run by a separate systemd: its sandbox, its watchdog, its socket."""

import os
import re
import shutil
import signal
import subprocess
import time

from exporter import HASH, PORT, get, load, sample, samples
from iommufd import IOVA, Space
from tooltest import TOOL, Tap, patience, run, wait_for

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
UNITS = "/etc/systemd/system"
UNIT = "iommuscope-export"
CGROUP = "/sys/fs/cgroup/service-test"
LOG = "/run/service-test.log"
SETTINGS = "/etc/default/iommuscope-export"
# seconds after which the manager considers the exporter hung
WATCHDOG = patience(3)
BASIC = "Basic cHJvbWV0aGV1czpzZWNyZXQ="


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Manager:
    """systemd as process 1 of its own namespaces, so that it runs only our units."""

    def __enter__(self):
        shutil.copy(shutil.which(TOOL), "/usr/sbin/iommuscope")
        for unit in UNIT + ".service", UNIT + ".socket":
            shutil.copy(os.path.join(ROOT, "packaging", "systemd", unit), UNITS)
        write(UNITS + "/alone.target", "[Unit]\nDescription=Nothing else\nDefaultDependencies=no\n")
        # what does not exist here: the rest of a system; what no test waits for: a minute
        alone = "[Unit]\nDefaultDependencies=no\nAfter=\n"
        write("%s/%s.socket.d/alone.conf" % (UNITS, UNIT), alone)
        write("%s/%s.service.d/alone.conf" % (UNITS, UNIT), alone +
              "[Service]\nWatchdogSec=%d\nRestartSec=200ms\nStandardOutput=append:%s\n"
              "StandardError=append:%s\n" % (WATCHDOG, LOG, LOG))
        write("/sys/fs/cgroup/cgroup.subtree_control", "+memory +pids")
        os.makedirs(CGROUP, exist_ok=True)
        self.process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--propagation", "shared",
             "--mount-proc", "--uts",
             "sh", "-c", "echo 0 >%s/cgroup.procs; exec env -i container=lab \"PATH=$PATH\" "
             "/lib/systemd/systemd --system --unit=alone.target --log-target=null" % CGROUP],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not wait_for(lambda: self.systemctl("is-system-running").stdout == "running\n"):
            raise RuntimeError("systemd does not run: " +
                               self.systemctl("is-system-running").stderr)
        return self

    def __exit__(self, *_):
        write(CGROUP + "/cgroup.kill", "1")
        self.process.wait()
        wait_for(lambda: "populated 0" in read(CGROUP + "/cgroup.events"))
        for folder, _, _ in os.walk(CGROUP, topdown=False):
            os.rmdir(folder)

    def enter(self):
        """The namespaces, as options of nsenter."""
        pid = str(self.process.pid)
        first = read("/proc/%s/task/%s/children" % (pid, pid)).strip()
        return ["nsenter", "-t", first or pid, "-p", "-m", "-u"]

    def systemctl(self, *arguments):
        return run(*self.enter(), "systemctl", *arguments)

    def show(self, name, unit=UNIT + ".service"):
        return self.systemctl("show", "--value", "-p", name, unit).stdout.strip()

    def process_status(self):
        """/proc/PID/status of the exporter as {key: value}."""
        text = run(*self.enter(), "cat", "/proc/%s/status" % self.show("MainPID")).stdout
        return dict(re.findall(r"^(\w+):\s*(.*)$", text, re.M))

    def kill(self, number):
        run(*self.enter(), "kill", "-%d" % number, self.show("MainPID"))


def sandbox(tap, manager):
    started = manager.systemctl("start", UNIT)
    tap.equal((started.returncode, started.stderr), (0, ""),
              "the service reports that it is ready")
    status = manager.process_status()
    tap.equal((status["CapEff"], status["CapPrm"], status["CapBnd"]),
              ("000000c000000000",) * 2 + ("000000c000200000",),
              "it has CAP_BPF and CAP_PERFMON, and its bounding set is what loading needs")
    tap.equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"),
              "it cannot gain any, and its calls are filtered")
    tap.ok(int(status["Uid"].split()[0]) >= 61184, "it runs as a separate user", status["Uid"])
    folder = CGROUP + "/system.slice/%s.service/" % UNIT
    tap.equal((read(folder + "memory.max"), read(folder + "pids.max")),
              ("268435456\n", "8\n"), "its memory and tasks are limited")


def figures(tap, manager):
    """In the sandbox, every source of its figures is accessible."""
    truth = load("50", "0x10000", "10")
    with Space() as space:
        space.map(IOVA, 1 << 20)
        reported = samples(get("/metrics")[2])
    tap.equal([sample(reported, "iommufd_operations_total", operation="map", result=result)
               for result in ("success", "error")],
              [truth["map"][0] - truth["map"][1] + 1, truth["map"][1]],
              "the operations are counted")
    tap.equal([value for value in reported["iommufd_ioas_mapped_bytes"].values()], [1 << 20],
              "the state of the address space is read")
    tap.equal(manager.show("NRestarts"), "0", "the sandbox forbids nothing that it needs")


def restarts(tap, manager):
    manager.kill(signal.SIGKILL)
    tap.ok(wait_for(lambda: manager.show("NRestarts") == "1" and
                    manager.show("ActiveState") == "active"),
           "after a kill it is restarted", manager.show("NRestarts"))
    reported = samples(get("/metrics")[2])
    tap.equal(sample(reported, "iommufd_operations_total", operation="map", result="success"), 0,
              "and counts from zero")
    manager.kill(signal.SIGSTOP)
    tap.ok(wait_for(lambda: manager.show("NRestarts") == "2" and
                    manager.show("ActiveState") == "active"),
           "if it hangs, the watchdog restarts it", manager.show("Result"))
    time.sleep(WATCHDOG + 1)
    tap.equal(manager.show("NRestarts"), "2", "if it does not hang, the watchdog is notified")
    manager.systemctl("stop", UNIT)
    tap.equal((manager.show("ActiveState"), manager.show("Result")), ("inactive", "success"),
              "it stops on request")


def on_demand(tap, manager):
    manager.systemctl("start", UNIT + ".socket")
    tap.equal(manager.show("ActiveState"), "inactive", "with only the socket, nothing runs yet")
    status, _, text = get("/metrics")
    tap.equal((status, "iommufd_operations_total" in text, manager.show("ActiveState")),
              (200, True, "active"), "the first scrape starts it and gets an answer")
    manager.systemctl("stop", UNIT + ".socket", UNIT)


def passwords(tap, manager):
    """As docs/use/metrics.md describes: a file of root, passed as a credential."""
    write("/etc/iommuscope/web.yml", "basic_auth_users:\n  prometheus: %s\n" % HASH)
    os.chmod("/etc/iommuscope/web.yml", 0o600)
    drop_in = "%s/%s.service.d/web.conf" % (UNITS, UNIT)
    write(drop_in, "[Service]\nLoadCredential=web.yml:/etc/iommuscope/web.yml\n"
                   "Environment=\"ARGS=--web-config %d/web.yml\"\n")
    manager.systemctl("daemon-reload")
    started = manager.systemctl("start", UNIT)
    tap.ok(not started.returncode, "it starts with root's file", started.stderr, read(LOG))
    tap.equal((get("/metrics")[0], get("/metrics", Authorization=BASIC)[0]), (401, 200),
              "and asks for the password")
    manager.systemctl("stop", UNIT)
    os.unlink(drop_in)
    manager.systemctl("daemon-reload")


def settings(tap, manager):
    write(SETTINGS, "ARGS=--listen 127.0.0.1:%d\n" % (PORT + 1))
    manager.systemctl("start", UNIT)
    tap.equal(get("/-/healthy", port=PORT + 1)[0], 200, "the options come from the settings file")
    manager.systemctl("stop", UNIT)
    write(SETTINGS, "ARGS=--listen nonsense\n")
    open(LOG, "w", encoding="utf-8").close()
    started = manager.systemctl("start", UNIT)
    tap.ok(started.returncode and re.match(r"iommuscope: .*nonsense.*\n", read(LOG)),
           "a wrong option fails the start, and the error names it", started, read(LOG))
    manager.systemctl("stop", UNIT)
    os.unlink(SETTINGS)


def later(tap, manager):
    """The service starts at boot, and the modules are loaded when the first guest starts."""
    modules = [name for name in ("iommufd_mock", "vfio_pci", "vfio_pci_core", "vfio", "iommufd")
               if os.path.isdir("/sys/module/" + name)]
    try:
        # the kernel frees the programs of the run before shortly after its end
        tap.ok(wait_for(lambda: run("rmmod", *modules) and not os.path.isdir("/sys/module/iommufd")),
               "no module is loaded", run("lsmod").stdout)
        started = manager.systemctl("start", UNIT)
        tap.equal((started.returncode, manager.show("ActiveState")), (0, "active"), "the service starts without a module")
        tap.equal(counts_of_maps(), (None, None), "and has no operations to show")
    finally:
        run("modprobe", "-a", *reversed(modules))
    tap.ok(wait_for(lambda: counts_of_maps() == (0, 0)), "it finds the modules in its sandbox", counts_of_maps())
    truth = load("50", "0x10000", "10")["map"]
    wanted = (truth[0] - truth[1], truth[1])
    wait_for(lambda: counts_of_maps() == wanted)
    tap.equal(counts_of_maps(), wanted, "and counts their operations")
    with Space() as space:
        space.map(IOVA, 1 << 20)
        tap.ok(wait_for(lambda: list(samples(get("/metrics")[2]).get("iommufd_ioas_mapped_bytes", {}).values()) == [1 << 20]),
               "and reads their state")
    tap.equal(manager.show("NRestarts"), "0", "without a restart")
    manager.systemctl("stop", UNIT)


def counts_of_maps():
    """(successes, failures); None if the exporter does not have them."""
    found = samples(get("/metrics")[2]).get("iommufd_operations_total", {})
    return tuple(found.get((("operation", "map"), ("result", result))) for result in ("success", "error"))


def main():
    tap = Tap()
    with Manager() as manager:
        def with_manager(test):
            def run_test(points):
                test(points, manager)
            run_test.__name__ = test.__name__
            return run_test
        tap.run(*map(with_manager, (sandbox, figures, restarts, on_demand, passwords, later, settings)))


if __name__ == "__main__":
    main()
