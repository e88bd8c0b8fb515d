#include "llm/play_form_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

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
	{ "input", INTEGER }, { "output", INTEGER }, { "cached", INTEGER },
	{ "cache_write", INTEGER }, { NULL },
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

static gboolean check_expect(const json_t *expect, GError **error)
{
	const char *regex = spk_json_str(expect, "last_matches");
	const char *role = spk_json_str(expect, "last_role");
	g_autoptr(GError) why = NULL;
	g_autoptr(GRegex) compiled G_GNUC_UNUSED = regex ? g_regex_new(regex, 0, 0, &why)
							 : NULL;

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

gboolean spk_play_check_header(const json_t *header, GError **error)
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
			return bad(error, "a file of \"repo\" leaves the repository");
	}
	return TRUE;
}

gboolean spk_play_check_event(const json_t *line, GError **error)
{
	const json_t *expect = json_object_get(line, "expect");
	const json_t *say = json_object_get(line, "say");

	if (!json_is_object(line) || json_object_size(line) != 1)
		return bad(error, "a line is an object with one key: expect, say or end");
	return check_object(line, line_fields, "a line", error) &&
	       (!expect || check_expect(expect, error)) &&
	       (!say || check_say(say, error));
}
