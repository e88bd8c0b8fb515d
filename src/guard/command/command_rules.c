/*
 * Patterns: compiled, sorted by what they are about, tried. Most have a beginning or a whole
 * that is plain text; where that isn't found no regular expression is run.
 */
#include <fnmatch.h>
#include <string.h>

#include "base/error.h"
#include "guard/command/command_priv.h"

#define MAX_PATTERN  1000 /* bytes */
#define MAX_PATTERNS 2000 /* of a list */

struct Pattern {
	char *text;
	GRegex *regex;
	PatternKind kind;
	char *word;	   /* COMMAND: what it begins with, when that is one word */
	gboolean bare;	   /* the word is all of it */
	gboolean pipe;	   /* it is about a pipe, too */
	char *literal;	   /* FILE: the whole, when it is plain text */
	char **components; /* of that, between slashes */
};

struct SpkCommandRules {
	gatomicrefcount refs;
	GPtrArray *lists[2]; /* Pattern *, RuleList */
	GPtrArray *allow;    /* Pattern * */
};

static void pattern_free(gpointer data)
{
	Pattern *pattern = data;

	g_free(pattern->text);
	g_free(pattern->word);
	g_free(pattern->literal);
	g_strfreev(pattern->components);
	if (pattern->regex)
		g_regex_unref(pattern->regex);
	g_free(pattern);
}

const char *pattern_text(const Pattern *pattern)
{
	return pattern->text;
}

/* ---- what a pattern is about ---- */

static const char *skip_start(const char *text)
{
	for (;;) {
		if (*text == '^')
			text++;
		else if (g_str_has_prefix(text, "\\b"))
			text += 2;
		else
			return text;
	}
}

static gboolean is_word_char(char c)
{
	return g_ascii_isalnum(c) || c == '_' || c == '-';
}

static gsize word_len(const char *text)
{
	gsize n = 0;

	while (is_word_char(text[n]))
		n++;
	return n && strchr("*+?{", text[n]) && text[n] ? n - 1 : n;
}

/* One alternative. */
static PatternKind kind_of(const char *text)
{
	const char *from = skip_start(text);
	gsize n = word_len(from);

	if (strchr("/~", *from) && *from)
		return PATTERN_FILE;
	if (from[n] == '/' || g_str_has_prefix(from + n, "\\.") ||
	    g_str_has_prefix(from + n, "\\/"))
		return PATTERN_FILE;
	return n > 0 && g_ascii_isalnum(*from) && n >= 2 ? PATTERN_COMMAND : PATTERN_ANY;
}

/* Where the alternative ends that begins at `text`. */
static const char *alternative_end(const char *text)
{
	int depth = 0;
	gboolean set = FALSE;

	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++;
		else if (set)
			set = *text != ']';
		else if (*text == '[')
			set = TRUE;
		else if (*text == '(' || *text == ')')
			depth += *text == '(' ? 1 : -1;
		else if (*text == '|' && depth == 0)
			break;
	}
	return text;
}

/* The plain text that the expression stands for, or NULL. */
static char *literal_of(const char *text)
{
	g_autoptr(GString) plain = g_string_new(NULL);

	for (; *text; text++) {
		if (*text == '\\' && g_ascii_ispunct(text[1]))
			text++;
		else if (strchr("\\^$.|?*+()[]{}", *text))
			return NULL;
		g_string_append_c(plain, *text);
	}
	return plain->len ? g_string_free(g_steal_pointer(&plain), FALSE) : NULL;
}

