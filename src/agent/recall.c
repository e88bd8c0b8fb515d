#include "agent/recall.h"

#include <string.h>

#include "agent/law.h"
#include "agent/recall_priv.h"
#include "agent/run_priv.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "guard/scan.h"
#include "memory/memory.h"
#include "memory/tell.h"

#define STANDING_MAX  20 /* notes that hold whatever the goal is */
#define HITS_MAX      12
#define NEAR_BEST     0.4 /* of the best hit's score: further off it is another matter */
#define COSINE_MIN    0.2 /* below it two texts have nothing in common but words */
#define WORDS_RANK    3	  /* unless these words are rare */
#define BYTES_A_TOKEN 4

/* ---- for its tools ---- */

const SpkToolMemory *run_memory_of_call(SpkRun *run, SpkToolMemory *room)
{
	const RunMemory *memory = run->memory;

	if (run_memory_is_off(run))
		return NULL;
	*room = (SpkToolMemory){ .open = run->env.open_memory,
				 .user = run->env.user,
				 .scopes = memory->scopes,
				 .repo = memory->repo,
				 .spark = memory->spark,
				 .who = memory->who,
				 .taint = spk_run_taint(run)->taint,
				 .kept = memory->kept };
	return room;
}

void run_memory_count(SpkRun *run, const json_t *result)
{
	run->memory->kept += !g_strcmp0(spk_json_str(result, "name"), "memory_save") &&
			     spk_json_bool(result, "ok", FALSE);
}

/* ---- what is told ---- */

typedef struct {
	SpkRun *run;
	SpkScanner *scanner;
	GString *lines;
	json_t *told;
	gsize room; /* bytes */
	guint left_out;
	SpkTaint taint;
} Recall;

static gboolean is_told(const Recall *recall, const char *id)
{
	const json_t *one;
	size_t i;

	json_array_foreach(recall->told, i, one)
		if (!g_strcmp0(spk_json_str(one, "id"), id))
			return TRUE;
	return FALSE;
}

/* Written by what somebody read, and giving orders. */
static gboolean gives_orders(const Recall *recall, const SpkMemoryRow *row)
{
	SpkScanSource source = { .provider = "memory", .repo = row->scope };
	g_auto(SpkScanResult) found = { 0 };

	if (!row->untrusted)
		return FALSE;
	spk_scanner_scan(recall->scanner, &source, row->text, strlen(row->text), &found);
	return found.verdict != SPK_SCAN_PASS;
}

static SpkTaint taint_of(const Recall *recall, const SpkMemoryRow *row)
{
	SpkTaint taint = spk_memory_taint(row, recall->run->memory->repo);

	return taint == SPK_TAINT_OPERATOR
		       ? taint
		       : MAX(taint, run_law_of_repository(recall->run));
}

/* What would make a stranger's task of this one is told only to who asks for it
 * (memory_search): nobody has. */
static gboolean is_fit(const Recall *recall, const SpkMemoryRow *row)
{
	SpkTaint taint = taint_of(recall, row);

	return (taint < SPK_TAINT_OUTSIDE ||
		taint <= spk_run_taint(recall->run)->taint) &&
	       !gives_orders(recall, row);
}

/* As long as there is room, of which `keep` bytes are for others. */
static void tell(Recall *recall, const SpkMemoryRow *row, gsize keep)
{
	g_autofree char *line = NULL;

	if (is_told(recall, row->id))
		return;
	line = spk_memory_tell(row);
	if (recall->lines->len + strlen(line) + keep > recall->room)
		return;
	if (!is_fit(recall, row)) {
		recall->left_out++;
		return;
	}
	g_string_append(recall->lines, line);
	recall->taint = MAX(recall->taint, taint_of(recall, row));
	json_array_append_new(recall->told,
			      json_pack("{s:o,s:o,s:o,s:b}", "id", spk_json_text(row->id),
					"kind", spk_json_text(row->kind), "scope",
					spk_json_text(row->scope), "untrusted",
					row->untrusted));
}

