// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replacements in words and JSON.
 */
#include <stdio.h>
#include <string.h>

#include "describe/names.h"
#include "describe/operation.h"
#include "describe/replacement_text.h"
#include "observe/replacement.h"
#include "text/format.h"
#include "text/json.h"
#include "text/strbuf.h"

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
#define NAME(name, label) #name,
		REPLACEMENT_VERDICTS(NAME)
#undef NAME
	};

	return names[verdict];
}

const char *fault_sight_name(enum fault_sight sight)
{
	static const char *const names[] = {
#define NAME(name) #name,
		REPLACEMENT_FAULT_SIGHTS(NAME)
#undef NAME
	};

	return names[sight];
}

static const char *verdict_label(enum verdict verdict)
{
	static const char *const labels[] = {
#define LABEL(name, label) label,
		REPLACEMENT_VERDICTS(LABEL)
#undef LABEL
	};

	return labels[verdict];
}

const char *replacement_phase_name(enum scope_replace_phase phase)
{
	static const char *const names[] = {
		[SCOPE_REPLACE_wait] = "wait",	   [SCOPE_REPLACE_check] = "check",
		[SCOPE_REPLACE_alloc] = "alloc",   [SCOPE_REPLACE_fill] = "fill",
		[SCOPE_REPLACE_switch] = "switch", [SCOPE_REPLACE_drop] = "drop",
	};

	return names[phase];
}

const char *fault_words(const struct scope_fault_mark *fault, unsigned int driver)
{
	if (driver == SCOPE_SWITCH_INTEL) {
		/* VT-d, "fault reason encodings": the frequent ones */
		switch (fault->reason) {
		case 0x01:
		case 0x39:
			return "no root entry";
		case 0x02:
		case 0x41:
			return "no context entry: the device had no translation";
		case 0x51:
		case 0x59:
			return "no PASID entry: the device had no translation";
		case 0x05:
		case 0x06:
			return "not mapped, or not in this direction";
		}
	}
	if (fault->flags & SCOPE_FAULT_IN_WINDOW)
		return "while there was no translation";
	return fault->flags & SCOPE_FAULT_EXACT ? "not translated" : "the kernel's log tells of it";
}

static void say_faults(struct strbuf *buf, const struct replacement *replacement)
{
	const struct scope_replacement *record = &replacement->record;
	const char *more = replacement->faults_at_least ? "at least " : "";

	if (record->windows && replacement->faults == FAULTS_known)
		strbuf_say(buf, ", %s%u fault%s", more, record->faults_in_window,
			   record->faults_in_window == 1 ? "" : "s");
	else if (record->windows)
		strbuf_say(buf, replacement->faults == FAULTS_none_reported ?
					", no fault reported" :
					", faults not watched");
	if (record->faults_after)
		strbuf_say(buf, ", %s%u %s after", record->windows ? "" : more,
			   record->faults_after,
			   record->windows	     ? "more" :
			   record->faults_after == 1 ? "fault" :
						       "faults");
}

struct fault_count replacement_faults(const struct replacement *replacement)
{
	const struct scope_replacement *record = &replacement->record;
	struct fault_count count = { "-" };

	if (replacement->faults == FAULTS_known)
		snprintf(count.s, sizeof(count.s), "%s%s", replacement->faults_at_least ? "≥" : "",
			 format_count((uint64_t)record->faults_in_window + record->faults_after).s);
	else if (replacement->faults == FAULTS_not_watched)
		strcpy(count.s, "?");
	return count;
}

struct fault_count total_faults(const struct replacement_total *total)
{
	uint64_t silent = total->faults[FAULTS_none_reported];
	uint64_t unseen = silent + total->faults[FAULTS_not_watched];
	uint64_t faults = total->faults_in_window + total->faults_after;
	struct fault_count count = { "-" };

	if (faults || (total->faults[FAULTS_known] && !unseen))
		snprintf(count.s, sizeof(count.s), "%s%s",
			 total->faults_at_least || unseen ? "≥" : "", format_count(faults).s);
	else if (unseen && !silent)
		strcpy(count.s, "?");
	return count;
}

void replacement_words(const struct replacement *replacement, char *text, size_t size)
{
	const struct scope_replacement *record = &replacement->record;
	struct strbuf buf;

	strbuf_begin(&buf, text, size);
	strbuf_say(&buf, "%s", verdict_label(replacement->verdict));
	switch (replacement->verdict) {
	case VERDICT_blocked:
		strbuf_say(&buf, " %s", format_duration(record->window_ns).s);
		break;
	case VERDICT_rolled_back:
	case VERDICT_stranded:
		if (record->windows)
			strbuf_say(&buf, ", blocked %s", format_duration(record->window_ns).s);
		break;
	case VERDICT_unknown:
		strbuf_say(&buf, " (%s)",
			   record->ret < 0 ? "failed, and the way back was not seen" :
					     "driver not instrumented");
		break;
	default:
		break;
	}
	say_faults(&buf, replacement);
}

