#include "llm/tooluse_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "llm/able_priv.h"
#include "llm/textcall_priv.h"

#define EXPLAIN_MAX 2

static void add_usage(SpkUsage *sum, const SpkUsage *more)
{
	gint64 *const to[] = { &sum->input, &sum->output, &sum->cached,
			       &sum->cache_write };
	const gint64 from[] = { more->input, more->output, more->cached,
				more->cache_write };

	for (gsize i = 0; i < G_N_ELEMENTS(from); i++)
		if (from[i] > 0)
			*to[i] = MAX(*to[i], 0) + from[i];
}

static void restart(const SpkLlmSink *sink, const char *why)
{
	if (sink && sink->on_restart)
		sink->on_restart(why, sink->user);
}

/* ---- the words of an answer in text ---- */

typedef struct {
	const SpkLlmSink *sink;
	SpkTextSay say;
} Filter;

static void filter_text(const char *piece, gpointer user)
{
	Filter *filter = user;
	g_autofree char *text = spk_textsay_feed(&filter->say, piece);

	if (*text)
		filter->sink->on_text(text, filter->sink->user);
}

static void filter_restart(const char *why, gpointer user)
{
	Filter *filter = user;

	spk_textsay_clear(&filter->say);
	spk_textsay_init(&filter->say);
	restart(filter->sink, why);
}

static gboolean ask(const SpkRetry *retry, const SpkLlmRequest *request,
		    const SpkLlmSink *sink, SpkCancel *cancel, SpkLlmReply *ret_reply,
		    GError **error)
{
	Filter filter = { sink, { 0 } };
	SpkLlmSink filtered = { filter_text, filter_restart, &filter };
	gboolean streams = sink && sink->on_text, ok;

	spk_textsay_init(&filter.say);
	ok = spk_retry_complete(retry, request, streams ? &filtered : sink, cancel,
				ret_reply, error);
	spk_textsay_clear(&filter.say);
	return ok;
}

/* ---- in text ---- */

static void explain(json_t *messages, const SpkLlmReply *reply, const char *why)
{
	g_autofree char *text = g_strdup_printf(
		"That answer is not of the form: %s. Answer again, with one JSON object "
		"{\"say\": …, \"tool\": …, \"arguments\": …} and nothing else.",
		why);

	json_array_append_new(messages, json_pack("{s:s,s:o}", "role", "assistant",
						  "content", spk_json_text(reply->text)));
	json_array_append_new(messages, json_pack("{s:s,s:o}", "role", "user", "content",
						  spk_json_text(text)));
}

static gboolean complete_in_text(const SpkRetry *retry, gboolean held,
				 const SpkLlmRequest *request, const SpkLlmSink *sink,
				 SpkCancel *cancel, SpkLlmReply *ret_reply,
				 GError **error)
{
	SpkLlmRequest text = spk_textcall_request(request, held);
	SpkUsage sum = { -1, -1, -1, -1 };
	gboolean ok = FALSE;

	for (guint tries = 0;; tries++) {
		g_autoptr(GError) why = NULL;
		g_autofree char *told = NULL;

		ok = ask(retry, &text, sink, cancel, ret_reply, error);
		if (!ok)
			break;
		add_usage(&sum, &ret_reply->usage);
		if (spk_textcall_parse(ret_reply, request->tools, request->turn, &why) ||
		    tries == EXPLAIN_MAX)
			break;
		explain(text.messages, ret_reply, why->message);
		told = g_strdup_printf(
			"the answer was not of the form (%s); asking again",
			why->message);
		restart(sink, told);
		spk_llm_reply_clear(ret_reply);
	}
	if (ok)
		ret_reply->usage = sum;
	json_decref(text.messages);
	json_decref(text.schema);
	return ok;
}

/* ---- what the model can do ---- */

/* As servers say it that have a model without tools, or none of the code for them. */
static gboolean refuses_tools(const GError *error)
{
	g_autofree char *said = g_ascii_strdown(error->message, -1);

	return strstr(said, "tool") &&
	       (strstr(said, "not support") || strstr(said, "unsupported") ||
		strstr(said, "requires --jinja") || strstr(said, "no tool"));
}

