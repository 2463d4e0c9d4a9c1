// SPDX-License-Identifier: GPL-2.0-only
//
// What the tests of the page share: a browser, and checks that apply throughout.

import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { eventually, patience } from "../lib/patience.mjs";
import { skipAll } from "../lib/tap.mjs";

const ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		   "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/* Debian's browser, or one that the environment names. */
function executable() {
	return [process.env.CHROMIUM, "/usr/bin/chromium"].find((path) => path && existsSync(path));
}

/* Packages of the build folder, or the whole test is skipped. */
export function packages(folder) {
	if (!existsSync(join(folder, "node_modules/.lock")))
		skipAll("the packages from npm are not there");
	const require = createRequire(resolve(folder, "node_modules/test.cjs"));
	return { playwright: require("playwright-core"),
		 axe: require.resolve("axe-core/axe.min.js") };
}

export async function launch(playwright) {
	const path = executable();

	if (!path)
		skipAll("there is no chromium");
	return playwright.chromium.launch({ executablePath: path, args: ARGUMENTS });
}

/*
 * Open the page and watch it: errors has the browser's errors, foreign the requests to other
 * hosts. While the exporter is stopped on purpose, the browser's messages about that are not
 * errors.
 */
export async function open(browser, url, { clock = true, ...options } = {}) {
	const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(patience(30000));
	const seen = { errors: [], foreign: [], away: false };

	page.on("console", (message) => {
		if (message.type() === "error" && !(seen.away && /ERR_|status of/.test(message.text())))
			seen.errors.push(message.text());
	});
	page.on("pageerror", (error) => seen.errors.push(error.message));
	page.on("request", (request) => {
		if (!request.url().startsWith(url))
			seen.foreign.push(request.url());
	});
	if (clock) {
		/* otherwise it follows real seconds, and the page changes between two looks */
		const now = Date.now();
		await page.clock.install({ time: now });
		await page.clock.pauseAt(now + 1000);
	}
	await page.goto(url);
	await page.waitForSelector("body[data-ready]", { timeout: patience(30000) });
	return { context, page, seen };
}

/* Let the page's clock advance: it shows one document per second. */
export async function seconds(page, n) {
	for (let i = 0; i < n; i++) {
		const before = await page.getAttribute("body", "data-ready");
		await page.clock.runFor(1000);
		await eventually(async () => await page.getAttribute("body", "data-ready") !== before, 5000);
	}
}

/* The share of the chart's points that differ from the background: something is drawn there. */
export function inked(page) {
	return page.evaluate(() => {
		const canvas = document.querySelector("#chart canvas");
		const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
		const colours = new Set();
		let inked = 0;

		for (let i = 0; i < data.length; i += 4)
			if (data[i + 3]) {
				inked++;
				colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
			}
		return { share: inked / (data.length / 4), colours: colours.size };
	});
}

/* The page's number of calls of each operation: {name: calls}. */
export function calls(page) {
	return page.$$eval("#matrix tbody tr[data-operation]", (rows) => Object.fromEntries(rows.map((row) =>
		[row.dataset.operation, Number(row.querySelector("[data-count]").textContent.replace(/\D/g, ""))])));
}

/* The accessibility problems that axe finds. */
export async function accessibility(page, axe) {
	await page.evaluate((await import("node:fs")).readFileSync(axe, "utf8"));
	const looking = page.evaluate(() => window.axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
	let done = false;
	const settle = () => { done = true; };
	looking.then(settle, settle);
	/* axe waits for timers, which stop with the page's clock */
	while (!done)
		await page.clock.runFor(100);
	const { violations } = await looking;
	return violations.flatMap((v) => v.nodes.map((node) => `${v.id}: ${node.target} ${node.failureSummary}`));
}

export async function shoot(page, folder, name) {
	mkdirSync(folder, { recursive: true });
	await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
