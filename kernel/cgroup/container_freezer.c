// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container freezer: stop, resume and kill all tasks of a cgroup.
 *
 * Purpose: freezer.freeze takes 1 and 0 and reads as a state; freezer.kill
 * takes a signal number.  Both act on the whole subtree.  freezer.timeout ends
 * a freeze that is not FROZEN in time.  freezer.state of v1, known to clients
 * of the legacy freezer, makes the same request.  freezer.pending and
 * freezer.stat, which show what goes on, are in container_freezer_stat.c.
 *
 * Terms.  A cgroup is "requested" when it was itself asked to freeze, and
 * "effective" when it or an ancestor is requested; tasks obey the effective
 * wish.  It "closes" when it was asked through freezer.freeze: no task may
 * enter a FROZEN cgroup while it or an ancestor closes.  A task is "pending"
 * when it must freeze and has not yet.  It is "excused" while it cannot reach
 * user mode and has something to do first: to die, or to report to its tracer.
 *
 *   RUNNING   not effective
 *   FREEZING  effective, and something in the subtree is pending
 *   FROZEN    effective, and nothing in the subtree can run user code
 *
 * All of this, and each change of state, is under the freezer->lock of the
 * cgroup itself.  Only freezer_settle() moves the state; freezer_climb()
 * reports the change to the ancestors, level by level.
 *
 * Counting.  freezer_walk() freezes sleeping tasks where they sleep.  A task
 * that must still freeze gets a mark, task->freezer_pending, which says which
 * freezer counted it.  The mark is set under the task's freezer_lock() (of
 * kernel/freezer.c) and that freezer's lock.  It is cleared under the latter by
 * whichever comes first: the task in the refrigerator or in exit, or the code
 * that freezes, thaws or moves it.  FROZEN is then a matter of counters: no
 * mark, no child that is not FROZEN, and no hold.  The walk of a new wish,
 * migrations and CLONE_INTO_CGROUP hold the cgroup: it is not FROZEN before the
 * walk has seen all tasks, nor before the tasks that move in have arrived.
 *
 * Level, not edge.  Each change stores the wish first and passes it on second;
 * each receiver reads the current wish under its own lock: a child cgroup reads
 * its parent's wish in freezer_wish(), a parent reads its child's state in
 * freezer_report(), and conform_tasks() and __thaw_task() read the wish of the
 * cgroup under freezer_lock().  The last visit acts on the newest wish, so an
 * old walk that comes late does no harm, and no lock is held across a walk.
 *
 * Locks: css_set_lock > freezer_lock() > siglock > freezer->lock >
 * cgroup_file_kn_lock; css_set_lock > freezer_kill_lock > siglock.
 * No two freezer->lock nest.  Freeze, thaw, kill and read do not take
 * cgroup_mutex.  freezer_active is patched with no lock of ours held.
 *
 * Races, and why they are safe:
 * - fork: the child is on the list of its css_set before freezer_fork() reads
 *   the wish, so either that or the walk finds it; it has not been in user mode
 *   yet.  Its parent is not excused until then, so FROZEN does not come first.
 *   CLONE_INTO_CGROUP holds the target from freezer_can_fork() on.
 * - attach: the mover holds the target from freezer_can_attach() on, and
 *   container_freezer_migrate() makes the tasks conform; see cgroup_freezing().
 * - exit: the walk sets the mark, then looks at PF_EXITING; the task sets
 *   PF_EXITING, then looks at the mark.  One of them sees the other's store.
 * - mkdir: the child is on its parent's list before it reads the wish; the walk
 *   stores the wish before it reads the list.
 * - rebind: tasks stay on the css of a hierarchy that has lost the controller;
 *   css_offline thaws them, and a dead css is never effective.
 * - refrigerator: a task clears its mark only after freezing() was true under
 *   freezer_lock(), and checks again before it leaves.
 * - timeout: freezer_expire() takes the request back under the lock, and only
 *   if the deadline found there has come: a thaw and FROZEN clear it, and a
 *   newer freeze has a later one.
 * - sleeps that ignore the request (vfork, a group stop) and begin after the
 *   walk went by: freezer_retry() looks again while a task is pending.
 * - signals, kill against fork and migration, and tasks that wait for a worker:
 *   see freezer_excuses(), struct freezer_kill and freezer_others_come_first().
 *
 * Not promised:
 * - Order.  Tasks freeze, thaw and get signals in no defined order.
 * - That a task stuck in the kernel freezes: FREEZING lasts as long as it is.
 * - That freezer.kill signals a process only once, while more than eight writes
 *   are under way: it can get the signal of one of them again.  Nor that a
 *   child gets all signals sent during its fork, if there are more than eight;
 *   but it gets SIGKILL, unless its parent is init.
 * - Kernel threads are neither frozen nor counted nor killed.
 */

#include <linux/cgroup.h>
#include <linux/container_freezer.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate_wait.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>

#include "cgroup-internal.h"
#include "container_freezer_internal.h"

#define CREATE_TRACE_POINTS
#include <trace/events/container_freezer.h>

/*
 * How long freezer_active stays enabled after the last thaw, in jiffies.
 * Patching the key costs more than freezing a thousand tasks.
 */
#define FREEZER_KEY_LINGER	(10 * HZ)

/* The longest pause between two looks at tasks that are pending, in jiffies. */
#define FREEZER_RETRY_MAX	HZ

/*
 * How many tasks a walk takes at a time, and how many of them it freezes at a
 * time: css_set_lock and interrupts are shared with the whole host.  Most
 * containers are taken in one go; the addresses of so many tasks take 1 KB of
 * stack.
 */
#define FREEZER_WALK		128
#define FREEZER_BATCH		8

/* The longest that freezer.timeout can be, in milliseconds. */
#define FREEZER_TIMEOUT_MAX	(60 * 60 * MSEC_PER_SEC)

static const char * const freezer_state_words[] = {
	[FREEZER_RUNNING]	= "RUNNING",
	[FREEZER_FREEZING]	= "FREEZING",
	[FREEZER_FROZEN]	= "FROZEN",
};

/**
 * struct freezer - the freezer of one cgroup
 * @css: lives from mkdir until an RCU grace period after the last reference
 * @lock: protects the fields marked so below; taken with interrupts off
 * @dead: css_offline was called: not effective, no matter who asks for it; read
 *	without @lock by freezer_report()
 * @requested: the wish of this cgroup itself; read without @lock by readers
 * @closes: @requested, and through freezer.freeze; read without @lock by
 *	freezer_is_closed()
 * @effective: @requested, or the parent's @effective; read without @lock by
 *	tasks and children, to which each change is then passed on
 * @state: read without @lock by readers and by freezer_report()
 * @nr_pending: tasks with a mark of this freezer
 * @nr_pending_workers: those of them with PF_USER_WORKER
 * @nr_holds: walks of a new wish and moves that are under way; the cgroup does
 *	not become FROZEN while there is one
 * @nr_unfrozen_children: children with @reported
 * @retry_delay: the next pause of @retry, in jiffies
 * @timeout: how long the next freeze may take, in milliseconds; 0 is for ever;
 *	read without @lock by readers
 * @allowed: what @timeout was when the present freeze began
 * @deadline: when the present freeze is rolled back, in jiffies; 0 is never
 * @stat: what freezer.stat shows
 * @untold: readers have yet to be notified that the state is FREEZING
 * @reported: counted in the parent's @nr_unfrozen_children; protected by the
 *	parent's @lock
 * @state_file: notified on each change of @state
 * @retry: looks again at tasks that stay pending; cancelled in css_free
 * @rollback: runs at the deadline; cancelled in css_free
 */
struct freezer {
	struct cgroup_subsys_state	css;

	/* no two of these nest; see "Locks" above */
	spinlock_t			lock;

	/* protected by @lock */
	bool				dead;
	bool				requested;
	bool				closes;
	bool				effective;
	enum freezer_state		state;
	unsigned int			nr_pending;
	unsigned int			nr_pending_workers;
	unsigned int			nr_holds;
	unsigned int			nr_unfrozen_children;
	unsigned int			retry_delay;
	unsigned int			timeout;
	unsigned int			allowed;
	u64				deadline;
	struct freezer_stat		stat;
	bool				untold;

	/* protected by the parent's @lock */
	bool				reported;

	/* do their own locking */
	struct cgroup_file		state_file;
	struct delayed_work		retry;
	struct delayed_work		rollback;
};

static struct freezer *css_freezer(struct cgroup_subsys_state *css)
{
	return container_of(css, struct freezer, css);
}

static struct freezer *css_set_freezer(struct css_set *cset)
{
	return css_freezer(cset->subsys[freezer_cgrp_id]);
}

static struct freezer *task_freezer(struct task_struct *task)
{
	return css_freezer(task_css(task, freezer_cgrp_id));
}

