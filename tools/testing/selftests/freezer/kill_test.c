// SPDX-License-Identifier: GPL-2.0-only
/*
 * freezer.kill: any signal, once for each process of the subtree.
 */
#define _GNU_SOURCE

#include <signal.h>
#include <sys/resource.h>

#include "freezer_fixture.h"

/* What a handler notes in the first slot of its process. */
enum {
	NOTE_HITS,
	NOTE_SIG,
	NOTE_CODE,
	NOTE_PID,
	NOTE_UID,
};

static struct slot *handler_slot;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	slot_set_note(handler_slot, NOTE_SIG, sig);
	slot_set_note(handler_slot, NOTE_CODE, info->si_code);
	slot_set_note(handler_slot, NOTE_PID, info->si_pid);
	slot_set_note(handler_slot, NOTE_UID, info->si_uid);
	__atomic_add_fetch(&handler_slot->note[NOTE_HITS], 1, __ATOMIC_SEQ_CST);
}

static void install_handler(struct worker *w)
{
	struct sigaction action = {
		.sa_sigaction = handler,
		.sa_flags = SA_SIGINFO | SA_RESTART,
	};

	handler_slot = w->slots;
	if (sigaction(SIGUSR1, &action, NULL) ||
	    sigaction(SIGRTMIN + 3, &action, NULL) ||
	    sigaction(SIGTERM, &action, NULL))
		_exit(1);
}

static void worker_handles(struct worker *w)
{
	install_handler(w);
	worker_sleeps(w);
}

static void worker_handles_with_threads(struct worker *w)
{
	install_handler(w);
	worker_has_threads(w);
}

static unsigned long hits(struct worker *w)
{
	return slot_note(w->slots, NOTE_HITS);
}

static bool all_hit(struct worker *w, unsigned int nr, unsigned long times)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (hits(w + i) < times)
			return false;
	return true;
}

/* Once each of them has run on, a signal too many would have come as well. */
static int wait_all_hit_once(struct worker *w, unsigned int nr)
{
	int ret;

	ret = WAIT_UNTIL(all_hit(w, nr, 1));
	ret = ret ?: workers_move(w, nr);
	while (!ret && nr--)
		ret = hits(w + nr) == 1 ? 0 : -EINVAL;
	return ret;
}

static int start_all(struct worker *w, unsigned int nr,
		     void (*fn)(struct worker *w))
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = worker_start_in("a", w + i, fn, 1);
	return ret ?: workers_move(w, nr);
}

TEST_F(freezer, term_ends_all_and_the_cgroup_can_be_removed)
{
	struct worker w[8];

	ASSERT_EQ(0, start_all(w, 8, worker_sleeps));
	ASSERT_EQ(0, cg_kill("a", SIGTERM));
	ASSERT_EQ(0, workers_wait_killed(w, 8, SIGTERM));
	EXPECT_EQ(0, WAIT_UNTIL(!cg_remove("a")));
}

TEST_F(freezer, kill_ends_spinning_and_threaded_processes)
{
	struct worker w[3];

	ASSERT_EQ(0, worker_start_in("a", w, worker_spins, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_polls, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 2, worker_has_threads, 32));
	ASSERT_EQ(0, workers_move(w, 3));
	ASSERT_EQ(0, cg_kill("a", SIGKILL));
	ASSERT_EQ(0, workers_wait_killed(w, 3, SIGKILL));
	EXPECT_EQ(0, cg_wait_empty("a"));
	EXPECT_EQ(0, WAIT_UNTIL(!cg_remove("a")));
}

TEST_F(freezer, freeze_kill_thaw_ends_a_forking_container)
{
	struct worker w[4];

	ASSERT_EQ(0, start_all(w, 4, worker_forks));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, cg_kill("a", SIGKILL));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, workers_wait_killed(w, 4, SIGKILL));
	EXPECT_EQ(0, cg_wait_empty("a"));
	EXPECT_EQ(0, WAIT_UNTIL(!cg_remove("a")));
}

TEST_F(freezer, usr1_arrives_exactly_once)
{
	struct worker w[8];

	ASSERT_EQ(0, start_all(w, 8, worker_handles));
	ASSERT_EQ(0, cg_kill("a", SIGUSR1));
	EXPECT_EQ(0, wait_all_hit_once(w, 8));
}

