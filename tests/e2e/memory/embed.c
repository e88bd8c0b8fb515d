/*
 * Texts from stdin, each ended by a NUL, through the tokenizer or the engine.
 *
 * usage: embed FOLDER tokens MAX                             for each: number of tokens, tokens
 *        embed FOLDER vectors f32|int8 KERNELS|- CACHE|-     for each: floats
 *        embed FOLDER digest
 * All numbers are of 32 bits, as this machine has them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory/bert.h"
#include "memory/wordpiece.h"

static const char *or_none(const char *word)
{
	return strcmp(word, "-") ? word : NULL;
}

static int tokens(const char *folder, gsize max)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkWordpiece) words = spk_wordpiece_open(folder, &error);
	g_autofree guint32 *ids = g_new(guint32, max + 1);
	char *text = NULL;
	size_t room = 0;

	if (!words) {
		fprintf(stderr, "embed: %s\n", error->message);
		return 1;
	}
	for (ssize_t n; (n = getdelim(&text, &room, '\0', stdin)) > 0;) {
		gsize k = spk_wordpiece_encode(words, text, (gsize)n - 1, ids + 1, max);

		ids[0] = (guint32)k;
		fwrite(ids, sizeof(*ids), k + 1, stdout);
	}
	free(text);
	return 0;
}

static SpkBert *open_engine(const char *folder, const SpkBertOptions *options)
{
	g_auto(SpkModelDir) model = { 0 };
	g_autoptr(GError) error = NULL;
	SpkBert *bert = NULL;

	if (spk_model_dir_read(&model, folder, &error))
		bert = spk_bert_open(&model, options, &error);
	if (!bert)
		fprintf(stderr, "embed: %s\n", error->message);
	return bert;
}

static int vectors(const char *folder, const SpkBertOptions *options)
{
	g_autoptr(SpkBert) bert = open_engine(folder, options);
	g_autofree float *ret = bert ? g_new(float, spk_bert_dims(bert)) : NULL;
	char *text = NULL;
	size_t room = 0;

	if (!bert)
		return 1;
	for (ssize_t n; (n = getdelim(&text, &room, '\0', stdin)) > 0;) {
		if (!spk_bert_embed(bert, NULL, text, (gsize)n - 1, ret, NULL))
			return 1;
		fwrite(ret, sizeof(*ret), spk_bert_dims(bert), stdout);
	}
	free(text);
	return 0;
}

static int digest(const char *folder)
{
	const SpkBertOptions options = { 0 };
	g_autoptr(SpkBert) bert = open_engine(folder, &options);

	if (bert)
		printf("%s\n", spk_bert_digest(bert));
	return !bert;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[2], "tokens"))
		return tokens(argv[1], g_ascii_strtoull(argv[3], NULL, 10));
	if (argc == 3 && !strcmp(argv[2], "digest"))
		return digest(argv[1]);
	if (argc == 6 && !strcmp(argv[2], "vectors")) {
		const SpkBertOptions options = { .int8 = !strcmp(argv[3], "int8"),
						 .kernels = or_none(argv[4]),
						 .cache = or_none(argv[5]) };

		return vectors(argv[1], &options);
	}
	fprintf(stderr, "embed: see the comment in embed.c\n");
	return 2;
}
