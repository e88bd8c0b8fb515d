/*
 * The parts of redaction: where values that are known stand in a text, in whatever form, and
 * where strings stand that have the shape of a secret. Both only add spans; redact.c puts
 * them together.
 */
#ifndef SPK_GUARD_REDACT_PRIV_H
#define SPK_GUARD_REDACT_PRIV_H

#include <glib.h>

#include "guard/redact.h"

typedef struct {
	gsize start, end;
	const char *name; /* borrowed: of the value, or of the kind */
	gboolean known;	  /* a value, not only a shape */
	gboolean plain;	  /* stands there as it is: one name, one text */
} RedactSpan;

/* ---- redact_fold.c ---- */
/* Text as the filter sees it: ASCII letters (small) and digits with what stands between them
 * left out, %XX and \-escapes opened. Each symbol knows where it began. */
typedef struct {
	const char *text;
	gsize len, at; /* at: what was looked at so far */
	guint8 *symbols;
	guint32 *places;
	gsize n; /* symbols that are there */
} RedactFold;

enum { FOLD_BLOCK = 8192, FOLD_KEEP = 8, FOLD_ROOM = FOLD_BLOCK + 64 };

/* Folds on for a block, after the last FOLD_KEEP symbols of the one before. FALSE: the text is
 * over. At most 4 GiB less one byte. */
gboolean redact_fold_next(RedactFold *fold);
/* All of a short text; its symbols, to be freed. */
guint8 *redact_fold_all(const char *text, gsize len, gsize *ret_n);
/* Length of the %XX, \xXX, \uXXXX or \C at p, and the byte it stands for (-1: none below 256,
 * or an end of line); 0: it is none. */
gsize redact_unescape(const char *p, const char *end, int *ret_byte);

/* ---- redact_form.c ---- */
typedef enum { FORM_PLAIN, FORM_BASE64, FORM_HEX } RedactFormKind;

typedef struct {
	char *bytes;
	gsize len;
	RedactFormKind kind;
	gboolean any_case; /* a value of hexadecimal digits */
	gboolean is_value; /* the value as it is */
	gsize lead;	   /* bytes before the first letter or digit */
	guint known;	   /* whose form it is */
} RedactForm;

/* Adds the forms that a value may be written in. */
void redact_forms_of(const char *value, guint known, GArray *forms);
void redact_form_clear(gpointer form);

typedef enum { MATCH_NO, MATCH_OPEN, MATCH_YES } RedactMatch;
/* Whether the form stands at `at`, line ends, joined strings and escapes between its bytes
 * looked through. OPEN: it would if the text went on so. */
RedactMatch redact_form_match(const RedactForm *form, const char *text, gsize len,
			      gsize at, gsize *ret_end);
/* Length of what may part a text without ending it: a line end with its indentation, a joined
 * string, characters that can't be seen; 0: there is none. *ret_open: the text ends in it. */
gsize redact_gap(const char *p, const char *end, gboolean *ret_open);

/* ---- redact_known.c ---- */
typedef struct RedactKnown RedactKnown;
/* NULL when there are none. Names and values are copied. */
RedactKnown *redact_known_new(const char *const *names, const char *const *values,
			      guint n);
void redact_known_free(RedactKnown *known);
void redact_known_find(const RedactKnown *known, const char *text, gsize len,
		       GArray *spans);
/* Where a value may begin that the end of the text cuts; len: nowhere. */
gsize redact_known_open(const RedactKnown *known, const char *text, gsize len);

/* ---- redact_class.c ---- */
enum { LOWER = 1, UPPER = 2, DIGIT = 4, DASH = 8, UNDER = 16, OTHER64 = 32, DOT = 64 };
#define ALNUM  (LOWER | UPPER | DIGIT)
#define URL64  (ALNUM | DASH | UNDER)
#define BASE64 (ALNUM | OTHER64)

/* Which of these; 0: another one. */
guint redact_class(char c);
/* Letters and digits mixed as no word is; `hard`: where nothing else speaks for a secret. */
gboolean redact_is_random(const char *text, gsize len, gboolean hard);
void redact_span_add(GArray *spans, gsize start, gsize end, const char *name);

/* ---- redact_shape.c, redact_assign.c ---- */
/* *open, when not NULL, becomes the first place where one may begin that the text's end cuts. */
void redact_shapes_find(const char *text, gsize len, GArray *spans, gsize *open);
/* What `=` or `:` at `at` gives to a name that says "secret". */
void redact_assign_find(const char *text, gsize len, gsize at, GArray *spans,
			gsize *open);
/* The same of an option whose value is the next word; `at`: of its two dashes. */
void redact_option_find(const char *text, gsize len, gsize at, GArray *spans,
			gsize *open);
/* Whether `value` would be one if it stood behind `name =`, in quotes. */
/* Whether the text ends in such a name, in quotes or not, and where that begins. */
gboolean redact_name_at_end(const char *text, gsize len, gsize *ret_start);
gboolean redact_assigns(const char *name, const char *value);

/* ---- redact_values.c ---- */
struct SpkRedact {
	gint refs; /* atomic */
	RedactKnown *known;
	gint count; /* atomic */
};

/* `pairs`: names and values in turn. */
SpkRedact *redact_new_of(const char *const *env, const GPtrArray *pairs);
SpkRedact *redact_ref(SpkRedact *redact);

/* ---- redact.c ---- */
/* Spans in their order, none overlaps another. `open` as above. */
GArray *redact_find(const SpkRedact *redact, const char *text, gsize len, gsize *open);
/* Adds the first `len` bytes to `out`, with placeholders for the spans that end in
 * them; `lines`: and the line ends that were in one. */
void redact_write(const SpkRedact *redact, const char *text, gsize len,
		  const GArray *spans, SpkVault *vault, gboolean lines, GString *out);

/* ---- redact_stream.c ---- */
/* spk_redact_piece() for bytes. */
GString *redact_piece_data(const SpkRedact *redact, GString *held, const char *data,
			   gsize len, gboolean last);

/* ---- vault.c ---- */
void vault_keep(SpkVault *vault, const char *placeholder, const char *text, gsize len,
		gboolean known);
/* From now on values that are known, too. */
void vault_keep_known(SpkVault *vault);
/* NULL: none, or two. */
const char *vault_find(const SpkVault *vault, const char *placeholder);

/* ---- veil.c ---- */
enum { REDACT_TAG_KEY = 32 };
void redact_tag_key(guint8 *ret_key);
/* From now on it outlasts the process. */
void veil_keep_key(void);

#endif
