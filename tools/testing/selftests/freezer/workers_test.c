// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that the kernel runs for a process, such as those of io_uring, freeze
 * and die with it; threads of the kernel itself do neither.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/vhost.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freezer_fixture.h"
#include "freezer_v2_fixture.h"

/* How long to watch CPU time, which is told in ticks of 10 ms, stand still. */
#define BURN_MS		200

#define NR_FREEZES	40

/* From include/linux/sched.h */
#define PF_KTHREAD	0x00200000

/* Threads, as /proc tells of them. */

/* The fields of a line "stat" after the name; NULL if the thread is gone. */
static char *read_stat(pid_t pid, pid_t tid, char *buf, size_t size)
{
	char path[64], *end;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	len = read(fd, buf, size - 1);
	close(fd);
	buf[len > 0 ? len : 0] = '\0';
	end = strrchr(buf, ')');
	return end ? end + 1 : NULL;
}

/* utime and stime, in ticks */
static unsigned long thread_time(pid_t pid, pid_t tid)
{
	unsigned long utime, stime;
	char buf[512], *fields;

	fields = read_stat(pid, tid, buf, sizeof(buf));
	if (!fields || sscanf(fields, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			      &utime, &stime) != 2)
		return 0;
	return utime + stime;
}

static bool is_kthread(pid_t pid)
{
	char buf[512], *fields;
	unsigned int flags;

	fields = read_stat(pid, pid, buf, sizeof(buf));
	return fields &&
	       sscanf(fields, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
	       flags & PF_KTHREAD;
}

static bool thread_is_named(pid_t pid, pid_t tid, const char *prefix)
{
	char buf[512], *name;

	if (!read_stat(pid, tid, buf, sizeof(buf)))
		return false;
	name = strchr(buf, '(');
	return name && !strncmp(name + 1, prefix, strlen(prefix));
}

/* The sum of @fn over all threads. */
static unsigned long sum_threads(pid_t pid,
				 unsigned long (*fn)(pid_t pid, pid_t tid))
{
	unsigned long sum = 0;
	struct dirent *ent;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((ent = readdir(dir)))
		if (ent->d_name[0] != '.')
			sum += fn(pid, atoi(ent->d_name));
	closedir(dir);
	return sum;
}

static unsigned long cpu_time(pid_t pid)
{
	return sum_threads(pid, thread_time);
}

static unsigned long is_wq_thread(pid_t pid, pid_t tid)
{
	return thread_is_named(pid, tid, "iou-wrk-");
}

static unsigned long is_sq_thread(pid_t pid, pid_t tid)
{
	return thread_is_named(pid, tid, "iou-sqp-");
}

static unsigned long is_vhost_thread(pid_t pid, pid_t tid)
{
	return thread_is_named(pid, tid, "vhost-");
}

static int wait_thread(pid_t pid, unsigned long (*fn)(pid_t pid, pid_t tid))
{
	int ret = WAIT_UNTIL(sum_threads(pid, fn));

	if (ret)
		fprintf(stderr, "# %d does not get the thread it should\n", pid);
	return ret;
}

/* All threads of all workers, with those that have no counter. */
static int burn_nothing(struct worker *w, unsigned int nr)
{
	unsigned long before = 0, after = 0;
	unsigned int i;

	for (i = 0; i < nr; i++)
		before += cpu_time(w[i].pid);
	pause_ms(BURN_MS);
	for (i = 0; i < nr; i++)
		after += cpu_time(w[i].pid);
	if (before != after)
		fprintf(stderr, "# %lu ticks of CPU time should be 0\n",
			after - before);
	return before == after ? 0 : -EBUSY;
}

static int stand_still(struct worker *w, unsigned int nr)
{
	return workers_stand_still(w, nr) ?: burn_nothing(w, nr);
}

static int freeze(struct worker *w, unsigned int nr)
{
	int ret;

	ret = cg_freeze("a") ?: cg_wait("a", "FROZEN");
	ret = ret ?: stand_still(w, nr);
	return ret ?: cg_reads("a", "FROZEN") ? 0 : -EAGAIN;
}

static int thaw(struct worker *w, unsigned int nr)
{
	return cg_thaw("a") ?: workers_move(w, nr);
}

/* A ring of io_uring, for few requests. */

#define RING_ENTRIES	8

struct ring {
	int			fd;
	unsigned int		*sq_tail;
	unsigned int		*sq_flags;
	unsigned int		*sq_array;
	struct io_uring_sqe	*sqes;
	unsigned int		*cq_head;
	unsigned int		*cq_tail;
	struct io_uring_cqe	*cqes;
	unsigned int		cq_mask;
};

/* It comes as far as to ask what kind of ring we want. */
static bool ring_supported(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == EFAULT;
}

static void *ring_map(struct ring *ring, size_t size, off_t what)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, ring->fd, what);
}

