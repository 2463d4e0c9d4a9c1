// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two tenants, each a separate user with a separate device, share a bus. Whatever one does or
 * hangs in, the other continues as if it were alone.
 *
 * The devices are the pair of network controllers behind one port, which a reset hits together,
 * or two virtual functions of an NVMe controller, whose PF belongs to the kernel or to a third
 * user.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/iommu.h"
#include "../lib/patience.h"
#include "e2e.h"
#include "lib/e1000e.h"
#include "lib/nvme.h"
#include "lib/sriov.h"

#define IOVA MIB(16)
#define ROUNDS 3
#define HOST_REGISTERS 0x20000
/* Generous: on an idle machine each of these takes less than a second. */
#define LIMIT_MS patience_ms(20000)

enum act { ATTACH, MAP, UNMAP, CLOSE, EXIT, RESET, HOT_RESET, ACTS };

static const char *const act_names[ACTS] = {
	"attach", "map", "unmap", "close", "exit", "reset", "hot reset",
};

/**
 * struct tenant - the state of a tenant when it stops being root
 * @uid: its user id
 * @bdf: its device
 * @dev: the device, bound and attached
 * @space: its address space
 * @other: another address space of its iommufd
 * @node: another file of the device's node: bound after the first is closed
 */
struct tenant {
	unsigned int uid;
	const char *bdf;
	struct vfio_dev dev;
	struct vfio_space space;
	uint32_t other;
	int node[ROUNDS];
};

static void tenant_init(struct tenant *t, unsigned int uid, const char *bdf)
{
	int i;

	t->uid = uid;
	t->bdf = bdf;
	CHECK_OK(vfio_space_open(&t->space, VFIO_API_NODE));
	CHECK_OK(vfio_open(&t->dev, bdf, &t->space));
	CHECK_OK(ioas_alloc(t->space.fd, &t->other));
	for (i = 0; i < ROUNDS; i++) {
		t->node[i] = vfio_node_open(bdf);
		CHECK_GE(t->node[i], 0);
	}
	e2e_become(uid);
}

static void act_once(struct tenant *t, enum act act, int round)
{
	uint32_t pt = round & 1 ? t->space.ioas : t->other, devid;
	static uint8_t memory[2 * PAGE_SIZE] __attribute__((aligned(4096)));
	int i, rc;

	switch (act) {
	case ATTACH:
		CHECK_OK(vfio_node_attach(t->dev.fd, &pt));
		CHECK_OK(vfio_node_detach(t->dev.fd));
		pt = t->space.ioas;
		CHECK_OK(vfio_node_attach(t->dev.fd, &pt));
		break;
	case MAP:
	case UNMAP:
		for (i = 0; i < 16; i++) {
			uint64_t iova = IOVA + (16 * round + i) * 2 * PAGE_SIZE;

			CHECK_OK(vfio_map(&t->space, memory, 2 * PAGE_SIZE, iova, true));
			if (act == UNMAP)
				CHECK_OK(vfio_unmap(&t->space, iova, 2 * PAGE_SIZE));
		}
		break;
	case CLOSE:
	case EXIT:
		/* the last round's session ends with the process */
		close(t->dev.fd);
		t->dev.fd = t->node[round];
		do {
			/* the neighbour's reset may briefly hold what the open needs */
			rc = vfio_node_bind(t->dev.fd, t->space.fd, &devid);
		} while (rc == -EAGAIN);
		CHECK_OK(rc);
		pt = t->space.ioas;
		CHECK_OK(vfio_node_attach(t->dev.fd, &pt));
		break;
	case RESET:
		rc = vfio_reset(t->dev.fd);
		/* not every device can, and the neighbour may be doing it */
		CHECK(!rc || rc == -EINVAL || rc == -EAGAIN);
		break;
	case HOT_RESET:
		/* it would hit the neighbour */
		rc = vfio_hot_reset(t->dev.fd, NULL, 0);
		CHECK(rc == -EINVAL || rc == -ENODEV);
		break;
	case ACTS:
		break;
	}
}

