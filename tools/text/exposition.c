// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text/exposition.h"
#include "text/output.h"
#include "text/utf8.h"

/* The finite bounds of histograms: values below 2^9 ns, 2^10 ns, ..., 2^34 ns (17 s). */
#define FIRST_BOUND 9
#define LAST_BOUND 34
#define NR_BOUNDS (LAST_BOUND - FIRST_BOUND + 1)

static const char *const type_names[EXPOSITION_NR_FORMATS][METRIC_INFO + 1] = {
	[EXPOSITION_CLASSIC] = { "counter", "gauge", "histogram", "gauge" },
	[EXPOSITION_OPENMETRICS] = { "counter", "gauge", "histogram", "info" },
};

/* The Accept header */

/* The weight among the parameters of a media range, in thousandths. */
static unsigned int weight_of(const char *parameters, const char *end)
{
	const char *at;
	double q;

	for (at = parameters; at && at < end; at = memchr(at, ';', end - at)) {
		at += 1 + strspn(at + 1, " \t");
		if (strncasecmp(at, "q=", 2))
			continue;
		q = strtod(at + 2, NULL);
		return q > 1 ? 1000 : q > 0 ? q * 1000 : 0;
	}
	return 1000;
}

enum exposition_format exposition_choose(const char *accept)
{
	unsigned int classic = 0, openmetrics = 0, *which, weight;
	const char *range, *end, *parameters;
	size_t length;

	for (range = accept; range && *range; range = *end ? end + 1 : end) {
		range += strspn(range, " \t");
		end = range + strcspn(range, ",");
		parameters = range + strcspn(range, ",;");
		length = parameters - range;
		while (length && (range[length - 1] == ' ' || range[length - 1] == '\t'))
			length--;
		if (length == 28 && !strncasecmp(range, "application/openmetrics-text", 28))
			which = &openmetrics;
		else if (length == 10 && !strncasecmp(range, "text/plain", 10))
			which = &classic;
		else
			continue;
		weight = weight_of(*parameters == ';' ? parameters : NULL, end);
		if (weight > *which)
			*which = weight;
	}
	return openmetrics > classic ? EXPOSITION_OPENMETRICS : EXPOSITION_CLASSIC;
}

const char *exposition_type(enum exposition_format format)
{
	return format == EXPOSITION_OPENMETRICS ?
		       "application/openmetrics-text; version=1.0.0; charset=utf-8" :
		       "text/plain; version=0.0.4; charset=utf-8";
}

/* Labels */

void labels_add(struct labels *labels, const char *name, const char *value)
{
	const char *at = value;
	char *to = labels->text + labels->length;
	/* room for the closing quote */
	char *end = labels->text + LABELS_SIZE - 1;
	size_t length = strlen(name);

	if ((size_t)(end - to) < length + 4)
		return;
	if (labels->length)
		*to++ = ',';
	to = mempcpy(to, name, length);
	*to++ = '=';
	*to++ = '"';
	for (; *at && end - to >= 4; at += length) {
		length = utf8_character(at, NULL);
		if (!length) {
			to = mempcpy(to, "\xef\xbf\xbd", 3);
			length = 1;
		} else if (*at == '"' || *at == '\\' || *at == '\n') {
			*to++ = '\\';
			*to++ = *at == '\n' ? 'n' : *at;
		} else {
			to = mempcpy(to, at, length);
		}
	}
	*to++ = '"';
	labels->length = to - labels->text;
}

void labels_number(struct labels *labels, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	labels_add(labels, name, text);
}

/* Writing */

static void write_bytes(struct exposition *text, const void *bytes, size_t length)
{
	if (text->room - text->length < length) {
		text->room = (text->room + length) * 2;
		text->text = realloc(text->text, text->room);
		if (!text->text)
			out_of_memory();
	}
	memcpy(text->text + text->length, bytes, length);
	text->length += length;
}

static void write_text(struct exposition *text, const char *string)
{
	write_bytes(text, string, strlen(string));
}

static void write_number(struct exposition *text, uint64_t value, unsigned int digits)
{
	char buffer[24], *at = buffer + sizeof(buffer);

	do {
		*--at = '0' + value % 10;
		value /= 10;
		digits -= digits > 0;
	} while (value || digits);
	write_bytes(text, at, buffer + sizeof(buffer) - at);
}

