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
#include "machine/obstacles.h"
#include "machine/privilege.h"
#include "machine/sysfs.h"
#include "observe/filter.h"
#include "observe/op_layout.h"
#include "observe/pids/pids.h"
#include "observe/session.h"
#include "probe/btf_events.h"
#include "probe/core_types.h"
#include "probe/hooks.h"
#include "probe/host_watch.h"
#include "probe/links.h"
#include "probe/objects.h"
#include "probe/opener.h"
#include "probe/probes.h"
#include "probe/programs.h"
#include "probe/sources.h"
#include "text/output.h"

/* The set of sources of this host, as found by check_events() or renew(). */
static unsigned int observed;

/* The modules' BTF has been read, and CO-RE takes the kernel's types from there. */
static bool types_read;

/* More objects are about to be loaded: the kernel's types are kept for them. */
static bool starting;

/* The types of the modules' records if a module has no BTF, else NULL. */
static const char *types_path;

static char libbpf_says[512];
static bool debug;

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

/*
 * Report a failure.  The kernel's error is "invalid argument" in most cases, so a setting of this
 * host that explains it is reported instead.
 */
static int failed(const char *what, int err)
{
	if (!debug && obstacle_explains())
		return -1;
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
	if (obstacle_here(OBSTACLE_LOCKDOWN)) {
		obstacle_complain(OBSTACLE_LOCKDOWN);
		return -1;
	}
	return pids_init();
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
				  types_read				  ? core_types_path() :
									    NULL;
	return &options;
}

/* Fall back for our modules without BTF, and report it. */
static int fall_back(void)
{
	static const char *const modules[] = { "iommufd", "vfio" };
	static unsigned int reported;
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
	if (nr == reported)
		return 0;
	reported = nr;
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
	host_note();
	err = btf_events_init(source_modules());
	if (err == -EPERM) {
		complain("no privilege to read modules' BTF: run it as root, or add CAP_SYS_ADMIN");
		return -1;
	}
	if (err)
		return failed("read the modules' BTF", err);
	types_read = true;
	hooks_init();
	if (fall_back())
		return -1;
	/* search once: this reads the types of the whole kernel */
	observed = sources_here();
	return 0;
}

/* The sources whose programs can run now. */
static unsigned int visible(void)
{
	return functions_observable() ? observed : observed & SOURCE_BIT(SOURCE_OWN);
}

