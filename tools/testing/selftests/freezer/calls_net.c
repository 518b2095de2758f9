// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that wait for sockets.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "calls.h"

/* So small that a call which sends much does not run far ahead. */
#define BUFFER_SIZE	16384

/* The first probes of a window that is closed still find some room. */
#define TCP_LOOKS	250

/* And so large that this room does not wake a sender. */
#define LARGE_BUFFER	0x20000

/* Any address. */
union address {
	struct sockaddr		any;
	struct sockaddr_in	in;
	struct sockaddr_un	un;
	struct sockaddr_nl	nl;
};

/* A socket with an address that the kernel finds for it. */
static int open_bound(int family, int type, int protocol, union address *addr,
		      socklen_t *len)
{
	int fd;

	memset(addr, 0, sizeof(*addr));
	addr->any.sa_family = family;
	*len = sizeof(addr->any.sa_family);
	if (family == AF_INET) {
		addr->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		*len = sizeof(addr->in);
	} else if (family == AF_NETLINK) {
		*len = sizeof(addr->nl);
	}
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	if (fd < 0 || bind(fd, &addr->any, *len))
		return -errno;
	*len = sizeof(*addr);
	if (getsockname(fd, &addr->any, len))
		return -errno;
	return fd;
}

static int set_buffer(int fd, int which, int size)
{
	return status(setsockopt(fd, SOL_SOCKET, which, &size, sizeof(size)));
}

/* A segment of the size of loopback's would wait for a window that large. */
static int limit_segment(int fd)
{
	int size = 1024;

	return status(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &size,
				 sizeof(size)));
}

static int set_timeout(int fd, int which, long ms)
{
	struct timeval timeout = timeval_of(ms);

	return status(setsockopt(fd, SOL_SOCKET, which, &timeout,
				 sizeof(timeout)));
}

static int timed_recv(struct blocked *b)
{
	return set_timeout(b->fd[0], SO_RCVTIMEO, b->timeout);
}

static int timed_send(struct blocked *b)
{
	return set_timeout(b->fd[1], SO_SNDTIMEO, b->timeout);
}

/* Pairs: the first is read from, the second written to. */

static int unix_pair(struct blocked *b, int type)
{
	return status(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, b->fd));
}

int setup_unix_stream(struct blocked *b)
{
	return unix_pair(b, SOCK_STREAM);
}

static int setup_unix_stream_timed(struct blocked *b)
{
	return unix_pair(b, SOCK_STREAM) ?: timed_recv(b);
}

static int setup_unix_seqpacket(struct blocked *b)
{
	return unix_pair(b, SOCK_SEQPACKET);
}

static int setup_unix_dgram(struct blocked *b)
{
	return unix_pair(b, SOCK_DGRAM);
}

static int setup_unix_dgram_timed(struct blocked *b)
{
	return unix_pair(b, SOCK_DGRAM) ?: timed_recv(b);
}

static int setup_full_unix_stream(struct blocked *b)
{
	return unix_pair(b, SOCK_STREAM) ?: fd_fill(b->fd[1]);
}

static int setup_full_unix_stream_timed(struct blocked *b)
{
	return setup_full_unix_stream(b) ?: timed_send(b);
}

static int setup_full_unix_dgram(struct blocked *b)
{
	return unix_pair(b, SOCK_DGRAM) ?: fd_fill(b->fd[1]);
}

/* Many senders to one receiver, who bounds its queue. */
static int connected_to_bound(struct blocked *b, int family, int type,
			      int protocol)
{
	union address addr;
	socklen_t len;

	b->fd[0] = open_bound(family, type, protocol, &addr, &len);
	if (b->fd[0] < 0)
		return b->fd[0];
	b->fd[1] = socket(family, type | SOCK_CLOEXEC, protocol);
	return status(connect(b->fd[1], &addr.any, len));
}

static int setup_full_unix_queue(struct blocked *b)
{
	return connected_to_bound(b, AF_UNIX, SOCK_DGRAM, 0) ?:
	       fd_fill(b->fd[1]);
}

static int setup_udp(struct blocked *b)
{
	return loopback_up() ?: connected_to_bound(b, AF_INET, SOCK_DGRAM, 0);
}

static int setup_udp_timed(struct blocked *b)
{
	return setup_udp(b) ?: timed_recv(b);
}

