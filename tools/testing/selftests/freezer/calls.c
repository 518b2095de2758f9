// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run blocking calls through freeze and thaw, by any of the freezers.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

/* A task sleeps if it does at so many looks, with a pause before each. */
#define LOOKS		4

/* A file is full if it is at so many. */
#define FULL_LOOKS	10

/* Time is measured on machines that are busy: a false "late" goes away. */
#define TRIES		3

/* The timeout of a socket may end so much too early, frozen or not. */
#define JIFFY_MS	10

enum {
	NOTE_RESULT,
	NOTE_BEGAN,
	NOTE_ENDED,
	NOTE_SWITCHES,
};

const struct freezer_kind ours = {
	.name = "ours",
	.file = "freezer.freeze",
	.freeze = "1",
	.thaw = "0",
	.state = "freezer.freeze",
	.frozen = "FROZEN",
};

const struct freezer_kind cgroup_freeze = {
	.name = "cgroup.freeze",
	.file = "cgroup.freeze",
	.freeze = "1",
	.thaw = "0",
	.state = "cgroup.events",
	.frozen = "frozen 1",
};

const struct freezer_kind legacy = {
	.name = "legacy",
	.file = "freezer.state",
	.freeze = "FROZEN",
	.thaw = "THAWED",
	.state = "freezer.state",
	.frozen = "FROZEN",
};

static bool kind_reads_frozen(const struct freezer_kind *kind, const char *cg)
{
	char buf[256] = "";
	ssize_t len;
	int fd;

	fd = cg_open(cg, kind->state, O_RDONLY);
	if (fd < 0)
		return false;
	len = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return len > 0 && strstr(buf, kind->frozen);
}

int kind_freeze(const struct freezer_kind *kind, const char *cg)
{
	int ret;

	ret = cg_write(cg, kind->file, kind->freeze);
	ret = ret ?: WAIT_UNTIL(kind_reads_frozen(kind, cg));
	if (ret) {
		fprintf(stderr, "# %s should be frozen by %s and is not\n", cg,
			kind->name);
		cg_describe(cg);
	}
	return ret;
}

int kind_thaw(const struct freezer_kind *kind, const char *cg)
{
	return cg_write(cg, kind->file, kind->thaw);
}

/* Tools of the tables. */

struct timespec deadline_of(clockid_t clock, long ms)
{
	struct timespec ts, add = timespec_of(ms);

	clock_gettime(clock, &ts);
	ts.tv_sec += add.tv_sec;
	ts.tv_nsec += add.tv_nsec;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return ts;
}

/* True if anything was written. */
static bool fd_write_all(int fd)
{
	static const char bytes[4096];
	bool any = false;

	while (write(fd, bytes, sizeof(bytes)) > 0)
		any = true;
	return any;
}

/* What is still on the way makes room, for a while: look again so often. */
int fd_fill_slowly(int fd, int looks)
{
	int flags = fcntl(fd, F_GETFL);
	int i;

	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	for (i = 0; i < looks; i++) {
		if (fd_write_all(fd))
			i = 0;
		pause_ms(2);
	}
	return status(fcntl(fd, F_SETFL, flags));
}

int fd_fill(int fd)
{
	return fd_fill_slowly(fd, FULL_LOOKS);
}

int fd_drain(int fd)
{
	static char bytes[65536];
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	while (poll(&pfd, 1, 0) > 0)
		if (read(fd, bytes, sizeof(bytes)) <= 0)
			break;
	return 0;
}

int setup_pipe(struct blocked *b)
{
	return status(pipe2(b->fd, O_CLOEXEC));
}

int setup_full_pipe(struct blocked *b)
{
	return setup_pipe(b) ?: fd_fill(b->fd[1]);
}

int setup_path(struct blocked *b)
{
	static unsigned int nr;

	snprintf(b->path, sizeof(b->path), "/tmp/freezer_call.%d.%u", getpid(),
		 nr++);
	unlink(b->path);
	return 0;
}

