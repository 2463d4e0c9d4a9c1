#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run by 'pictures' in a guest: the exporter, and workloads on real (emulated) devices. Writes the
# screen of 'top' with its colours to DEMO_OUT/top.ansi, and works until DEMO_OUT/done exists.
set -u

# shellcheck source=tests/demo/story-lib.sh
. "$(dirname "$0")/../demo/story-lib.sh"
EDU=$(find_device 1234 11e8)
NVME=$(find_device 1b36 0010)
NIC=$(find_device 8086 10d3)

bind-device "$NVME" "$EDU" "$NIC"
begin export.txt export --listen 0.0.0.0:9947
guest-load -m 32 -s 0 -k 3600 "$NIC" >"$DEMO_OUT/kept.txt" 2>&1 &
KEPT=$!
wait_for grep -q kept "$DEMO_OUT/kept.txt"
guest-load -m 16 -s 3600 "$EDU" >"$DEMO_OUT/load.txt" 2>&1 &
LOAD=$!
touch "$DEMO_OUT/serving"
{
	while [ ! -e "$DEMO_OUT/done" ]; do
		limited map-load -m 2 0x100000 >/dev/null 2>&1
		e2e-test replace.reads_go_on >/dev/null 2>&1
	done
} &
LOOP=$!

terminal() {
	tmux -S /run/pictures -f /dev/null "$@"
}
terminal new-session -d -x 110 -y 26 -e TERM=tmux-256color -e LANG=C.UTF-8 iommuscope top -i 2
shows() {
	terminal capture-pane -p | grep -q "$1"
}
wait_for shows RLIMIT_MEMLOCK
wait_for shows '^replace '
wait_for test -e "$DEMO_OUT/done"
terminal capture-pane -e -p >"$DEMO_OUT/top.ansi"
terminal send-keys q
wait $LOOP
kill $KEPT $LOAD
end_all
exit 0
