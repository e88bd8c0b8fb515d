#include "guard/guard_priv.h"
#include "guard/path_priv.h"

#include <string.h>

#define DECODINGS 3
#define ZWNJ	  0x200c
#define ZWJ	  0x200d

/* Characters beyond NFKC that are drawn like one of ASCII; by code point. */
static const struct {
	guint16 from;
	char to;
} look_alikes[] = {
	{ 0x0131, 'i' }, { 0x0251, 'a' }, { 0x0261, 'g' }, { 0x0269, 'i' },
	{ 0x026a, 'i' }, { 0x0274, 'n' }, { 0x028b, 'v' }, { 0x0391, 'a' },
	{ 0x0392, 'b' }, { 0x0395, 'e' }, { 0x0396, 'z' }, { 0x0397, 'h' },
	{ 0x0399, 'i' }, { 0x039a, 'k' }, { 0x039c, 'm' }, { 0x039d, 'n' },
	{ 0x039f, 'o' }, { 0x03a1, 'p' }, { 0x03a4, 't' }, { 0x03a5, 'y' },
	{ 0x03a7, 'x' }, { 0x03b1, 'a' }, { 0x03b5, 'e' }, { 0x03b7, 'n' },
	{ 0x03b9, 'i' }, { 0x03ba, 'k' }, { 0x03bd, 'v' }, { 0x03bf, 'o' },
	{ 0x03c1, 'p' }, { 0x03c4, 't' }, { 0x03c5, 'u' }, { 0x03c7, 'x' },
	{ 0x0405, 's' }, { 0x0406, 'i' }, { 0x0408, 'j' }, { 0x0410, 'a' },
	{ 0x0412, 'b' }, { 0x0415, 'e' }, { 0x041a, 'k' }, { 0x041c, 'm' },
	{ 0x041d, 'h' }, { 0x041e, 'o' }, { 0x0420, 'p' }, { 0x0421, 'c' },
	{ 0x0422, 't' }, { 0x0423, 'y' }, { 0x0425, 'x' }, { 0x0430, 'a' },
	{ 0x0432, 'b' }, { 0x0435, 'e' }, { 0x043a, 'k' }, { 0x043c, 'm' },
	{ 0x043e, 'o' }, { 0x043f, 'n' }, { 0x0440, 'p' }, { 0x0441, 'c' },
	{ 0x0442, 't' }, { 0x0443, 'y' }, { 0x0445, 'x' }, { 0x0455, 's' },
	{ 0x0456, 'i' }, { 0x0458, 'j' }, { 0x0475, 'v' }, { 0x04bb, 'h' },
	{ 0x04cf, 'l' }, { 0x0501, 'd' }, { 0x051b, 'q' }, { 0x051d, 'w' },
	{ 0x0570, 'h' }, { 0x0578, 'n' }, { 0x057d, 'u' }, { 0x0585, 'o' },
	{ 0x0660, '.' }, { 0x06d4, '.' }, { 0x06f0, '.' }, { 0x0701, '.' },
	{ 0x0702, '.' }, { 0x1735, '/' }, { 0x2010, '-' }, { 0x2011, '-' },
	{ 0x2012, '-' }, { 0x2013, '-' }, { 0x2041, '/' }, { 0x2044, '/' },
	{ 0x2212, '-' }, { 0x2215, '/' }, { 0x2216, '/' }, { 0x2571, '/' },
	{ 0x27cb, '/' }, { 0x29f5, '/' }, { 0x29f8, '/' }, { 0x29f9, '/' },
	{ 0x3002, '.' }, { 0x4e36, '/' }, { 0x4e3f, '/' }, { 0xa4f8, '.' },
	{ 0xa731, 's' },
};

/* ---- normal form ---- */

char *path_normal(const char *path)
{
	gboolean absolute = *path == '/';
	GString *out = g_string_new(absolute ? "/" : "");
	gsize top = out->len;

	while (*path) {
		gsize len = strcspn(path, "/");

		if (len == 2 && !strncmp(path, "..", 2)) {
			const char *slash = strrchr(out->str + top, '/');

			if (out->len == top && !absolute) {
				g_string_free(out, TRUE);
				return NULL;
			}
			g_string_truncate(out, slash ? (gsize)(slash - out->str) : top);
		} else if (len && !(len == 1 && *path == '.')) {
			if (out->len > top)
				g_string_append_c(out, '/');
			g_string_append_len(out, path, (gssize)len);
		}
		path += len + (path[len] == '/');
	}
	return g_string_free(out, FALSE);
}

