/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of tests that are for v2 alone.
 */
#ifndef FREEZER_V2_FIXTURE_H
#define FREEZER_V2_FIXTURE_H

#include "freezer_harness.h"

FIXTURE(freezer_v2)
{
};

FIXTURE_SETUP(freezer_v2)
{
	ASSERT_EQ(0, env_setup(false));
	ASSERT_EQ(0, cg_make("a"));
}

FIXTURE_TEARDOWN(freezer_v2)
{
	EXPECT_EQ(0, env_cleanup());
}

#endif /* FREEZER_V2_FIXTURE_H */
