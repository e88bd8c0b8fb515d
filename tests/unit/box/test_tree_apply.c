/* Apply and undo on folders that moved on, and both cut short. */
#include "tree_fixture.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"

#define LINES "for i in 1 2 3 4 5 6 7 8 9; do echo $i; done >t"

typedef struct {
	const char *name;
	const char *start;    /* of the user, before the task; after small_repo() */
	const char *task;     /* in the private copy */
	const char *user;     /* meanwhile, in the user's folder */
	const char *result;   /* listing after apply; NULL: as it was, with `conflict` */
	const char *conflict; /* the lines, joined by "; " */
} Apply;

static const Apply applies[] = {
	{ "clean", "", "printf 9 >a; printf 3 >n; rm d/b", "", "a=9 l->a n=3" },
	{ "user moved elsewhere", "", "printf 9 >a", "printf 7 >d/b; printf x >u",
	  "a=9 d/b*=7 l->a u=x" },
	{ "user committed elsewhere", "", "printf 9 >a",
	  "printf x >u; git add u; git commit -qm u", "a=9 d/b*=2 l->a u=x" },
	{ "user's own changes were in the base", "printf 8 >a; printf x >u",
	  "printf 9 >a", "", "a=9 d/b*=2 l->a u=x" },
	{ "merged by lines", LINES "; git add t; git commit -qm t", "sed -i s/2/two/ t",
	  "sed -i s/8/eight/ t", "a=1 d/b*=2 l->a t=1\ntwo\n3\n4\n5\n6\n7\neight\n9\n" },
	{ "same lines", LINES "; git add t; git commit -qm t",
	  "sed -i s/2/two/ t; printf 9 >a", "sed -i s/2/zwei/ t", NULL,
	  "t: changed on both sides in 1 place" },
	{ "same change", "", "printf 9 >a; printf 3 >n", "printf 9 >a",
	  "a=9 d/b*=2 l->a n=3" },
	{ "removed by the user", "", "printf 9 >a", "rm a", NULL,
	  "a: the task changed it, you removed it" },
	{ "changed by the user", "", "rm a", "printf 7 >a", NULL,
	  "a: the task removed it, you changed it" },
	{ "removed by both", "", "rm a d/b", "rm a", "l->a" },
	{ "added by both alike", "", "printf 3 >n; printf 4 >o", "printf 3 >n",
	  "a=1 d/b*=2 l->a n=3 o=4" },
	{ "added by both", "", "printf 3 >n", "printf 5 >n", NULL,
	  "n: a file of yours that the task did not see is there" },
	{ "ignored file in the way", "echo '*.o' >.git/info/exclude; printf mine >x.o",
	  "echo >.gitignore '!x.o'; printf task >x.o", "", NULL,
	  "x.o: a file of yours that the task did not see is there" },
	{ "mode", "", "chmod +x a; chmod -x d/b", "", "a*=1 d/b=2 l->a" },
	{ "mode here, text there", "", "chmod +x a", "printf 7 >a", "a*=7 d/b*=2 l->a" },
	{ "text here, mode there", "", "printf 7 >a", "chmod +x a", "a*=7 d/b*=2 l->a" },
	{ "link changed", "", "ln -sf d/b l; ln -s /etc/passwd p", "",
	  "a=1 d/b*=2 l->d/b p->/etc/passwd" },
	{ "link on both sides", "", "ln -sf d/b l", "ln -sf d l", NULL,
	  "l: changed on both sides, and one of them is a link" },
	{ "link becomes file", "", "rm l; printf 3 >l", "", "a=1 d/b*=2 l=3" },
	{ "binary", "printf 'x\\0y' >z; git add z; git commit -qm z",
	  "printf 'x\\0yy' >z", "printf 'xx\\0y' >z", NULL,
	  "z: changed on both sides, and it is not text" },
	{ "renamed", "", "mv a e; mv d f", "", "e=1 f/b*=2 l->a" },
	{ "file becomes folder", "", "rm a; mkdir a; printf 3 >a/x", "",
	  "a/x=3 d/b*=2 l->a" },
	{ "folder becomes file", "", "rm -r d; printf 3 >d", "", "a=1 d=3 l->a" },
	{ "folder becomes file, with a file of the user's in it", "",
	  "rm -r d; printf 3 >d", "printf x >d/mine", NULL,
	  "d: a folder with other files is in the way" },
	{ "folder becomes link", "", "mv d e; ln -s e d", "", "a=1 d->e e/b*=2 l->a" },
	{ "folder needed where the user has a file", "", "mkdir -p n/o; printf 3 >n/o/p",
	  "printf x >n", NULL, "n/o/p: n is no folder here" },
	{ "folder needed where the user has a link out", "", "mkdir n; printf 3 >n/o",
	  "ln -s $ROOT n", NULL, "n/o: n is no folder here" },
	{ "folder replaced by a link out", "", "printf 3 >d/b",
	  "mv d $ROOT/d; ln -s $ROOT/d d", NULL,
	  "d/b: the task changed it, you removed it" },
	{ "folder of the user's file stays", "", "rm d/b", "printf x >d/mine",
	  "a=1 d/mine=x l->a" },
	{ "names", "",
	  "printf 1 >'a b'; printf 2 >\"$(printf 'n\\nl')\"; printf 3 >./-x;"
	  "printf 4 >\"$(printf '\\377')\"",
	  "", "-x=3 a b=1 a=1 d/b*=2 l->a n\nl=2 \377=4" },
	{ "nothing", "", "true", "printf 7 >a", "a=7 d/b*=2 l->a" },
};

