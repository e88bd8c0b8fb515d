/* What a question brings back. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "memory/recall/dates.h"
#include "memory/recall/memory_priv.h"

#define K_USUAL	  10
#define KEPT_US	  (60 * G_USEC_PER_SEC) /* age is counted to the minute */
#define LEG_MAX	  4096
#define DATED_MAX 256

void spk_memory_hit_free(SpkMemoryHit *hit)
{
	if (!hit)
		return;
	spk_memory_row_free(hit->row);
	g_free(hit);
}

/* A question on its way. */
typedef struct {
	const SpkMemoryQuery *query;
	char *text;    /* bounded, valid */
	char *subject; /* without those who are called by name; NULL: not looked at yet */
	GArray *named; /* guint32: their numbers */
	GArray *dates; /* SpkDateSpan: times that it names */
	guint k;
	float *vector; /* of length 1; NULL: by words alone */
	gint64 now_us;
} Search;

static void search_clear(Search *search)
{
	g_free(search->text);
	g_free(search->subject);
	g_clear_pointer(&search->named, g_array_unref);
	g_clear_pointer(&search->dates, g_array_unref);
	g_free(search->vector);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Search, search_clear)

/* ---- filters ---- */

typedef struct {
	SpkTurns *turns;
	GArray *scopes, *kinds; /* guint32; NULL: all */
} Filter;

