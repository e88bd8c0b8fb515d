/*
 * The head of an HTTP message (RFC 9112), read strictly: lines end in CR LF, a field is a token, a
 * colon and text, and nothing goes over several lines. What has two readings has none here.
 */
#ifndef SPK_NET_HEAD_PRIV_H
#define SPK_NET_HEAD_PRIV_H

#include <glib.h>

#define HEAD_FIELDS_MAX 128

typedef struct {
	const char *text; /* not terminated */
	gsize len;
} Span;

typedef struct {
	Span name, value;
} Field;

/* Bytes up to and with the blank line; 0: it is not there yet. */
gsize head_len(const char *bytes, gsize len);
/* The next line without its end; FALSE: it ends otherwise than in CR LF, or holds something
 * that is no text. */
gboolean head_take_line(Span *rest, Span *ret_line);
/* Adds the Field of each line up to the blank one, with which `rest` must end. NULL, or what is
 * wrong, after "the request ". */
const char *head_take_fields(Span rest, GArray *fields);
/* Up to the next `separator` or the end, which it steps over. */
Span head_take_until(Span *rest, char separator);
Span head_trim(Span span);

gboolean head_is_token(Span span);		    /* RFC 9110 §5.6.2 */
gboolean head_is_word(Span span, const char *word); /* whatever the case */
gboolean head_is_one_of(Span span, const char *const *words, gsize n);
gboolean head_is_listed(Span span, const GArray *spans);

/* The only field of that name, or NULL; FALSE: there are two. */
gboolean head_find_single(const GArray *fields, const char *name,
			  const Field **ret_field);
/* Digits alone, at most 18. */
gboolean head_parse_length(Span value, guint64 *ret_length);
/* Whether a field concerns the connection alone (RFC 9110 §7.6.1). */
gboolean head_is_of_connection(Span name);
/* Every name that Connection lists is about the connection, too. FALSE: one can't be. */
gboolean head_find_listed(const GArray *fields, GArray *listed);
void head_put_field(GString *head, const Field *field);

#endif
