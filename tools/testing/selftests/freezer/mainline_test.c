// SPDX-License-Identifier: GPL-2.0-only
/*
 * What broke in the freezers of mainline since 2019, one test each, named after
 * what was seen.  The list, with what cannot be provoked here and why, is in
 * Documentation/power/container-freezer.rst.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "freezer_fixture.h"

static int freeze_and_wait(const char *cg)
{
	return cg_freeze(cg) ?: cg_wait(cg, "FROZEN");
}

static int thaw_and_see(struct worker *w, unsigned int nr)
{
	return cg_thaw("a") ?: workers_move(w, nr);
}

/* Readers of the state. */

static void worker_reads_the_state(struct worker *w)
{
	char buf[64];

	for (;;) {
		cg_read("a", "freezer.freeze", buf, sizeof(buf));
		slot_tick(w->slots);
	}
}

/* A read took a task for frozen that was on its way out of the refrigerator. */
TEST_F(freezer, task_walked_out_of_the_refrigerator_while_the_state_was_read)
{
	struct worker w[2], reader;
	int i;

	ASSERT_EQ(0, worker_start(&reader, worker_reads_the_state, 1));
	ASSERT_EQ(0, worker_start_in("a", w, worker_spins, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_polls, 1));
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_EQ(0, freeze_and_wait("a"));
		ASSERT_EQ(0, workers_stand_still(w, 2));
		ASSERT_EQ(0, thaw_and_see(w, 2));
	}
	EXPECT_EQ(0, workers_move(&reader, 1));
}

/* Nobody writes or reads between the last attach and the news of FROZEN. */
TEST_F(freezer, attach_left_the_cgroup_freezing_for_ever)
{
	struct worker w[3];
	int i, fd;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", w));
	ASSERT_EQ(0, worker_start(w + 1, worker_spins, 1));
	ASSERT_EQ(0, worker_start(w + 2, worker_has_threads, 8));
	ASSERT_EQ(0, workers_move(w + 1, 2));
	ASSERT_EQ(0, cg_freeze("a"));
	for (i = 1; i < 3; i++)
		ASSERT_EQ(0, cg_attach("a", w[i].pid));
	/* What is news by now, and a file that was not read is, is no news later. */
	fd = cg_open_quiet("a", "FREEZING");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, poll_until(fd, "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 3));
	close(fd);
}

/* Locks against those of CPU hotplug. */

#define CPU1_ONLINE	"/sys/devices/system/cpu/cpu1/online"

static void worker_plugs_a_cpu(struct worker *w)
{
	for (;;) {
		if (write_number(CPU1_ONLINE, slot_count(w->slots) % 2))
			_exit(1);
		slot_tick(w->slots);
	}
}

static void worker_makes_and_removes(struct worker *w)
{
	for (;;) {
		if (cg_make("a/b") || cg_freeze("a/b") || cg_remove("a/b"))
			_exit(1);
		slot_tick(w->slots);
	}
}

static void worker_attaches_itself(struct worker *w)
{
	int ret;

	for (;;) {
		ret = cg_attach("b", 0) ?: cg_attach(".", 0);
		if (ret)
			_exit(1);
		slot_tick(w->slots);
	}
}

/* Lockdep says so where it does not happen; freezer_active is patched as well. */
TEST_F_TIMEOUT(freezer, cpu_hotplug_and_the_freezer_locked_each_other_out, 120)
{
	long long end = now_ms() + 12000;
	struct worker w[3];

	/* However the test ends. */
	ASSERT_EQ(0, set_for_test(CPU1_ONLINE, 1));
	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, worker_start(w, worker_plugs_a_cpu, 1));
	ASSERT_EQ(0, worker_start(w + 1, worker_makes_and_removes, 1));
	ASSERT_EQ(0, worker_start(w + 2, worker_attaches_itself, 1));
	while (now_ms() < end) {
		ASSERT_EQ(0, freeze_and_wait("a"));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_EQ(0, workers_move(w, 3));
	}
}

/* Sleeps that are frozen in place. */

