// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trees of cgroups: who is frozen when an ancestor or a child is.
 */
#define _GNU_SOURCE

#include <signal.h>

#include "freezer_fixture.h"

#define DEPTH	4

static const char * const levels[DEPTH] = { "a", "a/b", "a/b/c", "a/b/c/d" };

/* "a" is there already; one sleeping worker each. */
static int make_levels(struct worker *w, unsigned int nr)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		ret = i ? cg_make(levels[i]) : 0;
		ret = ret ?: worker_start_in(levels[i], w + i, worker_sleeps, 1);
	}
	return ret;
}

static bool all_levels_read(const char *state)
{
	int i;

	for (i = 0; i < DEPTH; i++)
		if (!cg_reads(levels[i], state))
			return false;
	return true;
}

TEST_F(freezer, freeze_and_thaw_of_a_parent_reach_all_below)
{
	struct worker w[DEPTH];

	ASSERT_EQ(0, make_levels(w, DEPTH));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_TRUE(all_levels_read("FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, DEPTH));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_TRUE(all_levels_read("RUNNING"));
	EXPECT_EQ(0, workers_move(w, DEPTH));
}

TEST_F(freezer, parent_of_frozen_children_reads_running)
{
	struct worker w[2];

	ASSERT_EQ(0, make_levels(w, 2));
	ASSERT_EQ(0, cg_freeze("a/b"));
	ASSERT_EQ(0, cg_wait("a/b", "FROZEN"));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
	EXPECT_EQ(0, workers_stand_still(w + 1, 1));
	EXPECT_EQ(0, workers_move(w, 1));
}

TEST_F(freezer, thaw_of_child_under_frozen_parent_stays_frozen)
{
	struct worker w[2];

	ASSERT_EQ(0, make_levels(w, 2));
	ASSERT_EQ(0, cg_freeze("a/b"));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, cg_thaw("a/b"));
	EXPECT_TRUE(cg_reads("a/b", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 2));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_TRUE(cg_reads("a/b", "RUNNING"));
	EXPECT_EQ(0, workers_move(w, 2));
}

TEST_F(freezer, thaw_of_parent_leaves_requested_child_frozen)
{
	struct worker w[3];

	ASSERT_EQ(0, make_levels(w, 3));
	ASSERT_EQ(0, cg_freeze("a/b"));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
	EXPECT_TRUE(cg_reads("a/b", "FROZEN"));
	EXPECT_TRUE(cg_reads("a/b/c", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w + 1, 2));
	EXPECT_EQ(0, workers_move(w, 1));
	ASSERT_EQ(0, cg_thaw("a/b"));
	EXPECT_EQ(0, workers_move(w, 3));
}

TEST_F(freezer, siblings_are_independent)
{
	struct worker w[2];

	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start_in("b", w + 1, worker_sleeps, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_TRUE(cg_reads("b", "RUNNING"));
	EXPECT_EQ(0, workers_stand_still(w, 1));
	EXPECT_EQ(0, workers_move(w + 1, 1));
}

TEST_F(freezer, cgroup_made_under_a_frozen_one_is_born_frozen)
{
	struct worker w;

	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_make("a/b"));
	EXPECT_TRUE(cg_reads("a/b", "FROZEN"));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));

	ASSERT_EQ(0, worker_start(&w, worker_sleeps, 1));
	EXPECT_EQ(-EBUSY, cg_attach("a/b", w.pid));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_TRUE(cg_reads("a/b", "RUNNING"));
	ASSERT_EQ(0, cg_attach("a/b", w.pid));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer, cgroup_made_under_a_freezing_one_is_born_frozen)
{
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_make("a/b"));
	EXPECT_TRUE(cg_reads("a/b", "FROZEN"));
	EXPECT_TRUE(cg_reads("a", "FREEZING"));
	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_TRUE(cg_reads("a/b", "FROZEN"));
}

TEST_F(freezer, stuck_task_below_keeps_only_its_ancestors_freezing)
{
	struct worker w[2];

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, cg_make("a/b/c"));
	ASSERT_EQ(0, cg_make("a/x"));
	ASSERT_EQ(0, stuck_worker_start_in("a/b", w));
	ASSERT_EQ(0, worker_start_in("a/x", w + 1, worker_sleeps, 1));
	ASSERT_EQ(0, cg_freeze("a"));

	EXPECT_EQ(0, cg_wait("a/x", "FROZEN"));
	EXPECT_EQ(0, cg_wait("a/b/c", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 2));
	EXPECT_TRUE(cg_reads("a", "FREEZING"));
	EXPECT_TRUE(cg_reads("a/b", "FREEZING"));

	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_TRUE(cg_reads("a/b", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 2));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_move(w, 2));
}

TEST_F(freezer, stuck_task_that_leaves_by_migration_ends_freezing)
{
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, stuck_worker_start_in("a/b", &w));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_TRUE(cg_reads("a", "FREEZING"));
	ASSERT_EQ(0, cg_attach("b", w.pid));
	EXPECT_EQ(0, cg_wait("a/b", "FROZEN"));
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, workers_move(&w, 1));
}

