/*
 * Speed of the store of memories: adding, the keyword leg, forgetting, and the first search of a
 * process. Texts are drawn from 20,000 words by Zipf's law; a question is some of the words of a
 * memory. usage: bench-memories [FOLDER [N...]]; one line of figures for each size.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "store/memories.h"

#define VOCABULARY 20000
#define DIMS	   384
#define BATCH	   500
#define ROUNDS	   300

static double cumulated[VOCABULARY];
static guint64 seed = 88172645463325252u;

static double chance(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double)(seed >> 11) / 9007199254740992.0;
}

static int draw(void)
{
	double at = chance() * cumulated[VOCABULARY - 1];
	int from = 0, to = VOCABULARY - 1;

	while (from < to) {
		int middle = (from + to) / 2;

		if (cumulated[middle] < at)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Words of letters, so that they are stemmed and folded as others are. */
static void append_word(GString *text, int n)
{
	g_string_append_c(text, ' ');
	for (int i = 0; i < 3 || n > 0; i++, n /= 20)
		g_string_append_c(text, "bcdfghjklmnpqrtvwxzo"[n % 20]);
}

static char *sentence(int words, int skip)
{
	GString *text = g_string_new(NULL);

	while (words-- > 0) {
		int word = draw();

		while (word < skip)
			word = draw();
		append_word(text, word);
	}
	return g_string_free(text, FALSE);
}

static void stop(const char *what, GError *error)
{
	fprintf(stderr, "%s: %s\n", what, error ? error->message : "?");
	exit(1);
}

static SpkMemoryRow *make(int n)
{
	SpkMemoryRow *row = g_new0(SpkMemoryRow, 1);

	row->id = g_strdup_printf("m%d", n);
	row->text = sentence(8 + (int)(chance() * 33), 0);
	row->kind = g_strdup(n % 4 ? "fact" : "preference");
	row->scope = g_strdup_printf("talk-%d", n % 10);
	row->source = g_strdup("batch");
	row->model = g_strdup("bench");
	row->confidence = 1;
	return row;
}

static void fill_vector(float *vector)
{
	for (int i = 0; i < DIMS; i++)
		vector[i] = (float)chance() - 0.5f;
}

static void fill(SpkStore *store, int from, int to)
{
	static float floats[BATCH][DIMS];
	SpkMemoryRow *rows[BATCH];
	const float *vectors[BATCH];
	GError *error = NULL;

	while (from < to) {
		int n = MIN(BATCH, to - from);

		for (int i = 0; i < n; i++) {
			rows[i] = make(from + i);
			vectors[i] = floats[i];
			fill_vector(floats[i]);
		}
		if (!spk_memories_put_many(store, rows, vectors, DIMS, (gsize)n, &error))
			stop("fill", error);
		for (int i = 0; i < n; i++)
			spk_memory_row_free(rows[i]);
		from += n;
	}
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void print(const char *what, double *ms, int n)
{
	qsort(ms, (gsize)n, sizeof(*ms), by_size);
	printf("  %s p50 %.3f p95 %.3f max %.2f ms\n", what, ms[n / 2], ms[n * 95 / 100],
	       ms[n - 1]);
	fflush(stdout);
}

static void time_puts(SpkStore *store, int from)
{
	double ms[ROUNDS];
	float vector[DIMS];

	for (int i = 0; i < ROUNDS; i++) {
		g_autoptr(SpkMemoryRow) row = make(from + i);
		GError *error = NULL;
		gint64 start;

		fill_vector(vector);
		start = spk_mono_us();
		if (!spk_memories_put(store, row, vector, DIMS, &error))
			stop("put", error);
		ms[i] = (double)(spk_mono_us() - start) / 1000;
	}
	print("add      ", ms, ROUNDS);
}

static void time_searches(SpkStore *store, const char *what, int words, int skip,
			  const SpkMemoryFilter *filter)
{
	double ms[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		g_autofree char *text = sentence(words, skip);
		GError *error = NULL;
		gint64 start = spk_mono_us();
		GArray *found =
			spk_memories_match(store, text, filter, 100, NULL, &error);

		if (!found)
			stop("match", error);
		ms[i] = (double)(spk_mono_us() - start) / 1000;
		g_array_unref(found);
	}
	print(what, ms, ROUNDS);
}

static void time_forgets(SpkStore *store, int from)
{
	double ms[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		g_autofree char *id = g_strdup_printf("m%d", from + i);
		GError *error = NULL;
		gint64 start = spk_mono_us();
		gboolean was;

		if (!spk_memories_forget(store, id, &was, &error) || !was)
			stop("forget", error);
		ms[i] = (double)(spk_mono_us() - start) / 1000;
	}
	print("forget   ", ms, ROUNDS);
}

static SpkStore *open_store(const char *path)
{
	GError *error = NULL;
	SpkStore *store = spk_store_open(path, "normal", 0, &error);

	if (!store)
		stop(path, error);
	return store;
}

static void time_first(const char *path)
{
	double ms[20];

	for (int i = 0; i < 20; i++) {
		g_autofree char *text = sentence(8, 50);
		gint64 start = spk_mono_us();
		SpkStore *store = open_store(path);

		g_array_unref(spk_memories_match(store, text, NULL, 100, NULL, NULL));
		ms[i] = (double)(spk_mono_us() - start) / 1000;
		spk_store_close(store);
	}
	print("open+find", ms, 20);
}

static void measure(const char *folder, int size)
{
	static const char *const scopes[] = { "talk-3", NULL };
	const SpkMemoryFilter one = { scopes, NULL };
	g_autofree char *path = g_strdup_printf("%s/store-%d.db", folder, size);
	SpkStore *store = open_store(path);
	gint64 start = spk_mono_us();
	GError *error = NULL;

	fill(store, 0, size);
	printf("%d memories: filled in %.0f ms\n", size,
	       (double)(spk_mono_us() - start) / 1000);
	time_puts(store, size);
	time_searches(store, "8 rarer  ", 8, 50, NULL);
	time_searches(store, "8 any    ", 8, 0, NULL);
	time_searches(store, "8 in one ", 8, 0, &one);
	time_searches(store, "60 any   ", 60, 0, NULL);
	time_forgets(store, 0);
	start = spk_mono_us();
	if (!spk_memories_rebuild_words(store, &error))
		stop("rebuild", error);
	printf("  rebuild   %.0f ms\n", (double)(spk_mono_us() - start) / 1000);
	spk_store_close(store);
	time_first(path);
}

int main(int argc, char **argv)
{
	g_autofree char *folder = argc > 1 ? g_strdup(argv[1])
					   : g_dir_make_tmp("spk-bench-XXXXXX", NULL);
	double sum = 0;

	for (int i = 0; i < VOCABULARY; i++)
		cumulated[i] = sum += 1.0 / (i + 10);
	for (int i = 2; i < argc; i++)
		measure(folder, atoi(argv[i]));
	if (argc <= 2) {
		measure(folder, 1000);
		measure(folder, 10000);
		measure(folder, 50000);
	}
	if (argc <= 1)
		(void)spk_fs_remove_tree(folder, NULL); /* the figures are out */
	return 0;
}
