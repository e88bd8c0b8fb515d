/* The journal in words: every kind, nothing that reaches the terminal raw, nothing too wide. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/show/lines.h"
#include "cmd/ui.h"
#include "test_cmd.h"

#define NO_TERMINAL -1

static GPtrArray *take(SpkLines *lines, const char *kind, const char *payload)
{
	g_autoptr(json_t)
		json = spk_json_parse(payload, strlen(payload), SPK_JSON_MAX, NULL);
	SpkJournalEntry entry = { .seq = 1, .kind = (char *)kind, .payload = json };

	assert_non_null(json);
	return spk_lines_take(lines, &entry);
}

static char *words(SpkLines *lines, const char *kind, const char *payload)
{
	g_autoptr(GPtrArray) taken = take(lines, kind, payload);
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < taken->len; i++)
		spk_line_format(taken->pdata[i], NO_TERMINAL, 100, out);
	return g_string_free(out, FALSE);
}

static void assert_words(SpkLines *lines, const char *kind, const char *payload,
			 const char *expected)
{
	g_autofree char *got = words(lines, kind, payload);

	assert_string_equal(got, expected);
}

static void test_a_run(void **state)
{
	g_autoptr(SpkLines) lines = spk_lines_new(FALSE);

	assert_words(lines, "state", "{\"from\":\"queued\",\"to\":\"scanned\"}", "");
	assert_words(lines, "check.result",
		     "{\"phase\":\"before\",\"command\":\"make test\",\"exit_code\":2,"
		     "\"tail\":\"one\\ntwo failed\\n\\n\",\"seconds\":0.5}",
		     "  ✗ before    make test → exit 2, 0.50 s: two failed\n");
	assert_words(
		lines, "model.result",
		"{\"turn\":0,\"text\":\"I look.\",\"usage\":{\"input\":10,\"output\":5}}",
		"  · model     I look.\n");
	assert_int_equal(spk_lines_turns(lines), 1);
	assert_int_equal(spk_lines_tokens(lines), 15);
	assert_words(lines, "tool.intent",
		     "{\"turn\":0,\"index\":0,\"name\":\"shell\","
		     "\"arguments\":\"{\\\"command\\\":\\\"ls -l\\\"}\"}",
		     "");
	assert_string_equal(spk_lines_doing(lines), "shell ls -l");
	assert_words(
		lines, "tool.result",
		"{\"turn\":0,\"index\":0,\"name\":\"shell\",\"ok\":true,\"text\":\"x\","
		"\"meta\":{\"exit_code\":0}}",
		"  ✓ shell     ls -l → exit 0: x\n");
	assert_words(lines, "tool.result",
		     "{\"turn\":0,\"index\":1,\"name\":\"shell\",\"unknown\":true}",
		     "  ! shell      → outcome not known (interrupted)\n");
	assert_words(lines, "verdict", "{\"verdict\":\"failed\",\"reason\":\"red\"}",
		     "  ✗ verdict   failed: red\n");
}

/* The kinds of docs/journal.md. */
static void test_verbose_shows_every_kind(void **state)
{
	static const char *const kinds[] = {
		"accepted",	"state",	"tree",		 "box",
		"resumed",	"check.intent", "check.result",	 "model.intent",
		"model.result", "model.error",	"tool.intent",	 "tool.result",
		"checks",	"note",		"compaction",	 "ended",
		"verdict",	"restored",	"commit.intent", "commit.result",
		"apply.intent", "apply.result", "undo.intent",	 "undo.result",
		"history",	"refused",	"mail",		 "of a later version",
	};
	g_autoptr(SpkLines) lines = spk_lines_new(TRUE);

	assert_words(lines, "apply.intent", "{}",
		     "  · apply     begins; what undo needs is on record\n");
	assert_words(lines, "undo.intent", "{\"of\":7}",
		     "  · undo      begins, of entry 7\n");
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree char *got = words(lines, kinds[i], "{\"tier\":\"native\"}");

		if (!g_str_has_suffix(got, "\n"))
			fail_msg("%s gives no line", kinds[i]);
		if (i < G_N_ELEMENTS(kinds) - 1) /* it has words of its own */
			assert_null(strstr(got, "· other"));
	}
}

