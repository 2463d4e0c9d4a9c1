/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which devices are attached to which IOAS when an observation starts?
 *
 * Programs follow devices from IOAS to IOAS by their events.  Devices that were attached earlier
 * are known only from the state.
 */
#ifndef IOMMUSCOPE_OBSERVE_ATTACHMENTS_H
#define IOMMUSCOPE_OBSERVE_ATTACHMENTS_H

struct session;

/**
 * attachments_know() - enter devices that are already attached into the maps of the programs
 * @session: the session; fills in its maps "ios_attachments" and "ios_ioas_of_device", if it has
 *	them
 * @device: the device that is filtered by, or NULL
 *
 * If the state cannot be read, a message says so, and the programs use events alone.
 */
void attachments_know(const struct session *session, const char *device);

#endif
