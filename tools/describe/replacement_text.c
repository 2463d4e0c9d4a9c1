// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "describe/names.h"
#include "describe/operation.h"
#include "describe/replacement_text.h"
#include "observe/replacement.h"
#include "text/format.h"
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
	return fault->flags & SCOPE_FAULT_EXACT ? "not translated" : "reported in the kernel log";
}

static void say_faults(struct strbuf *buf, const struct replacement *replacement)
{
	const struct scope_replacement *facts = &replacement->facts;
	const char *more = replacement->faults_at_least ? "at least " : "";

	if (facts->windows && replacement->faults == FAULTS_known)
		strbuf_say(buf, ", %s%u fault%s", more, facts->faults_in_window,
			   facts->faults_in_window == 1 ? "" : "s");
	else if (facts->windows)
		strbuf_say(buf, replacement->faults == FAULTS_none_reported ?
					", no fault reported" :
					", faults not watched");
	if (facts->faults_after)
		strbuf_say(buf, ", %s%u %s after", facts->windows ? "" : more,
			   facts->faults_after,
			   facts->windows	     ? "more" :
			   facts->faults_after == 1 ? "fault" :
						       "faults");
}

struct fault_count replacement_faults(const struct replacement *replacement)
{
	const struct scope_replacement *facts = &replacement->facts;
	struct fault_count count = { "-" };

	if (replacement->faults == FAULTS_known)
		snprintf(count.s, sizeof(count.s), "%s%s", replacement->faults_at_least ? "≥" : "",
			 format_count((uint64_t)facts->faults_in_window + facts->faults_after).s);
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
	const struct scope_replacement *facts = &replacement->facts;
	struct strbuf buf;

	strbuf_begin(&buf, text, size);
	strbuf_say(&buf, "%s", verdict_label(replacement->verdict));
	switch (replacement->verdict) {
	case VERDICT_blocked:
		strbuf_say(&buf, " %s", format_duration(facts->window_ns).s);
		break;
	case VERDICT_rolled_back:
	case VERDICT_stranded:
		if (facts->windows)
			strbuf_say(&buf, ", blocked %s", format_duration(facts->window_ns).s);
		break;
	case VERDICT_unknown:
		strbuf_say(&buf, " (%s)",
			   facts->ret < 0 ? "failed, and the rollback was not observed" :
					     "window not observed");
		break;
	default:
		break;
	}
	say_faults(&buf, replacement);
}

struct scope_op replacement_operation(const struct scope_replacement *facts)
{
	static const enum scope_phase phases[SCOPE_NR_REPLACE_PHASES] = {
		[SCOPE_REPLACE_wait] = SCOPE_PHASE_wait,   [SCOPE_REPLACE_check] = SCOPE_PHASE_check,
		[SCOPE_REPLACE_alloc] = SCOPE_PHASE_alloc, [SCOPE_REPLACE_fill] = SCOPE_PHASE_fill,
		[SCOPE_REPLACE_switch] = SCOPE_PHASE_switch, [SCOPE_REPLACE_drop] = SCOPE_PHASE_drop,
	};
	struct scope_op operation = {
		.start_ns = facts->start_ns,
		.dur_ns = facts->dur_ns,
		.operation = SCOPE_OPERATION_iommufd_replace,
		.ret = facts->ret,
		.reason = facts->reason,
		.reason_a = facts->reason_a,
		.reason_b = facts->reason_b,
		.tgid = facts->tgid,
		.tid = facts->tid,
		.ctx = facts->ctx,
		.device_id = facts->device_id,
		.group = facts->group,
		.devices = facts->devices,
		.ioas = facts->ioas,
		.old_ioas = facts->old_ioas,
		.hwpt = facts->hwpt,
		.old_hwpt = facts->old_hwpt,
	};
	unsigned int i;

	for (i = 0; i < SCOPE_NR_REPLACE_PHASES; i++)
		operation.phase_ns[phases[i]] = facts->phase_ns[i];
	memcpy(operation.comm, facts->comm, sizeof(operation.comm));
	memcpy(operation.device, facts->device, sizeof(operation.device));
	snprintf(operation.driver, sizeof(operation.driver), "%s", facts->iommu_driver);
	return operation;
}

void replacement_why(const struct replacement *replacement, char *text, size_t size)
{
	struct scope_op operation = replacement_operation(&replacement->facts);

	operation_why(&operation, text, size);
}
