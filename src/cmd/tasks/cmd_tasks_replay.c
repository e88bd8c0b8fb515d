/*
 * `sparks tasks replay ID|FILE`: runs a play offline, in a temporary SPARKS_HOME, with the
 * recorded answers in the place of the model, and names the first difference.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/tasks/export.h"
#include "cmd/tasks/playrepo.h"
#include "cmd/show/progress.h"
#include "cmd/session.h"
#include "cmd/tasks/tasks_all.h"
#include "llm/play.h"
#include "guard/veil.h"

typedef struct {
	char *folder; /* temporary; everything of the replay lies in it */
	char *play_path;
	SpkPlay *play;
	SpkTrail *before;  /* journal of the recorded task; NULL for a file */
	char *base_folder; /* what a relative repo path starts from */
} Replay;

static void replay_clear(Replay *replay)
{
	if (replay->folder)
		(void)spk_fs_remove_tree(replay->folder,
					 NULL); /* in the temporary folder */
	g_clear_pointer(&replay->play, spk_play_free);
	g_clear_pointer(&replay->before, spk_trail_free);
	g_free(replay->folder);
	g_free(replay->play_path);
	g_free(replay->base_folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Replay, replay_clear)

/* ---- the play ---- */

static gboolean export_task(Replay *replay, SpkSession *session, const SpkTask *task,
			    GError **error)
{
	g_autoptr(json_t) repo = NULL;
	g_autofree char *text = NULL;

	replay->before = spk_trail_read(session->store, task->id, error);
	repo = replay->before
		       ? spk_export_repo(session->core, task, replay->before, error)
		       : NULL;
	if (!repo)
		return FALSE;
	text = spk_export_play(task, replay->before, repo, NULL);
	return spk_fs_write_atomic(replay->play_path, text, strlen(text), 0600, error);
}

static gboolean copy_play(Replay *replay, const char *path, GError **error)
{
	g_autoptr(SpkPlay)
		first = spk_play_load(path, error); /* what is wrong names it */
	g_autofree char *text = NULL;
	gsize len;

	text = first ? spk_fs_read(path, 64u << 20, &len, error) : NULL;
	replay->base_folder = g_path_get_dirname(path);
	return text && spk_fs_write_atomic(replay->play_path, text, len, 0600, error);
}

static gboolean load_play(Replay *replay, const SpkArgs *args, int *ret_exit)
{
	const char *word = spk_args_rest(args)[0];
	gboolean json = spk_args_flag(args, "json"), ok;
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;

	if (strchr(word, '/') || g_file_test(word, G_FILE_TEST_IS_REGULAR)) {
		ok = copy_play(replay, word, &error);
	} else {
		if (!spk_session_open_task(&session, args, json, ret_exit))
			return FALSE;
		ok = export_task(replay, &session, session.task, &error);
	}
	if (ok)
		replay->play = spk_play_load(replay->play_path, &error);
	if (!replay->play)
		*ret_exit = spk_cmd_fail(g_steal_pointer(&error), json);
	return replay->play != NULL;
}

/* ---- running it ---- */

/* Its files in the temporary folder, or the folder that the play names. */
static char *make_folder(Replay *replay, GError **error)
{
	const json_t *repo = json_object_get(spk_play_header(replay->play), "repo");
	g_autofree char *folder = NULL;

	if (json_is_string(repo))
		return g_canonicalize_filename(json_string_value(repo),
					       replay->base_folder);
	folder = g_build_filename(replay->folder, "repo", NULL);
	return spk_playrepo_write(repo, folder, error) ? g_steal_pointer(&folder) : NULL;
}

/* What an agent program says is on record, but not what it asked and was told. */
static gboolean can_replay(const json_t *options, GError **error)
{
	if (g_strcmp0(spk_json_str(options, "strategy"), "delegate") != 0)
		return TRUE;
	spk_error_set(error, SPK_ERR_USAGE, "`sparks tasks log ID` has what it said",
		      "an agent program did this task (%s), and it cannot be replayed",
		      spk_json_str(options, "cli_tool"));
	return FALSE;
}

static char *accept(Replay *replay, SpkSession *session, GError **error)
{
	const json_t *header = spk_play_header(replay->play);
	const json_t *given = json_object_get(header, "options");
	const char *goal = spk_json_str(header, "goal");
	g_autoptr(json_t) options = given ? json_deep_copy(given) : json_object();
	g_autofree char *model = g_strconcat("script:", replay->play_path, NULL);
	g_autofree char *folder = make_folder(replay, error);

	if (!folder || !can_replay(options, error))
		return NULL;
	spk_json_set(options, "model", json_string(model));
	/* whoever wrote the play does not decide whom this machine talks to */
	spk_json_set(options, "offline", json_true());
	return spk_core_accept(session->core,
			       &(SpkRequest){ .goal = goal ? goal
							   : "(a play without a goal)",
					      .spark = spk_json_str(options, "spark"),
					      .folder = folder,
					      .options = options },
			       error);
}

static SpkTask *run_play(Replay *replay, SpkSession *session, GError **error)
{
	g_autofree char *id = accept(replay, session, error);
	g_autoptr(SpkProgress) progress = NULL;
	g_autoptr(SpkCancel) interrupt = spk_cmd_interrupt();
	gboolean ok;

	if (!id)
		return NULL;
	progress = spk_progress_new(STDERR_FILENO);
	spk_store_on_journal(session->store, spk_progress_on_journal, progress);
	ok = spk_core_run(session->core, id, interrupt, error);
	spk_store_on_journal(session->store, NULL, NULL);
	return ok ? spk_task_get(session->store, id, error) : NULL;
}

/* ---- comparing ---- */

typedef struct {
	const char *where; /* NULL: no difference */
	char *expected, *got;
} Difference;

static void difference_clear(Difference *difference)
{
	g_free(difference->expected);
	g_free(difference->got);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Difference, difference_clear)

static gboolean differs(Difference *difference, const char *where, const char *expected,
			const char *got)
{
	if (difference->where || !expected || !g_strcmp0(expected, got))
		return FALSE;
	*difference = (Difference){ where, spk_text_clip(expected, 300),
				    spk_text_clip(got ? got : "(nothing)", 300) };
	return TRUE;
}

static GPtrArray *tool_results(const SpkTrail *trail)
{
	GPtrArray *out = g_ptr_array_new();

	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];

		if (!strcmp(entry->kind, "tool.result") &&
		    !spk_json_bool(entry->payload, "unknown", FALSE))
			g_ptr_array_add(out, entry->payload);
	}
	return out;
}