/* The root is never frozen, so nothing is reported to it: NULL ends a climb. */
static struct freezer *parent_freezer(struct freezer *freezer)
{
	struct cgroup_subsys_state *parent = freezer->css.parent;

	return parent && parent->parent ? css_freezer(parent) : NULL;
}

static bool freezer_signal_is_fatal(struct sighand_struct *sighand, int sig)
{
	return !siginmask(sig, SIG_KERNEL_IGNORE_MASK | SIG_KERNEL_STOP_MASK) &&
	       READ_ONCE(sighand->action[sig - 1].sa.sa_handler) == SIG_DFL;
}

/*
 * What @task would dequeue.  READ_ONCE() here and below is needed as signal.c,
 * ptrace.c and exec use plain stores, under siglock.
 */
static void freezer_ready_signals(struct task_struct *task, sigset_t *ready)
{
	sigset_t *shared = &task->signal->shared_pending.signal;
	unsigned int i;

	for (i = 0; i < _NSIG_WORDS; i++)
		ready->sig[i] = (READ_ONCE(task->pending.signal.sig[i]) |
				 READ_ONCE(shared->sig[i])) &
				~READ_ONCE(task->blocked.sig[i]);
}

static bool freezer_signals_excuse(struct task_struct *task,
				   struct sighand_struct *sighand)
{
	unsigned int bit;
	sigset_t ready;

	freezer_ready_signals(task, &ready);
	if (sigismember(&ready, SIGKILL))
		return true;

	/* Whatever it is, the tracer is asked first, in a stop. */
	if (READ_ONCE(task->ptrace))
		return (READ_ONCE(task->jobctl) & JOBCTL_PENDING_MASK) ||
		       !sigisemptyset(&ready);

	if (READ_ONCE(task->signal->flags) & SIGNAL_UNKILLABLE)
		return false;
	/* sigtimedwait() unblocks what it will take. */
	sigandnsets(&ready, &ready, &task->real_blocked);
	for_each_set_bit(bit, ready.sig, _NSIG)
		if (freezer_signal_is_fatal(sighand, bit + 1))
			return true;
	return false;
}

/* Does what is pending for @task excuse it, no matter where it is? */
static bool freezer_pending_excuses(struct task_struct *task)
{
	struct sighand_struct *sighand;
	bool ret;

	rcu_read_lock();
	/* NULL if the task has exited meanwhile. */
	sighand = rcu_dereference(task->sighand);
	ret = !sighand || (READ_ONCE(task->signal->flags) & SIGNAL_GROUP_EXIT) ||
	      freezer_signals_excuse(task, sighand);
	rcu_read_unlock();

	return ret;
}

/* The rest of freezer_excuses(), which few tasks reach. */
static noinline bool freezer_excuses_slow(struct task_struct *task)
{
	if (!freezer_pending_excuses(task))
		return false;

	/*
	 * Pairs with smp_mb() in freezer_begin_fork(): if we do not see that
	 * the task forks, it sees there that its cgroup is effective, and sees
	 * its signals.
	 */
	smp_mb();
	/* The task writes it, with other bits of the same word. */
	return data_race(!task->freezer_forks);
}

/**
 * freezer_excuses - does @task have work that the freezer must not delay?
 * @task: a task of an effective cgroup
 *
 * It does if it is to die or, when it is traced, if it is to stop for its
 * tracer; but not in the middle of a fork, see freezer_begin_fork().  An
 * excused task does not count as pending, as it runs no user code: it has
 * TIF_SIGPENDING, or is past the signal that ends it.  recalc_sigpending()
 * leaves the flag set in an effective cgroup.  So a task that is no longer
 * excused, as its tracer has taken the signal or another thread now ignores it,
 * comes to the refrigerator before user mode.
 *
 * Context: Any, with or without siglock, which callers of freezing() may hold.
 * Without it the answer may miss a signal that is just being sent; then
 * __container_freezer_signal() comes after us, and finds what we have done.
 * Return: true if so.
 */
static __always_inline bool freezer_excuses(struct task_struct *task)
{
	if (READ_ONCE(task->flags) & (PF_EXITING | PF_SIGNALED))
		return true;
	if (likely(!task_sigpending(task) &&
		   !(READ_ONCE(task->signal->flags) & SIGNAL_GROUP_EXIT)))
		return false;

	return freezer_excuses_slow(task);
}

/*
 * Workers of io_uring and vhost freeze last.  They run no user code, but tasks
 * wait for them in exec, exit, ioctl and close, and cannot freeze until these
 * waits are over.
 */
static bool freezer_others_come_first(struct freezer *freezer)
{
	lockdep_assert_held(&freezer->lock);

	return freezer->nr_holds ||
	       freezer->nr_pending != freezer->nr_pending_workers;
}

/* Call the workers, if there are any and it is their turn. */
static void freezer_call_workers(struct freezer *freezer)
{
	lockdep_assert_held(&freezer->lock);

	if (freezer->nr_pending_workers && !freezer_others_come_first(freezer))
		mod_delayed_work(system_wq, &freezer->retry, 0);
}

static bool freezer_turn_is_to_come(struct freezer *freezer)
{
	unsigned long flags;
	bool ret;

	spin_lock_irqsave(&freezer->lock, flags);
	ret = freezer_others_come_first(freezer);
	spin_unlock_irqrestore(&freezer->lock, flags);

	return ret;
}

/*
 * A worker without a mark need not wait: it is frozen already, or it was
 * excused and keeps its request, so that it comes to the refrigerator and gets
 * a mark there.
 */
static noinline bool freezer_defers_worker(struct task_struct *task)
{
	bool ret;

	/* Pairs with WRITE_ONCE() in __container_freezer_count(). */
	if (!READ_ONCE(task->freezer_pending) || READ_ONCE(pm_freezing))
		return false;

	rcu_read_lock();
	ret = freezer_turn_is_to_come(task_freezer(task));
	rcu_read_unlock();

	return ret;
}

/* Is @task to be frozen by @freezer, now or later? */
static bool freezer_wants(struct freezer *freezer, struct task_struct *task)
{
	/* Pairs with WRITE_ONCE() in freezer_apply_held(). */
	return READ_ONCE(freezer->effective) && !freezer_excuses(task);
}

/* The freezer of a task, for callers that have disabled preemption. */
static struct freezer *task_freezer_sched(struct task_struct *task)
{
	return css_freezer(task_css_check(task, freezer_cgrp_id,
					  rcu_read_lock_sched_held()));
}

/**
 * cgroup_freezing - does the cgroup of @task want it frozen?
 * @task: any task
 *
 * Context: Any.  The answer stays valid only under freezer_lock(); see "Level,
 * not edge" above, and freezer_excuses().
 * Return: true if the cgroup is effective, and @task is not a kernel thread,
 * not excused, and not a worker with a mark whose turn has not come.
 */
bool cgroup_freezing(struct task_struct *task)
{
	struct freezer *freezer;
	bool ret;

	if (task->flags & PF_KTHREAD)
		return false;

	/* As good as rcu_read_lock(), but cheaper: walks ask for each task. */
	rcu_read_lock_sched();
	do {
		freezer = task_freezer_sched(task);
		ret = freezer_wants(freezer, task);
		/*
		 * Pairs with the lock in freezer_is_busy(), which is taken
		 * after a move.  The old cgroup is made effective under the
		 * same lock, later, so that to see this is to see the move.
		 */
		smp_rmb();
	} while (ret && unlikely(freezer != task_freezer_sched(task)));
	rcu_read_unlock_sched();

	if (ret && unlikely(task->flags & PF_USER_WORKER))
		ret = !freezer_defers_worker(task);
	return ret;
}

/**
 * __container_freezer_signal - a signal came for a frozen task; is it excused?
 * @task: a task that was just sent a wakeup for a signal or for its tracer
 *
 * If that wakeup is one that ends the sleep of @task, it was remembered and
 * takes effect now.  Otherwise @task sleeps on, but not frozen, until what it
 * waits for comes, as a parent in vfork() does with a signal that dumps core.
 *
 * A freeze of @task that happens at the same time came either before that
 * wakeup took pi_lock, and we see it, or after it, and then sees TIF_SIGPENDING
 * and thaws @task again: see conform_tasks().  In the refrigerator @task
 * becomes TASK_FROZEN under pi_lock too, and looks for signals after that.
 *
 * System suspend counts a task that is already frozen as frozen, so no task is
 * woken while suspend is under way; see container_freezer_suspend().
 *
 * Context: Under the siglock of @task.
 */
void __container_freezer_signal(struct task_struct *task)
{
	lockdep_assert_held(&task->sighand->siglock);

	if (!(READ_ONCE(task->flags) & (PF_EXITING | PF_SIGNALED)) &&
	    !freezer_excuses_slow(task))
		return;

	/* A stopped task may lack it for signals that came meanwhile. */
	set_tsk_thread_flag(task, TIF_SIGPENDING);
	/* Pairs with synchronize_rcu() in container_freezer_suspend(). */
	if (!READ_ONCE(pm_freezing))
		thaw_frozen_task(task);
}

