// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings and counters of running mock devices, in debugfs:
 *
 * iommufd-mock/map_ns, unmap_ns, sync_ns, attach_ns
 *	extra duration of a call into the mock IOMMU, at most 1 ms
 * iommufd-mock/map_error
 *	write "ERRNO CALLS": after CALLS more calls, every map fails with ERRNO until "0 0" is
 *	written
 * iommufd-mock/ready_pause_us
 *	pause of each map when its area becomes ready, at most 1 s, to widen that race window
 * iommufd-mock/iommufd-mock.N/replace_gap_us
 *	time for which device N translates nothing when one HWPT replaces another; 0, the
 *	default, makes replacements hitless
 * iommufd-mock/iommufd-mock.N/attach_error
 *	errno with which the IOMMU refuses any other HWPT for device N; 0, the default, for none.
 *	Set it on the k-th device of a group to make a replacement fail at that device
 * iommufd-mock/iommufd-mock.N/dma
 *	write "start IOVA LENGTH r|w|rw [PAUSE_US]" or "stop"; read the current state
 * iommufd-mock/iommufd-mock.N/stats
 *	one "name value" per line; write anything to reset all to zero
 *
 * A device's directory exists as long as the device; before it is removed, debugfs waits for all
 * users of its files.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "iommufd_test.h"
#include "mock.h"
#include "test_hook.h"

#define MOCK_MAX_LATENCY_NS	1000000
#define MOCK_MAX_PAUSE_US	1000000
#define MOCK_MAX_COMMAND	128

static struct dentry *mock_root;

static int mock_latency_get(void *data, u64 *value)
{
	*value = READ_ONCE(*(u32 *)data);
	return 0;
}

