// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that wait for files: poll and its like, pipes, notifications, locks
 * and terminals.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "calls.h"

/* epoll, poll and select: the pipe becomes readable. */

static int setup_epoll(struct blocked *b)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ret = setup_pipe(b);

	if (ret)
		return ret;
	b->fd[2] = epoll_create1(EPOLL_CLOEXEC);
	return status(epoll_ctl(b->fd[2], EPOLL_CTL_ADD, b->fd[0], &event));
}

static long call_epoll_wait(struct blocked *b)
{
	struct epoll_event event;

	return result(epoll_wait(b->fd[2], &event, 1, -1));
}

static long call_epoll_wait_timed(struct blocked *b)
{
	struct epoll_event event;

	return result(epoll_wait(b->fd[2], &event, 1, b->timeout));
}

static long call_epoll_pwait2(struct blocked *b)
{
	struct timespec timeout = timespec_of(b->timeout);
	struct epoll_event event;

	return result(syscall(SYS_epoll_pwait2, b->fd[2], &event, 1, &timeout,
			      NULL, 0));
}

static long call_poll_timed(struct blocked *b)
{
	struct pollfd pfd = { .fd = b->fd[0], .events = POLLIN };

	return result(poll(&pfd, 1, b->timeout));
}

static long call_ppoll(struct blocked *b)
{
	struct pollfd pfd = { .fd = b->fd[0], .events = POLLIN };
	struct timespec timeout = timespec_of(b->timeout);

	return result(ppoll(&pfd, 1, &timeout, NULL));
}

static void only_fd(fd_set *set, int fd)
{
	FD_ZERO(set);
	FD_SET(fd, set);
}

static long call_select(struct blocked *b)
{
	fd_set set;

	only_fd(&set, b->fd[0]);
	return result(select(b->fd[0] + 1, &set, NULL, NULL, NULL));
}

static long call_select_timed(struct blocked *b)
{
	struct timeval timeout = timeval_of(b->timeout);
	fd_set set;

	only_fd(&set, b->fd[0]);
	return result(select(b->fd[0] + 1, &set, NULL, NULL, &timeout));
}

static long call_pselect(struct blocked *b)
{
	struct timespec timeout = timespec_of(b->timeout);
	fd_set set;

	only_fd(&set, b->fd[0]);
	return result(pselect(b->fd[0] + 1, &set, NULL, NULL, &timeout, NULL));
}

/* Pipes. */

static long call_write(struct blocked *b)
{
	return result(write(b->fd[1], "x", 1));
}

static int setup_fifo(struct blocked *b)
{
	return setup_path(b) ?: status(mkfifo(b->path, 0600));
}

static long call_open_reader(struct blocked *b)
{
	return status(open(b->path, O_RDONLY));
}

static long call_open_writer(struct blocked *b)
{
	return status(open(b->path, O_WRONLY));
}

/* Reader and writer in one: does not wait for another. */
static int event_open_both(struct blocked *b)
{
	b->fd[0] = open(b->path, O_RDWR | O_CLOEXEC);
	return status(b->fd[0]);
}

/* Two pipes: the first is empty, the second has room. */
static int setup_two_pipes(struct blocked *b)
{
	return setup_pipe(b) ?: status(pipe2(b->fd + 2, O_CLOEXEC));
}

static long call_splice_from_pipe(struct blocked *b)
{
	return result(splice(b->fd[0], NULL, b->fd[3], NULL, 4096, 0));
}

/* The timeout is not to run out, but makes a difference. */
static int setup_socket_to_splice(struct blocked *b)
{
	struct timeval tv = timeval_of(NO_TIMEOUT_MS);

	return setup_unix_stream(b) ?: status(pipe2(b->fd + 2, O_CLOEXEC)) ?:
	       status(setsockopt(b->fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv,
				 sizeof(tv)));
}

static long call_tee(struct blocked *b)
{
	return result(tee(b->fd[0], b->fd[3], 4096, 0));
}

