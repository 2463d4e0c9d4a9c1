// SPDX-License-Identifier: GPL-2.0-only
/*
 * An entry with a start and a length is a bar, drawn to the scale of the whole replacement; an
 * entry with only a time is a mark.  All entries are in one list, sorted by time.  The kernel
 * reports how long each phase took, and phases follow each other; for the switch, the probes report
 * its start.
 */
#include <stdio.h>
#include <stdlib.h>

#include "describe/names.h"
#include "describe/replacement_text.h"
#include "describe/replacement_timeline.h"
#include "machine/pid_namespace.h"
#include "observe/replacement.h"
#include "text/format.h"
#include "text/output.h"

#define BAR_COLUMNS 32
#define MAX_ENTRIES (SCOPE_NR_REPLACE_PHASES + SCOPE_FAULT_MARKS + SCOPE_WAIT_MARKS + 4)

/**
 * struct entry - an entry of the time line
 * @at_ns: start, relative to the start of the replacement
 * @length_ns: how long it took, 0 for a mark
 * @colour: of its text
 * @bar: characters that the bar is drawn with; NULL for a mark
 * @text: its description
 */
struct entry {
	int64_t at_ns;
	uint64_t length_ns;
	enum colour colour;
	const char *bar;
	char text[160];
};

struct timeline {
	const struct replacement *replacement;
	struct entry entries[MAX_ENTRIES];
	unsigned int nr;
};

static struct entry *add(struct timeline *timeline, int64_t at_ns, uint64_t length_ns,
			 enum colour colour, const char *bar)
{
	struct entry *entry = &timeline->entries[timeline->nr++];

	entry->at_ns = at_ns;
	entry->length_ns = length_ns;
	entry->colour = colour;
	entry->bar = bar;
	return entry;
}

/* A window is inside the switch.  Without one, the switch ends where the drop starts. */
static uint64_t switch_offset(const struct scope_replacement *facts)
{
	uint64_t length = facts->phase_ns[SCOPE_REPLACE_switch];
	uint64_t end = facts->dur_ns - facts->phase_ns[SCOPE_REPLACE_drop];

	if (facts->windows)
		end = facts->last_end_ns - facts->start_ns;
	return end > length && end <= facts->dur_ns ? end - length : 0;
}

static void add_phases(struct timeline *timeline)
{
	const struct scope_replacement *facts = &timeline->replacement->facts;
	struct entry *entry;
	uint64_t at = 0;
	unsigned int i;

	for (i = 0; i < SCOPE_NR_REPLACE_PHASES; i++) {
		if (!facts->phase_ns[i])
			continue;
		if (i == SCOPE_REPLACE_switch && switch_offset(facts) > at)
			at = switch_offset(facts);
		if (i == SCOPE_REPLACE_drop && facts->dur_ns > at + facts->phase_ns[i])
			at = facts->dur_ns - facts->phase_ns[i];
		entry = add(timeline, at, facts->phase_ns[i], COLOUR_NONE, "█");
		snprintf(entry->text, sizeof(entry->text), "%s", replacement_phase_name(i));
		at += facts->phase_ns[i];
	}
}

static void add_window(struct timeline *timeline)
{
	const struct scope_replacement *facts = &timeline->replacement->facts;
	struct entry *entry;

	if (facts->windows) {
		entry = add(timeline, facts->window_start_ns - facts->start_ns, facts->window_ns,
			    COLOUR_RED, "░");
		if (facts->windows == 1)
			snprintf(entry->text, sizeof(entry->text), "%s: no translation",
				 facts->device);
		else
			snprintf(entry->text, sizeof(entry->text),
				 "%s: no translation, %u times, total", facts->device,
				 facts->windows);
	} else if (facts->flags & SCOPE_REPLACEMENT_MOVED) {
		entry = add(timeline, switch_offset(facts),
			    facts->phase_ns[SCOPE_REPLACE_switch], COLOUR_NONE, "─");
		snprintf(entry->text, sizeof(entry->text), "%s: %s", facts->device,
			 timeline->replacement->window_known ? "moves, always translated" :
							       "moves, not watched");
	}
}

static void add_faults(struct timeline *timeline)
{
	const struct scope_replacement *facts = &timeline->replacement->facts;
	const struct scope_fault_mark *fault;
	struct entry *entry;
	unsigned int i;

	for (i = 0; i < facts->nr_faults; i++) {
		fault = &facts->faults[i];
		entry = add(timeline, (int64_t)(fault->ns - facts->start_ns), 0, COLOUR_RED, NULL);
		snprintf(entry->text, sizeof(entry->text), "fault: %s 0x%llx: %s",
			 !(fault->flags & SCOPE_FAULT_EXACT)	? "access to" :
			 fault->flags & SCOPE_FAULT_WRITE	? "write to" :
								  "read of",
			 (unsigned long long)fault->iova, fault_words(fault, facts->driver));
	}
}

