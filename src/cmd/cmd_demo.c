/*
 * `sparks demo`: one task from goal to verified commit, without network, key, Docker or
 * configuration. The model's answers are scripted, everything else is live. Each promise that
 * is shown is checked, and one that doesn't hold ends the demo with a failure.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/changes.h"
#include "cmd/cmd_all.h"
#include "cmd/demo.h"
#include "cmd/lines.h"
#include "cmd/progress.h"
#include "cmd/session.h"
#include "cmd/summary.h"
#include "cmd/ui.h"
#include "llm/play.h"

#define DEADLINE_MS 120000

typedef struct {
	const char *id;
	gboolean ok;
	char *text;
} Proof;

typedef struct {
	SpkDemo world;
	SpkConf *conf;
	SpkCore *core;
	SpkStore *store; /* borrowed */
	SpkCancel *cancel;
	SpkTask *task; /* as it stands at the end */
	SpkTrail *trail;
	json_t *report;
	GArray *proofs;
	gboolean json;
	int fd; /* stdout; stderr with --json */
	gint64 started_us;
} Demo;

static void proof_clear(gpointer data)
{
	g_free(((Proof *)data)->text);
}

static void demo_clear(Demo *demo)
{
	g_clear_pointer(&demo->report, json_decref);
	g_clear_pointer(&demo->trail, spk_trail_free);
	g_clear_pointer(&demo->task, spk_task_free);
	g_clear_pointer(&demo->core, spk_core_close);
	g_clear_pointer(&demo->conf, spk_conf_unref);
	g_clear_pointer(&demo->cancel, spk_cancel_unref);
	g_clear_pointer(&demo->proofs, g_array_unref);
	spk_demo_clear(&demo->world);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Demo, demo_clear)

/* ---- words ---- */

G_GNUC_PRINTF(3, 4)
static void say(const Demo *demo, const char *role, const char *format, ...)
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

static void blank(const Demo *demo)
{
	say(demo, NULL, "%s", "");
}

G_GNUC_PRINTF(4, 5)
static void prove(Demo *demo, const char *id, gboolean ok, const char *format, ...)
{
	Proof proof = { id, ok, NULL };
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	proof.text = spk_ui_line(text, 1000);
	g_array_append_val(demo->proofs, proof);
	spk_line_format(&(SpkLine){ ok ? "ok" : "bad", id, proof.text, NULL }, demo->fd,
			spk_ui_columns(demo->fd), out);
	spk_ui_write(demo->fd, out);
}

static gboolean all_hold(const Demo *demo)
{
	for (guint i = 0; i < demo->proofs->len; i++)
		if (!g_array_index(demo->proofs, Proof, i).ok)
			return FALSE;
	return TRUE;
}

/* ---- setting the stage ---- */

static gboolean open_core(Demo *demo, GError **error)
{
	g_autofree char *home = g_build_filename(demo->world.folder, "home", NULL);
	g_autofree char *config = g_build_filename(home, "config.toml", NULL);
	SpkConfSource source = { .explicit_path = config };

	/* An empty file of our own: neither ./config.toml nor ~/.sparks has a say. */
	g_setenv("SPARKS_HOME", home, TRUE); /* before any thread */
	if (!spk_fs_mkdirs(home, 0700, error) ||
	    !spk_fs_write_atomic(config, "", 0, 0600, error))
		return FALSE;
	demo->conf = spk_conf_load(&source, error);
	demo->core = demo->conf ? spk_core_open(demo->conf, error) : NULL;
	if (!demo->core)
		return FALSE;
	demo->store = spk_core_store(demo->core);
	demo->cancel = spk_cmd_interrupt();
	return TRUE;
}

static char *accept(Demo *demo, GError **error)
{
	g_autoptr(SpkPlay) play = spk_play_load(demo->world.play, error);
	g_autofree char *model = g_strconcat("script:", demo->world.play, NULL);
	g_autoptr(json_t) options = NULL;
	const json_t *header;

	if (!play)
		return NULL;
	header = spk_play_header(play);
	options = json_deep_copy(json_object_get(header, "options"));
	spk_json_set(options, "model", json_string(model));
	blank(demo);
	say(demo, NULL, "  goal    %s", spk_json_str(header, "goal"));
	say(demo, NULL, "  folder  %s  (nothing of yours is touched)", demo->world.repo);
	blank(demo);
	return spk_core_accept(demo->core,
			       &(SpkRequest){ .goal = spk_json_str(header, "goal"),
					      .folder = demo->world.repo,
					      .options = options },
			       error);
}

