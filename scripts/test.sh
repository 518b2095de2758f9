#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# test.sh [NAME] - run the selftests, or those with NAME in their name, on each
# kernel of PROFILES; one line a test, then "N passed, N failed"
set -eu
. "$(dirname "$0")/lib.sh"

: "${PROFILES:=normal debug}"
passed=0
failed=0

# What debug_locks must read at the end
lockdep_of() {
	if grep -q '^CONFIG_PROVE_LOCKING=y' "$BUILD/$KVER-$1/.config"; then
		echo "debug_locks 1"
	else
		echo "debug_locks none"
	fi
}

# Say how each test ended while the machine runs.
follow() {
	tail -s 0.2 -n +1 -F --pid="$1" "$2/results" 2>/dev/null | awk -v on="$3" '
		/^# test / { program = $3 }
		/^ok |^not ok / {
			what = /^not/ ? "FAIL" : /# SKIP/ ? "SKIP" : "ok"
			sub(/^not /, ""); sub(/ *#.*/, "")
			printf "%-4s %s %s %s\n", what, on, program, $3
			fflush()
		}'
}

run_profile() {
	dir=$BUILD/test-$1
	mkdir -p "$dir"
	"$TOP/scripts/plan.sh" "$2" >"$dir/plan"
	lockdep_of "$1" >"$dir/lockdep"
	"$TOP/scripts/initramfs.sh" plan="$dir/plan" >"$dir/initramfs"
	rm -f "$dir/results"
	say "$(wc -l <"$dir/plan") tests on Linux $KVER ($1)"
	"$TOP/scripts/boot.sh" "$1" "$dir" "${LIMIT:-1200}" &
	follow $! "$dir" "$1"
	wait $!
	"$TOP/scripts/judge.sh" "$dir" || :
	read -r p f <"$dir/counts"
	passed=$((passed + p))
	failed=$((failed + f))
}

for profile in $PROFILES; do
	run_profile "$profile" "${1:-}"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
