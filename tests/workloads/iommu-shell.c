// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that runs commands on /dev/iommu, one per line.
 *
 * Each line of standard input is a command with its numbers; the answer is one line, "ok" and
 * numbers, or "error" and an errno. FILE is the answer of "open". Memory is LENGTH bytes of a
 * KIND: small, thp, hugetlb, shared (populated), untouched, or readonly (untouched, and mapped
 * read-only).
 *
 *	open				FILE
 *	close FILE
 *	ioas FILE			IOAS
 *	device FILE GROUP		STDEV DEVICE INDEX GROUP
 *	attach FILE STDEV PT		HWPT
 *	replace FILE STDEV PT		HWPT
 *	detach FILE STDEV
 *	hwpt FILE DEVICE IOAS		HWPT
 *	map FILE IOAS KIND LENGTH [IOVA]	IOVA
 *	maps FILE IOAS COUNT LENGTH	COUNT areas, one behind the other
 *	pairs FILE IOAS COUNT		median of COUNT maps and unmaps of a page, in ns
 *	unmap FILE IOAS IOVA LENGTH
 *	copy FILE DST SRC IOVA LENGTH	IOVA
 *	allow FILE IOAS FIRST LAST
 *	destroy FILE ID
 *	access FILE IOAS		FD
 *	access_pin FILE FD IOVA LENGTH	ID
 *	access_unpin FILE FD ID
 *	rlimit_mode FILE MODE
 *	memlock BYTES			sets the limit
 *	churn				threads that do all of it at random, until the next line
 *					comes; the number of calls
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "iommu.h"

#define MAX_STDEVS 2048
#define MAX_WORDS 8

static struct test_device devices[MAX_STDEVS];

/* The device of a test object. Ids are unique per file only, so both are the key. */
static struct test_device *device_of(int file, uint32_t stdev)
{
	static int files[MAX_STDEVS];
	unsigned int i;

	for (i = 0; i < MAX_STDEVS; i++) {
		if (files[i] == file + 1 && devices[i].stdev == stdev)
			return &devices[i];
		if (!files[i]) {
			files[i] = file + 1;
			devices[i].stdev = stdev;
			return &devices[i];
		}
	}
	fprintf(stderr, "iommu-shell: too many devices\n");
	exit(1);
}

