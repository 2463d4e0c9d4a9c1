/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a service of systemd has to do: take sockets over, and tell how it is.
 */
#ifndef IOMMUSCOPE_MACHINE_SERVICE_H
#define IOMMUSCOPE_MACHINE_SERVICE_H

#include <stddef.h>

/**
 * service_sockets() - take listening sockets over from the manager
 * @sockets: filled in
 * @max: how many find room
 *
 * Return: how many there are, 0 if this process was not started for its sockets, or -1 after it has
 * said what is wrong with them.
 */
int service_sockets(int *sockets, size_t max);

/**
 * service_notify() - tell the manager how we are
 * @state: "READY=1", "STOPPING=1", "WATCHDOG=1"
 *
 * Does nothing where no manager listens.
 */
void service_notify(const char *state);

#endif