/* The thread of SQPOLL looks for requests for @idle_ms, and then sleeps. */
static int ring_init(struct ring *ring, unsigned int flags, unsigned int idle_ms)
{
	struct io_uring_params p = { .flags = flags, .sq_thread_idle = idle_ms };
	char *rings;

	ring->fd = syscall(SYS_io_uring_setup, RING_ENTRIES, &p);
	if (ring->fd < 0)
		return -errno;
	/* One mapping for both; the array comes last. */
	rings = ring_map(ring, p.sq_off.array + p.sq_entries * sizeof(int) +
			 p.cq_off.cqes + p.cq_entries * sizeof(*ring->cqes),
			 IORING_OFF_SQ_RING);
	ring->sqes = ring_map(ring, p.sq_entries * sizeof(*ring->sqes),
			      IORING_OFF_SQES);
	if (rings == MAP_FAILED || ring->sqes == MAP_FAILED)
		return -errno;

	ring->sq_tail = (void *)(rings + p.sq_off.tail);
	ring->sq_flags = (void *)(rings + p.sq_off.flags);
	ring->sq_array = (void *)(rings + p.sq_off.array);
	ring->cq_head = (void *)(rings + p.cq_off.head);
	ring->cq_tail = (void *)(rings + p.cq_off.tail);
	ring->cqes = (void *)(rings + p.cq_off.cqes);
	ring->cq_mask = p.cq_entries - 1;
	return 0;
}

static int ring_enter(struct ring *ring, unsigned int nr, unsigned int flags)
{
	return syscall(SYS_io_uring_enter, ring->fd, nr, 0, flags, NULL, 0) < 0 ?
	       -errno : 0;
}

static int ring_submit(struct ring *ring, struct io_uring_sqe *sqe)
{
	unsigned int tail = *ring->sq_tail;
	unsigned int index = tail % RING_ENTRIES;

	ring->sqes[index] = *sqe;
	ring->sq_array[index] = index;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_SEQ_CST);
	/* Needless without SQPOLL, as the first argument is with it. */
	return ring_enter(ring, 1, IORING_ENTER_SQ_WAKEUP);
}

/* The results of requests, as long as there are any. */
static bool ring_reap(struct ring *ring, int *res)
{
	unsigned int head = *ring->cq_head;

	if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE))
		return false;
	*res = ring->cqes[head & ring->cq_mask].res;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return true;
}

/* Sleeps until a request is complete, or for 5 ms. */
static void ring_wait(struct ring *ring)
{
	struct __kernel_timespec ts = { .tv_nsec = 5000000 };
	struct io_uring_getevents_arg arg = { .ts = (unsigned long)&ts };

	syscall(SYS_io_uring_enter, ring->fd, 0, 1,
		IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof(arg));
}

/*
 * Requests, all of them for a pipe that the test alone writes to.  What they
 * read goes nowhere.
 */

static int pipe_fds[2];
static int sink_fds[2];
static char sink;

static int make_pipes(void)
{
	return pipe2(pipe_fds, O_CLOEXEC) || pipe2(sink_fds, O_CLOEXEC) ?
	       -errno : 0;
}

static int feed(void)
{
	return write(pipe_fds[1], "", 1) == 1 ? 0 : -EIO;
}

/* A thread of io-wq takes it, and sleeps as its request waits in a poll. */
static int submit_async_read(struct ring *ring)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_READ,
		.flags = IOSQE_ASYNC,
		.fd = pipe_fds[0],
		.addr = (unsigned long)&sink,
		.len = 1,
		.off = -1,
	};

	return ring_submit(ring, &sqe);
}

/* No thread of io-wq: task work completes it. */
static int submit_read(struct ring *ring)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_READ,
		.fd = pipe_fds[0],
		.addr = (unsigned long)&sink,
		.len = 1,
		.off = -1,
	};

	return ring_submit(ring, &sqe);
}

/* A thread of io-wq sleeps in it. */
static int submit_splice(struct ring *ring)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_SPLICE,
		.fd = sink_fds[1],
		.off = -1,
		.splice_fd_in = pipe_fds[0],
		.splice_off_in = -1,
		.len = 1,
	};

	return ring_submit(ring, &sqe);
}

static int submit_poll(struct ring *ring)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_POLL_ADD,
		.fd = pipe_fds[0],
		.poll32_events = POLLIN,
	};

	return ring_submit(ring, &sqe);
}

/* Owners of a ring: they have sent one request, and count. */

enum {
	NOTE_RESULTS,
	NOTE_LAST,
};

static void note_results(struct worker *w, struct ring *ring)
{
	struct slot *slot = w->slots;
	int res;

	while (ring_reap(ring, &res)) {
		slot_set_note(slot, NOTE_LAST, res);
		slot_set_note(slot, NOTE_RESULTS,
			      slot_note(slot, NOTE_RESULTS) + 1);
	}
	slot_tick(slot);
}

