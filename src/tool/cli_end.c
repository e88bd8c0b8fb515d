/* How an attempt of an agent program ended: the cause, and the envelope that tells of it. */
#include "base/clock.h"
#include "base/json.h"
#include "tool/cli_run_priv.h"

void cli_end_clear(CliEnd *end)
{
	g_free(end->words);
	g_free(end->problem);
	g_free(end->out);
	g_free(end->err);
	g_free(end->provider);
	g_free(end->model);
	g_free(end->tree);
	g_clear_pointer(&end->changed, g_ptr_array_unref);
	json_decref(end->blocked);
	*end = (CliEnd){ .exit_code = -1, .usd = -1 };
}

/* ---- the cause ---- */

static gboolean is_meter(const json_t *blocked)
{
	static const char *const rules[] = { "memory", "pids",	 "shared", "sockets",
					     "disk",   "inodes", NULL };
	const json_t *item;
	gsize i;

	json_array_foreach(blocked, i, item) {
		const char *rule = spk_json_str(item, "rule");

		if (rule && g_strv_contains(rules, rule))
			return TRUE;
	}
	return FALSE;
}

/* Without events there are only words: those that it wrote to a terminal that is none. */
static CliCause cause_of_words(const CliEnd *end, const CliReport *report)
{
	const char *last = report->events ? "" : end->out;
	g_autofree char *words = g_strconcat(report->problem ? report->problem : "", "\n",
					     end->err ? end->err : "", "\n",
					     last ? last : "", NULL);
	CliCause cause = cli_cause_of_problem(words, report->http_status);

	return cause == CLI_CAUSE_GAVE_UP ? CLI_CAUSE_NO_RESULT : cause;
}

static CliCause judge_exit(const CliEnd *end, const CliReport *report)
{
	gboolean never_began = !report->events &&
			       (end->exit_code == 126 || end->exit_code == 127);

	if (never_began)
		return CLI_CAUSE_CANNOT_START;
	if (report->ended && report->failed)
		return cli_cause_of_problem(report->problem, report->http_status);
	if (report->ended && end->exit_code == 0)
		return end->n_changed ? CLI_CAUSE_DONE : CLI_CAUSE_IDLE;
	if (end->exit_code == 0)
		return CLI_CAUSE_NO_RESULT;
	if (end->exit_code > 128 || report->ended)
		return CLI_CAUSE_CRASHED;
	return cause_of_words(end, report);
}

CliCause cli_judge(const CliEnd *end, const CliReport *report, CliStop stop,
		   gboolean timed_out)
{
	CliCause cause;

	switch (stop) {
	case CLI_STOP_FLOOD:
		return CLI_CAUSE_FLOOD;
	case CLI_STOP_BUDGET:
		return CLI_CAUSE_BUDGET;
	case CLI_STOP_FAILURES:
		cause = cli_cause_of_problem(report->problem, report->http_status);
		return cause == CLI_CAUSE_GAVE_UP ? CLI_CAUSE_SERVER : cause;
	case CLI_STOP_NONE:
		break;
	}
	if (timed_out)
		return CLI_CAUSE_TIME;
	if (report->at_most)
		return CLI_CAUSE_BUDGET;
	if (end->exit_code != 0 && is_meter(end->blocked))
		return CLI_CAUSE_SANDBOX;
	return judge_exit(end, report);
}

/* ---- the envelope ---- */

static json_t *time_of(gint64 us)
{
	g_autofree char *text = spk_time_format(us);

	return json_string(text);
}

static json_t *paths_of(const GPtrArray *paths)
{
	json_t *list = json_array();

	for (guint i = 0; paths && i < paths->len; i++)
		json_array_append_new(list, spk_json_text(paths->pdata[i]));
	return list;
}

json_t *cli_envelope(const SpkToolCtx *ctx, const CliAttempt *attempt, const CliEnd *end)
{
	const CliCauseInfo *info = cli_cause_info(end->cause);
	json_t *envelope = json_pack(
		"{s:s,s:o,s:i,s:o,s:s,s:o,s:s,s:o,s:o,s:o,s:o,s:i,s:o,s:o,s:I}", "tool",
		attempt->cli->tool, "task_id", spk_json_text(ctx->task), "attempt",
		(int)attempt->number, "exit_code",
		end->exit_code < 0 ? json_null() : json_integer(end->exit_code), "status",
		cli_status_name(info->status), "code", spk_json_text(info->code), "cause",
		info->name, "problem", spk_json_text(end->problem), "stdout",
		spk_json_text(end->out ? end->out : ""), "stderr",
		spk_json_text(end->err ? end->err : ""), "artifacts",
		paths_of(end->changed), "changed", (int)end->n_changed, "started_at",
		time_of(end->started_us), "ended_at", time_of(end->ended_us),
		"timeout_secs", (json_int_t)end->timeout_secs);

	spk_json_set(envelope, "message", spk_json_text(end->words));
	spk_json_set(envelope, "provider", spk_json_text(end->provider));
	spk_json_set(envelope, "model", spk_json_text(end->model));
	spk_json_set(envelope, "usage",
		     json_pack("{s:I,s:I,s:I,s:I}", "input", (json_int_t)end->input,
			       "output", (json_int_t)end->output, "cached",
			       (json_int_t)end->cached, "cache_write",
			       (json_int_t)end->cache_write));
	spk_json_set(envelope, "cost_usd",
		     end->usd < 0 ? json_null() : json_real(end->usd));
	return envelope;
}
