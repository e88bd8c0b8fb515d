/*
 * All of memory over a store, with the vectors given: adding, searching by words and vectors, a
 * search right after a write, and opening a store. Texts are drawn from 20,000 words by Zipf's
 * law, vectors are read from a file.
 *
 * usage: bench-memory fill HOME VECTORS COUNT [MORE…]   grows to each count, measured at each
 *        bench-memory open HOME VECTORS                 from opening it to the first answer
 *
 * Each line is a name and numbers; times in microseconds, median, 95th percentile, median of
 * processor time.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/conf.h"
#include "memory/memory.h"
#include "store/store.h"

enum { DIMS = 384, WORDS = 20000, ROUNDS = 200, BATCH = 500 };

static double cumulated[WORDS];
static GRand *chance;
static FILE *vectors;

static double now_us(void)
{
	return (double)g_get_monotonic_time();
}

/* Of this thread: what it takes where nobody else wants the processor. */
static double cpu_us(void)
{
	struct timespec at;

	return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at) == 0
		       ? (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3
		       : 0;
}

/* Of many rounds. */
typedef struct {
	double wall[ROUNDS], cpu[ROUNDS];
	double wall_start, cpu_start;
} Took;

static void start(Took *took)
{
	took->wall_start = now_us();
	took->cpu_start = cpu_us();
}

