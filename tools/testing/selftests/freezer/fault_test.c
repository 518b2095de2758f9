// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of an operation fails, one after the other: the operation
 * then succeeds all the same or gives -ENOMEM, all is as it was before, and a
 * later try works.
 *
 * The kernel may report a failed allocation with a stack.  For whoever looks
 * for reports in its log, there is a line before and a line after.
 *
 * Needs: CONFIG_FAILSLAB
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "freezer_fixture.h"
#include "freezer_v2_fixture.h"

#define FAIL_NTH	"/proc/self/fail-nth"
#define FAILSLAB	"/sys/kernel/debug/failslab/"

/* More than any of the operations allocates. */
#define MAX_FAULTS	2000

/* A fork has some hundred allocations, and we look long at each. */
#define TIMEOUT_S	600

/* Faults. */

static int fault_fd;

/* Why there are no faults; or NULL, and then all that can be is set up. */
static const char *why_no_faults(void)
{
	fault_fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (fault_fd < 0)
		return "no " FAIL_NTH ": needs CONFIG_FAULT_INJECTION";
	/* As it is at boot only what must not sleep can fail. */
	if (write_text(FAILSLAB "ignore-gfp-wait", "N"))
		return "no " FAILSLAB ": needs CONFIG_FAULT_INJECTION_DEBUG_FS";
	/* A stack for each fault would be no news. */
	if (write_text(FAILSLAB "verbose", "0"))
		return "cannot write to " FAILSLAB "verbose";
	return NULL;
}

/* Let the allocation of that number fail, or none if it is 0. */
static int fault_arm(unsigned int nth)
{
	char text[16];
	int len;

	len = snprintf(text, sizeof(text), "%u", nth);
	return write(fault_fd, text, len) == len ? 0 : -EIO;
}

/* How many allocations later the fault would have come: 0 if it came. */
static int fault_left(void)
{
	char text[16] = "";

	if (pread(fault_fd, text, sizeof(text) - 1, 0) <= 0)
		return -EIO;
	return atoi(text);
}

/**
 * struct action - an operation whose allocations fail
 * @name: to say which it was
 * @op: do it, and nothing else
 * @unchanged: 0 if nothing has changed after @op has failed
 * @undo: 0 if it was done; then all is again as it was before
 */
struct action {
	const char	*name;
	int		(*op)(struct worker *w);
	int		(*unchanged)(struct worker *w);
	int		(*undo)(struct worker *w);
};

/* Returns 1 if there was a fault, 0 if there are no more to come. */
static int action_with_fault(const struct action *action, struct worker *w,
			     unsigned int nth)
{
	int given, left, ret;

	ret = fault_arm(nth);
	if (ret)
		return ret;
	given = action->op(w);
	left = fault_left();
	ret = fault_arm(0);
	if (ret || left < 0)
		return -EIO;

	if (given)
		ret = given == -ENOMEM && !left ? 0 : -EINVAL;
	if (given)
		ret = ret ?: action->unchanged(w) ?: action->op(w);
	ret = ret ?: action->undo(w);
	if (ret)
		fprintf(stderr, "# %s has given %d for fault %u, and then %d\n",
			action->name, given, nth, ret);
	return ret ?: !left;
}

static int action_with_faults(const struct action *action, struct worker *w)
{
	unsigned int nth = 0;
	int ret;

	/* Once without, so that user memory is there and not allocated later. */
	ret = action->op(w) ?: action->undo(w);
	if (ret)
		return ret;

	do
		ret = action_with_fault(action, w, ++nth);
	while (ret > 0 && nth < MAX_FAULTS);
	fprintf(stderr, "# %s: %u faults\n", action->name, nth - 1);
	if (ret)
		return ret < 0 ? ret : -ELOOP;
	/* Each of them allocates something. */
	return nth > 1 ? 0 : -ENODATA;
}