/**
 * container_freezer_wants_signal - can a task with TIF_SIGPENDING be chosen?
 * @sig: a signal that @task does not block
 * @task: a task that is neither stopped nor in a stop for its tracer
 *
 * The flag may come from a request to freeze, and then does not mean that @task
 * is about to dequeue signals: it is frozen, or in a sleep that only a fatal
 * signal ends, where the flag stays set even after the thaw.  A signal that
 * dumps core does not end such a sleep, and is left to another thread.
 *
 * Context: Under the siglock of @task.
 * Return: true if @sig is fatal to @task, or is for the tracer of a frozen one.
 */
bool container_freezer_wants_signal(int sig, struct task_struct *task)
{
	/* It cannot go away, as its lock is held. */
	struct sighand_struct *sighand = rcu_dereference_protected(task->sighand,
								   true);

	if (frozen(task))
		return task->ptrace || freezer_signal_is_fatal(sighand, sig);

	return !task->ptrace && !sig_kernel_coredump(sig) &&
	       freezer_signal_is_fatal(sighand, sig);
}

/**
 * container_freezer_suspend - system suspend is about to freeze all processes
 *
 * Waits for callers of __container_freezer_signal() that have not yet seen
 * pm_freezing: they hold a siglock, which RCU waits for, on PREEMPT_RT as well.
 * From then on a frozen task stays frozen until resume, which thaws excused
 * tasks.
 *
 * Context: Process context, pm_freezing is set.
 */
void container_freezer_suspend(void)
{
	synchronize_rcu();
}

/*
 * freezer_active is counted once for each requested cgroup.  References that
 * are no longer needed collect in freezer_key_idle and are dropped together,
 * FREEZER_KEY_LINGER after the last of them, so that cycles never patch code.
 */
static atomic_t freezer_key_idle = ATOMIC_INIT(0);

static void freezer_key_drop(struct work_struct *work)
{
	int nr = atomic_xchg(&freezer_key_idle, 0);

	while (nr--)
		static_branch_dec(&freezer_active);
}

static DECLARE_DELAYED_WORK(freezer_key_work, freezer_key_drop);

/* Take over one that lingers, or each cycle would leave one more. */
static void freezer_key_get(void)
{
	if (atomic_dec_if_positive(&freezer_key_idle) < 0)
		static_branch_inc(&freezer_active);
}

static void freezer_key_put(void)
{
	atomic_inc(&freezer_key_idle);
	mod_delayed_work(system_wq, &freezer_key_work, FREEZER_KEY_LINGER);
}

static void freezer_trace_state(struct freezer *freezer)
{
	struct cgroup *cgrp = freezer->css.cgroup;

	lockdep_assert_held(&freezer->lock);

	if (freezer->state == FREEZER_RUNNING)
		trace_freezer_thaw(cgrp, freezer->nr_pending,
				   freezer->nr_unfrozen_children,
				   freezer->nr_holds);
	else if (freezer->state == FREEZER_FREEZING)
		trace_freezer_freeze(cgrp, freezer->nr_pending,
				     freezer->nr_unfrozen_children,
				     freezer->nr_holds);
	else
		trace_freezer_frozen(cgrp, freezer->nr_pending,
				     freezer->nr_unfrozen_children,
				     freezer->nr_holds);
}

/*
 * FREEZING is notified only if it lasts: where all tasks sleep, the walk that
 * begins it also ends it, and FROZEN is then notified at once.  The second of
 * two notifications would have to wait, see CGROUP_FILE_NOTIFY_MIN_INTV.
 */
static void freezer_notify(struct freezer *freezer)
{
	lockdep_assert_held(&freezer->lock);

	freezer->untold = freezer->state == FREEZER_FREEZING &&
			  freezer->nr_holds;
	if (!freezer->untold)
		cgroup_file_notify(&freezer->state_file);
}

/**
 * freezer_settle - set the state to what the counters say
 * @freezer: the freezer, in which something has changed
 *
 * Context: Under @freezer->lock.
 * Return: true if the state has changed; then the caller owes a freezer_climb()
 * after it has dropped the lock.
 */
static bool freezer_settle(struct freezer *freezer)
{
	enum freezer_state state = FREEZER_FROZEN;

	lockdep_assert_held(&freezer->lock);

	if (!freezer->effective)
		state = FREEZER_RUNNING;
	else if (freezer->nr_pending || freezer->nr_holds ||
		 freezer->nr_unfrozen_children)
		state = FREEZER_FREEZING;

	if (state == freezer->state)
		return false;

	container_freezer_stat_settle(&freezer->stat, freezer->state, state);
	/* Pairs with READ_ONCE() in freezer_report(), container_freezer_state(). */
	WRITE_ONCE(freezer->state, state);
	if (state == FREEZER_FROZEN)
		freezer->deadline = 0;
	freezer_trace_state(freezer);
	freezer_notify(freezer);
	return true;
}

/**
 * freezer_report - count a child in its parent, as it is now
 * @freezer: the parent
 * @child: the child; its state was changed by the caller, or by somebody who
 *	will be here after us
 *
 * Context: Under @freezer->lock.
 * Return: as freezer_settle(), for @freezer.
 */
static bool freezer_report(struct freezer *freezer, struct freezer *child)
{
	bool unfrozen;

	lockdep_assert_held(&freezer->lock);

	/* Pair with WRITE_ONCE() in freezer_css_offline(), freezer_settle(). */
	unfrozen = !READ_ONCE(child->dead) &&
		   READ_ONCE(child->state) != FREEZER_FROZEN;
	if (unfrozen == child->reported)
		return false;

	child->reported = unfrozen;
	if (unfrozen)
		freezer->nr_unfrozen_children++;
	else
		freezer->nr_unfrozen_children--;
	return freezer_settle(freezer);
}

/**
 * freezer_climb - report a change of state of @freezer to its ancestors
 * @freezer: a freezer whose state has changed, or that is new or dead
 *
 * Stops where nothing changes: whatever changed that level goes on from there.
 *
 * Context: Under no freezer->lock.  @freezer is pinned by the caller, and pins
 * its ancestors.
 */
static void freezer_climb(struct freezer *freezer)
{
	struct freezer *parent;
	unsigned long flags;
	bool changed = true;

	while (changed && (parent = parent_freezer(freezer))) {
		spin_lock_irqsave(&parent->lock, flags);
		changed = freezer_report(parent, freezer);
		spin_unlock_irqrestore(&parent->lock, flags);
		freezer = parent;
	}
}

/**
 * __container_freezer_uncount - @task is no longer pending
 * @task: a task that may have a mark
 *
 * Context: See container_freezer_settled(), and freezer_exit().
 */
void __container_freezer_uncount(struct task_struct *task)
{
	struct freezer *freezer;
	unsigned long flags;
	bool changed = false;

	/* A freezer with a mark has or just had a task, so RCU pins it. */
	rcu_read_lock();
	/* Pairs with WRITE_ONCE() in __container_freezer_count(). */
	freezer = READ_ONCE(task->freezer_pending);
	if (!freezer)
		goto out;

	spin_lock_irqsave(&freezer->lock, flags);
	if (task->freezer_pending == freezer) {
		/* Pairs with READ_ONCE() in container_freezer_settled() etc. */
		WRITE_ONCE(task->freezer_pending, NULL);
		WARN_ON_ONCE(!freezer->nr_pending);
		freezer->nr_pending--;
		if (task->flags & PF_USER_WORKER)
			freezer->nr_pending_workers--;
		freezer_call_workers(freezer);
		changed = freezer_settle(freezer);
	}
	spin_unlock_irqrestore(&freezer->lock, flags);

	if (changed)
		freezer_climb(freezer);
out:
	rcu_read_unlock();
}

/**
 * __container_freezer_count - @task is pending in the freezer that it is in
 * @task: a task that is about to get a freeze request
 *
 * Does nothing if only system suspend wants @task frozen.
 *
 * Context: Under the freezer_lock() of @task, which is not frozen, or is thawed
 * under that lock.  So it has yet to take the lock to become frozen, and clears
 * the mark after that.
 */