static char *joined(GPtrArray *list)
{
	g_autoptr(GPtrArray) copy = g_ptr_array_copy(list, NULL, NULL);

	g_ptr_array_set_free_func(copy, NULL);
	g_ptr_array_add(copy, NULL);
	return g_strjoinv("; ", (char **)copy->pdata);
}

/* The caller's journal: the last record, or a failure. */
typedef struct {
	json_t *record;
	int calls;
	gboolean fail;
} Journal;

static gboolean keep_record(json_t *record, gpointer user, GError **error)
{
	Journal *journal = user;

	journal->calls++;
	json_decref(journal->record);
	journal->record = json_incref(record);
	if (journal->fail)
		spk_error_set(error, SPK_ERR_IO, NULL, "the journal is full");
	return !journal->fail;
}

static void in_work(Fixture *f, const char *script)
{
	g_free(sh(f, "home/trees/t1/work", script));
}

/* Everything a user can see of their repository. */
static char *state_of(Fixture *f)
{
	g_autofree char *files = listing(f->repo);
	g_autofree char *git =
		sh(f, "repo",
		   "if test -d .git; then git status --porcelain; git ls-files -s;"
		   "git rev-parse HEAD; fi; find . -path ./.git -prune -o"
		   " -printf '%m %p\\n' | sort");

	return g_strconcat(files, "\n", git, NULL);
}

static void applies_and_undoes(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(applies); i++) {
		const Apply *row = &applies[i];
		g_autoptr(GError) error = NULL;
		g_autofree char *raw = NULL, *before = NULL, *got = NULL, *after = NULL;
		g_auto(SpkTreeApplied) applied = { 0 }, undone = { 0 };
		g_autoptr(SpkTree) tree = NULL;
		const SpkTreeApply how = { 0 };
		void *fixture = NULL;
		gboolean ok;
		Fixture *f;

		assert_int_equal(fixture_setup(&fixture), 0);
		f = fixture;
		small_repo(f);
		in_repo(f, row->start);
		tree = create_tree(f);
		in_work(f, row->task);
		raw = snap(tree, 1);
		in_repo(f, row->user);
		before = state_of(f);
		ok = spk_tree_apply(tree, raw, &how, NULL, NULL, NULL, &applied, &error);
		if (row->result) {
			got = listing(f->repo);
			if (!ok || strcmp(got, row->result))
				print_error("%s: %s\n", row->name,
					    ok ? "" : error->message);
			assert_true(ok);
			assert_string_equal(got, row->result);
			if (applied.record)
				ok = spk_tree_undo(tree, applied.record, NULL, &undone,
						   &error);
			assert_no_error(error);
			assert_true(ok);
		} else {
			got = joined(applied.conflicts);
			if (ok || strcmp(got, row->conflict))
				print_error("%s\n", row->name);
			assert_false(ok);
			assert_true(spk_error_is(error, SPK_ERR_CONFLICT));
			assert_string_equal(got, row->conflict);
		}
		after = state_of(f);
		if (strcmp(before, after))
			print_error("%s\n", row->name);
		assert_string_equal(before, after);
		fixture_teardown(&fixture);
	}
}

