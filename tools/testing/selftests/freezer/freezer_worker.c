// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers: tasks that count, so that a test sees whether they run.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <linux/vhost.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freezer_util.h"

#define MAX_SLOTS	131072

/* Slots. */

static struct slot *slots;
static int slots_fd;

static void slots_map(int fd)
{
	slots_fd = fd;
	slots = mmap(NULL, MAX_SLOTS * sizeof(*slots), PROT_READ | PROT_WRITE,
		     MAP_SHARED, fd, 0);
	if (slots == MAP_FAILED)
		abort();
}

struct slot *slots_get(unsigned int nr)
{
	static unsigned int used;

	if (!slots) {
		/* A file, as what is mapped only does not live through exec. */
		slots_map(memfd_create("freezer_slots", 0));
		if (ftruncate(slots_fd, MAX_SLOTS * sizeof(*slots)))
			abort();
	}
	if (used + nr > MAX_SLOTS)
		abort();
	used += nr;
	return slots + used - nr;
}

int slot_exec(struct slot *slot, const char *what)
{
	char fd[16], index[16];

	snprintf(fd, sizeof(fd), "%d", slots_fd);
	snprintf(index, sizeof(index), "%d", (int)(slot - slots));
	execl("/proc/self/exe", SLOT_EXEC, what, fd, index, NULL);
	return -errno;
}

struct slot *slot_of_exec(char **argv)
{
	slots_map(atoi(argv[2]));
	return slots + atoi(argv[3]);
}

/* What workers do. */

static void slot_spins(struct slot *slot)
{
	for (;;)
		slot_tick(slot);
}

static void slot_sleeps(struct slot *slot)
{
	for (;;) {
		slot_tick(slot);
		pause_ms(1);
	}
}

void worker_spins(struct worker *w)
{
	slot_spins(w->slots);
}

void worker_sleeps(struct worker *w)
{
	slot_sleeps(w->slots);
}

void worker_polls(struct worker *w)
{
	struct epoll_event event;
	int fd = epoll_create1(EPOLL_CLOEXEC);

	for (;;) {
		slot_tick(w->slots);
		epoll_wait(fd, &event, 1, 1);
	}
}

/* Here it is the children who count. */
void worker_forks(struct worker *w)
{
	pid_t pid;

	for (;;) {
		pid = fork();
		if (!pid) {
			slot_tick(w->slots);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

static void *thread_counts(void *arg)
{
	struct slot *slot = arg;

	slot->tid = syscall(SYS_gettid);
	slot_sleeps(slot);
	return NULL;
}

/* The parent sleeps until its child ends; and that may take until the thaw. */
void worker_vforks(struct worker *w)
{
	for (;;) {
		if (!vfork()) {
			slot_tick(w->slots);
			pause_ms(2);
			_exit(0);
		}
	}
}

void worker_in_vfork(struct worker *w)
{
	if (!vfork()) {
		w->slots->tid = getpid();
		while (!slot_note(w->slots, VFORK_CHILD_GOES)) {
			slot_tick(w->slots);
			pause_ms(1);
		}
		_exit(0);
	}
	slot_set_note(w->slots, VFORK_IS_OVER, 1);
	worker_sleeps(w);
}

void worker_pauses(struct worker *w)
{
	slot_tick(w->slots);
	for (;;)
		pause();
}

void start_thread(void *(*fn)(void *arg), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	if (pthread_create(&thread, &attr, fn, arg))
		_exit(1);
}

static void *thread_sleeps(void *arg)
{
	slot_sleeps(arg);
	return NULL;
}

void worker_loses_its_leader(struct worker *w)
{
	start_thread(thread_sleeps, w->slots);
	pthread_exit(NULL);
}

void worker_start_threads(struct worker *w, void *(*fn)(void *slot))
{
	unsigned int i;

	for (i = 1; i < w->nr; i++)
		start_thread(fn, w->slots + i);
}

void *thread_pauses(void *arg)
{
	struct slot *slot = arg;

	if (slot) {
		slot->tid = syscall(SYS_gettid);
		slot_tick(slot);
	}
	for (;;)
		pause();
	return NULL;
}

void worker_stops(struct worker *w)
{
	slot_tick(w->slots);
	for (;;)
		raise(SIGSTOP);
}

void worker_owns_vhost(struct worker *w)
{
	int fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, VHOST_SET_OWNER))
		_exit(1);
	worker_sleeps(w);
}

void worker_has_threads(struct worker *w)
{
	worker_start_threads(w, thread_counts);
	thread_counts(w->slots);
}

/* Start and end. */

static void worker_main(const char *cg, struct worker *w,
			void (*fn)(struct worker *w), pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (cg && cg_attach(cg, 0))
		_exit(1);
	w->pid = getpid();
	fn(w);
	_exit(0);
}

static int worker_fork(const char *cg, struct worker *w,
		       void (*fn)(struct worker *w), unsigned int nr)
{
	pid_t parent = getpid();

	w->slots = slots_get(nr);
	w->nr = nr;
	w->pid = track_child(fork());
	if (!w->pid)
		worker_main(cg, w, fn, parent);
	return w->pid < 0 ? -errno : 0;
}

int worker_start(struct worker *w, void (*fn)(struct worker *w),
		 unsigned int nr)
{
	return worker_fork(NULL, w, fn, nr);
}

static bool all_have_counted(struct worker *w)
{
	unsigned int i;

	for (i = 0; i < w->nr; i++)
		if (!slot_count(w->slots + i))
			return false;
	return true;
}

int worker_start_in(const char *cg, struct worker *w,
		    void (*fn)(struct worker *w), unsigned int nr)
{
	int ret = worker_fork(cg, w, fn, nr) ?: WAIT_UNTIL(all_have_counted(w));

	if (ret)
		fprintf(stderr, "# a worker should count in %s and does not\n", cg);
	return ret;
}

int worker_start_asleep_in(const char *cg, struct worker *w,
			   void (*fn)(struct worker *w), const char *states)
{
	int ret = worker_start_in(cg, w, fn, 1);

	return ret ?: WAIT_UNTIL(task_sleeps(w->pid, states));
}

int stay_on(pid_t pid, unsigned int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(pid, sizeof(cpus), &cpus) ? -errno : 0;
}

struct worker worker_thread(struct worker *w, unsigned int i)
{
	struct worker thread = {
		.pid = w->slots[i].tid,
		.slots = w->slots + i,
		.nr = 1,
	};

	return thread;
}

int worker_wait_exit(struct worker *w, int *status)
{
	int ret = WAIT_UNTIL(waitpid(w->pid, status, WNOHANG) == w->pid);

	if (ret) {
		fprintf(stderr, "# %d should be gone and is not\n", w->pid);
		task_describe(w->pid);
	}
	return ret;
}

int worker_wait_killed(struct worker *w, int sig)
{
	int status = 0;
	int ret = worker_wait_exit(w, &status);

	if (!ret && !(WIFSIGNALED(status) && WTERMSIG(status) == sig)) {
		fprintf(stderr, "# %d should die of %d and has status %#x\n",
			w->pid, sig, status);
		ret = -EINVAL;
	}
	return ret;
}

int workers_wait_killed(struct worker *w, unsigned int nr, int sig)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = worker_wait_killed(w + i, sig);
	return ret;
}

