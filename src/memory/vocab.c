/* An open-addressed table over the mapped file; 30,000 words are there in a millisecond. */
#include "memory/vocab_priv.h"

#include <string.h>

#include "base/error.h"

#define TEXT_MAX (64u << 20)
/* of FNV-1a */
#define VOCAB_PRIME 0x100000001b3u

struct Vocab {
	GBytes *text;
	const char *start; /* of it */
	VocabWord *table;  /* by number */
	guint32 *slots;	   /* number + 1; 0: free */
	guint n, mask;
	gboolean has_twins;
	guint64 digest;
};

guint64 vocab_hash(guint64 before, const char *bytes, gsize n)
{
	for (gsize i = 0; i < n; i++)
		before = (before ^ (guchar)bytes[i]) * VOCAB_PRIME;
	return before;
}

static guint slot_of(const Vocab *vocab, guint64 hash)
{
	return (guint)(hash ^ (hash >> 29)) & vocab->mask;
}

static gboolean is_word(const Vocab *vocab, guint number, const char *prefix,
			const char *bytes, gsize n)
{
	const VocabWord *word = &vocab->table[number];
	gsize before = strlen(prefix);

	return word->len == before + n &&
	       !memcmp(vocab->start + word->at, prefix, before) &&
	       !memcmp(vocab->start + word->at + before, bytes, n);
}

guint32 vocab_find(const Vocab *vocab, guint64 hash, const char *prefix,
		   const char *bytes, gsize n)
{
	for (guint slot = slot_of(vocab, hash); vocab->slots[slot];
	     slot = (slot + 1) & vocab->mask)
		if (is_word(vocab, vocab->slots[slot] - 1, prefix, bytes, n))
			return vocab->slots[slot] - 1;
	return VOCAB_NONE;
}

guint32 vocab_find_word(const Vocab *vocab, const char *word)
{
	gsize n = strlen(word);

	return vocab_find(vocab, vocab_hash(VOCAB_HASH, word, n), "", word, n);
}

guint64 vocab_digest(const Vocab *vocab)
{
	return vocab->digest;
}

gboolean vocab_has_twins(const Vocab *vocab)
{
	return vocab->has_twins;
}

guint vocab_size(const Vocab *vocab)
{
	return vocab->n;
}

void vocab_free(Vocab *vocab)
{
	if (!vocab)
		return;
	g_clear_pointer(&vocab->text, g_bytes_unref);
	g_free(vocab->table);
	g_free(vocab->slots);
	g_free(vocab);
}

static gboolean refuse(GError **error, const char *name, const char *what)
{
	spk_error_set(error, SPK_ERR_BAD_INPUT,
		      "put the model's own files there: sparks memory model install",
		      "%s: %s", name, what);
	return FALSE;
}

/* The words stand in vocab->start at the places of the table. Of two that are equal the later
 * number counts, as in the models' own tokenizers. */
static void index_words(Vocab *vocab)
{
	guint n_slots = 1024;

	while (n_slots < 2 * vocab->n)
		n_slots *= 2;
	vocab->mask = n_slots - 1;
	vocab->slots = g_new0(guint32, n_slots);
	for (guint i = 0; i < vocab->n; i++) {
		const VocabWord *word = &vocab->table[i];
		const char *bytes = vocab->start + word->at;
		guint64 hash = vocab_hash(VOCAB_HASH, bytes, word->len);
		guint slot = slot_of(vocab, hash);

		if (!word->there)
			continue;
		vocab->digest = (vocab->digest ^ (hash + i)) * VOCAB_PRIME;
		while (vocab->slots[slot] &&
		       !is_word(vocab, vocab->slots[slot] - 1, "", bytes, word->len))
			slot = (slot + 1) & vocab->mask;
		vocab->has_twins |= vocab->slots[slot] != 0;
		vocab->slots[slot] = i + 1;
	}
}

static gboolean add_word(GArray *table, const char *start, const char *bytes, gsize n,
			 const char *name, GError **error)
{
	VocabWord word = { (guint32)(bytes - start), (guint16)n, 1 };

	if (n > VOCAB_WORD_MAX)
		return refuse(error, name, "a word is longer than 512 bytes");
	if (table->len == VOCAB_MAX)
		return refuse(error, name, "there are more than 1,048,576 words");
	g_array_append_val(table, word);
	return TRUE;
}

static Vocab *take_table(Vocab *vocab, GArray *table)
{
	vocab->n = table->len;
	vocab->table = (VocabWord *)(void *)g_array_free(table, FALSE);
	index_words(vocab);
	return vocab;
}

Vocab *vocab_new_table(GBytes *text, GArray *table)
{
	Vocab *vocab = g_new0(Vocab, 1);

	vocab->text = g_bytes_ref(text);
	vocab->start = g_bytes_get_data(text, NULL);
	return take_table(vocab, table);
}

Vocab *vocab_new_lines(GBytes *text, const char *name, GError **error)
{
	g_autoptr(Vocab) vocab = g_new0(Vocab, 1);
	g_autoptr(GArray)
		table = g_array_sized_new(FALSE, TRUE, sizeof(VocabWord), 1 << 15);
	gsize size;
	const char *at = g_bytes_get_data(text, &size), *end;

	vocab->text = g_bytes_ref(text);
	vocab->start = at;
	if (!size || size > TEXT_MAX || !g_utf8_validate_len(at, size, NULL)) {
		(void)refuse(error, name, "it is empty, over 64 MiB or not UTF-8");
		return NULL;
	}
	end = at + size;
	while (at < end) {
		const char *stop = memchr(at, '\n', (gsize)(end - at));
		const char *next = stop ? stop + 1 : end;

		if (!stop)
			stop = end;
		if (stop > at && stop[-1] == '\r')
			stop--;
		if (!add_word(table, vocab->start, at, (gsize)(stop - at), name, error))
			return NULL;
		at = next;
	}
	return take_table(g_steal_pointer(&vocab), g_steal_pointer(&table));
}

Vocab *vocab_open_lines(const char *path, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, &failure);
	g_autoptr(GBytes) text = NULL;

	if (!file) {
		(void)refuse(error, path, failure->message);
		return NULL;
	}
	text = g_mapped_file_get_bytes(file);
	return vocab_new_lines(text, path, error);
}

Vocab *vocab_new_words(GPtrArray *words, const char *name, GError **error)
{
	g_autoptr(Vocab) vocab = g_new0(Vocab, 1);
	g_autoptr(GArray)
		table = g_array_sized_new(FALSE, TRUE, sizeof(VocabWord), 1 << 15);
	GString *text = g_string_sized_new(1 << 18);

	for (guint i = 0; i < words->len; i++)
		g_string_append(text, words->pdata[i] ? words->pdata[i] : "");
	vocab->text = g_string_free_to_bytes(text);
	vocab->start = g_bytes_get_data(vocab->text, NULL);
	for (guint i = 0, at = 0; i < words->len; i++) {
		const char *word = words->pdata[i] ? words->pdata[i] : "";

		if (!add_word(table, vocab->start, vocab->start + at, strlen(word), name,
			      error))
			return NULL;
		g_array_index(table, VocabWord, i).there = words->pdata[i] != NULL;
		at += (guint)strlen(word);
	}
	if (!words->len) {
		(void)refuse(error, name, "there are no words in it");
		return NULL;
	}
	return take_table(g_steal_pointer(&vocab), g_steal_pointer(&table));
}
