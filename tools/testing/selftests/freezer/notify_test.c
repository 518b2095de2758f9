// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who waits for a change of freezer.freeze hears of it.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>

#include "freezer_fixture.h"

static bool fd_reads(int fd, const char *state)
{
	char buf[64] = "";

	if (pread(fd, buf, sizeof(buf) - 1, 0) <= 0)
		return false;
	buf[strcspn(buf, "\n")] = '\0';
	return !strcmp(buf, state);
}

/* Looks at the file after an event only. */
static int poll_until(int fd, const char *state)
{
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };

	do {
		if (poll(&pfd, 1, DEADLINE_MS) != 1)
			return -ETIMEDOUT;
		if (!(pfd.revents & POLLPRI))
			return -EIO;
	} while (!fd_reads(fd, state));
	return 0;
}

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

TEST_HARNESS_MAIN
