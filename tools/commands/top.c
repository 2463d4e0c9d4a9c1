// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope top: a live view of operations, devices, and the last failures and replacements.
 *
 * Once an interval, top reads everything and draws the screen.  In between it only waits for keys.
 * The kernel counts and keeps events meanwhile, so events cost this side nothing.
 */
#include <bpf/libbpf.h>
#include <ctype.h>
#include <curses.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/options.h"
#include "commands/run.h"
#include "observe/operations.h"
#include "observe/session.h"
#include "text/clock.h"
#include "text/exit_status.h"
#include "text/format.h"
#include "text/output.h"
#include "text/utf8.h"
#include "top/screen.h"
#include "top/top.h"

#define DEFAULT_INTERVAL_NS 2000000000ULL
#define SHORTEST_INTERVAL_NS 100000000ULL
#define LONGEST_INTERVAL_NS 60000000000ULL

/* Buffer for failures and replacements between two looks, in bytes. */
#define EVENTS_ROOM (128 * 1024)

/* Lines of the screen outside of the panels: two above, one below. */
#define HEAD_LINES 2
#define FOOT_LINES 1

/* Least lines of each panel. */
#define LEAST_LINES 3

static struct top_panel *const panels[] = { &top_operations, &top_devices, &top_events };
#define NR_PANELS (sizeof(panels) / sizeof(panels[0]))
#define PANEL_EVENTS (NR_PANELS - 1)

/* The user's choices. */
static struct {
	unsigned int focus;
	bool whole;		/* only the focused panel is shown */
	bool paused;
	bool help;
	bool typing;		/* the user is typing a filter */
	char filter[64];
	int lines[NR_PANELS];	/* most lines that each panel has needed */
} view;

/* A run. */
struct top {
	struct top_observation seen;
	struct operations operations;
	struct state_reader *state;
	uint64_t interval_ns;
	uint64_t start_ns;
	uint64_t last_ns;
	uint64_t looks;
};

static int on_operation(void *context, const struct scope_op *op)
{
	top_events_add(context, op);
	return 0;
}

static void fill_panels(struct top *top)
{
	unsigned int i;

	top_operations_fill(&top->seen);
	top_devices_fill(&top->seen);
	top_events_fill(&top->seen);
	for (i = 0; i < NR_PANELS; i++)
		top_panel_arrange(panels[i], view.filter);
}

/* Read everything.  Return 0, or -1 after a message. */
static int look(struct top *top)
{
	struct top_observation *seen = &top->seen;

	state_free(&seen->state);
	if (state_read(top->state, &seen->state))
		return -1;
	latency_forget_recent(&seen->latency);
	latency_read(&seen->latency);
	operations_poll(&top->operations);
	seen->lost = operations_lost(&top->operations);
	seen->now_ns = now_ns();
	seen->wall_ns = wall_offset_ns();
	seen->span_ns = seen->now_ns - top->last_ns;
	seen->total_ns = seen->now_ns - top->start_ns;
	top->last_ns = seen->now_ns;
	top->looks++;
	fill_panels(top);
	return 0;
}

/* Drawing */

static void draw_head(const struct top *top)
{
	const struct top_observation *seen = &top->seen;
	uint64_t count = 0, failed = 0, mapped = 0, pinned = 0;
	const struct latency_set *recent = &seen->latency.recent;
	char left[256], right[96];
	size_t i;

	for (i = 0; i < recent->nr; i++) {
		count += recent->series[i]->counters.count;
		failed += recent->series[i]->counters.errors;
	}
	for (i = 0; i < seen->state.nr_ioases; i++)
		mapped += seen->state.ioases[i].mapped_bytes;
	for (i = 0; i < seen->state.nr_ctxs; i++)
		pinned += seen->state.ctxs[i].pinned_bytes;
	snprintf(left, sizeof(left), "iommuscope top  %s  every %s%s%s%s",
		 format_clock_second(wall_now_ns()).s,
		 format_duration(top->interval_ns).s,
		 seen->total ? ", since " : "",
		 seen->total ? format_duration(seen->total_ns).s : "",
		 view.paused ? "  PAUSED" : "");
	*right = '\0';
	if (*view.filter || view.typing)
		snprintf(right, sizeof(right), "filter: %s%s", view.filter, view.typing ? "_" : "");
	screen_colour(SCREEN_HEADING);
	screen_text(0, 0, COLS, left);
	if (*right)
		screen_text(0, COLS - text_width(right), text_width(right), right);
	screen_colour(SCREEN_NORMAL);
	snprintf(left, sizeof(left),
		 "%s op/s, %s failed  %zu ctx%s, %zu device%s, %s mapped, %s pinned",
		 format_number(seen->span_ns ? count * 1e9 / seen->span_ns : 0).s,
		 format_count(failed).s, seen->state.nr_ctxs, seen->state.nr_ctxs == 1 ? "" : "s",
		 seen->state.nr_devices, seen->state.nr_devices == 1 ? "" : "s",
		 format_size(mapped).s, format_size(pinned).s);
	screen_text(1, 0, COLS, left);
}

