// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record of extents, the tree of areas and the choice of IOVAs, each compared with a model
 * that is too simple to be wrong.
 */
#include <stdio.h>

#include "memory/area.h"
#include "memory/extents.h"
#include "iommufd_private.h"
#include "memory/iova.h"

bool iommufd_op_key;

int __iommufd_op_fail(struct iommufd_op *op, int err, enum iommufd_reason reason, u64 a, u64 b)
{
	op_clock_fail(&op->clock, reason, a, b);
	return err;
}

static int points, failures;

void iommufd_pages_release(struct kref *kref)
{
	(void)kref;
}

static void ok(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++points, what);
	failures += !good;
}

static unsigned long random_state = 42;

static unsigned long rnd(unsigned long below)
{
	random_state = random_state * 6364136223846793005UL + 1442695040888963407UL;
	return (random_state >> 33) % below;
}

#define MODEL_PAGES 20000

static bool same(const struct iommufd_extents *extents, const unsigned long *model,
		 unsigned long from, unsigned long nr)
{
	struct iommufd_extent_cursor cursor;
	unsigned long index = from, pfn, run, max;

	if (from == nr)
		return extents->nr_pages == nr;
	iommufd_extents_seek(&cursor, extents, from);
	while (max = rnd(3) ? ULONG_MAX : 1 + rnd(7),
	       (run = iommufd_extents_next(&cursor, max, &pfn))) {
		while (run--) {
			if (index >= nr || model[index++] != pfn++)
				return false;
		}
	}
	return index == nr && extents->nr_pages == nr;
}

static void test_extents(void)
{
	static unsigned long model[MODEL_PAGES];
	struct iommufd_extents extents, tail;
	bool appended = true, sought = true, cut = true, failed_clean = true;
	unsigned int round;

	for (round = 0; round < 200; round++) {
		unsigned long nr = 0, pfn = 1 + rnd(1UL << 30), at, extents_before;

		iommufd_extents_init(&extents);
		while (nr < MODEL_PAGES && rnd(3000)) {
			unsigned long run = 1 + rnd(round % 3 ? 3 : 700), i;

			run = min(run, MODEL_PAGES - nr);

			if (rnd(4))
				pfn += 1 + rnd(100);
			if (iommufd_extents_append(&extents, pfn, run))
				appended = false;
			for (i = 0; i < run; i++)
				model[nr++] = pfn++;
		}
		appended &= same(&extents, model, 0, nr);
		if (!nr) {
			iommufd_extents_free(&extents);
			continue;
		}
		for (at = 0; at < nr; at += 1 + rnd(nr / 20 + 1))
			sought &= same(&extents, model, at, nr);

		at = rnd(nr);
		iommufd_extents_init(&tail);
		cut &= !iommufd_extents_copy_tail(&extents, at, &tail);
		cut &= same(&tail, model + at, 0, nr - at);
		extents_before = extents.nr_extents;
		iommufd_extents_truncate(&extents, at);
		cut &= extents.nr_pages == at && (!at || same(&extents, model, 0, at));
		cut &= extents.nr_extents <= extents_before;
		cut &= !iommufd_extents_append(&extents, 1UL << 35, 1) && extents.nr_pages == at + 1;

		shim_fail_after = rnd(3);
		if (iommufd_extents_append(&tail, 1UL << 36, 1))
			failed_clean &= same(&tail, model + at, 0, nr - at);
		shim_fail_after = -1;
		iommufd_extents_free(&tail);
		iommufd_extents_free(&extents);
	}
	ok(appended, "a record gives back what was appended");
	ok(sought, "a record is found at any page");
	ok(cut, "a record can be cut in two and appended to");
	ok(failed_clean, "a record is unchanged when memory for it runs out");

	iommufd_extents_init(&extents);
	for (round = 0; round < 40; round++)
		iommufd_extents_append(&extents, (unsigned long)round << 22, 1UL << 22);
	ok(extents.nr_extents == 14 && extents.nr_pages == 40UL << 22,
	   "extents longer than their length field are cut, not wrapped");
	iommufd_extents_free(&extents);
}

#define SPACE 512

/* The mapped pages, one byte per page; IOVA = page * PAGE_SIZE. */
static unsigned char used[SPACE];

