#include "guard/guard_priv.h"

#include <string.h>

/* ---- one name, or names with "/" between them ---- */

static gsize char_len(const char *at, const char *end)
{
	gsize len = (guchar)*at < 0x80 ? 1 : (gsize)g_utf8_skip[(guchar)*at];

	return MIN(len, (gsize)(end - at));
}

/* The pattern's "[...]" at `set` against a byte; *ret_end: behind it, or `set` when it isn't
 * closed and so means itself. */
static gboolean set_matches(const char *set, const char *end, char c,
			    const char **ret_end)
{
	const char *at = set + 1;
	gboolean not = at < end && (*at == '!' || *at == '^'), found = FALSE;
	const char *first = at += not ;

	for (; at < end && (*at != ']' || at == first); at++) {
		char low = g_ascii_tolower(*at), high = low;

		if (at + 2 < end && at[1] == '-' && at[2] != ']') {
			high = g_ascii_tolower(at[2]);
			at += 2;
		}
		found |= c >= low && c <= high;
	}
	*ret_end = at < end ? at + 1 : set;
	return found != not ;
}

/* One element of the pattern, but "*", against the character at `text`: both go on behind. */
static gboolean step(const char **pattern, const char *pattern_end, const char **text,
		     const char *text_end)
{
	const char *p = *pattern, *after;
	char c = g_ascii_tolower(**text);
	gboolean ok;

	if (*p == '?' && c != '/') {
		*pattern = p + 1;
		*text += char_len(*text, text_end);
		return TRUE;
	}
	if (*p == '[') {
		ok = set_matches(p, pattern_end, c, &after) && c != '/';
		if (after != p) {
			*pattern = after;
			*text += ok;
			return ok;
		}
	}
	if (*p == '\\' && p + 1 < pattern_end)
		p++;
	*pattern = p + 1;
	*text += 1;
	return g_ascii_tolower(*p) == c;
}

/* "*" is tried again from the last one only, which is enough between two "/". */
static gboolean match(const char *pattern, const char *pattern_end, const char *text,
		      const char *text_end)
{
	const char *star = NULL, *again = NULL;

	while (text < text_end) {
		const char *p = pattern, *t = text;

		if (pattern < pattern_end && *pattern == '*') {
			star = ++pattern;
			again = text;
		} else if (pattern < pattern_end && step(&p, pattern_end, &t, text_end)) {
			pattern = p;
			text = t;
		} else if (star && *again != '/') {
			again += char_len(again, text_end);
			pattern = star;
			text = again;
		} else {
			return FALSE;
		}
	}
	while (pattern < pattern_end && *pattern == '*')
		pattern++;
	return pattern == pattern_end;
}

gboolean glob_matches(const char *pattern, const char *text)
{
	return match(pattern, pattern + strlen(pattern), text, text + strlen(text));
}

/* ---- runs of a path ---- */

/* Past the nth "/" after `from`: where a run of n components ends, or NULL if it is shorter. */
static const char *run_end(const char *from, guint n)
{
	const char *end = from;

	for (; n > 0; n--) {
		if (*from == '\0')
			return NULL;
		end = strchrnul(from, '/');
		from = *end ? end + 1 : end;
	}
	return end;
}

/* What most patterns fail by, before anything is walked through. */
static gboolean may_match(const char *pattern, const char *pattern_end, const char *from,
			  const char *end)
{
	const char *last = pattern_end - 1;

	if (pattern == pattern_end || from == end)
		return TRUE;
	if (!strchr("*?[\\", *pattern))
		return g_ascii_tolower(*pattern) == g_ascii_tolower(*from);
	if (*pattern != '*' || last < pattern + 1 || strchr("*?]\\", *last) ||
	    last[-1] == '\\')
		return TRUE;
	return g_ascii_tolower(*last) == g_ascii_tolower(end[-1]);
}

gboolean pattern_finds(const char *pattern, const char *path, gboolean leaf)
{
	gsize len = strlen(pattern);
	gboolean folder = len > 0 && pattern[len - 1] == '/';
	const char *pattern_end = pattern + len - folder;
	guint n = 1;

	for (const char *p = pattern; p < pattern_end; p++)
		n += *p == '/';
	for (const char *from = path; from; from = strchr(from, '/')) {
		const char *end;

		from += *from == '/';
		end = run_end(from, n);
		if (!end)
			return FALSE;
		if (folder ? *end == '\0' : leaf && *end != '\0')
			continue;
		if (may_match(pattern, pattern_end, from, end) &&
		    match(pattern, pattern_end, from, end))
			return TRUE;
	}
	return FALSE;
}
