/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container freezer: tracepoints.
 *
 * Cgroups are identified by numbers: root is that of the hierarchy (in
 * /proc/cgroups), id the inode number of the directory, and parent that of the
 * cgroup above.  Counters have the same meaning as in struct freezer.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM freezer

#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE container_freezer

#if !defined(_TRACE_CONTAINER_FREEZER_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_CONTAINER_FREEZER_H

#include <linux/cgroup.h>
#include <linux/tracepoint.h>

/* A cgroup has changed its state. */
DECLARE_EVENT_CLASS(freezer_state,
		    TP_PROTO(struct cgroup *cgrp, u32 nr_pending,
			     u32 nr_children, u32 nr_holds),
		    TP_ARGS(cgrp, nr_pending, nr_children, nr_holds),
		    TP_STRUCT__entry(__field(u64, id)
				     __field(u64, parent)
				     __field(int, root)
				     __field(int, level)
				     __field(u32, nr_pending)
				     __field(u32, nr_children)
				     __field(u32, nr_holds)),
		    TP_fast_assign(__entry->id = cgroup_id(cgrp);
				   __entry->parent = cgroup_id(cgroup_parent(cgrp));
				   __entry->root = cgrp->root->hierarchy_id;
				   __entry->level = cgrp->level;
				   __entry->nr_pending = nr_pending;
				   __entry->nr_children = nr_children;
				   __entry->nr_holds = nr_holds;),
		    TP_printk("root=%d id=%llu parent=%llu level=%d nr_pending=%u nr_unfrozen_children=%u nr_holds=%u",
			      __entry->root, __entry->id, __entry->parent,
			      __entry->level, __entry->nr_pending,
			      __entry->nr_children, __entry->nr_holds)
);

/* It is FREEZING now: a freeze begins, or something enters a FROZEN cgroup. */
DEFINE_EVENT(freezer_state, freezer_freeze,
	     TP_PROTO(struct cgroup *cgrp, u32 nr_pending, u32 nr_children,
		      u32 nr_holds),
	     TP_ARGS(cgrp, nr_pending, nr_children, nr_holds)
);

/* It is FROZEN now. */
DEFINE_EVENT(freezer_state, freezer_frozen,
	     TP_PROTO(struct cgroup *cgrp, u32 nr_pending, u32 nr_children,
		      u32 nr_holds),
	     TP_ARGS(cgrp, nr_pending, nr_children, nr_holds)
);

/* It is RUNNING now. */
DEFINE_EVENT(freezer_state, freezer_thaw,
	     TP_PROTO(struct cgroup *cgrp, u32 nr_pending, u32 nr_children,
		      u32 nr_holds),
	     TP_ARGS(cgrp, nr_pending, nr_children, nr_holds)
);

/* Something with a number has happened in a cgroup. */
DECLARE_EVENT_CLASS(freezer_number,
		    TP_PROTO(struct cgroup *cgrp, int number, u32 nr),
		    TP_ARGS(cgrp, number, nr),
		    TP_STRUCT__entry(__field(u64, id)
				     __field(u64, parent)
				     __field(int, root)
				     __field(int, level)
				     __field(int, number)
				     __field(u32, nr)),
		    TP_fast_assign(__entry->id = cgroup_id(cgrp);
				   __entry->parent = cgroup_id(cgroup_parent(cgrp));
				   __entry->root = cgrp->root->hierarchy_id;
				   __entry->level = cgrp->level;
				   __entry->number = number;
				   __entry->nr = nr;),
		    TP_printk("root=%d id=%llu parent=%llu level=%d number=%d nr=%u",
			      __entry->root, __entry->id, __entry->parent,
			      __entry->level, __entry->number, __entry->nr)
);

/* A task did not freeze where it sleeps, and must be waited for. */
DEFINE_EVENT_PRINT(freezer_number, freezer_pending,
		   TP_PROTO(struct cgroup *cgrp, int number, u32 nr),
		   TP_ARGS(cgrp, number, nr),
		   TP_printk("root=%d id=%llu parent=%llu level=%d tid=%d nr_pending=%u",
			     __entry->root, __entry->id, __entry->parent,
			     __entry->level, __entry->number, __entry->nr)
);

/* A freeze that was not FROZEN in time is rolled back. */
DEFINE_EVENT_PRINT(freezer_number, freezer_timeout,
		   TP_PROTO(struct cgroup *cgrp, int number, u32 nr),
		   TP_ARGS(cgrp, number, nr),
		   TP_printk("root=%d id=%llu parent=%llu level=%d msec=%d nr_pending=%u",
			     __entry->root, __entry->id, __entry->parent,
			     __entry->level, __entry->number, __entry->nr)
);

/* A write to freezer.kill has gone over all processes. */
DEFINE_EVENT_PRINT(freezer_number, freezer_kill,
		   TP_PROTO(struct cgroup *cgrp, int number, u32 nr),
		   TP_ARGS(cgrp, number, nr),
		   TP_printk("root=%d id=%llu parent=%llu level=%d sig=%d nr_processes=%u",
			     __entry->root, __entry->id, __entry->parent,
			     __entry->level, __entry->number, __entry->nr)
);

#endif /* _TRACE_CONTAINER_FREEZER_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