static gboolean run_task(Demo *demo, GError **error)
{
	g_autofree char *id = accept(demo, error);
	g_autoptr(SpkCancel) patience = spk_cancel_new(demo->cancel);
	g_autoptr(SpkProgress) progress = NULL;
	gboolean ok;

	if (!id)
		return FALSE;
	spk_cancel_set_deadline(patience, DEADLINE_MS);
	progress = spk_progress_new(demo->fd);
	spk_store_on_journal(demo->store, spk_progress_on_journal, progress);
	ok = spk_core_run(demo->core, id, patience, error);
	spk_store_on_journal(demo->store, NULL, NULL);
	if (!ok)
		return FALSE;
	demo->task = spk_task_get(demo->store, id, error);
	demo->trail = demo->task ? spk_trail_read(demo->store, id, error) : NULL;
	demo->report = demo->trail ? spk_core_report(demo->core, demo->task, FALSE, error)
				   : NULL;
	return demo->report != NULL;
}

/* ---- what it must have shown ---- */

static const json_t *result_of_turn(const Demo *demo, int turn)
{
	for (guint i = 0; i < demo->trail->entries->len; i++) {
		const SpkJournalEntry *entry = demo->trail->entries->pdata[i];

		if (!strcmp(entry->kind, "tool.result") &&
		    spk_json_int(entry->payload, "turn", -1) == turn)
			return entry->payload;
	}
	return NULL;
}

static gint64 exit_of_turn(const Demo *demo, int turn)
{
	return spk_json_int(json_object_get(result_of_turn(demo, turn), "meta"),
			    "exit_code", -1);
}

static void prove_network(Demo *demo)
{
	const char *text =
		spk_json_str(result_of_turn(demo, SPK_DEMO_NETWORK_TURN), "text");
	gboolean tried = exit_of_turn(demo, SPK_DEMO_NETWORK_TURN) > 0;
	gboolean reached = !text || strstr(text, "reached 127") ||
			   strstr(text, "reached 1.1") ||
			   spk_demo_was_called(&demo->world);

	if (reached || !tried)
		prove(demo, "network", FALSE,
		      "NOT STOPPED: a command in the box reached the network");
	else
		prove(demo, "network", TRUE,
		      "stopped: port %d of this machine answers us, and heard "
		      "nothing from the box",
		      demo->world.port);
}

static gboolean journal_has(const Demo *demo, const char *text)
{
	for (guint i = 0; i < demo->trail->entries->len; i++) {
		const SpkJournalEntry *entry = demo->trail->entries->pdata[i];
		g_autofree char *dump = spk_json_dump(entry->payload);

		if (strstr(dump, text))
			return TRUE;
	}
	return FALSE;
}

static void prove_secret(Demo *demo)
{
	gboolean tried = exit_of_turn(demo, SPK_DEMO_SECRET_TURN) > 0;

	if (!tried || journal_has(demo, demo->world.token))
		prove(demo, "secret", FALSE,
		      "NOT STOPPED: a command in the box read the secret in %s",
		      demo->world.secret_path);
	else
		prove(demo, "secret", TRUE,
		      "stopped: the token in %s is nowhere in the record",
		      demo->world.secret_path);
}

static gint64 check_exit(const Demo *demo, const char *phase)
{
	const json_t *check;
	size_t i;

	json_array_foreach(json_object_get(demo->report, "checks"), i, check)
		if (!g_strcmp0(spk_json_str(check, "phase"), phase))
			return spk_json_int(check, "exit_code", -1);
	return -1;
}

static void prove_verdict(Demo *demo)
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
static gboolean reread(Demo *demo, GError **error)
{
	g_clear_pointer(&demo->trail, spk_trail_free);
	demo->trail = spk_trail_read(demo->store, demo->task->id, error);
	return demo->trail != NULL;
}

