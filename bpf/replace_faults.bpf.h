/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults, from the IOMMU's own registers and logs, and from the event that other drivers fire.
 *
 * They come from interrupts, at any time, and are reported with the device, or with the requester
 * that the IOMMU names.
 */
#ifndef IOMMUSCOPE_BPF_REPLACE_FAULTS_BPF_H
#define IOMMUSCOPE_BPF_REPLACE_FAULTS_BPF_H

#include "bpf/arguments.bpf.h"
#include "bpf/replace_slots.bpf.h"
#include "bpf/replace_windows.bpf.h"

struct fault_data {
	enum scope_fault_source source;
	__u32 requester;
	__u64 iova;
	__u32 reason;
	__u32 flags;
};

/*
 * @dev: the device, or NULL if only its requester is known
 */
static __always_inline void tell_fault(const struct fault_data *data, const struct device *dev)
{
	struct scope_fault *fault = bpf_ringbuf_reserve(&ios_sent, sizeof(*fault), 0);

	if (!fault) {
		__sync_fetch_and_add(&faults_lost, 1);
		return;
	}
	fault->number = 0;
	fault->ns = bpf_ktime_get_ns();
	fault->iova = data->iova;
	fault->source = data->source;
	fault->reason = data->reason;
	fault->flags = data->flags;
	fault->requester = data->requester;
	fault->device[0] = '\0';
	if (dev)
		device_name(dev, fault->device);
	bpf_ringbuf_submit(fault, BPF_RB_NO_WAKEUP);
}

/*
 * Intel: dmar_fault() is about to read the fault recording registers and to clear them.  Reading
 * them first has no effect on the hardware.  A register has 16 bytes.  The low half holds the
 * address; the high half holds the requester, the reason, whether it was a read, and whether it is
 * valid.
 */
#define VTD_FAULT_STATUS 0x34
#define VTD_FAULT_OVERFLOW 1U
#define VTD_FAULT_PENDING 2U
#define VTD_FAULT_VALID (1ULL << 63)
#define VTD_FAULT_READ (1ULL << 62)
#define VTD_FAULTS_READ 8

/* There is no root, context or PASID entry; reasons 0x20 to 0x2f concern interrupts. */
static __always_inline bool vtd_no_translation(__u32 reason)
{
	return reason == 0x01 || reason == 0x02 || reason == 0x39 || reason == 0x41 ||
	       reason == 0x51 || reason == 0x59;
}

ARGUMENT(dmar_fault, dev_id);

SEC("fentry/dmar_fault")
int ios_intel_faults(void *ctx)
{
	struct intel_iommu *iommu = (void *)ARGUMENT_OF(ctx, dmar_fault, dev_id);
	__u64 cap = BPF_CORE_READ(iommu, cap), fault[2];
	struct fault_data data = { .source = SCOPE_FAULT_INTEL };
	__u32 status = 0, index, nr, first;
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
		data.reason = fault[1] >> 32 & 0xff;
		if (data.reason < 0x20 || data.reason > 0x2f) {
			data.requester = (__u32)BPF_CORE_READ(iommu, segment) << 16 |
					 (fault[1] & 0xffff);
			data.iova = fault[0] & ~0xfffULL;
			data.flags = SCOPE_FAULT_EXACT;
			if (!(fault[1] & VTD_FAULT_READ))
				data.flags |= SCOPE_FAULT_WRITE;
			if (vtd_no_translation(data.reason))
				data.flags |= SCOPE_FAULT_IN_WINDOW;
			if (status & VTD_FAULT_OVERFLOW)
				data.flags |= SCOPE_FAULT_MORE;
			tell_fault(&data, NULL);
		}
		if (++index >= nr)
			index = 0;
		if (nr == 1)
			break;
	}
	return 0;
}

/*
 * AMD: iommu_poll_events() is about to read the log from its head to its tail.  An entry has 16
 * bytes: the requester, flags and type, and the address.
 */
#define AMD_EVENT_HEAD 0x2010
#define AMD_EVENT_TAIL 0x2018
#define AMD_EVENT_LOG_SIZE 8192
#define AMD_EVENTS_READ 32
#define AMD_EVENT_ILLEGAL_ENTRY 1
#define AMD_EVENT_PAGE_FAULT 2
#define AMD_EVENT_WRITE (1U << 21)
#define AMD_EVENT_INTERRUPT (1U << 19)

