// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: what freezer.stat and freezer.pending show, and the time
 * accounting for the former.
 *
 * Both files go over the tasks of a subtree one by one, with no lock held from
 * one to the next, so what they say about a container in motion is not a
 * snapshot.  freezer.pending passes over cgroups in which nothing is pending.
 */

#include <linux/cgroup.h>
#include <linux/freezer.h>
#include <linux/kallsyms.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/ptrace.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string_helpers.h>
#include <linux/timekeeping.h>

#include "cgroup-internal.h"
#include "container_freezer_internal.h"

/**
 * struct freezer_tasks - a walk over the tasks of a subtree
 * @top: the cgroup at the top of the subtree
 * @css: the cgroup that the walk is in, with a reference; NULL at the end
 * @pending: go over pending tasks only
 * @it: in @css; pins the task that the walk is at
 *
 * Each open freezer.pending has one, which lives from open to release and is
 * protected by the lock of that seq_file.  A reader of freezer.stat has one on
 * its stack.
 */
struct freezer_tasks {
	struct cgroup_subsys_state	*top;
	struct cgroup_subsys_state	*css;
	bool				pending;
	struct css_task_iter		it;
};

static void freezer_tasks_enter(struct freezer_tasks *walk,
				struct cgroup_subsys_state *css)
{
	walk->css = css;
	if (css)
		css_task_iter_start(css, 0, &walk->it);
}

/* Leave a cgroup, if the walk is in one, but keep the reference. */
static struct cgroup_subsys_state *freezer_tasks_leave(struct freezer_tasks *walk)
{
	struct cgroup_subsys_state *css = walk->css;

	walk->css = NULL;
	if (css)
		css_task_iter_end(&walk->it);
	return css;
}

static void freezer_tasks_end(struct freezer_tasks *walk)
{
	struct cgroup_subsys_state *css = freezer_tasks_leave(walk);

	if (css)
		css_put(css);
}

static void freezer_tasks_begin(struct freezer_tasks *walk,
				struct cgroup_subsys_state *top, bool pending)
{
	walk->top = top;
	walk->pending = pending;
	css_get(top);
	freezer_tasks_enter(walk, top);
}

/* The next cgroup that is worth a visit, with a reference. */
static struct cgroup_subsys_state *
freezer_tasks_next_css(struct freezer_tasks *walk,
		       struct cgroup_subsys_state *css)
{
	struct cgroup_subsys_state *pos = css;

	rcu_read_lock();
	do {
		pos = css_next_descendant_pre(pos, walk->top);
	} while (pos && ((walk->pending && !container_freezer_nr_pending(pos)) ||
			 !css_tryget(pos)));
	rcu_read_unlock();

	css_put(css);
	return pos;
}

/* The next task of the cgroup that the walk is in. */
static struct task_struct *freezer_tasks_next_here(struct freezer_tasks *walk)
{
	struct task_struct *task;

	do {
		cond_resched();
		task = css_task_iter_next(&walk->it);
	} while (task && walk->pending &&
		 !container_freezer_has_pending(walk->css, task));
	return task;
}

/* The next task, which is pinned until the next call. */
static struct task_struct *freezer_tasks_next(struct freezer_tasks *walk)
{
	struct cgroup_subsys_state *css;
	struct task_struct *task = NULL;

	while (walk->css && !(task = freezer_tasks_next_here(walk))) {
		css = freezer_tasks_leave(walk);
		freezer_tasks_enter(walk, freezer_tasks_next_css(walk, css));
	}
	return task;
}

/**
 * container_freezer_stat_settle - account for a change of state
 * @stat: that of the cgroup
 * @from: the state until now
 * @to: the state from now on, a different one
 *
 * A cgroup that goes from FROZEN back to FREEZING, because something has come
 * in, does not begin a new freeze.
 *
 * Context: Under the lock of the freezer that has @stat.
 */
void container_freezer_stat_settle(struct freezer_stat *stat,
				   enum freezer_state from,
				   enum freezer_state to)
{
	u64 now = ktime_get_ns();

	if (from == FREEZER_RUNNING) {
		stat->nr_freezes++;
		stat->freezing_since = now;
	} else if (from == FREEZER_FROZEN) {
		stat->frozen += now - stat->frozen_since;
		stat->frozen_since = 0;
	}

	if (to == FREEZER_FROZEN) {
		stat->frozen_since = now;
		if (stat->freezing_since)
			stat->freezing_last = now - stat->freezing_since;
		stat->freezing_max = max(stat->freezing_max,
					 stat->freezing_last);
	}
	if (to != FREEZER_FREEZING)
		stat->freezing_since = 0;
}

struct freezer_count {
	unsigned long	tasks;
	unsigned long	frozen;
	unsigned long	pending;
};

/* Sums over all tasks of the subtree that the freezer deals with. */
static void freezer_count_tasks(struct cgroup_subsys_state *css,
				struct freezer_count *count)
{
	bool is_freezing = container_freezer_state(css) == FREEZER_FREEZING;
	struct freezer_tasks walk;
	struct task_struct *task;

	freezer_tasks_begin(&walk, css, false);
	while ((task = freezer_tasks_next(&walk))) {
		if (task->flags & PF_KTHREAD)
			continue;
		count->tasks++;
		/* A thawed task is TASK_FROZEN once more while it checks. */
		count->frozen += frozen(task) && freezing(task);
		count->pending += is_freezing &&
				  container_freezer_has_pending(walk.css, task);
	}
	freezer_tasks_end(&walk);
}

