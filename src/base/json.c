#include "base/json.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

json_t *spk_json_parse(const char *text, gsize len, gsize max_bytes, GError **error)
{
	json_error_t where;
	json_t *json;

	if (len > max_bytes) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
			      "JSON of %" G_GSIZE_FORMAT
			      " bytes is over the limit of %" G_GSIZE_FORMAT,
			      len, max_bytes);
		return NULL;
	}
	json = json_loadb(text, len,
			  JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
			  &where);
	if (!json) {
		g_autofree char *why = spk_text_clean(where.text, -1, SPK_CLEAN_LINE);

		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
			      "not JSON: line %d, column %d: %s", where.line,
			      where.column, why);
	}
	return json;
}

static char *dump(const json_t *json, size_t flags)
{
	/* 15 digits: 0.3 stays 0.3 */
	char *text = json_dumps(json, flags | JSON_COMPACT | JSON_ENCODE_ANY |
					      JSON_REAL_PRECISION(15));
	char *copy = g_strdup(text ? text : "null");

	free(text);
	return copy;
}

char *spk_json_dump(const json_t *json)
{
	return dump(json, 0);
}

char *spk_json_canon(const json_t *json)
{
	return dump(json, JSON_SORT_KEYS);
}

const char *spk_json_str(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

gint64 spk_json_int(const json_t *object, const char *key, gint64 fallback)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

double spk_json_real(const json_t *object, const char *key, double fallback)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : fallback;
}

gboolean spk_json_bool(const json_t *object, const char *key, gboolean fallback)
{
	const json_t *value = json_object_get(object, key);

	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

json_t *spk_json_text_n(const char *text, gsize len)
{
	json_t *json;
	g_autofree char *clean = NULL;

	if (!text)
		return json_null();
	json = json_stringn(text, len);
	if (json)
		return json;
	clean = g_utf8_make_valid(text, len);
	return json_string(clean);
}

json_t *spk_json_text(const char *text)
{
	return spk_json_text_n(text, text ? strlen(text) : 0);
}

void spk_json_set(json_t *object, const char *key, json_t *take_value)
{
	int failed = json_object_set_new(object, key, take_value);

	g_assert(failed == 0);
}
