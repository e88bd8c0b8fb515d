/* `sparks memory batch`: JSON lines in, one answer for each, in order. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cmd/memory/batch_lines.h"
#include "cmd/memory/memory_all.h"
#include "cmd/session.h"
#include "memory/memory.h"

#define PATIENCE_MS    10000	  /* many texts go to a server at once */
#define LINE_MAX_BYTES (1u << 20) /* the longest memory in escapes, and an embedding */
#define GROUP_MAX      64	  /* stores of one transaction */

typedef struct {
	SpkSession session;
	SpkMemory *memory;
	/* Stores that are read and not written yet. */
	json_t *objects[GROUP_MAX];
	SpkMemoryNew adds[GROUP_MAX];
	guint n;
} Batch;

static void drop_group(Batch *batch)
{
	for (guint i = 0; i < batch->n; i++) {
		json_decref(batch->objects[i]);
		g_free((gpointer)batch->adds[i].embedding);
	}
	batch->n = 0;
}

static void batch_clear(Batch *batch)
{
	drop_group(batch);
	g_clear_pointer(&batch->memory, spk_memory_close);
	spk_session_clear(&batch->session);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Batch, batch_clear)

/* ---- answers ---- */

static void say(json_t *take_answer)
{
	g_autoptr(json_t) answer = take_answer;
	char *text = json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(9));

	printf("%s\n", text);
	free(text);
}

static void say_error(const GError *error)
{
	say(json_pack("{s:o}", "error", spk_json_text(error->message)));
}

/* ---- reading ---- */

/* A field that must be text where it is there; null counts as not there. */
static gboolean read_text(const json_t *object, const char *key, gboolean needed,
			  const char **ret, GError **error)
{
	const json_t *value = json_object_get(object, key);

	*ret = json_string_value(value);
	if (*ret || (!needed && (!value || json_is_null(value))))
		return TRUE;
	spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
		      value ? "\"%s\" is no text" : "\"%s\" is missing", key);
	return FALSE;
}

static gboolean read_time(const json_t *object, const char *key, gint64 *ret,
			  GError **error)
{
	const char *text;

	*ret = 0;
	if (!read_text(object, key, FALSE, &text, error))
		return FALSE;
	if (!text || spk_time_parse(text, ret))
		return TRUE;
	spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
		      "\"%s\" is no time in RFC 3339, as in 2026-01-31T12:00:00Z", key);
	return FALSE;
}

/* Allocated; NULL where there is none. */
static gboolean read_embedding(const json_t *object, float **ret, guint *ret_dims,
			       GError **error)
{
	const json_t *array = json_object_get(object, "embedding");
	g_autofree float *numbers = NULL;
	const json_t *number;
	size_t i;

	*ret = NULL;
	*ret_dims = 0;
	if (!array || json_is_null(array))
		return TRUE;
	*ret_dims = (guint)MIN(json_array_size(array), SPK_EMBED_DIMS_MAX + 1);
	numbers = g_new(float, *ret_dims + 1);
	json_array_foreach(array, i, number) {
		if (i >= SPK_EMBED_DIMS_MAX || !json_is_number(number))
			break;
		numbers[i] = (float)json_number_value(number);
	}
	if (!*ret_dims || *ret_dims > SPK_EMBED_DIMS_MAX || i < *ret_dims) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
			      "\"embedding\" is no array of 1 to %d numbers",
			      SPK_EMBED_DIMS_MAX);
		return FALSE;
	}
	*ret = g_steal_pointer(&numbers);
	return TRUE;
}

/* ---- store ---- */

static gboolean read_store(const json_t *object, SpkMemoryNew *ret, GError **error)
{
	float *embedding = NULL;

	*ret = (SpkMemoryNew){ .source = "batch", .is_turn = TRUE };
	if (!read_text(object, "id", TRUE, &ret->id, error) ||
	    !read_text(object, "text", TRUE, &ret->text, error) ||
	    !read_text(object, "scope", FALSE, &ret->scope, error) ||
	    !read_text(object, "kind", FALSE, &ret->kind, error) ||
	    !read_time(object, "time", &ret->time_us, error) ||
	    !read_embedding(object, &embedding, &ret->dims, error))
		return FALSE;
	ret->embedding = embedding;
	return TRUE;
}

