/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How an object of each type ends: its id is gone, nobody uses it, and what it refers to is to be
 * released.  The memory of the object itself is object.c's to free, afterwards.
 */
#ifndef IOMMUSCOPE_IOMMUFD_OBJECTS_H
#define IOMMUSCOPE_IOMMUFD_OBJECTS_H

struct iommufd_object;
struct iommufd_op;

void iommufd_device_object_destroy(struct iommufd_object *obj, struct iommufd_op *op);
void iommufd_hwpt_object_destroy(struct iommufd_object *obj, struct iommufd_op *op);
void iommufd_ioas_object_destroy(struct iommufd_object *obj, struct iommufd_op *op);
void iommufd_access_object_destroy(struct iommufd_object *obj, struct iommufd_op *op);
void iommufd_test_object_destroy(struct iommufd_object *obj, struct iommufd_op *op);

#endif
