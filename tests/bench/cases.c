// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases of one area: bulk map, fill of a further page table, unmap; first touch; the small pair.
 *
 * Model: each case starts with a fresh IOAS, makes one round that is not counted (page-table
 * pages and slabs warm up) and prints its samples. The first round also checks how many pages
 * became pinned, so that no side is fast by skipping work.
 */
#include <errno.h>

#include "bench.h"

/* about a millisecond: a disturbance affects few samples, and the shortest see none */
#define PAIRS_PER_SAMPLE	100
#define SAMPLES_PER_REP		4
/* of a replacement between existing HWPTs, which takes 10 us */
#define SWITCHES_PER_SAMPLE	50

static void check_pins(long long before, uint64_t bytes, const char *when)
{
	long long pinned = pinned_pages() - before;

	errno = 0;
	if (pinned != (long long)(bytes / PAGE))
		die("%lld pages are pinned after %s, not %llu", pinned, when,
		    (unsigned long long)(bytes / PAGE));
}

/**
 * case_bulk() - map a whole buffer, fill a second page table from the IOAS, drop it, unmap
 * @o: the origin of the pass
 * @s: the session
 * @b: the buffer, present in memory
 * @reps: samples to take
 */
void case_bulk(const struct origin *o, struct session *s, const struct buffer *b, unsigned int reps)
{
	struct samples map = {}, fill = {}, drop = {}, unmap = {};
	const char *memory = memory_name(b->kind);
	uint64_t start, ns[4];
	uint32_t hwpt;
	unsigned int i;
	long long pins;

	ioas_renew(s);
	pins = pinned_pages();
	for (i = 0; i <= reps; i++) {
		ns[0] = ioas_map(s, b->va, b->size, IOVA_BASE);
		if (!i)
			check_pins(pins, b->size, "a map");
		start = now_ns();
		hwpt = hwpt_alloc(s);
		ns[1] = now_ns() - start;
		start = now_ns();
		object_destroy(s, hwpt);
		ns[2] = now_ns() - start;
		ns[3] = ioas_unmap(s, IOVA_BASE, b->size);
		if (!i) {
			check_pins(pins, 0, "its unmap");
			continue;
		}
		samples_add(&map, ns[0]);
		samples_add(&fill, ns[1]);
		samples_add(&drop, ns[2]);
		samples_add(&unmap, ns[3]);
	}
	print_samples(o, "map", memory, 0, b->size, &map);
	print_samples(o, "fill", memory, 0, b->size, &fill);
	print_samples(o, "drop", memory, 0, b->size, &drop);
	print_samples(o, "unmap", memory, 0, b->size, &unmap);
	samples_free(&map);
	samples_free(&fill);
	samples_free(&drop);
	samples_free(&unmap);
}

/**
 * case_first_touch() - map memory that was never touched: the pin faults every page in
 * @o: the origin of the pass
 * @s: the session
 * @kind: kind of memory
 * @size: bytes
 * @reps: samples to take; there is nothing to warm up here
 */
void case_first_touch(const struct origin *o, struct session *s, enum memory_kind kind, size_t size,
		      unsigned int reps)
{
	struct samples map = {};
	struct buffer b;
	unsigned int i;

	ioas_renew(s);
	for (i = 0; i < reps; i++) {
		buffer_create_untouched(&b, kind, size);
		samples_add(&map, ioas_map(s, b.va, size, IOVA_BASE));
		ioas_unmap(s, IOVA_BASE, size);
		buffer_destroy(&b);
	}
	print_samples(o, "first_touch", memory_name(kind), 0, size, &map);
	samples_free(&map);
}

/**
 * case_pair() - map and unmap one 4 KiB page in an empty IOAS, repeatedly
 * @o: the origin of the pass
 * @s: the session
 * @b: a buffer of 4 KiB pages
 * @reps: samples of bulk cases; here more are taken, each the mean of some pairs
 */
void case_pair(const struct origin *o, struct session *s, const struct buffer *b, unsigned int reps)
{
	struct samples pair = {};
	unsigned int i, k;
	uint64_t start;

	ioas_renew(s);
	for (i = 0; i <= SAMPLES_PER_REP * reps; i++) {
		start = now_ns();
		for (k = 0; k < PAIRS_PER_SAMPLE; k++) {
			ioas_map(s, b->va, PAGE, IOVA_BASE);
			ioas_unmap(s, IOVA_BASE, PAGE);
		}
		if (i)
			samples_add(&pair, (now_ns() - start) / PAIRS_PER_SAMPLE);
	}
	print_samples(o, "pair", memory_name(b->kind), 0, PAGE, &pair);
	samples_free(&pair);
}

/**
 * case_replace() - replace the device's translation: by an existing HWPT, and by a new one
 * @o: the origin of the pass
 * @s: the session
 * @b: the buffer, present in memory
 * @reps: samples to take
 *
 * The new ones are filled from two address spaces in turn, which share the pages, so nothing is
 * pinned in between. The same call destroys the replaced HWPT.
 */
void case_replace(const struct origin *o, struct session *s, const struct buffer *b,
		  unsigned int reps)
{
	struct samples there = {}, fill = {};
	const char *memory = memory_name(b->kind);
	uint32_t hwpts[2], ioases[2];
	unsigned int i, k;
	uint64_t start;

	ioas_renew(s);
	ioas_map(s, b->va, b->size, IOVA_BASE);
	ioases[0] = s->ioas_id;
	ioases[1] = ioas_copy_all(s, IOVA_BASE, b->size);
	for (i = 0; i < 2; i++)
		hwpts[i] = hwpt_alloc(s);

	for (i = 0; i <= SAMPLES_PER_REP * reps; i++) {
		start = now_ns();
		for (k = 0; k < SWITCHES_PER_SAMPLE; k++)
			device_replace(s, hwpts[k % 2]);
		if (i)
			samples_add(&there, (now_ns() - start) / SWITCHES_PER_SAMPLE);
	}
	for (i = 0; i <= 2 * reps; i++) {
		start = now_ns();
		device_replace(s, ioases[(i + 1) % 2]);
		if (i)
			samples_add(&fill, now_ns() - start);
	}
	device_replace(s, ioases[0]);
	for (i = 0; i < 2; i++)
		object_destroy(s, hwpts[i]);
	object_destroy(s, ioases[1]);
	ioas_unmap(s, IOVA_BASE, b->size);
	print_samples(o, "replace", memory, 0, b->size, &there);
	print_samples(o, "replace_fill", memory, 0, b->size, &fill);
	samples_free(&there);
	samples_free(&fill);
}
