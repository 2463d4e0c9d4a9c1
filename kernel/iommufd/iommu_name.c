// SPDX-License-Identifier: GPL-2.0-only
/*
 * The name of the IOMMU driver behind a device, for events and records.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "iommu_internal.h"
#include "iommufd_private.h"

/*
 * A built-in driver's name, derived from a function that every driver has:
 * intel_iommu_probe_device().
 */
static void builtin_driver_name(const struct iommu_ops *ops, char *name, size_t size)
{
	char symbol[KSYM_SYMBOL_LEN];
	char *end;

	sprint_symbol_no_offset(symbol, (unsigned long)ops->probe_device);
	end = strstr(symbol, "_probe_device");
	if (end)
		*end = '\0';
	strscpy(name, symbol, size);
}

/**
 * iommufd_iommu_driver_name() - name of the IOMMU driver behind a device
 * @dev: the device
 * @name: out: the name, "" if there is no IOMMU
 * @size: size of @name
 *
 * For a driver in a module this is the module's name.  A built-in driver never goes away, so its
 * name is looked up in the kernel's symbols only once: the lookup would take a large share of a
 * replacement's time, and a machine has one kind of IOMMU.
 */
void iommufd_iommu_driver_name(struct device *dev, char *name, size_t size)
{
	static const struct iommu_ops *known_ops;
	static char known_name[sizeof_field(struct iommufd_op, iommu_driver)];
	static DEFINE_SPINLOCK(lock);
	const struct iommu_ops *ops;

	name[0] = '\0';
	if (!dev->iommu || !dev->iommu->iommu_dev)
		return;
	ops = iommu_driver_ops(dev);
	if (ops->owner) {
		strscpy(name, module_name(ops->owner), size);
		return;
	}
	/* pairs with the release below: a reader that sees the operations sees the name */
	if (smp_load_acquire(&known_ops) == ops) {
		strscpy(name, known_name, size);
		return;
	}
	builtin_driver_name(ops, name, size);
	spin_lock(&lock);
	if (!known_ops) {
		strscpy(known_name, name, sizeof(known_name));
		smp_store_release(&known_ops, ops);
	}
	spin_unlock(&lock);
}
