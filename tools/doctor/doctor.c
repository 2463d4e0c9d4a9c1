// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of checks, and how they run.
 */
#include <string.h>

#include "doctor/checks.h"
#include "doctor/doctor.h"

struct check {
	const char *name;
	void (*look)(struct doctor *doctor);
};

/* In the order of dependency. */
static const struct check machine_checks[] = {
	{ "kernel", doctor_check_kernel },
	{ "options", doctor_check_options },
	{ "btf", doctor_check_btf },
	{ "bpf", doctor_check_bpf },
	{ "modules", doctor_check_modules },
	{ "sources", doctor_check_sources },
	{ "iommu", doctor_check_iommu },
	{ "interrupts", doctor_check_interrupts },
	{ "groups", doctor_check_groups },
	{ "nodes", doctor_check_nodes },
	{ "privilege", doctor_check_privilege },
	{ "processes", doctor_check_processes },
	{ "memlock", doctor_check_memlock },
	{ "hugepages", doctor_check_hugepages },
};

/* Additional checks of one device. */
static const struct check device_checks[] = {
	{ "device", doctor_check_device },
	{ "device_use", doctor_check_device_use },
	{ "device_iommu", doctor_check_device_iommu },
	{ "device_group", doctor_check_device_group },
	{ "device_driver", doctor_check_device_driver },
	{ "device_reset", doctor_check_device_reset },
	{ "device_node", doctor_check_device_node },
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static void run_check(struct doctor *doctor, const struct check *check)
{
	doctor->check = check->name;
	check->look(doctor);
}

void doctor_run(struct doctor *doctor, const char *device)
{
	size_t i;

	memset(doctor, 0, sizeof(*doctor));
	doctor->device = device;
	for (i = 0; i < NR(machine_checks); i++)
		/* with one device, other groups do not matter */
		if (!device || machine_checks[i].look != doctor_check_groups)
			run_check(doctor, &machine_checks[i]);
	for (i = 0; device && i < NR(device_checks); i++) {
		run_check(doctor, &device_checks[i]);
		/* a device that cannot be assigned needs no more checks */
		if (!i && doctor->findings[doctor->nr - 1].status == DOCTOR_MISSING)
			break;
	}
}
