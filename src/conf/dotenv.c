/*
 * `.env` files: lines NAME=VALUE, with or without `export`. 'single' quotes are literal,
 * "double" ones know \n \r \t \" \\ \$; without quotes the value ends at " #". Nothing is
 * expanded or run: $HOME stays as it is.
 */
#include <string.h>

#include "base/error.h"
#include "conf/conf_priv.h"

typedef struct {
	const char *name;  /* of the file */
	const char *start; /* of the line */
	guint line;
	GPtrArray *entries;
	GError **error;
} Reader;

static gboolean fail(const Reader *reader, const char *at, const char *what)
{
	spk_error_set(reader->error, SPK_ERR_CONFIG,
		      "lines are NAME=VALUE, with quotes around a value with blanks or #",
		      "%s:%u:%u: %s", reader->name, reader->line,
		      (guint)(at - reader->start) + 1, what);
	return FALSE;
}

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static char unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case '"':
	case '\\':
	case '$':
		return c;
	default:
		return '\0';
	}
}

/* p stands behind the opening quote; what may follow the closing one is a comment. */
static gboolean quoted(const Reader *reader, const char *p, char quote, GString *value)
{
	const char *open = p - 1;

	for (; *p && *p != quote; p++) {
		char c = quote == '"' && *p == '\\' ? unescape(p[1]) : '\0';

		if (c)
			p++;
		g_string_append_c(value, c ? c : *p);
	}
	if (!*p)
		return fail(reader, open, "this quote is not closed on its line");
	p = skip_blanks(p + 1);
	if (*p && *p != '#')
		return fail(reader, p, "text after the closing quote");
	return TRUE;
}

static void unquoted(const char *p, GString *value)
{
	const char *end = p;

	while (*end && !(*end == '#' && (end == p || end[-1] == ' ' || end[-1] == '\t')))
		end++;
	g_string_append_len(value, p, end - p);
	while (value->len && strchr(" \t", value->str[value->len - 1]))
		g_string_truncate(value, value->len - 1);
}

static gsize name_len(const char *p)
{
	gsize n = 0;

	if (g_ascii_isdigit(*p))
		return 0;
	while (g_ascii_isalnum(p[n]) || p[n] == '_')
		n++;
	return n;
}

static void add(Reader *reader, const char *name, gsize len, const char *value)
{
	SpkConfEntry *entry = g_new0(SpkConfEntry, 1);

	entry->key = g_strndup(name, len);
	entry->text = g_strdup(value);
	entry->type = SPK_TOML_STRING;
	entry->line = reader->line;
	entry->column = (guint)(name - reader->start) + 1;
	g_ptr_array_add(reader->entries, entry);
}

static gboolean read_line(Reader *reader)
{
	g_autoptr(GString) value = g_string_new(NULL);
	const char *p = skip_blanks(reader->start);
	const char *name;
	gsize len;

	if (!*p || *p == '#')
		return TRUE;
	if (g_str_has_prefix(p, "export ") || g_str_has_prefix(p, "export\t"))
		p = skip_blanks(p + strlen("export "));
	name = p;
	len = name_len(name);
	p = skip_blanks(name + len);
	if (!len || *p != '=')
		return fail(reader, p, len ? "= is missing" : "this is no variable name");
	p = skip_blanks(p + 1);
	if ((*p == '"' || *p == '\'') && !quoted(reader, p + 1, *p, value))
		return FALSE;
	if (*p != '"' && *p != '\'')
		unquoted(p, value);
	add(reader, name, len, value->str);
	return TRUE;
}

GPtrArray *spk_dotenv_parse(const char *text, gsize len, const char *name, GError **error)
{
	g_autoptr(GPtrArray) entries =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_conf_entry_free);
	Reader reader = { name, NULL, 0, entries, error };
	const char *end = text + len;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	while (text < end) {
		const char *newline = memchr(text, '\n', end - text);
		gsize n = (newline ? newline : end) - text;
		g_autofree char *line =
			g_strndup(text, n && text[n - 1] == '\r' ? n - 1 : n);
		const char *bad = line;

		reader.start = line;
		reader.line++;
		/* A NUL ends the copy, so the rest of its line would be lost in silence. */
		if (memchr(text, '\0', n) || !g_utf8_validate(line, -1, &bad)) {
			(void)fail(&reader, bad, "this is not UTF-8 text");
			return NULL;
		}
		if (!read_line(&reader))
			return NULL;
		text += n + 1;
	}
	return g_steal_pointer(&entries);
}
