/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The start and the end of a run.
 *
 * A command sets up its observation between run_begin() and run_start(); from run_start() on it
 * misses nothing.  Then it waits in run_wait() until the run ends: by a signal, after its duration,
 * with the command it runs, with the process it observes, or when the reader of its output goes
 * away.  Signals arrive through a descriptor, so no call is interrupted.
 *
 * The command belongs to the user, so the end of the run does not end it.  A signal from another
 * process is passed on to it; Ctrl-C reaches it directly from the terminal.
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
 * @options: the user's options
 * @signals: signal mask to restore in the command
 * @signal_fd: SIGINT, SIGTERM, SIGHUP, SIGCHLD
 * @process_fd: pidfd of the observed process, or -1
 * @command: process id of the command, 0 if there is none or it has ended
 * @status: how the command ended, as waitpid() reports it
 * @end_ns: CLOCK_MONOTONIC when the run ends, 0 for no limit
 * @end: why the run has ended
 * @extend: called after modules have come or gone, or NULL
 * @observation: its argument
 * @look_ns: CLOCK_MONOTONIC of the next look for modules
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
	int (*extend)(void *observation);
	void *observation;
	uint64_t look_ns;
};

/**
 * run_begin() - take over the signals
 * @run: the run
 * @options: the options
 *
 * Return: 0, or -1 after a message.
 */
int run_begin(struct run *run, const struct options *options);

/**
 * run_start() - tracing is active: create the ready file and start the command
 * @run: the run
 *
 * Return: 0, or -1 after a message.
 */
int run_start(struct run *run);

/**
 * run_follow() - observe modules that are loaded while the run waits
 * @run: the run
 * @extend: as for session_follow()
 * @observation: its argument
 *
 * What cannot be loaded has been reported; the run goes on without it.
 */
void run_follow(struct run *run, int (*extend)(void *observation), void *observation);

/**
 * run_wait() - wait for input, a time, or the end of the run
 * @run: the run
 * @fd: a descriptor that becomes readable, or -1
 * @until_ns: CLOCK_MONOTONIC at which to return at the latest
 *
 * Return: whether the run continues.
 */
bool run_wait(struct run *run, int fd, uint64_t until_ns);

/**
 * run_finish() - end a run
 * @run: the run
 *
 * Waits for a command that still runs, or ends it if the user asked for that (--kill).  A signal
 * ends the wait.
 *
 * Call it after the last output.
 *
 * Return: the exit status of the program.
 */
int run_finish(struct run *run);

#endif
