/* Agent programs: what they write, how they end, where they are. The whole is tests/e2e/agents. */
#include "test_tool.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "tool/cli_contract.h"
#include "tool/cli_place.h"
#include "tool/cli_table.h"
#include "tool/cli_watch.h"

/* What they really wrote, shortened. */
static const char claude_said[] =
	"{\"type\":\"system\",\"subtype\":\"init\",\"model\":\"claude-sonnet-4-5\"}\n"
	"{\"type\":\"assistant\",\"message\":{\"id\":\"m\",\"content\":[{\"type\":\"text\","
	"\"text\":\"Hello\"}],\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}\n"
	"{\"type\":\"assistant\",\"message\":{\"id\":\"m\",\"content\":[{\"type\":\"tool_use\"}],"
	"\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}\n"
	"{\"total_cost_usd\":0.000105,\"usage\":{\"input_tokens\":10,"
	"\"cache_creation_input_tokens\":3,\"cache_read_input_tokens\":4,\"output_tokens\":5},"
	"\"is_error\":false,\"subtype\":\"success\",\"result\":\"Hello done\",\"type\":\"result\"}";
static const char codex_said[] =
	"{\"type\":\"thread.started\",\"thread_id\":\"01a2\"}\n"
	"{\"type\":\"item.completed\",\"item\":{\"id\":\"item_0\",\"type\":\"error\",\"message\":"
	"\"Model metadata not found\"}}\n{\"type\":\"turn.started\"}\n"
	"{\"type\":\"error\",\"message\":\"Reconnecting... 1/2 (unexpected status 500)\"}\n"
	"{\"type\":\"item.completed\",\"item\":{\"id\":\"item_1\",\"type\":\"agent_message\","
	"\"text\":\"Hello done\"}}\n"
	"{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":17,\"cached_input_tokens\":4,"
	"\"output_tokens\":5,\"reasoning_output_tokens\":2}}\n";
static const char opencode_said[] =
	"{\"type\":\"step_start\",\"part\":{\"type\":\"step-start\"}}\n"
	"{\"type\":\"step_finish\",\"part\":{\"reason\":\"tool-calls\",\"tokens\":{\"input\":4,"
	"\"output\":1,\"reasoning\":1,\"cache\":{\"write\":0,\"read\":2}},\"cost\":0}}\n"
	"{\"type\":\"text\",\"part\":{\"type\":\"text\",\"text\":\"Hello done\"}}\n"
	"{\"type\":\"step_finish\",\"part\":{\"reason\":\"stop\",\"tokens\":{\"input\":6,"
	"\"output\":3,\"reasoning\":0,\"cache\":{\"write\":3,\"read\":2}},\"cost\":0}}\n";

static CliWatch *listen_to(CliEventFn event, const char *text, gsize piece)
{
	CliWatch *watch = cli_watch_new(event);
	gsize len = strlen(text);

	for (gsize at = 0; at < len; at += piece)
		cli_watch_out(watch, text + at, MIN(piece, len - at));
	cli_watch_end(watch);
	return watch;
}

static void each_is_understood_however_it_comes(void **state)
{
	static const struct {
		CliEventFn event;
		const char *text;
		double usd;
		gint64 written;
	} said[] = {
		{ cli_event_claude, claude_said, 0.000105, 3 },
		{ cli_event_codex, codex_said, -1, 0 },
		{ cli_event_opencode, opencode_said, -1, 3 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(said); i++)
		for (gsize piece = 1; piece < 2000; piece = piece * 3 + 1) {
			g_autoptr(CliWatch)
				watch = listen_to(said[i].event, said[i].text, piece);
			const CliReport *report = cli_watch_report(watch);

			assert_string_equal(report->words, "Hello done");
			assert_true(report->ended && !report->failed);
			assert_int_equal(report->input, 17);
			assert_int_equal(report->output, 5);
			assert_int_equal(report->cached, 4);
			assert_int_equal(report->cache_write, said[i].written);
			assert_float_equal(report->usd, said[i].usd, 1e-12);
			assert_int_equal(report->noise, 0);
		}
}

static void a_half_result_is_none(void **state)
{
	static const CliEventFn events[] = { cli_event_claude, cli_event_codex,
					     cli_event_opencode };
	static const char *const texts[] = { claude_said, codex_said, opencode_said };

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *half = g_strndup(texts[i], strlen(texts[i]) - 3);
		g_autoptr(CliWatch) watch = listen_to(events[i], half, 100);

		assert_false(cli_watch_report(watch)->ended);
		assert_int_equal(cli_watch_report(watch)->noise, 1);
	}
}

