#include "llm/answer_priv.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"

enum { MAX_TEXT = 4 << 20, MAX_FINISH = 64, MAX_MODEL = 256 };

void spk_answer_init(SpkAnswer *answer, const SpkLlmSink *sink, guint turn,
		     const SpkFaultSource *source)
{
	*answer = (SpkAnswer){
		.sink = sink,
		.source = *source,
		.turn = turn,
		.text = g_string_new(NULL),
		.calls = spk_calls_new(),
		.usage = { .input = -1, .output = -1, .cached = -1, .cache_write = -1 },
		.start_us = spk_mono_us(),
		.retry = SPK_RETRY_DEFAULT
	};
}

void spk_answer_clear(SpkAnswer *answer)
{
	if (answer->text)
		g_string_free(answer->text, TRUE);
	spk_calls_free(answer->calls);
	g_free(answer->finish);
	g_free(answer->model);
}

void spk_answer_note_first(SpkAnswer *answer)
{
	if (!answer->first_us)
		answer->first_us = spk_mono_us();
}

gboolean spk_answer_add_text(SpkAnswer *answer, const char *piece, GError **error)
{
	gsize len = piece ? strlen(piece) : 0;

	if (!len)
		return TRUE;
	if (answer->text->len + len > MAX_TEXT) {
		g_autofree char *hint = answer->source.section
						? g_strdup_printf("lower [%s] max_tokens",
								  answer->source.section)
						: NULL;

		spk_error_set(error, SPK_ERR_LIMIT, hint,
			      "the answer is longer than %d bytes of text", MAX_TEXT);
		return FALSE;
	}
	spk_answer_note_first(answer);
	g_string_append_len(answer->text, piece, len);
	if (answer->sink && answer->sink->on_text)
		answer->sink->on_text(piece, answer->sink->user);
	return TRUE;
}

void spk_answer_set_finish(SpkAnswer *answer, const char *finish)
{
	if (!finish || !*finish)
		return;
	g_free(answer->finish);
	answer->finish = g_strndup(finish, MAX_FINISH);
}

void spk_answer_set_model(SpkAnswer *answer, const char *model)
{
	if (model && *model && !answer->model)
		answer->model = g_strndup(model, MAX_MODEL);
}

gboolean spk_answer_is_whole(const SpkAnswer *answer)
{
	return answer->began && (answer->done || answer->finish);
}

gboolean spk_answer_fail(SpkAnswer *answer, const json_t *body, GError **error)
{
	g_auto(SpkFault) fault = { 0 };

	spk_fault_parse_json(&fault, 0, body);
	spk_fault_to_error(&fault, &answer->source, &answer->retry, error);
	return FALSE;
}

gint64 spk_answer_count(const json_t *object, const char *key)
{
	return MAX(spk_json_int(object, key, -1), -1);
}

/* Servers differ in what they call the end of an answer with tool calls. */
static char *finish_word(const SpkAnswer *answer)
{
	gboolean calls = spk_calls_count(answer->calls) > 0;

	if (!answer->finish || strcmp(answer->finish, "stop") == 0 ||
	    strcmp(answer->finish, "function_call") == 0)
		return g_strdup(calls ? "tool_calls" : "stop");
	return g_strdup(answer->finish);
}

gboolean spk_answer_finish(SpkAnswer *answer, SpkLlmReply *ret_reply, GError **error)
{
	json_t *calls = spk_calls_to_json(answer->calls, answer->turn, error);

	if (!calls)
		return FALSE;
	*ret_reply = (SpkLlmReply){ .tool_calls = calls, .usage = answer->usage };
	ret_reply->finish = finish_word(answer);
	ret_reply->text = g_string_free(g_steal_pointer(&answer->text), FALSE);
	ret_reply->model = g_steal_pointer(&answer->model);
	ret_reply->first_token_seconds =
		answer->first_us ? (answer->first_us - answer->start_us) / 1e6 : 0;
	return TRUE;
}