TEST_F(freezer, usr1_arrives_once_for_a_process_with_many_threads)
{
	struct worker w;
	int i;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_handles_with_threads, 32));
	ASSERT_EQ(0, workers_move(&w, 1));
	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(0, cg_kill("a", SIGUSR1));
		ASSERT_EQ(0, WAIT_UNTIL((int)hits(&w) >= i));
		ASSERT_EQ(0, workers_move(&w, 1));
		ASSERT_EQ(i, (int)hits(&w));
	}
}

#define NR_WRITES	20

static void worker_kills(struct worker *w)
{
	int i;

	for (i = 0; i < NR_WRITES; i++)
		if (cg_kill("a", SIGRTMIN + 3))
			_exit(1);
	slot_tick(w->slots);
	worker_pauses(w);
}

/* Each walk comes to the process by one thread after the other. */
TEST_F_TIMEOUT(freezer, two_writes_at_a_time_arrive_once_each, 120)
{
	struct worker w, writers[2];
	int i, expected = 0;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_handles_with_threads, 64));
	for (i = 0; i < 20; i++) {
		expected += 2 * NR_WRITES;
		ASSERT_EQ(0, worker_start(writers, worker_kills, 1));
		ASSERT_EQ(0, worker_start(writers + 1, worker_kills, 1));
		ASSERT_EQ(0, WAIT_UNTIL(slot_count(writers[0].slots) &&
					slot_count(writers[1].slots)));
		ASSERT_EQ(0, WAIT_UNTIL((int)hits(&w) >= expected));
		ASSERT_EQ(0, workers_move(&w, 1));
		ASSERT_EQ(expected, (int)hits(&w));
	}
}

TEST_F(freezer, real_time_signal_says_who_has_sent_it)
{
	struct worker w;
	int sig = SIGRTMIN + 3;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_handles, 1));
	ASSERT_EQ(0, cg_kill("a", sig));
	ASSERT_EQ(0, WAIT_UNTIL(hits(&w)));
	EXPECT_EQ(sig, (int)slot_note(w.slots, NOTE_SIG));
	EXPECT_EQ(SI_USER, (int)slot_note(w.slots, NOTE_CODE));
	EXPECT_EQ(getpid(), (pid_t)slot_note(w.slots, NOTE_PID));
	EXPECT_EQ(getuid(), (uid_t)slot_note(w.slots, NOTE_UID));
}

static void worker_handles_and_may_queue_none(struct worker *w)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_SIGPENDING, &none))
		_exit(1);
	worker_handles(w);
}

/* As by kill(2): what there is no room for is the sender. */
TEST_F(freezer, real_time_signal_beyond_the_limit_comes_without_its_sender)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_handles_and_may_queue_none, 1));
	ASSERT_EQ(0, cg_kill("a", SIGRTMIN + 3));
	ASSERT_EQ(0, wait_all_hit_once(&w, 1));
	EXPECT_EQ(SIGRTMIN + 3, (int)slot_note(w.slots, NOTE_SIG));
	EXPECT_EQ(0, (pid_t)slot_note(w.slots, NOTE_PID));
}

TEST_F(freezer, real_time_signals_queue_while_frozen)
{
	struct worker w;
	int i;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_handles, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, cg_kill("a", SIGRTMIN + 3));
		ASSERT_EQ(0UL, hits(&w));
	}
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, WAIT_UNTIL(hits(&w) >= 5));
	ASSERT_EQ(0, workers_move(&w, 1));
	EXPECT_EQ(5UL, hits(&w));
}

TEST_F(freezer, handled_signal_waits_for_the_thaw)
{
	struct worker w[3];

	ASSERT_EQ(0, start_all(w, 2, worker_handles));
	ASSERT_EQ(0, worker_start_in("a", w + 2, worker_handles_with_threads, 8));
	ASSERT_EQ(0, workers_move(w, 3));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, cg_kill("a", SIGUSR1));
	EXPECT_EQ(0, workers_stand_still(w, 3));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0UL, hits(w) + hits(w + 1) + hits(w + 2));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, wait_all_hit_once(w, 3));
}

TEST_F(freezer, handled_term_while_frozen_kills_nobody)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_handles, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, cg_kill("a", SIGTERM));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	EXPECT_EQ(0UL, hits(&w));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, WAIT_UNTIL(hits(&w)));
	EXPECT_EQ(0, workers_move(&w, 1));
}