static void child_name(char *buf, size_t size, int i)
{
	snprintf(buf, size, "a/wide%d", i);
}

#define WIDTH	24

TEST_F(freezer, wide_tree_freezes_and_thaws)
{
	struct worker w[WIDTH];
	char name[32];
	int i;

	for (i = 0; i < WIDTH; i++) {
		child_name(name, sizeof(name), i);
		ASSERT_EQ(0, cg_make(name));
		ASSERT_EQ(0, worker_start_in(name, w + i, worker_sleeps, 1));
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, cg_wait("a", "FROZEN"));
		ASSERT_EQ(0, workers_stand_still(w, WIDTH));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_EQ(0, workers_move(w, WIDTH));
	}
}

/* The model: which levels have 1 written to them, from "a" at bit 0 down. */

static bool model_effective(unsigned int requested, int level)
{
	return requested & ((2U << level) - 1);
}

static int model_check_states(unsigned int requested)
{
	int i, ret = 0;

	for (i = 0; i < DEPTH && !ret; i++)
		ret = cg_wait(levels[i], model_effective(requested, i) ?
			      "FROZEN" : "RUNNING");
	return ret;
}

/* The levels that run are those above the first that is requested. */
static int model_check_counters(struct worker *w, unsigned int requested)
{
	int running = 0;
	int ret = 0;

	while (running < DEPTH && !model_effective(requested, running))
		running++;
	if (running < DEPTH)
		ret = workers_stand_still(w + running, DEPTH - running);
	return ret ?: running ? workers_move(w, running) : 0;
}

static int model_toggle(unsigned int *requested, int level)
{
	*requested ^= 1U << level;
	if (*requested & 1U << level)
		return cg_freeze(levels[level]);
	return cg_thaw(levels[level]);
}

static int model_go_to(unsigned int *requested, unsigned int wanted)
{
	int i, ret = 0;

	for (i = 0; i < DEPTH && !ret; i++)
		if ((*requested ^ wanted) & 1U << i)
			ret = model_toggle(requested, i);
	return ret ?: model_check_states(*requested);
}

/*
 * From each of the sixteen sets of requests, each of the four toggles.  Any
 * order of freezing and thawing is a path through these steps.
 */
TEST_F_TIMEOUT(freezer, every_step_in_a_tree_of_depth_four, 120)
{
	struct worker w[DEPTH];
	unsigned int requested = 0;
	int i;

	ASSERT_EQ(0, make_levels(w, DEPTH));
	for (i = 0; i < DEPTH << DEPTH; i++) {
		ASSERT_EQ(0, model_go_to(&requested, i / DEPTH));
		ASSERT_EQ(0, model_toggle(&requested, i % DEPTH));
		ASSERT_EQ(0, model_check_states(requested))
			TH_LOG("requested %#x", requested);
		ASSERT_EQ(0, model_check_counters(w, requested))
			TH_LOG("requested %#x", requested);
	}
}

/* The states alone, in every order of freezing and of thawing. */
static int all_orders(unsigned int *requested, unsigned int left)
{
	int i, ret = left ? 0 : model_check_states(*requested);

	for (i = 0; i < DEPTH && !ret; i++) {
		if (!(left & 1U << i))
			continue;
		ret = model_toggle(requested, i);
		ret = ret ?: model_check_states(*requested);
		ret = ret ?: all_orders(requested, left & ~(1U << i));
		ret = ret ?: model_toggle(requested, i);
	}
	return ret;
}

TEST_F_TIMEOUT(freezer, all_orders_in_a_tree_of_depth_four, 120)
{
	struct worker w[DEPTH];
	unsigned int requested = 0;

	ASSERT_EQ(0, make_levels(w, DEPTH));
	ASSERT_EQ(0, all_orders(&requested, (1U << DEPTH) - 1));
	EXPECT_EQ(0U, requested);
	EXPECT_EQ(0, model_check_states(0));
	EXPECT_EQ(0, workers_move(w, DEPTH));
}

/* A walk passes over "a/x", which has a request of its own. */

static void worker_makes_and_removes(struct worker *w)
{
	while (!cg_make("a/x/y") && !cg_remove("a/x/y"))
		slot_tick(w->slots);
	_exit(1);
}

TEST_F_TIMEOUT(freezer, child_made_below_one_that_is_passed_over_is_left_alone, 120)
{
	unsigned int i, rounds = env_number("FREEZER_ROUNDS", 5000);
	struct worker w;

	ASSERT_EQ(0, cg_make("a/x"));
	ASSERT_EQ(0, cg_freeze("a/x"));
	ASSERT_EQ(0, worker_start(&w, worker_makes_and_removes, 1));
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, cg_thaw("a"));
	}
	EXPECT_EQ(0, workers_move(&w, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_TRUE(cg_reads("a/x", "FROZEN"));
}

TEST_HARNESS_MAIN