void __container_freezer_count(struct task_struct *task)
{
	struct freezer *freezer;
	unsigned long flags;
	bool changed = false;

	lockdep_assert_held(&task->signal->freezer_lock);

	rcu_read_lock();
	freezer = task_freezer(task);
	/* Pairs with WRITE_ONCE() here and in __container_freezer_uncount(). */
	if (READ_ONCE(task->freezer_pending) == freezer)
		goto out;

	/* It may still be counted by a freezer that it has left. */
	container_freezer_settled(task);
	if ((task->flags & PF_KTHREAD) || !freezer_wants(freezer, task))
		goto out;

	spin_lock_irqsave(&freezer->lock, flags);
	if (freezer->effective) {
		/* Pairs with READ_ONCE() in container_freezer_settled() etc. */
		WRITE_ONCE(task->freezer_pending, freezer);
		if (task->flags & PF_USER_WORKER)
			freezer->nr_pending_workers++;
		if (!freezer->nr_pending++) {
			freezer->retry_delay = 1;
			/* The retry of an earlier freeze may be far away. */
			mod_delayed_work(system_wq, &freezer->retry, 1);
		}
		trace_freezer_pending(freezer->css.cgroup, task_pid_nr(task),
				      freezer->nr_pending);
		changed = freezer_settle(freezer);
	}
	spin_unlock_irqrestore(&freezer->lock, flags);

	if (changed)
		freezer_climb(freezer);

	/* Pairs with smp_mb() in freezer_exit(). */
	smp_mb();
	if (READ_ONCE(task->flags) & PF_EXITING)
		container_freezer_settled(task);
out:
	rcu_read_unlock();
}

/**
 * __container_freezer_defers - is it too early to freeze a worker?
 * @task: a task with PF_USER_WORKER; if it is too early, a frozen one is thawed
 * @freeze: what freezing() has said; false if its turn had not come, or if it
 *	need not freeze
 *
 * If so, it gets its mark, so that the cgroup is not FROZEN without it, and the
 * request later: freezer_call_workers() makes freezer_retry() send that.  If
 * its turn has come since this was checked, then the last one to leave saw that
 * mark, or a new mark is the first and makes freezer_retry() run soon.
 *
 * System suspend freezes workers in no particular order.
 *
 * Context: Under the freezer_lock() of @task.
 * Return: true if so.
 */
bool __container_freezer_defers(struct task_struct *task, bool freeze)
{
	struct freezer *freezer;
	bool ret;

	lockdep_assert_held(&task->signal->freezer_lock);

	rcu_read_lock();
	freezer = task_freezer(task);
	ret = !READ_ONCE(pm_freezing) && freezer_wants(freezer, task) &&
	      (!freeze || freezer_turn_is_to_come(freezer));
	if (ret)
		__container_freezer_count(task);
	rcu_read_unlock();

	return ret;
}

/* Keep those of @tasks that are still pending. */
static unsigned int freezer_keep_pending(struct freezer *freezer,
					 struct task_struct **tasks,
					 unsigned int nr)
{
	unsigned int i, kept = 0;

	for (i = 0; i < nr; i++)
		/* Pairs with WRITE_ONCE() in __container_freezer_count(). */
		if (READ_ONCE(tasks[i]->freezer_pending) == freezer)
			tasks[kept++] = tasks[i];
	return kept;
}

/*
 * Make all tasks of one cgroup, or only those that are still pending, obey the
 * wish as it is now.
 */
static void freezer_walk(struct freezer *freezer, bool pending)
{
	/* Not cleared: with few tasks that would be a good part of the walk. */
	struct task_struct *tasks[FREEZER_WALK] __uninitialized;
	struct css_task_iter it = {};
	unsigned int taken, nr, i;

	do {
		/* Keeps the tasks, see css_task_iter_many(). */
		rcu_read_lock();
		taken = css_task_iter_many(&freezer->css, &it, tasks, FREEZER_WALK);
		nr = pending ? freezer_keep_pending(freezer, tasks, taken) : taken;
		for (i = 0; i < nr; i += FREEZER_BATCH)
			conform_tasks(tasks + i, min(nr - i, FREEZER_BATCH));
		rcu_read_unlock();
		cond_resched();
	} while (taken == FREEZER_WALK);
}

static void freezer_retry(struct work_struct *work)
{
	struct freezer *freezer = container_of(to_delayed_work(work),
					       struct freezer, retry);

	freezer_walk(freezer, true);

	spin_lock_irq(&freezer->lock);
	if (freezer->nr_pending) {
		freezer->retry_delay = min_t(unsigned int, FREEZER_RETRY_MAX,
					     2 * freezer->retry_delay);
		/* Does not delay what freezer_call_workers() wants at once. */
		queue_delayed_work(system_wq, &freezer->retry,
				   freezer->retry_delay);
	}
	spin_unlock_irq(&freezer->lock);
}

/*
 * Was 1 written to freezer.freeze, here or above?  Each level is read as it is
 * now: a write that is under way may or may not be seen, like its walk.
 */
static bool freezer_is_closed(struct freezer *freezer)
{
	/* Pairs with WRITE_ONCE() in freezer_request(). */
	while (freezer && !READ_ONCE(freezer->closes))
		freezer = parent_freezer(freezer);
	return freezer;
}

/**
 * freezer_hold - keep a cgroup from being FROZEN while a task moves in
 * @freezer: the target
 *
 * A cgroup that was frozen through freezer.state alone goes back to FREEZING.
 *
 * Context: Process context, under cgroup_mutex or cgroup_threadgroup_rwsem, so
 * that the moving task does not move twice.  Under no freezer->lock.
 * Return: 0, or -EBUSY if the cgroup is FROZEN and closed: a shell cannot park
 * itself there.
 */
static int freezer_hold(struct freezer *freezer)
{
	bool changed;

	spin_lock_irq(&freezer->lock);
	if (freezer->state == FREEZER_FROZEN && freezer_is_closed(freezer)) {
		spin_unlock_irq(&freezer->lock);
		return -EBUSY;
	}
	freezer->nr_holds++;
	/* If not effective, it is RUNNING and stays so. */
	changed = freezer->effective && freezer_settle(freezer);
	spin_unlock_irq(&freezer->lock);

	/* Before the task arrives, so that no ancestor is FROZEN with it. */
	if (changed)
		freezer_climb(freezer);
	return 0;
}

/**
 * freezer_release - drop a hold; the last one may make the cgroup FROZEN
 * @freezer: the freezer that was held
 *
 * Context: Process context, under no freezer->lock.
 */
static void freezer_release(struct freezer *freezer)
{
	bool changed = false;

	spin_lock_irq(&freezer->lock);
	WARN_ON_ONCE(!freezer->nr_holds);
	freezer->nr_holds--;
	/* If not effective, it is RUNNING: nothing to call, settle or tell. */
	if (freezer->effective) {
		freezer_call_workers(freezer);
		changed = freezer_settle(freezer);
		if (freezer->untold)
			freezer_notify(freezer);
	}
	spin_unlock_irq(&freezer->lock);

	if (changed)
		freezer_climb(freezer);
}

/* The wish of @freezer as it is now: its own request, or an ancestor's. */
static bool freezer_wish(struct freezer *freezer)
{
	struct freezer *parent = parent_freezer(freezer);

	lockdep_assert_held(&freezer->lock);

	/*
	 * Pairs with WRITE_ONCE() in freezer_apply_held() and
	 * freezer_css_online(), of the parent.
	 */
	return !freezer->dead &&
	       (freezer->requested || (parent && READ_ONCE(parent->effective)));
}

/**
 * freezer_apply_held - bring one cgroup in line with the wish as it is now
 * @freezer: the freezer; pinned by the caller
 *
 * Context: Process context.
 * Return: true if the effective wish has changed: it must be passed on to the
 * children, and the caller owes a freezer_release().  If not, whatever changed
 * it last passes it on.
 */
static bool freezer_apply_held(struct freezer *freezer)
{
	bool effective, settled;

	spin_lock_irq(&freezer->lock);
	effective = freezer_wish(freezer);
	if (effective == freezer->effective) {
		spin_unlock_irq(&freezer->lock);
		return false;
	}
	/*
	 * Pairs with READ_ONCE() in freezer_wish(), _wants(), _must_conform(),
	 * _begin_fork() and _parent_freezing_read().
	 */
	WRITE_ONCE(freezer->effective, effective);
	freezer->nr_holds++;
	settled = freezer_settle(freezer);
	spin_unlock_irq(&freezer->lock);

	if (settled)
		freezer_climb(freezer);
	freezer_walk(freezer, false);

	/* Pairs with smp_mb() in freezer_css_online(): wish, then list. */
	smp_mb();
	return true;
}

/* Drop freezer_apply_subtree()'s holds on cgroups that are not above @css. */
static struct freezer *freezer_leave(struct freezer *held, struct freezer *top,
				     struct cgroup_subsys_state *css)
{
	struct freezer *parent;

	while (held != top && !cgroup_is_descendant(css->cgroup, held->css.cgroup)) {
		parent = parent_freezer(held);
		freezer_release(held);
		css_put(&held->css);
		held = parent;
	}
	return held;
}

