/*
 * Copies of memories in the journals of tasks: what a task was told (`recall`), what it taught
 * (`learn.result`), what its spark found (memory_search) or noted (memory_save). They go with the
 * memory; how many went stays, as `forgotten`.
 */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "store/memory/memory_priv.h"

/* Word for word the condition of the index journal_of_memories (migrations.c). */
#define OF_MEMORIES                                                  \
	" FROM journal WHERE (kind IN ('recall', 'learn.result')"    \
	" OR kind IN ('model.result', 'tool.intent', 'tool.result')" \
	" AND payload LIKE '%\"name\":\"memory_%')"

#define LIST_BEGIN "<memory>\n"
#define LIST_END   "</memory>"

#define FEW 8 /* ids that are looked for in a text before it is parsed */

typedef struct {
	char *task, *kind;
	gint64 seq;
	char *text; /* NULL: parsed */
	json_t *payload;
	gboolean changed;
} Copy;

/* A call of memory_save whose note is forgotten. */
typedef struct {
	gint64 turn, index;
} Call;

typedef struct {
	SpkTx *tx;
	GHashTable *ids;
	GPtrArray *quoted; /* the ids as JSON has them */
	GPtrArray *copies; /* Copy; of the last task also calls that may have to change */
	guint settled;	   /* those of them that are changed for sure */
	GArray *calls;	   /* Call, of the last task */
} Copies;

static void copy_free(gpointer data)
{
	Copy *copy = data;

	g_free(copy->task);
	g_free(copy->kind);
	g_free(copy->text);
	json_decref(copy->payload);
	g_free(copy);
}

