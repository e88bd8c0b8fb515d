#include "store/memory/stem.h"

#include <string.h>

typedef struct {
	const char *ending;
	const char *instead;
} Rule;

static gboolean is_vowel(const char *word, gsize i)
{
	switch (word[i]) {
	case 'a':
	case 'e':
	case 'i':
	case 'o':
	case 'u':
		return TRUE;
	case 'y':
		return i > 0 && !is_vowel(word, i - 1);
	default:
		return FALSE;
	}
}

/* The paper's m: how often a consonant follows a vowel. */
static guint measure(const char *word, gsize len)
{
	gboolean vowel = FALSE;
	guint m = 0;

	for (gsize i = 0; i < len; i++) {
		gboolean now = is_vowel(word, i);

		m += vowel && !now;
		vowel = now;
	}
	return m;
}

static gboolean has_vowel(const char *word, gsize len)
{
	for (gsize i = 0; i < len; i++)
		if (is_vowel(word, i))
			return TRUE;
	return FALSE;
}

/* Consonant, vowel, consonant other than w, x, y: the paper's *o. */
static gboolean ends_short(const char *word, gsize len)
{
	return len >= 3 && !is_vowel(word, len - 1) && is_vowel(word, len - 2) &&
	       !is_vowel(word, len - 3) && !strchr("wxy", word[len - 1]);
}

static gboolean ends_double(const char *word, gsize len)
{
	return len >= 2 && word[len - 1] == word[len - 2] && !is_vowel(word, len - 1);
}

/* An ending of the whole word is none. */
static gboolean ends(const char *word, gsize len, const char *ending)
{
	gsize n = strlen(ending);

	return len > n && !memcmp(word + len - n, ending, n);
}

static gsize plural(char *word, gsize len)
{
	if (ends(word, len, "sses") || ends(word, len, "ies"))
		return len - 2;
	return ends(word, len, "s") && !ends(word, len, "ss") ? len - 1 : len;
}

/* What is left of a past or a progressive form. */
static gsize mend(char *word, gsize len)
{
	if (ends(word, len, "at") || ends(word, len, "bl") || ends(word, len, "iz") ||
	    (!ends_double(word, len) && measure(word, len) == 1 &&
	     ends_short(word, len))) {
		word[len] = 'e';
		return len + 1;
	}
	return ends_double(word, len) && !strchr("lsz", word[len - 1]) ? len - 1 : len;
}

static gsize past(char *word, gsize len)
{
	if (ends(word, len, "eed"))
		return measure(word, len - 3) > 0 ? len - 1 : len;
	if (ends(word, len, "ed") && has_vowel(word, len - 2))
		return mend(word, len - 2);
	if (ends(word, len, "ing") && has_vowel(word, len - 3))
		return mend(word, len - 3);
	return len;
}

/* The first rule whose ending fits decides, also when its condition does not hold. */
static gsize replace(char *word, gsize len, const Rule *rules, guint min_measure)
{
	for (const Rule *r = rules; r->ending; r++) {
		gsize stem, n;

		if (!ends(word, len, r->ending))
			continue;
		stem = len - strlen(r->ending);
		if (measure(word, stem) < min_measure)
			return len;
		n = strlen(r->instead);
		memcpy(word + stem, r->instead, n);
		return stem + n;
	}
	return len;
}

/* clang-format off */
static const Rule double_endings[] = {
	{ "ational", "ate" }, { "tional", "tion" }, { "enci", "ence" }, { "anci", "ance" },
	{ "izer", "ize" }, { "logi", "log" }, { "bli", "ble" }, { "alli", "al" },
	{ "entli", "ent" }, { "eli", "e" }, { "ousli", "ous" }, { "ization", "ize" },
	{ "ation", "ate" }, { "ator", "ate" }, { "alism", "al" }, { "iveness", "ive" },
	{ "fulness", "ful" }, { "ousness", "ous" }, { "aliti", "al" }, { "iviti", "ive" },
	{ "biliti", "ble" }, { NULL, NULL },
};
static const Rule adjectives[] = {
	{ "icate", "ic" }, { "ative", "" }, { "alize", "al" }, { "iciti", "ic" },
	{ "ical", "ic" }, { "ful", "" }, { "ness", "" }, { NULL, NULL },
};
static const Rule last_endings[] = {
	{ "al", "" }, { "ance", "" }, { "ence", "" }, { "er", "" }, { "ic", "" },
	{ "able", "" }, { "ible", "" }, { "ant", "" }, { "ement", "" }, { "ment", "" },
	{ "ent", "" }, { "ou", "" }, { "ism", "" },
	{ "ate", "" }, { "iti", "" }, { "ous", "" }, { "ive", "" }, { "ize", "" },
	{ NULL, NULL },
};
/* clang-format on */

/* -ion goes only behind s and t, which count for the measure. */
static gsize strip_last(char *word, gsize len)
{
	if (ends(word, len, "sion") || ends(word, len, "tion"))
		return measure(word, len - 3) > 1 ? len - 3 : len;
	return replace(word, len, last_endings, 2);
}

static gsize tidy(const char *word, gsize len)
{
	if (ends(word, len, "e")) {
		guint m = measure(word, len - 1);

		if (m > 1 || (m == 1 && !ends_short(word, len - 1)))
			len--;
	}
	return len > 1 && word[len - 1] == 'l' && word[len - 2] == 'l' &&
			       measure(word, len) > 1
		       ? len - 1
		       : len;
}

gsize spk_stem(char *word, gsize len)
{
	if (len < 3)
		return len;
	len = plural(word, len);
	len = past(word, len);
	if (ends(word, len, "y") && has_vowel(word, len - 1))
		word[len - 1] = 'i';
	len = replace(word, len, double_endings, 1);
	len = replace(word, len, adjectives, 1);
	len = strip_last(word, len);
	return tidy(word, len);
}
