// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of pinned memory against its limits.
 */
#include "describe/fields.h"
#include "describe/names.h"
#include "machine/memlock.h"
#include "machine/pid_namespace.h"
#include "observe/capacity.h"

#define LOCKED_DOC .doc = "amount that is compared with the limit"
#define LIMIT_DOC .doc = "`RLIMIT_MEMLOCK` of the process"

/* A process */

#define RECORD(type, key, member, ...) \
	MEMBER(type, key, struct capacity_process, member, __VA_ARGS__)

static void get_rlimit_mode(const void *record, struct value *value)
{
	value->text = rlimit_mode_name(((const struct capacity_process *)record)->by_process);
}

static void get_limit(const void *record, struct value *value)
{
	static const char *const limits[] = {
		[LIMIT_BYTES] = "bytes",
		[LIMIT_UNLIMITED] = "unlimited",
		[LIMIT_CAPABILITY] = "cap_ipc_lock",
	};
	const struct capacity_process *process = record;

	value->known = process->limit != LIMIT_UNKNOWN;
	value->text = limits[process->limit];
}

static void get_limit_bytes(const void *record, struct value *value)
{
	const struct capacity_process *process = record;

	value->known = process->limit == LIMIT_BYTES;
	value->number = process->limit_bytes;
}

static void get_left_bytes(const void *record, struct value *value)
{
	const struct capacity_process *process = record;

	value->known = process->limit == LIMIT_BYTES;
	value->number = capacity_left(process);
}

static bool pid_is_known(const void *record)
{
	return !pid_is_outside(((const struct capacity_process *)record)->pid);
}

#define UNREADABLE "the process has ended, or is outside of the tool's PID namespace"
#define NOT_LIMITED .unknown = "there is no limit, or " UNREADABLE

static const struct field process[] = {
	RECORD(NUMBER, "pid", pid, .known = pid_is_known, .unknown = PID_UNKNOWN,
	       .doc = "its process id"),
	RECORD(TEXT, "process", comm, .doc = "name of the process, or of its thread"),
	RECORD(NUMBER, "uid", uid, .doc = "user"),
	RECORD(TEXT, "cgroup", cgroup, .unknown = UNREADABLE,
	       .doc = "path of the cgroup"),
	FIELD(TEXT, "rlimit_mode", .get = get_rlimit_mode,
	      .doc = "whose `RLIMIT_MEMLOCK` counts: `user` or `process`"),
	RECORD(BYTES, "pinned_bytes", pinned_bytes, .doc = "memory that is pinned"),
	RECORD(BYTES, "locked_bytes", counted_bytes, LOCKED_DOC),
	FIELD(TEXT, "limit", .get = get_limit, .unknown = UNREADABLE,
	      .doc = "kind of the limit: `bytes`, `unlimited`, `cap_ipc_lock`"),
	FIELD(BYTES, "limit_bytes", .get = get_limit_bytes, NOT_LIMITED, LIMIT_DOC),
	FIELD(BYTES, "left_bytes", .get = get_left_bytes, NOT_LIMITED,
	      .doc = "amount that is left"),
};
#undef RECORD

const struct field_table capacity_process_fields = FIELD_TABLE("process that pins memory", process);

/* A context, for the page: programs of one user can have different limits */

static void get_memlock_mode(const void *record, struct value *value)
{
	value->text = rlimit_mode_name(((const struct ctx_memlock *)record)->memlock.by_process);
}

static void get_memlock_limit(const void *record, struct value *value)
{
	value->number = ((const struct ctx_memlock *)record)->memlock.limit_bytes;
	value->known = value->number != MEMLOCK_UNLIMITED;
}

static const struct field memlock[] = {
	MEMBER(ID, "ctx", struct ctx_memlock, ctx,
	       .doc = "number of the context, an open /dev/iommu"),
	FIELD(TEXT, "rlimit_mode", .get = get_memlock_mode,
	      .doc = "whose `RLIMIT_MEMLOCK` counts: `user` or `process`"),
	MEMBER(BYTES, "locked_bytes", struct ctx_memlock, memlock.used_bytes, LOCKED_DOC),
	FIELD(BYTES, "limit_bytes", .get = get_memlock_limit, NOT_LIMITED, LIMIT_DOC),
};

const struct field_table memlock_fields = FIELD_TABLE("locked memory of a context", memlock);
