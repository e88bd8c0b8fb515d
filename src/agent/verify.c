/*
 * Verification: the orchestrator runs the checks on clean checkouts, never in the folder the
 * model worked in. Phases: `before` (the untouched tree), `after` (the final tree),
 * `original_tests` (the final tree with test files and check scripts as they were),
 * `original_build` (as that, with the build files that select tests as they were).
 */
#include <string.h>

#include "agent/run_priv.h"
#include "agent/verify_reach.h"
#include "agent/verify_rules.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"

#define TAIL_MAX     6000
#define FEEDBACK_MAX 8000
#define SCRIPT_MAX   (256 << 10)

void spk_verification_clear(SpkVerification *verification)
{
	g_free(verification->reason);
	g_free(verification->feedback);
	if (verification->changed)
		g_ptr_array_unref(verification->changed);
	*verification = (SpkVerification){ 0 };
}

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
	return run_record(run, "check.result", key, SPK_EFFECT_IDEMPOTENT, check, error);
}

/* What a phase found: which check failed first, or none. */
typedef struct {
	guint failed;
	const json_t *first_failure; /* borrowed from the record */
} PhaseResult;

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

/* Runs the checks of a phase in one clean checkout, unless all are on record. */
static gboolean run_phase(SpkRun *run, const char *name, guint round, const char *raw,
			  char *const *checks, PhaseResult *ret_result, GError **error)
{
	guint n = g_strv_length((char **)checks);
	g_autofree char *folder = NULL;
	Phase phase = { name, round, raw, NULL };

	*ret_result = (PhaseResult){ 0 };
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
		command, missing, tools ? tools->path : "the system's, or the image's");
	return FALSE;
}

static gboolean all_can_run(SpkRun *run, char *const *checks, GError **error)
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
	PhaseResult before;

	if (!checks)
		return FALSE;
	if (!checks[0])
		return TRUE;
	return run_phase(run, "before", 0, spk_tree_base(run->env.tree), checks, &before,
			 error) &&
	       all_can_run(run, checks, error);
}

/* ---- judging ---- */

typedef struct {
	char *final;		  /* raw tree */
	GPtrArray *changed;	  /* SpkTreeChange */
	GPtrArray *tests, *build; /* borrowed paths, NULL-terminated */
	gboolean own_script;	  /* a check's script was written by the task */
} Change;

