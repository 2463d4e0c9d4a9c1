# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# How the demo presents its story: chapters, commands with their output, and files that it keeps.
# To be sourced; needs DEMO_OUT, an existing folder.

FAILED=0
CHAPTER=0

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	BOLD=$(printf '\033[1m') DIM=$(printf '\033[2m') PLAIN=$(printf '\033[0m')
else
	BOLD='' DIM='' PLAIN=''
fi

# A heading, then what a reader should know, one line per argument.
chapter() {
	CHAPTER=$((CHAPTER + 1))
	printf '\n%s%d. %s%s\n' "$BOLD" "$CHAPTER" "$1" "$PLAIN"
	shift
	for line; do
		printf '   %s\n' "$line"
	done
}

note() {
	for line; do
		printf '   => %s\n' "$line"
	done
}

# $1: the name of its file; the rest is a command, which is shown, run, and kept.
show() {
	file=$DEMO_OUT/$1.txt
	shift
	printf '\n%s$ %s%s\n' "$DIM" "$*" "$PLAIN"
	{ "$@" 2>&1 || echo $? >"$DEMO_OUT/.status"; } | tee "$file"
	failed "$*"
}

# Run a command without showing it; keep its output in the file $1.
keep() {
	file=$DEMO_OUT/$1
	shift
	"$@" >"$file" || echo $? >"$DEMO_OUT/.status"
	failed "$*"
}

failed() {
	[ -e "$DEMO_OUT/.status" ] || return 0
	echo "demo: '$1' failed with exit status $(cat "$DEMO_OUT/.status")"
	rm -f "$DEMO_OUT/.status"
	FAILED=1
}

# The last PCI device of a vendor and device id.
find_device() {
	for d in /sys/bus/pci/devices/*; do
		if [ "$(cat "$d/vendor") $(cat "$d/device")" = "0x$1 0x$2" ]; then
			echo "${d##*/}"
		fi
	done | tail -n "${3:-1}"
}

# Without the capability to exceed limits, and with 64 KiB that may be locked, like an ordinary
# user.
limited() {
	setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock sh -c 'ulimit -l 64; exec "$@"' sh "$@"
}

OBSERVERS=

# Run a command of the tool in the background until end_all, with its output in the file $1.
begin() {
	file=$DEMO_OUT/$1
	shift
	rm -f "$DEMO_OUT/.ready"
	command=$1
	shift
	iommuscope "$command" --ready-file "$DEMO_OUT/.ready" "$@" >"$file" 2>&1 &
	OBSERVERS="$OBSERVERS $!"
	wait_for test -e "$DEMO_OUT/.ready"
	rm -f "$DEMO_OUT/.ready"
}

end_all() {
	for observer in $OBSERVERS; do
		kill -INT "$observer"
		wait "$observer"
	done
	OBSERVERS=
}

# Wait until a command succeeds, for at most a minute of an idle machine.
wait_for() {
	tries=0
	while ! "$@" && [ $((tries += 1)) -lt "$((120 * $(printf %.0f "${IOMMUSCOPE_PATIENCE:-3}")))" ]; do
		sleep 0.5
	done
}
