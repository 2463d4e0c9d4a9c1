// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "observe/finished.h"
#include "text/name.h"

void finished_operation(struct scope_op *op, const void *data, size_t size)
{
	if (size > sizeof(*op))
		size = sizeof(*op);
	memcpy(op, data, size);
	memset((char *)op + size, 0, sizeof(*op) - size);
	NAME_CLEAN(op->comm);
	NAME_CLEAN(op->device);
	NAME_CLEAN(op->driver);
}
