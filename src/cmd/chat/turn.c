/* A turn on the screen: the answer as it streams, a line for each call of a tool. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/chat/chat.h"
#include "cmd/show/ask.h"
#include "cmd/show/lines.h"
#include "cmd/chat/markdown.h"
#include "cmd/chat/rescue.h"
#include "cmd/show/progress.h"
#include "cmd/show/summary.h"
#include "cmd/ui.h"

#define MAX_RESULTS 50
#define OUT	    STDOUT_FILENO

typedef struct {
	ChatRoom *room;
	SpkCancel *cancel;
	SpkProgress *progress; /* NULL while text streams */
	SpkMarkdown *markdown;
	gboolean streaming;
	GString *said; /* of the answer that streams now */
} Screen;

/* Entries that have no line in a chat: how the work was set up, and what is shown at its end. */
static const char *const silent[] = { "accepted",      "history",  "tree",
				      "box",	       "ended",	   "verdict",
				      "commit.result", "restored", "checks",
				      "kept",	       NULL };

static int screen_rows(void)
{
	struct winsize size;

	return ioctl(OUT, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : 24;
}

/* Whoever read us is gone: the turn ends, and can go on later. */
static void write_out(const char *text, gsize len, gpointer user)
{
	Screen *screen = user;

	while (len) {
		ssize_t n = write(OUT, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			spk_cancel_fire(screen->cancel, "nobody reads the answer");
			return;
		}
		text += n;
		len -= (gsize)n;
	}
}

static void show_progress(Screen *screen)
{
	if (!screen->progress)
		screen->progress =
			spk_progress_new(screen->room->terminal ? OUT : STDERR_FILENO);
}

static void hide_progress(Screen *screen)
{
	g_clear_pointer(&screen->progress, spk_progress_free);
}

/* What has become of the terminal since the last piece. */
static void look_at_terminal(Screen *screen)
{
	if (chat_rescue_was_stopped())
		spk_markdown_anew(screen->markdown);
	spk_markdown_screen(screen->markdown, spk_ui_columns(OUT), screen_rows());
}

static void stream(Screen *screen, const char *piece)
{
	hide_progress(screen);
	screen->streaming = TRUE;
	look_at_terminal(screen);
	spk_markdown_feed(screen->markdown, piece);
}

static void end_text(Screen *screen)
{
	if (screen->streaming) {
		look_at_terminal(screen);
		spk_markdown_finish(screen->markdown);
	}
	screen->streaming = FALSE;
}

/* ---- the sink ---- */

static void on_text(const char *piece, gpointer user)
{
	Screen *screen = user;

	g_string_append(screen->said, piece);
	stream(screen, piece);
}

static void on_restart(const char *why, gpointer user)
{
	Screen *screen = user;

	if (screen->streaming) {
		spk_markdown_drop(screen->markdown);
		end_text(screen);
	}
	g_string_truncate(screen->said, 0);
	show_progress(screen);
	spk_progress_say(screen->progress, "warn", "model", why);
}

static guint count_lines(const char *text)
{
	guint n = 0;

	for (const char *p = text; *p; p++)
		n += *p == '\n' || !p[1];
	return n;
}

/* Kept for /show; says how to see it when there is more than its line told. */
static void keep_result(Screen *screen, const json_t *payload)
{
	ChatRoom *room = screen->room;
	const char *text = spk_json_str(payload, "text");
	g_autofree char *told = NULL;
	guint lines;

	if (!text || spk_json_bool(payload, "finished", FALSE))
		return;
	if (room->results->len == MAX_RESULTS) {
		g_ptr_array_remove_index(room->results, 0);
		room->first_result++;
	}
	g_ptr_array_add(room->results, spk_text_clean(text, -1, SPK_CLEAN_TEXT));
	lines = count_lines(text);
	if (lines < 2 || !room->terminal)
		return;
	told = g_strdup_printf("%u lines: /show %u", lines,
			       room->first_result + room->results->len - 1);
	spk_progress_say(screen->progress, "dim", "", told);
}

/* The text was streamed already; how many attempts it took is still of interest. */
static void show_entry(Screen *screen, const SpkJournalEntry *entry)
{
	SpkJournalEntry shown = *entry;
	g_autoptr(json_t) payload = NULL;

	if (!strcmp(entry->kind, "model.result")) {
		payload = json_copy(entry->payload);
		(void)json_object_del(payload, "text"); /* it may have none */
		shown.payload = payload;
	}
	spk_progress_entry(screen->progress, &shown);
}

static void on_entry(const SpkJournalEntry *entry, gpointer user)
{
	Screen *screen = user;
	const char *to = spk_json_str(entry->payload, "to");

	if (g_strv_contains(silent, entry->kind) ||
	    (!strcmp(entry->kind, "state") && g_strcmp0(to, "waiting") != 0))
		return;
	end_text(screen);
	show_progress(screen);
	show_entry(screen, entry);
	if (!strcmp(entry->kind, "model.intent"))
		g_string_truncate(screen->said, 0);
	if (!strcmp(entry->kind, "tool.result"))
		keep_result(screen, entry->payload);
}

/* ---- the end ---- */

static gboolean has_changes(const SpkTask *task)
{
	return json_array_size(json_object_get(task->changes, "files")) > 0;
}

/* An answer that came by `finish`, or was on record before. */
static void show_answer(Screen *screen, const SpkTask *task)
{
	g_autofree char *said = g_strstrip(g_strdup(screen->said->str));
	g_autofree char *answer =
		g_strstrip(g_strdup(task->summary ? task->summary : ""));

	if (!*answer || !strcmp(said, answer))
		return;
	stream(screen, answer);
	end_text(screen);
}

static void say_state(const SpkTask *task)
{
	const char *message = spk_json_str(task->error, "message");
	const char *hint = spk_json_str(task->error, "hint");
	g_autofree char *state = spk_ui_state(task->status);
	g_autofree char *why = spk_ui_line(message	  ? message
					   : task->reason ? task->reason
							  : "",
					   2000);

	fflush(stdout);
	fprintf(stderr, "%s%s%s%s%s\n", spk_term_sgr(STDERR_FILENO, "warn"), state,
		spk_term_sgr(STDERR_FILENO, "reset"), *why ? ": " : "", why);
	if (hint && *hint)
		spk_cmd_say_hint(hint);
	if (task->status == SPK_STATE_PAUSED || task->status == SPK_STATE_WAITING ||
	    task->status == SPK_STATE_CANCELLED)
		fputs("  /resume goes on with it, a new message begins anew\n", stderr);
}

static void finish(Screen *screen, const SpkTask *task)
{
	ChatRoom *room = screen->room;

	end_text(screen);
	hide_progress(screen);
	if (task->status == SPK_STATE_CANCELLED && room->terminal &&
	    !g_strcmp0(g_getenv("TERM"), "dumb"))
		putchar('\n'); /* there the terminal has echoed ^C */
	if (task->status == SPK_STATE_DONE || task->status == SPK_STATE_ROLLED_BACK)
		show_answer(screen, task);
	if (task->status != SPK_STATE_DONE)
		say_state(task);
	if (has_changes(task) && task->status == SPK_STATE_DONE)
		chat_after(room, task);
}

/* ---- a question in the middle of a turn ---- */

static void quiet(gboolean is_quiet, gpointer user)
{
	Screen *screen = user;

	end_text(screen);
	if (is_quiet)
		hide_progress(screen);
	else
		show_progress(screen);
}

static SpkTask *run_turn(Screen *screen, const char *message, GError **error)
{
	ChatRoom *room = screen->room;
	SpkChatSink sink = { on_text, on_restart, on_entry, screen };
	SpkAskUser user = {
		room->session.store, screen->cancel, room->yes, FALSE, quiet, screen,
	};
	const SpkAsker asker = spk_ask_user(&user);
	SpkTask *task;

	spk_core_on_question(room->session.core, &asker);
	task = message ? spk_chat_say(room->chat, message, &sink, screen->cancel, error)
		       : spk_chat_continue(room->chat, &sink, screen->cancel, error);
	spk_core_on_question(room->session.core, NULL);
	return task;
}

int chat_turn(ChatRoom *room, const char *message)
{
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt_anew();
	Screen screen = { .room = room, .cancel = cancel };
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTask) task = NULL;
	int code;

	screen.said = g_string_new(NULL);
	screen.markdown = spk_markdown_new(room->terminal && spk_term_colour(OUT),
					   write_out, &screen);
	if (room->terminal)
		putchar('\n');
	fflush(stdout);
	show_progress(&screen);
	task = run_turn(&screen, message, &error);
	if (task)
		finish(&screen, task);
	end_text(&screen);
	hide_progress(&screen);
	if (room->terminal)
		putchar('\n');
	fflush(stdout);
	code = task ? spk_core_exit_code(task, FALSE)
		    : spk_cmd_fail(g_steal_pointer(&error), FALSE);
	/* a turn that only talked has nothing to verify */
	if (task && task->status == SPK_STATE_DONE && !has_changes(task))
		code = 0;
	spk_markdown_free(screen.markdown);
	g_string_free(screen.said, TRUE);
	return code;
}
