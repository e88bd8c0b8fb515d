/*
 * The vector index: how long things take, and how many of the ten nearest it finds.
 *
 * usage: bench-index make FILE COUNT QUERIES      vectors as texts have them: in groups
 *        bench-index all FILE COUNT QUERIES SAVE  everything over such a file (floats, 384 each,
 *                                                 COUNT vectors, then QUERIES more to ask with)
 *        bench-index open SAVE FILE               a saved index, from opening it to an answer
 *
 * Each line is a name and numbers: microseconds, median, 95th percentile, median of processor time;
 * the share of the ten nearest that were found.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memory/index.h"

#define DIMS 384
#define K    10

static const SpkIndexStamp stamp = { "bench", (char *)"bench", 1 };

static SpkIndexOptions options_of(gboolean hnsw, guint ef)
{
	return (SpkIndexOptions){ DIMS, hnsw, 64, 16, 200, ef };
}

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

typedef struct {
	guint n, round;
	double *wall, *cpu;
	double wall_start, cpu_start;
} Took;

static Took *took_new(guint n)
{
	Took *took = g_new0(Took, 1);

	took->n = n;
	took->wall = g_new(double, n);
	took->cpu = g_new(double, n);
	return took;
}

static void start(Took *took)
{
	took->wall_start = now_us();
	took->cpu_start = cpu_us();
}

static void stop(Took *took)
{
	took->cpu[took->round] = cpu_us() - took->cpu_start;
	took->wall[took->round++] = now_us() - took->wall_start;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void took_free(Took *took)
{
	g_free(took->wall);
	g_free(took->cpu);
	g_free(took);
}

static void take_told(const char *name, Took *took, double extra)
{
	guint n = took->n;

	qsort(took->wall, n, sizeof(double), by_size);
	qsort(took->cpu, n, sizeof(double), by_size);
	printf("%s %.1f %.1f %.1f %.4f\n", name, took->wall[n / 2],
	       took->wall[n * 95 / 100], took->cpu[n / 2], extra);
	fflush(stdout);
	took_free(took);
}

/* ---- vectors ---- */

static double gauss(GRand *rand)
{
	double u = g_rand_double_range(rand, 1e-12, 1);

	return sqrt(-2 * log(u)) * cos(2 * G_PI * g_rand_double(rand));
}

static void add_scaled(float *to, const float *from, double by)
{
	for (guint d = 0; d < DIMS; d++)
		to[d] += (float)by * from[d];
}

/* Subjects, each with things said about it, each with wordings. */
static int make(const char *path, guint n)
{
	enum { SUBJECTS = 200, THINGS = 4000 };
	g_autoptr(GRand) rand = g_rand_new_with_seed(20261126);
	g_autofree float *subjects = g_new(float, SUBJECTS *DIMS);
	g_autofree float *things = g_new(float, THINGS *DIMS);
	FILE *file = fopen(path, "w");
	float one[DIMS], noise[DIMS];

	for (guint i = 0; i < SUBJECTS * DIMS; i++)
		subjects[i] = (float)gauss(rand);
	for (guint i = 0; i < THINGS * DIMS; i++)
		things[i] = (float)gauss(rand);
	for (guint i = 0; file && i < n; i++) {
		guint thing = (guint)g_rand_int_range(rand, 0, THINGS);

		memset(one, 0, sizeof(one));
		for (guint d = 0; d < DIMS; d++)
			noise[d] = (float)gauss(rand);
		add_scaled(one, subjects + thing % SUBJECTS * DIMS, 0.6);
		add_scaled(one, things + thing * DIMS, 0.6);
		add_scaled(one, noise, 0.55);
		(void)fwrite(one, sizeof(one), 1, file); /* fclose tells */
	}
	return file && fclose(file) == 0 ? 0 : 1;
}