struct scope_record replacement_operation(const struct scope_replacement *record)
{
	static const enum scope_phase phases[SCOPE_NR_REPLACE_PHASES] = {
		[SCOPE_REPLACE_wait] = SCOPE_PHASE_wait,   [SCOPE_REPLACE_check] = SCOPE_PHASE_check,
		[SCOPE_REPLACE_alloc] = SCOPE_PHASE_alloc, [SCOPE_REPLACE_fill] = SCOPE_PHASE_fill,
		[SCOPE_REPLACE_switch] = SCOPE_PHASE_switch, [SCOPE_REPLACE_drop] = SCOPE_PHASE_drop,
	};
	struct scope_record operation = {
		.start_ns = record->start_ns,
		.dur_ns = record->dur_ns,
		.operation = SCOPE_OPERATION_iommufd_replace,
		.ret = record->ret,
		.reason = record->reason,
		.reason_a = record->reason_a,
		.reason_b = record->reason_b,
		.tgid = record->tgid,
		.tid = record->tid,
		.ctx = record->ctx,
		.device_id = record->device_id,
		.group = record->group,
		.devices = record->devices,
		.ioas = record->ioas,
		.old_ioas = record->old_ioas,
		.hwpt = record->hwpt,
		.old_hwpt = record->old_hwpt,
	};
	unsigned int i;

	for (i = 0; i < SCOPE_NR_REPLACE_PHASES; i++)
		operation.phase_ns[phases[i]] = record->phase_ns[i];
	memcpy(operation.comm, record->comm, sizeof(operation.comm));
	memcpy(operation.device, record->device, sizeof(operation.device));
	snprintf(operation.driver, sizeof(operation.driver), "%s", record->iommu_driver);
	return operation;
}

void replacement_why(const struct replacement *replacement, char *text, size_t size)
{
	struct scope_record operation = replacement_operation(&replacement->record);

	operation_why(&operation, text, size);
}

/* What is not known is null, never 0. */
static void fault_counts_json(struct json *json, bool known, uint64_t in_window, uint64_t after)
{
	if (known) {
		json_u64(json, "faults_in_window", in_window);
		json_u64(json, "faults_after", after);
	} else {
		json_null(json, "faults_in_window");
		json_null(json, "faults_after");
	}
}

static void faults_json(const struct replacement *replacement, struct json *json)
{
	const struct scope_replacement *record = &replacement->record;
	const struct scope_fault_mark *fault;
	unsigned int i;

	json_array(json, "faults");
	for (i = 0; i < record->nr_faults; i++) {
		fault = &record->faults[i];
		json_object(json, NULL);
		json_i64(json, "offset_ns", (int64_t)(fault->ns - record->start_ns));
		json_u64(json, "iova", fault->iova);
		if (fault->flags & SCOPE_FAULT_EXACT)
			json_string(json, "access", fault->flags & SCOPE_FAULT_WRITE ? "write" :
										       "read");
		else
			json_null(json, "access");
		json_bool(json, "in_window", fault->flags & SCOPE_FAULT_IN_WINDOW);
		json_u64(json, "reason", fault->reason);
		json_string(json, "message", fault_words(fault, record->driver));
		json_end_object(json);
	}
	json_end_array(json);
}

static void waits_json(const struct scope_waits *waits, uint64_t start_ns, struct json *json)
{
	unsigned int i;

	json_u64(json, "waited", waits->count);
	json_u64(json, "waited_ns", waits->total_ns);
	json_u64(json, "waited_longest_ns", waits->longest_ns);
	json_array(json, "waiting");
	for (i = 0; i < waits->nr_marks; i++) {
		json_object(json, NULL);
		json_string(json, "operation", operation_name(waits->marks[i].operation));
		json_string(json, "process", waits->marks[i].comm);
		json_u64(json, "pid", waits->marks[i].tgid);
		json_i64(json, "offset_ns", (int64_t)(waits->marks[i].start_ns - start_ns));
		json_u64(json, "wait_ns", waits->marks[i].wait_ns);
		json_end_object(json);
	}
	json_end_array(json);
}

