// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module is known by the inode of its folder in /sys/module, which is another one each time that
 * it is loaded.  0: it is not loaded, or it still starts.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "machine/obstacles.h"
#include "machine/sysfs.h"
#include "probe/hooks.h"
#include "probe/host_watch.h"
#include "text/output.h"

/* At least the number of source_modules(). */
#define MODULES 16

struct host {
	ino_t modules[MODULES];
	uint64_t no_ftrace;
};

static struct host noted, last;

static void look(struct host *host)
{
	const char *const *module = source_modules();
	char path[64], state[16];
	struct stat status;
	unsigned int i;

	memset(host, 0, sizeof(*host));
	for (i = 0; i < MODULES && module[i]; i++) {
		snprintf(path, sizeof(path), "/sys/module/%s", module[i]);
		sysfs_line(state, sizeof(state), "%s/initstate", path);
		if (!strcmp(state, "live") && !stat(path, &status))
			host->modules[i] = status.st_ino;
	}
	host->no_ftrace = obstacle_here(OBSTACLE_FTRACE);
}

void host_note(void)
{
	look(&noted);
	last = noted;
}

bool host_changed(void)
{
	struct host now;
	bool settled;

	look(&now);
	settled = !memcmp(&now, &last, sizeof(now));
	last = now;
	return settled && memcmp(&now, &noted, sizeof(now));
}

bool functions_observable(void)
{
	return !noted.no_ftrace;
}

void host_report(bool was_observable)
{
	if (was_observable && !functions_observable())
		obstacle_complain(OBSTACLE_FTRACE);
	else if (!was_observable && functions_observable())
		complain("ftrace is on again: functions of the kernel are observed");
}
