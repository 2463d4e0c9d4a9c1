// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/findings.h"
#include "text/name.h"
#include "text/output.h"

const char *doctor_status_name(enum doctor_status status)
{
	static const char *const names[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_WARNING] = "warning",
		[DOCTOR_MISSING] = "missing",
	};

	return names[status];
}

void doctor_free(struct doctor *doctor)
{
	size_t i;

	for (i = 0; i < doctor->nr; i++) {
		free(doctor->findings[i].text);
		free(doctor->findings[i].remedy);
	}
	free(doctor->findings);
	memset(doctor, 0, sizeof(*doctor));
}

__attribute__((format(printf, 1, 0))) static char *text_of(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		out_of_memory();
	/* names of interfaces, mounts etc. can contain anything */
	name_clean(text, strlen(text) + 1);
	return text;
}

void doctor_say(struct doctor *doctor, enum doctor_status status, const char *format, ...)
{
	va_list args;

	doctor->findings =
		reallocarray(doctor->findings, doctor->nr + 1, sizeof(*doctor->findings));
	if (!doctor->findings)
		out_of_memory();
	va_start(args, format);
	doctor->findings[doctor->nr++] = (struct doctor_finding){
		.check = doctor->check,
		.status = status,
		.text = text_of(format, args),
	};
	va_end(args);
	doctor->counts[status]++;
}

void doctor_remedy(struct doctor *doctor, const char *format, ...)
{
	struct doctor_finding *last = &doctor->findings[doctor->nr - 1];
	va_list args;

	free(last->remedy);
	va_start(args, format);
	last->remedy = text_of(format, args);
	va_end(args);
}
