// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions of BPF programs.
 *
 * libbpf prints much when something fails.  Its messages are kept, and the last line is shown with
 * ours; with IOMMUSCOPE_DEBUG set, all of them are shown.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/filter.h"
#include "bpf/lists.h"
#include "machine/privilege.h"
#include "machine/sysfs.h"
#include "observe/filter.h"
#include "observe/op_layout.h"
#include "observe/session.h"
#include "probe/btf_events.h"
#include "probe/core_types.h"
#include "probe/hooks.h"
#include "probe/objects.h"
#include "probe/probes.h"
#include "probe/sources.h"
#include "text/output.h"

/* The events of finished operations, and the program of sources/own.bpf.h for each. */
static const struct {
	const char *program;
	const char *event;
} finished_events[] = {
#define EVENT(name, number) { "ios_memory", "iommufd_" #name },
	IOMMUFD_MEMORY_OPERATIONS(EVENT)
#undef EVENT
#define EVENT(name, number) { "ios_translation", "iommufd_" #name },
	IOMMUFD_TRANSLATION_OPERATIONS(EVENT)
#undef EVENT
#define EVENT(name, number) { "ios_object", "iommufd_" #name },
	IOMMUFD_OBJECT_OPERATIONS(EVENT)
#undef EVENT
#define EVENT(name, number) { "ios_vfio", "vfio_" #name },
	SCOPE_VFIO_OPERATIONS(EVENT)
#undef EVENT
};
#define NR_FINISHED_EVENTS (sizeof(finished_events) / sizeof(finished_events[0]))

/* The set of sources of this host, as found by check_events(). */
static unsigned int observed;

/* More objects are about to be loaded: the kernel's types are kept for them. */
static bool starting;

/* The types of the modules' records if a module has no BTF, else NULL. */
static const char *types_path;

static char libbpf_says[512];
static bool debug;

struct session_link {
	struct bpf_link *link;
	const struct bpf_program *program;
};

__attribute__((format(printf, 2, 0)))
static int keep_words(enum libbpf_print_level level, const char *format, va_list args)
{
	if (debug)
		return vfprintf(stderr, format, args);
	if (level == LIBBPF_WARN) {
		vsnprintf(libbpf_says, sizeof(libbpf_says), format, args);
		libbpf_says[strcspn(libbpf_says, "\n")] = '\0';
	}
	return 0;
}

static int failed(const char *what, int err)
{
	complain("cannot %s: %s%s%s%s", what, strerror(-err), *libbpf_says ? " (" : "", libbpf_says,
		 *libbpf_says ? ")" : "");
	return -1;
}

/* Does this machine have what every command needs? */
static int check_machine(void)
{
	uint64_t capabilities;

	debug = getenv("IOMMUSCOPE_DEBUG") != NULL;
	libbpf_set_print(keep_words);

	if (process_capabilities(0, &capabilities) && !may_observe(capabilities)) {
		complain("no privilege: run it as root, or with CAP_BPF and CAP_PERFMON");
		return -1;
	}
	if (!sysfs_exists("/sys/kernel/btf/vmlinux")) {
		complain("this kernel has no BTF: it needs one built with CONFIG_DEBUG_INFO_BTF");
		return -1;
	}
	return 0;
}

/* Does a modular iommufd have BTF?  The types of a built-in one are in the kernel's BTF. */
static int check_types(void)
{
	if (!sysfs_exists("/sys/module/iommufd/initstate") || module_has_types("iommufd"))
		return 0;
	complain("module iommufd has no BTF: build it on a machine with pahole and vmlinux");
	return -1;
}

int session_check_state(void)
{
	return check_machine() || check_types() ? -1 : 0;
}

bool session_has_types(void)
{
	return module_has_types("iommufd");
}

const struct bpf_object_open_opts *session_open_options(enum session_types types)
{
	static struct bpf_object_open_opts options = { .sz = sizeof(options) };

	options.btf_custom_path = types == SESSION_RECORDS && types_path ? types_path :
				  observed				  ? core_types_path() :
									    NULL;
	return &options;
}

