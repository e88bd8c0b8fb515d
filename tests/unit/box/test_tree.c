/* The private copy: what a snapshot of the user's folder holds, table by table. */
#include "tree_fixture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"

typedef struct {
	const char *name;
	const char *script; /* after small_repo(), unless `bare` says there is none */
	const char *work;   /* listing of work/ */
	const char *note;   /* part of a note; NULL: there is none at all */
	gboolean dirty;	    /* the base is a commit on top of HEAD */
} Snapshot;

static const Snapshot snapshots[] = {
	{ "clean", "", "a=1 d/b*=2 l->a" },
	{ "changed", "printf 9 >a", "a=9 d/b*=2 l->a", .dirty = TRUE },
	{ "staged", "printf 9 >a; git add a; printf 3 >n; git add n",
	  "a=9 d/b*=2 l->a n=3", .dirty = TRUE },
	{ "staged and changed again", "printf 8 >a; git add a; printf 9 >a",
	  "a=9 d/b*=2 l->a", .dirty = TRUE },
	{ "removed", "rm d/b", "a=1 l->a", .dirty = TRUE },
	{ "untracked and ignored",
	  "echo '*.o' >.git/info/exclude; touch x.o; printf 3 >n", "a=1 d/b*=2 l->a n=3",
	  .dirty = TRUE },
	{ "ignored by the user's own list",
	  "mkdir -p $HOME/.config/git; echo '*.swp' >$HOME/.config/git/ignore; touch x.swp",
	  "a=1 d/b*=2 l->a" },
	{ "ignored and tracked", "echo a >.gitignore; git add .; git commit -qm i",
	  ".gitignore=a\n a=1 d/b*=2 l->a" },
	{ "detached HEAD", "git checkout -q --detach", "a=1 d/b*=2 l->a" },
	{ "mode changed", "chmod +x a", "a*=1 d/b*=2 l->a", .dirty = TRUE },
	{ "file became folder", "rm a; mkdir a; printf 3 >a/x", "a/x=3 d/b*=2 l->a",
	  .dirty = TRUE },
	{ "folder became link", "mv d e; ln -s e d", "a=1 d->e e/b*=2 l->a",
	  .dirty = TRUE },
	{ "links in, out and nowhere",
	  "ln -s d/b in; ln -s /etc/passwd out; ln -s none nowhere; git add .; git commit -qm l",
	  "a=1 d/b*=2 in->d/b l->a nowhere->none out->/etc/passwd" },
	{ "names",
	  "printf 1 >'a b'; printf 2 >\"$(printf 'n\\nl')\"; printf 3 >./-x;"
	  "printf 4 >\"$(printf '\\377')\"; printf 5 >':(top)y'; git add .;"
	  "git commit -qm n",
	  "-x=3 :(top)y=5 a b=1 a=1 d/b*=2 l->a n\nl=2 \377=4" },
	{ "empty folder", "mkdir e", "a=1 d/b*=2 l->a" },
	{ "sensitive",
	  "printf s >.env; printf k >d/x.pem; git add -f .env; git commit -qm s",
	  "a=1 d/b*=2 l->a", "Sensitive files: .env, d/x.pem" },
	{ "CRLF kept as it is on disk",
	  "echo '*.txt text eol=crlf' >.gitattributes; printf 'x\\r\\n' >t.txt;"
	  "git add .; git commit -qm c",
	  ".gitattributes=*.txt text eol=crlf\n a=1 d/b*=2 l->a t.txt=x\r\n" },
	{ "autocrlf of the user",
	  "git config core.autocrlf true; printf 'x\\r\\n' >t;"
	  "git add t; git commit -qm c",
	  "a=1 d/b*=2 l->a t=x\r\n" },
	{ "assume-unchanged", "git update-index --assume-unchanged a; printf 9 >a",
	  "a=9 d/b*=2 l->a" },
	{ "intent to add", "printf 3 >n; git add -N n", "a=1 d/b*=2 l->a n=3",
	  .dirty = TRUE },
	{ "split index", "git update-index --split-index; printf 9 >a", "a=9 d/b*=2 l->a",
	  .dirty = TRUE },
	{ "sparse checkout", "git sparse-checkout set --no-cone '/*' '!/d'", "a=1 l->a",
	  "1 files are not checked out" },
	{ "FIFO", "mkfifo f", "a=1 d/b*=2 l->a", "Neither files nor links: f" },
	{ "nested repository", "git init -q n; printf x >n/y", "a=1 d/b*=2 l->a",
	  "Repositories inside of this one: n" },
	{ "submodule",
	  "git init -q $ROOT/s; cd $ROOT/s; printf x >y; git add y; git commit -qm s;"
	  "cd $ROOT/repo; git submodule --quiet add $ROOT/s m; git commit -qm m;"
	  "rm .gitmodules; git checkout -q .gitmodules",
	  NULL, "Submodules: m." },
};

