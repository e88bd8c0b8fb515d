/*
 * The words of a tokenizer: text to number. Made once, then read by any thread.
 */
#ifndef SPK_MEMORY_VOCAB_PRIV_H
#define SPK_MEMORY_VOCAB_PRIV_H

#include <glib.h>

#define VOCAB_NONE G_MAXUINT32
/* Words of any model that is known have fewer bytes; longer lines are refused. */
#define VOCAB_WORD_MAX 512
#define VOCAB_MAX      (1u << 20)

typedef struct Vocab Vocab;

typedef struct {
	guint32 at; /* in the text */
	guint16 len;
	guint16 there; /* 0: a number without word */
} VocabWord;

/* From the text of a `vocab.txt`: a word a line, the number is the line's, from 0. BAD_INPUT: no
 * words, too many, one too long, not UTF-8. `name` is for errors. */
Vocab *vocab_new_lines(GBytes *text, const char *name, GError **error);
Vocab *vocab_open_lines(const char *path, GError **error);
/* From char *; the place is the number. NULL stands for a number without word. */
Vocab *vocab_new_words(GPtrArray *words, const char *name, GError **error);
/* From words that stand in `text`; the place in `table`, which is taken, is the number. At least
 * one, and within the bounds above. */
Vocab *vocab_new_table(GBytes *text, GArray *table);
void vocab_free(Vocab *vocab);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Vocab, vocab_free)

guint vocab_size(const Vocab *vocab);
/* A word is there under two numbers. */
gboolean vocab_has_twins(const Vocab *vocab);
/* Of all words and their numbers. */
guint64 vocab_digest(const Vocab *vocab);
/* The hash of a word's bytes, piece by piece: start with vocab_hash(VOCAB_HASH, …). */
#define VOCAB_HASH 0xcbf29ce484222325u
guint64 vocab_hash(guint64 before, const char *bytes, gsize n);
/* Number of the word `prefix` + `bytes` (with the hash of both together), or VOCAB_NONE. */
guint32 vocab_find(const Vocab *vocab, guint64 hash, const char *prefix,
		   const char *bytes, gsize n);
guint32 vocab_find_word(const Vocab *vocab, const char *word);

#endif
