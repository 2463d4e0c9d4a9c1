/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioctls as a thread makes them: which operation is it, and on what?
 *
 * For operations that began before anybody observed: all there is then is the thread's registers
 * and the memory of its process.
 */
#ifndef IOMMUSCOPE_DESCRIBE_IOCTL_ARGS_H
#define IOMMUSCOPE_DESCRIBE_IOCTL_ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/operations.h"

enum ioctl_file {
	IOCTL_FILE_OTHER,
	IOCTL_FILE_IOMMUFD,
	IOCTL_FILE_VFIO,
	IOCTL_FILE_CONTAINER,
};

/**
 * ioctl_file() - what a file descriptor of a process is
 * @pid: the process
 * @fd: the descriptor
 * @device: set to the name of the device of a VFIO device node, else to ""
 *
 * Return: which of our nodes it is, if any.
 */
enum ioctl_file ioctl_file(pid_t pid, uint64_t fd, char device[SCOPE_DEVICE_LEN]);

/**
 * ioctl_args_decode() - the operation that an ioctl asks for
 * @file: what it was called on
 * @pid: process whose memory has the argument
 * @request: number of the ioctl
 * @argument: address of its argument
 * @op: operation, and what it works on as far as the argument tells; the rest is untouched
 *
 * Return: whether it is one of ours.
 */
bool ioctl_args_decode(enum ioctl_file file, pid_t pid, uint64_t request, uint64_t argument,
		       struct scope_op *op);

#endif
