#include "llm/calls_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

enum { MAX_CALLS = 128, MAX_NAME = 256, MAX_ARGUMENTS = 1 << 20 };

typedef struct {
	gint64 index; /* as sent; -1: the server gave none */
	GStrv keys;   /* of the wire's own, or NULL */
	char *id;     /* NULL: none yet */
	GString *name, *arguments;
} Call;

struct SpkCalls {
	GPtrArray *calls; /* Call, in the order of their first fragments */
};

static void call_free(gpointer data)
{
	Call *call = data;

	g_strfreev(call->keys);
	g_free(call->id);
	g_string_free(call->name, TRUE);
	g_string_free(call->arguments, TRUE);
	g_free(call);
}

SpkCalls *spk_calls_new(void)
{
	SpkCalls *calls = g_new0(SpkCalls, 1);

	calls->calls = g_ptr_array_new_with_free_func(call_free);
	return calls;
}

void spk_calls_free(SpkCalls *calls)
{
	if (!calls)
		return;
	g_ptr_array_unref(calls->calls);
	g_free(calls);
}

static Call *last_with_index(const SpkCalls *calls, gint64 index)
{
	for (guint i = calls->calls->len; i > 0; i--) {
		Call *call = calls->calls->pdata[i - 1];

		if (index < 0 || call->index == index)
			return call;
	}
	return NULL;
}

/*
 * The call a fragment belongs to, NULL for a new one. By the book its index says so. Without
 * an index it continues the last call. Either way a name together with another id than the
 * call has starts a new one (Ollama sends index 0 for all), and so does, without an index, a
 * name for a call that has its arguments already, unless the ids say that it is the same.
 */
static Call *find_call(const SpkCalls *calls, gint64 index, const char *id,
		       const char *name)
{
	Call *call = last_with_index(calls, index);

	if (!call || !name || !*name)
		return call;
	if (id && call->id && strcmp(id, call->id) != 0)
		return NULL;
	if (index < 0 && call->arguments->len && !(id && call->id))
		return NULL;
	return call;
}

static Call *add_call(SpkCalls *calls, gint64 index, GError **error)
{
	Call *call;

	if (calls->calls->len >= MAX_CALLS) {
		spk_error_set(error, SPK_ERR_LIMIT, NULL,
			      "the answer has more than %d tool calls", MAX_CALLS);
		return NULL;
	}
	call = g_new0(Call, 1);
	call->index = index;
	call->name = g_string_new(NULL);
	call->arguments = g_string_new(NULL);
	g_ptr_array_add(calls->calls, call);
	return call;
}

/* A name comes whole, whole again in each fragment, or (rarely) in pieces. */
static void take_name(Call *call, const char *name)
{
	if (!name || call->arguments->len || strcmp(call->name->str, name) == 0)
		return;
	g_string_append_len(call->name, name, strnlen(name, MAX_NAME - call->name->len));
}

static gboolean take_arguments(Call *call, const json_t *arguments, GError **error)
{
	g_autofree char *dumped = json_is_object(arguments) ? spk_json_dump(arguments)
							    : NULL;
	const char *text = dumped ? dumped : json_string_value(arguments);
	gsize len = dumped ? strlen(dumped) : json_string_length(arguments);

	if (!text)
		return TRUE;
	if (call->arguments->len + len > MAX_ARGUMENTS) {
		spk_error_set(error, SPK_ERR_LIMIT, NULL,
			      "the arguments of a tool call are longer than %d bytes",
			      MAX_ARGUMENTS);
		return FALSE;
	}
	g_string_append_len(call->arguments, text, len);
	return TRUE;
}

static gboolean add_fragment(SpkCalls *calls, const json_t *fragment, GError **error)
{
	const json_t *function = json_object_get(fragment, "function");
	const char *id = spk_json_str(fragment, "id");
	const char *name = spk_json_str(function, "name");
	gint64 index = spk_json_int(fragment, "index", -1);
	Call *call;

	if (!json_is_object(fragment)) {
		spk_error_set(error, SPK_ERR_PROVIDER_REPLY, NULL,
			      "a tool call is not an object");
		return FALSE;
	}
	if (id && !*id)
		id = NULL;
	call = find_call(calls, index, id, name);
	if (!call)
		call = add_call(calls, index, error);
	if (!call)
		return FALSE;
	if (id && !call->id)
		call->id = g_strndup(id, MAX_NAME);
	take_name(call, name);
	return take_arguments(call, json_object_get(function, "arguments"), error);
}

gboolean spk_calls_add(SpkCalls *calls, const json_t *fragments, GError **error)
{
	const json_t *fragment;
	gsize i;

	json_array_foreach(fragments, i, fragment)
		if (!add_fragment(calls, fragment, error))
			return FALSE;
	return TRUE;
}

static Call *call_of(const SpkCalls *calls, const char *const *keys)
{
	for (guint i = calls->calls->len; i > 0; i--) {
		Call *call = calls->calls->pdata[i - 1];

		for (gsize k = 0; call->keys && keys[k]; k++)
			if (g_strv_contains((const char *const *)call->keys, keys[k]))
				return call;
	}
	return NULL;
}

gboolean spk_calls_begin(SpkCalls *calls, const char *const *keys, const char *id,
			 const char *name, GError **error)
{
	Call *call = add_call(calls, -1, error);

	if (!call)
		return FALSE;
	call->keys = g_strdupv((GStrv)keys);
	if (id && *id)
		call->id = g_strndup(id, MAX_NAME);
	take_name(call, name);
	return TRUE;
}

gboolean spk_calls_has(const SpkCalls *calls, const char *const *keys)
{
	return call_of(calls, keys) != NULL;
}

gboolean spk_calls_more(SpkCalls *calls, const char *const *keys, const char *piece,
			GError **error)
{
	Call *call = call_of(calls, keys);
	g_autoptr(json_t) text = piece ? spk_json_text(piece) : NULL;

	if (call)
		return take_arguments(call, text, error);
	spk_error_set(error, SPK_ERR_PROVIDER_REPLY, NULL,
		      "arguments came for a tool call that never began");
	return FALSE;
}

gboolean spk_calls_whole(SpkCalls *calls, const char *const *keys,
			 const json_t *arguments, GError **error)
{
	Call *call = call_of(calls, keys);

	return !call || call->arguments->len || take_arguments(call, arguments, error);
}

guint spk_calls_count(const SpkCalls *calls)
{
	return calls->calls->len;
}

json_t *spk_calls_to_json(const SpkCalls *calls, guint turn, GError **error)
{
	g_autoptr(json_t) array = json_array();

	for (guint i = 0; i < calls->calls->len; i++) {
		const Call *call = calls->calls->pdata[i];
		json_t *object = json_object();

		json_array_append_new(array, object);
		if (!call->name->len) {
			spk_error_set(error, SPK_ERR_PROVIDER_REPLY, NULL,
				      "tool call %u of the answer has no name", i + 1);
			return NULL;
		}
		spk_json_set(object, "id",
			     call->id ? spk_json_text(call->id)
				      : json_sprintf("call_%u_%u", turn, i));
		spk_json_set(object, "name",
			     spk_json_text_n(call->name->str, call->name->len));
		spk_json_set(object, "arguments",
			     spk_json_text_n(call->arguments->str, call->arguments->len));
	}
	return g_steal_pointer(&array);
}
