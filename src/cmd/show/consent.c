#include "cmd/show/consent.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/ui.h"
#include "guard/approval.h"
#include "guard/guard.h"
#include "guard/ladder.h"
#include "guard/taint.h"

#define TOOL "apply"

guint spk_consent_name_risky(const SpkTask *task)
{
	const json_t *risky = json_object_get(task->changes, "risky"), *name;
	size_t i;

	if (json_array_size(risky) == 0)
		return 0;
	fputs("These changed files run code elsewhere:\n", stderr);
	json_array_foreach(risky, i, name) {
		const char *path = json_is_string(name) ? json_string_value(name) : "";
		const char *why = spk_guard_risky(path);
		g_autofree char *line = spk_ui_line(path, 300);

		fprintf(stderr, "  %s%s%s%s\n", line, why ? " (" : "", why ? why : "",
			why ? ")" : "");
	}
	return (guint)json_array_size(risky);
}

gboolean spk_consent_unasked(const SpkTask *task, GError **error)
{
	const json_t *critic = json_object_get(task->changes, "critic");
	g_autofree char *hint = NULL;

	if (json_array_size(json_object_get(critic, "objections")) == 0)
		return TRUE;
	hint = g_strdup_printf("read them in `sparks tasks show %s`, then "
			       "`sparks tasks apply %s`",
			       task->id, task->id);
	spk_error_set(error, SPK_ERR_POLICY, hint,
		      "the critic objects to task %s: not applied", task->id);
	return FALSE;
}

/* ---- the question ---- */

static void find_taint(const SpkTrail *trail, SpkTaintMark *ret)
{
	const json_t *taint = spk_trail_last(trail, "taint", trail->entries->len);
	SpkTaint level;

	if (!taint)
		return;
	(void)spk_taint_parse(spk_json_str(taint, "taint"), &level);
	spk_taint_raise(ret, level, spk_json_str(taint, "source"));
}

static SpkLevel level_of(const SpkTask *task)
{
	const json_t *kept = json_object_get(task->options, "autonomy");
	SpkLevel level;

	return spk_level_parse(spk_json_str(kept, "level"), &level) ? level
								    : SPK_LEVEL_DEFAULT;
}

/* What is approved is these files as they are, to the byte: their tree is among the arguments. */
static SpkQuestion *question_of(const SpkTask *task, const SpkTrail *trail)
{
	const json_t *files = json_object_get(task->changes, "files");
	const json_t *risky = json_object_get(task->changes, "risky"), *name;
	SpkQuestion *question = g_new0(SpkQuestion, 1);
	g_autoptr(GString) line = g_string_new(TOOL);
	g_auto(SpkTaintMark) mark = { 0 };
	g_auto(SpkDecision) taint = { 0 };
	size_t i;

	find_taint(trail, &mark);
	question->task = g_strdup(task->id);
	question->tool = g_strdup(TOOL);
	question->hash = spk_question_hash(TOOL, trail->result);
	question->does = json_array_size(risky) ? SPK_DOES(APPLY_RISKY) | SPK_DOES(APPLY)
						: SPK_DOES(APPLY);
	json_array_foreach(json_array_size(risky) ? risky : files, i, name)
		if (json_is_string(name) && line->len < 2000)
			g_string_append_printf(line, " %s", json_string_value(name));
	question->line = g_string_free(g_steal_pointer(&line), FALSE);
	question->taint = mark.taint;
	question->taint_source = g_strdup(mark.source);
	/* plain files: the person who says `apply` has decided that */
	if (json_array_size(risky))
		spk_ladder_judge(level_of(task), SPK_DOES(APPLY_RISKY), SPK_RISK_HIGH,
				 &question->decision);
	else
		spk_decision_set(&question->decision, SPK_LAW_ALLOW, SPK_RISK_LOW,
				 "operator.apply", NULL, "the operator said apply", NULL);
	question->by_taint = spk_taint_judge(&mark, question->does, &taint);
	if (question->by_taint)
		spk_decision_join(&question->decision, &taint);
	return question;
}

/* The same files may be asked about again after a no: each time is a question of its own. *ret_said:
 * they were allowed. */