/**
 * freezer_apply_child - freezer_apply_held() for a child of @held
 * @held: the freezer that freezer_apply_subtree() holds
 * @freezer: the next one below it; pinned by the caller
 *
 * A child with a request of its own does not change.  It is reported all the
 * same: whatever changed it last may not have reported it yet.  A @freezer with
 * another parent is new, below a cgroup that was passed over, and has read the
 * wish itself.
 *
 * Context: Process context.
 * Return: as freezer_apply_held().
 */
static bool freezer_apply_child(struct freezer *held, struct freezer *freezer)
{
	if (parent_freezer(freezer) != held)
		return false;
	if (freezer_apply_held(freezer))
		return true;

	freezer_climb(freezer);
	return false;
}

/*
 * freezer_apply_held() for a subtree, except below cgroups that do not change.
 * Each cgroup is held until the wish has been passed on to all below it: one
 * that an old thaw has just made RUNNING, but not yet reported, could otherwise
 * be below one that is FROZEN.
 */
static void freezer_apply_subtree(struct freezer *top)
{
	struct cgroup_subsys_state *pos, *css;
	struct freezer *held = top;

	if (!freezer_apply_held(top))
		return;

	rcu_read_lock();
	css_for_each_descendant_pre(pos, &top->css) {
		css = pos;
		if (css == &top->css || !css_tryget(css))
			continue;
		rcu_read_unlock();

		held = freezer_leave(held, top, css);
		if (freezer_apply_child(held, css_freezer(css))) {
			held = css_freezer(css);
			rcu_read_lock();
			continue;
		}

		rcu_read_lock();
		pos = css_rightmost_descendant(css);
		css_put(css);
	}
	rcu_read_unlock();

	freezer_release(freezer_leave(held, top, &top->css));
}

/* A new freeze has until now + @timeout to become FROZEN. */
static void freezer_set_deadline(struct freezer *freezer)
{
	/* One more, as part of the present jiffy is over. */
	unsigned long delay = msecs_to_jiffies(freezer->timeout) + 1;

	lockdep_assert_held(&freezer->lock);

	freezer->deadline = 0;
	if (!freezer->requested || !freezer->timeout ||
	    freezer->state == FREEZER_FROZEN)
		return;
	freezer->allowed = freezer->timeout;
	freezer->deadline = get_jiffies_64() + delay;
	mod_delayed_work(system_unbound_wq, &freezer->rollback, delay);
}

/*
 * Take the request back if it is the one that has run out of time.  A request
 * that was thawed, or that has been FROZEN, no longer has a deadline.  That of
 * a newer request is still to come, and this work has been put off until then.
 */
static bool freezer_expire(struct freezer *freezer)
{
	bool expired;

	spin_lock_irq(&freezer->lock);
	expired = freezer->deadline &&
		  time_after_eq64(get_jiffies_64(), freezer->deadline);
	if (expired) {
		trace_freezer_timeout(freezer->css.cgroup, freezer->allowed,
				      freezer->nr_pending);
		freezer->stat.timeouts++;
		freezer->deadline = 0;
		/* Pair with the READ_ONCE() that freezer_request() names. */
		WRITE_ONCE(freezer->requested, false);
		WRITE_ONCE(freezer->closes, false);
	}
	spin_unlock_irq(&freezer->lock);

	return expired;
}

static void freezer_rollback(struct work_struct *work)
{
	struct freezer *freezer = container_of(to_delayed_work(work),
					       struct freezer, rollback);

	if (!freezer_expire(freezer))
		return;
	freezer_apply_subtree(freezer);
	freezer_key_put();
}

/**
 * freezer_request - freeze or thaw a subtree
 * @freezer: its top; pinned by the caller
 * @freeze: the wish from now on, no matter who asked for it before
 * @close: let no task in while FROZEN; what was closed stays so until the thaw
 *
 * Context: Process context, under no lock.
 */
static void freezer_request(struct freezer *freezer, bool freeze, bool close)
{
	bool was_requested;

	if (freeze)
		freezer_key_get();

	spin_lock_irq(&freezer->lock);
	was_requested = freezer->requested;
	/* Pairs with READ_ONCE() in freezer_self_freezing_read(). */
	WRITE_ONCE(freezer->requested, freeze);
	/* Pairs with READ_ONCE() in freezer_is_closed(). */
	WRITE_ONCE(freezer->closes, freeze && (close || freezer->closes));
	if (was_requested != freeze)
		freezer_set_deadline(freezer);
	spin_unlock_irq(&freezer->lock);

	freezer_apply_subtree(freezer);

	/* Either the request has ended, or it was there before. */
	if (was_requested)
		freezer_key_put();
}

/**
 * struct freezer_kill - one write to freezer.kill, on the stack of the writer
 * @node: in freezer_kills, from before the walk until after it
 * @top: the signal is for the processes of its subtree
 * @sig: the signal
 * @id: tells this write from others, so that no process gets it twice
 * @slot: where processes note @id: not the slot of another write under way,
 *	unless there are more of them than slots
 * @sender: the writer
 * @uid: the writer's
 * @nr: processes that the walk has sent it to
 *
 * Every process that is in the subtree when the walk begins must get the
 * signal, once, no matter where it forks, or moves within the subtree,
 * meanwhile:
 * - A process that is born or moved in the subtree during the walk, or that
 *   gets a new thread, which may be all that exec leaves of it, gets the signal
 *   from freezer_fork() or container_freezer_migrate().  These look at
 *   freezer_kills after the process is on the list of its css_set; the walk
 *   puts itself on freezer_kills before it looks at any list.
 * - A child that comes to freezer_fork() after the walk is over, but was not
 *   yet on the list when the walk came to its parent, gets the signal from the
 *   record that the walk has left in the parent's signal_struct.  Before
 *   freezer_can_fork() takes note of that record, it is the kernel's own
 *   collection of multiprocess signals that gives the signal to the child.
 * - A signal that came before the fork began was for the parent alone.
 */
struct freezer_kill {
	struct list_head	node;
	struct freezer		*top;
	int			sig;
	u32			id;
	unsigned int		slot;
	struct pid		*sender;
	kuid_t			uid;
	unsigned int		nr;
};

/* The writes under way and their number, protected by freezer_kill_lock. */
static DEFINE_SPINLOCK(freezer_kill_lock);
static LIST_HEAD(freezer_kills);
static unsigned int freezer_nr_kills;

/*
 * Without the lock.  If a walk is over by now, what it left in a signal_struct
 * is visible after this.
 */
static bool freezer_is_killing(void)
{
	/* Pairs with smp_store_release() in freezer_kill_end(). */
	return unlikely(smp_load_acquire(&freezer_nr_kills));
}

static unsigned int freezer_kill_slot(void)
{
	unsigned long used = 0;
	struct freezer_kill *kill;

	lockdep_assert_held(&freezer_kill_lock);

	list_for_each_entry(kill, &freezer_kills, node)
		used |= BIT(kill->slot);

	return min(ffz(used), FREEZER_KILL_SLOTS - 1);
}

static void freezer_kill_begin(struct freezer_kill *kill)
{
	static u32 last_id;

	spin_lock_irq(&freezer_kill_lock);
	kill->id = ++last_id ?: ++last_id;
	kill->slot = freezer_kill_slot();
	list_add(&kill->node, &freezer_kills);
	/*
	 * Pairs with freezer_is_killing().  A task that comes to a list later
	 * sees it: css_set_lock is between us.
	 */
	WRITE_ONCE(freezer_nr_kills, freezer_nr_kills + 1);
	spin_unlock_irq(&freezer_kill_lock);

	/* Pairs with smp_mb() in freezer_css_online(): list, then cgroups. */
	smp_mb();
}

static void freezer_kill_end(struct freezer_kill *kill)
{
	spin_lock_irq(&freezer_kill_lock);
	list_del(&kill->node);
	/* Pairs with smp_load_acquire() in freezer_is_killing(). */
	smp_store_release(&freezer_nr_kills, freezer_nr_kills - 1);
	spin_unlock_irq(&freezer_kill_lock);
}

/*
 * Send as the sender, with no permission check, so that it cannot fail.  A type
 * beyond PIDTYPE_TGID also gives the signal to a child that is just being
 * forked.
 */
static void freezer_send(struct task_struct *leader, int sig, struct pid *sender,
			 kuid_t uid)
{
	struct kernel_siginfo info;

	lockdep_assert_held(&leader->sighand->siglock);

	/* Whether an init obeys depends on @sender, not on current. */
	if (unlikely(leader->signal->flags & SIGNAL_UNKILLABLE) &&
	    sig_kernel_only(sig)) {
		if (!sender || !pid_nr_ns(sender, task_active_pid_ns(leader))) {
			send_signal_locked(sig, SEND_SIG_PRIV, leader, PIDTYPE_PGID);
			return;
		}
		if (sig == SIGKILL || !leader->ptrace)
			return;
	}

	/* Nobody can read the siginfo of SIGKILL. */
	if (sig == SIGKILL) {
		send_signal_locked(sig, SEND_SIG_NOINFO, leader, PIDTYPE_PGID);
		return;
	}

	clear_siginfo(&info);
	info.si_signo = sig;
	info.si_code = SI_USER;
	info.si_pid = pid_nr_ns(sender, task_active_pid_ns(leader));
	if (sender)
		info.si_uid = from_kuid_munged(current_user_ns(), uid);
	send_signal_locked(sig, &info, leader, PIDTYPE_PGID);
}