static bool model_hole(unsigned long low, unsigned long high, unsigned long nr,
		       unsigned long align, unsigned long *found)
{
	unsigned long page, i;

	for (page = low; page + nr - 1 <= high; page++) {
		if (page % align)
			continue;
		for (i = 0; i < nr && !used[page + i]; i++)
			;
		if (i == nr) {
			*found = page;
			return true;
		}
	}
	return false;
}

static unsigned long model_largest(unsigned long low, unsigned long high)
{
	unsigned long largest = 0, run = 0, page;

	for (page = low; page <= high; page++) {
		run = used[page] ? 0 : run + 1;
		largest = max(largest, run);
	}
	return largest;
}

/* The results so far: false once one of them was wrong. */
struct verdicts {
	bool exact;
	bool aligned;
	bool lookup;
	bool largest;
};

/* Remove the area at a page, or add one. */
static void change_areas(struct iommufd_ioas *ioas, struct iommufd_area **areas)
{
	unsigned long page = rnd(SPACE), nr = 1, i;
	struct iommufd_area *area = areas[page];

	if (area) {
		for (i = 0; i < area_length(area) / PAGE_SIZE; i++)
			used[page + i] = 0;
		areas[page] = NULL;
		iommufd_area_erase(ioas, area);
		free(area);
	} else if (!used[page]) {
		area = calloc(1, sizeof(*area));
		while (nr < 12 && page + nr < SPACE && !used[page + nr] && rnd(4))
			nr++;
		area->iova = page * PAGE_SIZE;
		area->last = area->iova + nr * PAGE_SIZE - 1;
		areas[page] = area;
		for (i = 0; i < nr; i++)
			used[page + i] = 1;
		iommufd_area_insert(ioas, area);
	}
}

static void look_for_holes(struct iommufd_ioas *ioas, struct verdicts *is)
{
	unsigned long nr = 1 + rnd(20), low = rnd(SPACE), high = rnd(SPACE);
	unsigned long page, i, found, iova;
	bool want, got;

	if (low > high)
		return;
	is->largest &=
		iommufd_area_largest_hole(ioas, low * PAGE_SIZE, (high + 1) * PAGE_SIZE - 1) ==
		model_largest(low, high) * PAGE_SIZE;
	want = model_hole(low, high, nr, 1, &found);
	got = iommufd_area_find_hole(ioas, low * PAGE_SIZE, (high + 1) * PAGE_SIZE - 1,
				     nr * PAGE_SIZE, PAGE_SIZE, 0, &iova);
	is->exact &= want == got && (!got || iova == found * PAGE_SIZE);

	/* An alignment may miss a hole that fits exactly, but never one with slack. */
	got = iommufd_area_find_hole(ioas, low * PAGE_SIZE, (high + 1) * PAGE_SIZE - 1,
				     nr * PAGE_SIZE, 8 * PAGE_SIZE, 3 * PAGE_SIZE, &iova);
	if (!got) {
		is->aligned &= !model_hole(low, high, nr + 7, 1, &found);
		return;
	}
	page = iova / PAGE_SIZE;
	is->aligned &= page % 8 == 3 && page >= low && page + nr - 1 <= high;
	for (i = 0; i < nr; i++)
		is->aligned &= !used[page + i];
}

static void look_for_area(struct iommufd_ioas *ioas, struct verdicts *is)
{
	unsigned long page = rnd(SPACE);
	struct iommufd_area *area = iommufd_area_from(ioas, page * PAGE_SIZE);

	is->lookup &= !area || area->last >= page * PAGE_SIZE;
	is->lookup &= !!used[page] == (area && area->iova <= page * PAGE_SIZE);
	is->largest &= iommufd_area_largest_hole(ioas, 0, SPACE * PAGE_SIZE - 1) ==
		       model_largest(0, SPACE - 1) * PAGE_SIZE;
}

static void test_areas(void)
{
	struct iommufd_area *areas[SPACE] = { NULL };
	struct iommufd_ioas ioas = { .areas = RB_ROOT, .iova_alignment = PAGE_SIZE };
	struct verdicts is = { true, true, true, true };
	unsigned long page;
	int round;

	ioas.iova_lock.held = 1;
	for (round = 0; round < 60000; round++) {
		change_areas(&ioas, areas);
		if (round % 4 == 0)
			look_for_holes(&ioas, &is);
		if (round % 16 == 1)
			look_for_area(&ioas, &is);
	}
	ok(is.exact, "the lowest hole is found, and only where there is one");
	ok(is.aligned, "an aligned hole is free, aligned, and found where there is room for it");
	ok(is.lookup, "areas are found by IOVA");
	ok(is.largest, "the largest hole is found, of all and of a part");

	for (page = 0; page < SPACE; page++) {
		if (areas[page]) {
			iommufd_area_erase(&ioas, areas[page]);
			free(areas[page]);
		}
	}
	ok(!ioas.nr_areas && !ioas.mapped_bytes, "the counters go back to zero");
}

