// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "describe/names.h"
#include "describe/operation.h"
#include "describe/slowest_text.h"
#include "machine/pid_namespace.h"
#include "observe/slowest.h"
#include "text/format.h"
#include "text/output.h"
#include "text/utf8.h"

static bool same_stacks(const struct slow_call *a, const struct slow_call *b)
{
	size_t i;

	if (a->op.tgid != b->op.tgid || a->nr_kernel != b->nr_kernel ||
	    a->nr_user != b->nr_user || a->ended != b->ended)
		return false;
	for (i = 0; i < a->nr_kernel + a->nr_user; i++)
		if (a->frames[i].address != b->frames[i].address)
			return false;
	return true;
}

/* Print a line, cut at the width of the terminal. */
static void print_line(enum colour colour, const char *text)
{
	int width = terminal_width();

	printf("%s%.*s%s\n", colour_on(colour), width ? width : (int)strlen(text), text,
	       colour_off());
}

/* Print a text, wrapped at the width of the terminal. */
static void print_words(enum colour colour, const char *text)
{
	int width = terminal_width(), indent = 0;
	size_t length;

	if (!width)
		width = 10000;
	while ((length = text_line(text, width - indent))) {
		printf("%*s%s%.*s%s\n", indent, "", colour_on(colour), (int)length, text,
		       colour_off());
		text += length;
		text += strspn(text, " ");
		indent = 4;
	}
}

static void print_call(const struct slow_call *call, int64_t wall_ns)
{
	const struct scope_op *op = &call->op;
	char what[256], line[1024], thread[40] = "";
	unsigned int phase;
	uint64_t ns;

	operation_what(op, what, sizeof(what));
	if (op->tid != op->tgid)
		snprintf(thread, sizeof(thread), ", thread %s", pid_text(op->tid).s);
	snprintf(line, sizeof(line), "%s %s of %s, by %s [%s%s] uid %u",
		 format_duration(op->dur_ns).s, operation_title(op->operation), what,
		 op->comm, pid_text(op->tgid).s, thread, op->uid);
	print_words(COLOUR_BOLD, line);
	phase = operation_phase(op, &ns);
	printf("    at %s", format_clock(op->start_ns + op->dur_ns + wall_ns).s);
	if (phase < SCOPE_NR_PHASES)
		printf(", %s of it in phase %s", format_percent(ns, op->dur_ns).s,
		       phase_name(phase));
	putchar('\n');
	if (op->ret < 0) {
		operation_why(op, what, sizeof(what));
		snprintf(line, sizeof(line), "    failed, %s: %s", error_name(op->ret), what);
		print_words(COLOUR_RED, line);
	}
}

static void print_frame(const struct frame *frame)
{
	const char *module = frame->module, *slash = module ? strrchr(module, '/') : NULL;
	char line[512], where[256] = "";

	if (slash)
		module = slash + 1;
	if (module && strcmp(module, "kernel"))
		snprintf(where, sizeof(where), " [%s]", module);
	if (frame->symbol)
		snprintf(line, sizeof(line), "      %s+0x%" PRIx64 "%s", frame->symbol,
			 frame->offset, where);
	else if (module)
		snprintf(line, sizeof(line), "      %s+0x%" PRIx64, module, frame->offset);
	else
		snprintf(line, sizeof(line), "      0x%" PRIx64, frame->address);
	print_line(COLOUR_DIM, line);
}

static void print_stacks(const struct slow_call *call)
{
	size_t i;

	for (i = call->nr_own; i < call->nr_kernel; i++)
		print_frame(&call->frames[i]);
	if (call->nr_user)
		printf("    called by %s [%s]%s\n", call->op.comm, pid_text(call->op.tgid).s,
		       call->ended ?
			       ", which has ended: its symbols are not known" :
		       pid_is_outside(call->op.tgid) ?
			       ", outside of this PID namespace: its symbols are not known" :
			       "");
	for (i = 0; i < call->nr_user; i++)
		print_frame(&call->frames[call->nr_kernel + i]);
}

/* Print the calls of one operation.  Calls with the same stacks are grouped, the slowest first. */
static void print_operation(struct slowest *slowest, struct slow_call *const *calls,
			    unsigned int nr, int64_t wall_ns)
{
	uint32_t printed = 0;
	unsigned int i, j;

	for (i = 0; i < nr; i++) {
		if (printed & 1U << i)
			continue;
		for (j = i; j < nr; j++) {
			if (!same_stacks(calls[i], calls[j]))
				continue;
			print_call(calls[j], wall_ns);
			printed |= 1U << j;
		}
		slowest_name_kernel(slowest, calls[i]);
		print_stacks(calls[i]);
	}
}

void slowest_table(struct slowest *slowest, bool interval, int64_t wall_ns)
{
	const struct ranking *ranking = slowest_ranking(slowest, interval);
	uint64_t lost = slowest_lost(slowest);
	unsigned int operation;

	for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++) {
		if (!ranking->nr[operation])
			continue;
		printf("\n%sslowest %s%s\n", colour_on(COLOUR_BOLD), operation_title(operation),
		       colour_off());
		print_operation(slowest, ranking->calls[operation], ranking->nr[operation],
				wall_ns);
	}
	if (lost)
		printf("%" PRIu64 " slow operations were lost: they came too fast\n", lost);
}
