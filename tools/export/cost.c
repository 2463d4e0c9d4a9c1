// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "export/cost.h"
#include "export/exporter.h"

static uint64_t nanoseconds(const struct timeval *time)
{
	return time->tv_sec * 1000000000ULL + time->tv_usec * 1000ULL;
}

void cost_of_process(struct export_cost *cost)
{
	unsigned long pages = 0;
	struct rusage usage;
	FILE *file;

	if (!getrusage(RUSAGE_SELF, &usage))
		cost->cpu_ns = nanoseconds(&usage.ru_utime) + nanoseconds(&usage.ru_stime);
	file = fopen("/proc/self/statm", "re");
	if (!file)
		return;
	if (fscanf(file, "%*u %lu", &pages) == 1)
		cost->resident_bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	fclose(file);
}

/* The kernel reports the memory of maps and programs in their fdinfo. */
static uint64_t memory_of(int fd)
{
	unsigned long long bytes = 0;
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	fclose(file);
	return bytes;
}

void cost_of_object(struct export_cost *cost, const struct bpf_object *object)
{
	struct bpf_program *program;
	struct bpf_map *map = NULL;

	while ((map = bpf_object__next_map(object, map)))
		cost->bpf_bytes += memory_of(bpf_map__fd(map));
	bpf_object__for_each_program(program, object) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		if (bpf_program__fd(program) < 0 ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			continue;
		cost->bpf_bytes += memory_of(bpf_program__fd(program));
		cost->bpf_run_ns += info.run_time_ns;
		cost->bpf_runs += info.run_cnt;
	}
}