static void takes_snapshots(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(snapshots); i++) {
		const Snapshot *row = &snapshots[i];
		void *fixture = NULL;
		Fixture *f;
		g_autofree char *got = NULL, *head = NULL, *before = NULL, *after = NULL;
		static const char status[] = "git -c core.fsmonitor= status --porcelain; "
					     "git ls-files -s; git rev-parse HEAD";

		assert_int_equal(fixture_setup(&fixture), 0);
		f = fixture;
		small_repo(f);
		in_repo(f, row->script);
		before = sh(f, "repo", status);
		{
			g_autoptr(SpkTree) tree = create_tree(f);

			got = listing(spk_tree_work(tree));
			head = sh(f, "repo", "git rev-parse HEAD");
			if (row->work && strcmp(got, row->work))
				print_error("%s\n", row->name);
			if (row->work)
				assert_string_equal(got, row->work);
			if (row->note ? !has_note(tree, row->note)
				      : *spk_tree_notes(tree) != NULL)
				fail_msg("%s: notes", row->name);
			if (row->dirty != (strcmp(spk_tree_base_commit(tree), head) != 0))
				fail_msg("%s: base commit", row->name);
		}
		after = sh(f, "repo", status);
		assert_string_equal(before, after);
		fixture_teardown(&fixture);
	}
}

/* What git itself would commit is the user tree of the base. */
static void base_is_what_git_would_commit(void **state)
{
	Fixture *f = *state;
	g_autofree char *want = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	in_repo(f,
		"echo '*.txt text' >.gitattributes; printf 'x\\r\\n' >t.txt; printf 3 >d/n;"
		"rm a; chmod -x d/b");
	tree = create_tree(f);
	in_repo(f, "git add -A; git commit -qm x");
	want = sh(f, "repo", "git rev-parse HEAD^{tree}");
	assert_string_equal(spk_tree_base_user(tree), want);
}

static void handles_a_plain_folder(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *got = NULL, *kept = NULL;

	in_repo(f,
		"printf 1 >a; mkdir d; printf 2 >d/b; echo '*.o' >.gitignore; touch x.o");
	tree = create_tree(f);
	got = listing(spk_tree_work(tree));
	assert_string_equal(got, ".gitignore=*.o\n a=1 d/b=2");
	assert_false(spk_tree_is_git(tree));
	assert_null(spk_tree_base_commit(tree));
	assert_string_equal(spk_tree_base(tree), spk_tree_base_user(tree));
	kept = sh(f, "repo", "test ! -e .git; ls -A | wc -l");
	assert_string_equal(kept, "4");
}

/* A task in the folder that our own state lies in. */
static void leaves_our_own_state_out(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *got = NULL;

	in_repo(f, "printf 1 >a; touch $ROOT/home/store.db");
	tree = spk_tree_create(f->home, "t1", f->root, NULL, NULL, &error);
	assert_no_error(error);
	got = sh(f, "home/trees/t1/work", "ls");
	assert_string_equal(got, "repo\nuser");
}

static void ids_are_names(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	small_repo(f);
	assert_null(spk_tree_create(f->home, "../repo", f->repo, NULL, NULL, &error));
	assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
	assert_null(spk_tree_open(f->home, "", NULL));
	in_repo(f, "test -f a");
}

static void handles_no_commit_yet(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *got = NULL;

	in_repo(f, "git init -q; printf 1 >a; git add a; printf 2 >b");
	tree = create_tree(f);
	got = listing(spk_tree_work(tree));
	assert_string_equal(got, "a=1 b=2");
	assert_non_null(spk_tree_base_commit(tree));
}

static void handles_sha256(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *raw = NULL;

	in_repo(f,
		"git init -q --object-format=sha256; printf 1 >a; git add a; git commit -qm x");
	tree = create_tree(f);
	raw = snap(tree, 1);
	assert_int_equal(strlen(raw), 64);
	assert_string_equal(raw, spk_tree_base(tree));
}

static void takes_the_whole_repository(void **state)
{
	Fixture *f = *state;
	g_autofree char *below = g_build_filename(f->repo, "d", NULL);
	g_autofree char *got = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	tree = spk_tree_create(f->home, "t1", below, NULL, NULL, &error);
	assert_no_error(error);
	assert_string_equal(spk_tree_subdir(tree), "d");
	got = listing(spk_tree_work(tree));
	assert_string_equal(got, "a=1 d/b*=2 l->a");
}

