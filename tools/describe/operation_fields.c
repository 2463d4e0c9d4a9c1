// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of operations: finished ones, and those in flight.
 *
 * A replacement is an operation too, and its own event has most fields of the operation's event.
 * So the fields come in parts: those that both have, and those that only an operation's record has.
 */
#include <string.h>

#include "describe/fields.h"
#include "describe/names.h"
#include "describe/operation.h"
#include "machine/pid_namespace.h"
#include "text/difference.h"

enum {
	MEMORY = 1 << SCOPE_CLASS_MEMORY,
	TRANSLATION = 1 << SCOPE_CLASS_TRANSLATION,
	OBJECT = 1 << SCOPE_CLASS_OBJECT,
	VFIO = 1 << SCOPE_CLASS_VFIO,
	VFIO_IRQS = 1 << SCOPE_NR_CLASSES,
	VFIO_HOT_RESET = VFIO_IRQS << 1,
	SPACE = MEMORY | TRANSLATION,
	IOMMUFD = SPACE | OBJECT,
};

static unsigned int operation_kinds(const void *record)
{
	const struct scope_op *operation = record;
	unsigned int kinds = 1U << scope_operation_class(operation->operation);

	if (operation->operation == SCOPE_OPERATION_vfio_set_irqs)
		kinds |= VFIO_IRQS;
	if (operation->operation == SCOPE_OPERATION_vfio_hot_reset)
		kinds |= VFIO_HOT_RESET;
	return kinds;
}

#define RECORD(type, key, member, ...) MEMBER(type, key, struct scope_op, member, __VA_ARGS__)
#define PART(part) INCLUDE(part, field_itself)

/* Time */

static void get_end(const void *record, struct value *value)
{
	const struct scope_op *operation = record;

	value->number = operation->start_ns + operation->dur_ns;
}

static const struct field moment[] = {
	FIELD(DATE, "time", .get = get_end, .doc = OPERATION_TIME_DOC),
	FIELD(TIME, "time_ns", .get = get_end, .doc = "the same moment as `time`"),
	RECORD(MONOTONIC, "start_monotonic_ns", start_ns,
	       .doc = "start of the operation, by the clock that perf and bpftrace use"),
};

const struct field_table operation_moment_fields = FIELD_TABLE("moment", moment);

/* Identity */

static void get_subsystem(const void *record, struct value *value)
{
	value->text = operation_subsystem(((const struct scope_op *)record)->operation);
}

static void get_name(const void *record, struct value *value)
{
	value->text = operation_name(((const struct scope_op *)record)->operation);
}

static void get_source(const void *record, struct value *value)
{
	value->text = operation_source_name(((const struct scope_op *)record)->source);
}

static const struct field name[] = {
	FIELD(TEXT, "subsystem", .get = get_subsystem,
	      .doc = "whose operation: `iommufd`, `vfio` or `type1`"),
	FIELD(TEXT, "operation", .get = get_name, .doc = "name of the operation"),
	FIELD(TEXT, "source", .get = get_source, .doc = SOURCE_DOC),
};

const struct field_table operation_name_fields = FIELD_TABLE("name", name);

/* Caller */

static bool pid_is_known(const void *record)
{
	return !pid_is_outside(((const struct scope_op *)record)->tgid);
}

static bool tid_is_known(const void *record)
{
	return !pid_is_outside(((const struct scope_op *)record)->tid);
}

static const struct field caller[] = {
	RECORD(TEXT, "process", comm, .doc = "name of the process, or of its thread"),
	RECORD(NUMBER, "pid", tgid, .known = pid_is_known, .unknown = PID_UNKNOWN,
	       .doc = "its process id"),
	RECORD(NUMBER, "tid", tid, .known = tid_is_known, .unknown = PID_UNKNOWN,
	       .doc = "its thread id"),
	RECORD(ID, "ctx", ctx, .kinds = IOMMUFD, .unknown = "it is not known",
	       .doc = "number of the context, an open /dev/iommu"),
};

static const struct field_table caller_fields =
	FIELD_TABLE("caller", caller, .kinds = operation_kinds);

/* Result */

static bool failed(const void *record)
{
	return ((const struct scope_op *)record)->ret < 0;
}

static void get_error(const void *record, struct value *value)
{
	value->known = failed(record);
	if (value->known)
		value->text = error_name(((const struct scope_op *)record)->ret);
}

static void get_reason(const void *record, struct value *value)
{
	const struct scope_op *operation = record;

	value->known = failed(record);
	value->text = reason_name(operation->operation, operation->reason);
}

