// SPDX-License-Identifier: GPL-2.0-only
//
// The page's memory: the last document, and the differences between consecutive documents.
//
// The exporter's counts only grow while it runs. The difference of two documents is a sample:
// {start, end (ns), cpu (ns),
//  operations: Map(name => {count, errors, bytes, total, phases})}
// It holds only operations that occurred; cpu is the exporter's. Samples older than the longest
// window are dropped. When the exporter restarts (another instance), its counts and the first
// sample start at zero.

import { add, empty, fromPairs, since } from "./histogram.js";

export const KEEP_NS = 15 * 60e9;

/* The name that operations have for people; only iommufd's have no prefix. */
export function title(operation) {
	return operation.subsystem === "iommufd" ? operation.operation :
		`${operation.subsystem}_${operation.operation}`;
}

function read(operation) {
	return { count: operation.count, errors: operation.errors, bytes: operation.bytes,
		 max: operation.max_ns, total: fromPairs(operation),
		 phases: new Map(operation.phases.map((phase) => [phase.phase, fromPairs(phase)])) };
}

function readAll(document) {
	return new Map(document.operations.map((operation) => [title(operation), read(operation)]));
}

const nothing = { count: 0, errors: 0, bytes: 0, total: empty(), phases: new Map() };

function difference(now, before) {
	const phases = new Map();

	for (const [name, histogram] of now.phases) {
		const more = since(histogram, before.phases.get(name) ?? empty());
		if (more.count)
			phases.set(name, more);
	}
	return { count: now.count - before.count, errors: now.errors - before.errors,
		 bytes: now.bytes - before.bytes, total: since(now.total, before.total), phases };
}

export class Store {
	constructor() {
		this.document = null;
		this.current = new Map();
		this.samples = [];
	}

	/* Take a document. Return whether the exporter restarted since the last one. */
	take(document) {
		const restarted = this.document && this.document.instance !== document.instance;
		const current = readAll(document);
		const sample = { end: document.time_ns, operations: new Map() };

		if (this.document && !(document.time_ns > this.document.time_ns))
			return false;
		sample.start = this.document ? this.document.time_ns : document.time_ns;
		if (this.document) {
			for (const [name, now] of current) {
				const before = restarted ? nothing : this.current.get(name) ?? nothing;
				if (now.count > before.count)
					sample.operations.set(name, difference(now, before));
			}
			sample.cpu = document.cost.cpu_ns - (restarted ? 0 : this.document.cost.cpu_ns);
			this.samples.push(sample);
		}
		while (this.samples.length && this.samples[0].end < document.time_ns - KEEP_NS)
			this.samples.shift();
		this.document = document;
		this.current = current;
		return restarted;
	}

	/* The samples of the last so many nanoseconds, the oldest first. */
	recent(window) {
		const from = this.document ? this.document.time_ns - window : 0;

		return this.samples.filter((sample) => sample.end > from);
	}

	/* The share of a CPU that the exporter took in the last so many nanoseconds, or null. */
	cost(window) {
		const samples = this.recent(window);
		const span = samples.length ? samples.at(-1).end - samples[0].start : 0;

		return span ? samples.reduce((sum, sample) => sum + sample.cpu, 0) / span : null;
	}

	/* What occurred in the last so many nanoseconds: Map(name => as in a sample). */
	sum(window) {
		const result = new Map();

		for (const sample of this.recent(window))
			for (const [name, operation] of sample.operations) {
				if (!result.has(name))
					result.set(name, { count: 0, errors: 0, bytes: 0,
							   total: empty(), phases: new Map() });
				const to = result.get(name);
				to.count += operation.count;
				to.errors += operation.errors;
				to.bytes += operation.bytes;
				add(to.total, operation.total);
				for (const [phase, histogram] of operation.phases)
					to.phases.set(phase, add(to.phases.get(phase) ?? empty(),
								 histogram));
			}
		return result;
	}

	/*
	 * One operation's histogram over time, in steps of so many nanoseconds: the times at which
	 * steps end, in seconds, and a histogram for each. Steps lie at whole multiples, so that a
	 * step does not change once it is over. Where nothing was read there is no step: a gap.
	 */
	series(name, phase, window, step) {
		const bins = new Map();

		for (const sample of this.recent(window)) {
			const bin = Math.ceil(sample.end / step);
			const operation = sample.operations.get(name);
			const part = phase ? operation?.phases.get(phase) : operation?.total;

			if (sample.end - sample.start > 5 * step && sample.end - sample.start > 5e9)
				bins.set(bin - 1, null);
			if (!bins.get(bin))
				bins.set(bin, empty());
			if (part)
				add(bins.get(bin), part);
		}
		const sorted = [...bins].sort((a, b) => a[0] - b[0]);
		return { times: sorted.map(([bin]) => (bin * step) / 1e9),
			 histograms: sorted.map(([, histogram]) => histogram) };
	}
}
