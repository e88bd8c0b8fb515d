/* A memory as a row, and what may be one. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "store/memory/memory_priv.h"

#define KIND_MAX   64
#define SCOPE_MAX  4096 /* a path */
#define SOURCE_MAX 4096

static const char *const state_names[] = {
#define X(sym, name) name,
	SPK_MEMORY_STATE_TABLE(X)
#undef X
};

const char *spk_memory_state_name(SpkMemoryState state)
{
	return state_names[state];
}

gboolean spk_memory_state_parse(const char *name, SpkMemoryState *ret_state)
{
	for (guint i = 0; i < SPK_N_MEMORY_STATES; i++)
		if (!strcmp(name, state_names[i])) {
			*ret_state = (SpkMemoryState)i;
			return TRUE;
		}
	return FALSE;
}

void spk_memory_row_free(SpkMemoryRow *row)
{
	if (!row)
		return;
	g_free(row->id);
	g_free(row->text);
	g_free(row->kind);
	g_free(row->scope);
	g_free(row->source);
	g_free(row->task);
	g_free(row->speaker);
	g_free(row->supersedes);
	g_free(row->superseded_by);
	g_free(row->model);
	g_free(row);
}

SpkMemoryRow *spk_memory_row_copy(const SpkMemoryRow *row)
{
	SpkMemoryRow *copy = g_memdup2(row, sizeof(*row));

	copy->id = g_strdup(row->id);
	copy->text = g_strdup(row->text);
	copy->kind = g_strdup(row->kind);
	copy->scope = g_strdup(row->scope);
	copy->source = g_strdup(row->source);
	copy->task = g_strdup(row->task);
	copy->speaker = g_strdup(row->speaker);
	copy->supersedes = g_strdup(row->supersedes);
	copy->superseded_by = g_strdup(row->superseded_by);
	copy->model = g_strdup(row->model);
	return copy;
}

const char *spk_memory_select(void)
{
	return "SELECT m.num, m.id, m.text, m.kind, m.scope, m.source, m.task, m.entry,"
	       " m.untrusted, m.time_us, m.stored_us, m.updated_us, m.confidence,"
	       " m.speaker, m.supersedes, m.superseded_by, m.state, m.change, m.merged,"
	       " m.model FROM memories m ";
}

gboolean spk_memory_from_row(const SpkDbValue *column, gpointer user, GError **error)
{
	SpkMemoryRow *row = g_new0(SpkMemoryRow, 1);

	row->num = column[0].integer;
	row->id = spk_db_dup_text(&column[1]);
	row->text = spk_db_dup_text(&column[2]);
	row->kind = spk_db_dup_text(&column[3]);
	row->scope = spk_db_dup_text(&column[4]);
	row->source = spk_db_dup_text(&column[5]);
	row->task = spk_db_dup_text(&column[6]);
	row->entry = column[7].integer;
	row->untrusted = column[8].integer != 0;
	row->time_us = column[9].integer;
	row->stored_us = column[10].integer;
	row->updated_us = column[11].integer;
	row->confidence = column[12].real;
	row->speaker = spk_db_dup_text(&column[13]);
	row->supersedes = spk_db_dup_text(&column[14]);
	row->superseded_by = spk_db_dup_text(&column[15]);
	row->state =
		(SpkMemoryState)CLAMP(column[16].integer, 0, SPK_N_MEMORY_STATES - 1);
	row->change = column[17].integer;
	row->merged = column[18].integer;
	row->model = spk_db_dup_text(&column[19]);
	g_ptr_array_add(user, row);
	return TRUE;
}

GPtrArray *spk_memory_rows_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)spk_memory_row_free);
}

gboolean spk_memory_find_row(SpkTx *tx, const char *where, const SpkDbValue *args,
			     SpkMemoryRow **ret, GError **error)
{
	g_autoptr(GPtrArray) rows = spk_memory_rows_new();
	g_autofree char *sql = g_strconcat(spk_memory_select(), where, NULL);

	if (!spk_tx_each(tx, sql, args, spk_memory_from_row, rows, error))
		return FALSE;
	*ret = rows->len ? g_ptr_array_steal_index(rows, 0) : NULL;
	return TRUE;
}

/* ---- what may be one ---- */

static gboolean refuse(GError **error, const char *hint, const char *what,
		       const char *problem)
{
	spk_error_set(error, SPK_ERR_BAD_INPUT, hint, "the %s of a memory %s", what,
		      problem);
	return FALSE;
}

