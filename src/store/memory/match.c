/*
 * The keyword leg: Okapi BM25 (Robertson, Zaragoza: "The Probabilistic Relevance Framework", 2009)
 * over all active memories that pass the filter, with the idf that is never negative. The words of
 * the question are read block by block; their postings hold all that is needed. Every memory that
 * has one of the words is scored: what comes out is the full ranking's beginning.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "store/memory/memory_priv.h"

#define K1	  1.2
#define B	  0.75
#define MAX_WORDS 64 /* of a question that count; the first ones */

/* ---- the filter ---- */

/* Numbers of names that pass; NULL: all do. */
typedef struct {
	GArray *ids; /* of gint64 */
	guint8 *allowed;
	gint64 most;
} Names;

static void names_clear(Names *names)
{
	if (names->ids)
		g_array_unref(names->ids);
	g_free(names->allowed);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Names, names_clear)

static gboolean read_names(SpkTx *tx, SpkMemoryName what, const char *const *list,
			   Names *names, GError **error)
{
	if (!list)
		return TRUE;
	names->ids = g_array_new(FALSE, FALSE, sizeof(gint64));
	for (; *list; list++) {
		gint64 id;

		if (!spk_memory_name_find(tx, what, *list, &id, error))
			return FALSE;
		if (!id)
			continue;
		g_array_append_val(names->ids, id);
		names->most = MAX(names->most, id);
	}
	names->allowed = g_malloc0((gsize)names->most + 1);
	for (guint i = 0; i < names->ids->len; i++) {
		gint64 id = g_array_index(names->ids, gint64, i);

		if (names->allowed[id]) /* named twice: counted once */
			g_array_remove_index_fast(names->ids, i--);
		else
			names->allowed[id] = 1;
	}
	return TRUE;
}

static gboolean passes(const Names *names, guint32 id)
{
	return !names->ids || (id <= names->most && names->allowed[id]);
}

/* ---- how much passes ---- */

typedef struct {
	gint64 n, length;
} Sum;

static gboolean keep_sum(const SpkDbValue *row, gpointer user, GError **error)
{
	Sum *sum = user;

	sum->n += row[0].integer;
	sum->length += row[1].integer;
	return TRUE;
}

static gint64 nth(const Names *names, guint i)
{
	return names->ids ? g_array_index(names->ids, gint64, i) : 0;
}

static gboolean sum_up(SpkTx *tx, const Names *scopes, const Names *kinds, Sum *sum,
		       GError **error)
{
	guint n_scopes = scopes->ids ? scopes->ids->len : 1;
	guint n_kinds = kinds->ids ? kinds->ids->len : 1;

	for (guint s = 0; s < n_scopes; s++)
		for (guint k = 0; k < n_kinds; k++)
			if (!spk_tx_each(tx,
					 "SELECT n, length FROM memory_sums"
					 " WHERE scope = $1 AND kind = $2",
					 SPK_ARGS(spk_db_int(nth(scopes, s)),
						  spk_db_int(nth(kinds, k))),
					 keep_sum, sum, error))
				return FALSE;
	return TRUE;
}

/* ---- scores ---- */

/* num -> score: by open addressing, num 0 is a free place; or, when it is many of all there are, by
 * the num itself. */
typedef struct {
	SpkMemoryMatch *places;
	gsize mask;
	gsize n;
	double *by_num; /* in the place of places; 0: not found */
	gint64 last;	/* num */
	double whole; /* what one of the usual length would have with every word, once each */
} Scores;

#define MANY	 8			      /* one in so many is many */
#define MOST_NUM (G_GINT64_CONSTANT(1) << 26) /* more numbers are never laid out */

static gsize place_of(const Scores *scores, gint64 num)
{
	gsize at = ((guint64)num * 0x9e3779b97f4a7c15u >> 20) & scores->mask;

	while (scores->places[at].num && scores->places[at].num != num)
		at = (at + 1) & scores->mask;
	return at;
}

static void lay_out(Scores *scores)
{
	scores->by_num = g_new0(double, (gsize)scores->last + 1);
	for (gsize i = 0; scores->places && i <= scores->mask; i++)
		if (scores->places[i].num)
			scores->by_num[scores->places[i].num] = scores->places[i].bm25;
	g_clear_pointer(&scores->places, g_free);
}

