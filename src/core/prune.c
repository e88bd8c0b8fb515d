/* Dropping what is due, and doing so by itself once a day. */
#include "core/prune.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "core/core_priv.h"
#include "core/prune_priv.h"

#define DAY_S 86400

void spk_pruned_free(SpkPruned *pruned)
{
	if (!pruned)
		return;
	g_free(pruned->task);
	g_free(pruned->why);
	g_free(pruned);
}

/* ---- what must stay ---- */

static gboolean has_entry(SpkStore *store, const char *task, const char *kind,
			  gboolean *ret_has, GError **error)
{
	g_autoptr(GPtrArray) entries = spk_journal_read(store, task, 0, 0, error);

	*ret_has = FALSE;
	for (guint i = 0; entries && i < entries->len; i++)
		*ret_has |= !strcmp(((SpkJournalEntry *)entries->pdata[i])->kind, kind);
	return entries != NULL;
}

/* A result that lies in the private copy alone: no branch holds it, nobody applied it. */
static gboolean is_only_copy(SpkStore *store, const SpkTask *task, gboolean *ret_is,
			     GError **error)
{
	gboolean applied;

	*ret_is = FALSE;
	if (task->status != SPK_STATE_DONE || task->branch ||
	    !json_array_size(json_object_get(task->changes, "files")))
		return TRUE;
	if (!has_entry(store, task->id, "apply.result", &applied, error))
		return FALSE;
	*ret_is = !applied;
	return TRUE;
}

/* ---- dropping ---- */

static gboolean record(SpkStore *store, const PruneItem *item, GError **error)
{
	g_autoptr(json_t)
		payload = json_pack("{s:s,s:I,s:s}", "what", spk_prune_name(item->what),
				    "bytes", (json_int_t)item->bytes, "why", item->why);

	return spk_journal_append(store, item->task->id, 0, "pruned",
				  SPK_EFFECT_IDEMPOTENT, payload, NULL, error);
}

/* On record first: a kill in between leaves a folder that is due again. */
static gboolean drop_folder(SpkCore *core, const PruneItem *item, const char *folder,
			    GError **error)
{
	g_autofree char *path =
		g_build_filename(spk_core_home(core), folder, item->task->id, NULL);

	return record(spk_core_store(core), item, error) &&
	       spk_fs_remove_tree(path, error);
}

/* *ret_stays: why it was left where it is; NULL: it is dropped. */
static gboolean drop_copy(SpkCore *core, const PruneItem *item, const SpkPrune *how,
			  char **ret_stays, GError **error)
{
	gboolean only;

	if (!is_only_copy(spk_core_store(core), item->task, &only, error))
		return FALSE;
	if (only && !how->even_only_copy) {
		*ret_stays = g_strdup("the only place of its result: apply it, or say "
				      "--force");
		return TRUE;
	}
	return how->dry_run || drop_folder(core, item, "trees", error);
}

static gboolean drop_steps(SpkCore *core, const PruneItem *item, const SpkPrune *how,
			   GError **error)
{
	gint64 entries, bytes;

	return how->dry_run || spk_journal_thin(spk_core_store(core), item->task->id,
						&entries, &bytes, error);
}

static gboolean drop_branch(SpkCore *core, const PruneItem *item, const SpkPrune *how,
			    SpkCancel *cancel, char **ret_stays, GError **error)
{
	static const char *const stays[] = {
		[SPK_BRANCH_GONE] = "", /* nothing to tell of */
		[SPK_BRANCH_MOVED] = "somebody went on from it",
		[SPK_BRANCH_IN_USE] = "it is checked out",
		[SPK_BRANCH_UNMERGED] = "no other branch holds the commit: merge it, or "
					"say --force",
	};
	const SpkTask *task = item->task;
	g_autoptr(GError) why = NULL;
	SpkTreeBranch state;

	if (!task->commit || !spk_tree_drop_branch(task->repo, task->branch, task->commit,
						   how->even_unmerged, how->dry_run,
						   &state, cancel, &why)) {
		if (!spk_cancel_check(cancel, error))
			return FALSE;
		*ret_stays = g_strdup(why ? why->message : "its commit is not known");
		return TRUE;
	}
	if (state != SPK_BRANCH_DROPPED) {
		*ret_stays = g_strdup(stays[state]);
		return TRUE;
	}
	return how->dry_run || record(spk_core_store(core), item, error);
}

static gboolean drop(SpkCore *core, const PruneItem *item, const SpkPrune *how,
		     SpkCancel *cancel, char **ret_stays, GError **error)
{
	switch (item->what) {
	case SPK_PRUNE_COPY:
		return drop_copy(core, item, how, ret_stays, error);
	case SPK_PRUNE_SPILL:
		return how->dry_run || drop_folder(core, item, "spill", error);
	case SPK_PRUNE_STEPS:
		return drop_steps(core, item, how, error);
	default:
		return drop_branch(core, item, how, cancel, ret_stays, error);
	}
}

