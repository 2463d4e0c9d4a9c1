// SPDX-License-Identifier: GPL-2.0-only
//
// A guest whose exporter is observed from the host: guest.sh in the machine that LAB_EXEC names.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export class Guest {
	static async begin() {
		const guest = new Guest();
		const [program, ...words] = process.env.LAB_EXEC.split(" ");
		const script = ["../e2e/as-found", "guest.sh"].map((name) => fileURLToPath(new URL(name, import.meta.url)));

		guest.process = spawn(program, [...words, "--", ...script], { stdio: ["pipe", "pipe", "inherit"] });
		guest.lines = createInterface({ input: guest.process.stdout })[Symbol.asyncIterator]();
		for (;;) {
			const { value, done } = await guest.lines.next();
			if (done)
				throw new Error("the guest's exporter did not start");
			if (value === "ready")
				return guest;
		}
	}

	/* Run a command there. Return what it printed. */
	async run(command) {
		const output = [];

		this.process.stdin.write(`${command}\n`);
		for (;;) {
			const { value, done } = await this.lines.next();
			if (done)
				throw new Error(`the guest ended in: ${command}`);
			const end = value.match(/^done (\d+)$/);
			if (!end) {
				output.push(value);
				continue;
			}
			if (end[1] !== "0")
				throw new Error(`${command}: status ${end[1]}: ${output.join("\n")}`);
			return output.join("\n");
		}
	}

	async end() {
		this.process.stdin.end();
		await new Promise((resolve) => {
			if (this.process.exitCode !== null)
				resolve();
			this.process.on("exit", resolve);
		});
	}
}
