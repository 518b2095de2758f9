// SPDX-License-Identifier: GPL-2.0-only
/*
 * freezer.stat: its keys, and that they add up.
 *
 * FREEZER_CYCLES is the number of cycles that are added up, and is 1,000 if not
 * set.
 */
#define _GNU_SOURCE

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "freezer_fixture.h"
#include "freezer_v2_fixture.h"

#define NR_THREADS	5

static long long now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

TEST_F(freezer, new_cgroup_has_all_keys_in_their_order_and_zero)
{
	char buf[1024];

	ASSERT_EQ(0, cg_read_all("a", "freezer.stat", buf, sizeof(buf), 512));
	EXPECT_STREQ("nr_tasks 0\n"
		     "nr_frozen 0\n"
		     "nr_pending 0\n"
		     "nr_freezes 0\n"
		     "nr_kills 0\n"
		     "frozen_usec 0\n"
		     "freezing_usec 0\n"
		     "freezing_max_usec 0\n"
		     "timeouts 0\n", buf);
}

TEST_F(freezer, tasks_are_counted_in_the_whole_subtree)
{
	struct worker w[3];

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start_in("a/b", w + 1, worker_has_threads,
				     NR_THREADS));
	EXPECT_EQ(1 + NR_THREADS, cg_stat("a", "nr_tasks"));
	EXPECT_EQ(NR_THREADS, cg_stat("a/b", "nr_tasks"));
	EXPECT_EQ(0, cg_stat("a", "nr_frozen"));

	ASSERT_EQ(0, stuck_worker_start_in("a/b", w + 2));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(0, WAIT_UNTIL(cg_stat("a", "nr_pending") == 1));
	EXPECT_EQ(1, cg_stat("a/b", "nr_pending"));
	EXPECT_EQ(2 + NR_THREADS, cg_stat("a", "nr_tasks"));
	EXPECT_EQ(0, WAIT_UNTIL(cg_stat("a", "nr_frozen") == 1 + NR_THREADS));

	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 3));
	EXPECT_EQ(0, cg_stat("a", "nr_pending"));
	EXPECT_EQ(2 + NR_THREADS, cg_stat("a", "nr_frozen"));
	EXPECT_EQ(1 + NR_THREADS, cg_stat("a/b", "nr_frozen"));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, cg_stat("a", "nr_frozen"));
}

/* They look once more if they are to freeze before they go. */
TEST_F_TIMEOUT(freezer, tasks_that_leave_the_refrigerator_are_not_counted_as_frozen, 60)
{
	struct worker w[8];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(w); i++)
		ASSERT_EQ(0, worker_start_in("a", w + i, worker_spins, 1));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, cg_wait("a", "FROZEN"));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_EQ(0, cg_stat("a", "nr_frozen"));
	}
	EXPECT_EQ(0, workers_move(w, ARRAY_SIZE(w)));
}

/* That one leaves its tasks in a stop, and has counters of its own. */
TEST_F(freezer_v2, task_that_cgroup_freeze_has_frozen_is_not_counted_as_frozen)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, cg_write("a", "cgroup.freeze", "1"));
	ASSERT_EQ(0, WAIT_UNTIL(cg_event("a", "frozen 1")));
	EXPECT_EQ(1, cg_stat("a", "nr_tasks"));
	EXPECT_EQ(0, cg_stat("a", "nr_frozen"));
	/* And one that both have frozen is. */
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(1, cg_stat("a", "nr_frozen"));
}

TEST_F(freezer, present_stretch_counts_and_running_does_not)
{
	long long first, second;

	ASSERT_EQ(0, cg_freeze("a"));
	first = cg_stat("a", "frozen_usec");
	pause_ms(20);
	second = cg_stat("a", "frozen_usec");
	EXPECT_LE(first + 20000, second);
	ASSERT_EQ(0, cg_thaw("a"));
	first = cg_stat("a", "frozen_usec");
	EXPECT_LE(second, first);
	pause_ms(20);
	EXPECT_EQ(first, cg_stat("a", "frozen_usec"));
}

/* Its own times, but a freeze is one whoever asks for it. */
TEST_F(freezer, child_counts_the_freezes_of_its_parent)
{
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_freeze("a/b"));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_TRUE(cg_reads("a/b", "FROZEN"));
	pause_ms(10);
	EXPECT_EQ(1, cg_stat("a", "nr_freezes"));
	EXPECT_EQ(1, cg_stat("a/b", "nr_freezes"));
	EXPECT_LE(cg_stat("a", "frozen_usec") + 10000,
		  cg_stat("a/b", "frozen_usec"));
	ASSERT_EQ(0, cg_thaw("a/b"));
	ASSERT_EQ(0, cg_freeze("a/b"));
	EXPECT_EQ(1, cg_stat("a", "nr_freezes"));
	EXPECT_EQ(2, cg_stat("a/b", "nr_freezes"));
}