/* Room for `more` without filling it above one half. */
static void reserve(Scores *scores, gsize more)
{
	Scores old = *scores;
	gsize size = old.places ? old.mask + 1 : 256;

	if (scores->by_num)
		return;
	if (old.last < MOST_NUM && (old.n + more) * MANY > (gsize)old.last) {
		lay_out(scores);
		return;
	}
	while (size < (old.n + more) * 2)
		size *= 2;
	if (old.places && size == old.mask + 1)
		return;
	scores->places = g_new0(SpkMemoryMatch, size);
	scores->mask = size - 1;
	for (gsize i = 0; old.places && i <= old.mask; i++)
		if (old.places[i].num)
			scores->places[place_of(scores, old.places[i].num)] =
				old.places[i];
	g_free(old.places);
}

static void add_score(Scores *scores, gint64 num, double score)
{
	gsize at;

	if (scores->by_num) {
		scores->by_num[num] += score;
		return;
	}
	at = place_of(scores, num);
	scores->n += !scores->places[at].num;
	scores->places[at].num = num;
	scores->places[at].bm25 += score;
}

#define SHORT \
	128 /* words of a memory: most that have a word have it once, and are short */

/* What one word brings to each that has it. */
static void add_word(Scores *scores, const GArray *postings, const Sum *sum)
{
	double df = postings->len, n = MAX((double)sum->n, df);
	double idf = log(1 + (n - df + 0.5) / (df + 0.5));
	double average = sum->length > 0 ? (double)sum->length / n : 1;
	double once[SHORT];

	scores->whole += idf;
	reserve(scores, postings->len);
	for (guint i = 0; i < SHORT; i++)
		once[i] = idf * (K1 + 1) / (1 + K1 * (1 - B + B * i / average));
	for (guint i = 0; i < postings->len; i++) {
		const SpkPosting *p = &g_array_index(postings, SpkPosting, i);

		if (p->n == 1 && p->length < SHORT)
			add_score(scores, p->num, once[p->length]);
		else
			add_score(
				scores, p->num,
				idf * p->n * (K1 + 1) /
					(p->n + K1 * (1 - B + B * p->length / average)));
	}
}

/* ---- the best of them ---- */

static int best_first(gconstpointer a, gconstpointer b)
{
	const SpkMemoryMatch *x = a, *y = b;

	if (x->bm25 != y->bm25)
		return x->bm25 > y->bm25 ? -1 : 1;
	return x->num > y->num ? -1 : x->num < y->num;
}

/* A heap with the worst on top. */
static void sink(SpkMemoryMatch *heap, guint n, guint at)
{
	for (guint child; (child = 2 * at + 1) < n; at = child) {
		SpkMemoryMatch other = heap[at];

		if (child + 1 < n && best_first(&heap[child], &heap[child + 1]) < 0)
			child++;
		if (best_first(&heap[child], &heap[at]) < 0)
			return;
		heap[at] = heap[child];
		heap[child] = other;
	}
}

static void offer(GArray *best, guint k, const SpkMemoryMatch *match)
{
	SpkMemoryMatch *heap = (SpkMemoryMatch *)best->data;

	if (best->len < k) {
		g_array_append_val(best, *match);
		for (guint at = best->len == k ? k / 2 : 0; at-- > 0;)
			sink((SpkMemoryMatch *)best->data, k, at);
	} else if (best_first(match, heap) < 0) {
		heap[0] = *match;
		sink(heap, k, 0);
	}
}

static GArray *take_best(const Scores *scores, guint k)
{
	GArray *best = g_array_new(FALSE, FALSE, sizeof(SpkMemoryMatch));

	for (gsize i = 0; k && scores->places && i <= scores->mask; i++)
		if (scores->places[i].num)
			offer(best, k, &scores->places[i]);
	for (gint64 num = 1; k && scores->by_num && num <= scores->last; num++)
		if (scores->by_num[num] > 0)
			offer(best, k, &(SpkMemoryMatch){ num, scores->by_num[num] });
	g_array_sort(best, best_first);
	return best;
}

/* ---- the search ---- */

typedef struct {
	const Names *scopes, *kinds;
	GArray *block, *postings;
	gint64 last; /* num that there can be */
} Reader;

static gboolean damaged(GError **error)
{
	spk_error_set(error, SPK_ERR_CORRUPT,
		      "`sparks memory reindex` makes them anew out of the memories",
		      "the words of the memories are damaged");
	return FALSE;
}

