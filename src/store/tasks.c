#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/veil.h"
#include "store/store_priv.h"

/* Shorter beginnings of ids are likely to be a slip. */
#define MIN_PREFIX 4
/* Ids are of [0-9a-z]; this sorts behind all of them. */
#define AFTER_IDS "~"

static json_t *accepted_payload(const SpkTask *task)
{
	json_t *payload = json_object();

	spk_json_set(payload, "goal", spk_json_text(task->goal));
	spk_json_set(payload, "spark", spk_json_text(task->spark));
	spk_json_set(payload, "repo", spk_json_text(task->repo));
	spk_json_set(payload, "label", spk_json_text(task->label));
	spk_json_set(payload, "options",
		     task->options ? json_incref(task->options) : json_object());
	return payload;
}

static gboolean insert_row(SpkTx *tx, const SpkTask *task, json_t *options,
			   GError **error)
{
	g_autoptr(json_t) clean = spk_task_veil_options(options);
	g_autofree char *text = spk_json_dump(clean);
	g_autofree char *goal = spk_veil_text(task->goal);
	gint64 now = task->created_us ? task->created_us : spk_now_us();

	return spk_tx_exec(
		tx,
		"INSERT INTO tasks (id, goal, spark, status, repo, label, options,"
		" created_us, updated_us)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
		SPK_ARGS(spk_db_text(task->id), spk_db_text(goal),
			 spk_db_text(task->spark),
			 spk_db_text(spk_state_name(SPK_STATE_QUEUED)),
			 spk_db_text(task->repo), spk_db_text(task->label),
			 spk_db_text(text), spk_db_int(now)),
		NULL, error);
}

static gboolean set_apart(SpkTx *tx, const char *id, gboolean apart, gint64 *ret_changed,
			  GError **error)
{
	return spk_tx_exec(tx, "UPDATE tasks SET apart = $1 WHERE id = $2",
			   SPK_ARGS(spk_db_int(apart ? 1 : 0), spk_db_text(id)),
			   ret_changed, error);
}

SpkJournalEntry *spk_task_put(SpkTx *tx, const SpkTask *task, GError **error)
{
	g_autoptr(json_t) payload = accepted_payload(task);

	if (!insert_row(tx, task, json_object_get(payload, "options"), error) ||
	    (task->apart && !set_apart(tx, task->id, TRUE, NULL, error)))
		return NULL;
	return spk_journal_put(tx, task->id, "accepted", SPK_EFFECT_PURE, payload, error);
}

gboolean spk_task_insert(SpkStore *store, const SpkTask *task, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autoptr(SpkJournalEntry) entry = tx ? spk_task_put(tx, task, error) : NULL;

	return entry && spk_journal_finish(store, g_steal_pointer(&tx), task->id,
					   g_steal_pointer(&entry), error);
}

static GPtrArray *task_array(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)spk_task_free);
}

/* Tasks whose id begins with `prefix`, at most 5, in the order of ids. */
static GPtrArray *find_tasks(SpkStore *store, const char *prefix, GError **error)
{
	g_autoptr(GPtrArray) tasks = task_array();
	g_autofree char *end = g_strconcat(prefix, AFTER_IDS, NULL);
	g_autofree char *sql =
		g_strconcat(spk_task_select(),
			    "WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 5", NULL);
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	if (!tx || !spk_tx_each(tx, sql, SPK_ARGS(spk_db_text(prefix), spk_db_text(end)),
				spk_task_from_row, tasks, error))
		return NULL;
	return g_steal_pointer(&tasks);
}

static char *list_ids(const GPtrArray *tasks)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < tasks->len; i++)
		g_string_append_printf(text, "%s%s", i ? ", " : "",
				       ((SpkTask *)tasks->pdata[i])->id);
	return g_string_free(text, FALSE);
}

