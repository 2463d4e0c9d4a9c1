// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replacements from replace.bpf.c: reading them, matching faults to them, and the verdict.
 *
 * Records and faults arrive in the order of time.  The last record of each device is kept until it
 * is ripe: until no more faults can be charged to it, because a second has passed or the device
 * has been switched again.  Faults are kept until a record has claimed them; a fault that no
 * record claims for a while is a stray.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bpf/filter.h"
#include "bpf/replace.skel.h"
#include "bpf/replace_probed.skel.h"
#include "observe/filter.h"
#include "observe/replacement.h"
#include "observe/session.h"
#include "probe/sources.h"
#include "text/clock.h"
#include "text/name.h"
#include "text/output.h"

/* Bounds on faults kept for a replacement whose record has not arrived yet: number and time. */
#define FAULTS_KEPT 4096
#define FAULTS_KEPT_NS 60000000000ULL

/* A device, and its last replacement if that has not been reported yet. */
struct followed {
	char device[SCOPE_DEVICE_LEN];
	bool waits;
	struct scope_replacement facts;
};

/* The reliability of a source of faults. */
enum fault_source {
	/* no source, or it cannot be watched */
	SOURCE_NONE,
	/* its silence proves nothing */
	SOURCE_MAY_TELL,
	/* its silence proves nothing until it has reported its first fault */
	SOURCE_UNTRIED,
	/* it reports all faults, or reports that there were more */
	SOURCE_TELLS,
};

/* What the attached probes can observe. */
struct sight {
	bool core;
	bool windows[SCOPE_NR_SWITCHES];
	enum fault_source faults[SCOPE_NR_SWITCHES];
};

struct replacements {
	struct session session;
	struct ios_replace *skeleton;
	struct sight sight;
	struct followed *followed;
	size_t nr_followed;
	/* in order of arrival */
	struct scope_fault faults[FAULTS_KEPT];
	size_t nr_faults;
	uint64_t stray_faults;
	/* faults before this time were lost, in the kernel or here */
	uint64_t forgotten_ns;
	uint64_t faults_lost;
	struct replacement_totals by_device;
	struct replacement_totals by_driver;
	/* receiver of the current reading */
	replacement_function function;
	void *context;
};

static int on_replacement_sent(void *context, void *data, size_t size);

/*
 * @probes: also load probes on functions of the kernel, which are the first to fail on another
 *	kernel.
 * Return 0, or a negative errno for session_load_failed(); 1 after a message.
 */
static int load(struct replacements *replacements, const struct filter *filter, bool probes)
{
	struct bpf_program *program;
	int err;

	replacements->skeleton =
		SESSION_OPEN(&replacements->session, replace, SESSION_MODULES, filter);
	/* it never replaces */
	replacements->session.without = SOURCE_BIT(SOURCE_TYPE1);
	if (!replacements->skeleton ||
	    (session_observes(SOURCE_UPSTREAM) && SESSION_ADD_PROBED(&replacements->session, replace)))
		return 1;
	bpf_object__for_each_program(program, replacements->skeleton->obj)
		if (!probes && !strncmp(bpf_program__section_name(program), "f", 1))
			bpf_program__set_autoload(program, false);
	err = session_try_load(&replacements->session);
	if (err)
		session_close(&replacements->session);
	return err;
}

struct replacements *replacements_open(const struct filter *filter)
{
	struct replacements *replacements = calloc(1, sizeof(*replacements));
	int err;

	if (!replacements)
		out_of_memory();
	err = load(replacements, filter, true);
	if (err < 0)
		err = load(replacements, filter, false);
	if (err < 0)
		session_load_failed(err);
	if (err || session_ring(&replacements->session, replacements->skeleton->maps.ios_sent,
				on_replacement_sent, replacements)) {
		replacements_close(replacements);
		return NULL;
	}
	return replacements;
}

