/* `sparks chat`: a conversation whose turns are tasks. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "cmd/chat/chat.h"
#include "cmd/chat/editor.h"
#include "cmd/chat/lean.h"
#include "cmd/cmd_all.h"
#include "cmd/submit.h"
#include "cmd/ui.h"
#include "store/halt.h"

/* ---- the loop ---- */

static gboolean offer_unfinished(ChatRoom *room)
{
	g_autoptr(SpkTask) task = spk_chat_is_stored(room->chat)
					  ? spk_chat_unfinished(room->chat, NULL)
					  : NULL;
	g_autofree char *goal = NULL;

	if (!task)
		return FALSE;
	goal = spk_ui_line(task->goal, MAX(20, spk_ui_columns(STDERR_FILENO) - 24));
	fprintf(stderr, "unfinished: %s\n", goal);
	return spk_ui_ask("Go on with it?");
}

/* SIGTERM has cancelled the turn; the program is to end too. */
static gboolean is_told_to_end(void)
{
	return spk_cmd_interrupted_by() == SIGTERM;
}

static void take(ChatRoom *room, const char *text)
{
	if (text[0] == '/' && text[1] != '/')
		chat_slash(room, text);
	else
		(void)chat_turn(room, text + (*text == '/')); /* it said how it ended */
}

static SpkInput take_messages(ChatRoom *room)
{
	g_autofree char *history =
		g_build_filename(spk_core_home(room->session.core), "chat_history", NULL);
	g_autoptr(SpkEditor) editor = spk_editor_new(history, chat_complete, room);
	SpkInput input = SPK_INPUT_EMPTIED;

	if (offer_unfinished(room))
		(void)chat_turn(room, NULL); /* it said how it ended */
	while (!room->over && !is_told_to_end() && input != SPK_INPUT_END) {
		g_autofree char *text = NULL;

		spk_chat_rest(room->chat); /* a person may think for long */
		input = spk_editor_read(editor, &text);
		if (input == SPK_INPUT_MESSAGE)
			take(room, text);
	}
	return input;
}

static int talk(ChatRoom *room)
{
	chat_greet(room);
	if (take_messages(room) == SPK_INPUT_END)
		putchar('\n');
	if (spk_chat_is_stored(room->chat))
		printf("come back: sparks chat --resume %s\n",
		       spk_chat_row(room->chat)->id);
	fflush(stdout);
	if (is_told_to_end()) {
		signal(SIGTERM, SIG_DFL);
		raise(SIGTERM);
	}
	return 0;
}

/* All of standard input is one message. */
static int from_pipe(ChatRoom *room)
{
	g_autoptr(GError) error = NULL;
	gsize len;
	g_autofree char *text = spk_fs_read_fd(STDIN_FILENO, "standard input",
					       SPK_MESSAGE_MAX, &len, &error);

	if (!text)
		return spk_cmd_fail(g_steal_pointer(&error), FALSE);
	spk_chat_set_piped(room->chat);
	return chat_turn(room, text);
}

/* ---- opening ---- */

static json_t *options_of(const SpkArgs *args)
{
	const char *const *checks = spk_args_list(args, "check");
	json_t *options = json_object(), *list = json_array();

	for (; *checks; checks++)
		json_array_append_new(list, json_string(*checks));
	if (json_array_size(list))
		json_object_set_new(options, "checks", list);
	else
		json_decref(list);
	if (spk_args_flag(args, "no-memory"))
		json_object_set_new(options, "no_memory", json_true());
	return options;
}

static gboolean set_given(ChatRoom *room, const char *spark, const char *model,
			  json_t *options, GError **error)
{
	return (!spark || spk_chat_set_spark(room->chat, spark, error)) &&
	       (!model || spk_chat_set_model(room->chat, model, error)) &&
	       (!json_object_size(options) ||
		spk_chat_set_options(room->chat, options, error));
}

static gboolean find_folder(ChatRoom *room, const SpkArgs *args, GError **error)
{
	const char *label = NULL;

	room->folder = spk_submit_folder(spk_args_str(args, "repo"), &label, error);
	if (!room->folder || !label)
		return room->folder != NULL;
	spk_error_set(error, SPK_ERR_NOT_FOUND, "--repo of a chat takes a folder",
		      "there is no folder %s", label);
	return FALSE;
}

