#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# examples.sh - run the examples of the users' page in Debian, and put what they
# print into the page: a transcript stands below each line ".. example NAME"
set -eu
. "$(dirname "$0")/lib.sh"

page=$TOP/Documentation/admin-guide/cgroup-v1/container-freezer-examples.rst
results=$BUILD/clients/v2-vm-normal/results

MODES=v2 PROFILES=vm-normal "$TOP/scripts/clients.sh" "examples "
tr -d '\r' <"$results" | awk -v page="$page" '
	/^# test examples / { name = $4 }
	sub(/^# \| SHOW ?/, "") { text[name] = text[name] "\t" $0 "\n" }
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
	}' >"$BUILD/examples.rst"
cp "$BUILD/examples.rst" "$page"
say "the transcripts are in ${page#"$TOP"/}"
