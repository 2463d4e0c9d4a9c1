// SPDX-License-Identifier: GPL-2.0-only
/*
 * A physical function whose user is a tenant, and its virtual functions. Their users must know
 * the PF's token, because the user of the physical function can harm them all.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"
#include "lib/sriov.h"

#define TOKEN "12345678-9abc-def0-1122-334455667788"
#define OTHER "ffffffff-9abc-def0-1122-334455667788"

/* The uAPI of Linux 6.18: a token for a node. */
#define BIND_FLAG_TOKEN 1
struct bind_with_token {
	struct vfio_device_bind_iommufd bind;
	uint64_t token;
};

#define TOKEN_BYTES 16
union token_feature {
	struct vfio_device_feature feature;
	uint8_t room[sizeof(struct vfio_device_feature) + TOKEN_BYTES];
};

/* The text's bytes in their order. */
static void token_bytes(const char *text, uint8_t *uuid)
{
	int n = 0;

	while (*text) {
		if (*text == '-') {
			text++;
			continue;
		}
		CHECK_EQ(sscanf(text, "%2hhx", &uuid[n]), 1);
		n++;
		text += 2;
	}
	CHECK_EQ(n, TOKEN_BYTES);
}

static int set_token(int fd, const char *text)
{
	union token_feature set = {
		.feature.argsz = sizeof(set),
		.feature.flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PCI_VF_TOKEN,
	};

	token_bytes(text, set.feature.data);
	return vfio_call(fd, VFIO_DEVICE_FEATURE, &set);
}

static int bind_node(int fd, int iommufd, const char *token)
{
	struct bind_with_token with = {
		.bind = { .argsz = sizeof(with), .iommufd = iommufd, .flags = BIND_FLAG_TOKEN },
	};
	uint8_t uuid[TOKEN_BYTES];
	uint32_t id;

	if (!token)
		return vfio_node_bind(fd, iommufd, &id);
	token_bytes(token, uuid);
	with.token = (uintptr_t)uuid;
	return vfio_call(fd, VFIO_DEVICE_BIND_IOMMUFD, &with);
}

static int group_device(int group, const char *bdf, const char *token)
{
	char name[128];

	snprintf(name, sizeof(name), token ? "%s vf_token=%s" : "%s", bdf, token);
	return vfio_call(group, VFIO_GROUP_GET_DEVICE_FD, name);
}

static void allow_sriov(const char *value)
{
	int fd = open("/sys/module/vfio_pci/parameters/enable_sriov", O_WRONLY | O_CLOEXEC);

	CHECK_GE(fd, 0);
	CHECK_EQ(write(fd, value, 1), 1);
	close(fd);
}

struct fixture {
	struct vfio_space space;
	char pf[PCI_BDF_SIZE];
	char vf[2][PCI_BDF_SIZE];
	int pf_fd;
};

/* A PF that a user has opened by its node, with TOKEN set and two VFs. */
static void setup(struct fixture *f)
{
	int i;

	e2e_need_api(VFIO_API_NODE);
	if (sriov_find(f->pf))
		tap_skip("this machine has no device with virtual functions");
	sriov_enable(f->pf, 0);
	allow_sriov("Y");
	CHECK_OK(pci_bind(f->pf, "vfio-pci"));
	CHECK_OK(vfio_space_open(&f->space, VFIO_API_NODE));
	f->pf_fd = vfio_node_open(f->pf);
	CHECK_GE(f->pf_fd, 0);
	CHECK_OK(bind_node(f->pf_fd, f->space.fd, NULL));
	CHECK_OK(set_token(f->pf_fd, TOKEN));
	CHECK_OK(sriov_enable(f->pf, 2));
	for (i = 0; i < 2; i++) {
		char driver[32];

		CHECK_OK(sriov_vf(f->pf, i, f->vf[i]));
		/* they are for user space, as is their PF */
		CHECK_OK(pci_link(f->vf[i], "driver", driver, sizeof(driver)));
		CHECK_EQ(strcmp(driver, "vfio-pci"), 0);
	}
}

static void teardown(struct fixture *f)
{
	CHECK_OK(sriov_enable(f->pf, 0));
	allow_sriov("N");
	close(f->pf_fd);
}

TEST(sriov, token_of_nodes)
{
	struct fixture f;
	int fd, pf;

	setup(&f);
	fd = vfio_node_open(f.vf[0]);
	CHECK_GE(fd, 0);
	FAILS(EACCES, "token_refused", bind_node(fd, f.space.fd, NULL));
	FAILS(EACCES, "token_refused", bind_node(fd, f.space.fd, OTHER));

	/* while no VF is in use, the next user of the PF sets another token */
	close(f.pf_fd);
	f.pf_fd = vfio_node_open(f.pf);
	CHECK_GE(f.pf_fd, 0);
	CHECK_OK(bind_node(f.pf_fd, f.space.fd, OTHER));
	FAILS(EACCES, "token_refused", bind_node(fd, f.space.fd, TOKEN));
	CHECK_OK(bind_node(fd, f.space.fd, OTHER));
	/* a VF has no token to set, and its PF's token stays while the VF is in use */
	FAILS(ENOTTY, "not_supported", set_token(fd, TOKEN));
	FAILS(EBUSY, "driver_refused", set_token(f.pf_fd, TOKEN));

	/* and the PF requires the token */
	close(f.pf_fd);
	pf = vfio_node_open(f.pf);
	CHECK_GE(pf, 0);
	FAILS(EACCES, "token_refused", bind_node(pf, f.space.fd, NULL));
	FAILS(EACCES, "token_refused", bind_node(pf, f.space.fd, TOKEN));
	CHECK_OK(bind_node(pf, f.space.fd, OTHER));
	close(fd);
	f.pf_fd = pf;
	teardown(&f);
}

