#include "llm/messages_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

gboolean spk_messages_check(const json_t *messages, GError **error)
{
	const json_t *message, *part;
	gsize i, k;

	json_array_foreach(messages, i, message) {
		json_array_foreach(json_object_get(message, "content"), k, part) {
			const char *type = spk_json_str(part, "type");

			if (g_strcmp0(type, "text") == 0)
				continue;
			spk_error_set(error, SPK_ERR_BAD_INPUT,
				      "say in words what matters in it",
				      "a message holds a part of type \"%s\": models get "
				      "text alone in this version, no images",
				      type ? type : "?");
			return FALSE;
		}
	}
	return TRUE;
}

char *spk_message_text(const json_t *message)
{
	const json_t *content = json_object_get(message, "content"), *part;
	GString *text = g_string_new(json_string_value(content));
	gsize i;

	json_array_foreach(content, i, part) {
		const char *piece = spk_json_str(part, "text");

		if (piece)
			g_string_append(text, piece);
	}
	return g_string_free(text, FALSE);
}

char *spk_message_system(const json_t *messages, gsize *ret_rest)
{
	const json_t *first = json_array_get(messages, 0);

	*ret_rest = g_strcmp0(spk_json_str(first, "role"), "system") == 0;
	return *ret_rest ? spk_message_text(first) : g_strdup("");
}

json_t *spk_message_arguments(const json_t *call)
{
	const json_t *function = json_object_get(call, "function");
	const char *text = spk_json_str(function, "arguments");
	json_t *object = text ? spk_json_parse(text, strlen(text), SPK_JSON_MAX, NULL)
			      : json_incref(json_object_get(function, "arguments"));

	if (json_is_object(object))
		return object;
	json_decref(object);
	object = json_object();
	if (text && *text)
		spk_json_set(object, "text", spk_json_text(text));
	return object;
}

const char *spk_message_call_name(const json_t *call)
{
	const char *name = spk_json_str(json_object_get(call, "function"), "name");

	return name ? name : "";
}
