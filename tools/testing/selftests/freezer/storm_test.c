// SPDX-License-Identifier: GPL-2.0-only
/*
 * A storm of freeze, thaw, kill, fork, exec, threads, attach, mkdir, rmdir,
 * timeouts and reads at random.  Now and then the test takes a group of cgroups
 * for itself and looks whether frozen means frozen; at the end everything must
 * still work.
 *
 * FREEZER_STORM_SECONDS is the time for both hierarchies together, and is 60
 * if not set.  FREEZER_STORM_SEED repeats the choices, though not what comes of
 * them.
 */
#define _GNU_SOURCE

#include <signal.h>

#include "freezer_fixture.h"
#include "storm.h"

#define NR_STORMERS	4
#define MAX_MEMBERS	((NR_CHILDREN + 1) * MAX_LISTED)

/* A group and what it has of children. */
static int for_group(int group, int (*fn)(const char *cg))
{
	int child, ret = 0;
	char cg[32];

	for (child = NR_CHILDREN; child >= 0 && !ret; child--) {
		group_name(cg, sizeof(cg), group, child);
		ret = may_be_gone(fn(cg));
	}
	return ret;
}

/* The processes of a group, and how far they have counted. */
struct members {
	unsigned int	nr;
	pid_t		pids[MAX_MEMBERS];
	unsigned int	counts[MAX_MEMBERS];
};

static void members_take(struct members *m, int group)
{
	char cg[32];
	unsigned int i;
	int child;

	m->nr = 0;
	for (child = 0; child <= NR_CHILDREN; child++) {
		group_name(cg, sizeof(cg), group, child);
		m->nr += cg_procs(cg, m->pids + m->nr, MAX_LISTED);
	}
	for (i = 0; i < m->nr; i++)
		m->counts[i] = atomic_load(&storm->counts[m->pids[i]]);
}

/* NULL for who was not there. */
static const unsigned int *member_count(const struct members *m, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++)
		if (m->pids[i] == pid)
			return m->counts + i;
	return NULL;
}

static bool member_is_at(const struct members *m, pid_t pid, unsigned int count)
{
	const unsigned int *was = member_count(m, pid);

	return was && *was == count;
}

/* A task that was exiting already may go, but nobody counts and nobody comes. */
static int members_stand_still(int group)
{
	static struct members before, after;
	const unsigned int *was;
	unsigned int i;
	int ret = 0;

	members_take(&before, group);
	pause_ms(STILL_MS);
	members_take(&after, group);
	for (i = 0; i < after.nr; i++) {
		if (member_is_at(&before, after.pids[i], after.counts[i]))
			continue;
		was = member_count(&before, after.pids[i]);
		fprintf(stderr, "# %d is in g%d, which is frozen, and %s: %u, %u\n",
			after.pids[i], group, was ? "runs" : "has come",
			was ? *was : 0, after.counts[i]);
		task_describe(after.pids[i]);
		ret = -EBUSY;
	}
	return ret;
}

/* How many of them are there and have not moved; may tell which. */
static unsigned int members_unmoved(const struct members *before, int group,
				    bool tell)
{
	static struct members now;
	unsigned int i, nr = 0;

	members_take(&now, group);
	for (i = 0; i < before->nr; i++) {
		if (!member_is_at(&now, before->pids[i], before->counts[i]))
			continue;
		nr++;
		if (tell)
			task_describe(before->pids[i]);
	}
	return nr;
}

static int send_cont(const char *cg)
{
	return cg_kill(cg, SIGCONT);
}

static int members_move(int group)
{
	static struct members before;
	int ret;

	members_take(&before, group);
	ret = WAIT_UNTIL(!members_unmoved(&before, group, false));
	if (ret) {
		fprintf(stderr, "# g%d is thawed, and some do not run\n", group);
		members_unmoved(&before, group, true);
	}
	return ret;
}

/* With the group for us alone: frozen it is still, thawed it runs. */
static int check_group(int group)
{
	char cg[32];
	int ret;

	group_name(cg, sizeof(cg), group, 0);
	pthread_rwlock_wrlock(&storm->locks[group]);
	/* A freeze that begins here and is for ever */
	ret = cg_thaw(cg);
	ret = ret ?: cg_write(cg, "freezer.timeout", "0");
	ret = ret ?: cg_freeze(cg);
	ret = ret ?: cg_wait(cg, "FROZEN");
	ret = ret ?: members_stand_still(group);
	ret = ret ?: for_group(group, cg_thaw);
	ret = ret ?: for_group(group, send_cont);
	ret = ret ?: cg_reads(cg, "RUNNING") ? 0 : -EINVAL;
	ret = ret ?: members_move(group);
	pthread_rwlock_unlock(&storm->locks[group]);
	return ret;
}

