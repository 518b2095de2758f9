#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# cgroup-selftests.sh - run the kernel's own tests of the v2 freezer and of
# cgroup.kill on the kernel with our option off and on: both must pass alike
set -eu
. "$(dirname "$0")/lib.sh"

bin=$BUILD/cgroup-selftests
mkdir -p "$bin"
: >"$bin/plan"
make -C "$TREE/tools/testing/selftests/cgroup" OUTPUT="$bin" LDFLAGS=-static \
	"$bin/test_freezer" "$bin/test_kill" >"$bin/build.log" 2>&1 ||
	die "the kernel's cgroup selftests did not build, see $bin/build.log" \
	    "mend what it says"

cat >"$bin/before" <<'END'
exec >/dev/ttyS1 2>&1
mkdir -p /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for t in test_freezer test_kill; do
	cp /job/$t /tmp/$t
	chmod +x /tmp/$t
	/tmp/$t || echo "$t ended with $?"
done
END

# One run; what the tests say is in $bin/PROFILE/results.
run() {
	say "the kernel's own tests of cgroup.freeze and cgroup.kill ($1)"
	mkdir -p "$bin/$1"
	"$TOP/scripts/initramfs.sh" plan="$bin/plan" before="$bin/before" \
		test_freezer="$bin/test_freezer" test_kill="$bin/test_kill" \
		>"$bin/$1/initramfs"
	"$TOP/scripts/boot.sh" "$1" "$bin/$1" "${LIMIT:-600}"
	cat "$bin/$1/results"
	[ "$(cat "$bin/$1/status")" = 0 ] ||
		die "the run on the $1 kernel did not end by itself" "see $bin/$1/console"
	grep -q '^verdict .* tainted 0 ' "$bin/$1/verdict" ||
		die "the $1 kernel is tainted, or said no verdict" "see $bin/$1/console"
	grep -q '^ok ' "$bin/$1/results" ||
		die "no test ran on the $1 kernel" "see $bin/$1/results"
}

run off
run normal
diff "$bin/off/results" "$bin/normal/results" ||
	die "the kernel's own tests see our option" "see $bin/*/results"
! grep -q '^not ok \|ended with' "$bin/normal/results" ||
	die "the kernel's own tests fail" "see $bin/normal/results"
