# SPDX-License-Identifier: GPL-2.0-only
"""A user of VFIO's type1 container, every call of which is known."""

import ctypes
import fcntl
import mmap
import os
import struct
import subprocess

VFIO_SET_IOMMU = 0x3b66
VFIO_GROUP_SET_CONTAINER = 0x3b68
VFIO_GROUP_UNSET_CONTAINER = 0x3b69
VFIO_GROUP_GET_DEVICE_FD = 0x3b6a
VFIO_IOMMU_MAP_DMA = 0x3b71
VFIO_IOMMU_UNMAP_DMA = 0x3b72
VFIO_TYPE1V2_IOMMU = 3
READ, WRITE = 1, 2


def bind_device(slot):
    """Give a device to vfio-pci."""
    here = os.path.dirname(os.path.abspath(__file__))
    subprocess.run([os.path.join(here, "..", "e2e", "bind-device"), slot], check=True,
                   stdout=subprocess.DEVNULL)


def group_of(device):
    return int(os.path.basename(os.readlink("/sys/bus/pci/devices/%s/iommu_group" % device)))


class Memory:
    """Anonymous memory of this process, with its address."""

    def __init__(self, length):
        self.length = length
        self.map = mmap.mmap(-1, length)
        self.pin = (ctypes.c_char * length).from_buffer(self.map)
        self.address = ctypes.addressof(self.pin)


class Container:
    """A container with groups, and what is mapped in it: {iova: length}."""

    def __init__(self, *devices):
        self.file = os.open("/dev/vfio/vfio", os.O_RDWR)
        self.groups = {}
        self.devices = {}
        self.areas = {}
        for device in devices:
            self.add(device)
        if devices:
            fcntl.ioctl(self.file, VFIO_SET_IOMMU, VFIO_TYPE1V2_IOMMU)

    def add(self, device):
        """Put the group of a device into it, if it is not there."""
        group = group_of(device)
        if group not in self.groups:
            self.groups[group] = os.open("/dev/vfio/%d" % group, os.O_RDWR)
            fcntl.ioctl(self.groups[group], VFIO_GROUP_SET_CONTAINER,
                        struct.pack("i", self.file))
        return group

    def open_device(self, device):
        file = fcntl.ioctl(self.groups[group_of(device)], VFIO_GROUP_GET_DEVICE_FD,
                           bytearray(device.encode() + b"\0"), True)
        self.devices[device] = file
        return file

    def map(self, iova, memory, offset=0, length=None, prot=READ | WRITE):
        length = memory.length if length is None else length
        fcntl.ioctl(self.file, VFIO_IOMMU_MAP_DMA,
                    struct.pack("IIQQQ", 32, prot, memory.address + offset, iova, length))
        self.areas[iova] = length

    def unmap(self, iova, length):
        fcntl.ioctl(self.file, VFIO_IOMMU_UNMAP_DMA, struct.pack("IIQQ", 24, 0, iova, length))
        self.areas = {i: l for i, l in self.areas.items() if not iova <= i < iova + length}

    def change(self, iova, memory):
        """Unmap an area, and map it again."""
        fcntl.ioctl(self.file, VFIO_IOMMU_UNMAP_DMA,
                    struct.pack("IIQQ", 24, 0, iova, memory.length))
        fcntl.ioctl(self.file, VFIO_IOMMU_MAP_DMA,
                    struct.pack("IIQQQ", 32, READ | WRITE, memory.address, iova, memory.length))

    def mapped(self):
        return sum(self.areas.values())

    def close(self):
        for file in [*self.devices.values(), *self.groups.values()]:
            os.close(file)
        if self.file is not None:
            os.close(self.file)
