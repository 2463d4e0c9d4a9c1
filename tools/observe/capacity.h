/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pinned memory against RLIMIT_MEMLOCK, and free space in I/O address spaces.
 *
 * Memory counts against the limit of the process that maps it, either by user (the total of all
 * processes of the user) or by process.  CAP_IPC_LOCK lifts the limit; when counting by user,
 * memory of such processes is not counted at all.
 */
#ifndef IOMMUSCOPE_OBSERVE_CAPACITY_H
#define IOMMUSCOPE_OBSERVE_CAPACITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/state.h"

/* The kind of limit of a process. */
enum capacity_limit {
	LIMIT_UNKNOWN, /* the process has ended */
	LIMIT_BYTES,
	LIMIT_UNLIMITED, /* RLIMIT_MEMLOCK is unlimited */
	LIMIT_CAPABILITY, /* it has CAP_IPC_LOCK */
};

/**
 * struct capacity_process - a process that pins memory through contexts
 * @pid: its id
 * @uid: its user
 * @comm: its name
 * @by_process: its memory counts by process; else by user
 * @pinned_bytes: pinned through its contexts of this kind of counting
 * @counted_bytes: amount that is compared with the limit
 * @limit: the kind of limit
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
 * struct capacity - everything that is not in the state itself
 * @processes: sorted by process id
 * @nr: number of processes
 * @pinned_bytes: pinned through all contexts
 * @host_pinned_bytes: total that the kernel has pinned for any purpose
 * @page_table_bytes: memory of all IOMMU page tables of the host, 0 if the kernel does not report
 *	it
 * @memory_bytes: memory of the host
 * @available_bytes: memory of the host that is available
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
 * capacity_read() - read how much each process pins, and its limit
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
 * capacity_left() - amount that a process may still pin
 * @process: the process
 *
 * Return: bytes, UINT64_MAX if there is no limit.
 */
uint64_t capacity_left(const struct capacity_process *process);

/**
 * ioas_free_bytes() - free IOVA space
 * @ioas: the IOAS
 *
 * Return: bytes.
 */
uint64_t ioas_free_bytes(const struct iommufd_state_ioas *ioas);

/**
 * ioas_fragmentation() - fragmentation of the free space
 * @ioas: the IOAS
 *
 * Return: 1 - largest hole / free, 0 if nothing is free.
 */
double ioas_fragmentation(const struct iommufd_state_ioas *ioas);

/**
 * ioas_page_table_bytes() - lower bound of the page-table memory of an IOAS
 * @ioas: the IOAS
 *
 * Assumes tables of 512 entries in four levels, as VT-d, AMD and most others have, and areas close
 * to each other.  IOMMU drivers do not report their actual memory.
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
	FIT_ENTRIES, /* a container has reached its limit of areas */
	FIT_MEMLOCK,
	FIT_MEMORY,
	FIT_PROCESS_GONE,
	FIT_BUSY, /* not known: the IOAS keeps changing */
	FIT_OUTSIDE, /* not known: the process is outside of the tool's PID namespace */
	NR_FIT_STOPS,
};

/**
 * struct fit - would a map fit?
 * @stop: what stops it
 * @wanted_bytes: amount of that resource that it needs
 * @left_bytes: amount that is left
 * @pins: it pins memory, because the IOAS has an HWPT
 */
struct fit {
	enum fit_stop stop;
	uint64_t wanted_bytes;
	uint64_t left_bytes;
	bool pins;
};

/**
 * capacity_fit() - would a map fit now, at an IOVA chosen by the kernel?
 * @capacity: the capacity
 * @state: the state
 * @ioas: the IOAS
 * @length: length in bytes, from a page boundary
 * @fit: filled in
 */
void capacity_fit(const struct capacity *capacity, const struct state *state,
		  const struct iommufd_state_ioas *ioas, uint64_t length, struct fit *fit);

/**
 * fit_stop_name() - name of what stops a map, as in the events: "memlock_limit"
 * @stop: what stops it
 *
 * Return: the name, NULL for FIT_FITS.
 */
const char *fit_stop_name(enum fit_stop stop);

#endif
