// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who waits for a change of freezer.freeze hears of it.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/resource.h>

#include "freezer_fixture.h"
#include "freezer_v1_fixture.h"

TEST_F(freezer, poll_reports_frozen_and_running)
{
	struct worker w[2];
	int i, fd;

	ASSERT_EQ(0, worker_start_in("a", w, worker_spins, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_sleeps, 1));
	fd = cg_open("a", "freezer.freeze", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(fd_reads(fd, "RUNNING"));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, poll_until(fd, "FROZEN"));
		ASSERT_EQ(0, workers_stand_still(w, 2));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_EQ(0, poll_until(fd, "RUNNING"));
		ASSERT_EQ(0, workers_move(w, 2));
	}
	close(fd);
}

TEST_F(freezer, poll_reports_freezing_and_then_frozen)
{
	struct worker w;
	int fd;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	fd = cg_open("a", "freezer.freeze", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(fd_reads(fd, "RUNNING"));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, poll_until(fd, "FREEZING"));
	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, poll_until(fd, "FROZEN"));
	close(fd);
}

/* When the write is over there is the one report, and no other comes. */
static bool reported_at_once(int fd, const char *state)
{
	return poll_reports(fd, 0) == 1 && fd_reads(fd, state) &&
	       !poll_reports(fd, 100);
}

/* FREEZING is over when the write is, and FROZEN need not wait after it. */
TEST_F(freezer, freeze_of_a_subtree_that_sleeps_is_reported_once_and_at_once)
{
	struct worker w;
	int i, fd;

	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, worker_start_in("a/b", &w, worker_pauses, 1));
	ASSERT_EQ(0, WAIT_UNTIL(task_sleeps(w.pid, "S")));
	fd = cg_open("a", "freezer.freeze", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(fd_reads(fd, "RUNNING"));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_TRUE(reported_at_once(fd, "FROZEN"));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_TRUE(reported_at_once(fd, "RUNNING"));
	}
	close(fd);
}

/* To a cgroup that the state file has frozen, and left open. */
TEST_F(freezer_v1, newcomer_that_sleeps_is_reported_as_frozen_only)
{
	struct worker w[2];
	int i, fd;

	ASSERT_EQ(0, state_freeze("a"));
	fd = cg_open_quiet("a", "FROZEN");
	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, worker_start_asleep_in("b", w + i, worker_pauses,
						    "S"));
		ASSERT_EQ(0, cg_attach("a", w[i].pid));
		EXPECT_TRUE(reported_at_once(fd, "FROZEN"));
	}
	close(fd);
}

TEST_F(freezer_v1, newcomer_that_is_stuck_is_reported_as_freezing)
{
	struct worker w;
	int fd;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, state_freeze("a"));
	fd = cg_open_quiet("a", "FROZEN");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	EXPECT_EQ(0, poll_until(fd, "FREEZING"));
	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, poll_until(fd, "FROZEN"));
	close(fd);
}

TEST_F(freezer, cgroups_made_below_a_frozen_one_are_no_news)
{
	int fd;

	ASSERT_EQ(0, cg_freeze("a"));
	fd = cg_open_quiet("a", "FROZEN");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, cg_make("a/b/c"));
	EXPECT_TRUE(cg_reads("a/b/c", "FROZEN"));
	EXPECT_EQ(0, poll_reports(fd, 100));
	close(fd);
}

TEST_F(freezer, poll_reports_what_an_ancestor_does)
{
	struct worker w;
	int fd;

	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, cg_make("a/b/c"));
	ASSERT_EQ(0, worker_start_in("a/b/c", &w, worker_sleeps, 1));
	fd = cg_open("a/b/c", "freezer.freeze", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(fd_reads(fd, "RUNNING"));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, poll_until(fd, "FROZEN"));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, poll_until(fd, "RUNNING"));
	close(fd);
}

TEST_F(freezer, poll_reports_what_a_descendant_does)
{
	struct worker w;
	int fd;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, cg_make("a/b/c"));
	ASSERT_EQ(0, stuck_worker_start_in("a/b/c", &w));
	ASSERT_EQ(0, cg_freeze("a"));
	fd = cg_open("a", "freezer.freeze", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(fd_reads(fd, "FREEZING"));
	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, poll_until(fd, "FROZEN"));
	close(fd);
}

static int wait_modified(int fd)
{
	char buf[1024];
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, DEADLINE_MS) != 1)
		return -ETIMEDOUT;
	return read(fd, buf, sizeof(buf)) > 0 ? 0 : -EIO;
}

static int modified_until(int fd, const char *cg, const char *state)
{
	int ret;

	do {
		ret = wait_modified(fd);
	} while (!ret && !cg_reads(cg, state));
	return ret;
}