static int setup_file_and_full_pipe(struct blocked *b)
{
	b->fd[2] = memfd_create("freezer_call", MFD_CLOEXEC);
	return status(ftruncate(b->fd[2], LARGE)) ?: setup_full_pipe(b);
}

static long call_splice_to_pipe(struct blocked *b)
{
	return result(splice(b->fd[2], NULL, b->fd[1], NULL, 4096, 0));
}

static long call_vmsplice(struct blocked *b)
{
	struct iovec iov = { large_buffer(), 4096 };

	return result(vmsplice(b->fd[1], &iov, 1, 0));
}

/* The data of a pipe, for a socket that is full. */
static int setup_pipe_and_full_socket(struct blocked *b)
{
	int ret = setup_unix_stream(b);

	ret = ret ?: fd_fill(b->fd[1]);
	ret = ret ?: status(pipe2(b->fd + 2, O_CLOEXEC));
	return ret ?: status(write(b->fd[3], large_data(), 4096));
}

static long call_splice_to_socket(struct blocked *b)
{
	return result(splice(b->fd[2], NULL, b->fd[1], NULL, 4096, 0));
}

int setup_file_and_socket(struct blocked *b)
{
	int ret = setup_unix_stream(b);

	b->fd[2] = memfd_create("freezer_call", MFD_CLOEXEC);
	return ret ?: status(write(b->fd[2], large_data(), LARGE));
}

long call_sendfile(struct blocked *b)
{
	off_t offset = 0;

	return result(syscall(SYS_sendfile, b->fd[1], b->fd[2], &offset, LARGE));
}

/* Files that count, and files that tell of something. */

static int setup_eventfd(struct blocked *b)
{
	b->fd[0] = eventfd(0, EFD_CLOEXEC);
	return status(b->fd[0]);
}

static int event_eventfd(struct blocked *b)
{
	return status(eventfd_write(b->fd[0], 1));
}

static int setup_full_eventfd(struct blocked *b)
{
	b->fd[0] = eventfd(0, EFD_CLOEXEC);
	return status(eventfd_write(b->fd[0], ~0ULL - 1));
}

static long call_eventfd_write(struct blocked *b)
{
	return result(eventfd_write(b->fd[0], 1));
}

static int event_eventfd_read(struct blocked *b)
{
	eventfd_t count;

	return status(eventfd_read(b->fd[0], &count));
}

static int setup_timerfd(struct blocked *b)
{
	b->fd[0] = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	return status(b->fd[0]);
}

static int event_timerfd(struct blocked *b)
{
	struct itimerspec at_once = { .it_value = { 0, 1 } };

	return status(timerfd_settime(b->fd[0], 0, &at_once, NULL));
}

static int setup_signalfd(struct blocked *b)
{
	sigset_t set;

	usr1_set(&set);
	b->fd[0] = signalfd(-1, &set, SFD_CLOEXEC);
	return status(b->fd[0]);
}

static int setup_file(struct blocked *b)
{
	int ret = setup_path(b);

	b->fd[1] = open(b->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return ret ?: status(b->fd[1]);
}

static int setup_inotify(struct blocked *b)
{
	int ret = setup_file(b);

	b->fd[0] = inotify_init1(IN_CLOEXEC);
	return ret ?: status(inotify_add_watch(b->fd[0], b->path, IN_MODIFY));
}

static int setup_fanotify(struct blocked *b)
{
	int ret = setup_file(b);

	b->fd[0] = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY);
	return ret ?: status(fanotify_mark(b->fd[0], FAN_MARK_ADD, FAN_MODIFY,
					   AT_FDCWD, b->path));
}

/* Locks: those of the test are in the way. */

static int set_lock(int fd, int cmd, int type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	return status(fcntl(fd, cmd, &lock));
}

static int setup_two_files(struct blocked *b)
{
	int ret = setup_file(b);

	b->fd[0] = open(b->path, O_RDWR | O_CLOEXEC);
	return ret ?: status(b->fd[0]);
}

