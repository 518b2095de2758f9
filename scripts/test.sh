#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# test.sh [NAME] - run the selftests, or those with NAME in their name, on each
# kernel of PROFILES; one line a test, then "N passed, N failed".
# Without a NAME, TESTS=quick leaves out the slow programs, and TESTS=slow runs no
# others.
set -eu
. "$(dirname "$0")/lib.sh"

: "${PROFILES:=normal debug}"
passed=0
failed=0
slow=" calls_test converge_test escape_test fault_test mainline_test"
slow="$slow oom_test ptrace_test suspend_test workers_test "

# What debug_locks must read at the end
lockdep_of() {
	if grep -q '^CONFIG_PROVE_LOCKING=y' "$BUILD/$KVER-$1/.config"; then
		echo "debug_locks 1"
	else
		echo "debug_locks none"
	fi
}

# Is the program one of TESTS?
chosen() {
	case ${TESTS:-}$slow in
	quick*" $1 "*) return 1 ;;
	slow*" $1 "*) ;;
	slow*) return 1 ;;
	esac
}

# Leave out the programs that say "Needs: CONFIG_X" where the kernel has it not.
fitting() {
	while read -r program test; do
		[ -n "$2" ] || chosen "$program" || continue
		needs=$(sed -n 's/^ \* Needs: //p' \
			"$TOP/tools/testing/selftests/freezer/$program.c")
		[ -z "$needs" ] ||
			grep -qx "$needs=y" "$BUILD/$KVER-$1/.config" || continue
		echo "$program $test"
	done
}

# KCSAN has reports from all over the kernel.  The functions of ours, and those
# with a hook of ours, are those whose reports count.
ours_of() {
	if ! grep -q '^CONFIG_KCSAN=y' "$BUILD/$KVER-$1/.config"; then
		rm -f "$2"
		return
	fi
	{
		nm "$BUILD/$KVER-$1/kernel/cgroup/container_freezer.o" \
			"$BUILD/$KVER-$1/kernel/cgroup/container_freezer_stat.o" \
			"$BUILD/$KVER-$1/kernel/freezer.o" |
			awk '$2 ~ /[tT]/ { print $3 }'
		awk '!/^#/ { print $2 }' "$TOP/patches/$KVER/hooks"
	} | sort -u >"$2"
}

run_profile() {
	[ -f "$BUILD/$KVER-$1/arch/x86/boot/bzImage" ] ||
		die "the $1 kernel is not built" "make kernel-$1"
	dir=$BUILD/test-$1
	own "$dir"
	"$TOP/scripts/plan.sh" "$2" >"$dir/plan.all"
	fitting "$1" "$2" <"$dir/plan.all" >"$dir/plan"
	if [ ! -s "$dir/plan" ]; then
		say "the $1 kernel has not what the tests with '$2' in their name need"
		return
	fi
	lockdep_of "$1" >"$dir/lockdep"
	ours_of "$1" "$dir/ours"
	env | sed -n "s/^\(FREEZER_\(CALLS\|CYCLES\|ROUNDS\|TASKS\|STORM_[A-Z]*\)\)=\(.*\)/export \1='\3'/p" >"$dir/env"
	"$TOP/scripts/initramfs.sh" plan="$dir/plan" env="$dir/env" >"$dir/initramfs"
	rm -f "$dir/results"
	say "$(wc -l <"$dir/plan") tests on Linux $KVER ($1)"
	"$TOP/scripts/boot.sh" "$1" "$dir" "${LIMIT:-1800}" &
	boot=$!
	ended_tests_of $boot "$dir" "$1" &
	wait_for $boot
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
