// SPDX-License-Identifier: GPL-2.0-only
/*
 * The search for leaks: counters of the kernel, before and after.
 *
 * Some objects are freed shortly after their last user is gone (RCU, deferred fput()), so
 * counters that do not balance at once are checked again for some seconds.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/patience.h"
#include "stress.h"

#define SETTLE_MS 10000

/* A slab that a CPU keeps to itself counts as full, so it is taken from the CPUs first. */
static uint64_t slab_objects(const char *cache)
{
	size_t n = strlen(cache);
	uint64_t active = 0;
	char line[512];
	FILE *file;

	snprintf(line, sizeof(line), "/sys/kernel/slab/%s/shrink", cache);
	file = fopen(line, "we");
	if (file) {
		fputs("1", file);
		fclose(file);
	}
	file = fopen("/proc/slabinfo", "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, cache, n) && line[n] == ' ')
			active = strtoull(line + n, NULL, 10);
	fclose(file);
	return active;
}

static uint64_t meminfo(const char *name)
{
	uint64_t value = 0;
	char line[128];
	size_t n = strlen(name);
	FILE *file = fopen("/proc/meminfo", "re");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, n) && line[n] == ':')
			value = strtoull(line + n + 1, NULL, 10);
	fclose(file);
	return value;
}

static unsigned int mock_devices(void)
{
	DIR *dir = opendir("/sys/kernel/debug/iommufd-mock");
	unsigned int count = 0;
	struct dirent *entry;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		count += !strncmp(entry->d_name, "iommufd-mock.", 13);
	closedir(dir);
	return count;
}

static long module_users(const char *module)
{
	char path[96], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return strtol(text, NULL, 10);
}

static void look(struct baseline *now)
{
	now->pins = pinned_pages();
	now->mm = slab_objects("mm_struct");
	now->tasks = slab_objects("task_struct");
	now->slab_kib = meminfo("SUnreclaim");
}

/**
 * leaks_baseline() - record the counters before the test
 * @before: is filled
 *
 * Uncached reads and writes, for example of the guest's file system, pin pages for a moment:
 * those do not stay.
 */
void leaks_baseline(struct baseline *before)
{
	unsigned int i;
	uint64_t pins;

	look(before);
	for (i = 0; before->pins && i < 20; i++) {
		usleep(50000);
		pins = pinned_pages();
		if (pins < before->pins)
			before->pins = pins;
	}
}

/*
 * Maps as the user of the stress test, with a limit of exactly the mapped size: possible only if
 * nothing is charged to that user any more.
 */
static bool user_uncharged(void)
{
	struct rlimit limit = { MB(1), MB(1) };
	struct test_device device;
	uint8_t *va = memory(MB(1));
	int fd = iommu_open();
	int status = 1;
	uint32_t ioas;
	pid_t pid;

	if (fd < 0 || ioas_alloc(fd, &ioas) || device_add(fd, NULL, &device) ||
	    device_attach(fd, &device, ioas))
		return false;
	pid = fork();
	if (!pid) {
		if (setrlimit(RLIMIT_MEMLOCK, &limit) || setresuid(STRESS_UID, STRESS_UID, STRESS_UID))
			_exit(2);
		_exit(ioas_map_at(fd, ioas, va, MB(1), MOCK_APERTURE_START) ? 1 : 0);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	close(fd);
	return !status;
}

static unsigned int point(unsigned int number, bool good, const char *what)
{
	printf("%sok %u - %s\n", good ? "" : "not ", number, what);
	return !good;
}

/**
 * leaks_check() - compare with the baseline, and print a point for each counter
 * @before: the baseline
 * @workers: processes that were started since
 * @first: number of the first point
 *
 * Return: points that failed
 */
unsigned int leaks_check(const struct baseline *before, unsigned int workers, unsigned int first)
{
	/* The variation caused by other processes of the system */
	const uint64_t slack = 16 + workers / 8;
	struct baseline now;
	unsigned int failed = 0;
	int waited;
	unsigned int devices;
	long users;

	for (waited = 0;; waited += 100) {
		look(&now);
		devices = mock_devices();
		users = module_users("iommufd_mock");
		if (now.pins <= before->pins && !devices && !users &&
		    now.mm <= before->mm + slack && now.tasks <= before->tasks + slack)
			break;
		if (waited >= patience_ms(SETTLE_MS))
			break;
		usleep(100000);
	}
	printf("# pins %lu -> %lu, mm_struct %lu -> %lu, task_struct %lu -> %lu, SUnreclaim %lu -> %lu KiB\n",
	       before->pins, now.pins, before->mm, now.mm, before->tasks, now.tasks,
	       before->slab_kib, now.slab_kib);
	printf("# %u mock devices, %ld users of the module\n", devices, users);

	failed += point(first++, now.pins <= before->pins, "no page is pinned any more");
	failed += point(first++, !devices, "no mock device is left");
	failed += point(first++, !users, "no object holds the module");
	failed += point(first++, now.mm <= before->mm + slack && now.tasks <= before->tasks + slack,
			"no process is held");
	failed += point(first++, now.slab_kib <= before->slab_kib + KB(32),
			"no kernel memory is held");
	failed += point(first++, user_uncharged(), "nothing is charged to the user");
	return failed;
}
