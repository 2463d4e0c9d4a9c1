// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot resets of devices that share a bus or a slot.
 *
 * Two pairs of network controllers. One pair is two functions of a device, in one IOMMU group,
 * behind the first root port; the other is two devices behind the second port, each in its own
 * group.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e.h"
#include "lib/e1000e.h"

struct pair {
	char bdf[2][PCI_BDF_SIZE];
};

struct fixture {
	struct vfio_space space;
	struct vfio_dev dev;
	struct e1000e nic;
};

/* Find two controllers on one bus; @together: in one IOMMU group. */
static void claim_pair(struct pair *pair, bool together)
{
	int bus;

	for (bus = 1; bus < 16; bus++) {
		/* cppcheck-suppress uninitvar ; it is pci_find() that fills it */
		if (pci_find(E1000E_VENDOR, E1000E_DEVICE, bus, 1, pair->bdf[1]))
			continue;
		CHECK_OK(pci_find(E1000E_VENDOR, E1000E_DEVICE, bus, 0, pair->bdf[0]));
		if ((pci_group(pair->bdf[0]) == pci_group(pair->bdf[1])) != together)
			continue;
		CHECK_OK(pci_bind(pair->bdf[0], "vfio-pci"));
		CHECK_OK(pci_bind(pair->bdf[1], "vfio-pci"));
		return;
	}
	tap_skip("this machine has no two devices behind one port in %s",
		 together ? "one group" : "two groups");
}

static void open_alone(struct fixture *f, enum vfio_api api, const char *bdf)
{
	CHECK_OK(vfio_space_open(&f->space, api));
	CHECK_OK(vfio_open(&f->dev, bdf, &f->space));
	CHECK_OK(e1000e_init(&f->nic, &f->dev));
}

static void open_beside(struct fixture *f, const char *bdf, const struct fixture *first,
			bool together)
{
	f->space = first->space;
	if (together)
		CHECK_OK(vfio_open_second(&f->dev, bdf, &first->dev));
	else
		CHECK_OK(vfio_open(&f->dev, bdf, &f->space));
	CHECK_OK(e1000e_init(&f->nic, &f->dev));
}

static const struct vfio_pci_dependent_device *
find_entry(const struct vfio_pci_hot_reset_info *info, const char *bdf)
{
	unsigned int bus = strtoul(bdf + 5, NULL, 16), slot = strtoul(bdf + 8, NULL, 16);
	unsigned int function = strtoul(bdf + 11, NULL, 16), i;

	for (i = 0; i < info->count; i++)
		if (info->devices[i].bus == bus && info->devices[i].devfn == (slot << 3 | function))
			return &info->devices[i];
	return NULL;
}

/* The devices that a reset of @f would hit: the pair, and nothing else. */
static struct vfio_pci_hot_reset_info *get_info(const struct fixture *f, const struct pair *pair,
						const struct vfio_pci_dependent_device *entry[2])
{
	struct vfio_pci_hot_reset_info *info = vfio_hot_reset_info(f->dev.fd);
	int i;

	CHECK(info);
	CHECK_EQ(info->count, 2);
	for (i = 0; i < 2; i++) {
		entry[i] = find_entry(info, pair->bdf[i]);
		CHECK(entry[i]);
		CHECK_EQ(entry[i]->segment, 0);
	}
	return info;
}

/* The reset happened, and configuration and mapped BARs are as before. */
static void check_reset(const struct fixture *f, uint32_t bar)
{
	CHECK_EQ(vfio_config_read(&f->dev, 0x10, 4), bar);
	CHECK(e1000e_read(&f->nic, E1000E_RAH) & E1000E_RAH_VALID);
	CHECK(!e1000e_marked(&f->nic));
}

static void both_owned_node(bool together)
{
	const struct vfio_pci_dependent_device *entry[2];
	struct vfio_pci_hot_reset_info *info;
	struct fixture a, b;
	uint32_t bar[2];
	struct pair pair;

	e2e_need_api(VFIO_API_NODE);
	claim_pair(&pair, together);
	open_alone(&a, VFIO_API_NODE, pair.bdf[0]);
	open_beside(&b, pair.bdf[1], &a, together);

	info = get_info(&a, &pair, entry);
	CHECK_EQ(info->flags, VFIO_PCI_HOT_RESET_FLAG_DEV_ID | VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED);
	CHECK_EQ(entry[0]->devid, a.dev.devid);
	CHECK_EQ(entry[1]->devid, b.dev.devid);

	bar[0] = vfio_config_read(&a.dev, 0x10, 4);
	bar[1] = vfio_config_read(&b.dev, 0x10, 4);
	e1000e_mark(&a.nic);
	e1000e_mark(&b.nic);
	CHECK(e1000e_marked(&a.nic) && e1000e_marked(&b.nic));
	CHECK_OK(vfio_hot_reset(a.dev.fd, NULL, 0));
	check_reset(&a, bar[0]);
	check_reset(&b, bar[1]);
	/* once more, by the other device */
	e1000e_mark(&a.nic);
	CHECK_OK(vfio_hot_reset(b.dev.fd, NULL, 0));
	check_reset(&a, bar[0]);
}

