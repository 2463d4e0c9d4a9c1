/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a guest that one test could leave changed for the next, as lines of text.
 *
 * A line is "KEY<tab>VALUE": the key names the thing (`sysctl vm.swappiness`), the value is the
 * part that can change. A thing that either exists or does not has an empty value. Things that a
 * busy kernel changes by itself have no line.
 */
#ifndef LAB_STATE_H
#define LAB_STATE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct state - a list of lines
 * @lines: each one a separate allocation
 * @nr: how many
 * @room: for how many lines there is room
 */
struct state {
	char **lines;
	size_t nr, room;
};

/**
 * state_add() - add a line
 * @state: the list
 * @value: the part that can change; "" if nothing can
 * @key: what it is, as for printf()
 */
void state_add(struct state *state, const char *value, const char *key, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * state_read() - read a small file of the kernel
 * @path: its path
 * @buf: where it goes: line ends become spaces, the last one is dropped
 * @size: bytes in @buf
 *
 * Return: false when it cannot be read; then @buf is empty.
 */
bool state_read(const char *path, char *buf, size_t size);

/**
 * state_add_file() - add a line whose value is the content of a file, if it can be read
 * @state: the list
 * @path: the file
 * @key: what it is, as for printf()
 */
void state_add_file(struct state *state, const char *path, const char *key, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * state_each() - visit the entries of a folder, except . and ..
 * @path: the folder; if it does not exist, nothing happens
 * @each: called with @state, @path and the name of an entry
 * @state: the list
 */
void state_each(const char *path, void (*each)(struct state *state, const char *path, const char *name),
		struct state *state);

/* The parts; each adds the lines of its kinds. */
void state_files(struct state *state);
void state_kernel(struct state *state);
void state_devices(struct state *state);
void state_tracing(struct state *state);
void state_bpf(struct state *state);
void state_processes(struct state *state);
void state_network(struct state *state);

#endif