static void look_around(struct replacements *replacements)
{
	struct ios_replace *skeleton = replacements->skeleton;
	struct sight *sight = &replacements->sight;

#define SEES(program) session_is_attached(&replacements->session, skeleton->progs.ios_##program)
	sight->core = SEES(core_moved);
	sight->windows[SCOPE_SWITCH_INTEL] = sight->core && SEES(intel_blocks);
	sight->windows[SCOPE_SWITCH_AMD] = sight->core && SEES(amd_blocks);
	sight->windows[SCOPE_SWITCH_VIRTIO] = sight->core && SEES(virtio_attaches);
	sight->windows[SCOPE_SWITCH_MOCK] = sight->core && SEES(mock_blocks);
#define SOURCE(program, worth) (SEES(program) ? (worth) : SOURCE_NONE)
	sight->faults[SCOPE_SWITCH_INTEL] = SOURCE(intel_faults, SOURCE_TELLS);
	/* an emulated AMD IOMMU does not log the faults of a blocked device */
	sight->faults[SCOPE_SWITCH_AMD] = SEES(amd_faults) ? SOURCE_UNTRIED :
							     SOURCE(core_faults, SOURCE_MAY_TELL);
	/* the kernel drops log lines that come fast */
	sight->faults[SCOPE_SWITCH_VIRTIO] = SOURCE(log_faults, SOURCE_MAY_TELL);
	sight->faults[SCOPE_SWITCH_MOCK] = SOURCE(mock_faults, SOURCE_TELLS);
	/* not every driver has this event, and a driver may not send it for every fault */
	sight->faults[SCOPE_SWITCH_UNKNOWN] = SOURCE(core_faults, SOURCE_MAY_TELL);
#undef SOURCE
#undef SEES
}

int replacements_attach(struct replacements *replacements)
{
	if (session_attach(&replacements->session))
		return -1;
	look_around(replacements);
	return 0;
}

int replacements_extend(struct replacements *replacements)
{
	int err = SESSION_EXTEND(&replacements->session, replace, SESSION_MODULES,
				 session_observes(SOURCE_UPSTREAM));

	look_around(replacements);
	return err;
}

void replacements_detach(struct replacements *replacements)
{
	session_detach(&replacements->session);
}

/* Make the verdict.  A failure that did not reach the IOMMU driver changed nothing. */
static enum verdict judge(const struct scope_replacement *facts, bool window_known)
{
	if (facts->ret < 0) {
		if (facts->flags & SCOPE_REPLACEMENT_MOVED) {
			if (facts->flags & SCOPE_REPLACEMENT_BLOCKED || facts->move_ret)
				return VERDICT_stranded;
			return VERDICT_rolled_back;
		}
		return facts->phase_ns[SCOPE_REPLACE_switch] ? VERDICT_unknown : VERDICT_refused;
	}
	if (facts->hwpt == facts->old_hwpt)
		return VERDICT_unchanged;
	if (facts->windows)
		return VERDICT_blocked;
	return window_known ? VERDICT_hitless : VERDICT_unknown;
}

static enum scope_switch switch_of(const char *iommu_driver)
{
	static const struct {
		const char *name;
		enum scope_switch driver;
	} drivers[] = {
		{ "intel_iommu", SCOPE_SWITCH_INTEL },	 { "amd_iommu", SCOPE_SWITCH_AMD },
		/* as a module, and built in */
		{ "virtio_iommu", SCOPE_SWITCH_VIRTIO }, { "viommu", SCOPE_SWITCH_VIRTIO },
		{ "iommufd_mock", SCOPE_SWITCH_MOCK },
	};
	size_t i;

	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(drivers[i].name, iommu_driver))
			return drivers[i].driver;
	return SCOPE_SWITCH_UNKNOWN;
}

static enum fault_sight faults_seen(const struct replacements *replacements,
				    const struct scope_replacement *facts, unsigned int driver)
{
	enum fault_source source = replacements->sight.faults[driver];

	if (!facts->moves)
		return FAULTS_not_moved;
	if (facts->faults_in_window || facts->faults_after || source == SOURCE_TELLS)
		return FAULTS_known;
	if (source == SOURCE_UNTRIED)
		return replacements->skeleton->bss->amd_faults_reported ? FAULTS_known :
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
	total->faults_in_window += replacement->facts.faults_in_window;
	total->faults_after += replacement->facts.faults_after;
	total->faults_at_least |= replacement->faults_at_least;
	if (replacement->window_known)
		histogram_value(&total->window, replacement->facts.window_ns);
	histogram_value(&total->duration, replacement->facts.dur_ns);
}

static void cap(__u64 *value, uint64_t most)
{
	if (*value > most)
		*value = most;
}

static void clean_names(struct replacement *replacement)
{
	unsigned int i;

	NAME_CLEAN(replacement->facts.comm);
	NAME_CLEAN(replacement->facts.device);
	for (i = 0; i < replacement->waits.nr_marks; i++)
		NAME_CLEAN(replacement->waits.marks[i].comm);
}

