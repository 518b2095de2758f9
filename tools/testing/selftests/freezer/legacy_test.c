// SPDX-License-Identifier: GPL-2.0-only
/*
 * The legacy interface: freezer.state, freezer.self_freezing and
 * freezer.parent_freezing.
 *
 * These tests pass on a kernel with the legacy freezer as well.  What was
 * written and read is told in lines "# said file|text|answer", which must be the
 * same on both, and what ours does better in lines "# better question|answer".
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "freezer_harness.h"

#define NR_THREADS	4

FIXTURE(freezer_state)
{
};

FIXTURE_SETUP(freezer_state)
{
	ASSERT_EQ(0, env_setup_legacy());
	ASSERT_EQ(0, cg_make("a"));
}

FIXTURE_TEARDOWN(freezer_state)
{
	EXPECT_EQ(0, env_cleanup());
}

static void say(const char *cg, const char *file, const char *what,
		const char *answer)
{
	char line[256];
	size_t i;

	snprintf(line, sizeof(line), "%s/%s|%s|%s", cg, file, what, answer);
	for (i = 0; line[i]; i++)
		if (line[i] == '\n' || line[i] == '\t')
			line[i] = '_';
	fprintf(stderr, "# said %s\n", line);
}

static const char *error_name(int ret)
{
	return ret ? strerrorname_np(-ret) : "taken";
}

static int put(const char *cg, const char *file, const char *text)
{
	int ret = cg_write(cg, file, text);

	say(cg, file, text, error_name(ret));
	return ret;
}

static int state_put(const char *cg, const char *word)
{
	return put(cg, "freezer.state", word);
}

static int attach(const char *cg, pid_t pid)
{
	int ret = cg_attach(cg, pid);

	say(cg, "cgroup.procs", "a task", error_name(ret));
	return ret;
}

/* What it reads now. */
static bool reads(const char *cg, const char *file, const char *text)
{
	char buf[64];
	int ret = cg_read(cg, file, buf, sizeof(buf));

	say(cg, file, "is", ret ? error_name(ret) : buf);
	return !ret && !strcmp(buf, text);
}

static bool state_reads(const char *cg, const char *word)
{
	return reads(cg, "freezer.state", word);
}

static int state_wait(const char *cg, const char *word)
{
	int ret = cg_file_wait(cg, "freezer.state", word);

	say(cg, "freezer.state", "becomes", ret ? "something else" : word);
	return ret;
}

static int freeze_and_wait(const char *cg)
{
	return state_put(cg, "FROZEN") ?: state_wait(cg, "FROZEN");
}

/* Whose request it is: "self parent". */
static bool requests_are(const char *cg, const char *self, const char *parent)
{
	bool ret = reads(cg, "freezer.self_freezing", self);

	return reads(cg, "freezer.parent_freezing", parent) && ret;
}

TEST_F(freezer_state, new_cgroup_is_thawed)
{
	EXPECT_TRUE(state_reads("a", "THAWED"));
	EXPECT_TRUE(requests_are("a", "0", "0"));
}

TEST_F(freezer_state, empty_cgroup_is_frozen_when_the_write_returns)
{
	ASSERT_EQ(0, state_put("a", "FROZEN"));
	EXPECT_TRUE(state_reads("a", "FROZEN"));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_TRUE(state_reads("a", "THAWED"));
}

TEST_F(freezer_state, tasks_freeze_and_thaw)
{
	struct worker w[4];

	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_spins, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 2, worker_polls, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 3, worker_has_threads, NR_THREADS));
	ASSERT_EQ(0, freeze_and_wait("a"));
	EXPECT_EQ(0, workers_stand_still(w, 4));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_TRUE(state_reads("a", "THAWED"));
	EXPECT_EQ(0, workers_move(w, 4));
}

