// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that the freezer finds awake, so that they have to come in by themselves,
 * return what they would have returned without it.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "freezer_fixture.h"

#define FREEZES		200
/* For what is awake for a small part of the time. */
#define MANY_FREEZES	2000
#define NOTE_ERROR	0
#define NOTE_GO		1

static int freeze_and_thaw(struct worker *w)
{
	int ret;

	ret = cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	ret = ret ?: cg_thaw("a");
	return ret ?: -(int)slot_note(w->slots, NOTE_ERROR);
}

/* Whoever is frozen finds itself at another point each time. */
static int freeze_again_and_again(struct worker *w)
{
	int i, ret = 0;

	for (i = 0; i < FREEZES && !ret; i++)
		ret = freeze_and_thaw(w) ?: workers_move(w, 1);
	return ret ?: -(int)slot_note(w->slots, NOTE_ERROR);
}

/* The same, of who need not get far in between. */
static int freeze_many_times(struct worker *w)
{
	int i, ret = 0;

	for (i = 0; i < MANY_FREEZES && !ret; i++)
		ret = freeze_and_thaw(w);
	ret = ret ?: workers_move(w, 1);
	return ret ?: -(int)slot_note(w->slots, NOTE_ERROR);
}

static void worker_looks_for_events(struct worker *w)
{
	struct timespec none = { };
	struct io_event event;
	aio_context_t ctx = 0;

	if (syscall(SYS_io_setup, 1, &ctx))
		_exit(1);
	for (;;) {
		if (syscall(SYS_io_getevents, ctx, 1, 1, &event, &none))
			slot_set_note(w->slots, NOTE_ERROR, errno ?: EPROTO);
		slot_tick(w->slots);
	}
}

TEST_F_TIMEOUT(freezer, look_for_aio_events_is_not_interrupted, 120)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_looks_for_events, 1));
	EXPECT_EQ(0, freeze_again_and_again(&w));
}

static void worker_copies_a_file(struct worker *w)
{
	const size_t size = 4 << 20;
	int in = memfd_create("in", MFD_CLOEXEC);
	int out = memfd_create("out", MFD_CLOEXEC);
	loff_t from, to;

	if (ftruncate(in, size))
		_exit(1);
	for (;;) {
		from = 0;
		to = 0;
		if (copy_file_range(in, &from, out, &to, size, 0) != (ssize_t)size)
			slot_set_note(w->slots, NOTE_ERROR, EPROTO);
		slot_tick(w->slots);
	}
}

TEST_F_TIMEOUT(freezer, copy_of_a_file_is_whole, 120)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_copies_a_file, 1));
	EXPECT_EQ(0, freeze_again_and_again(&w));
}

/* A connection that one sends to, one reads from, and one peeks at. */

static int sender, receiver;

static int connect_both(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sender = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (loopback_up() || bind(listener, (void *)&addr, len) ||
	    listen(listener, 1) || getsockname(listener, (void *)&addr, &len) ||
	    connect(sender, (void *)&addr, len))
		return -errno;
	receiver = accept(listener, NULL, NULL);
	return receiver < 0 ? -errno : 0;
}

static void worker_sends(struct worker *w)
{
	for (;;) {
		if (send(sender, "abc", 3, 0) < 0)
			_exit(1);
		slot_tick(w->slots);
		pause_ms(slot_count(w->slots) % 2);
	}
}

static void worker_receives(struct worker *w)
{
	char buf[3];

	for (;;) {
		if (recv(receiver, buf, 1 + slot_count(w->slots) % 3, 0) <= 0)
			_exit(1);
		slot_tick(w->slots);
	}
}

static void worker_peeks(struct worker *w)
{
	char buf[2];

	for (;;) {
		if (recv(receiver, buf, 2, MSG_PEEK | MSG_WAITALL) <= 0)
			slot_set_note(w->slots, NOTE_ERROR, errno);
		slot_tick(w->slots);
	}
}

/* The kernel warns if it looks for what is not there any more. */
TEST_F_TIMEOUT(freezer, tcp_peek_is_not_at_what_another_has_read_meanwhile, 120)
{
	struct worker w[3];

	ASSERT_EQ(0, connect_both());
	ASSERT_EQ(0, worker_start(w + 1, worker_sends, 1));
	ASSERT_EQ(0, worker_start(w + 2, worker_receives, 1));
	ASSERT_EQ(0, worker_start_in("a", w, worker_peeks, 1));
	EXPECT_EQ(0, freeze_again_and_again(w));
}

