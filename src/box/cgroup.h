/*
 * Control groups: caps of memory, processes and processor time that the kernel holds over all
 * processes of a box together. cgroup v2 where a part of the tree is ours to divide, else v1
 * where its folders can be written. (Kernel: admin-guide/cgroup-v2.rst, cgroup-v1/.)
 * A group is made once and used by one box after the other. Any thread.
 */
#ifndef SPK_BOX_CGROUP_H
#define SPK_BOX_CGROUP_H

#include <glib.h>

typedef struct SpkCgroups SpkCgroups;

typedef struct {
	gint64 memory_bytes; /* swap included, where the kernel counts it */
	gint64 pids;	     /* processes and threads */
	double cpus;	     /* processors' worth of time; 0: no cap */
} SpkCgroupCaps;

/* What the kernel's files are read from; both NULL: /proc/self/… */
typedef struct {
	const char *mountinfo, *own;
} SpkCgroupPlace;

/* Makes the first group, so that what is claimed was done. NULL: *ret_why (allocated) says what
 * stands in the way. Groups of processes that are gone are removed on the way. */
SpkCgroups *spk_cgroups_open(const SpkCgroupCaps *caps, const SpkCgroupPlace *place,
			     char **ret_why);
void spk_cgroups_free(SpkCgroups *groups);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkCgroups, spk_cgroups_free)
const char *spk_cgroups_name(const SpkCgroups *groups); /* "cgroup v1", "cgroup v2" */

#define SPK_CGROUP_DIRS 3

/* One group, which v1 has as a folder in each of its trees. */
typedef struct {
	char *dirs[SPK_CGROUP_DIRS + 1]; /* NULL-terminated */
	guint64 ooms, refused;		 /* counters as they were when it was taken */
} SpkCgroup;

/* For one box. IO when it can't be made. To be given back when all its processes are gone. */
SpkCgroup *spk_cgroups_take(SpkCgroups *groups, GError **error);
void spk_cgroups_give(SpkCgroups *groups, SpkCgroup *group);
/* Since it was taken: processes that the kernel ended for want of memory, and whether it
 * refused to make one more. */
guint64 spk_cgroup_ooms(const SpkCgroup *group);
guint64 spk_cgroup_refused(const SpkCgroup *group);

#endif
