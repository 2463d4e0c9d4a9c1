// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test ioctl: test devices, and inspection of page tables.
 *
 * A test device ("stdev") is an object of iommufd, of type IOMMUFD_OBJECT_TEST.  It plays the role
 * of a VFIO driver: it owns a mock device, binds it to the context, and attaches it.  Destroying
 * the object detaches, unbinds and removes the device.  mock_stdev.mutex serialises attach and
 * detach of one device, as a VFIO driver's own lock does; a replace needs no lock.
 */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "iommufd_test.h"
#include "mock.h"
#include "test_hook.h"

/**
 * struct mock_stdev - a test device
 * @obj: its object, the first member, because the core allocates and frees by its address
 * @mutex: see above
 * @mdev: the device
 * @idev: the bound device, NULL if a driver uses the device
 * @attached: it is attached; guarded by @mutex
 */
struct mock_stdev {
	struct iommufd_object obj;
	struct mutex mutex;
	struct mock_device *mdev;
	struct iommufd_device *idev;
	bool attached;
};

/* A command of either kind; the first four members are identical. */
union mock_cmd {
	struct iommu_test_cmd cmd;
	struct iommu_test_mock mock;
};

static struct mock_stdev *mock_stdev_get(struct iommufd_ctx *ictx, struct iommufd_op *op, u32 id)
{
	struct iommufd_object *obj = iommufd_test_object_get(ictx, op, id);

	return IS_ERR(obj) ? ERR_CAST(obj) : container_of(obj, struct mock_stdev, obj);
}

static void mock_stdev_put(struct iommufd_ctx *ictx, struct mock_stdev *stdev)
{
	iommufd_test_object_put(ictx, &stdev->obj);
}

static void mock_stdev_destroy(struct iommufd_object *obj)
{
	struct mock_stdev *stdev = container_of(obj, struct mock_stdev, obj);

	if (stdev->attached)
		iommufd_device_detach(stdev->idev);
	if (stdev->idev)
		iommufd_device_unbind(stdev->idev);
	mock_device_destroy(stdev->mdev);
}

static int mock_stdev_attach(struct mock_stdev *stdev, u32 *pt_id)
{
	int rc;

	if (!stdev->idev)
		return -EINVAL;
	mutex_lock(&stdev->mutex);
	rc = iommufd_device_attach(stdev->idev, pt_id);
	if (!rc)
		stdev->attached = true;
	mutex_unlock(&stdev->mutex);
	return rc;
}

static int mock_stdev_detach(struct mock_stdev *stdev)
{
	int rc = -EINVAL;

	mutex_lock(&stdev->mutex);
	if (stdev->attached) {
		iommufd_device_detach(stdev->idev);
		stdev->attached = false;
		rc = 0;
	}
	mutex_unlock(&stdev->mutex);
	return rc;
}

/* Creates a device, binds it and, if *@pt_id is not 0, attaches it; it cannot be looked up yet. */
static struct mock_stdev *mock_stdev_create(struct iommufd_ctx *ictx,
					    const struct mock_profile *profile, u32 group_key,
					    u32 *pt_id, u32 *idev_id)
{
	struct iommufd_object *obj;
	struct mock_stdev *stdev;
	int rc;

	BUILD_BUG_ON(offsetof(struct mock_stdev, obj));

	obj = iommufd_test_object_alloc(ictx, sizeof(*stdev));
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	stdev = container_of(obj, struct mock_stdev, obj);
	mutex_init(&stdev->mutex);

	stdev->mdev = mock_device_create(profile, group_key);
	if (IS_ERR(stdev->mdev)) {
		rc = PTR_ERR(stdev->mdev);
		goto err_abort;
	}
	if (profile->flags & MOCK_DEVICE_DRIVEN) {
		*idev_id = 0;
		return stdev;
	}
	stdev->idev = iommufd_device_bind(ictx, &stdev->mdev->pdev->dev, idev_id);
	if (IS_ERR(stdev->idev)) {
		rc = PTR_ERR(stdev->idev);
		goto err_device;
	}
	if (iommufd_device_to_ictx(stdev->idev) != ictx ||
	    iommufd_device_to_id(stdev->idev) != *idev_id) {
		rc = -EIO;
		goto err_unbind;
	}
	if (pt_id) {
		rc = mock_stdev_attach(stdev, pt_id);
		if (rc)
			goto err_unbind;
	}
	return stdev;

err_unbind:
	iommufd_device_unbind(stdev->idev);
err_device:
	mock_device_destroy(stdev->mdev);
err_abort:
	iommufd_test_object_abort(ictx, obj);
	return ERR_PTR(rc);
}

