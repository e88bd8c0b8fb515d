/* No byte of a sensitive file is in the private copy: not as a file, not under another name, and
 * in no object that the box's git can see. Each row hides the word CANARY in its own way. */
#include "tree_fixture.h"

#include <string.h>

#include "base/error.h"
#include "guard/guard.h"

#define COMMIT "git add -Af; git commit -qm s; "

typedef struct {
	const char *name, *script; /* after small_repo() */
	const char *note;	   /* part of a note, or NULL */
} Row;

static const Row rows[] = {
	{ "in the work tree", "echo CANARY >.env", "Sensitive files: .env" },
	{ "ignored", "echo .env >.gitignore; echo CANARY >.env", NULL },
	{ "staged", "echo CANARY >.env; git add -f .env; rm .env", NULL },
	{ "in the base", "echo CANARY >.env; " COMMIT, "Sensitive files: .env" },
	{ "removed since", "echo CANARY >.env; " COMMIT "rm .env; " COMMIT, NULL },
	{ "changed since", "echo CANARY >k.pem; " COMMIT "echo x >k.pem; " COMMIT, NULL },
	{ "by the newest of two merged",
	  "git checkout -qb side; echo CANARY >.env; " COMMIT
	  "git checkout -q main; echo 3 >n; " COMMIT
	  "git merge -q -m m side; rm .env; " COMMIT,
	  NULL },
	{ "on a side that was merged and dropped",
	  "git checkout -qb side; echo CANARY >id_rsa; " COMMIT
	  "git checkout -q main; echo 3 >n; " COMMIT "git merge -q -s ours -m m side",
	  NULL },
	{ "made by the merge itself",
	  "git checkout -qb side; echo 4 >m; " COMMIT
	  "git checkout -q main; echo 3 >n; " COMMIT
	  "git merge -q --no-commit side; echo CANARY >.env; " COMMIT
	  "git rm -q --cached .env; rm .env; git commit -qm r",
	  NULL },
	{ "under a harmless name before",
	  "echo CANARY >settings; " COMMIT "git mv settings .env; " COMMIT, NULL },
	{ "under a harmless name since removed, too",
	  "echo CANARY >a0; echo CANARY >.env; " COMMIT "rm a0 .env; " COMMIT, NULL },
	{ "in a folder with a line break",
	  "mkdir \"$(printf 'x\\ny')\"; echo CANARY >\"$(printf 'x\\ny')/.env\"; " COMMIT
	  "git rm -qr .; git reset -q HEAD; git checkout -q a; " COMMIT,
	  NULL },
	{ "a folder of them", "mkdir -p h/.ssh; echo CANARY >h/.ssh/x; " COMMIT, NULL },
	{ "case", "mkdir c; echo CANARY >c/.ENV; echo CANARY >Server.PEM; " COMMIT,
	  NULL },
	{ "in the first commit",
	  "git checkout -q --orphan new; echo CANARY >.env; " COMMIT "rm .env; " COMMIT,
	  NULL },
	{ "in a stash, a tag and another branch",
	  "echo CANARY >.env; git add -f .env; git stash -q; git tag t stash@{0};"
	  "git branch other stash@{0}",
	  NULL },
	{ "changed many times",
	  "for i in 1 2 3 4 5; do echo CANARY $i >.env; " COMMIT "done; rm .env; " COMMIT,
	  NULL },
	{ "as a hard link", "echo .env >.gitignore; echo CANARY >.env; ln .env notes",
	  "hard links" },
	{ "as a hard link that is committed",
	  "echo .env >.gitignore; echo CANARY >.env; ln .env notes; git add notes .gitignore;"
	  "git commit -qm n",
	  "so is the history" },
	{ "as a hard link out of an ignored folder",
	  "echo priv/ >.gitignore; mkdir -p priv/deep; echo CANARY >priv/deep/x.key;"
	  "mkdir z; ln priv/deep/x.key z/x.txt",
	  "z/x.txt" },
	{ "as a hard link of a key in the home folder",
	  "mkdir -p $HOME/.ssh; echo CANARY >$HOME/.ssh/work; ln $HOME/.ssh/work notes",
	  "notes" },
	{ "as a hard link of a file in the home folder",
	  "echo CANARY >$HOME/.netrc; ln $HOME/.netrc notes", "notes" },
	{ "as what a symlink leads to",
	  "echo .env >.gitignore; echo CANARY >settings; ln -s settings .env",
	  "settings" },
	{ "as what a chain of symlinks leads to",
	  "echo CANARY >d/s; ln -s d/s one; ln -s one two; ln -s two .env; " COMMIT,
	  "d/s" },
	{ "among very many files",
	  "mkdir m; i=0; while [ $i -lt 5100 ]; do echo $i >m/$i; i=$((i+1)); done;"
	  "echo CANARY >.env; " COMMIT,
	  "Sensitive files: .env" },
};

