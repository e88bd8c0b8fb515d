/* Storing, editing, merging, and taking out of use. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/memory/memory_priv.h"

#define BULK_FROM 8  /* memories in one call that are gathered by word */
#define PAST_MAX  32 /* earlier texts that are kept of each memory */

/* ---- helpers ---- */

static gboolean not_found(const char *id, GError **error)
{
	spk_error_set(error, SPK_ERR_NOT_FOUND,
		      "`sparks memory list` shows what there is", "there is no memory %s",
		      id);
	return FALSE;
}

static gboolean changed(const char *id, GError **error)
{
	spk_error_set(error, SPK_ERR_CONFLICT, "try again",
		      "memory %s was changed meanwhile", id);
	return FALSE;
}

static gboolean find_by_id(SpkTx *tx, const char *id, SpkMemoryRow **ret, GError **error)
{
	return spk_memory_find_row(tx, "WHERE m.id = $1", SPK_ARGS(spk_db_text(id)), ret,
				   error);
}

/* What others kept of forgotten rows goes with the next write. */
static gboolean commit(SpkStore *store, SpkTx *take_tx, gboolean scrub, GError **error)
{
	if (!spk_tx_commit(take_tx, error))
		return FALSE;
	if (scrub)
		spk_memory_try_scrub(store, FALSE);
	return TRUE;
}

gboolean spk_memory_set_state(SpkTx *tx, SpkMemoryRow *row, SpkMemoryState state,
			      const char *successor, SpkMemoryCounters *next,
			      GError **error)
{
	g_autoptr(SpkMemoryRow) old = spk_memory_row_copy(row);

	row->state = state;
	return spk_memory_next(tx, FALSE, next, error) &&
	       spk_memory_index_current(tx, next, error) &&
	       spk_tx_exec(tx,
			   "UPDATE memories SET state = $2, superseded_by ="
			   " coalesce($3, superseded_by), change = $4, updated_us = $5"
			   " WHERE num = $1",
			   SPK_ARGS(spk_db_int(row->num), spk_db_int(state),
				    spk_db_text(successor), spk_db_int(next->change),
				    spk_db_int(spk_now_us())),
			   NULL, error) &&
	       spk_memory_index_change(tx, old, row, error);
}

/* ---- storing ---- */

gboolean spk_memory_write_row(SpkTx *tx, const SpkMemoryRow *row, GError **error)
{
	return spk_tx_exec(
		tx,
		"INSERT INTO memories (num, id, text, kind, scope, source, task, entry,"
		" untrusted, time_us, stored_us, updated_us, confidence, speaker,"
		" supersedes, superseded_by, state, change, merged, model)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
		" $15, $16, $17, $18, $19, $20)"
		" ON CONFLICT (num) DO UPDATE SET text = excluded.text,"
		" kind = excluded.kind, scope = excluded.scope,"
		" source = excluded.source, task = excluded.task,"
		" entry = excluded.entry, untrusted = excluded.untrusted,"
		" time_us = excluded.time_us, stored_us = excluded.stored_us,"
		" updated_us = excluded.updated_us, confidence = excluded.confidence,"
		" speaker = excluded.speaker, supersedes = excluded.supersedes,"
		" superseded_by = excluded.superseded_by, state = excluded.state,"
		" change = excluded.change, merged = excluded.merged,"
		" model = excluded.model",
		SPK_ARGS(spk_db_int(row->num), spk_db_text(row->id),
			 spk_db_text(row->text), spk_db_text(row->kind),
			 spk_db_text(row->scope), spk_db_text(row->source),
			 spk_db_text(row->task), spk_db_int(row->entry),
			 spk_db_int(row->untrusted ? 1 : 0), spk_db_int(row->time_us),
			 spk_db_int(row->stored_us), spk_db_int(row->updated_us),
			 spk_db_real(row->confidence), spk_db_text(row->speaker),
			 spk_db_text(row->supersedes), spk_db_text(row->superseded_by),
			 spk_db_int(row->state), spk_db_int(row->change),
			 spk_db_int(row->merged), spk_db_text(row->model)),
		NULL, error);
}