TEST_F(freezer, kills_are_writes_that_were_not_refused)
{
	ASSERT_EQ(0, cg_make("a/b"));
	EXPECT_EQ(0, cg_kill("a", SIGTERM));
	EXPECT_EQ(0, cg_kill("a", SIGKILL));
	EXPECT_EQ(-ERANGE, cg_kill("a", 0));
	EXPECT_EQ(2, cg_stat("a", "nr_kills"));
	EXPECT_EQ(0, cg_stat("a/b", "nr_kills"));
}

TEST_F(freezer, time_to_frozen_is_the_last_and_the_worst)
{
	long long start, worst;
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	start = now_usec();
	ASSERT_EQ(0, cg_freeze("a"));
	pause_ms(100);
	ASSERT_EQ(0, cg_stat("a", "freezing_usec"));
	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	worst = cg_stat("a", "freezing_max_usec");
	EXPECT_LE(100000, worst);
	EXPECT_GE(now_usec() - start, worst);
	EXPECT_EQ(worst, cg_stat("a", "freezing_usec"));

	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, cg_kill("a", SIGKILL));
	ASSERT_EQ(0, cg_wait_empty("a"));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(worst, cg_stat("a", "freezing_max_usec"));
	EXPECT_GT(worst, cg_stat("a", "freezing_usec"));
}

/* A freeze that never became FROZEN took no time that is worth a number. */
TEST_F(freezer, freeze_that_is_given_up_has_no_time)
{
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(1, cg_stat("a", "nr_freezes"));
	EXPECT_EQ(0, cg_stat("a", "frozen_usec"));
	EXPECT_EQ(0, cg_stat("a", "freezing_usec"));
}

/**
 * struct stretches - how long a cgroup was FROZEN
 * @shortest: what it was at least
 * @longest: what it was at most
 */
struct stretches {
	long long	shortest;
	long long	longest;
};

static int one_cycle(const char *cg, unsigned int *seed, struct stretches *s)
{
	long long freeze, frozen, thaw;
	int ret;

	freeze = now_usec();
	ret = cg_freeze(cg) ?: cg_wait("a", "FROZEN");
	frozen = now_usec();
	pause_ms(5 + rand_r(seed) % 11);
	thaw = now_usec();
	ret = ret ?: cg_thaw(cg) ?: cg_wait("a", "RUNNING");
	s->shortest += thaw - frozen;
	s->longest += now_usec() - freeze;
	return ret;
}

/* The cgroup of the test or its parent, at random. */
static int random_cycles(unsigned int nr, struct stretches *s)
{
	unsigned int i, seed = nr;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = one_cycle(rand_r(&seed) % 4 ? "a" : ".", &seed, s);
	return ret;
}

/* What lies between the two is what the system calls took, or others here. */
TEST_F_TIMEOUT(freezer, frozen_time_is_the_sum_of_1000_random_stretches, 600)
{
	int nr = env_number("FREEZER_CYCLES", 1000);
	struct stretches s = { 0 };
	struct worker w[2];
	long long usec;

	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_polls, 1));
	ASSERT_EQ(0, random_cycles(nr, &s));
	usec = cg_stat("a", "frozen_usec");
	fprintf(stderr, "# frozen_usec %lld, measured %lld to %lld: %+.2f %%\n",
		usec, s.shortest, s.longest,
		200.0 * usec / (s.shortest + s.longest) - 100);
	EXPECT_LE(s.shortest * 99, usec * 100);
	EXPECT_GE(s.longest * 101, usec * 100);
	EXPECT_LE(s.shortest - nr, usec);
	EXPECT_GE(s.longest + nr, usec);
	EXPECT_EQ(nr, cg_stat("a", "nr_freezes"));
	EXPECT_GE(s.longest - s.shortest + nr,
		  cg_stat("a", "freezing_max_usec"));
	EXPECT_LE(cg_stat("a", "freezing_usec"),
		  cg_stat("a", "freezing_max_usec"));
	EXPECT_EQ(0, cg_stat("a", "timeouts"));
	EXPECT_EQ(0, cg_stat("a", "nr_pending"));
	EXPECT_EQ(2, cg_stat("a", "nr_tasks"));
	EXPECT_EQ(0, workers_move(w, 2));
}

TEST_HARNESS_MAIN
