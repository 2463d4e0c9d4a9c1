// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helpers for drivers' ioctls: capability chains of info structures, and the argument of
 * VFIO_DEVICE_SET_IRQS.
 *
 * A struct vfio_info_cap is a growing buffer, owned by the ioctl that fills it.  While it grows,
 * the next of each header is the offset of the following header in the buffer, or 0 at the end.
 * Once the offset of the buffer in the user's structure is known, vfio_info_cap_shift() adds it.
 */
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vfio.h>

#include "vfio_private.h"

/**
 * vfio_info_cap_add() - append a capability to a chain
 * @caps: the chain
 * @size: size of the capability with its header
 * @id: its id
 * @version: its version
 *
 * On failure the chain is freed.
 *
 * Return: the zeroed capability with its header filled in, valid until the next call, or an error
 * pointer.
 */
struct vfio_info_cap_header *vfio_info_cap_add(struct vfio_info_cap *caps, size_t size, u16 id,
					       u16 version)
{
	struct vfio_info_cap_header *header, *last;
	size_t place = caps->size;
	void *buf;

	/* Keeps each header, with its 64-bit members, aligned for the user. */
	size = ALIGN(size, sizeof(u64));

	buf = krealloc(caps->buf, place + size, GFP_KERNEL);
	if (!buf) {
		kfree(caps->buf);
		caps->buf = NULL;
		caps->size = 0;
		return ERR_PTR(-ENOMEM);
	}
	caps->buf = buf;
	caps->size = place + size;

	header = buf + place;
	memset(header, 0, size);
	header->id = id;
	header->version = version;

	if (place) {
		last = buf;
		while (last->next)
			last = buf + last->next;
		last->next = place;
	}
	return header;
}
EXPORT_SYMBOL_GPL(vfio_info_cap_add);

/**
 * vfio_info_cap_shift() - make a chain relative to the structure that it follows
 * @caps: the chain
 * @offset: offset of the chain in that structure
 */
void vfio_info_cap_shift(struct vfio_info_cap *caps, size_t offset)
{
	struct vfio_info_cap_header *header = caps->buf;
	u32 next;

	if (!caps->size)
		return;
	for (next = header->next; next; next = header->next) {
		header->next = next + offset;
		header = (void *)caps->buf + next;
	}
}
EXPORT_SYMBOL_GPL(vfio_info_cap_shift);

/**
 * vfio_info_add_capability() - append a copy of a capability to a chain
 * @caps: the chain
 * @cap: the capability, its header's id and version set
 * @size: size of the capability with its header
 *
 * Return: 0 or -ENOMEM.
 */
int vfio_info_add_capability(struct vfio_info_cap *caps, struct vfio_info_cap_header *cap,
			     size_t size)
{
	struct vfio_info_cap_header *header;

	header = vfio_info_cap_add(caps, size, cap->id, cap->version);
	if (IS_ERR(header))
		return PTR_ERR(header);
	memcpy(header + 1, cap + 1, size - sizeof(*header));
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_info_add_capability);

/**
 * vfio_set_irqs_validate_and_prepare() - check the argument of VFIO_DEVICE_SET_IRQS
 * @hdr: the argument without its data
 * @num_irqs: number of interrupts of the index
 * @max_irq_type: number of indexes
 * @data_size: out: bytes of data that follow @hdr; may be NULL if no data is allowed
 *
 * Return: 0 or -EINVAL.
 */
int vfio_set_irqs_validate_and_prepare(struct vfio_irq_set *hdr, int num_irqs, int max_irq_type,
				       size_t *data_size)
{
	const u32 known = VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK;
	const u32 minsz = offsetofend(struct vfio_irq_set, count);
	size_t one;
	u64 bytes;

	if (hdr->argsz < minsz || hdr->index >= max_irq_type || hdr->flags & ~known)
		return -EINVAL;
	if (hdr->start >= num_irqs || hdr->count > num_irqs - hdr->start)
		return -EINVAL;

	if (data_size)
		*data_size = 0;
	switch (hdr->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_NONE:
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL:
		one = sizeof(u8);
		break;
	case VFIO_IRQ_SET_DATA_EVENTFD:
		one = sizeof(s32);
		break;
	default:
		return -EINVAL;
	}

	bytes = (u64)hdr->count * one;
	if (!bytes || !data_size || hdr->argsz - minsz < bytes)
		return -EINVAL;
	*data_size = bytes;
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_set_irqs_validate_and_prepare);
