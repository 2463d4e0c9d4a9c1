#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run by './dev demo' in a machine of the lab: real work on real (emulated) devices, as the tool
# sees it. Reports go to DEMO_OUT. With DEMO_BROWSER the host takes a picture of the page. With
# DEMO_SERVE the machine stays up with a workload running.
set -u
HERE=$(cd "$(dirname "$0")" && pwd -P)
mkdir -p "$DEMO_OUT"
# shellcheck source=tests/demo/story-lib.sh
. "$HERE/story-lib.sh"

EDU=$(find_device 1234 11e8)
NVME=$(find_device 1b36 0010)
NICS=$(find_device 8086 10d3 3 | tr '\n' ' ')
NIC=${NICS#* } NIC=${NIC%% *}
IOMMU=$(ls /sys/class/iommu | head -n 1)
case $IOMMU in
dmar*) KIND="Intel's VT-d" ;;
ivhd*) KIND="AMD's IOMMU" ;;
*) KIND="virtio's IOMMU" ;;
esac
# emulated IOMMUs other than Intel's do not isolate interrupts
case $IOMMU in
dmar*) ;;
*) echo Y >/sys/module/iommufd/parameters/allow_unsafe_interrupts ;;
esac

chapter "A host: Linux $(uname -r), $KIND, and our modules instead of none" \
	"Debian builds its kernels without iommufd. Here it is, with devices to pass through: a disk," \
	"an edu device, a network controller, and one whose two functions share an IOMMU group."
# shellcheck disable=SC2086
show bind bind-device "$NVME" "$EDU" $NICS
keep doctor.txt sh -c 'iommuscope doctor || true'
keep doctor.json sh -c 'iommuscope doctor --json || true'
show doctor-device sh -c "iommuscope doctor -d $NVME | head -n 12"

chapter "Where does the time go when guests start?" \
	"Two devices get the memory of a guest each: untouched 4 KiB pages, transparent huge pages," \
	"hugetlb; then small maps by the hundred. 'lat' watches and counts in the kernel:"
show lat iommuscope lat -o map,unmap --by device -- guest-load -m 32 -s 4 "$EDU" "$NIC"
note "nearly all of a map is 'pin': memory that is faulted in and zeroed as it is pinned." \
	"That is why a guest with a device takes its time to start; huge pages are the remedy."

chapter "What is attached to what, and what is pinned?" \
	"While two guests keep their memory mapped:"
guest-load -m 32 -s 0 -k 60 "$EDU" "$NIC" >"$DEMO_OUT/.load" 2>&1 &
LOAD=$!
wait_for grep -q kept "$DEMO_OUT/.load"
show state iommuscope state
show tree iommuscope state --tree
keep state.json iommuscope state --json
show capacity iommuscope capacity
keep capacity.json iommuscope capacity --json
kill $LOAD 2>/dev/null
wait $LOAD 2>/dev/null

chapter "What does replacing a translation do to running DMA?" \
	"A driver in user space reads the disk and verifies every byte, through iommufd, while the" \
	"translation under it is replaced 1000 times. 'replace' measures every one:"
begin record.txt record -o "$DEMO_OUT/replace.trace"
begin replace.json replace --json
printf '\n%s$ iommuscope replace -- an NVMe driver in user space%s\n' "$DIM" "$PLAIN"
iommuscope replace -- sh -c 'e2e-test replace.reads_go_on >"$1"' sh "$DEMO_OUT/nvme.txt" \
	>"$DEMO_OUT/replace.txt" || FAILED=1
end_all
# the first ones, some with faults, and the totals
awk 'NR <= 4 { print; next }
	/[1-9][0-9]* fault/ && hurt++ < 4 { print "...\n" $0; next }
	/^$/ { totals = 1 }
	totals { print }' "$DEMO_OUT/replace.txt"
sed -n 's/^# /   the driver: /p' "$DEMO_OUT/nvme.txt"
keep timeline.json iommuscope report --trace-event "$DEMO_OUT/replace.trace"
case $IOMMU in
dmar*) note "VT-d's driver takes the old translation away before it sets the new one: what the disk" \
	"does in that window fails. './dev demo --iommu virtio' shows a driver that swaps." ;;
ivhd*) note "AMD's driver detaches the device before it attaches it again: a window, as with VT-d." \
	"The emulated IOMMU reports no faults, so '-' stands for the unknown numbers." ;;
*) note "virtio's IOMMU switches in one request: the disk noticed nothing." ;;
esac

chapter "Why does a map say 'Cannot allocate memory'?" \
	"A user that may lock 64 KiB asks for 1 MiB. The kernel only returns ENOMEM; the event has the reason:"
show errors limited iommuscope ops --errors -o map -- map-load -m 2 0x100000

chapter "What is stuck right now?" "A map whose memory does not arrive, started before the tool:"
# the host's folder can hold no pipes
PIPES=$(mktemp -d)
mkfifo "$PIPES/hold" "$PIPES/begun"
stuck-load <"$PIPES/hold" >"$PIPES/begun" 2>&1 &
exec 8>"$PIPES/hold" 7<"$PIPES/begun"
# it prints a line when it waits
read -r _ <&7
show stuck iommuscope stuck --longer 500ms
exec 8>&-
wait $!
exec 7<&-
rm -r "$PIPES"

chapter "All of that for a fleet: Prometheus, and a page" \
	"The exporter serves what the other commands show. A few lines of its /metrics, under load:"
begin export.txt export --listen 0.0.0.0:9947
guest-load -m 16 -s "$([ -n "${DEMO_SERVE:-}" ] && echo 86000 || echo 20)" "$EDU" "$NIC" >/dev/null 2>&1 &
LOAD=$!
sleep 4
python3 "$HERE/metrics" "$DEMO_OUT/metrics.txt" || FAILED=1
grep -E '^(iommufd_operations_total.*"map"|iommufd_(mapped|pinned)_bytes|iommufd_device_info)' "$DEMO_OUT/metrics.txt" |
	cut -c1-150 | head -n 8
if [ -n "${DEMO_BROWSER:-}" ]; then
	sleep 6
	touch "$DEMO_OUT/page-wanted"
	wait_for test -e "$DEMO_OUT/page-done"
	[ -e "$DEMO_OUT/page.png" ] && note "a picture of the page is in build/demo/page.png"
fi
if [ -n "${DEMO_SERVE:-}" ]; then
	printf '\n%sThe page: http://127.0.0.1:%s/    Ctrl-C ends the machine.%s\n' "$BOLD" "$DEMO_PORT" "$PLAIN"
	# replacements and failures happen while the page is open
	while sleep 10; do
		e2e-test replace.reads_go_on >/dev/null 2>&1
		limited map-load -m 2 0x100000 >/dev/null 2>&1
	done
fi
kill $LOAD 2>/dev/null
wait $LOAD 2>/dev/null
end_all
rm -f "$DEMO_OUT"/.load "$DEMO_OUT"/.ready

printf '\n%sThat was iommuscope.%s A shell in such a machine: ./dev vm. On a host of yours: docs/use/quickstart.md\n' "$BOLD" "$PLAIN"
exit $FAILED
