// SPDX-License-Identifier: GPL-2.0-only

/* The factor for limits on this machine, as measured by the lab (tests/lab/labvm/pace.py). */
const stretch = Number(process.env.IOMMUSCOPE_PATIENCE ?? 3);

/* The limit, in milliseconds, of a wait that takes at most this long on an idle machine. */
export function patience(ms) {
	return ms * stretch;
}

/* Wait until a function returns something true; returns its last answer otherwise. */
export async function eventually(check, ms = 20000, pause = 10) {
	const end = Date.now() + patience(ms);

	for (;;) {
		const answer = await check();
		if (answer || Date.now() > end)
			return answer;
		await new Promise((resolve) => setTimeout(resolve, pause));
	}
}
