// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-bench - times /dev/iommu of several implementations side by side
 *
 * Model: rounds, and in each round one pass per side. Between passes a command given by the user
 * swaps the kernel modules; this process stays and keeps its buffers, so both sides pin the same
 * physical pages, on the same machine, a second apart. Passes are short and rounds many: an
 * external disturbance then affects both sides of a round, or few rounds. Cases that need memory
 * of their own run before that. They would make the kernel move the buffers, and an emulated
 * machine is slow to reuse pages for data that once held code, which every switch leaves behind.
 * The program knows nothing about the sides.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define MAX_SIDES	4
#define AREAS_EVERY	3
#define SMALL_AREAS	10000
#define SMALL_BUFFER	(16 * MIB)

struct config {
	const char *sides[MAX_SIDES];
	unsigned int nr_sides;
	const char *switch_command;
	const char *node;
	const char *second_node;
	unsigned int rounds;
	unsigned int memory_rounds;
	unsigned int reps;
	size_t bulk_bytes;
	size_t kmem_bytes;
	size_t max_areas;
	const char *only;
	const char *memory;
};

static const char usage_text[] =
	"usage: iommu-bench [options]\n"
	"\n"
	"Times map, page-table fill, unmap and small calls of /dev/iommu. One JSON object per line on\n"
	"stdout. Needs root, and a device bound to vfio-pci.\n"
	"\n"
	"  -d, --device NODE    VFIO device node [default: /dev/vfio/devices/vfio0]\n"
	"  -D, --second NODE    node of another device, to measure many areas beside few\n"
	"  -S, --side NAME      name of a side; several take turns [default: this]\n"
	"  -x, --switch CMD     run \"CMD NAME\" before a pass of side NAME: loads its modules\n"
	"  -r, --rounds N       rounds, one pass of each side in each [default: 12; the cases of many\n"
	"                       areas run in every third]\n"
	"  -R, --memory-rounds N  the same for first touch and kernel memory [default: 2]\n"
	"  -n, --reps N         samples of each case in a pass [default: 5]\n"
	"  -m, --bulk MIB       size of the bulk cases [default: 256]\n"
	"  -k, --kmem MIB       size of the kernel-memory cases, 0 for none [default: 512]\n"
	"  -a, --areas N        most areas to try [default: 100000]\n"
	"  -o, --only CASES     only these, comma-separated: bulk, touch, pair, areas, kmem,\n"
	"                       replace\n"
	"  -M, --memory KINDS   bulk and replace cases of only these: 4k, 4k_scattered, thp, hugetlb\n"
	"  -h, --help           this text\n"
	"\n"
	"examples:\n"
	"  iommu-bench -S mine\n"
	"  iommu-bench -S a -S b -x ./load-modules > results.jsonl\n";

static unsigned long number(const char *text, const char *what, unsigned long max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value > max) {
		fprintf(stderr, "iommu-bench: %s: not a number from 0 to %lu: %s\n", what, max, text);
		exit(2);
	}
	return value;
}

static void parse(struct config *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' }, { "second", required_argument, NULL, 'D' },
		{ "side", required_argument, NULL, 'S' },
		{ "switch", required_argument, NULL, 'x' }, { "rounds", required_argument, NULL, 'r' },
		{ "memory-rounds", required_argument, NULL, 'R' },
		{ "reps", required_argument, NULL, 'n' },   { "bulk", required_argument, NULL, 'm' },
		{ "kmem", required_argument, NULL, 'k' },   { "areas", required_argument, NULL, 'a' },
		{ "only", required_argument, NULL, 'o' },   { "memory", required_argument, NULL, 'M' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "d:D:S:x:r:R:n:m:k:a:o:M:h", options, NULL)) != -1) {
		switch (opt) {
		case 'd':
			c->node = optarg;
			break;
		case 'D':
			c->second_node = optarg;
			break;
		case 'S':
			if (c->nr_sides == MAX_SIDES) {
				fprintf(stderr, "iommu-bench: at most %d sides\n", MAX_SIDES);
				exit(2);
			}
			c->sides[c->nr_sides++] = optarg;
			break;
		case 'x':
			c->switch_command = optarg;
			break;
		case 'r':
			c->rounds = (unsigned int)number(optarg, "--rounds", 1000);
			break;
		case 'R':
			c->memory_rounds = (unsigned int)number(optarg, "--memory-rounds", 1000);
			break;
		case 'n':
			c->reps = (unsigned int)number(optarg, "--reps", 1000);
			break;
		case 'm':
			c->bulk_bytes = number(optarg, "--bulk", 65536) * MIB;
			break;
		case 'k':
			c->kmem_bytes = number(optarg, "--kmem", 65536) * MIB;
			break;
		case 'a':
			c->max_areas = number(optarg, "--areas", 10000000);
			break;
		case 'o':
			c->only = optarg;
			break;
		case 'M':
			c->memory = optarg;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		default:
			fputs(usage_text, stderr);
			exit(2);
		}
	}
	if (optind < argc || !c->bulk_bytes || c->bulk_bytes % HUGE_PAGE || c->kmem_bytes % HUGE_PAGE) {
		fputs(usage_text, stderr);
		exit(2);
	}
	if (!c->nr_sides)
		c->sides[c->nr_sides++] = "this";
}

/* Is a name in a list? The list is of whole names; none stands for all of them. */
static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);
	const char *p = list;

	if (!p)
		return true;
	while (p) {
		if (!strncmp(p, name, len) && (p[len] == ',' || !p[len]))
			return true;
		p = strchr(p, ',');
		if (p)
			p++;
	}
	return false;
}

static bool chosen(const struct config *c, const char *name)
{
	return listed(c->only, name);
}

