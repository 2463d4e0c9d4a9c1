/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory whose pages do not arrive: each fault in it waits until the test lets it continue.
 *
 * It is a userfaultfd that does not answer. A kernel function that faults on it waits as it would
 * for a dead disk or server, so a test can check what still works in the meantime.
 */
#ifndef IOMMUSCOPE_TEST_STALLED_H
#define IOMMUSCOPE_TEST_STALLED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct stalled - memory whose pages do not arrive
 * @va: the memory
 * @length: bytes
 * @uffd: its userfaultfd
 */
struct stalled {
	uint8_t *va;
	uint64_t length;
	int uffd;
};

/**
 * struct stalled_call - a call that runs in a thread of its own, because it will wait
 * @run: the call
 * @arg: its argument
 * @rc: what it returned
 * @ended: it returned
 * @thread: the thread
 */
struct stalled_call {
	int (*run)(void *arg);
	void *arg;
	int rc;
	atomic_bool ended;
	pthread_t thread;
};

bool stalled_supported(void);
struct stalled stalled_memory(uint64_t length);
void stalled_wait(const struct stalled *memory);
void stalled_end(struct stalled *memory);

void stalled_call(struct stalled_call *call, int (*run)(void *arg), void *arg);
int stalled_result(struct stalled_call *call);

#endif
