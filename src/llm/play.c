#include "llm/play.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"

#define MAX_PLAY (64u << 20)

struct SpkPlay {
	char *name;
	json_t *header, *end;
	GPtrArray *says;    /* json_t */
	GPtrArray *expects; /* json_t or NULL, one for each say */
	GMutex lock;
	char *prefix; /* of the first request of the task; guarded by lock */
};

/* ---- the form of a line, as tables ---- */

enum {
	OBJECT = 1 << JSON_OBJECT,
	ARRAY = 1 << JSON_ARRAY,
	STRING = 1 << JSON_STRING,
	INTEGER = 1 << JSON_INTEGER,
	REAL = 1 << JSON_REAL | 1 << JSON_INTEGER,
	BOOL = 1 << JSON_TRUE | 1 << JSON_FALSE,
	NOTHING = 1 << JSON_NULL,
};

typedef struct Field {
	const char *key;	    /* NULL ends the table; "*": any key */
	guint types;		    /* what the value may be */
	guint each;		    /* what the elements of an array may be */
	const struct Field *fields; /* of the value or element when it is an object */
	gboolean required;
} Field;

/* clang-format off */
static const Field file_fields[] = {
	{ "text", STRING }, { "base64", STRING }, { "link", STRING }, { "mode", STRING | INTEGER },
	{ NULL },
};
static const Field files_fields[] = { { "*", STRING | OBJECT, .fields = file_fields }, { NULL } };
static const Field repo_fields[] = {
	{ "files", OBJECT, .fields = files_fields }, { "git", BOOL }, { NULL },
};
static const Field header_fields[] = {
	{ "play", INTEGER, .required = TRUE },
	{ "goal", STRING | NOTHING },
	{ "repo", STRING | OBJECT | NOTHING, .fields = repo_fields },
	{ "options", OBJECT | NOTHING },
	{ NULL },
};
static const Field expect_fields[] = {
	{ "last_contains", ARRAY, .each = STRING },
	{ "last_matches", STRING },
	{ "last_role", STRING },
	{ "tools", ARRAY, .each = STRING },
	{ "prefix", STRING },
	{ "prefix_stable", BOOL },
	{ NULL },
};
static const Field call_fields[] = {
	{ "name", STRING, .required = TRUE }, { "arguments", OBJECT | STRING }, { "id", STRING },
	{ NULL },
};
static const Field error_fields[] = {
	{ "status", INTEGER }, { "kind", STRING }, { "code", STRING }, { "message", STRING },
	{ "retry_after", REAL }, { "times", INTEGER }, { NULL },
};
static const Field usage_fields[] = {
	{ "input", INTEGER }, { "output", INTEGER }, { "cached", INTEGER }, { NULL },
};
static const Field say_fields[] = {
	{ "text", STRING | NOTHING },
	{ "tool_calls", ARRAY, .each = OBJECT, .fields = call_fields },
	{ "chunks", ARRAY, .each = STRING },
	{ "error", STRING | OBJECT, .fields = error_fields },
	{ "finish", STRING },
	{ "delay_ms", INTEGER },
	{ "usage", OBJECT | NOTHING, .fields = usage_fields },
	{ "repeat", BOOL },
	{ NULL },
};
static const Field limits_fields[] = {
	{ "calls", INTEGER }, { "tokens", INTEGER }, { "events", INTEGER }, { "steps", INTEGER },
	{ NULL },
};
static const Field end_fields[] = {
	{ "status", STRING | NOTHING }, { "verdict", STRING | NOTHING },
	{ "tree", STRING | NOTHING }, { "limits", OBJECT, .fields = limits_fields }, { NULL },
};
static const Field line_fields[] = {
	{ "expect", OBJECT, .fields = expect_fields },
	{ "say", OBJECT, .fields = say_fields },
	{ "end", OBJECT, .fields = end_fields },
	{ NULL },
};
/* clang-format on */

static char *type_words(guint types)
{
	static const struct {
		guint type;
		const char *word;
	} words[] = {
		{ OBJECT, "an object" },
		{ ARRAY, "a list" },
		{ STRING, "a string" },
		{ INTEGER, "a whole number" },
		{ 1 << JSON_REAL, "a number" },
		{ BOOL, "true or false" },
		{ NOTHING, "null" },
	};
	GString *text = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (types & words[i].type)
			g_string_append_printf(text, "%s%s", text->len ? " or " : "",
					       words[i].word);
	return g_string_free(text, FALSE);
}

static gboolean check_type(const json_t *value, guint types, const char *what,
			   const char *key, GError **error)
{
	g_autofree char *words = NULL;

	if (types & 1u << json_typeof(value))
		return TRUE;
	words = type_words(types);
	spk_error_set(error, SPK_ERR_BAD_INPUT, NULL, "\"%s\" of %s must be %s", key,
		      what, words);
	return FALSE;
}

