/* Reads what tokenizers write and no more: raw UTF-8 with \" and \\ for the two words that need
 * them, each number once. All else is for the parser of JSON, which says what is wrong. */
#include "memory/vocab_json_priv.h"

#include <string.h>

typedef struct {
	const char *at, *end;
} Cursor;

static gboolean is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The next character that is no blank is `c`: behind it. */
static gboolean take(Cursor *cursor, char c)
{
	while (cursor->at < cursor->end && is_blank(*cursor->at))
		cursor->at++;
	if (cursor->at == cursor->end || *cursor->at != c)
		return FALSE;
	cursor->at++;
	return TRUE;
}

/* Behind the closing quote of a string whose first is taken. */
static gboolean skip_string(Cursor *cursor)
{
	for (; cursor->at < cursor->end; cursor->at++) {
		if (*cursor->at == '"') {
			cursor->at++;
			return TRUE;
		}
		if (*cursor->at == '\\' && ++cursor->at == cursor->end)
			return FALSE;
	}
	return FALSE;
}

/* To the comma or bracket behind a value, whatever it is. */
static gboolean skip_value(Cursor *cursor)
{
	guint depth = 0;

	while (cursor->at < cursor->end) {
		char c = *cursor->at;

		if (!depth && (c == ',' || c == '}' || c == ']'))
			return TRUE;
		cursor->at++;
		if (c == '"' && !skip_string(cursor))
			return FALSE;
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
	}
	return FALSE;
}

/* Into an object, behind the colon of `key`. */
static gboolean enter(Cursor *cursor, const char *key)
{
	gsize n = strlen(key);

	if (!take(cursor, '{'))
		return FALSE;
	do {
		const char *start;

		if (!take(cursor, '"'))
			return FALSE;
		start = cursor->at;
		if (!skip_string(cursor) || !take(cursor, ':'))
			return FALSE;
		if ((gsize)(cursor->at - start) > n && !memcmp(start, key, n) &&
		    start[n] == '"')
			return TRUE;
	} while (skip_value(cursor) && take(cursor, ','));
	return FALSE;
}

/* A word, written to `to`, which is behind the cursor; its bytes, or -1. */
static int take_word(Cursor *cursor, char *to)
{
	char *start = to;

	if (!take(cursor, '"'))
		return -1;
	for (; cursor->at < cursor->end && to - start <= VOCAB_WORD_MAX; cursor->at++) {
		char c = *cursor->at;

		if (c == '"') {
			cursor->at++;
			return (int)(to - start);
		}
		if (c == '\\') {
			if (++cursor->at == cursor->end)
				return -1;
			c = *cursor->at;
			if (c != '"' && c != '\\')
				return -1;
		}
		if ((guchar)c < 0x20)
			return -1;
		*to++ = c;
	}
	return -1;
}

/* As JSON writes it, below VOCAB_MAX; -1. */
static int take_number(Cursor *cursor)
{
	int number = 0;
	const char *start;

	while (cursor->at < cursor->end && is_blank(*cursor->at))
		cursor->at++;
	start = cursor->at;
	for (; cursor->at < cursor->end && g_ascii_isdigit(*cursor->at); cursor->at++) {
		number = 10 * number + (*cursor->at - '0');
		if (number >= (int)VOCAB_MAX)
			return -1;
	}
	return cursor->at == start || (*start == '0' && cursor->at > start + 1) ? -1
										: number;
}

/* One word and its number, to the table and to `pool`. */
static gboolean take_entry(Cursor *cursor, char *pool, gsize *used, GArray *table)
{
	int n = take_word(cursor, pool + *used), number;
	VocabWord *word;

	/* no half of a character, which the one before might make whole */
	if (n < 0 || (n && ((guchar)pool[*used] & 0xc0) == 0x80) || !take(cursor, ':'))
		return FALSE;
	number = take_number(cursor);
	if (number < 0)
		return FALSE;
	if ((guint)number >= table->len)
		g_array_set_size(table, (guint)number + 1);
	word = &g_array_index(table, VocabWord, number);
	if (word->there)
		return FALSE;
	*word = (VocabWord){ (guint32)*used, (guint16)n, 1 };
	*used += (gsize)n;
	return TRUE;
}

/* The words of the object at the cursor; NULL. */
static Vocab *take_words(Cursor *cursor)
{
	g_autoptr(GArray)
		table = g_array_sized_new(FALSE, TRUE, sizeof(VocabWord), 1 << 15);
	g_autofree char *pool = g_malloc((gsize)(cursor->end - cursor->at) + 1);
	g_autoptr(GBytes) text = NULL;
	g_autoptr(Vocab) vocab = NULL;
	gsize used = 0;

	if (!take(cursor, '{'))
		return NULL;
	do {
		if (!take_entry(cursor, pool, &used, table))
			return NULL;
	} while (take(cursor, ','));
	if (!take(cursor, '}') || !g_utf8_validate_len(pool, used, NULL))
		return NULL;
	text = g_bytes_new_take(g_realloc(g_steal_pointer(&pool), used + 1), used);
	vocab = vocab_new_table(text, g_steal_pointer(&table));
	return vocab_has_twins(vocab) ? NULL : g_steal_pointer(&vocab);
}

Vocab *vocab_json_take(const char *text, gsize size, GString *ret_rest)
{
	Cursor cursor = { text, text + size };
	const char *start;
	Vocab *vocab;

	if (size > G_MAXUINT32 || !enter(&cursor, "model") || !enter(&cursor, "vocab"))
		return NULL;
	start = cursor.at;
	vocab = take_words(&cursor);
	if (!vocab)
		return NULL;
	g_string_append_len(ret_rest, text, start - text);
	g_string_append(ret_rest, "{}");
	g_string_append_len(ret_rest, cursor.at, cursor.end - cursor.at);
	return vocab;
}