static int wait_empty(const char *cg)
{
	char buf[32];

	return cg_read(cg, "freezer.freeze", buf, sizeof(buf)) ?: cg_wait_empty(cg);
}

/* Freeze first, so that nobody forks ahead of the signal. */
static int end_group(int group)
{
	char cg[32];
	int ret;

	group_name(cg, sizeof(cg), group, 0);
	ret = cg_freeze(cg);
	ret = ret ?: cg_wait(cg, "FROZEN");
	ret = ret ?: cg_kill(cg, SIGKILL);
	ret = ret ?: cg_thaw(cg);
	return ret ?: for_group(group, wait_empty);
}

static int remove_cgroup(const char *cg)
{
	return WAIT_UNTIL(!may_be_gone(cg_remove(cg)));
}

static int remove_group(int group)
{
	return for_group(group, remove_cgroup);
}

static int make_group(int group)
{
	char cg[32];

	group_name(cg, sizeof(cg), group, 0);
	return cg_make(cg);
}

static int for_groups(int (*fn)(int group))
{
	int group, ret = 0;

	for (group = 0; group < NR_GROUPS && !ret; group++)
		ret = fn(group);
	return ret;
}

static int start_stormers(struct worker *w)
{
	int i, ret = 0;

	for (i = 0; i < NR_STORMERS && !ret; i++)
		ret = worker_start(w + i, stormer_main, 1);
	return ret ?: workers_move(w, NR_STORMERS);
}

/* They have ended by themselves, and with no error. */
static int stop_stormers(struct worker *w)
{
	int i, status, ret = 0;

	atomic_store(&storm->stop, true);
	for (i = 0; i < NR_STORMERS && !ret; i++)
		ret = worker_wait_exit(w + i, &status) ?: status ? -EIO : 0;
	return ret;
}

static int check_until(long long end)
{
	unsigned int checks = 0;
	int ret = 0;

	while (!ret && now_ms() < end)
		ret = check_group(checks++ % NR_GROUPS);
	fprintf(stderr, "# %lu operations, %u checks\n",
		atomic_load(&storm->ops), checks);
	return ret;
}

/* Freeze, thaw and kill of what was not there during the storm. */
static int fresh_cycle(void)
{
	struct worker w[2];
	int i, status, ret;

	ret = worker_start_in("a", w, worker_has_threads, 8);
	ret = ret ?: worker_start_in("a", w + 1, worker_forks, 1);
	ret = ret ?: cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	ret = ret ?: workers_stand_still(w, 2);
	ret = ret ?: cg_thaw("a");
	ret = ret ?: workers_move(w, 2);
	ret = ret ?: cg_freeze("a");
	ret = ret ?: cg_wait("a", "FROZEN");
	ret = ret ?: cg_kill("a", SIGKILL);
	ret = ret ?: cg_thaw("a");
	for (i = 0; i < 2 && !ret; i++)
		ret = worker_wait_exit(w + i, &status);
	return ret ?: cg_wait_empty("a");
}

TEST_F_TIMEOUT(freezer, everything_works_during_and_after_a_storm, 86400)
{
	unsigned int seconds = env_number("FREEZER_STORM_SECONDS", 60);
	unsigned int seed = env_number("FREEZER_STORM_SEED", now_ms() % 1000000);
	struct worker stormers[NR_STORMERS];

	fprintf(stderr, "# FREEZER_STORM_SECONDS=%u FREEZER_STORM_SEED=%u\n",
		seconds, seed);
	ASSERT_EQ(0, storm_create(seed));
	ASSERT_EQ(0, for_groups(make_group));
	ASSERT_EQ(0, start_stormers(stormers));
	EXPECT_EQ(0, check_until(now_ms() + seconds * 1000LL / 2));
	EXPECT_EQ(0, stop_stormers(stormers));

	EXPECT_EQ(0, for_groups(check_group));
	EXPECT_EQ(0, for_groups(end_group));
	EXPECT_EQ(0, for_groups(remove_group));
	EXPECT_EQ(0, fresh_cycle());
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], CROWD_ARG))
		return crowd_exec_main(argv);
	return test_harness_run(argc, argv);
}
