// SPDX-License-Identifier: GPL-2.0-only
/*
 * A struct request is the question.  The answer is a struct answer with each descriptor, and a last
 * one without.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine/privilege.h"
#include "machine/sysfs.h"
#include "probe/btf_objects.h"
#include "probe/hooks.h"
#include "probe/opener.h"
#include "text/output.h"

enum what {
	OPEN_BTF,
	OPEN_KPROBE,
};

/**
 * struct request - what is wanted
 * @what: enum what
 * @at_return: for a kprobe, as for opener_kprobe()
 * @symbol: for a kprobe
 */
struct request {
	int32_t what;
	int32_t at_return;
	char symbol[64];
};

/**
 * struct answer - what comes with a descriptor
 * @last: there is no descriptor, and none follows
 * @err: with @last: 0, or the negative errno that ended the search
 */
struct answer {
	int32_t last;
	int32_t err;
};

/* Our end of the socket. */
static int requests = -1;

static int send_answer(int socket, const struct answer *answer, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec bytes = { (void *)answer, sizeof(*answer) };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Send what is wanted. */
static int send_btf(void *socket, int fd, const char *name, uint32_t size)
{
	const struct answer answer = {};
	const char *const *wanted = source_modules();

	(void)size;
	while (*wanted && strcmp(name, *wanted))
		wanted++;
	return *wanted || !strcmp(name, "vmlinux") ? send_answer(*(int *)socket, &answer, fd) : 0;
}

/* "vfio_sync_unpin.isra.0": is it a function of the table of hooks? */
static bool is_hook(const char *symbol)
{
	size_t length = strcspn(symbol, "."), i, name;
	const struct hook *hook;

	for (i = 0; (hook = hook_at(i)); i++)
		for (name = 0; name < HOOK_NAMES && hook->names[name]; name++)
			if (strlen(hook->names[name]) == length &&
			    !strncmp(hook->names[name], symbol, length))
				return true;
	return false;
}

/* Return the number in a file, after @prefix, or -1. */
static int number_in(const char *path, const char *prefix)
{
	char line[32];
	int number;

	if (!sysfs_line(line, sizeof(line), "%s", path) || strncmp(line, prefix, strlen(prefix)) ||
	    sscanf(line + strlen(prefix), "%d", &number) != 1)
		return -1;
	return number;
}

/* Return a descriptor, or a negative errno. */
static int open_kprobe(const struct request *request)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	int type = number_in("/sys/bus/event_source/devices/kprobe/type", "");
	int bit = number_in("/sys/bus/event_source/devices/kprobe/format/retprobe", "config:");
	int fd;

	if (type < 0 || bit < 0)
		return -EOPNOTSUPP;
	if (!is_hook(request->symbol))
		return -EPERM;
	attr.type = type;
	attr.config = request->at_return ? 1ULL << bit : 0;
	attr.kprobe_func = (uintptr_t)request->symbol;
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int send_kprobe(int socket, const struct request *request)
{
	const struct answer answer = {};
	int fd = open_kprobe(request), err;

	if (fd < 0)
		return fd;
	err = send_answer(socket, &answer, fd);
	close(fd);
	return err;
}

/* Answer requests until the other process ends. */
static void serve(int socket)
{
	struct answer end = { .last = 1 };
	struct request request;

	while (recv(socket, &request, sizeof(request), 0) == sizeof(request)) {
		request.symbol[sizeof(request.symbol) - 1] = '\0';
		end.err = request.what == OPEN_BTF ? btf_objects_each(send_btf, &socket) :
						     send_kprobe(socket, &request);
		if (send_answer(socket, &end, -1))
			return;
	}
}

/* Close all descriptors but standard error, which privilege_keep() reports to, and one. */
static void close_others(int socket)
{
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	if (socket > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, socket - 1, 0);
	close_range(socket + 1, ~0U, 0);
}

int opener_start(void)
{
	int sockets[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets)) {
		complain("socketpair: %s", strerror(errno));
		return -1;
	}
	flush_output();
	pid = fork();
	if (pid < 0) {
		complain("fork: %s", strerror(errno));
		close(sockets[0]);
		close(sockets[1]);
		return -1;
	}
	if (!pid) {
		prctl(PR_SET_NAME, "iommuscope-open");
		close_others(sockets[1]);
		if (!privilege_keep(1ULL << SCOPE_CAP_SYS_ADMIN))
			serve(sockets[1]);
		_exit(0);
	}
	close(sockets[1]);
	requests = sockets[0];
	return 0;
}

bool opener_runs(void)
{
	return requests >= 0;
}

/* Receive an answer.  Return 0 with the descriptor in @fd, or -1 there; or a negative errno. */
static int receive(struct answer *answer, int *fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec bytes = { answer, sizeof(*answer) };
	struct msghdr message = { .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t length;

	*fd = -1;
	do
		length = recvmsg(requests, &message, MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	if (message.msg_controllen && control.header.cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(&control.header), sizeof(*fd));
	/* the process has ended */
	return length == sizeof(*answer) ? 0 : -ESRCH;
}

/* Ask, and handle each descriptor.  Return 0 or a negative errno. */
static int ask(const struct request *request, int (*each)(void *context, int fd), void *context)
{
	struct answer answer = {};
	int fd, err, failed = 0;

	if (send(requests, request, sizeof(*request), MSG_NOSIGNAL) != sizeof(*request))
		return errno == EPIPE ? -ESRCH : -errno;
	do {
		err = receive(&answer, &fd);
		if (err)
			return err;
		/* read the answer to its end, also after a failure */
		if (fd >= 0 && !failed)
			failed = each(context, fd);
		else if (fd >= 0)
			close(fd);
	} while (!answer.last);
	return failed ? failed : answer.err;
}

int opener_each_btf(int (*each)(void *context, int fd), void *context)
{
	const struct request request = { .what = OPEN_BTF };

	return ask(&request, each, context);
}

static int keep(void *context, int fd)
{
	*(int *)context = fd;
	return 0;
}

int opener_kprobe(const char *symbol, bool at_return)
{
	struct request request = { .what = OPEN_KPROBE, .at_return = at_return };
	int fd = -1, err;

	snprintf(request.symbol, sizeof(request.symbol), "%s", symbol);
	err = ask(&request, keep, &fd);
	return err ? err : fd;
}
