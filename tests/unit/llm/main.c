#include "test_llm.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "llm/stream_priv.h"

SpkConf *conf_of(const char *first, ...)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	SpkConfSource source = { 0 };
	va_list args;

	/* what a server can do is not asked where each request is counted */
	g_ptr_array_add(words, (gpointer) "llm.tools=native");
	va_start(args, first);
	for (const char *word = first; word; word = va_arg(args, const char *))
		g_ptr_array_add(words, (gpointer)word);
	va_end(args);
	g_ptr_array_add(words, NULL);
	source.overrides = (const char *const *)words->pdata;
	return spk_conf_load(&source, NULL);
}

SpkLlmRequest request_of(guint turns)
{
	json_t *messages = json_pack("[{s:s,s:s},{s:s,s:s}]", "role", "system", "content",
				     "You are a test.", "role", "user", "content",
				     "Fix the bug.");
	json_t *tools = json_pack("[{s:s,s:{s:s,s:s,s:{s:s,s:{s:{s:s}}}}}]", "type",
				  "function", "function", "name", "shell", "description",
				  "runs a command", "parameters", "type", "object",
				  "properties", "command", "type", "string");

	for (guint i = 0; i < turns; i++) {
		g_autofree char *id = g_strdup_printf("call_%u_0", i);
		g_autofree char *result = g_strdup_printf("result %u", i);

		json_array_append_new(
			messages, json_pack("{s:s,s:n,s:[{s:s,s:s,s:{s:s,s:s}}]}", "role",
					    "assistant", "content", "tool_calls", "id",
					    id, "type", "function", "function", "name",
					    "shell", "arguments", "{}"));
		json_array_append_new(messages,
				      json_pack("{s:s,s:s,s:s}", "role", "tool",
						"tool_call_id", id, "content", result));
	}
	return (SpkLlmRequest){ .messages = messages, .tools = tools, .turn = turns };
}

void request_clear(SpkLlmRequest *request)
{
	g_clear_pointer(&request->messages, json_decref);
	g_clear_pointer(&request->tools, json_decref);
}

void note_piece(const char *piece, gpointer seen)
{
	g_string_append_printf(seen, "%s|", piece);
}

void note_restart(const char *why, gpointer seen)
{
	g_string_append_printf(seen, "<%s>", why);
}

static GArray *slept;
static SpkClock fast;

static void sleep_fast(gint64 us, int wake_fd)
{
	gint64 ms = us / 1000;

	g_array_append_val(slept, ms);
}

void use_fast_clock(GArray *slept_ms)
{
	slept = slept_ms;
	fast = *spk_clock_system();
	fast.sleep_us = sleep_fast;
	spk_clock_use(&fast);
}

void use_real_clock(void)
{
	spk_clock_use(NULL);
}

static char *describe(const SpkLlmReply *reply)
{
	GString *line = g_string_new(reply->text);
	const json_t *call;
	gsize i;

	g_string_append(line, " /");
	json_array_foreach(reply->tool_calls, i, call)
		g_string_append_printf(line, " %s:%s(%s)", spk_json_str(call, "id"),
				       spk_json_str(call, "name"),
				       spk_json_str(call, "arguments"));
	g_string_append_printf(line, " / %s / %d,%d,%d", reply->finish,
			       (int)reply->usage.input, (int)reply->usage.output,
			       (int)reply->usage.cached);
	if (reply->usage.cache_write >= 0)
		g_string_append_printf(line, ",%d", (int)reply->usage.cache_write);
	if (reply->usage.is_charged)
		g_string_append_printf(line, " $%" G_GINT64_FORMAT, reply->usage.charged);
	return g_string_free(line, FALSE);
}

char *stream_reply(const SpkWire *wire, const char *body, gsize step)
{
	g_autoptr(GString) pieces = g_string_new(NULL);
	SpkLlmSink sink = { .on_text = note_piece, .user = pieces };
	SpkFaultSource source = { "openai", "OPENAI_API_KEY", NULL };
	g_autoptr(SpkStream) stream = spk_stream_new(wire, &source, &sink, 3);
	g_auto(SpkLlmReply) reply = { 0 };
	g_autoptr(GError) error = NULL;
	gsize len = strlen(body);
	gboolean ok = TRUE;

	for (gsize at = 0; ok && at < len; at += step)
		ok = spk_stream_feed(stream, body + at, MIN(step, len - at), &error);
	if (ok && spk_stream_finish(stream, &reply, &error))
		return describe(&reply);
	return g_strdup_printf("%s: %s", spk_err_info(spk_error_code(error))->name,
			       error->message);
}

int main(void)
{
	static const char *const keys[] = { "OPENAI_API_KEY", "ANTHROPIC_API_KEY",
					    "OPENROUTER_API_KEY", "OPENCODE_API_KEY",
					    NULL };
	g_autofree char *home = g_dir_make_tmp("sparks-llm-XXXXXX", NULL);
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct CMUnitTest));
	int failed;

	signal(SIGPIPE, SIG_IGN);
	for (const char *const *key = keys; *key; key++)
		g_unsetenv(*key);
	g_setenv("SPARKS_HOME", home, TRUE);
	g_assert(chdir(home) == 0);
	g_array_append_vals(all, play_tests, n_play_tests);
	g_array_append_vals(all, stream_tests, n_stream_tests);
	g_array_append_vals(all, wires_tests, n_wires_tests);
	g_array_append_vals(all, bodies_tests, n_bodies_tests);
	g_array_append_vals(all, textcall_tests, n_textcall_tests);
	g_array_append_vals(all, providers_tests, n_providers_tests);
	g_array_append_vals(all, fault_tests, n_fault_tests);
	g_array_append_vals(all, script_tests, n_script_tests);
	g_array_append_vals(all, server_tests, n_server_tests);
	failed = _cmocka_run_group_tests("llm", (const struct CMUnitTest *)all->data,
					 all->len, NULL, NULL);
	g_assert(chdir("/") == 0);
	(void)spk_fs_remove_tree(home, NULL); /* a leftover in /tmp fails no test */
	return failed;
}
