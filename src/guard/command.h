/*
 * The judge of a shell line: which commands it runs, looked for by a lexer of its own through
 * quoting, wrappers, substitutions and code of other languages; what they do; and what the
 * rules say of them. It reads the line only, and scripts that its caller hands to it: no file,
 * no environment. Rules are compiled once, refcounted, immutable; any thread.
 * docs/adr/0029-commands.md tells the choices.
 *
 * A rule is a regular expression (GRegex). Those that allow must match every simple command of
 * a line as a whole; those that deny or are sensitive any part of any of them, or of the whole
 * normalised line. For these two the beginning of the pattern decides where it is tried:
 *   - a plain word (`rm\s`, `^git push`): where a command begins, by its name without folder
 *   - something of a path (`/etc/`, `\.env`, `~/\.ssh`): arguments, targets of redirections and
 *     values, but not words that are only text (of echo, of a commit message, a search pattern)
 *   - all others: everywhere, strings included
 */
#ifndef SPK_GUARD_COMMAND_H
#define SPK_GUARD_COMMAND_H

#include <glib.h>

#include "guard/decision.h"

#define SPK_COMMAND_MAX_LINE 65536 /* bytes; a longer one is not read, so it is asked */

typedef struct SpkCommandRules SpkCommandRules;

/* The lists are NULL-terminated or NULL. NULL: CONFIG, naming the pattern at fault (the caller
 * prefixes where it stands). */
SpkCommandRules *spk_command_rules_new(const char *const *sensitive,
				       const char *const *allow, const char *const *deny,
				       GError **error);
SpkCommandRules *spk_command_rules_ref(SpkCommandRules *rules);
void spk_command_rules_unref(SpkCommandRules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkCommandRules, spk_command_rules_unref)
/* Whether that may be a rule; CONFIG in words of the regular expression. For saved rules. */
gboolean spk_command_pattern_check(const char *pattern, GError **error);

/* Scripts that the line may run, and that are to be read like the line itself. */
typedef struct {
	/* The text of `path`, relative to `folder` (of the last cd; NULL: none), as the line has
	 * them; NULL: not known. The caller frees it. */
	char *(*read)(gpointer user, const char *folder, const char *path);
	gpointer user;
} SpkScripts;

/* One simple command that the line runs, in the order in which they begin. */
typedef struct {
	char *line; /* normalised: "rm -rf build" */
	char *way;  /* how it is reached: "", "sudo", "pipe", "substitution, sh -c" … */
	guint at;   /* byte of the line where it (or what leads to it) begins */
	SpkDoesSet does;
	gboolean read_only;
	SpkDecision decision; /* of this command alone */
} SpkCommandPart;

typedef struct {
	/* Rules: "command.deny", "command.unreadable" (the line is no shell, or too long),
	 * "command.unknown" (something that could not be looked into), "command.sensitive",
	 * "command.allow" (an allow rule stands for every command), "command.read_only",
	 * "command.plain". What allows or asks here says nothing of the ladder and of taint. */
	SpkDecision decision;
	SpkDoesSet does;
	gboolean
		read_only; /* every command is known to only read, and nothing is written */
	GPtrArray *urls;   /* char *: URLs and hosts that are named for a connection */
	GPtrArray
		*files; /* char *: words that may name files, for path.h; at most 1000 */
	GPtrArray *
		made; /* char *: files that it makes, as far as its words tell; at most 64 */
	char *normal;  /* the line as the lexer prints it: one line, clean UTF-8 */
	char *offer;   /* text of an allow rule for just this line; NULL: none can be */
	char *pattern; /* of the rule that decided, as it was given; or NULL */
	GPtrArray *parts; /* SpkCommandPart * */
} SpkCommandView;

/* `rules`, `scripts`: may be NULL. */
void spk_command_judge(const SpkCommandRules *rules, const SpkScripts *scripts,
		       const char *line, SpkCommandView *ret);
void spk_command_view_clear(SpkCommandView *view);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkCommandView, spk_command_view_clear)

/* The same rules on the line of another tool, "NAME ARGUMENT": deny, then allow (as a whole),
 * else FALSE with *ret untouched. Sensitive patterns are for commands only. */
gboolean spk_command_rules_try(const SpkCommandRules *rules, const char *line,
			       SpkDecision *ret, char **ret_pattern);

#endif