TEST_F(freezer_state, same_word_again_changes_nothing)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_EQ(0, workers_move(&w, 1));
	ASSERT_EQ(0, freeze_and_wait("a"));
	ASSERT_EQ(0, state_put("a", "FROZEN"));
	EXPECT_TRUE(state_reads("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer_state, whitespace_around_a_word_is_ignored)
{
	ASSERT_EQ(0, state_put("a", "FROZEN\n"));
	EXPECT_TRUE(state_reads("a", "FROZEN"));
	ASSERT_EQ(0, state_put("a", "\t THAWED\n"));
	EXPECT_TRUE(state_reads("a", "THAWED"));
}

static const char * const bad_words[] = {
	"\t", " ", "frozen", "Thawed", "FREEZING", "RUNNING", "FROZENX",
	"FROZE", "FROZEN THAWED", "0", "1",
};

TEST_F(freezer_state, other_words_are_refused_and_change_nothing)
{
	struct worker w;
	unsigned int i;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	for (i = 0; i < ARRAY_SIZE(bad_words); i++)
		EXPECT_EQ(-EINVAL, state_put("a", bad_words[i]));
	EXPECT_TRUE(state_reads("a", "THAWED"));
	EXPECT_EQ(0, workers_move(&w, 1));
	ASSERT_EQ(0, freeze_and_wait("a"));
	for (i = 0; i < ARRAY_SIZE(bad_words); i++)
		EXPECT_EQ(-EINVAL, state_put("a", bad_words[i]));
	EXPECT_TRUE(state_reads("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
}

/* A write of nothing never gets to the freezer. */
TEST_F(freezer_state, empty_write_is_taken_and_changes_nothing)
{
	ASSERT_EQ(0, state_put("a", "FROZEN"));
	EXPECT_EQ(0, state_put("a", ""));
	EXPECT_TRUE(state_reads("a", "FROZEN"));
}

TEST_F(freezer_state, self_freezing_and_parent_freezing_cannot_be_written)
{
	EXPECT_EQ(-EINVAL, put("a", "freezer.self_freezing", "1"));
	EXPECT_EQ(-EINVAL, put("a", "freezer.parent_freezing", "1"));
	EXPECT_TRUE(requests_are("a", "0", "0"));
}

TEST_F(freezer_state, root_cgroup_has_no_files)
{
	EXPECT_FALSE(reads("..", "freezer.state", ""));
	EXPECT_FALSE(reads("..", "freezer.self_freezing", ""));
	EXPECT_FALSE(reads("..", "freezer.parent_freezing", ""));
	EXPECT_EQ(-ENOENT, state_put("..", "FROZEN"));
}

TEST_F(freezer_state, freezing_lasts_while_a_task_is_stuck)
{
	struct worker w[2];

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", w));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_sleeps, 1));
	ASSERT_EQ(0, state_put("a", "FROZEN"));
	EXPECT_TRUE(state_reads("a", "FREEZING"));
	EXPECT_TRUE(requests_are("a", "1", "0"));
	EXPECT_EQ(0, WAIT_UNTIL(!workers_stand_still(w, 2)));
	EXPECT_TRUE(state_reads("a", "FREEZING"));

	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, state_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 2));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_EQ(0, workers_move(w, 2));
}

TEST_F(freezer_state, thaw_ends_freezing)
{
	struct worker w[2];

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", w));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_spins, 1));
	ASSERT_EQ(0, state_put("a", "FROZEN"));
	ASSERT_TRUE(state_reads("a", "FREEZING"));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_TRUE(state_reads("a", "THAWED"));
	EXPECT_EQ(0, workers_move(w + 1, 1));
	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, workers_move(w, 2));
}

/* Trees. */

TEST_F(freezer_state, files_tell_whose_request_it_is)
{
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, cg_make("a/b/c"));
	ASSERT_EQ(0, state_put("a/b", "FROZEN"));
	EXPECT_TRUE(requests_are("a", "0", "0"));
	EXPECT_TRUE(requests_are("a/b", "1", "0"));
	EXPECT_TRUE(requests_are("a/b/c", "0", "1"));

	ASSERT_EQ(0, state_put("a", "FROZEN"));
	EXPECT_TRUE(requests_are("a", "1", "0"));
	EXPECT_TRUE(requests_are("a/b", "1", "1"));
	EXPECT_TRUE(requests_are("a/b/c", "0", "1"));

	ASSERT_EQ(0, state_put("a/b", "THAWED"));
	EXPECT_TRUE(requests_are("a/b", "0", "1"));
	EXPECT_TRUE(requests_are("a/b/c", "0", "1"));

	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_TRUE(requests_are("a", "0", "0"));
	EXPECT_TRUE(requests_are("a/b", "0", "0"));
	EXPECT_TRUE(requests_are("a/b/c", "0", "0"));
}