/* One small question that any model with tools answers by a call. */
static gboolean calls_when_told(const SpkRetry *retry, SpkCancel *cancel, SpkUsage *sum,
				SpkAble *ret_able, GError **error)
{
	g_autoptr(json_t) messages =
		json_pack("[{s:s,s:s},{s:s,s:s}]", "role", "system", "content",
			  "You call tools. Never answer in words.", "role", "user",
			  "content", "Call the tool get_time with the zone UTC.");
	g_autoptr(json_t) tools =
		json_pack("[{s:s,s:{s:s,s:s,s:{s:s,s:{s:{s:s}},s:[s]}}}]", "type",
			  "function", "function", "name", "get_time", "description",
			  "Tells the time in a zone", "parameters", "type", "object",
			  "properties", "zone", "type", "string", "required", "zone");
	SpkLlmRequest request = { .messages = messages,
				  .tools = tools,
				  .purpose = "main" };
	g_auto(SpkLlmReply) reply = { 0 };

	if (!spk_retry_complete(retry, &request, NULL, cancel, &reply, error))
		return FALSE;
	add_usage(sum, &reply.usage);
	*ret_able = json_array_size(reply.tool_calls) ? SPK_ABLE_TOOLS : SPK_ABLE_TEXT;
	return TRUE;
}

/* After an answer without a call, or a refusal: TRUE when text is the way. */
static gboolean needs_text(const SpkRetry *retry, const SpkModelInfo *info,
			   const GError *failure, SpkCancel *cancel, SpkUsage *sum)
{
	g_autoptr(GError) error = NULL;
	SpkAble able = SPK_ABLE_TEXT;

	if (failure && !refuses_tools(failure))
		return FALSE;
	if (!failure && !calls_when_told(retry, cancel, sum, &able, &error)) {
		spk_info("llm", "what %s can do was not found out: %s", info->model,
			 error->message);
		return FALSE;
	}
	spk_able_remember(info->url, info->model, able);
	if (able == SPK_ABLE_TEXT)
		spk_warn("llm",
			 "%s calls no tools by itself: going on with calls in text, and "
			 "remembered (models.json)",
			 info->model);
	return able == SPK_ABLE_TEXT;
}

static gboolean may_ask(const SpkModelInfo *info, const char *how,
			const SpkLlmRequest *request)
{
	return !strcmp(how, "auto") && info->local && *info->url &&
	       json_array_size(request->tools) &&
	       spk_able_recall(info->url, info->model) == SPK_ABLE_UNKNOWN;
}

static gboolean complete_natively(const SpkRetry *retry, const SpkModelInfo *info,
				  const char *how, const SpkLlmRequest *request,
				  const SpkLlmSink *sink, SpkCancel *cancel,
				  SpkLlmReply *ret_reply, gboolean *ret_again,
				  SpkUsage *sum, GError **error)
{
	g_autoptr(GError) failure = NULL;
	gboolean ok =
		spk_retry_complete(retry, request, sink, cancel, ret_reply, &failure);

	if (ok && json_array_size(ret_reply->tool_calls) == 0 &&
	    may_ask(info, how, request)) {
		add_usage(sum, &ret_reply->usage);
		*ret_again = needs_text(retry, info, NULL, cancel, sum);
		if (!*ret_again)
			ret_reply->usage = *sum;
	} else if (!ok && !strcmp(how, "auto") && json_array_size(request->tools)) {
		*ret_again = needs_text(retry, info, failure, cancel, sum);
	}
	if (ok && *ret_again)
		spk_llm_reply_clear(ret_reply);
	if (!ok && !*ret_again)
		g_propagate_error(error, g_steal_pointer(&failure));
	return ok;
}

gboolean spk_tooluse_complete(const SpkRetry *retry, const SpkModelInfo *info,
			      const char *how, const SpkLlmRequest *request,
			      const SpkLlmSink *sink, SpkCancel *cancel,
			      SpkLlmReply *ret_reply, GError **error)
{
	gboolean in_text = !strcmp(how, "text") ||
			   (!strcmp(how, "auto") && info->local && *info->url &&
			    spk_able_recall(info->url, info->model) == SPK_ABLE_TEXT);
	SpkUsage sum = { -1, -1, -1, -1 };
	gboolean again = FALSE, ok;

	/* a play says what the model would; there is nothing to find out */
	in_text &= json_array_size(request->tools) > 0;
	if (!in_text) {
		ok = complete_natively(retry, info, how, request, sink, cancel, ret_reply,
				       &again, &sum, error);
		if (!again)
			return ok;
		restart(sink, "the model calls no tools by itself; asking again in text");
	}
	if (!complete_in_text(retry, info->can & SPK_CAN_SCHEMA, request, sink, cancel,
			      ret_reply, error))
		return FALSE;
	add_usage(&ret_reply->usage, &sum);
	return TRUE;
}