static bool all_stopped(struct worker *w, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (task_state(w[i].pid) != 'T')
			return false;
	return true;
}

TEST_F(freezer, stop_and_cont_reach_all)
{
	struct worker w[4];

	ASSERT_EQ(0, start_all(w, 4, worker_sleeps));
	ASSERT_EQ(0, cg_kill("a", SIGSTOP));
	ASSERT_EQ(0, WAIT_UNTIL(all_stopped(w, 4)));
	EXPECT_EQ(0, workers_stand_still(w, 4));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
	ASSERT_EQ(0, cg_kill("a", SIGCONT));
	EXPECT_EQ(0, workers_move(w, 4));
}

TEST_F(freezer, stopped_tasks_freeze_and_are_still_stopped_after_the_thaw)
{
	struct worker w[2];

	ASSERT_EQ(0, start_all(w, 2, worker_sleeps));
	ASSERT_EQ(0, cg_kill("a", SIGSTOP));
	ASSERT_EQ(0, WAIT_UNTIL(all_stopped(w, 2)));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, WAIT_UNTIL(all_stopped(w, 2)));
	EXPECT_EQ(0, workers_stand_still(w, 2));
	ASSERT_EQ(0, cg_kill("a", SIGCONT));
	EXPECT_EQ(0, workers_move(w, 2));
}

TEST_F(freezer, cont_while_frozen_waits_for_the_thaw)
{
	struct worker w[2];

	ASSERT_EQ(0, start_all(w, 2, worker_sleeps));
	ASSERT_EQ(0, cg_kill("a", SIGSTOP));
	ASSERT_EQ(0, WAIT_UNTIL(all_stopped(w, 2)));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, cg_kill("a", SIGCONT));
	EXPECT_EQ(0, workers_stand_still(w, 2));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_move(w, 2));
}

TEST_F(freezer, stop_while_frozen_stops_after_the_thaw)
{
	struct worker w[2];

	ASSERT_EQ(0, start_all(w, 2, worker_sleeps));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, cg_kill("a", SIGSTOP));
	EXPECT_EQ(0, workers_stand_still(w, 2));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, WAIT_UNTIL(all_stopped(w, 2)));
	EXPECT_EQ(0, workers_stand_still(w, 2));
	ASSERT_EQ(0, cg_kill("a", SIGCONT));
	EXPECT_EQ(0, workers_move(w, 2));
}

static const char * const tree[] = { "a", "a/b", "a/b/c", "a/b/c/d", "a/x" };

static int start_tree(struct worker *w, void (*fn)(struct worker *w))
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(tree) && !ret; i++) {
		ret = i ? cg_make(tree[i]) : 0;
		ret = ret ?: worker_start_in(tree[i], w + i, fn, 1);
	}
	return ret;
}

TEST_F(freezer, signal_reaches_the_whole_tree_once)
{
	struct worker w[ARRAY_SIZE(tree)];

	ASSERT_EQ(0, start_tree(w, worker_handles));
	ASSERT_EQ(0, cg_kill("a", SIGUSR1));
	EXPECT_EQ(0, wait_all_hit_once(w, ARRAY_SIZE(tree)));
}

TEST_F(freezer, signal_reaches_neither_parents_nor_siblings)
{
	struct worker w[ARRAY_SIZE(tree)];

	ASSERT_EQ(0, start_tree(w, worker_sleeps));
	ASSERT_EQ(0, cg_kill("a/b/c", SIGKILL));
	ASSERT_EQ(0, workers_wait_killed(w + 2, 2, SIGKILL));
	EXPECT_EQ(0, workers_move(w, 2));
	EXPECT_EQ(0, workers_move(w + 4, 1));
}

TEST_F(freezer, tree_is_empty_and_removable_after_kill)
{
	struct worker w[ARRAY_SIZE(tree)];
	int i;

	ASSERT_EQ(0, start_tree(w, worker_sleeps));
	ASSERT_EQ(0, cg_kill("a", SIGKILL));
	ASSERT_EQ(0, workers_wait_killed(w, ARRAY_SIZE(tree), SIGKILL));
	for (i = ARRAY_SIZE(tree) - 1; i >= 0; i--) {
		EXPECT_EQ(0, cg_wait_empty(tree[i]));
		EXPECT_EQ(0, WAIT_UNTIL(!cg_remove(tree[i])));
	}
}

TEST_HARNESS_MAIN
