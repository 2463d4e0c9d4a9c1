/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names for the addresses of stacks, by libbcc's symbol cache.
 *
 * The library is loaded when it is asked for: few want stacks, and its package brings a compiler along.
 *
 * A process's symbols are found by way of its /proc entry, so it has to be looked at while it lives;
 * what has been opened for it is kept for the next of its stacks.  The kernel's symbols take
 * memory and time to read and do not go away: they are read when the first of them is wanted.
 */
#ifndef IOMMUSCOPE_MACHINE_STACKS_H
#define IOMMUSCOPE_MACHINE_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stacks;

/**
 * struct frame - an address of a stack with its name
 * @address: the address
 * @symbol: name of the function, NULL if it is not known
 * @module: "kernel" or a module; of a process, the path of the file; NULL if it is not known
 * @offset: of the address, from the beginning of the function, or else of the file
 */
struct frame {
	uint64_t address;
	char *symbol;
	char *module;
	uint64_t offset;
};

/**
 * stacks_begin() - load the library
 *
 * Return: what the other functions need, or NULL after it has said what is missing.
 */
struct stacks *stacks_begin(void);

/**
 * stacks_user() - name the frames of a process's stack
 * @stacks: as stacks_begin() returned it
 * @pid: the process
 * @start_ns: CLOCK_BOOTTIME as it began
 * @frames: their addresses are filled in; the rest is to be
 * @nr: how many
 *
 * Return: false if the process has ended and its names cannot be known any more.
 */
bool stacks_user(struct stacks *stacks, pid_t pid, uint64_t start_ns, struct frame *frames,
		 size_t nr);

/**
 * stacks_kernel() - name the frames of a stack of the kernel
 * @stacks: as stacks_begin() returned it
 * @frames: their addresses are filled in; the rest is to be
 * @nr: how many
 *
 * Return: how many of them lead from the operation to here: BPF's own, and tracing's.
 */
size_t stacks_kernel(struct stacks *stacks, struct frame *frames, size_t nr);

/**
 * stacks_free_frames() - free the names of frames
 * @frames: the frames
 * @nr: how many
 */
void stacks_free_frames(struct frame *frames, size_t nr);

/**
 * stacks_end() - free everything
 * @stacks: as stacks_begin() returned it, or NULL
 */
void stacks_end(struct stacks *stacks);

#endif
