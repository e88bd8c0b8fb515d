/* Steps of a task: recording, restoring, checkouts, and what a box may leave behind. */
#include "tree_fixture.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"

/* As the box would: in work/. */
static void in_work(Fixture *f, const char *script)
{
	g_free(sh(f, "home/trees/t1/work", script));
}

/* Paths of a raw tree, in one line. */
static char *paths_of(SpkTree *tree, const char *raw)
{
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) paths = spk_tree_paths(tree, raw, &error);

	assert_no_error(error);
	return g_strjoinv(" ", paths);
}

static void records_what_changed(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autoptr(GPtrArray) changes = NULL;
	g_autofree char *one = NULL, *two = NULL, *diff = NULL, *ref = NULL;
	g_autoptr(GString) got = g_string_new(NULL);

	small_repo(f);
	tree = create_tree(f);
	one = snap(tree, 1);
	assert_string_equal(one, spk_tree_base(tree));
	in_work(f, "printf 9 >a; rm d/b; printf 3 >n; chmod +x n; rm l; printf x >l;"
		   "echo '*.o' >.gitignore; touch x.o");
	two = snap(tree, 2);
	changes = spk_tree_changes(tree, one, two, NULL);
	for (guint i = 0; i < changes->len; i++) {
		SpkTreeChange *c = changes->pdata[i];

		g_string_append_printf(got, "%c %o %o %s\n", c->status, c->old_mode,
				       c->new_mode, c->path);
	}
	assert_string_equal(got->str,
			    "A 0 100644 .gitignore\nM 100644 100644 a\n"
			    "D 100755 0 d/b\nT 120000 100644 l\nA 0 100755 n\n");
	diff = spk_tree_diff(tree, one, two, NULL);
	assert_non_null(strstr(diff, "-1\n\\ No newline at end of file\n+9\n"));
	ref = get_file(f->home, "trees/t1/git/refs/steps/2");
	assert_string_equal(g_strchomp(ref), two);
}

/* The box decides about dates, and its clock has whole seconds for git. */
static void sees_changes_that_hide_their_date(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	char *last = NULL;

	small_repo(f);
	tree = create_tree(f);
	for (int i = 0; i < 6; i++) {
		g_autofree char *script =
			g_strdup_printf("printf %d >a; touch -d 2001-01-01 a", i);
		char *now;

		in_work(f, script);
		now = snap(tree, i);
		if (last)
			assert_string_not_equal(now, last);
		g_free(last);
		last = now;
	}
	g_free(last);
}

static void restores_exactly(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *step = NULL, *got = NULL, *again = NULL, *status = NULL;

	small_repo(f);
	in_repo(f, "echo '*.o' >.gitignore; git add .; git commit -qm i");
	tree = create_tree(f);
	in_work(f, "printf 5 >a; printf 3 >n; chmod +x n");
	step = snap(tree, 1);
	in_work(f,
		"rm -r d l .git; mkdir -p l/deep; printf x >l/deep/y; chmod 0 l/deep/y;"
		"chmod 500 l/deep; touch junk.o; chmod -x n; mkdir -p only/empty;"
		"printf evil >.git; chmod 500 .");
	assert_true(spk_tree_restore(tree, step, NULL, &error));
	assert_no_error(error);
	got = listing(spk_tree_work(tree));
	assert_string_equal(got, ".gitignore=*.o\n a=5 d/b*=2 l->a n*=3");
	again = snap(tree, 2);
	assert_string_equal(again, step);
	status = sh(f, "home/trees/t1/work", "git status --porcelain");
	assert_string_equal(status, "M  a\nA  n");
}

