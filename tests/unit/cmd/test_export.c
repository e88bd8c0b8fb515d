/* A journal as a play: readable by the play reader, and without secrets. */
#include <string.h>

#include "base/json.h"
#include "cmd/tasks/export.h"
#include "cmd/tasks/playrepo.h"
#include "base/fs.h"
#include "llm/play.h"
#include "test_cmd.h"

static const char *const environ_with_secrets[] = {
	"PATH=/usr/bin",
	"GH_TOKEN=ordinary-looking-value",
	"MY_API_KEY=ordinary",
	"SHORT_TOKEN=abc",
	"MYSQL_PASSWORD=correct horse",
	"HOME=/root",
	NULL,
};

/* ---- export ---- */

static void entry_free(gpointer data)
{
	SpkJournalEntry *entry = data;

	json_decref(entry->payload);
	g_free(entry);
}

static void add(SpkTrail *trail, const char *kind, json_t *take_payload)
{
	SpkJournalEntry *entry = g_new0(SpkJournalEntry, 1);

	entry->kind = (char *)kind;
	entry->payload = take_payload;
	assert_non_null(take_payload);
	g_ptr_array_add(trail->entries, entry);
}

static SpkTrail *make_trail(void)
{
	SpkTrail *trail = g_new0(SpkTrail, 1);

	trail->entries = g_ptr_array_new_with_free_func(entry_free);
	add(trail, "model.intent", json_pack("{s:i,s:s}", "turn", 0, "prefix", "aa11"));
	add(trail, "model.result",
	    json_pack("{s:i,s:s,s:[{s:s,s:s,s:s}],s:s,s:n,s:{s:i,s:i,s:i}}", "turn", 0,
		      "text", "correct horse", "tool_calls", "id", "c1", "name", "shell",
		      "arguments", "{\"command\":\"echo ordinary-looking-value\"}",
		      "finish", "tool_calls", "model", "usage", "input", 3, "output", 4,
		      "cached", -1));
	add(trail, "tool.result", json_pack("{s:s}", "tree", "t1"));
	add(trail, "model.intent", json_pack("{s:i,s:s}", "turn", 1, "prefix", "aa11"));
	add(trail, "model.result",
	    json_pack("{s:i,s:s,s:[]}", "turn", 1, "text", "Done.", "tool_calls"));
	trail->last = "t1";
	return trail;
}

static void test_export(void **state)
{
	g_autoptr(SpkRedact) redact = spk_redact_new(environ_with_secrets);
	g_autoptr(SpkTrail) trail = make_trail();
	g_autoptr(json_t)
		options = json_pack("{s:[s],s:s}", "checks", "make", "model", "gpt");
	g_autoptr(json_t)
		repo = json_pack("{s:{s:s},s:b}", "files", "a", "text", "git", FALSE);
	SpkTask task = { .goal = (char *)"goal",
			 .spark = (char *)"coder",
			 .options = options,
			 .status = SPK_STATE_DONE,
			 .verdict = SPK_VERDICT_VERIFIED };
	g_autofree char *text = spk_export_play(&task, trail, repo, redact);
	g_autoptr(SpkPlay) play = spk_play_parse(text, strlen(text), "exported", NULL);
	const json_t *header;

	assert_non_null(play);
	assert_null(strstr(text, "horse"));
	assert_null(strstr(text, "ordinary-looking"));
	assert_int_equal(spk_play_turns(play), 2);
	header = spk_play_header(play);
	assert_null(json_object_get(json_object_get(header, "options"), "model"));
	assert_string_equal(spk_json_str(json_object_get(header, "options"), "spark"),
			    "coder");
	assert_string_equal(spk_json_str(spk_play_expect(play, 0), "prefix"), "aa11");
	assert_true(spk_json_bool(spk_play_expect(play, 1), "prefix_stable", FALSE));
	assert_string_equal(spk_json_str(spk_play_end(play), "tree"), "t1");
	assert_string_equal(spk_json_str(spk_play_end(play), "verdict"), "verified");
	assert_non_null(json_object_get(options, "model")); /* the task keeps its own */
}

static void test_playrepo(void **state)
{
	g_autoptr(json_t) repo =
		json_pack("{s:{s:s,s:{s:s,s:s},s:{s:s},s:{s:s},s:{s:s,s:i}},s:b}",
			  "files", "sub dir/a\nb", "text", "run", "text", "#!/bin/sh\n",
			  "mode", "755", "link", "link", "run", "binary", "base64",
			  "AAEC", "tool", "text", "x", "mode", 700, "git", FALSE);
	g_autofree char *here = g_get_current_dir();
	g_autofree char *folder = g_build_filename(here, "playrepo", NULL);
	g_autofree char *odd = g_build_filename(folder, "sub dir/a\nb", NULL);
	g_autofree char *run = g_build_filename(folder, "run", NULL);
	g_autofree char *link = g_build_filename(folder, "link", NULL);
	g_autofree char *binary = g_build_filename(folder, "binary", NULL);
	g_autofree char *text = NULL, *bytes = NULL, *target = NULL;
	gsize len;

	assert_true(spk_playrepo_write(repo, folder, NULL));
	text = spk_fs_read(odd, 100, NULL, NULL);
	assert_string_equal(text, "text");
	assert_true(g_file_test(run, G_FILE_TEST_IS_EXECUTABLE));
	target = g_file_read_link(link, NULL);
	assert_string_equal(target, "run");
	bytes = spk_fs_read(binary, 100, &len, NULL);
	assert_int_equal(len, 3);
	assert_memory_equal(bytes, "\0\1\2", 3);
}

const struct CMUnitTest export_tests[] = {
	cmocka_unit_test(test_export),
	cmocka_unit_test_setup_teardown(test_playrepo, cmd_setup, cmd_teardown),
};
const size_t n_export_tests = G_N_ELEMENTS(export_tests);
