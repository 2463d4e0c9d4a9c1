#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope export: what it serves is right, documented, and in Prometheus's formats."""

import http.client
import os
import re
import subprocess

from tooltest import Observer, Tap, run

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
PORT = 9947


def get(path, method="GET", port=PORT, **headers):
    """Status, headers and text of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, response.headers, text


def samples(text):
    """{name: {((label, value), ...): number}} of a text without escapes in its labels."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
        labels = tuple(sorted(re.findall(r'(\w+)="([^"]*)"', labels or "")))
        found.setdefault(name, {})[labels] = float(value)
    return found


def sample(found, name, **labels):
    return found[name][tuple(sorted(labels.items()))]


def load(*arguments):
    """Run map-load: {operation: (count, errors, bytes)}."""
    lines = run("map-load", *arguments).stdout.splitlines()
    return {fields[0]: tuple(map(int, fields[1:])) for fields in map(str.split, lines)}


def documented():
    """{metric: (type, labels)} of docs/metrics.md."""
    metrics = {}
    with open(os.path.join(ROOT, "docs", "metrics.md"), encoding="utf-8") as file:
        for line in file:
            row = re.fullmatch(r"\| `(\w+)` \| (\w+) \| (.*?) ?\| (.+) \|", line.strip())
            if row:
                metrics[row[1]] = (row[2], set(re.findall(r"`(\w+)`", row[3])))
    return metrics


def counts(tap):
    with Observer("export") as observer:
        status, headers, _ = get("/-/healthy")
        tap.equal(status, 200, "it is healthy")
        truth = load("200", "0x10000", "10")
        status, headers, text = get("/metrics")
        tap.equal((status, headers["Content-Type"]),
                  (200, "text/plain; version=0.0.4; charset=utf-8"), "it serves metrics")
        _, headers, modern = get("/metrics", Accept=OPENMETRICS)
    tap.equal((observer.status, observer.stderr), (0, ""), "it ends well with a signal")
    told = samples(text)
    for operation in "map", "unmap":
        count, errors, _ = truth[operation]
        tap.equal([sample(told, "iommufd_operations_total", operation=operation, result=result)
                   for result in ("success", "error")], [count - errors, errors],
                  "operations of %s are the workload's" % operation)
        name = "iommufd_operation_duration_seconds"
        tap.equal((sample(told, name + "_count", operation=operation),
                   sample(told, name + "_bucket", operation=operation, le="+Inf")),
                  (count, count), "so are those in its histogram")
        bounds = sorted((float(dict(labels)["le"]), value)
                        for labels, value in told[name + "_bucket"].items()
                        if dict(labels)["operation"] == operation)
        tap.ok(len(bounds) == 27 and [value for _, value in bounds]
               == sorted(value for _, value in bounds), "whose buckets rise", bounds)

    checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                             capture_output=True)
    tap.equal((checked.returncode, checked.stdout + checked.stderr), (0, ""),
              "promtool finds nothing to say")
    tap.ok(headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
           and modern.endswith("\n# EOF\n"), "OpenMetrics for those who ask", headers)

    wrong = []
    docs = documented()
    for name, kind in re.findall(r"# TYPE (\w+) (\w+)", text):
        if name not in docs:
            wrong.append("not documented: " + name)
            continue
        wanted, labels = docs[name]
        if kind != {"info": "gauge"}.get(wanted, wanted):
            wrong.append("%s is a %s" % (name, kind))
        told_labels = {label for suffix in ("", "_bucket") for key in told.get(name + suffix, ())
                       for label, _ in key} - {"le"}
        if not told_labels <= labels:
            wrong.append("%s has labels %s" % (name, told_labels))
    tap.ok(docs and not wrong, "every metric is documented as it is", *wrong)


def methods(tap):
    with Observer("export", "--listen", "[::1]:9947", "--listen", "127.0.0.1:9948"):
        _, headers, text = get("/metrics", port=9948)
        status, _, _ = get("/metrics", "HEAD", port=9948)
        tap.equal(status, 200, "HEAD is served")
        for method in "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW":
            status, headers, _ = get("/metrics", method, port=9948)
            tap.equal((status, headers["Allow"]), (405, "GET, HEAD"), method + " is not")
        tap.equal(get("/nothing", port=9948)[0], 404, "what is not there is not found")
        connection = http.client.HTTPConnection("::1", PORT, timeout=30)
        answers = []
        for _ in range(3):
            connection.request("GET", "/-/healthy")
            response = connection.getresponse()
            answers.append((response.status, response.read() != b"", response.will_close))
        tap.equal(answers, [(200, True, False)] * 3, "IPv6, and one connection for many requests")


Tap().run(counts, methods)
