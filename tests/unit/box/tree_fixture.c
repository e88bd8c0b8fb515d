#include "tree_fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "guard/guard.h"
#include "net/child.h"

static void write_user_config(const Fixture *f)
{
	put_file(f->root, "user/.gitconfig",
		 "[user]\n\tname = Ada\n\temail = ada@example.org\n"
		 "[init]\n\tdefaultBranch = main\n"
		 "[protocol \"file\"]\n\tallow = always\n"
		 "[advice]\n\tdetachedHead = false\n");
}

int fixture_setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	g_autofree char *user = NULL;

	f->root = g_dir_make_tmp("sparks-tree-XXXXXX", NULL);
	f->home = g_build_filename(f->root, "home", NULL);
	f->repo = g_build_filename(f->root, "repo", NULL);
	user = g_build_filename(f->root, "user", NULL);
	if (!spk_fs_mkdirs(f->home, 0755, NULL) || !spk_fs_mkdirs(f->repo, 0755, NULL) ||
	    !spk_fs_mkdirs(user, 0755, NULL))
		return -1;
	f->old_home = g_strdup(g_getenv("HOME"));
	g_setenv("HOME", user, TRUE);
	g_unsetenv("XDG_CONFIG_HOME");
	write_user_config(f);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	Fixture *f = *state;
	gboolean ok = spk_fs_remove_tree(f->root, NULL);

	if (f->old_home)
		g_setenv("HOME", f->old_home, TRUE);
	g_free(f->root);
	g_free(f->home);
	g_free(f->repo);
	g_free(f->old_home);
	g_free(f);
	return ok ? 0 : -1;
}

char *sh(Fixture *f, const char *folder, const char *script)
{
	g_autofree char *cwd = g_build_filename(f->root, folder, NULL);
	g_autofree char *path = g_strconcat("PATH=", g_getenv("PATH"), NULL);
	g_autofree char *home = g_strconcat("HOME=", g_getenv("HOME"), NULL);
	g_autofree char *root = g_strconcat("ROOT=", f->root, NULL);
	g_auto(SpkChildResult) result = { 0 };
	g_autoptr(GError) error = NULL;
	SpkChildSpec spec = {
		.argv = (const char *const[]){ "/bin/sh", "-ec", script, NULL },
		.env = (const char *const[]){ path, home, root, "GIT_CONFIG_NOSYSTEM=1",
					      NULL },
		.cwd = cwd,
		.max_out = 4 << 20,
	};
	gboolean ran = spk_child_run(&spec, NULL, &result, &error);

	assert_no_error(error);
	assert_true(ran);
	if (result.exit_code)
		print_error("%s\n%s%s\n", script, result.out->str, result.err->str);
	assert_int_equal(result.exit_code, 0);
	g_strchomp(result.out->str);
	return g_strdup(result.out->str);
}

void in_repo(Fixture *f, const char *script)
{
	g_free(sh(f, "repo", script));
}

void small_repo(Fixture *f)
{
	in_repo(f,
		"git init -q; printf 1 >a; mkdir d; printf 2 >d/b; chmod +x d/b; ln -s a l;"
		"git add .; git commit -qm first");
}

/* ---- listing ---- */

static int by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *describe(const char *path, const char *name, const struct stat *st)
{
	g_autofree char *text = NULL;
	char target[256] = "";

	if (S_ISLNK(st->st_mode)) {
		assert_true(readlink(path, target, sizeof(target) - 1) >= 0);
		return g_strdup_printf("%s->%s", name, target);
	}
	if (!S_ISREG(st->st_mode))
		return g_strdup_printf("%s?", name);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return g_strdup_printf("%s%s=%s", name, st->st_mode & S_IXUSR ? "*" : "", text);
}

static void list_into(GPtrArray *rows, const char *top, const char *below)
{
	g_autofree char *folder = g_build_filename(top, below, NULL);
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;
	guint n = 0;

	assert_non_null(dir);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autofree char *relative = *below ? g_strconcat(below, "/", name, NULL)
						   : g_strdup(name);
		struct stat st;

		if (!*below && !strcmp(name, ".git"))
			continue;
		n++;
		assert_int_equal(lstat(path, &st), 0);
		if (S_ISDIR(st.st_mode))
			list_into(rows, top, relative);
		else
			g_ptr_array_add(rows, describe(path, relative, &st));
	}
	g_dir_close(dir);
	if (!n && *below)
		g_ptr_array_add(rows, g_strconcat(below, "/", NULL));
}

char *listing(const char *folder)
{
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);

	list_into(rows, folder, "");
	g_ptr_array_sort(rows, by_text);
	g_ptr_array_add(rows, NULL);
	return g_strjoinv(" ", (char **)rows->pdata);
}

void put_file(const char *folder, const char *path, const char *text)
{
	g_autofree char *full = g_build_filename(folder, path, NULL);

	assert_true(g_file_set_contents_full(full, text, -1, G_FILE_SET_CONTENTS_NONE,
					     0644, NULL));
}

char *get_file(const char *folder, const char *path)
{
	g_autofree char *full = g_build_filename(folder, path, NULL);
	char *text = NULL;

	(void)g_file_get_contents(full, &text, NULL, NULL);
	return text;
}

/* ---- trees ---- */

SpkTree *create_tree(Fixture *f)
{
	SpkTreeLimits limits = { .sensitive = spk_sensitive_patterns };
	g_autoptr(GError) error = NULL;
	SpkTree *tree = spk_tree_create(f->home, "t1", f->repo, &limits, NULL, &error);

	assert_no_error(error);
	assert_non_null(tree);
	return tree;
}

char *snap(SpkTree *tree, gint64 step)
{
	g_autoptr(GError) error = NULL;
	char *raw = spk_tree_snapshot(tree, step, NULL, &error);

	assert_no_error(error);
	assert_non_null(raw);
	return raw;
}

gboolean has_note(SpkTree *tree, const char *part)
{
	for (const char *const *note = spk_tree_notes(tree); *note; note++)
		if (strstr(*note, part))
			return TRUE;
	return FALSE;
}
