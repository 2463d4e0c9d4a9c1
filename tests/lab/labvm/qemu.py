# SPDX-License-Identifier: GPL-2.0-only
"""One machine: the QEMU process, the files around it, its start and its end.

A machine has a directory of its own. The sockets and the initramfs are removed with the machine;
console.log (the output of the serial line) and dmesg.log (the kernel log, record by record, sent
by the agent) stay. QEMU ends with the process that started it, however that ends.
"""

import ctypes
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from . import LabError, initrd, kernels, klog, pace
from .config import IOMMUS

BOOT_TIMEOUT = 180
PR_SET_PDEATHSIG = 1
SOCKETS = "iommuscope-lab-"
libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """For a child: be killed when the parent ends, and ignore the terminal's Ctrl-C."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setpgid(0, 0)


def accelerator():
    """TCG, unless the processor can really virtualise.

    /dev/kvm alone proves nothing: a machine without nested virtualisation can have it and hang.
    """
    want = os.environ.get("IOMMUSCOPE_ACCEL", "")
    if want not in ("", "tcg", "kvm"):
        raise LabError(f"IOMMUSCOPE_ACCEL={want}: neither tcg nor kvm", 2)
    if want:
        return want
    try:
        with open("/proc/cpuinfo") as f:
            flags = next((line.split() for line in f if line.startswith("flags")), [])
    except OSError:
        flags = []
    capable = "vmx" in flags or "svm" in flags
    return "kvm" if capable and os.access("/dev/kvm", os.R_OK | os.W_OK) else "tcg"


def kernel_release(path):
    """The release in the header of a bzImage ('' if it has none)."""
    try:
        with open(path, "rb") as f:
            head = f.read(0x10000)
    except OSError as e:
        raise LabError(f"{path}: {e.strerror}") from e
    if head[0x202:0x206] != b"HdrS":
        raise LabError(f"{path} is not a Linux kernel image")
    at = struct.unpack_from("<H", head, 0x20E)[0] + 0x200
    return head[at:at + 256].split(b"\0")[0].decode(errors="replace").split(" ")[0]


def find_tree(first, kernel, release):
    """The module tree of @release, in @first or near the kernel, or None."""
    near = os.path.dirname(os.path.dirname(os.path.abspath(kernel)))
    for base in (first, near, os.path.dirname(os.path.abspath(kernel)), "/"):
        tree = os.path.join(base, "lib", "modules", release)
        if os.path.exists(os.path.join(tree, "modules.dep")):
            return tree
    return None


class Machine:
    def __init__(self, paths, options, directory):
        self.paths = paths
        self.options = options
        self.dir = directory
        self.process = None
        self.accel = "tcg" if options.icount else accelerator()

    def file(self, name):
        return os.path.join(self.dir, name)

    def command(self, kernel):
        o = self.options
        kind, extra = o.iommu
        devices, arguments = IOMMUS[kind]
        # On a busy host the boot's check of the timer finds it too slow, and panics.
        append = ["console=ttyS0", "panic=-1", "quiet", "loglevel=4", "log_buf_len=1M",
                  "no_timer_check", "rcupdate.rcu_cpu_stall_timeout=120"]
        append += arguments + o.append
        cmd = [
            kernels.Kernel(self.paths, o).qemu, "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-machine", "q35,kernel-irqchip=split", "-m", str(o.mem),
            "-smp", str(o.cpus),
        ]
        if self.accel == "kvm":
            cmd += ["-accel", "kvm", "-cpu", "host"]
        else:
            # With one thread each, emulated processors were seen to take the breakpoint of a code
            # patch that was over, and to lose their timer while modules were unloaded.
            cmd += ["-accel", "tcg,thread=single", "-cpu", "max"]
        if o.icount:
            # the load of the host no longer shows in the guest's time
            cmd += ["-icount", "shift=0"]
        for device in devices:
            cmd += ["-device", device.format(extra=extra)]
        cmd += [
            "-kernel", kernel, "-initrd", self.file("initrd"), "-append", " ".join(append),
            "-chardev", f"file,id=console,path={self.file('console.log')}",
            "-serial", "chardev:console",
            "-qmp", f"unix:{self.socket('qmp')},server=on,wait=off",
            # The lab's own devices get high slots, which leaves the low ones to the user's
            # devices.
            "-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=host,mount_tag=host,addr=1b",
            "-fsdev", f"local,id=out,path={self.paths.out},security_model=none,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=out,mount_tag=out,addr=1a",
            "-device", "virtio-serial-pci,id=ports,addr=1c",
            "-chardev", f"socket,id=agent,path={self.socket('agent')},server=on,wait=off",
            "-device", "virtserialport,bus=ports.0,chardev=agent,name=iommuscope.agent",
            "-chardev", f"file,id=log,path={self.file('dmesg.log')}",
            "-device", "virtserialport,bus=ports.0,chardev=log,name=iommuscope.log",
        ]
        if o.hostfwd:
            forward = "".join(f",hostfwd=tcp:127.0.0.1:{h}-:{g}" for h, g in o.hostfwd)
            cmd += ["-netdev", f"user,id=net,restrict=on{forward}",
                    "-device", "virtio-net-pci,netdev=net,romfile=,addr=19"]
        for prop in o.globals:
            cmd += ["-global", prop]
        for netdev in o.netdev:
            cmd += ["-netdev", netdev]
        for device in o.device:
            cmd += ["-device", device]
        for drive in o.drive:
            cmd += ["-drive", drive]
        return cmd

    def socket(self, name):
        return os.path.join(self.sockets, name)

    def prepare(self):
        """Choose the kernel, write the initramfs; returns the kernel's path."""
        o = self.options
        chosen = kernels.Kernel(self.paths, o)
        kernel = chosen.image
        if not os.path.exists(kernel):
            raise LabError(f"{kernel} is missing" + ("" if o.kernel else ": run './dev setup'"))
        release = kernel_release(kernel)
        tree_path = find_tree(chosen.tree_base, kernel, release)
        tree = initrd.ModuleTree(tree_path) if tree_path else None
        # the first two are built into some kernels
        boot = ["virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay"]
        if o.iommu[0] == "virtio":
            # before any other virtio device is probed
            boot.insert(0, "virtio_iommu")
        if o.hostfwd:
            boot.append("virtio_net")
        modules = chosen.load_order(tree, release)
        settings = {
            "LAB_AGENT": self.paths.agent,
            "LAB_MODULE_TREE": tree_path or "",
            "LAB_NET": "1" if o.hostfwd else "",
            "LAB_PATH": guest_path(self.paths),
        }
        initrd.build(self.file("initrd"), tree, boot, modules, settings)
        return kernel

    def start(self):
        os.makedirs(self.dir, exist_ok=True)
        os.makedirs(self.paths.out, exist_ok=True)
        # the path of a unix socket is limited to 107 bytes: too short for a deep build folder
        sweep(tempfile.gettempdir(), SOCKETS)
        self.sockets = tempfile.mkdtemp(prefix=f"{SOCKETS}{os.getpid()}-")
        try:
            for name in ("console.log", "dmesg.log"):
                open(self.file(name), "wb").close()
            kernel = self.prepare()
            self.errors = open(self.file("qemu.log"), "wb")
            try:
                self.process = subprocess.Popen(
                    self.command(kernel), stdin=subprocess.DEVNULL, stdout=self.errors,
                    stderr=self.errors, preexec_fn=die_with_parent)
            except FileNotFoundError as e:
                raise LabError("qemu-system-x86_64 is missing: run './dev setup'") from e
            self.wait_for_socket()
        except BaseException:
            self.kill()
            raise

    def wait_for_socket(self):
        limit = pace.Deadline(60)
        while not os.path.exists(self.socket("agent")):
            if self.process.poll() is not None or limit.passed():
                raise LabError("QEMU did not start: " + self.qemu_said())
            time.sleep(0.01)

    def qemu_said(self):
        try:
            with open(self.file("qemu.log"), errors="replace") as f:
                lines = [line for line in f.read().splitlines() if line.strip()]
        except OSError:
            lines = []
        return lines[-1] if lines else "it said nothing"

    def console(self):
        with open(self.file("console.log"), errors="replace") as f:
            return f.read()

    def why_gone(self):
        """One line (and the lines of a panic) for a machine that ended by itself."""
        panic = klog.panicked(self.console())
        if panic:
            return "the guest panicked", panic
        said = [line for line in self.console().splitlines() if "lab-init:" in line]
        if said:
            return "the guest did not come up: " + said[-1].partition("lab-init: ")[2].rstrip(), []
        status = self.process.poll() if self.process else None
        if status:
            return f"QEMU ended with status {status}: {self.qemu_said()}", []
        return "the guest powered off or rebooted", []

    def wait(self, seconds):
        """Wait up to @seconds of an idle machine for QEMU's end."""
        limit = pace.Deadline(seconds)
        while not limit.passed():
            try:
                self.process.wait(limit.left())
                return True
            except subprocess.TimeoutExpired:
                pass
        return False

    def kill(self):
        """End QEMU if it still runs, and remove its temporary files."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.sockets, ignore_errors=True)
        try:
            os.unlink(self.file("initrd"))
        except FileNotFoundError:
            pass


def sweep(directory, prefix):
    """Remove the files of processes that were killed; their number follows @prefix."""
    for name in os.listdir(directory):
        pid = name[len(prefix):].partition("-")[0]
        if name.startswith(prefix) and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            shutil.rmtree(os.path.join(directory, name), ignore_errors=True)


def guest_path(paths):
    return ":".join([paths.bin, paths.test_bin, "/usr/local/sbin", "/usr/local/bin",
                     "/usr/sbin", "/usr/bin", "/sbin", "/bin"])