static gboolean open_chat(ChatRoom *room, const SpkArgs *args, GError **error)
{
	const char *id = spk_args_str(args, "resume");
	const char *spark = spk_args_str(args, "ghost");
	gboolean back = id || spk_args_flag(args, "continue");
	g_autoptr(json_t) options = options_of(args);
	g_autofree char *model = NULL;

	if (!find_folder(room, args, error) ||
	    !spk_submit_model(spk_args_str(args, "model"), &model, error))
		return FALSE;
	if (!back) {
		room->chat = chat_begin(room, spark, model, options, error);
		return room->chat && spk_core_ready(room->session.core, error);
	}
	room->chat = spk_chat_resume(room->session.core, id, room->folder, error);
	if (!room->chat)
		return FALSE;
	g_free(room->folder);
	room->folder = g_strdup(spk_chat_row(room->chat)->repo);
	return set_given(room, spark, model, options, error) &&
	       spk_core_ready(room->session.core, error);
}

static int run(const SpkArgs *args)
{
	g_auto(ChatRoom) room = { .first_result = 1, .yes = spk_args_yes(args) };
	const char *message = spk_args_rest(args)[0];
	g_autoptr(GError) error = NULL;
	int code;

	room.results = g_ptr_array_new_with_free_func(g_free);
	room.terminal = spk_term_is_tty(STDIN_FILENO) && spk_term_is_tty(STDOUT_FILENO);
	if (room.terminal && !message)
		chat_lean();
	if (!spk_session_open(&room.session, args, FALSE, &code))
		return code;
	if (spk_args_flag(args, "list")) {
		if (!find_folder(&room, args, &error))
			return spk_cmd_fail(g_steal_pointer(&error), FALSE);
		chat_list(&room);
		return 0;
	}
	if (!spk_halt_check(room.session.store, &error) ||
	    !open_chat(&room, args, &error))
		return spk_cmd_fail(g_steal_pointer(&error), FALSE);
	if (message)
		return chat_turn(&room, message);
	return room.terminal ? talk(&room) : from_pipe(&room);
}

static const SpkCmdOpt options[] = {
	{ "resume", .type = SPK_CMD_STRING, .value = "ID",
	  .sentence = "come back to that session (`sparks chat --list`)" },
	{ "continue", .letter = 'c', .type = SPK_CMD_FLAG,
	  .sentence = "come back to this folder's latest session" },
	{ "list", .type = SPK_CMD_FLAG, .sentence = "the sessions about this folder" },
	{ "ghost", "spark", .type = SPK_CMD_STRING, .value = "NAME",
	  .sentence = "who answers (`sparks ghosts`)" },
	{ "repo", .type = SPK_CMD_STRING, .value = "PATH",
	  .sentence = "folder to talk about; default: the current one" },
	{ "check", .type = SPK_CMD_STRINGS, .value = "CMD",
	  .sentence = "command that must pass when a turn changed files" },
	{ "model", .type = SPK_CMD_STRING, .value = "[PROVIDER:]NAME|script:FILE",
	  .sentence = "model, or a play that answers in its place" },
	{ "no-memory", .type = SPK_CMD_FLAG,
	  .sentence = "without the memory: nothing is recalled, nothing learned" },
	{ NULL },
};

const SpkCmd spk_cmd_chat = {
	.name = "chat",
	.usage = "[MESSAGE]",
	.summary = "Talk with a model about the current folder, and let it work on it.",
	.details =
		"Each message is a task of its own: answered from what is there, or worked on in "
		"the sandbox on a private copy and checked. When a turn changed files you see the "
		"diff and the evidence, and are asked whether to apply it. Plain `sparks` on a "
		"terminal is the same.\n\n"
		"Ctrl-C ends a turn, a second one the program; at the prompt it empties the line. "
		"A line that ends in a backslash goes on, and so does an open ``` fence; what is "
		"pasted is one piece. /help lists the words that begin with a slash.\n\n"
		"With MESSAGE, or when standard input is no terminal (all of it is one message), "
		"one turn is run, and the exit code is that of its task.",
	.example = "sparks chat --continue",
	.options = options,
	.max_args = 1,
	.run = run,
};
