// SPDX-License-Identifier: GPL-2.0-only
/*
 * The environment of a test: mounts, cgroups, and how all of it goes away.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "freezer_util.h"

#define MOUNTS		"/tmp/freezer_selftest"
#define TOP_CGROUP	"freezer_selftest"
#define MAX_CHILDREN	4096
#define MAX_SETTINGS	4

/**
 * struct setting - a number in a file, that a test has changed
 * @path: the file
 * @old: what it was before
 */
struct setting {
	const char	*path;
	long long	old;
};

static struct {
	bool		v1;
	char		mount[128];
	char		top[192];
	pid_t		children[MAX_CHILDREN];
	unsigned int	nr_children;
	struct setting	settings[MAX_SETTINGS];
	unsigned int	nr_settings;
} env;

long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

bool pause_before(long long end)
{
	if (now_ms() >= end)
		return false;
	pause_ms(1);
	return true;
}

unsigned int env_number(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

bool env_is_v1(void)
{
	return env.v1;
}

/* Files. */

int write_text(const char *path, const char *text)
{
	ssize_t ret;
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text));
	ret = ret < 0 ? -errno : 0;
	close(fd);
	return ret;
}

int write_number(const char *path, long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", number);
	return write_text(path, text);
}

int read_number(const char *path, long long *number)
{
	FILE *f = fopen(path, "re");
	int ret;

	if (!f)
		return -errno;
	ret = fscanf(f, "%lld", number) == 1 ? 0 : -EINVAL;
	fclose(f);
	return ret;
}

int set_for_test(const char *path, long long number)
{
	struct setting *setting = env.settings + env.nr_settings;
	int ret;

	if (env.nr_settings == MAX_SETTINGS)
		return -ENOSPC;
	setting->path = path;
	ret = read_number(path, &setting->old);
	if (ret)
		return ret;
	env.nr_settings++;
	return write_number(path, number);
}

/* The last one first; some are refused while the system is busy with them. */
static int restore_settings(void)
{
	struct setting *setting;
	int failed, ret = 0;

	while (env.nr_settings) {
		setting = env.settings + --env.nr_settings;
		failed = WAIT_UNTIL(!write_number(setting->path, setting->old));
		if (failed)
			fprintf(stderr, "# %s should be %lld again\n",
				setting->path, setting->old);
		ret = ret ?: failed;
	}
	return ret;
}

int cg_path(const char *cg, const char *file, char *buf, size_t size)
{
	int len = snprintf(buf, size, "%s/%s/%s", env.top, cg, file);

	return len < (int)size ? 0 : -ENAMETOOLONG;
}

