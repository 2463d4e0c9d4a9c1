#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A real Prometheus scrapes the exporter during known workloads: its answers match them."""

import json
import os
import subprocess
import tempfile
import urllib.parse
import urllib.request

import tooltest
from exporter import PORT, load
from tooltest import Observer, Tap, patience

SERVER = "127.0.0.1:9090"
# seconds between scrapes; one takes a fraction of that on an idle machine
INTERVAL = max(1, round(patience(0.3)))
CONFIG = """
global:
  scrape_interval: %ds
  scrape_timeout: %ds
scrape_configs:
  - job_name: iommuscope
    static_configs:
      - targets: ["127.0.0.1:%d"]
""" % (INTERVAL, INTERVAL, PORT)


def ask(query):
    """{labels: number} of an instant query."""
    url = "http://%s/api/v1/query?%s" % (SERVER, urllib.parse.urlencode({"query": query}))
    with urllib.request.urlopen(url, timeout=patience(30)) as answer:
        result = json.load(answer)["data"]["result"]
    return [float(series["value"][1]) for series in result]


def wait_for(query, wanted):
    """Ask until the answer is @wanted, as scrapes come in; returns the last answer."""
    got = []

    def answered():
        try:
            got.append(ask(query))
        except OSError as error:
            got.append(str(error))
        return got[-1] == wanted

    tooltest.wait_for(answered, 90, 0.3)
    return got[-1]


def scrape(tap):
    operations = 'iommufd_operations_total{operation="%s",result="%s"}'
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as file:
            file.write(CONFIG)
        with open(os.path.join(folder, "log"), "w", encoding="utf-8") as log, \
                subprocess.Popen(["prometheus", "--config.file=%s/prometheus.yml" % folder,
                                  "--storage.tsdb.path=%s/data" % folder,
                                  "--web.listen-address=" + SERVER], stdout=log, stderr=log) as server:
            try:
                questions(tap, operations)
            finally:
                server.terminate()
        if tap.failed:
            with open(os.path.join(folder, "log"), encoding="utf-8") as log:
                print("# " + log.read()[-2000:].replace("\n", "\n# "))


def questions(tap, operations):
    with Observer("export") as exporter:
        tap.equal(wait_for('up{job="iommuscope"}', [1]), [1], "Prometheus scrapes the exporter")
        with Observer("lat", "--json") as lat:
            truth = load("-m", "400", "65536", "8")
        (report,) = lat.objects()
        lat_map = next(o for o in report["operations"] if o["operation"] == "map")
        count, errors, length = truth["map"]
        tap.equal(wait_for(operations % ("map", "error"), [errors]), [errors],
                  "it counts the failed maps")
        tap.equal(ask(operations % ("map", "success")), [count - errors], "and the others")
        tap.equal(ask('sum(iommufd_failures_total{operation="map"})'), [errors],
                  "each failure with a reason")
        tap.equal(ask('iommufd_operation_bytes_total{operation="map"}'), [length],
                  "and the bytes mapped")
        for name in "map", "unmap":
            tap.equal(ask('iommufd_operation_duration_seconds_count{operation="%s"}' % name),
                      [truth[name][0]], "the histogram of %s has the same count" % name)
        (seconds,) = ask('iommufd_operation_duration_seconds_sum{operation="map"}')
        tap.equal(round(seconds * 1e9), lat_map["sum_ns"], "the time equals what lat measured")
        (median,) = ask('histogram_quantile(0.5, iommufd_operation_duration_seconds_bucket'
                        '{operation="map"})')
        tap.ok(lat_map["p50_ns"] / 2.1 <= median * 1e9 <= lat_map["p50_ns"] * 2.1,
               "and the median is in the octave of lat's", median, lat_map["p50_ns"])
        pins = ask('iommufd_operation_phase_duration_seconds_count{operation="map",phase="pin"}')
        tap.equal(pins, [count - errors], "each successful map has a pin phase")
        exporter.process.kill()
        tap.equal(wait_for('up{job="iommuscope"}', [0]), [0], "killed, it is down")
    with Observer("export"):
        truth = load("30", "4096")
        tap.equal(wait_for(operations % ("map", "success"), [30]), [30],
                  "started again, it counts from zero")
        tap.equal(ask("resets(%s[10m])" % operations % ("map", "success")), [1],
                  "which Prometheus treats as a counter reset")


Tap().run(scrape)
