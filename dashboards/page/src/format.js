// SPDX-License-Identifier: GPL-2.0-only
//
// Numbers as the tool writes them on a terminal.

/* One decimal below ten, none above; what would round up to ten is above. */
function scaled(value, unit) {
	return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
}

export function duration(ns) {
	if (ns === null || ns === undefined)
		return "–";
	if (ns < 1000)
		return `${Math.round(ns)} ns`;
	if (ns < 999500)
		return scaled(ns / 1e3, "µs");
	if (ns < 999500000)
		return scaled(ns / 1e6, "ms");
	if (ns < 99500000000)
		return scaled(ns / 1e9, "s");
	const seconds = Math.round(ns / 1e9);
	if (seconds < 3600)
		return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
	if (seconds < 86400)
		return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds / 60) % 60)} min`;
	return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds / 3600) % 24)} h`;
}

export function size(bytes) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
	let unit = 0;

	while (unit + 1 < units.length && bytes >= 1023.5 * 1024 ** unit)
		unit++;
	return unit ? scaled(bytes / 1024 ** unit, units[unit]) : `${Math.round(bytes)} B`;
}

/* A whole number with its digits in groups. */
export function count(value) {
	return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

export function number(value) {
	const units = ["", " k", " M", " G", " T"];
	let unit = 0;

	if (value < 10000)
		return value === 0 || value >= 99.5 ? value.toFixed(0) :
			value < 0.095 ? value.toFixed(2) : value.toFixed(value < 9.95 ? 1 : 0);
	while (value >= 999.5 && unit + 1 < units.length) {
		value /= 1000;
		unit++;
	}
	return (value < 9.95 ? value.toFixed(1) : value.toFixed(0)) + units[unit];
}

export function percent(part, whole) {
	const value = whole ? (100 * part) / whole : 0;

	return `${value > 0 && value < 9.95 ? value.toFixed(1) : value.toFixed(0)} %`;
}

/* The time of day, of nanoseconds since 1970. */
export function clock(ns) {
	const date = new Date(ns / 1e6);
	const two = (n) => String(n).padStart(2, "0");

	return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function plural(n, one, many = `${one}s`) {
	return `${count(n)} ${n === 1 ? one : many}`;
}
