#include "core/chat.h"

#include <malloc.h>
#include <string.h>

#include "agent/agent.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "core/core_priv.h"
#include "llm/llm.h"

#define STRATEGY      "chat"
#define DEFAULT_SPARK "coder"

struct SpkChat {
	SpkCore *core;
	SpkStore *store;
	SpkChatRow *row;
	gboolean stored, piped;
	/* while a turn runs: who listens to it, and where */
	const SpkChatSink *sink;
	const char *task;
	GThread *thread;
	GAsyncQueue *elsewhere; /* SpkJournalEntry, for who listens, from other threads */
};

/* ---- sessions ---- */

static gboolean has_model(SpkChat *chat, const char *model, GError **error)
{
	g_autoptr(SpkConf) conf = spk_core_conf(chat->core);
	g_autoptr(SpkLlm) llm = spk_llm_open(conf, model, error);

	return llm != NULL;
}

static gboolean has_spark(SpkChat *chat, const char *name, GError **error)
{
	g_autoptr(SpkConf) conf = spk_core_conf(chat->core);
	g_autoptr(SpkSpark) spark = conf ? spk_spark_find(conf, name, error) : NULL;

	return spark != NULL;
}

static SpkChat *chat_new(SpkCore *core, SpkChatRow *take_row, gboolean stored)
{
	SpkChat *chat = g_new0(SpkChat, 1);

	chat->core = core;
	chat->store = spk_core_store(core);
	chat->row = take_row;
	chat->stored = stored;
	chat->elsewhere = g_async_queue_new_full((GDestroyNotify)spk_journal_entry_free);
	return chat;
}

SpkChat *spk_chat_new(SpkCore *core, const SpkChatStart *start, GError **error)
{
	SpkChatRow *row = g_new0(SpkChatRow, 1);
	g_autoptr(SpkChat) chat = chat_new(core, row, FALSE);

	row->id = spk_id_new();
	row->repo = g_strdup(start->folder);
	row->spark = g_strdup(start->spark ? start->spark : DEFAULT_SPARK);
	row->model = g_strdup(start->model);
	row->title = g_strdup("");
	row->options = start->options ? json_deep_copy(start->options) : json_object();
	row->created_us = row->updated_us = spk_now_us();
	if (!g_file_test(row->repo, G_FILE_TEST_IS_DIR)) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, "name a folder with --repo",
			      "%s is not a folder", row->repo);
		return NULL;
	}
	if (!has_spark(chat, row->spark, error) || !has_model(chat, row->model, error))
		return NULL;
	return g_steal_pointer(&chat);
}

static SpkChatRow *latest(SpkStore *store, const char *folder, GError **error)
{
	g_autoptr(GPtrArray) rows = spk_session_list(store, folder, 1, error);

	if (rows && rows->len)
		return g_ptr_array_steal_index(rows, 0);
	if (rows)
		spk_error_set(error, SPK_ERR_NOT_FOUND,
			      "start one, or name one of another folder by its id",
			      "there is no chat session of %s yet", folder);
	return NULL;
}

SpkChat *spk_chat_resume(SpkCore *core, const char *id, const char *folder,
			 GError **error)
{
	SpkStore *store = spk_core_store(core);
	SpkChatRow *row = id ? spk_session_get(store, id, error)
			     : latest(store, folder, error);

	return row ? chat_new(core, row, TRUE) : NULL;
}

void spk_chat_free(SpkChat *chat)
{
	if (!chat)
		return;
	spk_chat_row_free(chat->row);
	g_async_queue_unref(chat->elsewhere);
	g_free(chat);
}

const SpkChatRow *spk_chat_row(SpkChat *chat)
{
	return chat->row;
}

gboolean spk_chat_is_stored(SpkChat *chat)
{
	return chat->stored;
}

/* Another terminal may have the same session open: what is stored counts. */
static gboolean read_again(SpkChat *chat, GError **error)
{
	SpkChatRow *row = spk_session_get(chat->store, chat->row->id, error);

	if (!row)
		return FALSE;
	spk_chat_row_free(chat->row);
	chat->row = row;
	return TRUE;
}

