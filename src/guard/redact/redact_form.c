/* The forms in which a value may be written, and how one is recognised in a text. */
#include <string.h>

#include "guard/redact/redact_priv.h"

enum { FEW_LETTERS = 8, GAP_MAX = 256, MARKS_MAX = 4, NUMBER_MAX = 8 };

/* ---- the forms ---- */

static void add_form(GArray *forms, RedactFormKind kind, const char *bytes, gsize len,
		     guint known, gboolean is_value)
{
	RedactForm form = { .bytes = g_strndup(bytes, len),
			    .len = len,
			    .kind = kind,
			    .is_value = is_value,
			    .known = known };

	while (form.lead < len && !g_ascii_isalnum(bytes[form.lead]))
		form.lead++;
	g_array_append_val(forms, form);
}

/* What is made of the value's own bytes, wherever in a base64 text it begins: the characters
 * at both ends that hold bits of neighbours are no part of it. */
static void add_base64(GArray *forms, const char *value, gsize len, guint known)
{
	for (gsize before = 0; before < 3; before++) {
		g_autofree guchar *bytes = g_malloc0(before + len);
		g_autofree char *all = NULL;
		gsize first = (before * 8 + 5) / 6, last = (before + len) * 8 / 6;

		memcpy(bytes + before, value, len);
		all = g_base64_encode(bytes, before + len);
		explicit_bzero(bytes, before + len);
		add_form(forms, FORM_BASE64, all + first, last - first, known, FALSE);
		explicit_bzero(all, strlen(all));
	}
}

static void add_hex(GArray *forms, const char *value, gsize len, guint known)
{
	g_autoptr(GString) hex = g_string_sized_new(2 * len + 1);

	for (gsize i = 0; i < len; i++)
		g_string_append_printf(hex, "%02x", (guchar)value[i]);
	add_form(forms, FORM_HEX, hex->str, hex->len, known, FALSE);
	explicit_bzero(hex->str, hex->len);
}

/* Each character of `set` behind a mark, or as a word; only when that changes anything. */
static void add_escaped(GArray *forms, const char *value, guint known, const char *set,
			const char *const *words)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (const char *p = value; *p; p++) {
		const char *at = strchr(set, *p);

		if (at)
			g_string_append(out, words[at - set]);
		else
			g_string_append_c(out, *p);
	}
	if (strcmp(out->str, value) != 0)
		add_form(forms, FORM_PLAIN, out->str, out->len, known, FALSE);
	explicit_bzero(out->str, out->len);
}

static gboolean is_hex(const char *value)
{
	gboolean letter = FALSE;

	for (const char *p = value; *p; p++) {
		if (!g_ascii_isxdigit(*p) && *p != '-')
			return FALSE;
		letter |= g_ascii_isalpha(*p);
	}
	return letter;
}

/* Of a value with hardly a letter: the filter can't look through its escapes. */
static void add_percent(GArray *forms, const char *value, guint known, const char *format)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (const char *p = value; *p; p++)
		if (g_ascii_isalnum(*p) || strchr("-_.~", *p))
			g_string_append_c(out, *p);
		else
			g_string_append_printf(out, format, (guchar)*p);
	add_form(forms, FORM_PLAIN, out->str, out->len, known, FALSE);
	explicit_bzero(out->str, out->len);
}

static gsize n_letters(const char *value)
{
	gsize n = 0;

	for (; *value; value++)
		n += g_ascii_isalnum(*value);
	return n;
}

