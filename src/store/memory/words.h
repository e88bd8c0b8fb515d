/*
 * What counts as a word of a text, the same for what is stored and for what is asked.
 *
 * A text is brought to NFKC, folded to lower case and, in Latin, Greek, Cyrillic, Hebrew and Arabic
 * script, freed of its accents. English words lose their endings, irregular ones count as their base
 * (stem.h); stop words are left out unless they look like a name ("Will" inside a sentence) or there is nothing else. What is joined
 * by / \ : @ . - _ counts as a whole and in each of its parts, so does a name in camelCase:
 * "src/base/json_dump.c" is found by all of it, by "json_dump.c", by "json_dump" and by "json".
 * Scripts without spaces go by pairs of characters. Nothing in a text is syntax.
 */
#ifndef SPK_STORE_WORDS_H
#define SPK_STORE_WORDS_H

#include <glib.h>

/* Another number for every change of what a word is: the words of a store are made anew then. */
#define SPK_WORDS_VERSION 2
#define SPK_WORD_MAX	  64 /* bytes; of a longer one these are its last */

typedef struct {
	const char *word;
	guint n; /* how often */
} SpkWord;

typedef struct {
	GArray *words; /* SpkWord, each once, in the order of their first */
	guint length; /* how many words the text has: a whole and its parts count as the parts */
	GStringChunk *chunk;
} SpkWords;

/* `text` is valid UTF-8; at most `most` different words (0: all). */
SpkWords *spk_words_of(const char *text, guint most);
void spk_words_free(SpkWords *words);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkWords, spk_words_free)
/* By their bytes: neighbours in a database lie together. */
void spk_words_sort(SpkWords *words);

/* ---- stop_words.c ---- */
/* A lower-case word that says nothing by itself. */
gboolean spk_words_is_stop(const char *word);

#endif
