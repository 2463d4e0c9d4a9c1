// SPDX-License-Identifier: GPL-2.0-only
/*
 * Symbols for the addresses of stacks.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/stacks.h"
#include "text/name.h"
#include "text/output.h"

/* Processes kept in the cache: each takes a descriptor for every file that it maps. */
#define MAX_PROCESSES 8
/* Most frames of BPF and tracing at the inner end of a kernel stack. */
#define MAX_OWN_FRAMES 16
/* The library's id for the kernel. */
#define KERNEL_PID (-1)

/*
 * The part of the library's public interface (bcc/bcc_syms.h) that we use.  It has not changed
 * since version 0.5.  The header itself needs other headers, which a build without the package
 * lacks.
 */
struct bcc_symbol {
	const char *name;
	const char *demangle_name;
	const char *module;
	uint64_t offset;
};

struct bcc_library {
	void *(*symcache_new)(int pid, void *option);
	void (*free_symcache)(void *cache, int pid);
	int (*symcache_resolve)(void *cache, uint64_t address, struct bcc_symbol *symbol);
	void (*symbol_free_demangle_name)(struct bcc_symbol *symbol);
};

/* Both have the symbol cache; the first does not need the compiler that the second one does. */
static const char *const libraries[] = { "libbcc_bpf.so.0", "libbcc.so.0" };
#define NR_LIBRARIES (sizeof(libraries) / sizeof(libraries[0]))

struct process {
	pid_t pid;
	uint64_t start_ticks;
	void *cache;
	uint64_t used;
};

struct stacks {
	void *handle;
	struct bcc_library library;
	void *kernel;
	struct process processes[MAX_PROCESSES];
	uint64_t uses;
};

/* Find the functions.  Return whether all were found. */
static bool find_functions(void *handle, struct bcc_library *library)
{
	*(void **)&library->symcache_new = dlsym(handle, "bcc_symcache_new");
	*(void **)&library->free_symcache = dlsym(handle, "bcc_free_symcache");
	*(void **)&library->symcache_resolve = dlsym(handle, "bcc_symcache_resolve");
	*(void **)&library->symbol_free_demangle_name =
		dlsym(handle, "bcc_symbol_free_demangle_name");
	return library->symcache_new && library->free_symcache && library->symcache_resolve &&
	       library->symbol_free_demangle_name;
}

struct stacks *stacks_begin(void)
{
	struct stacks *stacks = calloc(1, sizeof(*stacks));
	size_t i;

	if (!stacks)
		out_of_memory();
	for (i = 0; i < NR_LIBRARIES; i++) {
		stacks->handle = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
		if (stacks->handle && find_functions(stacks->handle, &stacks->library))
			return stacks;
		if (stacks->handle)
			dlclose(stacks->handle);
	}
	complain("--stacks needs libbcc: apt install libbpfcc");
	free(stacks);
	return NULL;
}

/* Names */

/* Name one frame.  Return whether it has at least a module. */
static bool name_frame(struct stacks *stacks, void *cache, struct frame *frame)
{
	const struct bcc_library *library = &stacks->library;
	struct bcc_symbol symbol = {};
	int err;

	/* a return address: the call before it may be the last instruction of its function */
	err = library->symcache_resolve(cache, frame->address - 1, &symbol);
	if (!symbol.module)
		return false;
	frame->offset = symbol.offset + 1;
	frame->module = strdup(symbol.module);
	if (!frame->module)
		out_of_memory();
	name_clean(frame->module, strlen(frame->module) + 1);
	if (!err) {
		frame->symbol = strdup(symbol.demangle_name ? symbol.demangle_name : symbol.name);
		if (!frame->symbol)
			out_of_memory();
		name_clean(frame->symbol, strlen(frame->symbol) + 1);
		library->symbol_free_demangle_name(&symbol);
	}
	return true;
}

/* Name frames without a name.  Return how many remain unknown. */
static size_t name_frames(struct stacks *stacks, void *cache, struct frame *frames, size_t nr)
{
	size_t unknown = 0, i;

	for (i = 0; i < nr; i++)
		if (!frames[i].module && !name_frame(stacks, cache, &frames[i]))
			unknown++;
	return unknown;
}

void stacks_free_frames(struct frame *frames, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		free(frames[i].symbol);
		free(frames[i].module);
	}
}

/* Processes */

