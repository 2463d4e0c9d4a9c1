// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that makes random calls on random objects.
 *
 * Ids come from the shared hints, or are random. There are few IOVAs and lengths, so that threads
 * use the same ones. The only check of a call's result is that its errno is one that the uAPI
 * documents.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "stress.h"

#define NR_ACCESSES 4

const char *const op_names[NR_OPS] = {
	[OP_IOAS_ALLOC] = "ioas_alloc", [OP_MAP] = "map", [OP_MAP_FIXED] = "map_fixed",
	[OP_UNMAP] = "unmap", [OP_UNMAP_ALL] = "unmap_all", [OP_COPY] = "copy",
	[OP_ALLOW] = "allow", [OP_RANGES] = "ranges", [OP_OPTION] = "option",
	[OP_HWPT_ALLOC] = "hwpt_alloc", [OP_DEVICE_ADD] = "device_add", [OP_ATTACH] = "attach",
	[OP_REPLACE] = "replace", [OP_DETACH] = "detach", [OP_DESTROY] = "destroy",
	[OP_ACCESS_OPEN] = "access_open", [OP_ACCESS_MOVE] = "access_move",
	[OP_ACCESS_PIN] = "access_pin", [OP_ACCESS_UNPIN] = "access_unpin",
	[OP_ACCESS_RW] = "access_rw", [OP_ACCESS_CLOSE] = "access_close", [OP_VFIO] = "vfio",
	[OP_MEMORY] = "memory", [OP_FORK] = "fork", [OP_DMA] = "dma", [OP_HW_INFO] = "hw_info",
	[OP_MODEL] = "model",
};

/**
 * struct chaos - a thread
 * @w: its process
 * @rng: its random numbers
 * @c: index of the context it works on now
 * @fd: that context
 * @accesses: file descriptors of accesses, -1 if none; of context @access_c each
 * @access_c: context of each access
 * @pins: pages id that each access pinned last
 */
struct chaos {
	struct worker *w;
	struct rng *rng;
	unsigned int c;
	int fd;
	int accesses[NR_ACCESSES];
	unsigned int access_c[NR_ACCESSES];
	uint32_t pins[NR_ACCESSES];
};

static _Atomic uint32_t *hint_of(struct chaos *ch, enum kind kind, unsigned int i)
{
	return &ch->w->shared->ids[ch->w->tables[ch->c]][kind][i];
}

static uint32_t any_id(struct chaos *ch, enum kind kind)
{
	/* Occasionally an object of another kind, or an id that never existed */
	if (!random_below(ch->rng, 40))
		kind = random_below(ch->rng, NR_KINDS);
	if (!random_below(ch->rng, 100))
		return random_below(ch->rng, 1000);
	return *hint_of(ch, kind, random_below(ch->rng, NR_IDS));
}

static void remember(struct chaos *ch, enum kind kind, uint32_t id)
{
	*hint_of(ch, kind, random_below(ch->rng, NR_IDS)) = id;
}

static uint8_t *any_memory(struct chaos *ch, uint64_t *length)
{
	struct worker *w = ch->w;
	uint8_t *base[] = { w->small, w->huge, w->file };
	uint64_t pages = w->length / PAGE;
	uint64_t first, nr;

	switch (random_below(ch->rng, 4)) {
	case 0:
		nr = 1;
		break;
	case 1:
		nr = 512;
		break;
	default:
		nr = 1 + random_below(ch->rng, 256);
	}
	first = random_below(ch->rng, pages - nr);
	if (nr == 512)
		first &= ~511ULL;
	*length = nr * PAGE;
	return base[random_below(ch->rng, 3)] + first * PAGE;
}

/* One of few, in the aperture of all mock devices */
static uint64_t any_iova(struct chaos *ch)
{
	return MOCK_APERTURE_START + random_below(ch->rng, 16) * MB(2) +
	       random_below(ch->rng, 3) / 2 * PAGE;
}

/* Fills an empty slot, or else replaces another one, which is destroyed if possible. */
static int do_ioas_alloc(struct chaos *ch)
{
	_Atomic uint32_t *hint = hint_of(ch, KIND_IOAS, random_below(ch->rng, NR_IDS));
	uint32_t id;
	int rc;

	if (*hint) {
		if (random_below(ch->rng, 8))
			return 0;
		object_destroy(ch->fd, *hint);
	}
	rc = ioas_alloc(ch->fd, &id);
	if (!rc)
		*hint = id;
	return rc;
}

