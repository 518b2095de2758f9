// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks that wait for a program: a seccomp supervisor, or the monitor of a
 * userfaultfd.  That may be frozen as well, and may have been first.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "freezer_fixture.h"

#define ANSWER		4711
#define PAGE		4096

/* Notes of the worker. */
enum {
	NOTE_FD,
	NOTE_RESULT,
};

static int fd_of_worker(struct worker *w)
{
	int pidfd = syscall(SYS_pidfd_open, w->pid, 0);
	int fd;

	fd = syscall(SYS_pidfd_getfd, pidfd, slot_note(w->slots, NOTE_FD), 0);
	close(pidfd);
	return fd;
}

static int freeze_and_thaw(struct worker *w)
{
	int ret;

	ret = cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	ret = ret ?: workers_stand_still(w, 1);
	return ret ?: cg_thaw("a");
}

/* Seccomp: getppid() is for the supervisor, which is the test. */

static int seccomp_listener(unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {
		.len = sizeof(code) / sizeof(*code),
		.filter = code,
	};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		       SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &prog);
}

static void ask_supervisor(struct worker *w, unsigned int flags)
{
	int fd = seccomp_listener(flags);

	if (fd < 0)
		_exit(1);
	slot_set_note(w->slots, NOTE_FD, fd);
	slot_tick(w->slots);
	slot_set_note(w->slots, NOTE_RESULT, syscall(SYS_getppid));
	slot_tick(w->slots);
	worker_pauses(w);
}

static void worker_asks(struct worker *w)
{
	ask_supervisor(w, 0);
}

static void worker_asks_and_insists(struct worker *w)
{
	ask_supervisor(w, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
}

/*
 * The answer comes while the worker is frozen, and it counts at the thaw.  A worker
 * that asked once more would do so with another id.
 */
static int answer_while_frozen(void (*fn)(struct worker *w))
{
	struct seccomp_notif_resp resp = { .val = ANSWER };
	struct seccomp_notif req = { };
	struct worker w;
	int fd, ret;

	ret = worker_start_in("a", &w, fn, 1);
	fd = fd_of_worker(&w);
	if (ret || ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &req))
		return ret ?: -errno;
	ret = WAIT_UNTIL(task_sleeps(w.pid, "S"));
	ret = ret ?: cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	resp.id = req.id;
	if (!ret && ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &resp))
		ret = -errno;
	close(fd);
	ret = ret ?: workers_stand_still(&w, 1);
	ret = ret ?: cg_thaw("a");
	ret = ret ?: WAIT_UNTIL(slot_count(w.slots) > 1);
	return ret ?: slot_note(w.slots, NOTE_RESULT) == ANSWER ? 0 : -EPROTO;
}

TEST_F(freezer, seccomp_supervisor_is_asked_once)
{
	EXPECT_EQ(0, answer_while_frozen(worker_asks));
}

TEST_F(freezer, call_that_a_seccomp_supervisor_has_received_freezes)
{
	EXPECT_EQ(0, answer_while_frozen(worker_asks_and_insists));
}

/* Userfaultfd: the monitor is the test. */

static char *watched_page(int fd, unsigned long features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (features)
		page[0] = 1;
	reg.range.start = (unsigned long)page;
	reg.range.len = PAGE;
	if (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		_exit(1);
	return page;
}

static char *watch_page(struct worker *w, unsigned long features)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	char *page;

	if (fd < 0)
		_exit(1);
	page = watched_page(fd, features);
	slot_set_note(w->slots, NOTE_FD, fd);
	slot_tick(w->slots);
	return page;
}

static int read_msg(int fd, struct uffd_msg *msg)
{
	return read(fd, msg, sizeof(*msg)) < 0 ? -errno : 0;
}

static int give_page(int fd, unsigned long address)
{
	struct uffdio_zeropage zero = {
		.range.start = address & -PAGE,
		.range.len = PAGE,
	};

	return ioctl(fd, UFFDIO_ZEROPAGE, &zero) ? -errno : 0;
}