/* Files of the copy, and what git says of every object below `folder`. */
static void look(Fixture *f, const char *name, const char *folder)
{
	static const char script[] =
		"grep -rlI CANARY --exclude-dir=.git . | head -3;"
		"for g in .git ../git; do GIT_DIR=$g git cat-file --batch-all-objects --batch"
		" | grep -ac CANARY | grep -v '^0$' || true; done";
	g_autofree char *found = sh(f, folder, script);

	if (*found)
		fail_msg("%s: %s", name, found);
}

static void nothing_of_them_gets_in(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		void *fixture = NULL;
		g_autofree char *objects = NULL;
		Fixture *f;

		assert_int_equal(fixture_setup(&fixture), 0);
		f = fixture;
		small_repo(f);
		in_repo(f, rows[i].script);
		{
			g_autoptr(SpkTree) tree = create_tree(f);

			look(f, rows[i].name, "home/trees/t1/work");
			if (rows[i].note && !has_note(tree, rows[i].note))
				fail_msg("%s: no note", rows[i].name);
			/* and git works there all the same */
			objects = sh(f, "home/trees/t1/work",
				     "git status --porcelain; git rev-parse HEAD; "
				     "git cat-file --batch-all-objects --batch-check | "
				     "grep -c commit");
			assert_non_null(strstr(objects, "\n"));
		}
		fixture_teardown(&fixture);
	}
}

/* The test would see it: without patterns all of it is there. */
static void without_the_list_all_is_there(void **state)
{
	Fixture *f = *state;
	SpkTreeLimits limits = { 0 };
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *found = NULL, *objects = NULL;

	small_repo(f);
	in_repo(f, "echo CANARY >.env; " COMMIT "rm .env; " COMMIT "echo CANARY >id_rsa");
	tree = spk_tree_create(f->home, "t1", f->repo, &limits, NULL, NULL);
	assert_non_null(tree);
	found = sh(f, "home/trees/t1/work", "grep -rl CANARY --exclude-dir=.git .");
	assert_string_equal(found, "./id_rsa");
	objects = sh(f, "home/trees/t1/work",
		     "git cat-file --batch-all-objects --batch | grep -ac CANARY");
	assert_string_equal(objects, "1");
}

/* Bytes that a plain file of the base has as well are no secret. */
static void examples_stay(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *shown = NULL;

	small_repo(f);
	in_repo(f, "echo KEY= >.env.example; cp .env.example .env; " COMMIT);
	tree = create_tree(f);
	shown = sh(f, "home/trees/t1/work",
		   "git show HEAD:.env.example; cat .env.example");
	assert_string_equal(shown, "KEY=\nKEY=");
}

static void the_operators_patterns(void **state)
{
	static const char *const patterns[] = { "vault/", "*.secret", "!open.secret",
						NULL };
	Fixture *f = *state;
	SpkTreeLimits limits = { .sensitive = patterns };
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *names = NULL;

	small_repo(f);
	in_repo(f, "mkdir vault; echo CANARY >vault/x; echo CANARY >y.secret; " COMMIT
		   "rm -r vault; echo open >open.secret; " COMMIT "ln y.secret z");
	tree = spk_tree_create(f->home, "t1", f->repo, &limits, NULL, NULL);
	assert_non_null(tree);
	look(f, "patterns of the operator", "home/trees/t1/work");
	names = sh(f, "home/trees/t1/work", "ls");
	assert_string_equal(names, "a\nd\nl\nopen.secret");
}

/* A folder that is no repository. */
static void plain_folders(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;

	in_repo(f, "echo CANARY >.env; ln .env notes; echo 1 >a");
	tree = create_tree(f);
	look(f, "a plain folder", "home/trees/t1/work");
	assert_true(has_note(tree, "notes"));
}

