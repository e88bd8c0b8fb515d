/*
 * Listens to what an agent program writes while it runs: JSON lines on stdout, words on stderr.
 * Everything is bounded, whatever comes: lines that are too long are passed over, what is no
 * JSON is counted. What it makes of a stream depends on its bytes, not on the pieces they come in.
 */
#ifndef SPK_TOOL_CLI_WATCH_H
#define SPK_TOOL_CLI_WATCH_H

#include <glib.h>
#include <jansson.h>

#define CLI_LINE_MAX	(4u << 20)  /* bytes of a line that is looked at */
#define CLI_OUTPUT_MAX	(64u << 20) /* bytes in all before it counts as a flood */
#define CLI_WORDS_MAX	65536	    /* of a message that is kept */
#define CLI_PROBLEM_MAX 2000

/* What it has told so far. */
typedef struct {
	char *words;	  /* the model's latest; NULL: none */
	char *problem;	  /* the latest that went wrong, in the program's words; NULL */
	int http_status;  /* that came with it; 0: none */
	gboolean ended;	  /* the last line that it documents has come */
	gboolean failed;  /* and says that it failed */
	gboolean at_most; /* it stopped at the money that it was given */
	char *model;	  /* NULL: not told */
	gint64 input, output, cached,
		cache_write; /* tokens; input with both of the caches */
	double usd;	     /* -1: not told */
	guint events;	     /* JSON objects */
	guint noise;	     /* lines that are none, or too long */
	guint failures;	     /* of its requests, which it tries again by itself */
	char *latest;	     /* id of the latest message that was counted */
} CliReport;
void cli_report_clear(CliReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliReport, cli_report_clear)

/* One JSON object of its stdout. */
typedef void (*CliEventFn)(CliReport *report, const json_t *event);
void cli_event_claude(CliReport *report, const json_t *event);
void cli_event_codex(CliReport *report, const json_t *event);
void cli_event_opencode(CliReport *report, const json_t *event);

typedef struct CliWatch CliWatch;
CliWatch *cli_watch_new(CliEventFn event);
void cli_watch_free(CliWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CliWatch, cli_watch_free)
void cli_watch_out(CliWatch *watch, const char *data, gsize len);
void cli_watch_err(CliWatch *watch, const char *data, gsize len);
/* The last line may have had no end. */
void cli_watch_end(CliWatch *watch);
/* Borrowed, and changed by further output. */
const CliReport *cli_watch_report(const CliWatch *watch);
guint64 cli_watch_bytes(const CliWatch *watch);
/* Beginning and end of what came, at most `max` bytes, cleaned of what a terminal would obey. */
char *cli_watch_text(const CliWatch *watch, gboolean of_stderr, gsize max);

#endif
