/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctl of test builds, IOMMU_TEST_CMD on /dev/iommu.
 *
 * The first part has the numbers and the layout of the test interface of Linux 6.12, so that the
 * kernel's own self test of iommufd runs.  The second part, the operations from
 * IOMMU_TEST_OP_MOCK_BASE on with struct iommu_test_mock, is this project's own: single devices,
 * groups of several devices, selectable page sizes, apertures and reserved regions, and accesses
 * that attach and detach.  Behaviour that changes while a device runs (its replacements, its DMA)
 * is set in debugfs; see kernel/mock/knobs.c.
 */
#ifndef IOMMUSCOPE_IOMMUFD_TEST_H
#define IOMMUSCOPE_IOMMUFD_TEST_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <uapi/linux/iommufd.h>
#else
#include <linux/iommufd.h>
#endif

#define IOMMU_TEST_CMD _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 32)

enum {
	IOMMU_TEST_OP_ADD_RESERVED = 1,
	IOMMU_TEST_OP_MOCK_DOMAIN = 2,
	IOMMU_TEST_OP_MD_CHECK_MAP = 3,
	IOMMU_TEST_OP_MD_CHECK_REFS = 4,
	IOMMU_TEST_OP_CREATE_ACCESS = 5,
	IOMMU_TEST_OP_DESTROY_ACCESS_PAGES = 6,
	IOMMU_TEST_OP_ACCESS_PAGES = 7,
	IOMMU_TEST_OP_ACCESS_RW = 8,
	IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT = 9,
	IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE = 10,
	IOMMU_TEST_OP_ACCESS_REPLACE_IOAS = 11,
	IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS = 12,
	IOMMU_TEST_OP_DIRTY = 13,
	IOMMU_TEST_OP_MD_CHECK_IOTLB = 14,
	IOMMU_TEST_OP_TRIGGER_IOPF = 15,
};

/* What devices created by MOCK_DOMAIN and MOCK_DOMAIN_FLAGS can translate */
enum {
	MOCK_APERTURE_START = 1UL << 24,
	MOCK_APERTURE_LAST = (1UL << 31) - 1,
};

/* iommu_test_cmd.access_pages.flags */
enum {
	MOCK_FLAGS_ACCESS_WRITE = 1 << 0,
	MOCK_FLAGS_ACCESS_SYZ = 1 << 16,
};

/* iommu_test_cmd.access_rw.flags */
enum {
	MOCK_ACCESS_RW_WRITE = 1 << 0,
	MOCK_ACCESS_RW_SLOW_PATH = 1 << 2,
};

/* iommu_test_cmd.create_access.flags */
enum {
	MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES = 1 << 0,
};

/* iommu_test_cmd.mock_domain_flags.dev_flags */
enum {
	MOCK_FLAGS_DEVICE_NO_DIRTY = 1 << 0,
	MOCK_FLAGS_DEVICE_HUGE_IOVA = 1 << 1,
};

enum {
	MOCK_NESTED_DOMAIN_IOTLB_ID_MAX = 3,
	MOCK_NESTED_DOMAIN_IOTLB_NUM = 4,
};

struct iommu_test_cmd {
	__u32 size;
	__u32 op;
	__u32 id;
	__u32 __reserved;
	union {
		struct {
			__aligned_u64 start;
			__aligned_u64 length;
		} add_reserved;
		struct {
			__u32 out_stdev_id;
			__u32 out_hwpt_id;
			__u32 out_idev_id;
		} mock_domain;
		struct {
			__u32 out_stdev_id;
			__u32 out_hwpt_id;
			__u32 out_idev_id;
			__u32 dev_flags;
		} mock_domain_flags;
		struct {
			__u32 pt_id;
		} mock_domain_replace;
		struct {
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
		} check_map;
		struct {
			__aligned_u64 length;
			__aligned_u64 uptr;
			__u32 refs;
		} check_refs;
		struct {
			__u32 out_access_fd;
			__u32 flags;
		} create_access;
		struct {
			__u32 access_pages_id;
		} destroy_access_pages;
		struct {
			__u32 flags;
			__u32 out_access_pages_id;
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
		} access_pages;
		struct {
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
			__u32 flags;
		} access_rw;
		struct {
			__u32 limit;
		} memory_limit;
		struct {
			__u32 ioas_id;
		} access_replace_ioas;
		struct {
			__u32 flags;
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 page_size;
			__aligned_u64 uptr;
			__aligned_u64 out_nr_dirty;
		} dirty;
		struct {
			__u32 id;
			__u32 iotlb;
		} check_iotlb;
		struct {
			__u32 dev_id;
			__u32 pasid;
			__u32 grpid;
			__u32 perm;
			__u64 addr;
		} trigger_iopf;
	};
	__u32 last;
};

/* IOMMU_GET_HW_INFO on a mock device */
#define IOMMU_HW_INFO_TYPE_SELFTEST	0xfeedbeef
#define IOMMU_HW_INFO_SELFTEST_REGVAL	0xdeadbeef

struct iommu_test_hw_info {
	__u32 flags;
	__u32 test_reg;
};

/* Nested page tables: the numbers only, the mock does not implement them */
#define IOMMU_HWPT_DATA_SELFTEST 0xdead
#define IOMMU_TEST_IOTLB_DEFAULT 0xbadbeef

struct iommu_hwpt_selftest {
	__u32 iotlb;
};

