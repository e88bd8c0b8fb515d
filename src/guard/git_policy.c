/*
 * The rules for git lines, one row a sub-command. What has no row is refused: an alias, a
 * typing error and a program `git-x` somewhere on PATH look alike.
 *
 * An option is refused in every spelling git takes for it: with "=value", as an unambiguous
 * beginning ("--open-files-in-p"), or packed with other letters ("-nO"). Options are looked
 * for after "--" and in the place of values too, because "commit -m -- --amend" amends; so a
 * commit message that is exactly a refused option is refused as well.
 */
#include "guard/guard.h"

#include <string.h>

#include "base/text.h"

#define NETWORK                                                                    \
	"it reaches other machines; the box has no network, and results leave it " \
	"as the files of the work tree"
#define HISTORY "it rewrites history; make a new commit instead, or change the files"
#define PROGRAMS \
	"it runs programs by configuration; call them with the shell tool instead"
#define TERMINAL "it waits for a terminal, and there is none"
#define PLUMBING                                                                      \
	"it changes the object store or the index behind git's back; edit files and " \
	"use add and commit"
#define SERVER	"it serves a repository or keeps it in order, which no task needs"
#define PATCHES "it is for patches by mail; read changes with diff, log -p or show"
#define AMEND                                                                          \
	"the commit it would replace may be the base of the task; make a new commit, " \
	"the result becomes one commit anyway"
#define MOVES "it moves or drops a branch that is there; make a branch with a new name"
#define SIGNS "it runs a signing program, and there are no keys in the box"

typedef struct {
	const char *option; /* "--long" or "-x" */
	const char *why;
} DeniedOption;

typedef struct {
	const char *name;
	const char *refused;	 /* why the whole sub-command is; NULL: it is not */
	const char *valued;	 /* short options that take a value in the same word */
	DeniedOption denied[10]; /* ends with a NULL option */
	const char *first[8];	 /* when set: one of these must be the first argument */
	char *(*check)(const char *const *args); /* more; the reason, or NULL */
} GitRule;

/* Refused after every sub-command. */
static const DeniedOption denied_always[] = {
	{ "--exec", PROGRAMS },		{ "--upload-pack", PROGRAMS },
	{ "--receive-pack", PROGRAMS }, { "--ext-diff", PROGRAMS },
	{ "--textconv", PROGRAMS },	{ "--show-signature", SIGNS },
	{ "--gpg-sign", SIGNS },	{ NULL, NULL },
};

/* Complete options that only look like the beginning of a refused one. */
static const char *const complete[] = { "--text", NULL };

/* Before the sub-command: these and no other. */
static const char *const globals[] = { "--no-pager",	       "-P",
				       "--literal-pathspecs",  "--no-optional-locks",
				       "--no-replace-objects", NULL };

/* reset may unstage and may take the work tree back to HEAD, but not move the branch. Only
 * known options, so that none can swallow the "--" before the paths. */
static char *check_reset(const char *const *args)
{
	static const char *const options[] = {
		"-q",	  "--quiet", "--hard", "--soft",	  "--mixed",
		"--keep", "--merge", "-N",     "--intent-to-add", "--no-refresh",
		NULL
	};

	for (; *args && strcmp(*args, "--"); args++) {
		if (**args == '-' && !g_strv_contains(options, *args))
			return g_strdup_printf("option %s: write it out, or leave it out",
					       *args);
		if (**args != '-' && strcmp(*args, "HEAD") && strcmp(*args, "@"))
			return g_strdup_printf(
				"\"%s\": only HEAD may be reset to, " HISTORY
				"; for a path write: reset -- PATH",
				*args);
	}
	return NULL;
}

