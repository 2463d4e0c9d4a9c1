// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope export: metrics for Prometheus.
 *
 * exporter.c observes, export_server.c serves, export_routes.c tells what; this side sets them up
 * and turns the wheel: one thread, which waits for the server's descriptor.
 */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "export_metrics.h"
#include "export_server.h"
#include "exporter.h"
#include "format.h"
#include "lifetime.h"
#include "options.h"
#include "output.h"
#include "privilege.h"
#include "service.h"
#include "session.h"
#include "textfile.h"
#include "web_config.h"

#define DEFAULT_ADDRESS "127.0.0.1:9947"
#define DEFAULT_LIMIT 64
#define MAX_LIMIT 4096
#define DEFAULT_OBJECTS 256
#define MAX_OBJECTS 65536
/* How often the textfile is written. */
#define TEXTFILE_EVERY_NS 15000000000ULL

enum {
	KEY_LISTEN = OPTION_KEY_OWN,
	KEY_WEB_CONFIG,
	KEY_TEXTFILE,
	KEY_BY,
	KEY_LIMIT,
	KEY_OBJECTS,
	KEY_PROCESSES,
	KEY_STUCK,
};

static struct {
	const char *addresses[SERVER_MAX_SOCKETS];
	size_t nr_addresses;
	const char *web_config;
	const char *textfile;
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
	{ "web-config", KEY_WEB_CONFIG, "FILE", 0,
	  "TLS and users, as Prometheus's exporters have them", 1 },
	{ "textfile", KEY_TEXTFILE, "PATH", 0,
	  "write PATH every 15 seconds for node_exporter; serve only with --listen", 1 },
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
	case KEY_WEB_CONFIG:
		own.web_config = arg;
		return 0;
	case KEY_TEXTFILE:
		own.textfile = arg;
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

/* What is set up for a run, besides the observation. */
struct run {
	const struct options *options;
	struct lifetime lifetime;
	struct exporter exporter;
	struct web_config config;
	struct server *server;
	int sockets[SERVER_MAX_SOCKETS];
	size_t nr_sockets;
	int textfile_error;
};

/* Those of the manager, and those asked for; the default where there would be none. */
static int open_sockets(struct run *run)
{
	int given = service_sockets(run->sockets, SERVER_MAX_SOCKETS);
	size_t i;

	if (given < 0)
		return -1;
	run->nr_sockets = given;
	if (!given && !own.nr_addresses && !own.textfile)
		own.addresses[own.nr_addresses++] = DEFAULT_ADDRESS;
	for (i = 0; i < own.nr_addresses; i++) {
		if (run->nr_sockets == SERVER_MAX_SOCKETS) {
			complain("more sockets than %d", SERVER_MAX_SOCKETS);
			return -1;
		}
		run->sockets[run->nr_sockets] = server_listen(own.addresses[i]);
		if (run->sockets[run->nr_sockets++] < 0)
			return -1;
	}
	return 0;
}

static int write_textfile(struct run *run)
{
	size_t length;
	char *text = export_metrics(&run->exporter, EXPOSITION_CLASSIC, &length);
	int err = textfile_write(own.textfile, text, length);

	free(text);
	/* it may be full for a while: that is said once */
	if (err && err != run->textfile_error)
		complain("cannot write %s: %s", own.textfile, strerror(-err));
	run->textfile_error = err;
	return err;
}

/* Can it be written at all?  An empty file asks nothing of who reads it. */
static int check_textfile(void)
{
	int err = textfile_write(own.textfile, "", 0);

	if (err)
		complain("cannot write %s: %s", own.textfile, strerror(-err));
	return err;
}

/* Everything is open: give up what only that took. */
static int drop_privileges(void)
{
	uint64_t keep = 1ULL << SCOPE_CAP_BPF | 1ULL << SCOPE_CAP_PERFMON, kept = 0;
	char *folder;

	if (own.textfile) {
		folder = strdup(own.textfile);
		if (!folder)
			out_of_memory();
		if (!privilege_writes(dirname(folder)))
			keep |= 1ULL << SCOPE_CAP_DAC_OVERRIDE;
		free(folder);
	}
	if (privilege_keep(keep))
		return -1;
	process_capabilities(0, &kept);
	printf("kept of all capabilities:%s%s%s%s\n",
	       kept & 1ULL << SCOPE_CAP_BPF ? " CAP_BPF" : "",
	       kept & 1ULL << SCOPE_CAP_PERFMON ? " CAP_PERFMON" : "",
	       kept & 1ULL << SCOPE_CAP_DAC_OVERRIDE ? " CAP_DAC_OVERRIDE (to write the textfile)" :
						       "",
	       kept ? "" : " none");
	return 0;
}

static int start(struct run *run)
{
	size_t i;

	if (lifetime_begin(&run->lifetime, run->options) ||
	    exporter_open(&run->exporter, &own.settings))
		return -1;
	if (run->nr_sockets) {
		run->server = server_start(&run->exporter, own.web_config ? &run->config : NULL,
					   run->sockets, run->nr_sockets);
		if (!run->server)
			return -1;
		run->exporter.http = server_counters(run->server);
	}
	if (own.textfile && write_textfile(run))
		return -1;
	for (i = 0; i < run->nr_sockets; i++)
		server_print_address(run->sockets[i], run->config.certificate != NULL);
	if (drop_privileges() || lifetime_start(&run->lifetime))
		return -1;
	flush_output();
	service_notify("READY=1");
	return 0;
}

/* Serve until the run has ended. */
static void serve(struct run *run)
{
	uint64_t now = now_ns(), watch = 0, next, write = now + TEXTFILE_EVERY_NS;
	struct exporter *exporter = &run->exporter;

	do {
		next = run->server ? server_run(run->server) : UINT64_MAX;
		now = now_ns();
		if (now >= exporter->refreshed_ns + LATENCY_READ_EVERY_NS)
			exporter_refresh(exporter);
		if (now >= watch) {
			exporter_watch(exporter);
			service_notify("WATCHDOG=1");
			watch = now + EXPORT_WATCH_EVERY_NS;
		}
		if (own.textfile && now >= write) {
			write_textfile(run);
			write = now + TEXTFILE_EVERY_NS;
		}
		if (next > watch)
			next = watch;
	} while (lifetime_wait(&run->lifetime, run->server ? server_fd(run->server) : -1, next));
}

static int run(const struct options *options)
{
	struct run run = { .options = options };
	int status = EXIT_FAILED;

	if (own.web_config && web_config_read(&run.config, own.web_config))
		return EXIT_FAILED;
	if ((own.textfile && check_textfile()) || open_sockets(&run) || session_check())
		return EXIT_FAILED;
	if (!start(&run)) {
		serve(&run);
		service_notify("STOPPING=1");
		status = lifetime_finish(&run.lifetime);
		/* what is old must not pass for what is now */
		if (own.textfile)
			remove(own.textfile);
	}
	server_stop(run.server);
	exporter_close(&run.exporter);
	return status;
}

static const struct command_example examples[] = {
	{ "export", "serve http://" DEFAULT_ADDRESS "/metrics" },
	{ "export --listen [::]:9947 --web-config web.yml", "to all who have a password" },
	{ "export --textfile /var/lib/prometheus/node-exporter/iommuscope.prom",
	  "let node_exporter serve it" },
	{},
};

const struct command command_export = {
	.name = "export",
	.summary = "Serve metrics for Prometheus",
	.description =
		"It serves metrics under /metrics, in OpenMetrics or Prometheus's classic text "
		"format, whichever the client asks for: operations by result, failures by reason, "
		"histograms of how long operations and their phases took, devices and what translates "
		"for them, replacements and what they did to DMA, memory and its limits.  "
		"docs/metrics.md tells of each metric.  Under / there is a page for a browser; "
		"/-/healthy tells that it is there.\n\n"
		"Only GET and HEAD are served, and whatever clients do, it takes bounded memory and "
		"time.  Once everything is open it gives up all capabilities but CAP_BPF and "
		"CAP_PERFMON, and CAP_DAC_OVERRIDE where the textfile's folder takes that.  It takes "
		"sockets from systemd and tells it when it is ready; units are shipped.\n\n"
		"FILE has a tls_server_config with cert_file and key_file, and basic_auth_users with "
		"bcrypt hashes; docs/metrics.md has an example.",
	.examples = examples,
	.common = OPTION_DURATION | OPTION_READY,
	.options = own_options,
	.parse = parse,
	.run = run,
};
