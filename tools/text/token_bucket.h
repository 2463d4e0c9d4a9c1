/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A time budget for expensive work that any client can request.  The work may take a share of the
 * time; unused time is saved up to a bound.
 */
#ifndef IOMMUSCOPE_TEXT_TOKEN_BUCKET_H
#define IOMMUSCOPE_TEXT_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "text/clock.h"

/**
 * struct token_bucket - a time budget
 * @share: divisor: the work may take 1/@share of the time
 * @most_ns: most credit that is saved up
 * @left_ns: credit left; negative after the work took longer
 * @since_ns: CLOCK_MONOTONIC up to which credit has been given
 */
struct token_bucket {
	unsigned int share;
	int64_t most_ns;
	int64_t left_ns;
	uint64_t since_ns;
};

/**
 * token_bucket_begin() - is there credit to start?
 * @credit: the credit
 *
 * Return: whether there is; then call token_bucket_end() after it.
 */
static inline bool token_bucket_begin(struct token_bucket *credit)
{
	uint64_t now = now_ns();

	credit->left_ns += (now - credit->since_ns) / credit->share;
	if (credit->left_ns > credit->most_ns)
		credit->left_ns = credit->most_ns;
	credit->since_ns = now;
	return credit->left_ns >= 0;
}

/**
 * token_bucket_end() - charge the time since token_bucket_begin()
 * @credit: the credit
 */
static inline void token_bucket_end(struct token_bucket *credit)
{
	credit->left_ns -= now_ns() - credit->since_ns;
}

#endif
