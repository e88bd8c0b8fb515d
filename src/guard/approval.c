#include "guard/approval.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define LINE_MAX_BYTES 65536
/* What -y speaks for. */
#define COMMANDS                                                                        \
	(SPK_DOES(EDIT) | SPK_DOES(COMMAND) | SPK_DOES(SENSITIVE) | SPK_DOES(UNKNOWN) | \
	 SPK_DOES(COMMIT))

void spk_question_clear(SpkQuestion *question)
{
	g_free(question->id);
	g_free(question->task);
	g_free(question->key);
	g_free(question->tool);
	g_free(question->line);
	g_free(question->arguments);
	g_strfreev(question->parts);
	g_free(question->hash);
	g_free(question->taint_source);
	spk_decision_clear(&question->decision);
	g_free(question->offer);
	g_free(question->by);
	g_free(question->how);
	g_free(question->note);
	g_free(question->rule);
	*question = (SpkQuestion){ 0 };
}

void spk_question_free(SpkQuestion *question)
{
	if (!question)
		return;
	spk_question_clear(question);
	g_free(question);
}

void spk_reply_clear(SpkReply *reply)
{
	g_free(reply->note);
	g_free(reply->rule);
	*reply = (SpkReply){ 0 };
}

char *spk_question_hash(const char *tool, const char *arguments)
{
	g_autoptr(GString) text = g_string_new(tool);

	g_string_append_c(text, '\0'); /* no name of a tool has one */
	g_string_append(text, arguments);
	return spk_text_sha256(text->str, text->len);
}

/* ---- rows and questions ---- */

static char **texts_of(const json_t *list)
{
	g_autoptr(GStrvBuilder) builder = NULL;
	const json_t *item;
	size_t i;

	if (!json_is_array(list))
		return NULL;
	builder = g_strv_builder_new();
	json_array_foreach(list, i, item)
		if (json_is_string(item))
			g_strv_builder_add(builder, json_string_value(item));
	return g_strv_builder_end(builder);
}

static json_t *list_of(char **texts)
{
	json_t *list = texts ? json_array() : NULL;

	for (; texts && *texts; texts++)
		json_array_append_new(list, spk_json_text(*texts));
	return list;
}

/* Replaces what *ret holds. */
static void from_row(const SpkApproval *row, SpkQuestion *ret)
{
	SpkQuestion made = {
		.id = g_strdup(row->id),
		.task = g_strdup(row->task),
		.key = g_strdup(row->key),
		.tool = g_strdup(row->tool),
		.line = g_strdup(row->line),
		.arguments = g_strdup(row->arguments),
		.parts = texts_of(row->parts),
		.hash = g_strdup(row->hash),
		.does = (SpkDoesSet)row->does,
		.taint_source = g_strdup(row->taint_source),
		.by_taint = row->by_taint != 0,
		.offer = g_strdup(row->offer),
		.asked_us = row->asked_us,
		.expires_us = row->expires_us,
		.answer = row->answer,
		.answered_us = row->answered_us,
		.by = g_strdup(row->by),
		.how = g_strdup(row->how),
		.note = g_strdup(row->note),
		.rule = g_strdup(row->rule),
	};

	(void)spk_taint_parse(row->taint, &made.taint); /* the strictest, if it is none */
	(void)spk_decision_from_json(row->decision, &made.decision); /* empty, if so */
	spk_question_clear(ret);
	*ret = made;
}

static SpkQuestion *question_of(const SpkApproval *row)
{
	SpkQuestion *question = g_new0(SpkQuestion, 1);

	from_row(row, question);
	return question;
}

static gboolean put(SpkStore *store, gint64 token, SpkQuestion *question,
		    const SpkAnswering *at_once, GError **error)
{
	g_autoptr(json_t) decision = spk_decision_to_json(&question->decision);
	g_autoptr(json_t) parts = list_of(question->parts);
	g_autofree char *line = spk_text_clip(question->line, LINE_MAX_BYTES);
	g_autofree char *arguments = spk_text_clip(
		question->arguments ? question->arguments : "", LINE_MAX_BYTES);
	const SpkApproval row = {
		.task = question->task,
		.key = question->key,
		.tool = question->tool,
		.line = line,
		.arguments = arguments,
		.hash = question->hash,
		.does = question->does,
		.taint = (char *)spk_taint_name(question->taint),
		.taint_source = question->taint_source,
		.by_taint = question->by_taint,
		.decision = decision,
		.parts = parts,
		.offer = question->offer,
		.expires_us = question->expires_us,
	};
	g_autoptr(SpkApproval) stands = NULL;

	if (!spk_approvals_put(store, token, &row, at_once, &stands, error))
		return FALSE;
	from_row(stands, question);
	return TRUE;
}

