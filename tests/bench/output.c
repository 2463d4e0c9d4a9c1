// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock, samples, JSON lines and the one function for failures.
 *
 * Model: struct samples is a growing array owned by the case that fills it. A JSON line is
 * written with one printf, so that a reader of an interrupted run never meets half an object.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

/**
 * die() - end the program with one line on stderr
 * @fmt: what failed; errno's text follows if errno is set
 */
void die(const char *fmt, ...)
{
	int error = errno;
	va_list ap;

	fflush(stdout);
	fputs("iommu-bench: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (error)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
	exit(1);
}

/** now_ns() - the monotonic clock, in nanoseconds */
uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/**
 * samples_add() - append one measurement
 * @s: the samples
 * @ns: the time one operation took
 */
void samples_add(struct samples *s, uint64_t ns)
{
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 16;
		s->ns = realloc(s->ns, s->room * sizeof(*s->ns));
		if (!s->ns)
			die("no memory for %zu samples", s->room);
	}
	s->ns[s->count++] = ns;
}

/**
 * samples_free() - forget all measurements
 * @s: the samples, ready to be filled again
 */
void samples_free(struct samples *s)
{
	free(s->ns);
	*s = (struct samples){};
}

/**
 * print_origin() - start a JSON line; the caller adds members and the closing brace
 * @o: the origin of the pass
 * @name: the case
 */
void print_origin(const struct origin *o, const char *name)
{
	printf("{\"side\":\"%s\",\"round\":%u,\"case\":\"%s\"", o->side, o->round, name);
}

/**
 * print_samples() - one JSON line with every sample of a case
 * @o: the origin of the pass
 * @name: the case
 * @memory: the kind of memory
 * @areas: areas in the address space besides the measured one
 * @bytes: bytes one operation covers
 * @s: the samples
 */
void print_samples(const struct origin *o, const char *name, const char *memory, size_t areas,
		   uint64_t bytes, const struct samples *s)
{
	size_t i;

	print_origin(o, name);
	printf(",\"memory\":\"%s\",\"areas\":%zu,\"bytes\":%llu,\"samples_ns\":[", memory, areas,
	       (unsigned long long)bytes);
	for (i = 0; i < s->count; i++)
		printf("%s%llu", i ? "," : "", (unsigned long long)s->ns[i]);
	puts("]}");
	fflush(stdout);
}

/**
 * read_ulong() - the number in a small file
 * @path: a file of sysfs or proc
 */
unsigned long read_ulong(const char *path)
{
	unsigned long value;
	FILE *f = fopen(path, "r");

	if (!f || fscanf(f, "%lu", &value) != 1)
		die("%s: cannot be read", path);
	fclose(f);
	return value;
}

/**
 * write_ulong() - write a number to a knob
 * @path: a file of sysfs or proc
 * @value: the number
 */
void write_ulong(const char *path, unsigned long value)
{
	FILE *f = fopen(path, "w");

	if (!f || fprintf(f, "%lu\n", value) < 0 || fclose(f))
		die("%s: cannot be written", path);
}
