#include "guard/autonomy.h"

#include <string.h>

#include "base/error.h"

void spk_level_held_clear(SpkLevelHeld *held)
{
	g_free(held->from);
	*held = (SpkLevelHeld){ 0 };
}

static void take(SpkLevelHeld *held, SpkLevel level, char *take_from)
{
	g_free(held->from);
	held->level = level;
	held->from = take_from;
}

void spk_autonomy_cap(SpkLevelHeld *held, SpkLevel most, const char *from)
{
	if (!held->from || held->level > most)
		take(held, most, g_strdup(from));
}

static gboolean is_below(const char *folder, const char *top)
{
	gsize len = strlen(top);

	return !strncmp(folder, top, len) && (folder[len] == '/' || !folder[len]);
}

/* The row for just this spark (or "") whose folder is the nearest above, or has none. */
static const SpkLevelRow *nearest(const GPtrArray *rows, const char *spark,
				  const char *repo)
{
	const SpkLevelRow *best = NULL;

	for (guint i = 0; i < rows->len; i++) {
		const SpkLevelRow *row = rows->pdata[i];

		if (strcmp(row->spark, spark) != 0 || (!*row->repo != !repo) ||
		    (repo && !is_below(repo, row->repo)))
			continue;
		if (!best || strlen(row->repo) > strlen(best->repo))
			best = row;
	}
	return best;
}

static gboolean cap_by_row(SpkLevelHeld *held, const SpkLevelRow *row)
{
	g_autofree char *from = NULL;
	SpkLevel level;

	if (!row)
		return FALSE;
	from = g_strdup_printf("set for %s%s%s%s by %s",
			       *row->spark ? "spark " : "every spark", row->spark,
			       *row->repo ? " in " : "", row->repo, row->by);
	(void)spk_level_parse(row->level, &level); /* what is none is the least */
	spk_autonomy_cap(held, level, from);
	return TRUE;
}

void spk_autonomy_find(const SpkConf *conf, const GPtrArray *rows, const char *spark,
		       const char *own, const char *repo, SpkLevelHeld *ret)
{
	gboolean named;
	SpkLevel level;

	spk_level_held_clear(ret);
	if (repo && cap_by_row(ret, nearest(rows, spark, repo)))
		return;
	named = cap_by_row(ret, nearest(rows, spark, NULL));
	if (repo)
		named |= cap_by_row(ret, nearest(rows, "", repo));
	if (own) {
		named = TRUE;
		(void)spk_level_parse(own, &level);
		spk_autonomy_cap(ret, level, "the spark's own key");
	}
	if (named || cap_by_row(ret, nearest(rows, "", NULL)))
		return;
	(void)spk_level_parse(spk_conf_str(conf, "autonomy.level"), &level);
	take(ret, level,
	     spk_conf_is_set(conf, "autonomy.level")
		     ? spk_conf_place(conf, "autonomy.level")
		     : g_strdup("the default"));
}

gboolean spk_autonomy_ask(const SpkConf *conf, const char *wanted, SpkLevelHeld *held,
			  GError **error)
{
	SpkLevel level, most;
	g_autofree char *hint = NULL;

	if (!spk_level_parse(wanted, &level)) {
		hint = spk_level_hint(wanted);
		spk_error_set(error, SPK_ERR_USAGE, hint, "\"%s\" is no level", wanted);
		return FALSE;
	}
	if (level > held->level &&
	    (!spk_level_parse(spk_conf_str(conf, "autonomy.raise_to"), &most) ||
	     level > most)) {
		hint = g_strdup_printf("`sparks autonomy set %s` for good, or [autonomy] "
				       "raise_to = \"%s\"",
				       spk_level_name(level), spk_level_name(level));
		spk_error_set(error, SPK_ERR_POLICY, hint,
			      "--level %s is above the level in force, %s (%s)",
			      spk_level_name(level), spk_level_name(held->level),
			      held->from);
		return FALSE;
	}
	take(held, level, g_strdup("--level"));
	return TRUE;
}
