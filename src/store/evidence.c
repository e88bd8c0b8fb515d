#include "base/clock.h"
#include "base/veil.h"
#include "store/store_priv.h"

void spk_evidence_free(SpkEvidence *evidence)
{
	if (!evidence)
		return;
	g_free(evidence->phase);
	g_free(evidence->command);
	g_free(evidence->output_sha256);
	g_free(evidence->output_tail);
	g_free(evidence->tree);
	g_free(evidence);
}

static gboolean put(SpkTx *tx, const char *task, const SpkEvidence *evidence,
		    GError **error)
{
	g_autofree char *command = spk_veil_text(evidence->command);
	g_autofree char *tail = spk_veil_text(evidence->output_tail);

	return spk_tx_exec(
		tx,
		"INSERT INTO evidence (task, round, phase, command, exit_code, output_sha256,"
		" output_tail, tree, seconds, created_us)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
		" ON CONFLICT (task, round, phase, command) DO UPDATE SET"
		" exit_code = excluded.exit_code, output_sha256 = excluded.output_sha256,"
		" output_tail = excluded.output_tail, tree = excluded.tree,"
		" seconds = excluded.seconds, created_us = excluded.created_us",
		SPK_ARGS(spk_db_text(task), spk_db_int(evidence->round),
			 spk_db_text(evidence->phase), spk_db_text(command),
			 spk_db_int(evidence->exit_code),
			 spk_db_text(evidence->output_sha256),
			 spk_db_text(tail ? tail : ""), spk_db_text(evidence->tree),
			 spk_db_real(evidence->seconds), spk_db_int(spk_now_us())),
		NULL, error);
}

gboolean spk_evidence_add(SpkStore *store, const char *task, gint64 token,
			  const SpkEvidence *evidence, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);

	return tx && spk_lease_fence(tx, task, token, error) &&
	       put(tx, task, evidence, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}

static gboolean evidence_from_row(const SpkDbValue *row, gpointer user, GError **error)
{
	SpkEvidence *evidence = g_new0(SpkEvidence, 1);

	evidence->round = row[0].integer;
	evidence->phase = spk_db_dup_text(&row[1]);
	evidence->command = spk_db_dup_text(&row[2]);
	evidence->exit_code = (int)row[3].integer;
	evidence->output_sha256 = spk_db_dup_text(&row[4]);
	evidence->output_tail = spk_db_dup_text(&row[5]);
	evidence->tree = spk_db_dup_text(&row[6]);
	evidence->seconds = row[7].real;
	evidence->created_us = row[8].integer;
	g_ptr_array_add(user, evidence);
	return TRUE;
}

GPtrArray *spk_evidence_list(SpkStore *store, const char *task, GError **error)
{
	g_autoptr(GPtrArray)
		list = g_ptr_array_new_with_free_func((GDestroyNotify)spk_evidence_free);
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	if (!tx ||
	    !spk_tx_each(tx,
			 "SELECT round, phase, command, exit_code, output_sha256,"
			 " output_tail, tree, seconds, created_us FROM evidence"
			 " WHERE task = $1 ORDER BY round, created_us, phase, command",
			 SPK_ARGS(spk_db_text(task)), evidence_from_row, list, error))
		return NULL;
	return g_steal_pointer(&list);
}