static void get_reason_a(const void *record, struct value *value)
{
	value->known = failed(record);
	value->number = ((const struct scope_op *)record)->reason_a;
}

static void get_reason_b(const void *record, struct value *value)
{
	value->known = failed(record);
	value->number = ((const struct scope_op *)record)->reason_b;
}

static void get_why(const void *record, struct value *value)
{
	value->known = failed(record);
	if (value->known)
		operation_why(record, value->room, sizeof(value->room));
	value->text = value->room;
}

#define SUCCEEDED .unknown = "it succeeded"

static const struct field outcome[] = {
	RECORD(SIGNED, "ret", ret, .doc = "return value of the call: negative if it failed"),
	FIELD(TEXT, "error", .get = get_error, SUCCEEDED, .doc = "name of the errno value"),
	FIELD(TEXT, "reason", .get = get_reason, SUCCEEDED, .doc = "name of the reason"),
	FIELD(NUMBER, "reason_a", .get = get_reason_a, SUCCEEDED,
	      .doc = "first number of the reason; its meaning is in the catalogue of reasons"),
	FIELD(NUMBER, "reason_b", .get = get_reason_b, SUCCEEDED,
	      .doc = "second number of the reason"),
	FIELD(TEXT, "message", .get = get_why, SUCCEEDED,
	      .doc = "explanation of the reason, with its numbers"),
};

static const struct field_table outcome_fields = FIELD_TABLE("outcome", outcome);

/* Duration and phases */

static void get_wait(const void *record, struct value *value)
{
	const struct scope_op *operation = record;
	bool vfio = scope_operation_class(operation->operation) == SCOPE_CLASS_VFIO;

	value->number = operation->phase_ns[vfio ? SCOPE_PHASE_vfio_wait : SCOPE_PHASE_wait];
}

/* All classes have a wait.  vfio's is a different member with the same key. */
#define PHASE_KINDS(phase)                                \
	((phase) == SCOPE_PHASE_wait	  ? 0 :           \
	 (phase) < SCOPE_NR_MEMORY_PHASES ? MEMORY :      \
	 (phase) < SCOPE_FIRST_VFIO_PHASE ? TRANSLATION : \
					    VFIO)
