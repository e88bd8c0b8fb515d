/*
 * talk FOLDER MODEL: a chat without a terminal. One line of standard input is a message of the
 * folder's latest session, or of a new one; but "/continue" goes on with the last turn,
 * "/refuse" refuses its changes, "/model NAME", "/spark NAME" and "/check COMMAND" switch, "/new"
 * starts another session. Prints one JSON object a line: what came of it.
 *
 * TALK_KILL=N: SIGKILL in the Nth call of the sink. TALK_CANCEL=N: cancels there. TALK_STREAM:
 * pieces of text are printed as they come, before the object.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "core/chat.h"

typedef struct {
	SpkCore *core;
	SpkChat *chat;
	SpkCancel *cancel;
	const char *folder, *model;
	gint64 calls, kill_at, cancel_at;
	gboolean stream;
	GString *streamed;
	json_t *kinds;
} Talk;

static void count(Talk *talk)
{
	talk->calls++;
	if (talk->calls == talk->kill_at)
		raise(SIGKILL);
	if (talk->calls == talk->cancel_at)
		spk_cancel_fire(talk->cancel, "as the test says");
}

static void on_text(const char *piece, gpointer user)
{
	Talk *talk = user;

	g_string_append(talk->streamed, piece);
	if (talk->stream) {
		fputs(piece, stdout);
		fflush(stdout);
	}
	count(talk);
}

static void on_restart(const char *why, gpointer user)
{
	Talk *talk = user;

	g_string_truncate(talk->streamed, 0);
	count(talk);
}

static void on_entry(const SpkJournalEntry *entry, gpointer user)
{
	Talk *talk = user;

	json_array_append_new(talk->kinds, json_string(entry->kind));
	count(talk);
}

static gint64 number_of(const char *name)
{
	const char *text = g_getenv(name);

	return text ? g_ascii_strtoll(text, NULL, 10) : 0;
}

static void print(json_t *take_object)
{
	g_autoptr(json_t) object = take_object;
	g_autofree char *text = spk_json_dump(object);

	puts(text);
	fflush(stdout);
}

static gboolean fail(GError *take_error)
{
	g_autoptr(GError) error = take_error;

	print(json_pack("{s:s,s:s}", "error", spk_err_info(spk_error_code(error))->name,
			"message", error->message));
	return FALSE;
}

static void tell(Talk *talk, const SpkTask *task)
{
	const json_t *files = json_object_get(task->changes, "files");
	SpkChatTotals totals = { 0 };

	(void)spk_chat_totals(talk->chat, &totals, NULL); /* zeros show */
	print(json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:s,s:O,s:o,s:I,s:I}", "task", task->id,
			"session", spk_chat_row(talk->chat)->id, "status",
			spk_state_name(task->status), "verdict",
			spk_verdict_name(task->verdict), "summary",
			spk_json_text(task->summary), "reason",
			spk_json_text(task->reason), "streamed", talk->streamed->str,
			"entries", talk->kinds, "files",
			files ? json_deep_copy(files) : json_array(), "turns",
			(json_int_t)totals.turns, "answers", (json_int_t)totals.answers));
}

static gboolean run_turn(Talk *talk, const char *message)
{
	SpkChatSink sink = { on_text, on_restart, on_entry, talk };
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTask) task = NULL;

	g_string_truncate(talk->streamed, 0);
	json_array_clear(talk->kinds);
	task = message ? spk_chat_say(talk->chat, message, &sink, talk->cancel, &error)
		       : spk_chat_continue(talk->chat, &sink, talk->cancel, &error);
	if (!task)
		return fail(g_steal_pointer(&error));
	tell(talk, task);
	return TRUE;
}

static gboolean refuse(Talk *talk, GError **error)
{
	g_autoptr(GPtrArray) turns = spk_chat_turns(talk->chat, 1, error);

	if (!turns || !turns->len)
		return FALSE;
	return spk_chat_refuse(talk->chat, ((SpkChatTurn *)turns->pdata[0])->task->id,
			       error);
}

static gboolean set_check(Talk *talk, const char *command, GError **error)
{
	g_autoptr(json_t) options = json_pack("{s:[s]}", "checks", command);

	return spk_chat_set_options(talk->chat, options, error);
}

static gboolean open_chat(Talk *talk, gboolean fresh)
{
	SpkChatStart start = { .folder = talk->folder, .model = talk->model };
	g_autoptr(GError) error = NULL;

	g_clear_pointer(&talk->chat, spk_chat_free);
	if (!fresh)
		talk->chat = spk_chat_resume(talk->core, NULL, talk->folder, NULL);
	if (!talk->chat)
		talk->chat = spk_chat_new(talk->core, &start, &error);
	return talk->chat || fail(g_steal_pointer(&error));
}

static gboolean take_line(Talk *talk, const char *line)
{
	g_autoptr(GError) error = NULL;
	gboolean ok;

	if (!strcmp(line, "/continue"))
		return run_turn(talk, NULL);
	if (!strcmp(line, "/new"))
		return open_chat(talk, TRUE);
	if (g_str_has_prefix(line, "/model "))
		ok = spk_chat_set_model(talk->chat, line + strlen("/model "), &error);
	else if (g_str_has_prefix(line, "/spark "))
		ok = spk_chat_set_spark(talk->chat, line + strlen("/spark "), &error);
	else if (g_str_has_prefix(line, "/check "))
		ok = set_check(talk, line + strlen("/check "), &error);
	else if (!strcmp(line, "/refuse"))
		ok = refuse(talk, &error);
	else
		return run_turn(talk, line);
	if (!ok)
		return fail(g_steal_pointer(&error));
	print(json_pack("{s:s}", "did", line));
	return TRUE;
}

int main(int argc, char **argv)
{
	SpkConfSource source = { 0 };
	g_autoptr(GError) error = NULL;
	Talk talk = { .kill_at = number_of("TALK_KILL"),
		      .cancel_at = number_of("TALK_CANCEL"),
		      .stream = g_getenv("TALK_STREAM") != NULL };
	SpkConf *conf = spk_conf_load(&source, &error);
	char line[4096];
	gboolean ok = argc == 3 && conf;

	signal(SIGPIPE, SIG_IGN);
	talk.core = ok ? spk_core_open(conf, &error) : NULL;
	if (!talk.core)
		return error && !fail(g_steal_pointer(&error)) ? 1 : 2;
	talk.folder = argv[1];
	talk.model = argv[2];
	talk.cancel = spk_cancel_new(NULL);
	talk.streamed = g_string_new(NULL);
	talk.kinds = json_array();
	ok = open_chat(&talk, FALSE);
	while (ok && fgets(line, sizeof(line), stdin))
		(void)take_line(&talk, g_strchomp(line)); /* what failed is printed */
	spk_chat_free(talk.chat);
	spk_core_close(talk.core);
	spk_conf_unref(conf);
	spk_cancel_unref(talk.cancel);
	g_string_free(talk.streamed, TRUE);
	json_decref(talk.kinds);
	return ok ? 0 : 1;
}
