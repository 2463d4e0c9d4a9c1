/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checks of doctor, by the file that defines them.
 */
#ifndef IOMMUSCOPE_DOCTOR_CHECKS_H
#define IOMMUSCOPE_DOCTOR_CHECKS_H

#include <stdbool.h>

struct doctor;

/* kernel.c: the kernel and our modules */
void doctor_check_kernel(struct doctor *doctor);
void doctor_check_options(struct doctor *doctor);
void doctor_check_btf(struct doctor *doctor);
void doctor_check_bpf(struct doctor *doctor);
void doctor_check_modules(struct doctor *doctor);

/* sources.c: where operations can be observed, and which cannot */
void doctor_check_sources(struct doctor *doctor);

/* iommu.c: the IOMMU and the groups behind it */
void doctor_check_iommu(struct doctor *doctor);
void doctor_check_interrupts(struct doctor *doctor);
void doctor_check_groups(struct doctor *doctor);

/* user.c: the rights and limits of the calling user */
void doctor_check_nodes(struct doctor *doctor);
void doctor_check_privilege(struct doctor *doctor);
void doctor_check_processes(struct doctor *doctor);
void doctor_check_memlock(struct doctor *doctor);
void doctor_check_hugepages(struct doctor *doctor);

/* device.c: one device */
void doctor_check_device(struct doctor *doctor);
void doctor_check_device_use(struct doctor *doctor);
void doctor_check_device_iommu(struct doctor *doctor);
void doctor_check_device_group(struct doctor *doctor);
void doctor_check_device_driver(struct doctor *doctor);
void doctor_check_device_reset(struct doctor *doctor);
void doctor_check_device_node(struct doctor *doctor);

/**
 * doctor_iommu_is_on() - is an IOMMU active, other than the mock?
 *
 * Return: whether there is one.
 */
bool doctor_iommu_is_on(void);

/**
 * doctor_look_at_node() - can the calling user open a device node?
 * @doctor: the examination
 * @path: the node
 * @of: what the node belongs to: " (0000:03:00.0)", or ""
 * @rule: what matches the node in a udev rule
 */
void doctor_look_at_node(struct doctor *doctor, const char *path, const char *of,
			 const char *rule);

#endif