static int mock_latency_set(void *data, u64 value)
{
	if (value > MOCK_MAX_LATENCY_NS)
		return -EINVAL;
	WRITE_ONCE(*(u32 *)data, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(mock_latency_fops, mock_latency_get, mock_latency_set, "%llu\n");

static u32 mock_ready_pause;

static int mock_ready_pause_set(void *data, u64 value)
{
	if (value > MOCK_MAX_PAUSE_US)
		return -EINVAL;
	WRITE_ONCE(mock_ready_pause, value);
	iommufd_test_set_pause(IOMMUFD_TEST_PAUSE_READY, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(mock_ready_pause_fops, mock_latency_get, mock_ready_pause_set, "%llu\n");

static int mock_gap_set(void *data, u64 value)
{
	if (value > MOCK_MAX_PAUSE_US)
		return -EINVAL;
	WRITE_ONCE(*(u32 *)data, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(mock_gap_fops, mock_latency_get, mock_gap_set, "%llu\n");

static int mock_error_set(void *data, u64 value)
{
	if (value > MAX_ERRNO)
		return -EINVAL;
	WRITE_ONCE(*(u32 *)data, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(mock_error_fops, mock_latency_get, mock_error_set, "%llu\n");

static int mock_map_error_show(struct seq_file *s, void *unused)
{
	seq_printf(s, "%u %d\n", READ_ONCE(mock_failure.map_error),
		   atomic_read(&mock_failure.map_after));
	return 0;
}

static int mock_map_error_open(struct inode *inode, struct file *file)
{
	return single_open(file, mock_map_error_show, NULL);
}

static ssize_t mock_map_error_write(struct file *file, const char __user *ubuf, size_t count,
				    loff_t *ppos)
{
	u32 error, after;
	char *buf;
	int n;

	if (count > MOCK_MAX_COMMAND)
		return -EINVAL;
	buf = memdup_user_nul(ubuf, count);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	n = sscanf(buf, "%u %u", &error, &after);
	kfree(buf);
	if (n != 2 || error > MAX_ERRNO || after > INT_MAX)
		return -EINVAL;
	WRITE_ONCE(mock_failure.map_error, 0);
	atomic_set(&mock_failure.map_after, after);
	WRITE_ONCE(mock_failure.map_error, error);
	return count;
}

static const struct file_operations mock_map_error_fops = {
	.owner = THIS_MODULE,
	.open = mock_map_error_open,
	.read = seq_read,
	.write = mock_map_error_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static const char *mock_mode_name(int mode)
{
	if (mode == (MOCK_DMA_READ | MOCK_DMA_WRITE))
		return "rw";
	return mode == MOCK_DMA_WRITE ? "w" : "r";
}

static int mock_mode_parse(const char *name)
{
	if (!strcmp(name, "r"))
		return MOCK_DMA_READ;
	if (!strcmp(name, "w"))
		return MOCK_DMA_WRITE;
	if (!strcmp(name, "rw"))
		return MOCK_DMA_READ | MOCK_DMA_WRITE;
	return 0;
}

static int mock_dma_show(struct seq_file *s, void *unused)
{
	struct mock_device *mdev = s->private;
	struct mock_dma *dma = &mdev->dma;

	mutex_lock(&dma->mutex);
	if (dma->task)
		seq_printf(s, "start 0x%llx 0x%llx %s %u\n", dma->iova, dma->length,
			   mock_mode_name(dma->mode), dma->interval_us);
	else
		seq_puts(s, "stop\n");
	mutex_unlock(&dma->mutex);
	return 0;
}

static int mock_dma_open(struct inode *inode, struct file *file)
{
	return single_open(file, mock_dma_show, inode->i_private);
}

static ssize_t mock_dma_write(struct file *file, const char __user *ubuf, size_t count,
			      loff_t *ppos)
{
	struct mock_device *mdev = ((struct seq_file *)file->private_data)->private;
	u64 iova, length;
	u32 pause_us = 0;
	char mode[4];
	char *buf;
	int rc = 0;

	if (count > MOCK_MAX_COMMAND)
		return -EINVAL;
	buf = memdup_user_nul(ubuf, count);
	if (IS_ERR(buf))
		return PTR_ERR(buf);

	if (!strcmp(strim(buf), "stop"))
		mock_dma_stop(mdev);
	else if (sscanf(buf, "start %lli %lli %3s %u", &iova, &length, mode, &pause_us) < 3 ||
		 pause_us > MOCK_MAX_PAUSE_US)
		rc = -EINVAL;
	else
		rc = mock_dma_start(mdev, iova, length, mock_mode_parse(mode), pause_us);
	kfree(buf);
	return rc ?: count;
}

static const struct file_operations mock_dma_fops = {
	.owner = THIS_MODULE,
	.open = mock_dma_open,
	.read = seq_read,
	.write = mock_dma_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int mock_stats_show(struct seq_file *s, void *unused)
{
	struct mock_device *mdev = s->private;
	struct mock_dma *dma = &mdev->dma;
	u64 accesses, faults, gap_faults, longest_gap_ns;
	long tables = 0;

	spin_lock(&dma->lock);
	accesses = dma->accesses;
	faults = dma->faults;
	gap_faults = dma->gap_faults;
	longest_gap_ns = dma->longest_gap_ns;
	if (dma->domain)
		tables = atomic_long_read(&dma->domain->pt.tables);
	spin_unlock(&dma->lock);

	seq_printf(s, "accesses %llu\n", accesses);
	seq_printf(s, "faults %llu\n", faults);
	seq_printf(s, "gap_faults %llu\n", gap_faults);
	seq_printf(s, "longest_gap_ns %llu\n", longest_gap_ns);
	seq_printf(s, "attaches %llu\n", READ_ONCE(mdev->attaches));
	seq_printf(s, "gaps %llu\n", READ_ONCE(mdev->gaps));
	seq_printf(s, "gap_ns %llu\n", READ_ONCE(mdev->gap_ns));
	seq_printf(s, "page_table_bytes %lu\n", tables * PAGE_SIZE);
	return 0;
}

static int mock_stats_open(struct inode *inode, struct file *file)
{
	return single_open(file, mock_stats_show, inode->i_private);
}

static ssize_t mock_stats_write(struct file *file, const char __user *ubuf, size_t count,
				loff_t *ppos)
{
	struct mock_device *mdev = ((struct seq_file *)file->private_data)->private;
	struct mock_dma *dma = &mdev->dma;

	spin_lock(&dma->lock);
	dma->accesses = 0;
	dma->faults = 0;
	dma->gap_faults = 0;
	dma->longest_gap_ns = 0;
	dma->last_ok_ns = 0;
	dma->faulted = false;
	spin_unlock(&dma->lock);
	WRITE_ONCE(mdev->attaches, 0);
	WRITE_ONCE(mdev->gaps, 0);
	WRITE_ONCE(mdev->gap_ns, 0);
	return count;
}

static const struct file_operations mock_stats_fops = {
	.owner = THIS_MODULE,
	.open = mock_stats_open,
	.read = seq_read,
	.write = mock_stats_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/**
 * mock_knobs_add() - create the directory of a device
 * @mdev: the device
 */
void mock_knobs_add(struct mock_device *mdev)
{
	struct dentry *dir = debugfs_create_dir(dev_name(&mdev->pdev->dev), mock_root);

	mdev->debugfs = dir;
	debugfs_create_file_unsafe("replace_gap_us", 0600, dir, &mdev->replace_gap_us,
				   &mock_gap_fops);
	debugfs_create_file_unsafe("attach_error", 0600, dir, &mdev->attach_error,
				   &mock_error_fops);
	debugfs_create_file("dma", 0600, dir, mdev, &mock_dma_fops);
	debugfs_create_file("stats", 0600, dir, mdev, &mock_stats_fops);
}

/**
 * mock_knobs_remove() - remove the directory of a device
 * @mdev: the device
 */
void mock_knobs_remove(struct mock_device *mdev)
{
	debugfs_remove(mdev->debugfs);
}

/**
 * mock_knobs_init() - create the directory of the mock IOMMU
 */
void mock_knobs_init(void)
{
	mock_root = debugfs_create_dir(MOCK_NAME, NULL);
	debugfs_create_file_unsafe("map_ns", 0600, mock_root, &mock_latency.map,
				   &mock_latency_fops);
	debugfs_create_file_unsafe("unmap_ns", 0600, mock_root, &mock_latency.unmap,
				   &mock_latency_fops);
	debugfs_create_file_unsafe("sync_ns", 0600, mock_root, &mock_latency.sync,
				   &mock_latency_fops);
	debugfs_create_file_unsafe("attach_ns", 0600, mock_root, &mock_latency.attach,
				   &mock_latency_fops);
	debugfs_create_file_unsafe("ready_pause_us", 0600, mock_root, &mock_ready_pause,
				   &mock_ready_pause_fops);
	debugfs_create_file("map_error", 0600, mock_root, NULL, &mock_map_error_fops);
}

/**
 * mock_knobs_exit() - remove the directory of the mock IOMMU
 */
void mock_knobs_exit(void)
{
	debugfs_remove(mock_root);
	iommufd_test_set_pause(IOMMUFD_TEST_PAUSE_READY, 0);
}
