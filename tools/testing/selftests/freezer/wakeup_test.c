// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two cgroups wait for the same events.  While one is frozen the other gets
 * all of them, and what nobody could take is there at the thaw.
 */
#define _GNU_SOURCE

#include <linux/futex.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "freezer_fixture.h"

#define ROUNDS		20
#define EVENTS		50	/* in each round: 1,000 in all */
#define WAITERS		3	/* in each cgroup: each could swallow one */

/**
 * struct source - a kind of event, and how to wait for it
 * @open: make what all waiters share, before they are started
 * @take: sleep until there is an event; return how many were taken
 * @post: one event more
 */
struct source {
	int	(*open)(void);
	int	(*take)(void);
	int	(*post)(void);
};

static const struct source *source;

/* A pipe: an event is a byte. */

static int fds[2];

static int pipe_open(void)
{
	return pipe2(fds, O_CLOEXEC) ? -errno : 0;
}

static int pipe_take(void)
{
	char byte;

	return read(fds[0], &byte, 1) == 1;
}

static int pipe_post(void)
{
	return write(fds[1], "", 1) == 1 ? 0 : -errno;
}

static const struct source pipe_source = { pipe_open, pipe_take, pipe_post };

/* A socket that listens: an event is a connection. */

static struct {
	int			fd;
	struct sockaddr_storage	addr;
	socklen_t		len;
} listener;

static int listen_at(int family, socklen_t len)
{
	listener.addr.ss_family = family;
	listener.len = sizeof(listener.addr);
	listener.fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener.fd < 0 ||
	    bind(listener.fd, (struct sockaddr *)&listener.addr, len) ||
	    listen(listener.fd, EVENTS) ||
	    getsockname(listener.fd, (struct sockaddr *)&listener.addr,
			&listener.len))
		return -errno;
	return 0;
}

/* An address that the kernel chooses. */
static int unix_open(void)
{
	return listen_at(AF_UNIX, sizeof(sa_family_t));
}

static int tcp_open(void)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&listener.addr;

	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return loopback_up() ?: listen_at(AF_INET, sizeof(*in));
}

static int listener_take(void)
{
	int fd = accept(listener.fd, NULL, NULL);

	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

static int listener_post(void)
{
	int fd = socket(listener.addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret;

	ret = connect(fd, (struct sockaddr *)&listener.addr, listener.len);
	ret = ret ? -errno : 0;
	close(fd);
	return ret;
}

static const struct source unix_source = {
	unix_open, listener_take, listener_post
};

static const struct source tcp_source = {
	tcp_open, listener_take, listener_post
};

/*
 * An epoll file: an event is one more in an eventfd.  It wakes one waiter, once,
 * who has to take all there is.
 */
static int epoll_open(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	fds[0] = epoll_create1(EPOLL_CLOEXEC);
	fds[1] = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
	return epoll_ctl(fds[0], EPOLL_CTL_ADD, fds[1], &event) ? -errno : 0;
}

static int epoll_take(void)
{
	struct epoll_event event;
	unsigned long long one;
	int nr = 0;

	epoll_wait(fds[0], &event, 1, -1);
	while (read(fds[1], &one, sizeof(one)) == sizeof(one))
		nr++;
	return nr;
}

static int epoll_post(void)
{
	unsigned long long one = 1;

	return write(fds[1], &one, sizeof(one)) == sizeof(one) ? 0 : -errno;
}

static const struct source epoll_source = { epoll_open, epoll_take, epoll_post };

/* Each waiter has an epoll file of its own; an event is for one of them. */

static int exclusive_open(void)
{
	fds[1] = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
	return fds[1] < 0 ? -errno : 0;
}

static int own_epoll_file(void)
{
	static int fd = -1;
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };

	if (fd >= 0)
		return fd;
	fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(fd, EPOLL_CTL_ADD, fds[1], &event))
		_exit(1);
	return fd;
}

