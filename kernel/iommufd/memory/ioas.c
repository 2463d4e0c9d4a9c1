// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lifetime of an IOAS, and the HWPTs that translate it.
 */
#include <linux/iommu.h>
#include <linux/mm.h>

#include "memory/area.h"
#include "ctx.h"
#include "memory/fault.h"
#include "iommufd_private.h"
#include "memory/iova.h"

/* Initialises an empty address space in zeroed memory. */
static int ioas_init(struct iommufd_ioas *ioas, struct iommufd_ctx *ictx)
{
	ioas->ictx = ictx;
	mutex_init(&ioas->attach_lock);
	iommufd_mutex_no_fault(&ioas->attach_lock);
	init_rwsem(&ioas->hwpt_lock);
	iommufd_rwsem_no_fault(&ioas->hwpt_lock);
	INIT_LIST_HEAD(&ioas->hwpts);
	init_rwsem(&ioas->iova_lock);
	iommufd_rwsem_no_fault(&ioas->iova_lock);
	ioas->areas = RB_ROOT;
	ioas->huge_pages = true;
	xa_init_flags(&ioas->accesses, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	spin_lock_init(&ioas->stats_lock);
	return iommufd_iova_init(ioas);
}

/**
 * iommufd_ioas_fini() - unmap everything and free the contents of the address space
 * @ioas: the IOAS, without HWPTs, accesses and other users
 */
void iommufd_ioas_fini(struct iommufd_ioas *ioas)
{
	unsigned long unmapped;
	struct iommufd_op op;

	/* This is part of the destruction of the object, which has an event of its own. */
	op.clock.armed = 0;
	WARN_ON(!list_empty(&ioas->hwpts));
	WARN_ON(iommufd_ioas_unmap_all(ioas, &op, false, &unmapped));
	iommufd_iova_fini(ioas);
	xa_destroy(&ioas->accesses);
	mutex_destroy(&ioas->attach_lock);
}

static void destroy_ioas(struct iommufd_object *obj, struct iommufd_op *op)
{
	iommufd_ioas_fini(container_of(obj, struct iommufd_ioas, obj));
}

static const struct iommufd_object_ops ioas_object_ops = {
	.type = IOMMUFD_OBJECT_IOAS,
	.destroy = destroy_ioas,
};

/**
 * iommufd_ioas_alloc() - allocate an address space
 * @ictx: the context
 * @op: the operation; gets the reason no_memory
 *
 * Return: the IOAS, empty, which cannot be looked up yet; or an error pointer.
 */
struct iommufd_ioas *iommufd_ioas_alloc(struct iommufd_ctx *ictx, struct iommufd_op *op)
{
	struct iommufd_object *obj;
	struct iommufd_ioas *ioas;
	int rc;

	obj = __iommufd_object_alloc(ictx, sizeof(*ioas), &ioas_object_ops);
	if (IS_ERR(obj))
		return ERR_PTR(iommufd_op_fail(op, PTR_ERR(obj), IOMMUFD_REASON_no_memory,
					       sizeof(*ioas), 0));
	ioas = container_of(obj, struct iommufd_ioas, obj);
	iommufd_ctx_note_user(ictx);
	rc = ioas_init(ioas, ictx);
	if (rc) {
		iommufd_object_abort(ictx, obj);
		return ERR_PTR(iommufd_op_fail(op, rc, IOMMUFD_REASON_no_memory, 0, 0));
	}
	return ioas;
}

/* The HWPT reserves the IOVAs that its IOMMU cannot translate. */
static int reserve_outside_aperture(struct iommufd_ioas *ioas, struct iommufd_op *op,
				    struct iommufd_hwpt *hwpt)
{
	const struct iommu_domain_geometry *geometry = &hwpt->domain->geometry;
	int rc = 0;

	if (!geometry->force_aperture)
		return 0;
	if (geometry->aperture_start)
		rc = iommufd_iova_reserve_locked(ioas, op, 0, geometry->aperture_start - 1, hwpt,
						 IOMMUFD_REASON_aperture_exceeded);
	if (!rc && geometry->aperture_end != ULONG_MAX)
		rc = iommufd_iova_reserve_locked(ioas, op, geometry->aperture_end + 1, ULONG_MAX,
						 hwpt, IOMMUFD_REASON_aperture_exceeded);
	return rc;
}

/* Checks the restrictions that @hwpt puts on IOVAs and applies them. */
static int restrict_iovas(struct iommufd_ioas *ioas, struct iommufd_op *op,
			  struct iommufd_hwpt *hwpt)
{
	unsigned long granule;
	int rc;

	if (!iommufd_domain_ready(hwpt->domain))
		return iommufd_op_fail(op, -EADDRINUSE, IOMMUFD_REASON_domain_incompatible,
				       hwpt->obj.id, 0);
	granule = 1UL << __ffs(hwpt->domain->pgsize_bitmap);
	if (granule > PAGE_SIZE)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_domain_incompatible,
				       hwpt->obj.id, 0);

	rc = iommufd_op_down_write(op, &ioas->iova_lock);
	if (rc)
		return rc;
	rc = iommufd_iova_check_alignment(ioas, op, granule);
	if (rc)
		goto out_unlock;
	rc = reserve_outside_aperture(ioas, op, hwpt);
	if (rc) {
		iommufd_iova_unreserve_locked(ioas, hwpt);
		goto out_unlock;
	}
	ioas->iova_alignment = max(ioas->iova_alignment, granule);
out_unlock:
	up_write(&ioas->iova_lock);
	return rc;
}

