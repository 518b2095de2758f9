// SPDX-License-Identifier: GPL-2.0-only
/*
 * For how long does a freezer keep interrupts or preemption off?  A benchmark,
 * see bench_util.h; scripts/bench.sh starts it on a kernel with the irqsoff and
 * preemptoff tracers, which cost instructions themselves: what they say of two
 * freezers can be compared, and is not what a kernel without them would do.
 *
 * Each line of output is one figure, "what,freezer,n,count": the longest stretch
 * in instructions, to a thousand, seen in freeze, thaw and kill of n threads.
 */
#define _GNU_SOURCE

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "bench_util.h"
#include "freezer_util.h"

#define TRACING		"/sys/kernel/tracing"
#define CGROUP		MOUNT "/measured"
#define ROUNDS		3
#define MANY_TASKS	10000

static int max_fd;

/* The tracer reports microseconds. */
static u64 longest(const char *tracer, void (*op)(const struct freezer *f),
		   const struct freezer *f)
{
	u64 len;

	put_file(TRACING, "current_tracer", tracer);
	put(max_fd, "0");
	op(f);
	len = strtoull(get(max_fd), NULL, 10) * 1000;
	put_file(TRACING, "current_tracer", "nop");
	return len;
}

static void cycles(const struct freezer *f)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		freeze(f, CGROUP);
		pause_ms(CALM_MS);
		thaw(f, CGROUP);
		pause_ms(CALM_MS);
	}
}

static void kill_all(const struct freezer *f)
{
	put_file(CGROUP, f->kill_file, f->kill);
	all_sleep();
}

static void idle(const struct freezer *f)
{
	(void)f;
	pause_ms(ROUNDS * 2 * CALM_MS);
}

static void measure(const struct freezer *f, const char *tracer, unsigned int nr)
{
	pid_t pid = start_sleepers(CGROUP, nr);

	freeze(f, CGROUP);
	thaw(f, CGROUP);
	print_line("longest %s in freeze and thaw,%s,%u,%llu\n", tracer, f->name,
		   nr, longest(tracer, cycles, f));
	print_line("longest %s in kill,%s,%u,%llu\n", tracer, f->name, nr,
		   longest(tracer, kill_all, f));
	end_sleepers(pid);
}

static void measure_tracer(const char *tracer)
{
	unsigned int nr;

	print_line("longest %s,idle,1,%llu\n", tracer, longest(tracer, idle, NULL));
	for (nr = 10; nr <= MANY_TASKS; nr *= MANY_TASKS / 10) {
		measure(&container_freezer, tracer, nr);
		measure(&v2_freezer, tracer, nr);
	}
}

int main(void)
{
	bench_setup(false);
	signal(SIGCHLD, SIG_DFL);
	if (mount("tracefs", TRACING, "tracefs", 0, NULL))
		err(1, "tracefs");
	max_fd = open_file(TRACING, "tracing_max_latency", O_RDWR);
	make(CGROUP);
	print_line("what,freezer,n,count\n");
	measure_tracer("irqsoff");
	measure_tracer("preemptoff");
	return 0;
}
