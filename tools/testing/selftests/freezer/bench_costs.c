// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does it cost to have a freezer?  A benchmark, see bench_util.h;
 * scripts/bench.sh starts it.
 *
 * bench_costs off|container|legacy - on a kernel with that freezer
 * bench_costs off|container controllers - what a cgroup costs that has other
 *	controllers too, from none to all that the kernel knows
 *
 * Each line of output is one figure, "what,freezer,n,count": instructions if
 * nothing else is said, the typical of many repetitions.  What all kernels can
 * do is listed under the name of the kernel's freezer, and what only a freezer
 * can under its own; so v2 has lines from the kernel with ours.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_util.h"
#include "freezer_util.h"

#define CGROUP		MOUNT "/measured"
#define OTHER		MOUNT "/other"
#define MANY_TASKS	10000
#define MANY_CGROUPS	1000
/* Pages that are free but not counted make no difference for so many. */
#define ENOUGH_CGROUPS	10000

static const char *kernel;

static void print(const char *what, const char *freezer, unsigned int n,
		  u64 count)
{
	print_line("%s,%s,%u,%llu\n", what, freezer, n, count);
}

#define MAX_ROUNDS	1000

static u64 typical(u64 (*once)(void), unsigned int rounds)
{
	u64 costs[MAX_ROUNDS];
	unsigned int i;

	/* Caches of the kernel fill. */
	for (i = 0; i < 10; i++)
		once();
	for (i = 0; i < rounds; i++)
		costs[i] = once();
	return middle_mean(costs, rounds);
}

/*
 * For threads, which go many ways: who runs first, the thread or its creator, is up
 * to what the scheduler owes to both.  How often is the same in many rounds alone.
 */
static u64 mean(u64 (*once)(void), unsigned int rounds)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < rounds; i++)
		sum += once();
	return sum / rounds;
}

/* What every process does. */

static u64 fork_exit_wait(void)
{
	u64 start = instructions();
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (waitpid(pid, NULL, 0) != pid)
		err(1, "fork");
	return instructions() - start;
}

static u64 fork_exec_wait(void)
{
	u64 start = instructions();
	pid_t pid = fork();

	if (!pid) {
		execl("/proc/self/exe", "bench_costs", "nothing", NULL);
		_exit(1);
	}
	if (waitpid(pid, NULL, 0) != pid)
		err(1, "fork");
	return instructions() - start;
}

static void *nothing(void *arg)
{
	return arg;
}

static u64 thread_and_join(void)
{
	u64 start = instructions();
	pthread_t thread;

	if (pthread_create(&thread, NULL, nothing, NULL) ||
	    pthread_join(thread, NULL))
		err(1, "pthread_create");
	return instructions() - start;
}

static void handler(int sig)
{
	(void)sig;
}

static u64 signal_to_handler(void)
{
	u64 start = instructions();

	kill(getpid(), SIGUSR1);
	return instructions() - start;
}

static void measure_tasks(void)
{
	signal(SIGUSR1, handler);
	enter(CGROUP);
	print("fork exit wait", kernel, 1, typical(fork_exit_wait, 501));
	print("fork exec wait", kernel, 1, typical(fork_exec_wait, 201));
	print("thread and join", kernel, 1, mean(thread_and_join, 20000));
	print("signal to handler", kernel, 1, typical(signal_to_handler, 501));
	enter(MOUNT);
}

static const struct freezer *own_freezer(void)
{
	if (!strcmp(kernel, "legacy"))
		return &legacy_freezer;
	return strcmp(kernel, "off") ? &container_freezer : NULL;
}

/*
 * The same while another container is frozen, and before it; both here, as fork
 * costs more the more pages we have touched.
 */
static void measure_beside(const struct freezer *f)
{
	pid_t pid = start_sleepers(OTHER, 1);

	enter(CGROUP);
	print("fork exit wait beside a cgroup", kernel, 1,
	      typical(fork_exit_wait, 501));
	enter(MOUNT);
	freeze(f, OTHER);
	enter(CGROUP);
	print("fork exit wait beside a frozen cgroup", kernel, 1,
	      typical(fork_exit_wait, 501));
	print("signal to handler beside a frozen cgroup", kernel, 1,
	      typical(signal_to_handler, 501));
	enter(MOUNT);
	thaw(f, OTHER);
	end_sleepers(pid);
}

/* Cgroups. */

static const char *parent = CGROUP;

static const char *child(unsigned int i)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%u", parent, i);
	return path;
}

static void make_children(unsigned int from, unsigned int to)
{
	for (; from < to; from++)
		make(child(from));
}

static void drop_children(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		drop(child(i));
	pause_ms(1000);
	all_sleep();
}

#define NEWCOMER	100000