static float *read_vectors(const char *path, gsize n)
{
	float *all = g_new(float, n *DIMS);
	FILE *file = fopen(path, "r");

	if (!file || fread(all, sizeof(float) * DIMS, n, file) != n) {
		fprintf(stderr, "%s: no %zu vectors\n", path, n);
		exit(1);
	}
	fclose(file);
	for (gsize i = 0; i < n; i++) {
		double sum = 0;

		for (guint d = 0; d < DIMS; d++)
			sum += (double)all[i * DIMS + d] * all[i * DIMS + d];
		for (guint d = 0; d < DIMS; d++)
			all[i * DIMS + d] /= (float)sqrt(sum);
	}
	return all;
}

/* ---- what is right ---- */

typedef struct {
	const float *vectors, *queries;
	guint n, n_queries;
	guint share; /* of a thousand: those that pass the filter */
} Data;

static gboolean passes(gint64 num, gpointer user)
{
	return num * 7919 % 1000 < (gint64)((const Data *)user)->share;
}

static float dot(const float *a, const float *b)
{
	float sum = 0;

	for (guint d = 0; d < DIMS; d++)
		sum += a[d] * b[d];
	return sum;
}

/* The score of the tenth, by floats. */
static float tenth(const Data *data, const float *query)
{
	float best[K + 1];
	guint n = 0;

	for (guint i = 0; i < data->n; i++) {
		float sum;
		guint at;

		if (!passes(i + 1, (gpointer)data))
			continue;
		sum = dot(data->vectors + (gsize)i * DIMS, query);
		for (at = n; at && best[at - 1] < sum; at--)
			best[at] = best[at - 1];
		best[at] = sum;
		n = MIN(n + 1, K);
	}
	return n ? best[n - 1] : 0;
}

static float *tenths(const Data *data, guint n)
{
	float *all = g_new(float, n);

	for (guint q = 0; q < n; q++)
		all[q] = tenth(data, data->queries + (gsize)q * DIMS);
	return all;
}

/* ---- measuring ---- */

static void search(SpkIndex *index, const Data *data, guint n, const float *right,
		   const char *name)
{
	Took *took = took_new(n);
	double found = 0, wanted = 0;
	SpkNear near[K];

	for (guint q = 0; q < n; q++) {
		const float *query = data->queries + (gsize)q * DIMS;
		gsize got;

		start(took);
		got = spk_index_search(index, query, K,
				       data->share < 1000 ? passes : NULL, (gpointer)data,
				       near);
		stop(took);
		for (gsize i = 0; i < got; i++)
			found += dot(data->vectors + (near[i].num - 1) * DIMS, query) >=
				 right[q];
		wanted += K;
	}
	take_told(name, took, found / wanted);
}