static void report(struct replacements *replacements, const struct scope_replacement *facts)
{
	struct replacement replacement = { .facts = *facts };
	const struct sight *sight = &replacements->sight;
	unsigned int driver = facts->driver;

	bpf_map_lookup_elem(bpf_map__fd(replacements->skeleton->maps.ios_waits), &facts->number,
			    &replacement.waits);
	if (replacement.waits.nr_marks > SCOPE_WAIT_MARKS)
		replacement.waits.nr_marks = SCOPE_WAIT_MARKS;
	clean_names(&replacement);
	/* an operation that finished before the end event may have counted too long a wait */
	cap(&replacement.waits.longest_ns, facts->dur_ns);
	cap(&replacement.waits.total_ns, facts->dur_ns * replacement.waits.count);
	replacement.window_known = facts->moves && sight->windows[driver];
	replacement.faults = faults_seen(replacements, facts, driver);
	replacement.faults_at_least = facts->flags & SCOPE_REPLACEMENT_MORE_FAULTS;
	replacement.verdict = judge(facts, replacement.window_known);
	count(&replacements->by_device, replacement.facts.device, &replacement);
	count(&replacements->by_driver, facts->iommu_driver, &replacement);
	if (replacements->function)
		replacements->function(replacements->context, &replacement);
}

/* When the device started to move, as far as known. */
static uint64_t switch_start(const struct scope_replacement *facts)
{
	uint64_t late = facts->phase_ns[SCOPE_REPLACE_switch] + facts->phase_ns[SCOPE_REPLACE_drop];

	if (facts->windows)
		return facts->window_start_ns;
	return facts->start_ns + (facts->dur_ns > late ? facts->dur_ns - late : 0);
}

static bool in_window(const struct scope_replacement *facts, uint64_t ns)
{
	return (ns >= facts->window_start_ns && ns <= facts->first_end_ns) ||
	       (ns >= facts->last_start_ns && ns <= facts->last_end_ns);
}

static void charge(struct scope_replacement *facts, const struct scope_fault *fault)
{
	__u32 flags = fault->flags & ~SCOPE_FAULT_MORE;

	if (fault->flags & SCOPE_FAULT_MORE)
		facts->flags |= SCOPE_REPLACEMENT_MORE_FAULTS;
	if (in_window(facts, fault->ns))
		flags |= SCOPE_FAULT_IN_WINDOW;
	/* without a window, faults are not caused by the replacement */
	if (!facts->windows)
		flags &= ~SCOPE_FAULT_IN_WINDOW;
	if (flags & SCOPE_FAULT_IN_WINDOW)
		facts->faults_in_window++;
	else
		facts->faults_after++;
	if (facts->nr_faults < SCOPE_FAULT_MARKS)
		facts->faults[facts->nr_faults++] = (struct scope_fault_mark){
			.ns = fault->ns,
			.iova = fault->iova,
			.reason = fault->reason,
			.flags = flags,
		};
}

static bool is_of(const struct scope_fault *fault, const char *device)
{
	char name[SCOPE_DEVICE_LEN];

	if (*fault->device)
		return !strcmp(fault->device, device);
	snprintf(name, sizeof(name), "%04x:%02x:%02x.%x", fault->requester >> 16,
		 fault->requester >> 8 & 0xff, fault->requester >> 3 & 0x1f, fault->requester & 7);
	return !strcmp(name, device);
}

/* Is it a fault that the core reports again after the driver's own source did? */
static bool is_reported_twice(const struct replacements *replacements,
			  const struct scope_fault *fault, unsigned int driver)
{
	return fault->source == SCOPE_FAULT_CORE &&
	       replacements->sight.faults[driver] > SOURCE_MAY_TELL;
}

/* Report a replacement that can get no more faults, after claiming those up to @until_ns. */
static void report_ripe(struct replacements *replacements, struct followed *followed,
		      uint64_t until_ns)
{
	struct scope_replacement *facts = &followed->facts;
	uint64_t last_ns = facts->start_ns + facts->dur_ns + SCOPE_FAULTS_AFTER_NS;
	uint64_t first_ns = switch_start(facts);
	const struct scope_fault *fault;
	size_t i, kept = 0;

	if (until_ns > last_ns)
		until_ns = last_ns;
	for (i = 0; i < replacements->nr_faults; i++) {
		fault = &replacements->faults[i];
		if (fault->ns < first_ns || fault->ns > until_ns || !is_of(fault, facts->device))
			replacements->faults[kept++] = *fault;
		else if (!is_reported_twice(replacements, fault, facts->driver))
			charge(facts, fault);
	}
	replacements->nr_faults = kept;
	if (first_ns <= replacements->forgotten_ns)
		facts->flags |= SCOPE_REPLACEMENT_MORE_FAULTS;
	followed->waits = false;
	report(replacements, facts);
}

