/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of replacements under way, and of those that faults may still be charged to.
 *
 * A replacement runs in one thread: a struct running in that thread's storage says so from the event of its
 * begin to that of its end.  What the probes below it see goes into the device's record in @live, which is
 * begun as the device is first seen moving.  The record is sent by the next replacement of the same device, or
 * taken by the reader once it is ripe.
 */
#ifndef IOMMUSCOPE_BPF_REPLACE_RECORDS_BPF_H
#define IOMMUSCOPE_BPF_REPLACE_RECORDS_BPF_H

#include "replace.h"
#include "filter.bpf.h"

/* Records that found no room in the ring buffer or in @live. */
__u64 lost = 0;
/* Records begun: with those sent and those taken it tells whether there are any to look for. */
__u64 begun = 0;
/* Faults of devices that are in no record. */
__u64 stray_faults = 0;

static __u64 last_number = 0;

/* A replacement under way in a thread; number 0: none is. */
struct running {
	__u64 number;
	__u64 start_ns;
	__u64 keys[SCOPE_GROUP_DEVICES];
	__u32 nr_keys;
	__u32 ctx;
	char device[SCOPE_DEVICE_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct running);
} threads SEC(".maps");

/* By address of the struct device. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct scope_replacement);
} live SEC(".maps");

/* By PCI segment and requester: address of the struct device. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} requesters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} records SEC(".maps");

/* What a record begins as; too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scope_replacement);
} empty SEC(".maps");

static __always_inline struct running *running(void)
{
	struct running *run = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL, 0);

	return run && run->number ? run : NULL;
}

/* Without the faults, if there are none: the reader takes what is not there as zero. */
static __always_inline void send(struct scope_replacement *record)
{
	__u64 size = record->nr_faults ? sizeof(*record) : SCOPE_FAULTLESS_RECORD;

	if (bpf_ringbuf_output(&records, record, size, BPF_RB_NO_WAKEUP))
		__sync_fetch_and_add(&lost, 1);
}

static __always_inline bool hex(const char *text, int digits, __u32 *value)
{
	int i;

	*value = 0;
#pragma unroll
	for (i = 0; i < digits; i++) {
		char c = text[i];

		if (c >= '0' && c <= '9')
			*value = *value << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			*value = *value << 4 | (c - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* Remember under what name an IOMMU tells of a PCI device: SSSS:BB:DD.F */
static __always_inline void remember_requester(const char *name, __u64 key)
{
	__u32 segment, bus, slot, function, requester;

	if (!hex(name, 4, &segment) || name[4] != ':' || !hex(name + 5, 2, &bus) || name[7] != ':' ||
	    !hex(name + 8, 2, &slot) || name[10] != '.' || !hex(name + 11, 1, &function))
		return;
	requester = segment << 16 | bus << 8 | slot << 3 | function;
	bpf_map_update_elem(&requesters, &requester, &key, BPF_ANY);
}

static __always_inline bool same_name(const char *a, const char *b)
{
	int i;

	for (i = 0; i < SCOPE_DEVICE_LEN; i++) {
		if (a[i] != b[i])
			return false;
		if (!a[i])
			break;
	}
	return true;
}

/* The record of a device in the replacement that this thread is in, begun if there is none. */
static __always_inline struct scope_replacement *record_of(struct running *run, struct device *dev)
{
	struct scope_replacement *record;
	char name[SCOPE_DEVICE_LEN] = "";
	__u64 key = (__u64)dev;
	const char *given;
	__u32 zero = 0;
	void *blank;

	record = bpf_map_lookup_elem(&live, &key);
	if (record && record->number == run->number)
		return record;

	given = BPF_CORE_READ(dev, init_name);
	if (!given)
		given = BPF_CORE_READ(dev, kobj.name);
	bpf_probe_read_kernel_str(name, sizeof(name), given);
	if (filter_by_device && !scope_is_device(name))
		return NULL;
	if (run->nr_keys >= SCOPE_GROUP_DEVICES) {
		__sync_fetch_and_add(&lost, 1);
		return NULL;
	}
	if (record) {
		send(record);
		/* no fault is charged to a record without a number */
		record->number = 0;
		__builtin_memset(record, 0, SCOPE_FAULTLESS_RECORD);
	} else {
		blank = bpf_map_lookup_elem(&empty, &zero);
		if (blank)
			bpf_map_update_elem(&live, &key, blank, BPF_NOEXIST);
		record = bpf_map_lookup_elem(&live, &key);
		if (!record) {
			__sync_fetch_and_add(&lost, 1);
			return NULL;
		}
		remember_requester(name, key);
	}
	record->key = key;
	record->start_ns = run->start_ns;
	record->ctx = run->ctx;
	record->named = same_name(name, run->device);
	record->move_ns = bpf_ktime_get_ns();
	__builtin_memcpy(record->device, name, sizeof(name));
	record->number = run->number;
	run->keys[run->nr_keys & (SCOPE_GROUP_DEVICES - 1)] = key;
	run->nr_keys++;
	__sync_fetch_and_add(&begun, 1);
	return record;
}

static __always_inline struct scope_replacement *moving(struct device *dev)
{
	struct running *run = running();

	return run ? record_of(run, dev) : NULL;
}

#endif