static void draw_foot(const struct top *top)
{
	char text[160];

	if (view.typing)
		snprintf(text, sizeof(text), "type text that lines must contain; Enter keeps it, Esc "
					     "drops it");
	else
		snprintf(text, sizeof(text), "q quit  h help  Tab panel  z zoom  s sort  / filter  "
					     "Space pause  t totals");
	screen_colour(SCREEN_DIM);
	screen_text(LINES - 1, 0, COLS, text);
	if (top->seen.lost) {
		snprintf(text, sizeof(text), "  lost %s",
			 format_count(top->seen.lost).s);
		screen_colour(SCREEN_FAILURE);
		screen_text(LINES - 1, COLS - text_width(text), text_width(text), text);
	}
	screen_colour(SCREEN_NORMAL);
}

/*
 * Lines that a panel can fill, including its titles; none if it is empty.  A panel never shrinks: a
 * screen with moving parts is hard to read.
 */
static int lines_wanted(unsigned int panel, int most)
{
	size_t rows = panels[panel]->nr_active;

	if (rows > panels[panel]->nr_shown)
		rows = panels[panel]->nr_shown;
	if (rows >= (size_t)most)
		rows = most - 1;
	if (view.lines[panel] < (int)rows + 1)
		view.lines[panel] = rows + 1;
	if (view.lines[panel] < LEAST_LINES)
		view.lines[panel] = LEAST_LINES;
	return view.lines[panel];
}

/* Divide @lines among the panels. */
static void share_lines(int lines, int shares[NR_PANELS])
{
	int events = lines / 3 > LEAST_LINES ? lines / 3 : LEAST_LINES, half;
	unsigned int i;

	if (view.whole) {
		for (i = 0; i < NR_PANELS; i++)
			shares[i] = i == view.focus ? lines : 0;
		return;
	}
	shares[0] = lines_wanted(0, lines);
	shares[1] = lines_wanted(1, lines);
	/* the events get what the other two do not need, and always have some */
	half = (lines - events) / 2;
	if (shares[0] + shares[1] > lines - events) {
		if (shares[0] <= half)
			shares[1] = lines - events - shares[0];
		else if (shares[1] <= half)
			shares[0] = lines - events - shares[1];
		else
			shares[0] = shares[1] = half;
	}
	shares[2] = lines - shares[0] - shares[1];
}

static void draw_help(void)
{
	static const char *const lines[] = {
		"q, Ctrl-C    quit",
		"Space, p     pause the display; counting continues",
		"Tab, 1 2 3   choose a panel: operations, devices, failures and replacements",
		"z, Enter     show only the chosen panel, and back",
		"Up Down PgUp PgDn Home    scroll the panel",
		"s, r         sort by the next column; reverse the order",
		"/            show only lines that contain a text; Esc shows all again",
		"t            operations since the start, or since the last look",
		"+ -          look more often, less often",
		"",
		"Operations: RATE/S and FAILED cover the last interval, IN ALL the whole run.",
		"Half of the calls took at most P50, 99 of 100 at most P99; MOST IN is the phase",
		"that took most of the time.  Devices: IOAS and HWPT are ids, HUGE is the share",
		"of pinned memory in whole 2 MiB, REPL counts replacements of the translation",
		"of the group.  Identical failures and replacements share one line, with their",
		"number and the time of the last one.",
		"",
		"any key goes back",
	};
	int i;

	for (i = 0; i < LINES - HEAD_LINES - 1; i++)
		screen_text(HEAD_LINES + 1 + i, 0, COLS,
			    i < (int)(sizeof(lines) / sizeof(lines[0])) ? lines[i] : "");
}