SpkTask *spk_task_get(SpkStore *store, const char *id, GError **error)
{
	g_autofree char *prefix = g_ascii_strdown(id, -1);
	g_autoptr(GPtrArray) tasks = find_tasks(store, prefix, error);
	g_autofree char *ids = NULL;
	gboolean exact;

	if (!tasks)
		return NULL;
	/* in order, a whole id comes before those it begins */
	exact = tasks->len && !strcmp(((SpkTask *)tasks->pdata[0])->id, prefix);
	if (exact || (tasks->len == 1 && strlen(prefix) >= MIN_PREFIX))
		return g_ptr_array_steal_index(tasks, 0);
	if (!tasks->len || strlen(prefix) < MIN_PREFIX) {
		spk_error_set(
			error, SPK_ERR_NOT_FOUND,
			"see `sparks tasks list`; the first characters of an id will do, "
			"from 4 on",
			"there is no task %s", id);
		return NULL;
	}
	ids = list_ids(tasks);
	spk_error_set(error, SPK_ERR_USAGE, "give more characters of the id",
		      "%s may be several tasks: %s", id, ids);
	return NULL;
}

GPtrArray *spk_task_list(SpkStore *store, int state, guint limit, GError **error)
{
	g_autoptr(GPtrArray) tasks = task_array();
	g_autofree char *sql =
		g_strconcat(spk_task_select(), state < 0 ? "" : "WHERE status = $2 ",
			    "ORDER BY created_us DESC, id DESC LIMIT $1", NULL);
	const char *name = state < 0 ? NULL : spk_state_name((SpkState)state);
	SpkDbValue args[] = {
		spk_db_int(limit ? limit : G_MAXINT64),
		name ? spk_db_text(name) : (SpkDbValue){ .type = SPK_DB_END },
		{ .type = SPK_DB_END },
	};
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	if (!tx || !spk_tx_each(tx, sql, args, spk_task_from_row, tasks, error))
		return NULL;
	return g_steal_pointer(&tasks);
}

gboolean spk_task_update(SpkStore *store, const char *id, gint64 token, json_t *fields,
			 GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);

	return tx && spk_lease_fence(tx, id, token, error) &&
	       spk_task_set_fields(tx, id, fields, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}

gboolean spk_task_set_apart(SpkStore *store, const char *id, gboolean apart,
			    GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	gint64 changed = 0;

	if (!tx || !spk_lease_end(tx, id, error) ||
	    !set_apart(tx, id, apart, &changed, error))
		return FALSE;
	if (changed)
		return spk_tx_commit(g_steal_pointer(&tx), error);
	spk_error_set(error, SPK_ERR_NOT_FOUND, NULL, "there is no task %s", id);
	return FALSE;
}

static gboolean state_moved(const char *id, SpkState from, GError **error)
{
	spk_error_set(error, SPK_ERR_CONFLICT, "read the task again",
		      "task %s is not %s any more", id, spk_state_name(from));
	return FALSE;
}

static gboolean set_state(SpkTx *tx, const char *id, SpkState from, SpkState to,
			  const char *reason, GError **error)
{
	gboolean terminal = spk_state_is_terminal(to);
	g_autofree char *clean = spk_veil_text(reason);
	/* what stopped it is over when it has gone on */
	gboolean stopped = to != SPK_STATE_DONE && (terminal || to == SPK_STATE_PAUSED ||
						    to == SPK_STATE_WAITING);
	gint64 changed = 0;

	/* $6: whether the reason stays when none is given; $8: whether the error does */
	if (!spk_tx_exec(
		    tx,
		    "UPDATE tasks SET status = $1, updated_us = $2, finished_us = $3,"
		    " reason = CASE WHEN $6 = 1 THEN coalesce($4, reason) ELSE $4 END,"
		    " error = CASE WHEN $8 = 1 THEN error END"
		    " WHERE id = $5 AND status = $7",
		    SPK_ARGS(spk_db_text(spk_state_name(to)), spk_db_int(spk_now_us()),
			     spk_db_int(terminal ? spk_now_us() : 0), spk_db_text(clean),
			     spk_db_text(id), spk_db_int(terminal),
			     spk_db_text(spk_state_name(from)), spk_db_int(stopped)),
		    &changed, error))
		return FALSE;
	return changed ? TRUE : state_moved(id, from, error);
}

