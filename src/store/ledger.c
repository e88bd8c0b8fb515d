#include "store/ledger.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/store_priv.h"

#define DAY_US	 (G_GINT64_CONSTANT(86400) * 1000000)
#define ROWS_MAX 10000

typedef enum { RESERVED, SETTLED, UNSETTLED } CallState;

gint64 spk_ledger_today(void)
{
	return spk_now_us() / DAY_US;
}

static SpkDbValue cost_of(const SpkCall *call)
{
	return call->cost_nano < 0 ? spk_db_text(NULL) : spk_db_int(call->cost_nano);
}

/* Adds a call that was just booked to the sums. */
static gboolean add_up(SpkTx *tx, const SpkCall *call, CallState state, GError **error)
{
	gboolean unknown = call->cost_nano < 0;
	gint64 tokens = MAX(0, call->input) + MAX(0, call->output);

	return spk_tx_exec(
		tx,
		"INSERT INTO ledger_sums (day, task, spark, repo, provider, model, calls,"
		" tokens_in, tokens_out, tokens_cached, cache_write, cost_nano,"
		" unknown_calls, unknown_tokens, unsettled_calls, unsettled_nano)"
		" VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9, $10, $11, $12, $13, $14,"
		" $15) ON CONFLICT (day, task, spark, repo, provider, model) DO UPDATE SET"
		" calls = ledger_sums.calls + 1,"
		" tokens_in = ledger_sums.tokens_in + excluded.tokens_in,"
		" tokens_out = ledger_sums.tokens_out + excluded.tokens_out,"
		" tokens_cached = ledger_sums.tokens_cached + excluded.tokens_cached,"
		" cache_write = ledger_sums.cache_write + excluded.cache_write,"
		" cost_nano = ledger_sums.cost_nano + excluded.cost_nano,"
		" unknown_calls = ledger_sums.unknown_calls + excluded.unknown_calls,"
		" unknown_tokens = ledger_sums.unknown_tokens + excluded.unknown_tokens,"
		" unsettled_calls = ledger_sums.unsettled_calls + excluded.unsettled_calls,"
		" unsettled_nano = ledger_sums.unsettled_nano + excluded.unsettled_nano",
		SPK_ARGS(spk_db_int(spk_ledger_today()),
			 spk_db_text(call->task ? call->task : ""),
			 spk_db_text(call->spark), spk_db_text(call->repo),
			 spk_db_text(call->provider), spk_db_text(call->model),
			 spk_db_int(MAX(0, call->input)),
			 spk_db_int(MAX(0, call->output)),
			 spk_db_int(MAX(0, call->cached)),
			 spk_db_int(MAX(0, call->cache_write)),
			 spk_db_int(MAX(0, call->cost_nano)), spk_db_int(unknown),
			 spk_db_int(unknown ? tokens : 0), spk_db_int(state == UNSETTLED),
			 spk_db_int(state == UNSETTLED ? MAX(0, call->cost_nano) : 0)),
		NULL, error);
}

/* A settled row is never touched again. */
static gboolean put(SpkTx *tx, const SpkCall *call, CallState state, GError **error)
{
	gint64 changed = 0;

	if (!spk_tx_exec(
		    tx,
		    "INSERT INTO ledger (call_key, state, day, task, spark, repo, provider, model,"
		    " tokens_in, tokens_out, tokens_cached, cache_write, cost_nano, purpose,"
		    " holder, created_us)"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
		    " $16)"
		    " ON CONFLICT (call_key) DO UPDATE SET state = excluded.state,"
		    " day = excluded.day, provider = excluded.provider, model = excluded.model,"
		    " tokens_in = excluded.tokens_in, tokens_out = excluded.tokens_out,"
		    " tokens_cached = excluded.tokens_cached,"
		    " cache_write = excluded.cache_write, cost_nano = excluded.cost_nano,"
		    " holder = excluded.holder, created_us = excluded.created_us"
		    " WHERE ledger.state <> 1",
		    SPK_ARGS(spk_db_text(call->key), spk_db_int(state),
			     spk_db_int(spk_ledger_today()), spk_db_text(call->task),
			     spk_db_text(call->spark), spk_db_text(call->repo),
			     spk_db_text(call->provider), spk_db_text(call->model),
			     spk_db_int(MAX(0, call->input)),
			     spk_db_int(MAX(0, call->output)),
			     spk_db_int(MAX(0, call->cached)),
			     spk_db_int(MAX(0, call->cache_write)), cost_of(call),
			     spk_db_text(call->purpose), spk_db_text(spk_holder_self()),
			     spk_db_int(spk_now_us())),
		    &changed, error))
		return FALSE;
	return state == RESERVED || !changed || add_up(tx, call, state, error);
}