static const SpkTreeApply plain = { 0 };

static SpkTree *task_of(Fixture *f, const char *work, char **ret_raw)
{
	SpkTree *tree = create_tree(f);

	in_work(f, work);
	*ret_raw = snap(tree, 1);
	return tree;
}

static void applies_to_a_plain_folder(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_auto(SpkTreeApplied) applied = { 0 }, undone = { 0 };
	const SpkTreeApply commit = { .commit = TRUE, .message = "x" };
	g_autofree char *raw = NULL, *got = NULL, *back = NULL;
	g_autoptr(SpkTree) tree = NULL;

	in_repo(f, "printf 1 >a; mkdir d; printf 2 >d/b; chmod 600 d/b");
	tree = task_of(f, "printf 9 >a; rm -r d; mkdir -p e/f; printf 3 >e/f/g", &raw);
	assert_false(
		spk_tree_apply(tree, raw, &commit, NULL, NULL, NULL, &applied, &error));
	assert_true(spk_error_is(error, SPK_ERR_USAGE));
	g_clear_error(&error);
	assert_true(
		spk_tree_apply(tree, raw, &plain, NULL, NULL, NULL, &applied, &error));
	got = listing(f->repo);
	assert_string_equal(got, "a=9 e/f/g=3");
	assert_true(spk_tree_undo(tree, applied.record, NULL, &undone, &error));
	back = sh(f, "repo", "find . -type f -printf '%m %P\\n' | sort; ls");
	assert_string_equal(back, "600 d/b\n644 a\na\nd");
}

static void leaves_markers_when_asked(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_auto(SpkTreeApplied) applied = { 0 }, undone = { 0 };
	const SpkTreeApply how = { .markers = TRUE };
	g_autofree char *raw = NULL, *got = NULL, *back = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	tree = task_of(f, "printf 9 >a; printf 3 >n", &raw);
	in_repo(f, "printf 7 >a");
	assert_true(spk_tree_apply(tree, raw, &how, NULL, NULL, NULL, &applied, &error));
	assert_int_equal(applied.conflicts->len, 1);
	got = get_file(f->repo, "a");
	assert_string_equal(got, "<<<<<<< yours\n7\n=======\n9\n>>>>>>> sparks/t1\n");
	assert_true(spk_tree_undo(tree, applied.record, NULL, &undone, &error));
	back = listing(f->repo);
	assert_string_equal(back, "a=7 d/b*=2 l->a");
}

static void says_what_it_would_do(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_auto(SpkTreeApplied) applied = { 0 };
	const SpkTreeApply how = { .dry_run = TRUE };
	Journal journal = { 0 };
	g_autofree char *raw = NULL, *got = NULL, *written = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	tree = task_of(f, "printf 9 >a; printf 3 >n", &raw);
	assert_true(spk_tree_apply(tree, raw, &how, keep_record, &journal, NULL, &applied,
				   &error));
	written = joined(applied.written);
	assert_string_equal(written, "a; n");
	assert_null(applied.record);
	assert_int_equal(journal.calls, 0);
	got = listing(f->repo);
	assert_string_equal(got, "a=1 d/b*=2 l->a");
}

static void refuses_to_undo_over_edits(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_auto(SpkTreeApplied) applied = { 0 }, undone = { 0 }, again = { 0 };
	g_autofree char *raw = NULL, *got = NULL, *list = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	tree = task_of(f, "printf 9 >a; printf 3 >n; rm d/b", &raw);
	assert_true(
		spk_tree_apply(tree, raw, &plain, NULL, NULL, NULL, &applied, &error));
	in_repo(f, "printf 10 >a; mkdir d; printf x >d/b");
	assert_false(spk_tree_undo(tree, applied.record, NULL, &undone, &error));
	list = joined(undone.conflicts);
	assert_string_equal(list, "a: edited since; d/b: edited since");
	got = listing(f->repo);
	assert_string_equal(got, "a=10 d/b=x l->a n=3");
	g_clear_error(&error);
	in_repo(f, "printf 9 >a; rm d/b");
	assert_true(spk_tree_undo(tree, applied.record, NULL, &again, &error));
	spk_tree_applied_clear(&again);
	assert_true(spk_tree_undo(tree, applied.record, NULL, &again, &error));
}

