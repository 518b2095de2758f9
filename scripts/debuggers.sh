#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# debuggers.sh - Debian's strace and gdb on a frozen process: they attach, read
# it and let go, while it stays frozen
set -eu
. "$(dirname "$0")/lib.sh"

dir=$BUILD/debuggers
tools=$dir/root
for tool in strace gdb; do
	command -v "$tool" >/dev/null ||
		die "$tool is not there" "sudo apt-get install --no-install-recommends $tool"
done

rm -rf "$dir"
mkdir -p "$tools/usr/bin"
for tool in strace gdb; do
	path=$(readlink -f "$(command -v "$tool")")
	cp "$path" "$tools/usr/bin/$tool"
	ldd "$path" | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$tools$(dirname "$lib")"
		cp -L "$lib" "$tools$lib"
	done
done
# What gdb's Python needs to start
for python in /usr/lib/python3.*; do
	[ -d "$python/encodings" ] || continue
	mkdir -p "$tools$python"
	cp -r "$python"/*.py "$python/encodings" "$python/collections" \
		"$python/importlib" "$python/re" "$tools$python/" 2>/dev/null || :
done

say "strace and gdb on a frozen process"
{
	"$TOP/scripts/initramfs.sh" cmd="$TOP/scripts/guest/debuggers"
	(cd "$tools" && find . | cpio -o -H newc -R 0:0 --quiet) | gzip -1
} >"$dir/initramfs"
"$TOP/scripts/boot.sh" "${PROFILE:-debug}" "$dir" "${LIMIT:-300}"
cat "$dir/results"
exited_well "$dir" ||
	die "a debugger failed, or the machine did not end by itself" \
	    "see above, and $dir/console"
! grep_reports <"$dir/console" ||
	die "the kernel complained" "see $dir/console"
