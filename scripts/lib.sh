# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# lib.sh - what all scripts share; sourced, not run

TOP=$(cd "$(dirname "$0")/.." && pwd)
KVER=${KVER:-6.12}
BUILD=$TOP/build
# shellcheck disable=SC2034 # for those who source this
TREE=$BUILD/$KVER-src

# say TEXT: one step of the progress report
say() {
	printf '== %s\n' "$1" >&2
}

# die WHAT REMEDY: end with what is wrong, and one line that says what to do
die() {
	printf 'error: %s\n  to mend it: %s\n' "$1" "$2" >&2
	exit 1
}