int cg_open(const char *cg, const char *file, int flags)
{
	char path[PATH_MAX];
	int fd;

	cg_path(cg, file, path, sizeof(path));
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int cg_write(const char *cg, const char *file, const char *text)
{
	char path[PATH_MAX];

	cg_path(cg, file, path, sizeof(path));
	return write_text(path, text);
}

/* Without the newline at the end. */
int cg_read(const char *cg, const char *file, char *buf, size_t size)
{
	ssize_t len;
	int fd, ret;

	buf[0] = '\0';
	fd = cg_open(cg, file, O_RDONLY);
	if (fd < 0)
		return fd;
	len = read(fd, buf, size - 1);
	ret = len < 0 ? -errno : 0;
	close(fd);

	buf[len > 0 ? len : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return ret;
}

int cg_read_all(const char *cg, const char *file, char *buf, size_t size,
		size_t step)
{
	size_t len = 0;
	ssize_t got = 1;
	int fd;

	fd = cg_open(cg, file, O_RDONLY);
	if (fd < 0)
		return fd;
	while (got > 0 && len + step < size) {
		got = read(fd, buf + len, step);
		len += got > 0 ? got : 0;
	}
	buf[len] = '\0';
	if (got)
		got = got < 0 ? -errno : -E2BIG;
	close(fd);
	return got;
}

bool cg_event(const char *cg, const char *line)
{
	char buf[256];

	return !cg_read_all(cg, "cgroup.events", buf, sizeof(buf), 128) &&
	       strstr(buf, line);
}

long long cg_stat(const char *cg, const char *key)
{
	char buf[1024], *line, *end;
	size_t len = strlen(key);
	int ret;

	ret = cg_read_all(cg, "freezer.stat", buf, sizeof(buf), 512);
	if (ret)
		return ret;
	for (line = buf; (end = strchr(line, '\n')); line = end + 1)
		if (!strncmp(line, key, len) && line[len] == ' ')
			return atoll(line + len);
	return -ENOENT;
}

/* Cgroups. */

int cg_make(const char *cg)
{
	char path[PATH_MAX];

	cg_path(cg, "", path, sizeof(path));
	return mkdir(path, 0755) ? -errno : 0;
}

int cg_remove(const char *cg)
{
	char path[PATH_MAX];

	cg_path(cg, "", path, sizeof(path));
	return rmdir(path) ? -errno : 0;
}

int cg_freeze(const char *cg)
{
	return cg_write(cg, "freezer.freeze", "1");
}

int cg_thaw(const char *cg)
{
	return cg_write(cg, "freezer.freeze", "0");
}

int cg_kill(const char *cg, int sig)
{
	char path[PATH_MAX];

	cg_path(cg, "freezer.kill", path, sizeof(path));
	return write_number(path, sig);
}

void cg_describe(const char *cg)
{
	char path[PATH_MAX];
	FILE *f;
	int tid;

	cg_path(cg, cg_threads_file(), path, sizeof(path));
	f = fopen(path, "re");
	if (!f)
		return;
	while (fscanf(f, "%d", &tid) == 1)
		task_describe(tid);
	fclose(f);
}

bool cg_file_reads(const char *cg, const char *file, const char *text)
{
	char buf[64];

	return !cg_read(cg, file, buf, sizeof(buf)) && !strcmp(buf, text);
}

int cg_file_wait(const char *cg, const char *file, const char *text)
{
	char buf[64];
	int ret;

	ret = WAIT_UNTIL(cg_file_reads(cg, file, text));
	if (ret) {
		cg_read(cg, file, buf, sizeof(buf));
		fprintf(stderr, "# %s should be %s and is '%s'\n", cg, text, buf);
		cg_describe(cg);
	}
	return ret;
}

bool cg_reads(const char *cg, const char *state)
{
	return cg_file_reads(cg, "freezer.freeze", state);
}

int cg_wait(const char *cg, const char *state)
{
	return cg_file_wait(cg, "freezer.freeze", state);
}

/* Events. */

bool fd_reads(int fd, const char *text)
{
	char buf[64] = "";

	if (pread(fd, buf, sizeof(buf) - 1, 0) <= 0)
		return false;
	buf[strcspn(buf, "\n")] = '\0';
	return !strcmp(buf, text);
}

int poll_until(int fd, const char *text)
{
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };

	do {
		if (poll(&pfd, 1, DEADLINE_MS) != 1)
			return -ETIMEDOUT;
		if (!(pfd.revents & POLLPRI))
			return -EIO;
	} while (!fd_reads(fd, text));
	return 0;
}

int poll_reports(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };
	int nr = 0;

	while (poll(&pfd, 1, ms) == 1 && pfd.revents & POLLPRI) {
		fd_reads(fd, "");
		nr++;
	}
	return nr;
}

int cg_open_quiet(const char *cg, const char *state)
{
	int fd = cg_open(cg, "freezer.freeze", O_RDONLY);

	if (fd < 0)
		return fd;
	poll_reports(fd, 100);
	if (fd_reads(fd, state))
		return fd;
	close(fd);
	return -EINVAL;
}

const char *cg_threads_file(void)
{
	return env.v1 ? "tasks" : "cgroup.threads";
}

int cg_attach(const char *cg, pid_t pid)
{
	char path[PATH_MAX];

	cg_path(cg, "cgroup.procs", path, sizeof(path));
	return write_number(path, pid);
}

int cg_attach_thread(const char *cg, pid_t tid)
{
	char path[PATH_MAX];

	cg_path(cg, cg_threads_file(), path, sizeof(path));
	return write_number(path, tid);
}

unsigned int cg_procs(const char *cg, pid_t *pids, unsigned int max)
{
	char path[PATH_MAX];
	unsigned int nr = 0;
	FILE *f;

	cg_path(cg, "cgroup.procs", path, sizeof(path));
	f = fopen(path, "re");
	if (!f)
		return 0;
	/* A process that is being reaped shows as 0, which is us to who writes it. */
	while (nr < max && fscanf(f, "%d", pids + nr) == 1)
		nr += pids[nr] > 0;
	fclose(f);
	return nr;
}

