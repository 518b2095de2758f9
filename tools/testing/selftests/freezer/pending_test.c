// SPDX-License-Identifier: GPL-2.0-only
/*
 * freezer.pending: a line for each task that the freeze waits for.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freezer_fixture.h"

#define NR_THREADS	300
/* Threads of one process, where there are very many */
#define NR_MANY		1000
#define NR_IDLE		(5 * NR_MANY)

/**
 * struct line - a line of freezer.pending
 * @pid: the process
 * @tid: the thread
 * @comm: what it calls itself, as one word
 * @state: a letter
 * @wchan: where in the kernel it sleeps
 * @path: its cgroup
 */
struct line {
	int	pid;
	int	tid;
	char	comm[80];
	char	state;
	char	wchan[128];
	char	path[256];
};

static int parse_line(const char *text, struct line *l)
{
	return sscanf(text, "%d %d %79s %c %127s %255[^\n]", &l->pid, &l->tid,
		      l->comm, &l->state, l->wchan, l->path) == 6 ? 0 : -EINVAL;
}

/* How many lines there are; the first @max of them are in @lines. */
static int pending_step(const char *cg, struct line *lines, int max, size_t step)
{
	static char buf[8 * 1024 * 1024];
	int ret, nr = 0;
	char *text;

	ret = cg_read_all(cg, "freezer.pending", buf, sizeof(buf), step);
	for (text = strtok(buf, "\n"); !ret && text; text = strtok(NULL, "\n")) {
		struct line unused;

		ret = parse_line(text, nr < max ? lines + nr : &unused);
		nr++;
	}
	return ret ?: nr;
}

static int pending(const char *cg, struct line *lines, int max)
{
	return pending_step(cg, lines, max, 4096);
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && !strcmp(text + len - n, end);
}

static int wait_pending(const char *cg, struct line *lines, int max, int nr)
{
	return WAIT_UNTIL(pending(cg, lines, max) == nr);
}

TEST_F(freezer, stuck_task_is_the_one_that_is_named)
{
	struct worker w[3];
	char wchan[128];
	struct line l;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, cg_make("a/b c"));
	ASSERT_EQ(0, worker_start_in("a", w, worker_spins, 1));
	ASSERT_EQ(0, worker_start_in("a/b c", w + 1, worker_sleeps, 1));
	ASSERT_EQ(0, stuck_worker_start_in("a/b c", w + 2));
	EXPECT_EQ(0, pending("a", &l, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, wait_pending("a", &l, 1, 1));
	EXPECT_EQ(w[2].pid, l.pid);
	EXPECT_EQ(w[2].pid, l.tid);
	EXPECT_STREQ("pending_test", l.comm);
	EXPECT_EQ('D', l.state);
	EXPECT_EQ(0, task_file(w[2].pid, "wchan", wchan, sizeof(wchan)));
	EXPECT_STREQ(wchan, l.wchan);
	EXPECT_STRNE("0", l.wchan);
	/* The rest of the line, as a path may have spaces. */
	EXPECT_TRUE(ends_with(l.path, "/freezer_selftest/a/b c"));
	EXPECT_EQ(1, pending("a/b c", &l, 1));
	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 3));
	EXPECT_EQ(0, pending("a", &l, 1));
}

TEST_F(freezer, file_is_empty_when_frozen_and_when_running)
{
	struct worker w;
	struct line l;

	EXPECT_EQ(0, pending("a", &l, 1));
	ASSERT_EQ(0, worker_start_in("a", &w, worker_spins, 1));
	EXPECT_EQ(0, pending("a", &l, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, workers_stand_still(&w, 1));
	EXPECT_EQ(0, pending("a", &l, 1));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, pending("a", &l, 1));
}

