/* What is asked for becomes words: valid, bounded, never empty ones, each once, and the same ones
 * for the same text. What is packed of them comes back; what comes back packed is in order. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "store/memory/postings.h"
#include "store/memory/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(const char *text)
{
	g_autoptr(SpkWords) words = spk_words_of(text, 0);
	g_autoptr(SpkWords) some = spk_words_of(text, 7);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	g_assert(some->words->len == MIN(words->words->len, 7));
	for (guint i = 0; i < words->words->len; i++) {
		const SpkWord *word = &g_array_index(words->words, SpkWord, i);

		g_assert(word->n > 0);
		g_assert(*word->word && strlen(word->word) <= SPK_WORD_MAX);
		g_assert(g_utf8_validate(word->word, -1, NULL));
		g_assert(!strchr(word->word, ' ') && !strchr(word->word, '"'));
		g_assert(g_hash_table_add(seen, (gpointer)word->word));
		if (i < 7)
			g_assert_cmpstr(word->word, ==,
					g_array_index(some->words, SpkWord, i).word);
	}
}

static void check_postings(const uint8_t *data, size_t size)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(SpkPosting));
	g_autoptr(GByteArray) block = g_byte_array_new();

	if (!spk_postings_read(data, size, 1, list) || !list->len)
		return;
	for (guint i = 1; i < list->len; i++)
		g_assert(g_array_index(list, SpkPosting, i).num >
			 g_array_index(list, SpkPosting, i - 1).num);
	g_assert(spk_postings_write((const SpkPosting *)list->data, list->len, block));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *bytes = g_strndup((const char *)data, size);
	g_autofree char *text = g_utf8_make_valid(bytes, -1);

	check_words(text);
	check_postings(data, size);
	return 0;
}
