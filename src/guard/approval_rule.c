/* Rules that a person saves or gives at an approval: regular expressions over a call's line. */
#include <string.h>

#include "base/error.h"
#include "guard/approval.h"

#define PATTERN_MAX 4096

static GRegex *compile(const char *pattern, GError **error)
{
	g_autoptr(GError) why = NULL;
	GRegex *regex = NULL;

	if (strlen(pattern) > PATTERN_MAX || !g_utf8_validate(pattern, -1, NULL)) {
		spk_error_set(error, SPK_ERR_USAGE, NULL, "the rule is %s",
			      strlen(pattern) > PATTERN_MAX ? "longer than 4096 bytes"
							    : "not UTF-8");
		return NULL;
	}
	regex = g_regex_new(pattern, 0, 0, &why);
	if (!regex)
		spk_error_set(error, SPK_ERR_USAGE,
			      "a literal character of . * + ? ( ) [ ] { } ^ $ | \\ takes "
			      "a \\ before it",
			      "the rule is no regular expression: %s", why->message);
	return regex;
}

gboolean spk_rule_check(const char *pattern, GError **error)
{
	g_autoptr(GRegex) regex = NULL;

	if (!pattern[strspn(pattern, " \t\r\n")]) {
		spk_error_set(error, SPK_ERR_USAGE, NULL, "the rule is empty");
		return FALSE;
	}
	regex = compile(pattern, error);
	return regex != NULL;
}

/* The pattern alone is a whole expression (an unbalanced one did not compile), so what is put
 * around it holds for all of it. A comment of (?x) at its end leaves one that doesn't compile. */
static GRegex *compile_whole(const char *pattern)
{
	g_autoptr(GRegex) alone = compile(pattern, NULL);
	g_autofree char *whole = g_strdup_printf("\\A(?:%s)\\z", pattern);

	return alone ? g_regex_new(whole, 0, 0, NULL) : NULL;
}

/* One that runs into the limits of the engine counts as `fallback`. */
static gboolean matches(const GRegex *regex, const char *text, gboolean fallback)
{
	g_autoptr(GError) why = NULL;
	gboolean found;

	if (!g_utf8_validate(text, -1, NULL))
		return fallback;
	found = g_regex_match_full(regex, text, -1, 0, 0, NULL, &why);
	return why ? fallback : found;
}

/* A command line for which no rule is offered runs what may be something else each time. */
static gboolean can_have_rule(const SpkQuestion *question)
{
	return !question->parts || question->offer;
}

gboolean spk_rule_allows(const char *pattern, const SpkQuestion *question)
{
	g_autoptr(GRegex) regex = compile_whole(pattern);

	if (!regex || !can_have_rule(question))
		return FALSE;
	if (!question->parts || !question->parts[0])
		return matches(regex, question->line, FALSE);
	for (char **part = question->parts; *part; part++)
		if (!matches(regex, *part, FALSE))
			return FALSE;
	return TRUE;
}

gboolean spk_rule_denies(const char *pattern, const SpkQuestion *question)
{
	g_autoptr(GRegex) regex = compile(pattern, NULL);

	if (!regex)
		return FALSE;
	if (matches(regex, question->line, TRUE))
		return TRUE;
	for (char **part = question->parts; part && *part; part++)
		if (matches(regex, *part, TRUE))
			return TRUE;
	return FALSE;
}

char *spk_rule_offer(const SpkQuestion *question)
{
	g_autofree char *escaped = NULL;

	if (question->offer || !can_have_rule(question))
		return g_strdup(question->offer);
	escaped = g_regex_escape_string(question->line, -1);
	return g_strconcat("^", escaped, "$", NULL);
}
