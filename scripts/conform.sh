#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# conform.sh - run legacy_test on the normal kernel and on that with the legacy
# freezer, and compare what the two said to each write and each read; print what
# they said alike, and "question, ours, legacy" for what ours does better
set -eu
. "$(dirname "$0")/lib.sh"

status=0
: >"$BUILD/said.diff"
PROFILES="normal legacy" "$TOP/scripts/test.sh" freezer_state >&2 || status=$?

# Each test, and in it each "cgroup/file|text|answer"
said() {
	[ -n "$(find "$BUILD/test-$1/results" -newer "$BUILD/said.diff" 2>/dev/null)" ] ||
		die "the tests did not run on the $1 kernel" \
		    "see build/test-$1/console, then run make conform again"
	sed -n 's/^# test [^ ]* freezer_state\./in /p; s/^# said //p' \
		"$BUILD/test-$1/results" >"$BUILD/said-$1"
	grep -qv '^in ' "$BUILD/said-$1" ||
		die "the tests got no answer on the $1 kernel" "see build/test-$1/results"
}
said normal
said legacy
if diff -U 3 "$BUILD/said-legacy" "$BUILD/said-normal" >"$BUILD/said.diff"; then
	echo "$(grep -vc '^in ' "$BUILD/said-normal") answers, all the same:"
else
	echo "answers differ, - is the legacy freezer:"
	cat "$BUILD/said.diff"
	status=1
fi

# How often each file gave which answer
sed 's|^[^ |]*/||' "$BUILD/said-normal" | grep -v '^in ' | sort | uniq -c |
	awk -F '|' '{ printf "  %s, %s: %s\n", $1, $2, $3 }'
echo
awk -F '|' '
	!sub(/^# better /, "") { next }
	NR == FNR { ours[$1] = $2; next }
	{ printf "%s: %s, legacy: %s\n", $1, ours[$1], $2 }' \
	"$BUILD/test-normal/results" "$BUILD/test-legacy/results"
exit "$status"