static void handles_a_linked_worktree(void **state)
{
	Fixture *f = *state;
	g_autofree char *linked = g_build_filename(f->root, "linked", NULL);
	g_autofree char *got = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	in_repo(f, "git worktree add -q $ROOT/linked; printf 5 >$ROOT/linked/n");
	tree = spk_tree_create(f->home, "t1", linked, NULL, NULL, &error);
	assert_no_error(error);
	got = listing(spk_tree_work(tree));
	assert_string_equal(got, "a=1 d/b*=2 l->a n=5");
}

/* Pointers of files nobody touched stay pointers, though no filter is run. */
static void keeps_filtered_blobs(void **state)
{
	Fixture *f = *state;
	g_autofree char *got = NULL, *head = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	in_repo(f,
		"git config filter.up.clean 'tr a-z A-Z'; git config filter.up.smudge 'tr A-Z a-z';"
		"echo '*.big filter=up' >.gitattributes; printf abc >x.big;"
		"touch -d '1 hour ago' x.big; git add .; git commit -qm f");
	tree = create_tree(f);
	got = listing(spk_tree_work(tree));
	head = sh(f, "repo", "git rev-parse HEAD");
	assert_string_equal(got,
			    ".gitattributes=*.big filter=up\n a=1 d/b*=2 l->a x.big=abc");
	assert_string_equal(spk_tree_base_commit(tree), head);
	assert_true(has_note(tree, "git filter (such as LFS): x.big"));
}

/* A clone made a moment ago, and a file only touched: git has to compare contents. */
static void knows_lfs_content_by_its_pointer(void **state)
{
	Fixture *f = *state;
	g_autofree char *head = NULL, *changed = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	in_repo(f,
		"git config filter.lfs.clean \"$ROOT/lfs\"; git config filter.lfs.required true;"
		"printf '#!/bin/sh\\nT=$(mktemp); cat >$T; S=$(sha256sum <$T | cut -c1-64);"
		"printf \"version https://git-lfs.github.com/spec/v1\\\\n"
		"oid sha256:$S\\\\nsize $(stat -c %%s $T)\\\\n\"; rm $T' >$ROOT/lfs;"
		"chmod +x $ROOT/lfs; echo '*.big filter=lfs' >.gitattributes;"
		"printf abc >x.big; printf def >y.big; git add .; git commit -qm f;"
		"git show HEAD:x.big | grep -q 'size 3'; touch -d '1 hour ago' x.big");
	tree = create_tree(f);
	head = sh(f, "repo", "git rev-parse HEAD");
	assert_string_equal(spk_tree_base_commit(tree), head);
	g_clear_pointer(&tree, spk_tree_free);
	in_repo(f, "printf ABC >x.big");
	tree = create_tree(f);
	changed = sh(
		f, "home/trees/t1",
		"git --git-dir=user ls-tree -r --name-only "
		"$(git --git-dir=user write-tree) | wc -l; git --git-dir=user show :x.big");
	assert_string_equal(changed, "6\nABC");
}

static void carries_large_files(void **state)
{
	Fixture *f = *state;
	g_autofree char *same = NULL, *raw = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	in_repo(f, "head -c 52428800 /dev/zero >big");
	tree = create_tree(f);
	same = sh(f, "", "cmp repo/big home/trees/t1/work/big; echo same");
	assert_string_equal(same, "same");
	raw = snap(tree, 1);
	assert_string_equal(raw, spk_tree_base(tree));
}

/* ---- refusals ---- */

static const struct {
	const char *script;
	SpkErr code;
	const char *message;
} refusals[] = {
	{ "git init -q --bare", SPK_ERR_REPO_UNSUPPORTED, "bare repository" },
	{ "git init -q; printf 1 >a; git add a; git commit -qm x; git checkout -qb o;"
	  "printf 2 >a; git commit -qam o; git checkout -q main; printf 3 >a; git commit -qam m;"
	  "git merge o >/dev/null || true",
	  SPK_ERR_REPO_UNSUPPORTED, "a has unresolved conflicts" },
	{ "git init -q; git config core.worktree /etc", SPK_ERR_REPO_UNSUPPORTED,
	  "elsewhere" },
	{ "git init -q; git config core.worktree $ROOT", SPK_ERR_REPO_UNSUPPORTED,
	  "core.worktree" },
	{ "git init -q; for i in 1 2 3 4 5; do touch $i; done", SPK_ERR_LIMIT,
	  "5 files" },
	{ "git init -q; head -c 2000 /dev/zero >a", SPK_ERR_LIMIT, "untracked" },
	{ "git init -q; head -c 2000 /dev/zero >a; git add a; git commit -qm x",
	  SPK_ERR_LIMIT, "more than" },
	{ "echo 'gitdir: /nonexistent' >.git", SPK_ERR_GIT, "not a git repository" },
};