static int exclusive_take(void)
{
	struct epoll_event event;
	unsigned long long one;

	epoll_wait(own_epoll_file(), &event, 1, -1);
	return read(fds[1], &one, sizeof(one)) == sizeof(one);
}

static const struct source exclusive_source = {
	exclusive_open, exclusive_take, epoll_post
};

/* Futexes: a semaphore, and another that nobody waits for. */

static unsigned int *sem, *idle;

static long futex(unsigned int *addr, int op, unsigned int val, long val2,
		  unsigned int *addr2, unsigned int val3)
{
	return syscall(SYS_futex, addr, op, val, val2, addr2, val3);
}

static int futex_open(void)
{
	sem = (unsigned int *)slots_get(1);
	idle = sem + 1;
	return 0;
}

static int futex_take(void)
{
	unsigned int nr = __atomic_load_n(sem, __ATOMIC_SEQ_CST);

	if (!nr) {
		futex(sem, FUTEX_WAIT, 0, 0, NULL, 0);
		return 0;
	}
	return __atomic_compare_exchange_n(sem, &nr, nr - 1, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Not more than one may be woken, and there is always one. */
static int woke_one(long ret)
{
	if (ret < 0)
		return -errno;
	return ret == 1 ? 0 : -EINVAL;
}

static int futex_wake_post(void)
{
	__atomic_add_fetch(sem, 1, __ATOMIC_SEQ_CST);
	return woke_one(futex(sem, FUTEX_WAKE, 1, 0, NULL, 0));
}

static int futex_wake_op_post(void)
{
	return woke_one(futex(idle, FUTEX_WAKE_OP, 1, 1, sem,
			      FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_GE, 0)));
}

static int futex_requeue_post(void)
{
	__atomic_add_fetch(sem, 1, __ATOMIC_SEQ_CST);
	return woke_one(futex(sem, FUTEX_REQUEUE, 1, 0, idle, 0));
}

static const struct source futex_wake_source = {
	futex_open, futex_take, futex_wake_post
};

static const struct source futex_wake_op_source = {
	futex_open, futex_take, futex_wake_op_post
};

static const struct source futex_requeue_source = {
	futex_open, futex_take, futex_requeue_post
};

/* Queues of messages, which are handed to a receiver by the sender. */

static struct {
	long	type;
	char	text[1];
} message = { .type = 1 };

static int msg_open(void)
{
	fds[0] = msgget(IPC_PRIVATE, 0600);
	return fds[0] < 0 ? -errno : 0;
}

static int msg_take(void)
{
	return msgrcv(fds[0], &message, sizeof(message.text), 0, 0) == 1;
}

static int msg_post(void)
{
	return msgsnd(fds[0], &message, sizeof(message.text), 0) ? -errno : 0;
}

static const struct source msg_source = { msg_open, msg_take, msg_post };

static int mqueue_open(void)
{
	struct mq_attr attr = { .mq_maxmsg = WAITERS, .mq_msgsize = 1 };

	fds[0] = mq_open("/freezer_wakeup", O_RDWR | O_CREAT | O_CLOEXEC, 0600,
			 &attr);
	return fds[0] < 0 || mq_unlink("/freezer_wakeup") ? -errno : 0;
}

static int mqueue_take(void)
{
	return mq_receive(fds[0], message.text, sizeof(message.text), NULL) == 1;
}

static int mqueue_post(void)
{
	return mq_send(fds[0], message.text, sizeof(message.text), 0) ? -errno : 0;
}

static const struct source mqueue_source = {
	mqueue_open, mqueue_take, mqueue_post
};

/* A semaphore, which whoever posts takes on behalf of a waiter. */

static int sem_open_private(void)
{
	fds[0] = semget(IPC_PRIVATE, 1, 0600);
	return fds[0] < 0 ? -errno : 0;
}

static int sem_add(int nr)
{
	struct sembuf op = { 0, nr, 0 };

	return semop(fds[0], &op, 1) ? -errno : 0;
}

static int sem_take(void)
{
	return !sem_add(-1);
}

static int sem_give(void)
{
	return sem_add(1);
}

static const struct source sem_source = { sem_open_private, sem_take, sem_give };

/* A side is a cgroup with waiters that count what they have taken. */

#define TAKEN	0

struct side {
	const char	*cg;
	struct worker	w[WAITERS];
};

static void worker_takes(struct worker *w)
{
	slot_tick(w->slots);
	for (;;)
		slot_set_note(w->slots, TAKEN, slot_note(w->slots, TAKEN) +
						source->take());
}

static unsigned long side_taken(struct side *side)
{
	unsigned long sum = 0;
	int i;

	for (i = 0; i < WAITERS; i++)
		sum += slot_note(side->w[i].slots, TAKEN);
	return sum;
}

static bool side_sleeps(struct side *side)
{
	int i;

	for (i = 0; i < WAITERS; i++)
		if (!task_sleeps(side->w[i].pid, "S"))
			return false;
	return true;
}

static int side_start(struct side *side, const char *cg)
{
	int i, ret;

	side->cg = cg;
	ret = cg_make(cg);
	for (i = 0; i < WAITERS && !ret; i++)
		ret = worker_start_in(cg, side->w + i, worker_takes, 1);
	return ret ?: WAIT_UNTIL(side_sleeps(side));
}

static int side_freeze(struct side *side)
{
	int ret = WAIT_UNTIL(side_sleeps(side));

	ret = ret ?: cg_freeze(side->cg);
	return ret ?: cg_wait(side->cg, "FROZEN");
}

static int sides_start(struct side *sides, const struct source *s)
{
	int ret;

	source = s;
	ret = s->open();
	ret = ret ?: side_start(sides, "x");
	return ret ?: side_start(sides + 1, "y");
}

/* The sides change places after each round. */
static int run_rounds(const struct source *s,
		      int (*round)(struct side *one, struct side *other))
{
	struct side sides[2];
	int i, ret;

	ret = sides_start(sides, s);
	for (i = 0; i < ROUNDS && !ret; i++)
		ret = round(sides + i % 2, sides + !(i % 2));
	return ret;
}

/*
 * Each event is to be taken by @side before the next is posted.  Who is awake
 * takes it without a wakeup, and then that of a futex goes to a frozen waiter:
 * so all of @side sleep first.
 */
static int post_to(struct side *side, int nr)
{
	unsigned long taken = side_taken(side);
	int i, ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		ret = WAIT_UNTIL(side_sleeps(side)) ?: source->post();
		ret = ret ?: WAIT_UNTIL(side_taken(side) > taken + i);
		if (ret)
			fprintf(stderr, "# event %d of %d did not come to %s\n",
				i + 1, nr, side->cg);
	}
	return ret;
}

