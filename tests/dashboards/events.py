#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Alerts that one event raises: for every history of scrapes, they report new events, not old ones.

promtool evaluates the rules. Host test, no server.
"""

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

ALERTS = os.path.join(ROOT, "dashboards", "prometheus", "iommuscope.alerts.yml")

# {alert: the counter that it looks at, and its labels}
COUNTERS = {
    "IommuscopeEventsLost": ("iommufd_lost_events_total", 'source="running"'),
    "IommuMemlockReached": ("iommufd_failures_total", 'operation="map", reason="memlock_limit"'),
    "IommuReplacementBlockedDma": ("iommufd_replacements_total", 'device="d", verdict="blocked"'),
    "IommuReplacementStranded": ("iommufd_replacements_total", 'device="d", verdict="stranded"'),
    "IommuReplacementFaults": ("iommufd_replacement_faults_total", 'device="d", when="window"'),
}

# The exporter started a day before the history, or at a minute of it.
DAY = "-86400"


def minute(number):
    return str(60 * number)


# A history is a list of (value, minutes); None for minutes without a scrape, and "stale" for a
# minute whose scrape failed or lacked the series. Each history: when the exporter says that it
# started, the counter, and the minutes in which the alert is raised, from the first to the last.
HISTORIES = {
    "nothing happens": ([(DAY, 120)], [(0, 120)], None),
    "one event": ([(DAY, 120)], [(0, 30), (1, 90)], (30, 39)),
    "an old count": ([(DAY, 120)], [(7, 120)], None),
    "an old count, and one event": ([(DAY, 120)], [(7, 30), (8, 90)], (30, 39)),
    "an old count, and a gap of eight minutes":
        ([(DAY, 60), ("stale", 1), (None, 7), (DAY, 52)],
         [(7, 60), ("stale", 1), (None, 7), (7, 52)], None),
    "the same gap, in which no scrape was tried":
        ([(DAY, 60), (None, 8), (DAY, 52)], [(7, 60), (None, 8), (7, 52)], None),
    "an old count, and a gap of half an hour":
        ([(DAY, 60), ("stale", 1), (None, 29), (DAY, 30)],
         [(7, 60), ("stale", 1), (None, 29), (7, 30)], None),
    "an old count, and a gap of three hours":
        ([(DAY, 60), ("stale", 1), (None, 179), (DAY, 30)],
         [(7, 60), ("stale", 1), (None, 179), (7, 30)], None),
    "an event in a gap of eight minutes":
        ([(DAY, 60), ("stale", 1), (None, 7), (DAY, 52)],
         [(7, 60), ("stale", 1), (None, 7), (8, 52)], (68, 77)),
    "an event in a gap of half an hour":
        ([(DAY, 60), ("stale", 1), (None, 29), (DAY, 30)],
         [(7, 60), ("stale", 1), (None, 29), (8, 30)], (90, 99)),
    "a restart with an old count":
        ([(DAY, 60), (minute(60), 60)], [(7, 60), (0, 60)], None),
    "a restart, and an event before the first scrape":
        ([(DAY, 60), (minute(60), 60)], [(7, 60), (1, 60)], (60, 69)),
    "a restart, and as many events as before it":
        ([(DAY, 60), (minute(60), 60)], [(1, 60), (1, 60)], (60, 69)),
    "an event, and a restart five minutes later":
        ([(DAY, 65), (minute(65), 60)], [(7, 60), (8, 5), (0, 60)], (60, 69)),
    "a restart in a gap of half an hour, with an old count":
        ([(DAY, 60), ("stale", 1), (None, 29), (minute(75), 30)],
         [(7, 60), ("stale", 1), (None, 29), (0, 30)], None),
    "a restart in a gap of half an hour, and an event":
        ([(DAY, 60), ("stale", 1), (None, 29), (minute(75), 30)],
         [(7, 60), ("stale", 1), (None, 29), (1, 30)], (90, 99)),
    "a new host, and an event before its first scrape":
        ([(None, 30), (minute(29), 60)], [(None, 30), (1, 60)], (30, 38)),
    "the first scrape of an exporter that has run for a day":
        ([(None, 30), (DAY, 60)], [(None, 30), (7, 60)], None),
    "the same, and its clock is years ahead":
        ([(None, 30), ("1e9", 60)], [(None, 30), (7, 60)], None),
    "a series that appears with a count":
        ([(DAY, 90)], [(None, 30), (1, 60)], (30, 39)),
    "a series that appears in a gap of half an hour":
        ([(DAY, 60), ("stale", 1), (None, 29), (DAY, 30)], [(None, 90), (1, 30)], (90, 99)),
    "a series that a restart removes and an event brings back":
        ([(DAY, 60), (minute(60), 60)], [(1, 60), ("stale", 1), (None, 29), (1, 30)], (90, 99)),
}


def values(history):
    """A history in promtool's notation, one sample a minute."""
    words = []
    for value, minutes in history:
        if value is None:
            words.append("_x%d" % minutes)
        else:
            words += [str(value)] * minutes
    return " ".join(words)