static void look_at(Pattern *pattern)
{
	const char *end = alternative_end(pattern->text), *start;
	gboolean several = *end != '\0';

	pattern->kind = kind_of(pattern->text);
	while (*end && pattern->kind != PATTERN_ANY) {
		if (kind_of(end + 1) != pattern->kind)
			pattern->kind = PATTERN_ANY;
		end = alternative_end(end + 1);
	}
	pattern->pipe = strstr(pattern->text, "\\|") || strstr(pattern->text, "[|");
	start = skip_start(pattern->text);
	if (pattern->kind == PATTERN_COMMAND && !several) {
		gsize n = word_len(start);

		pattern->word = g_strndup(start, n);
		pattern->bare = start[n] == '\0';
	}
	if (pattern->kind == PATTERN_FILE)
		pattern->literal = literal_of(pattern->text);
	if (pattern->literal)
		pattern->components = g_strsplit(pattern->literal, "/", -1);
}

/* ---- making them ---- */

static GRegex *compile(const char *text, gboolean whole, GError **error)
{
	g_autofree char *wrapped = whole ? g_strdup_printf("\\A(?:%s)\\z", text) : NULL;
	g_autoptr(GError) cause = NULL;
	GRegex *regex;

	if (!*text)
		spk_error_set(error, SPK_ERR_CONFIG, "take the empty string out",
			      "an empty pattern would match everything");
	else if (strlen(text) > MAX_PATTERN)
		spk_error_set(error, SPK_ERR_CONFIG, "write a shorter one",
			      "the pattern \"%.40s…\" is longer than %d bytes", text,
			      MAX_PATTERN);
	else if (!g_utf8_validate(text, -1, NULL))
		spk_error_set(error, SPK_ERR_CONFIG, NULL, "a pattern is not UTF-8");
	else {
		regex = g_regex_new(whole ? wrapped : text, G_REGEX_DOLLAR_ENDONLY, 0,
				    &cause);
		if (regex)
			return regex;
		spk_error_set(error, SPK_ERR_CONFIG,
			      "write a regular expression; characters like ( [ . need a "
			      "\\ before them to mean themselves",
			      "the pattern \"%s\" is no regular expression: %s", text,
			      cause->message);
	}
	return NULL;
}

static gboolean add(GPtrArray *list, const char *const *texts, gboolean allow,
		    GError **error)
{
	for (guint i = 0; texts && texts[i]; i++) {
		Pattern *pattern = g_new0(Pattern, 1);
		g_autoptr(GRegex) alone = NULL;

		g_ptr_array_add(list, pattern);
		pattern->text = g_strdup(texts[i]);
		alone = compile(texts[i], FALSE, error);
		if (alone)
			pattern->regex = allow ? compile(texts[i], TRUE, error)
					       : g_regex_ref(alone);
		if (!pattern->regex)
			return FALSE;
		if (list->len > MAX_PATTERNS) {
			spk_error_set(error, SPK_ERR_CONFIG, NULL,
				      "there are more than %d patterns", MAX_PATTERNS);
			return FALSE;
		}
		look_at(pattern);
	}
	return TRUE;
}

gboolean spk_command_pattern_check(const char *pattern, GError **error)
{
	g_autoptr(GRegex) alone = compile(pattern, FALSE, error);
	g_autoptr(GRegex) whole = alone ? compile(pattern, TRUE, error) : NULL;

	return whole != NULL;
}

SpkCommandRules *spk_command_rules_new(const char *const *sensitive,
				       const char *const *allow, const char *const *deny,
				       GError **error)
{
	g_autoptr(SpkCommandRules) rules = g_new0(SpkCommandRules, 1);

	g_atomic_ref_count_init(&rules->refs);
	rules->lists[RULES_SENSITIVE] = g_ptr_array_new_with_free_func(pattern_free);
	rules->lists[RULES_DENY] = g_ptr_array_new_with_free_func(pattern_free);
	rules->allow = g_ptr_array_new_with_free_func(pattern_free);
	if (!add(rules->lists[RULES_SENSITIVE], sensitive, FALSE, error) ||
	    !add(rules->allow, allow, TRUE, error) ||
	    !add(rules->lists[RULES_DENY], deny, FALSE, error))
		return NULL;
	return g_steal_pointer(&rules);
}

