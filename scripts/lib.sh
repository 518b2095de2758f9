# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# lib.sh - what all scripts share; sourced, not run

TOP=$(cd "$(dirname "$0")/.." && pwd)
KVER=${KVER:-6.12}
BUILD=$TOP/build
# shellcheck disable=SC2034 # for those who source this
TREE=$BUILD/$KVER-src

# The virtual machine, in software emulation, as /dev/kvm may be there and hang; and
# what its kernel is told.
# The processor is one of which Linux knows that its clock is constant: of another it
# measures the delay loop once more on each but the first, and on a busy host its
# delays there become a hundred times as long, or short.  There too the kernel's check
# of its timer can come too early.
# shellcheck disable=SC2034 # for those who source this
MACHINE="-M q35 -nodefaults -no-reboot -display none -nic none"
# shellcheck disable=SC2034
PROCESSORS="-accel tcg,thread=multi -cpu Nehalem"
# shellcheck disable=SC2034
WORDS="console=ttyS0 panic=-1 no_timer_check"

# The words of tools are looked for, and a byte is a byte.
export LC_ALL=C

# say TEXT: one step of the progress report
say() {
	printf '== %s\n' "$1" >&2
}

# die WHAT REMEDY: end with what is wrong, and one line that says what to do
die() {
	printf 'error: %s\n  to fix it: %s\n' "$1" "$2" >&2
	exit 1
}

case $TOP in
*[[:space:]:]*)
	die "the kernel's make takes no path with a space or a colon, as '$TOP'" \
	    "move the repository to another folder"
	;;
esac

# own DIR: make DIR, which is for one run at a time; QEMU keeps it as long as it lives
own() {
	mkdir -p "$1"
	exec 9>"$1/lock"
	flock -n 9 || die "another run uses ${1#"$TOP"/}" "wait until it has ended"
}

# lock_build: from here on no other build changes what is in build/.  What the script
# calls shares the lock.
lock_build() {
	[ -z "${FREEZER_LOCKED:-}" ] || return 0
	mkdir -p "$BUILD"
	[ -w "$BUILD" ] ||
		die "you may not write to $BUILD" "sudo chown -R $(id -un) $BUILD"
	exec 8>"$BUILD/lock"
	flock -n 8 || {
		say "waiting for another build in $BUILD"
		flock 8
	}
	export FREEZER_LOCKED=1
}

# Reports that neither taint the kernel nor stop it are looked for by name.
reports='WARNING:|BUG:|BUG |Oops|Kernel panic|general protection fault|cut here'
reports="$reports|Call Trace|unable to handle|INFO: task .* blocked|INFO: rcu"
reports="$reports|rcu.*(stall|self-detected)|suspicious RCU|UBSAN|KASAN|KCSAN"
reports="$reports|kmemleak:|circular locking|recursive locking|lock state"
reports="$reports|lock balance|lock order|locks? held|Invalid wait context"
reports="$reports|sleeping function|scheduling while atomic|lockup|LOCKUP"
reports="$reports|refcount_t|messages dropped|nobody cared|Out of memory|segfault"
reports="$reports|unable to open an initial"
grep_reports() {
	grep -anE "$reports"
}

# exited_well DIR: did QEMU end there by itself, and what it ran with 0?
exited_well() {
	[ "$(cat "$1/status" "$1/verdict" | tr -d '\r' | paste -sd ' ')" = "0 exit 0" ]
}

# wait_for PID...: wait for all that runs in the background; a Ctrl-C, which these do not
# see, ends them too
wait_for() {
	runs=$*
	trap 'kill $runs; wait; exit 130' HUP INT TERM
	wait
	trap 'exit 130' HUP INT TERM
}

# results_of PID DIR: what DIR/results gets, until PID has ended
results_of() {
	tail -s 0.5 -n +1 -F --pid="$1" "$2/results" 2>/dev/null | sed -u 's/\r$//'
}

# ended_tests_of PID DIR MACHINE: from that, one line for each test that has ended.
# Not with awk, of which some wait for a block of input.
ended_tests_of() {
	results_of "$1" "$2" | while read -r line; do
		case $line in
		"# test "*)
			program=${line#\# test }
			program=${program%% *}
			continue
			;;
		"not ok "*) what=FAIL ;;
		"ok "*"# SKIP"*) what=SKIP ;;
		"ok "*) what=ok ;;
		*) continue ;;
		esac
		line=${line#not }
		printf '%-4s %s %s %s\n' "$what" "$3" "$program" "${line#ok * }"
	done
}
