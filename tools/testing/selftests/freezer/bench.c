// SPDX-License-Identifier: GPL-2.0-only
/*
 * What do freeze, thaw and kill cost?  A benchmark, see bench_util.h;
 * scripts/bench.sh starts it.
 *
 * bench both|legacy [TASKS [SLEEP]] - the container freezer and the one of
 * cgroup v2, or the legacy freezer; with up to TASKS tasks, in one SLEEP
 *
 * A line of output is what one freezer does to one set of tasks; see header().
 * Each figure is the mean of the middle half of some repetitions.
 *
 *   freeze   from the write until the file says that all are frozen
 *   thaw     from the write until all are back where they were: sleepers until
 *            nothing but the benchmark is runnable, spinning tasks until the
 *            last of them has answered
 *   kill     from the write until the cgroup says that it is empty
 *
 * Tasks are processes, or threads of one process, or a tree: a process of ten
 * threads in each of many cgroups below the one that is frozen.
 */
#define _GNU_SOURCE

#include <err.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench_util.h"
#include "freezer_util.h"

#define CGROUP		MOUNT "/measured"
#define MAX_TASKS	100000
#define LEAF_THREADS	10
#define FOR_EVER	100000000

/* What the benchmark shares with its tasks. */
static struct shared {
	unsigned int	ready;
	unsigned int	turn;
	unsigned int	answered;
	unsigned int	nr;
	u64		last_answer;
	struct {
		pid_t	tid;
		int	futex;
	} task[MAX_TASKS];
} *shared;

/* The sleeps.  Each task has objects of its own, and nobody wakes it. */

static void sleep_epoll(unsigned int i)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ep = epoll_create1(0);

	(void)i;
	epoll_ctl(ep, EPOLL_CTL_ADD, eventfd(0, 0), &event);
	for (;;)
		epoll_wait(ep, &event, 1, -1);
}

static void sleep_poll(unsigned int i)
{
	struct pollfd pfd = { .fd = eventfd(0, 0), .events = POLLIN };

	(void)i;
	for (;;)
		poll(&pfd, 1, -1);
}

static void sleep_futex(unsigned int i)
{
	for (;;)
		syscall(SYS_futex, &shared->task[i].futex, FUTEX_WAIT_PRIVATE, 0,
			NULL, NULL, 0);
}

static void sleep_pipe(unsigned int i)
{
	int fds[2];
	char byte;

	(void)i;
	if (pipe(fds))
		err(1, "pipe");
	while (read(fds[0], &byte, 1))
		;
}

static void sleep_socket(unsigned int i)
{
	int fds[2];
	char byte;

	(void)i;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		err(1, "socketpair");
	while (recv(fds[0], &byte, 1, 0))
		;
}

static void sleep_nanosleep(unsigned int i)
{
	struct timespec ts = { .tv_sec = FOR_EVER };

	(void)i;
	for (;;)
		nanosleep(&ts, NULL);
}

/* Until all have answered.  Who comes late finds that it is another's turn. */
static void wait_for_answers(unsigned int turn)
{
	unsigned int nr;

	for (;;) {
		nr = __atomic_load_n(&shared->answered, __ATOMIC_ACQUIRE);
		if (nr == shared->nr ||
		    __atomic_load_n(&shared->turn, __ATOMIC_ACQUIRE) != turn)
			return;
		syscall(SYS_futex, &shared->answered, FUTEX_WAIT, nr, NULL, NULL, 0);
	}
}

/* Who has answered makes room for the others. */
static void answer(unsigned int turn)
{
	if (__atomic_add_fetch(&shared->answered, 1, __ATOMIC_ACQ_REL) ==
	    shared->nr) {
		shared->last_answer = instructions();
		syscall(SYS_futex, &shared->answered, FUTEX_WAKE, MAX_TASKS,
			NULL, NULL, 0);
	}
	wait_for_answers(turn);
}

/*
 * In turns that are short, so that all of them spin again before a freeze.  The
 * kernel's thread that notifies of a thaw comes first, and so it is in the costs: of
 * equals the scheduler runs the one or the other first.
 */
static void spin(unsigned int i)
{
	const struct sched_param param = {};
	unsigned int seen = 0, turn;

	if (sched_setscheduler(0, SCHED_IDLE, &param))
		_exit(1);
	for (;; i++) {
		if (i % 4096 == 0)
			sched_yield();
		turn = __atomic_load_n(&shared->turn, __ATOMIC_ACQUIRE);
		if (turn != seen)
			answer(turn);
		seen = turn;
	}
}

static const struct sleep {
	const char	*name;
	void		(*fn)(unsigned int i);
	/* of processes, threads and tasks in a tree */
	unsigned int	max[3];
} sleeps[] = {
	{ "nanosleep",	sleep_nanosleep, { 10000, 10000, 100000 } },
	{ "epoll",	sleep_epoll,	{ 10000, 10000 } },
	{ "poll",	sleep_poll,	{ 10000, 10000 } },
	{ "futex",	sleep_futex,	{ 10000, 10000 } },
	{ "pipe",	sleep_pipe,	{ 10000, 10000 } },
	{ "socket",	sleep_socket,	{ 10000, 10000 } },
	{ "spinning",	spin,		{ 100, 100 } },
	{ }
};