gboolean spk_ledger_put(SpkTx *tx, const SpkCall *call, GError **error)
{
	return put(tx, call, SETTLED, error);
}

gboolean spk_ledger_settle(SpkStore *store, const SpkCall *call, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);

	return tx && put(tx, call, SETTLED, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}

/* ---- reservations ---- */

static gboolean collect_gone(const SpkDbValue *row, gpointer user, GError **error)
{
	g_autofree char *holder = spk_db_dup_text(&row[0]);

	if (!spk_holder_alive(holder))
		g_ptr_array_add(user, g_steal_pointer(&holder));
	return TRUE;
}

/* A task has one call at a time: what else it has reserved is a former holder's. */
static gboolean let_go(SpkTx *tx, const char *task, GError **error)
{
	g_autoptr(GPtrArray) gone = g_ptr_array_new_with_free_func(g_free);

	if (!spk_tx_exec(tx, "DELETE FROM ledger WHERE task = $1 AND state = 0",
			 SPK_ARGS(spk_db_text(task)), NULL, error) ||
	    !spk_tx_each(tx, "SELECT DISTINCT holder FROM ledger WHERE state = 0", NULL,
			 collect_gone, gone, error))
		return FALSE;
	for (guint i = 0; i < gone->len; i++)
		if (!spk_tx_exec(tx, "DELETE FROM ledger WHERE holder = $1 AND state = 0",
				 SPK_ARGS(spk_db_text(gone->pdata[i])), NULL, error))
			return FALSE;
	return TRUE;
}

typedef struct {
	gint64 nano, tokens;
} Taken;

static gboolean read_taken(const SpkDbValue *row, gpointer user, GError **error)
{
	*(Taken *)user = (Taken){ row[0].integer, row[1].integer };
	return TRUE;
}

#define TAKEN \
	"SELECT coalesce(sum(cost_nano), 0), coalesce(sum(tokens_in + tokens_out), 0) FROM ledger WHERE "

/* Differences, so that no sum can leave the range. */
static gboolean fits(gint64 limit, gint64 taken, gint64 more)
{
	return !limit || (taken <= limit && more <= limit - taken);
}

static gboolean check(const char *what, const char *remedy, const Taken *taken,
		      const SpkCall *call, gint64 nano, gint64 tokens, GError **error)
{
	gint64 more = MAX(0, call->input) + MAX(0, call->output);

	if (nano && call->cost_nano < 0) {
		spk_error_set(error, SPK_ERR_LIMIT,
			      "put its price into ~/.sparks/prices.toml, or limit tokens "
			      "instead of money",
			      "the price of %s:%s is not known, so the budget of the %s "
			      "cannot be kept",
			      call->provider, call->model, what);
		return FALSE;
	}
	if (!fits(nano, taken->nano, call->cost_nano)) {
		spk_error_set(
			error, SPK_ERR_LIMIT, remedy,
			"the budget of the %s is reached: $%.4f of $%.4f are spent or "
			"reserved, the next call may cost $%.4f",
			what, (double)taken->nano / 1e9, (double)nano / 1e9,
			(double)call->cost_nano / 1e9);
		return FALSE;
	}
	if (fits(tokens, taken->tokens, more))
		return TRUE;
	spk_error_set(
		error, SPK_ERR_LIMIT, remedy,
		"the budget of the %s is reached: %" G_GINT64_FORMAT
		" of %" G_GINT64_FORMAT
		" tokens are used or reserved, the next call may take %" G_GINT64_FORMAT,
		what, taken->tokens, tokens, more);
	return FALSE;
}

