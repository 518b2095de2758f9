// SPDX-License-Identifier: GPL-2.0-only
/*
 * System suspend freezes and thaws every task, and must neither thaw what a
 * cgroup wants frozen nor keep what no cgroup does.
 *
 * The suspends are those of /sys/power/pm_test: all user space is frozen, but
 * for the test itself, and goes on after a delay.
 *
 * Needs: CONFIG_PM_SLEEP_DEBUG
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "freezer_fixture.h"

#define PM_STATE	"/sys/power/state"
#define PM_TEST		"/sys/power/pm_test"
#define PM_TEST_DELAY	"/sys/module/suspend/parameters/pm_test_delay"
#define PM_TIMEOUT	"/sys/power/pm_freeze_timeout"
#define PRINTK		"/proc/sys/kernel/printk"

/* How long a suspend tries that is meant to fail. */
#define SHORT_TIMEOUT_MS	500

/* For races between suspends and something else. */
#define NR_SUSPENDS		20

/* Suspends. */

static bool can_suspend(void)
{
	return !access(PM_TEST, W_OK);
}

/* Returns after the resume. */
static int suspend_for(unsigned int seconds)
{
	int ret;

	ret = write_number(PM_TEST_DELAY, seconds);
	ret = ret ?: write_text(PM_TEST, "freezer");
	ret = ret ?: write_text(PM_STATE, "freeze");
	/* Whatever comes after us must not take a suspend for a test. */
	return write_text(PM_TEST, "none") ?: ret;
}

static int suspend(void)
{
	return suspend_for(0);
}

/*
 * With a task that is stuck.  The kernel then shows its stack, at the level of
 * information, that the console must not take for a report.
 */
static int suspend_fails(void)
{
	long long level, timeout;
	int ret;

	ret = read_number(PRINTK, &level) ?: read_number(PM_TIMEOUT, &timeout);
	if (ret)
		return ret;

	ret = write_number(PRINTK, 6);
	ret = ret ?: write_number(PM_TIMEOUT, SHORT_TIMEOUT_MS);
	ret = ret ?: suspend();
	ret = ret == -EBUSY ? 0 : ret ?: -EINVAL;
	return write_number(PM_TIMEOUT, timeout) ?:
	       write_number(PRINTK, level) ?: ret;
}

/* A crew: one worker of each kind, the last of them stopped. */

static void (* const kinds[])(struct worker *w) = {
	worker_has_threads,
	worker_sleeps,
	worker_polls,
	worker_spins,
	worker_forks,
	worker_vforks,
	worker_sleeps,
};

#define CREW		ARRAY_SIZE(kinds)
#define STOPPED		(CREW - 1)
#define NR_THREADS	16

static int crew_start(const char *cg, struct worker *crew)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < CREW && !ret; i++)
		ret = worker_start_in(cg, crew + i, kinds[i],
				      i ? 1 : NR_THREADS);
	if (ret)
		return ret;
	if (kill(crew[STOPPED].pid, SIGSTOP))
		return -errno;
	return WAIT_UNTIL(task_state(crew[STOPPED].pid) == 'T');
}

static int crew_runs(const char *cg, struct worker *crew)
{
	int ret;

	ret = cg_reads(cg, "RUNNING") ? 0 : -EBUSY;
	ret = ret ?: workers_move(crew, STOPPED);
	ret = ret ?: WAIT_UNTIL(task_state(crew[STOPPED].pid) == 'T');
	return ret ?: workers_stand_still(crew + STOPPED, 1);
}

static int crew_is_frozen(const char *cg, struct worker *crew)
{
	int ret;

	ret = cg_reads(cg, "FROZEN") ? 0 : -EBUSY;
	ret = ret ?: workers_stand_still(crew, CREW);
	return ret ?: cg_reads(cg, "FROZEN") ? 0 : -EBUSY;
}

static int crew_freezes(const char *cg, struct worker *crew)
{
	int ret;

	ret = cg_freeze(cg);
	ret = ret ?: cg_wait(cg, "FROZEN");
	return ret ?: crew_is_frozen(cg, crew);
}

