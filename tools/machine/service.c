// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "machine/service.h"
#include "text/output.h"

/* Passed sockets start after the standard streams. */
#define FIRST_SOCKET 3

int service_sockets(int *sockets, size_t max)
{
	const char *pid = getenv("LISTEN_PID"), *number = getenv("LISTEN_FDS");
	int nr = 0, i, fd, listens;
	socklen_t size;

	if (pid && number && atol(pid) == getpid())
		nr = atoi(number);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (nr < 0 || (size_t)nr > max) {
		complain("systemd passed %d sockets: at most %zu are accepted", nr, max);
		return -1;
	}
	for (i = 0; i < nr; i++) {
		fd = FIRST_SOCKET + i;
		size = sizeof(listens);
		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) || !listens) {
			complain("systemd passed a socket that does not listen: is Accept=no in its "
				 "unit?");
			return -1;
		}
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		sockets[i] = fd;
	}
	return nr;
}

void service_notify(const char *state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	socklen_t length;
	int fd;

	if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	length = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	/* an abstract name starts with a zero byte */
	if (*path == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* it does not matter whether the manager listens */
	sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address,
	       length);
	close(fd);
}