void redact_forms_of(const char *value, guint known, GArray *forms)
{
	static const char *const json[] = { "\\\"", "\\\\", "\\t" };
	static const char *const twice[] = { "\\\\\\\"", "\\\\\\\\", "\\\\t" };
	static const char *const html[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
	static const char *const percent[] = { "%25" };
	gsize len = strlen(value);

	add_form(forms, FORM_PLAIN, value, len, known, TRUE);
	g_array_index(forms, RedactForm, forms->len - 1).any_case = len >= 12 &&
								    is_hex(value);
	add_escaped(forms, value, known, "\"\\\t", json);
	add_escaped(forms, value, known, "\"\\\t", twice);
	add_escaped(forms, value, known, "&<>\"'", html);
	add_escaped(forms, value, known, "%", percent);
	if (n_letters(value) < FEW_LETTERS) {
		add_percent(forms, value, known, "%%%02X");
		add_percent(forms, value, known, "%%%02x");
	}
	add_base64(forms, value, len, known);
	add_hex(forms, value, len, known);
}

void redact_form_clear(gpointer data)
{
	RedactForm *form = data;

	explicit_bzero(form->bytes, form->len);
	g_free(form->bytes);
}

/* ---- what may stand between ---- */

/* Soft hyphen, zero-width characters, word joiner, byte order mark. */
static gsize unseen_len(const char *p, const char *end)
{
	static const char *const unseen[] = {
		"\xc2\xad",	"\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d",
		"\xe2\x81\xa0", "\xef\xbb\xbf", "\xe1\xa0\x8e",
	};

	for (gsize i = 0; (guchar)*p >= 0xc2 && i < G_N_ELEMENTS(unseen); i++) {
		gsize len = strlen(unseen[i]);

		if ((gsize)(end - p) >= len && !memcmp(p, unseen[i], len))
			return len;
	}
	return 0;
}

static const char *skip_set(const char *p, const char *end, const char *set)
{
	while (p < end && *p && strchr(set, *p))
		p++;
	return p;
}

/* "\n" as JSON and C write it. */
static gsize written_newline(const char *p, const char *end)
{
	const char *start = p;

	while (end - p >= 2 && *p == '\\' && (p[1] == 'n' || p[1] == 'r'))
		p += 2;
	return (gsize)(p - start);
}

/* What a line begins with that is not its text: marks of comments, quotations and diffs, and
 * the number that a listing puts before it. */
static const char *skip_line_start(const char *p, const char *end)
{
	const char *from = skip_set(p, end, " \t"), *digits = from;

	while (digits < end && digits - from < NUMBER_MAX && g_ascii_isdigit(*digits))
		digits++;
	if (digits > from && digits < end && strchr("\t:|", *digits))
		return skip_set(digits + 1, end, " \t");
	for (p = from; p < end && p - from < MARKS_MAX && strchr(">#*|", *p); p++)
		;
	if (end - p >= 2 && p[0] == '/' && p[1] == '/')
		p += 2;
	return p == from ? p : skip_set(p, end, " \t");
}

static gsize line_gap(const char *p, const char *end, gboolean *ret_open)
{
	const char *start = p;
	gsize written;

	p = skip_set(p, end, " \t");
	if (p < end && (*p == '\\' || *p == '=') && p + 1 < end &&
	    (p[1] == '\n' || p[1] == '\r'))
		p++;
	*ret_open = p == end || (end - p == 1 && (*p == '\\' || *p == '='));
	written = p < end ? written_newline(p, end) : 0;
	if (written) {
		p += written;
	} else {
		if (p == end || (*p != '\n' && *p != '\r'))
			return 0;
		p = skip_set(p, end, "\r\n");
	}
	p = skip_line_start(p, end);
	*ret_open = p == end;
	return (gsize)(p - start);
}

static gboolean is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

static const char *skip_quote(const char *p, const char *end)
{
	if (end - p >= 2 && *p == '\\' && is_quote(p[1]))
		return p + 2;
	return p < end && is_quote(*p) ? p + 1 : p;
}

/* "abc" + "def", and what other languages write there. */
static gsize join_gap(const char *p, const char *end, gboolean *ret_open)
{
	const char *inner = skip_quote(p, end), *mark, *close;

	if (inner == p) {
		*ret_open = p + 1 == end && *p == '\\';
		return 0;
	}
	mark = skip_set(inner, MIN(end, inner + GAP_MAX), " \t\r\n");
	mark = skip_set(mark, MIN(end, mark + 3), "+.,&|~<>_\\)(");
	mark = skip_set(mark, MIN(end, mark + GAP_MAX), " \t\r\n");
	close = skip_quote(mark, end);
	*ret_open = mark == end || (mark + 1 == end && *mark == '\\');
	return close == mark ? 0 : (gsize)(close - p);
}

gsize redact_gap(const char *p, const char *end, gboolean *ret_open)
{
	gsize len = unseen_len(p, end);

	*ret_open = FALSE;
	if (len)
		return len;
	/* the first byte tells for nearly every place */
	if (!strchr(" \t\r\n\\=\"'`", *p) || !*p)
		return 0;
	len = line_gap(p, MIN(end, p + GAP_MAX), ret_open);
	if (len || *ret_open)
		return len;
	return join_gap(p, end, ret_open);
}

/* ---- recognising ---- */

static gboolean same_byte(const RedactForm *form, char want, char got)
{
	if (want == got)
		return TRUE;
	if (form->kind == FORM_BASE64)
		return (want == '+' && got == '-') || (want == '/' && got == '_');
	return (form->kind == FORM_HEX || form->any_case) &&
	       g_ascii_tolower(want) == g_ascii_tolower(got);
}

/* Bytes of the text that stand for `want`; 0: they don't. */
static gsize byte_len(const RedactForm *form, char want, const char *p, const char *end)
{
	int byte;
	gsize len;

	len = *p == '\\' || *p == '%' ? redact_unescape(p, end, &byte) : 0;
	/* \x5c is the mark itself, not the mark and "x5c" */
	if (form->is_value && len > 2 && byte == *p && want == *p)
		return len;
	if (same_byte(form, want, *p) || (want == ' ' && *p == '+'))
		return 1;
	return len && byte >= 0 && same_byte(form, want, (char)byte) ? len : 0;
}

/* Between two bytes of a hexadecimal text. */
static gsize hex_gap(const RedactForm *form, gsize at, const char *p)
{
	return form->kind == FORM_HEX && at % 2 == 0 && strchr(" :-", *p) && *p;
}

/* An escape that the end of the text cuts. */
static gboolean is_cut_escape(const char *p, const char *end)
{
	return (*p == '%' && end - p < 3) || (*p == '\\' && end - p < 6) ||
	       ((guchar)*p >= 0xc2 && end - p < 3);
}

RedactMatch redact_form_match(const RedactForm *form, const char *text, gsize len,
			      gsize at, gsize *ret_end)
{
	const char *p = text + at, *end = text + len;
	gboolean line = FALSE; /* one has just begun */

	for (gsize i = 0; i < form->len;) {
		gboolean open = FALSE;
		gsize step;

		if (p == end)
			return MATCH_OPEN;
		step = byte_len(form, form->bytes[i], p, end);
		if (step) {
			p += step;
			i++;
			line = FALSE;
			continue;
		}
		step = i ? hex_gap(form, i, p) : 0;
		if (!step && i)
			step = redact_gap(p, end, &open);
		if (!step && line && (*p == '+' || *p == '-'))
			step = 1; /* the mark of a diff */
		line = step && memchr(p, '\n', step);
		if (!step)
			return open || is_cut_escape(p, end) ? MATCH_OPEN : MATCH_NO;
		p += step;
		/* a line may end where the value has a blank */
		if (form->bytes[i] == ' ' && p < end && *p != ' ')
			i++;
	}
	*ret_end = (gsize)(p - text);
	return MATCH_YES;
}