/* Vectors belong to a text: those of another text go. */
static gboolean write_vector(SpkTx *tx, const SpkMemoryRow *row, const SpkMemoryRow *old,
			     const float *vector, guint dims, GError **error)
{
	if (old && strcmp(old->text, row->text) != 0 &&
	    !spk_memory_vectors_drop(tx, row->num, error))
		return FALSE;
	return !vector ||
	       spk_memory_vector_put(tx, row->num, row->model, vector, dims, error);
}

static gboolean same_words(const SpkMemoryRow *a, const SpkMemoryRow *b)
{
	return a->state == b->state && !strcmp(a->text, b->text) &&
	       !strcmp(a->scope, b->scope) && !strcmp(a->kind, b->kind);
}

static gboolean supersede_old(SpkTx *tx, const SpkMemoryRow *row, GError **error)
{
	g_autoptr(SpkMemoryRow) before = NULL;
	SpkMemoryCounters next;

	if (!row->supersedes || row->state != SPK_MEMORY_ACTIVE)
		return TRUE;
	if (!find_by_id(tx, row->supersedes, &before, error))
		return FALSE;
	return !before || before->state != SPK_MEMORY_ACTIVE ||
	       spk_memory_set_state(tx, before, SPK_MEMORY_SUPERSEDED, row->id, &next,
				    error);
}

static gboolean keep_past(SpkTx *tx, const SpkMemoryRow *old, gint64 at_us,
			  GError **error)
{
	return spk_tx_exec(
		       tx,
		       "INSERT INTO memory_past (num, seq, text, source, task, entry,"
		       " time_us, at_us) SELECT $1, coalesce(max(seq), 0) + 1, $2, $3,"
		       " $4, $5, $6, $7 FROM memory_past WHERE num = $1",
		       SPK_ARGS(spk_db_int(old->num), spk_db_text(old->text),
				spk_db_text(old->source), spk_db_text(old->task),
				spk_db_int(old->entry), spk_db_int(old->time_us),
				spk_db_int(at_us)),
		       NULL, error) &&
	       spk_tx_exec(tx,
			   "DELETE FROM memory_past WHERE num = $1 AND id IS NULL"
			   " AND seq <= (SELECT max(seq) FROM memory_past"
			   " WHERE num = $1) - $2",
			   SPK_ARGS(spk_db_int(old->num), spk_db_int(PAST_MAX)), NULL,
			   error);
}

typedef struct {
	SpkTx *tx;
	SpkMemoryBulk *bulk; /* NULL: each by itself */
	gboolean edit;
	gboolean scrub; /* out: something is to be scrubbed */
} Put;

/* What the caller left open, and what goes on from what is there. */
static void fill_in(SpkMemoryRow *row, const SpkMemoryRow *old,
		    const SpkMemoryCounters *next, const float *vector)
{
	gint64 now = spk_now_us();
	gboolean same_text = old && !strcmp(old->text, row->text);

	row->num = old ? old->num : next->num;
	row->change = next->change;
	row->updated_us = now;
	row->time_us = row->time_us ? row->time_us : now;
	row->stored_us = row->stored_us ? row->stored_us : now;
	row->merged = old ? old->merged : 0;
	if (vector)
		return;
	g_free(row->model);
	row->model = same_text ? g_strdup(old->model) : NULL;
}

static gboolean write_words(Put *put, const SpkMemoryRow *row, const SpkMemoryRow *old,
			    GError **error)
{
	if (old && same_words(old, row))
		return TRUE;
	if (!old && put->bulk)
		return spk_memory_bulk_add(put->bulk, row, error);
	/* what is gathered lies before this one */
	return (!put->bulk || spk_memory_bulk_finish(put->bulk, error)) &&
	       spk_memory_index_change(put->tx, old, row, error);
}

