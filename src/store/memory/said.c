/* Words of memories in the records of tasks. */
#include "store/memory_records.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "store/memory/memory_priv.h"

#define KEYS_MAX 4
#define AT_ONCE	 100 /* rows of a transaction: others write in between */

/* Where words are kept. What apply and undo go by, and what was really run, is not among them. */
static const struct {
	const char *table, *column;
	const char *task; /* the column that names it; NULL: of no task */
	const char *keys[KEYS_MAX];
	gboolean json;
	const char *where;
} places[] = {
	{ "journal",
	  "payload",
	  "task",
	  { "task", "seq" },
	  TRUE,
	  " WHERE kind NOT IN ('state', 'tree', 'apply.intent', 'apply.result',"
	  " 'undo.intent', 'undo.result', 'commit.intent', 'commit.result', 'kept',"
	  " 'restored', 'net.intent', 'net.result', 'pruned')" },
	{ "tasks", "goal", "id", { "id" }, FALSE, "" },
	{ "tasks", "reason", "id", { "id" }, FALSE, "" },
	{ "tasks", "summary", "id", { "id" }, FALSE, "" },
	{ "tasks", "options", "id", { "id" }, TRUE, "" },
	{ "tasks", "error", "id", { "id" }, TRUE, "" },
	{ "evidence",
	  "output_tail",
	  "task",
	  { "task", "round", "phase", "command" },
	  FALSE,
	  "" },
	{ "approvals", "line", "task", { "id" }, FALSE, "" },
	{ "approvals", "arguments", "task", { "id" }, FALSE, "" },
	{ "approvals", "decision", "task", { "id" }, TRUE, "" },
	{ "approvals", "note", "task", { "id" }, FALSE, "" },
	{ "mail", "payload", "task", { "task", "seq" }, TRUE, "" },
	{ "sessions", "title", NULL, { "id" }, FALSE, "" },
	{ "events", "message", NULL, { "seq" }, FALSE, "" },
	{ "events", "details", NULL, { "seq" }, TRUE, "" },
};

/* What is looked for, in all forms in which it may stand. */
typedef struct {
	GHashTable
		*by_head; /* first bytes of a word -> GPtrArray of those, longest first */
	guint8 heads
		[1 << 13]; /* a bit for each head, so that few positions are looked up */
} Words;

/* A row that has some of them. */
typedef struct {
	guint place; /* of places[] */
	char *task;
	SpkDbValue keys[KEYS_MAX + 1]; /* texts are its own */
} Found;

typedef struct {
	SpkTx *tx;
	const Words *words;
	GPtrArray *found; /* Found */
	guint place;
} Search;

static void found_free(gpointer data)
{
	Found *found = data;

	for (guint i = 0; i < KEYS_MAX; i++)
		if (found->keys[i].type == SPK_DB_TEXT)
			g_free((char *)found->keys[i].text);
	g_free(found->task);
	g_free(found);
}

void spk_memory_said_clear(SpkMemorySaid *said)
{
	g_clear_pointer(&said->over, g_ptr_array_unref);
	g_clear_pointer(&said->going_on, g_ptr_array_unref);
}

/* ---- the words ---- */

/* As it stands between the quotes of a JSON text. */
static char *inside_json(const char *text)
{
	g_autoptr(json_t) value = spk_json_text(text);
	g_autofree char *quoted = spk_json_dump(value);

	return g_strndup(quoted + 1, strlen(quoted) - 2);
}

static int longer_first(gconstpointer a, gconstpointer b)
{
	gsize one = strlen(*(const char *const *)a),
	      other = strlen(*(const char *const *)b);

	return (one < other) - (one > other);
}

static guint64 head_of(const char *text)
{
	guint64 head;

	G_STATIC_ASSERT(sizeof(head) <= SPK_MEMORY_SAID_MIN);
	memcpy(&head, text, sizeof(head));
	return head;
}

static guint bit_of(guint64 head)
{
	return (guint)(head * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) >> 48);
}

static void add_word(Words *words, const char *word)
{
	GPtrArray *same;
	guint64 head;

	if (strlen(word) < SPK_MEMORY_SAID_MIN)
		return;
	head = head_of(word);
	same = g_hash_table_lookup(words->by_head, &head);
	if (!same) {
		same = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(words->by_head, g_memdup2(&head, sizeof(head)), same);
		words->heads[bit_of(head) / 8] |= (guint8)(1 << bit_of(head) % 8);
	}
	if (g_ptr_array_find_with_equal_func(same, word, g_str_equal, NULL))
		return;
	g_ptr_array_add(same, g_strdup(word));
}

/* Also in the arguments of a call, which are JSON in a JSON text, and in those of a call in that. */
static void add_forms(Words *words, const char *text)
{
	g_autofree char *once = inside_json(text);
	g_autofree char *twice = inside_json(once);

	add_word(words, text);
	add_word(words, once);
	add_word(words, twice);
}