static void on_signal(int sig)
{
	(void)sig;
}

void usr1_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
}

/* It waits for whoever asks for it, and else does nothing. */
int prepare_usr1(struct blocked *b)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t set;

	(void)b;
	usr1_set(&set);
	return status(sigaction(SIGUSR1, &action, NULL)) ?:
	       status(sigprocmask(SIG_BLOCK, &set, NULL));
}

long call_poll(struct blocked *b)
{
	struct pollfd pfd = { .fd = b->fd[0], .events = POLLIN };

	return result(poll(&pfd, 1, -1));
}

long call_read(struct blocked *b)
{
	char bytes[256];

	return result(read(b->fd[0], bytes, sizeof(bytes)));
}

int event_byte(struct blocked *b)
{
	return status(write(b->fd[1], "x", 1));
}

int event_drain(struct blocked *b)
{
	return fd_drain(b->fd[0]);
}

int event_usr1(struct blocked *b)
{
	return status(kill(b->pid, SIGUSR1));
}

int event_kill_helper(struct blocked *b)
{
	return status(kill(b->helper, SIGKILL));
}

char *large_buffer(void)
{
	static char buffer[LARGE];

	return buffer;
}

const char *large_data(void)
{
	static unsigned int data[LARGE / sizeof(unsigned int)];
	unsigned int i;

	for (i = 0; !data[1] && i < LARGE / sizeof(*data); i++)
		data[i] = i * 2654435761u;
	return (const char *)data;
}

long call_write_large(struct blocked *b)
{
	return result(write(b->fd[1], large_data(), LARGE));
}

/* One call. */

static struct running *starting;

static long own_switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

static void worker_calls(struct worker *w)
{
	const struct call *call = starting->call;
	struct blocked *b = &starting->b;
	struct slot *slot = w->slots;
	long ret;

	b->pid = getpid();
	ret = call->prepare ? call->prepare(b) : 0;
	if (ret) {
		fprintf(stderr, "# %s cannot be prepared: %ld\n", call->name, ret);
		_exit(1);
	}
	slot_set_note(slot, NOTE_BEGAN, now_ms());
	slot_tick(slot);
	ret = call->call(b);
	slot_set_note(slot, NOTE_ENDED, now_ms());
	slot_set_note(slot, NOTE_SWITCHES, own_switches());
	slot_set_note(slot, NOTE_RESULT, ret);
	slot_tick(slot);
	for (;;)
		pause();
}

bool running_has_ended(struct running *r)
{
	return slot_count(r->w.slots) > 1;
}

long running_result(struct running *r)
{
	return slot_note(r->w.slots, NOTE_RESULT);
}

long long running_began(struct running *r)
{
	return slot_note(r->w.slots, NOTE_BEGAN);
}

long long running_ended(struct running *r)
{
	return slot_note(r->w.slots, NOTE_ENDED);
}

long running_switches(struct running *r)
{
	/* What the worker does after its call is not of interest. */
	if (running_has_ended(r))
		return slot_note(r->w.slots, NOTE_SWITCHES) - r->switches;
	return task_switches(r->w.pid) - r->switches;
}

static bool is_asleep(struct running *r)
{
	long switches = task_switches(r->w.pid);
	int i;

	for (i = 0; i < LOOKS; i++) {
		pause_ms(1);
		if (!task_sleeps(r->w.pid, "SD") ||
		    task_switches(r->w.pid) != switches)
			return false;
	}
	return true;
}

int running_wait_asleep(struct running *r)
{
	int ret = WAIT_UNTIL(is_asleep(r));

	if (ret) {
		fprintf(stderr, "# %s should sleep and does not\n", r->call->name);
		task_describe(r->w.pid);
	}
	return ret;
}

