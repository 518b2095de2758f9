/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of tests that are for v1 alone.
 */
#ifndef FREEZER_V1_FIXTURE_H
#define FREEZER_V1_FIXTURE_H

#include "freezer_harness.h"

FIXTURE(freezer_v1)
{
};

FIXTURE_SETUP(freezer_v1)
{
	ASSERT_EQ(0, env_setup(true));
	ASSERT_EQ(0, cg_make("a"));
	ASSERT_EQ(0, cg_make("b"));
}

FIXTURE_TEARDOWN(freezer_v1)
{
	EXPECT_EQ(0, env_cleanup());
}

static inline int state_freeze(const char *cg)
{
	return cg_write(cg, "freezer.state", "FROZEN");
}

static inline int state_thaw(const char *cg)
{
	return cg_write(cg, "freezer.state", "THAWED");
}

#endif /* FREEZER_V1_FIXTURE_H */
