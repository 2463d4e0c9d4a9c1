// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stress test of iommufd: starts workers until the time is over, then searches for leaks.
 *
 *	iommufd-stress [-s SECONDS] [-w WORKERS] [-t THREADS] [-r SEED] [-g CGROUP]
 *
 * With -g the workers run in that cgroup. The parent does not, so that it sees the end of workers
 * that the kernel kills when it is out of memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/patience.h"
#include "stress.h"

#define MAX_WORKERS	16
#define MAX_THREADS	16
#define MEMORY		MB(24)
#define MEMLOCK		MB(64)

struct options {
	unsigned int seconds;
	unsigned int workers;
	unsigned int threads;
	uint64_t seed;
	const char *cgroup;
};

/**
 * struct thread - a thread of a worker
 * @w: the worker
 * @rng: its random numbers
 * @model: it checks a model
 */
struct thread {
	struct worker *w;
	struct rng rng;
	bool model;
};

static void *thread_main(void *arg)
{
	struct thread *thread = arg;
	int fd = thread->w->contexts[random_below(&thread->rng, NR_CONTEXTS)];

	if (thread->model)
		model_thread(thread->w, &thread->rng, fd);
	else
		chaos_thread(thread->w, &thread->rng);
	return NULL;
}

/*
 * An unprivileged user, so that RLIMIT_MEMLOCK is counted and enforced, but with access to the
 * files of debugfs, which only root can open, and to the test ioctl.
 */
#define KEPT_CAPABILITIES (1 << CAP_DAC_OVERRIDE | 1 << CAP_SYS_ADMIN)

static int drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = KEPT_CAPABILITIES, .permitted = KEPT_CAPABILITIES },
	};
	struct rlimit limit = { MEMLOCK, MEMLOCK };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || prctl(PR_SET_KEEPCAPS, 1) ||
	    setresuid(STRESS_UID, STRESS_UID, STRESS_UID) || syscall(SYS_capset, &header, data))
		return -errno;
	return 0;
}

static int enter_cgroup(const char *cgroup)
{
	char path[256];
	int fd, rc = 0;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, "0", 1) != 1)
		rc = -errno;
	close(fd);
	return rc;
}

static void __attribute__((noreturn)) worker_main(struct worker *w, const struct options *options,
						  struct rng rng)
{
	struct thread threads[MAX_THREADS];
	pthread_t ids[MAX_THREADS];
	unsigned int i;
	int memfd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (options->cgroup && enter_cgroup(options->cgroup))
		_exit(3);
	if (drop_privileges())
		_exit(4);

