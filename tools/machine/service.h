/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The protocol between systemd and its services: passed sockets and notifications.
 */
#ifndef IOMMUSCOPE_MACHINE_SERVICE_H
#define IOMMUSCOPE_MACHINE_SERVICE_H

#include <stddef.h>

/**
 * service_sockets() - take over listening sockets from the manager
 * @sockets: filled in
 * @max: room in @sockets
 *
 * Return: number of sockets, 0 if this process was not started with sockets, or -1 after a message.
 */
int service_sockets(int *sockets, size_t max);

/**
 * service_notify() - notify the manager of our state
 * @state: "READY=1", "STOPPING=1", "WATCHDOG=1"
 *
 * Does nothing if no manager listens.
 */
void service_notify(const char *state);

#endif
