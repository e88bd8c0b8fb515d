/*
 * The user's latest commits for the box, so that `git log` and `git show` work there: their
 * objects as one pack in the raw store, without the blobs of sensitive files, and a list of
 * commits whose parents are cut off. A convenience: whatever goes wrong, there is none.
 */
#include "box/tree_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "guard/guard.h"

#define MAX_COMMITS "--max-count=50"
#define MAX_OBJECTS 5000

static GString *list(const SpkGit *git, const char *what, const char *head,
		     SpkCancel *cancel, GError **error)
{
	const char *const args[] = { "rev-list", MAX_COMMITS, what, head, NULL };
	GString *out = NULL;

	return spk_git_run(git, args, NULL, 0, 0, cancel, &out, NULL, error) ? out : NULL;
}

/* Commits with a parent outside of the list; `theirs` names those whose parents the user's
 * own repository lacks. */
static char *cut_off(const GString *graph, const char *theirs)
{
	g_auto(GStrv) rows = g_strsplit(graph->str, "\n", -1);
	g_autoptr(GHashTable)
		listed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GString *shallow = g_string_new(NULL);

	for (char **row = rows; *row; row++)
		g_hash_table_add(listed, g_strndup(*row, strcspn(*row, " ")));
	for (char **row = rows; *row && **row; row++) {
		g_auto(GStrv) parts = g_strsplit(*row, " ", -1);
		gboolean cut = theirs && strstr(theirs, parts[0]);

		for (char **p = parts; *p && p[1]; p++)
			cut |= !g_hash_table_contains(listed, p[1]);
		if (cut)
			g_string_append_printf(shallow, "%s\n", parts[0]);
	}
	return g_string_free(shallow, FALSE);
}

/* "SHA" of a commit, "SHA PATH" of anything else. A path with a line break only makes a row
 * that is no object name. NULL: too many. */
static GString *wanted(const GString *objects, const char *const *sensitive,
		       gsize oid_len)
{
	g_auto(GStrv) rows = g_strsplit(objects->str, "\n", -1);
	g_autoptr(GString) ids = g_string_new(NULL);
	guint n = 0;

	for (char **row = rows; *row; row++) {
		gsize len = strspn(*row, "0123456789abcdef");

		if (len != oid_len || ((*row)[len] && (*row)[len] != ' '))
			continue;
		if (++n > MAX_OBJECTS)
			return NULL;
		if ((*row)[len] && sensitive &&
		    spk_guard_match(sensitive, *row + len + 1))
			continue;
		g_string_append_len(ids, *row, len);
		g_string_append_c(ids, '\n');
	}
	return g_steal_pointer(&ids);
}

static char *copy_history(SpkTree *tree, const SpkTreeLimits *limits, SpkCancel *cancel,
			  GError **error)
{
	g_autofree char *base = g_build_filename(tree->objects, "pack/pack", NULL);
	g_autofree char *shallow = g_build_filename(tree->user, "shallow", NULL);
	g_autofree char *theirs = tree_read_optional(shallow, 1u << 20);
	const char *const pack[] = { "pack-objects", "-q", "--window=0", base, NULL };
	SpkGit git = tree_user_git(tree);
	const char *head = tree->repo.head;
	g_autoptr(GString) graph = list(&git, "--parents", head, cancel, error);
	g_autoptr(GString) objects = graph ? list(&git, "--objects", head, cancel, error)
					   : NULL;
	g_autoptr(GString)
		ids = objects ? wanted(objects, limits->sensitive, strlen(head)) : NULL;

	if (!ids)
		return NULL;
	git.objects = tree->objects; /* the user's are an alternate of user/ */
	git.alternates = (const char *const[]){ tree->user_objects, NULL };
	if (!spk_git_run(&git, pack, ids->str, ids->len, 0, cancel, NULL, NULL, error))
		return NULL;
	return cut_off(graph, theirs);
}

gboolean tree_history_copy(SpkTree *tree, const SpkTreeLimits *limits, SpkCancel *cancel,
			   char **ret_shallow, GError **error)
{
	g_autoptr(GError) why = NULL;

	*ret_shallow = tree->repo.head ? copy_history(tree, limits, cancel, &why) : NULL;
	if (spk_error_is(why, SPK_ERR_CANCELLED)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	if (why)
		spk_debug("box", "no history for the box: %s", why->message);
	return TRUE;
}
