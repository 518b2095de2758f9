#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# test-judge.sh - test judge.sh with runs that must fail: real ones of the debug
# kernel that go wrong, and copies of a green run, each with one thing spoilt
set -eu
. "$(dirname "$0")/lib.sh"

green=$BUILD/judge-green
bad=$BUILD/judge-bad
passed=0
failed=0

result() {
	if [ "$1" = ok ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
	printf '%-4s %s\n' "$1" "$2"
}

# The judge must find DIR wanting, and say so for the REASON that is expected.
must_fail() {
	name=$1
	reason=$2
	if "$TOP/scripts/judge.sh" "$bad" >"$bad/said" 2>&1; then
		result FAIL "$name: was taken for green"
	elif grep -q -- "$reason" "$bad/said"; then
		result ok "$name"
	else
		result FAIL "$name: was found bad, but not for '$reason'"
		sed 's/^/     | /' "$bad/said"
	fi
}

# run DIR SECONDS BEFORE: two quick tests on the debug kernel, BEFORE run first
run() {
	rm -rf "$1"
	mkdir -p "$1"
	"$TOP/scripts/plan.sh" interface_test | head -n 2 >"$1/plan"
	echo "debug_locks 1" >"$1/lockdep"
	printf '%s\n' "$3" >"$1/before"
	"$TOP/scripts/initramfs.sh" plan="$1/plan" before="$1/before" >"$1/initramfs"
	"$TOP/scripts/boot.sh" debug "$1" "$2"
}

# spoil NAME REASON COMMAND: COMMAND is run in a copy of the green run
spoil() {
	rm -rf "$bad"
	cp -r "$green" "$bad"
	(cd "$bad" && sh -c "$3")
	must_fail "$1" "$2"
}

fault=/sys/kernel/debug/provoke-crash/DIRECT

say "runs of the debug kernel"
run "$green" 120 ':'
if "$TOP/scripts/judge.sh" "$green"; then
	result ok "a green run is green"
else
	result FAIL "a green run is green"
fi
run "$bad" 120 "sh -c 'echo EXCEPTION > $fault'"
must_fail "an oops" "the console shows"
run "$bad" 120 "sh -c 'echo SPINLOCKUP > $fault'"
must_fail "a lockdep report" "the console shows"
run "$bad" 120 "sh -c 'echo WARNING > $fault'"
must_fail "a warning taints the kernel" "and not 'verdict"
run "$bad" 20 "sleep 1000"
must_fail "a hang" "QEMU did not end by itself"
run "$bad" 120 "poweroff -f"
must_fail "a machine that ends too early" "verdict has 0 lines"

say "a green run, with one thing spoilt"
spoil "a test that did not run" ": missing" 'echo "interface_test never.ran" >>plan'
spoil "a test that was skipped" ": skip" "sed -i '0,/^ok .*/s//& # SKIP why/' results"
spoil "a test that was skipped, and is not the one that may be" ": skip" \
	"echo 'interface_test other.test' >skips; sed -i '0,/^ok .*/s//& # SKIP why/' results"
spoil "a test that was skipped, and is the one that may be but for its dots" ": skip" \
	"tr . x <plan >skips; sed -i '0,/^ok .*/s//& # SKIP why/' results"
spoil "a test that failed" ": fail" "sed -i '0,/^ok/s//not ok/' results"
spoil "a test beside the plan" ": extra" 'echo "# test no.such test" >>results'
spoil "an empty plan" "no test was planned" ': >plan; : >results'
spoil "a verdict that was cut off" "verdict has 0 lines" "truncate -s -1 verdict"
spoil "a verdict that is not the last word" "verdict has 2 lines" 'echo more >>verdict'
spoil "a verdict with other counts" "the verdict is" "sed -i 's/passed [0-9]*/passed 1/' verdict"
spoil "a tainted kernel" "the verdict is" "sed -i 's/tainted 0/tainted 512/' verdict"
spoil "lockdep that gave up" "the verdict is" "sed -i 's/locks 1/locks 0/' verdict"
spoil "a console that was cut off" "before the machine was switched off" "sed -i '\$d' console"
for file in plan lockdep status results verdict console; do
	spoil "no $file" "$file is not there" "rm $file"
done
while read -r line; do
	spoil "console: $line" "the console shows" \
		"sed -i '1i [    1.0] $line' console"
done <<'END'
WARNING: CPU: 0 PID: 1 at kernel/x.c:1 x+0x1/0x2
WARNING: possible circular locking dependency detected
WARNING: possible recursive locking detected
WARNING: inconsistent lock state
WARNING: suspicious RCU usage
WARNING: bad unlock balance detected!
BUG: sleeping function called from invalid context at x.c:1
BUG: scheduling while atomic: x/1/0x2
BUG: KASAN: slab-use-after-free in x+0x1/0x2
BUG: KCSAN: data-race in x / y
BUG: workqueue lockup - pool cpus=0
BUG: unable to handle page fault for address: 0
UBSAN: array-index-out-of-bounds in x.c:1:2
INFO: task x:1 blocked for more than 122 seconds.
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
watchdog: BUG: soft lockup - CPU#0 stuck for 22s!
watchdog: Watchdog detected hard LOCKUP on cpu 0
** 12 printk messages dropped **
kmemleak: 1 new suspected memory leaks
refcount_t: underflow; use-after-free.
Kernel panic - not syncing: x
Oops: 0000 [#1] PREEMPT SMP
END

spoil "a report beside a byte that is no text" "the console shows" \
	"printf '\\0\\377\\nWARNING: CPU: 0\\n' | cat - console >longer; mv longer console"

# The second form is that of a race with somebody unknown.
for race in 'schedule / freeze_task' freeze_task+0x12/0x340; do
	spoil "KCSAN: a race in a function of ours: $race" "the console shows" \
		"echo freeze_task >ours
		sed -i '1i BUG: KCSAN: data-race in $race\r' console"
done
spoil "an empty list of functions of ours" "names no function" ': >ours'

expected="freezer_selftest: failures are expected"
spoil "out of memory where none is expected" "the console shows" \
	"sed -i '1i Out of memory: Killed process 1 (x)' console"
spoil "out of memory twice where it is expected" "the console shows" \
	"sed -i '1i $expected\nOut of memory: Killed process 1 (x)\nOut of memory: Killed process 2 (x)\nfreezer_selftest: no more failures are expected' console"
spoil "a warning where out of memory is expected" "the console shows" \
	"sed -i '1i $expected\nWARNING: CPU: 0\nfreezer_selftest: no more failures are expected' console"
spoil "failures that are expected without an end" "the console shows" \
	"sed -i '1i $expected' console"

# Who reads the counts must not find those of another run.
rm -rf "$bad"
cp -r "$green" "$bad"
echo "9 0" >"$bad/counts"
rm "$bad/outcome"
mkdir "$bad/outcome"
if ! "$TOP/scripts/judge.sh" "$bad" 2>"$bad/said" && [ ! -e "$bad/counts" ]; then
	result ok "a judge that cannot go on leaves no counts"
else
	result FAIL "a judge that cannot go on leaves no counts"
fi

# The same without us in it must not be held against us.
rm -rf "$bad"
cp -r "$green" "$bad"
echo freeze_task >"$bad/ours"
sed -i '1i BUG: KCSAN: data-race in schedule / wake_up\r\nBUG: KCSAN: data-race in wake_up+0x12/0x340\r' "$bad/console"
if "$TOP/scripts/judge.sh" "$bad"; then
	result ok "KCSAN: a race between two others is not ours"
else
	result FAIL "KCSAN: a race between two others is not ours"
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