/* ---- cut short ---- */

static void stops_when_the_journal_fails(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_auto(SpkTreeApplied) applied = { 0 };
	Journal journal = { .fail = TRUE };
	g_autofree char *raw = NULL, *got = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	tree = task_of(f, "printf 9 >a; printf 3 >n", &raw);
	assert_false(spk_tree_apply(tree, raw, &plain, keep_record, &journal, NULL,
				    &applied, &error));
	assert_int_equal(journal.calls, 1);
	json_decref(journal.record);
	got = listing(f->repo);
	assert_string_equal(got, "a=1 d/b*=2 l->a");
}

static const char many[] = LINES
	"; printf 9 >a; printf 3 >n; rm d/b; mkdir m; printf 4 >m/o";

/* A crash after k of the files were written: the journal's record is there, and some places
 * already are as they are to be. */
static const char *const halves[] = {
	"true",
	"rm -r d",
	"rm -r d; printf 9 >a",
	"rm -r d; printf 9 >a; mkdir m; printf junk >m/.sparks-t1.tmp",
	("rm -r d; printf 9 >a; mkdir m; printf 4 >m/o; printf 3 >n; " LINES),
};

static void goes_on_after_a_crash(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(halves); i++) {
		g_autoptr(GError) error = NULL;
		g_auto(SpkTreeApplied) dead = { 0 }, applied = { 0 }, undone = { 0 };
		Journal crash = { .fail = TRUE }, journal = { 0 };
		g_autofree char *raw = NULL, *before = NULL, *got = NULL, *after = NULL;
		g_autofree char *written = NULL;
		g_autoptr(SpkTree) tree = NULL;
		void *fixture = NULL;
		Fixture *f;

		assert_int_equal(fixture_setup(&fixture), 0);
		f = fixture;
		small_repo(f);
		before = state_of(f);
		tree = task_of(f, many, &raw);
		assert_false(spk_tree_apply(tree, raw, &plain, keep_record, &crash, NULL,
					    &dead, &error));
		g_clear_error(&error);
		in_repo(f, halves[i]);
		assert_true(spk_tree_apply(tree, raw, &plain, keep_record, &journal, NULL,
					   &applied, &error));
		written = joined(applied.written);
		assert_string_equal(written, "a; d/b; m/o; n; t");
		got = listing(f->repo);
		assert_string_equal(got,
				    "a=9 l->a m/o=4 n=3 t=1\n2\n3\n4\n5\n6\n7\n8\n9\n");
		assert_true(spk_tree_undo(tree, crash.record, NULL, &undone, &error));
		after = state_of(f);
		assert_string_equal(after, before);
		json_decref(crash.record);
		json_decref(journal.record);
		fixture_teardown(&fixture);
	}
}

static void undo_works_from_the_middle(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(halves); i++) {
		g_autoptr(GError) error = NULL;
		g_auto(SpkTreeApplied) dead = { 0 }, undone = { 0 };
		Journal crash = { .fail = TRUE };
		g_autofree char *raw = NULL, *got = NULL;
		g_autoptr(SpkTree) tree = NULL;
		void *fixture = NULL;
		Fixture *f;

		assert_int_equal(fixture_setup(&fixture), 0);
		f = fixture;
		small_repo(f);
		tree = task_of(f, many, &raw);
		assert_false(spk_tree_apply(tree, raw, &plain, keep_record, &crash, NULL,
					    &dead, &error));
		g_clear_error(&error);
		in_repo(f, halves[i]);
		in_repo(f, "rm -f m/.sparks-t1.tmp");
		assert_true(spk_tree_undo(tree, crash.record, NULL, &undone, &error));
		got = listing(f->repo);
		if (i != 3) /* an empty m/ was not made by a written file */
			assert_string_equal(got, "a=1 d/b*=2 l->a");
		json_decref(crash.record);
		fixture_teardown(&fixture);
	}
}

