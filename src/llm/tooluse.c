#include "llm/tooluse_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "llm/able_priv.h"
#include "llm/textcall_priv.h"

#define EXPLAIN_MAX 2

/* A server that says nothing of usage is counted by the bytes that went and came. */
static void spend(SpkToolUse *use, const SpkLlmRequest *request, const SpkLlmReply *reply)
{
	const SpkUsage *usage = &reply->usage;
	gboolean first = !use->spent.input && !use->spent.output;

	use->spent.input += usage->input >= 0
				    ? usage->input
				    : spk_llm_estimate_tokens(request->messages);
	use->spent.output += usage->output >= 0 ? usage->output
						: (gint64)(strlen(reply->text) + 3) / 4;
	use->spent.cached += MAX(0, usage->cached);
	use->spent.cache_write += MAX(0, usage->cache_write);
	use->spent.is_charged = usage->is_charged && (first || use->spent.is_charged);
	use->spent.charged += usage->charged;
}

/* The last answer carries what the ones before it took. */
static void carry(SpkToolUse *use, const SpkLlmRequest *request, SpkLlmReply *reply)
{
	if (!use->spent.input && !use->spent.output)
		return;
	spend(use, request, reply);
	reply->usage = use->spent;
}

static gboolean admit(SpkToolUse *use, const SpkLlmRequest *request, GError **error)
{
	const SpkLlmGate *gate = request->gate;

	use->refused = gate && !gate->admit(&use->who, &use->spent, gate->user, error);
	use->asked |= !use->refused;
	return !use->refused;
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

static gboolean complete_in_text(SpkToolUse *use, const SpkLlmRequest *request,
				 const SpkLlmSink *sink, SpkCancel *cancel,
				 SpkLlmReply *ret_reply, GError **error)
{
	SpkLlmRequest text =
		spk_textcall_request(request, use->info->can & SPK_CAN_SCHEMA);
	g_autoptr(json_t) explained = json_array();
	gboolean ok = FALSE;

	for (guint tries = 0;; tries++) {
		g_autoptr(GError) why = NULL;
		g_autofree char *told = NULL;

		ok = admit(use, request, error) &&
		     ask(&use->retry, &text, sink, cancel, ret_reply, error);
		if (!ok ||
		    spk_textcall_parse(ret_reply, request->tools, request->turn, &why) ||
		    tries == EXPLAIN_MAX)
			break;
		spend(use, &text, ret_reply);
		explain(text.messages, ret_reply, why->message);
		json_array_append_new(explained, spk_json_text(why->message));
		told = g_strdup_printf(
			"the answer was not of the form (%s); asking again",
			why->message);
		restart(sink, told);
		spk_llm_reply_clear(ret_reply);
	}
	if (ok)
		carry(use, &text, ret_reply);
	if (ok && json_array_size(explained))
		ret_reply->explained = json_incref(explained);
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
static gboolean calls_when_told(SpkToolUse *use, const SpkLlmGate *gate,
				SpkCancel *cancel, SpkAble *ret_able, GError **error)
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
				  .purpose = "probe" };
	g_auto(SpkLlmReply) reply = { 0 };

	if (!spk_retry_complete(&use->retry, &request, NULL, cancel, &reply, error))
		return FALSE;
	if (gate && gate->probed) {
		SpkToolUse own = { 0 };

		spend(&own, &request, &reply);
		gate->probed(&use->who, &own.spent, gate->user);
	} else {
		spend(use, &request, &reply);
	}
	*ret_able = json_array_size(reply.tool_calls) ? SPK_ABLE_TOOLS : SPK_ABLE_TEXT;
	return TRUE;
}

/* After an answer without a call, or a refusal: TRUE when text is the way. */
static gboolean needs_text(SpkToolUse *use, const SpkLlmGate *gate, const GError *failure,
			   SpkCancel *cancel)
{
	const SpkModelInfo *info = use->info;
	g_autoptr(GError) error = NULL;
	SpkAble able = SPK_ABLE_TEXT;

	if (failure && !refuses_tools(failure))
		return FALSE;
	if (!failure && !calls_when_told(use, gate, cancel, &able, &error)) {
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

const char *spk_tooluse_told(const SpkModelInfo *info, const char *how)
{
	if (!strcmp(how, "text"))
		return "in text";
	if (strcmp(how, "auto") != 0 || !info->local || !*info->url)
		return "by itself";
	switch (spk_able_recall(info->url, info->model)) {
	case SPK_ABLE_TEXT:
		return "in text";
	case SPK_ABLE_TOOLS:
		return "by itself";
	case SPK_ABLE_UNKNOWN:
		break;
	}
	return "not known yet";
}

static gboolean is_auto(const SpkToolUse *use)
{
	return !strcmp(use->how, "auto");
}

/* Something is remembered only of what is here. */
static gboolean is_remembered(const SpkToolUse *use, SpkAble able)
{
	const SpkModelInfo *info = use->info;

	return is_auto(use) && info->local && *info->url &&
	       spk_able_recall(info->url, info->model) == able;
}

/* *ret_again: to be asked again in text; there is no reply then, and no error. */
static gboolean complete_natively(SpkToolUse *use, const SpkLlmRequest *request,
				  const SpkLlmSink *sink, SpkCancel *cancel,
				  SpkLlmReply *ret_reply, gboolean *ret_again,
				  GError **error)
{
	gboolean tools = json_array_size(request->tools) > 0;
	g_autoptr(GError) failure = NULL;

	if (!admit(use, request, error))
		return FALSE;
	if (!spk_retry_complete(&use->retry, request, sink, cancel, ret_reply,
				&failure)) {
		*ret_again = is_auto(use) && tools &&
			     needs_text(use, request->gate, failure, cancel);
		if (!*ret_again)
			g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	if (!tools || json_array_size(ret_reply->tool_calls) ||
	    !is_remembered(use, SPK_ABLE_UNKNOWN))
		return TRUE;
	/* the question's tokens are taken, too, whatever comes of it */
	*ret_again = needs_text(use, request->gate, NULL, cancel);
	if (!*ret_again) {
		carry(use, request, ret_reply);
		return TRUE;
	}
	spend(use, request, ret_reply);
	spk_llm_reply_clear(ret_reply);
	return FALSE;
}

gboolean spk_tooluse_complete(SpkToolUse *use, const SpkLlmRequest *request,
			      const SpkLlmSink *sink, SpkCancel *cancel,
			      SpkLlmReply *ret_reply, GError **error)
{
	gboolean again = FALSE, ok;

	/* a play says what the model would; there is nothing to find out */
	if (json_array_size(request->tools) > 0 &&
	    (!strcmp(use->how, "text") || is_remembered(use, SPK_ABLE_TEXT)))
		return complete_in_text(use, request, sink, cancel, ret_reply, error);
	ok = complete_natively(use, request, sink, cancel, ret_reply, &again, error);
	if (!again)
		return ok;
	restart(sink, "the model calls no tools by itself; asking again in text");
	return complete_in_text(use, request, sink, cancel, ret_reply, error);
}
