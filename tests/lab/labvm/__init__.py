# SPDX-License-Identifier: GPL-2.0-only
"""The lab: virtual machines in which the subsystem is run and tested.

config    what kind of machine to start, from command line options
initrd    the initramfs: busybox, modules, the boot's configuration
qemu      one QEMU process: its command line, its life and its death
agent     talks to the agent in the guest and runs commands there
kernels   the kernels that the lab knows by name
klog      reads the guest's kernel log and judges it
keeper    keeps a machine up between commands, for tests that share one
monitor   sends commands to QEMU's monitor of such a machine
"""


class LabError(Exception):
    """An error that the user can act on; shown as one line."""

    def __init__(self, message, status=125):
        super().__init__(message)
        self.status = status
