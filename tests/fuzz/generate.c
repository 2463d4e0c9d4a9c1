// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs from seeds.
 *
 * Most values make sense, some do not: a value is replaced by an odd one, a descriptor by one of
 * another kind, a structure is longer or shorter than it should be, or is in unreadable memory.
 */
#include <string.h>

#include "fuzz.h"

#define PAGE 4096

static uint64_t random64(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dULL;
}

static uint64_t below(uint64_t *state, uint64_t n)
{
	return (random64(state) >> 11) % n;
}

static bool one_in(uint64_t *state, uint64_t n)
{
	return !below(state, n);
}

static struct value constant(uint64_t number)
{
	return (struct value){ .mode = VALUE_CONST, .number = number };
}

static struct value slot_of(uint64_t *state, unsigned int kind)
{
	/*
	 * few slots are used most, so that threads collide; ids mean nothing in another context
	 */
	unsigned int slot = one_in(state, 8) ? below(state, NR_SLOTS) : below(state, 2);

	if (kind == SLOT_IOMMU || kind == SLOT_GROUP)
		slot = one_in(state, 12);
	else if (kind == SLOT_VFIO || kind == SLOT_ACCESS)
		slot = one_in(state, 8) ? 1 + below(state, 2) : 0;

	return (struct value){ .mode = VALUE_SLOT, .kind = kind, .slot = slot };
}

static uint64_t odd_number(uint64_t *state)
{
	static const uint64_t odd[] = {
		0, 1, 2, 3, 7, 8, 15, 16, 20, 24, 40, 255, 4095, 4096, 4097, 65535, 1ULL << 20,
		0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32, 1ULL << 47, 1ULL << 52,
		0x7fffffffffffffff, 1ULL << 63, UINT64_MAX - 4095, UINT64_MAX,
	};

	if (one_in(state, 4))
		return random64(state);
	return odd[below(state, sizeof(odd) / sizeof(odd[0]))];
}

/*
 * Most are on a coarse grid, so that mapped ranges are used again; also within the reach of
 * mocks.
 */
#define GRID 0x10000

static uint64_t iova(uint64_t *state)
{
	uint64_t base = below(state, 16) * GRID;

	switch (below(state, 16)) {
	case 0:
		return base + below(state, GRID);
	case 1:
		return (1ULL << 47) - base;
	case 2:
		return 0xfee00000 - base;
	case 3:
		return below(state, 4) * PAGE;
	}
	return (1 << 24) + base;
}

static uint64_t length(uint64_t *state)
{
	switch (below(state, 16)) {
	case 0:
		return below(state, 3 * PAGE);
	case 1:
		return AREA_SIZE;
	case 2:
		return UINT64_MAX - (one_in(state, 2) ? below(state, 1 << 22) : 0);
	case 3:
		return (1 + below(state, 64)) * PAGE;
	}
	return one_in(state, 4) ? 2 * GRID : GRID;
}

static struct value memory(uint64_t *state, bool odd)
{
	struct value value = { .mode = VALUE_MEMORY };

	value.kind = odd ? below(state, NR_AREAS) : AREA_SMALL + below(state, 2);
	value.number = below(state, AREA_SIZE / PAGE) * PAGE;
	/* the end of an area, and over it */
	if (one_in(state, 4))
		value.number = AREA_SIZE - (1 + below(state, 8)) * PAGE;
	if (one_in(state, 8))
		value.number += below(state, PAGE);
	return value;
}

/* @mutate: the call may have a wrong value */
static struct value pick(uint64_t *state, const struct spec *spec, const struct field *field,
			 bool mutate)
{
	if (mutate && one_in(state, 4))
		return constant(odd_number(state));
	switch ((enum field_kind)field->kind) {
	case FIELD_SIZE:
		return constant(spec->size);
	case FIELD_SLOT:
		return slot_of(state, field->param);
	case FIELD_PT:
		return slot_of(state, one_in(state, 2) ? SLOT_IOAS : SLOT_HWPT);
	case FIELD_ANY:
		return slot_of(state, below(state, FIRST_FD_KIND));
	case FIELD_FLAGS:
		return constant(one_in(state, 4) ? random64(state) & field->param : field->param);
	case FIELD_RARE_FLAGS:
		return constant(one_in(state, 4) ? random64(state) & field->param : 0);
	case FIELD_UP_TO:
		return constant(below(state, field->param + 1));
	case FIELD_IOVA:
		return constant(iova(state));
	case FIELD_LENGTH:
		return constant(length(state));
	case FIELD_MEMORY:
		return memory(state, one_in(state, 4));
	case FIELD_ONE_OF_EACH:
		return constant(1ULL << below(state, 3) | 8ULL << below(state, 3));
	case FIELD_BIT:
		return constant(1ULL << below(state, field->param));
	case FIELD_FEATURE:
		return constant(below(state, 11) | 1ULL << (16 + below(state, 3)));
	case FIELD_DATA:
		return (struct value){
			.mode = VALUE_MEMORY,
			.kind = one_in(state, 8) ? below(state, NR_AREAS) : AREA_DATA,
			.number = below(state, 32) * 16,
		};
	case FIELD_IS:
		return constant(field->param);
	case FIELD_ZERO:
	case FIELD_OUT:
		break;
	}
	return constant(0);
}

