#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A user of a device of the kernel's own vfio, every call of which is known.

device_user.py FILE DEVICE: writes a line of JSON for each call into FILE.
"""

import errno
import fcntl
import json
import mmap
import os
import signal
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from container import VFIO_GROUP_GET_DEVICE_FD, VFIO_GROUP_UNSET_CONTAINER, Container  # noqa: E402

VFIO_DEVICE_GET_INFO = 0x3b6b
VFIO_DEVICE_GET_REGION_INFO = 0x3b6c
VFIO_DEVICE_SET_IRQS = 0x3b6e
VFIO_DEVICE_RESET = 0x3b6f
VFIO_DEVICE_PCI_HOT_RESET = 0x3b71
VFIO_DEVICE_FEATURE = 0x3b75
CONFIG_REGION = 7
COMMAND, MEMORY_SPACE = 4, 2
# VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER
EVENTFD_TRIGGER = 1 << 2 | 1 << 5
REQ_IRQ, NO_IRQ = 4, 99
# VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET of a number that no device has
PROBE_UNKNOWN = 1 << 18 | 1 << 17 | 0xfff0


class Log:
    """What was done, in order."""

    def __init__(self, path):
        self.file = open(path, "w", buffering=1, encoding="ascii")

    def add(self, operation, error=0, **details):
        json.dump({"operation": operation, "error": errno.errorcode[error] if error else None, **details}, self.file)
        self.file.write("\n")

    def call(self, operation, function, *arguments, **details):
        try:
            result = function(*arguments)
        except OSError as e:
            self.add(operation, e.errno, **details)
            return None
        self.add(operation, **details)
        return result


def irqs(index, start, count, *eventfds):
    return struct.pack("IIIII%di" % len(eventfds), 20 + 4 * len(eventfds), EVENTFD_TRIGGER, index, start, count,
                       *eventfds)


def region(file, index):
    info = bytearray(struct.pack("IIIIQQ", 32, 0, index, 0, 0, 0))
    fcntl.ioctl(file, VFIO_DEVICE_GET_REGION_INFO, info)
    _, _, _, _, size, offset = struct.unpack("IIIIQQ", info)
    return size, offset


def touch_without_memory(file, bar, config):
    """A fault while memory space is off, by a child: it ends with SIGBUS."""
    command, = struct.unpack("H", os.pread(file, 2, config + COMMAND))
    os.pwrite(file, struct.pack("H", command & ~MEMORY_SPACE), config + COMMAND)
    child = os.fork()
    if not child:
        signal.signal(signal.SIGBUS, signal.SIG_DFL)
        bar[:4]  # pylint: disable=pointless-statement
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGBUS:
        raise RuntimeError("no SIGBUS: %d" % status)
    os.pwrite(file, struct.pack("H", command | MEMORY_SPACE), config + COMMAND)


def use(log, device):
    container = Container()
    group = container.add(device)
    log.add("group_open", group=group)
    log.add("set_container", group=group)
    fcntl.ioctl(container.file, 0x3b66, 3)
    node = container.groups[group]
    log.call("open", fcntl.ioctl, node, VFIO_GROUP_GET_DEVICE_FD, bytearray(b"0000:ff:1f.7\0"), True, group=group)
    file = container.open_device(device)
    log.add("open", device=device, group=group)
    log.call("unset_container", fcntl.ioctl, node, VFIO_GROUP_UNSET_CONTAINER, group=group)
    log.call("ioctl", fcntl.ioctl, file, VFIO_DEVICE_GET_INFO, bytearray(struct.pack("IIIII", 20, 0, 0, 0, 0)),
             device=device, value=VFIO_DEVICE_GET_INFO)
    log.call("ioctl", fcntl.ioctl, file, 0x3b10, 0, device=device, value=0x3b10)
    event = os.eventfd(0)
    log.call("set_irqs", fcntl.ioctl, file, VFIO_DEVICE_SET_IRQS, irqs(REQ_IRQ, 0, 1, event), device=device, index=REQ_IRQ)
    log.call("set_irqs", fcntl.ioctl, file, VFIO_DEVICE_SET_IRQS, irqs(NO_IRQ, 3, 5), device=device, index=NO_IRQ)
    log.call("feature", fcntl.ioctl, file, VFIO_DEVICE_FEATURE, bytearray(struct.pack("II", 8, PROBE_UNKNOWN)),
             device=device, value=0xfff0)
    log.call("reset", fcntl.ioctl, file, VFIO_DEVICE_RESET, 0, device=device)
    log.call("hot_reset", fcntl.ioctl, file, VFIO_DEVICE_PCI_HOT_RESET, bytearray(struct.pack("III", 12, 0, 0)),
             device=device)
    size, offset = region(file, 0)
    log.add("ioctl", device=device, value=VFIO_DEVICE_GET_REGION_INFO)
    _, config = region(file, CONFIG_REGION)
    log.add("ioctl", device=device, value=VFIO_DEVICE_GET_REGION_INFO)
    command, = struct.unpack("H", os.pread(file, 2, config + COMMAND))
    os.pwrite(file, struct.pack("H", command | MEMORY_SPACE), config + COMMAND)
    bar = mmap.mmap(file, size, offset=offset)
    bar[:4]  # pylint: disable=pointless-statement
    log.add("bar_fault", device=device, index=0, offset=0)
    touch_without_memory(file, bar, config)
    log.add("bar_fault", errno.EFAULT, device=device, index=0, offset=0)
    bar.close()
    os.close(file)
    log.add("close", device=device)
    log.call("unset_container", fcntl.ioctl, node, VFIO_GROUP_UNSET_CONTAINER, group=group)


if __name__ == "__main__":
    use(Log(sys.argv[1]), sys.argv[2])