static gboolean prove_apply_and_undo(Demo *demo, GError **error)
{
	g_autofree char *before = spk_demo_hash(&demo->world, error);
	g_autofree char *applied_hash = NULL, *after = NULL;
	g_auto(SpkTreeApplied) applied = { 0 }, undone = { 0 };

	if (!before ||
	    !spk_changes_apply(demo->core, demo->task, demo->trail, &(SpkTreeApply){ 0 },
			       demo->cancel, &applied, error))
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

/* ---- the end ---- */

static void show_result(Demo *demo)
{
	g_autoptr(GString) out = g_string_new("\n");
	g_autofree char *diff =
		spk_changes_diff(demo->core, demo->task, demo->trail, NULL);

	if (diff)
		spk_ui_diff(out, demo->fd, diff);
	g_string_append_c(out, '\n');
	spk_summary_evidence(demo->report, demo->fd, out);
	g_string_append_c(out, '\n');
	spk_ui_write(demo->fd, out);
}

static glong peak_kib(int who)
{
	struct rusage usage;

	return getrusage(who, &usage) == 0 ? usage.ru_maxrss : 0;
}

static double seconds(const Demo *demo)
{
	return (spk_mono_us() - demo->started_us) / 1e6;
}

static void show_price(const Demo *demo)
{
	g_autofree char *own = spk_text_bytes((guint64)peak_kib(RUSAGE_SELF) << 10);
	g_autofree char *child = spk_text_bytes((guint64)peak_kib(RUSAGE_CHILDREN) << 10);

	blank(demo);
	say(demo, NULL,
	    "  cost    0 (%" G_GINT64_FORMAT " tokens), %.1f s, at most %s of memory, "
	    "%s in its largest child",
	    demo->task->tokens_in + demo->task->tokens_out, seconds(demo), own, child);
}

static void show_next(const Demo *demo)
{
	blank(demo);
	say(demo, "bold", "Type next:");
	say(demo, NULL,
	    "  sparks doctor                        what is here, what a model still needs");
	say(demo, NULL,
	    "  export OPENAI_API_KEY=...            any OpenAI-compatible model will do");
	say(demo, NULL,
	    "  sparks do \"GOAL\" --check \"COMMAND\"   the same, in your own repository");
}

static void print_json(const Demo *demo)
{
	g_autoptr(json_t) object = NULL;
	json_t *proofs = json_array();

	for (guint i = 0; i < demo->proofs->len; i++) {
		const Proof *proof = &g_array_index(demo->proofs, Proof, i);

		json_array_append_new(proofs, json_pack("{s:s,s:b,s:o}", "id", proof->id,
							"ok", proof->ok, "text",
							spk_json_text(proof->text)));
	}
	object = json_pack("{s:b,s:o,s:O,s:f,s:I,s:I,s:s}", "ok", all_hold(demo),
			   "proofs", proofs, "task", demo->report, "seconds",
			   seconds(demo), "rss_max_kib",
			   (json_int_t)peak_kib(RUSAGE_SELF), "child_rss_max_kib",
			   (json_int_t)peak_kib(RUSAGE_CHILDREN), "model", "scripted");
	spk_cmd_print_json(object);
}

static void show_opening(const Demo *demo)
{
	say(demo, "bold", "Sparks: one task, from a goal to a verified commit.");
	say(demo, NULL,
	    "The model's answers are scripted. Everything else is live: the sandbox, the "
	    "tools,\nthe tests, git, the record. No network, no key, no Docker.");
}

static gboolean play_it(Demo *demo, const char *folder, GError **error)
{
	show_opening(demo);
	if (!spk_demo_prepare(&demo->world, folder, TRUE, error) ||
	    !open_core(demo, error) || !run_task(demo, error))
		return FALSE;
	show_result(demo);
	prove_network(demo);
	prove_secret(demo);
	prove_verdict(demo);
	/* without a commit there is nothing to apply, and the verdict has said so */
	return !demo->trail->result || prove_apply_and_undo(demo, error);
}

static int finish(Demo *demo, GError *take_error, gboolean *ret_keep)
{
	if (take_error) {
		*ret_keep = TRUE;
		return spk_cmd_fail(take_error, demo->json);
	}
	show_price(demo);
	if (demo->json)
		print_json(demo);
	if (all_hold(demo)) {
		show_next(demo);
		return 0;
	}
	*ret_keep = TRUE;
	say(demo, "bad",
	    "\nTHE DEMO FAILED: what is marked ✗ above does not hold on this machine.");
	return 1;
}

/* ---- */

static char *make_folder(GError **error)
{
	g_autofree char *pattern =
		g_build_filename(g_get_tmp_dir(), "sparks-demo-XXXXXX", NULL);

	if (g_mkdtemp(pattern))
		return g_canonicalize_filename(pattern, NULL);
	spk_error_set_errno(error, SPK_ERR_IO, errno,
			    "set TMPDIR to a folder you may write",
			    "cannot make a temporary folder");
	return NULL;
}

/* The words that give the demo's task, as a JSON array. */
static json_t *command_words(const SpkDemo *world, GError **error)
{
	g_autoptr(SpkPlay) play = spk_play_load(world->play, error);
	g_autofree char *model = g_strconcat("script:", world->play, NULL);
	const json_t *header, *check;
	json_t *words;
	size_t i;

	if (!play)
		return NULL;
	header = spk_play_header(play);
	words = json_pack("[s,O,s,s,s,s]", "do", json_object_get(header, "goal"),
			  "--repo", world->repo, "--model", model);
	json_array_foreach(json_object_get(json_object_get(header, "options"), "checks"),
			   i, check) {
		json_array_append_new(words, json_string("--check"));
		json_array_append(words, (json_t *)check);
	}
	return words;
}

static void print_words(const json_t *words)
{
	const json_t *word;
	size_t i;

	fputs("sparks", stdout);
	json_array_foreach(words, i, word) {
		g_autofree char *quoted = g_shell_quote(json_string_value(word));

		printf(" %s", quoted);
	}
	putchar('\n');
}

/* For tests and for people who want to look: the world, and DIR/command with the words. */
static int prepare(const char *folder, gboolean json)
{
	g_autofree char *path = g_canonicalize_filename(folder, NULL);
	g_auto(SpkDemo) world = { .listener = -1 };
	g_autoptr(GError) error = NULL;
	g_autofree char *command = g_build_filename(path, "command", NULL), *text = NULL;
	g_autoptr(json_t) words = NULL;

	if (spk_fs_mkdirs(path, 0755, &error) &&
	    spk_demo_prepare(&world, path, FALSE, &error))
		words = command_words(&world, &error);
	text = words ? spk_json_dump(words) : NULL;
	if (!text || !spk_fs_write_atomic(command, text, strlen(text), 0644, &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	if (json)
		spk_cmd_print_json(words);
	else
		print_words(words);
	return 0;
}

static int run(const SpkArgs *args)
{
	const char *where = spk_args_str(args, "prepare");
	gboolean json = spk_args_flag(args, "json"), keep = spk_args_flag(args, "keep");
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = NULL;
	g_auto(Demo) demo = {
		.world = { .listener = -1 },
		.proofs = g_array_new(FALSE, FALSE, sizeof(Proof)),
		.json = json,
		.fd = json ? STDERR_FILENO : STDOUT_FILENO,
		.started_us = spk_mono_us(),
	};
	int code;

	if (where)
		return prepare(where, json);
	g_array_set_clear_func(demo.proofs, proof_clear);
	folder = make_folder(&error);
	if (!folder)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	(void)play_it(&demo, folder, &error); /* error says it */
	code = finish(&demo, g_steal_pointer(&error), &keep);
	g_clear_pointer(&demo.core, spk_core_close); /* it has files there open */
	if (keep)
		say(&demo, "dim", "\n  kept for a look: %s", folder);
	else
		(void)spk_fs_remove_tree(folder, NULL); /* in the temporary folder */
	return code;
}

static const SpkCmdOpt options[] = {
	SPK_OPT_JSON,
	{ "keep", .type = SPK_CMD_FLAG, .sentence = "leave the demo's folder in place" },
	{ "prepare", .type = SPK_CMD_STRING, .value = "DIR",
	  .sentence = "only make the demo's repository and play, in DIR" },
	{ NULL },
};

const SpkCmd spk_cmd_demo = {
	.name = "demo",
	.usage = "",
	.summary = "Watch one task from goal to verified commit; needs nothing.",
	.details =
		"Works in a temporary folder, without network, key, Docker or configuration. "
		"The model's answers are scripted, everything else is live. Exit code 0 only "
		"when every promise shown was kept.",
	.example = "sparks demo",
	.options = options,
	.run = run,
};
