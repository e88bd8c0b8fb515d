/*
 * The checks: which there are, and their runs, each in a clean checkout, never in the folder the
 * model worked in. What one said is on record and asked once.
 */
#include <string.h>

#include "agent/scan.h"
#include "agent/verify_priv.h"
#include "agent/verify_rules.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define TAIL_MAX 6000

/* Asked before the first tool runs, so that work/ still is the untouched tree. "": none. */
static char *recognise(SpkRun *run, GError **error)
{
	g_auto(GStrv) paths =
		spk_tree_paths(run->env.tree, spk_tree_base(run->env.tree), error);
	char *command = NULL;

	if (!paths)
		return NULL;
	command = spk_verify_recognise((const char *const *)paths,
				       spk_tree_work(run->env.tree));
	return command ? command : g_strdup("");
}

/* The command found in the repository, recorded so that it is looked for once. */
static const char *own_check(SpkRun *run, GError **error)
{
	const json_t *recorded = run_recorded(run, "checks", "0");
	g_autofree char *command = NULL;

	if (!recorded) {
		command = recognise(run, error);
		if (!command ||
		    !run_record(run, "checks", "0", SPK_EFFECT_PURE,
				json_pack("{s:o}", "recognised", spk_json_text(command)),
				error))
			return NULL;
		recorded = run_recorded(run, "checks", "0");
	}
	return spk_json_str(recorded, "recognised");
}

char **spk_verify_checks(SpkRun *run, GError **error)
{
	const json_t *given = json_object_get(run->env.task->options, "checks");
	g_autoptr(GStrvBuilder) checks = g_strv_builder_new();
	const char *own;
	const json_t *check;
	size_t i;

	json_array_foreach(given, i, check)
		if (json_is_string(check))
			g_strv_builder_add(checks, json_string_value(check));
	if (json_array_size(given) == 0 && !run->env.spark->read_only) {
		own = own_check(run, error);
		if (!own)
			return NULL;
		if (*own)
			g_strv_builder_add(checks, own);
	}
	return g_strv_builder_end(checks);
}

/* ---- one check ---- */

typedef struct {
	const char *phase;
	guint round;
	const char *raw;    /* tree it runs on */
	const char *folder; /* a clean checkout of raw */
} Phase;

/* A check before the work may not outlast the task. Those after it may: what was made is
 * looked at to the end. 0: as the box has it. */
static gint64 time_for(SpkRun *run, const Phase *phase)
{
	gint64 seconds = run_option_int(run, "timeout_secs", "task.timeout_secs");
	gint64 most = spk_conf_int(run->env.conf, "box.timeout_secs");
	double left = MAX(0, (double)seconds - spk_run_seconds(run));

	if (!seconds || left >= (double)most || strcmp(phase->phase, "before"))
		return 0;
	return (gint64)(1000 * left) + 1;
}

static gboolean run_in_box(SpkRun *run, const Phase *phase, const char *command,
			   SpkBoxResult *result, GError **error)
{
	const char *argv[] = { "/bin/sh", "-c", command, NULL };
	const char *read_only[] = { spk_tree_objects(run->env.tree), NULL };
	gboolean given =
		json_array_size(json_object_get(run->env.task->options, "checks")) > 0;
	const char *subdir = spk_tree_subdir(run->env.tree);
	g_autoptr(GPtrArray) lent = spk_tree_lend(
		run->env.tree, phase->folder,
		spk_box_lends(run->env.box) ? SPK_LEND_FRESH : SPK_LEND_NOTHING,
		spk_box_tools(run->env.box), error);
	SpkBoxRun box_run = {
		.work = spk_tree_work(run->env.tree),
		.work_from = phase->folder,
		.lent = lent,
		.hidden = spk_tree_hidden(run->env.tree),
		.mounts = run->env.spark->mounts,
		.image = run->env.spark->image,
		.mounts_read_only = TRUE,
		.read_only = read_only,
		.argv = argv,
		.cwd = given && *subdir ? subdir : NULL,
		.max_out = 256 << 10,
		.timeout_ms = time_for(run, phase),
	};

	spk_way_out_use(run->env.way, &box_run);
	if (!lent || !spk_box_run(run->env.box, &box_run, run->env.cancel, result, error))
		return FALSE;
	spk_way_out_note(run->env.way, result);
	return TRUE;
}

static json_t *result_to_json(const Phase *phase, const char *command,
			      const char *user_tree, const SpkBoxResult *result)
{
	g_autofree char *clean =
		spk_text_clean(result->out->str, result->out->len, SPK_CLEAN_TEXT);
	g_autofree char *tail = spk_text_clip_middle(clean, strlen(clean), TAIL_MAX);

	json_t *check = json_pack("{s:s,s:i,s:o,s:s,s:i,s:b,s:s,s:o,s:f}", "phase",
				  phase->phase, "round", (int)phase->round, "command",
				  spk_json_text(command), "tree", user_tree, "exit_code",
				  result->exit_code, "timed_out", result->timed_out,
				  "output_sha256", result->out_sha256, "tail",
				  spk_json_text(tail), "seconds", result->seconds);

	spk_box_result_tell(result, check);
	return check;
}

