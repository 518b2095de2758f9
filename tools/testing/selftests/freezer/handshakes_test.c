// SPDX-License-Identifier: GPL-2.0-only
/*
 * accept() and connect() with a timeout end with a connection, and not with
 * EINTR, also where the freezer finds them awake, just before they sleep.
 */
#define _GNU_SOURCE

#include <netinet/in.h>
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

TEST_HARNESS_MAIN