static void test_nothing_raw(void **state)
{
	static const char *const kinds[] = {
		"model.result", "check.result", "tool.result", "note", "verdict",
		"tool.intent",	"tree",		"box",	       "state"
	};
	static const char payload[] =
		"{\"text\":\"a\\u001b[2J\\u0007b\\nc\\u202ed\",\"tail\":\"x\\u001b]0;t\\u0007\","
		"\"command\":\"\\u001b[31mls\",\"reason\":\"\\u009b2J\",\"why\":\"\\u001b\","
		"\"name\":\"shell\\u001b\",\"verdict\":\"\\u001b[1m\",\"exit_code\":1,"
		"\"notes\":[\"\\u001b[2J\"],\"tier\":\"\\u001bc\",\"describe\":\"\\u001bc\","
		"\"to\":\"paused\",\"meta\":{\"exit_code\":3},\"arguments\":{\"path\":\"\\u001b\"}}";
	g_autoptr(SpkLines) lines = spk_lines_new(TRUE);

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree char *got = words(lines, kinds[i], payload);
		g_autofree char *clean = spk_text_clean(got, -1, SPK_CLEAN_TEXT);

		assert_string_equal(got, clean);
	}
}

static void assert_fits(const char *text, int columns)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++)
		assert_true(spk_text_width(*line) <= columns);
}

static void test_width(void **state)
{
	g_autofree char *wide = g_strnfill(390, 'x');
	SpkLine both = { "ok", "shell", wide, wide, FALSE };
	SpkLine ends = { "ok", "shell", wide, (char *)"exit 1", FALSE };
	SpkLine whole = { "ok", "box", wide, NULL, TRUE };
	SpkLine east = { "bad", "read", (char *)"日本語日本語日本語日本語日本語日本語",
			 NULL, FALSE };
	const SpkLine *const all[] = { &both, &ends, &whole, &east };

	for (int columns = 30; columns < 120; columns += 7) {
		for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
			g_autoptr(GString) out = g_string_new(NULL);

			spk_line_format(all[i], NO_TERMINAL, columns, out);
			assert_fits(out->str, columns);
			if (all[i] == &ends)
				assert_true(g_str_has_suffix(
					out->str, "…\n              → exit 1\n"));
		}
	}
}

static void test_whole_line_is_folded(void **state)
{
	SpkLine line = { "dim", "sandbox", (char *)"one two three four five six", NULL,
			 TRUE };
	g_autoptr(GString) out = g_string_new(NULL);

	spk_line_format(&line, NO_TERMINAL, 34, out);
	assert_string_equal(out->str, "  · sandbox   one two three four\n"
				      "              five six\n");
}

static void test_words_for_numbers(void **state)
{
	g_autofree char *a = spk_ui_number(1234567), *b = spk_ui_number(-1000);
	g_autofree char *c = spk_ui_number(999), *d = spk_ui_seconds(0.034);
	g_autofree char *e = spk_ui_seconds(200), *f = spk_ui_seconds(7260);

	assert_string_equal(a, "1,234,567");
	assert_string_equal(b, "-1,000");
	assert_string_equal(c, "999");
	assert_string_equal(d, "0.03 s");
	assert_string_equal(e, "3 min 20 s");
	assert_string_equal(f, "2 h 1 min");
}

static void test_fold(void **state)
{
	g_autoptr(GString) out = g_string_new(NULL), cut = g_string_new(NULL),
			   command = g_string_new(NULL);

	spk_ui_fold(out, "one two three four five six seven\n\nnext\033[2J", 2, 24, 10);
	assert_string_equal(out->str,
			    "  one two three four\n  five six seven\n\n  next\n");
	spk_ui_fold(cut, "a\nb\nc\nd", 1, 24, 2);
	assert_string_equal(cut->str, " a\n b\n …\n");
	/* what is to be typed stays in one piece, when it fits at all */
	spk_ui_fold(command, "look with `sparks show`, or `more than fits into a line`",
		    0, 24, 10);
	assert_string_equal(
		command->str,
		"look with\n`sparks show`, or\n`more than fits into a\nline`\n");
}

static void test_calls(void **state)
{
	g_autoptr(json_t)
		object = json_pack("{s:s,s:s}", "path", "a b.c", "content", "secret");
	g_autoptr(json_t) git = json_pack("{s:[s,s]}", "args", "log", "-1");
	g_autoptr(json_t) broken = json_string("{\"path\": ");
	g_autofree char *write = spk_ui_call("file_write", object);
	g_autofree char *line = spk_ui_call("git", git);
	g_autofree char *none = spk_ui_call("shell", broken);
	g_autofree char *other = spk_ui_call("no_such_tool", object);

	assert_string_equal(write, "a b.c");
	assert_string_equal(line, "log -1");
	assert_string_equal(none, "");
	assert_string_equal(other, "");
}

const struct CMUnitTest lines_tests[] = {
	cmocka_unit_test(test_a_run),
	cmocka_unit_test(test_verbose_shows_every_kind),
	cmocka_unit_test(test_nothing_raw),
	cmocka_unit_test(test_width),
	cmocka_unit_test(test_whole_line_is_folded),
	cmocka_unit_test(test_words_for_numbers),
	cmocka_unit_test(test_fold),
	cmocka_unit_test(test_calls),
};
const size_t n_lines_tests = G_N_ELEMENTS(lines_tests);
