/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The storm: processes that freeze, thaw, kill, move, make and remove at
 * random, and a crowd in the cgroups that forks, execs and makes threads.
 *
 * The cgroups are groups "g0", "g1" ... of one that is always there and two
 * children of it that come and go.
 */
#ifndef FREEZER_STORM_H
#define FREEZER_STORM_H

#include <pthread.h>
#include <stdatomic.h>

#include "freezer_util.h"

#define NR_GROUPS	6
#define NR_CHILDREN	2
#define MAX_LISTED	512
#define CROWD_ARG	"--crowd"

/**
 * struct storm - what stormers, crowd and test share
 * @locks: for each group; a stormer that touches it is a reader
 * @stop: the end for the stormers
 * @seed: for the next stormer
 * @ops: how many things the stormers have done
 * @counts: for each PID, how far this process of the crowd has come
 */
struct storm {
	pthread_rwlock_t	locks[NR_GROUPS];
	atomic_bool		stop;
	atomic_uint		seed;
	atomic_ulong		ops;
	atomic_uint		counts[];
};

extern struct storm *storm;

int storm_create(unsigned int seed);
void stormer_main(struct worker *w);
/* What a process of the crowd goes on with after exec. */
int crowd_exec_main(char **argv);

/* The name of a group, or of its child 1, 2 ... */
void group_name(char *cg, size_t size, int group, int child);
/* 0 for an error that is none, as cgroups and tasks come and go. */
int may_be_gone(int ret);

#endif /* FREEZER_STORM_H */
