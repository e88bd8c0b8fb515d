/*
 * Argument tables: the JSON Schema a model gets to see, and the check of what it sends.
 */
#include "tool/tool_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define STRING_MAX	(1u << 20) /* bytes of a string when the table says nothing */
#define STRINGS_MAX	1000	   /* strings of a list, likewise */
#define LIST_STRING_MAX 100000	   /* bytes of one string of a list */

static json_t *schema_of_arg(const SpkToolArg *arg)
{
	static const char *const types[] = {
		[SPK_ARG_STRING] = "string",
		[SPK_ARG_INT] = "integer",
		[SPK_ARG_BOOL] = "boolean",
		[SPK_ARG_STRINGS] = "array",
	};
	json_t *schema = json_pack("{s:s, s:s}", "type", types[arg->type], "description",
				   arg->sentence);

	if (arg->type == SPK_ARG_INT) {
		spk_json_set(schema, "minimum", json_integer(arg->min));
		spk_json_set(schema, "maximum", json_integer(arg->max));
	}
	if (arg->type == SPK_ARG_STRINGS)
		spk_json_set(schema, "items", json_pack("{s:s}", "type", "string"));
	return schema;
}

json_t *schema_of(const SpkTool *tool)
{
	json_t *properties = json_object(), *required = json_array();

	for (const SpkToolArg *arg = tool->args; arg->name; arg++) {
		spk_json_set(properties, arg->name, schema_of_arg(arg));
		if (arg->required)
			json_array_append_new(required, json_string(arg->name));
	}
	return json_pack("{s:s, s:{s:s, s:s, s:{s:s, s:o, s:o, s:b}}}", "type",
			 "function", "function", "name", tool->name, "description",
			 tool->sentence, "parameters", "type", "object", "properties",
			 properties, "required", required, "additionalProperties", FALSE);
}

static char *check_string(const char *what, const json_t *value, gsize max)
{
	gsize len = json_string_length(value);

	if (len > max)
		return g_strdup_printf("%s has %" G_GSIZE_FORMAT
				       " bytes, at most %" G_GSIZE_FORMAT " are allowed",
				       what, len, max);
	if (strlen(json_string_value(value)) != len)
		return g_strdup_printf("%s holds a NUL character", what);
	return NULL;
}

static char *check_strings(const SpkToolArg *arg, const json_t *value)
{
	gsize max = arg->max ? (gsize)arg->max : STRINGS_MAX;
	gsize i;
	json_t *item;

	if (!json_is_array(value))
		return g_strdup_printf("\"%s\" must be a list of strings", arg->name);
	if (json_array_size(value) > max)
		return g_strdup_printf("\"%s\" has %" G_GSIZE_FORMAT " items, at most "
				       "%" G_GSIZE_FORMAT " are allowed",
				       arg->name, json_array_size(value), max);
	json_array_foreach(value, i, item) {
		g_autofree char *what =
			g_strdup_printf("\"%s\"[%" G_GSIZE_FORMAT "]", arg->name, i);
		char *why;

		if (!json_is_string(item))
			return g_strdup_printf("%s must be a string", what);
		why = check_string(what, item, LIST_STRING_MAX);
		if (why)
			return why;
	}
	return NULL;
}

static char *check_int(const SpkToolArg *arg, const json_t *value)
{
	json_int_t n = json_integer_value(value);

	if (json_is_integer(value) && n >= arg->min && n <= arg->max)
		return NULL;
	return g_strdup_printf("\"%s\" must be an integer from %" G_GINT64_FORMAT
			       " to %" G_GINT64_FORMAT,
			       arg->name, arg->min, arg->max);
}

static char *check_value(const SpkToolArg *arg, const json_t *value)
{
	g_autofree char *what = g_strdup_printf("\"%s\"", arg->name);

	switch (arg->type) {
	case SPK_ARG_INT:
		return check_int(arg, value);
	case SPK_ARG_BOOL:
		return json_is_boolean(value)
			       ? NULL
			       : g_strdup_printf("%s must be true or false", what);
	case SPK_ARG_STRINGS:
		return check_strings(arg, value);
	case SPK_ARG_STRING:
		break;
	}
	if (!json_is_string(value))
		return g_strdup_printf("%s must be a string", what);
	return check_string(what, value, arg->max ? (gsize)arg->max : STRING_MAX);
}

/* The names of the table, NULL-terminated and borrowed. */
static const char **names_of(const SpkTool *tool)
{
	GPtrArray *names = g_ptr_array_new();

	for (const SpkToolArg *arg = tool->args; arg->name; arg++)
		g_ptr_array_add(names, (gpointer)arg->name);
	g_ptr_array_add(names, NULL);
	return (const char **)g_ptr_array_free(names, FALSE);
}

static char *unknown_key(const SpkTool *tool, const char *key)
{
	g_autofree const char **names = names_of(tool);
	g_autofree char *clean = spk_text_clean(key, -1, SPK_CLEAN_LINE);
	g_autofree char *clipped = spk_text_clip(clean, 60);
	g_autofree char *meant = spk_text_did_you_mean(clipped, names);
	g_autofree char *list = g_strjoinv(", ", (char **)names);

	return g_strdup_printf("there is no argument \"%s\"%s; the arguments are: %s",
			       clipped, meant, list);
}

static char *check_args(const SpkTool *tool, const json_t *args)
{
	g_autofree const char **names = names_of(tool);
	const char *key;
	json_t *value;

	if (!json_is_object(args))
		return g_strdup("the arguments must be one JSON object");
	json_object_foreach((json_t *)args, key, value)
		if (!g_strv_contains(names, key))
			return unknown_key(tool, key);
	for (const SpkToolArg *arg = tool->args; arg->name; arg++) {
		char *why;

		value = json_object_get(args, arg->name);
		if (!value && !arg->required)
			continue;
		why = value ? check_value(arg, value)
			    : g_strdup_printf("missing \"%s\": %s", arg->name,
					      arg->sentence);
		if (why)
			return why;
	}
	return NULL;
}

/* What is optional and null counts as not given: models send both. */
static void drop_nulls(const SpkTool *tool, json_t *args)
{
	for (const SpkToolArg *arg = tool->args; arg->name; arg++)
		if (!arg->required && json_is_null(json_object_get(args, arg->name)))
			json_object_del(args, arg->name);
}

json_t *spk_tool_parse_args(const SpkTool *tool, const char *arguments, char **ret_reason)
{
	g_autoptr(GError) problem = NULL;
	const char *text = arguments && *arguments ? arguments : "{}";
	g_autoptr(json_t)
		args = spk_json_parse(text, strlen(text), SPK_JSON_MAX, &problem);
	g_autofree char *why = NULL;

	if (!args) {
		*ret_reason = g_strdup_printf("%s: the arguments are %s", tool->name,
					      problem->message);
		return NULL;
	}
	drop_nulls(tool, args);
	why = check_args(tool, args);
	if (why) {
		*ret_reason = g_strdup_printf("%s: %s", tool->name, why);
		return NULL;
	}
	*ret_reason = NULL;
	return g_steal_pointer(&args);
}
