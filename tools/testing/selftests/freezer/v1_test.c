// SPDX-License-Identifier: GPL-2.0-only
/*
 * What there is on a v1 hierarchy only: threads that move alone, freezer.state
 * beside freezer.freeze, and other hierarchies.
 */
#define _GNU_SOURCE

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "freezer_v1_fixture.h"

#define NR_THREADS	4

TEST_F(freezer_v1, thread_freezes_alone)
{
	struct worker w, last, others;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, NR_THREADS));
	last = worker_thread(&w, NR_THREADS - 1);
	others = w;
	others.nr = NR_THREADS - 1;

	ASSERT_EQ(0, cg_attach_thread("b", last.pid));
	ASSERT_EQ(0, cg_freeze("b"));
	ASSERT_EQ(0, cg_wait("b", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&last, 1));
	EXPECT_EQ(0, workers_move(&others, 1));

	ASSERT_EQ(0, cg_attach_thread("a", last.pid));
	EXPECT_EQ(0, workers_move(&w, 1));
}

/* The signal is for a process, and that is where its leader is. */
TEST_F(freezer_v1, kill_reaches_a_process_by_the_cgroup_of_its_leader)
{
	struct worker w;
	int status;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, NR_THREADS));
	ASSERT_EQ(0, cg_attach_thread("b", w.slots[NR_THREADS - 1].tid));
	ASSERT_EQ(0, cg_kill("b", SIGKILL));
	EXPECT_EQ(0, workers_move(&w, 1));
	ASSERT_EQ(0, waitpid(w.pid, &status, WNOHANG));

	ASSERT_EQ(0, cg_freeze("b"));
	ASSERT_EQ(0, cg_wait("b", "FROZEN"));
	ASSERT_EQ(0, cg_kill("a", SIGKILL));
	EXPECT_EQ(0, worker_wait_killed(&w, SIGKILL));
	EXPECT_EQ(0, cg_wait_empty("b"));
	EXPECT_TRUE(cg_reads("b", "FROZEN"));
}

TEST_F(freezer_v1, thread_is_refused_by_a_frozen_cgroup)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, NR_THREADS));
	ASSERT_EQ(0, cg_freeze("b"));
	EXPECT_EQ(-EBUSY, cg_attach_thread("b", w.slots[1].tid));
	EXPECT_EQ(-EBUSY, cg_attach_thread("b", w.pid));
	EXPECT_EQ(-EBUSY, cg_attach("b", w.pid));
	EXPECT_EQ(-EBUSY, cg_attach_thread("b", 0));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer_v1, thread_freezes_in_a_freezing_cgroup)
{
	struct worker w, stuck, thread;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, NR_THREADS));
	thread = worker_thread(&w, 1);
	ASSERT_EQ(0, stuck_worker_start_in("b", &stuck));
	ASSERT_EQ(0, cg_freeze("b"));
	ASSERT_EQ(0, cg_attach_thread("b", thread.pid));
	EXPECT_EQ(0, WAIT_UNTIL(!workers_stand_still(&thread, 1)));
	EXPECT_TRUE(cg_reads("b", "FREEZING"));
	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, cg_wait("b", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&thread, 1));
	ASSERT_EQ(0, cg_thaw("b"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

/* Two files, one request; what freezer.state does alone is in legacy_test.c. */

TEST_F(freezer_v1, state_and_freeze_are_two_ways_to_one_request)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, state_freeze("a"));
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_TRUE(cg_file_reads("a", "freezer.state", "THAWED"));
	EXPECT_TRUE(cg_file_reads("a", "freezer.self_freezing", "0"));
	EXPECT_EQ(0, workers_move(&w, 1));

	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(0, cg_file_wait("a", "freezer.state", "FROZEN"));
	EXPECT_TRUE(cg_file_reads("a", "freezer.self_freezing", "1"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, state_thaw("a"));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

/* A task that wants in is in "b" before, and goes back there. */
static int comes_and_goes(const char *cg, struct worker *w)
{
	int ret = cg_attach(cg, w->pid);

	ret = ret ?: cg_wait(cg, "FROZEN") ?: workers_stand_still(w, 1);
	return ret ?: cg_attach("b", w->pid) ?: workers_move(w, 1);
}

TEST_F(freezer_v1, freeze_file_closes_what_the_state_file_leaves_open)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("b", &w, worker_sleeps, 1));
	ASSERT_EQ(0, state_freeze("a"));
	EXPECT_EQ(0, comes_and_goes("a", &w));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(-EBUSY, cg_attach("a", w.pid));
	/* What is closed stays so until the thaw. */
	ASSERT_EQ(0, state_freeze("a"));
	EXPECT_EQ(-EBUSY, cg_attach("a", w.pid));
	ASSERT_EQ(0, state_thaw("a"));
	ASSERT_EQ(0, state_freeze("a"));
	EXPECT_EQ(0, comes_and_goes("a", &w));
}

TEST_F(freezer_v1, closed_ancestor_closes_what_is_below)
{
	struct worker w;

	ASSERT_EQ(0, cg_make("a/x"));
	ASSERT_EQ(0, cg_make("a/x/y"));
	ASSERT_EQ(0, worker_start_in("b", &w, worker_spins, 1));
	ASSERT_EQ(0, state_freeze("a/x"));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(-EBUSY, cg_attach("a", w.pid));
	EXPECT_EQ(-EBUSY, cg_attach("a/x", w.pid));
	EXPECT_EQ(-EBUSY, cg_attach("a/x/y", w.pid));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, comes_and_goes("a/x", &w));
	EXPECT_EQ(0, comes_and_goes("a/x/y", &w));
}

