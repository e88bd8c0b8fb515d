#include "store/approvals.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/veil.h"
#include "store/store_priv.h"

#define SEE "see `sparks approvals list --all`"

static const struct {
	const char *name;
	gboolean allows;
} answers[SPK_N_ANSWERS] = {
#define X(sym, name, allows) [SPK_ANSWER_##sym] = { name, allows },
	SPK_ANSWER_TABLE(X)
#undef X
};

const char *spk_answer_name(SpkAnswer answer)
{
	g_assert((guint)answer < SPK_N_ANSWERS);
	return answers[answer].name;
}

gboolean spk_answer_parse(const char *name, SpkAnswer *ret_answer)
{
	for (guint i = 0; name && i < SPK_N_ANSWERS; i++) {
		if (strcmp(answers[i].name, name) != 0)
			continue;
		*ret_answer = (SpkAnswer)i;
		return TRUE;
	}
	return FALSE;
}

gboolean spk_answer_allows(SpkAnswer answer)
{
	g_assert((guint)answer < SPK_N_ANSWERS);
	return answers[answer].allows;
}

void spk_approval_free(SpkApproval *approval)
{
	if (!approval)
		return;
	g_free(approval->id);
	g_free(approval->task);
	g_free(approval->key);
	g_free(approval->tool);
	g_free(approval->line);
	g_free(approval->arguments);
	g_free(approval->hash);
	g_free(approval->taint);
	g_free(approval->taint_source);
	json_decref(approval->decision);
	json_decref(approval->parts);
	g_free(approval->offer);
	g_free(approval->by);
	g_free(approval->how);
	g_free(approval->note);
	g_free(approval->rule);
	g_free(approval);
}

/* ---- rows ---- */

#define SELECT                                                                              \
	"SELECT id, task, call_key, tool, line, hash, does, taint, taint_source, by_taint," \
	" decision, parts, offer, asked_us, expires_us, answer, answered_us, answered_by,"  \
	" answered_how, note, rule, arguments FROM approvals "

static gboolean read_answer(const SpkDbValue *column, SpkApproval *row, GError **error)
{
	g_autofree char *name = spk_db_dup_text(column);

	if (spk_answer_parse(name, &row->answer))
		return TRUE;
	spk_error_set(error, SPK_ERR_CORRUPT, "run `sparks doctor`",
		      "question %s has an answer that does not exist", row->id);
	return FALSE;
}

static gboolean from_row(const SpkDbValue *column, gpointer user, GError **error)
{
	SpkApproval *row = g_new0(SpkApproval, 1);

	g_ptr_array_add(user, row);
	row->id = spk_db_dup_text(&column[0]);
	row->task = spk_db_dup_text(&column[1]);
	row->key = spk_db_dup_text(&column[2]);
	row->tool = spk_db_dup_text(&column[3]);
	row->line = spk_db_dup_text(&column[4]);
	row->hash = spk_db_dup_text(&column[5]);
	row->does = column[6].integer;
	row->taint = spk_db_dup_text(&column[7]);
	row->taint_source = spk_db_dup_text(&column[8]);
	row->by_taint = column[9].integer;
	row->offer = spk_db_dup_text(&column[12]);
	row->asked_us = column[13].integer;
	row->expires_us = column[14].integer;
	row->answered_us = column[16].integer;
	row->by = spk_db_dup_text(&column[17]);
	row->how = spk_db_dup_text(&column[18]);
	row->note = spk_db_dup_text(&column[19]);
	row->rule = spk_db_dup_text(&column[20]);
	row->arguments = spk_db_dup_text(&column[21]);
	return spk_db_dup_json(&column[10], &row->decision, error) &&
	       spk_db_dup_json(&column[11], &row->parts, error) &&
	       read_answer(&column[15], row, error);
}

static GPtrArray *select_rows(SpkTx *tx, const char *sql, const SpkDbValue *args,
			      GError **error)
{
	g_autoptr(GPtrArray)
		rows = g_ptr_array_new_with_free_func((GDestroyNotify)spk_approval_free);

	if (!spk_tx_each(tx, sql, args, from_row, rows, error))
		return NULL;
	return g_steal_pointer(&rows);
}

/* *ret is NULL when there is no such row. */
static gboolean select_one(SpkTx *tx, const char *sql, const SpkDbValue *args,
			   SpkApproval **ret, GError **error)
{
	g_autoptr(GPtrArray) rows = select_rows(tx, sql, args, error);

	if (!rows)
		return FALSE;
	*ret = rows->len ? g_ptr_array_steal_index(rows, 0) : NULL;
	return TRUE;
}

static gboolean by_id(SpkTx *tx, const char *id, SpkApproval **ret, GError **error)
{
	return select_one(tx, SELECT "WHERE id = $1", SPK_ARGS(spk_db_text(id)), ret,
			  error);
}

