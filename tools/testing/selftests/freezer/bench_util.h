/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the benchmarks share.  A benchmark is no test: it is the only program of
 * a virtual machine in which the time stamp counter counts instructions (QEMU:
 * -icount shift=0,sleep=off -smp 1), and refuses to run elsewhere.
 *
 * Nobody preempts a benchmark while it measures, so that tasks do not run in
 * between, in an order that nobody can foresee.  When it has to wait it lets all
 * others go first, so that it looks again when they have done their work.
 *
 * What fails ends the benchmark.
 */
#ifndef BENCH_UTIL_H
#define BENCH_UTIL_H

#include <stdbool.h>
#include <sys/types.h>

#define MOUNT		"/tmp/bench"

/*
 * cgroup_file_notify() is silent for 10 ms after it has notified, then notifies of
 * what came meanwhile, and is silent again; all that in ticks.
 */
#define CALM_MS		100

typedef unsigned long long u64;

/* Check the clock, mount the hierarchy, and become first in everything. */
void bench_setup(bool v1);

static inline u64 instructions(void)
{
	return __builtin_ia32_rdtsc();
}

/* The mean of the middle half: a median jumps where there are two usual ways. */
u64 middle_mean(u64 *values, unsigned int nr);

/* Files */
int open_file(const char *dir, const char *name, int flags);
void put(int fd, const char *text);
/* What is read is there until the next call. */
const char *get(int fd);

/**
 * struct freezer - which files a freezer has in a cgroup, and what one writes
 * @kill_file: NULL where there is none
 */
struct freezer {
	const char	*name;
	const char	*file;
	const char	*freeze;
	const char	*thaw;
	const char	*state_file;
	const char	*frozen;
	const char	*kill_file;
	const char	*kill;
};

extern const struct freezer container_freezer, v2_freezer, legacy_freezer;

/* Cgroups, by their path */
void make(const char *cgroup);
void drop(const char *cgroup);
void put_file(const char *cgroup, const char *file, const char *text);
/* Go there oneself. */
void enter(const char *cgroup);
/* Both wait until it is so. */
void freeze(const struct freezer *f, const char *cgroup);
void thaw(const struct freezer *f, const char *cgroup);

/* @nr - 1 threads beside the caller, which is the first: @fn(@first + 1) and so on */
void start_threads(unsigned int nr, void *(*fn)(void *), unsigned long first);
/* One of those functions */
void *sleep_for_ever(void *arg);
/* A process of @nr threads, which are about to sleep */
pid_t fork_sleepers(const char *cgroup, unsigned int nr);
/* The same on one processor; all of them sleep when this returns. */
pid_t start_sleepers(const char *cgroup, unsigned int nr);
void end_sleepers(pid_t pid);

/* Let all others run who can, and be first again; both more than once. */
void let_others_run(void);
/* Returns what is not to be counted: what it cost to change the policy. */
u64 end_wait(void);
/* When did all others sleep?  What asking costs is not counted. */
u64 all_sleep(void);

/* Interrupts of the serial port are not to be part of what comes next. */
void flush_output(void);
#define print_line(...)		\
do {				\
	printf(__VA_ARGS__);	\
	flush_output();		\
} while (0)

#endif /* BENCH_UTIL_H */
