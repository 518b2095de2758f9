#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# observe.sh - print transcripts for the documentation, made on the normal
# kernel: a freeze that is blocked, named by freezer.pending and rolled back by
# freezer.timeout, and one that succeeds, with freezer.stat
set -eu
. "$(dirname "$0")/lib.sh"

say "a blocked freeze and another, on Linux $KVER (normal)"
exec "$TOP/scripts/run.sh" "$(cat "$TOP/scripts/guest/observe")"
