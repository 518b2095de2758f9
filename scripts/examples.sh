#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# examples.sh - run the examples of the users' page in the virtual machines, with
# Debian where it takes more than busybox, and put what they print into the page: a
# transcript stands below each line ".. example NAME"
set -eu
. "$(dirname "$0")/lib.sh"

page=$TOP/Documentation/admin-guide/cgroup-v1/container-freezer-examples.rst
examples=$TOP/scripts/guest/examples
dir=$BUILD/examples

# boot PROFILE, and what it said to DIR/transcripts
boot() {
	"$TOP/scripts/boot.sh" "$1" "$dir" "${LIMIT:-900}"
	exited_well "$dir" ||
		die "the examples did not end well" "see $dir/results and $dir/console"
	tr -d '\r' <"$dir/results" >>"$dir/transcripts"
}

own "$dir"
rm -f "$dir/transcripts"
say "running the examples"
"$TOP/scripts/initramfs.sh" cmd="$examples" >"$dir/initramfs"
boot normal
say "running those that need Debian"
tar -cf "$dir/job.tar" -C "$TOP/scripts/guest" --transform s/examples/start/ examples
DISK=$BUILD/debian/disk MEMORY=2G
APPEND="$("$TOP/scripts/vm.sh" hybrid vm-normal words) systemd.mask=serial-getty@ttyS0.service"
export DISK MEMORY APPEND
boot vm-normal
awk -v page="$page" '
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
	}' "$dir/transcripts" >"$dir/page"
cp "$dir/page" "$page"
say "the transcripts are in ${page#"$TOP"/}"
