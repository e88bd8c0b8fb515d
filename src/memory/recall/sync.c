/* The caches follow the store. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "memory/recall/memory_priv.h"

#define MEAN_OF	  512 /* vectors whose mean stands for that of all */
#define SAVE_FROM 256 /* writes since the index was saved, and a twentieth of it */

/* ---- the index ---- */

static gboolean put_vector(SpkMemory *memory, const SpkMemoryChange *change,
			   GError **error)
{
	if (change->gone || change->state != SPK_MEMORY_ACTIVE || !change->vector ||
	    change->dims != memory->dims) {
		spk_index_drop(memory->index, change->num);
		return TRUE;
	}
	return spk_index_put(memory->index, change->num, change->vector, error);
}

/* One that no index can hold is as good as none. */
static gboolean keep_damaged(SpkMemory *memory, const SpkMemoryChange *change,
			     GError *take_problem, GError **error)
{
	if (!spk_error_is(take_problem, SPK_ERR_BAD_INPUT)) {
		g_propagate_error(error, take_problem);
		return FALSE;
	}
	spk_warn("memory", "%s: another one is made", take_problem->message);
	g_error_free(take_problem);
	spk_index_drop(memory->index, change->num);
	if (!memory->damaged)
		memory->damaged = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_array_append_val(memory->damaged, change->num);
	return TRUE;
}

/* They go, so that they are filled in like any that is missing. */
static void drop_damaged(SpkMemory *memory)
{
	g_autoptr(GArray) damaged = g_steal_pointer(&memory->damaged);
	g_autoptr(GError) error = NULL;

	if (damaged &&
	    !spk_memories_part(memory->store, (const gint64 *)(void *)damaged->data,
			       damaged->len, &error))
		spk_info("memory", "damaged vectors stay in the store: %s",
			 error->message);
}

static gboolean apply_to_index(const SpkMemoryChange *change, gpointer user,
			       GError **error)
{
	SpkMemory *memory = user;
	GError *problem = NULL;

	if (!put_vector(memory, change, &problem) &&
	    !keep_damaged(memory, change, problem, error))
		return FALSE;
	memory->forgot |= change->gone;
	memory->index_change = change->change;
	return TRUE;
}

static void load_index(SpkMemory *memory)
{
	SpkIndexStamp want = { .model = memory->model, .change = memory->stamp.change };
	g_autoptr(GError) error = NULL;

	memory->index_options.dims = memory->dims;
	memory->index_change = 0;
	memcpy(want.store, memory->stamp.store, sizeof(want.store));
	memory->index = spk_index_load(memory->index_path, &memory->index_options, &want,
				       &memory->index_change, &error);
	if (memory->index)
		return;
	if (!spk_error_is(error, SPK_ERR_NOT_FOUND)) {
		spk_info("memory", "the index is made anew: %s", error->message);
		memory->forgot = TRUE; /* who knows of what the file still has vectors */
	}
	memory->index = spk_index_new(&memory->index_options);
}

typedef struct {
	SpkMemory *memory;
	double *sum;
	float *vector;
	gsize n;
} Mean;

static void add_to_mean(const SpkTurn *turn, gpointer user)
{
	Mean *mean = user;

	if (!spk_index_get(mean->memory->index, turn->num, mean->vector))
		return;
	for (guint d = 0; d < mean->memory->dims; d++)
		mean->sum[d] += (double)mean->vector[d];
	mean->n++;
}

/* What a cosine is worth nothing: made anew whenever there are twice as many memories. */
static void take_mean(SpkMemory *memory)
{
	gsize all = spk_turns_count(memory->turns);
	g_autofree double *sum = NULL;
	g_autofree float *vector = NULL;
	Mean mean = { .memory = memory };

	if (memory->mean && (all < 2 * memory->mean_of || memory->mean_of >= MEAN_OF))
		return;
	mean.sum = sum = g_new0(double, memory->dims);
	mean.vector = vector = g_new(float, memory->dims);
	spk_turns_each(memory->turns, MEAN_OF, add_to_mean, &mean);
	g_free(memory->mean);
	memory->mean = g_new0(float, memory->dims);
	for (guint d = 0; mean.n && d < memory->dims; d++)
		memory->mean[d] = (float)(sum[d] / (double)mean.n);
	memory->mean_of = MAX(mean.n, 1);
}

static gboolean sync_index(SpkMemory *memory, GError **error)
{
	if (!memory->index)
		load_index(memory);
	if (memory->index_change < memory->stamp.change) {
		if (!spk_memories_since(memory->store, memory->index_change,
					memory->model, apply_to_index, memory, error))
			return FALSE;
		memory->index_change = MAX(memory->index_change, memory->stamp.change);
		drop_damaged(memory);
	}
	take_mean(memory);
	return TRUE;
}

/* ---- the turns ---- */

static gboolean apply_to_turns(const SpkMemoryChange *change, gpointer user,
			       GError **error)
{
	SpkMemory *memory = user;

	(void)error; /* nothing can go wrong */
	spk_turns_apply(memory->turns, change);
	memory->stamp.change = MAX(memory->stamp.change, change->change);
	return TRUE;
}