static const Field *find_field(const Field *fields, const char *what, const char *key,
			       GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *nearest = NULL, *clean = NULL;

	for (; fields->key; fields++) {
		if (strcmp(fields->key, key) == 0 || strcmp(fields->key, "*") == 0)
			return fields;
		g_ptr_array_add(names, (gpointer)fields->key);
	}
	g_ptr_array_add(names, NULL);
	clean = spk_text_clean(key, -1, SPK_CLEAN_LINE);
	nearest = spk_text_did_you_mean(key, (const char *const *)names->pdata);
	spk_error_set(error, SPK_ERR_BAD_INPUT, NULL, "%s has no key \"%s\"%s", what,
		      clean, nearest);
	return NULL;
}

static gboolean check_object(const json_t *object, const Field *fields, const char *what,
			     GError **error);

static gboolean check_value(const json_t *value, const Field *field, const char *what,
			    const char *key, GError **error)
{
	const json_t *element;
	gsize i;

	if (!check_type(value, field->types, what, key, error))
		return FALSE;
	if (json_is_object(value) && field->fields)
		return check_object(value, field->fields, key, error);
	json_array_foreach(value, i, element) {
		if (field->each &&
		    !check_type(element, field->each, "the list", key, error))
			return FALSE;
		if (field->fields && !check_object(element, field->fields, key, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean check_object(const json_t *object, const Field *fields, const char *what,
			     GError **error)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		const Field *field = find_field(fields, what, key, error);

		if (!field || !check_value(value, field, what, key, error))
			return FALSE;
	}
	for (; fields->key; fields++) {
		if (fields->required && !json_object_get(object, fields->key)) {
			spk_error_set(error, SPK_ERR_BAD_INPUT, NULL, "%s needs \"%s\"",
				      what, fields->key);
			return FALSE;
		}
	}
	return TRUE;
}

/* ---- what the tables can't say ---- */

static gboolean bad(GError **error, const char *message)
{
	spk_error_set(error, SPK_ERR_BAD_INPUT, NULL, "%s", message);
	return FALSE;
}

static gboolean check_header(const json_t *header, GError **error)
{
	const json_t *files = json_object_get(json_object_get(header, "repo"), "files");
	const char *name;
	json_t *file;

	if (!json_is_object(header))
		return bad(error,
			   "the first line of a play is an object with \"play\":1");
	if (!check_object(header, header_fields, "the first line", error))
		return FALSE;
	if (spk_json_int(header, "play", 0) != 1)
		return bad(error, "this is a play of another version than 1");
	json_object_foreach((json_t *)files, name, file) {
		g_auto(GStrv) parts = g_strsplit(name, "/", -1);

		if (!*name || *name == '/' ||
		    g_strv_contains((const char *const *)parts, ".."))
			return bad(
				error,
				"the name of a file in \"repo\" leaves the repository");
	}
	return TRUE;
}

static gboolean check_expect(const json_t *expect, GError **error)
{
	const char *regex = spk_json_str(expect, "last_matches");
	const char *role = spk_json_str(expect, "last_role");
	g_autoptr(GError) why = NULL;
	g_autoptr(GRegex) compiled = regex ? g_regex_new(regex, 0, 0, &why) : NULL;

	if (why) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL, "last_matches: %s",
			      why->message);
		return FALSE;
	}
	if (role && strcmp(role, "user") != 0 && strcmp(role, "tool") != 0)
		return bad(error, "last_role is \"user\" or \"tool\"");
	return TRUE;
}

static gboolean check_error(const json_t *said, GError **error)
{
	const char *kind = json_is_string(said) ? json_string_value(said)
						: spk_json_str(said, "kind");
	gint64 status = spk_json_int(said, "status", 0);

	if (kind && strcmp(kind, "reset") != 0 && strcmp(kind, "garbage") != 0)
		return bad(error, "an error is \"reset\", \"garbage\" or has a status");
	if (!kind && (status < 400 || status > 599))
		return bad(error, "the status of an error lies between 400 and 599");
	if (json_is_object(said) && spk_json_int(said, "times", 1) < 1)
		return bad(error, "\"times\" of an error is at least 1");
	return TRUE;
}

static gboolean check_say(const json_t *say, GError **error)
{
	const json_t *chunks = json_object_get(say, "chunks"), *chunk;
	const json_t *said = json_object_get(say, "error");
	const char *text = spk_json_str(say, "text");
	g_autoptr(GString) joined = g_string_new(NULL);
	gsize i;

	if (!text && !chunks && !said && !json_object_get(say, "tool_calls"))
		return bad(error, "a say needs text, chunks, tool_calls or an error");
	json_array_foreach(chunks, i, chunk)
		g_string_append(joined, json_string_value(chunk));
	if (text && chunks && strcmp(text, joined->str) != 0)
		return bad(error, "the chunks of a say don't add up to its text");
	if (spk_json_int(say, "delay_ms", 0) < 0 ||
	    spk_json_int(say, "delay_ms", 0) > 3600000)
		return bad(error, "delay_ms lies between 0 and 3600000");
	return !said || check_error(said, error);
}

