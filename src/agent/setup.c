/*
 * The setup of a task: a command of the user's that runs in the box before anything else does, with
 * hosts open for it alone. It is done once: what it left lies with the task, and a task that is
 * taken up again finds it on record. One that was cut off begins anew, in a clean checkout.
 */
#include <string.h>

#include "agent/run_priv.h"
#include "agent/scan.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "store/setups.h"

#define TAIL_MAX   6000
#define LISTED_MAX 100 /* paths of what it left that are on record */
#define OUT_MAX	   (256 << 10)

/* ---- the command ---- */

static char **hosts_of(const json_t *setup)
{
	g_autoptr(GStrvBuilder) hosts = g_strv_builder_new();
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(setup, "allow"), i, item)
		if (json_is_string(item))
			g_strv_builder_add(hosts, json_string_value(item));
	return g_strv_builder_end(hosts);
}

static gboolean run_in_box(SpkRun *run, const json_t *setup, const char *folder,
			   SpkWayOut *way, SpkBoxResult *result, GError **error)
{
	const char *argv[] = { "/bin/sh", "-c", spk_json_str(setup, "command"), NULL };
	const char *read_only[] = { spk_tree_objects(run->env.tree), NULL };
	const char *below = spk_json_str(setup, "folder");
	SpkTreeLending how = spk_box_lends(run->env.box) ? SPK_LEND_SETUP
							 : SPK_LEND_NOTHING;
	g_autoptr(GPtrArray) lent = spk_tree_lend(run->env.tree, folder, how,
						  spk_box_tools(run->env.box), error);
	SpkBoxRun box_run = {
		.work = spk_tree_work(run->env.tree),
		.work_from = folder,
		.lent = lent,
		.hidden = spk_tree_hidden(run->env.tree),
		.mounts = run->env.spark->mounts,
		.mounts_read_only = TRUE,
		.image = run->env.spark->image,
		.read_only = read_only,
		.argv = argv,
		.cwd = below && *below ? below : NULL,
		.max_out = OUT_MAX,
	};

	spk_way_out_use(way, &box_run);
	if (!lent || !spk_box_run(run->env.box, &box_run, run->env.cancel, result, error))
		return FALSE;
	spk_way_out_note(way, result);
	return TRUE;
}

/* ---- its record ---- */

static json_t *paths_to_json(const GPtrArray *paths)
{
	json_t *list = json_array();

	for (guint i = 0; paths && i < paths->len && i < LISTED_MAX; i++)
		json_array_append_new(list, spk_json_text(paths->pdata[i]));
	return list;
}

static json_t *result_to_json(SpkRun *run, const json_t *setup,
			      const SpkBoxResult *result)
{
	const SpkTreeSetup *left = spk_tree_setup(run->env.tree);
	g_autofree char *clean =
		spk_text_clean(result->out->str, result->out->len, SPK_CLEAN_TEXT);
	g_autofree char *tail = spk_text_clip_middle(clean, strlen(clean), TAIL_MAX);
	json_t *payload = json_pack("{s:s,s:i,s:b,s:s,s:o,s:f,s:o,s:o,s:o}", "command",
				    spk_json_str(setup, "command"), "exit_code",
				    result->exit_code, "timed_out", result->timed_out,
				    "output_sha256", result->out_sha256, "tail",
				    spk_json_text(tail), "seconds", result->seconds,
				    "folders", paths_to_json(left ? left->folders : NULL),
				    "files", paths_to_json(left ? left->files : NULL),
				    "dropped",
				    paths_to_json(left ? left->dropped : NULL));

	spk_box_result_tell(result, payload);
	return payload;
}

static gboolean has_failed(const json_t *result, GError **error)
{
	gboolean late = spk_json_bool(result, "timed_out", FALSE);
	int code = (int)spk_json_int(result, "exit_code", -1);
	const char *tail = spk_json_str(result, "tail");
	g_autofree char *end = NULL;

	if (!code)
		return FALSE;
	end = g_strchomp(spk_text_clip_middle(tail, strlen(tail), 600));
	spk_error_set(
		error, SPK_ERR_FAILED,
		"mend it and give the task again: --setup CMD, hosts for it by --allow "
		"HOST, or --no-setup",
		"the setup `%s` %s %d; nothing else was done%s%s",
		spk_json_str(result, "command"),
		late ? "ran out of time ([box] timeout_secs): exit code"
		     : "ended with exit code",
		code, *end ? ":\n" : "", end);
	return TRUE;
}

/* ---- for the next task ---- */

/* It was given by hand, and has worked. That it can't be kept is no reason to stop. */
static gboolean remember(SpkRun *run, const json_t *setup)
{
	g_autofree char *below = NULL;
	g_autofree char *top = spk_tree_top(run->env.task->repo, &below);
	json_t *allow = json_object_get(setup, "allow");
	g_autoptr(json_t) none = json_array();
	const SpkSetup row = {
		.repo = top,
		.folder = below,
		.command = (char *)spk_json_str(setup, "command"),
		.allow = allow ? allow : none,
	};
	g_autoptr(GError) error = NULL;

	if (spk_setup_put(run->env.store, &row, &error))
		return TRUE;
	spk_warn("agent", "the setup is not remembered: %s", error->message);
	return FALSE;
}

/* ---- once in a task ---- */

static gboolean do_setup(SpkRun *run, const json_t *setup, SpkBoxResult *result,
			 GError **error)
{
	g_auto(GStrv) hosts = hosts_of(setup);
	g_autoptr(SpkWayOut) way = NULL;
	g_autofree char *folder =
		spk_tree_setup_begin(run->env.tree, run->env.cancel, error);

	if (!folder ||
	    !run->env.open_way(run->env.user, (const char *const *)hosts, &way, error) ||
	    !run_in_box(run, setup, folder, way, result, error))
		return FALSE;
	return result->exit_code != 0 ||
	       spk_tree_setup_end(run->env.tree, spk_box_lends(run->env.box),
				  run->env.cancel, error);
}

static gboolean set_up(SpkRun *run, const json_t *setup, GError **error)
{
	json_t *intent = json_deep_copy(setup);
	g_auto(SpkBoxResult) result = { 0 };
	json_t *payload;

	spk_json_set(intent, "again",
		     json_boolean(run_recorded(run, "setup.intent", "0") != NULL));
	if (!run_go(run, error) ||
	    !run_record(run, "setup.intent", "0", SPK_EFFECT_IDEMPOTENT, intent, error) ||
	    !do_setup(run, setup, &result, error))
		return FALSE;
	payload = result_to_json(run, setup, &result);
	spk_json_set(payload, "kept",
		     json_boolean(!result.exit_code &&
				  spk_json_bool(setup, "remember", FALSE) &&
				  remember(run, setup)));
	/* no model is told, but what it left is what they work with */
	if (!run_scan_printed(run, payload, error) ||
	    !run_scan_heard(run, payload, "the setup", error)) {
		json_decref(payload);
		return FALSE;
	}
	return run_record(run, "setup.result", "0", SPK_EFFECT_IDEMPOTENT, payload,
			  error);
}

gboolean spk_setup_run(SpkRun *run, GError **error)
{
	const json_t *setup = json_object_get(run->env.task->options, "setup");

	/* a replay reaches nobody, and its model has seen what there was */
	if (!spk_json_str(setup, "command") ||
	    spk_json_bool(run->env.task->options, "offline", FALSE))
		return TRUE;
	if (!run_place(run, error))
		return FALSE;
	if (!run_recorded(run, "setup.result", "0") && !set_up(run, setup, error))
		return FALSE;
	return !has_failed(run_recorded(run, "setup.result", "0"), error);
}