def evaluated(start, counter, raised):
    """promtool's test of one history, for all alerts."""
    labels = 'job="iommuscope", instance="a"'
    length = sum(minutes for _, minutes in counter)
    first, last = raised or (length, length)
    questions = []
    for alert in COUNTERS:
        for at in range(length):
            if at % 10 and at not in (first - 1, first, first + 1, last, last + 1):
                continue
            questions.append({
                "expr": 'count(ALERTS{alertname="%s", alertstate="firing"}) or vector(0)' % alert,
                "eval_time": "%dm" % at,
                "exp_samples": [{"labels": "{}", "value": int(first <= at <= last)}]})
    series = {"%s{%s, %s}" % (metric, labels, more): counter for metric, more in COUNTERS.values()}
    series["iommufd_exporter_start_time_seconds{%s}" % labels] = start
    return {"interval": "1m", "promql_expr_test": questions,
            "input_series": [{"series": name, "values": values(history)}
                             for name, history in series.items()]}


def checked(tap, test, name):
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump({"rule_files": [ALERTS], "evaluation_interval": "1m", "tests": [test]}, file)
        file.flush()
        result = run("promtool", "test", "rules", file.name)
    tap.ok(result.returncode == 0, name, result.stdout, result.stderr)


def histories(tap):
    for name, history in HISTORIES.items():
        checked(tap, evaluated(*history), name)


def all_counters(tap):
    """Every alert that looks at a counter is in the table."""
    with open(ALERTS, encoding="utf-8") as file:
        blocks = file.read().split("- alert: ")[1:]
    found = {block.split("\n")[0] for block in blocks if re.search(r"_total|:new10m", block)}
    tap.equal(found, set(COUNTERS), "these are all alerts that look at a counter")
    raw = [block.split("\n")[0] for block in blocks
           if re.search(r"\b(?:rate|increase|offset)\b|_total", block.split("annotations:")[0])]
    tap.equal(raw, [], "each of them uses a recorded number of new events")


def panel(tap):
    """A panel counts the event that creates a series, once, and no old one after a gap."""
    with open(os.path.join(ROOT, "dashboards", "grafana", "devices.json"), encoding="utf-8") as file:
        (query,) = [target["expr"] for panel in json.load(file)["panels"]
                    if panel["title"] == "Not hitless" for target in panel["targets"]]
    for variable, value in (("$job", "iommuscope"), ("$host", ".*"), ("$device", ".*"), ("$__range", "20m")):
        query = query.replace(variable, value)
    # the minutes at which 1 is expected
    asked = {"a series that appears with a count": (30, 35, 45), "one event": (31, 45),
             "an old count": (), "an old count, and a gap of half an hour": ()}
    for name, ones in asked.items():
        start, counter, _ = HISTORIES[name]
        test = evaluated(start, counter, None)
        test["input_series"] = [series for series in test["input_series"]
                                if "stranded" in series["series"] or "start_time" in series["series"]]
        test["promql_expr_test"] = [
            {"expr": "round(%s)" % query, "eval_time": "%dm" % at,
             "exp_samples": [{"labels": "{}", "value": int(at in ones)}]} for at in (20, *ones, 55, 95)]
        checked(tap, test, "a panel: " + name)


Tap().run(histories, all_counters, panel)
