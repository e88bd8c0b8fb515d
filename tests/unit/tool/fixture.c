#include "test_tool.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"

static const char *const all_tools[] = { "file_read", "file_write",  "file_edit",
					 "file_list", "file_search", "shell",
					 "git",	      "finish",	     NULL };

static void put_below(const char *top, const char *path, const char *text, gsize len,
		      int mode)
{
	g_autofree char *full = g_build_filename(top, path, NULL);
	g_autofree char *folder = g_path_get_dirname(full);

	assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
	assert_true(g_file_set_contents_full(full, text, len, G_FILE_SET_CONTENTS_NONE,
					     mode, NULL));
	assert_int_equal(chmod(full, mode), 0);
}

static void put_repository(const char *top)
{
	static const char *const files[][2] = {
		{ "a.txt", "one\ntwo\nthree\n" },
		{ "src/main.c", "int main(void)\n{\n\treturn 0;\n}\n" },
		{ "src/util.h", "#define UTIL 1\n" },
		{ ".gitignore", "build/\n*.o\n" },
		{ "deep/1/2/3/4.txt", "bottom\n" },
		{ "deep/1/2/3/5.txt", "bottom\n" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		put_below(top, files[i][0], files[i][1], strlen(files[i][1]), 0644);
	put_below(top, "run.sh", "#!/bin/sh\n", 10, 0755);
}

static int setup(void **state, const char *subdir)
{
	static const char *const overrides[] = { "task.output_chars=2000", NULL };
	SpkConfSource source = { .overrides = overrides };
	Fixture *f = g_new0(Fixture, 1);
	g_autoptr(GError) error = NULL;
	g_autofree char *top = NULL, *folder = NULL, *home = NULL, *config = NULL;

	f->root = g_dir_make_tmp("spk-tool-XXXXXX", NULL);
	top = g_build_filename(f->root, "repo", NULL);
	home = g_build_filename(f->root, "home", NULL);
	folder = g_build_filename(top, subdir, NULL);
	put_repository(top);
	config = g_build_filename(f->root, "config.toml", NULL);
	assert_true(g_file_set_contents(config, "", 0, NULL));
	source.explicit_path = config;
	assert_int_equal(g_mkdir(home, 0700), 0);
	g_setenv("SPARKS_HOME", home, TRUE);
	g_setenv("SPARKS_BOX", TEST_SPARKS_BOX, TRUE);
	if (*subdir) {
		const char *const argv[] = { "git", "init", "-q", top, NULL };

		assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH,
					 NULL, NULL, NULL, NULL, NULL, NULL));
	}
	f->conf = spk_conf_load(&source, &error);
	f->tree = f->conf ? spk_tree_create(home, "t1", folder, &(SpkTreeLimits){ 0 },
					    NULL, &error)
			  : NULL;
	if (!f->tree)
		fail_msg("%s", error->message);
	f->work = spk_tree_work(f->tree);
	f->ctx = (SpkToolCtx){ .conf = f->conf,
			       .tree = f->tree,
			       .task = "t1",
			       .spill_dir = g_build_filename(home, "spill", "t1", NULL),
			       .step = 7 };
	*state = f;
	return 0;
}

int fixture_setup(void **state)
{
	return setup(state, "");
}

int fixture_setup_subdir(void **state)
{
	return setup(state, "src");
}

int fixture_teardown(void **state)
{
	Fixture *f = *state;

	spk_tool_result_clear(&f->last);
	spk_tree_free(f->tree);
	spk_box_free(f->box);
	spk_conf_unref(f->conf);
	assert_true(spk_fs_remove_tree(f->root, NULL));
	g_free((char *)f->ctx.spill_dir);
	g_free(f->root);
	g_free(f);
	return 0;
}

char *in_work(Fixture *f, const char *path)
{
	return g_build_filename(f->work, path, NULL);
}

void put(Fixture *f, const char *path, const char *text, gssize len)
{
	put_below(f->work, path, text, len < 0 ? strlen(text) : (gsize)len, 0644);
}

char *get(Fixture *f, const char *path)
{
	g_autofree char *full = in_work(f, path);
	char *text = NULL;

	return g_file_get_contents(full, &text, NULL, NULL) ? text : NULL;
}

void call(Fixture *f, const char *tool, const char *arguments)
{
	g_autofree char *json = g_strdelimit(g_strdup(arguments), "'", '"');
	g_autoptr(GError) error = NULL;

	spk_tool_result_clear(&f->last);
	if (!f->box && (!strcmp(tool, "shell") || !strcmp(tool, "git"))) {
		f->ctx.box = f->box = spk_box_open(f->conf, &error);
		if (!f->box)
			fail_msg("%s", error->message);
	}
	if (!spk_tool_call(&f->ctx, all_tools, tool, json, NULL, &f->last, &error))
		fail_msg("%s %s: %s", tool, arguments, error->message);
	assert_non_null(f->last.text);
}

const char *ok(Fixture *f, const char *tool, const char *arguments)
{
	call(f, tool, arguments);
	if (!f->last.ok)
		fail_msg("%s %s is refused: %s", tool, arguments, f->last.text);
	return f->last.text;
}

const char *bad(Fixture *f, const char *tool, const char *arguments, const char *words)
{
	call(f, tool, arguments);
	if (f->last.ok)
		fail_msg("%s %.200s should be refused: %s", tool, arguments,
			 f->last.text);
	has(f, words);
	return f->last.text;
}

void has(Fixture *f, const char *words)
{
	if (!strstr(f->last.text, words))
		fail_msg("\"%s\" is not in: %s", words, f->last.text);
}
