#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# calls-table.sh - run every blocking call through freeze and thaw by our
# controller and by cgroup.freeze on the normal kernel, and by the legacy freezer
# on its own, and print "call, ours, cgroup.freeze, legacy" as a table for the
# documentation: what became of the call, and in brackets how many context
# switches it cost if there were any.  FREEZER_CALLS picks calls by a part of
# their name.
set -eu
. "$(dirname "$0")/lib.sh"

status=0
PROFILES=normal "$TOP/scripts/test.sh" calls_test >&2 || status=$?
PROFILES=legacy "$TOP/scripts/test.sh" calls_legacy_test >&2 || status=$?

line() {
	printf '%-32s  %-16s  %-16s  %-16s\n' "$@" | sed 's/ *$//'
}
rule="================================  ================  ================  ================"

# Lines "call|ours|cgroup.freeze|legacy"; of ours what v2 gave.
rows() {
	awk -F '|' '
		/^# test / { skip = /freezer\.v1\./ }
		skip || !sub(/^# table /, "") { next }
		!($1 in known) { known[$1]; order[++n] = $1 }
		{ cell[$1, $2] = $3 ($4 ? " (" $4 ")" : "") }
		function get(call, freezer) {
			return (call, freezer) in cell ? cell[call, freezer] : "not run"
		}
		END {
			for (i = 1; i <= n; i++)
				print order[i] "|" get(order[i], "ours") "|" \
					get(order[i], "cgroup.freeze") "|" get(order[i], "legacy")
		}' "$BUILD/test-normal/results" "$BUILD/test-legacy/results"
}

[ -n "$(rows)" ] ||
	die "no call ran that has '${FREEZER_CALLS:-}' in its name" \
	    "without FREEZER_CALLS the table names all"
echo "$rule"
line call ours cgroup.freeze legacy
echo "$rule"
rows | while IFS='|' read -r call ours cgroup_freeze legacy; do
	line "$call" "$ours" "$cgroup_freeze" "$legacy"
done
echo "$rule"

# What a call's own table says of it
exceptions() {
	sed -n 's/^# exception //p' "$BUILD/test-normal/results" | sort -u
}

rule="================================  ================================================"
[ -n "$(exceptions)" ] || exit "$status"
echo
echo "$rule"
line exception why
echo "$rule"
exceptions | while IFS='|' read -r call why; do
	line "$call" "$why"
done
echo "$rule"
exit "$status"
