// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations as lines on standard output.
 */
#include <stdio.h>

#include "describe/names.h"
#include "describe/operation.h"
#include "describe/operation_line.h"
#include "machine/pid_namespace.h"
#include "text/format.h"
#include "text/output.h"
#include "text/strbuf.h"

#define DURATION_COLUMNS 10
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

/* printf() is too slow for a hundred thousand lines a second. */
void operation_line(const struct scope_op *op, int64_t wall_ns)
{
	struct text duration = format_duration(op->dur_ns);
	char line[1024], text[512];
	struct strbuf buf;
	unsigned int phase;
	const char *part;
	uint64_t ns;

	strbuf_begin(&buf, line, sizeof(line));
	strbuf_add(&buf, colour_on(COLOUR_DIM));
	strbuf_add(&buf, format_clock(op->start_ns + op->dur_ns + wall_ns).s);
	strbuf_add(&buf, colour_off());
	strbuf_pad(&buf, duration.s, DURATION_COLUMNS);
	strbuf_add(&buf, duration.s);
	strbuf_add(&buf, "  ");
	if (op->ret < 0) {
		operation_failure(op, text, sizeof(text));
		strbuf_add(&buf, colour_on(COLOUR_RED));
		strbuf_add(&buf, error_name(op->ret));
		strbuf_add(&buf, ": ");
		strbuf_add(&buf, text);
		strbuf_add(&buf, colour_off());
	} else {
		part = buf.at;
		strbuf_add(&buf, operation_title(op->operation));
		strbuf_pad(&buf, part, OPERATION_COLUMNS);
		strbuf_add(&buf, "  ");
		part = buf.at;
		strbuf_add(&buf, op->comm);
		strbuf_add(&buf, " [");
		strbuf_add(&buf, pid_text(op->tgid).s);
		strbuf_add(&buf, "]");
		strbuf_pad(&buf, part, PROCESS_COLUMNS);
		strbuf_add(&buf, "  ");
		operation_what(op, text, sizeof(text));
		strbuf_add(&buf, text);
		phase = operation_phase(op, &ns);
		if (phase < SCOPE_NR_PHASES) {
			strbuf_add(&buf, ", ");
			strbuf_add(&buf, phase_name(phase));
			strbuf_add(&buf, " ");
			strbuf_add(&buf, format_percent(ns, op->dur_ns).s);
		}
	}
	strbuf_add(&buf, "\n");
	fwrite_unlocked(line, 1, buf.at - line, stdout);
}
