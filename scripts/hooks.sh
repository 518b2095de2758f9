#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# hooks.sh TREE LIST - check that every hook is where it belongs.  A patch can
# apply and yet land in the wrong function; LIST says "file function call".
set -eu
. "$(dirname "$0")/lib.sh"

tree=$1
list=$2

# How often does CALL stand in the body of FUNCTION?
count() {
	awk -v name="$2" -v call="$3" '
		/^[a-z_].*\(/ && !/;$/ && $0 ~ "(^|[ *])" name "\\(" { inside = 1 }
		inside && index($0, call) { n++ }
		/^}/ { inside = 0 }
		END { print n + 0 }' "$tree/$1"
}

grep -v '^#' "$list" | while read -r file function call; do
	[ "$(count "$file" "$function" "$call")" = 1 ] ||
		die "$call is not once in $function() of $file" \
		    "fix the patch that puts it there (patches/$KVER)"
done
