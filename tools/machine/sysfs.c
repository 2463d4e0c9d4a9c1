// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "machine/sysfs.h"
#include "text/output.h"

/* Format the caller's path into @path[PATH_MAX]. */
#define FORMAT_PATH(path, format)                                                                  \
	do {                                                                                       \
		va_list args;                                                                      \
		va_start(args, format);                                                            \
		vsnprintf(path, PATH_MAX, format, args);                                           \
		va_end(args);                                                                      \
	} while (0)

bool sysfs_line(char *line, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	bool read;
	FILE *file;

	FORMAT_PATH(path, format);
	*line = '\0';
	file = fopen(path, "re");
	if (!file)
		return false;
	/* some files can be opened by every user and then fail to be read */
	read = fgets(line, size, file) || !ferror(file);
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return read;
}

bool sysfs_link(char *name, size_t size, const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t length;

	FORMAT_PATH(path, format);
	*name = '\0';
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, size, "%s", slash ? slash + 1 : target);
	return true;
}

bool sysfs_exists(const char *format, ...)
{
	char path[PATH_MAX];

	FORMAT_PATH(path, format);
	return !access(path, F_OK);
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

dev_t sysfs_device(const char *class, const char *name)
{
	unsigned int major, minor;
	char line[32];

	if (!sysfs_line(line, sizeof(line), "/sys/class/%s/%s/dev", class, name) ||
	    sscanf(line, "%u:%u", &major, &minor) != 2)
		return 0;
	return makedev(major, minor);
}

uint32_t type1_entry_limit(void)
{
	unsigned int limit;
	char line[32];

	if (!sysfs_line(line, sizeof(line),
			"/sys/module/vfio_iommu_type1/parameters/dma_entry_limit") ||
	    sscanf(line, "%u", &limit) != 1)
		return 0;
	return limit;
}

void sysfs_list(struct sysfs_names *names, const char *format, ...)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int nr, i;

	FORMAT_PATH(path, format);
	memset(names, 0, sizeof(*names));
	nr = scandir(path, &entries, not_hidden, versionsort);
	if (nr < 0)
		return;
	names->names = calloc(nr + 1, sizeof(*names->names));
	if (!names->names)
		out_of_memory();
	for (i = 0; i < nr; i++) {
		names->names[i] = strdup(entries[i]->d_name);
		if (!names->names[i])
			out_of_memory();
		free(entries[i]);
	}
	free(entries);
	names->nr = nr;
}

void sysfs_list_free(struct sysfs_names *names)
{
	size_t i;

	for (i = 0; i < names->nr; i++)
		free(names->names[i]);
	free(names->names);
	memset(names, 0, sizeof(*names));
}
