#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/veil.h"
#include "store/store_priv.h"

/* Nobody reads the mail of a finished task: better to say so than to keep it. */
static gboolean check_open(SpkTx *tx, const char *task, GError **error)
{
	SpkState state;

	if (!spk_task_state(tx, task, &state, error))
		return FALSE;
	if (!spk_state_is_terminal(state))
		return TRUE;
	spk_error_set(error, SPK_ERR_CONFLICT, NULL, "task %s is finished: %s", task,
		      spk_state_name(state));
	return FALSE;
}

gboolean spk_mail_post(SpkStore *store, const char *task, const char *kind,
		       json_t *payload, GError **error)
{
	g_autoptr(json_t) clean = spk_veil_json(payload);
	g_autofree char *text = clean ? spk_json_dump(clean) : g_strdup("{}");
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	gint64 last = 0;

	if (!tx || !check_open(tx, task, error) ||
	    !spk_tx_int(tx, "SELECT max(seq) FROM mail WHERE task = $1",
			SPK_ARGS(spk_db_text(task)), &last, error))
		return FALSE;
	return spk_tx_exec(tx,
			   "INSERT INTO mail (task, seq, kind, payload, created_us)"
			   " VALUES ($1, $2, $3, $4, $5)",
			   SPK_ARGS(spk_db_text(task), spk_db_int(last + 1),
				    spk_db_text(kind), spk_db_text(text),
				    spk_db_int(spk_now_us())),
			   NULL, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}

typedef struct {
	gint64 seq; /* 0: there was none */
	char *kind;
	json_t *payload;
} Mail;

static void mail_clear(Mail *mail)
{
	g_free(mail->kind);
	json_decref(mail->payload);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Mail, mail_clear)

static gboolean read_mail(const SpkDbValue *row, gpointer user, GError **error)
{
	Mail *mail = user;

	mail->seq = row[0].integer;
	mail->kind = spk_db_dup_text(&row[1]);
	return spk_db_dup_json(&row[2], &mail->payload, error);
}

static gboolean oldest(SpkTx *tx, const char *task, Mail *mail, GError **error)
{
	return spk_tx_each(tx,
			   "SELECT seq, kind, payload FROM mail WHERE task = $1"
			   " ORDER BY seq LIMIT 1",
			   SPK_ARGS(spk_db_text(task)), read_mail, mail, error);
}

json_t *spk_mail_take(SpkStore *store, const char *task, gint64 token, char **ret_kind,
		      GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_auto(Mail) mail = { 0 };

	if (!tx || !spk_lease_fence(tx, task, token, error) ||
	    !oldest(tx, task, &mail, error) || !mail.seq)
		return NULL;
	if (!spk_tx_exec(tx, "DELETE FROM mail WHERE task = $1 AND seq = $2",
			 SPK_ARGS(spk_db_text(task), spk_db_int(mail.seq)), NULL,
			 error) ||
	    !spk_tx_commit(g_steal_pointer(&tx), error))
		return NULL;
	*ret_kind = g_steal_pointer(&mail.kind);
	return g_steal_pointer(&mail.payload);
}

gboolean spk_mail_peek(SpkStore *store, const char *task, char **ret_kind, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autofree char *kind = NULL;

	if (!tx ||
	    !spk_tx_text(tx, "SELECT kind FROM mail WHERE task = $1 ORDER BY seq LIMIT 1",
			 SPK_ARGS(spk_db_text(task)), &kind, error))
		return FALSE;
	*ret_kind = g_steal_pointer(&kind);
	return TRUE;
}
