// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations as lines on standard output.
 */
#include <stdio.h>

#include "format.h"
#include "names.h"
#include "operation.h"
#include "operation_line.h"
#include "output.h"

#define OPERATION_COLUMNS 16
#define PROCESS_COLUMNS 22

void line_time(uint64_t wall_ns)
{
	printf("%s%s%s", colour_on(COLOUR_DIM), format_clock(wall_ns).s, colour_off());
}

void operation_heading(void)
{
	printf("%sTIME             DURATION  %-*s  %-*s  WHAT%s\n", colour_on(COLOUR_BOLD),
	       OPERATION_COLUMNS, "OPERATION", PROCESS_COLUMNS, "PROCESS", colour_off());
}

void operation_line(const struct scope_record *record, int64_t wall_ns)
{
	char text[512];
	unsigned int phase;
	uint64_t ns;

	line_time(record->start_ns + record->dur_ns + wall_ns);
	print_right(format_duration(record->dur_ns).s, 10);
	printf("  ");
	if (record->ret < 0) {
		operation_failure(record, text, sizeof(text));
		printf("%s%s: %s%s\n", colour_on(COLOUR_RED), error_name(record->ret), text,
		       colour_off());
		return;
	}
	print_left(operation_title(record->operation), OPERATION_COLUMNS);
	snprintf(text, sizeof(text), "%s [%u]", record->comm, record->tgid);
	printf("  ");
	print_left(text, PROCESS_COLUMNS);
	operation_what(record, text, sizeof(text));
	printf("  %s", text);
	phase = operation_phase(record, &ns);
	if (phase < SCOPE_NR_PHASES)
		printf(", %s %s", phase_name(phase), format_percent(ns, record->dur_ns).s);
	putchar('\n');
}
