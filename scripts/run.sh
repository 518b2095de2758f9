#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# run.sh [COMMAND] - boot the normal kernel: a shell on the console, or COMMAND
# with its output printed and its exit status returned
set -eu
. "$(dirname "$0")/lib.sh"

[ -f "$BUILD/$KVER-normal/arch/x86/boot/bzImage" ] ||
	die "the normal kernel is not built" "make kernel"
dir=$(mktemp -d "$BUILD/run.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' HUP INT TERM

"$TOP/scripts/top.sh" build
if [ -z "${1:-}" ]; then
	"$TOP/scripts/initramfs.sh" >"$dir/initramfs"
	say "booting (Ctrl-A X ends the virtual machine at once)"
	# shellcheck disable=SC2086 # several words
	qemu-system-x86_64 $MACHINE $PROCESSORS -smp 2 -m 1G \
		-kernel "$BUILD/$KVER-normal/arch/x86/boot/bzImage" \
		-initrd "$dir/initramfs" -append "$WORDS quiet maxcpus=1" \
		-serial mon:stdio
	exit
fi

printf '%s\n' "$1" >"$dir/cmd"
"$TOP/scripts/initramfs.sh" cmd="$dir/cmd" >"$dir/initramfs"
"$TOP/scripts/boot.sh" normal "$dir" "${LIMIT:-600}" &
wait_for $!
cat "$dir/results"
code=$(sed -n 's/^exit //p' "$dir/verdict")
[ -n "$code" ] || {
	tail -n 20 "$dir/console" >&2
	die "the virtual machine ended before the command did" \
	    "see its console above; give more time with LIMIT=seconds"
}
exit "$code"