TEST(sriov, token_of_groups)
{
	struct vfio_space container;
	struct fixture f;
	int group, fd;

	e2e_need_api(VFIO_API_GROUP);
	setup(&f);
	CHECK_OK(vfio_space_open(&container, VFIO_API_GROUP));
	group = vfio_group_open(f.vf[0]);
	CHECK_GE(group, 0);
	CHECK_OK(vfio_call(group, VFIO_GROUP_SET_CONTAINER, &container.fd));
	CHECK_OK(vfio_call(container.fd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU));
	FAILS(EACCES, "token_refused", group_device(group, f.vf[0], NULL));
	FAILS(EACCES, "token_refused", group_device(group, f.vf[0], OTHER));
	FAILS(EINVAL, "token_refused", group_device(group, f.vf[0], "nonsense"));
	fd = group_device(group, f.vf[0], TOKEN);
	CHECK_GE(fd, 0);
	FAILS(EBUSY, "driver_refused", set_token(f.pf_fd, OTHER));
	close(fd);
	CHECK_OK(set_token(f.pf_fd, OTHER));
	FAILS(EACCES, "token_refused", group_device(group, f.vf[0], TOKEN));
	close(group);
	teardown(&f);
}

/*
 * Tokens are for functions: other devices have none, and none is required if the host has the PF.
 */
TEST(sriov, token_where_none_is_wanted)
{
	char pf[PCI_BDF_SIZE], vf[2][PCI_BDF_SIZE], bdf[PCI_BDF_SIZE];
	struct vfio_space space;
	int fd;

	e2e_need_api(VFIO_API_NODE);
	if (sriov_vfs_of_host(pf, vf))
		tap_skip("this machine has no device with virtual functions");
	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	fd = vfio_node_open(vf[0]);
	CHECK_GE(fd, 0);
	FAILS(EINVAL, "token_refused", bind_node(fd, space.fd, TOKEN));
	CHECK_OK(bind_node(fd, space.fd, NULL));
	close(fd);
	CHECK_OK(sriov_enable(pf, 0));

	e2e_claim(EDU_VENDOR, EDU_DEVICE, -1, 0, bdf);
	fd = vfio_node_open(bdf);
	CHECK_GE(fd, 0);
	FAILS(EINVAL, "token_refused", bind_node(fd, space.fd, TOKEN));
	CHECK_OK(bind_node(fd, space.fd, NULL));
	close(fd);
}

static uint32_t id(const char *bdf, const char *name)
{
	char text[16];

	CHECK_OK(pci_attr(bdf, name, text, sizeof(text)));
	return strtoul(text, NULL, 16);
}

/* The first dword of configuration space, which virtual functions do not have. */
static uint32_t ids(const char *bdf)
{
	return id(bdf, "device") << 16 | id(bdf, "vendor");
}

/* A VF's memory, configuration and reset are its own; its bus is not its to reset. */
TEST(sriov, vf_works)
{
	struct vfio_device_info info;
	struct fixture f;
	struct vfio_dev dev = { .fd = -1 };
	volatile uint32_t *bar;

	setup(&f);
	strcpy(dev.bdf, f.vf[0]);
	dev.space = &f.space;
	dev.group_fd = -1;
	dev.fd = vfio_node_open(f.vf[0]);
	CHECK_GE(dev.fd, 0);
	CHECK_OK(bind_node(dev.fd, f.space.fd, TOKEN));
	CHECK_EQ(vfio_config_read(&dev, 0, 4), ids(f.vf[0]));
	bar = vfio_bar(&dev, 0);
	CHECK(bar);
	/* it answers, although its PF's user has not brought it online */
	CHECK_NE(bar[2], ~0U);
	CHECK_OK(vfio_info(dev.fd, &info));
	if (info.flags & VFIO_DEVICE_FLAGS_RESET)
		CHECK_OK(vfio_reset(dev.fd));
	CHECK_NE(bar[2], ~0U);
	CHECK_NE(vfio_hot_reset(dev.fd, NULL, 0), 0);
	/* nor may the PF's user reset the bus that it is on */
	CHECK_NE(vfio_hot_reset(f.pf_fd, NULL, 0), 0);
	vfio_close(&dev);
	teardown(&f);
}

/* Switching VFs off removes them, and waits for their users. */
TEST(sriov, disable_with_user)
{
	struct fixture f;
	int fd, status;
	pid_t pid;

	setup(&f);
	fd = vfio_node_open(f.vf[0]);
	CHECK_GE(fd, 0);
	CHECK_OK(bind_node(fd, f.space.fd, TOKEN));
	pid = fork();
	CHECK_GE(pid, 0);
	if (!pid) {
		/* it does not keep the device that it waits for */
		close(fd);
		_exit(sriov_enable(f.pf, 0) ? 1 : 0);
	}
	CHECK(!e2e_ended(pid, 1000, &status));
	close(fd);
	CHECK(e2e_ended(pid, 30000, &status));
	CHECK_EQ(status, 0);
	CHECK(!pci_present(f.vf[0]) && !pci_present(f.vf[1]));
	allow_sriov("N");
	close(f.pf_fd);
}
