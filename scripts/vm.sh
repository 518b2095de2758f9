#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm.sh [hybrid|v1|v2] [PROFILE] - boot Debian 12 on the kernel of vm-normal, or
# of PROFILE, with the cgroups of that mode, and a shell of root on the console.
# vm.sh MODE PROFILE words - print the words of the kernel's command line for it.
set -eu
. "$(dirname "$0")/lib.sh"

mode=${1:-hybrid}
profile=${2:-vm-normal}
case $mode in
hybrid) words="systemd.unified_cgroup_hierarchy=0" ;;
v1) words="systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1" ;;
v2) words="systemd.unified_cgroup_hierarchy=1" ;;
*) die "there is no mode $mode" "choose one of: hybrid v1 v2" ;;
esac
# Nothing is quick in software emulation, and a clock that lags behind others of the
# host for a moment is still the cheapest to read.
words="$words tsc=reliable systemd.default_device_timeout_sec=600 systemd.default_timeout_start_sec=600"
if [ "${3:-}" = words ]; then
	echo "$words"
	exit
fi

[ -f "$BUILD/debian/disk" ] || die "there is no disk of Debian" "make rootfs"
say "booting Debian ($mode); it takes a minute or two (Ctrl-A X ends it at once)"
# shellcheck disable=SC2086 # several words
exec qemu-system-x86_64 $MACHINE $PROCESSORS -smp 2 -m 2G \
	-kernel "$BUILD/$KVER-$profile/arch/x86/boot/bzImage" \
	-drive "file=$BUILD/debian/disk,if=virtio,format=raw,snapshot=on" \
	-append "root=/dev/vda rw $WORDS quiet $words" \
	-serial mon:stdio