/* clang-format off */
static const GitRule rules[] = {
	/* reading */
	{ "blame" }, { "annotate" }, { "cherry" }, { "count-objects" }, { "describe" },
	{ "diff" }, { "diff-files" }, { "diff-index" }, { "diff-tree" }, { "for-each-ref" },
	{ "check-ignore" }, { "check-attr" }, { "log" }, { "ls-files" }, { "ls-tree" },
	{ "merge-base" }, { "name-rev" }, { "range-diff" }, { "rev-list" }, { "rev-parse" },
	{ "shortlog" }, { "show" }, { "show-branch" }, { "show-ref" }, { "status" },
	{ "version" }, { "whatchanged" },
	{ "cat-file", .denied = { { "--filters", PROGRAMS } } },
	{ "grep", .valued = "efABCm", .denied = { { "-O", PROGRAMS },
		{ "--open-files-in-pager", PROGRAMS } } },
	{ "config", .first = { "--get", "--get-all", "--get-regexp", "--list", "-l", "get", "list" },
		.denied = { { "-e", TERMINAL }, { "--edit", TERMINAL } } },
	{ "worktree", .first = { "list" } },

	/* the work tree and the index */
	{ "add", .denied = { { "-i", TERMINAL }, { "--interactive", TERMINAL },
		{ "-p", TERMINAL }, { "--patch", TERMINAL }, { "-e", TERMINAL },
		{ "--edit", TERMINAL } } },
	{ "apply", .valued = "pC", .denied = { { "--unsafe-paths", "it writes outside the work tree" } } },
	{ "checkout", .valued = "b", .denied = { { "-B", MOVES }, { "-p", TERMINAL },
		{ "--patch", TERMINAL } } },
	{ "clean", .valued = "e", .denied = { { "-x", "it removes ignored files, among them installed "
		"dependencies" }, { "-X", "it removes ignored files, among them installed "
		"dependencies" }, { "-i", TERMINAL }, { "--interactive", TERMINAL } } },
	{ "mv" },
	{ "reset", .check = check_reset },
	{ "restore", .valued = "sU", .denied = { { "-p", TERMINAL }, { "--patch", TERMINAL } } },
	{ "rm" },
	{ "stash", .valued = "m", .denied = { { "-p", TERMINAL }, { "--patch", TERMINAL } } },
	{ "switch", .valued = "c", .denied = { { "-C", MOVES }, { "--force-create", MOVES } } },

	/* new commits and names for them */
	{ "branch", .valued = "u", .denied = { { "-f", MOVES }, { "--force", MOVES }, { "-D", MOVES },
		{ "-M", MOVES }, { "-C", MOVES }, { "--edit-description", TERMINAL } } },
	{ "cherry-pick", .valued = "mX", .denied = { { "--strategy", PROGRAMS }, { "-e", TERMINAL },
		{ "--edit", TERMINAL }, { "-S", SIGNS } } },
	{ "commit", .valued = "mFcCtuS", .denied = { { "--amend", AMEND }, { "-S", SIGNS },
		{ "-p", TERMINAL }, { "--patch", TERMINAL }, { "--interactive", TERMINAL },
		{ "-e", TERMINAL }, { "--edit", TERMINAL } } },
	{ "merge", .valued = "mFX", .denied = { { "-s", PROGRAMS }, { "--strategy", PROGRAMS },
		{ "-e", TERMINAL }, { "--edit", TERMINAL }, { "-S", SIGNS } } },
	{ "revert", .valued = "mX", .denied = { { "--strategy", PROGRAMS }, { "-e", TERMINAL },
		{ "--edit", TERMINAL }, { "-S", SIGNS } } },
	{ "tag", .valued = "mFn", .denied = { { "-s", SIGNS }, { "--sign", SIGNS },
		{ "-u", SIGNS }, { "--local-user", SIGNS }, { "-v", SIGNS }, { "--verify", SIGNS },
		{ "-f", MOVES }, { "--force", MOVES } } },

	/* refused */
	{ "am", PATCHES }, { "archive", "it can ask other machines; make archives with the shell "
		"tool" },
	{ "bisect", PROGRAMS }, { "bundle", NETWORK }, { "citool", TERMINAL }, { "clone", NETWORK },
	{ "commit-graph", SERVER }, { "commit-tree", PLUMBING }, { "credential", PROGRAMS },
	{ "credential-cache", PROGRAMS }, { "credential-store", PROGRAMS }, { "cvsexportcommit", NETWORK },
	{ "cvsimport", NETWORK }, { "cvsserver", SERVER }, { "daemon", SERVER }, { "difftool", PROGRAMS },
	{ "fast-export", HISTORY }, { "fast-import", HISTORY }, { "fetch", NETWORK },
	{ "fetch-pack", NETWORK }, { "filter-branch", HISTORY }, { "filter-repo", HISTORY },
	{ "for-each-repo", PROGRAMS }, { "format-patch", PATCHES }, { "fsck", SERVER },
	{ "fsmonitor--daemon", PROGRAMS }, { "gc", HISTORY }, { "gui", TERMINAL },
	{ "hash-object", PLUMBING }, { "help", "it opens a manual reader; say what you need" },
	{ "hook", PROGRAMS }, { "http-backend", SERVER }, { "http-fetch", NETWORK },
	{ "http-push", NETWORK }, { "imap-send", NETWORK }, { "init", "the work tree has its "
		"repository" },
	{ "instaweb", SERVER }, { "interpret-trailers", PROGRAMS }, { "ls-remote", NETWORK },
	{ "mailinfo", PATCHES }, { "mailsplit", PATCHES }, { "maintenance", SERVER },
	{ "merge-file", PLUMBING }, { "merge-index", PROGRAMS }, { "merge-tree", PLUMBING },
	{ "mergetool", PROGRAMS }, { "mktag", PLUMBING }, { "mktree", PLUMBING }, { "notes", HISTORY },
	{ "p4", NETWORK }, { "pack-objects", PLUMBING }, { "pack-refs", SERVER }, { "prune", HISTORY },
	{ "prune-packed", HISTORY }, { "pull", NETWORK }, { "push", NETWORK }, { "quiltimport", PATCHES },
	{ "read-tree", PLUMBING }, { "rebase", HISTORY }, { "receive-pack", SERVER },
	{ "reflog", HISTORY }, { "remote", NETWORK }, { "remote-ext", NETWORK }, { "remote-fd", NETWORK },
	{ "remote-http", NETWORK }, { "remote-https", NETWORK }, { "repack", HISTORY },
	{ "replace", HISTORY }, { "request-pull", NETWORK }, { "rerere", HISTORY },
	{ "send-email", NETWORK }, { "send-pack", NETWORK }, { "shell", SERVER },
	{ "sparse-checkout", PLUMBING }, { "submodule", NETWORK }, { "subtree", NETWORK },
	{ "svn", NETWORK }, { "symbolic-ref", HISTORY }, { "unpack-objects", PLUMBING },
	{ "update-index", PLUMBING }, { "update-ref", HISTORY }, { "update-server-info", SERVER },
	{ "upload-archive", SERVER }, { "upload-pack", SERVER }, { "var", PROGRAMS },
	{ "verify-commit", SIGNS }, { "verify-tag", SIGNS }, { "web--browse", PROGRAMS },
	{ "write-tree", PLUMBING },
};
/* clang-format on */