static void failures_are_heard(void **state)
{
	g_autoptr(CliWatch) claude = listen_to(
		cli_event_claude,
		"{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,"
		"\"api_error_status\":429,\"result\":\"API Error: Request rejected (429)\"}",
		7);
	g_autoptr(CliWatch) codex = listen_to(
		cli_event_codex,
		"{\"type\":\"turn.failed\",\"error\":{\"message\":\"exceeded retry limit, "
		"last status: 429 Too Many Requests\"}}",
		7);
	g_autoptr(CliWatch) opencode = listen_to(
		cli_event_opencode,
		"{\"type\":\"error\",\"error\":{\"name\":\"APIError\",\"data\":{\"message\":"
		"\"fail 401\",\"statusCode\":401}}}",
		7);
	g_autoptr(CliWatch) money = listen_to(
		cli_event_claude,
		"{\"type\":\"result\",\"subtype\":\"error_max_budget_usd\",\"is_error\":true}",
		7);
	const CliReport *report = cli_watch_report(claude);

	assert_true(report->ended && report->failed);
	assert_int_equal(cli_cause_of_problem(report->problem, report->http_status),
			 CLI_CAUSE_RATE_LIMITED);
	report = cli_watch_report(codex);
	assert_true(report->ended && report->failed);
	assert_int_equal(cli_cause_of_problem(report->problem, report->http_status),
			 CLI_CAUSE_RATE_LIMITED);
	report = cli_watch_report(opencode);
	assert_int_equal(report->http_status, 401);
	assert_int_equal(cli_cause_of_problem(report->problem, report->http_status),
			 CLI_CAUSE_AUTH);
	assert_true(cli_watch_report(money)->at_most);
}

/* Four whole lines of the log that it writes when it tries again. */
static void trying_for_ever_is_counted(void **state)
{
	static const char line[] =
		"timestamp=2026-01-01T00:00:00Z level=ERROR message=\"stream error\" "
		"providerID=x error.error=\"AI_APICallError: fail 429\"\n";
	g_autoptr(CliWatch) watch = cli_watch_new(cli_event_opencode);

	for (guint i = 0; i < 4; i++)
		cli_watch_err(watch, line, strlen(line));
	cli_watch_err(watch, "level=ERROR message=\"else\"\n", 27);
	assert_int_equal(cli_watch_report(watch)->failures, 4);
	assert_string_equal(cli_watch_report(watch)->problem,
			    "\"AI_APICallError: fail 429\"");
}

static void what_comes_is_bounded_and_clean(void **state)
{
	g_autofree char *mega = g_strnfill(1 << 20, 'x');
	g_autoptr(CliWatch) watch = cli_watch_new(cli_event_claude);
	g_autofree char *text = NULL;

	cli_watch_out(watch, "\033]0;owned\a first\n", 18);
	for (guint i = 0; i < 6; i++)
		cli_watch_out(watch, mega, 1 << 20);
	cli_watch_out(watch, "\n", 1);
	cli_watch_out(watch, claude_said, strlen(claude_said));
	cli_watch_end(watch);
	text = cli_watch_text(watch, FALSE, 16000);
	assert_int_equal(cli_watch_report(watch)->noise, 2);
	assert_true(cli_watch_report(watch)->ended);
	assert_true(strlen(text) <= 16000);
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\a'));
	assert_non_null(strstr(text, "first"));
	assert_non_null(strstr(text, "Hello done"));
	assert_non_null(strstr(text, "bytes left out"));
}

static void decisions_are_bounded_and_equal(void **state)
{
	for (guint cause = 0; cause < CLI_N_CAUSES; cause++) {
		const CliCauseInfo *info = cli_cause_info(cause);
		guint attempts = 0;

		while (cli_decide(cause, attempts, 2, FALSE) == CLI_AGAIN)
			attempts++;
		assert_int_equal(attempts, info->retry_same ? 2 : 0);
		assert_int_equal(cli_decide(cause, 2, 2, TRUE),
				 info->fallback ? CLI_NEXT : CLI_STOP);
		assert_int_equal(cli_decide(cause, 0, 0, FALSE), CLI_STOP);
		assert_true(cli_cause_find(info->name) == info);
		/* without a code it went well, and then there is nothing to do */
		assert_true(info->code || (!info->retry_same && !info->fallback));
		assert_int_equal(info->code == NULL, info->status == CLI_SUCCEEDED ||
							     info->status == CLI_NO_WORK);
	}
	assert_null(cli_cause_find("nothing"));
	assert_null(cli_cause_find(NULL));
}

