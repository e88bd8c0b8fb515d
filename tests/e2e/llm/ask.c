/*
 * ask [NAME=VALUE]... PROMPT: one completion through the model client, as the program asks
 * for it. One JSON object a line on stdout: {"piece","ms"} as they stream, {"restart"}, then
 * {"text","finish","calls","model","input","output","cached","ms"} or {"error","message"}.
 * Lines are written as they come. SIGINT cancels. NAME "schema" is the schema of the answer,
 * "tools" (any value) offers a tool.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "llm/llm.h"

static gint64 start_us;

static gint64 ms_now(void)
{
	return (spk_mono_us() - start_us) / 1000;
}

static void put(json_t *take_object)
{
	g_autofree char *line = spk_json_dump(take_object);

	json_decref(take_object);
	puts(line);
	fflush(stdout);
}

static void on_text(const char *piece, gpointer user)
{
	put(json_pack("{s:o,s:I}", "piece", spk_json_text(piece), "ms",
		      (json_int_t)ms_now()));
}

static void on_restart(const char *why, gpointer user)
{
	put(json_pack("{s:o}", "restart", spk_json_text(why)));
}

static SpkCancel *cancel; /* the thread may hold it to the end */

static gpointer wait_for_signal(gpointer data)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigwait(&set, &number);
	spk_cancel_fire(cancel, "interrupted");
	return NULL;
}

static void cancel_on_signal(void)
{
	sigset_t set;

	cancel = spk_cancel_new(NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	g_thread_unref(g_thread_new("signal", wait_for_signal, NULL));
}

static json_t *a_tool(void)
{
	return json_pack("[{s:s,s:{s:s,s:s,s:{s:s,s:{s:{s:s,s:i}},s:[s]}}}]", "type",
			 "function", "function", "name", "shell", "description",
			 "runs a command", "parameters", "type", "object", "properties",
			 "command", "type", "string", "maxLength", 40, "required",
			 "command");
}

static int answer(const SpkLlmReply *reply)
{
	put(json_pack("{s:o,s:s,s:O,s:o,s:o,s:I,s:I,s:I,s:I}", "text",
		      spk_json_text(reply->text), "finish", reply->finish, "calls",
		      reply->tool_calls, "explained",
		      reply->explained ? json_incref(reply->explained) : json_array(),
		      "model", spk_json_text(reply->model), "input",
		      (json_int_t)reply->usage.input, "output",
		      (json_int_t)reply->usage.output, "cached",
		      (json_int_t)reply->usage.cached, "ms", (json_int_t)ms_now()));
	return 0;
}

static int fail(const GError *error)
{
	put(json_pack("{s:s,s:o,s:I}", "error", spk_err_info(spk_error_code(error))->name,
		      "message", spk_json_text(error->message), "ms",
		      (json_int_t)ms_now()));
	return 1;
}

int main(int argc, char **argv)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	SpkConfSource source = { 0 };
	SpkLlmSink sink = { .on_text = on_text, .on_restart = on_restart };
	g_autoptr(json_t) messages = NULL, tools = NULL, schema = NULL;
	g_auto(SpkLlmReply) reply = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(SpkLlm) llm = NULL;

	cancel_on_signal();
	for (int i = 1; i + 1 < argc; i++) {
		if (g_str_has_prefix(argv[i], "schema="))
			schema = spk_json_parse(argv[i] + 7, strlen(argv[i] + 7), 65536,
						NULL);
		else if (g_str_has_prefix(argv[i], "tools="))
			tools = a_tool();
		else
			g_ptr_array_add(words, argv[i]);
	}
	g_ptr_array_add(words, NULL);
	source.overrides = (const char *const *)words->pdata;
	conf = spk_conf_load(&source, &error);
	llm = conf ? spk_llm_open(conf, NULL, &error) : NULL;
	if (!llm)
		return fail(error);
	messages = json_pack("[{s:s,s:s},{s:s,s:s}]", "role", "system", "content",
			     "You are a helpful assistant.", "role", "user", "content",
			     argv[argc - 1]);
	start_us = spk_mono_us();
	if (!spk_llm_complete(llm,
			      &(SpkLlmRequest){ .messages = messages,
						.tools = tools,
						.schema = schema },
			      &sink, cancel, &reply, &error))
		return fail(error);
	return answer(&reply);
}
