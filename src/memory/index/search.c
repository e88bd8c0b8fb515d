/* The nearest of a query: by the graph, one by one, or both. */
#include "memory/index/index_priv.h"

#include <math.h>
#include <string.h>

/* The places looked at to tell how many pass a filter. */
#define SAMPLES 128
/* Vectors that a walk in the graph compares for each that it is to keep, when all pass (measured: 28
 * at a width of 64 among 50,000). */
#define COMPARED 28

/* The k best so far: a heap, the last of them on top. */
typedef struct {
	SpkNear *at;
	gsize k, n;
	float floor; /* what doesn't reach it is not among them */
} Best;

typedef struct {
	const Vectors *vectors;
	VectorQuery query;
	SpkIndexFilter filter;
	gpointer user;
	Best best;
	/* By 8 bits a cosine is wrong by at most sqrt(x² + own²), where x belongs to the row:
	 * never more than steep * x² + flat. */
	float steep, flat;
} Search;

static gboolean is_before(const SpkNear *a, const SpkNear *b)
{
	return a->score != b->score ? a->score > b->score : a->num < b->num;
}

static void sift_down(Best *best, gsize at)
{
	SpkNear one = best->at[at];
	gsize child;

	for (; (child = 2 * at + 1) < best->n; at = child) {
		if (child + 1 < best->n &&
		    is_before(&best->at[child], &best->at[child + 1]))
			child++;
		if (is_before(&best->at[child], &one))
			break;
		best->at[at] = best->at[child];
	}
	best->at[at] = one;
}

static void offer(Best *best, SpkNear one)
{
	if (best->n < best->k) {
		gsize at = best->n++;

		for (; at && is_before(&best->at[(at - 1) / 2], &one); at = (at - 1) / 2)
			best->at[at] = best->at[(at - 1) / 2];
		best->at[at] = one;
	} else if (is_before(&one, &best->at[0])) {
		best->at[0] = one;
		sift_down(best, 0);
	}
	if (best->n == best->k)
		best->floor = best->at[0].score;
}

static gint by_rank(gconstpointer a, gconstpointer b)
{
	return is_before(a, b) ? -1 : 1;
}

static void consider(Search *search, gsize place)
{
	gint64 num = *vectors_num(search->vectors, place);

	if (!num || (search->filter && !search->filter(num, search->user)))
		return;
	offer(&search->best,
	      (SpkNear){ num, vectors_fine(search->vectors, &search->query, place) });
}

/* Places of one chunk. */
static void scan_block(Search *search, gsize from, gsize n)
{
	const Vectors *vectors = search->vectors;
	const float *scales = vectors_chunk(vectors, from)->scale + from % VECTORS_CHUNK;
	gint32 sums[VECTORS_CHUNK];

	vectors->kernels->rows(vectors_row(vectors, from), vectors->width, n,
			       search->query.codes, sums);
	for (gsize i = 0; i < n; i++) {
		float step = 256 * scales[i];
		float near = (float)(sums[i] - search->query.bias) * step *
			     search->query.scale;

		if (near + search->steep * step * step + search->flat >=
		    search->best.floor)
			consider(search, from + i);
	}
}

static void scan(Search *search, gsize from, gsize to)
{
	while (from < to) {
		gsize n = MIN(to, (from / VECTORS_CHUNK + 1) * VECTORS_CHUNK) - from;

		scan_block(search, from, n);
		from += n;
	}
}

/* The share of all places whose vector passes, by looking at some. */
static double share_of(const Search *search)
{
	gsize n = search->vectors->n, step = MAX(n / SAMPLES, 1), seen = 0, pass = 0;

	for (gsize place = step / 2; place < n; place += step, seen++) {
		gint64 num = *vectors_num(search->vectors, place);

		pass += num && (!search->filter || search->filter(num, search->user));
	}
	return (double)pass / (double)MAX(seen, 1);
}

/* FALSE: comparing all is quicker. A walk ends that way, too, when it has cost half as much: what
 * passes lies far from the query. */
static gboolean walk(SpkIndex *index, Search *search)
{
	gsize width = MAX(index->options.ef_search, search->best.k), n = 0;
	gsize linked = index_linked(index), step = search->vectors->kernels->step;
	g_autofree guint32 *hits = NULL;
	double share = 1;

	if (!index->graph || !index_wants_graph(index))
		return FALSE;
	if (search->filter || index->spare_linked->len > linked / 8)
		share = share_of(search);
	if (share * (double)linked < (double)(width * COMPARED * step))
		return FALSE;
	hits = g_new(guint32, width);
	if (!graph_search(index->graph, &search->query, width, linked / step / 2,
			  search->filter, search->user, hits, &n) ||
	    n < width) /* there is more than it leads to */
		return FALSE;
	for (gsize i = 0; i < n; i++)
		for (guint32 place = hits[i]; place != GRAPH_NONE;
		     place = graph_twin(index->graph, place))
			if (!*vectors_stale(search->vectors, place))
				consider(search, place);
	return TRUE;
}

/* How far comparing 8 bits can be off, at six standard deviations: a rounded number is off
 * by a step, evenly between minus and plus a half, which is step / sqrt(12) on average; so is the sum of
 * many of them, each times a number of a vector of length 1. */
static void set_margins(Search *search)
{
	double per_step = 6 / sqrt(12), own = per_step * search->query.scale;

	/* sqrt(x² + own²) <= (x² + own²) / 2c + c / 2 for any c; best at c = sqrt(2) own,
	 * where x is own */
	double c = MAX(own * G_SQRT2, 1e-6);

	search->steep = (float)(per_step * per_step / (2 * c));
	search->flat = (float)(own * own / (2 * c) + c / 2);
}

static void search_all(SpkIndex *index, Search *search)
{
	if (!walk(index, search)) {
		scan(search, 0, search->vectors->n);
		return;
	}
	scan(search, index_linked(index), search->vectors->n);
	for (guint i = 0; i < index->stale->len; i++)
		consider(search, g_array_index(index->stale, guint32, i));
}

gsize spk_index_search(SpkIndex *index, const float *query, gsize k,
		       SpkIndexFilter filter, gpointer user, SpkNear *ret)
{
	Search search = {
		.vectors = &index->vectors,
		.filter = filter,
		.user = user,
		.best = { ret, k, 0, -INFINITY },
	};
	gsize n;

	if (k == 0 || !vector_query_init(&search.query, index->options.dims, query))
		return 0;
	set_margins(&search);
	index_read_lock(index);
	search_all(index, &search);
	index_unlock(index);
	vector_query_clear(&search.query);
	n = search.best.n;
	qsort(ret, n, sizeof(*ret), by_rank);
	return n;
}
