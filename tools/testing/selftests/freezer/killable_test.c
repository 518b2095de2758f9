// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is frozen dies of a fatal signal at once, whoever sends it, and the
 * cgroup stays FROZEN; all other signals wait for the thaw.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <fcntl.h>
#include <linux/elf.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "freezer_fixture.h"
#include "freezer_v2_fixture.h"

/* Tasks that are frozen in different ways. */

static atomic_uint nr_begun;

static void *thread_locks(void *arg)
{
	nr_begun++;
	syscall(SYS_futex, arg, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	return arg;
}

/*
 * A process says that it has begun when all threads have that can get the signal:
 * a thread that is being started, or starts another, blocks signals.
 *
 * Here the leader sleeps where it freezes in place, the others where they do
 * not: they wait for a lock that the leader has.
 */
static void worker_mixes_threads(struct worker *w)
{
	static unsigned int lock;
	int i;

	thread_locks(&lock);
	for (i = 0; i < 4; i++)
		start_thread(thread_locks, &lock);
	while (nr_begun < 5)
		pause_ms(1);
	worker_sleeps(w);
}

/**
 * struct kind - a kind of process to be killed
 * @name: to say which it was
 * @fn: what it does
 * @nr: its slots
 * @state: wait for this letter in /proc/PID/stat before it is frozen, if not 0
 */
struct kind {
	const char	*name;
	void		(*fn)(struct worker *w);
	unsigned int	nr;
	char		state;
};

static const struct kind kinds[] = {
	{ "sleeps",		worker_sleeps,			1, 0 },
	{ "pauses",		worker_pauses,			1, 'S' },
	{ "polls",		worker_polls,			1, 0 },
	{ "spins",		worker_spins,			1, 0 },
	{ "has threads",	worker_has_threads,		8, 0 },
	{ "mixes threads",	worker_mixes_threads,		1, 0 },
	{ "forks",		worker_forks,			1, 0 },
	{ "lost its leader",	worker_loses_its_leader,	1, 'Z' },
};

static const struct kind stopped = { "stopped", worker_stops, 1, 'T' };
static const struct kind vforks = { "vforks", worker_vforks, 1, 0 };

static int start_frozen(const struct kind *kind, struct worker *w)
{
	int ret;

	ret = worker_start_in("a", w, kind->fn, kind->nr);
	if (kind->state)
		ret = ret ?: WAIT_UNTIL(task_state(w->pid) == kind->state);
	ret = ret ?: cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	return ret ?: workers_stand_still(w, 1);
}

/* What is left of its children is killed as well, still without a thaw. */
static int empty_while_frozen(void)
{
	int ret;

	ret = cg_reads("a", "FROZEN") ? 0 : -EBUSY;
	ret = ret ?: cg_kill("a", SIGKILL);
	ret = ret ?: cg_wait_empty("a");
	return ret ?: cg_reads("a", "FROZEN") ? 0 : -EBUSY;
}

static int dies_while_frozen(const struct kind *kind, int sig,
			     int (*send)(struct worker *w, int sig))
{
	struct worker w;
	int ret;

	ret = start_frozen(kind, &w) ?: watch_state("a");
	ret = ret ?: send(&w, sig);
	ret = ret ?: worker_wait_killed(&w, sig);
	ret = ret ?: empty_while_frozen();
	ret = ret ?: state_has_changed() ? -EAGAIN : 0;
	ret = ret ?: cg_thaw("a");
	if (ret)
		fprintf(stderr, "# a process that %s\n", kind->name);
	return ret;
}

static int all_kinds_die_while_frozen(int sig,
				      int (*send)(struct worker *w, int sig))
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(kinds) && !ret; i++)
		ret = dies_while_frozen(kinds + i, sig, send);
	return ret;
}

/* Those who send. */

static int send_to_process(struct worker *w, int sig)
{
	return kill(w->pid, sig) ? -errno : 0;
}

static int send_to_leader(struct worker *w, int sig)
{
	return syscall(SYS_tgkill, w->pid, w->pid, sig) ? -errno : 0;
}

/* The newest thread, which is listed last. */
static pid_t last_thread(pid_t pid)
{
	char path[64];
	struct dirent *ent;
	pid_t tid = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (ent = readdir(dir)))
		tid = atoi(ent->d_name) ?: tid;
	if (dir)
		closedir(dir);
	return tid;
}

static int send_to_another_thread(struct worker *w, int sig)
{
	pid_t tid = last_thread(w->pid);

	if (tid == w->pid)
		return -ESRCH;
	return syscall(SYS_tgkill, w->pid, tid, sig) ? -errno : 0;
}