/* Sets of tasks. */

enum shape {
	PROCESSES,
	THREADS,
	TREE,
};

static const char * const shapes[] = {
	[PROCESSES]	= "processes",
	[THREADS]	= "threads",
	[TREE]		= "tree",
};

struct set {
	const struct sleep	*sleep;
	enum shape		shape;
	unsigned int		nr;
};

/* The cgroup that the task number i of a tree is in. */
static const char *leaf(unsigned int i)
{
	static char path[64];

	snprintf(path, sizeof(path), CGROUP "/%u", i);
	return path;
}

/* The freezers. */

/* The files of the freezer that is being measured. */
static int file_fd, state_fd, kill_fd, events_fd;
static bool is_legacy;

static void open_freezer(const struct freezer *f)
{
	file_fd = open_file(CGROUP, f->file, O_WRONLY);
	state_fd = open_file(CGROUP, f->state_file, O_RDONLY);
	events_fd = is_legacy ? -1 : open_file(CGROUP, "cgroup.events", O_RDONLY);
	kill_fd = f->kill_file ? open_file(CGROUP, f->kill_file, O_WRONLY) : -1;
}

static void close_freezer(void)
{
	close(file_fd);
	close(state_fd);
	close(events_fd);
	close(kill_fd);
}

/* Opened anew, as an open cgroup.procs of v1 goes on showing an old list. */
static bool lists_nobody(const char *cgroup)
{
	int fd = open_file(cgroup, "cgroup.procs", O_RDONLY);
	bool ret = !get(fd)[0];

	close(fd);
	return ret;
}

static bool empty(const struct set *set)
{
	unsigned int i;

	if (!is_legacy)
		return strstr(get(events_fd), "populated 0");
	for (i = 0; set->shape == TREE && i < set->nr; i += LEAF_THREADS)
		if (!lists_nobody(leaf(i)))
			return false;
	return lists_nobody(CGROUP);
}

/* The operations; each returns what it took. */

static u64 freeze_all(const struct freezer *f)
{
	u64 start = instructions(), end;

	put(file_fd, f->freeze);
	while (!strstr(get(state_fd), f->frozen))
		let_others_run();
	end = instructions();
	return end - start - end_wait();
}

static u64 thaw_sleepers(const struct freezer *f)
{
	u64 start = instructions();

	put(file_fd, f->thaw);
	return all_sleep() - start;
}

/* They are all frozen, so that nobody answers before the thaw. */
static u64 thaw_spinning(const struct freezer *f)
{
	u64 start;

	shared->answered = 0;
	shared->turn++;
	start = instructions();
	put(file_fd, f->thaw);
	wait_for_answers(shared->turn);
	return shared->last_answer - start;
}

/* What one did before there was a file for it. */
static void kill_by_list(const char *cgroup)
{
	FILE *f = fdopen(open_file(cgroup, "cgroup.procs", O_RDONLY), "r");
	int pid;

	while (fscanf(f, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	fclose(f);
}

static void kill_by_lists(const struct set *set)
{
	unsigned int i;

	kill_by_list(CGROUP);
	for (i = 0; set->shape == TREE && i < set->nr; i += LEAF_THREADS)
		kill_by_list(leaf(i));
}

static u64 kill_all(const struct freezer *f, const struct set *set)
{
	u64 start = instructions(), end;

	if (f->kill)
		put(kill_fd, f->kill);
	else
		kill_by_lists(set);
	while (!empty(set))
		let_others_run();
	end = instructions();
	return end - start - end_wait();
}

/* Starting them. */

static void task_main(const struct sleep *sleep, unsigned int i)
{
	shared->task[i].tid = syscall(SYS_gettid);
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_RELEASE);
	sleep->fn(i);
}

/* For the threads of one process, which is all that a set of threads is. */
static const struct sleep *thread_sleep;

static void *thread_main(void *arg)
{
	task_main(thread_sleep, (unsigned long)arg);
	return NULL;
}

/* The caller becomes the first of them. */
static void start_set_threads(const struct set *set, unsigned long first,
			      unsigned int nr)
{
	thread_sleep = set->sleep;
	start_threads(nr, thread_main, first);
	thread_main((void *)first);
}

static void start_processes(const struct set *set)
{
	unsigned int i;

	for (i = 0; i < set->nr; i++) {
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			task_main(set->sleep, i);
		}
	}
}

static void start_tree(const struct set *set)
{
	unsigned int i;

	for (i = 0; i < set->nr; i += LEAF_THREADS) {
		if (mkdir(leaf(i), 0755))
			err(1, "%s", leaf(i));
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			enter(leaf(i));
			start_set_threads(set, i, LEAF_THREADS);
		}
	}
}

static void remove_tree(const struct set *set)
{
	unsigned int i;

	for (i = 0; set->shape == TREE && i < set->nr; i += LEAF_THREADS)
		if (rmdir(leaf(i)))
			err(1, "rmdir %s", leaf(i));
}

