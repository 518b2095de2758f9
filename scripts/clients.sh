#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# clients.sh [NAME] - run the container tools of Debian 12 on the kernels vm-legacy
# and vm-normal, in each way to mount cgroups, and print "client, version, scenario,
# legacy kernel, our kernel" as a table.  NAME picks scenarios by a part of
# "client scenario".  Green if all is on our kernel; what the legacy kernel does
# is there to compare.
# MODES="hybrid v1 v2"		which ways
# PROFILES="vm-legacy vm-normal"	which kernels
# TROUBLE_SECONDS=300		how long runc exec goes on beside pause and resume
set -eu
. "$(dirname "$0")/lib.sh"

: "${MODES:=hybrid v1 v2}" "${PROFILES:=vm-legacy vm-normal}" "${TROUBLE_SECONDS:=300}"
guest=$TOP/scripts/guest/clients
passed=0
failed=0

# The scenarios of each client in a mode.  A function of the client's file is one
# if "# scenario" follows, with the modes or the clients that it is for.
plan() {
	while read -r client file _; do
		sed -n 's/^\([a-z_0-9]*\)() { # scenario */\1 /p' "$guest/$file" |
			while read -r name only; do
				case " $only " in
				"  " | *" $1 "* | *" $client "*) echo "$client $name" ;;
				esac
			done
	done <"$guest/clients.list" | grep -F -- "$2"
}

# one_run MODE PROFILE NAME
one_run() {
	dir=$BUILD/clients/$1-$2
	own "$dir"
	plan "$1" "$3" >"$dir/plan"
	sed 's/#.*//; s/ *$//' "$guest/skips.list" >"$dir/skips"
	echo "debug_locks none" >"$dir/lockdep"
	printf 'mode=%s\nTROUBLE_SECONDS=%s\n' "$1" "$TROUBLE_SECONDS" >"$dir/env"
	tar -cf "$dir/job.tar" -C "$guest" . -C "$dir" plan env
	rm -f "$dir/results"
	say "$(wc -l <"$dir/plan") scenarios, cgroups $1, Linux $KVER ($2)"
	DISK=$BUILD/debian/disk MEMORY=2G \
		APPEND="$("$TOP/scripts/vm.sh" "$1" "$2" words) systemd.mask=serial-getty@ttyS0.service" \
		"$TOP/scripts/boot.sh" "$2" "$dir" "${LIMIT:-$((3600 + TROUBLE_SECONDS))}" &
	boot=$!
	ended_tests_of $boot "$dir" "$1 $2" >&2 &
	wait_for $boot
	if [ "$2" = vm-legacy ]; then
		"$TOP/scripts/judge.sh" "$dir" >/dev/null || :
		return
	fi
	"$TOP/scripts/judge.sh" "$dir" || :
	read -r p f <"$dir/counts"
	passed=$((passed + p))
	failed=$((failed + f))
}

for mode in $MODES; do
	case $mode in
	hybrid | v1 | v2) ;;
	*) die "there is no mode $mode" "choose some of MODES='hybrid v1 v2'" ;;
	esac
done

# A scenario need not be for each mode.
any=
for mode in $MODES; do
	[ -n "$(plan "$mode" "${1:-}")" ] || continue
	any=1
	for profile in $PROFILES; do
		one_run "$mode" "$profile" "${1:-}"
	done
done
[ -n "$any" ] ||
	die "no scenario has '$1' in its name" "choose of those that this lists: grep -h '# scenario' scripts/guest/clients/*"
# The runs of before too: the hours can be had in parts.
awk -f "$TOP/scripts/clients-table.awk" "$BUILD"/clients/*-vm-*/results
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