static int crew_thaws(const char *cg, struct worker *crew)
{
	return cg_thaw(cg) ?: crew_runs(cg, crew);
}

/* And none has lost what it was waiting for. */
static int crew_freezes_and_thaws(const char *cg, struct worker *crew)
{
	int ret;

	ret = crew_freezes(cg, crew) ?: crew_thaws(cg, crew);
	if (!ret && kill(crew[STOPPED].pid, SIGCONT))
		ret = -errno;
	return ret ?: workers_move(crew, CREW);
}

/* Orders of freeze, suspend and thaw. */

TEST_F(freezer, running_cgroup_runs_after_resume_and_freezes)
{
	struct worker crew[CREW];

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, crew_start("a", crew));
	ASSERT_EQ(0, suspend());
	ASSERT_EQ(0, crew_runs("a", crew));
	EXPECT_EQ(0, crew_freezes_and_thaws("a", crew));
}

TEST_F(freezer, frozen_cgroup_stays_frozen_after_resume_and_thaws)
{
	struct worker crew[CREW];

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, crew_start("a", crew));
	ASSERT_EQ(0, crew_freezes("a", crew));
	ASSERT_EQ(0, suspend());
	ASSERT_EQ(0, crew_is_frozen("a", crew));
	ASSERT_EQ(0, crew_thaws("a", crew));
	EXPECT_EQ(0, crew_freezes_and_thaws("a", crew));
}

TEST_F(freezer, frozen_cgroup_stays_frozen_through_many_suspends)
{
	struct worker crew[CREW];
	int i;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, crew_start("a", crew));
	ASSERT_EQ(0, crew_freezes("a", crew));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, suspend());
		ASSERT_EQ(0, crew_is_frozen("a", crew));
	}
	ASSERT_EQ(0, crew_thaws("a", crew));
	EXPECT_EQ(0, crew_freezes_and_thaws("a", crew));
}

TEST_F(freezer, suspends_between_all_freezes_and_thaws_change_nothing)
{
	struct worker crew[CREW];
	int i;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, crew_start("a", crew));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, suspend());
		ASSERT_EQ(0, crew_freezes("a", crew));
		ASSERT_EQ(0, suspend());
		ASSERT_EQ(0, crew_is_frozen("a", crew));
		ASSERT_EQ(0, crew_thaws("a", crew));
	}
	EXPECT_EQ(0, crew_freezes_and_thaws("a", crew));
}

/* Does not wait for FROZEN, or for anybody to move. */
TEST_F(freezer, suspend_right_after_a_freeze_or_a_thaw_changes_nothing)
{
	struct worker crew[CREW];
	int i;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, crew_start("a", crew));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, suspend());
		ASSERT_EQ(0, cg_wait("a", "FROZEN"));
		ASSERT_EQ(0, crew_is_frozen("a", crew));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_EQ(0, suspend());
		ASSERT_EQ(0, crew_runs("a", crew));
	}
	EXPECT_EQ(0, crew_freezes_and_thaws("a", crew));
}

/* Both requested, and frozen before the suspend. */
static int start_frozen_family(struct worker *parent, struct worker *child)
{
	int ret;

	ret = cg_make("a/b");
	ret = ret ?: crew_start("a", parent) ?: crew_start("a/b", child);
	ret = ret ?: crew_freezes("a/b", child) ?: crew_freezes("a", parent);
	return ret ?: suspend();
}

TEST_F_TIMEOUT(freezer, child_thawed_after_resume_waits_for_its_parent, 60)
{
	struct worker parent[CREW], child[CREW];

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, start_frozen_family(parent, child));
	ASSERT_EQ(0, cg_thaw("a/b"));
	EXPECT_EQ(0, crew_is_frozen("a/b", child));
	EXPECT_EQ(0, crew_is_frozen("a", parent));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, crew_runs("a", parent));
	EXPECT_EQ(0, crew_runs("a/b", child));
}