/* Fall back for our modules without BTF, and report it. */
static int fall_back(void)
{
	static const char *const modules[] = { "iommufd", "vfio" };
	char names[64] = "";
	unsigned int i, nr = 0;
	int err;

	for (i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		if (!sysfs_exists("/sys/module/%s", modules[i]) || module_has_types(modules[i]))
			continue;
		if (!sysfs_exists("/sys/kernel/tracing/events")) {
			complain("module %s has no BTF, and its events cannot be listed: mount -t "
				 "tracefs tracefs /sys/kernel/tracing",
				 modules[i]);
			return -1;
		}
		err = btf_events_add_plain(modules[i]);
		/* the distribution's module has no events */
		if (err == -ENOENT)
			continue;
		if (err)
			return failed("list the modules' events", err);
		if (nr++)
			strcat(names, " and ");
		strcat(names, modules[i]);
	}
	if (!nr)
		return 0;
	types_path = op_layout_path();
	if (!types_path)
		return failed("lay out the modules' records", -errno);
	complain("%s %s no BTF: falling back to raw tracepoints%s", names, nr > 1 ? "have" : "has",
		 session_has_types() ? "" :
				       "; devices that are already attached, and what "
				       "replacements do, are not known");
	return 0;
}

static int check_events(void)
{
	int err;

	starting = true;
	err = btf_events_init(source_modules());
	if (err == -EPERM) {
		complain("no privilege to read modules' BTF: run it as root, or add CAP_SYS_ADMIN");
		return -1;
	}
	if (err)
		return failed("read the modules' BTF", err);
	hooks_init();
	if (fall_back())
		return -1;
	/* search once: this reads the types of the whole kernel */
	observed = sources_here();
	/* with vfio alone there is no translation to observe */
	if (!(observed & ~SOURCE_BIT(SOURCE_VFIO))) {
		complain("nothing here to observe: load vfio_iommu_type1 or iommufd (modprobe "
			 "vfio-pci)");
		return -1;
	}
	return 0;
}

void session_started(void)
{
	starting = false;
	btf_events_forget();
}

int session_check(void)
{
	return check_machine() || check_types() || check_events() ? -1 : 0;
}

int session_check_operations(void)
{
	return check_machine() || check_events() ? -1 : 0;
}

bool session_has_probed(void)
{
	return observed & ~SOURCE_BIT(SOURCE_OWN);
}

unsigned int session_source(unsigned int operation)
{
	if (operation >= SCOPE_FIRST_TYPE1_OPERATION)
		return SCOPE_SOURCE_TYPE1;
	if (operation >= SCOPE_NR_IOMMUFD_OPERATIONS)
		return observed & SOURCE_BIT(SOURCE_VFIO) ? SCOPE_SOURCE_VFIO : SCOPE_SOURCE_OWN;
	return observed & SOURCE_BIT(SOURCE_UPSTREAM) ? SCOPE_SOURCE_UPSTREAM : SCOPE_SOURCE_OWN;
}

bool session_may_see(unsigned int operation)
{
	unsigned int own = SOURCE_BIT(SOURCE_OWN);

	if (operation >= SCOPE_FIRST_TYPE1_OPERATION)
		return observed & SOURCE_BIT(SOURCE_TYPE1);
	if (operation >= SCOPE_NR_IOMMUFD_OPERATIONS)
		return observed & (own | SOURCE_BIT(SOURCE_VFIO));
	return observed & (own | SOURCE_BIT(SOURCE_UPSTREAM));
}

/* The event of a program: "tp_btf/iommufd_map" -> "iommufd_map", NULL if none. */
static const char *event_of(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	return strncmp(section, "tp_btf/", 7) ? NULL : section + 7;
}

/* The function of a program: "fexit/dmar_fault" -> "dmar_fault", NULL if none. */
static const char *function_of(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	if (strncmp(section, "fentry/", 7) && strncmp(section, "fexit/", 6))
		return NULL;
	return strchr(section, '/') + 1;
}

/* The hook of a kprobe: "kprobe/vfio_sync_unpin" -> "vfio_sync_unpin", NULL if none. */
static const char *kprobed_by(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	if (strncmp(section, "kprobe/", 7) && strncmp(section, "kretprobe/", 10))
		return NULL;
	return strchr(section, '/') + 1;
}

static bool is_raw(const struct bpf_program *program)
{
	return !strcmp(bpf_program__section_name(program), "raw_tp");
}

/*
 * Is a raw tracepoint program for an event?  Its name shows it: a class of operations,
 * "ios_finished" for all of them, or "ios_SUBSYSTEM_started" for start events.
 */
