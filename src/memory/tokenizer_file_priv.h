/*
 * What the files of a model say about its tokenizer.
 */
#ifndef SPK_MEMORY_TOKENIZER_FILE_PRIV_H
#define SPK_MEMORY_TOKENIZER_FILE_PRIV_H

#include <glib.h>

#include "memory/vocab_priv.h"

/* A word of more characters is [UNK], as in the original. */
#define WORD_CHARS 100

typedef struct {
	char *text;
	guint32 id;
} SpecialToken;

typedef struct {
	Vocab *vocab;
	char *continuing; /* what pieces in the middle of a word start with: "##" */
	guint32 unk, cls, sep;
	gboolean clean, lowercase, strip_accents, ideographs;
	SpecialToken *specials; /* found in a text as they are */
	guint n_specials;
} TokenizerFile;

/* See spk_wordpiece_open(). *file is empty after an error. */
gboolean tokenizer_file_read(TokenizerFile *file, const char *dir, GError **error);
/* The text of a tokenizer.json; `name` is for errors. */
gboolean tokenizer_file_parse(TokenizerFile *file, const char *text, gsize size,
			      const char *name, GError **error);
void tokenizer_file_clear(TokenizerFile *file);

#endif