TEST_F_TIMEOUT(freezer, parent_thawed_after_resume_leaves_its_child_frozen, 60)
{
	struct worker parent[CREW], child[CREW];

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, start_frozen_family(parent, child));
	ASSERT_EQ(0, crew_thaws("a", parent));
	EXPECT_EQ(0, crew_is_frozen("a/b", child));
	ASSERT_EQ(0, suspend());
	EXPECT_EQ(0, crew_runs("a", parent));
	EXPECT_EQ(0, crew_is_frozen("a/b", child));
	EXPECT_EQ(0, crew_thaws("a/b", child));
}

static bool was_notified(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLPRI);
}

/* Polling finds a change from when the file was read last. */
static bool reads(int fd, const char *state)
{
	char buf[64] = "";

	return pread(fd, buf, sizeof(buf) - 1, 0) > 0 &&
	       !strncmp(buf, state, strlen(state));
}

TEST_F(freezer, state_does_not_leave_frozen_during_a_suspend)
{
	struct worker crew[CREW];
	int fd;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, crew_start("a", crew));
	fd = cg_open("a", "freezer.freeze", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, crew_freezes("a", crew));
	/* What was put off, to be reported as one, has been by then. */
	ASSERT_EQ(0, WAIT_UNTIL(reads(fd, "FROZEN") &&
				!workers_stand_still(crew, CREW) &&
				!was_notified(fd)));
	ASSERT_EQ(0, suspend());
	pause_ms(STILL_MS);
	EXPECT_FALSE(was_notified(fd));
	EXPECT_TRUE(reads(fd, "FROZEN"));

	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, WAIT_UNTIL(was_notified(fd)));
	close(fd);
}

/*
 * A task that no suspend can freeze: it waits in exec for the end of its other
 * thread, which is stopped on its way out by a tracer, who is the test.
 */
enum {
	NOTE_TID,
	NOTE_GO,
};

static void *thread_notes_itself(void *arg)
{
	slot_set_note(arg, NOTE_TID, syscall(SYS_gettid));
	return thread_pauses(NULL);
}

static void worker_execs(struct worker *w)
{
	start_thread(thread_notes_itself, w->slots);
	while (!slot_note(w->slots, NOTE_GO)) {
		slot_tick(w->slots);
		pause_ms(1);
	}
	_exit(slot_exec(w->slots, "sleep") ? 1 : 0);
}

static bool stops_in_exit(pid_t tid)
{
	int status;

	return waitpid(tid, &status, WNOHANG | __WALL) == tid &&
	       status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8);
}

static int start_unfreezable(const char *cg, struct worker *w)
{
	pid_t tid;
	int ret;

	ret = worker_start_in(cg, w, worker_execs, 1);
	ret = ret ?: WAIT_UNTIL(slot_note(w->slots, NOTE_TID));
	if (ret)
		return ret;

	tid = slot_note(w->slots, NOTE_TID);
	if (ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACEEXIT))
		return -errno;
	slot_set_note(w->slots, NOTE_GO, 1);
	ret = WAIT_UNTIL(stops_in_exit(tid));
	return ret ?: WAIT_UNTIL(task_state(w->pid) == 'D');
}

static int release_unfreezable(struct worker *w)
{
	pid_t tid = slot_note(w->slots, NOTE_TID);

	return ptrace(PTRACE_DETACH, tid, 0, 0) ? -errno : 0;
}

/* What slot_exec() was called with. */
static int exec_main(char **argv)
{
	struct worker w = { .slots = slot_of_exec(argv), .nr = 1 };

	worker_sleeps(&w);
	return 0;
}

/* Suspends that fail. */

TEST_F_TIMEOUT(freezer, running_cgroup_runs_after_a_suspend_that_failed, 60)
{
	struct worker crew[CREW], stuck;
	int i;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, crew_start("a", crew));
	ASSERT_EQ(0, start_unfreezable("a", &stuck));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, suspend_fails());
		ASSERT_EQ(0, crew_runs("a", crew));
	}
	ASSERT_EQ(0, release_unfreezable(&stuck));
	EXPECT_EQ(0, workers_move(&stuck, 1));
	ASSERT_EQ(0, suspend());
	EXPECT_EQ(0, workers_move(&stuck, 1));
	EXPECT_EQ(0, crew_freezes_and_thaws("a", crew));
}

