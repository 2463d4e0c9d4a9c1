// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that wait for memory that never arrives, among calls that must not wait for them.
 *
 *	iommufd-stalls [-s SECONDS] [-r SEED]
 *
 * All processes share a context with two IOASes; a device keeps the first one pinned. Stallers
 * make one call at a time whose memory does not arrive (map, copy, attach, replace, a pin or a
 * read by an access), let it wait until each goer has completed a number of rounds, and then
 * answer the fault, close their files, exit, or are killed. Goers map, unmap, copy, attach,
 * replace, pin, read and query in both IOASes. If a goer waited for a staller, both would wait
 * forever: then no counter advances, and the parent reports it with the stacks of all. No result
 * depends on the duration of a call.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/iommu.h"
#include "lib/stalled.h"
#include "lib/tap.h"
#include "stress.h"

#define NR_STALLERS	3
#define NR_GOERS	2
#define NR_PROCESSES	(NR_STALLERS + NR_GOERS)

/* Rounds that each goer completes while a call is stalled, and pages of those */
#define ROUNDS_WAITED	3
#define STALLED_PAGES	4

/* Each process has a part of the IOVA space in both IOASes. */
#define BASE(_process)	(GB(1) + (uint64_t)(_process) * GB(1))

/* No counter may stand still for this long, however slow the machine is. */
#define PATIENCE_S	120

#define PIN MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES

enum stall {
	STALL_MAP,
	STALL_COPY,
	STALL_ATTACH,
	STALL_REPLACE,
	STALL_PIN,
	STALL_READ,
	NR_STALLS,
};

static const char *const stall_names[NR_STALLS] = {
	"map", "copy", "attach", "replace", "access pin", "access read",
};

/**
 * struct board - state shared by all processes
 * @stop: the time is over
 * @rounds: rounds that each goer has made
 * @stalls: calls that were stalled
 * @endings: how they ended: answered, closed, exited, killed
 */
static struct board {
	atomic_bool stop;
	atomic_ulong rounds[NR_GOERS];
	atomic_ulong stalls[NR_STALLS];
	atomic_ulong endings[4];
} *board;

/**
 * struct staller - a process with a stalled call
 * @fd: the context
 * @pinned: the IOAS that has a device
 * @bare: the IOAS that only has devices of stallers
 * @base: its part of the IOVA space
 * @memory: memory that does not arrive
 * @device: a device of its own, to be attached to an IOAS with that memory
 * @own: an IOAS of its own
 * @access: an access to @bare
 * @what: the call
 * @call: and the thread that makes it
 */
struct staller {
	int fd;
	uint32_t pinned;
	uint32_t bare;
	uint64_t base;
	struct stalled memory;
	struct test_device device;
	uint32_t own;
	int access;
	enum stall what;
	struct stalled_call call;
};

static int make_call(void *arg)
{
	struct staller *s = arg;
	uint64_t length = STALLED_PAGES * PAGE, iova = s->base + MB(64);
	uint32_t id;
	char byte;

	switch (s->what) {
	case STALL_MAP:
		return ioas_map_at(s->fd, s->pinned, s->memory.va, length, s->base);
	case STALL_COPY:
		return ioas_copy(s->fd, s->pinned, &iova, s->bare, s->base, length, MAP_RW_FIXED);
	case STALL_ATTACH:
		return device_attach(s->fd, &s->device, s->own);
	case STALL_REPLACE:
		return device_replace(s->fd, &s->device, s->own);
	case STALL_PIN:
		return access_pin(s->fd, s->access, s->base, length, NULL, 0, &id);
	default:
		return access_rw(s->fd, s->access, s->base + PAGE, &byte, 1, 0);
	}
}

/* Set up the device and the memory for a call that stalls. */
static void prepare(struct staller *s)
{
	uint64_t length = STALLED_PAGES * PAGE;

	CHECK_OK(device_add(s->fd, NULL, &s->device));
	CHECK_OK(ioas_alloc(s->fd, &s->own));
	CHECK_OK(access_create(s->fd, s->bare, PIN, &s->access));
	s->memory = stalled_memory(length);
	if (s->what == STALL_ATTACH || s->what == STALL_REPLACE)
		CHECK_OK(ioas_map_at(s->fd, s->own, s->memory.va, length, s->base));
	else if (s->what != STALL_MAP)
		CHECK_OK(ioas_map_at(s->fd, s->bare, s->memory.va, length, s->base));
	if (s->what == STALL_REPLACE)
		CHECK_OK(device_attach(s->fd, &s->device, s->pinned));
}

