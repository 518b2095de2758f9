#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot.sh PROFILE DIR SECONDS - boot DIR/initramfs on the kernel of PROFILE.
# Leaves in DIR: console, results (ttyS1), verdict (ttyS2), and in status how
# QEMU ended: 0 by itself, 124 at the time limit of SECONDS.
# COUNTED=1: one processor, on which an instruction takes one nanosecond.
set -eu
. "$(dirname "$0")/lib.sh"

profile=$1
dir=$2
limit=$3

rm -f "$dir/console" "$dir/results" "$dir/verdict" "$dir/status"
# Software emulation: /dev/kvm may be there and hang.
if [ -n "${COUNTED:-}" ]; then
	set -- -accel tcg,thread=single -icount shift=0,sleep=off -smp 1 \
		-rtc base=2026-01-01,clock=vm
else
	set -- -accel tcg,thread=multi -smp "${CPUS:-2}"
fi
# On a busy host the kernel's check of its timer can come too early.
status=0
timeout -k 5 "$limit" qemu-system-x86_64 -M q35 "$@" \
	-m "${MEMORY:-1G}" -nodefaults -no-reboot -display none \
	-monitor none -nic none \
	-kernel "$BUILD/$KVER-$profile/arch/x86/boot/bzImage" \
	-initrd "$dir/initramfs" \
	-append "console=ttyS0 panic=-1 no_timer_check ${APPEND:-}" \
	-serial "file:$dir/console" -serial "file:$dir/results" \
	-serial "file:$dir/verdict" </dev/null || status=$?
echo "$status" >"$dir/status"
