/*
 * The step that verifies: the checks decide, a critic may have its say, and work goes back to the
 * model a bounded number of times. What once passed is never given up for less.
 */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "core/machine_priv.h"
#include "guard/guard.h"

json_t *machine_paths(const GPtrArray *paths, gboolean only_risky)
{
	json_t *json = json_array();

	for (guint i = 0; i < paths->len; i++)
		if (!only_risky || spk_guard_risky(paths->pdata[i]))
			json_array_append_new(json, spk_json_text(paths->pdata[i]));
	return json;
}

/* What the report shows of a round: its files, and what its critic said. */
static json_t *changes_of(Machine *machine, guint round, const GPtrArray *changed)
{
	static const char *const shown[] = { "opinion",	 "objections", "why",
					     "provider", "model",      "cut" };
	const json_t *said = spk_critic_recorded(machine->run, round);
	json_t *changes = json_pack("{s:o,s:o,s:i}", "files",
				    machine_paths(changed, FALSE), "risky",
				    machine_paths(changed, TRUE), "round", (int)round);
	json_t *critic = said ? json_object() : NULL;

	for (gsize i = 0; said && i < G_N_ELEMENTS(shown); i++) {
		json_t *value = json_object_get(said, shown[i]);

		spk_json_set(critic, shown[i], value ? json_incref(value) : json_null());
	}
	if (critic)
		spk_json_set(changes, "critic", critic);
	return changes;
}

static gboolean save_verdict(Machine *machine, const SpkVerification *verification,
			     GError **error)
{
	return machine_update(
		machine,
		json_pack("{s:s,s:o,s:o}", "verdict",
			  spk_verdict_name(verification->verdict), "reason",
			  spk_json_text(verification->reason), "changes",
			  changes_of(machine, machine->round, verification->changed)),
		error);
}

static gboolean record_verdict(Machine *machine, const SpkVerification *verification,
			       GError **error)
{
	json_t *payload = json_pack("{s:i,s:s,s:o,s:o,s:o,s:o}", "round",
				    (int)machine->round, "verdict",
				    spk_verdict_name(verification->verdict), "reason",
				    spk_json_text(verification->reason), "changed",
				    machine_paths(verification->changed, FALSE), "risky",
				    machine_paths(verification->changed, TRUE),
				    "feedback", spk_json_text(verification->feedback));

	if (verification->feedback &&
	    !spk_run_heard(machine->run, "the output of a check", error)) {
		json_decref(payload);
		return FALSE;
	}
	if (spk_run_recorded(machine->run, "verdict", machine->round))
		json_decref(payload);
	else if (!spk_run_record(machine->run, "verdict", machine->round, SPK_EFFECT_PURE,
				 payload, error))
		return FALSE;
	return save_verdict(machine, verification, error);
}

static char *commit_message(Machine *machine, const SpkVerification *verification)
{
	g_autofree char *goal = spk_text_clean(machine->task->goal, -1, SPK_CLEAN_LINE);
	g_autofree char *subject = spk_text_clip(goal, 72);
	g_autofree char *summary = NULL;
	const char *opinion;
	g_autoptr(SpkTask)
		fresh = spk_task_get(machine->env->store, machine->task->id, NULL);

	summary = fresh && fresh->summary
			  ? spk_text_clean(fresh->summary, -1, SPK_CLEAN_TEXT)
			  : g_strdup("");
	g_strstrip(summary);
	opinion = spk_json_str(spk_critic_recorded(machine->run, machine->round),
			       "opinion");
	return g_strdup_printf(
		"%s\n\n%s%sSparks-Task: %s\nSparks-Spark: %s\nSparks-Verdict: %s\n%s%s%s",
		subject, summary, *summary ? "\n\n" : "", machine->task->id,
		machine->spark->name, spk_verdict_name(verification->verdict),
		opinion ? "Sparks-Critic: " : "", opinion ? opinion : "",
		opinion ? "\n" : "");
}

/* Below level `deliver`, and of a task that has read text from outside, the commit stays with the
 * task: `tasks apply` hands it over. */
static gboolean record_commit(Machine *machine, const char *branch, const char *tree,
			      GError **error)
{
	g_auto(SpkDecision) decision = { 0 };

	spk_law_of_commit(machine->run, &decision);
	return spk_run_record(machine->run, "commit.intent", 0, SPK_EFFECT_IDEMPOTENT,
			      json_pack("{s:s,s:s,s:I,s:o}", "branch", branch, "tree",
					tree, "time_us", (json_int_t)spk_now_us(), "law",
					spk_decision_to_json(&decision)),
			      error);
}

