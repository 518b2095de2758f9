// SPDX-License-Identifier: GPL-2.0-only
/*
 * freezer.timeout: a freeze that is not FROZEN in time never was.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freezer_fixture.h"
#include "freezer_v1_fixture.h"

/* In what a test runs here the first is short, the second longer than it. */
#define SHORT_MS	"40"
#define AFTER_SHORT_MS	120

static int set_timeout(const char *cg, const char *msec)
{
	return cg_write(cg, "freezer.timeout", msec);
}

static bool timeout_reads(const char *cg, const char *msec)
{
	char buf[64];

	return !cg_read(cg, "freezer.timeout", buf, sizeof(buf)) &&
	       !strcmp(buf, msec);
}

TEST_F(freezer, default_is_none_and_an_hour_is_the_most)
{
	EXPECT_TRUE(timeout_reads("a", "0"));
	EXPECT_EQ(0, set_timeout("a", "1"));
	EXPECT_TRUE(timeout_reads("a", "1"));
	EXPECT_EQ(0, set_timeout("a", " 3600000\n"));
	EXPECT_TRUE(timeout_reads("a", "3600000"));
	EXPECT_EQ(0, set_timeout("a", "0"));
	EXPECT_TRUE(timeout_reads("a", "0"));
}

static const struct {
	const char	*text;
	int		ret;
} bad_input[] = {
	{ "\n",				-EINVAL },
	{ "x",				-EINVAL },
	{ "1s",				-EINVAL },
	{ "1 1",			-EINVAL },
	{ "0x1",			-EINVAL },
	{ "1.5",			-EINVAL },
	{ "max",			-EINVAL },
	{ "-1",				-ERANGE },
	{ "3600001",			-ERANGE },
	{ "4294967296",			-ERANGE },
	{ "99999999999999999999",	-ERANGE },
};

TEST_F(freezer, bad_input_is_refused_and_changes_nothing)
{
	unsigned int i;

	ASSERT_EQ(0, set_timeout("a", "7"));
	for (i = 0; i < ARRAY_SIZE(bad_input); i++) {
		EXPECT_EQ(bad_input[i].ret, set_timeout("a", bad_input[i].text));
		EXPECT_TRUE(timeout_reads("a", "7"));
	}
}

TEST_F(freezer, removed_cgroup_has_no_timeout)
{
	int fd;

	ASSERT_EQ(0, cg_make("a/b"));
	fd = cg_open("a/b", "freezer.timeout", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, cg_remove("a/b"));
	EXPECT_EQ(-1, write(fd, "1", 1));
	EXPECT_EQ(ENODEV, errno);
	close(fd);
}

TEST_F(freezer, blocked_freeze_is_rolled_back_whole)
{
	struct worker w[3];
	long long start;
	int fd;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, worker_start_in("a", w, worker_spins, 1));
	ASSERT_EQ(0, worker_start_in("a/b", w + 1, worker_has_threads, 4));
	ASSERT_EQ(0, stuck_worker_start_in("a/b", w + 2));
	fd = cg_open("a", "freezer.freeze", O_RDONLY);
	ASSERT_LE(0, fd);
	/* Long enough for all that is to be seen before it, on a busy host too. */
	ASSERT_EQ(0, set_timeout("a", "3000"));
	start = now_ms();
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, poll_until(fd, "FREEZING"));
	EXPECT_EQ(0, WAIT_UNTIL(cg_stat("a", "nr_frozen") == 5));
	ASSERT_EQ(0, poll_until(fd, "RUNNING"));
	EXPECT_LE(start + 3000, now_ms());
	EXPECT_EQ(1, cg_stat("a", "timeouts"));
	EXPECT_EQ(0, cg_stat("a/b", "timeouts"));
	EXPECT_EQ(0, cg_stat("a", "frozen_usec"));
	/* Below, it is thawed after that: the walk goes from the top down. */
	EXPECT_EQ(0, cg_wait("a/b", "RUNNING"));
	EXPECT_EQ(0, workers_move(w, 2));
	EXPECT_TRUE(timeout_reads("a", "3000"));

	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, workers_move(w, 3));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
	/* And the next one is as good as any. */
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 3));
	EXPECT_EQ(1, cg_stat("a", "timeouts"));
	close(fd);
}

