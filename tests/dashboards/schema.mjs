#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
//
// The dashboards against Grafana's published schema.
//
// Usage: schema.mjs DASHBOARDS PACKAGES WORK
//
// The schema is published as TypeScript types. So each dashboard becomes a constant of its type,
// and the compiler reports what is unknown, missing or of the wrong kind; the same holds for the
// options of each panel and each query. Enums are strings in JSON, which Plain<T> allows.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { equal, ok, run, skipAll } from "../lib/tap.mjs";

const [folder, packages, work] = process.argv.slice(2).map((path) => resolve(path));

if (!existsSync(join(packages, "node_modules/.lock")))
	skipAll("the packages from npm are not there");

const modules = join(packages, "node_modules");
const composable = join(modules, "@grafana/schema/dist/esm/raw/composable");

/* The types of a panel's options and of its field's custom ones, if the schema has such. */
function panelTypes(type) {
	const kind = type.replaceAll("-", "");
	const at = join(composable, kind, "panelcfg/x");

	if (!existsSync(at))
		return null;
	const file = readdirSync(at).find((name) => name.endsWith(".d.ts"));
	const text = readFileSync(join(at, file), "utf8");
	return { kind, path: join(at, file).replace(/\.d\.ts$/, ""), options: /\binterface Options\b/.test(text),
		 custom: /\binterface FieldConfig\b/.test(text) };
}

const HEAD = `
import type { Dashboard } from "@grafana/schema";
import type { PrometheusDataQuery } from "${join(composable, "prometheus/dataquery/x/PrometheusDataQuery_types.gen")}";

type Plain<T> = unknown extends T ? T : T extends string ? \`\${T}\` :
	T extends number | boolean | null | undefined ? T :
	T extends Array<infer U> ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
`;

function source(dashboard) {
	const imports = new Map();
	/*
	 * an annotation's query also has fields of its data source's type, which Dashboard does
	 * not know
	 */
	const bare = structuredClone(dashboard);
	const lines = bare.annotations.list.map((annotation, i) => {
		const { refId, ...rest } = annotation.target;
		annotation.target = { refId };
		return `export const annotation${i}: Plain<PrometheusDataQuery> = ${JSON.stringify({ refId, ...rest })};`;
	});
	lines.push(`export const dashboard: Plain<Dashboard> = ${JSON.stringify(bare, null, 1)};`);

	for (const panel of dashboard.panels) {
		if (panel.type === "row")
			continue;
		const types = panelTypes(panel.type);
		if (!types)
			throw new Error(`the schema has no panels of type ${panel.type}`);
		imports.set(types.kind, `import type * as ${types.kind} from "${types.path}";`);
		if (types.options)
			lines.push(`export const options${panel.id}: Plain<${types.kind}.Options> = ` +
				   `${JSON.stringify(panel.options, null, 1)};`);
		if (types.custom)
			lines.push(`export const custom${panel.id}: Partial<Plain<${types.kind}.FieldConfig>> = ` +
				   `${JSON.stringify(panel.fieldConfig.defaults.custom ?? {}, null, 1)};`);
		for (const [i, target] of panel.targets.entries())
			lines.push(`export const query${panel.id}_${i}: Plain<PrometheusDataQuery> = ` +
				   `${JSON.stringify(target, null, 1)};`);
	}
	return [HEAD, ...imports.values(), ...lines].join("\n");
}

function compile(files) {
	const tsc = createRequire(join(modules, "test.cjs")).resolve("typescript/lib/tsc.js");

	const config = { compilerOptions: { noEmit: true, strict: true, skipLibCheck: true, target: "es2022",
					    module: "nodenext", moduleResolution: "nodenext", types: [] }, files };

	writeFileSync(join(work, "tsconfig.json"), JSON.stringify(config));
	return spawnSync(process.execPath, [tsc, "--project", work], { cwd: work, encoding: "utf8" });
}

mkdirSync(work, { recursive: true });
if (!existsSync(join(work, "node_modules")))
	symlinkSync(modules, join(work, "node_modules"));

const names = readdirSync(folder).filter((name) => name.endsWith(".json")).sort();

function schema() {
	equal(names, ["capacity.json", "devices.json", "latency.json"], "there are three dashboards");
	const files = names.map((name) => {
		const file = join(work, name.replace(".json", ".ts"));
		writeFileSync(file, source(JSON.parse(readFileSync(join(folder, name), "utf8"))));
		return file;
	});
	const result = compile(files);
	equal([result.status, result.stdout], [0, ""], "they conform to the schema");
}

/* Shows that the check can fail. */
function mistakes() {
	const wrong = [
		["an unknown field", (d) => { d.colour = "blue"; }],
		["a missing field", (d) => { delete d.schemaVersion; }],
		["an unknown option of a panel", (d) => { d.panels.find((p) => p.type === "heatmap").options.colour = 1; }],
		["a bad value", (d) => { d.panels.find((p) => p.type === "timeseries").options.tooltip.mode = "loud"; }],
		["a query without an expression", (d) => { delete d.panels[0].targets[0].expr; }],
	];
	const files = wrong.map(([, spoil], i) => {
		const dashboard = JSON.parse(readFileSync(join(folder, "latency.json"), "utf8"));
		spoil(dashboard);
		const file = join(work, `wrong${i}.ts`);
		writeFileSync(file, source(dashboard));
		return file;
	});
	const { stdout } = compile(files);
	wrong.forEach(([what], i) => ok(stdout.includes(`wrong${i}.ts`), `${what} would be seen`, stdout));
}

function references() {
	for (const name of names) {
		const dashboard = JSON.parse(readFileSync(join(folder, name), "utf8"));
		const ids = dashboard.panels.map((panel) => panel.id);
		equal(new Set(ids).size, ids.length, `${name}: panels have ids of their own`);
		equal(dashboard.panels.flatMap((panel) => panel.targets ?? [])
			.filter((target) => target.datasource.uid !== "\${datasource}" || !target.expr.includes('instance=~"$host"'))
			.map((target) => target.expr), [], `${name}: data source and host are variables in every query`);
		const grid = new Set();
		let overlaps = 0;
		for (const { gridPos: { x, y, w, h } } of dashboard.panels)
			for (let i = x; i < x + w; i++)
				for (let j = y; j < y + h; j++) {
					overlaps += grid.has(`${i} ${j}`) || i >= 24;
					grid.add(`${i} ${j}`);
				}
		equal(overlaps, 0, `${name}: panels do not overlap`);
	}
}

await run(schema, mistakes, references);