/* One line of at most `max` bytes. */
static gboolean check_word(const char *word, gsize max, const char *what, GError **error)
{
	g_autofree char *limit = NULL;

	if (!word || !*word)
		return refuse(error, "give one", what, "is missing");
	if (strlen(word) > max) {
		limit = g_strdup_printf("at most %" G_GSIZE_FORMAT " bytes", max);
		return refuse(error, limit, what, "is too long");
	}
	if (!g_utf8_validate(word, -1, NULL))
		return refuse(error, "write it in UTF-8", what, "is no valid UTF-8");
	for (const char *p = word; *p; p = g_utf8_next_char(p))
		if (g_unichar_iscntrl(g_utf8_get_char(p)))
			return refuse(error, "one line of text", what,
				      "has control characters");
	return TRUE;
}

gboolean spk_memory_check_name(const char *name, gsize max, const char *what,
			       GError **error)
{
	g_autofree char *clean = NULL;

	if (!check_word(name, max, what, error))
		return FALSE;
	clean = spk_text_clean(name, -1, SPK_CLEAN_TEXT);
	return !strcmp(clean, name) ||
	       refuse(error, "use characters that can be seen", what,
		      "has characters that are hidden or turn others round");
}

static gboolean check_optional(const char *name, gsize max, const char *what,
			       GError **error)
{
	return !name || spk_memory_check_name(name, max, what, error);
}

static gboolean is_blank(const char *text)
{
	for (; *text; text = g_utf8_next_char(text))
		if (!g_unichar_isspace(g_utf8_get_char(text)))
			return FALSE;
	return TRUE;
}

static gboolean check_text(const char *text, GError **error)
{
	gsize len = text ? strlen(text) : 0;

	if (len > SPK_MEMORY_TEXT_MAX) {
		spk_error_set(
			error, SPK_ERR_BAD_INPUT,
			"store it in pieces of at most 64 KiB, or what matters of it",
			"the text of a memory is too long (%" G_GSIZE_FORMAT " bytes)",
			len);
		return FALSE;
	}
	if (text && !g_utf8_validate(text, (gssize)len, NULL))
		return refuse(error, "convert it to UTF-8", "text", "is no valid UTF-8");
	if (!len || is_blank(text))
		return refuse(error, "say what is to be remembered", "text", "is empty");
	return TRUE;
}

gboolean spk_memory_check_row(const SpkMemoryRow *row, GError **error)
{
	if (!spk_memory_check_name(row->id, SPK_MEMORY_ID_MAX, "id", error) ||
	    !check_text(row->text, error) ||
	    !spk_memory_check_name(row->kind, KIND_MAX, "kind", error) ||
	    !check_word(row->scope, SCOPE_MAX, "scope", error) ||
	    !check_word(row->source, SOURCE_MAX, "source", error) ||
	    !check_optional(row->task, SPK_MEMORY_ID_MAX, "task", error) ||
	    !check_optional(row->speaker, SPK_MEMORY_ID_MAX, "speaker", error) ||
	    !check_optional(row->supersedes, SPK_MEMORY_ID_MAX, "predecessor", error) ||
	    !check_optional(row->superseded_by, SPK_MEMORY_ID_MAX, "successor", error))
		return FALSE;
	if (!(row->confidence >= 0 && row->confidence <= 1))
		return refuse(error, "a number from 0 to 1", "confidence",
			      "is out of range");
	if (row->time_us < 0 || row->entry < 0)
		return refuse(error, "a time since 1970", "time", "is out of range");
	if (row->supersedes && !strcmp(row->supersedes, row->id))
		return refuse(error, "name another one", "predecessor", "is itself");
	return TRUE;
}

gboolean spk_memory_check_vector(const float *vector, guint dims, const char *model,
				 GError **error)
{
	if (!vector)
		return TRUE;
	if (dims < 1 || dims > SPK_MEMORY_DIMS_MAX)
		return refuse(error, "1 to 4096 numbers", "embedding",
			      "has a wrong length");
	if (!check_word(model, SOURCE_MAX, "model", error))
		return FALSE;
	for (guint i = 0; i < dims; i++)
		if (!isfinite(vector[i]))
			return refuse(error, "numbers only", "embedding",
				      "has something that is no number");
	return TRUE;
}
