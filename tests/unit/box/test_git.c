/* git as we run it: its environment, its answers, its failures. */
#include "tree_fixture.h"

#include <stdio.h>

#include "base/error.h"
#include "base/fs.h"
#include "box/git.h"

static char *git_dir(Fixture *f)
{
	return g_build_filename(f->repo, ".git", NULL);
}

static void answers_lines(void **state)
{
	Fixture *f = *state;
	g_autofree char *dir = git_dir(f), *line = NULL, *want = NULL;
	SpkGit git = { .git_dir = dir };
	g_autoptr(GError) error = NULL;

	small_repo(f);
	line = spk_git_line(&git, &error, "rev-parse", "HEAD", NULL);
	assert_no_error(error);
	want = sh(f, "repo", "git rev-parse HEAD");
	assert_string_equal(line, want);
}

static void feeds_input(void **state)
{
	static const char *const args[] = { "hash-object", "--stdin", NULL };
	SpkGit git = { 0 };
	g_autoptr(GString) out = NULL;

	assert_true(spk_git_run(&git, args, "a\0b", 3, 0, NULL, &out, NULL, NULL));
	assert_string_equal(out->str, "20b5be91886d0b6f26dc98a225c0dac05fe2c86e\n");
}

static void tells_the_first_error(void **state)
{
	Fixture *f = *state;
	static const char *const args[] = { "rev-parse", "--verify", "nothing", NULL };
	g_autofree char *dir = git_dir(f);
	SpkGit git = { .git_dir = dir };
	g_autoptr(GError) error = NULL;
	int status = 0;

	small_repo(f);
	assert_false(spk_git_run(&git, args, NULL, 0, 0, NULL, NULL, NULL, &error));
	assert_true(spk_error_is(error, SPK_ERR_GIT));
	assert_string_equal(error->message, "git rev-parse: Needed a single revision");
	assert_true(spk_git_run(&git, args, NULL, 0, 0, NULL, NULL, &status, NULL));
	assert_int_equal(status, 128);
}

static void bounds_the_answer(void **state)
{
	Fixture *f = *state;
	static const char *const args[] = { "cat-file", "blob", "HEAD:big", NULL };
	g_autofree char *dir = git_dir(f);
	SpkGit git = { .git_dir = dir };
	g_autoptr(GError) error = NULL;

	small_repo(f);
	in_repo(f, "head -c 5000 /dev/zero >big; git add .; git commit -qm b");
	assert_true(spk_git_run(&git, args, NULL, 0, 5000, NULL, NULL, NULL, &error));
	assert_false(spk_git_run(&git, args, NULL, 0, 4999, NULL, NULL, NULL, &error));
	assert_true(spk_error_is(error, SPK_ERR_LIMIT));
}

static void obeys_the_token(void **state)
{
	static const char *const args[] = { "version", NULL };
	SpkGit git = { 0 };
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	g_autoptr(GError) error = NULL;

	spk_cancel_fire(cancel, "test");
	assert_false(spk_git_run(&git, args, NULL, 0, 0, cancel, NULL, NULL, &error));
	assert_true(spk_error_is(error, SPK_ERR_CANCELLED));
}

static void takes_nothing_from_outside(void **state)
{
	Fixture *f = *state;
	g_autofree char *dir = git_dir(f), *name = NULL, *theirs = NULL;
	SpkGit git = { .git_dir = dir }, user = { .cwd = f->repo, .users_config = TRUE };

	small_repo(f);
	g_setenv("GIT_DIR", "/nonexistent", TRUE);
	g_setenv("GIT_CONFIG_COUNT", "1", TRUE);
	g_setenv("GIT_CONFIG_KEY_0", "user.name", TRUE);
	g_setenv("GIT_CONFIG_VALUE_0", "Eve", TRUE);
	name = spk_git_line(&git, NULL, "config", "--get", "--default=none", "user.name",
			    NULL);
	theirs = spk_git_line(&user, NULL, "config", "--get", "user.name", NULL);
	g_unsetenv("GIT_DIR");
	g_unsetenv("GIT_CONFIG_COUNT");
	g_unsetenv("GIT_CONFIG_KEY_0");
	g_unsetenv("GIT_CONFIG_VALUE_0");
	assert_string_equal(name, "none");
	assert_string_equal(theirs, "Ada");
}

static void reads_alternates_of_any_name(void **state)
{
	static const char *const names[] = { "a:b", "\"q\"", "#c", "sp ace",
					     "back\\slash" };
	Fixture *f = *state;
	g_autofree char *blob = NULL;

	small_repo(f);
	in_repo(f, "git init -q --bare $ROOT/own");
	blob = sh(f, "repo", "git rev-parse HEAD:a");
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *own = g_build_filename(f->root, "own", NULL);
		g_autofree char *from = g_build_filename(f->repo, ".git/objects", NULL);
		g_autofree char *to = g_build_filename(f->root, names[i], NULL);
		g_autofree char *type = NULL;
		const char *const alternates[] = { "/nonexistent", to, NULL };
		SpkGit git = { .git_dir = own, .alternates = alternates };
		g_autoptr(GError) error = NULL;

		assert_int_equal(rename(from, to), 0);
		type = spk_git_line(&git, &error, "cat-file", "-t", blob, NULL);
		assert_no_error(error);
		assert_string_equal(type, "blob");
		assert_int_equal(rename(to, from), 0);
	}
}

static const struct CMUnitTest tests[] = {
	FIXTURE_TEST(answers_lines),
	cmocka_unit_test(feeds_input),
	FIXTURE_TEST(tells_the_first_error),
	FIXTURE_TEST(bounds_the_answer),
	cmocka_unit_test(obeys_the_token),
	FIXTURE_TEST(takes_nothing_from_outside),
	FIXTURE_TEST(reads_alternates_of_any_name),
};
SUITE(git_suite, tests);
