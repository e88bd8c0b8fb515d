/*
 * The prompt scanner: does a text try to give orders to the model that reads it? The text is
 * normalised, decoded in layers, and looked through for combinations of meanings (scan_rules.c
 * has the rules as data). A scanner is immutable, any thread; a scan is one pass over its text
 * and its layers, in time linear in its length. It is a warning, not the wall: that is taint.
 */
#ifndef SPK_GUARD_SCAN_H
#define SPK_GUARD_SCAN_H

#include <glib.h>
#include <jansson.h>

#include "conf/conf.h"

/* clang-format off */
#define SPK_SCAN_VERDICTS(X) \
	X(PASS,  "pass")     \
	X(FLAG,  "flag")     \
	X(BLOCK, "block")

/* Severities and what they count (reference, 10). */
#define SPK_SCAN_SEVERITIES(X)    \
	X(MEDIUM,   "medium",   2) \
	X(HIGH,     "high",     4) \
	X(CRITICAL, "critical", 6)

#define SPK_SCAN_CLASSES(X)                            \
	X(OVERRIDE_ATTEMPT,     "override_attempt")     \
	X(SECRET_EXFILTRATION,  "secret_exfiltration")  \
	X(SHELL_INJECTION_LIKE, "shell_injection_like") \
	X(TOOL_ESCALATION,      "tool_escalation")      \
	X(POLICY_BYPASS,        "policy_bypass")

typedef enum {
#define X(sym, ...) SPK_SCAN_##sym,
	SPK_SCAN_VERDICTS(X)
#undef X
} SpkScanVerdict;

typedef enum {
#define X(sym, ...) SPK_SCAN_##sym,
	SPK_SCAN_SEVERITIES(X)
#undef X
	SPK_N_SCAN_SEVERITIES
} SpkScanSeverity;

typedef enum {
#define X(sym, ...) SPK_SCAN_##sym,
	SPK_SCAN_CLASSES(X)
#undef X
	SPK_N_SCAN_CLASSES
} SpkScanClass;
/* clang-format on */

const char *spk_scan_verdict_name(SpkScanVerdict verdict);
const char *spk_scan_severity_name(SpkScanSeverity severity);
const char *spk_scan_class_name(SpkScanClass kind);

/* Where a text comes from; what is NULL is not known. */
typedef struct {
	const char *provider; /* "operator", "chat", "context", "repository", "github" */
	const char *repo;     /* path, or owner/name */
	const char *ticket;
	const char *author;
} SpkScanSource;

typedef struct {
	const char *rule; /* id; static */
	SpkScanClass kind;
	SpkScanSeverity severity; /* as it counts here */
	gsize start, end; /* bytes of the text as it was given, on character boundaries */
	const char *layer; /* "text", or how it was hidden: "base64", "rot13"; static */
	char *reason; /* in words; nothing of the text but words that the scanner knows */
	char *excerpt; /* clean, redacted, one line, at most max_log_chars characters */
} SpkScanFinding;

typedef struct {
	SpkScanVerdict verdict;
	guint score;	     /* of the stretch of the text that has most */
	GPtrArray *findings; /* SpkScanFinding, by place; at most max_findings */
	guint more;	     /* findings beyond these */
	const char
		*allowed; /* part of the allowlist that made it milder; static, or NULL */
	guint64 work;	  /* bytes looked at, all layers together */
	/* what a second judge (guard/judge.h) goes by */
	guint least; /* points of what it can't take away: critical, or hidden */
	gint weight; /* the most that words of open text add up to (scan_weigh.c) … */
	gsize weight_end; /* … and where that stretch ends */
	guint flag_at, block_at, max_chars;
	gboolean may_block;
	const char *judge; /* its opinion by name, static; NULL: it has none */
} SpkScanResult;

void spk_scan_result_clear(SpkScanResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkScanResult, spk_scan_result_clear)

typedef struct SpkScanner SpkScanner;

/* With the values of [prompt_scanner]; mode: "flag_only" or "block" before all others of the
 * configuration, NULL: as it says. CONFIG: a pattern that is none. */
SpkScanner *spk_scanner_new(const SpkConf *conf, const char *mode, GError **error);
void spk_scanner_free(SpkScanner *scanner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkScanner, spk_scanner_free)

/* Any bytes, less than 1 GiB. A scanner that is not enabled lets all pass. */
void spk_scanner_scan(const SpkScanner *scanner, const SpkScanSource *source,
		      const char *text, gsize len, SpkScanResult *ret);
/* {"verdict","score","findings":[{"rule","severity","start","end","excerpt","class","layer",
 * "reason"}],"more","allowed"}, and "judge" where it has an opinion */
json_t *spk_scan_to_json(const SpkScanResult *result);

/* The text as a model gets it: as it is (pass), with a line of warning in front (flag), or the
 * reason why it is withheld (block). */
char *spk_scan_for_model(const SpkScanResult *result, const char *text);
/* "2 findings (override_attempt, secret_exfiltration), score 10", for a person; no text of the
 * source in it. */
char *spk_scan_in_words(const SpkScanResult *result);

/* [{"id","class","severity","languages":[…],"looks_for"}] */
json_t *spk_scan_rules_to_json(void);

#endif