/* All of them are born in the cgroup, of a process that has moved there. */
static void start(const struct set *set)
{
	memset(shared, 0, sizeof(*shared));
	shared->nr = set->nr;
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		enter(CGROUP);
		if (set->shape == THREADS)
			start_set_threads(set, 0, set->nr);
		else if (set->shape == TREE)
			start_tree(set);
		else
			start_processes(set);
		_exit(0);
	}
	while (__atomic_load_n(&shared->ready, __ATOMIC_ACQUIRE) < set->nr)
		pause_ms(1);
	if (set->sleep->fn != spin)
		all_sleep();
	pause_ms(CALM_MS);
}

static u64 switches(const struct set *set)
{
	unsigned int i;
	u64 sum = 0;
	long n;

	for (i = 0; i < set->nr; i++) {
		n = task_switches(shared->task[i].tid);
		if (n < 0)
			errx(1, "a task is gone");
		sum += n;
	}
	return sum;
}

/* Measuring. */

#define MAX_CYCLES	201
#define MAX_KILLS	16

/* Soon after boot a task may still go another way, for up to thirty cycles. */
static unsigned int cycles(const struct set *set)
{
	if (set->nr == 1)
		return MAX_CYCLES;
	if (set->nr <= 100)
		return 31;
	return set->nr <= 1000 ? 5 : 3;
}

struct result {
	u64	freeze;
	u64	thaw;
	u64	kill;
	double	switches;
};

static void cycle(const struct freezer *f, const struct set *set, u64 *frozen,
		  u64 *thawed)
{
	*frozen = freeze_all(f);
	pause_ms(CALM_MS);
	*thawed = set->sleep->fn == spin ? thaw_spinning(f) : thaw_sleepers(f);
	pause_ms(CALM_MS);
}

/* The first cycle is not measured: it turns a static key on. */
static void measure_cycles(const struct freezer *f, const struct set *set,
			   struct result *result)
{
	unsigned int i, nr = cycles(set);
	u64 frozen[MAX_CYCLES], thawed[MAX_CYCLES], before;

	cycle(f, set, frozen, thawed);
	before = switches(set);
	for (i = 0; i < nr; i++)
		cycle(f, set, frozen + i, thawed + i);
	result->switches = (double)(switches(set) - before) / nr;
	result->freeze = middle_mean(frozen, nr);
	result->thaw = middle_mean(thawed, nr);
}

/* Each takes a new set, and leaves nobody. */
static void measure_kills(const struct freezer *f, const struct set *set,
			  struct result *result)
{
	unsigned int i, nr = set->nr > 1000 ? 1 : MAX_KILLS;
	u64 killed[MAX_KILLS];

	for (i = 0; i < nr; i++) {
		if (i)
			start(set);
		killed[i] = kill_all(f, set);
		remove_tree(set);
		pause_ms(CALM_MS);
	}
	result->kill = middle_mean(killed, nr);
}

static void header(void)
{
	printf("freezer,sleep,as,tasks,freeze,thaw,kill,switches\n");
}

/* Instructions for the whole set; switches of the whole set in one cycle. */
static void print(const struct freezer *f, const struct set *set,
		  const struct result *r)
{
	char switched[32] = "";

	/* Tasks that spin are switched all the time. */
	if (set->sleep->fn != spin)
		snprintf(switched, sizeof(switched), "%.1f", r->switches);
	print_line("%s,%s,%s,%u,%llu,%llu,%llu,%s\n", f->name,
		   set->sleep->name, shapes[set->shape], set->nr, r->freeze,
		   r->thaw, r->kill, switched);
}

static void measure(const struct freezer *f, const struct set *set)
{
	struct result result;

	start(set);
	open_freezer(f);
	measure_cycles(f, set, &result);
	measure_kills(f, set, &result);
	close_freezer();
	print(f, set, &result);
}

static void measure_sizes(const struct sleep *sleep, enum shape shape,
			  unsigned int max)
{
	struct set set = { .sleep = sleep, .shape = shape };
	/* A tree of few leaves says nothing. */
	unsigned int nr = shape == TREE ? 1000 : 1;

	for (; nr <= sleep->max[shape] && nr <= max; nr *= 10) {
		set.nr = nr;
		if (is_legacy) {
			measure(&legacy_freezer, &set);
			continue;
		}
		measure(&container_freezer, &set);
		measure(&v2_freezer, &set);
	}
}

int main(int argc, char **argv)
{
	unsigned int max = argc > 2 ? atoi(argv[2]) : MAX_TASKS;
	const struct sleep *sleep;
	enum shape shape;

	is_legacy = argc > 1 && !strcmp(argv[1], "legacy");
	bench_setup(is_legacy);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || mkdir(CGROUP, 0755))
		err(1, "setup");
	header();
	for (sleep = sleeps; sleep->name; sleep++) {
		if (argc > 3 && strcmp(argv[3], sleep->name))
			continue;
		for (shape = PROCESSES; shape <= TREE; shape++)
			measure_sizes(sleep, shape, max);
	}
	return 0;
}
