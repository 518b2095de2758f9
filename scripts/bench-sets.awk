# SPDX-License-Identifier: GPL-2.0-only
# bench-sets.awk - build/bench/sets.csv as a table: a line for each set of tasks,
# the freezers side by side, per task
BEGIN { FS = "," }
FNR == 1 { next }
{
	key = $2 "," $3 "," $4
	if (!(key in seen))
		order[++n] = key
	seen[key]
	for (i = 5; i <= 7; i++)
		value[key, $1, i] = sprintf("%d", $i / $4 + 0.5)
	value[key, $1, 8] = $8 == "" ? "-" : sprintf("%.2f", $8 / $4)
}

function cell(v) { printf " %7s", v == "" ? "-" : v }

function rule(  i) {
	printf "=========  =========  ======"
	for (i = 0; i < 12; i++)
		printf " ======="
	print ""
}

END {
	split("container v2 legacy", names, " ")
	split("freeze thaw kill switch", ops, " ")
	rule()
	printf "%-9s  %-9s  %6s", "sleep", "as", "tasks"
	for (o = 1; o <= 4; o++)
		for (f = 1; f <= 3; f++)
			cell(f == 1 ? ops[o] : f == 2 ? "v2" : "legacy")
	print ""
	rule()
	for (k = 1; k <= n; k++) {
		split(order[k], word, ",")
		printf "%-9s  %-9s  %6d", word[1], word[2], word[3]
		for (o = 5; o <= 8; o++)
			for (f = 1; f <= 3; f++)
				cell(value[order[k], names[f], o])
		print ""
	}
	rule()
}
