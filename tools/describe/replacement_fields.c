// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of replacements.
 *
 * An unknown value is null, never 0: a number of faults is only meaningful if a source of faults
 * was watched that reports all of them.
 */
#include "describe/fields.h"
#include "describe/names.h"
#include "describe/replacement_text.h"
#include "machine/pid_namespace.h"

/* A replacement */

#define RECORD(type, key, member, ...) \
	MEMBER(type, key, struct replacement, facts.member, __VA_ARGS__)

static void get_verdict(const void *record, struct value *value)
{
	value->text = verdict_name(((const struct replacement *)record)->verdict);
}

static void get_verdict_text(const void *record, struct value *value)
{
	replacement_words(record, value->room, sizeof(value->room));
	value->text = value->room;
}

static void get_window(const void *record, struct value *value)
{
	const struct replacement *replacement = record;

	value->known = replacement->window_known;
	value->number = replacement->facts.window_ns;
}

static void get_window_offset(const void *record, struct value *value)
{
	const struct scope_replacement *from = &((const struct replacement *)record)->facts;

	value->known = from->windows;
	value->integer = (int64_t)(from->window_start_ns - from->start_ns);
}

static bool faults_known(const void *record)
{
	return ((const struct replacement *)record)->faults == FAULTS_known;
}

static void get_faults_unknown(const void *record, struct value *value)
{
	value->known = !faults_known(record);
	value->text = fault_sight_name(((const struct replacement *)record)->faults);
}

static void get_faults_in_window(const void *record, struct value *value)
{
	value->known = faults_known(record);
	value->number = ((const struct replacement *)record)->facts.faults_in_window;
}

static void get_faults_after(const void *record, struct value *value)
{
	value->known = faults_known(record);
	value->number = ((const struct replacement *)record)->facts.faults_after;
}

/* A fault and its replacement, which has the driver and the start time. */
struct fault_of {
	const struct scope_replacement *replacement;
	const struct scope_fault_mark *mark;
};

static const void *nth_fault(const void *record, size_t number)
{
	const struct scope_replacement *from = &((const struct replacement *)record)->facts;
	static struct fault_of fault;

	if (number >= from->nr_faults)
		return NULL;
	fault.replacement = from;
	fault.mark = &from->faults[number];
	return &fault;
}

static void get_fault_offset(const void *record, struct value *value)
{
	const struct fault_of *fault = record;

	value->integer = (int64_t)(fault->mark->ns - fault->replacement->start_ns);
}

static void get_fault_iova(const void *record, struct value *value)
{
	value->number = ((const struct fault_of *)record)->mark->iova;
}

static void get_fault_direction(const void *record, struct value *value)
{
	unsigned int flags = ((const struct fault_of *)record)->mark->flags;

	value->known = flags & SCOPE_FAULT_EXACT;
	value->text = flags & SCOPE_FAULT_WRITE ? "write" : "read";
}

static void get_fault_in_window(const void *record, struct value *value)
{
	value->number = ((const struct fault_of *)record)->mark->flags & SCOPE_FAULT_IN_WINDOW;
}

static void get_fault_reason(const void *record, struct value *value)
{
	value->number = ((const struct fault_of *)record)->mark->reason;
}

static void get_fault_text(const void *record, struct value *value)
{
	const struct fault_of *fault = record;

	value->text = fault_words(fault->mark, fault->replacement->driver);
}

static const struct field fault[] = {
	FIELD(OFFSET, "offset_ns", .get = get_fault_offset,
	      .doc = "time from the start of the replacement to the report of the fault "
		     "or the start of the waiting operation"),
	FIELD(ADDRESS, "iova", .get = get_fault_iova, .doc = "first I/O virtual address"),
	FIELD(TEXT, "direction", .get = get_fault_direction, .unknown = "the IOMMU does not report it",
	      .doc = "`read` or `write`"),
	FIELD(FLAG, "in_window", .get = get_fault_in_window,
	      .doc = "there was no translation at that time"),
	FIELD(NUMBER, "fault_reason", .get = get_fault_reason,
	      .doc = "number of the reason, as the IOMMU defines it; 0 if there is none"),
	FIELD(TEXT, "fault_text", .get = get_fault_text, .doc = "description of the fault"),
};

static const struct field_table fault_fields = FIELD_TABLE("fault", fault);

struct wait_of {
	const struct scope_replacement *replacement;
	const struct scope_wait_mark *mark;
};

static const void *nth_wait(const void *record, size_t number)
{
	const struct replacement *replacement = record;
	static struct wait_of wait;

	if (number >= replacement->waits.nr_marks)
		return NULL;
	wait.replacement = &replacement->facts;
	wait.mark = &replacement->waits.marks[number];
	return &wait;
}

static void get_wait_subsystem(const void *record, struct value *value)
{
	value->text = operation_subsystem(((const struct wait_of *)record)->mark->operation);
}

