#include "test_guard.h"

#include <string.h>

#include "guard/guard.h"

/* Words are split at blanks; "~" in a word stands for a blank. */
typedef struct {
	gboolean allowed;
	const char *line;
} Row;

/* clang-format off */
static const Row rows[] = {
	{ TRUE, "status" },			{ TRUE, "status --short --branch" },
	{ TRUE, "diff" },			{ TRUE, "diff --stat HEAD~1 -- src" },
	{ TRUE, "diff --text" },		{ TRUE, "diff --no-ext-diff" },
	{ TRUE, "diff --exit-code" },		{ TRUE, "diff -O order.txt" },
	{ TRUE, "log --oneline -5" },		{ TRUE, "log -p -- a.c" },
	{ TRUE, "log -SOpen" },			{ TRUE, "--no-pager log" },
	{ TRUE, "-P show HEAD" },		{ TRUE, "show HEAD:src/a.c" },
	{ TRUE, "add -A" },			{ TRUE, "add -- a b" },
	{ TRUE, "add -f x" },			{ TRUE, "commit -m fix" },
	{ TRUE, "commit -am fix~the~parser" },	{ TRUE, "commit -mSpeed~up" },
	{ TRUE, "commit --allow-empty -m x" },	{ TRUE, "commit -m -~one" },
	{ TRUE, "restore --staged a.c" },	{ TRUE, "restore -sHEAD~1 a.c" },
	{ TRUE, "checkout -- a.c" },		{ TRUE, "checkout -b topic" },
	{ TRUE, "switch -c topic" },		{ TRUE, "switch -" },
	{ TRUE, "branch" },			{ TRUE, "branch topic" },
	{ TRUE, "branch --show-current" },	{ TRUE, "branch -d topic" },
	{ TRUE, "stash" },			{ TRUE, "stash push -mpop" },
	{ TRUE, "stash pop" },			{ TRUE, "rm -r old" },
	{ TRUE, "mv a b" },			{ TRUE, "blame -L1,5 a.c" },
	{ TRUE, "grep -n foo" },		{ TRUE, "grep -eOpen" },
	{ TRUE, "grep -neOpen" },		{ TRUE, "grep --only-matching x" },
	{ TRUE, "ls-files -o" },		{ TRUE, "rev-parse HEAD" },
	{ TRUE, "rev-parse --show-toplevel" },	{ TRUE, "rev-parse --git-dir" },
	{ TRUE, "cat-file -p HEAD" },		{ TRUE, "describe --tags" },
	{ TRUE, "shortlog -sn HEAD" },		{ TRUE, "merge-base a b" },
	{ TRUE, "tag v1" },			{ TRUE, "tag -a v1 -m text" },
	{ TRUE, "apply fix.patch" },		{ TRUE, "apply -p0 fix.patch" },
	{ TRUE, "merge topic" },		{ TRUE, "merge --strategy-option=ours topic" },
	{ TRUE, "merge --abort" },		{ TRUE, "revert --no-edit HEAD" },
	{ TRUE, "cherry-pick topic" },		{ TRUE, "reset" },
	{ TRUE, "reset --hard" },		{ TRUE, "reset --hard HEAD" },
	{ TRUE, "reset -q HEAD -- a.c" },	{ TRUE, "reset -- a.c" },
	{ TRUE, "clean -fd" },			{ TRUE, "clean -n" },
	{ TRUE, "config --get user.name" },	{ TRUE, "config -l" },
	{ TRUE, "worktree list" },		{ TRUE, "for-each-ref" },

	/* nothing, and options of git itself */
	{ FALSE, "" },				{ FALSE, "--no-pager" },
	{ FALSE, "-c core.pager=id log" },	{ FALSE, "-ccore.pager=id log" },
	{ FALSE, "--config-env=a=B log" },	{ FALSE, "--git-dir=/x log" },
	{ FALSE, "--git-dir /x log" },		{ FALSE, "--work-tree=/ status" },
	{ FALSE, "-C / status" },		{ FALSE, "--exec-path=/tmp status" },
	{ FALSE, "--exec-path" },		{ FALSE, "-p log" },
	{ FALSE, "--paginate log" },		{ FALSE, "--namespace=x log" },
	{ FALSE, "--no-pager -c a=b log" },	{ FALSE, "--help" },
	{ FALSE, "--html-path" },		{ FALSE, "-h" },

	/* the network */
	{ FALSE, "push" },			{ FALSE, "push origin HEAD" },
	{ FALSE, "fetch" },			{ FALSE, "pull" },
	{ FALSE, "clone x y" },			{ FALSE, "remote add x y" },
	{ FALSE, "remote" },			{ FALSE, "ls-remote ext::id" },
	{ FALSE, "submodule foreach id" },	{ FALSE, "submodule update" },
	{ FALSE, "archive --remote=x HEAD" },	{ FALSE, "archive HEAD" },
	{ FALSE, "bundle create x" },		{ FALSE, "send-email x" },
	{ FALSE, "send-pack x" },		{ FALSE, "fetch-pack x" },
	{ FALSE, "http-fetch x" },		{ FALSE, "http-push x" },
	{ FALSE, "remote-ext x y" },		{ FALSE, "request-pull a b" },
	{ FALSE, "imap-send" },			{ FALSE, "svn clone" },
	{ FALSE, "p4 sync" },			{ FALSE, "cvsimport" },

	/* history */
	{ FALSE, "rebase -x id HEAD~1" },	{ FALSE, "rebase" },
	{ FALSE, "commit --amend" },		{ FALSE, "commit --amen" },
	{ FALSE, "commit --am" },		{ FALSE, "commit -m x --amend" },
	{ FALSE, "commit -m -- --amend" },	{ FALSE, "filter-branch" },
	{ FALSE, "reflog expire" },		{ FALSE, "gc --prune=now" },
	{ FALSE, "update-ref HEAD x" },		{ FALSE, "symbolic-ref HEAD x" },
	{ FALSE, "replace a b" },		{ FALSE, "fast-import" },
	{ FALSE, "reset --hard HEAD~1" },	{ FALSE, "reset HEAD^" },
	{ FALSE, "reset --soft main" },		{ FALSE, "reset --har HEAD~1" },
	{ FALSE, "reset a.c" },			{ FALSE, "reset --pathspec-from-file -- HEAD~1" },
	{ FALSE, "branch -f main x" },		{ FALSE, "branch -qf main x" },
	{ FALSE, "branch --forc main x" },	{ FALSE, "branch -D main" },
	{ FALSE, "branch -M a b" },		{ FALSE, "branch -C a b" },
	{ FALSE, "checkout -B main x" },	{ FALSE, "checkout -qBmain x" },
	{ FALSE, "switch -C main x" },		{ FALSE, "switch --force-c main x" },
	{ FALSE, "tag -f v1" },			{ FALSE, "tag --force v1" },
	{ FALSE, "notes add" },			{ FALSE, "prune" },
	{ FALSE, "repack -ad" },

	/* programs and configuration */
	{ FALSE, "grep -O foo" },		{ FALSE, "grep -Oless foo" },
	{ FALSE, "grep -nO foo" },		{ FALSE, "grep -inOvi foo" },
	{ FALSE, "grep --open-files-in-pager=id x" }, { FALSE, "grep --open-files x" },
	{ FALSE, "grep --op=id x" },		{ FALSE, "grep --textconv x" },
	{ FALSE, "diff --ext-diff" },		{ FALSE, "diff --ext" },
	{ FALSE, "log --textconv" },		{ FALSE, "log --textc" },
	{ FALSE, "show --show-signature" },	{ FALSE, "cat-file --filters HEAD:a" },
	{ FALSE, "cat-file --textconv HEAD:a" }, { FALSE, "bisect run id" },
	{ FALSE, "difftool -x id" },		{ FALSE, "mergetool" },
	{ FALSE, "hook run x" },		{ FALSE, "config alias.x !id" },
	{ FALSE, "config core.pager id" },	{ FALSE, "config --global -e" },
	{ FALSE, "config" },			{ FALSE, "config --get x --edit" },
	{ FALSE, "config set core.editor id" },	{ FALSE, "merge -s x topic" },
	{ FALSE, "merge -qsx topic" },		{ FALSE, "merge --strategy=x topic" },
	{ FALSE, "merge --strat x topic" },	{ FALSE, "cherry-pick --strategy=x y" },
	{ FALSE, "interpret-trailers" },	{ FALSE, "credential fill" },
	{ FALSE, "for-each-repo --config=x" },	{ FALSE, "maintenance run" },
	{ FALSE, "daemon" },			{ FALSE, "instaweb" },
	{ FALSE, "upload-pack ." },		{ FALSE, "http-backend" },
	{ FALSE, "shell" },			{ FALSE, "help log" },
	{ FALSE, "commit -S -m x" },		{ FALSE, "commit --gpg-sign=x -m x" },
	{ FALSE, "tag -s v1" },			{ FALSE, "tag -asm x v1" },
	{ FALSE, "verify-commit HEAD" },	{ FALSE, "apply --unsafe-paths x" },
	{ FALSE, "apply --unsafe x" },		{ FALSE, "format-patch -1" },
	{ FALSE, "am x.patch" },		{ FALSE, "init" },

	/* terminals, and what nobody knows */
	{ FALSE, "add -p" },			{ FALSE, "add --patch a" },
	{ FALSE, "add -Ai" },			{ FALSE, "checkout -p" },
	{ FALSE, "commit -p" },			{ FALSE, "clean -i" },
	{ FALSE, "clean -fdx" },		{ FALSE, "clean -fX" },
	{ FALSE, "branch --edit-desc" },	{ FALSE, "gui" },
	{ FALSE, "statsu" },			{ FALSE, "st" },
	{ FALSE, "STATUS" },			{ FALSE, "git status" },
	{ FALSE, "/bin/sh" },			{ FALSE, "status;id" },
	{ FALSE, "!id" },			{ FALSE, "worktree add x" },
	{ FALSE, "worktree" },
};
/* clang-format on */

