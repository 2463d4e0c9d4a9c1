#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
//
// The page as a guest's exporter serves it, while known workloads run in the guest.
//
// Usage: live_test.mjs PORT PACKAGES SCREENSHOTS

import { eventually } from "../lib/patience.mjs";
import { equal, ok, run } from "../lib/tap.mjs";
import { calls, inked, launch, open, packages, shoot } from "./browser.mjs";
import { Guest } from "./guest.mjs";
import { POLICY } from "./simulate.mjs";

const [port, npm, shots] = process.argv.slice(2);
const { playwright } = packages(npm);
const browser = await launch(playwright);
const guest = await Guest.begin();
const url = `http://127.0.0.1:${port}/`;

/* The samples of a scrape: [{name, labels, value}]. */
async function scrape() {
	const text = await (await fetch(`${url}metrics`)).text();

	return text.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => {
		const [, name, labels, value] = line.match(/^(\w+)(?:\{(.*)\})? (\S+)/);
		return { name, value: Number(value), labels: Object.fromEntries(
			[...(labels ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, v]) => [key, v])) };
	});
}

function sum(samples, name, wanted = {}) {
	return samples.filter((sample) => sample.name === name &&
		Object.entries(wanted).every(([key, value]) => sample.labels[key] === value))
		.reduce((total, sample) => total + sample.value, 0);
}

/* The calls of each operation according to the metrics, by the page's names. */
function counted(samples) {
	const result = {};

	for (const { name, labels, value } of samples) {
		const [, subsystem] = name.match(/^(iommufd|vfio)_operations_total$/) ?? [];
		if (!subsystem || !value)
			continue;
		const title = subsystem === "iommufd" ? labels.operation : `vfio_${labels.operation}`;
		result[title] = (result[title] ?? 0) + value;
	}
	return result;
}

async function headers() {
	const response = await fetch(url);

	equal([response.status, response.headers.get("content-security-policy")], [200, POLICY], "the page has its policy");
	const tag = response.headers.get("etag");
	equal((await fetch(url, { headers: { "If-None-Match": tag } })).status, 304, "a client that has it does not get it again");
	const document = await fetch(`${url}live.json`);
	equal([document.status, document.headers.get("content-type"), document.headers.get("cache-control")],
	      [200, "application/json", "no-store"], "the document is JSON that is not cached");
	for (const path of ["page.jsx", "..%2fmetrics", "page_assets.c"])
		equal((await fetch(url + path)).status, 404, `there is no ${path}`);
}

async function figures() {
	await guest.run("in_background guest-load -m 8 -s 1 -k 80000 mock");
	await guest.run("map-load 300 65536 7 >/dev/null");
	await guest.run("replace-load 6 1 200 >/dev/null");
	await guest.run("limited map-load -m 2 0x100000 >/dev/null 2>&1; true");
	const { context, page, seen } = await open(browser, url, { clock: false });

	await guest.run("for i in 1 2 3 4 5 6; do map-load 200 65536 >/dev/null; sleep 0.7; done");
	/* a replaced device is reported a second later; nothing else runs then */
	const same = await eventually(async () => {
		const samples = await scrape();
		const reported = await calls(page), wanted = counted(samples);
		return JSON.stringify(Object.entries(reported).sort()) === JSON.stringify(Object.entries(wanted).sort());
	});
	const samples = await scrape();
	ok(same, "calls on the page are those of /metrics", await calls(page), counted(samples));
	ok((await calls(page)).map > 1500, "and those of the workload");

	const device = samples.find((sample) => sample.name === "iommufd_device_info").labels;
	const row = await page.textContent(`#devices tbody tr >> text=${device.device}`);
	ok(row.includes(device.device), "the device of /metrics is in the table");
	ok((await page.textContent("#devices")).includes("attached"), "with its state");
	equal(Number((await page.textContent("[data-key='devices'] .value")).split(" ")[2]), sum(samples, "iommufd_devices"),
	      "as many devices");
	const bytes = await page.evaluate(() => fetch("live.json").then((r) => r.json()).then((d) => ({
		mapped: d.ioases.reduce((total, ioas) => total + ioas.mapped_bytes, 0),
		pinned: d.contexts.reduce((total, ctx) => total + ctx.pinned_bytes, 0) })));
	equal(bytes, { mapped: sum(samples, "iommufd_mapped_bytes"), pinned: sum(samples, "iommufd_pinned_bytes") },
	      "mapped and pinned bytes are those of /metrics");

	const failures = await page.textContent("#failures");
	ok(failures.includes("RLIMIT_MEMLOCK: 64 KiB allowed") && failures.includes("map-load"),
	   "the failure is shown as text", failures);
	const failed = await page.$$eval("#failures > li", (items) => items.length);
	equal(failed, samples.filter((sample) => /_failures_total$/.test(sample.name) && sample.value).length,
	      "as many kinds of failures as in /metrics");

	const replaced = () => page.$$eval("#replacements > li[data-key]", (items) => items.length);
	await eventually(async () => await replaced() >= 6);
	const reported = sum(await scrape(), "iommufd_replacements_total");
	ok(reported >= 6 && await replaced() === Math.min(reported, 8), "replacements: the last of those in /metrics", reported,
	   await replaced());
	ok((await page.textContent("#replacements")).includes("without translation"), "with their windows");

	const drawn = await inked(page);
	ok(drawn.share > 0.01 && drawn.colours > 10, "the chart is drawn", drawn);
	await shoot(page, shots, "live");
	equal([seen.errors, seen.foreign], [[], []], "no error, and no request to another host");
	await context.close();
}

async function restart() {
	const { context, page, seen } = await open(browser, url, { clock: false });

	seen.away = true;
	await guest.run("kill_exporter");
	ok(await eventually(async () => await page.getAttribute("body", "data-state") === "lost"),
	   "the page reports a killed exporter");
	await guest.run("start_exporter");
	await guest.run("map-load 50 65536 >/dev/null");
	ok(await eventually(async () => await page.getAttribute("body", "data-state") === "live"), "the page finds a new one");
	ok(await eventually(async () => (await calls(page)).map === 50), "its counts start at zero");
	ok((await page.textContent("#notice")).includes("started anew"), "and the page reports the restart");
	equal([seen.errors, seen.foreign], [[], []], "no other error");
	await context.close();
}

try {
	await run(headers, figures, restart);
} finally {
	await browser.close();
	await guest.end();
}
