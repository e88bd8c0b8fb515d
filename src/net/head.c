#include "net/head_priv.h"

#include <string.h>

/* ---- lines ---- */

gsize head_len(const char *bytes, gsize len)
{
	for (const char *at = bytes; (at = memchr(at, '\n', len - (gsize)(at - bytes)));
	     at++) {
		gsize next = (gsize)(at - bytes) + 1;

		if (next < len && bytes[next] == '\n')
			return next + 1;
		if (next + 1 < len && bytes[next] == '\r' && bytes[next + 1] == '\n')
			return next + 2;
	}
	return 0;
}

gboolean head_is_token(Span span)
{
	for (gsize i = 0; i < span.len; i++)
		if (!g_ascii_isalnum(span.text[i]) &&
		    (!span.text[i] || !strchr("!#$%&'*+-.^_`|~", span.text[i])))
			return FALSE;
	return span.len > 0;
}

gboolean head_is_word(Span span, const char *word)
{
	return span.len == strlen(word) &&
	       g_ascii_strncasecmp(span.text, word, span.len) == 0;
}

gboolean head_is_one_of(Span span, const char *const *words, gsize n)
{
	for (gsize i = 0; i < n; i++)
		if (head_is_word(span, words[i]))
			return TRUE;
	return FALSE;
}

Span head_trim(Span span)
{
	while (span.len && (span.text[0] == ' ' || span.text[0] == '\t')) {
		span.text++;
		span.len--;
	}
	while (span.len &&
	       (span.text[span.len - 1] == ' ' || span.text[span.len - 1] == '\t'))
		span.len--;
	return span;
}

gboolean head_take_line(Span *rest, Span *ret_line)
{
	const char *end = memchr(rest->text, '\n', rest->len);
	gsize len = end ? (gsize)(end - rest->text) : 0;

	if (!len || rest->text[len - 1] != '\r')
		return FALSE;
	*ret_line = (Span){ rest->text, len - 1 };
	rest->text += len + 1;
	rest->len -= len + 1;
	for (gsize i = 0; i < ret_line->len; i++)
		if (g_ascii_iscntrl(ret_line->text[i]) && ret_line->text[i] != '\t')
			return FALSE;
	return TRUE;
}

Span head_take_until(Span *rest, char separator)
{
	const char *end = rest->len ? memchr(rest->text, separator, rest->len) : NULL;
	Span part = { rest->text, end ? (gsize)(end - rest->text) : rest->len };
	gsize step = part.len + (end != NULL);

	rest->text += step;
	rest->len -= step;
	return part;
}

/* ---- fields ---- */

static gboolean parse_field(Span line, Field *ret_field)
{
	ret_field->name = head_take_until(&line, ':');
	/* a blank before the colon or at the start of a line makes it no token */
	if (!head_is_token(ret_field->name) || line.text[-1] != ':')
		return FALSE;
	ret_field->value = head_trim(line);
	return TRUE;
}

const char *head_take_fields(Span rest, GArray *fields)
{
	for (;;) {
		Span line;
		Field field;

		if (!rest.len || !head_take_line(&rest, &line))
			return "has a line that is not text up to CR LF";
		if (!line.len)
			return rest.len ? "has a blank line in its head" : NULL;
		if (fields->len == HEAD_FIELDS_MAX)
			return "has too many header lines";
		if (!parse_field(line, &field))
			return "has a header line that is none";
		g_array_append_val(fields, field);
	}
}

gboolean head_find_single(const GArray *fields, const char *name, const Field **ret_field)
{
	*ret_field = NULL;
	for (guint i = 0; i < fields->len; i++) {
		const Field *field = &g_array_index(fields, Field, i);

		if (!head_is_word(field->name, name))
			continue;
		if (*ret_field)
			return FALSE;
		*ret_field = field;
	}
	return TRUE;
}

gboolean head_parse_length(Span value, guint64 *ret_length)
{
	guint64 length = 0;

	if (value.len < 1 || value.len > 18)
		return FALSE;
	for (gsize i = 0; i < value.len; i++) {
		if (!g_ascii_isdigit(value.text[i]))
			return FALSE;
		length = 10 * length + (guint64)(value.text[i] - '0');
	}
	*ret_length = length;
	return TRUE;
}

gboolean head_is_of_connection(Span name)
{
	static const char *const names[] = {
		"connection",
		"keep-alive",
		"proxy-authenticate",
		"proxy-authorization",
		"proxy-connection",
		"te",
		"trailer",
		"upgrade",
	};

	return head_is_one_of(name, names, G_N_ELEMENTS(names));
}

gboolean head_find_listed(const GArray *fields, GArray *listed)
{
	/* what decides where a message goes and ends */
	static const char *const of_message[] = { "host", "content-length",
						  "transfer-encoding" };

	for (guint i = 0; i < fields->len; i++) {
		Field field = g_array_index(fields, Field, i);

		if (!head_is_word(field.name, "connection") &&
		    !head_is_word(field.name, "proxy-connection"))
			continue;
		while (field.value.len) {
			Span word = head_trim(head_take_until(&field.value, ','));

			if (!word.len)
				continue;
			if (!head_is_token(word) ||
			    head_is_one_of(word, of_message, G_N_ELEMENTS(of_message)))
				return FALSE;
			g_array_append_val(listed, word);
		}
	}
	return TRUE;
}

gboolean head_is_listed(Span span, const GArray *spans)
{
	for (guint i = 0; i < spans->len; i++) {
		Span word = g_array_index(spans, Span, i);

		if (word.len == span.len &&
		    g_ascii_strncasecmp(word.text, span.text, span.len) == 0)
			return TRUE;
	}
	return FALSE;
}

void head_put_field(GString *head, const Field *field)
{
	g_string_append_len(head, field->name.text, (gssize)field->name.len);
	g_string_append(head, ": ");
	g_string_append_len(head, field->value.text, (gssize)field->value.len);
	g_string_append(head, "\r\n");
}
