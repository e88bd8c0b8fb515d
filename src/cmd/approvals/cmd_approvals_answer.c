/* `sparks approvals allow ID` and `sparks approvals deny ID`. */
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/approvals/approvals_all.h"
#include "cmd/session.h"
#include "cmd/show/question.h"
#include "cmd/submit.h"

/* What the flags say; USAGE when they contradict each other. */
static gboolean read_reply(const SpkArgs *args, SpkReply *reply, GError **error)
{
	gboolean once = spk_args_flag(args, "once");
	gboolean task = spk_args_flag(args, "task"), rule = spk_args_flag(args, "rule");
	const char *pattern = spk_args_rest(args)[1];

	if (once + task + rule > 1 || (pattern && !task && !rule)) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "sparks approvals allow ID [--once | --task [PATTERN] | "
			      "--rule [PATTERN]]",
			      pattern && !task && !rule
				      ? "a pattern goes with --task or --rule"
				      : "--once, --task and --rule exclude each other");
		return FALSE;
	}
	reply->answer = rule   ? SPK_ANSWER_ALLOW_RULE
			: task ? SPK_ANSWER_ALLOW_TASK
			       : SPK_ANSWER_ALLOW_ONCE;
	reply->rule = g_strdup(pattern);
	return TRUE;
}

/* Who goes on with the task now. */
static void print_next(const SpkSession *session, const SpkTask *task)
{
	g_autofree char *daemon = spk_worker_find(session->store, NULL);
	gboolean held = task->holder && *task->holder && spk_holder_alive(task->holder);

	if (spk_state_is_terminal(task->status))
		return;
	if (task->status == SPK_STATE_PAUSED)
		printf("task %s is paused; go on with it: sparks tasks resume %s\n",
		       task->id, task->id);
	else if (held)
		printf("task %s goes on\n", task->id);
	else if (daemon && !task->apart)
		printf("task %s goes on in the daemon\n", task->id);
	else
		printf("go on with it: sparks tasks resume %s\n", task->id);
}

static gboolean print(const SpkSession *session, const SpkQuestion *question,
		      GError **error)
{
	g_autofree char *words = spk_question_answer_words(question);
	g_autoptr(SpkTask) task = NULL;
	g_autoptr(json_t) object = NULL;

	if (session->json) {
		spk_cmd_print_json(object = spk_question_to_json(question));
		return TRUE;
	}
	task = spk_task_get(session->store, question->task, error);
	if (!task)
		return FALSE;
	printf("question %s: %s\n", question->id, words);
	if (question->rule)
		printf("rule: %s\n", question->rule);
	print_next(session, task);
	return TRUE;
}

static int answer(const SpkArgs *args, SpkReply *reply)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(SpkQuestion) question = NULL;
	g_autoptr(GError) error = NULL;
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	reply->note = g_strdup(spk_args_str(args, "note"));
	if (!spk_core_answer(session.core, spk_args_rest(args)[0], reply, "command",
			     &question, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	if (spk_args_flag(args, "resume"))
		return spk_submit_resume(&session, args, question->task,
					 &(SpkFollow){ 0 }, FALSE);
	if (!print(&session, question, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	return 0;
}

static int run_allow(const SpkArgs *args)
{
	g_auto(SpkReply) reply = { 0 };
	g_autoptr(GError) error = NULL;

	if (!read_reply(args, &reply, &error))
		return spk_cmd_fail(g_steal_pointer(&error), spk_args_flag(args, "json"));
	return answer(args, &reply);
}

static int run_deny(const SpkArgs *args)
{
	g_auto(SpkReply) reply = { .answer = SPK_ANSWER_DENY };

	return answer(args, &reply);
}

#define OPT_NOTE                                                                 \
	{                                                                        \
		"note", .type = SPK_CMD_STRING, .value = "TEXT",                 \
			.sentence = "why, on record; a refused model is told it" \
	}
#define OPT_RESUME                                                                \
	{                                                                         \
		"resume", .type = SPK_CMD_FLAG,                                   \
			  .sentence = "go on with the task here, and wait for it" \
	}

static const SpkCmdOpt allow_options[] = {
	{ "once", .type = SPK_CMD_FLAG,
	  .sentence = "exactly this call, this time (default)" },
	{ "task", .type = SPK_CMD_FLAG,
	  .sentence =
		  "and what PATTERN (default: the rule offered) matches in this task" },
	{ "rule", .type = SPK_CMD_FLAG,
	  .sentence =
		  "the same, saved for this spark in this folder (`sparks policy rules`)" },
	OPT_NOTE,
	OPT_RESUME,
	SPK_OPT_JSON,
	{ NULL },
};

static const SpkCmdOpt deny_options[] = {
	OPT_NOTE,
	OPT_RESUME,
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_approvals_allow = {
	.name = "allow",
	.usage = "ID [PATTERN]",
	.min_args = 1,
	.max_args = 2,
	.summary = "Allow what a task asks for: once, for the task, or by a rule.",
	.details =
		"PATTERN is a regular expression that must match every command of the call as "
		"a whole. At a question that a rule of taint raised, --task and --rule "
		"answer later questions of that kind too, up to that taint; at others they "
		"never do.",
	.example = "sparks approvals allow k3f9a --rule '^make( [a-z]+)?$'",
	.options = allow_options,
	.run = run_allow,
};

const SpkCmd spk_approvals_deny = {
	.name = "deny",
	SPK_TAKES_ID,
	.summary = "Refuse what a task asks for; it goes on without.",
	.details = "The same call is refused for the rest of the task.",
	.example = "sparks approvals deny k3f9a --note 'use the mirror'",
	.options = deny_options,
	.run = run_deny,
};
