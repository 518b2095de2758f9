// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE

#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "bench_util.h"
#include "freezer_util.h"

#define MAX_FILES	"2000000"
#define STACK_SIZE	(16 * 1024)

static int loadavg_fd;

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

static int compare(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

u64 middle_mean(u64 *values, unsigned int nr)
{
	unsigned int i, left_out = (nr + 1) / 4;
	u64 sum = 0;

	qsort(values, nr, sizeof(*values), compare);
	for (i = left_out; i < nr - left_out; i++)
		sum += values[i];
	return sum / (nr - 2 * left_out);
}

int open_file(const char *dir, const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

void put(int fd, const char *text)
{
	if (pwrite(fd, text, strlen(text), 0) < 0)
		err(1, "%s", text);
}

const char *get(int fd)
{
	static char buf[128];
	ssize_t len = pread(fd, buf, sizeof(buf) - 1, 0);

	buf[len > 0 ? len : 0] = '\0';
	return buf;
}

const struct freezer container_freezer = {
	.name		= "container",
	.file		= "freezer.freeze",
	.freeze		= "1",
	.thaw		= "0",
	.state_file	= "freezer.freeze",
	.frozen		= "FROZEN",
	.kill_file	= "freezer.kill",
	.kill		= "9",
};

const struct freezer v2_freezer = {
	.name		= "v2",
	.file		= "cgroup.freeze",
	.freeze		= "1",
	.thaw		= "0",
	.state_file	= "cgroup.events",
	.frozen		= "frozen 1",
	.kill_file	= "cgroup.kill",
	.kill		= "1",
};

const struct freezer legacy_freezer = {
	.name		= "legacy",
	.file		= "freezer.state",
	.freeze		= "FROZEN",
	.thaw		= "THAWED",
	.state_file	= "freezer.state",
	.frozen		= "FROZEN",
};

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

void let_others_run(void)
{
	if (waiting)
		sched_yield();
	else
		set_policy(SCHED_IDLE);
	waiting = true;
}

u64 end_wait(void)
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

u64 all_sleep(void)
{
	u64 end = instructions(), asking = 0;

	while (runnable() > 1) {
		asking += instructions() - end;
		let_others_run();
		end = instructions();
	}
	return end - asking - end_wait();
}

void flush_output(void)
{
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
}

void make(const char *cgroup)
{
	if (mkdir(cgroup, 0755))
		err(1, "mkdir %s", cgroup);
}

void drop(const char *cgroup)
{
	if (rmdir(cgroup))
		err(1, "rmdir %s", cgroup);
}

void put_file(const char *cgroup, const char *file, const char *text)
{
	int fd = open_file(cgroup, file, O_WRONLY);

	put(fd, text);
	close(fd);
}

void enter(const char *cgroup)
{
	put_file(cgroup, "cgroup.procs", "0");
}

/* Tasks that sleep. */

void *sleep_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

void start_threads(unsigned int nr, void *(*fn)(void *), unsigned long first)
{
	char *stacks = mmap(NULL, nr * STACK_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	pthread_attr_t attr;
	pthread_t thread;
	unsigned long i;

	pthread_attr_init(&attr);
	for (i = 1; i < nr; i++) {
		pthread_attr_setstack(&attr, stacks + i * STACK_SIZE, STACK_SIZE);
		if (pthread_create(&thread, &attr, fn, (void *)(first + i)))
			err(1, "pthread_create");
	}
}

pid_t fork_sleepers(const char *cgroup, unsigned int nr)
{
	pid_t pid = fork();

	switch (pid) {
	case -1:
		err(1, "fork");
	case 0:
		enter(cgroup);
		start_threads(nr, sleep_for_ever, 0);
		sleep_for_ever(NULL);
	}
	return pid;
}

pid_t start_sleepers(const char *cgroup, unsigned int nr)
{
	pid_t pid = fork_sleepers(cgroup, nr);

	pause_ms(1);
	all_sleep();
	pause_ms(CALM_MS);
	return pid;
}

void end_sleepers(pid_t pid)
{
	kill(pid, SIGKILL);
	if (waitpid(pid, NULL, 0) != pid)
		err(1, "waitpid");
	all_sleep();
	pause_ms(CALM_MS);
}

void freeze(const struct freezer *f, const char *cgroup)
{
	int fd = open_file(cgroup, f->state_file, O_RDONLY);

	put_file(cgroup, f->file, f->freeze);
	while (!strstr(get(fd), f->frozen))
		let_others_run();
	end_wait();
	close(fd);
}

void thaw(const struct freezer *f, const char *cgroup)
{
	put_file(cgroup, f->file, f->thaw);
	all_sleep();
}

/* Room for a hundred thousand tasks, and for files of each. */
static void raise_limits(void)
{
	struct rlimit files = { 100000, 100000 };

	if (write_text("/proc/sys/kernel/pid_max", "1000000") ||
	    write_text("/proc/sys/kernel/threads-max", "500000") ||
	    write_text("/proc/sys/vm/max_map_count", "1000000") ||
	    write_text("/proc/sys/fs/file-max", MAX_FILES) ||
	    setrlimit(RLIMIT_NOFILE, &files))
		err(1, "limits");
}

void bench_setup(bool v1)
{
	check_clock();
	raise_limits();
	/* Tasks reap themselves. */
	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (mkdir(MOUNT, 0755) ||
	    mount("bench", MOUNT, v1 ? "cgroup" : "cgroup2", 0,
		  v1 ? "freezer" : NULL))
		err(1, "mount");
	loadavg_fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	if (loadavg_fd < 0)
		err(1, "loadavg");
	weigh_wait();
}
