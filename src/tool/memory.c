/*
 * memory_search and memory_save: what earlier tasks and chats have left, and a note for those to
 * come. A note is the model's own word: never a preference of the user's, never in the user's
 * scope, and untrusted where the model has read anything that is not the user's.
 */
#include "tool/tool_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "memory/memory.h"
#include "memory/tell.h"

#define QUERY_MAX 1000 /* bytes */
#define NOTE_MAX  2000
#define HITS	  8
#define HITS_MAX  20
#define NOTES_MAX 20  /* of one task */
#define LIST_HEAD 400 /* bytes: what stands around the lines */
#define NO_MEMORY "this task runs without the memory"

/* What a spark may say that a note is. */
static const char *const kinds[] = { "fact", "repo", "success", "failure", NULL };

static char *switched_off(SpkConf *conf)
{
	return spk_conf_bool(conf, "memory.tools") ? NULL
						   : g_strdup("[memory] tools is off");
}

/* NULL: said in the result (*problem NULL), or what went wrong. */
static SpkMemory *open_memory(const SpkToolCtx *ctx, SpkToolResult *result,
			      GError **problem)
{
	if (ctx->memory)
		return ctx->memory->open(ctx->memory->user, problem);
	result_refuse(result, NO_MEMORY);
	return NULL;
}

static gboolean refuse_or_fail(SpkToolResult *result, GError *problem, GError **error)
{
	return !problem || result_fail(result, problem, error);
}

/* ---- memory_search ---- */

/* As many as the model sees whole: what is forgotten leaves the record line by line. */
static void show(const SpkToolCtx *ctx, const GPtrArray *hits, SpkToolResult *result)
{
	gsize room = result_cap(ctx) > LIST_HEAD ? result_cap(ctx) - LIST_HEAD : 0;
	g_autoptr(GString) lines = g_string_new(NULL);
	g_autofree char *list = NULL;
	json_t *ids = json_array();

	for (guint i = 0; i < hits->len; i++) {
		const SpkMemoryHit *hit = hits->pdata[i];
		g_autofree char *line = spk_memory_tell(hit->row);

		if (lines->len + strlen(line) > room)
			break;
		g_string_append(lines, line);
		json_array_append_new(ids, spk_json_text(hit->row->id));
		result->brings = MAX(result->brings,
				     spk_memory_taint(hit->row, ctx->memory->repo));
	}
	list = spk_memory_tell_list(lines->str);
	result_say(result, "%s", lines->len ? list : "[nothing in the memory fits]");
	result->meta = json_pack("{s:o}", "memories", ids);
}

static gboolean run_search(const SpkToolCtx *ctx, const json_t *args, SpkCancel *cancel,
			   SpkToolResult *ret_result, GError **error)
{
	const char *kind = spk_json_str(args, "kind");
	const char *const of_kind[] = { kind, NULL };
	SpkMemoryQuery query = { .text = spk_json_str(args, "query"),
				 .kinds = kind ? of_kind : NULL,
				 .k = (guint)spk_json_int(args, "limit", HITS),
				 .cancel = cancel };
	g_autoptr(GPtrArray) hits = NULL;
	GError *problem = NULL;
	SpkMemory *memory = open_memory(ctx, ret_result, &problem);

	if (!memory)
		return refuse_or_fail(ret_result, problem, error);
	query.scopes = ctx->memory->scopes;
	hits = spk_memory_search(memory, &query, &problem);
	if (!hits)
		return refuse_or_fail(ret_result, problem, error);
	show(ctx, hits, ret_result);
	return TRUE;
}

const SpkTool tool_memory_search = {
	.name = "memory_search",
	.sentence =
		"Looks into the memory of earlier tasks and chats: what worked here, what failed "
		"with which error, facts about the repository, what the user prefers.",
	.args =
		(const SpkToolArg[]){
			{ "query", SPK_ARG_STRING, TRUE, 0, QUERY_MAX,
			  "what is looked for, in words; names and error texts as they are" },
			{ "kind", SPK_ARG_STRING, FALSE, 0, 64,
			  "only these: preference, fact, repo, success or failure" },
			{ "limit", SPK_ARG_INT, FALSE, 1, HITS_MAX, "notes at most (8)" },
			{ NULL },
		},
	.effect = SPK_EFFECT_PURE,
	.talks = TRUE,
	.subject = "query",
	.trusted = TRUE, /* but for what it brings */
	.absent = switched_off,
	.run = run_search,
};

