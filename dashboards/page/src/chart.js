// SPDX-License-Identifier: GPL-2.0-only
//
// Latency over time: the percentiles as lines, and behind them the heat map of all that occurred.

import uPlot from "uplot";
import { h, show, text } from "./dom.js";
import { clock, count, duration } from "./format.js";
import { bucketEnd, percentiles } from "./histogram.js";

export const PERCENTS = [50, 90, 99, 99.9];
const NAMES = PERCENTS.map((percent) => `p${percent}`);
const HEIGHT = 300;

/* Rows of the heat map an octave: the histograms' 16 would be a pixel each. */
const ROWS = 4;

function row(ns) {
	return Math.floor(Math.log2(Math.max(ns, 1)) * ROWS);
}

function colours(element) {
	const style = getComputedStyle(element);
	const get = (name) => style.getPropertyValue(name).trim();

	return { lines: PERCENTS.map((_, i) => get(`--line-${i}`)), heat: get("--heat"),
		 grid: get("--rule"), text: get("--muted") };
}

/* The counts of a histogram by row of the heat map. */
function rows(histogram) {
	const result = new Map();

	for (const [low, n] of histogram.buckets) {
		const at = row((low + bucketEnd(low)) / 2);
		result.set(at, (result.get(at) ?? 0) + n);
	}
	return result;
}

export class LatencyChart {
	constructor(element, readout) {
		this.element = element;
		this.readout = readout;
		this.columns = [];
		this.plot = null;
		this.step = 1;
		this.data = [[], ...PERCENTS.map(() => [])];
		new ResizeObserver(() => this.resize()).observe(element);
		element.addEventListener("keydown", (event) => this.key(event));
		element.addEventListener("blur", () => this.leave());
	}

	options() {
		const colour = colours(this.element);
		const axis = { stroke: colour.text, font: "12px system-ui, sans-serif",
			       grid: { stroke: colour.grid, width: 1 },
			       ticks: { stroke: colour.grid, width: 1, size: 4 } };

		return {
			width: Math.max(this.element.clientWidth, 240), height: HEIGHT,
			legend: { show: false },
			padding: [12, 30, 0, 0],
			cursor: { drag: { x: false, y: false }, points: { size: 7 } },
			scales: { x: { time: true, range: (_, min, max) => this.range ?? [min, max] },
				  y: { distr: 3, log: 10, range: (_, min, max) => this.extent(min, max) } },
			axes: [{ ...axis, size: 32, space: 70,
				 values: (_, splits) => splits.map((s) => clock(s * 1e9)) },
			       { ...axis, size: 58,
				 values: (_, splits) => splits.map((v) =>
					Math.abs(Math.log10(v) % 1) < 1e-6 ? duration(v).replace(".0", "") : null) }],
			series: [{}, ...PERCENTS.map((_, i) => ({
				label: NAMES[i], stroke: colour.lines[i], width: i === 2 ? 2.25 : 1.5,
				spanGaps: false, points: { show: (u, s) => this.single(s), size: 4 },
			}))],
			hooks: { drawClear: [(u) => this.heat(u, colour)],
				 setCursor: [(u) => this.read(u.cursor.idx)] },
		};
	}

	/* A line through a single point would not be seen. */
	single(series) {
		const values = this.data[series] ?? [];

		return values.filter((value) => value !== null).length < 3;
	}

	/* Whole decades, at least two. */
	extent(min, max) {
		let low = this.low ?? min, high = this.high ?? max;

		if (low === null || low === undefined || high === null || high === undefined)
			return [100, 1e7];
		low = 10 ** Math.floor(Math.log10(low));
		high = 10 ** Math.ceil(Math.log10(high));
		return [low, Math.max(high, low * 100)];
	}

