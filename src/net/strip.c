#include "net/strip.h"

#include <string.h>

/* ---- one character in the ways that servers write it ---- */

#define SPELLED_MAX 8	 /* "&#x002f;" */
#define MORE	    (-1) /* what is there may be its beginning */

static int hex_value(const char *digits, gsize n)
{
	int value = 0;

	for (gsize i = 0; i < n; i++) {
		int digit = g_ascii_xdigit_value(digits[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* `before`, and `n` hexadecimal digits of it */
static int by_digits(char c, const char *text, gsize len, const char *before, gsize n)
{
	gsize size = strlen(before), there = MIN(len, size);

	if (memcmp(text, before, there) != 0)
		return 0;
	if (len < size + n) {
		for (gsize i = size; i < len; i++)
			if (!g_ascii_isxdigit(text[i]))
				return 0;
		return MORE;
	}
	return hex_value(text + size, n) == (guchar)c ? (int)(size + n) : 0;
}

/* "&#39;", "&#x27;", zeros before the digits */
static int by_number(char c, const char *text, gsize len)
{
	gboolean hex = len > 2 && g_ascii_tolower(text[2]) == 'x';
	gsize at = hex ? 3 : 2;
	int value = 0;

	if (len < 2 || text[1] != '#')
		return len < 2 ? MORE : 0;
	for (; at < MIN(len, SPELLED_MAX) && text[at] != ';'; at++) {
		int digit = hex ? g_ascii_xdigit_value(text[at])
				: g_ascii_digit_value(text[at]);

		if (digit < 0)
			return 0;
		value = value * (hex ? 16 : 10) + digit;
	}
	if (at == len && len < SPELLED_MAX)
		return MORE;
	return at < MIN(len, SPELLED_MAX) && text[at] == ';' && value == (guchar)c
		       ? (int)at + 1
		       : 0;
}

static int by_name(char c, const char *text, gsize len)
{
	static const struct {
		char c;
		const char *name;
	} names[] = { { '&', "&amp;" },
		      { '<', "&lt;" },
		      { '>', "&gt;" },
		      { '"', "&quot;" },
		      { '\'', "&apos;" } };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		gsize size = strlen(names[i].name);

		if (names[i].c != c || memcmp(text, names[i].name, MIN(len, size)) != 0)
			continue;
		return len < size ? MORE : (int)size;
	}
	return 0;
}

/* How many bytes `c` takes at the beginning of a text that is not empty: as it is, percent-encoded,
 * escaped as in JSON, or as in HTML. 0: it isn't there. */
static int spelled(char c, const char *text, gsize len)
{
	int n = 0;

	if (*text == '%')
		n = by_digits(c, text, len, "%", 2);
	else if (*text == '\\' && len > 1 && text[1] == c && strchr("/\"\\", c))
		n = 2;
	else if (*text == '\\')
		n = by_digits(c, text, len, "\\u00", 2);
	else if (*text == '&') {
		n = by_number(c, text, len);
		if (!n)
			n = by_name(c, text, len);
	}
	return n || *text != c ? n : 1;
}

static gboolean is_escape(char c)
{
	return c == '%' || c == '\\' || c == '&';
}

/* By a look at two bytes, which nearly all of a text ends at. */
static gboolean may_begin(const char *secret, const char *text, gsize len)
{
	if (is_escape(text[0]))
		return TRUE;
	return text[0] == secret[0] &&
	       (len < 2 || text[1] == secret[1] || is_escape(text[1]));
}

/* How long the secret is where it begins the text. 0: it doesn't. */
static gssize match(const char *secret, const char *text, gsize len)
{
	int n = may_begin(secret, text, len) ? spelled(*secret, text, len) : 0;
	gsize size, at = (gsize)n;

	if (n <= 0)
		return n;
	size = strlen(secret);
	if (size <= len && memcmp(text, secret, size) == 0)
		return (gssize)size;
	for (gsize i = 1; i < size; i++) {
		n = at < len ? spelled(secret[i], text + at, len - at) : MORE;
		if (n <= 0)
			return n;
		at += (gsize)n;
	}
	return (gssize)at;
}

/* ---- the stream ---- */

void spk_strip_init(SpkStrip *strip, const GPtrArray *secrets)
{
	*strip = (SpkStrip){ .secrets = secrets, .held = g_byte_array_new() };
	for (guint i = 0; i < secrets->len; i++) {
		const char *secret = secrets->pdata[i];

		strip->begins[(guchar)*secret] = TRUE;
		strip->longest = MAX(strip->longest, strlen(secret) * SPELLED_MAX);
	}
	for (int c = 0; c < 256 && secrets->len; c++)
		strip->begins[c] |= is_escape((char)c);
}

void spk_strip_clear(SpkStrip *strip)
{
	if (!strip->held)
		return;
	if (strip->held->len)
		explicit_bzero(strip->held->data, strip->held->len);
	g_byte_array_unref(strip->held);
	*strip = (SpkStrip){ 0 };
}

/* Which bytes are of a secret, or NULL: they may overlap. */
static char *find(const SpkStrip *strip, const char *text, gsize len)
{
	char *stars = NULL;

	for (gsize at = 0; at < len; at++) {
		if (!strip->begins[(guchar)text[at]])
			continue;
		for (guint i = 0; i < strip->secrets->len; i++) {
			gssize size =
				match(strip->secrets->pdata[i], text + at, len - at);

			if (size <= 0)
				continue;
			if (!stars)
				stars = g_malloc0(len);
			memset(stars + at, 1, (gsize)size);
		}
	}
	return stars;
}

static void mask(char *text, const char *stars, gsize len)
{
	for (gsize i = 0; stars && i < len; i++)
		if (stars[i])
			text[i] = '*';
}

void spk_strip_text(SpkStrip *strip, char *text, gsize len)
{
	g_autofree char *stars = find(strip, text, len);

	mask(text, stars, len);
}

/* How many bytes at the end may be the beginning of a secret. */
static gsize beginning(const SpkStrip *strip, const char *text, gsize len)
{
	for (gsize at = len - MIN(len, strip->longest); at < len; at++)
		for (guint i = 0;
		     strip->begins[(guchar)text[at]] && i < strip->secrets->len; i++)
			if (match(strip->secrets->pdata[i], text + at, len - at) == MORE)
				return len - at;
	return 0;
}

/* Gives away the first `n` bytes of what is held. */
static void give(SpkStrip *strip, gsize n, GByteArray *out)
{
	const char *held = (const char *)strip->held->data;
	gsize len = strip->held->len, at = out->len;
	g_autofree char *stars = len ? find(strip, held, len) : NULL;

	if (!n)
		return;
	if (strip->covered && !stars)
		stars = g_malloc0(len);
	if (strip->covered)
		memset(stars, 1, strip->covered);
	g_byte_array_append(out, strip->held->data, (guint)n);
	mask((char *)out->data + at, stars, n);
	strip->covered = 0;
	while (stars && n + strip->covered < len && stars[n + strip->covered])
		strip->covered++;
	g_byte_array_remove_range(strip->held, 0, (guint)n);
}

void spk_strip_feed(SpkStrip *strip, const void *bytes, gsize len, GByteArray *out)
{
	g_byte_array_append(strip->held, bytes, (guint)len);
	len = strip->held->len;
	give(strip, len - beginning(strip, (const char *)strip->held->data, len), out);
}

void spk_strip_end(SpkStrip *strip, GByteArray *out)
{
	give(strip, strip->held->len, out);
}
