# SPDX-License-Identifier: GPL-2.0-only
"""A user of /dev/iommu, every call of which is known."""

import fcntl
import os
import struct

IOMMU_DESTROY = 0x3b80
IOMMU_IOAS_ALLOC = 0x3b81
IOMMU_IOAS_COPY = 0x3b83
IOMMU_IOAS_MAP = 0x3b85
IOMMU_IOAS_UNMAP = 0x3b86
IOMMU_OPTION = 0x3b87
IOMMU_HWPT_ALLOC = 0x3b89
VFIO_DEVICE_BIND_IOMMUFD = 0x3b76
VFIO_DEVICE_ATTACH_IOMMUFD_PT = 0x3b77
VFIO_DEVICE_DETACH_IOMMUFD_PT = 0x3b78
FIXED, WRITEABLE, READABLE = 1, 2, 4


def node_of(device):
    """The device's node."""
    name, = os.listdir("/sys/bus/pci/devices/%s/vfio-dev" % device)
    path = "/dev/vfio/devices/" + name
    if not os.path.exists(path):
        with open("/sys/class/vfio-dev/%s/dev" % name, encoding="ascii") as file:
            major, minor = map(int, file.read().split(":"))
        os.makedirs("/dev/vfio/devices", exist_ok=True)
        os.mknod(path, 0o600 | 0o020000, os.makedev(major, minor))
    return path


class Context:
    """An open /dev/iommu."""

    def __init__(self):
        self.file = os.open("/dev/iommu", os.O_RDWR)
        self.devices = []

    def call(self, number, layout, *values):
        data = bytearray(struct.pack(layout, struct.calcsize(layout), *values))
        fcntl.ioctl(self.file, number, data)
        return struct.unpack(layout, data)

    def ioas(self):
        return self.call(IOMMU_IOAS_ALLOC, "III", 0, 0)[2]

    def map(self, ioas, iova, memory, offset=0, length=None, flags=WRITEABLE | READABLE):
        length = memory.length if length is None else length
        self.call(IOMMU_IOAS_MAP, "IIIIQQQ", FIXED | flags, ioas, 0, memory.address + offset, length, iova)

    def copy(self, to, ioas, iova, length):
        return self.call(IOMMU_IOAS_COPY, "IIIIQQQ", FIXED | WRITEABLE | READABLE, to, ioas, length, iova, iova)

    def unmap(self, ioas, iova, length):
        self.call(IOMMU_IOAS_UNMAP, "IIQQ", ioas, iova, length)

    def hwpt(self, device, ioas):
        return self.call(IOMMU_HWPT_ALLOC, "IIIIIIIIQ", 0, device, ioas, 0, 0, 0, 0, 0)[4]

    def by_process(self):
        """Account memory to the process."""
        self.call(IOMMU_OPTION, "IIHHIQ", 0, 0, 0, 0, 1)

    def destroy(self, number):
        self.call(IOMMU_DESTROY, "II", number)

    def bind(self, device):
        """(file, id) of a device."""
        file = os.open(node_of(device), os.O_RDWR)
        self.devices.append(file)
        data = bytearray(struct.pack("IIiI", 16, 0, self.file, 0))
        fcntl.ioctl(file, VFIO_DEVICE_BIND_IOMMUFD, data)
        return file, struct.unpack("IIiI", data)[3]

    def attach(self, file, number):
        """Attach a device to an IOAS or HWPT; returns what it is attached to then."""
        data = bytearray(struct.pack("III", 12, 0, number))
        fcntl.ioctl(file, VFIO_DEVICE_ATTACH_IOMMUFD_PT, data)
        return struct.unpack("III", data)[2]

    def detach(self, file):
        fcntl.ioctl(file, VFIO_DEVICE_DETACH_IOMMUFD_PT, bytearray(struct.pack("II", 8, 0)))

    def close(self):
        for file in [*self.devices, self.file]:
            os.close(file)