static int run_action(const struct action *action, struct worker *w)
{
	int ret;

	ret = write_text("/dev/kmsg", "freezer_selftest: failures are expected\n");
	ret = ret ?: action_with_faults(action, w);
	return write_text("/dev/kmsg", "freezer_selftest: no more failures are expected\n") ?: ret;
}

/* What there is to look at. */

/* The cgroups of the hierarchy, with those that are removed but not gone. */
static int nr_cgroups(void)
{
	char line[128];
	int nr = -ENOENT;
	FILE *f;

	f = fopen("/proc/cgroups", "re");
	if (!f)
		return -errno;
	while (nr < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "freezer %*d %d", &nr);
	fclose(f);
	return nr;
}

static int nr_directories;

static int count_directory(const char *path, const struct stat *st, int type,
			   struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)ftw;
	nr_directories += type == FTW_D;
	return 0;
}

/*
 * One that is leaked would stay, and have no directory.  Those of the test before
 * us may still be on their way.
 */
static int wait_no_cgroup_is_dying(void)
{
	char root[PATH_MAX];
	int ret;

	cg_path("..", "", root, sizeof(root));
	nr_directories = 0;
	if (nftw(root, count_directory, 16, FTW_PHYS))
		return -EIO;
	ret = WAIT_UNTIL(nr_cgroups() == nr_directories);
	if (ret)
		fprintf(stderr, "# %d cgroups should be left and %d are\n",
			nr_directories, nr_cgroups());
	return ret;
}

static int is_gone(const char *cg)
{
	int fd = cg_open(cg, "", O_PATH);

	if (fd >= 0)
		close(fd);
	return fd == -ENOENT ? 0 : -EEXIST;
}

static int has_no_task(const char *cg)
{
	char buf[64];
	int ret = cg_read(cg, cg_threads_file(), buf, sizeof(buf));

	return ret ?: buf[0] ? -ENOTEMPTY : 0;
}

static int is_in_state(const char *cg, const char *state)
{
	return cg_reads(cg, state) ? 0 : -EBUSY;
}

static int freezes(const char *cg)
{
	return cg_freeze(cg) ?: cg_wait(cg, "FROZEN");
}

static int thaws(const char *cg)
{
	return cg_thaw(cg) ?: is_in_state(cg, "RUNNING");
}

/* What was counted and not taken back would keep it from FROZEN. */
static int still_works(const char *cg)
{
	return is_in_state(cg, "RUNNING") ?: freezes(cg) ?: thaws(cg);
}

static int worker_is_frozen(const char *cg, struct worker *w)
{
	return is_in_state(cg, "FROZEN") ?: workers_stand_still(w, 1);
}

/* mkdir and rmdir, with a worker in the parent. */

static int do_mkdir(struct worker *w)
{
	(void)w;
	return cg_make("a/b");
}

static int do_rmdir(struct worker *w)
{
	(void)w;
	return cg_remove("a/b");
}

static int no_child(struct worker *w)
{
	return is_gone("a/b") ?: still_works("a") ?: workers_move(w, 1);
}

static int child_again(struct worker *w)
{
	return no_child(w) ?: cg_make("a/b");
}

static int child(struct worker *w)
{
	return still_works("a/b") ?: still_works("a") ?: workers_move(w, 1);
}

static int child_goes(struct worker *w)
{
	return child(w) ?: cg_remove("a/b") ?: no_child(w);
}

static int no_frozen_child(struct worker *w)
{
	return is_gone("a/b") ?: worker_is_frozen("a", w);
}

static int frozen_child_goes(struct worker *w)
{
	int ret;

	ret = is_in_state("a/b", "FROZEN") ?: worker_is_frozen("a", w);
	return ret ?: cg_remove("a/b") ?: worker_is_frozen("a", w);
}