static void count_results(struct worker *w, struct ring *ring)
{
	for (;;) {
		note_results(w, ring);
		pause_ms(1);
	}
}

static void own_ring(struct worker *w, unsigned int flags, unsigned int idle_ms,
		     int (*submit)(struct ring *ring))
{
	struct ring ring;

	if (ring_init(&ring, flags, idle_ms) || submit(&ring))
		_exit(1);
	count_results(w, &ring);
}

static void worker_reads_async(struct worker *w)
{
	own_ring(w, 0, 0, submit_async_read);
}

static void worker_splices(struct worker *w)
{
	own_ring(w, 0, 0, submit_splice);
}

static void worker_has_busy_sqpoll(struct worker *w)
{
	own_ring(w, IORING_SETUP_SQPOLL, 1000000, submit_read);
}

static void worker_has_idle_sqpoll(struct worker *w)
{
	own_ring(w, IORING_SETUP_SQPOLL, 1, submit_read);
}

static void worker_polls_and_sleeps(struct worker *w)
{
	own_ring(w, 0, 0, submit_poll);
}

static void worker_polls_with_sqpoll(struct worker *w)
{
	own_ring(w, IORING_SETUP_SQPOLL, 1, submit_poll);
}

static void worker_polls_and_waits(struct worker *w)
{
	struct ring ring;

	if (ring_init(&ring, 0, 0) || submit_poll(&ring))
		_exit(1);
	for (;;) {
		note_results(w, &ring);
		ring_wait(&ring);
	}
}

static void worker_polls_and_spins(struct worker *w)
{
	struct ring ring;

	if (ring_init(&ring, 0, 0) || submit_poll(&ring))
		_exit(1);
	for (;;)
		note_results(w, &ring);
}

static unsigned long results(struct worker *w)
{
	return slot_note(w->slots, NOTE_RESULTS);
}

static int last_result(struct worker *w)
{
	return slot_note(w->slots, NOTE_LAST);
}

/* Once it has run on, a result too many would have come as well. */
static int wait_one_result(struct worker *w)
{
	int ret;

	ret = WAIT_UNTIL(results(w));
	ret = ret ?: workers_move(w, 1);
	ret = ret ?: results(w) == 1 ? 0 : -EINVAL;
	if (ret)
		fprintf(stderr, "# %lu results of a request, the last is %d\n",
			results(w), last_result(w));
	return ret;
}

static int start(struct worker *w, void (*fn)(struct worker *w),
		 unsigned long (*thread)(pid_t pid, pid_t tid))
{
	int ret;

	ret = make_pipes() ?: worker_start_in("a", w, fn, 1);
	return ret ?: wait_thread(w->pid, thread);
}

/* Work in flight, freeze and thaw. */

static int cycle_and_feed(struct worker *w)
{
	int ret;

	ret = freeze(w, 1) ?: thaw(w, 1);
	ret = ret ?: freeze(w, 1) ?: thaw(w, 1);
	ret = ret ?: feed();
	return ret ?: wait_one_result(w);
}

static int feed_while_frozen(struct worker *w)
{
	int ret;

	ret = freeze(w, 1) ?: feed();
	ret = ret ?: stand_still(w, 1);
	ret = ret ?: results(w) ? -EINVAL : 0;
	ret = ret ?: cg_reads("a", "FROZEN") ? 0 : -EAGAIN;
	ret = ret ?: thaw(w, 1);
	return ret ?: wait_one_result(w);
}

TEST_F(freezer, async_read_freezes_and_is_completed_once_after_the_thaw)
{
	struct worker w;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, start(&w, worker_reads_async, is_wq_thread));
	ASSERT_EQ(0, cycle_and_feed(&w));
	EXPECT_EQ(1, last_result(&w));
}

TEST_F(freezer, async_read_fed_while_frozen_is_completed_once_after_the_thaw)
{
	struct worker w;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, start(&w, worker_reads_async, is_wq_thread));
	ASSERT_EQ(0, feed_while_frozen(&w));
	EXPECT_EQ(1, last_result(&w));
}

/* The freeze interrupts it, as io_uring does not restart what was interrupted. */
TEST_F(freezer, splice_in_an_io_wq_thread_freezes_and_is_completed_once)
{
	struct worker w;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, start(&w, worker_splices, is_wq_thread));
	ASSERT_EQ(0, cycle_and_feed(&w));
	EXPECT_TRUE(last_result(&w) == 1 || last_result(&w) == -EINTR);
}

/*
 * A thread that the freezer excuses, for a tracer that wants it to stop again, is
 * without a mark.  When it goes on, its turn has not come.
 */

static unsigned long sq_thread(pid_t pid, pid_t tid)
{
	return is_sq_thread(pid, tid) ? tid : 0;
}

static int stops(pid_t tid)
{
	return WAIT_UNTIL(waitpid(tid, NULL, WNOHANG | __WALL) == tid);
}