static gboolean finish_move(SpkStore *store, SpkTx *take_tx, const char *id,
			    json_t *payload, GError **error)
{
	g_autoptr(SpkTx) tx = take_tx;
	SpkJournalEntry *entry =
		spk_journal_put(tx, id, "state", SPK_EFFECT_PURE, payload, error);

	return entry && spk_journal_finish(store, g_steal_pointer(&tx), id, entry, error);
}

static json_t *move_payload(SpkState from, SpkState to, const char *reason)
{
	json_t *payload = json_object();

	spk_json_set(payload, "from", json_string(spk_state_name(from)));
	spk_json_set(payload, "to", json_string(spk_state_name(to)));
	spk_json_set(payload, "reason", spk_json_text(reason));
	return payload;
}

static gboolean refuse_move(const char *id, SpkState from, SpkState to, GError **error)
{
	spk_error_set(error, SPK_ERR_INTERNAL, NULL, "task %s: %s cannot follow %s", id,
		      spk_state_name(to), spk_state_name(from));
	return FALSE;
}

gboolean spk_task_move(SpkStore *store, const char *id, gint64 token, SpkState from,
		       SpkState to, const char *reason, GError **error)
{
	g_autoptr(json_t) payload = move_payload(from, to, reason);
	g_autoptr(SpkTx) tx = NULL;

	if (!spk_state_may_follow(from, to))
		return refuse_move(id, from, to, error);
	tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	return tx && spk_lease_fence(tx, id, token, error) &&
	       set_state(tx, id, from, to, reason, error) &&
	       (!spk_state_is_terminal(to) || spk_approvals_withdraw(tx, id, error)) &&
	       finish_move(store, g_steal_pointer(&tx), id, payload, error);
}

static gboolean may_reopen(SpkState from, SpkState to)
{
	if (spk_state_is_terminal(to))
		return FALSE;
	return from == SPK_STATE_CANCELLED ||
	       (from == SPK_STATE_PAUSED && spk_state_may_follow(from, to));
}

gboolean spk_task_reopen(SpkStore *store, const char *id, SpkState from, SpkState to,
			 const char *reason, GError **error)
{
	g_autoptr(json_t) payload = move_payload(from, to, reason);
	g_autoptr(SpkTx) tx = NULL;
	SpkState state;

	if (!may_reopen(from, to))
		return refuse_move(id, from, to, error);
	tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	if (!tx || !spk_task_state(tx, id, &state, error))
		return FALSE;
	if (state != from)
		return state_moved(id, from, error);
	return spk_lease_end(tx, id, error) &&
	       set_state(tx, id, from, to, reason, error) &&
	       spk_tx_exec(tx, "UPDATE tasks SET error = NULL WHERE id = $1",
			   SPK_ARGS(spk_db_text(id)), NULL, error) &&
	       /* what was asked before was asked of a task that has stopped since */
	       spk_tx_exec(tx, "DELETE FROM mail WHERE task = $1",
			   SPK_ARGS(spk_db_text(id)), NULL, error) &&
	       finish_move(store, g_steal_pointer(&tx), id, payload, error);
}

gboolean spk_task_raise(SpkStore *store, const char *id, json_t *limits, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autofree char *text = NULL;
	g_autofree char *changed = NULL;
	g_autoptr(json_t) options = NULL;

	if (!tx || !spk_lease_end(tx, id, error) ||
	    !spk_tx_text(tx, "SELECT options FROM tasks WHERE id = $1",
			 SPK_ARGS(spk_db_text(id)), &text, error))
		return FALSE;
	options = text ? json_loads(text, 0, NULL) : NULL;
	if (!options) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, NULL, "task %s is not there", id);
		return FALSE;
	}
	json_object_update(options, limits);
	changed = spk_json_dump(options);
	return spk_tx_exec(tx, "UPDATE tasks SET options = $2 WHERE id = $1",
			   SPK_ARGS(spk_db_text(id), spk_db_text(changed)), NULL,
			   error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}