/* Folders that are lent are not copied: what they hold of it is hidden there, by every name. */
static void lent_folders_hide_links(void **state)
{
	static char node_modules[] = "node_modules", vendor[] = "vendor";
	static char *carry[] = { node_modules, vendor, NULL };
	static const char *const wanted[] = { "node_modules/p/.env",
					      "node_modules/p/a.txt", "vendor/b.txt",
					      "vendor/c.txt" };
	Fixture *f = *state;
	SpkTreeLimits limits = { .sensitive = spk_sensitive_patterns, .carry = carry };
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *hidden = NULL, *carried = NULL;

	small_repo(f);
	in_repo(f, "printf 'node_modules\\nvendor\\n.env\\n' >.gitignore; echo 1 >.env;"
		   "mkdir -p node_modules/p vendor; echo x >node_modules/p/.env;"
		   "ln node_modules/p/.env node_modules/p/a.txt; ln .env vendor/b.txt;"
		   "ln node_modules/p/.env vendor/c.txt; echo x >vendor/plain;"
		   "ln vendor/plain vendor/two");
	tree = spk_tree_create(f->home, "t1", f->repo, &limits, NULL, NULL);
	assert_non_null(tree);
	carried = g_strjoinv(" ", (char **)spk_tree_carried(tree));
	assert_string_equal(carried, "node_modules vendor");
	hidden = g_strjoinv(" ", (char **)spk_tree_hidden(tree));
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
		if (!g_strv_contains((const char *const *)spk_tree_hidden(tree),
				     wanted[i]))
			fail_msg("%s is not in %s", wanted[i], hidden);
	assert_int_equal(g_strv_length((char **)spk_tree_hidden(tree)), 4);
}

/* What was left out is neither removed from the result nor taken for a change. */
static void linked_files_are_no_change(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *raw = NULL, *names = NULL, *commit = NULL;
	g_autoptr(GPtrArray) changes = NULL;
	g_autoptr(GError) error = NULL;
	SpkTreeCommit how = { "m\n", "sparks/t1", G_USEC_PER_SEC };
	gboolean in_user_repo;

	small_repo(f);
	in_repo(f, "echo .env >.gitignore; echo CANARY >.env; ln .env notes; git add -A;"
		   "git commit -qm n");
	tree = create_tree(f);
	put_file(spk_tree_work(tree), "new", "1");
	raw = snap(tree, 1);
	changes = spk_tree_changes(tree, spk_tree_base(tree), raw, &error);
	assert_no_error(error);
	assert_int_equal(changes->len, 1);
	commit = spk_tree_commit(tree, raw, &how, &in_user_repo, NULL, &error);
	assert_no_error(error);
	names = sh(f, "repo",
		   "git ls-tree --name-only sparks/t1; git show sparks/t1:notes");
	assert_string_equal(names, ".gitignore\na\nd\nl\nnew\nnotes\nCANARY");
}

/* The branch of a task may be pushed: what the user had not committed is on it, but no secret. */
static void none_is_committed_for_the_user(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *raw = NULL, *shown = NULL, *commit = NULL;
	g_autoptr(GError) error = NULL;
	SpkTreeCommit how = { "m\n", "sparks/t1", G_USEC_PER_SEC };
	gboolean in_user_repo;

	small_repo(f);
	in_repo(f, "echo OLD >k.pem; " COMMIT "echo CANARY >k.pem; echo CANARY >.env;"
		   "mkdir h; echo CANARY >h/id_rsa; echo 9 >a");
	tree = create_tree(f);
	assert_true(has_note(tree, ".env, "));
	put_file(spk_tree_work(tree), "new", "1");
	put_file(spk_tree_work(tree), ".env", "MADE");
	raw = snap(tree, 1);
	commit = spk_tree_commit(tree, raw, &how, &in_user_repo, NULL, &error);
	assert_no_error(error);
	shown = sh(f, "repo",
		   "git ls-tree -r --name-only sparks/t1; git show sparks/t1:k.pem;"
		   "git show sparks/t1:a; cat .env; "
		   "git cat-file --batch-all-objects --batch | grep -ac CANARY || true");
	assert_string_equal(shown, "a\nd/b\nk.pem\nl\nnew\nOLD\n9\nCANARY\n0");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(nothing_of_them_gets_in),
	FIXTURE_TEST(without_the_list_all_is_there),
	FIXTURE_TEST(examples_stay),
	FIXTURE_TEST(the_operators_patterns),
	FIXTURE_TEST(plain_folders),
	FIXTURE_TEST(lent_folders_hide_links),
	FIXTURE_TEST(linked_files_are_no_change),
	FIXTURE_TEST(none_is_committed_for_the_user),
};
SUITE(secrets_suite, tests);
