/* `sparks demo --prepare DIR`: for tests, and for people who want to look around. */
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/demo/demo_run.h"
#include "llm/play.h"

/* The words that give the demo's task, as a JSON array. */
static json_t *command_words(const SpkDemo *world, GError **error)
{
	g_autoptr(SpkPlay) play = spk_play_load(world->play, error);
	g_autofree char *model = g_strconcat("script:", world->play, NULL);
	const json_t *header, *check;
	json_t *words;
	size_t i;

	if (!play)
		return NULL;
	header = spk_play_header(play);
	words = json_pack("[s,O,s,s,s,s]", "do", json_object_get(header, "goal"),
			  "--repo", world->repo, "--model", model);
	json_array_foreach(json_object_get(json_object_get(header, "options"), "checks"),
			   i, check) {
		json_array_append_new(words, json_string("--check"));
		json_array_append(words, (json_t *)check);
	}
	return words;
}

static void print_words(const json_t *words)
{
	const json_t *word;
	size_t i;

	fputs("sparks", stdout);
	json_array_foreach(words, i, word) {
		g_autofree char *quoted = g_shell_quote(json_string_value(word));

		printf(" %s", quoted);
	}
	putchar('\n');
}

int spk_demo_prepare_only(const char *folder, gboolean json)
{
	g_autofree char *path = g_canonicalize_filename(folder, NULL);
	g_auto(SpkDemo) world = { .listener = -1 };
	g_autoptr(GError) error = NULL;
	g_autofree char *command = g_build_filename(path, "command", NULL), *text = NULL;
	g_autoptr(json_t) words = NULL;

	if (spk_fs_mkdirs(path, 0755, &error) &&
	    spk_demo_prepare(&world, path, FALSE, &error))
		words = command_words(&world, &error);
	text = words ? spk_json_dump(words) : NULL;
	if (!text || !spk_fs_write_atomic(command, text, strlen(text), 0644, &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	if (json)
		spk_cmd_print_json(words);
	else
		print_words(words);
	return 0;
}
