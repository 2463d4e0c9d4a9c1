// SPDX-License-Identifier: GPL-2.0-only
/*
 * The document that the page reads.
 *
 * It belongs to the page of the same build and is no interface for others; these have /metrics and
 * the tool's --json.  Strings are as short as a reading once a second wants them, histograms are
 * pairs of a bucket's smallest value and its count.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "exporter.h"
#include "json.h"
#include "names.h"
#include "output.h"
#include "page_document.h"
#include "version.h"

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void write_histogram(struct json *json, const struct histogram *histogram)
{
	unsigned int i;

	json_u64(json, "count", histogram->count);
	json_u64(json, "sum_ns", histogram->sum);
	json_u64(json, "max_ns", histogram->max);
	json_array(json, "buckets");
	for (i = 0; i < SCOPE_NR_BUCKETS; i++) {
		if (!histogram->buckets[i])
			continue;
		json_array(json, NULL);
		json_u64(json, NULL, scope_bucket_low(i));
		json_u64(json, NULL, histogram->buckets[i]);
		json_end_array(json);
	}
	json_end_array(json);
}

static void write_operation(struct json *json, const struct latency_series *series)
{
	const struct histogram *histogram;
	unsigned int i;

	json_object(json, NULL);
	json_string(json, "subsystem", operation_subsystem(series->operation));
	json_string(json, "operation", operation_name(series->operation));
	json_u64(json, "errors", series->counters.errors);
	json_u64(json, "bytes", series->counters.bytes);
	write_histogram(json, &series->histograms[0]);
	json_array(json, "phases");
	for (i = 1; i <= series->nr_phases; i++) {
		histogram = &series->histograms[i];
		if (!histogram->count)
			continue;
		json_object(json, NULL);
		json_string(json, "phase", phase_name(latency_phase(series, i)));
		write_histogram(json, histogram);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

/* Add up the series of an operation, which --by has told apart. */
static struct latency_series *sum_series(const struct latency_set *set, unsigned int operation)
{
	struct latency_series *sum = NULL;
	const struct latency_series *one;
	unsigned int h;
	size_t s, size;

	for (s = 0; s < set->nr; s++) {
		one = set->series[s];
		if (one->operation != operation)
			continue;
		if (!sum) {
			size = sizeof(*one) + (1 + one->nr_phases) * sizeof(one->histograms[0]);
			sum = malloc(size);
			if (!sum)
				out_of_memory();
			memcpy(sum, one, size);
			continue;
		}
		sum->counters.errors += one->counters.errors;
		sum->counters.bytes += one->counters.bytes;
		for (h = 0; h <= sum->nr_phases; h++)
			histogram_add(&sum->histograms[h], &one->histograms[h]);
	}
	return sum;
}

static void write_operations(struct json *json, const struct latency_set *set)
{
	struct latency_series *sum;
	unsigned int operation;

	json_array(json, "operations");
	for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++) {
		sum = sum_series(set, operation);
		if (!sum)
			continue;
		write_operation(json, sum);
		free(sum);
	}
	json_end_array(json);
}

/* Who reads this, and since when it counts: another instance counts from zero. */
static void write_host(struct json *json, const struct exporter *exporter, uint64_t now)
{
	char text[sizeof(struct utsname)];
	struct utsname names;

	uname(&names);
	json_u64(json, "version", 1);
	snprintf(text, sizeof(text), "%" PRIx64 "-%d", exporter->start_ns, getpid());
	json_string(json, "instance", text);
	json_string(json, "host", names.nodename);
	snprintf(text, sizeof(text), "%s %s", names.sysname, names.release);
	json_string(json, "kernel", text);
	json_string(json, "tool", IOMMUSCOPE_VERSION);
	json_u64(json, "time_ns", now);
	json_u64(json, "uptime_ns", now > exporter->start_ns ? now - exporter->start_ns : 0);
}

static uint64_t timeval_ns(const struct timeval *time)
{
	return time->tv_sec * 1000000000ULL + time->tv_usec * 1000ULL;
}

static uint64_t resident_bytes(void)
{
	uint64_t total, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file) {
		if (fscanf(file, "%" SCNu64 " %" SCNu64, &total, &resident) != 2)
			resident = 0;
		fclose(file);
	}
	return resident * sysconf(_SC_PAGESIZE);
}

static void write_cost(struct json *json)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	json_object(json, "cost");
	json_u64(json, "cpu_ns", timeval_ns(&usage.ru_utime) + timeval_ns(&usage.ru_stime));
	json_u64(json, "memory_bytes", resident_bytes());
	json_end_object(json);
}

static void write_nothing(struct json *json, const char *key)
{
	json_array(json, key);
	json_end_array(json);
}

void page_document(struct exporter *exporter, FILE *file)
{
	struct json json = { .file = file };

	exporter_refresh(exporter);
	json_object(&json, NULL);
	write_host(&json, exporter, wall_ns());
	write_operations(&json, &exporter->latency.total);
	json_u64(&json, "overflowed", latency_overflowed(&exporter->latency));
	json_u64(&json, "lost", 0);
	write_nothing(&json, "ctxs");
	write_nothing(&json, "devices");
	write_nothing(&json, "ioases");
	write_nothing(&json, "memlock");
	write_nothing(&json, "replacements");
	write_nothing(&json, "failures");
	write_nothing(&json, "stuck");
	write_cost(&json);
	json_end_object(&json);
	json_end(&json);
}
