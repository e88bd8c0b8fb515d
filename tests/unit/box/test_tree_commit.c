/* The result: a commit in the user's repository, or none and why. */
#include "tree_fixture.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

static const SpkTreeCommit how = {
	.message = "do it\n\nSparks-Task: t1\n",
	.branch = "sparks/t1",
	.time_us = G_GINT64_CONSTANT(1700000000) * G_USEC_PER_SEC,
};

static SpkTree *task_of(Fixture *f, const char *work, char **ret_raw)
{
	SpkTree *tree = create_tree(f);

	g_free(sh(f, "home/trees/t1/work", work));
	*ret_raw = snap(tree, 1);
	return tree;
}

static char *commit(SpkTree *tree, const char *raw)
{
	g_autoptr(GError) error = NULL;
	gboolean theirs = FALSE;
	char *sha = spk_tree_commit(tree, raw, &how, &theirs, NULL, &error);

	assert_no_error(error);
	assert_non_null(sha);
	assert_int_equal(theirs, spk_tree_is_git(tree));
	return sha;
}

static void commits_in_the_repository(void **state)
{
	Fixture *f = *state;
	g_autofree char *raw = NULL, *sha = NULL, *again = NULL, *got = NULL,
			*want = NULL;
	g_autofree char *user_tree = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	tree = task_of(f, "printf 9 >a; printf 3 >n; rm d/b", &raw);
	sha = commit(tree, raw);
	again = commit(tree, raw);
	assert_string_equal(sha, again);
	user_tree = spk_tree_user_tree(tree, raw, NULL, NULL);
	got = sh(f, "repo",
		 "git rev-parse sparks/t1 sparks/t1^{tree} sparks/t1^;"
		 "git log -1 --format='%an %ae %ad %B' sparks/t1;"
		 "git diff --name-status main sparks/t1; git status --porcelain;"
		 "git fsck --strict --full 2>&1");
	want = g_strdup_printf(
		"%s\n%s\n%s\nAda ada@example.org Tue Nov 14 22:13:20 2023 +0000 "
		"do it\n\nSparks-Task: t1\n\nM\ta\nD\td/b\nA\tn",
		sha, user_tree, spk_tree_base_commit(tree));
	assert_string_equal(got, want);
}

/* What a check saw and no checkout of the commit will have. Conversions that a checkout takes
 * back lose nothing. */
static void names_what_the_commit_loses(void **state)
{
	Fixture *f = *state;
	g_autofree char *raw = NULL, *back = NULL;
	g_autoptr(GPtrArray) lossy = NULL, none = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	tree = task_of(f,
		       "echo '*.i ident\n*.t text eol=lf\n*.c text eol=crlf\n"
		       "*.u working-tree-encoding=UTF-16LE-BOM' >.gitattributes;"
		       "printf '$Id: 5 $' >x.i; printf '5\\r\\n' >'n\nl.t';"
		       "printf '5\\r\\n' >same.c; printf 9 >a;"
		       "printf '\\377\\3765\\0' >same.u",
		       &raw);
	lossy = spk_tree_lossy(tree, raw, NULL, &error);
	assert_no_error(error);
	assert_int_equal(lossy->len, 2);
	assert_string_equal(lossy->pdata[0], "n\nl.t");
	assert_string_equal(lossy->pdata[1], "x.i");
	g_free(sh(f, "home/trees/t1/work", "rm x.i *.t"));
	back = snap(tree, 2);
	none = spk_tree_lossy(tree, back, NULL, &error);
	assert_no_error(error);
	assert_int_equal(none->len, 0);
}

/* The user's own changes are a commit of their own below the task's. */
static void keeps_own_changes_apart(void **state)
{
	Fixture *f = *state;
	g_autofree char *raw = NULL, *sha = NULL, *got = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	in_repo(f, "printf 8 >d/b; printf u >u; git add u");
	tree = task_of(f, "printf 9 >a", &raw);
	sha = commit(tree, raw);
	got = sh(
		f, "repo",
		"git log --format=%s sparks/t1; git diff --name-only sparks/t1^ sparks/t1;"
		"git status --porcelain; git fsck --strict --full 2>&1");
	assert_string_equal(got, "do it\nuncommitted changes before task t1\nfirst\na\n"
				 " M d/b\nA  u");
}

/* Conversions of the user's repository hold for what the task wrote, also by attributes that
 * the task itself changed. */
