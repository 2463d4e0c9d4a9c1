/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions of BPF programs, from the skeleton to the last event, for all observations.
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
 * A program is omitted if this kernel lacks its event or function (because a module is not loaded,
 * or is older), or if the function cannot be traced.  If a module has no BTF, raw tracepoint
 * programs replace the programs that need it.  A failure is reported in one line with its remedy.
 *
 * Modules can be loaded later.  session_follow() looks for them, and SESSION_EXTEND() loads and
 * attaches the programs of what is new.  They share the maps of the first ones, so that counters go
 * on.
 */
#ifndef IOMMUSCOPE_OBSERVE_SESSION_H
#define IOMMUSCOPE_OBSERVE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/links.h"

struct bpf_map;
struct bpf_object;
struct bpf_object_open_opts;
struct bpf_object_skeleton;
struct bpf_program;
struct filter;
struct ring_buffer;

/**
 * struct session_object - an object that SESSION_EXTEND() added
 * @skeleton: libbpf's part of its skeleton
 * @owner: the generated part
 * @probed: it is for sources that are probed
 */
struct session_object {
	struct bpf_object_skeleton *skeleton;
	void *owner;
	bool probed;
};

/**
 * struct session - BPF programs, their links and their ring buffer
 * @skeleton: libbpf's part of the skeleton, NULL before it is open
 * @owner: the generated part of the skeleton, which is freed with it
 * @probed: the same two of the object that SESSION_ADD_PROBED() added, or NULL
 * @probed_owner: the generated part of it
 * @later: further objects, of modules that were loaded later
 * @nr_later: number of them
 * @missed: what probes_missed() counted of those that were freed
 * @unwanted: names of the programs that the consumer had disabled before session_load()
 * @nr_unwanted: number of them
 * @without: sources whose programs are not loaded, a set; set it before session_load()
 * @no_phases: do not time phases where that takes probes; set it before session_load()
 * @links: the attached programs; those of sources that are probed are a group
 * @ring: the ring buffer, or NULL
 */
struct session {
	struct bpf_object_skeleton *skeleton;
	void *owner;
	struct bpf_object_skeleton *probed;
	void *probed_owner;
	struct session_object *later;
	size_t nr_later;
	uint64_t missed;
	const char **unwanted;
	size_t nr_unwanted;
	unsigned int without;
	bool no_phases;
	struct links links;
	struct ring_buffer *ring;
};

/**
 * session_check() - can this process observe this machine?
 *
 * Return: 0, or -1 after a message.
 */
int session_check(void);

/**
 * session_check_operations() - session_check() for callers that observe only operations
 *
 * This works even if the module iommufd has no BTF.  A message reports that in one line.
 *
 * Return: 0, or -1 after a message.
 */
int session_check_operations(void);

/**
 * session_check_early() - session_check() for callers that wait for sources to come
 *
 * It is no failure if there is none yet.
 *
 * Return: 0, or -1 after a message.
 */
int session_check_early(void);

/**
 * session_follow() - observe modules that were loaded later
 * @extend: called after modules have come or gone: SESSION_EXTEND() for each session
 * @observation: its argument
 *
 * Call it about once a second: it waits until nothing has changed between two calls.
 *
 * Return: 1 if modules have come or gone, 0 if not, -1 after a message: what could not be loaded is
 *	not observed, all else is.
 */
int session_follow(int (*extend)(void *observation), void *observation);

/**
 * session_observes() - is a source observed, as far as this kernel lets it be?
 * @source: enum source
 *
 * Return: whether it was found at the start or by the last session_follow().
 */
bool session_observes(unsigned int source);

/**
 * session_sources() - the sources that are observed
 *
 * Return: their names, separated by commas; "" if there are none.
 */
const char *session_sources(void);

/**
 * session_prepare_to_extend() - start a process that keeps the privilege to load programs later
 *
 * For a caller that drops its own and then uses session_follow().  Call it
 * before anything else is open.
 *
 * Return: 0, or -1 after a message.
 */
int session_prepare_to_extend(void);

/**
 * session_knows_module() - may programs be loaded that need the types of a module?
 * @module: its name
 *
 * Return: false from the time that it is loaded until session_follow() has seen it.
 */
bool session_knows_module(const char *module);

/**
 * session_started() - all programs are loaded that a command starts with
 *
 * Until then the kernel's types stay in memory, for the next object.
 */
void session_started(void);

/**
 * session_has_types() - does the module iommufd have BTF?
 *
 * Return: whether state can be read, and its functions be observed.
 */
bool session_has_types(void);

/**
 * session_check_state() - session_check() for callers that observe no events, only read state
 *
 * state_open() finds the sources of the state.
 *
 * Return: 0, or -1 after a message.
 */
int session_check_state(void);

/* Which types of the modules do programs need? */
enum session_types {
	/* only the records of operations, which need not come from the modules' BTF */
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
 * Maps and programs have the prefix "ios_", under which bpftool shows them to others on the host.
 *
 * Return: the struct ios_NAME, or NULL after a message.
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
 * The second skeleton gets the knobs of the first one, and its maps and variables: reading one
 * reads both.  Without such a source on this host, nothing is added.
 *
 * Return: 0, or -1 after a message.
 */
#define SESSION_ADD_PROBED(session, name)                                                          \
	({                                                                                         \
		struct ios_##name##_probed *added_ = NULL;                                         \
                                                                                                   \
		if (session_has_probed())                                                          \
			added_ = ios_##name##_probed__open_opts(                                   \
				session_open_options(SESSION_MODULES));                            \
		session_added(session, added_ ? added_->skeleton : NULL, added_);                  \
	})

