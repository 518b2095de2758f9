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
void container_freezer_migrate(struct cgroup_taskset *tset);
void __container_freezer_signal(struct task_struct *task);
bool container_freezer_wants_signal(int sig, struct task_struct *task);
void container_freezer_suspend(void);

/**
 * container_freezer_defers - is it too early to freeze @task?
 * @task: any task
 * @freeze: what freezing() has said of it, or true
 *
 * User workers freeze when no task is left that could wait for them.  Both this
 * and freezing() check for that, and may not find the same.
 *
 * Context: Under the freezer_lock() of @task, which is thawed if it is frozen.
 * Return: true if so; then @task is pending, and the container freezer comes
 * back to it.
 */
static inline bool container_freezer_defers(struct task_struct *task, bool freeze)
{
	return unlikely(task->flags & PF_USER_WORKER) &&
	       __container_freezer_defers(task, freeze);
}

/**
 * container_freezer_pending - a freeze request for @task is about to be sent
 * @task: a task that could not be frozen in place, or is about to be thawed
 *
 * Context: Under the freezer_lock() of @task, before it is woken.
 */
static inline void container_freezer_pending(struct task_struct *task)
{
	__container_freezer_count(task);
}

/**
 * container_freezer_settled - nobody has to wait for @task any longer
 * @task: a task that is frozen, or that need not freeze
 *
 * Context: Under the freezer_lock() of @task; or it is current, in exit or in
 * the refrigerator, where it checks freezing() again before it leaves.
 * Return: true if somebody had to; then a spinlock_t was taken, which can sleep
 * with PREEMPT_RT.
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
 * Both its cgroup and system suspend can want a task frozen at once, and it
 * stays frozen until neither does.  Suspend freezes workers in no particular
 * order; they go on if their turn in the cgroup has not come.
 *
 * Context: Under the freezer_lock() of @task, which orders this read before the
 * reads of any later freeze of @task.
 * Return: true if another freezer still wants @task frozen.
 */
static inline bool container_freezer_freezing(struct task_struct *task)
{
	return freezing(task) && !container_freezer_defers(task, true);
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
