// SPDX-License-Identifier: GPL-2.0-only
//
// Remaining capacity: pinned memory against its limits, and the IOVA space of each IOAS.

import { h } from "./dom.js";
import { count, percent, size } from "./format.js";
import { level } from "./summary.js";

function meter(key, label, sub, share, value, kind, words) {
	const now = Math.min(100 * share, 100);

	return h("li", { "data-key": key },
		 h("div", { class: "head" }, h("b", {}, label), h("span", { class: "sub" }, sub),
		   h("span", { class: "value" }, value)),
		 h("div", { class: "meter", role: "meter", "aria-label": `${label}: ${words}`,
			    "aria-valuemin": "0", "aria-valuemax": "100",
			    "aria-valuenow": now.toFixed(1), "aria-valuetext": words },
		   h("i", { class: kind, style: { width: `${now}%` } })));
}

function memlock(document, entry) {
	const ctx = document.contexts.find((c) => c.ctx === entry.ctx);
	const label = ctx ? `${ctx.process} [${ctx.pid}]` : `ctx ${entry.ctx}`;
	const sub = entry.rlimit_mode === "process" ? "counted by process" : `with all of uid ${ctx?.uid}`;
	const key = entry.ctx;

	if (entry.limit_bytes === null)
		return h("li", { "data-key": key },
			 h("div", { class: "head" }, h("b", {}, label), h("span", { class: "sub" }, sub),
			   h("span", { class: "value" }, `${size(entry.locked_bytes)}, no limit`)));
	const share = entry.limit_bytes ? entry.locked_bytes / entry.limit_bytes : 1;
	const value = `${size(entry.locked_bytes)} of ${size(entry.limit_bytes)}`;
	return meter(key, label, sub, share, value, level(share), `${value}, ${percent(share, 1)}`);
}

/* A share of a space this large is seen only on a logarithmic scale; the words are exact. */
function space(document, ioas) {
	const ctx = document.contexts.find((c) => c.ctx === ioas.ctx);
	const value = `${size(ioas.mapped_bytes)} mapped`;
	const hole = ioas.busy ? "busy" : `largest hole ${size(ioas.largest_hole_bytes)}, ${percent(ioas.fragmentation, 1)} fragmented`;

	return h("li", { "data-key": `${ioas.ctx}/${ioas.ioas}` },
		 h("div", { class: "head" }, h("b", {}, `ioas ${ioas.ioas}`),
		   h("span", { class: "sub" }, `${ctx ? `${ctx.process} [${ctx.pid}], ` : ""}ctx ${ioas.ctx}`),
		   h("span", { class: "value" }, value)),
		 h("div", { class: "meter", role: "meter", "aria-label": `ioas ${ioas.ioas}: fragmentation of free IOVAs`,
			    "aria-valuemin": "0", "aria-valuemax": "100",
			    "aria-valuenow": (100 * ioas.fragmentation).toFixed(1), "aria-valuetext": hole },
		   h("i", { class: ioas.fragmentation > 0.9 ? "bad" : ioas.fragmentation > 0.5 ? "warn" : "good",
			    style: { width: `${100 * ioas.fragmentation}%` } })),
		 h("p", { class: "says" }, h("span", {}, `${count(ioas.areas)} areas`), ioas.busy ? null : h("span", {}, `${size(ioas.free_bytes)} free`),
		   h("span", {}, hole)));
}

export function limits(document) {
	return document.memlock.length ? document.memlock.map((entry) => memlock(document, entry)) :
		[h("li", { class: "empty" }, "Nothing is pinned.")];
}

/* Show the dozen with most areas; a longer list is not read. */
const SPACES = 12;

export function spaces(document) {
	const sorted = [...document.ioases].sort((a, b) => b.areas - a.areas);

	if (!sorted.length)
		return [h("li", { class: "empty" }, "There is no IOAS.")];
	return sorted.slice(0, SPACES).map((ioas) => space(document, ioas)).concat(sorted.length > SPACES ?
		h("li", { class: "empty", "data-key": "more" }, `and ${sorted.length - SPACES} more, with fewer areas`) : []);
}
