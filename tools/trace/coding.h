/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The encoding of numbers and fields in a trace file, for its writer and its reader.
 *
 * A number is a varint: seven bits a byte, lowest first; the eighth bit says that more bytes
 * follow.  A number that can be negative is folded first, so that small values stay short.  The
 * numbers here are part of the file format: they never change, and new ones are added at the end.
 */
#ifndef IOMMUSCOPE_TRACE_CODING_H
#define IOMMUSCOPE_TRACE_CODING_H

#include <stdint.h>
#include <string.h>

#include "bpf/operations.h"

#define TRACE_HEADER_SIZE 16
#define TRACE_CHUNK_HEADER_SIZE 12
#define TRACE_MAX_VARINT 10

/* Types of chunks, four characters in the file */
#define TRACE_CHUNK_INFO "INFO"
#define TRACE_CHUNK_EVENTS "EVNT"
#define TRACE_CHUNK_DONE "DONE"

/* Entries of an EVNT chunk */
enum {
	TRACE_ENTRY_TASK = 1,
	TRACE_ENTRY_TEXT = 2,
	TRACE_ENTRY_OPERATION = 3,
	TRACE_ENTRY_BEGIN = 4,
	TRACE_ENTRY_LOST = 5,
	TRACE_ENTRY_REPLACEMENT = 6,
};

/*
 * FIELD(number, member) for the members of struct scope_op that the entry of an operation can have.
 * Zero values are omitted.  Phases start at TRACE_FIELD_PHASES, by the numbers of the file.
 */
#define TRACE_FIELDS(FIELD)                                                                        \
	FIELD(2, reason)                                                                           \
	FIELD(3, reason_a)                                                                         \
	FIELD(4, reason_b)                                                                         \
	FIELD(5, flags)                                                                            \
	FIELD(6, ctx)                                                                              \
	FIELD(7, object_type)                                                                      \
	FIELD(8, object_id)                                                                        \
	FIELD(9, value)                                                                            \
	FIELD(10, ioas)                                                                            \
	FIELD(11, src_ioas)                                                                        \
	FIELD(12, device_id)                                                                       \
	FIELD(13, index)                                                                           \
	FIELD(14, iova)                                                                            \
	FIELD(15, length)                                                                          \
	FIELD(16, user_va)                                                                         \
	FIELD(17, pages)                                                                           \
	FIELD(18, extents)                                                                         \
	FIELD(19, hwpt)                                                                            \
	FIELD(20, old_hwpt)                                                                        \
	FIELD(21, old_ioas)                                                                        \
	FIELD(22, group)                                                                           \
	FIELD(23, devices)                                                                         \
	FIELD(24, start)                                                                           \
	FIELD(27, source)

enum {
	TRACE_FIELD_RET = 1,		/* folded */
	TRACE_FIELD_DEVICE = 25,	/* number of a text */
	TRACE_FIELD_DRIVER = 26,	/* number of a text */
	TRACE_FIELD_PHASES = 32,
};

/* The same for struct scope_replacement; FOLDED ones can be negative.  3, 4, 7, 13 are free. */
#define TRACE_REPLACEMENT_FIELDS(FIELD, FOLDED)                                                    \
	FIELD(1, number)                                                                           \
	FIELD(2, dur_ns)                                                                           \
	FIELD(5, window_start_ns)                                                                  \
	FIELD(6, window_ns)                                                                        \
	FIELD(8, windows)                                                                          \
	FIELD(9, faults_in_window)                                                                 \
	FIELD(10, faults_after)                                                                    \
	FIELD(11, moves)                                                                           \
	FOLDED(12, move_ret)                                                                       \
	FIELD(14, flags)                                                                           \
	FOLDED(15, ret)                                                                            \
	FIELD(16, reason)                                                                          \
	FIELD(17, reason_a)                                                                        \
	FIELD(18, reason_b)                                                                        \
	FIELD(19, ctx)                                                                             \
	FIELD(20, device_id)                                                                       \
	FIELD(21, group)                                                                           \
	FIELD(22, devices)                                                                         \
	FIELD(23, hwpt)                                                                            \
	FIELD(24, old_hwpt)                                                                        \
	FIELD(25, ioas)                                                                            \
	FIELD(26, old_ioas)                                                                        \
	FIELD(27, named)                                                                           \
	FIELD(28, driver)

enum {
	TRACE_REPLACEMENT_VERDICT = 32,	/* number of a text */
	TRACE_REPLACEMENT_KNOWN = 33,	/* bits: window, faults, at least, none reported */
	TRACE_REPLACEMENT_DEVICE = 34,	/* number of a text */
	TRACE_REPLACEMENT_DRIVER = 35,	/* number of a text */
	TRACE_REPLACEMENT_WAITS = 36,	/* operations that waited */
	TRACE_REPLACEMENT_WAITS_TOTAL = 37,
	TRACE_REPLACEMENT_WAITS_LONGEST = 38,
	TRACE_REPLACEMENT_PHASES = 48,	/* in the order of enum scope_replace_phase */
	TRACE_REPLACEMENT_FAULTS = 64,	/* four per fault: time, IOVA, reason, flags */
};

static inline uint64_t trace_fold(int64_t value)
{
	/* cppcheck-suppress shiftTooManyBitsSigned ; gcc and clang extend the sign */
	return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline int64_t trace_unfold(uint64_t value)
{
	return (int64_t)(value >> 1 ^ -(value & 1));
}

static inline uint8_t *trace_put_varint(uint8_t *at, uint64_t value)
{
	while (value > 0x7f) {
		*at++ = (uint8_t)value | 0x80;
		value >>= 7;
	}
	*at++ = (uint8_t)value;
	return at;
}

static inline void trace_put_u32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
	at[2] = (uint8_t)(value >> 16);
	at[3] = (uint8_t)(value >> 24);
}

static inline uint32_t trace_get_u32(const uint8_t *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

#endif
