// SPDX-License-Identifier: GPL-2.0-only
//
// The page: reads the exporter's document once a second and brings every section up to date.

import { limits, spaces } from "./capacity.js";
import { LatencyChart } from "./chart.js";
import { devices } from "./devices.js";
import { h, show, text } from "./dom.js";
import { duration, percent, size } from "./format.js";
import { matrix, matrixKeys } from "./matrix.js";
import { legend, replacements } from "./replacements.js";
import { Store } from "./store.js";
import { summary } from "./summary.js";
import { failures, stuck } from "./troubles.js";

const POLL_MS = 1000;
const TIMEOUT_MS = 5000;
const LOST_AFTER = 2;
const WINDOWS = { 60: "last minute", 300: "last 5 min", 900: "last 15 min" };
const STEPS_PER_WINDOW = 150;
const SHORTEST = 30;

const $ = (id) => document.getElementById(id);
const store = new Store();
const choice = { operation: "", phase: "", window: 300 };
let paused = false, missed = 0, heardAt = 0, pending = null;

/* The address holds the selection: it survives a reload and can be shared. */
function readChoice() {
	const words = new URLSearchParams(location.hash.slice(1));

	choice.operation = words.get("operation") ?? "";
	choice.phase = words.get("phase") ?? "";
	choice.window = WINDOWS[words.get("window")] ? Number(words.get("window")) : 300;
}

function writeChoice() {
	history.replaceState(null, "", `#${new URLSearchParams({ operation: choice.operation,
		phase: choice.phase, window: choice.window })}`);
}

function choose(operation, phase) {
	choice.operation = operation;
	choice.phase = phase;
	writeChoice();
	render();
}

/* Before anything is chosen: what took most of the time. */
function chosen() {
	if (!store.current.has(choice.operation) && store.current.size) {
		const most = [...store.current].sort((a, b) => b[1].total.sum - a[1].total.sum)[0];
		return { ...choice, operation: most[0], phase: "" };
	}
	return choice;
}

function options(select, names, value) {
	show(select, names.map(([name, label]) => h("option", { value: name }, label)));
	if (select.value !== value)
		select.value = value;
}

function renderChart() {
	const now = chosen();
	const current = store.current.get(now.operation);
	const window = now.window * 1e9;
	const step = Math.max(Math.round(now.window / STEPS_PER_WINDOW), 1) * 1e9;
	const end = Math.ceil(store.document.time_ns / step) * step / 1e9;
	const first = store.samples.length ? store.samples[0].start / 1e9 : end;
	/* what was not observed yet needs no room */
	const span = Math.min(Math.max(end - first, SHORTEST), now.window);

	options($("operation"), [...store.current.keys()].sort().map((name) => [name, name]), now.operation);
	options($("phase"), [["", "the whole call"], ...[...current?.phases.keys() ?? []].map((name) =>
		[name, name])], now.phase);
	chart.update(store.series(now.operation, now.phase, window, step),
		     end - span, end, step / 1e9);
}

function renderFacts() {
	const { cost, lost, overflowed, uptime_ns } = store.document;
	const share = store.cost(60e9);

	show($("facts"),
	     h("span", {}, `iommuscope ${store.document.tool}`),
	     h("span", {}, `observing for ${duration(uptime_ns)}`),
	     share === null ? null : h("span", {}, `costs ${percent(share, 1)} of a CPU and ${size(cost.resident_bytes)}`),
	     h("span", { class: lost ? "hurt" : "" }, lost ? `${lost} events lost` : "no event lost"),
	     overflowed ? h("span", { class: "hurt" }, `${overflowed} operations counted as (others)`) : null);
}