static void the_contract_line_is_the_reference_s(void **state)
{
	g_autofree char *timed_out =
		cli_contract_line("codex", CLI_CAUSE_TIME, 124, 3600);
	g_autofree char *gone =
		cli_contract_line("opencode", CLI_CAUSE_NOT_INSTALLED, -1, 60);

	assert_string_equal(timed_out,
			    "[sparks_cli_contract] tool=codex code=cli_timeout "
			    "retry_same=false fallback=true exit_code=124 "
			    "timeout_secs=3600");
	assert_string_equal(gone, "[sparks_cli_contract] tool=opencode "
				  "code=cli_unavailable retry_same=false fallback=true "
				  "exit_code=- timeout_secs=60");
	assert_null(cli_contract_line("codex", CLI_CAUSE_DONE, 0, 1));
}

static void words_of_errors_have_causes(void **state)
{
	static const struct {
		const char *words;
		int status;
		CliCause cause;
	} rows[] = {
		{ "Invalid API key · Please run /login", 0, CLI_CAUSE_AUTH },
		{ "unexpected status 401 Unauthorized: fail", 0, CLI_CAUSE_AUTH },
		{ "Your credit balance is too low", 400, CLI_CAUSE_QUOTA },
		{ "insufficient_quota", 429, CLI_CAUSE_QUOTA },
		{ "slow down", 429, CLI_CAUSE_RATE_LIMITED },
		{ "API Error: 500 oh no", 0, CLI_CAUSE_SERVER },
		{ "We're currently experiencing high demand", 0, CLI_CAUSE_SERVER },
		{ "Connection refused (ECONNREFUSED)", 0, CLI_CAUSE_SERVER },
		{ "The model does not exist", 404, CLI_CAUSE_REFUSED },
		{ "I had 429 reasons, error code: 42", 0, CLI_CAUSE_GAVE_UP },
		{ "error_max_turns", 0, CLI_CAUSE_GAVE_UP },
		{ NULL, 0, CLI_CAUSE_GAVE_UP },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_int_equal(cli_cause_of_problem(rows[i].words, rows[i].status),
				 rows[i].cause);
}

/* ---- the place ---- */

static void put_program(const char *path, const char *text)
{
	g_autofree char *folder = g_path_get_dirname(path);

	assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
	assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE,
					     0755, NULL));
}

typedef struct {
	char *top, *bin, *old_path;
} Place;

static int place_setup(void **state)
{
	Place *p = g_new0(Place, 1);
	g_autofree char *made = g_dir_make_tmp("spk-place-XXXXXX", NULL);
	g_autofree char *home = g_build_filename(made, "sparks", NULL);

	p->top = g_canonicalize_filename(made, NULL);
	p->bin = g_build_filename(p->top, "bin", NULL);
	p->old_path = g_strdup(g_getenv("PATH"));
	g_setenv("SPARKS_HOME", home, TRUE);
	g_setenv("PATH", "bin:/usr/bin:/bin", TRUE); /* a relative folder is no place */
	assert_int_equal(g_mkdir(p->bin, 0755), 0);
	*state = p;
	return 0;
}

static int place_teardown(void **state)
{
	Place *p = *state;
	const char *const argv[] = { "rm", "-rf", p->top, NULL };

	g_setenv("PATH", p->old_path, TRUE);
	(void)g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
			   NULL, NULL, NULL, NULL);
	g_free(p->top);
	g_free(p->bin);
	g_free(p->old_path);
	g_free(p);
	return 0;
}

static char *in_place(const Place *p, const char *path)
{
	return g_build_filename(p->top, path, NULL);
}

static CliPlace found_for(const Place *p, const char *name, gboolean in_image)
{
	const char *folders[] = { p->bin, NULL };
	const CliSearch search = { .folders = folders, .in_image = in_image };
	CliPlace place = { 0 };
	g_autoptr(GError) error = NULL;

	if (!cli_place_find(name, &search, &place, &error))
		fail_msg("%s", error->message);
	return place;
}

static CliPlace found(const Place *p, const char *name)
{
	return found_for(p, name, FALSE);
}

