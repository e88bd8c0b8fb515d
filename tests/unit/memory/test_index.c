/* The vector index: what it finds, by all ways of looking, and what writing does meanwhile. */
#include "test_memory.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "memory/index.h"
#include "memory/index/index_priv.h"
#include "test_index.h"

SpkIndex *index_new(guint dims, gboolean hnsw)
{
	SpkIndexOptions options = { dims, hnsw, 64, 8, 60, 40 };

	return spk_index_new(&options);
}

/* Vectors in groups, as texts have them. */
float *vectors_new(guint n, guint dims, guint seed)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
	g_autofree float *groups = g_new(float, 20 * dims);
	float *all = g_new(float, n *dims);

	for (guint i = 0; i < 20 * dims; i++)
		groups[i] = (float)g_rand_double_range(rand, -1, 1);
	for (guint i = 0; i < n * dims; i++)
		all[i] = groups[i / dims % 20 * dims + i % dims] +
			 (float)g_rand_double_range(rand, -1, 1);
	return all;
}

void put_all(SpkIndex *index, const float *vectors, guint n, guint dims)
{
	for (guint i = 0; i < n; i++)
		assert_true(spk_index_put(index, i + 1, vectors + i * dims, NULL));
}

static double cosine(const float *a, const float *b, guint dims)
{
	double ab = 0, aa = 0, bb = 0;

	for (guint d = 0; d < dims; d++) {
		ab += (double)a[d] * b[d];
		aa += (double)a[d] * a[d];
		bb += (double)b[d] * b[d];
	}
	return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

/* ---- kernels ---- */

static void test_kernels(void **state)
{
	static const char *const names[] = { "avx2", "avx512" };
	const ScanKernels *plain = scan_kernels("portable");
	g_autoptr(GRand) rand = g_rand_new_with_seed(1);
	g_autofree guint8 *rows = g_malloc(7 * 320);
	gint8 query[320], low[320];
	float unit[320];

	assert_non_null(plain);
	assert_null(scan_kernels("abacus"));
	for (guint i = 0; i < 7 * 320; i++) /* the largest there are in the first */
		rows[i] = i < 320 ? 255 : (guint8)g_rand_int_range(rand, 1, 256);
	for (guint i = 0; i < 320; i++) {
		query[i] = (gint8)(i < 200 ? -127 : g_rand_int_range(rand, -127, 128));
		low[i] = (gint8)g_rand_int_range(rand, -128, 128);
		unit[i] = (float)g_rand_double_range(rand, -1, 1);
	}
	for (guint k = 0; k < G_N_ELEMENTS(names); k++) {
		const ScanKernels *kernels = scan_kernels(names[k]);

		for (gsize width = 64; kernels && width <= 320; width += 64) {
			gint32 want[7], got[7];

			plain->rows(rows, width, 7, query, want);
			kernels->rows(rows, width, 7, query, got);
			assert_memory_equal(want, got, sizeof(want));
			assert_int_equal(plain->pair(rows + width, rows, width),
					 kernels->pair(rows + width, rows, width));
		}
		for (gsize n = 1; kernels && n <= 320; n += 11)
			assert_float_equal(plain->fine(rows, low, unit, n),
					   kernels->fine(rows, low, unit, n), 0.5);
	}
}

/* ---- what is found ---- */

static void test_small(void **state)
{
	static const float vectors[][3] = {
		{ 1, 0, 0 },  { 0, 2, 0 }, { 1, 1, 0 },
		{ -3, 0, 0 }, { 0, 0, 0 }, { 5, 0, 0 },
	};
	g_autoptr(SpkIndex) index = index_new(3, TRUE);
	static const float query[] = { 0.1f, 0, 0 };
	SpkNear near[10];
	float back[3];

	assert_int_equal(spk_index_search(index, query, 10, NULL, NULL, near), 0);
	put_all(index, vectors[0], 6, 3);
	assert_int_equal(spk_index_search(index, query, 0, NULL, NULL, near), 0);
	assert_int_equal(spk_index_search(index, query, 10, NULL, NULL, near), 6);
	assert_int_equal(near[0].num, 1); /* as near as 6, and before it */
	assert_int_equal(near[1].num, 6);
	assert_int_equal(near[2].num, 3);
	assert_float_equal(near[2].score, 0.70711, 1e-4);
	assert_int_equal(near[3].num, 2); /* 2 and the one of zeros: like nothing */
	assert_int_equal(near[4].num, 5);
	assert_float_equal(near[4].score, 0, 1e-6);
	assert_int_equal(near[5].num, 4);
	assert_float_equal(near[5].score, -1, 1e-5);
	assert_int_equal(spk_index_search(index, vectors[4], 10, NULL, NULL, near), 6);
	assert_true(spk_index_get(index, 2, back) && back[1] == 1 && back[0] == 0);
	assert_false(spk_index_get(index, 7, back));
	assert_true(spk_index_has(index, 6) && !spk_index_has(index, 7));
}

static void test_replace_and_drop(void **state)
{
	static const float a[] = { 1, 0 }, b[] = { 0, 1 };
	g_autoptr(SpkIndex) index = index_new(2, TRUE);
	SpkIndexStats stats;
	SpkNear near[4];

	assert_true(spk_index_put(index, 1, a, NULL));
	assert_true(spk_index_put(index, 2, b, NULL));
	assert_true(spk_index_put(index, 1, b, NULL));
	assert_true(spk_index_put(index, 1, b, NULL)); /* the same again: nothing to do */
	spk_index_stats(index, &stats);
	assert_int_equal(stats.live, 2);
	assert_int_equal(stats.writes, 3);
	assert_int_equal(spk_index_search(index, a, 4, NULL, NULL, near), 2);
	assert_float_equal(near[0].score, 0, 1e-6);
	spk_index_drop(index, 1);
	spk_index_drop(index, 1);
	spk_index_drop(index, 99);
	assert_int_equal(spk_index_search(index, b, 4, NULL, NULL, near), 1);
	assert_int_equal(near[0].num, 2);
	spk_index_drop(index, 2);
	assert_int_equal(spk_index_search(index, b, 4, NULL, NULL, near), 0);
}

static void test_refused(void **state)
{
	static const float wrong[][2] = { { NAN, 1 }, { 1, INFINITY }, { -INFINITY, 0 } };
	static const float fine[] = { 3e38f,
				      3e38f }; /* the square is no float any more */
	g_autoptr(SpkIndex) index = index_new(2, TRUE);
	SpkNear near[1];

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;

		assert_false(spk_index_put(index, 1, wrong[i], &error));
		assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
	}
	assert_false(spk_index_put(index, 0, fine, NULL));
	assert_false(spk_index_put(index, -1, fine, NULL));
	assert_true(spk_index_put(index, G_MAXINT64, fine, NULL));
	assert_int_equal(spk_index_search(index, wrong[0], 1, NULL, NULL, near), 0);
	assert_int_equal(spk_index_search(index, fine, 1, NULL, NULL, near), 1);
	assert_true(near[0].num == G_MAXINT64 && near[0].score > 0.9999);
}

