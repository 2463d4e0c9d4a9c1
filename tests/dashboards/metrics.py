#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Rules, dashboards and runbook match the documented metrics and each other. Host test, no server.
"""

import glob
import json
import os
import re
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "tool"))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from tooltest import Tap, run

PROMETHEUS = os.path.join(ROOT, "dashboards", "prometheus")
GRAFANA = os.path.join(ROOT, "dashboards", "grafana")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def documented():
    """The names of series that docs/use/metrics.md promises."""
    names = set()
    for name, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", read("docs", "use", "metrics.md"), re.M):
        names.add(name)
        if kind == "histogram":
            names.update(name + suffix for suffix in ("_bucket", "_sum", "_count"))
    return names


def expressions():
    """{where: expressions} of rules and dashboards."""
    found = {}
    for path in sorted(glob.glob(os.path.join(PROMETHEUS, "*.rules.yml"))
                       + glob.glob(os.path.join(PROMETHEUS, "*.alerts.yml"))):
        text = re.sub(r"^\s*#.*$", "", read(path), flags=re.M)
        text = re.sub(r"^\s*(?:summary|description|runbook_url):.*$", "", text, flags=re.M)
        found[os.path.basename(path)] = text
    for path in sorted(glob.glob(os.path.join(GRAFANA, "*.json"))):
        dashboard = json.loads(read(path))
        queries = [t["expr"] for p in dashboard["panels"] for t in p.get("targets", [])]
        queries += [str(v["query"]) for v in dashboard["templating"]["list"]]
        queries += [a["target"]["expr"] for a in dashboard["annotations"]["list"]]
        found[os.path.basename(path)] = "\n".join(queries)
    return found


def names_exist(tap):
    known = documented()
    tap.ok(len(known) > 60, "docs/use/metrics.md names metrics", sorted(known))
    for where, text in expressions().items():
        # names of recording rules have colons
        used = set(re.findall(r"(?<![\w:$])((?:iommufd|vfio)_\w+)(?![\w:])", text))
        # parts of the names of recording rules, and the values of a variable
        used -= {"vfio_"}
        tap.equal(sorted(used - known), [], where + ": every metric is documented")


def runbook(tap):
    headings = {h.lower() for h in re.findall(r"^## (.*)$", read("docs", "use", "runbook.md"), re.M)}
    alerts = {}
    text = read("dashboards", "prometheus", "iommuscope.alerts.yml")
    for block in text.split("- alert: ")[1:]:
        name = block.split("\n")[0]
        url = re.search(r'runbook_url: "(.*)"', block)
        alerts[name] = url and url[1]
    tap.equal({name: url for name, url in alerts.items()
               if url != "docs/use/runbook.md#" + name.lower()}, {}, "each alert names its section")
    tap.equal(headings, {name.lower() for name in alerts}, "the runbook has a section for each alert")
    tested = set(re.findall(r"alertname: (\w+)", read("tests", "dashboards", "rules_test.yml")))
    tap.equal(set(alerts) - tested, set(), "each alert is tested")


LATE = ("_bucket", "_sum", "_count", "iommufd_failures_total", "vfio_failures_total",
        "iommufd_replacements_total", "iommufd_replacement_faults_total",
        "iommufd_replacements_faults_unknown_total", "iommufd_exporter_http_requests_total")


def late_series(tap):
    """Series that appear with a count: rate() and increase() alone do not see it."""
    for path in sorted(glob.glob(os.path.join(GRAFANA, "*.json"))):
        wrong = []
        for panel in json.loads(read(path))["panels"]:
            for expression in (target["expr"] for target in panel.get("targets", [])):
                for series in re.findall(r"(?:rate|increase)\((\w+\{[^}]*\})", expression):
                    name = series.split("{")[0]
                    if name.endswith(LATE) and series + " unless " + series + " offset" not in expression:
                        wrong.append(panel["title"] + ": " + name)
        tap.equal(wrong, [], os.path.basename(path) + " counts what creates a series")


def configured(tap):
    """The rules with other settings are the same rules with other settings."""
    script = os.path.join(PROMETHEUS, "configure")
    selector, address = r'job=~"vfio|a&b\\.c", env="prod"', "https://wiki.example.com/a?b=1&c=|/runbook"
    names = ["iommuscope.alerts.yml", "iommuscope.rules.yml"]
    with tempfile.TemporaryDirectory() as folder:
        result = run(script, "--selector", selector, "--runbook", address, folder)
        tap.equal((result.returncode, result.stdout + result.stderr), (0, ""), "configure takes a selector")
        wanted = {name: read("dashboards", "prometheus", name).replace('job="iommuscope"', selector)
                  .replace("docs/use/runbook.md", address) for name in names}
        tap.equal({name: read(folder, name) for name in sorted(os.listdir(folder))}, wanted,
                  "it writes the rules with it, and with the address of the runbook")
        result = run(script, "--selector", "job=vfio", folder)
        tap.equal((result.returncode, result.stdout, {name: read(folder, name) for name in names}),
                  (1, "", wanted), "it refuses what Prometheus does not accept")
        run(script, folder)
        tap.equal({name: read(folder, name) for name in names},
                  {name: read("dashboards", "prometheus", name) for name in names},
                  "without settings it writes the rules as they are")
    tap.equal([run(script, *words).returncode
               for words in ((), ("--runbook",), ("--job", "x", "."), ("/nowhere",), (PROMETHEUS,))],
              [2, 2, 2, 1, 1], "it refuses wrong arguments, and to overwrite its originals")
    unselected = [(where, name) for where, text in expressions().items() if where.endswith(".yml")
                  for name, more in re.findall(r"(?<![\w:|\"])((?:iommufd|vfio)_\w+)(?![\w:])(\{job=)?", text)
                  if not more and "|" + name not in text and name + "|" not in text]
    tap.equal(unselected, [], "each metric in a rule has the selector")


def promtool(tap):
    rules = sorted(glob.glob(os.path.join(PROMETHEUS, "*.rules.yml"))
                   + glob.glob(os.path.join(PROMETHEUS, "*.alerts.yml")))
    for arguments in (("check", "rules", *rules),
                      ("check", "config", os.path.join(PROMETHEUS, "prometheus.yml")),
                      ("test", "rules", os.path.join(ROOT, "tests", "dashboards", "rules_test.yml"))):
        result = run("promtool", *arguments)
        tap.ok(result.returncode == 0, "promtool " + " ".join(arguments[:2]),
               result.stdout, result.stderr)


def generated(tap):
    result = run(os.path.join(GRAFANA, "generate.py"), "--check")
    tap.equal((result.returncode, result.stderr), (0, ""), "the dashboards equal the output of generate.py")


if __name__ == "__main__":
    Tap().run(names_exist, runbook, late_series, configured, promtool, generated)
