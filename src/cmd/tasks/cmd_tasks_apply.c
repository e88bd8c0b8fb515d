/*
 * `sparks tasks apply ID` writes a task's changes into the user's working tree,
 * `sparks tasks undo ID` takes back exactly that.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/show/changes.h"
#include "cmd/show/consent.h"
#include "cmd/session.h"
#include "cmd/tasks/tasks_all.h"
#include "cmd/ui.h"

static void print_paths(const char *label, const GPtrArray *paths)
{
	for (guint i = 0; paths && i < paths->len; i++) {
		g_autofree char *line = spk_ui_line(paths->pdata[i], 400);

		printf("%-8s %s\n", label, line);
	}
}

/* Asked for, so no failure; but nothing that may stay so. */
static void warn_markers(const SpkTreeApplied *applied)
{
	guint n = applied->conflicts ? applied->conflicts->len : 0;

	if (n)
		fprintf(stderr, "sparks: %u %s conflict markers now: resolve them\n", n,
			n == 1 ? "file has" : "files have");
}

static void print_text(const SpkTask *task, const char *action,
		       const SpkTreeApplied *applied)
{
	print_paths(action, applied->written);
	print_paths("merged", applied->merged);
	print_paths("conflict", applied->conflicts);
	if (applied->commit)
		printf("commit   %.10s\n", applied->commit);
	if (!strcmp(action, "applied"))
		printf("sparks tasks undo %s takes it back\n", task->id);
}

/* One object in every case: with the conflicts when there are some. */
static int print(const SpkSession *session, const char *action,
		 const SpkTreeApplied *applied, GError *take_error)
{
	const SpkTask *task = session->task;
	g_autoptr(GError) error = take_error;
	g_autoptr(json_t) object = NULL;
	int code = error ? spk_err_info(spk_error_code(error))->exit_code : 0;

	if (!session->json) {
		if (error) {
			print_paths("conflict", applied->conflicts);
			return spk_cmd_fail(g_steal_pointer(&error), FALSE);
		}
		print_text(task, action, applied);
		warn_markers(applied);
		return 0;
	}
	object = spk_changes_to_json(task, error ? "nothing" : action, applied);
	if (error)
		spk_json_set(object, "error", spk_cmd_error_to_json(error));
	spk_cmd_print_json(object);
	if (error)
		(void)spk_cmd_fail(g_steal_pointer(&error),
				   FALSE); /* the words on stderr */
	else
		warn_markers(applied);
	return code;
}

typedef struct {
	SpkSession session;
	SpkTrail *trail;
} Opened;

static void opened_clear(Opened *opened)
{
	g_clear_pointer(&opened->trail, spk_trail_free);
	spk_session_clear(&opened->session);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Opened, opened_clear)

static gboolean open_task(Opened *opened, const SpkArgs *args, int *ret_exit)
{
	g_autoptr(GError) error = NULL;

	if (!spk_session_open_task(&opened->session, args, spk_args_flag(args, "json"),
				   ret_exit))
		return FALSE;
	opened->trail =
		spk_trail_read(opened->session.store, opened->session.task->id, &error);
	if (!opened->trail)
		*ret_exit = spk_cmd_fail(g_steal_pointer(&error), opened->session.json);
	return opened->trail != NULL;
}

static int run_apply(const SpkArgs *args)
{
	g_auto(Opened) opened = { 0 };
	g_auto(SpkTreeApplied) applied = { 0 };
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(GError) error = NULL;
	g_autofree char *message = NULL;
	g_autoptr(json_t) law = NULL;
	SpkTreeApply how = {
		.markers = spk_args_flag(args, "markers"),
		.commit = spk_args_flag(args, "commit"),
		.dry_run = spk_args_flag(args, "dry-run"),
	};
	int code;

	if (!open_task(&opened, args, &code))
		return code;
	message = spk_changes_message(opened.session.task);
	how.message = message;
	if (!how.dry_run)
		law = spk_consent_to_apply(
			opened.session.store, opened.session.task, opened.trail,
			spk_args_yes(args) ? SPK_CONSENT_YES : SPK_CONSENT_ASK, &error);
	if (how.dry_run || law)
		(void)spk_changes_apply(opened.session.core, opened.session.task,
					opened.trail, &how, law, cancel, &applied,
					&error); /* error says it */
	return print(&opened.session, how.dry_run ? "would be" : "applied", &applied,
		     g_steal_pointer(&error));
}

static int run_undo(const SpkArgs *args)
{
	g_auto(Opened) opened = { 0 };
	g_auto(SpkTreeApplied) undone = { 0 };
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(GError) error = NULL;
	int code;

	if (!open_task(&opened, args, &code))
		return code;
	(void)spk_changes_undo(opened.session.core, opened.session.task, opened.trail,
			       cancel, &undone, &error); /* error says it */
	return print(&opened.session, "undone", &undone, g_steal_pointer(&error));
}

static const SpkCmdOpt apply_options[] = {
	{ "commit", .type = SPK_CMD_FLAG,
	  .sentence = "commit them on the current branch" },
	{ "dry-run", .type = SPK_CMD_FLAG, .sentence = "only say what would be written" },
	{ "markers", .type = SPK_CMD_FLAG,
	  .sentence = "on conflict leave conflict markers in the files" },
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_tasks_apply = {
	.name = "apply",
	SPK_TAKES_ID,
	.summary = "Write a task's changes into the working tree.",
	.details =
		"If the files have moved since, changes are merged; on a conflict nothing is "
		"changed and the conflicts are listed; with --markers they are left in the files, "
		"named, and the exit code is 0. Files that run code elsewhere are named "
		"first and need a yes, on the terminal or by -y.",
	.example = "sparks tasks apply 01hq2x --commit",
	.options = apply_options,
	.run = run_apply,
};

const SpkCmd spk_tasks_undo = {
	.name = "undo",
	SPK_TAKES_ID,
	.summary = "Take back exactly what apply wrote.",
	.details = "Refused, with a list, when those places were edited since. After "
		   "`apply --commit` it makes a revert commit.",
	.example = "sparks tasks undo 01hq2x",
	.options = spk_only_json,
	.run = run_undo,
};
