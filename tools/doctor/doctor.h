/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is this machine set up for iommufd and VFIO, and for observing them?
 *
 * The checks are a table, a function each.  A check looks at one thing and says what it found, in
 * one finding or several; the findings are what is shown.  Nothing here needs our modules, BPF or
 * a privilege, and nothing is changed: what cannot be seen without one is said to be so.
 */
#ifndef IOMMUSCOPE_DOCTOR_DOCTOR_H
#define IOMMUSCOPE_DOCTOR_DOCTOR_H

#include "doctor/findings.h"

/**
 * doctor_run() - examine this machine
 * @doctor: filled in; doctor_free() frees it
 * @device: name of a device to look at in depth, or NULL
 */
void doctor_run(struct doctor *doctor, const char *device);

#endif