TEST(hot_reset, both_owned_node)
{
	both_owned_node(false);
}

TEST(hot_reset, both_owned_in_one_group_node)
{
	both_owned_node(true);
}

/* Implicitly owned: the other function is in our group, though no process has opened it. */
TEST(hot_reset, one_opened_in_one_group_node)
{
	const struct vfio_pci_dependent_device *entry[2];
	struct vfio_pci_hot_reset_info *info;
	struct pair pair;
	struct fixture a;

	e2e_need_api(VFIO_API_NODE);
	claim_pair(&pair, true);
	open_alone(&a, VFIO_API_NODE, pair.bdf[0]);
	info = get_info(&a, &pair, entry);
	CHECK_EQ(info->flags, VFIO_PCI_HOT_RESET_FLAG_DEV_ID | VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED);
	CHECK_EQ(entry[0]->devid, a.dev.devid);
	CHECK_EQ(entry[1]->devid, VFIO_PCI_DEVID_OWNED);
	e1000e_mark(&a.nic);
	CHECK_OK(vfio_hot_reset(a.dev.fd, NULL, 0));
	CHECK(!e1000e_marked(&a.nic));

	/* taken from vfio-pci: it is in no set, so no owner answers for it */
	CHECK_OK(pci_unbind(pair.bdf[1]));
	free(info);
	info = get_info(&a, &pair, entry);
	CHECK_EQ(info->flags, VFIO_PCI_HOT_RESET_FLAG_DEV_ID);
	CHECK_EQ((int)entry[1]->devid, VFIO_PCI_DEVID_NOT_OWNED);
	e1000e_mark(&a.nic);
	FAILS(EINVAL, "not_in_set", vfio_hot_reset(a.dev.fd, NULL, 0));
	CHECK(e1000e_marked(&a.nic));
	CHECK_OK(pci_bind(pair.bdf[1], "vfio-pci"));
}

TEST(hot_reset, one_owned_node)
{
	const struct vfio_pci_dependent_device *entry[2];
	struct vfio_pci_hot_reset_info *info;
	struct fixture a, b;
	struct pair pair;

	e2e_need_api(VFIO_API_NODE);
	claim_pair(&pair, false);
	open_alone(&a, VFIO_API_NODE, pair.bdf[0]);
	e1000e_mark(&a.nic);

	/* owned by no process */
	info = get_info(&a, &pair, entry);
	CHECK_EQ(info->flags, VFIO_PCI_HOT_RESET_FLAG_DEV_ID);
	CHECK_EQ(entry[0]->devid, a.dev.devid);
	CHECK_EQ((int)entry[1]->devid, VFIO_PCI_DEVID_NOT_OWNED);
	FAILS(EINVAL, "not_owned", vfio_hot_reset(a.dev.fd, NULL, 0));
	CHECK(e1000e_marked(&a.nic));
	free(info);

	/* owned by another process */
	open_alone(&b, VFIO_API_NODE, pair.bdf[1]);
	e1000e_mark(&b.nic);
	info = get_info(&a, &pair, entry);
	CHECK_EQ(info->flags, VFIO_PCI_HOT_RESET_FLAG_DEV_ID);
	CHECK_EQ((int)entry[1]->devid, VFIO_PCI_DEVID_NOT_OWNED);
	FAILS(EINVAL, "not_owned", vfio_hot_reset(a.dev.fd, NULL, 0));
	CHECK(e1000e_marked(&a.nic) && e1000e_marked(&b.nic));
	free(info);
}

/* A node's owner is known; a list of files would contradict it. */
TEST(hot_reset, files_with_a_node)
{
	struct pair pair;
	struct fixture a;

	e2e_need_api(VFIO_API_NODE);
	claim_pair(&pair, false);
	open_alone(&a, VFIO_API_NODE, pair.bdf[0]);
	e1000e_mark(&a.nic);
	FAILS(EINVAL, "bad_value", vfio_hot_reset(a.dev.fd, &a.space.fd, 1));
	FAILS(EINVAL, "bad_value", vfio_hot_reset(a.dev.fd, &a.dev.fd, 1));
	CHECK(e1000e_marked(&a.nic));
}

static void both_owned_group(bool together)
{
	const struct vfio_pci_dependent_device *entry[2];
	struct vfio_pci_hot_reset_info *info;
	struct fixture a, b;
	uint32_t bar[2];
	struct pair pair;
	int fds[2];

	e2e_need_api(VFIO_API_GROUP);
	claim_pair(&pair, together);
	open_alone(&a, VFIO_API_GROUP, pair.bdf[0]);
	open_beside(&b, pair.bdf[1], &a, together);
	info = get_info(&a, &pair, entry);
	CHECK_EQ(info->flags, 0);
	CHECK_EQ(entry[0]->group_id, pci_group(pair.bdf[0]));
	CHECK_EQ(entry[1]->group_id, pci_group(pair.bdf[1]));

	bar[0] = vfio_config_read(&a.dev, 0x10, 4);
	bar[1] = vfio_config_read(&b.dev, 0x10, 4);
	e1000e_mark(&a.nic);
	e1000e_mark(&b.nic);
	fds[0] = a.dev.group_fd;
	fds[1] = b.dev.group_fd;
	CHECK_OK(vfio_hot_reset(a.dev.fd, fds, together ? 1 : 2));
	check_reset(&a, bar[0]);
	check_reset(&b, bar[1]);
}

