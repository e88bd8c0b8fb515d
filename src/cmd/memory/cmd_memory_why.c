/*
 * `sparks memory why ID`: where it comes from. Who said it and when, the journal entry it was
 * learned from, what it took the place of and what took its place, what it said before it was
 * edited, and who said it again.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/memory_all.h"
#include "cmd/memory/rows.h"
#include "cmd/ui.h"

enum { CHAIN = 100, LINES = 6 };

typedef struct {
	SpkMemoryRow *row;
	GPtrArray *replaced; /* SpkMemoryRow: those whose place it took, nearest first */
	GPtrArray *replaced_by; /* likewise */
	GPtrArray *past;	/* SpkMemoryPast */
	SpkJournalEntry *entry; /* NULL: it names none, or that is gone */
} Why;

static void why_clear(Why *why)
{
	g_clear_pointer(&why->row, spk_memory_row_free);
	g_clear_pointer(&why->replaced, g_ptr_array_unref);
	g_clear_pointer(&why->replaced_by, g_ptr_array_unref);
	g_clear_pointer(&why->past, g_ptr_array_unref);
	g_clear_pointer(&why->entry, spk_journal_entry_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Why, why_clear)

/* From one memory to the next, until there is none, or one was forgotten. */
static GPtrArray *follow(SpkStore *store, const SpkMemoryRow *row, gboolean back,
			 GError **error)
{
	g_autoptr(GPtrArray) chain =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_memory_row_free);

	while (chain->len < CHAIN) {
		const char *id = back ? row->supersedes : row->superseded_by;
		SpkMemoryRow *next = NULL;

		if (!id)
			break;
		if (!spk_memories_get(store, id, &next, error))
			return NULL;
		if (!next)
			break;
		g_ptr_array_add(chain, next);
		row = next;
	}
	return g_steal_pointer(&chain);
}

/* Its task may have been pruned, and another store may hold it: then there is none. */
static SpkJournalEntry *entry_of(SpkStore *store, const SpkMemoryRow *row)
{
	g_autoptr(GPtrArray) found =
		row->task && row->entry > 0
			? spk_journal_read(store, row->task, row->entry - 1, 1, NULL)
			: NULL;

	if (!found || !found->len ||
	    ((const SpkJournalEntry *)found->pdata[0])->seq != row->entry)
		return NULL;
	return g_ptr_array_steal_index(found, 0);
}

static gboolean collect(SpkStore *store, const char *word, Why *why, GError **error)
{
	why->row = spk_desk_find(store, word, error);
	if (!why->row)
		return FALSE;
	why->replaced = follow(store, why->row, TRUE, error);
	why->replaced_by = why->replaced ? follow(store, why->row, FALSE, error) : NULL;
	why->past = why->replaced_by ? spk_memories_history(store, why->row->num, error)
				     : NULL;
	why->entry = entry_of(store, why->row);
	return why->past != NULL;
}

/* ---- JSON ---- */

static json_t *rows_to_json(const GPtrArray *rows)
{
	json_t *array = json_array();

	for (guint i = 0; i < rows->len; i++)
		json_array_append_new(array, spk_portable_row(rows->pdata[i]));
	return array;
}

static json_t *past_to_json(const GPtrArray *all, gboolean merged)
{
	json_t *array = json_array();

	for (guint i = 0; i < all->len; i++) {
		const SpkMemoryPast *past = all->pdata[i];
		g_autofree char *time = spk_time_format(past->time_us);
		g_autofree char *at = spk_time_format(past->at_us);

		if ((past->id != NULL) != merged)
			continue;
		json_array_append_new(array,
				      json_pack("{s:o,s:o,s:o,s:o,s:o,s:s,s:s}", "id",
						spk_json_text(past->id), "text",
						spk_json_text(past->text), "source",
						spk_json_text(past->source), "task",
						spk_json_text(past->task), "entry",
						past->entry ? json_integer(past->entry)
							    : json_null(),
						"time", time, "at", at));
	}
	return array;
}

static void print_json(const Why *why)
{
	g_autoptr(json_t) object = spk_portable_row(why->row);

	spk_json_set(object, "entry_kind",
		     spk_json_text(why->entry ? why->entry->kind : NULL));
	spk_json_set(object, "replaced", rows_to_json(why->replaced));
	spk_json_set(object, "replaced_by", rows_to_json(why->replaced_by));
	spk_json_set(object, "said_before", past_to_json(why->past, FALSE));
	spk_json_set(object, "said_again", past_to_json(why->past, TRUE));
	spk_cmd_print_json(object);
}

