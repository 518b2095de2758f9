// SPDX-License-Identifier: GPL-2.0-only
/*
 * What do freeze, thaw and kill cost?  A benchmark, and no test: it runs as the
 * only program of a virtual machine in which the time stamp counter counts
 * instructions (QEMU: -icount shift=0,sleep=off -smp 1), and refuses to run
 * elsewhere.  scripts/bench.sh starts it.
 *
 * bench both|legacy [TASKS [SLEEP]] - the container freezer and the one of
 * cgroup v2, or the legacy freezer; with up to TASKS tasks, in one SLEEP
 *
 * A line of output is what one freezer does to one set of tasks; see header().
 * Each figure is the median of some repetitions.
 *
 *   freeze   from the write until the file says that all are frozen
 *   thaw     from the write until all are back where they were: sleepers until
 *            nothing but the benchmark is runnable, spinning tasks until the
 *            last of them has answered
 *   kill     from the write until the cgroup says that it is empty
 *
 * Nobody preempts the benchmark while it writes, so that the tasks do not run in
 * between, in an order that nobody can foresee.  When it has to wait it lets all
 * others go first, so that it looks again when they have done their work.
 */
#define _GNU_SOURCE

#include <err.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "freezer_util.h"

#define MOUNT		"/tmp/bench"
#define CGROUP		MOUNT "/measured"
#define MAX_TASKS	10000
#define STACK_SIZE	(16 * 1024)
#define FOR_EVER	100000000

/* cgroup_file_notify() is silent for 10 ms after it has notified. */
#define CALM_MS		30

typedef unsigned long long u64;

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

static u64 instructions(void)
{
	return __builtin_ia32_rdtsc();
}

/* A loop of two instructions, a thousand times. */
static void check_clock(void)
{
	unsigned int n = 1000;
	u64 start, len;

	start = instructions();
	asm volatile("1: decl %0\n jnz 1b" : "+r" (n) : : "cc");
	len = instructions() - start;
	if (len < 2000 || len > 2050)
		errx(1, "2000 instructions count as %llu", len);
}

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

/* In turns that are short, so that all of them spin again before a freeze. */
static void spin(unsigned int i)
{
	unsigned int seen = 0, turn;

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
	unsigned int	max;
	unsigned int	max_processes;
} sleeps[] = {
	{ "nanosleep",	sleep_nanosleep, MAX_TASKS, MAX_TASKS },
	{ "epoll",	sleep_epoll,	MAX_TASKS, MAX_TASKS },
	{ "poll",	sleep_poll,	MAX_TASKS, 1000 },
	{ "futex",	sleep_futex,	MAX_TASKS, 1000 },
	{ "pipe",	sleep_pipe,	MAX_TASKS, 1000 },
	{ "socket",	sleep_socket,	MAX_TASKS, 1000 },
	{ "spinning",	spin,		100, 100 },
	{ }
};

/* The freezers. */

static const struct freezer {
	const char	*name;
	const char	*file;
	const char	*freeze;
	const char	*thaw;
	const char	*state_file;
	const char	*frozen;
	const char	*kill_file;
	const char	*kill;
} container_freezer = {
	.name		= "container",
	.file		= "freezer.freeze",
	.freeze		= "1",
	.thaw		= "0",
	.state_file	= "freezer.freeze",
	.frozen		= "FROZEN",
	.kill_file	= "freezer.kill",
	.kill		= "9",
}, v2_freezer = {
	.name		= "v2",
	.file		= "cgroup.freeze",
	.freeze		= "1",
	.thaw		= "0",
	.state_file	= "cgroup.events",
	.frozen		= "frozen 1",
	.kill_file	= "cgroup.kill",
	.kill		= "1",
}, legacy_freezer = {
	.name		= "legacy",
	.file		= "freezer.state",
	.freeze		= "FROZEN",
	.thaw		= "THAWED",
	.state_file	= "freezer.state",
	.frozen		= "FROZEN",
};

/* The files of the freezer that is being measured, and one of the system. */
static int file_fd, state_fd, kill_fd, empty_fd, loadavg_fd;
static bool is_legacy;

