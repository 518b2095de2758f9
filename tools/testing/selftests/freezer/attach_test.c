// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moving processes into and out of cgroups that are running, freezing, frozen.
 */
#define _GNU_SOURCE

#include <signal.h>

#include "freezer_fixture.h"

TEST_F(freezer, attach_to_a_running_cgroup_runs)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
}

TEST_F(freezer, attach_to_a_frozen_cgroup_is_refused)
{
	struct worker w;

	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, worker_start_in("b", &w, worker_sleeps, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(-EBUSY, cg_attach("a", w.pid));
	EXPECT_EQ(0, cg_wait_empty("a"));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer, shell_cannot_park_itself)
{
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(-EBUSY, cg_attach("a", 0));
	EXPECT_EQ(-EBUSY, cg_attach("a", getpid()));
}

TEST_F(freezer, attach_below_a_frozen_ancestor_is_refused)
{
	struct worker w;

	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, cg_make("a/b/c"));
	ASSERT_EQ(0, worker_start(&w, worker_sleeps, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(-EBUSY, cg_attach("a/b", w.pid));
	EXPECT_EQ(-EBUSY, cg_attach("a/b/c", w.pid));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer, attach_above_a_frozen_child_runs)
{
	struct worker w;

	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, cg_freeze("a/b"));
	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
}

TEST_F(freezer, refused_attach_leaves_no_trace)
{
	struct worker w[2];
	int i;

	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start(w + 1, worker_has_threads, 8));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(-EBUSY, cg_attach("a", w[1].pid));
		ASSERT_TRUE(cg_reads("a", "FROZEN"));
	}
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_move(w, 2));

	/* A hold that was kept would keep it FREEZING. */
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
}

TEST_F(freezer, attach_to_a_freezing_cgroup_freezes)
{
	struct worker w[3];

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, worker_start(w + 1, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start(w + 2, worker_spins, 1));
	ASSERT_EQ(0, workers_move(w + 1, 2));
	ASSERT_EQ(0, stuck_worker_start_in("a", w));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_TRUE(cg_reads("a", "FREEZING"));

	ASSERT_EQ(0, cg_attach("a", w[1].pid));
	ASSERT_EQ(0, cg_attach("a", w[2].pid));
	EXPECT_EQ(0, WAIT_UNTIL(!workers_stand_still(w, 3)));
	EXPECT_TRUE(cg_reads("a", "FREEZING"));

	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 3));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_move(w, 3));
}

#define MANY	24

TEST_F(freezer, tasks_attached_one_by_one_to_a_freezing_cgroup_freeze)
{
	struct worker w[MANY + 1];
	int i;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", w));
	ASSERT_EQ(0, cg_freeze("a"));
	for (i = 1; i <= MANY; i++) {
		ASSERT_EQ(0, worker_start(w + i, worker_has_threads, 1 + i % 4));
		ASSERT_EQ(0, workers_move(w + i, 1));
		ASSERT_EQ(0, cg_attach("a", w[i].pid));
		ASSERT_TRUE(cg_reads("a", "FREEZING"));
	}
	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, MANY + 1));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_move(w, MANY + 1));
}

TEST_F(freezer, move_out_of_a_frozen_cgroup_thaws)
{
	struct worker w[3];

	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_spins, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 2, worker_has_threads, 8));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));

	ASSERT_EQ(0, cg_attach("b", w[0].pid));
	EXPECT_EQ(0, workers_move(w, 1));
	EXPECT_EQ(0, workers_stand_still(w + 1, 2));
	ASSERT_EQ(0, cg_attach("b", w[1].pid));
	ASSERT_EQ(0, cg_attach("b", w[2].pid));
	EXPECT_EQ(0, workers_move(w, 3));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
}

