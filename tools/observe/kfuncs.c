// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls from BPF programs to functions of the module.
 *
 * A call of a kernel function names it by its id in a BTF, and the BTF by an index into an array of
 * descriptors.  Here index 0 is the kernel's own, and 1 is our module's.
 *
 * The type ids of a module continue those of the kernel, and its string offsets start where the
 * kernel's strings end.  So only two numbers of the kernel's BTF are needed: of its types, and of
 * the bytes of its strings.  libbpf would index the kernel's hundred thousand types, which takes
 * longer than the rest of a look at the state; docs/inside/benchmarks.md has the figures.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/state_walk.h"
#include "probe/btf_events.h"
#include "observe/kfuncs.h"
#include "text/output.h"

#define MODULE "iommufd"
#define MODULE_INDEX 1

static const char *const names[SCOPE_NR_KFUNCS] = {
#define NAMES(name)                                                      \
	[SCOPE_KFUNC_##name##_new] = "bpf_iter_iommufd_" #name "_new",   \
	[SCOPE_KFUNC_##name##_next] = "bpf_iter_iommufd_" #name "_next", \
	[SCOPE_KFUNC_##name##_destroy] = "bpf_iter_iommufd_" #name "_destroy",
	SCOPE_STATE_ITERATORS(NAMES)
#undef NAMES
};

static uint32_t ids[SCOPE_NR_KFUNCS];
static int btf_fds[MODULE_INDEX + 1] = { -1, -1 };

/**
 * struct base - sizes of the kernel's BTF
 * @types: number of its types
 * @strings: bytes of its strings
 */
struct base {
	uint32_t types;
	uint32_t strings;
};

/* Bytes that follow a type, by its kind.  Return -1 for an unknown kind. */
static long type_tail(const struct btf_type *type)
{
	long vlen = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		/* each is followed by one number */
		return sizeof(uint32_t);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return vlen * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return vlen * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return vlen * sizeof(struct btf_var_secinfo);
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	default:
		return -1;
	}
}

/* The type after another one; NULL at the end or if the type is of an unknown kind. */
static const struct btf_type *next_type(const struct btf_header *header,
					const struct btf_type *type)
{
	const char *end =
		(const char *)header + header->hdr_len + header->type_off + header->type_len;
	const char *next;
	long tail;

	if (!type) {
		next = (const char *)header + header->hdr_len + header->type_off;
	} else {
		tail = type_tail(type);
		if (tail < 0)
			return NULL;
		next = (const char *)(type + 1) + tail;
	}
	return next + sizeof(*type) <= end ? (const void *)next : NULL;
}

/* Copy up to @size bytes of an object's BTF.  Return the data, or NULL with errno set. */
static struct btf_header *read_data(int fd, uint32_t size)
{
	struct bpf_btf_info info = {};
	uint32_t info_size = sizeof(info);
	struct btf_header *data = malloc(size);

	if (!data)
		out_of_memory();
	info.btf = (uintptr_t)data;
	info.btf_size = size;
	errno = EINVAL;
	if (!bpf_obj_get_info_by_fd(fd, &info, &info_size) && data->magic == BTF_MAGIC &&
	    info.btf_size >= size)
		return data;
	free(data);
	return NULL;
}

/* Count the kernel's types, and read the length of its strings.  Return 0 or a negative errno. */
static int measure_base(int fd, struct base *base)
{
	const struct btf_type *type = NULL;
	struct btf_header *header;
	uint32_t size;

	header = read_data(fd, sizeof(*header));
	if (!header)
		return -errno;
	base->strings = header->str_len;
	size = header->hdr_len + header->type_off + header->type_len;
	free(header);

	header = read_data(fd, size);
	if (!header)
		return -errno;
	while ((type = next_type(header, type)))
		base->types++;
	free(header);
	return 0;
}

/* Look up the ids of the functions. */
static void take_ids(const struct btf_header *header, const struct base *base)
{
	const char *strings = (const char *)header + header->hdr_len + header->str_off;
	const struct btf_type *type = NULL;
	uint32_t id = base->types + 1;
	unsigned int i;

	for (; (type = next_type(header, type)); id++) {
		/* a name that the kernel also has is stored among the kernel's strings */
		if (BTF_INFO_KIND(type->info) != BTF_KIND_FUNC || type->name_off < base->strings)
			continue;
		for (i = 0; i < SCOPE_NR_KFUNCS; i++)
			if (!strcmp(strings + (type->name_off - base->strings), names[i]))
				ids[i] = id;
	}
}

/* Result of find_functions(). */
struct search {
	struct base base;
	struct btf_header *module;
};

static int look_at(void *context, int fd, const char *name, uint32_t size)
{
	struct search *search = context;

	if (!strcmp(name, "vmlinux"))
		return measure_base(fd, &search->base);
	if (strcmp(name, MODULE))
		return 0;
	search->module = read_data(fd, size);
	if (!search->module)
		return -errno;
	btf_fds[MODULE_INDEX] = fd;
	return 1;
}

/* Find all functions.  Return 0, or a negative errno; without the module's BTF nothing is found. */
static int find_functions(void)
{
	struct search search = {};
	int err = btf_each(look_at, &search);

	if (!err && !search.base.types)
		err = -ENOENT;
	if (!err && search.module)
		take_ids(search.module, &search.base);
	free(search.module);
	return err;
}

static void forget_module(void)
{
	if (btf_fds[MODULE_INDEX] >= 0)
		close(btf_fds[MODULE_INDEX]);
	btf_fds[MODULE_INDEX] = -1;
}

/* Called by libbpf for each program of the section before it is loaded. */
static int prepare_load(struct bpf_program *program, struct bpf_prog_load_opts *options,
			long cookie)
{
	size_t nr = bpf_program__insn_cnt(program), i;
	struct bpf_insn *insns = calloc(nr, sizeof(*insns));
	int err;

	(void)cookie;
	if (!insns)
		out_of_memory();
	memcpy(insns, bpf_program__insns(program), nr * sizeof(*insns));
	for (i = 0; i < nr; i++) {
		struct bpf_insn *insn = &insns[i];
		uint32_t kfunc = (uint32_t)insn->imm - SCOPE_KFUNC_BASE;

		if (insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg || kfunc >= SCOPE_NR_KFUNCS)
			continue;
		insn->src_reg = BPF_PSEUDO_KFUNC_CALL;
		insn->off = MODULE_INDEX;
		insn->imm = (int32_t)ids[kfunc];
	}
	options->fd_array = btf_fds;
	options->prog_flags |= BPF_F_SLEEPABLE;
	err = bpf_program__set_insns(program, insns, nr);
	free(insns);
	return err;
}

bool kfuncs_are_there(void)
{
	unsigned int i;

	if (btf_fds[MODULE_INDEX] < 0 && find_functions())
		return false;
	for (i = 0; i < SCOPE_NR_KFUNCS; i++)
		if (ids[i])
			return true;
	forget_module();
	return false;
}

int kfuncs_init(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = prepare_load);
	unsigned int i;
	int err;

	static bool taken_over;

	if (taken_over)
		return 0;
	err = btf_fds[MODULE_INDEX] < 0 ? find_functions() : 0;
	if (err) {
		complain("cannot read the BTF of module " MODULE ": %s", strerror(-err));
		goto out_forget;
	}
	for (i = 0; i < SCOPE_NR_KFUNCS; i++) {
		if (ids[i])
			continue;
		complain("module " MODULE " has no %s(): it is not ours, or older than this tool",
			 names[i]);
		goto out_forget;
	}
	err = libbpf_register_prog_handler(SCOPE_STATE_SECTION, BPF_PROG_TYPE_SYSCALL, 0, &options);
	if (err < 0) {
		complain("cannot load the BPF programs: %s", strerror(-err));
		goto out_forget;
	}
	taken_over = true;
	return 0;

out_forget:
	forget_module();
	return -1;
}