static int setup_netlink(struct blocked *b)
{
	return connected_to_bound(b, AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
}

static int setup_netlink_timed(struct blocked *b)
{
	return setup_netlink(b) ?: timed_recv(b);
}

/* Of TCP, by way of a listener, fd[2]. */

static int open_listener(int family, union address *addr, socklen_t *len)
{
	int fd = open_bound(family, SOCK_STREAM, 0, addr, len);
	int ret;

	if (fd < 0)
		return fd;
	ret = set_buffer(fd, SO_RCVBUF, BUFFER_SIZE);
	if (family == AF_INET)
		ret = ret ?: limit_segment(fd);
	return ret ?: status(listen(fd, 0)) ?: fd;
}

static int open_client(int family, const union address *addr, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	set_buffer(fd, SO_SNDBUF, BUFFER_SIZE);
	if (family == AF_INET)
		limit_segment(fd);
	return connect(fd, &addr->any, len) ? -errno : fd;
}

int setup_tcp(struct blocked *b)
{
	union address addr;
	socklen_t len;
	int ret = loopback_up();

	if (ret)
		return ret;
	b->fd[2] = open_listener(AF_INET, &addr, &len);
	b->fd[1] = open_client(AF_INET, &addr, len);
	if (b->fd[1] < 0)
		return b->fd[1];
	b->fd[0] = accept4(b->fd[2], NULL, NULL, SOCK_CLOEXEC);
	return status(b->fd[0]) ?:
	       set_buffer(b->fd[1], SO_SNDBUF, LARGE_BUFFER);
}

static int setup_tcp_timed(struct blocked *b)
{
	return setup_tcp(b) ?: timed_recv(b);
}

static int setup_full_tcp(struct blocked *b)
{
	return setup_tcp(b) ?: fd_fill_slowly(b->fd[1], TCP_LOOKS);
}

static int setup_full_tcp_timed(struct blocked *b)
{
	return setup_full_tcp(b) ?: timed_send(b);
}

/* Half of what is asked for is there. */

static int setup_half_unix(struct blocked *b)
{
	return setup_unix_stream(b) ?: event_byte(b);
}

static int setup_half_tcp(struct blocked *b)
{
	return setup_tcp(b) ?: event_byte(b);
}

static int setup_half_tcp_timed(struct blocked *b)
{
	return setup_tcp_timed(b) ?: event_byte(b);
}

static int setup_half_udp(struct blocked *b)
{
	return setup_udp(b) ?: event_byte(b);
}

static long call_recv_all(struct blocked *b)
{
	char bytes[2];

	return result(recv(b->fd[0], bytes, sizeof(bytes), MSG_WAITALL));
}

/* It looks at its own timeout after a message only. */
static long call_recvmmsg(struct blocked *b)
{
	struct timespec timeout = timespec_of(b->timeout);
	struct mmsghdr msgs[2] = { };

	return result(recvmmsg(b->fd[0], msgs, 2, 0, &timeout));
}

static long call_send(struct blocked *b)
{
	return result(send(b->fd[1], large_data(), 100, MSG_NOSIGNAL));
}

long call_send_large(struct blocked *b)
{
	return result(send(b->fd[1], large_data(), LARGE, MSG_NOSIGNAL));
}

static long call_recv(struct blocked *b)
{
	char bytes[100];

	return result(recv(b->fd[0], bytes, sizeof(bytes), 0));
}

/* accept and connect: fd[0] listens, fd[1] connects. */

static int setup_accept(struct blocked *b, int family)
{
	union address addr;
	socklen_t len;

	b->fd[0] = open_listener(family, &addr, &len);
	return b->fd[0] < 0 ? b->fd[0] : 0;
}

static int setup_unix_accept(struct blocked *b)
{
	return setup_accept(b, AF_UNIX);
}

static int setup_unix_accept_timed(struct blocked *b)
{
	return setup_accept(b, AF_UNIX) ?: timed_recv(b);
}

static int setup_tcp_accept(struct blocked *b)
{
	return loopback_up() ?: setup_accept(b, AF_INET);
}

static int setup_tcp_accept_timed(struct blocked *b)
{
	return setup_tcp_accept(b) ?: timed_recv(b);
}

static long call_accept(struct blocked *b)
{
	return status(accept(b->fd[0], NULL, NULL));
}

static int address_of(int fd, union address *addr, socklen_t *len)
{
	*len = sizeof(*addr);
	return status(getsockname(fd, &addr->any, len));
}

static int event_connect(struct blocked *b)
{
	union address addr;
	socklen_t len;
	int ret = address_of(b->fd[0], &addr, &len);

	if (ret)
		return ret;
	b->fd[2] = open_client(addr.any.sa_family, &addr, len);
	return b->fd[2] < 0 ? b->fd[2] : 0;
}

/* One waits to be accepted, and there is no room for a second. */
static int setup_connect(struct blocked *b, int family)
{
	int ret = setup_accept(b, family) ?: event_connect(b);

	b->fd[1] = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return ret ?: status(b->fd[1]);
}

static int setup_unix_connect(struct blocked *b)
{
	return setup_connect(b, AF_UNIX);
}

static int setup_unix_connect_timed(struct blocked *b)
{
	return setup_connect(b, AF_UNIX) ?: timed_send(b);
}

static int setup_tcp_connect(struct blocked *b)
{
	return loopback_up() ?: setup_connect(b, AF_INET);
}

static int setup_tcp_connect_timed(struct blocked *b)
{
	return setup_tcp_connect(b) ?: timed_send(b);
}

static long call_connect(struct blocked *b)
{
	union address addr;
	socklen_t len;
	int ret = address_of(b->fd[0], &addr, &len);

	return ret ?: status(connect(b->fd[1], &addr.any, len));
}

static int event_accept(struct blocked *b)
{
	b->fd[3] = accept4(b->fd[0], NULL, NULL, SOCK_CLOEXEC);
	return status(b->fd[3]);
}

/*
 * The last descriptor of a socket that is full must be that of the worker.  A
 * close that is cut short says nothing, but it ends too early.
 */
static int prepare_linger(struct blocked *b)
{
	struct linger linger = { .l_onoff = 1, .l_linger = b->timeout / 1000 };
	union address addr;
	socklen_t len;
	int ret = address_of(b->fd[0], &addr, &len);

	if (ret)
		return ret;
	b->fd[1] = open_client(AF_INET, &addr, len);
	if (b->fd[1] < 0)
		return b->fd[1];
	ret = status(setsockopt(b->fd[1], SOL_SOCKET, SO_LINGER, &linger,
				sizeof(linger)));
	return ret ?: fd_fill_slowly(b->fd[1], TCP_LOOKS);
}

static long call_close(struct blocked *b)
{
	return result(close(b->fd[1]));
}

static int event_read_all(struct blocked *b)
{
	int ret = b->fd[3] < 0 ? event_accept(b) : 0;

	return ret ?: fd_drain(b->fd[3]);
}

#define TIMED	.timed = true, .timed_out = -EAGAIN

const struct call net_calls[] = {
	BYTE_CALL("unix recv", setup_unix_stream, call_recv, 1),
	BYTE_CALL("unix recv, timeout", setup_unix_stream_timed, call_recv, 1,
		  TIMED),
	BYTE_CALL("unix recv, MSG_WAITALL", setup_half_unix, call_recv_all, 2),
	BYTE_CALL("unix seqpacket recv", setup_unix_seqpacket, call_recv, 1),
	BYTE_CALL("unix dgram recv", setup_unix_dgram, call_recv, 1),
	BYTE_CALL("unix dgram recv, timeout", setup_unix_dgram_timed, call_recv,
		  1, TIMED),
	DRAIN_CALL("unix send", setup_full_unix_stream, call_send, 100),
	DRAIN_CALL("unix send, timeout", setup_full_unix_stream_timed, call_send,
		   100, TIMED),
	DRAIN_CALL("unix send, 1 MB", setup_unix_stream, call_send_large, LARGE),
	DRAIN_CALL("unix dgram send", setup_full_unix_dgram, call_send, 100),
	DRAIN_CALL("unix dgram send, queue", setup_full_unix_queue, call_send,
		   100),
	PLAIN_CALL("unix accept", setup_unix_accept, call_accept, event_connect),
	PLAIN_CALL("unix accept, timeout", setup_unix_accept_timed, call_accept,
		   event_connect, TIMED),
	PLAIN_CALL("unix connect", setup_unix_connect, call_connect,
		   event_accept),
	PLAIN_CALL("unix connect, timeout", setup_unix_connect_timed,
		   call_connect, event_accept, TIMED),
	BYTE_CALL("tcp recv", setup_tcp, call_recv, 1),
	BYTE_CALL("tcp recv, timeout", setup_tcp_timed, call_recv, 1, TIMED),
	BYTE_CALL("tcp recv, MSG_WAITALL", setup_half_tcp, call_recv_all, 2),
	BYTE_CALL("tcp recv, MSG_WAITALL, timeout", setup_half_tcp_timed,
		  call_recv_all, 2, .timed = true, .timed_out = 1),
	DRAIN_CALL("tcp send", setup_full_tcp, call_send, 100),
	DRAIN_CALL("tcp send, timeout", setup_full_tcp_timed, call_send, 100,
		   TIMED),
	DRAIN_CALL("tcp send, 1 MB", setup_tcp, call_send_large, LARGE),
	PLAIN_CALL("tcp accept", setup_tcp_accept, call_accept, event_connect),
	PLAIN_CALL("tcp accept, timeout", setup_tcp_accept_timed, call_accept,
		   event_connect, TIMED),
	PLAIN_CALL("tcp connect", setup_tcp_connect, call_connect, event_accept),
	PLAIN_CALL("tcp connect, timeout", setup_tcp_connect_timed, call_connect,
		   event_accept, .timed = true, .timed_out = -EINPROGRESS),
	PLAIN_CALL("tcp close, lingering", setup_tcp_accept, call_close,
		   event_read_all, .prepare = prepare_linger, .repeat = true),
	BYTE_CALL("udp recv", setup_udp, call_recv, 1),
	BYTE_CALL("udp recv, timeout", setup_udp_timed, call_recv, 1, TIMED),
	BYTE_CALL("recvmmsg of two, timeout", setup_half_udp, call_recvmmsg, 2),
	BYTE_CALL("netlink recv", setup_netlink, call_recv, 1),
	BYTE_CALL("netlink recv, timeout", setup_netlink_timed, call_recv, 1,
		  TIMED),
	{ }
};