static void write_group(Batch *batch)
{
	SpkMemoryAdded added[GROUP_MAX];
	GError *errors[GROUP_MAX];

	if (!batch->n)
		return;
	spk_memory_add_many(batch->memory, batch->adds, batch->n, added, errors);
	for (guint i = 0; i < batch->n; i++) {
		if (errors[i]) {
			say_error(errors[i]);
			g_error_free(errors[i]);
			continue;
		}
		say(added[i].merged_into ? json_pack("{s:b,s:s}", "ok", 1, "merged_into",
						     added[i].merged_into)
					 : json_pack("{s:b}", "ok", 1));
		spk_memory_added_clear(&added[i]);
	}
	drop_group(batch);
}

/* ---- the others ---- */

static json_t *search(Batch *batch, const json_t *object, GError **error)
{
	SpkMemoryQuery query = { 0 };
	const char *scopes[] = { NULL, NULL }, *kinds[] = { NULL, NULL };
	const json_t *k = json_object_get(object, "k");
	g_autofree float *embedding = NULL;
	g_autoptr(GPtrArray) hits = NULL;
	json_t *ids, *scores;

	if (!read_text(object, "query", TRUE, &query.text, error) ||
	    !read_text(object, "scope", FALSE, &scopes[0], error) ||
	    !read_text(object, "kind", FALSE, &kinds[0], error) ||
	    !read_time(object, "now", &query.now_us, error) ||
	    !read_embedding(object, &embedding, &query.dims, error))
		return NULL;
	if (k && (!json_is_integer(k) || json_integer_value(k) < 1 ||
		  json_integer_value(k) > SPK_MEMORY_K_MAX)) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
			      "\"k\" is no whole number from 1 to %d", SPK_MEMORY_K_MAX);
		return NULL;
	}
	query.k = k ? (guint)json_integer_value(k) : 0;
	query.scopes = scopes[0] ? scopes : NULL;
	query.kinds = kinds[0] ? kinds : NULL;
	query.embedding = embedding;
	hits = spk_memory_search(batch->memory, &query, error);
	if (!hits)
		return NULL;
	ids = json_array();
	scores = json_array();
	for (guint i = 0; i < hits->len; i++) {
		const SpkMemoryHit *hit = hits->pdata[i];

		json_array_append_new(ids, json_string(hit->row->id));
		json_array_append_new(scores, json_real(hit->score));
	}
	return json_pack("{s:o,s:o}", "ids", ids, "scores", scores);
}

static json_t *forget(Batch *batch, const json_t *object, GError **error)
{
	const char *id;
	gboolean was;

	if (!read_text(object, "id", TRUE, &id, error) ||
	    !spk_memory_forget(batch->memory, id, &was, error))
		return NULL;
	return json_pack("{s:b}", "ok", was);
}

static json_t *embed(Batch *batch, const json_t *object, GError **error)
{
	const char *text;
	g_autofree float *vector = NULL;
	json_t *numbers;
	guint dims;

	if (!read_text(object, "text", TRUE, &text, error))
		return NULL;
	vector = spk_memory_embed(batch->memory, &text, 1, SPK_EMBED_PASSAGE, &dims,
				  error);
	if (!vector)
		return NULL;
	numbers = json_array();
	for (guint i = 0; i < dims; i++)
		json_array_append_new(numbers, json_real((double)vector[i]));
	return json_pack("{s:o}", "embedding", numbers);
}

/* ---- lines ---- */

static const struct {
	const char *op;
	json_t *(*run)(Batch *batch, const json_t *object, GError **error);
} ops[] = {
	{ "search", search },
	{ "forget", forget },
	{ "embed", embed },
};

static json_t *run_op(Batch *batch, const json_t *object, const char *op, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(ops); i++)
		if (strcmp(ops[i].op, op) == 0)
			return ops[i].run(batch, object, error);
	spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
		      "\"op\" is none of store, search, forget, embed");
	return NULL;
}

