#include "store/rules.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/store_priv.h"

#define SEE "see `sparks policy rules`"

void spk_rule_free(SpkRule *rule)
{
	if (!rule)
		return;
	g_free(rule->id);
	g_free(rule->pattern);
	g_free(rule->spark);
	g_free(rule->repo);
	g_free(rule->taint);
	g_free(rule->by);
	g_free(rule->question);
	g_free(rule);
}

/* '' stands for NULL, which no UNIQUE would see. */
static char *dup_scope(const SpkDbValue *column)
{
	g_autofree char *text = spk_db_dup_text(column);

	return text && *text ? g_steal_pointer(&text) : NULL;
}

static gboolean from_row(const SpkDbValue *row, gpointer user, GError **error)
{
	SpkRule *rule = g_new0(SpkRule, 1);

	rule->id = spk_db_dup_text(&row[0]);
	rule->allow = row[1].integer;
	rule->pattern = spk_db_dup_text(&row[2]);
	rule->spark = dup_scope(&row[3]);
	rule->repo = dup_scope(&row[4]);
	rule->taint = spk_db_dup_text(&row[5]);
	rule->by = spk_db_dup_text(&row[6]);
	rule->question = spk_db_dup_text(&row[7]);
	rule->created_us = row[8].integer;
	rule->used_us = row[9].integer;
	rule->uses = row[10].integer;
	g_ptr_array_add(user, rule);
	return TRUE;
}

#define SELECT                                                                          \
	"SELECT id, allow, pattern, spark, repo, taint, made_by, question, created_us," \
	" used_us, uses FROM rules"

static gboolean select_rules(SpkTx *tx, const char *sql, const SpkDbValue *args,
			     GPtrArray **ret, GError **error)
{
	g_autoptr(GPtrArray)
		rules = g_ptr_array_new_with_free_func((GDestroyNotify)spk_rule_free);

	if (!spk_tx_each(tx, sql, args, from_row, rules, error))
		return FALSE;
	*ret = g_steal_pointer(&rules);
	return TRUE;
}

GPtrArray *spk_rules_list(SpkStore *store, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	GPtrArray *rules = NULL;

	if (tx)
		(void)select_rules(tx, SELECT " ORDER BY created_us, id", NULL, &rules,
				   error);
	return rules;
}

GPtrArray *spk_rules_for(SpkStore *store, const char *spark, const char *repo,
			 GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	GPtrArray *rules = NULL;

	if (tx)
		(void)select_rules(tx,
				   SELECT " WHERE spark IN ('', $1) AND repo IN ('', $2)",
				   SPK_ARGS(spk_db_text(spark ? spark : ""),
					    spk_db_text(repo ? repo : "")),
				   &rules, error);
	return rules;
}

/* Saved again: the stronger taint of the two stays. */
static gboolean insert(SpkTx *tx, const SpkRule *rule, const char *id, GError **error)
{
	return spk_tx_exec(
		tx,
		"INSERT INTO rules (id, allow, pattern, spark, repo, taint, made_by,"
		" question, created_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
		" ON CONFLICT (allow, pattern, spark, repo) DO UPDATE SET taint ="
		" CASE WHEN excluded.taint = 'outside' OR rules.taint = 'operator'"
		" THEN excluded.taint ELSE rules.taint END",
		SPK_ARGS(spk_db_text(id), spk_db_int(rule->allow ? 1 : 0),
			 spk_db_text(rule->pattern),
			 spk_db_text(rule->spark ? rule->spark : ""),
			 spk_db_text(rule->repo ? rule->repo : ""),
			 spk_db_text(rule->taint ? rule->taint : "operator"),
			 spk_db_text(rule->by), spk_db_text(rule->question),
			 spk_db_int(rule->created_us ? rule->created_us : spk_now_us())),
		NULL, error);
}

static gboolean is_taken(SpkTx *tx, const char *id, gboolean *ret, GError **error)
{
	gint64 n = 0;

	if (!spk_tx_int(tx, "SELECT count(*) FROM rules WHERE id = $1",
			SPK_ARGS(spk_db_text(id)), &n, error))
		return FALSE;
	*ret = n > 0;
	return TRUE;
}

gboolean spk_rules_put(SpkTx *tx, const SpkRule *rule, char **ret_id, GError **error)
{
	g_autofree char *id = NULL;
	gboolean taken = TRUE;

	while (taken) {
		g_free(id);
		id = spk_short_id();
		if (!is_taken(tx, id, &taken, error))
			return FALSE;
	}
	if (!insert(tx, rule, id, error))
		return FALSE;
	return !ret_id ||
	       spk_tx_text(tx,
			   "SELECT id FROM rules WHERE allow = $1 AND pattern = $2"
			   " AND spark = $3 AND repo = $4",
			   SPK_ARGS(spk_db_int(rule->allow ? 1 : 0),
				    spk_db_text(rule->pattern),
				    spk_db_text(rule->spark ? rule->spark : ""),
				    spk_db_text(rule->repo ? rule->repo : "")),
			   ret_id, error);
}

gboolean spk_rules_add(SpkStore *store, const SpkRule *rule, char **ret_id,
		       GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autofree char *id = NULL;

	if (!tx || !spk_rules_put(tx, rule, &id, error) ||
	    !spk_tx_commit(g_steal_pointer(&tx), error))
		return FALSE;
	if (ret_id)
		*ret_id = g_steal_pointer(&id);
	return TRUE;
}

gboolean spk_rules_drop(SpkStore *store, const char *id, SpkRule **ret_was,
			GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autofree char *whole =
		tx ? spk_short_id_find(tx, "rules", id, "saved rule", SEE, error) : NULL;
	g_autoptr(GPtrArray) was = NULL;

	if (!whole ||
	    !select_rules(tx, SELECT " WHERE id = $1", SPK_ARGS(spk_db_text(whole)), &was,
			  error) ||
	    !spk_tx_exec(tx, "DELETE FROM rules WHERE id = $1",
			 SPK_ARGS(spk_db_text(whole)), NULL, error) ||
	    !spk_tx_commit(g_steal_pointer(&tx), error))
		return FALSE;
	if (ret_was)
		*ret_was = g_ptr_array_steal_index(was, 0);
	return TRUE;
}

gboolean spk_rules_used(SpkStore *store, const char *id, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);

	return tx &&
	       spk_tx_exec(tx,
			   "UPDATE rules SET uses = uses + 1, used_us = $2 WHERE id = $1",
			   SPK_ARGS(spk_db_text(id), spk_db_int(spk_now_us())), NULL,
			   error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}