static void copies_clear(Copies *copies)
{
	g_clear_pointer(&copies->quoted, g_ptr_array_unref);
	g_clear_pointer(&copies->copies, g_ptr_array_unref);
	g_clear_pointer(&copies->calls, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Copies, copies_clear)

/* ---- what an entry holds of them ---- */

static gboolean is_gone(const Copies *copies, const char *id)
{
	return id && g_hash_table_contains(copies->ids, id);
}

/* Of an array of ids, or of objects that have one. */
static const char *id_at(const json_t *list, size_t i)
{
	const json_t *one = json_array_get(list, i);

	return json_is_string(one) ? json_string_value(one) : spk_json_str(one, "id");
}

static void count_gone(json_t *payload, gsize n)
{
	gint64 before = spk_json_int(payload, "forgotten", 0);

	spk_json_set(payload, "forgotten", json_integer(before + (gint64)n));
}

/* The list of notes in `text` without the lines of those; the whole list goes where it is not, line
 * for line, that of the ids. */
static char *without_lines(const Copies *copies, const char *text, const json_t *ids)
{
	const char *begin = strstr(text, LIST_BEGIN);
	const char *end = begin ? strstr(begin, LIST_END) : NULL;
	g_autofree char *inside = NULL;
	g_auto(GStrv) lines = NULL;
	g_autoptr(GString) kept = NULL;
	gsize n;

	if (!end)
		return g_strdup(SPK_MEMORY_FORGOTTEN);
	begin += strlen(LIST_BEGIN);
	inside = g_strndup(begin, end - begin);
	lines = g_strsplit(inside, "\n", -1);
	n = g_strv_length(lines);
	kept = g_string_new_len(text, begin - text);
	if (n != json_array_size(ids) + 1) { /* the last is empty */
		g_string_append(kept, SPK_MEMORY_FORGOTTEN "\n");
	} else {
		for (gsize i = 0; i + 1 < n; i++)
			if (!is_gone(copies, id_at(ids, i)))
				g_string_append_printf(kept, "%s\n", lines[i]);
	}
	g_string_append(kept, end);
	return g_string_free(g_steal_pointer(&kept), FALSE);
}

static gsize drop_ids(const Copies *copies, json_t *list)
{
	gsize n = 0;

	for (size_t i = json_array_size(list); i > 0; i--)
		if (is_gone(copies, id_at(list, i - 1))) {
			json_array_remove(list, i - 1);
			n++;
		}
	return n;
}

/* `holder`: the object that has "memories", of those that `payload` tells in its text. */
static gboolean drop_told(const Copies *copies, json_t *payload, json_t *holder)
{
	json_t *list = json_object_get(holder, "memories");
	const char *text = spk_json_str(payload, "text");
	g_autofree char *kept = NULL;
	gsize n;

	if (text)
		kept = without_lines(copies, text, list);
	n = drop_ids(copies, list);
	if (!n)
		return FALSE;
	count_gone(payload, n);
	if (kept && !json_array_size(list))
		spk_json_set(payload, "text",
			     json_string(holder == payload ? "" : SPK_MEMORY_FORGOTTEN));
	else if (kept)
		spk_json_set(payload, "text", spk_json_text(kept));
	/* excerpts of it */
	(void)json_object_del(payload, "scan");
	return TRUE;
}

static gboolean drop_learned(const Copies *copies, json_t *payload)
{
	json_t *list = json_object_get(payload, "memories");
	gsize gone = 0;
	gboolean changed = FALSE;

	for (size_t i = json_array_size(list); i > 0; i--) {
		json_t *one = json_array_get(list, i - 1);

		if (is_gone(copies, spk_json_str(one, "id")) ||
		    is_gone(copies, spk_json_str(one, "merged_into"))) {
			json_array_remove(list, i - 1);
			gone++;
		} else if (is_gone(copies, spk_json_str(one, "superseded"))) {
			spk_json_set(one, "superseded", json_null());
			changed = TRUE;
		}
	}
	if (gone)
		count_gone(payload, gone);
	return changed || gone;
}

/* What a call of memory_save has noted: the call itself stands in earlier entries. */
static gboolean drop_note(Copies *copies, const Copy *copy, json_t *meta)
{
	Call call = { spk_json_int(copy->payload, "turn", -1),
		      spk_json_int(copy->payload, "index", -1) };

	if (!is_gone(copies, spk_json_str(meta, "memory")) &&
	    !is_gone(copies, spk_json_str(meta, "note")))
		return FALSE;
	spk_json_set(meta, "memory", json_null());
	(void)json_object_del(meta, "note");
	g_array_append_val(copies->calls, call);
	return TRUE;
}

static gboolean drop_from(Copies *copies, const Copy *copy)
{
	json_t *meta = json_object_get(copy->payload, "meta");

	if (!strcmp(copy->kind, "recall"))
		return drop_told(copies, copy->payload, copy->payload);
	if (!strcmp(copy->kind, "learn.result"))
		return drop_learned(copies, copy->payload);
	if (!meta)
		return FALSE;
	return json_object_get(meta, "memories") ? drop_told(copies, copy->payload, meta)
						 : drop_note(copies, copy, meta);
}

/* ---- calls ---- */

static void blank_call(Copy *copy, const Call *call)
{
	json_t *calls = json_object_get(copy->payload, "tool_calls");
	json_t *one = calls ? json_array_get(calls, (size_t)call->index) : copy->payload;
	json_t *law = json_object_get(one, "law");

	if (spk_json_int(copy->payload, "turn", -1) != call->turn ||
	    (!calls && spk_json_int(one, "index", -1) != call->index) ||
	    g_strcmp0(spk_json_str(one, "name"), "memory_save") != 0)
		return;
	spk_json_set(one, "arguments",
		     json_string("{\"text\":\"" SPK_MEMORY_FORGOTTEN "\"}"));
	if (json_object_get(law, "what"))
		spk_json_set(law, "what", json_string(SPK_MEMORY_FORGOTTEN));
	copy->changed = TRUE;
}

/* The question that was asked about it, where one was. */
static gboolean blank_question(Copies *copies, const char *task, const Call *call,
			       GError **error)
{
	g_autofree char *key = g_strdup_printf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
					       call->turn, call->index);

	return spk_tx_exec(copies->tx,
			   "UPDATE approvals SET line = $3, arguments = $3"
			   " WHERE task = $1 AND call_key = $2",
			   SPK_ARGS(spk_db_text(task), spk_db_text(key),
				    spk_db_text(SPK_MEMORY_FORGOTTEN)),
			   NULL, error);
}

