/* What a text says when everything is left out that may stand between the letters of a secret. */
#include <string.h>

#include "guard/redact/redact_priv.h"

enum { LEFT_OUT = 0, SPECIAL = 1 }; /* else the symbol itself */

/* clang-format off */
static const guint8 classes[256] = {
	['%'] = SPECIAL, ['\\'] = SPECIAL, ['\n'] = SPECIAL,
	['0'] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
	['A'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
	'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
	['a'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
	'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
};
/* clang-format on */

static int hex_byte(const char *p, const char *end, gsize digits)
{
	int value = 0;

	if ((gsize)(end - p) < digits)
		return -1;
	for (gsize i = 0; i < digits; i++) {
		int digit = g_ascii_xdigit_value(p[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

gsize redact_unescape(const char *p, const char *end, int *ret_byte)
{
	*ret_byte = -1;
	if (*p == '%') {
		*ret_byte = hex_byte(p + 1, end, 2);
		return *ret_byte < 0 ? 0 : 3;
	}
	if (*p != '\\' || end - p < 2)
		return 0;
	switch (p[1]) {
	case 'x':
		*ret_byte = hex_byte(p + 2, end, 2);
		return *ret_byte < 0 ? 0 : 4;
	case 'u':
		*ret_byte = hex_byte(p + 2, end, 4);
		if (*ret_byte < 0)
			return 0;
		*ret_byte = *ret_byte < 128 ? *ret_byte : -1;
		return 6;
	case 'n':
	case 'r':
	case 't':
	case 'b':
	case 'f':
		return 2; /* white space */
	default:
		if (g_ascii_isalnum(p[1]) || (guchar)p[1] < ' ')
			return 0;
		*ret_byte = (guchar)p[1];
		return 2;
	}
}

/* The number that a listing puts before a line. */
static gsize number_len(const char *p, const char *end)
{
	const char *start = p++, *digits;

	while (p < end && (*p == ' ' || *p == '\t') && p - start < 16)
		p++;
	for (digits = p; p < end && g_ascii_isdigit(*p) && p - digits < 8;)
		p++;
	return p > digits && p < end && (*p == '\t' || *p == '|') ? (gsize)(p - start)
								  : 1;
}

/* A symbol, or nothing, of a character that is escaped. */
static gsize fold_special(RedactFold *fold, const char *p, const char *end)
{
	int byte;
	gsize len;

	if (*p == '\n')
		return number_len(p, end);
	len = redact_unescape(p, end, &byte);
	if (!len)
		return 1;
	fold->places[fold->n] = (guint32)(p - fold->text);
	if (byte >= 0 && classes[byte] > SPECIAL)
		fold->symbols[fold->n++] = classes[byte];
	return len;
}

static void fold_on(RedactFold *fold, gsize stop)
{
	const char *p = fold->text + fold->at, *end = fold->text + stop;
	guint8 *symbols = fold->symbols;
	guint32 *places = fold->places;
	gsize n = fold->n;

	while (p < end) {
		guint8 class = classes[(guchar)*p];

		if (G_UNLIKELY(class == SPECIAL)) {
			fold->n = n;
			p += fold_special(fold, p, fold->text + fold->len);
			n = fold->n;
			continue;
		}
		symbols[n] = class;
		places[n] = (guint32)(p - fold->text);
		n += class != LEFT_OUT;
		p++;
	}
	fold->n = n;
	fold->at = (gsize)(p - fold->text);
}

gboolean redact_fold_next(RedactFold *fold)
{
	gsize keep = MIN(fold->n, FOLD_KEEP - 1);

	if (fold->at >= fold->len)
		return FALSE;
	memmove(fold->symbols, fold->symbols + fold->n - keep, keep);
	memmove(fold->places, fold->places + fold->n - keep,
		keep * sizeof(*fold->places));
	fold->n = keep;
	fold_on(fold, MIN(fold->len, fold->at + FOLD_BLOCK));
	return TRUE;
}

guint8 *redact_fold_all(const char *text, gsize len, gsize *ret_n)
{
	g_autofree guint32 *places = g_new(guint32, len + 1);
	RedactFold fold = { .text = text,
			    .len = len,
			    .symbols = g_malloc0(len + FOLD_KEEP),
			    .places = places };

	fold_on(&fold, len);
	*ret_n = fold.n;
	memset(fold.symbols + fold.n, 0, FOLD_KEEP);
	return fold.symbols;
}
