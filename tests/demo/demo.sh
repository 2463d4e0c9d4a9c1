#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run by './dev demo' in a machine of the lab: workloads, and what the tool sees of them.
set -eu

DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT

# Run a workload while the tool's command (the arguments) watches it.
watch() {
	workload=$1
	shift
	echo
	echo "\$ iommuscope $*    # beside: $workload"
	rm -f "$DIR/ready"
	iommuscope "$@" --ready-file "$DIR/ready" &
	tool=$!
	while [ ! -e "$DIR/ready" ]; do
		kill -0 "$tool" 2>/dev/null || return 1
		sleep 0.1
	done
	$workload >/dev/null || :
	sleep 1
	kill -INT "$tool" 2>/dev/null || :
	wait "$tool"
}

echo "A guest with Linux $(uname -r) and our modules:"
ls -l /dev/iommu

watch "ioas-load 6" ops
watch "ioas-load 6" ops --errors
