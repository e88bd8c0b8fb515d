/* Vectors that are missing, and likenesses among those that are there. */
#include "base/error.h"
#include "base/log.h"
#include "memory/recall/memory_priv.h"

#define BATCH	   16 /* texts that are embedded at once */
#define NEIGHBOURS 8

/* What stands before them, their vectors, allocated. *ret_of_texts: the model gave none. */
static float *embed(SpkMemory *memory, const SpkMemoryRow *const *rows, guint n,
		    SpkCancel *cancel, gboolean *ret_of_texts, GError **error)
{
	SpkMemoryPassage passages[BATCH] = { 0 };
	float *made = NULL;
	gboolean ok = TRUE;

	for (guint i = 0; ok && i < n; i++) {
		passages[i].text = spk_memory_said(rows[i]);
		ok = !rows[i]->speaker ||
		     spk_memory_text_before(memory, rows[i]->scope, rows[i]->time_us,
					    rows[i]->num, &passages[i].before, error);
	}
	if (ok)
		made = spk_memory_vectors(memory, passages, n, cancel, error);
	*ret_of_texts = ok && !made;
	for (guint i = 0; i < n; i++)
		spk_memory_passage_clear(&passages[i]);
	return made;
}

static gboolean fill_rows(SpkMemory *memory, const SpkMemoryRow *const *rows, guint n,
			  SpkCancel *cancel, gboolean *ret_of_texts, GError **error)
{
	g_autofree float *made = embed(memory, rows, n, cancel, ret_of_texts, error);
	SpkMemoryVector vectors[BATCH];
	gsize set;

	for (guint i = 0; made && i < n; i++)
		vectors[i] = (SpkMemoryVector){ rows[i]->num, rows[i]->change,
						made + (gsize)i * memory->dims };
	if (!made || !spk_memories_set_vectors(memory->store, memory->model, vectors,
					       memory->dims, n, &set, error))
		return FALSE;
	memory->fill_left -= (gint64)set;
	return TRUE;
}

/* Whether a text that any model can read has a vector. */
static gboolean answers(SpkMemory *memory, SpkCancel *cancel)
{
	const SpkMemoryPassage probe = { "text", NULL };
	g_autofree float *made = spk_memory_vectors(memory, &probe, 1, cancel, NULL);

	return made != NULL;
}

/* After a batch has failed: a text at fault takes no other with it, and isn't tried again. */
static gboolean fill_each(SpkMemory *memory, const SpkMemoryRow *const *rows, guint n,
			  SpkCancel *cancel, GError **error)
{
	for (guint i = 0; i < n; i++) {
		g_autoptr(GError) why = NULL;
		gboolean of_text;

		if (fill_rows(memory, rows + i, 1, cancel, &of_text, &why))
			continue;
		if (!of_text || spk_error_is(why, SPK_ERR_CANCELLED) ||
		    !answers(memory, cancel)) {
			g_propagate_error(error, g_steal_pointer(&why));
			return FALSE;
		}
		spk_warn("memory", "%s stays without a vector: %s", rows[i]->id,
			 why->message);
		g_hash_table_replace(memory->unfit,
				     g_memdup2(&rows[i]->num, sizeof(gint64)),
				     g_memdup2(&rows[i]->change, sizeof(gint64)));
	}
	return TRUE;
}