static void test_ranges(void)
{
	struct iommu_iova_range ranges[8], pair[2];
	struct iommufd_ioas ioas = { .areas = RB_ROOT, .huge_pages = true };
	unsigned long alignment, iova;
	struct iommufd_op op;
	int owner[3];

	op.clock.armed = 0;
	ioas.iova_lock.held = 1;
	iommufd_iova_init(&ioas);
	ok(iommufd_ioas_usable(&ioas, ranges, 8, &alignment) == 1 && ranges[0].start == 0 &&
	   ranges[0].last == ULONG_MAX && alignment == 1, "a new space is usable as a whole");

	iommufd_ioas_reserve(&ioas, &op, 0xfee00000, 0xfeefffff, &owner[0]);
	iommufd_ioas_reserve(&ioas, &op, 0xfee80000, 0xff0fffff, &owner[1]);
	iommufd_ioas_reserve(&ioas, &op, 1UL << 48, ULONG_MAX, &owner[2]);
	iommufd_ioas_reserve(&ioas, &op, 0, 0xfff, &owner[2]);
	ok(iommufd_ioas_usable(&ioas, ranges, 8, &alignment) == 2 && ranges[0].start == 0x1000 &&
	   ranges[0].last == 0xfedfffff && ranges[1].start == 0xff100000 &&
	   ranges[1].last == (1UL << 48) - 1, "reserved ranges overlap, merge and bound the space");

	iommufd_ioas_unreserve(&ioas, &owner[0]);
	ok(iommufd_ioas_usable(&ioas, ranges, 1, &alignment) == 2 && ranges[0].last == 0xfee7ffff,
	   "an owner gives back its ranges and no other's");

	pair[0] = (struct iommu_iova_range){ 0x40000000, 0x7fffffff };
	pair[1] = (struct iommu_iova_range){ 0x100000, 0x1fffff };
	ok(!iommufd_ioas_set_allowed(&ioas, &op, pair, 2), "allowed ranges may come in any order");
	ok(iommufd_ioas_reserve(&ioas, &op, 0x1ff000, 0x2fffff, &owner[0]) == -EADDRINUSE,
	   "what is allowed cannot be reserved");
	ok(!iommufd_iova_alloc(&ioas, &op, 0x7f0000000000, 0x100000, &iova) && iova == 0x100000,
	   "IOVAs are chosen in the allowed ranges");
	ok(!iommufd_iova_alloc(&ioas, &op, 0x7f0000201000, 0x400000, &iova) &&
	   iova == 0x40001000, "as far into a huge page as the memory is");
	ok(iommufd_iova_alloc(&ioas, &op, 0x7f0000000000, 0x80000000, &iova) == -ENOSPC,
	   "missing room is reported");
	pair[1] = pair[0];
	ok(iommufd_ioas_set_allowed(&ioas, &op, pair, 2) == -EINVAL, "overlapping ones are refused");
	pair[1] = (struct iommu_iova_range){ 0xfee00000, 0xfeffffff };
	ok(iommufd_ioas_set_allowed(&ioas, &op, pair, 2) == -EADDRINUSE, "reserved ones are refused");
	ok(!iommufd_ioas_set_allowed(&ioas, &op, NULL, 0) &&
	   !iommufd_iova_alloc(&ioas, &op, 0x1000, 0x1000, &iova) && iova == 0x1000,
	   "without allowed ranges, all usable ranges are allowed");
	ok(iommufd_iova_check(&ioas, &op, 0xfef00000, 0x1000) == -EINVAL &&
	   !iommufd_iova_check(&ioas, &op, 0xff100000, 0x1000), "fixed IOVAs are checked");
	iommufd_iova_fini(&ioas);
}

int main(void)
{
	test_extents();
	test_areas();
	test_ranges();
	printf("1..%d\n", points);
	return failures ? 1 : 0;
}
