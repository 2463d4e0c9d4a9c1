/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The records that the iterators over iommufd's state yield: one for each context, device, HWPT,
 * IOAS, access and area.
 *
 * A record is a self-consistent copy of the module's private state and contains no pointer.  The
 * structures are an ABI for BPF programs and tools, versioned by their size: new fields go to the
 * end, and @size reports how many bytes the running kernel fills in.  A reader that knows fewer
 * fields ignores the rest; a reader that knows more takes the missing ones as zero.  Kernel and
 * tools include this header; BPF programs take the structures from BTF.  docs/use/state.md shows
 * how to read them.
 *
 * Object ids are unique within a context: the context's number and the object's id together
 * identify an object.
 *
 * On kernels without our modules, tools fill in the same records from VFIO's containers and from
 * the kernel's own iommufd.  @source names the source; the module leaves it 0.  A field that the
 * source does not provide is zero; where zero is also a valid value, a flag distinguishes the two.
 */
#ifndef IOMMUSCOPE_IOMMUFD_STATE_H
#define IOMMUSCOPE_IOMMUFD_STATE_H

#include <linux/types.h>

#define IOMMUFD_STATE_COMM 16
#define IOMMUFD_STATE_DEVICE 32
#define IOMMUFD_STATE_DRIVER 16

/* Upper bound of the size of every record. */
#define IOMMUFD_STATE_MAX_SIZE 256

/* Source of a record. */
enum iommufd_state_source {
	/* this module */
	IOMMUFD_STATE_SOURCE_OWN,
	/* the kernel's own iommufd */
	IOMMUFD_STATE_SOURCE_UPSTREAM,
	/*
	 * VFIO's type1 containers.  A container is a context with one IOAS, number 1.  Its IOMMU
	 * domains are HWPTs, numbered from 1, oldest first.
	 */
	IOMMUFD_STATE_SOURCE_TYPE1,
	IOMMUFD_STATE_NR_SOURCES,
};

/* iommufd_state_ctx.flags */
enum {
	/* pinned memory counts by process (IOMMU_OPTION_RLIMIT_MODE), otherwise by user */
	IOMMUFD_STATE_CTX_ACCOUNT_PROCESS = 1 << 0,
	/* VFIO compatibility without an IOMMU */
	IOMMUFD_STATE_CTX_NO_IOMMU = 1 << 1,
	/* the process of @pid has exited; another process still holds the file */
	IOMMUFD_STATE_CTX_PROCESS_GONE = 1 << 2,
	/* @pinned_bytes is approximate: the areas changed while they were counted */
	IOMMUFD_STATE_CTX_ABOUT = 1 << 3,
};

/**
 * struct iommufd_state_ctx - an open /dev/iommu
 * @size: bytes of this record
 * @ctx_id: its number, unique among open contexts
 * @pid: the process that last allocated an IOAS or bound a device, otherwise the one that opened
 *	the file; as numbered in the initial pid namespace
 * @uid: user of that process at that time
 * @flags: IOMMUFD_STATE_CTX_*
 * @vfio_ioas_id: the IOAS of VFIO compatibility, 0 if none
 * @opened_ns: CLOCK_MONOTONIC when it was opened
 * @pinned_bytes: memory pinned through it; each page counts once
 * @user_locked_bytes: memory charged to @uid against RLIMIT_MEMLOCK, summed over all kernel users
 *	that charge by user; without memory pinned by processes with CAP_IPC_LOCK
 * @comm: name of the process
 * @source: enum iommufd_state_source
 * @__reserved: 0
 */
struct iommufd_state_ctx {
	__u32 size;
	__u32 ctx_id;
	__u32 pid;
	__u32 uid;
	__u32 flags;
	__u32 vfio_ioas_id;
	__u64 opened_ns;
	__u64 pinned_bytes;
	__u64 user_locked_bytes;
	char comm[IOMMUFD_STATE_COMM];
	__u32 source;
	__u32 __reserved;
};

/* iommufd_state_device.flags */
enum {
	/* @hwpt_id translates its DMA; without this flag its DMA is blocked */
	IOMMUFD_STATE_DEVICE_ATTACHED = 1 << 0,
	/* its IOMMU can make no-snoop DMA coherent */
	IOMMUFD_STATE_DEVICE_ENFORCE_COHERENCY = 1 << 1,
	/*
	 * it is a mediated device: it does no DMA of its own, and its driver pins the memory it
	 * uses
	 */
	IOMMUFD_STATE_DEVICE_EMULATED = 1 << 2,
};