static gboolean fill_batch(SpkMemory *memory, const GPtrArray *all, SpkCancel *cancel,
			   guint *ret_n, GError **error)
{
	const SpkMemoryRow *rows[BATCH];
	g_autoptr(GError) why = NULL;
	gboolean of_texts;
	guint n = 0;

	for (guint i = 0; i < all->len; i++) {
		const SpkMemoryRow *row = all->pdata[i];
		const gint64 *change = g_hash_table_lookup(memory->unfit, &row->num);

		if (!change || *change != row->change)
			rows[n++] = row;
	}
	*ret_n = n;
	if (!n || fill_rows(memory, rows, n, cancel, &of_texts, &why))
		return TRUE;
	if (!of_texts || spk_error_is(why, SPK_ERR_CANCELLED)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	return fill_each(memory, rows, n, cancel, error);
}

/* From where the last call ended; at the end once more from the start. */
static gboolean fill_on(SpkMemory *memory, guint most, SpkCancel *cancel, GError **error)
{
	guint n;

	for (guint done = 0, ends = 0; done < most && ends < 2; done += n) {
		g_autoptr(GPtrArray) rows = spk_memories_without_vector(
			memory->store, memory->model, memory->dims, memory->fill_after,
			MIN(BATCH, most - done), NULL, error);

		n = 0;
		if (!rows || !fill_batch(memory, rows, cancel, &n, error))
			return FALSE;
		if (rows->len) {
			memory->fill_after =
				((const SpkMemoryRow *)rows->pdata[rows->len - 1])->num;
			continue;
		}
		ends += memory->fill_after ? 1 : 2;
		memory->fill_after = 0;
		memory->fill_left = -1;
	}
	return TRUE;
}

/* All are counted when a round begins, and when none seems to be left. */
static gboolean count_left(SpkMemory *memory, GError **error)
{
	g_autoptr(GPtrArray) none = NULL;

	if (memory->fill_left > 0)
		return TRUE;
	none = spk_memories_without_vector(memory->store, memory->model, memory->dims, 0,
					   0, &memory->fill_left, error);
	return none != NULL;
}

gboolean spk_memory_fill(SpkMemory *memory, guint most, guint *ret_left,
			 SpkCancel *cancel, GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = NULL;

	*ret_left = 0;
	if (!spk_memory_embedder(memory))
		return TRUE;
	locker = g_mutex_locker_new(&memory->fill_lock);
	if (!count_left(memory, error) || !fill_on(memory, most, cancel, error) ||
	    !count_left(memory, error))
		return FALSE;
	*ret_left = (guint)CLAMP(memory->fill_left, 0, G_MAXUINT);
	g_mutex_lock(&memory->lock);
	if (spk_memory_sync(memory, TRUE, NULL))
		spk_memory_save(memory);
	g_mutex_unlock(&memory->lock);
	return TRUE;
}

gboolean spk_memory_without_vector(SpkMemory *memory, gint64 *ret_n, GError **error)
{
	SpkMemoryList active = { .state = SPK_MEMORY_ACTIVE };
	g_autoptr(GPtrArray) none = NULL;
	gboolean has;

	if (!spk_memory_model_for(memory, 0, &has, error))
		return FALSE;
	if (!has)
		return spk_memories_count(memory->store, &active, ret_n, error);
	none = spk_memories_without_vector(memory->store, memory->model, memory->dims, 0,
					   0, ret_n, error);
	return none != NULL;
}

gboolean spk_memory_rebuild(SpkMemory *memory, GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = NULL;
	gboolean has;

	if (!spk_memory_model_for(memory, 0, &has, error))
		return FALSE;
	locker = g_mutex_locker_new(&memory->lock);
	g_clear_pointer(&memory->index, spk_index_free);
	if (!spk_memory_drop_file(memory, error))
		return FALSE;
	if (!has)
		return TRUE;
	if (!spk_memory_sync(memory, TRUE, error))
		return FALSE;
	spk_index_settle(memory->index);
	return spk_memory_save_now(memory, error);
}

/* ---- duplicates ---- */

typedef struct {
	gint64 one, other;
	double cosine;
} Pair;

typedef struct {
	SpkTurns *turns;
	guint32 scope;
	gint64 above;
} Others;

static gboolean is_other(gint64 num, gpointer user)
{
	const Others *others = user;
	const SpkTurn *turn = spk_turns_get(others->turns, num);

	return turn && num > others->above && turn->scope == others->scope;
}

static void collect(const SpkTurn *turn, gpointer user)
{
	g_array_append_val((GArray *)user, *turn);
}

static int by_cosine(gconstpointer a, gconstpointer b)
{
	const Pair *one = a, *two = b;

	if (one->cosine != two->cosine)
		return one->cosine > two->cosine ? -1 : 1;
	return (one->one > two->one) - (one->one < two->one);
}

/* Each with those that came after it; the lock is held only for one at a time. */
static gboolean pairs_of(SpkMemory *memory, const SpkTurn *turn, double threshold,
			 GArray *pairs, GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&memory->lock);
	Others others = { memory->turns, turn->scope, turn->num };
	g_autofree float *vector = g_new(float, memory->dims);
	SpkNear near[NEIGHBOURS];
	gsize n = 0;

	if (!spk_memory_sync(memory, TRUE, error))
		return FALSE;
	others.turns = memory->turns;
	if (spk_index_get(memory->index, turn->num, vector))
		n = spk_index_search(memory->index, vector, NEIGHBOURS, is_other, &others,
				     near);
	for (gsize i = 0; i < n && (double)near[i].score >= threshold; i++) {
		Pair pair = { turn->num, near[i].num, (double)near[i].score };

		g_array_append_val(pairs, pair);
	}
	return TRUE;
}

static gboolean tell(SpkMemory *memory, const GArray *pairs, guint most,
		     SpkMemoryPairFn fn, gpointer user, GError **error)
{
	for (guint i = 0; i < MIN(pairs->len, most); i++) {
		const Pair *pair = &g_array_index(pairs, Pair, i);
		gint64 nums[] = { pair->one, pair->other };
		g_autoptr(GPtrArray)
			rows = spk_memories_by_num(memory->store, nums, 2, error);

		if (!rows)
			return FALSE;
		if (rows->pdata[0] && rows->pdata[1])
			fn(((const SpkMemoryRow *)rows->pdata[0])->id,
			   ((const SpkMemoryRow *)rows->pdata[1])->id, pair->cosine,
			   user);
	}
	return TRUE;
}

gboolean spk_memory_duplicates(SpkMemory *memory, double threshold, guint most,
			       SpkMemoryPairFn fn, gpointer user, SpkCancel *cancel,
			       GError **error)
{
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(SpkTurn));
	g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(Pair));
	gboolean has, ok;

	if (!spk_memory_model_for(memory, 0, &has, error))
		return FALSE;
	if (!has)
		return TRUE;
	g_mutex_lock(&memory->lock);
	ok = spk_memory_sync(memory, TRUE, error);
	if (ok)
		spk_turns_each(memory->turns, G_MAXSIZE, collect, all);
	g_mutex_unlock(&memory->lock);
	for (guint i = 0; ok && i < all->len; i++)
		ok = spk_cancel_check(cancel, error) &&
		     pairs_of(memory, &g_array_index(all, SpkTurn, i), threshold, pairs,
			      error);
	if (!ok)
		return FALSE;
	g_array_sort(pairs, by_cosine);
	return tell(memory, pairs, most, fn, user, error);
}