gboolean spk_approval_ask(SpkStore *store, gint64 token, SpkQuestion *question,
			  GError **error)
{
	return put(store, token, question, NULL, error);
}

gboolean spk_approval_find(SpkStore *store, const char *task, const char *key,
			   const char *hash, SpkQuestion **ret, GError **error)
{
	g_autoptr(SpkApproval) row = NULL;

	if (!spk_approvals_find(store, task, key, hash, &row, error))
		return FALSE;
	*ret = row ? question_of(row) : NULL;
	return TRUE;
}

SpkQuestion *spk_approval_get(SpkStore *store, const char *id, GError **error)
{
	g_autoptr(SpkApproval) row = spk_approvals_get(store, id, error);

	return row ? question_of(row) : NULL;
}

GPtrArray *spk_approval_list(SpkStore *store, const char *task, gboolean all,
			     GError **error)
{
	g_autoptr(GPtrArray) rows = spk_approvals_list(store, task, all, error);
	GPtrArray *list;

	if (!rows)
		return NULL;
	list = g_ptr_array_new_with_free_func((GDestroyNotify)spk_question_free);
	for (guint i = 0; i < rows->len; i++)
		g_ptr_array_add(list, question_of(rows->pdata[i]));
	return list;
}

gboolean spk_approval_open(SpkStore *store, const char *task, SpkQuestion **ret,
			   GError **error)
{
	g_autoptr(GPtrArray) list = spk_approval_list(store, task, FALSE, error);

	if (!list)
		return FALSE;
	*ret = list->len ? g_ptr_array_steal_index(list, 0) : NULL;
	return TRUE;
}

/* ---- what is said already ---- */

/* Decided without a row of its own: the saved rule or the earlier answer is the record. */
static void decide(SpkQuestion *question, SpkAnswer answer, const char *by,
		   const char *how, const char *rule, const char *note)
{
	question->answer = answer;
	question->answered_us = spk_now_us();
	g_free(question->by);
	g_free(question->how);
	g_free(question->rule);
	g_free(question->note);
	question->by = g_strdup(by);
	question->how = g_strdup(how);
	question->rule = g_strdup(rule);
	question->note = g_strdup(note);
}

/* Whether an approval given under `given` (by_taint: at a question that a taint rule raised)
 * speaks for this question. */
static gboolean reaches(gboolean given_by_taint, SpkTaint given,
			const SpkQuestion *question)
{
	return !question->by_taint || (given_by_taint && given >= question->taint);
}

static gboolean rule_decides(const SpkRule *rule, SpkQuestion *question)
{
	SpkTaint taint;

	if (!rule->allow)
		return spk_rule_denies(rule->pattern, question);
	return spk_taint_parse(rule->taint, &taint) &&
	       reaches(taint > SPK_TAINT_OPERATOR, taint, question) &&
	       spk_rule_allows(rule->pattern, question);
}

/* The first saved rule of that kind that decides. FALSE only on an error. */
static gboolean try_rules(const SpkApprovalEnv *env, gboolean allow,
			  SpkQuestion *question, gboolean *ret_done, GError **error)
{
	g_autoptr(GPtrArray)
		rules = spk_rules_for(env->store, env->spark, env->repo, error);

	*ret_done = FALSE;
	for (guint i = 0; rules && i < rules->len; i++) {
		const SpkRule *rule = rules->pdata[i];

		if ((rule->allow != 0) != allow || !rule_decides(rule, question))
			continue;
		decide(question, allow ? SPK_ANSWER_ALLOW_RULE : SPK_ANSWER_DENY,
		       rule->by, "rule", rule->pattern, NULL);
		*ret_done = TRUE;
		return spk_rules_used(env->store, rule->id, error);
	}
	return rules != NULL;
}

static gboolean is_refusal(const SpkQuestion *earlier, const SpkQuestion *question)
{
	return (earlier->answer == SPK_ANSWER_DENY ||
		earlier->answer == SPK_ANSWER_EXPIRED) &&
	       !strcmp(earlier->hash, question->hash);
}

