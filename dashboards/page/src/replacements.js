// SPDX-License-Identifier: GPL-2.0-only
//
// The last replacements of a translation, each as a time line: its phases one after the other, and
// below them the time in which the device had no translation, with the faults in it.

import { h } from "./dom.js";
import { clock, duration, plural } from "./format.js";

/* In the order in which a replacement goes through them. */
const PHASES = ["wait", "check", "alloc", "fill", "switch", "drop"];

const BADGES = { hitless: "good", blocked: "warn", rolled_back: "bad", stranded: "bad", refused: "bad" };

function change(what, before, after) {
	return before && after && before !== after ? `${what} ${before} → ${after}` : `${what} ${after || before}`;
}

function share(ns, whole) {
	return `${Math.min((100 * ns) / whole, 100)}%`;
}

function bar(replacement) {
	const whole = Math.max(replacement.dur_ns, 1);
	const known = PHASES.map((name) => [name, replacement[`${name}_ns`]]);
	const other = Math.max(whole - known.reduce((sum, [, ns]) => sum + ns, 0), 0);
	const parts = [...known, ["other", other]].filter(([, ns]) => ns > 0);
	const window = replacement.window_ns > 0 ?
		h("i", { class: "window", style: { left: share(replacement.window_offset_ns, whole),
						   width: share(replacement.window_ns, whole) } }) : null;

	return h("div", { class: "line" },
		 h("div", { class: "phases" }, ...parts.map(([name, ns]) =>
			h("i", { class: `phase-${name}`, title: `${name} ${duration(ns)}`,
				 style: { "flex-grow": String(ns) } }))),
		 h("div", { class: "below" }, window,
		   ...replacement.faults.filter((fault) => fault.offset_ns >= 0 && fault.offset_ns <= whole)
			.map((fault) => h("i", { class: "fault", style: { left: share(fault.offset_ns, whole) },
						 title: `${fault.fault_text} at 0x${fault.iova.toString(16)}` }))));
}

function says(replacement) {
	const phases = PHASES.map((name) => [name, replacement[`${name}_ns`]])
		.filter(([, ns]) => ns >= replacement.dur_ns / 50)
		.map(([name, ns]) => `${name} ${duration(ns)}`);
	const faults = replacement.faults_in_window + replacement.faults_after;

	return [
		h("span", {}, `${duration(replacement.dur_ns)} in all`),
		...phases.map((text) => h("span", {}, text)),
		replacement.window_ns ? h("span", { class: "hurt" },
			`${duration(replacement.window_ns)} without translation`) : null,
		faults ? h("span", { class: "hurt" }, (replacement.faults_at_least ? "at least " : "") +
			plural(faults, "fault")) : null,
		replacement.waited ? h("span", {}, `${plural(replacement.waited, "operation")} waited, ` +
			`${duration(replacement.waited_longest_ns)} the longest`) : null,
		replacement.message ? h("span", { class: "hurt" }, replacement.message) : null,
	];
}

export function replacements(document) {
	if (!document.replacements.length)
		return [h("li", { class: "empty" }, "No translation has been replaced.")];
	return document.replacements.map((replacement) =>
		h("li", { "data-key": `${replacement.number}/${replacement.device}` },
		  h("div", { class: "head" },
		    h("time", {}, clock(replacement.time_ns)),
		    h("b", {}, replacement.device),
		    h("span", { class: "sub" }, [change("hwpt", replacement.old_hwpt, replacement.hwpt),
						 change("ioas", replacement.old_ioas, replacement.ioas),
						 `${replacement.process} [${replacement.pid}]`].join(", ")),
		    h("span", { class: `badge ${BADGES[replacement.verdict] ?? "quiet"}` },
		      replacement.verdict_text)),
		  bar(replacement),
		  h("p", { class: "says" }, ...says(replacement))));
}

export function legend() {
	return [...PHASES, "other"].map((name) =>
		h("span", { class: "entry" }, h("i", { class: `swatch phase-${name}` }), name))
		.concat(h("span", { class: "entry" }, h("i", { class: "swatch window" }), "no translation"),
			h("span", { class: "entry" }, h("i", { class: "swatch fault" }), "fault"));
}
