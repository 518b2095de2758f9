// SPDX-License-Identifier: GPL-2.0-only
/*
 * freezer.kill against fork, clone into a cgroup, and migration: nobody in the
 * subtree escapes, and nobody gets a signal twice.
 *
 * FREEZER_ROUNDS is how often each is tried, and has another default each.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "freezer_fixture.h"
#include "freezer_v2_fixture.h"

/* Bombs.  Each process of a chain forks the next and ends, and is never met twice. */

#define NR_CHAINS	24

static void chain(struct slot *slot)
{
	for (;;) {
		slot_tick(slot);
		if (fork() > 0)
			_exit(0);
	}
}

static void worker_is_a_bomb(struct worker *w)
{
	int i;

	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (i = 0; i < NR_CHAINS; i++)
		if (!fork())
			chain(w->slots);
	for (;;)
		pause();
}

/* Each process lives on and has children that do the same. */
static void worker_is_a_tree(struct worker *w)
{
	int depth, child;

	for (depth = 0; depth < 3; depth++) {
		for (child = 0; child < 3; child++)
			if (!fork())
				break;
		if (child == 3)
			break;
	}
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		slot_tick(w->slots);
		if (!fork())
			_exit(0);
	}
}

static int one_write_ends(void (*fn)(struct worker *w), int sig)
{
	struct worker w;
	int ret;

	ret = worker_start_in("a", &w, fn, 1);
	ret = ret ?: cg_kill("a", sig);
	ret = ret ?: worker_wait_killed(&w, sig);
	return ret ?: cg_wait_empty("a");
}

static int end_bombs(void (*fn)(struct worker *w), int sig, unsigned int rounds)
{
	unsigned int i;
	int ret = 0;

	rounds = env_number("FREEZER_ROUNDS", rounds);
	for (i = 0; i < rounds && !ret; i++)
		ret = one_write_ends(fn, sig);
	if (ret)
		fprintf(stderr, "# in round %u\n", i);
	return ret;
}

TEST_F_TIMEOUT(freezer, fork_bomb_dies_of_one_sigkill, 3600)
{
	EXPECT_EQ(0, end_bombs(worker_is_a_bomb, SIGKILL, 50));
}

TEST_F_TIMEOUT(freezer, fork_bomb_dies_of_one_sigterm, 3600)
{
	EXPECT_EQ(0, end_bombs(worker_is_a_bomb, SIGTERM, 25));
}

TEST_F_TIMEOUT(freezer, fork_bomb_dies_of_one_real_time_signal, 3600)
{
	EXPECT_EQ(0, end_bombs(worker_is_a_bomb, SIGRTMIN + 5, 10));
}

TEST_F_TIMEOUT(freezer, bomb_of_several_generations_dies_of_one_write, 3600)
{
	EXPECT_EQ(0, end_bombs(worker_is_a_tree, SIGKILL, 10));
	EXPECT_EQ(0, end_bombs(worker_is_a_tree, SIGTERM, 5));
}

/* With one file for all writes, so that it is hardly ever between two. */
static void worker_writes_usr1(struct worker *w)
{
	int fd = cg_open("a", "freezer.kill", O_WRONLY);

	while (write(fd, "10", 2) == 2)
		slot_tick(w->slots);
	_exit(1);
}

/*
 * Of so many writes at a time a process cannot remember all, and a child may not
 * get what came in the time of its fork; but of these SIGKILL is not one.
 */
#define NR_WRITERS	12

TEST_F_TIMEOUT(freezer, sigkill_is_not_lost_among_many_other_writes, 3600)
{
	struct worker writers[NR_WRITERS];
	int i;

	/* The bomb begins among the writes, and has this from us. */
	signal(SIGUSR1, SIG_IGN);
	for (i = 0; i < NR_WRITERS; i++)
		ASSERT_EQ(0, worker_start(writers + i, worker_writes_usr1, 1));
	ASSERT_EQ(0, workers_move(writers, NR_WRITERS));
	EXPECT_EQ(0, end_bombs(worker_is_a_bomb, SIGKILL, 3));
	EXPECT_EQ(0, workers_move(writers, NR_WRITERS));
}

/*
 * Exactly once.  A process counts in its own memory what its handler has got,
 * and a child begins with the count of its parent.  So when the signal has come
 * to all, all counts are equal: a child whose parent had it before the fork
 * must not get it, and one whose parent had not must.
 */
#define NR_FAMILIES	16
#define LIFETIME	12
#define MAX_PID		4194304	/* of any kernel, as pid_max may be raised */

static atomic_uint *got_of;	/* by PID */
static atomic_uint got;

static void publish(void)
{
	atomic_store(&got_of[getpid()], atomic_load(&got));
}

static void on_signal(int sig)
{
	(void)sig;
	atomic_fetch_add(&got, 1);
	publish();
}

static void family_member(struct slot *slot)
{
	int age;

	for (age = 0; age < LIFETIME; age++) {
		slot_tick(slot);
		publish();
		if (age == LIFETIME / 2 && !fork())
			age = 0;
		pause_ms(age % 2);
	}
	_exit(0);
}

