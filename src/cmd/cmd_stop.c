/*
 * `sparks stop --all`: the emergency stop. Every task that runs is ended, by whatever process, and
 * none is taken up until `sparks stop --lift`. What people do by their own hand (apply, undo,
 * sandbox run) goes on.
 */
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/cmd_all.h"
#include "cmd/session.h"

static json_t *texts_of(const GPtrArray *texts)
{
	json_t *list = json_array();

	for (guint i = 0; i < texts->len; i++)
		json_array_append_new(list, spk_json_text(texts->pdata[i]));
	return list;
}

static void print_stopped(const SpkSession *session, const SpkStopped *stopped)
{
	g_autoptr(json_t) object = NULL;

	if (session->json) {
		object = json_pack("{s:b,s:b,s:o,s:o,s:o}", "stopped", TRUE, "was",
				   stopped->was, "tasks", texts_of(stopped->tasks),
				   "killed", texts_of(stopped->killed), "left",
				   texts_of(stopped->left));
		spk_cmd_print_json(object);
		return;
	}
	puts(stopped->was ? "everything was stopped already, and is"
			  : "everything is stopped");
	for (guint i = 0; i < stopped->tasks->len; i++)
		printf("  task %s is paused\n", (char *)stopped->tasks->pdata[i]);
	for (guint i = 0; i < stopped->killed->len; i++)
		printf("  %s did not let go and was killed\n",
		       (char *)stopped->killed->pdata[i]);
	puts("no task begins or goes on until: sparks stop --lift");
}

/* Held on another machine: that process reads the same store, and obeys when it can. */
static gboolean check_left(const SpkStopped *stopped, GError **error)
{
	if (!stopped->left->len)
		return TRUE;
	spk_error_set(
		error, SPK_ERR_BUSY,
		"end that process by hand where it runs; `sparks tasks list` tells "
		"when it has let go",
		"%u task(s) are held by processes that could not be ended from here, "
		"such as %s",
		stopped->left->len, (char *)stopped->left->pdata[0]);
	return FALSE;
}

static int stop_all(SpkSession *session, const char *note)
{
	g_auto(SpkStopped) stopped = { 0 };
	g_autoptr(GError) error = NULL;

	if (!spk_core_stop_all(session->core, note, &stopped, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session->json);
	print_stopped(session, &stopped);
	return check_left(&stopped, &error)
		       ? 0
		       : spk_cmd_fail(g_steal_pointer(&error), FALSE);
}

static int lift(SpkSession *session)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	gboolean was;

	if (!spk_core_stop_lift(session->core, &was, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session->json);
	if (session->json) {
		object = json_pack("{s:b,s:b}", "stopped", FALSE, "was", was);
		spk_cmd_print_json(object);
	} else {
		puts(was ? "lifted; a task that was stopped goes on with "
			   "`sparks tasks resume ID`"
			 : "nothing was stopped");
	}
	return 0;
}

static int run(const SpkArgs *args)
{
	gboolean all = spk_args_flag(args, "all"), off = spk_args_flag(args, "lift");
	gboolean json = spk_args_flag(args, "json");
	g_auto(SpkSession) session = { 0 };
	GError *error = NULL;
	int code;

	if (all == off) {
		spk_error_set(&error, SPK_ERR_USAGE,
			      "sparks stop --all, or sparks stop --lift; one task alone: "
			      "sparks tasks cancel ID",
			      all ? "--all and --lift contradict each other"
				  : "stop what?");
		return spk_cmd_fail(error, json);
	}
	if (!spk_session_open(&session, args, json, &code))
		return code;
	return all ? stop_all(&session, spk_args_str(args, "note")) : lift(&session);
}

static const SpkCmdOpt options[] = {
	{ "all", .type = SPK_CMD_FLAG,
	  .sentence = "end every running task, and let none begin" },
	{ "lift", .type = SPK_CMD_FLAG, .sentence = "let tasks begin and go on again" },
	{ "note", .type = SPK_CMD_STRING, .value = "TEXT",
	  .sentence = "why; shown to whoever is refused" },
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_cmd_stop = {
	.name = "stop",
	.usage = "--all | --lift",
	.summary = "Stop everything at once, and lift that again.",
	.details =
		"Every task that runs on this store is ended within a second, with all "
		"processes of its sandbox, whoever runs it; a process that does not let go is "
		"killed. Tasks are paused, and can be resumed. Until it is lifted, also after a "
		"restart, `do`, `chat`, `tasks resume` and `up` refuse with exit status 77; a "
		"daemon that runs takes nothing up. What you do by your own hand is not stopped: "
		"tasks apply, tasks undo, sandbox run. --json: "
		"an object of stopped, was, tasks, killed and left; of --lift the first two.",
	.example = "sparks stop --all --note 'looks odd'",
	.options = options,
	.run = run,
};