static void words_clear(Words *words)
{
	g_clear_pointer(&words->by_head, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Words, words_clear)

static void words_init(Words *words, const GPtrArray *texts)
{
	GHashTableIter iter;
	gpointer same;

	memset(words, 0, sizeof(*words));
	words->by_head = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
					       (GDestroyNotify)g_ptr_array_unref);
	for (guint i = 0; i < texts->len; i++) {
		g_autofree char *line =
			spk_text_clean(texts->pdata[i], -1, SPK_CLEAN_LINE);
		g_autofree char *stripped = g_strstrip(g_strdup(texts->pdata[i]));

		add_forms(words, stripped);
		add_forms(words, g_strstrip(line));
	}
	g_hash_table_iter_init(&iter, words->by_head);
	while (g_hash_table_iter_next(&iter, NULL, &same))
		g_ptr_array_sort(same, longer_first);
}

/* Where the next of them stands in text[0, len), or NULL; the longest one there. */
static const char *next_word(const Words *words, const char *text, gsize len,
			     gsize *ret_len)
{
	const char *end = text + len;

	for (; text + SPK_MEMORY_SAID_MIN <= end; text++) {
		guint64 head = head_of(text);
		guint bit = bit_of(head);
		const GPtrArray *same;

		if (!(words->heads[bit / 8] & 1 << bit % 8))
			continue;
		same = g_hash_table_lookup(words->by_head, &head);
		for (guint i = 0; same && i < same->len; i++) {
			*ret_len = strlen(same->pdata[i]);
			if (*ret_len <= (gsize)(end - text) &&
			    !memcmp(text, same->pdata[i], *ret_len))
				return text;
		}
	}
	return NULL;
}

/* NULL: there is nothing to take out. */
static GString *without(const Words *words, const char *text, gsize len)
{
	g_autoptr(GString) rest = NULL;
	const char *end = text + len, *word;
	gsize word_len;

	while ((word = next_word(words, text, (gsize)(end - text), &word_len))) {
		if (!rest)
			rest = g_string_sized_new(len);
		g_string_append_len(rest, text, word - text);
		g_string_append(rest, SPK_MEMORY_FORGOTTEN);
		text = word + word_len;
	}
	if (rest)
		g_string_append_len(rest, text, end - text);
	return g_steal_pointer(&rest);
}

GString *spk_memory_unsay(const GPtrArray *texts, const char *text, gsize len)
{
	g_auto(Words) words;

	words_init(&words, texts);
	return without(&words, text, len);
}

/* The value without them; a new reference. Keys stay. */
static json_t *json_without(const Words *words, json_t *value)
{
	g_autoptr(GString) text = NULL;
	const char *key;
	json_t *one;
	size_t i;

	if (json_is_string(value)) {
		text = without(words, json_string_value(value),
			       json_string_length(value));
		return text ? spk_json_text_n(text->str, text->len) : json_incref(value);
	}
	json_object_foreach(value, key, one)
		spk_json_set(value, key, json_without(words, one));
	json_array_foreach(value, i, one)
		(void)json_array_set_new(value, i, json_without(words, one));
	return json_incref(value);
}

/* ---- where they stand ---- */

static gboolean visit(const SpkDbValue *row, gpointer user, GError **error)
{
	Search *search = user;
	Found *found;
	gsize len;

	if (row[0].type != SPK_DB_TEXT ||
	    !next_word(search->words, row[0].text, row[0].len, &len))
		return TRUE;
	found = g_new0(Found, 1);
	found->place = search->place;
	found->task = spk_db_dup_text(&row[1]);
	for (guint i = 0; i < KEYS_MAX && places[search->place].keys[i]; i++) {
		found->keys[i] = row[2 + i];
		if (row[2 + i].type == SPK_DB_TEXT)
			found->keys[i].text = spk_db_dup_text(&row[2 + i]);
	}
	g_ptr_array_add(search->found, found);
	return TRUE;
}

