/*
 * The events that the agent programs document, one function each:
 *   claude -p --output-format stream-json   system/init, assistant, user, result
 *   codex exec --json                       thread.*, turn.*, item.*, error
 *   opencode run --format json              step_start, text, tool_use, step_finish, error
 */
#include "tool/cli_watch.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define TOKENS_MAX 1000000000000 /* more is no count, but nonsense */

static void replace(char **place, const char *text, gsize max)
{
	if (!text || !*text)
		return;
	g_free(*place);
	*place = spk_text_clip(text, max);
}

static gint64 count(const json_t *usage, const char *key)
{
	gint64 n = spk_json_int(usage, key, 0);

	return CLAMP(n, 0, TOKENS_MAX);
}

static double dollars(const json_t *object, const char *key)
{
	double usd = spk_json_real(object, key, -1);

	return usd >= 0 && usd <= 1e6 ? usd : -1;
}

static gboolean is(const json_t *object, const char *key, const char *value)
{
	return !g_strcmp0(spk_json_str(object, key), value);
}

static void fail(CliReport *report, const char *problem, int status)
{
	report->failed = TRUE;
	replace(&report->problem, problem, CLI_PROBLEM_MAX);
	if (status >= 400 && status < 600)
		report->http_status = status;
}

/* ---- Claude Code ---- */

static gint64 claude_input(const json_t *usage)
{
	return count(usage, "input_tokens") + count(usage, "cache_read_input_tokens") +
	       count(usage, "cache_creation_input_tokens");
}

/* A message comes in pieces with the same id and the same usage; the output in it is only what
 * there was when it began. */
static void claude_message(CliReport *report, const json_t *message)
{
	const json_t *usage = json_object_get(message, "usage");
	const char *id = spk_json_str(message, "id");
	const json_t *block;
	gsize i;

	json_array_foreach(json_object_get(message, "content"), i, block)
		if (is(block, "type", "text"))
			replace(&report->words, spk_json_str(block, "text"),
				CLI_WORDS_MAX);
	if (!id || !g_strcmp0(id, report->latest))
		return;
	replace(&report->latest, id, 200);
	report->input = MIN(report->input + claude_input(usage), TOKENS_MAX);
	report->output = MIN(report->output + count(usage, "output_tokens"), TOKENS_MAX);
}

/* The last one sums it all up. */
static void claude_result(CliReport *report, const json_t *event)
{
	const json_t *usage = json_object_get(event, "usage");
	const char *said = spk_json_str(event, "result");

	report->ended = TRUE;
	report->usd = dollars(event, "total_cost_usd");
	if (json_is_object(usage)) {
		report->input = claude_input(usage);
		report->output = count(usage, "output_tokens");
		report->cached = count(usage, "cache_read_input_tokens");
		report->cache_write = count(usage, "cache_creation_input_tokens");
	}
	report->at_most = is(event, "subtype", "error_max_budget_usd");
	if (spk_json_bool(event, "is_error", FALSE) || !is(event, "subtype", "success"))
		fail(report, said ? said : spk_json_str(event, "subtype"),
		     (int)spk_json_int(event, "api_error_status", 0));
	else
		replace(&report->words, said, CLI_WORDS_MAX);
}

void cli_event_claude(CliReport *report, const json_t *event)
{
	if (is(event, "type", "system") && is(event, "subtype", "init"))
		replace(&report->model, spk_json_str(event, "model"), 200);
	else if (is(event, "type", "system") && is(event, "subtype", "api_retry"))
		report->failures++;
	else if (is(event, "type", "assistant"))
		claude_message(report, json_object_get(event, "message"));
	else if (is(event, "type", "result"))
		claude_result(report, event);
}

/* ---- Codex ---- */

void cli_event_codex(CliReport *report, const json_t *event)
{
	const json_t *item = json_object_get(event, "item");
	const json_t *usage = json_object_get(event, "usage");
	const json_t *error = json_object_get(event, "error");

	if (is(event, "type", "item.completed") && is(item, "type", "agent_message")) {
		replace(&report->words, spk_json_str(item, "text"), CLI_WORDS_MAX);
	} else if (is(event, "type", "turn.completed")) {
		report->ended = TRUE;
		report->failed = FALSE;
		report->input =
			MIN(report->input + count(usage, "input_tokens"), TOKENS_MAX);
		report->output =
			MIN(report->output + count(usage, "output_tokens"), TOKENS_MAX);
		report->cached = MIN(report->cached + count(usage, "cached_input_tokens"),
				     TOKENS_MAX);
		report->cache_write = MIN(
			report->cache_write + count(usage, "cache_write_input_tokens"),
			TOKENS_MAX);
	} else if (is(event, "type", "turn.failed")) {
		report->ended = TRUE;
		fail(report, spk_json_str(error, "message"), 0);
	} else if (is(event, "type", "error")) {
		/* also what it goes on to try again: "Reconnecting... 1/5 (…)" */
		report->failures++;
		replace(&report->problem, spk_json_str(event, "message"),
			CLI_PROBLEM_MAX);
	}
}

/* ---- opencode ---- */

static void opencode_step(CliReport *report, const json_t *part)
{
	const json_t *tokens = json_object_get(part, "tokens");
	const json_t *cache = json_object_get(tokens, "cache");
	gint64 read = count(cache, "read"), written = count(cache, "write");
	double usd = dollars(part, "cost");

	report->input =
		MIN(report->input + count(tokens, "input") + read + written, TOKENS_MAX);
	report->output =
		MIN(report->output + count(tokens, "output") + count(tokens, "reasoning"),
		    TOKENS_MAX);
	report->cached = MIN(report->cached + read, TOKENS_MAX);
	report->cache_write = MIN(report->cache_write + written, TOKENS_MAX);
	if (usd > 0) /* 0 is what it says of models whose price it does not know */
		report->usd = MAX(report->usd, 0) + usd;
	/* it asks the model again only after calls of tools */
	report->ended = !is(part, "reason", "tool-calls");
	report->failed = FALSE;
	report->failures = 0;
}

void cli_event_opencode(CliReport *report, const json_t *event)
{
	const json_t *part = json_object_get(event, "part");
	const json_t *error = json_object_get(event, "error");
	const json_t *data = json_object_get(error, "data");
	const char *message = spk_json_str(data, "message");

	if (is(event, "type", "text"))
		replace(&report->words, spk_json_str(part, "text"), CLI_WORDS_MAX);
	else if (is(event, "type", "step_finish"))
		opencode_step(report, part);
	else if (is(event, "type", "error")) {
		report->ended = TRUE;
		fail(report, message ? message : spk_json_str(error, "name"),
		     (int)spk_json_int(data, "statusCode", 0));
	}
}
