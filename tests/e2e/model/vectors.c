/*
 * Texts from stdin, each ended by a NUL, through the embedder of a configuration.
 *
 * usage: vectors query|passage NAME=VALUE...
 * First line: what the embedder says of itself, as JSON. Then its floats of 32 bits, as this
 * machine has them. Exit code of the error, which goes to stderr with its hint.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "memory/embedder.h"

static GPtrArray *read_texts(void)
{
	GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
	char *text = NULL;
	size_t room = 0;

	while (getdelim(&text, &room, '\0', stdin) > 0)
		g_ptr_array_add(texts, g_strdup(text));
	free(text);
	return texts;
}

static int fail(const GError *error)
{
	const char *hint = spk_error_hint(error);

	fprintf(stderr, "vectors: %s\n  %s\n", error->message, hint ? hint : "");
	return spk_err_info(spk_error_code(error))->exit_code;
}

static int embed(SpkEmbedder *embedder, SpkEmbedUse use)
{
	g_autoptr(GPtrArray) texts = read_texts();
	guint dims = spk_embedder_dims(embedder);
	g_autofree float *vectors = g_new(float, (gsize)texts->len *dims + 1);
	g_autoptr(json_t) words = spk_embedder_describe(embedder);
	g_autofree char *line = spk_json_dump(words);
	g_autoptr(GError) error = NULL;

	if (!spk_embedder_embed(embedder, (const char *const *)texts->pdata, texts->len,
				use, vectors, NULL, &error))
		return fail(error);
	puts(line);
	return fwrite(vectors, dims * sizeof(float), texts->len, stdout) != texts->len ||
	       fflush(stdout) != 0;
}

int main(int argc, char **argv)
{
	SpkConfSource source = { .overrides = (const char *const *)argv + 2 };
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(SpkEmbedder) embedder = NULL;
	g_autoptr(GError) error = NULL;

	if (argc < 2)
		return 2;
	conf = spk_conf_load(&source, &error);
	if (conf)
		embedder = spk_embedder_open(conf, NULL, &error);
	if (!embedder)
		return fail(error);
	return embed(embedder,
		     g_str_equal(argv[1], "query") ? SPK_EMBED_QUERY : SPK_EMBED_PASSAGE);
}
