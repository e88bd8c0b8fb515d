#include "agent/judge.h"

#include <string.h>

#include "agent/booking_priv.h"
#include "agent/run_priv.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "guard/judge.h"

#define PURPOSE	   "judge"
#define ASK_MS	   45000
#define OUTPUT_MAX 2048 /* tokens; some models think before they say a word */
#define WORDS_MAX  300

/* ---- on record ---- */
/* A text that there is a question about, and what the rules say of it. */
typedef struct {
	char *key; /* SHA-256 of the text */
	const SpkJudgeText *text;
	const SpkScanResult *found;
	SpkJudgeMode mode;
} Case;

static json_t *record_of(const Case *one, const SpkJudgement *judgement, gboolean rests,
			 const char *why)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:i,s:s,s:I,s:I,s:b,s:o,s:b}", "key", one->key,
			 "what", one->text->what, "mode", spk_judge_mode_name(one->mode),
			 "rules", spk_scan_verdict_name(one->found->verdict), "points",
			 (int)one->found->score, "opinion",
			 spk_opinion_name(judgement->opinion), "start",
			 (json_int_t)judgement->start, "end", (json_int_t)judgement->end,
			 "whole", judgement->whole, "why", run_clean_line(why, WORDS_MAX),
			 "rests", rests);
}

static SpkJudgement judgement_of(const json_t *record)
{
	return (SpkJudgement){
		.opinion = spk_opinion_find(spk_json_str(record, "opinion")),
		.start = (gsize)MAX(0, spk_json_int(record, "start", 0)),
		.end = (gsize)MAX(0, spk_json_int(record, "end", 0)),
		.whole = spk_json_bool(record, "whole", FALSE),
	};
}

/* Nobody says anything, nor will anybody in this run, which is said. */
static gboolean settle_none(SpkRun *run, const Case *one, const char *why, GError **error)
{
	SpkJudgement none = { SPK_OPINION_NONE };

	spk_warn(
		"agent",
		"task %s: the scanner's judge is not asked, and its rules decide alone: %s",
		run->env.task->id, why);
	run->judge->rests = TRUE;
	run->judge->asked++;
	return run_record(run, "judge", one->key, SPK_EFFECT_IDEMPOTENT,
			  record_of(one, &none, TRUE, why), error);
}

/* ---- the question ---- */

/* [prompt_scanner] judge_model, the classifier's, that of the work; a play answers for the work
 * alone. */
static SpkLlm *open_judge(SpkRun *run, GError **error)
{
	SpkConf *conf = run->env.conf;
	const char *own = spk_conf_str(conf, "prompt_scanner.judge_model");
	const char *main_model = spk_json_str(run->env.task->options, "model");
	g_autofree char *classifier = spk_llm_model_for(conf, "classifier", main_model);
	const char *model = *own ? own : classifier ? classifier : main_model;
	g_autoptr(SpkLlm) llm = spk_llm_open(conf, model, error);

	if (llm && model == main_model && !strcmp(spk_llm_provider(llm), "script")) {
		spk_error_set(error, SPK_ERR_CONFIG, "set prompt_scanner.judge_model",
			      "the model of the work is a play");
		return NULL;
	}
	if (llm)
		spk_llm_learn(llm, run->env.cancel);
	return g_steal_pointer(&llm);
}

static gboolean ask(RunCall *call, const Case *one, gboolean *ret_whole,
		    SpkLlmReply *ret_reply, GError **error)
{
	SpkRun *run = call->run;
	const char *text = one->text->text;
	g_autofree char *question = spk_judge_question(
		one->text->what, text, strlen(text), one->found, ret_whole);
	g_autoptr(json_t) schema = spk_judge_schema();
	RunAside aside = { .call = call,
			   .system = spk_judge_system(),
			   .user = question,
			   .schema = schema,
			   .max_output = OUTPUT_MAX,
			   .patience_ms = ASK_MS };

	if (!run->prices)
		run->prices = spk_prices_load(run->env.home, error);
	if (!run->prices)
		return FALSE;
	if (!run->judge->llm)
		run->judge->llm = open_judge(run, error);
	aside.llm = run->judge->llm;
	return aside.llm && run_ask_aside(&aside, ret_reply, error);
}

