#include "cmd/memory/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "box/tree.h"
#include "memory/tell.h"

gboolean spk_desk_open(SpkDesk *desk, const SpkArgs *args, int *ret_exit)
{
	g_autoptr(GError) error = NULL;

	desk->json = spk_args_flag(args, "json");
	if (!spk_session_open(&desk->session, args, desk->json, ret_exit))
		return FALSE;
	desk->store = desk->session.store;
	desk->memory = spk_memory_open(desk->store, desk->session.conf,
				       spk_core_home(desk->session.core), &error);
	if (!desk->memory)
		*ret_exit = spk_desk_fail(desk, g_steal_pointer(&error));
	return desk->memory != NULL;
}

void spk_desk_clear(SpkDesk *desk)
{
	g_clear_pointer(&desk->memory, spk_memory_close);
	spk_session_clear(&desk->session);
	*desk = (SpkDesk){ 0 };
}

int spk_desk_fail(const SpkDesk *desk, GError *take_error)
{
	return spk_cmd_fail(take_error, desk->json);
}

SpkMemoryRow *spk_desk_find(SpkStore *store, const char *word, GError **error)
{
	SpkMemoryRow *row = NULL;

	if (!spk_memories_get(store, word, &row, error))
		return NULL;
	if (!row && !spk_memories_find(store, word, &row, error))
		return NULL;
	return row;
}

gboolean spk_desk_is_merged(SpkStore *store, const SpkMemoryRow *row, const char *word)
{
	g_autoptr(SpkMemoryRow) exact = NULL;

	if (strcmp(row->id, word) == 0)
		return FALSE;
	/* it may be the beginning of that one's id as well: then it is merged if it is a whole id */
	return !g_str_has_prefix(row->id, word) ||
	       !spk_memories_get(store, word, &exact, NULL) || exact;
}

void spk_desk_say_merged(SpkStore *store, const SpkMemoryRow *row, const char *word)
{
	if (spk_desk_is_merged(store, row, word))
		fprintf(stderr, "%s counts towards %s: that memory is meant\n", word,
			row->id);
}

char *spk_desk_scope(const char *word, GError **error)
{
	const char *path = !strcmp(word, "repo")	     ? "."
			   : g_str_has_prefix(word, "repo:") ? word + strlen("repo:")
							     : NULL;
	g_autofree char *real = NULL, *top = NULL, *below = NULL;
	char *found;

	if (!path)
		return g_strdup(word);
	found = realpath(*path ? path : ".", NULL);
	real = g_strdup(found);
	free(found);
	/* of a folder that is gone, memories may still be looked at */
	if (!real && g_path_is_absolute(path))
		return g_strdup(word);
	if (!real) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "`--scope repo` in the repository, or `repo:` and its path",
			      "--scope %s names no folder", word);
		return NULL;
	}
	top = spk_tree_top(real, &below);
	return spk_memory_scope_of_repo(top);
}

char **spk_desk_scopes(const char *const *words, GError **error)
{
	g_autoptr(GStrvBuilder) scopes = g_strv_builder_new();

	for (; *words; words++) {
		g_autofree char *scope = spk_desk_scope(*words, error);

		if (!scope)
			return NULL;
		g_strv_builder_add(scopes, scope);
	}
	return g_strv_builder_end(scopes);
}

gboolean spk_desk_time(const char *flag, const char *text, gint64 *ret_us, GError **error)
{
	if (spk_time_parse(text, ret_us))
		return TRUE;
	spk_error_set(error, SPK_ERR_USAGE, "as in 2026-01-31 or 2026-01-31T12:00:00Z",
		      "--%s %s is no time", flag, text);
	return FALSE;
}

gboolean spk_desk_real(const char *flag, const char *text, double min, double max,
		       double *ret, GError **error)
{
	char *end;
	double value = g_ascii_strtod(text, &end);

	if (end == text || *end || !(value >= min && value <= max)) {
		spk_error_set(error, SPK_ERR_USAGE, "give one, with a point: 0.5",
			      "--%s %s is no number from %g to %g", flag, text, min, max);
		return FALSE;
	}
	*ret = value;
	return TRUE;
}

void spk_desk_hold_clear(SpkDeskHold *hold)
{
	g_clear_pointer(&hold->scopes, g_strfreev);
	g_clear_pointer(&hold->task, g_free);
}

/* The id as it is stored; one whose task is gone is taken as it was given. */
static char *task_of(SpkStore *store, const char *word, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(SpkTask) task = spk_task_get(store, word, &why);

	if (task)
		return g_strdup(task->id);
	if (spk_error_is(why, SPK_ERR_NOT_FOUND))
		return g_strdup(word);
	g_propagate_error(error, g_steal_pointer(&why));
	return NULL;
}

gboolean spk_desk_narrowed(const SpkArgs *args)
{
	static const char *const flags[] = { "scope", "kind",  "source",
					     "task",  "since", "until" };

	for (gsize i = 0; i < G_N_ELEMENTS(flags); i++)
		if (spk_args_has(args, flags[i]))
			return TRUE;
	return FALSE;
}

gboolean spk_desk_which(const SpkDesk *desk, const SpkArgs *args, SpkMemoryList *what,
			SpkDeskHold *hold, GError **error)
{
	const char *task = spk_args_str(args, "task");
	const char *since = spk_args_str(args, "since"),
		   *until = spk_args_str(args, "until");
	const char *const *kinds = spk_args_list(args, "kind");

	hold->scopes = spk_desk_scopes(spk_args_list(args, "scope"), error);
	if (!hold->scopes ||
	    (since && !spk_desk_time("since", since, &what->from_us, error)) ||
	    (until && !spk_desk_time("until", until, &what->until_us, error)))
		return FALSE;
	if (task) {
		hold->task = task_of(desk->store, task, error);
		if (!hold->task)
			return FALSE;
	}
	what->filter.scopes = *hold->scopes ? (const char *const *)hold->scopes : NULL;
	what->filter.kinds = *kinds ? kinds : NULL;
	what->source = spk_args_str(args, "source");
	what->task = hold->task;
	return TRUE;
}