static char *result_words(const json_t *result)
{
	const json_t *exit_code =
		json_object_get(json_object_get(result, "meta"), "exit_code");

	if (json_is_integer(exit_code))
		return g_strdup_printf("%s: exit %d", spk_json_str(result, "name"),
				       (int)json_integer_value(exit_code));
	return g_strdup_printf("%s: %s", spk_json_str(result, "name"),
			       spk_json_bool(result, "ok", FALSE) ? "ok" : "refused");
}

/* How each call ended. Its text may hold times and numbers of processes and isn't compared. */
static void compare_tools(const SpkTrail *before, const SpkTrail *after,
			  Difference *difference)
{
	g_autoptr(GPtrArray) old = tool_results(before), new = tool_results(after);

	for (guint i = 0; i < MIN(old->len, new->len); i++) {
		g_autofree char *expected = result_words(old->pdata[i]);
		g_autofree char *got = result_words(new->pdata[i]);

		if (differs(difference, "tool result", expected, got))
			return;
	}
}

static void compare_end(const SpkPlay *play, const SpkTask *task, const SpkTrail *after,
			Difference *difference)
{
	const json_t *end = spk_play_end(play);

	(void)differs(difference, "status", spk_json_str(end, "status"),
		      spk_state_name(task->status));
	(void)differs(difference, "verdict", spk_json_str(end, "verdict"),
		      spk_verdict_name(task->verdict));
	(void)differs(difference, "final tree", spk_json_str(end, "tree"),
		      after->committed ? after->committed : after->last);
}