static int open_file(const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), CGROUP "/%s", name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", name);
	return fd;
}

static void open_freezer(const struct freezer *f)
{
	file_fd = open_file(f->file, O_WRONLY);
	state_fd = open_file(f->state_file, O_RDONLY);
	empty_fd = open_file(is_legacy ? "cgroup.procs" : "cgroup.events", O_RDONLY);
	kill_fd = f->kill_file ? open_file(f->kill_file, O_WRONLY) : -1;
}

static void close_freezer(void)
{
	close(file_fd);
	close(state_fd);
	close(empty_fd);
	close(kill_fd);
}

static void put(int fd, const char *text)
{
	if (pwrite(fd, text, strlen(text), 0) < 0)
		err(1, "%s", text);
}

static const char *get(int fd)
{
	static char buf[128];
	ssize_t len = pread(fd, buf, sizeof(buf) - 1, 0);

	buf[len > 0 ? len : 0] = '\0';
	return buf;
}

static bool empty(void)
{
	const char *text = get(empty_fd);

	return is_legacy ? !text[0] : !!strstr(text, "populated 0");
}

/* How many tasks can run at this moment, including us. */
static unsigned int runnable(void)
{
	const char *text = get(loadavg_fd);
	unsigned int nr;

	if (sscanf(text, "%*s %*s %*s %u", &nr) != 1)
		err(1, "loadavg");
	return nr;
}

/* Who runs first: the benchmark, or when it has to wait all others. */

static bool waiting;
static u64 waiting_costs;

static void set_policy(int policy)
{
	struct sched_param param = { .sched_priority = policy == SCHED_FIFO };

	if (sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &param))
		err(1, "sched_setscheduler");
}

static void let_others_run(void)
{
	if (waiting)
		sched_yield();
	else
		set_policy(SCHED_IDLE);
	waiting = true;
}

/* Returns what is not to be counted: what it cost to change the policy. */
static u64 end_wait(void)
{
	if (!waiting)
		return 0;
	waiting = false;
	set_policy(SCHED_FIFO);
	return waiting_costs;
}

static void weigh_wait(void)
{
	u64 start;

	set_policy(SCHED_FIFO);
	pause_ms(CALM_MS);
	start = instructions();
	let_others_run();
	waiting_costs = instructions() - start;
	end_wait();
}

/* When did all others sleep?  What asking costs is not counted. */
static u64 all_sleep(void)
{
	u64 end = instructions(), asking = 0;

	while (runnable() > 1) {
		asking += instructions() - end;
		let_others_run();
		end = instructions();
	}
	return end - asking - end_wait();
}

/* The operations; each returns what it took. */

