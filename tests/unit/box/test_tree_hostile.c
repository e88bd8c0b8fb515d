/* A repository that tries to run its own code through the git of whoever looks at it: every
 * place git knows for programs names one that leaves a canary. */
#include "tree_fixture.h"

#include <string.h>

#include "base/error.h"

/* $X is a program that leaves the canary; everything git may be told to run runs it. */
static const char trap[] =
	"X=$ROOT/evil; C=$ROOT/canary; printf '#!/bin/sh\\necho \"$0 $*\" >>'$C'\\ncat\\n' >$X;"
	"chmod +x $X;"
	"for h in pre-commit post-commit post-checkout post-index-change reference-transaction "
	"post-merge pre-auto-gc fsmonitor-watchman applypatch-msg post-rewrite; do"
	"  cp $X .git/hooks/$h; done;"
	"printf '* filter=evil diff=evil merge=evil\\n*.x filter=lfs ident\\n' >.gitattributes;"
	"printf '* filter=evil diff=evil merge=evil\\n' >.git/info/attributes;"
	"touch t.x; git -c core.hooksPath=/dev/null add -A;"
	"git -c core.hooksPath=/dev/null commit -qm trap; cat >>.git/config <<END\n"
	"[core]\n"
	"	hooksPath = .git/hooks\n"
	"	fsmonitor = $X\n"
	"	sshCommand = $X\n"
	"	gitProxy = $X\n"
	"	askPass = $X\n"
	"	editor = $X\n"
	"	pager = $X\n"
	"	alternateRefsCommand = $X\n"
	"	untrackedCache = true\n"
	"[filter \"evil\"]\n"
	"	clean = $X clean\n"
	"	smudge = $X smudge\n"
	"	required = true\n"
	"[filter \"lfs\"]\n"
	"	process = $X process\n"
	"[diff]\n"
	"	external = $X\n"
	"[diff \"evil\"]\n"
	"	textconv = $X textconv\n"
	"	command = $X diff\n"
	"[merge \"evil\"]\n"
	"	driver = $X merge\n"
	"[alias]\n"
	"	add = !$X\n"
	"	rev-parse = !$X\n"
	"[credential]\n"
	"	helper = $X\n"
	"[gpg]\n"
	"	program = $X\n"
	"[commit]\n"
	"	gpgSign = true\n"
	"[uploadpack]\n"
	"	packObjectsHook = $X\n"
	"[trace2]\n"
	"	eventTarget = $C\n"
	"[remote \"origin\"]\n"
	"	url = ext::$X fetch\n"
	"	promisor = true\n"
	"	partialclonefilter = blob:none\n"
	"[extensions]\n"
	"	partialClone = origin\n"
	"[protocol]\n"
	"	allow = always\n"
	"[include]\n"
	"	path = ../more.config\n"
	"END\n"
	"printf '[core]\\n\\tfsmonitor = %s\\n' $X >more.config;"
	/* git meets the trap when it is not told otherwise, else this test shows nothing */
	"printf 2 >a; git add -A 2>/dev/null || true; test -s $C; rm $C;"
	"printf 3 >a; printf 4 >new.x";

static void assert_no_canary(Fixture *f)
{
	g_autofree char *path = g_build_filename(f->root, "canary", NULL);
	g_autofree char *text = NULL;

	if (g_file_get_contents(path, &text, NULL, NULL))
		fail_msg("something was run: %s", text);
}

static void runs_nothing_of_the_repository(void **state)
{
	Fixture *f = *state;
	static const SpkTreeCommit how = { "m\n", "sparks/t1", 0 };
	static const SpkTreeApply plain = { 0 },
				  commit = { .commit = TRUE, .message = "m\n" };
	g_auto(SpkTreeApplied) applied = { 0 }, undone = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *raw = NULL, *diff = NULL, *sha = NULL, *folder = NULL;
	gboolean theirs;

	small_repo(f);
	in_repo(f, trap);
	tree = create_tree(f);
	assert_no_canary(f);
	g_free(sh(f, "home/trees/t1/work",
		  "printf 9 >d/b; printf 5 >n.x; printf x >t.x"));
	raw = snap(tree, 1);
	diff = spk_tree_diff(tree, spk_tree_base(tree), raw, &error);
	assert_non_null(diff);
	folder = spk_tree_checkout(tree, raw, "check", NULL, &error);
	assert_non_null(folder);
	assert_no_canary(f);
	sha = spk_tree_commit(tree, raw, &how, &theirs, NULL, &error);
	assert_no_error(error);
	assert_no_canary(f);
	assert_true(
		spk_tree_apply(tree, raw, &plain, NULL, NULL, NULL, &applied, &error));
	assert_true(spk_tree_undo(tree, applied.record, NULL, &undone, &error));
	assert_no_canary(f);
	spk_tree_applied_clear(&applied);
	spk_tree_applied_clear(&undone);
	assert_true(
		spk_tree_apply(tree, raw, &commit, NULL, NULL, NULL, &applied, &error));
	assert_true(spk_tree_undo(tree, applied.record, NULL, &undone, &error));
	assert_no_error(error);
	assert_no_canary(f);
}

/* `git add` would run `git status` inside of it, with its configuration. */
static void runs_nothing_of_a_submodule(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;

	small_repo(f);
	in_repo(f,
		"git init -q $ROOT/s; cd $ROOT/s; printf x >y; git add y; git commit -qm s;"
		"cd $ROOT/repo; git submodule --quiet add $ROOT/s m; git commit -qm m;"
		"X=$ROOT/evil; printf '#!/bin/sh\\necho $0 >>'$ROOT'/canary\\ncat\\n' >$X;"
		"chmod +x $X; cd m; echo '* filter=evil' >.gitattributes; printf z >y;"
		"git config filter.evil.clean $X; git config core.fsmonitor $X;"
		"cd ..; git status >/dev/null; test -s $ROOT/canary; rm $ROOT/canary;"
		"printf w >m/y");
	tree = create_tree(f);
	assert_no_canary(f);
}

/* The box sees none of the user's configuration, and git in the box nothing to run. */
static void box_git_has_none_of_it(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *got = NULL;

	small_repo(f);
	in_repo(f, trap);
	tree = create_tree(f);
	got = sh(
		f, "home/trees/t1",
		"cat work/.git/config work/.git/info/* git/config git/info/* user/config | grep -c evil || true;"
		"git -C work status --porcelain");
	assert_string_equal(got, "0");
	assert_no_canary(f);
}

static const struct CMUnitTest tests[] = {
	FIXTURE_TEST(runs_nothing_of_the_repository),
	FIXTURE_TEST(runs_nothing_of_a_submodule),
	FIXTURE_TEST(box_git_has_none_of_it),
};
SUITE(hostile_suite, tests);