static int trace(enum __ptrace_request request, pid_t tid)
{
	return ptrace(request, tid, NULL, NULL) ? -errno : 0;
}

/* It is in a stop then, and about to be in another one. */
static int stop_twice(pid_t tid)
{
	int ret = trace(PTRACE_SEIZE, tid);

	ret = ret ?: trace(PTRACE_INTERRUPT, tid) ?: stops(tid);
	return ret ?: trace(PTRACE_INTERRUPT, tid);
}

static int go_on(pid_t tid)
{
	int ret = trace(PTRACE_CONT, tid) ?: stops(tid);

	return ret ?: trace(PTRACE_CONT, tid);
}

TEST_F(freezer, busy_sqpoll_thread_that_its_tracer_held_does_not_run_while_frozen)
{
	struct worker w, stuck;
	pid_t tid;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", &stuck));
	ASSERT_EQ(0, start(&w, worker_has_busy_sqpoll, is_sq_thread));
	tid = sum_threads(w.pid, sq_thread);
	ASSERT_EQ(0, stop_twice(tid));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_TRUE(cg_reads("a", "FREEZING"));
	ASSERT_EQ(0, go_on(tid));
	ASSERT_EQ(0, stuck_release());
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, stand_still(&w, 1));
	EXPECT_EQ(0, thaw(&w, 1));
}

TEST_F(freezer, busy_sqpoll_thread_freezes_and_completes_a_read_after_the_thaw)
{
	struct worker w;
	unsigned long time;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, start(&w, worker_has_busy_sqpoll, is_sq_thread));
	time = cpu_time(w.pid);
	ASSERT_EQ(0, WAIT_UNTIL(cpu_time(w.pid) > time + 10));
	ASSERT_EQ(0, cycle_and_feed(&w));
	EXPECT_EQ(1, last_result(&w));
}

TEST_F(freezer, busy_sqpoll_thread_completes_a_read_fed_while_frozen)
{
	struct worker w;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, start(&w, worker_has_busy_sqpoll, is_sq_thread));
	ASSERT_EQ(0, feed_while_frozen(&w));
	EXPECT_EQ(1, last_result(&w));
}

TEST_F(freezer, idle_sqpoll_thread_freezes_and_completes_a_read_after_the_thaw)
{
	struct worker w;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, start(&w, worker_has_idle_sqpoll, is_sq_thread));
	ASSERT_EQ(0, cycle_and_feed(&w));
	EXPECT_EQ(1, last_result(&w));
}

TEST_F(freezer, idle_sqpoll_thread_completes_a_read_fed_while_frozen)
{
	struct worker w;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, start(&w, worker_has_idle_sqpoll, is_sq_thread));
	ASSERT_EQ(0, feed_while_frozen(&w));
	EXPECT_EQ(1, last_result(&w));
}

/* Task work: it wakes the task that it is for, and cannot be done while frozen. */

static int task_work_while_frozen(struct worker *w, void (*fn)(struct worker *w))
{
	int ret;

	ret = make_pipes() ?: worker_start_in("a", w, fn, 1);
	return ret ?: feed_while_frozen(w);
}

TEST_F(freezer, task_work_for_a_frozen_task_that_slept_burns_no_time)
{
	struct worker w;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, task_work_while_frozen(&w, worker_polls_and_sleeps));
	EXPECT_EQ(POLLIN, last_result(&w));
}

TEST_F(freezer, task_work_for_a_frozen_task_that_waited_burns_no_time)
{
	struct worker w;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, task_work_while_frozen(&w, worker_polls_and_waits));
	EXPECT_EQ(POLLIN, last_result(&w));
}

TEST_F(freezer, task_work_for_a_frozen_task_that_spun_burns_no_time)
{
	struct worker w;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, task_work_while_frozen(&w, worker_polls_and_spins));
	EXPECT_EQ(POLLIN, last_result(&w));
}

TEST_F(freezer, task_work_for_a_frozen_sqpoll_thread_burns_no_time)
{
	struct worker w;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, task_work_while_frozen(&w, worker_polls_with_sqpoll));
	EXPECT_EQ(POLLIN, last_result(&w));
}

/* The same under both freezers of v2: the one must not wake what the other has. */

#define NR_OWNERS	4

static int start_owners(struct worker *w)
{
	static void (*const fns[NR_OWNERS])(struct worker *w) = {
		worker_polls_and_sleeps,
		worker_polls_and_waits,
		worker_polls_and_spins,
		worker_polls_with_sqpoll,
	};
	int i, ret = make_pipes();

	for (i = 0; i < NR_OWNERS && !ret; i++)
		ret = worker_start_in("a", w + i, fns[i], 1);
	return ret;
}

static int wait_results(struct worker *w)
{
	int i, ret = 0;

	for (i = 0; i < NR_OWNERS && !ret; i++)
		ret = wait_one_result(w + i);
	return ret;
}

