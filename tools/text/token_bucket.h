/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Credit for what is expensive and can be asked for by anybody: it may take a share of the time, and
 * what was not used may be saved up to a bound.
 */
#ifndef IOMMUSCOPE_TEXT_TOKEN_BUCKET_H
#define IOMMUSCOPE_TEXT_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "text/clock.h"

/**
 * struct token_bucket - how long something may take
 * @share: one part in so many of the time
 * @most_ns: what may be saved up
 * @left_ns: what is left; below zero after it took longer
 * @since_ns: CLOCK_MONOTONIC up to which time has given credit
 */
struct token_bucket {
	unsigned int share;
	int64_t most_ns;
	int64_t left_ns;
	uint64_t since_ns;
};

/**
 * token_bucket_begin() - is there credit to begin?
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
 * token_bucket_end() - pay for what has been done since token_bucket_begin()
 * @credit: the credit
 */
static inline void token_bucket_end(struct token_bucket *credit)
{
	credit->left_ns -= now_ns() - credit->since_ns;
}

#endif
