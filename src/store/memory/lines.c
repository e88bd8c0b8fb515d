/* A memory as a JSON object and back, by one table of its fields. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "base/veil.h"
#include "store/memory/memory_priv.h"

#define MAX_PAST   100000
#define MAX_MODELS 16

typedef enum { TEXT, OPTIONAL, NUMBER, REAL, FLAG } Type;

typedef struct {
	const char *name;
	Type type;
	gsize offset;
} Field;

/* clang-format off */
#define AT(member) G_STRUCT_OFFSET(SpkMemoryRow, member)
static const Field fields[] = {
	{ "id", TEXT, AT(id) },
	{ "text", TEXT, AT(text) },
	{ "kind", TEXT, AT(kind) },
	{ "scope", TEXT, AT(scope) },
	{ "source", TEXT, AT(source) },
	{ "task", OPTIONAL, AT(task) },
	{ "entry", NUMBER, AT(entry) },
	{ "untrusted", FLAG, AT(untrusted) },
	{ "time_us", NUMBER, AT(time_us) },
	{ "stored_us", NUMBER, AT(stored_us) },
	{ "updated_us", NUMBER, AT(updated_us) },
	{ "confidence", REAL, AT(confidence) },
	{ "speaker", OPTIONAL, AT(speaker) },
	{ "supersedes", OPTIONAL, AT(supersedes) },
	{ "superseded_by", OPTIONAL, AT(superseded_by) },
	{ NULL, TEXT, 0 },
};
#undef AT
#define AT(member) G_STRUCT_OFFSET(SpkMemoryPast, member)
static const Field past_fields[] = {
	{ "id", OPTIONAL, AT(id) },
	{ "text", OPTIONAL, AT(text) },
	{ "source", TEXT, AT(source) },
	{ "task", OPTIONAL, AT(task) },
	{ "entry", NUMBER, AT(entry) },
	{ "time_us", NUMBER, AT(time_us) },
	{ "at_us", NUMBER, AT(at_us) },
	{ NULL, TEXT, 0 },
};
#undef AT
/* clang-format on */

/* ---- out ---- */

static json_t *value_of(const Field *field, const guint8 *object)
{
	const guint8 *at = object + field->offset;

	switch (field->type) {
	case NUMBER:
		return json_integer(*(const gint64 *)at);
	case REAL:
		return json_real(*(const double *)at);
	case FLAG:
		return json_boolean(*(const gboolean *)at);
	default:
		return spk_json_text(*(char *const *)at);
	}
}

static json_t *write_fields(const Field *table, gconstpointer object)
{
	json_t *json = json_object();

	for (const Field *f = table; f->name; f++)
		spk_json_set(json, f->name, value_of(f, object));
	return json;
}

json_t *spk_memory_to_json(const SpkMemoryRow *row, const GPtrArray *past)
{
	json_t *json = write_fields(fields, row), *list = json_array();

	spk_json_set(json, "state", json_string(spk_memory_state_name(row->state)));
	for (guint i = 0; i < past->len; i++)
		json_array_append_new(list, write_fields(past_fields, past->pdata[i]));
	spk_json_set(json, "past", list);
	return json;
}

/* ---- in ---- */

static gboolean refuse(const char *name, GError **error)
{
	spk_error_set(error, SPK_ERR_BAD_INPUT, "it is left out; the others are taken",
		      "its field \"%s\" is missing or not of its form", name);
	return FALSE;
}

static gboolean read_field(const Field *field, const json_t *json, guint8 *object,
			   GError **error)
{
	json_t *value = json_object_get(json, field->name);
	guint8 *at = object + field->offset;

	if (field->type == OPTIONAL && (!value || json_is_null(value)))
		return TRUE;
	switch (field->type) {
	case NUMBER:
		if (!json_is_integer(value))
			return refuse(field->name, error);
		*(gint64 *)at = json_integer_value(value);
		return TRUE;
	case REAL:
		if (!json_is_number(value))
			return refuse(field->name, error);
		*(double *)at = json_number_value(value);
		return TRUE;
	case FLAG:
		if (!json_is_boolean(value))
			return refuse(field->name, error);
		*(gboolean *)at = json_is_true(value);
		return TRUE;
	default:
		if (!json_is_string(value) ||
		    strlen(json_string_value(value)) != json_string_length(value))
			return refuse(field->name, error);
		*(char **)at = g_strdup(json_string_value(value));
		return TRUE;
	}
}

/* As anything that is kept: without secrets, and without what a terminal acts on. TRUE: it is
 * another text now. */
