/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioctls as a thread makes them: which operation is it, and on what?
 *
 * For operations that began before anybody observed: all there is then is the thread's registers
 * and the memory of its process.
 */
#ifndef IOMMUSCOPE_CALLS_H
#define IOMMUSCOPE_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "operation.h"

enum call_file {
	CALL_OTHER,
	CALL_IOMMUFD,
	CALL_VFIO,
};

/**
 * call_file() - what a file descriptor of a process is
 * @pid: the process
 * @fd: the descriptor
 * @device: set to the name of the device of a VFIO device node, else to ""
 *
 * Return: which of our nodes it is, if any.
 */
enum call_file call_file(pid_t pid, uint64_t fd, char device[SCOPE_DEVICE_LEN]);

/**
 * call_decode() - the operation that an ioctl asks for
 * @file: what it was called on
 * @pid: process whose memory has the argument
 * @request: number of the ioctl
 * @argument: address of its argument
 * @record: operation, and what it works on as far as the argument tells; the rest is untouched
 *
 * Return: whether it is one of ours.
 */
bool call_decode(enum call_file file, pid_t pid, uint64_t request, uint64_t argument,
		 struct scope_record *record);

#endif