/* Under siglock, the answer is certain; without it, only a yes is. */
static bool freezer_had_kill(struct freezer_kills *had, struct freezer_kill *kill)
{
	/* Pairs with WRITE_ONCE() in freezer_record_kill(), _kill_missed(). */
	return READ_ONCE(had->ids[kill->slot]) == kill->id;
}

static void freezer_record_kill(struct task_struct *task,
				struct freezer_kill *kill)
{
	struct signal_struct *signal = task->signal;
	struct freezer_kills *had = &signal->freezer_kills;

	lockdep_assert_held(&task->sighand->siglock);

	/* Pairs with freezer_had_kill() and freezer_kill_note(). */
	WRITE_ONCE(had->ids[kill->slot], kill->id);
	/* A process dying of SIGKILL passes that on, however many more come. */
	if ((signal->flags & SIGNAL_GROUP_EXIT) &&
	    had->sigs[(had->nr - 1) % ARRAY_SIZE(had->sigs)] == SIGKILL)
		return;

	had->sigs[had->nr % ARRAY_SIZE(had->sigs)] = kill->sig;
	/* Pairs with freezer_kill_note() and freezer_kill_newborn(). */
	smp_store_release(&had->nr, had->nr + 1);
}

/* Has fork collected @sig?  If so, it is pending until @child has run. */
static bool freezer_born_with(struct task_struct *child, int sig)
{
	return sigismember(&child->signal->shared_pending.signal, sig);
}

/* Is @kill for the process of @task?  Under rcu_read_lock(). */
static bool freezer_kill_is_for(struct freezer_kill *kill,
				struct task_struct *task)
{
	struct freezer *freezer = task_freezer(READ_ONCE(task->group_leader));

	return cgroup_is_descendant(freezer->css.cgroup,
				    kill->top->css.cgroup);
}

/**
 * freezer_kill_process - send to the process of a task, if not done before
 * @kill: the write
 * @task: any of its threads
 * @newborn: it has not run yet
 *
 * Context: Under rcu_read_lock(), siglock not held.
 * Return: true if it was sent, false if that was done before, if @kill is not
 * for this process, or if @task is gone.
 */
static bool freezer_kill_process(struct freezer_kill *kill,
				 struct task_struct *task, bool newborn)
{
	struct freezer_kills *had = &task->signal->freezer_kills;
	unsigned long flags;
	bool sent;

	/* The first of many threads is enough. */
	if ((task->flags & PF_KTHREAD) || freezer_had_kill(had, kill) ||
	    !freezer_kill_is_for(kill, task) || !lock_task_sighand(task, &flags))
		return false;

	sent = !freezer_had_kill(had, kill);
	if (sent) {
		freezer_record_kill(task, kill);
		/* A leader that exec replaces stays until siglock is free. */
		if (!newborn || !freezer_born_with(task, kill->sig))
			freezer_send(READ_ONCE(task->group_leader), kill->sig,
				     kill->sender, kill->uid);
	}
	unlock_task_sighand(task, &flags);

	return sent;
}

/* A task has arrived where writes under way may have gone by already. */
static void freezer_kill_comer(struct task_struct *task, bool newborn)
{
	struct freezer_kill *kill;
	unsigned long flags;

	rcu_read_lock();
	spin_lock_irqsave(&freezer_kill_lock, flags);
	list_for_each_entry(kill, &freezer_kills, node)
		freezer_kill_process(kill, task, newborn);
	spin_unlock_irqrestore(&freezer_kill_lock, flags);
	rcu_read_unlock();
}

/* Give @child what it has missed: what current got after freezer_can_fork(). */
static void freezer_kill_missed(struct task_struct *child)
{
	struct freezer_kills had, *has = &child->signal->freezer_kills;
	u32 seen = has->seen;
	unsigned long flags;
	unsigned int i;
	u8 sig;

	/* Neither lock can fail: we are running, and @child has yet to run. */
	lock_task_sighand(current, &flags);
	had = current->signal->freezer_kills;
	unlock_task_sighand(current, &flags);

	/* What freezer_record_kill() did not keep is lost; it keeps SIGKILL. */
	seen = max(seen, had.nr - min_t(u32, had.nr, ARRAY_SIZE(had.sigs)));

	lock_task_sighand(child, &flags);
	/* A walk may have come to @child already, with a later write. */
	for (i = 0; i < ARRAY_SIZE(had.ids); i++)
		if ((s32)(had.ids[i] - has->ids[i]) > 0)
			/* Pairs with READ_ONCE() in freezer_had_kill(). */
			WRITE_ONCE(has->ids[i], had.ids[i]);
	for (; seen != had.nr; seen++) {
		sig = had.sigs[seen % ARRAY_SIZE(had.sigs)];
		/* Like those from the collection, these name no sender. */
		if (!freezer_born_with(child, sig))
			freezer_send(child, sig, NULL, GLOBAL_ROOT_UID);
	}
	unlock_task_sighand(child, &flags);
}

/* Note what current has had when it forks: its child need not get it again. */
static void freezer_kill_note(struct freezer_kills *child)
{
	struct freezer_kills *had = &current->signal->freezer_kills;
	unsigned int i;

	/*
	 * Pairs with smp_store_release() in freezer_record_kill().  In this
	 * order, what comes in between counts as missed later, and is not lost.
	 */
	child->seen = smp_load_acquire(&had->nr);
	for (i = 0; i < ARRAY_SIZE(had->ids); i++)
		/* Pairs with WRITE_ONCE() in freezer_record_kill(). */
		child->ids[i] = READ_ONCE(had->ids[i]);
}

static void freezer_kill_newborn(struct task_struct *child)
{
	bool is_process = child->signal != current->signal;
	bool killing = freezer_is_killing();

	/* Pairs with smp_store_release() in freezer_record_kill(). */
	if (is_process && unlikely(READ_ONCE(current->signal->freezer_kills.nr) !=
				   child->signal->freezer_kills.seen))
		freezer_kill_missed(child);
	/* A thread too: it may be all that exec leaves of its process. */
	if (killing)
		freezer_kill_comer(child, is_process);
}

/*
 * Go over all threads, as one that calls exec may become the leader where the
 * walk has just been.  What is left are dead leaders with threads elsewhere.
 */
static void freezer_kill_cgroup(struct freezer_kill *kill, struct freezer *freezer)
{
	struct task_struct *tasks[FREEZER_WALK] __uninitialized;
	struct css_task_iter it = {};
	unsigned int taken, i;

	do {
		/* Keeps the tasks, see css_task_iter_many(). */
		rcu_read_lock();
		taken = css_task_iter_many(&freezer->css, &it, tasks, FREEZER_WALK);
		for (i = 0; i < taken; i++)
			kill->nr += freezer_kill_process(kill, tasks[i], false);
		rcu_read_unlock();
		cond_resched();
	} while (taken == FREEZER_WALK);

	css_task_iter_start(&freezer->css, CSS_TASK_ITER_PROCS, &it);
	/* A leader that exec replaces can point at a task that is freed. */
	rcu_read_lock();
	while ((tasks[0] = css_task_iter_next(&it))) {
		kill->nr += freezer_kill_process(kill, tasks[0], false);
		cond_resched_rcu();
	}
	rcu_read_unlock();
	css_task_iter_end(&it);
}

static void freezer_kill_subtree(struct freezer *top, int sig)
{
	struct freezer_kill kill = {
		.top = top,
		.sig = sig,
		.sender = task_tgid(current),
		.uid = current_uid(),
	};
	struct cgroup_subsys_state *pos;

	freezer_kill_begin(&kill);
	rcu_read_lock();
	css_for_each_descendant_pre(pos, &top->css) {
		if (!css_tryget(pos))
			continue;
		rcu_read_unlock();

		freezer_kill_cgroup(&kill, css_freezer(pos));

		rcu_read_lock();
		css_put(pos);
	}
	rcu_read_unlock();
	freezer_kill_end(&kill);

	spin_lock_irq(&top->lock);
	top->stat.nr_kills++;
	spin_unlock_irq(&top->lock);
	trace_freezer_kill(top->css.cgroup, sig, kill.nr);
}

