#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
//
// The parts of the page that need no browser.

import { readFileSync } from "node:fs";

import { duration, count, number, percent, size } from "../../dashboards/page/src/format.js";
import { add, bucketEnd, empty, percentiles, since } from "../../dashboards/page/src/histogram.js";
import { Store, KEEP_NS } from "../../dashboards/page/src/store.js";
import { equal, ok, run } from "../lib/tap.mjs";
import { Simulation } from "./simulate.mjs";

function formats() {
	equal([0, 850, 999, 38000, 999499, 1.25e6, 999.5e6, 99.4e9, 200e9, 7300e9, 90000e9].map(duration),
	      ["0 ns", "850 ns", "999 ns", "38 µs", "999 µs", "1.3 ms", "1.0 s", "99 s", "3 min 20 s",
	       "2 h 1 min", "1 d 1 h"], "times");
	equal([0, 512, 1024, 65536, 1047552, 1048576, 64 * 2 ** 20, 4 * 2 ** 30].map(size),
	      ["0 B", "512 B", "1.0 KiB", "64 KiB", "1023 KiB", "1.0 MiB", "64 MiB", "4.0 GiB"], "sizes");
	equal([0, 999, 1000, 1234567].map(count), ["0", "999", "1\u202f000", "1\u202f234\u202f567"], "counts");
	equal([0, 0.05, 1.25, 42, 9999, 123456].map(number), ["0", "0.05", "1.3", "42", "9999", "123 k"], "numbers");
	equal([[0, 0], [1, 100], [1, 1000], [80, 100]].map(([a, b]) => percent(a, b)),
	      ["0 %", "1.0 %", "0.1 %", "80 %"], "shares");
}

function buckets() {
	equal([0, 15, 16, 31, 32, 34, 62, 64, 1024].map(bucketEnd), [1, 16, 17, 32, 34, 36, 64, 68, 1088],
	      "buckets are as wide as the kernel's: a sixteenth of an octave");
}

/* The smallest value of the bucket that counts a value, found by walking all buckets. */
function bucketOf(value) {
	let low = 0;

	while (bucketEnd(low) <= value)
		low = bucketEnd(low);
	return low;
}

function shares() {
	const values = [];
	const histogram = empty();

	for (let i = 0, x = 12345; i < 5000; i++) {
		x = (x * 1103515245 + 12345) % 2147483648;
		values.push(Math.floor(1000 * Math.exp(6 * (x / 2147483648))));
	}
	for (const value of values) {
		const low = bucketOf(value);
		histogram.buckets.set(low, (histogram.buckets.get(low) ?? 0) + 1);
		histogram.count++;
		histogram.sum += value;
	}
	values.sort((a, b) => a - b);
	const percents = [0, 50, 90, 99, 99.9, 100];
	const exact = percents.map((p) => values[Math.max(Math.ceil((p / 100) * values.length), 1) - 1]);
	const got = percentiles(histogram, percents);
	ok(got.every((value, i) => Math.abs(value - exact[i]) <= exact[i] / 16 + 1),
	   "percentiles are within a sixteenth", got, exact);
	equal(percentiles(empty(), [50, 99]), [null, null], "without values there are none");
	const twice = add(add(empty(), histogram), histogram);
	equal(since(twice, histogram), histogram, "a difference undoes a sum");
}

function documentOf(time, count, instance = "a", errors = 0) {
	const pairs = count ? [[100, count]] : [];

	return { instance, time_ns: time, cost: { cpu_ns: time / 50 }, operations: [
		{ subsystem: "iommufd", operation: "map", count, errors, bytes: 4096 * count, sum_ns: 102 * count,
		  max_ns: 103, buckets: pairs, phases: [{ phase: "pin", count, sum_ns: 50 * count, max_ns: 60,
							  buckets: pairs }] },
		{ subsystem: "vfio", operation: "map", count: 0, errors: 0, bytes: 0, sum_ns: 0, max_ns: 0,
		  buckets: [], phases: [] }] };
}

function samples() {
	const store = new Store();
	const map = () => store.sum(KEEP_NS).get("map");

	store.take(documentOf(10e9, 1000));
	equal([store.samples.length, map()], [0, undefined], "figures from before the page are not a sample");
	store.take(documentOf(11e9, 1010, "a", 2));
	store.take(documentOf(12e9, 1010, "a", 2));
	store.take(documentOf(13e9, 1025, "a", 3));
	equal([map().count, map().errors, map().bytes, map().total.sum, map().phases.get("pin").count],
	      [25, 3, 102400, 2550, 25], "samples add up to the figures since then");
	equal([...store.sum(1.5e9).values()].map((o) => o.count), [15], "or to those of a period");
	equal([...store.current.keys()], ["map", "vfio_map"], "vfio's operations have their own names");
	equal(store.take(documentOf(13e9, 1500)), false, "a document that is not newer is skipped");
	equal(store.current.get("map").count, 1025, "and changes nothing");

	equal(store.cost(10e9), 0.02, "so does the exporter's processor time");

	const series = store.series("map", "", 10e9, 1e9);
	equal([series.times, series.histograms.map((h) => h.count)], [[11, 12, 13], [10, 0, 15]],
	      "over time there is one step per second");
	const phase = store.series("map", "pin", 10e9, 2e9);
	equal([phase.times, phase.histograms.map((h) => h.count)], [[12, 14], [10, 15]], "of a phase, too");

	ok(store.take(documentOf(20e9, 7, "b")), "another instance is noticed");
	equal(store.samples.at(-1).operations.get("map").count, 7, "and counts from zero");
	const gap = store.series("map", "", 20e9, 1e9);
	equal(gap.histograms.map((h) => h?.count ?? null), [10, 0, 15, null, 7], "a missing document leaves a gap");

	store.take(documentOf(20e9 + KEEP_NS + 1e9, 8, "b"));
	equal(store.samples.length, 1, "samples older than the longest period are dropped");
}

/* The simulation's document has the keys of the exporter's document, which are described. */
function keys() {
	const reference = readFileSync(new URL("../../docs/use/json.md", import.meta.url), "utf8");
	const known = new Set([...reference.split("\n## Keys\n")[1].matchAll(/^\| `(\w+)`/gm)].map((row) => row[1]));
	const simulation = new Simulation({});
	const wild = new Set();
	const walk = (value) => {
		if (Array.isArray(value))
			value.forEach(walk);
		else if (value && typeof value === "object")
			for (const [key, inner] of Object.entries(value)) {
				if (!known.has(key))
					wild.add(key);
				walk(inner);
			}
	};

	simulation.stuckSince = simulation.now;
	simulation.pass(60);
	const document = simulation.document();
	equal([document.failures, document.replacements, document.stuck].map((list) => list.length > 0),
	      [true, true, true], "the simulation covers every part");
	walk(document);
	ok(known.size > 200, "the reference of keys is read", known.size);
	equal([...wild], [], "the page's tests use only keys that the tool has");
}

await run(formats, buckets, shares, samples, keys);
