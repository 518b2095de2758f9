// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blocking calls of calls_test on the legacy freezer, for the table; what
 * comes out is not ours to judge.
 *
 * Needs: CONFIG_CGROUP_FREEZER
 */
#define _GNU_SOURCE

#include "calls.h"
#include "freezer_harness.h"

FIXTURE(legacy)
{
};

FIXTURE_SETUP(legacy)
{
	ASSERT_EQ(0, env_setup_legacy());
	ASSERT_EQ(0, cg_make("a"));
}

FIXTURE_TEARDOWN(legacy)
{
	EXPECT_EQ(0, env_cleanup());
}

TEST_F_TIMEOUT(legacy, runs_the_same_calls, 600)
{
	EXPECT_EQ(0, calls_print(&legacy, file_calls));
	EXPECT_EQ(0, calls_print(&legacy, net_calls));
	EXPECT_EQ(0, calls_print(&legacy, ipc_calls));
	EXPECT_EQ(0, calls_print(&legacy, task_calls));
}

TEST_HARNESS_MAIN
