/*
 * Learning: what the rules of lesson.c find goes into the memory, once. `learn.intent` names it
 * beforehand, `learn.result` tells what became of it; in between a kill may strike, and the same
 * ids are written again.
 */
#include <string.h>

#include "agent/law.h"
#include "agent/lesson.h"
#include "agent/recall.h"
#include "agent/run_priv.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "memory/tell.h"

#define KEY	 "0"
#define SLOT_MAX 200 /* facts of one repository that are looked through */

/* What the lesson takes the place of, in *ret_old (NULL: nothing). *ret_known: the same is there
 * already. */
static gboolean find_older(SpkRun *run, const Lesson *lesson, char **ret_old,
			   gboolean *ret_known, GError **error)
{
	const char *const scopes[] = { run_memory_repo(run), NULL };
	const char *const kinds[] = { lesson->kind, NULL };
	SpkMemoryList what = { .filter = { scopes, kinds },
			       .state = SPK_MEMORY_ACTIVE,
			       .source = lesson->source,
			       .limit = SLOT_MAX };
	g_autoptr(GPtrArray) rows = NULL;

	*ret_old = NULL;
	*ret_known = FALSE;
	if (!lesson->slot)
		return TRUE;
	rows = spk_memories_list(run->env.store, &what, error);
	for (guint i = 0; rows && i < rows->len && !*ret_old; i++) {
		const SpkMemoryRow *row = rows->pdata[i];

		if (!strcmp(row->id,
			    lesson->id)) { /* before a kill: it is written again */
			*ret_old = g_strdup(row->supersedes);
			return TRUE;
		}
		if (row->untrusted || !g_str_has_prefix(row->text, lesson->slot))
			continue;
		*ret_known = !strcmp(row->text, lesson->text);
		*ret_old = g_strdup(row->id);
	}
	return rows != NULL;
}

static json_t *told(const SpkMemoryNew *note, const SpkMemoryAdded *added)
{
	return json_pack("{s:s,s:s,s:s,s:o,s:b,s:o,s:o}", "id", note->id, "kind",
			 note->kind, "scope", note->scope, "text",
			 spk_json_text(note->text), "untrusted", note->untrusted,
			 "merged_into", spk_json_text(added->merged_into), "superseded",
			 spk_json_text(added->superseded));
}

static gboolean keep(SpkRun *run, const Lesson *lesson, gint64 time_us, json_t *list,
		     GError **error)
{
	SpkTaint taint = lesson->untrusted ? spk_run_taint(run)->taint
					   : SPK_TAINT_OPERATOR;
	g_autofree char *source = spk_memory_source(lesson->source, taint);
	g_autofree char *old = NULL;
	g_auto(SpkMemoryAdded) added = { 0 };
	SpkMemoryNew note = { .id = lesson->id,
			      .text = lesson->text,
			      .kind = lesson->kind,
			      .scope = lesson->of_user ? "user" : run_memory_repo(run),
			      .source = source,
			      .task = run->env.task->id,
			      .time_us = time_us,
			      .untrusted = lesson->untrusted,
			      .cancel = run->env.cancel };
	SpkMemory *memory = run->env.open_memory(run->env.user, error);
	gboolean known = FALSE;

	if (!memory || !find_older(run, lesson, &old, &known, error))
		return FALSE;
	if (known)
		return TRUE;
	note.supersedes = old;
	if (!spk_memory_add(memory, &note, &added, error))
		return FALSE;
	json_array_append_new(list, told(&note, &added));
	return TRUE;
}

static gboolean record_intent(SpkRun *run, const GPtrArray *lessons, GError **error)
{
	json_t *ids = json_array();

	for (guint i = 0; i < lessons->len; i++)
		json_array_append_new(
			ids, spk_json_text(((const Lesson *)lessons->pdata[i])->id));
	return run_record(run, "learn.intent", KEY, SPK_EFFECT_IDEMPOTENT,
			  json_pack("{s:o,s:I}", "ids", ids, "time_us",
				    (json_int_t)spk_now_us()),
			  error);
}

/* They are found by their words alone, and that could be better. */
static gboolean lacks_model(SpkRun *run)
{
	SpkMemory *memory = run->env.open_memory(run->env.user, NULL);
	g_autofree char *model = memory ? spk_memory_model(memory) : NULL;

	return memory && !model && spk_embedder_is_wanted(run->env.conf);
}

/* What can't be kept is named, and the rest kept. */
static gboolean learn(SpkRun *run, const GPtrArray *lessons, GError **error)
{
	gint64 time_us =
		spk_json_int(run_recorded(run, "learn.intent", KEY), "time_us", 0);
	json_t *list = json_array();
	json_t *payload = json_pack("{s:o}", "memories", list);

	for (guint i = 0; i < lessons->len; i++) {
		g_autoptr(GError) why = NULL;

		if (keep(run, lessons->pdata[i], time_us, list, &why))
			continue;
		spk_warn("agent",
			 "task %s: not all that it has shown could be remembered: %s",
			 run->env.task->id, why->message);
		spk_json_set(payload, "problem", spk_json_text(why->message));
	}
	if (json_array_size(list) && lacks_model(run))
		spk_json_set(payload, "words_only", json_true());
	return run_record(run, "learn.result", KEY, SPK_EFFECT_IDEMPOTENT, payload,
			  error);
}

gboolean spk_learn(SpkRun *run, const SpkTask *task, SpkState to, GError **error)
{
	g_autoptr(GPtrArray) lessons = NULL;

	if (run_memory_is_off(run) || run_recorded(run, "learn.result", KEY) ||
	    spk_json_bool(task->options, "offline", FALSE))
		return TRUE;
	lessons = lessons_of(run, task, to);
	if (!lessons->len)
		return TRUE;
	return (run_recorded(run, "learn.intent", KEY) ||
		record_intent(run, lessons, error)) &&
	       learn(run, lessons, error);
}
