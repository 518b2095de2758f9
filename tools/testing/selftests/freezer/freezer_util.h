/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the selftests of the container freezer share.
 *
 * The harness runs each test in a process of its own.  That process has one
 * environment: a private mount of the hierarchy under test, a cgroup in it
 * that all others of the test live in, and counters that its workers share
 * with it.
 *
 * A cgroup is named relative to the one of the environment: "a", "a/b".
 *
 * Functions return 0, or a positive value where they say so, or -errno; what
 * times out returns -ETIMEDOUT and says on stderr what it has waited for.
 */
#ifndef FREEZER_UTIL_H
#define FREEZER_UTIL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* How long a condition may take to become true, on the slowest of kernels. */
#define DEADLINE_MS	20000

/* How long counters must stand still to prove that their tasks are frozen. */
#define STILL_MS	50

/**
 * WAIT_UNTIL() - wait for a condition, but not for ever
 * @cond: evaluated again and again
 *
 * Return: 0, or -ETIMEDOUT if @cond was not true within DEADLINE_MS.
 */
#define WAIT_UNTIL(cond)						\
({									\
	long long __end = now_ms() + DEADLINE_MS;			\
	bool __met;							\
	do {								\
		__met = (cond);						\
	} while (!__met && pause_before(__end));			\
	__met ? 0 : -ETIMEDOUT;						\
})

long long now_ms(void);
void pause_ms(long ms);
/* Pause, if there is time before @end. */
bool pause_before(long long end);

/* A number that the caller of the test can set. */
unsigned int env_number(const char *name, unsigned int otherwise);

/* The environment of a test. */

int env_setup(bool v1);
/* On a kernel with the legacy freezer in the place of ours. */
int env_setup_legacy(void);
int env_cleanup(void);
bool env_is_v1(void);
/* The guest has nobody who does this. */
int loopback_up(void);

/* Mount a v1 hierarchy with one controller; end it, and wait for that. */
int v1_mount(const char *controller, char *path, size_t size);
int v1_unmount(const char *controller);

/* Which hierarchy has the controller: 0 is v2, -ENOENT nobody knows it. */
int controller_hierarchy(const char *controller);

/* Cgroups. */

int cg_make(const char *cg);
int cg_remove(const char *cg);
int cg_open(const char *cg, const char *file, int flags);
int cg_write(const char *cg, const char *file, const char *text);
int cg_read(const char *cg, const char *file, char *buf, size_t size);
/* All of a file, in reads of @step bytes; -E2BIG if it does not fit. */
int cg_read_all(const char *cg, const char *file, char *buf, size_t size,
		size_t step);
int cg_path(const char *cg, const char *file, char *buf, size_t size);
/* One key of freezer.stat. */
long long cg_stat(const char *cg, const char *key);

/* One line of text; what it is now, and what it must become. */
bool cg_file_reads(const char *cg, const char *file, const char *text);
int cg_file_wait(const char *cg, const char *file, const char *text);

/* Through freezer.freeze and freezer.kill. */
int cg_freeze(const char *cg);
int cg_thaw(const char *cg);
int cg_kill(const char *cg, int sig);
bool cg_reads(const char *cg, const char *state);
int cg_wait(const char *cg, const char *state);
int cg_wait_empty(const char *cg);
/* Is there this line in cgroup.events? */
bool cg_event(const char *cg, const char *line);
/* The processes of a cgroup, but not of its children. */
unsigned int cg_procs(const char *cg, pid_t *pids, unsigned int max);
/* On stderr, all tasks of a cgroup, but not of its children. */
void cg_describe(const char *cg);

/* The file that takes and lists single threads. */
const char *cg_threads_file(void);
int cg_attach(const char *cg, pid_t pid);
int cg_attach_thread(const char *cg, pid_t tid);

int write_text(const char *path, const char *text);
/* Write @pid to any file that is written with a number. */
int write_number(const char *path, long long number);
/* The first number of a file. */
int read_number(const char *path, long long *number);
/* Write it, until env_cleanup() writes there what it was before. */
int set_for_test(const char *path, long long number);

/* An open file of one line, read from its beginning. */
bool fd_reads(int fd, const char *text);
/* Until it reads @text; after an event only, and what was not read is one. */
int poll_until(int fd, const char *text);
/* How often poll() has something to say, until it has nothing for @ms. */
int poll_reports(int fd, int ms);
/* freezer.freeze, which reads @state, when what was news until now has been told. */
int cg_open_quiet(const char *cg, const char *state);

/* Workers. */

#define SLOT_NOTES	6

/**
 * struct slot - a cache line that a task shares with the test
 * @count: how often the task came by
 * @tid: the thread that counts here
 * @note: whatever a test wants to know
 */
struct slot {
	unsigned long	count;
	unsigned long	tid;
	unsigned long	note[SLOT_NOTES];
};

/**
 * struct worker - a process that counts, and by that shows that it runs
 * @pid: the process
 * @slots: one for each of its threads, or whatever else it counts
 * @nr: number of @slots; all of them move when the worker runs
 */
