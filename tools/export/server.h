/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HTTP server of iommuscope export.
 *
 * It runs in the caller's thread: server_run() serves what is ready and never waits.  Its memory
 * and time are bounded whatever clients do: there are at most SERVER_CONNECTIONS, each with a
 * bounded buffer.  A client has SERVER_PATIENCE_NS from its connection, or from its last answer,
 * to its next answer.  When connections become scarce, those that have waited longest without an
 * answer are closed first.
 */
#ifndef IOMMUSCOPE_EXPORT_SERVER_H
#define IOMMUSCOPE_EXPORT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exporter;
struct server;
struct web_config;

#define SERVER_CONNECTIONS 512
#define SERVER_PATIENCE_NS 10000000000ULL
/* An answered client may keep its connection for the next scrape. */
#define SERVER_KEEP_NS 120000000000ULL
#define SERVER_MAX_SOCKETS 8

/**
 * struct server_counters - counters of a server
 * @requests: answers by HTTP status, 100 to 599
 * @connections: clients that are connected
 * @dropped: connections that were closed because they were slow
 */
struct server_counters {
	uint64_t requests[600];
	unsigned int connections;
	uint64_t dropped;
};

/**
 * server_listen() - listen on an address
 * @address: "ADDRESS:PORT"; an IPv6 address is in brackets; without an address it listens on all
 *
 * Return: the socket, or -1 after a message.
 */
int server_listen(const char *address);

/**
 * server_print_address() - print where metrics are served
 * @socket: a listening socket
 * @tls: it speaks TLS
 */
void server_print_address(int socket, bool tls);

/**
 * server_start() - serve on sockets
 * @exporter: the observation for the routes
 * @config: TLS and users, or NULL for neither
 * @sockets: listening sockets; the server owns them from now on
 * @nr: number of sockets
 *
 * Return: the server, or NULL after a message.
 */
struct server *server_start(struct exporter *exporter, const struct web_config *config,
			    const int *sockets, size_t nr);

/**
 * server_fd() - get the descriptor that becomes readable when server_run() is due
 * @server: the server
 *
 * Return: the descriptor.
 */
int server_fd(const struct server *server);

/**
 * server_run() - serve what is ready
 * @server: the server
 *
 * Return: CLOCK_MONOTONIC at which to call it again at the latest.
 */
uint64_t server_run(struct server *server);

/**
 * server_counters() - get the counters
 * @server: the server
 *
 * Return: the counters.
 */
const struct server_counters *server_counters(const struct server *server);

/**
 * server_stop() - close all connections and free the server
 * @server: the server, or NULL
 */
void server_stop(struct server *server);

#endif