/* ---- skeleton ---- */

/* Not drawn, or drawn onto the letter before. */
static gboolean is_dropped(gunichar c)
{
	GUnicodeType type = g_unichar_type(c);

	return g_unichar_iszerowidth(c) || type == G_UNICODE_FORMAT ||
	       type == G_UNICODE_CONTROL || type == G_UNICODE_NON_SPACING_MARK ||
	       type == G_UNICODE_ENCLOSING_MARK || c == 0x115f || c == 0x1160 ||
	       c == 0x3164 || c == 0xffa0 || (c >= 0xe0000 && c <= 0xe0fff);
}

static gunichar plain_letter(gunichar c)
{
	gsize low = 0, high = G_N_ELEMENTS(look_alikes);

	while (low < high) {
		gsize middle = (low + high) / 2;

		if (look_alikes[middle].from == c)
			return (gunichar)look_alikes[middle].to;
		if (look_alikes[middle].from < c)
			low = middle + 1;
		else
			high = middle;
	}
	return c == '\\' ? '/' : g_unichar_isspace(c) ? ' ' : g_unichar_tolower(c);
}

static char *plain_letters(const char *path)
{
	g_autofree char *folded = g_utf8_normalize(path, -1, G_NORMALIZE_ALL);
	GString *out = g_string_new(NULL);

	for (const char *at = folded; at && *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		if (!is_dropped(c))
			g_string_append_unichar(out, plain_letter(c));
	}
	return g_string_free(out, FALSE);
}

/* What Windows and file systems like its own make of a name. */
static void add_name(GString *out, const char *name, gsize len)
{
	const char *colon;

	for (; len && *name == ' '; len--)
		name++;
	colon = memchr(name, ':', len);
	if (colon && colon > name)
		len = (gsize)(colon - name);
	if (!(len == 1 && *name == '.') && !(len == 2 && !strncmp(name, "..", 2)))
		while (len && (name[len - 1] == ' ' || name[len - 1] == '.'))
			len--;
	if (len == 5 && !strncmp(name, "git~", 4) && g_ascii_isdigit(name[4]))
		g_string_append(out, ".git");
	else
		g_string_append_len(out, name, (gssize)len);
}

char *path_skeleton(const char *path)
{
	g_autofree char *decoded = g_strdup(path), *plain = NULL;
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < DECODINGS && guard_decode_percent(decoded); i++)
		;
	plain = plain_letters(g_utf8_validate(decoded, -1, NULL) ? decoded : path);
	for (const char *at = plain; *at;) {
		gsize len = strcspn(at, "/");

		add_name(out, at, len);
		at += len;
		for (; *at == '/'; at++)
			g_string_append_c(out, '/');
	}
	return g_string_free(out, FALSE);
}

gboolean path_is_odd(const char *path)
{
	for (const guchar *at = (const guchar *)path; *at; at++) {
		gboolean ends = at[1] == '/' || at[1] == '\0';

		if (*at >= 0x7f || *at <= ' ' || strchr("%\\:~", *at) ||
		    (*at == '.' && ends))
			return TRUE;
	}
	return FALSE;
}

/* ---- what can't be seen ---- */

static gboolean is_joiner(gunichar c)
{
	return c == ZWNJ || c == ZWJ;
}

/* Scripts and emoji need joiners: between two characters beyond ASCII. */
static gboolean joins(const char *path, const char *at)
{
	const char *next = g_utf8_next_char(at);
	gunichar before = at > path ? g_utf8_get_char(g_utf8_prev_char(at)) : 0;
	gunichar after = *next ? g_utf8_get_char(next) : 0;

	return is_joiner(g_utf8_get_char(at)) && before >= 0x80 && after >= 0x80 &&
	       !is_joiner(before) && !is_joiner(after);
}

gunichar path_invisible(const char *path)
{
	for (const char *at = path; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		gboolean unseen = c >= 0x80 &&
				  (g_unichar_type(c) == G_UNICODE_FORMAT ||
				   g_unichar_type(c) == G_UNICODE_LINE_SEPARATOR ||
				   g_unichar_type(c) == G_UNICODE_PARAGRAPH_SEPARATOR ||
				   c == 0x115f || c == 0x1160 || c == 0x3164 ||
				   c == 0xffa0 || c == 0x034f ||
				   (c >= 0xe0000 && c <= 0xe0fff));

		if (unseen && !joins(path, at))
			return c;
	}
	return 0;
}
