/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is this machine set up for iommufd and VFIO, and for observing them?
 *
 * The checks are a table of functions.  Each check examines one thing and reports one finding or
 * several; the command shows the findings.  No check needs our modules, BPF or a privilege, and no
 * check changes anything.  A finding says so if something cannot be seen without a privilege.
 */
#ifndef IOMMUSCOPE_DOCTOR_DOCTOR_H
#define IOMMUSCOPE_DOCTOR_DOCTOR_H

#include "doctor/findings.h"

/**
 * doctor_run() - examine this machine
 * @doctor: filled in; doctor_free() frees it
 * @device: name of a device to check in depth, or NULL
 */
void doctor_run(struct doctor *doctor, const char *device);

#endif