TEST_F(freezer, move_from_frozen_to_frozen_is_refused_and_stays_frozen)
{
	struct worker w;

	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_freeze("b"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(-EBUSY, cg_attach("b", w.pid));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, cg_thaw("b"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer, move_from_frozen_to_freezing_stays_frozen)
{
	struct worker w[2];

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, stuck_worker_start_in("b", w + 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_freeze("b"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));

	ASSERT_EQ(0, cg_attach("b", w[0].pid));
	EXPECT_EQ(0, workers_stand_still(w, 1));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_stand_still(w, 1));
	ASSERT_EQ(0, cg_thaw("b"));
	EXPECT_EQ(0, workers_move(w, 1));
}

TEST_F(freezer, stuck_task_counts_only_where_it_is)
{
	struct worker w[2];

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, stuck_worker_start_in("a", w));
	ASSERT_EQ(0, stuck_worker_start_in("b", w + 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_freeze("b"));

	ASSERT_EQ(0, cg_attach("b", w[0].pid));
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_TRUE(cg_reads("b", "FREEZING"));
	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, cg_wait("b", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 2));
	ASSERT_EQ(0, cg_thaw("b"));
	EXPECT_EQ(0, workers_move(w, 2));
}

TEST_F(freezer, move_to_where_it_is_already_changes_nothing)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, cg_attach("a", w.pid));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
}

/* Outside; moves the process in its note between "a" and "b" for ever. */
static void worker_moves_another(struct worker *w)
{
	int i, ret = 0;
	pid_t pid;

	while (!(pid = slot_note(w->slots, 0)))
		pause_ms(1);
	for (i = 0; !ret || ret == -EBUSY; i++) {
		ret = cg_attach(i % 2 ? "a" : "b", pid);
		slot_tick(w->slots);
	}
	_exit(1);
}

static int start_mover(struct worker *mover, struct worker *moved)
{
	int ret = worker_start(mover, worker_moves_another, 1);

	slot_set_note(mover->slots, 0, moved->pid);
	return ret ?: workers_move(mover, 1);
}

TEST_F_TIMEOUT(freezer, cgroup_freezes_while_a_task_moves_in_and_out, 60)
{
	struct worker w, mover;
	int i, status;

	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, start_mover(&mover, &w));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, cg_wait("a", "FROZEN"));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_EQ(0, workers_move(&w, 1));
		ASSERT_EQ(0, workers_move(&mover, 1));
	}
	ASSERT_EQ(0, kill(mover.pid, SIGKILL));
	ASSERT_EQ(0, worker_wait_exit(&mover, &status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));

	ASSERT_EQ(0, cg_attach("a", w.pid));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

/* A walk has some of the threads in its hands when the process leaves. */
TEST_F_TIMEOUT(freezer, process_that_moves_while_its_cgroup_thaws_leaves_no_thread_frozen, 120)
{
	struct worker w, mover;
	int i;

	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, 100));
	ASSERT_EQ(0, start_mover(&mover, &w));
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, cg_thaw("a"));
		if (i % 10 == 9)
			ASSERT_EQ(0, workers_move(&w, 1));
	}
	EXPECT_EQ(0, workers_move(&mover, 1));
}

/* The kernel takes so many tasks at a time. */
#define WALK		128

/* Outside; moves the process in its note to "b", which is frozen. */
static void worker_moves_in_vain(struct worker *w)
{
	pid_t pid;

	while (!(pid = slot_note(w->slots, 0)))
		pause_ms(1);
	while (cg_attach("b", pid) == -EBUSY)
		slot_tick(w->slots);
	_exit(1);
}

static int start_crowd(struct worker *crowd)
{
	int i, ret = 0;

	for (i = 0; i < WALK && !ret; i++)
		ret = worker_start_in("a", crowd + i, worker_pauses, 1);
	return ret;
}

/* A walk has come to the last task when that is taken off the list and put back. */
TEST_F_TIMEOUT(freezer, task_whose_moves_fail_freezes_with_the_others, 120)
{
	struct worker crowd[WALK], w, mover;
	unsigned long count;
	int i;

	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, cg_freeze("b"));
	ASSERT_EQ(0, start_crowd(crowd));
	ASSERT_EQ(0, worker_start_in("a", &w, worker_spins, 1));
	ASSERT_EQ(0, worker_start(&mover, worker_moves_in_vain, 1));
	slot_set_note(mover.slots, 0, w.pid);
	ASSERT_EQ(0, workers_move(&mover, 1));
	for (i = 0; i < 500; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, cg_wait("a", "FROZEN"));
		count = slot_count(w.slots);
		pause_ms(1);
		ASSERT_EQ(count, slot_count(w.slots));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_EQ(0, workers_move(&w, 1));
	}
	EXPECT_EQ(0, workers_move(&mover, 1));
}

TEST_HARNESS_MAIN