TEST_F_TIMEOUT(freezer, mkdir_fails_without_a_trace, TIMEOUT_S)
{
	const struct action action = {
		"mkdir", do_mkdir, no_child, child_goes
	};
	const char *why_not = why_no_faults();
	struct worker w;

	if (why_not)
		SKIP(return, "%s", why_not);
	ASSERT_EQ(0, wait_no_cgroup_is_dying());
	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	EXPECT_EQ(0, run_action(&action, &w));
	EXPECT_EQ(0, wait_no_cgroup_is_dying());
}

TEST_F_TIMEOUT(freezer, mkdir_in_a_frozen_cgroup_fails_without_a_trace, TIMEOUT_S)
{
	const struct action action = {
		"mkdir", do_mkdir, no_frozen_child, frozen_child_goes
	};
	const char *why_not = why_no_faults();
	struct worker w;

	if (why_not)
		SKIP(return, "%s", why_not);
	ASSERT_EQ(0, wait_no_cgroup_is_dying());
	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, freezes("a"));
	EXPECT_EQ(0, run_action(&action, &w));
	EXPECT_EQ(0, wait_no_cgroup_is_dying());
	EXPECT_EQ(0, thaws("a"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F_TIMEOUT(freezer, rmdir_fails_without_a_trace, TIMEOUT_S)
{
	const struct action action = {
		"rmdir", do_rmdir, child, child_again
	};
	const char *why_not = why_no_faults();
	struct worker w;

	if (why_not)
		SKIP(return, "%s", why_not);
	ASSERT_EQ(0, wait_no_cgroup_is_dying());
	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, cg_make("a/b"));
	EXPECT_EQ(0, run_action(&action, &w));
	ASSERT_EQ(0, cg_remove("a/b"));
	EXPECT_EQ(0, wait_no_cgroup_is_dying());
}

/* Attach, of a process with threads, from "a" to "b". */

#define NR_THREADS	4

static int do_attach(struct worker *w)
{
	return cg_attach("b", w->pid);
}

static int is_in_a(struct worker *w)
{
	int ret;

	ret = has_no_task("b") ?: still_works("b") ?: still_works("a");
	return ret ?: workers_move(w, 1);
}

static int goes_back_to_a(struct worker *w)
{
	int ret;

	ret = has_no_task("a") ?: still_works("a") ?: still_works("b");
	ret = ret ?: workers_move(w, 1) ?: cg_attach("a", w->pid);
	return ret ?: is_in_a(w);
}

TEST_F_TIMEOUT(freezer, attach_fails_without_a_trace, TIMEOUT_S)
{
	const struct action action = {
		"attach", do_attach, is_in_a, goes_back_to_a
	};
	const char *why_not = why_no_faults();
	struct worker w;

	if (why_not)
		SKIP(return, "%s", why_not);
	ASSERT_EQ(0, wait_no_cgroup_is_dying());
	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, NR_THREADS));
	EXPECT_EQ(0, run_action(&action, &w));
	/* It would be kept by a css_set that was not freed. */
	ASSERT_EQ(0, cg_remove("b"));
	EXPECT_EQ(0, wait_no_cgroup_is_dying());
}

/* "b" has a task that is stuck. */

static int runs_in_a(struct worker *w)
{
	int ret;

	ret = is_in_state("b", "FREEZING") ?: still_works("a");
	return ret ?: workers_move(w, 1);
}

static int freezes_in_b(struct worker *w)
{
	int ret;

	ret = has_no_task("a") ?: is_in_state("b", "FREEZING");
	ret = ret ?: WAIT_UNTIL(!workers_stand_still(w, 1));
	ret = ret ?: cg_attach("a", w->pid);
	return ret ?: runs_in_a(w);
}

TEST_F_TIMEOUT(freezer, attach_to_a_freezing_cgroup_fails_without_a_trace, TIMEOUT_S)
{
	const struct action action = {
		"attach", do_attach, runs_in_a, freezes_in_b
	};
	const char *why_not = why_no_faults();
	struct worker w, stuck;

	if (why_not)
		SKIP(return, "%s", why_not);
	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, NR_THREADS));
	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("b", &stuck));
	ASSERT_EQ(0, cg_freeze("b"));
	EXPECT_EQ(0, run_action(&action, &w));

	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, cg_wait("b", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&stuck, 1));
	EXPECT_EQ(0, thaws("b"));
	EXPECT_EQ(0, workers_move(&stuck, 1));
}

