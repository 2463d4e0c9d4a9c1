// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases of many areas: the cost of one more map and unmap when the IOAS is already full of areas.
 *
 * Model: areas of one page are at every second page of the IOVA space, so each has a hole of one
 * page on both sides. A map at a chosen IOVA goes into a random hole. A map at an IOVA of the
 * kernel's choice takes two pages, which no hole between areas can hold, and must not be below
 * them: so the search has to pass them all, or avoid that. All areas share the pages of one
 * buffer.
 */
#include "bench.h"

#define STRIDE			(2 * PAGE)
#define PAIRS_PER_SAMPLE	50
#define SAMPLE_BUDGET_NS	20000000ULL
#define SAMPLES_PER_REP		8
#define FEW_AREAS		10
#define CHEAP_AREAS		1000

static uint64_t hole(size_t areas)
{
	return IOVA_BASE + (random_u64() % areas) * STRIDE + PAGE;
}

/*
 * The mean time of a pair, over PAIRS_PER_SAMPLE pairs or as many as fit the budget: otherwise a
 * search that is linear in the number of areas would take minutes.
 */
static uint64_t sample_fixed(struct session *s, const struct buffer *b, size_t areas)
{
	uint64_t start = now_ns(), at;
	unsigned int k = 0;

	do {
		at = hole(areas);
		ioas_map(s, b->va, PAGE, at);
		ioas_unmap(s, at, PAGE);
		k++;
	} while (k < PAIRS_PER_SAMPLE && now_ns() - start < SAMPLE_BUDGET_NS);
	return (now_ns() - start) / k;
}

static uint64_t sample_anywhere(struct session *s, const struct buffer *b)
{
	uint64_t start = now_ns(), at;
	unsigned int k = 0;

	do {
		at = ioas_map_anywhere(s, b->va, 2 * PAGE);
		ioas_unmap(s, at, 2 * PAGE);
		k++;
	} while (k < PAIRS_PER_SAMPLE && now_ns() - start < SAMPLE_BUDGET_NS);
	return (now_ns() - start) / k;
}

static uint64_t set_up(struct session *s, const struct buffer *b, size_t areas)
{
	size_t i, pages = b->size / PAGE;
	uint64_t start;

	ioas_renew(s);
	ioas_allow(s, IOVA_BASE, IOVA_BASE + 64 * GIB - 1);
	start = now_ns();
	for (i = 0; i < areas; i++)
		ioas_map(s, b->va + (i % pages) * PAGE, PAGE, IOVA_BASE + i * STRIDE);
	return (now_ns() - start) / areas;
}

static uint64_t take_down(struct session *s, size_t areas)
{
	uint64_t start = now_ns();

	ioas_unmap_all(s);
	return (now_ns() - start) / areas;
}

/**
 * case_areas() - set up many areas, measure one more among them, remove all with one call
 * @o: the origin of the pass
 * @s: the session
 * @few: a session with another device, for the same with few areas; NULL: none
 * @b: a buffer of 4 KiB pages
 * @areas: how many
 * @reps: samples to take; more of the pairs, but only one of setup and removal if those take long
 *
 * The cost of one more area among many is measured relative to its cost among few: samples of
 * both alternate, milliseconds apart, so that both see the same conditions.
 */
void case_areas(const struct origin *o, struct session *s, struct session *few,
		const struct buffer *b, size_t areas, unsigned int reps)
{
	struct samples fill = {}, fixed = {}, beside = {}, anywhere = {}, all = {};
	const char *memory = memory_name(b->kind);
	uint64_t ns[3] = {};
	unsigned int i;

	if (few)
		set_up(few, b, FEW_AREAS);
	/*
	 * Setup and removal of few areas are very short: repeat them, without counting the first.
	 */
	for (i = 0; areas <= CHEAP_AREAS && i <= reps; i++) {
		ns[0] = set_up(s, b, areas);
		ns[1] = take_down(s, areas);
		if (!i)
			continue;
		samples_add(&fill, ns[0]);
		samples_add(&all, ns[1]);
	}
	ns[0] = set_up(s, b, areas);
	if (!fill.count)
		samples_add(&fill, ns[0]);

	for (i = 0; i <= SAMPLES_PER_REP * reps; i++) {
		ns[0] = sample_fixed(s, b, areas);
		if (few)
			ns[1] = sample_fixed(few, b, FEW_AREAS);
		if (!i)
			continue;
		samples_add(&fixed, ns[0]);
		samples_add(&beside, ns[1]);
	}
	for (i = 0; i <= reps; i++) {
		ns[2] = sample_anywhere(s, b);
		if (i)
			samples_add(&anywhere, ns[2]);
	}

	ns[0] = take_down(s, areas);
	if (!all.count)
		samples_add(&all, ns[0]);

	print_samples(o, "area_map", memory, areas, PAGE, &fill);
	print_samples(o, "area_pair", memory, areas, PAGE, &fixed);
	if (few) {
		print_samples(o, "area_pair_few", memory, areas, PAGE, &beside);
		ioas_unmap_all(few);
	}
	print_samples(o, "area_pair_anywhere", memory, areas, 2 * PAGE, &anywhere);
	print_samples(o, "area_unmap_all", memory, areas, PAGE, &all);
	samples_free(&fill);
	samples_free(&fixed);
	samples_free(&beside);
	samples_free(&anywhere);
	samples_free(&all);
}
