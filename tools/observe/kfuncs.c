// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's functions in BPF programs.
 *
 * A call of a kernel function names it by its id in a BTF, and the BTF by an index into an array of
 * descriptors.  Index 0 is the kernel's own, 1 is our module's here.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "bpf/state_walk.h"
#include "observe/kfuncs.h"
#include "observe/module_btf.h"
#include "text/output.h"

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

static void look_at(const char *name, unsigned int kind, uint32_t id, void *data)
{
	unsigned int i;

	(void)data;
	if (kind != BTF_KIND_FUNC || strncmp(name, "bpf_iter_", 9))
		return;
	for (i = 0; i < SCOPE_NR_KFUNCS; i++)
		if (!strcmp(name, names[i]))
			ids[i] = id;
}

/* Called by libbpf for each program of the section as it is about to load it. */
static int prepare_load(struct bpf_program *program, struct bpf_prog_load_opts *options,
			long cookie)
{
	/* libbpf hands out the program as it is going to load it */
	struct bpf_insn *insns = (struct bpf_insn *)bpf_program__insns(program);
	size_t nr = bpf_program__insn_cnt(program), i;

	(void)cookie;
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
	return 0;
}

int kfuncs_init(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = prepare_load);
	static const char *const modules[] = { "iommufd", NULL };
	struct module_btf btf;
	unsigned int i;
	int err;

	if (btf_fds[MODULE_INDEX] >= 0)
		return 0;
	err = module_btf_open(modules, &btf);
	if (err) {
		complain("cannot read the BTF of module iommufd: %s", strerror(-err));
		return -1;
	}
	module_btf_each(&btf, look_at, NULL);
	for (i = 0; i < SCOPE_NR_KFUNCS; i++) {
		if (ids[i])
			continue;
		complain("module iommufd has no %s(): it is not ours, or older than this tool",
			 names[i]);
		module_btf_close(&btf);
		return -1;
	}
	err = libbpf_register_prog_handler(SCOPE_STATE_SECTION, BPF_PROG_TYPE_SYSCALL, 0, &options);
	if (err < 0) {
		complain("cannot load the BPF programs: %s", strerror(-err));
		module_btf_close(&btf);
		return -1;
	}
	btf_fds[MODULE_INDEX] = btf.fd;
	btf.fd = -1;
	module_btf_close(&btf);
	return 0;
}
