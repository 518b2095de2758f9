#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# bench.sh [TASKS [SLEEP]] - what freeze, thaw and kill cost, in instructions of
# the guest: the container freezer beside the one of cgroup v2 in one boot, and
# the legacy freezer in another.  With up to TASKS (10,000) tasks, in one SLEEP.
# Prints a table; leaves build/bench/bench.csv and, of all of it, bench.svg.
set -eu
. "$(dirname "$0")/lib.sh"

out=$BUILD/bench
mkdir -p "$out"

# Say what has been measured while the machine runs.
follow() {
	tail -s 0.5 -n +1 -F --pid="$1" "$2/results" 2>/dev/null | tr -d '\r' |
		awk -F, '$4 + 0 {
			printf "   %-10s %-9s %6d %-9s freeze %9d  thaw %9d  kill %10d\n",
			       $1, $2, $4, $3, $5, $6, $7
			fflush()
		}' >&2
}

# measure PROFILE WHAT - run the benchmark on a kernel; its output in
# build/bench/PROFILE.csv
measure() {
	dir=$out/$1
	mkdir -p "$dir"
	echo "$2 $words" >"$dir/words"
	"$TOP/scripts/initramfs.sh" bench="$dir/words" >"$dir/initramfs"
	rm -f "$dir/results"
	say "measuring on Linux $KVER ($1): instructions of all tasks together"
	COUNTED=1 MEMORY=3G "$TOP/scripts/boot.sh" "$1" "$dir" "${LIMIT:-3600}" &
	follow $! "$dir"
	wait $!
	[ "$(cat "$dir/status" "$dir/verdict" | tr -d '\r' | paste -sd ' ')" = "0 exit 0" ] ||
		die "the benchmark failed on the $1 kernel" \
		    "see $dir/results and $dir/console; give more time with LIMIT=seconds"
	tr -d '\r' <"$dir/results" >"$out/$1.csv"
}

# One line for each set of tasks, the freezers side by side, per task
table() {
	awk -F, '
		NR == 1 { next }
		{ key = $2 "," $3 "," $4 }
		!(key in seen) { seen[key] = 1; order[++n] = key }
		{
			for (i = 5; i <= 7; i++)
				value[key, $1, i] = sprintf("%d", $i / $4 + 0.5)
			value[key, $1, 8] = $8 == "" ? "-" : sprintf("%.2f", $8 / $4)
		}
		function cell(v) { printf " %8s", v == "" ? "-" : v }
		function rule(  i) {
			printf "=========  =========  ====="
			for (i = 0; i < 12; i++)
				printf " ========"
			print ""
		}
		END {
			split("container v2 legacy", names, " ")
			rule()
			printf "%-9s  %-9s  %5s", "sleep", "as", "tasks"
			split("freeze thaw kill switch", ops, " ")
			for (o = 1; o <= 4; o++)
				for (f = 1; f <= 3; f++)
					cell(f == 1 ? ops[o] : f == 2 ? "v2" : "legacy")
			print ""
			rule()
			for (k = 1; k <= n; k++) {
				split(order[k], word, ",")
				printf "%-9s  %-9s  %5d", word[1], word[2], word[3]
				for (o = 5; o <= 8; o++)
					for (f = 1; f <= 3; f++)
						cell(value[order[k], names[f], o])
				print ""
			}
			rule()
		}' "$1"
}

draw() {
	[ "$words" = "10000 " ] || return 0
	gnuplot -e "csv='$out/bench.csv'; svg='$out/bench.svg'" \
		"$TOP/scripts/bench.gnuplot" ||
		die "gnuplot could not draw $out/bench.svg" "see above"
	say "a plot: build/bench/bench.svg"
}

words="${1:-10000} ${2:-}"
"$TOP/scripts/plan.sh" >"$out/plan"	# it builds the selftests
measure normal both
measure legacy legacy
{
	cat "$out/normal.csv"
	tail -n +2 "$out/legacy.csv"
} >"$out/bench.csv"
draw
echo "Instructions per task, of the container freezer, of v2 and of the legacy freezer;"
echo "and context switches per task and cycle:"
echo
table "$out/bench.csv"
say "all figures: build/bench/bench.csv"
