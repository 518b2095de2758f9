// SPDX-License-Identifier: GPL-2.0-only
/*
 * What there is on the v2 hierarchy only: threaded cgroups, and clone into a
 * cgroup.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "freezer_v2_fixture.h"

TEST_F(freezer_v2, files_are_there_with_nothing_enabled)
{
	char buf[64];

	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, cg_read(".", "cgroup.subtree_control", buf, sizeof(buf)));
	EXPECT_STREQ("", buf);
	EXPECT_TRUE(cg_reads("a/b", "RUNNING"));
	EXPECT_EQ(0, cg_kill("a/b", 9));
}

TEST_F(freezer_v2, files_of_the_legacy_freezer_are_not_there)
{
	EXPECT_EQ(-ENOENT, cg_open("a", "freezer.state", O_RDONLY));
	EXPECT_EQ(-ENOENT, cg_open("a", "freezer.self_freezing", O_RDONLY));
	EXPECT_EQ(-ENOENT, cg_open("a", "freezer.parent_freezing", O_RDONLY));
}

TEST_F(freezer_v2, controller_is_not_listed)
{
	char buf[256];

	ASSERT_EQ(0, cg_read("a", "cgroup.controllers", buf, sizeof(buf)));
	EXPECT_EQ(NULL, strstr(buf, "freezer"));
}

/* The freezer that v2 has anyway is another one, which waits for the thaw. */
TEST_F(freezer_v2, cgroup_freeze_and_freezer_freeze_do_not_meddle)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, cg_write("a", "cgroup.freeze", "1"));
	ASSERT_EQ(0, cg_write("a", "cgroup.freeze", "0"));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, cg_write("a", "cgroup.freeze", "1"));
	EXPECT_TRUE(cg_event("a", "frozen 0"));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, WAIT_UNTIL(cg_event("a", "frozen 1")));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, cg_write("a", "cgroup.freeze", "0"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

/* Threaded cgroups. */

#define NR_THREADS	4

/* A process in "a", and "a/t" and "a/u" for threads of it. */
static int start_threaded(struct worker *w)
{
	int ret;

	ret = cg_make("a/t") ?: cg_make("a/u");
	ret = ret ?: cg_write("a/t", "cgroup.type", "threaded");
	ret = ret ?: cg_write("a/u", "cgroup.type", "threaded");
	return ret ?: worker_start_in("a", w, worker_has_threads, NR_THREADS);
}

TEST_F(freezer_v2, thread_freezes_alone)
{
	struct worker w, last, others;

	ASSERT_EQ(0, start_threaded(&w));
	last = worker_thread(&w, NR_THREADS - 1);
	others = w;
	others.nr = NR_THREADS - 1;

	ASSERT_EQ(0, cg_attach_thread("a/t", last.pid));
	ASSERT_EQ(0, cg_freeze("a/t"));
	ASSERT_EQ(0, cg_wait("a/t", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&last, 1));
	EXPECT_EQ(0, workers_move(&others, 1));

	ASSERT_EQ(0, cg_attach_thread("a", last.pid));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer_v2, thread_is_refused_by_a_frozen_cgroup)
{
	struct worker w;

	ASSERT_EQ(0, start_threaded(&w));
	ASSERT_EQ(0, cg_freeze("a/t"));
	EXPECT_EQ(-EBUSY, cg_attach_thread("a/t", w.slots[1].tid));
	EXPECT_EQ(-EBUSY, cg_attach_thread("a/t", w.pid));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer_v2, domain_freezes_the_threads_of_its_children)
{
	struct worker w;

	ASSERT_EQ(0, start_threaded(&w));
	ASSERT_EQ(0, cg_attach_thread("a/t", w.slots[1].tid));
	ASSERT_EQ(0, cg_attach_thread("a/u", w.slots[2].tid));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer_v2, kill_in_a_threaded_cgroup_is_not_supported)
{
	struct worker w;
	int status;

	ASSERT_EQ(0, start_threaded(&w));
	ASSERT_EQ(0, cg_attach_thread("a/t", w.slots[1].tid));
	EXPECT_EQ(-EOPNOTSUPP, cg_kill("a/t", SIGKILL));
	EXPECT_EQ(-EOPNOTSUPP, cg_kill("a/u", SIGKILL));
	EXPECT_EQ(-ERANGE, cg_kill("a/t", 0));
	EXPECT_EQ(0, workers_move(&w, 1));

	/* The domain itself is no threaded cgroup. */
	ASSERT_EQ(0, cg_kill("a", SIGKILL));
	ASSERT_EQ(0, worker_wait_exit(&w, &status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
}

/* Clone into a cgroup. */

static pid_t clone_into(const char *cg)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;
	int fd;

	fd = cg_open(cg, "", O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	args.cgroup = fd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		return 0;
	pid = pid < 0 ? -errno : track_child(pid);
	close(fd);
	return pid;
}

static int clone_worker_into(const char *cg, struct worker *w)
{
	w->slots = slots_get(1);
	w->nr = 1;
	w->pid = clone_into(cg);
	if (!w->pid)
		worker_sleeps(w);
	return w->pid < 0 ? w->pid : 0;
}

TEST_F(freezer_v2, clone_into_a_running_cgroup_runs)
{
	struct worker w;

	ASSERT_EQ(0, clone_worker_into("a", &w));
	EXPECT_EQ(0, workers_move(&w, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
}

TEST_F(freezer_v2, clone_into_a_frozen_cgroup_is_refused)
{
	struct worker w;
	int i;

	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, cg_freeze("a"));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(-EBUSY, clone_worker_into("a", &w));
		ASSERT_EQ(-EBUSY, clone_worker_into("a/b", &w));
	}
	EXPECT_EQ(0, cg_wait_empty("a"));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));

	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, clone_worker_into("a", &w));
	EXPECT_EQ(0, workers_move(&w, 1));
	/* A hold that was kept would keep it FREEZING. */
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
}

