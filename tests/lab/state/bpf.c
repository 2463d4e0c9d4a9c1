// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF objects that the kernel holds. Their numbers grow with every object ever created, so a line
 * has only kind, type and name; several of the same give several lines.
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "state.h"

static long bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* Returns false if the object is gone by now. */
static bool get_info(enum bpf_cmd by_id, uint32_t id, void *info, uint32_t size)
{
	union bpf_attr attr = { .prog_id = id };
	int fd = bpf(by_id, &attr);
	long ret;

	if (fd < 0)
		return false;
	attr = (union bpf_attr){ .info = { .bpf_fd = fd, .info_len = size,
					   .info = (uintptr_t)info } };
	ret = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	close(fd);
	return !ret;
}

static void add_program(struct state *state, uint32_t id)
{
	struct bpf_prog_info info = {};

	if (get_info(BPF_PROG_GET_FD_BY_ID, id, &info, sizeof(info)))
		state_add(state, "", "bpf program %s of type %u", info.name, info.type);
}

static void add_map(struct state *state, uint32_t id)
{
	struct bpf_map_info info = {};

	if (get_info(BPF_MAP_GET_FD_BY_ID, id, &info, sizeof(info)))
		state_add(state, "", "bpf map %s of type %u", info.name, info.type);
}

static void add_link(struct state *state, uint32_t id)
{
	struct bpf_link_info info = {};

	if (get_info(BPF_LINK_GET_FD_BY_ID, id, &info, sizeof(info)))
		state_add(state, "", "bpf link of type %u", info.type);
}

static void add_btf(struct state *state, uint32_t id)
{
	struct bpf_btf_info info = {};

	/* the kernel's own come with modules */
	if (get_info(BPF_BTF_GET_FD_BY_ID, id, &info, sizeof(info)) && !info.kernel_btf)
		state_add(state, "", "bpf types, %u bytes", info.btf_size);
}

void state_bpf(struct state *state)
{
	static const struct {
		enum bpf_cmd next;
		void (*add)(struct state *state, uint32_t id);
	} kinds[] = {
		{ BPF_PROG_GET_NEXT_ID, add_program },
		{ BPF_MAP_GET_NEXT_ID, add_map },
		{ BPF_LINK_GET_NEXT_ID, add_link },
		{ BPF_BTF_GET_NEXT_ID, add_btf },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		union bpf_attr attr = {};

		while (!bpf(kinds[i].next, &attr)) {
			uint32_t id = attr.next_id;

			kinds[i].add(state, id);
			attr = (union bpf_attr){ .start_id = id };
		}
	}
}
