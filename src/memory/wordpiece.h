/*
 * Text to the numbers that a model of the BERT family reads: cleaned, split into words,
 * lowered, accents away, each word cut into the longest pieces of the vocabulary. Token for
 * token what the models' own tokenizer gives (Hugging Face tokenizers: BertNormalizer,
 * BertPreTokenizer, WordPiece; Devlin et al. 2019). Made once, then used by any thread.
 */
#ifndef SPK_MEMORY_WORDPIECE_H
#define SPK_MEMORY_WORDPIECE_H

#include <glib.h>

typedef struct SpkWordpiece SpkWordpiece;

/* From the folder of a model: vocab.txt (with tokenizer_config.json if there), else
 * tokenizer.json. NOT_FOUND: none of them; BAD_INPUT: not of their form, or no WordPiece. */
SpkWordpiece *spk_wordpiece_open(const char *dir, GError **error);
void spk_wordpiece_free(SpkWordpiece *pieces);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkWordpiece, spk_wordpiece_free)

/* Every number of a text is less: of words and of added tokens. */
guint spk_wordpiece_size(const SpkWordpiece *pieces);
/* Of the vocabulary and the switches: tokenizers of one digest give the same numbers. */
guint64 spk_wordpiece_digest(const SpkWordpiece *pieces);
/* Numbers of `text` (any bytes; what is not UTF-8 is dropped) between [CLS] and [SEP], at most
 * `max` (2 or more) of them: what is longer is cut off. Returns how many. */
gsize spk_wordpiece_encode(const SpkWordpiece *pieces, const char *text, gsize size,
			   guint32 *ret_ids, gsize max);

#endif