static int send_to_cgroup(struct worker *w, int sig)
{
	(void)w;
	return cg_kill("a", sig);
}

static int send_and_continue(struct worker *w, int sig)
{
	return kill(w->pid, sig) || kill(w->pid, SIGCONT) ? -errno : 0;
}

static int send_to_cgroup_and_continue(struct worker *w, int sig)
{
	return send_to_cgroup(w, sig) ?: send_to_cgroup(w, SIGCONT);
}

static int send_by_cgroup_kill(struct worker *w, int sig)
{
	(void)w;
	(void)sig;
	return cg_write("a", "cgroup.kill", "1");
}

TEST_F(freezer, sigkill_ends_each_kind_of_frozen_process)
{
	EXPECT_EQ(0, all_kinds_die_while_frozen(SIGKILL, send_to_process));
}

TEST_F(freezer, sigterm_ends_each_kind_of_frozen_process)
{
	EXPECT_EQ(0, all_kinds_die_while_frozen(SIGTERM, send_to_process));
}

TEST_F(freezer, real_time_signal_ends_each_kind_of_frozen_process)
{
	EXPECT_EQ(0, all_kinds_die_while_frozen(SIGRTMIN, send_to_process));
}

TEST_F(freezer, freezer_kill_ends_each_kind_of_frozen_process)
{
	EXPECT_EQ(0, all_kinds_die_while_frozen(SIGKILL, send_to_cgroup));
	EXPECT_EQ(0, all_kinds_die_while_frozen(SIGTERM, send_to_cgroup));
}

TEST_F(freezer_v2, cgroup_kill_ends_each_kind_of_frozen_process)
{
	EXPECT_EQ(0, all_kinds_die_while_frozen(SIGKILL, send_by_cgroup_kill));
}

TEST_F(freezer, signal_to_the_leader_alone_ends_the_frozen_process)
{
	EXPECT_EQ(0, dies_while_frozen(kinds + 0, SIGTERM, send_to_leader));
	EXPECT_EQ(0, dies_while_frozen(kinds + 3, SIGTERM, send_to_leader));
	EXPECT_EQ(0, dies_while_frozen(kinds + 4, SIGKILL, send_to_leader));
	EXPECT_EQ(0, dies_while_frozen(kinds + 5, SIGTERM, send_to_leader));
}

TEST_F(freezer, signal_to_a_thread_that_is_not_the_leader_ends_the_frozen_process)
{
	EXPECT_EQ(0, dies_while_frozen(kinds + 4, SIGKILL, send_to_another_thread));
	EXPECT_EQ(0, dies_while_frozen(kinds + 5, SIGTERM, send_to_another_thread));
	EXPECT_EQ(0, dies_while_frozen(kinds + 7, SIGTERM, send_to_another_thread));
}

TEST_F(freezer, sigkill_ends_a_stopped_and_frozen_process)
{
	EXPECT_EQ(0, dies_while_frozen(&stopped, SIGKILL, send_to_process));
	EXPECT_EQ(0, dies_while_frozen(&stopped, SIGKILL, send_to_cgroup));
}

/* As without a freezer: a stopped process takes a SIGTERM when it goes on. */
TEST_F(freezer, sigterm_to_a_stopped_and_frozen_process_waits_for_sigcont)
{
	struct worker w;

	ASSERT_EQ(0, start_frozen(&stopped, &w));
	ASSERT_EQ(0, kill(w.pid, SIGTERM));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	EXPECT_EQ('T', task_state(w.pid));
	ASSERT_EQ(0, kill(w.pid, SIGCONT));
	EXPECT_EQ(0, worker_wait_killed(&w, SIGTERM));
}

TEST_F(freezer, signal_and_sigcont_end_a_stopped_and_frozen_process)
{
	EXPECT_EQ(0, dies_while_frozen(&stopped, SIGTERM, send_and_continue));
	EXPECT_EQ(0, dies_while_frozen(&stopped, SIGQUIT, send_and_continue));
	EXPECT_EQ(0, dies_while_frozen(&stopped, SIGTERM,
				       send_to_cgroup_and_continue));
}

TEST_F(freezer, signal_ends_a_frozen_process_in_vfork)
{
	EXPECT_EQ(0, dies_while_frozen(&vforks, SIGKILL, send_to_process));
	EXPECT_EQ(0, dies_while_frozen(&vforks, SIGTERM, send_to_process));
	EXPECT_EQ(0, dies_while_frozen(&vforks, SIGTERM, send_to_cgroup));
	EXPECT_EQ(0, dies_while_frozen(&vforks, SIGABRT, send_to_cgroup));
}