static struct followed *follow(struct replacements *replacements, const char *device)
{
	struct followed *followed;
	size_t i;

	for (i = 0; i < replacements->nr_followed; i++)
		if (!strcmp(replacements->followed[i].device, device))
			return &replacements->followed[i];
	replacements->followed = reallocarray(replacements->followed, replacements->nr_followed + 1,
					      sizeof(*replacements->followed));
	if (!replacements->followed)
		out_of_memory();
	followed = &replacements->followed[replacements->nr_followed++];
	*followed = (struct followed){};
	snprintf(followed->device, sizeof(followed->device), "%s", device);
	return followed;
}

/* Count up to @nr of the oldest faults as strays. */
static void forget_faults(struct replacements *replacements, size_t nr)
{
	replacements->stray_faults += nr;
	replacements->nr_faults -= nr;
	memmove(replacements->faults, replacements->faults + nr,
		replacements->nr_faults * sizeof(replacements->faults[0]));
}

static void on_fault(struct replacements *replacements, const struct scope_fault *fault)
{
	if (replacements->nr_faults == FAULTS_KEPT) {
		replacements->forgotten_ns = replacements->faults[FAULTS_KEPT / 2 - 1].ns;
		forget_faults(replacements, FAULTS_KEPT / 2);
	}
	replacements->faults[replacements->nr_faults++] = *fault;
}

static int on_replacement_sent(void *context, void *data, size_t size)
{
	struct replacements *replacements = context;
	struct scope_replacement facts = {};
	struct followed *followed;

	/* both kinds of records start with the number */
	if (!*(const __u64 *)data) {
		on_fault(replacements, data);
		return 0;
	}
	memcpy(&facts, data, size < sizeof(facts) ? size : sizeof(facts));
	facts.driver = switch_of(facts.iommu_driver);
	/* without a probe at its end, the window was not observed */
	if (!replacements->sight.core) {
		facts.windows = 0;
		facts.window_ns = 0;
		facts.flags = 0;
	}
	if (!facts.moves) {
		report(replacements, &facts);
		return 0;
	}
	followed = follow(replacements, facts.device);
	if (followed->waits)
		report_ripe(replacements, followed, switch_start(&facts) - 1);
	followed->facts = facts;
	followed->waits = true;
	return 0;
}

static bool all_reported(const struct replacements *replacements)
{
	size_t i;

	for (i = 0; i < replacements->nr_followed; i++)
		if (replacements->followed[i].waits)
			return false;
	return true;
}

void replacements_read(struct replacements *replacements, replacement_function function,
		       void *context)
{
	/* the faults of everything ripe at this time are in the ring buffer */
	uint64_t now = now_ns(), lost = replacements->skeleton->bss->faults_lost;
	const struct scope_replacement *facts;
	size_t i;

	replacements->function = function;
	replacements->context = context;
	if (lost != replacements->faults_lost)
		replacements->forgotten_ns = now;
	replacements->faults_lost = lost;
	session_poll(&replacements->session);
	for (i = 0; i < replacements->nr_followed; i++) {
		facts = &replacements->followed[i].facts;
		if (replacements->followed[i].waits &&
		    facts->start_ns + facts->dur_ns + SCOPE_FAULTS_AFTER_NS < now)
			report_ripe(replacements, &replacements->followed[i], UINT64_MAX);
	}
	for (i = 0; i < replacements->nr_faults; i++)
		if (replacements->faults[i].ns + FAULTS_KEPT_NS > now)
			break;
	forget_faults(replacements, i);
}

void replacements_drain(struct replacements *replacements, replacement_function function,
			void *context)
{
	const struct timespec nap = { .tv_nsec = 20000000 };
	uint64_t end = now_ns() + SCOPE_FAULTS_AFTER_NS;

	replacements_read(replacements, function, context);
	while (!all_reported(replacements) && now_ns() <= end + 2 * nap.tv_nsec) {
		nanosleep(&nap, NULL);
		replacements_read(replacements, function, context);
	}
	forget_faults(replacements, replacements->nr_faults);
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
	return replacements->stray_faults;
}

const struct session *replacements_session(const struct replacements *replacements)
{
	return &replacements->session;
}

void replacements_close(struct replacements *replacements)
{
	if (!replacements)
		return;
	session_close(&replacements->session);
	free(replacements->followed);
	free(replacements->by_device.totals);
	free(replacements->by_driver.totals);
	free(replacements);
}
