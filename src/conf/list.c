/* Lists of strings: JSON inside, JSON or words between commas from a variable or a flag. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "conf/conf_priv.h"

static json_t *words_of(const char *text)
{
	json_t *list = json_array();
	g_auto(GStrv) words = g_strsplit(text, ",", -1);

	for (char **word = words; *word; word++)
		if (*g_strstrip(*word))
			json_array_append_new(list, json_string(*word));
	return list;
}

static char *pattern_why(const char *pattern)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, &error);

	return regex ? NULL
		     : g_strdup_printf("has \"%s\", which is no regular expression",
				       pattern);
}

/* "!" and then a name or a way below any folder, with wildcards; one that would match all is a
 * slip. */
static char *name_why(const char *pattern)
{
	const char *name = pattern + (*pattern == '!'), *fault = NULL;

	if (!name[strspn(name, "*?/.")])
		fault = "which names nothing, or everything";
	else if (*name == '/' || strstr(name, "//") || g_str_has_prefix(name, "../") ||
		 g_str_has_prefix(name, "./"))
		fault = "but names are looked for in every folder: no path";
	for (const char *at = name; !fault && *at; at++)
		if (g_ascii_iscntrl(*at))
			fault = "which has a control character in it";
	return fault ? g_strdup_printf("has \"%s\", %s", pattern, fault) : NULL;
}

static char *list_why(const SpkOpt *opt, const json_t *list)
{
	gsize i;
	json_t *item;

	if (!json_is_array(list))
		return g_strdup("must be a list of strings: [\"…\", \"…\"]");
	json_array_foreach(list, i, item) {
		char *why = NULL;

		if (!json_is_string(item))
			return g_strdup("must hold nothing but strings in quotes");
		if (opt->type == SPK_OPT_PATTERNS)
			why = pattern_why(json_string_value(item));
		if (opt->flags & SPK_OPT_NAMES)
			why = name_why(json_string_value(item));
		if (why)
			return why;
	}
	return NULL;
}

char *spk_conf_list_parse(const SpkOpt *opt, const char *text, char **ret_why)
{
	g_autoptr(json_t) list = *text == '[' ? json_loads(text, 0, NULL)
					      : words_of(text);
	char *dump, *copy;

	*ret_why = list_why(opt, list);
	if (*ret_why)
		return NULL;
	dump = json_dumps(list, JSON_COMPACT);
	copy = g_strdup(dump);
	free(dump);
	return copy;
}

char **spk_conf_list_items(const char *json)
{
	g_autoptr(json_t) list = json_loads(json, 0, NULL);
	GPtrArray *texts = g_ptr_array_new();
	gsize i;
	json_t *text;

	json_array_foreach(list, i, text)
		g_ptr_array_add(texts, g_strdup(json_string_value(text)));
	g_ptr_array_add(texts, NULL);
	return (char **)g_ptr_array_free(texts, FALSE);
}

char **spk_conf_list(const SpkConf *conf, const char *name)
{
	g_autofree char *json = spk_conf_dup_text(conf, name);

	return spk_conf_list_items(json);
}
