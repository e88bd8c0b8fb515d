#include "memory/embed_wire.h"

#include <math.h>

#include "base/error.h"
#include "base/json.h"
#include "memory/embedder.h"

/* bytes of a number of an answer, at most, with what stands around it */
#define NUMBER_MAX 32
#define AROUND_MAX (256u << 10)

const SpkEmbedWire spk_embed_wire_openai = {
	.name = "openai",
	.url = "https://api.openai.com/v1",
	.key = "OPENAI_API_KEY",
	.list = "data",
	.vector = "embedding",
	.form = { "/v1", NULL, "/embeddings" },
};

const SpkEmbedWire spk_embed_wire_ollama = {
	.name = "ollama",
	.url = "http://localhost:11434",
	.missing = "ollama pull NAME brings a model",
	.list = "embeddings",
	.form = { "", "/v1", "/api/embed" },
};

char *spk_embed_wire_body(const SpkEmbedWire *wire, const char *model, guint dims,
			  const char *const *texts, gsize n)
{
	g_autoptr(json_t) body = json_object();
	json_t *input = json_array();

	for (gsize i = 0; i < n; i++)
		json_array_append_new(input, spk_json_text(texts[i]));
	spk_json_set(body, "model", spk_json_text(model));
	spk_json_set(body, "input", input);
	if (dims)
		spk_json_set(body, "dimensions", json_integer(dims));
	return spk_json_dump(body);
}

gsize spk_embed_wire_max(gsize n, guint dims)
{
	return n * (dims ? dims : SPK_EMBED_DIMS_MAX) * NUMBER_MAX + AROUND_MAX;
}

/* ---- answers ---- */

G_GNUC_PRINTF(2, 3)
static gboolean refuse(GError **error, const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list args;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	spk_error_set(
		error, SPK_ERR_PROVIDER_REPLY,
		"check [embedding] url and model: it must be a model for embeddings",
		"the server's answer holds no embeddings as they were asked for: %s",
		what);
	return FALSE;
}

/* Values of one vector to `to`. */
static gboolean take_vector(const json_t *vector, guint dims, float *to, GError **error)
{
	const json_t *value;
	size_t i;

	if (!json_is_array(vector))
		return refuse(error, "an embedding is no array of numbers");
	if (json_array_size(vector) != dims)
		return refuse(error, "%zu dimensions where %u are expected",
			      json_array_size(vector), dims);
	json_array_foreach(vector, i, value) {
		to[i] = (float)json_number_value(value);
		if (!json_is_number(value) || !isfinite(to[i]))
			return refuse(error,
				      "a value of an embedding is no finite number");
	}
	return TRUE;
}

/* The place of an answer's part: what it says itself, or where it stands. */
static gsize place_of(const json_t *part, gsize i)
{
	const json_t *index = json_object_get(part, "index");

	if (!json_is_integer(index) || json_integer_value(index) < 0)
		return i;
	return (gsize)json_integer_value(index);
}

static gboolean check_list(const SpkEmbedWire *wire, const json_t *list, gsize n,
			   GError **error)
{
	if (!json_is_array(list))
		return refuse(error, "\"%s\" is missing", wire->list);
	if (json_array_size(list) != n)
		return refuse(error, "%zu embeddings for %zu texts",
			      json_array_size(list), n);
	return TRUE;
}

static const json_t *vector_of(const SpkEmbedWire *wire, const json_t *part)
{
	return wire->vector ? json_object_get(part, wire->vector) : part;
}

static gboolean check_dims(const json_t *first, guint *dims, GError **error)
{
	gsize size = json_array_size(first);

	if (*dims || (size >= 1 && size <= SPK_EMBED_DIMS_MAX)) {
		*dims = *dims ? *dims : (guint)size;
		return TRUE;
	}
	return refuse(error, "%zu dimensions; 1 to %d can be had", size,
		      SPK_EMBED_DIMS_MAX);
}

gboolean spk_embed_wire_parse(const SpkEmbedWire *wire, const char *text, gsize len,
			      gsize n, guint *dims, GArray *ret, GError **error)
{
	g_autoptr(json_t)
		answer = spk_json_parse(text, len, spk_embed_wire_max(n, *dims), NULL);
	const json_t *list = json_object_get(answer, wire->list), *part;
	g_autofree gboolean *seen = g_new0(gboolean, n);
	guint start = ret->len, width = *dims;
	size_t i;

	if (!answer)
		return refuse(error, "it is not JSON");
	if (!check_list(wire, list, n, error) ||
	    !check_dims(vector_of(wire, json_array_get(list, 0)), &width, error))
		return FALSE;
	g_array_set_size(ret, start + (guint)n * width);
	json_array_foreach(list, i, part) {
		gsize place = place_of(part, i);

		if (place >= n || seen[place])
			return refuse(error, "two embeddings for one text, or none");
		seen[place] = TRUE;
		if (!take_vector(vector_of(wire, part), width,
				 &g_array_index(ret, float, start + place * width),
				 error))
			return FALSE;
	}
	*dims = width;
	return TRUE;
}
