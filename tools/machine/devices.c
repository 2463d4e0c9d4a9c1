// SPDX-License-Identifier: GPL-2.0-only
/*
 * Look-up of devices on all buses.
 */
#include <ctype.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "machine/devices.h"

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

	/* accept a name, but no path or pattern */
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
