#include "cmd/show/changes.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

static void count_free(gpointer data)
{
	SpkFileCount *count = data;

	g_free(count->path);
	g_free(count);
}

static SpkTree *open_tree(SpkCore *core, const SpkTask *task, const SpkTrail *trail,
			  GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autofree char *hint = NULL;
	SpkTree *tree;

	if (!trail->base) {
		spk_error_set(error, SPK_ERR_NOT_FOUND,
			      "`sparks tasks show` says how far it is",
			      "task %s has no files yet", task->id);
		return NULL;
	}
	tree = spk_tree_open(spk_core_home(core), task->id, &why);
	if (tree || !spk_trail_pruned(trail, "copies")) {
		if (!tree)
			g_propagate_error(error, g_steal_pointer(&why));
		return tree;
	}
	hint = task->branch
		       ? g_strdup_printf("its commit is still on the branch: git diff "
					 "%.12s %s; git cherry-pick --no-commit %s",
					 task->base, task->branch, task->branch)
		       : NULL;
	spk_error_set(error, SPK_ERR_NOT_FOUND, hint,
		      "the private copy of task %s was dropped by housekeeping",
		      task->id);
	return NULL;
}

/* Sections of the diff come in the order of the changes, one each. */
static void count_lines(const char *diff, GPtrArray *counts)
{
	SpkFileCount *current = NULL;
	gboolean in_hunk = FALSE;
	guint section = 0;

	while (*diff) {
		gsize len = strcspn(diff, "\n");

		if (g_str_has_prefix(diff, "diff --git ")) {
			current = section < counts->len ? counts->pdata[section++] : NULL;
			in_hunk = FALSE;
		} else if (g_str_has_prefix(diff, "@@ ")) {
			in_hunk = TRUE;
		} else if (in_hunk && current) {
			current->added += *diff == '+';
			current->removed += *diff == '-';
		}
		diff += len + (diff[len] == '\n');
	}
}

GPtrArray *spk_changes_count(SpkCore *core, const SpkTask *task, const SpkTrail *trail,
			     GError **error)
{
	g_autoptr(SpkTree) tree = open_tree(core, task, trail, error);
	g_autoptr(GPtrArray) counts = g_ptr_array_new_with_free_func(count_free);
	g_autoptr(GPtrArray) changes = NULL;
	g_autofree char *diff = NULL;

	if (!tree)
		return NULL;
	changes = spk_tree_changes(tree, trail->base, trail->last, error);
	if (!changes)
		return NULL;
	diff = spk_tree_diff(tree, trail->base, trail->last, error);
	if (!diff)
		return NULL;
	for (guint i = 0; i < changes->len; i++) {
		const SpkTreeChange *change = changes->pdata[i];
		SpkFileCount *count = g_new0(SpkFileCount, 1);

		count->path = g_strdup(change->path);
		count->status = change->status;
		g_ptr_array_add(counts, count);
	}
	count_lines(diff, counts);
	return g_steal_pointer(&counts);
}

char *spk_changes_diff(SpkCore *core, const SpkTask *task, const SpkTrail *trail,
		       GError **error)
{
	g_autoptr(SpkTree) tree = open_tree(core, task, trail, error);

	return tree ? spk_tree_diff(tree, trail->base, trail->last, error) : NULL;
}

char *spk_changes_message(const SpkTask *task)
{
	g_autofree char *goal = spk_text_clean(task->goal, -1, SPK_CLEAN_LINE);
	g_autofree char *subject = spk_text_clip(goal, 72);

	return g_strdup_printf(
		"%s\n\nSparks-Task: %s\nSparks-Spark: %s\nSparks-Verdict: %s\n", subject,
		task->id, task->spark, spk_verdict_name(task->verdict));
}

/* ---- apply ---- */