/* Devices sleep while they are reset: many rounds leave them out. */
static unsigned int weight(const struct spec *spec, bool devices)
{
	if (!devices && (spec->fd == SLOT_VFIO || spec->fd == SLOT_GROUP ||
			 spec->how == HOW_OPEN_VFIO || spec->how == HOW_OPEN_GROUP))
		return 0;
	return spec->weight;
}

static const struct spec *choose(uint64_t *state, bool devices)
{
	unsigned int sum = 0, i, at;

	for (i = 0; i < nr_specs; i++)
		sum += weight(&specs[i], devices);
	at = below(state, sum);
	for (i = 0; at >= weight(&specs[i], devices); i++)
		at -= weight(&specs[i], devices);
	return &specs[i];
}

static void fill(uint64_t *state, struct call *call, const struct spec *spec)
{
	bool mutate = one_in(state, 6);
	unsigned int i;

	memset(call, 0, sizeof(*call));
	call->spec = spec - specs;
	call->out = slot_of(state, spec->returns ? spec->returns - 1 : SLOT_IOAS).slot;
	call->fd = slot_of(state, spec->fd);
	if (one_in(state, 64))
		call->fd = slot_of(state, FIRST_FD_KIND +
				   below(state, NR_SLOT_KINDS - FIRST_FD_KIND));
	for (i = 0; i < spec->nr; i++)
		call->values[i] = pick(state, spec, &spec->fields[i], mutate);
	if (mutate && one_in(state, 3))
		call->place = PLACE_EDGE + below(state, 4);
}

/* Objects to work on: without them most calls would find nothing. */
static unsigned int fill_start(uint64_t *state, struct program *program, unsigned int thread,
			       bool devices)
{
	static const struct {
		const char *name;
		unsigned int out;
	} first[] = {
		{ "open iommu", 0 }, { "IOMMU_IOAS_ALLOC", 0 }, { "IOMMU_IOAS_ALLOC", 1 },
		{ "test MOCK_DOMAIN", 1 }, { "IOMMU_IOAS_MAP", 0 }, { "IOMMU_IOAS_MAP", 0 },
		{ "test CREATE_ACCESS", 0 }, { "eventfd", 0 }, { "open vfio", 0 },
		{ "VFIO_DEVICE_BIND_IOMMUFD", 0 }, { "VFIO_DEVICE_ATTACH_IOMMUFD_PT", 0 },
	};
	unsigned int nr = devices ? sizeof(first) / sizeof(first[0]) : 8, i, j, k;

	for (i = 0; i < nr; i++) {
		struct call *call = &program->calls[thread][i];

		for (j = 0; strcmp(specs[j].name, first[i].name); j++)
			;
		fill(state, call, &specs[j]);
		for (k = 0; k < specs[j].nr; k++)
			call->values[k] = pick(state, &specs[j], &specs[j].fields[k], false);
		call->place = PLACE_STACK;
		call->fd = (struct value){ .mode = VALUE_SLOT, .kind = specs[j].fd };
		call->out = first[i].out;
	}
	return nr;
}

void generate(struct program *program, uint64_t seed)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15ULL + 1;
	unsigned int thread, i;
	bool devices;

	if (!state)
		state = 1;
	for (i = 0; i < 8; i++)
		random64(&state);
	memset(program, 0, sizeof(*program));
	program->seed = seed;
	program->threads = 1 + below(&state, MAX_THREADS);
	program->nr = MAX_CALLS / 4 + below(&state, MAX_CALLS * 3 / 4);
	program->unprivileged = one_in(&state, 3);
	program->kill_us = one_in(&state, 4) ? 1 + below(&state, 60000) : 0;
	devices = one_in(&state, 2);
	for (thread = 0; thread < program->threads; thread++) {
		i = thread ? 0 : fill_start(&state, program, thread, devices);
		for (; i < program->nr; i++)
			fill(&state, &program->calls[thread][i], choose(&state, devices));
	}
}