static void outcome_json(const struct replacement *replacement, struct json *json)
{
	const struct scope_replacement *record = &replacement->record;
	char text[512];

	json_string(json, "verdict", verdict_name(replacement->verdict));
	replacement_words(replacement, text, sizeof(text));
	json_string(json, "message", text);
	json_i64(json, "ret", record->ret);
	if (record->ret >= 0) {
		json_null(json, "error");
		json_null(json, "reason");
		return;
	}
	json_string(json, "error", error_name(record->ret));
	json_string(json, "reason", reason_name(SCOPE_OPERATION_iommufd_replace, record->reason));
	replacement_why(replacement, text, sizeof(text));
	json_string(json, "reason_message", text);
}

void replacement_json(const struct replacement *replacement, struct json *json, int64_t wall_ns)
{
	const struct scope_replacement *record = &replacement->record;
	char key[32];
	unsigned int i;

	json_object(json, NULL);
	json_i64(json, "time_ns", (int64_t)record->start_ns + wall_ns);
	json_u64(json, "start_ns", record->start_ns);
	json_u64(json, "number", record->number);
	json_string(json, "process", record->comm);
	json_u64(json, "pid", record->tgid);
	json_u64(json, "tid", record->tid);
	json_u64(json, "ctx", record->ctx);
	json_string(json, "device", record->device);
	json_bool(json, "named", record->named);
	json_string(json, "iommu_driver", record->iommu_driver);
	json_u64(json, "group", record->group);
	json_u64(json, "devices", record->devices);
	json_u64(json, "old_hwpt", record->old_hwpt);
	json_u64(json, "hwpt", record->hwpt);
	json_u64(json, "old_ioas", record->old_ioas);
	json_u64(json, "ioas", record->ioas);
	outcome_json(replacement, json);
	json_u64(json, "dur_ns", record->dur_ns);
	for (i = 0; i < SCOPE_NR_REPLACE_PHASES; i++) {
		snprintf(key, sizeof(key), "%s_ns", replacement_phase_name(i));
		json_u64(json, key, record->phase_ns[i]);
	}
	json_u64(json, "moves", record->moves);
	if (replacement->window_known)
		json_u64(json, "window_ns", record->window_ns);
	else
		json_null(json, "window_ns");
	json_u64(json, "windows", record->windows);
	if (record->windows)
		json_i64(json, "window_offset_ns",
			 (int64_t)(record->window_start_ns - record->start_ns));
	json_bool(json, "faults_known", replacement->faults == FAULTS_known);
	if (replacement->faults == FAULTS_known)
		json_null(json, "faults_unknown");
	else
		json_string(json, "faults_unknown", fault_sight_name(replacement->faults));
	json_bool(json, "faults_at_least", replacement->faults_at_least);
	fault_counts_json(json, replacement->faults == FAULTS_known, record->faults_in_window,
			  record->faults_after);
	faults_json(replacement, json);
	waits_json(&replacement->waits, record->start_ns, json);
	json_end_object(json);
}

static void percentiles_json(struct json *json, const char *key, const struct histogram *histogram)
{
	json_object(json, key);
	json_u64(json, "count", histogram->count);
	json_u64(json, "sum_ns", histogram->sum);
	json_u64(json, "p50_ns", histogram_percentile(histogram, 50));
	json_u64(json, "p90_ns", histogram_percentile(histogram, 90));
	json_u64(json, "p99_ns", histogram_percentile(histogram, 99));
	json_u64(json, "max_ns", histogram->max);
	json_end_object(json);
}

void replacement_totals_json(const struct replacement_totals *totals, struct json *json,
			     const char *key, const char *label)
{
	const struct replacement_total *total;
	unsigned int verdict;
	size_t i;

	json_array(json, key);
	for (i = 0; i < totals->nr; i++) {
		total = &totals->totals[i];
		json_object(json, NULL);
		json_string(json, label, total->label);
		json_u64(json, "count", total->count);
		json_object(json, "verdicts");
		for (verdict = 0; verdict < NR_VERDICTS; verdict++)
			json_u64(json, verdict_name(verdict), total->verdicts[verdict]);
		json_end_object(json);
		fault_counts_json(json, total->faults[FAULTS_known], total->faults_in_window,
				  total->faults_after);
		json_bool(json, "faults_at_least", total->faults_at_least ||
			  (total->faults[FAULTS_known] &&
			   total->faults[FAULTS_none_reported] + total->faults[FAULTS_not_watched]));
		json_u64(json, "faults_none_reported", total->faults[FAULTS_none_reported]);
		json_u64(json, "faults_not_watched", total->faults[FAULTS_not_watched]);
		percentiles_json(json, "window", &total->window);
		percentiles_json(json, "duration", &total->duration);
		json_end_object(json);
	}
	json_end_array(json);
}