	memfd = memfd_create("iommufd-stress", MFD_CLOEXEC);
	w->length = MEMORY;
	w->small = memory(w->length);
	w->huge = memory(w->length + HUGE);
	w->huge = (uint8_t *)(((uintptr_t)w->huge + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
	madvise(w->huge, w->length, MADV_HUGEPAGE);
	if (memfd < 0 || ftruncate(memfd, w->length))
		_exit(5);
	w->file = mmap(NULL, w->length, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (w->file == MAP_FAILED)
		_exit(5);

	for (i = 0; i < options->threads; i++) {
		threads[i] = (struct thread){
			.w = w,
			.rng = { .state = rng.state * (i + 1) + 1 },
			.model = i % 4 == 3,
		};
		if (pthread_create(&ids[i], NULL, thread_main, &threads[i]))
			_exit(6);
	}
	for (i = 0; i < options->threads; i++)
		pthread_join(ids[i], NULL);
	_exit(0);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

/* Running workers continue with the old context, and with its table. */
static int open_context(struct worker *w, unsigned int i)
{
	static unsigned int next_table;

	if (w->contexts[i] >= 0)
		close(w->contexts[i]);
	w->contexts[i] = iommu_open();
	w->tables[i] = next_table++ % NR_TABLES;
	memset((void *)w->shared->ids[w->tables[i]], 0, sizeof(w->shared->ids[0]));
	return w->contexts[i] < 0 ? w->contexts[i] : 0;
}

static int parse(int argc, char **argv, struct options *options)
{
	int opt;

	while ((opt = getopt(argc, argv, "s:w:t:r:g:")) != -1) {
		switch (opt) {
		case 's':
			options->seconds = strtoul(optarg, NULL, 0);
			break;
		case 'w':
			options->workers = strtoul(optarg, NULL, 0);
			break;
		case 't':
			options->threads = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			options->seed = strtoull(optarg, NULL, 0);
			break;
		case 'g':
			options->cgroup = optarg;
			break;
		default:
			return -EINVAL;
		}
	}
	if (optind != argc || !options->seconds || !options->workers || !options->threads ||
	    options->workers > MAX_WORKERS || options->threads > MAX_THREADS || !options->seed)
		return -EINVAL;
	return 0;
}

/* Start workers, let them live a while, and end them in one way or another; returns how many. */
static unsigned int run(struct worker *w, const struct options *options, unsigned int *killed,
			unsigned int *broken)
{
	uint64_t end = now_ms() + busy_ms(options->seconds);
	uint64_t until[MAX_WORKERS] = { 0 };
	pid_t pids[MAX_WORKERS] = { 0 };
	struct rng rng = { .state = options->seed };
	unsigned int i, started = 0, alive = 0;

	while (now_ms() < end || alive) {
		uint64_t now = now_ms();

		if (now >= end)
			w->shared->stop = true;
		for (i = 0; i < options->workers; i++) {
			int status;

			if (!pids[i] && now < end) {
				if (!random_below(&rng, 8) &&
				    open_context(w, random_below(&rng, NR_CONTEXTS)))
					(*broken)++;
				fflush(stdout);
				pids[i] = fork();
				if (!pids[i])
					worker_main(w, options, rng);
				if (pids[i] < 0) {
					pids[i] = 0;
					continue;
				}
				until[i] = now + 1000 + random_below(&rng, 4000);
				started++;
				alive++;
			}
			if (!pids[i])
				continue;
			/* At the end they stop by themselves; before that they are killed. */
			if (now > until[i] + (now >= end ? patience_ms(30000) : 0))
				kill(pids[i], SIGKILL);
			if (waitpid(pids[i], &status, WNOHANG) == pids[i]) {
				pids[i] = 0;
				alive--;
				if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
					(*killed)++;
				} else if (status) {
					printf("# a worker ended with status 0x%x\n", status);
					(*broken)++;
				}
			}
		}
		usleep(20000);
	}
	return started;
}

static void print_op(const struct shared *shared, unsigned int op)
{
	unsigned int i;

	printf("# %-12s %7lu done", op_names[op], shared->done[op]);
	for (i = 0; i < NR_ERRNOS; i++)
		if (shared->failed[op][i])
			printf(", %lu %s", shared->failed[op][i], strerrorname_np(i));
	printf("\n");
}

int main(int argc, char **argv)
{
	struct options options = { .seconds = 120, .workers = 3, .threads = 4, .seed = time(NULL) };
	unsigned int i, started, killed = 0, broken = 0, failed = 0;
	struct worker w = { 0 };
	struct baseline before;
	bool all = true;

	if (parse(argc, argv, &options)) {
		fprintf(stderr, "usage: %s [-s SECONDS] [-w WORKERS] [-t THREADS] [-r SEED] [-g CGROUP]\n",
			argv[0]);
		return 2;
	}
	w.shared = mmap(NULL, sizeof(*w.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (w.shared == MAP_FAILED)
		return 1;
	printf("TAP version 13\n1..%d\n# seed %lu\n", 4 + LEAK_POINTS, options.seed);
	leaks_baseline(&before);
	for (i = 0; i < NR_CONTEXTS; i++) {
		w.contexts[i] = -1;
		if (open_context(&w, i)) {
			printf("Bail out! cannot open /dev/iommu\n");
			return 1;
		}
	}
	/* A slow IOTLB makes the calls of threads overlap more. */
	if (mock_knob("sync_ns", "20000")) {
		printf("Bail out! there is no mock IOMMU\n");
		return 1;
	}

	started = run(&w, &options, &killed, &broken);
	mock_knob("sync_ns", "0");
	for (i = 0; i < NR_CONTEXTS; i++)
		close(w.contexts[i]);

	printf("# %u workers, %u of them killed\n", started, killed);
	for (i = 0; i < NR_OPS; i++) {
		print_op(w.shared, i);
		all = all && w.shared->done[i];
	}
	printf("%sok 1 - every operation was done\n", all ? "" : "not ");
	printf("%sok 2 - every failure has an errno of the uAPI\n",
	       w.shared->unexpected ? "not " : "");
	printf("%sok 3 - what is mapped is what was asked for\n", w.shared->wrong ? "not " : "");
	printf("%sok 4 - every worker ran\n", broken ? "not " : "");
	failed += !all + !!w.shared->unexpected + !!w.shared->wrong + !!broken;
	failed += leaks_check(&before, started, 5);
	return !!failed;
}
