// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a run begins and ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lifetime.h"
#include "options.h"
#include "output.h"

/* How long a command may take to end after SIGTERM. */
#define COMMAND_END_NS 2000000000ULL

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t wall_now_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t wall_offset_ns(void)
{
	return (int64_t)(wall_now_ns() - now_ns());
}

int lifetime_begin(struct lifetime *lifetime, const struct options *options)
{
	sigset_t set;

	memset(lifetime, 0, sizeof(*lifetime));
	lifetime->options = options;
	lifetime->process_fd = -1;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &lifetime->signals);
	lifetime->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (lifetime->signal_fd < 0) {
		complain("signalfd: %s", strerror(errno));
		return -1;
	}
	if (options->pid) {
		lifetime->process_fd = syscall(SYS_pidfd_open, options->pid, 0);
		if (lifetime->process_fd < 0) {
			complain("no such process: %d", options->pid);
			return -1;
		}
	}
	return 0;
}

/* Start the command; a pipe that closes with exec tells whether that worked. */
static int start_command(struct lifetime *lifetime)
{
	char **argv = lifetime->options->argv;
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
		sigprocmask(SIG_SETMASK, &lifetime->signals, NULL);
		execvp(argv[0], argv);
		error = errno;
		if (write(pipe_fd[1], &error, sizeof(error)) < 0)
			_exit(126);
		_exit(127);
	}
	lifetime->command = pid;
	close(pipe_fd[1]);
	do {
		length = read(pipe_fd[0], &error, sizeof(error));
	} while (length < 0 && errno == EINTR);
	close(pipe_fd[0]);
	if (length > 0) {
		complain("cannot run %s: %s", argv[0], strerror(error));
		waitpid(pid, NULL, 0);
		lifetime->command = 0;
		return -1;
	}
	return 0;
}

int lifetime_start(struct lifetime *lifetime)
{
	const struct options *options = lifetime->options;
	int fd;

	if (options->duration_ns)
		lifetime->end_ns = now_ns() + options->duration_ns;
	if (options->ready_file) {
		fd = open(options->ready_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (fd < 0) {
			complain("cannot make %s: %s", options->ready_file, strerror(errno));
			return -1;
		}
		close(fd);
	}
	return options->argv ? start_command(lifetime) : 0;
}

static void reap(struct lifetime *lifetime)
{
	if (lifetime->command &&
	    waitpid(lifetime->command, &lifetime->status, WNOHANG) == lifetime->command) {
		lifetime->command = 0;
		lifetime->end = LIFETIME_COMMAND;
	}
}

static void read_signals(struct lifetime *lifetime)
{
	struct signalfd_siginfo info;

	while (read(lifetime->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(lifetime);
		else if (!lifetime->end)
			lifetime->end = LIFETIME_SIGNAL;
	}
}

bool lifetime_wait(struct lifetime *lifetime, int fd, uint64_t until_ns)
{
	/* no event is asked of standard output: an error comes unasked as its reader goes */
	struct pollfd fds[] = {
		{ .fd = lifetime->signal_fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
		{ .fd = lifetime->process_fd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};
	struct timespec timeout;
	uint64_t now = now_ns();

	if (lifetime->end)
		return false;
	if (lifetime->end_ns && lifetime->end_ns < until_ns)
		until_ns = lifetime->end_ns;
	until_ns = until_ns > now ? until_ns - now : 0;
	timeout.tv_sec = until_ns / 1000000000;
	timeout.tv_nsec = until_ns % 1000000000;
	if (ppoll(fds, sizeof(fds) / sizeof(fds[0]), &timeout, NULL) < 0 && errno != EINTR) {
		complain("poll: %s", strerror(errno));
		exit(EXIT_FAILED);
	}
	if (fds[0].revents)
		read_signals(lifetime);
	if (lifetime->end)
		return false;
	if (fds[1].revents & POLLERR)
		lifetime->end = LIFETIME_READER;
	else if (fds[2].revents)
		lifetime->end = LIFETIME_PROCESS;
	else if (lifetime->end_ns && now_ns() >= lifetime->end_ns)
		lifetime->end = LIFETIME_DURATION;
	return !lifetime->end;
}

static void end_command(struct lifetime *lifetime)
{
	struct pollfd fd = { .fd = lifetime->signal_fd, .events = POLLIN };
	uint64_t until = now_ns() + COMMAND_END_NS, now;

	kill(lifetime->command, SIGTERM);
	for (;;) {
		read_signals(lifetime);
		now = now_ns();
		if (!lifetime->command || now >= until)
			break;
		poll(&fd, 1, (until - now) / 1000000 + 1);
	}
	if (lifetime->command) {
		kill(lifetime->command, SIGKILL);
		waitpid(lifetime->command, &lifetime->status, 0);
		lifetime->command = 0;
	}
}

int lifetime_finish(struct lifetime *lifetime)
{
	enum lifetime_end end = lifetime->end;
	int status = 0;

	if (lifetime->command)
		end_command(lifetime);
	if (end == LIFETIME_PROCESS) {
		complain("process %d has ended", lifetime->options->pid);
		status = EXIT_FAILED;
	}
	if (end == LIFETIME_COMMAND && lifetime->status) {
		if (WIFSIGNALED(lifetime->status))
			complain("%s was ended by signal %d (%s)", lifetime->options->argv[0],
				 WTERMSIG(lifetime->status), strsignal(WTERMSIG(lifetime->status)));
		else
			complain("%s ended with status %d", lifetime->options->argv[0],
				 WEXITSTATUS(lifetime->status));
		status = EXIT_FAILED;
	}
	close(lifetime->signal_fd);
	if (lifetime->process_fd >= 0)
		close(lifetime->process_fd);
	return status;
}