/*
 * Remove what the previous life left: its maps, and the device whose number it stored in a file.
 */
static void clean(int fd, uint32_t ioas, uint64_t base)
{
	int rc;

	/* A call of a process that is killed ends soon, but not at once. */
	while ((rc = ioas_unmap(fd, ioas, base, MB(128))) == -EBUSY)
		usleep(1000);
	if (rc)
		CHECK_EQ(rc, -ENOENT);
}

static void wait_for_goers(void)
{
	unsigned long from[NR_GOERS];
	int i;

	for (i = 0; i < NR_GOERS; i++)
		from[i] = atomic_load(&board->rounds[i]);
	for (i = 0; i < NR_GOERS; i++)
		while (atomic_load(&board->rounds[i]) < from[i] + ROUNDS_WAITED &&
		       !atomic_load(&board->stop))
			usleep(1000);
}

static void __attribute__((noreturn)) run_staller(struct staller *s, struct rng *rng)
{
	while (!atomic_load(&board->stop)) {
		unsigned int ending = random_below(rng, 4);

		clean(s->fd, s->pinned, s->base);
		clean(s->fd, s->bare, s->base);
		s->what = random_below(rng, NR_STALLS);
		prepare(s);
		stalled_call(&s->call, make_call, s);
		stalled_wait(&s->memory);
		atomic_fetch_add(&board->stalls[s->what], 1);
		wait_for_goers();
		atomic_fetch_add(&board->endings[ending], 1);
		if (ending == 3)
			kill(getpid(), SIGKILL);
		if (ending == 2)
			_exit(0);
		if (ending == 1)
			close(s->access);
		CHECK(!atomic_load(&s->call.ended));
		stalled_end(&s->memory);
		if (stalled_result(&s->call))
			CHECK(ending == 1);
		if (ending == 0)
			close(s->access);
		CHECK_OK(object_destroy(s->fd, s->device.stdev));
		CHECK_OK(object_destroy(s->fd, s->own));
		munmap(s->memory.va, s->memory.length);
	}
	_exit(0);
}

static void look(int fd)
{
	char path[64], text[4096];
	int file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = open(path, O_RDONLY);
	CHECK_GE(file, 0);
	CHECK_GE(read(file, text, sizeof(text)), 1);
	close(file);
}

/* Work in an IOAS in which calls of others wait. */
static void go_on(int fd, uint32_t ioas, uint8_t *buffer, uint64_t base)
{
	struct iommu_iova_range ranges[8];
	uint64_t copy = base + MB(64);
	uint32_t nr = 8, id;
	int access;
	char byte;

	CHECK_OK(ioas_map_at(fd, ioas, buffer, 4 * PAGE, base));
	CHECK_OK(ioas_copy(fd, ioas, &copy, ioas, base, 4 * PAGE, MAP_RW_FIXED));
	CHECK_OK(access_create(fd, ioas, PIN, &access));
	CHECK_OK(access_pin(fd, access, base, PAGE, buffer, 0, &id));
	CHECK_OK(access_rw(fd, access, copy + PAGE, &byte, 1, 0));
	CHECK_OK(ioas_unmap(fd, ioas, copy, 4 * PAGE));
	CHECK_OK(ioas_unmap(fd, ioas, base, 4 * PAGE));
	close(access);
	CHECK_OK(ioas_ranges(fd, ioas, ranges, &nr, NULL));
	look(fd);
}

static void __attribute__((noreturn)) run_goer(int fd, uint32_t pinned, uint32_t bare, int nr)
{
	struct iommu_test_mock half = { .device_add = { .pgsizes = PAGE / 2 } };
	uint8_t *buffer = memory(4 * PAGE);
	uint64_t base = BASE(NR_STALLERS + nr);
	struct test_device device;
	uint32_t own;

	while (!atomic_load(&board->stop)) {
		go_on(fd, pinned, buffer, base);
		go_on(fd, bare, buffer, base);
		/*
		 * An HWPT of its own is added to and removed from the IOAS, with maps pending in
		 * it.
		 */
		CHECK_OK(device_add(fd, &half, &device));
		CHECK_OK(ioas_alloc(fd, &own));
		CHECK_OK(device_attach(fd, &device, pinned));
		CHECK_OK(device_replace(fd, &device, own));
		CHECK_OK(device_replace(fd, &device, pinned));
		CHECK_OK(device_detach(fd, &device));
		CHECK_OK(object_destroy(fd, device.stdev));
		CHECK_OK(object_destroy(fd, own));
		atomic_fetch_add(&board->rounds[nr], 1);
	}
	_exit(0);
}

