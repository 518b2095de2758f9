# SPDX-License-Identifier: GPL-2.0-only
# bench.gnuplot - draw build/bench/sets.csv; scripts/bench.sh sets csv and svg
set terminal svg size 900,680 dynamic font "sans-serif,13" background "white"
set output svg
set datafile separator ","
set style fill solid
names = "container v2 legacy"
title(f) = word("'container freezer' 'v2 cgroup.freeze' 'legacy freezer.state'", f)
colour(f) = word("#0060ad #dd6622 #777777", f)

# The rows of one freezer, and of those the ones of one kind
rows(f, more) = "< awk -F, '$1 == \"".word(names, f)."\" && ".more."' '".csv."'"
growth = "$2 == \"epoll\" && $3 == \"processes\""
kinds = "$4 == 1000 && $3 == \"threads\""

set multiplot layout 2,2
set key top left
set mxtics 1
set mytics 1
set grid lc rgb "#dddddd" lt 1
set xlabel "processes in epoll\\_wait()"
set logscale xy
set format "%.0s%c"
set ylabel "instructions"

set title "freeze, until FROZEN is read"
plot for [f = 1:3] rows(f, growth) using 4:5 with linespoints lw 2 pt 7 ps 0.5 lc rgb colour(f) title title(f)
set title "thaw, until all run again"
unset key
plot for [f = 1:3] rows(f, growth) using 4:6 with linespoints lw 2 pt 7 ps 0.5 lc rgb colour(f) title title(f)

unset logscale
set format "%.0f"
set yrange [0:*]
set style data histogram
set style histogram clustered gap 1
set xlabel "1,000 threads in"
set ylabel "instructions per thread"
set title "freeze"
plot for [f = 1:3] rows(f, kinds) using ($5 / $4):xtic(2) lc rgb colour(f) title title(f)
set title "thaw"
plot for [f = 1:3] rows(f, kinds) using ($6 / $4):xtic(2) lc rgb colour(f) title title(f)
unset multiplot
