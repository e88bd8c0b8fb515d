/*
 * The body of a model's answer over one wire, in pieces: what comes out is whole or an error
 * with words. The first byte is the size of the pieces. Each target defines FUZZ_WIRE and
 * includes this.
 */
#ifndef FUZZ_STREAM_H
#define FUZZ_STREAM_H

#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "llm/stream_priv.h"

static const SpkFaultSource source = { "openai", "OPENAI_API_KEY" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note_piece(const char *piece, gpointer user)
{
	g_assert(*piece);
	g_string_append(user, piece);
}

static void check_reply(const SpkLlmReply *reply, const GString *streamed)
{
	const json_t *call;
	gsize i;

	g_assert(strcmp(reply->text, streamed->str) == 0);
	g_assert(reply->finish && *reply->finish);
	g_assert(json_is_array(reply->tool_calls));
	json_array_foreach(reply->tool_calls, i, call) {
		g_assert(spk_json_str(call, "id"));
		g_assert(*spk_json_str(call, "name"));
		g_assert(spk_json_str(call, "arguments"));
	}
	g_assert(reply->usage.input >= -1 && reply->usage.output >= -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GString) streamed = g_string_new(NULL);
	SpkLlmSink sink = { .on_text = note_piece, .user = streamed };
	g_autoptr(SpkStream) stream = spk_stream_new(&FUZZ_WIRE, &source, &sink, 0);
	g_auto(SpkLlmReply) reply = { 0 };
	g_autoptr(GError) error = NULL;
	const char *body = (const char *)data + 1;
	gsize step = size ? MAX(data[0], 1) : 1;

	for (gsize at = 0; at + 1 < size; at += step)
		if (!spk_stream_feed(stream, body + at, MIN(step, size - 1 - at), &error))
			break;
	if (!error && spk_stream_finish(stream, &reply, &error))
		check_reply(&reply, streamed);
	else
		g_assert(error && error->domain == SPK_ERROR && *error->message);
	return 0;
}

#endif
