// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands/options.h"
#include "commands/run.h"
#include "observe/session.h"
#include "text/clock.h"
#include "text/difference.h"
#include "text/exit_status.h"
#include "text/output.h"

/* How long a command may take to end, by itself or after SIGTERM, before the next step. */
#define COMMAND_END_NS 2000000000ULL
/* How often to look for modules. */
#define MODULES_LOOK_EVERY_NS 1000000000ULL
/* poll() takes milliseconds, as an int. */
#define POLL_MOST_NS (INT_MAX * 1000000ULL)

int run_begin(struct run *run, const struct options *options)
{
	sigset_t set;

	memset(run, 0, sizeof(*run));
	run->options = options;
	run->process_fd = -1;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &run->signals);
	run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signal_fd < 0) {
		complain("signalfd: %s", strerror(errno));
		return -1;
	}
	if (options->filter.pid) {
		run->process_fd = syscall(SYS_pidfd_open, options->filter.pid, 0);
		if (run->process_fd < 0) {
			complain("no such process: %d", options->filter.pid);
			return -1;
		}
	}
	return 0;
}

/* Start the command.  A pipe that closes on exec shows whether exec worked. */
static int start_command(struct run *run)
{
	char **argv = run->options->argv;
	int pipe_fd[2], error = 0;
	ssize_t length;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC)) {
		complain("pipe: %s", strerror(errno));
		return -1;
	}
	flush_output();
	pid = fork();
	if (pid < 0) {
		complain("fork: %s", strerror(errno));
		close(pipe_fd[0]);
		close(pipe_fd[1]);
		return -1;
	}
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		sigprocmask(SIG_SETMASK, &run->signals, NULL);
		execvp(argv[0], argv);
		error = errno;
		if (write(pipe_fd[1], &error, sizeof(error)) < 0)
			_exit(126);
		_exit(127);
	}
	run->command = pid;
	close(pipe_fd[1]);
	do {
		length = read(pipe_fd[0], &error, sizeof(error));
	} while (length < 0 && errno == EINTR);
	close(pipe_fd[0]);
	if (length > 0) {
		complain("cannot run %s: %s", argv[0], strerror(error));
		waitpid(pid, NULL, 0);
		run->command = 0;
		return -1;
	}
	return 0;
}