static void change_clear(Change *change)
{
	g_free(change->final);
	g_clear_pointer(&change->changed, g_ptr_array_unref);
	g_clear_pointer(&change->tests, g_ptr_array_unref);
	g_clear_pointer(&change->build, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Change, change_clear)

static gboolean is_script(SpkRun *run, const char *path, char *const *checks)
{
	const char *const one[] = { path, NULL };

	for (guint i = 0; checks[i]; i++) {
		g_auto(GStrv) scripts =
			verify_scripts(checks[i], one, spk_tree_subdir(run->env.tree));

		if (scripts[0])
			return TRUE;
	}
	return FALSE;
}

static char *read_base(const char *path, gpointer user)
{
	SpkTree *tree = user;
	g_autofree char *blob = g_strconcat(spk_tree_base(tree), ":", path, NULL);
	gsize len;
	g_autofree char *text = spk_tree_read_blob(tree, blob, SCRIPT_MAX, &len, NULL);

	return text && !memchr(text, '\0', len) ? g_steal_pointer(&text) : NULL;
}

static gboolean is_plain(const SpkTreeChange *one)
{
	return one->status != 'A' && !verify_is_build(one->path) &&
	       !verify_is_test(one->path);
}

/* What the checks run by way of build files and scripts of the untouched tree; NULL without
 * *error: the task changed nothing that could be among it. */
static gboolean find_reached(SpkRun *run, const Change *change, char *const *checks,
			     GHashTable **ret_reached, char ***ret_paths, GError **error)
{
	SpkTree *tree = run->env.tree;
	guint n = 0;

	while (n < change->changed->len && !is_plain(change->changed->pdata[n]))
		n++;
	if (n == change->changed->len)
		return TRUE;
	*ret_paths = spk_tree_paths(tree, spk_tree_base(tree), error);
	if (*ret_paths)
		*ret_reached = verify_reached((const char *const *)*ret_paths, checks,
					      spk_tree_subdir(tree), read_base, tree);
	return *ret_paths != NULL;
}

/* A file the checks run in place of, or on the way to, the tests. */
static gboolean decides(SpkRun *run, const SpkTreeChange *one, GHashTable *reached,
			char *const *checks)
{
	if (verify_is_build(one->path))
		return TRUE;
	return one->status == 'A' ? verify_replaces_runner(one->path, checks,
							   spk_tree_subdir(run->env.tree))
				  : reached && g_hash_table_contains(reached, one->path);
}

/* New test files are fine; new build files are not: they may select other tests. */
static gboolean sort_change(SpkRun *run, Change *change, char *const *checks,
			    GError **error)
{
	g_autoptr(GHashTable) reached = NULL;
	g_auto(GStrv) paths = NULL;

	if (!find_reached(run, change, checks, &reached, &paths, error))
		return FALSE;
	change->tests = g_ptr_array_new();
	change->build = g_ptr_array_new();
	for (guint i = 0; i < change->changed->len; i++) {
		SpkTreeChange *one = change->changed->pdata[i];
		gboolean script = is_script(run, one->path, checks);

		if (script && one->status == 'A')
			change->own_script = TRUE;
		if (one->status != 'A' && !verify_is_build(one->path) &&
		    (script || verify_is_test(one->path)))
			g_ptr_array_add(change->tests, one->path);
		else if (decides(run, one, reached, checks))
			g_ptr_array_add(change->build, one->path);
	}
	for (guint i = 0; i < change->tests->len; i++)
		g_ptr_array_add(change->build, change->tests->pdata[i]);
	g_ptr_array_add(change->tests, NULL);
	g_ptr_array_add(change->build, NULL);
	return TRUE;
}

static char *failure_feedback(const json_t *check, const char *why)
{
	const char *tail = spk_json_str(check, "tail");
	g_autofree char *cut = spk_text_clip_middle(tail, strlen(tail), FEEDBACK_MAX);

	return g_strdup_printf(
		"Verification failed: %s `%s` ended with exit code %d%s. It "
		"printed:\n```\n%s\n```\nMend the cause, then call `finish` again.",
		why, spk_json_str(check, "command"),
		(int)spk_json_int(check, "exit_code", -1),
		spk_json_bool(check, "timed_out", FALSE) ? " (time ran out)" : "", cut);
}

static gboolean judge(SpkVerification *verification, SpkVerdict verdict,
		      const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean judge(SpkVerification *verification, SpkVerdict verdict,
		      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	verification->verdict = verdict;
	verification->reason = g_strdup_vprintf(format, args);
	va_end(args);
	return TRUE;
}

static gboolean judge_failure(SpkVerification *verification, const json_t *check,
			      const char *why)
{
	verification->feedback = failure_feedback(check, why);
	return judge(verification, SPK_VERDICT_FAILED, "%s `%s` ends with exit code %d",
		     why, spk_json_str(check, "command"),
		     (int)spk_json_int(check, "exit_code", -1));
}

/* Runs the checks with `paths` as they were in the base. */
static gboolean run_original(SpkRun *run, const char *name, guint round,
			     const Change *change, GPtrArray *paths, char *const *checks,
			     PhaseResult *result, GError **error)
{
	g_autofree char *grafted =
		spk_tree_graft(run->env.tree, change->final, spk_tree_base(run->env.tree),
			       (const char *const *)paths->pdata, run->env.cancel, error);

	return grafted && run_phase(run, name, round, grafted, checks, result, error);
}

static char *list_paths(const GPtrArray *paths)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i + 1 < paths->len && i < 5; i++)
		g_string_append_printf(text, "%s%s", i ? ", " : "",
				       (char *)paths->pdata[i]);
	if (paths->len > 6)
		g_string_append_printf(text, " and %u more", paths->len - 6);
	return g_string_free(text, FALSE);
}