/* A mark that only a reset clears, for devices that have one. */
static bool keeps_mark(struct tenant *t, struct e1000e *nic, enum act act)
{
	char device[16] = "";

	pci_attr(t->bdf, "device", device, sizeof(device));
	if (strtoul(device, NULL, 16) != E1000E_DEVICE || act == CLOSE || act == EXIT || act == RESET)
		return false;
	CHECK_OK(e1000e_init(nic, &t->dev));
	e1000e_mark(nic);
	return true;
}

static void __attribute__((noreturn)) tenant_run(unsigned int uid, const char *bdf, enum act act)
{
	struct tenant t;
	struct e1000e nic;
	bool marked;
	int round;

	tenant_init(&t, uid, bdf);
	marked = keeps_mark(&t, &nic, act);
	for (round = 0; round < ROUNDS; round++)
		act_once(&t, act, round);
	if (marked)
		CHECK(e1000e_marked(&nic));
	if (act == EXIT)
		kill(getpid(), SIGKILL);
	_exit(0);
}

static pid_t tenant_start(unsigned int uid, const char *bdf, enum act act)
{
	pid_t pid = fork();

	CHECK_GE(pid, 0);
	if (!pid)
		tenant_run(uid, bdf, act);
	return pid;
}

static void tenant_check(pid_t pid, enum act act, const char *beside)
{
	int status;

	if (!e2e_ended(pid, LIMIT_MS, &status))
		tap_fail(__FILE__, __LINE__, "%s beside %s does not end", act_names[act], beside);
	if (act == EXIT ? WTERMSIG(status) != SIGKILL : status != 0)
		tap_fail(__FILE__, __LINE__, "%s beside %s: status 0x%x", act_names[act], beside, status);
}

/* Every pair, at the same time. */
static void run_pairs(const char bdf[2][PCI_BDF_SIZE])
{
	enum act a, b;
	pid_t pids[2];

	for (a = 0; a < ACTS; a++) {
		for (b = a; b < ACTS; b++) {
			pids[0] = tenant_start(1001, bdf[0], a);
			pids[1] = tenant_start(1002, bdf[1], b);
			tenant_check(pids[0], a, act_names[b]);
			tenant_check(pids[1], b, act_names[a]);
		}
	}
}

/* Hang in an attach whose memory never arrives. */
static void __attribute__((noreturn)) tenant_stuck(unsigned int uid, const char *bdf, int fd)
{
	struct tenant t;
	void *hollow = e2e_hollow(4 * PAGE_SIZE);
	uint32_t pt;

	tenant_init(&t, uid, bdf);
	/* nothing is attached to it, so nothing is pinned */
	CHECK_OK(ioas_map_at(t.space.fd, t.other, hollow, 4 * PAGE_SIZE, IOVA));
	pt = t.other;
	if (write(fd, "x", 1) != 1)
		_exit(1);
	vfio_node_attach(t.dev.fd, &pt);
	_exit(1);
}

