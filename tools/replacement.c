// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replacements as replace.bpf.c has seen them: taking them over, and the verdict.
 *
 * A record comes by one of two ways, from the map of devices once it is ripe or from the ring buffer; @taken
 * remembers for each device the number of the last one taken, so that none is told twice.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lifetime.h"
#include "options.h"
#include "output.h"
#include "replace.skel.h"
#include "replacement.h"
#include "session.h"

/* The last record taken of a device. */
struct taken {
	uint64_t key;
	uint64_t number;
};

/* What a source of faults is worth. */
enum fault_source {
	/* there is none, or it cannot be watched */
	SOURCE_NONE,
	/* its silence proves nothing */
	SOURCE_MAY_TELL,
	/* its silence proves nothing until it has told of a fault for the first time */
	SOURCE_UNTRIED,
	/* it tells of all, or says that there were more */
	SOURCE_TELLS,
};

/* What the probes that are attached can see. */
struct sight {
	bool windows[SCOPE_NR_SWITCHES];
	enum fault_source faults[SCOPE_NR_SWITCHES];
};

struct replacements {
	struct replace_bpf *skeleton;
	struct ring_buffer *records;
	struct sight sight;
	struct taken *taken;
	size_t nr_taken;
	/* records begun that have been taken */
	uint64_t nr_told;
	struct replacement_totals by_device;
	struct replacement_totals by_driver;
	/* where the reading under way hands over */
	replacement_function function;
	void *context;
};

static int on_record(void *context, void *data, size_t size);

/* @probes: with those of functions of the kernel, which are the first to fail on another one */
static struct replace_bpf *load(const struct options *options, bool probes, int *err)
{
	struct replace_bpf *skeleton = replace_bpf__open();
	struct bpf_program *program;

	*err = -errno;
	if (!skeleton)
		return NULL;
	SESSION_FILTER(skeleton, options);
	bpf_object__for_each_program(program, skeleton->obj)
		if (!probes && !strncmp(bpf_program__section_name(program), "f", 1))
			bpf_program__set_autoload(program, false);
	skeleton->rodata->amd_events_read = probes && session_has_function("iommu_poll_events");
	*err = session_try_load(skeleton->skeleton);
	if (*err) {
		replace_bpf__destroy(skeleton);
		return NULL;
	}
	return skeleton;
}

struct replacements *replacements_open(const struct options *options)
{
	struct replacements *replacements = calloc(1, sizeof(*replacements));
	int err;

	if (!replacements)
		out_of_memory();
	replacements->skeleton = load(options, true, &err);
	if (!replacements->skeleton)
		replacements->skeleton = load(options, false, &err);
	if (!replacements->skeleton) {
		session_load_failed(err);
		goto failed;
	}
	replacements->records = ring_buffer__new(bpf_map__fd(replacements->skeleton->maps.records),
						 on_record, replacements, NULL);
	if (!replacements->records) {
		complain("cannot map the ring buffer: %s", strerror(errno));
		goto failed;
	}
	return replacements;

failed:
	replacements_close(replacements);
	return NULL;
}

static void look_around(struct replacements *replacements)
{
	struct replace_bpf *skeleton = replacements->skeleton;
	struct sight *sight = &replacements->sight;

#define SEES(program) session_is_attached(skeleton->progs.program)
	sight->windows[SCOPE_SWITCH_INTEL] = SEES(intel_attached) && SEES(intel_blocks);
	sight->windows[SCOPE_SWITCH_AMD] = SEES(amd_attached) && SEES(amd_blocks);
	sight->windows[SCOPE_SWITCH_VIRTIO] = SEES(virtio_attaches) && SEES(virtio_attached);
	sight->windows[SCOPE_SWITCH_MOCK] = SEES(mock_attached) && SEES(mock_blocks) &&
					    SEES(mock_restores);
#define SOURCE(program, worth) (SEES(program) ? (worth) : SOURCE_NONE)
	sight->faults[SCOPE_SWITCH_INTEL] = SOURCE(intel_faults, SOURCE_TELLS);
	/* an emulated one has an event log that no fault of a blocked device is written to */
	sight->faults[SCOPE_SWITCH_AMD] = SEES(amd_faults) ? SOURCE_UNTRIED :
							     SOURCE(core_faults, SOURCE_MAY_TELL);
	/* the kernel drops lines that come fast */
	sight->faults[SCOPE_SWITCH_VIRTIO] = SOURCE(log_faults, SOURCE_MAY_TELL);
	sight->faults[SCOPE_SWITCH_MOCK] = SOURCE(mock_faults, SOURCE_TELLS);
	/* not every driver has this event, and those that do may not for every fault */
	sight->faults[SCOPE_SWITCH_UNKNOWN] = SOURCE(core_faults, SOURCE_MAY_TELL);
#undef SOURCE
#undef SEES
}