static pid_t start(int fd, uint32_t pinned, uint32_t bare, int nr, struct rng *rng)
{
	struct staller s = { .fd = fd, .pinned = pinned, .bare = bare, .base = BASE(nr) };
	struct rng own = { .state = rng->state + nr + 1 };
	pid_t pid;

	random_below(rng, 2);
	fflush(stdout);
	pid = fork();
	CHECK_GE(pid, 0);
	if (pid)
		return pid;
	if (nr >= NR_STALLERS)
		run_goer(fd, pinned, bare, nr - NR_STALLERS);
	run_staller(&s, &own);
}

static void show_stacks(const pid_t *pids)
{
	char command[128];
	int i;

	for (i = 0; i < NR_PROCESSES; i++) {
		snprintf(command, sizeof(command),
			 "for t in /proc/%d/task/*; do echo \"# $t\"; sed 's/^/# /' $t/stack; done",
			 pids[i]);
		if (system(command))
			printf("# no stack of %d\n", pids[i]);
	}
}

static unsigned long progress(void)
{
	unsigned long sum = 0;
	int i;

	for (i = 0; i < NR_GOERS; i++)
		sum += atomic_load(&board->rounds[i]);
	return sum;
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Restart processes that ended; false if one failed or nothing moves. */
static bool keep_running(pid_t *pids, int fd, uint32_t pinned, uint32_t bare, struct rng *rng,
			 time_t until)
{
	unsigned long seen = progress();
	time_t moved = seconds();
	int i, status;

	while (seconds() < until) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		for (i = 0; i < NR_PROCESSES && pid > 0; i++) {
			if (pids[i] != pid)
				continue;
			if (i >= NR_STALLERS ||
			    (WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) != SIGKILL))
				return false;
			pids[i] = start(fd, pinned, bare, i, rng);
		}
		if (progress() != seen) {
			seen = progress();
			moved = seconds();
		}
		if (seconds() - moved > PATIENCE_S) {
			printf("# nothing moves\n");
			show_stacks(pids);
			return false;
		}
		if (pid <= 0)
			usleep(2000);
	}
	return true;
}

static unsigned long report(void)
{
	static const char *const endings[] = { "answered", "closed", "exited", "killed" };
	unsigned long all = 0;
	int i;

	printf("# %lu rounds of %d goers;", progress(), NR_GOERS);
	for (i = 0; i < NR_STALLS; i++) {
		unsigned long nr = atomic_load(&board->stalls[i]);

		all += nr;
		printf(" %lu %s,", nr, stall_names[i]);
	}
	for (i = 0; i < 4; i++)
		printf(" %lu %s%s", atomic_load(&board->endings[i]), endings[i], i < 3 ? "," : "\n");
	return all;
}

int main(int argc, char **argv)
{
	struct rng rng = { .state = (uint64_t)time(NULL) * 2654435761U + 1 };
	uint64_t before = pinned_pages();
	unsigned int length = 30;
	struct test_device keeper;
	pid_t pids[NR_PROCESSES];
	uint32_t pinned, bare;
	bool ok;
	int fd, i;

	for (i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "-s"))
			length = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "-r"))
			rng.state = strtoull(argv[i + 1], NULL, 0) | 1;
	}
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	CHECK(board != MAP_FAILED);
	printf("TAP version 13\n1..2\n# seed %lu\n", rng.state);
	fd = iommu_open();
	CHECK_GE(fd, 0);
	CHECK_OK(ioas_alloc(fd, &pinned));
	CHECK_OK(ioas_alloc(fd, &bare));
	CHECK_OK(device_add(fd, NULL, &keeper));
	CHECK_OK(device_attach(fd, &keeper, pinned));

	for (i = 0; i < NR_PROCESSES; i++)
		pids[i] = start(fd, pinned, bare, i, &rng);
	ok = keep_running(pids, fd, pinned, bare, &rng, seconds() + length);
	atomic_store(&board->stop, true);
	for (i = 0; i < NR_PROCESSES; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	if (!report())
		ok = false;
	printf("%sok 1 - nothing waits for memory that never arrives\n", ok ? "" : "not ");
	CHECK_EQ(close(fd), 0);
	/* CPUs add up their counters once a second. */
	for (i = 0; i < 300 && pinned_pages() != before; i++)
		usleep(100000);
	i = pinned_pages() == before;
	printf("%sok 2 - no page is pinned at the end\n", i ? "" : "not ");
	return ok && i ? 0 : 1;
}
