/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the conformance tests share. Each test opens contexts of its own, which end with its
 * process.
 */
#ifndef IOMMUSCOPE_CONFORMANCE_H
#define IOMMUSCOPE_CONFORMANCE_H

#include <stdint.h>
#include <string.h>

#include "lib/events.h"
#include "lib/iommu.h"
#include "lib/tap.h"

/* The IOVA for tests that need no particular one; in the aperture of every mock device */
#define IOVA ((uint64_t)MOCK_APERTURE_START)

/* An id that no object has */
#define NO_ID 0x7ffffff0U

/**
 * struct context - an open /dev/iommu with an IOAS
 * @fd: the file
 * @ioas: the IOAS
 */
struct context {
	int fd;
	uint32_t ioas;
};

struct context context_new(void);
struct test_device device_new(struct context *c);
struct test_device device_like(struct context *c, const struct iommu_test_mock *how);
struct test_device device_attached(struct context *c);
uint64_t map_somewhere(struct context *c, const void *va, uint64_t length);
void limit_memlock(uint64_t bytes);
void keep_capability(int capability);
void become_user(unsigned int uid);

#endif