TEST_F_TIMEOUT(freezer, frozen_cgroup_stays_frozen_after_a_suspend_that_failed, 60)
{
	struct worker crew[CREW], stuck;
	int i;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, start_unfreezable("b", &stuck));
	ASSERT_EQ(0, crew_start("a", crew));
	ASSERT_EQ(0, crew_freezes("a", crew));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, suspend_fails());
		ASSERT_EQ(0, crew_is_frozen("a", crew));
	}
	ASSERT_EQ(0, release_unfreezable(&stuck));
	ASSERT_EQ(0, workers_move(&stuck, 1));
	ASSERT_EQ(0, suspend());
	ASSERT_EQ(0, crew_is_frozen("a", crew));
	ASSERT_EQ(0, crew_thaws("a", crew));
	EXPECT_EQ(0, crew_freezes_and_thaws("a", crew));
}

TEST_F_TIMEOUT(freezer, freezing_cgroup_stays_freezing_after_a_suspend_that_failed, 60)
{
	struct worker crew[CREW], stuck;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, crew_start("a", crew));
	ASSERT_EQ(0, start_unfreezable("a", &stuck));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(0, WAIT_UNTIL(!workers_stand_still(crew, CREW)));
	EXPECT_TRUE(cg_reads("a", "FREEZING"));

	ASSERT_EQ(0, suspend_fails());
	EXPECT_TRUE(cg_reads("a", "FREEZING"));
	EXPECT_EQ(0, workers_stand_still(crew, CREW));
	EXPECT_TRUE(cg_reads("a", "FREEZING"));

	ASSERT_EQ(0, release_unfreezable(&stuck));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&stuck, 1));
	ASSERT_EQ(0, suspend());
	EXPECT_EQ(0, crew_is_frozen("a", crew));
	EXPECT_EQ(0, workers_stand_still(&stuck, 1));
	ASSERT_EQ(0, crew_thaws("a", crew));
	EXPECT_EQ(0, workers_move(&stuck, 1));
	EXPECT_EQ(0, crew_freezes_and_thaws("a", crew));
}

TEST_F_TIMEOUT(freezer, freezing_cgroup_can_be_thawed_after_a_suspend_that_failed, 60)
{
	struct worker crew[CREW], stuck;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, crew_start("a", crew));
	ASSERT_EQ(0, start_unfreezable("a", &stuck));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, suspend_fails());
	ASSERT_TRUE(cg_reads("a", "FREEZING"));
	ASSERT_EQ(0, crew_thaws("a", crew));
	ASSERT_EQ(0, suspend_fails());
	ASSERT_EQ(0, crew_runs("a", crew));
	ASSERT_EQ(0, release_unfreezable(&stuck));
	EXPECT_EQ(0, workers_move(&stuck, 1));
	EXPECT_EQ(0, crew_freezes_and_thaws("a", crew));
}

/* Suspend has frozen it out of turn, and others may wait for it. */

static bool vhost_is_pending(void)
{
	char buf[4096];

	return !cg_read_all("a", "freezer.pending", buf, sizeof(buf), 512) &&
	       strstr(buf, "vhost-");
}

TEST_F(freezer, worker_is_pending_again_after_a_suspend_that_failed)
{
	struct worker w, stuck;

	if (!can_suspend() || access("/dev/vhost-net", R_OK | W_OK))
		SKIP(return, "no " PM_TEST ", or no /dev/vhost-net");
	ASSERT_EQ(0, worker_start_in("a", &w, worker_owns_vhost, 1));
	ASSERT_EQ(0, start_unfreezable("a", &stuck));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(0, WAIT_UNTIL(vhost_is_pending()));
	ASSERT_EQ(0, suspend_fails());
	EXPECT_EQ(0, WAIT_UNTIL(vhost_is_pending()));
	ASSERT_EQ(0, release_unfreezable(&stuck));
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
}