/* The graph is walked, whether that is quicker or not. */
static gsize walk(SpkIndex *index, const float *vector, SpkIndexFilter filter,
		  gpointer user, SpkNear *ret)
{
	g_auto(VectorQuery) query = { 0 };
	guint32 places[40];
	gsize n = 0;

	assert_true(vector_query_init(&query, index->options.dims, vector));
	assert_true(graph_search(index->graph, &query, 40, SIZE_MAX, filter, user, places,
				 &n));
	for (gsize i = 0; i < n; i++)
		ret[i] = (SpkNear){ *vectors_num(&index->vectors, places[i]),
				    vectors_fine(&index->vectors, &query, places[i]) };
	return n;
}

/* The share of the ten nearest that were found; `by_graph`: by it alone. */
static double recall(SpkIndex *index, gboolean by_graph, const float *vectors, guint n,
		     SpkIndexFilter filter, gpointer user)
{
	guint dims = index->options.dims, hits = 0, all = 0;
	g_autoptr(SpkIndex) exact = index_new(dims, FALSE);
	SpkNear want[10], got[40];

	for (guint i = 0; i < n; i++)
		if (spk_index_has(index, i + 1))
			assert_true(
				spk_index_put(exact, i + 1, vectors + i * dims, NULL));
	for (guint q = 0; q < 100; q++) {
		const float *query = vectors + q * 31 % n * dims;
		gsize w = spk_index_search(exact, query, 10, filter, user, want);
		gsize g = by_graph
				  ? walk(index, query, filter, user, got)
				  : spk_index_search(index, query, 10, filter, user, got);

		assert_true(g >= w);
		all += w;
		for (gsize i = 0; i < g; i++)
			hits += got[i].score >= want[w - 1].score;
	}
	return (double)hits / all;
}