static void shows(const CliPlace *place, guint i, const char *path)
{
	const SpkBoxMount *mount;

	assert_true(i < place->mounts->len);
	mount = place->mounts->pdata[i];
	assert_string_equal(mount->from, path);
	assert_string_equal(mount->to, path);
	assert_true(mount->read_only);
}

/* As `npm install -g` does it, with a node of its own (nvm). */
static void a_package_and_its_interpreter_are_found(void **state)
{
	Place *p = *state;
	g_autofree char *script =
		in_place(p, "lib/node_modules/@openai/codex/bin/codex.js");
	g_autofree char *modules = in_place(p, "lib/node_modules");
	g_autofree char *node = in_place(p, "bin/node");
	g_autofree char *link = in_place(p, "bin/codex");
	g_auto(CliPlace) place = { 0 };

	put_program(script, "#!/usr/bin/env -S node --no-warnings\nconsole.log(1)\n");
	put_program(node, "\177ELF");
	assert_int_equal(symlink("../lib/node_modules/@openai/codex/bin/codex.js", link),
			 0);
	place = found(p, "codex");
	assert_string_equal(place.real, script);
	assert_int_equal(place.mounts->len, 2);
	shows(&place, 0, modules);
	shows(&place, 1, node);
	assert_string_equal(place.command[0], node);
	assert_string_equal(place.command[1], "--no-warnings");
	assert_string_equal(place.command[2], script);
	assert_null(place.command[3]);
}

/* As the native installers do it: a link to one file among others. */
static void a_file_comes_alone(void **state)
{
	Place *p = *state;
	g_autofree char *real = in_place(p, "share/claude/versions/2.1");
	g_autofree char *link = in_place(p, "bin/claude");
	g_auto(CliPlace) place = { 0 }, of_system = { 0 };

	put_program(real, "\177ELF");
	assert_int_equal(symlink(real, link), 0);
	place = found(p, "claude");
	assert_int_equal(place.mounts->len, 1);
	shows(&place, 0, real);
	assert_string_equal(place.command[0], real);
	assert_null(place.command[1]);
	of_system = found(p, "sh");
	assert_int_equal(of_system.mounts->len, 0);
}

/* /usr is the image's there: a program of ours is shown elsewhere, an interpreter is its own. */
static void in_a_container_the_system_is_the_images(void **state)
{
	Place *p = *state;
	g_autofree char *script = in_place(p, "bin/codex");
	g_autofree char *alien = in_place(p, "bin/claude");
	g_auto(CliPlace) place = { 0 }, no_node = { 0 }, of_system = { 0 };
	const SpkBoxMount *mount;

	put_program(script, "#!/bin/sh -e\n");
	place = found_for(p, "codex", TRUE);
	assert_int_equal(place.mounts->len, 1);
	shows(&place, 0, script);
	assert_string_equal(place.command[0], "sh");
	assert_string_equal(place.command[1], "-e");
	assert_string_equal(place.command[2], script);
	put_program(alien, "#!/usr/bin/env no-such-interpreter\n");
	no_node = found_for(p, "claude", TRUE);
	assert_string_equal(no_node.command[0], "no-such-interpreter");
	of_system = found_for(p, "env", TRUE);
	assert_int_equal(of_system.mounts->len, 1);
	mount = of_system.mounts->pdata[0];
	assert_string_equal(mount->from, of_system.real);
	assert_true(g_str_has_prefix(mount->to, "/opt/sparks-agent/usr/bin/"));
	assert_string_equal(of_system.command[0], mount->to);
	assert_true(mount->read_only);
}

static void refused(const Place *p, const char *name, const char *work, SpkErr code,
		    const char *words)
{
	const char *folders[] = { "relative", p->bin, NULL };
	const CliSearch search = { .folders = folders, .work = work };
	g_auto(CliPlace) place = { 0 };
	g_autoptr(GError) error = NULL;

	assert_false(cli_place_find(name, &search, &place, &error));
	assert_int_equal(spk_error_code(error), code);
	if (!strstr(error->message, words))
		fail_msg("%s", error->message);
}

