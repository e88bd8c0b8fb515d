/* `sparks tasks log ID`: the journal of a task, entry by entry; --follow goes on with it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/show/follow.h"
#include "cmd/show/lines.h"
#include "cmd/session.h"
#include "cmd/tasks/tasks_all.h"
#include "cmd/ui.h"

/* "    7 13:00:00" */
#define HEAD_BLANKS "              "
#define HEAD	    ((int)sizeof(HEAD_BLANKS) - 1)

typedef struct {
	gboolean json;
	SpkLines *lines;
} Printer;

static void print_json(const SpkJournalEntry *entry)
{
	g_autofree char *time = spk_time_format(entry->created_us);
	g_autoptr(json_t) object =
		json_pack("{s:I,s:s,s:s,s:s,s:O}", "seq", (json_int_t)entry->seq, "time",
			  time, "kind", entry->kind, "effect",
			  spk_effect_name(entry->effect), "payload", entry->payload);

	spk_cmd_print_json(object);
}

/* Beside the head; what is folded goes on in the same column. */
static void add_line(GString *out, const SpkLine *line)
{
	g_autoptr(GString) text = g_string_new(NULL);

	spk_line_format(line, STDOUT_FILENO, spk_ui_columns(STDOUT_FILENO) - HEAD, text);
	g_strchomp(text->str);
	g_string_truncate(text, strlen(text->str));
	g_string_replace(text, "\n", "\n" HEAD_BLANKS, 0);
	g_string_append_printf(out, "%s\n", text->str);
}

static void print_entry(const SpkJournalEntry *entry, gpointer user)
{
	Printer *printer = user;
	g_autofree char *time = spk_ui_time(entry->created_us);
	g_autoptr(GPtrArray) lines = NULL;
	g_autoptr(GString) out = g_string_new(NULL);

	if (printer->json) {
		print_json(entry);
		fflush(stdout);
		return;
	}
	lines = spk_lines_take(printer->lines, entry);
	for (guint i = 0; i < lines->len; i++) {
		g_autofree char *head = g_strdup_printf("%5" G_GINT64_FORMAT " %s",
							entry->seq, time + 11);

		spk_ui_paint(out, STDOUT_FILENO, "dim", head);
		add_line(out, lines->pdata[i]);
	}
	fputs(out->str, stdout);
	fflush(stdout);
}

static gboolean print_all(SpkSession *session, const SpkTask *task, gboolean follow,
			  Printer *printer, GError **error)
{
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(SpkCancel) cancel = NULL;
	gint64 seen = 0;

	if (follow) {
		cancel = spk_cmd_interrupt();
		return spk_follow_watch(session->store, task->id, &seen, cancel,
					print_entry, printer, error);
	}
	entries = spk_journal_read(session->store, task->id, 0, 0, error);
	for (guint i = 0; entries && i < entries->len; i++)
		print_entry(entries->pdata[i], printer);
	return entries != NULL;
}

static int run(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(SpkLines) lines = spk_lines_new(TRUE);
	g_autoptr(GError) error = NULL;
	Printer printer = { spk_args_flag(args, "json"), lines };
	int code;

	if (!spk_session_open_task(&session, args, printer.json, &code))
		return code;
	if (!print_all(&session, session.task, spk_args_flag(args, "follow"), &printer,
		       &error))
		return spk_cmd_fail(g_steal_pointer(&error), FALSE);
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "follow", .letter = 'f', .type = SPK_CMD_FLAG,
	  .sentence = "show new entries until the task has ended or waits" },
	{ "json", .type = SPK_CMD_FLAG,
	  .sentence = "one JSON object per entry and line" },
	{ NULL },
};

const SpkCmd spk_tasks_log = {
	.name = "log",
	SPK_TAKES_ID,
	.summary = "Show everything that happened in a task.",
	.example = "sparks tasks log 01hq2x --follow",
	.options = options,
	.run = run,
};
