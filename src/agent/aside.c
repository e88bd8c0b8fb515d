/*
 * A question besides the work: to another model, about what is data to it, with an answer that is
 * bounded and held to a form. Its failure never is the task's.
 */
#include <string.h>

#include "agent/booking_priv.h"
#include "agent/run_priv.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define ANSWER_MAX (64u << 10)

static gboolean admit(const SpkLlmWho *who, const SpkUsage *spent, gpointer user,
		      GError **error)
{
	return run_reserve(user, who, spent, error);
}

static void note_failed(const SpkLlmWho *who, const SpkUsage *spent, const GError *why,
			gpointer user)
{
	run_book_failure(user, who, spent, why);
}

gboolean run_ask_aside(const RunAside *aside, SpkLlmReply *ret_reply, GError **error)
{
	SpkRun *run = aside->call->run;
	g_autoptr(json_t)
		messages = json_pack("[{s:s,s:o},{s:s,s:o}]", "role", "system", "content",
				     spk_json_text(aside->system), "role", "user",
				     "content", spk_json_text(aside->user));
	g_autoptr(SpkCancel) patience = spk_cancel_new(run->env.cancel);
	SpkLlmGate gate = { admit, note_failed, NULL, aside->call };
	SpkLlmRequest request = { .messages = messages,
				  .turn = aside->call->number,
				  .purpose = aside->call->purpose,
				  .schema = aside->schema,
				  .max_output = aside->max_output,
				  .gate = &gate };

	aside->call->input = spk_llm_estimate_tokens(messages) +
			     spk_llm_estimate_tokens(aside->schema);
	spk_cancel_set_deadline(patience, aside->patience_ms);
	if (!spk_llm_complete(aside->llm, &request, NULL, patience, ret_reply, error))
		return FALSE;
	ret_reply->who.provider = g_intern_string(ret_reply->who.provider);
	ret_reply->who.model = g_intern_string(ret_reply->who.model);
	return TRUE;
}

gboolean run_go_without(SpkRun *run, GError **error)
{
	run->at_budget = FALSE;
	return run_go(run, error);
}

json_t *run_answer_object(const char *text, GError **error)
{
	g_autofree char *copy = g_strstrip(g_strdup(text));
	const char *start = copy;
	gsize len = strlen(copy);
	json_t *answer;

	if (g_str_has_prefix(start, "```") && len >= 6 &&
	    g_str_has_suffix(start, "```")) {
		gsize head = strcspn(start, "\n");

		start += head;
		len -= MIN(head + 3, len);
	}
	answer = spk_json_parse(start, len, ANSWER_MAX, error);
	if (!answer || json_is_object(answer))
		return answer;
	json_decref(answer);
	spk_error_set(error, SPK_ERR_BAD_INPUT, NULL, "the answer is no JSON object");
	return NULL;
}

json_t *run_clean_line(const char *text, gsize max)
{
	g_autofree char *line = text ? spk_text_clean(text, -1, SPK_CLEAN_LINE) : NULL;
	g_autofree char *cut = line ? spk_text_clip(line, max) : NULL;

	return spk_json_text(cut);
}
