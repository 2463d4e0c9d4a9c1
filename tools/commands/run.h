/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a run begins and ends.
 *
 * A command sets up what it observes between run_begin() and run_start(); from the
 * latter on it misses nothing.  Then it waits in run_wait() until the run has ended: by a
 * signal, after its duration, with the command it runs, with the process it looks at, or as its
 * reader goes away.  Signals come through a descriptor, so nothing is interrupted.
 *
 * The command is the user's: that the run ends is no reason to end it.  A signal that another process sends
 * is passed on to it; Ctrl-C reaches it by itself.
 */
#ifndef IOMMUSCOPE_COMMANDS_RUN_H
#define IOMMUSCOPE_COMMANDS_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct options;

enum run_end {
	RUN_GOES_ON,
	RUN_SIGNAL,
	RUN_DURATION,
	RUN_COMMAND,
	RUN_PROCESS,
	RUN_READER,
};

/**
 * struct run - a run
 * @options: what the user wants of it
 * @signals: signal mask to give the command back
 * @signal_fd: SIGINT, SIGTERM, SIGHUP, SIGCHLD
 * @process_fd: pidfd of the process looked at, or -1
 * @command: process id of the command, 0 if there is none or it has ended
 * @status: how the command ended, as waitpid() tells it
 * @end_ns: CLOCK_MONOTONIC at which it ends, 0 for no limit
 * @end: why it has ended
 */
struct run {
	const struct options *options;
	sigset_t signals;
	int signal_fd;
	int process_fd;
	pid_t command;
	int status;
	uint64_t end_ns;
	enum run_end end;
};

/**
 * run_begin() - take the signals over
 * @run: the run
 * @options: the options
 *
 * Return: 0, or -1 after it has said what failed.
 */
int run_begin(struct run *run, const struct options *options);

/**
 * run_start() - everything is observed: tell who waits for it, start the command
 * @run: the run
 *
 * Return: 0, or -1 after it has said what failed.
 */
int run_start(struct run *run);

/**
 * run_wait() - wait for something to do
 * @run: the run
 * @fd: a descriptor that becomes readable, or -1
 * @until_ns: CLOCK_MONOTONIC at which to return at the latest
 *
 * Return: whether the run goes on.
 */
bool run_wait(struct run *run, int fd, uint64_t until_ns);

/**
 * run_finish() - end a run
 * @run: the run
 *
 * A command that still runs is waited for, or ended if the user asked for that (--kill).  A signal ends the wait.
 *
 * Call it after the last output.
 *
 * Return: the exit status that the run deserves.
 */
int run_finish(struct run *run);

#endif
