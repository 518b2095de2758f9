#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rootfs.sh - make build/debian/disk: a disk with Debian 12, systemd and the
# programs of users, as Debian packs them.  What is there already is kept.
set -eu
. "$(dirname "$0")/lib.sh"

out=$BUILD/debian
log=$out/build.log
packages="systemd-sysv udev dbus dbus-user-session libpam-systemd procps iproute2
	runc crun lxc podman docker.io criu cgroup-tools strace gdb
	trace-cmd linux-perf bpftrace linux-libc-dev
	busybox-static jq less tar"

# All that decides what is on the disk
recipe() {
	cat "$0" "$TOP/scripts/guest/job.service"
}

if [ -e "$out/disk" ] && recipe | cmp -s - "$out/recipe"; then
	exit 0
fi
[ "$(id -u)" = 0 ] ||
	die "only root can make the root file system of the virtual machine" \
	    "sudo make rootfs"
mkdir -p "$out"
# Who has called sudo builds all the rest there without it.
[ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID" "$BUILD" "$out"
rm -rf "$out/root" "$out/disk" "$out/recipe"

say "fetching and unpacking Debian 12 (some minutes), log: ${log#"$TOP"/}"
# What docker and podman would fetch from the network, or set up for it, is not
# wanted; daemons are started by the tests, so that a boot is short.
# shellcheck disable=SC2016 # mmdebstrap's $1
mmdebstrap --mode=root --variant=minbase --format=directory \
	--include="$(echo "$packages" | tr -s ' \t\n' , | sed 's/,$//')" \
	--customize-hook='copy-in '"$TOP"'/scripts/guest/job.service /etc/systemd/system' \
	--customize-hook='chroot "$1" systemctl enable job.service' \
	--customize-hook='chroot "$1" systemctl disable docker.service docker.socket containerd.service lxc.service lxc-net.service lxc-monitord.service podman.service podman.socket podman-auto-update.timer podman-auto-update.service podman-restart.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer' \
	--customize-hook='chroot "$1" passwd -d root' \
	--customize-hook='mkdir -p "$1/etc/systemd/system/serial-getty@ttyS0.service.d"' \
	--customize-hook='printf "[Service]\nExecStart=\nExecStart=-/sbin/agetty -a root --keep-baud 115200 %%I linux\n" >"$1/etc/systemd/system/serial-getty@ttyS0.service.d/login.conf"' \
	--customize-hook='mkdir -p "$1/etc/docker" && echo "{ \"iptables\": false, \"bridge\": \"none\" }" >"$1/etc/docker/daemon.json"' \
	--customize-hook='echo freezer >"$1/etc/hostname"' \
	bookworm "$out/root" >"$log" 2>&1 ||
	die "mmdebstrap failed, see $log" "check the network and the space in build/, then run this again"

say "making the disk"
size=$(($(du -sm "$out/root" | cut -f 1) + 700))
mke2fs -q -t ext4 -O ^has_journal -L debian -d "$out/root" "$out/disk.new" "${size}M" >>"$log" 2>&1 ||
	die "mke2fs failed, see $log" "make room in build/ and run this again"
rm -rf "$out/root"
recipe >"$out/recipe"
mv "$out/disk.new" "$out/disk"
