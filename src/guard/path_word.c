/* Words of commands that name sensitive files. */
#include "guard/path.h"

#include <limits.h>
#include <string.h>

#include "guard/guard.h"
#include "guard/guard_priv.h"
#include "guard/path_priv.h"

#define SEPARATORS "=@<>:,{}()|;&"
#define WILDCARDS  "*?["
/* Of wildcards that are to count as the name of a file: letters that are written out. */
#define LETTERS_MIN 2
#define PREFIX_MIN  4

static const char *find_plain(const char *piece, const char *const *sensitive)
{
	g_autofree char *skeleton = NULL, *folded = NULL;
	g_autofree char *normal = path_normal(piece);
	const char *pattern = normal ? spk_guard_match(sensitive, normal) : NULL;

	if (pattern || !path_is_odd(piece) || !g_utf8_validate(piece, -1, NULL))
		return pattern ? pattern
			       : (normal ? NULL : spk_guard_match(sensitive, piece));
	skeleton = path_skeleton(piece);
	folded = path_normal(skeleton);
	return spk_guard_match(sensitive, folded ? folded : skeleton);
}

/* The wildcards match what the pattern names, as far as it is written out. */
static gboolean covers(const char *wild, const char *pattern)
{
	gsize len = strcspn(pattern, WILDCARDS);
	g_autofree char *name = NULL;
	const char *slash;

	if (*pattern == '!' || (pattern[len] && len < PREFIX_MIN) ||
	    (pattern[len] && pattern[len + 1]))
		return FALSE;
	name = g_strndup(pattern, len);
	if (g_str_has_suffix(name, "/"))
		name[len - 1] = '\0';
	slash = strrchr(name, '/');
	return glob_matches(wild, slash ? slash + 1 : name);
}

static const char *find_wild(const char *piece, const char *const *sensitive)
{
	g_auto(GStrv) names = g_strsplit(piece, "/", -1);

	for (char **name = names; *name; name++) {
		guint letters = 0;

		for (const char *at = *name; *at; at++)
			letters += !strchr(WILDCARDS "]", *at);
		if (letters < LETTERS_MIN || !strpbrk(*name, WILDCARDS))
			continue;
		for (const char *const *p = sensitive; *p; p++)
			if (covers(*name, *p))
				return *p;
	}
	return NULL;
}

static const char *find(const char *piece, const char *const *sensitive)
{
	const char *pattern = find_plain(piece, sensitive);

	if (!pattern && piece[0] == '-' && piece[1] && piece[2])
		pattern = find_plain(piece + 2, sensitive);
	if (!pattern && strpbrk(piece, WILDCARDS))
		pattern = find_wild(piece, sensitive);
	return pattern;
}

const char *spk_path_word(const char *word, const char *const *sensitive)
{
	g_auto(GStrv) pieces = NULL;
	const char *pattern;

	if (!sensitive)
		sensitive = spk_sensitive_patterns;
	if (!*word || strlen(word) >= PATH_MAX)
		return NULL;
	pattern = find(word, sensitive);
	if (pattern || !strpbrk(word, SEPARATORS))
		return pattern;
	pieces = g_strsplit_set(word, SEPARATORS, -1);
	for (char **piece = pieces; *piece && !pattern; piece++)
		if (**piece)
			pattern = find(*piece, sensitive);
	return pattern;
}

void spk_path_judge_word(const char *word, const char *const *sensitive, SpkDecision *ret)
{
	const char *pattern = spk_path_word(word, sensitive);
	g_autofree char *why = NULL;

	if (!pattern) {
		spk_decision_set(ret, SPK_LAW_ALLOW, SPK_RISK_LOW, "path.word", NULL,
				 "it names no sensitive file", NULL);
		return;
	}
	why = g_strdup_printf("\"%s\" may hold secrets (it matches %s)", word, pattern);
	spk_decision_set(ret, SPK_LAW_DENY, SPK_RISK_HIGH, "path.secret", word, why,
			 "the list is [guard] sensitive_files: \"!PATTERN\" takes a name "
			 "out of it");
}