static int post_past(struct side *frozen, struct side *running)
{
	unsigned long taken = side_taken(frozen);
	int ret;

	ret = side_freeze(frozen);
	ret = ret ?: post_to(running, EVENTS);
	ret = ret ?: side_taken(frozen) == taken ? 0 : -EBUSY;
	return ret ?: cg_thaw(frozen->cg);
}

static int running_side_gets_all(const struct source *s)
{
	return run_rounds(s, post_past);
}

static int post_to_nobody(int nr)
{
	int i, ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = source->post();
	return ret;
}

/* Whoever is thawed first gets them all. */
static int events_wait_for(struct side *thawed, struct side *frozen)
{
	unsigned long taken = side_taken(thawed), before = side_taken(frozen);
	int ret;

	ret = side_freeze(thawed) ?: side_freeze(frozen);
	ret = ret ?: post_to_nobody(WAITERS);
	ret = ret ?: cg_thaw(thawed->cg);
	ret = ret ?: WAIT_UNTIL(side_taken(thawed) == taken + WAITERS);
	ret = ret ?: side_taken(frozen) == before ? 0 : -EBUSY;
	ret = ret ?: post_to(thawed, EVENTS);
	return ret ?: cg_thaw(frozen->cg);
}

static int events_wait_for_the_thaw(const struct source *s)
{
	return run_rounds(s, events_wait_for);
}

