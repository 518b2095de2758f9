// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two sides of the storm: the crowd inside the cgroups, each process of
 * which counts at its PID, and the stormers outside.
 */
#define _GNU_SOURCE

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../kselftest.h"
#include "storm.h"

#define CROWD		8	/* of the first generation, for each stormer */
#define LIFETIME	40	/* of the others, in steps */
#define MAX_PID		4194304

struct storm *storm;
static int storm_fd;

#define STORM_SIZE	(sizeof(*storm) + MAX_PID * sizeof(storm->counts[0]))

static int storm_map(int fd)
{
	storm_fd = fd;
	storm = mmap(NULL, STORM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return storm == MAP_FAILED ? -errno : 0;
}

/* A file, as what is mapped only does not live through exec. */
int storm_create(unsigned int seed)
{
	pthread_rwlockattr_t attr;
	int i, ret, fd;

	fd = memfd_create("freezer_storm", 0);
	if (fd < 0 || ftruncate(fd, STORM_SIZE))
		return -errno;
	ret = storm_map(fd);
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	for (i = 0; i < NR_GROUPS && !ret; i++)
		ret = -pthread_rwlock_init(&storm->locks[i], &attr);
	if (!ret)
		atomic_store(&storm->seed, seed);
	return ret;
}

static unsigned int dice(unsigned int *seed, unsigned int sides)
{
	return rand_r(seed) % sides;
}

/* The crowd. */

static void tick(void)
{
	atomic_fetch_add_explicit(&storm->counts[getpid()], 1, memory_order_relaxed);
}

static void on_signal(int sig)
{
	(void)sig;
}

static void *crowd_thread(void *arg)
{
	(void)arg;
	tick();
	pause_ms(1);
	tick();
	return NULL;
}

static void crowd_makes_a_thread(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, crowd_thread, NULL))
		pthread_join(thread, NULL);
}

/**
 * struct crowd - what a process of the crowd keeps when it execs
 * @generation: 0 if a stormer has made it
 * @age: how many steps it has done
 */
struct crowd {
	int	generation;
	int	age;
};

static void crowd_execs(const struct crowd *me)
{
	char fd[16], generation[16], age[16];

	snprintf(fd, sizeof(fd), "%d", storm_fd);
	snprintf(generation, sizeof(generation), "%d", me->generation);
	snprintf(age, sizeof(age), "%d", me->age);
	execl("/proc/self/exe", "storm_test", CROWD_ARG, fd, generation, age,
	      NULL);
}

static void crowd_forks(struct crowd *me, unsigned int *seed)
{
	if (me->generation == 2 || fork())
		return;
	me->generation++;
	me->age = 0;
	*seed = getpid();
}

static void crowd_step(struct crowd *me, unsigned int *seed)
{
	switch (dice(seed, LIFETIME)) {
	case 0:
		crowd_forks(me, seed);
		break;
	case 1:
		crowd_makes_a_thread();
		break;
	case 2:
		crowd_execs(me);
		break;
	case 3:
		sched_yield();
		break;
	default:
		pause_ms(dice(seed, 4));
	}
}

/*
 * The first generation lives until it is killed.  A process of another one has,
 * in its lifetime, one child on average: the crowd does not grow.
 */
static void crowd_main(struct crowd *me)
{
	unsigned int seed = getpid() + now_ms();

	signal(SIGCHLD, SIG_IGN);
	signal(SIGUSR1, on_signal);
	signal(SIGRTMIN, on_signal);
	while (!me->generation || me->age < LIFETIME) {
		tick();
		me->age++;
		crowd_step(me, &seed);
	}
	_exit(0);
}

int crowd_exec_main(char **argv)
{
	struct crowd me = {
		.generation = atoi(argv[3]),
		.age = atoi(argv[4]),
	};

	if (storm_map(atoi(argv[2])))
		return 1;
	crowd_main(&me);
	return 0;
}

/* The stormers. */

static const int signals[] = {
	SIGTERM, SIGKILL, SIGUSR1, SIGUSR1, SIGSTOP, SIGCONT, SIGCONT,
};

struct stormer {
	unsigned int	seed;
	pid_t		crowd[CROWD];
};

void group_name(char *cg, size_t size, int group, int child)
{
	if (child)
		snprintf(cg, size, "g%d/c%d", group, child);
	else
		snprintf(cg, size, "g%d", group);
}

