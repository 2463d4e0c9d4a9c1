// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration states: the arcs between them, and the path from one state to another.
 *
 * The uAPI defines single arcs, which drivers implement.  Any other transition is the shortest path
 * over these arcs whose interior avoids the saving states.  The saving states share a data transfer
 * session, so a path between two of them must not leave them.  The arcs are data here: one bit mask
 * of neighbours for each state.  A breadth-first search over the eight states finds the path.  This
 * follows the definition literally, for every set of optional states that a driver may have.
 */
#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "vfio_private.h"

#define STATE(name)	BIT(VFIO_DEVICE_STATE_##name)

#define MIG_SAVING	(STATE(STOP_COPY) | STATE(PRE_COPY) | STATE(PRE_COPY_P2P))
#define MIG_ALWAYS	(STATE(STOP) | STATE(RUNNING) | STATE(STOP_COPY) | STATE(RESUMING))

/* Arcs of a device with RUNNING_P2P; without it, RUNNING and STOP are neighbours. */
static const u8 mig_arcs[VFIO_DEVICE_STATE_NR] = {
	[VFIO_DEVICE_STATE_STOP] = STATE(RUNNING_P2P) | STATE(STOP_COPY) | STATE(RESUMING),
	[VFIO_DEVICE_STATE_RUNNING] = STATE(RUNNING_P2P) | STATE(PRE_COPY),
	[VFIO_DEVICE_STATE_STOP_COPY] = STATE(STOP),
	[VFIO_DEVICE_STATE_RESUMING] = STATE(STOP),
	[VFIO_DEVICE_STATE_RUNNING_P2P] = STATE(RUNNING) | STATE(STOP) | STATE(PRE_COPY_P2P),
	[VFIO_DEVICE_STATE_PRE_COPY] = STATE(RUNNING) | STATE(PRE_COPY_P2P) | STATE(STOP_COPY),
	[VFIO_DEVICE_STATE_PRE_COPY_P2P] =
		STATE(RUNNING_P2P) | STATE(PRE_COPY) | STATE(STOP_COPY),
};

static unsigned long mig_states(struct vfio_device *device)
{
	unsigned long states = MIG_ALWAYS;
	bool p2p = device->migration_flags & VFIO_MIGRATION_P2P;

	if (p2p)
		states |= STATE(RUNNING_P2P);
	if (device->migration_flags & VFIO_MIGRATION_PRE_COPY) {
		states |= STATE(PRE_COPY);
		if (p2p)
			states |= STATE(PRE_COPY_P2P);
	}
	return states;
}

static unsigned long mig_neighbours(unsigned long states, unsigned int state)
{
	unsigned long arcs = mig_arcs[state];

	if (!(states & STATE(RUNNING_P2P))) {
		if (state == VFIO_DEVICE_STATE_STOP)
			arcs |= STATE(RUNNING);
		if (state == VFIO_DEVICE_STATE_RUNNING)
			arcs |= STATE(STOP);
	} else if (state == VFIO_DEVICE_STATE_PRE_COPY) {
		/* The device stops in two steps, and stops its peer-to-peer DMA first. */
		arcs &= ~STATE(STOP_COPY);
	}
	return arcs & states;
}

/**
 * vfio_mig_get_next_state() - get the first step from one migration state to another
 * @device: the device; its migration_flags define its optional states
 * @cur_fsm: its current state
 * @new_fsm: the state to reach
 * @next_fsm: out: the next state; the driver calls again from there until it is @new_fsm
 *
 * Return: 0; -EINVAL if the device does not have such a state or there is no path; *@next_fsm is
 * then VFIO_DEVICE_STATE_ERROR.
 */
int vfio_mig_get_next_state(struct vfio_device *device, enum vfio_device_mig_state cur_fsm,
			    enum vfio_device_mig_state new_fsm,
			    enum vfio_device_mig_state *next_fsm)
{
	unsigned long states = mig_states(device), interior, seen, front, wider;
	unsigned int state;

	*next_fsm = VFIO_DEVICE_STATE_ERROR;
	if ((unsigned int)cur_fsm >= VFIO_DEVICE_STATE_NR ||
	    (unsigned int)new_fsm >= VFIO_DEVICE_STATE_NR ||
	    !(states & BIT(cur_fsm)) || !(states & BIT(new_fsm)))
		return -EINVAL;
	if (cur_fsm == new_fsm) {
		*next_fsm = new_fsm;
		return 0;
	}

