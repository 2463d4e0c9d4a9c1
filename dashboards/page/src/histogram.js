// SPDX-License-Identifier: GPL-2.0-only
//
// Log-linear histograms as the exporter sends them: pairs of a bucket's smallest value and its
// count, 16 buckets an octave, so percentiles are accurate to a sixteenth.
//
// A histogram is {count, sum, buckets: Map(smallest value => count)}.

const STEPS = 16;

export function fromPairs(part) {
	return { count: part.count, sum: part.sum_ns, buckets: new Map(part.buckets) };
}

export function empty() {
	return { count: 0, sum: 0, buckets: new Map() };
}

/* The end of the bucket that starts at a value. */
export function bucketEnd(low) {
	if (low < 2 * STEPS)
		return low + 1;
	return low + 2 ** (Math.floor(Math.log2(low)) - 4);
}

/* What has come since an earlier reading of the same histogram. */
export function since(now, before) {
	const result = { count: now.count - before.count, sum: now.sum - before.sum,
			 buckets: new Map() };

	for (const [low, n] of now.buckets) {
		const more = n - (before.buckets.get(low) ?? 0);
		if (more > 0)
			result.buckets.set(low, more);
	}
	return result;
}

export function add(to, from) {
	to.count += from.count;
	to.sum += from.sum;
	for (const [low, n] of from.buckets)
		to.buckets.set(low, (to.buckets.get(low) ?? 0) + n);
	return to;
}

/*
 * The values that shares of the values do not exceed, one for each of the shares, which rise. As
 * histogram_percentile() of the tool: the values of a bucket are taken as spread evenly over it.
 */
export function percentiles(histogram, percents) {
	const lows = [...histogram.buckets.keys()].sort((a, b) => a - b);
	let total = 0, before = 0, at = 0;

	for (const n of histogram.buckets.values())
		total += n;
	if (!total)
		return percents.map(() => null);
	return percents.map((percent) => {
		const rank = Math.max(Math.ceil((percent / 100) * total), 1);

		while (before + histogram.buckets.get(lows[at]) < rank)
			before += histogram.buckets.get(lows[at++]);
		const low = lows[at], width = bucketEnd(low) - low - 1;
		return Math.floor(low + (width * (rank - before - 0.5)) / histogram.buckets.get(low));
	});
}
