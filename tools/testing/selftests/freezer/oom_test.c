// SPDX-License-Identifier: GPL-2.0-only
/*
 * The OOM killer, and victims that are frozen: they die and give their memory
 * back while the cgroup stays FROZEN.
 *
 * This fills the memory of the whole machine, which must have no swap.
 *
 * The kernel reports a kill with a stack.  For whoever looks for reports in its
 * log, there is a line before and a line after; in between is one kill.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#include "freezer_fixture.h"

#define MIB		(1024 * 1024UL)
#define NR_THREADS	4

/* The machine has to be small enough to be filled in time. */
#define MAX_MACHINE	(4096 * MIB)

/* What victims touch, as a part of what is free. */
#define VICTIM_PERCENT	40

/* What is told to whoever decides whom to kill. */
#define KILL_ME_FIRST	1000
#define NEVER_KILL_ME	(-1000)

enum {
	NOTE_DONE,
	NOTE_SHARER,
};

/* Set before those are forked who use them. */
static unsigned long victim_size;
static pid_t victim_pid;

static int set_oom_score_adj(int adj)
{
	return write_number("/proc/self/oom_score_adj", adj);
}

static const char *why_not(void)
{
	struct sysinfo info;

	if (sysinfo(&info))
		return "no sysinfo()";
	if (info.totalswap)
		return "there is swap";
	if ((unsigned long)info.totalram * info.mem_unit > MAX_MACHINE)
		return "the machine is too big";
	victim_size = (unsigned long)info.freeram * info.mem_unit / 100 *
		      VICTIM_PERCENT;
	return NULL;
}

static int touch(unsigned long size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE, -1, 0);

	return map == MAP_FAILED ? -errno : 0;
}

/* Victims. */

static void become_victim(void)
{
	if (set_oom_score_adj(KILL_ME_FIRST) || touch(victim_size))
		_exit(1);
}

static void victim_sleeps(struct worker *w)
{
	become_victim();
	worker_has_threads(w);
}

/* Frozen on the way to user mode, and not where they sleep. */
static void *thread_spins(void *arg)
{
	worker_spins(arg);
	return NULL;
}

static void victim_spins(struct worker *w)
{
	struct worker threads[NR_THREADS];
	pthread_t thread;
	unsigned int i;

	become_victim();
	for (i = 1; i < w->nr; i++) {
		threads[i] = worker_thread(w, i);
		if (pthread_create(&thread, NULL, thread_spins, threads + i))
			_exit(1);
	}
	worker_spins(w);
}

/* Two processes with one memory, each of them in its cgroup. */
static int sharer_main(void *arg)
{
	struct worker *w = arg;

	if (cg_attach("b", 0))
		_exit(1);
	slot_set_note(w->slots, NOTE_SHARER, syscall(SYS_getpid));
	for (;;)
		pause();
	return 0;
}

static void victim_shares_its_memory(struct worker *w)
{
	static char stack[64 * 1024];

	become_victim();
	if (clone(sharer_main, stack + sizeof(stack), CLONE_VM | SIGCHLD, w) < 0)
		_exit(1);
	while (!slot_note(w->slots, NOTE_SHARER))
		pause_ms(1);
	worker_sleeps(w);
}

/* The process outside, that needs memory until the victim is gone. */

static bool is_dead(pid_t pid)
{
	char state = task_state(pid);

	return !state || state == 'Z' || state == 'X';
}

static void worker_eats(struct worker *w)
{
	if (set_oom_score_adj(0))
		_exit(1);
	while (!is_dead(victim_pid)) {
		slot_tick(w->slots);
		if (touch(MIB))
			_exit(1);
	}
	slot_set_note(w->slots, NOTE_DONE, 1);
	worker_sleeps(w);
}

/* The time that it takes to fill the memory shows nowhere, but it moves. */
static int wait_until_done(struct worker *eater)
{
	int ret = 0;

	while (!ret && !slot_note(eater->slots, NOTE_DONE))
		ret = workers_move(eater, 1);
	return ret;
}

static int start_frozen_victim(struct worker *w, void (*fn)(struct worker *w),
			       unsigned int nr)
{
	int ret;

	ret = set_oom_score_adj(NEVER_KILL_ME);
	ret = ret ?: worker_start_in("a", w, fn, nr);
	victim_pid = w->pid;
	ret = ret ?: cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	return ret ?: workers_stand_still(w, 1);
}

/* Returns when the OOM killer has done its work, and the eater goes on. */
static int eat_until_killed(void)
{
	struct worker eater;
	int ret;

	ret = write_text("/dev/kmsg", "freezer_selftest: failures are expected\n");
	if (ret)
		return ret;

	ret = worker_start(&eater, worker_eats, 1) ?: wait_until_done(&eater);
	ret = ret ?: workers_move(&eater, 1);
	return write_text("/dev/kmsg", "freezer_selftest: no more failures are expected\n") ?:
	       ret;
}

static int frozen_victim_dies(void (*fn)(struct worker *w))
{
	unsigned long count;
	struct worker w;
	int ret;

	ret = start_frozen_victim(&w, fn, NR_THREADS);
	if (ret)
		return ret;

	count = slot_count(w.slots);
	ret = eat_until_killed() ?: worker_wait_killed(&w, SIGKILL);
	ret = ret ?: cg_wait_empty("a");
	ret = ret ?: cg_reads("a", "FROZEN") ? 0 : -EBUSY;
	return ret ?: count == slot_count(w.slots) ? 0 : -EINVAL;
}

TEST_F_TIMEOUT(freezer, oom_victim_dies_frozen_where_it_sleeps, 180)
{
	if (why_not())
		SKIP(return, "%s", why_not());
	EXPECT_EQ(0, frozen_victim_dies(victim_sleeps));
}

TEST_F_TIMEOUT(freezer, oom_victim_dies_frozen_on_the_way_to_user_mode, 180)
{
	if (why_not())
		SKIP(return, "%s", why_not());
	EXPECT_EQ(0, frozen_victim_dies(victim_spins));
}

TEST_F_TIMEOUT(freezer, oom_victims_that_share_their_memory_die_in_two_frozen_cgroups, 180)
{
	struct worker w, sharer;

	if (why_not())
		SKIP(return, "%s", why_not());
	ASSERT_EQ(0, cg_make("b"));
	ASSERT_EQ(0, start_frozen_victim(&w, victim_shares_its_memory, 1));
	sharer.pid = slot_note(w.slots, NOTE_SHARER);
	ASSERT_EQ(0, cg_freeze("b"));
	ASSERT_EQ(0, cg_wait("b", "FROZEN"));

	EXPECT_EQ(0, eat_until_killed());
	EXPECT_EQ(0, worker_wait_killed(&w, SIGKILL));
	EXPECT_EQ(0, worker_wait_killed(&sharer, SIGKILL));
	EXPECT_EQ(0, cg_wait_empty("a"));
	EXPECT_EQ(0, cg_wait_empty("b"));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_TRUE(cg_reads("b", "FROZEN"));
}

TEST_HARNESS_MAIN
