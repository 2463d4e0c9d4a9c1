// SPDX-License-Identifier: GPL-2.0-only
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "text/output.h"
#include "top/screen.h"

/* last, because <term.h> defines macros such as "columns" */
#include <curses.h>
#include <term.h>

static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGQUIT };

/* Data of the crash handler: after a crash it can rely on nothing else. */
static struct termios modes_before;
static char leave_sequence[256];
static size_t leave_length;
static volatile sig_atomic_t taken;

static SCREEN *terminal;
static bool colours;

static void on_crash(int number)
{
	ssize_t ignored;

	if (taken) {
		taken = 0;
		ignored = write(STDOUT_FILENO, leave_sequence, leave_length);
		(void)ignored;
		tcsetattr(STDIN_FILENO, TCSANOW, &modes_before);
	}
	/* the handler was reset on entry, so this ends the program */
	raise(number);
}

/* Append a capability to the exit sequence, without the pauses that old terminals needed. */
static void append_capability(const char *name)
{
	const char *text = tigetstr(name), *end;

	if (!text || text == (char *)-1)
		return;
	while (*text && leave_length < sizeof(leave_sequence) - 1) {
		end = text[0] == '$' && text[1] == '<' ? strchr(text, '>') : NULL;
		if (end)
			text = end + 1;
		else
			leave_sequence[leave_length++] = *text++;
	}
}

static void compose_leaving(void)
{
	static const char *const capabilities[] = { "sgr0", "op", "rmkx", "cnorm", "rmcup" };
	size_t i;

	leave_length = 0;
	for (i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++)
		append_capability(capabilities[i]);
}

static void catch_crashes(void)
{
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_NODEFER };
	size_t i;

	sigemptyset(&action.sa_mask);
	for (i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &action, NULL);
}

/* We print UTF-8, and today's terminals show UTF-8, whatever the locale is. */
static void use_utf8(void)
{
	if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8"))
		setlocale(LC_CTYPE, "C.UTF-8");
}

static void set_colours(void)
{
	const char *no_color = getenv("NO_COLOR");

	colours = !(no_color && *no_color) && has_colors();
	if (!colours)
		return;
	start_color();
	use_default_colors();
	init_pair(SCREEN_HEADING, COLOR_CYAN, -1);
	init_pair(SCREEN_SELECTED, COLOR_BLACK, COLOR_CYAN);
	init_pair(SCREEN_FAILURE, COLOR_RED, -1);
	init_pair(SCREEN_CHANGE, COLOR_YELLOW, -1);
}

int screen_check(void)
{
	const char *term = getenv("TERM");
	struct winsize size;
	bool moves;
	int found;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		complain("top needs a terminal; for a pipe or a file use lat, state or ops");
		return -1;
	}
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col && size.ws_row &&
	    (size.ws_col < SCREEN_MIN_COLUMNS || size.ws_row < SCREEN_MIN_LINES)) {
		complain("this terminal is too small: %dx%d, top needs at least %dx%d", size.ws_col,
			 size.ws_row, SCREEN_MIN_COLUMNS, SCREEN_MIN_LINES);
		return -1;
	}
	if (setupterm(NULL, STDOUT_FILENO, &found) == ERR) {
		complain("this terminal is not known (TERM=%s)", term ? term : "");
		return -1;
	}
	moves = tigetstr("cup");
	/* newterm() reads the description again */
	del_curterm(cur_term);
	if (!moves) {
		complain("this terminal cannot move its cursor (TERM=%s)", term ? term : "");
		return -1;
	}
	return 0;
}

int screen_begin(void)
{
	use_utf8();
	tcgetattr(STDIN_FILENO, &modes_before);
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal) {
		complain("cannot take over the terminal");
		return -1;
	}
	compose_leaving();
	taken = 1;
	catch_crashes();
	atexit(screen_end);
	output_before_complaint(screen_end);
	set_colours();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	return 0;
}

void screen_end(void)
{
	if (!taken)
		return;
	endwin();
	taken = 0;
}

void screen_colour(enum screen_colour colour)
{
	static const attr_t plain[SCREEN_NR_COLOURS] = {
		[SCREEN_HEADING] = A_BOLD, [SCREEN_SELECTED] = A_REVERSE, [SCREEN_DIM] = A_DIM,
		[SCREEN_FAILURE] = A_BOLD, [SCREEN_CHANGE] = A_NORMAL,
	};
	static const attr_t coloured[SCREEN_NR_COLOURS] = {
		[SCREEN_HEADING] = A_BOLD,
		[SCREEN_DIM] = A_DIM,
	};
	short pair = colours && colour != SCREEN_DIM ? colour : 0;

	attr_set(colours ? coloured[colour] : plain[colour], pair, NULL);
}

void screen_text(int line, int column, int width, const char *text)
{
	const char *end = text;
	int used = 0;

	if (column >= COLS || width <= 0)
		return;
	if (width > COLS - column)
		width = COLS - column;
	/* only whole characters, one column each */
	while (*end && (used < width || (*end & 0xc0) == 0x80)) {
		used += (*end & 0xc0) != 0x80;
		end++;
	}
	mvaddnstr(line, column, text, end - text);
	if (used < width)
		printw("%*s", width - used, "");
}

int screen_key(void)
{
	int key = getch();

	return key == ERR ? -1 : key;
}

bool screen_is_gone(void)
{
	struct pollfd fd = { .fd = STDIN_FILENO };

	return poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR | POLLNVAL);
}
