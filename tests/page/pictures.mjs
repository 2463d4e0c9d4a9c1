#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
//
// Take the page's picture in its light and its dark theme, after it has watched the exporter for
// a while.
//
// Usage: pictures.mjs URL PACKAGES FOLDER

import { join } from "node:path";
import { launch, open, packages } from "./browser.mjs";

const [url, npm, folder] = process.argv.slice(2);
const WATCHED_MS = 75000;
const VIEWPORT = { width: 1280, height: 1600 };
const { playwright } = packages(npm);
const browser = await launch(playwright);
const pages = {};

for (const colorScheme of ["light", "dark"])
	pages[colorScheme] = (await open(browser, url, { clock: false, colorScheme, viewport: VIEWPORT })).page;
await new Promise((resolve) => { setTimeout(resolve, WATCHED_MS); });
for (const [theme, page] of Object.entries(pages)) {
	const { y, height } = await page.locator("section:has(#matrix)").boundingBox();
	await page.screenshot({ path: join(folder, `page-${theme}.png`),
				clip: { x: 0, y: 0, width: VIEWPORT.width, height: Math.ceil(y + height) + 16 } });
}
await browser.close();