int task_file(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t len;
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	buf[0] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	ret = len < 0 ? -errno : len ? 0 : -EIO;
	close(fd);
	buf[len > 0 ? len : 0] = '\0';
	return ret;
}

char task_state(pid_t pid)
{
	const char *end;
	char buf[256];

	if (task_file(pid, "stat", buf, sizeof(buf)))
		return 0;
	end = strrchr(buf, ')');
	return end && end[1] ? end[2] : 0;
}

/*
 * A task has the state of a sleeper a moment before it leaves the processor, and
 * on a busy host that can be long.  The file syscall says "running" till then.
 */
bool task_sleeps(pid_t pid, const char *states)
{
	char text[16], state = task_state(pid);

	return state && strchr(states, state) &&
	       !task_file(pid, "syscall", text, sizeof(text)) && text[0] != 'r';
}

long task_switches(pid_t pid)
{
	char path[64], line[256];
	long nr, sum = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &nr) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %ld", &nr) == 1)
			sum += nr;
	fclose(f);
	return sum;
}

/* The first line of a file in /proc/PID that begins with @prefix. */
static void describe_line(pid_t pid, const char *file, const char *prefix)
{
	char path[64], line[256];
	bool done = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	f = fopen(path, "re");
	if (!f)
		return;
	while (!done && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		done = !strncmp(line, prefix, strlen(prefix));
	}
	if (done)
		fprintf(stderr, " %s", line);
	fclose(f);
}

void task_describe(pid_t pid)
{
	fprintf(stderr, "# task %d:", pid);
	describe_line(pid, "wchan", "");
	describe_line(pid, "status", "State:");
	describe_line(pid, "status", "Tgid:");
	describe_line(pid, "status", "SigPnd:");
	describe_line(pid, "status", "ShdPnd:");
	describe_line(pid, "status", "SigBlk:");
	fprintf(stderr, "\n");
}

/* Counters. */

struct snapshot {
	unsigned long counts[MAX_SLOTS];
	unsigned int nr;
};

static void snapshot_take(struct snapshot *snap, struct worker *w,
			  unsigned int nr)
{
	unsigned int i, j;

	snap->nr = 0;
	for (i = 0; i < nr; i++)
		for (j = 0; j < w[i].nr; j++)
			snap->counts[snap->nr++] = slot_count(w[i].slots + j);
}

static unsigned int snapshot_moved(struct snapshot *snap, struct worker *w,
				   unsigned int nr)
{
	unsigned int i, j, n = 0, moved = 0;

	for (i = 0; i < nr; i++)
		for (j = 0; j < w[i].nr; j++)
			moved += slot_count(w[i].slots + j) != snap->counts[n++];
	return moved;
}