static bool cg_is_empty(const char *cg)
{
	char buf[64];

	return !cg_read(cg, cg_threads_file(), buf, sizeof(buf)) && !buf[0];
}

int cg_wait_empty(const char *cg)
{
	int ret = WAIT_UNTIL(cg_is_empty(cg));

	if (ret) {
		fprintf(stderr, "# %s should be empty and is not\n", cg);
		cg_describe(cg);
	}
	return ret;
}

/* Children of the test, to be reaped at the end. */

/* Who has been reaped is no child of ours, whoever has that number now. */
static void forget_reaped_children(void)
{
	unsigned int i, kept = 0;
	siginfo_t info;

	for (i = 0; i < env.nr_children; i++)
		if (!waitid(P_PID, env.children[i], &info,
			    WEXITED | WNOHANG | WNOWAIT))
			env.children[kept++] = env.children[i];
	env.nr_children = kept;
}

pid_t track_child(pid_t pid)
{
	if (pid <= 0)
		return pid;
	/* Tests with many rounds start many, one after the other. */
	if (env.nr_children == MAX_CHILDREN)
		forget_reaped_children();
	if (env.nr_children == MAX_CHILDREN) {
		fprintf(stderr, "# a test has more than %d children\n",
			MAX_CHILDREN);
		abort();
	}
	env.children[env.nr_children++] = pid;
	return pid;
}

static void kill_children(void)
{
	unsigned int i;

	forget_reaped_children();
	for (i = 0; i < env.nr_children; i++)
		kill(env.children[i], SIGKILL);
}

static bool reap_children(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

int worker_wait_rounds(struct worker *w, unsigned int nr)
{
	unsigned int done;
	int ret = 0;

	for (done = 1; done <= nr && !ret; done++)
		ret = WAIT_UNTIL(slot_count(w->slots) >= done);
	if (ret) {
		fprintf(stderr, "# stands at round %lu\n", slot_count(w->slots));
		task_describe(w->pid);
	}
	return ret;
}

/* The end of a tree of cgroups and of all that is in it. */

static void walk_cgroups(const char *path, void (*fn)(const char *path))
{
	char sub[PATH_MAX];
	struct dirent *ent;
	DIR *dir;

	dir = opendir(path);
	if (!dir)
		return;
	while ((ent = readdir(dir))) {
		if (ent->d_type != DT_DIR || ent->d_name[0] == '.')
			continue;
		snprintf(sub, sizeof(sub), "%s/%s", path, ent->d_name);
		walk_cgroups(sub, fn);
	}
	closedir(dir);
	fn(path);
}

static void sweep_kill(const char *path)
{
	char file[PATH_MAX + 32];
	FILE *f;
	int tid;

	snprintf(file, sizeof(file), "%s/%s", path, cg_threads_file());
	f = fopen(file, "re");
	if (!f)
		return;
	/* A thread that has just died is listed as 0, which to kill() is us. */
	while (fscanf(f, "%d", &tid) == 1)
		if (tid)
			kill(tid, SIGKILL);
	fclose(f);
}

static void sweep_thaw(const char *path)
{
	char file[PATH_MAX + 32];

	snprintf(file, sizeof(file), "%s/freezer.freeze", path);
	write_text(file, "0");
	/* Those of others, which some tests use beside it. */
	snprintf(file, sizeof(file), "%s/cgroup.freeze", path);
	write_text(file, "0");
	snprintf(file, sizeof(file), "%s/freezer.state", path);
	write_text(file, "THAWED");
}

static void sweep_remove(const char *path)
{
	rmdir(path);
}

static bool swept(void)
{
	walk_cgroups(env.top, sweep_kill);
	walk_cgroups(env.top, sweep_thaw);
	reap_children();
	walk_cgroups(env.top, sweep_remove);
	return access(env.top, F_OK);
}

/* Freeze first, so that nothing forks ahead of us for ever. */
static int sweep(void)
{
	int i, ret;

	if (!cg_freeze("."))
		for (i = 0; i < 1000 && !cg_reads(".", "FROZEN"); i++)
			pause_ms(1);

	ret = WAIT_UNTIL(swept());
	if (ret)
		fprintf(stderr, "# something is left in %s\n", env.top);
	return ret;
}

/* Mounts. */

struct controller {
	int	hierarchy;
	int	nr_cgroups;
};

static int controller_read(const char *name, struct controller *ctrl)
{
	char line[128], word[64];
	int ret = -ENOENT;
	FILE *f;

	f = fopen("/proc/cgroups", "re");
	if (!f)
		return -errno;
	while (ret && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %d %d", word, &ctrl->hierarchy,
			   &ctrl->nr_cgroups) == 3 && !strcmp(word, name))
			ret = 0;
	fclose(f);
	return ret;
}