/* "a" waits for nobody. */
TEST_F(freezer, running_parent_of_a_freezing_cgroup_has_no_lines)
{
	struct worker w;
	struct line l;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, stuck_worker_start_in("a/b", &w));
	ASSERT_EQ(0, cg_freeze("a/b"));
	ASSERT_EQ(1, pending("a/b", &l, 1));
	EXPECT_EQ(0, pending("a", &l, 1));
	EXPECT_EQ(0, cg_stat("a", "nr_pending"));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(1, pending("a", &l, 1));
	EXPECT_EQ(w.pid, l.pid);
}

static void *thread_gets_stuck(void *arg)
{
	struct slot *slot = arg;

	slot->tid = syscall(SYS_gettid);
	slot_tick(slot);
	stuck_sleep();
	pause();
	return NULL;
}

/* All but the leader. */
static void worker_has_stuck_threads(struct worker *w)
{
	worker_start_threads(w, thread_gets_stuck);
	slot_tick(w->slots);
	pause();
}

static bool threads_are_stuck(struct worker *w)
{
	unsigned int i;

	for (i = 1; i < w->nr; i++)
		if (task_state(w->slots[i].tid) != 'D')
			return false;
	return true;
}

TEST_F(freezer, thread_is_named_and_not_only_its_process)
{
	struct worker w;
	struct line l;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_stuck_threads, 2));
	ASSERT_EQ(0, WAIT_UNTIL(threads_are_stuck(&w)));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, wait_pending("a", &l, 1, 1));
	EXPECT_EQ(w.pid, l.pid);
	EXPECT_EQ((int)w.slots[1].tid, l.tid);
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *left = a, *right = b;

	return left->tid - right->tid;
}

/* @lines are sorted. */
static bool is_named_once(struct line *lines, int nr, int tid)
{
	struct line key = { .tid = tid };
	struct line *l = bsearch(&key, lines, nr, sizeof(key), compare_lines);

	return l && (l == lines || l[-1].tid != tid) &&
	       (l == lines + nr - 1 || l[1].tid != tid);
}

/* The threads of @nr_w workers, but for the leaders.  Sorts @lines. */
static bool all_named_once(struct worker *w, unsigned int nr_w,
			   struct line *lines, int nr)
{
	unsigned int i, j;

	qsort(lines, nr, sizeof(*lines), compare_lines);
	for (i = 0; i < nr_w; i++)
		for (j = 1; j < w[i].nr; j++)
			if (!is_named_once(lines, nr, w[i].slots[j].tid))
				return false;
	return true;
}

TEST_F(freezer, short_reads_name_each_of_many_tasks_once)
{
	static struct line lines[NR_THREADS];
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_stuck_threads,
				     NR_THREADS + 1));
	ASSERT_EQ(0, WAIT_UNTIL(threads_are_stuck(&w)));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, wait_pending("a", lines, NR_THREADS, NR_THREADS));
	EXPECT_TRUE(all_named_once(&w, 1, lines, NR_THREADS));
	EXPECT_EQ(NR_THREADS, pending_step("a", lines, NR_THREADS, 1));
	EXPECT_TRUE(all_named_once(&w, 1, lines, NR_THREADS));
	EXPECT_EQ(NR_THREADS, pending_step("a", lines, NR_THREADS, 100));
	EXPECT_TRUE(all_named_once(&w, 1, lines, NR_THREADS));
}

static int make_room_for_many(void)
{
	return set_for_test("/proc/sys/kernel/pid_max", 1000000) ?:
	       set_for_test("/proc/sys/kernel/threads-max", 500000);
}