/* It cannot freeze before the resume, and must do so then. */

static void worker_suspends(struct worker *w)
{
	for (;;) {
		slot_tick(w->slots);
		if (suspend())
			_exit(1);
	}
}

TEST_F_TIMEOUT(freezer, task_that_suspends_the_system_freezes_as_well, 120)
{
	struct worker w;
	int i;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, worker_start_in("a", &w, worker_suspends, 1));
	for (i = 0; i < NR_SUSPENDS; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, cg_wait("a", "FROZEN"));
		ASSERT_EQ(0, workers_stand_still(&w, 1));
		ASSERT_EQ(0, cg_thaw("a"));
		ASSERT_EQ(0, workers_move(&w, 1));
	}
}

/* Something that goes on outside the cgroup, while suspends come and go. */

static int suspend_often(struct worker *outside)
{
	int i, ret = 0;

	for (i = 0; i < NR_SUSPENDS && !ret; i++)
		ret = suspend() ?: workers_move(outside, 1);
	return ret;
}

static int end_of(struct worker *w)
{
	if (kill(w->pid, SIGKILL))
		return -errno;
	return worker_wait_killed(w, SIGKILL);
}

static void worker_toggles(struct worker *w)
{
	unsigned int seed = getpid();

	for (;;) {
		slot_tick(w->slots);
		if (rand_r(&seed) % 2 ? cg_freeze("a") : cg_thaw("a"))
			_exit(1);
		if (rand_r(&seed) % 2)
			pause_ms(1);
	}
}

TEST_F_TIMEOUT(freezer, freezes_and_thaws_during_suspends_leave_nobody_behind, 120)
{
	struct worker crew[CREW], outside;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, crew_start("a", crew));
	ASSERT_EQ(0, worker_start(&outside, worker_toggles, 1));
	ASSERT_EQ(0, suspend_often(&outside));
	ASSERT_EQ(0, end_of(&outside));
	ASSERT_EQ(0, WAIT_UNTIL(!cg_reads("a", "FREEZING")));
	ASSERT_EQ(0, cg_reads("a", "FROZEN") ? crew_is_frozen("a", crew) :
					       crew_runs("a", crew));
	ASSERT_EQ(0, crew_thaws("a", crew));
	EXPECT_EQ(0, crew_freezes_and_thaws("a", crew));
}

static void child_lives_in_the_cgroup(struct worker *w)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (cg_attach("a", 0))
		_exit(1);
	slot_set_note(w->slots, NOTE_GO, 1);
	for (;;)
		pause_ms(1);
}

/* One life of a child, that dies frozen. */
static int freeze_and_kill(struct worker *w)
{
	struct worker child;
	int ret;

	slot_set_note(w->slots, NOTE_GO, 0);
	child.pid = fork();
	if (!child.pid)
		child_lives_in_the_cgroup(w);
	ret = WAIT_UNTIL(slot_note(w->slots, NOTE_GO));
	ret = ret ?: cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	if (!ret && kill(child.pid, SIGKILL))
		ret = -errno;
	ret = ret ?: worker_wait_killed(&child, SIGKILL);
	ret = ret ?: cg_reads("a", "FROZEN") ? 0 : -EBUSY;
	return ret ?: cg_thaw("a");
}

static void worker_freezes_and_kills(struct worker *w)
{
	do
		slot_tick(w->slots);
	while (!freeze_and_kill(w));
}

TEST_F_TIMEOUT(freezer, frozen_tasks_killed_during_suspends_die, 120)
{
	struct worker outside;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, worker_start(&outside, worker_freezes_and_kills, 1));
	ASSERT_EQ(0, suspend_often(&outside));
	ASSERT_EQ(0, end_of(&outside));
	/* Its last child dies with it, frozen or not. */
	EXPECT_EQ(0, cg_wait_empty("a"));
}

/* Signals of the kernel's own while all of user space is frozen. */

