// SPDX-License-Identifier: GPL-2.0-only
/*
 * One cgroup: all kinds of tasks freeze, stand still, and go on.
 */
#define _GNU_SOURCE

#include <signal.h>
#include <sys/prctl.h>

#include "freezer_fixture.h"

#define CYCLES		3

/* Freeze what is in "a", see it stand still, thaw it, see it move. */
static int cycle(struct worker *w, unsigned int nr)
{
	int ret;

	ret = cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	ret = ret ?: workers_stand_still(w, nr);
	ret = ret ?: cg_reads("a", "FROZEN") ? 0 : -EAGAIN;
	ret = ret ?: cg_thaw("a");
	ret = ret ?: cg_reads("a", "RUNNING") ? 0 : -EAGAIN;
	return ret ?: workers_move(w, nr);
}

static int cycles(struct worker *w, unsigned int nr, unsigned int nr_cycles)
{
	int ret = 0;

	while (nr_cycles-- && !ret)
		ret = cycle(w, nr);
	return ret;
}

static int start_and_cycle(void (*fn)(struct worker *w), unsigned int nr,
			   unsigned int nr_slots)
{
	struct worker w[32];
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = worker_start_in("a", w + i, fn, nr_slots);
	ret = ret ?: workers_move(w, nr);
	return ret ?: cycles(w, nr, CYCLES);
}

TEST_F(freezer, sleeping_tasks_freeze)
{
	EXPECT_EQ(0, start_and_cycle(worker_sleeps, 16, 1));
}

TEST_F(freezer, polling_tasks_freeze)
{
	EXPECT_EQ(0, start_and_cycle(worker_polls, 16, 1));
}

TEST_F(freezer, spinning_tasks_freeze)
{
	EXPECT_EQ(0, start_and_cycle(worker_spins, 4, 1));
}

TEST_F(freezer, forking_tasks_freeze)
{
	EXPECT_EQ(0, start_and_cycle(worker_forks, 4, 1));
}

TEST_F(freezer, many_threads_freeze)
{
	EXPECT_EQ(0, start_and_cycle(worker_has_threads, 2, 64));
}

TEST_F(freezer, vforking_tasks_freeze)
{
	EXPECT_EQ(0, start_and_cycle(worker_vforks, 4, 1));
}

TEST_F(freezer, threads_of_a_dead_leader_freeze)
{
	struct worker w;

	ASSERT_EQ(0, worker_start(&w, worker_loses_its_leader, 1));
	ASSERT_EQ(0, cg_attach("a", w.pid));
	ASSERT_EQ(0, WAIT_UNTIL(task_state(w.pid) == 'Z'));
	ASSERT_EQ(0, workers_move(&w, 1));
	EXPECT_EQ(0, cycle(&w, 1));
}

/*
 * A fork bomb that stays small.  Each of its processes forks and exits, so
 * that no walk over them ever sees the same ones twice.
 */
#define BOMB_SIZE	48

static void bomb_chain(struct slot *slot)
{
	for (;;) {
		slot_tick(slot);
		if (fork() > 0)
			_exit(0);
	}
}

static void worker_is_a_bomb(struct worker *w)
{
	unsigned int i;

	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (i = 0; i < BOMB_SIZE; i++)
		if (!fork())
			bomb_chain(w->slots);
	for (;;)
		pause_ms(1000);
}

TEST_F_TIMEOUT(freezer, fork_bomb_freezes_again_and_again, 120)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_is_a_bomb, 1));
	EXPECT_EQ(0, cycles(&w, 1, 10));
}

TEST_F(freezer, stuck_task_keeps_the_state_freezing_until_it_is_released)
{
	struct worker w[3];

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 2, worker_spins, 1));
	ASSERT_EQ(0, stuck_worker_start_in("a", w));

	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_TRUE(cg_reads("a", "FREEZING"));
	/* The time that they need shows nowhere. */
	EXPECT_EQ(0, WAIT_UNTIL(!workers_stand_still(w, 3)));
	EXPECT_TRUE(cg_reads("a", "FREEZING"));

	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 3));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_move(w, 3));
}

