# SPDX-License-Identifier: GPL-2.0-only
# clients-table.awk - build/clients/MODE-PROFILE/results, of what was run, as a
# table: a line for each scenario, a column for each kernel and way to mount
# cgroups; below it what scenarios said that failed, were skipped, or counted.
{ sub(/\r$/, "") }
FNR == 1 {
	depth = split(FILENAME, word, "/")
	column = word[depth - 1]
}
/^# version / {
	if (!($3 in version))
		clients[++nr_clients] = $3
	version[$3] = $4
	next
}
/^# test / { client = $3; next }
!/^ok |^not ok / { next }
{
	what = /^not/ ? "fail" : /# SKIP/ ? "skip" : "pass"
	detail = $0
	sub(/^[^#]*# (SKIP )?/, "", detail)
	sub(/^not /, "")
	key = client SUBSEP $3
	if (!(key in known)) {
		known[key]
		order[++n] = key
	}
	cell[key, column] = what
	if (what != "pass" || detail ~ /failed of/)
		note[++notes] = "- " client ", " $3 ", " column ", " what ": " detail
}

function get(key, column) {
	return (key, column) in cell ? cell[key, column] : "-"
}

function row(a, b, c,  i) {
	printf "%-12s  %-28s  %-54s", a, b, c
	for (i = 1; i <= 6; i++)
		printf "  %-6s", cells[i]
	print ""
}

function rows_of(client,  k, i, word) {
	for (k = 1; k <= n; k++) {
		split(order[k], word, SUBSEP)
		if (word[1] != client)
			continue
		for (i = 1; i <= 6; i++)
			cells[i] = get(order[k], columns[i])
		row(client, version[client], word[2])
	}
}

function rule(  i, text) {
	text = "============  ============================  " \
	       "======================================================"
	for (i = 1; i <= 6; i++)
		text = text "  ======"
	print text
}

END {
	split("hybrid-vm-legacy v1-vm-legacy v2-vm-legacy " \
	      "hybrid-vm-normal v1-vm-normal v2-vm-normal", columns, " ")
	rule()
	printf "%-98s  %-22s  %s\n", "what is run", "legacy kernel", "our kernel"
	print dashes(98) "  " dashes(22) "  " dashes(22)
	for (i = 1; i <= 6; i++) {
		cells[i] = columns[i]
		sub(/-.*/, "", cells[i])
	}
	row("client", "version", "scenario")
	rule()
	for (c = 1; c <= nr_clients; c++)
		rows_of(clients[c])
	rule()
	print ""
	for (k = 1; k <= notes; k++)
		print note[k]
}

function dashes(len,  text) {
	text = sprintf("%" len "s", "")
	gsub(/ /, "-", text)
	return text
}