/* What the user likes, and what is known of the repository: at most half of the room. */
static gboolean tell_standing(Recall *recall, const char *kind, GError **error)
{
	const char *const kinds[] = { kind, NULL };
	SpkMemoryList what = { .filter = { recall->run->memory->scopes, kinds },
			       .state = SPK_MEMORY_ACTIVE,
			       .limit = STANDING_MAX };
	g_autoptr(GPtrArray)
		rows = spk_memories_list(recall->run->env.store, &what, error);

	for (guint i = 0; rows && i < rows->len; i++) {
		const SpkMemoryRow *row = rows->pdata[i];

		if (!row->untrusted)
			tell(recall, row, recall->room / 2);
	}
	return rows != NULL;
}

static gboolean is_near(const SpkMemoryHit *hit, double best)
{
	gboolean by_words = hit->rank_words > 0 && hit->rank_words <= WORDS_RANK;

	return hit->score >= NEAR_BEST * best &&
	       (hit->cosine == 0 || hit->cosine >= COSINE_MIN || by_words);
}

static gboolean tell_hits(Recall *recall, GError **error)
{
	SpkRun *run = recall->run;
	SpkMemoryQuery query = { .text = run->env.task->goal,
				 .scopes = run->memory->scopes,
				 .k = HITS_MAX,
				 .cancel = run->env.cancel };
	SpkMemory *memory = run->env.open_memory(run->env.user, error);
	g_autoptr(GPtrArray) hits = memory ? spk_memory_search(memory, &query, error)
					   : NULL;

	for (guint i = 0; hits && i < hits->len; i++) {
		const SpkMemoryHit *hit = hits->pdata[i];
		double best = ((const SpkMemoryHit *)hits->pdata[0])->score;

		if (is_near(hit, best))
			tell(recall, hit->row, 0);
	}
	return hits != NULL;
}

static json_t *payload_of(const Recall *recall, gboolean tools)
{
	g_autofree char *list = spk_memory_tell_list(recall->lines->str);

	return json_pack("{s:b,s:O,s:i,s:s,s:s}", "tools", tools, "memories",
			 recall->told, "left_out", (int)recall->left_out, "taint",
			 spk_taint_name(recall->taint), "text",
			 recall->lines->len ? list : "");
}

/* A memory that cannot be asked is no reason to do nothing. */
static json_t *find(SpkRun *run, gboolean tools)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(SpkScanner) scanner = spk_scanner_new(run->env.conf, NULL, &why);
	g_autoptr(json_t) told = json_array();
	g_autoptr(GString) lines = g_string_new(NULL);
	Recall recall = {
		.run = run,
		.scanner = scanner,
		.told = told,
		.lines = lines,
		.room = BYTES_A_TOKEN *
			(gsize)spk_conf_int(run->env.conf, "memory.recall_tokens"),
	};

	if (spk_conf_bool(run->env.conf, "memory.recall") && scanner &&
	    tell_standing(&recall, "preference", &why) &&
	    tell_standing(&recall, "repo", &why))
		(void)tell_hits(&recall, &why); /* said below */
	if (why)
		spk_warn("agent", "task %s is not told all that the memory has: %s",
			 run->env.task->id, why->message);
	return payload_of(&recall, tools);
}

/* ---- once in a task ---- */

static gboolean record(SpkRun *run, json_t *take_payload, GError **error)
{
	g_autoptr(json_t) payload = take_payload;
	SpkTaint taint = SPK_TAINT_OPERATOR;

	(void)spk_taint_parse(spk_json_str(payload, "taint"), &taint);
	return run_taint(run, taint, "a note of the memory", error) &&
	       run_record(run, RECALL_KIND, RECALL_KEY, SPK_EFFECT_PURE,
			  json_incref(payload), error);
}

static gboolean look(SpkRun *run, GError **error)
{
	const json_t *played = recall_known(run);
	gboolean any = FALSE;

	if (recall_recorded(run) || recall_has_begun(run) || run_memory_is_off(run))
		return TRUE;
	if (played)
		return record(run, json_deep_copy(played), error);
	if (recall_is_offline(run) || !recall_holds_any(run, &any, error))
		return recall_is_offline(run);
	return !any || record(run, find(run, run->memory_tools), error);
}

gboolean run_recall(SpkRun *run, const char **ret_text, GError **error)
{
	const char *text;

	if (!look(run, error))
		return FALSE;
	text = spk_json_str(recall_recorded(run), "text");
	*ret_text = text ? text : "";
	return TRUE;
}