static void filter_clear(Filter *filter)
{
	g_clear_pointer(&filter->scopes, g_array_unref);
	g_clear_pointer(&filter->kinds, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Filter, filter_clear)

static GArray *numbers_of(const SpkTurns *turns, const char *const *names)
{
	GArray *numbers;

	if (!names)
		return NULL;
	numbers = g_array_new(FALSE, FALSE, sizeof(guint32));
	for (gsize i = 0; names[i]; i++) {
		guint32 number = spk_turns_name(turns, names[i]);

		if (number)
			g_array_append_val(numbers, number);
	}
	return numbers;
}

static gboolean has(const GArray *numbers, guint32 number)
{
	for (guint i = 0; numbers && i < numbers->len; i++)
		if (g_array_index(numbers, guint32, i) == number)
			return TRUE;
	return numbers == NULL;
}

static gboolean passes(const Filter *filter, const SpkTurn *turn)
{
	return turn && has(filter->scopes, turn->scope) && has(filter->kinds, turn->kind);
}

static gboolean passes_num(gint64 num, gpointer user)
{
	const Filter *filter = user;

	return passes(filter, spk_turns_get(filter->turns, num));
}

/* ---- legs; the lock is held ---- */

typedef struct {
	const Filter *filter;
	const GArray *dates;
	GArray *nums; /* gint64; more than DATED_MAX: too many */
} Dated;

static void collect_dated(const SpkTurn *turn, gpointer user)
{
	Dated *dated = user;

	if (dated->nums->len <= DATED_MAX &&
	    spk_dates_fit(dated->dates, turn->time_us, turn->speaker != 0) &&
	    passes(dated->filter, turn))
		g_array_append_val(dated->nums, turn->num);
}

static gboolean find_words(SpkMemory *memory, const Search *search, guint reach,
			   SpkPool *pool, double *ret_whole, GError **error)
{
	SpkMemoryFilter filter = { search->query->scopes, search->query->kinds };
	g_autoptr(GArray) found = spk_memories_match(memory->store, search->subject,
						     &filter, reach, ret_whole, error);

	for (guint i = 0; found && i < found->len; i++) {
		const SpkMemoryMatch *match = &g_array_index(found, SpkMemoryMatch, i);
		guint place = spk_pool_add(pool, memory->turns, match->num);

		if (place == SPK_POOL_NONE)
			continue;
		spk_pool_at(pool, place)->rank_words = (int)i + 1;
		spk_pool_at(pool, place)->bm25 = match->bm25;
	}
	return found != NULL;
}

static void find_vectors(SpkMemory *memory, const Search *search, Filter *filter,
			 guint reach, SpkPool *pool)
{
	g_autofree SpkNear *near = g_new(SpkNear, reach);
	gboolean all = !filter->scopes && !filter->kinds;
	gsize n = spk_index_search(memory->index, search->vector, reach,
				   all ? NULL : passes_num, filter, near);

	for (gsize i = 0; i < n; i++) {
		guint place = spk_pool_add(pool, memory->turns, near[i].num);

		if (place == SPK_POOL_NONE)
			continue;
		spk_pool_at(pool, place)->rank_vector = (int)i + 1;
		spk_pool_at(pool, place)->cosine = (double)near[i].score;
	}
}

/* What was said at a time that the question names, where that is not too much to tell apart. */
static void find_dated(SpkMemory *memory, const Search *search, Filter *filter,
		       SpkPool *pool)
{
	g_autoptr(GArray) nums = g_array_new(FALSE, FALSE, sizeof(gint64));
	Dated dated = { filter, search->dates, nums };

	if (!search->dates->len || memory->knobs.fusion != SPK_FUSION_SCALED ||
	    memory->knobs.dated <= 0)
		return;
	spk_turns_each(memory->turns, G_MAXSIZE, collect_dated, &dated);
	if (nums->len > DATED_MAX)
		return;
	for (guint i = 0; i < nums->len; i++) {
		guint place =
			spk_pool_add(pool, memory->turns, g_array_index(nums, gint64, i));

		spk_pool_at(pool, place)->by_date = TRUE;
	}
}

/* Neighbours come in by what they are lent; those of another kind or scope are no hits. */
static void drop_unfit(SpkPool *pool, const Filter *filter)
{
	guint n = 0;

	for (guint i = 0; i < pool->all->len; i++) {
		SpkCandidate c = *spk_pool_at(pool, i);

		if (passes(filter, c.turn))
			*spk_pool_at(pool, n++) = c;
	}
	g_array_set_size(pool->all, n);
}

static gboolean score(SpkMemory *memory, const Search *search, SpkPool *pool,
		      double whole, GError **error)
{
	SpkFusionQuestion question = { .knobs = &memory->knobs,
				       .query = search->vector,
				       .mean = memory->mean,
				       .words_whole = whole,
				       .now_us = search->now_us,
				       .named = search->named,
				       .asks_time = spk_traits_asks_time(search->text),
				       .dates = search->dates };

	if (memory->knobs.fusion == SPK_FUSION_SCALED) {
		spk_pool_add_neighbours(pool, memory->turns, SPK_FUSION_LENT_FAR,
					memory->knobs.lend_gap_us);
		if (!spk_memory_learn_traits(memory, pool, error))
			return FALSE;
	}
	if (search->vector)
		spk_pool_measure(pool, memory->index, memory->dims, search->vector);
	spk_fusion_score(pool, &question);
	return TRUE;
}

/* The best, as SpkCandidates. */
static GArray *find(SpkMemory *memory, const Search *search, GError **error)
{
	g_autoptr(SpkPool) pool = spk_pool_new();
	guint reach = MIN(spk_fusion_reach(&memory->knobs, search->k), LEG_MAX);
	g_auto(Filter) filter = { memory->turns,
				  numbers_of(memory->turns, search->query->scopes),
				  numbers_of(memory->turns, search->query->kinds) };
	double whole = 0;

	if (!find_words(memory, search, reach, pool, &whole, error))
		return NULL;
	if (search->vector)
		find_vectors(memory, search, &filter, reach, pool);
	find_dated(memory, search, &filter, pool);
	if (!score(memory, search, pool, whole, error))
		return NULL;
	if (filter.scopes || filter.kinds)
		drop_unfit(pool, &filter);
	spk_fusion_best(pool, &memory->knobs, search->k);
	return g_array_ref(pool->all);
}

/* ---- results that are kept ---- */

static void add_names(GString *key, const char *const *names)
{
	for (gsize i = 0; names && names[i]; i++)
		g_string_append_printf(key, "%zu:%s", strlen(names[i]), names[i]);
	g_string_append(key, names ? ";" : "*");
}

static char *key_of(const Search *search)
{
	const SpkMemoryQuery *query = search->query;
	GString *key = g_string_new(NULL);

	g_string_append_printf(key, "%u %" G_GINT64_FORMAT " %d ", search->k,
			       query->now_us, query->words_only);
	add_names(key, query->scopes);
	add_names(key, query->kinds);
	if (query->embedding) {
		g_autofree char *sum =
			spk_text_sha256(query->embedding, query->dims * sizeof(float));

		g_string_append(key, sum);
	}
	g_string_append(key, search->text);
	return g_string_free(key, FALSE);
}

/* ---- the call ---- */

static gboolean read_query(SpkMemory *memory, const SpkMemoryQuery *query, Search *ret,
			   GError **error)
{
	g_autofree char *valid = spk_text_clean(query->text, -1, SPK_CLEAN_LINE);
	gboolean has_model;

	(void)memory;
	ret->query = query;
	ret->text = g_strndup(valid, spk_text_prefix_len(valid, strlen(valid),
							 SPK_MEMORY_QUERY_MAX));
	ret->k = MIN(query->k ? query->k : K_USUAL, SPK_MEMORY_K_MAX);
	ret->now_us = query->now_us ? query->now_us : spk_now_us();
	if (!query->embedding)
		return TRUE;
	if (!spk_memory_model_for(memory, query->dims, &has_model, error))
		return FALSE;
	ret->vector = spk_memory_unit(query->embedding, query->dims, error);
	return ret->vector != NULL;
}

/* The question's vector, where there is a model; one that fails leaves the words. */
static void embed(SpkMemory *memory, Search *search)
{
	SpkEmbedder *embedder;
	const char *text = search->subject;
	g_autoptr(GError) error = NULL;
	g_autofree float *vector = NULL;

	if (search->vector || search->query->words_only)
		return;
	embedder = spk_memory_embedder(memory);
	if (!embedder)
		return;
	vector = g_new(float, memory->dims);
	if (spk_embedder_ask(embedder, &text, 1, SPK_EMBED_QUERY, vector,
			     memory->patience_ms, search->query->cancel, &error))
		search->vector = g_steal_pointer(&vector);
	else
		spk_embedder_warn(memory->conf, error);
}

/* In a conversation its people's names are everywhere, and say who, not what. */
static void take_names(SpkMemory *memory, Search *search)
{
	g_autofree char *rest = NULL;
	gboolean talk;

	search->named = spk_turns_named(memory->turns, search->text, &rest);
	g_strstrip(rest);
	talk = search->named->len && *rest && memory->knobs.fusion == SPK_FUSION_SCALED &&
	       spk_turns_is_talk(memory->turns, search->query->scopes);
	search->subject = talk ? g_steal_pointer(&rest) : g_strdup(search->text);
	search->dates = spk_dates_named(search->subject, search->now_us);
}

static GArray *find_kept(SpkMemory *memory, const char *key, Search *search,
			 GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&memory->lock);
	GArray *found;

	if (!spk_memory_sync(memory, FALSE, error))
		return NULL;
	found = spk_results_get(memory->results, key, memory->stamp.change,
				search->now_us,
				search->query->now_us ? G_MAXINT64 : KEPT_US);
	if (!found)
		take_names(memory, search);
	return found ? g_array_ref(found) : NULL;
}

