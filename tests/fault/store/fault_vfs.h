/*
 * A SQLite VFS around the system's own that fails one operation on purpose. It becomes the
 * default of the process, so that the store is tested as it ships.
 */
#ifndef SPK_FAULT_VFS_H
#define SPK_FAULT_VFS_H

#include <glib.h>

typedef enum {
	FAULT_FULL, /* writes: no space is left */
	FAULT_KILL, /* the process, in the middle of a write, or before a truncation */
	FAULT_IO, /* reads, writes, syncs, truncations, openings, deletions, shared memory */
} FaultKind;

void fault_vfs_install(void);
/* The nth operation of that kind from now on fails (1: the next), and if `stays` all after
 * it too. */
void fault_arm(FaultKind kind, int nth, gboolean stays);
/* TRUE when it came to the failure. */
gboolean fault_disarm(void);

#endif