static void worker_is_families(struct worker *w)
{
	int i;

	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGUSR1, on_signal);
	signal(SIGRTMIN + 3, on_signal);
	for (i = 0; i < NR_FAMILIES; i++)
		if (!fork())
			family_member(w->slots);
	for (;;) {
		publish();
		pause_ms(1);
	}
}

/* How many have not got as much; -ERANGE if one has got more. */
static int members_behind(const char *cg, unsigned int count)
{
	pid_t pids[512];
	unsigned int i, nr = cg_procs(cg, pids, 512);
	int behind = 0;

	for (i = 0; i < nr; i++) {
		unsigned int have = atomic_load(&got_of[pids[i]]);

		if (have > count) {
			fprintf(stderr, "# %d has got %u and not %u\n", pids[i],
				have, count);
			return -ERANGE;
		}
		behind += have < count;
	}
	return behind;
}

/* Who is behind may be new, and not have said yet what its parent had. */
static int wait_members_have(const char *cg, unsigned int count)
{
	int behind = 0;
	int ret = WAIT_UNTIL((behind = members_behind(cg, count)) <= 0);

	if (ret)
		fprintf(stderr, "# %d have not got %u\n", behind, count);
	return ret ?: behind;
}

/*
 * Twice: a child that was being forked while the members were listed is one of
 * them when its parent says that it has the signal.  The next signal must not
 * come while that child has this one pending, as the two would be one.
 */
static int wait_all_have(const char *cg, unsigned int count)
{
	return wait_members_have(cg, count) ?: wait_members_have(cg, count);
}

static int counts_setup(void)
{
	got_of = mmap(NULL, (MAX_PID + 1) * sizeof(*got_of),
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (got_of == MAP_FAILED)
		return -errno;
	return 0;
}

static int once_each(int sig, unsigned int rounds)
{
	struct worker w;
	unsigned int i;
	int ret;

	rounds = env_number("FREEZER_ROUNDS", rounds);
	ret = counts_setup();
	ret = ret ?: worker_start_in("a", &w, worker_is_families, 1);
	for (i = 1; i <= rounds && !ret; i++) {
		ret = cg_kill("a", sig);
		ret = ret ?: wait_all_have("a", i);
	}
	return ret ?: workers_move(&w, 1);
}

TEST_F_TIMEOUT(freezer, forking_container_gets_a_handled_signal_exactly_once, 3600)
{
	EXPECT_EQ(0, once_each(SIGUSR1, 50));
}

TEST_F_TIMEOUT(freezer, forking_container_gets_a_real_time_signal_exactly_once, 3600)
{
	EXPECT_EQ(0, once_each(SIGRTMIN + 3, 50));
}

/* Moved to and fro between "a/x" and "a/y" by a process outside. */
static void worker_moves_another(struct worker *w)
{
	pid_t pid;

	while (!(pid = slot_note(w->slots, 0)))
		pause_ms(1);
	while (!cg_attach("a/x", pid) && !cg_attach("a/y", pid))
		slot_tick(w->slots);
	_exit(0);
}

static int start_moved(struct worker *w, struct worker *mover,
		       void (*fn)(struct worker *w))
{
	int ret;

	ret = worker_start_in("a/x", w, fn, 1);
	ret = ret ?: worker_start(mover, worker_moves_another, 1);
	slot_set_note(mover->slots, 0, w->pid);
	return ret ?: workers_move(mover, 1);
}

static int kill_while_it_moves(int sig)
{
	struct worker w, mover;
	int status, ret;

	ret = start_moved(&w, &mover, worker_sleeps);
	ret = ret ?: cg_kill("a", sig);
	ret = ret ?: worker_wait_killed(&w, sig);
	return ret ?: worker_wait_exit(&mover, &status);
}

TEST_F_TIMEOUT(freezer, process_that_moves_within_the_subtree_does_not_escape, 3600)
{
	unsigned int i, rounds = env_number("FREEZER_ROUNDS", 20);

	ASSERT_EQ(0, cg_make("a/x"));
	ASSERT_EQ(0, cg_make("a/y"));
	for (i = 0; i < rounds; i++)
		ASSERT_EQ(0, kill_while_it_moves(i % 2 ? SIGKILL : SIGTERM));
}

/*
 * The init of a pid namespace, moved by a process of that namespace, which could
 * not kill it.  Nobody of it is in the cgroup but init.
 */
static void init_is_moved(struct worker *w)
{
	if (!fork()) {
		while (!cg_attach("a/x", 1) && !cg_attach("a/y", 1))
			slot_tick(w->slots);
		_exit(1);
	}
	worker_pauses(w);
}

static void worker_has_an_init_that_moves(struct worker *w)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		_exit(1);
	pid = fork();
	if (!pid)
		init_is_moved(w);
	_exit(waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) ||
	      WTERMSIG(status) != SIGKILL);
}

