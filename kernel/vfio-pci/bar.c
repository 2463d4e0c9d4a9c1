// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads and writes of BARs through the device's file.
 *
 * barmap[] holds the kernel's mapping of each BAR.  A mapping is made on first use and kept while
 * the device is open.  Every single access takes memory_lock, so that the copy to or from the user
 * may fault between accesses.  The MSI-X table is not accessible: reads return all ones, and writes
 * are dropped.
 */
#include <linux/export.h>
#include <linux/io.h>
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"

/* Guards the creation of every device's barmap[]; used too rarely to have one for each device. */
static DEFINE_MUTEX(barmap_lock);

static enum vfio_pci_space bar_space(bool test_mem)
{
	return test_mem ? VFIO_PCI_SPACE_MEMORY : VFIO_PCI_SPACE_ANY;
}

/* Starts one access: from here to bar_end() the device responds. */
static int bar_begin(struct vfio_pci_core_device *vdev, enum vfio_pci_space space)
{
	int ret;

	if (space == VFIO_PCI_SPACE_ANY)
		return 0;
	ret = down_read_killable(&vdev->memory_lock);
	if (ret)
		return ret;
	if (vfio_pci_space_enabled(vdev, space))
		return 0;
	up_read(&vdev->memory_lock);
	return -EIO;
}

static void bar_end(struct vfio_pci_core_device *vdev, enum vfio_pci_space space)
{
	if (space != VFIO_PCI_SPACE_ANY)
		up_read(&vdev->memory_lock);
}

/*
 * One access of one width.  Registers and the user's buffer are both little endian, so the code is
 * the same on big-endian machines.
 */
#define DEFINE_BAR_IO(size, type)								\
static int bar_write##size(struct vfio_pci_core_device *vdev, enum vfio_pci_space space,	\
			   u##size val, void __iomem *io)					\
{												\
	int ret = bar_begin(vdev, space);							\
												\
	if (ret)										\
		return ret;									\
	iowrite##size(val, io);									\
	bar_end(vdev, space);									\
	return 0;										\
}												\
												\
static int bar_read##size(struct vfio_pci_core_device *vdev, enum vfio_pci_space space,		\
			  u##size *val, void __iomem *io)					\
{												\
	int ret = bar_begin(vdev, space);							\
												\
	if (ret)										\
		return ret;									\
	*val = ioread##size(io);								\
	bar_end(vdev, space);									\
	return 0;										\
}												\
												\
