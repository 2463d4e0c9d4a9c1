/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log-linear histograms: 16 steps an octave.
 *
 * Values below 16 have a bucket each; from there on every octave is cut into 16 equal buckets, so
 * a bucket is at most 1/16 of its value wide.  In nanoseconds the last bucket ends at 18 minutes;
 * what is longer is counted in it.  Shared by the BPF programs, which count, and the tool, which
 * reads.
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
 * scope_bucket() - the bucket that counts a value
 * @value: the value
 *
 * Return: its index, below SCOPE_NR_BUCKETS.
 */
static inline __attribute__((always_inline)) __u32 scope_bucket(__u64 value)
{
	__u32 octave;

	if (value >> SCOPE_OCTAVES)
		value = (1ULL << SCOPE_OCTAVES) - 1;
	/* below 16 the octave is that of 16: one bucket a value, without a branch */
	octave = scope_log2(value | SCOPE_STEPS) - SCOPE_STEPS_SHIFT;
	return (octave << SCOPE_STEPS_SHIFT) + (__u32)(value >> octave);
}

/**
 * scope_bucket_low() - the smallest value that a bucket counts
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