/* Reading changes nothing, and what is half read holds nothing. */

static int do_look(struct worker *w)
{
	char buf[1024];

	(void)w;
	return cg_read_all("a", "freezer.pending", buf, sizeof(buf), 16) ?:
	       cg_read_all("a", "freezer.stat", buf, sizeof(buf), 16);
}

static int stays_pending(struct worker *w)
{
	(void)w;
	return is_in_state("a", "FREEZING") ?:
	       cg_stat("a/b", "nr_pending") == 1 ? 0 : -EINVAL;
}

TEST_F_TIMEOUT(freezer, look_at_a_freezing_cgroup_fails_without_a_trace, TIMEOUT_S)
{
	const struct action action = {
		"look", do_look, stays_pending, stays_pending
	};
	const char *why_not = why_no_faults();
	struct worker w;

	if (why_not)
		SKIP(return, "%s", why_not);
	ASSERT_EQ(0, wait_no_cgroup_is_dying());
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a/b", &w));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(0, run_action(&action, &w));

	ASSERT_EQ(0, thaws("a"));
	ASSERT_EQ(0, cg_attach("a", w.pid));
	ASSERT_EQ(0, cg_remove("a/b"));
	EXPECT_EQ(0, wait_no_cgroup_is_dying());
}

/* Freeze and thaw. */

static int do_freeze(struct worker *w)
{
	(void)w;
	return cg_freeze("a");
}

static int do_thaw(struct worker *w)
{
	(void)w;
	return cg_thaw("a");
}

static int is_running(struct worker *w)
{
	return is_in_state("a", "RUNNING") ?: workers_move(w, 1);
}

static int is_frozen(struct worker *w)
{
	return worker_is_frozen("a", w);
}

static int freezes_again(struct worker *w)
{
	return is_running(w) ?: freezes("a") ?: is_frozen(w);
}

static int thaws_again(struct worker *w)
{
	return cg_wait("a", "FROZEN") ?: is_frozen(w) ?: thaws("a") ?: is_running(w);
}

TEST_F_TIMEOUT(freezer, freeze_fails_without_a_trace, TIMEOUT_S)
{
	const struct action action = {
		"freeze", do_freeze, is_running, thaws_again
	};
	const char *why_not = why_no_faults();
	struct worker w;

	if (why_not)
		SKIP(return, "%s", why_not);
	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, NR_THREADS));
	EXPECT_EQ(0, run_action(&action, &w));
}

