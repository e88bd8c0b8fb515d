/*
 * The level in force for a spark in a repository, and where it comes from. What names the spark
 * and the repository together wins; else the least of what names one of them (rows that were set
 * for the spark or the repository, the spark's own key); else what holds for all: the row, then
 * the option autonomy.level. Of rows with a folder the nearest one above counts.
 */
#ifndef SPK_GUARD_AUTONOMY_H
#define SPK_GUARD_AUTONOMY_H

#include "conf/conf.h"
#include "guard/ladder.h"
#include "store/levels.h"

typedef struct {
	SpkLevel level;
	char *from; /* in words, for people: "set for this repository by anna" */
} SpkLevelHeld;
void spk_level_held_clear(SpkLevelHeld *held);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkLevelHeld, spk_level_held_clear)

/* `rows`: spk_levels_list(). `own`: name of the level in the spark's table, NULL: none. */
void spk_autonomy_find(const SpkConf *conf, const GPtrArray *rows, const char *spark,
		       const char *own, const char *repo, SpkLevelHeld *ret);
/* What --level makes of it: lower always; higher as far as autonomy.raise_to goes, else POLICY,
 * saying how. */
gboolean spk_autonomy_ask(const SpkConf *conf, const char *wanted, SpkLevelHeld *held,
			  GError **error);
/* A task of a task: never more than its parent has. */
void spk_autonomy_cap(SpkLevelHeld *held, SpkLevel most, const char *from);

#endif
