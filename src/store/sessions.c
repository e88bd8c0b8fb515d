#include "store/sessions.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "base/veil.h"
#include "store/store_priv.h"

#define MIN_PREFIX 4
/* Ids are of [0-9a-z]; this sorts behind all of them. */
#define AFTER_IDS "~"
#define TITLE_MAX 72

#define ROW_COLUMNS                                              \
	"SELECT id, repo, spark, model, title, options, turns, " \
	"created_us, updated_us FROM sessions "

void spk_chat_row_free(SpkChatRow *row)
{
	if (!row)
		return;
	g_free(row->id);
	g_free(row->repo);
	g_free(row->spark);
	g_free(row->model);
	g_free(row->title);
	json_decref(row->options);
	g_free(row);
}

void spk_chat_turn_free(SpkChatTurn *turn)
{
	if (!turn)
		return;
	spk_task_free(turn->task);
	g_free(turn);
}

/* ---- sessions ---- */

gboolean spk_session_insert(SpkStore *store, const SpkChatRow *row, GError **error)
{
	g_autofree char *options = row->options ? spk_json_dump(row->options)
						: g_strdup("{}");
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);

	return tx &&
	       spk_tx_exec(tx,
			   "INSERT INTO sessions (id, repo, spark, model, title, options,"
			   " turns, created_us, updated_us)"
			   " VALUES ($1, $2, $3, $4, '', $5, 0, $6, $6)",
			   SPK_ARGS(spk_db_text(row->id), spk_db_text(row->repo),
				    spk_db_text(row->spark), spk_db_text(row->model),
				    spk_db_text(options), spk_db_int(spk_now_us())),
			   NULL, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}

static gboolean session_from_row(const SpkDbValue *column, gpointer user, GError **error)
{
	g_autoptr(SpkChatRow) row = g_new0(SpkChatRow, 1);

	row->id = spk_db_dup_text(&column[0]);
	row->repo = spk_db_dup_text(&column[1]);
	row->spark = spk_db_dup_text(&column[2]);
	row->model = spk_db_dup_text(&column[3]);
	row->title = spk_db_dup_text(&column[4]);
	row->turns = column[6].integer;
	row->created_us = column[7].integer;
	row->updated_us = column[8].integer;
	if (!spk_db_dup_json(&column[5], &row->options, error)) {
		g_prefix_error(error, "session %s: ", row->id);
		return FALSE;
	}
	g_ptr_array_add(user, g_steal_pointer(&row));
	return TRUE;
}

static GPtrArray *read_sessions(SpkStore *store, const char *where,
				const SpkDbValue *args, GError **error)
{
	g_autoptr(GPtrArray)
		rows = g_ptr_array_new_with_free_func((GDestroyNotify)spk_chat_row_free);
	g_autofree char *sql = g_strconcat(ROW_COLUMNS, where, NULL);
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	if (!tx || !spk_tx_each(tx, sql, args, session_from_row, rows, error))
		return NULL;
	return g_steal_pointer(&rows);
}

static void no_session(const char *id, GError **error)
{
	spk_error_set(error, SPK_ERR_NOT_FOUND,
		      "`sparks chat --list` lists them; the first characters of an id "
		      "will do, from 4 on",
		      "there is no chat session %s", id);
}

SpkChatRow *spk_session_get(SpkStore *store, const char *id, GError **error)
{
	g_autofree char *prefix = g_ascii_strdown(id, -1);
	g_autofree char *end = g_strconcat(prefix, AFTER_IDS, NULL);
	g_autoptr(GPtrArray) rows =
		read_sessions(store, "WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 2",
			      SPK_ARGS(spk_db_text(prefix), spk_db_text(end)), error);
	gboolean exact;

	if (!rows)
		return NULL;
	exact = rows->len && !strcmp(((SpkChatRow *)rows->pdata[0])->id, prefix);
	if (exact || (rows->len == 1 && strlen(prefix) >= MIN_PREFIX))
		return g_ptr_array_steal_index(rows, 0);
	if (!rows->len || strlen(prefix) < MIN_PREFIX)
		no_session(id, error);
	else
		spk_error_set(error, SPK_ERR_USAGE, "give more characters of the id",
			      "%s may be several chat sessions", id);
	return NULL;
}