static void add_waits(struct timeline *timeline)
{
	const struct scope_waits *waits = &timeline->replacement->waits;
	const struct scope_wait_mark *mark;
	struct entry *entry;
	unsigned int i;

	for (i = 0; i < waits->nr_marks; i++) {
		mark = &waits->marks[i];
		entry = add(timeline,
			    (int64_t)(mark->start_ns - timeline->replacement->facts.start_ns),
			    mark->wait_ns, COLOUR_YELLOW, "▒");
		snprintf(entry->text, sizeof(entry->text), "%s of %s [%s] waits",
			 operation_title(mark->operation), mark->comm, pid_text(mark->tgid).s);
	}
}

static int by_time(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	if (left->at_ns != right->at_ns)
		return left->at_ns < right->at_ns ? -1 : 1;
	/* the enclosing entry comes first */
	if (left->length_ns != right->length_ns)
		return left->length_ns > right->length_ns ? -1 : 1;
	return 0;
}

/* Find the column of a time.  Times outside the scale go to its ends. */
static int column(int64_t ns, uint64_t whole)
{
	if (ns <= 0 || !whole)
		return 0;
	if ((uint64_t)ns >= whole)
		return BAR_COLUMNS;
	return (int)((double)ns / whole * BAR_COLUMNS);
}

static void print_scale(const struct entry *entry, uint64_t whole)
{
	int from = column(entry->at_ns, whole), to, i;

	if (!entry->bar) {
		if (from == BAR_COLUMNS)
			from--;
		for (i = 0; i < BAR_COLUMNS; i++)
			fputs(i == from ? "×" : " ", stdout);
		return;
	}
	to = column(entry->at_ns + (int64_t)entry->length_ns, whole);
	if (from == BAR_COLUMNS)
		from--;
	if (to == from)
		to++;
	for (i = 0; i < BAR_COLUMNS; i++)
		fputs(i < from || i >= to ? " " : entry->bar, stdout);
}

static void print_entry(const struct entry *entry, uint64_t whole)
{
	char at[48];

	snprintf(at, sizeof(at), "%c%s", entry->at_ns < 0 ? '-' : '+',
		 format_duration(entry->at_ns < 0 ? -entry->at_ns : entry->at_ns).s);
	printf("%s", colour_on(entry->colour));
	print_right(at, 9);
	printf(" │");
	print_scale(entry, whole);
	printf("│ ");
	if (entry->bar)
		print_right(format_duration(entry->length_ns).s, 7);
	else
		print_right("", 7);
	printf("  %s%s\n", entry->text, colour_off());
}

static void print_head(const struct replacement *replacement, int64_t wall_ns)
{
	const struct scope_replacement *facts = &replacement->facts;
	char words[256];

	replacement_words(replacement, words, sizeof(words));
	printf("%s%s  %s  hwpt %u → %u by %s [%s], %s: %s%s\n", colour_on(COLOUR_BOLD),
	       format_clock(facts->start_ns + wall_ns).s, facts->device, facts->old_hwpt,
	       facts->hwpt, facts->comm, pid_text(facts->tgid).s, format_duration(facts->dur_ns).s, words,
	       colour_off());
	if (facts->ret < 0) {
		replacement_why(replacement, words, sizeof(words));
		printf("  %s: %s\n", error_name(facts->ret), words);
	}
}

/* Print how many more there were than the time line shows. */
static void print_rest(const struct replacement *replacement)
{
	const struct scope_replacement *facts = &replacement->facts;
	unsigned int faults = facts->faults_in_window + facts->faults_after;
	const struct scope_waits *waits = &replacement->waits;

	if (faults > facts->nr_faults)
		printf("          and %u more faults\n", faults - facts->nr_faults);
	if (waits->count > waits->nr_marks)
		printf("          and %u more operations waited; all %u waited %s in total, the longest %s\n",
		       waits->count - waits->nr_marks, waits->count,
		       format_duration(waits->total_ns).s, format_duration(waits->longest_ns).s);
}

void timeline_print(const struct replacement *replacement, int64_t wall_ns)
{
	struct timeline timeline = { .replacement = replacement };
	unsigned int i;

	add_phases(&timeline);
	add_window(&timeline);
	add_faults(&timeline);
	add_waits(&timeline);
	qsort(timeline.entries, timeline.nr, sizeof(timeline.entries[0]), by_time);
	print_head(replacement, wall_ns);
	for (i = 0; i < timeline.nr; i++)
		print_entry(&timeline.entries[i], replacement->facts.dur_ns);
	print_rest(replacement);
}