static bool serves(const char *program, const char *event)
{
	size_t length = strlen(event), prefix = strcspn(event, "_") + 1;
	unsigned int i;

	for (i = 0; i < NR_FINISHED_EVENTS; i++)
		if (!strcmp(event, finished_events[i].event))
			return !strcmp(program, finished_events[i].program) ||
			       !strcmp(program, "ios_finished");
	if (length <= 6 || strcmp(event + length - 6, "_start") || strncmp(program, "ios_", 4))
		return false;
	program += 4;
	return !strncmp(program, event, prefix) && !strcmp(program + prefix, "started");
}

/* Is the source of a program here?  The kernel may have its function even without the source. */
static bool has_source(const struct bpf_program *program)
{
	enum source source = source_of_program(bpf_program__name(program));

	/* "ios_vfio_started" is for our modules' events */
	return is_raw(program) || source == NR_SOURCES || observed & SOURCE_BIT(source);
}

/* Is there an event or function that this program can be attached to? */
static bool is_of_use(const struct bpf_program *program)
{
	const char *event = event_of(program), *function = function_of(program);
	size_t i;

	if (!has_source(program))
		return false;
	if (event)
		return btf_event_exists(event);
	if (function)
		return btf_function_exists(function);
	if (kprobed_by(program))
		return hook_symbol(kprobed_by(program), observed);
	/* attached by session_attach_entries() */
	if (!strcmp(bpf_program__section_name(program), "kprobe"))
		return session_has_probed();
	if (!is_raw(program))
		return true;
	for (i = 0; btf_event_name(i); i++)
		if (serves(bpf_program__name(program), btf_event_name(i)))
			return true;
	return false;
}

/* Set the knobs of filter.bpf.h. */
static int set_filter(struct session *session, const struct filter *filter)
{
	size_t size;
	struct scope_filter *knobs = object_variable(session_object(session), ".rodata", "filter", &size);

	if (!knobs || size != sizeof(*knobs))
		return failed("filter", -EOPNOTSUPP);
	knobs->tgid = filter->pid;
	knobs->ctx = filter->ctx;
	knobs->cgroup = filter->cgroup_id;
	knobs->by_device = filter->device != NULL;
	if (filter->device)
		snprintf(knobs->device, sizeof(knobs->device), "%s", filter->device);
	return 0;
}

int session_opened(struct session *session, struct bpf_object_skeleton *skeleton, void *owner,
		   const struct filter *filter)
{
	int err = -errno;

	memset(session, 0, sizeof(*session));
	if (!skeleton)
		return failed("open the BPF programs", err);
	session->skeleton = skeleton;
	session->owner = owner;
	hooks_set_arguments(session_object(session));
	return filter ? set_filter(session, filter) : 0;
}

/* The limit of areas in a container is a parameter of the module. */
static void set_entry_limit(const struct bpf_object *object)
{
	size_t size;
	uint32_t *limit = object_variable(object, ".rodata", "type1_entry_limit", &size);

	if (limit && size == sizeof(*limit))
		*limit = type1_entry_limit();
}

int session_added(struct session *session, struct bpf_object_skeleton *skeleton, void *owner)
{
	int err = -errno;

	if (!skeleton)
		return session_has_probed() ? failed("open the BPF programs", err) : 0;
	session->probed = skeleton;
	session->probed_owner = owner;
	hooks_set_arguments(*skeleton->obj);
	set_entry_limit(*skeleton->obj);
	return 0;
}

struct bpf_object *session_object(const struct session *session)
{
	return *session->skeleton->obj;
}

const struct bpf_object *session_probed(const struct session *session)
{
	return session->probed ? *session->probed->obj : NULL;
}

static void leave_out_useless(struct bpf_object *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		if (is_raw(program) && !strcmp(bpf_program__name(program), "ios_memory"))
			bpf_program__set_autoload(program, !btf_event_exists("iommufd_map"));
		if (bpf_program__autoload(program) && !is_of_use(program))
			bpf_program__set_autoload(program, false);
	}
}

/* Give libbpf the kernel's types that the object asks for, and load it. */
static int load_object(struct bpf_object_skeleton *skeleton)
{
	int err = observed ? core_types_write(*skeleton->obj) : 0;

	return err ? err : bpf_object__load_skeleton(skeleton);
}

static int load_probed(const struct session *session)
{
	struct bpf_object *object = *session->probed->obj;
	int err;

	object_copy_knobs(session_object(session), object);
	leave_out_useless(object);
	if (session->no_phases)
		probes_leave_out_phases(object);
	err = object_share_maps(session_object(session), object);
	return err ? err : load_object(session->probed);
}