static gboolean put_one(Put *put, SpkMemoryRow *row, const float *vector, guint dims,
			GError **error)
{
	g_autoptr(SpkMemoryRow) old = NULL;
	SpkMemoryCounters next;
	gboolean scrub = FALSE;

	if (!find_by_id(put->tx, row->id, &old, error))
		return FALSE;
	if (!old && put->edit)
		return not_found(row->id, error);
	if (put->edit && row->change && row->change != old->change)
		return changed(row->id, error);
	/* the id may have been that of a merged one */
	if (!old && !spk_memory_merged_drop(put->tx, row->id, &scrub, error))
		return FALSE;
	if (!spk_memory_next(put->tx, !old, &next, error) ||
	    !spk_memory_index_current(put->tx, &next, error))
		return FALSE;
	put->scrub |= next.scrub || scrub;
	fill_in(row, old, &next, vector);
	if (put->edit && strcmp(old->text, row->text) != 0 &&
	    !keep_past(put->tx, old, row->updated_us, error))
		return FALSE;
	return spk_memory_write_row(put->tx, row, error) &&
	       write_vector(put->tx, row, old, vector, dims, error) &&
	       write_words(put, row, old, error) && supersede_old(put->tx, row, error);
}

gboolean spk_memories_put_many(SpkStore *store, SpkMemoryRow *const *rows,
			       const float *const *vectors, guint dims, gsize n,
			       GError **error)
{
	g_autoptr(SpkTx) tx = NULL;
	g_autoptr(SpkMemoryBulk) bulk = NULL;
	Put put = { 0 };

	for (gsize i = 0; i < n; i++)
		if (!spk_memory_check_row(rows[i], error) ||
		    !spk_memory_check_vector(vectors ? vectors[i] : NULL, dims,
					     rows[i]->model, error))
			return FALSE;
	tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	if (!tx)
		return FALSE;
	bulk = n >= BULK_FROM ? spk_memory_bulk_new(tx) : NULL;
	put.tx = tx;
	put.bulk = bulk;
	for (gsize i = 0; i < n; i++)
		if (!put_one(&put, rows[i], vectors ? vectors[i] : NULL, dims, error))
			return FALSE;
	return (!bulk || spk_memory_bulk_finish(bulk, error)) &&
	       commit(store, g_steal_pointer(&tx), put.scrub, error);
}

gboolean spk_memories_put(SpkStore *store, SpkMemoryRow *row, const float *vector,
			  guint dims, GError **error)
{
	return spk_memories_put_many(store, &row, &vector, dims, 1, error);
}

gboolean spk_memories_edit(SpkStore *store, SpkMemoryRow *row, const float *vector,
			   guint dims, GError **error)
{
	g_autoptr(SpkTx) tx = NULL;
	Put put = { .edit = TRUE };

	if (!spk_memory_check_row(row, error) ||
	    !spk_memory_check_vector(vector, dims, row->model, error))
		return FALSE;
	put.tx = tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	return tx && put_one(&put, row, vector, dims, error) &&
	       commit(store, g_steal_pointer(&tx), put.scrub, error);
}

/* ---- said again ---- */

static gboolean refuse_taken(SpkTx *tx, const char *id, GError **error)
{
	g_autoptr(SpkMemoryRow) taken = NULL;

	if (!find_by_id(tx, id, &taken, error))
		return FALSE;
	if (!taken)
		return TRUE;
	spk_error_set(error, SPK_ERR_CONFLICT, "forget it first, or give another id",
		      "there is a memory %s already", id);
	return FALSE;
}

static gboolean add_merged(SpkTx *tx, const SpkMemoryRow *into, const SpkMemoryRow *row,
			   GError **error)
{
	gint64 now = spk_now_us();
	const char *text = strcmp(into->text, row->text) != 0 ? row->text : NULL;

	return spk_tx_exec(tx,
			   "INSERT INTO memory_past (num, seq, id, text, source, task,"
			   " entry, time_us, at_us) SELECT $1, coalesce(max(seq), 0) + 1,"
			   " $2, $3, $4, $5, $6, $7, $8 FROM memory_past WHERE num = $1",
			   SPK_ARGS(spk_db_int(into->num), spk_db_text(row->id),
				    spk_db_text(text), spk_db_text(row->source),
				    spk_db_text(row->task), spk_db_int(row->entry),
				    spk_db_int(row->time_us ? row->time_us : now),
				    spk_db_int(now)),
			   NULL, error);
}

