// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracers and job control: a frozen task stops for its tracer, who can look at
 * it, let it go and stop it again; but it runs nothing before the thaw.
 */
#define _GNU_SOURCE

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freezer_fixture.h"

/* Stops, as waitpid() shows them in the bits from 8 on. */
#define EVENT_STOP(sig)	((sig) | PTRACE_EVENT_STOP << 8)
#define SYSCALL_STOP	(SIGTRAP | 0x80)

#define NR_THREADS	16

static int freeze(void)
{
	return cg_freeze("a") ?: cg_wait("a", "FROZEN") ?: watch_state("a");
}

static int stays_frozen(struct worker *w, unsigned int nr)
{
	int ret = workers_stand_still(w, nr);

	return ret ?: state_has_changed() ? -EAGAIN : 0;
}

static int thaw(struct worker *w, unsigned int nr)
{
	return cg_thaw("a") ?: workers_move(w, nr);
}

/*
 * Tracees.  Those that sleep are frozen where they sleep.  Those that read or
 * spin come to the refrigerator; and the former would have something to read if
 * they ran while they must not, and must not see that their call was interrupted.
 */

enum {
	NOTE_HITS,
	NOTE_GO,
};

/* Long enough to be caught in, too short to pass for standing still. */
#define NAP_MS		20

static int pipe_fds[2];
static struct slot *handler_slot;

static void handler(int sig)
{
	(void)sig;
	__atomic_add_fetch(&handler_slot->note[NOTE_HITS], 1, __ATOMIC_SEQ_CST);
}

static unsigned long hits(struct worker *w)
{
	return slot_note(w->slots, NOTE_HITS);
}

static void install_handler(struct worker *w)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	handler_slot = w->slots;
	if (sigaction(SIGUSR1, &action, NULL))
		_exit(1);
}

static void tracee_sleeps(struct worker *w)
{
	install_handler(w);
	for (;;) {
		slot_tick(w->slots);
		pause_ms(NAP_MS);
	}
}

static void tracee_spins(struct worker *w)
{
	install_handler(w);
	worker_spins(w);
}

static void tracee_reads(struct worker *w)
{
	char byte;

	install_handler(w);
	while (read(pipe_fds[0], &byte, 1) == 1)
		slot_tick(w->slots);
}

/* Outside the cgroup. */
static void worker_feeds(struct worker *w)
{
	fcntl(pipe_fds[1], F_SETFL, O_NONBLOCK);
	while (write(pipe_fds[1], "", 1) == 1 || errno == EAGAIN) {
		slot_tick(w->slots);
		pause_ms(1);
	}
}

static int start_feeder(void)
{
	struct worker feeder;

	if (pipe2(pipe_fds, O_CLOEXEC))
		return -errno;
	return worker_start(&feeder, worker_feeds, 1);
}

/* At the beginning of a nap: what freezes it next finds it asleep. */
static int catch_asleep(struct worker *w)
{
	return workers_move(w, 1) ?: WAIT_UNTIL(task_sleeps(w->pid, "S"));
}

static int start(struct worker *w, void (*fn)(struct worker *w))
{
	int ret = fn == tracee_reads ? start_feeder() : 0;

	ret = ret ?: worker_start_in("a", w, fn, 1);
	return ret ?: fn == tracee_sleeps ? catch_asleep(w) : 0;
}

/* A tracer. */

static int trace(enum __ptrace_request request, pid_t tid, unsigned long data)
{
	int err;

	if (!ptrace(request, tid, NULL, data))
		return 0;
	err = errno;
	fprintf(stderr, "# ptrace request %#x of %d: %s\n", request, tid,
		strerror(err));
	return -err;
}

static int wait_stop(pid_t tid, int stop)
{
	int status = 0;
	int ret = WAIT_UNTIL(waitpid(tid, &status, WNOHANG | __WALL) == tid);

	if (!ret && (!WIFSTOPPED(status) || status >> 8 != stop))
		ret = -EINVAL;
	if (ret) {
		fprintf(stderr, "# %d should show stop %#x and has status %#x\n",
			tid, stop, status);
		task_describe(tid);
	}
	return ret;
}

static bool shows_nothing(pid_t tid)
{
	return !waitpid(tid, NULL, WNOHANG | __WALL);
}

static int seize(pid_t tid)
{
	return trace(PTRACE_SEIZE, tid, 0);
}

static int interrupt(pid_t tid)
{
	return trace(PTRACE_INTERRUPT, tid, 0) ?:
	       wait_stop(tid, EVENT_STOP(SIGTRAP));
}

static int seize_and_interrupt(pid_t tid)
{
	return seize(tid) ?: interrupt(tid);
}

static int attach(pid_t tid)
{
	return trace(PTRACE_ATTACH, tid, 0) ?: wait_stop(tid, SIGSTOP);
}

/* For a tracee of attach(), where PTRACE_INTERRUPT is not to be had. */
static int stop_by_signal(pid_t tid)
{
	return kill(tid, SIGSTOP) ? -errno : wait_stop(tid, SIGSTOP);
}

static int cont(pid_t tid)
{
	return trace(PTRACE_CONT, tid, 0);
}

static int detach(pid_t tid)
{
	return trace(PTRACE_DETACH, tid, 0);
}

/* Each thread of @w, if that is what @w->slots stand for. */
static int for_threads(struct worker *w, int (*fn)(pid_t tid))
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < w->nr && !ret; i++)
		ret = fn(w->slots[i].tid);
	return ret;
}

/* Its counter is in our memory at the same address as in the tracee's. */
static int peek(pid_t tid, struct slot *slot)
{
	unsigned long count;

	errno = 0;
	count = ptrace(PTRACE_PEEKDATA, tid, &slot->count, NULL);
	if (errno)
		return -errno;
	return count == slot_count(slot) ? 0 : -EINVAL;
}

static int inspect(pid_t tid, struct slot *slot)
{
	char regs[4096];
	struct iovec iov = { regs, sizeof(regs) };
	int ret = peek(tid, slot);

	if (!ret && ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &iov))
		ret = -errno;
	if (!ret && !iov.iov_len)
		ret = -EINVAL;
	if (ret) {
		fprintf(stderr, "# a tracer cannot look at %d: %d\n", tid, ret);
		task_describe(tid);
	}
	return ret;
}

