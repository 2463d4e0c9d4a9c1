// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names for numbers.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../bpf/latency.h"
#include "names.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

static const struct {
	const char *subsystem;
	const char *name;
	const char *title;
} operations[SCOPE_NR_OPERATIONS] = {
#define NAME(operation)                                                                            \
	[SCOPE_OPERATION_iommufd_##operation] = { "iommufd", #operation, #operation },
	IOMMUFD_MEMORY_OPERATIONS(NAME)
	IOMMUFD_TRANSLATION_OPERATIONS(NAME)
	IOMMUFD_OBJECT_OPERATIONS(NAME)
#undef NAME
#define NAME(operation)                                                                            \
	[SCOPE_OPERATION_vfio_##operation] = { "vfio", #operation, "vfio_" #operation },
	SCOPE_VFIO_OPERATIONS(NAME)
#undef NAME
};

_Static_assert(SCOPE_NR_OPERATIONS <= 64, "the sets of operations are 64 bits");

const char *operation_name(unsigned int operation)
{
	return operation < SCOPE_NR_OPERATIONS ? operations[operation].name : "unknown";
}

const char *operation_title(unsigned int operation)
{
	return operation < SCOPE_NR_OPERATIONS ? operations[operation].title : "unknown";
}

const char *operation_subsystem(unsigned int operation)
{
	return operation < SCOPE_NR_OPERATIONS ? operations[operation].subsystem : "unknown";
}

uint64_t operations_find(const char *name)
{
	uint64_t found = 0;
	size_t length;
	int i;

	for (i = 0; i < SCOPE_NR_OPERATIONS; i++) {
		length = strlen(operations[i].subsystem);
		if (!strcmp(name, operations[i].name) ||
		    (!strncmp(name, operations[i].subsystem, length) && name[length] == '_' &&
		     !strcmp(name + length + 1, operations[i].name)))
			found |= 1ULL << i;
	}
	return found;
}

static const struct {
	const char *name;
	const char *text;
} phases[SCOPE_NR_PHASES] = {
#define PHASE(name, text) { #name, text },
	IOMMUFD_PHASES(PHASE)
	VFIO_PHASES(PHASE)
#undef PHASE
};

const char *phase_name(unsigned int phase)
{
	return phase < SCOPE_NR_PHASES ? phases[phase].name : "other";
}

const char *phase_text(unsigned int phase)
{
	return phase < SCOPE_NR_PHASES ? phases[phase].text : "none of the phases";
}

struct reason {
	const char *name;
	const char *a;
	const char *b;
	const char *text;
};

static const struct reason iommufd_reasons[SCOPE_NR_IOMMUFD_REASONS] = {
#define REASON(name, a, b, text) { #name, a, b, text },
	IOMMUFD_REASONS(REASON)
};

static const struct reason vfio_reasons[SCOPE_NR_VFIO_REASONS] = {
	VFIO_REASONS(REASON)
#undef REASON
};

static const struct reason *find_reason(unsigned int operation, unsigned int reason)
{
	static const struct reason unknown = {
		"unknown", "first number", "second number",
		"for a reason that this version of the tool does not know",
	};

	if (scope_operation_class(operation) == SCOPE_CLASS_VFIO)
		return reason < SCOPE_NR_VFIO_REASONS ? &vfio_reasons[reason] : &unknown;
	return reason < SCOPE_NR_IOMMUFD_REASONS ? &iommufd_reasons[reason] : &unknown;
}

const char *reason_name(unsigned int operation, unsigned int reason)
{
	return find_reason(operation, reason)->name;
}

const char *reason_text(unsigned int operation, unsigned int reason)
{
	return find_reason(operation, reason)->text;
}

const char *reason_number(unsigned int operation, unsigned int reason, bool second)
{
	const struct reason *found = find_reason(operation, reason);
	const char *meaning = second ? found->b : found->a;

	return strcmp(meaning, "0") ? meaning : NULL;
}

const char *object_type_name(unsigned int type)
{
	static const char *const names[] = { "object", "device", "hwpt", "ioas", "access", "test" };

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "object";
}

const char *dimension_name(unsigned int dimension)
{
	static const char *const names[] = {
		[SCOPE_BY_DEVICE] = "device",
		[SCOPE_BY_IOAS] = "ioas",
		[SCOPE_BY_PROCESS] = "process",
		[SCOPE_BY_CGROUP] = "cgroup",
	};

	return dimension < sizeof(names) / sizeof(names[0]) ? names[dimension] : NULL;
}

const char *domain_type_name(unsigned int type)
{
	/* IOMMU_DOMAIN_* of the kernel, which no header for user space has */
	switch (type) {
	case 0:
		return "blocked";
	case 1 << 0:
		return "unmanaged";
	case 1 << 0 | 1 << 1:
		return "dma";
	case 1 << 2:
		return "identity";
	case 1 << 6:
		return "nested";
	}
	return "other";
}

const char *error_name(int error)
{
	/* ENOTSUPP, which drivers return and libc does not know */
	const char *name = abs(error) == 524 ? "ENOTSUPP" : strerrorname_np(abs(error));

	return name ? name : "error";
}

bool device_path(const char *device, char *path, size_t size)
{
	char pattern[DEVICE_NAME_SIZE + 32];
	glob_t found;

	*path = '\0';
	snprintf(pattern, sizeof(pattern), "/sys/bus/*/devices/%s", device);
	if (glob(pattern, GLOB_NOSORT, NULL, &found))
		return false;
	snprintf(path, size, "%s", found.gl_pathv[0]);
	globfree(&found);
	return true;
}

bool find_device(const char *wanted, char name[DEVICE_NAME_SIZE])
{
	char path[PATH_MAX];
	const char *p;

	/* a name, not a path nor a pattern */
	for (p = wanted; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(":.-_", *p))
			return false;
	if (p == wanted || p - wanted >= DEVICE_NAME_SIZE - 5 || *wanted == '.')
		return false;
	snprintf(name, DEVICE_NAME_SIZE, "%s", wanted);
	if (device_path(name, path, sizeof(path)))
		return true;
	snprintf(name, DEVICE_NAME_SIZE, "0000:%s", wanted);
	return device_path(name, path, sizeof(path));
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
