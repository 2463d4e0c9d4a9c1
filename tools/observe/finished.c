// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finished operations as the BPF programs send them.
 */
#include <string.h>

#include "observe/finished.h"

void finished_operation(struct scope_record *record, const void *data, size_t size)
{
	if (size > sizeof(*record))
		size = sizeof(*record);
	memcpy(record, data, size);
	memset((char *)record + size, 0, sizeof(*record) - size);
	record->comm[sizeof(record->comm) - 1] = '\0';
	record->device[sizeof(record->device) - 1] = '\0';
	record->driver[sizeof(record->driver) - 1] = '\0';
}