/* A frozen task stops for its tracer. */

static int stops_while_frozen(struct worker *w, void (*fn)(struct worker *w),
			      int (*stop)(pid_t tid))
{
	int ret;

	ret = start(w, fn) ?: freeze();
	ret = ret ?: stop(w->pid);
	ret = ret ?: inspect(w->pid, w->slots);
	return ret ?: stays_frozen(w, 1);
}

TEST_F(freezer, interrupt_stops_a_frozen_task_that_slept)
{
	struct worker w;

	EXPECT_EQ(0, stops_while_frozen(&w, tracee_sleeps, seize_and_interrupt));
}

TEST_F(freezer, interrupt_stops_a_frozen_task_that_read)
{
	struct worker w;

	EXPECT_EQ(0, stops_while_frozen(&w, tracee_reads, seize_and_interrupt));
}

TEST_F(freezer, interrupt_stops_a_frozen_task_that_spun)
{
	struct worker w;

	EXPECT_EQ(0, stops_while_frozen(&w, tracee_spins, seize_and_interrupt));
}

TEST_F(freezer, attach_stops_a_frozen_task_that_slept)
{
	struct worker w;

	EXPECT_EQ(0, stops_while_frozen(&w, tracee_sleeps, attach));
}

TEST_F(freezer, attach_stops_a_frozen_task_that_read)
{
	struct worker w;

	EXPECT_EQ(0, stops_while_frozen(&w, tracee_reads, attach));
}

TEST_F(freezer, attach_stops_a_frozen_task_that_spun)
{
	struct worker w;

	EXPECT_EQ(0, stops_while_frozen(&w, tracee_spins, attach));
}

/* What is pending already says nothing about what the tracer is to see. */
TEST_F(freezer, attach_stops_a_frozen_task_that_has_another_signal_pending)
{
	struct worker w;

	ASSERT_EQ(0, start(&w, tracee_sleeps));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, kill(w.pid, SIGUSR1));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, attach(w.pid));
	ASSERT_EQ(0, inspect(w.pid, w.slots));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0UL, hits(&w));
}

static int inspect_threads(struct worker *w)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < w->nr && !ret; i++)
		ret = inspect(w->slots[i].tid, w->slots + i);
	return ret;
}

TEST_F(freezer, interrupt_stops_all_threads_of_a_frozen_process)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, NR_THREADS));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, for_threads(&w, seize_and_interrupt));
	ASSERT_EQ(0, inspect_threads(&w));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, for_threads(&w, cont));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, for_threads(&w, interrupt));
	ASSERT_EQ(0, for_threads(&w, detach));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0, thaw(&w, 1));
}

TEST_F(freezer, attach_stops_all_threads_of_a_frozen_process)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, NR_THREADS));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, for_threads(&w, attach));
	ASSERT_EQ(0, inspect_threads(&w));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, for_threads(&w, detach));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0, thaw(&w, 1));
}

TEST_F(freezer, attach_stops_one_thread_of_a_frozen_process)
{
	struct worker w, last;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, NR_THREADS));
	last = worker_thread(&w, NR_THREADS - 1);
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, attach(last.pid));
	ASSERT_EQ(0, inspect(last.pid, last.slots));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, cont(last.pid));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0, thaw(&w, 1));
}

/* Stopped by a signal before the freeze. */

static int start_stopped(struct worker *w)
{
	int ret = start(w, tracee_sleeps);

	if (!ret && kill(w->pid, SIGSTOP))
		ret = -errno;
	return ret ?: WAIT_UNTIL(task_state(w->pid) == 'T');
}

/*
 * Elsewhere the attach itself hangs until the thaw, as no wakeup ends the stop
 * that is frozen: https://github.com/checkpoint-restore/criu/issues/1905.  Then
 * it is the harness that ends this test.
 */
TEST_F(freezer, attach_returns_for_a_task_that_was_stopped_and_then_frozen)
{
	struct worker w;

	ASSERT_EQ(0, start_stopped(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, attach(w.pid));
	EXPECT_EQ(0, inspect(w.pid, w.slots));
	EXPECT_EQ(0, stays_frozen(&w, 1));
}

TEST_F(freezer, seize_shows_the_stop_of_a_task_that_was_stopped_and_then_frozen)
{
	struct worker w;

	ASSERT_EQ(0, start_stopped(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, seize(w.pid));
	ASSERT_EQ(0, wait_stop(w.pid, EVENT_STOP(SIGSTOP)));
	EXPECT_EQ(0, inspect(w.pid, w.slots));
	EXPECT_EQ(0, stays_frozen(&w, 1));
}

TEST_F(freezer, stopped_task_is_still_stopped_after_attach_detach_and_thaw)
{
	struct worker w;

	ASSERT_EQ(0, start_stopped(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, attach(w.pid));
	ASSERT_EQ(0, detach(w.pid));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, WAIT_UNTIL(task_state(w.pid) == 'T'));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, kill(w.pid, SIGCONT));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer, stopped_task_continued_after_a_detach_waits_for_the_thaw)
{
	struct worker w;

	ASSERT_EQ(0, start_stopped(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, attach(w.pid));
	ASSERT_EQ(0, detach(w.pid));
	ASSERT_EQ(0, kill(w.pid, SIGCONT));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0, thaw(&w, 1));
}

/* The tracee is in PTRACE_LISTEN: SIGCONT ends that, but lets nothing run. */
static int continue_listener(struct worker *w)
{
	int ret;

	ret = kill(w->pid, SIGCONT) ? -errno : 0;
	ret = ret ?: wait_stop(w->pid, EVENT_STOP(SIGTRAP));
	ret = ret ?: inspect(w->pid, w->slots);
	ret = ret ?: cont(w->pid) ?: wait_stop(w->pid, SIGCONT);
	ret = ret ?: trace(PTRACE_CONT, w->pid, SIGCONT);
	ret = ret ?: stays_frozen(w, 1);
	return ret ?: thaw(w, 1);
}

TEST_F(freezer, listener_that_was_stopped_before_the_freeze_hears_of_cont)
{
	struct worker w;

	ASSERT_EQ(0, start_stopped(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, seize(w.pid));
	ASSERT_EQ(0, wait_stop(w.pid, EVENT_STOP(SIGSTOP)));
	ASSERT_EQ(0, trace(PTRACE_LISTEN, w.pid, 0));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_TRUE(shows_nothing(w.pid));
	EXPECT_EQ(0, continue_listener(&w));
}

TEST_F(freezer, listener_that_was_frozen_hears_of_cont)
{
	struct worker w;

	ASSERT_EQ(0, start_stopped(&w));
	ASSERT_EQ(0, seize(w.pid));
	ASSERT_EQ(0, wait_stop(w.pid, EVENT_STOP(SIGSTOP)));
	ASSERT_EQ(0, trace(PTRACE_LISTEN, w.pid, 0));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_TRUE(shows_nothing(w.pid));
	EXPECT_EQ(0, continue_listener(&w));
}

/* The signal, and the group stop that it makes, are both shown. */
static int stop_and_listen(struct worker *w)
{
	int ret;

	ret = start(w, tracee_sleeps) ?: seize(w->pid) ?: freeze();
	ret = ret ?: stop_by_signal(w->pid);
	ret = ret ?: trace(PTRACE_CONT, w->pid, SIGSTOP);
	ret = ret ?: wait_stop(w->pid, EVENT_STOP(SIGSTOP));
	ret = ret ?: trace(PTRACE_LISTEN, w->pid, 0);
	return ret ?: stays_frozen(w, 1);
}

TEST_F(freezer, listener_that_was_stopped_while_frozen_hears_of_cont)
{
	struct worker w;

	ASSERT_EQ(0, stop_and_listen(&w));
	ASSERT_TRUE(shows_nothing(w.pid));
	EXPECT_EQ(0, continue_listener(&w));
}

/* A parent in vfork(), and its child. */

TEST_F(freezer, interrupt_stops_a_frozen_child_in_vfork)
{
	struct worker w;
	pid_t child;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_in_vfork, 1));
	child = w.slots->tid;
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, seize_and_interrupt(child));
	ASSERT_EQ(0, inspect(child, w.slots));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, detach(child));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0, thaw(&w, 1));
}

