// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that wait for signals, for time, and for other processes.
 */
#define _GNU_SOURCE

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

/* Signals. */

static int prepare_open_usr1(struct blocked *b)
{
	sigset_t set;

	sigemptyset(&set);
	return prepare_usr1(b) ?: status(sigprocmask(SIG_SETMASK, &set, NULL));
}

static long call_sigsuspend(struct blocked *b)
{
	sigset_t set;

	(void)b;
	sigemptyset(&set);
	return result(sigsuspend(&set));
}

static long call_pause(struct blocked *b)
{
	(void)b;
	return result(pause());
}

static long call_sigtimedwait(struct blocked *b)
{
	struct timespec timeout = timespec_of(b->timeout);
	sigset_t set;

	usr1_set(&set);
	return result(sigtimedwait(&set, NULL, &timeout));
}

static long call_sigwaitinfo(struct blocked *b)
{
	sigset_t set;

	(void)b;
	usr1_set(&set);
	return result(sigwaitinfo(&set, NULL));
}

static long call_ppoll_mask(struct blocked *b)
{
	sigset_t set;

	(void)b;
	sigemptyset(&set);
	return result(ppoll(NULL, 0, NULL, &set));
}

/* Time; these end by themselves. */

static long call_nanosleep(struct blocked *b)
{
	struct timespec timeout = timespec_of(b->timeout);

	return result(syscall(SYS_nanosleep, &timeout, NULL));
}

static long call_clock_nanosleep(struct blocked *b)
{
	struct timespec timeout = timespec_of(b->timeout);

	return -clock_nanosleep(CLOCK_MONOTONIC, 0, &timeout, NULL);
}

static long call_clock_nanosleep_until(struct blocked *b)
{
	struct timespec end = deadline_of(CLOCK_REALTIME, b->timeout);

	return -clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, NULL);
}

static long call_poll_nothing(struct blocked *b)
{
	return result(poll(NULL, 0, b->timeout));
}

static long call_select_nothing(struct blocked *b)
{
	struct timeval timeout = timeval_of(b->timeout);

	return result(select(0, NULL, NULL, NULL, &timeout));
}

/* A signal ends it, and it says what is left of its time. */
static long call_nanosleep_long(struct blocked *b)
{
	struct timespec timeout = timespec_of(b->timeout);

	return result(syscall(SYS_nanosleep, &timeout, &timeout));
}

/* Children of the worker, where the test finds their pid. */

static void child_waits(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static int prepare_child(struct blocked *b)
{
	pid_t pid = fork();

	if (!pid)
		child_waits();
	b->shared[0] = pid;
	return status(pid);
}

static int event_kill_child(struct blocked *b)
{
	return status(kill(b->shared[0], SIGKILL));
}

static long call_wait4(struct blocked *b)
{
	return status(wait4(b->shared[0], NULL, 0, NULL));
}

static long call_waitid(struct blocked *b)
{
	siginfo_t info;

	(void)b;
	return result(waitid(P_ALL, 0, &info, WEXITED));
}

static int prepare_child_pidfd(struct blocked *b)
{
	int ret = prepare_child(b);

	b->fd[0] = syscall(SYS_pidfd_open, b->shared[0], 0);
	return ret ?: status(b->fd[0]);
}

static long call_waitid_pidfd(struct blocked *b)
{
	siginfo_t info;

	return result(waitid(P_PIDFD, b->fd[0], &info, WEXITED));
}

/* Of somebody else. */
static int setup_pidfd(struct blocked *b)
{
	b->helper = fork();
	if (!b->helper)
		child_waits();
	b->fd[0] = syscall(SYS_pidfd_open, b->helper, 0);
	return status(b->fd[0]);
}

/* The child shares our memory, and must not call what writes to it. */
static long call_vfork(struct blocked *b)
{
	pid_t pid = vfork();

	if (!pid) {
		b->shared[0] = syscall(SYS_getpid);
		for (;;)
			syscall(SYS_pause);
	}
	return status(pid);
}

#define SIGNAL_CALL(what, prepare_fn, fn, nr, ...)			\
	{ .name = what, .prepare = prepare_fn, .call = fn,		\
	  .event = event_usr1, .result = nr, __VA_ARGS__ }

#define TIME_CALL(what, fn)						\
	{ .name = what, .call = fn, .timed = true }

#define CHILD_CALL(what, prepare_fn, fn, ...)				\
	{ .name = what, .prepare = prepare_fn, .call = fn,		\
	  .event = event_kill_child, __VA_ARGS__ }

const struct call task_calls[] = {
	SIGNAL_CALL("sigsuspend", prepare_usr1, call_sigsuspend, -EINTR),
	SIGNAL_CALL("pause", prepare_open_usr1, call_pause, -EINTR),
	SIGNAL_CALL("sigtimedwait", prepare_usr1, call_sigtimedwait, SIGUSR1,
		    .timed = true, .timed_out = -EAGAIN),
	SIGNAL_CALL("sigwaitinfo", prepare_usr1, call_sigwaitinfo, SIGUSR1),
	SIGNAL_CALL("ppoll for a signal", prepare_usr1, call_ppoll_mask,
		    -EINTR),
	SIGNAL_CALL("nanosleep, ended by a signal", prepare_open_usr1,
		    call_nanosleep_long, -EINTR),
	TIME_CALL("nanosleep", call_nanosleep),
	TIME_CALL("clock_nanosleep", call_clock_nanosleep),
	TIME_CALL("clock_nanosleep, absolute", call_clock_nanosleep_until),
	TIME_CALL("poll of nothing, timeout", call_poll_nothing),
	TIME_CALL("select of nothing, timeout", call_select_nothing),
	CHILD_CALL("wait4", prepare_child, call_wait4),
	CHILD_CALL("waitid", prepare_child, call_waitid),
	CHILD_CALL("waitid on a pidfd", prepare_child_pidfd, call_waitid_pidfd),
	CHILD_CALL("vfork", NULL, call_vfork),
	PLAIN_CALL("poll of a pidfd", setup_pidfd, call_poll, event_kill_helper,
		   .result = 1),
	{ }
};
