/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lines of a device that iommufd adds to the fdinfo of another module's file.
 */
#ifndef IOMMUSCOPE_IOMMUFD_FDINFO_H
#define IOMMUSCOPE_IOMMUFD_FDINFO_H

struct iommufd_device;
struct seq_file;

void iommufd_device_show_state(struct iommufd_device *idev, struct seq_file *file);

#endif