static int mock_domain(struct iommufd_ctx *ictx, struct iommu_test_cmd *cmd, u32 dev_flags)
{
	struct mock_profile profile = {
		.pgsizes = MOCK_IO_PAGE_SIZE,
		.aperture_start = MOCK_APERTURE_START,
		.aperture_last = MOCK_APERTURE_LAST,
	};
	struct mock_stdev *stdev;
	u32 pt_id = cmd->id;
	u32 idev_id;

	if (dev_flags & ~(MOCK_FLAGS_DEVICE_NO_DIRTY | MOCK_FLAGS_DEVICE_HUGE_IOVA))
		return -EINVAL;
	if (dev_flags & MOCK_FLAGS_DEVICE_HUGE_IOVA)
		profile.pgsizes |= MOCK_HUGE_PAGE_SIZE;

	stdev = mock_stdev_create(ictx, &profile, 0, &pt_id, &idev_id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);

	cmd->mock_domain.out_stdev_id = stdev->obj.id;
	cmd->mock_domain.out_hwpt_id = pt_id;
	cmd->mock_domain.out_idev_id = idev_id;
	iommufd_test_object_finalize(ictx, &stdev->obj);
	return 0;
}

static int mock_domain_replace(struct iommufd_ctx *ictx, struct iommufd_op *op,
			       struct iommu_test_cmd *cmd)
{
	struct mock_stdev *stdev = mock_stdev_get(ictx, op, cmd->id);
	int rc;

	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	rc = stdev->idev ? iommufd_device_replace(stdev->idev, &cmd->mock_domain_replace.pt_id) :
			   -EINVAL;
	mock_stdev_put(ictx, stdev);
	return rc;
}

static int mock_device_add(struct iommufd_ctx *ictx, struct iommu_test_mock *cmd)
{
	struct mock_profile profile = {
		.pgsizes = cmd->device_add.pgsizes ?: SZ_4K | SZ_2M | SZ_1G,
		.aperture_start = cmd->device_add.aperture_start,
		.aperture_last = cmd->device_add.aperture_last ?: BIT_ULL(48) - 1,
		.resv_start = cmd->device_add.resv_start,
		.resv_length = cmd->device_add.resv_length,
		.flags = cmd->device_add.flags,
	};
	struct mock_stdev *stdev;
	struct iommu_group *group;
	u32 idev_id;

	if (profile.flags & ~MOCK_DEVICE_FLAGS)
		return -EOPNOTSUPP;
	if (profile.pgsizes & (MOCK_IO_PAGE_SIZE - 1) ||
	    profile.aperture_start >= profile.aperture_last ||
	    (profile.resv_length &&
	     profile.resv_start + profile.resv_length - 1 < profile.resv_start))
		return -EINVAL;

	stdev = mock_stdev_create(ictx, &profile, cmd->device_add.group, NULL, &idev_id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);

	cmd->device_add.out_stdev_id = stdev->obj.id;
	cmd->device_add.out_idev_id = idev_id;
	cmd->device_add.out_index = stdev->mdev->index;
	group = iommu_group_get(&stdev->mdev->pdev->dev);
	cmd->device_add.out_group_id = iommu_group_id(group);
	iommu_group_put(group);
	iommufd_test_object_finalize(ictx, &stdev->obj);
	return 0;
}

static int mock_device_op(struct iommufd_ctx *ictx, struct iommufd_op *op,
			  struct iommu_test_mock *cmd)
{
	struct mock_stdev *stdev = mock_stdev_get(ictx, op, cmd->id);
	struct iommu_group *group;
	int rc = 0;

	if (IS_ERR(stdev))
		return PTR_ERR(stdev);