static gboolean is_for_task(const SpkQuestion *earlier, const SpkQuestion *question)
{
	return earlier->answer == SPK_ANSWER_ALLOW_TASK && earlier->rule &&
	       !strcmp(earlier->tool, question->tool) &&
	       !(question->does & ~earlier->does) &&
	       reaches(earlier->by_taint, earlier->taint, question) &&
	       spk_rule_allows(earlier->rule, question);
}

/* An answer that was given in this task before, to the same call or for the task. */
static void try_earlier(const GPtrArray *earlier, gboolean allow, SpkQuestion *question,
			gboolean *ret_done)
{
	*ret_done = FALSE;
	for (guint i = 0; i < earlier->len && !*ret_done; i++) {
		const SpkQuestion *one = earlier->pdata[i];

		if (!(allow ? is_for_task(one, question) : is_refusal(one, question)))
			continue;
		decide(question, one->answer, one->by, "task", one->rule, one->note);
		*ret_done = TRUE;
	}
}

static gboolean is_said(const SpkApprovalEnv *env, SpkQuestion *question,
			gboolean *ret_done, GError **error)
{
	g_autoptr(GPtrArray)
		earlier = spk_approval_list(env->store, question->task, TRUE, error);

	if (!earlier || !try_rules(env, FALSE, question, ret_done, error))
		return FALSE;
	if (!*ret_done)
		try_earlier(earlier, FALSE, question, ret_done);
	if (!*ret_done && !try_rules(env, TRUE, question, ret_done, error))
		return FALSE;
	if (!*ret_done)
		try_earlier(earlier, TRUE, question, ret_done);
	return TRUE;
}

gboolean spk_approval_yes_covers(const SpkQuestion *question)
{
	return !question->by_taint && !(question->does & ~COMMANDS);
}

/* ---- asking ---- */

static gboolean say_open(const SpkQuestion *question, GError **error)
{
	g_autofree char *line = spk_text_clean(question->line, -1, SPK_CLEAN_LINE);
	g_autofree char *brief = spk_text_clip(line, 200);
	g_autofree char *hint = g_strdup_printf(
		"`sparks approvals show %s` tells why; answer with "
		"`sparks approvals allow %s` or `sparks approvals deny %s`",
		question->id, question->id, question->id);

	spk_error_set(error, SPK_ERR_APPROVAL, hint,
		      "question %s waits for an answer: %s", question->id, brief);
	return FALSE;
}

static gboolean put_new(const SpkApprovalEnv *env, SpkQuestion *question, GError **error)
{
	const SpkAnswering yes = { .answer = SPK_ANSWER_ALLOW_ONCE,
				   .by = env->yes,
				   .how = "-y" };
	gboolean at_once = env->yes && spk_approval_yes_covers(question);

	question->expires_us =
		env->timeout_secs ? spk_now_us() + env->timeout_secs * G_USEC_PER_SEC : 0;
	return put(env->store, env->token, question, at_once ? &yes : NULL, error);
}

