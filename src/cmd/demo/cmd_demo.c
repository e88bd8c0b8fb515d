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
#include "cmd/show/changes.h"
#include "cmd/cmd_all.h"
#include "cmd/demo/demo_run.h"
#include "cmd/show/progress.h"
#include "cmd/session.h"
#include "cmd/show/summary.h"
#include "cmd/ui.h"
#include "llm/play.h"

#define DEADLINE_MS 120000

static void proof_clear(gpointer data)
{
	g_free(((SpkProof *)data)->text);
}

static void demo_clear(SpkDemoRun *demo)
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
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkDemoRun, demo_clear)

static void blank(const SpkDemoRun *demo)
{
	spk_demo_say(demo, NULL, "%s", "");
}

/* ---- setting the stage ---- */

static gboolean open_core(SpkDemoRun *demo, GError **error)
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

static char *accept(SpkDemoRun *demo, GError **error)
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
	/* The law would ask about what is tried here; it is let through, as in any replay, so that
	 * the sandbox is seen to stop it. There is no way out of it either. */
	spk_json_set(options, "offline", json_true());
	blank(demo);
	spk_demo_row(demo, "goal", "%s", spk_json_str(header, "goal"));
	spk_demo_row(demo, "folder", "%s  (nothing of yours is touched)",
		     demo->world.repo);
	blank(demo);
	return spk_core_accept(demo->core,
			       &(SpkRequest){ .goal = spk_json_str(header, "goal"),
					      .folder = demo->world.repo,
					      .options = options },
			       error);
}

static gboolean run_task(SpkDemoRun *demo, GError **error)
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
	if (!ok || !spk_cancel_check(demo->cancel, error))
		return FALSE;
	demo->task = spk_task_get(demo->store, id, error);
	demo->trail = demo->task ? spk_trail_read(demo->store, id, error) : NULL;
	demo->report = demo->trail ? spk_core_report(demo->core, demo->task, FALSE, error)
				   : NULL;
	return demo->report != NULL;
}

/* ---- the end ---- */

static void show_result(SpkDemoRun *demo)
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

static double seconds(const SpkDemoRun *demo)
{
	return (spk_mono_us() - demo->started_us) / 1e6;
}

static void show_price(const SpkDemoRun *demo)
{
	g_autofree char *own = spk_text_bytes((guint64)peak_kib(RUSAGE_SELF) << 10);
	g_autofree char *child = spk_text_bytes((guint64)peak_kib(RUSAGE_CHILDREN) << 10);

	blank(demo);
	spk_demo_row(demo, "cost",
		     "0 (%" G_GINT64_FORMAT " tokens), %.1f s, at most %s of memory, %s "
		     "in its largest child",
		     demo->task->tokens_in + demo->task->tokens_out, seconds(demo), own,
		     child);
}

static void show_next(const SpkDemoRun *demo)
{
	g_autofree char *installed = g_find_program_in_path("sparks");

	blank(demo);
	spk_demo_say(demo, "bold", "Type next:");
	if (!installed)
		spk_demo_say(
			demo, NULL,
			"  ./setup install                      puts `sparks` where your "
			"shell finds it");
	spk_demo_say(
		demo, NULL,
		"  sparks doctor                        what is here, what a model still needs");
	spk_demo_say(
		demo, NULL,
		"  sparks init                          choose a model: a key, or a server of yours");
	spk_demo_say(
		demo, NULL,
		"  sparks do \"GOAL\" --check \"COMMAND\"   the same, in your own repository");
}

static void print_json(const SpkDemoRun *demo)
{
	g_autoptr(json_t) object = NULL;
	json_t *proofs = json_array();

	for (guint i = 0; i < demo->proofs->len; i++) {
		const SpkProof *proof = &g_array_index(demo->proofs, SpkProof, i);

		json_array_append_new(proofs, json_pack("{s:s,s:b,s:o}", "id", proof->id,
							"ok", proof->ok, "text",
							spk_json_text(proof->text)));
	}
	object = json_pack("{s:b,s:o,s:O,s:f,s:I,s:I,s:s}", "ok", spk_demo_all_hold(demo),
			   "proofs", proofs, "task", demo->report, "seconds",
			   seconds(demo), "rss_max_kib",
			   (json_int_t)peak_kib(RUSAGE_SELF), "child_rss_max_kib",
			   (json_int_t)peak_kib(RUSAGE_CHILDREN), "model", "scripted");
	spk_cmd_print_json(object);
}

static void show_opening(const SpkDemoRun *demo)
{
	spk_demo_say(demo, "bold", "Sparks: one task, from a goal to a verified commit.");
	spk_demo_row(
		demo, "",
		"The model's answers are scripted. Everything else is live: the sandbox, the "
		"tools, the tests, git, the record. No network, no key, no Docker.");
}

static gboolean play_it(SpkDemoRun *demo, const char *folder, GError **error)
{
	show_opening(demo);
	if (!spk_demo_prepare(&demo->world, folder, TRUE, error) ||
	    !open_core(demo, error) || !run_task(demo, error))
		return FALSE;
	show_result(demo);
	return spk_demo_prove(demo, error);
}

static int finish(SpkDemoRun *demo, GError *take_error, gboolean *ret_keep)
{
	if (take_error) {
		*ret_keep |= !spk_error_is(take_error, SPK_ERR_CANCELLED);
		return spk_cmd_fail(take_error, demo->json);
	}
	show_price(demo);
	if (demo->json)
		print_json(demo);
	if (spk_demo_all_hold(demo)) {
		show_next(demo);
		return 0;
	}
	*ret_keep = TRUE;
	spk_demo_say(
		demo, "bad",
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

static int run(const SpkArgs *args)
{
	const char *where = spk_args_str(args, "prepare");
	gboolean json = spk_args_flag(args, "json"), keep = spk_args_flag(args, "keep");
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = NULL;
	g_auto(SpkDemoRun) demo = {
		.world = { .listener = -1 },
		.proofs = g_array_new(FALSE, FALSE, sizeof(SpkProof)),
		.json = json,
		.fd = json ? STDERR_FILENO : STDOUT_FILENO,
		.started_us = spk_mono_us(),
	};
	int code;

	if (where)
		return spk_demo_prepare_only(where, json);
	g_array_set_clear_func(demo.proofs, proof_clear);
	folder = make_folder(&error);
	if (!folder)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	(void)play_it(&demo, folder, &error); /* error says it */
	code = finish(&demo, g_steal_pointer(&error), &keep);
	g_clear_pointer(&demo.core, spk_core_close); /* it has files there open */
	if (keep)
		spk_demo_say(&demo, "dim", "\n  kept for a look: %s", folder);
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
