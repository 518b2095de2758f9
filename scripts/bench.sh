#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# bench.sh PART... - what the freezers cost, in instructions of the guest:
#   sets     freeze, thaw and kill of up to TASKS tasks in one SLEEP or in all
#   costs    what others pay for it, and what does not depend on tasks
#   hosts    what a cgroup with memory, cpu and other controllers pays for it
#   latency  how long interrupts and preemption are off
#   storm    who waits for which lock, on several processors
# Prints a table of each; leaves the figures in build/bench/sets.csv, costs.csv,
# hosts.csv, latency.csv and storm.txt, and a plot in bench.svg.
set -eu
. "$(dirname "$0")/lib.sh"

out=$BUILD/bench
mkdir -p "$out"

# measure PROFILE PROGRAM [ARGUMENT...] - run a benchmark on a kernel; its
# output to build/bench/PROGRAM-PROFILE.csv
measure() {
	profile=$1
	shift
	dir=$out/$1-$profile
	own "$dir"
	echo "$@" >"$dir/words"
	"$TOP/scripts/initramfs.sh" bench="$dir/words" >"$dir/initramfs"
	rm -f "$dir/results"
	say "measuring on Linux $KVER ($profile): $*"
	COUNTED=${COUNTED-1} MEMORY=${MEMORY:-8G} \
		"$TOP/scripts/boot.sh" "$profile" "$dir" "${LIMIT:-7200}" &
	boot=$!
	results_of $boot "$dir" | sed -u 's/^/   /' >&2 &
	wait_for $boot
	exited_well "$dir" ||
		die "the benchmark failed on the $profile kernel" \
		    "see $dir/results and $dir/console; give more time with LIMIT=seconds"
	tr -d '\r' <"$dir/results" >"$out/$1-$profile.csv"
}

# Files with the same first line as one
join() {
	cat "$1"
	shift
	tail -q -n +2 "$@"
}

# The size of something that each task has, from the symbol of the first
size_of() {
	size=$(nm -S "$BUILD/$KVER-$1/vmlinux" |
		awk -v symbol="$2" '$4 == symbol { print $2 }')
	echo "$3 (bytes),$1,1,$((0x$size))"
}

sizes() {
	for profile in off normal legacy; do
		size_of $profile init_task task_struct
		size_of $profile init_signals signal_struct
	done | sed 's/,normal,/,container,/'
}

sets() {
	measure normal bench both "${TASKS:-100000}" "${SLEEP:-}"
	measure legacy bench legacy "${TASKS:-100000}" "${SLEEP:-}"
	join "$out/bench-normal.csv" "$out/bench-legacy.csv" >"$out/sets.csv"
	echo "Instructions per task, of the container freezer, of v2 and of the legacy freezer;"
	echo "and context switches per task and cycle:"
	echo
	awk -f "$TOP/scripts/bench-sets.awk" "$out/sets.csv"
	[ -n "${TASKS:-}${SLEEP:-}" ] && return
	gnuplot -e "csv='$out/sets.csv'; svg='$out/bench.svg'" \
		"$TOP/scripts/bench.gnuplot" ||
		die "gnuplot could not draw $out/bench.svg" "see above"
	say "a plot: build/bench/bench.svg"
}

costs() {
	measure off bench_costs off
	measure normal bench_costs container
	measure legacy bench_costs legacy
	join "$out/bench_costs-off.csv" "$out/bench_costs-normal.csv" \
		"$out/bench_costs-legacy.csv" >"$out/costs.csv"
	sizes >>"$out/costs.csv"
	echo "Instructions, if nothing else is said:"
	echo
	awk -f "$TOP/scripts/bench-costs.awk" "$out/costs.csv"
}

# Without a freezer on v2 is what vm-legacy is.
hosts() {
	measure vm-legacy bench_costs off controllers
	measure vm-normal bench_costs container controllers
	join "$out/bench_costs-vm-legacy.csv" "$out/bench_costs-vm-normal.csv" >"$out/hosts.csv"
	echo "Instructions, with n other controllers of v2:"
	echo
	awk -f "$TOP/scripts/bench-costs.awk" "$out/hosts.csv"
}

latency() {
	measure trace bench_latency
	cp "$out/bench_latency-trace.csv" "$out/latency.csv"
	echo "Instructions, with those of the tracers:"
	echo
	awk -f "$TOP/scripts/bench-costs.awk" "$out/latency.csv"
}

# lock_stat reads the clock all the time.  The clock's code is not to be patched
# meanwhile, with which QEMU is slow to catch up.
storm() {
	COUNTED='' CPUS=2 APPEND=tsc=unstable measure lockstat bench_storm 20
	mv "$out/bench_storm-lockstat.csv" "$out/storm.txt"
	cat "$out/storm.txt"
}

"$TOP/scripts/plan.sh" >"$out/plan"	# it builds the selftests
for part; do
	case $part in
	sets | costs | hosts | latency | storm) "$part" ;;
	*) die "there is no part $part" "choose of: sets costs hosts latency storm" ;;
	esac
	echo
done
say "all figures: build/bench/"
