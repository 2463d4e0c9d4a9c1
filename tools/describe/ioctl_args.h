/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioctls decoded from the thread that makes them: which operation is it, and on what?
 *
 * This is for operations that started before the observation: only the registers of the thread and
 * the memory of its process are available.
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
 * ioctl_file() - identify a file descriptor of a process
 * @pid: the process
 * @fd: the descriptor
 * @device: set to the name of the device of a VFIO device node, else to ""
 *
 * Return: the kind of node that it is, if any.
 */
enum ioctl_file ioctl_file(pid_t pid, uint64_t fd, char device[SCOPE_DEVICE_LEN]);

/**
 * ioctl_args_decode() - find the operation that an ioctl requests
 * @file: the kind of file that it was called on
 * @pid: process whose memory has the argument
 * @request: number of the ioctl
 * @argument: address of its argument
 * @op: set to the operation and to what the argument says about it; the rest is not changed
 *
 * Return: whether it is an operation that we know.
 */
bool ioctl_args_decode(enum ioctl_file file, pid_t pid, uint64_t request, uint64_t argument,
		       struct scope_op *op);

#endif
