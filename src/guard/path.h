/*
 * May this path be read or written? Judged on its text alone, before anything is opened:
 * what leaves the work tree, names of .git, sensitive names, and whatever another system, a
 * terminal or a careless eye would take for one of these (other case, letters that look alike
 * or can't be seen, blanks and dots at the end, short names of Windows). What a path leads to
 * is judged when it is open: tool/path.c. Pure functions; any thread.
 */
#ifndef SPK_GUARD_PATH_H
#define SPK_GUARD_PATH_H

#include "guard/decision.h"

/* `sensitive`: patterns of spk_guard_match(), NULL: spk_sensitive_patterns. Rules: "path.form"
 * (no path, or one with bytes that no honest name has), "path.outside", "path.kernel" (/proc,
 * /dev, /sys), "path.git", "path.secret" and "path.lookalike" refuse; "path.tree" allows. An
 * absolute path is outside. *ret is replaced. */
void spk_path_judge(const char *path, gboolean write, const char *const *sensitive,
		    SpkDecision *ret);

/* The same of a name that the kernel gave, raw bytes relative to the top of the work tree: "path.git",
 * "path.secret" or "path.lookalike" refuse, nothing else does. */
void spk_path_judge_real(const char *path, gboolean write, const char *const *sensitive,
			 SpkDecision *ret);

/* A word of a command that may name a sensitive file: as a path of any kind, behind "=", "@",
 * "<", "-x" or the colon of a revision (HEAD:.env), in a list ({a,.env}), or as wildcards that
 * say most of its name (.en*). The pattern of `sensitive` (NULL: as above) that it names,
 * borrowed, or NULL. Absolute paths are looked at like others. */
const char *spk_path_word(const char *word, const char *const *sensitive);
/* The same as a decision: rule "path.secret" denies, else "path.word" allows. */
void spk_path_judge_word(const char *word, const char *const *sensitive,
			 SpkDecision *ret);

#endif
