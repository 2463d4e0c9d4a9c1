// SPDX-License-Identifier: GPL-2.0-only
//
// Usage: node build.mjs SOURCES MODULES OUTPUT
//
// Bundle the page: what is in SOURCES/src, with the packages in MODULES (a node_modules folder),
// into OUTPUT: index.html, page.js, page.css, icon.svg.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [sources, modules, output] = process.argv.slice(2).map((path) => resolve(path));
const { build } = createRequire(join(modules, "page.cjs"))("esbuild");

mkdirSync(output, { recursive: true });
await build({
	entryPoints: [join(sources, "src/main.js")],
	outfile: join(output, "page.js"),
	bundle: true, minify: true, format: "esm", target: ["es2022"], charset: "utf8",
	nodePaths: [modules], legalComments: "inline", logLevel: "warning",
});
const css = ["uplot/dist/uPlot.min.css"].map((file) => readFileSync(join(modules, file), "utf8"))
	.concat(readFileSync(join(sources, "src/page.css"), "utf8")).join("\n");
await build({
	stdin: { contents: css, loader: "css" },
	outfile: join(output, "page.css"), minify: true, logLevel: "warning", charset: "utf8",
});
for (const file of ["index.html", "icon.svg"])
	copyFileSync(join(sources, "src", file), join(output, file));
