// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "describe/names.h"
#include "describe/operation.h"
#include "machine/devices.h"
#include "observe/finished.h"
#include "text/json.h"
#include "unit.h"

static char text[512];

static const char *failure(const struct scope_op *op)
{
	operation_failure(op, text, sizeof(text));
	return text;
}

static const char *what(const struct scope_op *op)
{
	operation_what(op, text, sizeof(text));
	return text;
}

static struct scope_op map_record(void)
{
	return (struct scope_op){
		.operation = SCOPE_OPERATION_iommufd_map,
		.comm = "qemu-system-x86",
		.tgid = 4711,
		.uid = 1000,
		.ioas = 2,
		.iova = 0x100000000,
		.length = 4ULL << 30,
	};
}

TEST(operation, memlock_limit_in_words)
{
	struct scope_op op = map_record();

	op.ioas = 0;
	op.ret = -ENOMEM;
	op.reason = SCOPE_REASON_iommufd_memlock_limit;
	op.reason_a = 12 << 20;
	op.reason_b = 64 << 20;
	CHECK_TEXT(failure(&op),
		   "map of 4.0 GiB at 0x100000000 failed: RLIMIT_MEMLOCK: 64 MiB allowed, 12 MiB in "
		   "use, 4096 MiB wanted (uid 1000, qemu-system-x86 [4711])");
}

TEST(operation, ioctls_and_features_in_words)
{
	struct scope_op op = {
		.operation = SCOPE_OPERATION_vfio_ioctl,
		.device = "0000:03:00.0",
		/* VFIO_DEVICE_GET_INFO */
		.value = 0x3b6b,
	};

	CHECK_TEXT(what(&op), "0000:03:00.0, VFIO_DEVICE_GET_INFO");
	op.value = 0x3bff;
	CHECK_TEXT(what(&op), "0000:03:00.0, ioctl 0x3bff");
	op.operation = SCOPE_OPERATION_vfio_feature;
	op.value = 1 << 16 | 1 << 18 | 10;
	CHECK_TEXT(what(&op), "0000:03:00.0, BUS_MASTER (probe for get)");
	op.value = 1 << 17 | 999;
	CHECK_TEXT(what(&op), "0000:03:00.0, feature 999 (set)");
	/* the same number is VFIO_IOMMU_MAP_DMA for containers */
	op.operation = SCOPE_OPERATION_iommufd_unknown_ioctl;
	op.value = 0x3b71;
	CHECK_TEXT(what(&op), "VFIO_IOMMU_MAP_DMA");
	op.operation = SCOPE_OPERATION_vfio_ioctl;
	CHECK_TEXT(what(&op), "0000:03:00.0, VFIO_DEVICE_PCI_HOT_RESET");
	op.ret = -EINVAL;
	op.reason = SCOPE_REASON_vfio_not_bound;
	op.reason_a = 0x3b6e;
	operation_why(&op, text, sizeof(text));
	CHECK_TEXT(text, "the device is not bound to an iommufd yet: VFIO_DEVICE_SET_IRQS");
}

TEST(operation, ranges_in_words)
{
	struct scope_op op = map_record();

	op.ret = -EEXIST;
	op.reason = SCOPE_REASON_iommufd_iova_overlap;
	op.reason_a = 0x100000000;
	op.reason_b = 0x1000fffff;
	CHECK_TEXT(failure(&op),
		   "map of 4.0 GiB at 0x100000000, ioas 2 failed: the IOVA range overlaps an area "
		   "that is mapped already: 0x100000000 to 0x1000fffff (uid 1000, qemu-system-x86 "
		   "[4711])");
}

TEST(operation, failure_without_a_reason)
{
	struct scope_op op = map_record();

	op.ret = -EINTR;
	operation_why(&op, text, sizeof(text));
	CHECK_TEXT(text, "Interrupted system call");
}

/* Every reason must have words that end, with or without numbers. */
TEST(operation, every_reason_has_words)
{
	struct scope_op op = map_record();
	unsigned int reason;

	op.ret = -EINVAL;
	op.reason_a = UINT64_MAX;
	op.reason_b = UINT64_MAX;
	for (reason = 0; reason <= SCOPE_NR_IOMMUFD_REASONS; reason++) {
		op.operation = SCOPE_OPERATION_iommufd_map;
		op.reason = reason;
		operation_why(&op, text, sizeof(text));
		CHECK_GE(strlen(text), 8);
		CHECK(!strstr(text, ": ,"));
	}
	for (reason = 0; reason <= SCOPE_NR_VFIO_REASONS; reason++) {
		op.operation = SCOPE_OPERATION_vfio_bind;
		op.reason = reason;
		operation_why(&op, text, sizeof(text));
		CHECK_GE(strlen(text), 8);
	}
	CHECK_TEXT(reason_name(SCOPE_OPERATION_iommufd_map, 9999), "unknown");
}