static gboolean find_answer(SpkStore *store, SpkQuestion *question, gboolean *ret_said,
			    GError **error)
{
	g_autoptr(GPtrArray)
		asked = spk_approval_list(store, question->task, TRUE, error);
	guint refused = 0;

	*ret_said = FALSE;
	for (guint i = 0; asked && i < asked->len; i++) {
		SpkQuestion *one = asked->pdata[i];

		if (strcmp(one->hash, question->hash) != 0)
			continue;
		refused += one->answer == SPK_ANSWER_DENY ||
			   one->answer == SPK_ANSWER_EXPIRED;
		*ret_said |= spk_answer_allows(one->answer);
		if (spk_answer_allows(one->answer)) {
			g_free(question->id);
			question->id = g_strdup(one->id);
			g_free(question->by);
			question->by = g_strdup(one->by);
			g_free(question->how);
			question->how = g_strdup(one->how);
			question->answer = one->answer;
		}
	}
	question->key = refused ? g_strdup_printf(TOOL "/%u", refused + 1)
				: g_strdup(TOOL);
	return asked != NULL;
}

static gboolean answer(SpkStore *store, SpkQuestion *question, gboolean yes,
		       const char *how, GError **error)
{
	const SpkReply reply = { .answer = yes ? SPK_ANSWER_ALLOW_ONCE
					       : SPK_ANSWER_DENY };

	question->answer = reply.answer;
	question->by = g_strdup(g_get_user_name());
	question->how = g_strdup(how);
	return spk_approval_answer(store, question->id, &reply, question->by, how, NULL,
				   error);
}

static gboolean refused(const SpkTask *task, GError **error)
{
	g_autofree char *hint = g_strdup_printf(
		"look at `sparks tasks diff %s`, then `sparks tasks apply %s`", task->id,
		task->id);

	spk_error_set(error, SPK_ERR_POLICY, hint, "task %s: not applied", task->id);
	return FALSE;
}

static gboolean left_open(const SpkQuestion *question, GError **error)
{
	g_autofree char *hint = g_strdup_printf(
		"look at `sparks tasks diff %s`; then `sparks approvals allow %s` and "
		"`sparks tasks apply %s`",
		question->task, question->id, question->task);

	spk_error_set(error, SPK_ERR_APPROVAL, hint,
		      "not applied yet: %s. Question %s waits for an answer",
		      question->decision.why, question->id);
	return FALSE;
}

static gboolean settle(SpkStore *store, const SpkTask *task, SpkQuestion *question,
		       SpkConsent how, GError **error)
{
	gboolean said, yes;

	if (how == SPK_CONSENT_YES && !question->by_taint) {
		question->by = g_strdup(g_get_user_name());
		question->how = g_strdup("-y");
		question->answer = SPK_ANSWER_ALLOW_ONCE;
		return TRUE;
	}
	if (!find_answer(store, question, &said, error))
		return FALSE;
	if (said)
		return TRUE;
	if (!spk_approval_ask(store, 0, question, error))
		return FALSE;
	if (how == SPK_CONSENT_SAID)
		return answer(store, question, TRUE, "terminal", error);
	fprintf(stderr, "%s\n", question->decision.why);
	if (!spk_ui_can_ask())
		return left_open(question, error);
	yes = spk_ui_ask("Apply them?");
	return answer(store, question, yes, "terminal", error) &&
	       (yes || refused(task, error));
}

static json_t *record_of(const SpkTask *task, const SpkQuestion *question)
{
	const SpkDecision *decision = &question->decision;
	json_t *record = json_pack("{s:s,s:s,s:s,s:s,s:s,s:o}", "verdict",
				   spk_law_name(decision->verdict), "rule",
				   decision->rule, "risk", spk_risk_name(decision->risk),
				   "taint", spk_taint_name(question->taint), "level",
				   spk_level_name(level_of(task)), "why",
				   spk_json_text(decision->why));

	if (decision->verdict == SPK_LAW_ASK) {
		spk_json_set(record, "answer",
			     json_string(spk_answer_name(question->answer)));
		spk_json_set(record, "by", spk_json_text(question->by));
		spk_json_set(record, "how", spk_json_text(question->how));
		spk_json_set(record, "question", spk_json_text(question->id));
	}
	return record;
}

json_t *spk_consent_to_apply(SpkStore *store, const SpkTask *task, const SpkTrail *trail,
			     SpkConsent how, GError **error)
{
	g_autoptr(SpkQuestion) question = NULL;

	/* there is nothing to ask about; whoever applies says so */
	if (!trail->result)
		return json_object();
	question = question_of(task, trail);
	if (how != SPK_CONSENT_SAID)
		(void)spk_consent_name_risky(task); /* the names are what matters */
	if (question->decision.verdict == SPK_LAW_DENY) {
		spk_error_set(error, SPK_ERR_POLICY, question->decision.hint,
			      "task %s: not applied: %s", task->id,
			      question->decision.why);
		return NULL;
	}
	if (question->decision.verdict == SPK_LAW_ASK &&
	    !settle(store, task, question, how, error))
		return NULL;
	return record_of(task, question);
}
