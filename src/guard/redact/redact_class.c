/* Kinds of characters, and whether a text of them is random. */
#include "guard/redact/redact_priv.h"

guint redact_class(char c)
{
	return g_ascii_islower(c)     ? LOWER
	       : g_ascii_isupper(c)   ? UPPER
	       : g_ascii_isdigit(c)   ? DIGIT
	       : c == '-'	      ? DASH
	       : c == '_'	      ? UNDER
	       : c == '.'	      ? DOT
	       : c == '+' || c == '/' ? OTHER64
				      : 0;
}

gboolean redact_is_random(const char *text, gsize len, gboolean hard)
{
	gboolean seen[128] = { FALSE };
	guint distinct = 0, digits = 0, letters = 0, changes = 0, symbols = 0, last = 0;

	for (gsize i = 0; i < len; i++) {
		guint class = redact_class(text[i]) & ALNUM;

		if ((guchar)text[i] < 128 && !seen[(guchar)text[i]]) {
			seen[(guchar)text[i]] = TRUE;
			distinct++;
		}
		digits += class == DIGIT;
		letters += class == LOWER || class == UPPER;
		/* a capital and its word are one */
		changes += class && last && class != last &&
			   !(last == UPPER && class == LOWER);
		symbols += !redact_class(text[i]);
		last = class ? class : last;
	}
	if (!digits || !letters || distinct < MIN(6, len))
		return FALSE;
	if (hard)
		return changes >= 5 || (changes >= 3 && len >= 16 && distinct >= 10);
	return changes >= 2 || len >= 16 || symbols;
}

void redact_span_add(GArray *spans, gsize start, gsize end, const char *name)
{
	RedactSpan span = { start, end, name, FALSE, FALSE };

	g_array_append_val(spans, span);
}
