// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every blocking call goes through freeze and thaw as if nothing had been: it
 * waits on, no context switch is spent on it, and it ends as it always does.
 *
 * A call that has to be woken, or that cannot be hidden from, says why in its
 * table.  FREEZER_CALLS picks those that have this in their name.
 */
#define _GNU_SOURCE

#include <string.h>

#include "calls.h"
#include "freezer_fixture.h"
#include "freezer_v2_fixture.h"

#define TABLE_SECONDS	600

/* Is this what the table says of the call? */
static bool as_it_should_be(const struct call *call, const struct outcome *out)
{
	if (strcmp(out->verdict, "undisturbed"))
		return call->disturbed;
	return !out->switches || call->woken || call->disturbed;
}

static void print_exception(const struct call *call)
{
	const char *why = call->disturbed ?: call->woken;

	if (why)
		printf("# exception %s|%s\n", call->name, why);
	fflush(stdout);
}

static int disturbed_calls(const struct call *calls)
{
	struct outcome out;
	int nr = 0;

	for (; calls->name; calls++) {
		if (!call_chosen(calls))
			continue;
		if (call_run(&ours, calls, EVENT_AFTER_THAW, &out) ||
		    !as_it_should_be(calls, &out)) {
			nr++;
			fprintf(stderr, "# %s should not notice, sleeping in %s\n",
				calls->name, out.where);
		}
		call_print(&ours, calls, &out);
		print_exception(calls);
	}
	return nr;
}

static int calls_with_wrong_end(const struct call *calls, enum ending how)
{
	struct outcome out;
	int nr = 0;

	for (; calls->name; calls++) {
		if (!call_chosen(calls) ||
		    (how != EVENT_WHILE_FROZEN && !calls->timed))
			continue;
		if (call_run(&ours, calls, how, &out) ||
		    (strcmp(out.verdict, "undisturbed") && !calls->disturbed)) {
			nr++;
			fprintf(stderr, "# %s should end well and is %s\n",
				calls->name, out.verdict);
		}
	}
	return nr;
}

static int all_with_wrong_end(enum ending how)
{
	return calls_with_wrong_end(file_calls, how) +
	       calls_with_wrong_end(net_calls, how) +
	       calls_with_wrong_end(ipc_calls, how) +
	       calls_with_wrong_end(task_calls, how);
}

TEST_F_TIMEOUT(freezer, calls_on_files_do_not_notice, TABLE_SECONDS)
{
	EXPECT_EQ(0, disturbed_calls(file_calls));
}

TEST_F_TIMEOUT(freezer, calls_on_sockets_do_not_notice, TABLE_SECONDS)
{
	EXPECT_EQ(0, disturbed_calls(net_calls));
}

TEST_F_TIMEOUT(freezer, calls_between_tasks_do_not_notice, TABLE_SECONDS)
{
	EXPECT_EQ(0, disturbed_calls(ipc_calls));
}

TEST_F_TIMEOUT(freezer, calls_for_time_and_signals_do_not_notice, TABLE_SECONDS)
{
	EXPECT_EQ(0, disturbed_calls(task_calls));
}

TEST_F_TIMEOUT(freezer, event_while_frozen_ends_the_call_at_the_thaw,
	       TABLE_SECONDS)
{
	EXPECT_EQ(0, all_with_wrong_end(EVENT_WHILE_FROZEN));
}

TEST_F_TIMEOUT(freezer, timeout_goes_on_while_frozen, TABLE_SECONDS)
{
	EXPECT_EQ(0, all_with_wrong_end(TIMEOUT_AFTER_THAW));
}

TEST_F_TIMEOUT(freezer, timeout_that_ran_out_while_frozen_is_seen_at_the_thaw,
	       TABLE_SECONDS)
{
	EXPECT_EQ(0, all_with_wrong_end(TIMEOUT_WHILE_FROZEN));
}

/* Only for the table; what comes out is not ours to judge. */
TEST_F_TIMEOUT(freezer_v2, cgroup_freeze_runs_the_same_calls, TABLE_SECONDS)
{
	EXPECT_EQ(0, calls_print(&cgroup_freeze, file_calls));
	EXPECT_EQ(0, calls_print(&cgroup_freeze, net_calls));
	EXPECT_EQ(0, calls_print(&cgroup_freeze, ipc_calls));
	EXPECT_EQ(0, calls_print(&cgroup_freeze, task_calls));
}

TEST_HARNESS_MAIN
