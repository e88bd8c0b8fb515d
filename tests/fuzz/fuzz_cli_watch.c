/* What an agent program writes: bounded and clean, and the same in one piece and byte by byte. The
 * first byte says which program it is. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "tool/cli_contract.h"
#include "tool/cli_watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static CliWatch *listen_to(CliEventFn event, const char *text, gsize len, gsize step)
{
	CliWatch *watch = cli_watch_new(event);

	for (gsize at = 0; at < len; at += step)
		cli_watch_out(watch, text + at, MIN(step, len - at));
	for (gsize at = 0; at < len; at += step)
		cli_watch_err(watch, text + at, MIN(step, len - at));
	cli_watch_end(watch);
	return watch;
}

static void check_text(const CliWatch *watch)
{
	g_autofree char *text = cli_watch_text(watch, FALSE, 1000);

	g_assert(strlen(text) <= 1000 && g_utf8_validate(text, -1, NULL));
	g_assert(!strchr(text, '\033'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const CliEventFn events[] = { cli_event_claude, cli_event_codex,
					     cli_event_opencode };
	const char *text = (const char *)data + 1;
	g_autoptr(CliWatch) whole = NULL, bytes = NULL;
	const CliReport *a, *b;

	if (!size)
		return 0;
	whole = listen_to(events[data[0] % 3], text, size - 1, MAX(size - 1, 1));
	bytes = listen_to(events[data[0] % 3], text, size - 1, 1);
	a = cli_watch_report(whole);
	b = cli_watch_report(bytes);
	g_assert_cmpstr(a->words, ==, b->words);
	g_assert_cmpstr(a->problem, ==, b->problem);
	g_assert(a->ended == b->ended && a->failed == b->failed &&
		 a->events == b->events && a->noise == b->noise);
	g_assert(a->input == b->input && a->output == b->output && a->usd == b->usd);
	g_assert(a->input >= 0 && a->output >= 0 && a->cached >= 0 &&
		 a->cache_write >= 0);
	g_assert(!a->words || strlen(a->words) <= CLI_WORDS_MAX);
	g_assert(!a->problem || strlen(a->problem) <= CLI_PROBLEM_MAX);
	g_assert((guint)cli_cause_of_problem(a->problem, a->http_status) < CLI_N_CAUSES);
	check_text(whole);
	check_text(bytes);
	return 0;
}
