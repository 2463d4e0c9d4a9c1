// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual machine that a device belongs to.
 *
 * KVM announces itself to a file or a group without passing a reference.  The first session takes a
 * reference for the driver (vfio_device.kvm), and the last one drops it.  KVM's functions are
 * looked up by name, so that this module neither depends on KVM nor keeps it loaded;
 * vfio_device.put_kvm keeps it loaded while a reference is held.  vfio_sessions.lock guards
 * vfio_device.kvm.
 */
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/vfio.h>

#include "vfio_private.h"

/**
 * vfio_device_hold_kvm() - take a reference on a virtual machine for a device
 * @device: the device, its vfio_sessions.lock held
 * @kvm: the virtual machine or NULL; the lock under which the caller found it keeps it from being
 *	freed
 *
 * Takes no reference on a virtual machine that is already being destroyed.
 */
void vfio_device_hold_kvm(struct vfio_device *device, struct kvm *kvm)
{
#if IS_ENABLED(CONFIG_KVM)
	void (*put)(struct kvm *kvm);
	bool (*get)(struct kvm *kvm);
	bool held;

	lockdep_assert_held(&vfio_sessions(device)->lock);

	if (!kvm)
		return;
	put = symbol_get(kvm_put_kvm);
	if (WARN_ON(!put))
		return;
	get = symbol_get(kvm_get_kvm_safe);
	if (WARN_ON(!get)) {
		symbol_put(kvm_put_kvm);
		return;
	}
	held = get(kvm);
	symbol_put(kvm_get_kvm_safe);
	if (!held) {
		symbol_put(kvm_put_kvm);
		return;
	}
	device->put_kvm = put;
	device->kvm = kvm;
#endif
}

/**
 * vfio_device_drop_kvm() - undo vfio_device_hold_kvm()
 * @device: the device, its vfio_sessions.lock held
 */
void vfio_device_drop_kvm(struct vfio_device *device)
{
	lockdep_assert_held(&vfio_sessions(device)->lock);

	if (!device->kvm)
		return;
	device->put_kvm(device->kvm);
	device->put_kvm = NULL;
	device->kvm = NULL;
#if IS_ENABLED(CONFIG_KVM)
	symbol_put(kvm_put_kvm);
#endif
}
