/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BPF programs at work: from the skeleton to the last event, the same for all that is observed.
 *
 *	skeleton = SESSION_OPEN(&session, NAME, types, filter);
 *	SESSION_ADD_PROBED(&session, NAME)
 *	set the knobs in skeleton->rodata
 *	session_load(&session)
 *	session_ring(&session, skeleton->maps.NAME, function, context)
 *	session_attach(&session)
 *	session_poll(&session) whenever session_fd(&session) is readable
 *	...
 *	session_close(&session)
 *
 * A program whose event or function this kernel does not have (a module that is not loaded, an older
 * version of it) is left out; so is one of a function that cannot be traced.  Where a module has no BTF, raw
 * tracepoint programs stand in for those that need it.  What goes wrong is said in one line with its
 * remedy.
 */
#ifndef IOMMUSCOPE_OBSERVE_SESSION_H
#define IOMMUSCOPE_OBSERVE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_map;
struct bpf_object;
struct bpf_object_open_opts;
struct bpf_object_skeleton;
struct bpf_program;
struct filter;
struct ring_buffer;
struct session_link;

/**
 * struct session - BPF programs, their links and their ring buffer
 * @skeleton: libbpf's part of the skeleton, NULL before it is open
 * @owner: the generated part of the skeleton, which is freed with it
 * @probed: the same two of the object that SESSION_ADD_PROBED() added, or NULL
 * @probed_owner: the generated part of it
 * @no_phases: of what is probed, leave the phases out: set it before session_load()
 * @links: what is attached
 * @nr_links: how many
 * @ring: the ring buffer that is read, or NULL
 */
struct session {
	struct bpf_object_skeleton *skeleton;
	void *owner;
	struct bpf_object_skeleton *probed;
	void *probed_owner;
	bool no_phases;
	struct session_link *links;
	size_t nr_links;
	struct ring_buffer *ring;
};

/**
 * session_check() - can this process observe this machine?
 *
 * Return: 0, or -1 after it has said what is missing.
 */
int session_check(void);

/**
 * session_check_operations() - session_check() for callers that observe nothing but operations
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
 * session_check_state() - session_check() for callers that observe no events, only read state
 *
 * Where that comes from, state_open() finds out.
 *
 * Return: 0, or -1 after it has said what is missing.
 */
int session_check_state(void);

/* Which types of the modules do programs need? */
enum session_types {
	/* those of the records of operations; they may come from elsewhere than the modules' BTF */
	SESSION_RECORDS,
	/* all */
	SESSION_MODULES,
};

/**
 * SESSION_OPEN() - open a skeleton
 * @session: filled in; end it with session_close() in any case
 * @name: name of the BPF program's file
 * @types: enum session_types
 * @filter: what to observe, or NULL for all
 *
 * Maps and programs carry the prefix "ios_": that is how bpftool shows them to others on the host.
 *
 * Return: the struct ios_NAME, or NULL after it has said what failed.
 */
#define SESSION_OPEN(session, name, types, filter)                                                 \
	({                                                                                         \
		struct ios_##name *opened_ = ios_##name##__open_opts(session_open_options(types)); \
                                                                                                   \
		session_opened(session, opened_ ? opened_->skeleton : NULL, opened_, filter) ?     \
			NULL :                                                                     \
			opened_;                                                                   \
	})

/**
 * SESSION_ADD_PROBED() - open the skeleton of the same consumer for sources that are probed
 * @session: the session, just opened
 * @name: name of the BPF program's file, without "_probed"
 *
 * It gets the knobs of the first one, and its maps and variables: what is read of one is read of both.  Where this
 * host has no such source nothing is added.
 *
 * Return: 0, or -1 after it has said what failed.
 */
#define SESSION_ADD_PROBED(session, name)                                                          \
	({                                                                                         \
		struct ios_##name##_probed *added_ = NULL;                                         \
                                                                                                   \
		if (session_has_probed())                                                          \
			added_ = ios_##name##_probed__open();                                      \
		session_added(session, added_ ? added_->skeleton : NULL, added_);                  \
	})

/* For SESSION_ADD_PROBED() alone. */
bool session_has_probed(void);
int session_added(struct session *session, struct bpf_object_skeleton *skeleton, void *owner);

/**
 * session_source() - where is it seen what an operation does, on this host?
 * @operation: enum scope_operation
 *
 * Return: enum scope_source.
 */
unsigned int session_source(unsigned int operation);

/**
 * session_may_see() - can an operation be seen on this host?
 * @operation: enum scope_operation
 *
 * Return: whether there is a source of it.
 */
bool session_may_see(unsigned int operation);

/* For SESSION_OPEN() alone. */
const struct bpf_object_open_opts *session_open_options(enum session_types types);
int session_opened(struct session *session, struct bpf_object_skeleton *skeleton, void *owner,
		   const struct filter *filter);

/**
 * session_load() - load the programs
 * @session: the session, open
 *
 * Programs of events that are not there are left out.
 *
 * Return: 0, or -1 after it has said what failed.
 */
int session_load(struct session *session);

/**
 * session_try_load() - session_load() for callers that have another way when it fails
 * @session: the session, open
 *
 * Return: 0 or a negative errno, for session_load_failed().
 */
int session_try_load(struct session *session);

/**
 * session_load_failed() - say that the programs could not be loaded
 * @err: what session_try_load() returned
 */
void session_load_failed(int err);

/**
 * session_ring() - read a ring buffer
 * @session: the session, loaded
 * @map: the ring buffer
 * @function: called with each event, as ring_buffer__new() has it
 * @context: its first argument
 *
 * Return: 0, or -1 after it has said what failed.
 */
int session_ring(struct session *session, const struct bpf_map *map,
		 int (*function)(void *context, void *data, size_t size), void *context);

/**
 * session_attach() - attach the programs
 * @session: the session, loaded
 *
 * Return: 0, or -1 after it has said what failed.
 */
int session_attach(struct session *session);

/**
 * session_is_attached() - does a program observe anything?
 * @session: the session, attached
 * @program: one of its programs
 *
 * Return: whether it does; one that was left out does not.
 */
bool session_is_attached(const struct session *session, const struct bpf_program *program);

/**
 * session_fd() - a descriptor that is readable when an event has come
 * @session: the session
 *
 * Return: the descriptor, -1 if the session has no ring buffer.
 */
int session_fd(const struct session *session);

/**
 * session_poll() - take the events that have come
 * @session: the session, with a ring buffer
 *
 * Return: how many there were, or what the function returned below zero.
 */
int session_poll(struct session *session);

/**
 * session_detach() - end the observation, keep maps
 * @session: the session
 */
void session_detach(struct session *session);

/**
 * session_object() - the programs and maps
 * @session: the session, open
 *
 * Return: their BPF object.
 */
struct bpf_object *session_object(const struct session *session);

/**
 * session_probed() - the programs of sources that are probed
 * @session: the session, open
 *
 * Return: their BPF object, NULL if there are none.
 */
const struct bpf_object *session_probed(const struct session *session);

/**
 * session_close() - end the observation and free everything, the skeleton included
 * @session: the session, or zeroes; zeroes afterwards
 */
void session_close(struct session *session);

#endif
