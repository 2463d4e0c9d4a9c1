// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls, and the values that their fields may have.
 */
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "../../kernel/include/iommufd_test.h"
#include "fuzz.h"

#define FIELD(type, member, kind, param)                                                           \
	{ #member, offsetof(struct type, member), sizeof(((struct type *)0)->member), kind, param }
#define COUNT(...) (sizeof((const struct field[]){ __VA_ARGS__ }) / sizeof(struct field))

/* An ioctl with a structure */
#define CALL(ioctl, fd_kind, how_often, type, ...)                                                 \
	{ .name = #ioctl, .how = HOW_STRUCT, .fd = fd_kind, .weight = how_often,                   \
	  .request = ioctl, .size = sizeof(struct type),                                           \
	  .nr = COUNT(__VA_ARGS__), .fields = { __VA_ARGS__ } }

/* A test operation: the structure is the union's, of one size */
#define TEST(operation, how_often, ...)                                                            \
	{ .name = "test " #operation, .how = HOW_STRUCT, .fd = SLOT_IOMMU, .weight = how_often,      \
	  .request = IOMMU_TEST_CMD, .size = sizeof(struct iommu_test_cmd),                        \
	  .nr = 2 + COUNT(__VA_ARGS__),                                                            \
	  .fields = { FIELD(iommu_test_cmd, size, FIELD_IS, sizeof(struct iommu_test_cmd)),        \
		      FIELD(iommu_test_cmd, op, FIELD_IS, IOMMU_TEST_OP_##operation),              \
		      __VA_ARGS__ } }

/* Room for an array after a structure of vfio's, whose end has no size of its own */
#define WITH_ROOM(name, type, member, room)                                                        \
	struct name {                                                                              \
		union {                                                                            \
			struct type member;                                                        \
			struct {                                                                   \
				__u8 member##_bytes[sizeof(struct type)];                          \
				room;                                                              \
			};                                                                         \
		};                                                                                 \
	}

WITH_ROOM(irq_set, vfio_irq_set, set, __s32 fds[4]);
WITH_ROOM(hot_reset, vfio_pci_hot_reset, reset, __s32 fds[3]);
WITH_ROOM(feature, vfio_device_feature, feature, __u64 data[4]);

const struct spec specs[] = {
	/* descriptors */
	{ .name = "open iommu", .how = HOW_OPEN_IOMMU, .weight = 1, .returns = 1 + SLOT_IOMMU },
	{ .name = "open vfio", .how = HOW_OPEN_VFIO, .weight = 3, .returns = 1 + SLOT_VFIO, .nr = 1,
	  .fields = { { "node", 0, 4, FIELD_UP_TO, 7 } } },
	{ .name = "open group", .how = HOW_OPEN_GROUP, .weight = 1, .returns = 1 + SLOT_GROUP,
	  .nr = 1, .fields = { { "node", 0, 4, FIELD_UP_TO, 7 } } },
	{ .name = "eventfd", .how = HOW_OPEN_EVENT, .weight = 2, .returns = 1 + SLOT_EVENT },
	{ .name = "close iommu", .how = HOW_CLOSE, .fd = SLOT_IOMMU, .weight = 1 },
	{ .name = "close vfio", .how = HOW_CLOSE, .fd = SLOT_VFIO, .weight = 2 },
	{ .name = "close group", .how = HOW_CLOSE, .fd = SLOT_GROUP, .weight = 1 },
	{ .name = "close access", .how = HOW_CLOSE, .fd = SLOT_ACCESS, .weight = 2 },
	{ .name = "close eventfd", .how = HOW_CLOSE, .fd = SLOT_EVENT, .weight = 1 },

	/* /dev/iommu */
	CALL(IOMMU_DESTROY, SLOT_IOMMU, 3, iommu_destroy,
	     FIELD(iommu_destroy, size, FIELD_SIZE, 0), FIELD(iommu_destroy, id, FIELD_ANY, 0)),
	CALL(IOMMU_IOAS_ALLOC, SLOT_IOMMU, 6, iommu_ioas_alloc,
	     FIELD(iommu_ioas_alloc, size, FIELD_SIZE, 0),
	     FIELD(iommu_ioas_alloc, flags, FIELD_ZERO, 0),
	     FIELD(iommu_ioas_alloc, out_ioas_id, FIELD_OUT, SLOT_IOAS)),
	CALL(IOMMU_IOAS_IOVA_RANGES, SLOT_IOMMU, 2, iommu_ioas_iova_ranges,
	     FIELD(iommu_ioas_iova_ranges, size, FIELD_SIZE, 0),
	     FIELD(iommu_ioas_iova_ranges, ioas_id, FIELD_SLOT, SLOT_IOAS),
	     FIELD(iommu_ioas_iova_ranges, num_iovas, FIELD_UP_TO, 16),
	     FIELD(iommu_ioas_iova_ranges, __reserved, FIELD_ZERO, 0),
	     FIELD(iommu_ioas_iova_ranges, allowed_iovas, FIELD_DATA, 0)),
	CALL(IOMMU_IOAS_ALLOW_IOVAS, SLOT_IOMMU, 2, iommu_ioas_allow_iovas,
	     FIELD(iommu_ioas_allow_iovas, size, FIELD_SIZE, 0),
	     FIELD(iommu_ioas_allow_iovas, ioas_id, FIELD_SLOT, SLOT_IOAS),
	     FIELD(iommu_ioas_allow_iovas, num_iovas, FIELD_UP_TO, 5),
	     FIELD(iommu_ioas_allow_iovas, __reserved, FIELD_ZERO, 0),
	     FIELD(iommu_ioas_allow_iovas, allowed_iovas, FIELD_DATA, 0)),
	CALL(IOMMU_IOAS_MAP, SLOT_IOMMU, 20, iommu_ioas_map,
	     FIELD(iommu_ioas_map, size, FIELD_SIZE, 0),
	     FIELD(iommu_ioas_map, flags, FIELD_FLAGS, IOMMU_IOAS_MAP_FIXED_IOVA |
		   IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE),
	     FIELD(iommu_ioas_map, ioas_id, FIELD_SLOT, SLOT_IOAS),
	     FIELD(iommu_ioas_map, __reserved, FIELD_ZERO, 0),
	     FIELD(iommu_ioas_map, user_va, FIELD_MEMORY, 0),
	     FIELD(iommu_ioas_map, length, FIELD_LENGTH, 0),
	     FIELD(iommu_ioas_map, iova, FIELD_IOVA, 0)),
	CALL(IOMMU_IOAS_COPY, SLOT_IOMMU, 6, iommu_ioas_copy,
	     FIELD(iommu_ioas_copy, size, FIELD_SIZE, 0),
	     FIELD(iommu_ioas_copy, flags, FIELD_FLAGS, IOMMU_IOAS_MAP_FIXED_IOVA |
		   IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE),
	     FIELD(iommu_ioas_copy, dst_ioas_id, FIELD_SLOT, SLOT_IOAS),
	     FIELD(iommu_ioas_copy, src_ioas_id, FIELD_SLOT, SLOT_IOAS),
	     FIELD(iommu_ioas_copy, length, FIELD_LENGTH, 0),
	     FIELD(iommu_ioas_copy, dst_iova, FIELD_IOVA, 0),
	     FIELD(iommu_ioas_copy, src_iova, FIELD_IOVA, 0)),
	CALL(IOMMU_IOAS_UNMAP, SLOT_IOMMU, 10, iommu_ioas_unmap,
	     FIELD(iommu_ioas_unmap, size, FIELD_SIZE, 0),
	     FIELD(iommu_ioas_unmap, ioas_id, FIELD_SLOT, SLOT_IOAS),
	     FIELD(iommu_ioas_unmap, iova, FIELD_IOVA, 0),
	     FIELD(iommu_ioas_unmap, length, FIELD_LENGTH, 0)),
	CALL(IOMMU_OPTION, SLOT_IOMMU, 2, iommu_option,
	     FIELD(iommu_option, size, FIELD_SIZE, 0),
	     FIELD(iommu_option, option_id, FIELD_UP_TO, 1),
	     FIELD(iommu_option, op, FIELD_UP_TO, 1),
	     FIELD(iommu_option, __reserved, FIELD_ZERO, 0),
	     FIELD(iommu_option, object_id, FIELD_SLOT, SLOT_IOAS),
	     FIELD(iommu_option, val64, FIELD_UP_TO, 1)),
	CALL(IOMMU_VFIO_IOAS, SLOT_IOMMU, 2, iommu_vfio_ioas,
	     FIELD(iommu_vfio_ioas, size, FIELD_SIZE, 0),
	     FIELD(iommu_vfio_ioas, ioas_id, FIELD_SLOT, SLOT_IOAS),
	     FIELD(iommu_vfio_ioas, op, FIELD_UP_TO, 2),
	     FIELD(iommu_vfio_ioas, __reserved, FIELD_ZERO, 0)),
	CALL(IOMMU_HWPT_ALLOC, SLOT_IOMMU, 7, iommu_hwpt_alloc,
	     FIELD(iommu_hwpt_alloc, size, FIELD_SIZE, 0),
	     FIELD(iommu_hwpt_alloc, flags, FIELD_RARE_FLAGS, 7),
	     FIELD(iommu_hwpt_alloc, dev_id, FIELD_SLOT, SLOT_DEVICE),
	     FIELD(iommu_hwpt_alloc, pt_id, FIELD_PT, 0),
	     FIELD(iommu_hwpt_alloc, __reserved, FIELD_ZERO, 0),
	     FIELD(iommu_hwpt_alloc, data_type, FIELD_ZERO, 0),
	     FIELD(iommu_hwpt_alloc, data_len, FIELD_ZERO, 0),
	     FIELD(iommu_hwpt_alloc, data_uptr, FIELD_ZERO, 0),
	     FIELD(iommu_hwpt_alloc, fault_id, FIELD_ZERO, 0),
	     FIELD(iommu_hwpt_alloc, __reserved2, FIELD_ZERO, 0),
	     FIELD(iommu_hwpt_alloc, out_hwpt_id, FIELD_OUT, SLOT_HWPT)),
	CALL(IOMMU_GET_HW_INFO, SLOT_IOMMU, 2, iommu_hw_info,
	     FIELD(iommu_hw_info, size, FIELD_SIZE, 0),
	     FIELD(iommu_hw_info, flags, FIELD_ZERO, 0),
	     FIELD(iommu_hw_info, dev_id, FIELD_SLOT, SLOT_DEVICE),
	     FIELD(iommu_hw_info, data_len, FIELD_UP_TO, 128),
	     FIELD(iommu_hw_info, data_uptr, FIELD_DATA, 0),
	     FIELD(iommu_hw_info, __reserved, FIELD_ZERO, 0)),
	CALL(IOMMU_HWPT_SET_DIRTY_TRACKING, SLOT_IOMMU, 1, iommu_hwpt_set_dirty_tracking,
	     FIELD(iommu_hwpt_set_dirty_tracking, size, FIELD_SIZE, 0),
	     FIELD(iommu_hwpt_set_dirty_tracking, flags, FIELD_FLAGS, 1),
	     FIELD(iommu_hwpt_set_dirty_tracking, hwpt_id, FIELD_SLOT, SLOT_HWPT),
	     FIELD(iommu_hwpt_set_dirty_tracking, __reserved, FIELD_ZERO, 0)),
	CALL(IOMMU_HWPT_GET_DIRTY_BITMAP, SLOT_IOMMU, 1, iommu_hwpt_get_dirty_bitmap,
	     FIELD(iommu_hwpt_get_dirty_bitmap, size, FIELD_SIZE, 0),
	     FIELD(iommu_hwpt_get_dirty_bitmap, hwpt_id, FIELD_SLOT, SLOT_HWPT),
	     FIELD(iommu_hwpt_get_dirty_bitmap, flags, FIELD_FLAGS, 1),
	     FIELD(iommu_hwpt_get_dirty_bitmap, __reserved, FIELD_ZERO, 0),
	     FIELD(iommu_hwpt_get_dirty_bitmap, iova, FIELD_IOVA, 0),
	     FIELD(iommu_hwpt_get_dirty_bitmap, length, FIELD_LENGTH, 0),
	     FIELD(iommu_hwpt_get_dirty_bitmap, page_size, FIELD_IS, 4096),
	     FIELD(iommu_hwpt_get_dirty_bitmap, data, FIELD_DATA, 0)),
	CALL(IOMMU_HWPT_INVALIDATE, SLOT_IOMMU, 1, iommu_hwpt_invalidate,
	     FIELD(iommu_hwpt_invalidate, size, FIELD_SIZE, 0),
	     FIELD(iommu_hwpt_invalidate, hwpt_id, FIELD_SLOT, SLOT_HWPT),
	     FIELD(iommu_hwpt_invalidate, data_uptr, FIELD_DATA, 0),
	     FIELD(iommu_hwpt_invalidate, data_type, FIELD_UP_TO, 1),
	     FIELD(iommu_hwpt_invalidate, entry_len, FIELD_UP_TO, 32),
	     FIELD(iommu_hwpt_invalidate, entry_num, FIELD_UP_TO, 4),
	     FIELD(iommu_hwpt_invalidate, __reserved, FIELD_ZERO, 0)),
	CALL(IOMMU_FAULT_QUEUE_ALLOC, SLOT_IOMMU, 1, iommu_fault_alloc,
	     FIELD(iommu_fault_alloc, size, FIELD_SIZE, 0),
	     FIELD(iommu_fault_alloc, flags, FIELD_ZERO, 0)),

	/* mock devices and accesses: used with care, since no production build has these calls */
	TEST(MOCK_DOMAIN, 2, FIELD(iommu_test_cmd, id, FIELD_SLOT, SLOT_IOAS),
	     FIELD(iommu_test_cmd, mock_domain.out_stdev_id, FIELD_OUT, SLOT_STDEV),
	     FIELD(iommu_test_cmd, mock_domain.out_hwpt_id, FIELD_OUT, SLOT_HWPT),
	     FIELD(iommu_test_cmd, mock_domain.out_idev_id, FIELD_OUT, SLOT_DEVICE)),
	TEST(MOCK_DOMAIN_REPLACE, 6, FIELD(iommu_test_cmd, id, FIELD_SLOT, SLOT_STDEV),
	     FIELD(iommu_test_cmd, mock_domain_replace.pt_id, FIELD_PT, 0)),
	TEST(CREATE_ACCESS, 2, FIELD(iommu_test_cmd, id, FIELD_SLOT, SLOT_IOAS),
	     FIELD(iommu_test_cmd, create_access.flags, FIELD_RARE_FLAGS, 1),
	     FIELD(iommu_test_cmd, create_access.out_access_fd, FIELD_OUT, SLOT_ACCESS)),
	TEST(ACCESS_REPLACE_IOAS, 3, FIELD(iommu_test_cmd, id, FIELD_SLOT, SLOT_ACCESS),
	     FIELD(iommu_test_cmd, access_replace_ioas.ioas_id, FIELD_SLOT, SLOT_IOAS)),
	TEST(ACCESS_PAGES, 6, FIELD(iommu_test_cmd, id, FIELD_SLOT, SLOT_ACCESS),
	     FIELD(iommu_test_cmd, access_pages.flags, FIELD_FLAGS, 1),
	     FIELD(iommu_test_cmd, access_pages.iova, FIELD_IOVA, 0),
	     FIELD(iommu_test_cmd, access_pages.length, FIELD_UP_TO, 0x8000),
	     FIELD(iommu_test_cmd, access_pages.uptr, FIELD_ZERO, 0),
	     FIELD(iommu_test_cmd, access_pages.out_access_pages_id, FIELD_OUT, SLOT_PAGES)),
	TEST(DESTROY_ACCESS_PAGES, 3, FIELD(iommu_test_cmd, id, FIELD_SLOT, SLOT_ACCESS),
	     FIELD(iommu_test_cmd, destroy_access_pages.access_pages_id, FIELD_SLOT, SLOT_PAGES)),
	TEST(ACCESS_RW, 4, FIELD(iommu_test_cmd, id, FIELD_SLOT, SLOT_ACCESS),
	     FIELD(iommu_test_cmd, access_rw.iova, FIELD_IOVA, 0),
	     FIELD(iommu_test_cmd, access_rw.length, FIELD_UP_TO, 8192),
	     FIELD(iommu_test_cmd, access_rw.uptr, FIELD_MEMORY, 0),
	     FIELD(iommu_test_cmd, access_rw.flags, FIELD_RARE_FLAGS, 5)),

	/* device nodes */
	CALL(VFIO_DEVICE_BIND_IOMMUFD, SLOT_VFIO, 8, vfio_device_bind_iommufd,
	     FIELD(vfio_device_bind_iommufd, argsz, FIELD_SIZE, 0),
	     FIELD(vfio_device_bind_iommufd, flags, FIELD_ZERO, 0),
	     FIELD(vfio_device_bind_iommufd, iommufd, FIELD_SLOT, SLOT_IOMMU),
	     FIELD(vfio_device_bind_iommufd, out_devid, FIELD_OUT, SLOT_DEVICE)),
	CALL(VFIO_DEVICE_ATTACH_IOMMUFD_PT, SLOT_VFIO, 8, vfio_device_attach_iommufd_pt,
	     FIELD(vfio_device_attach_iommufd_pt, argsz, FIELD_SIZE, 0),
	     FIELD(vfio_device_attach_iommufd_pt, flags, FIELD_ZERO, 0),
	     FIELD(vfio_device_attach_iommufd_pt, pt_id, FIELD_PT, 0)),
	CALL(VFIO_DEVICE_DETACH_IOMMUFD_PT, SLOT_VFIO, 3, vfio_device_detach_iommufd_pt,
	     FIELD(vfio_device_detach_iommufd_pt, argsz, FIELD_SIZE, 0),
	     FIELD(vfio_device_detach_iommufd_pt, flags, FIELD_ZERO, 0)),
	CALL(VFIO_DEVICE_GET_INFO, SLOT_VFIO, 1, vfio_device_info,
	     FIELD(vfio_device_info, argsz, FIELD_SIZE, 0)),
	CALL(VFIO_DEVICE_GET_REGION_INFO, SLOT_VFIO, 2, vfio_region_info,
	     FIELD(vfio_region_info, argsz, FIELD_SIZE, 0),
	     FIELD(vfio_region_info, index, FIELD_UP_TO, 9)),
	CALL(VFIO_DEVICE_GET_IRQ_INFO, SLOT_VFIO, 1, vfio_irq_info,
	     FIELD(vfio_irq_info, argsz, FIELD_SIZE, 0),
	     FIELD(vfio_irq_info, index, FIELD_UP_TO, 5)),
	CALL(VFIO_DEVICE_SET_IRQS, SLOT_VFIO, 8, irq_set,
	     FIELD(irq_set, set.argsz, FIELD_SIZE, 0),
	     FIELD(irq_set, set.flags, FIELD_ONE_OF_EACH, 0),
	     FIELD(irq_set, set.index, FIELD_UP_TO, 3),
	     FIELD(irq_set, set.start, FIELD_UP_TO, 1), FIELD(irq_set, set.count, FIELD_UP_TO, 2),
	     FIELD(irq_set, fds[0], FIELD_SLOT, SLOT_EVENT),
	     FIELD(irq_set, fds[1], FIELD_SLOT, SLOT_EVENT),
	     FIELD(irq_set, fds[2], FIELD_SLOT, SLOT_EVENT),
	     FIELD(irq_set, fds[3], FIELD_IS, 0xffffffff)),
	{ .name = "VFIO_DEVICE_RESET", .how = HOW_NUMBER, .fd = SLOT_VFIO, .weight = 1,
	  .request = VFIO_DEVICE_RESET },
	CALL(VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, SLOT_VFIO, 1, vfio_pci_hot_reset_info,
	     FIELD(vfio_pci_hot_reset_info, argsz, FIELD_UP_TO, 96)),
	CALL(VFIO_DEVICE_PCI_HOT_RESET, SLOT_VFIO, 1, hot_reset,
	     FIELD(hot_reset, reset.argsz, FIELD_SIZE, 0),
	     FIELD(hot_reset, reset.flags, FIELD_ZERO, 0),
	     FIELD(hot_reset, reset.count, FIELD_UP_TO, 3),
	     FIELD(hot_reset, fds[0], FIELD_SLOT, SLOT_IOMMU),
	     FIELD(hot_reset, fds[1], FIELD_SLOT, SLOT_GROUP),
	     FIELD(hot_reset, fds[2], FIELD_SLOT, SLOT_VFIO)),
	CALL(VFIO_DEVICE_IOEVENTFD, SLOT_VFIO, 2, vfio_device_ioeventfd,
	     FIELD(vfio_device_ioeventfd, argsz, FIELD_SIZE, 0),
	     FIELD(vfio_device_ioeventfd, flags, FIELD_BIT, 4),
	     FIELD(vfio_device_ioeventfd, offset, FIELD_UP_TO, 4096),
	     FIELD(vfio_device_ioeventfd, data, FIELD_UP_TO, 255),
	     FIELD(vfio_device_ioeventfd, fd, FIELD_SLOT, SLOT_EVENT),
	     FIELD(vfio_device_ioeventfd, reserved, FIELD_ZERO, 0)),
	CALL(VFIO_DEVICE_FEATURE, SLOT_VFIO, 3, feature,
	     FIELD(feature, feature.argsz, FIELD_SIZE, 0),
	     FIELD(feature, feature.flags, FIELD_FEATURE, 0),
	     FIELD(feature, data[0], FIELD_IOVA, 0), FIELD(feature, data[1], FIELD_LENGTH, 0),
	     FIELD(feature, data[2], FIELD_DATA, 0)),
	{ .name = "pread", .how = HOW_READ, .fd = SLOT_VFIO, .weight = 4, .nr = 3,
	  .fields = { { "region", 0, 4, FIELD_UP_TO, 9 }, { "offset", 0, 4, FIELD_UP_TO, 4096 },
		      { "length", 0, 4, FIELD_UP_TO, 64 } } },
	{ .name = "pwrite", .how = HOW_WRITE, .fd = SLOT_VFIO, .weight = 4, .nr = 4,
	  .fields = { { "region", 0, 4, FIELD_UP_TO, 9 }, { "offset", 0, 4, FIELD_UP_TO, 4096 },
		      { "length", 0, 4, FIELD_UP_TO, 16 }, { "value", 0, 8, FIELD_UP_TO, 255 } } },
	{ .name = "mmap", .how = HOW_MAP_REGION, .fd = SLOT_VFIO, .weight = 2, .nr = 3,
	  .fields = { { "region", 0, 4, FIELD_UP_TO, 9 }, { "offset", 0, 4, FIELD_UP_TO, 3 },
		      { "pages", 0, 4, FIELD_UP_TO, 8 } } },

	/* groups and the container that /dev/iommu is */
	{ .name = "VFIO_GROUP_GET_DEVICE_FD", .how = HOW_NAMED, .fd = SLOT_GROUP, .weight = 2,
	  .request = VFIO_GROUP_GET_DEVICE_FD, .returns = 1 + SLOT_VFIO, .nr = 1,
	  .fields = { { "device", 0, 4, FIELD_UP_TO, 7 } } },
	CALL(VFIO_GROUP_GET_STATUS, SLOT_GROUP, 1, vfio_group_status,
	     FIELD(vfio_group_status, argsz, FIELD_SIZE, 0)),
	CALL(VFIO_GROUP_SET_CONTAINER, SLOT_GROUP, 2, vfio_device_detach_iommufd_pt,
	     FIELD(vfio_device_detach_iommufd_pt, argsz, FIELD_SLOT, SLOT_IOMMU)),
	{ .name = "VFIO_GROUP_UNSET_CONTAINER", .how = HOW_NUMBER, .fd = SLOT_GROUP, .weight = 1,
	  .request = VFIO_GROUP_UNSET_CONTAINER },
	{ .name = "VFIO_CHECK_EXTENSION", .how = HOW_NUMBER, .fd = SLOT_IOMMU, .weight = 1,
	  .request = VFIO_CHECK_EXTENSION, .nr = 1,
	  .fields = { { "extension", 0, 8, FIELD_UP_TO, 12 } } },
	{ .name = "VFIO_SET_IOMMU", .how = HOW_NUMBER, .fd = SLOT_IOMMU, .weight = 1,
	  .request = VFIO_SET_IOMMU, .nr = 1, .fields = { { "type", 0, 8, FIELD_UP_TO, 4 } } },
	CALL(VFIO_IOMMU_GET_INFO, SLOT_IOMMU, 1, vfio_iommu_type1_info,
	     FIELD(vfio_iommu_type1_info, argsz, FIELD_UP_TO, 200)),
	CALL(VFIO_IOMMU_MAP_DMA, SLOT_IOMMU, 4, vfio_iommu_type1_dma_map,
	     FIELD(vfio_iommu_type1_dma_map, argsz, FIELD_SIZE, 0),
	     FIELD(vfio_iommu_type1_dma_map, flags, FIELD_FLAGS, 3),
	     FIELD(vfio_iommu_type1_dma_map, vaddr, FIELD_MEMORY, 0),
	     FIELD(vfio_iommu_type1_dma_map, iova, FIELD_IOVA, 0),
	     FIELD(vfio_iommu_type1_dma_map, size, FIELD_LENGTH, 0)),
	CALL(VFIO_IOMMU_UNMAP_DMA, SLOT_IOMMU, 3, vfio_iommu_type1_dma_unmap,
	     FIELD(vfio_iommu_type1_dma_unmap, argsz, FIELD_SIZE, 0),
	     FIELD(vfio_iommu_type1_dma_unmap, flags, FIELD_RARE_FLAGS, 7),
	     FIELD(vfio_iommu_type1_dma_unmap, iova, FIELD_IOVA, 0),
	     FIELD(vfio_iommu_type1_dma_unmap, size, FIELD_LENGTH, 0)),

	/* changes of the memory in between */
	{ .name = "madvise", .how = HOW_ADVISE, .weight = 3, .nr = 3,
	  .fields = { { "address", 0, 8, FIELD_MEMORY, 0 }, { "length", 0, 8, FIELD_LENGTH, 0 },
		      { "advice", 0, 4, FIELD_UP_TO, 4 } } },
	{ .name = "mprotect", .how = HOW_PROTECT, .weight = 2, .nr = 3,
	  .fields = { { "address", 0, 8, FIELD_MEMORY, 0 }, { "length", 0, 8, FIELD_LENGTH, 0 },
		      { "protection", 0, 4, FIELD_UP_TO, 3 } } },
	{ .name = "mmap again", .how = HOW_REMAP, .weight = 1, .nr = 2,
	  .fields = { { "address", 0, 8, FIELD_MEMORY, 0 }, { "length", 0, 8, FIELD_LENGTH, 0 } } },
	{ .name = "fork", .how = HOW_FORK, .weight = 1 },
};

const unsigned int nr_specs = sizeof(specs) / sizeof(specs[0]);

_Static_assert(sizeof(struct iommu_test_cmd) <= MAX_STRUCT, "room for the largest structure");