/* One sleeping worker in "a" and in "a/b", which is made. */
static int start_nested(struct worker *w)
{
	return cg_make("a/b") ?: worker_start_in("a", w, worker_sleeps, 1) ?:
	       worker_start_in("a/b", w + 1, worker_sleeps, 1);
}

TEST_F(freezer_state, parent_freezes_and_thaws_its_child)
{
	struct worker w[2];

	ASSERT_EQ(0, start_nested(w));
	ASSERT_EQ(0, freeze_and_wait("a"));
	EXPECT_TRUE(state_reads("a/b", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 2));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_TRUE(state_reads("a/b", "THAWED"));
	EXPECT_EQ(0, workers_move(w, 2));
}

TEST_F(freezer_state, parent_of_a_frozen_child_reads_thawed)
{
	struct worker w[2];

	ASSERT_EQ(0, start_nested(w));
	ASSERT_EQ(0, freeze_and_wait("a/b"));
	EXPECT_TRUE(state_reads("a", "THAWED"));
	EXPECT_EQ(0, workers_move(w, 1));
	EXPECT_EQ(0, workers_stand_still(w + 1, 1));
}

TEST_F(freezer_state, thaw_of_a_parent_leaves_its_child_frozen)
{
	struct worker w[2];

	ASSERT_EQ(0, start_nested(w));
	ASSERT_EQ(0, state_put("a/b", "FROZEN"));
	ASSERT_EQ(0, freeze_and_wait("a"));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_TRUE(state_reads("a", "THAWED"));
	EXPECT_EQ(0, state_wait("a/b", "FROZEN"));
	EXPECT_EQ(0, workers_move(w, 1));
	EXPECT_EQ(0, workers_stand_still(w + 1, 1));
	ASSERT_EQ(0, state_put("a/b", "THAWED"));
	EXPECT_EQ(0, workers_move(w, 2));
}

TEST_F(freezer_state, thaw_of_a_child_waits_for_that_of_its_parent)
{
	struct worker w[2];

	ASSERT_EQ(0, start_nested(w));
	ASSERT_EQ(0, state_put("a/b", "FROZEN"));
	ASSERT_EQ(0, freeze_and_wait("a"));
	ASSERT_EQ(0, state_put("a/b", "THAWED"));
	EXPECT_TRUE(state_reads("a/b", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 2));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_TRUE(state_reads("a/b", "THAWED"));
	EXPECT_EQ(0, workers_move(w, 2));
}

TEST_F(freezer_state, child_made_below_a_frozen_parent_is_frozen)
{
	struct worker w;

	ASSERT_EQ(0, freeze_and_wait("a"));
	ASSERT_EQ(0, cg_make("a/b"));
	EXPECT_TRUE(state_reads("a/b", "FROZEN"));
	EXPECT_TRUE(requests_are("a/b", "0", "1"));
	ASSERT_EQ(0, worker_start(&w, worker_sleeps, 1));
	ASSERT_EQ(0, attach("a/b", w.pid));
	ASSERT_EQ(0, state_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

/* Newcomers. */

TEST_F(freezer_state, newcomers_to_a_frozen_cgroup_freeze)
{
	struct worker w[4];
	int i;

	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start(w + 1, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start(w + 2, worker_spins, 1));
	ASSERT_EQ(0, worker_start(w + 3, worker_has_threads, NR_THREADS));
	ASSERT_EQ(0, workers_move(w, 4));
	ASSERT_EQ(0, freeze_and_wait("a"));
	for (i = 1; i < 4; i++) {
		ASSERT_EQ(0, attach("a", w[i].pid));
		ASSERT_EQ(0, state_wait("a", "FROZEN"));
		EXPECT_EQ(0, workers_stand_still(w, i + 1));
	}
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_EQ(0, workers_move(w, 4));
}

TEST_F(freezer_state, newcomers_one_after_the_other_freeze)
{
	struct worker w[16];
	int i;

	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, worker_start(w + i, worker_has_threads, 1 + i % 3));
	ASSERT_EQ(0, workers_move(w, 16));
	ASSERT_EQ(0, freeze_and_wait("a"));
	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, attach("a", w[i].pid));
	ASSERT_EQ(0, state_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 16));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_EQ(0, workers_move(w, 16));
}

