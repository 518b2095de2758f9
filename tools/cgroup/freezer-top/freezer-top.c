// SPDX-License-Identifier: GPL-2.0-only
/*
 * freezer-top - the tree of cgroups with what the container freezer does there
 *
 *	freezer-top [--once | --json] [DIRECTORY]
 *
 * DIRECTORY is a cgroup, and else the hierarchy that has the controller.
 *
 * It sleeps until the kernel says, by inotify, that a state has changed or that
 * a cgroup was made, removed or renamed; only then all is read anew.  Counts of
 * tasks are those of that moment; the space bar reads them again.
 */
#define _GNU_SOURCE

#include <curses.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <mntent.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/**
 * struct node - a cgroup
 * @path: below the top, and "" for the top itself
 * @depth: how far below
 * @state: the word of freezer.freeze, or "-" if it cannot be read, as for the
 *	   root, which has none
 * @tasks: nr_tasks
 * @frozen: nr_frozen
 * @pending: nr_pending
 * @usec: frozen_usec
 */
struct node {
	char			*path;
	int			depth;
	char			state[16];
	unsigned long long	tasks;
	unsigned long long	frozen;
	unsigned long long	pending;
	unsigned long long	usec;
};

static const char *top;
static struct node *nodes;
static int nr_nodes;
static int watch = -1;
static int cursor, first;

/*
 * Half a path can be that of another file, so @buf has room for one byte more
 * than the kernel takes: what is cut off here is ENAMETOOLONG there.
 */
static void file_of(const struct node *n, const char *file, char *buf)
{
	snprintf(buf, PATH_MAX + 1, "%s%s/%s", top, n->path, file);
}

/* Files. */

static int read_text(const struct node *n, const char *file, char *buf, int size)
{
	char path[PATH_MAX + 1];
	int fd, len;

	file_of(n, file, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, buf, size - 1);
	if (fd >= 0)
		close(fd);
	buf[len > 0 ? len : 0] = '\0';
	return len < 0 ? -errno : 0;
}

