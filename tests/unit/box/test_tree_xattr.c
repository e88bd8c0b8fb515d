/* What apply and undo leave of extended attributes, and of the folders that they take along. */
#include "tree_fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"

static void set_attribute(const char *folder, const char *path, const char *name,
			  const char *value)
{
	g_autofree char *file = g_build_filename(folder, path, NULL);

	assert_int_equal(setxattr(file, name, value, strlen(value), 0), 0);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "NAME=VALUE …" of what is there, sorted; "-": nothing is. */
static char *attributes(const char *folder, const char *path)
{
	g_autofree char *file = g_build_filename(folder, path, NULL);
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
	char names[4096], value[4096];
	ssize_t len = llistxattr(file, names, sizeof(names));

	if (len < 0)
		return g_strdup("-");
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		ssize_t n = lgetxattr(file, name, value, sizeof(value));

		if (g_str_has_prefix(name, "user."))
			g_ptr_array_add(all,
					g_strdup_printf("%s=%.*s", name, (int)n, value));
	}
	g_ptr_array_sort(all, by_name);
	g_ptr_array_add(all, NULL);
	return g_strjoinv(" ", (char **)all->pdata);
}

static void assert_attributes(Fixture *f, const char *path, const char *want)
{
	g_autofree char *got = attributes(f->repo, path);

	assert_string_equal(got, want);
}

/* FALSE: this file system has none. */
static gboolean has_attributes(Fixture *f)
{
	g_autofree char *file = g_build_filename(f->repo, "a", NULL);

	return setxattr(file, "user.one", "1", 1, 0) == 0 || errno != ENOTSUP;
}

static SpkTree *task_of(Fixture *f, const char *work, char **ret_raw)
{
	SpkTree *tree = create_tree(f);
	g_autofree char *script =
		g_strdup_printf("cd '%s'; %s", spk_tree_work(tree), work);

	g_free(sh(f, "repo", script));
	*ret_raw = snap(tree, 1);
	return tree;
}

static void apply(SpkTree *tree, const char *raw, SpkTreeApplied *applied)
{
	static const SpkTreeApply plain = { 0 };
	g_autoptr(GError) error = NULL;

	(void)spk_tree_apply(tree, raw, &plain, NULL, NULL, NULL, applied, &error);
	assert_no_error(error);
}

static void undo(SpkTree *tree, json_t *record)
{
	g_auto(SpkTreeApplied) undone = { 0 };
	g_autoptr(GError) error = NULL;

	(void)spk_tree_undo(tree, record, NULL, &undone, &error);
	assert_no_error(error);
}

static void attributes_stay_and_come_back(void **state)
{
	Fixture *f = *state;
	g_auto(SpkTreeApplied) applied = { 0 };
	g_autofree char *raw = NULL, *copied = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	if (!has_attributes(f))
		skip();
	/* an untracked file, too */
	in_repo(f, "printf 5 >u; chmod 640 u");
	set_attribute(f->repo, "u", "user.note", "two words");
	set_attribute(f->repo, "d/b", "user.b", "");
	tree = task_of(f, "printf 9 >a; rm u; rm d/b; ln -s a d/b", &raw);
	copied = attributes(spk_tree_work(tree), "a");
	assert_string_equal(copied, "user.one=1");
	apply(tree, raw, &applied);
	assert_attributes(f, "a", "user.one=1");
	assert_attributes(f, "u", "-");
	assert_attributes(f, "d/b", "");
	/* what is done since is none of our business */
	set_attribute(f->repo, "a", "user.later", "2");
	undo(tree, applied.record);
	assert_attributes(f, "a", "user.later=2 user.one=1");
	assert_attributes(f, "u", "user.note=two words");
	assert_attributes(f, "d/b", "user.b=");
}

static void folders_come_back_as_they_were(void **state)
{
	Fixture *f = *state;
	g_auto(SpkTreeApplied) applied = { 0 };
	g_autofree char *raw = NULL, *modes = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	if (!has_attributes(f))
		skip();
	in_repo(f, "mkdir -p x/y/z; printf 1 >x/y/z/f; printf 2 >x/g; chmod 700 x/y; "
		   "chmod 750 x/y/z; chmod 600 x/y/z/f");
	set_attribute(f->repo, "x/y", "user.y", "folder");
	set_attribute(f->repo, "x/y/z/f", "user.f", "file");
	tree = task_of(f, "rm -r x/y", &raw);
	apply(tree, raw, &applied);
	assert_attributes(f, "x/y", "-");
	undo(tree, applied.record);
	assert_attributes(f, "x/y", "user.y=folder");
	assert_attributes(f, "x/y/z/f", "user.f=file");
	modes = sh(f, "repo", "stat -c '%a %n' x x/y x/y/z x/y/z/f x/g");
	assert_string_equal(strchr(modes, '\n'),
			    "\n700 x/y\n750 x/y/z\n600 x/y/z/f\n644 x/g");
}

static void access_lists_come_back(void **state)
{
	Fixture *f = *state;
	g_auto(SpkTreeApplied) applied = { 0 };
	g_autofree char *raw = NULL, *file = NULL;
	g_autoptr(SpkTree) tree = NULL;
	/* version 2; user rw, user 12345 r, group r, mask r, others none */
	static const guchar list[] = {
		2, 0,	 0,    0,   1,	 0,   6,  0, 255, 255, 255, 255, 2,   0,   4,
		0, 0x39, 0x30, 0,   0,	 4,   0,  4, 0,	  255, 255, 255, 255, 16,  0,
		4, 0,	 255,  255, 255, 255, 32, 0, 0,	  0,   255, 255, 255, 255,
	};
	guchar got[256];

	small_repo(f);
	file = g_build_filename(f->repo, "a", NULL);
	if (setxattr(file, "system.posix_acl_access", list, sizeof(list), 0) < 0)
		skip();
	tree = task_of(f, "rm a", &raw);
	apply(tree, raw, &applied);
	undo(tree, applied.record);
	assert_int_equal(getxattr(file, "system.posix_acl_access", got, sizeof(got)),
			 sizeof(list));
	assert_memory_equal(got, list, sizeof(list));
}

static const struct CMUnitTest tests[] = {
	FIXTURE_TEST(attributes_stay_and_come_back),
	FIXTURE_TEST(folders_come_back_as_they_were),
	FIXTURE_TEST(access_lists_come_back),
};
SUITE(xattr_suite, tests);
