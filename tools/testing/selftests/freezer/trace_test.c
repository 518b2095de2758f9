// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints freezer:* tell what the state machine does.
 *
 * Needs: CONFIG_EVENT_TRACING
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "freezer_fixture.h"

#define TRACING		"/sys/kernel/tracing"
#define MAX_EVENTS	20000
#define MAX_CGROUPS	8

enum what { FREEZE, FROZEN, THAW, PENDING, TIMEOUT, KILL, NR_WHAT };

static const char * const names[] = {
	"freezer_freeze", "freezer_frozen", "freezer_thaw",
	"freezer_pending", "freezer_timeout", "freezer_kill",
};

/**
 * struct event - a line of the trace
 * @what: its tracepoint
 * @id: the cgroup
 * @parent: the one above
 * @level: how deep it is
 * @number: of the two fields at the end the first, whatever it is
 * @nr: the second
 */
struct event {
	enum what		what;
	unsigned long long	id;
	unsigned long long	parent;
	int			level;
	int			number;
	unsigned int		nr;
};

static struct event events[MAX_EVENTS];
static int nr_events;

/* Cgroups of a new hierarchy have the numbers of the last one. */
static int forget_events(void)
{
	int fd = open(TRACING "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/*
 * Names of tasks are not needed: to learn them, tracing patches the scheduler, and
 * QEMU does not always get over that (scripts/boot.sh).
 */
static int tracing_start(void)
{
	mount("tracefs", TRACING, "tracefs", 0, NULL);
	return write_text(TRACING "/tracing_on", "0") ?:
	       forget_events() ?:
	       set_for_test(TRACING "/options/record-cmd", 0) ?:
	       write_text(TRACING "/buffer_size_kb", "4096") ?:
	       set_for_test(TRACING "/events/freezer/enable", 1) ?:
	       write_text(TRACING "/tracing_on", "1");
}

static int parse_event(const char *line, struct event *e)
{
	const char *text = NULL;
	int what;

	for (what = 0; what < NR_WHAT && !text; what++) {
		text = strstr(line, names[what]);
		e->what = what;
	}
	if (!text)
		return -EINVAL;
	text = strchr(text, ' ');
	return sscanf(text, " root=%*d id=%llu parent=%llu level=%d %*[a-z_]=%d %*[a-z_]=%u",
		      &e->id, &e->parent, &e->level, &e->number, &e->nr) == 5 ?
	       0 : -EINVAL;
}

/*
 * In the order of time: the lines of all processors are merged.  That no more are
 * made is up to env_cleanup(), which a test that fails comes to as well.
 */
static int tracing_stop(void)
{
	char line[512];
	int ret = 0;
	FILE *f;

	ret = write_text(TRACING "/tracing_on", "0");
	f = fopen(TRACING "/trace", "re");
	if (!f)
		return -errno;
	for (nr_events = 0; !ret && fgets(line, sizeof(line), f);) {
		if (line[0] == '#')
			continue;
		ret = nr_events < MAX_EVENTS ?
		      parse_event(line, events + nr_events++) : -E2BIG;
		if (ret)
			fprintf(stderr, "# %s", line);
	}
	fclose(f);
	return ret;
}

static unsigned long long cg_id(const char *cg)
{
	char path[512];
	struct stat st;

	cg_path(cg, "", path, sizeof(path));
	return stat(path, &st) ? 0 : st.st_ino;
}

/* The state of a cgroup that has been FREEZE, FROZEN or THAW last. */
static const char * const words[] = { "FREEZING", "FROZEN", "RUNNING" };

static bool may_follow(enum what before, enum what after)
{
	switch (after) {
	case FREEZE:
		return before == THAW || before == FROZEN;
	case FROZEN:
		return before == FREEZE;
	case THAW:
		return before == FREEZE || before == FROZEN;
	case TIMEOUT:
		/* RUNNING, when it comes before the freeze has begun */
		return before != FROZEN;
	default:
		/* A task can be marked just before the state follows. */
		return true;
	}
}

/* Run the events of one cgroup through the state machine: where does it end? */
static int replay(unsigned long long id)
{
	enum what state = THAW;
	int i;

	for (i = 0; i < nr_events; i++) {
		struct event *e = events + i;

		if (e->id != id)
			continue;
		if (!may_follow(state, e->what) ||
		    (e->what == FROZEN && (e->number || e->nr))) {
			fprintf(stderr, "# event %d: %s in %s, %d %u\n", i,
				names[e->what], words[state], e->number, e->nr);
			return -EINVAL;
		}
		if (e->what <= THAW)
			state = e->what;
	}
	return state;
}

static int nr_of(enum what what, unsigned long long id)
{
	int i, nr = 0;

	for (i = 0; i < nr_events; i++)
		nr += events[i].what == what && events[i].id == id;
	return nr;
}

static struct event *find(enum what what, unsigned long long id)
{
	int i;

	for (i = 0; i < nr_events; i++)
		if (events[i].what == what && events[i].id == id)
			return events + i;
	return NULL;
}

TEST_F(freezer, cycle_is_freeze_frozen_and_thaw)
{
	unsigned long long id = cg_id("a");
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, tracing_start());
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, cg_kill("a", SIGKILL));
	ASSERT_EQ(0, worker_wait_killed(&w, SIGKILL));
	ASSERT_EQ(0, tracing_stop());
	EXPECT_EQ(1, nr_of(FREEZE, id));
	EXPECT_EQ(1, nr_of(FROZEN, id));
	EXPECT_EQ(1, nr_of(THAW, id));
	ASSERT_EQ(1, nr_of(KILL, id));
	EXPECT_EQ(THAW, replay(id));
	EXPECT_EQ(SIGKILL, find(KILL, id)->number);
	EXPECT_EQ(1U, find(KILL, id)->nr);
	EXPECT_EQ(2, find(KILL, id)->level);
	EXPECT_EQ(cg_id("."), find(KILL, id)->parent);
}