static void worker_drops_a_page(struct worker *w)
{
	char *page = watch_page(w, UFFD_FEATURE_EVENT_REMOVE);

	slot_set_note(w->slots, NOTE_RESULT,
		      madvise(page, PAGE, MADV_DONTNEED) ? errno : ANSWER);
	slot_tick(w->slots);
	worker_pauses(w);
}

TEST_F(freezer, task_that_waits_for_a_userfaultfd_monitor_freezes)
{
	struct uffd_msg msg = { };
	struct worker w;
	int fd;

	ASSERT_EQ(0, worker_start_asleep_in("a", &w, worker_drops_a_page, "D"));
	fd = fd_of_worker(&w);
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, read_msg(fd, &msg));
	EXPECT_EQ(UFFD_EVENT_REMOVE, msg.event);
	/* As the page is there; -EAGAIN is for who has an event to read. */
	EXPECT_EQ(-EEXIST, give_page(fd, msg.arg.remove.start));
	close(fd);
	ASSERT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, WAIT_UNTIL(slot_count(w.slots) > 1));
	EXPECT_TRUE(slot_note(w.slots, NOTE_RESULT) == ANSWER);
}

static void worker_touches_a_page(struct worker *w)
{
	char *page = watch_page(w, 0);

	slot_set_note(w->slots, NOTE_RESULT,
		      ANSWER + __atomic_load_n(page, __ATOMIC_RELAXED));
	slot_tick(w->slots);
	worker_pauses(w);
}

/* The monitor has read it before the freeze, and would read it once more. */
TEST_F(freezer, userfaultfd_monitor_is_told_once_of_a_page_fault)
{
	struct uffd_msg msg = { }, again;
	struct worker w;
	int fd;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_touches_a_page, 1));
	fd = fd_of_worker(&w);
	ASSERT_EQ(0, read_msg(fd, &msg));
	ASSERT_EQ(0, WAIT_UNTIL(task_sleeps(w.pid, "S")));
	ASSERT_EQ(0, freeze_and_thaw(&w));
	ASSERT_EQ(0, WAIT_UNTIL(task_sleeps(w.pid, "S")));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, read_msg(fd, &again));
	ASSERT_EQ(0, give_page(fd, msg.arg.pagefault.address));
	close(fd);
	ASSERT_EQ(0, WAIT_UNTIL(slot_count(w.slots) > 1));
	EXPECT_TRUE(slot_note(w.slots, NOTE_RESULT) == ANSWER);
}

/* Here the kernel waits for the page, and only a fatal signal ends that. */
static void worker_waits_for_a_page(struct worker *w)
{
	char *page = watch_page(w, 0);

	syscall(SYS_futex, page, FUTEX_WAIT, 0, NULL, NULL, 0);
	slot_tick(w->slots);
	worker_pauses(w);
}

static int dies_while_pending(struct worker *w, int sig)
{
	int ret;

	ret = worker_start_asleep_in("a", w, worker_waits_for_a_page, "D");
	ret = ret ?: cg_freeze("a");
	ret = ret ?: cg_file_wait("a", "freezer.freeze", "FREEZING");
	if (!ret && kill(w->pid, sig))
		ret = -errno;
	ret = ret ?: worker_wait_killed(w, sig);
	ret = ret ?: cg_wait("a", "FROZEN");
	return ret ?: cg_thaw("a");
}

TEST_F(freezer, signal_ends_a_process_that_is_pending_in_a_killable_sleep)
{
	struct worker w;

	EXPECT_EQ(0, dies_while_pending(&w, SIGKILL));
	EXPECT_EQ(0, dies_while_pending(&w, SIGTERM));
}

/* The request of a freezer is no signal that it has yet to take. */
TEST_F(freezer, signal_ends_it_after_the_thaw_as_well)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_asleep_in("a", &w, worker_waits_for_a_page, "D"));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_TRUE(cg_reads("a", "FREEZING"));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, kill(w.pid, SIGTERM));
	EXPECT_EQ(0, worker_wait_killed(&w, SIGTERM));
}

TEST_HARNESS_MAIN