/* Finished, and yet it may be taken up again: a cancelled one that somebody resumes. */
static gboolean is_free(SpkStore *store, const PruneItem *item)
{
	g_autoptr(SpkTask) now = spk_task_get(store, item->task->id, NULL);

	return now && spk_state_is_terminal(now->status);
}

GPtrArray *spk_core_prune(SpkCore *core, const SpkPrune *how, SpkCancel *cancel,
			  GError **error)
{
	SpkStore *store = spk_core_store(core);
	g_autoptr(GPtrArray) tasks = spk_task_list(store, -1, 0, error);
	g_autoptr(GPtrArray) items = tasks ? prune_find(core, tasks, how, cancel, error)
					   : NULL;
	g_autoptr(GPtrArray)
		done = g_ptr_array_new_with_free_func((GDestroyNotify)spk_pruned_free);

	if (!items)
		return NULL;
	for (guint i = 0; i < items->len; i++) {
		const PruneItem *item = items->pdata[i];
		g_autofree char *stays = NULL;
		SpkPruned *row;

		if (!item->due || !is_free(store, item))
			continue;
		if (!spk_cancel_check(cancel, error) ||
		    !drop(core, item, how, cancel, &stays, error))
			return NULL;
		if (stays && !*stays)
			continue;
		row = g_new0(SpkPruned, 1);
		row->task = g_strdup(item->task->id);
		row->what = item->what;
		row->bytes = item->bytes;
		row->dropped = stays == NULL;
		row->why = stays ? g_steal_pointer(&stays) : g_strdup(item->why);
		g_ptr_array_add(done, row);
	}
	return g_steal_pointer(&done);
}

char *spk_prune_summary(const GPtrArray *pruned)
{
	static const struct {
		SpkPruneWhat what;
		const char *one, *many;
	} words[] = {
		{ SPK_PRUNE_COPY, "private copy", "private copies" },
		{ SPK_PRUNE_SPILL, "folder of long outputs", "folders of long outputs" },
		{ SPK_PRUNE_STEPS, "record of steps", "records of steps" },
		{ SPK_PRUNE_BRANCHES, "merged branch", "branches" },
	};
	GString *out = g_string_new(NULL);

	for (gsize kind = 0; kind < G_N_ELEMENTS(words); kind++) {
		g_autofree char *size = NULL;
		gint64 bytes = 0;
		guint n = 0;

		for (guint i = 0; i < pruned->len; i++) {
			const SpkPruned *row = pruned->pdata[i];

			if (row->what != words[kind].what || !row->dropped)
				continue;
			n++;
			bytes += MAX(row->bytes, 0);
		}
		if (!n)
			continue;
		size = spk_text_bytes(bytes);
		g_string_append_printf(out, "%s%u %s", out->len ? ", " : "", n,
				       n == 1 ? words[kind].one : words[kind].many);
		if (bytes)
			g_string_append_printf(out, " (%s)", size);
	}
	return g_string_free(out, FALSE);
}

/* ---- by itself ---- */

/* A descriptor that holds the day's turn, or -1: it was done within a day, or somebody is at
 * it. The file's time says when it was done last. */
static int take_turn(SpkCore *core)
{
	g_autofree char *path = g_build_filename(spk_core_home(core), "tidied", NULL);
	spk_autofd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0)
		return -1;
	/* a new file has had no turn; its size tells it from one that has */
	if (st.st_size && st.st_mtime > spk_now_us() / G_USEC_PER_SEC - DAY_S)
		return -1;
	if (ftruncate(fd, 0) < 0 || pwrite(fd, "\n", 1, 0) != 1)
		return -1;
	return spk_fd_steal(&fd);
}

char *spk_core_tidy(SpkCore *core, gint64 limit_ms, SpkCancel *cancel)
{
	SpkPrune how = { .what = SPK_PRUNE_OWN, .older_than_days = -1 };
	g_autoptr(SpkCancel) within = NULL;
	g_autoptr(GPtrArray) pruned = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *summary = NULL;
	g_autoptr(SpkConf) conf = spk_core_conf(core);
	spk_autofd int turn = -1;

	if (!spk_conf_bool(conf, "keep.auto"))
		return NULL;
	turn = take_turn(core);
	if (turn < 0)
		return NULL;
	within = spk_cancel_new(cancel);
	spk_cancel_set_deadline(within, limit_ms);
	pruned = spk_core_prune(core, &how, within, &error);
	if (!pruned) {
		spk_info("core", "housekeeping: %s", error->message);
		return NULL;
	}
	summary = spk_prune_summary(pruned);
	if (!*summary)
		return NULL;
	return g_strdup_printf(
		"housekeeping dropped %s of finished tasks; their evidence "
		"stays ([keep] in the configuration says what is kept)",
		summary);
}