/* Not the file that is written to, as that alone is an event. */
TEST_F(freezer, inotify_reports_frozen_and_running)
{
	struct worker w;
	char path[256];
	int i, fd;

	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, worker_start_in("a/b", &w, worker_spins, 1));
	ASSERT_EQ(0, cg_path("a/b", "freezer.freeze", path, sizeof(path)));
	fd = inotify_init1(IN_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, inotify_add_watch(fd, path, IN_MODIFY));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, modified_until(fd, "a/b", "FROZEN"));
		ASSERT_EQ(0, workers_stand_still(&w, 1));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_EQ(0, modified_until(fd, "a/b", "RUNNING"));
		ASSERT_EQ(0, workers_move(&w, 1));
	}
	close(fd);
}

/* A hierarchy of DEPTH levels, with LEAVES below the last. */

#define DEPTH		8
#define LEAVES		1000
#define WATCHES		(DEPTH + LEAVES)
#define BUSY_LEAVES	10

static struct watch {
	char		cg[64];
	int		fd;
	unsigned int	events;
	bool		there;
} watches[WATCHES];

static int watch(int ep, struct watch *w)
{
	struct epoll_event event = { .events = EPOLLPRI, .data.ptr = w };

	w->fd = cg_open(w->cg, "freezer.freeze", O_RDONLY);
	if (w->fd < 0)
		return w->fd;
	/* What has not been read is news. */
	fd_reads(w->fd, "");
	return epoll_ctl(ep, EPOLL_CTL_ADD, w->fd, &event);
}

/* The first of them is "a", which is there. */
static int watch_hierarchy(int ep)
{
	unsigned int i;
	int ret = 0;

	snprintf(watches[0].cg, sizeof(watches[0].cg), "a");
	for (i = 1; i < WATCHES && !ret; i++) {
		snprintf(watches[i].cg, sizeof(watches[i].cg), "%.40s/%u",
			 watches[i < DEPTH ? i - 1 : DEPTH - 1].cg, i);
		ret = cg_make(watches[i].cg);
	}
	for (i = 0; i < WATCHES && !ret; i++)
		ret = watch(ep, watches + i);
	return ret;
}

/* Read the files of which there is an event, and no others. */
static unsigned int note_events(int ep, const char *state, int timeout)
{
	struct epoll_event events[64];
	unsigned int there = 0;
	struct watch *w;
	int i, nr;

	nr = epoll_wait(ep, events, 64, timeout);
	for (i = 0; i < nr; i++) {
		w = events[i].data.ptr;
		w->events++;
		if (!fd_reads(w->fd, state) || w->there)
			continue;
		w->there = true;
		there++;
	}
	return there;
}

/* Until all say @state, and then those events that are late. */
static int all_report(int ep, const char *state)
{
	unsigned int i, there = 0;
	int ret;

	for (i = 0; i < WATCHES; i++)
		watches[i].there = false;
	ret = WAIT_UNTIL((there += note_events(ep, state, 10)) == WATCHES);
	for (i = 0; i < 10; i++)
		note_events(ep, state, 10);
	return ret;
}

/* Not more than @changes of any file; and begin anew. */
static int false_events(unsigned int changes)
{
	unsigned int i;
	int nr = 0;

	for (i = 0; i < WATCHES; i++) {
		nr += watches[i].events > changes;
		watches[i].events = 0;
	}
	return nr;
}

TEST_F_TIMEOUT(freezer, poll_misses_no_change_and_reports_none_twice_at_depth_8_with_1000_leaves,
	       300)
{
	struct rlimit files = { 2 * WATCHES, 2 * WATCHES };
	struct worker w[BUSY_LEAVES];
	int i, ep;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, ep);
	ASSERT_EQ(0, watch_hierarchy(ep));
	for (i = 0; i < BUSY_LEAVES; i++)
		ASSERT_EQ(0, worker_start_in(watches[WATCHES - 1 - 90 * i].cg,
					     w + i, i % 2 ? worker_spins :
							    worker_sleeps, 1));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, all_report(ep, "FROZEN"));
		ASSERT_EQ(0, workers_stand_still(w, BUSY_LEAVES));
		/* FREEZING and FROZEN */
		ASSERT_EQ(0, false_events(2));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_EQ(0, all_report(ep, "RUNNING"));
		ASSERT_EQ(0, workers_move(w, BUSY_LEAVES));
		ASSERT_EQ(0, false_events(1));
	}
	for (i = 0; i < WATCHES; i++)
		close(watches[i].fd);
	close(ep);
}

TEST_HARNESS_MAIN
