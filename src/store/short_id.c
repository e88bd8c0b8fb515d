/* Ids that people type: of things of which there are few. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/store_priv.h"

#define LENGTH	   5
#define MIN_PREFIX 2
/* Ids are of [0-9a-z]; this sorts behind all of them. */
#define AFTER_IDS "~"

char *spk_short_id(void)
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	guint8 chance[LENGTH];
	char id[LENGTH + 1] = "";

	spk_random(chance, sizeof(chance));
	for (int i = 0; i < LENGTH; i++)
		id[i] = digits[chance[i] & 31];
	return g_strdup(id);
}

static gboolean collect(const SpkDbValue *row, gpointer user, GError **error)
{
	g_ptr_array_add(user, spk_db_dup_text(&row[0]));
	return TRUE;
}

char *spk_short_id_find(SpkTx *tx, const char *table, const char *id, const char *what,
			const char *where, GError **error)
{
	g_autofree char *prefix = g_ascii_strdown(id, -1);
	g_autofree char *end = g_strconcat(prefix, AFTER_IDS, NULL);
	g_autofree char *sql =
		g_strdup_printf("SELECT id FROM %s WHERE id >= $1 AND id < $2"
				" ORDER BY id LIMIT 5",
				table);
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *list = NULL;

	if (!spk_tx_each(tx, sql, SPK_ARGS(spk_db_text(prefix), spk_db_text(end)),
			 collect, found, error))
		return NULL;
	if (found->len == 1 && strlen(prefix) >= MIN_PREFIX)
		return g_ptr_array_steal_index(found, 0);
	if (!found->len || strlen(prefix) < MIN_PREFIX) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, where, "there is no %s %s", what,
			      id);
		return NULL;
	}
	g_ptr_array_add(found, NULL);
	list = g_strjoinv(", ", (char **)found->pdata);
	spk_error_set(error, SPK_ERR_USAGE, "give more characters of the id",
		      "%s may be several: %s", id, list);
	return NULL;
}
