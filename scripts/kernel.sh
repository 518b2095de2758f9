#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernel.sh PROFILE [FOLDER TARGET] - build <version>-PROFILE below build/, up to
# arch/x86/boot/bzImage, from configs/base.config and configs/PROFILE.config, for
# vm-PROFILE with configs/vm.config in between; or in another FOLDER there, up to
# TARGET
set -eu
. "$(dirname "$0")/lib.sh"

profile=$1
out=$BUILD/${2:-$KVER-$profile}
target=${3:-bzImage}
log=$out/build.log
base=$TOP/configs/base.config
own=$TOP/configs/${profile#vm-}.config
vm=
[ "$profile" = "${profile#vm-}" ] || vm=$TOP/configs/vm.config

[ -f "$own" ] ||
	die "there is no profile $profile" \
	    "choose one of: $(cd "$TOP/configs" && echo *.config | sed 's/base.config //; s/\.config//g')"

# Of what they say about an option the last counts.
fragments() {
	cat "$base" ${vm:+"$vm"} "$own" | tac | awk '
		!match($0, /CONFIG_[A-Z0-9_]+/) ||
		!said[substr($0, RSTART, RLENGTH)]++' | tac
}

# All that decides on the configuration: the build asks for what is new in Kconfig,
# and nobody would answer.
recipe() {
	fragments
	cat "$TREE/.container-freezer/origin" "$TOP"/init/*.Kconfig
	awk '/^[+][+][+] / { inside = /Kconfig/ } inside' "$TOP/patches/$KVER"/*.patch
}

# The same time stamp in each build, and paths relative to build/, let ccache hit
# in another clone too.
kmake() {
	CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1 make -C "$TREE" O="$out" ARCH=x86_64 CC="ccache gcc" \
		KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=freezer \
		KBUILD_BUILD_HOST=build "$@"
}

# An option that Kconfig dropped silently would make a test mean nothing.
check_config() {
	fragments | grep '^CONFIG_' | while read -r option; do
		grep -qx -- "$option" "$out/.config" ||
			die "Kconfig did not take $option" \
			    "see what it depends on (make -C $TREE O=$out menuconfig) and change configs/"
	done
	fragments | grep '^# CONFIG_.* is not set' | while read -r _ option _; do
		! grep -q "^$option=" "$out/.config" ||
			die "Kconfig turned $option on" "see what selects it and change configs/"
	done
}

configure() {
	say "configuring Linux $KVER ($profile)"
	rm -f "$out/recipe"
	fragments >"$out/merged"
	{
		kmake tinyconfig &&
		"$TREE/scripts/kconfig/merge_config.sh" -m -O "$out" \
			"$out/.config" "$out/merged" &&
		kmake olddefconfig && touch "$out/done"
	} >"$log" 2>&1
	[ -e "$out/done" ] ||
		die "could not configure the kernel, see $log" "change configs/$profile.config"
	rm "$out/done"
	check_config
	recipe >"$out/recipe"
}

# Turn make's lines into a count every few seconds.
progress() {
	awk -v what="$profile" -v total="$1" -v tty="$2" '
		/^  [A-Z]/ { n++ }
		n && n % 100 == 0 && n != said {
			said = n
			printf "%s   kernel (%s): %d of about %d files%s",
			       tty ? "\r" : "", what, n, total, tty ? "" : "\n"
			fflush()
		}
		END { if (tty && said) print "" }' >&2
}

build() {
	total=1450
	[ -z "$vm" ] || total=2300
	[ ! -e "$out/files" ] || total=$(cat "$out/files")
	tty=
	[ ! -t 2 ] || tty=1
	say "building Linux $KVER ($profile), log: ${log#"$TOP"/}"
	{ kmake -j"$(($(nproc) + 1))" "$target" </dev/null 2>&1 && touch "$out/done"; } |
		tee "$log" | progress "$total" "$tty"
	[ -e "$out/done" ] || {
		grep -n 'error:\|Error \|No space' "$log" | head -n 5 >&2
		die "the kernel did not build, see $log" \
		    "fix what the lines above say, then run this again"
	}
	n=$(grep -c '^  [A-Z]' "$log" || :)
	[ "$n" -lt 1000 ] || echo "$n" >"$out/files"
}

lock_build
mkdir -p "$out"
rm -f "$out/done"
recipe | cmp -s - "$out/recipe" || configure
build