static struct cgroup_subsys_state *
freezer_css_alloc(struct cgroup_subsys_state *parent)
{
	struct freezer *freezer;

	freezer = kzalloc(sizeof(*freezer), GFP_KERNEL);
	if (!freezer)
		return ERR_PTR(-ENOMEM);

	spin_lock_init(&freezer->lock);
	INIT_DELAYED_WORK(&freezer->retry, freezer_retry);
	INIT_DELAYED_WORK(&freezer->rollback, freezer_rollback);
	return &freezer->css;
}

static int freezer_css_online(struct cgroup_subsys_state *css)
{
	struct freezer *freezer = css_freezer(css);

	/*
	 * Pairs with smp_mb() in freezer_apply_held() and freezer_kill_begin():
	 * we are on the list before the wish and freezer_kills are read.
	 */
	smp_mb();

	/* No hold, as no task is here yet: FROZEN ancestors stay FROZEN. */
	spin_lock_irq(&freezer->lock);
	/* Pairs as in freezer_apply_held(). */
	WRITE_ONCE(freezer->effective, freezer_wish(freezer));
	freezer_settle(freezer);
	spin_unlock_irq(&freezer->lock);
	freezer_climb(freezer);
	return 0;
}

static void freezer_css_offline(struct cgroup_subsys_state *css)
{
	struct freezer *freezer = css_freezer(css);
	bool was_requested;

	spin_lock_irq(&freezer->lock);
	was_requested = freezer->requested;
	/* Pairs with READ_ONCE() in freezer_self_freezing_read(). */
	WRITE_ONCE(freezer->requested, false);
	freezer->deadline = 0;
	/* Pairs with READ_ONCE() in freezer_report(). */
	WRITE_ONCE(freezer->dead, true);
	spin_unlock_irq(&freezer->lock);

	/* A v1 mount that takes the controller leaves tasks on the css. */
	freezer_apply_subtree(freezer);
	freezer_climb(freezer);
	if (was_requested)
		freezer_key_put();
}

static void freezer_css_free(struct cgroup_subsys_state *css)
{
	struct freezer *freezer = css_freezer(css);

	cancel_delayed_work_sync(&freezer->retry);
	cancel_delayed_work_sync(&freezer->rollback);
	kfree(freezer);
}

/*
 * Can a task that was in this cgroup until now be frozen, pending or in the
 * hands of a walk?  A walk drops its hold when it is done with all of its
 * tasks.  The walk of freezer_retry() has no hold, but checks where its tasks
 * are by then.
 */
static bool freezer_is_busy(struct freezer *freezer)
{
	bool ret;

	lockdep_assert_held(&css_set_lock);

	/* Pairs with smp_rmb() in cgroup_freezing(); READ_ONCE() won't do. */
	spin_lock(&freezer->lock);
	ret = freezer->effective || freezer->nr_holds;
	spin_unlock(&freezer->lock);

	return ret;
}

/*
 * Is either cgroup of a move involved in a freeze?  If not, the tasks are as
 * they should be, and need not be touched while forks and exits wait for
 * css_set_lock.
 */
static bool freezer_must_conform(struct cgroup_taskset *tset)
{
	struct css_set *cset;

	lockdep_assert_held(&css_set_lock);

	list_for_each_entry(cset, &tset->src_csets, mg_node)
		if (freezer_is_busy(css_set_freezer(cset)))
			return true;

	/*
	 * Pairs with WRITE_ONCE() in freezer_apply_held(): the walk of a wish
	 * that is not seen here comes after us.
	 */
	list_for_each_entry(cset, &tset->dst_csets, mg_node)
		if (READ_ONCE(css_set_freezer(cset)->effective))
			return true;

	return false;
}

static noinline void freezer_conform_comers(struct cgroup_taskset *tset)
{
	struct task_struct *task;
	struct css_set *cset;

	if (!freezer_must_conform(tset))
		return;

	list_for_each_entry(cset, &tset->dst_csets, mg_node)
		list_for_each_entry(task, &cset->mg_tasks, cg_list)
			conform_tasks(&task, 1);
}

static noinline void freezer_kill_comers(struct cgroup_taskset *tset)
{
	struct task_struct *task;
	struct css_set *cset;

	list_for_each_entry(cset, &tset->dst_csets, mg_node)
		list_for_each_entry(task, &cset->mg_tasks, cg_list)
			freezer_kill_comer(task, false);
}

/**
 * container_freezer_migrate - tasks have changed their css_sets
 * @tset: the tasks
 *
 * Called for each move, not only for those into another freezer: a walk over
 * the tasks of a cgroup misses those that jump over it between two css_sets,
 * and so does the walk of freezer.kill.
 *
 * Most moves need neither of the two functions called here.  These are not
 * inline, so that such a move need not save registers for them.
 *
 * Context: In the same critical section of css_set_lock as the move; the tasks
 * are on the lists of their new css_sets.
 */
void container_freezer_migrate(struct cgroup_taskset *tset)
{
	lockdep_assert_held(&css_set_lock);

	if (static_branch_unlikely(&freezer_active))
		freezer_conform_comers(tset);
	if (freezer_is_killing())
		freezer_kill_comers(tset);
}

/*
 * The css_sets that tasks move to are on this list in each of the callbacks,
 * and get one hold each, however many tasks come.
 */
static int freezer_can_attach(struct cgroup_taskset *tset)
{
	struct list_head *dst_csets = &tset->dst_csets;
	struct css_set *cset;
	int ret;

	list_for_each_entry(cset, dst_csets, mg_node) {
		ret = freezer_hold(css_set_freezer(cset));
		if (ret)
			goto undo;
	}
	return 0;

undo:
	list_for_each_entry_continue_reverse(cset, dst_csets, mg_node)
		freezer_release(css_set_freezer(cset));
	return ret;
}

/* After a move and container_freezer_migrate(), or instead of both. */
static void freezer_end_attach(struct cgroup_taskset *tset)
{
	struct css_set *cset;

	list_for_each_entry(cset, &tset->dst_csets, mg_node)
		freezer_release(css_set_freezer(cset));
}

/*
 * From here to freezer_fork() or freezer_cancel_fork(), current holds
 * cgroup_threadgroup_rwsem and cannot be moved, so "is it CLONE_INTO_CGROUP?"
 * has the same answer in all three.
 */
static bool freezer_forks_into(struct freezer *freezer)
{
	return freezer != css_freezer(task_css_check(current, freezer_cgrp_id,
						     true));
}

/*
 * From here on current is not excused, so that its cgroup is not FROZEN before
 * the child is in it.  It may be FROZEN already if current has been excused: if
 * current is to die, copy_process() checks for that later; if it is to stop for
 * its tracer, it can do so first, and fork when it runs again.
 */
static int freezer_begin_fork(struct freezer *freezer)
{
	current->freezer_forks = 1;
	/*
	 * Pairs with smp_mb() in freezer_excuses_slow(); READ_ONCE() with
	 * WRITE_ONCE() in freezer_apply_held().
	 */
	smp_mb();
	if (likely(!READ_ONCE(freezer->effective) ||
		   !freezer_pending_excuses(current)))
		return 0;

	current->freezer_forks = 0;
	/* What excuses us may be on its way to another thread; we restart. */
	set_thread_flag(TIF_SIGPENDING);
	return -ERESTARTNOINTR;
}

static int freezer_can_fork(struct task_struct *child, struct css_set *cset)
{
	struct freezer *freezer = css_set_freezer(cset);

	/* dup_task_struct() has copied the mark of the parent. */
	child->freezer_pending = NULL;
	if (child->signal != current->signal) {
		/* kernel/freezer.c's; nobody else knows the child yet */
		spin_lock_init(&child->signal->freezer_lock);
		freezer_kill_note(&child->signal->freezer_kills);
	}

	return freezer_forks_into(freezer) ? freezer_hold(freezer) :
					     freezer_begin_fork(freezer);
}

/* The child is in its cgroup, where its own mark counts, or will not be. */
static void freezer_end_fork(struct freezer *freezer)
{
	current->freezer_forks = 0;
	if (freezer_forks_into(freezer))
		freezer_release(freezer);
}

static void freezer_cancel_fork(struct task_struct *child, struct css_set *cset)
{
	freezer_end_fork(css_set_freezer(cset));
}

static void freezer_fork(struct task_struct *child)
{
	struct freezer *freezer = css_freezer(task_css_check(child,
							     freezer_cgrp_id,
							     true));

	freezer_kill_newborn(child);
	/* A worker whose turn has not come needs its mark all the same. */
	if (freezing(child) || (static_branch_unlikely(&freezer_active) &&
				(child->flags & PF_USER_WORKER)))
		conform_tasks(&child, 1);
	freezer_end_fork(freezer);
}

static void freezer_exit(struct task_struct *task)
{
	/* Pairs with smp_mb() in __container_freezer_count(). */
	smp_mb();
	container_freezer_settled(task);
}

