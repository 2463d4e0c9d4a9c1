// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replacements, and what they did to DMA.  replace.h tells the model.
 *
 * The event of the begin puts a struct running under the thread's id.  In this thread then run the IOMMU
 * core, once for each device of the group, and below it the IOMMU driver; what is seen of them goes into
 * the device's record in @live.  The event of the end completes the records.  Faults come from
 * interrupts, at any time, and find their record by the device; operations that waited find their replacement by
 * the context.
 *
 * The tool loads of the probes those whose function this kernel has.  Whatever is missing leaves its mark
 * out of the record, and a record without marks claims nothing.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "replace.h"
#include "filter.bpf.h"

/* A probe names all arguments of its function up to the one that it wants. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "GPL";

/* Where AMD's handler reads faults itself, those of iommu:io_page_fault are the same ones again. */
const volatile bool amd_events_read = false;

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

/* By context: the two last replacements, since who waited for the first may end after the second began. */
struct turn {
	__u64 number;
	__u64 start_ns;
	__u64 end_ns;
};

struct turns {
	struct turn last;
	struct turn before;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct turns);
} contexts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct scope_waits);
} waits SEC(".maps");

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

/*
 * Begin
 */

SEC("tp_btf/iommufd_replace_start")
int BPF_PROG(replace_start, const struct iommufd_op *op)
{
	struct turns fresh = {}, *turns;
	struct running *run;
	__u32 ctx_id;

	if (!op || (filter_ctx && op->ctx_id != filter_ctx) || !scope_filter_task())
		return 0;
	run = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
				   BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!run) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	run->number = __sync_fetch_and_add(&last_number, 1) + 1;
	run->start_ns = op->start_ns;
	run->nr_keys = 0;
	run->ctx = op->ctx_id;
	bpf_probe_read_kernel(run->device, sizeof(run->device), op->device);

	ctx_id = op->ctx_id;
	turns = bpf_map_lookup_elem(&contexts, &ctx_id);
	if (!turns) {
		bpf_map_update_elem(&contexts, &ctx_id, &fresh, BPF_NOEXIST);
		turns = bpf_map_lookup_elem(&contexts, &ctx_id);
		if (!turns)
			return 0;
	}
	turns->before = turns->last;
	turns->last.number = run->number;
	turns->last.start_ns = run->start_ns;
	turns->last.end_ns = 0;
	return 0;
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

/*
 * The window
 */

static __always_inline void window_opens(struct scope_replacement *record)
{
	if (record->opened_ns)
		return;
	record->opened_ns = bpf_ktime_get_ns();
	if (!record->window_start_ns)
		record->window_start_ns = record->opened_ns;
	record->windows++;
}

static __always_inline void window_closes(struct scope_replacement *record)
{
	if (!record->opened_ns)
		return;
	record->window_ns += bpf_ktime_get_ns() - record->opened_ns;
	record->opened_ns = 0;
}

/* The IOMMU core moves a device: to the new HWPT, or back. */
SEC("fentry/__iommu_device_set_domain")
int BPF_PROG(core_moves, struct iommu_group *group, struct device *dev)
{
	struct scope_replacement *record = moving(dev);

	if (record) {
		record->flags |= SCOPE_REPLACEMENT_MOVED;
		record->moves++;
		/* made positive by the end */
		record->moved_ns -= bpf_ktime_get_ns();
	}
	return 0;
}

SEC("fexit/__iommu_device_set_domain")
int BPF_PROG(core_moved, struct iommu_group *group, struct device *dev,
	     struct iommu_domain *new_domain, unsigned int flags, int ret)
{
	struct scope_replacement *record = moving(dev);

	if (record && record->flags & SCOPE_REPLACEMENT_MOVED) {
		if (record->moves == 1)
			record->first_ret = ret;
		record->move_ret = ret;
		record->moved_ns += bpf_ktime_get_ns();
	}
	return 0;
}

/* A translation is in force again, unless the driver says that it failed. */
static __always_inline int attach_ends(struct device *dev, enum scope_switch driver, int ret)
{
	struct scope_replacement *record = moving(dev);

	if (!record)
		return 0;
	record->driver = driver;
	if (!ret)
		window_closes(record);
	return 0;
}