static void unrestrict_iovas(struct iommufd_ioas *ioas, struct iommufd_hwpt *hwpt)
{
	down_write(&ioas->iova_lock);
	iommufd_iova_unreserve_locked(ioas, hwpt);
	ioas->iova_alignment = iommufd_iova_alignment(ioas);
	up_write(&ioas->iova_lock);
}

/* Areas that are mapped into an HWPT between two lookups in the tree. */
#define FILL_BATCH 64

/*
 * Returns the next areas in IOVA order, from *iova on and before @end, that are in every HWPT, and
 * advances *iova past them.  The areas stay unchanged while hwpt_lock is held for write.  iova_lock
 * therefore need not be held during calls to the IOMMU driver, and maps and unmaps can take it.
 */
static unsigned int next_areas(struct iommufd_ioas *ioas, unsigned long *iova, unsigned long end,
			       struct iommufd_area **areas)
{
	struct iommufd_area *area;
	unsigned int nr = 0;

	lockdep_assert_held_write(&ioas->hwpt_lock);
	down_read(&ioas->iova_lock);
	for (area = iommufd_area_from(ioas, *iova); area && area->iova < end && nr < FILL_BATCH;
	     area = iommufd_area_next(area)) {
		/*
		 * A pending area is mapped by its own map, once that gets hwpt_lock; a dying one is
		 * already unmapped.
		 */
		if (smp_load_acquire(&area->state) == IOMMUFD_AREA_READY)
			areas[nr++] = area;
	}
	up_read(&ioas->iova_lock);
	if (nr)
		*iova = areas[nr - 1]->last + 1;
	return nr;
}

/* Undoes a partial fill: unmaps everything before @end. */
static void unmap_until(struct iommufd_ioas *ioas, struct iommufd_hwpt *hwpt, unsigned long end)
{
	struct iommufd_area *areas[FILL_BATCH];
	struct iommu_iotlb_gather gather;
	unsigned long iova = 0;
	unsigned int nr, i;

	iommu_iotlb_gather_init(&gather);
	while (iova < end && (nr = next_areas(ioas, &iova, end, areas))) {
		for (i = 0; i < nr; i++)
			iommufd_area_unmap_hwpt(areas[i], hwpt, &gather);
		cond_resched();
	}
	iommu_iotlb_sync(hwpt->domain, &gather);
}

static int fill_area(struct iommufd_ioas *ioas, struct iommufd_op *op, struct iommufd_hwpt *hwpt,
		     struct iommufd_area *area)
{
	int rc;

	if (WARN_ON_ONCE(!area->pinned))
		return -EINVAL;
	/*
	 * The extents are counted for the first HWPT; under an earlier HWPT the count may have
	 * differed.
	 */
	if (!ioas->nr_hwpts)
		iommufd_area_set_mapped(ioas, area, false);
	rc = iommufd_area_map_hwpt(area, op, hwpt, ioas->huge_pages);
	if (!rc)
		iommufd_area_set_mapped(ioas, area, true);
	return rc;
}

static int fill_hwpt(struct iommufd_ioas *ioas, struct iommufd_op *op, struct iommufd_hwpt *hwpt)
{
	struct iommufd_area *areas[FILL_BATCH];
	unsigned long iova = 0;
	unsigned int nr, i;
	int rc;

	do {
		nr = next_areas(ioas, &iova, ULONG_MAX, areas);
		for (i = 0; i < nr; i++) {
			rc = iommufd_op_look_around(op);
			if (!rc)
				rc = fill_area(ioas, op, hwpt, areas[i]);
			if (rc)
				goto out_undo;
		}
	} while (nr && iova);
	return 0;

out_undo:
	if (op->clock.armed) {
		op->iova = areas[i]->iova;
		op->length = area_length(areas[i]);
	}
	unmap_until(ioas, hwpt, areas[i]->iova);
	return rc;
}

