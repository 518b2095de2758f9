#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# cgroup-selftests.sh - run the kernel's own tests of the v2 freezer and of
# cgroup.kill ROUNDS times on the kernel with our option off and on, and print how
# often each passed.  On a busy host some of them fail now and then in software
# emulation, with our option or without.  So both kernels run at the same time, and
# a test must pass with it at least half as often as without.
set -eu
. "$(dirname "$0")/lib.sh"

bin=$BUILD/cgroup-selftests
mkdir -p "$bin"
: >"$bin/plan"
make -C "$TREE/tools/testing/selftests/cgroup" OUTPUT="$bin" LDFLAGS=-static \
	"$bin/test_freezer" "$bin/test_kill" >"$bin/build.log" 2>&1 ||
	die "the kernel's cgroup selftests did not build, see $bin/build.log" \
	    "fix what it says"

cat >"$bin/before" <<END
exec >/dev/ttyS1 2>&1
mkdir -p /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
round=0
while [ \$round -lt ${ROUNDS:=10} ]; do
	round=\$((round + 1))
	for t in test_freezer test_kill; do
		cp /job/\$t /tmp/\$t
		chmod +x /tmp/\$t
		/tmp/\$t || echo "\$t ended with \$?"
	done
done
END

# What the tests say is in $bin/PROFILE/results.
run() {
	say "the kernel's own tests of cgroup.freeze and cgroup.kill ($1), $ROUNDS times"
	rm -rf "${bin:?}/$1"
	mkdir "$bin/$1"
	"$TOP/scripts/initramfs.sh" plan="$bin/plan" before="$bin/before" \
		test_freezer="$bin/test_freezer" test_kill="$bin/test_kill" \
		>"$bin/$1/initramfs"
	exec "$TOP/scripts/boot.sh" "$1" "$bin/$1" "${LIMIT:-1200}"
}

ended_well() {
	[ "$(cat "$bin/$1/status")" = 0 ] ||
		die "the run on the $1 kernel did not end by itself" "see $bin/$1/console"
	grep -q '^verdict .* tainted 0 ' "$bin/$1/verdict" ||
		die "the $1 kernel is tainted, or said no verdict" "see $bin/$1/console"
	! grep_reports <"$bin/$1/console" ||
		die "the $1 kernel complained" "see $bin/$1/console"
}

# passes PROFILE TEST
passes() {
	grep -c "^ok [0-9]* $2\$" "$bin/$1/results" || :
}

run off &
off=$!
run normal &
wait_for $off $!
ended_well off
ended_well normal
sed -n 's/^\(not \)*ok [0-9]* \(test_[a-z_]*\)$/\2/p' "$bin/off/results" | sort -u >"$bin/tests"
[ -s "$bin/tests" ] || die "no test ran" "see $bin/off/results"
status=0
printf '%-28s %5s %5s\n' test off on
while read -r test; do
	off=$(passes off "$test")
	on=$(passes normal "$test")
	what=
	if [ $((on * 2)) -lt "$off" ]; then
		what="  FAIL"
		status=1
	fi
	printf '%-28s %5s %5s%s\n' "$test" "$off" "$on" "$what"
done <"$bin/tests"
[ "$status" = 0 ] || die "the kernel's own tests see our option" "see $bin/*/results"
