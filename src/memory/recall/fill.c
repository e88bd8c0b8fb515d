/* Vectors that are missing, and likenesses among those that are there. */
#include "base/error.h"
#include "memory/recall/memory_priv.h"

#define BATCH	   16 /* texts that are embedded at once */
#define NEIGHBOURS 8

static gboolean fill_batch(SpkMemory *memory, const GPtrArray *rows, SpkCancel *cancel,
			   GError **error)
{
	SpkMemoryPassage passages[BATCH] = { 0 };
	SpkMemoryVector vectors[BATCH];
	g_autofree float *made = NULL;
	gboolean ok = TRUE;
	gsize n;

	for (guint i = 0; ok && i < rows->len; i++) {
		const SpkMemoryRow *row = rows->pdata[i];

		passages[i].text = spk_memory_said(row);
		ok = !row->speaker ||
		     spk_memory_text_before(memory, row->scope, row->time_us, row->num,
					    &passages[i].before, error);
	}
	if (ok)
		made = spk_memory_vectors(memory, passages, rows->len, cancel, error);
	for (guint i = 0; made && i < rows->len; i++) {
		const SpkMemoryRow *row = rows->pdata[i];

		vectors[i] = (SpkMemoryVector){ row->num, row->change,
						made + (gsize)i * memory->dims };
	}
	for (guint i = 0; i < BATCH; i++)
		spk_memory_passage_clear(&passages[i]);
	return made && spk_memories_set_vectors(memory->store, memory->model, vectors,
						memory->dims, rows->len, &n, error);
}

gboolean spk_memory_fill(SpkMemory *memory, guint most, guint *ret_left,
			 SpkCancel *cancel, GError **error)
{
	gint64 after = 0, left = 0;

	*ret_left = 0;
	if (!spk_memory_embedder(memory))
		return TRUE;
	for (guint done = 0; done < most;) {
		g_autoptr(GPtrArray) rows =
			spk_memories_without_vector(memory->store, memory->model, after,
						    MIN(BATCH, most - done), NULL, error);

		if (!rows)
			return FALSE;
		if (!rows->len)
			break;
		if (!fill_batch(memory, rows, cancel, error))
			return FALSE;
		after = ((const SpkMemoryRow *)rows->pdata[rows->len - 1])->num;
		done += rows->len;
	}
	{
		g_autoptr(GPtrArray) rest = spk_memories_without_vector(
			memory->store, memory->model, 0, 1, &left, error);

		if (!rest)
			return FALSE;
	}
	*ret_left = (guint)CLAMP(left, 0, G_MAXUINT);
	g_mutex_lock(&memory->lock);
	if (spk_memory_sync(memory, TRUE, NULL))
		spk_memory_save(memory);
	g_mutex_unlock(&memory->lock);
	return TRUE;
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