static char **split(const char *line)
{
	char **args = g_strsplit(line, " ", -1);

	for (char **arg = args; *arg; arg++)
		g_strdelimit(*arg, "~", strstr(*arg, "HEAD~") ? '~' : ' ');
	return args;
}

static void table(void **state)
{
	assert_true(G_N_ELEMENTS(rows) >= 80);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(GStrv) args = split(rows[i].line);
		g_autofree char *reason = NULL;
		gboolean allowed = spk_guard_git((const char *const *)args, &reason);

		if (allowed != rows[i].allowed)
			fail_msg("git %s: %s", rows[i].line,
				 allowed ? "allowed" : reason);
		assert_true((reason == NULL) == allowed);
	}
}

/* A reason that says what to do is the point of refusing in words. */
static void reasons(void **state)
{
	static const struct {
		const char *line, *part;
	} wanted[] = {
		{ "statsu", "did you mean \"status\"" },
		{ "push", "network" },
		{ "commit --amen", "--amend" },
		{ "reset a.c", "reset -- PATH" },
		{ "config core.pager id", "--get" },
		{ "-C /x log", "sub-command first" },
		{ "difftool", "shell tool" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
		g_auto(GStrv) args = split(wanted[i].line);
		g_autofree char *reason = NULL;

		assert_false(spk_guard_git((const char *const *)args, &reason));
		if (!strstr(reason, wanted[i].part))
			fail_msg("%s: %s", wanted[i].line, reason);
	}
}

static void reason_is_bounded_and_clean(void **state)
{
	g_autofree char *huge = g_strnfill(100000, 'a');
	const char *args[] = { huge, NULL };
	const char *escape[] = { "\033[2Jx\n", NULL };
	g_autofree char *reason = NULL, *second = NULL;

	assert_false(spk_guard_git(args, &reason));
	assert_true(strlen(reason) < 300);
	assert_false(spk_guard_git(escape, &second));
	assert_null(strchr(second, '\033'));
	assert_null(strchr(second, '\n'));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(table),
	cmocka_unit_test(reasons),
	cmocka_unit_test(reason_is_bounded_and_clean),
};
SUITE(git_suite, tests);
