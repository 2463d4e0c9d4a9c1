/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a BPF skeleton, the same for every command.
 *
 *	skeleton = NAME_bpf__open_opts(session_open_options());
 *	set the knobs in skeleton->rodata, SESSION_FILTER() the common ones
 *	session_load(skeleton->skeleton)
 *	session_attach(skeleton->obj)
 *	...
 *	NAME_bpf__destroy(skeleton)
 *
 * A program whose event or function this kernel does not have (a module that is not loaded, an older
 * version of it) is left out; so is one of a function that cannot be traced.  Where a module has no BTF, raw
 * tracepoint programs stand in for those that need it.  What goes wrong is said in one line with its
 * remedy.
 */
#ifndef IOMMUSCOPE_OBSERVE_SESSION_H
#define IOMMUSCOPE_OBSERVE_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct bpf_object;
struct bpf_object_open_opts;
struct bpf_program;
struct bpf_object_skeleton;

/**
 * session_check() - can this process observe this machine?
 *
 * Return: 0, or -1 after it has said what is missing.
 */
int session_check(void);

/**
 * session_check_operations() - session_check() for who observes nothing but operations
 *
 * That goes without BTF of the module iommufd as well.  Says so in one line if it has none.
 *
 * Return: 0, or -1 after it has said what is missing.
 */
int session_check_operations(void);

/**
 * session_has_types() - does the module iommufd have BTF?
 *
 * Return: whether state can be read, and its functions be observed.
 */
bool session_has_types(void);

/**
 * session_open_options() - how to open a skeleton
 *
 * Return: options for NAME_bpf__open_opts(), valid after session_check().
 */
const struct bpf_object_open_opts *session_open_options(void);

/**
 * session_check_module() - session_check() for who observes no events, only reads state
 *
 * Return: 0, or -1 after it has said what is missing.
 */
int session_check_module(void);

/**
 * session_load() - load a skeleton's programs
 * @skeleton: what the skeleton has under this name
 *
 * Programs of events that are not there are left out.
 *
 * Return: 0, or -1 after it has said what failed.
 */
int session_load(struct bpf_object_skeleton *skeleton);

/**
 * session_try_load() - session_load() for who has another way when it fails
 * @skeleton: what the skeleton has under this name
 *
 * Return: 0 or a negative errno, for session_load_failed().
 */
int session_try_load(struct bpf_object_skeleton *skeleton);

/**
 * session_load_failed() - say that the programs could not be loaded
 * @err: what session_try_load() returned
 */
void session_load_failed(int err);

/**
 * session_attach() - attach a skeleton's programs
 * @object: the skeleton's object, loaded
 *
 * Return: 0, or -1 after it has said what failed.
 */
int session_attach(struct bpf_object *object);

/**
 * session_is_attached() - does a program observe anything?
 * @program: a program of an object given to session_attach()
 *
 * Return: whether it does; one that was left out does not.
 */
bool session_is_attached(const struct bpf_program *program);

/**
 * session_detach() - end the observation, keep maps
 * @object: the object given to session_attach()
 */
void session_detach(struct bpf_object *object);

/* Set the knobs of filter.bpf.h in a skeleton from a struct filter. */
#define SESSION_FILTER(skeleton, filter)                                                     \
	do {                                                                                 \
		(skeleton)->rodata->filter_tgid = (filter)->pid;                             \
		(skeleton)->rodata->filter_ctx = (filter)->ctx;                              \
		(skeleton)->rodata->filter_cgroup = (filter)->cgroup_id;                     \
		(skeleton)->rodata->filter_by_device = (filter)->device != NULL;             \
		if ((filter)->device)                                                        \
			strncpy((char *)(skeleton)->rodata->filter_device, (filter)->device, \
				sizeof((skeleton)->rodata->filter_device) - 1);              \
	} while (0)

#endif