static void forget_all(SpkMemory *memory)
{
	g_clear_pointer(&memory->turns, spk_turns_free);
	g_clear_pointer(&memory->index, spk_index_free);
	g_clear_pointer(&memory->mean, g_free);
	memory->mean_of = 0;
	memory->stamp.change = memory->index_change = 0;
}

gboolean spk_memory_sync(SpkMemory *memory, gboolean vectors, GError **error)
{
	SpkMemoryStamp now;

	if (!spk_memories_stamp(memory->store, &now, error))
		return FALSE;
	/* After a restore it is another table, which may be behind. */
	if (strcmp(now.store, memory->stamp.store) != 0 ||
	    now.change < memory->stamp.change) {
		forget_all(memory);
		memcpy(memory->stamp.store, now.store, sizeof(now.store));
	}
	if (!memory->turns)
		memory->turns = spk_turns_new();
	if (now.change > memory->stamp.change &&
	    !spk_memories_since(memory->store, memory->stamp.change, NULL, apply_to_turns,
				memory, error))
		return FALSE;
	return !vectors || !memory->model || sync_index(memory, error);
}

void spk_memory_note(SpkMemory *memory, const SpkMemoryRow *row, const float *vector)
{
	SpkMemoryChange change = { .num = row->num,
				   .change = row->change,
				   .state = row->state,
				   .time_us = row->time_us,
				   .scope = row->scope,
				   .kind = row->kind,
				   .speaker = row->speaker,
				   .vector = vector,
				   .dims = vector ? memory->dims : 0 };
	SpkTurn *turn;

	/* Somebody else wrote between: the next sync brings both. */
	if (row->change != memory->stamp.change + 1)
		return;
	spk_turns_apply(memory->turns, &change);
	memory->stamp.change = row->change;
	turn = spk_turns_get(memory->turns, row->num);
	if (turn) {
		spk_traits_of(row->text, &turn->traits);
		turn->known = TRUE;
	}
	if (memory->index && memory->index_change == row->change - 1 &&
	    put_vector(memory, &change, NULL))
		memory->index_change = row->change;
}

gboolean spk_memory_save_now(SpkMemory *memory, GError **error)
{
	SpkIndexStamp stamp = { .model = memory->model, .change = memory->index_change };

	memcpy(stamp.store, memory->stamp.store, sizeof(stamp.store));
	return spk_index_save(memory->index, memory->index_path, &stamp, error);
}

gboolean spk_memory_has_file(const SpkMemory *memory)
{
	return access(memory->index_path, F_OK) == 0;
}

/* What was forgotten goes out of the file: it is written anew, else it goes as a whole. */
static void save_forgotten(SpkMemory *memory)
{
	g_autoptr(GError) error = NULL;

	if (!spk_memory_has_file(memory) ||
	    (memory->model && spk_memory_sync(memory, TRUE, &error) &&
	     spk_memory_save_now(memory, &error)))
		return;
	spk_info("memory", "the saved index goes, for what was forgotten: %s",
		 error ? error->message : "there is no model to read it by");
	g_clear_error(&error);
	if (!spk_memory_drop_file(memory, &error))
		spk_warn("memory", "%s", error->message);
}

void spk_memory_save(SpkMemory *memory)
{
	SpkIndexStats stats;
	g_autoptr(GError) error = NULL;

	if (memory->forgot) {
		memory->forgot = FALSE;
		save_forgotten(memory);
		return;
	}
	if (!memory->index)
		return;
	spk_index_stats(memory->index, &stats);
	if (stats.writes >= MAX(SAVE_FROM, stats.live / 20) &&
	    !spk_memory_save_now(memory, &error))
		spk_info("memory", "the index was not saved: %s", error->message);
}

gboolean spk_memory_drop_file(SpkMemory *memory, GError **error)
{
	if (unlink(memory->index_path) == 0 || errno == ENOENT)
		return TRUE;
	spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot remove %s",
			    memory->index_path);
	return FALSE;
}

gboolean spk_memory_learn_traits(SpkMemory *memory, SpkPool *pool, GError **error)
{
	g_autoptr(GArray) nums = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_autoptr(GPtrArray) rows = NULL;

	for (guint i = 0; i < pool->all->len; i++)
		if (!spk_pool_at(pool, i)->turn->known)
			g_array_append_val(nums, spk_pool_at(pool, i)->num);
	if (!nums->len)
		return TRUE;
	rows = spk_memories_by_num(memory->store, (const gint64 *)(void *)nums->data,
				   nums->len, error);
	for (guint i = 0; rows && i < rows->len; i++) {
		const SpkMemoryRow *row = rows->pdata[i];
		SpkTurn *turn = row ? spk_turns_get(memory->turns, row->num) : NULL;

		if (!turn)
			continue;
		spk_traits_of(row->text, &turn->traits);
		turn->known = TRUE;
	}
	return rows != NULL;
}
