/*
 * The rules, as data: which meanings near each other are a finding. Medium ones (2 points) are
 * common in innocent texts and only count in company; the flag threshold is 4.
 */
#include <string.h>

#include "base/json.h"
#include "guard/scan/scan_priv.h"

#define B(sym) SCAN_BIT(sym)
/* what an order asks for */
#define ACT                                                                         \
	(B(RUN) | B(SEND) | B(REVEAL) | B(SHOW) | B(HARV) | B(DISABLE) | B(PUSHW) | \
	 B(PLANT) | B(FAKED) | B(TOOLW) | B(FOLLOW) | B(NETC) | B(IGN) | B(IGNF))
/* what hardly anybody asks for in good faith */
#define BAD                                                                             \
	(B(PIPESH) | B(REVSH) | B(RMRF) | B(CONCEAL) | B(NOASK) | B(ESCAL) | B(PUSHW) | \
	 B(FAKED) | B(BACKD) | B(AUTH) | B(IMGX) | B(NEWI) | B(NEWY) | B(STOPT) |       \
	 B(UNRES) | B(PERSONA) | B(FOLLOW) | B(SUBST) | B(B64D))
#define SECM   (B(SECF) | B(SECX))
#define SECRET (SECM | B(SECS))
#define DEST   (B(URLD) | B(DESTW))
#define DROP   (B(IGN) | B(IGNF))
#define TELL   (B(REVEAL) | B(SHOW))
#define O      SCAN_ORDERED
#define K      SCAN_KEEP

