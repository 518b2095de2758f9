// SPDX-License-Identifier: GPL-2.0-only
/*
 * A v1 mount takes the controller away from v2, and with it goes all that is
 * frozen there; the end of that mount gives it back.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>

#include "freezer_v2_fixture.h"

static int steal_and_give_back(char *path, size_t size)
{
	return v1_mount("freezer", path, size) ?: v1_unmount("freezer");
}

TEST_F(freezer_v2, tasks_run_when_a_v1_mount_takes_the_controller)
{
	struct worker w[4];
	char path[128];

	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_spins, 1));
	ASSERT_EQ(0, worker_start_in("a/b", w + 2, worker_has_threads, 8));
	ASSERT_EQ(0, worker_start_in("a/b", w + 3, worker_polls, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, workers_stand_still(w, 4));

	ASSERT_EQ(0, v1_mount("freezer", path, sizeof(path)));
	EXPECT_LT(0, controller_hierarchy("freezer"));
	EXPECT_EQ(0, workers_move(w, 4));
	EXPECT_EQ(-ENOENT, cg_open("a", "freezer.freeze", O_RDONLY));
	EXPECT_EQ(0, v1_unmount("freezer"));
}

TEST_F(freezer_v2, stuck_task_is_forgotten_when_a_v1_mount_takes_the_controller)
{
	struct worker w;
	char path[128];

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_TRUE(cg_reads("a", "FREEZING"));
	ASSERT_EQ(0, v1_mount("freezer", path, sizeof(path)));
	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, workers_move(&w, 1));
	EXPECT_EQ(0, v1_unmount("freezer"));
	EXPECT_EQ(0, WAIT_UNTIL(cg_reads("a", "RUNNING")));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F_TIMEOUT(freezer_v2, controller_comes_back_from_v1_and_works, 60)
{
	struct worker w[2];
	char path[128];
	int i;

	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_spins, 1));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, cg_wait("a", "FROZEN"));
		ASSERT_EQ(0, workers_stand_still(w, 2));
		ASSERT_EQ(0, steal_and_give_back(path, sizeof(path)));
		ASSERT_EQ(0, WAIT_UNTIL(cg_reads("a", "RUNNING")));
		ASSERT_EQ(0, workers_move(w, 2));
	}
}

TEST_HARNESS_MAIN