/**
 * struct iommufd_state_device - a device bound to a context
 * @size: bytes of this record
 * @ctx_id: the context
 * @device_id: its object id
 * @group_id: number of its IOMMU group
 * @hwpt_id: HWPT that it is attached to, 0 if to none
 * @ioas_id: IOAS of that HWPT, 0 if none
 * @flags: IOMMUFD_STATE_DEVICE_*
 * @group_devices: devices of its group that are attached
 * @replacements: replacements of the group's translation since its first device was bound
 * @last_replace_ns: CLOCK_MONOTONIC at the end of the last one, 0 if there was none
 * @last_replace_dur_ns: duration of the last one
 * @device: its name
 * @driver: name of its driver, "" if it has none
 * @iommu: name of its IOMMU
 * @iommu_driver: name of the IOMMU's driver
 * @source: enum iommufd_state_source
 * @__reserved: 0
 */
struct iommufd_state_device {
	__u32 size;
	__u32 ctx_id;
	__u32 device_id;
	__u32 group_id;
	__u32 hwpt_id;
	__u32 ioas_id;
	__u32 flags;
	__u32 group_devices;
	__u64 replacements;
	__u64 last_replace_ns;
	__u64 last_replace_dur_ns;
	char device[IOMMUFD_STATE_DEVICE];
	char driver[IOMMUFD_STATE_DEVICE];
	char iommu[IOMMUFD_STATE_DEVICE];
	char iommu_driver[IOMMUFD_STATE_DRIVER];
	__u32 source;
	__u32 __reserved;
};

/* iommufd_state_hwpt.flags */
enum {
	/* created by an attach to an IOAS, destroyed with its last device */
	IOMMUFD_STATE_HWPT_AUTO = 1 << 0,
	/* no-snoop DMA is made coherent */
	IOMMUFD_STATE_HWPT_ENFORCE_COHERENCY = 1 << 1,
	/* allocated as the parent of nested page tables */
	IOMMUFD_STATE_HWPT_NEST_PARENT = 1 << 2,
	/* it has a window for software-managed MSIs */
	IOMMUFD_STATE_HWPT_MSI_WINDOW = 1 << 3,
};

/**
 * struct iommufd_state_hwpt - a hardware page table
 * @size: bytes of this record
 * @ctx_id: the context
 * @hwpt_id: its object id
 * @ioas_id: the IOAS that it translates
 * @domain_type: type of the iommu_domain, an IOMMU_DOMAIN_* number
 * @flags: IOMMUFD_STATE_HWPT_*
 * @devices: devices attached
 * @source: enum iommufd_state_source
 * @pgsize_bitmap: supported page sizes, 0 if not yet known
 * @aperture_first: first translatable IOVA
 * @aperture_last: last translatable IOVA
 * @iommu_driver: name of the IOMMU's driver
 */
struct iommufd_state_hwpt {
	__u32 size;
	__u32 ctx_id;
	__u32 hwpt_id;
	__u32 ioas_id;
	__u32 domain_type;
	__u32 flags;
	__u32 devices;
	__u32 source;
	__u64 pgsize_bitmap;
	__u64 aperture_first;
	__u64 aperture_last;
	char iommu_driver[IOMMUFD_STATE_DRIVER];
};

/* iommufd_state_ioas.flags */
enum {
	/* contiguous memory may be merged, IOMMU_OPTION_HUGE_PAGES */
	IOMMUFD_STATE_IOAS_HUGE_PAGES = 1 << 0,
	/* IOMMU_IOAS_ALLOW_IOVAS restricts the IOVAs that the kernel chooses */
	IOMMUFD_STATE_IOAS_ALLOWED_RANGES = 1 << 1,
	/*
	 * The user changes the IOAS all the time and the observer does not wait.  The usable
	 * ranges, the holes and IOMMUFD_STATE_IOAS_ALLOWED_RANGES are unknown and zero.
	 */
	IOMMUFD_STATE_IOAS_BUSY = 1 << 2,
	/*
	 * The areas changed while they were counted without a lock; sums over areas are
	 * approximate.
	 */
	IOMMUFD_STATE_IOAS_ABOUT = 1 << 3,
	/* @areas is exact nevertheless: the kernel maintains it */
	IOMMUFD_STATE_IOAS_AREAS_EXACT = 1 << 4,
	/* @areas_left is known: the number of areas is limited */
	IOMMUFD_STATE_IOAS_AREAS_LIMITED = 1 << 5,
};

