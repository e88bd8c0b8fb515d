#include "memory/portable.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "guard/redact.h"

static json_t *time_or_null(gint64 us)
{
	g_autofree char *time = us ? spk_time_format(us) : NULL;

	return spk_json_text(time);
}

json_t *spk_portable_row(const SpkMemoryRow *row)
{
	return json_pack(
		"{s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:b,s:o,s:o,s:o,s:f,s:o,s:o,s:o,"
		"s:I,s:o}",
		"id", spk_json_text(row->id), "text", spk_json_text(row->text), "kind",
		spk_json_text(row->kind), "scope", spk_json_text(row->scope), "state",
		spk_memory_state_name(row->state), "source", spk_json_text(row->source),
		"task", spk_json_text(row->task), "entry",
		row->entry ? json_integer(row->entry) : json_null(), "untrusted",
		row->untrusted, "time", time_or_null(row->time_us), "stored",
		time_or_null(row->stored_us), "updated", time_or_null(row->updated_us),
		"confidence", row->confidence, "speaker", spk_json_text(row->speaker),
		"supersedes", spk_json_text(row->supersedes), "superseded_by",
		spk_json_text(row->superseded_by), "merged", (json_int_t)row->merged,
		"model", spk_json_text(row->model));
}

void spk_portable_free(SpkPortable *portable)
{
	if (!portable)
		return;
	g_clear_pointer(&portable->row, spk_memory_row_free);
	g_free(portable->vector);
	g_free(portable);
}

/* ---- values ---- */

typedef gboolean (*ReadFn)(SpkPortable *to, const json_t *value, gsize at);

static char **string_at(SpkPortable *to, gsize at)
{
	return (char **)((char *)to->row + at);
}

/* The text of a memory: as anything that is kept. */
static gboolean read_text(SpkPortable *to, const json_t *value, gsize at)
{
	g_autofree char *clean = NULL;

	if (!json_is_string(value) ||
	    strlen(json_string_value(value)) != json_string_length(value))
		return FALSE;
	clean = spk_text_clean(json_string_value(value), -1, SPK_CLEAN_TEXT);
	g_free(*string_at(to, at));
	*string_at(to, at) = spk_redact_text(NULL, g_strstrip(clean));
	return TRUE;
}

/* A name, which the store checks; no secret has a place in one either. */
static gboolean read_word(SpkPortable *to, const json_t *value, gsize at)
{
	if (json_is_null(value))
		return TRUE;
	if (!json_is_string(value) ||
	    strlen(json_string_value(value)) != json_string_length(value))
		return FALSE;
	g_free(*string_at(to, at));
	*string_at(to, at) = spk_redact_text(NULL, json_string_value(value));
	return TRUE;
}

static gboolean read_count(SpkPortable *to, const json_t *value, gsize at)
{
	if (json_is_null(value))
		return TRUE;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return FALSE;
	*(gint64 *)((char *)to->row + at) = json_integer_value(value);
	return TRUE;
}

static gboolean read_time(SpkPortable *to, const json_t *value, gsize at)
{
	return json_is_null(value) || (json_is_string(value) &&
				       spk_time_parse(json_string_value(value),
						      (gint64 *)((char *)to->row + at)));
}

static gboolean read_flag(SpkPortable *to, const json_t *value, gsize at)
{
	to->row->untrusted = json_is_true(value);
	return json_is_boolean(value) || json_is_null(value);
}

static gboolean read_share(SpkPortable *to, const json_t *value, gsize at)
{
	double number = json_number_value(value);

	to->row->confidence = number;
	return json_is_number(value) && number >= 0 && number <= 1;
}

static gboolean read_state(SpkPortable *to, const json_t *value, gsize at)
{
	return json_is_string(value) &&
	       spk_memory_state_parse(json_string_value(value), &to->row->state);
}

/* Made one long, as vectors are kept. */
static gboolean read_vector(SpkPortable *to, const json_t *value, gsize at)
{
	gsize n = json_array_size(value);
	double length = 0;

	if (json_is_null(value))
		return TRUE;
	if (!json_is_array(value) || !n || n > SPK_MEMORY_DIMS_MAX)
		return FALSE;
	to->vector = g_new(float, n);
	to->dims = (guint)n;
	for (gsize i = 0; i < n; i++) {
		double number = json_number_value(json_array_get(value, i));

		if (!json_is_number(json_array_get(value, i)) || fabs(number) > 1e6)
			return FALSE;
		length += number * number;
		to->vector[i] = (float)number;
	}
	if (length < 1e-12)
		return FALSE;
	for (gsize i = 0; i < n; i++)
		to->vector[i] /= (float)sqrt(length);
	return TRUE;
}

