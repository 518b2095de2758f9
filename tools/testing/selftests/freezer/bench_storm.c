// SPDX-License-Identifier: GPL-2.0-only
/*
 * Do freezers of different containers wait for each other, or for those who
 * make, remove and fill cgroups?  A benchmark for a machine of several
 * processors; scripts/bench.sh starts it on a kernel with lock_stat.
 *
 * bench_storm [SECONDS] - for each freezer two processes freeze and thaw a
 * container of their own, of some processes of some threads, as often as they can
 * in SECONDS; then again while a third one, with cgroup_mutex in its hands most of
 * the time, moves a process of many threads, and makes and removes cgroups.
 *
 * Prints how often each came round, and the locks that were waited for longest:
 * for each the median of the seconds, as the host of a virtual machine may stop one
 * of its processors while that holds a lock.
 */
#define _GNU_SOURCE

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_util.h"
#include "freezer_util.h"

#define THIRD		MOUNT "/third"
#define CONTAINERS	2
#define PROCESSES	10
#define THREADS		10
#define LOCKS		8
#define MAX_SECONDS	60

/* Rounds of each container, and then of the third party. */
static unsigned long *rounds;

static const char *container(unsigned int i)
{
	static char path[64];

	snprintf(path, sizeof(path), MOUNT "/%u", i);
	return path;
}

static pid_t start(void (*fn)(const struct freezer *f, unsigned int i),
		   const struct freezer *f, unsigned int i)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	for (;; rounds[i]++)
		fn(f, i);
}

static void freeze_and_thaw(const struct freezer *f, unsigned int i)
{
	put_file(container(i), f->file, f->freeze);
	put_file(container(i), f->file, f->thaw);
}

static char moved[16];

static void move_and_make(const struct freezer *f, unsigned int i)
{
	(void)f;
	(void)i;
	put_file(THIRD "/0", "cgroup.procs", moved);
	make(THIRD "/2");
	put_file(THIRD "/1", "cgroup.procs", moved);
	drop(THIRD "/2");
}

static unsigned int seconds;

struct lock {
	char	name[64];
	/* of each second */
	double	contentions[MAX_SECONDS];
	double	waited_us[MAX_SECONDS];
};

static struct lock locks[2000];
static unsigned int nr_locks;

static struct lock *lock_named(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_locks; i++)
		if (!strcmp(locks[i].name, name))
			return locks + i;
	if (nr_locks == 2000)
		errx(1, "too many locks");
	snprintf(locks[nr_locks].name, sizeof(locks->name), "%s", name);
	return locks + nr_locks++;
}

/* Lines "name: con-bounces contentions wait-min wait-max wait-total ..." */
static void read_locks(unsigned int second)
{
	FILE *file = fopen("/proc/lock_stat", "re");
	char line[512], name[64], *colon;
	double contentions, waited_us;
	struct lock *lock;

	while (file && fgets(line, sizeof(line), file)) {
		colon = strstr(line, ": ");
		if (!colon)
			continue;
		*colon = '\0';
		if (sscanf(line, " %63[^\n]", name) != 1 ||
		    sscanf(colon + 1, "%*f %lf %*f %*f %lf", &contentions,
			   &waited_us) != 2)
			continue;
		lock = lock_named(name);
		lock->contentions[second] = contentions;
		lock->waited_us[second] = waited_us;
	}
	if (!file)
		err(1, "lock_stat");
	fclose(file);
}

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sort(double *values)
{
	qsort(values, seconds, sizeof(*values), ascending);
}

static int by_wait(const void *a, const void *b)
{
	const struct lock *x = a, *y = b;

	return -ascending(x->waited_us + seconds / 2, y->waited_us + seconds / 2);
}

static void print_locks(void)
{
	unsigned int i;

	for (i = 0; i < nr_locks; i++) {
		sort(locks[i].contentions);
		sort(locks[i].waited_us);
	}
	qsort(locks, nr_locks, sizeof(*locks), by_wait);
	for (i = 0; i < LOCKS && locks[i].contentions[seconds / 2]; i++)
		printf("  %-40s %6.0f contentions %9.0f us waited in a second\n",
		       locks[i].name, locks[i].contentions[seconds / 2],
		       locks[i].waited_us[seconds / 2]);
}

static void measure_second(unsigned int second)
{
	write_text("/proc/lock_stat", "0");
	write_text("/proc/sys/kernel/lock_stat", "1");
	pause_ms(1000);
	write_text("/proc/sys/kernel/lock_stat", "0");
	read_locks(second);
}

static void storm(const struct freezer *f, bool third)
{
	unsigned int i, nr = CONTAINERS + third;
	pid_t pids[CONTAINERS + 1];

	memset(rounds, 0, (CONTAINERS + 1) * sizeof(*rounds));
	for (i = 0; i < CONTAINERS; i++)
		pids[i] = start(freeze_and_thaw, f, i);
	if (third)
		pids[i] = start(move_and_make, NULL, i);
	for (i = 0; i < seconds; i++)
		measure_second(i);
	for (i = 0; i < nr; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	for (i = 0; i < CONTAINERS; i++)
		put_file(container(i), f->file, f->thaw);
	rmdir(THIRD "/2");
}

static void measure(const struct freezer *f, bool third)
{
	memset(locks, 0, sizeof(locks));
	nr_locks = 0;
	storm(f, third);
	printf("%s%s: %lu and %lu rounds of freeze and thaw, %lu of the third\n",
	       f->name, third ? " beside a third" : " alone", rounds[0],
	       rounds[1], rounds[2]);
	print_locks();
	fflush(stdout);
}

/* The first freeze patches code, and so does the time after the last thaw. */
#define PATCHED_MS	15000

static void measure_freezer(const struct freezer *f)
{
	freeze_and_thaw(f, 0);
	measure(f, false);
	measure(f, true);
	pause_ms(PATCHED_MS);
}

int main(int argc, char **argv)
{
	unsigned int i;

	seconds = argc > 1 ? atoi(argv[1]) : 10;
	if (seconds < 1 || seconds > MAX_SECONDS)
		errx(1, "1 to %u seconds", MAX_SECONDS);
	rounds = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (rounds == MAP_FAILED || mkdir(MOUNT, 0755) ||
	    mount("bench", MOUNT, "cgroup2", 0, NULL))
		err(1, "mount");
	for (i = 0; i < CONTAINERS; i++)
		make(container(i));
	for (i = 0; i < CONTAINERS * PROCESSES; i++)
		fork_sleepers(container(i / PROCESSES), THREADS);
	make(THIRD);
	make(THIRD "/0");
	make(THIRD "/1");
	snprintf(moved, sizeof(moved), "%d",
		 fork_sleepers(THIRD "/0", PROCESSES * THREADS));
	pause_ms(1000);
	measure_freezer(&container_freezer);
	measure_freezer(&v2_freezer);
	return 0;
}
