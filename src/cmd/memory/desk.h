/* What the commands of `sparks memory` begin with, and the words they take alike. */
#ifndef SPK_CMD_MEMORY_DESK_H
#define SPK_CMD_MEMORY_DESK_H

#include "cmd/cmd.h"
#include "cmd/session.h"
#include "memory/memory.h"

typedef struct {
	SpkSession session;
	SpkMemory *memory;
	SpkStore *store; /* borrowed */
	gboolean json;
} SpkDesk;

/* FALSE: the failure is printed, *ret_exit is the exit code. */
gboolean spk_desk_open(SpkDesk *desk, const SpkArgs *args, int *ret_exit);
void spk_desk_clear(SpkDesk *desk);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkDesk, spk_desk_clear)
/* Prints the error (taken), as JSON too where that was asked for; the exit code. */
int spk_desk_fail(const SpkDesk *desk, GError *take_error);

/* The memory that a word names: its id, or a beginning of it that only one has. */
SpkMemoryRow *spk_desk_find(SpkStore *store, const char *word, GError **error);
/* Whether the word that found it is the id of another one, which was merged into it. */
gboolean spk_desk_is_merged(SpkStore *store, const SpkMemoryRow *row, const char *word);
/* Says then, on stderr, which memory is meant. */
void spk_desk_say_merged(SpkStore *store, const SpkMemoryRow *row, const char *word);

/* A scope as it is stored: "user", "spark:NAME", "task:ID" and words of one's own as they are;
 * "repo" is the repository of the current folder, "repo:PATH" the one PATH is in. */
char *spk_desk_scope(const char *word, GError **error);
char **spk_desk_scopes(const char *const *words, GError **error);
/* RFC 3339; without a zone the machine's, a date alone is its midnight. */
gboolean spk_desk_time(const char *flag, const char *text, gint64 *ret_us,
		       GError **error);
gboolean spk_desk_real(const char *flag, const char *text, double min, double max,
		       double *ret, GError **error);

/* --scope, --kind, --source, --task, --since and --until of a command into a list; *hold keeps what it borrows. */
typedef struct {
	char **scopes;
	char *task;
} SpkDeskHold;
void spk_desk_hold_clear(SpkDeskHold *hold);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkDeskHold, spk_desk_hold_clear)
gboolean spk_desk_which(const SpkDesk *desk, const SpkArgs *args, SpkMemoryList *what,
			SpkDeskHold *hold, GError **error);

/* Whether any of these was given. */
gboolean spk_desk_narrowed(const SpkArgs *args);

#define SPK_DESK_OPT_SCOPE                                                               \
	{                                                                                \
		"scope", .type = SPK_CMD_STRINGS, .value = "SCOPE",                      \
			 .sentence = "only of this scope: user, repo (the one here), "   \
				     "repo:PATH, spark:NAME, task:ID or one of your own" \
	}
#define SPK_DESK_OPT_KIND                                                      \
	{                                                                      \
		"kind", .type = SPK_CMD_STRINGS, .value = "KIND",              \
			.sentence = "only of this kind: fact, preference, …" \
	}
#define SPK_DESK_OPTS_WHICH                                                              \
	SPK_DESK_OPT_SCOPE, SPK_DESK_OPT_KIND,                                           \
		{ "source", .type = SPK_CMD_STRING, .value = "WHO",                      \
		  .sentence =                                                            \
			  "only what this one said: user, spark:NAME, import:PATH, …" }, \
		{ "task", .type = SPK_CMD_STRING, .value = "ID",                         \
		  .sentence = "only what was learned in this task" },                    \
		{ "since", .type = SPK_CMD_STRING, .value = "TIME",                      \
		  .sentence = "only of this time or later: 2026-01-31, or RFC 3339" },   \
	{                                                                                \
		"until", .type = SPK_CMD_STRING, .value = "TIME",                        \
			 .sentence = "only from before this time"                        \
	}

#endif
