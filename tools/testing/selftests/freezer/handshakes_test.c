// SPDX-License-Identifier: GPL-2.0-only
/*
 * accept() and connect() with a timeout end with a connection, and not with
 * EINTR, also where the freezer finds them awake, just before they sleep.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "freezer_fixture.h"

#define FREEZES		100
#define NOTE_ERROR	0

static int listener;
static struct sockaddr_storage address;
static socklen_t address_len;

static int timed_socket(int family)
{
	struct timeval timeout = { .tv_sec = 3600 };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)))
		return -errno;
	return fd;
}

static int start_listening(int family)
{
	struct sockaddr_in *in = (void *)&address;

	if (family == AF_INET && loopback_up())
		return -errno;
	memset(&address, 0, sizeof(address));
	address.ss_family = family;
	address_len = sizeof(sa_family_t);
	if (family == AF_INET) {
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		address_len = sizeof(*in);
	}
	listener = timed_socket(family);
	if (listener < 0)
		return listener;
	if (bind(listener, (void *)&address, address_len) || listen(listener, 1))
		return -errno;
	address_len = sizeof(address);
	if (getsockname(listener, (void *)&address, &address_len))
		return -errno;
	return 0;
}

static void came_round(struct worker *w, int fd)
{
	if (fd < 0)
		slot_set_note(w->slots, NOTE_ERROR, errno);
	else
		slot_tick(w->slots);
}

static void worker_accepts(struct worker *w)
{
	int fd;

	for (;;) {
		fd = accept(listener, NULL, NULL);
		came_round(w, fd);
		close(fd);
	}
}

static void worker_connects(struct worker *w)
{
	struct linger linger = { .l_onoff = 1 };
	int fd;

	for (;;) {
		fd = timed_socket(address.ss_family);
		/* Else ports run out. */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		came_round(w, connect(fd, (void *)&address, address_len));
		close(fd);
	}
}

static int wait_for_round(struct worker *w)
{
	unsigned long before = slot_count(w->slots);

	return WAIT_UNTIL(slot_count(w->slots) != before);
}

/* Whoever is frozen finds itself at another point each time. */
static int freeze_again_and_again(struct worker *w)
{
	int i, ret = 0;

	for (i = 0; i < FREEZES && !ret; i++) {
		ret = cg_freeze("a");
		ret = ret ?: cg_wait("a", "FROZEN");
		ret = ret ?: cg_thaw("a");
		ret = ret ?: wait_for_round(w);
		ret = ret ?: -(int)slot_note(w->slots, NOTE_ERROR);
	}
	return ret;
}

static int shake_hands(int family, void (*frozen)(struct worker *w),
		       void (*running)(struct worker *w))
{
	struct worker w[2];
	int ret;

	ret = start_listening(family);
	ret = ret ?: worker_start(w + 1, running, 1);
	ret = ret ?: worker_start_in("a", w, frozen, 1);
	return ret ?: freeze_again_and_again(w);
}

TEST_F_TIMEOUT(freezer, tcp_accept_with_a_timeout_gets_a_connection, 120)
{
	EXPECT_EQ(0, shake_hands(AF_INET, worker_accepts, worker_connects));
}

TEST_F_TIMEOUT(freezer, tcp_connect_with_a_timeout_gets_a_connection, 120)
{
	EXPECT_EQ(0, shake_hands(AF_INET, worker_connects, worker_accepts));
}

TEST_F_TIMEOUT(freezer, unix_accept_with_a_timeout_gets_a_connection, 120)
{
	EXPECT_EQ(0, shake_hands(AF_UNIX, worker_accepts, worker_connects));
}

TEST_F_TIMEOUT(freezer, unix_connect_with_a_timeout_gets_a_connection, 120)
{
	EXPECT_EQ(0, shake_hands(AF_UNIX, worker_connects, worker_accepts));
}

/* The first of two that nobody accepts: for a third there is no room. */
static int fill_the_backlog(void)
{
	int i, fd, ret = start_listening(AF_INET);

	for (i = 0; i < 2 && !ret; i++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ret = connect(fd, (void *)&address, address_len) ? -errno : 0;
	}
	return ret;
}

static void worker_connects_in_vain(struct worker *w)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct tcp_info info;
	socklen_t len;

	for (;;) {
		slot_tick(w->slots);
		if (connect(fd, (void *)&address, address_len))
			continue;
		len = sizeof(info);
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ||
		    info.tcpi_state == TCP_SYN_SENT)
			slot_set_note(w->slots, NOTE_ERROR, EPROTO);
		pause();
	}
}

/* What looks like a signal to it is withdrawn before it looks again. */
TEST_F_TIMEOUT(freezer, tcp_connect_that_was_stopped_is_not_taken_for_connected, 120)
{
	struct worker w;
	int i;

	ASSERT_EQ(0, fill_the_backlog());
	ASSERT_EQ(0, worker_start_in("a", &w, worker_connects_in_vain, 1));
	ASSERT_EQ(0, WAIT_UNTIL(task_sleeps(w.pid, "S")));
	for (i = 0; i < 20 * FREEZES && !slot_note(w.slots, NOTE_ERROR); i++) {
		ASSERT_EQ(0, kill(w.pid, SIGSTOP));
		ASSERT_EQ(0, kill(w.pid, SIGCONT));
	}
	EXPECT_EQ(0, (int)slot_note(w.slots, NOTE_ERROR));
}

#ifndef TCP_FASTOPEN_NO_COOKIE
#define TCP_FASTOPEN_NO_COOKIE	34
#endif

static int pipe_fds[2];

/* It connects with the first byte, under the lock of the pipe. */
static void worker_splices_to_connect(struct worker *w)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &one, sizeof(one)) ||
	    connect(fd, (void *)&address, address_len) ||
	    write(pipe_fds[1], "x", 1) != 1)
		_exit(1);
	slot_tick(w->slots);
	splice(pipe_fds[0], NULL, fd, NULL, 1, 0);
	_exit(1);
}

static void worker_asks_for_the_pipe(struct worker *w)
{
	for (;;) {
		if (fcntl(pipe_fds[1], F_GETPIPE_SZ) < 0)
			_exit(1);
		slot_tick(w->slots);
		pause_ms(1);
	}
}

TEST_F(freezer, splice_that_connects_leaves_the_pipe_to_others_while_frozen)
{
	struct worker w, other;

	ASSERT_EQ(0, fill_the_backlog());
	ASSERT_EQ(0, pipe2(pipe_fds, O_CLOEXEC));
	ASSERT_EQ(0, worker_start_in("a", &w, worker_splices_to_connect, 1));
	ASSERT_EQ(0, WAIT_UNTIL(task_sleeps(w.pid, "S")));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, worker_start(&other, worker_asks_for_the_pipe, 1));
	EXPECT_EQ(0, workers_move(&other, 1));
	ASSERT_EQ(0, cg_thaw("a"));
}

TEST_HARNESS_MAIN