TEST_F(freezer, thaw_while_freezing_lets_all_run)
{
	struct worker w[2];

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_sleeps, 1));
	ASSERT_EQ(0, stuck_worker_start_in("a", w));

	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_TRUE(cg_reads("a", "FREEZING"));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
	EXPECT_EQ(0, workers_move(w + 1, 1));

	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, workers_move(w, 2));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
	EXPECT_EQ(0, cycles(w, 2, CYCLES));
}

TEST_F(freezer, refreeze_while_freezing_waits_for_the_same_task)
{
	struct worker w;
	int i;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		EXPECT_TRUE(cg_reads("a", "FREEZING"));
		ASSERT_EQ(0, cg_thaw("a"));
		EXPECT_TRUE(cg_reads("a", "RUNNING"));
	}
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

static void worker_vforks_in_haste(struct worker *w)
{
	for (;;) {
		slot_tick(w->slots);
		if (!vfork())
			_exit(0);
	}
}

#define VFORKERS	8

/* The stuck task makes a freeze long, and its pauses; it is gone from the next. */
static long long ms_of_a_freeze_after_a_long_one(pid_t stuck)
{
	long long end;
	int ret;

	ret = cg_attach("a", stuck);
	ret = ret ?: cg_freeze("a");
	for (end = now_ms() + 1700; now_ms() < end;)
		pause_ms(10);
	ret = ret ?: cg_thaw("a");
	ret = ret ?: cg_attach(".", stuck);
	end = now_ms();
	ret = ret ?: cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	end = now_ms() - end;
	ret = ret ?: cg_thaw("a");
	return ret ?: end;
}

/* Where somebody begins a vfork when the walk has gone by, it must come again. */
TEST_F_TIMEOUT(freezer, freeze_does_not_wait_as_long_as_an_earlier_one_did, 120)
{
	struct worker w, vforkers[VFORKERS];
	long long ms;
	int i;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	for (i = 0; i < VFORKERS; i++)
		ASSERT_EQ(0, worker_start_in("a", vforkers + i,
					     worker_vforks_in_haste, 1));
	for (i = 0; i < 8; i++) {
		ms = ms_of_a_freeze_after_a_long_one(w.pid);
		fprintf(stderr, "# %lld ms\n", ms);
		ASSERT_LE(0, ms);
		EXPECT_GT(250, ms);
	}
	ASSERT_EQ(0, stuck_release());
}

static int write_in_turns(int nr)
{
	int i, ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = i % 2 ? cg_thaw("a") : cg_freeze("a");
	return ret;
}

TEST_F(freezer, last_of_many_fast_writes_wins)
{
	struct worker w[4];
	int i;

	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_spins, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 2, worker_forks, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 3, worker_polls, 1));
	for (i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, write_in_turns(101));
		ASSERT_EQ(0, cg_wait("a", "FROZEN"));
		ASSERT_EQ(0, workers_stand_still(w, 4));
		ASSERT_EQ(0, write_in_turns(100));
		ASSERT_TRUE(cg_reads("a", "RUNNING"));
		ASSERT_EQ(0, workers_move(w, 4));
	}
}

/* Outside the cgroup; counts its writes. */
static void worker_writes_at_random(struct worker *w)
{
	unsigned int seed = getpid();
	int i;

	for (i = 0; i < 100; i++) {
		slot_tick(w->slots);
		if (rand_r(&seed) % 2 ? cg_freeze("a") : cg_thaw("a"))
			_exit(1);
	}
}

static int race_two_writers(void)
{
	struct worker writers[2];
	int i, status, ret = 0;

	for (i = 0; i < 2 && !ret; i++)
		ret = worker_start(writers + i, worker_writes_at_random, 1);
	for (i = 0; i < 2 && !ret; i++)
		ret = worker_wait_exit(writers + i, &status) ?: status;
	return ret;
}

TEST_F(freezer, state_and_counters_agree_after_a_race_of_writers)
{
	struct worker w[2];
	int i;

	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_forks, 1));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, race_two_writers());
		ASSERT_EQ(0, WAIT_UNTIL(!cg_reads("a", "FREEZING")));
		ASSERT_EQ(0, cg_reads("a", "FROZEN") ?
			     workers_stand_still(w, 2) : workers_move(w, 2));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_EQ(0, cycle(w, 2));
	}
}

TEST_HARNESS_MAIN
