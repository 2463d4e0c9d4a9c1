/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which devices are attached to which IOAS as an observation begins.
 *
 * Programs follow devices from IOAS to IOAS by their events; what was attached before they were
 * there, only the state tells.
 */
#ifndef IOMMUSCOPE_OBSERVE_ATTACHMENTS_H
#define IOMMUSCOPE_OBSERVE_ATTACHMENTS_H

struct session;

/**
 * attachments_know() - tell attached programs of the devices that are attached already
 * @session: their session; of its maps "ios_attachments" and "ios_ioas_of_device" those that it has are filled
 * @device: the device that is filtered by, or NULL
 *
 * Where the state cannot be read it says so, and the programs go by events alone.
 */
void attachments_know(const struct session *session, const char *device);

#endif