/* ---- memory_save ---- */

static const char *scope_of(const SpkToolMemory *memory, const json_t *args)
{
	const char *scope = spk_json_str(args, "scope");

	if (!scope || !strcmp(scope, "repo"))
		return memory->repo;
	return !strcmp(scope, "spark") ? memory->spark : NULL;
}

static gboolean save(const SpkToolCtx *ctx, SpkMemory *memory, const json_t *args,
		     SpkCancel *cancel, SpkToolResult *result, GError **error)
{
	const SpkToolMemory *own = ctx->memory;
	const char *kind = spk_json_str(args, "kind");
	g_autofree char *source = spk_memory_source(own->who, own->taint);
	/* the same when the call is made again after a crash */
	g_autofree char *id =
		g_strdup_printf("%s.s%" G_GINT64_FORMAT, ctx->task, ctx->step);
	const SpkMemoryNew note = {
		.id = id,
		.text = spk_json_str(args, "text"),
		.kind = kind ? kind : kinds[0],
		.scope = scope_of(own, args),
		.source = source,
		.task = ctx->task,
		.untrusted = own->taint > SPK_TAINT_OPERATOR,
		.cancel = cancel,
	};
	g_auto(SpkMemoryAdded) added = { 0 };

	if (!spk_memory_add(memory, &note, &added, error))
		return FALSE;
	result_say(result, "%s", added.merged_into ? "noted already" : "noted");
	result->meta =
		json_pack("{s:o,s:o,s:s}", "memory",
			  spk_json_text(added.merged_into ? added.merged_into : added.id),
			  "scope", spk_json_text(note.scope), "kind", note.kind);
	if (added.merged_into)
		spk_json_set(result->meta, "note", spk_json_text(id));
	return TRUE;
}

static gboolean run_save(const SpkToolCtx *ctx, const json_t *args, SpkCancel *cancel,
			 SpkToolResult *ret_result, GError **error)
{
	const char *kind = spk_json_str(args, "kind");
	GError *problem = NULL;
	SpkMemory *memory = open_memory(ctx, ret_result, &problem);

	if (!memory)
		return refuse_or_fail(ret_result, problem, error);
	if (ctx->memory->kept >= NOTES_MAX) {
		result_refuse(ret_result,
			      "this task has kept %d notes, which is all it may",
			      NOTES_MAX);
		return TRUE;
	}
	if (kind && !g_strv_contains(kinds, kind)) {
		g_autofree char *all = g_strjoinv(", ", (char **)kinds);

		result_refuse(
			ret_result,
			"kind is one of %s; what the user prefers is noted when they "
			"say so themselves",
			all);
		return TRUE;
	}
	if (!scope_of(ctx->memory, args)) {
		result_refuse(ret_result, "scope is \"repo\" or \"spark\"");
		return TRUE;
	}
	if (save(ctx, memory, args, cancel, ret_result, &problem))
		return TRUE;
	/* a text that is none, or too long, is the model's mistake */
	if (spk_error_is(problem, SPK_ERR_USAGE)) {
		result_refuse(ret_result, "%s", problem->message);
		g_clear_error(&problem);
		return TRUE;
	}
	return result_fail(ret_result, problem, error);
}

const SpkTool tool_memory_save = {
	.name = "memory_save",
	.sentence =
		"Keeps a note for later tasks: something that took effort to find out and will "
		"still be true then. Not for what the files say, nor for secrets.",
	.args =
		(const SpkToolArg[]){
			{ "text", SPK_ARG_STRING, TRUE, 0, NOTE_MAX,
			  "one fact that can be understood without this task" },
			{ "kind", SPK_ARG_STRING, FALSE, 0, 64,
			  "fact (the default), repo, success or failure" },
			{ "scope", SPK_ARG_STRING, FALSE, 0, 64,
			  "repo: for this repository (the default); spark: for you, wherever you work" },
			{ NULL },
		},
	.effect = SPK_EFFECT_IDEMPOTENT,
	.talks = TRUE,
	.does = SPK_DOES(REMEMBER),
	.subject = "text",
	.trusted = TRUE,
	.absent = switched_off,
	.run = run_save,
};