static GArray *find_anew(SpkMemory *memory, const char *key, const Search *search,
			 GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&memory->lock);
	GArray *found;

	if (!spk_memory_sync(memory, search->vector != NULL, error))
		return NULL;
	found = find(memory, search, error);
	if (found) {
		/* Nothing points into the turns any more. */
		for (guint i = 0; i < found->len; i++)
			g_array_index(found, SpkCandidate, i).turn = NULL;
		spk_results_put(memory->results, key, memory->stamp.change,
				search->now_us, found);
	}
	return found;
}

static SpkMemoryHit *hit_of(const SpkCandidate *c, const SpkMemoryRow *row)
{
	SpkMemoryHit *hit = g_new0(SpkMemoryHit, 1);

	*hit = (SpkMemoryHit){ .row = spk_memory_row_copy(row),
			       .score = c->score,
			       .rank_words = c->rank_words,
			       .rank_vector = c->rank_vector,
			       .bm25 = c->bm25,
			       .cosine = c->cosine,
			       .words = c->words,
			       .vector = c->vector,
			       .lent = c->lent,
			       .named = c->named,
			       .timed = c->timed,
			       .dated = c->dated,
			       .age = c->age,
			       .substance = c->substance,
			       .apart = c->apart };
	return hit;
}

static GPtrArray *hits_of(SpkMemory *memory, const GArray *found, GError **error)
{
	g_autoptr(GPtrArray) hits =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_memory_hit_free);
	g_autofree gint64 *nums = g_new(gint64, found->len + 1);
	g_autoptr(GPtrArray) rows = NULL;

	for (guint i = 0; i < found->len; i++)
		nums[i] = g_array_index(found, SpkCandidate, i).num;
	rows = spk_memories_by_num(memory->store, nums, found->len, error);
	if (!rows)
		return NULL;
	/* One that went in this very moment is left out. */
	for (guint i = 0; i < rows->len; i++) {
		const SpkMemoryRow *row = rows->pdata[i];

		if (row && row->state == SPK_MEMORY_ACTIVE)
			g_ptr_array_add(hits,
					hit_of(&g_array_index(found, SpkCandidate, i),
					       row));
	}
	return g_steal_pointer(&hits);
}

GPtrArray *spk_memory_search(SpkMemory *memory, const SpkMemoryQuery *query,
			     GError **error)
{
	g_auto(Search) search = { 0 };
	g_autofree char *key = NULL;
	g_autoptr(GArray) found = NULL;
	g_autoptr(GError) failed = NULL;

	if (!read_query(memory, query, &search, error))
		return NULL;
	key = key_of(&search);
	found = find_kept(memory, key, &search, &failed);
	if (failed) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return NULL;
	}
	if (!found) {
		embed(memory, &search);
		found = find_anew(memory, key, &search, error);
	}
	return found ? hits_of(memory, found, error) : NULL;
}
