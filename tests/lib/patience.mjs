// SPDX-License-Identifier: GPL-2.0-only

/* By what limits are stretched on this machine, as the lab has measured (tests/lab/labvm/pace.py). */
const stretch = Number(process.env.IOMMUSCOPE_PATIENCE ?? 3);

/* The limit of a wait, in milliseconds, that takes so many on an idle machine at most. */
export function patience(ms) {
	return ms * stretch;
}

/* Until a function says something that is true; its last answer otherwise. */
export async function eventually(check, ms = 20000, pause = 10) {
	const end = Date.now() + patience(ms);

	for (;;) {
		const answer = await check();
		if (answer || Date.now() > end)
			return answer;
		await new Promise((resolve) => setTimeout(resolve, pause));
	}
}
