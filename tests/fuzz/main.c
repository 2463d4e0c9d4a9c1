// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer of /dev/iommu and the VFIO nodes.
 *
 *	iommufd-fuzz [-s SECONDS] [-n ROUNDS] [-r SEED] [-k CALLS] [-j FILE] [-e | -l]
 *
 * Without -r the seed is the time. Round N has seed SEED + N, so "-r SEED -n 1" repeats one
 * round. -k leaves out all calls but these, as "0-5,17"; -e prints the calls as C instead, -l
 * their number. FILE always holds the seed of the current round: after a crash it names the round
 * that caused it.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "lib/iommu.h"
#include "lib/patience.h"

/* The limit of a round before its process is killed, and the limit for that. */
#define ROUND_MS 10000
#define KILL_MS 30000
/* Pins disappear after the process: other threads release some of them. */
#define SETTLE_MS 5000

static struct program program;
static struct nodes nodes;
static unsigned long *done, *failed;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* The devices bound to vfio-pci. */
static void find_nodes(void)
{
	char *name, path[256], link[256];
	glob_t found;
	ssize_t length;
	size_t i;

	if (glob("/sys/bus/pci/drivers/vfio-pci/*/vfio-dev/vfio*", 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc && nodes.nr < 8; i++) {
		name = strrchr(found.gl_pathv[i], '/');
		snprintf(nodes.list[nodes.nr].node, sizeof(nodes.list[0].node),
			 "/dev/vfio/devices%s", name);
		*strstr(found.gl_pathv[i], "/vfio-dev/") = '\0';
		name = strrchr(found.gl_pathv[i], '/') + 1;
		snprintf(nodes.list[nodes.nr].device, sizeof(nodes.list[0].device), "%s", name);
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", name);
		length = readlink(path, link, sizeof(link) - 1);
		if (length < 0)
			continue;
		link[length] = '\0';
		snprintf(nodes.list[nodes.nr].group, sizeof(nodes.list[0].group), "/dev/vfio%s",
			 strrchr(link, '/'));
		nodes.nr++;
	}
	globfree(&found);
}

/* Leave out all calls but those of a list: "0-5,17". They are counted over all threads. */
static void keep(const char *list)
{
	unsigned int thread, i;
	unsigned long first, last;
	char *end;

	for (thread = 0; thread < program.threads; thread++)
		for (i = 0; i < program.nr; i++)
			program.calls[thread][i].skip = true;
	while (*list) {
		first = last = strtoul(list, &end, 10);
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (; first <= last && first < program.threads * program.nr; first++)
			program.calls[first / program.nr][first % program.nr].skip = false;
		if (end == list)
			break;
		list = *end == ',' ? end + 1 : end;
	}
}

/* Read the kernel log since the last call. Return whether it has trouble. */
static bool kernel_complains(int kmsg)
{
	static const char *const trouble[] = {
		"WARNING: ", "BUG: ", "Oops", "general protection", "refcount_t: ", "UBSAN: ",
		"KASAN: ", "kernel BUG", "unable to handle", "possible circular", "Bad page",
		"corruption", "blocked for more", "soft lockup", "scheduling while atomic",
		"sleeping function",
	};
	char line[1024], *text;
	bool found = false;
	ssize_t length;
	unsigned int i;

	while ((length = read(kmsg, line, sizeof(line) - 1)) > 0 || (length < 0 && errno == EPIPE)) {
		if (length < 0)
			continue;
		line[length] = '\0';
		text = strchr(line, ';');
		if (!text || strtoul(line, NULL, 10) >> 3)
			continue;
		for (i = 0; i < sizeof(trouble) / sizeof(trouble[0]); i++) {
			if (strstr(text, trouble[i])) {
				printf("# kernel: %.*s\n", (int)strcspn(text + 1, "\n"), text + 1);
				found = true;
				break;
			}
		}
	}
	return found;
}

static void print_stacks(pid_t pid)
{
	char pattern[64], line[256];
	glob_t found;
	FILE *stack;
	size_t i;

	snprintf(pattern, sizeof(pattern), "/proc/%d/task/*/stack", pid);
	if (glob(pattern, 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++) {
		stack = fopen(found.gl_pathv[i], "re");
		printf("# %s\n", found.gl_pathv[i]);
		while (stack && fgets(line, sizeof(line), stack))
			printf("#   %s", line);
		if (stack)
			fclose(stack);
	}
	globfree(&found);
}

static bool ends_within(pid_t pid, unsigned int ms)
{
	uint64_t end = now_ms() + ms;

	while (!waitpid(pid, NULL, WNOHANG)) {
		if (now_ms() >= end)
			return false;
		usleep(1000);
	}
	return true;
}

/* Run the program. Return whether its process ended. */
static bool run_round(void)
{
	pid_t pid = fork();

	if (pid < 0) {
		perror("# fork");
		return false;
	}
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execute(&program, &nodes, done, failed);
	}
	if (program.kill_us)
		usleep(program.kill_us);
	else if (ends_within(pid, patience_ms(ROUND_MS)))
		return true;
	kill(pid, SIGKILL);
	if (ends_within(pid, patience_ms(KILL_MS)))
		return true;
	printf("# the process does not end\n");
	print_stacks(pid);
	return false;
}

static bool nothing_pinned(uint64_t before)
{
	uint64_t end = now_ms() + patience_ms(SETTLE_MS);

	while (pinned_pages() != before) {
		if (now_ms() >= end) {
			printf("# %" PRIu64 " pages were pinned before, %" PRIu64 " are now\n",
			       before, pinned_pages());
			return false;
		}
		usleep(1000);
	}
	return true;
}

static void note(int journal, uint64_t seed)
{
	char line[32];
	int length = snprintf(line, sizeof(line), "%-20" PRIu64 "\n", seed);

	if (journal >= 0 && pwrite(journal, line, length, 0) != length)
		perror("# journal");
}

static unsigned int points;

static bool ok(bool good, const char *name)
{
	printf("%s %u - %s\n", good ? "ok" : "not ok", ++points, name);
	return good;
}

/* Are there calls that never succeeded? A fuzzer that reaches nothing finds nothing. */
static bool reached(void)
{
	unsigned int i, missing = 0, matter = 0;

	for (i = 0; i < nr_specs; i++) {
		printf("# %8lu %8lu  %s\n", done[i], failed[i], specs[i].name);
		/* without devices there are no descriptors of theirs */
		if (!nodes.nr && (specs[i].fd == SLOT_VFIO || specs[i].fd == SLOT_GROUP ||
				  specs[i].how == HOW_OPEN_VFIO))
			continue;
		matter += specs[i].weight >= 6;
		missing += specs[i].weight >= 6 && !done[i];
	}
	return missing * 5 <= matter;
}

static void usage(void)
{
	fprintf(stderr, "usage: iommufd-fuzz [-s SECONDS] [-n ROUNDS] [-r SEED] [-k CALLS] [-j FILE] [-e | -l]\n");
	exit(2);
}

/* The options of the command line. */
struct wishes {
	uint64_t seed;
	uint64_t rounds;
	unsigned int seconds;
	const char *calls;
	int journal;
	bool write_down;
	bool count;
};

static void read_wishes(struct wishes *wishes, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "s:n:r:k:j:el")) != -1) {
		switch (option) {
		case 's':
			wishes->seconds = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			wishes->rounds = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			wishes->seed = strtoull(optarg, NULL, 0);
			break;
		case 'k':
			wishes->calls = optarg;
			break;
		case 'j':
			wishes->journal =
				open(optarg, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
			if (wishes->journal < 0)
				perror(optarg);
			break;
		case 'e':
			wishes->write_down = true;
			break;
		case 'l':
			wishes->count = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
}

/* Print a round instead of running it, or the number of its calls. */
static void print_round(const struct wishes *wishes)
{
	generate(&program, wishes->seed);
	if (wishes->count) {
		printf("%u\n", program.threads * program.nr);
		return;
	}
	if (wishes->calls)
		keep(wishes->calls);
	emit(&program, &nodes);
}

/* Run the rounds. Return whether all succeeded. */
static bool run_rounds(const struct wishes *wishes, int kmsg)
{
	bool ended = true, quiet = true, clean = true;
	uint64_t before = pinned_pages(), end = now_ms() + busy_ms(wishes->seconds), round;

	for (round = 0; round < wishes->rounds && now_ms() < end && ended && quiet && clean;
	     round++) {
		generate(&program, wishes->seed + round);
		if (wishes->calls)
			keep(wishes->calls);
		note(wishes->journal, program.seed);
		ended = run_round();
		quiet = !kernel_complains(kmsg);
		clean = ended && nothing_pinned(before);
	}
	if (!ended || !quiet || !clean)
		printf("# round of seed %" PRIu64 ": run it again with -r %" PRIu64 " -n 1, make it small"
		       " with tests/fuzz/minimize %" PRIu64 "\n", program.seed, program.seed,
		       program.seed);
	printf("# %" PRIu64 " rounds\n", round);
	ok(ended, "every process ends");
	ok(quiet, "the kernel log has no trouble");
	ok(clean, "nothing stays pinned");
	return ended && quiet && clean;
}

int main(int argc, char **argv)
{
	struct wishes wishes = {
		.seed = (uint64_t)time(NULL) * 1000003,
		.rounds = UINT64_MAX,
		.seconds = 60,
		.journal = -1,
	};
	bool well;
	int kmsg;

	read_wishes(&wishes, argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	find_nodes();
	if (wishes.write_down || wishes.count) {
		print_round(&wishes);
		return 0;
	}
	done = mmap(NULL, 2 * nr_specs * sizeof(*done), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (done == MAP_FAILED || kmsg < 0) {
		perror("iommufd-fuzz");
		return 1;
	}
	failed = done + nr_specs;
	lseek(kmsg, 0, SEEK_END);
	printf("# seed %" PRIu64 ", %u devices\n", wishes.seed, nodes.nr);
	well = run_rounds(&wishes, kmsg);
	if (wishes.rounds >= 200 && wishes.seconds >= 20)
		ok(reached(), "four in five of the relevant calls succeed at least once");
	printf("1..%u\n", points);
	return !well;
}
