/* Where a command that is run by hand works. */
#ifndef SPK_CMD_SANDBOX_PLACE_H
#define SPK_CMD_SANDBOX_PLACE_H

#include "box/tree.h"
#include "cmd/cmd.h"

typedef struct {
	char *folder;  /* what the box has as its work tree, by the name it has outside */
	char *from;    /* the copy that stands in for it, or NULL */
	char *below;   /* relative to folder: where the command starts, or NULL */
	SpkTree *tree; /* of --copy */
	char *tree_dir; /* to be removed: of the copy, and of what goes into caches */
} Place;

void place_clear(Place *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)
/* As --dir and --copy say. USAGE when the command must not write there. */
gboolean place_open(Place *place, const SpkConf *conf, const SpkArgs *args,
		    SpkCancel *cancel, GError **error);

#endif