/* vfork() ends with the child, or by death; a tracer always waits for that. */
static int goes_on_after_vfork(struct worker *w, int stop)
{
	int ret;

	ret = shows_nothing(w->pid) ? 0 : -EINVAL;
	ret = ret ?: stays_frozen(w, 1);
	slot_set_note(w->slots, VFORK_CHILD_GOES, 1);
	ret = ret ?: cg_thaw("a");
	ret = ret ?: wait_stop(w->pid, stop);
	ret = ret ?: inspect(w->pid, w->slots);
	ret = ret ?: detach(w->pid);
	return ret ?: workers_move(w, 1);
}

TEST_F(freezer, interrupt_of_a_frozen_parent_in_vfork_waits_for_its_child)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_in_vfork, 1));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, seize(w.pid));
	ASSERT_EQ(0, trace(PTRACE_INTERRUPT, w.pid, 0));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, goes_on_after_vfork(&w, EVENT_STOP(SIGTRAP)));
	EXPECT_EQ(1UL, slot_note(w.slots, VFORK_IS_OVER));
}

TEST_F(freezer, attach_to_a_frozen_parent_in_vfork_waits_for_its_child)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_in_vfork, 1));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, trace(PTRACE_ATTACH, w.pid, 0));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, goes_on_after_vfork(&w, SIGSTOP));
	EXPECT_EQ(1UL, slot_note(w.slots, VFORK_IS_OVER));
}

/* A tracee that is told to go on does so after the thaw. */

static int cont_waits_for_the_thaw(void (*fn)(struct worker *w),
				   int (*stop)(pid_t tid),
				   int (*stop_again)(pid_t tid))
{
	struct worker w;
	int ret;

	ret = stops_while_frozen(&w, fn, stop);
	ret = ret ?: cont(w.pid) ?: stays_frozen(&w, 1);
	ret = ret ?: stop_again(w.pid);
	ret = ret ?: inspect(w.pid, w.slots);
	ret = ret ?: stays_frozen(&w, 1);
	ret = ret ?: cont(w.pid) ?: stays_frozen(&w, 1);
	return ret ?: thaw(&w, 1);
}

TEST_F(freezer, seized_task_that_slept_runs_only_after_cont_and_thaw)
{
	EXPECT_EQ(0, cont_waits_for_the_thaw(tracee_sleeps, seize_and_interrupt,
					     interrupt));
}

TEST_F(freezer, seized_task_that_read_runs_only_after_cont_and_thaw)
{
	EXPECT_EQ(0, cont_waits_for_the_thaw(tracee_reads, seize_and_interrupt,
					     interrupt));
}

TEST_F(freezer, seized_task_that_spun_runs_only_after_cont_and_thaw)
{
	EXPECT_EQ(0, cont_waits_for_the_thaw(tracee_spins, seize_and_interrupt,
					     interrupt));
}

TEST_F(freezer, attached_task_that_slept_runs_only_after_cont_and_thaw)
{
	EXPECT_EQ(0, cont_waits_for_the_thaw(tracee_sleeps, attach,
					     stop_by_signal));
}

TEST_F(freezer, attached_task_that_read_runs_only_after_cont_and_thaw)
{
	EXPECT_EQ(0, cont_waits_for_the_thaw(tracee_reads, attach,
					     stop_by_signal));
}

TEST_F(freezer, attached_task_that_spun_runs_only_after_cont_and_thaw)
{
	EXPECT_EQ(0, cont_waits_for_the_thaw(tracee_spins, attach,
					     stop_by_signal));
}

static int goes_on_until_its_next_stop_after_thaw(void (*fn)(struct worker *w),
						  enum __ptrace_request request)
{
	struct worker w;
	int ret;

	ret = stops_while_frozen(&w, fn, seize_and_interrupt);
	ret = ret ?: trace(request, w.pid, 0) ?: stays_frozen(&w, 1);
	if (!ret && !shows_nothing(w.pid))
		ret = -EPROTO;
	ret = ret ?: cg_thaw("a") ?: wait_stop(w.pid, SIGTRAP);
	return ret ?: workers_stand_still(&w, 1);
}