/* FREEZER_TASKS=100000 needs MEMORY=8G. */
TEST_F_TIMEOUT(freezer, each_of_very_many_tasks_is_named_once, 1800)
{
	unsigned int i, nr_w = env_number("FREEZER_TASKS", 2000) / NR_MANY;
	int nr = nr_w * NR_MANY;
	struct worker *w = calloc(nr_w, sizeof(*w));
	struct line *lines = calloc(nr, sizeof(*lines));
	long long start;

	ASSERT_TRUE(w && lines);
	ASSERT_EQ(0, make_room_for_many());
	ASSERT_EQ(0, stuck_setup());
	for (i = 0; i < nr_w; i++) {
		ASSERT_EQ(0, worker_start_in("a", w + i,
					     worker_has_stuck_threads,
					     NR_MANY + 1));
		ASSERT_EQ(0, WAIT_UNTIL(threads_are_stuck(w + i)));
	}
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, wait_pending("a", lines, nr, nr));
	start = now_ms();
	ASSERT_EQ(nr, pending("a", lines, nr));
	fprintf(stderr, "# %d tasks, read in %lld ms\n", nr, now_ms() - start);
	EXPECT_TRUE(all_named_once(w, nr_w, lines, nr));
	EXPECT_TRUE(cg_reads("a", "FREEZING"));
	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, pending("a", lines, nr));
	free(lines);
	free(w);
}

static void *thread_idles(void *arg)
{
	slot_tick(arg);
	pause();
	return NULL;
}

static void worker_has_idle_threads(struct worker *w)
{
	int i;

	for (i = 0; i < NR_MANY; i++)
		start_thread(thread_idles, w->slots);
	pause();
}

TEST_F_TIMEOUT(freezer, one_pending_task_is_found_among_many_that_are_frozen, 300)
{
	struct worker idle[NR_IDLE / NR_MANY], w;
	int i, nr = NR_IDLE + ARRAY_SIZE(idle);
	long long start;
	struct line l;

	ASSERT_EQ(0, make_room_for_many());
	ASSERT_EQ(0, stuck_setup());
	for (i = 0; i < (int)ARRAY_SIZE(idle); i++) {
		ASSERT_EQ(0, worker_start_in("a", idle + i,
					     worker_has_idle_threads, 1));
		ASSERT_EQ(0, WAIT_UNTIL(slot_count(idle[i].slots) == NR_MANY));
	}
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(0, WAIT_UNTIL(cg_stat("a", "nr_frozen") == nr));
	start = now_ms();
	ASSERT_EQ(0, wait_pending("a", &l, 1, 1));
	fprintf(stderr, "# %d tasks, read in %lld ms\n", nr + 1,
		now_ms() - start);
	EXPECT_EQ(w.pid, l.pid);
	EXPECT_EQ(nr + 1, cg_stat("a", "nr_tasks"));
}

static void worker_has_a_strange_name(struct worker *w)
{
	prctl(PR_SET_NAME, "a b\n\\\033\303\244");
	slot_tick(w->slots);
	stuck_sleep();
}

static void worker_has_no_name(struct worker *w)
{
	prctl(PR_SET_NAME, "");
	slot_tick(w->slots);
	stuck_sleep();
}

static int start_stuck(struct worker *w, void (*fn)(struct worker *w))
{
	return worker_start_in("a", w, fn, 1) ?:
	       WAIT_UNTIL(task_state(w->pid) == 'D');
}

TEST_F(freezer, command_is_one_word_whatever_a_task_calls_itself)
{
	struct worker w[2];
	struct line l[2];
	int named;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, start_stuck(w, worker_has_a_strange_name));
	ASSERT_EQ(0, start_stuck(w + 1, worker_has_no_name));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, wait_pending("a", l, 2, 2));
	named = l[0].pid == w[0].pid ? 0 : 1;
	EXPECT_STREQ("a\\040b\\012\\134\\033\\303\\244", l[named].comm);
	EXPECT_STREQ("-", l[!named].comm);
}