TEST_F(freezer, who_asked_may_be_dead)
{
	struct worker w[2];
	int status;
	pid_t pid;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, stuck_worker_start_in("a", w + 1));
	ASSERT_EQ(0, set_timeout("a", "300"));
	pid = fork();
	if (!pid)
		_exit(cg_freeze("a") ? 1 : 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	/* If it comes to that so late that it is RUNNING again, it has frozen. */
	EXPECT_EQ(0, cg_wait("a", "RUNNING"));
	EXPECT_EQ(1, cg_stat("a", "timeouts"));
	EXPECT_EQ(0, workers_move(w, 1));
}

TEST_F(freezer, freeze_that_is_frozen_in_time_stays_frozen)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, set_timeout("a", "2000"));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	pause_ms(2500);
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	EXPECT_EQ(0, cg_stat("a", "timeouts"));
}

TEST_F(freezer, limit_is_that_of_the_moment_of_the_freeze)
{
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, set_timeout("a", SHORT_MS));
	/* This asks for what is there already. */
	ASSERT_EQ(0, cg_freeze("a"));
	pause_ms(AFTER_SHORT_MS);
	EXPECT_TRUE(cg_reads("a", "FREEZING"));
	EXPECT_EQ(0, cg_stat("a", "timeouts"));

	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, set_timeout("a", "0"));
	EXPECT_EQ(0, cg_wait("a", "RUNNING"));
	EXPECT_EQ(1, cg_stat("a", "timeouts"));
}

TEST_F(freezer, child_inherits_no_limit)
{
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, set_timeout("a", SHORT_MS));
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, stuck_worker_start_in("a/b", &w));
	EXPECT_TRUE(timeout_reads("a/b", "0"));
	ASSERT_EQ(0, cg_freeze("a/b"));
	pause_ms(AFTER_SHORT_MS);
	EXPECT_TRUE(cg_reads("a/b", "FREEZING"));
	EXPECT_EQ(0, cg_stat("a", "timeouts"));
	EXPECT_EQ(0, cg_stat("a/b", "timeouts"));
}

TEST_F(freezer, limit_is_not_for_the_request_of_a_parent)
{
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, stuck_worker_start_in("a/b", &w));
	ASSERT_EQ(0, set_timeout("a/b", SHORT_MS));
	ASSERT_EQ(0, cg_freeze("a"));
	pause_ms(AFTER_SHORT_MS);
	EXPECT_TRUE(cg_reads("a", "FREEZING"));
	EXPECT_TRUE(cg_reads("a/b", "FREEZING"));
	EXPECT_EQ(0, cg_stat("a", "timeouts"));
	EXPECT_EQ(0, cg_stat("a/b", "timeouts"));
}

/* It is a request that is taken back, and each cgroup has its own. */
TEST_F(freezer, requests_of_others_stay)
{
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, cg_make("a/b/c"));
	ASSERT_EQ(0, stuck_worker_start_in("a/b/c", &w));
	ASSERT_EQ(0, set_timeout("a/b", SHORT_MS));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_freeze("a/b/c"));
	ASSERT_EQ(0, cg_freeze("a/b"));
	EXPECT_EQ(0, WAIT_UNTIL(cg_stat("a/b", "timeouts") == 1));
	EXPECT_TRUE(cg_reads("a/b", "FREEZING"));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_TRUE(cg_reads("a/b", "RUNNING"));
	EXPECT_TRUE(cg_reads("a/b/c", "FREEZING"));
}

/* freezer.state is another way to the same request. */

TEST_F(freezer_v1, freeze_through_the_state_file_has_the_limit)
{
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	ASSERT_EQ(0, set_timeout("a", SHORT_MS));
	ASSERT_EQ(0, state_freeze("a"));
	EXPECT_EQ(0, cg_file_wait("a", "freezer.state", "THAWED"));
	EXPECT_TRUE(cg_file_reads("a", "freezer.self_freezing", "0"));
	EXPECT_EQ(1, cg_stat("a", "timeouts"));
}

TEST_F(freezer_v1, rollback_opens_what_the_freeze_file_has_closed)
{
	struct worker w, comer;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, worker_start_in("b", &comer, worker_sleeps, 1));
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	ASSERT_EQ(0, set_timeout("a", SHORT_MS));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, WAIT_UNTIL(cg_stat("a", "timeouts") == 1));
	ASSERT_EQ(0, set_timeout("a", "0"));
	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, state_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, cg_attach("a", comer.pid));
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&comer, 1));
}

