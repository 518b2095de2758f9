#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# top.sh [build] - build tools/cgroup/freezer-top into build/top/, static so that
# it runs in the virtual machine too; and test it in a terminal of its own, with
# files in the place of cgroups
set -eu
. "$(dirname "$0")/lib.sh"

dir=$BUILD/top
bin=$dir/freezer-top
cg=$dir/cgroups
shown=$dir/shown

fail() {
	die "freezer-top: $1" "see $shown and $dir/plain"
}

# cgroup PATH STATE TASKS
cgroup() {
	mkdir -p "$cg/$1"
	printf 'nr_tasks %d\nnr_frozen 0\nnr_pending 1\nfrozen_usec 1234567\n' "$3" \
		>"$cg/$1/freezer.stat"
	: >"$cg/$1/freezer.kill"
	echo "$2" >"$cg/$1/freezer.freeze"
}

# until_true WHAT COMMAND... - ten seconds for it to become true
until_true() {
	what=$1
	shift
	n=0
	until "$@"; do
		n=$((n + 1))
		[ $n -lt 200 ] || fail "$what"
		sleep 0.05
	done
}

shows() { grep -qs -- "$1" "$shown"; }
begins() { [ "$(head -c 1 "$1")" = "$2" ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

lock_build
mkdir -p "$dir"
rm -rf "$cg" "$shown" "$dir/keys"
make -C "$dir" -f "$TOP/tools/cgroup/freezer-top/Makefile" \
	VPATH="$TOP/tools/cgroup/freezer-top" LDFLAGS=-static \
	LDLIBS="-lncurses -ltinfo" freezer-top >"$dir/build.log" 2>&1 ||
	die "freezer-top did not build, see $dir/build.log" "mend what it says"
[ "${1:-}" != build ] || exit 0

cgroup a RUNNING 3
cgroup a/b FREEZING 2
"$bin" --once "$cg" >"$dir/plain"
grep -q '^FREEZING  *2  *0  *1  *1.2 s      b$' "$dir/plain" || fail "--once"
"$bin" --json "$cg" >"$dir/plain"
grep -q '"cgroup": "/a/b", "state": "FREEZING", "nr_tasks": 2' "$dir/plain" ||
	fail "--json"
! "$bin" --json "$cg" 2>/dev/null >/dev/full || fail "a full disk is not seen"

mkfifo "$dir/keys"
TERM=xterm script -qfec "$bin $cg" "$shown" <"$dir/keys" >/dev/null &
pid=$!
exec 3>"$dir/keys"
until_true "the tree is not shown" shows FREEZING
cgroup a FROZEN 3
until_true "a change of state is not shown" shows FROZEN
cgroup new RUNNING 1
until_true "a new cgroup is not shown" shows new
printf '\033OBk' >&3
until_true "kill does not ask" shows 'kill all of .*/a? (y/n)'
printf 'nf' >&3
until_true "freeze does not ask" shows 'freeze .*/a? (y/n)'
printf 'y' >&3
until_true "freeze does not write" begins "$cg/a/freezer.freeze" 1
[ ! -s "$cg/a/freezer.kill" ] || fail "kill does not wait for the answer"
printf 'q' >&3
until_true "it does not quit" gone $pid
say "freezer-top is build/top/freezer-top, and works"