static SpkIndex *fill(const Data *data)
{
	SpkIndexOptions options = options_of(TRUE, 128);
	SpkIndex *index = spk_index_new(&options);
	Took *took = took_new(data->n), *whole = took_new(1);
	struct timespec cpu;
	double before;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	before = (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9;
	start(whole);
	for (guint i = 0; i < data->n; i++) {
		start(took);
		(void)spk_index_put(index, i + 1, data->vectors + (gsize)i * DIMS, NULL);
		stop(took);
	}
	take_told("put_while_linking", took, 0);
	spk_index_settle(index);
	stop(whole);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	printf("link_all_seconds %.1f %.1f\n", whole->wall[0] / 1e6,
	       (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9 - before);
	took_free(whole);
	return index;
}

static void after_write(SpkIndex *index, const Data *data)
{
	enum { ROUNDS = 300 };
	Took *puts = took_new(ROUNDS), *finds = took_new(ROUNDS);
	SpkNear near[K];

	for (guint i = 0; i < ROUNDS; i++) {
		const float *vector = data->queries + (gsize)(i % data->n_queries) * DIMS;

		start(puts);
		(void)spk_index_put(index, (gint64)data->n + 1 + i, vector, NULL);
		stop(puts);
		start(finds);
		(void)spk_index_search(index, vector, K, NULL, NULL, near);
		stop(finds);
	}
	take_told("put", puts, 0);
	take_told("search_after_put", finds, 0);
}

static void filtered(SpkIndex *graph, SpkIndex *exact, Data data)
{
	static const guint shares[] = { 500, 200, 100, 50, 20, 10, 2 };

	for (guint i = 0; i < G_N_ELEMENTS(shares); i++) {
		g_autofree char *a = g_strdup_printf("filter_%u", shares[i]);
		g_autofree char *b = g_strdup_printf("filter_exact_%u", shares[i]);
		g_autofree float *right = NULL;

		data.share = shares[i];
		right = tenths(&data, MIN(data.n_queries, 100));
		search(graph, &data, MIN(data.n_queries, 100), right, a);
		search(exact, &data, MIN(data.n_queries, 100), right, b);
	}
}

static SpkIndex *again(const char *save, gboolean hnsw, guint ef)
{
	SpkIndexOptions options = options_of(hnsw, ef);
	gint64 change;
	g_autoptr(GError) error = NULL;
	SpkIndex *index = spk_index_load(save, &options, &stamp, &change, &error);

	if (!index) {
		fprintf(stderr, "%s\n", error->message);
		exit(1);
	}
	return index;
}

static int all(const char *path, const char *save, guint n, guint n_queries)
{
	g_autofree float *vectors = read_vectors(path, n + n_queries);
	Data data = { vectors, vectors + (gsize)n * DIMS, n, n_queries, 1000 };
	g_autofree float *right = tenths(&data, n_queries);
	static const guint widths[] = { 32, 48, 64, 96, 128, 192, 256 };
	g_autoptr(SpkIndex) index = fill(&data), exact = NULL;
	g_autoptr(GError) error = NULL;
	double begin = now_us();
	SpkIndexStats stats;

	if (!spk_index_save(index, save, &stamp, &error)) {
		fprintf(stderr, "%s\n", error->message);
		return 1;
	}
	printf("save_ms %.1f\n", (now_us() - begin) / 1e3);
	spk_index_stats(index, &stats);
	printf("bytes %zu\n", stats.bytes);
	exact = again(save, FALSE, 64);
	search(exact, &data, n_queries, right, "exact");
	for (guint i = 0; i < G_N_ELEMENTS(widths); i++) {
		g_autoptr(SpkIndex) other = again(save, TRUE, widths[i]);
		g_autofree char *name = g_strdup_printf("ef_%u", widths[i]);

		search(other, &data, n_queries, right, name);
	}
	filtered(index, exact, data);
	after_write(index, &data);
	return 0;
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

static int open_one(const char *save, const char *path)
{
	g_autofree float *query = read_vectors(path, 1);
	guint64 before = resident_kib();
	double wall = now_us(), cpu = cpu_us();
	g_autoptr(SpkIndex) index = again(save, TRUE, 128);
	SpkNear near[K];

	(void)spk_index_search(index, query, K, NULL, NULL, near);
	printf("first_answer_ms %.1f %.1f\nresident_mib %.1f\n", (now_us() - wall) / 1e3,
	       (cpu_us() - cpu) / 1e3, (double)(resident_kib() - before) / 1024);
	return 0;
}

int main(int argc, char **argv)
{
	guint n = argc > 3 ? (guint)strtoul(argv[3], NULL, 10) : 0;
	guint n_queries = argc > 4 ? (guint)strtoul(argv[4], NULL, 10) : 0;

	if (argc == 5 && strcmp(argv[1], "make") == 0)
		return make(argv[2], n + n_queries);
	if (argc == 6 && strcmp(argv[1], "all") == 0)
		return all(argv[2], argv[5], n, n_queries);
	if (argc == 4 && strcmp(argv[1], "open") == 0)
		return open_one(argv[2], argv[3]);
	fprintf(stderr, "usage: see bench/bench_index.c\n");
	return 2;
}
