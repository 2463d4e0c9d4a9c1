#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
//
// The page in a browser, with the data of an invented host.
//
// Usage: browser_test.mjs PAGE PACKAGES SCREENSHOTS

import { existsSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../lib/patience.mjs";
import { equal, ok, run, skipAll } from "../lib/tap.mjs";
import { accessibility, calls, inked, launch, open, packages, seconds, shoot } from "./browser.mjs";
import { Simulation, serve } from "./simulate.mjs";

const [folder, npm, shots] = process.argv.slice(2);

if (!existsSync(join(folder, "index.html")))
	skipAll("the page was not built");
const { playwright, axe } = packages(npm);
const browser = await launch(playwright);
let simulation = new Simulation({ seed: 7 });
let server = await serve(folder, () => {
	simulation.pass(1);
	return simulation.document();
});
const { port } = server.address();
const url = `http://127.0.0.1:${port}/`;
simulation.pass(120);

/* Advance the clock until the page shows the last document that was served. */
async function pass(page, n) {
	await seconds(page, n);
	await eventually(async () => Number(await page.getAttribute("body", "data-ready")) === simulation.now, 5000);
}

/* ... until the page is in a state. */
async function passUntil(page, state) {
	await eventually(async () => {
		await page.clock.runFor(1000);
		return await page.getAttribute("body", "data-state") === state;
	}, 10000, 50);
}

async function figures() {
	const { context, page, seen } = await open(browser, url);

	await pass(page, 70);
	const now = simulation.now;
	await page.waitForTimeout(1500);
	equal(simulation.now, now, "the page stays unchanged between steps of its clock");
	const { operations } = simulation.document();
	equal(await calls(page), Object.fromEntries(operations.map((o) =>
		[o.subsystem === "iommufd" ? o.operation : `${o.subsystem}_${o.operation}`, o.count])),
	      "every operation is shown with its number of calls");
	const drawn = await inked(page);
	ok(drawn.share > 0.02 && drawn.colours > 20, "the chart is drawn", drawn);
	equal(await page.$$eval("#devices tbody tr", (rows) => rows.map((row) => row.querySelector("b").textContent)),
	      ["0000:00:04.0", "0000:00:05.0", "0000:01:00.1"], "devices");
	ok((await page.textContent("#devices")).includes("DMA blocked"), "a device without translation is marked");
	equal(await page.$$eval("#replacements > li", (items) => items.length), simulation.replacements.length,
	      "replacements");
	const bars = await page.$$eval("#replacements > li:first-child .phases i", (parts) =>
		parts.map((part) => part.getBoundingClientRect().width));
	const [last] = simulation.replacements;
	const whole = bars.reduce((sum, width) => sum + width, 0);
	ok(Math.abs(Math.max(...bars) / whole - Math.max(last.fill_ns, last.switch_ns, last.check_ns, last.drop_ns, last.wait_ns) / last.dur_ns) < 0.03,
	   "their phases are as wide as their durations", bars, last);
	equal(await page.$$eval("#failures > li div", (items) => items.map((item) => item.firstChild.textContent)),
	      simulation.failures.map((failure) => failure.text), "failures in words");
	ok((await page.textContent("#limits")).includes("of 64 MiB"), "limits of locked memory");
	equal(await page.$$eval("#spaces [role=meter]", (meters) => meters.map((m) => m.getAttribute("aria-valuetext"))),
	      ["largest hole 128 GiB, 75 % fragmented", "largest hole 510 GiB, 0.4 % fragmented"],
	      "address spaces with their holes");
	ok(await page.isHidden("#stuck-section"), "nothing is stuck, so that section is hidden");
	simulation.stuckSince = simulation.now - 3e9;
	await pass(page, 1);
	ok(await page.isVisible("#stuck-section") && (await page.textContent("#stuck")).includes("map of 256 KiB"),
	   "a stuck operation is shown");
	simulation.stuckSince = null;
	await pass(page, 1);
	await shoot(page, shots, "light");
	equal(await accessibility(page, axe), [], "light: axe finds no accessibility problem");
	equal([seen.errors, seen.foreign], [[], []], "no error, and no request to another host");
	await context.close();
}

async function keyboard() {
	const { context, page, seen } = await open(browser, url);
	const focused = () => page.evaluate(() => document.activeElement.id ||
		document.activeElement.textContent.trim());

	await pass(page, 5);
	const reached = [];
	for (let i = 0; i < 20; i++) {
		await page.keyboard.press("Tab");
		reached.push(await focused());
	}
	for (const what of ["Skip to the figures", "1 min", "15 min", "pause", "Dark", "operation", "phase", "chart",
			    "Metrics"])
		ok(reached.includes(what), `Tab reaches ${what}`, reached);

	await page.focus("#chart");
	const last = await page.textContent("#readout .when");
	await page.keyboard.press("ArrowLeft");
	await page.keyboard.press("ArrowLeft");
	const earlier = await page.textContent("#readout .when");
	ok(earlier < last, "arrow keys read the chart", last, earlier);
	ok((await page.textContent("#chart .said")).includes("p99"), "and a screen reader hears the values");

	await page.focus("#matrix button[tabindex='0']");
	await page.keyboard.press("ArrowRight");
	await page.keyboard.press("ArrowRight");
	await page.keyboard.press("ArrowRight");
	await page.keyboard.press("Enter");
	equal([await page.inputValue("#operation"), await page.inputValue("#phase")], ["map", "pin"],
	      "arrow keys and Enter choose a cell");
	await pass(page, 2);
	ok(await page.evaluate(() => document.activeElement.closest("#matrix td")?.dataset.phase === "pin"),
	   "the focus stays in place when figures arrive");
	await page.selectOption("#operation", "unmap");
	await page.selectOption("#phase", "unpin");
	await page.click("[data-window='60']");
	await page.reload();
	await page.waitForSelector("body[data-ready]");
	equal([await page.inputValue("#operation"), await page.inputValue("#phase"),
	       await page.getAttribute("[data-window='60']", "aria-pressed")], ["unmap", "unpin", "true"],
	      "a reload keeps the choices");
	equal([seen.errors, seen.foreign], [[], []], "no error, and no request to another host");
	await context.close();
}

async function loss() {
	const { context, page, seen } = await open(browser, url);

	await pass(page, 3);
	await page.click("#pause");
	equal(await page.textContent("#status-text"), "paused", "a pause is shown");
	const before = await calls(page);
	await page.clock.runFor(3000);
	equal(await calls(page), before, "and nothing changes in it");
	await page.click("#pause");
	await pass(page, 2);
	equal(await page.textContent("#status-text"), "live", "it ends");

	seen.away = true;
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
	await passUntil(page, "lost");
	ok((await page.textContent("#status-text")).startsWith("no answer for"), "the loss of the exporter is shown");
	await shoot(page, shots, "lost");

	simulation = new Simulation({ seed: 8 });
	simulation.pass(30);
	simulation.now += 3600e9;
	server = await serve(folder, () => {
		simulation.pass(1);
		return simulation.document();
	}, port);
	await passUntil(page, "live");
	equal(await page.textContent("#status-text"), "live", "its return too");
	ok((await page.textContent("#notice")).includes("started anew"), "and the restart of its counts");
	await pass(page, 1);
	equal((await calls(page)).map, simulation.operations[0].count, "the figures restart from zero");
	equal([seen.errors, seen.foreign], [[], []], "no other error");
	await context.close();
}

async function looks() {
	const dark = await open(browser, url, { colorScheme: "dark" });

	await pass(dark.page, 60);
	await shoot(dark.page, shots, "dark");
	equal(await accessibility(dark.page, axe), [], "dark: axe finds no accessibility problem");
	const ground = () => dark.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const before = await ground();
	await dark.page.click("[data-theme-choice='light']");
	ok(await ground() !== before, "colours can be chosen");
	await dark.context.close();

	const phone = await open(browser, url, { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true });
	await pass(phone.page, 60);
	await shoot(phone.page, shots, "phone");
	equal(await phone.page.evaluate(() => document.documentElement.scrollWidth), 390, "a phone is wide enough");
	equal(await accessibility(phone.page, axe), [], "phone: axe finds no accessibility problem");
	equal([dark.seen.errors, phone.seen.errors], [[], []], "no error");
	await phone.context.close();
}

try {
	await run(figures, keyboard, loss, looks);
} finally {
	await browser.close();
	server.closeAllConnections();
	server.close();
}
