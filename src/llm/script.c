/*
 * Provider `script`: answers out of a play. Which answer it is depends on the turn alone, so
 * that a task that was killed goes on where it stood.
 */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "llm/fault.h"
#include "llm/llm_all_priv.h"
#include "llm/play.h"

typedef struct {
	char *path;
	SpkPlay *play;
	SpkModelInfo info;
} Script;

static void script_close(gpointer data)
{
	Script *self = data;

	g_free(self->path);
	spk_play_free(self->play);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Script, script_close)

static gboolean script_describe(const SpkProvider *row, SpkConf *conf,
				SpkProviderState *ret_state, GError **error)
{
	*ret_state = (SpkProviderState){
		.configured = *spk_conf_str(conf, "script.play") != '\0', .local = TRUE
	};
	return TRUE;
}

static gpointer script_open(const SpkProvider *row, SpkConf *conf, const char *model,
			    GError **error)
{
	g_autoptr(Script) self = g_new0(Script, 1);

	self->path = g_strdup(model ? model : spk_conf_str(conf, "script.play"));
	if (!*self->path) {
		spk_error_set(error, SPK_ERR_CONFIG,
			      "name one: --model script:FILE, or [script] play = FILE",
			      "the scripted model has no play");
		return NULL;
	}
	self->info =
		(SpkModelInfo){ .model = self->path,
				.url = "",
				.local = TRUE,
				.can = SPK_CAN_TOOLS,
				.context_window =
					spk_conf_int(conf, "openai.context_window"),
				.window_from = "configuration",
				.max_output = spk_conf_int(conf, "openai.max_tokens") };
	self->play = spk_play_load(self->path, error);
	return self->play ? g_steal_pointer(&self) : NULL;
}

static void tell(const SpkLlmSink *sink, const char *piece)
{
	if (sink && sink->on_text && *piece)
		sink->on_text(piece, sink->user);
}

/* Streams the text and returns the whole of it. */
static char *stream_text(const json_t *say, const SpkLlmSink *sink)
{
	const json_t *chunks = json_object_get(say, "chunks"), *chunk;
	const char *text = spk_json_str(say, "text");
	GString *whole = g_string_new(NULL);
	gsize i;

	json_array_foreach(chunks, i, chunk) {
		g_string_append(whole, json_string_value(chunk));
		tell(sink, json_string_value(chunk));
	}
	if (text && !chunks) {
		g_string_append(whole, text);
		tell(sink, text);
	}
	return g_string_free(whole, FALSE);
}

static json_t *make_calls(const json_t *say, guint turn)
{
	json_t *calls = json_array();
	const json_t *said;
	gsize i;

	json_array_foreach(json_object_get(say, "tool_calls"), i, said) {
		const json_t *arguments = json_object_get(said, "arguments");
		g_autofree char *dumped =
			json_is_object(arguments) ? spk_json_dump(arguments) : NULL;
		json_t *call = json_object();

		spk_json_set(call, "id",
			     spk_json_str(said, "id")
				     ? spk_json_text(spk_json_str(said, "id"))
				     : json_sprintf("call_%u_%zu", turn, i));
		spk_json_set(call, "name", spk_json_text(spk_json_str(said, "name")));
		spk_json_set(call, "arguments",
			     dumped			 ? spk_json_text(dumped)
			     : json_is_string(arguments) ? json_copy((json_t *)arguments)
							 : json_string("{}"));
		json_array_append_new(calls, call);
	}
	return calls;
}

static void fill_usage(const json_t *say, const SpkLlmRequest *request,
		       SpkLlmReply *reply)
{
	const json_t *usage = json_object_get(say, "usage");

	reply->usage.input =
		spk_json_int(usage, "input",
			     spk_llm_estimate_tokens(request->messages) +
				     spk_llm_estimate_tokens(request->tools));
	reply->usage.output =
		spk_json_int(usage, "output",
			     (gint64)(strlen(reply->text) + 3) / 4 +
				     spk_llm_estimate_tokens(reply->tool_calls));
	reply->usage.cached = spk_json_int(usage, "cached", 0);
	reply->usage.cache_write = spk_json_int(usage, "cache_write", 0);
}

/* Whether the error of this say is for this attempt. */
static const json_t *error_now(const json_t *say, guint attempt)
{
	const json_t *said = json_object_get(say, "error");

	return said && attempt < spk_json_int(said, "times", G_MAXINT64) ? said : NULL;
}

static gboolean fail_as_said(const json_t *say, const json_t *said,
			     const SpkLlmSink *sink, double *ret_retry_after_s,
			     GError **error)
{
	const char *kind = json_is_string(said) ? json_string_value(said)
						: spk_json_str(said, "kind");
	const char *message = spk_json_str(said, "message");
	SpkFault fault = { .status = spk_json_int(said, "status", 0) };

	if (kind) {
		g_free(stream_text(say, sink));
		if (strcmp(kind, "reset") == 0)
			spk_error_set(error, SPK_ERR_PROVIDER, NULL,
				      "broken stream: reset, as the play says");
		else
			spk_error_set(error, SPK_ERR_PROVIDER_REPLY, NULL,
				      "not JSON, as the play says");
		return FALSE;
	}
	fault.message = (char *)(message ? message : "as the play says");
	fault.code = (char *)spk_json_str(said, "code");
	*ret_retry_after_s = spk_json_real(said, "retry_after", SPK_RETRY_DEFAULT);
	spk_fault_to_error(&fault, &(SpkFaultSource){ NULL }, ret_retry_after_s, error);
	return FALSE;
}

static gboolean script_complete(gpointer data, const SpkLlmRequest *request,
				const SpkLlmSink *sink, SpkCancel *cancel,
				SpkLlmReply *ret_reply, double *ret_retry_after_s,
				GError **error)
{
	Script *self = data;
	const json_t *say = spk_play_say(self->play, request->turn), *said;
	const char *finish;

	if (!say) {
		spk_error_set(
			error, SPK_ERR_REPLAY_DIFFERS, NULL,
			"%s: the play ends after %u answers, and one more is asked for",
			self->path, spk_play_turns(self->play));
		return FALSE;
	}
	if (!spk_play_check(self->play, request->turn, request, error))
		return FALSE;
	spk_sleep_ms(spk_json_int(say, "delay_ms", 0), cancel);
	if (!spk_cancel_check(cancel, error))
		return FALSE;
	said = error_now(say, request->attempt);
	if (said)
		return fail_as_said(say, said, sink, ret_retry_after_s, error);
	*ret_reply = (SpkLlmReply){ .text = stream_text(say, sink),
				    .tool_calls = make_calls(say, request->turn) };
	finish = spk_json_str(say, "finish");
	if (!finish)
		finish = json_array_size(ret_reply->tool_calls) ? "tool_calls" : "stop";
	ret_reply->finish = g_strdup(finish);
	ret_reply->model = g_strdup("script");
	fill_usage(say, request, ret_reply);
	return TRUE;
}

static const SpkModelInfo *script_info(gpointer data)
{
	return &((Script *)data)->info;
}

const SpkProviderImpl spk_script_impl = {
	.describe = script_describe,
	.open = script_open,
	.complete = script_complete,
	.info = script_info,
	.close = script_close,
};