static void checks_out_beside_it(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *step = NULL, *folder = NULL, *got = NULL, *status = NULL;

	small_repo(f);
	tree = create_tree(f);
	in_work(f, "printf 5 >a");
	step = snap(tree, 1);
	in_work(f, "printf 6 >a");
	folder = spk_tree_checkout(tree, step, "check", NULL, &error);
	assert_no_error(error);
	got = listing(folder);
	assert_string_equal(got, "a=5 d/b*=2 l->a");
	status = sh(f, "home/trees/t1/check",
		    "git status --porcelain; git log --format=%s");
	assert_string_equal(status, "work of the task\nfirst");
	assert_true(spk_tree_drop_checkout(tree, "check", &error));
	assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
	assert_null(spk_tree_checkout(tree, step, "../x", NULL, NULL));
	assert_null(spk_tree_checkout(tree, step, "user", NULL, NULL));
}

static void grafts_paths(void **state)
{
	Fixture *f = *state;
	static const char *const paths[] = { "a", "n", "d/b", NULL };
	g_autoptr(SpkTree) tree = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *step = NULL, *mixed = NULL, *got = NULL, *folder = NULL;

	small_repo(f);
	tree = create_tree(f);
	in_work(f, "printf 5 >a; printf 3 >n; printf 4 >o; rm d/b; rm l");
	step = snap(tree, 1);
	mixed = spk_tree_graft(tree, step, spk_tree_base(tree), paths, NULL, &error);
	assert_no_error(error);
	folder = spk_tree_checkout(tree, mixed, "mixed", NULL, &error);
	got = listing(folder);
	assert_string_equal(got, "a=1 d/b*=2 o=4");
}

/* ---- hostile work trees ---- */

static const struct {
	const char *name, *script, *paths;
} leftovers[] = {
	{ "nested repository", "git init -q n; printf x >n/y; mkdir n/e", "a d/b l n/y" },
	{ "nested repository in a tracked folder",
	  "git init -q d; git -C d -c user.name=x -c user.email=x commit -qm x --allow-empty",
	  "a d/b l" },
	{ "gitfile that points out",
	  "mkdir n; echo \"gitdir: $ROOT/repo/.git\" >n/.git; printf x >n/y",
	  "a d/b l n/y" },
	{ "HEAD that never ends",
	  "mkdir -p n/.git/objects n/.git/refs; mkfifo n/.git/HEAD; touch n/y",
	  "a d/b l n/y" },
	{ "FIFOs where git reads",
	  "mkfifo .gitignore .gitattributes .gitmodules d/.gitignore", "a d/b l" },
	{ "other case", "mkdir .GIT; touch .GIT/x d/.Git; touch 'git~1'",
	  "a d/b git~1 l" },
	{ "link as .gitmodules", "ln -s a .gitmodules", "a d/b l" },
	{ ".git is a link", "rm -r .git; ln -s $ROOT/repo/.git .git; printf 3 >n",
	  "a d/b l n" },
	{ "ignored in a nested one",
	  "echo '*.o' >.gitignore; git init -q n; touch n/x.o n/y x.o",
	  ".gitignore a d/b l n/y" },
	{ "nested, removed and retyped",
	  "git init -q n; rm -r d; printf x >d; rm l; mkdir l; touch l/z", "a d l/z" },
	{ "nested, folder became link", "git init -q n; touch n/x; mv d e; ln -s e d",
	  "a d e/b l n/x" },
	{ "unreadable", "chmod 0 a d", "a d/b l" },
	{ "pathspec names", "git init -q n; touch 'n/:(top)x' ./-f",
	  "-f a d/b l n/:(top)x" },
};

static void survives_what_a_box_leaves(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(leftovers); i++) {
		void *fixture = NULL;
		Fixture *f;
		g_autofree char *raw = NULL, *got = NULL, *again = NULL;

		assert_int_equal(fixture_setup(&fixture), 0);
		f = fixture;
		small_repo(f);
		{
			g_autoptr(SpkTree) tree = create_tree(f);

			in_work(f, leftovers[i].script);
			raw = snap(tree, 1);
			got = paths_of(tree, raw);
			if (strcmp(got, leftovers[i].paths))
				print_error("%s\n", leftovers[i].name);
			assert_string_equal(got, leftovers[i].paths);
			again = snap(tree, 2);
			assert_string_equal(again, raw);
		}
		fixture_teardown(&fixture);
	}
}