static void write_seconds(struct exposition *text, uint64_t ns)
{
	write_number(text, ns / 1000000000, 1);
	if (ns % 1000000000) {
		write_text(text, ".");
		write_number(text, ns % 1000000000, 9);
	}
}

static void write_line(struct exposition *text, const char *keyword, const char *words)
{
	const struct metric *metric = text->family;
	bool classic = text->format == EXPOSITION_CLASSIC;

	write_text(text, keyword);
	write_text(text, metric->name);
	if (classic && metric->type == METRIC_COUNTER)
		write_text(text, "_total");
	if (classic && metric->type == METRIC_INFO)
		write_text(text, "_info");
	write_text(text, " ");
	write_text(text, words);
	write_text(text, "\n");
}

void exposition_family(struct exposition *text, const struct metric *metric)
{
	text->family = metric;
	write_line(text, "# HELP ", metric->help);
	write_line(text, "# TYPE ", type_names[text->format][metric->type]);
	if (metric->unit && text->format == EXPOSITION_OPENMETRICS)
		write_line(text, "# UNIT ", metric->unit);
}

/* Write the name and labels of a sample.  @bound is the bound of a bucket, or NULL. */
static void write_name(struct exposition *text, const char *suffix, const struct labels *labels,
		       const char *bound)
{
	bool any = labels && labels->length;

	write_text(text, text->family->name);
	write_text(text, suffix);
	if (any || bound) {
		write_text(text, "{");
		if (any)
			write_bytes(text, labels->text, labels->length);
		if (bound) {
			write_text(text, any ? ",le=\"" : "le=\"");
			write_text(text, bound);
			write_text(text, "\"");
		}
		write_text(text, "}");
	}
	write_text(text, " ");
}

static const char *suffix_of(const struct metric *metric)
{
	return metric->type == METRIC_COUNTER ? "_total" :
	       metric->type == METRIC_INFO    ? "_info" :
						"";
}

void exposition_u64(struct exposition *text, const struct labels *labels, uint64_t value)
{
	write_name(text, suffix_of(text->family), labels, NULL);
	write_number(text, value, 1);
	write_text(text, "\n");
}

void exposition_infinity(struct exposition *text, const struct labels *labels)
{
	write_name(text, suffix_of(text->family), labels, NULL);
	write_text(text, "+Inf\n");
}

void exposition_seconds(struct exposition *text, const struct labels *labels, uint64_t ns)
{
	write_name(text, suffix_of(text->family), labels, NULL);
	write_seconds(text, ns);
	write_text(text, "\n");
}

/* Values are whole nanoseconds, so those below 2^n are at most 2^n - 1: an exact bound. */
static const char *bound_text(unsigned int index)
{
	static char bounds[NR_BOUNDS][32];
	unsigned int i;

	if (!*bounds[0])
		for (i = 0; i < NR_BOUNDS; i++)
			snprintf(bounds[i], sizeof(bounds[i]), "%.15g",
				 ((1ULL << (FIRST_BOUND + i)) - 1) / 1e9);
	return bounds[index];
}

void exposition_histogram(struct exposition *text, const struct labels *labels,
			  const struct histogram *histogram)
{
	uint64_t count = 0;
	unsigned int i, bucket = 0, end;

	for (i = 0; i < NR_BOUNDS; i++) {
		end = scope_bucket(1ULL << (FIRST_BOUND + i));
		while (bucket < end)
			count += histogram->buckets[bucket++];
		write_name(text, "_bucket", labels, bound_text(i));
		write_number(text, count, 1);
		write_text(text, "\n");
	}
	write_name(text, "_bucket", labels, "+Inf");
	write_number(text, histogram->count, 1);
	write_text(text, "\n");
	write_name(text, "_sum", labels, NULL);
	write_seconds(text, histogram->sum);
	write_text(text, "\n");
	write_name(text, "_count", labels, NULL);
	write_number(text, histogram->count, 1);
	write_text(text, "\n");
}

void exposition_end(struct exposition *text)
{
	if (text->format == EXPOSITION_OPENMETRICS)
		write_text(text, "# EOF\n");
}
