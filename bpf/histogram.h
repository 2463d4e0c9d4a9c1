/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log-linear histograms: 16 steps for each octave.
 *
 * Each value below 16 has its own bucket.  From there on, every octave is divided into 16 equal
 * buckets, so the width of a bucket is at most 1/16 of its value.  In nanoseconds the last bucket
 * ends at 18 minutes; longer times are counted in it.  The BPF programs, which count, and the tool,
 * which reads, share this file.
 */
#ifndef IOMMUSCOPE_BPF_HISTOGRAM_H
#define IOMMUSCOPE_BPF_HISTOGRAM_H

#include "bpf/types.h"

#define SCOPE_STEPS_SHIFT 4
#define SCOPE_STEPS (1 << SCOPE_STEPS_SHIFT)
#define SCOPE_OCTAVES 40
#define SCOPE_NR_BUCKETS ((SCOPE_OCTAVES - SCOPE_STEPS_SHIFT + 1) * SCOPE_STEPS)

/* Position of the highest bit; BPF has no instruction for it. */
static inline __attribute__((always_inline)) __u32 scope_log2(__u64 value)
{
	__u32 result = 0, more;

	more = (value > 0xffffffff) << 5;
	value >>= more;
	result |= more;
	more = (value > 0xffff) << 4;
	value >>= more;
	result |= more;
	more = (value > 0xff) << 3;
	value >>= more;
	result |= more;
	more = (value > 0xf) << 2;
	value >>= more;
	result |= more;
	more = (value > 0x3) << 1;
	value >>= more;
	result |= more;
	return result | (value > 1);
}

/**
 * scope_bucket() - find the bucket that counts a value
 * @value: the value
 *
 * Return: its index, less than SCOPE_NR_BUCKETS.
 */
static inline __attribute__((always_inline)) __u32 scope_bucket(__u64 value)
{
	__u32 octave;

	if (value >> SCOPE_OCTAVES)
		value = (1ULL << SCOPE_OCTAVES) - 1;
	/* values below 16 use the octave of 16: one bucket for each value, without a branch */
	octave = scope_log2(value | SCOPE_STEPS) - SCOPE_STEPS_SHIFT;
	return (octave << SCOPE_STEPS_SHIFT) + (__u32)(value >> octave);
}

/**
 * scope_bucket_low() - find the smallest value that a bucket counts
 * @bucket: its index, or SCOPE_NR_BUCKETS for the end of the last one
 *
 * Return: the value.
 */
static inline __u64 scope_bucket_low(__u32 bucket)
{
	__u32 octave;

	if (bucket < 2 * SCOPE_STEPS)
		return bucket;
	octave = (bucket >> SCOPE_STEPS_SHIFT) - 1;
	return (__u64)(bucket - (octave << SCOPE_STEPS_SHIFT)) << octave;
}

#endif