TEST_F(freezer, single_step_of_a_frozen_task_is_made_after_the_thaw)
{
	EXPECT_EQ(0, goes_on_until_its_next_stop_after_thaw(tracee_spins,
							    PTRACE_SINGLESTEP));
}

TEST_F(freezer, next_system_call_of_a_frozen_task_is_shown_after_the_thaw)
{
	EXPECT_EQ(0, goes_on_until_its_next_stop_after_thaw(tracee_sleeps,
							    PTRACE_SYSCALL));
}

TEST_F(freezer, thaw_does_not_end_a_stop_that_began_while_frozen)
{
	struct worker w;

	ASSERT_EQ(0, stops_while_frozen(&w, tracee_sleeps, seize_and_interrupt));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, inspect(w.pid, w.slots));
	ASSERT_EQ(0, cont(w.pid));
	EXPECT_EQ(0, workers_move(&w, 1));
}

static int detach_waits_for_the_thaw(void (*fn)(struct worker *w),
				     int (*stop)(pid_t tid))
{
	struct worker w;
	int ret;

	ret = stops_while_frozen(&w, fn, stop);
	ret = ret ?: detach(w.pid) ?: stays_frozen(&w, 1);
	return ret ?: thaw(&w, 1);
}

TEST_F(freezer, detach_leaves_a_task_that_slept_frozen_until_the_thaw)
{
	EXPECT_EQ(0, detach_waits_for_the_thaw(tracee_sleeps,
					       seize_and_interrupt));
}

TEST_F(freezer, detach_leaves_a_task_that_read_frozen_until_the_thaw)
{
	EXPECT_EQ(0, detach_waits_for_the_thaw(tracee_reads,
					       seize_and_interrupt));
}

TEST_F(freezer, detach_leaves_a_task_that_spun_frozen_until_the_thaw)
{
	EXPECT_EQ(0, detach_waits_for_the_thaw(tracee_spins,
					       seize_and_interrupt));
}

TEST_F(freezer, detach_after_attach_leaves_a_task_frozen_until_the_thaw)
{
	EXPECT_EQ(0, detach_waits_for_the_thaw(tracee_sleeps, attach));
}

static int second_cycle_is_like_the_first(void (*fn)(struct worker *w))
{
	struct worker w;
	int i, ret;

	ret = stops_while_frozen(&w, fn, seize_and_interrupt);
	for (i = 0; i < 3 && !ret; i++) {
		ret = cont(w.pid) ?: stays_frozen(&w, 1);
		ret = ret ?: thaw(&w, 1);
		ret = ret ?: shows_nothing(w.pid) ? 0 : -EINVAL;
		ret = ret ?: freeze() ?: stays_frozen(&w, 1);
		ret = ret ?: interrupt(w.pid);
		ret = ret ?: inspect(w.pid, w.slots);
	}
	return ret;
}

TEST_F(freezer, second_cycle_of_a_tracee_that_sleeps_is_like_the_first)
{
	EXPECT_EQ(0, second_cycle_is_like_the_first(tracee_sleeps));
}

TEST_F(freezer, second_cycle_of_a_tracee_that_reads_is_like_the_first)
{
	EXPECT_EQ(0, second_cycle_is_like_the_first(tracee_reads));
}

TEST_F(freezer, second_cycle_of_a_tracee_that_spins_is_like_the_first)
{
	EXPECT_EQ(0, second_cycle_is_like_the_first(tracee_spins));
}

/* Traced before the freeze. */

static int start_in_a_stop(struct worker *w)
{
	return start(w, tracee_sleeps) ?: seize_and_interrupt(w->pid);
}

