/* `sparks approvals list`: the open questions, oldest first, one line each. */
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/approvals/approvals_all.h"
#include "cmd/session.h"
#include "cmd/show/question.h"
#include "cmd/ui.h"

static void print(const SpkQuestion *question)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *time = spk_ui_time(question->asked_us);
	g_autofree char *words = spk_question_answer_words(question);
	int columns = spk_ui_columns(STDOUT_FILENO);
	gboolean narrow = columns < SPK_UI_NARROW;
	gboolean open = question->answer == SPK_ANSWER_OPEN;
	g_autofree char *line =
		spk_ui_line(question->line, MAX(8, columns - (narrow ? 22 : 43)));
	g_autofree char *answer = spk_ui_line(words, MAX(8, columns - 8));

	g_string_append_printf(out, "%s  %s  ", question->id, question->task);
	if (!narrow) {
		spk_ui_paint(out, STDOUT_FILENO, "dim", time);
		g_string_append(out, "  ");
	}
	g_string_append_printf(out, "%s\n", line);
	if (!open)
		g_string_append_printf(out, "       %s\n", answer);
	fputs(out->str, stdout);
}

static int run(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GPtrArray) list = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) array = json_array();
	gboolean all = spk_args_flag(args, "all");
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	list = spk_approval_list(session.store, NULL, all, &error);
	if (!list)
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	for (guint i = 0; i < list->len; i++) {
		if (session.json)
			json_array_append_new(array,
					      spk_question_to_json(list->pdata[i]));
		else
			print(list->pdata[i]);
	}
	if (session.json)
		spk_cmd_print_json(array);
	else if (!list->len)
		fputs(all ? "nothing was ever asked\n" : "no question is open\n", stderr);
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "all", .type = SPK_CMD_FLAG, .sentence = "answered ones too" },
	{ "json", .type = SPK_CMD_FLAG, .sentence = "one JSON array on stdout" },
	{ NULL },
};

const SpkCmd spk_approvals_list_cmd = {
	.name = "list",
	.usage = "",
	.summary = "List the questions that wait for an answer.",
	.details = "--json: an array of what `approvals show --json` prints.",
	.example = "sparks approvals list",
	.options = options,
	.run = run,
};