/**
 * SESSION_EXTEND() - load and attach the programs for modules that were loaded later
 * @session: the session, attached
 * @name: name of the BPF program's file, without "_probed"
 * @types: as for SESSION_OPEN()
 * @with_probed: add programs for sources that are probed, if there are any
 *
 * Return: 0, or -1 after a message; what was observed before still is.
 */
#define SESSION_EXTEND(session, name, types, with_probed)                                          \
	({                                                                                         \
		struct ios_##name *own_ = ios_##name##__open_opts(session_open_options(types));    \
		struct ios_##name##_probed *probed_ = NULL;                                        \
		int err_ = session_extended(session, own_ ? own_->skeleton : NULL, own_, false);   \
                                                                                                   \
		if (!err_ && (with_probed)) {                                                      \
			probed_ = ios_##name##_probed__open_opts(                                  \
				session_open_options(SESSION_MODULES));                            \
			err_ = session_extended(session, probed_ ? probed_->skeleton : NULL,       \
						probed_, true);                                    \
		}                                                                                  \
		err_;                                                                              \
	})

/* Only for SESSION_EXTEND(). */
int session_extended(struct session *session, struct bpf_object_skeleton *skeleton, void *owner,
		     bool probed);

/* Only for SESSION_ADD_PROBED(). */
bool session_has_probed(void);
int session_added(struct session *session, struct bpf_object_skeleton *skeleton, void *owner);

/**
 * session_source() - find the source that observes an operation on this host
 * @operation: enum scope_operation
 *
 * Return: enum scope_source.
 */
unsigned int session_source(unsigned int operation);

/**
 * session_may_see() - can an operation be observed on this host?
 * @operation: enum scope_operation
 *
 * Return: whether there is a source of it.
 */
bool session_may_see(unsigned int operation);

/* Only for SESSION_OPEN(). */
const struct bpf_object_open_opts *session_open_options(enum session_types types);
int session_opened(struct session *session, struct bpf_object_skeleton *skeleton, void *owner,
		   const struct filter *filter);

/**
 * session_load() - load the programs
 * @session: the session, open
 *
 * Programs without an event on this kernel are omitted.
 *
 * Return: 0, or -1 after a message.
 */
int session_load(struct session *session);

/**
 * session_try_load() - session_load() for callers that can fall back when it fails
 * @session: the session, open
 *
 * Return: 0 or a negative errno, for session_load_failed().
 */
int session_try_load(struct session *session);

/**
 * session_load_failed() - report that the programs could not be loaded
 * @err: what session_try_load() returned
 */
void session_load_failed(int err);

/**
 * session_ring() - read a ring buffer
 * @session: the session, loaded
 * @map: the ring buffer
 * @function: called with each event, as for ring_buffer__new()
 * @context: its first argument
 *
 * Return: 0, or -1 after a message.
 */
int session_ring(struct session *session, const struct bpf_map *map,
		 int (*function)(void *context, void *data, size_t size), void *context);

/**
 * session_attach() - attach the programs
 * @session: the session, loaded
 *
 * Return: 0, or -1 after a message.
 */
int session_attach(struct session *session);

/**
 * session_attach_entries() - attach a program to the entry of all probed operations
 * @session: the session, loaded
 * @program: one of its programs, of SEC("kprobe")
 *
 * Return: 0, or -1 after a message.
 */
int session_attach_entries(struct session *session, const struct bpf_program *program);

/**
 * session_is_attached() - is a program attached?
 * @session: the session, attached
 * @program: one of its programs
 *
 * Return: whether it is; a program that was omitted is not.
 */
bool session_is_attached(const struct session *session, const struct bpf_program *program);

/**
 * session_fd() - a descriptor that is readable when an event has arrived
 * @session: the session
 *
 * Return: the descriptor, -1 if the session has no ring buffer.
 */
int session_fd(const struct session *session);

/**
 * session_poll() - handle the events that have arrived
 * @session: the session, with a ring buffer
 *
 * Return: number of events, or the negative value that the function returned.
 */
int session_poll(struct session *session);

/**
 * session_detach_phases() - stop following probed operations from phase to phase
 * @session: the session, attached
 */
void session_detach_phases(struct session *session);

/**
 * session_detach() - end the observation, but keep the maps
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
 * session_unseen() - list the phases that no probe shows on this kernel, by source
 * @session: the session, loaded
 * @text: set to "account (type1)", or to "" if there are none
 * @size: size of @text
 */
void session_unseen(const struct session *session, char *text, size_t size);

/**
 * session_missed() - count how often a probe of an operation was not run
 * @session: the session
 *
 * Return: the count; at most this many operations are not reported.
 */
uint64_t session_missed(const struct session *session);

/**
 * session_close() - end the observation and free everything, the skeleton included
 * @session: the session, or zeroes; zeroes afterwards
 */
void session_close(struct session *session);

#endif