static void worker_sleeps_long(struct worker *w)
{
	slot_tick(w->slots);
	pause_ms(3600000);
	slot_tick(w->slots);
	for (;;)
		pause();
}

TEST_F(freezer, thaw_woke_all_who_were_asleep)
{
	struct worker w;
	long before;
	int i;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps_long, 1));
	ASSERT_EQ(0, WAIT_UNTIL(task_sleeps(w.pid, "S")));
	before = task_switches(w.pid);
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, freeze_and_wait("a"));
		ASSERT_EQ(0, cg_thaw("a"));
	}
	EXPECT_EQ(before, task_switches(w.pid));
	EXPECT_EQ(1UL, slot_count(w.slots));
}

TEST_F(freezer, migration_woke_who_was_asleep)
{
	struct worker w;
	long before;
	int i;

	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, cg_make("c"));
	ASSERT_EQ(0, cg_freeze("c"));
	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps_long, 1));
	ASSERT_EQ(0, WAIT_UNTIL(task_sleeps(w.pid, "S")));
	before = task_switches(w.pid);
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, cg_attach(i % 2 ? "a" : "b", w.pid));
	EXPECT_EQ(before, task_switches(w.pid));
}

/* Tasks that sleep, but are still on a run queue, on a CPU that is busy. */
TEST_F(freezer, sleeper_with_a_delayed_dequeue_looked_awake)
{
	struct worker w[10];
	cpu_set_t old;
	int i;

	ASSERT_EQ(0, sched_getaffinity(0, sizeof(old), &old));
	ASSERT_EQ(0, stay_on(0, 0));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, worker_start_in("a", w + i, i < 2 ? worker_spins :
					     worker_sleeps, 1));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(old), &old));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, freeze_and_wait("a"));
		ASSERT_EQ(0, workers_stand_still(w, 10));
		ASSERT_EQ(0, thaw_and_see(w, 10));
	}
}

/*
 * The judge of the run looks for "blocked for more than" on the console.  It is
 * there after two looks, one second apart, at a task that sleeps.
 */
TEST_F_TIMEOUT(freezer, frozen_tasks_were_reported_as_hung, 60)
{
	struct worker w[2];
	long long end;

	ASSERT_EQ(0, worker_start_in("a", w, worker_vforks, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_sleeps, 1));
	ASSERT_EQ(0, freeze_and_wait("a"));
	/* Where there is no such check there is no such file. */
	set_for_test("/proc/sys/kernel/hung_task_timeout_secs", 1);
	end = now_ms() + 5000;
	do {
		ASSERT_TRUE(cg_reads("a", "FROZEN"));
	} while (pause_before(end));
	EXPECT_EQ(0, thaw_and_see(w, 2));
}

/* New cgroups, and the tasks that come to them. */

TEST_F(freezer, child_cgroup_of_a_frozen_one_did_not_freeze_its_tasks)
{
	static const char * const tree[] = { "a/b", "a/b/c", "a/b/c/d" };
	struct worker w[4];
	int i;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", w));
	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, cg_freeze("a"));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, worker_start_in("b", w + 1 + i, worker_sleeps, 1));
		ASSERT_EQ(0, cg_make(tree[i]));
		/* It is FROZEN, being empty, as soon as it is there. */
		EXPECT_EQ(-EBUSY, cg_attach(tree[i], w[1 + i].pid));
		ASSERT_EQ(0, cg_attach("a", w[1 + i].pid));
	}
	EXPECT_EQ(0, WAIT_UNTIL(!workers_stand_still(w, 4)));
	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, thaw_and_see(w, 4));
}

static void worker_toggles(struct worker *w)
{
	for (;;) {
		if (cg_freeze("a") || cg_thaw("a"))
			_exit(1);
		slot_tick(w->slots);
	}
}

TEST_F(freezer, mkdir_and_thaw_of_the_parent_missed_each_other)
{
	struct worker toggler;
	int i;

	ASSERT_EQ(0, worker_start(&toggler, worker_toggles, 1));
	ASSERT_EQ(0, workers_move(&toggler, 1));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, cg_make("a/b"));
		ASSERT_EQ(0, cg_remove("a/b"));
	}
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, kill(toggler.pid, SIGKILL));
	ASSERT_EQ(0, worker_wait_killed(&toggler, SIGKILL));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_TRUE(cg_reads("a/b", "RUNNING"));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_TRUE(cg_reads("a/b", "FROZEN"));
}

