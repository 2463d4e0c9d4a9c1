/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_PATIENCE_H
#define TESTS_PATIENCE_H

#include <stdlib.h>

/**
 * patience_ms() - the limit of a wait on this machine
 * @ms: the longest time it takes on an idle machine; below 100 s
 *
 * The lab measures the factor (tests/lab/labvm/pace.py).
 */
static inline int patience_ms(int ms)
{
	const char *text = getenv("IOMMUSCOPE_PATIENCE");
	double stretch = text ? strtod(text, NULL) : 0;

	if (stretch < 1)
		stretch = 3;
	if (stretch > 1000)
		stretch = 1000;
	return (int)(ms * stretch);
}

/**
 * busy_ms() - how long to run here for what an idle machine does in @seconds
 * @seconds: on an idle machine
 */
static inline unsigned long long busy_ms(unsigned int seconds)
{
	/* the factor includes a margin of three */
	int second = patience_ms(1000) / 3;

	return (unsigned long long)seconds * (second > 1000 ? second : 1000);
}

#endif
