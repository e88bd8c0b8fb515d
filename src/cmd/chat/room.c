/* The session that the screen is about: begun, changed for another, greeted, listed; and which
 * tasks may be spoken of in it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cmd/chat/chat.h"
#include "cmd/ui.h"
#include "llm/llm.h"

#define MAX_LISTED 20

void chat_room_clear(ChatRoom *room)
{
	g_clear_pointer(&room->chat, spk_chat_free);
	g_clear_pointer(&room->results, g_ptr_array_unref);
	g_clear_pointer(&room->models, g_strfreev);
	g_free(room->models_of);
	g_free(room->folder);
	spk_session_clear(&room->session);
}

void chat_list(ChatRoom *room)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows =
		spk_session_list(room->session.store, room->folder, MAX_LISTED, &error);

	for (guint i = 0; rows && i < rows->len; i++) {
		const SpkChatRow *row = rows->pdata[i];
		g_autofree char *time = spk_ui_time(row->updated_us);
		g_autofree char *title = spk_ui_line(
			row->title, MAX(20, spk_ui_columns(STDOUT_FILENO) - 46));

		printf("  %s  %s  %3d  %s\n", row->id, time, (int)row->turns, title);
	}
	if (rows && !rows->len)
		fputs("no chat about this folder yet\n", stderr);
	else if (rows)
		fputs("come back to one: sparks chat --resume ID, or /resume ID\n",
		      stderr);
	if (error)
		(void)spk_cmd_fail(g_steal_pointer(&error), FALSE); /* the words */
}

SpkChat *chat_begin(ChatRoom *room, const char *spark, const char *model, json_t *options,
		    GError **error)
{
	SpkChatStart start = { room->folder, spark, model, options };

	return spk_chat_new(room->session.core, &start, error);
}

gboolean chat_switch(ChatRoom *room, const char *id, GError **error)
{
	const SpkChatRow *row = spk_chat_row(room->chat);
	SpkChat *next =
		id ? spk_chat_resume(room->session.core, id, room->folder, error)
		   : chat_begin(room, row->spark, row->model, row->options, error);

	if (!next)
		return FALSE;
	spk_chat_free(room->chat);
	room->chat = next;
	g_free(room->folder);
	room->folder = g_strdup(spk_chat_row(next)->repo);
	return TRUE;
}

void chat_greet(ChatRoom *room)
{
	const SpkChatRow *row = spk_chat_row(room->chat);
	g_autoptr(SpkLlm) llm = spk_llm_open(room->session.conf, row->model, NULL);
	g_autofree char *folder =
		spk_ui_line(room->folder, MAX(20, spk_ui_columns(STDOUT_FILENO) - 40));
	g_autofree char *title =
		spk_ui_line(row->title, MAX(20, spk_ui_columns(STDOUT_FILENO) - 30));

	printf("%s%s%s, model %s, in %s\n", spk_term_sgr(STDOUT_FILENO, "bold"),
	       row->spark, spk_term_sgr(STDOUT_FILENO, "reset"),
	       llm ? spk_llm_model(llm) : "not there", folder);
	if (spk_chat_is_stored(room->chat))
		printf("session %s, %d turn%s: %s\n", row->id, (int)row->turns,
		       row->turns == 1 ? "" : "s", title);
	puts("Your files change only when you say so. /help lists the words, Ctrl-D leaves.");
}

/* ---- its tasks ---- */

static SpkTask *last_with_changes(ChatRoom *room, GError **error)
{
	g_autoptr(GPtrArray) turns = spk_chat_turns(room->chat, 0, error);

	for (guint i = turns ? turns->len : 0; i > 0; i--) {
		const SpkTask *task = ((SpkChatTurn *)turns->pdata[i - 1])->task;

		if (json_array_size(json_object_get(task->changes, "files")))
			return spk_task_get(room->session.store, task->id, error);
	}
	if (turns)
		spk_error_set(error, SPK_ERR_NOT_FOUND, "/tasks lists its turns",
			      "no turn of this session has changed files");
	return NULL;
}

static gboolean is_of_session(ChatRoom *room, const char *id)
{
	g_autoptr(GPtrArray) turns = spk_chat_turns(room->chat, 0, NULL);

	for (guint i = 0; turns && i < turns->len; i++)
		if (!strcmp(((SpkChatTurn *)turns->pdata[i])->task->id, id))
			return TRUE;
	return FALSE;
}

/* The folder that holds `.git`, or the folder itself. */
static char *top_of(const char *folder)
{
	g_autofree char *at = g_strdup(folder);

	for (;;) {
		g_autofree char *git = g_build_filename(at, ".git", NULL);
		char *above;

		if (g_file_test(git, G_FILE_TEST_EXISTS))
			return g_steal_pointer(&at);
		above = g_path_get_dirname(at);
		if (!strcmp(above, at)) {
			g_free(above);
			return g_strdup(folder);
		}
		g_free(at);
		at = above;
	}
}

static gboolean is_of_folder(ChatRoom *room, const SpkTask *task)
{
	g_autofree char *here = top_of(room->folder), *there = top_of(task->repo);

	return !strcmp(here, there);
}

static gboolean may_be_meant(ChatRoom *room, const SpkTask *task, ChatUse use,
			     GError **error)
{
	g_autofree char *where = spk_ui_line(task->repo, 400);
	g_autofree char *goal =
		spk_ui_line(task->goal, MAX(20, spk_ui_columns(STDERR_FILENO) - 40));

	if (is_of_session(room, task->id))
		return TRUE;
	if (!is_of_folder(room, task)) {
		spk_error_set(error, SPK_ERR_POLICY,
			      "`sparks tasks diff|apply|undo ID` take it from any folder",
			      "task %s is about %s, not about this folder", task->id,
			      where);
		return FALSE;
	}
	fprintf(stderr, "no turn of this session: task %s, %s\n", task->id, goal);
	if (use == CHAT_TO_LOOK || room->yes || spk_ui_ask("Is it the one you mean?"))
		return TRUE;
	spk_error_set(error, SPK_ERR_POLICY, "/tasks lists the turns of this session",
		      "nothing was done");
	return FALSE;
}

SpkTask *chat_find_turn(ChatRoom *room, const char *id, ChatUse use)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTask) task = *id ? spk_task_get(room->session.store, id, &error)
				      : last_with_changes(room, &error);

	if (task && *id && !may_be_meant(room, task, use, &error))
		g_clear_pointer(&task, spk_task_free);
	if (error)
		spk_cmd_say_error(error);
	return g_steal_pointer(&task);
}
