// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may freeze whom: users with a subtree of their own, containers with a
 * view of their own cgroup and no other.
 *
 * "a" belongs to root, and "a/d" below it is given to a user.
 */
#define _GNU_SOURCE

#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "freezer_fixture.h"

#define USER		1000
#define VIEW		"/tmp/freezer_view"

/* Root's to give: the folder, and the files that take tasks and controllers. */
static int give(const char *cg)
{
	static const char * const files[] = {
		"", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control",
		"tasks",
	};
	char path[PATH_MAX];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		cg_path(cg, files[i], path, sizeof(path));
		if (chown(path, USER, USER) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int delegate(void)
{
	mkdir(VIEW, 0755);
	return cg_make("a/d") ?: cg_make("b") ?: give("a/d");
}

static int become_user(void)
{
	if (setgroups(0, NULL) || setresgid(USER, USER, USER) ||
	    setresuid(USER, USER, USER))
		return -errno;
	/* Else the files of it in /proc are root's. */
	prctl(PR_SET_DUMPABLE, 1);
	/* The change of user has cleared it, and nobody may outlive the test. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return 0;
}

/* What @fn returns, as a process of the user that begins in @cg. */
static int as_user(const char *cg, int (*fn)(void))
{
	struct worker w = { 0 };
	int ret, status;

	w.pid = track_child(fork());
	if (!w.pid) {
		ret = cg_attach(cg, 0) ?: become_user() ?: fn();
		_exit(-ret);
	}
	ret = worker_wait_exit(&w, &status);
	return ret ?: WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static void worker_of_user(struct worker *w)
{
	if (become_user())
		_exit(1);
	worker_sleeps(w);
}

/**
 * struct attempt - something that a user tries
 * @file: what it writes to
 * @text: what it writes
 */
struct attempt {
	const char	*file;
	const char	*text;
};

static const struct attempt attempts[] = {
	{ "freezer.freeze",	"1" },
	{ "freezer.freeze",	"0" },
	{ "freezer.kill",	"9" },
	{ "freezer.timeout",	"1" },
	{ "freezer.state",	"FROZEN" },
	{ "freezer.state",	"THAWED" },
	{ "cgroup.freeze",	"0" },
	{ "cgroup.kill",	"1" },
	{ "cgroup.procs",	"0" },
	{ "cgroup.threads",	"0" },
	{ "tasks",		"0" },
};

/* 0 if all of them fail in @cg, where a file may not be there at all. */
static int all_denied(const char *cg)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(attempts); i++) {
		ret = cg_write(cg, attempts[i].file, attempts[i].text);
		if (ret == -EACCES || ret == -EPERM || ret == -ENOENT)
			continue;
		fprintf(stderr, "# '%s' to %s of %s gives %d\n",
			attempts[i].text, attempts[i].file, cg, ret);
		return -EEXIST;
	}
	return 0;
}

/* Users. */

static int user_freezes_and_thaws(void)
{
	struct worker w;
	int ret;

	ret = cg_make("a/d/x") ?: worker_start_in("a/d/x", &w, worker_sleeps, 1);
	ret = ret ?: cg_freeze("a/d/x") ?: cg_wait("a/d/x", "FROZEN");
	ret = ret ?: workers_stand_still(&w, 1);
	ret = ret ?: cg_thaw("a/d/x") ?: workers_move(&w, 1);
	if (!ret && env_is_v1())
		ret = cg_write("a/d/x", "freezer.state", "FROZEN") ?:
		      cg_wait("a/d/x", "FROZEN") ?: workers_stand_still(&w, 1) ?:
		      cg_write("a/d/x", "freezer.state", "THAWED");
	ret = ret ?: workers_move(&w, 1);
	return ret ?: cg_kill("a/d/x", SIGTERM) ?: worker_wait_killed(&w, SIGTERM);
}

TEST_F(freezer, user_freezes_thaws_and_kills_in_a_subtree_of_its_own)
{
	ASSERT_EQ(0, delegate());
	EXPECT_EQ(0, as_user("a/d", user_freezes_and_thaws));
}

enum {
	SENDER_PID,
	SENDER_UID,
};

static struct slot *sender_slot;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	slot_set_note(sender_slot, SENDER_UID, info->si_uid);
	slot_set_note(sender_slot, SENDER_PID, info->si_pid);
}

static void worker_notes_the_sender(struct worker *w)
{
	struct sigaction action = {
		.sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO,
	};

	sender_slot = w->slots;
	if (sigaction(SIGRTMIN + 3, &action, NULL))
		_exit(1);
	worker_sleeps(w);
}

static int user_is_named(void)
{
	struct worker w;
	int ret;

	ret = cg_make("a/d/x");
	ret = ret ?: worker_start_in("a/d/x", &w, worker_notes_the_sender, 1);
	ret = ret ?: cg_kill("a/d/x", SIGRTMIN + 3);
	ret = ret ?: WAIT_UNTIL(slot_note(w.slots, SENDER_PID));
	if (!ret && (slot_note(w.slots, SENDER_PID) != (unsigned long)getpid() ||
		     slot_note(w.slots, SENDER_UID) != USER))
		ret = -EINVAL;
	return ret ?: cg_kill("a/d/x", SIGTERM) ?: worker_wait_killed(&w, SIGTERM);
}

TEST_F(freezer, signal_says_which_user_has_sent_it)
{
	ASSERT_EQ(0, delegate());
	EXPECT_EQ(0, as_user("a/d", user_is_named));
}

static int user_kills_all_of_a_cgroup(void)
{
	return cg_kill("a/d/x", SIGKILL);
}

/* Who may write to the file may signal all; there is no check for each. */
TEST_F(freezer, user_kills_whom_root_has_put_into_its_subtree)
{
	struct worker w[2];
	char path[PATH_MAX];

	ASSERT_EQ(0, delegate());
	ASSERT_EQ(0, cg_make("a/d/x"));
	cg_path("a/d/x", "freezer.kill", path, sizeof(path));
	ASSERT_EQ(0, chown(path, USER, USER));
	ASSERT_EQ(0, worker_start_in("a/d/x", w, worker_sleeps, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_sleeps, 1));
	EXPECT_EQ(0, as_user("a/d", user_kills_all_of_a_cgroup));
	EXPECT_EQ(0, worker_wait_killed(w, SIGKILL));
	EXPECT_EQ(0, workers_move(w + 1, 1));
}

static int user_tries_other_cgroups(void)
{
	/* The root of the hierarchy, the parent, a stranger. */
	return all_denied("..") ?: all_denied(".") ?: all_denied("a") ?:
	       all_denied("b");
}

TEST_F(freezer, user_reaches_nothing_outside)
{
	struct worker w[3];

	ASSERT_EQ(0, delegate());
	ASSERT_EQ(0, worker_start_in(".", w, worker_of_user, 1));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_of_user, 1));
	ASSERT_EQ(0, worker_start_in("b", w + 2, worker_of_user, 1));
	EXPECT_EQ(0, as_user("a/d", user_tries_other_cgroups));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
	EXPECT_TRUE(cg_reads("b", "RUNNING"));
	EXPECT_EQ(0, workers_move(w, 3));
}

