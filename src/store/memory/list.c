/* Lists by filter, a page at a time. */
#include <string.h>

#include "base/error.h"
#include "store/memory/memory_priv.h"

#define MAX_ARGS 64 /* of a statement */

typedef struct {
	GString *sql;
	SpkDbValue args[MAX_ARGS + 1];
	guint n;
} Query;

static gboolean add_arg(Query *query, SpkDbValue value, GError **error)
{
	if (query->n >= MAX_ARGS) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, "name fewer scopes and kinds",
			      "the filter is too long");
		return FALSE;
	}
	query->args[query->n++] = value;
	query->args[query->n].type = SPK_DB_END;
	g_string_append_printf(query->sql, "$%u", query->n);
	return TRUE;
}

/* " AND column = value" */
static gboolean add_test(Query *query, const char *test, SpkDbValue value, GError **error)
{
	g_string_append_printf(query->sql, " AND %s ", test);
	return add_arg(query, value, error);
}

static gboolean add_names(Query *query, const char *column, const char *const *names,
			  GError **error)
{
	if (!names)
		return TRUE;
	g_string_append_printf(query->sql, " AND %s IN (", column);
	for (gsize i = 0; names[i]; i++) {
		g_string_append(query->sql, i ? ", " : "");
		if (!add_arg(query, spk_db_text(names[i]), error))
			return FALSE;
	}
	if (!*names) /* nothing is let through */
		g_string_append(query->sql, "NULL");
	g_string_append_c(query->sql, ')');
	return TRUE;
}

static gboolean add_where(Query *query, const SpkMemoryList *what, GError **error)
{
	g_string_append(query->sql, "WHERE 1 = 1");
	return add_names(query, "m.scope", what->filter.scopes, error) &&
	       add_names(query, "m.kind", what->filter.kinds, error) &&
	       (what->state < 0 ||
		add_test(query, "m.state =", spk_db_int(what->state), error)) &&
	       (!what->untrusted ||
		add_test(query, "m.untrusted =", spk_db_int(1), error)) &&
	       (!what->source ||
		add_test(query, "m.source =", spk_db_text(what->source), error)) &&
	       (!what->task ||
		add_test(query, "m.task =", spk_db_text(what->task), error)) &&
	       (!what->from_us ||
		add_test(query, "m.time_us >=", spk_db_int(what->from_us), error)) &&
	       (!what->until_us ||
		add_test(query, "m.time_us <", spk_db_int(what->until_us), error));
}

static gboolean add_page(Query *query, const SpkMemoryList *what, GError **error)
{
	g_string_append(query->sql, what->oldest_first
					    ? " ORDER BY m.time_us, m.num"
					    : " ORDER BY m.time_us DESC, m.num DESC");
	if (!what->limit && !what->offset)
		return TRUE;
	g_string_append(query->sql, " LIMIT ");
	if (!add_arg(query, spk_db_int(what->limit ? what->limit : G_MAXINT64), error))
		return FALSE;
	g_string_append(query->sql, " OFFSET ");
	return add_arg(query, spk_db_int(what->offset), error);
}

GPtrArray *spk_memories_list(SpkStore *store, const SpkMemoryList *what, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autoptr(GPtrArray) rows = spk_memory_rows_new();
	g_autoptr(GString) sql = g_string_new(spk_memory_select());
	Query query = { .sql = sql };

	if (!tx || !add_where(&query, what, error) || !add_page(&query, what, error) ||
	    !spk_tx_each(tx, sql->str, query.args, spk_memory_from_row, rows, error))
		return NULL;
	return g_steal_pointer(&rows);
}

gboolean spk_memories_count(SpkStore *store, const SpkMemoryList *what, gint64 *ret_n,
			    GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autoptr(GString) sql = g_string_new("SELECT count(*) FROM memories m ");
	Query query = { .sql = sql };

	query.args[0].type = SPK_DB_END;
	return tx && add_where(&query, what, error) &&
	       spk_tx_int(tx, sql->str, query.args, ret_n, error);
}