int replacements_attach(struct replacements *replacements)
{
	if (session_attach(replacements->skeleton->obj))
		return -1;
	look_around(replacements);
	return 0;
}

void replacements_detach(struct replacements *replacements)
{
	session_detach(replacements->skeleton->obj);
}

/* What became of the device.  A failure that did not reach the IOMMU driver changed nothing. */
static enum verdict judge(const struct scope_replacement *record, bool window_known)
{
	if (record->ret < 0) {
		if (record->flags & SCOPE_REPLACEMENT_MOVED) {
			if (record->flags & SCOPE_REPLACEMENT_BLOCKED || record->move_ret)
				return VERDICT_stranded;
			return VERDICT_rolled_back;
		}
		return record->phase_ns[SCOPE_REPLACE_switch] ? VERDICT_unknown : VERDICT_refused;
	}
	if (record->hwpt == record->old_hwpt)
		return VERDICT_unchanged;
	if (record->windows)
		return VERDICT_blocked;
	return window_known ? VERDICT_hitless : VERDICT_unknown;
}

static enum fault_sight faults_seen(const struct replacements *replacements,
				    const struct scope_replacement *record, unsigned int driver)
{
	enum fault_source source = replacements->sight.faults[driver];

	if (record->faults_in_window || record->faults_after || source == SOURCE_TELLS)
		return FAULTS_known;
	if (!record->moves)
		return FAULTS_not_moved;
	if (source == SOURCE_UNTRIED)
		return replacements->skeleton->bss->amd_faults_told ? FAULTS_known :
								     FAULTS_none_reported;
	return source == SOURCE_MAY_TELL ? FAULTS_none_reported : FAULTS_not_watched;
}

static struct replacement_total *total_of(struct replacement_totals *totals, const char *label)
{
	struct replacement_total *total;
	size_t i;

	for (i = 0; i < totals->nr; i++)
		if (!strcmp(totals->totals[i].label, label))
			return &totals->totals[i];
	totals->totals = reallocarray(totals->totals, totals->nr + 1, sizeof(*totals->totals));
	if (!totals->totals)
		out_of_memory();
	total = &totals->totals[totals->nr++];
	memset(total, 0, sizeof(*total));
	strncpy(total->label, label, sizeof(total->label) - 1);
	return total;
}

static void count(struct replacement_totals *totals, const char *label,
		  const struct replacement *replacement)
{
	struct replacement_total *total = total_of(totals, label);

	total->count++;
	total->verdicts[replacement->verdict]++;
	total->faults[replacement->faults]++;
	total->faults_in_window += replacement->record.faults_in_window;
	total->faults_after += replacement->record.faults_after;
	total->faults_at_least |= replacement->faults_at_least;
	if (replacement->window_known)
		histogram_value(&total->window, replacement->record.window_ns);
	histogram_value(&total->duration, replacement->record.dur_ns);
}

static void cap(__u64 *value, uint64_t most)
{
	if (*value > most)
		*value = most;
}

static void tell(struct replacements *replacements, const struct scope_replacement *record)
{
	struct replacement replacement = { .record = *record };
	unsigned int driver = record->driver < SCOPE_NR_SWITCHES ? record->driver : 0;
	const struct sight *sight = &replacements->sight;

	replacements->nr_told++;
	bpf_map_lookup_elem(bpf_map__fd(replacements->skeleton->maps.waits), &record->number,
			    &replacement.waits);
	if (replacement.waits.nr_marks > SCOPE_WAIT_MARKS)
		replacement.waits.nr_marks = SCOPE_WAIT_MARKS;
	/* one that waited may have ended before the event of the end told when that was */
	cap(&replacement.waits.longest_ns, record->dur_ns);
	cap(&replacement.waits.total_ns, record->dur_ns * replacement.waits.count);
	if (replacement.record.nr_faults > SCOPE_FAULT_MARKS)
		replacement.record.nr_faults = SCOPE_FAULT_MARKS;
	replacement.window_known = sight->windows[driver] || record->windows;
	replacement.faults = faults_seen(replacements, record, driver);
	replacement.faults_at_least = record->flags & SCOPE_REPLACEMENT_MORE_FAULTS;
	replacement.verdict = judge(record, replacement.window_known);
	count(&replacements->by_device, record->device, &replacement);
	count(&replacements->by_driver, record->iommu_driver, &replacement);
	if (replacements->function)
		replacements->function(replacements->context, &replacement);
}

