#include <string.h>

#include "base/error.h"
#include "store/memory/memory_priv.h"

/* In the database the bytes are little-endian. */
static void swap(void *floats, gsize n)
{
	guint32 *words = floats;

	for (gsize i = 0; G_BYTE_ORDER != G_LITTLE_ENDIAN && i < n; i++)
		words[i] = GUINT32_SWAP_LE_BE(words[i]);
}

gboolean spk_memory_vector_put(SpkTx *tx, gint64 num, const char *model,
			       const float *vector, guint dims, GError **error)
{
	g_autofree float *copy = g_memdup2(vector, dims * sizeof(float));
	gint64 id;

	swap(copy, dims);
	return spk_memory_name_get(tx, SPK_MEMORY_MODEL, model, &id, error) &&
	       spk_tx_exec(tx,
			   "INSERT INTO memory_vectors (num, model, vector)"
			   " VALUES ($1, $2, $3)"
			   " ON CONFLICT (num, model) DO UPDATE SET"
			   " vector = excluded.vector",
			   SPK_ARGS(spk_db_int(num), spk_db_int(id),
				    spk_db_blob(copy, dims * sizeof(float))),
			   NULL, error);
}

gboolean spk_memory_vectors_drop(SpkTx *tx, gint64 num, GError **error)
{
	return spk_tx_exec(tx, "DELETE FROM memory_vectors WHERE num = $1",
			   SPK_ARGS(spk_db_int(num)), NULL, error);
}

guint spk_memory_vector_read(const SpkDbValue *column, GArray *buffer)
{
	gsize dims = column->type == SPK_DB_BLOB ? column->len / sizeof(float) : 0;

	if (dims > SPK_MEMORY_DIMS_MAX || !dims)
		return 0;
	g_array_set_size(buffer, (guint)dims);
	memcpy(buffer->data, column->blob, dims * sizeof(float));
	swap(buffer->data, dims);
	return (guint)dims;
}

typedef struct {
	GArray *buffer;
	guint dims;
} Found;

static gboolean keep_vector(const SpkDbValue *row, gpointer user, GError **error)
{
	Found *found = user;

	found->dims = spk_memory_vector_read(&row[0], found->buffer);
	return TRUE;
}

gboolean spk_memories_vector(SpkStore *store, gint64 num, const char *model,
			     float **ret_vector, guint *ret_dims, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autoptr(GArray) buffer = g_array_new(FALSE, FALSE, sizeof(float));
	Found found = { .buffer = buffer };
	gint64 id;

	if (!tx || !spk_memory_name_find(tx, SPK_MEMORY_MODEL, model, &id, error) ||
	    !spk_tx_each(
		    tx, "SELECT vector FROM memory_vectors WHERE num = $1 AND model = $2",
		    SPK_ARGS(spk_db_int(num), spk_db_int(id)), keep_vector, &found,
		    error))
		return FALSE;
	*ret_dims = found.dims;
	*ret_vector = found.dims ? g_memdup2(buffer->data, found.dims * sizeof(float))
				 : NULL;
	return TRUE;
}

/* ---- later ones ---- */

static gboolean set_one(SpkTx *tx, const SpkMemoryVector *v, const char *model,
			guint dims, gboolean *ret_was, GError **error)
{
	SpkMemoryCounters next;
	gint64 change = -1;

	*ret_was = FALSE;
	if (!spk_tx_int(tx, "SELECT change FROM memories WHERE num = $1",
			SPK_ARGS(spk_db_int(v->num)), &change, error))
		return FALSE;
	if (change < 0 || (v->change && v->change != change))
		return TRUE;
	*ret_was = TRUE;
	return spk_memory_next(tx, FALSE, &next, error) &&
	       spk_memory_vector_put(tx, v->num, model, v->vector, dims, error) &&
	       spk_tx_exec(tx,
			   "UPDATE memories SET model = $2, change = $3 WHERE num = $1",
			   SPK_ARGS(spk_db_int(v->num), spk_db_text(model),
				    spk_db_int(next.change)),
			   NULL, error);
}

gboolean spk_memories_set_vectors(SpkStore *store, const char *model,
				  const SpkMemoryVector *vectors, guint dims, gsize n,
				  gsize *ret_n, GError **error)
{
	g_autoptr(SpkTx) tx = NULL;
	gsize set = 0;

	for (gsize i = 0; i < n; i++)
		if (!spk_memory_check_vector(vectors[i].vector, dims, model, error))
			return FALSE;
	tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	for (gsize i = 0; tx && i < n; i++) {
		gboolean was;

		if (!set_one(tx, &vectors[i], model, dims, &was, error))
			return FALSE;
		set += was;
	}
	if (!tx || !spk_tx_commit(g_steal_pointer(&tx), error))
		return FALSE;
	if (ret_n)
		*ret_n = set;
	return TRUE;
}

gboolean spk_memories_set_vector(SpkStore *store, gint64 num, gint64 change,
				 const char *model, const float *vector, guint dims,
				 GError **error)
{
	const SpkMemoryVector one = { num, change, vector };
	gsize n;

	if (!spk_memories_set_vectors(store, model, &one, dims, 1, &n, error))
		return FALSE;
	if (n)
		return TRUE;
	spk_error_set(error, change ? SPK_ERR_CONFLICT : SPK_ERR_NOT_FOUND, NULL,
		      "memory %" G_GINT64_FORMAT " was %s meanwhile", num,
		      change ? "changed or forgotten" : "forgotten");
	return FALSE;
}

static gboolean part_one(SpkTx *tx, gint64 num, GError **error)
{
	SpkMemoryCounters next;
	gint64 there = 0;

	if (!spk_tx_int(tx, "SELECT count(*) FROM memories WHERE num = $1",
			SPK_ARGS(spk_db_int(num)), &there, error))
		return FALSE;
	return !there || (spk_memory_next(tx, FALSE, &next, error) &&
			  spk_memory_vectors_drop(tx, num, error) &&
			  spk_tx_exec(tx,
				      "UPDATE memories SET model = NULL, change = $2"
				      " WHERE num = $1",
				      SPK_ARGS(spk_db_int(num), spk_db_int(next.change)),
				      NULL, error));
}

gboolean spk_memories_part(SpkStore *store, const gint64 *nums, gsize n, GError **error)
{
	g_autoptr(SpkTx) tx = n ? spk_tx_begin(store, SPK_TX_WRITE, error) : NULL;

	if (!n)
		return TRUE;
	for (gsize i = 0; tx && i < n; i++)
		if (!part_one(tx, nums[i], error))
			return FALSE;
	return tx && spk_tx_commit(g_steal_pointer(&tx), error);
}

gboolean spk_memories_drop_vectors(SpkStore *store, const char *model, gint64 *ret_n,
				   GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	const char *keep = model ? model : "";
	gint64 id = 0;

	return tx && spk_memory_name_find(tx, SPK_MEMORY_MODEL, keep, &id, error) &&
	       spk_tx_exec(tx, "DELETE FROM memory_vectors WHERE model <> $1",
			   SPK_ARGS(spk_db_int(id)), ret_n, error) &&
	       spk_tx_exec(tx, "UPDATE memories SET model = NULL WHERE model <> $1",
			   SPK_ARGS(spk_db_text(keep)), NULL, error) &&
	       spk_tx_exec(tx,
			   "DELETE FROM memory_names WHERE substr(name, 1, 1) = 'm'"
			   " AND id <> $1",
			   SPK_ARGS(spk_db_int(id)), NULL, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}