	switch (cmd->op) {
	case IOMMU_TEST_OP_DEVICE_ATTACH:
		rc = mock_stdev_attach(stdev, &cmd->attach.pt_id);
		break;
	case IOMMU_TEST_OP_DEVICE_DETACH:
		rc = mock_stdev_detach(stdev);
		break;
	case IOMMU_TEST_OP_HAS_GROUP:
		group = iommu_group_get(&stdev->mdev->pdev->dev);
		cmd->has_group.out_owned = iommufd_ctx_has_group(ictx, group);
		iommu_group_put(group);
		break;
	}
	mock_stdev_put(ictx, stdev);
	return rc;
}

/* Checks that the HWPT maps the same pages as the caller's page tables. */
static int mock_check_map(struct iommufd_ctx *ictx, struct iommufd_op *op,
			  const struct iommu_test_cmd *cmd)
{
	unsigned long iova = cmd->check_map.iova;
	unsigned long left = cmd->check_map.length;
	unsigned long uptr = cmd->check_map.uptr;
	struct iommufd_object *hwpt;
	struct iommu_domain *domain;
	int rc = 0;

	if (iova % MOCK_IO_PAGE_SIZE || left % MOCK_IO_PAGE_SIZE || uptr % MOCK_IO_PAGE_SIZE ||
	    (left && iova + left - 1 < iova) || uptr + left < uptr)
		return -EINVAL;
	domain = iommufd_test_domain_get(ictx, op, cmd->id, &hwpt);
	if (IS_ERR(domain))
		return PTR_ERR(domain);

	while (left && !rc) {
		struct page *page;
		phys_addr_t want;

		if (get_user_pages_fast(uptr & PAGE_MASK, 1, 0, &page) != 1) {
			rc = -EFAULT;
			break;
		}
		want = page_to_phys(page) + offset_in_page(uptr);
		if (iommu_iova_to_phys(domain, iova) != want)
			rc = -EIO;
		put_page(page);

		iova += MOCK_IO_PAGE_SIZE;
		uptr += MOCK_IO_PAGE_SIZE;
		left -= MOCK_IO_PAGE_SIZE;
		if (fatal_signal_pending(current))
			rc = -EINTR;
		cond_resched();
	}
	iommufd_test_object_put(ictx, hwpt);
	return rc;
}

/*
 * Checks the pin count of a page; for a large folio only whether it is pinned, see
 * folio_maybe_dma_pinned().
 */
static bool mock_page_pins(struct page *page, unsigned int refs)
{
	struct folio *folio = page_folio(page);

	if (folio_test_large(folio))
		return refs ? atomic_read(&folio->_pincount) >= refs :
			      !atomic_read(&folio->_pincount);
	return folio_ref_count(folio) / GUP_PIN_COUNTING_BIAS == refs;
}