int controller_hierarchy(const char *name)
{
	struct controller ctrl;

	return controller_read(name, &ctrl) ?: ctrl.hierarchy;
}

static bool only_root_left(const char *name)
{
	struct controller ctrl;

	return controller_read(name, &ctrl) || ctrl.nr_cgroups == 1;
}

static int mount_at(const char *path, const char *type, const char *options)
{
	int ret;

	mkdir(MOUNTS, 0755);
	mkdir(path, 0755);
	while (!umount2(path, MNT_DETACH))
		;
	ret = WAIT_UNTIL(!mount("freezer_selftest", path, type, 0, options));
	if (ret)
		fprintf(stderr, "# cannot mount %s at %s\n", type, path);
	return ret;
}

int v1_mount(const char *controller, char *path, size_t size)
{
	snprintf(path, size, MOUNTS "/%s", controller);
	return mount_at(path, "cgroup", controller);
}

/* Cgroups that are removed, but not quite gone, would keep the hierarchy. */
int v1_unmount(const char *controller)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), MOUNTS "/%s", controller);
	ret = WAIT_UNTIL(only_root_left(controller));
	umount2(path, MNT_DETACH);
	ret = ret ?: WAIT_UNTIL(!controller_hierarchy(controller));
	if (ret)
		fprintf(stderr, "# %s does not leave its v1 hierarchy\n", controller);
	return ret;
}

static int env_mount(void)
{
	int ret;

	if (env.v1) {
		ret = v1_mount("freezer", env.mount, sizeof(env.mount));
	} else {
		snprintf(env.mount, sizeof(env.mount), MOUNTS "/v2");
		ret = mount_at(env.mount, "cgroup2", NULL);
	}
	snprintf(env.top, sizeof(env.top), "%s/" TOP_CGROUP, env.mount);
	return ret;
}

static int env_unmount(void)
{
	if (env.v1)
		return v1_unmount("freezer");
	return umount2(env.mount, MNT_DETACH) ? -errno : 0;
}

/* What a test left behind that was ended by its timeout. */
static int env_reclaim(void)
{
	int ret = 0;

	if (controller_hierarchy("freezer") > 0) {
		env.v1 = true;
		ret = env_mount() ?: sweep() ?: env_unmount();
	}
	return ret;
}

/* A controller comes back from v1 with a delay: then @file is there. */
static int env_setup_with(bool v1, const char *file)
{
	char path[PATH_MAX];
	int ret;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ret = env_reclaim();
	if (ret)
		return ret;

	env.v1 = v1;
	ret = env_mount() ?: sweep();
	if (ret)
		return ret;

	if (mkdir(env.top, 0755))
		return -errno;
	cg_path(".", file, path, sizeof(path));
	ret = WAIT_UNTIL(!access(path, F_OK));
	if (ret)
		fprintf(stderr, "# no %s, see config for what the kernel needs\n",
			path);
	return ret;
}

int env_setup(bool v1)
{
	return env_setup_with(v1, "freezer.freeze") ?:
	       WAIT_UNTIL(cg_reads(".", "RUNNING"));
}

int env_setup_legacy(void)
{
	return env_setup_with(true, "freezer.state");
}

int env_cleanup(void)
{
	int ret, restored;

	kill_children();
	ret = sweep();
	ret = ret ?: WAIT_UNTIL(reap_children());
	/* When nobody is left who would change them again. */
	restored = restore_settings();
	return ret ?: restored ?: env_unmount();
}

int loopback_up(void)
{
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = ioctl(fd, SIOCSIFFLAGS, &req) ? -errno : 0;

	close(fd);
	return ret;
}