/* Start time of a live process, in the ticks of /proc; 0 if there is none. */
static uint64_t start_of(pid_t pid)
{
	char path[32], text[1024];
	unsigned long long start = 0;
	size_t length;
	char *rest;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	/* the name can contain blanks and parentheses; a process that has ended is Z or X */
	rest = strrchr(text, ')');
	if (!rest || rest[1] != ' ' || strchr("ZX", rest[2]))
		return 0;
	/* skip fields 4 to 21 */
	sscanf(rest + 3, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
	       "%llu", &start);
	return start;
}

static void forget(struct stacks *stacks, struct process *process)
{
	if (process->cache)
		stacks->library.free_symcache(process->cache, process->pid);
	memset(process, 0, sizeof(*process));
}

/* Find the slot of a known process, else the least recently used slot. */
static struct process *place_of(struct stacks *stacks, pid_t pid, uint64_t start_ticks)
{
	struct process *oldest = &stacks->processes[0], *process;
	size_t i;

	for (i = 0; i < MAX_PROCESSES; i++) {
		process = &stacks->processes[i];
		if (process->cache && process->pid == pid && process->start_ticks == start_ticks)
			return process;
		if (process->used < oldest->used)
			oldest = process;
	}
	return oldest;
}

/* Read the current mappings of a process.  Return NULL unless it is the right process. */
static void *look_at(struct stacks *stacks, pid_t pid, uint64_t start_ticks)
{
	uint64_t after;
	void *cache;

	if (start_of(pid) != start_ticks)
		return NULL;
	cache = stacks->library.symcache_new(pid, NULL);
	after = start_of(pid);
	/* another process may have taken its id meanwhile */
	if (cache && after && after != start_ticks) {
		stacks->library.free_symcache(cache, pid);
		cache = NULL;
	}
	return cache;
}

bool stacks_user(struct stacks *stacks, pid_t pid, uint64_t start_ns, struct frame *frames,
		 size_t nr)
{
	uint64_t start_ticks = start_ns / (1000000000 / sysconf(_SC_CLK_TCK));
	struct process *process = place_of(stacks, pid, start_ticks);
	bool known = process->cache && process->pid == pid && process->start_ticks == start_ticks;
	size_t unknown = nr;
	void *cache;

	if (known)
		unknown = name_frames(stacks, process->cache, frames, nr);
	/* unknown addresses may have been mapped since */
	cache = unknown ? look_at(stacks, pid, start_ticks) : NULL;
	if (cache) {
		forget(stacks, process);
		*process = (struct process){ .pid = pid, .start_ticks = start_ticks, .cache = cache };
		unknown = name_frames(stacks, cache, frames, nr);
	}
	if (known || cache)
		process->used = ++stacks->uses;
	return unknown < nr || !nr || start_of(pid) == start_ticks;
}

/* The kernel */

/* Is a frame on the path from an event to a BPF program? */
static bool is_own(const struct frame *frame)
{
	return frame->symbol && (!strncmp(frame->symbol, "bpf_", 4) ||
				 !strncmp(frame->symbol, "__bpf_", 6) ||
				 !strncmp(frame->symbol, "__traceiter_", 12) ||
				 !strcmp(frame->module, "bpf"));
}

size_t stacks_kernel(struct stacks *stacks, struct frame *frames, size_t nr)
{
	size_t own = 0, i, length;
	char *module;

	if (!stacks->kernel)
		stacks->kernel = stacks->library.symcache_new(KERNEL_PID, NULL);
	if (!stacks->kernel)
		return 0;
	name_frames(stacks, stacks->kernel, frames, nr);
	for (i = 0; i < nr; i++) {
		/* some versions keep the brackets of /proc/kallsyms */
		module = frames[i].module;
		length = module ? strlen(module) : 0;
		if (length > 2 && *module == '[' && module[length - 1] == ']') {
			memmove(module, module + 1, length - 2);
			module[length - 2] = '\0';
		}
		if (i < MAX_OWN_FRAMES && is_own(&frames[i]))
			own = i + 1;
	}
	return own;
}

void stacks_end(struct stacks *stacks)
{
	size_t i;

	if (!stacks)
		return;
	for (i = 0; i < MAX_PROCESSES; i++)
		forget(stacks, &stacks->processes[i]);
	if (stacks->kernel)
		stacks->library.free_symcache(stacks->kernel, KERNEL_PID);
	dlclose(stacks->handle);
	free(stacks);
}