static int v2_freeze(void)
{
	return cg_write("a", "cgroup.freeze", "1");
}

static int v2_thaw(void)
{
	return cg_write("a", "cgroup.freeze", "0");
}

/* Whichever was first has all tasks before the other one comes. */
static int freeze_both(struct worker *w, bool v2_first)
{
	int ret = 0;

	if (v2_first)
		ret = v2_freeze() ?: WAIT_UNTIL(cg_event("a", "frozen 1"));
	ret = ret ?: cg_freeze("a") ?: cg_wait("a", "FROZEN");
	ret = ret ?: v2_freeze();
	ret = ret ?: stand_still(w, NR_OWNERS);
	return ret ?: feed() ?: stand_still(w, NR_OWNERS);
}

/* What is thawed by one of them does its task work, and waits for the other. */
static int thaw_both(struct worker *w, bool v2_first)
{
	int ret;

	if (v2_first)
		ret = v2_thaw();
	else
		ret = cg_thaw("a") ?: WAIT_UNTIL(cg_event("a", "frozen 1"));
	ret = ret ?: stand_still(w, NR_OWNERS);
	if (!ret && v2_first && !cg_reads("a", "FROZEN"))
		ret = -EAGAIN;
	ret = ret ?: v2_first ? cg_thaw("a") : v2_thaw();
	return ret ?: workers_move(w, NR_OWNERS);
}

static int both_freezers(bool v2_freezes_first, bool v2_thaws_first)
{
	struct worker w[NR_OWNERS];
	int ret;

	ret = start_owners(w);
	ret = ret ?: freeze_both(w, v2_freezes_first);
	ret = ret ?: thaw_both(w, v2_thaws_first);
	return ret ?: wait_results(w);
}

TEST_F(freezer_v2, task_work_under_both_freezers_cgroup_freeze_is_first_and_last)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, both_freezers(true, false));
}

TEST_F(freezer_v2, task_work_under_both_freezers_freezer_freeze_is_first_and_last)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, both_freezers(false, true));
}

TEST_F(freezer_v2, task_work_under_both_freezers_cgroup_freeze_is_first_twice)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, both_freezers(true, true));
}

TEST_F(freezer_v2, task_work_under_both_freezers_freezer_freeze_is_first_twice)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, both_freezers(false, false));
}

/* Death. */

static int dies_while_frozen(struct worker *w)
{
	int ret;

	ret = worker_wait_killed(w, SIGKILL) ?: cg_wait_empty("a");
	return ret ?: cg_reads("a", "FROZEN") ? 0 : -EAGAIN;
}

static int kill_while_frozen(void (*fn)(struct worker *w),
			     unsigned long (*thread)(pid_t pid, pid_t tid))
{
	struct worker w;
	int ret;

	ret = start(&w, fn, thread) ?: freeze(&w, 1);
	if (!ret && kill(w.pid, SIGKILL))
		ret = -errno;
	return ret ?: dies_while_frozen(&w);
}

static int freezer_kill_while_frozen(void (*fn)(struct worker *w),
				     unsigned long (*thread)(pid_t pid, pid_t tid))
{
	struct worker w;
	int ret;

	ret = start(&w, fn, thread) ?: freeze(&w, 1);
	ret = ret ?: cg_kill("a", SIGKILL);
	return ret ?: dies_while_frozen(&w);
}

TEST_F(freezer, kill_ends_a_frozen_owner_with_an_async_read)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, kill_while_frozen(worker_reads_async, is_wq_thread));
}

TEST_F(freezer, kill_ends_a_frozen_owner_with_a_splice)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, kill_while_frozen(worker_splices, is_wq_thread));
}

TEST_F(freezer, kill_ends_a_frozen_owner_with_sqpoll)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, kill_while_frozen(worker_has_busy_sqpoll, is_sq_thread));
}

TEST_F(freezer, freezer_kill_ends_a_frozen_owner_with_an_async_read)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, freezer_kill_while_frozen(worker_reads_async, is_wq_thread));
}

TEST_F(freezer, freezer_kill_ends_a_frozen_owner_with_a_splice)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, freezer_kill_while_frozen(worker_splices, is_wq_thread));
}

TEST_F(freezer, freezer_kill_ends_a_frozen_owner_with_sqpoll)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, freezer_kill_while_frozen(worker_has_idle_sqpoll,
					       is_sq_thread));
}

/*
 * The end of an owner that goes on: exec, and exit of one thread, cancel what is
 * in flight and wait for the threads that do it.  They must not wait for one
 * that is frozen.
 */

/* With a pipe of its own, as those of the test do not live through exec. */
static void work_in_flight(unsigned int flags, int (*submit)(struct ring *ring))
{
	struct ring ring;

	if (make_pipes() || ring_init(&ring, flags, 1000) || submit(&ring))
		_exit(1);
}