TEST_F(freezer_v1, closed_child_leaves_its_parent_open)
{
	struct worker w;

	ASSERT_EQ(0, cg_make("a/x"));
	ASSERT_EQ(0, worker_start_in("b", &w, worker_spins, 1));
	ASSERT_EQ(0, cg_freeze("a/x"));
	ASSERT_EQ(0, state_freeze("a"));
	EXPECT_EQ(-EBUSY, cg_attach("a/x", w.pid));
	EXPECT_EQ(0, comes_and_goes("a", &w));
	ASSERT_EQ(0, cg_thaw("a/x"));
	EXPECT_EQ(0, comes_and_goes("a/x", &w));
}

TEST_F(freezer_v1, newcomer_takes_frozen_back_at_every_level)
{
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, cg_make("a/x"));
	ASSERT_EQ(0, state_freeze("a"));
	ASSERT_TRUE(cg_reads("a", "FROZEN"));
	ASSERT_EQ(0, stuck_worker_start_in("a/x", &w));
	EXPECT_TRUE(cg_reads("a/x", "FREEZING"));
	EXPECT_TRUE(cg_reads("a", "FREEZING"));
	ASSERT_EQ(0, cg_attach("b", w.pid));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, workers_move(&w, 1));
}

/* A second hierarchy with two cgroups. */

static char pids_root[128];

static int pids_path(char *buf, size_t size, const char *cg, const char *file)
{
	return snprintf(buf, size, "%s/%s/%s", pids_root, cg, file);
}

static int pids_setup(void)
{
	char path[192];
	int ret;

	ret = v1_mount("pids", pids_root, sizeof(pids_root));
	pids_path(path, sizeof(path), "p", "");
	ret = ret ?: mkdir(path, 0755) ? -errno : 0;
	pids_path(path, sizeof(path), "q", "");
	return ret ?: mkdir(path, 0755) ? -errno : 0;
}

static bool pids_removed(const char *cg)
{
	char path[192];

	pids_path(path, sizeof(path), cg, "");
	return !rmdir(path) || errno == ENOENT;
}

static int pids_cleanup(void)
{
	int ret;

	ret = WAIT_UNTIL(pids_removed("p"));
	ret = ret ?: WAIT_UNTIL(pids_removed("q"));
	return ret ?: v1_unmount("pids");
}

FIXTURE(freezer_v1_and_pids)
{
};

FIXTURE_SETUP(freezer_v1_and_pids)
{
	ASSERT_EQ(0, env_setup(true));
	ASSERT_EQ(0, cg_make("a"));
	ASSERT_EQ(0, pids_setup());
}

FIXTURE_TEARDOWN(freezer_v1_and_pids)
{
	EXPECT_EQ(0, env_cleanup());
	EXPECT_EQ(0, pids_cleanup());
}

#define NR_MOVED	8

/* Outside; moves the processes in the notes of its slots for ever. */
static void worker_moves_in_pids(struct worker *w)
{
	char path[192];
	unsigned int i;

	for (;;) {
		for (i = 0; i < w->nr; i++) {
			pids_path(path, sizeof(path),
				  slot_count(w->slots + i) % 2 ? "p" : "q",
				  "cgroup.procs");
			if (write_number(path, slot_note(w->slots + i, 0)))
				_exit(1);
			slot_tick(w->slots + i);
		}
	}
}

static int start_moved(struct worker *w)
{
	int i, ret = 0;

	for (i = 0; i < NR_MOVED && !ret; i++)
		ret = worker_start_in("a", w + i, i % 2 ? worker_sleeps :
				      worker_polls, 1);
	return ret;
}

static int start_pids_mover(struct worker *mover, struct worker *w)
{
	unsigned int i;
	int ret;

	/* Until it has heard whom to move it moves itself. */
	ret = worker_start(mover, worker_moves_in_pids, NR_MOVED);
	for (i = 0; i < NR_MOVED; i++)
		slot_set_note(mover->slots + i, 0, w[i].pid);
	return ret ?: workers_move(mover, 1);
}

/*
 * A walk over a cgroup is a walk over the sets of tasks that are in the same
 * cgroups of all hierarchies; here they jump from set to set all the time.
 */
TEST_F_TIMEOUT(freezer_v1_and_pids, moves_in_another_hierarchy_hide_nobody, 120)
{
	struct worker w[NR_MOVED], mover;
	int i;

	ASSERT_EQ(0, start_moved(w));
	ASSERT_EQ(0, start_pids_mover(&mover, w));
	for (i = 0; i < 25; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, cg_wait("a", "FROZEN"));
		ASSERT_EQ(0, workers_stand_still(w, NR_MOVED));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_EQ(0, workers_move(w, NR_MOVED));
	}
	EXPECT_EQ(0, workers_move(&mover, 1));
}

TEST_F(freezer_v1_and_pids, move_in_another_hierarchy_does_not_thaw)
{
	struct worker w;
	char path[192];

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	pids_path(path, sizeof(path), "p", "cgroup.procs");
	ASSERT_EQ(0, write_number(path, w.pid));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_HARNESS_MAIN