/* One by one is right, whatever the size of the vectors: beside plain arithmetic. */
static void test_exact(void **state)
{
	static const guint sizes[] = { 1, 5, 64, 100, 384 };

	for (guint s = 0; s < G_N_ELEMENTS(sizes); s++) {
		guint dims = sizes[s];
		g_autofree float *vectors = vectors_new(1500, dims, s);
		g_autoptr(SpkIndex) index = index_new(dims, FALSE);
		SpkNear near[20];

		put_all(index, vectors, 1500, dims);
		for (guint q = 0; q < 20; q++) {
			const float *query = vectors + q * 70 * dims;
			guint nearer = 0;

			assert_int_equal(
				spk_index_search(index, query, 20, NULL, NULL, near), 20);
			for (guint i = 0; i < 20; i++)
				assert_float_equal(
					near[i].score,
					cosine(query, vectors + (near[i].num - 1) * dims,
					       dims),
					dims < 64 ? 4e-5 : 1e-5);
			for (guint i = 0; i < 1500; i++)
				nearer += cosine(query, vectors + i * dims, dims) >
					  near[19].score + 4e-5;
			assert_true(nearer < 20);
		}
	}
}

static gboolean is_multiple(gint64 num, gpointer user)
{
	return num % *(const gint64 *)user == 0;
}

enum { MANY = 10000, DIMS = 32 };

static void test_graph(void **state)
{
	g_autofree float *vectors = vectors_new(MANY, DIMS, 3);
	g_autoptr(SpkIndex) index = index_new(DIMS, TRUE);
	static const gint64 filters[] = { 2, 3, 10, 100, 1000 };
	SpkIndexStats stats;

	put_all(index, vectors, MANY, DIMS);
	assert_true(recall(index, FALSE, vectors, MANY, NULL, NULL) > 0.95);
	spk_index_settle(index);
	spk_index_stats(index, &stats);
	assert_int_equal(stats.loose, 0);
	assert_int_equal(stats.live, MANY);
	assert_true(recall(index, FALSE, vectors, MANY, NULL, NULL) > 0.95);
	assert_true(recall(index, TRUE, vectors, MANY, NULL, NULL) > 0.95);
	assert_true(recall(index, TRUE, vectors, MANY, is_multiple,
			   (gpointer)&filters[1]) > 0.95);
	for (guint i = 0; i < G_N_ELEMENTS(filters); i++)
		assert_true(recall(index, FALSE, vectors, MANY, is_multiple,
				   (gpointer)&filters[i]) > 0.95);
}

/* What was just put is found, and what was dropped is not, long before the graph knows. */
static void test_right_after(void **state)
{
	g_autofree float *vectors = vectors_new(MANY, DIMS, 4);
	g_autoptr(SpkIndex) index = index_new(DIMS, TRUE);
	SpkNear near[1];

	put_all(index, vectors, MANY - 100, DIMS);
	spk_index_settle(index);
	for (guint i = MANY - 100; i < MANY; i++) {
		const float *vector = vectors + i * DIMS;

		assert_true(spk_index_put(index, i + 1, vector, NULL));
		spk_index_search(index, vector, 1, NULL, NULL, near);
		assert_int_equal(near[0].num, i + 1);
		spk_index_drop(index, i + 1 - 1000);
		spk_index_search(index, vector - 1000 * DIMS, 1, NULL, NULL, near);
		assert_int_not_equal(near[0].num, i + 1 - 1000);
	}
}

static void test_ten_thousand_same(void **state)
{
	enum { SAME = 10000, OTHERS = 300, SIZE = 32 };
	g_autofree float *vectors = vectors_new(OTHERS + 1, SIZE, 5);
	g_autoptr(SpkIndex) index = index_new(SIZE, TRUE);
	SpkNear near[SAME + OTHERS];
	gint64 seven = 7;

	for (guint i = 0; i < SAME; i++)
		assert_true(spk_index_put(index, i + 1, vectors + OTHERS * SIZE, NULL));
	for (guint i = 0; i < OTHERS; i++)
		assert_true(spk_index_put(index, SAME + 1 + i, vectors + i * SIZE, NULL));
	spk_index_settle(index);
	assert_int_equal(spk_index_search(index, vectors + OTHERS * SIZE, 10, NULL, NULL,
					  near),
			 10);
	for (guint i = 0; i < 10; i++)
		assert_true(near[i].score > 0.9999 && near[i].num <= SAME);
	for (guint i = 0; i < OTHERS; i++) { /* the others are not lost behind them */
		spk_index_search(index, vectors + i * SIZE, 1, NULL, NULL, near);
		assert_int_equal(near[0].num, SAME + 1 + i);
	}
	assert_int_equal(spk_index_search(index, vectors, SAME + OTHERS, is_multiple,
					  &seven, near),
			 (SAME + OTHERS) / 7);
}