static void exec_with_async_read(struct slot *slot)
{
	slot_tick(slot);
	work_in_flight(0, submit_async_read);
	_exit(slot_exec(slot, "async_read"));
}

static void exec_with_splice(struct slot *slot)
{
	slot_tick(slot);
	work_in_flight(0, submit_splice);
	_exit(slot_exec(slot, "splice"));
}

static void exec_with_sqpoll(struct slot *slot)
{
	slot_tick(slot);
	work_in_flight(IORING_SETUP_SQPOLL, submit_read);
	_exit(slot_exec(slot, "sqpoll"));
}

static void worker_execs_with_async_read(struct worker *w)
{
	exec_with_async_read(w->slots);
}

static void worker_execs_with_splice(struct worker *w)
{
	exec_with_splice(w->slots);
}

static void worker_execs_with_sqpoll(struct worker *w)
{
	exec_with_sqpoll(w->slots);
}

/* Its threads of io-wq are its own, although the ring is for all. */
static void *thread_has_work_in_flight(void *ring)
{
	if (submit_splice(ring))
		_exit(1);
	return NULL;
}

static void worker_ends_threads_with_work(struct worker *w)
{
	struct ring ring;
	pthread_t thread;

	if (ring_init(&ring, 0, 0))
		_exit(1);
	for (;;) {
		if (pthread_create(&thread, NULL, thread_has_work_in_flight, &ring) ||
		    pthread_join(thread, NULL))
			_exit(1);
		note_results(w, &ring);
	}
}

static int each_freeze_reaches_frozen(void (*fn)(struct worker *w))
{
	struct worker w;
	int i, ret;

	ret = make_pipes() ?: worker_start_in("a", &w, fn, 1);
	for (i = 0; i < NR_FREEZES && !ret; i++) {
		ret = cg_freeze("a") ?: cg_wait("a", "FROZEN");
		ret = ret ?: workers_stand_still(&w, 1);
		/* Who exits may still have to go. */
		ret = ret ?: WAIT_UNTIL(cg_stat("a", "nr_frozen") ==
					cg_stat("a", "nr_tasks"));
		ret = ret ?: thaw(&w, 1);
	}
	if (ret)
		fprintf(stderr, "# in freeze %d of %d\n", i, NR_FREEZES);
	return ret;
}

TEST_F_TIMEOUT(freezer, exec_with_an_async_read_in_flight_freezes, 120)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, each_freeze_reaches_frozen(worker_execs_with_async_read));
}

TEST_F_TIMEOUT(freezer, exec_with_a_splice_in_flight_freezes, 120)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, each_freeze_reaches_frozen(worker_execs_with_splice));
}

TEST_F_TIMEOUT(freezer, exec_with_sqpoll_freezes, 120)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, each_freeze_reaches_frozen(worker_execs_with_sqpoll));
}

TEST_F_TIMEOUT(freezer, exit_of_a_thread_with_a_splice_in_flight_freezes, 120)
{
	if (!ring_supported())
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, each_freeze_reaches_frozen(worker_ends_threads_with_work));
}

/* Kernel threads. */

/* The root, where kernel threads live. */
#define CG_ROOT		".."

static bool move_if_movable(pid_t pid)
{
	return pid > 0 && is_kthread(pid) && !cg_attach("a", pid);
}

/* Most are bound to their CPUs, and to the root. */
static pid_t move_some_kthread(void)
{
	struct dirent *ent;
	pid_t pid = 0;
	DIR *dir;

	dir = opendir("/proc");
	if (!dir)
		return 0;
	while (!pid && (ent = readdir(dir)))
		if (move_if_movable(atoi(ent->d_name)))
			pid = atoi(ent->d_name);
	closedir(dir);
	return pid;
}

/* Shown as "D"; a thread that only works does not stay in it. */
static bool looks_frozen(pid_t pid)
{
	return task_state(pid) == 'D';
}

TEST_F(freezer, kernel_thread_neither_freezes_nor_keeps_others_from_it)
{
	struct worker w;
	pid_t kthread;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	kthread = move_some_kthread();
	if (!kthread)
		SKIP(return, "no kernel thread can be moved");

	/* No assertion must end the test before it is back. */
	EXPECT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	EXPECT_EQ(0, WAIT_UNTIL(!looks_frozen(kthread)));
	/* Of two that are there */
	EXPECT_EQ(1, cg_stat("a", "nr_tasks"));
	EXPECT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_move(&w, 1));
	EXPECT_EQ(0, cg_attach(CG_ROOT, kthread));
}