static int do_map(struct chaos *ch, bool fixed)
{
	static const uint32_t prots[] = { MAP_RW, MAP_RW, MAP_RW, IOMMU_IOAS_MAP_READABLE };
	uint64_t length, iova = any_iova(ch);
	uint8_t *va = any_memory(ch, &length);
	uint32_t flags = prots[random_below(ch->rng, 4)];

	return ioas_map(ch->fd, any_id(ch, KIND_IOAS), va, length, &iova,
			flags | (fixed ? IOMMU_IOAS_MAP_FIXED_IOVA : 0));
}

static int do_copy(struct chaos *ch)
{
	uint64_t iova = any_iova(ch);

	return ioas_copy(ch->fd, any_id(ch, KIND_IOAS), &iova, any_id(ch, KIND_IOAS), any_iova(ch),
			 (1 + random_below(ch->rng, 8)) * PAGE,
			 random_below(ch->rng, 2) ? MAP_RW : MAP_RW_FIXED);
}

static int do_allow(struct chaos *ch)
{
	struct iommu_iova_range range = {
		MOCK_APERTURE_START, MOCK_APERTURE_START + GB(1) - 1,
	};

	return ioas_allow(ch->fd, any_id(ch, KIND_IOAS), &range, random_below(ch->rng, 2));
}

static int do_ranges(struct chaos *ch)
{
	struct iommu_iova_range ranges[8];
	uint32_t nr = random_below(ch->rng, 9);

	return ioas_ranges(ch->fd, any_id(ch, KIND_IOAS), ranges, &nr, NULL);
}

static int do_option(struct chaos *ch)
{
	uint64_t value = random_below(ch->rng, 2);

	return iommu_option(ch->fd, IOMMU_OPTION_HUGE_PAGES, random_below(ch->rng, 2),
			    any_id(ch, KIND_IOAS), &value);
}

static int do_hwpt_alloc(struct chaos *ch)
{
	uint32_t hwpt;
	int rc = hwpt_alloc(ch->fd, any_id(ch, KIND_DEVICE), any_id(ch, KIND_IOAS),
			    random_below(ch->rng, 4) ? 0 : IOMMU_HWPT_ALLOC_NEST_PARENT, &hwpt);

	if (!rc)
		remember(ch, KIND_HWPT, hwpt);
	return rc;
}

static int do_device_add(struct chaos *ch)
{
	struct iommu_test_mock how = {
		.device_add = {
			.pgsizes = random_below(ch->rng, 3) ? 0 : PAGE / 2,
			.group = random_below(ch->rng, 2) ? 0 : 0x3000 + random_below(ch->rng, 6),
			.resv_start = GB(1),
			.resv_length = random_below(ch->rng, 4) ? 0 : MB(1),
		},
	};
	unsigned int i = random_below(ch->rng, NR_IDS);
	_Atomic uint32_t *stdev = hint_of(ch, KIND_STDEV, i);
	struct test_device device;
	int rc;

	if (*stdev) {
		if (random_below(ch->rng, 8))
			return 0;
		object_destroy(ch->fd, *stdev);
	}
	rc = device_add(ch->fd, &how, &device);
	if (rc)
		return rc;
	*stdev = device.stdev;
	*hint_of(ch, KIND_DEVICE, i) = device.idev;
	if (!random_below(ch->rng, 4))
		device_knob(&device, "replace_gap_us", "300");
	if (!random_below(ch->rng, 8))
		device_knob(&device, "attach_error", "12");
	if (random_below(ch->rng, 2))
		device_knob(&device, "dma", "start 0x1000000 0x2000000 r 500");
	return device_attach(ch->fd, &device, any_id(ch, KIND_IOAS));
}

static uint32_t any_target(struct chaos *ch)
{
	return any_id(ch, random_below(ch->rng, 2) ? KIND_IOAS : KIND_HWPT);
}

static int do_attach(struct chaos *ch)
{
	struct test_device device = { .stdev = any_id(ch, KIND_STDEV) };
	int rc = device_attach(ch->fd, &device, any_target(ch));

	if (!rc)
		remember(ch, KIND_HWPT, device.hwpt);
	return rc;
}

static int do_replace(struct chaos *ch)
{
	struct test_device device = { .stdev = any_id(ch, KIND_STDEV) };
	int rc = device_replace(ch->fd, &device, any_target(ch));

	if (!rc)
		remember(ch, KIND_HWPT, device.hwpt);
	return rc;
}

static int do_detach(struct chaos *ch)
{
	struct test_device device = { .stdev = any_id(ch, KIND_STDEV) };

	return device_detach(ch->fd, &device);
}

static int do_destroy(struct chaos *ch)
{
	static const enum kind kinds[] = { KIND_IOAS, KIND_HWPT, KIND_STDEV, KIND_STDEV };

	return object_destroy(ch->fd, any_id(ch, kinds[random_below(ch->rng, 4)]));
}

