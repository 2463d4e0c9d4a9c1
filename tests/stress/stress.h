/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stress test: what its files share.
 *
 * The parent (main.c) opens contexts and starts workers: processes of several threads that live a
 * few seconds and then exit, or are killed in the middle of a call. A thread either makes random
 * calls on random objects (chaos.c), where any documented errno is correct, or keeps an IOAS of
 * its own whose contents it knows and checks (model.c). When all workers have ended and all
 * contexts are closed, nothing may be left (leaks.c).
 *
 * All processes share struct shared. Its ids are hints, written without a lock: the test also
 * wants ids of objects that are gone or have been replaced.
 */
#ifndef IOMMUSCOPE_STRESS_H
#define IOMMUSCOPE_STRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/iommu.h"

#define NR_CONTEXTS	4
#define NR_TABLES	64
#define NR_IDS		6
#define NR_ERRNOS	134
#define STRESS_UID	4040

enum kind {
	KIND_IOAS,
	KIND_HWPT,
	KIND_DEVICE,
	KIND_STDEV,
	NR_KINDS,
};

enum chaos_op {
	OP_IOAS_ALLOC,
	OP_MAP,
	OP_MAP_FIXED,
	OP_UNMAP,
	OP_UNMAP_ALL,
	OP_COPY,
	OP_ALLOW,
	OP_RANGES,
	OP_OPTION,
	OP_HWPT_ALLOC,
	OP_DEVICE_ADD,
	OP_ATTACH,
	OP_REPLACE,
	OP_DETACH,
	OP_DESTROY,
	OP_ACCESS_OPEN,
	OP_ACCESS_MOVE,
	OP_ACCESS_PIN,
	OP_ACCESS_UNPIN,
	OP_ACCESS_RW,
	OP_ACCESS_CLOSE,
	OP_VFIO,
	OP_MEMORY,
	OP_FORK,
	OP_DMA,
	OP_HW_INFO,
	OP_MODEL,
	NR_OPS,
};

/**
 * struct shared - state shared by all processes
 * @stop: the time is over
 * @done: calls that succeeded, by operation
 * @failed: calls that failed with a permitted errno, by errno
 * @unexpected: calls that failed with another errno
 * @wrong: a model found memory mapped, pinned or stored that should not be, or missing
 * @ids: tables of recent objects, one for each context
 */
struct shared {
	atomic_bool stop;
	atomic_ulong done[NR_OPS];
	atomic_ulong failed[NR_OPS][NR_ERRNOS];
	atomic_ulong unexpected;
	atomic_ulong wrong;
	_Atomic uint32_t ids[NR_TABLES][NR_KINDS][NR_IDS];
};

/**
 * struct worker - a worker process
 * @shared: state shared by all processes
 * @contexts: /dev/iommu, opened by the parent
 * @tables: the table of ids of each context
 * @small: memory in small pages
 * @huge: memory in transparent huge pages
 * @file: memory of a file
 * @length: bytes of each of the three
 */
struct worker {
	struct shared *shared;
	int contexts[NR_CONTEXTS];
	unsigned int tables[NR_CONTEXTS];
	uint8_t *small;
	uint8_t *huge;
	uint8_t *file;
	uint64_t length;
};

/**
 * struct rng - random numbers of one thread
 * @state: never 0
 */
struct rng {
	uint64_t state;
};

/**
 * random_below() - a random number
 * @rng: the generator
 * @n: at least 1
 *
 * Return: 0 .. n - 1
 */
static inline uint64_t random_below(struct rng *rng, uint64_t n)
{
	rng->state ^= rng->state << 13;
	rng->state ^= rng->state >> 7;
	rng->state ^= rng->state << 17;
	return rng->state % n;
}

extern const char *const op_names[NR_OPS];

void chaos_thread(struct worker *w, struct rng *rng);
void model_thread(struct worker *w, struct rng *rng, int fd);

/**
 * struct baseline - the counters before the test
 * @pins: pages pinned
 * @mm: struct mm_struct in use, as the slab allocator counts
 * @tasks: struct task_struct in use
 * @slab_kib: unreclaimable slab
 */
struct baseline {
	uint64_t pins;
	uint64_t mm;
	uint64_t tasks;
	uint64_t slab_kib;
};

void leaks_baseline(struct baseline *before);
unsigned int leaks_check(const struct baseline *before, unsigned int workers, unsigned int first);

#define LEAK_POINTS 6

#endif