int workers_move(struct worker *w, unsigned int nr)
{
	static struct snapshot snap;
	int ret;

	snapshot_take(&snap, w, nr);
	ret = WAIT_UNTIL(snapshot_moved(&snap, w, nr) == snap.nr);
	if (ret) {
		fprintf(stderr, "# %u of %u counters should move and do not\n",
			snap.nr - snapshot_moved(&snap, w, nr), snap.nr);
		while (nr--)
			task_describe(w[nr].pid);
	}
	return ret;
}

int workers_stand_still(struct worker *w, unsigned int nr)
{
	static struct snapshot snap;
	unsigned int moved;

	snapshot_take(&snap, w, nr);
	pause_ms(STILL_MS);
	moved = snapshot_moved(&snap, w, nr);
	if (moved)
		fprintf(stderr, "# %u of %u counters should stand still and move\n",
			moved, snap.nr);
	return moved ? -EBUSY : 0;
}

/*
 * The state.  Its file tells of each change, and that shows what was there for
 * too short a time to be read.  A process of its own looks, as an open file in
 * the test would keep the hierarchy from going away.
 */

/* cgroup core tells of a change at most once in 10 ms, and then later. */
#define EVENT_LATENCY_MS	100

enum {
	NOTE_SETTLED,
	NOTE_CHANGED,
};

static struct worker watcher;
static const char *watched;

static void worker_watches(struct worker *w)
{
	struct pollfd pfd = {
		.fd = cg_open(watched, "freezer.freeze", O_RDONLY),
		.events = POLLPRI,
	};
	char buf[64];

	/* A read is what events are counted from. */
	while (pread(pfd.fd, buf, sizeof(buf), 0) <= 0 ||
	       poll(&pfd, 1, EVENT_LATENCY_MS))
		;
	slot_set_note(w->slots, NOTE_SETTLED, 1);
	for (;;) {
		if (poll(&pfd, 1, 1) || !cg_reads(watched, "FROZEN"))
			slot_set_note(w->slots, NOTE_CHANGED, 1);
		slot_tick(w->slots);
	}
}

int watch_state(const char *cg)
{
	int status, ret = 0;

	watched = cg;
	if (watcher.pid)
		ret = kill(watcher.pid, SIGKILL) ? -errno :
		      worker_wait_exit(&watcher, &status);
	ret = ret ?: worker_start(&watcher, worker_watches, 1);
	return ret ?: WAIT_UNTIL(slot_note(watcher.slots, NOTE_SETTLED));
}

bool state_has_changed(void)
{
	unsigned long seen = slot_count(watcher.slots) + 2;
	bool ret = WAIT_UNTIL(slot_count(watcher.slots) >= seen) ||
		   slot_note(watcher.slots, NOTE_CHANGED);

	if (ret) {
		fprintf(stderr, "# %s should have been FROZEN all the time\n",
			watched);
		cg_describe(watched);
	}
	return ret;
}

/*
 * A task that is stuck.  The holder splices from a pipe to a socket that is
 * full: it sleeps with the mutex of the pipe, until the socket is drained.  A
 * reader of that pipe then waits for the mutex: a sleep that neither signal
 * nor freezer ends.  The pipe has bytes for all readers.
 */
static struct {
	int		pipe[2];
	int		sock[2];
	struct worker	holder;
} stuck;

static void holder_main(struct worker *w)
{
	slot_tick(w->slots);
	splice(stuck.pipe[0], NULL, stuck.sock[0], NULL, 1, 0);
}

int stuck_setup(void)
{
	char bytes[512] = "";
	int ret;

	if (pipe2(stuck.pipe, O_CLOEXEC) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stuck.sock))
		return -errno;
	while (send(stuck.sock[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	if (write(stuck.pipe[1], bytes, sizeof(bytes)) < 0)
		return -errno;

	ret = worker_start(&stuck.holder, holder_main, 1);
	ret = ret ?: WAIT_UNTIL(slot_count(stuck.holder.slots));
	return ret ?: WAIT_UNTIL(task_sleeps(stuck.holder.pid, "S"));
}

bool stuck_sleep(void)
{
	char byte;

	return read(stuck.pipe[0], &byte, 1) == 1;
}

static void worker_gets_stuck(struct worker *w)
{
	slot_tick(w->slots);
	if (stuck_sleep())
		slot_sleeps(w->slots);
}

/* Returns when the worker is in @cg and stuck. */
int stuck_worker_start_in(const char *cg, struct worker *w)
{
	int ret;

	ret = worker_start(w, worker_gets_stuck, 1);
	ret = ret ?: WAIT_UNTIL(task_state(w->pid) == 'D');
	return ret ?: cg_attach(cg, w->pid);
}

static bool holder_is_gone(void)
{
	char bytes[4096];

	while (recv(stuck.sock[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	return waitpid(stuck.holder.pid, NULL, WNOHANG) == stuck.holder.pid;
}

int stuck_release(void)
{
	return WAIT_UNTIL(holder_is_gone());
}
