// SPDX-License-Identifier: GPL-2.0-only
/*
 * A freeze always finishes: what kept the legacy freezer FREEZING, again and
 * again, with a bound on the time from the request to FROZEN.
 *
 * FREEZER_ROUNDS is the number of freezes, 30 if not set.  Each test says in a
 * line "# table" what it has seen.
 */
#define _GNU_SOURCE

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "freezer_fixture.h"

/* No freeze may take longer. */
#define BOUND_MS	1000

/* Every so many rounds the counters are looked at as well. */
#define LOOK_EVERY	10

/* What the processes do. */

static void start_pausing_threads(int nr)
{
	while (nr--)
		start_thread(thread_pauses, NULL);
}

/* exec waits until the other threads have died. */
static void exec_with_threads(struct slot *slot)
{
	slot_tick(slot);
	start_pausing_threads(3);
	_exit(slot_exec(slot, "exec_with_threads"));
}

static void worker_execs(struct worker *w)
{
	exec_with_threads(w->slots);
}

/* The same, but it is not the leader who calls exec. */
static void *thread_execs(void *arg)
{
	_exit(slot_exec(arg, "exec_in_a_thread"));
	return NULL;
}

static void exec_in_a_thread(struct slot *slot)
{
	slot_tick(slot);
	start_pausing_threads(2);
	start_thread(thread_execs, slot);
	thread_pauses(NULL);
}

static void worker_execs_in_a_thread(struct worker *w)
{
	exec_in_a_thread(w->slots);
}

static void *thread_ends(void *arg)
{
	slot_tick(arg);
	return NULL;
}

static void worker_clones_threads(struct worker *w)
{
	pthread_t threads[4];
	int i;

	for (;;) {
		for (i = 0; i < 4; i++)
			if (pthread_create(threads + i, NULL, thread_ends,
					   w->slots))
				_exit(1);
		for (i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
	}
}

/* The child of a vfork that execs: its parent sleeps where no signal comes. */
static void worker_vforks_and_execs(struct worker *w)
{
	pid_t pid;

	for (;;) {
		pid = vfork();
		if (!pid)
			_exit(slot_exec(w->slots, "tick"));
		waitpid(pid, NULL, 0);
	}
}

static void worker_spawns(struct worker *w)
{
	static char * const argv[] = { SLOT_EXEC, "nothing", NULL };
	pid_t pid;

	for (;;) {
		if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, NULL))
			_exit(1);
		waitpid(pid, NULL, 0);
		slot_tick(w->slots);
	}
}

/* The dumper waits for the other threads. */
static void worker_dumps_core(struct worker *w)
{
	pid_t pid;

	for (;;) {
		pid = fork();
		if (!pid) {
			start_pausing_threads(3);
			abort();
		}
		waitpid(pid, NULL, 0);
		slot_tick(w->slots);
	}
}

static void worker_kills_groups(struct worker *w)
{
	pid_t pid;

	for (;;) {
		pid = fork();
		if (!pid) {
			start_pausing_threads(3);
			syscall(SYS_exit_group, 0);
		}
		waitpid(pid, NULL, 0);
		slot_tick(w->slots);
	}
}

static void worker_stops_and_continues(struct worker *w)
{
	pid_t pid = fork();

	if (!pid) {
		start_pausing_threads(3);
		worker_sleeps(w);
	}
	for (;;) {
		kill(pid, SIGSTOP);
		sched_yield();
		kill(pid, SIGCONT);
		pause_ms(1);
	}
}

/* One freeze and thaw, with the time from the one to FROZEN. */
static int timed_cycle(struct worker *w, unsigned int nr, bool look,
		       long long *ms)
{
	long long start = now_ms();
	int ret;

	ret = cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	*ms = now_ms() - start;
	if (look)
		ret = ret ?: workers_stand_still(w, nr);
	ret = ret ?: cg_reads("a", "FROZEN") ? 0 : -EAGAIN;
	ret = ret ?: cg_thaw("a");
	if (look)
		ret = ret ?: workers_move(w, nr);
	return ret;
}

/* The number of freezes that failed or took too long; a line of the table. */
static int freeze_often(const char *what, struct worker *w, unsigned int nr)
{
	unsigned int i, rounds = env_number("FREEZER_ROUNDS", 30);
	long long ms, worst = 0;
	int late = 0;
	int ret = 0;

	for (i = 0; i < rounds && !ret; i++) {
		/* From another moment of their lives each time. */
		usleep(i * 37 % 5000);
		ret = timed_cycle(w, nr, i % LOOK_EVERY == 0, &ms);
		worst = ms > worst ? ms : worst;
		late += ret || ms > BOUND_MS;
	}
	fprintf(stderr, "# table %s|%u|%d|%lld ms\n", what, i, late, worst);
	return ret ?: late;
}

static int freeze_many(const char *what, void (*fn)(struct worker *w))
{
	struct worker w[3];
	int i, ret = 0;

	for (i = 0; i < 3 && !ret; i++)
		ret = worker_start_in("a", w + i, fn, 1);
	return ret ?: freeze_often(what, w, 3);
}

TEST_F_TIMEOUT(freezer, exec_with_threads_freezes, 7200)
{
	EXPECT_EQ(0, freeze_many("exec with three other threads",
				 worker_execs));
}

TEST_F_TIMEOUT(freezer, exec_in_a_thread_freezes, 7200)
{
	EXPECT_EQ(0, freeze_many("exec by a thread that is not the leader",
				 worker_execs_in_a_thread));
}

TEST_F_TIMEOUT(freezer, clone_and_exit_of_threads_freezes, 7200)
{
	EXPECT_EQ(0, freeze_many("clone and exit of threads",
				 worker_clones_threads));
}

TEST_F_TIMEOUT(freezer, fork_and_exit_freezes, 7200)
{
	EXPECT_EQ(0, freeze_many("fork and exit of processes", worker_forks));
}

TEST_F_TIMEOUT(freezer, vfork_and_exit_freezes, 7200)
{
	EXPECT_EQ(0, freeze_many("vfork, sleep and exit", worker_vforks));
}

TEST_F_TIMEOUT(freezer, vfork_and_exec_freezes, 7200)
{
	EXPECT_EQ(0, freeze_many("vfork and exec", worker_vforks_and_execs));
}

TEST_F_TIMEOUT(freezer, posix_spawn_freezes, 7200)
{
	EXPECT_EQ(0, freeze_many("posix_spawn", worker_spawns));
}

TEST_F_TIMEOUT(freezer, core_dump_of_threads_freezes, 7200)
{
	EXPECT_EQ(0, freeze_many("core dump of four threads",
				 worker_dumps_core));
}

TEST_F_TIMEOUT(freezer, exit_of_thread_groups_freezes, 7200)
{
	EXPECT_EQ(0, freeze_many("exit of four threads", worker_kills_groups));
}

TEST_F_TIMEOUT(freezer, stop_and_continue_freezes, 7200)
{
	EXPECT_EQ(0, freeze_many("SIGSTOP and SIGCONT of threads",
				 worker_stops_and_continues));
}

/* What slot_exec() was called with. */
static int exec_main(char **argv)
{
	struct slot *slot;

	if (!strcmp(argv[1], "nothing"))
		return 0;
	slot = slot_of_exec(argv);
	if (!strcmp(argv[1], "exec_with_threads"))
		exec_with_threads(slot);
	if (!strcmp(argv[1], "exec_in_a_thread"))
		exec_in_a_thread(slot);
	slot_tick(slot);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[0], SLOT_EXEC))
		return exec_main(argv);
	return test_harness_run(argc, argv);
}
