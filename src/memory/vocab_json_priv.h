/*
 * The vocabulary of a tokenizer.json without a tree of 30,000 values, which takes five times as
 * long.
 */
#ifndef SPK_MEMORY_VOCAB_JSON_PRIV_H
#define SPK_MEMORY_VOCAB_JSON_PRIV_H

#include "memory/vocab_priv.h"

/* The words of the object "vocab" in the object "model", and in `ret_rest` the text with {} in
 * their place, which nobody has looked at yet. NULL: it is not in the form that tokenizers write,
 * or wrong; then the whole text is to be parsed. */
Vocab *vocab_json_take(const char *text, gsize size, GString *ret_rest);

#endif
