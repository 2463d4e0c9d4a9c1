// SPDX-License-Identifier: GPL-2.0-only
//
// A stand-in for the exporter: serves the page with the document of an invented host.
//
// Usage: node simulate.mjs PAGE [PORT]      to look at the page during development
//
// The numbers come from a generator with a fixed seed, so a document is the same in every run.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/* The same as in tools/export/page.c; the test against the exporter compares them. */
export const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8",
		css: "text/css; charset=utf-8", svg: "image/svg+xml" };

const MIB = 2 ** 20, GIB = 2 ** 30;

function generator(seed) {
	return () => {
		seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
		return seed / 2 ** 32;
	};
}

/* The bucket of a value: 16 per octave. */
function bucket(ns) {
	if (ns < 32)
		return Math.floor(ns);
	const width = 2 ** (Math.floor(Math.log2(ns)) - 4);
	return Math.floor(ns / width) * width;
}

class Histogram {
	constructor() {
		this.count = 0;
		this.sum = 0;
		this.max = 0;
		this.buckets = new Map();
	}

	value(ns) {
		ns = Math.max(Math.round(ns), 1);
		this.count++;
		this.sum += ns;
		this.max = Math.max(this.max, ns);
		this.buckets.set(bucket(ns), (this.buckets.get(bucket(ns)) ?? 0) + 1);
	}

	json() {
		return { count: this.count, sum_ns: this.sum, max_ns: this.max,
			 buckets: [...this.buckets].sort((a, b) => a[0] - b[0]) };
	}
}

/* The workload: calls per second, typical time, and its distribution among the phases. */
const LOAD = [
	["iommufd", "map", 640, 82e3, { wait: 0.01, account: 0.01, pin: 0.62, map: 0.2 }, 256 * 1024],
	["iommufd", "unmap", 640, 27e3, { wait: 0.02, unmap: 0.2, sync: 0.08, unpin: 0.55 }, 256 * 1024],
	["iommufd", "replace", 1.2, 900e3, { wait: 0.02, check: 0.03, fill: 0.62, switch: 0.2, drop: 0.1 }, 0],
	["iommufd", "attach", 0.3, 700e3, { wait: 0.02, check: 0.05, alloc: 0.1, fill: 0.5, switch: 0.25 }, 0],
	["iommufd", "detach", 0.3, 160e3, { wait: 0.03, switch: 0.3, drop: 0.6 }, 0],
	["iommufd", "bind", 0.2, 40e3, { wait: 0.1, check: 0.6 }, 0],
	["iommufd", "ioas_alloc", 2, 3e3, { wait: 0.05 }, 0],
	["vfio", "replace", 1.2, 930e3, { wait: 0.01, iommufd: 0.95 }, 0],
	["vfio", "set_irqs", 3, 55e3, { wait: 0.02 }, 0],
	["vfio", "reset", 0.1, 9e6, { wait: 0.01, reset: 0.97 }, 0],
];

const FAILURES = [
	"ENOMEM: map of 4.0 GiB at 0x100000000, ioas 2 failed: RLIMIT_MEMLOCK: 64 MiB allowed, 12 MiB in use, 4096 MiB wanted (uid 1000, qemu-system-x86 [4711])",
	"EEXIST: map of 64 KiB at 0x10000000, ioas 4 failed: the IOVA range overlaps an area that is mapped already, 0x10000000 to 0x100fffff (uid 0, nvme-load [812])",
	"EINVAL: vfio_attach of 0000:00:05.0 failed: iommufd refused; its own event names the reason (uid 0, e2e [955])",
	"EFAULT: map of 2.0 MiB at 0x7f0000000000, ioas 4 failed: user memory is not there, or not accessible as wanted, user address 0x7f21c0000000 (uid 0, nvme-load [812])",
];

const REASONS = ["memlock_limit", "iova_overlap", "iommufd_refused", "gup_fault"];

/* The values that follow from the free addresses and the largest hole in them. */
function free(bytes, hole) {
	return { free_bytes: bytes, fragmentation: 1 - hole / bytes };
}

export class Simulation {
	constructor({ seed = 1, epoch = Date.now() * 1e6 } = {}) {
		this.random = generator(seed);
		this.now = epoch;
		this.start = epoch;
		this.instance = `sim-${seed}-${epoch}`;
		this.numbers = 0;
		this.operations = LOAD.map(([subsystem, operation, rate, ns, shares, bytes]) =>
			({ subsystem, operation, rate, ns, shares, each: bytes, count: 0, errors: 0, due: 0,
			   total: new Histogram(), phases: {} }));
		this.replacements = [];
		this.failures = [];
		this.stuckSince = null;
	}

