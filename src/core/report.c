/* What a task looks like from outside: interface.md, Tasks. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "core/core.h"

static json_t *text_or_null(const char *text)
{
	return spk_json_text(text);
}

/* `original_build` is a kind of `original_tests` to those who read the pinned object. */
static const char *public_phase(const char *phase)
{
	return !strcmp(phase, "original_build") ? "original_tests" : phase;
}

static json_t *checks_to_json(SpkStore *store, const SpkTask *task, GError **error)
{
	g_autoptr(GPtrArray) list = spk_evidence_list(store, task->id, error);
	gint64 last_round = 0;
	json_t *checks;

	if (!list)
		return NULL;
	checks = json_array();
	for (guint i = 0; i < list->len; i++)
		last_round = MAX(last_round, ((SpkEvidence *)list->pdata[i])->round);
	/* that of the result may be an earlier one */
	last_round = spk_json_int(task->changes, "round", last_round);
	for (guint i = 0; i < list->len; i++) {
		const SpkEvidence *one = list->pdata[i];

		/* earlier rounds were followed by more work: they are in the journal */
		if (one->round != last_round && strcmp(one->phase, "before"))
			continue;
		json_array_append_new(checks,
				      json_pack("{s:s,s:o,s:i,s:s,s:s,s:f}", "phase",
						public_phase(one->phase), "command",
						spk_json_text(one->command), "exit_code",
						one->exit_code, "output_sha256",
						one->output_sha256, "tree", one->tree,
						"seconds", one->seconds));
	}
	return checks;
}

static json_t *critic_of(const SpkTask *task)
{
	json_t *critic = json_object_get(task->changes, "critic");

	return critic ? json_incref(critic) : json_null();
}

/* {"command","exit_code","seconds","remembered"}; exit_code is null until it has run. */
static json_t *setup_to_json(SpkStore *store, const SpkTask *task, GError **error)
{
	const json_t *setup = json_object_get(task->options, "setup");
	g_autoptr(SpkJournalEntry) result = NULL;
	json_t *told;

	if (!setup)
		return json_null();
	if (!spk_journal_last(store, task->id, "setup.result", &result, error))
		return NULL;
	told = json_pack("{s:o,s:n,s:n,s:b}", "command",
			 spk_json_text(spk_json_str(setup, "command")), "exit_code",
			 "seconds", "remembered",
			 !spk_json_bool(setup, "remember", FALSE));
	if (result) {
		spk_json_set(
			told, "exit_code",
			json_integer(spk_json_int(result->payload, "exit_code", -1)));
		spk_json_set(told, "seconds",
			     json_real(spk_json_real(result->payload, "seconds", 0)));
	}
	return told;
}

static json_t *ids_of(const SpkJournalEntry *entry)
{
	json_t *ids = json_array();
	const json_t *one;
	size_t i;

	json_array_foreach(entry ? json_object_get(entry->payload, "memories") : NULL, i,
			   one)
		json_array_append_new(ids, spk_json_text(spk_json_str(one, "id")));
	return ids;
}

/* {"recalled":[ID,…],"learned":[ID,…]}: what the memory told the task, and the other way round. */
static json_t *memory_to_json(SpkStore *store, const SpkTask *task, GError **error)
{
	g_autoptr(SpkJournalEntry) recall = NULL, learned = NULL;

	if (task->id &&
	    (!spk_journal_last(store, task->id, "recall", &recall, error) ||
	     !spk_journal_last(store, task->id, "learn.result", &learned, error)))
		return NULL;
	return json_pack("{s:o,s:o}", "recalled", ids_of(recall), "learned",
			 ids_of(learned));
}

static json_t *list_of(const json_t *changes, const char *key)
{
	json_t *list = json_object_get(changes, key);

	return list ? json_incref(list) : json_array();
}

json_t *spk_core_report(SpkCore *core, const SpkTask *task, gboolean brief,
			GError **error)
{
	const char *verdict = spk_verdict_name(task->verdict);
	json_t *checks = NULL, *setup, *memory = NULL;
	json_t *report;

	if (!brief)
		checks = task->id ? checks_to_json(spk_core_store(core), task, error)
				  : json_array();
	if (!brief && !checks)
		return NULL;
	setup = setup_to_json(spk_core_store(core), task, error);
	if (setup && !brief)
		memory = memory_to_json(spk_core_store(core), task, error);
	if (!setup || (!brief && !memory)) {
		json_decref(checks);
		json_decref(setup);
		return NULL;
	}
	report = json_pack(
		"{s:o,s:o,s:o,s:o,s:o,s:b,s:o,s:o,s:o,s:o,s:o}", "task",
		text_or_null(task->id), "goal", text_or_null(task->goal), "spark",
		text_or_null(task->spark), "status",
		text_or_null(task->id ? spk_state_name(task->status) : NULL), "verdict",
		text_or_null(*verdict ? verdict : NULL), "verified",
		task->status == SPK_STATE_DONE && task->verdict == SPK_VERDICT_VERIFIED,
		"reason", text_or_null(task->reason), "summary",
		text_or_null(task->summary), "branch", text_or_null(task->branch),
		"commit", text_or_null(task->commit), "base", text_or_null(task->base));
	if (checks)
		spk_json_set(report, "checks", checks);
	spk_json_set(report, "critic", critic_of(task));
	spk_json_set(report, "setup", setup);
	if (memory)
		spk_json_set(report, "memory", memory);
	spk_json_set(report, "files_changed", list_of(task->changes, "files"));
	spk_json_set(report, "risky_files", list_of(task->changes, "risky"));
	spk_json_set(report, "steps", json_integer(task->steps));
	spk_json_set(report, "tokens",
		     json_pack("{s:I,s:I,s:I}", "input", (json_int_t)task->tokens_in,
			       "output", (json_int_t)task->tokens_out, "cached",
			       (json_int_t)task->tokens_cached));
	spk_json_set(report, "cost_usd",
		     task->cost_usd < 0 ? json_null() : json_real(task->cost_usd));
	spk_json_set(report, "tier", text_or_null(task->tier));
	spk_json_set(report, "seconds", json_real(task->seconds));
	spk_json_set(report, "error",
		     task->error ? json_incref(task->error) : json_null());
	return report;
}

static int error_exit(const json_t *error)
{
	const char *code = spk_json_str(error, "code");

	for (int i = 0; code && i < SPK_N_ERRS; i++)
		if (!strcmp(spk_err_info(i)->name, code))
			return spk_err_info(i)->exit_code;
	return 1;
}

int spk_core_exit_code(const SpkTask *task, gboolean strict)
{
	int code;

	switch (task->status) {
	case SPK_STATE_DONE:
		if (task->verdict == SPK_VERDICT_VERIFIED)
			return 0;
		return strict || task->verdict == SPK_VERDICT_UNVERIFIED ? 3 : 0;
	case SPK_STATE_CANCELLED:
		return 130;
	case SPK_STATE_ROLLED_BACK:
		return 1;
	case SPK_STATE_FAILED:
		return task->error ? error_exit(task->error) : 1;
	default: /* 1 would say that it failed, and it may go on */
		code = task->error ? error_exit(task->error) : 4;
		return code == 1 ? 4 : code;
	}
}
