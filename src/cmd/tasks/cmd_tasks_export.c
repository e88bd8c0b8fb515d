/* `sparks tasks export ID`: the task as a play, to be replayed here or sent with a report. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "cmd/tasks/export.h"
#include "cmd/session.h"
#include "cmd/tasks/tasks_all.h"
#include "conf/secret.h"
#include "guard/veil.h"

/* What is kept for a model's server is known from here on, as what the environment has. */
static SpkRedact *all_secrets(const SpkConf *conf)
{
	for (const SpkSecret *secret = spk_secrets(); secret->key; secret++)
		if (secret->model)
			(void)spk_conf_secret(conf, secret->env);
	return spk_guard_redact();
}

static char *export_play(SpkSession *session, const SpkTask *task, guint *ret_redacted,
			 GError **error)
{
	g_autoptr(SpkRedact) redact = all_secrets(session->conf);
	guint before = spk_redact_count(redact);
	g_autoptr(SpkTrail) trail = spk_trail_read(session->store, task->id, error);
	g_autoptr(json_t)
		repo = trail ? spk_export_repo(session->core, task, trail, error) : NULL;
	char *play = repo ? spk_export_play(task, trail, repo, redact) : NULL;

	*ret_redacted = spk_redact_count(redact) - before;
	if (repo && json_is_string(repo))
		fprintf(stderr,
			"sparks: the files are too many for a play: it names the folder\n");
	return play;
}

static int run(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *play = NULL;
	const char *path = spk_args_str(args, "output");
	guint redacted;
	int code;

	if (!spk_session_open_task(&session, args, FALSE, &code))
		return code;
	play = export_play(&session, session.task, &redacted, &error);
	if (!play)
		return spk_cmd_fail(g_steal_pointer(&error), FALSE);
	if (redacted)
		fprintf(stderr, "sparks: %u secrets were replaced by [redacted]\n",
			redacted);
	if (!path)
		fputs(play, stdout);
	else if (!spk_fs_write_atomic(path, play, strlen(play), 0600, &error))
		return spk_cmd_fail(g_steal_pointer(&error), FALSE);
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "output", .letter = 'o', .type = SPK_CMD_STRING, .value = "FILE",
	  .sentence = "write there instead of to stdout" },
	{ NULL },
};

const SpkCmd spk_tasks_export = {
	.name = "export",
	SPK_TAKES_ID,
	.summary = "Write a task as a play: a bug report that runs.",
	.details =
		"The play holds what the model said, and the files the task began with when "
		"they are at most 256 KiB. Secret-shaped strings and the values of secret "
		"environment variables are replaced. Look it over before you send it.",
	.example = "sparks tasks export 01hq2x -o report.play",
	.options = options,
	.run = run,
};
