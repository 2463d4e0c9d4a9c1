/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the end-to-end tests share.
 *
 * Tests of a device run through both APIs: BOTH(suite, name) defines suite.name_node and
 * suite.name_group. A test whose device or API is missing is skipped. Each test is a process, so
 * its files are closed at its end; devices stay with vfio-pci.
 */
#ifndef IOMMUSCOPE_E2E_H
#define IOMMUSCOPE_E2E_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/edu.h"
#include "../lib/events.h"
#include "../lib/tap.h"
#include "lib/vfio.h"

#define KIB(_n) ((uint64_t)(_n) << 10)
#define MIB(_n) ((uint64_t)(_n) << 20)
#define PAGE_SIZE KIB(4)

#define BOTH(_suite, _name)                                                                        \
	static void both_##_suite##_##_name(enum vfio_api api);                                           \
	TEST(_suite, _name##_node)                                                                 \
	{                                                                                          \
		e2e_need_api(VFIO_API_NODE);                                                       \
		both_##_suite##_##_name(VFIO_API_NODE);                                                   \
	}                                                                                          \
	TEST(_suite, _name##_group)                                                                \
	{                                                                                          \
		e2e_need_api(VFIO_API_GROUP);                                                      \
		both_##_suite##_##_name(VFIO_API_GROUP);                                                  \
	}                                                                                          \
	static void both_##_suite##_##_name(enum vfio_api api)

/**
 * e2e_need_api() - skip the test if the kernel lacks an API for devices
 * @api: the API
 */
void e2e_need_api(enum vfio_api api);

/**
 * e2e_claim() - find a device and give it to vfio-pci; skip the test if there is none
 * @vendor: vendor id
 * @device: device id
 * @bus: bus number, -1 for any
 * @n: index among the devices that match
 * @bdf: is set to its address
 */
void e2e_claim(unsigned int vendor, unsigned int device, int bus, unsigned int n, char *bdf);

/**
 * e2e_open() - claim a device and open it into a new address space
 * @dev: is initialised
 * @space: is initialised
 * @api: the API
 * @vendor: vendor id
 * @device: device id
 */
void e2e_open(struct vfio_dev *dev, struct vfio_space *space, enum vfio_api api,
	      unsigned int vendor, unsigned int device);

/**
 * e2e_fill() - bytes that look random, and are the same for the same seed
 * @data: where
 * @length: how many
 * @seed: selects the bytes
 */
void e2e_fill(void *data, size_t length, uint64_t seed);

/**
 * e2e_eventfd() - a new non-blocking eventfd
 */
int e2e_eventfd(void);

/**
 * e2e_edu_works() - open the edu device afresh and move bytes through it
 * @api: the API
 *
 * Fails the test if that does not work: an earlier use of the device has left something behind.
 */
void e2e_edu_works(enum vfio_api api);

/**
 * e2e_log_mark() - remember a position in the kernel's log
 * @end: its end, rather than its start
 *
 * Return: file descriptor for e2e_log_has()
 */
int e2e_log_mark(bool end);

/**
 * e2e_log_has() - was a line with these words logged since?
 * @fd: from e2e_log_mark()
 * @a: text to be found
 * @b: text to be found in the same line, or NULL
 * @timeout_ms: how long to wait for it
 */
bool e2e_log_has(int fd, const char *a, const char *b, int timeout_ms);

/**
 * e2e_ended() - wait for a process, with a limit
 * @pid: a child
 * @timeout_ms: how long
 * @status: is set to its wait status
 *
 * Return: false if it is still running
 */
bool e2e_ended(pid_t pid, int timeout_ms, int *status);

/**
 * e2e_hollow() - memory that never arrives: an access waits for a userfaultfd that no thread
 * serves
 * @length: bytes, whole pages
 *
 * It lasts until the calling process ends.
 */
void *e2e_hollow(size_t length);

/**
 * e2e_become() - continue as an unprivileged user
 * @uid: the user; the group has the same number
 */
void e2e_become(unsigned int uid);

/**
 * e2e_sleep() - sleep
 * @ms: how long
 */
void e2e_sleep(int ms);

/**
 * e2e_calls_start() - note calls of functions in the kernel from now on
 * @names: the functions, and NULL
 *
 * Skips the test if the kernel cannot.
 */
void e2e_calls_start(const char *const *names);

/**
 * e2e_calls_check() - the functions were called, and for the first time in this order
 * @names: as given to e2e_calls_start(), which this ends
 */
void e2e_calls_check(const char *const *names);

#endif