static u64 mkdir_once(void)
{
	const char *made = child(NEWCOMER);
	u64 start = instructions(), len;

	make(made);
	len = instructions() - start;
	drop(made);
	pause_ms(CALM_MS);
	return len;
}

static u64 rmdir_once(void)
{
	const char *made = child(NEWCOMER);
	u64 start, len;

	make(made);
	start = instructions();
	drop(made);
	len = instructions() - start;
	pause_ms(CALM_MS);
	return len;
}

#define STATES		10

/*
 * The kernel finds memory sooner or later, depending on what else is there: the
 * mean over some states, in each of which there are a few cgroups more.
 */
static u64 typical_beside_others(u64 (*once)(void))
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < STATES; i++) {
		sum += typical(once, 31);
		make_children(7 * i, 7 * (i + 1));
	}
	drop_children(7 * STATES);
	return sum / STATES;
}

static pid_t moved;

static u64 move_once(void)
{
	static const char * const to[] = { CGROUP, OTHER };
	static unsigned int i;
	char text[16];
	u64 start;
	int fd;

	fd = open_file(to[i++ % 2], "cgroup.procs", O_WRONLY);
	snprintf(text, sizeof(text), "%d", moved);
	start = instructions();
	put(fd, text);
	start = instructions() - start;
	close(fd);
	return start;
}

static void remount(const char *options)
{
	if (mount("bench", MOUNT, "cgroup2", MS_REMOUNT, options))
		err(1, "mount option %s", options);
}

/* On v2, as this option of v1 cannot be changed any more. */
static u64 typical_move(void)
{
	u64 cost;

	/* Else it waits for a grace period of RCU each time. */
	remount("favordynmods");
	moved = start_sleepers(OTHER, 1);
	cost = typical(move_once, 201);
	end_sleepers(moved);
	remount("");
	return cost;
}

static void measure_with(unsigned int nr_controllers)
{
	print("mkdir with n controllers", kernel, nr_controllers,
	      typical_beside_others(mkdir_once));
	print("rmdir with n controllers", kernel, nr_controllers,
	      typical_beside_others(rmdir_once));
	print("move a task with n controllers", kernel, nr_controllers,
	      typical_move());
}

/* The children of the root get what it knows, one by one, from the last. */
static int measure_with_controllers(void)
{
	char known[256], text[64], *end;
	unsigned int nr = 0;
	int fd = open_file(MOUNT, "cgroup.controllers", O_RDONLY);
	ssize_t len = read(fd, known + 1, sizeof(known) - 2);

	close(fd);
	known[0] = ' ';
	known[len > 0 ? len : 1] = '\0';
	parent = MOUNT;
	measure_with(nr);
	while ((end = strrchr(known, ' '))) {
		*end = '\0';
		snprintf(text, sizeof(text), "+%s", end + 1);
		put_file(MOUNT, "cgroup.subtree_control", text);
		measure_with(++nr);
	}
	return 0;
}

static u64 free_memory(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	u64 kb;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemFree: %llu", &kb) != 1)
			continue;
		fclose(f);
		return kb * 1024;
	}
	errx(1, "no MemFree");
}

static void measure_memory(void)
{
	u64 before = free_memory();

	make_children(0, ENOUGH_CGROUPS);
	print("memory of a cgroup (bytes)", kernel, 1,
	      (before - free_memory()) / ENOUGH_CGROUPS);
	drop_children(ENOUGH_CGROUPS);
}

/* Not of the freezer of a cgroup, but of the sleeps that need not be woken. */

static u64 switches_of(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	u64 sum = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (atoi(entry->d_name))
			sum += task_switches(atoi(entry->d_name));
	if (!dir)
		err(1, "%s", path);
	closedir(dir);
	return sum;
}

static void measure_suspend(void)
{
	pid_t pid = start_sleepers(CGROUP, 1000);
	u64 before = switches_of(pid);

	put_file("/sys/power", "pm_test", "freezer");
	put_file("/sys/module/suspend/parameters", "pm_test_delay", "0");
	put_file("/sys/power", "state", "freeze");
	all_sleep();
	print("switches in a suspend of n threads", kernel, 1000,
	      switches_of(pid) - before);
	end_sleepers(pid);
}

/* What a freezer does. */

static int state_fd;

static u64 read_once(void)
{
	u64 start = instructions();

	get(state_fd);
	return instructions() - start;
}

static u64 read_frozen(const struct freezer *f)
{
	u64 len;

	freeze(f, CGROUP);
	state_fd = open_file(CGROUP, f->state_file, O_RDONLY);
	len = typical(read_once, 101);
	close(state_fd);
	thaw(f, CGROUP);
	return len;
}