int vfio_pci_core_iowrite##size(struct vfio_pci_core_device *vdev, bool test_mem,		\
				u##size val, void __iomem *io)					\
{												\
	return bar_write##size(vdev, bar_space(test_mem), val, io);				\
}												\
EXPORT_SYMBOL_GPL(vfio_pci_core_iowrite##size);							\
												\
int vfio_pci_core_ioread##size(struct vfio_pci_core_device *vdev, bool test_mem,		\
			       u##size *val, void __iomem *io)					\
{												\
	return bar_read##size(vdev, bar_space(test_mem), val, io);				\
}												\
EXPORT_SYMBOL_GPL(vfio_pci_core_ioread##size);							\
												\
static int bar_step##size(struct vfio_pci_core_device *vdev, enum vfio_pci_space space,	\
			  void __iomem *io, char __user *buf, bool iswrite)			\
{												\
	type le;										\
	u##size val;										\
	int ret;										\
												\
	if (iswrite) {										\
		if (copy_from_user(&le, buf, sizeof(le)))					\
			return -EFAULT;								\
		val = bar_to_cpu##size(le);							\
		return bar_write##size(vdev, space, val, io);					\
	}											\
	ret = bar_read##size(vdev, space, &val, io);						\
	if (ret)										\
		return ret;									\
	le = cpu_to_bar##size(val);								\
	return copy_to_user(buf, &le, sizeof(le)) ? -EFAULT : 0;				\
}

#define bar_to_cpu8(x)	(x)
#define cpu_to_bar8(x)	(x)
#define bar_to_cpu16(x)	le16_to_cpu(x)
#define cpu_to_bar16(x)	cpu_to_le16(x)
#define bar_to_cpu32(x)	le32_to_cpu(x)
#define cpu_to_bar32(x)	cpu_to_le32(x)
#define bar_to_cpu64(x)	le64_to_cpu(x)
#define cpu_to_bar64(x)	cpu_to_le64(x)

DEFINE_BAR_IO(8, u8)
DEFINE_BAR_IO(16, __le16)
DEFINE_BAR_IO(32, __le32)
#if defined(ioread64) && defined(iowrite64)
DEFINE_BAR_IO(64, __le64)
#endif

/* The widest access at @off that is aligned, fits in @room and is allowed. */
static unsigned int bar_width(loff_t off, size_t room, unsigned int max)
{
	unsigned int width = max;

	while (width > 1 && (room < width || off & (width - 1)))
		width >>= 1;
	return width;
}

static int bar_step(struct vfio_pci_core_device *vdev, enum vfio_pci_space space,
		    void __iomem *io, char __user *buf, unsigned int width, bool iswrite)
{
	switch (width) {
#if defined(ioread64) && defined(iowrite64)
	case 8:
		return bar_step64(vdev, space, io, buf, iswrite);
#endif
	case 4:
		return bar_step32(vdev, space, io, buf, iswrite);
	case 2:
		return bar_step16(vdev, space, io, buf, iswrite);
	default:
		return bar_step8(vdev, space, io, buf, iswrite);
	}
}

/* Inaccessible bytes read as all ones. */
static int bar_skip(char __user *buf, size_t count, bool iswrite)
{
	static const u8 ones[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	size_t done, part;

	if (iswrite)
		return 0;
	for (done = 0; done < count; done += part) {
		part = min(count - done, sizeof(ones));
		if (copy_to_user(buf + done, ones, part))
			return -EFAULT;
	}
	return 0;
}

/**
 * vfio_pci_do_io_rw() - copy between a mapped region and the user
 * @vdev: the device
 * @space: space of the region; in memory and I/O space each access checks that the space is enabled
 * @io: the region
 * @buf: user's buffer
 * @off: offset in the region
 * @count: bytes
 * @x_start: first inaccessible byte
 * @x_end: the byte after the last inaccessible one
 * @iswrite: write
 * @max_width: widest access that the region supports
 *
 * Return: bytes copied, or a negative errno if the region is disabled or the buffer is bad.
 */
ssize_t vfio_pci_do_io_rw(struct vfio_pci_core_device *vdev, enum vfio_pci_space space,
			  void __iomem *io, char __user *buf, loff_t off, size_t count,
			  size_t x_start, size_t x_end, bool iswrite, unsigned int max_width)
{
	size_t done = 0, room;
	unsigned int width;
	int ret;

#if !defined(ioread64) || !defined(iowrite64)
	if (max_width > VFIO_PCI_IO_WIDTH_4)
		max_width = VFIO_PCI_IO_WIDTH_4;
#endif

	while (done < count) {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		if (off >= x_start && off < x_end) {
			room = min_t(size_t, count - done, x_end - off);
			ret = bar_skip(buf + done, room, iswrite);
			if (ret)
				return ret;
			off += room;
			done += room;
			continue;
		}
		room = count - done;
		if (off < x_start)
			room = min_t(size_t, room, x_start - off);
		width = bar_width(off, room, max_width);
		ret = bar_step(vdev, space, io + off, buf + done, width, iswrite);
		if (ret)
			return ret;
		off += width;
		done += width;
	}
	return done;
}

/**
 * vfio_pci_core_do_io_rw() - copy between a mapped region and the user, for drivers
 * @vdev: the device
 * @test_mem: the region is memory that can be disabled
 * @io: the region
 * @buf: user's buffer
 * @off: offset in the region
 * @count: bytes
 * @x_start: first inaccessible byte
 * @x_end: the byte after the last inaccessible one
 * @iswrite: write
 * @max_width: widest access that the region supports
 *
 * Return: as vfio_pci_do_io_rw().
 */
ssize_t vfio_pci_core_do_io_rw(struct vfio_pci_core_device *vdev, bool test_mem, void __iomem *io,
			       char __user *buf, loff_t off, size_t count, size_t x_start,
			       size_t x_end, bool iswrite, enum vfio_pci_io_width max_width)
{
	return vfio_pci_do_io_rw(vdev, bar_space(test_mem), io, buf, off, count, x_start, x_end,
				 iswrite, max_width);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_do_io_rw);

/**
 * vfio_pci_core_setup_barmap() - claim a BAR and map it into the kernel
 * @vdev: the device, open
 * @bar: number of the BAR
 *
 * Return: 0, -EBUSY if another driver has it, -ENOMEM.
 */
int vfio_pci_core_setup_barmap(struct vfio_pci_core_device *vdev, int bar)
{
	struct pci_dev *pdev = vdev->pdev;
	void __iomem *io;
	int ret = 0;

	if (READ_ONCE(vdev->barmap[bar]))
		return 0;

	ret = mutex_lock_killable(&barmap_lock);
	if (ret)
		return ret;
	if (vdev->barmap[bar])
		goto out;
	ret = pci_request_selected_regions(pdev, 1 << bar, "vfio-pci");
	if (ret)
		goto out;
	io = pci_iomap(pdev, bar, 0);
	if (io) {
		WRITE_ONCE(vdev->barmap[bar], io);
	} else {
		pci_release_selected_regions(pdev, 1 << bar);
		ret = -ENOMEM;
	}
out:
	mutex_unlock(&barmap_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_setup_barmap);

/**
 * vfio_pci_bar_close() - unmap and release the BARs
 * @vdev: the device, being closed
 */
void vfio_pci_bar_close(struct vfio_pci_core_device *vdev)
{
	struct resource_entry *rest, *tmp;
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		vdev->bar_mmap_supported[bar] = false;
		if (!vdev->barmap[bar])
			continue;
		pci_iounmap(vdev->pdev, vdev->barmap[bar]);
		pci_release_selected_regions(vdev->pdev, 1 << bar);
		vdev->barmap[bar] = NULL;
	}

	list_for_each_entry_safe(rest, tmp, &vdev->dummy_resources_list, node) {
		list_del(&rest->node);
		release_resource(rest->res);
		resource_list_free_entry(rest);
	}
}

/**
 * vfio_pci_bar_space() - get the space of a BAR
 * @vdev: the device
 * @bar: number of the BAR
 *
 * Return: I/O or memory.
 */
enum vfio_pci_space vfio_pci_bar_space(struct vfio_pci_core_device *vdev, int bar)
{
	return pci_resource_flags(vdev->pdev, bar) & IORESOURCE_MEM ? VFIO_PCI_SPACE_MEMORY :
								      VFIO_PCI_SPACE_IO;
}

/**
 * vfio_pci_bar_rw() - read or write a BAR
 * @vdev: the device
 * @buf: user's buffer
 * @count: bytes
 * @ppos: offset in the device's file
 * @iswrite: write
 *
 * Return: bytes copied, or a negative errno.
 */
ssize_t vfio_pci_bar_rw(struct vfio_pci_core_device *vdev, char __user *buf, size_t count,
			loff_t *ppos, bool iswrite)
{
	int bar = array_index_nospec(VFIO_PCI_OFFSET_TO_INDEX(*ppos), PCI_STD_NUM_BARS);
	loff_t off = *ppos & VFIO_PCI_OFFSET_MASK;
	size_t x_start = 0, x_end = 0;
	struct pci_dev *pdev = vdev->pdev;
	enum vfio_pci_space space;
	ssize_t done;
	size_t len;
	int ret;

	len = pci_resource_len(pdev, bar);
	if (off >= len)
		return -EINVAL;
	count = min_t(size_t, count, len - off);

	ret = vfio_pci_core_setup_barmap(vdev, bar);
	if (ret)
		return ret;
	if (bar == vdev->msix_bar) {
		x_start = vdev->msix_offset;
		x_end = vdev->msix_offset + vdev->msix_size;
	}
	space = vfio_pci_bar_space(vdev, bar);
	done = vfio_pci_do_io_rw(vdev, space, vdev->barmap[bar], buf, off, count, x_start, x_end,
				 iswrite, space == VFIO_PCI_SPACE_MEMORY ? VFIO_PCI_IO_WIDTH_8 :
									   VFIO_PCI_IO_WIDTH_4);
	if (done > 0)
		*ppos += done;
	return done;
}
