#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# stress.sh MINUTES [SEED] - the storm test for as long, on the debug kernel or
# that of PROFILE; it looks all the time whether FROZEN means that nobody runs,
# RUNNING that all do, and whether nobody is lost
set -eu
. "$(dirname "$0")/lib.sh"

case ${1:-} in
'' | *[!0-9]*) die "'${1:-}' is no number of minutes" "make stress MINUTES=60" ;;
esac
seed=${2:-$(date +%s)}
say "a storm of $1 minutes on the ${PROFILE:-debug} kernel, SEED=$seed"

# The test runs once on each hierarchy, and each takes half the time.
PROFILES=${PROFILE:-debug} FREEZER_STORM_SECONDS=$(($1 * 60)) FREEZER_STORM_SEED=$seed \
	LIMIT=$(($1 * 60 + 600)) exec "$TOP/scripts/test.sh" storm_test
