#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run by './dev demo' in a machine of the lab: workloads, and what the tool sees of them.
# The machine has VT-d, an NVMe disk that may be overwritten, and the mock IOMMU.
set -u
failed=0

say() {
	printf '\n== %s\n' "$*"
}

# Show a command line, then run it.
run() {
	printf '\n$ %s\n' "$*"
	"$@" || {
		echo "demo: this failed with exit status $?"
		failed=1
	}
}

# Without the right to pass limits, and with 64 KiB that may be locked: as users are.
limited() {
	setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock sh -c 'ulimit -l 64; exec "$@"' sh "$@"
}

say "A guest with Linux $(uname -r), VT-d, an NVMe disk, and our modules"
ls -l /dev/iommu

say "Every call, as it happens; one of the six is wrong"
run iommuscope ops -- sh -c 'exec ioas-load 6 >/dev/null'

say "Where the time goes: 200 maps and unmaps of 1 MiB for one device"
run iommuscope lat -o map,unmap --by device -- sh -c 'exec map-load -m 200 0x100000 >/dev/null'

say "A real disk: a driver in user space reads and compares while its translation is replaced"
echo "   1000 times. VT-d has no translation for a moment each time, and some reads are lost;"
echo "   virtio-iommu's would not be. 'switch' is the time inside of the IOMMU driver."
run iommuscope lat -o attach,replace,detach -- \
	sh -c 'e2e-test replace.reads_go_on | grep -E "replacements|sha256|not ok"'

say "Why a map says 'Cannot allocate memory': 64 KiB may be locked, 1 MiB is to be pinned"
run limited iommuscope ops --errors -o map -- sh -c 'exec map-load -m 2 0x100000 >/dev/null'

say "What is stuck right now: a map whose memory does not come"
(sleep 3) | stuck-load >/dev/null &
sleep 1
run iommuscope stuck --longer 500ms
wait

say "That was iommuscope. './dev vm' gives a shell in such a guest."
exit $failed
