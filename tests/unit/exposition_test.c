// SPDX-License-Identifier: GPL-2.0-only
/* The texts that Prometheus reads. */
#include <stdio.h>
#include <stdlib.h>

#include "text/exposition.h"
#include "unit.h"

static const struct metric things = { "things", METRIC_COUNTER, NULL, "How many." };
static const struct metric size = { "size_bytes", METRIC_GAUGE, "bytes", "How large." };
static const struct metric what = { "what", METRIC_INFO, NULL, "What." };
static const struct metric took = { "took_seconds", METRIC_HISTOGRAM, "seconds", "How long." };

static void check_text(enum exposition_format format, const char *wanted)
{
	struct exposition text = { .format = format };
	struct labels labels = {};
	char got[512] = "";

	labels_add(&labels, "a", "x");
	labels_number(&labels, "b", 7);
	exposition_family(&text, &things);
	exposition_u64(&text, &labels, 18446744073709551615ULL);
	exposition_family(&text, &size);
	exposition_infinity(&text, NULL);
	exposition_family(&text, &what);
	exposition_u64(&text, NULL, 1);
	exposition_end(&text);
	memcpy(got, text.text, text.length < sizeof(got) ? text.length : 0);
	free(text.text);
	CHECK_TEXT(got, wanted);
}

TEST(exposition, formats)
{
	check_text(EXPOSITION_CLASSIC, "# HELP things_total How many.\n# TYPE things_total counter\n"
				       "things_total{a=\"x\",b=\"7\"} 18446744073709551615\n"
				       "# HELP size_bytes How large.\n# TYPE size_bytes gauge\n"
				       "size_bytes +Inf\n"
				       "# HELP what_info What.\n# TYPE what_info gauge\nwhat_info 1\n");
	check_text(EXPOSITION_OPENMETRICS,
		   "# HELP things How many.\n# TYPE things counter\n"
		   "things_total{a=\"x\",b=\"7\"} 18446744073709551615\n"
		   "# HELP size_bytes How large.\n# TYPE size_bytes gauge\n# UNIT size_bytes bytes\n"
		   "size_bytes +Inf\n"
		   "# HELP what What.\n# TYPE what info\nwhat_info 1\n# EOF\n");
}

static void check_label(const char *value, const char *wanted)
{
	struct labels labels = {};
	char got[LABELS_SIZE + 1] = "";

	labels_add(&labels, "l", value);
	memcpy(got, labels.text, labels.length);
	CHECK_TEXT(got, wanted);
}

TEST(exposition, labels)
{
	struct labels labels = {};
	char longest[2 * LABELS_SIZE];

	check_label("", "l=\"\"");
	check_label("a\"b\\c\nd", "l=\"a\\\"b\\\\c\\nd\"");
	check_label("ä€𝄞", "l=\"ä€𝄞\"");
	check_label("\xff\xc3", "l=\"\xef\xbf\xbd\xef\xbf\xbd\"");
	/* invalid UTF-8: too long a form, a surrogate, beyond the last character */
	check_label("\xc0\x80", "l=\"\xef\xbf\xbd\xef\xbf\xbd\"");
	check_label("\xed\xa0\x80", "l=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	check_label("\xf4\x90\x80\x80", "l=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	/* text that does not fit is cut off, and the quote is closed */
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	labels_add(&labels, "l", longest);
	if (labels.length > LABELS_SIZE || labels.text[labels.length - 1] != '"')
		tap_fail(__FILE__, __LINE__, "%zu bytes of labels", labels.length);
	labels_add(&labels, "m", "y");
	if (labels.length > LABELS_SIZE)
		tap_fail(__FILE__, __LINE__, "%zu bytes of labels", labels.length);
}

static const char *choose(const char *accept)
{
	return exposition_choose(accept) == EXPOSITION_OPENMETRICS ? "openmetrics" : "classic";
}

TEST(exposition, accept)
{
	CHECK_TEXT(choose(NULL), "classic");
	CHECK_TEXT(choose(""), "classic");
	CHECK_TEXT(choose("*/*"), "classic");
	CHECK_TEXT(choose("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"), "classic");
	CHECK_TEXT(choose("application/openmetrics-text"), "openmetrics");
	CHECK_TEXT(choose("application/openmetrics-text;version=1.0.0,"
			  "application/openmetrics-text;version=0.0.1;q=0.75,"
			  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"), "openmetrics");
	CHECK_TEXT(choose("text/plain;version=0.0.4 , application/openmetrics-text; q=0.5"), "classic");
	CHECK_TEXT(choose("Application/OpenMetrics-Text;q=0.3, text/plain;q=0.2"), "openmetrics");
	CHECK_TEXT(choose("application/openmetrics-text;q=0"), "classic");
	CHECK_TEXT(choose("application/openmetrics-textual"), "classic");
	CHECK_TEXT(choose(",;,;q=,application/openmetrics-text;;;q=x"), "classic");
}

/* The samples of a histogram that start with some text, one after the other. */
static void check_sample(const struct exposition *text, const char *begin, const char *wanted)
{
	const char *at = memmem(text->text, text->length, begin, strlen(begin));
	char got[32] = "";

	if (at)
		snprintf(got, sizeof(got), "%.*s", (int)strcspn(at + strlen(begin), "\n"),
			 at + strlen(begin));
	CHECK_TEXT(got, wanted);
}

TEST(exposition, histograms)
{
	struct exposition text = {};
	struct histogram histogram = {};

	/* on both sides of a bound, at both ends */
	histogram_value(&histogram, 0);
	histogram_value(&histogram, 511);
	histogram_value(&histogram, 512);
	histogram_value(&histogram, 1023);
	histogram_value(&histogram, 1024);
	histogram_value(&histogram, 3600000000000ULL);
	exposition_family(&text, &took);
	exposition_histogram(&text, NULL, &histogram);
	check_sample(&text, "took_seconds_bucket{le=\"5.11e-07\"} ", "2");
	check_sample(&text, "took_seconds_bucket{le=\"1.023e-06\"} ", "4");
	check_sample(&text, "took_seconds_bucket{le=\"2.047e-06\"} ", "5");
	check_sample(&text, "took_seconds_bucket{le=\"17.179869183\"} ", "5");
	check_sample(&text, "took_seconds_bucket{le=\"+Inf\"} ", "6");
	check_sample(&text, "took_seconds_sum ", "3600.000003070");
	check_sample(&text, "took_seconds_count ", "6");
	free(text.text);
}