static gboolean by_call(SpkTx *tx, const char *task, const char *key, const char *hash,
			SpkApproval **ret, GError **error)
{
	return select_one(tx, SELECT "WHERE task = $1 AND call_key = $2 AND hash = $3",
			  SPK_ARGS(spk_db_text(task), spk_db_text(key),
				   spk_db_text(hash)),
			  ret, error);
}

/* ---- journal ---- */

static gboolean put_entry(SpkTx *tx, const char *task, const char *kind,
			  json_t *take_payload, SpkJournalEntry **ret, GError **error)
{
	g_autoptr(json_t) payload = take_payload;
	SpkJournalEntry *entry =
		spk_journal_put(tx, task, kind, SPK_EFFECT_PURE, payload, error);

	spk_journal_entry_free(*ret);
	*ret = entry;
	return entry != NULL;
}

static gboolean journal_asked(SpkTx *tx, const SpkApproval *row, gboolean again,
			      SpkJournalEntry **ret, GError **error)
{
	return put_entry(
		tx, row->task, "approval.asked",
		json_pack("{s:s,s:s,s:s,s:o,s:s,s:I,s:s,s:o,s:b,s:O,s:o,s:I,s:b}", "key",
			  row->key, "question", row->id, "tool", row->tool, "line",
			  spk_json_text(row->line), "hash", row->hash, "does",
			  (json_int_t)row->does, "taint", row->taint, "taint_source",
			  spk_json_text(row->taint_source), "by_taint",
			  row->by_taint != 0, "decision", row->decision, "offer",
			  spk_json_text(row->offer), "expires_us",
			  (json_int_t)row->expires_us, "again", again),
		ret, error);
}

static gboolean journal_answered(SpkTx *tx, const SpkApproval *row, SpkJournalEntry **ret,
				 GError **error)
{
	return put_entry(tx, row->task, "approval.answered",
			 json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "key",
				   row->key, "question", row->id, "hash", row->hash,
				   "answer", spk_answer_name(row->answer), "line",
				   spk_json_text(row->line), "by", spk_json_text(row->by),
				   "how", spk_json_text(row->how), "note",
				   spk_json_text(row->note), "rule",
				   spk_json_text(row->rule)),
			 ret, error);
}

/* ---- answering ---- */

static gboolean save_rule(SpkTx *tx, const SpkApproval *row, const SpkAnswering *answer,
			  GError **error)
{
	const SpkRule rule = {
		.allow = 1,
		.pattern = (char *)answer->rule,
		.spark = (char *)answer->spark,
		.repo = (char *)answer->repo,
		.taint = row->by_taint ? row->taint : NULL,
		.by = (char *)answer->by,
		.question = row->id,
	};

	return spk_rules_put(tx, &rule, NULL, error);
}

/* An open question becomes an answered one: row, rule and journal. */
static gboolean close_row(SpkTx *tx, SpkApproval *row, const SpkAnswering *answer,
			  SpkJournalEntry **ret_entry, GError **error)
{
	row->answer = answer->answer;
	row->answered_us = spk_now_us();
	row->by = g_strdup(answer->by);
	row->how = g_strdup(answer->how);
	row->note = answer->note ? spk_veil_text(answer->note) : NULL;
	row->rule = g_strdup(answer->rule);
	return spk_tx_exec(tx,
			   "UPDATE approvals SET answer = $2, answered_us = $3,"
			   " answered_by = $4, answered_how = $5, note = $6, rule = $7"
			   " WHERE id = $1",
			   SPK_ARGS(spk_db_text(row->id),
				    spk_db_text(spk_answer_name(row->answer)),
				    spk_db_int(row->answered_us), spk_db_text(row->by),
				    spk_db_text(row->how), spk_db_text(row->note),
				    spk_db_text(row->rule)),
			   NULL, error) &&
	       (row->answer != SPK_ANSWER_ALLOW_RULE ||
		save_rule(tx, row, answer, error)) &&
	       journal_answered(tx, row, ret_entry, error);
}

static gboolean close_all(SpkTx *tx, GPtrArray *rows, const SpkAnswering *answer,
			  GError **error)
{
	g_autoptr(SpkJournalEntry) entry = NULL;

	for (guint i = 0; rows && i < rows->len; i++)
		if (!close_row(tx, rows->pdata[i], answer, &entry, error))
			return FALSE;
	return rows != NULL;
}

gboolean spk_approvals_withdraw(SpkTx *tx, const char *task, GError **error)
{
	const SpkAnswering ended = { .answer = SPK_ANSWER_WITHDRAWN,
				     .by = "sparks",
				     .how = "task ended" };
	g_autoptr(GPtrArray)
		rows = select_rows(tx, SELECT "WHERE answer = 'open' AND task = $1",
				   SPK_ARGS(spk_db_text(task)), error);

	return close_all(tx, rows, &ended, error);
}