static bool is_gone(struct worker *w)
{
	return waitpid(w->pid, NULL, WNOHANG);
}

/* As without a freezer: with a core dump it ends when the child lets it go. */
TEST_F(freezer, sigquit_to_a_process_in_vfork_waits_for_its_child)
{
	struct worker w;
	int i;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_in_vfork, 1));
	ASSERT_EQ(0, WAIT_UNTIL(task_sleeps(w.pid, "D")));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, kill(w.pid, SIGQUIT));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_FALSE(is_gone(&w));
	ASSERT_EQ(0, cg_thaw("a"));
	/* It is the child that counts. */
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, workers_move(&w, 1));
	ASSERT_FALSE(is_gone(&w));
	slot_set_note(w.slots, VFORK_CHILD_GOES, 1);
	EXPECT_EQ(0, worker_wait_killed(&w, SIGQUIT));
	EXPECT_EQ(0UL, slot_note(w.slots, VFORK_IS_OVER));
}

/* Signals that end a process with a core dump take another path. */

TEST_F(freezer, sigquit_ends_each_kind_of_frozen_process)
{
	EXPECT_EQ(0, all_kinds_die_while_frozen(SIGQUIT, send_to_process));
}

TEST_F(freezer, freezer_kill_with_sigabrt_ends_each_kind_of_frozen_process)
{
	EXPECT_EQ(0, all_kinds_die_while_frozen(SIGABRT, send_to_cgroup));
}

#define CORE_PATTERN	"/proc/sys/kernel/core_pattern"

/* The least size of a core file, by the last segment that its headers know of. */
static long long core_size(int fd)
{
	struct elf64_hdr ehdr;
	struct elf64_phdr phdr;
	long long ret = -ENOEXEC;
	int i;

	if (pread(fd, &ehdr, sizeof(ehdr), 0) != sizeof(ehdr))
		return ret;
	for (i = 0; i < ehdr.e_phnum; i++) {
		if (pread(fd, &phdr, sizeof(phdr), ehdr.e_phoff + i * sizeof(phdr)) !=
		    sizeof(phdr))
			return -ENOEXEC;
		if (phdr.p_type == PT_LOAD)
			ret = phdr.p_offset + phdr.p_filesz;
	}
	return ret;
}

static int core_file_of(pid_t pid)
{
	long long size;
	struct stat st;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/core.%d", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	unlink(path);
	size = core_size(fd);
	close(fd);
	if (size > 0 && st.st_size >= size)
		return 0;
	fprintf(stderr, "# a core of %lld bytes should have %lld\n",
		(long long)st.st_size, size);
	return -EIO;
}

static int core_files_on(char *pattern, size_t size)
{
	int fd = open(CORE_PATTERN, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, pattern, size - 1);

	close(fd);
	if (len < 0)
		return -errno;
	pattern[len] = '\0';
	return write_text(CORE_PATTERN, "/tmp/core.%p");
}

static int dumps_its_core(struct worker *w)
{
	int ret = send_to_process(w, SIGQUIT);

	ret = ret ?: worker_wait_killed(w, SIGQUIT);
	return ret ?: core_file_of(w->pid);
}

TEST_F(freezer, frozen_process_dumps_its_whole_core_before_it_dies)
{
	const struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	struct worker w[2];
	char pattern[256];

	ASSERT_EQ(0, setrlimit(RLIMIT_CORE, &limit));
	ASSERT_EQ(0, worker_start_in("a", w, worker_has_threads, 8));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_mixes_threads, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, watch_state("a"));
	ASSERT_EQ(0, core_files_on(pattern, sizeof(pattern)));
	EXPECT_EQ(0, dumps_its_core(w));
	EXPECT_EQ(0, dumps_its_core(w + 1));
	EXPECT_EQ(0, write_text(CORE_PATTERN, pattern));
	EXPECT_FALSE(state_has_changed());
	EXPECT_EQ(0, cg_wait_empty("a"));
}

/* A signal that is not fatal must not hide a later one that is. */

static void on_signal(int sig)
{
	(void)sig;
}

static void worker_handles_usr1(struct worker *w)
{
	signal(SIGUSR1, on_signal);
	worker_spins(w);
}

static void worker_handles_usr1_in_pause(struct worker *w)
{
	signal(SIGUSR1, on_signal);
	worker_pauses(w);
}

