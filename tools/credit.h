/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Credit for what is expensive and can be asked for by anybody: it may take a share of the time, and
 * what was not used may be saved up to a bound.
 */
#ifndef IOMMUSCOPE_CREDIT_H
#define IOMMUSCOPE_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "lifetime.h"

/**
 * struct credit - how long something may take
 * @share: one part in so many of the time
 * @most_ns: what may be saved up
 * @left_ns: what is left; below zero after it took longer
 * @since_ns: CLOCK_MONOTONIC up to which time has given credit
 */
struct credit {
	unsigned int share;
	int64_t most_ns;
	int64_t left_ns;
	uint64_t since_ns;
};

/**
 * credit_begin() - is there credit to begin?
 * @credit: the credit
 *
 * Return: whether there is; then call credit_end() after it.
 */
static inline bool credit_begin(struct credit *credit)
{
	uint64_t now = now_ns();

	credit->left_ns += (now - credit->since_ns) / credit->share;
	if (credit->left_ns > credit->most_ns)
		credit->left_ns = credit->most_ns;
	credit->since_ns = now;
	return credit->left_ns >= 0;
}

/**
 * credit_end() - pay for what has been done since credit_begin()
 * @credit: the credit
 */
static inline void credit_end(struct credit *credit)
{
	credit->left_ns -= now_ns() - credit->since_ns;
}

#endif