static int running_prepare(struct running *r, const struct call *call,
			   long timeout)
{
	memset(r, 0, sizeof(*r));
	memset(r->b.fd, -1, sizeof(r->b.fd));
	r->call = call;
	r->b.timeout = timeout;
	r->b.shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->b.shared == MAP_FAILED)
		return -errno;
	return call->setup ? call->setup(&r->b) : 0;
}

int running_start(struct running *r, const struct call *call, const char *cg,
		  long timeout)
{
	int ret = running_prepare(r, call, timeout);

	if (ret) {
		fprintf(stderr, "# %s cannot be set up: %d\n", call->name, ret);
		return ret;
	}
	starting = r;
	ret = worker_start_in(cg, &r->w, worker_calls, 1);
	r->b.pid = r->w.pid;
	ret = ret ?: running_wait_asleep(r);
	if (!ret && running_has_ended(r)) {
		fprintf(stderr, "# %s should block and gives %ld\n", call->name,
			running_result(r));
		ret = -EINVAL;
	}
	r->switches = task_switches(r->w.pid);
	return ret;
}

static void end_process(pid_t pid)
{
	struct worker w = { .pid = pid };

	if (pid > 0 && !kill(pid, SIGKILL))
		worker_wait_exit(&w, NULL);
}

void running_stop(struct running *r)
{
	unsigned int i;

	end_process(r->w.pid);
	if (r->call->cleanup)
		r->call->cleanup(&r->b);
	end_process(r->b.helper);
	for (i = 0; i < sizeof(r->b.fd) / sizeof(*r->b.fd); i++)
		if (r->b.fd[i] >= 0)
			close(r->b.fd[i]);
	if (r->b.path[0])
		unlink(r->b.path);
	munmap(r->b.shared, 4096);
}

int running_event(struct running *r)
{
	int ret = r->call->event ? r->call->event(&r->b) : 0;

	if (ret)
		fprintf(stderr, "# the event for %s fails: %d\n", r->call->name,
			ret);
	return ret;
}

static bool finished(struct running *r)
{
	if (running_has_ended(r))
		return true;
	if (r->call->repeat)
		running_event(r);
	return false;
}

int running_finish(struct running *r)
{
	return WAIT_UNTIL(finished(r));
}

/* Freeze, thaw and see. */

/*
 * A freezer may say that a task is frozen a moment before it sleeps; after that
 * nothing may move.
 */
static int stands_still(struct running *r)
{
	bool had_ended = running_has_ended(r);
	long switches;
	int ret;

	ret = running_wait_asleep(r);
	if (ret)
		return ret;
	switches = task_switches(r->w.pid);
	pause_ms(STILL_MS);
	if (running_has_ended(r) == had_ended &&
	    task_switches(r->w.pid) == switches)
		return 0;
	fprintf(stderr, "# %s moves while frozen\n", r->call->name);
	return -EBUSY;
}

static bool ends_by_time(enum ending how)
{
	return how == TIMEOUT_AFTER_THAW || how == TIMEOUT_WHILE_FROZEN;
}

static const char *verdict_of(const struct call *call, long ret, long expected)
{
	if (ret == expected)
		return "undisturbed";
	if (call->timed && ret == call->timed_out)
		return "early";
	if (ret < 0)
		return strerrorname_np(-ret) ?: "unknown";
	return ret < call->result ? "short" : "wrong";
}

/* Of a call that has ended when nothing has happened. */
static const char *verdict_early(const struct call *call, long ret)
{
	const char *verdict = verdict_of(call, ret, call->result);

	return strcmp(verdict, "undisturbed") ? verdict : "early";
}

/*
 * A timeout that began anew at the thaw, or that did not count while frozen,
 * ends about as much later as the call was frozen.
 */
static const char *verdict_on_time(struct running *r, enum ending how,
				   long long thawed)
{
	long long due = running_began(r) + r->b.timeout;
	long long slack = (thawed - running_began(r)) / 2;

	if (WAIT_UNTIL(running_has_ended(r)))
		return "late";
	if (how == TIMEOUT_WHILE_FROZEN)
		due = thawed;
	if (running_ended(r) + JIFFY_MS < due)
		return "early";
	if (running_ended(r) > due + slack)
		return "late";
	return verdict_of(r->call, running_result(r), r->call->timed_out);
}