static int dies_after_usr1(void (*fn)(struct worker *w), int sig)
{
	const struct kind kind = { "handles SIGUSR1", fn, 1, 0 };
	struct worker w;
	int ret;

	ret = start_frozen(&kind, &w);
	ret = ret ?: send_to_process(&w, SIGUSR1);
	ret = ret ?: send_to_leader(&w, SIGUSR1);
	ret = ret ?: workers_stand_still(&w, 1);
	ret = ret ?: send_to_process(&w, sig);
	ret = ret ?: worker_wait_killed(&w, sig);
	ret = ret ?: empty_while_frozen();
	return ret ?: cg_thaw("a");
}

TEST_F(freezer, fatal_signal_is_not_hidden_by_a_handled_one)
{
	EXPECT_EQ(0, dies_after_usr1(worker_handles_usr1, SIGTERM));
	EXPECT_EQ(0, dies_after_usr1(worker_handles_usr1, SIGQUIT));
	EXPECT_EQ(0, dies_after_usr1(worker_handles_usr1_in_pause, SIGTERM));
	EXPECT_EQ(0, dies_after_usr1(worker_handles_usr1_in_pause, SIGQUIT));
}

/* What is not fatal waits: handled, ignored, blocked, waited for. */

static void worker_handles(struct worker *w)
{
	signal(SIGTERM, on_signal);
	worker_sleeps(w);
}

static void worker_ignores(struct worker *w)
{
	signal(SIGTERM, SIG_IGN);
	worker_sleeps(w);
}

static void block_sigterm(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigprocmask(SIG_BLOCK, set, NULL);
}

static void worker_blocks(struct worker *w)
{
	sigset_t set;

	block_sigterm(&set);
	worker_sleeps(w);
}

static void worker_waits_for_sigterm(struct worker *w)
{
	struct timespec ms = { 0, 1000000 };
	sigset_t set;

	block_sigterm(&set);
	for (;;) {
		slot_tick(w->slots);
		sigtimedwait(&set, NULL, &ms);
	}
}

static int lives_on(void (*fn)(struct worker *w))
{
	const struct kind kind = { "does not die of SIGTERM", fn, 1, 0 };
	struct worker w;
	int ret;

	ret = start_frozen(&kind, &w);
	ret = ret ?: send_to_process(&w, SIGTERM);
	ret = ret ?: workers_stand_still(&w, 1);
	ret = ret ?: cg_reads("a", "FROZEN") ? 0 : -EBUSY;
	ret = ret ?: cg_thaw("a");
	return ret ?: workers_move(&w, 1);
}

TEST_F(freezer, signal_that_is_not_fatal_waits_for_the_thaw)
{
	EXPECT_EQ(0, lives_on(worker_handles));
	EXPECT_EQ(0, lives_on(worker_ignores));
	EXPECT_EQ(0, lives_on(worker_blocks));
	EXPECT_EQ(0, lives_on(worker_waits_for_sigterm));
}

static void worker_vforks_and_has_a_thread(struct worker *w)
{
	signal(SIGUSR1, on_signal);
	start_thread(thread_pauses, NULL);
	slot_tick(w->slots);
	if (!vfork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
}

/* With no freezer in use: it is not for the one that sleeps on and has another. */
TEST_F(freezer, signal_that_dumps_core_is_for_a_thread_that_can_take_it)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_vforks_and_has_a_thread, 1));
	ASSERT_EQ(0, WAIT_UNTIL(task_sleeps(w.pid, "D")));
	ASSERT_EQ(0, send_to_leader(&w, SIGUSR1));
	ASSERT_EQ(0, kill(w.pid, SIGQUIT));
	EXPECT_EQ(0, worker_wait_killed(&w, SIGQUIT));
}

/* Senders that are no system call. */

/* Outside the cgroup, with a child in it whose PID is in the note. */
static void worker_has_a_child(struct worker *w)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (cg_attach("a", 0))
			_exit(1);
		worker_pauses(w);
	}
	slot_set_note(w->slots, 0, pid);
	for (;;)
		pause();
}

/* The test is the subreaper, to which the orphan goes. */
TEST_F(freezer, death_of_the_parent_ends_a_frozen_child)
{
	struct worker parent, child;

	ASSERT_EQ(0, worker_start(&parent, worker_has_a_child, 1));
	ASSERT_EQ(0, WAIT_UNTIL(slot_count(parent.slots) &&
				slot_note(parent.slots, 0)));
	child.pid = slot_note(parent.slots, 0);
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, kill(parent.pid, SIGKILL));
	EXPECT_EQ(0, worker_wait_killed(&parent, SIGKILL));
	EXPECT_EQ(0, worker_wait_killed(&child, SIGTERM));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, cg_wait_empty("a"));
}

