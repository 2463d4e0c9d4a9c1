// SPDX-License-Identifier: GPL-2.0-only
//
// TAP for tests in JavaScript.

import { isDeepStrictEqual } from "node:util";

let points = 0, failed = 0;

export function ok(condition, name, ...details) {
	points++;
	if (!condition)
		failed++;
	console.log(`${condition ? "ok" : "not ok"} ${points} - ${name}`);
	if (!condition)
		for (const detail of details)
			for (const line of String(typeof detail === "object" ? JSON.stringify(detail) : detail).split("\n"))
				console.log(`# ${line}`);
	return condition;
}

export function equal(got, wanted, name) {
	return ok(isDeepStrictEqual(got, wanted), name, `got    ${JSON.stringify(got)}`,
		  `wanted ${JSON.stringify(wanted)}`);
}

/* The whole test is skipped. */
export function skipAll(reason) {
	console.log(`1..0 # SKIP ${reason}`);
	process.exit(0);
}

/* Run functions that make points; an exception is a failed point. */
export async function run(...tests) {
	for (const test of tests) {
		try {
			await test();
		} catch (error) {
			ok(false, `${test.name} runs to its end`, error.stack ?? error);
		}
	}
	console.log(`1..${points}`);
	process.exitCode = failed ? 1 : 0;
}
