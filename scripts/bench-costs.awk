# SPDX-License-Identifier: GPL-2.0-only
# bench-costs.awk - build/bench/costs.csv, hosts.csv or latency.csv as a table: a
# line for each figure, the freezers side by side
BEGIN { FS = "," }
FNR == 1 { next }
{
	key = $1 "," $3
	if (!(key in seen))
		order[++n] = key
	seen[key]
	value[key, $2] = $4
	present[$2]
}

function rule(  i) {
	printf "========================================  ====="
	for (i = 1; i <= columns; i++)
		printf "  ========="
	print ""
}

END {
	nr = split("idle off container v2 legacy", all, " ")
	for (i = 1; i <= nr; i++)
		if (all[i] in present)
			name[++columns] = all[i]
	rule()
	printf "%-40s  %5s", "what", "n"
	for (i = 1; i <= columns; i++)
		printf "  %9s", name[i]
	print ""
	rule()
	for (k = 1; k <= n; k++) {
		split(order[k], word, ",")
		printf "%-40s  %5d", word[1], word[2]
		for (i = 1; i <= columns; i++)
			printf "  %9s", (order[k], name[i]) in value ? value[order[k], name[i]] : "-"
		print ""
	}
	rule()
}
