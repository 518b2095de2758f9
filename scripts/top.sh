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
	LDLIBS="-lncursesw -ltinfo" freezer-top >"$dir/build.log" 2>&1 ||
	die "freezer-top did not build, see $dir/build.log" "fix what it says"
[ "${1:-}" != build ] || exit 0

cgroup a RUNNING 3
cgroup a/b FREEZING 2
cgroup a/.hidden RUNNING 1
mkdir "$cg/a/gone"
# A name with all that has an effect on a terminal, as it is in --json, and as shown;
# one of what is nearly UTF-8: too long, a surrogate, too large, cut off; and one of
# the first and last characters of each length.
odd=$(printf 'z\r\b\033\177\302\233\377\303\251')
odd_json=$(printf 'z\\u000d\\u0008\\u001b\\u007f\\u009b\\udcff\303\251')
odd_shown=$(printf 'z??????\303\251')
nearly=$(printf '\300\257\355\240\200\364\220\200\200\342\202')
nearly_json='\udcc0\udcaf\udced\udca0\udc80\udcf4\udc90\udc80\udc80\udce2\udc82'
edges=$(printf '\302\240\337\277\340\240\200\355\237\277\356\200\200\357\277\277')
edges=$edges$(printf '\360\220\200\200\364\217\277\277')
for c in "$odd" "$nearly" "$edges"; do
	cgroup "$c" RUNNING 1
done
"$bin" --once "$cg" >"$dir/plain"
grep -q '^FREEZING  *2  *0  *1  *1.2 s      b$' "$dir/plain" || fail "--once"
"$bin" --json "$cg" >"$dir/plain"
grep -q '"cgroup": "/a/b", "state": "FREEZING", "nr_tasks": 2' "$dir/plain" ||
	fail "--json"
grep -q '"/a/\.hidden"' "$dir/plain" || fail "a name with a dot is not listed"
! grep -q '"/a/gone"' "$dir/plain" || fail "a cgroup that vanished is listed"
for c in "$odd_json" "$nearly_json" "$edges"; do
	grep -Fq "\"/$c\"" "$dir/plain" || fail "--json has no $c"
done
iconv -f UTF-8 -t UTF-8 "$dir/plain" >/dev/null || fail "--json is not UTF-8"
"$bin" --once "$cg" >"$dir/plain"
for c in "$odd_shown" '???????????' "$edges"; do
	grep -Fxq "RUNNING         1       0       1            1.2 s    $c" "$dir/plain" ||
		fail "--once has no $c"
done
! "$bin" --json "$cg" 2>/dev/null >/dev/full || fail "a full disk is not seen"

mkfifo "$dir/keys"
TERM=xterm LC_ALL=C.UTF-8 script -qfec "$bin $cg" "$shown" <"$dir/keys" >/dev/null &
pid=$!
exec 3>"$dir/keys"
until_true "the tree is not shown" shows FREEZING
cgroup a FROZEN 3
until_true "a change of state is not shown" shows FROZEN
cgroup new RUNNING 1
until_true "a new cgroup is not shown" shows new
mv "$cg/new" "$cg/renamed"
until_true "a new name is not shown" shows renamed
printf '\033OBk' >&3
until_true "kill does not ask" shows 'kill all of (y/n)? .*/a'
printf 'n' >&3
cgroup zz RUNNING 1
until_true "no does not end the question" shows zz
printf 'f' >&3
until_true "freeze does not ask" shows 'freeze (y/n)? .*/a'
printf 'y' >&3
until_true "freeze does not write" begins "$cg/a/freezer.freeze" 1
[ ! -s "$cg/a/freezer.kill" ] || fail "kill does not wait for the answer"
# Down from a over .hidden, b and renamed to the odd one.
printf '\033OB\033OB\033OB\033OBf' >&3
until_true "a name has an effect on the question" grep -Fqs "(y/n)? $cg/$odd_shown" "$shown"
printf 'nq' >&3
until_true "it does not quit" gone $pid
say "freezer-top is build/top/freezer-top, and works"
