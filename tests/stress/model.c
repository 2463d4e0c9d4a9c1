// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that knows what is mapped.
 *
 * It has an IOAS, two devices and an access to itself, in a context that others use too, and
 * memory of its own. It maps and unmaps slots at random while it moves a device between HWPTs,
 * and checks that the page tables, the access, the pins and the memory are correct. Calls that
 * need memory may fail with ENOMEM; any other failure is an error.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress.h"

#define NR_SLOTS	32
#define SLOT_PAGES	16
#define SLOT		(SLOT_PAGES * PAGE)

/**
 * struct model - the thread's view
 * @shared: where errors are recorded
 * @rng: random numbers
 * @fd: the context
 * @ioas: its IOAS
 * @devices: its devices; the first moves
 * @hwpts: HWPTs the first device moves between
 * @access: its access
 * @memory: memory, a slot each
 * @mapped: which slots are mapped, at IOVA (slot)
 */
struct model {
	struct shared *shared;
	struct rng *rng;
	int fd;
	uint32_t ioas;
	struct test_device devices[2];
	uint32_t hwpts[2];
	int access;
	uint8_t *memory;
	bool mapped[NR_SLOTS];
};

static uint64_t slot_iova(unsigned int slot)
{
	return MOCK_APERTURE_START + slot * 2 * SLOT;
}

static void wrong(struct model *m, const char *what, int rc)
{
	/* A worker that is being killed finds its calls interrupted. */
	if (rc == -EINTR)
		return;
	m->shared->wrong++;
	printf("# model: %s: %s\n", what, strerror(-rc));
	fflush(stdout);
}

static void check_slot(struct model *m, unsigned int slot)
{
	uint8_t *va = m->memory + slot * SLOT;
	uint8_t data[64];
	unsigned int i;
	int rc;

	for (i = 0; i < 2; i++) {
		rc = check_map(m->fd, m->devices[i].hwpt, slot_iova(slot), va, SLOT);
		if (rc != (m->mapped[slot] ? 0 : -EIO))
			wrong(m, m->mapped[slot] ? "a mapped slot is not in an HWPT" :
						   "an unmapped slot is in an HWPT", rc);
	}
	rc = check_pins(m->fd, va, SLOT, m->mapped[slot]);
	if (rc)
		wrong(m, "pins", rc);
	rc = access_rw(m->fd, m->access, slot_iova(slot) + 5 * PAGE - 32, data, sizeof(data), 0);
	if (rc != (m->mapped[slot] ? 0 : -ENOENT))
		wrong(m, "access", rc);
	else if (!rc && memcmp(data, va + 5 * PAGE - 32, sizeof(data)))
		wrong(m, "an access read something else", 0);
}

static void toggle_slot(struct model *m, unsigned int slot)
{
	uint8_t *va = m->memory + slot * SLOT;
	int rc;

	if (m->mapped[slot]) {
		rc = ioas_unmap(m->fd, m->ioas, slot_iova(slot), SLOT);
		if (rc)
			wrong(m, "unmap", rc);
		else
			m->mapped[slot] = false;
	} else {
		memset(va, slot + random_below(m->rng, 100), SLOT);
		rc = ioas_map_at(m->fd, m->ioas, va, SLOT, slot_iova(slot));
		if (!rc)
			m->mapped[slot] = true;
		else if (rc != -ENOMEM)
			wrong(m, "map", rc);
	}
}

static bool set_up(struct model *m)
{
	unsigned int i;

	if (ioas_alloc(m->fd, &m->ioas))
		return false;
	for (i = 0; i < 2; i++) {
		if (device_add(m->fd, NULL, &m->devices[i]) ||
		    hwpt_alloc(m->fd, m->devices[0].idev, m->ioas, 0, &m->hwpts[i]) ||
		    device_attach(m->fd, &m->devices[i], m->hwpts[i]))
			return false;
	}
	if (access_create(m->fd, m->ioas, 0, &m->access))
		return false;
	device_knob(&m->devices[0], "dma", "start 0x1000000 0x200000 r 500");
	return true;
}

/**
 * model_thread() - use an IOAS of its own and check it, until the time is over
 * @w: the process
 * @rng: random numbers
 * @fd: the context
 */
void model_thread(struct worker *w, struct rng *rng, int fd)
{
	struct model m = { .shared = w->shared, .rng = rng, .fd = fd, .access = -1 };
	unsigned int round, slot;

	/* Small pages, whose pins can be checked one by one. */
	m.memory = memory(NR_SLOTS * SLOT);
	/* It may fail when memory is short: the next worker tries again. */
	if (!set_up(&m))
		goto out;

	for (round = 0; !w->shared->stop; round++) {
		slot = random_below(rng, NR_SLOTS);
		toggle_slot(&m, slot);
		check_slot(&m, slot);
		if (!(round % 8)) {
			int rc = device_replace(fd, &m.devices[0], m.hwpts[random_below(rng, 2)]);

			if (rc && rc != -ENOMEM)
				wrong(&m, "replace", rc);
			check_slot(&m, random_below(rng, NR_SLOTS));
		}
		w->shared->done[OP_MODEL]++;
	}
out:
	if (m.access >= 0)
		close(m.access);
	for (slot = 0; slot < 2; slot++)
		if (m.devices[slot].stdev)
			object_destroy(fd, m.devices[slot].stdev);
}
