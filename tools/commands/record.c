// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope record: all events into a file.
 *
 * The records of operations.bpf.c go from the ring buffer straight into a chunk of the file.  The
 * chunk is written each time the ring buffer has been emptied, so a crash loses only the events
 * since the last look.  While the disk takes no data, events wait in the ring buffer.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/options.h"
#include "commands/run.h"
#include "observe/operations.h"
#include "observe/replacement.h"
#include "observe/session.h"
#include "text/clock.h"
#include "text/exit_status.h"
#include "text/format.h"
#include "text/output.h"
#include "trace/trace_file.h"
#include "version.h"

#define LOOK_EVERY_NS 100000000ULL
#define DEFAULT_FILE "iommuscope.trace"

enum {
	KEY_BUFFER = OPTION_KEY_OWN,
	KEY_NO_BEGINS,
	KEY_NO_REPLACEMENTS,
};

static struct {
	const char *file;
	uint64_t buffer_mib;
	bool no_begins;
	bool no_replacements;
} own = { .file = DEFAULT_FILE, .buffer_mib = 32 };

static const struct argp_option own_options[] = {
	{ "output", 'o', "FILE", 0, "write FILE; - is standard output [default: " DEFAULT_FILE "]", 1 },
	{ "no-begins", KEY_NO_BEGINS, NULL, 0,
	  "record only ends of operations: half the events, but nothing about operations that hang", 1 },
	{ "no-replacements", KEY_NO_REPLACEMENTS, NULL, 0,
	  "do not watch what replacements do to DMA; that starts faster", 1 },
	{ "buffer", KEY_BUFFER, "MIB", 0,
	  "keep up to MIB of events that are not written yet [default: 32]", 1 },
	{},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'o':
		own.file = arg;
		return 0;
	case KEY_NO_BEGINS:
		own.no_begins = true;
		return 0;
	case KEY_NO_REPLACEMENTS:
		own.no_replacements = true;
		return 0;
	case KEY_BUFFER:
		/* the kernel accepts only powers of two */
		if (!parse_number(arg, 1024, &own.buffer_mib) || !own.buffer_mib ||
		    own.buffer_mib & (own.buffer_mib - 1))
			argp_error(state, "%s is not a power of two from 1 to 1024", arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/**
 * struct recording - a recording in progress
 * @options: the user's options
 * @fd: the file
 * @error: errno of the write that failed, or 0
 * @writer: produces the file's bytes
 * @from_ns: when all programs were attached
 * @until_ns: when they were about to be detached, which can take seconds as attaching can
 * @counted: operations so far, for the user's limit
 * @lost: losses noted so far
 * @replacements: watches replacements; NULL if that does not work here or is not wanted
 */
struct recording {
	const struct options *options;
	int fd;
	int error;
	struct trace_writer *writer;
	uint64_t from_ns;
	uint64_t until_ns;
	uint64_t counted;
	uint64_t lost;
	struct replacements *replacements;
};

static bool put(void *context, const void *data, size_t size)
{
	struct recording *recording = context;
	const char *from = data;
	ssize_t done;

	while (size && !recording->error) {
		done = write(recording->fd, from, size);
		if (done < 0 && errno != EINTR) {
			recording->error = errno;
		} else if (done > 0) {
			from += done;
			size -= done;
		}
	}
	return !recording->error;
}

static bool enough(const struct recording *recording)
{
	return recording->options->count && recording->counted >= recording->options->count;
}

static int on_operation(void *context, const struct scope_op *op)
{
	struct recording *recording = context;
	struct trace_event event;

	if (enough(recording))
		return -ECANCELED;
	event.op = *op;
	event.kind = event.op.operation & SCOPE_BEGINS ? TRACE_BEGIN : TRACE_OPERATION;
	event.op.operation &= ~SCOPE_BEGINS;
	if (event.kind == TRACE_OPERATION)
		recording->counted++;
	return trace_write(recording->writer, &event) ? 0 : -EIO;
}

static void on_replacement(void *context, const struct replacement *replacement)
{
	struct recording *recording = context;
	struct trace_event event = { .kind = TRACE_REPLACEMENT, .replacement = *replacement };

	trace_write(recording->writer, &event);
}

/* Write the events that have arrived.  Return whether more are wanted. */
static bool take(struct recording *recording, struct operations *operations)
{
	struct trace_event event = { .kind = TRACE_LOST };
	uint64_t lost = operations_lost(operations);

	if (recording->replacements) {
		replacements_read(recording->replacements, on_replacement, recording);
		lost += replacements_lost(recording->replacements);
	}
	if (operations_poll(operations) < 0 && !enough(recording))
		return false;
	if (lost != recording->lost) {
		event.at_ns = now_ns();
		event.lost = lost - recording->lost;
		recording->lost = lost;
		if (!trace_write(recording->writer, &event))
			return false;
	}
	return trace_flush(recording->writer) && !enough(recording);
}

/* Keep the previous recording as FILE.old. */
static void keep_old(const char *path)
{
	struct stat status;
	char *old;

	if (stat(path, &status) || !S_ISREG(status.st_mode) || !status.st_size)
		return;
	if (asprintf(&old, "%s.old", path) < 0)
		out_of_memory();
	if (rename(path, old))
		complain("cannot rename %s to %s: %s", path, old, strerror(errno));
	free(old);
}

static int open_file(struct recording *recording)
{
	if (!strcmp(own.file, "-")) {
		if (isatty(STDOUT_FILENO)) {
			complain("will not write a trace to a terminal: give -o FILE, or use a pipe");
			return -1;
		}
		/* other output, also that of COMMAND, must not get into the trace */
		recording->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		dup2(STDERR_FILENO, STDOUT_FILENO);
	} else {
		keep_old(own.file);
		recording->fd = open(own.file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	}
	if (recording->fd < 0) {
		complain("cannot write %s: %s", own.file, strerror(errno));
		return -1;
	}
	return 0;
}

static int begin_file(struct recording *recording)
{
	struct trace_info info = { .start_ns = now_ns(), .wall_ns = wall_offset_ns() };
	struct utsname machine;

	uname(&machine);
	snprintf(info.tool, sizeof(info.tool), "%s", IOMMUSCOPE_VERSION);
	snprintf(info.kernel, sizeof(info.kernel), "%s", machine.release);
	snprintf(info.host, sizeof(info.host), "%s", machine.nodename);
	recording->writer = trace_writer_new(&info, put, recording);
	return recording->writer ? 0 : -1;
}

static void print_summary(const struct recording *recording)
{
	uint64_t events, bytes = trace_written(recording->writer, &events);

	printf("%" PRIu64 " events in %s, %s in %s", events,
	       format_duration(recording->until_ns - recording->from_ns).s, format_size(bytes).s, own.file);
	if (recording->lost)
		printf("; %" PRIu64 " more were lost because they came too fast: try --buffer %"
			PRIu64 ", or --no-begins\n", recording->lost,
			own.buffer_mib < 1024 ? 2 * own.buffer_mib : own.buffer_mib);
	else
		printf("; none lost\n");
}

/* What modules that are loaded later extend. */
struct observation {
	struct operations *operations;
	struct replacements *replacements;
};

static int extend(void *context)
{
	const struct observation *observation = context;
	int err = operations_extend(observation->operations);

	if (observation->replacements && replacements_extend(observation->replacements))
		err = -1;
	return err;
}

static int record_main(const struct options *options)
{
	struct recording recording = { .options = options, .fd = -1 };
	const struct operations_settings settings = {
		.filter = &options->filter,
		.wanted = ~0ULL,
		.begins = !own.no_begins,
		.room_bytes = own.buffer_mib << 20,
	};
	struct operations operations;
	struct observation observation = { .operations = &operations };
	struct run run;
	int status = EXIT_FAILED;
	bool more = true;

	if (session_check_operations())
		return EXIT_FAILED;
	if (operations_open(&operations, &settings, on_operation, &recording))
		goto out_close;
	if (!own.no_replacements && session_has_types())
		recording.replacements = replacements_open(&options->filter);
	if (open_file(&recording))
		goto out_close;
	if (begin_file(&recording))
		goto out_error;
	if (run_begin(&run, options) || operations_attach(&operations) ||
	    (recording.replacements && replacements_attach(recording.replacements)) ||
	    run_start(&run))
		goto out_close;
	recording.from_ns = now_ns();
	observation.replacements = recording.replacements;
	run_follow(&run, extend, &observation);
	do {
		more = take(&recording, &operations);
	} while (more && run_wait(&run, operations_fd(&operations), now_ns() + LOOK_EVERY_NS));
	recording.until_ns = now_ns();
	operations_detach(&operations);
	if (more && recording.replacements)
		replacements_drain(recording.replacements, on_replacement, &recording);
	if (more)
		take(&recording, &operations);
	trace_finish(recording.writer);
	status = run_finish(&run);
out_error:
	if (recording.error) {
		complain("cannot write %s: %s", own.file, strerror(recording.error));
		status = EXIT_FAILED;
	} else if (recording.writer) {
		print_summary(&recording);
	}
out_close:
	if (recording.fd >= 0 && close(recording.fd)) {
		complain("cannot write %s: %s", own.file, strerror(errno));
		status = EXIT_FAILED;
	}
	trace_writer_free(recording.writer);
	replacements_close(recording.replacements);
	operations_close(&operations);
	return status;
}

static const struct command_example examples[] = {
	{ "record -- ./program", "everything that happens while a program runs, into " DEFAULT_FILE },
	{ "record -o night.trace --duration 8h", "a night" },
	{ "record -o - -d 0000:03:00.0 | ssh desk 'cat >vm.trace'", "without a file on this machine" },
	{},
};

const struct command command_record = {
	.name = "record",
	.summary = "Record all events into a file",
	.description =
		"Writes a compact file for 'iommuscope report' to show, on this machine or another: "
		"as text, JSON, CSV or a timeline.  The file has the start and the end of each "
		"operation, each replacement with its effect on DMA, and where events were "
		"lost.\n\n"
		"What has been written stays readable even if the recording is killed.  An existing "
		"file of the same name is kept as FILE.old.  Events that come faster than they can "
		"be written wait in a buffer; when it is full, further events are lost, and the "
		"file records where.\n\n"
		"A COMMAND is started once tracing is active, and the run ends with it.  "
		"Operations of other processes are recorded as well.",
	.examples = examples,
	.common = OPTION_FILTERS | OPTION_COUNT | OPTION_RUN,
	.options = own_options,
	.parse = parse,
	.run = record_main,
};
