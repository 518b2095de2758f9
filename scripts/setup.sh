#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# setup.sh [TARGET...] - see that the packages are there that a build and a run
# need, and those of these targets of make; install them as root
set -eu
. "$(dirname "$0")/lib.sh"

packages="gcc libc6-dev make flex bison bc perl xz-utils patch cpio ccache
	libelf-dev libncurses-dev ncurses-base busybox-static qemu-system-x86"
[ -n "${KSRC:-}" ] || packages="$packages linux-source-$KVER"
for target; do
	case $target in
	check) packages="$packages sparse shellcheck" ;;
	bench) packages="$packages gnuplot-nox" ;;
	test-full) packages="$packages strace gdb" ;;
	vm | test-clients | examples | rootfs) packages="$packages mmdebstrap e2fsprogs" ;;
	esac
done

command -v dpkg-query >/dev/null ||
	die "this is no Debian system" "use Debian 12; the packages that a build needs are listed in scripts/setup.sh"

missing=
for package in $packages; do
	case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
	*" installed") ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	die "packages are missing:$missing" \
	    "sudo apt-get update && sudo apt-get install --no-install-recommends$missing"
fi

mkdir -p "$BUILD"
log=$BUILD/setup.log
install() {
	# shellcheck disable=SC2086 # a list of packages
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
		--no-install-recommends $missing >>"$log" 2>&1
}

: >"$log"
say "installing packages:$missing"
install && exit 0
say "fetching the package lists first"
apt-get update -q >>"$log" 2>&1 ||
	die "apt-get update failed, see $log" \
	    "check the network and /etc/apt/sources.list, then run this again"
install ||
	die "apt-get install failed, see $log" \
	    "check the network and the space on / (df -h /), then run this again; where Debian has no linux-source-$KVER give KSRC=/path/to/linux"
