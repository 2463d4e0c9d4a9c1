// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and mounts of a guest.
 *
 * The root is an overlay. All that was written since the boot is in its upper layer, so a walk
 * over that layer finds any change below /. Both layers are hidden below the root; process 1
 * holds a descriptor of each (LOWER and UPPER, see init.sh). The other file systems that a test
 * can write to are in memory and small; /out belongs to the host, and files there are meant to
 * stay.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "state.h"

#define UPPER	"/proc/1/fd/9"
#define LOWER	"/proc/1/fd/8"

static const char *const in_memory[] = {
	"/dev", "/dev/shm", "/dev/mqueue", "/dev/hugepages", "/run", "/sys/fs/bpf",
};

static const char *type_name(mode_t mode)
{
	return S_ISDIR(mode) ? "folder" : S_ISREG(mode) ? "file" : S_ISLNK(mode) ? "link" :
	       S_ISSOCK(mode) ? "socket" : S_ISFIFO(mode) ? "pipe" : "device";
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && !st->st_rdev;
}

static void add_written(struct state *state, const char *path, const struct stat *upper,
			const struct stat *lower)
{
	char value[128];

	if (is_whiteout(upper)) {
		state_add(state, "deleted", "file %s", path);
		return;
	}
	if (lower && S_ISDIR(lower->st_mode) && S_ISDIR(upper->st_mode)) {
		/* the overlay copies folders up as soon as something happens in them */
		if (lower->st_mode == upper->st_mode && lower->st_uid == upper->st_uid)
			return;
	}
	snprintf(value, sizeof(value), "%s%s of mode %04o of user %u, %lld bytes, of %lld.%09ld",
		 lower ? "changed " : "", type_name(upper->st_mode), upper->st_mode & 07777,
		 upper->st_uid, S_ISREG(upper->st_mode) ? (long long)upper->st_size : 0,
		 S_ISREG(upper->st_mode) ? (long long)upper->st_mtim.tv_sec : 0,
		 S_ISREG(upper->st_mode) ? upper->st_mtim.tv_nsec : 0);
	state_add(state, value, "file %s", path);
}

/* @path: of the folder in the guest; its upper layer is the descriptor @fd, which is closed here */
static void walk_overlay(struct state *state, int fd, const char *path)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		char inner[4096], below[4224];
		struct stat upper, lower;
		bool has_lower;
		int inner_fd;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name) >= (int)sizeof(inner))
			continue;
		if (fstatat(fd, entry->d_name, &upper, AT_SYMLINK_NOFOLLOW))
			continue;
		snprintf(below, sizeof(below), "%s%s", LOWER, inner);
		has_lower = !lstat(below, &lower);
		add_written(state, inner, &upper, has_lower ? &lower : NULL);
		if (!S_ISDIR(upper.st_mode))
			continue;
		inner_fd = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (inner_fd >= 0)
			walk_overlay(state, inner_fd, inner);
	}
	closedir(dir);
}

static void walk_memory(struct state *state, const char *path, dev_t dev)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		char inner[4096], value[128];
		struct stat st;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name) >= (int)sizeof(inner))
			continue;
		if (lstat(inner, &st) || st.st_dev != dev)
			continue;
		snprintf(value, sizeof(value), "%s of mode %04o of user %u, %lld bytes",
			 type_name(st.st_mode), st.st_mode & 07777, st.st_uid,
			 S_ISREG(st.st_mode) ? (long long)st.st_size : 0);
		state_add(state, value, "file %s", inner);
		if (S_ISDIR(st.st_mode))
			walk_memory(state, inner, dev);
	}
	closedir(dir);
}

/* "ID PARENT MAJ:MIN ROOT POINT OPTIONS [FIELDS...] - TYPE SOURCE SUPER-OPTIONS" */
static void add_mounts(struct state *state)
{
	FILE *file = fopen("/proc/1/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		char root[1024], point[1024], options[1024];
		char *behind = strstr(line, " - ");

		if (behind && sscanf(line, "%*d %*d %*s %1023s %1023s %1023s", root, point, options) == 3) {
			char value[4096];

			snprintf(value, sizeof(value), "%s of %s", options, behind + 3);
			if (strcmp(root, "/"))
				state_add(state, value, "mount %s of folder %s", point, root);
			else
				state_add(state, value, "mount %s", point);
		}
	}
	free(line);
	if (file)
		fclose(file);
}

void state_files(struct state *state)
{
	int fd = open(UPPER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0)
		walk_overlay(state, fd, "");
	else
		state_add(state, strerror(errno), "the root's upper layer cannot be read");
	for (size_t i = 0; i < sizeof(in_memory) / sizeof(in_memory[0]); i++)
		if (!stat(in_memory[i], &st))
			walk_memory(state, in_memory[i], st.st_dev);
	add_mounts(state);
}