TEST_F(freezer, task_in_a_ptrace_stop_freezes_and_can_be_looked_at)
{
	struct worker w;

	ASSERT_EQ(0, start_in_a_stop(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, inspect(w.pid, w.slots));
	EXPECT_EQ(0, stays_frozen(&w, 1));
}

TEST_F(freezer, task_in_a_ptrace_stop_runs_only_after_cont_and_thaw)
{
	struct worker w;

	ASSERT_EQ(0, start_in_a_stop(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, cont(w.pid));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0, thaw(&w, 1));
}

TEST_F(freezer, task_in_a_ptrace_stop_runs_only_after_thaw_and_cont)
{
	struct worker w;

	ASSERT_EQ(0, start_in_a_stop(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, inspect(w.pid, w.slots));
	ASSERT_EQ(0, cont(w.pid));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer, task_whose_ptrace_stop_was_frozen_stops_again_after_cont)
{
	struct worker w;

	ASSERT_EQ(0, start_in_a_stop(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, cont(w.pid));
	ASSERT_EQ(0, interrupt(w.pid));
	ASSERT_EQ(0, inspect(w.pid, w.slots));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, detach(w.pid));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0, thaw(&w, 1));
}

TEST_F(freezer, detach_of_a_task_whose_ptrace_stop_was_frozen_waits_for_the_thaw)
{
	struct worker w;

	ASSERT_EQ(0, start_in_a_stop(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, detach(w.pid));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0, thaw(&w, 1));
}

static int running_tracee_freezes_and_stops(void (*fn)(struct worker *w))
{
	struct worker w;
	int ret;

	ret = start(&w, fn) ?: seize(w.pid) ?: freeze();
	ret = ret ?: stays_frozen(&w, 1);
	ret = ret ?: shows_nothing(w.pid) ? 0 : -EINVAL;
	ret = ret ?: interrupt(w.pid);
	ret = ret ?: inspect(w.pid, w.slots);
	ret = ret ?: stays_frozen(&w, 1);
	ret = ret ?: cont(w.pid) ?: stays_frozen(&w, 1);
	return ret ?: thaw(&w, 1);
}

TEST_F(freezer, tracee_that_sleeps_freezes_and_stops_for_its_tracer)
{
	EXPECT_EQ(0, running_tracee_freezes_and_stops(tracee_sleeps));
}

TEST_F(freezer, tracee_that_reads_freezes_and_stops_for_its_tracer)
{
	EXPECT_EQ(0, running_tracee_freezes_and_stops(tracee_reads));
}

TEST_F(freezer, tracee_that_spins_freezes_and_stops_for_its_tracer)
{
	EXPECT_EQ(0, running_tracee_freezes_and_stops(tracee_spins));
}

/* So much memory that a fork can be caught in its middle. */
#define FORKED_SIZE	(32UL << 20)
#define NR_FORKS	10

static void tracee_forks(struct worker *w)
{
	sigset_t set;
	pid_t child;

	/* The tracer would be shown it. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (mmap(NULL, FORKED_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED)
		_exit(1);
	install_handler(w);
	for (;;) {
		slot_set_note(w->slots, NOTE_GO, 1);
		child = fork();
		while (!child)
			pause();
		slot_set_note(w->slots, NOTE_GO, 0);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		slot_tick(w->slots);
	}
}

/* It is not waited for, as it is to stop for its tracer; but it is in fork(). */
static int fork_brings_nobody(struct worker *w)
{
	unsigned int nr;
	pid_t pids[2];
	int ret;

	ret = WAIT_UNTIL(slot_note(w->slots, NOTE_GO));
	ret = ret ?: kill(w->pid, SIGUSR1) ? -errno : cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	nr = cg_procs("a", pids, 2);
	ret = ret ?: wait_stop(w->pid, SIGUSR1);
	/* The child before this one may be on its way out, and leave. */
	if (!ret && (cg_procs("a", pids, 2) > nr || !cg_reads("a", "FROZEN"))) {
		fprintf(stderr, "# a process has come to a, which is FROZEN\n");
		cg_describe("a");
		ret = -EAGAIN;
	}
	return ret ?: cont(w->pid) ?: thaw(w, 1);
}

TEST_F(freezer, fork_of_a_tracee_brings_nobody_to_a_frozen_cgroup)
{
	struct worker w;
	unsigned int i;

	ASSERT_EQ(0, worker_start_in("a", &w, tracee_forks, 1));
	ASSERT_EQ(0, seize(w.pid));
	for (i = 0; i < NR_FORKS; i++)
		ASSERT_EQ(0, fork_brings_nobody(&w));
}

/* Signals with a handler. */

static int signal_shown_while_frozen(struct worker *w,
				     void (*fn)(struct worker *w))
{
	int ret;

	ret = start(w, fn) ?: seize(w->pid) ?: freeze();
	if (!ret && kill(w->pid, SIGUSR1))
		ret = -errno;
	ret = ret ?: wait_stop(w->pid, SIGUSR1);
	ret = ret ?: inspect(w->pid, w->slots);
	ret = ret ?: stays_frozen(w, 1);
	return ret ?: hits(w) ? -EINVAL : 0;
}

static int handled_after_the_thaw(struct worker *w)
{
	int ret;

	ret = trace(PTRACE_CONT, w->pid, SIGUSR1);
	ret = ret ?: stays_frozen(w, 1);
	ret = ret ?: hits(w) ? -EINVAL : 0;
	ret = ret ?: thaw(w, 1);
	ret = ret ?: WAIT_UNTIL(hits(w));
	ret = ret ?: workers_move(w, 1);
	return ret ?: hits(w) == 1 ? 0 : -EINVAL;
}

TEST_F(freezer, signal_of_a_frozen_tracee_that_slept_is_shown_and_handled_later)
{
	struct worker w;

	ASSERT_EQ(0, signal_shown_while_frozen(&w, tracee_sleeps));
	EXPECT_EQ(0, handled_after_the_thaw(&w));
}

TEST_F(freezer, signal_of_a_frozen_tracee_that_read_is_shown_and_handled_later)
{
	struct worker w;

	ASSERT_EQ(0, signal_shown_while_frozen(&w, tracee_reads));
	EXPECT_EQ(0, handled_after_the_thaw(&w));
}

TEST_F(freezer, signal_of_a_frozen_tracee_that_spun_is_shown_and_handled_later)
{
	struct worker w;

	ASSERT_EQ(0, signal_shown_while_frozen(&w, tracee_spins));
	EXPECT_EQ(0, handled_after_the_thaw(&w));
}

TEST_F(freezer, signal_that_the_tracer_takes_while_frozen_is_never_handled)
{
	struct worker w;

	ASSERT_EQ(0, signal_shown_while_frozen(&w, tracee_sleeps));
	ASSERT_EQ(0, cont(w.pid));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, thaw(&w, 1));
	EXPECT_EQ(0UL, hits(&w));
}

TEST_F(freezer, signal_that_the_tracer_gives_to_a_frozen_stop_is_handled_later)
{
	struct worker w;

	ASSERT_EQ(0, start_in_a_stop(&w));
	ASSERT_EQ(0, cont(w.pid));
	ASSERT_EQ(0, kill(w.pid, SIGUSR1));
	ASSERT_EQ(0, wait_stop(w.pid, SIGUSR1));
	ASSERT_EQ(0, freeze());
	EXPECT_EQ(0, handled_after_the_thaw(&w));
}

TEST_F(freezer, signal_that_came_in_a_frozen_stop_is_shown_after_cont)
{
	struct worker w;

	ASSERT_EQ(0, start_in_a_stop(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, kill(w.pid, SIGUSR1));
	ASSERT_EQ(0, cont(w.pid));
	ASSERT_EQ(0, wait_stop(w.pid, SIGUSR1));
	ASSERT_EQ(0, inspect(w.pid, w.slots));
	EXPECT_EQ(0, handled_after_the_thaw(&w));
}

/* Of two threads that sleep for ever one is traced. */

static void worker_pauses_in_threads(struct worker *w)
{
	install_handler(w);
	worker_start_threads(w, thread_pauses);
	thread_pauses(w->slots);
}

TEST_F(freezer, signal_is_shown_after_a_sigcont_that_continued_nobody)
{
	struct worker w;
	pid_t tid;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_pauses_in_threads, 2));
	ASSERT_EQ(0, WAIT_UNTIL(slot_count(w.slots + 1)));
	tid = w.slots[1].tid;
	ASSERT_EQ(0, trace(PTRACE_ATTACH, tid, 0));
	ASSERT_EQ(0, wait_stop(tid, SIGSTOP));
	ASSERT_EQ(0, cont(tid));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, kill(w.pid, SIGUSR1));
	ASSERT_EQ(0, kill(w.pid, SIGCONT));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, WAIT_UNTIL(hits(&w)));
	ASSERT_EQ(0, syscall(SYS_tgkill, w.pid, tid, SIGUSR1));
	EXPECT_EQ(0, wait_stop(tid, SIGUSR1));
}

