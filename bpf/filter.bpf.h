/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filters that every program applies first.
 *
 * The tool sets the knobs before it loads the program, so the verifier removes the tests of unused
 * filters.  A record of a memory operation contains its IOAS, but not the devices attached to it;
 * @ioas_of_device holds the IOASes that the selected device is attached to.  The tool fills it in
 * at the start, and the programs keep it up to date from then on.
 */
#ifndef IOMMUSCOPE_BPF_FILTER_BPF_H
#define IOMMUSCOPE_BPF_FILTER_BPF_H

#include "bpf/filter.h"
#include "bpf/record.bpf.h"

const volatile struct scope_filter filter = {};

/* Key of an IOAS: the context's number in the high half, the object's id in the low half. */
static __always_inline __u64 scope_ioas_key(__u32 ctx, __u32 ioas)
{
	return (__u64)ctx << 32 | ioas;
}

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u8);
} ios_ioas_of_device SEC(".maps");

/*
 * Deeper cgroups do not match; the verifier asks for a bound, and systemd nests less than half as
 * deep.
 */
#define SCOPE_CGROUP_DEPTH 32

/* Is the thread in the cgroup of the filter, or below it? */
static __always_inline bool scope_in_cgroup(void)
{
	__u64 ancestor;
	int level;

	for (level = 0; level < SCOPE_CGROUP_DEPTH; level++) {
		ancestor = bpf_get_current_ancestor_cgroup_id(level);
		if (ancestor == filter.cgroup)
			return true;
		/* that was the thread's own */
		if (!ancestor)
			return false;
	}
	return false;
}

static __always_inline bool scope_filter_task(void)
{
	if (filter.tgid && bpf_get_current_pid_tgid() >> 32 != filter.tgid)
		return false;
	if (filter.cgroup && !scope_in_cgroup())
		return false;
	return true;
}

static __always_inline bool scope_filter_ctx(const OP *op)
{
	return (!filter.ctx || op->ctx_id == filter.ctx) && scope_filter_task();
}

static __always_inline bool scope_filter_memory(const OP *op)
{
	__u64 key, src;

	if (!scope_filter_ctx(op))
		return false;
	if (filter.by_device) {
		key = scope_ioas_key(op->ctx_id, op->ioas_id);
		src = scope_ioas_key(op->ctx_id, op->src_ioas_id);
		if (!bpf_map_lookup_elem(&ios_ioas_of_device, &key) &&
		    !bpf_map_lookup_elem(&ios_ioas_of_device, &src))
			return false;
	}
	return true;
}

static __always_inline bool scope_is_device(const char *device)
{
	char name[SCOPE_DEVICE_LEN];
	int i;

	bpf_probe_read_kernel(name, sizeof(name), device);
	for (i = 0; i < SCOPE_DEVICE_LEN; i++) {
		if (name[i] != filter.device[i])
			return false;
		if (!name[i])
			break;
	}
	return true;
}

/* Follows the device from IOAS to IOAS, also if the filters hide the process that moves it. */
static __always_inline void scope_follow_device(const OP *op, __u32 operation)
{
	__u64 key;
	__u8 yes = 1;

	if (op->clock.ret)
		return;
	if (operation == SCOPE_OPERATION_iommufd_replace) {
		key = scope_ioas_key(op->ctx_id, op->old_ioas_id);
		bpf_map_delete_elem(&ios_ioas_of_device, &key);
	}
	if (scope_is_attach(operation) || operation == SCOPE_OPERATION_iommufd_replace) {
		key = scope_ioas_key(op->ctx_id, op->ioas_id);
		bpf_map_update_elem(&ios_ioas_of_device, &key, &yes, BPF_ANY);
	} else if (scope_is_detach(operation)) {
		key = scope_ioas_key(op->ctx_id, op->ioas_id);
		bpf_map_delete_elem(&ios_ioas_of_device, &key);
		key = scope_ioas_key(op->ctx_id, op->old_ioas_id);
		bpf_map_delete_elem(&ios_ioas_of_device, &key);
	}
}

static __always_inline bool scope_filter_translation(const OP *op, __u32 operation)
{
	if (filter.by_device) {
		if (!scope_is_device(op->device))
			return false;
		scope_follow_device(op, operation);
	}
	return scope_filter_ctx(op);
}

static __always_inline bool scope_filter_object(const OP *op)
{
	if (filter.by_device)
		return false;
	return scope_filter_ctx(op);
}

/* vfio does not know the context's number; with that filter only iommufd's own events report. */
static __always_inline bool scope_filter_vfio(const VFIO_OP *op)
{
	if (filter.by_device && !scope_is_device(op->device))
		return false;
	if (filter.ctx)
		return false;
	return scope_filter_task();
}

#endif