static u64 freeze(const struct freezer *f)
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
static void kill_by_list(void)
{
	FILE *f = fopen(CGROUP "/cgroup.procs", "re");
	int pid;

	if (!f)
		err(1, "cgroup.procs");
	while (fscanf(f, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	fclose(f);
}

static u64 kill_all(const struct freezer *f)
{
	u64 start = instructions(), end;

	if (f->kill)
		put(kill_fd, f->kill);
	else
		kill_by_list();
	while (!empty())
		let_others_run();
	end = instructions();
	return end - start - end_wait();
}

/* Sets of tasks. */

struct set {
	const struct sleep	*sleep;
	bool			threads;
	unsigned int		nr;
};

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

static void start_threads(const struct set *set)
{
	pthread_attr_t attr;
	pthread_t thread;
	unsigned long i;
	char *stacks;

	thread_sleep = set->sleep;
	stacks = mmap(NULL, set->nr * STACK_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	pthread_attr_init(&attr);
	for (i = 1; i < set->nr; i++) {
		pthread_attr_setstack(&attr, stacks + i * STACK_SIZE, STACK_SIZE);
		if (pthread_create(&thread, &attr, thread_main, (void *)i))
			err(1, "pthread_create");
	}
	thread_main(NULL);
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

/* All of them are born in the cgroup, of a process that has moved there. */
static void start(const struct set *set)
{
	memset(shared, 0, sizeof(*shared));
	shared->nr = set->nr;
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		if (write_text(CGROUP "/cgroup.procs", "0"))
			err(1, "cgroup.procs");
		if (set->threads)
			start_threads(set);
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

#define MAX_CYCLES	5

static int compare(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static u64 median(u64 *values, unsigned int nr)
{
	qsort(values, nr, sizeof(*values), compare);
	return values[nr / 2];
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
	*frozen = freeze(f);
	pause_ms(CALM_MS);
	*thawed = set->sleep->fn == spin ? thaw_spinning(f) : thaw_sleepers(f);
	pause_ms(CALM_MS);
}

/* The first cycle is not measured: it turns a static key on. */
static void measure_cycles(const struct freezer *f, const struct set *set,
			   struct result *result)
{
	unsigned int i, nr = set->nr > 1000 ? 3 : MAX_CYCLES;
	u64 frozen[MAX_CYCLES], thawed[MAX_CYCLES], before;

	cycle(f, set, frozen, thawed);
	before = switches(set);
	for (i = 0; i < nr; i++)
		cycle(f, set, frozen + i, thawed + i);
	result->switches = (double)(switches(set) - before) / nr;
	result->freeze = median(frozen, nr);
	result->thaw = median(thawed, nr);
}

static void header(void)
{
	printf("freezer,sleep,as,tasks,freeze,thaw,kill,switches\n");
}

/* Instructions for the whole set; switches of the whole set in one cycle. */
static void print(const struct freezer *f, const struct set *set,
		  const struct result *r)
{
	printf("%s,%s,%s,%u,%llu,%llu,%llu,", f->name, set->sleep->name,
	       set->threads ? "threads" : "processes", set->nr, r->freeze,
	       r->thaw, r->kill);
	/* Tasks that spin are switched all the time. */
	if (set->sleep->fn != spin)
		printf("%.1f", r->switches);
	printf("\n");
	fflush(stdout);
	/* Interrupts of the serial line would be counted. */
	tcdrain(STDOUT_FILENO);
}

static void measure(const struct freezer *f, const struct set *set)
{
	struct result result;

	start(set);
	open_freezer(f);
	measure_cycles(f, set, &result);
	result.kill = kill_all(f);
	close_freezer();
	print(f, set, &result);
	pause_ms(CALM_MS);
}

static void measure_sizes(const struct sleep *sleep, bool threads,
			  unsigned int max)
{
	struct set set = { .sleep = sleep, .threads = threads, .nr = 1 };
	unsigned int most = threads ? sleep->max : sleep->max_processes;

	for (; set.nr <= most && set.nr <= max; set.nr *= 10) {
		if (is_legacy) {
			measure(&legacy_freezer, &set);
			continue;
		}
		measure(&container_freezer, &set);
		measure(&v2_freezer, &set);
	}
}

static void setup(void)
{
	struct rlimit files = { 4 * MAX_TASKS, 4 * MAX_TASKS };

	/* Tasks reap themselves. */
	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "setrlimit");
	if (mkdir(MOUNT, 0755) ||
	    mount("bench", MOUNT, is_legacy ? "cgroup" : "cgroup2", 0,
		  is_legacy ? "freezer" : NULL))
		err(1, "mount");
	if (mkdir(CGROUP, 0755))
		err(1, "%s", CGROUP);
	loadavg_fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (loadavg_fd < 0 || shared == MAP_FAILED)
		err(1, "setup");
	weigh_wait();
}

int main(int argc, char **argv)
{
	unsigned int max = argc > 2 ? atoi(argv[2]) : MAX_TASKS;
	const struct sleep *sleep;

	is_legacy = argc > 1 && !strcmp(argv[1], "legacy");
	check_clock();
	setup();
	header();
	for (sleep = sleeps; sleep->name; sleep++) {
		if (argc > 3 && strcmp(argv[3], sleep->name))
			continue;
		measure_sizes(sleep, false, max);
		measure_sizes(sleep, true, max);
	}
	return 0;
}
