/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container freezer: what container_freezer.c, which keeps the state, and
 * container_freezer_stat.c, which shows it, know of each other.
 */
#ifndef _CONTAINER_FREEZER_INTERNAL_H
#define _CONTAINER_FREEZER_INTERNAL_H

#include <linux/cgroup.h>
#include <linux/kernfs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/types.h>

enum freezer_state {
	FREEZER_RUNNING,
	FREEZER_FREEZING,
	FREEZER_FROZEN,
};

/**
 * struct freezer_stat - what has happened to one cgroup; under freezer->lock
 * @nr_freezes: how often it has left RUNNING
 * @nr_kills: writes to its own freezer.kill
 * @timeouts: freezes that its own freezer.timeout has rolled back
 * @freezing_since: when it left RUNNING; 0 when RUNNING, or FROZEN since
 * @freezing_last: how long it took to become FROZEN the last time
 * @freezing_max: how long that took at worst
 * @frozen_since: when it became FROZEN; 0 if it is not
 * @frozen: how long it was FROZEN, without the present stretch
 *
 * Times are nanoseconds of the monotonic clock, which a system suspend stops.
 */
struct freezer_stat {
	u64	nr_freezes;
	u64	nr_kills;
	u64	timeouts;
	u64	freezing_since;
	u64	freezing_last;
	u64	freezing_max;
	u64	frozen_since;
	u64	frozen;
};

/* container_freezer.c */
enum freezer_state container_freezer_state(struct cgroup_subsys_state *css);
unsigned int container_freezer_nr_pending(struct cgroup_subsys_state *css);
bool container_freezer_has_pending(struct cgroup_subsys_state *css,
				   struct task_struct *task);
struct freezer_stat container_freezer_stat(struct cgroup_subsys_state *css);

/* container_freezer_stat.c */
void container_freezer_stat_settle(struct freezer_stat *stat,
				   enum freezer_state from,
				   enum freezer_state to);
int container_freezer_stat_show(struct seq_file *m, void *v);
int container_freezer_pending_open(struct kernfs_open_file *of);
void container_freezer_pending_release(struct kernfs_open_file *of);
void *container_freezer_pending_start(struct seq_file *m, loff_t *pos);
void *container_freezer_pending_next(struct seq_file *m, void *v, loff_t *pos);
void container_freezer_pending_stop(struct seq_file *m, void *v);
int container_freezer_pending_show(struct seq_file *m, void *v);

#endif /* _CONTAINER_FREEZER_INTERNAL_H */