static void refuses_with_a_reason(void **state)
{
	SpkTreeLimits limits = { .max_files = 4, .max_bytes = 1000 };

	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *dir = NULL;
		void *fixture = NULL;
		Fixture *f;

		assert_int_equal(fixture_setup(&fixture), 0);
		f = fixture;
		in_repo(f, refusals[i].script);
		assert_null(
			spk_tree_create(f->home, "t1", f->repo, &limits, NULL, &error));
		if (!spk_error_is(error, refusals[i].code) ||
		    !strstr(error->message, refusals[i].message))
			fail_msg("%s: %s", refusals[i].script, error->message);
		dir = g_build_filename(f->home, "trees/t1", NULL);
		assert_false(g_file_test(dir, G_FILE_TEST_EXISTS));
		fixture_teardown(&fixture);
	}
}

static void half_made_trees_are_made_anew(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *got = NULL;

	small_repo(f);
	g_free(sh(f, "home",
		  "mkdir -p trees/t1/work/old trees/t1/git; touch trees/t1/work/x"));
	assert_null(spk_tree_open(f->home, "t1", &error));
	assert_true(spk_error_is(error, SPK_ERR_NOT_FOUND));
	tree = create_tree(f);
	got = listing(spk_tree_work(tree));
	assert_string_equal(got, "a=1 d/b*=2 l->a");
}

static void opens_what_it_made(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTree) tree = NULL, again = NULL;

	small_repo(f);
	in_repo(f, "printf s >.env; printf 9 >a");
	tree = create_tree(f);
	again = spk_tree_open(f->home, "t1", &error);
	assert_no_error(error);
	assert_string_equal(spk_tree_base(again), spk_tree_base(tree));
	assert_string_equal(spk_tree_base_user(again), spk_tree_base_user(tree));
	assert_string_equal(spk_tree_base_commit(again), spk_tree_base_commit(tree));
	assert_true(has_note(again, ".env"));
	assert_true(spk_tree_is_git(again));
}

/* A secret of the user must not be in anything the box can read. */
static void secrets_stay_out_of_the_box(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *found = NULL;

	small_repo(f);
	in_repo(f, "echo TOP-SECRET-1 >.env; git add -f .env; git commit -qm s;"
		   "echo TOP-SECRET-2 >d/x.pem; echo more >>a");
	tree = create_tree(f);
	found = sh(
		f, "home/trees/t1",
		"for o in $(git --git-dir=git cat-file --batch-all-objects "
		"--batch-check='%(objectname)'); do git --git-dir=git cat-file -p $o; done |"
		"grep -c TOP-SECRET || true; grep -rl TOP-SECRET work git | wc -l;"
		"git -C work log --oneline | wc -l");
	assert_string_equal(found, "0\n0\n3");
}

static void box_git_works_and_is_clean(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *got = NULL;

	small_repo(f);
	in_repo(f,
		"echo '* text eol=crlf' >.gitattributes; printf 'x\\r\\n' >t; git add .;"
		"git commit -qm c; printf 8 >a");
	tree = create_tree(f);
	got = sh(
		f, "home/trees/t1/work",
		"git status --porcelain; git log --format=%s; printf 5 >n; git add n;"
		"git commit -qm mine; git log -1 --format=%s; git fsck --no-dangling 2>&1 |"
		"grep -c missing || true");
	assert_string_equal(got, "base of task t1\nc\nfirst\nmine\n0");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(takes_snapshots),
	FIXTURE_TEST(base_is_what_git_would_commit),
	FIXTURE_TEST(handles_a_plain_folder),
	FIXTURE_TEST(leaves_our_own_state_out),
	FIXTURE_TEST(ids_are_names),
	FIXTURE_TEST(handles_no_commit_yet),
	FIXTURE_TEST(handles_sha256),
	FIXTURE_TEST(takes_the_whole_repository),
	FIXTURE_TEST(handles_a_linked_worktree),
	FIXTURE_TEST(keeps_filtered_blobs),
	FIXTURE_TEST(knows_lfs_content_by_its_pointer),
	FIXTURE_TEST(carries_large_files),
	cmocka_unit_test(refuses_with_a_reason),
	FIXTURE_TEST(half_made_trees_are_made_anew),
	FIXTURE_TEST(opens_what_it_made),
	FIXTURE_TEST(secrets_stay_out_of_the_box),
	FIXTURE_TEST(box_git_works_and_is_clean),
};
SUITE(tree_suite, tests);
