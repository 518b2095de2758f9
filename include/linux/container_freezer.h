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

#ifdef CONFIG_CONTAINER_FREEZER

void __container_freezer_count(struct task_struct *task);
void __container_freezer_uncount(struct task_struct *task);
void __container_freezer_conform(struct task_struct *task);

/**
 * container_freezer_pending - a freeze request for @task is about to be sent
 * @task: a task that could not be frozen in place
 *
 * Context: Under freezer_lock, before @task is woken; @task is not frozen.
 */
static inline void container_freezer_pending(struct task_struct *task)
{
	__container_freezer_count(task);
}

/**
 * container_freezer_settled - nobody has to wait for @task any longer
 * @task: a task that is frozen, or that need not freeze
 *
 * Context: Either under freezer_lock, or @task is current and in the
 * refrigerator, where it checks freezing() again before it leaves.
 */
static inline void container_freezer_settled(struct task_struct *task)
{
	/* Pairs with WRITE_ONCE() in __container_freezer_count(). */
	if (unlikely(READ_ONCE(task->freezer_pending)))
		__container_freezer_uncount(task);
}

/**
 * container_freezer_freezing - must @task stay frozen?
 * @task: a task that some freezer wants to thaw
 *
 * A task can be wanted frozen by its cgroup and by system suspend at once, and
 * stays frozen until neither wants it.
 *
 * Context: Under freezer_lock, which orders this read of the wish before those
 * of all who freeze @task later.
 * Return: true if another freezer still wants @task frozen.
 */
static inline bool container_freezer_freezing(struct task_struct *task)
{
	return freezing(task);
}

/**
 * container_freezer_migrate - @task has changed its css_set
 * @task: the task that was moved
 *
 * Called for each move and not only for those into another freezer: a walk of
 * the tasks of a cgroup misses the ones that jump over it between two css_sets.
 *
 * Context: Under css_set_lock, @task is on the list of its new css_set.
 */
static inline void container_freezer_migrate(struct task_struct *task)
{
	if (static_branch_unlikely(&freezer_active))
		__container_freezer_conform(task);
}

#else /* !CONFIG_CONTAINER_FREEZER */

static inline void container_freezer_pending(struct task_struct *task) {}
static inline void container_freezer_settled(struct task_struct *task) {}
static inline void container_freezer_migrate(struct task_struct *task) {}

static inline bool container_freezer_freezing(struct task_struct *task)
{
	return false;
}

#endif /* CONFIG_CONTAINER_FREEZER */

#endif /* _LINUX_CONTAINER_FREEZER_H */
