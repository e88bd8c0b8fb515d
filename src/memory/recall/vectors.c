/* Vectors of passages: a turn's is made of its text and of the turns before it. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "memory/recall/memory_priv.h"

float *spk_memory_unit(const float *vector, guint dims, GError **error)
{
	double length = 0;
	float *unit;

	for (guint d = 0; d < dims; d++)
		length += (double)vector[d] * (double)vector[d];
	length = sqrt(length);
	if (!isfinite(length) || length <= 0) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
			      "an embedding is finite numbers that are not all zero");
		return NULL;
	}
	unit = g_new(float, dims);
	for (guint d = 0; d < dims; d++)
		unit[d] = (float)((double)vector[d] / length);
	return unit;
}

const char *spk_memory_said(const SpkMemoryRow *row)
{
	return row->speaker ? spk_traits_body(row->text) : row->text;
}

void spk_memory_passage_clear(SpkMemoryPassage *passage)
{
	g_clear_pointer(&passage->before, g_free);
}

/* The middle of both, of length 1, in `one`. */
static void blend(float *one, const float *other, guint dims)
{
	double length = 0;

	for (guint d = 0; d < dims; d++) {
		one[d] += other[d];
		length += (double)one[d] * (double)one[d];
	}
	length = sqrt(length);
	for (guint d = 0; length > 0 && d < dims; d++)
		one[d] = (float)((double)one[d] / length);
}

float *spk_memory_vectors(SpkMemory *memory, const SpkMemoryPassage *passages, gsize n,
			  SpkCancel *cancel, GError **error)
{
	SpkEmbedder *embedder = spk_memory_embedder(memory);
	guint dims = memory->dims;
	g_autoptr(GPtrArray) texts = g_ptr_array_new();
	g_autoptr(GPtrArray) joined = g_ptr_array_new_with_free_func(g_free);
	g_autofree float *vectors = NULL;

	if (!embedder || !n)
		return NULL;
	for (gsize i = 0; i < n; i++)
		g_ptr_array_add(texts, (gpointer)passages[i].text);
	for (gsize i = 0; i < n; i++) {
		if (!passages[i].before)
			continue;
		g_ptr_array_add(joined, g_strconcat(passages[i].before, "\n",
						    passages[i].text, NULL));
		g_ptr_array_add(texts, joined->pdata[joined->len - 1]);
	}
	vectors = g_new(float, (gsize)texts->len *dims);
	if (!spk_embedder_ask(embedder, (const char *const *)texts->pdata, texts->len,
			      SPK_EMBED_PASSAGE, vectors, memory->patience_ms, cancel,
			      error))
		return NULL;
	for (gsize i = 0, at = n; i < n; i++)
		if (passages[i].before)
			blend(vectors + i * dims, vectors + at++ * dims, dims);
	return g_steal_pointer(&vectors);
}

void spk_memory_earlier_clear(SpkMemoryEarlier *earlier)
{
	for (guint i = 0; i < SPK_MEMORY_EARLIER; i++)
		g_clear_pointer(&earlier->text[i], g_free);
}

gboolean spk_memory_find_earlier(SpkMemory *memory, const char *scope, gint64 time_us,
				 gint64 num, SpkMemoryEarlier *ret, GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&memory->lock);
	g_autoptr(GPtrArray) rows = NULL;
	gint64 nums[SPK_MEMORY_EARLIER];
	gsize n = 0;

	memset(ret, 0, sizeof(*ret));
	if (!spk_memory_sync(memory, FALSE, error))
		return FALSE;
	while (n < SPK_MEMORY_EARLIER) {
		const SpkTurn *turn = spk_turns_before(memory->turns, scope, time_us, num,
						       memory->knobs.lend_gap_us);

		if (!turn)
			break;
		time_us = ret->time_us[n] = turn->time_us;
		num = nums[n++] = turn->num;
	}
	rows = spk_memories_by_num(memory->store, nums, n, error);
	/* One that went meanwhile leaves a gap, behind which none counts. */
	for (gsize i = 0; rows && i < n && rows->pdata[i]; i++)
		ret->text[i] = g_strdup(((const SpkMemoryRow *)rows->pdata[i])->text);
	return rows != NULL;
}

char *spk_memory_said_before(const SpkMemoryEarlier *earlier)
{
	g_autoptr(GString) said = NULL;

	for (guint i = SPK_MEMORY_EARLIER; i-- > 0;) {
		if (!earlier->text[i])
			continue;
		if (said)
			g_string_append_c(said, '\n');
		else
			said = g_string_new(NULL);
		g_string_append(said, spk_traits_body(earlier->text[i]));
	}
	return said ? g_string_free(g_steal_pointer(&said), FALSE) : NULL;
}

gboolean spk_memory_text_before(SpkMemory *memory, const char *scope, gint64 time_us,
				gint64 num, char **ret, GError **error)
{
	SpkMemoryEarlier earlier;
	gboolean ok =
		spk_memory_find_earlier(memory, scope, time_us, num, &earlier, error);

	*ret = ok ? spk_memory_said_before(&earlier) : NULL;
	spk_memory_earlier_clear(&earlier);
	return ok;
}

gboolean spk_memory_remake(SpkMemory *memory, gint64 num, GError **error)
{
	g_autoptr(GPtrArray) rows = spk_memories_by_num(memory->store, &num, 1, error);
	const SpkMemoryRow *row = rows && rows->len ? rows->pdata[0] : NULL;
	SpkMemoryPassage passage = { 0 };
	g_autofree float *vector = NULL;
	g_autofree char *before = NULL;
	g_autoptr(GError) moved = NULL;

	if (!row)
		return rows != NULL;
	if (row->speaker && !spk_memory_text_before(memory, row->scope, row->time_us, num,
						    &before, error))
		return FALSE;
	passage.text = spk_memory_said(row);
	passage.before = before;
	vector = spk_memory_vectors(memory, &passage, 1, NULL, error);
	if (!vector)
		return FALSE;
	if (spk_memories_set_vector(memory->store, num, row->change, memory->model,
				    vector, memory->dims, &moved))
		return TRUE;
	/* Somebody else changed it meanwhile, and made or will make its vector. */
	if (spk_error_is(moved, SPK_ERR_CONFLICT) ||
	    spk_error_is(moved, SPK_ERR_NOT_FOUND))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&moved));
	return FALSE;
}

gboolean spk_memory_next_turns(SpkMemory *memory, const SpkMemoryRow *row, GArray *nums,
			       GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&memory->lock);
	SpkTurn *turn, *before;

	if (!spk_memory_sync(memory, FALSE, error))
		return FALSE;
	turn = spk_turns_get(memory->turns, row->num);
	for (guint i = 0; turn && i < SPK_MEMORY_EARLIER; i++) {
		spk_turns_beside(memory->turns, turn, memory->knobs.lend_gap_us, &before,
				 &turn);
		if (turn)
			g_array_append_val(nums, turn->num);
	}
	return TRUE;
}

gboolean spk_memory_part_next(SpkMemory *memory, const SpkMemoryRow *row, GArray *nums,
			      GError **error)
{
	guint from = nums->len;

	if (!row->speaker || !spk_memory_embedder(memory))
		return TRUE;
	if (!spk_memory_next_turns(memory, row, nums, error))
		return FALSE;
	return spk_memories_part(memory->store,
				 (const gint64 *)(gpointer)nums->data + from,
				 nums->len - from, error);
}
