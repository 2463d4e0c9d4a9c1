#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: story-real.sh BDF
#
# './dev demo --real BDF': the story with a device of this host, on its own kernel, with our
# modules loaded. The device must be bound to vfio-pci and unused. Nothing makes it do DMA, and
# its data stays: memory is mapped for it, and its translation is replaced.
# mapped for it, and its translation is replaced.
set -u
HERE=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=tests/demo/story-lib.sh
. "$HERE/story-lib.sh"
DEVICE=$1

case $DEVICE in
*:*:*) ;;
*) DEVICE=0000:$DEVICE ;;
esac
if [ "$(id -u)" != 0 ]; then
	echo "demo: --real needs root, as the tool does" >&2
	exit 1
fi

chapter "This host: Linux $(uname -r), and $DEVICE"
if ! iommuscope doctor -d "$DEVICE" >"$DEMO_OUT/doctor.txt"; then
	grep -v '^ok ' "$DEMO_OUT/doctor.txt"
	echo "demo: this host or device is not ready; what is missing stands above" >&2
	exit 1
fi
cat "$DEMO_OUT/doctor.txt"
if [ "$(basename "$(readlink "/sys/bus/pci/devices/$DEVICE/driver")")" != vfio-pci ]; then
	echo "demo: give $DEVICE to vfio-pci first: tests/e2e/bind-device $DEVICE" >&2
	exit 1
fi

chapter "Where does the time go when a guest starts?" \
	"The device gets the memory of a guest: untouched 4 KiB pages, transparent huge pages," \
	"hugetlb; then small maps by the hundred. 'lat' watches and counts in the kernel:"
show lat iommuscope lat -o map,unmap -d "$DEVICE" -- guest-load -m 64 -s 4 "$DEVICE"

chapter "What is attached to what, and what is pinned?"
guest-load -m 64 -s 0 -k 60 "$DEVICE" >"$DEMO_OUT/.load" 2>&1 &
LOAD=$!
wait_for grep -q kept "$DEMO_OUT/.load"
show state iommuscope state
show capacity iommuscope capacity
keep state.json iommuscope state --json
kill $LOAD 2>/dev/null
wait $LOAD 2>/dev/null
rm -f "$DEMO_OUT/.load"

chapter "Is this host's IOMMU hitless?" \
	"The device is switched 100 times between two equal page tables:"
show drill iommuscope replace --drill "$DEVICE"

chapter "Why does a map say 'Cannot allocate memory'?" \
	"A user that may lock 64 KiB asks for 64 MiB of each kind:"
show errors limited iommuscope ops --errors -o map -- sh -c "guest-load -m 64 -s 0 -k 1 $DEVICE || true"

printf '\nKept in %s: %s\n' "$DEMO_OUT" "$(ls "$DEMO_OUT" | tr '\n' ' ')"
exit $FAILED