static gboolean look(Search *search, GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(GString) sql = g_string_new(NULL);

		g_string_printf(sql, "SELECT %s, %s", places[i].column,
				places[i].task ? places[i].task : "NULL");
		for (guint k = 0; k < KEYS_MAX && places[i].keys[k]; k++)
			g_string_append_printf(sql, ", %s", places[i].keys[k]);
		g_string_append_printf(sql, " FROM %s%s", places[i].table,
				       places[i].where);
		search->place = i;
		if (!spk_tx_each(search->tx, sql->str, NULL, visit, search, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- taking them out ---- */

static char *condition_of(const Found *found, guint first)
{
	GString *where = g_string_new(" WHERE");

	for (guint i = 0; i < KEYS_MAX && places[found->place].keys[i]; i++)
		g_string_append_printf(where, "%s %s = $%u", i ? " AND" : "",
				       places[found->place].keys[i], first + i);
	return g_string_free(where, FALSE);
}

static gboolean replaced(const Search *search, const Found *found, const char *text,
			 char **ret, GError **error)
{
	g_autoptr(json_t) json = NULL, clean = NULL;
	g_autoptr(GString) rest = NULL;

	if (!places[found->place].json) {
		rest = without(search->words, text, strlen(text));
		*ret = rest ? g_strdup(rest->str) : NULL;
		return TRUE;
	}
	json = spk_json_parse(text, strlen(text), SPK_JSON_MAX, error);
	if (!json)
		return FALSE;
	clean = json_without(search->words, json);
	*ret = spk_json_dump(clean);
	return TRUE;
}

static gboolean take_out(Search *search, const Found *found, GError **error)
{
	g_autofree char *where = condition_of(found, 1), *after = condition_of(found, 2);
	g_autofree char *select = g_strdup_printf("SELECT %s FROM %s%s",
						  places[found->place].column,
						  places[found->place].table, where);
	g_autofree char *update = g_strdup_printf("UPDATE %s SET %s = $1%s",
						  places[found->place].table,
						  places[found->place].column, after);
	g_autofree char *text = NULL, *rest = NULL;
	SpkDbValue args[KEYS_MAX + 2];

	memcpy(args + 1, found->keys, sizeof(found->keys));
	if (!spk_tx_text(search->tx, select, found->keys, &text, error) ||
	    (text && !replaced(search, found, text, &rest, error)))
		return FALSE;
	args[0] = spk_db_text(rest);
	return !rest || spk_tx_exec(search->tx, update, args, NULL, error);
}

static void add_task(GPtrArray *tasks, const char *task)
{
	if (!g_ptr_array_find_with_equal_func(tasks, task, g_str_equal, NULL))
		g_ptr_array_add(tasks, g_strdup(task));
}

/* Of those found, [from, to). */
static gboolean settle(Search *search, guint from, guint to, gboolean takes_out,
		       SpkMemorySaid *said, GError **error)
{
	for (guint i = from; i < to; i++) {
		const Found *found = search->found->pdata[i];
		SpkState state = SPK_STATE_DONE;

		if (found->task &&
		    !spk_task_state(search->tx, found->task, &state, error))
			return FALSE;
		if (!spk_state_is_terminal(state)) {
			add_task(said->going_on, found->task);
			continue;
		}
		if (found->task)
			add_task(said->over, found->task);
		if (takes_out && !take_out(search, found, error))
			return FALSE;
	}
	return TRUE;
}

/* All records are looked through without keeping anybody from writing. */
static gboolean find(SpkStore *store, Search *search, gboolean settles,
		     SpkMemorySaid *said, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	search->tx = tx;
	return tx && look(search, error) &&
	       (!settles || settle(search, 0, search->found->len, FALSE, said, error));
}

static gboolean take_out_some(SpkStore *store, Search *search, guint from, guint to,
			      SpkMemorySaid *said, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);

	search->tx = tx;
	return tx && settle(search, from, to, TRUE, said, error) &&
	       spk_memory_want_scrub(tx, SPK_SCRUB_ALL, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}

gboolean spk_memories_said(SpkStore *store, const GPtrArray *texts, gboolean takes_out,
			   SpkMemorySaid *ret, GError **error)
{
	g_auto(Words) words;
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(found_free);
	g_auto(SpkMemorySaid) said = { g_ptr_array_new_with_free_func(g_free),
				       g_ptr_array_new_with_free_func(g_free) };
	Search search = { NULL, &words, found, 0 };

	words_init(&words, texts);
	if (g_hash_table_size(words.by_head) &&
	    !find(store, &search, !takes_out, &said, error))
		return FALSE;
	for (guint i = 0; takes_out && i < found->len; i += AT_ONCE)
		if (!take_out_some(store, &search, i, MIN(i + AT_ONCE, found->len), &said,
				   error))
			return FALSE;
	if (takes_out && found->len)
		spk_memory_try_scrub(store, TRUE);
	*ret = said;
	said = (SpkMemorySaid){ 0 };
	return TRUE;
}

/* ---- what a memory says ---- */

gboolean spk_memories_add_texts(SpkStore *store, const char *id, GPtrArray *texts,
				GError **error)
{
	g_autoptr(SpkMemoryRow) row = NULL;
	g_autoptr(GPtrArray) past = NULL;

	if (!spk_memories_get(store, id, &row, error))
		return FALSE;
	if (!row)
		return TRUE;
	past = spk_memories_history(store, row->num, error);
	for (guint i = 0; past && i < past->len; i++) {
		const SpkMemoryPast *one = past->pdata[i];

		/* of an id that was merged only its own */
		if (one->text && (!strcmp(row->id, id) || !g_strcmp0(one->id, id)))
			g_ptr_array_add(texts, g_strdup(one->text));
	}
	if (!strcmp(row->id, id))
		g_ptr_array_add(texts, g_strdup(row->text));
	return past != NULL;
}