static void get_wait_operation(const void *record, struct value *value)
{
	value->text = operation_name(((const struct wait_of *)record)->mark->operation);
}

static void get_wait_process(const void *record, struct value *value)
{
	value->text = ((const struct wait_of *)record)->mark->comm;
}

static void get_wait_pid(const void *record, struct value *value)
{
	value->number = ((const struct wait_of *)record)->mark->tgid;
	value->known = !pid_is_outside(value->number);
}

static void get_wait_offset(const void *record, struct value *value)
{
	const struct wait_of *wait = record;

	value->integer = (int64_t)(wait->mark->start_ns - wait->replacement->start_ns);
}

static void get_wait_ns(const void *record, struct value *value)
{
	value->number = ((const struct wait_of *)record)->mark->wait_ns;
}

static const struct field wait[] = {
	FIELD(TEXT, "subsystem", .get = get_wait_subsystem,
	      .doc = "whose operation: `iommufd` or `vfio`"),
	FIELD(TEXT, "operation", .get = get_wait_operation, .doc = "name of the operation"),
	FIELD(TEXT, "process", .get = get_wait_process,
	      .doc = "name of the process, or of its thread"),
	FIELD(NUMBER, "pid", .get = get_wait_pid, .unknown = PID_UNKNOWN,
	      .doc = "its process id"),
	FIELD(OFFSET, "offset_ns", .get = get_wait_offset,
	      .doc = "time from the start of the replacement to the report of the fault "
		     "or the start of the waiting operation"),
	FIELD(DURATION, "wait_ns", .get = get_wait_ns, .doc = "phase: waiting for locks"),
};

static const struct field_table wait_fields = FIELD_TABLE("operation that waited", wait);

#define NOT_KNOWN .unknown = "the number of faults is not known"

static const struct field own[] = {
	RECORD(NUMBER, "number", number,
	       .doc = "number of the replacement, the same for all devices that it moved"),
	RECORD(FLAG, "named", named, .doc = "the call named this device"),
	FIELD(TEXT, "verdict", .get = get_verdict,
	      .doc = "effect on the device's DMA; see [replace](replace.md)"),
	FIELD(TEXT, "verdict_text", .get = get_verdict_text, .doc = "description of the verdict"),
	RECORD(NUMBER, "moves", moves, .doc = "how often the IOMMU core moved the device"),
	FIELD(DURATION, "window_ns", .get = get_window, .unknown = "it could not be watched",
	      .doc = "total time without translation"),
	RECORD(NUMBER, "windows", windows, .doc = "number of times that the translation was taken away"),
	FIELD(OFFSET, "window_offset_ns", .get = get_window_offset,
	      .unknown = "there was no window",
	      .doc = "time from the start of the replacement to the first window"),
	FIELD(TEXT, "faults_unknown", .get = get_faults_unknown,
	      .unknown = "the number of faults is known",
	      .doc = "why the number is not known: `none_reported`, `not_watched`, `not_moved`"),
	MEMBER(FLAG, "faults_at_least", struct replacement, faults_at_least,
	       .doc = "there may have been more faults than were counted"),
	FIELD(NUMBER, "faults_in_window", .get = get_faults_in_window, NOT_KNOWN,
	      .doc = "faults while there was no translation"),
	FIELD(NUMBER, "faults_after", .get = get_faults_after, NOT_KNOWN,
	      .doc = "faults after the window, until one second after the replacement"),
	FIELD(LIST, "faults", .table = &fault_fields, .element = nth_fault,
	      .doc = "the first faults"),
	MEMBER(NUMBER, "waited", struct replacement, waits.count,
	       .doc = "operations of the same context that waited for it"),
	MEMBER(DURATION, "waited_ns", struct replacement, waits.total_ns,
	       .doc = "sum of their waits"),
	MEMBER(DURATION, "waited_longest_ns", struct replacement, waits.longest_ns,
	       .doc = "longest of their waits"),
	FIELD(LIST, "waiting", .table = &wait_fields, .element = nth_wait,
	      .doc = "the first operations that waited"),
};

const struct field_table replacement_own_fields = FIELD_TABLE("replacement", own);

static const void *described_operation(const void *record, size_t number)
{
	return number ? NULL : &((const struct described_replacement *)record)->operation;
}

static const void *described_own(const void *record, size_t number)
{
	return number ? NULL : ((const struct described_replacement *)record)->replacement;
}

static const struct field replacement[] = {
	INCLUDE(operation_moment_fields, described_operation),
	INCLUDE(operation_common_fields, described_operation),
	INCLUDE(replacement_own_fields, described_own),
};

const struct field_table replacement_fields = FIELD_TABLE("replacement", replacement);

void replacement_describe(struct described_replacement *described,
			  const struct replacement *replacement)
{
	described->replacement = replacement;
	described->operation = replacement_operation(&replacement->facts);
}
