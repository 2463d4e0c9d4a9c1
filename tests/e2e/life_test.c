// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users that are killed, drivers that are unbound, hot-unplugged devices.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/iommu.h"
#include "../lib/patience.h"
#include "e2e.h"

#define IOVA MIB(16)
#define STEPS 12

/* Report to the parent that the step is done, and wait to be killed. */
static void __attribute__((noreturn)) stay(int pipe_fd)
{
	if (write(pipe_fd, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

#define STEP(_n)                                                                                   \
	do {                                                                                       \
		if (until == (_n))                                                                 \
			stay(fd);                                                                  \
	} while (0)

static void use_node(const char *bdf, int until, int fd)
{
	struct vfio_space space;
	struct vfio_dev dev = { .group_fd = -1 };
	struct edu edu;
	uint32_t pt, other;
	int event;

	strcpy(dev.bdf, bdf);
	dev.space = &space;
	dev.fd = vfio_node_open(bdf);
	CHECK_GE(dev.fd, 0);
	STEP(0);
	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	CHECK_OK(vfio_node_bind(dev.fd, space.fd, &dev.devid));
	STEP(1);
	CHECK(vfio_memory(&space, MIB(2), IOVA));
	STEP(2);
	pt = space.ioas;
	CHECK_OK(vfio_node_attach(dev.fd, &pt));
	STEP(3);
	CHECK_OK(edu_init(&edu, &dev));
	STEP(4);
	event = e2e_eventfd();
	CHECK_OK(vfio_irq_eventfds(dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &event,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	edu_write(&edu, EDU_IRQ_RAISE, 1);
	CHECK_EQ(vfio_wait_event(event, patience_ms(5000)), 1);
	STEP(5);
	edu_write(&edu, EDU_IRQ_ACK, 1);
	CHECK_OK(vfio_irq_set(dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 0, VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_OK(vfio_irq_eventfds(dev.fd, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &event,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	STEP(6);
	/* in flight when it is killed */
	CHECK_OK(edu_dma_start(&edu, IOVA, 0, EDU_MEMORY_SIZE, false, true));
	STEP(7);
	CHECK_OK(edu_dma_wait(&edu));
	CHECK_OK(vfio_unmap(&space, IOVA, MIB(2)));
	STEP(8);
	CHECK_OK(vfio_node_detach(dev.fd));
	STEP(9);
	pt = space.ioas;
	CHECK_OK(vfio_node_attach(dev.fd, &pt));
	CHECK_OK(edu_dma_start(&edu, IOVA, 0, EDU_MEMORY_SIZE, true, false));
	CHECK_OK(ioas_alloc(space.fd, &other));
	/* virtio's driver cannot create a page table before a switch */
	if (strcmp(pci_iommu_kind(bdf), "virtio"))
		CHECK_OK(vfio_node_attach(dev.fd, &other));
	STEP(10);
	/* the device keeps it open */
	close(space.fd);
	STEP(11);
}

static void use_group(const char *bdf, int until, int fd)
{
	struct vfio_space space;
	struct vfio_dev dev = { .fd = -1 };
	struct edu edu;
	int event;

	strcpy(dev.bdf, bdf);
	dev.space = &space;
	dev.group_fd = vfio_group_open(bdf);
	CHECK_GE(dev.group_fd, 0);
	STEP(0);
	CHECK_OK(vfio_space_open(&space, VFIO_API_GROUP));
	STEP(1);
	CHECK_OK(vfio_call(dev.group_fd, VFIO_GROUP_SET_CONTAINER, &space.fd));
	STEP(2);
	CHECK_OK(vfio_call(space.fd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU));
	STEP(3);
	CHECK(vfio_memory(&space, MIB(2), IOVA));
	STEP(4);
	dev.fd = vfio_call(dev.group_fd, VFIO_GROUP_GET_DEVICE_FD, dev.bdf);
	CHECK_GE(dev.fd, 0);
	STEP(5);
	/* the device keeps the group and the container open */
	close(dev.group_fd);
	close(space.fd);
	STEP(6);
	CHECK_OK(edu_init(&edu, &dev));
	STEP(7);
	event = e2e_eventfd();
	CHECK_OK(vfio_irq_eventfds(dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &event,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	edu_write(&edu, EDU_IRQ_RAISE, 1);
	CHECK_EQ(vfio_wait_event(event, patience_ms(5000)), 1);
	STEP(8);
	edu_write(&edu, EDU_IRQ_ACK, 1);
	CHECK_OK(vfio_irq_set(dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 0, VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_OK(vfio_irq_eventfds(dev.fd, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &event,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	STEP(9);
	CHECK_OK(edu_dma_start(&edu, IOVA, 0, EDU_MEMORY_SIZE, false, true));
	STEP(10);
	CHECK_OK(edu_dma_wait(&edu));
	STEP(11);
}

/* Kill a user after each step; the next user finds the device as new. */
BOTH(life, killed)
{
	char bdf[PCI_BDF_SIZE], byte;
	int step, status, fds[2];
	pid_t pid;

	e2e_claim(EDU_VENDOR, EDU_DEVICE, 0, 0, bdf);
	for (step = 0; step < STEPS; step++) {
		CHECK_OK(pipe(fds));
		pid = fork();
		CHECK_GE(pid, 0);
		if (!pid) {
			close(fds[0]);
			if (api == VFIO_API_NODE)
				use_node(bdf, step, fds[1]);
			else
				use_group(bdf, step, fds[1]);
			_exit(1);
		}
		close(fds[1]);
		if (read(fds[0], &byte, 1) != 1)
			tap_fail(__FILE__, __LINE__, "step %d failed", step);
		CHECK_OK(kill(pid, SIGKILL));
		if (!e2e_ended(pid, patience_ms(10000), &status))
			tap_fail(__FILE__, __LINE__, "killed at step %d, it does not end", step);
		close(fds[0]);
		e2e_edu_works(api);
	}
}

/*
 * A user that closes the device when VFIO asks for it. Without @obey it only counts the requests,
 * until it is killed.
 */
static void __attribute__((noreturn)) user(enum vfio_api api, const char *bdf, bool obey, int fd)
{
	struct vfio_space space;
	struct vfio_dev dev;
	struct edu edu;
	int event;

	CHECK_OK(vfio_space_open(&space, api));
	CHECK_OK(vfio_open(&dev, bdf, &space));
	CHECK(vfio_memory(&space, MIB(2), IOVA));
	CHECK_OK(edu_init(&edu, &dev));
	event = e2e_eventfd();
	CHECK_OK(vfio_irq_eventfds(dev.fd, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, &event,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	if (write(fd, "x", 1) != 1)
		_exit(1);
	for (;;) {
		if (!vfio_wait_event(event, patience_ms(20000)))
			_exit(2);
		/* still owned by this process, and still working */
		CHECK_OK(edu_dma(&edu, IOVA, 0, EDU_MEMORY_SIZE, true));
		if (obey) {
			if (write(fd, "y", 1) != 1)
				_exit(1);
			vfio_close(&dev);
			_exit(0);
		}
	}
}

static pid_t start_user(enum vfio_api api, const char *bdf, bool obey, int *fd)
{
	int fds[2];
	pid_t pid;
	char byte;

	CHECK_OK(pipe(fds));
	pid = fork();
	CHECK_GE(pid, 0);
	if (!pid)
		user(api, bdf, obey, fds[1]);
	close(fds[1]);
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	*fd = fds[0];
	return pid;
}

static pid_t start_call(int (*call)(const char *bdf), const char *bdf)
{
	pid_t pid = fork();

	CHECK_GE(pid, 0);
	if (!pid)
		_exit(call(bdf) ? 1 : 0);
	return pid;
}

/* @call takes the device away while it is in use: VFIO asks the user and waits. */
static void taken_away(enum vfio_api api, int (*call)(const char *bdf), bool obey)
{
	char bdf[PCI_BDF_SIZE], byte, who[64];
	pid_t user_pid, call_pid;
	int fd, log, status;

	e2e_claim(EDU_VENDOR, EDU_DEVICE, 0, 0, bdf);
	user_pid = start_user(api, bdf, obey, &fd);
	log = e2e_log_mark(true);
	call_pid = start_call(call, bdf);
	snprintf(who, sizeof(who), "[%d] has closed the device", user_pid);
	if (obey) {
		CHECK_EQ(read(fd, &byte, 1), 1);
		CHECK_EQ(byte, 'y');
	} else {
		/*
		 * the user keeps the device: the kernel log names once the process that the call
		 * waits for
		 */
		CHECK(e2e_log_has(log, bdf, who, 30000));
		CHECK(!e2e_ended(call_pid, 500, &status));
		CHECK(!e2e_ended(user_pid, 0, &status));
		CHECK(!e2e_log_has(log, bdf, who, 0));
		CHECK_OK(kill(user_pid, SIGKILL));
	}
	CHECK(e2e_ended(user_pid, patience_ms(10000), &status));
	if (obey)
		CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	CHECK(e2e_ended(call_pid, patience_ms(20000), &status));
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	close(fd);

	if (call == pci_remove) {
		CHECK(!pci_present(bdf));
		CHECK_OK(pci_rescan());
		CHECK(pci_present(bdf));
	}
	e2e_edu_works(api);
}

BOTH(life, unbind_with_user_that_obeys)
{
	taken_away(api, pci_unbind, true);
}

BOTH(life, unbind_with_user_that_does_not)
{
	taken_away(api, pci_unbind, false);
}

BOTH(life, removal_with_user_that_obeys)
{
	taken_away(api, pci_remove, true);
}

BOTH(life, removal_with_user_that_does_not)
{
	taken_away(api, pci_remove, false);
}

/* An open node that was never bound does not block anything. */
TEST(life, unbind_with_unbound_file)
{
	struct vfio_space space;
	char bdf[PCI_BDF_SIZE], path[64];
	uint32_t devid;
	int fd, status;
	pid_t pid;

	e2e_need_api(VFIO_API_NODE);
	e2e_claim(EDU_VENDOR, EDU_DEVICE, 0, 0, bdf);
	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	CHECK_OK(pci_vfio_node(bdf, path, sizeof(path)));
	fd = vfio_node_open(bdf);
	CHECK_GE(fd, 0);
	pid = start_call(pci_unbind, bdf);
	CHECK(e2e_ended(pid, patience_ms(10000), &status));
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	CHECK_NE(access(path, F_OK), 0);
	CHECK_ERR(ENODEV, vfio_node_bind(fd, space.fd, &devid));
	/* also when there is a device again */
	CHECK_OK(pci_bind(bdf, "vfio-pci"));
	CHECK_ERR(ENODEV, vfio_node_bind(fd, space.fd, &devid));
	close(fd);
	e2e_edu_works(VFIO_API_NODE);
}

/* The same for a group that was only opened. */
TEST(life, unbind_with_open_group)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char bdf[PCI_BDF_SIZE];
	int fd, ended;
	pid_t pid;

	e2e_need_api(VFIO_API_GROUP);
	e2e_claim(EDU_VENDOR, EDU_DEVICE, 0, 0, bdf);
	fd = vfio_group_open(bdf);
	CHECK_GE(fd, 0);
	CHECK_OK(vfio_call(fd, VFIO_GROUP_GET_STATUS, &status));
	pid = start_call(pci_unbind, bdf);
	/*
	 * the distribution's modules wait for the file; both are allowed, but the wait must end
	 * with it
	 */
	e2e_ended(pid, 1000, &ended);
	close(fd);
	if (kill(pid, 0) == 0)
		CHECK(e2e_ended(pid, patience_ms(10000), &ended));
	e2e_edu_works(VFIO_API_GROUP);
}

/* BARs keep the device while a process that has closed the file still has them mapped. */
BOTH(life, mapping_outlives_file)
{
	struct vfio_space space;
	struct vfio_dev dev;
	struct edu edu;

	e2e_open(&dev, &space, api, EDU_VENDOR, EDU_DEVICE);
	CHECK_OK(edu_init(&edu, &dev));
	close(dev.fd);
	dev.fd = -1;
	edu_write(&edu, EDU_LIVENESS, 0x5a5a5a5a);
	CHECK_EQ(edu_read(&edu, EDU_LIVENESS), ~0x5a5a5a5aU);
	vfio_close(&dev);
	vfio_space_close(&space);
	e2e_edu_works(api);
}

/* The second of two processes is refused, and gets the device once the first has ended. */
BOTH(life, two_processes)
{
	struct vfio_space space;
	struct vfio_dev dev;
	char bdf[PCI_BDF_SIZE];
	int fd, status;
	uint32_t devid;
	pid_t pid;

	e2e_claim(EDU_VENDOR, EDU_DEVICE, 0, 0, bdf);
	pid = start_user(api, bdf, false, &fd);
	CHECK_OK(vfio_space_open(&space, api));
	if (api == VFIO_API_NODE) {
		int second = vfio_node_open(bdf);

		CHECK_GE(second, 0);
		FAILS(EINVAL, "device_busy", vfio_node_bind(second, space.fd, &devid));
		close(second);
	} else {
		FAILS(EBUSY, "group_in_use", vfio_group_open(bdf));
	}
	CHECK_OK(kill(pid, SIGKILL));
	CHECK(e2e_ended(pid, patience_ms(10000), &status));
	close(fd);
	CHECK_OK(vfio_open(&dev, bdf, &space));
	vfio_close(&dev);
}

/* Group and node of one device exclude each other. */
TEST(life, group_or_node)
{
	struct vfio_space node, container;
	struct vfio_dev a, b;
	char bdf[PCI_BDF_SIZE];
	uint32_t devid;
	int fd;

	e2e_need_api(VFIO_API_NODE);
	e2e_need_api(VFIO_API_GROUP);
	e2e_claim(EDU_VENDOR, EDU_DEVICE, 0, 0, bdf);
	CHECK_OK(vfio_space_open(&node, VFIO_API_NODE));
	CHECK_OK(vfio_space_open(&container, VFIO_API_GROUP));

	CHECK_OK(vfio_open(&a, bdf, &node));
	FAILS(EBUSY, "node_in_use", vfio_group_open(bdf));
	vfio_close(&a);

	CHECK_OK(vfio_open(&b, bdf, &container));
	fd = vfio_node_open(bdf);
	CHECK_GE(fd, 0);
	FAILS(EBUSY, "group_in_use", vfio_node_bind(fd, node.fd, &devid));
	vfio_close(&b);
	/* free again */
	CHECK_OK(vfio_node_bind(fd, node.fd, &devid));
	close(fd);
}

/* Let a device that no driver has do DMA, as firmware or a bad driver leaves it. */
static void leave_bus_master(const char *bdf)
{
	char path[128];
	uint16_t command;
	int fd;

	CHECK_OK(pci_unbind(bdf));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK_GE(fd, 0);
	CHECK_EQ(pread(fd, &command, sizeof(command), PCI_COMMAND), sizeof(command));
	command |= PCI_COMMAND_MASTER;
	CHECK_EQ(pwrite(fd, &command, sizeof(command), PCI_COMMAND), sizeof(command));
	CHECK_EQ(pread(fd, &command, sizeof(command), PCI_COMMAND), sizeof(command));
	CHECK(command & PCI_COMMAND_MASTER);
	close(fd);
}

/*
 * What a device did for its last driver, it must not do to the memory of the next user. It cannot
 * do DMA when that memory is attached, and it is reset before its user can enable that. A container
 * has its memory attached before the device is opened.
 */
BOTH(life, reset_before_attach)
{
	static const char *const node[] = {
		"pci_clear_master", "pci_try_reset_function", "iommu_attach_group", NULL,
	};
	static const char *const group[] = {
		"pci_clear_master", "iommu_attach_group", "pci_try_reset_function", NULL,
	};
	const char *const *calls = api == VFIO_API_NODE ? node : group;
	char bdf[PCI_BDF_SIZE];
	struct vfio_space space;
	struct vfio_dev dev;

	e2e_claim(EDU_VENDOR, EDU_DEVICE, -1, 0, bdf);
	leave_bus_master(bdf);
	e2e_calls_start(calls);
	CHECK_OK(pci_bind(bdf, "vfio-pci"));
	CHECK_OK(vfio_space_open(&space, api));
	CHECK_OK(vfio_open(&dev, bdf, &space));
	e2e_calls_check(calls);
	CHECK_EQ(vfio_config_read(&dev, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
	vfio_close(&dev);
	vfio_space_close(&space);
}