TEST_F(freezer, signal_that_was_pending_before_the_tracer_came_is_shown)
{
	struct worker w;

	ASSERT_EQ(0, start(&w, tracee_sleeps));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, kill(w.pid, SIGUSR1));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, seize_and_interrupt(w.pid));
	ASSERT_EQ(0, cont(w.pid));
	ASSERT_EQ(0, wait_stop(w.pid, SIGUSR1));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0UL, hits(&w));
	EXPECT_EQ(0, handled_after_the_thaw(&w));
}

/* Death. */

static int dies_while_frozen(struct worker *w)
{
	int ret = worker_wait_killed(w, SIGKILL);

	ret = ret ?: state_has_changed() ? -EAGAIN : 0;
	return ret ?: cg_wait_empty("a");
}

static int kill_while_frozen(struct worker *w)
{
	return kill(w->pid, SIGKILL) ? -errno : dies_while_frozen(w);
}

TEST_F(freezer, kill_ends_a_tracee_that_has_stopped_while_frozen)
{
	struct worker w;

	ASSERT_EQ(0, stops_while_frozen(&w, tracee_sleeps, seize_and_interrupt));
	EXPECT_EQ(0, kill_while_frozen(&w));
}

TEST_F(freezer, kill_ends_a_tracee_that_shows_a_signal_while_frozen)
{
	struct worker w;

	ASSERT_EQ(0, signal_shown_while_frozen(&w, tracee_sleeps));
	EXPECT_EQ(0, kill_while_frozen(&w));
}

TEST_F(freezer, kill_ends_a_tracee_whose_stop_was_frozen)
{
	struct worker w;

	ASSERT_EQ(0, start_in_a_stop(&w));
	ASSERT_EQ(0, freeze());
	EXPECT_EQ(0, kill_while_frozen(&w));
}

TEST_F(freezer, kill_ends_a_tracee_whose_stop_was_frozen_and_continued)
{
	struct worker w;

	ASSERT_EQ(0, start_in_a_stop(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, cont(w.pid));
	EXPECT_EQ(0, kill_while_frozen(&w));
}

TEST_F(freezer, kill_ends_a_tracee_that_was_continued_while_frozen)
{
	struct worker w;

	ASSERT_EQ(0, stops_while_frozen(&w, tracee_spins, seize_and_interrupt));
	ASSERT_EQ(0, cont(w.pid));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0, kill_while_frozen(&w));
}

static int kill_without_a_stop(void (*fn)(struct worker *w))
{
	struct worker w;
	int ret;

	ret = start(&w, fn) ?: seize(w.pid) ?: freeze();
	return ret ?: kill_while_frozen(&w);
}

TEST_F(freezer, kill_ends_a_frozen_tracee_that_slept)
{
	EXPECT_EQ(0, kill_without_a_stop(tracee_sleeps));
}

TEST_F(freezer, kill_ends_a_frozen_tracee_that_read)
{
	EXPECT_EQ(0, kill_without_a_stop(tracee_reads));
}

TEST_F(freezer, kill_ends_a_frozen_tracee_that_spun)
{
	EXPECT_EQ(0, kill_without_a_stop(tracee_spins));
}

TEST_F(freezer, kill_ends_a_frozen_tracee_that_was_stopped)
{
	struct worker w;

	ASSERT_EQ(0, start_stopped(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, attach(w.pid));
	EXPECT_EQ(0, kill_while_frozen(&w));
}

TEST_F(freezer, kill_ends_a_traced_parent_in_vfork)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_in_vfork, 1));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, seize(w.pid));
	ASSERT_EQ(0, kill(w.pid, SIGKILL));
	ASSERT_EQ(0, worker_wait_killed(&w, SIGKILL));
	/* Its child lives on. */
	EXPECT_EQ(0, stays_frozen(&w, 1));
}

TEST_F(freezer, freezer_kill_ends_all_tracees_while_frozen)
{
	struct worker w[3];
	int i;

	ASSERT_EQ(0, start(w, tracee_sleeps));
	ASSERT_EQ(0, start(w + 1, tracee_spins));
	ASSERT_EQ(0, start(w + 2, tracee_reads));
	ASSERT_EQ(0, seize_and_interrupt(w[0].pid));
	ASSERT_EQ(0, seize(w[1].pid));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, seize_and_interrupt(w[2].pid));
	ASSERT_EQ(0, cg_kill("a", SIGKILL));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, worker_wait_killed(w + i, SIGKILL));
	EXPECT_EQ(0, cg_wait_empty("a"));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
}

/* A request of the tracer keeps even SIGKILL off the tracee while it lasts. */

static struct slot *peeks;
static pid_t victim;

static void worker_kills_while_we_peek(struct worker *w)
{
	unsigned long until = slot_count(peeks) + 50 + victim % 16;

	while (slot_count(peeks) < until)
		slot_tick(w->slots);
	kill(victim, SIGKILL);
}

static int peek_until_killed(struct worker *w)
{
	struct worker killer;
	int status, ret;

	victim = w->pid;
	ret = worker_start(&killer, worker_kills_while_we_peek, 1);
	if (ret)
		return ret;
	do {
		ret = peek(w->pid, w->slots);
		slot_tick(peeks);
	} while (!ret);
	ret = ret == -ESRCH ? 0 : ret;
	ret = ret ?: worker_wait_killed(w, SIGKILL);
	return worker_wait_exit(&killer, &status) ?: ret;
}

#define NR_VICTIMS	20

static int start_victims(struct worker *w)
{
	int i, ret = 0;

	peeks = slots_get(1);
	for (i = 0; i < NR_VICTIMS && !ret; i++)
		ret = start(w + i, tracee_sleeps);
	return ret;
}

static int stop_victims(struct worker *w)
{
	int i, ret = 0;

	for (i = 0; i < NR_VICTIMS && !ret; i++)
		ret = seize_and_interrupt(w[i].pid);
	return ret;
}

static int peek_until_all_are_killed(struct worker *w)
{
	int i, ret = 0;

	for (i = 0; i < NR_VICTIMS && !ret; i++)
		ret = peek_until_killed(w + i);
	ret = ret ?: cg_wait_empty("a");
	return ret ?: state_has_changed() ? -EAGAIN : 0;
}

