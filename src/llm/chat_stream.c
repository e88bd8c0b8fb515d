#include "llm/chat_stream_priv.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "llm/chat_calls_priv.h"
#include "llm/chat_error_priv.h"
#include "net/sse.h"

#define MAX_TEXT  (4u << 20)
#define MAX_EVENT (4u << 20)
#define MAX_PLAIN SPK_JSON_MAX

struct SpkChatStream {
	const SpkLlmSink *sink;
	guint turn;
	enum { UNKNOWN, EVENTS, PLAIN } form;
	SpkSse *sse;
	GString *plain; /* the body, when it is one JSON object */
	GString *head;	/* its first bytes, for the error when it is neither */
	GString *text;
	SpkChatCalls *calls;
	char *finish, *model;
	SpkUsage usage;
	gint64 start_us, first_us;
	gboolean saw_choice, done;
	double retry;
};

static gboolean malformed(GError **error, const char *why, const char *data, gsize len)
{
	gsize head = spk_text_prefix_len(data, len, 200);
	g_autofree char *excerpt = spk_text_clean(data, head, SPK_CLEAN_LINE);

	spk_error_set(error, SPK_ERR_PROVIDER_REPLY,
		      "check that [openai] url is the base of a chat completions API",
		      "%s: \"%s\"", why, excerpt);
	return FALSE;
}

static void note_first(SpkChatStream *stream)
{
	if (!stream->first_us)
		stream->first_us = spk_mono_us();
}

static gboolean take_text(SpkChatStream *stream, const char *text, gsize len,
			  GError **error)
{
	if (!len)
		return TRUE;
	if (stream->text->len + len > MAX_TEXT) {
		spk_error_set(error, SPK_ERR_LIMIT, "lower [openai] max_tokens",
			      "the answer is longer than %u bytes of text", MAX_TEXT);
		return FALSE;
	}
	note_first(stream);
	g_string_append_len(stream->text, text, len);
	if (stream->sink && stream->sink->on_text)
		stream->sink->on_text(text, stream->sink->user);
	return TRUE;
}

/* A string, or a list of parts of which those of text count; null and others: nothing. */
static gboolean take_content(SpkChatStream *stream, const json_t *content, GError **error)
{
	const json_t *part;
	gsize i;

	/* Up to a NUL, which no text has. */
	if (json_is_string(content))
		return take_text(stream, json_string_value(content),
				 strlen(json_string_value(content)), error);
	json_array_foreach(content, i, part) {
		const char *text = spk_json_str(part, "text");

		if (text && !take_text(stream, text, strlen(text), error))
			return FALSE;
	}
	return TRUE;
}

static gint64 count_of(const json_t *object, const char *key)
{
	return MAX(spk_json_int(object, key, -1), -1);
}

static void take_usage(SpkChatStream *stream, const json_t *usage)
{
	const json_t *details = json_object_get(usage, "prompt_tokens_details");

	if (!json_is_object(usage))
		return;
	stream->usage.input = count_of(usage, "prompt_tokens");
	stream->usage.output = count_of(usage, "completion_tokens");
	stream->usage.cached = count_of(details, "cached_tokens");
	if (stream->usage.cached < 0) /* DeepSeek */
		stream->usage.cached = count_of(usage, "prompt_cache_hit_tokens");
}

/* A delta of a stream, or the message of a whole answer: they have the same members. */
static gboolean take_delta(SpkChatStream *stream, const json_t *delta, GError **error)
{
	const json_t *calls = json_object_get(delta, "tool_calls");

	if (json_array_size(calls))
		note_first(stream);
	return take_content(stream, json_object_get(delta, "content"), error) &&
	       take_content(stream, json_object_get(delta, "refusal"), error) &&
	       spk_chat_calls_add(stream->calls, calls, error);
}

static gboolean take_choice(SpkChatStream *stream, const json_t *choice, GError **error)
{
	const json_t *delta = json_object_get(choice, "delta");
	const char *finish = spk_json_str(choice, "finish_reason");

	if (!json_is_object(choice) || spk_json_int(choice, "index", 0) != 0)
		return TRUE; /* only one was asked for */
	stream->saw_choice = TRUE;
	if (!json_is_object(delta))
		delta = json_object_get(choice, "message");
	if (!take_delta(stream, delta, error))
		return FALSE;
	if (finish && *finish) {
		g_free(stream->finish);
		stream->finish = g_strndup(finish, 64);
	}
	return TRUE;
}

static gboolean take_chunk(SpkChatStream *stream, const json_t *chunk, GError **error)
{
	const json_t *fault = json_object_get(chunk, "error"), *choice;
	const char *model = spk_json_str(chunk, "model");
	gsize i;

	if (json_is_object(fault) || json_is_string(fault) ||
	    g_strcmp0(spk_json_str(chunk, "object"), "error") == 0) {
		g_auto(SpkChatFault) parsed = { 0 };

		spk_chat_fault_parse_json(&parsed, 0, chunk);
		spk_chat_fault_to_error(&parsed, &stream->retry, error);
		return FALSE;
	}
	if (model && *model && !stream->model)
		stream->model = g_strndup(model, 256);
	take_usage(stream, json_object_get(chunk, "usage"));
	json_array_foreach(json_object_get(chunk, "choices"), i, choice)
		if (!take_choice(stream, choice, error))
			return FALSE;
	return TRUE;
}

/* Bytes that aren't UTF-8 are replaced rather than refused: a token may end inside a
 * character. */