static bool buffer_needed(const struct config *c, enum memory_kind kind)
{
	if (kind == MEM_4K && (chosen(c, "pair") || chosen(c, "areas")))
		return true;
	return (chosen(c, "bulk") || chosen(c, "replace")) && listed(c->memory, memory_name(kind));
}

static void switch_to(const struct config *c, const char *side)
{
	char *command;
	int status;

	if (!c->switch_command)
		return;
	if (asprintf(&command, "%s %s", c->switch_command, side) < 0)
		die("no memory");
	fflush(stdout);
	status = system(command);
	errno = 0;
	if (status)
		die("\"%s\" failed with status %d", command,
		    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	free(command);
}

/*
 * Get as much of the machine's memory as possible back into large blocks. Once: it moves code,
 * see above.
 */
static void calm_down(void)
{
	sync();
	write_ulong("/proc/sys/vm/drop_caches", 3);
	write_ulong("/proc/sys/vm/compact_memory", 1);
}

/*
 * The cases on the permanent buffers. Nothing here allocates enough to make the kernel move them.
 */
static void timing_pass(const struct config *c, const struct origin *o, const struct buffer *buffers)
{
	static const size_t areas[] = { 10, 1000, 100000, 1000000 };
	struct session s, few;
	size_t i;

	session_open(&s, c->node);
	if (chosen(c, "bulk"))
		for (i = 0; i < MEM_KINDS; i++)
			if (listed(c->memory, memory_name((enum memory_kind)i)))
				case_bulk(o, &s, &buffers[i], c->reps);
	if (chosen(c, "replace"))
		for (i = 0; i < MEM_KINDS; i++)
			if (listed(c->memory, memory_name((enum memory_kind)i)))
				case_replace(o, &s, &buffers[i], c->reps);
	if (chosen(c, "pair"))
		case_pair(o, &s, &buffers[MEM_4K], c->reps);
	/* these take longer than all others together */
	if (chosen(c, "areas") && o->round % AREAS_EVERY == 0) {
		if (c->second_node)
			session_open(&few, c->second_node);
		for (i = 0; i < ARRAY_SIZE(areas) && areas[i] <= c->max_areas; i++)
			case_areas(o, &s, c->second_node ? &few : NULL, &buffers[MEM_4K], areas[i],
				   c->reps);
		if (c->second_node)
			session_close(&few);
	}
	session_close(&s);
}

/* The cases with memory of their own */
static void memory_pass(const struct config *c, const struct origin *o)
{
	struct buffer small;
	struct session s;
	size_t i;

	session_open(&s, c->node);
	if (chosen(c, "touch")) {
		case_first_touch(o, &s, MEM_4K, c->bulk_bytes, 1);
		case_first_touch(o, &s, MEM_THP, c->bulk_bytes, 1);
	}
	if (chosen(c, "kmem") && c->kmem_bytes) {
		for (i = 0; i < MEM_KINDS; i++)
			case_kernel_memory(o, &s, (enum memory_kind)i, c->kmem_bytes);
		buffer_create(&small, MEM_4K, SMALL_BUFFER);
		case_area_memory(o, &s, &small, SMALL_AREAS);
		buffer_destroy(&small);
	}
	session_close(&s);
}

static void timing_rounds(const struct config *c)
{
	struct buffer buffers[MEM_KINDS] = {};
	struct origin o;
	unsigned int i;

	if (buffer_needed(c, MEM_HUGETLB))
		reserve_hugetlb(c->bulk_bytes);
	/* huge pages first: later there may be no complete ones left */
	for (i = MEM_KINDS; i--; ) {
		if (!buffer_needed(c, (enum memory_kind)i))
			continue;
		buffer_create(&buffers[i], (enum memory_kind)i, c->bulk_bytes);
		printf("{\"case\":\"buffer\",\"memory\":\"%s\",\"bytes\":%zu,\"runs\":%zu}\n",
		       memory_name((enum memory_kind)i), buffers[i].size, buffer_runs(&buffers[i]));
	}
	for (o.round = 0; o.round < c->rounds; o.round++) {
		for (i = 0; i < c->nr_sides; i++) {
			/* the first side changes every round: drift favours neither side */
			o.side = c->sides[(i + o.round) % c->nr_sides];
			switch_to(c, o.side);
			timing_pass(c, &o, buffers);
		}
	}
	for (i = 0; i < MEM_KINDS; i++)
		if (buffers[i].va)
			buffer_destroy(&buffers[i]);
	reserve_hugetlb(0);
}

static void memory_rounds(const struct config *c)
{
	struct origin o;
	unsigned int i;

	for (o.round = 0; o.round < c->memory_rounds; o.round++) {
		for (i = 0; i < c->nr_sides; i++) {
			o.side = c->sides[(i + o.round) % c->nr_sides];
			switch_to(c, o.side);
			memory_pass(c, &o);
		}
	}
}

int main(int argc, char **argv)
{
	struct config c = {
		.node = "/dev/vfio/devices/vfio0",
		.rounds = 12,
		.memory_rounds = 2,
		.reps = 5,
		.bulk_bytes = 256 * MIB,
		.kmem_bytes = 512 * MIB,
		.max_areas = 100000,
	};
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	parse(&c, argc, argv);
	errno = 0;
	if (setrlimit(RLIMIT_MEMLOCK, &unlimited))
		die("RLIMIT_MEMLOCK cannot be lifted");
	calm_down();
	if (chosen(&c, "touch") || chosen(&c, "kmem"))
		memory_rounds(&c);
	if (chosen(&c, "bulk") || chosen(&c, "replace") || chosen(&c, "pair") ||
	    chosen(&c, "areas"))
		timing_rounds(&c);
	return 0;
}
