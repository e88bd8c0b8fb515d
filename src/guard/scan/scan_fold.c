/*
 * Characters made plain: case, accents, compatibility forms (full width, mathematical, circled
 * letters) and what looks like a Latin letter but is none; and escapes that stand for one.
 */
#include <string.h>

#include "guard/scan/scan_priv.h"

#define FIRST_HANGUL 0xac00
#define LAST_HANGUL  0xd7a3

/* Without a decomposition of their own. */
static gunichar fold_special(gunichar c)
{
	switch (c) {
	case 0x131: /* dotless i */
		return 'i';
	case 0x142: /* l with stroke */
		return 'l';
	case 0xf8: /* o with stroke */
		return 'o';
	case 0x111:
		return 'd';
	case 0xdf: /* sharp s */
		return 's';
	case 0xe6:
		return 'a';
	case 0x153:
		return 'o';
	case 0x17f: /* long s */
		return 's';
	default:
		return c;
	}
}

static gboolean is_indic(gunichar c)
{
	return c >= 0x900 && c < 0xe80;
}

/* Negative squared and circled letters, regional indicators: without a decomposition. */
static gunichar fold_enclosed(gunichar c)
{
	static const struct {
		gunichar first;
		char letter;
	} rows[] = {
		{ 0x1f130, 'a' },
		{ 0x1f150, 'a' },
		{ 0x1f170, 'a' },
		{ 0x1f1e6, 'a' },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (c >= rows[i].first && c < rows[i].first + 26)
			return c - rows[i].first + (gunichar)rows[i].letter;
	return c;
}

static gboolean is_skipped(gunichar c)
{
	return c == 0xad || c == 0x640 || c == 0x34f || c == 0x115f || c == 0x1160 ||
	       c == 0x17b4 || c == 0x17b5 || c == 0x180e ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0x3164 || c == 0xfeff ||
	       c == 0xffa0 || (c >= 0xfe00 && c <= 0xfe0f) ||
	       (c >= 0xe0000 && c <= 0xe0fff) ||
	       (c < 32 && c != '\n' && c != '\t' && c != '\r');
}

static gunichar fold_slowly(gunichar c)
{
	gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
	GUnicodeType type;
	gsize n;

	if (is_skipped(c))
		return 0;
	c = fold_enclosed(c);
	if (c < FIRST_HANGUL || c > LAST_HANGUL) {
		n = g_unichar_fully_decompose(c, TRUE, parts, G_N_ELEMENTS(parts));
		/* "(a)" and "1." are letters in a frame */
		c = n > 1 && n <= 3 && (parts[0] == '(' || parts[0] == ' ') ? parts[1]
									    : parts[0];
	}
	c = fold_special(g_unichar_tolower(c));
	type = g_unichar_type(c);
	if (type == G_UNICODE_NON_SPACING_MARK || type == G_UNICODE_ENCLOSING_MARK)
		return is_indic(c) ? c : 0;
	return g_unichar_isalnum(c) || type == G_UNICODE_SPACING_MARK ? c : 1;
}

gunichar scan_fold(gunichar c)
{
	static _Thread_local struct {
		gunichar from, to;
	} seen[1024];
	guint slot = (c ^ (c >> 10)) & 1023;

	if (c < 0x80)
		return g_ascii_isalnum((char)c)	    ? (gunichar)g_ascii_tolower((char)c)
		       : c == '\'' || is_skipped(c) ? 0
						    : 1;
	if (c == 0x2019 || c == 0x2bc)
		return 0; /* apostrophes, inside a word */
	if (seen[slot].from != c) {
		seen[slot].to = fold_slowly(c);
		seen[slot].from = c;
	}
	return seen[slot].to;
}

/* clang-format off */
static const struct { const char *from; char to; } confusables[] = {
	{ "а\xce\xb1ɑ", 'a' }, { "ьв\xce\xb2", 'b' }, { "сϲᴄ", 'c' }, { "ԁ", 'd' },
	{ "еєҽε", 'e' }, { "ғƒ", 'f' }, { "ɡց", 'g' }, { "һнհ", 'h' },
	{ "іιɩı", 'i' }, { "јϳ", 'j' }, { "кκᴋ", 'k' }, { "ӏⅼ", 'l' },
	{ "мᴍ", 'm' }, { "пηոɴ", 'n' }, { "оοօσ", 'o' }, { "рρ", 'p' },
	{ "ԛգ", 'q' }, { "гʀᴦ", 'r' }, { "ѕꜱ", 's' }, { "тτᴛ", 't' },
	{ "υսᴜц", 'u' }, { "ѵνᴠ", 'v' }, { "ѡωԝ", 'w' }, { "хχ", 'x' },
	{ "уүγʏ", 'y' }, { "ᴢ", 'z' }, { "ᴀ", 'a' }, { "ʙ", 'b' },
	{ "ᴅ", 'd' }, { "ᴇ", 'e' }, { "ꜰ", 'f' }, { "ɢ", 'g' },
	{ "ʜ", 'h' }, { "ɪ", 'i' }, { "ᴊ", 'j' }, { "ʟ", 'l' },
	{ "ᴏ", 'o' }, { "ᴘ", 'p' }, { NULL, 0 },
};
/* clang-format on */

static gunichar look_up(gunichar c)
{
	for (gsize i = 0; confusables[i].from; i++)
		for (const char *p = confusables[i].from; *p; p = g_utf8_next_char(p))
			if (g_utf8_get_char(p) == c)
				return (gunichar)confusables[i].to;
	return c;
}

gunichar scan_confusable(gunichar c)
{
	static _Thread_local struct {
		gunichar from, to;
	} seen[256];
	guint slot = (c ^ (c >> 8)) & 255;

	if (c < 0x80)
		return c;
	if (seen[slot].from != c) {
		seen[slot].to = look_up(c);
		seen[slot].from = c;
	}
	return seen[slot].to;
}

gboolean scan_runs_on(gunichar c)
{
	return (c >= 0x2e80 && c < 0xa4d0) || (c >= 0xac00 && c < 0xd7b0) ||
	       (c >= 0xf900 && c < 0xfb00) || (c >= 0x600 && c < 0x700) ||
	       (c >= 0xe00 && c < 0xe80) || (c >= 0x20000 && c < 0x32000);
}

gunichar scan_char(const guint8 *text, gsize len, guint *ret_len)
{
	gunichar c = text[0];
	guint n = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	*ret_len = 1;
	if (c < 0x80)
		return c;
	if (!n || n > len)
		return 0xfffd;
	c &= 0x7fu >> n;
	for (guint i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (text[i] & 0x3f);
	}
	*ret_len = n;
	return c;
}

/* Up to `max` digits of that base; how many there are. */
static guint number(const guint8 *text, gsize len, guint base, guint max, gunichar *ret)
{
	guint n = 0;

	*ret = 0;
	for (; n < max && n < len; n++) {
		int digit = g_ascii_xdigit_value((char)text[n]);

		if (digit < 0 || digit >= (int)base)
			break;
		*ret = *ret * base + (gunichar)digit;
	}
	return n;
}

static guint entity(const guint8 *text, gsize len, gunichar *ret)
{
	static const struct {
		const char *name;
		gunichar c;
	} names[] = { { "lt;", '<' },	 { "gt;", '>' },     { "amp;", '&' },
		      { "quot;", '"' },	 { "nbsp;", ' ' },   { "shy;", 0xad },
		      { "apos;", '\'' }, { "zwj;", 0x200d }, { "zwnj;", 0x200c },
		      { "colon;", ':' }, { "period;", '.' }, { "sol;", '/' } };
	guint hex, n;

	if (len > 3 && text[1] == '#') {
		hex = text[2] == 'x' || text[2] == 'X';
		n = number(text + 2 + hex, len - 2 - hex, hex ? 16 : 10, 7, ret);
		if (!n)
			return 0;
		n += 2 + hex;
		return n < len && text[n] == ';' ? n + 1 : n;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		gsize size = strlen(names[i].name);

		if (len > size && !memcmp(text + 1, names[i].name, size)) {
			*ret = names[i].c;
			return (guint)size + 1;
		}
	}
	return 0;
}

static guint backslash(const guint8 *text, gsize len, gunichar *ret)
{
	guint n;

	if (len < 2)
		return 0;
	switch (text[1]) {
	case 'n':
	case 'r':
	case 't':
		*ret = ' ';
		return 2;
	case 'x':
		n = number(text + 2, len - 2, 16, 2, ret);
		return n == 2 ? 4 : 0;
	case 'U':
		n = number(text + 2, len - 2, 16, 8, ret);
		return n == 8 ? 10 : 0;
	case 'u':
		if (len > 3 && text[2] == '{') {
			n = number(text + 3, len - 3, 16, 6, ret);
			return n && n + 3 < len && text[n + 3] == '}' ? n + 4 : 0;
		}
		n = number(text + 2, len - 2, 16, 4, ret);
		return n == 4 ? 6 : 0;
	default:
		n = number(text + 1, len - 1, 8, 3, ret);
		return n == 3 && *ret >= 32 ? 4 : 0;
	}
}

gunichar scan_unescape(const guint8 *text, gsize len, guint *ret_len)
{
	gunichar c = 0;
	guint n = 0;

	if (text[0] == '&')
		n = entity(text, len, &c);
	else if (text[0] == '\\')
		n = backslash(text, len, &c);
	else if (text[0] == '%')
		n = number(text + 1, len - 1, 16, 2, &c) == 2 ? 3 : 0;
	/* bytes above 127 of a percent escape are a decoded layer's matter */
	if (n && c && c <= 0x10ffff && (text[0] != '%' || c < 0x80)) {
		*ret_len = n;
		return c;
	}
	return scan_char(text, len, ret_len);
}
