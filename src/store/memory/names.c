#include "base/error.h"
#include "store/memory/memory_priv.h"

/* One table for all of them; the letter keeps a scope "fact" and a kind "fact" apart. */
static char *spelled(SpkMemoryName what, const char *name)
{
	static const char letters[] = { 's', 'k', 'm' };

	return g_strdup_printf("%c%s", letters[what], name);
}

gboolean spk_memory_name_find(SpkTx *tx, SpkMemoryName what, const char *name,
			      gint64 *ret_id, GError **error)
{
	g_autofree char *key = spelled(what, name);

	*ret_id = 0;
	return spk_tx_int(tx, "SELECT id FROM memory_names WHERE name = $1",
			  SPK_ARGS(spk_db_text(key)), ret_id, error);
}

gboolean spk_memory_name_get(SpkTx *tx, SpkMemoryName what, const char *name,
			     gint64 *ret_id, GError **error)
{
	g_autofree char *key = spelled(what, name);

	if (!spk_memory_name_find(tx, what, name, ret_id, error))
		return FALSE;
	return *ret_id != 0 ||
	       spk_tx_int(tx,
			  "INSERT INTO memory_names (id, name)"
			  " SELECT coalesce(max(id), 0) + 1, $1 FROM memory_names"
			  " RETURNING id",
			  SPK_ARGS(spk_db_text(key)), ret_id, error);
}

gboolean spk_memory_name_drop(SpkTx *tx, gint64 id, GError **error)
{
	return spk_tx_exec(tx, "DELETE FROM memory_names WHERE id = $1",
			   SPK_ARGS(spk_db_int(id)), NULL, error);
}
