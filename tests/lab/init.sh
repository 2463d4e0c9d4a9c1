#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# First program of the lab's guest, run from the initramfs by its busybox. It makes the host's
# file system the root (read-only below, a tmpfs above), loads the modules, and hands over to the
# agent. The host writes /lab.conf for every boot: what to load, and the paths of things. This one
# static busybox does everything, since a program run from 9p costs 20 ms and more.

B=/bin/busybox
export PATH=/bin

die() {
	echo "lab-init: $*" >/dev/kmsg
	echo "lab-init: $*"
	echo o >/proc/sysrq-trigger
	$B sleep 30
}

$B mount -t proc proc /proc
$B mount -t sysfs sys /sys
$B mount -t devtmpfs dev /dev
# shellcheck source=/dev/null
. /lab.conf

for m in $LAB_BOOT_MODULES; do
	$B insmod "/modules/$m" || die "cannot load $m"
done

$B mkdir -p /lower /upper /root
P9="trans=virtio,version=9p2000.L,msize=512000"
$B mount -t 9p -o "$P9,ro,cache=loose" host /lower || die "cannot mount the host's file system"
$B mount -t tmpfs -o mode=755 tmpfs /upper
$B mkdir /upper/data /upper/work
$B mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work overlay /root ||
	die "cannot put an overlay over the host's file system"

R=/root
for d in proc sys dev run out lib; do
	[ -e $R/$d ] || $B mkdir $R/$d
done
$B mount --move /proc $R/proc
$B mount --move /sys $R/sys
$B mount --move /dev $R/dev
$B mkdir -p $R/dev/shm $R/dev/pts $R/dev/hugepages
$B mount -t tmpfs -o mode=1777 shm $R/dev/shm
$B mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts $R/dev/pts
$B mount -t hugetlbfs hugetlbfs $R/dev/hugepages
$B ln -sf /proc/self/fd $R/dev/fd
$B ln -sf /proc/self/fd/0 $R/dev/stdin
$B ln -sf /proc/self/fd/1 $R/dev/stdout
$B ln -sf /proc/self/fd/2 $R/dev/stderr
$B mount -t tmpfs -o mode=755 run $R/run
$B mkdir -p $R/run/home $R/run/lock $R/run/mount
$B mount -t tracefs tracefs $R/sys/kernel/tracing
# Recording task names patches the scheduler's code whenever the first event is enabled or the
# last one disabled. Emulated CPUs were seen to take the patch's trap after it had been removed.
echo 0 >$R/sys/kernel/tracing/options/record-cmd
$B mount -t debugfs debugfs $R/sys/kernel/debug
# the first process that looks at it mounts it: not a test, which would leave it mounted
[ -e $R/sys/kernel/debug/tracing/README ]
$B mount -t bpf bpf $R/sys/fs/bpf
$B mount -t cgroup2 cgroup2 $R/sys/fs/cgroup
# not cached: the host reads and writes it at the same time
$B mount -t 9p -o "$P9,cache=mmap" out $R/out || die "cannot mount /out"

if [ -n "$LAB_MODULE_TREE" ]; then
	v=$($B uname -r)
	$B mkdir -p "$R/lib/modules/$v"
	$B mount -o bind "$R$LAB_MODULE_TREE" "$R/lib/modules/$v" || die "cannot mount the module tree"
fi
for m in $LAB_MODULES; do
	case $m in
	/*) $B insmod "$R$m" || die "cannot load $m" ;;
	*) $B insmod "/modules/$m" || die "cannot load $m" ;;
	esac
done

$B hostname lab
$B ifconfig lo 127.0.0.1 up
[ -n "$LAB_NET" ] && $B ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up && $B route add default gw 10.0.2.2

# The layers below the root become hidden here; lab-state reads them through these descriptors.
exec 8</lower 9</upper/data
export PATH="$LAB_PATH" HOME=/run/home LANG=C.UTF-8
exec $B switch_root $R "$LAB_AGENT"
