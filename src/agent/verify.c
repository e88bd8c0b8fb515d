/*
 * Verification: what the checks say of a change; verify_checks.c runs them. Phases: `before` (the
 * untouched tree), `after` (the final tree), `original_tests` (the final tree with test files and
 * check scripts as they were), `original_build` (as that, with the build files that select tests
 * as they were).
 */
#include <string.h>

#include "agent/scan.h"
#include "agent/verify_priv.h"
#include "agent/verify_reach.h"
#include "agent/verify_rules.h"
#include "base/json.h"
#include "base/text.h"

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
	g_autofree char *told = run_scan_told(check, cut);

	return g_strdup_printf(
		"Verification failed: %s `%s` ended with exit code %d%s. It "
		"printed:\n```\n%s\n```\nMend the cause, then call `finish` again.",
		why, spk_json_str(check, "command"),
		(int)spk_json_int(check, "exit_code", -1),
		spk_json_bool(check, "timed_out", FALSE) ? " (time ran out)" : "", told);
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

static gboolean judge_failure(SpkRun *run, SpkVerification *verification,
			      const json_t *check, const char *why, GError **error)
{
	if (!run_scan_heard(run, check, "the check", error))
		return FALSE;
	verification->feedback = failure_feedback(check, why);
	return judge(verification, SPK_VERDICT_FAILED, "%s `%s` ends with exit code %d",
		     why, spk_json_str(check, "command"),
		     (int)spk_json_int(check, "exit_code", -1));
}

/* Runs the checks with `paths` as they were in the base. */
static gboolean run_original(SpkRun *run, const char *name, guint round,
			     const Change *change, GPtrArray *paths, char *const *checks,
			     VerifyResult *result, GError **error)
{
	g_autofree char *grafted =
		spk_tree_graft(run->env.tree, change->final, spk_tree_base(run->env.tree),
			       (const char *const *)paths->pdata, run->env.cancel, error);

	return grafted && verify_phase(run, name, round, grafted, checks, result, error);
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
	VerifyResult original;

	if (tests) {
		names = list_paths(change->tests);
		if (!run_original(run, "original_tests", round, change, change->tests,
				  checks, &original, error))
			return FALSE;
		if (original.failed && !allowed)
			return judge_failure(
				run, verification, original.first_failure,
				"with the test files as they were before your change,",
				error);
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
	VerifyResult before, after;

	if (!checks)
		return FALSE;
	if (!change->changed->len && (!checks[0] || run->env.lazy))
		return judge(verification, SPK_VERDICT_UNVERIFIED, "nothing was changed");
	if (!checks[0])
		return judge(verification, SPK_VERDICT_UNVERIFIED,
			     "no check is known: name one with --check");
	if (!verify_phase(run, "before", 0, spk_tree_base(run->env.tree), checks, &before,
			  error))
		return FALSE;
	/* Where they have not run before the work, it is too late to refuse it. */
	if (!verify_can_run(run, checks, &why))
		return judge(verification, SPK_VERDICT_UNVERIFIED, "%s", why->message);
	if (!verify_phase(run, "after", round, change->final, checks, &after, error))
		return FALSE;
	if (after.failed)
		return judge_failure(run, verification, after.first_failure, "the check",
				     error);
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
