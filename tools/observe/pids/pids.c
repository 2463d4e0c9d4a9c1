// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of processes that translates numbers.
 *
 * Events are translated where they happen (bpf/kernel/pids.bpf.h).  Records of state have the
 * host's numbers.  Only a program knows both numbers of a process: from inside, /proc shows only
 * those of the tool's PID namespace.  So pids.bpf.c lists all processes of the namespace.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/pids.h"
#include "bpf/pids.skel.h"
#include "machine/pid_namespace.h"
#include "observe/pids/pids.h"
#include "probe/objects.h"
#include "text/output.h"

/* No process has this number. */
#define NO_PROCESS (SCOPE_PID_OUTSIDE - 1)

/*
 * The processes of the tool's PID namespace.
 * @program: lists them; NULL in the host's PID namespace
 * @space: the namespace; all 0 for the host's
 * @list: the processes, sorted by @host
 * @nr: their number
 * @room: processes for which @list has room
 * @known: pids_init() has succeeded
 */
static struct {
	struct ios_pids *program;
	struct scope_pid_space space;
	struct scope_pid *list;
	size_t nr;
	size_t room;
	bool known;
} pids;

static int compare(const void *a, const void *b)
{
	const struct scope_pid *x = a, *y = b;

	return x->host < y->host ? -1 : x->host > y->host;
}

/* Returns 0 or an error; then the list is short. */
static int read_list(void)
{
	int fd = bpf_iter_create(bpf_link__fd(pids.program->links.ios_pids));
	struct scope_pid one;
	ssize_t length;

	if (fd < 0)
		return -errno;
	pids.nr = 0;
	/* the kernel returns whole records */
	while ((length = read(fd, &one, sizeof(one))) == sizeof(one)) {
		if (pids.nr == pids.room) {
			pids.room = pids.room * 2 + 64;
			pids.list = reallocarray(pids.list, pids.room, sizeof(*pids.list));
			if (!pids.list)
				out_of_memory();
		}
		pids.list[pids.nr++] = one;
	}
	close(fd);
	if (length)
		return length < 0 ? -errno : -EIO;
	qsort(pids.list, pids.nr, sizeof(*pids.list), compare);
	return pids.nr ? 0 : -ENOENT;
}

static int load(void)
{
	int err;

	pids.program = ios_pids__open_and_load();
	if (!pids.program)
		return -errno;
	err = ios_pids__attach(pids.program);
	if (!err)
		err = read_list();
	if (!err)
		pids.space = pids.list[0].space;
	return err;
}

int pids_init(void)
{
	int err;

	if (pids.known)
		return 0;
	switch (pid_namespace()) {
	case PID_NAMESPACE_HOST:
		break;
	case PID_NAMESPACE_OWN:
		err = load();
		if (!err)
			break;
		complain("cannot translate the numbers of processes into those of this PID namespace: %s; "
			 PID_NAMESPACE_REMEDY, strerror(-err));
		return -1;
	case PID_NAMESPACE_FOREIGN_PROC:
		complain("/proc is not that of this PID namespace, so it would name other processes: "
			 "mount -t proc none /proc");
		return -1;
	}
	pids.known = true;
	return 0;
}

void pids_set(const struct bpf_object *object)
{
	size_t size;
	struct scope_pid_space *knob = object_variable(object, ".rodata", "pid_space", &size);

	if (knob && size == sizeof(*knob))
		*knob = pids.space;
}

uint32_t pids_on_host(pid_t pid)
{
	size_t i;

	if (!pids.space.level)
		return pid;
	pids_read();
	for (i = 0; i < pids.nr; i++)
		if (pids.list[i].here == (uint32_t)pid)
			return pids.list[i].host;
	return NO_PROCESS;
}

void pids_read(void)
{
	int err = pids.space.level ? read_list() : 0;
	static bool said;

	if (err && !said)
		complain("cannot list the processes of this PID namespace: %s", strerror(-err));
	said |= err != 0;
}

uint32_t pids_here(uint32_t host)
{
	const struct scope_pid wanted = { .host = host }, *found;

	if (!pids.space.level)
		return host;
	found = bsearch(&wanted, pids.list, pids.nr, sizeof(*pids.list), compare);
	return found ? found->here : host | SCOPE_PID_OUTSIDE;
}

uint32_t pids_thread_outside(uint32_t host)
{
	return pids.space.level ? host | SCOPE_PID_OUTSIDE : host;
}

void pids_note(void)
{
	static bool said;

	if (pids.space.level && !said)
		complain("this is not the host's PID namespace: open files and hanging threads of "
			 "processes outside of it are not seen; " PID_NAMESPACE_REMEDY);
	said = true;
}