TEST_F(freezer, kernel_thread_survives_freezer_kill)
{
	struct worker w;
	pid_t kthread, left;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	kthread = move_some_kthread();
	if (!kthread)
		SKIP(return, "no kernel thread can be moved");

	EXPECT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, cg_kill("a", SIGTERM));
	EXPECT_EQ(0, cg_kill("a", SIGKILL));
	EXPECT_EQ(0, worker_wait_exit(&w, &(int){ 0 }));
	EXPECT_EQ(0, WAIT_UNTIL(cg_procs("a", &left, 1) == 1 && left == kthread));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, cg_attach(CG_ROOT, kthread));
	EXPECT_EQ(0, cg_wait_empty("a"));
	EXPECT_TRUE(is_kthread(kthread));
	EXPECT_EQ(0, WAIT_UNTIL(!looks_frozen(kthread)));
	EXPECT_EQ(0, WAIT_UNTIL(!cg_remove("a")));
}

TEST_F(freezer, kernel_thread_is_refused_by_a_frozen_cgroup)
{
	pid_t kthread = move_some_kthread();

	if (!kthread)
		SKIP(return, "no kernel thread can be moved");
	ASSERT_EQ(0, cg_attach(CG_ROOT, kthread));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(-EBUSY, cg_attach("a", kthread));
	EXPECT_EQ(0, cg_wait_empty("a"));
}

/* vhost: its thread belongs to the process that owns the device. */

TEST_F(freezer, vhost_thread_freezes_and_dies_with_its_process)
{
	if (access("/dev/vhost-net", R_OK | W_OK))
		SKIP(return, "no /dev/vhost-net");
	EXPECT_EQ(0, kill_while_frozen(worker_owns_vhost, is_vhost_thread));
}

/*
 * The last close waits for the thread.  vhost makes ENOMEM of the restart that
 * any signal causes, the request to freeze too, while the thread is forked.
 */
static void worker_opens_and_closes_vhost(struct worker *w)
{
	int fd;

	for (;;) {
		fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			_exit(1);
		if (!ioctl(fd, VHOST_SET_OWNER))
			slot_tick(w->slots);
		else if (errno != ENOMEM)
			_exit(2);
		close(fd);
	}
}

TEST_F_TIMEOUT(freezer, close_of_vhost_freezes, 120)
{
	if (access("/dev/vhost-net", R_OK | W_OK))
		SKIP(return, "no /dev/vhost-net");
	EXPECT_EQ(0, each_freeze_reaches_frozen(worker_opens_and_closes_vhost));
}

/*
 * A freeze that overtakes a thaw: that has been at the process but not yet at its
 * thread, the last of the cgroup, as a hog does not let it.
 */

#define NR_SLEEPERS	20

static void worker_closes_vhost_late(struct worker *w)
{
	int fd;

	for (;;) {
		fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
		if (fd < 0 || ioctl(fd, VHOST_SET_OWNER))
			_exit(1);
		pause_ms(10);
		slot_tick(w->slots);
		if (feed())
			_exit(2);
		close(fd);
	}
}

/* Whoever it wakes comes first. */
static void worker_thaws(struct worker *w)
{
	struct sched_param param = {};

	slot_tick(w->slots);
	_exit(stay_on(0, 1) || sched_setscheduler(0, SCHED_IDLE, &param) ||
	      cg_thaw("a"));
}

/* From when the process goes on. */
static void worker_hogs(struct worker *w)
{
	struct sched_param param = { .sched_priority = 1 };
	char byte;

	if (stay_on(0, 1) || sched_setscheduler(0, SCHED_FIFO, &param))
		_exit(1);
	slot_tick(w->slots);
	if (read(pipe_fds[0], &byte, 1) != 1)
		_exit(1);
	for (;;)
		slot_tick(w->slots);
}

static int drain(void)
{
	char bytes[16];
	int nr;

	while (!ioctl(pipe_fds[0], FIONREAD, &nr) && nr)
		if (read(pipe_fds[0], bytes, sizeof(bytes)) < 0)
			return -errno;
	return 0;
}

static int overtake_a_thaw(struct worker *w)
{
	struct worker hog, thaw;
	int ret, status;

	ret = drain() ?: stay_on(w->pid, 1) ?: worker_start(&hog, worker_hogs, 1);
	ret = ret ?: WAIT_UNTIL(slot_count(hog.slots));
	ret = ret ?: worker_start(&thaw, worker_thaws, 1);
	ret = ret ?: WAIT_UNTIL(slot_count(hog.slots) > 1);
	ret = ret ?: stay_on(w->pid, 0) ?: WAIT_UNTIL(task_sleeps(w->pid, "D"));
	ret = ret ?: cg_freeze("a");
	ret = ret ?: kill(hog.pid, SIGKILL) ? -errno : 0;
	ret = ret ?: worker_wait_killed(&hog, SIGKILL);
	ret = ret ?: worker_wait_exit(&thaw, &status);
	return ret ?: status;
}

