/* The session that the screen is about: begun, changed for another, greeted, listed. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/chat/chat.h"
#include "cmd/ui.h"
#include "llm/llm.h"

#define MAX_LISTED 20

void chat_room_clear(ChatRoom *room)
{
	g_clear_pointer(&room->chat, spk_chat_free);
	g_clear_pointer(&room->results, g_ptr_array_unref);
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
		printf("session %s, %d turns: %s\n", row->id, (int)row->turns, title);
	puts("Your files change only when you say so. /help lists the words, Ctrl-D leaves.");
}
