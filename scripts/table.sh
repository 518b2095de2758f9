#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# table.sh [NAME] - freeze what the legacy freezer could not, FREEZER_ROUNDS times
# (10,000), half of them on each hierarchy, and print "scenario, rounds, failures,
# worst time" as a table for the documentation
#
# Each test has a machine of its own and leaves its line in build/table.  One that
# passed as often on this kernel, or more often, is not run again: the hours can be
# had in parts, and NAME picks tests with this in their name.
set -eu
. "$(dirname "$0")/lib.sh"

export FREEZER_ROUNDS=$((${FREEZER_ROUNDS:-10000} / 2))
lines=$BUILD/table
status=0
mkdir -p "$lines"

# Has it passed as often?
is_there() {
	[ -f "$1" ] && [ "$(cut -d '|' -f 2 "$1")" -ge "$FREEZER_ROUNDS" ]
}

# run TEST FILE: the line of a test that failed is shown, but stays no longer.
run() {
	rm -f "$2"
	if PROFILES=normal LIMIT=${LIMIT:-7200} "$TOP/scripts/test.sh" "$1" >&2; then
		sed -n 's/^# table //p' "$BUILD/test-normal/results" >"$2"
	else
		sed -n 's/^# table //p' "$BUILD/test-normal/results" >"$2.failed"
		status=1
	fi
}

"$TOP/scripts/plan.sh" converge_test | grep -F -- "${1:-}" >"$lines/plan" ||
	die "no scenario has '$1' in its name" "list them with: scripts/plan.sh converge_test"
# Those of another kernel or of other tests are not to be in the table either.
find "$lines" \( -name '*.failed' -o \
	! -newer "$BUILD/$KVER-normal/arch/x86/boot/bzImage" -o \
	! -newer "$BUILD/tests/converge_test" \) -name 'freezer.*' -delete
while read -r program test; do
	is_there "$lines/$test" || run "$program $test" "$lines/$test"
done <"$lines/plan"

line() {
	printf '%-44s  %6s  %8s  %10s\n' "$@"
}
rule="============================================  ======  ========  =========="

echo "$rule"
line scenario rounds failures "worst time"
echo "$rule"
cat "$lines"/freezer.* | sort | awk -F '|' '
	$1 != what { flush(); what = $1 }
	{ rounds += $2; failures += $3; if ($4 + 0 > worst) worst = $4 + 0 }
	function flush() {
		if (what)
			print what "|" rounds "|" failures "|" worst " ms"
		rounds = failures = worst = 0
	}
	END { flush() }' |
	while IFS='|' read -r what rounds failures worst; do
		line "$what" "$rounds" "$failures" "$worst"
	done
echo "$rule"
exit "$status"
