#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In a guest, for tests on the host that look at its exporter: run the exporter on port 9947, then
# the commands from standard input, one per line. Prints "ready" once the exporter is ready, and
# "done STATUS" after each command. The commands may use start_exporter, kill_exporter and
# in_background.
set -u
background=

start_exporter() {
	rm -f /run/export.ready
	iommuscope export --listen 0.0.0.0:9947 --ready-file /run/export.ready >&2 &
	exporter=$!
	until [ -e /run/export.ready ]; do
		kill -0 $exporter || return
		sleep 0.1
	done
}

kill_exporter() {
	kill -9 $exporter
	wait $exporter 2>/dev/null
	true
}

# Run a command until the end of the test; its first output shows that it has started.
in_background() {
	mkfifo /run/begun
	"$@" </dev/null >/run/begun 2>&1 &
	background="$background $!"
	read -r line </run/begun
	exec 9</run/begun
	rm /run/begun
	echo "$line"
}

# No more than 64 KiB may be locked.
limited() {
	setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock sh -c 'ulimit -l 64; exec "$@"' sh "$@"
}

start_exporter || exit
echo ready
while read -r line; do
	eval "$line"
	echo "done $?"
done
# leave nothing behind for the next test
kill_exporter
for process in $background; do
	kill "$process"
	wait "$process" 2>/dev/null
done
rm -f /run/export.ready