SpkCommandRules *spk_command_rules_ref(SpkCommandRules *rules)
{
	g_atomic_ref_count_inc(&rules->refs);
	return rules;
}

void spk_command_rules_unref(SpkCommandRules *rules)
{
	if (!rules || !g_atomic_ref_count_dec(&rules->refs))
		return;
	g_ptr_array_unref(rules->lists[RULES_SENSITIVE]);
	g_ptr_array_unref(rules->lists[RULES_DENY]);
	g_ptr_array_unref(rules->allow);
	g_free(rules);
}

/* ---- trying them ---- */

/* What can't be decided (the expression is too hard for the text) counts as found: these
 * lists ask and deny. */
static gboolean try_regex(const Pattern *pattern, const char *text, gboolean anchored,
			  Match *ret)
{
	g_autoptr(GMatchInfo) info = NULL;
	g_autoptr(GError) error = NULL;

	*ret = (Match){ pattern, 0, 0 };
	if (!g_regex_match_full(pattern->regex, text, -1, 0,
				anchored ? G_REGEX_MATCH_ANCHORED : 0, &info, &error))
		return error != NULL;
	return g_match_info_fetch_pos(info, 0, &ret->from, &ret->to);
}

/* What is about a pipe is tried on `pipeline`: there "|" is no text of a word. */
static gboolean try_command(const Pattern *pattern, const char *text,
			    const char *pipeline, Match *ret)
{
	gsize n = pattern->word ? strlen(pattern->word) : 0;
	g_autofree char *longer = NULL;

	if (n && strncmp(text, pattern->word, n) != 0)
		return FALSE;
	if (pattern->bare && is_word_char(text[n]))
		return FALSE;
	longer = g_strconcat(pattern->pipe ? pipeline : text, " ", NULL);
	return try_regex(pattern, longer, TRUE, ret);
}

static gboolean try_one(const Pattern *pattern, const char *text, const char *pipeline,
			Match *ret)
{
	if (pattern->kind == PATTERN_COMMAND)
		return try_command(pattern, text, pipeline, ret);
	if (pattern->literal) {
		const char *found = strstr(text, pattern->literal);

		if (!found)
			return FALSE;
		ret->pattern = pattern;
		ret->from = (int)(found - text);
		ret->to = ret->from + (int)strlen(pattern->literal);
		return TRUE;
	}
	return try_regex(pattern, text, FALSE, ret);
}

gboolean rules_find(const SpkCommandRules *rules, RuleList list, PatternKind kind,
		    const char *text, const char *pipeline, Match *ret)
{
	const GPtrArray *patterns = rules->lists[list];

	for (guint i = 0; i < patterns->len; i++) {
		const Pattern *pattern = patterns->pdata[i];

		if (pattern->kind == kind && try_one(pattern, text, pipeline, ret))
			return TRUE;
	}
	return FALSE;
}

gboolean rules_have(const SpkCommandRules *rules, RuleList list, PatternKind kind)
{
	const GPtrArray *patterns = rules->lists[list];

	for (guint i = 0; i < patterns->len; i++)
		if (((const Pattern *)patterns->pdata[i])->kind == kind)
			return TRUE;
	return FALSE;
}

const Pattern *rules_allow(const SpkCommandRules *rules, const char *text)
{
	for (guint i = 0; i < rules->allow->len; i++) {
		const Pattern *pattern = rules->allow->pdata[i];
		g_autoptr(GMatchInfo) info = NULL;
		int from, to;

		/* too hard for the text: no match, so it is asked */
		if (g_regex_match_full(pattern->regex, text, -1, 0, 0, &info, NULL) &&
		    g_match_info_fetch_pos(info, 0, &from, &to) && from == 0 &&
		    (gsize)to == strlen(text))
			return pattern;
	}
	return NULL;
}

/* ---- words that the shell makes names of ---- */

