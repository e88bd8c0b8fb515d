/* `sparks approvals show ID`: one question, all of it. */
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

	spk_question_format(question, TRUE, STDOUT_FILENO, out);
	if (question->answer == SPK_ANSWER_OPEN)
		g_string_append_printf(out,
				       "\n  sparks approvals allow %s\n"
				       "  sparks approvals deny %s\n",
				       question->id, question->id);
	fputs(out->str, stdout);
}

static int run(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(SpkQuestion) question = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	question = spk_approval_get(session.store, spk_args_rest(args)[0], &error);
	if (!question)
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	if (session.json)
		spk_cmd_print_json(object = spk_question_to_json(question));
	else
		print(question);
	return 0;
}

const SpkCmd spk_approvals_show = {
	.name = "show",
	SPK_TAKES_ID,
	.summary = "Show a question: the exact call, the rule and why it asks.",
	.details =
		"--json: an object of id, task, key, tool, line, arguments, hash, does, taint, "
		"taint_source, by_taint, risk, rule, what, why, hint, offer, asked_at, "
		"expires_at, answer, answered_at, by, how, note and saved_rule; answer is "
		"open, allow_once, allow_task, allow_rule, deny, expired or withdrawn.",
	.example = "sparks approvals show k3f9a",
	.options = spk_only_json,
	.run = run,
};