TEST_F(freezer, blocked_freeze_is_pending_and_timeout)
{
	unsigned long long id = cg_id("a");
	struct worker w;

	ASSERT_EQ(0, stuck_setup());
	ASSERT_EQ(0, stuck_worker_start_in("a", &w));
	ASSERT_EQ(0, cg_write("a", "freezer.timeout", "50"));
	ASSERT_EQ(0, tracing_start());
	ASSERT_EQ(0, cg_freeze("a"));
	/* This is for the next freeze. */
	ASSERT_EQ(0, cg_write("a", "freezer.timeout", "0"));
	ASSERT_EQ(0, cg_wait("a", "RUNNING"));
	ASSERT_EQ(0, tracing_stop());
	EXPECT_EQ(THAW, replay(id));
	EXPECT_EQ(1, nr_of(FREEZE, id));
	EXPECT_EQ(0, nr_of(FROZEN, id));
	ASSERT_EQ(1, nr_of(PENDING, id));
	EXPECT_EQ(w.pid, find(PENDING, id)->number);
	EXPECT_EQ(1U, find(PENDING, id)->nr);
	ASSERT_EQ(1, nr_of(TIMEOUT, id));
	EXPECT_EQ(50, find(TIMEOUT, id)->number);
	EXPECT_EQ(1U, find(TIMEOUT, id)->nr);
}

static const char * const tree[] = { "a", "a/b", "a/b/c", "a/d" };

static int random_act(unsigned int *seed)
{
	const char *cg = tree[rand_r(seed) % ARRAY_SIZE(tree)];
	int ret;

	ret = rand_r(seed) % 2 ? cg_freeze(cg) : cg_thaw(cg);
	pause_ms(rand_r(seed) % 3);
	return ret;
}

/* With nobody who changes anything any more, the trace and the files agree. */
TEST_F_TIMEOUT(freezer, random_run_goes_by_the_state_machine, 120)
{
	unsigned int i, seed = 1, nr = env_number("FREEZER_ROUNDS", 500);
	unsigned long long ids[ARRAY_SIZE(tree)];
	struct worker w[3];
	int state;

	for (i = 1; i < ARRAY_SIZE(tree); i++)
		ASSERT_EQ(0, cg_make(tree[i]));
	ASSERT_EQ(0, worker_start_in("a/b/c", w, worker_spins, 1));
	ASSERT_EQ(0, worker_start_in("a/b", w + 1, worker_forks, 1));
	ASSERT_EQ(0, worker_start_in("a/d", w + 2, worker_vforks, 1));
	ASSERT_EQ(0, cg_write("a/b", "freezer.timeout", "1"));
	ASSERT_EQ(0, tracing_start());
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, random_act(&seed));
	ASSERT_EQ(0, cg_write("a/b", "freezer.timeout", "0"));
	ASSERT_EQ(0, cg_thaw("a/d"));
	ASSERT_EQ(0, cg_thaw("a"));
	ASSERT_EQ(0, cg_thaw("a/b"));
	ASSERT_EQ(0, cg_freeze("a/b"));
	ASSERT_EQ(0, cg_wait("a/b", "FROZEN"));
	ASSERT_EQ(0, tracing_stop());
	for (i = 0; i < ARRAY_SIZE(tree); i++) {
		ids[i] = cg_id(tree[i]);
		state = replay(ids[i]);
		ASSERT_LE(0, state);
		EXPECT_TRUE(cg_reads(tree[i], words[state]));
		EXPECT_EQ(cg_stat(tree[i], "timeouts"), nr_of(TIMEOUT, ids[i]));
		fprintf(stderr, "# %s: %d freeze, %d frozen, %d thaw, %d pending, %d timeout\n",
			tree[i], nr_of(FREEZE, ids[i]), nr_of(FROZEN, ids[i]),
			nr_of(THAW, ids[i]), nr_of(PENDING, ids[i]),
			nr_of(TIMEOUT, ids[i]));
	}
}

TEST_HARNESS_MAIN