/* What is outside, and is not the user's, cannot be drawn in and frozen. */
static pid_t stranger;

static int user_draws_a_stranger_in(void)
{
	int ret = cg_make("a/d/x");

	if (ret)
		return ret;
	return cg_attach("a/d", stranger) == -EACCES &&
	       cg_attach("a/d/x", stranger) == -EACCES &&
	       cg_attach_thread("a/d/x", stranger) == -EACCES ? 0 : -EEXIST;
}

TEST_F(freezer, user_draws_no_stranger_in)
{
	struct worker w;

	ASSERT_EQ(0, delegate());
	ASSERT_EQ(0, worker_start_in("b", &w, worker_sleeps, 1));
	stranger = w.pid;
	EXPECT_EQ(0, as_user("a/d", user_draws_a_stranger_in));
	EXPECT_EQ(0, cg_wait_empty("a/d/x"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

static int user_tries_its_top(void)
{
	static const char * const words[] = { "0", "1" };
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		ret = cg_write("a/d", "freezer.freeze", words[i]);
		if (ret != -EACCES)
			return -EEXIST;
	}
	/* It would thaw what root freezes next. */
	if (cg_write("a/d", "freezer.timeout", "1") != -EACCES)
		return -EEXIST;
	ret = cg_write("a/d", "freezer.state", "THAWED");
	return ret == (env_is_v1() ? -EACCES : -ENOENT) ? 0 : -EEXIST;
}

/* Root freezes "a/d", and a process of the user that is not there objects. */
TEST_F(freezer, user_cannot_thaw_what_root_has_frozen)
{
	struct worker w;

	ASSERT_EQ(0, delegate());
	ASSERT_EQ(0, worker_start_in("a/d", &w, worker_of_user, 1));
	ASSERT_EQ(0, cg_freeze("a/d"));
	ASSERT_EQ(0, cg_wait("a/d", "FROZEN"));
	EXPECT_EQ(0, as_user("b", user_tries_its_top));
	EXPECT_TRUE(cg_reads("a/d", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
}

static int user_thaws_its_child(void)
{
	return cg_thaw("a/d/x");
}

TEST_F(freezer, thaw_by_a_user_does_not_reach_below_a_parent_that_is_frozen)
{
	struct worker w;
	char path[PATH_MAX];

	ASSERT_EQ(0, delegate());
	ASSERT_EQ(0, cg_make("a/d/x"));
	cg_path("a/d/x", "freezer.freeze", path, sizeof(path));
	ASSERT_EQ(0, chown(path, USER, USER));
	ASSERT_EQ(0, worker_start_in("a/d/x", &w, worker_of_user, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, as_user("b", user_thaws_its_child));
	EXPECT_TRUE(cg_reads("a/d/x", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
}

/*
 * Containers.  A container is root in a user namespace of its own, where it is
 * the user outside, and sees at VIEW a hierarchy that begins at its cgroup.
 */

/* The notes of its slot. */
enum {
	IS_IN,		/* 1, or an error + 2 */
	GO,		/* set by the test */
	RESULT,		/* 1 + what came of it, negated */
};

static int map_root(void)
{
	return write_text("/proc/self/setgroups", "deny") ?:
	       write_text("/proc/self/uid_map", "0 1000 1") ?:
	       write_text("/proc/self/gid_map", "0 1000 1");
}

static int mount_view(void)
{
	const char *type = env_is_v1() ? "cgroup" : "cgroup2";

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("view", VIEW, type, 0, env_is_v1() ? "freezer" : NULL))
		return -errno;
	return 0;
}

static int container_enter(void)
{
	int ret = become_user();

	if (ret)
		return ret;
	if (unshare(CLONE_NEWUSER | CLONE_NEWCGROUP | CLONE_NEWNS))
		return -errno;
	return map_root() ?: mount_view();
}

/* Say whether it @is_in, wait for the test, and say what came of @fn. */
static void act_when_told(struct worker *w, int is_in, int (*fn)(void))
{
	slot_set_note(w->slots, IS_IN, 1 - is_in);
	while (!slot_note(w->slots, GO)) {
		slot_tick(w->slots);
		pause_ms(1);
	}
	slot_set_note(w->slots, RESULT, 1 - fn());
	worker_sleeps(w);
}

static void container_main(struct worker *w, int (*fn)(void))
{
	act_when_told(w, cg_attach("a/d", 0) ?: container_enter(), fn);
}

static int container_is_in(struct worker *w)
{
	int ret = WAIT_UNTIL(slot_note(w->slots, IS_IN));

	return ret ?: 1 - (int)slot_note(w->slots, IS_IN);
}

static int container_goes(struct worker *w)
{
	int ret;

	slot_set_note(w->slots, GO, 1);
	ret = WAIT_UNTIL(slot_note(w->slots, RESULT));
	return ret ?: 1 - (int)slot_note(w->slots, RESULT);
}

/* 0 if the files of the container's own cgroup refuse it. */
static int view_denies(void)
{
	const char * const files[] = {
		VIEW "/freezer.freeze", VIEW "/freezer.kill",
		VIEW "/freezer.timeout",
	};
	int ret[5] = {
		write_text(files[0], "0"), write_text(files[0], "1"),
		write_text(files[1], "9"), write_text(files[2], "1"),
		write_text(VIEW "/freezer.state", "THAWED"),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ret); i++) {
		if (ret[i] == -EACCES || ret[i] == -EPERM ||
		    (ret[i] == -ENOENT && i == 4 && !env_is_v1()))
			continue;
		fprintf(stderr, "# attempt %u gives %d\n", i, ret[i]);
		return -EEXIST;
	}
	return 0;
}

static void container_denied(struct worker *w)
{
	container_main(w, view_denies);
}

/*
 * What is frozen can write to no file; so root takes one process of the
 * container out, to speak for the others.
 */
TEST_F(freezer, container_cannot_thaw_itself)
{
	struct worker w[2];

	ASSERT_EQ(0, delegate());
	ASSERT_EQ(0, worker_start(w, container_denied, 1));
	ASSERT_EQ(0, container_is_in(w));
	ASSERT_EQ(0, worker_start_in("a/d", w + 1, worker_of_user, 1));
	ASSERT_EQ(0, cg_attach("b", w[0].pid));
	ASSERT_EQ(0, cg_freeze("a/d"));
	ASSERT_EQ(0, cg_wait("a/d", "FROZEN"));
	EXPECT_EQ(0, container_goes(w));
	EXPECT_TRUE(cg_reads("a/d", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w + 1, 1));
}

/* Everything in the view that can be written, with all that might help. */
static unsigned int nr_taken;

static int try_file(const char *path, const struct stat *st, int type,
		    struct FTW *ftw)
{
	static const char * const texts[] = {
		"0", "THAWED", "threaded", "domain", "+pids", "-freezer",
	};
	char self[16];
	unsigned int i;

	(void)st;
	/* What would kill ourselves is tried by others. */
	if (type != FTW_F || strstr(path + ftw->base, ".kill"))
		return 0;
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		nr_taken += !write_text(path, texts[i]);
	snprintf(self, sizeof(self), "%d", getpid());
	nr_taken += !write_text(path, self);
	return 0;
}

static int view_is_tried(void)
{
	char path[PATH_MAX];

	/* Cgroups of its own have files of its own. */
	if (mkdir(VIEW "/x", 0755) || mkdir(VIEW "/x/y", 0755))
		return -errno;
	if (nftw(VIEW, try_file, 16, FTW_PHYS))
		return -errno;
	/* And where a careless container sees all of the hierarchy. */
	cg_path(".", "", path, sizeof(path));
	if (nftw(path, try_file, 16, FTW_PHYS))
		return -errno;
	return nr_taken ? 0 : -ENODATA;
}

static void container_tries_all(struct worker *w)
{
	container_main(w, view_is_tried);
}

TEST_F(freezer, container_cannot_leave_its_freezer_by_any_file)
{
	struct worker w;

	ASSERT_EQ(0, delegate());
	ASSERT_EQ(0, worker_start(&w, container_tries_all, 1));
	ASSERT_EQ(0, container_is_in(&w));
	ASSERT_EQ(0, container_goes(&w));
	EXPECT_EQ(0, workers_move(&w, 1));

	ASSERT_EQ(0, cg_freeze("a/d"));
	ASSERT_EQ(0, cg_wait("a/d", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
	ASSERT_EQ(0, cg_kill("a/d", SIGTERM));
	EXPECT_EQ(0, worker_wait_killed(&w, SIGTERM));
}

/* The root of a cgroup namespace, where the user is the machine's root. */

FIXTURE(namespace)
{
};

FIXTURE_SETUP(namespace)
{
	ASSERT_EQ(0, env_setup(false));
	ASSERT_EQ(0, cg_make("a"));
	ASSERT_EQ(0, cg_make("b"));
	mkdir(VIEW, 0755);
	/* It is an option of the hierarchy, and the next mount takes it back. */
	ASSERT_EQ(0, mount("view", VIEW, "cgroup2", 0, "nsdelegate"));
}

FIXTURE_TEARDOWN(namespace)
{
	EXPECT_EQ(0, umount2(VIEW, MNT_DETACH));
	EXPECT_EQ(0, env_cleanup());
}

static int namespace_enter(void)
{
	return cg_attach("a", 0) ?: unshare(CLONE_NEWCGROUP) ? -errno : 0;
}

static int root_denies(void)
{
	return cg_write("a", "freezer.freeze", "0") == -EPERM &&
	       cg_write("a", "freezer.freeze", "1") == -EPERM &&
	       cg_write("a", "freezer.timeout", "1") == -EPERM &&
	       cg_write("a", "freezer.kill", "9") == -EPERM ? 0 : -EEXIST;
}

static void worker_in_namespace(struct worker *w)
{
	act_when_told(w, namespace_enter(), root_denies);
}

TEST_F(namespace, root_of_it_cannot_thaw_itself)
{
	struct worker w[2];

	ASSERT_EQ(0, worker_start(w, worker_in_namespace, 1));
	ASSERT_EQ(0, container_is_in(w));
	ASSERT_EQ(0, worker_start_in("a", w + 1, worker_sleeps, 1));
	ASSERT_EQ(0, cg_attach("b", w[0].pid));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, container_goes(w));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(w + 1, 1));
}

static int moves_are_denied(void)
{
	return cg_attach("b", 0) == -ENOENT && cg_attach(".", 0) == -ENOENT &&
	       cg_attach("..", 0) == -ENOENT ? 0 : -EEXIST;
}

static void worker_tries_to_leave(struct worker *w)
{
	act_when_told(w, namespace_enter(), moves_are_denied);
}

TEST_F(namespace, root_of_it_cannot_leave)
{
	struct worker w;

	ASSERT_EQ(0, worker_start(&w, worker_tries_to_leave, 1));
	ASSERT_EQ(0, container_is_in(&w));
	ASSERT_EQ(0, container_goes(&w));
	EXPECT_EQ(0, workers_move(&w, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
}

TEST_HARNESS_MAIN