static void takes_back_what_failed(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_auto(SpkTreeApplied) applied = { 0 };
	g_autofree char *raw = NULL, *before = NULL, *after = NULL, *long_name = NULL;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	tree = task_of(f, "printf 9 >a; rm d/b; printf 3 >n", &raw);
	before = state_of(f);
	/* a folder under the temporary name: the last write must fail */
	in_repo(f, "mkdir -p .git/x");
	long_name = g_build_filename(f->repo, ".sparks-t1.tmp", NULL);
	assert_int_equal(mkdir(long_name, 0700), 0);
	assert_false(
		spk_tree_apply(tree, raw, &plain, NULL, NULL, NULL, &applied, &error));
	assert_true(g_str_has_prefix(error->message, "nothing was applied"));
	assert_int_equal(rmdir(long_name), 0);
	after = state_of(f);
	assert_string_equal(after, before);
}

/* ---- --commit ---- */

static const SpkTreeApply committing = { .commit = TRUE, .message = "task: done\n" };

typedef struct {
	const char *name, *start, *task, *user;
	const char *log;  /* of the new commit: names and status; NULL: refused */
	const char *left; /* git status afterwards, or the reason */
} Commit;

static const Commit commits[] = {
	{ "clean", "", "printf 9 >a; printf 3 >n; rm d/b", "", "M\ta\nD\td/b\nA\tn", "" },
	{ "staged elsewhere", "", "printf 9 >a", "printf 5 >u; git add u; printf 6 >d/b",
	  "M\ta", " M d/b\nA  u" },
	{ "branch moved", "", "printf 9 >a", "printf 5 >u; git add u; git commit -qm u",
	  "M\ta", "" },
	{ "detached", "git checkout -q --detach", "printf 9 >a", "", "M\ta", "" },
	{ "three-way", LINES "; git add t; git commit -qm t", "sed -i s/2/two/ t",
	  "sed -i s/8/eight/ t; git commit -qam u", "M\tt", "" },
	{ "line ends",
	  "echo '*.t text eol=crlf' >.gitattributes; printf 'x\\r\\n' >x.t; git add .;"
	  "git commit -qm c",
	  "printf 'x\\r\\ny\\r\\n' >x.t", "", "M\tx.t", "" },
	{ "same and uncommitted", "", "printf 3 >n", "printf 3 >n", "A\tn", "" },
	{ "over unsaved changes", "printf 8 >a", "printf 9 >a", "", NULL,
	  "a: it has uncommitted changes of yours" },
	{ "over staged changes", "", "printf 9 >a", "printf 7 >a; git add a; printf 1 >a",
	  NULL, "a: it has uncommitted changes of yours" },
	{ "during a merge", "", "printf 9 >a", "git rev-parse HEAD >.git/MERGE_HEAD",
	  NULL, "a merge is under way" },
	{ "beside another git", "", "printf 9 >a", "touch .git/index.lock", NULL,
	  "another git command is under way" },
};

static void check_committed(Fixture *f, const Commit *row, SpkTree *tree,
			    SpkTreeApplied *applied)
{
	g_autoptr(GError) error = NULL;
	g_auto(SpkTreeApplied) undone = { 0 };
	g_autofree char *log = NULL, *left = NULL, *fsck = NULL, *files = NULL,
			*same = NULL;

	log = sh(f, "repo", "git show --no-renames --name-status --format= HEAD");
	assert_string_equal(log, row->log);
	left = sh(f, "repo", "git status --porcelain");
	assert_string_equal(left, row->left);
	fsck = sh(f, "repo",
		  "git fsck --strict 2>&1 | grep -v dangling || true; git rev-parse HEAD;"
		  "git log -1 --format=%an:%ae:%s");
	files = g_strdup_printf("%s\nAda:ada@example.org:task: done", applied->commit);
	assert_string_equal(fsck, files);
	assert_true(spk_tree_undo(tree, applied->record, NULL, &undone, &error));
	assert_no_error(error);
	assert_non_null(undone.commit);
	same = sh(f, "repo", "git diff HEAD HEAD~2 | wc -l");
	assert_string_equal(same, "0");
}

