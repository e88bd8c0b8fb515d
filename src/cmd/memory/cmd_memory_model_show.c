/* `sparks memory model show`: which model is in force, and what it can. */
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/memory/model_all.h"
#include "cmd/session.h"
#include "cmd/ui.h"
#include "memory/embedder.h"

/* The lines for people, in this order; a row whose value is null is left out. */
static const struct {
	const char *key, *title;
} rows[] = {
	{ "model", "model" },
	{ "provider", "provider" },
	{ "folder", "folder" },
	{ "url", "server" },
	{ "engine", "computed by" },
	{ "isa", "instructions" },
	{ "precision", "weights" },
	{ "dims", "dimensions" },
	{ "pooling", "pooling" },
	{ "max_tokens", "reads at most" },
	{ "query_prefix", "before a search" },
	{ "passage_prefix", "before a memory" },
	{ "bytes", "size" },
	{ "load_ms", "loaded in" },
	{ "fingerprint", "fingerprint" },
};

static char *value_text(const char *key, const json_t *value)
{
	g_autofree char *text = NULL;

	if (!g_strcmp0(key, "bytes"))
		return spk_text_bytes((guint64)json_integer_value(value));
	if (!g_strcmp0(key, "load_ms"))
		return g_strdup_printf("%.1f ms", json_real_value(value));
	if (!g_strcmp0(key, "max_tokens"))
		return spk_ui_count(json_integer_value(value), "token");
	if (json_is_integer(value))
		return g_strdup_printf("%" JSON_INTEGER_FORMAT,
				       json_integer_value(value));
	text = g_strdup(json_string_value(value));
	return g_str_has_suffix(key, "_prefix") ? g_strdup_printf("\"%s\"", text)
						: g_steal_pointer(&text);
}

static void print_rows(const json_t *all)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const json_t *value = json_object_get(all, rows[i].key);
		g_autofree char *text = NULL, *line = NULL;

		if (!value || json_is_null(value) ||
		    (json_is_string(value) && !json_string_length(value)))
			continue;
		text = value_text(rows[i].key, value);
		line = spk_ui_line(text, 4096);
		printf("%-16s %s\n", rows[i].title, line);
	}
}

static int run(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	g_autoptr(SpkEmbedder) embedder = NULL;
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(json_t) all = NULL;
	GError *error = NULL;
	gint64 start_us;
	int code;

	conf = spk_cmd_conf(args, json, &code);
	if (!conf)
		return code;
	start_us = spk_mono_us();
	embedder = spk_embedder_open(conf, NULL, &error);
	if (!embedder)
		return spk_cmd_fail(error, json);
	all = spk_embedder_describe(embedder);
	spk_json_set(all, "load_ms", json_real((spk_mono_us() - start_us) / 1e3));
	if (json)
		spk_cmd_print_json(all);
	else
		print_rows(all);
	return 0;
}

const SpkCmd spk_memory_model_cmd_show = {
	.name = "show",
	.usage = "",
	.summary = "Show the model in force: dimensions, pooling, fingerprint, engine.",
	.details =
		"--json: {\"provider\", \"model\", \"engine\", \"isa\", \"dims\", \"pooling\", "
		"\"max_tokens\", \"precision\", \"query_prefix\", \"passage_prefix\", "
		"\"folder\", \"url\", \"bytes\", \"fingerprint\", \"load_ms\"}; what doesn't "
		"apply is null. Vectors of two fingerprints are never compared.",
	.example = "sparks memory model show --json",
	.options = spk_only_json,
	.run = run,
};