	heat(u, colour) {
		const { ctx } = u;
		const { left, top, width, height } = u.bbox;
		let most = 0;

		for (const column of this.columns)
			for (const n of column.values())
				most = Math.max(most, n);
		if (!most)
			return;
		ctx.save();
		ctx.beginPath();
		ctx.rect(left, top, width, height);
		ctx.clip();
		ctx.fillStyle = colour.heat;
		this.columns.forEach((column, i) => {
			const right = u.valToPos(this.data[0][i], "x", true);
			const x = u.valToPos(this.data[0][i] - this.step, "x", true);
			for (const [at, n] of column) {
				const y = u.valToPos(2 ** ((at + 1) / ROWS), "y", true);
				const bottom = u.valToPos(2 ** (at / ROWS), "y", true);
				ctx.globalAlpha = 0.16 + 0.7 * (Math.log1p(n) / Math.log1p(most));
				ctx.fillRect(Math.floor(x), Math.floor(y), Math.max(Math.ceil(right) - Math.floor(x), 1),
					     Math.max(Math.ceil(bottom - y) - 1, 1));
			}
		});
		ctx.restore();
	}

	/* Draw what a series of the store says; the times from and to are in seconds. */
	update(series, from, to, step) {
		const values = series.histograms.map((histogram) =>
			histogram ? percentiles(histogram, PERCENTS) : PERCENTS.map(() => null));
		let low = Infinity, high = 0;

		this.step = step;
		this.columns = series.histograms.map((histogram) => histogram ? rows(histogram) : new Map());
		this.counts = series.histograms.map((histogram) => histogram?.count ?? 0);
		this.data = [series.times, ...PERCENTS.map((_, i) => values.map((value) => value[i]))];
		this.range = [from, to];
		for (const column of this.columns)
			for (const at of column.keys()) {
				low = Math.min(low, 2 ** (at / ROWS));
				high = Math.max(high, 2 ** ((at + 1) / ROWS));
			}
		this.low = high ? low : null;
		this.high = high || null;
		if (this.plot)
			this.plot.setData(this.data);
		else
			this.plot = new uPlot(this.options(), this.data, this.element);
		this.read(this.plot.cursor.idx);
	}

	/* Colours have changed: redraw everything. */
	restyle() {
		this.plot?.destroy();
		this.plot = null;
		if (this.range)
			this.plot = new uPlot(this.options(), this.data, this.element);
	}

	resize() {
		const width = this.element.clientWidth;

		if (this.plot && width && width !== this.plot.width)
			this.plot.setSize({ width, height: HEIGHT });
	}

	/* What stands above the chart: the values at the cursor, or else the last ones. */
	read(index) {
		const last = this.counts ? this.counts.findLastIndex((n) => n > 0) : -1;
		const at = index ?? last;
		const some = at >= 0 && at < this.data[0].length;
		const entries = PERCENTS.map((_, i) => h("span", { class: "entry" },
			h("i", { class: `swatch line-${i}`, "aria-hidden": "true" }), `${NAMES[i]} `,
			h("b", {}, duration(some ? this.data[i + 1][at] : null))));

		show(this.readout,
		     h("span", { class: "entry when" }, some ? clock(this.data[0][at] * 1e9) : "no operation yet"),
		     ...entries,
		     h("span", { class: "entry" }, "calls ", h("b", {}, some ? count(this.counts[at]) : "–")));
	}

	key(event) {
		const n = this.data[0].length;
		const now = this.plot?.cursor.idx ?? n - 1;
		const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: n - 1 }[event.key];

		if (event.key === "Escape")
			this.leave();
		if (to === undefined || !this.plot || !n)
			return;
		event.preventDefault();
		const at = Math.min(Math.max(to, 0), n - 1);
		this.plot.setCursor({ left: this.plot.valToPos(this.data[0][at], "x"), top: HEIGHT / 3 });
		text(this.element.querySelector(".said") ?? this.said(), this.readout.textContent);
	}

	/* A live region that speaks only when a key moved the cursor. */
	said() {
		const node = h("div", { class: "said hidden", "aria-live": "polite" });

		this.element.append(node);
		return node;
	}

	leave() {
		this.plot?.setCursor({ left: -10, top: -10 });
	}
}