/* After all are frozen, which takes longer on a kernel with KASAN. */
#define ALARM_MS	8000

/* What has to be left of it when the suspend begins, which takes a moment. */
#define ALARM_MARGIN_MS	500

enum {
	NOTE_ALARM = NOTE_GO + 1,
	NOTE_CHILD,
	NOTE_HANDLED,
};

static void set_alarm(struct worker *w)
{
	const struct itimerval timer = {
		.it_value = { .tv_sec = ALARM_MS / 1000 },
	};

	slot_set_note(w->slots, NOTE_ALARM, now_ms() + ALARM_MS);
	if (setitimer(ITIMER_REAL, &timer, NULL))
		_exit(1);
}

static void worker_sleeps_until_alarm(struct worker *w)
{
	set_alarm(w);
	worker_sleeps(w);
}

static void worker_spins_until_alarm(struct worker *w)
{
	set_alarm(w);
	worker_spins(w);
}

static void worker_has_threads_until_alarm(struct worker *w)
{
	set_alarm(w);
	worker_has_threads(w);
}

/* All of "a" is frozen when the alarms come, by the cgroup and by suspend. */
static int suspend_over_alarms(struct worker *w, unsigned int nr)
{
	long long first = 0, last = 0, alarm, now = now_ms();
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		alarm = slot_note(w[i].slots, NOTE_ALARM);
		first = i && first < alarm ? first : alarm;
		last = last > alarm ? last : alarm;
	}
	if (now + ALARM_MARGIN_MS > first) {
		fprintf(stderr, "# the alarm is before the suspend\n");
		return -ETIME;
	}
	ret = suspend_for((last - now) / 1000 + 2);
	if (!ret && now_ms() <= last) {
		fprintf(stderr, "# the suspend was over before the alarm\n");
		ret = -ETIME;
	}
	return ret;
}

static unsigned long sum_of_counts(struct worker *w, unsigned int nr)
{
	unsigned long sum = 0;
	unsigned int i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < w[i].nr; j++)
			sum += slot_count(w[i].slots + j);
	return sum;
}

TEST_F_TIMEOUT(freezer, frozen_tasks_die_on_resume_of_alarms_during_suspend, 60)
{
	unsigned long sum;
	struct worker w[3];

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, worker_start_in("a", w, worker_sleeps_until_alarm, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_spins_until_alarm, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 2, worker_has_threads_until_alarm,
				     NR_THREADS));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	sum = sum_of_counts(w, 3);
	ASSERT_EQ(0, suspend_over_alarms(w, 3));
	EXPECT_EQ(0, workers_wait_killed(w, 3, SIGALRM));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, cg_wait_empty("a"));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	/* In between nothing has run. */
	EXPECT_EQ(sum, sum_of_counts(w, 3));
}

static struct slot *handler_slot;

static void on_alarm(int sig)
{
	(void)sig;
	slot_set_note(handler_slot, NOTE_HANDLED, 1);
}

static void worker_handles_alarm(struct worker *w)
{
	handler_slot = w->slots;
	signal(SIGALRM, on_alarm);
	set_alarm(w);
	worker_sleeps(w);
}

TEST_F_TIMEOUT(freezer, alarm_that_is_handled_waits_for_the_thaw_and_not_for_resume, 60)
{
	struct worker w;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, worker_start_in("a", &w, worker_handles_alarm, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, suspend_over_alarms(&w, 1));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	EXPECT_EQ(0UL, slot_note(w.slots, NOTE_HANDLED));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, WAIT_UNTIL(slot_note(w.slots, NOTE_HANDLED)));
	EXPECT_EQ(0, workers_move(&w, 1));
}

static void worker_has_a_child_until_alarm(struct worker *w)
{
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		slot_set_note(w->slots, NOTE_CHILD, getpid());
		for (;;)
			pause();
	}
	worker_sleeps_until_alarm(w);
}