static gboolean add_evidence(SpkRun *run, const json_t *check, GError **error)
{
	SpkEvidence evidence = {
		.phase = (char *)spk_json_str(check, "phase"),
		.command = (char *)spk_json_str(check, "command"),
		.exit_code = (int)spk_json_int(check, "exit_code", -1),
		.output_sha256 = (char *)spk_json_str(check, "output_sha256"),
		.output_tail = (char *)spk_json_str(check, "tail"),
		.tree = (char *)spk_json_str(check, "tree"),
		.seconds = spk_json_real(check, "seconds", 0),
		.round = spk_json_int(check, "round", 0),
		.created_us = spk_now_us(),
	};

	return spk_evidence_add(run->env.store, run->env.task->id, run->env.token,
				&evidence, error);
}

static gboolean do_check(SpkRun *run, const Phase *phase, const char *command,
			 const char *key, GError **error)
{
	g_autofree char *user_tree = NULL;
	g_auto(SpkBoxResult) result = { 0 };
	json_t *check;

	if (!run_go(run, error))
		return FALSE;
	user_tree = spk_tree_user_tree(run->env.tree, phase->raw, run->env.cancel, error);
	if (!user_tree ||
	    !run_record(run, "check.intent", key, SPK_EFFECT_IDEMPOTENT,
			json_pack("{s:s,s:i,s:o,s:s}", "phase", phase->phase, "round",
				  (int)phase->round, "command", spk_json_text(command),
				  "tree", user_tree),
			error) ||
	    !run_in_box(run, phase, command, &result, error))
		return FALSE;
	check = result_to_json(phase, command, user_tree, &result);
	if (!run_scan_printed(run, check, error)) {
		json_decref(check);
		return FALSE;
	}
	return run_record(run, "check.result", key, SPK_EFFECT_IDEMPOTENT, check, error);
}

static gboolean is_recorded(SpkRun *run, const char *phase, guint round, guint n_checks)
{
	for (guint i = 0; i < n_checks; i++) {
		g_autofree char *key = g_strdup_printf("%s/%u/%u", phase, round, i);

		if (!run_recorded(run, "check.result", key))
			return FALSE;
	}
	return TRUE;
}

/* A check on record whose checkout is gone: it runs again for what it leaves there (a build,
 * say), which the checks after it may need. What it said stays as it was. */
static gboolean prepare_again(SpkRun *run, const Phase *phase, const char *command,
			      GError **error)
{
	g_auto(SpkBoxResult) result = { 0 };

	return run_go(run, error) && run_in_box(run, phase, command, &result, error);
}

/* One check of a phase; with a folder it runs, else it is on record. */
static gboolean run_check(SpkRun *run, const Phase *phase, const char *command,
			  const char *key, GError **error)
{
	if (!run_recorded(run, "check.result", key))
		return do_check(run, phase, command, key, error);
	return !phase->folder || prepare_again(run, phase, command, error);
}

gboolean verify_phase(SpkRun *run, const char *name, guint round, const char *raw,
		      char *const *checks, VerifyResult *ret_result, GError **error)
{
	guint n = g_strv_length((char **)checks);
	g_autofree char *folder = NULL;
	Phase phase = { name, round, raw, NULL };

	*ret_result = (VerifyResult){ 0 };
	if (!is_recorded(run, name, round, n)) {
		if (!spk_setup_run(run, error))
			return FALSE;
		folder = spk_tree_checkout(run->env.tree, raw, name, run->env.cancel,
					   error);
		if (!folder)
			return FALSE;
		phase.folder = folder;
	}
	for (guint i = 0; i < n; i++) {
		g_autofree char *key = g_strdup_printf("%s/%u/%u", name, round, i);
		const json_t *check;

		if (!run_check(run, &phase, checks[i], key, error))
			return FALSE;
		check = run_recorded(run, "check.result", key);
		if (!add_evidence(run, check, error))
			return FALSE;
		if (spk_json_int(check, "exit_code", -1) != 0 && !ret_result->failed++)
			ret_result->first_failure = check;
	}
	return !folder || spk_tree_drop_checkout(run->env.tree, name, error);
}

/* A check whose program is not there fails whatever the model does: better said at once. */
static gboolean can_run(SpkRun *run, const json_t *check, GError **error)
{
	const SpkToolchains *tools = spk_box_tools(run->env.box);
	const char *command = spk_json_str(check, "command");
	g_autofree char *missing =
		verify_missing(command, (int)spk_json_int(check, "exit_code", -1),
			       spk_json_str(check, "tail"));

	if (!missing)
		return TRUE;
	spk_error_set(
		error, SPK_ERR_USAGE,
		"install it below /usr, name it by its path in the repository, or give "
		"another --check",
		"the check `%s` cannot run: %s is not in the sandbox's PATH (%s)",
		command, missing,
		tools && tools->path ? tools->path : "the system's, or the image's");
	return FALSE;
}

gboolean verify_can_run(SpkRun *run, char *const *checks, GError **error)
{
	for (guint i = 0; checks[i]; i++) {
		g_autofree char *key = g_strdup_printf("before/0/%u", i);

		if (!can_run(run, run_recorded(run, "check.result", key), error))
			return FALSE;
	}
	return TRUE;
}

gboolean spk_verify_before(SpkRun *run, GError **error)
{
	g_auto(GStrv) checks = spk_verify_checks(run, error);
	VerifyResult before;

	if (!checks)
		return FALSE;
	if (!checks[0])
		return TRUE;
	return verify_phase(run, "before", 0, spk_tree_base(run->env.tree), checks,
			    &before, error) &&
	       verify_can_run(run, checks, error);
}
