#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# bench-compare.sh [save] - compare the figures that make bench has left with
# those of scripts/bench-baseline.csv: prints what has changed by 1 % or more, and
# fails if a figure of the container freezer is worse by that.  Where tasks die or
# memory is allocated runs differ by more, and 5 % count; of the longest stretches
# with interrupts or preemption off, 1,000 instructions must do so too.  "save" makes
# the figures of now the baseline.
set -eu
. "$(dirname "$0")/lib.sh"

baseline=$TOP/scripts/bench-baseline.csv

# All figures as lines "what,freezer,n,count", of a set for all of its tasks
figures() {
	for file in sets costs hosts latency; do
		[ -f "$BUILD/bench/$file.csv" ] ||
			die "there is no build/bench/$file.csv" "make bench"
	done
	awk -F, 'FNR > 1 {
		print "freeze " $2 " " $3 "," $1 "," $4 "," $5
		print "thaw " $2 " " $3 "," $1 "," $4 "," $6
		print "kill " $2 " " $3 "," $1 "," $4 "," $7
	}' "$BUILD/bench/sets.csv"
	tail -q -n +2 "$BUILD/bench/costs.csv" "$BUILD/bench/hosts.csv" "$BUILD/bench/latency.csv"
}

mkdir -p "$BUILD/bench"
figures >"$BUILD/bench/figures.csv"
if [ "${1:-}" = save ]; then
	cp "$BUILD/bench/figures.csv" "$baseline"
	exit
fi

awk -F, '
	{ key = $1 "," $2 "," $3 }
	NR == FNR { old[key] = $4; next }
	# 0 may be one; nothing is none.
	$4 !~ /^[0-9]+$/ { print "no figure: " $0; worse++; seen[key]; next }
	!(key in old) { printf "%-42s %-9s %6d  %10s -> %10d\n", $1, $2, $3, "new", $4; next }
	{
		nr++
		seen[key]
		limit = $1 ~ /^kill |kill$|^memory |^mkdir/ ? 5 : 1
		change = old[key] ? 100 * ($4 / old[key] - 1) : 100 * ($4 > 0)
		if (change < limit && change > -limit)
			next
		# The tracers count in microseconds.
		if ($1 ~ /^longest/ && $4 - old[key] <= 1000 && old[key] - $4 <= 1000)
			next
		changed++
		printf "%-42s %-9s %6d  %10d -> %10d  %+.1f %%\n", $1, $2, $3, old[key], $4, change
		worse += $2 == "container" && change > 0
	}
	END {
		for (key in old)
			if (!(key in seen)) {
				print "gone: " key
				worse++
			}
		printf "%d figures, %d changed, %d of the container freezer for the worse\n",
		       nr, changed, worse
		exit worse != 0
	}' "$baseline" "$BUILD/bench/figures.csv"
