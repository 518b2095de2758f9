#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot.sh PROFILE DIR SECONDS - boot DIR/initramfs on the kernel of PROFILE.
# Leaves in DIR: console, results (ttyS1), verdict (ttyS2), and in status how
# QEMU ended: 0 by itself, 124 at the time limit of SECONDS.
# COUNTED=1: one processor, on which an instruction takes one nanosecond.
# DISK=file: not an initramfs but this disk, and DIR/job.tar on a second one; what
# is written to them is forgotten.
set -eu
. "$(dirname "$0")/lib.sh"

profile=$1
dir=$2
limit=$3

rm -f "$dir/console" "$dir/results" "$dir/verdict" "$dir/status"
if [ -n "${COUNTED:-}" ]; then
	set -- -accel tcg,thread=single -icount shift=0,sleep=off -smp 1 \
		-rtc base=2026-01-01,clock=vm
else
	# shellcheck disable=SC2086 # several words
	set -- $PROCESSORS -smp "${CPUS:-2}"
fi
append="$WORDS ${APPEND:-}"
if [ -n "${DISK:-}" ]; then
	set -- "$@" -drive "file=$DISK,if=virtio,format=raw,snapshot=on" \
		-drive "file=$dir/job.tar,if=virtio,format=raw,snapshot=on"
	append="root=/dev/vda rw $append"
else
	# The other processors come when the kernel has patched its own code, for QEMU
	# can go on executing the breakpoint of a patch that is over: "Oops: int3".
	# Seen with 7.2, on a kernel without our patches too: 200 times tracing of
	# sched_switch on and off are enough, with thread=single 700 are not.  The
	# first process brings them.
	set -- "$@" -initrd "$dir/initramfs"
	append="$append maxcpus=1"
fi
# shellcheck disable=SC2086 # several words
timeout -k 5 "$limit" qemu-system-x86_64 $MACHINE "$@" \
	-m "${MEMORY:-1G}" -monitor none \
	-kernel "$BUILD/$KVER-$profile/arch/x86/boot/bzImage" \
	-append "$append" \
	-serial "file:$dir/console" -serial "file:$dir/results" \
	-serial "file:$dir/verdict" </dev/null &
qemu=$!
# It is in a process group of its own, which a Ctrl-C does not reach.
trap 'kill $qemu; wait; exit 130' HUP INT TERM
status=0
wait $qemu || status=$?
echo "$status" >"$dir/status"