TEST_F(freezer, kill_ends_a_tracee_that_has_stopped_while_frozen_and_is_peeked_at)
{
	struct worker w[NR_VICTIMS];

	ASSERT_EQ(0, start_victims(w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, stop_victims(w));
	EXPECT_EQ(0, peek_until_all_are_killed(w));
}

TEST_F(freezer, kill_ends_a_tracee_whose_stop_was_frozen_and_is_peeked_at)
{
	struct worker w[NR_VICTIMS];

	ASSERT_EQ(0, start_victims(w));
	ASSERT_EQ(0, stop_victims(w));
	ASSERT_EQ(0, freeze());
	EXPECT_EQ(0, peek_until_all_are_killed(w));
}

/* The tracer dies. */

static unsigned long tracer_options;

static void worker_traces_and_stops(struct worker *w)
{
	if (trace(PTRACE_SEIZE, victim, tracer_options) || interrupt(victim))
		_exit(1);
	worker_sleeps(w);
}

static void worker_traces(struct worker *w)
{
	if (trace(PTRACE_SEIZE, victim, tracer_options))
		_exit(1);
	worker_sleeps(w);
}

static int start_tracer(struct worker *tracer, struct worker *w,
			void (*fn)(struct worker *w), unsigned long options)
{
	victim = w->pid;
	tracer_options = options;
	return worker_start(tracer, fn, 1) ?: workers_move(tracer, 1);
}

static int kill_tracer(struct worker *tracer)
{
	return kill(tracer->pid, SIGKILL) ? -errno :
	       worker_wait_killed(tracer, SIGKILL);
}

static int tracer_dies(struct worker *w, void (*fn)(struct worker *w),
		       void (*tracer_fn)(struct worker *w),
		       unsigned long options)
{
	struct worker tracer;
	int ret;

	ret = start(w, fn) ?: freeze();
	ret = ret ?: start_tracer(&tracer, w, tracer_fn, options);
	ret = ret ?: stays_frozen(w, 1);
	return ret ?: kill_tracer(&tracer);
}

TEST_F(freezer, death_of_the_tracer_leaves_a_stopped_tracee_frozen)
{
	struct worker w;

	ASSERT_EQ(0, tracer_dies(&w, tracee_sleeps, worker_traces_and_stops, 0));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0, thaw(&w, 1));
}

TEST_F(freezer, death_of_the_tracer_leaves_a_tracee_that_slept_frozen)
{
	struct worker w;

	ASSERT_EQ(0, tracer_dies(&w, tracee_sleeps, worker_traces, 0));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0, thaw(&w, 1));
}

TEST_F(freezer, death_of_the_tracer_leaves_a_tracee_that_spun_frozen)
{
	struct worker w;

	ASSERT_EQ(0, tracer_dies(&w, tracee_spins, worker_traces, 0));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0, thaw(&w, 1));
}

TEST_F(freezer, death_of_the_tracer_leaves_a_tracee_whose_stop_was_frozen_frozen)
{
	struct worker w, tracer;

	ASSERT_EQ(0, start(&w, tracee_sleeps));
	ASSERT_EQ(0, start_tracer(&tracer, &w, worker_traces_and_stops, 0));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, kill_tracer(&tracer));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	EXPECT_EQ(0, thaw(&w, 1));
}

TEST_F(freezer, exitkill_ends_a_stopped_tracee_while_frozen)
{
	struct worker w;

	ASSERT_EQ(0, tracer_dies(&w, tracee_sleeps, worker_traces_and_stops,
				 PTRACE_O_EXITKILL));
	EXPECT_EQ(0, dies_while_frozen(&w));
}

TEST_F(freezer, exitkill_ends_a_tracee_that_slept_while_frozen)
{
	struct worker w;

	ASSERT_EQ(0, tracer_dies(&w, tracee_sleeps, worker_traces,
				 PTRACE_O_EXITKILL));
	EXPECT_EQ(0, dies_while_frozen(&w));
}

TEST_F(freezer, exitkill_ends_a_tracee_that_spun_while_frozen)
{
	struct worker w;

	ASSERT_EQ(0, tracer_dies(&w, tracee_spins, worker_traces,
				 PTRACE_O_EXITKILL));
	EXPECT_EQ(0, dies_while_frozen(&w));
}

TEST_F(freezer, exitkill_ends_a_tracee_whose_stop_was_frozen)
{
	struct worker w, tracer;

	ASSERT_EQ(0, start(&w, tracee_sleeps));
	ASSERT_EQ(0, start_tracer(&tracer, &w, worker_traces_and_stops,
				  PTRACE_O_EXITKILL));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, kill_tracer(&tracer));
	EXPECT_EQ(0, dies_while_frozen(&w));
}

/*
 * strace.  The trap of the v2 freezer once interrupted a system call again and
 * again, so that a tracer never saw the end of it.
 */

#define NR_WRITES	1000

static void worker_writes(struct worker *w)
{
	int i;

	while (!slot_note(w->slots, NOTE_GO))
		slot_tick(w->slots);
	for (i = 0; i < NR_WRITES; i++)
		if (write(pipe_fds[1], "", 1) != 1)
			_exit(1);
	_exit(0);
}

/* Outside the cgroup.  Ends, and stands still, when a freeze does not succeed. */
static void worker_toggles(struct worker *w)
{
	while (!cg_freeze("a") && !cg_wait("a", "FROZEN") && !cg_thaw("a")) {
		slot_tick(w->slots);
		pause_ms(1);
	}
}

struct strace {
	unsigned int	stops;
	bool		in_write;
};

static int strace_look(struct strace *s, pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
		return -errno;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		s->in_write = info.entry.nr == SYS_write;
		s->stops += s->in_write;
		return 0;
	}
	if (!s->in_write)
		return 0;
	s->stops++;
	s->in_write = false;
	return info.exit.rval == 1 ? 0 : -EIO;
}

