/*
 * Whether two texts say the same. Vectors alone don't tell "port 5432" from "port 5433", or "never"
 * from "always": what is likely to make the difference is compared as it is written.
 */
#include <string.h>

#include "memory/recall/memory_priv.h"

#define WORDS_MAX  64 /* of a text that may be contradicted */
#define PREFIX_MIN 3  /* of its words stand before the value */

static gboolean is_inside(gunichar c)
{
	return g_unichar_isalnum(c) || (c < 128 && strchr("._-/:\\'@#", (int)c) && c);
}

/* Words of a text, folded, without the punctuation around them. GPtrArray of char *. */
static GPtrArray *split(const char *text)
{
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *folded = g_utf8_casefold(text, -1);

	for (const char *p = folded; *p;) {
		const char *begin = p, *end;

		while (*p && is_inside(g_utf8_get_char(p)))
			p = g_utf8_next_char(p);
		end = p;
		while (end > begin && strchr("._-/:\\'", end[-1]))
			end--;
		if (end > begin)
			g_ptr_array_add(words, g_strndup(begin, (gsize)(end - begin)));
		if (p == begin)
			p = g_utf8_next_char(p);
	}
	return words;
}

static gboolean is_negation(const char *word)
{
	/* clang-format off */
	static const char *const negations[] = {
		"no", "not", "never", "none", "nothing", "nobody", "neither", "nor", "without",
		"cannot", "stop", "stopped", "avoid", "instead", "longer", NULL,
	};
	/* clang-format on */
	return g_strv_contains(negations, word) || g_str_has_suffix(word, "n't");
}

/* A number, or a name out of code: what has no other spelling. */
static gboolean is_hard(const char *word)
{
	if (strpbrk(word, "0123456789"))
		return TRUE;
	return strpbrk(word, "_/\\@#") || strchr(word, '.');
}

static GHashTable *telling_words(const GPtrArray *words)
{
	GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < words->len; i++)
		if (is_hard(words->pdata[i]) || is_negation(words->pdata[i]))
			g_hash_table_add(set, words->pdata[i]);
	return set;
}

gboolean spk_memory_is_same_said(const char *one, const char *other)
{
	g_autoptr(GPtrArray) words_one = split(one), words_other = split(other);
	g_autoptr(GHashTable) set_one = telling_words(words_one);
	g_autoptr(GHashTable) set_other = telling_words(words_other);
	GHashTableIter iter;
	gpointer word;

	if (g_hash_table_size(set_one) != g_hash_table_size(set_other))
		return FALSE;
	g_hash_table_iter_init(&iter, set_one);
	while (g_hash_table_iter_next(&iter, &word, NULL))
		if (!g_hash_table_contains(set_other, word))
			return FALSE;
	return TRUE;
}

/* ---- contradiction ---- */

/* Of what is so until it changes; what happened once is not contradicted by what happened again. */
static gboolean tells_state(const GPtrArray *words, guint n)
{
	/* clang-format off */
	static const char *const states[] = {
		"are", "begins", "closes", "costs", "due", "ends", "equals", "expires", "has", "have",
		"is", "lasts", "listens", "must", "needs", "opens", "requires", "runs", "starts", "takes",
		"uses", "will", NULL,
	};
	static const char *const not_past[] = {
		"called", "limited", "located", "named", "needed", "numbered", "planned", "priced",
		"required", "scheduled", "set", "used", NULL,
	};
	/* clang-format on */
	gboolean state = FALSE;

	for (guint i = 0; i < n; i++) {
		const char *word = words->pdata[i];

		if (strcmp(word, "was") == 0 || strcmp(word, "were") == 0 ||
		    strcmp(word, "had") == 0 ||
		    (g_str_has_suffix(word, "ed") && !g_strv_contains(not_past, word)))
			return FALSE;
		state = state || g_strv_contains(states, word);
	}
	return state;
}

/* Numbers, days and months only. */
static gboolean is_value(const GPtrArray *words, guint from, guint to)
{
	/* clang-format off */
	static const char *const times[] = {
		"am", "april", "august", "december", "february", "friday", "january", "july", "june",
		"march", "may", "monday", "november", "october", "pm", "saturday", "september", "sunday",
		"thursday", "tuesday", "wednesday", NULL,
	};
	/* clang-format on */
	for (guint i = from; i < to; i++)
		if (!strpbrk(words->pdata[i], "0123456789") &&
		    !g_strv_contains(times, words->pdata[i]))
			return FALSE;
	return to > from;
}

gboolean spk_memory_contradicts(const char *older, const char *newer)
{
	g_autoptr(GPtrArray) a = split(older), b = split(newer);
	guint begin = 0, end = 0;

	if (a->len > WORDS_MAX || b->len > WORDS_MAX)
		return FALSE;
	while (begin < a->len && begin < b->len &&
	       strcmp(a->pdata[begin], b->pdata[begin]) == 0)
		begin++;
	while (end + begin < a->len && end + begin < b->len &&
	       strcmp(a->pdata[a->len - 1 - end], b->pdata[b->len - 1 - end]) == 0)
		end++;
	/* The same words but for one place, and enough of them to say what it is about. */
	return begin >= PREFIX_MIN && tells_state(a, begin) &&
	       is_value(a, begin, a->len - end) && is_value(b, begin, b->len - end);
}