static int write_text(const struct node *n, const char *file, const char *text)
{
	char path[PATH_MAX + 1];
	int fd, ret = 0;

	file_of(n, file, path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static unsigned long long key_of(const char *stat, const char *key)
{
	const char *at = strstr(stat, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* Watch first and read second, so that no change falls between. */
static int read_node(struct node *n)
{
	char path[PATH_MAX + 1], stat[1024];
	int ret;

	if (watch >= 0) {
		file_of(n, "", path);
		inotify_add_watch(watch, path, IN_CREATE | IN_DELETE |
				  IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR);
		file_of(n, "freezer.freeze", path);
		inotify_add_watch(watch, path, IN_MODIFY);
	}
	ret = read_text(n, "freezer.freeze", n->state, sizeof(n->state));
	if (ret)
		snprintf(n->state, sizeof(n->state), "-");
	n->state[strcspn(n->state, "\n")] = '\0';
	ret = read_text(n, "freezer.stat", stat, sizeof(stat)) ?: ret;
	n->tasks = key_of(stat, "nr_tasks ");
	n->frozen = key_of(stat, "nr_frozen ");
	n->pending = key_of(stat, "nr_pending ");
	n->usec = key_of(stat, "frozen_usec ");
	return ret;
}

/* The tree. */

static int is_cgroup(const struct dirent *ent)
{
	return ent->d_type == DT_DIR && strcmp(ent->d_name, ".") &&
	       strcmp(ent->d_name, "..");
}

static void scan(const char *path, int depth)
{
	/* On the stack it would be there once for each level of the tree. */
	static char dir[PATH_MAX + 1];
	struct node node = { .depth = depth };
	struct dirent **list;
	int i, nr, ret;

	nodes = realloc(nodes, (nr_nodes + 1) * sizeof(*nodes));
	node.path = strdup(path);
	if (!nodes || !node.path)
		exit(1);
	ret = read_node(&node);
	/* Only the root has no files; of another, they are gone with it. */
	if (depth && (ret == -ENOENT || ret == -ENODEV)) {
		free(node.path);
		return;
	}
	nodes[nr_nodes++] = node;

	file_of(&node, "", dir);
	nr = scandir(dir, &list, is_cgroup, alphasort);
	for (i = 0; i < nr; i++) {
		snprintf(dir, sizeof(dir), "%s/%s", node.path, list[i]->d_name);
		scan(dir, depth + 1);
		free(list[i]);
	}
	if (nr >= 0)
		free(list);
}

static void rescan(void)
{
	while (nr_nodes)
		free(nodes[--nr_nodes].path);
	scan("", 0);
	if (cursor >= nr_nodes)
		cursor = nr_nodes - 1;
}

static const char *find_top(void)
{
	struct mntent *ent;
	char *found = NULL;
	FILE *f;

	f = setmntent("/proc/mounts", "re");
	while (f && (ent = getmntent(f))) {
		bool v1 = !strcmp(ent->mnt_type, "cgroup") &&
			  hasmntopt(ent, "freezer");

		if (!v1 && (found || strcmp(ent->mnt_type, "cgroup2")))
			continue;
		free(found);
		found = strdup(ent->mnt_dir);
		if (v1)
			break;
	}
	if (f)
		endmntent(f);
	return found;
}

/* Output. */

/*
 * Set @c to the character at @s and return its length.  A byte that is of no
 * UTF-8 character becomes the surrogate U+DCxx, as in Python.
 */
static int decode(const char *s, unsigned int *c)
{
	static const unsigned int mark[] = { 0, 0xc0, 0xe0, 0xf0 };
	static const unsigned int least[] = { 0, 0x80, 0x800, 0x10000 };
	unsigned char lead = *s;
	int i, more = (lead >= 0x80) + (lead >= 0xe0) + (lead >= 0xf0);

	/* Below 0xc0 it is no lead, and wraps to what is too large. */
	*c = lead - mark[more];
	for (i = 1; i <= more && (s[i] & 0xc0) == 0x80; i++)
		*c = *c << 6 | (s[i] & 0x3f);
	if (i > more && *c >= least[more] && *c <= 0x10ffff && *c >> 11 != 0x1b)
		return i;
	*c = 0xdc00 | lead;
	return 1;
}

/* Controls of C0 and C1, and the surrogates, which are no characters. */
static bool is_unsafe(unsigned int c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c >> 11 == 0x1b;
}

/* A cgroup can have any name, but not any effect on a terminal. */
static void clean(char *text)
{
	char *to = text;
	unsigned int c;
	int len;

	for (; *text; text += len) {
		len = decode(text, &c);
		if (is_unsafe(c))
			*to++ = '?';
		else
			to = memmove(to, text, len) + len;
	}
	*to = '\0';
}

#define HEAD	"STATE       TASKS  FROZEN PENDING     FROZEN FOR  CGROUP"

static void format(const struct node *n, char *buf, size_t size)
{
	const char *name = strrchr(n->path, '/');

	snprintf(buf, size, "%-8s %8llu %7llu %7llu %12llu.%01llu s  %*s%s",
		 n->state, n->tasks, n->frozen, n->pending, n->usec / 1000000,
		 n->usec / 100000 % 10, 2 * n->depth, "", name ? name + 1 : top);
	clean(buf);
}

static void print_plain(void)
{
	char line[PATH_MAX + 128];
	int i;

	puts(HEAD);
	for (i = 0; i < nr_nodes; i++) {
		format(nodes + i, line, sizeof(line));
		puts(line);
	}
}

static void print_string(const char *text)
{
	unsigned int c;
	int len;

	putchar('"');
	for (; *text; text += len) {
		len = decode(text, &c);
		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (is_unsafe(c))
			printf("\\u%04x", c);
		else
			fwrite(text, len, 1, stdout);
	}
	putchar('"');
}

static void print_json(void)
{
	int i;

	for (i = 0; i < nr_nodes; i++) {
		const struct node *n = nodes + i;

		printf("%s{\"cgroup\": ", i ? ",\n " : "[");
		print_string(*n->path ? n->path : "/");
		printf(", \"state\": ");
		print_string(n->state);
		printf(", \"nr_tasks\": %llu, \"nr_frozen\": %llu",
		       n->tasks, n->frozen);
		printf(", \"nr_pending\": %llu, \"frozen_usec\": %llu}",
		       n->pending, n->usec);
	}
	puts("]");
}

/* The screen. */

static char message[PATH_MAX + 128];

static void draw(void)
{
	char line[PATH_MAX + 128];
	int i, rows = LINES > 3 ? LINES - 3 : 1;

	if (cursor < first)
		first = cursor;
	if (cursor >= first + rows)
		first = cursor - rows + 1;

	erase();
	attron(A_BOLD);
	mvaddnstr(0, 0, HEAD, COLS);
	attroff(A_BOLD);
	for (i = first; i < nr_nodes && i < first + rows; i++) {
		format(nodes + i, line, sizeof(line));
		if (i == cursor)
			attron(A_REVERSE);
		mvaddnstr(1 + i - first, 0, line, COLS);
		attroff(A_REVERSE);
	}
	clean(message);
	mvaddnstr(LINES - 2, 0, message, COLS);
	mvaddnstr(LINES - 1, 0, "f freeze  t thaw  k kill  space read again  q quit",
		  COLS);
	refresh();
}

/* Freeze, thaw or kill what is under the cursor, if the answer is yes. */
static void act(const char *what, const char *file, const char *text)
{
	/* A copy, as the tree may change before there is an answer. */
	struct node n = { .path = strdup(nodes[cursor].path) };
	int answer, ret;

	if (!n.path)
		return;
	snprintf(message, sizeof(message), "%s (y/n)? %s%s", what, top, n.path);
	draw();
	timeout(-1);
	answer = getch();
	timeout(0);
	if (answer == 'y') {
		ret = write_text(&n, file, text);
		snprintf(message, sizeof(message), "%s %s%s: %s", what, top,
			 n.path, ret ? strerror(-ret) : "done");
	} else {
		message[0] = '\0';
	}
	free(n.path);
	rescan();
}

static bool key(int c)
{
	if (c == KEY_UP && cursor)
		cursor--;
	else if (c == KEY_DOWN && cursor < nr_nodes - 1)
		cursor++;
	else if (c == 'f')
		act("freeze", "freezer.freeze", "1");
	else if (c == 't')
		act("thaw", "freezer.freeze", "0");
	else if (c == 'k')
		act("kill all of", "freezer.kill", "9");
	else if (c == ' ')
		rescan();
	return c != 'q';
}

/* No timeout: nothing is read unless there is a key or news. */
static void run(void)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = watch, .events = POLLIN },
	};
	char events[4096];
	bool go_on = true;
	int c;

	while (go_on) {
		draw();
		if (poll(fds, 2, -1) < 0) {
			if (errno != EINTR)
				break;
			fds[0].revents = 0;
			fds[1].revents = 0;
		}
		if (fds[1].revents) {
			while (read(watch, events, sizeof(events)) > 0)
				;
			rescan();
		}
		/* Also after a signal: a new size of the window is a key. */
		while (go_on && (c = getch()) != ERR)
			go_on = key(c);
		if (fds[0].revents & (POLLHUP | POLLERR))
			go_on = false;
	}
}

static int screen(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		fprintf(stderr, "freezer-top: no terminal; try --once\n");
		return 1;
	}
	watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0) {
		perror("freezer-top: inotify");
		return 1;
	}
	rescan();
	/* For curses, to which a name is else bytes. */
	setlocale(LC_CTYPE, "");
	initscr();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	timeout(0);
	run();
	endwin();
	return 0;
}

static int bad_usage(void)
{
	fprintf(stderr, "usage: freezer-top [--once | --json] [DIRECTORY]\n");
	return 2;
}

static int print(bool json)
{
	rescan();
	if (json)
		print_json();
	else
		print_plain();
	if (fflush(stdout) || ferror(stdout)) {
		perror("freezer-top");
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "once", no_argument, NULL, 'o' },
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	int c, how = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?' || how)
			return bad_usage();
		how = c;
	}
	if (argc - optind > 1)
		return bad_usage();
	top = optind < argc ? argv[optind] : find_top();
	if (!top || access(top, R_OK)) {
		fprintf(stderr, "freezer-top: no cgroups at %s\n",
			top ? top : "any mount");
		return 1;
	}
	return how ? print(how == 'j') : screen();
}
