// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI devices as sysfs shows them, see pci.h.
 */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "pci.h"

#define DEVICES "/sys/bus/pci/devices"

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

int pci_attr(const char *bdf, const char *name, char *value, size_t size)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", bdf, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, value, size - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	value[n] = 0;
	value[strcspn(value, "\n")] = 0;
	return 0;
}

int pci_link(const char *bdf, const char *name, char *value, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *last;
	ssize_t n;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", bdf, name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = 0;
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	if (strlen(last) >= size)
		return -ENAMETOOLONG;
	strcpy(value, last);
	return 0;
}

static unsigned int id_of(const char *bdf, const char *name)
{
	char text[16];

	return pci_attr(bdf, name, text, sizeof(text)) ? 0 : strtoul(text, NULL, 16);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int pci_find(unsigned int vendor, unsigned int device, int bus, unsigned int n, char *bdf)
{
	struct dirent **list;
	int count, i, rc = -ENODEV;

	count = scandir(DEVICES, &list, NULL, by_name);
	if (count < 0)
		return -errno;
	for (i = 0; i < count; i++) {
		const char *name = list[i]->d_name;

		if (rc && name[0] != '.' && strlen(name) < PCI_BDF_SIZE &&
		    (bus < 0 || strtol(name + 5, NULL, 16) == bus) &&
		    id_of(name, "vendor") == vendor && id_of(name, "device") == device && !n--) {
			strcpy(bdf, name);
			rc = 0;
		}
		free(list[i]);
	}
	free(list);
	return rc;
}

int pci_group(const char *bdf)
{
	char name[NAME_MAX];
	int rc = pci_link(bdf, "iommu_group", name, sizeof(name));

	return rc ? rc : atoi(name);
}

const char *pci_iommu_kind(const char *bdf)
{
	char name[NAME_MAX];

	if (pci_link(bdf, "iommu", name, sizeof(name)))
		return "none";
	if (!strncmp(name, "dmar", 4))
		return "intel";
	if (!strncmp(name, "ivhd", 4))
		return "amd";
	/* virtio's are named after the virtio or PCI device */
	return "virtio";
}

int pci_vfio_node(const char *bdf, char *path, size_t size)
{
	char dir[PATH_MAX];
	struct dirent *entry;
	int rc = -ENODEV;
	DIR *d;

	snprintf(dir, sizeof(dir), DEVICES "/%s/vfio-dev", bdf);
	d = opendir(dir);
	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(path, size, "/dev/vfio/devices/%s", entry->d_name);
		rc = 0;
	}
	closedir(d);
	return rc;
}

int pci_unbind(const char *bdf)
{
	char path[PATH_MAX];
	int rc;

	snprintf(path, sizeof(path), DEVICES "/%s/driver/unbind", bdf);
	rc = write_file(path, bdf);
	return rc == -ENOENT ? 0 : rc;
}

int pci_bind(const char *bdf, const char *driver)
{
	char path[PATH_MAX], now[NAME_MAX];
	int rc;

	snprintf(path, sizeof(path), DEVICES "/%s/driver_override", bdf);
	rc = write_file(path, driver);
	if (rc)
		return rc;
	if (!pci_link(bdf, "driver", now, sizeof(now))) {
		if (!strcmp(now, driver))
			return 0;
		rc = pci_unbind(bdf);
		if (rc)
			return rc;
	}
	rc = write_file("/sys/bus/pci/drivers_probe", bdf);
	if (rc)
		return rc;
	/* the errno of the probe itself is not reported */
	if (pci_link(bdf, "driver", now, sizeof(now)) || strcmp(now, driver))
		return -ENODEV;
	return 0;
}

int pci_remove(const char *bdf)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), DEVICES "/%s/remove", bdf);
	return write_file(path, "1");
}

int pci_rescan(void)
{
	return write_file("/sys/bus/pci/rescan", "1");
}

bool pci_present(const char *bdf)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), DEVICES "/%s", bdf);
	return !access(path, F_OK);
}

static int config_word(int fd, unsigned int offset)
{
	uint16_t word;

	return pread(fd, &word, sizeof(word), offset) == sizeof(word) ? le16toh(word) : -EIO;
}

static int find_express(int fd)
{
	int at = config_word(fd, PCI_CAPABILITY_LIST) & 0xfc, tries = 48;

	while (at > 0 && tries--) {
		int header = config_word(fd, at);

		if (header < 0)
			return header;
		if ((header & 0xff) == PCI_CAP_ID_EXP)
			return at;
		at = header >> 8 & 0xfc;
	}
	return -ENODEV;
}

/*
 * The offset of a port's slot control register; a negative errno if it has no power controller.
 */
static int find_slot_control(int fd)
{
	int at = find_express(fd), cap;

	if (at < 0)
		return at;
	cap = config_word(fd, at + PCI_EXP_SLTCAP);
	if (cap < 0)
		return cap;
	return cap & PCI_EXP_SLTCAP_PCP ? at + PCI_EXP_SLTCTL : -ENODEV;
}

static int set_word(int fd, unsigned int offset, uint16_t word)
{
	word = htole16(word);
	return pwrite(fd, &word, sizeof(word), offset) == sizeof(word) ? 0 : -EIO;
}

/* The configuration of the port above a device. */
static int open_port(const char *bdf)
{
	char path[PATH_MAX], real[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), DEVICES "/%s", bdf);
	if (!realpath(path, real))
		return -errno;
	snprintf(path, sizeof(path), "%.*s/config", (int)(strrchr(real, '/') - real), real);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * Open the configuration of the port above a device. Sets @at to the offset of its slot control
 * register, @ctl to its value. Returns the file, or a negative errno.
 */
static int open_slot(const char *bdf, int *at, int *ctl)
{
	int fd = open_port(bdf);

	if (fd < 0)
		return fd;
	*at = find_slot_control(fd);
	*ctl = *at < 0 ? *at : config_word(fd, *at);
	if (*ctl >= 0)
		return fd;
	close(fd);
	return *ctl;
}

int pci_slot_power(const char *bdf, bool on)
{
	int at, ctl, fd = open_slot(bdf, &at, &ctl), rc;

	if (fd < 0)
		return fd;
	/* If the indicator were off as well, QEMU would remove the device. */
	ctl &= ~PCI_EXP_SLTCTL_PCC;
	rc = set_word(fd, at, ctl | (on ? PCI_EXP_SLTCTL_PWR_ON : PCI_EXP_SLTCTL_PWR_OFF));
	close(fd);
	return rc;
}

int pci_tear_out(const char *bdf)
{
	int at, ctl, fd = open_slot(bdf, &at, &ctl), rc;

	if (fd < 0)
		return fd;
	/*
	 * QEMU removes a device when its slot loses power. The port's driver must not notice
	 * before the power is on again: it takes a slot without power for an empty one.
	 */
	rc = set_word(fd, at, (ctl & ~PCI_EXP_SLTCTL_HPIE) | PCI_EXP_SLTCTL_PWR_OFF |
				      PCI_EXP_SLTCTL_PWR_IND_OFF);
	if (!rc)
		rc = set_word(fd, at, ctl);
	close(fd);
	return rc;
}
