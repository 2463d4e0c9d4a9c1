// SPDX-License-Identifier: GPL-2.0-only
#include <time.h>

#include "text/clock.h"

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t wall_now_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t wall_offset_ns(void)
{
	return (int64_t)(wall_now_ns() - now_ns());
}