#define IOMMU_HWPT_INVALIDATE_DATA_SELFTEST 0xdeadbeef
#define IOMMU_HWPT_INVALIDATE_DATA_SELFTEST_INVALID 0xdadbeef
#define IOMMU_TEST_INVALIDATE_FLAG_ALL	1

struct iommu_hwpt_invalidate_selftest {
	__u32 flags;
	__u32 iotlb_id;
};

/*
 * The operations of this project.
 */

enum {
	IOMMU_TEST_OP_MOCK_BASE = 0x100,
	/* Create a device and bind it; it is attached to nothing. */
	IOMMU_TEST_OP_DEVICE_ADD = IOMMU_TEST_OP_MOCK_BASE,
	/* id is a stdev; attach it to pt_id, or detach it.  MOCK_DOMAIN_REPLACE replaces. */
	IOMMU_TEST_OP_DEVICE_ATTACH,
	IOMMU_TEST_OP_DEVICE_DETACH,
	/* id is a stdev: does this context own its group? */
	IOMMU_TEST_OP_HAS_GROUP,
	/* Like CREATE_ACCESS, but attached to nothing. */
	IOMMU_TEST_OP_ACCESS_ADD,
	/* id is the file descriptor of an access. */
	IOMMU_TEST_OP_ACCESS_ATTACH,
	IOMMU_TEST_OP_ACCESS_DETACH,
};

/* iommu_test_mock.device_add.flags */
enum {
	/* DMA of the device is not coherent with the CPU's caches. */
	MOCK_DEVICE_NOT_COHERENT = 1 << 0,
	/* Its interrupts are not isolated. */
	MOCK_DEVICE_MSI_NOT_ISOLATED = 1 << 1,
	/* Its IOMMU cannot enforce cache coherency of no-snoop DMA. */
	MOCK_DEVICE_NO_ENFORCE = 1 << 2,
	/* It reports no hardware information. */
	MOCK_DEVICE_NO_HW_INFO = 1 << 3,
	/* The reserved region is a window for software-managed MSIs. */
	MOCK_DEVICE_RESV_SW_MSI = 1 << 4,
	/* domain_alloc_user() accepts no flags for it: only plain HWPTs are possible. */
	MOCK_DEVICE_NO_FLAGS = 1 << 5,
	/* A kernel driver uses it: neither it nor the rest of its group can be bound. */
	MOCK_DEVICE_DRIVEN = 1 << 6,
	/* It is behind no IOMMU: not the mock's, and not a real one, as it is no real hardware. */
	MOCK_DEVICE_NO_IOMMU = 1 << 7,

	MOCK_DEVICE_FLAGS = (1 << 8) - 1,
};

/* iommu_test_mock.access.flags, besides MOCK_FLAGS_ACCESS_CREATE_* */
enum {
	/* A bad driver: it keeps its pins when it is notified of an unmap. */
	MOCK_ACCESS_KEEPS_PINS = 1 << 8,
};

/**
 * struct iommu_test_mock - an operation from IOMMU_TEST_OP_MOCK_BASE on
 * @size: sizeof(struct iommu_test_mock)
 * @op: the operation
 * @id: object id or file descriptor
 * @__reserved: 0
 * @device_add: DEVICE_ADD
 * @device_add.group: devices with the same number share an IOMMU group; 0: one of its own
 * @device_add.flags: MOCK_DEVICE_*
 * @device_add.pgsizes: bitmap of page sizes, at least half a CPU page; 0: 4 KiB, 2 MiB and 1 GiB
 * @device_add.aperture_start: first translatable IOVA
 * @device_add.aperture_last: last translatable IOVA; 0: 2^48 - 1
 * @device_add.resv_start: first IOVA of a reserved region
 * @device_add.resv_length: its length; 0: no reserved region
 * @device_add.out_stdev_id: object id to attach, replace, detach and destroy it
 * @device_add.out_idev_id: the device as bound to the context
 * @device_add.out_index: the device's name is iommufd-mock.INDEX
 * @device_add.out_group_id: number of its IOMMU group
 * @attach: DEVICE_ATTACH
 * @attach.pt_id: IOAS or HWPT in, HWPT out
 * @has_group: HAS_GROUP
 * @has_group.out_owned: 1 if iommufd_ctx_has_group()
 * @access: ACCESS_ADD, ACCESS_ATTACH
 * @access.flags: MOCK_FLAGS_ACCESS_CREATE_*
 * @access.out_fd: file descriptor of the access
 * @access.out_id: its object id
 * @access.ioas_id: the IOAS to attach to
 */
struct iommu_test_mock {
	__u32 size;
	__u32 op;
	__u32 id;
	__u32 __reserved;
	union {
		struct {
			__u32 group;
			__u32 flags;
			__aligned_u64 pgsizes;
			__aligned_u64 aperture_start;
			__aligned_u64 aperture_last;
			__aligned_u64 resv_start;
			__aligned_u64 resv_length;
			__u32 out_stdev_id;
			__u32 out_idev_id;
			__u32 out_index;
			__u32 out_group_id;
		} device_add;
		struct {
			__u32 pt_id;
		} attach;
		struct {
			__u32 out_owned;
		} has_group;
		struct {
			__u32 flags;
			__u32 out_fd;
			__u32 out_id;
			__u32 ioas_id;
		} access;
	};
};

#endif
