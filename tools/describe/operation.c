// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "describe/names.h"
#include "describe/operation.h"
#include "describe/uapi_names.h"
#include "machine/pid_namespace.h"
#include "text/format.h"
#include "text/strbuf.h"

static void say_id(struct strbuf *buf, const char *what, __u32 id)
{
	strbuf_add(buf, ", ");
	strbuf_add(buf, what);
	strbuf_add(buf, " ");
	strbuf_add_number(buf, id);
}

/* Write "4 to 5", or only the one that exists. */
static void say_change(struct strbuf *buf, const char *what, __u32 before, __u32 after)
{
	if (!before && !after)
		return;
	say_id(buf, what, before ? before : after);
	if (before && after && before != after) {
		strbuf_add(buf, " to ");
		strbuf_add_number(buf, after);
	}
}

static void say_memory(struct strbuf *buf, const struct scope_op *op)
{
	strbuf_add(buf, format_size(op->length).s);
	strbuf_add(buf, " at ");
	strbuf_add_hex(buf, op->iova);
	if (op->source == SCOPE_SOURCE_TYPE1) {
		say_id(buf, "container", op->ctx);
	} else if (op->src_ioas) {
		say_id(buf, "ioas", op->src_ioas);
		strbuf_add(buf, " to ");
		strbuf_add_number(buf, op->ioas);
	} else if (op->ioas) {
		say_id(buf, "ioas", op->ioas);
	} else if (op->device_id) {
		say_id(buf, "access", op->device_id);
	}
}

static void say_translation(struct strbuf *buf, const struct scope_op *op)
{
	if (*op->device)
		strbuf_add(buf, op->device);
	else
		strbuf_say(buf, "%s %u",
			   strncmp(operation_name(op->operation), "access_", 7) ? "device" : "access",
			   op->device_id);
	if (op->source == SCOPE_SOURCE_TYPE1) {
		say_id(buf, "container", op->ctx);
	} else {
		say_change(buf, "hwpt", op->old_hwpt, op->hwpt);
		say_change(buf, "ioas", op->old_ioas, op->ioas);
	}
	if (op->devices > 1)
		strbuf_say(buf, ", %u devices of group %u", op->devices, op->group);
}

static void say_ioctl(struct strbuf *buf, enum ioctl_of of, uint64_t number)
{
	const char *name = ioctl_name(of, number);

	if (name)
		strbuf_add(buf, name);
	else
		strbuf_say(buf, "ioctl 0x%" PRIx64, number);
}

static void say_feature(struct strbuf *buf, uint64_t flags)
{
	const char *name = feature_name(flags), *request = feature_request(flags);

	if (name)
		strbuf_add(buf, name);
	else
		strbuf_say(buf, "feature %u", (unsigned int)(flags & 0xffff));
	if (*request)
		strbuf_say(buf, " (%s)", request);
}

static void say_object(struct strbuf *buf, const struct scope_op *op)
{
	if (op->source == SCOPE_SOURCE_TYPE1) {
		strbuf_say(buf, "container %u", op->ctx);
		return;
	}
	switch (op->operation) {
	case SCOPE_OPERATION_iommufd_open:
	case SCOPE_OPERATION_iommufd_close:
		strbuf_say(buf, "ctx %u", op->ctx);
		return;
	case SCOPE_OPERATION_iommufd_unknown_ioctl:
		say_ioctl(buf, IOCTL_OF_IOMMUFD, op->value);
		return;
	}
	if (op->object_id)
		strbuf_say(buf, "%s %u", object_type_name(op->object_type), op->object_id);
	else
		strbuf_say(buf, "ctx %u", op->ctx);
	if (op->operation == SCOPE_OPERATION_iommufd_option)
		strbuf_say(buf, ", value %" PRIu64, (uint64_t)op->value);
}

static void say_vfio(struct strbuf *buf, const struct scope_op *op)
{
	strbuf_add(buf, *op->device ? op->device : "group");
	if (!*op->device)
		strbuf_say(buf, " %u", op->group);
	if (*op->driver)
		strbuf_say(buf, ", %s", op->driver);
	switch (op->operation) {
	case SCOPE_OPERATION_vfio_set_irqs:
		strbuf_say(buf, ", interrupts %u to %u of index %u", op->start,
			   op->start + op->devices - !!op->devices, op->index);
		return;
	case SCOPE_OPERATION_vfio_bar_fault:
		strbuf_say(buf, ", %s at 0x%" PRIx64 " of region %u", format_size(op->length).s,
			   (uint64_t)op->iova, op->index);
		return;
	case SCOPE_OPERATION_vfio_hot_reset:
		strbuf_say(buf, ", %u devices", op->devices);
		return;
	case SCOPE_OPERATION_vfio_feature:
		strbuf_add(buf, ", ");
		say_feature(buf, op->value);
		return;
	case SCOPE_OPERATION_vfio_ioctl:
		strbuf_add(buf, ", ");
		say_ioctl(buf, IOCTL_OF_VFIO, op->value);
		return;
	}
	if (op->device_id)
		strbuf_say(buf, ", device %u", op->device_id);
	if (op->hwpt)
		strbuf_say(buf, ", ioas or hwpt %u", op->hwpt);
}

static void say_what(struct strbuf *buf, const struct scope_op *op)
{
	switch (scope_operation_class(op->operation)) {
	case SCOPE_CLASS_MEMORY:
		say_memory(buf, op);
		break;
	case SCOPE_CLASS_TRANSLATION:
		say_translation(buf, op);
		break;
	case SCOPE_CLASS_VFIO:
		say_vfio(buf, op);
		break;
	default:
		say_object(buf, op);
	}
}