/* FROZEN is the last word until somebody thaws. */
TEST_F(freezer, frozen_flickered_when_vfork_and_group_stops_ended)
{
	struct worker w[3];
	int i, fd;

	ASSERT_EQ(0, worker_start_in("a", w, worker_vforks, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_has_threads, 4));
	ASSERT_EQ(0, worker_start_in("a", w + 2, worker_polls, 1));
	ASSERT_EQ(0, freeze_and_wait("a"));
	fd = cg_open("a", "freezer.freeze", O_RDONLY);
	ASSERT_LE(0, fd);
	/* The event of this change may come late; no other may come at all. */
	poll_reports(fd, 200);
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, cg_kill("a", i % 2 ? SIGCONT : SIGSTOP));
		ASSERT_EQ(0, cg_kill("a", SIGWINCH));
		ASSERT_TRUE(cg_reads("a", "FROZEN"));
	}
	EXPECT_EQ(0, poll_reports(fd, 500));
	EXPECT_EQ(0, workers_stand_still(w, 3));
	close(fd);
}

/* The end of tasks. */

static int die_and_remove(void (*fn)(struct worker *w), unsigned int nr, int sig)
{
	struct worker w;
	int ret;

	ret = cg_make("a/b");
	ret = ret ?: worker_start_in("a/b", &w, fn, nr);
	ret = ret ?: freeze_and_wait("a/b");
	ret = ret ?: cg_kill("a/b", sig);
	ret = ret ?: cg_wait_empty("a/b");
	/* Right away: what cannot be seen must not be in the way. */
	ret = ret ?: cg_remove("a/b");
	return ret ?: worker_wait_killed(&w, sig);
}

TEST_F_TIMEOUT(freezer, cgroup_that_reads_empty_could_not_be_removed, 120)
{
	int i;

	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, die_and_remove(worker_has_threads, 4, SIGKILL));
		ASSERT_EQ(0, die_and_remove(worker_spins, 1, SIGTERM));
	}
}

static int kill_without_a_leader(bool frozen)
{
	struct worker w;
	int ret;

	ret = worker_start_in("a", &w, worker_loses_its_leader, 1);
	ret = ret ?: WAIT_UNTIL(task_state(w.pid) == 'Z');
	ret = ret ?: workers_move(&w, 1);
	if (frozen)
		ret = ret ?: freeze_and_wait("a");
	ret = ret ?: cg_kill("a", SIGTERM);
	ret = ret ?: worker_wait_killed(&w, SIGTERM);
	return ret ?: cg_thaw("a");
}

TEST_F(freezer, process_with_a_dead_leader_was_not_killed)
{
	EXPECT_EQ(0, kill_without_a_leader(false));
	EXPECT_EQ(0, kill_without_a_leader(true));
}

/* A task that exits with a mark, or while it is frozen, is not counted wrong. */
TEST_F(freezer, task_that_died_frozen_was_counted_for_ever)
{
	struct worker w[4], last;
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, worker_start_in("a", w, worker_spins, 1));
		ASSERT_EQ(0, worker_start_in("a", w + 1, worker_forks, 1));
		ASSERT_EQ(0, worker_start_in("a", w + 2, worker_vforks, 1));
		ASSERT_EQ(0, worker_start_in("a", w + 3, worker_has_threads, 4));
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, cg_kill("a", i % 2 ? SIGKILL : SIGABRT));
		ASSERT_EQ(0, cg_wait_empty("a"));
		ASSERT_EQ(0, cg_wait("a", "FROZEN"));
		ASSERT_EQ(0, cg_thaw("a"));
	}
	ASSERT_EQ(0, worker_start_in("a", &last, worker_sleeps, 1));
	ASSERT_EQ(0, freeze_and_wait("a"));
	EXPECT_EQ(0, workers_stand_still(&last, 1));
}

TEST_HARNESS_MAIN