	interior = states & ~MIG_SAVING;
	if (BIT(cur_fsm) & MIG_SAVING && BIT(new_fsm) & MIG_SAVING) {
		/* Data that was sent while the device was stopped cannot be taken back. */
		if (cur_fsm == VFIO_DEVICE_STATE_STOP_COPY)
			return -EINVAL;
		interior = states & MIG_SAVING;
	}

	/*
	 * Search backwards from the goal: the first neighbour of the current state that is reached
	 * lies on a shortest path.
	 */
	front = BIT(new_fsm);
	seen = front;
	while (front) {
		unsigned long hit = mig_neighbours(states, cur_fsm) & front;

		if (hit) {
			*next_fsm = __ffs(hit);
			return 0;
		}
		wider = 0;
		for_each_set_bit(state, &interior, VFIO_DEVICE_STATE_NR) {
			if (seen & BIT(state))
				continue;
			if (mig_neighbours(states, state) & front)
				wider |= BIT(state);
		}
		seen |= wider;
		front = wider;
	}
	return -EINVAL;
}
EXPORT_SYMBOL_GPL(vfio_mig_get_next_state);

/**
 * vfio_feature_migration() - VFIO_DEVICE_FEATURE_MIGRATION
 * @device: the device
 * @flags: flags of the feature call
 * @arg: data of the feature call
 * @argsz: size of the data
 *
 * Return: 0 or a negative errno.
 */
int vfio_feature_migration(struct vfio_device *device, u32 flags, void __user *arg, size_t argsz)
{
	struct vfio_device_feature_migration mig = { .flags = device->migration_flags };
	int ret;

	if (!device->mig_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET, sizeof(mig));
	if (ret != 1)
		return ret;
	return copy_to_user(arg, &mig, sizeof(mig)) ? -EFAULT : 0;
}

/*
 * Passes a file of the driver to the user.  The descriptor becomes valid only after the copy to
 * user space has succeeded.
 */
static int mig_state_answer(struct vfio_device_feature_mig_state *mig, void __user *arg,
			    struct file *data)
{
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		fput(data);
		return fd;
	}
	mig->data_fd = fd;
	if (copy_to_user(arg, mig, sizeof(*mig))) {
		put_unused_fd(fd);
		fput(data);
		return -EFAULT;
	}
	fd_install(fd, data);
	return 0;
}

/**
 * vfio_feature_mig_state() - VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE
 * @device: the device
 * @flags: flags of the feature call
 * @arg: data of the feature call
 * @argsz: size of the data
 *
 * Return: 0 or a negative errno.
 */
int vfio_feature_mig_state(struct vfio_device *device, u32 flags, void __user *arg, size_t argsz)
{
	struct vfio_device_feature_mig_state mig = { .data_fd = -1 };
	enum vfio_device_mig_state state;
	struct file *data;
	int ret;

	if (!device->mig_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET,
				 sizeof(mig));
	if (ret != 1)
		return ret;

	if (flags & VFIO_DEVICE_FEATURE_GET) {
		ret = device->mig_ops->migration_get_state(device, &state);
		if (ret)
			return ret;
		mig.device_state = state;
		return copy_to_user(arg, &mig, sizeof(mig)) ? -EFAULT : 0;
	}

	if (copy_from_user(&mig, arg, sizeof(mig)))
		return -EFAULT;
	mig.data_fd = -1;
	data = device->mig_ops->migration_set_state(device, mig.device_state);
	if (!IS_ERR_OR_NULL(data))
		return mig_state_answer(&mig, arg, data);

	if (copy_to_user(arg, &mig, sizeof(mig)))
		return -EFAULT;
	return PTR_ERR_OR_ZERO(data);
}

/**
 * vfio_feature_mig_data_size() - VFIO_DEVICE_FEATURE_MIG_DATA_SIZE
 * @device: the device
 * @flags: flags of the feature call
 * @arg: data of the feature call
 * @argsz: size of the data
 *
 * Return: 0 or a negative errno.
 */
int vfio_feature_mig_data_size(struct vfio_device *device, u32 flags, void __user *arg,
			       size_t argsz)
{
	struct vfio_device_feature_mig_data_size size = {};
	unsigned long bytes = 0;
	int ret;

	if (!device->mig_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET, sizeof(size));
	if (ret != 1)
		return ret;

	ret = device->mig_ops->migration_get_data_size(device, &bytes);
	if (ret)
		return ret;
	size.stop_copy_length = bytes;
	return copy_to_user(arg, &size, sizeof(size)) ? -EFAULT : 0;
}