	/* Log-normal, with a heavy tail occasionally. */
	time(typical) {
		const normal = [0, 0, 0, 0, 0, 0].reduce((sum) => sum + this.random(), 0) - 3;
		const tail = this.random() < 0.006 ? 4 + 30 * this.random() : 1;

		return typical * Math.exp(0.45 * normal) * tail;
	}

	call(operation) {
		let total = 0;

		operation.count++;
		for (const [name, share] of Object.entries(operation.shares)) {
			const ns = this.time(operation.ns * share);
			total += ns;
			(operation.phases[name] ??= new Histogram()).value(ns);
		}
		operation.total.value(total + this.time(operation.ns * 0.1));
		if (operation.operation === "map" && this.random() < 0.0004)
			this.fail(operation);
		if (operation.subsystem === "iommufd" && operation.operation === "replace")
			this.replace();
	}

	fail(operation) {
		operation.errors++;
		const kind = Math.floor(this.random() * FAILURES.length);
		const before = this.failures.find((failure) => failure.reason === REASONS[kind]);
		this.failures = [{ subsystem: "iommufd", operation: "map", reason: REASONS[kind], time_ns: this.now, text: FAILURES[kind],
				   count: (before?.count ?? 0) + 1 },
				 ...this.failures.filter((failure) => failure !== before)];
	}

	replace() {
		const phases = {};
		let dur = 0;

		for (const [name, share] of Object.entries({ wait: 0.02, check: 0.05, alloc: 0, fill: 0.5, switch: 0.3, drop: 0.1 })) {
			phases[`${name}_ns`] = Math.round(this.time(900e3 * share)) * (share > 0);
			dur += phases[`${name}_ns`];
		}
		const before = phases.wait_ns + phases.check_ns + phases.fill_ns;
		const intel = this.random() < 0.7;
		const window = intel ? Math.round(phases.switch_ns * (0.5 + 0.3 * this.random())) : 0;
		const faults = intel && this.random() < 0.5 ? 1 + Math.floor(3 * this.random()) : 0;
		const odd = this.numbers % 2;
		this.replacements.unshift({
			number: ++this.numbers, time_ns: this.now,
			device: intel ? "0000:00:04.0" : "iommufd-mock.0", iommu_driver: intel ? "intel" : "mock",
			pid: 812, process: "nvme-load", old_hwpt: 5 + odd, hwpt: 6 - odd, old_ioas: 4, ioas: 4,
			dur_ns: Math.round(dur * 1.03), ...phases, windows: Number(intel), window_ns: window,
			window_offset_ns: before + Math.round(phases.switch_ns * 0.15),
			faults_in_window: faults, faults_after: 0, faults_at_least: false, waited: 0, waited_longest_ns: 0,
			faults: Array.from({ length: faults }, () => ({ iova: 0x10000000, fault_text: "no translation",
				offset_ns: before + Math.round(phases.switch_ns * (0.2 + 0.4 * this.random())) })),
			verdict: intel ? "blocked" : "hitless",
			message: null,
			verdict_text: intel ? `blocked ${Math.round(window / 1000)} µs, ${faults === 1 ? "1 fault" : `${faults} faults`}` : "hitless",
		});
		this.replacements.length = Math.min(this.replacements.length, 8);
	}

	/* Advance the clock by some seconds. */
	pass(seconds) {
		this.now += Math.round(seconds * 1e9);
		const wave = 1 + 0.5 * Math.sin(this.now / 40e9);
		for (const operation of this.operations) {
			operation.due += seconds * operation.rate * wave;
			for (; operation.due >= 1; operation.due--)
				this.call(operation);
		}
	}

