# SPDX-License-Identifier: GPL-2.0-only
"""An open /dev/iommu of this process, with memory mapped into it."""

import contextlib
import ctypes
import fcntl
import mmap
import os
import resource
import struct

IOVA = 0x10000000

# include/uapi/linux/iommufd.h: _IO(';', 0x80 + n)
IOAS_ALLOC = 0x3b81
IOAS_MAP = 0x3b85
MAP_FIXED_WRITEABLE_READABLE = 7


@contextlib.contextmanager
def memlock(limit):
    """RLIMIT_MEMLOCK of this process, within the with-block."""
    before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, before)


class Space:
    """A context with one IOAS."""

    def __enter__(self):
        self.memory = []
        self.fd = os.open("/dev/iommu", os.O_RDWR | os.O_CLOEXEC)
        answer = fcntl.ioctl(self.fd, IOAS_ALLOC, struct.pack("III", 12, 0, 0))
        self.ioas = struct.unpack("III", answer)[2]
        return self

    def map(self, iova, length):
        self.map_into(self.ioas, iova, length)

    def map_into(self, ioas, iova, length):
        """Map memory into an IOAS by its id, which may be made up."""
        memory = mmap.mmap(-1, length)
        self.memory.append(memory)
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        fcntl.ioctl(self.fd, IOAS_MAP, struct.pack("IIIIQQQ", 40, MAP_FIXED_WRITEABLE_READABLE,
                                                   ioas, 0, address, length, iova))

    def __exit__(self, *_):
        os.close(self.fd)
