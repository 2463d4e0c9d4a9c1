// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module is known by the inode of its folder in /sys/module, which is another one each time that
 * it is loaded.  0: it is not loaded, or it still starts.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "machine/sysfs.h"
#include "probe/hooks.h"
#include "probe/module_watch.h"

/* At least the number of source_modules(). */
#define MODULES 16

static ino_t noted[MODULES], last[MODULES];

static void look(ino_t inodes[MODULES])
{
	const char *const *module = source_modules();
	char path[64], state[16];
	struct stat status;
	unsigned int i;

	memset(inodes, 0, MODULES * sizeof(*inodes));
	for (i = 0; i < MODULES && module[i]; i++) {
		snprintf(path, sizeof(path), "/sys/module/%s", module[i]);
		sysfs_line(state, sizeof(state), "%s/initstate", path);
		if (!strcmp(state, "live") && !stat(path, &status))
			inodes[i] = status.st_ino;
	}
}

void modules_note(void)
{
	look(noted);
	memcpy(last, noted, sizeof(last));
}

bool modules_changed(void)
{
	ino_t now[MODULES];
	bool settled;

	look(now);
	settled = !memcmp(now, last, sizeof(now));
	memcpy(last, now, sizeof(last));
	return settled && memcmp(now, noted, sizeof(now));
}