/* "*", "*.c": so wide that they say nothing of one name. */
static gboolean is_wide(const char *glob)
{
	if (*glob != '*')
		return FALSE;
	while (*glob == '*')
		glob++;
	return !*glob || (*glob == '.' && g_ascii_isalnum(glob[1]) &&
			  strspn(glob + 1, "abcdefghijklmnopqrstuvwxyz0123456789") ==
				  strlen(glob + 1));
}

/* One component of the word as a pattern for fnmatch(); FALSE: it is plain text. */
static gboolean component_glob(const SpkShellWord *word, guint from, guint to,
			       GString *glob, gboolean *ret_open)
{
	gboolean wild = FALSE;

	*ret_open = FALSE;
	g_string_truncate(glob, 0);
	for (guint i = from; i < to; i++) {
		char c = word->text[i];
		gboolean open = word->classes[i] >= SPK_SHELL_OPEN;
		gboolean magic = open || (word->classes[i] == SPK_SHELL_PLAIN &&
					  strchr("*?[]", c));

		wild |= magic;
		*ret_open |= open;
		if (!magic && strchr("*?[]\\", c))
			g_string_append_c(glob, '\\');
		g_string_append_c(glob, c);
	}
	return wild;
}

/* Whether components of the word, from its nth on, may become those of the pattern. */
static gboolean components_fit(const Pattern *pattern, const SpkShellWord *word,
			       guint from, GString *glob)
{
	gboolean wild = FALSE;

	for (char **want = pattern->components; *want; want++) {
		guint to = from;
		gboolean open, magic;

		if (from > word->len)
			return !**want && wild; /* "/etc" for "/etc/" */
		while (to < word->len && word->text[to] != '/')
			to++;
		magic = component_glob(word, from, to, glob, &open);
		if (magic && is_wide(glob->str) && **want)
			return FALSE;
		wild |= magic && **want;
		if (**want && fnmatch(glob->str, *want, open ? 0 : FNM_PERIOD) != 0)
			return FALSE;
		if (!**want && want == pattern->components && to > from)
			return FALSE; /* an absolute path is wanted */
		from = to + 1;
	}
	return wild;
}

gboolean rules_find_glob(const SpkCommandRules *rules, RuleList list,
			 const SpkShellWord *word, const Pattern **ret)
{
	const GPtrArray *patterns = rules->lists[list];
	g_autoptr(GString) glob = g_string_new(NULL);

	for (guint i = 0; i < patterns->len; i++) {
		const Pattern *pattern = patterns->pdata[i];

		if (pattern->kind != PATTERN_FILE || !pattern->literal)
			continue;
		for (guint from = 0; from < word->len; from++) {
			if (from && word->text[from - 1] != '/')
				continue;
			if (components_fit(pattern, word, from, glob)) {
				*ret = pattern;
				return TRUE;
			}
		}
	}
	return FALSE;
}

gboolean spk_command_rules_try(const SpkCommandRules *rules, const char *line,
			       SpkDecision *ret, char **ret_pattern)
{
	static const PatternKind kinds[] = { PATTERN_COMMAND, PATTERN_FILE, PATTERN_ANY };
	const Pattern *pattern;
	g_autofree char *why = NULL;
	Match match;

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (rules_find(rules, RULES_DENY, kinds[i], line, line, &match)) {
			why = g_strdup_printf("the rule \"%s\" denies it",
					      match.pattern->text);
			spk_decision_set(ret, SPK_LAW_DENY, SPK_RISK_HIGH, "command.deny",
					 NULL, why, "take the rule out, or narrow it");
			*ret_pattern = g_strdup(match.pattern->text);
			return TRUE;
		}
	pattern = rules_allow(rules, line);
	if (!pattern)
		return FALSE;
	why = g_strdup_printf("the rule \"%s\" allows it", pattern->text);
	spk_decision_set(ret, SPK_LAW_ALLOW, SPK_RISK_LOW, "command.allow", NULL, why,
			 NULL);
	*ret_pattern = g_strdup(pattern->text);
	return TRUE;
}