/* All checks pass on the final tree: do they with the old tests and the old build files? */
static gboolean judge_originals(SpkRun *run, guint round, const Change *change,
				char *const *checks, gboolean red,
				SpkVerification *verification, GError **error)
{
	gboolean allowed =
		spk_json_bool(run->env.task->options, "allow_test_changes", FALSE);
	gboolean tests = change->tests->len > 1,
		 build = change->build->len > change->tests->len;
	g_autofree char *names = NULL;
	g_autoptr(GPtrArray) lossy = NULL;
	PhaseResult original;

	if (tests) {
		names = list_paths(change->tests);
		if (!run_original(run, "original_tests", round, change, change->tests,
				  checks, &original, error))
			return FALSE;
		if (original.failed && !allowed)
			return judge_failure(
				verification, original.first_failure,
				"with the test files as they were before your change,");
		if (original.failed)
			return judge(
				verification, SPK_VERDICT_REVIEW,
				"tests were changed with permission (%s), and as they were "
				"they fail",
				names);
	}
	if (build) {
		if (!run_original(run, "original_build", round, change, change->build,
				  checks, &original, error))
			return FALSE;
		g_free(names);
		names = list_paths(change->build);
		if (original.failed)
			return judge(
				verification, SPK_VERDICT_REVIEW,
				"the checks pass, but not with the original build files and scripts (%s)",
				names);
	}
	if (change->own_script)
		return judge(verification, SPK_VERDICT_REVIEW,
			     "the checks pass, but the task wrote a check's own script");
	if (tests && allowed)
		return judge(verification, SPK_VERDICT_REVIEW,
			     "tests were changed with permission (%s)", names);
	lossy = spk_tree_lossy(run->env.tree, change->final, run->env.cancel, error);
	if (!lossy)
		return FALSE;
	if (lossy->len) {
		g_ptr_array_add(lossy, NULL);
		g_free(names);
		names = list_paths(lossy);
		return judge(
			verification, SPK_VERDICT_REVIEW,
			"the checks pass, but the repository's git attributes make other "
			"bytes of %s in the commit",
			names);
	}
	if (red)
		return judge(verification, SPK_VERDICT_VERIFIED,
			     "every check passes, and at least one failed before");
	return judge(verification, SPK_VERDICT_REGRESSION_ONLY,
		     "every check passes, as it did before the change");
}

static gboolean judge_change(SpkRun *run, guint round, const Change *change,
			     SpkVerification *verification, GError **error)
{
	g_auto(GStrv) checks = spk_verify_checks(run, error);
	g_autoptr(GError) why = NULL;
	PhaseResult before, after;

	if (!checks)
		return FALSE;
	if (!change->changed->len && (!checks[0] || run->env.lazy))
		return judge(verification, SPK_VERDICT_UNVERIFIED, "nothing was changed");
	if (!checks[0])
		return judge(verification, SPK_VERDICT_UNVERIFIED,
			     "no check is known: name one with --check");
	if (!run_phase(run, "before", 0, spk_tree_base(run->env.tree), checks, &before,
		       error))
		return FALSE;
	/* Where they have not run before the work, it is too late to refuse it. */
	if (!all_can_run(run, checks, &why))
		return judge(verification, SPK_VERDICT_UNVERIFIED, "%s", why->message);
	if (!run_phase(run, "after", round, change->final, checks, &after, error))
		return FALSE;
	if (after.failed)
		return judge_failure(verification, after.first_failure, "the check");
	if (!change->changed->len)
		return judge(verification, SPK_VERDICT_UNVERIFIED,
			     "nothing was changed; the checks pass as they did");
	return sort_change(run, (Change *)change, checks, error) &&
	       judge_originals(run, round, change, checks, before.failed > 0,
			       verification, error);
}

gboolean spk_verify_after(SpkRun *run, guint round, SpkVerification *ret_verification,
			  GError **error)
{
	g_auto(SpkVerification) verification = { 0 };
	g_auto(Change) change = { 0 };

	if (!run->env.tree) {
		ret_verification->changed = g_ptr_array_new_with_free_func(g_free);
		return judge(ret_verification, SPK_VERDICT_UNVERIFIED,
			     "nothing was changed");
	}
	change.final =
		spk_tree_snapshot(run->env.tree, run->step, run->env.cancel, error);
	if (!change.final)
		return FALSE;
	change.changed = spk_tree_changes(run->env.tree, spk_tree_base(run->env.tree),
					  change.final, error);
	if (!change.changed || !judge_change(run, round, &change, &verification, error))
		return FALSE;
	verification.changed = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < change.changed->len; i++)
		g_ptr_array_add(
			verification.changed,
			g_strdup(((SpkTreeChange *)change.changed->pdata[i])->path));
	*ret_verification = verification;
	verification = (SpkVerification){ 0 };
	return TRUE;
}