GPtrArray *spk_session_list(SpkStore *store, const char *repo, guint limit,
			    GError **error)
{
	SpkDbValue most = spk_db_int(limit ? limit : G_MAXINT64);

	if (repo)
		return read_sessions(
			store,
			"WHERE repo = $2 ORDER BY updated_us DESC, id DESC LIMIT $1",
			SPK_ARGS(most, spk_db_text(repo)), error);
	return read_sessions(store, "ORDER BY updated_us DESC, id DESC LIMIT $1",
			     SPK_ARGS(most), error);
}

gboolean spk_session_set(SpkStore *store, const SpkChatRow *row, GError **error)
{
	g_autofree char *options = row->options ? spk_json_dump(row->options)
						: g_strdup("{}");
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	gint64 changed = 0;

	if (!tx || !spk_tx_exec(tx,
				"UPDATE sessions SET spark = $1, model = $2, options = $3"
				" WHERE id = $4",
				SPK_ARGS(spk_db_text(row->spark), spk_db_text(row->model),
					 spk_db_text(options), spk_db_text(row->id)),
				&changed, error))
		return FALSE;
	if (changed)
		return spk_tx_commit(g_steal_pointer(&tx), error);
	no_session(row->id, error);
	return FALSE;
}

/* ---- turns ---- */

/* The first message names the session. */
static char *title_of(const char *message)
{
	const char *start = message + strspn(message, " \t\r\n");
	g_autofree char *line =
		spk_text_clean(start, strcspn(start, "\r\n"), SPK_CLEAN_LINE);
	g_autofree char *clean = spk_veil_text(line);

	return spk_text_clip(clean, TITLE_MAX);
}

static gboolean put_turn(SpkTx *tx, const char *id, const SpkTask *task, GError **error)
{
	g_autofree char *title = title_of(task->goal);
	gint64 changed = 0;

	if (!spk_tx_exec(tx,
			 "UPDATE sessions SET turns = turns + 1, updated_us = $1,"
			 " title = CASE WHEN turns = 0 THEN $2 ELSE title END"
			 " WHERE id = $3",
			 SPK_ARGS(spk_db_int(spk_now_us()), spk_db_text(title),
				  spk_db_text(id)),
			 &changed, error))
		return FALSE;
	if (!changed) {
		no_session(id, error);
		return FALSE;
	}
	return spk_tx_exec(tx,
			   "INSERT INTO session_turns (session, turn, task)"
			   " SELECT id, turns, $1 FROM sessions WHERE id = $2",
			   SPK_ARGS(spk_db_text(task->id), spk_db_text(id)), NULL, error);
}

gboolean spk_session_add_turn(SpkStore *store, const char *id, const SpkTask *task,
			      GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autoptr(SpkJournalEntry) entry = tx ? spk_task_put(tx, task, error) : NULL;

	return entry && put_turn(tx, id, task, error) &&
	       spk_journal_finish(store, g_steal_pointer(&tx), task->id,
				  g_steal_pointer(&entry), error);
}

typedef struct {
	char *task;
	gint64 turn;
	SpkChatDecision decision;
} TurnRow;

static void turn_row_free(gpointer data)
{
	TurnRow *row = data;

	g_free(row->task);
	g_free(row);
}

static SpkChatDecision decision_of(const char *kind)
{
	static const struct {
		const char *kind;
		SpkChatDecision decision;
	} rows[] = {
		{ "apply.result", SPK_DECISION_APPLIED },
		{ "undo.result", SPK_DECISION_UNDONE },
		{ "refused", SPK_DECISION_REFUSED },
	};

	for (gsize i = 0; kind && i < G_N_ELEMENTS(rows); i++)
		if (!strcmp(rows[i].kind, kind))
			return rows[i].decision;
	return SPK_DECISION_NONE;
}