static const char *verdict_of_event(struct running *r)
{
	if (running_finish(r))
		return "late";
	return verdict_of(r->call, running_result(r), r->call->result);
}

/* After the thaw, nothing has happened yet. */
static int judge_after_thaw(struct running *r, enum ending how,
			    long long thawed, struct outcome *out)
{
	int ret = running_wait_asleep(r);

	if (ret)
		return ret;
	out->switches = running_switches(r);
	if (ends_by_time(how)) {
		out->verdict = verdict_on_time(r, how, thawed);
		return 0;
	}
	if (running_has_ended(r)) {
		out->verdict = verdict_early(r->call, running_result(r));
		return 0;
	}
	ret = running_event(r);
	if (!ret)
		out->verdict = verdict_of_event(r);
	return ret;
}

/* Half of the timeout, or all of it. */
static int stay_frozen(struct running *r, enum ending how)
{
	long long until = running_began(r) + r->b.timeout / 2;

	if (how == TIMEOUT_WHILE_FROZEN)
		until += r->b.timeout / 2 + STILL_MS;
	return WAIT_UNTIL(now_ms() >= until) ?: stands_still(r);
}

static int freeze_and_judge(const struct freezer_kind *kind, struct running *r,
			    enum ending how, struct outcome *out)
{
	long long thawed;
	int thaw_ret, ret;

	ret = kind_freeze(kind, "a");
	ret = ret ?: stands_still(r);
	if (!ret && how == EVENT_WHILE_FROZEN)
		ret = running_event(r) ?: stands_still(r);
	if (!ret && ends_by_time(how))
		ret = stay_frozen(r, how);
	thawed = now_ms();
	thaw_ret = kind_thaw(kind, "a");
	ret = ret ?: thaw_ret;
	if (ret)
		return ret;

	if (how != EVENT_WHILE_FROZEN)
		return judge_after_thaw(r, how, thawed, out);
	out->verdict = verdict_of_event(r);
	return 0;
}

static int run_once(const struct freezer_kind *kind, const struct call *call,
		    enum ending how, struct outcome *out)
{
	struct running r;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = running_start(&r, call, "a",
			    ends_by_time(how) ? OWN_TIME_MS : NO_TIMEOUT_MS);
	if (!ret) {
		task_file(r.w.pid, "wchan", out->where, sizeof(out->where));
		ret = freeze_and_judge(kind, &r, how, out);
	}
	running_stop(&r);
	return ret;
}

int call_run(const struct freezer_kind *kind, const struct call *call,
	     enum ending how, struct outcome *out)
{
	int i, ret;

	if (!call->event)
		how = TIMEOUT_AFTER_THAW;
	for (i = 0; i < TRIES; i++) {
		ret = run_once(kind, call, how, out);
		if (ret || !ends_by_time(how) || strcmp(out->verdict, "late"))
			break;
	}
	if (ret)
		out->verdict = "failed";
	return ret;
}

bool call_chosen(const struct call *call)
{
	const char *part = getenv("FREEZER_CALLS");

	return !part || strstr(call->name, part);
}

void call_print(const struct freezer_kind *kind, const struct call *call,
		const struct outcome *out)
{
	printf("# table %s|%s|%s|%ld\n", call->name, kind->name, out->verdict,
	       out->switches);
	fflush(stdout);
}

int calls_print(const struct freezer_kind *kind, const struct call *calls)
{
	struct outcome out;
	int failed = 0;

	for (; calls->name; calls++) {
		if (!call_chosen(calls))
			continue;
		failed += !!call_run(kind, calls, EVENT_AFTER_THAW, &out);
		call_print(kind, calls, &out);
	}
	return failed;
}