static int random_cgroup(struct stormer *me, char *cg, size_t size)
{
	int group = dice(&me->seed, NR_GROUPS);

	group_name(cg, size, group, dice(&me->seed, NR_CHILDREN + 1));
	return group;
}

static int random_signal(struct stormer *me)
{
	unsigned int i = dice(&me->seed, ARRAY_SIZE(signals) + 1);

	return i < ARRAY_SIZE(signals) ? signals[i] : SIGRTMIN;
}

/* The cgroup need not be there, and a member may be gone. */
int may_be_gone(int ret)
{
	return ret == -ENOENT || ret == -ENODEV || ret == -ESRCH ? 0 : ret;
}

static int may_be_busy(int ret)
{
	return ret == -EBUSY || ret == -EEXIST ? 0 : may_be_gone(ret);
}

static int storm_spawn(struct stormer *me, const char *cg)
{
	struct crowd first = { 0 };
	pid_t *pid = me->crowd + dice(&me->seed, CROWD);

	if (*pid > 0 && !kill(*pid, 0))
		return 0;
	*pid = fork();
	if (!*pid) {
		if (cg_attach(cg, 0))
			_exit(0);
		crowd_main(&first);
	}
	return *pid < 0 ? -errno : 0;
}

static int storm_attach(struct stormer *me, const char *from, const char *to)
{
	pid_t pids[MAX_LISTED];
	unsigned int nr = cg_procs(from, pids, MAX_LISTED);

	return nr ? may_be_busy(cg_attach(to, pids[dice(&me->seed, nr)])) : 0;
}

/* By one file or, where there is another, by that. */
static int storm_freeze(struct stormer *me, const char *cg)
{
	if (env_is_v1() && dice(&me->seed, 2))
		return cg_write(cg, "freezer.state", "FROZEN");
	return cg_freeze(cg);
}

static int storm_look(const char *cg)
{
	static char buf[64 * 1024];

	return cg_read_all(cg, "freezer.pending", buf, sizeof(buf), 100) ?:
	       cg_read_all(cg, "freezer.stat", buf, sizeof(buf), 100);
}

static int storm_set_timeout(struct stormer *me, const char *cg)
{
	char path[512];

	return cg_path(cg, "freezer.timeout", path, sizeof(path)) ?:
	       write_number(path, dice(&me->seed, 8));
}

static int storm_act(struct stormer *me, const char *cg, const char *other)
{
	switch (dice(&me->seed, 18)) {
	case 0 ... 2:
		return may_be_gone(storm_freeze(me, cg));
	case 3 ... 6:
		return may_be_gone(cg_thaw(cg));
	case 7:
		return may_be_gone(cg_kill(cg, random_signal(me)));
	case 8:
		return strchr(cg, '/') ? may_be_busy(cg_make(cg)) : 0;
	case 9:
		return strchr(cg, '/') ? may_be_busy(cg_remove(cg)) : 0;
	case 10 ... 12:
		return storm_attach(me, other, cg);
	case 13:
		return may_be_gone(storm_look(cg));
	case 14:
		return may_be_gone(storm_set_timeout(me, cg));
	default:
		return storm_spawn(me, cg);
	}
}

/* Somewhere else, where the test has a group for itself. */
static int storm_step(struct stormer *me)
{
	char cg[32], other[32];
	int group = random_cgroup(me, cg, sizeof(cg));
	int second = random_cgroup(me, other, sizeof(other));
	int ret = 0;

	if (pthread_rwlock_tryrdlock(&storm->locks[group]))
		return 0;
	if (!pthread_rwlock_tryrdlock(&storm->locks[second])) {
		ret = storm_act(me, cg, other);
		atomic_fetch_add(&storm->ops, 1);
		pthread_rwlock_unlock(&storm->locks[second]);
	}
	pthread_rwlock_unlock(&storm->locks[group]);
	return ret;
}

void stormer_main(struct worker *w)
{
	struct stormer me = { .seed = atomic_fetch_add(&storm->seed, 1) };
	int ret;

	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (!atomic_load(&storm->stop)) {
		ret = storm_step(&me);
		if (ret) {
			fprintf(stderr, "# stormer: error %d\n", ret);
			_exit(1);
		}
		slot_tick(w->slots);
	}
}