gboolean spk_memories_merge(SpkStore *store, const char *into, const SpkMemoryRow *row,
			    GError **error)
{
	g_autoptr(SpkTx) tx = NULL;
	g_autoptr(SpkMemoryRow) target = NULL;
	SpkMemoryCounters next;
	gboolean scrub;

	if (!spk_memory_check_row(row, error))
		return FALSE;
	tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	if (!tx || !find_by_id(tx, into, &target, error))
		return FALSE;
	if (!target)
		return not_found(into, error);
	if (target->state != SPK_MEMORY_ACTIVE)
		return changed(into, error);
	return refuse_taken(tx, row->id, error) &&
	       spk_memory_merged_drop(tx, row->id, &scrub, error) &&
	       spk_memory_next(tx, FALSE, &next, error) &&
	       add_merged(tx, target, row, error) &&
	       spk_tx_exec(
		       tx,
		       "UPDATE memories SET merged = (SELECT count(*) FROM memory_past"
		       " WHERE num = $1 AND id IS NOT NULL), change = $2"
		       " WHERE num = $1",
		       SPK_ARGS(spk_db_int(target->num), spk_db_int(next.change)), NULL,
		       error) &&
	       commit(store, g_steal_pointer(&tx), next.scrub || scrub, error);
}

/* ---- out of use, and back ---- */

gboolean spk_memories_supersede(SpkStore *store, const char *old_id, const char *new_id,
				GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autoptr(SpkMemoryRow) old = NULL, now = NULL;
	SpkMemoryCounters next;

	if (!tx || !find_by_id(tx, old_id, &old, error) ||
	    !find_by_id(tx, new_id, &now, error))
		return FALSE;
	if (!old || !now)
		return not_found(old ? new_id : old_id, error);
	if (old->state != SPK_MEMORY_ACTIVE || old->num == now->num) {
		spk_error_set(error, SPK_ERR_CONFLICT, "`sparks memory why` tells more",
			      "memory %s cannot be superseded: it is %s", old_id,
			      old->num == now->num ? "the same"
						   : spk_memory_state_name(old->state));
		return FALSE;
	}
	return spk_memory_set_state(tx, old, SPK_MEMORY_SUPERSEDED, new_id, &next,
				    error) &&
	       spk_tx_exec(tx,
			   "UPDATE memories SET supersedes = $2, change = $3"
			   " WHERE num = $1",
			   SPK_ARGS(spk_db_int(now->num), spk_db_text(old_id),
				    spk_db_int(next.change)),
			   NULL, error) &&
	       commit(store, g_steal_pointer(&tx), next.scrub, error);
}

/* From in use to `state`, or back. */
static gboolean turn(SpkStore *store, const char *id, SpkMemoryState state,
		     gboolean *ret_was, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autoptr(SpkMemoryRow) row = NULL;
	SpkMemoryCounters next;

	*ret_was = FALSE;
	if (!tx || !find_by_id(tx, id, &row, error))
		return FALSE;
	if (!row || (row->state == SPK_MEMORY_ACTIVE) == (state == SPK_MEMORY_ACTIVE))
		return TRUE;
	if (!spk_memory_set_state(tx, row, state, NULL, &next, error) ||
	    !commit(store, g_steal_pointer(&tx), next.scrub, error))
		return FALSE;
	*ret_was = TRUE;
	return TRUE;
}

gboolean spk_memories_retire(SpkStore *store, const char *id, gboolean *ret_was,
			     GError **error)
{
	return turn(store, id, SPK_MEMORY_RETIRED, ret_was, error);
}

gboolean spk_memories_revive(SpkStore *store, const char *id, gboolean *ret_was,
			     GError **error)
{
	return turn(store, id, SPK_MEMORY_ACTIVE, ret_was, error);
}