TEST_F_TIMEOUT(freezer, thaw_fails_without_a_trace, TIMEOUT_S)
{
	const struct action action = {
		"thaw", do_thaw, is_frozen, freezes_again
	};
	const char *why_not = why_no_faults();
	struct worker w;

	if (why_not)
		SKIP(return, "%s", why_not);
	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, NR_THREADS));
	ASSERT_EQ(0, freezes("a"));
	EXPECT_EQ(0, run_action(&action, &w));
	EXPECT_EQ(0, thaws("a"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

/* Kill. */

#define NOTE_HITS	0

static struct slot *handler_slot;
static unsigned long hits_expected;

static void on_signal(int sig)
{
	(void)sig;
	__atomic_add_fetch(&handler_slot->note[NOTE_HITS], 1, __ATOMIC_SEQ_CST);
}

static void worker_handles(struct worker *w)
{
	handler_slot = w->slots;
	signal(SIGUSR1, on_signal);
	signal(SIGRTMIN, on_signal);
	worker_sleeps(w);
}

static int do_usr1(struct worker *w)
{
	(void)w;
	return cg_kill("a", SIGUSR1);
}

static int do_real_time(struct worker *w)
{
	(void)w;
	return cg_kill("a", SIGRTMIN);
}

/* Once it has run on, a signal too many would have come as well. */
static int no_hit(struct worker *w)
{
	int ret = workers_move(w, 1);

	return ret ?: slot_note(w->slots, NOTE_HITS) == hits_expected ? 0 : -EINVAL;
}

static int one_hit(struct worker *w)
{
	hits_expected++;
	return WAIT_UNTIL(slot_note(w->slots, NOTE_HITS) >= hits_expected) ?:
	       no_hit(w);
}

TEST_F_TIMEOUT(freezer, kill_sends_once_or_not_at_all, TIMEOUT_S)
{
	const struct action usr1 = {
		"SIGUSR1", do_usr1, no_hit, one_hit
	};
	const struct action real_time = {
		"SIGRTMIN", do_real_time, no_hit, one_hit
	};
	const char *why_not = why_no_faults();
	struct worker w;

	if (why_not)
		SKIP(return, "%s", why_not);
	ASSERT_EQ(0, worker_start_in("a", &w, worker_handles, 1));
	EXPECT_EQ(0, run_action(&usr1, &w));
	EXPECT_EQ(0, run_action(&real_time, &w));
}

static int do_kill(struct worker *w)
{
	(void)w;
	return cg_kill("a", SIGKILL);
}

static int is_alive_and_frozen(struct worker *w)
{
	return task_state(w->pid) == 'Z' ? -ESRCH : worker_is_frozen("a", w);
}

static int start_frozen(struct worker *w)
{
	return worker_start_in("a", w, worker_has_threads, NR_THREADS) ?:
	       freezes("a") ?: is_frozen(w);
}

static int dies_and_has_an_heir(struct worker *w)
{
	int ret;

	ret = worker_wait_killed(w, SIGKILL) ?: cg_wait_empty("a");
	ret = ret ?: is_in_state("a", "FROZEN") ?: thaws("a");
	return ret ?: start_frozen(w);
}

TEST_F_TIMEOUT(freezer, kill_of_frozen_tasks_ends_all_or_none, TIMEOUT_S)
{
	const struct action action = {
		"SIGKILL", do_kill, is_alive_and_frozen, dies_and_has_an_heir
	};
	const char *why_not = why_no_faults();
	struct worker w;

	if (why_not)
		SKIP(return, "%s", why_not);
	ASSERT_EQ(0, start_frozen(&w));
	EXPECT_EQ(0, run_action(&action, &w));
	EXPECT_EQ(0, thaws("a"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

/* Clone into a cgroup, which holds it from before the child is there. */

static int do_clone(struct worker *w)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
	};
	int fd;

	fd = cg_open("a", "", O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	args.cgroup = fd;
	w->pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!w->pid)
		worker_sleeps(w);
	w->pid = w->pid < 0 ? -errno : track_child(w->pid);
	close(fd);
	return w->pid < 0 ? w->pid : 0;
}

static int nobody_is_in_a(struct worker *w)
{
	(void)w;
	return has_no_task("a") ?: still_works("a");
}

static int clone_dies(struct worker *w)
{
	int ret;

	ret = workers_move(w, 1) ?: still_works("a") ?: do_kill(w);
	ret = ret ?: worker_wait_killed(w, SIGKILL) ?: cg_wait_empty("a");
	return ret ?: nobody_is_in_a(w);
}

TEST_F_TIMEOUT(freezer_v2, clone_into_a_cgroup_fails_without_a_trace, TIMEOUT_S)
{
	const struct action action = {
		"clone", do_clone, nobody_is_in_a, clone_dies
	};
	struct worker w = { .slots = slots_get(1), .nr = 1 };
	const char *why_not = why_no_faults();

	if (why_not)
		SKIP(return, "%s", why_not);
	EXPECT_EQ(0, run_action(&action, &w));
}

TEST_HARNESS_MAIN