/*
 * A futex knows no events: it wakes as many as it was asked to, and those are
 * who get up at the thaw.
 */
static int wakes_wait_for(struct side *first, struct side *second)
{
	unsigned long taken = side_taken(first) + side_taken(second);
	int ret;

	ret = side_freeze(first) ?: side_freeze(second);
	ret = ret ?: post_to_nobody(WAITERS);
	ret = ret ?: cg_thaw(first->cg) ?: cg_thaw(second->cg);
	return ret ?: WAIT_UNTIL(side_taken(first) + side_taken(second) ==
				 taken + WAITERS);
}

static int wakes_wait_for_the_thaw(const struct source *s)
{
	return run_rounds(s, wakes_wait_for);
}

TEST_F_TIMEOUT(freezer, running_side_of_a_pipe_gets_all, 240)
{
	EXPECT_EQ(0, running_side_gets_all(&pipe_source));
}

TEST_F_TIMEOUT(freezer, running_side_of_a_unix_listener_gets_all, 240)
{
	EXPECT_EQ(0, running_side_gets_all(&unix_source));
}

TEST_F_TIMEOUT(freezer, running_side_of_a_tcp_listener_gets_all, 240)
{
	EXPECT_EQ(0, running_side_gets_all(&tcp_source));
}

TEST_F_TIMEOUT(freezer, running_side_of_an_epoll_file_gets_all, 240)
{
	EXPECT_EQ(0, running_side_gets_all(&epoll_source));
}

TEST_F_TIMEOUT(freezer, running_side_with_exclusive_epoll_files_gets_all, 240)
{
	EXPECT_EQ(0, running_side_gets_all(&exclusive_source));
}

TEST_F_TIMEOUT(freezer, running_side_of_a_futex_gets_all, 240)
{
	EXPECT_EQ(0, running_side_gets_all(&futex_wake_source));
}

TEST_F_TIMEOUT(freezer, running_side_of_a_futex_gets_all_of_wake_op, 240)
{
	EXPECT_EQ(0, running_side_gets_all(&futex_wake_op_source));
}

TEST_F_TIMEOUT(freezer, running_side_of_a_futex_gets_all_of_requeue, 240)
{
	EXPECT_EQ(0, running_side_gets_all(&futex_requeue_source));
}

TEST_F_TIMEOUT(freezer, running_side_of_a_message_queue_gets_all, 240)
{
	EXPECT_EQ(0, running_side_gets_all(&msg_source));
	msgctl(fds[0], IPC_RMID, NULL);
}

TEST_F_TIMEOUT(freezer, running_side_of_a_posix_message_queue_gets_all, 240)
{
	EXPECT_EQ(0, running_side_gets_all(&mqueue_source));
}

TEST_F_TIMEOUT(freezer, running_side_of_a_semaphore_gets_all, 240)
{
	EXPECT_EQ(0, running_side_gets_all(&sem_source));
	semctl(fds[0], 0, IPC_RMID);
}

TEST_F_TIMEOUT(freezer, events_of_a_pipe_wait_for_the_thaw, 240)
{
	EXPECT_EQ(0, events_wait_for_the_thaw(&pipe_source));
}

TEST_F_TIMEOUT(freezer, connections_to_a_unix_listener_wait_for_the_thaw, 240)
{
	EXPECT_EQ(0, events_wait_for_the_thaw(&unix_source));
}

TEST_F_TIMEOUT(freezer, connections_to_a_tcp_listener_wait_for_the_thaw, 240)
{
	EXPECT_EQ(0, events_wait_for_the_thaw(&tcp_source));
}

TEST_F_TIMEOUT(freezer, events_of_an_epoll_file_wait_for_the_thaw, 240)
{
	EXPECT_EQ(0, events_wait_for_the_thaw(&epoll_source));
}

TEST_F_TIMEOUT(freezer, events_of_exclusive_epoll_files_wait_for_the_thaw, 240)
{
	EXPECT_EQ(0, events_wait_for_the_thaw(&exclusive_source));
}