static void worker_is_init(struct worker *w)
{
	int i;

	/* Not in the cgroup, to see the end of init. */
	if (cg_attach(".", 0) || unshare(CLONE_NEWPID))
		_exit(1);
	if (!fork()) {
		if (cg_attach("a", 0))
			_exit(1);
		for (i = 0; i < 4; i++)
			if (!fork())
				i % 2 ? worker_spins(w) : worker_sleeps(w);
		worker_pauses(w);
	}
	wait(NULL);
}

TEST_F(freezer, end_of_a_pid_namespace_ends_all_that_is_frozen_in_it)
{
	struct worker w;
	int status;

	ASSERT_EQ(0, worker_start(&w, worker_is_init, 1));
	ASSERT_EQ(0, WAIT_UNTIL(slot_count(w.slots)));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, cg_kill("a", SIGKILL));
	EXPECT_EQ(0, worker_wait_exit(&w, &status));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, cg_wait_empty("a"));
}

static long alarm_ms;

/* The kernel sends SIGALRM by itself, and not before the time in the note. */
static void worker_sets_an_alarm(struct worker *w)
{
	const struct itimerval timer = {
		.it_value = { alarm_ms / 1000, alarm_ms % 1000 * 1000 },
	};

	slot_set_note(w->slots, 0, now_ms() + alarm_ms);
	if (setitimer(ITIMER_REAL, &timer, NULL))
		_exit(1);
	worker_sleeps(w);
}

/* 1 if the alarm may have come before FROZEN. */
static int alarm_ends_a_frozen_process(void)
{
	bool in_time;
	struct worker w;
	int ret;

	ret = worker_start_in("a", &w, worker_sets_an_alarm, 1);
	ret = ret ?: cg_freeze("a") ?: cg_wait("a", "FROZEN");
	in_time = now_ms() < (long long)slot_note(w.slots, 0);
	ret = ret ?: worker_wait_killed(&w, SIGALRM);
	ret = ret ?: cg_reads("a", "FROZEN") ? 0 : -EBUSY;
	return ret ?: cg_thaw("a") ?: !in_time;
}

TEST_F(freezer, fatal_timer_signal_ends_a_frozen_process)
{
	int ret = 1;

	for (alarm_ms = 300; ret == 1 && alarm_ms < DEADLINE_MS; alarm_ms *= 4)
		ret = alarm_ends_a_frozen_process();
	EXPECT_EQ(0, ret);
}

/* It is never to run user code again. */
TEST_F(freezer, stuck_task_that_is_killed_keeps_nobody_waiting)
{
	struct worker w[2];

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_sleeps, 1));
	ASSERT_EQ(0, stuck_worker_start_in("a", w));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_kill("a", SIGTERM));
	EXPECT_EQ(0, worker_wait_killed(w + 1, SIGTERM));
	EXPECT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w, 1));
	ASSERT_EQ(0, stuck_release());
	EXPECT_EQ(0, worker_wait_killed(w, SIGTERM));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, cg_wait_empty("a"));
}

static int die_in_a_tree(int sig)
{
	static const char * const tree[] = { "a", "a/b", "a/b/c" };
	struct worker w[ARRAY_SIZE(tree)];
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(tree) && !ret; i++)
		ret = worker_start_in(tree[i], w + i, worker_has_threads, 4);
	ret = ret ?: cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	ret = ret ?: cg_kill("a", sig);
	for (i = 0; i < ARRAY_SIZE(tree) && !ret; i++)
		ret = worker_wait_killed(w + i, sig) ?:
		      cg_reads(tree[i], "FROZEN") ? 0 : -EBUSY;
	return ret ?: cg_thaw("a");
}

/* What was stopped for days by the v1 freezer, runc and LXC had to thaw first. */
TEST_F(freezer, frozen_tree_is_killed_and_removed_without_a_thaw)
{
	ASSERT_EQ(0, cg_make("a/b"));
	ASSERT_EQ(0, cg_make("a/b/c"));
	ASSERT_EQ(0, die_in_a_tree(SIGKILL));
	ASSERT_EQ(0, die_in_a_tree(SIGTERM));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_EQ(0, WAIT_UNTIL(!cg_remove("a/b/c")));
	EXPECT_EQ(0, WAIT_UNTIL(!cg_remove("a/b")));
	EXPECT_EQ(0, WAIT_UNTIL(!cg_remove("a")));
}

TEST_HARNESS_MAIN