static gboolean read_block(const SpkDbValue *row, gpointer user, GError **error)
{
	Reader *reader = user;
	gboolean all = !reader->scopes->ids && !reader->kinds->ids;
	GArray *to = all ? reader->postings : reader->block;

	g_array_set_size(reader->block, 0);
	if (row[1].type != SPK_DB_BLOB ||
	    !spk_postings_read(row[1].blob, row[1].len, row[0].integer, to) ||
	    g_array_index(to, SpkPosting, to->len - 1).num > reader->last)
		return damaged(error);
	for (guint i = 0; i < reader->block->len; i++) {
		const SpkPosting *p = &g_array_index(reader->block, SpkPosting, i);

		if (passes(reader->scopes, p->scope) && passes(reader->kinds, p->kind))
			g_array_append_val(reader->postings, *p);
	}
	return TRUE;
}

static gboolean score_all(SpkTx *tx, const SpkWords *words, Reader *reader,
			  Scores *scores, GError **error)
{
	Sum sum = { 0 };

	if (!sum_up(tx, reader->scopes, reader->kinds, &sum, error))
		return FALSE;
	for (guint i = 0; i < words->words->len; i++) {
		const char *word = g_array_index(words->words, SpkWord, i).word;

		g_array_set_size(reader->postings, 0);
		if (!spk_tx_each(tx,
				 "SELECT first, postings FROM memory_words"
				 " WHERE word = $1 ORDER BY first",
				 SPK_ARGS(spk_db_text(word)), read_block, reader, error))
			return FALSE;
		if (reader->postings->len > sum.n)
			return damaged(error);
		add_word(scores, reader->postings, &sum);
	}
	return TRUE;
}

static GArray *search(SpkTx *tx, const SpkWords *words, const SpkMemoryFilter *filter,
		      guint k, double *ret_whole, GError **error)
{
	g_auto(Names) scopes = { 0 }, kinds = { 0 };
	g_autoptr(GArray) block = g_array_new(FALSE, FALSE, sizeof(SpkPosting));
	g_autoptr(GArray) postings = g_array_new(FALSE, FALSE, sizeof(SpkPosting));
	Reader reader = { &scopes, &kinds, block, postings };
	g_autofree SpkMemoryMatch *places = NULL;
	g_autofree double *by_num = NULL;
	Scores scores = { 0 };
	SpkMemoryCounters counters;
	gboolean ok;

	if (!spk_memory_counters(tx, &counters, error) ||
	    !read_names(tx, SPK_MEMORY_SCOPE, filter ? filter->scopes : NULL, &scopes,
			error) ||
	    !read_names(tx, SPK_MEMORY_KIND, filter ? filter->kinds : NULL, &kinds,
			error))
		return NULL;
	if (counters.words != SPK_WORDS_VERSION && counters.change) {
		spk_error_set(error, SPK_ERR_CORRUPT, NULL,
			      "the words of the memories are of another version");
		return NULL;
	}
	reader.last = scores.last = counters.num;
	ok = score_all(tx, words, &reader, &scores, error);
	places = scores.places;
	by_num = scores.by_num;
	if (ret_whole)
		*ret_whole = scores.whole;
	return ok ? take_best(&scores, k) : NULL;
}

static GArray *search_once(SpkStore *store, const SpkWords *words,
			   const SpkMemoryFilter *filter, guint k, double *ret_whole,
			   GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	return tx ? search(tx, words, filter, k, ret_whole, error) : NULL;
}

static char *readable(const char *text)
{
	return g_utf8_make_valid(text ? text : "", -1);
}

GArray *spk_memories_match(SpkStore *store, const char *text,
			   const SpkMemoryFilter *filter, guint k, double *ret_whole,
			   GError **error)
{
	g_autofree char *valid = readable(text);
	g_autoptr(SpkWords) words = spk_words_of(valid, MAX_WORDS);
	g_autoptr(GError) problem = NULL;
	GArray *best = search_once(store, words, filter, k, ret_whole, &problem);

	if (best || !spk_error_is(problem, SPK_ERR_CORRUPT)) {
		if (!best)
			g_propagate_error(error, g_steal_pointer(&problem));
		return best;
	}
	spk_warn("store", "%s; they are made anew out of the memories", problem->message);
	return spk_memories_rebuild_words(store, error)
		       ? search_once(store, words, filter, k, ret_whole, error)
		       : NULL;
}