TEST_F_TIMEOUT(freezer, freeze_that_overtakes_a_thaw_does_not_wait_for_vhost, 120)
{
	struct worker w, sleepers[NR_SLEEPERS];
	unsigned int i;

	if (access("/dev/vhost-net", R_OK | W_OK))
		SKIP(return, "no /dev/vhost-net");
	ASSERT_EQ(0, make_pipes());
	ASSERT_EQ(0, stay_on(0, 0));
	ASSERT_EQ(0, worker_start_in("a", &w, worker_closes_vhost_late, 1));
	for (i = 0; i < NR_SLEEPERS; i++)
		ASSERT_EQ(0, worker_start_in("a", sleepers + i, worker_pauses, 1));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, cg_freeze("a"));
		ASSERT_EQ(0, cg_wait("a", "FROZEN"));
		ASSERT_EQ(0, overtake_a_thaw(&w));
		ASSERT_EQ(0, cg_wait("a", "FROZEN"));
		ASSERT_EQ(0, thaw(&w, 1));
	}
}

TEST_F(freezer, vhost_thread_freezes_again_and_again)
{
	struct worker w;
	int i;

	if (access("/dev/vhost-net", R_OK | W_OK))
		SKIP(return, "no /dev/vhost-net");
	ASSERT_EQ(0, start(&w, worker_owns_vhost, is_vhost_thread));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, freeze(&w, 1));
		ASSERT_EQ(0, thaw(&w, 1));
	}
}

/*
 * A request of a frozen process waits where a task of another cgroup does, and
 * has done so for longer.  The event is for who can run.
 */

static int listener;
static unsigned int *word;

static void worker_requests(struct worker *w, struct io_uring_sqe *sqe)
{
	struct ring ring;

	if (ring_init(&ring, 0, 0) || ring_submit(&ring, sqe))
		_exit(1);
	worker_pauses(w);
}

static void worker_accepts_by_ring(struct worker *w)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_ACCEPT,
		.ioprio = IORING_ACCEPT_MULTISHOT,
		.fd = listener,
	};

	worker_requests(w, &sqe);
}

static void worker_accepts(struct worker *w)
{
	slot_tick(w->slots);
	if (accept(listener, NULL, NULL) < 0)
		_exit(1);
	worker_pauses(w);
}

/* Older headers do not have them. */
#define OP_FUTEX_WAIT	51
#define SIZE_U32	2

static void worker_waits_by_ring(struct worker *w)
{
	struct io_uring_sqe sqe = {
		.opcode = OP_FUTEX_WAIT,
		.fd = SIZE_U32,
		.addr = (unsigned long)word,
		.addr3 = FUTEX_BITSET_MATCH_ANY,
	};

	worker_requests(w, &sqe);
}

static void worker_waits(struct worker *w)
{
	slot_tick(w->slots);
	if (syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0))
		_exit(1);
	worker_pauses(w);
}

static int start_both(void (*request)(struct worker *w),
		      void (*call)(struct worker *w), struct worker *running)
{
	struct worker frozen;
	int ret;

	ret = worker_start_in("a", &frozen, request, 1);
	ret = ret ?: worker_start_asleep_in(".", running, call, "S");
	ret = ret ?: cg_freeze("a");
	return ret ?: cg_wait("a", "FROZEN");
}

static struct sockaddr_un address = { .sun_family = AF_UNIX };
static socklen_t address_len = sizeof(address);

/* At an address that the kernel chooses. */
static int open_listener(void)
{
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (void *)&address, sizeof(sa_family_t)) ||
	    listen(listener, 1) ||
	    getsockname(listener, (void *)&address, &address_len))
		return -errno;
	return 0;
}

static int connect_to_listener(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (void *)&address, address_len) ? -errno : 0;
}

TEST_F(freezer, connection_goes_past_a_frozen_accept_of_io_uring)
{
	struct worker running;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, open_listener());
	ASSERT_EQ(0, start_both(worker_accepts_by_ring, worker_accepts, &running));
	ASSERT_EQ(0, connect_to_listener());
	EXPECT_EQ(0, WAIT_UNTIL(slot_count(running.slots) > 1));
}

TEST_F(freezer, wake_goes_past_a_frozen_futex_of_io_uring)
{
	struct worker running;

	if (!ring_supported())
		SKIP(return, "no io_uring");
	word = (unsigned int *)slots_get(1);
	ASSERT_EQ(0, start_both(worker_waits_by_ring, worker_waits, &running));
	ASSERT_EQ(1, syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0));
	EXPECT_EQ(0, WAIT_UNTIL(slot_count(running.slots) > 1));
}

/* What slot_exec() was called with. */
static int exec_main(char **argv)
{
	struct slot *slot = slot_of_exec(argv);

	if (!strcmp(argv[1], "async_read"))
		exec_with_async_read(slot);
	if (!strcmp(argv[1], "splice"))
		exec_with_splice(slot);
	if (!strcmp(argv[1], "sqpoll"))
		exec_with_sqpoll(slot);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[0], SLOT_EXEC))
		return exec_main(argv);
	return test_harness_run(argc, argv);
}
