// SPDX-License-Identifier: GPL-2.0-only
/*
 * Physical functions that have virtual ones, see sriov.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sriov.h"

#define DEVICES "/sys/bus/pci/devices"

int sriov_find(char *pf)
{
	DIR *dir = opendir(DEVICES);
	struct dirent *entry;
	char total[16];
	int rc = -ENODEV;

	if (!dir)
		return -errno;
	while (rc && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= PCI_BDF_SIZE ||
		    pci_attr(entry->d_name, "sriov_totalvfs", total, sizeof(total)) ||
		    atoi(total) < 2)
			continue;
		strcpy(pf, entry->d_name);
		rc = 0;
	}
	closedir(dir);
	return rc;
}

int sriov_enable(const char *pf, unsigned int nr)
{
	char path[PATH_MAX], text[16];
	int fd, rc = 0, len;

	snprintf(path, sizeof(path), DEVICES "/%s/sriov_numvfs", pf);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = snprintf(text, sizeof(text), "%u", nr);
	if (write(fd, text, len) != len)
		rc = -errno;
	close(fd);
	return rc;
}

int sriov_vf(const char *pf, unsigned int n, char *vf)
{
	char name[32];

	snprintf(name, sizeof(name), "virtfn%u", n);
	return pci_link(pf, name, vf, PCI_BDF_SIZE);
}

int sriov_vfs_of_host(char *pf, char vf[2][PCI_BDF_SIZE])
{
	unsigned int i;
	int rc;

	rc = sriov_find(pf);
	if (rc)
		return rc;
	sriov_enable(pf, 0);
	/* a driver of the kernel's that only enables VFs */
	if (access("/sys/bus/pci/drivers/pci-pf-stub", F_OK) && system("modprobe pci-pf-stub"))
		return -ENODEV;
	rc = pci_bind(pf, "pci-pf-stub");
	if (!rc)
		rc = sriov_enable(pf, 2);
	for (i = 0; !rc && i < 2; i++) {
		rc = sriov_vf(pf, i, vf[i]);
		if (!rc)
			rc = pci_bind(vf[i], "vfio-pci");
	}
	return rc;
}