static int mock_check_refs(const struct iommu_test_cmd *cmd)
{
	unsigned long uptr = cmd->check_refs.uptr;
	unsigned long left = cmd->check_refs.length;

	if (uptr % PAGE_SIZE || left % PAGE_SIZE || uptr + left < uptr)
		return -EINVAL;

	for (; left; left -= PAGE_SIZE, uptr += PAGE_SIZE) {
		struct page *page;
		bool ok;

		if (get_user_pages_fast(uptr, 1, 0, &page) != 1)
			return -EFAULT;
		ok = mock_page_pins(page, cmd->check_refs.refs);
		put_page(page);
		if (!ok)
			return -EIO;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int mock_run_upstream(struct iommufd_ctx *ictx, struct iommufd_op *op,
			     struct iommu_test_cmd *cmd)
{
	u32 unused;

	switch (cmd->op) {
	case IOMMU_TEST_OP_ADD_RESERVED:
		return iommufd_test_ioas_reserve(ictx, op, cmd->id, cmd->add_reserved.start,
						 cmd->add_reserved.length);
	case IOMMU_TEST_OP_MOCK_DOMAIN:
		return mock_domain(ictx, cmd, 0);
	case IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS:
		return mock_domain(ictx, cmd, cmd->mock_domain_flags.dev_flags);
	case IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE:
		return mock_domain_replace(ictx, op, cmd);
	case IOMMU_TEST_OP_MD_CHECK_MAP:
		return mock_check_map(ictx, op, cmd);
	case IOMMU_TEST_OP_MD_CHECK_REFS:
		return mock_check_refs(cmd);
	case IOMMU_TEST_OP_CREATE_ACCESS:
		if (!cmd->id)
			return -ENOENT;
		if (cmd->create_access.flags & ~MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES)
			return -EOPNOTSUPP;
		return mock_access_create(ictx, cmd->id, cmd->create_access.flags,
					  &cmd->create_access.out_access_fd, &unused);
	case IOMMU_TEST_OP_ACCESS_REPLACE_IOAS:
		return mock_access_replace(ictx, cmd->id, cmd->access_replace_ioas.ioas_id);
	case IOMMU_TEST_OP_ACCESS_PAGES:
		return mock_access_pages(ictx, cmd);
	case IOMMU_TEST_OP_DESTROY_ACCESS_PAGES:
		return mock_access_destroy_pages(ictx, cmd->id,
						 cmd->destroy_access_pages.access_pages_id);
	case IOMMU_TEST_OP_ACCESS_RW:
		return mock_access_rw(ictx, cmd);
	case IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT:
		iommufd_test_set_memory_limit(cmd->memory_limit.limit);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int mock_run(struct iommufd_ctx *ictx, struct iommufd_op *op, struct iommu_test_mock *cmd)
{
	switch (cmd->op) {
	case IOMMU_TEST_OP_DEVICE_ADD:
		return mock_device_add(ictx, cmd);
	case IOMMU_TEST_OP_DEVICE_ATTACH:
	case IOMMU_TEST_OP_DEVICE_DETACH:
	case IOMMU_TEST_OP_HAS_GROUP:
		return mock_device_op(ictx, op, cmd);
	case IOMMU_TEST_OP_ACCESS_ADD:
		return mock_access_create(ictx, 0, cmd->access.flags, &cmd->access.out_fd,
					  &cmd->access.out_id);
	case IOMMU_TEST_OP_ACCESS_ATTACH:
		return mock_access_attach(ictx, cmd->id, cmd->access.ioas_id);
	case IOMMU_TEST_OP_ACCESS_DETACH:
		return mock_access_detach(ictx, cmd->id);
	default:
		return -EOPNOTSUPP;
	}
}

static long mock_ioctl(struct iommufd_ctx *ictx, struct iommufd_op *op, void __user *arg)
{
	union mock_cmd u = {};
	u32 size;
	int rc;

	/* These commands create devices and affect all users of the mock IOMMU. */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user(size, (u32 __user *)arg))
		return -EFAULT;
	if (size < offsetofend(struct iommu_test_cmd, __reserved))
		return -EINVAL;
	rc = copy_struct_from_user(&u, sizeof(u), arg, size);
	if (rc)
		return rc;
	if (u.cmd.__reserved)
		return -EOPNOTSUPP;

	if (u.cmd.op < IOMMU_TEST_OP_MOCK_BASE)
		rc = mock_run_upstream(ictx, op, &u.cmd);
	else
		rc = mock_run(ictx, op, &u.mock);
	if (rc)
		return rc;

	/*
	 * If the caller cannot receive the ids of the new objects, they are destroyed with its
	 * file.
	 */
	if (copy_to_user(arg, &u, min_t(size_t, size, sizeof(u))))
		return -EFAULT;
	return 0;
}

static bool mock_is_mock(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);

	return fwspec && fwspec->iommu_fwnode == mock_iommu_fwnode();
}

static const struct iommufd_test_hook mock_hook = {
	.owner = THIS_MODULE,
	.ioctl = mock_ioctl,
	.destroy = mock_stdev_destroy,
	.is_mock = mock_is_mock,
};

/**
 * mock_test_init() - register the test ioctl
 *
 * Return: 0 or a negative errno
 */
int mock_test_init(void)
{
	return iommufd_test_register(&mock_hook);
}

/**
 * mock_test_exit() - unregister the test ioctl
 */
void mock_test_exit(void)
{
	iommufd_test_unregister(&mock_hook);
}