static int setup_posix_lock(struct blocked *b)
{
	return setup_two_files(b) ?: set_lock(b->fd[1], F_SETLK, F_WRLCK);
}

static long call_posix_lock(struct blocked *b)
{
	return set_lock(b->fd[0], F_SETLKW, F_WRLCK);
}

static int event_posix_unlock(struct blocked *b)
{
	return set_lock(b->fd[1], F_SETLK, F_UNLCK);
}

static int setup_ofd_lock(struct blocked *b)
{
	return setup_two_files(b) ?: set_lock(b->fd[1], F_OFD_SETLK, F_WRLCK);
}

static long call_ofd_lock(struct blocked *b)
{
	return set_lock(b->fd[0], F_OFD_SETLKW, F_WRLCK);
}

static int event_ofd_unlock(struct blocked *b)
{
	return set_lock(b->fd[1], F_OFD_SETLK, F_UNLCK);
}

static int setup_flock(struct blocked *b)
{
	return setup_two_files(b) ?: status(flock(b->fd[1], LOCK_EX));
}

static long call_flock(struct blocked *b)
{
	return result(flock(b->fd[0], LOCK_EX));
}

static int event_funlock(struct blocked *b)
{
	return status(flock(b->fd[1], LOCK_UN));
}

/* The test is asked by SIGIO to give it up, and does so when it likes. */
static int setup_lease(struct blocked *b)
{
	signal(SIGIO, SIG_IGN);
	return setup_file(b) ?: status(fcntl(b->fd[1], F_SETLEASE, F_WRLCK));
}

static int event_give_up_lease(struct blocked *b)
{
	return status(fcntl(b->fd[1], F_SETLEASE, F_UNLCK));
}

/* Terminals: the slave is the worker's. */

static int open_pty(int *master, int *slave)
{
	struct termios raw;

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master < 0 || unlockpt(*master))
		return -errno;
	*slave = open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0 || tcgetattr(*slave, &raw))
		return -errno;
	cfmakeraw(&raw);
	return status(tcsetattr(*slave, TCSANOW, &raw));
}

static int setup_pty_reader(struct blocked *b)
{
	return open_pty(b->fd + 1, b->fd);
}

static int setup_pty_master_reader(struct blocked *b)
{
	return open_pty(b->fd, b->fd + 1);
}

static int setup_full_pty(struct blocked *b)
{
	return open_pty(b->fd, b->fd + 1) ?: fd_fill(b->fd[1]);
}

static int setup_stopped_pty(struct blocked *b)
{
	return open_pty(b->fd, b->fd + 1) ?: status(tcflow(b->fd[1], TCOOFF));
}

static int event_start_pty(struct blocked *b)
{
	return status(tcflow(b->fd[1], TCOON));
}

/* Lines: not before there is an end of line. */
static int setup_pty_lines(struct blocked *b)
{
	struct termios lines;
	int ret = open_pty(b->fd + 1, b->fd);

	if (ret || tcgetattr(b->fd[0], &lines))
		return ret ?: -errno;
	lines.c_lflag |= ICANON;
	return status(tcsetattr(b->fd[0], TCSANOW, &lines)) ?: event_byte(b);
}

static int event_end_line(struct blocked *b)
{
	return status(write(b->fd[1], "\n", 1));
}

#define POLL_CALL(what, fn, ...)					\
	BYTE_CALL(what, setup_pipe, fn, 1, __VA_ARGS__)

#define EPOLL_CALL(what, fn, ...)					\
	BYTE_CALL(what, setup_epoll, fn, 1, __VA_ARGS__)

#define READ_CALL(what, setup_fn, event_fn, nr, ...)			\
	PLAIN_CALL(what, setup_fn, call_read, event_fn, .result = nr,	\
		   __VA_ARGS__)

/* Sleeps in the socket with the mutex of the pipe. */
#define PIPE_HELD	"splice_to_socket() holds the mutex of its pipe"
#define PIPE_LOCKED	"splice_file_to_pipe() holds the mutex of the pipe"

/* Reads and writes alike. */
#define TTY_HELD	"the line discipline and a mutex of the terminal are held"