static void measure_reads(const struct freezer *f)
{
	unsigned int nr;
	pid_t pid;

	for (nr = 1; nr <= MANY_TASKS; nr *= MANY_TASKS) {
		pid = start_sleepers(CGROUP, nr);
		print("read the state with n tasks", f->name, nr, read_frozen(f));
		end_sleepers(pid);
	}
	pid = start_sleepers(CGROUP, 1);
	make_children(0, MANY_CGROUPS);
	print("read the state with n descendants", f->name, MANY_CGROUPS,
	      read_frozen(f));
	drop_children(MANY_CGROUPS);
	end_sleepers(pid);
}

/*
 * While somebody moves a thousand threads to and fro, with cgroup_mutex held,
 * who wants to freeze another cgroup comes at any moment.
 */
static pid_t start_mover(pid_t pid)
{
	char text[16];
	pid_t mover;

	snprintf(text, sizeof(text), "%d", pid);
	mover = fork();
	switch (mover) {
	case -1:
		err(1, "fork");
	case 0:
		for (;;) {
			put_file(OTHER "/0", "cgroup.procs", text);
			put_file(OTHER "/1", "cgroup.procs", text);
		}
	}
	return mover;
}

#define MOMENTS	100

/* A tick of the timer may come between, but that is not being held up. */
#define HELD_UP	50000

static void measure_held_up(const struct freezer *f)
{
	pid_t pid, threads, mover;
	u64 costs[MOMENTS], start;
	unsigned int i;
	int fd;

	make(OTHER "/0");
	make(OTHER "/1");
	pid = start_sleepers(CGROUP, 10);
	threads = start_sleepers(OTHER "/0", 1000);
	freeze(f, CGROUP);
	thaw(f, CGROUP);
	mover = start_mover(threads);
	fd = open_file(CGROUP, f->file, O_WRONLY);
	for (i = 0; i < MOMENTS; i++) {
		pause_ms(1 + i * 7 % 10);
		start = instructions();
		put(fd, f->freeze);
		put(fd, f->thaw);
		costs[i] = instructions() - start;
	}
	close(fd);
	print("write 1 and 0 beside moves", f->name, 10,
	      middle_mean(costs, MOMENTS));
	for (i = 0; i < MOMENTS && costs[i] < HELD_UP; i++)
		;
	print("write 1 and 0 held up (number of 100)", f->name, 10, MOMENTS - i);
	end_sleepers(mover);
	end_sleepers(threads);
	end_sleepers(pid);
	drop(OTHER "/0");
	drop(OTHER "/1");
}

/* Patching code makes a cycle much dearer than the others. */
static void measure_patching(const struct freezer *f)
{
	u64 costs[MAX_ROUNDS], start, typical_cost;
	pid_t pid = start_sleepers(CGROUP, 1);
	unsigned int i;
	int fd;

	/* Longer than static keys are kept on after the last thaw. */
	pause_ms(30000);
	fd = open_file(CGROUP, f->file, O_WRONLY);
	for (i = 0; i < MAX_ROUNDS; i++) {
		start = instructions();
		put(fd, f->freeze);
		put(fd, f->thaw);
		costs[i] = instructions() - start;
		pause_ms(CALM_MS);
	}
	close(fd);
	typical_cost = middle_mean(costs, MAX_ROUNDS);
	print("write 1 and 0", f->name, 1, typical_cost);
	for (i = 0; i < MAX_ROUNDS && costs[i] < 2 * typical_cost; i++)
		;
	print("cycles of 1000 that patch code (number)", f->name, 1,
	      MAX_ROUNDS - i);
	end_sleepers(pid);
}

static void measure_freezer(const struct freezer *f)
{
	measure_reads(f);
	measure_patching(f);
	measure_held_up(f);
}

int main(int argc, char **argv)
{
	const struct freezer *own;
	bool v1;

	if (argc > 1 && !strcmp(argv[1], "nothing"))
		return 0;
	kernel = argc > 1 ? argv[1] : "container";
	own = own_freezer();
	v1 = own == &legacy_freezer;
	bench_setup(v1);
	signal(SIGCHLD, SIG_DFL);
	make(CGROUP);
	make(OTHER);
	print_line("what,freezer,n,count\n");
	if (argc > 2)
		return measure_with_controllers();
	measure_tasks();
	print("mkdir", kernel, 1, typical_beside_others(mkdir_once));
	print("rmdir", kernel, 1, typical_beside_others(rmdir_once));
	if (!v1)
		print("move a task", kernel, 1, typical_move());
	measure_memory();
	measure_suspend();
	if (own) {
		measure_beside(own);
		measure_freezer(own);
	}
	if (own == &container_freezer)
		measure_freezer(&v2_freezer);
	return 0;
}