static void *memory_of(const char *kind, uint64_t length)
{
	void *memory_ = MAP_FAILED;

	if (!strcmp(kind, "thp"))
		return memory_huge(length);
	if (!strcmp(kind, "hugetlb"))
		memory_ = mmap(NULL, length, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	else if (!strcmp(kind, "shared"))
		memory_ = mmap(NULL, length, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	else
		memory_ = memory(length);
	if (memory_ != MAP_FAILED && !strcmp(kind, "small"))
		memset(memory_, 1, length);
	return memory_;
}

static int map(int file, uint32_t ioas, const char *kind, uint64_t length, const char *fixed,
	       uint64_t *iova)
{
	uint32_t flags = IOMMU_IOAS_MAP_READABLE;
	void *memory_ = memory_of(kind, length);
	int rc;

	if (memory_ == MAP_FAILED)
		return -errno;
	if (strcmp(kind, "readonly"))
		flags |= IOMMU_IOAS_MAP_WRITEABLE;
	if (fixed) {
		flags |= IOMMU_IOAS_MAP_FIXED_IOVA;
		*iova = strtoull(fixed, NULL, 0);
	}
	rc = ioas_map(file, ioas, memory_, length, iova, flags);
	/* memory that is not pinned now is still needed for a later pin: never unmapped */
	if (rc && strcmp(kind, "thp"))
		munmap(memory_, length);
	return rc;
}

static int maps(int file, uint32_t ioas, uint64_t count, uint64_t length)
{
	char *memory_ = memory_of("small", length);
	uint64_t i;
	int rc = 0;

	for (i = 0; i < count && !rc; i++)
		rc = ioas_map_at(file, ioas, memory_, length, MB(16) + 2 * i * length);
	return rc;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int pairs(int file, uint32_t ioas, uint64_t count, uint64_t *median)
{
	uint64_t *times = calloc(count + 1, sizeof(*times)), i, start;
	void *memory_ = memory_of("small", PAGE);
	int rc = 0;

	if (!times)
		return -ENOMEM;
	for (i = 0; i < count && !rc; i++) {
		start = now_ns();
		rc = ioas_map_at(file, ioas, memory_, PAGE, MB(16));
		if (!rc)
			rc = ioas_unmap(file, ioas, MB(16), PAGE);
		times[i] = now_ns() - start;
	}
	qsort(times, count, sizeof(*times), compare);
	*median = times[count / 2];
	free(times);
	munmap(memory_, PAGE);
	return rc;
}

/* The state of a thread of the churn, and its number of calls. */
struct churner {
	pthread_t thread;
	unsigned int seed;
	const atomic_bool *enough;
	unsigned long calls;
};

static void *churn_thread(void *arg)
{
	struct churner *churner = arg;
	void *memory_ = memory_huge(HUGE);
	unsigned int *seed = &churner->seed;

	while (!*churner->enough) {
		struct iommu_test_mock how = { .op = IOMMU_TEST_OP_DEVICE_ADD };
		struct test_device device = {};
		uint32_t a = 0, b = 0, hwpt = 0;
		int file = iommu_open(), i;

		if (file < 0)
			continue;
		ioas_alloc(file, &a);
		ioas_alloc(file, &b);
		device_add(file, &how, &device);
		for (i = 0; i < 200; i++) {
			uint64_t iova = MB(16) + (rand_r(seed) % 64) * HUGE;
			uint64_t length = rand_r(seed) % 2 ? HUGE : PAGE * (1 + rand_r(seed) % 64);
			uint32_t ioas = rand_r(seed) % 2 ? a : b;

			switch (rand_r(seed) % 16) {
			case 0:
				device_attach(file, &device, ioas);
				break;
			case 1:
				device_detach(file, &device);
				break;
			case 2:
			case 3:
				device_replace(file, &device, ioas);
				break;
			case 4:
				if (hwpt_alloc(file, device.idev, ioas, 0, &hwpt))
					hwpt = 0;
				break;
			case 5:
				object_destroy(file, hwpt);
				break;
			case 6:
				ioas_copy(file, a, &iova, b, iova, PAGE, MAP_RW);
				break;
			case 7:
			case 8:
			case 9:
			case 10:
				ioas_unmap(file, ioas, 0, UINT64_MAX);
				break;
			default:
				ioas_map_at(file, ioas, memory_, length, iova);
			}
			churner->calls++;
		}
		close(file);
	}
	return NULL;
}

static unsigned long churn(void)
{
	struct churner churners[3] = {};
	atomic_bool enough = false;
	unsigned long calls = 0;
	char line[16];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		churners[i].seed = i + 1;
		churners[i].enough = &enough;
		if (pthread_create(&churners[i].thread, NULL, churn_thread, &churners[i]))
			exit(1);
	}
	/* the end of the input also ends it */
	if (fgets(line, sizeof(line), stdin))
		line[0] = '\0';
	enough = true;
	for (i = 0; i < 3; i++) {
		pthread_join(churners[i].thread, NULL);
		calls += churners[i].calls;
	}
	return calls;
}

static int memlock(uint64_t bytes)
{
	struct rlimit limit = { bytes, bytes };

	return setrlimit(RLIMIT_MEMLOCK, &limit) ? -errno : 0;
}

/*
 * Run a command; its numbers are in @n, the answer goes to @out. Returns 0 or a negative errno.
 */
static int run(char **words, const uint64_t *n, char *out, size_t size)
{
	const char *name = words[0];
	int file = (int)n[1], fd, rc = -EOPNOTSUPP;
	struct test_device *device;
	uint64_t iova = 0;
	uint32_t id = 0;

	if (!strcmp(name, "open")) {
		rc = iommu_open();
		snprintf(out, size, "%d", rc);
		return rc < 0 ? rc : 0;
	}
	if (!strcmp(name, "close"))
		return close(file) ? -errno : 0;
	if (!strcmp(name, "ioas")) {
		rc = ioas_alloc(file, &id);
		snprintf(out, size, "%u", id);
	} else if (!strcmp(name, "device")) {
		struct iommu_test_mock how = { .op = IOMMU_TEST_OP_DEVICE_ADD,
					       .device_add.group = (uint32_t)n[2] };
		struct test_device made = {};

		rc = device_add(file, &how, &made);
		if (!rc)
			*device_of(file, made.stdev) = made;
		snprintf(out, size, "%u %u %u %u", made.stdev, made.idev, made.index, made.group);
	} else if (!strcmp(name, "attach") || !strcmp(name, "replace")) {
		device = device_of(file, (uint32_t)n[2]);
		rc = *name == 'a' ? device_attach(file, device, (uint32_t)n[3]) :
				    device_replace(file, device, (uint32_t)n[3]);
		snprintf(out, size, "%u", device->hwpt);
	} else if (!strcmp(name, "detach")) {
		rc = device_detach(file, device_of(file, (uint32_t)n[2]));
	} else if (!strcmp(name, "hwpt")) {
		rc = hwpt_alloc(file, (uint32_t)n[2], (uint32_t)n[3], 0, &id);
		snprintf(out, size, "%u", id);
	} else if (!strcmp(name, "map")) {
		rc = map(file, (uint32_t)n[2], words[3], n[4], words[5], &iova);
		snprintf(out, size, "%llu", (unsigned long long)iova);
	} else if (!strcmp(name, "maps")) {
		rc = maps(file, (uint32_t)n[2], n[3], n[4]);
	} else if (!strcmp(name, "pairs")) {
		rc = pairs(file, (uint32_t)n[2], n[3], &iova);
		snprintf(out, size, "%llu", (unsigned long long)iova);
	} else if (!strcmp(name, "unmap")) {
		rc = ioas_unmap(file, (uint32_t)n[2], n[3], n[4]);
	} else if (!strcmp(name, "copy")) {
		rc = ioas_copy(file, (uint32_t)n[2], &iova, (uint32_t)n[3], n[4], n[5], MAP_RW);
		snprintf(out, size, "%llu", (unsigned long long)iova);
	} else if (!strcmp(name, "allow")) {
		struct iommu_iova_range range = { n[3], n[4] };

		rc = ioas_allow(file, (uint32_t)n[2], &range, 1);
	} else if (!strcmp(name, "destroy")) {
		rc = object_destroy(file, (uint32_t)n[2]);
	} else if (!strcmp(name, "access")) {
		rc = access_create(file, (uint32_t)n[2], MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES,
				   &fd);
		snprintf(out, size, "%d", fd);
	} else if (!strcmp(name, "access_pin")) {
		rc = access_pin(file, (int)n[2], n[3], n[4], NULL, 0, &id);
		snprintf(out, size, "%u", id);
	} else if (!strcmp(name, "access_unpin")) {
		rc = access_unpin(file, (int)n[2], (uint32_t)n[3]);
	} else if (!strcmp(name, "rlimit_mode")) {
		iova = n[2];
		rc = iommu_option(file, IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_SET, 0, &iova);
	} else if (!strcmp(name, "memlock")) {
		rc = memlock(n[1]);
	} else if (!strcmp(name, "churn")) {
		snprintf(out, size, "%lu", churn());
		rc = 0;
	}
	return rc;
}

int main(void)
{
	char line[256], out[64];
	char *words[MAX_WORDS];
	uint64_t numbers[MAX_WORDS];
	int rc, i;

	while (fgets(line, sizeof(line), stdin)) {
		for (i = 0; i < MAX_WORDS; i++) {
			words[i] = strtok(i ? NULL : line, "\n ");
			numbers[i] = words[i] ? strtoull(words[i], NULL, 0) : 0;
			if (!words[i])
				break;
		}
		for (; i < MAX_WORDS; i++) {
			words[i] = NULL;
			numbers[i] = 0;
		}
		if (!words[0])
			continue;
		*out = '\0';
		rc = run(words, numbers, out, sizeof(out));
		if (rc)
			printf("error %d\n", -rc);
		else
			printf("ok %s\n", out);
		if (fflush(stdout))
			return 1;
	}
	return 0;
}