/* Dates come from the intent's record, so that a commit made again is the same commit. */
static gboolean commit(Machine *machine, const SpkVerification *verification,
		       GError **error)
{
	g_autofree char *branch = g_strconcat("sparks/", machine->task->id, NULL);
	g_autofree char *message = commit_message(machine, verification);
	SpkTreeCommit how = { .message = message, .branch = branch };
	g_autofree char *raw = NULL, *tree = NULL, *sha = NULL;
	const json_t *intent;
	json_t *law;
	gboolean in_repo = FALSE;

	raw = g_strdup(spk_run_last_tree(machine->run));
	tree = spk_tree_user_tree(machine->tree, raw, machine->held->cancel, error);
	if (!tree)
		return FALSE;
	if (!spk_run_recorded(machine->run, "commit.intent", 0) &&
	    !record_commit(machine, branch, tree, error))
		return FALSE;
	intent = spk_run_recorded(machine->run, "commit.intent", 0);
	law = json_object_get(intent, "law");
	how.kept = law && strcmp(spk_json_str(law, "verdict"), "allow") != 0;
	how.time_us = spk_json_int(intent, "time_us", 0);
	sha = spk_tree_commit(machine->tree, raw, &how, &in_repo, machine->held->cancel,
			      error);
	if (!sha)
		return FALSE;
	if (!spk_run_recorded(machine->run, "commit.result", 0) &&
	    !spk_run_record(machine->run, "commit.result", 0, SPK_EFFECT_IDEMPOTENT,
			    json_pack("{s:s,s:s,s:s,s:b,s:o}", "branch", branch, "commit",
				      sha, "tree", tree, "in_user_repo", in_repo, "kept",
				      how.kept ? json_incref(law) : json_null()),
			    error))
		return FALSE;
	return machine_update(machine,
			      json_pack("{s:o,s:s}", "branch",
					in_repo ? json_string(branch) : json_null(),
					"commit", sha),
			      error);
}

static gboolean roll_back(Machine *machine, const char *reason, SpkState *next,
			  GError **error)
{
	const char *base = spk_tree_base(machine->tree);

	machine_because(machine, "%s", reason);
	*next = SPK_STATE_ROLLED_BACK;
	return spk_tree_restore(machine->tree, base, machine->held->cancel, error) &&
	       (spk_run_recorded(machine->run, "restored", 0) ||
		spk_run_record(machine->run, "restored", 0, SPK_EFFECT_IDEMPOTENT,
			       json_pack("{s:s,s:s,s:s}", "tree", base, "attempt",
					 spk_run_last_tree(machine->run), "why",
					 "verification failed"),
			       error));
}

/* The copy was set back and the move was lost: the tree says nothing of the work any more. */
static gboolean was_restored(Machine *machine, SpkState *next)
{
	const json_t *verdict = spk_run_recorded(machine->run, "verdict", machine->round);
	const char *reason = spk_json_str(verdict, "reason");

	if (!spk_run_recorded(machine->run, "restored", 0))
		return FALSE;
	machine_because(machine, "%s", reason ? reason : "verification failed");
	*next = SPK_STATE_ROLLED_BACK;
	return TRUE;
}

/* ---- rounds ---- */

static SpkVerdict verdict_of(Machine *machine, guint round)
{
	const json_t *recorded = spk_run_recorded(machine->run, "verdict", round);
	const char *name = spk_json_str(recorded, "verdict");
	SpkVerdict verdict = SPK_VERDICT_NONE;

	return name && spk_verdict_parse(name, &verdict) ? verdict : SPK_VERDICT_NONE;
}

/* Earlier rounds that the checks let pass: their critic had objections. */
static guint count_passed(Machine *machine)
{
	guint n = 0;

	for (guint i = 0; i < machine->round; i++)
		n += verdict_of(machine, i) != SPK_VERDICT_FAILED;
	return n;
}

gboolean machine_passed(Machine *machine, guint *ret_round)
{
	for (guint i = machine->round; i > 0; i--) {
		if (verdict_of(machine, i - 1) == SPK_VERDICT_FAILED ||
		    !spk_critic_recorded(machine->run, i - 1))
			continue;
		*ret_round = i - 1;
		return TRUE;
	}
	return FALSE;
}

static int worth(SpkVerdict verdict)
{
	static const SpkVerdict rising[] = { SPK_VERDICT_FAILED, SPK_VERDICT_UNVERIFIED,
					     SPK_VERDICT_REVIEW,
					     SPK_VERDICT_REGRESSION_ONLY,
					     SPK_VERDICT_VERIFIED };

	for (gsize i = 0; i < G_N_ELEMENTS(rising); i++)
		if (rising[i] == verdict)
			return (int)i;
	return -1;
}