const struct call file_calls[] = {
	EPOLL_CALL("epoll_wait", call_epoll_wait),
	EPOLL_CALL("epoll_wait, timeout", call_epoll_wait_timed, .timed = true),
	EPOLL_CALL("epoll_pwait2, timeout", call_epoll_pwait2, .timed = true),
	POLL_CALL("poll", call_poll),
	POLL_CALL("poll, timeout", call_poll_timed, .timed = true),
	POLL_CALL("ppoll, timeout", call_ppoll, .timed = true),
	POLL_CALL("select", call_select),
	POLL_CALL("select, timeout", call_select_timed, .timed = true),
	POLL_CALL("pselect, timeout", call_pselect, .timed = true),
	READ_CALL("pipe read", setup_pipe, event_byte, 1),
	DRAIN_CALL("pipe write", setup_full_pipe, call_write, 1),
	DRAIN_CALL("pipe write, 1 MB", setup_pipe, call_write_large, LARGE),
	PLAIN_CALL("fifo open for read", setup_fifo, call_open_reader,
		   event_open_both),
	PLAIN_CALL("fifo open for write", setup_fifo, call_open_writer,
		   event_open_both),
	BYTE_CALL("splice from a pipe", setup_two_pipes, call_splice_from_pipe,
		  1),
	BYTE_CALL("splice from a socket, timeout", setup_socket_to_splice,
		  call_splice_from_pipe, 1, .woken = PIPE_LOCKED),
	BYTE_CALL("tee", setup_two_pipes, call_tee, 1),
	DRAIN_CALL("splice to a full pipe", setup_file_and_full_pipe,
		   call_splice_to_pipe, 4096),
	DRAIN_CALL("vmsplice to a full pipe", setup_full_pipe, call_vmsplice,
		   4096),
	DRAIN_CALL("splice to a full socket", setup_pipe_and_full_socket,
		   call_splice_to_socket, 4096, .woken = PIPE_HELD),
	DRAIN_CALL("sendfile to a socket, 1 MB", setup_file_and_socket,
		   call_sendfile, LARGE, .woken = PIPE_HELD),
	READ_CALL("eventfd read", setup_eventfd, event_eventfd, 8),
	PLAIN_CALL("eventfd write", setup_full_eventfd, call_eventfd_write,
		   event_eventfd_read),
	READ_CALL("timerfd read", setup_timerfd, event_timerfd, 8),
	READ_CALL("signalfd read", setup_signalfd, event_usr1,
		  sizeof(struct signalfd_siginfo), .prepare = prepare_usr1),
	READ_CALL("inotify read", setup_inotify, event_byte,
		  sizeof(struct inotify_event)),
	READ_CALL("fanotify read", setup_fanotify, event_byte,
		  sizeof(struct fanotify_event_metadata)),
	PLAIN_CALL("fcntl F_SETLKW", setup_posix_lock, call_posix_lock,
		   event_posix_unlock),
	PLAIN_CALL("fcntl F_OFD_SETLKW", setup_ofd_lock, call_ofd_lock,
		   event_ofd_unlock),
	PLAIN_CALL("flock", setup_flock, call_flock, event_funlock),
	PLAIN_CALL("open of a leased file", setup_lease, call_open_writer,
		   event_give_up_lease,
		   .woken = "break_lease() is called with sb_writers held"),
	READ_CALL("pty read", setup_pty_reader, event_byte, 1,
		  .woken = TTY_HELD),
	READ_CALL("pty read of a line", setup_pty_lines, event_end_line, 2,
		  .woken = TTY_HELD),
	READ_CALL("pty master read", setup_pty_master_reader, event_byte, 1,
		  .woken = TTY_HELD),
	DRAIN_CALL("pty write", setup_full_pty, call_write, 1,
		   .woken = TTY_HELD),
	PLAIN_CALL("pty write, stopped", setup_stopped_pty, call_write,
		   event_start_pty, .result = 1, .woken = TTY_HELD),
	{ }
};