/* As a child of its own; what @fn returns is its exit status. */
static int in_child(int (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(fn());
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
	       WEXITSTATUS(status) : -1;
}

static int first_of_a_namespace(void)
{
	struct line l;

	return pending("a", &l, 1) == 1 && !l.pid && !l.tid && l.state == 'D' ?
	       0 : 1;
}

static int reads_in_a_pid_namespace(void)
{
	return unshare(CLONE_NEWPID) ? 2 : in_child(first_of_a_namespace);
}

static int reads_in_a_cgroup_namespace(void)
{
	struct line l;

	if (cg_attach(".", 0) || unshare(CLONE_NEWCGROUP))
		return 2;
	return pending("a", &l, 1) == 1 && !strcmp(l.path, "/a") ? 0 : 1;
}

/* Opened before, as not even the way to the file is for all. */
static int reads_as_nobody(void)
{
	int fd = cg_open("a", "freezer.pending", O_RDONLY);
	char buf[512] = "";
	struct line l;

	if (fd < 0 || setgid(65534) || setuid(65534))
		return 2;
	if (read(fd, buf, sizeof(buf) - 1) <= 0 || parse_line(buf, &l))
		return 3;
	return l.pid && l.state == 'D' && !strcmp(l.wchan, "0") ? 0 : 1;
}

TEST_F(freezer, reader_is_told_what_it_may_see)
{
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_TRUE(cg_reads("a", "FREEZING"));
	EXPECT_EQ(0, in_child(reads_in_a_pid_namespace));
	EXPECT_EQ(0, in_child(reads_in_a_cgroup_namespace));
	EXPECT_EQ(0, in_child(reads_as_nobody));
}

/* A reader that has read half of the file keeps nobody from anything. */
TEST_F(freezer, half_read_file_does_not_keep_a_cgroup)
{
	struct worker w;
	char buf[16];
	int fd, sub;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, worker_start_in("a/b", &w, worker_has_stuck_threads, 100));
	ASSERT_EQ(0, WAIT_UNTIL(threads_are_stuck(&w)));
	ASSERT_EQ(0, cg_freeze("a"));
	fd = cg_open("a", "freezer.pending", O_RDONLY);
	sub = cg_open("a/b", "freezer.pending", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, sub);
	ASSERT_EQ((ssize_t)sizeof(buf), read(fd, buf, sizeof(buf)));
	ASSERT_EQ((ssize_t)sizeof(buf), read(sub, buf, sizeof(buf)));
	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, cg_kill("a", SIGKILL));
	ASSERT_EQ(0, worker_wait_killed(&w, SIGKILL));
	ASSERT_EQ(0, cg_wait_empty("a/b"));
	EXPECT_EQ(0, WAIT_UNTIL(!cg_remove("a/b")));
	EXPECT_EQ(-1, pread(sub, buf, sizeof(buf), 0));
	EXPECT_EQ(ENODEV, errno);
	/* What was made into text by the last read, and then no more */
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	EXPECT_EQ(0, pread(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(0, WAIT_UNTIL(!cg_remove("a")));
	EXPECT_EQ(-1, pread(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(ENODEV, errno);
	close(fd);
	close(sub);
	EXPECT_EQ(0, cg_make("a"));
}

static void worker_reads_pending(struct worker *w)
{
	struct line l;

	while (pending_step("a", &l, 1, 200) >= 0)
		slot_tick(w->slots);
}

static void worker_cycles(struct worker *w)
{
	while (!cg_freeze("a") && !cg_thaw("a"))
		slot_tick(w->slots);
}

TEST_F(freezer, reads_race_with_forks_and_with_freeze_and_thaw)
{
	unsigned int rounds = env_number("FREEZER_ROUNDS", 100);
	struct worker w[6];
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, worker_start_in("a", w + i,
					     i % 2 ? worker_forks : worker_vforks, 1));
	ASSERT_EQ(0, worker_start(w + 4, worker_cycles, 1));
	ASSERT_EQ(0, worker_start(w + 5, worker_reads_pending, 1));
	for (i = 4; i < 6; i++)
		EXPECT_EQ(0, worker_wait_rounds(w + i, rounds));
	EXPECT_EQ(0, workers_move(w, 6));
}

TEST_HARNESS_MAIN