static gboolean may_apply(const SpkTask *task, const SpkTrail *trail, GError **error)
{
	g_autofree char *hint = NULL;

	if (task->status != SPK_STATE_DONE) {
		hint = g_strdup_printf("`sparks tasks explain %s` says why", task->id);
		spk_error_set(error, SPK_ERR_CONFLICT, hint,
			      "task %s is %s: only a task that is done can be applied",
			      task->id, spk_state_name(task->status));
		return FALSE;
	}
	if (!trail->base || !trail->result || !strcmp(trail->base, trail->result)) {
		spk_error_set(error, SPK_ERR_CONFLICT, NULL,
			      "task %s changed no files: there is nothing to apply",
			      task->id);
		return FALSE;
	}
	if (trail->applied && trail->apply_done) {
		hint = g_strdup_printf("`sparks tasks undo %s` takes it back", task->id);
		spk_error_set(error, SPK_ERR_CONFLICT, hint, "task %s is applied already",
			      task->id);
		return FALSE;
	}
	return TRUE;
}

typedef struct {
	SpkStore *store;
	const char *task;
	json_t *law;
} Recorder;

static gboolean record_apply(json_t *record, gpointer user, GError **error)
{
	const Recorder *recorder = user;
	g_autoptr(json_t)
		payload = json_pack("{s:O,s:O}", "record", record, "law", recorder->law);

	return spk_journal_append(recorder->store, recorder->task, 0, "apply.intent",
				  SPK_EFFECT_IDEMPOTENT, payload, NULL, error);
}

static json_t *paths_to_json(const GPtrArray *paths)
{
	json_t *array = json_array();

	for (guint i = 0; paths && i < paths->len; i++)
		json_array_append_new(array, spk_json_text(paths->pdata[i]));
	return array;
}

static json_t *applied_to_json(const SpkTreeApplied *applied)
{
	return json_pack("{s:o,s:o,s:o,s:o}", "written", paths_to_json(applied->written),
			 "merged", paths_to_json(applied->merged), "conflicts",
			 paths_to_json(applied->conflicts), "commit",
			 spk_json_text(applied->commit));
}

gboolean spk_changes_apply(SpkCore *core, const SpkTask *task, const SpkTrail *trail,
			   const SpkTreeApply *how, json_t *law, SpkCancel *cancel,
			   SpkTreeApplied *ret, GError **error)
{
	Recorder recorder = { spk_core_store(core), task->id, law };
	g_autoptr(SpkTree) tree = NULL;
	g_autoptr(json_t) result = NULL;

	if (!may_apply(task, trail, error))
		return FALSE;
	tree = open_tree(core, task, trail, error);
	if (!tree || !spk_tree_apply(tree, trail->result, how, record_apply, &recorder,
				     cancel, ret, error))
		return FALSE;
	if (how->dry_run)
		return TRUE;
	result = applied_to_json(ret);
	return spk_journal_append(recorder.store, task->id, 0, "apply.result",
				  SPK_EFFECT_IDEMPOTENT, result, NULL, error);
}

/* ---- undo ---- */

/* After an apply that was cut off, the record of the call that went on holds all of it. */
gboolean spk_changes_undo(SpkCore *core, const SpkTask *task, const SpkTrail *trail,
			  SpkCancel *cancel, SpkTreeApplied *ret, GError **error)
{
	SpkStore *store = spk_core_store(core);
	g_autoptr(json_t) intent = NULL, result = NULL;
	g_autoptr(SpkTree) tree = NULL;

	if (!trail->applied) {
		spk_error_set(error, SPK_ERR_CONFLICT, NULL,
			      "task %s is not applied: there is nothing to undo",
			      task->id);
		return FALSE;
	}
	tree = open_tree(core, task, trail, error);
	if (!tree)
		return FALSE;
	intent = json_pack("{s:I}", "of", (json_int_t)trail->applied->seq);
	if (!spk_journal_append(store, task->id, 0, "undo.intent", SPK_EFFECT_IDEMPOTENT,
				intent, NULL, error) ||
	    !spk_tree_undo(tree, json_object_get(trail->applied->payload, "record"),
			   cancel, ret, error))
		return FALSE;
	result = applied_to_json(ret);
	spk_json_set(result, "of", json_integer(trail->applied->seq));
	return spk_journal_append(store, task->id, 0, "undo.result",
				  SPK_EFFECT_IDEMPOTENT, result, NULL, error);
}

json_t *spk_changes_to_json(const SpkTask *task, const char *action,
			    const SpkTreeApplied *applied)
{
	json_t *object = json_pack("{s:s,s:s}", "task", task->id, "action", action);
	g_autoptr(json_t) rest = applied_to_json(applied);

	json_object_update(object, rest);
	spk_json_set(object, "error", json_null());
	return object;
}
