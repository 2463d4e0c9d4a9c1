/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a run begins and ends.
 *
 * A command sets up what it observes between lifetime_begin() and lifetime_start(); from the
 * latter on it misses nothing.  Then it waits in lifetime_wait() until the run has ended: by a
 * signal, after its duration, with the command it runs, with the process it looks at, or as its
 * reader goes away.  Signals come through a descriptor, so nothing is interrupted.
 */
#ifndef IOMMUSCOPE_LIFETIME_H
#define IOMMUSCOPE_LIFETIME_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct options;

enum lifetime_end {
	LIFETIME_RUNS,
	LIFETIME_SIGNAL,
	LIFETIME_DURATION,
	LIFETIME_COMMAND,
	LIFETIME_PROCESS,
	LIFETIME_READER,
};

/**
 * struct lifetime - a run
 * @options: what the user wants of it
 * @signals: signal mask to give the command back
 * @signal_fd: SIGINT, SIGTERM, SIGHUP, SIGCHLD
 * @process_fd: pidfd of the process looked at, or -1
 * @command: process id of the command, 0 if there is none or it has ended
 * @status: how the command ended, as waitpid() tells it
 * @end_ns: CLOCK_MONOTONIC at which it ends, 0 for no limit
 * @end: why it has ended
 */
struct lifetime {
	const struct options *options;
	sigset_t signals;
	int signal_fd;
	int process_fd;
	pid_t command;
	int status;
	uint64_t end_ns;
	enum lifetime_end end;
};

/**
 * now_ns() - the time, CLOCK_MONOTONIC
 *
 * Return: nanoseconds.
 */
uint64_t now_ns(void);

/**
 * wall_now_ns() - the time of the day, CLOCK_REALTIME
 *
 * Return: nanoseconds since 1970.
 */
uint64_t wall_now_ns(void);

/**
 * wall_offset_ns() - what makes a moment of CLOCK_MONOTONIC, as the events have it, a time of the day
 *
 * Return: nanoseconds to add; it changes whenever somebody sets the clock.
 */
int64_t wall_offset_ns(void);

/**
 * lifetime_begin() - take the signals over
 * @lifetime: the run
 * @options: the options
 *
 * Return: 0, or -1 after it has said what failed.
 */
int lifetime_begin(struct lifetime *lifetime, const struct options *options);

/**
 * lifetime_start() - everything is observed: tell who waits for it, start the command
 * @lifetime: the run
 *
 * Return: 0, or -1 after it has said what failed.
 */
int lifetime_start(struct lifetime *lifetime);

/**
 * lifetime_wait() - wait for something to do
 * @lifetime: the run
 * @fd: a descriptor that becomes readable, or -1
 * @until_ns: CLOCK_MONOTONIC at which to return at the latest
 *
 * Return: whether the run goes on.
 */
bool lifetime_wait(struct lifetime *lifetime, int fd, uint64_t until_ns);

/**
 * lifetime_finish() - end a run
 * @lifetime: the run; ends the command if it still runs
 *
 * Call it after the last output.
 *
 * Return: the exit status that the run deserves.
 */
int lifetime_finish(struct lifetime *lifetime);

#endif
