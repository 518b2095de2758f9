#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# plan.sh [NAME] - build the selftests and print a line "program test" for each
# test that they hold, or for those that have NAME in this line
set -eu
. "$(dirname "$0")/lib.sh"

[ -d "$TREE" ] || die "there is no kernel source in build/" "make source"
log=$BUILD/tests.log
lock_build
mkdir -p "$BUILD/tests"
make -C "$TREE/tools/testing/selftests/freezer" OUTPUT="$BUILD/tests" all \
	>"$log" 2>&1 || {
	grep -n 'error:\|Error ' "$log" | head -n 5 >&2
	die "the selftests did not build, see $log" "fix what the lines above say"
}

# The harness lists fixtures, their variants and their tests in three columns
# side by side; the tests of a fixture run once for each of its variants.  It ends
# with 4, which says that no test has run.
tests_of() {
	list=$("$BUILD/tests/$1" -l 2>&1 >/dev/null) || [ $? = 4 ] ||
		die "$1 does not list its tests" "see build/tests/$1 -l"
	printf '%s\n' "$list" | awk -v program="$1" '
		function field(from, len) { s = substr($0, from, len); gsub(/ /, "", s); return s }
		function flush(  v, t) {
			for (v = 1; v <= nv; v++)
				for (t = 1; t <= nt && test[t]; t++)
					print program, fixture (variant[v] ? "." variant[v] : "") "." test[t]
			nv = nt = 0
		}
		/^# FIXTURE/ || /^----/ { next }
		field(1, 20) { flush(); fixture = field(1, 20); variant[nv = 1] = field(22, 25); test[nt = 1] = field(48, 99); next }
		field(22, 25) { variant[++nv] = field(22, 25) }
		field(48, 99) { test[++nt] = field(48, 99) }
		END { flush() }' | grep . || die "$1 lists no test" "see build/tests/$1 -l"
}

# By the sources: what was built of one that is gone may still be there.
all=$(for source in "$TOP"/tools/testing/selftests/freezer/*_test.c; do
	tests_of "$(basename "$source" .c)"
done)
printf '%s\n' "$all" | grep -F -- "${1:-}" ||
	die "no test has '$1' in its name" "list them with: scripts/plan.sh"