static __always_inline int translation_goes(struct device *dev)
{
	struct scope_replacement *record = moving(dev);

	if (record)
		window_opens(record);
	return 0;
}

#define ATTACH_PROBE(driver, function, which)                                                      \
	SEC("fexit/" #function)                                                                    \
	int BPF_PROG(driver##_attached, struct iommu_domain *domain, struct device *dev, int ret)  \
	{                                                                                          \
		return attach_ends(dev, which, ret);                                               \
	}

#define GONE_PROBE(driver, function)                                                               \
	SEC("fentry/" #function)                                                                   \
	int BPF_PROG(driver##_blocks, struct device *dev)                                          \
	{                                                                                          \
		return translation_goes(dev);                                                      \
	}

ATTACH_PROBE(intel, intel_iommu_attach_device, SCOPE_SWITCH_INTEL)
GONE_PROBE(intel, device_block_translation)
ATTACH_PROBE(amd, amd_iommu_attach_device, SCOPE_SWITCH_AMD)
GONE_PROBE(amd, detach_device)

/*
 * virtio-iommu moves an endpoint in one request.  But a domain that no endpoint is in has its
 * mappings told to the device only after that: until then there is nothing behind it.
 */
struct viommu_domain___scope {
	struct iommu_domain domain;
	struct rb_root_cached mappings;
	unsigned int nr_endpoints;
} __attribute__((preserve_access_index));

SEC("fentry/viommu_attach_dev")
int BPF_PROG(virtio_attaches, struct iommu_domain *domain, struct device *dev)
{
	struct scope_replacement *record = moving(dev);
	struct viommu_domain___scope *to;

	if (!record)
		return 0;
	to = (void *)domain - bpf_core_field_offset(struct viommu_domain___scope, domain);
	if (!BPF_CORE_READ(to, nr_endpoints) && BPF_CORE_READ(to, mappings.rb_root.rb_node))
		window_opens(record);
	return 0;
}

SEC("fexit/viommu_attach_dev")
int BPF_PROG(virtio_attached, struct iommu_domain *domain, struct device *dev, int ret)
{
	return attach_ends(dev, SCOPE_SWITCH_VIRTIO, ret);
}

ATTACH_PROBE(mock, mock_attach, SCOPE_SWITCH_MOCK)

/* What is used of the mock's types, which only builds with test support have in vmlinux.h. */
struct mock_dma___scope {
	int mode;
} __attribute__((preserve_access_index));

struct mock_device___scope {
	struct platform_device *pdev;
	struct mock_dma___scope dma;
} __attribute__((preserve_access_index));

SEC("fentry/mock_dma_set_domain")
int BPF_PROG(mock_blocks, struct mock_device___scope *mdev, void *domain)
{
	return domain ? 0 : translation_goes(&mdev->pdev->dev);
}

SEC("fexit/mock_dma_set_domain")
int BPF_PROG(mock_restores, struct mock_device___scope *mdev, void *domain)
{
	return domain ? attach_ends(&mdev->pdev->dev, SCOPE_SWITCH_MOCK, 0) : 0;
}

/*
 * Faults
 */

static __always_inline void charge(struct scope_replacement *record, __u64 iova, __u32 reason,
				   __u32 flags)
{
	__u64 now = bpf_ktime_get_ns();
	struct scope_fault_mark *mark;
	__u32 slot;

	if (!record || !record->number || now < record->move_ns ||
	    (record->flags & SCOPE_REPLACEMENT_OVER &&
	     now > record->start_ns + record->dur_ns + SCOPE_FAULTS_AFTER_NS)) {
		__sync_fetch_and_add(&stray_faults, 1);
		return;
	}
	if (record->opened_ns)
		flags |= SCOPE_FAULT_IN_WINDOW;
	/* what the IOMMU says without a window to have come from is not the replacement's doing */
	if (!record->windows)
		flags &= ~SCOPE_FAULT_IN_WINDOW;
	if (flags & SCOPE_FAULT_IN_WINDOW)
		__sync_fetch_and_add(&record->faults_in_window, 1);
	else
		__sync_fetch_and_add(&record->faults_after, 1);
	if (record->nr_faults >= SCOPE_FAULT_MARKS)
		return;
	slot = __sync_fetch_and_add(&record->nr_faults, 1);
	if (slot >= SCOPE_FAULT_MARKS)
		return;
	mark = &record->faults[slot];
	mark->ns = now;
	mark->iova = iova;
	mark->reason = reason;
	mark->flags = flags;
}

static __always_inline struct scope_replacement *record_of_requester(__u32 requester)
{
	__u64 *key = bpf_map_lookup_elem(&requesters, &requester);

	return key ? bpf_map_lookup_elem(&live, key) : NULL;
}

/*
 * Intel: dmar_fault() is about to read the fault recording registers and to clear them.  Reading them
 * before it has no effect on the hardware.  A register is 16 bytes: the address in the low half;
 * in the high half the requester, the reason, whether it was a read, and whether it is valid.
 */
#define VTD_FAULT_STATUS 0x34
#define VTD_FAULT_OVERFLOW 1U
#define VTD_FAULT_PENDING 2U
#define VTD_FAULT_VALID (1ULL << 63)
#define VTD_FAULT_READ (1ULL << 62)
#define VTD_FAULTS_READ 8

/* There is no root, context or PASID entry; from 0x20 to 0x2f it is about interrupts. */
static __always_inline bool vtd_no_translation(__u32 reason)
{
	return reason == 0x01 || reason == 0x02 || reason == 0x39 || reason == 0x41 ||
	       reason == 0x51 || reason == 0x59;
}

SEC("fentry/dmar_fault")
int BPF_PROG(intel_faults, int irq, struct intel_iommu *iommu)
{
	/* the function takes it as a void pointer */
	__u64 cap = BPF_CORE_READ(iommu, cap), fault[2];
	__u32 status = 0, index, nr, first, reason, flags;
	struct scope_replacement *record;
	void *reg = BPF_CORE_READ(iommu, reg);
	int i;

	if (bpf_probe_read_kernel(&status, sizeof(status), reg + VTD_FAULT_STATUS) ||
	    !(status & VTD_FAULT_PENDING))
		return 0;
	first = (cap >> 24 & 0x3ff) * 16;
	nr = (cap >> 40 & 0xff) + 1;
	index = status >> 8 & 0xff;
	for (i = 0; i < VTD_FAULTS_READ; i++) {
		if (bpf_probe_read_kernel(fault, sizeof(fault), reg + first + index * 16) ||
		    !(fault[1] & VTD_FAULT_VALID))
			break;
		reason = fault[1] >> 32 & 0xff;
		if (reason < 0x20 || reason > 0x2f) {
			record = record_of_requester((__u32)BPF_CORE_READ(iommu, segment) << 16 |
						     (fault[1] & 0xffff));
			flags = SCOPE_FAULT_EXACT;
			if (!(fault[1] & VTD_FAULT_READ))
				flags |= SCOPE_FAULT_WRITE;
			if (vtd_no_translation(reason))
				flags |= SCOPE_FAULT_IN_WINDOW;
			if (record && status & VTD_FAULT_OVERFLOW)
				record->flags |= SCOPE_REPLACEMENT_MORE_FAULTS;
			charge(record, fault[0] & ~0xfffULL, reason, flags);
		}
		if (++index >= nr)
			index = 0;
		if (nr == 1)
			break;
	}
	return 0;
}

/*
 * AMD: iommu_poll_events() is about to read the log between its head and its tail.  An entry is 16 bytes:
 * the requester, flags and type, and the address.
 */
#define AMD_EVENT_HEAD 0x2010
#define AMD_EVENT_TAIL 0x2018
#define AMD_EVENT_LOG_SIZE 8192
#define AMD_EVENTS_READ 32
#define AMD_EVENT_ILLEGAL_ENTRY 1
#define AMD_EVENT_PAGE_FAULT 2
#define AMD_EVENT_WRITE (1U << 21)
#define AMD_EVENT_INTERRUPT (1U << 19)

SEC("fentry/iommu_poll_events")
int BPF_PROG(amd_faults, struct amd_iommu *iommu)
{
	struct scope_replacement *record = NULL;
	void *registers = iommu->mmio_base;
	__u32 head = 0, tail = 0, event[4], type, flags, segment;
	void *log = iommu->evt_buf;
	int i;

	segment = iommu->pci_seg->id;
	if (bpf_probe_read_kernel(&head, sizeof(head), registers + AMD_EVENT_HEAD) ||
	    bpf_probe_read_kernel(&tail, sizeof(tail), registers + AMD_EVENT_TAIL))
		return 0;
	head &= AMD_EVENT_LOG_SIZE - 1;
	tail &= AMD_EVENT_LOG_SIZE - 1;
	for (i = 0; i < AMD_EVENTS_READ && head != tail; i++) {
		if (bpf_probe_read_kernel(event, sizeof(event), log + head))
			break;
		head = (head + sizeof(event)) & (AMD_EVENT_LOG_SIZE - 1);
		type = event[1] >> 28;
		if ((type != AMD_EVENT_PAGE_FAULT && type != AMD_EVENT_ILLEGAL_ENTRY) ||
		    event[1] & AMD_EVENT_INTERRUPT)
			continue;
		record = record_of_requester(segment << 16 | (event[0] & 0xffff));
		flags = SCOPE_FAULT_EXACT;
		if (event[1] & AMD_EVENT_WRITE)
			flags |= SCOPE_FAULT_WRITE;
		charge(record, (__u64)event[3] << 32 | event[2], 0, flags);
	}
	if (head != tail && record)
		record->flags |= SCOPE_REPLACEMENT_MORE_FAULTS;
	return 0;
}

/* Drivers that report faults to the core; the mock's own handler is below it. */
SEC("tp_btf/io_page_fault")
int BPF_PROG(core_faults, struct device *dev, unsigned long iova, int flags)
{
	struct scope_replacement *record;
	__u64 key = (__u64)dev;

	record = bpf_map_lookup_elem(&live, &key);
	if (record && ((record->driver == SCOPE_SWITCH_AMD && amd_events_read) ||
		       record->driver == SCOPE_SWITCH_MOCK))
		return 0;
	charge(record, iova, 0, SCOPE_FAULT_EXACT | (flags & 1 ? SCOPE_FAULT_WRITE : 0));
	return 0;
}

SEC("fentry/mock_dma_fault")
int BPF_PROG(mock_faults, struct mock_device___scope *mdev, __u64 iova)
{
	__u64 key = (__u64)&mdev->pdev->dev;

	charge(bpf_map_lookup_elem(&live, &key), iova, 0,
	       SCOPE_FAULT_EXACT | (mdev->dma.mode & 2 ? SCOPE_FAULT_WRITE : 0));
	return 0;
}

/*
 * virtio-iommu tells of a fault nowhere but in the kernel's log, and there not of all when they come fast:
 * "... page fault from EP 32 at 0x8000000 [WA]".
 */
#define LOG_LINE 128
#define LOG_WORDS "page fault from EP "
#define LOG_WORDS_LEN (sizeof(LOG_WORDS) - 1)

static __always_inline bool log_words(const char *line, __u32 at)
{
	const char *words = LOG_WORDS;
	__u32 i;

	for (i = 0; i < LOG_WORDS_LEN; i++)
		if (line[(at + i) & (2 * LOG_LINE - 1)] != words[i])
			return false;
	return true;
}

struct log_line {
	char text[2 * LOG_LINE];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct log_line);
} log_lines SEC(".maps");

SEC("tp_btf/console")
int BPF_PROG(log_faults, const char *text, size_t length)
{
	__u32 zero = 0, at, endpoint = 0, size = LOG_LINE;
	struct scope_replacement *record;
	struct log_line *line;
	__u64 iova = 0;
	int i;

	line = bpf_map_lookup_elem(&log_lines, &zero);
	if (!line || length < LOG_WORDS_LEN)
		return 0;
	if (length < size)
		size = length;
	__builtin_memset(line, 0, sizeof(*line));
	if (bpf_probe_read_kernel(line->text, size & (2 * LOG_LINE - 1), text))
		return 0;
	for (at = 0; at < LOG_LINE / 2; at++)
		if (line->text[at] == 'p' && log_words(line->text, at))
			break;
	if (at == LOG_LINE / 2)
		return 0;
	at += LOG_WORDS_LEN;
	for (i = 0; i < 10; i++, at++) {
		char c = line->text[at & (2 * LOG_LINE - 1)];

		if (c < '0' || c > '9')
			break;
		endpoint = endpoint * 10 + (c - '0');
	}
	at += sizeof(" at 0x") - 1;
	for (i = 0; i < 16; i++, at++) {
		char c = line->text[at & (2 * LOG_LINE - 1)];

		if (c >= '0' && c <= '9')
			iova = iova << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			iova = iova << 4 | (c - 'a' + 10);
		else
			break;
	}
	record = record_of_requester(endpoint);
	if (record)
		record->flags |= SCOPE_REPLACEMENT_MORE_FAULTS;
	charge(record, iova, 0, 0);
	return 0;
}

/*
 * End, and who waited
 */

static __always_inline void complete(struct scope_replacement *record, const struct iommufd_op *op)
{
	__u64 id = bpf_get_current_pid_tgid();

	record->start_ns = op->start_ns;
	record->dur_ns = op->dur_ns;
	record->phase_ns[SCOPE_REPLACE_wait] = op->phase_ns[SCOPE_PHASE_wait];
	record->phase_ns[SCOPE_REPLACE_check] = op->phase_ns[SCOPE_PHASE_check];
	record->phase_ns[SCOPE_REPLACE_alloc] = op->phase_ns[SCOPE_PHASE_alloc];
	record->phase_ns[SCOPE_REPLACE_fill] = op->phase_ns[SCOPE_PHASE_fill];
	record->phase_ns[SCOPE_REPLACE_switch] = op->phase_ns[SCOPE_PHASE_switch];
	record->phase_ns[SCOPE_REPLACE_drop] = op->phase_ns[SCOPE_PHASE_drop];
	record->ret = op->ret;
	record->reason = op->reason;
	record->reason_a = op->reason_a;
	record->reason_b = op->reason_b;
	record->ctx = op->ctx_id;
	record->device_id = op->device_id;
	record->group = op->group_id;
	record->devices = op->devices;
	record->hwpt = op->hwpt_id;
	record->old_hwpt = op->old_hwpt_id;
	record->ioas = op->ioas_id;
	record->old_ioas = op->old_ioas_id;
	record->tgid = id >> 32;
	record->tid = (__u32)id;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	bpf_probe_read_kernel(record->iommu_driver, sizeof(record->iommu_driver), op->iommu_driver);
	if (record->opened_ns) {
		record->window_ns += bpf_ktime_get_ns() - record->opened_ns;
		record->flags |= SCOPE_REPLACEMENT_BLOCKED;
	}
	record->opened_ns = 0;
	record->flags |= SCOPE_REPLACEMENT_OVER;
}

/* No device was seen moving: it was refused, nothing was to be done, or the core cannot be traced. */
static __always_inline void send_unmoved(const struct iommufd_op *op, __u64 number)
{
	struct scope_replacement *record;

	if (filter_by_device && !scope_is_device(op->device))
		return;
	__sync_fetch_and_add(&begun, 1);
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	__builtin_memset(record, 0, sizeof(*record));
	complete(record, op);
	record->number = number;
	record->named = 1;
	bpf_probe_read_kernel(record->device, sizeof(record->device), op->device);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

static __always_inline void replaced(const struct iommufd_op *op)
{
	struct scope_replacement *record;
	struct running *run = running();
	struct turns *turns;
	__u32 i, ctx_id;
	__u64 key;

	if (!run) {
		/* it was refused before it had begun, or is none of those asked for */
		if ((!filter_ctx || op->ctx_id == filter_ctx) && scope_filter_task() && op->ret)
			send_unmoved(op, __sync_fetch_and_add(&last_number, 1) + 1);
		return;
	}
	for (i = 0; i < SCOPE_GROUP_DEVICES; i++) {
		if (i >= run->nr_keys)
			break;
		key = run->keys[i];
		record = bpf_map_lookup_elem(&live, &key);
		if (record && record->number == run->number)
			complete(record, op);
	}
	if (!run->nr_keys)
		send_unmoved(op, run->number);
	ctx_id = run->ctx;
	turns = bpf_map_lookup_elem(&contexts, &ctx_id);
	if (turns && turns->last.number == run->number)
		turns->last.end_ns = bpf_ktime_get_ns();
	run->number = 0;
}

/* The wait of an operation is taken to be at its begin, where the locks are taken. */
static __always_inline __u64 overlap(const struct turn *turn, __u64 own, __u64 start_ns,
				     __u64 wait_ns)
{
	__u64 end_ns = start_ns + wait_ns;

	if (!turn->number || turn->number == own)
		return 0;
	if (turn->end_ns && turn->end_ns < end_ns)
		end_ns = turn->end_ns;
	if (start_ns < turn->start_ns)
		start_ns = turn->start_ns;
	return end_ns > start_ns ? end_ns - start_ns : 0;
}

/* @own: number of the replacement that @op itself is, which does not wait for itself; or 0 */
static __always_inline void note_wait(const struct iommufd_op *op, const struct turns *turns,
				      __u64 own)
{
	__u64 start_ns = op->start_ns, wait_ns = op->phase_ns[SCOPE_PHASE_wait], waited, number;
	struct scope_waits fresh = {}, *entry;
	struct scope_wait_mark *mark;
	__u32 slot;

	if (wait_ns < SCOPE_WAITED_NS)
		return;
	number = turns->last.number;
	waited = overlap(&turns->last, own, start_ns, wait_ns);
	if (overlap(&turns->before, own, start_ns, wait_ns) > waited) {
		number = turns->before.number;
		waited = overlap(&turns->before, own, start_ns, wait_ns);
	}
	if (waited < SCOPE_WAITED_NS)
		return;
	entry = bpf_map_lookup_elem(&waits, &number);
	if (!entry) {
		bpf_map_update_elem(&waits, &number, &fresh, BPF_NOEXIST);
		entry = bpf_map_lookup_elem(&waits, &number);
		if (!entry)
			return;
	}
	__sync_fetch_and_add(&entry->count, 1);
	__sync_fetch_and_add(&entry->total_ns, waited);
	if (waited > entry->longest_ns)
		entry->longest_ns = waited;
	if (entry->nr_marks >= SCOPE_WAIT_MARKS)
		return;
	slot = __sync_fetch_and_add(&entry->nr_marks, 1);
	if (slot >= SCOPE_WAIT_MARKS)
		return;
	mark = &entry->marks[slot];
	mark->start_ns = start_ns;
	mark->wait_ns = wait_ns;
	mark->operation = SCOPE_OPERATION_iommufd_map + op->opcode;
	mark->tgid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(mark->comm, sizeof(mark->comm));
}

static __always_inline void finished(const struct iommufd_op *op, __u64 own)
{
	__u32 ctx_id = op->ctx_id;
	struct turns *turns;

	/* most wait for nothing */
	if (op->phase_ns[SCOPE_PHASE_wait] < SCOPE_WAITED_NS)
		return;
	turns = bpf_map_lookup_elem(&contexts, &ctx_id);
	if (turns)
		note_wait(op, turns, own);
}

/* What can wait for a replacement: operations on memory, and on translations of other devices. */
#define WAITING_PROGRAM(name)                                                                      \
	SEC("tp_btf/iommufd_" #name)                                                               \
	int BPF_PROG(waited_##name, const struct iommufd_op *op)                                   \
	{                                                                                          \
		if (op)                                                                            \
			finished(op, 0);                                                           \
		return 0;                                                                          \
	}
IOMMUFD_MEMORY_OPERATIONS(WAITING_PROGRAM)
WAITING_PROGRAM(attach)
WAITING_PROGRAM(detach)
WAITING_PROGRAM(hwpt_alloc)

SEC("tp_btf/iommufd_replace")
int BPF_PROG(replace_end, const struct iommufd_op *op)
{
	struct running *run = running();

	if (!op)
		return 0;
	/* what waits for one replacement may be another */
	finished(op, run ? run->number : 0);
	replaced(op);
	return 0;
}
