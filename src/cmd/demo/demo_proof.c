/* What the demo must have shown, checked on the record and on the files. */
#include "cmd/demo/demo_run.h"

#include <string.h>

#include "base/json.h"
#include "cmd/show/changes.h"
#include "cmd/show/consent.h"
#include "cmd/show/lines.h"
#include "cmd/ui.h"

void spk_demo_say(const SpkDemoRun *demo, const char *role, const char *format, ...)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	spk_ui_paint(out, demo->fd, role, text);
	g_string_append_c(out, '\n');
	spk_ui_write(demo->fd, out);
}

void spk_demo_row(const SpkDemoRun *demo, const char *label, const char *format, ...)
{
	g_autofree char *head = *label ? g_strdup_printf("  %-7s ", label) : g_strdup("");
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *text = NULL;
	gsize indent = strlen(head);
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	spk_ui_fold(out, text, (int)indent, MIN(spk_ui_columns(demo->fd), 90), 8);
	g_string_overwrite(out, 0, head);
	spk_ui_write(demo->fd, out);
}

G_GNUC_PRINTF(4, 5)
static void prove(SpkDemoRun *demo, const char *id, gboolean ok, const char *format, ...)
{
	SpkProof proof = { id, ok, NULL };
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	proof.text = spk_ui_line(text, 1000);
	g_array_append_val(demo->proofs, proof);
	spk_line_format(&(SpkLine){ ok ? "ok" : "bad", id, proof.text, NULL, TRUE },
			demo->fd, spk_ui_columns(demo->fd), out);
	spk_ui_write(demo->fd, out);
}

static const json_t *result_of_turn(const SpkDemoRun *demo, int turn)
{
	for (guint i = 0; i < demo->trail->entries->len; i++) {
		const SpkJournalEntry *entry = demo->trail->entries->pdata[i];

		if (!strcmp(entry->kind, "tool.result") &&
		    spk_json_int(entry->payload, "turn", -1) == turn)
			return entry->payload;
	}
	return NULL;
}

static gint64 exit_of_turn(const SpkDemoRun *demo, int turn)
{
	return spk_json_int(json_object_get(result_of_turn(demo, turn), "meta"),
			    "exit_code", -1);
}

static void prove_network(SpkDemoRun *demo)
{
	const char *text =
		spk_json_str(result_of_turn(demo, SPK_DEMO_NETWORK_TURN), "text");
	gboolean tried = exit_of_turn(demo, SPK_DEMO_NETWORK_TURN) > 0;
	gboolean reached = (text && strstr(text, "reached ")) ||
			   spk_demo_was_called(&demo->world);

	if (!tried && !reached)
		prove(demo, "network", FALSE, "NOT SHOWN: the attempt did not run");
	else if (reached)
		prove(demo, "network", FALSE,
		      "NOT STOPPED: a command in the box reached the network");
	else
		prove(demo, "network", TRUE,
		      "stopped: port %d of this machine answers us, and heard "
		      "nothing from the box",
		      demo->world.port);
}

static gboolean journal_has(const SpkDemoRun *demo, const char *text)
{
	for (guint i = 0; i < demo->trail->entries->len; i++) {
		const SpkJournalEntry *entry = demo->trail->entries->pdata[i];
		g_autofree char *dump = spk_json_dump(entry->payload);

		if (strstr(dump, text))
			return TRUE;
	}
	return FALSE;
}

static void prove_secret(SpkDemoRun *demo)
{
	gboolean tried = exit_of_turn(demo, SPK_DEMO_SECRET_TURN) > 0;
	gboolean seen = journal_has(demo, demo->world.token);

	if (!tried && !seen)
		prove(demo, "secret", FALSE, "NOT SHOWN: the attempt did not run");
	else if (seen)
		prove(demo, "secret", FALSE,
		      "NOT STOPPED: a command in the box read the secret in %s",
		      demo->world.secret_path);
	else
		prove(demo, "secret", TRUE,
		      "stopped: the token in %s is nowhere in the record",
		      demo->world.secret_path);
}

static gint64 check_exit(const SpkDemoRun *demo, const char *phase)
{
	const json_t *check;
	size_t i;

	json_array_foreach(json_object_get(demo->report, "checks"), i, check)
		if (!g_strcmp0(spk_json_str(check, "phase"), phase))
			return spk_json_int(check, "exit_code", -1);
	return -1;
}

static void prove_verdict(SpkDemoRun *demo)
{
	gint64 before = check_exit(demo, "before"), after = check_exit(demo, "after");
	gboolean ok = demo->task->status == SPK_STATE_DONE &&
		      demo->task->verdict == SPK_VERDICT_VERIFIED && before > 0 &&
		      after == 0;

	prove(demo, "verdict", ok,
	      "%s, %s: the tests ended with %d before and with %d after the change",
	      spk_state_name(demo->task->status), spk_verdict_name(demo->task->verdict),
	      (int)before, (int)after);
}

/* A reread journal: undo looks for what apply has written there. */
static gboolean reread(SpkDemoRun *demo, GError **error)
{
	g_clear_pointer(&demo->trail, spk_trail_free);
	demo->trail = spk_trail_read(demo->store, demo->task->id, error);
	return demo->trail != NULL;
}

static gboolean prove_apply_and_undo(SpkDemoRun *demo, GError **error)
{
	g_autofree char *before = spk_demo_hash(&demo->world, error);
	g_autofree char *applied_hash = NULL, *after = NULL;
	g_auto(SpkTreeApplied) applied = { 0 }, undone = { 0 };
	g_autoptr(json_t) law = NULL;

	law = spk_consent_to_apply(demo->store, demo->task, demo->trail, SPK_CONSENT_YES,
				   error);
	if (!before || !law ||
	    !spk_changes_apply(demo->core, demo->task, demo->trail, &(SpkTreeApply){ 0 },
			       law, demo->cancel, &applied, error))
		return FALSE;
	applied_hash = spk_demo_hash(&demo->world, error);
	if (!applied_hash || !reread(demo, error))
		return FALSE;
	prove(demo, "apply", strcmp(before, applied_hash) != 0,
	      "%u file written into the repository: its files hash to %.12s instead of %.12s",
	      applied.written ? applied.written->len : 0, applied_hash, before);
	if (!spk_changes_undo(demo->core, demo->task, demo->trail, demo->cancel, &undone,
			      error))
		return FALSE;
	after = spk_demo_hash(&demo->world, error);
	if (!after)
		return FALSE;
	prove(demo, "undo", !strcmp(before, after),
	      "%s, notes.txt that is in no commit included: %.12s",
	      strcmp(before, after) ? "THE FILES ARE NOT AS BEFORE"
				    : "every file is as before",
	      after);
	return TRUE;
}

gboolean spk_demo_prove(SpkDemoRun *demo, GError **error)
{
	prove_network(demo);
	prove_secret(demo);
	prove_verdict(demo);
	/* without a commit there is nothing to apply, and the verdict has said so */
	return !demo->trail->result || prove_apply_and_undo(demo, error);
}

gboolean spk_demo_all_hold(const SpkDemoRun *demo)
{
	for (guint i = 0; i < demo->proofs->len; i++)
		if (!g_array_index(demo->proofs, SpkProof, i).ok)
			return FALSE;
	return TRUE;
}
