// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which devices are attached to which IOAS when an observation starts?
 *
 * The state is read after the programs have been attached.  A device that moves in between is
 * reported twice, so entries that the programs have already made are not overwritten.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "observe/attachments.h"
#include "bpf/latency.h"
#include "observe/session.h"
#include "observe/state.h"

static void know(struct bpf_object *object, const struct iommufd_state_device *device,
		 const char *wanted)
{
	struct bpf_map *attachments = bpf_object__find_map_by_name(object, "ios_attachments");
	struct bpf_map *of_device = bpf_object__find_map_by_name(object, "ios_ioas_of_device");
	__u64 ioas = (__u64)device->ctx_id << 32 | device->ioas_id, since = 0;
	struct scope_attachment attachment = { .ioas = ioas };
	__u8 yes = 1;

	snprintf(attachment.device, sizeof(attachment.device), "%.*s",
		 (int)sizeof(device->device), device->device);
	if (attachments)
		bpf_map__update_elem(attachments, &attachment, sizeof(attachment), &since,
				     sizeof(since), BPF_NOEXIST);
	if (of_device && wanted && !strcmp(wanted, device->device))
		bpf_map__update_elem(of_device, &ioas, sizeof(ioas), &yes, sizeof(yes),
				     BPF_NOEXIST);
}

void attachments_know(const struct session *session, const char *device)
{
	struct bpf_object *object = session_object(session);
	struct state_reader *reader = state_open();
	struct state state;
	size_t i;

	if (!reader)
		return;
	if (!state_read(reader, &state)) {
		for (i = 0; i < state.nr_devices; i++)
			if (state.devices[i].ioas_id)
				know(object, &state.devices[i], device);
		state_free(&state);
	}
	state_close(reader);
}
