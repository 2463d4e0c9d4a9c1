/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attached BPF programs.
 *
 * The programs of several objects share a list.  Objects of one group have the same programs.  A
 * program that is attached replaces the one of its group and name, unless it is for raw
 * tracepoints: then it is attached to those that the other one is not attached to.
 */
#ifndef IOMMUSCOPE_PROBE_LINKS_H
#define IOMMUSCOPE_PROBE_LINKS_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_link;
struct bpf_object;
struct bpf_program;

/**
 * struct links - attached programs
 * @list: a link for each place of each program
 * @nr: number of links
 */
struct links {
	struct one_link {
		struct bpf_link *link;
		const struct bpf_program *program;
		bool group;
		/* of a program for raw tracepoints, which can be attached to several */
		char event[64];
	} *list;
	size_t nr;
};

/**
 * links_add() - add a link
 * @links: the list
 * @program: its program
 * @group: group of its object
 * @link: the link, or NULL with errno set
 *
 * Return: 0, or a negative errno if there is no link.
 */
int links_add(struct links *links, const struct bpf_program *program, bool group,
	      struct bpf_link *link);

/**
 * links_attach() - attach the programs of an object
 * @links: the list
 * @object: the object, loaded
 * @group: its group
 * @here: the set of sources of this host
 *
 * A function that cannot be traced counts as one that does not exist.
 *
 * Return: 0 or a negative errno.
 */
int links_attach(struct links *links, const struct bpf_object *object, bool group, unsigned int here);

/**
 * links_has() - is a program attached, or another of its group and name?
 * @links: the list
 * @program: the program
 * @group: group of its object
 *
 * Return: whether one is; for raw tracepoints, whether it is attached to all that it serves.
 */
bool links_has(const struct links *links, const struct bpf_program *program, bool group);

/**
 * links_use() - is a program of an object attached?
 * @links: the list
 * @object: the object
 *
 * Return: whether one is.
 */
bool links_use(const struct links *links, const struct bpf_object *object);

/**
 * links_detach_if() - detach some programs
 * @links: the list
 * @which: returns whether to detach a program
 */
void links_detach_if(struct links *links, bool (*which)(const struct bpf_program *program));

/**
 * links_detach() - detach all programs
 * @links: the list, empty afterwards
 */
void links_detach(struct links *links);

#endif