/**
 * struct iommufd_state_ioas - an I/O address space
 * @size: bytes of this record
 * @ctx_id: the context
 * @ioas_id: its object id
 * @flags: IOMMUFD_STATE_IOAS_*
 * @hwpts: HWPTs that translate it
 * @accesses: attached accesses
 * @usable_ranges: usable IOVA ranges
 * @source: enum iommufd_state_source
 * @areas: mapped areas
 * @mapped_bytes: sum of their lengths
 * @pinned_bytes: memory pinned for them; memory mapped twice counts twice; 0 while there is no HWPT
 * @extents: physically contiguous runs of that memory
 * @huge_extents: those of 2 MiB or more
 * @huge_bytes: memory in whole 2 MiB blocks that the IOMMU can translate with one entry each
 * @iova_alignment: granule of IOVAs
 * @aperture_first: first usable IOVA
 * @aperture_last: last usable IOVA
 * @usable_bytes: sum of the usable ranges; U64_MAX for the whole 64-bit space
 * @largest_hole_bytes: largest free range, where an area can be mapped at a fixed IOVA
 * @alloc_hole_bytes: largest area that can be mapped at an IOVA chosen by the kernel
 * @areas_left: further areas that can be mapped, if their number is limited
 */
struct iommufd_state_ioas {
	__u32 size;
	__u32 ctx_id;
	__u32 ioas_id;
	__u32 flags;
	__u32 hwpts;
	__u32 accesses;
	__u32 usable_ranges;
	__u32 source;
	__u64 areas;
	__u64 mapped_bytes;
	__u64 pinned_bytes;
	__u64 extents;
	__u64 huge_extents;
	__u64 huge_bytes;
	__u64 iova_alignment;
	__u64 aperture_first;
	__u64 aperture_last;
	__u64 usable_bytes;
	__u64 largest_hole_bytes;
	__u64 alloc_hole_bytes;
	__u64 areas_left;
};

/* iommufd_state_access.flags */
enum {
	/* it can pin pages, not only read and write */
	IOMMUFD_STATE_ACCESS_PINS = 1 << 0,
};

/**
 * struct iommufd_state_access - an in-kernel user of an IOAS
 * @size: bytes of this record
 * @ctx_id: the context
 * @access_id: its object id
 * @ioas_id: IOAS that it is attached to, 0 if to none
 * @flags: IOMMUFD_STATE_ACCESS_*
 * @source: enum iommufd_state_source
 * @pinned_bytes: memory pinned by it; each pin counts
 */
struct iommufd_state_access {
	__u32 size;
	__u32 ctx_id;
	__u32 access_id;
	__u32 ioas_id;
	__u32 flags;
	__u32 source;
	__u64 pinned_bytes;
};

/* iommufd_state_area.flags */
enum {
	IOMMUFD_STATE_AREA_READ = 1 << 0,
	IOMMUFD_STATE_AREA_WRITE = 1 << 1,
	/* its memory is pinned, and in the HWPTs of the IOAS */
	IOMMUFD_STATE_AREA_PINNED = 1 << 2,
	/* being mapped or unmapped at the moment */
	IOMMUFD_STATE_AREA_CHANGING = 1 << 3,
	/* pinned for writing as well */
	IOMMUFD_STATE_AREA_WRITEABLE_MEMORY = 1 << 4,
	/*
	 * This record describes no area and is the last one of the walk.  The areas of the IOAS
	 * from @iova on could not be read because its user changes them all the time.
	 */
	IOMMUFD_STATE_AREA_BUSY = 1 << 5,
};

/* iommufd_state_area.memory */
enum iommufd_state_memory {
	/* not pinned, or changing at the moment */
	IOMMUFD_STATE_MEMORY_UNKNOWN,
	IOMMUFD_STATE_MEMORY_ANONYMOUS,
	IOMMUFD_STATE_MEMORY_SHARED,
	IOMMUFD_STATE_MEMORY_FILE,
	IOMMUFD_STATE_MEMORY_HUGETLB,
	IOMMUFD_STATE_NR_MEMORY,
};

/**
 * struct iommufd_state_area - a mapped range of IOVAs
 * @size: bytes of this record
 * @ctx_id: the context
 * @ioas_id: the IOAS
 * @flags: IOMMUFD_STATE_AREA_*
 * @iova: first IOVA
 * @length: bytes
 * @user_va: address of the memory in the process that mapped it
 * @pid: that process
 * @memory: enum iommufd_state_memory, of the first page
 * @page_bytes: size of the page that backs its first byte, 0 if not known
 * @accesses: pins of accesses within it
 * @__reserved: 0
 * @extents: physically contiguous runs, 0 if it is not pinned
 * @huge_extents: those of 2 MiB or more
 * @huge_bytes: memory in whole 2 MiB blocks that the IOMMU can translate with one entry each
 */
struct iommufd_state_area {
	__u32 size;
	__u32 ctx_id;
	__u32 ioas_id;
	__u32 flags;
	__u64 iova;
	__u64 length;
	__u64 user_va;
	__u32 pid;
	__u32 memory;
	__u64 page_bytes;
	__u32 accesses;
	__u32 __reserved;
	__u64 extents;
	__u64 huge_extents;
	__u64 huge_bytes;
};

#endif