static gboolean set(SpkChat *chat, const char *spark, const char *model, json_t *options,
		    GError **error)
{
	SpkChatRow *row = chat->row;
	SpkChatRow wanted = *row;

	wanted.spark = (char *)spark;
	wanted.model = (char *)model;
	wanted.options = options;
	if (chat->stored && !spk_session_set(chat->store, &wanted, error))
		return FALSE;
	/* what is taken may be what is there */
	wanted.spark = g_strdup(spark);
	wanted.model = g_strdup(model);
	wanted.options = options ? json_deep_copy(options) : json_object();
	g_free(row->spark);
	g_free(row->model);
	json_decref(row->options);
	*row = wanted;
	return TRUE;
}

gboolean spk_chat_set_spark(SpkChat *chat, const char *spark, GError **error)
{
	return has_spark(chat, spark, error) &&
	       set(chat, spark, chat->row->model, chat->row->options, error);
}

gboolean spk_chat_set_model(SpkChat *chat, const char *model, GError **error)
{
	return has_model(chat, model, error) &&
	       set(chat, chat->row->spark, model, chat->row->options, error);
}

gboolean spk_chat_set_options(SpkChat *chat, json_t *options, GError **error)
{
	return set(chat, chat->row->spark, chat->row->model, options, error);
}

void spk_chat_set_piped(SpkChat *chat)
{
	chat->piped = TRUE;
}

static gboolean store_now(SpkChat *chat, GError **error)
{
	if (!chat->stored && !spk_session_insert(chat->store, chat->row, error))
		return FALSE;
	chat->stored = TRUE;
	return TRUE;
}

/* ---- running a turn ---- */

static SpkJournalEntry *copy_entry(const SpkJournalEntry *entry)
{
	SpkJournalEntry *copy = g_memdup2(entry, sizeof(*entry));

	copy->kind = g_strdup(entry->kind);
	copy->payload = json_deep_copy(entry->payload);
	return copy;
}

/* Who listens hears only his own thread, so what the others have is handed over to it. */
static void tell_of_elsewhere(const SpkChat *chat)
{
	SpkJournalEntry *entry;

	while ((entry = g_async_queue_try_pop(chat->elsewhere))) {
		chat->sink->on_entry(entry, chat->sink->user);
		spk_journal_entry_free(entry);
	}
}

/* The thread of the turn's way out journals too, and has ended when the turn is over; the
 * supervisor's (mail) may come late, and is left out. */
static void on_journal(const char *task, const SpkJournalEntry *entry, gpointer user)
{
	const SpkChat *chat = user;

	if (g_thread_self() != chat->thread) {
		if (!strcmp(entry->kind, "net.result"))
			g_async_queue_push(chat->elsewhere, copy_entry(entry));
		return;
	}
	tell_of_elsewhere(chat);
	if (!strcmp(task, chat->task))
		chat->sink->on_entry(entry, chat->sink->user);
}

void spk_chat_rest(SpkChat *chat)
{
	spk_store_rest(chat->store);
	malloc_trim(0);
}

static SpkTask *run_turn(SpkChat *chat, const char *id, const SpkChatSink *sink,
			 SpkCancel *cancel, GError **error)
{
	SpkLlmSink text = { 0 };
	gboolean ok;

	chat->sink = sink;
	chat->task = id;
	chat->thread = g_thread_self();
	if (sink)
		text = (SpkLlmSink){ sink->on_text, sink->on_restart, sink->user };
	if (sink && sink->on_entry)
		spk_store_on_journal(chat->store, on_journal, chat);
	ok = core_run(chat->core, id, sink ? &text : NULL, cancel, error);
	if (sink && sink->on_entry) {
		spk_store_on_journal(chat->store, NULL, NULL);
		tell_of_elsewhere(chat);
	}
	return ok ? spk_task_get(chat->store, id, error) : NULL;
}

