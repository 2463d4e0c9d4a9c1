// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names for numbers.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lists.h"
#include "names.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

static const struct {
	const char *subsystem;
	const char *name;
} operations[SCOPE_NR_OPERATIONS] = {
#define NAME(operation) [SCOPE_OPERATION_iommufd_##operation] = { "iommufd", #operation },
	IOMMUFD_MEMORY_OPERATIONS(NAME)
	IOMMUFD_TRANSLATION_OPERATIONS(NAME)
	IOMMUFD_OBJECT_OPERATIONS(NAME)
#undef NAME
};

const char *operation_name(unsigned int operation)
{
	return operation < SCOPE_NR_OPERATIONS ? operations[operation].name : "unknown";
}

const char *operation_subsystem(unsigned int operation)
{
	return operation < SCOPE_NR_OPERATIONS ? operations[operation].subsystem : "unknown";
}

int operation_find(const char *name)
{
	size_t length;
	int i;

	for (i = 0; i < SCOPE_NR_OPERATIONS; i++) {
		if (!strcmp(name, operations[i].name))
			return i;
		length = strlen(operations[i].subsystem);
		if (!strncmp(name, operations[i].subsystem, length) && name[length] == '_' &&
		    !strcmp(name + length + 1, operations[i].name))
			return i;
	}
	return -1;
}

const char *phase_name(unsigned int phase)
{
	static const char *const names[] = {
#define NAME(name, text) #name,
		IOMMUFD_PHASES(NAME)
#undef NAME
	};

	return phase < SCOPE_NR_PHASES ? names[phase] : "other";
}

static const struct {
	const char *name;
	const char *a;
	const char *b;
	const char *text;
} reasons[SCOPE_NR_REASONS] = {
#define REASON(name, a, b, text) { #name, a, b, text },
	IOMMUFD_REASONS(REASON)
#undef REASON
};

const char *reason_name(unsigned int reason)
{
	return reason < SCOPE_NR_REASONS ? reasons[reason].name : "unknown";
}

const char *reason_text(unsigned int reason)
{
	return reason < SCOPE_NR_REASONS ? reasons[reason].text :
					   "a reason that this version does not know";
}

const char *reason_number(unsigned int reason, bool second)
{
	const char *meaning;

	if (reason >= SCOPE_NR_REASONS)
		return second ? "second number" : "first number";
	meaning = second ? reasons[reason].b : reasons[reason].a;
	return strcmp(meaning, "0") ? meaning : NULL;
}

const char *object_type_name(unsigned int type)
{
	static const char *const names[] = { "object", "device", "hwpt", "ioas", "access", "test" };

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "object";
}

const char *error_name(int error)
{
	/* ENOTSUPP, which drivers return and libc does not know */
	const char *name = abs(error) == 524 ? "ENOTSUPP" : strerrorname_np(abs(error));

	return name ? name : "error";
}

static bool device_exists(const char *name)
{
	char pattern[DEVICE_NAME_SIZE + 32];
	glob_t found;
	bool exists;

	snprintf(pattern, sizeof(pattern), "/sys/bus/*/devices/%s", name);
	exists = !glob(pattern, GLOB_NOSORT, NULL, &found);
	if (exists)
		globfree(&found);
	return exists;
}

bool find_device(const char *wanted, char name[DEVICE_NAME_SIZE])
{
	const char *p;

	/* a name, not a path nor a pattern */
	for (p = wanted; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(":.-_", *p))
			return false;
	if (p == wanted || p - wanted >= DEVICE_NAME_SIZE - 5 || *wanted == '.')
		return false;
	snprintf(name, DEVICE_NAME_SIZE, "%s", wanted);
	if (device_exists(name))
		return true;
	snprintf(name, DEVICE_NAME_SIZE, "0000:%s", wanted);
	return device_exists(name);
}

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

void cgroup_path(uint64_t id, char *path, size_t size)
{
	/* a cgroup's file handle is its id: <linux/exportfs.h> calls the type FILEID_KERNFS */
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} at;
	char link[32], target[4096];
	ssize_t length = -1;
	int root, fd = -1;

	memset(&at, 0, sizeof(at));
	at.handle.handle_bytes = sizeof(id);
	at.handle.handle_type = 0xfe;
	memcpy(at.room + sizeof(struct file_handle), &id, sizeof(id));
	root = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0) {
		fd = open_by_handle_at(root, &at.handle, O_PATH | O_CLOEXEC);
		close(root);
	}
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
	snprintf(path, size, "%s", *target ? target : "/");
}
