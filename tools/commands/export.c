// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope export: metrics for Prometheus.
 *
 * export/exporter.c observes, export/server.c serves, and export/routes.c defines the pages.  This
 * file sets them up and runs the loop: one thread, which waits for the server's descriptor.
 */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/options.h"
#include "commands/run.h"
#include "export/exporter.h"
#include "export/metrics.h"
#include "export/page_document.h"
#include "export/server.h"
#include "export/textfile.h"
#include "export/web_config.h"
#include "machine/obstacles.h"
#include "machine/privilege.h"
#include "machine/service.h"
#include "observe/session.h"
#include "probe/host_watch.h"
#include "text/clock.h"
#include "text/exit_status.h"
#include "text/format.h"
#include "text/output.h"

#define DEFAULT_ADDRESS "127.0.0.1:9947"
#define DEFAULT_LIMIT 64
#define MAX_LIMIT 4096
#define DEFAULT_OBJECTS 256
#define MAX_OBJECTS 65536
#define MAX_RATE 1000000000
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
	KEY_PHASES,
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
		.phases_limit = 50000,
	},
};

static const struct argp_option own_options[] = {
	{ "listen", KEY_LISTEN, "ADDRESS:PORT", 0,
	  "serve on this address; may be repeated [default: " DEFAULT_ADDRESS "]", 1 },
	{ "web-config", KEY_WEB_CONFIG, "FILE", 0,
	  "read TLS settings and users from FILE, in the format of Prometheus's exporters", 1 },
	{ "textfile", KEY_TEXTFILE, "PATH", 0,
	  "write PATH every 15 seconds for node_exporter; serve only if --listen is given too", 1 },
	{ "by", KEY_BY, "WHAT", 0,
	  "add a label to operations: device, ioas, process or cgroup", 2 },
	{ "limit", KEY_LIMIT, "N", 0,
	  "track at most N labels at a time with --by; the rest count as (others) [default: 64]", 2 },
	{ "max-objects", KEY_OBJECTS, "N", 0,
	  "export at most N contexts, N devices and N IOASes [default: 256]", 2 },
	{ "processes", KEY_PROCESSES, NULL, 0, "label contexts with their process", 2 },
	{ "stuck-after", KEY_STUCK, "TIME", 0,
	  "report operations in flight for longer than TIME as stuck [default: 10s]", 2 },
	{ "phases-limit", KEY_PHASES, "N", 0,
	  "stop observing phases above N operations a second, on a stock kernel [default: 50000]",
	  2 },
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
	case KEY_PHASES:
		own.settings.phases_limit = parse_limit(arg, MAX_RATE, state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* What a run sets up besides the observation. */
struct serving {
	const struct options *options;
	struct run run;
	struct exporter exporter;
	struct web_config config;
	struct server *server;
	int sockets[SERVER_MAX_SOCKETS];
	size_t nr_sockets;
	int textfile_error;
};

/* Open the service manager's sockets and the requested ones; if there are none, the default. */
static int open_sockets(struct serving *serving)
{
	int given = service_sockets(serving->sockets, SERVER_MAX_SOCKETS);
	size_t i;

	if (given < 0)
		return -1;
	serving->nr_sockets = given;
	if (!given && !own.nr_addresses && !own.textfile)
		own.addresses[own.nr_addresses++] = DEFAULT_ADDRESS;
	for (i = 0; i < own.nr_addresses; i++) {
		if (serving->nr_sockets == SERVER_MAX_SOCKETS) {
			complain("more sockets than %d", SERVER_MAX_SOCKETS);
			return -1;
		}
		serving->sockets[serving->nr_sockets] = server_listen(own.addresses[i]);
		if (serving->sockets[serving->nr_sockets++] < 0)
			return -1;
	}
	return 0;
}

static int write_textfile(struct serving *serving)
{
	size_t length;
	char *text = export_metrics(&serving->exporter, EXPOSITION_CLASSIC, &length);
	int err = textfile_write(own.textfile, text, length);

	free(text);
	/* the disk may be full for a while: report each error once */
	if (err && err != serving->textfile_error)
		complain("cannot write %s: %s", own.textfile, strerror(-err));
	serving->textfile_error = err;
	return err;
}

/* Check that the textfile can be written.  An empty file is valid for its readers. */
static int check_textfile(void)
{
	int err = textfile_write(own.textfile, "", 0);

	if (err)
		complain("cannot write %s: %s", own.textfile, strerror(-err));
	return err;
}

/* Everything is open: drop the capabilities that only opening needs. */
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
	printf("capabilities kept:%s%s%s%s\n",
	       kept & 1ULL << SCOPE_CAP_BPF ? " CAP_BPF" : "",
	       kept & 1ULL << SCOPE_CAP_PERFMON ? " CAP_PERFMON" : "",
	       kept & 1ULL << SCOPE_CAP_DAC_OVERRIDE ? " CAP_DAC_OVERRIDE (to write the textfile)" :
						       "",
	       kept ? "" : " none");
	return 0;
}

static int start(struct serving *serving)
{
	size_t i;

	if (run_begin(&serving->run, serving->options) ||
	    exporter_open(&serving->exporter, &own.settings))
		return -1;
	if (serving->nr_sockets) {
		serving->server =
			server_start(&serving->exporter, own.web_config ? &serving->config : NULL,
				     serving->sockets, serving->nr_sockets);
		if (!serving->server)
			return -1;
		serving->exporter.http = server_counters(serving->server);
	}
	if (own.textfile && write_textfile(serving))
		return -1;
	for (i = 0; i < serving->nr_sockets; i++)
		server_print_address(serving->sockets[i], serving->config.certificate != NULL);
	if (drop_privileges() || run_start(&serving->run))
		return -1;
	flush_output();
	service_notify("READY=1");
	return 0;
}

/* Serve until the run ends. */
static void serve(struct serving *serving)
{
	uint64_t now = now_ns(), watch = 0, next, write = now + TEXTFILE_EVERY_NS;
	struct exporter *exporter = &serving->exporter;

	do {
		next = serving->server ? server_run(serving->server) : UINT64_MAX;
		now = now_ns();
		if (now >= exporter->refreshed_ns + LATENCY_READ_EVERY_NS)
			exporter_refresh(exporter);
		if (now >= watch) {
			exporter_watch(exporter);
			service_notify("WATCHDOG=1");
			watch = now + EXPORT_WATCH_EVERY_NS;
		}
		if (own.textfile && now >= write) {
			write_textfile(serving);
			write = now + TEXTFILE_EVERY_NS;
		}
		if (next > watch)
			next = watch;
	} while (run_wait(&serving->run, serving->server ? server_fd(serving->server) : -1, next));
}

/* Sources may come later.  Return 0, or -1 after a message. */
static int check(void)
{
	if (session_check_early())
		return -1;
	if (!functions_observable())
		obstacle_complain(OBSTACLE_FTRACE);
	else if (!*session_sources())
		complain("nothing to observe yet: waiting for vfio_iommu_type1 or iommufd (modprobe "
			 "vfio-pci)");
	return 0;
}

static int export_main(const struct options *options)
{
	struct serving serving = { .options = options };
	int status = EXIT_FAILED;

	if (session_prepare_to_extend())
		return EXIT_FAILED;
	if (own.web_config && web_config_read(&serving.config, own.web_config))
		return EXIT_FAILED;
	if ((own.textfile && check_textfile()) || open_sockets(&serving) || check())
		return EXIT_FAILED;
	if (!start(&serving)) {
		serve(&serving);
		service_notify("STOPPING=1");
		status = run_finish(&serving.run);
		/* readers must not take old values for current ones */
		if (own.textfile)
			remove(own.textfile);
	}
	server_stop(serving.server);
	exporter_close(&serving.exporter);
	return status;
}

static const struct field_table *const records[] = {
	&page_fields,
	NULL,
};

static const struct command_example examples[] = {
	{ "export", "serve http://" DEFAULT_ADDRESS "/metrics" },
	{ "export --listen [::]:9947 --web-config web.yml",
	  "serve clients that have a password, on all addresses" },
	{ "export --textfile /var/lib/prometheus/node-exporter/iommuscope.prom",
	  "let node_exporter serve it" },
	{},
};

const struct command command_export = {
	.name = "export",
	.summary = "Serve metrics for Prometheus",
	.description =
		"Metrics are served under /metrics, in OpenMetrics or in Prometheus's classic text "
		"format, whichever the client asks for: operations by result, failures by reason, "
		"latency histograms of operations and phases, devices and what translates for "
		"them, replacements and their effect on DMA, memory and its limits.  "
		"docs/use/metrics.md describes each metric.  / is a page for a browser; /-/healthy "
		"answers while the exporter runs.\n\n"
		"Only GET and HEAD are served.  Memory and time per client are bounded.  Once "
		"everything is open, export drops all capabilities but CAP_BPF and CAP_PERFMON, "
		"and CAP_DAC_OVERRIDE if writing the textfile needs it.  It accepts sockets from "
		"systemd and notifies it when ready; the packages contain the units.\n\n"
		"The modules may be loaded before export or later.  A second process keeps "
		"CAP_SYS_ADMIN, and does nothing but open types and probes for the first.\n\n"
		"The FILE of --web-config has a tls_server_config with cert_file and key_file, and "
		"basic_auth_users with bcrypt hashes; docs/use/metrics.md has an example.",
	.examples = examples,
	.common = OPTION_DURATION | OPTION_READY,
	.options = own_options,
	.parse = parse,
	.records = records,
	.run = export_main,
};
