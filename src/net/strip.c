#include "net/strip.h"

#include <string.h>

void spk_strip_init(SpkStrip *strip, const GPtrArray *secrets)
{
	*strip = (SpkStrip){ .secrets = secrets, .held = g_byte_array_new() };
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

	for (guint i = 0; i < strip->secrets->len; i++) {
		const char *secret = strip->secrets->pdata[i], *at = text;
		gsize size = strlen(secret);

		while ((at = memmem(at, len - (gsize)(at - text), secret, size))) {
			if (!stars)
				stars = g_malloc0(len);
			memset(stars + (at - text), 1, size);
			at++;
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
	gsize longest = 0;

	for (guint i = 0; i < strip->secrets->len; i++) {
		const char *secret = strip->secrets->pdata[i];
		gsize most = MIN(strlen(secret) - 1, len);

		for (gsize n = most; n > longest; n--) {
			if (memcmp(text + len - n, secret, n) == 0)
				longest = n;
		}
	}
	return longest;
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