/* 1 when the tracee has exited. */
static int strace_step(struct strace *s, pid_t pid)
{
	int status = 0;
	int ret = trace(PTRACE_SYSCALL, pid, 0);

	ret = ret ?: WAIT_UNTIL(waitpid(pid, &status, WNOHANG) == pid);
	if (!ret && WIFEXITED(status))
		return WEXITSTATUS(status) ? -EIO : 1;
	if (ret || !WIFSTOPPED(status) || status >> 8 != SYSCALL_STOP) {
		fprintf(stderr, "# no stop of strace, but status %#x\n", status);
		task_describe(pid);
		return ret ?: -EINVAL;
	}
	return strace_look(s, pid);
}

/* However fast that is, there are some freezes in it. */
static int strace_all(struct strace *s, struct worker *w, struct worker *toggler)
{
	int i, ret = 0;

	for (i = 1; !ret; i++) {
		ret = strace_step(s, w->pid);
		if (!ret && i % 100 == 0)
			ret = workers_move(toggler, 1);
	}
	return ret;
}

TEST_F_TIMEOUT(freezer, strace_neither_loops_for_ever_nor_misses_a_call, 120)
{
	struct strace s = {};
	struct worker w, toggler;
	int nr_bytes;

	ASSERT_EQ(0, pipe2(pipe_fds, O_CLOEXEC));
	ASSERT_EQ(0, start(&w, worker_writes));
	ASSERT_EQ(0, trace(PTRACE_SEIZE, w.pid, PTRACE_O_TRACESYSGOOD));
	ASSERT_EQ(0, interrupt(w.pid));
	slot_set_note(w.slots, NOTE_GO, 1);
	ASSERT_EQ(0, worker_start(&toggler, worker_toggles, 1));
	EXPECT_EQ(1, strace_all(&s, &w, &toggler));
	EXPECT_EQ(2 * NR_WRITES, (int)s.stops);
	ASSERT_EQ(0, ioctl(pipe_fds[0], FIONREAD, &nr_bytes));
	EXPECT_EQ(NR_WRITES, nr_bytes);
	ASSERT_EQ(0, kill(toggler.pid, SIGKILL));
	EXPECT_EQ(0, worker_wait_killed(&toggler, SIGKILL));
}

/* Job control, with no tracer. */

/* The next thing that a shell hears of @pid, 0 for nothing yet. */
static int job_status(pid_t pid)
{
	int status = 0;

	return waitpid(pid, &status, WNOHANG | WUNTRACED | WCONTINUED) == pid ?
	       status : 0;
}

static int wait_job_stopped(pid_t pid)
{
	int status = 0;
	int ret = WAIT_UNTIL((status = job_status(pid)));

	return ret ?: WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP ? 0 : -EINVAL;
}

static int wait_job_continued(pid_t pid)
{
	int status = 0;
	int ret = WAIT_UNTIL((status = job_status(pid)));

	return ret ?: WIFCONTINUED(status) ? 0 : -EINVAL;
}

static int stop_job(struct worker *w)
{
	return kill(w->pid, SIGSTOP) ? -errno : wait_job_stopped(w->pid);
}

static int continued_while_frozen(struct worker *w)
{
	int ret;

	ret = stop_job(w) ?: freeze();
	ret = ret ?: job_status(w->pid) ? -EINVAL : 0;
	if (!ret && kill(w->pid, SIGCONT))
		ret = -errno;
	ret = ret ?: stays_frozen(w, 1);
	ret = ret ?: thaw(w, 1);
	ret = ret ?: wait_job_continued(w->pid);
	return ret ?: job_status(w->pid) ? -EINVAL : 0;
}

TEST_F(freezer, job_continued_while_frozen_goes_on_after_the_thaw)
{
	struct worker w;

	ASSERT_EQ(0, start(&w, tracee_sleeps));
	EXPECT_EQ(0, continued_while_frozen(&w));
}

TEST_F(freezer, job_with_threads_continued_while_frozen_goes_on_after_the_thaw)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, NR_THREADS));
	EXPECT_EQ(0, continued_while_frozen(&w));
}

static int stopped_while_frozen(struct worker *w)
{
	int ret;

	ret = freeze();
	if (!ret && kill(w->pid, SIGSTOP))
		ret = -errno;
	ret = ret ?: stays_frozen(w, 1);
	ret = ret ?: job_status(w->pid) ? -EINVAL : 0;
	ret = ret ?: cg_thaw("a");
	ret = ret ?: wait_job_stopped(w->pid);
	ret = ret ?: workers_stand_still(w, 1);
	if (!ret && kill(w->pid, SIGCONT))
		ret = -errno;
	ret = ret ?: workers_move(w, 1);
	return ret ?: wait_job_continued(w->pid);
}

TEST_F(freezer, job_stopped_while_frozen_is_reported_after_the_thaw)
{
	struct worker w;

	ASSERT_EQ(0, start(&w, tracee_sleeps));
	ASSERT_EQ(0, stopped_while_frozen(&w));
	EXPECT_EQ(0, job_status(w.pid));
}

TEST_F(freezer, job_with_threads_stopped_while_frozen_is_reported_after_the_thaw)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_has_threads, NR_THREADS));
	ASSERT_EQ(0, stopped_while_frozen(&w));
	EXPECT_EQ(0, job_status(w.pid));
}

TEST_F(freezer, job_stopped_and_continued_while_frozen_has_nothing_to_report)
{
	struct worker w;

	ASSERT_EQ(0, start(&w, tracee_sleeps));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, kill(w.pid, SIGSTOP));
	ASSERT_EQ(0, kill(w.pid, SIGCONT));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, thaw(&w, 1));
	EXPECT_EQ(0, job_status(w.pid));
}

TEST_F(freezer, job_continued_and_stopped_while_frozen_is_stopped_after_the_thaw)
{
	struct worker w;

	ASSERT_EQ(0, start(&w, tracee_sleeps));
	ASSERT_EQ(0, stop_job(&w));
	ASSERT_EQ(0, freeze());
	ASSERT_EQ(0, kill(w.pid, SIGCONT));
	ASSERT_EQ(0, kill(w.pid, SIGSTOP));
	ASSERT_EQ(0, stays_frozen(&w, 1));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, WAIT_UNTIL(task_state(w.pid) == 'T'));
	ASSERT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, wait_job_stopped(w.pid));
	ASSERT_EQ(0, kill(w.pid, SIGCONT));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_HARNESS_MAIN