static int do_access_open(struct chaos *ch, unsigned int i)
{
	int rc;

	if (ch->accesses[i] >= 0)
		return 0;
	rc = access_create(ch->fd, any_id(ch, KIND_IOAS), random_below(ch->rng, 2),
			   &ch->accesses[i]);
	if (rc)
		ch->accesses[i] = -1;
	ch->access_c[i] = ch->c;
	ch->pins[i] = 0;
	return rc;
}

static void close_access(struct chaos *ch, unsigned int i)
{
	if (ch->accesses[i] >= 0)
		close(ch->accesses[i]);
	ch->accesses[i] = -1;
}

/* An operation on an open access: in its own context, whichever the thread works on. */
static int do_access(struct chaos *ch, enum chaos_op op, unsigned int i)
{
	uint64_t length, iova = any_iova(ch);
	int access = ch->accesses[i];
	uint8_t data[256];
	int fd;

	if (access < 0)
		return 0;
	ch->c = ch->access_c[i];
	fd = ch->w->contexts[ch->c];
	length = (1 + random_below(ch->rng, 16)) * PAGE;

	switch (op) {
	case OP_ACCESS_MOVE:
		switch (random_below(ch->rng, 3)) {
		case 0:
			return access_attach(fd, access, any_id(ch, KIND_IOAS));
		case 1:
			return access_replace(fd, access, any_id(ch, KIND_IOAS));
		default:
			return access_detach(fd, access);
		}
	case OP_ACCESS_PIN:
		return access_pin(fd, access, iova, length, NULL,
				  random_below(ch->rng, 2) ? MOCK_FLAGS_ACCESS_WRITE : 0,
				  &ch->pins[i]);
	case OP_ACCESS_UNPIN:
		return access_unpin(fd, access, ch->pins[i]);
	case OP_ACCESS_RW:
		return access_rw(fd, access, iova + random_below(ch->rng, PAGE), data, sizeof(data),
				 random_below(ch->rng, 2) ? MOCK_ACCESS_RW_SLOW_PATH : 0);
	default:
		close_access(ch, i);
		return 0;
	}
}

static int do_vfio(struct chaos *ch)
{
	uint32_t ioas = any_id(ch, KIND_IOAS);
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = any_iova(ch),
	};
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = any_iova(ch),
		.size = (1 + random_below(ch->rng, 64)) * PAGE,
	};
	uint64_t length;

	switch (random_below(ch->rng, 5)) {
	case 0:
		return vfio_ioas(ch->fd, IOMMU_VFIO_IOAS_SET, &ioas);
	case 1:
		return iommu_call(ch->fd, VFIO_SET_IOMMU,
				  (void *)(uintptr_t)(random_below(ch->rng, 2) ?
							      VFIO_TYPE1_IOMMU :
							      VFIO_TYPE1v2_IOMMU));
	case 2:
		map.vaddr = (uintptr_t)any_memory(ch, &length);
		map.size = length;
		return iommu_call(ch->fd, VFIO_IOMMU_MAP_DMA, &map);
	default:
		return iommu_call(ch->fd, VFIO_IOMMU_UNMAP_DMA, &unmap);
	}
}

