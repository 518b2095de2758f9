#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# table.sh - freeze what the legacy freezer could not, FREEZER_ROUNDS times
# (10,000) on each hierarchy, and print "scenario, rounds, failures, worst time"
# as a table for the documentation
set -eu
. "$(dirname "$0")/lib.sh"

export FREEZER_ROUNDS="${FREEZER_ROUNDS:-10000}"
status=0
PROFILES=normal LIMIT=${LIMIT:-14400} "$TOP/scripts/test.sh" converge_test >&2 || status=$?

line() {
	printf '%-44s  %9s  %6s  %8s  %10s\n' "$@"
}
rule="============================================  =========  ======  ========  =========="

echo "$rule"
line scenario hierarchy rounds failures "worst time"
echo "$rule"
awk '/^# test converge_test/ { v = $4; sub(/^freezer\./, "", v); sub(/\..*/, "", v) }
	sub(/^# table /, "") { print v "|" $0 }' "$BUILD/test-normal/results" |
	sort -t '|' -k 2,2 -k 1,1 |
	while IFS='|' read -r v what rounds failures worst; do
		line "$what" "$v" "$rounds" "$failures" "$worst"
	done
echo "$rule"
exit "$status"