#define R(id, kind, severity, window, flags, ...) \
	{ id, SPK_SCAN_##kind, SPK_SCAN_##severity, window, flags, { __VA_ARGS__ } },

/* clang-format off */
const ScanRule scan_rules[] = {
/* ---- what adds up without one of the rules below ---- */
R("order.other",    POLICY_BYPASS,        HIGH, SCAN_WINDOW, K, 0)
R("order.override", OVERRIDE_ATTEMPT,     HIGH, SCAN_WINDOW, K, 0)
R("order.secrets",  SECRET_EXFILTRATION,  HIGH, SCAN_WINDOW, K, 0)
R("order.shell",    SHELL_INJECTION_LIKE, HIGH, SCAN_WINDOW, K, 0)
R("order.rights",   TOOL_ESCALATION,      HIGH, SCAN_WINDOW, K, 0)

/* ---- what was said no longer holds ---- */
R("override.ignore-previous",      OVERRIDE_ATTEMPT, CRITICAL, 9, O, B(IGN), B(PREV), B(INSTR))
R("override.ignore-given",         OVERRIDE_ATTEMPT, CRITICAL, 9, O, B(IGN), B(INSTR), B(PREV))
R("override.ignore-previous-last", OVERRIDE_ATTEMPT, CRITICAL, 9, 0, B(IGNF), B(PREV), B(INSTR))
R("override.ignore-your",          OVERRIDE_ATTEMPT, CRITICAL, 7, O, B(IGN), B(YOURS), B(INSTR))
R("override.ignore-your-rules",    OVERRIDE_ATTEMPT, HIGH,     7, O, B(IGN), B(YOURS), B(RULEW))
R("override.ignore-your-last",     OVERRIDE_ATTEMPT, HIGH,     8, 0, B(IGNF), B(YOURS), B(INSTR) | B(RULEW))
R("override.ignore-all",           OVERRIDE_ATTEMPT, HIGH,     6, O, B(IGN), B(ALLQ), B(INSTR))
R("override.ignore-all-last",      OVERRIDE_ATTEMPT, HIGH,     7, 0, B(IGNF), B(ALLQ), B(INSTR))
R("override.ignore-rules",         OVERRIDE_ATTEMPT, HIGH,     7, O, B(IGN), B(PREV), B(RULEW))
R("override.ignore-rules-last",    OVERRIDE_ATTEMPT, HIGH,     8, 0, B(IGNF), B(PREV), B(RULEW))
R("override.replace-previous",     OVERRIDE_ATTEMPT, HIGH,     8, O, B(OVR), B(PREV) | B(ALLQ) | B(YOURS), B(INSTR))
R("override.replace-your-rules",   OVERRIDE_ATTEMPT, HIGH,     6, O, B(OVR), B(YOURS), B(RULEW) | B(PROTECT))
R("override.previous-dropped",     OVERRIDE_ATTEMPT, MEDIUM,  16, O, B(PREV), B(INSTR) | B(RULEW), B(DROPIT))
R("override.yours-dropped",        OVERRIDE_ATTEMPT, HIGH,    14, O, B(YOURS), B(INSTR) | B(RULEW) | B(PROTECT), B(DROPIT))
R("override.forget-everything",    OVERRIDE_ATTEMPT, HIGH,     4, O, B(IGN), B(EVERY))
R("override.leave-task",           OVERRIDE_ATTEMPT, MEDIUM,   1, O, B(STOPT))
R("override.leave-task-for",       OVERRIDE_ATTEMPT, HIGH,    22, 0, B(STOPT), SECRET | BAD | B(URLD) | B(SYSP))
R("override.new-instructions",     OVERRIDE_ATTEMPT, MEDIUM,   1, O, B(NEWI))
R("override.new-task",             OVERRIDE_ATTEMPT, HIGH,     1, O, B(NEWY))
R("override.new-for-model",        OVERRIDE_ATTEMPT, HIGH,    16, 0, B(NEWI), B(ADDR) | DROP)
R("override.new-and-secret",       OVERRIDE_ATTEMPT, HIGH,    22, 0, B(NEWI), SECM | B(CONCEAL) | B(NOASK) | B(PIPESH) | B(SYSP))
R("override.mark",                 OVERRIDE_ATTEMPT, MEDIUM,   1, O, B(DELIM))
R("override.mark-and-order",       OVERRIDE_ATTEMPT, HIGH,    26, O, B(DELIM), B(ADDR) | B(MUST) | B(ROLE) | SECM | B(SYSP) | BAD | DROP)
R("override.mark-and-action",      OVERRIDE_ATTEMPT, HIGH,    30, O, B(DELIM), B(RUN) | B(SEND) | TELL | B(DISABLE) | B(NETC), SECRET | DEST | B(PROTECT) | B(HIST) | B(FAKED) | B(PERSIST))
R("override.follow-elsewhere",     OVERRIDE_ATTEMPT, HIGH,    22, 0, B(FOLLOW), B(URLD))
R("override.follow-found",         OVERRIDE_ATTEMPT, HIGH,    22, 0, B(FOLLOW), B(ADDR) | B(NOASK) | B(CONCEAL) | B(MUST) | B(BEFORE))
R("override.authority",            OVERRIDE_ATTEMPT, MEDIUM,   1, O, B(AUTH))
R("override.hidden-order",         OVERRIDE_ATTEMPT, HIGH,    34, O | K, B(HIDDEN), B(ADDR), ACT | BAD | B(MUST) | SECM)
R("override.hidden-bad",           OVERRIDE_ATTEMPT, HIGH,    30, O | K, B(HIDDEN), BAD | DROP | B(SYSP), ACT | BAD | SECRET | B(INSTR) | B(RULEW) | B(MUST))
R("override.hidden-secret",        SECRET_EXFILTRATION, HIGH, 34, O | K, B(HIDDEN), B(SEND) | TELL | B(HARV) | B(NETC), SECM | B(SYSP) | B(HIST))
R("override.coded-order",          OVERRIDE_ATTEMPT, HIGH,   400, O | K, B(LAYERED), ACT | BAD | B(ROLE), SECRET | B(SYSP) | BAD | B(INSTR) | B(ADDR) | B(RULEW) | B(URLD) | B(HIST) | B(PERSIST) | B(PROTECT))
R("override.coded-drop",           OVERRIDE_ATTEMPT, HIGH,   400, O | K, B(LAYERED), DROP, B(PREV) | B(ALLQ) | B(INSTR) | B(RULEW) | B(EVERY))

/* ---- secrets out ---- */
R("secrets.send",                  SECRET_EXFILTRATION, CRITICAL, 24, O, B(SEND), SECM, DEST)
R("secrets.send-to",               SECRET_EXFILTRATION, CRITICAL, 24, O, B(SEND), DEST, SECM)
R("secrets.send-last",             SECRET_EXFILTRATION, HIGH,     24, O, SECM, DEST, B(SEND))
R("secrets.send-it",               SECRET_EXFILTRATION, HIGH,     18, O, B(SECX), B(SEND), DEST)
R("secrets.gather",                SECRET_EXFILTRATION, HIGH,     20, O, B(HARV), B(SECX), DEST)
R("secrets.gather-variables",      SECRET_EXFILTRATION, MEDIUM,   20, O, B(HARV), B(SECF), DEST)
R("secrets.gather-and-send",       SECRET_EXFILTRATION, HIGH,     24, O, B(HARV), SECM, B(SEND))
R("secrets.gather-and-send-keys",  SECRET_EXFILTRATION, MEDIUM,   16, O, B(HARV), B(SECS), B(SEND))
R("secrets.publish",               SECRET_EXFILTRATION, HIGH,     24, 0, B(SEND) | B(HARV) | B(PLANT) | TELL, SECM, B(PUBD))
R("secrets.publish-keys",          SECRET_EXFILTRATION, MEDIUM,   16, O, B(SEND) | B(HARV) | B(PLANT) | TELL, B(SECS), B(PUBD))
R("secrets.send-keys",             SECRET_EXFILTRATION, MEDIUM,   18, O, B(SEND), B(SECS), DEST)
R("secrets.send-machine",          SECRET_EXFILTRATION, HIGH,      9, O, B(SEND), B(SECX))
R("secrets.send-variables",        SECRET_EXFILTRATION, MEDIUM,    9, O, B(SEND), B(SECF))
R("secrets.send-machine-last",     SECRET_EXFILTRATION, MEDIUM,   10, O, SECM, B(SEND))
R("secrets.transfer",              SECRET_EXFILTRATION, HIGH,     14, 0, B(NETC), B(SECX))
R("secrets.transfer-variables",    SECRET_EXFILTRATION, MEDIUM,   14, 0, B(NETC), B(SECF))
R("secrets.transfer-to",           SECRET_EXFILTRATION, MEDIUM,   16, 0, B(NETC), B(SECS) | B(HIST) | B(SUBST), B(URLD))
R("secrets.reveal-prompt",         SECRET_EXFILTRATION, HIGH,      9, O, B(REVEAL) | B(SEND), B(SYSP))
R("secrets.reveal-prompt-last",    SECRET_EXFILTRATION, HIGH,     10, O, B(SYSP), B(REVEAL) | B(SEND))
R("secrets.show-prompt",           SECRET_EXFILTRATION, MEDIUM,    8, O, B(SHOW), B(SYSP))
R("secrets.show-your-prompt",      SECRET_EXFILTRATION, HIGH,      8, O, B(SHOW), B(YOURS), B(SYSP))
R("secrets.show-prompt-urged",     SECRET_EXFILTRATION, HIGH,     16, 0, B(SHOW), B(SYSP), B(MUST) | B(ADDR) | DROP | B(BEFORE) | B(FOLLOW))
R("secrets.model-prompt",          SECRET_EXFILTRATION, HIGH,     26, O, B(ADDR), TELL | B(SEND) | B(HARV), B(SYSP))
R("secrets.reveal-yours",          SECRET_EXFILTRATION, HIGH,      7, O, TELL, B(YOURS), SECRET)
R("secrets.reveal",                SECRET_EXFILTRATION, MEDIUM,    8, 0, TELL | B(HARV), B(SECX))
R("secrets.model-asked",           SECRET_EXFILTRATION, HIGH,     26, O, B(ADDR), B(SEND) | TELL | B(HARV) | B(NETC) | B(PLANT), SECM)
R("secrets.model-asked-keys",      SECRET_EXFILTRATION, HIGH,     12, O, B(ADDR), B(SEND) | TELL | B(HARV) | B(NETC), B(SECS))
R("secrets.model-asked-last",      SECRET_EXFILTRATION, HIGH,     26, O, B(ADDR), SECM, B(SEND) | TELL | B(HARV) | B(NETC))
R("secrets.urged",                 SECRET_EXFILTRATION, HIGH,     18, O, B(BEFORE) | B(MUST) | B(QUIET), B(SEND) | TELL | B(HARV) | B(NETC), B(SECX))
R("secrets.asked-for",             SECRET_EXFILTRATION, HIGH,      7, O, B(REVEAL), B(PREV) | B(YOURS), B(INSTR))
R("secrets.asked-for-given",       SECRET_EXFILTRATION, HIGH,      9, O, B(REVEAL), B(INSTR), B(PREV))
R("secrets.unnoticed",             SECRET_EXFILTRATION, HIGH,     26, 0, B(QUIET) | B(CONCEAL), B(SEND) | B(HARV) | B(NETC) | TELL, SECRET | DEST | B(HIST))
R("secrets.encode",                SECRET_EXFILTRATION, HIGH,     18, 0, B(ENCODE), SECRET | B(HIST), DEST | B(PUBD) | B(SEND))
R("secrets.image",                 SECRET_EXFILTRATION, HIGH,     30, 0, B(IMGX), SECRET | B(SYSP) | B(HIST) | B(PUBD) | B(MUST) | B(ADDR) | B(CONCEAL))
R("secrets.image-address",         SECRET_EXFILTRATION, MEDIUM,    1, O, B(IMGX))
R("secrets.history",               SECRET_EXFILTRATION, HIGH,     18, 0, B(SEND), B(HIST), DEST)
R("secrets.substitution",          SECRET_EXFILTRATION, HIGH,     14, 0, B(SUBST), SECM)

/* ---- shell ---- */
R("shell.piped",                   SHELL_INJECTION_LIKE, MEDIUM,  14, O, B(NETC), B(PIPESH))
R("shell.piped-asked",             SHELL_INJECTION_LIKE, HIGH,    30, O, B(ADDR) | B(BEFORE) | B(QUIET) | B(DELIM) | B(NEWI), B(NETC), B(PIPESH))
R("shell.piped-urged",             SHELL_INJECTION_LIKE, MEDIUM,  18, O, B(MUST), B(NETC), B(PIPESH))
R("shell.piped-after",             SHELL_INJECTION_LIKE, HIGH,    26, O, B(PIPESH), B(CONCEAL) | B(NOASK) | B(ADDR) | B(BEFORE))
R("shell.reverse",                 SHELL_INJECTION_LIKE, HIGH,     1, O, B(REVSH))
R("shell.delete-all",              SHELL_INJECTION_LIKE, HIGH,     1, O, B(RMRF))
R("shell.substitution",            SHELL_INJECTION_LIKE, MEDIUM,   1, O, B(SUBST))
R("shell.substitution-net",        SHELL_INJECTION_LIKE, HIGH,    10, O, B(SUBST), B(URLD) | B(NETC), B(PIPESH) | B(URLD) | B(SUBST) | B(RMRF))
R("shell.decoded",                 SHELL_INJECTION_LIKE, HIGH,     1, O, B(B64D))
R("shell.model-runs",              SHELL_INJECTION_LIKE, HIGH,    24, 0, B(ADDR), B(RUN) | B(NETC), B(URLD) | B(PIPESH) | B(SUBST) | B(RMRF))
R("shell.unnoticed",               SHELL_INJECTION_LIKE, HIGH,    22, 0, B(CONCEAL), B(RUN) | B(NETC) | B(PLANT))
R("shell.quietly",                 SHELL_INJECTION_LIKE, HIGH,    10, O, B(QUIET), B(RUN) | B(NETC), B(URLD) | B(PIPESH))
R("shell.run-remote-urged",        SHELL_INJECTION_LIKE, HIGH,    24, O, B(BEFORE) | B(NEWI), B(RUN) | B(NETC), B(PIPESH) | B(SUBST) | B(RMRF) | B(B64D))

/* ---- tools and rights ---- */
R("tools.disable-your",            TOOL_ESCALATION, CRITICAL, 8, O, B(DISABLE), B(YOURS), B(PROTECT))
R("tools.disable-your-last",       TOOL_ESCALATION, HIGH,     8, O, B(YOURS), B(PROTECT), B(DISABLE))
R("tools.disable",                 TOOL_ESCALATION, MEDIUM,   5, O, B(DISABLE), B(PROTECT))
R("tools.disable-last",            TOOL_ESCALATION, MEDIUM,   5, O, B(PROTECT), B(DISABLE))
R("tools.disable-asked",           TOOL_ESCALATION, HIGH,    20, O, B(ADDR) | B(BEFORE) | B(YOUMAY) | B(AUTH) | B(ROLE), B(DISABLE), B(PROTECT))
R("tools.disable-and",             TOOL_ESCALATION, HIGH,    20, O, B(DISABLE), B(PROTECT), B(RUN) | B(SEND) | B(NETC) | B(PUSHW) | B(CONCEAL) | B(NOASK))
R("tools.more-rights",             TOOL_ESCALATION, MEDIUM,   1, O, B(ESCAL))
R("tools.more-rights-asked",       TOOL_ESCALATION, HIGH,    20, 0, B(ESCAL), B(ADDR) | B(AUTH) | B(NOASK) | B(CONCEAL) | B(DELIM) | B(ROLE) | B(NEWI) | B(YOUMAY))
R("tools.more-rights-yours",       TOOL_ESCALATION, HIGH,    14, 0, B(ESCAL), B(YOURS), B(DISABLE) | B(PLANT) | B(RUN) | B(TOOLW))
R("tools.by-name",                 TOOL_ESCALATION, HIGH,    20, 0, B(TOOLW), SECRET | B(URLD) | B(NETC) | B(PIPESH) | B(RMRF) | B(ESCAL) | B(NOASK) | B(CONCEAL) | B(PERSIST))
R("tools.unasked",                 TOOL_ESCALATION, MEDIUM,   1, O, B(NOASK))
R("tools.unasked-action",          TOOL_ESCALATION, HIGH,    16, 0, B(NOASK), B(PUSHW) | B(PIPESH) | SECM | B(ESCAL) | B(ADDR) | B(YOUMAY) | B(AUTH) | B(CONCEAL) | B(BACKD) | B(RMRF) | B(MUST))
R("tools.push-asked",              TOOL_ESCALATION, HIGH,    20, 0, B(PUSHW), B(ADDR) | B(AUTH) | B(CONCEAL) | B(DELIM) | B(NEWI) | B(BACKD) | B(QUIET))
R("tools.persist-asked",           TOOL_ESCALATION, HIGH,    24, 0, B(PLANT) | B(SEND), B(PERSIST), B(ADDR) | B(CONCEAL) | B(QUIET) | B(NOASK) | B(PIPESH) | SECM | B(BACKD) | B(AUTH) | B(BEFORE))
R("tools.persist-net",             TOOL_ESCALATION, HIGH,    18, O, B(PLANT), B(PERSIST), B(NETC) | B(REVSH))

/* ---- rules for the model ---- */
R("bypass.role-free",              POLICY_BYPASS, CRITICAL, 20, 0, B(ROLE), B(UNRES))
R("bypass.persona",                POLICY_BYPASS, HIGH,     10, O, B(ROLE), B(PERSONA))
R("bypass.persona-free",           POLICY_BYPASS, HIGH,     16, 0, B(PERSONA), B(UNRES) | DROP | B(ADDR))
R("bypass.free-model",             POLICY_BYPASS, HIGH,     14, 0, B(UNRES), B(ADDR) | B(YOURS) | B(SYSP))
R("bypass.authority",              POLICY_BYPASS, HIGH,     18, 0, B(AUTH), B(PUSHW) | B(NOASK) | B(ESCAL) | SECM | B(DISABLE) | B(CONCEAL) | B(PIPESH) | DROP | B(FAKED) | B(PERSIST) | B(NETC) | B(PROTECT))
R("bypass.authority-model",        POLICY_BYPASS, HIGH,     18, 0, B(AUTH), B(ADDR), ACT)
R("bypass.conceal",                POLICY_BYPASS, MEDIUM,    1, O, B(CONCEAL))
R("bypass.conceal-asked",          POLICY_BYPASS, HIGH,     22, 0, B(CONCEAL), B(ADDR) | BAD | SECM | B(SYSP) | B(PERSIST) | DROP)
R("bypass.fake",                   POLICY_BYPASS, MEDIUM,    1, O, B(FAKED))
R("bypass.fake-asked",             POLICY_BYPASS, HIGH,     20, 0, B(FAKED), B(ADDR) | B(CONCEAL) | B(NOASK) | B(MUST) | B(AUTH) | B(DELIM) | B(NEWI) | B(STOPT) | B(DISABLE) | DROP)
R("bypass.fake-twice",             POLICY_BYPASS, HIGH,     18, O, B(FAKED), B(FAKED))
R("bypass.wipe",                   POLICY_BYPASS, MEDIUM,    1, O, B(WIPE))
R("bypass.wipe-asked",             POLICY_BYPASS, HIGH,     20, 0, B(WIPE), B(ADDR) | B(AUTH) | B(NOASK) | B(CONCEAL) | B(BEFORE) | B(DELIM) | B(NEWI) | DROP)
R("bypass.back-door",              POLICY_BYPASS, HIGH,      9, O, B(PLANT) | B(RUN) | B(SEND) | B(NOASK), B(BACKD))
R("bypass.back-door-last",         POLICY_BYPASS, HIGH,      9, O, B(BACKD), B(CONCEAL) | B(QUIET))
R("bypass.back-door-model",        POLICY_BYPASS, HIGH,     22, 0, B(BACKD), B(ADDR) | B(CONCEAL) | B(QUIET))
R("bypass.model-and-bad",          POLICY_BYPASS, HIGH,     20, O, B(ADDR), B(MUST) | B(YOUMAY) | ACT, BAD)
R("bypass.story",                  POLICY_BYPASS, HIGH,     26, 0, B(FICTION), B(UNRES) | B(SYSP) | SECRET | B(PERSONA) | DROP)
R("bypass.story-asked",            POLICY_BYPASS, MEDIUM,    1, O, B(FICTION))
R("bypass.story-action",           POLICY_BYPASS, MEDIUM,   26, 0, B(FICTION), B(DISABLE) | B(NOASK) | B(SECS) | B(BACKD))
{ NULL },
};
/* clang-format on */

guint scan_rule_count(void)
{
	static gsize count;

	if (g_once_init_enter(&count))
		g_once_init_leave(&count, G_N_ELEMENTS(scan_rules) - 1);
	return (guint)count;
}

static const char *const group_words[] = {
#define X(sym, words) words,
	SCAN_GROUPS(X)
#undef X
};

/* Whether every part of the rule has words of that language. */
static gboolean knows(const ScanRule *rule, const char *lang)
{
	for (guint k = 0; k < SCAN_MAX_PARTS && rule->parts[k]; k++) {
		gboolean any = rule->parts[k] & (B(DELIM) | B(LAYERED) | B(URLD));

		for (const ScanTerms *terms = scan_terms; terms->words && !any; terms++)
			any = terms->group <= SCAN_LAYERED &&
			      rule->parts[k] >> terms->group & 1 &&
			      (!strcmp(terms->lang, lang) || !strcmp(terms->lang, "*"));
		if (!any)
			return FALSE;
	}
	return TRUE;
}

static json_t *languages_of(const ScanRule *rule)
{
	static const char *const all[] = { "en", "de", "fr", "es", "it", "pt", "nl",
					   "ru", "pl", "tr", "zh", "ja", "ko", "ar",
					   "hi", "sv", "da", "no", "fi", "cs", "sk",
					   "hu", "ro", "el", "uk", "bg", "sr", "he",
					   "fa", "id", "vi", "th", "la", "bn" };
	json_t *list = json_array();

	for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
		if (knows(rule, all[i]))
			json_array_append_new(list, json_string(all[i]));
	return list;
}

static char *looks_for(const ScanRule *rule)
{
	GString *text = g_string_new(NULL);

	for (guint k = 0; k < SCAN_MAX_PARTS && rule->parts[k]; k++) {
		g_string_append_printf(text, "%s(",
				       k ? rule->flags & O ? ", then " : " + " : "");
		for (guint g = 0, n = 0; g <= SCAN_LAYERED; g++)
			if (rule->parts[k] >> g & 1)
				g_string_append_printf(text, "%s%s", n++ ? " | " : "",
						       group_words[g]);
		g_string_append_c(text, ')');
	}
	if (!rule->parts[0])
		g_string_append_printf(text,
				       "words and meanings that weigh enough together");
	if (rule->parts[1] || !rule->parts[0])
		g_string_append_printf(text, " within %u words", rule->window);
	return g_string_free(text, FALSE);
}

/* ---- reasons ---- */
#define REASON_GROUPS 3u

static void add_group_words(GString *text, const char *name, gsize len)
{
	static const char *const names[] = {
#define X(sym, ...) #sym,
		SCAN_GROUPS(X)
#undef X
	};

	for (guint g = 0; g < SCAN_N_GROUPS; g++)
		if (strlen(names[g]) == len && !strncmp(names[g], name, len))
			g_string_append(text, group_words[g]);
}

static void add_sign_words(GString *text, const char *name)
{
#define X(sym, words)            \
	if (!strcmp(name, #sym)) \
		g_string_append(text, words);
	SCAN_SIGNS(X)
#undef X
}

/* "w:verbatim" as “verbatim”, "x:SEND>SECX" as the words of both. */
static void add_weight_words(GString *text, const char *name)
{
	const char *rest = name + 2, *pair = strchr(rest, '>');

	switch (name[0]) {
	case 'g':
	case 'q':
	case 'n':
		g_string_append(text, name[0] == 'n' ? "not " : "");
		add_group_words(text, rest, strlen(rest));
		return;
	case 'x':
		add_group_words(text, rest, (gsize)(pair - rest));
		g_string_append(text, ", then ");
		add_group_words(text, pair + 1, strlen(pair + 1));
		return;
	case 'r':
		g_string_append_printf(text, "rule %s", rest);
		return;
	case 's':
		add_sign_words(text, rest);
		return;
	default:
		g_string_append_printf(text, "“%s%s”", rest, name[0] == 'p' ? "…" : "");
		if (name[0] == 'b')
			g_string_replace(text, "_", " ", 0);
	}
}

static void add_part_words(GString *text, guint64 part)
{
	for (guint g = 0, n = 0; g <= SCAN_LAYERED; g++)
		if (part >> g & 1 && n++ < REASON_GROUPS)
			g_string_append_printf(text, "%s%s", n > 1 ? " or " : "",
					       group_words[g]);
}

char *scan_reason(const ScanHit *hit)
{
	const ScanRule *rule = &scan_rules[hit->rule];
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < hit->n_reasons; i++) {
		g_string_append(text, i ? "; " : "");
		add_weight_words(text, scan_weights[hit->reasons[i]].name);
	}
	for (guint k = 0; !hit->n_reasons && k < SCAN_MAX_PARTS && rule->parts[k]; k++) {
		g_string_append(text, k ? rule->flags & O ? ", then " : "; " : "");
		add_part_words(text, rule->parts[k]);
	}
	return g_string_free(text, FALSE);
}

json_t *spk_scan_rules_to_json(void)
{
	json_t *list = json_array();

	for (const ScanRule *rule = scan_rules; rule->id; rule++) {
		g_autofree char *words = looks_for(rule);

		json_array_append_new(
			list,
			json_pack("{s:s,s:s,s:s,s:o,s:s}", "id", rule->id, "class",
				  spk_scan_class_name(rule->kind), "severity",
				  spk_scan_severity_name(rule->severity), "languages",
				  languages_of(rule), "looks_for", words));
	}
	return list;
}
