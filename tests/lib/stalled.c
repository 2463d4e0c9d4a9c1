// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory whose pages do not arrive, see stalled.h.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stalled.h"
#include "tap.h"

static int open_uffd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		return -1;
	}
	return fd;
}

/**
 * stalled_supported() - has this kernel userfaultfd, and may this process use it?
 *
 * Return: true if so
 */
bool stalled_supported(void)
{
	int fd = open_uffd();

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/**
 * stalled_memory() - map memory whose pages do not arrive
 * @length: bytes
 *
 * Return: the memory
 */
struct stalled stalled_memory(uint64_t length)
{
	struct stalled memory = { .length = length, .uffd = open_uffd() };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	CHECK_GE(memory.uffd, 0);
	memory.va = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory.va != MAP_FAILED);
	CHECK_EQ(madvise(memory.va, length, MADV_NOHUGEPAGE), 0);
	reg.range.start = (uintptr_t)memory.va;
	reg.range.len = length;
	CHECK_EQ(ioctl(memory.uffd, UFFDIO_REGISTER, &reg), 0);
	return memory;
}

/**
 * stalled_wait() - wait until a fault waits
 * @memory: the memory
 *
 * It consumes one fault: called again, it waits for another.
 */
void stalled_wait(const struct stalled *memory)
{
	struct pollfd poll_uffd = { .fd = memory->uffd, .events = POLLIN };
	struct uffd_msg msg;

	do {
		CHECK_EQ(poll(&poll_uffd, 1, -1), 1);
	} while (read(memory->uffd, &msg, sizeof(msg)) != sizeof(msg));
	CHECK_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
}

/**
 * stalled_end() - let all faults continue; from then on it is ordinary memory
 * @memory: the memory
 */
void stalled_end(struct stalled *memory)
{
	CHECK_EQ(close(memory->uffd), 0);
	memory->uffd = -1;
}

static void *run_call(void *arg)
{
	struct stalled_call *call = arg;

	call->rc = call->run(call->arg);
	atomic_store(&call->ended, true);
	return NULL;
}

/**
 * stalled_call() - make a call in a thread of its own
 * @call: the call, need not be initialised
 * @run: the function
 * @arg: its argument
 */
void stalled_call(struct stalled_call *call, int (*run)(void *arg), void *arg)
{
	call->run = run;
	call->arg = arg;
	atomic_init(&call->ended, false);
	CHECK_EQ(pthread_create(&call->thread, NULL, run_call, call), 0);
}

/**
 * stalled_result() - wait for a call
 * @call: the call
 *
 * Return: what it returned
 */
int stalled_result(struct stalled_call *call)
{
	CHECK_EQ(pthread_join(call->thread, NULL), 0);
	return call->rc;
}