static gboolean tidy(char **place, SpkCleanMode mode)
{
	g_autofree char *was = *place, *clean = NULL;

	if (!was)
		return FALSE;
	clean = spk_text_clean(was, -1, mode);
	*place = spk_veil_text(g_strstrip(clean));
	return strcmp(*place, was) != 0;
}

static gboolean read_fields(const Field *table, const json_t *json, gpointer object,
			    GError **error)
{
	for (const Field *f = table; f->name; f++)
		if (!read_field(f, json, object, error))
			return FALSE;
	return TRUE;
}

static gboolean is_name(const char *name)
{
	return !name || spk_memory_check_name(name, SPK_MEMORY_ID_MAX, "id", NULL);
}

static GPtrArray *read_past(const json_t *json, GError **error)
{
	const json_t *list = json_object_get(json, "past");
	g_autoptr(GPtrArray) past =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_memory_past_free);

	if (list && (!json_is_array(list) || json_array_size(list) > MAX_PAST)) {
		(void)refuse("past", error);
		return NULL;
	}
	for (gsize i = 0; i < json_array_size(list); i++) {
		SpkMemoryPast *one = g_new0(SpkMemoryPast, 1);

		g_ptr_array_add(past, one);
		if (!read_fields(past_fields, json_array_get(list, i), one, error))
			return NULL;
		(void)tidy(&one->text, SPK_CLEAN_TEXT);
		(void)tidy(&one->source, SPK_CLEAN_LINE);
		if ((!one->id && !one->text) ||
		    (one->text && strlen(one->text) > SPK_MEMORY_TEXT_MAX) ||
		    !is_name(one->id) || !is_name(one->task)) {
			(void)refuse("past", error);
			return NULL;
		}
	}
	return g_steal_pointer(&past);
}

static GBytes *read_vector(const json_t *value)
{
	const char *text = json_string_value(value);
	g_autofree guchar *data = NULL;
	gsize len = 0;

	if (!text || json_string_length(value) > SPK_MEMORY_DIMS_MAX * 8)
		return NULL;
	data = g_base64_decode(text, &len);
	if (!len || len % sizeof(float) || len / sizeof(float) > SPK_MEMORY_DIMS_MAX)
		return NULL;
	for (gsize i = 0; i < len; i += sizeof(float)) {
		guint32 bits;
		float number;

		memcpy(&bits, data + i, sizeof(bits));
		bits = GUINT32_FROM_LE(bits);
		memcpy(data + i, &bits, sizeof(bits));
		memcpy(&number, data + i, sizeof(number));
		if (!isfinite(number))
			return NULL;
	}
	return g_bytes_new_take(g_steal_pointer(&data), len);
}

static GHashTable *read_vectors(json_t *json, GError **error)
{
	g_autoptr(GHashTable) vectors = g_hash_table_new_full(
		g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
	json_t *map = json_object_get(json, "vectors"), *value;
	const char *model;

	if (json_object_size(map) > MAX_MODELS) {
		(void)refuse("vectors", error);
		return NULL;
	}
	json_object_foreach(map, model, value) {
		GBytes *bytes = read_vector(value);

		if (!bytes || !*model || strlen(model) > SPK_MEMORY_ID_MAX * 4) {
			if (bytes)
				g_bytes_unref(bytes);
			(void)refuse("vectors", error);
			return NULL;
		}
		g_hash_table_insert(vectors, g_strdup(model), bytes);
	}
	return g_steal_pointer(&vectors);
}

SpkMemoryRow *spk_memory_from_json(json_t *json, GPtrArray **ret_past,
				   GHashTable **ret_vectors, GError **error)
{
	g_autoptr(SpkMemoryRow) row = g_new0(SpkMemoryRow, 1);
	g_autoptr(GPtrArray) past = NULL;
	const char *state = spk_json_str(json, "state");
	gboolean changed;

	if (!read_fields(fields, json, row, error))
		return NULL;
	if (!state || !spk_memory_state_parse(state, &row->state)) {
		(void)refuse("state", error);
		return NULL;
	}
	changed = tidy(&row->text, SPK_CLEAN_TEXT);
	(void)tidy(&row->source, SPK_CLEAN_LINE);
	if (!spk_memory_check_row(row, error))
		return NULL;
	past = read_past(json, error);
	*ret_vectors = past ? read_vectors(json, error) : NULL;
	if (!*ret_vectors)
		return NULL;
	if (changed) /* they are of what it said before */
		g_hash_table_remove_all(*ret_vectors);
	*ret_past = g_steal_pointer(&past);
	return g_steal_pointer(&row);
}
