#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Write the Grafana dashboards: latency.json, devices.json, capacity.json.

Usage: generate.py [--check]

Without an argument, it writes the files beside this script. With --check, it compares them with its
output.
"""

import json
import os
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from panels import (HOSTS, bars, dashboard, figure, heatmap, labels, lines, query, repeated, row,
                    states, steps, table)

ONE = HOSTS + ', operation=~"$operation"'
PERCENTILES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999))


def grown(metric, selector, by, interval="$__rate_interval"):
    """What a counter grew by in an interval.

    rate() and increase() do not see the events that create a series. Where the exporter was scraped
    before the interval and did not have the series, all of its count is new.
    """
    one = f"{metric}{{{selector}}}"
    total = f"sum by ({', '.join(by)})" if by else "sum"
    return (f"{total} ({one} unless {one} offset {interval} and on (job, instance) "
            f"iommufd_exporter_start_time_seconds{{{HOSTS}}} offset {interval} "
            f"or increase({one}[{interval}]))")


def quantile(share, metric, selector, *by):
    return f"histogram_quantile({share}, {grown(metric + '_bucket', selector, (*by, 'le'))})"


def buckets(metric, selector):
    return grown(metric + "_bucket", selector, ("le",))


def rate(metric, selector, *by):
    """For counters that exist from the exporter's start."""
    return f"sum by ({', '.join(by)}) (rate({metric}{{{selector}}}[$__rate_interval]))"


def latency():
    duration = "iommufd_operation_duration_seconds"
    phase = "iommufd_operation_phase_duration_seconds"
    error = HOSTS + ', result="error"'
    variables = [
        labels("operation", "Operation", f'{duration}_count{{{HOSTS}}}', "operation",
               value="map"),
        labels("phase", "Phase", f'{phase}_count{{{HOSTS}, operation=~"$operation"}}', "phase"),
    ]
    return dashboard(
        "iommuscope-latency", "iommuscope: latency",
        "How long operations of iommufd and VFIO take, in which phase, and why they fail.",
        variables, [
            figure("Operations", "Finished operations a second.",
                   f"sum(rate(iommufd_operations_total{{{HOSTS}}}[$__rate_interval]))", "ops"),
            figure("Failing", "Share of the operations that fail.",
                   f"sum(rate(iommufd_operations_total{{{error}}}[$__rate_interval])) / "
                   f"clamp_min(sum(rate(iommufd_operations_total{{{HOSTS}}}[$__rate_interval])), 1e-9)",
                   "percentunit", steps((None, "green"), (0.001, "orange"), (0.05, "red"))),
            figure("Map, p99", "99 % of the maps take less.",
                   quantile(0.99, duration, HOSTS + ', operation="map"'), "s"),
            figure("Unmap, p99", "99 % of the unmaps take less.",
                   quantile(0.99, duration, HOSTS + ', operation="unmap"'), "s"),
            figure("Oldest in flight", "Age of the oldest operation that has not ended.",
                   f"max(iommufd_longest_running_operation_seconds{{{HOSTS}}})", "s",
                   steps((None, "green"), (1, "orange"), (10, "red"))),
            figure("Stuck", "Operations in flight for longer than --stuck-after.",
                   f"sum(iommufd_stuck_operations{{{HOSTS}}}) + sum(vfio_stuck_operations{{{HOSTS}}})",
                   "short", steps((None, "green"), (1, "red"))),
            lines("Rate", "Finished operations a second, by operation.",
                  [query(rate("iommufd_operations_total", HOSTS, "operation") + " > 0",
                         "{{operation}}")], "ops"),
            lines("Failures", "Failed operations in each step of the chart, by operation and reason; "
                  "the catalogue of events explains each reason.",
                  [query(grown("iommufd_failures_total", HOSTS, ("operation", "reason")),
                         "{{operation}}: {{reason}}"),
                   query(grown("vfio_failures_total", HOSTS, ("operation", "reason")),
                         "vfio_{{operation}}: {{reason}}")]),
            row("$operation", "operation"),
            heatmap("$operation: duration", "Calls by duration.", buckets(duration, ONE)),
            lines("$operation: percentiles", "Half of the calls take p50 or less.",
                  [query(quantile(share, duration, ONE), name) for name, share in PERCENTILES],
                  "s", log=True),
            lines("$operation: where the time goes", "Time spent in each phase, in each step of the "
                  "chart; what is in no phase is not shown.",
                  [query(grown(f"{phase}_sum", ONE, ("phase",)), "{{phase}}")], "s", stacked=True),
            lines("$operation: p99 by phase", "99 % of the operations spent less in the phase.",
                  [query(quantile(0.99, phase, ONE, "phase"), "{{phase}}")], "s", log=True),
            repeated(heatmap("$operation: $phase", "Calls by time in the phase.",
                             buckets(phase, ONE + ', phase=~"$phase"'), 8, 7), "phase"),
            row("Memory"),
            lines("Throughput", "Bytes mapped and unmapped a second.",
                  [query(rate("iommufd_operation_bytes_total", HOSTS, "operation") + " > 0",
                         "{{operation}}")], "binBps"),
            lines("Time for each page", "Time of the operation for each page that was pinned or "
                  "unpinned: touching memory before and huge pages make it small.",
                  [query(grown(f"{duration}_sum", HOSTS + ', operation=~"map|unmap"', ("operation",))
                         + " / on (operation) ("
                         + grown("iommufd_operation_pages_total", HOSTS, ("operation",))
                         + " > 0)", "{{operation}}")], "s"),
            row("VFIO"),
            lines("VFIO: rate", "Finished operations on devices a second.",
                  [query(rate("vfio_operations_total", HOSTS, "operation") + " > 0", "{{operation}}")],
                  "ops"),
            lines("VFIO: p99", "99 % of them took less.",
                  [query(quantile(0.99, "vfio_operation_duration_seconds", HOSTS, "operation"),
                         "{{operation}}")], "s", log=True),
        ])