static json_t *options_of(const SpkChat *chat)
{
	const SpkChatRow *row = chat->row;
	json_t *options = json_deep_copy(row->options);

	spk_json_set(options, "strategy", json_string(STRATEGY));
	spk_json_set(options, "session", json_string(row->id));
	if (row->model)
		spk_json_set(options, "model", spk_json_text(row->model));
	if (chat->piped)
		spk_json_set(options, "piped", json_true());
	return options;
}

/* Somebody may be at work on it in another terminal; else it is put to rest. */
static gboolean leave_unfinished(SpkChat *chat, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(SpkTask) task = spk_chat_unfinished(chat, &why);

	if (why) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	if (!task || spk_state_is_terminal(task->status))
		return TRUE;
	if (task->holder && *task->holder && spk_holder_alive(task->holder)) {
		spk_error_set(
			error, SPK_ERR_BUSY,
			"wait for it there, or start a session of your own",
			"the last message of this session is being answered by another "
			"process");
		return FALSE;
	}
	return spk_core_cancel(chat->core, task->id, error);
}

SpkTask *spk_chat_say(SpkChat *chat, const char *message, const SpkChatSink *sink,
		      SpkCancel *cancel, GError **error)
{
	g_autoptr(json_t) options = NULL;
	g_autofree char *id = NULL;
	SpkRequest request = { .goal = message,
			       .spark = chat->row->spark,
			       .folder = chat->row->repo,
			       .apart = TRUE };

	if (!message[strspn(message, " \t\r\n")]) {
		spk_error_set(error, SPK_ERR_USAGE, NULL, "the message is empty");
		return NULL;
	}
	if (!store_now(chat, error) || !leave_unfinished(chat, error))
		return NULL;
	options = options_of(chat);
	request.options = options;
	id = core_accept(chat->core, &request, chat->row->id, error);
	if (!id || !read_again(chat, error))
		return NULL;
	return run_turn(chat, id, sink, cancel, error);
}

SpkTask *spk_chat_unfinished(SpkChat *chat, GError **error)
{
	g_autoptr(GPtrArray) turns = spk_chat_turns(chat, 1, error);
	SpkChatTurn *last = turns && turns->len ? turns->pdata[0] : NULL;

	if (!last || (spk_state_is_terminal(last->task->status) &&
		      last->task->status != SPK_STATE_CANCELLED))
		return NULL;
	return g_steal_pointer(&last->task);
}

SpkTask *spk_chat_continue(SpkChat *chat, const SpkChatSink *sink, SpkCancel *cancel,
			   GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(SpkTask) task = spk_chat_unfinished(chat, &why);

	if (!task && why)
		g_propagate_error(error, g_steal_pointer(&why));
	else if (!task)
		spk_error_set(error, SPK_ERR_CONFLICT, "say something new",
			      "no message of this session waits for its answer");
	if (!task || !spk_core_resume(chat->core, task->id, TRUE, error))
		return NULL;
	return run_turn(chat, task->id, sink, cancel, error);
}

/* ---- what was said ---- */

gboolean spk_chat_refuse(SpkChat *chat, const char *task, GError **error)
{
	g_autoptr(json_t) payload = json_pack("{s:s}", "by", "user");
	g_autofree char *session = NULL;
	gint64 turn;

	if (!spk_session_of_task(chat->store, task, &session, &turn, error))
		return FALSE;
	if (g_strcmp0(session, chat->row->id) != 0) {
		spk_error_set(error, SPK_ERR_CONFLICT, NULL,
			      "task %s is no turn of this session", task);
		return FALSE;
	}
	return spk_journal_append(chat->store, task, 0, "refused", SPK_EFFECT_PURE,
				  payload, NULL, error);
}

GPtrArray *spk_chat_turns(SpkChat *chat, guint limit, GError **error)
{
	return spk_session_turns(chat->store, chat->row->id, 0, limit, error);
}

gboolean spk_chat_totals(SpkChat *chat, SpkChatTotals *ret_totals, GError **error)
{
	return spk_session_totals(chat->store, chat->row->id, 0, ret_totals, error);
}