static void what_no_box_may_see_is_refused(void **state)
{
	Place *p = *state;
	g_autofree char *ours = in_place(p, "sparks/bin/opencode");
	g_autofree char *link = in_place(p, "bin/opencode");
	g_autofree char *lost = in_place(p, "bin/claude");
	g_autofree char *plain = in_place(p, "bin/codex");

	refused(p, "opencode", NULL, SPK_ERR_NOT_FOUND, "no program opencode");
	put_program(ours, "\177ELF");
	assert_int_equal(symlink(ours, link), 0);
	refused(p, "opencode", NULL, SPK_ERR_POLICY, "state of sparks");
	put_program(lost, "#!/usr/bin/env no-such-interpreter\n");
	refused(p, "claude", NULL, SPK_ERR_BAD_INPUT, "no-such-interpreter");
	put_program(plain, "\177ELF");
	refused(p, "codex", p->top, SPK_ERR_POLICY, "task's own files");
	assert_int_equal(g_chmod(plain, 0644), 0);
	refused(p, "codex", NULL, SPK_ERR_NOT_FOUND, "no program codex");
}

/* ---- the command lines ---- */

static void names_of_models_are_checked(void **state)
{
	Fixture *f = *state;
	static const char *const wrong[] = { "--flag", "a b", "x\n", "$(id)", "" };

	for (gsize i = 0; cli_table[i]; i++)
		for (gsize k = 0; k < G_N_ELEMENTS(wrong); k++) {
			g_autofree char *provider = NULL, *model = NULL;
			g_autoptr(GError) error = NULL;

			if (!*wrong[k] && cli_table[i] != cli_find("opencode"))
				continue;
			assert_false(cli_table[i]->choose(f->conf, wrong[k], &provider,
							  &model, &error));
			assert_int_equal(spk_error_code(error), SPK_ERR_CONFIG);
		}
}

static void opencode_asks_the_provider_that_is_named(void **state)
{
	Fixture *f = *state;
	static const char *const rows[][3] = {
		{ "anthropic/claude-x", "anthropic", "claude-x" },
		{ "openrouter/vendor/m:free", "openrouter", "vendor/m:free" },
		{ "vendor/m", "openai", "vendor/m" },
		{ "m", "openai", "m" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *provider = NULL, *model = NULL;

		assert_true(
			cli_find("opencode")
				->choose(f->conf, rows[i][0], &provider, &model, NULL));
		assert_string_equal(provider, rows[i][1]);
		assert_string_equal(model, rows[i][2]);
	}
}

/* No key, no prompt and nothing of the user's: only what the row says. */
static void command_lines_hold_no_more_than_they_should(void **state)
{
	for (gsize i = 0; cli_table[i]; i++) {
		const CliCall call = {
			"openai",   "m1",	 "http://127.0.0.1:1/sparks-0",
			"sparks-1", "responses", 0.25
		};
		g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
		g_autoptr(GPtrArray) env = g_ptr_array_new_with_free_func(g_free);
		gboolean has_url = FALSE;

		cli_table[i]->build(&call, argv, env);
		for (guint k = 0; k < argv->len; k++) {
			assert_null(strstr(argv->pdata[k], "sparks-1"));
			has_url |= strstr(argv->pdata[k], call.url) != NULL;
		}
		for (guint k = 0; k < env->len; k++) {
			assert_non_null(strchr(env->pdata[k], '='));
			has_url |= strstr(env->pdata[k], call.url) != NULL;
		}
		assert_true(has_url);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_is_understood_however_it_comes),
	cmocka_unit_test(a_half_result_is_none),
	cmocka_unit_test(failures_are_heard),
	cmocka_unit_test(trying_for_ever_is_counted),
	cmocka_unit_test(what_comes_is_bounded_and_clean),
	cmocka_unit_test(decisions_are_bounded_and_equal),
	cmocka_unit_test(the_contract_line_is_the_reference_s),
	cmocka_unit_test(words_of_errors_have_causes),
	cmocka_unit_test_setup_teardown(a_package_and_its_interpreter_are_found,
					place_setup, place_teardown),
	cmocka_unit_test_setup_teardown(a_file_comes_alone, place_setup, place_teardown),
	cmocka_unit_test_setup_teardown(in_a_container_the_system_is_the_images,
					place_setup, place_teardown),
	cmocka_unit_test_setup_teardown(what_no_box_may_see_is_refused, place_setup,
					place_teardown),
	cmocka_unit_test_setup_teardown(names_of_models_are_checked, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(opencode_asks_the_provider_that_is_named,
					fixture_setup, fixture_teardown),
	cmocka_unit_test(command_lines_hold_no_more_than_they_should),
};
SUITE(cli_suite, tests);
