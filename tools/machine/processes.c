// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/pid_namespace.h"
#include "machine/processes.h"
#include "text/name.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

void process_name(pid_t pid, char *name, size_t size)
{
	char path[32];
	ssize_t length = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		length = read(fd, name, size - 1);
		close(fd);
	}
	if (length <= 0) {
		snprintf(name, size, "?");
		return;
	}
	name[length] = '\0';
	if (name[length - 1] == '\n')
		name[length - 1] = '\0';
	name_clean(name, size);
}

bool process_exists(pid_t pid)
{
	/* negative numbers are process groups */
	return pid_is_outside(pid) || !kill(pid, 0) || errno != ESRCH;
}

uint64_t cgroup_id_of(const char *path)
{
	char full[4096];
	struct stat st;

	if (!strncmp(path, CGROUP_ROOT, strlen(CGROUP_ROOT)))
		snprintf(full, sizeof(full), "%s/cgroup.procs", path);
	else
		snprintf(full, sizeof(full), CGROUP_ROOT "/%s/cgroup.procs", path);
	if (stat(full, &st))
		return 0;
	*strrchr(full, '/') = '\0';
	if (stat(full, &st))
		return 0;
	return st.st_ino;
}

/* Open a cgroup by its id.  Return a descriptor, or -1 with errno. */
static int cgroup_open(uint64_t id)
{
	/* a cgroup's file handle is its id, of type FILEID_KERNFS in <linux/exportfs.h> */
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} at;
	int root, fd, error;

	memset(&at, 0, sizeof(at));
	at.handle.handle_bytes = sizeof(id);
	at.handle.handle_type = 0xfe;
	memcpy(at.room + sizeof(struct file_handle), &id, sizeof(id));
	root = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	fd = open_by_handle_at(root, &at.handle, O_PATH | O_CLOEXEC);
	error = errno;
	close(root);
	errno = error;
	return fd;
}

bool cgroup_exists(uint64_t id)
{
	int fd = cgroup_open(id);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno != ESTALE;
}

void cgroup_path(uint64_t id, char *path, size_t size)
{
	char link[32], target[4096];
	ssize_t length = -1;
	int fd = cgroup_open(id);

	if (fd >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, target, sizeof(target) - 1);
		close(fd);
	}
	if (length <= 0) {
		snprintf(path, size, "cgroup %llu", (unsigned long long)id);
		return;
	}
	target[length] = '\0';
	if (!strncmp(target, CGROUP_ROOT, strlen(CGROUP_ROOT)))
		memmove(target, target + strlen(CGROUP_ROOT), length - strlen(CGROUP_ROOT) + 1);
	name_escape(path, size, *target ? target : "/");
}