static gboolean turn_from_row(const SpkDbValue *column, gpointer user, GError **error)
{
	g_autofree char *kind = spk_db_dup_text(&column[2]);
	TurnRow *row = g_new0(TurnRow, 1);

	row->turn = column[0].integer;
	row->task = spk_db_dup_text(&column[1]);
	row->decision = decision_of(kind);
	g_ptr_array_insert(user, 0, row); /* the newest comes first */
	return TRUE;
}

static gboolean read_turns(SpkStore *store, const char *id, gint64 before, guint limit,
			   GPtrArray *rows, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	return tx && spk_tx_each(tx,
				 "SELECT turn, task, (SELECT kind FROM journal"
				 " WHERE journal.task = session_turns.task AND"
				 " kind IN ('apply.result', 'undo.result', 'refused')"
				 " ORDER BY seq DESC LIMIT 1)"
				 " FROM session_turns WHERE session = $1 AND turn < $2"
				 " ORDER BY turn DESC LIMIT $3",
				 SPK_ARGS(spk_db_text(id),
					  spk_db_int(before ? before : G_MAXINT64),
					  spk_db_int(limit ? limit : G_MAXINT64)),
				 turn_from_row, rows, error);
}

GPtrArray *spk_session_turns(SpkStore *store, const char *id, gint64 before, guint limit,
			     GError **error)
{
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(turn_row_free);
	g_autoptr(GPtrArray) turns =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_chat_turn_free);

	if (!read_turns(store, id, before, limit, rows, error))
		return NULL;
	for (guint i = 0; i < rows->len; i++) {
		const TurnRow *row = rows->pdata[i];
		SpkTask *task = spk_task_get(store, row->task, error);
		SpkChatTurn *turn;

		if (!task)
			return NULL;
		turn = g_new0(SpkChatTurn, 1);
		*turn = (SpkChatTurn){ row->turn, row->decision, task };
		g_ptr_array_add(turns, turn);
	}
	return g_steal_pointer(&turns);
}

static gboolean totals_from_row(const SpkDbValue *column, gpointer user, GError **error)
{
	*(SpkChatTotals *)user = (SpkChatTotals){
		.turns = column[0].integer,
		.answers = column[1].integer,
		.tokens_in = column[2].integer,
		.tokens_out = column[3].integer,
		.tokens_cached = column[4].integer,
		.cost_usd = column[5].real,
		.cost_is_partial = column[6].integer > 0,
		.seconds = column[7].real,
	};
	return TRUE;
}

gboolean spk_session_totals(SpkStore *store, const char *id, gint64 before,
			    SpkChatTotals *ret_totals, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	return tx &&
	       spk_tx_each(
		       tx,
		       "SELECT count(*), coalesce(sum(steps), 0), coalesce(sum(tokens_in), 0),"
		       " coalesce(sum(tokens_out), 0), coalesce(sum(tokens_cached), 0),"
		       " coalesce(sum(cost_usd), 0.0),"
		       " coalesce(sum(CASE WHEN cost_usd IS NULL THEN 1 ELSE 0 END), 0),"
		       " coalesce(sum(seconds), 0.0)"
		       " FROM session_turns JOIN tasks ON tasks.id = session_turns.task"
		       " WHERE session = $1 AND turn < $2",
		       SPK_ARGS(spk_db_text(id),
				spk_db_int(before ? before : G_MAXINT64)),
		       totals_from_row, ret_totals, error);
}

typedef struct {
	char *session;
	gint64 turn;
} Place;

static gboolean place_from_row(const SpkDbValue *column, gpointer user, GError **error)
{
	Place *place = user;

	place->session = spk_db_dup_text(&column[0]);
	place->turn = column[1].integer;
	return TRUE;
}

gboolean spk_session_of_task(SpkStore *store, const char *task, char **ret_id,
			     gint64 *ret_turn, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	Place place = { NULL, 0 };

	if (!tx ||
	    !spk_tx_each(tx, "SELECT session, turn FROM session_turns WHERE task = $1",
			 SPK_ARGS(spk_db_text(task)), place_from_row, &place, error))
		return FALSE;
	*ret_id = place.session;
	*ret_turn = place.turn;
	return TRUE;
}