/* ---- writes ---- */

/* Edits and forgetting don't make it grow, and what leads to the others stays. */
static void test_churn(void **state)
{
	enum { LIVE = 1500, ROUNDS = 9000, SIZE = 16 };
	g_autofree float *vectors = vectors_new(LIVE + ROUNDS, SIZE, 6);
	g_autoptr(SpkIndex) index = index_new(SIZE, TRUE);
	g_autofree float *now = g_memdup2(vectors, LIVE * SIZE * sizeof(float));
	SpkIndexStats stats;

	put_all(index, vectors, LIVE, SIZE);
	for (guint i = 0; i < ROUNDS; i++) {
		const float *vector = vectors + (LIVE + i) * SIZE;
		guint at = i * 7 % LIVE;

		if (i % 3 == 0)
			spk_index_drop(index, at + 1);
		assert_true(spk_index_put(index, at + 1, vector, NULL));
		memcpy(now + at * SIZE, vector, SIZE * sizeof(float));
		if (i % 500 == 0)
			spk_index_settle(index);
	}
	spk_index_settle(index);
	spk_index_stats(index, &stats);
	assert_int_equal(stats.live, LIVE);
	assert_int_equal(stats.loose, 0);
	assert_true(stats.dead <= 1024 + LIVE / 4 + 300);
	assert_true(recall(index, TRUE, now, LIVE, NULL, NULL) > 0.95);
}

