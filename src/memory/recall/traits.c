/* What a text shows of itself. */
#include "memory/recall/traits.h"

#include <string.h>

#include "store/memory/words.h"

#define NAME_WORDS 4
#define NAME_BYTES 64

gsize spk_traits_speaker(const char *text)
{
	guint words = 0;
	gboolean inside = FALSE;

	if (!g_unichar_isupper(g_utf8_get_char(text)))
		return 0;
	for (const char *p = text; *p && p - text <= NAME_BYTES;
	     p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c == ':')
			return p[1] == ' ' && inside ? (gsize)(p - text) : 0;
		if (c == ' ' && !inside)
			return 0;
		if (c != ' ' && !g_unichar_isalnum(c) &&
		    (c > 127 || !strchr(".-'_", (int)c)))
			return 0;
		words += c != ' ' && !inside;
		inside = c != ' ';
		if (words > NAME_WORDS)
			return 0;
	}
	return 0;
}

const char *spk_traits_body(const char *text)
{
	gsize len = spk_traits_speaker(text);

	return len ? text + len + strlen(": ") : text;
}

/* Bytes of `text` in sentences that end with a question mark. */
static gsize asked(const char *text)
{
	gsize sum = 0;
	const char *begin = text;

	for (const char *p = text; *p; p++) {
		if (!strchr(".!?\n", *p) || (p[1] && !g_ascii_isspace(p[1])))
			continue;
		if (*p == '?')
			sum += (gsize)(p - begin) + 1;
		begin = p + 1;
	}
	return sum;
}

/* clang-format off */
static const char *const times[] = {
	"ago", "afternoon", "april", "august", "autumn", "birthday", "christmas", "day", "days",
	"december", "deadline", "evening", "february", "friday", "january", "july", "june", "last",
	"later", "march", "may", "midnight", "monday", "month", "months", "morning", "next", "night",
	"noon", "november", "october", "recently", "saturday", "september", "since", "spring",
	"summer", "sunday", "thursday", "today", "tomorrow", "tonight", "tuesday", "until",
	"wednesday", "week", "weekend", "weeks", "winter", "year", "years", "yesterday", NULL,
};
/* clang-format on */

/* "9:45", "2025", "2025-06-02" */
static gboolean is_number_of_time(const char *word, gsize len)
{
	if (len < 4 || !g_ascii_isdigit(word[0]))
		return FALSE;
	for (gsize i = 0; i < len; i++)
		if (!g_ascii_isdigit(word[i]) && word[i] != ':' && word[i] != '-')
			return FALSE;
	return memchr(word, ':', len) || memchr(word, '-', len) ||
	       (len == 4 && (word[0] == '1' || word[0] == '2'));
}

static gboolean is_time(const char *word, gsize len)
{
	if (is_number_of_time(word, len))
		return TRUE;
	for (gsize i = 0; times[i]; i++)
		if (strlen(times[i]) == len &&
		    g_ascii_strncasecmp(times[i], word, len) == 0)
			return TRUE;
	return FALSE;
}

static gboolean names_time(const char *text)
{
	for (const char *p = text; *p;) {
		gsize len = 0;

		while (p[len] &&
		       (g_ascii_isalnum(p[len]) || p[len] == ':' || p[len] == '-'))
			len++;
		while (len && (p[len - 1] == ':' || p[len - 1] == '-'))
			len--;
		if (len && is_time(p, len))
			return TRUE;
		p += len ? len : 1;
	}
	return FALSE;
}

void spk_traits_of(const char *text, SpkTraits *ret)
{
	const char *body = spk_traits_body(text);
	gsize len = strlen(body);
	g_autoptr(SpkWords) words = spk_words_of(body, 0);

	ret->substance = MIN(1.0f, (float)words->length / SPK_TRAITS_FULL);
	ret->asking = len ? (float)asked(body) / (float)len : 0;
	ret->timed = names_time(body);
}

gboolean spk_traits_asks_time(const char *question)
{
	/* clang-format off */
	static const char *const asks[] = {
		"when ", "what date", "what day", "what time", "which date", "which day", "what year",
		"which year", "what month", "which month", "how long", "how recently", "deadline", NULL,
	};
	/* clang-format on */
	g_autofree char *lower = g_utf8_strdown(question, -1);

	for (gsize i = 0; asks[i]; i++) {
		const char *at = strstr(lower, asks[i]);

		if (at && (at == lower || !g_ascii_isalpha(at[-1])))
			return TRUE;
	}
	return FALSE;
}