static int check_sources(void)
{
	/* with vfio alone there is no translation to observe */
	const unsigned int translating = ~SOURCE_BIT(SOURCE_VFIO);

	if (observed & ~visible() & translating) {
		obstacle_complain(OBSTACLE_FTRACE);
		return visible() ? 0 : -1;
	}
	if (!(observed & translating)) {
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
	return check_machine() || check_types() || check_events() || check_sources() ? -1 : 0;
}

int session_check_operations(void)
{
	return check_machine() || check_events() || check_sources() ? -1 : 0;
}

int session_check_early(void)
{
	return check_machine() || check_types() || check_events() ? -1 : 0;
}

/* Look up sources, functions and events again.  Return 0, or -1 after a message. */
static int renew(void)
{
	bool was_on = functions_observable();
	int err;

	/* until session_started() */
	starting = true;
	host_note();
	host_report(was_on);
	err = btf_events_renew(source_modules());
	if (err == -ESRCH) {
		complain("the process iommuscope-open has ended: restart iommuscope to observe "
			 "modules that are loaded later");
		return -1;
	}
	if (err)
		return failed("read the BTF of modules that were loaded later", err);
	hooks_init();
	if (check_types() || fall_back())
		return -1;
	observed = sources_here();
	return 0;
}

int session_follow(int (*extend)(void *observation), void *observation)
{
	int err;

	if (!host_changed())
		return 0;
	err = renew();
	if (!err)
		err = extend(observation);
	session_started();
	return err ? -1 : 1;
}

bool session_observes(unsigned int source)
{
	return visible() & SOURCE_BIT(source);
}

const char *session_sources(void)
{
	static char names[64];
	unsigned int source;
	size_t used = 0;

	*names = '\0';
	for (source = 0; source < NR_SOURCES; source++)
		if (session_observes(source))
			used += snprintf(names + used, sizeof(names) - used, "%s%s",
					 used ? ", " : "", source_name(source));
	return names;
}

int session_prepare_to_extend(void)
{
	return opener_start();
}

bool session_knows_module(const char *module)
{
	return !types_read || !sysfs_exists("/sys/module/%s/initstate", module) ||
	       btf_module_is_read(module);
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

/* Set the knobs of filter.bpf.h. */
static int set_filter(struct session *session, const struct filter *filter)
{
	size_t size;
	struct scope_filter *knobs = object_variable(session_object(session), ".rodata", "filter", &size);

	if (!knobs || size != sizeof(*knobs))
		return failed("filter", -EOPNOTSUPP);
	knobs->tgid = filter->pid ? pids_on_host(filter->pid) : 0;
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
	pids_set(session_object(session));
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
	pids_set(*skeleton->obj);
	set_entry_limit(*skeleton->obj);
	return 0;
}

struct bpf_object *session_object(const struct session *session)
{
	return *session->skeleton->obj;
}

static const struct bpf_object *probed_object(const struct session *session)
{
	return session->probed ? *session->probed->obj : NULL;
}

void session_unseen(const struct session *session, char *text, size_t size)
{
	const struct bpf_object **objects = calloc(session->nr_later + 2, sizeof(*objects));
	size_t nr = 0, i;

	if (!objects)
		out_of_memory();
	if (session->probed)
		objects[nr++] = probed_object(session);
	for (i = 0; i < session->nr_later; i++)
		if (session->later[i].probed)
			objects[nr++] = *session->later[i].skeleton->obj;
	probes_unseen(objects, text, size);
	free(objects);
}

uint64_t session_missed(const struct session *session)
{
	uint64_t missed = session->missed + probes_missed(probed_object(session));
	size_t i;

	for (i = 0; i < session->nr_later; i++)
		if (session->later[i].probed)
			missed += probes_missed(*session->later[i].skeleton->obj);
	return missed;
}

/* Note the programs of an object that the consumer does not want. */
static void note_unwanted_of(struct session *session, const struct bpf_object *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		/* programs_omit_useless() decides about this one */
		if (bpf_program__autoload(program) || !strcmp(bpf_program__name(program), "ios_memory"))
			continue;
		session->unwanted = reallocarray(session->unwanted, session->nr_unwanted + 1,
						 sizeof(*session->unwanted));
		if (!session->unwanted)
			out_of_memory();
		session->unwanted[session->nr_unwanted++] = bpf_program__name(program);
	}
}

static void note_unwanted(struct session *session)
{
	note_unwanted_of(session, session_object(session));
	if (session->probed)
		note_unwanted_of(session, probed_object(session));
}

static bool is_unwanted(const struct session *session, const struct bpf_program *program)
{
	size_t i;

	for (i = 0; i < session->nr_unwanted; i++)
		if (!strcmp(session->unwanted[i], bpf_program__name(program)))
			return true;
	return false;
}

/* Give libbpf the kernel's types that the object asks for, and load it. */
static int load_object(struct bpf_object_skeleton *skeleton)
{
	int err = types_read ? core_types_write(*skeleton->obj) : 0;

	return err ? err : bpf_object__load_skeleton(skeleton);
}

static int load_probed(const struct session *session)
{
	struct bpf_object *object = *session->probed->obj;
	int err;

	object_copy_knobs(session_object(session), object);
	programs_omit_useless(object, observed & ~session->without);
	if (session->no_phases)
		probes_leave_out_phases(object);
	err = object_share_maps(session_object(session), object);
	return err ? err : load_object(session->probed);
}

int session_try_load(struct session *session)
{
	int err;

	note_unwanted(session);
	programs_omit_useless(session_object(session), observed & ~session->without);
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

static int attach(struct session *session, const struct bpf_object *object, bool probed)
{
	int err = links_attach(&session->links, object, probed, observed);

	return err ? failed("attach the BPF programs", err) : 0;
}

int session_attach(struct session *session)
{
	int err = attach(session, session_object(session), false);

	return err || !session->probed ? err : attach(session, *session->probed->obj, true);
}

/* Has a program lost its place?  Kprobes end with their module; all others keep it loaded. */
static bool is_outdated(const struct bpf_program *program)
{
	return program_hook(program) && hook_is_renewed(program_hook(program));
}

/* Is a program attached by its section, not by the consumer? */
static bool attaches_by_itself(const struct bpf_program *program)
{
	return program_event(program) || program_function(program) || program_hook(program) ||
	       program_is_raw(program);
}

/* Disable programs that are attached.  Return whether there are others to load. */
static bool choose_new(const struct session *session, struct bpf_object *object, bool probed)
{
	struct bpf_program *program;
	bool any = false, wanted;

	programs_omit_useless(object, observed & ~session->without);
	if (session->no_phases)
		probes_leave_out_phases(object);
	bpf_object__for_each_program(program, object)
	{
		if (!bpf_program__autoload(program))
			continue;
		wanted = attaches_by_itself(program) && !is_unwanted(session, program) &&
			 (is_outdated(program) || !links_has(&session->links, program, probed));
		any |= wanted;
		if (!wanted)
			bpf_program__set_autoload(program, false);
	}
	return any;
}

static int load_new(struct session *session, struct bpf_object_skeleton *skeleton, bool probed)
{
	struct bpf_object *object = *skeleton->obj;
	int err;

	object_copy_knobs(session_object(session), object);
	/* those of the first object are of the functions that existed then */
	hooks_set_arguments(object);
	set_entry_limit(object);
	/* objects of probed sources share maps of their own, too */
	err = object_share_maps(probed && session->probed ? probed_object(session) :
							    session_object(session),
				object);
	return err ? err : load_object(skeleton);
}

/* Keep an object until the end: others use its maps, or its programs are attached. */
static void keep_object(struct session *session, struct bpf_object_skeleton *skeleton, void *owner,
			bool probed)
{
	if (probed && !session->probed) {
		session->probed = skeleton;
		session->probed_owner = owner;
		return;
	}
	session->later = reallocarray(session->later, session->nr_later + 1,
				      sizeof(*session->later));
	if (!session->later)
		out_of_memory();
	session->later[session->nr_later++] = (struct session_object){ skeleton, owner, probed };
}

/* Free later objects without programs that are attached. */
static void drop_unused(struct session *session)
{
	struct session_object *one;
	size_t i, kept = 0;

	for (i = 0; i < session->nr_later; i++) {
		one = &session->later[i];
		if (links_use(&session->links, *one->skeleton->obj)) {
			session->later[kept++] = *one;
			continue;
		}
		if (one->probed)
			session->missed += probes_missed(*one->skeleton->obj);
		bpf_object__destroy_skeleton(one->skeleton);
		free(one->owner);
	}
	session->nr_later = kept;
}

int session_extended(struct session *session, struct bpf_object_skeleton *skeleton, void *owner,
		     bool probed)
{
	int err = -errno;

	if (!skeleton)
		return failed("open the BPF programs", err);
	*libbpf_says = '\0';
	if (!choose_new(session, *skeleton->obj, probed)) {
		bpf_object__destroy_skeleton(skeleton);
		free(owner);
		return 0;
	}
	err = load_new(session, skeleton, probed);
	if (err) {
		bpf_object__destroy_skeleton(skeleton);
		free(owner);
		return failed("load the BPF programs", err);
	}
	keep_object(session, skeleton, owner, probed);
	err = attach(session, *skeleton->obj, probed);
	drop_unused(session);
	return err;
}

int session_attach_entries(struct session *session, const struct bpf_program *program)
{
	const struct hook *hook;
	struct bpf_link *link;
	int err = 0;
	size_t i;

	for (i = 0; !err && functions_observable() && (hook = hook_at(i)); i++) {
		if (!hook_is_entry(hook, observed))
			continue;
		link = bpf_program__attach_kprobe(program, false, hook_place(hook)->symbol);
		err = links_add(&session->links, program, false, link);
	}
	return err ? failed("attach the BPF programs", err) : 0;
}

bool session_is_attached(const struct session *session, const struct bpf_program *program)
{
	return links_has(&session->links, program, false);
}

void session_detach_phases(struct session *session)
{
	links_detach_if(&session->links, probe_is_of_phases);
	session->no_phases = true;
}

void session_detach(struct session *session)
{
	links_detach(&session->links);
}

void session_close(struct session *session)
{
	session_detach(session);
	ring_buffer__free(session->ring);
	drop_unused(session);
	free(session->later);
	free(session->unwanted);
	if (session->probed)
		bpf_object__destroy_skeleton(session->probed);
	free(session->probed_owner);
	if (session->skeleton)
		bpf_object__destroy_skeleton(session->skeleton);
	free(session->owner);
	memset(session, 0, sizeof(*session));
}