void operation_what(const struct scope_op *op, char *text, size_t size)
{
	struct strbuf buf;

	strbuf_begin(&buf, text, size);
	say_what(&buf, op);
}

/* Print a number of a reason.  The words of its meaning decide the format. */
static void say_number(struct strbuf *buf, enum ioctl_of of, const char *meaning, uint64_t value)
{
	if (strstr(meaning, "error code"))
		strbuf_say(buf, "%s %s",
			   strstr(meaning, "IOMMU driver") ? "the driver says" : "error",
			   error_name(value > 4095 ? (int)-value : (int)value));
	else if (strstr(meaning, "IOVA") || strstr(meaning, "address") ||
		 strstr(meaning, "flags"))
		strbuf_say(buf, "%s 0x%" PRIx64, meaning, value);
	else if (strstr(meaning, "ioctl number"))
		say_ioctl(buf, of, value);
	else if (!strncmp(meaning, "bytes", 5) && value)
		strbuf_say(buf, "%s wanted", format_size(value).s);
	else if (strncmp(meaning, "bytes", 5))
		strbuf_say(buf, "%s %" PRIu64, meaning, value);
}

/* Describe reasons that need better words than the list has.  Return whether this is one. */
static bool say_special(struct strbuf *buf, const struct scope_op *op)
{
	uint64_t a = op->reason_a, b = op->reason_b;

	if (scope_operation_class(op->operation) == SCOPE_CLASS_VFIO)
		return false;
	switch (op->reason) {
	case SCOPE_REASON_iommufd_memlock_limit:
		strbuf_say(buf, "RLIMIT_MEMLOCK: %s allowed, %s in use", format_size(b).s,
			   format_size_as(a, b).s);
		if (op->length)
			strbuf_say(buf, ", %s wanted", format_size_as(op->length, b).s);
		return true;
	case SCOPE_REASON_iommufd_wrong_object_type:
		strbuf_say(buf, "object %" PRIu64 " is of another type (%s) than the call needs", a,
			   object_type_name(b));
		return true;
	case SCOPE_REASON_iommufd_overflow:
		strbuf_say(buf, "start 0x%" PRIx64 " plus length 0x%" PRIx64 " overflows", a, b);
		return true;
	case SCOPE_REASON_iommufd_iova_misaligned:
		strbuf_say(buf, "0x%" PRIx64 " is not a multiple of %s, the IOMMU's smallest page",
			   a, format_size(b).s);
		return true;
	case SCOPE_REASON_iommufd_iova_space_full:
		strbuf_say(buf, "no free IOVA range of %s aligned to %s", format_size(a).s,
			   format_size(b).s);
		return true;
	case SCOPE_REASON_iommufd_iova_overlap:
	case SCOPE_REASON_iommufd_iova_reserved:
	case SCOPE_REASON_iommufd_unmap_splits_area:
	case SCOPE_REASON_iommufd_area_in_use:
	case SCOPE_REASON_iommufd_reserved_region_in_use:
	case SCOPE_REASON_iommufd_iova_not_allowed:
	case SCOPE_REASON_iommufd_allowed_narrower:
	case SCOPE_REASON_iommufd_aperture_exceeded:
		strbuf_say(buf, "%s: 0x%" PRIx64 " to 0x%" PRIx64,
			   reason_text(op->operation, op->reason), a, b);
		return true;
	}
	return false;
}

static void say_why(struct strbuf *buf, const struct scope_op *op)
{
	const char *a = reason_number(op->operation, op->reason, false);
	const char *b = reason_number(op->operation, op->reason, true);
	enum ioctl_of of = scope_operation_class(op->operation) == SCOPE_CLASS_VFIO ?
				   IOCTL_OF_VFIO :
				   IOCTL_OF_IOMMUFD;

	if (!op->reason) {
		strbuf_add(buf, strerror(-op->ret));
		return;
	}
	if (say_special(buf, op))
		return;
	strbuf_add(buf, reason_text(op->operation, op->reason));
	if (a) {
		strbuf_add(buf, ": ");
		say_number(buf, of, a, op->reason_a);
	}
	if (b) {
		strbuf_add(buf, ", ");
		say_number(buf, of, b, op->reason_b);
	}
}

void operation_why(const struct scope_op *op, char *text, size_t size)
{
	struct strbuf buf;

	strbuf_begin(&buf, text, size);
	say_why(&buf, op);
}

void operation_failure(const struct scope_op *op, char *text, size_t size)
{
	struct strbuf buf;

	strbuf_begin(&buf, text, size);
	strbuf_say(&buf, "%s of ", operation_title(op->operation));
	say_what(&buf, op);
	strbuf_add(&buf, " failed: ");
	say_why(&buf, op);
	strbuf_say(&buf, " (uid %u, %s [%s])", op->uid, op->comm, pid_text(op->tgid).s);
}

unsigned int operation_phase(const struct scope_op *op, uint64_t *ns)
{
	unsigned int i, longest = SCOPE_NR_PHASES;
	uint64_t sum = 0;

	for (i = 0; i < SCOPE_NR_PHASES; i++)
		sum += op->phase_ns[i];
	*ns = op->dur_ns > sum ? op->dur_ns - sum : 0;
	for (i = 0; i < SCOPE_NR_PHASES; i++) {
		if (op->phase_ns[i] > *ns) {
			*ns = op->phase_ns[i];
			longest = i;
		}
	}
	return longest;
}