/* The test is the subreaper, to which the orphan goes. */
TEST_F_TIMEOUT(freezer, child_dies_on_resume_with_a_parent_that_died_of_an_alarm, 60)
{
	struct worker w, child;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_a_child_until_alarm, 1));
	ASSERT_EQ(0, WAIT_UNTIL(slot_note(w.slots, NOTE_CHILD)));
	child.pid = slot_note(w.slots, NOTE_CHILD);
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, suspend_over_alarms(&w, 1));
	EXPECT_EQ(0, worker_wait_killed(&w, SIGALRM));
	EXPECT_EQ(0, worker_wait_killed(&child, SIGTERM));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, cg_wait_empty("a"));
}

static void worker_is_continued_by_a_timer(struct worker *w)
{
	const struct itimerspec when = { .it_value.tv_sec = ALARM_MS / 1000 };
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGCONT,
	};
	timer_t timer;

	slot_set_note(w->slots, NOTE_ALARM, now_ms() + ALARM_MS);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) ||
	    timer_settime(timer, 0, &when, NULL))
		_exit(1);
	worker_stops(w);
}

TEST_F_TIMEOUT(freezer, stopped_process_that_suspend_continues_dies_on_resume, 60)
{
	struct worker w;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, worker_start_in("a", &w, worker_is_continued_by_a_timer, 1));
	ASSERT_EQ(0, WAIT_UNTIL(task_state(w.pid) == 'T'));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, kill(w.pid, SIGTERM));
	ASSERT_EQ(0, suspend_over_alarms(&w, 1));
	EXPECT_EQ(0, worker_wait_killed(&w, SIGTERM));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
}

/* Signals after resume, and right before suspend. */

TEST_F(freezer, freezer_kill_ends_frozen_tasks_after_resume)
{
	struct worker crew[CREW];

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, crew_start("a", crew));
	ASSERT_EQ(0, crew_freezes("a", crew));
	ASSERT_EQ(0, suspend());
	ASSERT_EQ(0, cg_kill("a", SIGKILL));
	EXPECT_EQ(0, workers_wait_killed(crew, CREW, SIGKILL));
	EXPECT_EQ(0, cg_wait_empty("a"));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
}

static int kill_all(struct worker *w, unsigned int nr, int sig)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (kill(w[i].pid, sig))
			return -errno;
	return 0;
}

/* What is stopped does not die of SIGTERM. */
TEST_F(freezer, sigterm_and_sigkill_end_frozen_tasks_after_resume)
{
	struct worker crew[CREW];

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	ASSERT_EQ(0, crew_start("a", crew));
	ASSERT_EQ(0, crew_freezes("a", crew));
	ASSERT_EQ(0, suspend());
	ASSERT_EQ(0, kill_all(crew, STOPPED, SIGTERM));
	EXPECT_EQ(0, workers_wait_killed(crew, STOPPED, SIGTERM));
	ASSERT_EQ(0, kill_all(crew + STOPPED, 1, SIGKILL));
	EXPECT_EQ(0, workers_wait_killed(crew + STOPPED, 1, SIGKILL));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	/* The children of those who fork live on. */
	ASSERT_EQ(0, cg_kill("a", SIGKILL));
	EXPECT_EQ(0, cg_wait_empty("a"));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
}

/* Some of them are still on their way out when the suspend begins. */
TEST_F_TIMEOUT(freezer, frozen_tasks_killed_right_before_a_suspend_die, 120)
{
	struct worker crew[CREW];
	int i;

	if (!can_suspend())
		SKIP(return, "no " PM_TEST);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, crew_start("a", crew));
		ASSERT_EQ(0, crew_freezes("a", crew));
		ASSERT_EQ(0, cg_kill("a", SIGKILL));
		ASSERT_EQ(0, suspend());
		ASSERT_EQ(0, workers_wait_killed(crew, CREW, SIGKILL));
		ASSERT_EQ(0, cg_wait_empty("a"));
		ASSERT_TRUE(cg_reads("a", "FROZEN"));
		ASSERT_EQ(0, cg_thaw("a"));
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[0], SLOT_EXEC))
		return exec_main(argv);
	return test_harness_run(argc, argv);
}
