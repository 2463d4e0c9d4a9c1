// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running a program. prelude.h implements the calls.
 */
#include "fuzz.h"
#include "prelude.h"

struct runner {
	const struct program *program;
	const struct nodes *nodes;
	unsigned int thread;
	unsigned long *done;
	unsigned long *failed;
};

static uint64_t number(const struct value *value)
{
	switch (value->mode) {
	case VALUE_SLOT:
		return slot(value->kind, value->slot);
	case VALUE_MEMORY:
		return area(value->kind, value->number);
	}
	return value->number;
}

static long run_struct(const struct call *call, const struct spec *spec, int fd)
{
	struct take takes[MAX_FIELDS];
	struct put puts[MAX_FIELDS];
	unsigned int i, nr_takes = 0;

	for (i = 0; i < spec->nr; i++) {
		const struct field *field = &spec->fields[i];

		puts[i] = (struct put){ field->offset, field->width, number(&call->values[i]) };
		if (field->kind == FIELD_OUT)
			takes[nr_takes++] = (struct take){ field->offset, field->param, call->out };
	}
	return call_struct(fd, spec->request, spec->size, call->place, puts, spec->nr, takes,
			   nr_takes);
}

static long run_call(const struct runner *runner, const struct call *call)
{
	const struct nodes *nodes = runner->nodes;
	const struct spec *spec = &specs[call->spec];
	uint64_t a[MAX_FIELDS] = {};
	unsigned int i, node;
	int fd = -1;

	for (i = 0; i < spec->nr; i++)
		a[i] = number(&call->values[i]);
	if (call->fd.mode == VALUE_SLOT && call->fd.kind >= FIRST_FD_KIND)
		fd = (int)number(&call->fd);
	/* cppcheck-suppress uninitvar ; a[0] is set where spec->nr is not 0 */
	node = nodes->nr && spec->nr ? a[0] % nodes->nr : 0;
	switch ((enum how)spec->how) {
	case HOW_STRUCT:
		return run_struct(call, spec, fd);
	case HOW_NUMBER:
		return ioctl(fd, spec->request, spec->nr ? a[0] : 0);
	case HOW_NAMED:
		return take_fd(ioctl(fd, spec->request, nodes->list[node].device), spec->returns - 1,
			       call->out);
	case HOW_OPEN_IOMMU:
		return take_fd(open("/dev/iommu", O_RDWR | O_CLOEXEC), SLOT_IOMMU, call->out);
	case HOW_OPEN_VFIO:
		return take_fd(open(nodes->list[node].node, O_RDWR | O_CLOEXEC), SLOT_VFIO,
			       call->out);
	case HOW_OPEN_GROUP:
		return take_fd(open(nodes->list[node].group, O_RDWR | O_CLOEXEC), SLOT_GROUP,
			       call->out);
	case HOW_OPEN_EVENT:
		return take_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), SLOT_EVENT, call->out);
	case HOW_CLOSE:
		/* an empty slot holds descriptor -1 */
		put_slot(spec->fd, call->fd.slot, UINT32_MAX);
		return 0;
	case HOW_READ:
		return read_region(fd, a[0], a[1], a[2]);
	case HOW_WRITE:
		return write_region(fd, a[0], a[1], a[2], a[3]);
	case HOW_MAP_REGION:
		return map_region(fd, a[0], a[1], a[2]);
	case HOW_ADVISE:
		return advise(a[0], a[1], a[2]);
	case HOW_PROTECT:
		return protect(a[0], a[1], a[2]);
	case HOW_REMAP:
		return map_again(a[0], a[1]);
	case HOW_FORK:
		return fork_once();
	}
	return -1;
}

static void *run_thread(void *arg)
{
	const struct runner *runner = arg;
	const struct call *call;
	unsigned int i;

	for (i = 0; i < runner->program->nr; i++) {
		call = &runner->program->calls[runner->thread][i];
		if (call->skip)
			continue;
		if (run_call(runner, call) < 0)
			__atomic_fetch_add(&runner->failed[call->spec], 1, __ATOMIC_RELAXED);
		else
			__atomic_fetch_add(&runner->done[call->spec], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

void execute(const struct program *program, const struct nodes *nodes, unsigned long *done,
	     unsigned long *failed)
{
	struct runner runners[MAX_THREADS];
	pthread_t threads[MAX_THREADS];
	unsigned int i;

	make_memory();
	if (program->unprivileged)
		limit_memory();
	for (i = 0; i < program->threads; i++) {
		runners[i] = (struct runner){ program, nodes, i, done, failed };
		if (pthread_create(&threads[i], NULL, run_thread, &runners[i]))
			_exit(96);
	}
	for (i = 0; i < program->threads; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}