/* What the answer says, if it says anything. */
static json_t *read_answer(const RunCall *call, const Case *one, gboolean whole,
			   const SpkLlmReply *reply)
{
	g_autoptr(GError) wrong = NULL;
	g_autoptr(json_t) answer = run_answer_object(reply->text, &wrong);
	SpkJudgement judgement = { .whole = whole };
	SpkUsage usage = run_usage_of(call, reply);
	json_t *payload;

	/* NONE, and `wrong` says why */
	(void)(answer && spk_judge_read(answer, one->text->text, &judgement, &wrong));
	payload = record_of(one, &judgement, FALSE,
			    wrong ? wrong->message : spk_json_str(answer, "why"));
	spk_json_set(payload, "provider", json_string(reply->who.provider));
	spk_json_set(payload, "model", spk_json_text(reply->who.model));
	spk_json_set(payload, "tokens",
		     json_integer((json_int_t)(usage.input + usage.output)));
	return payload;
}

static gboolean ask_live(SpkRun *run, const Case *one, GError **error)
{
	RunCall call = { .run = run, .purpose = PURPOSE, .number = run->judge->asked };
	g_auto(SpkLlmReply) reply = { 0 };
	g_autoptr(json_t) payload = NULL;
	g_autoptr(GError) failure = NULL;
	gboolean whole;

	if (!run_go(run, error))
		return FALSE;
	if (run->judge->tokens >=
	    spk_conf_int(run->env.conf, "prompt_scanner.judge_task_tokens"))
		return settle_none(run, one,
				   "prompt_scanner.judge_task_tokens are used up", error);
	if (!ask(&call, one, &whole, &reply, &failure))
		return run_go_without(run, error) &&
		       settle_none(run, one, failure->message, error);
	payload = read_answer(&call, one, whole, &reply);
	if (!run_book_reply(&call, &reply, "judge", payload, error))
		return FALSE;
	run_judge_count(run->judge, payload);
	run_remember(run, "judge", one->key, payload);
	return run_save_cost(run, error);
}

/* A replay reaches nobody: it is told what was said then. */
static const json_t *said_then(SpkRun *run, const char *key)
{
	const json_t *all = json_object_get(run->env.task->options, "judges"), *one;
	size_t i;

	json_array_foreach(all, i, one)
		if (!g_strcmp0(spk_json_str(one, "key"), key))
			return one;
	return NULL;
}

/* NULL without *error: nobody says anything. */
static const json_t *say(SpkRun *run, const Case *one, GError **error)
{
	const json_t *record = run_recorded(run, "judge", one->key);

	if (record || run->judge->rests)
		return record;
	return ask_live(run, one, error) ? run_recorded(run, "judge", one->key) : NULL;
}

gboolean spk_judge_look(SpkRun *run, const SpkJudgeText *text, SpkScanResult *found,
			GError **error)
{
	gboolean offline = spk_json_bool(run->env.task->options, "offline", FALSE);
	gsize len = strlen(text->text);
	SpkJudgeMode mode = spk_judge_mode(run->env.conf);
	g_autofree char *key = NULL;
	g_autoptr(GError) failure = NULL;
	const json_t *record;
	SpkJudgement judgement;

	if (!offline && !spk_judge_wants(mode, found, len, text->untrusted))
		return TRUE;
	key = spk_text_sha256(text->text, len);
	record = offline ? said_then(run, key)
			 : say(run, &(Case){ key, text, found, mode }, &failure);
	if (failure) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	if (offline)
		mode = spk_judge_mode_find(spk_json_str(record, "mode"));
	judgement = judgement_of(record);
	spk_judge_settle(mode, &judgement, text->text, len, found);
	return TRUE;
}
