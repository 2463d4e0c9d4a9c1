// SPDX-License-Identifier: GPL-2.0-only
//
// The last failures, in words, and operations that do not finish.

import { h } from "./dom.js";
import { clock, duration, plural } from "./format.js";
import { title } from "./store.js";

export function failures(document) {
	if (!document.failures.length)
		return [h("li", { class: "empty" }, "No operation has failed.")];
	return document.failures.map((failure) =>
		h("li", { "data-key": `${title(failure)}/${failure.reason}` },
		  h("time", {}, clock(failure.time_ns)),
		  h("div", {}, failure.text,
		    failure.count > 1 ? h("span", { class: "sub" }, `the last of ${plural(failure.count, "like this", "like this")}`) : null)));
}

export function stuck(document) {
	return document.stuck.map((operation) =>
		h("li", { "data-key": operation.tid },
		  h("b", {}, duration(operation.dur_ns)), h("div", {}, `${title(operation)} of ${operation.what}${operation.ctx ? `, ctx ${operation.ctx}` : ""}`,
			     operation.phase_text ? h("span", { class: "sub" }, operation.phase_text) : null)));
}
