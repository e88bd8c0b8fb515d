#include "cmd/show/trail.h"

#include <string.h>

#include "base/json.h"

const json_t *spk_trail_last(const SpkTrail *trail, const char *kind, guint end)
{
	for (guint i = MIN(end, trail->entries->len); i > 0; i--) {
		const SpkJournalEntry *entry = trail->entries->pdata[i - 1];

		if (!strcmp(entry->kind, kind))
			return entry->payload;
	}
	return NULL;
}

/* Steps that changed files name the raw tree they left; a roll-back names what was tried. */
static void follow_tree(SpkTrail *trail, const SpkJournalEntry *entry)
{
	const char *attempt = spk_json_str(entry->payload, "attempt");
	const char *tree = spk_json_str(entry->payload, "tree");

	if ((!strcmp(entry->kind, "tool.result") || !strcmp(entry->kind, "kept")) && tree)
		trail->last = tree;
	else if (!strcmp(entry->kind, "restored") && (attempt || tree))
		trail->last = attempt ? attempt : tree;
	/* what the steps said that housekeeping has dropped */
	if (!strcmp(entry->kind, "pruned") && tree) {
		trail->last = tree;
		trail->result = trail->result ? tree : NULL;
	}
	if (!strcmp(entry->kind, "commit.result")) {
		trail->result = trail->last;
		trail->committed = tree;
	}
}

static void follow_apply(SpkTrail *trail, const SpkJournalEntry *entry)
{
	if (!strcmp(entry->kind, "apply.intent")) {
		trail->applied = entry;
		trail->apply_done = FALSE;
	} else if (!strcmp(entry->kind, "apply.result")) {
		trail->apply_done = trail->applied != NULL;
	} else if (!strcmp(entry->kind, "undo.result")) {
		trail->applied = NULL;
		trail->apply_done = FALSE;
	}
}

SpkTrail *spk_trail_read(SpkStore *store, const char *task, GError **error)
{
	g_autoptr(GPtrArray) entries = spk_journal_read(store, task, 0, 0, error);
	SpkTrail *trail;

	if (!entries)
		return NULL;
	trail = g_new0(SpkTrail, 1);
	trail->entries = g_steal_pointer(&entries);
	trail->tree = spk_trail_last(trail, "tree", G_MAXUINT);
	trail->box = spk_trail_last(trail, "box", G_MAXUINT);
	trail->ended = spk_trail_last(trail, "ended", G_MAXUINT);
	trail->verdict = spk_trail_last(trail, "verdict", G_MAXUINT);
	trail->base = spk_json_str(trail->tree, "base");
	trail->last = trail->base;
	for (guint i = 0; i < trail->entries->len; i++) {
		follow_tree(trail, trail->entries->pdata[i]);
		follow_apply(trail, trail->entries->pdata[i]);
	}
	return trail;
}

void spk_trail_free(SpkTrail *trail)
{
	if (!trail)
		return;
	g_clear_pointer(&trail->entries, g_ptr_array_unref);
	g_free(trail);
}

gboolean spk_trail_pruned(const SpkTrail *trail, const char *what)
{
	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];

		if (!strcmp(entry->kind, "pruned") &&
		    !g_strcmp0(spk_json_str(entry->payload, "what"), what))
			return TRUE;
	}
	return FALSE;
}
