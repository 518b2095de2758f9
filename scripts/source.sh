#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# source.sh - make build/<version>-src: the base kernel, our patches applied,
# our files linked in.  The base is Debian's linux-source package, or KSRC.
set -eu
. "$(dirname "$0")/lib.sh"

patches=$TOP/patches/$KVER
state=$TREE/.container-freezer
tarball=/usr/src/linux-source-$KVER.tar.xz

[ -d "$patches" ] ||
	die "there are no patches for Linux $KVER" \
	    "choose one of these: $(cd "$TOP/patches" && echo KVER=*)"

# What the tree is made from; a tree made from anything else is made anew.
origin() {
	if [ -n "${KSRC:-}" ]; then
		echo "$KSRC $(cksum <"$KSRC/Makefile")"
	else
		stat -c '%n %s %Y' "$tarball"
	fi
}

# The version that a kernel tree says it has, as 6.12
version_of() {
	sed -n 's/^VERSION = //p; s/^PATCHLEVEL = //p' "$1/Makefile" | paste -sd.
}

check_space() {
	free=$(df -Pk "$BUILD" | awk 'NR == 2 { print int($4 / 1048576) }')
	[ "$free" -ge 5 ] ||
		die "$BUILD has $free GiB free; a source tree and two kernels need 5" \
		    "make room there, or move the repository to a larger disk"
}

unpack() {
	say "unpacking Linux $KVER (half a minute)"
	check_space
	rm -rf "$TREE" "$TREE.new"
	mkdir -p "$TREE.new"
	if [ -n "${KSRC:-}" ]; then
		tar -C "$KSRC" --exclude=./.git -cf - . | tar -C "$TREE.new" -xf -
	else
		tar -C "$TREE.new" --strip-components=1 -xf "$tarball"
	fi || die "could not unpack the kernel source" \
		  "see above; if the disk is full make room, then run this again"
	mkdir "$TREE.new/.container-freezer"
	origin >"$TREE.new/.container-freezer/origin"
	mv "$TREE.new" "$TREE"
}

# Take the patches back that were applied, last first: what they do not touch
# keeps its time stamp, and make builds little.
unapply() {
	find "$state/applied" -name '*.patch' | sort -r | while read -r p; do
		patch -d "$TREE" -p1 -R -F0 -s --no-backup-if-mismatch <"$p" || exit 1
	done
}

apply() {
	for p in "$patches"/*.patch; do
		patch -d "$TREE" -p1 -F0 -s --no-backup-if-mismatch \
			-r "$BUILD/rejected.rej" <"$p" ||
			die "$(basename "$p") does not fit this Linux $KVER" \
			    "use the kernel of Debian's linux-source-$KVER, or fix patches/$KVER (rejected: build/rejected.rej)"
	done
	mkdir -p "$state/applied"
	cp "$patches"/*.patch "$state/applied/"
}

# The files that PATCHES touch
touched() {
	sed -n 's|^+++ b/\([^	 ]*\).*|\1|p' "$1"/*.patch | sort -u
}

# What comes out of new patches as it was is not built anew: a header that half
# of the kernel includes gets its time stamp back.
remember() {
	rm -rf "$state/before"
	mkdir "$state/before"
	(cd "$TREE" && touched "$state/applied" | cpio -pdm --quiet "$state/before")
}

recall() {
	[ -d "$state/before" ] || return 0
	(cd "$state/before" && find . -type f) | while read -r f; do
		! cmp -s "$state/before/$f" "$TREE/$f" ||
			touch -r "$state/before/$f" "$TREE/$f"
	done
	rm -r "$state/before"
}

patch_tree() {
	if [ -e "$state/busy" ]; then
		unpack
	elif [ -d "$state/applied" ]; then
		! diff -r "$patches" "$state/applied" >/dev/null || return 0
		: >"$state/busy"
		remember
		unapply >/dev/null || unpack
		rm -rf "$state/applied"
	fi
	say "applying $(find "$patches" -name '*.patch' | wc -l) patches"
	: >"$state/busy"
	apply
	recall
	rm "$state/busy"
	"$TOP/scripts/hooks.sh" "$TREE" "$patches/hooks"
	# Last: without it the next run applies them anew, and looks again.
	cp "$patches/hooks" "$state/applied/"
}

link_files() {
	(cd "$TOP" && find kernel include init tools -type f) |
	while read -r f; do
		[ "$(readlink -f "$TREE/$f")" != "$TOP/$f" ] || continue
		mkdir -p "$TREE/$(dirname "$f")"
		ln -sfr "$TOP/$f" "$TREE/$f"
	done
	# What has been removed or renamed here must not be built there.
	find "$TREE/kernel" "$TREE/include" "$TREE/init" \
		"$TREE/tools/testing" -xtype l -delete
}

if [ -n "${KSRC:-}" ]; then
	[ -f "$KSRC/Makefile" ] ||
		die "KSRC=$KSRC holds no kernel source" "give the top folder of a Linux $KVER tree"
	[ "$(version_of "$KSRC")" = "$KVER" ] ||
		die "KSRC=$KSRC is Linux $(version_of "$KSRC"), the patches are for $KVER" \
		    "give a Linux $KVER tree"
else
	[ -f "$tarball" ] ||
		die "$tarball is not there" "sudo apt-get install linux-source-$KVER, or give KSRC=/path/to/linux"
fi

lock_build
[ "$(cat "$state/origin" 2>/dev/null)" = "$(origin)" ] || unpack
[ "$(version_of "$TREE")" = "$KVER" ] ||
	die "$tarball holds Linux $(version_of "$TREE"), the patches are for $KVER" \
	    "sudo apt-get install --reinstall linux-source-$KVER"
patch_tree
link_files
