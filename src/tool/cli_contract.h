/*
 * Agent programs of others (Claude Code, Codex, opencode): how a run of one can end, as words that
 * people and scripts know from the reference program, and what follows from it. One table; equal
 * ends give equal decisions.
 */
#ifndef SPK_TOOL_CLI_CONTRACT_H
#define SPK_TOOL_CLI_CONTRACT_H

#include "base/error.h"

typedef enum {
	CLI_SUCCEEDED,
	CLI_NO_WORK, /* it ended well and changed no file */
	CLI_FAILED,
	CLI_TIMED_OUT,
	CLI_CONTRACT_ERROR, /* what it wrote is not what it documents */
} CliStatus;
const char *cli_status_name(CliStatus status); /* "succeeded", "no_work", "failed", ... */

/* clang-format off */
/*  symbol          name             status          code                  again other error (base/error.h) sentence */
#define CLI_CAUSE_TABLE(X)                                                                                \
	X(DONE,          "done",          SUCCEEDED,      NULL,                 0, 0, INTERNAL,      "it did its work")          \
	X(IDLE,          "no_work",       NO_WORK,        NULL,                 0, 0, INTERNAL,      "it ended without changing a file") \
	X(NOT_INSTALLED, "not_installed", FAILED,         "cli_unavailable",    0, 1, CONFIG,        "it is not installed here") \
	X(CANNOT_START,  "cannot_start",  FAILED,         "cli_unavailable",    0, 1, CONFIG,        "it does not start in the sandbox") \
	X(NO_CREDENTIAL, "no_credential", FAILED,         "cli_unavailable",    0, 1, PROVIDER_AUTH, "there is no key for it")   \
	X(NO_WAY_OUT,    "no_way_out",    FAILED,         "cli_unavailable",    0, 0, POLICY,        "the sandbox has no way out to its server") \
	X(AUTH,          "auth",          FAILED,         "cli_unavailable",    0, 1, PROVIDER_AUTH, "its server refuses the key") \
	X(QUOTA,         "quota",         FAILED,         "cli_unavailable",    0, 1, RATE_LIMITED,  "its account has no money or quota left") \
	X(RATE_LIMITED,  "rate_limited",  FAILED,         "cli_unavailable",    1, 1, RATE_LIMITED,  "its server asks to slow down") \
	X(SERVER,        "server",        FAILED,         "cli_unavailable",    1, 1, PROVIDER,      "its server does not answer or fails") \
	X(REFUSED,       "refused",       FAILED,         "cli_contract_error", 0, 1, REQUEST,       "its server refuses the request, as for an unknown model") \
	X(GAVE_UP,       "gave_up",       FAILED,         "cli_contract_error", 0, 1, FAILED,        "it says that it failed")   \
	X(TIME,          "timeout",       TIMED_OUT,      "cli_timeout",        0, 1, TIMEOUT,       "its time ran out, and it was killed") \
	X(BUDGET,        "budget",        FAILED,         "policy_blocked",     0, 0, LIMIT,         "it was stopped at the task's budget") \
	X(SANDBOX,       "sandbox",       FAILED,         "policy_blocked",     0, 0, LIMIT,         "it went past a limit of the sandbox and was stopped") \
	X(FLOOD,         "flood",         CONTRACT_ERROR, "cli_contract_error", 0, 1, FAILED,        "it wrote far more than it may, and was stopped") \
	X(CRASHED,       "crashed",       CONTRACT_ERROR, "cli_contract_error", 1, 1, FAILED,        "it crashed")               \
	X(NO_RESULT,     "no_result",     CONTRACT_ERROR, "cli_contract_error", 1, 1, FAILED,        "it ended without the result that it documents")
/* clang-format on */

typedef enum {
#define X(sym, ...) CLI_CAUSE_##sym,
	CLI_CAUSE_TABLE(X)
#undef X
		CLI_N_CAUSES
} CliCause;

typedef struct {
	const char *name;
	CliStatus status;
	const char *code;    /* of the reference's taxonomy; NULL: it went well */
	gboolean retry_same; /* the same may go better a moment later */
	gboolean fallback;   /* another program may do it */
	SpkErr err;	     /* of a task that is nothing but this run */
	const char *sentence;
} CliCauseInfo;
const CliCauseInfo *cli_cause_info(CliCause cause);
/* By its name; NULL: there is no such one. */
const CliCauseInfo *cli_cause_find(const char *name);

typedef enum { CLI_STOP, CLI_AGAIN, CLI_NEXT } CliDecision;
/* After attempt number `attempt` (0, 1, ...) of one program: at most `retries` more of it, then
 * the next program where there is one. */
CliDecision cli_decide(CliCause cause, guint attempt, guint retries, gboolean has_next);

/* "[sparks_cli_contract] tool=… code=… retry_same=… fallback=… exit_code=… timeout_secs=…";
 * exit_code < 0: "-". NULL when there is no code. */
char *cli_contract_line(const char *tool, CliCause cause, int exit_code,
			gint64 timeout_secs);

/* What the words of an error mean, with the HTTP status that goes with them (0: none is known).
 * GAVE_UP when they tell nothing. Only for what a program says of itself, never for a model's
 * words. */
CliCause cli_cause_of_problem(const char *problem, int http_status);

#endif