static void draw(const struct top *top)
{
	int shares[NR_PANELS], line = HEAD_LINES;
	unsigned int i;
	char text[64];

	erase();
	if (COLS < SCREEN_MIN_COLUMNS || LINES < SCREEN_MIN_LINES) {
		snprintf(text, sizeof(text), "too small: %dx%d, needs %dx%d", COLS, LINES,
			 SCREEN_MIN_COLUMNS, SCREEN_MIN_LINES);
		screen_text(0, 0, COLS, text);
		refresh();
		return;
	}
	draw_head(top);
	if (view.help) {
		draw_help();
	} else {
		share_lines(LINES - HEAD_LINES - FOOT_LINES, shares);
		for (i = 0; i < NR_PANELS; i++) {
			top_panel_draw(panels[i], line, shares[i], i == view.focus);
			line += shares[i];
		}
		draw_foot(top);
	}
	refresh();
}

/* Keys */

static void refilter(void)
{
	unsigned int i;

	for (i = 0; i < NR_PANELS; i++)
		top_panel_arrange(panels[i], view.filter);
}

static void type_filter(int key)
{
	size_t length = strlen(view.filter);

	if (key == '\r' || key == '\n' || key == KEY_ENTER) {
		view.typing = false;
	} else if (key == 27) {
		view.typing = false;
		view.filter[0] = '\0';
	} else if (key == KEY_BACKSPACE || key == 127 || key == '\b') {
		if (length)
			view.filter[length - 1] = '\0';
	} else if (key < 256 && isprint(key) && length < sizeof(view.filter) - 1) {
		view.filter[length] = key;
		view.filter[length + 1] = '\0';
	}
	refilter();
}

static void change_interval(struct top *top, bool longer)
{
	uint64_t interval = longer ? top->interval_ns * 2 : top->interval_ns / 2;

	if (interval >= SHORTEST_INTERVAL_NS && interval <= LONGEST_INTERVAL_NS)
		top->interval_ns = interval;
}

/* Handle a key that moves the view.  Return whether it is one. */
static bool moves(struct top_panel *panel, int key)
{
	switch (key) {
	case '\t':
		view.focus = (view.focus + 1) % NR_PANELS;
		return true;
	case KEY_BTAB:
		view.focus = (view.focus + NR_PANELS - 1) % NR_PANELS;
		return true;
	case '1':
	case '2':
	case '3':
		view.focus = key - '1';
		return true;
	case KEY_UP:
	case 'k':
		top_panel_scroll(panel, -1);
		return true;
	case KEY_DOWN:
	case 'j':
		top_panel_scroll(panel, 1);
		return true;
	case KEY_PPAGE:
		top_panel_scroll(panel, -(LINES / 2));
		return true;
	case KEY_NPAGE:
		top_panel_scroll(panel, LINES / 2);
		return true;
	case KEY_HOME:
		panel->scroll = 0;
		return true;
	}
	return false;
}

/* Handle a key that selects or sorts rows.  Return whether it is one. */
static bool arranges(struct top *top, struct top_panel *panel, int key)
{
	switch (key) {
	case 's':
		top_panel_sort_next(panel);
		break;
	case 'r':
		panel->reversed = !panel->reversed;
		break;
	case 27:
		view.filter[0] = '\0';
		break;
	case 't':
		top->seen.total = !top->seen.total;
		top_operations_fill(&top->seen);
		break;
	default:
		return false;
	}
	refilter();
	return true;
}

/* Return whether the run continues. */
static bool on_key(struct top *top, int key)
{
	struct top_panel *panel = panels[view.focus];

	if (key == KEY_RESIZE) {
		memset(view.lines, 0, sizeof(view.lines));
		return true;
	}
	if (view.typing) {
		type_filter(key);
		return true;
	}
	if (view.help) {
		view.help = false;
		return key != 'q';
	}
	if (moves(panel, key) || arranges(top, panel, key))
		return true;
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case 'h':
	case '?':
	case KEY_F(1):
		view.help = true;
		break;
	case ' ':
	case 'p':
		view.paused = !view.paused;
		break;
	case 'z':
	case '\r':
	case '\n':
		view.whole = !view.whole;
		break;
	case '/':
		view.typing = true;
		break;
	case '+':
		change_interval(top, false);
		break;
	case '-':
		change_interval(top, true);
		break;
	case 12:
		clearok(curscr, TRUE);
		break;
	}
	return true;
}