static void compare(Replay *replay, const SpkTask *task, const SpkTrail *after,
		    Difference *difference)
{
	const char *code = spk_json_str(task->error, "code");

	if (!g_strcmp0(code, spk_err_info(SPK_ERR_REPLAY_DIFFERS)->name))
		(void)differs(difference, "request", "as recorded",
			      spk_json_str(task->error, "message"));
	if (replay->before)
		compare_tools(replay->before, after, difference);
	compare_end(replay->play, task, after, difference);
}

/* ---- */

static void print(SpkSession *session, const Replay *replay, const SpkTask *task,
		  const Difference *difference)
{
	g_autoptr(json_t) object = NULL;
	json_t *named = json_null();

	if (session->json) {
		if (difference->where)
			named = json_pack("{s:s,s:o,s:o}", "where", difference->where,
					  "expected", spk_json_text(difference->expected),
					  "got", spk_json_text(difference->got));
		object = json_pack("{s:b,s:o,s:s,s:s,s:i}", "same",
				   difference->where == NULL, "difference", named,
				   "status", spk_state_name(task->status), "verdict",
				   spk_verdict_name(task->verdict), "turns",
				   (int)spk_play_turns(replay->play));
		spk_cmd_print_json(object);
	} else if (difference->where) {
		g_autofree char *expected =
			spk_text_clean(difference->expected, -1, SPK_CLEAN_LINE);
		g_autofree char *got =
			spk_text_clean(difference->got, -1, SPK_CLEAN_LINE);

		printf("differs: %s\n  recorded  %s\n  replayed  %s\n", difference->where,
		       expected, got);
	} else {
		printf("same: %s, %s, after %u answers of the play\n",
		       spk_state_name(task->status),
		       *spk_verdict_name(task->verdict) ? spk_verdict_name(task->verdict)
							: "no verdict",
		       spk_play_turns(replay->play));
	}
}

static int replay_here(Replay *replay, SpkSession *session)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTask) task = run_play(replay, session, &error);
	g_autoptr(SpkTrail)
		after = task ? spk_trail_read(session->store, task->id, &error) : NULL;
	g_auto(Difference) difference = { 0 };

	if (!after)
		return spk_cmd_fail(g_steal_pointer(&error), session->json);
	if (task->status == SPK_STATE_CANCELLED)
		return spk_core_exit_code(task, FALSE);
	compare(replay, task, after, &difference);
	print(session, replay, task, &difference);
	return difference.where ? spk_err_info(SPK_ERR_REPLAY_DIFFERS)->exit_code : 0;
}

static gboolean make_temporary(Replay *replay, GError **error)
{
	g_autofree char *pattern =
		g_build_filename(g_get_tmp_dir(), "sparks-replay-XXXXXX", NULL);

	if (!g_mkdtemp(pattern)) {
		spk_error_set_errno(error, SPK_ERR_IO, errno,
				    "set TMPDIR to a folder you may write",
				    "cannot make a temporary folder");
		return FALSE;
	}
	replay->folder = g_steal_pointer(&pattern);
	replay->play_path = g_build_filename(replay->folder, "recorded.play", NULL);
	return TRUE;
}

static int run(const SpkArgs *args)
{
	g_auto(Replay) replay = { 0 };
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *home = NULL, *store = NULL;
	gboolean json = spk_args_flag(args, "json");
	const char *overrides[] = { NULL, NULL };
	int code;

	if (!make_temporary(&replay, &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	if (!load_play(&replay, args, &code))
		return code;
	home = g_build_filename(replay.folder, "home", NULL);
	store = g_strdup_printf("db.path=%s/store.db", home);
	overrides[0] = store;
	spk_guard_veil_key();
	g_setenv("SPARKS_HOME", home, TRUE); /* no thread runs yet, or any more */
	if (!spk_session_open_with(&session, args, overrides, json, &code))
		return code;
	return replay_here(&replay, &session);
}

static const SpkCmdOpt options[] = { SPK_OPT_JSON, { NULL } };

const SpkCmd spk_tasks_replay = {
	.name = "replay",
	.usage = "ID|FILE",
	.summary = "Run a recorded task again, offline; name the first difference.",
	.details =
		"The model's answers come from the record; tools, sandbox and checks run for "
		"real, on the recorded files, in a temporary folder. Exit code 0: the same; 1: "
		"it differs.",
	.example = "sparks tasks replay report.play",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