gboolean machine_is_kept(Machine *machine)
{
	return spk_run_recorded(machine->run, "kept", 0) != NULL;
}

gboolean machine_keep(Machine *machine, guint round, const char *why, GError **error)
{
	return machine_is_kept(machine) ||
	       spk_critic_keep(machine->run, round, why, error);
}

/* The verification of a round that is on record. */
static void recall(Machine *machine, guint round, const char *why,
		   SpkVerification *ret_verification)
{
	const json_t *recorded = spk_run_recorded(machine->run, "verdict", round), *path;
	const char *reason = spk_json_str(recorded, "reason");
	size_t i;

	ret_verification->verdict = verdict_of(machine, round);
	ret_verification->reason = g_strdup_printf(
		"%s; the round after the critic's objections was dropped: %s",
		reason ? reason : "", why);
	ret_verification->changed = g_ptr_array_new_with_free_func(g_free);
	json_array_foreach(json_object_get(recorded, "changed"), i, path)
		g_ptr_array_add(ret_verification->changed,
				g_strdup(json_string_value(path)));
}

static gboolean finish_kept(Machine *machine, SpkState *next, GError **error)
{
	const json_t *kept = spk_run_recorded(machine->run, "kept", 0);
	guint round = (guint)spk_json_int(kept, "round", 0);
	const char *why = spk_json_str(kept, "why");
	const json_t *ended = spk_run_recorded(machine->run, "ended", round);
	g_auto(SpkVerification) verification = { 0 };

	recall(machine, round, why ? why : "", &verification);
	machine->round = round;
	machine_because(machine, "%s", verification.reason);
	*next = SPK_STATE_DONE;
	return save_verdict(machine, &verification, error) &&
	       machine_update(machine,
			      json_pack("{s:o}", "summary",
					spk_json_text(spk_json_str(ended, "summary"))),
			      error) &&
	       commit(machine, &verification, error);
}

/* The model is told, and works on. */
static gboolean go_back(Machine *machine, const SpkVerification *verification,
			SpkState *next)
{
	machine->strategy->feedback(machine->run, verification->feedback);
	machine->round++;
	*next = SPK_STATE_RUNNING;
	return TRUE;
}

static gboolean after_failure(Machine *machine, const SpkVerification *verification,
			      SpkState *next, GError **error)
{
	gint64 heals =
		spk_json_int(machine->task->options, "heal_attempts",
			     spk_conf_int(machine->env->conf, "task.heal_attempts"));
	guint earlier;

	if (machine->round - count_passed(machine) < heals)
		return go_back(machine, verification, next);
	if (!machine_passed(machine, &earlier))
		return roll_back(machine, verification->reason, next, error);
	return machine_keep(machine, earlier, verification->reason, error) &&
	       finish_kept(machine, next, error);
}

/* Objections of the critic are words for the model, as long as it may be sent back for them. */
static gboolean hear_critic(Machine *machine, SpkVerification *verification,
			    GError **error)
{
	gint64 rounds = spk_conf_int(machine->env->conf, "task.critic_rounds");
	gboolean again = count_passed(machine) < rounds;
	const json_t *said;

	if (!spk_critic_look(machine->run, machine->round, verification, again, error))
		return FALSE;
	said = spk_critic_recorded(machine->run, machine->round);
	if (spk_json_bool(said, "again", FALSE))
		verification->feedback = spk_critic_feedback(said);
	return TRUE;
}

gboolean machine_verify(Machine *machine, SpkState *next, GError **error)
{
	g_auto(SpkVerification) verification = { 0 };
	gboolean weaker;
	guint earlier;

	if (!machine_catch_up(machine, error))
		return FALSE;
	if (machine_is_kept(machine))
		return finish_kept(machine, next, error);
	if (was_restored(machine, next))
		return TRUE;
	if (!spk_verify_after(machine->run, machine->round, &verification, error))
		return FALSE;
	weaker = machine_passed(machine, &earlier) &&
		 worth(verification.verdict) < worth(verdict_of(machine, earlier));
	if ((!weaker && verification.verdict != SPK_VERDICT_FAILED &&
	     !hear_critic(machine, &verification, error)) ||
	    !record_verdict(machine, &verification, error))
		return FALSE;
	machine_because(machine, "%s", verification.reason);
	if (verification.verdict == SPK_VERDICT_FAILED)
		return after_failure(machine, &verification, next, error);
	if (weaker)
		return machine_keep(machine, earlier, verification.reason, error) &&
		       finish_kept(machine, next, error);
	if (verification.feedback)
		return go_back(machine, &verification, next);
	*next = SPK_STATE_DONE;
	return !verification.changed->len || commit(machine, &verification, error);
}