/**
 * iommufd_ioas_add_hwpt() - make an HWPT translate an address space, filled with all its areas
 * @ioas: the IOAS; the caller is a pinner of it, see iommufd_ioas_hold_pinned()
 * @op: the operation; on failure its iova and length are those of the area that could not be filled
 * @hwpt: the HWPT, its domain allocated
 *
 * Return: 0; -EADDRINUSE: an area is outside the aperture of the IOMMU or misaligned for it;
 * -EINVAL: the pages of the IOMMU are too large; -EINTR; or the error of the IOMMU driver for an
 * area that cannot be mapped.  On failure nothing has changed.  On success the HWPT is a pinner
 * too, until iommufd_ioas_release_pinned().
 */
int iommufd_ioas_add_hwpt(struct iommufd_ioas *ioas, struct iommufd_op *op,
			  struct iommufd_hwpt *hwpt)
{
	int rc;

	rc = iommufd_op_down_write(op, &ioas->hwpt_lock);
	if (rc)
		return rc;
	WARN_ON(!ioas->nr_pinners);
	rc = restrict_iovas(ioas, op, hwpt);
	if (rc)
		goto out_unlock;
	rc = fill_hwpt(ioas, op, hwpt);
	if (rc) {
		unrestrict_iovas(ioas, hwpt);
		goto out_unlock;
	}
	list_add_tail(&hwpt->ioas_item, &ioas->hwpts);
	ioas->nr_hwpts++;
	WRITE_ONCE(ioas->nr_pinners, ioas->nr_pinners + 1);
out_unlock:
	up_write(&ioas->hwpt_lock);
	return rc;
}

/**
 * iommufd_ioas_remove_hwpt() - end the translation of an address space by an HWPT
 * @ioas: the IOAS
 * @hwpt: the HWPT, attached to no device; the caller then frees its domain and ends its role as a
 *	pinner
 *
 * The domain is not emptied: no device can reach memory through it any more, and freeing the domain
 * frees its tables at once.
 */
void iommufd_ioas_remove_hwpt(struct iommufd_ioas *ioas, struct iommufd_hwpt *hwpt)
{
	down_write(&ioas->hwpt_lock);
	list_del(&hwpt->ioas_item);
	ioas->nr_hwpts--;
	unrestrict_iovas(ioas, hwpt);
	up_write(&ioas->hwpt_lock);
}

/**
 * iommufd_ioas_set_huge_pages() - set IOMMU_OPTION_HUGE_PAGES
 * @ioas: the IOAS
 * @op: the operation
 * @enable: contiguous memory may be merged into larger pages
 *
 * Return: 0; -EINVAL: areas are already mapped in HWPTs with the old setting; -EADDRINUSE: an area
 * does not consist of whole pages, which is required without huge pages; -EINTR.
 */
int iommufd_ioas_set_huge_pages(struct iommufd_ioas *ioas, struct iommufd_op *op, bool enable)
{
	int rc;

	rc = iommufd_ioas_lock(ioas, op);
	if (rc)
		return rc;
	if (ioas->huge_pages != enable && ioas->nr_hwpts && ioas->nr_areas)
		rc = iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_object_busy, ioas->obj.id,
				     ioas->nr_hwpts);
	else if (!enable)
		rc = iommufd_iova_check_alignment(ioas, op, PAGE_SIZE);
	if (!rc) {
		ioas->huge_pages = enable;
		if (enable)
			WRITE_ONCE(ioas->cuts, false);
		ioas->iova_alignment = iommufd_iova_alignment(ioas);
	}
	iommufd_ioas_unlock(ioas);
	return rc;
}

/**
 * iommufd_ioas_allow_cuts() - let unmaps cut areas, as the original VFIO type1 does
 * @ioas: the IOAS
 * @op: the operation
 *
 * Return: 0; -EADDRINUSE: an area does not consist of whole pages; -EINTR.
 */
int iommufd_ioas_allow_cuts(struct iommufd_ioas *ioas, struct iommufd_op *op)
{
	int rc;

	rc = iommufd_ioas_lock(ioas, op);
	if (rc)
		return rc;
	rc = iommufd_iova_check_alignment(ioas, op, PAGE_SIZE);
	if (!rc) {
		WRITE_ONCE(ioas->cuts, true);
		ioas->iova_alignment = iommufd_iova_alignment(ioas);
	}
	iommufd_ioas_unlock(ioas);
	return rc;
}
