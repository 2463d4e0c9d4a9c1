// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of doctor: the kernel, its options, and the modules.
 *
 * BTF distinguishes our iommufd from the distribution's: ours has tracepoints, the distribution's
 * has none.  Every user can read BTF, unlike tracefs.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "doctor/checks.h"
#include "doctor/findings.h"
#include "machine/obstacles.h"
#include "machine/sysfs.h"
#include "text/output.h"

/* The oldest kernel that the tool supports. */
#define OLDEST_MAJOR 6
#define OLDEST_MINOR 1

/* The kernels whose in-kernel API our modules are written for. */
#define MODULES_SERIES "6.12."

#define PACKAGE "the package iommuscope-dkms"

void doctor_check_kernel(struct doctor *doctor)
{
	unsigned int major = 0, minor = 0;
	struct utsname names;

	uname(&names);
	sscanf(names.release, "%u.%u", &major, &minor);
	if (major > OLDEST_MAJOR || (major == OLDEST_MAJOR && minor >= OLDEST_MINOR)) {
		doctor_say(doctor, DOCTOR_OK, "Linux %s, %s", names.release, names.machine);
		return;
	}
	doctor_say(doctor, DOCTOR_MISSING, "Linux %s is too old: at least %d.%d is required", names.release,
		   OLDEST_MAJOR, OLDEST_MINOR);
	doctor_remedy(doctor, "install a newer kernel (Debian 12: linux-image-6.12-amd64) and boot it");
}

