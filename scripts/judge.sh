#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# judge.sh DIR - was the run in DIR green?  Prints what was not, and the output
# of the tests that failed; writes "PASSED FAILED" to DIR/counts.  Each thing
# that is wrong beside the tests counts as one failure more.
#
# DIR holds plan (what should run), lockdep ("debug_locks 1" or "none", as the
# kernel was built), ours (functions, for KCSAN), skips (lines "program test" of
# those that may be skipped) and what boot.sh left there.  What is not there is a
# failure, never a pass; but without ours all functions count, and without skips
# no test may be skipped.
set -eu
. "$(dirname "$0")/lib.sh"

dir=$1
wrong=0
passed=0
failed=0

complain() {
	wrong=$((wrong + 1))
	printf 'FAIL %s: %s\n' "$(basename "$dir")" "$1"
}

# Match each planned test with its own section of the results: prints
# "pass|skip|fail|missing program name" for each, and "extra" for strangers.
match_plan() {
	awk '
		NR == FNR { plan[$0] = 1; order[++n] = $0; next }
		/^# test / { key = $3 " " $4; if (!(key in plan)) print "extra", key }
		/^ok / && $3 == last(key) { seen[key] = /# SKIP/ ? "skip" : "pass" }
		/^not ok / { seen[key] = "fail" }
		function last(s) { sub(/.* /, "", s); return s }
		END {
			for (i = 1; i <= n; i++)
				print order[i] in seen ? seen[order[i]] : "missing", order[i]
		}' "$dir/plan" "$dir/results"
}

# What a test itself said, and what it had been doing
show_output() {
	awk -v key="$1" '
		/^# test / { inside = $3 " " $4 == key }
		inside && !/^# test / { print "     | " $0 }' "$dir/results" | tail -n 40
}

judge_tests() {
	match_plan >"$dir/outcome"
	while read -r what test; do
		if [ "$what" = pass ]; then
			passed=$((passed + 1))
			continue
		fi
		if [ "$what" = skip ] && grep -qsxF "$test" "$dir/skips"; then
			continue
		fi
		failed=$((failed + 1))
		printf 'FAIL %s: %s: %s\n' "$(basename "$dir")" "$test" "$what"
		show_output "$test"
	done <"$dir/outcome"
	[ -s "$dir/outcome" ] || complain "no test was planned"
}

# The last word of the guest: one whole line, that agrees with what we counted
judge_verdict() {
	lines=$(wc -l <"$dir/verdict")
	verdict=$(cat "$dir/verdict")
	if [ "$lines" != 1 ]; then
		complain "the verdict has $lines lines and not 1: the run was cut off"
		return
	fi
	fails=$(grep -c '^fail ' "$dir/outcome" || :)
	skips=$(grep -c '^skip ' "$dir/outcome" || :)
	expected="verdict passed $passed failed $fails skipped $skips tainted 0 $(cat "$dir/lockdep")"
	[ "$verdict" = "$expected" ] ||
		complain "the verdict is '$verdict' and not '$expected'"
}

# Where there is a list of functions of ours, the reports of KCSAN on races
# between two others are not ours.  A name may come with what the compiler has
# made of the function, and with the place in it: "x.isra.0+0x12/0x340".
without_strangers() {
	[ -s "$dir/ours" ] || exec cat
	awk 'NR == FNR { sub(/[.].*/, "", $1); ours[$1] = 1; next }
		/BUG: KCSAN: data-race in / {
			races = $0
			sub(/.* data-race in /, "", races)
			gsub(/[+.][^ ]*|\r/, "", races)
			n = split(races, pair, " / ")
			if (!(pair[1] in ours) && !(n > 1 && pair[2] in ours))
				next
		}
		{ print }' "$dir/ours" -
}

# A test that has the kernel run out of memory says on the console when that may
# be seen: the stack that comes with it, and one kill.  All else counts, and so
# does a kill too many, or a section without an end.
without_expected() {
	awk '{ line = $0; sub(/\r$/, "", line); sub(/^\[ *[0-9.]*\] /, "", line) }
		line == "freezer_selftest: failures are expected" { inside = 1; kills = 0 }
		line == "freezer_selftest: no more failures are expected" { inside = 0 }
		inside && line ~ /^Call Trace:/ { print "-"; next }
		inside && line ~ /^Out of memory: Killed process/ && !kills++ { print "-"; next }
		{ print }
		END { if (inside) print "BUG: failures are expected without an end" }' "$1"
}

judge_console() {
	# boot.sh has a serial console print this last, by way of poweroff
	tail -n 1 "$dir/console" | grep -aq 'reboot: Power down' ||
		complain "the console ends before the machine was switched off"
	[ ! -f "$dir/ours" ] || [ -s "$dir/ours" ] ||
		complain "$dir/ours names no function"
	without_expected "$dir/console" | grep_reports |
		without_strangers >"$dir/reports"
	if [ -s "$dir/reports" ]; then
		complain "the console shows $(wc -l <"$dir/reports") lines of a report, the first:"
		head -n 5 "$dir/reports" | cut -c 1-150 | sed 's/^/     | /'
	fi
}

rm -f "$dir/counts"
for file in plan lockdep status results verdict console; do
	if [ ! -f "$dir/$file" ]; then
		complain "$dir/$file is not there"
		: >"$dir/$file"
	fi
done
[ "$(cat "$dir/status")" = 0 ] ||
	complain "QEMU did not end by itself (status $(cat "$dir/status"); 124 is the time limit)"
judge_tests
judge_verdict
judge_console

echo "$passed $((failed + wrong))" >"$dir/counts"
if [ $((failed + wrong)) != 0 ]; then
	echo "     the logs: $dir/console, $dir/results"
	exit 1
fi