	document() {
		const seconds = (this.now - this.start) / 1e9;

		return {
			format: 2, instance: this.instance, host: "lab", kernel: "6.12.57+deb12-amd64",
			tool: "0.1.0", time_ns: this.now, uptime_ns: this.now - this.start,
			operations: this.operations.filter((o) => o.count).map((o) => ({
				subsystem: o.subsystem, operation: o.operation, errors: o.errors,
				bytes: o.count * o.each, ...o.total.json(),
				phases: Object.entries(o.phases).map(([phase, histogram]) =>
					({ phase, ...histogram.json() })) })),
			overflowed: 0, lost: 0,
			contexts: [{ ctx: 1, pid: 4711, uid: 1000, process: "qemu-system-x86", pinned_bytes: 52 * MIB },
			       { ctx: 2, pid: 812, uid: 0, process: "nvme-load", pinned_bytes: 1.4 * GIB }],
			devices: [
				{ device: "0000:00:04.0", driver: "vfio-pci", iommu: "dmar0", iommu_driver: "intel", group: 3,
				  ctx: 2, attached: true, hwpt: 6, ioas: 4,
				  replacements: this.replacements.length && this.numbers, last_replacement_time_ns: this.replacements[0]?.time_ns ?? null },
				{ device: "0000:00:05.0", driver: "vfio-pci", iommu: "dmar0", iommu_driver: "intel", group: 4,
				  ctx: 1, attached: true, hwpt: 3, ioas: 2, replacements: 0, last_replacement_time_ns: null },
				{ device: "0000:01:00.1", driver: "vfio-pci", iommu: "dmar0", iommu_driver: "intel", group: 7,
				  ctx: 1, attached: false, hwpt: null, ioas: null, replacements: 0, last_replacement_time_ns: null },
			],
			hwpts: [{ ctx: 1, hwpt: 3, ioas: 2, domain_type: "unmanaged" },
				{ ctx: 2, hwpt: 6, ioas: 4, domain_type: "unmanaged" }],
			ioases: [
				{ ctx: 1, ioas: 2, areas: 14, mapped_bytes: 52 * MIB, pinned_bytes: 52 * MIB, extents: 40, huge_bytes: 40 * MIB,
				  usable_bytes: 2 ** 39 - MIB, largest_hole_bytes: 2 ** 39 - 2 * GIB,
				  ...free(2 ** 39 - MIB - 52 * MIB, 2 ** 39 - 2 * GIB) },
				{ ctx: 2, ioas: 4, areas: 4096, mapped_bytes: 1.4 * GIB, pinned_bytes: 1.4 * GIB, extents: 9000,
				  huge_bytes: 0.6 * GIB, usable_bytes: 2 ** 39 - MIB, largest_hole_bytes: 2 ** 37,
				  ...free(2 ** 39 - MIB - 1.4 * GIB, 2 ** 37) },
			],
			memlock: [
				{ ctx: 1, rlimit_mode: "user", locked_bytes: 52 * MIB + MIB * 6 * Math.abs(Math.sin(seconds / 30)), limit_bytes: 64 * MIB },
				{ ctx: 2, rlimit_mode: "process", locked_bytes: 1.4 * GIB, limit_bytes: null },
			],
			replacements: this.replacements, failures: this.failures,
			stuck: this.stuckSince === null ? [] : [{ tid: 184, dur_ns: this.now - this.stuckSince,
				subsystem: "iommufd", operation: "map", what: "256 KiB at 0x1000000, ioas 1", ctx: 1,
				phase: "pin", phase_text: "faulting in and pinning user memory" }],
			cost: { cpu_ns: (this.now - this.start) * 0.004, resident_bytes: 21 * MIB },
		};
	}
}

/* Serve the page with the answer of a function as the document. */
export async function serve(page, document, port = 0) {
	const server = createServer(async (request, response) => {
		const path = new URL(request.url, "http://localhost").pathname;
		const head = { "Content-Security-Policy": POLICY, "Cache-Control": "no-store",
			       "X-Content-Type-Options": "nosniff" };

		if (path === "/live.json") {
			response.writeHead(200, { ...head, "Content-Type": "application/json" });
			response.end(JSON.stringify(document()));
			return;
		}
		const file = path === "/" ? "index.html" : path.slice(1);
		if (!/^(index\.html|page\.js|page\.css|icon\.svg)$/.test(file)) {
			response.writeHead(404, head).end();
			return;
		}
		response.writeHead(200, { ...head, "Content-Type": TYPES[file.split(".").pop()] });
		response.end(await readFile(join(page, file)));
	});

	await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
	return server;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
	const simulation = new Simulation({ epoch: (Date.now() - 60000) * 1e6 });
	simulation.pass(60);
	const server = await serve(process.argv[2], () => {
		simulation.pass(Math.max(Date.now() * 1e6 - simulation.now, 0) / 1e9);
		return simulation.document();
	}, Number(process.argv[3] ?? 0));
	console.log(`http://127.0.0.1:${server.address().port}/`);
}