gboolean spk_ledger_reserve(SpkStore *store, const SpkCall *call, const SpkBudget *budget,
			    GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	Taken task = { 0, 0 }, day = { 0, 0 };

	if (!tx || !let_go(tx, call->task, error))
		return FALSE;
	if (call->task &&
	    !spk_tx_each(tx, TAKEN "task = $1", SPK_ARGS(spk_db_text(call->task)),
			 read_taken, &task, error))
		return FALSE;
	if ((budget->day_nano || budget->day_tokens) &&
	    !spk_tx_each(tx, TAKEN "day = $1", SPK_ARGS(spk_db_int(spk_ledger_today())),
			 read_taken, &day, error))
		return FALSE;
	return check("task", "go on with more: sparks tasks resume ID --budget-usd N",
		     &task, call, budget->task_nano, budget->task_tokens, error) &&
	       check("day",
		     "raise [budget] day_usd or day_tokens, or wait for the next day (UTC); "
		     "then: sparks tasks resume ID",
		     &day, call, budget->day_nano, budget->day_tokens, error) &&
	       put(tx, call, RESERVED, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}

gboolean spk_ledger_fail(SpkStore *store, const char *key, const SpkCall *estimate,
			 GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autofree char *own = spk_id_new();
	g_autofree char *failed = g_strconcat(key, "/failed/", own, NULL);
	SpkCall call;

	if (!tx ||
	    !spk_tx_exec(tx, "DELETE FROM ledger WHERE call_key = $1 AND state = 0",
			 SPK_ARGS(spk_db_text(key)), NULL, error))
		return FALSE;
	if (estimate) {
		call = *estimate;
		call.key = failed; /* the turn is asked for again under its own */
		if (!put(tx, &call, UNSETTLED, error))
			return FALSE;
	}
	return spk_tx_commit(g_steal_pointer(&tx), error);
}

/* ---- sums ---- */

void spk_cost_row_free(SpkCostRow *row)
{
	if (row)
		g_free(row->name);
	g_free(row);
}

static gboolean row_from_db(const SpkDbValue *row, gpointer user, GError **error)
{
	SpkCostRow *sum = g_new0(SpkCostRow, 1);

	sum->name = row[0].type == SPK_DB_INT
			    ? g_strdup_printf("%" G_GINT64_FORMAT, row[0].integer)
			    : spk_db_dup_text(&row[0]);
	if (!sum->name)
		sum->name = g_strdup("");
	sum->calls = row[1].integer;
	sum->input = row[2].integer;
	sum->output = row[3].integer;
	sum->cached = row[4].integer;
	sum->cache_write = row[5].integer;
	sum->cost_nano = row[6].integer;
	sum->unknown_calls = row[7].integer;
	sum->unknown_tokens = row[8].integer;
	sum->unsettled_calls = row[9].integer;
	sum->unsettled_nano = row[10].integer;
	g_ptr_array_add(user, sum);
	return TRUE;
}

#define SUMS                                                                   \
	", coalesce(sum(calls), 0), coalesce(sum(tokens_in), 0),"              \
	" coalesce(sum(tokens_out), 0), coalesce(sum(tokens_cached), 0),"      \
	" coalesce(sum(cache_write), 0), coalesce(sum(cost_nano), 0),"         \
	" coalesce(sum(unknown_calls), 0), coalesce(sum(unknown_tokens), 0),"  \
	" coalesce(sum(unsettled_calls), 0), coalesce(sum(unsettled_nano), 0)" \
	" FROM ledger_sums WHERE day >= $1 AND ($2 IS NULL OR task = $2)"

static const struct {
	const char *by, *sql;
} sums[] = {
	{ "task", "SELECT task" SUMS " GROUP BY task" },
	{ "spark", "SELECT spark" SUMS " GROUP BY spark" },
	{ "repo", "SELECT repo" SUMS " GROUP BY repo" },
	{ "model", "SELECT model" SUMS " GROUP BY model" },
	{ "provider", "SELECT provider" SUMS " GROUP BY provider" },
	{ "day", "SELECT day" SUMS " GROUP BY day" },
};

GPtrArray *spk_ledger_sum(SpkStore *store, const char *by, gint64 since_day,
			  const char *task, GError **error)
{
	g_autoptr(GPtrArray)
		rows = g_ptr_array_new_with_free_func((GDestroyNotify)spk_cost_row_free);
	g_autoptr(SpkTx) tx = NULL;
	const char *select = by ? NULL : "SELECT ''" SUMS;
	g_autofree char *sql = NULL;

	for (gsize i = 0; by && i < G_N_ELEMENTS(sums); i++)
		if (!strcmp(sums[i].by, by))
			select = sums[i].sql;
	if (!select) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "one of task spark repo model provider day",
			      "costs are not kept by \"%s\"", by);
		return NULL;
	}
	/* most recent first by day, else the dearest; 7 is cost, 2 calls */
	sql = g_strdup_printf("%s ORDER BY %s LIMIT %d", select,
			      !g_strcmp0(by, "day") ? "1 DESC" : "7 DESC, 2 DESC, 1",
			      ROWS_MAX);
	tx = spk_tx_begin(store, SPK_TX_READ, error);
	if (!tx ||
	    !spk_tx_each(tx, sql, SPK_ARGS(spk_db_int(since_day), spk_db_text(task)),
			 row_from_db, rows, error))
		return NULL;
	return g_steal_pointer(&rows);
}

static gboolean read_cost(const SpkDbValue *row, gpointer user, GError **error)
{
	*(gint64 *)user = row[1].integer ? -1 : row[0].integer;
	return TRUE;
}

gboolean spk_ledger_task_cost(SpkStore *store, const char *task, gint64 *ret_nano,
			      GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	return tx && spk_tx_each(tx,
				 "SELECT coalesce(sum(cost_nano), 0),"
				 " count(*) - count(cost_nano)"
				 " FROM ledger WHERE task = $1 AND state <> 0",
				 SPK_ARGS(spk_db_text(task)), read_cost, ret_nano, error);
}
