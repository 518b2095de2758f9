// SPDX-License-Identifier: GPL-2.0-only
/*
 * Large transfers in one call are whole, however often the task is frozen
 * meanwhile.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calls.h"
#include "freezer_fixture.h"

#define FREEZES		60

/* Two steps for each freeze are less than half of all. */
#define STEP		4096

/* How many bytes the test has read or written. */
static size_t done;

/* The event that brings a call on is a step. */
static int step_read(struct blocked *b)
{
	char bytes[STEP];
	ssize_t len;

	len = recv(b->fd[0], bytes, STEP, MSG_DONTWAIT);
	if (len < 0 && errno == ENOTSOCK)
		len = read(b->fd[0], bytes, STEP);
	if (len < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (memcmp(bytes, large_data() + done, len))
		return -EBADMSG;
	done += len;
	return 0;
}

static int step_write(struct blocked *b)
{
	ssize_t len;

	if (done == LARGE)
		return 0;
	len = send(b->fd[1], large_data() + done, STEP, MSG_DONTWAIT);
	if (len < 0)
		return errno == EAGAIN ? 0 : -errno;
	done += len;
	return 0;
}

static int setup_pipe_to_read(struct blocked *b)
{
	return setup_pipe(b) ?: status(fcntl(b->fd[0], F_SETFL, O_NONBLOCK));
}

static long call_recv_large(struct blocked *b)
{
	long len = result(recv(b->fd[0], large_buffer(), LARGE, MSG_WAITALL));

	return len == LARGE && memcmp(large_buffer(), large_data(), LARGE) ?
	       -EBADMSG : len;
}

/* Here less is no fault; so again until all is through, or one fails. */

static long splice_large(int from, int to)
{
	size_t sum = 0;
	ssize_t len;

	while (sum < LARGE) {
		len = splice(from, NULL, to, NULL, LARGE - sum, 0);
		if (len <= 0)
			return len ? -errno : (long)sum;
		sum += len;
	}
	return sum;
}

static long call_splice_to_pipe(struct blocked *b)
{
	if (lseek(b->fd[2], 0, SEEK_SET))
		return -errno;
	return splice_large(b->fd[2], b->fd[1]);
}

static int setup_file_and_pipe(struct blocked *b)
{
	int ret = setup_file_and_socket(b);

	close(b->fd[0]);
	close(b->fd[1]);
	return ret ?: setup_pipe_to_read(b);
}

static int setup_socket_and_pipe(struct blocked *b)
{
	return setup_unix_stream(b) ?: status(pipe2(b->fd + 2, O_CLOEXEC));
}

/* From a socket to a pipe, and from there to a buffer. */
static long call_splice_from_socket(struct blocked *b)
{
	size_t sum = 0;
	ssize_t len;

	while (sum < LARGE) {
		len = splice(b->fd[0], NULL, b->fd[3], NULL, STEP, 0);
		if (len <= 0 || read(b->fd[2], large_buffer() + sum, len) != len)
			return len ? -errno : (long)sum;
		sum += len;
	}
	return memcmp(large_buffer(), large_data(), LARGE) ? -EBADMSG : (long)sum;
}

/* With a step in each state. */
static int freeze_again_and_again(struct running *r)
{
	int i, ret = 0;

	for (i = 0; i < FREEZES && !ret; i++) {
		ret = kind_freeze(&ours, "a");
		ret = ret ?: running_event(r);
		ret = ret ?: kind_thaw(&ours, "a");
		ret = ret ?: running_event(r);
		if (!ret && running_has_ended(r))
			ret = -EINTR;
	}
	if (ret)
		fprintf(stderr, "# ends at freeze %d with %ld\n", i,
			running_result(r));
	return ret;
}

static int run_transfer(int (*setup)(struct blocked *b),
			long (*call)(struct blocked *b),
			int (*step)(struct blocked *b))
{
	const struct call large = {
		.name = "a transfer",
		.setup = setup,
		.call = call,
		.event = step,
		.repeat = true,
	};
	struct running r;
	int ret;

	done = 0;
	ret = running_start(&r, &large, "a", NO_TIMEOUT_MS);
	ret = ret ?: freeze_again_and_again(&r);
	kind_thaw(&ours, "a");
	ret = ret ?: running_finish(&r);
	if (!ret && running_result(&r) != LARGE) {
		fprintf(stderr, "# should transfer %d and does %ld\n", LARGE,
			running_result(&r));
		ret = -EMSGSIZE;
	}
	running_stop(&r);
	return ret;
}

TEST_F_TIMEOUT(freezer, pipe_write_is_whole, 120)
{
	EXPECT_EQ(0, run_transfer(setup_pipe_to_read, call_write_large,
				  step_read));
}

TEST_F_TIMEOUT(freezer, unix_send_is_whole, 120)
{
	EXPECT_EQ(0, run_transfer(setup_unix_stream, call_send_large,
				  step_read));
}

TEST_F_TIMEOUT(freezer, tcp_send_is_whole, 120)
{
	EXPECT_EQ(0, run_transfer(setup_tcp, call_send_large, step_read));
}

TEST_F_TIMEOUT(freezer, unix_recv_is_whole, 120)
{
	EXPECT_EQ(0, run_transfer(setup_unix_stream, call_recv_large,
				  step_write));
}

TEST_F_TIMEOUT(freezer, tcp_recv_is_whole, 120)
{
	EXPECT_EQ(0, run_transfer(setup_tcp, call_recv_large, step_write));
}

TEST_F_TIMEOUT(freezer, sendfile_is_whole, 120)
{
	EXPECT_EQ(0, run_transfer(setup_file_and_socket, call_sendfile,
				  step_read));
}

TEST_F_TIMEOUT(freezer, splice_to_a_pipe_loses_nothing, 120)
{
	EXPECT_EQ(0, run_transfer(setup_file_and_pipe, call_splice_to_pipe,
				  step_read));
}

TEST_F_TIMEOUT(freezer, splice_from_a_socket_loses_nothing, 120)
{
	EXPECT_EQ(0, run_transfer(setup_socket_and_pipe, call_splice_from_socket,
				  step_write));
}

TEST_HARNESS_MAIN
