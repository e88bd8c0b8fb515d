/*
 * The one table of errors. Every GError of the program is in the domain SPK_ERROR and
 * carries a code of this table; the code decides the exit status of a command, the HTTP
 * status of an API answer and whether a retry may help. A hint ("what to do") travels
 * beside the message. A function logs or returns an error, never both.
 */
#ifndef SPK_BASE_ERROR_H
#define SPK_BASE_ERROR_H

#include <glib.h>

/* clang-format off */
/*  symbol               name                    HTTP exit retry  sentence */
#define SPK_ERROR_TABLE(X)                                                                 \
	X(INTERNAL,          "internal",              500,   1, 0, "a bug in sparks")           \
	X(IO,                "io",                    500,   1, 0, "a file operation failed")   \
	X(FAILED,            "failed",                500,   1, 0, "the work failed")           \
	X(LOOP,              "loop_guard_triggered",  500,   1, 0, "the model went in circles") \
	X(CONFLICT,          "conflict",              409,   1, 0, "the state has moved")       \
	X(CORRUPT,           "corrupt",               500,   1, 0, "stored data is damaged")    \
	X(BOX_FAILED,        "box_failed",            500,   1, 0, "the sandbox failed")        \
	X(GIT,               "git",                   500,   1, 0, "git failed")                \
	X(LEASE_LOST,        "lease_lost",            409,   1, 0, "another worker has the task") \
	X(REPO_UNSUPPORTED,  "repo_unsupported",      422,   1, 0, "this repository cannot be handled") \
	X(REPLAY_DIFFERS,    "replay_differs",        409,   1, 0, "the replay differs from the record") \
	X(USAGE,             "usage",                 400,   2, 0, "the call is wrong")         \
	X(NOT_FOUND,         "not_found",             404,   2, 0, "no such thing")             \
	X(BAD_INPUT,         "bad_input",             400,   2, 0, "the input is not of its form") \
	X(WAITING,           "outcome_wait_timeout",  202,   4, 0, "not finished yet")          \
	X(APPROVAL,          "approval_pending",      202,   4, 0, "a question waits for its answer") \
	X(PROVIDER,          "provider_unavailable",  503,  69, 1, "the model provider does not answer") \
	X(PROVIDER_AUTH,     "provider_auth",         401,  69, 0, "the model provider refuses the key") \
	X(REQUEST,           "provider_refused",      502,  69, 0, "the model provider refuses the request") \
	X(PROVIDER_REPLY,    "provider_bad_reply",    502,  69, 1, "the model provider's answer is not of its form") \
	X(CONTEXT_LENGTH,    "context_length",        413,  69, 0, "the request is longer than the model's window") \
	X(ENGINE,            "engine_unavailable",    503,  69, 1, "the container engine does not answer") \
	X(RATE_LIMITED,      "rate_limited",          429,  75, 1, "the provider asks to slow down") \
	X(TIMEOUT,           "timeout",               504,  75, 1, "time ran out")              \
	X(LIMIT,             "limit",                 429,  75, 0, "a limit of the task is reached") \
	X(BUSY,              "busy",                  503,  75, 1, "somebody else holds it now") \
	X(DISK_FULL,         "disk_full",             507,  75, 0, "no space is left")          \
	X(POLICY,            "policy_blocked",        403,  77, 0, "refused by policy")         \
	X(BOX_TIER,          "box_tier",              403,  77, 0, "the sandbox is weaker than required") \
	X(CONFIG,            "config",                500,  78, 0, "the configuration is wrong") \
	X(STORE_NEWER,       "store_newer",           500,  78, 0, "the database is of a newer sparks") \
	X(READ_ONLY,         "read_only",             500,  78, 0, "the place cannot be written") \
	X(CANCELLED,         "cancelled",             499, 130, 0, "cancelled")
/* clang-format on */

typedef enum {
#define X(sym, ...) SPK_ERR_##sym,
	SPK_ERROR_TABLE(X)
#undef X
		SPK_N_ERRS
} SpkErr;

typedef struct {
	const char *name; /* as in JSON `error.code` */
	int http_status;
	int exit_code;
	gboolean retryable;
	const char *sentence;
} SpkErrInfo;

#define SPK_ERROR (spk_error_quark())
GQuark spk_error_quark(void);

const SpkErrInfo *spk_err_info(SpkErr code);
/* The row of an error; errors of other domains count as SPK_ERR_INTERNAL. */
SpkErr spk_error_code(const GError *error);
gboolean spk_error_is(const GError *error, SpkErr code);

/* Sets *error (ignored when error is NULL). `hint` (what to do) may be NULL. */
void spk_error_set(GError **error, SpkErr code, const char *hint, const char *format, ...)
	G_GNUC_PRINTF(4, 5);
/* As above with ": " and the text of errno_value; ENOSPC/EDQUOT become DISK_FULL,
 * EROFS becomes READ_ONLY whatever `code` says. */
void spk_error_set_errno(GError **error, SpkErr code, int errno_value, const char *hint,
			 const char *format, ...) G_GNUC_PRINTF(5, 6);
/* Borrowed; NULL when the error has none. */
const char *spk_error_hint(const GError *error);

#endif
