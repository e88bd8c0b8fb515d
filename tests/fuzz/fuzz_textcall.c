/* The text protocol of tools: an answer is a call, words, or refused with a reason; and what is
 * shown of its words is the same however they come in pieces. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "llm/textcall_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *said(const char *text, gsize len, gsize step)
{
	GString *out = g_string_new(NULL);
	SpkTextSay say;

	spk_textsay_init(&say);
	for (gsize at = 0; at < len; at += step) {
		g_autofree char *piece = g_strndup(text + at, MIN(step, len - at));
		g_autofree char *more = spk_textsay_feed(&say, piece);

		g_string_append(out, more);
	}
	spk_textsay_clear(&say);
	return g_string_free(out, FALSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(json_t)
		tools = json_pack("[{s:s,s:{s:s,s:s,s:{s:s}}}]", "type", "function",
				  "function", "name", "shell", "description", "",
				  "parameters", "type", "object");
	g_autofree char *raw = g_strndup((const char *)data, size);
	g_autofree char *text = g_utf8_make_valid(raw, -1);
	g_auto(SpkLlmReply) reply = { .text = g_strdup(text),
				      .tool_calls = json_array(),
				      .finish = g_strdup("stop") };
	g_autofree char *whole = said(text, strlen(text), MAX(strlen(text), 1));
	g_autofree char *bytes = said(text, strlen(text), 1);
	g_autoptr(GError) error = NULL;

	if (spk_textcall_parse(&reply, tools, 0, &error)) {
		g_assert(json_array_size(reply.tool_calls) <= 1 && reply.text);
	} else {
		g_assert(error && g_utf8_validate(error->message, -1, NULL));
		g_assert_cmpstr(reply.text, ==, text);
	}
	g_assert_cmpstr(whole, ==, bytes);
	return 0;
}