/* Was this one not taken yet?  From now on it is. */
static bool take(struct replacements *replacements, const struct scope_replacement *record)
{
	struct taken *taken;
	size_t i;

	for (i = 0; i < replacements->nr_taken; i++) {
		taken = &replacements->taken[i];
		if (taken->key != record->key)
			continue;
		if (taken->number >= record->number)
			return false;
		taken->number = record->number;
		return true;
	}
	replacements->taken = reallocarray(replacements->taken, replacements->nr_taken + 1,
					   sizeof(*replacements->taken));
	if (!replacements->taken)
		out_of_memory();
	replacements->taken[replacements->nr_taken++] = (struct taken){
		.key = record->key,
		.number = record->number,
	};
	return true;
}

static int on_record(void *context, void *data, size_t size)
{
	struct replacements *replacements = context;
	struct scope_replacement record = {};

	/* without the part that has nothing to say */
	memcpy(&record, data, size < sizeof(record) ? size : sizeof(record));
	/* one without a device was never in the map */
	if (!record.key || take(replacements, &record))
		tell(replacements, &record);
	return 0;
}

static bool is_ripe(const struct scope_replacement *record, uint64_t now)
{
	return record->number && record->flags & SCOPE_REPLACEMENT_OVER &&
	       record->start_ns + record->dur_ns + SCOPE_FAULTS_AFTER_NS < now;
}

static bool all_told(const struct replacements *replacements)
{
	return replacements->nr_told + replacements_lost(replacements) >=
	       replacements->skeleton->bss->begun;
}

static void read_devices(struct replacements *replacements)
{
	int fd = bpf_map__fd(replacements->skeleton->maps.live);
	struct scope_replacement record;
	uint64_t key, next, now = now_ns();
	void *from = NULL;

	while (!bpf_map_get_next_key(fd, from, &next)) {
		if (!bpf_map_lookup_elem(fd, &next, &record) && is_ripe(&record, now) &&
		    take(replacements, &record))
			tell(replacements, &record);
		key = next;
		from = &key;
	}
}

void replacements_read(struct replacements *replacements, replacement_function function,
		       void *context)
{
	replacements->function = function;
	replacements->context = context;
	ring_buffer__consume(replacements->records);
	if (!all_told(replacements))
		read_devices(replacements);
}

void replacements_drain(struct replacements *replacements, replacement_function function,
			void *context)
{
	const struct timespec nap = { .tv_nsec = 20000000 };
	uint64_t end = now_ns() + SCOPE_FAULTS_AFTER_NS;

	replacements_read(replacements, function, context);
	while (!all_told(replacements) && now_ns() <= end + 2 * nap.tv_nsec) {
		nanosleep(&nap, NULL);
		replacements_read(replacements, function, context);
	}
}

const struct replacement_totals *replacements_by_device(const struct replacements *replacements)
{
	return &replacements->by_device;
}

const struct replacement_totals *replacements_by_driver(const struct replacements *replacements)
{
	return &replacements->by_driver;
}

uint64_t replacements_lost(const struct replacements *replacements)
{
	return replacements->skeleton->bss->lost;
}

uint64_t replacements_stray_faults(const struct replacements *replacements)
{
	return replacements->skeleton->bss->stray_faults;
}

const struct bpf_object *replacements_object(const struct replacements *replacements)
{
	return replacements->skeleton->obj;
}

void replacements_close(struct replacements *replacements)
{
	if (!replacements)
		return;
	ring_buffer__free(replacements->records);
	if (replacements->skeleton) {
		session_detach(replacements->skeleton->obj);
		replace_bpf__destroy(replacements->skeleton);
	}
	free(replacements->taken);
	free(replacements->by_device.totals);
	free(replacements->by_driver.totals);
	free(replacements);
}