static void stop(Took *took, guint round)
{
	took->cpu[round] = cpu_us() - took->cpu_start;
	took->wall[round] = now_us() - took->wall_start;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void told(const char *name, guint at, Took *took)
{
	qsort(took->wall, ROUNDS, sizeof(double), by_size);
	qsort(took->cpu, ROUNDS, sizeof(double), by_size);
	printf("%s_%u %.1f %.1f %.1f\n", name, at, took->wall[ROUNDS / 2],
	       took->wall[ROUNDS * 95 / 100], took->cpu[ROUNDS / 2]);
	fflush(stdout);
}

static void fail(const char *what, const GError *error)
{
	fprintf(stderr, "%s: %s\n", what, error ? error->message : "?");
	exit(1);
}

static void draw_word(GString *text)
{
	double at = g_rand_double_range(chance, 0, cumulated[WORDS - 1]);
	int from = 0, to = WORDS - 1;

	while (from < to) {
		int middle = (from + to) / 2;

		if (cumulated[middle] < at)
			from = middle + 1;
		else
			to = middle;
	}
	for (int i = 0; i < 3 || from > 0; i++, from /= 20)
		g_string_append_c(text, "bcdfghjklmnpqrtvwxzo"[from % 20]);
	g_string_append_c(text, ' ');
}

static char *sentence(gint words)
{
	GString *text = g_string_new(NULL);

	while (words-- > 0)
		draw_word(text);
	return g_string_free(text, FALSE);
}

/* The file from its beginning again when it has ended, turned a little. */
static void next_vector(float *ret)
{
	static guint round;

	while (fread(ret, sizeof(float), DIMS, vectors) != DIMS) {
		rewind(vectors);
		round++;
	}
	for (guint d = 0; round && d < DIMS; d++)
		ret[d] += (float)g_rand_double_range(chance, -0.03, 0.03);
}

static SpkMemory *open_memory(const char *home, SpkStore **ret_store, SpkConf **ret_conf)
{
	static const char *const words[] = { "memory.max_entries=0",
					     "embedding.enabled=false",
					     "memory.retrieval_cache_capacity=0", NULL };
	SpkConfSource source = { .overrides = words };
	g_autofree char *path = g_build_filename(home, "store.db", NULL);
	g_autoptr(GError) error = NULL;
	SpkMemory *memory = NULL;

	*ret_conf = spk_conf_load(&source, &error);
	*ret_store = *ret_conf ? spk_store_open(path, "normal", 0, &error) : NULL;
	if (*ret_store)
		memory = spk_memory_open(*ret_store, *ret_conf, home, &error);
	if (!memory)
		fail(path, error);
	return memory;
}

static void close_memory(SpkMemory *memory, SpkStore *store, SpkConf *conf)
{
	spk_memory_close(memory);
	spk_store_close(store);
	spk_conf_unref(conf);
}

static void add_some(SpkMemory *memory, guint from, guint n)
{
	static float floats[BATCH][DIMS];
	SpkMemoryNew adds[BATCH] = { 0 };
	SpkMemoryAdded added[BATCH] = { 0 };
	GError *errors[BATCH] = { 0 };

	for (guint i = 0; i < n; i++) {
		next_vector(floats[i]);
		adds[i] = (SpkMemoryNew){
			.text = sentence(g_rand_int_range(chance, 8, 40)),
			.scope = g_strdup_printf("talk-%u", (from + i) % 10),
			.embedding = floats[i],
			.dims = DIMS,
		};
	}
	spk_memory_add_many(memory, adds, n, added, errors);
	for (guint i = 0; i < n; i++) {
		if (errors[i])
			fail("add", errors[i]);
		spk_memory_added_clear(&added[i]);
		g_free((char *)adds[i].text);
		g_free((char *)adds[i].scope);
	}
}

static void add_one(SpkMemory *memory, const float *vector, Took *took, guint round)
{
	g_autofree char *text = sentence(20);
	SpkMemoryNew add = {
		.text = text, .scope = "talk-3", .embedding = vector, .dims = DIMS
	};
	g_auto(SpkMemoryAdded) added = { 0 };
	GError *error = NULL;

	start(took);
	if (!spk_memory_add(memory, &add, &added, &error))
		fail("add", error);
	stop(took, round);
}

static void search_one(SpkMemory *memory, const float *vector, const char *scope,
		       Took *took, guint round)
{
	const char *scopes[] = { scope, NULL };
	g_autofree char *text = sentence(8);
	SpkMemoryQuery query = { .text = text,
				 .scopes = scope ? scopes : NULL,
				 .embedding = vector,
				 .dims = DIMS };
	GError *error = NULL;
	GPtrArray *hits;

	start(took);
	hits = spk_memory_search(memory, &query, &error);
	stop(took, round);
	if (!hits)
		fail("search", error);
	g_ptr_array_unref(hits);
}

static void measure(SpkMemory *memory, guint at)
{
	g_autofree Took *took = g_new0(Took, 1), *after = g_new0(Took, 1);
	float vector[DIMS];

	for (guint i = 0; i < ROUNDS; i++) {
		next_vector(vector);
		search_one(memory, vector, NULL, took, i);
	}
	told("hybrid", at, took);
	for (guint i = 0; i < ROUNDS; i++) {
		next_vector(vector);
		search_one(memory, vector, "talk-3", took, i);
	}
	told("hybrid_scope", at, took);
	for (guint i = 0; i < ROUNDS; i++) {
		next_vector(vector);
		add_one(memory, vector, took, i);
		search_one(memory, vector, NULL, after, i);
	}
	told("add", at, took);
	told("search_after_add", at, after);
}

static guint64 resident_kib(void)
{
	g_autofree char *text = NULL;
	char *at;

	(void)g_file_get_contents("/proc/self/status", &text, NULL,
				  NULL); /* NULL tells */
	at = text ? strstr(text, "VmRSS:") : NULL;
	return at ? g_ascii_strtoull(at + 6, NULL, 10) : 0;
}

static int fill(const char *home, char **counts)
{
	SpkStore *store;
	SpkConf *conf;
	SpkMemory *memory = open_memory(home, &store, &conf);
	guint n = 0;

	for (; *counts; counts++) {
		guint to = (guint)strtoul(*counts, NULL, 10), from = n;
		double begin = now_us();

		for (; n < to; n += MIN(BATCH, to - n))
			add_some(memory, n, MIN(BATCH, to - n));
		if (to > from)
			printf("add_many_%u %.1f\n", to,
			       (now_us() - begin) / (to - from));
		measure(memory, to);
		n += ROUNDS;
	}
	close_memory(memory, store, conf);
	return 0;
}

static int open_one(const char *home)
{
	g_autofree Took *took = g_new0(Took, 1);
	float vector[DIMS];
	SpkStore *store;
	SpkConf *conf;
	SpkMemory *memory;

	next_vector(vector);
	start(took);
	memory = open_memory(home, &store, &conf);
	{
		Took *first = g_new0(Took, 1);

		search_one(memory, vector, NULL, first, 0);
		g_free(first);
	}
	stop(took, 0);
	printf("first_answer_ms %.1f %.1f\n", took->wall[0] / 1e3, took->cpu[0] / 1e3);
	for (guint i = 0; i < ROUNDS; i++) {
		next_vector(vector);
		search_one(memory, vector, NULL, took, i);
	}
	told("hybrid", 0, took);
	printf("resident_mib %.1f\n", (double)resident_kib() / 1024);
	close_memory(memory, store, conf);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 4 || !(vectors = fopen(argv[3], "r"))) {
		fprintf(stderr, "usage: see bench/bench_memory.c\n");
		return 2;
	}
	chance = g_rand_new_with_seed(20261126);
	for (int i = 0; i < WORDS; i++)
		cumulated[i] = (i ? cumulated[i - 1] : 0) + 1.0 / (i + 1);
	if (strcmp(argv[1], "fill") == 0)
		return fill(argv[2], argv + 4);
	if (strcmp(argv[1], "open") == 0)
		return open_one(argv[2]);
	return 2;
}
