/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Blocking calls, each run through a freeze and a thaw: while frozen nothing
 * moves, after the thaw the call still waits, and then an event ends it with
 * the result that it has anyway.
 *
 * The tables are in calls_files.c, calls_net.c, calls_ipc.c and calls_tasks.c.
 */
#ifndef FREEZER_CALLS_H
#define FREEZER_CALLS_H

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "freezer_util.h"

/* A timeout that no test waits for, and one that a test does wait for. */
#define NO_TIMEOUT_MS	100000
#define OWN_TIME_MS	1200

#define LARGE		0x100000

/**
 * struct blocked - what a call, the event that ends it and the test share
 * @fd: by custom the worker reads from the first and writes to the second
 * @id: of System V IPC
 * @timeout: in milliseconds, for a call that takes one
 * @path: a file that is removed at the end
 * @pid: the worker
 * @helper: a child of the test
 * @shared: zeroed memory, the same to test and worker
 * @context: whatever the worker has prepared
 */
struct blocked {
	int		fd[4];
	int		id;
	long		timeout;
	char		path[64];
	pid_t		pid;
	pid_t		helper;
	unsigned int	*shared;
	unsigned long	context;
};

/**
 * struct call - one that blocks
 * @name: for people
 * @setup: in the test, before there is a worker
 * @prepare: in the worker, before the call
 * @call: in the worker; a result or -errno
 * @event: in the test, it ends the call; NULL if the call ends by its timeout
 * @cleanup: in the test, for what is no file
 * @result: what @call returns after @event
 * @repeat: one event may not be enough
 * @timed: it has a timeout
 * @timed_out: what it returns then
 * @woken: why it must be woken to be frozen; NULL if it need not
 * @disturbed: why a program can see that it was frozen; NULL if it cannot
 */
struct call {
	const char	*name;
	int		(*setup)(struct blocked *b);
	int		(*prepare)(struct blocked *b);
	long		(*call)(struct blocked *b);
	int		(*event)(struct blocked *b);
	void		(*cleanup)(struct blocked *b);
	long		result;
	bool		repeat;
	bool		timed;
	long		timed_out;
	const char	*woken;
	const char	*disturbed;
};

/* Each ends with an entry that has no name. */
extern const struct call file_calls[];
extern const struct call net_calls[];
extern const struct call ipc_calls[];
extern const struct call task_calls[];

/**
 * struct freezer_kind - one of the freezers that there are
 * @name: for people
 * @file: takes @freeze and @thaw
 * @state: a file that holds @frozen when all are
 */
struct freezer_kind {
	const char	*name;
	const char	*file;
	const char	*freeze;
	const char	*thaw;
	const char	*state;
	const char	*frozen;
};

extern const struct freezer_kind ours;
extern const struct freezer_kind cgroup_freeze;
extern const struct freezer_kind legacy;

int kind_freeze(const struct freezer_kind *kind, const char *cg);
int kind_thaw(const struct freezer_kind *kind, const char *cg);

/* A worker and the call that it is in. */
struct running {
	const struct call	*call;
	struct blocked		b;
	struct worker		w;
	long			switches;
};

/* Returns when the worker sleeps in its call. */
int running_start(struct running *r, const struct call *call, const char *cg,
		  long timeout);
void running_stop(struct running *r);
/* Until it sleeps, be it in the call or after it. */
int running_wait_asleep(struct running *r);
/* Of the worker, since it went to sleep in the call. */
long running_switches(struct running *r);
bool running_has_ended(struct running *r);
/* The following are of the call; the end of one that has ended. */
long running_result(struct running *r);
long long running_began(struct running *r);
long long running_ended(struct running *r);
int running_event(struct running *r);
/* Until the call has ended, after its event. */
int running_finish(struct running *r);

/* What ends the call; one that has no event ends by its timeout. */
enum ending {
	EVENT_AFTER_THAW,
	EVENT_WHILE_FROZEN,
	TIMEOUT_AFTER_THAW,
	TIMEOUT_WHILE_FROZEN,
};

/**
 * struct outcome - what freezing has done to a call
 * @verdict: "undisturbed", the name of an errno, "short", "early" or "late"
 * @switches: context switches that it cost
 * @where: function of the kernel that the call sleeps in
 */
struct outcome {
	const char	*verdict;
	long		switches;
	char		where[64];
};

int call_run(const struct freezer_kind *kind, const struct call *call,
	     enum ending how, struct outcome *out);
/* A row of the table. */
void call_print(const struct freezer_kind *kind, const struct call *call,
		const struct outcome *out);
/* For the table: all calls; how many could not be run. */
int calls_print(const struct freezer_kind *kind, const struct call *calls);

/* Is the call one of those that FREEZER_CALLS asks for? */
bool call_chosen(const struct call *call);

/* Entries that more than one table has. */

#define PLAIN_CALL(what, setup_fn, fn, event_fn, ...)			\
	{ .name = what, .setup = setup_fn, .call = fn,			\
	  .event = event_fn, __VA_ARGS__ }

/* Waits for a byte. */
#define BYTE_CALL(what, setup_fn, fn, nr, ...)				\
	PLAIN_CALL(what, setup_fn, fn, event_byte, .result = nr, __VA_ARGS__)

/* Waits for room. */
#define DRAIN_CALL(what, setup_fn, fn, nr, ...)				\
	PLAIN_CALL(what, setup_fn, fn, event_drain, .repeat = true,	\
		   .result = nr, __VA_ARGS__)

/* Tools of the tables. */

static inline long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

static inline int status(long ret)
{
	return ret < 0 ? -errno : 0;
}

static inline struct timespec timespec_of(long ms)
{
	return (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
}

static inline struct timeval timeval_of(long ms)
{
	return (struct timeval){ ms / 1000, ms % 1000 * 1000 };
}

struct timespec deadline_of(clockid_t clock, long ms);

/* Write until there is no room, read what there is; neither blocks. */
int fd_fill(int fd);
int fd_fill_slowly(int fd, int looks);
int fd_drain(int fd);

int setup_pipe(struct blocked *b);
int setup_full_pipe(struct blocked *b);
int setup_path(struct blocked *b);
int setup_unix_stream(struct blocked *b);
int setup_tcp(struct blocked *b);
/* A socket, and in fd[2] a file with LARGE bytes. */
int setup_file_and_socket(struct blocked *b);
void usr1_set(sigset_t *set);
int prepare_usr1(struct blocked *b);
long call_poll(struct blocked *b);
long call_read(struct blocked *b);
int event_byte(struct blocked *b);
int event_drain(struct blocked *b);
int event_usr1(struct blocked *b);
int event_kill_helper(struct blocked *b);

/* LARGE bytes, each of which depends on its place. */
const char *large_data(void);
char *large_buffer(void);
long call_write_large(struct blocked *b);
long call_send_large(struct blocked *b);
long call_sendfile(struct blocked *b);

#endif /* FREEZER_CALLS_H */