/* What waits in vain for a short time, each time until that is over. */
static void wait_in_vain(struct worker *w, int (*wait)(int arg), int arg)
{
	for (;;) {
		if (wait(arg) != -1 || errno != EAGAIN)
			slot_set_note(w->slots, NOTE_ERROR, errno ?: EPROTO);
		slot_tick(w->slots);
	}
}

static int wait_for_semaphore(int id)
{
	const struct timespec timeout = { 0, 20000 };
	struct sembuf op = { 0, -1, 0 };

	return semtimedop(id, &op, 1, &timeout);
}

static void worker_waits_for_a_semaphore(struct worker *w)
{
	int id = semget(IPC_PRIVATE, 1, 0600);

	if (id < 0)
		_exit(1);
	wait_in_vain(w, wait_for_semaphore, id);
}

TEST_F_TIMEOUT(freezer, semtimedop_is_not_interrupted, 120)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_waits_for_a_semaphore, 1));
	EXPECT_EQ(0, freeze_many_times(&w));
}

static int wait_for_signal(int sig)
{
	const struct timespec timeout = { 0, 20000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return sigtimedwait(&set, NULL, &timeout);
}

static void worker_waits_for_a_signal(struct worker *w)
{
	wait_in_vain(w, wait_for_signal, SIGUSR1);
}

TEST_F_TIMEOUT(freezer, sigtimedwait_is_not_interrupted, 120)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_waits_for_a_signal, 1));
	EXPECT_EQ(0, freeze_many_times(&w));
}

/*
 * Who is woken on a processor that another does not let go of is awake for as
 * long as the test wants.  The test stays on the first processor.
 */
static struct worker hog;

static void worker_hogs(struct worker *w)
{
	const struct sched_param param = { .sched_priority = 1 };

	if (stay_on(0, 1) || sched_setscheduler(0, SCHED_FIFO, &param))
		_exit(1);
	for (;;)
		slot_tick(w->slots);
}

static int hog_start(struct worker *victim)
{
	int ret;

	ret = stay_on(0, 0) ?: stay_on(victim->pid, 1);
	ret = ret ?: worker_start(&hog, worker_hogs, 1);
	return ret ?: WAIT_UNTIL(slot_count(hog.slots));
}

static int hog_stop(void)
{
	if (kill(hog.pid, SIGKILL))
		return -errno;
	return worker_wait_killed(&hog, SIGKILL);
}

/* A queue of those who connect, with room for one who is not accepted. */

static struct sockaddr_un unix_name = { .sun_family = AF_UNIX };

static int unix_listen(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(unix_name.sun_path + 1, sizeof(unix_name.sun_path) - 1,
		 "freezer.%d", getpid());
	if (bind(fd, (void *)&unix_name, sizeof(unix_name)) || listen(fd, 0))
		return -errno;
	return fd;
}

static int unix_connect(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (void *)&unix_name, sizeof(unix_name)) ? -errno : 0;
}

static void worker_connects(struct worker *w)
{
	slot_tick(w->slots);
	slot_set_note(w->slots, NOTE_ERROR, -unix_connect());
	slot_tick(w->slots);
	worker_pauses(w);
}

static bool has_connected(struct worker *w)
{
	return slot_count(w->slots) > 1;
}

/* The wakeup was for the first, who is frozen before it has seen it. */
TEST_F(freezer, connect_that_freezes_awake_lets_the_next_one_connect)
{
	struct worker first, next;
	int fd = unix_listen();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unix_connect());
	ASSERT_EQ(0, worker_start_asleep_in("a", &first, worker_connects, "S"));
	ASSERT_EQ(0, worker_start_asleep_in(".", &next, worker_connects, "S"));
	ASSERT_EQ(0, hog_start(&first));
	ASSERT_LE(0, accept(fd, NULL, NULL));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, hog_stop());
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, WAIT_UNTIL(has_connected(&next)));
	EXPECT_FALSE(has_connected(&first));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_LE(0, accept(fd, NULL, NULL));
	EXPECT_EQ(0, WAIT_UNTIL(has_connected(&first)));
	EXPECT_EQ(0UL, slot_note(first.slots, NOTE_ERROR));
}

/* A look at so many takes some milliseconds. */

#define NR_FDS		4000
#define WAIT_MS		2000

static int idle_fd;