static void converts_as_their_git_would(void **state)
{
	Fixture *f = *state;
	g_autofree char *raw = NULL, *sha = NULL, *got = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	in_repo(f,
		"echo '*.txt text eol=crlf' >.gitattributes; mkdir s; printf 'x\\r\\n' >s/t.txt;"
		"git add .; git commit -qm c");
	tree = task_of(f,
		       "printf 'x\\r\\ny\\r\\n' >s/t.txt; printf 'z\\r\\n' >s/u.txt;"
		       "echo '*.dat text' >s/.gitattributes; printf 'w\\r\\n' >s/v.dat",
		       &raw);
	sha = commit(tree, raw);
	got = sh(
		f, "repo",
		"git show sparks/t1:s/t.txt sparks/t1:s/u.txt sparks/t1:s/v.dat | od -An -c |"
		"tr -s ' \\n' ' '");
	assert_string_equal(got, " x \\n y \\n z \\n w \\n");
}

static void keeps_what_it_did_not_see(void **state)
{
	Fixture *f = *state;
	g_autofree char *raw = NULL, *sha = NULL, *got = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	in_repo(f,
		"printf s >.env; git add -f .env; git commit -qm s; git init -q $ROOT/s;"
		"cd $ROOT/s; printf x >y; git add y; git commit -qm s; cd $ROOT/repo;"
		"git submodule --quiet add $ROOT/s m; git commit -qm m;"
		"git update-index --skip-worktree d/b; rm d/b");
	tree = task_of(f, "printf 9 >a; printf evil >.env; mkdir -p m; printf evil >m/z",
		       &raw);
	sha = commit(tree, raw);
	got = sh(
		f, "repo",
		"git diff --name-status main sparks/t1; git ls-tree sparks/t1 m | cut -c1-6");
	assert_string_equal(got, "M\ta\n160000");
}

static void file_and_folder_change_places(void **state)
{
	Fixture *f = *state;
	g_autofree char *raw = NULL, *sha = NULL, *got = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	tree = task_of(f,
		       "rm a; mkdir a; printf 3 >a/x; rm -r d; ln -s a d; chmod +x a/x",
		       &raw);
	sha = commit(tree, raw);
	got = sh(f, "repo", "git ls-tree -r sparks/t1 | cut -c1-6,53-");
	assert_string_equal(got, "100755\ta/x\n120000\td\n120000\tl");
}

static void commits_without_a_commit_below(void **state)
{
	Fixture *f = *state;
	g_autofree char *raw = NULL, *sha = NULL, *got = NULL;
	g_autoptr(SpkTree) tree = NULL;

	in_repo(f, "git init -q; printf 1 >a");
	tree = task_of(f, "printf 9 >a", &raw);
	sha = commit(tree, raw);
	got = sh(f, "repo",
		 "git log --format=%s sparks/t1; git fsck --strict --full 2>&1 |"
		 "grep -v notice || true; git status --porcelain");
	assert_string_equal(got, "do it\nuncommitted changes before task t1\n?? a");
}

static void commits_in_odd_repositories(void **state)
{
	static const char *const scripts[] = {
		"git init -q --object-format=sha256; printf 1 >a; git add a; git commit -qm x",
		"git init -q $ROOT/o; cd $ROOT/o; for i in 1 2 3; do printf $i >a; git add a;"
		"git commit -qm $i; done; cd $ROOT/repo; git clone -q --depth 2 file://$ROOT/o .",
		"git init -q $ROOT/o; cd $ROOT/o; printf 1 >a; git add a; git commit -qm x;"
		"cd $ROOT/repo; git clone -q --shared $ROOT/o .",
		"git init -q $ROOT/o; cd $ROOT/o; printf 1 >a; git add a; git commit -qm x;"
		"rmdir $ROOT/repo; git worktree add -q $ROOT/repo",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
		g_autofree char *raw = NULL, *sha = NULL, *got = NULL;
		g_autoptr(SpkTree) tree = NULL;
		void *fixture = NULL;
		Fixture *f;

		assert_int_equal(fixture_setup(&fixture), 0);
		f = fixture;
		g_free(sh(f, "", "true"));
		in_repo(f, scripts[i]);
		tree = task_of(f, "git log --oneline >/dev/null; printf 9 >a", &raw);
		sha = commit(tree, raw);
		got = sh(
			f, "repo",
			"git diff --stat HEAD sparks/t1 | tail -1; git fsck --full 2>&1");
		assert_string_equal(got,
				    " 1 file changed, 1 insertion(+), 1 deletion(-)");
		fixture_teardown(&fixture);
	}
}

static void plain_folders_keep_it_here(void **state)
{
	Fixture *f = *state;
	g_autofree char *raw = NULL, *sha = NULL, *got = NULL;
	g_autoptr(SpkTree) tree = NULL;

	in_repo(f, "printf 1 >a");
	tree = task_of(f, "printf 9 >a", &raw);
	sha = commit(tree, raw);
	got = sh(f, "home/trees/t1/git", "git --git-dir=. log --format=%s sparks/t1");
	assert_string_equal(got, "do it\nbase of task t1");
}

/* ---- refusals ---- */