static json_t *parse(const char *data, gsize len, gsize max, GError **error)
{
	g_autofree char *valid = NULL;

	if (g_utf8_validate_len(data, len, NULL))
		return spk_json_parse(data, len, max, error);
	valid = g_utf8_make_valid(data, len);
	return spk_json_parse(valid, strlen(valid), 3 * max, error);
}

static gboolean take_body(SpkChatStream *stream, const char *data, gsize len, gsize max,
			  GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(json_t) chunk = parse(data, len, max, &why);

	if (why)
		return malformed(error, why->message, data, len);
	if (!json_is_object(chunk))
		return malformed(error, "not a JSON object", data, len);
	return take_chunk(stream, chunk, error);
}

static gboolean on_event(const char *event, const char *data, gsize len, gpointer user,
			 GError **error)
{
	SpkChatStream *stream = user;

	if (stream->done)
		return TRUE;
	if (len == 6 && memcmp(data, "[DONE]", 6) == 0) {
		stream->done = TRUE;
		return TRUE;
	}
	/* an empty event keeps the connection alive */
	return len == 0 || take_body(stream, data, len, MAX_EVENT, error);
}

static void sniff(SpkChatStream *stream, const char *data, gsize len)
{
	gsize i = 0;

	while (i < len && g_ascii_isspace(data[i]))
		i++;
	if (i < len)
		stream->form = data[i] == '{' || data[i] == '[' ? PLAIN : EVENTS;
}

SpkChatStream *spk_chat_stream_new(const SpkLlmSink *sink, guint turn)
{
	SpkChatStream *stream = g_new0(SpkChatStream, 1);

	stream->sink = sink;
	stream->turn = turn;
	stream->sse = spk_sse_new(MAX_EVENT, on_event, stream);
	stream->plain = g_string_new(NULL);
	stream->head = g_string_new(NULL);
	stream->text = g_string_new(NULL);
	stream->calls = spk_chat_calls_new();
	stream->usage = (SpkUsage){ -1, -1, -1 };
	stream->start_us = spk_mono_us();
	stream->retry = SPK_RETRY_DEFAULT;
	return stream;
}

void spk_chat_stream_free(SpkChatStream *stream)
{
	if (!stream)
		return;
	spk_sse_free(stream->sse);
	g_string_free(stream->plain, TRUE);
	g_string_free(stream->head, TRUE);
	if (stream->text)
		g_string_free(stream->text, TRUE);
	spk_chat_calls_free(stream->calls);
	g_free(stream->finish);
	g_free(stream->model);
	g_free(stream);
}

gboolean spk_chat_stream_feed(SpkChatStream *stream, const char *data, gsize len,
			      GError **error)
{
	if (stream->form == UNKNOWN)
		sniff(stream, data, len);
	g_string_append_len(stream->head, data, MIN(len, 256 - stream->head->len));
	if (stream->form != PLAIN)
		return spk_sse_feed(stream->sse, data, len, error);
	if (stream->plain->len + len > MAX_PLAIN) {
		spk_error_set(error, SPK_ERR_LIMIT, NULL,
			      "the answer is longer than %u bytes", MAX_PLAIN);
		return FALSE;
	}
	g_string_append_len(stream->plain, data, len);
	return TRUE;
}

gboolean spk_chat_stream_is_done(const SpkChatStream *stream)
{
	return stream->done;
}

gboolean spk_chat_stream_is_whole(const SpkChatStream *stream)
{
	return stream->saw_choice && (stream->done || stream->finish);
}

double spk_chat_stream_retry(const SpkChatStream *stream)
{
	return stream->retry;
}

/* What the last bytes were, if the server forgot the empty line after them. */
static gboolean take_rest(SpkChatStream *stream, GError **error)
{
	if (stream->form == PLAIN) {
		stream->done = TRUE;
		return take_body(stream, stream->plain->str, stream->plain->len,
				 MAX_PLAIN, error);
	}
	return spk_chat_stream_is_whole(stream) ||
	       spk_sse_feed(stream->sse, "\n\n", 2, error);
}

static gboolean check_whole(const SpkChatStream *stream, GError **error)
{
	if (spk_chat_stream_is_whole(stream))
		return TRUE;
	if (stream->saw_choice)
		spk_error_set(error, SPK_ERR_PROVIDER, NULL,
			      "broken stream: the answer ends before it is finished");
	else
		malformed(error, "there is no completion in the answer",
			  stream->head->str, stream->head->len);
	return FALSE;
}

/* Servers differ in what they call the end of an answer with tool calls. */
static char *finish_word(const SpkChatStream *stream)
{
	gboolean calls = spk_chat_calls_count(stream->calls) > 0;

	if (!stream->finish || strcmp(stream->finish, "stop") == 0 ||
	    strcmp(stream->finish, "function_call") == 0)
		return g_strdup(calls ? "tool_calls" : "stop");
	return g_strdup(stream->finish);
}

gboolean spk_chat_stream_finish(SpkChatStream *stream, SpkLlmReply *ret_reply,
				GError **error)
{
	json_t *calls;

	if (!take_rest(stream, error) || !check_whole(stream, error))
		return FALSE;
	calls = spk_chat_calls_to_json(stream->calls, stream->turn, error);
	if (!calls)
		return FALSE;
	*ret_reply = (SpkLlmReply){ .tool_calls = calls, .usage = stream->usage };
	ret_reply->finish = finish_word(stream);
	ret_reply->text = g_string_free(g_steal_pointer(&stream->text), FALSE);
	ret_reply->model = g_steal_pointer(&stream->model);
	ret_reply->first_token_seconds =
		stream->first_us ? (stream->first_us - stream->start_us) / 1e6 : 0;
	return TRUE;
}
