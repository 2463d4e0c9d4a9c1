// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations, and what replacements did to DMA, as comma-separated values: one table.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "describe/names.h"
#include "describe/operation.h"
#include "describe/operation_csv.h"
#include "describe/replacement_text.h"
#include "observe/replacement.h"
#include "text/output.h"

/* NUMBER(column, member) */
#define NUMBERS(NUMBER)                                                                            \
	NUMBER(pid, tgid)                                                                          \
	NUMBER(tid, tid)                                                                           \
	NUMBER(uid, uid)                                                                           \
	NUMBER(cgroup_id, cgroup)                                                                  \
	NUMBER(ctx, ctx)                                                                           \
	NUMBER(device_id, device_id)                                                               \
	NUMBER(group, group)                                                                       \
	NUMBER(devices, devices)                                                                   \
	NUMBER(ioas, ioas)                                                                         \
	NUMBER(src_ioas, src_ioas)                                                                 \
	NUMBER(old_ioas, old_ioas)                                                                 \
	NUMBER(hwpt, hwpt)                                                                         \
	NUMBER(old_hwpt, old_hwpt)                                                                 \
	NUMBER(object_id, object_id)                                                               \
	NUMBER(value, value)                                                                       \
	NUMBER(index, index)                                                                       \
	NUMBER(start, start)                                                                       \
	NUMBER(flags, flags)                                                                       \
	NUMBER(iova, iova)                                                                         \
	NUMBER(length_bytes, length)                                                               \
	NUMBER(user_va, user_va)                                                                   \
	NUMBER(pages, pages)                                                                       \
	NUMBER(extents, extents)                                                                   \
	NUMBER(reason_a, reason_a)                                                                 \
	NUMBER(reason_b, reason_b)

/* What only a replacement's row has; the others leave it empty. */
#define REPLACEMENT_COLUMNS                                                                        \
	",verdict,windows,window_ns,faults_in_window,faults_after,faults_at_least,waited"

void operation_csv_heading(FILE *file)
{
	unsigned int i;

	fputs("event,time_ns,start_ns,dur_ns,subsystem,operation,process,device,iommu_driver,node,"
	      "object_type,ret,error,reason,message", file);
#define NAME(column, member) fputs("," #column, file);
	NUMBERS(NAME)
#undef NAME
	for (i = 0; i < SCOPE_NR_PHASES; i++)
		fprintf(file, ",%s%s_ns", i < SCOPE_FIRST_VFIO_PHASE ? "" : "vfio_",
			phase_name(i));
	fputs(REPLACEMENT_COLUMNS "\n", file);
}

static void put_operation(FILE *file, const struct scope_record *record, const char *event,
			  int64_t wall_ns)
{
	enum scope_class class = scope_operation_class(record->operation);
	bool vfio = class == SCOPE_CLASS_VFIO;
	char why[256] = "";
	unsigned int i;

	fprintf(file, "%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%s,%s,", event,
		(uint64_t)(record->start_ns + record->dur_ns + wall_ns), (uint64_t)record->start_ns,
		(uint64_t)record->dur_ns, operation_subsystem(record->operation),
		operation_name(record->operation));
	csv_text(file, record->comm);
	putc(',', file);
	csv_text(file, record->device);
	putc(',', file);
	csv_text(file, vfio ? "" : record->driver);
	putc(',', file);
	csv_text(file, vfio ? record->driver : "");
	fprintf(file, ",%s,%d,", class == SCOPE_CLASS_OBJECT ?
		object_type_name(record->object_type) : "", record->ret);
	if (record->ret < 0) {
		operation_why(record, why, sizeof(why));
		fprintf(file, "%s,%s,", error_name(record->ret),
			reason_name(record->operation, record->reason));
		csv_text(file, why);
	} else {
		fputs(",,", file);
	}
#define NUMBER(column, member) fprintf(file, ",%" PRIu64, (uint64_t)record->member);
	NUMBERS(NUMBER)
#undef NUMBER
	for (i = 0; i < SCOPE_NR_PHASES; i++)
		fprintf(file, ",%" PRIu64, (uint64_t)record->phase_ns[i]);
}

void operation_csv(FILE *file, const struct scope_record *record, const char *event,
		   int64_t wall_ns)
{
	const char *column = REPLACEMENT_COLUMNS;

	put_operation(file, record, event, wall_ns);
	for (; *column; column++)
		if (*column == ',')
			putc(',', file);
	putc('\n', file);
}

/* A cell that is empty if the number is not known. */
static void put_known(FILE *file, bool known, uint64_t number)
{
	if (known)
		fprintf(file, ",%" PRIu64, number);
	else
		putc(',', file);
}

void replacement_csv(FILE *file, const struct replacement *replacement, int64_t wall_ns)
{
	struct scope_record operation = replacement_operation(&replacement->record);
	const struct scope_replacement *from = &replacement->record;
	bool faults = replacement->faults == FAULTS_known;

	put_operation(file, &operation, "replacement", wall_ns);
	fprintf(file, ",%s,%" PRIu32, verdict_name(replacement->verdict), from->windows);
	put_known(file, replacement->window_known, from->window_ns);
	put_known(file, faults, from->faults_in_window);
	put_known(file, faults, from->faults_after);
	put_known(file, faults, replacement->faults_at_least);
	fprintf(file, ",%" PRIu32 "\n", replacement->waits.count);
}