struct worker {
	pid_t		pid;
	struct slot	*slots;
	unsigned int	nr;
};

static inline void slot_tick(struct slot *slot)
{
	__atomic_add_fetch(&slot->count, 1, __ATOMIC_RELAXED);
}

static inline unsigned long slot_count(struct slot *slot)
{
	return __atomic_load_n(&slot->count, __ATOMIC_RELAXED);
}

static inline unsigned long slot_note(struct slot *slot, unsigned int i)
{
	return __atomic_load_n(&slot->note[i], __ATOMIC_SEQ_CST);
}

static inline void slot_set_note(struct slot *slot, unsigned int i,
				 unsigned long val)
{
	__atomic_store_n(&slot->note[i], val, __ATOMIC_SEQ_CST);
}

struct slot *slots_get(unsigned int nr);

/*
 * Execute the test program anew, to do @what and go on counting in @slot: the
 * arguments are SLOT_EXEC, @what, and two more for slot_of_exec().
 */
#define SLOT_EXEC	"--slot"
int slot_exec(struct slot *slot, const char *what);
struct slot *slot_of_exec(char **argv);

/* What a worker can do; each function counts for ever. */
void worker_spins(struct worker *w);
void worker_sleeps(struct worker *w);
void worker_polls(struct worker *w);
void worker_forks(struct worker *w);
void worker_vforks(struct worker *w);
void worker_has_threads(struct worker *w);
/* Sleeps without an end, and so counts once. */
void worker_pauses(struct worker *w);
/* Is stopped, and stops again when it is continued. */
void worker_stops(struct worker *w);
/* Sleeps, and has a thread of vhost; ends if there is no /dev/vhost-net. */
void worker_owns_vhost(struct worker *w);
/* It sleeps in a thread that goes on without the leader. */
void worker_loses_its_leader(struct worker *w);
/*
 * In vfork() until the test has set note VFORK_CHILD_GOES, and then note
 * VFORK_IS_OVER is set.  Who counts is first the child, the tid of the slot, then
 * the parent.
 */
enum {
	VFORK_CHILD_GOES,
	VFORK_IS_OVER,
};

void worker_in_vfork(struct worker *w);
/* For a worker: a thread with a small stack. */
void start_thread(void *(*fn)(void *arg), void *arg);
/* For a thread: it sleeps without an end, and counts once in a slot, if it has one. */
void *thread_pauses(void *slot);
/* For a worker: a thread for each slot, the first is the leader's. */
void worker_start_threads(struct worker *w, void *(*fn)(void *slot));

/* Start a worker, where the test itself is, with @nr slots. */
int worker_start(struct worker *w, void (*fn)(struct worker *w),
		 unsigned int nr);
/* The same in @cg, where it goes first; and wait until all of it has counted. */
int worker_start_in(const char *cg, struct worker *w,
		    void (*fn)(struct worker *w), unsigned int nr);
/* The same of one slot; and wait until it sleeps in one of @states. */
int worker_start_asleep_in(const char *cg, struct worker *w,
			   void (*fn)(struct worker *w), const char *states);
/* One thread of @w, as if it were a worker of its own. */
struct worker worker_thread(struct worker *w, unsigned int i);
/* Have @pid, or who calls if that is 0, run on no other processor. */
int stay_on(pid_t pid, unsigned int cpu);
/* Until it has counted to @nr, however slow the machine is, if it gets on. */
int worker_wait_rounds(struct worker *w, unsigned int nr);
int worker_wait_exit(struct worker *w, int *status);
/* -EINVAL if it is gone for another reason than @sig. */
int worker_wait_killed(struct worker *w, int sig);
int workers_wait_killed(struct worker *w, unsigned int nr, int sig);
/* What a file of /proc/PID reads, as text. */
int task_file(pid_t pid, const char *name, char *buf, size_t size);
/* 'R', 'S', 'D', 'T' ... as in /proc/PID/stat; of a thread too. */
char task_state(pid_t pid);
/* It sleeps in one of some states, as "SD", and has left the processor. */
bool task_sleeps(pid_t pid, const char *states);
/* Context switches of a task, of its own will or not. */
long task_switches(pid_t pid);
/* On stderr, why a task does not do what it should. */
void task_describe(pid_t pid);
pid_t track_child(pid_t pid);

/* Counters: 0 if all of them move, or none. */
int workers_move(struct worker *w, unsigned int nr);
int workers_stand_still(struct worker *w, unsigned int nr);

/*
 * Watch the state of a cgroup that is FROZEN; has it been anything else since
 * watch_state()?  Not even for too short a time to be read.
 */
int watch_state(const char *cg);
bool state_has_changed(void);

/*
 * A mutex in the kernel, held until the test wants it released.  A worker
 * that is stuck waits for it where no signal and no freezer can reach it.
 */
int stuck_setup(void);
int stuck_worker_start_in(const char *cg, struct worker *w);
/* For a worker that gets stuck in its own way: true after stuck_release(). */
bool stuck_sleep(void);
int stuck_release(void);

#endif /* FREEZER_UTIL_H */