static int kill_an_init_that_moves(void)
{
	struct worker w;
	int status, ret;

	ret = worker_start(&w, worker_has_an_init_that_moves, 1);
	ret = ret ?: WAIT_UNTIL(slot_count(w.slots) > 4);
	ret = ret ?: cg_kill("a", SIGKILL);
	ret = ret ?: worker_wait_exit(&w, &status);
	return ret ?: status;
}

TEST_F_TIMEOUT(freezer, init_of_a_namespace_that_moves_does_not_escape, 3600)
{
	unsigned int i, rounds = env_number("FREEZER_ROUNDS", 20);
	char cg[16];

	/* The walk goes over these first, and takes its time. */
	for (i = 0; i < 100; i++) {
		snprintf(cg, sizeof(cg), "a/%u", i);
		ASSERT_EQ(0, cg_make(cg));
	}
	ASSERT_EQ(0, cg_make("a/x"));
	ASSERT_EQ(0, cg_make("a/y"));
	for (i = 0; i < rounds; i++)
		ASSERT_EQ(0, kill_an_init_that_moves());
}

/* The process stays, but its leader is another thread each time. */

static void *exec_again(void *slot)
{
	_exit(slot_exec(slot, "in_a_thread"));
}

static void exec_in_a_thread(struct slot *slot)
{
	slot_tick(slot);
	start_thread(exec_again, slot);
	for (;;)
		pause();
}

static void worker_execs_in_threads(struct worker *w)
{
	exec_in_a_thread(w->slots);
}

/*
 * SIGKILL alone: of other signals the kernel forgets one now and then, if a thread
 * has taken it and an exec ends that thread before it ends the process.  kill(2)
 * lost one SIGTERM of 5,300 like that.
 */
TEST_F_TIMEOUT(freezer, process_that_execs_in_a_thread_does_not_escape, 3600)
{
	EXPECT_EQ(0, end_bombs(worker_execs_in_threads, SIGKILL, 100));
}

/* Its note 1 says how often it was hit. */
static struct slot *hit_slot;

static void on_hit(int sig)
{
	(void)sig;
	__atomic_add_fetch(&hit_slot->note[1], 1, __ATOMIC_SEQ_CST);
}

static void worker_is_hit(struct worker *w)
{
	hit_slot = w->slots;
	signal(SIGRTMIN + 3, on_hit);
	worker_sleeps(w);
}

TEST_F_TIMEOUT(freezer, process_that_moves_within_the_subtree_gets_a_signal_once, 3600)
{
	unsigned int i, rounds = env_number("FREEZER_ROUNDS", 100);
	struct worker w, mover;

	ASSERT_EQ(0, cg_make("a/x"));
	ASSERT_EQ(0, cg_make("a/y"));
	ASSERT_EQ(0, start_moved(&w, &mover, worker_is_hit));
	for (i = 1; i <= rounds; i++) {
		ASSERT_EQ(0, cg_kill("a", SIGRTMIN + 3));
		ASSERT_EQ(0, WAIT_UNTIL(slot_note(w.slots, 1) >= i));
		ASSERT_EQ(i, slot_note(w.slots, 1));
	}
	EXPECT_EQ(0, workers_move(&mover, 1));
}

/* Out of "a/x" into "a/y" and back, each time a new process. */
static pid_t clone_into(int fd)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = fd,
	};

	return syscall(SYS_clone3, &args, sizeof(args));
}

static void chain_sideways(struct slot *slot, int here, int there)
{
	for (;;) {
		slot_tick(slot);
		if (clone_into(there) > 0)
			_exit(0);
		if (clone_into(here) > 0)
			_exit(0);
	}
}

static void worker_clones_sideways(struct worker *w)
{
	int x = cg_open("a/x", "", O_PATH | O_DIRECTORY);
	int y = cg_open("a/y", "", O_PATH | O_DIRECTORY);
	int i;

	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (i = 0; i < 8; i++)
		if (!fork())
			chain_sideways(w->slots, x, y);
	for (;;)
		pause();
}

static int one_write_ends_both(int sig)
{
	struct worker w;
	int ret;

	ret = worker_start_in("a/x", &w, worker_clones_sideways, 1);
	ret = ret ?: cg_kill("a", sig);
	ret = ret ?: worker_wait_killed(&w, sig);
	ret = ret ?: cg_wait_empty("a/x");
	return ret ?: cg_wait_empty("a/y");
}

TEST_F_TIMEOUT(freezer_v2, clone_into_a_sibling_does_not_escape, 3600)
{
	unsigned int i, rounds = env_number("FREEZER_ROUNDS", 20);

	ASSERT_EQ(0, cg_make("a/x"));
	ASSERT_EQ(0, cg_make("a/y"));
	for (i = 0; i < rounds; i++)
		ASSERT_EQ(0, one_write_ends_both(i % 2 ? SIGKILL : SIGTERM));
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[0], SLOT_EXEC))
		exec_in_a_thread(slot_of_exec(argv));
	return test_harness_run(argc, argv);
}