TEST_F_TIMEOUT(freezer, wakes_of_a_futex_wait_for_the_thaw, 240)
{
	EXPECT_EQ(0, wakes_wait_for_the_thaw(&futex_wake_source));
}

TEST_F_TIMEOUT(freezer, wakes_of_a_futex_by_wake_op_wait_for_the_thaw, 240)
{
	EXPECT_EQ(0, wakes_wait_for_the_thaw(&futex_wake_op_source));
}

TEST_F_TIMEOUT(freezer, wakes_of_a_futex_by_requeue_wait_for_the_thaw, 240)
{
	EXPECT_EQ(0, wakes_wait_for_the_thaw(&futex_requeue_source));
}

TEST_F_TIMEOUT(freezer, messages_of_a_queue_wait_for_the_thaw, 240)
{
	EXPECT_EQ(0, wakes_wait_for_the_thaw(&msg_source));
	msgctl(fds[0], IPC_RMID, NULL);
}

TEST_F_TIMEOUT(freezer, messages_of_a_posix_queue_wait_for_the_thaw, 240)
{
	EXPECT_EQ(0, wakes_wait_for_the_thaw(&mqueue_source));
}

TEST_F_TIMEOUT(freezer, posts_of_a_semaphore_wait_for_the_thaw, 240)
{
	EXPECT_EQ(0, wakes_wait_for_the_thaw(&sem_source));
	semctl(fds[0], 0, IPC_RMID);
}

/* Locks of files: who waits is woken by the one that has waited before it. */

static char lock_path[64];

/* With F_WRLCK, or F_UNLCK. */

static int lock_by_flock(int fd, short type)
{
	return flock(fd, type == F_WRLCK ? LOCK_EX : LOCK_UN);
}

static int lock_by_fcntl(int fd, short type)
{
	struct flock lock = { .l_type = type };

	return fcntl(fd, F_SETLKW, &lock);
}

static int lock_of_open_file(int fd, short type)
{
	struct flock lock = { .l_type = type };

	return fcntl(fd, F_OFD_SETLKW, &lock);
}

static int (*lock_file)(int fd, short type);

/* -errno, or the file that is locked. */
static int open_and_lock(void)
{
	int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return lock_file(fd, F_WRLCK) ? -errno : fd;
}

static void worker_locks(struct worker *w)
{
	slot_tick(w->slots);
	if (open_and_lock() < 0)
		_exit(1);
	slot_tick(w->slots);
	worker_pauses(w);
}

static bool has_lock(struct worker *w)
{
	return slot_count(w->slots) > 1;
}

static int lock_goes_past_the_frozen_one(int (*lock)(int fd, short type))
{
	struct worker first, next;
	int fd, ret;

	lock_file = lock;
	snprintf(lock_path, sizeof(lock_path), "/tmp/freezer_lock.%d", getpid());
	fd = open_and_lock();
	ret = worker_start_asleep_in("a", &first, worker_locks, "S");
	ret = ret ?: worker_start_asleep_in(".", &next, worker_locks, "S");
	ret = ret ?: cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	lock(fd, F_UNLCK);
	close(fd);
	ret = ret ?: WAIT_UNTIL(has_lock(&next));
	ret = ret ?: has_lock(&first) ? -EBUSY : 0;
	ret = ret ?: cg_thaw("a");
	kill(next.pid, SIGKILL);
	ret = ret ?: WAIT_UNTIL(has_lock(&first));
	unlink(lock_path);
	return ret;
}

TEST_F(freezer, lock_of_a_file_goes_past_a_frozen_waiter)
{
	EXPECT_EQ(0, lock_goes_past_the_frozen_one(lock_by_flock));
	EXPECT_EQ(0, lock_goes_past_the_frozen_one(lock_by_fcntl));
	EXPECT_EQ(0, lock_goes_past_the_frozen_one(lock_of_open_file));
}

TEST_HARNESS_MAIN
