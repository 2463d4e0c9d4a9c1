#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every query of every panel, and every rule, on a real Prometheus that scrapes a guest's exporter.

Usage: prometheus.py PORT WORK

The guest is the machine that LAB_EXEC names; PORT of the host is its exporter's.
"""

import glob
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "tool"))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from tooltest import Tap, patience, wait_for

# The values that Grafana would insert for its variables.
VARIABLES = {"job": "iommuscope", "host": ".*", "operation": "map|replace", "phase": ".*", "device": ".*",
             "__rate_interval": "10s", "__range": "1m", "datasource": "prometheus"}


class Guest:
    """guest.sh in the guest: it takes commands, and reports when they are done."""

    def __init__(self):
        script = [os.path.join(ROOT, "tests", *path) for path in (("e2e", "as-found"), ("page", "guest.sh"))]
        self.process = subprocess.Popen([*shlex.split(os.environ["LAB_EXEC"]), "--", *script],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.until("ready")

    def until(self, word):
        said = []
        for line in self.process.stdout:
            if line.startswith(word):
                return line.split()[1:], said
            said.append(line)
        raise RuntimeError("the guest ended: " + "".join(said))

    def run(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        (status,), said = self.until("done ")
        if status != "0":
            raise RuntimeError(f"{command}: status {status}: {''.join(said)}")
        return "".join(said)

    def end(self):
        self.process.stdin.close()
        self.process.wait(patience(30))


class Prometheus:
    """A server with our rules, which scrapes once a second."""

    def __init__(self, work, target):
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        for path in glob.glob(os.path.join(ROOT, "dashboards", "prometheus", "*.yml")):
            shutil.copy(path, work)
        path = os.path.join(work, "prometheus.yml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        # the configuration that is shipped, but faster and with this target
        text = text.replace("127.0.0.1:9947", target)
        text = re.sub(r"_interval: 15s", "_interval: 1s", text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % probe.getsockname()[1]
        self.log = open(os.path.join(work, "log"), "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["prometheus", "--config.file=" + path, "--web.listen-address=" + self.address,
             "--storage.tsdb.path=" + os.path.join(work, "data"), "--log.level=warn"],
            stdout=self.log, stderr=self.log)

    def ask(self, what, **arguments):
        url = f"http://{self.address}/api/v1/{what}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(url, timeout=patience(20)) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            # it answers so, in plain text, until it has started
            if error.code == 503:
                raise
            return {"error": json.load(error).get("error")}

    def value(self, expression):
        """The one value of an instant query, or None."""
        result = self.ask("query", query=expression).get("result", [])
        return float(result[0]["value"][1]) if len(result) == 1 else None

    def wait(self, condition, seconds=40):
        """Wait for a condition; returns false if it does not hold in time, or the server has ended.
        """
        held = []

        def holds_or_ended():
            try:
                held.append(condition())
            except urllib.error.URLError:
                pass
            return held and held[-1] or self.process.poll() is not None

        wait_for(holds_or_ended, seconds, 0.25)
        return bool(held and held[-1])

    def end(self):
        self.process.terminate()
        self.process.wait(patience(20))
        self.log.close()


def substituted(expression):
    def variable(match):
        return VARIABLES[match[1] or match[2]]
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", variable, expression)


def workload(tap, guest, prometheus):
    tap.ok(prometheus.wait(lambda: prometheus.value('up{job="iommuscope"}') == 1),
           "Prometheus scrapes the exporter")
    guest.run("bind-device 0000:00:03.0 >/dev/null")
    guest.run("in_background guest-load -m 8 -s 1 -k 80000 mock 0000:00:03.0")
    # known numbers, once there is an earlier sample
    before = {op: prometheus.value(f'sum(iommufd_operations_total{{operation="{op}"}})') or 0
              for op in ("map", "replace")}
    guest.run("replace-load 20 1 200 >/dev/null")
    for _ in range(6):
        guest.run("map-load 100 65536 7 >/dev/null; limited map-load -m 1 0x100000 >/dev/null 2>&1; sleep 0.3")
    guest.run("cd /; replace-load 10 1 200 >/dev/null; e2e-test misuse >/dev/null 2>&1; sleep 2")
    grown = 'sum(iommufd_operations_total{operation="replace"})'
    tap.ok(prometheus.wait(lambda: prometheus.value(grown) - before["replace"] >= 30),
           "replacements are counted", before, prometheus.value(grown))
    tap.ok(prometheus.wait(lambda: (prometheus.value('sum(increase(iommufd_operations_total'
                                                     '{operation="map"}[30m]))') or 0) > 600),
           "so are maps")


def panels(tap, _guest, prometheus):
    for path in sorted(glob.glob(os.path.join(ROOT, "dashboards", "grafana", "*.json"))):
        with open(path, encoding="utf-8") as file:
            dashboard = json.load(file)
        queries = {}
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                queries[panel["title"], target["refId"]] = substituted(target["expr"])
        missing = dict(queries)

        def all_answered():
            for key, expression in list(missing.items()):
                now = time.time()
                answer = prometheus.ask("query_range", query=expression, start=now - 60, end=now,
                                        step=2)
                if answer.get("result"):
                    del missing[key]
            return not missing

        prometheus.wait(all_answered, 15)
        name = os.path.basename(path)
        tap.ok(not missing, "%s: each of %d queries has data" % (name, len(queries)),
               *("%s: %s: %s" % (key[0], expression, prometheus.ask("query", query=expression))
                 for key, expression in missing.items()))
        for variable in dashboard["templating"]["list"]:
            if variable["type"] != "query":
                continue
            metric, label = re.match(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            values = prometheus.ask(f"label/{label}/values", **{"match[]": substituted(metric)})
            tap.ok(values and "error" not in values, f"{name}: ${variable['name']} has values", metric, values)


def rules(tap, _guest, prometheus):
    found = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    bad = [rule["name"] + ": " + rule.get("lastError", "") for rule in found if rule["health"] != "ok"]
    tap.ok(len(found) > 15 and not bad, "Prometheus evaluates all %d rules" % len(found), *bad)
    # new events have series only while there are some
    empty = [rule["name"] for rule in found if rule["type"] == "recording"
             and not rule["name"].endswith(":new10m")
             and not prometheus.ask("query", query="last_over_time(%s[1m])" % rule["name"])["result"]]
    tap.equal(empty, [], "every recording rule has data")
    firing = {alert["labels"]["alertname"] for alert in prometheus.ask("alerts")["alerts"]}
    tap.ok({"IommuMemlockReached", "IommuReplacementBlockedDma"} <= firing,
           "events in the guest raise their alerts", firing)
    tap.ok(not firing & {"IommuscopeDown", "IommuscopeEventsLost", "IommuOperationStuck"},
           "no other alert is raised", firing)


def main():
    port, work = sys.argv[1:]
    if not shutil.which("prometheus"):
        print("1..0 # SKIP no prometheus")
        return
    guest = Guest()
    prometheus = Prometheus(work, "127.0.0.1:" + port)

    def bound(test):
        def call(tap):
            test(tap, guest, prometheus)
        call.__name__ = test.__name__
        return call

    try:
        Tap().run(*map(bound, (workload, panels, rules)))
    finally:
        prometheus.end()
        guest.end()


if __name__ == "__main__":
    main()