/* In which function of the kernel does a process sleep? */
static bool sleeps_in(pid_t pid, const char *function)
{
	char path[64], text[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return false;
	text[n] = 0;
	return strstr(text, function);
}

/* One hangs; the other does everything, and ends; then the first one is killed, and ends. */
static void run_beside_stuck(const char bdf[2][PCI_BDF_SIZE])
{
	int fds[2], status, i;
	enum act act;
	pid_t stuck;
	char byte;

	CHECK_OK(pipe(fds));
	stuck = fork();
	CHECK_GE(stuck, 0);
	if (!stuck)
		tenant_stuck(1001, bdf[0], fds[1]);
	close(fds[1]);
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	for (i = 0; i < 1000 && !sleeps_in(stuck, "handle_userfault"); i++)
		e2e_sleep(20);
	CHECK(sleeps_in(stuck, "handle_userfault"));

	for (act = 0; act < ACTS; act++)
		tenant_check(tenant_start(1002, bdf[1], act), act, "an attach whose memory never arrives");
	CHECK(sleeps_in(stuck, "handle_userfault"));

	CHECK_OK(kill(stuck, SIGKILL));
	CHECK(e2e_ended(stuck, LIMIT_MS, &status));
	CHECK_EQ(WTERMSIG(status), SIGKILL);
	close(fds[0]);
	/* what it had is free */
	tenant_check(tenant_start(1003, bdf[0], RESET), RESET, "nothing");
}

static void claim_nics(char bdf[2][PCI_BDF_SIZE])
{
	int bus;

	e2e_need_api(VFIO_API_NODE);
	for (bus = 1; bus < 16; bus++) {
		if (pci_find(E1000E_VENDOR, E1000E_DEVICE, bus, 1, bdf[1]))
			continue;
		CHECK_OK(pci_find(E1000E_VENDOR, E1000E_DEVICE, bus, 0, bdf[0]));
		if (pci_group(bdf[0]) == pci_group(bdf[1]))
			continue;
		CHECK_OK(pci_bind(bdf[0], "vfio-pci"));
		CHECK_OK(pci_bind(bdf[1], "vfio-pci"));
		return;
	}
	tap_skip("this machine has no two devices behind one port in two groups");
}

TEST(tenants, pairs_on_one_bus)
{
	char bdf[2][PCI_BDF_SIZE];

	claim_nics(bdf);
	run_pairs(bdf);
}

TEST(tenants, stuck_on_one_bus)
{
	char bdf[2][PCI_BDF_SIZE];

	claim_nics(bdf);
	run_beside_stuck(bdf);
}

TEST(tenants, pairs_of_vfs)
{
	char pf[PCI_BDF_SIZE], bdf[2][PCI_BDF_SIZE];

	e2e_need_api(VFIO_API_NODE);
	if (sriov_vfs_of_host(pf, bdf))
		tap_skip("this machine has no device with virtual functions");
	run_pairs(bdf);
	CHECK_OK(sriov_enable(pf, 0));
}

TEST(tenants, stuck_vf)
{
	char pf[PCI_BDF_SIZE], bdf[2][PCI_BDF_SIZE];

	e2e_need_api(VFIO_API_NODE);
	if (sriov_vfs_of_host(pf, bdf))
		tap_skip("this machine has no device with virtual functions");
	run_beside_stuck(bdf);
	CHECK_OK(sriov_enable(pf, 0));
}

/* Switch a device that has no driver on or off. */
static void host_enable(const char *bdf, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", bdf);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK_GE(fd, 0);
	CHECK_EQ(write(fd, value, 1), 1);
	close(fd);
}

/* The device's registers, as seen by the host. */
static volatile uint8_t *host_registers(const char *bdf)
{
	char path[128];
	void *va;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK_GE(fd, 0);
	va = mmap(NULL, HOST_REGISTERS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(va != MAP_FAILED);
	close(fd);
	return va;
}

/*
 * A device without a reset of its own is reset with its bus when the last user of the bus closes
 * it. A neighbour that has gone back to the host is not VFIO's, even while a file on its former
 * node is open: then there is no reset.
 */
TEST(tenants, close_beside_the_hosts_device)
{
	char edu[PCI_BDF_SIZE], nic[PCI_BDF_SIZE], other[PCI_BDF_SIZE];
	struct e1000e registers = { .dev = NULL };
	struct vfio_space space;
	struct vfio_dev dev;
	int bus, stale;

	e2e_need_api(VFIO_API_NODE);
	for (bus = 1; bus < 16; bus++)
		if (!pci_find(EDU_VENDOR, EDU_DEVICE, bus, 0, edu) &&
		    !pci_find(E1000E_VENDOR, E1000E_DEVICE, bus, 0, nic) &&
		    !pci_find(E1000E_VENDOR, E1000E_DEVICE, bus, 1, other))
			break;
	if (bus == 16)
		tap_skip("this machine has no device without a reset of its own beside others");
	CHECK_OK(pci_bind(edu, "vfio-pci"));
	CHECK_OK(pci_bind(nic, "vfio-pci"));
	CHECK_OK(pci_bind(other, "vfio-pci"));
	stale = vfio_node_open(nic);
	CHECK_GE(stale, 0);
	CHECK_OK(pci_unbind(nic));
	host_enable(nic, "1");
	registers.regs = host_registers(nic);
	e1000e_mark(&registers);
	CHECK(e1000e_marked(&registers));

	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	CHECK_OK(vfio_open(&dev, edu, &space));
	vfio_close(&dev);
	CHECK(e1000e_marked(&registers));
	close(stale);
	CHECK_OK(munmap((void *)registers.regs, HOST_REGISTERS));
	host_enable(nic, "0");
	CHECK_OK(pci_bind(nic, "vfio-pci"));
}