TEST(operation, the_driver_says)
{
	struct scope_op op = {
		.operation = SCOPE_OPERATION_iommufd_replace,
		.device = "0000:03:00.0",
		.old_hwpt = 4,
		.hwpt = 5,
		.ioas = 2,
		.ret = -EINVAL,
		.reason = SCOPE_REASON_iommufd_domain_incompatible,
		.reason_a = 5,
		.reason_b = EINVAL,
	};

	CHECK_TEXT(what(&op), "0000:03:00.0, hwpt 4 to 5, ioas 2");
	operation_why(&op, text, sizeof(text));
	CHECK_TEXT(text, "the IOMMU driver refuses this HWPT for the device: HWPT id 5, the driver "
			 "says EINVAL");
}

TEST(operation, text_is_cut_at_its_room)
{
	struct scope_op op = map_record();
	char small[16];
	size_t room;

	op.ret = -ENOMEM;
	for (room = 1; room <= sizeof(small); room++) {
		memset(small, 'x', sizeof(small));
		operation_failure(&op, small, room);
		CHECK(memchr(small, 0, room));
	}
}

TEST(operation, short_records_are_zero_behind_their_end)
{
	struct scope_op from, op;

	memset(&from, 0xff, sizeof(from));
	memset(&op, 0xaa, sizeof(op));
	finished_operation(&op, &from, SCOPE_OBJECT_RECORD);
	CHECK_EQ(op.phase_ns[0], UINT64_MAX);
	CHECK_EQ(op.phase_ns[1], 0);
	CHECK_EQ(op.devices, 0);
	CHECK_TEXT(op.device, "");
	CHECK_EQ(strlen(op.comm), sizeof(op.comm) - 1);
	finished_operation(&op, &from, sizeof(from));
	CHECK_EQ(strlen(op.device), sizeof(op.device) - 1);
}

TEST(operation, longest_phase)
{
	struct scope_op op = map_record();
	uint64_t ns;

	op.dur_ns = 1000;
	CHECK_EQ(operation_phase(&op, &ns), SCOPE_NR_PHASES);
	CHECK_EQ(ns, 1000);
	op.phase_ns[SCOPE_PHASE_wait] = 300;
	op.phase_ns[SCOPE_PHASE_pin] = 600;
	CHECK_EQ(operation_phase(&op, &ns), SCOPE_PHASE_pin);
	CHECK_EQ(ns, 600);
	/* the clocks of phases and operation are read one after the other */
	op.phase_ns[SCOPE_PHASE_wait] = 500;
	CHECK_EQ(operation_phase(&op, &ns), SCOPE_PHASE_pin);
}

TEST(names, operations)
{
	unsigned int i;

	for (i = 0; i < SCOPE_NR_OPERATIONS; i++)
		CHECK(operations_find(operation_title(i)) & 1ULL << i);
	CHECK_EQ(operations_find("map"), 1ULL << SCOPE_OPERATION_iommufd_map |
					 1ULL << SCOPE_OPERATION_type1_map);
	CHECK_EQ(operations_find("iommufd_map"), 1ULL << SCOPE_OPERATION_iommufd_map);
	CHECK_EQ(operations_find("attach"), 1ULL << SCOPE_OPERATION_iommufd_attach |
					    1ULL << SCOPE_OPERATION_vfio_attach |
					    1ULL << SCOPE_OPERATION_type1_attach);
	CHECK_EQ(operations_find("type1_unmap"), 1ULL << SCOPE_OPERATION_type1_unmap);
	CHECK_EQ(operations_find("vfio_attach"), 1ULL << SCOPE_OPERATION_vfio_attach);
	CHECK_EQ(operations_find("dance"), 0);
	CHECK_EQ(operations_find(""), 0);
	CHECK_EQ(operations_find("iommufd_"), 0);
}

TEST(names, phases_of_classes)
{
	CHECK(scope_has_phase(SCOPE_CLASS_MEMORY, SCOPE_PHASE_pin));
	CHECK(!scope_has_phase(SCOPE_CLASS_MEMORY, SCOPE_PHASE_switch));
	CHECK(scope_has_phase(SCOPE_CLASS_TRANSLATION, SCOPE_PHASE_wait));
	CHECK(scope_has_phase(SCOPE_CLASS_TRANSLATION, SCOPE_PHASE_drop));
	CHECK(!scope_has_phase(SCOPE_CLASS_TRANSLATION, SCOPE_PHASE_vfio_wait));
	CHECK(!scope_has_phase(SCOPE_CLASS_OBJECT, SCOPE_PHASE_pin));
	CHECK(scope_has_phase(SCOPE_CLASS_VFIO, SCOPE_PHASE_vfio_reset));
	CHECK_TEXT(phase_name(SCOPE_PHASE_vfio_wait), "wait");
	CHECK_TEXT(phase_name(SCOPE_NR_PHASES), "other");
}

TEST(names, errors)
{
	CHECK_TEXT(error_name(-ENOMEM), "ENOMEM");
	CHECK_TEXT(error_name(EPERM), "EPERM");
	CHECK_TEXT(error_name(-524), "ENOTSUPP");
	CHECK_TEXT(error_name(99999), "error");
}

TEST(names, devices_are_names)
{
	char name[DEVICE_NAME_SIZE];

	CHECK(!find_device("", name));
	CHECK(!find_device("*", name));
	CHECK(!find_device("../..", name));
	CHECK(!find_device(".", name));
	CHECK(!find_device("0000:ff:1f.7/driver", name));
	CHECK(!find_device("0123456789012345678901234567890123456789012345678901234567890123", name));
}