static void worker_waits_with_timeout(struct worker *w)
{
	struct rlimit limit = { NR_FDS, NR_FDS };
	static struct pollfd fds[NR_FDS];
	struct timespec ts;
	int i;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		_exit(1);
	for (i = 0; i < NR_FDS; i++)
		fds[i].fd = idle_fd;
	for (;;) {
		ts.tv_sec = WAIT_MS / 1000;
		ts.tv_nsec = 0;
		slot_tick(w->slots);
		if (syscall(SYS_ppoll, fds, NR_FDS, &ts, NULL, 0))
			slot_set_note(w->slots, NOTE_ERROR, errno);
		slot_tick(w->slots);
		while (!slot_note(w->slots, NOTE_GO))
			pause_ms(1);
		slot_set_note(w->slots, NOTE_GO, 0);
	}
}

static int freeze_over_a_timeout(struct worker *w, unsigned long count)
{
	long long end;
	int ret;

	ret = WAIT_UNTIL(slot_count(w->slots) == count);
	end = now_ms() + WAIT_MS;
	ret = ret ?: cg_freeze("a") ?: cg_wait("a", "FROZEN");
	ret = ret ?: WAIT_UNTIL(now_ms() > end);
	end = now_ms() + WAIT_MS / 2;
	ret = ret ?: cg_thaw("a") ?: WAIT_UNTIL(slot_count(w->slots) > count);
	if (!ret && now_ms() > end) {
		fprintf(stderr, "# %lld ms too late\n", now_ms() - end);
		ret = -ETIME;
	}
	slot_set_note(w->slots, NOTE_GO, 1);
	return ret;
}

TEST_F_TIMEOUT(freezer, timeout_of_ppoll_goes_on_while_frozen, 120)
{
	struct worker w;
	int i, fd[2];

	ASSERT_EQ(0, pipe2(fd, O_CLOEXEC));
	idle_fd = fd[0];
	ASSERT_EQ(0, worker_start_in("a", &w, worker_waits_with_timeout, 1));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, freeze_over_a_timeout(&w, 2 * i + 1));
	EXPECT_EQ(0UL, slot_note(w.slots, NOTE_ERROR));
}

/* Nothing to do with a freezer, and as in Linux without it. */

static int shut;

static void worker_accepts_once(struct worker *w)
{
	slot_tick(w->slots);
	if (accept(shut, NULL, NULL) < 0)
		slot_set_note(w->slots, NOTE_ERROR, errno);
	slot_tick(w->slots);
	worker_pauses(w);
}

static int tcp_listen(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || listen(fd, 1) ? -errno : fd;
}

static void handler(int sig)
{
	(void)sig;
}

TEST_F(freezer, accept_of_a_socket_that_is_shut_down_says_so_with_a_signal_too)
{
	struct sigaction act = { .sa_handler = handler };
	struct worker w;

	ASSERT_EQ(0, loopback_up());
	shut = tcp_listen();
	ASSERT_LE(0, shut);
	/* The worker has it, too. */
	sigaction(SIGUSR1, &act, NULL);
	ASSERT_EQ(0, worker_start_asleep_in("a", &w, worker_accepts_once, "S"));
	ASSERT_EQ(0, hog_start(&w));
	ASSERT_EQ(0, shutdown(shut, SHUT_RDWR));
	ASSERT_EQ(0, kill(w.pid, SIGUSR1));
	ASSERT_EQ(0, hog_stop());
	EXPECT_EQ(0, WAIT_UNTIL(slot_count(w.slots) > 1));
	EXPECT_EQ((unsigned long)EINVAL, slot_note(w.slots, NOTE_ERROR));
}

/* Woken by room that is gone when the sender looks for it. */

static int netlink_pair(int fd[2])
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(addr);
	int i;

	for (i = 0; i < 2; i++)
		fd[i] = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
			       NETLINK_USERSOCK);
	if (bind(fd[0], (void *)&addr, len) ||
	    getsockname(fd[0], (void *)&addr, &len) ||
	    connect(fd[1], (void *)&addr, len))
		return -errno;
	return 0;
}

static int netlink_fill(int fd)
{
	static const char bytes[1024];

	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	return errno == EAGAIN ? 0 : -errno;
}

static int netlink_drain(int fd)
{
	char bytes[1024];
	int nr = 0;

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		nr++;
	return nr;
}

static int netlink_fd[2];