def devices():
    variables = [labels("device", "Device", f"iommufd_device_attached{{{HOSTS}}}", "device")]
    one = HOSTS + ', device=~"$device"'
    window = "iommufd_replacement_window_seconds"
    attachment = (f"iommufd_device_info{{{one}}} * on (job, instance, device) group_left (ctx, ioas, hwpt) "
                  f"iommufd_device_attachment_info{{{one}}}")
    return dashboard(
        "iommuscope-devices", "iommuscope: devices",
        "The translation of each device: what it is attached to, its replacements, and what "
        "a replacement did to running DMA.", variables, [
            figure("Devices", "Devices bound to an iommufd.",
                   f"sum(iommufd_devices{{{HOSTS}}})"),
            figure("DMA blocked", "Devices that are bound but not attached.",
                   f"count(iommufd_device_attached{{{one}}} == 0) or vector(0)", "short",
                   steps((None, "green"), (1, "orange"))),
            figure("Replacements", "In the time shown.",
                   grown("iommufd_replacements_total", one, (), "$__range") + " or vector(0)"),
            figure("Not hitless", "Of them, those that left the device without a translation.",
                   grown("iommufd_replacements_total",
                         one + ', verdict=~"blocked|rolled_back|stranded"', (), "$__range")
                   + " or vector(0)", "short", steps((None, "green"), (1, "orange"))),
            figure("Faults", "Accesses that faulted because of a replacement, in the time shown; 0 only "
                   "if the faults of all replacements are known.",
                   grown("iommufd_replacement_faults_total", one, (), "$__range")
                   + " > 0 or vector(0) unless on () "
                   + grown("iommufd_replacements_faults_unknown_total", one, (), "$__range") + " > 0",
                   "short", steps((None, "green"), (1, "red")), noValue="not reported"),
            figure("Window, p99", "99 % of the windows without translation were shorter.",
                   f"histogram_quantile(0.99, {grown(window + '_bucket', HOSTS, ('le',), '$__range')})",
                   "s"),
            table("Devices", "What each device is attached to.",
                  [attachment,
                   f"max by (instance, device) (iommufd_device_mapped_bytes{{{one}}})",
                   f"max by (instance, device) (iommufd_device_pinned_bytes{{{one}}})",
                   f"max by (instance, device) (iommufd_device_attached{{{one}}})"],
                  ("Value #A",),
                  {"instance": "host", "Value #B": "mapped", "Value #C": "pinned",
                   "Value #D": "attached"},
                  {"mapped": "bytes", "pinned": "bytes"}),
            states("Translation", "Attached, or without a translation.",
                   f"max by (instance, device) (iommufd_device_attached{{{one}}})",
                   "{{device}} on {{instance}}",
                   [{"type": "value", "options": {"0": {"text": "DMA blocked", "color": "orange",
                                                         "index": 0},
                                                  "1": {"text": "attached", "color": "green",
                                                        "index": 1}}}]),
            row("Replacements"),
            lines("Replacements by verdict", "Replacements in each step of the chart, by their effect on "
                  "running DMA.",
                  [query(grown("iommufd_replacements_total", one, ("verdict",)), "{{verdict}}")],
                  stacked=True),
            lines("Faults", "Accesses that faulted, in each step of the chart: in the window, or after "
                  "it.",
                  [query(grown("iommufd_replacement_faults_total", one, ("device", "when")),
                         "{{device}}, {{when}}"),
                   query(grown("iommufd_other_faults_total", HOSTS, ("instance",)),
                         "others on {{instance}}")]),
            heatmap("Window without translation", "Windows by length.",
                    buckets(window, HOSTS)),
            lines("Window and duration, p99", "By the IOMMU's driver: whether a switch is hitless is "
                  "its matter.",
                  [query(quantile(0.99, window, HOSTS, "iommu_driver"), "window, {{iommu_driver}}"),
                   query(quantile(0.99, "iommufd_replacement_duration_seconds", HOSTS, "iommu_driver"),
                         "duration, {{iommu_driver}}")], "s", log=True),
            row("Memory"),
            lines("Mapped", "Bytes mapped in the IOAS of each device.",
                  [query(f"iommufd_device_mapped_bytes{{{one}}}", "{{device}} on {{instance}}")],
                  "bytes"),
            lines("Pinned", "Memory pinned for the IOAS of each device.",
                  [query(f"iommufd_device_pinned_bytes{{{one}}}", "{{device}} on {{instance}}")],
                  "bytes"),
        ])