static void commits_on_the_branch(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(commits); i++) {
		const Commit *row = &commits[i];
		g_autoptr(GError) error = NULL;
		g_auto(SpkTreeApplied) applied = { 0 };
		g_autofree char *raw = NULL, *before = NULL, *after = NULL, *why = NULL;
		g_autoptr(SpkTree) tree = NULL;
		void *fixture = NULL;
		Fixture *f;
		gboolean ok;

		assert_int_equal(fixture_setup(&fixture), 0);
		f = fixture;
		small_repo(f);
		in_repo(f, row->start);
		tree = task_of(f, row->task, &raw);
		in_repo(f, row->user);
		before = state_of(f);
		ok = spk_tree_apply(tree, raw, &committing, NULL, NULL, NULL, &applied,
				    &error);
		if (ok != (row->log != NULL))
			fail_msg("%s: %s", row->name,
				 ok ? "not refused" : error->message);
		if (row->log) {
			check_committed(f, row, tree, &applied);
		} else {
			why = applied.conflicts ? joined(applied.conflicts) : NULL;
			if (!strstr(why ? why : error->message, row->left))
				fail_msg("%s: %s", row->name, why ? why : error->message);
			after = state_of(f);
			assert_string_equal(after, before);
		}
		fixture_teardown(&fixture);
	}
}

static void commits_first_of_all(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_auto(SpkTreeApplied) applied = { 0 };
	g_autofree char *raw = NULL, *got = NULL;
	g_autoptr(SpkTree) tree = NULL;

	in_repo(f, "git init -q; printf 1 >a");
	tree = task_of(f, "printf 3 >n", &raw);
	assert_true(spk_tree_apply(tree, raw, &committing, NULL, NULL, NULL, &applied,
				   &error));
	assert_no_error(error);
	got = sh(f, "repo",
		 "git show --name-status --format=%s HEAD; git status --porcelain");
	assert_string_equal(got, "task: done\n\nA\tn\n?? a");
}

/* Files written, branch not moved, or moved and the index not: the same call goes on. */
static void commit_goes_on_after_a_crash(void **state)
{
	static const char *const crashes[] = {
		"printf 9 >a; rm -r d; printf 3 >n",
		"printf 9 >a; rm -r d; printf 3 >n; git update-ref HEAD $(cat $ROOT/commit)",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(crashes); i++) {
		g_autoptr(GError) error = NULL;
		g_auto(SpkTreeApplied) dead = { 0 }, applied = { 0 }, undone = { 0 };
		Journal crash = { .fail = TRUE };
		g_autofree char *raw = NULL, *got = NULL, *back = NULL;
		g_autoptr(SpkTree) tree = NULL;
		void *fixture = NULL;
		Fixture *f;

		assert_int_equal(fixture_setup(&fixture), 0);
		f = fixture;
		small_repo(f);
		tree = task_of(f, "printf 9 >a; rm d/b; printf 3 >n", &raw);
		assert_false(spk_tree_apply(tree, raw, &committing, keep_record, &crash,
					    NULL, &dead, &error));
		g_clear_error(&error);
		put_file(f->root, "commit",
			 json_string_value(json_object_get(crash.record, "commit")));
		in_repo(f, crashes[i]);
		assert_true(spk_tree_apply(tree, raw, &committing, NULL, NULL, NULL,
					   &applied, &error));
		got = sh(f, "repo", "git status --porcelain; git log --format=%s");
		assert_string_equal(got, "task: done\nfirst");
		assert_true(spk_tree_undo(tree, applied.record, NULL, &undone, &error));
		spk_tree_applied_clear(&undone);
		assert_true(spk_tree_undo(tree, applied.record, NULL, &undone, &error));
		assert_null(undone.commit);
		back = sh(f, "repo",
			  "git status --porcelain; git rev-list HEAD | wc -l;"
			  "git diff HEAD HEAD~2 | wc -l");
		assert_string_equal(back, "3\n0");
		json_decref(crash.record);
		fixture_teardown(&fixture);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(applies_and_undoes),
	FIXTURE_TEST(applies_to_a_plain_folder),
	FIXTURE_TEST(leaves_markers_when_asked),
	FIXTURE_TEST(says_what_it_would_do),
	FIXTURE_TEST(refuses_to_undo_over_edits),
	FIXTURE_TEST(stops_when_the_journal_fails),
	cmocka_unit_test(goes_on_after_a_crash),
	cmocka_unit_test(undo_works_from_the_middle),
	FIXTURE_TEST(takes_back_what_failed),
	cmocka_unit_test(commits_on_the_branch),
	FIXTURE_TEST(commits_first_of_all),
	cmocka_unit_test(commit_goes_on_after_a_crash),
};
SUITE(apply_suite, tests);