int session_try_load(struct session *session)
{
	int err;

	leave_out_useless(session_object(session));
	err = load_object(session->skeleton);
	if (!err && session->probed)
		err = load_probed(session);
	if (!starting)
		btf_events_forget();
	return err;
}

void session_load_failed(int err)
{
	failed("load the BPF programs", err);
}

int session_load(struct session *session)
{
	int err = session_try_load(session);

	return err ? failed("load the BPF programs", err) : 0;
}

int session_ring(struct session *session, const struct bpf_map *map,
		 int (*function)(void *context, void *data, size_t size), void *context)
{
	session->ring = ring_buffer__new(bpf_map__fd(map), function, context, NULL);
	return session->ring ? 0 : failed("map the ring buffer", -errno);
}

int session_fd(const struct session *session)
{
	return session->ring ? ring_buffer__epoll_fd(session->ring) : -1;
}

int session_poll(struct session *session)
{
	return ring_buffer__consume(session->ring);
}

static int keep_link(struct session *session, const struct bpf_program *program,
		     struct bpf_link *link)
{
	if (!link)
		return failed("attach the BPF programs", -errno);
	session->links =
		reallocarray(session->links, session->nr_links + 1, sizeof(*session->links));
	if (!session->links)
		out_of_memory();
	session->links[session->nr_links++] = (struct session_link){
		.link = link,
		.program = program,
	};
	return 0;
}

static int attach_raw(struct session *session, struct bpf_program *program)
{
	const char *event;
	size_t i;

	for (i = 0; (event = btf_event_name(i)); i++)
		if (serves(bpf_program__name(program), event) &&
		    keep_link(session, program, bpf_program__attach_raw_tracepoint(program, event)))
			return -1;
	return 0;
}

/* Treat a function that cannot be traced as one that does not exist. */
static int attach_function(struct session *session, struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach_trace(program);

	return link ? keep_link(session, program, link) : 0;
}

static int attach_kprobe(struct session *session, struct bpf_program *program)
{
	bool at_return = !strncmp(bpf_program__section_name(program), "kret", 4);
	struct bpf_link *link = bpf_program__attach_kprobe(program, at_return,
							   hook_symbol(kprobed_by(program), observed));

	return link ? keep_link(session, program, link) : 0;
}

static int attach_object(struct session *session, const struct bpf_object *object)
{
	struct bpf_program *program;
	int err = 0;

	bpf_object__for_each_program(program, object)
	{
		if (err || !bpf_program__autoload(program))
			continue;
		if (is_raw(program))
			err = attach_raw(session, program);
		else if (event_of(program))
			err = keep_link(session, program, bpf_program__attach_trace(program));
		else if (function_of(program))
			err = attach_function(session, program);
		else if (kprobed_by(program))
			err = attach_kprobe(session, program);
	}
	return err;
}

int session_attach(struct session *session)
{
	int err = attach_object(session, session_object(session));

	if (!err && session->probed)
		err = attach_object(session, *session->probed->obj);
	return err;
}

int session_attach_entries(struct session *session, const struct bpf_program *program)
{
	const struct hook *hook;
	size_t i;

	for (i = 0; (hook = hook_at(i)); i++)
		if (hook_is_entry(hook, observed) &&
		    keep_link(session, program,
			      bpf_program__attach_kprobe(program, false, hook_place(hook)->symbol)))
			return -1;
	return 0;
}

bool session_is_attached(const struct session *session, const struct bpf_program *program)
{
	size_t i;

	for (i = 0; i < session->nr_links; i++)
		if (session->links[i].program == program)
			return true;
	return false;
}

void session_detach_phases(struct session *session)
{
	size_t i, kept = 0;

	for (i = 0; i < session->nr_links; i++)
		if (probe_is_of_phases(session->links[i].program))
			bpf_link__destroy(session->links[i].link);
		else
			session->links[kept++] = session->links[i];
	session->nr_links = kept;
}

void session_detach(struct session *session)
{
	while (session->nr_links)
		bpf_link__destroy(session->links[--session->nr_links].link);
	free(session->links);
	session->links = NULL;
}

void session_close(struct session *session)
{
	session_detach(session);
	ring_buffer__free(session->ring);
	if (session->probed)
		bpf_object__destroy_skeleton(session->probed);
	free(session->probed_owner);
	if (session->skeleton)
		bpf_object__destroy_skeleton(session->skeleton);
	free(session->owner);
	memset(session, 0, sizeof(*session));
}
