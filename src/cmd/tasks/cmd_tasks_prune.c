/* `sparks tasks prune`: drop what finished tasks have left behind, by the rules of [keep] or by name. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/session.h"
#include "cmd/tasks/tasks_all.h"
#include "cmd/ui.h"
#include "core/prune.h"

static gboolean parse_what(const char *list, guint *ret_what, GError **error)
{
	static const SpkPruneWhat all[] = { SPK_PRUNE_COPY, SPK_PRUNE_SPILL,
					    SPK_PRUNE_STEPS, SPK_PRUNE_BRANCHES };
	g_auto(GStrv) words = g_strsplit(list ? list : "copies,spill,steps", ",", -1);

	*ret_what = 0;
	for (char **word = words; *word; word++) {
		guint found = !strcmp(*word, "all") ? SPK_PRUNE_OWN | SPK_PRUNE_BRANCHES
						    : 0;

		for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
			if (!strcmp(*word, spk_prune_name(all[i])))
				found = all[i];
		if (!found) {
			spk_error_set(error, SPK_ERR_USAGE,
				      "one or more of copies, spill, steps, branches, "
				      "all; with commas between",
				      "--what \"%s\" is none of them", *word);
			return FALSE;
		}
		*ret_what |= found;
	}
	return TRUE;
}

/* Ids of the tasks named; each must exist and be finished. */
static char **named_tasks(SpkSession *session, const SpkArgs *args, GError **error)
{
	const char *const *words = spk_args_rest(args);
	g_autoptr(GStrvBuilder) ids = g_strv_builder_new();

	for (; *words; words++) {
		g_autoptr(SpkTask) task = spk_task_get(session->store, *words, error);

		if (!task)
			return NULL;
		if (!spk_state_is_terminal(task->status)) {
			spk_error_set(error, SPK_ERR_CONFLICT,
				      "cancel it first: sparks tasks cancel ID",
				      "task %s is %s: its files are needed to go on",
				      task->id, spk_state_name(task->status));
			return NULL;
		}
		g_strv_builder_add(ids, task->id);
	}
	return g_strv_builder_end(ids);
}

static json_t *rows_to_json(const GPtrArray *rows, gboolean dropped)
{
	json_t *array = json_array();

	for (guint i = 0; i < rows->len; i++) {
		const SpkPruned *row = rows->pdata[i];

		if (row->dropped == dropped)
			json_array_append_new(
				array,
				json_pack("{s:s,s:s,s:o,s:s}", "task", row->task, "what",
					  spk_prune_name(row->what), "bytes",
					  row->bytes < 0 ? json_null()
							 : json_integer(row->bytes),
					  "why", row->why));
	}
	return array;
}

static void print_rows(const GPtrArray *rows)
{
	for (guint i = 0; i < rows->len; i++) {
		const SpkPruned *row = rows->pdata[i];
		g_autofree char *size = row->bytes < 0 ? g_strdup("")
						       : spk_text_bytes(row->bytes);
		g_autofree char *why = spk_ui_line(
			row->why, MAX(20, spk_ui_columns(STDOUT_FILENO) - 42));

		printf("%s  %-5s %-8s %9s  %s\n", row->task,
		       row->dropped ? "drop" : "keep", spk_prune_name(row->what), size,
		       why);
	}
}

static void print_text(const GPtrArray *rows, gboolean dry_run)
{
	g_autofree char *summary = spk_prune_summary(rows);

	print_rows(rows);
	if (!*summary)
		fputs("sparks: nothing to drop; `--older-than DAYS` and `--what` widen it\n",
		      stderr);
	else if (dry_run)
		fprintf(stderr, "sparks: would drop %s; nothing was changed\n", summary);
	else
		fprintf(stderr,
			"sparks: dropped %s; verdicts, evidence and commits stay on record\n",
			summary);
}

static int prune(SpkSession *session, const SpkArgs *args, const SpkPrune *how)
{
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows = spk_core_prune(session->core, how, cancel, &error);
	g_autoptr(json_t) object = NULL;

	if (!rows)
		return spk_cmd_fail(g_steal_pointer(&error), session->json);
	if (!session->json) {
		print_text(rows, how->dry_run);
		return 0;
	}
	object = json_pack("{s:b,s:o,s:o}", "dry_run", how->dry_run, "dropped",
			   rows_to_json(rows, TRUE), "kept", rows_to_json(rows, FALSE));
	spk_cmd_print_json(object);
	return 0;
}

static int run(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) ids = NULL;
	SpkPrune how = {
		.older_than_days = spk_args_int(args, "older-than", -1),
		.even_unmerged = spk_args_flag(args, "force"),
		.even_only_copy = spk_args_flag(args, "force"),
		.dry_run = spk_args_flag(args, "dry-run"),
	};
	gboolean json = spk_args_flag(args, "json");
	int code;

	if (!parse_what(spk_args_str(args, "what"), &how.what, &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	if (!spk_session_open(&session, args, json, &code))
		return code;
	ids = named_tasks(&session, args, &error);
	if (!ids)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	how.tasks = *ids ? (const char *const *)ids : NULL;
	return prune(&session, args, &how);
}

static const SpkCmdOpt options[] = {
	{ "what", .type = SPK_CMD_STRING, .value = "LIST",
	  .sentence =
		  "copies, spill, steps, branches or all (default: copies,spill,steps)" },
	{ "older-than", .type = SPK_CMD_INT, .value = "DAYS", .min = 0, .max = 36500,
	  .sentence = "what is older than this, instead of what [keep] says" },
	{ "dry-run", .type = SPK_CMD_FLAG, .sentence = "only say what would be dropped" },
	{ "force", .type = SPK_CMD_FLAG,
	  .sentence =
		  "also branches that nothing else holds, and results that are nowhere "
		  "else" },
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_tasks_prune = {
	.name = "prune",
	.usage = "[ID…]",
	.summary = "Drop what finished tasks have left behind.",
	.details =
		"Without ID: what the options [keep] call too old or too much; the same is done by "
		"itself once a day after a task (keep.auto), except for branches. With ID: these "
		"tasks, whatever their age.\n\n"
		"`copies` are the private copies, which diff, apply and undo need; `spill` the "
		"outputs too long for the model; `steps` what the model and the tools said, which "
		"log and export need; `branches` the branches sparks/ID whose commit another branch "
		"holds. Verdicts, evidence, commits and the record of apply and undo always stay, "
		"and so does a result that is nowhere else, and all of an unfinished task.",
	.example = "sparks tasks prune --older-than 7 --dry-run",
	.options = options,
	.max_args = -1,
	.run = run,
};
