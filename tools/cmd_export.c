// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope export: metrics for Prometheus.
 *
 * exporter.c observes, export_server.c serves, export_routes.c tells what; this side sets them up
 * and turns the wheel: one thread, which waits for the server's descriptor.
 */
#include <stdlib.h>

#include "command.h"
#include "export_server.h"
#include "exporter.h"
#include "format.h"
#include "lifetime.h"
#include "options.h"
#include "output.h"
#include "session.h"

#define DEFAULT_ADDRESS "127.0.0.1:9947"
#define DEFAULT_LIMIT 64
#define MAX_LIMIT 4096
#define DEFAULT_OBJECTS 256
#define MAX_OBJECTS 65536

enum {
	KEY_LISTEN = OPTION_KEY_OWN,
	KEY_BY,
	KEY_LIMIT,
	KEY_OBJECTS,
	KEY_PROCESSES,
	KEY_STUCK,
};

static struct {
	const char *addresses[SERVER_MAX_SOCKETS];
	size_t nr_addresses;
	struct export_settings settings;
} own = {
	.settings = {
		.limit = DEFAULT_LIMIT,
		.max_objects = DEFAULT_OBJECTS,
		.stuck_after_ns = 10000000000ULL,
	},
};

static const struct argp_option own_options[] = {
	{ "listen", KEY_LISTEN, "ADDRESS:PORT", 0,
	  "serve there, " DEFAULT_ADDRESS "; may be given several times", 1 },
	{ "by", KEY_BY, "WHAT", 0,
	  "give operations a label more: device, ioas, process or cgroup", 2 },
	{ "limit", KEY_LIMIT, "N", 0,
	  "with --by tell at most N operations of a device (...) apart on each CPU, 64", 2 },
	{ "max-objects", KEY_OBJECTS, "N", 0,
	  "metrics for at most N contexts, devices and IOASes each, 256", 2 },
	{ "processes", KEY_PROCESSES, NULL, 0, "name the processes of contexts", 2 },
	{ "stuck-after", KEY_STUCK, "TIME", 0,
	  "operations under way for longer than TIME are stuck, 10s", 2 },
	{},
};

static unsigned int parse_limit(const char *arg, unsigned int max, struct argp_state *state)
{
	uint64_t number = 0;

	if (!parse_number(arg, max, &number) || !number)
		argp_error(state, "%s is not a limit: 1 to %u", arg, max);
	return number;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case KEY_LISTEN:
		if (own.nr_addresses == SERVER_MAX_SOCKETS)
			argp_error(state, "at most %d addresses to listen on", SERVER_MAX_SOCKETS);
		own.addresses[own.nr_addresses++] = arg;
		return 0;
	case KEY_BY:
		own.settings.by = dimension_parse(arg, state);
		return 0;
	case KEY_LIMIT:
		own.settings.limit = parse_limit(arg, MAX_LIMIT, state);
		return 0;
	case KEY_OBJECTS:
		own.settings.max_objects = parse_limit(arg, MAX_OBJECTS, state);
		return 0;
	case KEY_PROCESSES:
		own.settings.processes = true;
		return 0;
	case KEY_STUCK:
		if (!parse_duration(arg, &own.settings.stuck_after_ns) ||
		    own.settings.stuck_after_ns < 1000000)
			argp_error(state, "%s is not a time of at least 1ms", arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int open_sockets(int *sockets, size_t *nr)
{
	if (!own.nr_addresses)
		own.addresses[own.nr_addresses++] = DEFAULT_ADDRESS;
	for (*nr = 0; *nr < own.nr_addresses; ++*nr) {
		sockets[*nr] = server_listen(own.addresses[*nr]);
		if (sockets[*nr] < 0)
			return -1;
	}
	return 0;
}

/* Serve until the run has ended. */
static void serve(struct lifetime *lifetime, struct server *server, struct exporter *exporter)
{
	uint64_t next, now;

	do {
		next = server_run(server);
		now = now_ns();
		if (now >= exporter->refreshed_ns + LATENCY_READ_EVERY_NS)
			exporter_refresh(exporter);
		if (next > now + LATENCY_READ_EVERY_NS)
			next = now + LATENCY_READ_EVERY_NS;
	} while (lifetime_wait(lifetime, server_fd(server), next));
}

static int run(const struct options *options)
{
	struct server *server = NULL;
	int sockets[SERVER_MAX_SOCKETS];
	struct exporter exporter = {};
	struct lifetime lifetime;
	int status = EXIT_FAILED;
	size_t nr;

	if (open_sockets(sockets, &nr) || session_check())
		return EXIT_FAILED;
	if (lifetime_begin(&lifetime, options) || exporter_open(&exporter, &own.settings))
		goto out;
	server = server_start(&exporter, NULL, sockets, nr);
	if (!server)
		goto out;
	exporter.http = server_counters(server);
	if (lifetime_start(&lifetime))
		goto out;
	serve(&lifetime, server, &exporter);
	status = lifetime_finish(&lifetime);
out:
	server_stop(server);
	exporter_close(&exporter);
	return status;
}

static const struct command_example examples[] = {
	{ "export", "serve http://" DEFAULT_ADDRESS "/metrics" },
	{ "export --listen [::]:9947", "on all addresses, of IPv4 too" },
	{},
};

const struct command command_export = {
	.name = "export",
	.summary = "Serve metrics for Prometheus",
	.description =
		"It serves metrics under /metrics, in OpenMetrics or Prometheus's classic text "
		"format, whichever the client asks for: operations by result, failures by reason, "
		"histograms of how long operations and their phases took.  docs/metrics.md tells "
		"of each metric.  /-/healthy tells that it is there.",
	.examples = examples,
	.common = OPTION_DURATION | OPTION_READY,
	.options = own_options,
	.parse = parse,
	.run = run,
};
