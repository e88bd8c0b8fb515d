/* Transactions and queries of the store, whatever the database below. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "store/store_priv.h"

SpkTx *spk_tx_begin(SpkStore *store, SpkTxMode mode, GError **error)
{
	return store->impl->begin(store->db, mode, error);
}

gboolean spk_tx_commit(SpkTx *take_tx, GError **error)
{
	return take_tx->impl->end(take_tx, TRUE, error);
}

void spk_tx_rollback(SpkTx *take_tx)
{
	(void)take_tx->impl->end(take_tx, FALSE, NULL); /* never fails */
}

SpkDbValue spk_db_text(const char *text)
{
	if (!text)
		return (SpkDbValue){ .type = SPK_DB_NULL };
	return (SpkDbValue){ .type = SPK_DB_TEXT, .text = text, .len = strlen(text) };
}

SpkDbValue spk_db_int(gint64 value)
{
	return (SpkDbValue){ .type = SPK_DB_INT, .integer = value };
}

SpkDbValue spk_db_real(double value)
{
	return (SpkDbValue){ .type = SPK_DB_REAL, .real = value };
}

SpkDbValue spk_db_blob(const void *blob, gsize len)
{
	return (SpkDbValue){ .type = SPK_DB_BLOB, .blob = blob, .len = len };
}

gboolean spk_tx_exec(SpkTx *tx, const char *sql, const SpkDbValue *args,
		     gint64 *ret_changed, GError **error)
{
	SpkDbQuery query = { .sql = sql, .args = args };

	if (!tx->impl->run(tx, &query, error))
		return FALSE;
	if (ret_changed)
		*ret_changed = query.changed;
	return TRUE;
}

gboolean spk_tx_each(SpkTx *tx, const char *sql, const SpkDbValue *args, SpkDbRowFn fn,
		     gpointer user, GError **error)
{
	SpkDbQuery query = { .sql = sql, .args = args, .row = fn, .user = user };

	return tx->impl->run(tx, &query, error);
}

static gboolean keep_int(const SpkDbValue *row, gpointer user, GError **error)
{
	gint64 *value = user;

	if (row[0].type == SPK_DB_INT)
		*value = row[0].integer;
	return TRUE;
}

gboolean spk_tx_int(SpkTx *tx, const char *sql, const SpkDbValue *args, gint64 *value,
		    GError **error)
{
	return spk_tx_each(tx, sql, args, keep_int, value, error);
}

static gboolean keep_text(const SpkDbValue *row, gpointer user, GError **error)
{
	char **value = user;

	g_free(*value);
	*value = spk_db_dup_text(&row[0]);
	return TRUE;
}

gboolean spk_tx_text(SpkTx *tx, const char *sql, const SpkDbValue *args, char **value,
		     GError **error)
{
	return spk_tx_each(tx, sql, args, keep_text, value, error);
}

char *spk_db_dup_text(const SpkDbValue *column)
{
	return column->type == SPK_DB_TEXT ? g_strndup(column->text, column->len) : NULL;
}

gboolean spk_db_dup_json(const SpkDbValue *column, json_t **ret_json, GError **error)
{
	g_autoptr(GError) problem = NULL;
	json_t *json = NULL;

	if (column->type == SPK_DB_TEXT) {
		/* We wrote it ourselves: what was let in has to come out. */
		json = spk_json_parse(column->text, column->len, G_MAXSIZE, &problem);
		if (!json) {
			spk_error_set(
				error, SPK_ERR_CORRUPT,
				"run `sparks doctor` and restore a backup if it agrees",
				"a JSON column of the database is damaged: %s",
				problem->message);
			return FALSE;
		}
	}
	*ret_json = json;
	return TRUE;
}