#define PHASE(phase_name, text)                                                       \
	RECORD(DURATION, #phase_name "_ns", phase_ns[SCOPE_PHASE_##phase_name],       \
	       .get = SCOPE_PHASE_##phase_name == SCOPE_PHASE_wait ? get_wait : NULL, \
	       .kinds = PHASE_KINDS(SCOPE_PHASE_##phase_name), .doc = "phase: " text),
#define VFIO_PHASE(phase_name, text)                                                              \
	{                                                                                         \
		.key = #phase_name "_ns",                                                         \
		.type = SCOPE_PHASE_vfio_##phase_name == SCOPE_PHASE_vfio_wait ? FIELD_NONE :     \
										 FIELD_DURATION,  \
		.offset = offsetof(struct scope_op, phase_ns[SCOPE_PHASE_vfio_##phase_name]), \
		.size = sizeof(__u64),                                                            \
		.kinds = VFIO,                                                                    \
		.doc = "phase: " text,                                                            \
	},

static const struct field duration[] = {
	RECORD(DURATION, "dur_ns", dur_ns, .doc = "how long it took, or has taken so far"),
	IOMMUFD_PHASES(PHASE)
	VFIO_PHASES(VFIO_PHASE)
};

static const struct field_table duration_fields =
	FIELD_TABLE("duration", duration, .kinds = operation_kinds);

/* Fields that a replacement has as well */

static const struct field common[] = {
	PART(caller_fields),
	PART(outcome_fields),
	RECORD(TEXT, "device", device, .kinds = TRANSLATION | VFIO, .unknown = "no device is named",
	       .doc = "name of the device"),
	RECORD(ID, "device_id", device_id, .kinds = SPACE | VFIO, .unknown = "it involves none",
	       .doc = "object id of the device or access"),
	RECORD(TEXT, "iommu_driver", driver, .kinds = TRANSLATION, .unknown = "the event has none",
	       .doc = "driver of the IOMMU"),
	RECORD(NUMBER, "group", group, .kinds = TRANSLATION | VFIO,
	       .doc = "number of the IOMMU group"),
	RECORD(NUMBER, "devices", devices, .kinds = TRANSLATION | VFIO_HOT_RESET,
	       .doc = "devices that are attached, moved or reset"),
	RECORD(ID, "old_hwpt", old_hwpt, .kinds = TRANSLATION, .unknown = "there was none",
	       .doc = "id of the previous hardware page table"),
	RECORD(ID, "hwpt", hwpt, .kinds = TRANSLATION, .unknown = "there is none",
	       .doc = "id of the hardware page table"),
	RECORD(ID, "old_ioas", old_ioas, .kinds = TRANSLATION, .unknown = "there was none",
	       .doc = "id of the previous I/O address space"),
	RECORD(ID, "ioas", ioas, .kinds = SPACE, .unknown = "there is none",
	       .doc = "id of the I/O address space"),
	PART(duration_fields),
};

const struct field_table operation_common_fields =
	FIELD_TABLE("operation, or replacement", common, .kinds = operation_kinds);

/* Fields that only the record of an operation has */

static void get_object_type(const void *record, struct value *value)
{
	value->text = object_type_name(((const struct scope_op *)record)->object_type);
}

/* A type1 container keeps no record of extents, and probing each of them costs too much. */
static void get_extents(const void *record, struct value *value)
{
	const struct scope_op *operation = record;

	value->known = operation->operation != SCOPE_OPERATION_type1_map &&
		       operation->operation != SCOPE_OPERATION_type1_attach;
	value->number = operation->extents;
}

static const struct field details[] = {
	RECORD(NUMBER, "uid", uid, .doc = "user"),
	RECORD(NUMBER, "cgroup_id", cgroup, .doc = "id of the cgroup (v2) of the thread"),
	RECORD(NUMBER, "flags", flags, .doc = "flags of the call"),
	FIELD(TEXT, "object_type", .kinds = OBJECT, .get = get_object_type,
	      .doc = "type of the object: `ioas`, `hwpt`, `device`, `access`, `object`"),
	RECORD(ID, "object_id", object_id, .kinds = OBJECT, .unknown = "it involves none",
	       .doc = "id of the object"),
	RECORD(NUMBER, "value", value, .kinds = OBJECT | VFIO,
	       .doc = "value of the option, number of the ioctl, or other argument"),
	RECORD(TEXT, "node", driver, .kinds = VFIO, .unknown = "there is none",
	       .doc = "name of the device's node"),
	RECORD(ID, "pt_id", hwpt, .kinds = VFIO, .unknown = "none is requested",
	       .doc = "id of the requested page table or address space"),
	RECORD(NUMBER, "index", index, .kinds = VFIO,
	       .doc = "number of the region, or type of interrupt"),
	RECORD(NUMBER, "interrupts", devices, .kinds = VFIO_IRQS, .doc = "how many interrupts"),
	RECORD(NUMBER, "first_interrupt", start, .kinds = VFIO_IRQS,
	       .doc = "the first of the interrupts"),
	RECORD(BYTES, "region_offset_bytes", iova, .kinds = VFIO, .doc = "offset in the region"),
	RECORD(ID, "src_ioas", src_ioas, .kinds = SPACE, .unknown = "nothing is copied",
	       .doc = "id of the address space that is copied from"),
	RECORD(ADDRESS, "iova", iova, .kinds = SPACE, .doc = "first I/O virtual address"),
	RECORD(BYTES, "length_bytes", length, .kinds = SPACE | VFIO, .doc = "length of the range"),
	RECORD(ADDRESS, "user_va", user_va, .kinds = SPACE,
	       .doc = "address of the memory in the process"),
	RECORD(NUMBER, "pages", pages, .kinds = SPACE, .doc = "pages pinned or unpinned"),
	RECORD(NUMBER, "extents", extents, .kinds = SPACE, .get = get_extents,
	       .unknown = "it is not observed",
	       .doc = "contiguous runs of pinned memory; of an unmap, areas"),
};

const struct field_table operation_detail_fields =
	FIELD_TABLE("details of an operation", details, .kinds = operation_kinds);

static const struct field operation[] = {
	PART(operation_moment_fields),
	PART(operation_name_fields),
	PART(operation_common_fields),
	PART(operation_detail_fields),
};

const struct field_table operation_fields = FIELD_TABLE("operation", operation, .kinds = operation_kinds);

/* In flight */

static void get_what(const void *record, struct value *value)
{
	operation_what(record, value->room, sizeof(value->room));
	value->text = value->room;
}

static const struct field underway[] = {
	PART(operation_name_fields),
	PART(caller_fields),
	RECORD(NUMBER, "uid", uid, .doc = "user"),
	FIELD(TEXT, "what", .get = get_what, .doc = "description of what it works on"),
	RECORD(TEXT, "device", device, .unknown = "no device is named",
	       .doc = "name of the device"),
	RECORD(ID, "device_id", device_id, .unknown = "it involves none",
	       .doc = "object id of the device or access"),
	RECORD(ID, "ioas", ioas, .kinds = SPACE, .unknown = "there is none",
	       .doc = "id of the I/O address space"),
	RECORD(ADDRESS, "iova", iova, .kinds = SPACE, .doc = "first I/O virtual address"),
	RECORD(BYTES, "length_bytes", length, .kinds = SPACE, .doc = "length of the range"),
};

static const struct field_table underway_fields =
	FIELD_TABLE("operation in flight", underway, .kinds = operation_kinds);

static const struct field begin[] = {
	PART(operation_moment_fields),
	PART(underway_fields),
};

const struct field_table begin_fields = FIELD_TABLE("start of an operation", begin);

static const void *inflight_op(const void *record, size_t number)
{
	return number ? NULL : &((const struct inflight_op *)record)->op;
}

static void get_phase(const void *record, struct value *value)
{
	const struct inflight_op *inflight = record;

	value->known = inflight->phase != SCOPE_PHASE_UNKNOWN;
	value->text = phase_name(inflight->phase);
}

static void get_phase_text(const void *record, struct value *value)
{
	const struct inflight_op *inflight = record;

	value->known = inflight->phase < SCOPE_NR_PHASES;
	value->text = phase_text(inflight->phase);
}

static void get_phase_dur(const void *record, struct value *value)
{
	const struct inflight_op *inflight = record;

	value->known = inflight->phase != SCOPE_PHASE_UNKNOWN;
	value->number = inflight->phase_dur_ns;
}

#define BEGAN_BEFORE .unknown = "it started before the tool"

static const struct field inflight[] = {
	INCLUDE(underway_fields, inflight_op),
	MEMBER(DURATION, "dur_ns", struct inflight_op, op.dur_ns,
	       .doc = "how long it took, or has taken so far"),
	MEMBER(FLAG, "dur_at_least", struct inflight_op, dur_at_least,
	       .doc = "it has been in flight for longer: its start was not observed"),
	FIELD(TEXT, "phase", .get = get_phase, BEGAN_BEFORE,
	      .doc = "name of the phase; `other` for none"),
	FIELD(TEXT, "phase_text", .get = get_phase_text,
	      .unknown = "it is in no phase, or started before the tool",
	      .doc = "description of the phase"),
	FIELD(DURATION, "phase_dur_ns", .get = get_phase_dur, BEGAN_BEFORE,
	      .doc = "how long it has been in that phase"),
};

const struct field_table inflight_fields = FIELD_TABLE("operation in flight", inflight);

void inflight_describe(struct inflight_op *record, const struct scope_begun *begun,
		       uint64_t now_ns)
{
	struct scope_op *operation = &record->op;

	operation->start_ns = begun->start_ns;
	operation->dur_ns = difference(now_ns, begun->start_ns);
	operation->operation = begun->operation;
	operation->source = begun->source;
	operation->ctx = begun->ctx;
	operation->ioas = begun->ioas;
	operation->device_id = begun->device_id;
	operation->hwpt = begun->hwpt;
	operation->iova = begun->iova;
	operation->length = begun->length;
	memcpy(operation->device, begun->device, sizeof(operation->device));
	memcpy(operation->phase_ns, begun->phase_ns, sizeof(operation->phase_ns));
	record->dur_at_least = false;
	record->phase = begun->phase;
	record->phase_dur_ns = difference(now_ns, begun->phase_start_ns);
}

/* Failures */

static const void *last_failure(const void *record, size_t number)
{
	return number ? NULL : &((const struct failure *)record)->last;
}

static void get_sentence(const void *record, struct value *value)
{
	const struct failure *failure = record;
	char text[sizeof(value->room) - 32];

	operation_failure(&failure->last, text, sizeof(text));
	snprintf(value->room, sizeof(value->room), "%s: %s", error_name(failure->last.ret), text);
	value->text = value->room;
}

static const struct field failure[] = {
	INCLUDE(operation_moment_fields, last_failure),
	INCLUDE(operation_name_fields, last_failure),
	INCLUDE(outcome_fields, last_failure),
	MEMBER(NUMBER, "count", struct failure, count, .doc = "how many there were"),
	FIELD(TEXT, "text", .get = get_sentence, .doc = "the finding or failure, as a sentence"),
};

const struct field_table failure_fields = FIELD_TABLE("failure", failure);

/* The end of a stream */

static const struct field lost[] = {
	FIELD(NUMBER, "lost", .size = sizeof(uint64_t),
	      .doc = "number of records lost because they came too fast"),
};

const struct field_table lost_fields = FIELD_TABLE("end of a stream", lost);
