// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of doctor: where operations can be observed on this host, and which of them cannot.
 *
 * All of this is read from BTF, in the same way as the observing commands do, so they will find the
 * same.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/findings.h"
#include "probe/btf_events.h"
#include "probe/hooks.h"
#include "probe/sources.h"

/* Descriptions of the sources. */
static const char *const names[NR_SOURCES] = {
	[SOURCE_OWN] = "our iommufd and vfio, through their tracepoints",
	[SOURCE_UPSTREAM] = "the kernel's own iommufd, through its functions",
	[SOURCE_TYPE1] = "VFIO's type1 container, through its functions",
	[SOURCE_VFIO] = "devices of the kernel's own vfio, through its functions",
};

/* Members that the walk of each source's state requires. */
static const struct {
	enum source source;
	const char *structure;
	const char *member;
} walked[] = {
	{ SOURCE_UPSTREAM, "iommufd_ctx", "objects" },
	{ SOURCE_UPSTREAM, "iommufd_object", "id" },
	{ SOURCE_UPSTREAM, "iommufd_ioas", "iopt" },
	{ SOURCE_UPSTREAM, "iopt_area", "iopt" },
	{ SOURCE_TYPE1, "vfio_iommu", "dma_list" },
	{ SOURCE_TYPE1, "vfio_iommu", "dma_avail" },
	{ SOURCE_TYPE1, "vfio_dma", "size" },
};

/* Add a word to a list unless it is already in it. */
static void add_word(char *list, size_t size, const char *word)
{
	size_t length = strlen(word), used = strlen(list);
	const char *p;

	for (p = list; (p = strstr(p, word)); p += length)
		if ((p == list || p[-1] == ' ') && (p[length] == ',' || !p[length]))
			return;
	snprintf(list + used, size - used, "%s%s", used ? ", " : "", word);
}

/* List what the hooks of a kind show of a source: if @seen, what works here, else what does not. */
static void list_shown(enum source source, enum hook_kind kind, bool seen, char *list, size_t size)
{
	unsigned int here = sources_here();
	const struct hook *hook;
	size_t i;

	*list = '\0';
	for (i = 0; (hook = hook_at(i)); i++)
		if (hook_matters(hook, source, here) && hook->kind == kind &&
		    hook_is_seen(source, kind, hook->shows) == seen)
			add_word(list, size, hook->shows);
}

static void say_unseen(struct doctor *doctor, enum source source)
{
	char list[256];
	size_t i;

	list_shown(source, HOOK_OPERATION, false, list, sizeof(list));
	if (*list) {
		doctor_say(doctor, DOCTOR_WARNING,
			   "%s: operations that cannot be observed: %s (this kernel has no traceable function "
			   "for them)", source_name(source), list);
		doctor_remedy(doctor, "report this with the version of this kernel");
	}
	list_shown(source, HOOK_PHASE, false, list, sizeof(list));
	if (*list)
		doctor_say(doctor, DOCTOR_OK,
			   "%s: phases that cannot be observed: %s; their time counts as other",
			   source_name(source), list);
	for (i = 0; i < sizeof(walked) / sizeof(walked[0]); i++) {
		if (walked[i].source != source ||
		    btf_member_exists(walked[i].structure, walked[i].member))
			continue;
		doctor_say(doctor, DOCTOR_WARNING,
			   "%s: state cannot be read: struct %s has no %s here",
			   source_name(source), walked[i].structure, walked[i].member);
		doctor_remedy(doctor, "report this with the version of this kernel");
		return;
	}
}

static void say_source(struct doctor *doctor, enum source source)
{
	char operations[256], phases[256];

	if (source == SOURCE_OWN) {
		doctor_say(doctor, DOCTOR_OK, "%s: %s: all operations, phases and reasons, state",
			   source_name(source), names[source]);
		return;
	}
	list_shown(source, HOOK_OPERATION, true, operations, sizeof(operations));
	list_shown(source, HOOK_PHASE, true, phases, sizeof(phases));
	doctor_say(doctor, DOCTOR_OK, "%s: %s: operations %s; phases %s%s", source_name(source),
		   names[source], operations, source == SOURCE_VFIO ? "" : "wait, ", phases);
	say_unseen(doctor, source);
}

void doctor_check_sources(struct doctor *doctor)
{
	enum source source;
	bool found = false;

	/* another check has reported that there is no BTF */
	if (btf_events_look(source_modules()))
		return;
	hooks_init();
	for (source = 0; source < NR_SOURCES; source++) {
		if (source_state(source) == SOURCE_HERE)
			say_source(doctor, source);
		/* the BTF check has reported what it lacks */
		found |= source_state(source) != SOURCE_ABSENT;
	}
	btf_events_forget();
	if (found)
		return;
	doctor_say(doctor, DOCTOR_MISSING,
		   "nothing to observe: neither iommufd nor VFIO's type1 container is loaded");
	doctor_remedy(doctor, "start a program that uses them, or load them: modprobe vfio_pci");
}
