#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# check.sh - the quick checks of our files: silent but for the steps when all
# is well.  Needs the patched tree of source.sh, and the normal kernel to know which
# files it is built from.
set -eu
. "$(dirname "$0")/lib.sh"

cd "$TOP"
lock_build
found=$BUILD/check.found
base=$BUILD/check.base
: >"$found"

# note TITLE: what comes on standard input is a finding
note() {
	sed "s|^|$1: |" >>"$found"
}

our_files() {
	git ls-files -co --exclude-standard -- "$@"
}

check_scripts() {
	say "shellcheck"
	# shellcheck disable=SC2046 # our file names have no spaces
	shellcheck -f gcc $(our_files 'scripts/*.sh' .ci/run \
		'scripts/guest/clients/*' ':!*.list') 2>&1 | note shellcheck
	shellcheck -f gcc -s sh scripts/guest/init scripts/guest/container \
		scripts/guest/observe scripts/guest/tests scripts/guest/examples \
		scripts/guest/debuggers 2>&1 | note shellcheck
}

check_style() {
	say "checkpatch --strict"
	for f in $(our_files '*.c' '*.h' '*.Kconfig'); do
		perl "$TREE/scripts/checkpatch.pl" --strict --no-tree --terse \
			--no-summary -f "$f" 2>&1 | note checkpatch
	done
	for f in $(our_files 'patches/*.patch'); do
		perl "$TREE/scripts/checkpatch.pl" --strict --no-tree --terse \
			--no-summary - <"$f" 2>&1 | sed "s|^-|$f|" | note checkpatch
	done
}

check_docs() {
	say "kernel-doc"
	for f in $(our_files 'kernel/*.[ch]' 'include/*.h'); do
		perl "$TREE/scripts/kernel-doc" -none -Wall "$f" 2>&1 | note kernel-doc
	done
}

# The files that our patches touch
touched() {
	sed -n 's|^+++ b/\([^	 ]*\).*|\1|p' "$TOP/patches/$KVER"/*.patch | sort -u
}

# Those files as they were without our patches
unpatch() {
	rm -rf "$base"
	mkdir "$base"
	(cd "$TREE" && touched | cpio -pd --quiet "$base")
	find "$TOP/patches/$KVER" -name '*.patch' | sort -r | while read -r p; do
		patch -d "$base" -p1 -R -F0 -s --no-backup-if-mismatch <"$p" ||
			die "$(basename "$p") cannot be taken back" "make source"
	done
}

# added FILE NUMBER: has a patch put this line into a file of the tree?  Then a patch
# has a line that reads so, but so may others; and diff takes it for new, but some old
# ones too that stand among new ones.
added() {
	line=$(diff --unchanged-line-format= --old-line-format= --new-line-format='%dn:%L' \
		"$base/${1#*"/$KVER-src/"}" "$1" 2>/dev/null | sed -n "s/^$2:/+/p")
	[ -n "$line" ] && grep -qFx -- "$line" "$TOP/patches/$KVER"/*.patch
}

# Of warnings "file:line:...", those at lines of ours: all of a file of ours, and
# in a file that is patched the lines that a patch adds.  What the kernel has to
# say of its own lines (sparse does not follow guard(), for one) is not ours.
ours() {
	while IFS= read -r warning; do
		file=${warning%%:*}
		number=${warning#*:}
		number=${number%%:*}
		case $file in
		*container_freezer*) ;;
		*) added "$file" "$number" || continue ;;
		esac
		printf '%s\n' "$warning"
	done
}

# The objects of the files that our patches touch, as far as the normal kernel has
# them; one other file is included by build_utility.c.
patched() {
	echo kernel/sched/build_utility.o
	touched | sed -n 's/[.]c$/.o/p' | while read -r object; do
		[ ! -e "$BUILD/$KVER-normal/$object" ] || echo "$object"
	done
}

# Objects, with all warnings that gcc and sparse have.  They are compiled each time,
# as gcc does not repeat what it has said of those that are there.
check_objects() {
	profile=$1
	shift
	out=$BUILD/$KVER-check-$profile
	log=$out/check.log
	say "W=1 and sparse ($profile)"
	"$TOP/scripts/kernel.sh" "$profile" "$KVER-check-$profile" prepare
	(cd "$out" && rm -rf "$@")
	CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1 \
		make -C "$TREE" O="$out" ARCH=x86_64 CC="ccache gcc" W=1 C=2 \
		KBUILD_BUILD_TIMESTAMP=@0 -j"$(($(nproc) + 1))" "$@" >"$log" 2>&1 || {
		grep 'error' "$log" | head -n 5 | note "$profile does not compile"
		echo "see $log" | note "$profile does not compile"
	}
	# ccache has gcc name files as they are seen from there.
	grep -E '^[^ :]+:[0-9]+:.*(warning|error)' "$log" | sort -u |
		(cd "$out" && ours) | note "$profile"
}

check_scripts
check_style
check_docs
unpatch
# shellcheck disable=SC2046 # they are words
check_objects normal kernel/cgroup/ kernel/fork.o $(patched)
check_objects off kernel/freezer.o kernel/cgroup/ kernel/fork.o
check_objects legacy kernel/freezer.o kernel/cgroup/ kernel/fork.o

if [ -s "$found" ]; then
	cat "$found"
	die "make check found $(wc -l <"$found") things" "fix what the lines above say"
fi
