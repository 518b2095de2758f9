// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that wait for other tasks by futexes, System V IPC and message queues,
 * and for what they have asked of aio and io_uring.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"

/* Futexes: the first word is waited at, the second is for requeueing. */

static long futex(unsigned int *word, int op, unsigned int val,
		  const void *timeout_or_val2, unsigned int *word2,
		  unsigned int val3)
{
	return result(syscall(SYS_futex, word, op, val, timeout_or_val2, word2,
			      val3));
}

static int wake(unsigned int *word)
{
	return futex(word, FUTEX_WAKE, 1, NULL, NULL, 0) == 1 ? 0 : -ESRCH;
}

static int event_wake(struct blocked *b)
{
	return wake(b->shared);
}

static long call_futex_wait(struct blocked *b)
{
	return futex(b->shared, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static long call_futex_wait_timed(struct blocked *b)
{
	struct timespec timeout = timespec_of(b->timeout);

	return futex(b->shared, FUTEX_WAIT, 0, &timeout, NULL, 0);
}

static long call_futex_wait_bitset(struct blocked *b)
{
	struct timespec end = deadline_of(CLOCK_MONOTONIC, b->timeout);

	return futex(b->shared, FUTEX_WAIT_BITSET, 0, &end, NULL,
		     FUTEX_BITSET_MATCH_ANY);
}

static int event_requeue_and_wake(struct blocked *b)
{
	long nr = futex(b->shared, FUTEX_REQUEUE, 0, (void *)1, b->shared + 1, 0);

	return nr == 1 ? wake(b->shared + 1) : -ESRCH;
}

static long call_futex_wait_requeue_pi(struct blocked *b)
{
	return futex(b->shared, FUTEX_WAIT_REQUEUE_PI, 0, NULL, b->shared + 1,
		     0);
}

static int event_requeue_pi(struct blocked *b)
{
	long nr = futex(b->shared, FUTEX_CMP_REQUEUE_PI, 1, NULL, b->shared + 1,
			0);

	return nr == 1 ? 0 : -ESRCH;
}

/* The test holds it. */
static int setup_pi(struct blocked *b)
{
	return futex(b->shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
}

static long call_futex_lock_pi(struct blocked *b)
{
	return futex(b->shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
}

/* The clock of this one is the time of day. */
static long call_futex_lock_pi_timed(struct blocked *b)
{
	struct timespec end = deadline_of(CLOCK_REALTIME, b->timeout);

	return futex(b->shared, FUTEX_LOCK_PI, 0, &end, NULL, 0);
}

static int event_unlock_pi(struct blocked *b)
{
	return futex(b->shared, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

static long waitv(struct blocked *b, const struct timespec *end)
{
	struct futex_waitv waiters[2] = {
		{ .uaddr = (unsigned long)b->shared, .flags = FUTEX_32 },
		{ .uaddr = (unsigned long)(b->shared + 1), .flags = FUTEX_32 },
	};

	return result(syscall(SYS_futex_waitv, waiters, 2, 0, end,
			      CLOCK_MONOTONIC));
}

static long call_futex_waitv(struct blocked *b)
{
	return waitv(b, NULL);
}

static long call_futex_waitv_timed(struct blocked *b)
{
	struct timespec end = deadline_of(CLOCK_MONOTONIC, b->timeout);

	return waitv(b, &end);
}

static int event_wake_second(struct blocked *b)
{
	return wake(b->shared + 1);
}

/* System V. */

static int setup_sem(struct blocked *b)
{
	b->id = semget(IPC_PRIVATE, 1, 0600);
	return status(b->id);
}

static void cleanup_sem(struct blocked *b)
{
	semctl(b->id, 0, IPC_RMID);
}

static long call_semop(struct blocked *b)
{
	struct sembuf op = { .sem_op = -1 };

	return result(semop(b->id, &op, 1));
}

static long call_semtimedop(struct blocked *b)
{
	struct timespec timeout = timespec_of(b->timeout);
	struct sembuf op = { .sem_op = -1 };

	return result(semtimedop(b->id, &op, 1, &timeout));
}

static int event_semop(struct blocked *b)
{
	struct sembuf op = { .sem_op = 1 };

	return status(semop(b->id, &op, 1));
}

struct message {
	long type;
	char text[100];
};

static int setup_msg(struct blocked *b)
{
	b->id = msgget(IPC_PRIVATE, 0600);
	return status(b->id);
}

static void cleanup_msg(struct blocked *b)
{
	msgctl(b->id, IPC_RMID, NULL);
}

static long call_msgrcv(struct blocked *b)
{
	struct message msg;

	return result(msgrcv(b->id, &msg, sizeof(msg.text), 0, 0));
}

static long call_msgsnd(struct blocked *b)
{
	struct message msg = { .type = 1 };

	return result(msgsnd(b->id, &msg, sizeof(msg.text), 0));
}

static int event_msgsnd(struct blocked *b)
{
	return call_msgsnd(b);
}

static int setup_full_msg(struct blocked *b)
{
	struct message msg = { .type = 1 };
	int ret = setup_msg(b);

	while (!ret && !msgsnd(b->id, &msg, sizeof(msg.text), IPC_NOWAIT))
		;
	return ret ?: errno == EAGAIN ? 0 : -errno;
}

static int event_msgrcv(struct blocked *b)
{
	return status(call_msgrcv(b));
}

/* POSIX message queues. */

static int setup_mq(struct blocked *b)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 100 };

	b->fd[0] = mq_open("/freezer_call", O_RDWR | O_CREAT | O_EXCL, 0600,
			   &attr);
	return status(b->fd[0]) ?: status(mq_unlink("/freezer_call"));
}

static int event_mq_send(struct blocked *b)
{
	return status(mq_send(b->fd[0], "x", 1, 0));
}

static int setup_full_mq(struct blocked *b)
{
	return setup_mq(b) ?: event_mq_send(b);
}

static long call_mq_receive(struct blocked *b)
{
	char text[100];

	return result(mq_receive(b->fd[0], text, sizeof(text), NULL));
}

static int event_mq_receive(struct blocked *b)
{
	return status(call_mq_receive(b));
}

static long call_mq_timedreceive(struct blocked *b)
{
	struct timespec end = deadline_of(CLOCK_REALTIME, b->timeout);
	char text[100];

	return result(mq_timedreceive(b->fd[0], text, sizeof(text), NULL, &end));
}

static long call_mq_send(struct blocked *b)
{
	return event_mq_send(b);
}

static long call_mq_timedsend(struct blocked *b)
{
	struct timespec end = deadline_of(CLOCK_REALTIME, b->timeout);

	return result(mq_timedsend(b->fd[0], "x", 1, 0, &end));
}

/* aio: it polls a pipe. */

static int prepare_aio(struct blocked *b)
{
	struct iocb iocb = {
		.aio_fildes = b->fd[0],
		.aio_lio_opcode = IOCB_CMD_POLL,
		.aio_buf = POLLIN,
	};
	struct iocb *iocbs = &iocb;
	int ret = status(syscall(SYS_io_setup, 1, &b->context));

	return ret ?: status(syscall(SYS_io_submit, b->context, 1, &iocbs));
}

static long call_io_getevents(struct blocked *b)
{
	struct io_event event;

	return result(syscall(SYS_io_getevents, b->context, 1, 1, &event, NULL));
}

static long call_io_getevents_timed(struct blocked *b)
{
	struct timespec timeout = timespec_of(b->timeout);
	struct io_event event;

	return result(syscall(SYS_io_getevents, b->context, 1, 1, &event,
			      &timeout));
}

static long call_io_pgetevents(struct blocked *b)
{
	struct timespec timeout = timespec_of(b->timeout);
	struct io_event event;

	return result(syscall(SYS_io_pgetevents, b->context, 1, 1, &event,
			      &timeout, NULL));
}

/* io_uring: it polls a pipe, too.  Ring and entries are mapped for good. */

static int submit_poll(int ring, int fd, const struct io_uring_params *params)
{
	unsigned int size = params->sq_off.array + sizeof(unsigned int);
	struct io_uring_sqe *sqe;
	char *sq;

	sq = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		  IORING_OFF_SQ_RING);
	sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		   IORING_OFF_SQES);
	if (sq == MAP_FAILED || sqe == MAP_FAILED)
		return -errno;
	sqe->opcode = IORING_OP_POLL_ADD;
	sqe->fd = fd;
	sqe->poll32_events = POLLIN;
	*(unsigned int *)(sq + params->sq_off.array) = 0;
	__atomic_store_n((unsigned int *)(sq + params->sq_off.tail), 1,
			 __ATOMIC_RELEASE);
	return status(syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0));
}

static int prepare_uring_flags(struct blocked *b, unsigned int flags)
{
	struct io_uring_params params = { .flags = flags };

	b->fd[2] = syscall(SYS_io_uring_setup, 1, &params);
	return status(b->fd[2]) ?: submit_poll(b->fd[2], b->fd[0], &params);
}

static int prepare_uring(struct blocked *b)
{
	return prepare_uring_flags(b, 0);
}

static int prepare_uring_deferred(struct blocked *b)
{
	return prepare_uring_flags(b, IORING_SETUP_SINGLE_ISSUER |
				      IORING_SETUP_DEFER_TASKRUN);
}

static long call_io_uring(struct blocked *b)
{
	return result(syscall(SYS_io_uring_enter, b->fd[2], 0, 1,
			      IORING_ENTER_GETEVENTS, NULL, 0));
}

static long call_io_uring_timed(struct blocked *b)
{
	struct __kernel_timespec timeout = {
		b->timeout / 1000, b->timeout % 1000 * 1000000
	};
	struct io_uring_getevents_arg arg = { .ts = (unsigned long)&timeout };

	return result(syscall(SYS_io_uring_enter, b->fd[2], 0, 1,
			      IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
			      &arg, sizeof(arg)));
}

#define FUTEX_CALL(what, fn, event_fn, ...)				\
	{ .name = what, .call = fn, .event = event_fn, __VA_ARGS__ }

#define SEM_CALL(what, fn, ...)						\
	{ .name = what, .setup = setup_sem, .call = fn,			\
	  .event = event_semop, .cleanup = cleanup_sem, __VA_ARGS__ }

#define MSG_CALL(what, setup_fn, fn, event_fn, nr)			\
	PLAIN_CALL(what, setup_fn, fn, event_fn, .result = nr,		\
		   .cleanup = cleanup_msg)

#define MQ_CALL(what, setup_fn, fn, event_fn, nr, ...)			\
	PLAIN_CALL(what, setup_fn, fn, event_fn, .result = nr, __VA_ARGS__)

#define RING_CALL(what, prepare_fn, fn, nr, ...)			\
	BYTE_CALL(what, setup_pipe, fn, nr, .prepare = prepare_fn, __VA_ARGS__)

#define TIMED(err)	.timed = true, .timed_out = -(err)

/* And those of other cgroups would wait for the thaw. */
#define PI_IS_HANDED	"a PI futex is handed to the waiter of the highest priority"

const struct call ipc_calls[] = {
	FUTEX_CALL("futex wait", call_futex_wait, event_wake),
	FUTEX_CALL("futex wait, timeout", call_futex_wait_timed, event_wake,
		   TIMED(ETIMEDOUT)),
	FUTEX_CALL("futex wait bitset, timeout", call_futex_wait_bitset,
		   event_wake, TIMED(ETIMEDOUT)),
	FUTEX_CALL("futex wait, requeued", call_futex_wait,
		   event_requeue_and_wake),
	FUTEX_CALL("futex wait requeue pi", call_futex_wait_requeue_pi,
		   event_requeue_pi),
	FUTEX_CALL("futex lock pi", call_futex_lock_pi, event_unlock_pi,
		   .setup = setup_pi, .woken = PI_IS_HANDED),
	FUTEX_CALL("futex lock pi, timeout", call_futex_lock_pi_timed,
		   event_unlock_pi, .setup = setup_pi, TIMED(ETIMEDOUT),
		   .woken = PI_IS_HANDED),
	FUTEX_CALL("futex waitv", call_futex_waitv, event_wake_second,
		   .result = 1),
	FUTEX_CALL("futex waitv, timeout", call_futex_waitv_timed,
		   event_wake_second, .result = 1, TIMED(ETIMEDOUT)),
	SEM_CALL("semop", call_semop),
	SEM_CALL("semtimedop", call_semtimedop, TIMED(EAGAIN)),
	MSG_CALL("msgrcv", setup_msg, call_msgrcv, event_msgsnd, 100),
	MSG_CALL("msgsnd", setup_full_msg, call_msgsnd, event_msgrcv, 0),
	MQ_CALL("mq_receive", setup_mq, call_mq_receive, event_mq_send, 1),
	MQ_CALL("mq_timedreceive", setup_mq, call_mq_timedreceive,
		event_mq_send, 1, TIMED(ETIMEDOUT)),
	MQ_CALL("mq_send", setup_full_mq, call_mq_send, event_mq_receive, 0),
	MQ_CALL("mq_timedsend", setup_full_mq, call_mq_timedsend,
		event_mq_receive, 0, TIMED(ETIMEDOUT)),
	RING_CALL("io_getevents", prepare_aio, call_io_getevents, 1),
	RING_CALL("io_getevents, timeout", prepare_aio, call_io_getevents_timed,
		  1, TIMED(0)),
	RING_CALL("io_pgetevents, timeout", prepare_aio, call_io_pgetevents, 1,
		  TIMED(0)),
	RING_CALL("io_uring_enter", prepare_uring, call_io_uring, 0),
	RING_CALL("io_uring_enter, timeout", prepare_uring, call_io_uring_timed,
		  0, TIMED(ETIME)),
	RING_CALL("io_uring_enter, deferred", prepare_uring_deferred,
		  call_io_uring, 0),
	{ }
};