gboolean spk_approvals_drop(SpkTx *tx, const char *task, GError **error)
{
	return spk_tx_exec(tx, "DELETE FROM approvals WHERE task = $1",
			   SPK_ARGS(spk_db_text(task)), NULL, error);
}

static gboolean next_expiry(SpkTx *tx, gint64 *ret_us, GError **error)
{
	*ret_us = 0;
	return spk_tx_int(tx,
			  "SELECT min(expires_us) FROM approvals"
			  " WHERE answer = 'open' AND expires_us > 0",
			  NULL, ret_us, error);
}

gboolean spk_approvals_next_expiry(SpkStore *store, gint64 *ret_us, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	return tx && next_expiry(tx, ret_us, error);
}

static gboolean expire(SpkTx *tx, GError **error)
{
	const SpkAnswering over = { .answer = SPK_ANSWER_EXPIRED,
				    .by = "sparks",
				    .how = "time-out" };
	g_autoptr(GPtrArray)
		rows = select_rows(tx,
				   SELECT "WHERE answer = 'open'"
					  " AND expires_us > 0"
					  " AND expires_us <= $1",
				   SPK_ARGS(spk_db_int(spk_now_us())), error);

	return close_all(tx, rows, &over, error);
}

gboolean spk_approvals_expire(SpkStore *store, GError **error)
{
	g_autoptr(SpkTx) tx = NULL;
	gint64 next;

	/* mostly there is nothing: no need to keep writers out for that */
	if (!spk_approvals_next_expiry(store, &next, error))
		return FALSE;
	if (!next || next > spk_now_us())
		return TRUE;
	tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	return tx && expire(tx, error) && spk_tx_commit(g_steal_pointer(&tx), error);
}

static gboolean say_answered(const SpkApproval *row, GError **error)
{
	g_autofree char *when = spk_time_format(row->answered_us);

	spk_error_set(error, SPK_ERR_CONFLICT, NULL,
		      "question %s is answered already: %s, by %s (%s), %s", row->id,
		      spk_answer_name(row->answer), row->by, row->how, when);
	return FALSE;
}

gboolean spk_approvals_answer(SpkStore *store, const char *id, const SpkAnswering *answer,
			      SpkApproval **ret, GError **error)
{
	g_autoptr(SpkTx) tx = NULL;
	g_autoptr(SpkApproval) row = NULL;
	g_autoptr(SpkJournalEntry) entry = NULL;

	if (!spk_approvals_expire(store, error))
		return FALSE;
	tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	if (!tx || !by_id(tx, id, &row, error))
		return FALSE;
	if (!row) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, SEE, "there is no question %s",
			      id);
		return FALSE;
	}
	if (row->answer != SPK_ANSWER_OPEN)
		return say_answered(row, error);
	if (!close_row(tx, row, answer, &entry, error) ||
	    !spk_journal_finish(store, g_steal_pointer(&tx), row->task,
				g_steal_pointer(&entry), error))
		return FALSE;
	if (ret)
		*ret = g_steal_pointer(&row);
	return TRUE;
}

/* ---- asking ---- */

/* What is kept of the call is for eyes: without secrets, unlike what the hash is made of. */
static gboolean insert_row(SpkTx *tx, const char *id, const SpkApproval *question,
			   GError **error)
{
	g_autoptr(json_t) what = spk_veil_json(question->decision);
	g_autoptr(json_t) commands = spk_veil_json(question->parts);
	g_autofree char *decision = spk_json_dump(what);
	g_autofree char *parts = commands ? spk_json_dump(commands) : NULL;
	g_autofree char *line = spk_veil_text(question->line);
	g_autofree char *arguments =
		spk_veil_text(question->arguments ? question->arguments : "");
	g_autofree char *source =
		question->taint_source ? spk_veil_text(question->taint_source) : NULL;
	g_autofree char *offer = question->offer ? spk_veil_text(question->offer) : NULL;

	return spk_tx_exec(
		tx,
		"INSERT INTO approvals (id, task, call_key, tool, line, arguments, hash, does,"
		" taint, taint_source, by_taint, decision, parts, offer, asked_us, expires_us,"
		" answer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
		" $15, $16, 'open')",
		SPK_ARGS(spk_db_text(id), spk_db_text(question->task),
			 spk_db_text(question->key), spk_db_text(question->tool),
			 spk_db_text(line), spk_db_text(arguments),
			 spk_db_text(question->hash), spk_db_int(question->does),
			 spk_db_text(question->taint), spk_db_text(source),
			 spk_db_int(question->by_taint ? 1 : 0), spk_db_text(decision),
			 spk_db_text(parts), spk_db_text(offer), spk_db_int(spk_now_us()),
			 spk_db_int(question->expires_us)),
		NULL, error);
}