/* What tools ask git about the tree ends, whatever a command left there. */
static void listing_does_not_hang(void **state)
{
	Fixture *f = *state;
	static const char *const args[] = { "ls-files",		  "-z", "-c", "-o",
					    "--exclude-standard", NULL };
	g_autoptr(SpkTree) tree = NULL;
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) out = NULL;
	SpkGit git;

	small_repo(f);
	tree = create_tree(f);
	in_work(f,
		"mkfifo .gitignore d/.gitignore; for r in x y; do mkdir -p $r/.git/objects"
		" $r/.git/refs; touch $r/f; mkfifo $r/.git/HEAD $r/.git/commondir; done;"
		"mkdir z; echo 'gitdir: ../w' >z/.git; mkdir -p w/objects w/refs; mkfifo w/HEAD");
	spk_cancel_set_deadline(cancel, 20000);
	spk_tree_git(tree, &git);
	assert_true(spk_git_run(&git, args, NULL, 0, 0, cancel, &out, NULL, &error));
}

static void withheld_places_stay_out(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *raw = NULL, *got = NULL, *odd = NULL;

	small_repo(f);
	in_repo(f,
		"printf s >.env; git add -f .env; git commit -qm s; git init -q $ROOT/s;"
		"cd $ROOT/s; printf x >y; git add y; git commit -qm s; cd $ROOT/repo;"
		"git submodule --quiet add $ROOT/s m; git commit -qm m");
	tree = create_tree(f);
	in_work(f,
		"test -d m; printf evil >.env; printf evil >m/z; echo '!.env' >.gitignore");
	raw = snap(tree, 1);
	got = paths_of(tree, raw);
	assert_string_equal(got, ".gitignore .gitmodules a d/b l");
	in_work(f, "git init -q n");
	odd = snap(tree, 2);
	assert_string_equal(odd, raw);
}

/* Part of the base though ignored, removed in one step and back in the next. */
static void ignored_base_files_come_back(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *one = NULL, *two = NULL;

	small_repo(f);
	in_repo(f, "echo a >.gitignore; git add .; git commit -qm i");
	tree = create_tree(f);
	in_work(f, "rm a");
	one = snap(tree, 1);
	assert_string_not_equal(one, spk_tree_base(tree));
	in_work(f, "printf 1 >a");
	two = snap(tree, 2);
	assert_string_equal(two, spk_tree_base(tree));
}

static void too_deep_is_said(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autoptr(GError) error = NULL;

	small_repo(f);
	tree = create_tree(f);
	in_work(f, "i=0; while [ $i -lt 300 ]; do mkdir x; cd x; i=$((i+1)); done");
	assert_null(spk_tree_snapshot(tree, 1, NULL, &error));
	assert_true(spk_error_is(error, SPK_ERR_LIMIT));
	assert_true(spk_tree_restore(tree, spk_tree_base(tree), NULL, NULL));
}

static void stops_when_cancelled(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	g_autoptr(GError) error = NULL;

	small_repo(f);
	tree = create_tree(f);
	spk_cancel_fire(cancel, "test");
	assert_null(spk_tree_snapshot(tree, 1, cancel, &error));
	assert_true(spk_error_is(error, SPK_ERR_CANCELLED));
}

static const struct CMUnitTest tests[] = {
	FIXTURE_TEST(records_what_changed),
	FIXTURE_TEST(sees_changes_that_hide_their_date),
	FIXTURE_TEST(restores_exactly),
	FIXTURE_TEST(checks_out_beside_it),
	FIXTURE_TEST(grafts_paths),
	cmocka_unit_test(survives_what_a_box_leaves),
	FIXTURE_TEST(listing_does_not_hang),
	FIXTURE_TEST(withheld_places_stay_out),
	FIXTURE_TEST(ignored_base_files_come_back),
	FIXTURE_TEST(too_deep_is_said),
	FIXTURE_TEST(stops_when_cancelled),
};
SUITE(step_suite, tests);