/* ---- reading ---- */

/* Whether an expect waits for its say. */
static gboolean is_open(const SpkPlay *play)
{
	return play->expects->len > play->says->len;
}

static gboolean take_say(SpkPlay *play, json_t *say, GError **error)
{
	guint n = play->says->len;

	if (n && spk_json_bool(play->says->pdata[n - 1], "repeat", FALSE))
		return bad(error, "nothing is said after a say with \"repeat\"");
	if (!check_say(say, error))
		return FALSE;
	if (!is_open(play))
		g_ptr_array_add(play->expects, NULL);
	g_ptr_array_add(play->says, json_incref(say));
	return TRUE;
}

static gboolean take_event(SpkPlay *play, const json_t *line, GError **error)
{
	json_t *expect = json_object_get(line, "expect"),
	       *say = json_object_get(line, "say");

	if (!json_is_object(line) || json_object_size(line) != 1)
		return bad(error, "a line is an object with one key: expect, say or end");
	if (!check_object(line, line_fields, "a line", error))
		return FALSE;
	if (play->end)
		return bad(error, "nothing comes after \"end\"");
	if (say)
		return take_say(play, say, error);
	if (is_open(play))
		return bad(error, "an \"expect\" is followed by its \"say\"");
	if (!expect) {
		play->end = json_incref(json_object_get(line, "end"));
		return TRUE;
	}
	if (!check_expect(expect, error))
		return FALSE;
	g_ptr_array_add(play->expects, json_incref(expect));
	return TRUE;
}

static gboolean take_line(SpkPlay *play, const char *text, gsize len, GError **error)
{
	g_autoptr(json_t) line = spk_json_parse(text, len, SPK_JSON_MAX, error);

	if (!line)
		return FALSE;
	if (play->header)
		return take_event(play, line, error);
	if (!check_header(line, error))
		return FALSE;
	play->header = g_steal_pointer(&line);
	return TRUE;
}

static gboolean take_lines(SpkPlay *play, const char *text, gsize len, GError **error)
{
	const char *end = text + len;

	for (guint number = 1; text < end; number++) {
		const char *stop = memchr(text, '\n', end - text);
		gsize n = (stop ? stop : end) - text;
		gsize blank = 0;

		while (blank < n && g_ascii_isspace(text[blank]))
			blank++;
		if (blank < n && !take_line(play, text, n, error)) {
			g_prefix_error(error, "%s:%u: ", play->name, number);
			return FALSE;
		}
		text += n + 1;
	}
	if (!play->header)
		bad(error, "a play begins with the line {\"play\":1,…}");
	else if (is_open(play))
		bad(error, "the last \"expect\" has no \"say\"");
	else
		return TRUE;
	g_prefix_error(error, "%s: ", play->name);
	return FALSE;
}

static void decref_any(gpointer json)
{
	json_decref(json); /* NULL is fine */
}

SpkPlay *spk_play_parse(const char *text, gsize len, const char *name, GError **error)
{
	g_autoptr(SpkPlay) play = g_new0(SpkPlay, 1);

	g_mutex_init(&play->lock);
	play->name = spk_text_clean(name, -1, SPK_CLEAN_LINE);
	play->says = g_ptr_array_new_with_free_func(decref_any);
	play->expects = g_ptr_array_new_with_free_func(decref_any);
	return take_lines(play, text, len, error) ? g_steal_pointer(&play) : NULL;
}

SpkPlay *spk_play_load(const char *path, GError **error)
{
	gsize len;
	g_autofree char *text = spk_fs_read(path, MAX_PLAY, &len, error);

	return text ? spk_play_parse(text, len, path, error) : NULL;
}

void spk_play_free(SpkPlay *play)
{
	if (!play)
		return;
	json_decref(play->header);
	json_decref(play->end);
	g_ptr_array_unref(play->says);
	g_ptr_array_unref(play->expects);
	g_mutex_clear(&play->lock);
	g_free(play->prefix);
	g_free(play->name);
	g_free(play);
}

const json_t *spk_play_header(const SpkPlay *play)
{
	return play->header;
}

const json_t *spk_play_end(const SpkPlay *play)
{
	return play->end;
}

guint spk_play_turns(const SpkPlay *play)
{
	return play->says->len;
}

/* The line that serves this turn, or the number of lines when none does. */
static guint line_of(const SpkPlay *play, guint turn)
{
	guint n = play->says->len;

	if (turn >= n && n && spk_json_bool(play->says->pdata[n - 1], "repeat", FALSE))
		return n - 1;
	return MIN(turn, n);
}

const json_t *spk_play_say(const SpkPlay *play, guint turn)
{
	guint line = line_of(play, turn);

	return line < play->says->len ? play->says->pdata[line] : NULL;
}

const json_t *spk_play_expect(const SpkPlay *play, guint turn)
{
	guint line = line_of(play, turn);

	return line < play->says->len ? play->expects->pdata[line] : NULL;
}

/* ---- comparing a request ---- */

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