static gboolean read_nothing(SpkPortable *to, const json_t *value, gsize at)
{
	return TRUE;
}

#define AT(field) offsetof(SpkMemoryRow, field)
static const struct {
	const char *key;
	ReadFn read;
	gsize at;
	const char *form;
} keys[] = {
	{ "confidence", read_share, 0, "a number from 0 to 1" },
	{ "embedding", read_vector, 0, "an array of at most 4096 numbers, not all 0" },
	{ "entry", read_count, AT(entry), "a whole number from 0" },
	{ "id", read_word, AT(id), "a text" },
	{ "kind", read_word, AT(kind), "a text" },
	{ "merged", read_nothing, 0,
	  "" }, /* what was merged stays where it was exported */
	{ "model", read_word, AT(model), "a text" },
	{ "scope", read_word, AT(scope), "a text" },
	{ "source", read_word, AT(source), "a text" },
	{ "speaker", read_word, AT(speaker), "a text" },
	{ "state", read_state, 0, "active, superseded or retired" },
	{ "stored", read_time, AT(stored_us), "a time in RFC 3339" },
	{ "superseded_by", read_word, AT(superseded_by), "a text" },
	{ "supersedes", read_word, AT(supersedes), "a text" },
	{ "task", read_word, AT(task), "a text" },
	{ "text", read_text, AT(text), "a text" },
	{ "time", read_time, AT(time_us), "a time in RFC 3339" },
	{ "untrusted", read_flag, 0, "true or false" },
	{ "updated", read_nothing, 0, "" },
};

static gboolean refuse(GError **error, const char *key, const char *hint,
		       const char *problem)
{
	g_autofree char *shown = spk_text_clean(key, -1, SPK_CLEAN_LINE);

	spk_error_set(error, SPK_ERR_BAD_INPUT, hint, "\"%.60s\" %s", shown, problem);
	return FALSE;
}

static gboolean unknown_key(const char *key, GError **error)
{
	const char *names[G_N_ELEMENTS(keys) + 1] = { NULL };
	g_autofree char *hint = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		names[i] = keys[i].key;
	hint = g_strjoinv(", ", (char **)names);
	return refuse(error, key, hint, "is no key of a memory");
}

static gboolean read_key(SpkPortable *to, const char *key, const json_t *value,
			 GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		if (strcmp(keys[i].key, key) != 0)
			continue;
		return keys[i].read(to, value, keys[i].at) ||
		       refuse(error, key, keys[i].form, "is not of its form");
	}
	return unknown_key(key, error);
}

/* ---- a line ---- */

static void set_default(char **field, const char *value)
{
	if (!*field)
		*field = g_strdup(value);
}

/* What a line may leave out, and what belongs together. */
static gboolean complete(SpkPortable *to, const char *source, GError **error)
{
	SpkMemoryRow *row = to->row;

	if (!row->text || !*row->text)
		return refuse(error, "text", "each memory has a text",
			      "is missing or empty");
	if (!row->id)
		row->id = spk_id_new();
	set_default(&row->kind, "fact");
	set_default(&row->scope, "user");
	set_default(&row->source, source);
	if (!row->task)
		row->entry = 0;
	if (to->vector && !row->model)
		return refuse(error, "embedding", "say whose vector it is: \"model\"",
			      "is of no model");
	if (!to->vector)
		g_clear_pointer(&row->model, g_free);
	return TRUE;
}

static gboolean check_header(const json_t *object, GError **error)
{
	gint64 version = spk_json_int(object, "memories", 0);

	if (version == SPK_PORTABLE_VERSION)
		return TRUE;
	return refuse(error, "memories", "is it of a newer version of sparks?",
		      "names a form of export that is not known here");
}

gboolean spk_portable_read(const char *line, gsize len, const char *source,
			   SpkPortable **ret, GError **error)
{
	g_autoptr(SpkPortable) to = NULL;
	g_autoptr(json_t) object = NULL;
	const char *key;
	json_t *value;

	*ret = NULL;
	while (len && g_ascii_isspace(line[len - 1]))
		len--;
	if (!len)
		return TRUE;
	object = spk_json_parse(line, len, SPK_PORTABLE_LINE_MAX, error);
	if (!object)
		return FALSE;
	if (!json_is_object(object)) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, "{\"text\": \"…\"}",
			      "this is no JSON object");
		return FALSE;
	}
	if (json_object_get(object, "memories"))
		return check_header(object, error);
	to = g_new0(SpkPortable, 1);
	to->row = g_new0(SpkMemoryRow, 1);
	to->row->confidence = 1;
	json_object_foreach(object, key, value)
		if (!read_key(to, key, value, error))
			return FALSE;
	if (!complete(to, source, error))
		return FALSE;
	*ret = g_steal_pointer(&to);
	return TRUE;
}
