/*
 * Characters as BERT's uncased and cased tokenizers see them: what is dropped, what is a blank,
 * what stands alone, what an accent is. GLib's tables are of a newer Unicode than those that
 * the models' own tokenizer has (general categories of Unicode 8); the lists of the
 * differences are here. tests/e2e/memory/parity.py goes over every code point.
 */
#ifndef SPK_MEMORY_BERT_CHARS_PRIV_H
#define SPK_MEMORY_BERT_CHARS_PRIV_H

#include <glib.h>

/* Control characters, formats, private use, U+FFFD: never reach the model. */
gboolean bert_is_dropped(gunichar c);
gboolean bert_is_space(gunichar c);
/* A word of its own: ASCII signs and all that Unicode calls punctuation. */
gboolean bert_is_punct(gunichar c);
/* Ideographs, which are words of their own too. */
gboolean bert_is_ideograph(gunichar c);
/* Taken away with the accents (category Mn). */
gboolean bert_is_accent(gunichar c);
gunichar bert_lower(gunichar c);

#endif