TEST(hot_reset, both_owned_group)
{
	both_owned_group(false);
}

TEST(hot_reset, both_owned_in_one_group_group)
{
	both_owned_group(true);
}

TEST(hot_reset, one_owned_group)
{
	struct pair pair;
	struct fixture a;

	e2e_need_api(VFIO_API_GROUP);
	claim_pair(&pair, false);
	open_alone(&a, VFIO_API_GROUP, pair.bdf[0]);
	e1000e_mark(&a.nic);
	/* no proof, and proof for one of two */
	FAILS(EINVAL, "bad_value", vfio_hot_reset(a.dev.fd, NULL, 0));
	FAILS(EINVAL, "not_owned", vfio_hot_reset(a.dev.fd, &a.dev.group_fd, 1));
	/* files that are not groups */
	FAILS(EINVAL, "bad_group_fd", vfio_hot_reset(a.dev.fd, &a.space.fd, 1));
	FAILS(EBADF, "bad_fd", vfio_hot_reset(a.dev.fd, (int[]){ 9999 }, 1));
	CHECK(e1000e_marked(&a.nic));
}

TEST(hot_reset, other_driver_group)
{
	struct pair pair;
	struct fixture a;

	e2e_need_api(VFIO_API_GROUP);
	claim_pair(&pair, false);
	open_alone(&a, VFIO_API_GROUP, pair.bdf[0]);
	e1000e_mark(&a.nic);
	CHECK_OK(pci_unbind(pair.bdf[1]));
	FAILS(EINVAL, "not_in_set", vfio_hot_reset(a.dev.fd, &a.dev.group_fd, 1));
	CHECK(e1000e_marked(&a.nic));
	CHECK_OK(pci_bind(pair.bdf[1], "vfio-pci"));
}

/*
 * A file on a device's node that was never bound outlives the device's time with VFIO. A reset
 * does not ask for such a file when the device is back, as the same or as a new one.
 */
static void beside_a_stale_file(enum vfio_api api, bool removed)
{
	const struct vfio_pci_dependent_device *entry[2];
	struct vfio_pci_hot_reset_info *info;
	struct fixture a, b;
	struct pair pair;
	int fds[2], stale;

	e2e_need_api(VFIO_API_NODE);
	e2e_need_api(api);
	claim_pair(&pair, false);
	stale = vfio_node_open(pair.bdf[1]);
	CHECK_GE(stale, 0);
	if (removed) {
		CHECK_OK(pci_remove(pair.bdf[1]));
		CHECK_OK(pci_rescan());
	} else {
		CHECK_OK(pci_unbind(pair.bdf[1]));
	}

	/* while no VFIO driver has it, it is not VFIO's, even if a file is open */
	open_alone(&a, api, pair.bdf[0]);
	fds[0] = a.dev.group_fd;
	e1000e_mark(&a.nic);
	FAILS(EINVAL, "not_in_set", vfio_hot_reset(a.dev.fd, fds, api == VFIO_API_GROUP));
	CHECK(e1000e_marked(&a.nic));

	CHECK_OK(pci_bind(pair.bdf[1], "vfio-pci"));
	open_beside(&b, pair.bdf[1], &a, false);
	fds[1] = b.dev.group_fd;
	info = get_info(&a, &pair, entry);
	if (api == VFIO_API_NODE) {
		CHECK_EQ(info->flags, VFIO_PCI_HOT_RESET_FLAG_DEV_ID |
				      VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED);
		CHECK_EQ(entry[0]->devid, a.dev.devid);
		CHECK_EQ(entry[1]->devid, b.dev.devid);
	}
	e1000e_mark(&b.nic);
	CHECK_OK(vfio_hot_reset(a.dev.fd, fds, api == VFIO_API_GROUP ? 2 : 0));
	CHECK(!e1000e_marked(&a.nic) && !e1000e_marked(&b.nic));
	free(info);
	close(stale);
}

BOTH(hot_reset, beside_a_stale_file)
{
	beside_a_stale_file(api, false);
}

BOTH(hot_reset, beside_a_stale_file_of_a_removed_device)
{
	beside_a_stale_file(api, true);
}

/* A device of the root complex has no bus of its own to reset. */
BOTH(hot_reset, root_bus)
{
	struct vfio_space space;
	struct vfio_dev dev;

	e2e_open(&dev, &space, api, EDU_VENDOR, EDU_DEVICE);
	CHECK(!vfio_hot_reset_info(dev.fd));
	CHECK_EQ(errno, ENODEV);
	CHECK_NE(vfio_hot_reset(dev.fd, &dev.group_fd, api == VFIO_API_GROUP), 0);
}