/* ---- words ---- */

static void field(GString *out, const char *label, const char *text)
{
	spk_ui_field(out, STDOUT_FILENO, "", label, text, LINES);
}

static char *where_in_journal(const Why *why)
{
	const SpkMemoryRow *row = why->row;

	if (!row->task)
		return NULL;
	if (!row->entry)
		return g_strdup_printf("%s (sparks tasks explain %s)", row->task,
				       row->task);
	if (!why->entry)
		return g_strdup_printf("%s, entry %" G_GINT64_FORMAT
				       ", which is on record no more",
				       row->task, row->entry);
	return g_strdup_printf("%s, entry %" G_GINT64_FORMAT " (%s): sparks tasks log %s",
			       row->task, row->entry, why->entry->kind, row->task);
}

static void chain(GString *out, const char *label, const GPtrArray *rows,
		  const char *gone)
{
	for (guint i = 0; i < rows->len; i++) {
		const SpkMemoryRow *row = rows->pdata[i];
		g_autofree char *time = spk_ui_time(row->time_us);
		g_autofree char *words =
			g_strdup_printf("%s of %s: %s", row->id, time, row->text);

		field(out, label, words);
	}
	if (!rows->len && gone) {
		g_autofree char *words = g_strdup_printf("%s, which was forgotten", gone);

		field(out, label, words);
	}
}

static void past(GString *out, const SpkMemoryPast *past)
{
	g_autofree char *time = spk_ui_time(past->id ? past->time_us : past->at_us);
	g_autofree char *words = NULL;

	if (past->id)
		words = g_strdup_printf("%s by %s%s%s (%s)%s%s", time, past->source,
					past->task ? ", task " : "",
					past->task ? past->task : "", past->id,
					past->text ? ": " : "",
					past->text ? past->text : "");
	else
		words = g_strdup_printf("until %s: %s", time,
					past->text ? past->text : "the same");
	field(out, past->id ? "said again" : "before", words);
}

static void print(const Why *why)
{
	const SpkMemoryRow *row = why->row;
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *id = spk_ui_line(row->id, SPK_MEMORY_ID_MAX);
	g_autofree char *time = spk_ui_time(row->time_us);
	g_autofree char *stored = spk_ui_time(row->stored_us);
	g_autofree char *journal = where_in_journal(why);
	g_autofree char *sure = g_strdup_printf("%g", row->confidence);

	spk_ui_paint(out, STDOUT_FILENO, "bold", id);
	g_string_append_c(out, '\n');
	spk_ui_fold(out, row->text, 2, spk_ui_columns(STDOUT_FILENO), LINES);
	g_string_append_c(out, '\n');
	field(out, "said by", row->source);
	field(out, "task", journal);
	field(out, "said at", time);
	field(out, "kept at", stored);
	field(out, "sure", row->confidence < 1 ? sure : NULL);
	field(out, "trust", row->untrusted ? SPK_ROW_UNTRUSTED : "as its source");
	field(out, "state", spk_memory_state_name(row->state));
	chain(out, "replaced", why->replaced, row->supersedes);
	chain(out, "now", why->replaced_by, row->superseded_by);
	for (guint i = 0; i < why->past->len; i++)
		past(out, why->past->pdata[i]);
	fputs(out->str, stdout);
}

static int run(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { 0 };
	g_auto(Why) why = { 0 };
	g_autoptr(GError) error = NULL;
	int code;

	if (!spk_desk_open(&desk, args, &code))
		return code;
	if (!collect(desk.store, spk_args_rest(args)[0], &why, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (desk.json)
		print_json(&why);
	else
		print(&why);
	return 0;
}

const SpkCmd spk_memory_cmd_why = {
	.name = "why",
	SPK_TAKES_ID,
	.summary = "Where a memory comes from, what it replaced and what replaced it.",
	.details =
		"--json: an object of " SPK_ROW_JSON
		", and entry_kind (what the journal entry is), replaced and replaced_by "
		"(arrays of such objects, nearest first), said_before (its earlier texts, "
		"newest first) and said_again (what was merged into it): arrays of "
		"{\"id\", \"text\", \"source\", \"task\", \"entry\", \"time\", \"at\"}.",
	.example = "sparks memory why k3f9a",
	.options = spk_only_json,
	.run = run,
};