static gboolean new_id(SpkTx *tx, char **ret_id, GError **error)
{
	for (;;) {
		g_autofree char *id = spk_short_id();
		gint64 taken = 0;

		if (!spk_tx_int(tx, "SELECT count(*) FROM approvals WHERE id = $1",
				SPK_ARGS(spk_db_text(id)), &taken, error))
			return FALSE;
		if (taken)
			continue;
		*ret_id = g_steal_pointer(&id);
		return TRUE;
	}
}

static gboolean reopen_row(SpkTx *tx, const char *id, gint64 expires_us, GError **error)
{
	return spk_tx_exec(tx,
			   "UPDATE approvals SET answer = 'open', asked_us = $2,"
			   " expires_us = $3, answered_us = 0, answered_by = NULL,"
			   " answered_how = NULL, note = NULL, rule = NULL WHERE id = $1",
			   SPK_ARGS(spk_db_text(id), spk_db_int(spk_now_us()),
				    spk_db_int(expires_us)),
			   NULL, error);
}

/* *row is what stands, or NULL; then it is one that is open. */
static gboolean open_row(SpkTx *tx, const SpkApproval *question, SpkApproval **row,
			 SpkJournalEntry **ret_entry, GError **error)
{
	g_autofree char *id = *row ? g_strdup((*row)->id) : NULL;
	gboolean again = id != NULL;

	if (again ? !reopen_row(tx, id, question->expires_us, error)
		  : !new_id(tx, &id, error) || !insert_row(tx, id, question, error))
		return FALSE;
	g_clear_pointer(row, spk_approval_free);
	return by_id(tx, id, row, error) &&
	       journal_asked(tx, *row, again, ret_entry, error);
}

gboolean spk_approvals_put(SpkStore *store, gint64 token, const SpkApproval *question,
			   const SpkAnswering *at_once, SpkApproval **ret, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autoptr(SpkApproval) row = NULL;
	g_autoptr(SpkJournalEntry) entry = NULL;

	if (!tx || (token && !spk_lease_fence(tx, question->task, token, error)) ||
	    !expire(tx, error) ||
	    !by_call(tx, question->task, question->key, question->hash, &row, error))
		return FALSE;
	if ((!row || row->answer == SPK_ANSWER_WITHDRAWN) &&
	    !open_row(tx, question, &row, &entry, error))
		return FALSE;
	if (at_once && row->answer == SPK_ANSWER_OPEN &&
	    !close_row(tx, row, at_once, &entry, error))
		return FALSE;
	if (!(entry ? spk_journal_finish(store, g_steal_pointer(&tx), row->task,
					 g_steal_pointer(&entry), error)
		    : spk_tx_commit(g_steal_pointer(&tx), error)))
		return FALSE;
	*ret = g_steal_pointer(&row);
	return TRUE;
}

/* ---- looking ---- */

gboolean spk_approvals_find(SpkStore *store, const char *task, const char *key,
			    const char *hash, SpkApproval **ret, GError **error)
{
	g_autoptr(SpkTx) tx = NULL;

	if (!spk_approvals_expire(store, error))
		return FALSE;
	tx = spk_tx_begin(store, SPK_TX_READ, error);
	return tx && by_call(tx, task, key, hash, ret, error);
}

SpkApproval *spk_approvals_get(SpkStore *store, const char *id, GError **error)
{
	g_autoptr(SpkTx) tx = NULL;
	g_autofree char *whole = NULL;
	SpkApproval *row = NULL;

	if (!spk_approvals_expire(store, error))
		return NULL;
	tx = spk_tx_begin(store, SPK_TX_READ, error);
	whole = tx ? spk_short_id_find(tx, "approvals", id, "question", SEE, error)
		   : NULL;
	if (whole)
		(void)by_id(tx, whole, &row, error); /* NULL says it */
	return row;
}

GPtrArray *spk_approvals_list(SpkStore *store, const char *task, gboolean all,
			      GError **error)
{
	g_autoptr(SpkTx) tx = NULL;

	if (!spk_approvals_expire(store, error))
		return NULL;
	tx = spk_tx_begin(store, SPK_TX_READ, error);
	if (!tx)
		return NULL;
	if (task)
		return select_rows(tx,
				   all ? SELECT "WHERE task = $1 ORDER BY asked_us, id"
				       : SELECT "WHERE task = $1 AND answer = 'open'"
						" ORDER BY asked_us, id",
				   SPK_ARGS(spk_db_text(task)), error);
	return select_rows(tx,
			   all ? SELECT "ORDER BY asked_us, id"
			       : SELECT "WHERE answer = 'open' ORDER BY asked_us, id",
			   NULL, error);
}