TEST_F(freezer_state, thread_that_comes_to_a_frozen_cgroup_freezes_alone)
{
	struct worker w, last, others;

	ASSERT_EQ(0, worker_start(&w, worker_has_threads, NR_THREADS));
	ASSERT_EQ(0, workers_move(&w, 1));
	last = worker_thread(&w, NR_THREADS - 1);
	others = w;
	others.nr = NR_THREADS - 1;

	ASSERT_EQ(0, freeze_and_wait("a"));
	ASSERT_EQ(0, cg_attach_thread("a", last.pid));
	ASSERT_EQ(0, state_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&last, 1));
	EXPECT_EQ(0, workers_move(&others, 1));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer_state, frozen_goes_back_to_freezing_until_a_newcomer_has_frozen)
{
	struct worker w[2];

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, start_nested(w));
	ASSERT_EQ(0, cg_make("a/c"));
	ASSERT_EQ(0, freeze_and_wait("a"));

	ASSERT_EQ(0, stuck_worker_start_in("a/b", w));
	EXPECT_TRUE(state_reads("a/b", "FREEZING"));
	EXPECT_TRUE(state_reads("a", "FREEZING"));
	EXPECT_TRUE(state_reads("a/c", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w + 1, 1));

	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, state_wait("a", "FROZEN"));
	EXPECT_TRUE(state_reads("a/b", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 2));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_EQ(0, workers_move(w, 2));
}

/* Goes to "a" when it is told to, and notes 1 for success when it is back. */
static void worker_parks_itself(struct worker *w)
{
	while (!slot_note(w->slots, 0)) {
		slot_tick(w->slots);
		pause_ms(1);
	}
	slot_set_note(w->slots, 1, 1 - cg_attach("a", 0));
	worker_sleeps(w);
}

TEST_F(freezer_state, shell_that_parks_itself_is_back_at_the_thaw)
{
	struct worker w;
	pid_t pid;

	ASSERT_EQ(0, worker_start(&w, worker_parks_itself, 1));
	ASSERT_EQ(0, workers_move(&w, 1));
	ASSERT_EQ(0, freeze_and_wait("a"));
	slot_set_note(w.slots, 0, 1);
	ASSERT_EQ(0, WAIT_UNTIL(cg_procs("a", &pid, 1) == 1));
	ASSERT_EQ(0, state_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	EXPECT_EQ(0UL, slot_note(w.slots, 1));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_EQ(0, workers_move(&w, 1));
	EXPECT_EQ(1UL, slot_note(w.slots, 1));
}

/* Forks. */

TEST_F(freezer_state, forks_of_a_frozen_cgroup_stand_still)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_forks, 1));
	ASSERT_EQ(0, freeze_and_wait("a"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer_state, newcomer_that_forks_freezes_with_its_child)
{
	struct worker w;
	int i;

	ASSERT_EQ(0, worker_start(&w, worker_forks, 1));
	ASSERT_EQ(0, workers_move(&w, 1));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, freeze_and_wait("a"));
		ASSERT_EQ(0, attach("a", w.pid));
		ASSERT_EQ(0, state_wait("a", "FROZEN"));
		/* A child from before goes on outside until it ends. */
		EXPECT_EQ(0, WAIT_UNTIL(!workers_stand_still(&w, 1)));
		ASSERT_EQ(0, state_put("a", "THAWED"));
		EXPECT_EQ(0, workers_move(&w, 1));
		ASSERT_EQ(0, attach(".", w.pid));
	}
}

/* Those who leave. */

TEST_F(freezer_state, task_that_leaves_a_frozen_cgroup_runs)
{
	struct worker w[3];

	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_spins, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 2, worker_has_threads, NR_THREADS));
	ASSERT_EQ(0, freeze_and_wait("a"));
	ASSERT_EQ(0, attach("b", w[0].pid));
	EXPECT_EQ(0, workers_move(w, 1));
	EXPECT_EQ(0, workers_stand_still(w + 1, 2));
	ASSERT_EQ(0, attach("b", w[1].pid));
	ASSERT_EQ(0, attach("b", w[2].pid));
	EXPECT_EQ(0, workers_move(w, 3));
	EXPECT_TRUE(state_reads("a", "FROZEN"));
}

