#include "tool/cli_contract.h"

#include <string.h>

static const char *const statuses[] = {
	[CLI_SUCCEEDED] = "succeeded",
	[CLI_NO_WORK] = "no_work",
	[CLI_FAILED] = "failed",
	[CLI_TIMED_OUT] = "timeout",
	[CLI_CONTRACT_ERROR] = "contract_error",
};

static const CliCauseInfo causes[] = {
#define X(sym, name, status, code, again, other, err, sentence)     \
	[CLI_CAUSE_##sym] = { name,  CLI_##status,  code,    again, \
			      other, SPK_ERR_##err, sentence },
	CLI_CAUSE_TABLE(X)
#undef X
};

const char *cli_status_name(CliStatus status)
{
	g_assert((gsize)status < G_N_ELEMENTS(statuses));
	return statuses[status];
}

const CliCauseInfo *cli_cause_info(CliCause cause)
{
	g_assert((gsize)cause < G_N_ELEMENTS(causes));
	return &causes[cause];
}

const CliCauseInfo *cli_cause_find(const char *name)
{
	for (gsize i = 0; name && i < G_N_ELEMENTS(causes); i++)
		if (!strcmp(causes[i].name, name))
			return &causes[i];
	return NULL;
}

CliDecision cli_decide(CliCause cause, guint attempt, guint retries, gboolean has_next)
{
	const CliCauseInfo *info = cli_cause_info(cause);

	if (info->retry_same && attempt < retries)
		return CLI_AGAIN;
	return info->fallback && has_next ? CLI_NEXT : CLI_STOP;
}

static const char *yes_or_no(gboolean yes)
{
	return yes ? "true" : "false";
}

char *cli_contract_line(const char *tool, CliCause cause, int exit_code,
			gint64 timeout_secs)
{
	const CliCauseInfo *info = cli_cause_info(cause);
	g_autofree char *code = exit_code < 0 ? g_strdup("-")
					      : g_strdup_printf("%d", exit_code);

	if (!info->code)
		return NULL;
	return g_strdup_printf("[sparks_cli_contract] tool=%s code=%s retry_same=%s "
			       "fallback=%s exit_code=%s timeout_secs=%" G_GINT64_FORMAT,
			       tool, info->code, yes_or_no(info->retry_same),
			       yes_or_no(info->fallback), code, timeout_secs);
}

/* ---- words of errors ---- */

/* In this order: money before rates, for 429 stands for both. */
static const struct {
	const char *words; /* lower case */
	CliCause cause;
} meanings[] = {
	{ "insufficient_quota", CLI_CAUSE_QUOTA },
	{ "credit balance", CLI_CAUSE_QUOTA },
	{ "exceeded your current quota", CLI_CAUSE_QUOTA },
	{ "usage limit", CLI_CAUSE_QUOTA },
	{ "billing", CLI_CAUSE_QUOTA },
	{ "payment required", CLI_CAUSE_QUOTA },
	{ "invalid api key", CLI_CAUSE_AUTH },
	{ "incorrect api key", CLI_CAUSE_AUTH },
	{ "invalid x-api-key", CLI_CAUSE_AUTH },
	{ "authentication", CLI_CAUSE_AUTH },
	{ "failed to authenticate", CLI_CAUSE_AUTH },
	{ "unauthorized", CLI_CAUSE_AUTH },
	{ "not logged in", CLI_CAUSE_AUTH },
	{ "please run /login", CLI_CAUSE_AUTH },
	{ "rate limit", CLI_CAUSE_RATE_LIMITED },
	{ "rate_limit", CLI_CAUSE_RATE_LIMITED },
	{ "too many requests", CLI_CAUSE_RATE_LIMITED },
	{ "overloaded", CLI_CAUSE_SERVER },
	{ "high demand", CLI_CAUSE_SERVER },
	{ "bad gateway", CLI_CAUSE_SERVER },
	{ "service unavailable", CLI_CAUSE_SERVER },
	{ "internal server error", CLI_CAUSE_SERVER },
	{ "connection", CLI_CAUSE_SERVER },
	{ "econn", CLI_CAUSE_SERVER },
	{ "error sending request", CLI_CAUSE_SERVER },
	{ "fetch failed", CLI_CAUSE_SERVER },
	{ "stream disconnected", CLI_CAUSE_SERVER },
	{ "network", CLI_CAUSE_SERVER },
	{ "model not found", CLI_CAUSE_REFUSED },
	{ "model_not_found", CLI_CAUSE_REFUSED },
	{ "does not exist", CLI_CAUSE_REFUSED },
	{ "bad request", CLI_CAUSE_REFUSED },
};

/* A number of three digits behind "status", "error" or "code", as in "last status: 429 Too…". */
static int status_in(const char *text)
{
	static const char *const before[] = { "status: ", "status ", "error: ", "code ",
					      "error code: " };

	for (gsize i = 0; i < G_N_ELEMENTS(before); i++)
		for (const char *at = strstr(text, before[i]); at;
		     at = strstr(at + 1, before[i])) {
			const char *n = at + strlen(before[i]);

			if (strspn(n, "0123456789") == 3 && n[0] >= '4' && n[0] <= '5')
				return (n[0] - '0') * 100 + (n[1] - '0') * 10 + n[2] -
				       '0';
		}
	return 0;
}

static CliCause cause_of_status(int status)
{
	if (status == 401 || status == 403)
		return CLI_CAUSE_AUTH;
	if (status == 402)
		return CLI_CAUSE_QUOTA;
	if (status == 429)
		return CLI_CAUSE_RATE_LIMITED;
	if (status == 408 || status == 409 || status >= 500)
		return CLI_CAUSE_SERVER;
	return status >= 400 ? CLI_CAUSE_REFUSED : CLI_CAUSE_GAVE_UP;
}

CliCause cli_cause_of_problem(const char *problem, int http_status)
{
	g_autofree char *text = g_ascii_strdown(problem ? problem : "", -1);
	CliCause by_words = CLI_CAUSE_GAVE_UP;
	int status = http_status ? http_status : status_in(text);

	for (gsize i = 0; by_words == CLI_CAUSE_GAVE_UP && i < G_N_ELEMENTS(meanings);
	     i++)
		if (strstr(text, meanings[i].words))
			by_words = meanings[i].cause;
	if (by_words == CLI_CAUSE_QUOTA || !status)
		return by_words;
	return cause_of_status(status);
}