static void freezer_show_usec(struct seq_file *m, const char *key, u64 nsec)
{
	seq_printf(m, "%s %llu\n", key, div_u64(nsec, NSEC_PER_USEC));
}

/* Keys are permanent: new ones go last. */
int container_freezer_stat_show(struct seq_file *m, void *v)
{
	struct cgroup_subsys_state *css = seq_css(m);
	struct freezer_count count = { };
	struct freezer_stat stat;

	freezer_count_tasks(css, &count);
	stat = container_freezer_stat(css);
	seq_printf(m, "nr_tasks %lu\n", count.tasks);
	seq_printf(m, "nr_frozen %lu\n", count.frozen);
	seq_printf(m, "nr_pending %lu\n", count.pending);
	seq_printf(m, "nr_freezes %llu\n", stat.nr_freezes);
	seq_printf(m, "nr_kills %llu\n", stat.nr_kills);
	freezer_show_usec(m, "frozen_usec", stat.frozen);
	freezer_show_usec(m, "freezing_usec", stat.freezing_last);
	freezer_show_usec(m, "freezing_max_usec", stat.freezing_max);
	seq_printf(m, "timeouts %llu\n", stat.timeouts);
	return 0;
}

static struct cgroup_file_ctx *of_ctx(struct kernfs_open_file *of)
{
	return of->priv;
}

int container_freezer_pending_open(struct kernfs_open_file *of)
{
	struct freezer_tasks *walk = kzalloc(sizeof(*walk), GFP_KERNEL);

	of_ctx(of)->freezer_tasks = walk;
	return walk ? 0 : -ENOMEM;
}

/* At the last close, or when the cgroup is removed. */
void container_freezer_pending_release(struct kernfs_open_file *of)
{
	struct freezer_tasks *walk = of_ctx(of)->freezer_tasks;

	freezer_tasks_end(walk);
	kfree(walk);
}

/**
 * container_freezer_pending_start - begin to read freezer.pending, or go on
 * @m: the open file
 * @pos: 0, or where the last read ended: at the task that the walk is at
 *
 * Context: Process context, under the lock of @m.  Only references are held
 * from one read to the next.
 * Return: a task, or NULL at the end.
 */
void *container_freezer_pending_start(struct seq_file *m, loff_t *pos)
{
	struct freezer_tasks *walk = of_ctx(m->private)->freezer_tasks;
	struct cgroup_subsys_state *css = seq_css(m);

	if (*pos)
		return walk->css ? walk->it.cur_task : NULL;

	freezer_tasks_end(walk);
	/* It can be RUNNING and have a descendant that is FREEZING. */
	if (container_freezer_state(css) != FREEZER_FREEZING)
		return NULL;
	freezer_tasks_begin(walk, css, true);
	return freezer_tasks_next(walk);
}

void *container_freezer_pending_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return freezer_tasks_next(of_ctx(m->private)->freezer_tasks);
}

void container_freezer_pending_stop(struct seq_file *m, void *v)
{
}

/* As one word: a program may call itself anything. */
static void freezer_show_comm(struct seq_file *m, struct task_struct *task)
{
	char comm[TASK_COMM_LEN];

	get_task_comm(comm, task);
	if (!*comm)
		strscpy(comm, "-");
	seq_escape_mem(m, comm, strlen(comm),
		       ESCAPE_OCTAL | ESCAPE_NAP | ESCAPE_APPEND, " \\");
}

/* As in /proc/PID/wchan, and 0 where that cannot be read at once. */
static void freezer_show_wchan(struct seq_file *m, struct task_struct *task)
{
	struct rw_semaphore *lock = &task->signal->exec_update_lock;
	char name[KSYM_NAME_LEN];
	unsigned long wchan = 0;

	/* The freezer may be waiting for the task that has it. */
	if (down_read_trylock(lock)) {
		if (ptrace_may_access(task, PTRACE_MODE_READ_FSCREDS))
			wchan = get_wchan(task);
		up_read(lock);
	}
	if (wchan && !lookup_symbol_name(wchan, name))
		seq_puts(m, name);
	else
		seq_putc(m, '0');
}

/* Without cgroup_mutex: rmdir waits for readers while it holds that. */
static void freezer_show_path(struct seq_file *m, struct cgroup *cgrp)
{
	char *buf;
	size_t size = seq_get_buf(m, &buf);
	int len = -E2BIG;

	if (size) {
		spin_lock_irq(&css_set_lock);
		len = cgroup_path_ns_locked(cgrp, buf, size,
					    of_ctx(m->private)->ns);
		spin_unlock_irq(&css_set_lock);
	}
	seq_commit(m, len);
}

int container_freezer_pending_show(struct seq_file *m, void *v)
{
	struct cgroup_subsys_state *css = of_ctx(m->private)->freezer_tasks->css;
	struct task_struct *task = v;

	/* It was pending, but the last read may be long ago. */
	if (!container_freezer_has_pending(css, task))
		return SEQ_SKIP;

	seq_printf(m, "%d %d ", task_tgid_vnr(task), task_pid_vnr(task));
	freezer_show_comm(m, task);
	seq_printf(m, " %c ", task_state_to_char(task));
	freezer_show_wchan(m, task);
	seq_putc(m, ' ');
	freezer_show_path(m, css->cgroup);
	seq_putc(m, '\n');
	return 0;
}
