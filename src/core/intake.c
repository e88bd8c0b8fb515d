/* What a task was given, before anything is done with it: looked through by the prompt scanner. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "core/machine_priv.h"
#include "guard/judge.h"
#include "guard/scan.h"
#include "store/sessions.h"

typedef struct {
	const char *what; /* "goal", "message", "context" */
	const char *provider;
	const char *text;
} Given;

static gboolean record(Machine *machine, const Given *given, const SpkScanResult *found,
		       GError **error)
{
	json_t *payload = spk_scan_to_json(found);

	spk_json_set(payload, "what", json_string(given->what));
	spk_json_set(payload, "provider", json_string(given->provider));
	return machine_journal(machine, "scan", payload, error);
}

/* The model is told of what it is given; goals are the operator's own, and who reads the warning
 * is he. */
static gboolean warn_model(Machine *machine, const Given *given,
			   const SpkScanResult *found, GError **error)
{
	json_t *options = machine->task->options;
	g_autofree char *words = NULL;

	if (strcmp(given->what, "context") != 0)
		return TRUE;
	words = spk_scan_for_model(found, "");
	spk_json_set(options, "context_warning", json_string(g_strchomp(words)));
	return machine_update(machine, json_pack("{s:O}", "options", options), error);
}

/* Goals and messages are the operator's own, unless they come from a ticket or of somebody. */
static gboolean judge(Machine *machine, const Given *given, const SpkScanSource *source,
		      SpkScanResult *found, GError **error)
{
	gboolean untrusted = !strcmp(given->what, "context") || source->ticket ||
			     source->author;
	g_autofree char *what = g_strdup_printf("the %s of a task", given->what);
	SpkJudgeText text = { what, given->text, untrusted };
	SpkRunEnv env = machine_run_env(machine);
	g_autoptr(SpkRun) run = NULL;

	if (!spk_json_bool(machine->task->options, "offline", FALSE) &&
	    !spk_judge_wants(spk_judge_mode(env.conf), found, strlen(given->text),
			     untrusted))
		return TRUE;
	env.lazy = TRUE;
	run = spk_run_new(&env, error);
	return run && spk_judge_look(run, &text, found, error);
}

static gboolean scan_one(Machine *machine, const SpkScanner *scanner, const Given *given,
			 GError **error)
{
	const json_t *options = machine->task->options;
	SpkScanSource source = { .provider = given->provider,
				 .repo = machine->task->repo,
				 .ticket = spk_json_str(options, "ticket"),
				 .author = spk_json_str(options, "author") };
	g_auto(SpkScanResult) found = { 0 };
	g_autofree char *words = NULL;

	if (!given->text || !*given->text)
		return TRUE;
	spk_scanner_scan(scanner, &source, given->text, strlen(given->text), &found);
	if (!judge(machine, given, &source, &found, error))
		return FALSE;
	if (found.verdict == SPK_SCAN_PASS)
		return TRUE;
	if (!record(machine, given, &found, error))
		return FALSE;
	if (found.verdict == SPK_SCAN_FLAG)
		return warn_model(machine, given, &found, error);
	words = spk_scan_in_words(&found);
	spk_error_set(
		error, SPK_ERR_POLICY,
		"`sparks tasks explain ID` tells the places; prompt_scanner.mode = "
		"\"flag_only\" or prompt_scanner.allowlist let it pass",
		"injection_blocked: the %s seems to give orders that are not yours: %s",
		given->what, words);
	return FALSE;
}

gboolean intake_scan(Machine *machine, GError **error)
{
	const SpkTask *task = machine->task;
	g_autoptr(SpkScanner) scanner = NULL;
	g_autofree char *session = NULL;
	gint64 turn;
	Given goal = { "goal", "operator", task->goal };
	Given context = { "context", "context", spk_json_str(task->options, "context") };

	/* an error means: of no session */
	if (spk_session_of_task(machine->env->store, task->id, &session, &turn, NULL) &&
	    session)
		goal = (Given){ "message", "chat", task->goal };
	scanner = spk_scanner_new(machine->env->conf, NULL, error);
	return scanner && scan_one(machine, scanner, &goal, error) &&
	       scan_one(machine, scanner, &context, error);
}
