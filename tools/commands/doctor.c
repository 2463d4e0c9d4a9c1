// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope doctor: what does this machine need, and what is missing?
 */
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "commands/options.h"
#include "doctor/doctor.h"
#include "text/exit_status.h"
#include "text/fields.h"
#include "text/json.h"
#include "text/output.h"
#include "text/utf8.h"

/* Widths of the status, of the check's name, and of both with the blanks between. */
#define STATUS_WIDTH 8
#define CHECK_WIDTH 14
#define INDENT (STATUS_WIDTH + CHECK_WIDTH)

static const enum colour colours[] = {
	[DOCTOR_OK] = COLOUR_GREEN,
	[DOCTOR_WARNING] = COLOUR_YELLOW,
	[DOCTOR_MISSING] = COLOUR_RED,
};

/* Print a text from column @indent on, in lines of at most @width columns. */
static void wrapped(const char *text, int indent, int width)
{
	size_t length;

	for (;;) {
		length = text_line(text, width - indent);
		printf("%.*s\n", (int)length, text);
		text += length;
		text += strspn(text, " ");
		if (!*text)
			return;
		printf("%*s", indent, "");
	}
}

static void show_finding(const struct doctor_finding *finding, int width)
{
	printf("%s%-*s%s%-*s", colour_on(colours[finding->status]), STATUS_WIDTH,
	       doctor_status_name(finding->status), colour_off(), CHECK_WIDTH, finding->check);
	wrapped(finding->text, INDENT, width);
	if (!finding->remedy)
		return;
	printf("%*s-> ", INDENT - 3, "");
	wrapped(finding->remedy, INDENT, width);
}

static void show(const struct doctor *doctor)
{
	int width = terminal_width();
	size_t i;

	/* readable: neither too wide nor one word a line */
	if (!width || width > 100)
		width = width ? 100 : 80;
	if (width < INDENT + 20)
		width = INDENT + 20;
	for (i = 0; i < doctor->nr; i++)
		show_finding(&doctor->findings[i], width);
	printf("\n%s%s: %zu ok, %zu warning%s, %zu missing%s\n", colour_on(COLOUR_BOLD),
	       doctor->counts[DOCTOR_MISSING] ? "Not ready" :
	       doctor->counts[DOCTOR_WARNING] ? "Ready, with warnings" :
						"Ready",
	       doctor->counts[DOCTOR_OK], doctor->counts[DOCTOR_WARNING],
	       doctor->counts[DOCTOR_WARNING] == 1 ? "" : "s", doctor->counts[DOCTOR_MISSING],
	       colour_off());
}

static void get_status(const void *record, struct value *value)
{
	value->text = doctor_status_name(((const struct doctor_finding *)record)->status);
}

static void get_text(const void *record, struct value *value)
{
	value->text = ((const struct doctor_finding *)record)->text;
}

static void get_check(const void *record, struct value *value)
{
	value->text = ((const struct doctor_finding *)record)->check;
}

static void get_remedy(const void *record, struct value *value)
{
	value->text = ((const struct doctor_finding *)record)->remedy;
	value->known = value->text;
}

static const struct field finding[] = {
	FIELD(TEXT, "check", .get = get_check, .doc = "name of the check"),
	FIELD(TEXT, "status", .get = get_status, .doc = "`ok`, `warning` or `missing`"),
	FIELD(TEXT, "text", .get = get_text, .doc = "the finding or failure, as a sentence"),
	FIELD(TEXT, "remedy", .get = get_remedy, .unknown = "there is nothing to do",
	      .doc = "what to do about it"),
};

static const struct field_table finding_fields = FIELD_TABLE("finding", finding);

static const void *nth_finding(const void *record, size_t number)
{
	const struct doctor *doctor = record;

	return number < doctor->nr ? &doctor->findings[number] : NULL;
}

static void get_device(const void *record, struct value *value)
{
	value->text = ((const struct doctor *)record)->device;
	value->known = value->text;
}

static void get_ready(const void *record, struct value *value)
{
	value->number = !((const struct doctor *)record)->counts[DOCTOR_MISSING];
}

static const struct field document[] = {
	FIELD(TEXT, "device", .get = get_device, .unknown = "no device is named",
	      .doc = "name of the device"),
	FIELD(FLAG, "ready", .get = get_ready, .doc = "nothing is missing"),
	MEMBER(NUMBER, "ok", struct doctor, counts[DOCTOR_OK], .doc = "findings that are ok"),
	MEMBER(NUMBER, "warning", struct doctor, counts[DOCTOR_WARNING],
	       .doc = "findings that are warnings"),
	MEMBER(NUMBER, "missing", struct doctor, counts[DOCTOR_MISSING],
	       .doc = "findings that are missing"),
	FIELD(LIST, "findings", .table = &finding_fields, .element = nth_finding,
	      .doc = "all findings"),
};

static const struct field_table document_fields = FIELD_TABLE("examination", document);

static int doctor_main(const struct options *options)
{
	struct json json = { .file = stdout };
	struct doctor doctor;
	int status;

	doctor_run(&doctor, options->filter.device);
	if (options->json)
		fields_json_line(&json, &document_fields, &doctor, 0);
	else
		show(&doctor);
	status = doctor.counts[DOCTOR_MISSING] ? EXIT_FAILED : 0;
	doctor_free(&doctor);
	return status;
}

static const struct field_table *const records[] = {
	&document_fields,
	NULL,
};

static const struct command_example examples[] = {
	{ "doctor", "is this machine set up, and if not, what to do?" },
	{ "doctor -d 0000:03:00.0", "can this device be given to a guest?" },
	{ "doctor --json | jq -r '.findings[].remedy // empty'", "only the remedies" },
	{},
};

const struct command command_doctor = {
	.name = "doctor",
	.summary = "Check this machine, and show what is missing and how to fix it",
	.description =
		"Each line is ok, a warning or missing, with a remedy if there is something to do.  "
		"It checks the kernel and its options, BTF, restrictions on BPF, the modules (ours "
		"or the kernel's own), where operations can be observed and which phases cannot, "
		"the IOMMU, interrupt remapping, groups and what blocks them, device nodes, and "
		"what the calling user is allowed to do and to pin.\n\n"
		"With -d it checks one device in depth instead of all groups: what the host uses "
		"it for, its IOMMU, the other devices in its group, its driver, how it can be "
		"reset, and its node.\n\n"
		"It changes nothing, and needs neither privileges nor the modules.  The exit "
		"status is 0 if nothing is missing, else 1.",
	.examples = examples,
	.common = OPTION_DEVICE | OPTION_JSON,
	.records = records,
	.run = doctor_main,
};
