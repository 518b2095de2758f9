// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files freezer.freeze and freezer.kill: what they take, say and refuse.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "freezer_fixture.h"

TEST_F(freezer, new_cgroup_reads_running)
{
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
}

TEST_F(freezer, empty_cgroup_is_frozen_when_the_write_returns)
{
	ASSERT_EQ(0, cg_write("a", "freezer.freeze", "1"));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	ASSERT_EQ(0, cg_write("a", "freezer.freeze", "0"));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
}

TEST_F(freezer, writing_the_same_again_changes_nothing)
{
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_freeze("a"));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	ASSERT_EQ(0, cg_thaw("a"));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
}

TEST_F(freezer, whitespace_before_and_after_the_number_is_ignored)
{
	ASSERT_EQ(0, cg_write("a", "freezer.freeze", "1\n"));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	ASSERT_EQ(0, cg_write("a", "freezer.freeze", " 0\n"));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
	ASSERT_EQ(0, cg_write("a", "freezer.freeze", "\t1 "));
	EXPECT_TRUE(cg_reads("a", "FROZEN"));
	EXPECT_EQ(0, cg_write("a", "freezer.kill", " 9\n"));
}

TEST_F(freezer, state_is_one_line)
{
	char buf[64] = "";
	int fd = cg_open("a", "freezer.freeze", O_RDONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(8, read(fd, buf, sizeof(buf)));
	EXPECT_STREQ("RUNNING\n", buf);
	EXPECT_EQ(0, read(fd, buf, sizeof(buf)));
	close(fd);
}

struct bad_input {
	const char	*text;
	int		ret;
};

static const struct bad_input bad_freeze_input[] = {
	{ "",				0 },	/* never gets to us */
	{ "\n",				-EINVAL },
	{ " ",				-EINVAL },
	{ "x",				-EINVAL },
	{ "1x",				-EINVAL },
	{ "1 1",			-EINVAL },
	{ "0x1",			-EINVAL },
	{ "1.0",			-EINVAL },
	{ "--1",			-EINVAL },
	{ "FROZEN",			-EINVAL },
	{ "2",				-ERANGE },
	{ "-1",				-ERANGE },
	{ "4294967297",			-ERANGE },
	{ "99999999999999999999",	-ERANGE },
	{ "-99999999999999999999",	-ERANGE },
};

static const struct bad_input bad_kill_input[] = {
	{ "",				0 },	/* never gets to us */
	{ "\n",				-EINVAL },
	{ " ",				-EINVAL },
	{ "x",				-EINVAL },
	{ "9x",				-EINVAL },
	{ "9 9",			-EINVAL },
	{ "0x9",			-EINVAL },
	{ "KILL",			-EINVAL },
	{ "0",				-ERANGE },
	{ "65",				-ERANGE },
	{ "-1",				-ERANGE },
	{ "-9",				-ERANGE },
	{ "4294967305",			-ERANGE },
	{ "99999999999999999999",	-ERANGE },
};

/* Each of them refused with the right error, and the state as it was. */
static int refuses(const char *file, const struct bad_input *bad,
		   unsigned int nr, const char *state)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		ret = cg_write("a", file, bad[i].text);
		if (ret != bad[i].ret || !cg_reads("a", state)) {
			fprintf(stderr, "# '%s' to %s: %d should be %d\n",
				bad[i].text, file, ret, bad[i].ret);
			return -EINVAL;
		}
	}
	return 0;
}

TEST_F(freezer, bad_freeze_input_is_refused_and_changes_nothing)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	EXPECT_EQ(0, refuses("freezer.freeze", bad_freeze_input,
			     ARRAY_SIZE(bad_freeze_input), "RUNNING"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

TEST_F(freezer, bad_freeze_input_does_not_thaw)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_wait("a", "FROZEN"));
	EXPECT_EQ(0, refuses("freezer.freeze", bad_freeze_input,
			     ARRAY_SIZE(bad_freeze_input), "FROZEN"));
	EXPECT_EQ(0, workers_stand_still(&w, 1));
}

TEST_F(freezer, bad_kill_input_is_refused_and_kills_nobody)
{
	struct worker w;

	ASSERT_EQ(0, worker_start_in("a", &w, worker_sleeps, 1));
	EXPECT_EQ(0, refuses("freezer.kill", bad_kill_input,
			     ARRAY_SIZE(bad_kill_input), "RUNNING"));
	EXPECT_EQ(0, workers_move(&w, 1));
}

static int mode_of(const char *file)
{
	char path[PATH_MAX];
	struct stat st;

	cg_path("a", file, path, sizeof(path));
	return stat(path, &st) ? -errno : (int)(st.st_mode & 0777);
}

TEST_F(freezer, kill_file_is_write_only)
{
	char buf[64];

	EXPECT_EQ(-EINVAL, cg_read("a", "freezer.kill", buf, sizeof(buf)));
	EXPECT_EQ(0200, mode_of("freezer.kill"));
}

TEST_F(freezer, other_files_are_for_all_to_read_and_for_the_owner_to_write)
{
	EXPECT_EQ(0644, mode_of("freezer.freeze"));
	EXPECT_EQ(0644, mode_of("freezer.timeout"));
	EXPECT_EQ(0444, mode_of("freezer.pending"));
	EXPECT_EQ(0444, mode_of("freezer.stat"));
}

TEST_F(freezer, kill_of_an_empty_cgroup_succeeds)
{
	EXPECT_EQ(0, cg_kill("a", 9));
	EXPECT_EQ(0, cg_kill("a", 64));
}

/* The cgroup of the environment is a child of the root. */
TEST_F(freezer, root_cgroup_has_no_files)
{
	EXPECT_EQ(-ENOENT, cg_open("..", "freezer.freeze", O_RDONLY));
	EXPECT_EQ(-ENOENT, cg_open("..", "freezer.kill", O_WRONLY));
	EXPECT_EQ(0, cg_attach("..", 0));
}

TEST_F(freezer, files_of_a_removed_cgroup_give_enodev)
{
	int freeze = cg_open("a", "freezer.freeze", O_RDWR);
	int kill = cg_open("a", "freezer.kill", O_WRONLY);
	char buf[64];

	ASSERT_LE(0, freeze);
	ASSERT_LE(0, kill);
	ASSERT_EQ(0, cg_remove("a"));

	EXPECT_EQ(-1, write(freeze, "1", 1));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-1, read(freeze, buf, sizeof(buf)));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-1, write(kill, "9", 1));
	EXPECT_EQ(ENODEV, errno);
	close(freeze);
	close(kill);
}

TEST_F(freezer, frozen_cgroup_can_be_removed_and_made_anew)
{
	ASSERT_EQ(0, cg_freeze("a"));
	ASSERT_EQ(0, cg_remove("a"));
	ASSERT_EQ(0, cg_make("a"));
	EXPECT_TRUE(cg_reads("a", "RUNNING"));
}

TEST_HARNESS_MAIN