ARGUMENT(iommu_poll_events, iommu);

SEC("fentry/iommu_poll_events")
int ios_amd_faults(void *ctx)
{
	struct amd_iommu *iommu = (void *)ARGUMENT_OF(ctx, iommu_poll_events, iommu);
	struct fault_data data = { .source = SCOPE_FAULT_AMD };
	void *registers = BPF_CORE_READ(iommu, mmio_base);
	__u32 head = 0, tail = 0, event[4], type, segment;
	void *log = BPF_CORE_READ(iommu, evt_buf);
	int i;

	segment = BPF_CORE_READ(iommu, pci_seg, id);
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
		__sync_fetch_and_add(&amd_faults_reported, 1);
		data.requester = segment << 16 | (event[0] & 0xffff);
		data.iova = (__u64)event[3] << 32 | event[2];
		data.flags = SCOPE_FAULT_EXACT;
		if (event[1] & AMD_EVENT_WRITE)
			data.flags |= SCOPE_FAULT_WRITE;
		if (i == AMD_EVENTS_READ - 1 && head != tail)
			data.flags |= SCOPE_FAULT_MORE;
		tell_fault(&data, NULL);
	}
	return 0;
}

/*
 * Drivers that report faults to the core.  Faults of AMD and of the mock have their own path as
 * well.
 */
SEC("tp_btf/io_page_fault")
int BPF_PROG(ios_core_faults, struct device *dev, unsigned long iova, int flags)
{
	struct fault_data data = {
		.source = SCOPE_FAULT_CORE,
		.iova = iova,
		.flags = SCOPE_FAULT_EXACT | (flags & 1 ? SCOPE_FAULT_WRITE : 0),
	};

	if (dev)
		tell_fault(&data, dev);
	return 0;
}

ARGUMENT(mock_dma_fault, mdev);
ARGUMENT(mock_dma_fault, iova);

SEC("fentry/mock_dma_fault")
int ios_mock_faults(void *ctx)
{
	__u64 mdev = ARGUMENT_OF(ctx, mock_dma_fault, mdev);
	int mode = BPF_CORE_READ((struct mock_device___scope *)mdev, dma.mode);
	struct fault_data data = {
		.source = SCOPE_FAULT_MOCK,
		.iova = ARGUMENT_OF(ctx, mock_dma_fault, iova),
		.flags = SCOPE_FAULT_EXACT | (mode & 2 ? SCOPE_FAULT_WRITE : 0),
	};

	tell_fault(&data, mock_device(mdev));
	return 0;
}

/*
 * virtio-iommu reports a fault only in the kernel's log, and drops some when they come fast: "...
 * page fault from EP 32 at 0x8000000 [WA]".
 */
#define LOG_LINE 128
/* global: a literal would get a map of its own, under a name that is not ours */
const volatile char log_text[] = "page fault from EP ";
#define LOG_TEXT_LEN (sizeof(log_text) - 1)

static __always_inline bool log_words(const char *line, __u32 at)
{
	const volatile char *words = log_text;
	__u32 i;

	for (i = 0; i < LOG_TEXT_LEN; i++)
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
} ios_log_lines SEC(".maps");

SEC("tp_btf/console")
int BPF_PROG(ios_log_faults, const char *text, size_t length)
{
	struct fault_data data = { .source = SCOPE_FAULT_LOG, .flags = SCOPE_FAULT_MORE };
	__u32 zero = 0, at, size = LOG_LINE;
	struct log_line *line;
	int i;

	line = bpf_map_lookup_elem(&ios_log_lines, &zero);
	if (!line || length < LOG_TEXT_LEN)
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
	at += LOG_TEXT_LEN;
	for (i = 0; i < 10; i++, at++) {
		char c = line->text[at & (2 * LOG_LINE - 1)];

		if (c < '0' || c > '9')
			break;
		data.requester = data.requester * 10 + (c - '0');
	}
	at += sizeof(" at 0x") - 1;
	for (i = 0; i < 16; i++, at++) {
		char c = line->text[at & (2 * LOG_LINE - 1)];

		if (c >= '0' && c <= '9')
			data.iova = data.iova << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			data.iova = data.iova << 4 | (c - 'a' + 10);
		else
			break;
	}
	tell_fault(&data, NULL);
	return 0;
}

#endif
