#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run by './dev demo --stock' in a machine of the lab that has the kernel's own VFIO and none of
# our modules. The distribution's QEMU passes a device through to a guest, and the tool shows what
# neither QEMU nor the kernel reports. Reports go to DEMO_OUT.
set -u
HERE=$(cd "$(dirname "$0")" && pwd -P)
mkdir -p "$DEMO_OUT"
# shellcheck source=tests/demo/story-lib.sh
. "$HERE/story-lib.sh"
PATH=$HERE:$PATH

NIC=$(find_device 8086 10d3)
GROUP=/dev/vfio/$(basename "$(readlink "/sys/bus/pci/devices/$NIC/iommu_group")")

chapter "A host: Linux $(uname -r), its own VFIO, and none of our modules" \
	"The tool alone, as the package iommuscope installs it. What can it see here?"
show bind "$HERE/../e2e/bind-device" "$NIC"
keep doctor.txt sh -c 'iommuscope doctor || true'
show doctor sh -c "iommuscope doctor | sed -n '/ sources /,/^ok/p'"

chapter "Why does the guest not start?" \
	"A user that may lock 64 MiB passes the network controller to a guest of 256 MiB. QEMU only reports" \
	"'Cannot allocate memory'. 'ops --errors' watches:"
chown 1000 "$GROUP"
show errors sh -c 'iommuscope ops --errors -- stock-guest -u 1000 "$1" 256 || true' sh "$NIC"

chapter "Why does the guest start slowly?" "The same as root, without that limit:"
show lat iommuscope lat -o map,unmap,attach -- stock-guest "$NIC" 256
note "the time of the maps is that of 'pin': the guest's memory is faulted in and zeroed, page by page," \
	"before its first instruction. Huge pages are the remedy."

chapter "Who has which device, and what is pinned?" "While a guest runs:"
stock-guest -k "$NIC" 128 &
GUEST=$!
# all of its memory, and what QEMU maps besides
all_pinned() {
	pinned=$(iommuscope capacity --json | sed 's/.*"host_memory":{"pinned_bytes":\([0-9]*\).*/\1/')
	[ "$pinned" -ge $((128 << 20)) ]
}
wait_for all_pinned
show state iommuscope state
show capacity iommuscope capacity
keep state.json iommuscope state --json
keep capacity.json iommuscope capacity --json

chapter "All of that for a fleet" "The exporter serves the same figures to Prometheus. A few lines:"
begin export.txt export --listen 0.0.0.0:9947
stock-guest "$NIC" 64 >/dev/null 2>&1
python3 "$HERE/metrics" "$DEMO_OUT/metrics.txt" || FAILED=1
grep -E '^(iommufd_operations_total.*"map"|iommufd_(mapped|pinned)_bytes|iommufd_device_info)' "$DEMO_OUT/metrics.txt" |
	cut -c1-150 | head -n 8
end_all
kill $GUEST
wait $GUEST 2>/dev/null
rm -f "$DEMO_OUT"/.ready

printf '\n%sThat was iommuscope on a stock kernel.%s What the modules add: ./dev demo\n' "$BOLD" "$PLAIN"
exit $FAILED
