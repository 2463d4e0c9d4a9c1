/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Symbols for the addresses of stacks, from the symbol cache of libbcc.
 *
 * The library is loaded on demand: few users want stacks, and its package depends on a compiler.
 *
 * The symbols of a process are found through its /proc entry, so it must be read while the process
 * exists.  What was read is kept for its next stacks.  Reading the symbols of the kernel takes
 * memory and time, and they stay available, so they are read when they are first needed.
 */
#ifndef IOMMUSCOPE_MACHINE_STACKS_H
#define IOMMUSCOPE_MACHINE_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stacks;

/**
 * struct frame - an address of a stack and its symbol
 * @address: the address
 * @symbol: name of the function, NULL if it is not known
 * @module: "kernel" or a module; in a process, the path of the file; NULL if it is not known
 * @offset: offset of the address from the start of the function, or else of the file
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
 * Return: a handle for the other functions, or NULL after a message.
 */
struct stacks *stacks_begin(void);

/**
 * stacks_user() - name the frames of a user stack
 * @stacks: as stacks_begin() returned it
 * @pid: the process
 * @start_ns: CLOCK_BOOTTIME of its start
 * @frames: the frames; addresses are given, the rest is filled in
 * @nr: number of frames
 *
 * Return: false if the process has ended, so its symbols cannot be found.
 */
bool stacks_user(struct stacks *stacks, pid_t pid, uint64_t start_ns, struct frame *frames,
		 size_t nr);

/**
 * stacks_kernel() - name the frames of a kernel stack
 * @stacks: as stacks_begin() returned it
 * @frames: the frames; addresses are given, the rest is filled in
 * @nr: number of frames
 *
 * Return: number of innermost frames that belong to BPF and tracing, not to the operation.
 */
size_t stacks_kernel(struct stacks *stacks, struct frame *frames, size_t nr);

/**
 * stacks_free_frames() - free the names of frames
 * @frames: the frames
 * @nr: number of frames
 */
void stacks_free_frames(struct frame *frames, size_t nr);

/**
 * stacks_end() - free everything
 * @stacks: as stacks_begin() returned it, or NULL
 */
void stacks_end(struct stacks *stacks);

#endif
