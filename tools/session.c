// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a BPF skeleton.
 *
 * libbpf talks a lot when something fails; its words are kept, and the last line is shown with
 * ours.  With IOMMUSCOPE_DEBUG set all of them are.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "btf_events.h"
#include "output.h"
#include "session.h"

#define CAP_SYS_ADMIN 21
#define CAP_PERFMON 38
#define CAP_BPF 39

#define MAX_LINKS 128

static char libbpf_says[512];
static bool debug;

static struct bpf_link *links[MAX_LINKS];
static struct bpf_object *link_owners[MAX_LINKS];

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

static uint64_t capabilities(void)
{
	unsigned long long effective = 0;
	char line[256];
	FILE *status;

	status = fopen("/proc/self/status", "re");
	if (!status)
		return ~0ULL;
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	fclose(status);
	return effective;
}

static bool have(const char *path)
{
	return !access(path, F_OK);
}

static int failed(const char *what, int err)
{
	complain("cannot %s: %s%s%s%s", what, strerror(-err), *libbpf_says ? " (" : "", libbpf_says,
		 *libbpf_says ? ")" : "");
	return -1;
}

int session_check(void)
{
	static const char *const modules[] = { "iommufd", "vfio", NULL };
	uint64_t caps = capabilities();
	int err;

	debug = getenv("IOMMUSCOPE_DEBUG") != NULL;
	libbpf_set_print(keep_words);

	if (!(caps & 1ULL << CAP_SYS_ADMIN) &&
	    !((caps & 1ULL << CAP_BPF) && (caps & 1ULL << CAP_PERFMON))) {
		complain("no privilege: run it as root, or with CAP_BPF and CAP_PERFMON");
		return -1;
	}
	if (!have("/sys/kernel/btf/vmlinux")) {
		complain("this kernel has no BTF: it needs one built with CONFIG_DEBUG_INFO_BTF");
		return -1;
	}
	if (!have("/sys/module/iommufd")) {
		complain("module iommufd is not loaded: modprobe iommufd");
		return -1;
	}
	if (!have("/sys/kernel/btf/iommufd")) {
		complain("module iommufd has no BTF: build it where pahole and the kernel's vmlinux are");
		return -1;
	}
	err = btf_events_init(modules);
	if (err == -EPERM) {
		complain("no privilege to read the modules' BTF: run it as root, or add CAP_SYS_ADMIN");
		return -1;
	}
	if (err)
		return failed("read the modules' BTF", err);
	if (!btf_event_exists("iommufd_map")) {
		complain("module iommufd has no tracepoints: it is not ours (see modinfo iommufd)");
		return -1;
	}
	return 0;
}

/* The event that a program is for: "tp_btf/iommufd_map" -> "iommufd_map", NULL if none. */
static const char *event_of(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	return strncmp(section, "tp_btf/", 7) ? NULL : section + 7;
}

int session_load(struct bpf_object *object)
{
	struct bpf_program *program;
	const char *event;
	int err;

	bpf_object__for_each_program(program, object) {
		event = event_of(program);
		if (event && !btf_event_exists(event))
			bpf_program__set_autoload(program, false);
	}
	err = bpf_object__load(object);
	return err ? failed("load the BPF programs", err) : 0;
}

int session_attach(struct bpf_object *object)
{
	struct bpf_program *program;
	unsigned int i = 0;

	bpf_object__for_each_program(program, object) {
		if (!event_of(program) || !bpf_program__autoload(program))
			continue;
		while (i < MAX_LINKS && links[i])
			i++;
		if (i == MAX_LINKS)
			return failed("attach the BPF programs", -E2BIG);
		links[i] = bpf_program__attach_trace(program);
		if (!links[i])
			return failed("attach the BPF programs", -errno);
		link_owners[i] = object;
	}
	return 0;
}

void session_detach(struct bpf_object *object)
{
	unsigned int i;

	for (i = 0; i < MAX_LINKS; i++) {
		if (!links[i] || link_owners[i] != object)
			continue;
		bpf_link__destroy(links[i]);
		links[i] = NULL;
	}
}
