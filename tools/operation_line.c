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
#include "words.h"

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

/* Whoever prints a hundred thousand lines a second has no time for printf(). */
void operation_line(const struct scope_record *record, int64_t wall_ns)
{
	struct text duration = format_duration(record->dur_ns);
	char line[1024], text[512];
	struct words words;
	unsigned int phase;
	const char *part;
	uint64_t ns;

	words_begin(&words, line, sizeof(line));
	words_add(&words, colour_on(COLOUR_DIM));
	words_add(&words, format_clock(record->start_ns + record->dur_ns + wall_ns).s);
	words_add(&words, colour_off());
	words_pad(&words, duration.s, DURATION_COLUMNS);
	words_add(&words, duration.s);
	words_add(&words, "  ");
	if (record->ret < 0) {
		operation_failure(record, text, sizeof(text));
		words_add(&words, colour_on(COLOUR_RED));
		words_add(&words, error_name(record->ret));
		words_add(&words, ": ");
		words_add(&words, text);
		words_add(&words, colour_off());
	} else {
		part = words.at;
		words_add(&words, operation_title(record->operation));
		words_pad(&words, part, OPERATION_COLUMNS);
		words_add(&words, "  ");
		part = words.at;
		words_add(&words, record->comm);
		words_add(&words, " [");
		words_add_number(&words, record->tgid);
		words_add(&words, "]");
		words_pad(&words, part, PROCESS_COLUMNS);
		words_add(&words, "  ");
		operation_what(record, text, sizeof(text));
		words_add(&words, text);
		phase = operation_phase(record, &ns);
		if (phase < SCOPE_NR_PHASES) {
			words_add(&words, ", ");
			words_add(&words, phase_name(phase));
			words_add(&words, " ");
			words_add(&words, format_percent(ns, record->dur_ns).s);
		}
	}
	words_add(&words, "\n");
	fwrite_unlocked(line, 1, words.at - line, stdout);
}
