// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each obstacle is a file of sysfs or procfs with a certain content.  A file that is absent or
 * cannot be read is no obstacle.
 */
#include <string.h>

#include "machine/obstacles.h"
#include "machine/sysfs.h"
#include "text/output.h"

/* Where each obstacle can be read, and what the file then contains. */
static const struct {
	const char *file;
	const char *content;
	struct obstacle_words words;
} obstacles[NR_OBSTACLES] = {
	[OBSTACLE_LOCKDOWN] = {
		.file = "/sys/kernel/security/lockdown",
		.content = "[confidentiality]",
		.words = { "the kernel is locked down (confidentiality)", "BPF cannot read it",
			   "boot with lockdown=integrity, or without lockdown=" },
	},
	[OBSTACLE_JIT] = {
		.file = "/proc/sys/net/core/bpf_jit_enable",
		.content = "0",
		.words = { "the BPF JIT compiler is off", "state cannot be read",
			   "sysctl net.core.bpf_jit_enable=1" },
	},
	[OBSTACLE_FTRACE] = {
		.file = "/proc/sys/kernel/ftrace_enabled",
		.content = "0",
		.words = { "ftrace is off", "functions of the kernel cannot be observed",
			   "sysctl kernel.ftrace_enabled=1" },
	},
	[OBSTACLE_KPROBES] = {
		.file = "/sys/kernel/debug/kprobes/enabled",
		.content = "0",
		.words = { "kprobes are disarmed", "some functions of the kernel cannot be observed",
			   "echo 1 >/sys/kernel/debug/kprobes/enabled" },
	},
};

bool obstacle_here(enum obstacle obstacle)
{
	char line[128];

	/* the whole line, or the chosen one of several words */
	return sysfs_line(line, sizeof(line), "%s", obstacles[obstacle].file) &&
	       (*obstacles[obstacle].content == '[' ?
			strstr(line, obstacles[obstacle].content) != NULL :
			!strcmp(line, obstacles[obstacle].content));
}

const struct obstacle_words *obstacle_words(enum obstacle obstacle)
{
	return &obstacles[obstacle].words;
}

void obstacle_complain(enum obstacle obstacle)
{
	const struct obstacle_words *words = obstacle_words(obstacle);

	complain("%s: %s (%s)", words->setting, words->effect, words->remedy);
}

bool obstacle_explains(void)
{
	enum obstacle obstacle;

	for (obstacle = OBSTACLE_LOCKDOWN; obstacle <= OBSTACLE_JIT; obstacle++)
		if (obstacle_here(obstacle)) {
			obstacle_complain(obstacle);
			return true;
		}
	return false;
}