function render() {
	if (!store.document)
		return;
	const name = WINDOWS[choice.window];
	const now = chosen();

	text($("host"), store.document.host);
	text($("kernel"), `Linux ${store.document.kernel}`);
	document.title = `${store.document.host} · iommuscope`;
	show($("summary"), summary(store, choice.window * 1e9, name));
	renderChart();
	const focusable = () => $("matrix").querySelector("button[tabindex='0']");
	show($("matrix"), h("caption", { class: "hidden" }, "99th percentile of latency by operation and phase"),
	     matrix(store, choice.window * 1e9, now, choose));
	if (!focusable())
		$("matrix").querySelector("button")?.setAttribute("tabindex", "0");
	show($("devices"), h("caption", { class: "hidden" }, "Devices bound to an iommufd"), devices(store.document));
	show($("replacements"), replacements(store.document));
	show($("failures"), failures(store.document));
	$("stuck-section").hidden = !store.document.stuck.length;
	show($("stuck"), stuck(store.document));
	show($("limits"), limits(store.document));
	show($("spaces"), spaces(store.document));
	renderFacts();
	document.body.dataset.ready = store.document.time_ns;
}

/* The connection */

function status(state, words) {
	document.body.dataset.state = state;
	text($("status-text"), words);
}

function renderStatus() {
	if (missed >= LOST_AFTER)
		status("lost", heardAt ? `no answer for ${duration((performance.now() - heardAt) * 1e6)}` :
		       "the exporter does not answer");
	else if (paused)
		status("paused", "paused");
	else if (heardAt)
		status("live", "live");
}

async function poll() {
	const abort = new AbortController();
	const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);

	try {
		const response = await fetch("live.json", { signal: abort.signal, cache: "no-store" });
		if (!response.ok)
			throw new Error(`status ${response.status}`);
		const fresh = await response.json();
		const late = missed >= LOST_AFTER;
		missed = 0;
		heardAt = performance.now();
		if (store.take(fresh))
			text($("notice"), "The exporter was started anew: its counts begin at zero.");
		else if (late)
			text($("notice"), "");
		render();
	} catch {
		missed++;
	} finally {
		clearTimeout(timer);
	}
	renderStatus();
}

async function loop() {
	const begin = performance.now();

	if (!paused && !document.hidden)
		await poll();
	pending = setTimeout(loop, Math.max(POLL_MS - (performance.now() - begin), 100));
}

/* What the user can do */

function setTheme(theme) {
	document.documentElement.dataset.theme = theme;
	try {
		localStorage.setItem("theme", theme);
	} catch {
		/* the browser keeps nothing: then the choice lasts as long as the page */
	}
	for (const button of document.querySelectorAll("[data-theme-choice]"))
		button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
	chart?.restyle();
}

function savedTheme() {
	try {
		return localStorage.getItem("theme") ?? "auto";
	} catch {
		return "auto";
	}
}

function setWindow(seconds) {
	choice.window = seconds;
	for (const button of document.querySelectorAll("[data-window]"))
		button.setAttribute("aria-pressed", String(Number(button.dataset.window) === seconds));
}

function setPaused(yes) {
	paused = yes;
	$("pause").setAttribute("aria-pressed", String(yes));
	text($("pause"), yes ? "Resume" : "Pause");
	renderStatus();
	if (!yes) {
		clearTimeout(pending);
		loop();
	}
}

readChoice();
const chart = new LatencyChart($("chart"), $("readout"));
setTheme(savedTheme());
setWindow(choice.window);
show($("replacement-legend"), legend());
for (const button of document.querySelectorAll("[data-window]"))
	button.onclick = () => {
		setWindow(Number(button.dataset.window));
		writeChoice();
		render();
	};
for (const button of document.querySelectorAll("[data-theme-choice]"))
	button.onclick = () => setTheme(button.dataset.themeChoice);
$("pause").onclick = () => setPaused(!paused);
$("operation").onchange = (event) => choose(event.target.value, "");
$("phase").onchange = (event) => choose(chosen().operation, event.target.value);
$("matrix").onkeydown = matrixKeys;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart.restyle());
document.addEventListener("visibilitychange", () => {
	if (!document.hidden) {
		clearTimeout(pending);
		loop();
	}
});
setInterval(renderStatus, POLL_MS);
status("connecting", "connecting");
loop();
