// SPDX-License-Identifier: GPL-2.0-only
//
// The heat map by operation and phase: a table whose cells are coloured by their tail latency.
//
// It is a table of buttons, one of which is in the tab order; arrow keys move among them. A cell
// chooses what the chart shows.

import { h } from "./dom.js";
import { count, duration, number, percent } from "./format.js";
import { percentiles } from "./histogram.js";

const ORDER = ["wait", "account", "pin", "map", "unmap", "sync", "unpin", "check", "alloc", "fill",
	       "switch", "drop", "iommufd", "driver", "reset"];

/* From 100 ns to 1 s, in steps of a factor of two or so. */
const COLD = Math.log(100), HOT = Math.log(1e9);
const SHADES = 12;

function shade(ns) {
	const at = (Math.log(Math.max(ns, 1)) - COLD) / (HOT - COLD);

	return Math.min(Math.max(Math.floor(at * SHADES), 0), SHADES - 1);
}

function cell(name, phase, part, whole, old, choice, choose) {
	if (!part)
		return h("td", { class: "none", role: "cell", "data-phase": phase || "total" }, h("span", { "aria-hidden": "true" }, "·"));
	const [p50, p99] = percentiles(part, [50, 99]);
	const chosen = choice.operation === name && choice.phase === phase;
	const of = phase ? `, ${percent(part.sum, whole.sum)} of the time` : "";

	return h("td", { role: "cell", "data-phase": phase || "total" },
		 h("button", { type: "button", class: `heat-${shade(p99)}${old ? " old" : ""}`,
			       "aria-pressed": String(chosen), tabindex: chosen ? "0" : "-1",
			       title: `${name}${phase ? `, ${phase}` : ""}: half in ${duration(p50)}, ` +
				      `99 % in ${duration(p99)}${of}${old ? "; since start" : ""}`,
			       onclick: () => choose(name, phase) }, duration(p99)));
}

export function matrix(store, window, choice, choose) {
	const recent = store.sum(window);
	const names = [...store.current.keys()].filter((name) => store.current.get(name).count);
	const phases = ORDER.filter((phase) =>
		names.some((name) => store.current.get(name).phases.has(phase)));
	const seconds = Math.min(window, store.samples.length ?
		store.document.time_ns - store.samples[0].start : 0) / 1e9;

	if (!names.length)
		return [h("tbody", { role: "rowgroup" }, h("tr", { role: "row" },
			h("td", { class: "empty", role: "cell" }, "No operation yet. As soon as a program opens " +
			  "/dev/iommu, what it does shows here.")))];
	const time = (name) => recent.get(name)?.total.sum ?? 0;
	names.sort((a, b) => time(b) - time(a) ||
		   store.current.get(b).total.sum - store.current.get(a).total.sum);
	return [
		h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
			h("th", { scope: "col", role: "columnheader" }, "Operation"),
			h("th", { scope: "col", role: "columnheader", class: "number" }, "Rate"),
			h("th", { scope: "col", role: "columnheader", class: "number" }, "Calls"),
			...["total", ...phases].map((phase) =>
				h("th", { scope: "col", role: "columnheader", class: "phase" }, phase)))),
		h("tbody", { role: "rowgroup" }, ...names.map((name) => {
			const all = store.current.get(name);
			const now = recent.get(name);
			const shown = now ?? all;
			return h("tr", { role: "row", "data-key": name, "data-operation": name },
				 h("th", { scope: "row", role: "rowheader" }, name,
				   all.errors ? h("span", { class: "errors",
							    title: `${count(all.errors)} failed since start` },
						  ` ${count(all.errors)} failed`) : null),
				 h("td", { class: "number", role: "cell" },
				   now && seconds ? `${number(now.count / seconds)}/s` : "–"),
				 h("td", { class: "number", role: "cell", "data-count": all.count }, count(all.count)),
				 cell(name, "", shown.total, shown.total, !now, choice, choose),
				 ...phases.map((phase) => cell(name, phase, shown.phases.get(phase),
							       shown.total, !now, choice, choose)));
		})),
	];
}

/* Arrow keys move among the cells that have a button. */
export function matrixKeys(event) {
	const button = event.target.closest("button");
	const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];

	if (!button || !step)
		return;
	const grid = [...event.currentTarget.querySelectorAll("tbody tr")].map((tr) =>
		[...tr.children].map((td) => td.querySelector("button")));
	let y = grid.findIndex((line) => line.includes(button));
	let x = grid[y].indexOf(button);

	event.preventDefault();
	for (;;) {
		y += step[0];
		x += step[1];
		if (!grid[y] || x < 0 || x >= grid[y].length)
			return;
		if (grid[y][x]) {
			grid[y][x].focus();
			return;
		}
	}
}