static void worker_sends_to_netlink(struct worker *w)
{
	const struct timeval timeout = { .tv_sec = 1000 };
	static const char bytes[1024];

	if (setsockopt(netlink_fd[1], SOL_SOCKET, SO_SNDTIMEO, &timeout,
		       sizeof(timeout)))
		_exit(1);
	slot_tick(w->slots);
	if (send(netlink_fd[1], bytes, sizeof(bytes), 0) < 0)
		slot_set_note(w->slots, NOTE_ERROR, errno);
	slot_tick(w->slots);
	worker_pauses(w);
}

TEST_F(freezer, netlink_send_with_a_timeout_is_not_interrupted)
{
	struct worker w;

	ASSERT_EQ(0, netlink_pair(netlink_fd));
	ASSERT_EQ(0, netlink_fill(netlink_fd[1]));
	ASSERT_EQ(0, worker_start_asleep_in("a", &w, worker_sends_to_netlink, "S"));
	ASSERT_EQ(0, hog_start(&w));
	ASSERT_LT(0, netlink_drain(netlink_fd[0]));
	ASSERT_EQ(0, netlink_fill(netlink_fd[1]));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, hog_stop());
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_LT(0, netlink_drain(netlink_fd[0]));
	EXPECT_EQ(0, WAIT_UNTIL(slot_count(w.slots) > 1));
	EXPECT_EQ(0UL, slot_note(w.slots, NOTE_ERROR));
}

/* A socket that is still to connect, to where nobody accepts. */

static struct {
	int			listener;
	struct sockaddr_in	addr;
} full = {
	.addr.sin_family = AF_INET,
};

static int tcp_connect(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (connect(fd, (void *)&full.addr, sizeof(full.addr)) &&
	    errno != EINPROGRESS)
		return -errno;
	return fd;
}

/* One that nobody accepts leaves no room: the next is left in SYN_SENT. */
static int connecting_socket(void)
{
	struct pollfd pfd = { .events = POLLIN };
	socklen_t len = sizeof(full.addr);
	int fd;

	full.addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	full.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (loopback_up() || bind(full.listener, (void *)&full.addr, len) ||
	    listen(full.listener, 0) ||
	    getsockname(full.listener, (void *)&full.addr, &len))
		return -errno;
	fd = tcp_connect(0);
	pfd.fd = full.listener;
	if (fd < 0 || poll(&pfd, 1, DEADLINE_MS) != 1)
		return -ETIME;
	fd = tcp_connect(SOCK_NONBLOCK);
	return fd < 0 || fcntl(fd, F_SETFL, 0) ? -errno : fd;
}

static int send_byte(int fd)
{
	return send(fd, "x", 1, 0);
}

static void worker_sends_too_early(struct worker *w)
{
	const struct timeval timeout = { .tv_usec = 1000 };
	int fd = connecting_socket();

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)))
		_exit(1);
	wait_in_vain(w, send_byte, fd);
}

TEST_F_TIMEOUT(freezer, send_that_waits_to_connect_is_not_interrupted, 120)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sends_too_early, 1));
	EXPECT_EQ(0, freeze_many_times(&w));
}

static int connecting;

static void worker_sends_when_connected(struct worker *w)
{
	slot_tick(w->slots);
	if (send_byte(connecting) != 1)
		slot_set_note(w->slots, NOTE_ERROR, errno);
	slot_tick(w->slots);
	worker_pauses(w);
}

/* Makes room for another try, which comes after a second or more. */
static bool is_connected(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	accept4(full.listener, NULL, NULL, 0);
	return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) &&
	       info.tcpi_state == TCP_ESTABLISHED;
}

/* A stop and its end leave it awake. */
TEST_F_TIMEOUT(freezer, send_that_waits_to_connect_sees_it_after_the_thaw, 60)
{
	struct worker w;

	connecting = connecting_socket();
	ASSERT_LE(0, connecting);
	ASSERT_EQ(0, worker_start_asleep_in("a", &w, worker_sends_when_connected, "S"));
	ASSERT_EQ(0, hog_start(&w));
	ASSERT_EQ(0, kill(w.pid, SIGSTOP));
	ASSERT_EQ(0, kill(w.pid, SIGCONT));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, hog_stop());
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, fcntl(full.listener, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(0, WAIT_UNTIL(is_connected(connecting)));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, WAIT_UNTIL(slot_count(w.slots) > 1));
	EXPECT_EQ(0UL, slot_note(w.slots, NOTE_ERROR));
}

TEST_HARNESS_MAIN