TEST_F(freezer_state, task_that_goes_from_frozen_to_frozen_stays_so)
{
	struct worker w;

	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, freeze_and_wait("a"));
	ASSERT_EQ(0, freeze_and_wait("b"));
	ASSERT_EQ(0, attach("b", w.pid));
	EXPECT_EQ(0, state_wait("b", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, state_put("b", "THAWED"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

/* The end of cgroups and of tasks. */

TEST_F(freezer_state, frozen_cgroup_can_be_removed_when_it_is_empty)
{
	struct worker w;

	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, worker_start_in("a/b", &w, worker_sleeps, 1));
	ASSERT_EQ(0, freeze_and_wait("a"));
	EXPECT_EQ(-EBUSY, cg_remove("a/b"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, attach(".", w.pid));
	EXPECT_EQ(0, workers_move(&w, 1));
	EXPECT_EQ(0, cg_remove("a/b"));
	EXPECT_TRUE(state_reads("a", "FROZEN"));
	EXPECT_EQ(0, cg_remove("a"));
	ASSERT_EQ(0, cg_make("a"));
	EXPECT_TRUE(state_reads("a", "THAWED"));
}

TEST_F(freezer_state, files_of_a_removed_cgroup_give_enodev)
{
	int state = cg_open("a", "freezer.state", O_RDWR);
	int parent = cg_open("a", "freezer.parent_freezing", O_RDONLY);
	char buf[64];

	ASSERT_LE(0, state);
	ASSERT_LE(0, parent);
	ASSERT_EQ(0, cg_remove("a"));
	EXPECT_EQ(-1, write(state, "FROZEN", 6));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-1, read(state, buf, sizeof(buf)));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-1, read(parent, buf, sizeof(buf)));
	EXPECT_EQ(ENODEV, errno);
	close(state);
	close(parent);
}

static bool kernel_is_ours(void)
{
	int fd = cg_open("a", "freezer.freeze", O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Dead when we have waited for that, or for long enough? */
static bool dies_frozen(struct worker *w)
{
	long long end = now_ms() + (kernel_is_ours() ? DEADLINE_MS : 10 * STILL_MS);
	siginfo_t info = { 0 };

	do {
		waitid(P_PID, w->pid, &info, WEXITED | WNOHANG | WNOWAIT);
	} while (!info.si_pid && pause_before(end));
	return info.si_pid;
}

static int kill_frozen(struct worker *w, int sig, bool *at_once)
{
	int ret = freeze_and_wait("a");

	ret = ret ?: kill(w->pid, sig) ? -errno : 0;
	*at_once = dies_frozen(w);
	fprintf(stderr, "# better frozen task that gets SIG%s|dies %s\n",
		sigabbrev_np(sig), *at_once ? "at once" : "at the thaw");
	ret = ret ?: state_wait("a", "FROZEN");
	ret = ret ?: state_put("a", "THAWED");
	return ret ?: worker_wait_killed(w, sig);
}

TEST_F(freezer_state, killed_task_is_gone_after_the_thaw_if_not_before)
{
	struct worker w[2];
	bool at_once;

	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_spins, 1));
	ASSERT_EQ(0, kill_frozen(w, SIGKILL, &at_once));
	EXPECT_EQ(kernel_is_ours(), at_once);
	ASSERT_EQ(0, kill_frozen(w + 1, SIGTERM, &at_once));
	EXPECT_EQ(kernel_is_ours(), at_once);
}

TEST_F_TIMEOUT(freezer_state, vforks_stand_still_if_their_cgroup_is_frozen, 60)
{
	struct worker w;
	bool frozen;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_vforks, 1));
	ASSERT_EQ(0, state_put("a", "FROZEN"));
	frozen = !cg_file_wait("a", "freezer.state", "FROZEN");
	fprintf(stderr, "# better cgroup in which a process vforks|is %s\n",
		frozen ? "FROZEN" : "FREEZING until the thaw");
	EXPECT_TRUE(frozen || !kernel_is_ours());
	EXPECT_TRUE(!frozen || !workers_stand_still(&w, 1));
	ASSERT_EQ(0, state_put("a", "THAWED"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_HARNESS_MAIN