static gboolean parse(Copy *copy)
{
	g_autofree char *text = g_steal_pointer(&copy->text);

	if (text)
		copy->payload = spk_json_parse(text, strlen(text), SPK_JSON_MAX, NULL);
	return copy->payload != NULL;
}

/* All entries of a task were seen: what of its calls did not change goes. */
static gboolean settle(Copies *copies, GError **error)
{
	while (copies->settled < copies->copies->len) {
		Copy *copy = copies->copies->pdata[copies->settled];

		for (guint i = 0; i < copies->calls->len && parse(copy); i++)
			blank_call(copy, &g_array_index(copies->calls, Call, i));
		if (copy->changed)
			copies->settled++;
		else
			g_ptr_array_remove_index(copies->copies, copies->settled);
	}
	for (guint i = 0; i < copies->calls->len; i++) {
		const Copy *last = copies->copies->pdata[copies->settled - 1];

		if (!blank_question(copies, last->task,
				    &g_array_index(copies->calls, Call, i), error))
			return FALSE;
	}
	g_array_set_size(copies->calls, 0);
	return TRUE;
}

/* ---- all entries ---- */

static gboolean may_name_one(const Copies *copies, const char *text)
{
	if (copies->quoted->len > FEW)
		return TRUE;
	for (guint i = 0; i < copies->quoted->len; i++)
		if (strstr(text, copies->quoted->pdata[i]))
			return TRUE;
	return FALSE;
}

static gboolean visit(const SpkDbValue *row, gpointer user, GError **error)
{
	Copies *copies = user;
	const Copy *last = copies->copies->len
				   ? copies->copies->pdata[copies->copies->len - 1]
				   : NULL;
	gboolean is_call;
	Copy *copy;

	if (last && strcmp(last->task, row[0].text) != 0 && !settle(copies, error))
		return FALSE;
	is_call = !strcmp(row[2].text, "model.result") ||
		  !strcmp(row[2].text, "tool.intent");
	if (!is_call && !may_name_one(copies, row[3].text))
		return TRUE;
	copy = g_new0(Copy, 1);
	copy->task = spk_db_dup_text(&row[0]);
	copy->seq = row[1].integer;
	copy->kind = spk_db_dup_text(&row[2]);
	copy->text = spk_db_dup_text(&row[3]);
	g_ptr_array_add(copies->copies, copy);
	/* one that cannot be read tells nobody anything */
	copy->changed = !is_call && parse(copy) && drop_from(copies, copy);
	return TRUE;
}

static gboolean write_back(SpkTx *tx, const Copy *copy, GError **error)
{
	g_autofree char *text = spk_json_dump(copy->payload);

	return spk_tx_exec(tx,
			   "UPDATE journal SET payload = $3 WHERE task = $1 AND seq = $2",
			   SPK_ARGS(spk_db_text(copy->task), spk_db_int(copy->seq),
				    spk_db_text(text)),
			   NULL, error);
}

/* As JSON has them, quotes included. */
static GPtrArray *quoted(GHashTable *ids)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter iter;
	gpointer id;

	g_hash_table_iter_init(&iter, ids);
	while (g_hash_table_iter_next(&iter, &id, NULL)) {
		g_autoptr(json_t) text = spk_json_text(id);

		g_ptr_array_add(all, spk_json_dump(text));
	}
	return all;
}

gboolean spk_memory_copies_drop(SpkTx *tx, GHashTable *ids, gboolean *ret_any,
				GError **error)
{
	g_auto(Copies) copies = { .tx = tx,
				  .ids = ids,
				  .quoted = quoted(ids),
				  .copies = g_ptr_array_new_with_free_func(copy_free),
				  .calls = g_array_new(FALSE, FALSE, sizeof(Call)) };

	if (!spk_tx_each(tx,
			 "SELECT task, seq, kind, payload" OF_MEMORIES
			 " ORDER BY task, seq",
			 NULL, visit, &copies, error) ||
	    !settle(&copies, error))
		return FALSE;
	for (guint i = 0; i < copies.copies->len; i++)
		if (!write_back(tx, copies.copies->pdata[i], error))
			return FALSE;
	*ret_any = copies.copies->len > 0;
	return TRUE;
}