/* A store joins the group; anything else is answered after what the group has to say. */
static void take_line(Batch *batch, const char *line, gsize len)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = spk_json_parse(line, len, LINE_MAX_BYTES, &error);
	const char *op = NULL;
	json_t *answer = NULL;

	if (object && !json_is_object(object))
		spk_error_set(&error, SPK_ERR_BAD_INPUT, NULL, "the line is no object");
	else if (object)
		(void)read_text(object, "op", TRUE, &op, &error);
	if (op && strcmp(op, "store") == 0 &&
	    read_store(object, &batch->adds[batch->n], &error)) {
		batch->objects[batch->n++] = g_steal_pointer(&object);
		if (batch->n == GROUP_MAX)
			write_group(batch);
		return;
	}
	write_group(batch);
	if (!error)
		answer = run_op(batch, object, op, &error);
	if (answer)
		say(answer);
	else
		say_error(error);
}

static gboolean serve(Batch *batch, SpkBatchLines *lines, GError **error)
{
	for (;;) {
		const char *line;
		gsize len;
		/* Who waits for an answer has sent nothing more. */
		SpkBatchGot got = spk_batch_lines_next(lines, FALSE, &line, &len, error);

		if (got == SPK_BATCH_NONE) {
			write_group(batch);
			if (fflush(stdout) != 0)
				break;
			got = spk_batch_lines_next(lines, TRUE, &line, &len, error);
		}
		if (got == SPK_BATCH_LINE) {
			take_line(batch, line, len);
			continue;
		}
		write_group(batch);
		if (got == SPK_BATCH_TOO_LONG)
			say(json_pack("{s:s}", "error",
				      "the line has more than 1048576 bytes"));
		else if (got == SPK_BATCH_FAILED)
			return FALSE;
		else if (got == SPK_BATCH_END)
			break;
	}
	if (fflush(stdout) == 0 && !ferror(stdout))
		return TRUE;
	spk_error_set(error, SPK_ERR_IO, NULL, "cannot write the answers");
	return FALSE;
}

static int run(const SpkArgs *args)
{
	g_auto(Batch) batch = { 0 };
	g_autoptr(GError) error = NULL;
	SpkBatchLines lines;
	gboolean ok;
	int code;

	if (!spk_session_open(&batch.session, args, FALSE, &code))
		return code;
	batch.memory = spk_memory_open(batch.session.store, batch.session.conf,
				       spk_core_home(batch.session.core), &error);
	if (!batch.memory)
		return spk_cmd_fail(g_steal_pointer(&error), FALSE);
	spk_memory_set_patience(batch.memory, PATIENCE_MS);
	spk_batch_lines_init(&lines, STDIN_FILENO, LINE_MAX_BYTES);
	ok = serve(&batch, &lines, &error);
	spk_batch_lines_clear(&lines);
	return ok ? 0 : spk_cmd_fail(g_steal_pointer(&error), FALSE);
}

const SpkCmd spk_memory_cmd_batch = {
	.name = "batch",
	.usage = "",
	.summary = "Store, search, forget and embed by JSON lines on stdin.",
	.details =
		"One object a line, one answer a line, in order: "
		"{\"op\":\"store\",\"id\",\"text\",\"time\"?,\"scope\"?,\"kind\"?,\"embedding\"?} gives "
		"{\"ok\":true}, with \"merged_into\" when it says what an older one says, once it is "
		"written; {\"op\":\"search\",\"query\",\"k\"?,\"scope\"?,\"kind\"?,\"now\"?,\"embedding\"?} "
		"gives {\"ids\":[...],\"scores\":[...]}, best first; {\"op\":\"forget\",\"id\"} gives "
		"{\"ok\":false} when nothing has that id; {\"op\":\"embed\",\"text\"} gives "
		"{\"embedding\":[...]}. What is wrong with a line is {\"error\":\"...\"}, and the next "
		"one goes on. A line has at most 1 MiB.",
	.example =
		"echo '{\"op\":\"search\",\"query\":\"how are tests run\",\"k\":3}' | sparks "
		"memory batch",
	.run = run,
};