int run_start(struct run *run)
{
	const struct options *options = run->options;
	int fd;

	session_started();
	if (options->duration_ns)
		run->end_ns = now_ns() + options->duration_ns;
	if (options->ready_file) {
		fd = open(options->ready_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (fd < 0) {
			complain("cannot create %s: %s", options->ready_file, strerror(errno));
			return -1;
		}
		close(fd);
	}
	return options->argv ? start_command(run) : 0;
}

static void reap(struct run *run)
{
	if (run->command && waitpid(run->command, &run->status, WNOHANG) == run->command) {
		run->command = 0;
		if (!run->end)
			run->end = RUN_COMMAND;
	}
}

/*
 * Pass a signal that a process sent on to the command.  Signals from the terminal have reached the
 * command already.
 */
static void pass_on(const struct run *run, const struct signalfd_siginfo *info)
{
	if (run->command && info->ssi_code != SI_KERNEL)
		kill(run->command, info->ssi_signo);
}

/* Return whether a signal arrived that ends a run. */
static bool read_signals(struct run *run)
{
	struct signalfd_siginfo info;
	bool ends = false;

	while (read(run->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			reap(run);
			continue;
		}
		pass_on(run, &info);
		ends = true;
	}
	return ends;
}

void run_follow(struct run *run, int (*extend)(void *observation), void *observation)
{
	run->extend = extend;
	run->observation = observation;
}

/* Look for modules, when it is time.  Return the time of the next look. */
static uint64_t look_for_modules(struct run *run)
{
	if (!run->extend)
		return UINT64_MAX;
	if (now_ns() < run->look_ns)
		return run->look_ns;
	session_follow(run->extend, run->observation);
	run->look_ns = now_ns() + MODULES_LOOK_EVERY_NS;
	return run->look_ns;
}

/* Wait until an event arrives, or @until_ns. */
static void wait_for_events(struct run *run, struct pollfd *fds, nfds_t nr, uint64_t until_ns)
{
	struct timespec timeout;
	uint64_t look, left;
	int events;

	do {
		look = look_for_modules(run);
		left = difference(look < until_ns ? look : until_ns, now_ns());
		timeout.tv_sec = left / 1000000000;
		timeout.tv_nsec = left % 1000000000;
		events = ppoll(fds, nr, &timeout, NULL);
		if (events < 0 && errno != EINTR) {
			complain("poll: %s", strerror(errno));
			exit(EXIT_FAILED);
		}
	} while (!events && now_ns() < until_ns);
}

bool run_wait(struct run *run, int fd, uint64_t until_ns)
{
	/* stdout: no events requested; POLLERR is always reported when the reader goes away */
	struct pollfd fds[] = {
		{ .fd = run->signal_fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
		{ .fd = run->process_fd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};

	if (run->end)
		return false;
	if (run->end_ns && run->end_ns < until_ns)
		until_ns = run->end_ns;
	wait_for_events(run, fds, sizeof(fds) / sizeof(fds[0]), until_ns);
	if (fds[0].revents && read_signals(run) && !run->end)
		run->end = RUN_SIGNAL;
	if (run->end)
		return false;
	if (fds[1].revents & POLLERR)
		run->end = RUN_READER;
	else if (fds[2].revents)
		run->end = RUN_PROCESS;
	else if (run->end_ns && now_ns() >= run->end_ns)
		run->end = RUN_DURATION;
	return !run->end;
}

/*
 * Wait until the command has ended, a signal arrives that ends a run, or @ns have passed.
 * Return whether the time has passed.
 */
static bool await_command(struct run *run, uint64_t ns)
{
	struct pollfd fd = { .fd = run->signal_fd, .events = POLLIN };
	uint64_t until = now_ns() + ns, now;

	while (run->command) {
		now = now_ns();
		if (now >= until)
			return true;
		/* an event ends the wait, so a coarse timeout is enough */
		poll(&fd, 1, until - now < POLL_MOST_NS ? (int)((until - now) / 1000000 + 1) : -1);
		if (read_signals(run))
			return false;
	}
	return false;
}

static void kill_command(struct run *run)
{
	kill(run->command, SIGTERM);
	await_command(run, COMMAND_END_NS);
	if (run->command) {
		kill(run->command, SIGKILL);
		waitpid(run->command, &run->status, 0);
		run->command = 0;
	}
}

/* The command belongs to the user: it continues after the observation, and we wait for it. */
static void leave_command(struct run *run)
{
	flush_output();
	if (!await_command(run, COMMAND_END_NS))
		return;
	complain("%s [%d] still runs: waiting for it to end; Ctrl-C ends both, and --kill would have ended it",
		 run->options->argv[0], run->command);
	await_command(run, UINT64_MAX / 2);
}

int run_finish(struct run *run)
{
	enum run_end end = run->end;
	int status = 0;

	if (run->command && run->options->kill)
		kill_command(run);
	else if (run->command)
		leave_command(run);
	if (end == RUN_PROCESS) {
		complain("process %d has ended", run->options->filter.pid);
		status = EXIT_FAILED;
	}
	if (end != RUN_SIGNAL && !run->options->kill && run->status) {
		if (WIFSIGNALED(run->status))
			complain("%s was ended by signal %d (%s)", run->options->argv[0],
				 WTERMSIG(run->status), strsignal(WTERMSIG(run->status)));
		else
			complain("%s ended with status %d", run->options->argv[0],
				 WEXITSTATUS(run->status));
		status = EXIT_FAILED;
	}
	close(run->signal_fd);
	if (run->process_fd >= 0)
		close(run->process_fd);
	return status;
}