def capacity():
    used, limit = (f"iommufd_memlock_{which}_bytes{{{HOSTS}}}" for which in ("used", "limit"))
    ratio = f"{used} / ({limit} > 0)"
    by_ctx = "uid {{uid}}, ctx {{ctx}} on {{instance}}"
    near = steps((None, "green"), (0.7, "yellow"), (0.85, "orange"), (0.95, "red"))
    holes = "iommufd_ioas_iova_largest_hole_bytes", "iommufd_ioas_iova_free_bytes"
    fragmentation = f"1 - {holes[0]}{{{HOSTS}}} / ({holes[1]}{{{HOSTS}}} > 0)"
    left = (f"clamp_max(({limit} - {used}) / clamp_min(deriv({used}[1h]), 1), 30 * 86400)")
    return dashboard(
        "iommuscope-capacity", "iommuscope: capacity",
        "Pinned memory against its limits, I/O address space, growth and when it reaches the limit, "
        "across hosts; and what watching costs.", [], [
            figure("Hosts", "Exporters that answer.", f'sum(up{{{HOSTS}}})'),
            figure("Pinned", "Memory pinned for DMA, all hosts.",
                   f"sum(iommufd_pinned_bytes{{{HOSTS}}})", "bytes"),
            figure("Mapped", "Bytes mapped, all IOASes.",
                   f"sum(iommufd_mapped_bytes{{{HOSTS}}})", "bytes"),
            figure("Page tables", "Memory that page tables of IOMMUs take.",
                   f"sum(iommufd_page_table_bytes{{{HOSTS}}})", "bytes"),
            figure("Tightest limit", "The largest share of RLIMIT_MEMLOCK that is used.",
                   f"max({ratio})", "percentunit", near),
            figure("Contexts", "Open /dev/iommu.", f"sum(iommufd_contexts{{{HOSTS}}})"),
            row("Locked memory"),
            bars("Used of RLIMIT_MEMLOCK", "The twelve contexts closest to their limits.",
                 [query(f"topk(12, {ratio})", by_ctx, instant=True)], "percentunit", near,
                 min=0, max=1),
            lines("Used of RLIMIT_MEMLOCK", "At 100 %, maps fail with ENOMEM.",
                  [query(ratio, by_ctx)], "percentunit", min=0, thresholds=near),
            lines("Used and in four hours", "What counts against RLIMIT_MEMLOCK, and what it will be if "
                  "it goes on growing as in the last hour.",
                  [query(used, f"{by_ctx}"),
                   query(f"clamp_min(predict_linear({used}[1h], 4 * 3600), 0)", f"in 4 h: {by_ctx}")],
                  "bytes"),
            lines("Time to the limit", "If growth continues as in the last hour; 30 days stands for "
                  "that or more.", [query(left, by_ctx)], "s", min=0),
            lines("Pinned by host", "Memory pinned for DMA.",
                  [query(f"iommufd_pinned_bytes{{{HOSTS}}}", "{{instance}}")], "bytes", stacked=True),
            lines("Pinned by context", "The twelve largest.",
                  [query(f"topk(12, iommufd_context_pinned_bytes{{{HOSTS}}})",
                         "ctx {{ctx}} on {{instance}}")], "bytes"),
            row("I/O address space"),
            lines("Fragmentation", "1 - largest hole / free: near 100 %, a large map finds no room.",
                  [query(fragmentation, "ioas {{ioas}}, ctx {{ctx}} on {{instance}}")],
                  "percentunit", min=0, max=1),
            lines("Largest hole", "The most that can be mapped at once.",
                  [query(f"{holes[0]}{{{HOSTS}}}", "ioas {{ioas}}, ctx {{ctx}} on {{instance}}")],
                  "bytes", log=True),
            lines("Areas", "Areas mapped.",
                  [query(f"iommufd_ioas_areas{{{HOSTS}}}", "ioas {{ioas}}, ctx {{ctx}} on {{instance}}")]),
            lines("Memory in huge pages", "The share of the pinned memory that lies in whole 2 MiB: the "
                  "larger, the faster are map, unmap and DMA.",
                  [query(f"iommufd_ioas_huge_bytes{{{HOSTS}}} / (iommufd_ioas_pinned_bytes{{{HOSTS}}} > 0)",
                         "ioas {{ioas}}, ctx {{ctx}} on {{instance}}")], "percentunit", min=0, max=1),
            table("Address spaces", "All of them.",
                  [f"iommufd_ioas_mapped_bytes{{{HOSTS}}}", f"iommufd_ioas_pinned_bytes{{{HOSTS}}}",
                   f"{holes[1]}{{{HOSTS}}}", f"{holes[0]}{{{HOSTS}}}",
                   f"iommufd_ioas_areas{{{HOSTS}}}", f"iommufd_ioas_extents{{{HOSTS}}}"], (),
                  {"instance": "host", "Value #A": "mapped", "Value #B": "pinned", "Value #C": "free",
                   "Value #D": "largest hole", "Value #E": "areas", "Value #F": "extents"},
                  {"mapped": "bytes", "pinned": "bytes", "free": "bytes", "largest hole": "bytes"}),
            row("The exporter"),
            lines("CPU", "Share of a CPU that the exporter takes.",
                  [query(rate("iommufd_exporter_cpu_seconds_total", HOSTS, "instance"), "{{instance}}")],
                  "percentunit", width=8, min=0),
            lines("Memory", "In user space, and in its BPF maps.",
                  [query(f"iommufd_exporter_resident_memory_bytes{{{HOSTS}}}", "{{instance}}"),
                   query(f"iommufd_exporter_bpf_memory_bytes{{{HOSTS}}}", "{{instance}}, BPF maps")],
                  "bytes", width=8, min=0),
            lines("Scrape", "How long a scrape takes.",
                  [query(f"iommufd_exporter_scrape_duration_seconds{{{HOSTS}}}", "{{instance}}")], "s",
                  width=8, min=0),
            lines("Events lost", "Lost events a second. The figures are too low by that number.",
                  [query(rate("iommufd_lost_events_total", HOSTS, "instance", "source"),
                         "{{source}} on {{instance}}")], "ops", width=24, height=6, min=0),
        ], "now-6h")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    stale = []
    for name, make in ("latency", latency), ("devices", devices), ("capacity", capacity):
        path = os.path.join(here, name + ".json")
        text = json.dumps(make(), indent=2) + "\n"
        if "--check" in sys.argv[1:]:
            with open(path, encoding="utf-8") as file:
                if file.read() != text:
                    stale.append(name + ".json")
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
    if stale:
        sys.exit("not what generate.py writes: " + ", ".join(stale))


if __name__ == "__main__":
    main()
