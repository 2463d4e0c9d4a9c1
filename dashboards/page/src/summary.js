// SPDX-License-Identifier: GPL-2.0-only
//
// The figures at the top: they show at a glance whether there is a problem.

import { h } from "./dom.js";
import { count, duration, number, percent, size } from "./format.js";
import { percentiles } from "./histogram.js";

function tile(key, label, value, note, state) {
	return h("div", { class: `tile ${state ?? ""}`, "data-key": key },
		 h("dt", {}, label), h("dd", { class: "value" }, value),
		 h("dd", { class: "note" }, note));
}

/* Verdicts of replacements that running DMA may have noticed. */
const HURT = new Set(["blocked", "rolled_back", "stranded"]);

/* The last complete seconds: a single one would flicker. */
const RATE_NS = 5e9;

function rate(store) {
	const samples = store.recent(RATE_NS);
	let calls = 0;

	for (const sample of samples)
		for (const operation of sample.operations.values())
			calls += operation.count;
	const span = samples.length ? (samples.at(-1).end - samples[0].start) / 1e9 : 0;
	return span ? calls / span : 0;
}

function slowest(store, window) {
	let worst = { ns: null, name: "" };

	for (const [name, operation] of store.sum(window)) {
		const [ns] = percentiles(operation.total, [99]);
		if (operation.count >= 10 && ns > (worst.ns ?? 0))
			worst = { ns, name };
	}
	return worst;
}

/* The limit that is nearest to being reached. */
export function tightest(document) {
	return document.memlock.filter((entry) => entry.limit_bytes !== null)
		.map((entry) => ({ entry, share: entry.limit_bytes ?
			entry.locked_bytes / entry.limit_bytes : entry.locked_bytes ? 1 : 0 }))
		.sort((a, b) => b.share - a.share)[0];
}

export function level(share) {
	return share >= 0.95 ? "bad" : share >= 0.8 ? "warn" : "good";
}

export function summary(store, window, windowName) {
	const { document } = store;
	const attached = document.devices.filter((device) => device.attached).length;
	const pinned = document.contexts.reduce((sum, ctx) => sum + ctx.pinned_bytes, 0);
	const tight = tightest(document);
	const worst = slowest(store, window);
	const replaced = store.sum(window).get("replace")?.count ?? 0;
	const hurt = document.replacements.filter((r) => HURT.has(r.verdict)).length;
	const errors = [...store.sum(window).values()].reduce((sum, o) => sum + o.errors, 0);

	return [
		tile("rate", "Operations", `${number(rate(store))}/s`,
		     `${count(document.operations.reduce((sum, o) => sum + o.count, 0))} since start`),
		tile("slow", "Slowest at p99", worst.ns === null ? "–" : duration(worst.ns),
		     worst.name ? `${worst.name}, ${windowName}` : `none, ${windowName}`),
		tile("failed", "Failed", count(errors),
		     `${windowName}; ${count(document.operations.reduce((sum, o) => sum + o.errors, 0))} since start`,
		     errors ? "bad" : "good"),
		tile("devices", "Devices attached", `${attached} of ${document.devices.length}`,
		     attached < document.devices.length ? "others have no translation" : "bound to iommufd",
		     attached < document.devices.length ? "warn" : undefined),
		tile("pinned", "Pinned memory", size(pinned),
		     tight ? `${percent(tight.share, 1)} of the tightest limit` : "no limit applies",
		     tight ? level(tight.share) : undefined),
		tile("replaced", "Replacements", count(replaced),
		     hurt ? `${hurt} of the last ${document.replacements.length} not hitless` : windowName,
		     hurt ? "warn" : undefined),
		tile("stuck", "Stuck now", count(document.stuck.length),
		     document.stuck.length ? `longest ${duration(Math.max(
			...document.stuck.map((s) => s.dur_ns)))}` : "all come to an end",
		     document.stuck.length ? "bad" : "good"),
	];
}