/* What is dropped while the index is saved stays only until that is over, in the graph and beside it. */
static void test_dropped_while_saving(void **state)
{
	enum { N = 600, SIZE = 16, LATE = 20 };
	g_autofree float *vectors = vectors_new(N + LATE, SIZE, 9);
	g_autoptr(SpkIndex) index = index_new(SIZE, TRUE);
	g_autofree char *dir = g_dir_make_tmp("spk-index-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "index", NULL);
	SpkIndexStamp stamp = { .store = "s", .model = (char *)"m", .change = 1 };
	float dropped[2 * LATE][SIZE];

	put_all(index, vectors, N, SIZE);
	spk_index_settle(index);
	index_write_lock(index);
	index->is_saving = TRUE; /* as by another thread */
	index_unlock(index);
	for (guint i = 0; i < LATE; i++)
		assert_true(
			spk_index_put(index, N + 1 + i, vectors + (N + i) * SIZE, NULL));
	for (guint i = 0; i < 2 * LATE; i++) {
		gint64 num = i < LATE ? i * 5 + 1 : N + 1 + i - LATE;

		assert_true(spk_index_get(index, num, dropped[i]));
		spk_index_drop(index, num);
	}
	index_write_lock(index);
	index->is_saving = FALSE;
	index_unlock(index);
	assert_true(spk_index_save(index, path, &stamp, NULL));
	for (guint i = 0; i < 2 * LATE; i++)
		for (gsize place = 0; place < index->vectors.n; place++)
			assert_false(vectors_is_same(&index->vectors, place, dropped[i]));
	(void)g_remove(path);
	(void)g_rmdir(dir);
}

/* A place of the graph leads on, but not by the vector that was dropped. */
static void test_dropped_from_graph(void **state)
{
	enum { N = 900, SIZE = 16 };
	g_autofree float *vectors = vectors_new(N, SIZE, 8);
	g_autoptr(SpkIndex) index = index_new(SIZE, TRUE);
	float dropped[N / 3][SIZE];

	put_all(index, vectors, N, SIZE);
	/* one that has a twin: what is the same may stay as long as the other is there */
	assert_true(spk_index_put(index, N + 1, vectors + 3 * SIZE, NULL));
	spk_index_settle(index);
	assert_int_equal(index_linked(index), N + 1);
	for (guint i = 0; i < N / 3; i++) {
		assert_true(spk_index_get(index, 3 * i + 1, dropped[i]));
		spk_index_drop(index, 3 * i + 1);
	}
	for (guint i = 0; i < N / 3; i++)
		for (gsize place = 0; i != 1 && place < index->vectors.n; place++)
			assert_false(vectors_is_same(&index->vectors, place, dropped[i]));
	assert_true(spk_index_has(index, N + 1));
	for (guint i = 0; i < N; i++) {
		SpkNear near;

		if (i % 3 == 0 && i != 3)
			continue;
		assert_int_equal(spk_index_search(index, vectors + i * SIZE, 1, NULL,
						  NULL, &near),
				 1);
		assert_true(near.score > 0.9999f);
	}
}

/* Without a graph a place is used again at once. */
static void test_places_again(void **state)
{
	g_autofree float *vectors = vectors_new(500, 8, 7);
	g_autoptr(SpkIndex) index = index_new(8, FALSE);
	SpkIndexStats stats;

	for (guint i = 0; i < 500; i++) {
		assert_true(spk_index_put(index, i + 1, vectors + i * 8, NULL));
		if (i >= 10)
			spk_index_drop(index, i + 1 - 10);
	}
	spk_index_stats(index, &stats);
	assert_int_equal(stats.live, 10);
	assert_true(stats.dead <= 1);
	/* and what is dropped leaves nothing behind */
	spk_index_drop(index, 500);
	for (gsize place = 0; place < index->vectors.n; place++)
		assert_int_equal(*vectors_num(&index->vectors, place) == 0,
				 vectors_scale(&index->vectors, place) == 0);
}

typedef struct {
	SpkIndex *index;
	const float *vectors;
	gint stop;
	gint searches;
} Crowd;

static gpointer search_on(gpointer user)
{
	Crowd *crowd = user;
	SpkNear near[10];

	for (guint i = 0; !g_atomic_int_get(&crowd->stop); i++) {
		const float *query = crowd->vectors + i % 1000 * DIMS;
		gint64 three = 3;
		gsize n = spk_index_search(crowd->index, query, 10,
					   i % 2 ? is_multiple : NULL, &three, near);

		for (gsize j = 1; j < n; j++)
			g_assert_cmpfloat(near[j - 1].score, >=, near[j].score);
		/* the first thousand stay */
		g_assert(n == 10 && (i % 2 || near[0].score > 0.9999f));
		g_atomic_int_inc(&crowd->searches);
	}
	return NULL;
}

static void test_many_threads(void **state)
{
	enum { N = 3000 };
	g_autofree float *vectors = vectors_new(N, DIMS, 8);
	g_autoptr(SpkIndex) index = index_new(DIMS, TRUE);
	g_autofree char *dir = g_dir_make_tmp("sparks-index-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "memory.index", NULL);
	SpkIndexStamp stamp = { "s", (char *)"m", 1 };
	Crowd crowd = { index, vectors, 0, 0 };
	GThread *threads[3];

	put_all(index, vectors, 1000, DIMS);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("search", search_on, &crowd);
	for (guint i = 1000; i < N; i++) {
		assert_true(spk_index_put(index, i + 1, vectors + i * DIMS, NULL));
		if (i % 5 == 0)
			spk_index_drop(index, g_random_int_range(1001, (gint32)i + 2));
		if (i % 700 == 0)
			assert_true(spk_index_save(index, path, &stamp, NULL));
	}
	spk_index_settle(index);
	g_atomic_int_set(&crowd.stop, 1);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	assert_true(g_atomic_int_get(&crowd.searches) > 10);
	remove_folder(dir);
}

const struct CMUnitTest index_tests[] = {
	{ "index: all kinds of processors count alike", test_kernels, NULL, NULL, NULL },
	{ "index: a few vectors, zeros among them", test_small, NULL, NULL, NULL },
	{ "index: put again, and dropped", test_replace_and_drop, NULL, NULL, NULL },
	{ "index: what is no number is refused", test_refused, NULL, NULL, NULL },
	{ "index: one by one, beside plain arithmetic", test_exact, NULL, NULL, NULL },
	{ "index: by the graph, with filters wide and narrow", test_graph, NULL, NULL,
	  NULL },
	{ "index: right after a write", test_right_after, NULL, NULL, NULL },
	{ "index: ten thousand vectors that are the same", test_ten_thousand_same, NULL,
	  NULL, NULL },
	{ "index: it doesn't grow by edits", test_churn, NULL, NULL, NULL },
	{ "index: nothing stays of what was dropped while it was saved",
	  test_dropped_while_saving, NULL, NULL, NULL },
	{ "index: in a graph nothing stays of what was dropped", test_dropped_from_graph,
	  NULL, NULL, NULL },
	{ "index: without a graph places are used again at once", test_places_again, NULL,
	  NULL, NULL },
	{ "index: searches, writes and saves beside each other", test_many_threads, NULL,
	  NULL, NULL },
};
const size_t n_index_tests = G_N_ELEMENTS(index_tests);
