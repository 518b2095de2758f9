// SPDX-License-Identifier: GPL-2.0-only
/*
 * Periodic timers of a task that is frozen for some of its time: they count as
 * if it had only been slow.
 */
#define _GNU_SOURCE

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "freezer_fixture.h"

#define PERIOD_MS	10

/* The task counts so long, and of that it is frozen so long. */
#define WHOLE_MS	1500
#define FROZEN_MS	700

/* In periods: what a busy machine may take between a timer and a clock. */
#define SLACK		20

/* What a worker leaves: how many periods, in what time, and that it is done. */
enum {
	NOTE_PERIODS,
	NOTE_TIME,
	NOTE_DONE,
};

static const struct timespec period = { 0, PERIOD_MS * 1000000 };

/* @count waits for the timer, and returns for how many periods. */
static void count_periods(struct worker *w, long (*count)(int arg), int arg)
{
	long long start = now_ms();
	long sum = 0;

	slot_tick(w->slots);
	while (now_ms() - start < WHOLE_MS) {
		sum += count(arg);
		slot_tick(w->slots);
	}
	slot_set_note(w->slots, NOTE_PERIODS, sum);
	slot_set_note(w->slots, NOTE_TIME, now_ms() - start);
	slot_set_note(w->slots, NOTE_DONE, 1);
}

static long timerfd_periods(int fd)
{
	unsigned long long periods;

	return read(fd, &periods, sizeof(periods)) < 0 ? 0 : periods;
}

static void worker_reads_timerfd(struct worker *w)
{
	struct itimerspec spec = { period, period };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	timerfd_settime(fd, 0, &spec, NULL);
	count_periods(w, timerfd_periods, fd);
}

static long signal_periods(int sig)
{
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return sigwaitinfo(&set, &info) < 0 ? 0 : 1 + info.si_overrun;
}

static void worker_waits_for_posix_timer(struct worker *w)
{
	struct itimerspec spec = { period, period };
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR1,
	};
	sigset_t set;
	timer_t timer;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &spec, NULL);
	count_periods(w, signal_periods, SIGUSR1);
}

static int alarms;

static void on_alarm(int sig)
{
	(void)sig;
	__atomic_add_fetch(&alarms, 1, __ATOMIC_RELAXED);
}

/* How many handlers have run; an alarm between two calls is in the next. */
static long alarm_periods(int arg)
{
	static int seen;
	int before = seen;

	(void)arg;
	pause();
	seen = __atomic_load_n(&alarms, __ATOMIC_RELAXED);
	return seen - before;
}

static void worker_takes_alarms(struct worker *w)
{
	struct itimerval val = {
		{ 0, PERIOD_MS * 1000 }, { 0, PERIOD_MS * 1000 }
	};

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &val, NULL);
	count_periods(w, alarm_periods, 0);
}

/* Freeze the worker in the midst of its counting, and let it come to its end. */
static int freeze_counting(struct worker *w, void (*fn)(struct worker *w))
{
	long long frozen;
	int ret;

	ret = worker_start_in("a", w, fn, 1);
	ret = ret ?: workers_move(w, 1);
	ret = ret ?: cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	frozen = now_ms();
	ret = ret ?: workers_stand_still(w, 1);
	ret = ret ?: WAIT_UNTIL(now_ms() - frozen >= FROZEN_MS);
	ret = ret ?: workers_stand_still(w, 1);
	ret = ret ?: cg_thaw("a");
	return ret ?: WAIT_UNTIL(slot_note(w->slots, NOTE_DONE));
}

/* Periods that went by without being counted. */
static long missed_periods(struct worker *w)
{
	return (long)slot_note(w->slots, NOTE_TIME) / PERIOD_MS -
	       (long)slot_note(w->slots, NOTE_PERIODS);
}

TEST_F(freezer, timerfd_counts_the_periods_of_the_freeze)
{
	struct worker w;

	ASSERT_EQ(0, freeze_counting(&w, worker_reads_timerfd));
	EXPECT_LE(-SLACK, missed_periods(&w));
	EXPECT_GE(SLACK, missed_periods(&w));
}

TEST_F(freezer, posix_timer_overruns_by_the_periods_of_the_freeze)
{
	struct worker w;

	ASSERT_EQ(0, freeze_counting(&w, worker_waits_for_posix_timer));
	EXPECT_LE(-SLACK, missed_periods(&w));
	EXPECT_GE(SLACK, missed_periods(&w));
}

/* Alarms do not queue up: those of the freeze are one. */
TEST_F(freezer, alarms_of_the_freeze_are_one)
{
	struct worker w;

	ASSERT_EQ(0, freeze_counting(&w, worker_takes_alarms));
	EXPECT_LE(FROZEN_MS / PERIOD_MS - SLACK, missed_periods(&w));
	/* And after it they go on. */
	EXPECT_LE(SLACK, (long)slot_note(w.slots, NOTE_PERIODS));
}

TEST_HARNESS_MAIN