/* Handle all keys that have been pressed.  Return whether the run continues. */
static bool take_keys(struct top *top)
{
	bool goes_on = true, any = false;
	int key;

	while (goes_on && (key = screen_key()) >= 0) {
		goes_on = on_key(top, key);
		any = true;
	}
	return goes_on && (any || !screen_is_gone());
}

/* Look and draw until the run ends.  Return 0, or -1 after a message. */
static int watch(struct top *top, struct run *run, uint64_t count)
{
	uint64_t next = now_ns(), interval;

	do {
		if (!take_keys(top))
			return 0;
		if (now_ns() >= next) {
			/* the counters must be read regularly, even while paused */
			interval = view.paused ? LATENCY_READ_EVERY_NS : top->interval_ns;
			if ((!view.paused || now_ns() - top->last_ns >= interval) && look(top))
				return -1;
			next = now_ns() + top->interval_ns;
		}
		draw(top);
		if (count && top->looks >= count)
			return 0;
	} while (run_wait(run, STDIN_FILENO, next));
	return 0;
}

/* Load all BPF programs.  Return 0, or -1 after a message. */
static int load(struct top *top, const struct options *options)
{
	const struct latency_settings counted = {
		.filter = &options->filter,
		.by = SCOPE_BY_NONE,
		.limit = 1,
		.wanted = ~0ULL,
	};
	const struct operations_settings sent = {
		.filter = &options->filter,
		.wanted = ~0ULL,
		.errors_only = true,
		.always = TOP_ALWAYS,
		.room_bytes = EVENTS_ROOM,
	};

	if (latency_open(&top->seen.latency, &counted) ||
	    operations_open(&top->operations, &sent, on_operation, &top->seen))
		return -1;
	top->state = state_open();
	return top->state ? 0 : -1;
}

/* Observe modules that were loaded later. */
static int extend(void *context)
{
	struct top *top = context;
	int err = latency_extend(&top->seen.latency);

	return operations_extend(&top->operations) ? -1 : err;
}

static void unload(struct top *top)
{
	unsigned int i;

	for (i = 0; i < NR_PANELS; i++)
		top_panel_free(panels[i]);
	state_free(&top->seen.state);
	state_close(top->state);
	operations_close(&top->operations);
	latency_close(&top->seen.latency);
}

static int top_main(const struct options *options)
{
	struct run run;
	int status = EXIT_FAILED;
	struct top *top;

	top = calloc(1, sizeof(*top));
	if (!top)
		out_of_memory();
	top->seen.filter = &options->filter;
	top->interval_ns = options->interval_ns ? options->interval_ns : DEFAULT_INTERVAL_NS;
	/* report a problem with the terminal before anything slow */
	if (screen_check() || session_check() || load(top, options))
		goto out_unload;
	if (run_begin(&run, options) || latency_attach(&top->seen.latency) ||
	    operations_attach(&top->operations))
		goto out_unload;
	run_follow(&run, extend, top);
	top->start_ns = now_ns();
	top->last_ns = top->start_ns;
	if (screen_begin() || run_start(&run))
		goto out_unload;
	status = watch(top, &run, options->count) ? EXIT_FAILED : 0;
	screen_end();
	latency_detach(&top->seen.latency);
	operations_detach(&top->operations);
	if (run_finish(&run))
		status = EXIT_FAILED;
out_unload:
	unload(top);
	free(top);
	return status;
}

static const struct command_example examples[] = {
	{ "top", "everything on one screen" },
	{ "top -i 500ms -d 0000:03:00.0", "one device, twice a second" },
	{},
};

const struct command command_top = {
	.name = "top",
	.summary = "Watch operations, devices, failures and replacements live",
	.description =
		"Shows three panels on a full screen: operations with their rate, tail latency and the "
		"phase that takes most of their time; devices with their process, address space "
		"and what is mapped and pinned for them; the last failures and replacements, each "
		"explained.\n\n"
		"Keys: q quits, h shows help, Tab chooses a panel and z gives it the whole screen, "
		"arrows scroll, s sorts by the next column, r reverses the order, / filters, Space "
		"pauses, t shows totals, + and - change the interval.\n\n"
		"It needs a terminal of at least 60x12 and restores it at the end.  The interval "
		"is 2 seconds unless -i sets it; -n stops after N intervals.",
	.examples = examples,
	.common = OPTION_FILTERS | OPTION_INTERVAL | OPTION_COUNT | OPTION_DURATION | OPTION_READY,
	.run = top_main,
};
