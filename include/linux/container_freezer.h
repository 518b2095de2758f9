/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container freezer: what the rest of the kernel calls.
 *
 * Everything here is an empty inline when CONFIG_CONTAINER_FREEZER is off.
 * The contract of the controller is at the top of
 * kernel/cgroup/container_freezer.c.
 */
#ifndef _LINUX_CONTAINER_FREEZER_H
#define _LINUX_CONTAINER_FREEZER_H

#include <linux/freezer.h>
#include <linux/sched.h>

struct cgroup_taskset;

#ifdef CONFIG_CONTAINER_FREEZER

void __container_freezer_count(struct task_struct *task);
bool __container_freezer_defers(struct task_struct *task, bool freeze);
void __container_freezer_uncount(struct task_struct *task);
void __container_freezer_migrate(struct cgroup_taskset *tset);
void __container_freezer_signal(struct task_struct *task);
bool container_freezer_wants_signal(int sig, struct task_struct *task);
void container_freezer_suspend(void);

/**
 * container_freezer_defers - is it too early to freeze @task?
 * @task: any task
 * @freeze: what freezing() has said of it, or true
 *
 * Workers of user space freeze when nobody is left who could wait for them.  Both
 * this and freezing() look whether that is so, and need not find the same.
 *
 * Context: Under the freezer_lock() of @task, which is thawed if it is frozen.
 * Return: true if so; then @task is pending, and the container freezer comes
 * again.
 */
static inline bool container_freezer_defers(struct task_struct *task, bool freeze)
{
	return unlikely(task->flags & PF_USER_WORKER) &&
	       __container_freezer_defers(task, freeze);
}

/**
 * container_freezer_pending - a freeze request for @task is about to be sent
 * @task: a task that could not be frozen in place
 *
 * Context: Under the freezer_lock() of @task, before it is woken; it is not
 * frozen.
 */
static inline void container_freezer_pending(struct task_struct *task)
{
	__container_freezer_count(task);
}

/**
 * container_freezer_settled - nobody has to wait for @task any longer
 * @task: a task that is frozen, or that need not freeze
 *
 * Context: Either under the freezer_lock() of @task, or it is current and in the
 * refrigerator, where it checks freezing() again before it leaves.
 * Return: true if somebody had to; then spinlock_t was taken, which sleeps with
 * PREEMPT_RT.
 */
static inline bool container_freezer_settled(struct task_struct *task)
{
	/* Pairs with WRITE_ONCE() in __container_freezer_count(). */
	if (likely(!READ_ONCE(task->freezer_pending)))
		return false;

	__container_freezer_uncount(task);
	return true;
}

/**
 * container_freezer_freezing - must @task stay frozen?
 * @task: a task that some freezer wants to thaw
 *
 * A task can be wanted frozen by its cgroup and by system suspend at once, and
 * stays frozen until neither wants it.  Suspend freezes workers in no order; they
 * go on if their turn in the cgroup has not come.
 *
 * Context: Under the freezer_lock() of @task, which orders this read before those
 * of all who freeze @task later.
 * Return: true if another freezer still wants @task frozen.
 */
static inline bool container_freezer_freezing(struct task_struct *task)
{
	return freezing(task) && !container_freezer_defers(task, true);
}

/**
 * container_freezer_migrate - tasks have changed their css_sets
 * @tset: the tasks
 *
 * Called for each move and not only for those into another freezer: a walk of
 * the tasks of a cgroup misses the ones that jump over it between two css_sets,
 * and so does the walk of freezer.kill.
 *
 * Context: In the same section under css_set_lock as the move; the tasks are on
 * the lists of their new css_sets.
 */
static inline void container_freezer_migrate(struct cgroup_taskset *tset)
{
	__container_freezer_migrate(tset);
}

/**
 * container_freezer_signal - @task was just woken for a signal or its tracer
 * @task: the task, which may be frozen
 *
 * Context: Under the siglock of @task, after a wakeup for a state in which the
 * signal ends a sleep.
 */
static inline void container_freezer_signal(struct task_struct *task)
{
	if (static_branch_unlikely(&freezer_active) &&
	    unlikely(READ_ONCE(task->__state) & TASK_FROZEN))
		__container_freezer_signal(task);
}

#else /* !CONFIG_CONTAINER_FREEZER */

static inline void container_freezer_migrate(struct cgroup_taskset *tset) {}
static inline void container_freezer_pending(struct task_struct *task) {}
static inline void container_freezer_signal(struct task_struct *task) {}
static inline void container_freezer_suspend(void) {}

static inline bool container_freezer_settled(struct task_struct *task)
{
	return false;
}

static inline bool container_freezer_defers(struct task_struct *task, bool freeze)
{
	return false;
}

static inline bool container_freezer_freezing(struct task_struct *task)
{
	return false;
}

static inline bool container_freezer_wants_signal(int sig,
						  struct task_struct *task)
{
	return false;
}

#endif /* CONFIG_CONTAINER_FREEZER */

#endif /* _LINUX_CONTAINER_FREEZER_H */
