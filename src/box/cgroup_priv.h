/* What the files of the control groups share: where ours begin, and the kernel's files. */
#ifndef SPK_BOX_CGROUP_PRIV_H
#define SPK_BOX_CGROUP_PRIV_H

#include "box/cgroup.h"

typedef enum {
	SPK_CGROUP_MEMORY,
	SPK_CGROUP_PIDS,
	SPK_CGROUP_CPU,
	SPK_N_CGROUP_CONTROLLERS
} SpkCgroupController;

typedef struct {
	gboolean v2;
	/* v2: only the first; NULL: not there, or not asked for */
	char *dirs[SPK_N_CGROUP_CONTROLLERS];
} SpkCgroupParents;

/* Where groups can be made, with room for processor time when `cpu`; those of processes that are
 * gone are removed there. FALSE: *ret_why (allocated) says why not v2, and v1 is not there
 * either; in both cases *ret_why and what *ret_found holds are the caller's. */
gboolean spk_cgroup_find(gboolean cpu, const SpkCgroupPlace *place,
			 SpkCgroupParents *ret_found, char **ret_why);

/* sparks.HOLDER.NUMBER (store/holder.c), with "," for its "/". */
char *spk_cgroup_own_name(const char *number);

/* NULL when it can't be read. */
char *spk_cgroup_read(const char *dir, const char *name);
/* FALSE with errno. */
gboolean spk_cgroup_write(const char *dir, const char *name, const char *text);
gboolean spk_cgroup_write_number(const char *dir, const char *name, gint64 number);

#endif