/* The question that stands open needs nobody any more. */
static gboolean close_open(const SpkApprovalEnv *env, const char *id,
			   const SpkQuestion *decided, GError **error)
{
	gboolean allows = spk_answer_allows(decided->answer);
	const SpkAnswering answer = { .answer = allows ? SPK_ANSWER_ALLOW_ONCE
						       : SPK_ANSWER_DENY,
				      .by = decided->by,
				      .how = decided->how,
				      .note = decided->note };
	g_autoptr(GError) why = NULL;

	if (spk_approvals_answer(env->store, id, &answer, NULL, &why) ||
	    spk_error_is(why, SPK_ERR_CONFLICT))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

gboolean spk_approval_need(const SpkApprovalEnv *env, SpkQuestion *question,
			   GError **error)
{
	g_autoptr(SpkQuestion) stands = NULL;
	gboolean done;

	if (!spk_approval_find(env->store, question->task, question->key, question->hash,
			       &stands, error))
		return FALSE;
	if (stands && stands->answer != SPK_ANSWER_OPEN &&
	    stands->answer != SPK_ANSWER_WITHDRAWN) {
		spk_question_clear(question);
		*question = *stands;
		*stands = (SpkQuestion){ 0 };
		return TRUE;
	}
	/* a rule that was saved since, at another task's question, answers this one too */
	if (!is_said(env, question, &done, error) ||
	    (done && stands && stands->answer == SPK_ANSWER_OPEN &&
	     !close_open(env, stands->id, question, error)))
		return FALSE;
	if (!done && !put_new(env, question, error))
		return FALSE;
	return done || question->answer != SPK_ANSWER_OPEN || say_open(question, error);
}

/* ---- answering ---- */

static gboolean check_reply(const SpkQuestion *question, const SpkReply *reply,
			    const char *rule, GError **error)
{
	gboolean wants_rule = reply->answer == SPK_ANSWER_ALLOW_TASK ||
			      reply->answer == SPK_ANSWER_ALLOW_RULE;

	if (!wants_rule)
		return TRUE;
	if (!rule) {
		spk_error_set(
			error, SPK_ERR_USAGE, "allow it once, or deny it",
			"no rule can allow this: what it runs may be something else "
			"each time");
		return FALSE;
	}
	if (!spk_rule_check(rule, error))
		return FALSE;
	if (spk_rule_allows(rule, question))
		return TRUE;
	spk_error_set(error, SPK_ERR_USAGE,
		      "it must match every command of the line as a whole",
		      "the rule %s doesn't match what is asked: %s", rule,
		      question->line);
	return FALSE;
}

/* Where a rule that is saved at a question holds: for the spark and the folder of its task. */
static gboolean find_scope(SpkStore *store, const SpkQuestion *question, SpkTask **ret,
			   GError **error)
{
	*ret = spk_task_get(store, question->task, error);
	return *ret != NULL;
}

gboolean spk_approval_answer(SpkStore *store, const char *id, const SpkReply *reply,
			     const char *by, const char *how, SpkQuestion **ret,
			     GError **error)
{
	g_autoptr(SpkQuestion) question = spk_approval_get(store, id, error);
	g_autoptr(SpkTask) task = NULL;
	g_autoptr(SpkApproval) row = NULL;
	g_autofree char *rule = NULL;
	SpkAnswering answer = { .answer = reply->answer, .by = by, .how = how };

	g_assert(reply->answer != SPK_ANSWER_OPEN);
	if (!question || !find_scope(store, question, &task, error))
		return FALSE;
	rule = reply->rule ? g_strdup(reply->rule) : spk_rule_offer(question);
	if (question->answer == SPK_ANSWER_OPEN &&
	    !check_reply(question, reply, rule, error))
		return FALSE;
	answer.note = reply->note;
	if (reply->answer == SPK_ANSWER_ALLOW_TASK ||
	    reply->answer == SPK_ANSWER_ALLOW_RULE)
		answer.rule = rule;
	answer.spark = task->spark;
	answer.repo = task->repo;
	if (!spk_approvals_answer(store, question->id, &answer, &row, error))
		return FALSE;
	if (ret)
		*ret = question_of(row);
	return TRUE;
}

/* ---- for programs ---- */

static json_t *does_to_json(SpkDoesSet does)
{
	json_t *list = json_array();

	for (guint i = 0; i < SPK_N_DOES; i++)
		if (does & (1u << i))
			json_array_append_new(list, json_string(spk_does_name(i)));
	return list;
}

static json_t *time_or_null(gint64 us)
{
	g_autofree char *text = us ? spk_time_format(us) : NULL;

	return spk_json_text(text);
}

json_t *spk_question_to_json(const SpkQuestion *question)
{
	g_autofree char *offer = spk_rule_offer(question);
	g_autoptr(json_t) decision = spk_decision_to_json(&question->decision);
	json_t *object = json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:s,s:o,s:s,s:o,s:b}", "id",
				   question->id, "task", question->task, "key",
				   question->key, "tool", question->tool, "line",
				   spk_json_text(question->line), "arguments",
				   spk_json_text(question->arguments), "hash",
				   question->hash, "does", does_to_json(question->does),
				   "taint", spk_taint_name(question->taint),
				   "taint_source", spk_json_text(question->taint_source),
				   "by_taint", question->by_taint);

	json_object_update(object, decision);
	json_object_del(object, "verdict"); /* it is `ask`, or there were no question */
	spk_json_set(object, "offer", spk_json_text(offer));
	spk_json_set(object, "asked_at", time_or_null(question->asked_us));
	spk_json_set(object, "expires_at", time_or_null(question->expires_us));
	spk_json_set(object, "answer", json_string(spk_answer_name(question->answer)));
	spk_json_set(object, "answered_at", time_or_null(question->answered_us));
	spk_json_set(object, "by", spk_json_text(question->by));
	spk_json_set(object, "how", spk_json_text(question->how));
	spk_json_set(object, "note", spk_json_text(question->note));
	spk_json_set(object, "saved_rule", spk_json_text(question->rule));
	return object;
}