/**
 * container_freezer_state - the state as freezer.freeze shows it
 * @css: the cgroup
 *
 * Context: Any.
 * Return: the state, which may have changed by the time it is looked at.
 */
enum freezer_state container_freezer_state(struct cgroup_subsys_state *css)
{
	/* Pairs with WRITE_ONCE() in freezer_settle(). */
	return READ_ONCE(css_freezer(css)->state);
}

static int freezer_state_show(struct seq_file *m, void *v)
{
	enum freezer_state state = container_freezer_state(seq_css(m));

	seq_printf(m, "%s\n", freezer_state_words[state]);
	return 0;
}

/* -EINVAL if it is not a decimal number, -ERANGE if it is out of range. */
static int freezer_parse(char *buf, int min, int max, int *val)
{
	int ret = kstrtoint(strstrip(buf), 10, val);

	if (!ret && (*val < min || *val > max))
		ret = -ERANGE;
	return ret;
}

static ssize_t freezer_freeze_write(struct kernfs_open_file *of, char *buf,
				    size_t nbytes, loff_t off)
{
	int freeze, ret;

	ret = freezer_parse(buf, 0, 1, &freeze);
	if (ret)
		return ret;

	freezer_request(css_freezer(of_css(of)), freeze, true);
	return nbytes;
}

static ssize_t freezer_kill_write(struct kernfs_open_file *of, char *buf,
				  size_t nbytes, loff_t off)
{
	struct cgroup_subsys_state *css = of_css(of);
	int sig, ret;

	ret = freezer_parse(buf, 1, _NSIG, &sig);
	if (ret)
		return ret;

	/*
	 * A signal is for a process, and maybe only some of its threads are
	 * here.  READ_ONCE() as cgroup_enable_threaded() uses a plain store.
	 */
	if (READ_ONCE(css->cgroup->dom_cgrp) != css->cgroup)
		return -EOPNOTSUPP;

	freezer_kill_subtree(css_freezer(css), sig);
	return nbytes;
}

static int freezer_timeout_show(struct seq_file *m, void *v)
{
	struct freezer *freezer = css_freezer(seq_css(m));

	/* Pairs with WRITE_ONCE() in freezer_timeout_write(). */
	seq_printf(m, "%u\n", READ_ONCE(freezer->timeout));
	return 0;
}

/* For the next freeze; the present one, if any, already has its deadline. */
static ssize_t freezer_timeout_write(struct kernfs_open_file *of, char *buf,
				     size_t nbytes, loff_t off)
{
	struct freezer *freezer = css_freezer(of_css(of));
	int msec, ret;

	ret = freezer_parse(buf, 0, FREEZER_TIMEOUT_MAX, &msec);
	if (ret)
		return ret;

	spin_lock_irq(&freezer->lock);
	/* Pairs with READ_ONCE() in freezer_timeout_show(). */
	WRITE_ONCE(freezer->timeout, msec);
	spin_unlock_irq(&freezer->lock);
	return nbytes;
}

/**
 * container_freezer_nr_pending - count the pending tasks of one cgroup alone
 * @css: the cgroup
 *
 * Context: Interrupts on; takes freezer->lock.
 * Return: how many tasks.
 */
unsigned int container_freezer_nr_pending(struct cgroup_subsys_state *css)
{
	struct freezer *freezer = css_freezer(css);
	unsigned int nr;

	spin_lock_irq(&freezer->lock);
	nr = freezer->nr_pending;
	spin_unlock_irq(&freezer->lock);

	return nr;
}

/**
 * container_freezer_has_pending - is a task pending in one cgroup alone?
 * @css: the cgroup
 * @task: a pinned task
 *
 * Context: Any.
 * Return: true if so.
 */
bool container_freezer_has_pending(struct cgroup_subsys_state *css,
				   struct task_struct *task)
{
	/* Pairs with WRITE_ONCE() in __container_freezer_count(). */
	return READ_ONCE(task->freezer_pending) == css_freezer(css);
}

/**
 * container_freezer_stat - what has happened to one cgroup
 * @css: the cgroup
 *
 * Context: Interrupts on; takes freezer->lock.
 * Return: a copy, taken at one moment, with the present stretch of FROZEN.
 */
struct freezer_stat container_freezer_stat(struct cgroup_subsys_state *css)
{
	struct freezer *freezer = css_freezer(css);
	struct freezer_stat stat;

	spin_lock_irq(&freezer->lock);
	stat = freezer->stat;
	/* Add the present stretch, which would go on without the lock. */
	if (stat.frozen_since)
		stat.frozen += ktime_get_ns() - stat.frozen_since;
	spin_unlock_irq(&freezer->lock);

	return stat;
}

/*
 * With their full names: otherwise the kernel's printf makes a name from prefix
 * and name for each file on each mkdir and rmdir, which was a third of the cost
 * of a freezer there.
 */
#define FREEZER_FILE	(CFTYPE_NOT_ON_ROOT | CFTYPE_NO_PREFIX)

static struct cftype freezer_files[] = {
	{
		.name = "freezer.freeze",
		.flags = FREEZER_FILE,
		.file_offset = offsetof(struct freezer, state_file),
		.seq_show = freezer_state_show,
		.write = freezer_freeze_write,
	},
	{
		.name = "freezer.kill",
		.flags = FREEZER_FILE,
		.write = freezer_kill_write,
	},
	{
		.name = "freezer.pending",
		.flags = FREEZER_FILE,
		.open = container_freezer_pending_open,
		.release = container_freezer_pending_release,
		.seq_start = container_freezer_pending_start,
		.seq_next = container_freezer_pending_next,
		.seq_stop = container_freezer_pending_stop,
		.seq_show = container_freezer_pending_show,
	},
	{
		.name = "freezer.stat",
		.flags = FREEZER_FILE,
		.seq_show = container_freezer_stat_show,
	},
	{
		.name = "freezer.timeout",
		.flags = FREEZER_FILE,
		.seq_show = freezer_timeout_show,
		.write = freezer_timeout_write,
	},
	{ }	/* terminate */
};

/* The files of the legacy freezer, as its clients know them. */

static int freezer_legacy_state_show(struct seq_file *m, void *v)
{
	enum freezer_state state = container_freezer_state(seq_css(m));

	seq_printf(m, "%s\n", state == FREEZER_RUNNING ? "THAWED" :
		   freezer_state_words[state]);
	return 0;
}

static ssize_t freezer_legacy_state_write(struct kernfs_open_file *of,
					  char *buf, size_t nbytes, loff_t off)
{
	bool freeze;

	buf = strstrip(buf);
	freeze = !strcmp(buf, "FROZEN");
	if (!freeze && strcmp(buf, "THAWED"))
		return -EINVAL;

	freezer_request(css_freezer(of_css(of)), freeze, false);
	return nbytes;
}

static u64 freezer_self_freezing_read(struct cgroup_subsys_state *css,
				      struct cftype *cft)
{
	/* Pairs with WRITE_ONCE() in freezer_request(). */
	return READ_ONCE(css_freezer(css)->requested);
}

static u64 freezer_parent_freezing_read(struct cgroup_subsys_state *css,
					struct cftype *cft)
{
	struct freezer *parent = parent_freezer(css_freezer(css));

	/* Pairs with WRITE_ONCE() in freezer_apply_held(). */
	return parent && READ_ONCE(parent->effective);
}

static struct cftype freezer_legacy_files[] = {
	{
		.name = "freezer.state",
		.flags = FREEZER_FILE,
		.seq_show = freezer_legacy_state_show,
		.write = freezer_legacy_state_write,
	},
	{
		.name = "freezer.self_freezing",
		.flags = FREEZER_FILE,
		.read_u64 = freezer_self_freezing_read,
	},
	{
		.name = "freezer.parent_freezing",
		.flags = FREEZER_FILE,
		.read_u64 = freezer_parent_freezing_read,
	},
	{ }	/* terminate */
};

struct cgroup_subsys freezer_cgrp_subsys = {
	.css_alloc		= freezer_css_alloc,
	.css_online		= freezer_css_online,
	.css_offline		= freezer_css_offline,
	.css_free		= freezer_css_free,
	.can_attach		= freezer_can_attach,
	.cancel_attach		= freezer_end_attach,
	.attach			= freezer_end_attach,
	.can_fork		= freezer_can_fork,
	.cancel_fork		= freezer_cancel_fork,
	.fork			= freezer_fork,
	.exit			= freezer_exit,
	.legacy_cftypes		= freezer_files,
	.dfl_cftypes		= freezer_files,
	.threaded		= true,
	.implicit_on_dfl	= true,
	.atomic_refs		= true,
};

/* Apart from freezer_files, which v1 and v2 share. */
static int __init freezer_add_legacy_files(void)
{
	return cgroup_add_legacy_cftypes(&freezer_cgrp_subsys,
					 freezer_legacy_files);
}
subsys_initcall(freezer_add_legacy_files);
