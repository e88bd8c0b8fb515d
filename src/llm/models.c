#include "llm/models_priv.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

enum { MAX_ID = 256 };

/* How servers call the window. */
static gint64 window_of(const json_t *model)
{
	static const struct {
		const char *object, *key; /* object NULL: the model itself */
	} places[] = {
		{ NULL, "context_length" },   /* OpenRouter, Together */
		{ NULL, "max_model_len" },    /* vLLM */
		{ NULL, "context_window" },   /* Groq */
		{ NULL, "max_input_tokens" }, /* Anthropic */
		{ "meta", "n_ctx" },	      /* llama.cpp, newer; of one slot */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		const json_t *from = places[i].object
					     ? json_object_get(model, places[i].object)
					     : model;
		gint64 tokens = spk_json_int(from, places[i].key, 0);

		if (tokens > 0)
			return tokens;
	}
	return 0;
}

GPtrArray *spk_models_from_list(const json_t *list, guint max)
{
	GPtrArray *models =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_model_entry_free);
	const json_t *data = json_object_get(list, "data"), *model;
	gsize i;

	if (!json_is_array(data))
		data = json_object_get(list, "models");
	json_array_foreach(data, i, model) {
		const char *id = spk_json_str(model, "id");
		SpkModelEntry *entry;

		if (!id)
			id = spk_json_str(model, "name");
		if (!id || !*id || models->len >= max)
			continue;
		entry = g_new0(SpkModelEntry, 1);
		entry->id = spk_text_clean(
			id, spk_text_prefix_len(id, strlen(id), MAX_ID), SPK_CLEAN_LINE);
		entry->context_window = window_of(model);
		g_ptr_array_add(models, entry);
	}
	return models;
}
