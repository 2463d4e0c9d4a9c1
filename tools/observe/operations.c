// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of operations that finish and start.
 */
#include <bpf/libbpf.h>
#include <string.h>

#include "bpf/filter.h"
#include "bpf/operations.skel.h"
#include "bpf/operations_probed.skel.h"
#include "observe/attachments.h"
#include "observe/filter.h"
#include "observe/finished.h"
#include "observe/operations.h"

static int on_sent(void *context, void *data, size_t size)
{
	struct operations *operations = context;
	struct scope_op op;

	finished_operation(&op, data, size);
	return operations->function(operations->context, &op);
}

int operations_open(struct operations *operations, const struct operations_settings *settings,
		    operation_function function, void *context)
{
	struct ios_operations *skeleton;

	memset(operations, 0, sizeof(*operations));
	operations->function = function;
	operations->context = context;
	operations->device = settings->filter ? settings->filter->device : NULL;
	skeleton =
		SESSION_OPEN(&operations->session, operations, SESSION_RECORDS, settings->filter);
	if (!skeleton || SESSION_ADD_PROBED(&operations->session, operations))
		return -1;
	operations->skeleton = skeleton;
	skeleton->rodata->wanted = settings->wanted;
	skeleton->rodata->errors_only = settings->errors_only;
	skeleton->rodata->slower_ns = settings->slower_ns;
	skeleton->rodata->always = settings->always;
	skeleton->rodata->begins = settings->begins;
	bpf_program__set_autoload(skeleton->progs.ios_iommufd_started, settings->begins);
	bpf_program__set_autoload(skeleton->progs.ios_vfio_started, settings->begins);
	if (settings->room_bytes)
		bpf_map__set_max_entries(skeleton->maps.ios_sent, settings->room_bytes);
	if (session_load(&operations->session))
		return -1;
	return session_ring(&operations->session, skeleton->maps.ios_sent, on_sent, operations);
}

int operations_attach(struct operations *operations)
{
	if (session_attach(&operations->session))
		return -1;
	if (session_has_types() && operations->device)
		attachments_know(&operations->session, operations->device);
	return 0;
}

int operations_extend(struct operations *operations)
{
	int err = SESSION_EXTEND(&operations->session, operations, SESSION_RECORDS,
				 session_has_probed());

	if (session_has_types() && operations->device)
		attachments_know(&operations->session, operations->device);
	return err;
}

int operations_fd(const struct operations *operations)
{
	return session_fd(&operations->session);
}

int operations_poll(struct operations *operations)
{
	return session_poll(&operations->session);
}

void operations_detach(struct operations *operations)
{
	session_detach(&operations->session);
}

uint64_t operations_lost(const struct operations *operations)
{
	return operations->skeleton->bss->lost + session_missed(&operations->session);
}

void operations_close(struct operations *operations)
{
	session_close(&operations->session);
	operations->skeleton = NULL;
}