static const GitRule *find_rule(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
		if (!strcmp(rules[i].name, name))
			return &rules[i];
	return NULL;
}

/* "--opt", "--opt=x" or a beginning of it, with at least one letter. */
static gboolean is_long(const char *arg, const char *option)
{
	gsize len = strcspn(arg, "=");
	g_autofree char *name = g_strndup(arg, len);

	if (len < 3 || g_strv_contains(complete, name))
		return !strcmp(name, option);
	return !strncmp(name, option, len);
}

/* The letter in "-abc", up to one that takes the rest of the word as its value, or to what is
 * no letter: git takes no such option ("- first point" is a commit message). */
static gboolean has_letter(const char *arg, char letter, const char *valued)
{
	for (arg++; g_ascii_isalnum(*arg); arg++) {
		if (*arg == letter)
			return TRUE;
		if (valued && strchr(valued, *arg))
			return FALSE;
	}
	return FALSE;
}

static const DeniedOption *find_denied(const DeniedOption *denied, const char *arg,
				       const char *valued)
{
	for (; denied->option; denied++) {
		gboolean is_short = denied->option[1] != '-';

		if (is_short && arg[1] != '-' &&
		    has_letter(arg, denied->option[1], valued))
			return denied;
		if (!is_short && arg[1] == '-' && is_long(arg, denied->option))
			return denied;
	}
	return NULL;
}

static char *check_options(const GitRule *rule, const char *const *args)
{
	for (; *args; args++) {
		const DeniedOption *found;

		if (**args != '-')
			continue;
		found = find_denied(rule->denied, *args, rule->valued);
		if (!found)
			found = find_denied(denied_always, *args, rule->valued);
		if (found)
			return g_strdup_printf("option %s: %s", found->option,
					       found->why);
	}
	return NULL;
}

static char *check_first(const GitRule *rule, const char *first)
{
	g_autofree char *list = NULL;

	if (!rule->first[0] || (first && g_strv_contains(rule->first, first)))
		return NULL;
	list = g_strjoinv(", ", (char **)rule->first);
	return g_strdup_printf("the first argument must be one of: %s", list);
}

static char *unknown_command(const char *name)
{
	const char *allowed[G_N_ELEMENTS(rules) + 1];
	g_autofree char *clean = spk_text_clean(name, -1, SPK_CLEAN_LINE);
	g_autofree char *clipped = spk_text_clip(clean, 60);
	g_autofree char *meant = NULL;
	gsize n = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
		if (!rules[i].refused)
			allowed[n++] = rules[i].name;
	allowed[n] = NULL;
	meant = spk_text_did_you_mean(clipped, allowed);
	return g_strdup_printf("\"%s\" is not a git command that may run here%s", clipped,
			       meant);
}

gboolean spk_guard_git(const char *const *args, char **ret_reason)
{
	g_autofree char *why = NULL;
	const GitRule *rule;

	while (*args && g_strv_contains(globals, *args))
		args++;
	if (!*args || **args == '-') {
		*ret_reason = g_strdup_printf(
			"%s: give the sub-command first, then its options; "
			"no option of git itself changes folder, "
			"configuration or programs here",
			*args ? "refused" : "no sub-command");
		return FALSE;
	}
	rule = find_rule(args[0]);
	if (!rule) {
		*ret_reason = unknown_command(args[0]);
		return FALSE;
	}
	if (rule->refused)
		why = g_strdup(rule->refused);
	if (!why)
		why = check_first(rule, args[1]);
	if (!why)
		why = check_options(rule, args + 1);
	if (!why && rule->check)
		why = rule->check(args + 1);
	*ret_reason = why ? g_strdup_printf("git %s is refused: %s", rule->name, why)
			  : NULL;
	return !why;
}
