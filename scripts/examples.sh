#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# examples.sh - run the examples of the users' page in the virtual machine, and
# put what they print into the page: a transcript stands below each line
# ".. example NAME"
set -eu
. "$(dirname "$0")/lib.sh"

page=$TOP/Documentation/admin-guide/cgroup-v1/container-freezer-examples.rst
dir=$BUILD/examples

mkdir -p "$dir"
say "running the examples"
"$TOP/scripts/initramfs.sh" cmd="$TOP/scripts/guest/examples" >"$dir/initramfs"
"$TOP/scripts/boot.sh" normal "$dir" "${LIMIT:-600}"
[ "$(cat "$dir/status" "$dir/verdict" | tr -d '\r' | paste -sd ' ')" = "0 exit 0" ] ||
	die "the examples did not end well" "see $dir/results and $dir/console"
tr -d '\r' <"$dir/results" | awk -v page="$page" '
	{
		sub(/ +$/, "")
		name = substr($0, 1, index($0, "|") - 1)
		text[name] = text[name] "\t" substr($0, index($0, "|") + 1) "\n"
	}
	END {
		while ((getline line <page) > 0) {
			if (inside && (line == "" || line == "::" || line ~ /^\t/))
				continue
			inside = 0
			print line
			if (line !~ /^\.\. example /)
				continue
			sub(/^\.\. example /, "", line)
			printf "\n::\n\n%s\n", text[line]
			inside = 1
		}
	}' >"$dir/page"
cp "$dir/page" "$page"
say "the transcripts are in ${page#"$TOP"/}"