static bool none_has_counted(struct worker *w, unsigned int nr)
{
	while (nr--)
		if (slot_count(w[nr].slots))
			return false;
	return true;
}

/* Without a single instruction before the thaw. */
TEST_F(freezer_v2, child_cloned_into_a_freezing_cgroup_is_born_frozen)
{
	struct worker w[5];
	int i;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", w));
	ASSERT_EQ(0, cg_freeze("a"));
	for (i = 1; i < 5; i++) {
		ASSERT_EQ(0, clone_worker_into("a", w + i));
		ASSERT_TRUE(cg_reads("a", "FREEZING"));
	}
	EXPECT_EQ(0, workers_stand_still(w, 5));
	EXPECT_TRUE(none_has_counted(w + 1, 4));

	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 5));
	EXPECT_TRUE(none_has_counted(w + 1, 4));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_move(w, 5));
}

/* Outside the cgroup; its children are born there and die at once. */
static void worker_clones_into(struct worker *w)
{
	pid_t pid;

	for (;;) {
		pid = clone_into("a");
		if (!pid) {
			slot_tick(w->slots);
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
		else if (pid != -EBUSY)
			_exit(1);
	}
}

TEST_F_TIMEOUT(freezer_v2, children_cloned_into_a_cgroup_stop_when_it_is_frozen, 60)
{
	struct worker w[2];
	int i;

	ASSERT_EQ(0, worker_start(w, worker_clones_into, 1));
	ASSERT_EQ(0, worker_start(w + 1, worker_clones_into, 1));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, workers_move(w, 2));
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, cg_wait("a", "FROZEN"));
		ASSERT_EQ(0, workers_stand_still(w, 2));
		ASSERT_EQ(0, cg_thaw("a"));
	}
}

TEST_HARNESS_MAIN
