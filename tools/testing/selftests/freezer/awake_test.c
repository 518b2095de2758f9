// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that the freezer finds awake, so that they have to come in by themselves,
 * return what they would have returned without it.
 */
#define _GNU_SOURCE

#include <linux/aio_abi.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "freezer_fixture.h"

#define FREEZES		200
#define NOTE_ERROR	0

/* Whoever is frozen finds itself at another point each time. */
static int freeze_again_and_again(struct worker *w)
{
	int i, ret = 0;

	for (i = 0; i < FREEZES && !ret; i++) {
		ret = cg_freeze("a");
		ret = ret ?: cg_wait("a", "FROZEN");
		ret = ret ?: cg_thaw("a");
		ret = ret ?: workers_move(w, 1);
		ret = ret ?: -(int)slot_note(w->slots, NOTE_ERROR);
	}
	return ret;
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

TEST_HARNESS_MAIN