static void says_why_not(void **state)
{
	static const struct {
		const char *script;
		const char *message;
	} rows[] = {
		{ "git branch sparks", "'refs/heads/sparks' exists" },
		{ "git branch sparks/t1/x", "sparks/t1" },
		{ "git branch sparks/t1", "sparks/t1 exists" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *raw = NULL, *sha = NULL;
		g_autoptr(SpkTree) tree = NULL;
		void *fixture = NULL;
		gboolean theirs;
		Fixture *f;

		assert_int_equal(fixture_setup(&fixture), 0);
		f = fixture;
		small_repo(f);
		tree = task_of(f, "printf 9 >a", &raw);
		in_repo(f, rows[i].script);
		sha = spk_tree_commit(tree, raw, &how, &theirs, NULL, &error);
		assert_null(sha);
		assert_true(spk_error_is(error, SPK_ERR_CONFLICT));
		if (!strstr(error->message, rows[i].message))
			fail_msg("%s", error->message);
		assert_non_null(spk_error_hint(error));
		fixture_teardown(&fixture);
	}
}

/* As a user that may not do everything: in a process of its own, for the tests run as root
 * as well. 0: it went as it should. */
static int as_nobody(Fixture *f, int (*body)(Fixture *))
{
	int status = -1;
	pid_t pid;

	g_free(sh(f, "",
		  "chmod 755 .; chown -R 65534 home repo user 2>/dev/null || true"));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(99);
		_exit(body(f));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static gboolean says(const GError *error, SpkErr code, const char *part)
{
	if (spk_error_is(error, code) && strstr(error->message, part))
		return TRUE;
	print_error("%s\n", error ? error->message : "no error");
	return FALSE;
}

static int read_only_body(Fixture *f)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *raw = NULL;
	g_autoptr(SpkTree) tree = task_of(f, "printf 9 >a", &raw);
	gboolean theirs;

	in_repo(f, "chmod -R a-w .git");
	g_free(spk_tree_commit(tree, raw, &how, &theirs, NULL, &error));
	in_repo(f, "chmod -R u+w .git");
	return says(error, SPK_ERR_READ_ONLY, ".git/objects/pack may not be written") ? 0
										      : 1;
}

static void read_only_repository_is_said(void **state)
{
	Fixture *f = *state;

	small_repo(f);
	assert_int_equal(as_nobody(f, read_only_body), 0);
}

static int unreadable_body(Fixture *f)
{
	g_autoptr(GError) error = NULL;
	SpkTree *tree = spk_tree_create(f->home, "t1", f->repo, NULL, NULL, &error);

	return !tree && says(error, SPK_ERR_GIT, "secret") ? 0 : 1;
}

static void unreadable_file_is_named(void **state)
{
	Fixture *f = *state;

	small_repo(f);
	in_repo(f, "touch d/secret; chmod 0 d/secret");
	assert_int_equal(as_nobody(f, unreadable_body), 0);
}

static int not_owner_body(Fixture *f)
{
	g_autoptr(GError) error = NULL;
	SpkTree *tree =
		spk_tree_create(f->home, "t1", "/proc/self/cwd", NULL, NULL, &error);

	return !tree &&
			       says(error, SPK_ERR_REPO_UNSUPPORTED,
				    "belongs to another user") &&
			       strstr(spk_error_hint(error), "safe.directory")
		       ? 0
		       : 1;
}

static void foreign_repository_is_refused(void **state)
{
	Fixture *f = *state;
	g_autofree char *foreign = g_build_filename(f->root, "foreign", NULL);

	if (geteuid() != 0)
		return; /* nobody else to own it */
	small_repo(f);
	g_free(sh(f, "", "cp -r repo foreign"));
	assert_int_equal(chdir(foreign), 0);
	assert_int_equal(as_nobody(f, not_owner_body), 0);
	assert_int_equal(chdir("/"), 0);
}

static const struct CMUnitTest tests[] = {
	FIXTURE_TEST(commits_in_the_repository),
	FIXTURE_TEST(names_what_the_commit_loses),
	FIXTURE_TEST(keeps_own_changes_apart),
	FIXTURE_TEST(converts_as_their_git_would),
	FIXTURE_TEST(keeps_what_it_did_not_see),
	FIXTURE_TEST(file_and_folder_change_places),
	FIXTURE_TEST(commits_without_a_commit_below),
	cmocka_unit_test(commits_in_odd_repositories),
	FIXTURE_TEST(plain_folders_keep_it_here),
	cmocka_unit_test(says_why_not),
	FIXTURE_TEST(read_only_repository_is_said),
	FIXTURE_TEST(unreadable_file_is_named),
	FIXTURE_TEST(foreign_repository_is_refused),
};
SUITE(commit_suite, tests);