/* Change the memory that others map at this moment. */
static int do_memory(struct chaos *ch)
{
	uint64_t length;
	uint8_t *va = any_memory(ch, &length);
	struct worker *w = ch->w;

	switch (random_below(ch->rng, 4)) {
	case 0:
		madvise(va, length, MADV_DONTNEED);
		break;
	case 1:
		mprotect(va, length, PROT_READ);
		mprotect(va, length, PROT_READ | PROT_WRITE);
		break;
	case 2:
		/* Removed and restored: for a moment nothing is mapped. */
		if (va >= w->small && va < w->small + w->length)
			mmap(va, length, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	default:
		/* Not by a store: another thread may just have made it read-only. */
		madvise(va, length, MADV_POPULATE_WRITE);
	}
	return 0;
}

/* A child that shares the files, not the memory; its maps stay after its end. */
static int do_fork(struct chaos *ch)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		do_map(ch, false);
		do_map(ch, true);
		_exit(0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

static int do_dma(struct chaos *ch)
{
	struct test_device device = { .index = random_below(ch->rng, 24) };
	uint64_t value;

	/* Any process's device, if there is one with this number */
	if (random_below(ch->rng, 2))
		device_knob(&device, "dma", random_below(ch->rng, 2) ?
						    "start 0x1000000 0x2000000 r 300" : "stop");
	device_stat(&device, "accesses", &value);
	return 0;
}

static int do_hw_info(struct chaos *ch)
{
	uint32_t length = 8, type;
	uint64_t data;

	return hw_info(ch->fd, any_id(ch, KIND_DEVICE), &data, &length, &type, NULL);
}

static int do_op(struct chaos *ch, enum chaos_op op)
{
	unsigned int i = random_below(ch->rng, NR_ACCESSES);

	switch (op) {
	case OP_IOAS_ALLOC:
		return do_ioas_alloc(ch);
	case OP_MAP:
		return do_map(ch, false);
	case OP_MAP_FIXED:
		return do_map(ch, true);
	case OP_UNMAP:
		return ioas_unmap(ch->fd, any_id(ch, KIND_IOAS), any_iova(ch),
				  (1 + random_below(ch->rng, 16)) * MB(1));
	case OP_UNMAP_ALL:
		return ioas_unmap(ch->fd, any_id(ch, KIND_IOAS), 0, UINT64_MAX);
	case OP_COPY:
		return do_copy(ch);
	case OP_ALLOW:
		return do_allow(ch);
	case OP_RANGES:
		return do_ranges(ch);
	case OP_OPTION:
		return do_option(ch);
	case OP_HWPT_ALLOC:
		return do_hwpt_alloc(ch);
	case OP_DEVICE_ADD:
		return do_device_add(ch);
	case OP_ATTACH:
		return do_attach(ch);
	case OP_REPLACE:
		return do_replace(ch);
	case OP_DETACH:
		return do_detach(ch);
	case OP_DESTROY:
		return do_destroy(ch);
	case OP_ACCESS_OPEN:
		return do_access_open(ch, i);
	case OP_ACCESS_MOVE:
	case OP_ACCESS_PIN:
	case OP_ACCESS_UNPIN:
	case OP_ACCESS_RW:
	case OP_ACCESS_CLOSE:
		return do_access(ch, op, i);
	case OP_VFIO:
		return do_vfio(ch);
	case OP_MEMORY:
		return do_memory(ch);
	case OP_FORK:
		return do_fork(ch);
	case OP_DMA:
		return do_dma(ch);
	case OP_HW_INFO:
		return do_hw_info(ch);
	default:
		return 0;
	}
}

static bool may_be(int rc)
{
	switch (-rc) {
	case ENOENT:
	case EBUSY:
	case EINVAL:
	case ENOMEM:
	case EEXIST:
	case ENOSPC:
	case EADDRINUSE:
	case EFAULT:
	case EPERM:
	case ENODEV:
	case EMSGSIZE:
	case EOPNOTSUPP:
	case EDEADLK:
	case EINTR:
	case EAGAIN:
		return true;
	default:
		return false;
	}
}

/**
 * chaos_thread() - make random calls until the time is over
 * @w: the process
 * @rng: random numbers
 */
void chaos_thread(struct worker *w, struct rng *rng)
{
	/* Common operations are listed often. */
	static const uint8_t often[] = {
		OP_MAP, OP_MAP, OP_MAP_FIXED, OP_MAP_FIXED, OP_UNMAP, OP_UNMAP, OP_COPY, OP_COPY,
		OP_REPLACE, OP_REPLACE, OP_ACCESS_PIN, OP_ACCESS_UNPIN, OP_ACCESS_RW,
		OP_IOAS_ALLOC, OP_DEVICE_ADD, OP_HWPT_ALLOC, OP_ATTACH,
	};
	struct chaos ch = { .w = w, .rng = rng };
	unsigned int i;

	for (i = 0; i < NR_ACCESSES; i++)
		ch.accesses[i] = -1;
	while (!w->shared->stop) {
		enum chaos_op op = random_below(rng, 2) ? often[random_below(rng, sizeof(often))] :
							  random_below(rng, OP_MODEL);
		int rc;

		/* Operations that are slow or make others fail are rare. */
		if ((op == OP_FORK || op == OP_ALLOW || op == OP_UNMAP_ALL || op == OP_OPTION ||
		     op == OP_DESTROY) && random_below(rng, 6))
			continue;
		ch.c = random_below(rng, NR_CONTEXTS);
		ch.fd = w->contexts[ch.c];
		rc = do_op(&ch, op);
		if (!rc) {
			w->shared->done[op]++;
		} else if (may_be(rc)) {
			w->shared->failed[op][-rc]++;
		} else {
			w->shared->unexpected++;
			printf("# %s: %s\n", op_names[op], strerror(-rc));
			fflush(stdout);
		}
	}
	for (i = 0; i < NR_ACCESSES; i++)
		close_access(&ch, i);
}