/* Back to FREEZING is the same freeze, which was FROZEN in time. */
TEST_F(freezer_v1, newcomer_after_frozen_has_no_limit)
{
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, set_timeout("a", "300"));
	ASSERT_EQ(0, state_freeze("a"));
	ASSERT_TRUE(cg_reads("a", "FROZEN"));
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	pause_ms(400);
	EXPECT_TRUE(cg_reads("a", "FREEZING"));
	EXPECT_EQ(0, cg_stat("a", "timeouts"));
	EXPECT_EQ(1, cg_stat("a", "nr_freezes"));
}

/*
 * A freeze with a limit is thawed about when it is due, and at once there is one
 * without: whatever comes late from the first must leave the second alone.
 */
static int old_limit_leaves_new_freeze_alone(unsigned int *seed)
{
	int ret;

	ret = set_timeout("a", "8");
	ret = ret ?: cg_freeze("a");
	pause_ms(rand_r(seed) % 20);
	ret = ret ?: cg_thaw("a");
	ret = ret ?: set_timeout("a", "0");
	ret = ret ?: cg_freeze("a");
	pause_ms(20);
	if (!ret && !cg_reads("a", "FREEZING"))
		ret = -EINVAL;
	return ret ?: cg_thaw("a");
}

TEST_F_TIMEOUT(freezer, limit_races_with_thaw_and_with_a_new_freeze, 300)
{
	int i, nr = env_number("FREEZER_ROUNDS", 300);
	unsigned int seed = 1;
	struct worker w[2];
	long long timeouts;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, stuck_worker_start_in("a", w + 1));
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, old_limit_leaves_new_freeze_alone(&seed));
	timeouts = cg_stat("a", "timeouts");
	fprintf(stderr, "# %lld of %d were rolled back\n", timeouts, nr);
	EXPECT_LT(0, timeouts);
	EXPECT_GT(nr, timeouts);
	EXPECT_GE(2 * nr, cg_stat("a", "nr_freezes"));
	EXPECT_EQ(0, workers_move(w, 1));
}

static void worker_cycles(struct worker *w)
{
	unsigned int seed = getpid();

	for (;;) {
		if (rand_r(&seed) % 2 ? cg_freeze("a") : cg_thaw("a"))
			_exit(1);
		slot_tick(w->slots);
		pause_ms(rand_r(&seed) % 8);
	}
}

/* Two who ask and one who is stuck; in the end all that is wanted holds. */
TEST_F_TIMEOUT(freezer, limit_races_with_many_who_ask, 300)
{
	unsigned int nr = env_number("FREEZER_ROUNDS", 500);
	struct worker w[2], asks[2];
	int i;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, worker_start_in("a", w, worker_spins, 1));
	ASSERT_EQ(0, stuck_worker_start_in("a", w + 1));
	ASSERT_EQ(0, set_timeout("a", "4"));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, worker_start(asks + i, worker_cycles, 1));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, worker_wait_rounds(asks + i, nr));
	for (i = 0; i < 2; i++) {
		kill(asks[i].pid, SIGKILL);
		ASSERT_EQ(0, worker_wait_killed(asks + i, SIGKILL));
	}
	EXPECT_LT(0, cg_stat("a", "timeouts"));
	EXPECT_EQ(0, cg_wait("a", "RUNNING"));
	EXPECT_EQ(0, workers_move(w, 1));
	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, set_timeout("a", "0"));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 2));
}

/* A stuck task leaves, and the cgroup is removed when its limit is due. */
static int remove_when_due(pid_t stuck, unsigned int *seed)
{
	int ret;

	ret = cg_make("a/b");
	ret = ret ?: set_timeout("a/b", "4");
	ret = ret ?: cg_attach("a/b", stuck);
	ret = ret ?: cg_freeze("a/b");
	pause_ms(rand_r(seed) % 8);
	ret = ret ?: cg_attach("a", stuck);
	return ret ?: cg_remove("a/b");
}

TEST_F_TIMEOUT(freezer, limit_races_with_rmdir, 300)
{
	unsigned int i, nr = env_number("FREEZER_ROUNDS", 200);
	unsigned int seed = 1;
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, remove_when_due(w.pid, &seed));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_HARNESS_MAIN