/* Options that the modules or the tool require, and their purpose. */
static const struct {
	const char *option;
	const char *purpose;
} needed_options[] = {
	{ "CONFIG_MODULES", "modules" },
	{ "CONFIG_IOMMU_API", "IOMMU drivers" },
	{ "CONFIG_BPF_SYSCALL", "BPF programs" },
	{ "CONFIG_BPF_JIT", "BPF programs that read state" },
	{ "CONFIG_BPF_EVENTS", "BPF programs on tracepoints" },
	{ "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "BPF programs on functions" },
	{ "CONFIG_DEBUG_INFO_BTF", "the kernel's types" },
	{ "CONFIG_DEBUG_INFO_BTF_MODULES", "the modules' types" },
};
#define NR_NEEDED_OPTIONS (sizeof(needed_options) / sizeof(needed_options[0]))

/* The kernel's configuration, plain or compressed: zlib reads both. */
static gzFile open_config(const char *release)
{
	static const char *const places[] = {
		"/proc/config.gz",
		"/boot/config-%s",
		"/lib/modules/%s/config",
		"/lib/modules/%s/build/.config",
	};
	char path[PATH_MAX];
	gzFile file = NULL;
	size_t i;

	for (i = 0; !file && i < sizeof(places) / sizeof(places[0]); i++) {
		if (strstr(places[i], "%s"))
			snprintf(path, sizeof(path), "%.*s%s%s",
				 (int)(strstr(places[i], "%s") - places[i]), places[i], release,
				 strstr(places[i], "%s") + 2);
		else
			snprintf(path, sizeof(path), "%s", places[i]);
		file = gzopen(path, "re");
	}
	return file;
}

void doctor_check_options(struct doctor *doctor)
{
	bool found[NR_NEEDED_OPTIONS] = { false };
	struct utsname names;
	char line[512];
	gzFile config;
	size_t i, nr = 0;

	uname(&names);
	config = open_config(names.release);
	if (!config) {
		doctor_say(doctor, DOCTOR_WARNING,
			   "the configuration of the kernel cannot be read");
		doctor_remedy(doctor, "put its configuration into /boot/config-%s", names.release);
		return;
	}
	while (gzgets(config, line, sizeof(line))) {
		line[strcspn(line, "=\n")] = '\0';
		for (i = 0; i < NR_NEEDED_OPTIONS; i++)
			found[i] |= !strcmp(line, needed_options[i].option);
	}
	gzclose(config);
	for (i = 0; i < NR_NEEDED_OPTIONS; i++) {
		nr += found[i];
		if (found[i])
			continue;
		doctor_say(doctor, DOCTOR_MISSING, "the kernel was built without %s (%s)",
			   needed_options[i].option, needed_options[i].purpose);
		doctor_remedy(doctor, "boot a kernel built with it, e.g. Debian's");
	}
	if (nr == NR_NEEDED_OPTIONS)
		doctor_say(doctor, DOCTOR_OK, "built with all required options (IOMMU, BPF, BTF)");
}

void doctor_check_btf(struct doctor *doctor)
{
	static const char *const modules[] = { "iommufd", "vfio", "vfio_iommu_type1" };
	size_t i, nr = 0;

	if (!sysfs_exists("/sys/kernel/btf/vmlinux")) {
		doctor_say(doctor, DOCTOR_MISSING, "the kernel has no BTF");
		doctor_remedy(doctor, "boot a kernel built with CONFIG_DEBUG_INFO_BTF, e.g. Debian's");
		return;
	}
	for (i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		/* the BTF of a built-in module is in the kernel's BTF */
		if (!sysfs_exists("/sys/module/%s/initstate", modules[i]))
			continue;
		nr++;
		if (sysfs_exists("/sys/kernel/btf/%s", modules[i]))
			continue;
		doctor_say(doctor, DOCTOR_MISSING, "module %s has no BTF%s", modules[i],
			   !strcmp(modules[i], "iommufd") ?
			   ": if it is ours, only lat, ops, stuck and record work" : "");
		doctor_remedy(doctor, "build it on a machine with pahole (package dwarves) and the kernel "
				      "headers with vmlinux, then load it again");
		return;
	}
	doctor_say(doctor, DOCTOR_OK, nr ? "the kernel and the modules have BTF" :
					   "the kernel has BTF");
}

static bool file_is(const char *path, const char *wanted)
{
	char line[128];

	return sysfs_line(line, sizeof(line), "%s", path) && !strcmp(line, wanted);
}

/* Report settings that keep BPF programs from working. */
static void say_obstacles(struct doctor *doctor)
{
	const struct obstacle_words *words;
	enum obstacle obstacle;

	for (obstacle = 0; obstacle < NR_OBSTACLES; obstacle++) {
		if (!obstacle_here(obstacle))
			continue;
		words = obstacle_words(obstacle);
		doctor_say(doctor, DOCTOR_MISSING, "%s: %s", words->setting, words->effect);
		doctor_remedy(doctor, "%s", words->remedy);
	}
}

void doctor_check_bpf(struct doctor *doctor)
{
	size_t before = doctor->nr;
	char lockdown[64];

	say_obstacles(doctor);
	sysfs_line(lockdown, sizeof(lockdown), "/sys/kernel/security/lockdown");
	if (strstr(lockdown, "[integrity]") ||
	    file_is("/sys/module/module/parameters/sig_enforce", "Y")) {
		doctor_say(doctor, DOCTOR_WARNING,
			   "only signed modules can be loaded (Secure Boot)");
		doctor_remedy(doctor, "sign our modules with a key of your own and enrol it: "
				      "mokutil --import /var/lib/dkms/mok.pub");
	}
	if (file_is("/proc/sys/kernel/kptr_restrict", "2")) {
		doctor_say(doctor, DOCTOR_WARNING,
			   "kernel addresses are hidden: the stacks of 'stuck' have no symbols");
		doctor_remedy(doctor, "sysctl kernel.kptr_restrict=1");
	}
	if (doctor->nr == before)
		doctor_say(doctor, DOCTOR_OK, "nothing restricts what root may load");
}

/* A module: what is loaded and what is installed. */
struct module {
	const char *name;
	const char *event;	/* a tracepoint that only our module has, or NULL */
	bool loaded;
	bool built_in;
	bool ours;
	bool out_of_tree;
	char version[32];
	char file[128];		/* below /lib/modules/RELEASE; "" if not installed */
};

/* Does the BTF of a module have a tracepoint? */
static bool has_tracepoint(const char *module, const char *event)
{
	size_t size = 0, room = 1 << 16;
	char *types, path[PATH_MAX], wanted[64];
	bool found = false;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", module);
	snprintf(wanted, sizeof(wanted), "btf_trace_%s", event);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	types = malloc(room);
	/* a read from sysfs returns at most a page */
	while (types && (length = read(fd, types + size, room - size)) > 0) {
		size += length;
		if (size < room)
			continue;
		room *= 2;
		types = realloc(types, room);
	}
	close(fd);
	if (!types)
		out_of_memory();
	/* including the zero that ends the name */
	found = memmem(types, size, wanted, strlen(wanted) + 1);
	free(types);
	return found;
}

/* "kernel/drivers/iommu/iommufd/iommufd.ko.xz: ..." -> is it the file of this module? */
static bool is_file_of(const char *file, const char *name)
{
	const char *base = strrchr(file, '/');
	size_t i;

	base = base ? base + 1 : file;
	for (i = 0; name[i]; i++)
		if (base[i] != name[i] && !(base[i] == '-' && name[i] == '_'))
			return false;
	return !strncmp(base + i, ".ko", 3);
}

/* Find the files of modules in the output of depmod. */
static void find_files(struct module *modules, size_t nr)
{
	char *line = NULL, path[PATH_MAX];
	struct utsname names;
	size_t room = 0, i;
	FILE *list;

	uname(&names);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", names.release);
	list = fopen(path, "re");
	if (!list)
		return;
	while (getline(&line, &room, list) > 0) {
		line[strcspn(line, ":\n")] = '\0';
		for (i = 0; i < nr; i++)
			if (is_file_of(line, modules[i].name))
				snprintf(modules[i].file, sizeof(modules[i].file), "%s", line);
	}
	free(line);
	fclose(list);
}

static void look_at_module(struct module *module)
{
	char taint[16];

	module->loaded = sysfs_exists("/sys/module/%s", module->name);
	if (!module->loaded)
		return;
	sysfs_line(module->version, sizeof(module->version), "/sys/module/%s/version",
		   module->name);
	module->built_in = !sysfs_exists("/sys/module/%s/initstate", module->name);
	/* without BTF, "out of tree" is the best available answer */
	sysfs_line(taint, sizeof(taint), "/sys/module/%s/taint", module->name);
	module->out_of_tree = strchr(taint, 'O') != NULL;
	if (module->event && sysfs_exists("/sys/kernel/btf/%s", module->name))
		module->ours = has_tracepoint(module->name, module->event);
	else
		module->ours = module->out_of_tree;
}

enum verdict {
	OURS,
	/* the kernel's own, loaded or built in */
	FOREIGN,
	OLD_LOADED,
	/* ours */
	NOT_LOADED,
	/* the kernel's own; it is loaded when it is used */
	NOT_USED,
	NOT_INSTALLED,
	NR_VERDICTS,
};

static enum verdict judge(const struct module *module)
{
	bool ours_installed = *module->file && strncmp(module->file, "kernel/", 7);

	if (module->loaded && module->ours)
		return OURS;
	/* a loaded out-of-tree module may be the installed one, ours or another */
	if (module->loaded)
		return ours_installed && !module->built_in && !module->out_of_tree ? OLD_LOADED :
										     FOREIGN;
	if (ours_installed)
		return NOT_LOADED;
	return *module->file ? NOT_USED : NOT_INSTALLED;
}

/* A host without our modules lacks nothing, so this is not a warning. */
static void say_not_installed(struct doctor *doctor, const char *names)
{
	struct utsname kernel;

	uname(&kernel);
	if (!strstr(names, "iommufd"))
		doctor_say(doctor, DOCTOR_OK, "this kernel has no %s", names);
	else if (!strncmp(kernel.release, MODULES_SERIES, strlen(MODULES_SERIES)))
		doctor_say(doctor, DOCTOR_OK,
			   "this kernel has no %s, so no /dev/iommu: programs that need it (QEMU's iommufd "
			   "backend, libvfn) need " PACKAGE, names);
	else
		doctor_say(doctor, DOCTOR_OK,
			   "this kernel has no %s, so no /dev/iommu; our modules are for Linux "
			   MODULES_SERIES "x, not for this kernel", names);
}

static void say_of_modules(struct doctor *doctor, enum verdict verdict, const char *names,
			   bool several, const char *version)
{
	const char *are = several ? "are" : "is";

	switch (verdict) {
	case OURS:
		doctor_say(doctor, DOCTOR_OK, "%s %s loaded, ours%s%s, with tracepoints", names,
			   are, *version ? ", version " : "", version);
		return;
	case FOREIGN:
		doctor_say(doctor, DOCTOR_OK, "%s %s the kernel's own", names, are);
		return;
	case OLD_LOADED:
		doctor_say(doctor, DOCTOR_WARNING,
			   "%s %s the kernel's own, although ours %s installed", names, are, are);
		doctor_remedy(doctor, "unload and reload %s, or reboot", several ? "them" : "it");
		return;
	case NOT_LOADED:
		doctor_say(doctor, DOCTOR_MISSING, "%s %s not loaded", names, are);
		doctor_remedy(doctor, several ? "modprobe -a %s" : "modprobe %s", names);
		return;
	case NOT_USED:
		doctor_say(doctor, DOCTOR_OK, "%s %s not in use: the kernel's own, not loaded", names,
			   are);
		return;
	case NOT_INSTALLED:
	case NR_VERDICTS:
		say_not_installed(doctor, names);
		return;
	}
}

/* Our modules replace the container, so only its presence counts. */
static bool matters(const struct module *module)
{
	return strcmp(module->name, "vfio_iommu_type1") || module->loaded;
}

void doctor_check_modules(struct doctor *doctor)
{
	struct module modules[] = {
		{ .name = "iommufd", .event = "iommufd_map" },
		{ .name = "vfio", .event = "vfio_attach" },
		{ .name = "vfio_pci" },
		{ .name = "vfio_iommu_type1" },
	};
	size_t nr = sizeof(modules) / sizeof(modules[0]), i, found;
	enum verdict verdict;
	const char *version;
	char names[64];

	find_files(modules, nr);
	for (i = 0; i < nr; i++)
		look_at_module(&modules[i]);
	/* our vfio_pci works only with our vfio */
	modules[2].ours &= modules[1].ours;
	for (verdict = 0; verdict < NR_VERDICTS; verdict++) {
		found = 0;
		*names = '\0';
		version = "";
		for (i = 0; i < nr; i++) {
			if (judge(&modules[i]) != verdict || !matters(&modules[i]))
				continue;
			if (found++)
				strcat(names, " ");
			strcat(names, modules[i].name);
			version = modules[i].version;
		}
		if (found)
			say_of_modules(doctor, verdict, names, found > 1, version);
	}
}
