/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How near the limits: pinned memory against RLIMIT_MEMLOCK, and room in I/O address spaces.
 *
 * Memory counts against the limit of the process that maps it, by user (what all of the user's
 * processes have pinned together) or by process.  CAP_IPC_LOCK lifts the limit, and by user
 * the counting.
 */
#ifndef IOMMUSCOPE_OBSERVE_CAPACITY_H
#define IOMMUSCOPE_OBSERVE_CAPACITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/state.h"

/* What the limit of a process is. */
enum capacity_limit {
	LIMIT_UNKNOWN, /* the process has ended */
	LIMIT_BYTES,
	LIMIT_UNLIMITED, /* RLIMIT_MEMLOCK says so */
	LIMIT_CAPABILITY, /* it has CAP_IPC_LOCK */
};

/**
 * struct capacity_process - a process that pins memory through contexts
 * @pid: its id
 * @uid: its user
 * @comm: its name
 * @by_process: what it pins counts by process; else by user
 * @pinned_bytes: pinned through its contexts that count so
 * @counted_bytes: what is compared with the limit
 * @limit: what the limit is
 * @limit_bytes: the limit, if it is LIMIT_BYTES
 * @cgroup: path of its cgroup, "" if it has ended
 */
struct capacity_process {
	uint32_t pid;
	uint32_t uid;
	char comm[IOMMUFD_STATE_COMM + 1];
	bool by_process;
	uint64_t pinned_bytes;
	uint64_t counted_bytes;
	enum capacity_limit limit;
	uint64_t limit_bytes;
	char cgroup[256];
};

/**
 * struct capacity - all there is to tell but what is in the state itself
 * @processes: by process id
 * @nr: how many
 * @pinned_bytes: pinned through all contexts
 * @host_pinned_bytes: pinned in all by the kernel, for whatever
 * @page_table_bytes: memory of all IOMMU page tables of the host, 0 if the kernel does not tell
 * @memory_bytes: memory of the host
 * @available_bytes: what of it could be had
 */
struct capacity {
	struct capacity_process *processes;
	size_t nr;
	uint64_t pinned_bytes;
	uint64_t host_pinned_bytes;
	uint64_t page_table_bytes;
	uint64_t memory_bytes;
	uint64_t available_bytes;
};

/**
 * capacity_read() - find out who pins how much, and what the limits are
 * @capacity: filled in
 * @state: the state
 */
void capacity_read(struct capacity *capacity, const struct state *state);

/**
 * capacity_free() - free what capacity_read() filled in
 * @capacity: the capacity
 */
void capacity_free(struct capacity *capacity);

/**
 * capacity_left() - how much more a process may pin
 * @process: the process
 *
 * Return: bytes, UINT64_MAX if nothing limits it.
 */
uint64_t capacity_left(const struct capacity_process *process);

/**
 * ioas_free_bytes() - IOVA space that is free
 * @ioas: the IOAS
 *
 * Return: bytes.
 */
uint64_t ioas_free_bytes(const struct iommufd_state_ioas *ioas);

/**
 * ioas_fragmentation() - how much of the free space does not hang together
 * @ioas: the IOAS
 *
 * Return: 1 - largest hole / free, 0 if nothing is free.
 */
double ioas_fragmentation(const struct iommufd_state_ioas *ioas);

/**
 * ioas_page_table_bytes() - page-table memory that an IOAS takes at least
 * @ioas: the IOAS
 *
 * As tables of 512 entries and four levels, which VT-d, AMD and most others have, if areas lie
 * close to each other; IOMMU drivers do not tell what they really take.
 *
 * Return: bytes in all its HWPTs.
 */
uint64_t ioas_page_table_bytes(const struct iommufd_state_ioas *ioas);

/* What would stop a map. */
enum fit_stop {
	FIT_FITS,
	FIT_MISALIGNED,
	FIT_SPACE,
	FIT_NOT_ALLOWED,
	FIT_ENTRIES, /* a container has as many areas as it may */
	FIT_MEMLOCK,
	FIT_MEMORY,
	FIT_PROCESS_GONE,
	FIT_BUSY, /* not known: the IOAS is being changed all the time */
	NR_FIT_STOPS,
};

/**
 * struct fit - would a map fit?
 * @stop: what stops it
 * @wanted_bytes: how much of that it would take
 * @left_bytes: how much there is
 * @pins: it pins, since the IOAS has an HWPT
 */
struct fit {
	enum fit_stop stop;
	uint64_t wanted_bytes;
	uint64_t left_bytes;
	bool pins;
};

/**
 * capacity_fit() - would a map fit now, with the IOVA chosen by the kernel?
 * @capacity: the capacity
 * @state: the state
 * @ioas: the IOAS
 * @length: bytes, beginning at a page
 * @fit: filled in
 */
void capacity_fit(const struct capacity *capacity, const struct state *state,
		  const struct iommufd_state_ioas *ioas, uint64_t length, struct fit *fit);

/**
 * fit_stop_name() - what stops a map, as the events name it: "memlock_limit"
 * @stop: what stops it
 *
 * Return: the name, NULL for FIT_FITS.
 */
const char *fit_stop_name(enum fit_stop stop);

#endif
