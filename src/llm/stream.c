#include "llm/stream_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "net/sse.h"

#define MAX_EVENT (4u << 20)
#define MAX_PLAIN SPK_JSON_MAX

struct SpkStream {
	const SpkWire *wire;
	SpkAnswer answer;
	enum { UNKNOWN, EVENTS, LINES, PLAIN } form;
	SpkSse *sse;
	GString *plain; /* the body, when it is one JSON object; or an unfinished line */
	GString *head;	/* its first bytes, for the error when it is neither */
};

static gboolean malformed(const SpkStream *stream, GError **error, const char *why,
			  const char *data, gsize len)
{
	const char *section = stream->answer.source.section;
	gsize head = spk_text_prefix_len(data, len, 200);
	g_autofree char *excerpt = spk_text_clean(data, head, SPK_CLEAN_LINE);
	g_autofree char *hint =
		section ? g_strdup_printf("check that [%s] url is the base of %s",
					  section, stream->wire->what)
			: NULL;

	spk_error_set(error, SPK_ERR_PROVIDER_REPLY, hint, "%s: \"%s\"", why, excerpt);
	return FALSE;
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

static gboolean take_body(SpkStream *stream, const char *data, gsize len, gsize max,
			  GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(json_t) event = parse(data, len, max, &why);

	if (why)
		return malformed(stream, error, why->message, data, len);
	if (!json_is_object(event))
		return malformed(stream, error, "not a JSON object", data, len);
	return stream->wire->take(&stream->answer, event, error);
}

static gboolean on_event(const char *event, const char *data, gsize len, gpointer user,
			 GError **error)
{
	SpkStream *stream = user;

	if (stream->answer.done)
		return TRUE;
	if (len == 6 && memcmp(data, "[DONE]", 6) == 0) {
		stream->answer.done = TRUE;
		return TRUE;
	}
	/* an empty event keeps the connection alive */
	return len == 0 || take_body(stream, data, len, MAX_EVENT, error);
}

static void sniff(SpkStream *stream, const char *data, gsize len)
{
	gsize i = 0;

	while (i < len && g_ascii_isspace(data[i]))
		i++;
	if (i < len)
		stream->form = data[i] == '{' || data[i] == '[' ? PLAIN : EVENTS;
}

SpkStream *spk_stream_new(const SpkWire *wire, const SpkFaultSource *source,
			  const SpkLlmSink *sink, guint turn)
{
	SpkStream *stream = g_new0(SpkStream, 1);

	stream->wire = wire;
	stream->form = wire->lines ? LINES : UNKNOWN;
	spk_answer_init(&stream->answer, sink, turn, source);
	stream->sse = spk_sse_new(MAX_EVENT, on_event, stream);
	stream->plain = g_string_new(NULL);
	stream->head = g_string_new(NULL);
	return stream;
}

void spk_stream_free(SpkStream *stream)
{
	if (!stream)
		return;
	spk_sse_free(stream->sse);
	g_string_free(stream->plain, TRUE);
	g_string_free(stream->head, TRUE);
	spk_answer_clear(&stream->answer);
	g_free(stream);
}

static gboolean take_line(SpkStream *stream, GError **error)
{
	GString *line = stream->plain;
	gboolean ok;

	while (line->len && g_ascii_isspace(line->str[line->len - 1]))
		g_string_truncate(line, line->len - 1);
	ok = stream->answer.done || !line->len ||
	     take_body(stream, line->str, line->len, MAX_EVENT, error);
	g_string_truncate(line, 0);
	return ok;
}

static gboolean feed_lines(SpkStream *stream, const char *data, gsize len, GError **error)
{
	for (const char *end = data + len; data < end;) {
		const char *eol = memchr(data, '\n', end - data);
		gsize piece = (eol ? eol : end) - data;

		if (stream->plain->len + piece > MAX_EVENT) {
			spk_error_set(error, SPK_ERR_LIMIT, NULL,
				      "a line of the answer is longer than %u bytes",
				      MAX_EVENT);
			return FALSE;
		}
		g_string_append_len(stream->plain, data, piece);
		data += piece + (eol != NULL);
		if (eol && !take_line(stream, error))
			return FALSE;
	}
	return TRUE;
}

gboolean spk_stream_feed(SpkStream *stream, const char *data, gsize len, GError **error)
{
	if (stream->form == UNKNOWN)
		sniff(stream, data, len);
	g_string_append_len(stream->head, data, MIN(len, 256 - stream->head->len));
	if (stream->form == LINES)
		return feed_lines(stream, data, len, error);
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

gboolean spk_stream_is_done(const SpkStream *stream)
{
	return stream->answer.done;
}

gboolean spk_stream_is_whole(const SpkStream *stream)
{
	return spk_answer_is_whole(&stream->answer);
}

double spk_stream_retry(const SpkStream *stream)
{
	return stream->answer.retry;
}

/* What the last bytes were, if the server forgot the empty line after them. */
static gboolean take_rest(SpkStream *stream, GError **error)
{
	if (stream->form == LINES)
		return take_line(stream, error);
	if (stream->form == PLAIN) {
		stream->answer.done = TRUE;
		return take_body(stream, stream->plain->str, stream->plain->len,
				 MAX_PLAIN, error);
	}
	return spk_stream_is_whole(stream) || spk_sse_feed(stream->sse, "\n\n", 2, error);
}

static gboolean check_whole(const SpkStream *stream, GError **error)
{
	if (spk_stream_is_whole(stream))
		return TRUE;
	if (stream->answer.began)
		spk_error_set(error, SPK_ERR_PROVIDER, NULL,
			      "broken stream: the answer ends before it is finished");
	else
		malformed(stream, error, "there is no completion in the answer",
			  stream->head->str, stream->head->len);
	return FALSE;
}

gboolean spk_stream_finish(SpkStream *stream, SpkLlmReply *ret_reply, GError **error)
{
	return take_rest(stream, error) && check_whole(stream, error) &&
	       spk_answer_finish(&stream->answer, ret_reply, error);
}
