/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text formats of Prometheus: the classic one (version 0.0.4) and OpenMetrics.
 *
 *	exposition_family(&text, metric)
 *	exposition_u64(&text, &labels, value)		for each sample
 *	...
 *	exposition_end(&text)
 *
 * The two differ little: OpenMetrics omits "_total" from the name of a counter's family, knows
 * units and the type info, and ends with "# EOF".  A scrape writes thousands of lines, so they go
 * to one growing buffer without printf.
 */
#ifndef IOMMUSCOPE_TEXT_EXPOSITION_H
#define IOMMUSCOPE_TEXT_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

#include "text/histogram.h"

enum exposition_format {
	EXPOSITION_CLASSIC,
	EXPOSITION_OPENMETRICS,
	EXPOSITION_NR_FORMATS,
};

enum metric_type {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM,
	METRIC_INFO,
};

/**
 * struct metric - a family of metrics
 * @name: its name, without "_total" of a counter and "_info" of an info
 * @type: enum metric_type
 * @unit: the last word of @name if that is a unit, or NULL
 * @help: its description, in a line
 */
struct metric {
	const char *name;
	enum metric_type type;
	const char *unit;
	const char *help;
};

/* Room for the labels of a sample, names and escaped values. */
#define LABELS_SIZE 1024

/**
 * struct labels - the labels of a sample
 * @length: bytes of @text
 * @text: as they are written, without the braces; not terminated by a zero byte
 */
struct labels {
	size_t length;
	char text[LABELS_SIZE];
};

/**
 * struct exposition - a text in progress
 * @format: its format
 * @text: the text so far; the caller frees it
 * @length: its length
 * @room: size of @text
 * @family: the family of the next samples
 */
struct exposition {
	enum exposition_format format;
	char *text;
	size_t length;
	size_t room;
	const struct metric *family;
};

/**
 * exposition_choose() - choose the format that a client prefers
 * @accept: its Accept header, or NULL
 *
 * Return: OpenMetrics only if the client asks for it and prefers nothing else.
 */
enum exposition_format exposition_choose(const char *accept);

/**
 * exposition_type() - the media type of a format
 * @format: the format
 *
 * Return: the Content-Type.
 */
const char *exposition_type(enum exposition_format format);

/**
 * labels_add() - add a label
 * @labels: the labels, zeroed before the first one
 * @name: its name
 * @value: its value; invalid UTF-8 is replaced, and what does not fit is cut off
 */
void labels_add(struct labels *labels, const char *name, const char *value);

/**
 * labels_number() - add a label whose value is a number
 * @labels: the labels
 * @name: its name
 * @value: the number
 */
void labels_number(struct labels *labels, const char *name, uint64_t value);

/**
 * exposition_family() - start a family
 * @text: the text
 * @metric: the family
 */
void exposition_family(struct exposition *text, const struct metric *metric);

/**
 * exposition_u64() - write a sample
 * @text: the text
 * @labels: its labels, or NULL
 * @value: its value
 */
void exposition_u64(struct exposition *text, const struct labels *labels, uint64_t value);

/**
 * exposition_infinity() - write a sample with the value +Inf
 * @text: the text
 * @labels: its labels, or NULL
 */
void exposition_infinity(struct exposition *text, const struct labels *labels);

/**
 * exposition_seconds() - write a sample of seconds
 * @text: the text
 * @labels: its labels, or NULL
 * @ns: its value, in nanoseconds
 */
void exposition_seconds(struct exposition *text, const struct labels *labels, uint64_t ns);

/**
 * exposition_histogram() - write a histogram of seconds
 * @text: the text
 * @labels: its labels, or NULL
 * @histogram: nanoseconds
 *
 * The bounds are powers of two, which are also bounds of the kernel's buckets, so every value is
 * counted on the right side.
 */
void exposition_histogram(struct exposition *text, const struct labels *labels,
			  const struct histogram *histogram);

/**
 * exposition_end() - end a text
 * @text: the text
 */
void exposition_end(struct exposition *text);

#endif
