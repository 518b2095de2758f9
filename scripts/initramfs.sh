#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# initramfs.sh [NAME=FILE...] - write an initramfs to standard output: busybox,
# our guest scripts, the selftests, freezer-top, and each FILE as /job/NAME
set -eu
. "$(dirname "$0")/lib.sh"

lock_build
root=$(mktemp -d "$BUILD/root.XXXXXX")
trap 'rm -rf "$root"' EXIT
trap 'exit 130' HUP INT TERM
chmod 755 "$root"	# it is / there, and for users too

busybox=$(command -v busybox) ||
	die "busybox is not there" "sudo apt-get install busybox-static"
mkdir -p "$root/bin" "$root/guest" "$root/tests" "$root/job"
cp "$busybox" "$root/bin/busybox"
cp "$TOP/scripts/guest/init" "$root/init"
cp "$TOP/scripts/guest/banner" "$TOP/scripts/guest/container" \
	"$TOP/scripts/guest/tests" "$root/guest/"
if [ -x "$BUILD/top/freezer-top" ]; then
	cp "$BUILD/top/freezer-top" "$root/bin/"
	mkdir -p "$root/lib/terminfo/l"
	cp /lib/terminfo/l/linux "$root/lib/terminfo/l/"
fi
[ ! -d "$BUILD/tests" ] || cp -r "$BUILD/tests/." "$root/tests/"
for job; do
	cp "${job#*=}" "$root/job/${job%%=*}"
done
(cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet) | gzip -1
