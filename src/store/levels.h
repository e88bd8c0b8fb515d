/* Levels of autonomy that an operator has set for good. What they mean: guard/ladder.h. */
#ifndef SPK_STORE_LEVELS_H
#define SPK_STORE_LEVELS_H

#include "store/store.h"

typedef struct {
	char *spark; /* "": every one */
	char *repo;  /* absolute folder, with all below it; "": everywhere */
	char *level; /* name */
	char *by;    /* user's name */
	gint64 set_us;
} SpkLevelRow;
void spk_level_row_free(SpkLevelRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkLevelRow, spk_level_row_free)

/* All of them, by repository and spark. GPtrArray of SpkLevelRow. */
GPtrArray *spk_levels_list(SpkStore *store, GError **error);
/* In the place of what was there for the same spark and repository; set_us 0: now. */
gboolean spk_levels_put(SpkStore *store, const SpkLevelRow *row, GError **error);
/* *ret_was: there was one. */
gboolean spk_levels_drop(SpkStore *store, const char *spark, const char *repo,
			 gboolean *ret_was, GError **error);

#endif
