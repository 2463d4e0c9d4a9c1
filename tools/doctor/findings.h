/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The findings of an examination.
 */
#ifndef IOMMUSCOPE_DOCTOR_FINDINGS_H
#define IOMMUSCOPE_DOCTOR_FINDINGS_H

#include <stddef.h>

enum doctor_status {
	DOCTOR_OK,
	DOCTOR_WARNING,		/* it works, but not for all users or not well */
	DOCTOR_MISSING,		/* something does not work without it */
	DOCTOR_NR_STATUS,
};

/**
 * struct doctor_finding - one finding
 * @check: name of the check, e.g. "iommu"
 * @status: ok, warning or missing
 * @text: the finding
 * @remedy: what to do about it; NULL if nothing
 */
struct doctor_finding {
	const char *check;
	enum doctor_status status;
	char *text;
	char *remedy;
};

/**
 * struct doctor - an examination
 * @device: the device that is checked in depth, or NULL
 * @check: name of the running check
 * @findings: the findings, in order
 * @nr: number of findings
 * @counts: number of findings of each status
 */
struct doctor {
	const char *device;
	const char *check;
	struct doctor_finding *findings;
	size_t nr;
	size_t counts[DOCTOR_NR_STATUS];
};

/**
 * doctor_free() - free the findings
 * @doctor: the examination
 */
void doctor_free(struct doctor *doctor);

/**
 * doctor_status_name() - name of a status: "ok", "warning", "missing"
 * @status: the status
 *
 * Return: the name.
 */
const char *doctor_status_name(enum doctor_status status);

/**
 * doctor_say() - report a finding
 * @doctor: the examination
 * @status: its status
 * @format: its text, as for printf
 */
void doctor_say(struct doctor *doctor, enum doctor_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * doctor_remedy() - set the remedy of the last finding
 * @doctor: the examination
 * @format: what to do, as for printf
 */
void doctor_remedy(struct doctor *doctor, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
