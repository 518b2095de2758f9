/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of all tests that are the same on both hierarchies.
 */
#ifndef FREEZER_FIXTURE_H
#define FREEZER_FIXTURE_H

#include "freezer_harness.h"

FIXTURE(freezer)
{
};

FIXTURE_VARIANT(freezer)
{
	bool v1;
};

FIXTURE_VARIANT_ADD(freezer, v1)
{
	.v1 = true,
};

FIXTURE_VARIANT_ADD(freezer, v2)
{
	.v1 = false,
};

FIXTURE_SETUP(freezer)
{
	ASSERT_EQ(0, env_setup(variant->v1));
	ASSERT_EQ(0, cg_make("a"));
}

FIXTURE_TEARDOWN(freezer)
{
	EXPECT_EQ(0, env_cleanup());
}

#endif /* FREEZER_FIXTURE_H */
