/*
 * Text from outside: made valid, bounded, free of control and escape sequences, and
 * compared for "did you mean". All strings are UTF-8.
 */
#ifndef SPK_BASE_TEXT_H
#define SPK_BASE_TEXT_H

#include <glib.h>

typedef enum {
	SPK_CLEAN_TEXT = 0, /* keeps \n and \t */
	SPK_CLEAN_LINE = 1, /* one line: white space runs become one blank */
} SpkCleanMode;

/* A copy that is valid UTF-8 without control characters (C0, C1, DEL), terminal escape
 * sequences, bidi controls, tags and characters that nobody sees (of joiners and variation
 * selectors one stays behind what it may be for). Invalid bytes become U+FFFD. len -1: NUL-terminated. */
char *spk_text_clean(const char *text, gssize len, SpkCleanMode mode);

/* A JSON text with \u escapes for what a terminal would act on, hides or turns round: the same
 * value, and fit for any screen. `json` is valid UTF-8. */
char *spk_text_json_for_screen(const char *json);

/* The longest prefix whose clean copy doesn't depend on what follows: it does not end inside a
 * character or an escape sequence. For text that comes in pieces. */
gsize spk_text_settled_len(const char *text, gsize len);

/* The longest prefix of at most max_bytes that ends between two characters. */
gsize spk_text_prefix_len(const char *text, gsize len, gsize max_bytes);

/* A copy of at most max_bytes; when cut, the tail is replaced by "…". */
char *spk_text_clip(const char *text, gsize max_bytes);

/* Keeps head and tail, at most max_bytes, with "\n[… N bytes left out …]\n" between. Where
 * that note has no room (48 bytes), only the head. */
char *spk_text_clip_middle(const char *text, gsize len, gsize max_bytes);

/* Columns on a terminal: wide characters count 2, combining marks 0; an emoji with its
 * variation selector, skin tone and what ZWJ joins to it counts 2, and so does a flag. */
int spk_text_width(const char *text);

/* Bytes of the character, as a reader sees it, that `text` begins with, and its columns. A
 * control character is one of its own, with 1 column; so is an invalid byte. 0 at the end. */
gsize spk_text_cluster(const char *text, int *ret_width);

/* The word of `words` (NULL-terminated) nearest to `word` by edit distance, or NULL when
 * none is near enough to be worth suggesting. Borrowed. */
const char *spk_text_nearest(const char *word, const char *const *words);

/* " (did you mean "x"?)" or "". */
char *spk_text_did_you_mean(const char *word, const char *const *words);

/* Lower-case hexadecimal SHA-256. */
char *spk_text_sha256(const void *data, gsize len);

/* "12.3 MB", "512 B"; SI units. */
char *spk_text_bytes(guint64 n);

/* The whole of `text` as a base-10 integer in [min, max]. */
gboolean spk_text_to_int(const char *text, gint64 min, gint64 max, gint64 *ret_value);

#endif
