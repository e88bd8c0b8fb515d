/* Compares what the next request holds with what a play expects. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "llm/play_priv.h"

static void append_content(GString *text, const json_t *message)
{
	const json_t *content = json_object_get(message, "content"), *part;
	gsize i;

	if (json_is_string(content))
		g_string_append(text, json_string_value(content));
	json_array_foreach(content, i, part)
		g_string_append(text, spk_json_str(part, "text")
					      ? spk_json_str(part, "text")
					      : "");
	g_string_append_c(text, '\n');
}

/* All that came after the model's last answer (at the start: after the system prompt). */
static char *news_of(const json_t *messages)
{
	GString *text = g_string_new(NULL);
	const json_t *message;
	gsize i, first = 1;

	json_array_foreach(messages, i, message)
		if (g_strcmp0(spk_json_str(message, "role"), "assistant") == 0)
			first = i + 1;
	for (i = first; i < json_array_size(messages); i++)
		append_content(text, json_array_get(messages, i));
	return g_string_free(text, FALSE);
}

static gboolean differs(GError **error, const char *expected, const char *wanted,
			const char *came)
{
	g_autofree char *clean = spk_text_clean(came, -1, SPK_CLEAN_LINE);
	g_autofree char *short_came = spk_text_clip(clean, 400);
	g_autofree char *short_wanted = spk_text_clip(wanted, 400);

	spk_error_set(error, SPK_ERR_REPLAY_DIFFERS, NULL,
		      "expected %s \"%s\", what came: \"%s\"", expected, short_wanted,
		      short_came);
	return FALSE;
}

static gboolean check_news(const json_t *expect, const json_t *messages, GError **error)
{
	const char *role = spk_json_str(expect, "last_role");
	const char *regex = spk_json_str(expect, "last_matches");
	const json_t *last = json_array_get(messages, json_array_size(messages) - 1);
	const json_t *words = json_object_get(expect, "last_contains"), *word;
	g_autofree char *news = news_of(messages);
	gsize i;

	if (role && g_strcmp0(spk_json_str(last, "role"), role) != 0)
		return differs(error, "a last message of role", role,
			       spk_json_str(last, "role") ? spk_json_str(last, "role")
							  : "none");
	json_array_foreach(words, i, word)
		if (!strstr(news, json_string_value(word)))
			return differs(error, "a request that contains",
				       json_string_value(word), news);
	if (regex && !g_regex_match_simple(regex, news, 0, 0))
		return differs(error, "a request that matches", regex, news);
	return TRUE;
}

static gboolean has_tool(const json_t *tools, const char *name)
{
	const json_t *tool;
	gsize i;

	json_array_foreach(tools, i, tool)
		if (g_strcmp0(spk_json_str(json_object_get(tool, "function"), "name"),
			      name) == 0)
			return TRUE;
	return FALSE;
}

static gboolean check_tools(const json_t *expect, const SpkLlmRequest *request,
			    GError **error)
{
	const json_t *names = json_object_get(expect, "tools"), *name;
	g_autofree char *offered = NULL;
	gsize i;

	json_array_foreach(names, i, name) {
		if (has_tool(request->tools, json_string_value(name)))
			continue;
		offered = spk_json_dump(request->tools);
		return differs(error, "the tool", json_string_value(name), offered);
	}
	return TRUE;
}

static gboolean check_prefix(SpkPlay *play, const json_t *expect,
			     const SpkLlmRequest *request, GError **error)
{
	const char *wanted = spk_json_str(expect, "prefix");
	g_autofree char *prefix = spk_llm_prefix_hash(request);
	g_autofree char *first = NULL;

	g_mutex_lock(&play->lock);
	if (!play->prefix || request->turn == 0) {
		g_free(play->prefix);
		play->prefix = g_strdup(prefix);
	}
	first = g_strdup(play->prefix);
	g_mutex_unlock(&play->lock);
	if (wanted && strcmp(wanted, prefix) != 0)
		return differs(error, "the prefix", wanted, prefix);
	if (spk_json_bool(expect, "prefix_stable", FALSE) && strcmp(first, prefix) != 0)
		return differs(error, "the same prefix as at first,", first, prefix);
	return TRUE;
}

gboolean spk_play_check(const SpkPlay *play, guint turn, const SpkLlmRequest *request,
			GError **error)
{
	const json_t *expect = spk_play_expect(play, turn);

	/* The prefix is noted at each turn; that alone changes a play. */
	if (check_prefix((SpkPlay *)play, expect, request, error) &&
	    check_news(expect, request->messages, error) &&
	    check_tools(expect, request, error))
		return TRUE;
	g_prefix_error(error, "%s, answer %u: ", play->name, turn + 1);
	return FALSE;
}
