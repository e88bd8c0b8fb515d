/*
 * The law: one decision for one call. It joins what the judges of this room say (paths, URLs,
 * commands, the ladder of autonomy, taint) with the operator's own rules; the strictest wins.
 * What an operator's rule may lift is only what is asked of commands: never a deny rule, a level
 * that never does it, or what taint asks for. What is still to be asked then goes to approval.h.
 *
 * A law is made once for a spark and a repository; immutable, any thread. docs/law.md, ADR 32.
 */
#ifndef SPK_GUARD_LAW_H
#define SPK_GUARD_LAW_H

#include "guard/command.h"
#include "guard/ladder.h"
#include "guard/taint.h"

typedef struct SpkLaw SpkLaw;

/* Borrowed for the call only. Lists end with NULL, or are NULL. */
typedef struct {
	SpkLevel level;
	const char *const *sensitive;		/* patterns of commands that are asked */
	const char *const *allow, *const *deny; /* rules, see guard/command.h */
	const char *const
		*files; /* sensitive ones, of spk_guard_match(); NULL: built in */
	const char *const *hosts;     /* that the operator allowed, as of net/allow.h */
	const char *const *addresses; /* of hosts in private networks, likewise */
} SpkLawSpec;

/* NULL: CONFIG or BAD_INPUT, naming the rule. */
SpkLaw *spk_law_new(const SpkLawSpec *spec, GError **error);
void spk_law_free(SpkLaw *law);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkLaw, spk_law_free)
SpkLevel spk_law_level(const SpkLaw *law);

typedef struct {
	const char *
		line; /* "NAME ARGUMENT": what rules are tried on, where it is no command */
	const char *command;	   /* of a shell; NULL: it is none */
	const SpkScripts *scripts; /* that it may run; NULL */
	const char *path;	   /* in the work tree; NULL */
	gboolean write;		   /* to that path */
	const char *url;	   /* that it asks for; NULL */
	SpkDoesSet does;	   /* what it does whatever its arguments are */
	/* Rule by which the operator has named this very program or key beforehand
	 * ("operator.cli_tool"): what it sends and the key it has need no question. NULL. */
	const char *named;
} SpkLawCall;

typedef struct {
	SpkDecision decision;
	SpkDoesSet does;   /* all that was found in it, without what the operator named */
	gboolean by_taint; /* a rule of taint is among those that ask */
	char **hosts; /* "HOST[:PORT]", NULL at the end: named, and allowed by nobody yet */
	char *normal;  /* the line, as rules see it and people are shown it */
	char **made;   /* files that a command makes, NULL-terminated; NULL: it is none */
	char **parts;  /* its simple commands, NULL-terminated; NULL: it is no command */
	char *offer;   /* an allow rule that would save the question; NULL: none can */
	char *pattern; /* of the operator's rule that decided; NULL */
} SpkLawView;
void spk_law_view_clear(SpkLawView *view);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkLawView, spk_law_view_clear)

/* The rule in *ret says which judge decided; "operator.rule", "operator.allow" and `named` say
 * that the operator had. */
void spk_law_judge(const SpkLaw *law, const SpkLawCall *call, const SpkTaintMark *taint,
		   SpkLawView *ret);

#endif
